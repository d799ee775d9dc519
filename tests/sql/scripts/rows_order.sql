-- Rows as values are ordered field by field, NULL after all else, and equal where their fields are.
CREATE TABLE ro_t (id int PRIMARY KEY, a int, n numeric, s text)
--> CREATE TABLE

INSERT INTO ro_t VALUES (1, 300, 1.0, 'b'), (2, -5, 1.00, 'a'), (3, NULL, 2, 'a'), (4, 7, NULL, ''), (5, 300, 1, NULL), (6, 65536, -1.5, 'ab')
--> INSERT 0 6

SELECT id FROM ro_t ORDER BY (a, n), id
--> id int4
--> 2
--> 4
--> 1
--> 5
--> 6
--> 3
--> SELECT 6

SELECT id FROM ro_t ORDER BY ROW(n, s) DESC, id
--> id int4
--> 4
--> 3
--> 5
--> 1
--> 2
--> 6
--> SELECT 6

SELECT id FROM ro_t ORDER BY (n, s) DESC NULLS LAST, id DESC
--> id int4
--> 4
--> 3
--> 5
--> 1
--> 2
--> 6
--> SELECT 6

SELECT t.id FROM ro_t t ORDER BY t DESC
--> id int4
--> 6
--> 5
--> 4
--> 3
--> 2
--> 1
--> SELECT 6

SELECT x.r FROM (SELECT ROW(a, s) AS r FROM ro_t) x ORDER BY x.r
--> r record
--> (-5,a)
--> (7,"")
--> (300,b)
--> (300,)
--> (65536,ab)
--> (,a)
--> SELECT 6

SELECT (n, s) AS r FROM ro_t ORDER BY r
--> r record
--> (-1.5,ab)
--> (1.00,a)
--> (1.0,b)
--> (1,)
--> (2,a)
--> (,"")
--> SELECT 6

SELECT (n, 1) AS r, count(*) FROM ro_t GROUP BY r ORDER BY r
--> r record | count int8
--> (-1.5,1) | 1
--> (1.0,1) | 3
--> (2,1) | 1
--> (,1) | 1
--> SELECT 4

SELECT count(*), (a, n) FROM ro_t GROUP BY (a, n) ORDER BY 2
--> count int8 | row record
--> 1 | (-5,1.00)
--> 1 | (7,)
--> 2 | (300,1.0)
--> 1 | (65536,-1.5)
--> 1 | (,2)
--> SELECT 5

SELECT a, n, count(*) FROM ro_t GROUP BY (a, n) ORDER BY a, n
--> a int4 | n numeric | count int8
--> -5 | 1.00 | 1
--> 7 | ∅ | 1
--> 300 | 1.0 | 2
--> 65536 | -1.5 | 1
--> ∅ | 2 | 1
--> SELECT 5

SELECT count(*) FROM ro_t GROUP BY ROW(a, n) ORDER BY 1
--> count int8
--> 1
--> 1
--> 1
--> 1
--> 2
--> SELECT 5

SELECT DISTINCT (a > 100, n) FROM ro_t ORDER BY (a > 100, n)
--> row record
--> (f,1.00)
--> (f,)
--> (t,-1.5)
--> (t,1.0)
--> (,2)
--> SELECT 5

SELECT DISTINCT ON ((a, n)) a, s FROM ro_t ORDER BY (a, n), s
--> a int4 | s text
--> -5 | a
--> 7 |
--> 300 | b
--> 65536 | ab
--> ∅ | a
--> SELECT 5

SELECT count(DISTINCT (n, a > 0)) FROM ro_t
--> count int8
--> 5
--> SELECT 1

SELECT id, rank() OVER (ORDER BY (n, s)), count(*) OVER (PARTITION BY (a, n)) FROM ro_t ORDER BY id
--> id int4 | rank int8 | count int8
--> 1 | 3 | 2
--> 2 | 2 | 1
--> 3 | 5 | 1
--> 4 | 6 | 1
--> 5 | 4 | 2
--> 6 | 1 | 1
--> SELECT 6

SELECT array_agg(id ORDER BY (a, n) DESC, id) FROM ro_t
--> array_agg int4[]
--> {3,6,1,5,4,2}
--> SELECT 1

SELECT (a, n) FROM ro_t UNION SELECT (300, 1.000::numeric) ORDER BY 1
--> row record
--> (-5,1.00)
--> (7,)
--> (300,1.0)
--> (65536,-1.5)
--> (,2)
--> SELECT 5

SELECT (a, n) FROM ro_t EXCEPT SELECT (300, 1.000::numeric) ORDER BY 1
--> row record
--> (-5,1.00)
--> (7,)
--> (65536,-1.5)
--> (,2)
--> SELECT 4

SELECT v.r FROM (VALUES (ROW(1, ROW(200, 3))), (ROW(1, ROW(3, 9))), (ROW(1, ROW(-3, 9)))) v(r) ORDER BY v.r
--> r record
--> (1,"(-3,9)")
--> (1,"(3,9)")
--> (1,"(200,3)")
--> SELECT 3

SELECT v.r FROM (VALUES (ROW(1, '{2,NULL}'::int[])), (ROW(1, '{2}'::int[])), (ROW(1, '{2,300}'::int[]))) v(r) ORDER BY v.r
--> r record
--> (1,{2})
--> (1,"{2,300}")
--> (1,"{2,NULL}")
--> SELECT 3

SELECT array_agg((a, n) ORDER BY id) < array_agg((a, n) ORDER BY id DESC) AS less FROM ro_t
--> less bool
--> t
--> SELECT 1

SELECT greatest((1, 300), (1, 2)), least((1, 300), (1, 2), (1, -2))
--> greatest record | least record
--> (1,300) | (1,-2)
--> SELECT 1

SELECT a, n, count(*) FROM ro_t GROUP BY ((a, n)), ((s)) ORDER BY a, n, 3
--> a int4 | n numeric | count int8
--> -5 | 1.00 | 1
--> 7 | ∅ | 1
--> 300 | 1 | 1
--> 300 | 1.0 | 1
--> 65536 | -1.5 | 1
--> ∅ | 2 | 1
--> SELECT 6

-- What a subscript is of is an array of texts, if its elements tell no type.
SELECT (ARRAY['a', 'b'])[1], (ARRAY['a', NULL])[2] IS NULL AS none, (ARRAY['a', 'b', 'c'])[2:3]
--> array text | none bool | array text[]
--> a | t | {b,c}
--> SELECT 1

CREATE TABLE ro_d (a text DEFAULT (ARRAY['a', 'b'])[2], b int)
--> CREATE TABLE

INSERT INTO ro_d(b) VALUES (1) RETURNING a
--> a text
--> b
--> INSERT 0 1

-- Defaults and conditions have the words that statements have.
CREATE TABLE ro_w (a text DEFAULT TRIM(BOTH FROM ' q ') CHECK (TRIM(LEADING FROM a) = a), b int DEFAULT 3, c text GENERATED ALWAYS AS (TRIM(TRAILING FROM a || ' ')) STORED)
--> CREATE TABLE

INSERT INTO ro_w DEFAULT VALUES RETURNING *
--> a text | b int4 | c text
--> q | 3 | q
--> INSERT 0 1

INSERT INTO ro_w VALUES (' x')
--> ERROR 23514: new row for relation "ro_w" violates check constraint "ro_w_a_check"
-->   detail: Failing row contains ( x, 3,  x).
-->   table: ro_w
-->   constraint: ro_w_a_check

CREATE UNIQUE INDEX ro_wi ON ro_w (TRIM(BOTH FROM a)) WHERE TRIM(FROM a) <> ''
--> CREATE INDEX

INSERT INTO ro_w VALUES ('q  ')
--> ERROR 23505: duplicate key value violates unique constraint "ro_wi"
-->   detail: Key (TRIM(BOTH FROM a))=(q) already exists.
-->   table: ro_w
-->   constraint: ro_wi

INSERT INTO ro_w VALUES ('q  ') ON CONFLICT (TRIM(BOTH FROM a)) WHERE TRIM(FROM a) <> '' DO UPDATE SET b = 4 RETURNING b
--> b int4
--> 4
--> INSERT 0 1

-- A view by its name.
CREATE VIEW ro_v AS SELECT 1 AS one
--> CREATE VIEW

SELECT pg_get_viewdef('ro_v') = pg_get_viewdef('ro_v'::regclass), pg_get_viewdef('ro_v'::text, true) IS NOT NULL AS pretty
--> ?column? bool | pretty bool
--> t | t
--> SELECT 1

SELECT pg_get_viewdef('ro_none')
--> ERROR 42P01: relation "ro_none" does not exist

DROP VIEW ro_v
--> DROP VIEW

DROP TABLE ro_w
--> DROP TABLE

-- Keys of foreign keys that are arrays.
CREATE TABLE ro_p (id int PRIMARY KEY, k int[] UNIQUE, j jsonb UNIQUE)
--> CREATE TABLE

CREATE TABLE ro_c (j jsonb REFERENCES ro_p(j))
--> CREATE TABLE

INSERT INTO ro_p VALUES (1, '{1}', '{"a": 1.0}')
--> INSERT 0 1

INSERT INTO ro_c VALUES ('{"a": 1}')
--> INSERT 0 1

INSERT INTO ro_c VALUES ('{"a": 2}')
--> ERROR 23503: insert or update on table "ro_c" violates foreign key constraint "ro_c_j_fkey"
-->   detail: Key (j)=({"a": 2}) is not present in table "ro_p".
-->   table: ro_c
-->   constraint: ro_c_j_fkey

DELETE FROM ro_p
--> ERROR 23503: update or delete on table "ro_p" violates foreign key constraint "ro_c_j_fkey" on table "ro_c"
-->   detail: Key (j)=({"a": 1.0}) is still referenced from table "ro_c".
-->   table: ro_c
-->   constraint: ro_c_j_fkey

DROP TABLE ro_c
--> DROP TABLE

CREATE TABLE ro_c (k int[] REFERENCES ro_p(k))
--> CREATE TABLE
--?> ERROR 0A000: a foreign key of type integer[] is not supported

DROP TABLE IF EXISTS ro_c
--> DROP TABLE
--?> NOTICE: table "ro_c" does not exist, skipping
--?> DROP TABLE

DROP TABLE ro_p, ro_t, ro_d
--> DROP TABLE
