SELECT '[' || to_char(2, '9V9V') || ']', '[' || to_char(2, '9V9V9') || ']', '[' || to_char(2.345, '99V99V9') || ']'
--> ?column? text | ?column? text | ?column? text
--> [ 20] | [ 200] | [  2345]
--> SELECT 1

CREATE TABLE b_t (a int)
--> CREATE TABLE

ALTER TABLE b_t ADD COLUMN z bigint DEFAULT (SELECT count(*) FROM generate_series(1, 1000000000000000))
--> ERROR 0A000: cannot use subquery in DEFAULT expression

CREATE TABLE b_u (a int DEFAULT (SELECT 1))
--> ERROR 0A000: cannot use subquery in DEFAULT expression

ALTER TABLE b_t ALTER a SET DEFAULT (SELECT 1)
--> ERROR 0A000: cannot use subquery in DEFAULT expression

CREATE TABLE b_u (a int DEFAULT generate_series(1, 2))
--> ERROR 0A000: set-returning functions are not allowed in DEFAULT expressions

CREATE TABLE b_u (a int DEFAULT sum(1))
--> ERROR 42803: aggregate functions are not allowed in DEFAULT expressions

CREATE TABLE b_u (a bigint DEFAULT (row_number() OVER ()))
--> ERROR 42P20: window functions are not allowed in DEFAULT expressions

ALTER TABLE b_t ALTER a TYPE bigint USING (SELECT 1)
--> ERROR 0A000: cannot use subquery in transform expression

ALTER TABLE b_t ALTER a TYPE bigint USING (SELECT count(*) FROM b_t)
--> ERROR 0A000: cannot use subquery in transform expression

ALTER TABLE b_t ALTER a TYPE bigint USING generate_series(1, 2)
--> ERROR 0A000: set-returning functions are not allowed in transform expressions

ALTER TABLE b_t ALTER a TYPE bigint USING sum(a)
--> ERROR 42803: aggregate functions are not allowed in transform expressions

ALTER TABLE b_t ADD CHECK ((SELECT 1) = 1)
--> ERROR 0A000: cannot use subquery in check constraint

ALTER TABLE b_t ADD CHECK (EXISTS (SELECT 1))
--> ERROR 0A000: cannot use subquery in check constraint

ALTER TABLE b_t ADD CHECK (a IN (SELECT 1))
--> ERROR 0A000: cannot use subquery in check constraint

ALTER TABLE b_t ADD CHECK (a = ANY (SELECT 1))
--> ERROR 0A000: cannot use subquery in check constraint

ALTER TABLE b_t ADD CHECK (cardinality(ARRAY(SELECT 1)) = 1)
--> ERROR 0A000: cannot use subquery in check constraint

CREATE TABLE b_u (a int, b int GENERATED ALWAYS AS ((SELECT 1)) STORED)
--> ERROR 0A000: cannot use subquery in column generation expression

CREATE INDEX ON b_t ((a + (SELECT 1)))
--> ERROR 0A000: cannot use subquery in index expression

CREATE INDEX ON b_t (a) WHERE (SELECT true)
--> ERROR 0A000: cannot use subquery in index predicate

CREATE INDEX ON b_t (sum(a))
--> ERROR 42803: aggregate functions are not allowed in index expressions

INSERT INTO b_t VALUES (array_length(string_to_array(repeat('x,', 20000000), ','), 1))
--> ERROR 53200: out of memory
-->   detail: The functions of this statement would hold 131072 kB, and may hold 131072 kB.

SELECT ln(('1' || repeat('0', 130000))::numeric)
--> ln numeric
--> 299336.06208922594
--> SELECT 1

ALTER TABLE b_t ADD COLUMN b text DEFAULT repeat('x', 3)
--> ALTER TABLE

INSERT INTO b_t VALUES (1)
--> INSERT 0 1

ALTER TABLE b_t ADD CHECK (length(repeat(b, 2)) = 6)
--> ALTER TABLE

CREATE INDEX ON b_t (repeat(b, a))
--> CREATE INDEX

DROP INDEX b_t_repeat_idx
--> DROP INDEX

ALTER TABLE b_t ALTER a TYPE text USING repeat(b, a)
--> ALTER TABLE

SELECT * FROM b_t
--> a text | b text
--> xxx | xxx
--> SELECT 1

DROP TABLE b_t
--> DROP TABLE
