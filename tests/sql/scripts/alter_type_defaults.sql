-- A default keeps its own type when the column gets another one, and must be assignable to that.
CREATE TABLE td (id int, a interval DEFAULT '1 hour', b text DEFAULT '7', c int DEFAULT 7, d int DEFAULT '5', e date DEFAULT '2024-01-31', f timestamp DEFAULT NULL, g varchar(3) DEFAULT 'ab')
--> CREATE TABLE

ALTER TABLE td ALTER a TYPE varchar(9)
--> ALTER TABLE

ALTER TABLE td ALTER b TYPE int USING b::int
--> ERROR 42804: default for column "b" cannot be cast automatically to type integer

ALTER TABLE td ALTER b DROP DEFAULT, ALTER b TYPE int USING b::int
--> ALTER TABLE

ALTER TABLE td ALTER c TYPE bigint, ALTER d TYPE numeric(6,2), ALTER e TYPE timestamp, ALTER f TYPE date
--> ALTER TABLE

ALTER TABLE td ALTER g TYPE text
--> ALTER TABLE

ALTER TABLE td ALTER a TYPE float8 USING 1
--> ERROR 42804: default for column "a" cannot be cast automatically to type double precision

ALTER TABLE td ALTER e TYPE boolean USING true
--> ERROR 42804: default for column "e" cannot be cast automatically to type boolean

SELECT attname, format_type(atttypid, atttypmod), pg_get_expr(adbin, adrelid) FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum WHERE attrelid = 'td'::regclass AND attnum > 0 ORDER BY attnum
--> attname name | format_type text | pg_get_expr text
--> id | integer | ∅
--> a | character varying(9) | '01:00:00'::interval
--> b | integer | ∅
--> c | bigint | 7
--> d | numeric(6,2) | 5
--> e | timestamp without time zone | '2024-01-31'::date
--> f | date | ∅
--> g | text | 'ab'::character varying
--> SELECT 8

INSERT INTO td (id) VALUES (1) RETURNING *
--> id int4 | a varchar | b int4 | c int8 | d numeric | e timestamp | f date | g text
--> 1 | 01:00:00 | ∅ | 7 | 5.00 | 2024-01-31 00:00:00 | ∅ | ab
--> INSERT 0 1

ALTER TABLE td ALTER c TYPE text, ALTER d TYPE text
--> ALTER TABLE

INSERT INTO td (id) VALUES (2) RETURNING c, d, pg_typeof(c)
--> c text | d text | pg_typeof regtype
--> 7 | 5 | text
--> INSERT 0 1

DROP TABLE td
--> DROP TABLE

-- What is computed for rows that are there must keep what is asked of the column.
CREATE TABLE te (a varchar(4) PRIMARY KEY, b int NOT NULL DEFAULT 1, c int UNIQUE)
--> CREATE TABLE

INSERT INTO te VALUES ('abc', 1, 1), ('abd', 2, 2)
--> INSERT 0 2

ALTER TABLE te ALTER a TYPE varchar(4) USING NULL
--> ERROR 23502: column "a" of relation "te" contains null values
-->   table: te
-->   column: a

ALTER TABLE te ALTER b TYPE text USING nullif(b, 2)
--> ERROR 23502: column "b" of relation "te" contains null values
-->   table: te
-->   column: b

ALTER TABLE te ADD d int GENERATED ALWAYS AS (nullif(b, 2)) STORED NOT NULL
--> ERROR 23502: column "d" of relation "te" contains null values
-->   table: te
-->   column: d

ALTER TABLE te ALTER b TYPE text USING b
--> ALTER TABLE

SELECT * FROM te ORDER BY a
--> a varchar | b text | c int4
--> abc | 1 | 1
--> abd | 2 | 2
--> SELECT 2

DROP TABLE te
--> DROP TABLE

-- Conditions over columns that are compared with other types.
CREATE TABLE tf (a smallint CHECK (a IN (1, 2, 3)), b bigint CHECK (b NOT IN (1, 2)), c real CHECK (c IN (1.5, 2)), d date CHECK (d IN (timestamp '2024-01-01', '2024-01-02 10:00')), e int CHECK (e IN (1, 2.5)), f smallint CHECK (f = 1 AND f IN (7)))
--> CREATE TABLE

SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = 'tf'::regclass ORDER BY 1
--> conname name | pg_get_constraintdef text
--> tf_a_check | CHECK ((a = ANY (ARRAY[1, 2, 3])))
--> tf_b_check | CHECK ((b <> ALL (ARRAY[(1)::bigint, (2)::bigint])))
--> tf_c_check | CHECK ((c = ANY (ARRAY[(1.5)::real, (2)::real])))
--> tf_d_check | CHECK ((d = ANY (ARRAY['2024-01-01 00:00:00'::timestamp without time zone, '2024-01-02 10:00:00'::timestamp without time zone])))
--> tf_e_check | CHECK (((e)::numeric = ANY (ARRAY[(1)::numeric, 2.5])))
--> tf_f_check | CHECK (((f = 1) AND (f = 7)))
--> SELECT 6

DROP TABLE tf
--> DROP TABLE

-- Conditions and indexes go on with what they made of the column's value.
CREATE TABLE tg (a varchar(4) CHECK (length(a) > 1), b int CHECK (b + 1 > 2), c text)
--> CREATE TABLE

CREATE INDEX tg_c ON tg (lower(c)) WHERE c <> 'x'
--> CREATE INDEX

INSERT INTO tg VALUES ('abc', 3, '7')
--> INSERT 0 1

ALTER TABLE tg ALTER a TYPE bytea USING a::bytea
--> ALTER TABLE

ALTER TABLE tg ALTER b TYPE bigint
--> ALTER TABLE

ALTER TABLE tg ALTER c TYPE varchar
--> ALTER TABLE

SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = 'tg'::regclass ORDER BY 1
--> conname name | pg_get_constraintdef text
--> tg_a_check | CHECK ((length((a)::text) > 1))
--> tg_b_check | CHECK (((b + 1) > 2))
--> SELECT 2

SELECT split_part(pg_get_indexdef('tg_c'::regclass), 'USING', 2)
--> split_part text
-->  btree (lower((c)::text)) WHERE ((c)::text <> 'x'::text)
--> SELECT 1

INSERT INTO tg VALUES ('a', 0, 'y')
--> ERROR 23514: new row for relation "tg" violates check constraint "tg_b_check"
-->   detail: Failing row contains (\x61, 0, y).
-->   table: tg
-->   constraint: tg_b_check

INSERT INTO tg VALUES ('ab', 0, 'y')
--> ERROR 23514: new row for relation "tg" violates check constraint "tg_b_check"
-->   detail: Failing row contains (\x6162, 0, y).
-->   table: tg
-->   constraint: tg_b_check

DROP TABLE tg
--> DROP TABLE
