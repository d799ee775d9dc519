-- Several actions in one ALTER TABLE, in PostgreSQL's order.
CREATE TABLE k_many (a int)
--> CREATE TABLE

ALTER TABLE k_many DROP COLUMN a, ADD COLUMN a text, ADD COLUMN b int DEFAULT 3, ALTER COLUMN b SET NOT NULL, ADD CHECK (c > b), ADD COLUMN c int DEFAULT 4
--> ALTER TABLE

INSERT INTO k_many (a) VALUES ('x') RETURNING *
--> a text | b int4 | c int4
--> x | 3 | 4
--> INSERT 0 1

SELECT column_name, data_type FROM information_schema.columns WHERE table_name = 'k_many' ORDER BY ordinal_position
--> column_name name | data_type varchar
--> a | text
--> b | integer
--> c | integer
--> SELECT 3

ALTER TABLE k_many DROP COLUMN a, DROP COLUMN b CASCADE, DROP COLUMN c
--> ALTER TABLE

SELECT count(*) FROM k_many
--> count int8
--> 1
--> SELECT 1

ALTER TABLE k_many ADD COLUMN z int, ADD PRIMARY KEY (z)
--> ERROR 23502: column "z" of relation "k_many" contains null values
-->   table: k_many
-->   column: z

DELETE FROM k_many
--> DELETE 1

ALTER TABLE k_many ADD COLUMN z int, ADD PRIMARY KEY (z)
--> ALTER TABLE

INSERT INTO k_many VALUES (1), (2) RETURNING z
--> z int4
--> 1
--> 2
--> INSERT 0 2

DROP TABLE k_many
--> DROP TABLE

-- Foreign keys between types that compare.
CREATE TABLE k_text (u varchar(40) PRIMARY KEY, t text UNIQUE, c char(5) UNIQUE, n numeric UNIQUE, i bigint UNIQUE, f float8 UNIQUE, at timestamptz UNIQUE, ts timestamp UNIQUE)
--> CREATE TABLE

INSERT INTO k_text VALUES ('k1', 'k1', 'k1', 5.00, 5, 5, '2020-01-01 00:00+00', '2020-01-01')
--> INSERT 0 1

CREATE TABLE k_one (u char(36) REFERENCES k_text (u), t varchar(3) REFERENCES k_text (t), c char(9) REFERENCES k_text (c), n int REFERENCES k_text (n), i smallint REFERENCES k_text (i), f int REFERENCES k_text (f), at date REFERENCES k_text (at), ts date REFERENCES k_text (ts))
--> CREATE TABLE

INSERT INTO k_one VALUES ('k1', 'k1', 'k1', 5, 5, 5, '2020-01-01', '2020-01-01')
--> INSERT 0 1

INSERT INTO k_one (u) VALUES ('k2')
--> ERROR 23503: insert or update on table "k_one" violates foreign key constraint "k_one_u_fkey"
-->   detail: Key (u)=(k2                                  ) is not present in table "k_text".
-->   table: k_one
-->   constraint: k_one_u_fkey

INSERT INTO k_one (n) VALUES (6)
--> ERROR 23503: insert or update on table "k_one" violates foreign key constraint "k_one_n_fkey"
-->   detail: Key (n)=(6) is not present in table "k_text".
-->   table: k_one
-->   constraint: k_one_n_fkey

INSERT INTO k_one (f) VALUES (6)
--> ERROR 23503: insert or update on table "k_one" violates foreign key constraint "k_one_f_fkey"
-->   detail: Key (f)=(6) is not present in table "k_text".
-->   table: k_one
-->   constraint: k_one_f_fkey

INSERT INTO k_one (at) VALUES ('2020-01-02')
--> ERROR 23503: insert or update on table "k_one" violates foreign key constraint "k_one_at_fkey"
-->   detail: Key (at)=(2020-01-02) is not present in table "k_text".
-->   table: k_one
-->   constraint: k_one_at_fkey

INSERT INTO k_one (ts) VALUES ('2020-01-02'), ('infinity')
--> ERROR 23503: insert or update on table "k_one" violates foreign key constraint "k_one_ts_fkey"
-->   detail: Key (ts)=(2020-01-02) is not present in table "k_text".
-->   table: k_one
-->   constraint: k_one_ts_fkey

DELETE FROM k_text
--> ERROR 23503: update or delete on table "k_text" violates foreign key constraint "k_one_u_fkey" on table "k_one"
-->   detail: Key (u)=(k1) is still referenced from table "k_one".
-->   table: k_one
-->   constraint: k_one_u_fkey

UPDATE k_text SET ts = ts + '1 day'
--> ERROR 23503: update or delete on table "k_text" violates foreign key constraint "k_one_ts_fkey" on table "k_one"
-->   detail: Key (ts)=(2020-01-01 00:00:00) is still referenced from table "k_one".
-->   table: k_one
-->   constraint: k_one_ts_fkey

ALTER TABLE k_one DROP CONSTRAINT k_one_ts_fkey
--> ALTER TABLE

UPDATE k_text SET ts = ts + '1 day'
--> UPDATE 1

ALTER TABLE k_one ADD FOREIGN KEY (ts) REFERENCES k_text (ts)
--> ERROR 23503: insert or update on table "k_one" violates foreign key constraint "k_one_ts_fkey"
-->   detail: Key (ts)=(2020-01-01) is not present in table "k_text".
-->   table: k_one
-->   constraint: k_one_ts_fkey

UPDATE k_text SET ts = ts - '1 day'::interval
--> UPDATE 1

ALTER TABLE k_one ADD FOREIGN KEY (ts) REFERENCES k_text (ts)
--> ALTER TABLE

ALTER TABLE k_one DROP COLUMN ts, DROP COLUMN at
--> ALTER TABLE

SELECT * FROM k_one
--> u bpchar | t varchar | c bpchar | n int4 | i int2 | f int4
--> k1                                   | k1 | k1        | 5 | 5 | 5
--> SELECT 1

CREATE TABLE k_bad (n numeric REFERENCES k_text (i))
--> ERROR 42804: foreign key constraint "k_bad_n_fkey" cannot be implemented
-->   detail: Key columns "n" and "i" are of incompatible types: numeric and bigint.

CREATE TABLE k_bad (n text REFERENCES k_text (i))
--> ERROR 42804: foreign key constraint "k_bad_n_fkey" cannot be implemented
-->   detail: Key columns "n" and "i" are of incompatible types: text and bigint.

CREATE TABLE k_bad (n float8 REFERENCES k_text (n))
--> ERROR 42804: foreign key constraint "k_bad_n_fkey" cannot be implemented
-->   detail: Key columns "n" and "n" are of incompatible types: double precision and numeric.

CREATE TABLE k_bad (n timestamp REFERENCES k_text (f))
--> ERROR 42804: foreign key constraint "k_bad_n_fkey" cannot be implemented
-->   detail: Key columns "n" and "f" are of incompatible types: timestamp without time zone and double precision.

DROP TABLE k_one, k_text
--> DROP TABLE

-- Circles.
CREATE TABLE k_a (id int PRIMARY KEY, b int)
--> CREATE TABLE

CREATE TABLE k_b (id int PRIMARY KEY, a int NOT NULL REFERENCES k_a)
--> CREATE TABLE

ALTER TABLE k_a ADD CONSTRAINT k_ab FOREIGN KEY (b) REFERENCES k_b
--> ALTER TABLE

INSERT INTO k_a VALUES (1, NULL); INSERT INTO k_b VALUES (10, 1); UPDATE k_a SET b = 10
--> INSERT 0 1
--> INSERT 0 1
--> UPDATE 1

ALTER TABLE k_a ADD COLUMN c int UNIQUE REFERENCES k_b ON DELETE SET NULL
--> ALTER TABLE

ALTER TABLE k_b ADD COLUMN up int REFERENCES k_b
--> ALTER TABLE

ALTER TABLE k_b ALTER COLUMN id TYPE bigint
--> ALTER TABLE

INSERT INTO k_a VALUES (2, 11, NULL)
--> ERROR 23503: insert or update on table "k_a" violates foreign key constraint "k_ab"
-->   detail: Key (b)=(11) is not present in table "k_b".
-->   table: k_a
-->   constraint: k_ab

UPDATE k_a SET c = 10 RETURNING *
--> id int4 | b int4 | c int4
--> 1 | 10 | 10
--> UPDATE 1

UPDATE k_b SET up = 7
--> ERROR 23503: insert or update on table "k_b" violates foreign key constraint "k_b_up_fkey"
-->   detail: Key (up)=(7) is not present in table "k_b".
-->   table: k_b
-->   constraint: k_b_up_fkey

SELECT * FROM k_a, k_b
--> id int4 | b int4 | c int4 | id int8 | a int4 | up int4
--> 1 | 10 | 10 | 10 | 1 | ∅
--> SELECT 1

DELETE FROM k_b
--> ERROR 23503: update or delete on table "k_b" violates foreign key constraint "k_ab" on table "k_a"
-->   detail: Key (id)=(10) is still referenced from table "k_a".
-->   table: k_a
-->   constraint: k_ab

TRUNCATE k_a
--> ERROR 0A000: cannot truncate a table referenced in a foreign key constraint
-->   detail: Table "k_b" references "k_a".

TRUNCATE k_a, k_b
--> TRUNCATE TABLE

SELECT count(*) FROM k_a
--> count int8
--> 0
--> SELECT 1

DROP TABLE k_a
--> ERROR 2BP01: cannot drop table k_a because other objects depend on it
-->   detail: constraint k_b_a_fkey on table k_b depends on table k_a

DROP TABLE k_a CASCADE
--> NOTICE: drop cascades to constraint k_b_a_fkey on table k_b
--> DROP TABLE

DROP TABLE k_b
--> DROP TABLE

-- A table that refers to a key of its own that is not its primary key.
CREATE TABLE k_self (id int PRIMARY KEY, code text UNIQUE, up text, boss int)
--> CREATE TABLE

INSERT INTO k_self VALUES (1, 'a', NULL, 1), (2, 'b', 'a', 1)
--> INSERT 0 2

ALTER TABLE k_self ADD CONSTRAINT k_up FOREIGN KEY (up) REFERENCES k_self (code) ON UPDATE CASCADE
--> ALTER TABLE

ALTER TABLE k_self ADD FOREIGN KEY (boss) REFERENCES k_self
--> ALTER TABLE

INSERT INTO k_self VALUES (3, 'c', 'x', 1)
--> ERROR 23503: insert or update on table "k_self" violates foreign key constraint "k_up"
-->   detail: Key (up)=(x) is not present in table "k_self".
-->   table: k_self
-->   constraint: k_up

INSERT INTO k_self VALUES (3, 'c', 'c', 3)
--> INSERT 0 1

UPDATE k_self SET code = 'z' WHERE id = 1
--> UPDATE 1

SELECT * FROM k_self ORDER BY id
--> id int4 | code text | up text | boss int4
--> 1 | z | ∅ | 1
--> 2 | b | z | 1
--> 3 | c | c | 3
--> SELECT 3

ALTER TABLE k_self ADD COLUMN note text REFERENCES k_self (code)
--> ALTER TABLE

ALTER TABLE k_self ALTER COLUMN note TYPE varchar(10), ALTER COLUMN id TYPE bigint
--> ALTER TABLE

CREATE TABLE k_own (code varchar(5) PRIMARY KEY, up varchar(5) REFERENCES k_own)
--> CREATE TABLE

INSERT INTO k_own VALUES ('a', 'b'), ('b', 'a')
--> INSERT 0 2

INSERT INTO k_own VALUES ('c', 'x')
--> ERROR 23503: insert or update on table "k_own" violates foreign key constraint "k_own_up_fkey"
-->   detail: Key (up)=(x) is not present in table "k_own".
-->   table: k_own
-->   constraint: k_own_up_fkey

DROP TABLE k_self, k_own
--> DROP TABLE

-- What a foreign key rests on stays.
CREATE TABLE k_p (a int, b int)
--> CREATE TABLE

CREATE UNIQUE INDEX k_p_a ON k_p (a)
--> CREATE INDEX

CREATE TABLE k_c (a int REFERENCES k_p (a))
--> CREATE TABLE

INSERT INTO k_p VALUES (1, 1)
--> INSERT 0 1

DROP INDEX k_p_a
--> ERROR 2BP01: cannot drop index k_p_a because other objects depend on it
-->   detail: constraint k_c_a_fkey on table k_c depends on index k_p_a

INSERT INTO k_c VALUES (2)
--> ERROR 23503: insert or update on table "k_c" violates foreign key constraint "k_c_a_fkey"
-->   detail: Key (a)=(2) is not present in table "k_p".
-->   table: k_c
-->   constraint: k_c_a_fkey

DROP INDEX k_p_a CASCADE
--> NOTICE: drop cascades to constraint k_c_a_fkey on table k_c
--> DROP INDEX

INSERT INTO k_c VALUES (2)
--> INSERT 0 1

ALTER TABLE k_p ADD CONSTRAINT k_p_key UNIQUE (a, b)
--> ALTER TABLE

ALTER TABLE k_c ADD COLUMN b int, ADD FOREIGN KEY (a, b) REFERENCES k_p (a, b)
--> ALTER TABLE

ALTER TABLE k_p DROP CONSTRAINT k_p_key
--> ERROR 2BP01: cannot drop constraint k_p_key on table k_p because other objects depend on it
-->   detail: constraint k_c_a_b_fkey on table k_c depends on index k_p_key

ALTER TABLE k_p DROP CONSTRAINT k_p_key CASCADE
--> NOTICE: drop cascades to constraint k_c_a_b_fkey on table k_c
--> ALTER TABLE

DROP TABLE k_p, k_c
--> DROP TABLE

-- NULLs that count as equal.
CREATE TABLE k_null (a int, b text, UNIQUE NULLS NOT DISTINCT (a, b))
--> CREATE TABLE

INSERT INTO k_null VALUES (1, NULL), (NULL, 'x'), (NULL, NULL), (1, 'x')
--> INSERT 0 4

INSERT INTO k_null VALUES (1, NULL)
--> ERROR 23505: duplicate key value violates unique constraint "k_null_a_b_key"
-->   detail: Key (a, b)=(1, null) already exists.
-->   table: k_null
-->   constraint: k_null_a_b_key

INSERT INTO k_null VALUES (NULL, NULL)
--> ERROR 23505: duplicate key value violates unique constraint "k_null_a_b_key"
-->   detail: Key (a, b)=(null, null) already exists.
-->   table: k_null
-->   constraint: k_null_a_b_key

INSERT INTO k_null VALUES (1, 'x')
--> ERROR 23505: duplicate key value violates unique constraint "k_null_a_b_key"
-->   detail: Key (a, b)=(1, x) already exists.
-->   table: k_null
-->   constraint: k_null_a_b_key

INSERT INTO k_null VALUES (2, NULL)
--> INSERT 0 1

CREATE UNIQUE INDEX k_null_b ON k_null (b) NULLS NOT DISTINCT
--> ERROR 23505: could not create unique index "k_null_b"
-->   detail: Key (b)=(null) is duplicated.
-->   table: k_null
-->   constraint: k_null_b

DELETE FROM k_null WHERE a IS NOT NULL
--> DELETE 3

CREATE UNIQUE INDEX k_null_b ON k_null (b) NULLS NOT DISTINCT WHERE a IS NULL
--> CREATE INDEX

INSERT INTO k_null VALUES (3, NULL), (4, NULL)
--> INSERT 0 2

SELECT pg_get_indexdef('k_null_b'::regclass, 0, true), pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = 'k_null_a_b_key'
--> pg_get_indexdef text | pg_get_constraintdef text
--> CREATE UNIQUE INDEX k_null_b ON k_null USING btree (b) NULLS NOT DISTINCT WHERE a IS NULL | UNIQUE NULLS NOT DISTINCT (a, b)
--> SELECT 1

ALTER TABLE k_null DROP CONSTRAINT k_null_a_b_key
--> ALTER TABLE

INSERT INTO k_null VALUES (3, NULL)
--> INSERT 0 1

DROP TABLE k_null
--> DROP TABLE

-- Access methods and operator classes.
CREATE TABLE k_i (a int, t text, v varchar(9), j jsonb, l int[], d timestamptz)
--> CREATE TABLE

CREATE INDEX k_i_h ON k_i USING hash (t)
--> CREATE INDEX

CREATE INDEX k_i_p ON k_i (t text_pattern_ops, v varchar_pattern_ops DESC, a)
--> CREATE INDEX

CREATE INDEX k_i_bad ON k_i USING gin (a)
--> ERROR 42704: data type integer has no default operator class for access method "gin"

CREATE INDEX k_i_bad ON k_i USING gist (t)
--> ERROR 42704: data type text has no default operator class for access method "gist"

CREATE INDEX k_i_bad ON k_i USING gin (t gin_trgm_ops)
--> ERROR 42704: operator class "gin_trgm_ops" does not exist for access method "gin"

CREATE INDEX k_i_bad ON k_i USING gin (t jsonb_path_ops)
--> ERROR 42804: operator class "jsonb_path_ops" does not accept data type text

CREATE INDEX k_i_bad ON k_i USING wrong (t)
--> ERROR 42704: access method "wrong" does not exist

CREATE UNIQUE INDEX k_i_bad ON k_i USING gin (l)
--> ERROR 0A000: access method "gin" does not support unique indexes

CREATE INDEX k_i_bad ON k_i USING hash (a, t)
--> ERROR 0A000: access method "hash" does not support multicolumn indexes

CREATE INDEX k_i_bad ON k_i USING brin (a DESC)
--> ERROR 0A000: access method "brin" does not support ASC/DESC options

SELECT pg_get_indexdef('k_i_h'::regclass, 0, true), pg_get_indexdef('k_i_p'::regclass, 0, true)
--> pg_get_indexdef text | pg_get_indexdef text
--> CREATE INDEX k_i_h ON k_i USING hash (t) | CREATE INDEX k_i_p ON k_i USING btree (t text_pattern_ops, v varchar_pattern_ops DESC, a)
--> SELECT 1

SELECT attname, attnum, format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = 'k_i_p'::regclass ORDER BY attnum
--> attname name | attnum int2 | format_type text
--> t | 1 | text
--> v | 2 | character varying(9)
--> a | 3 | integer
--> SELECT 3

CREATE INDEX k_i_x ON k_i (lower(t), (a + 1), lower(v)) INCLUDE (d)
--> CREATE INDEX

SELECT attname, attnum, format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = 'k_i_x'::regclass ORDER BY attnum
--> attname name | attnum int2 | format_type text
--> lower | 1 | text
--> expr | 2 | integer
--> lower1 | 3 | text
--> d | 4 | timestamp with time zone
--> SELECT 4

SELECT c.relname, am.amname, c.relnatts, (SELECT string_agg(o.opcname, ' ' ORDER BY k.n) FROM unnest(i.indclass) WITH ORDINALITY k(o, n) JOIN pg_opclass o ON o.oid = k.o) AS classes FROM pg_class c JOIN pg_index i ON i.indexrelid = c.oid JOIN pg_am am ON am.oid = c.relam WHERE i.indrelid = 'k_i'::regclass ORDER BY 1
--> relname name | amname name | relnatts int2 | classes text
--> k_i_h | hash | 1 | text_ops
--> k_i_p | btree | 3 | text_pattern_ops varchar_pattern_ops int4_ops
--> k_i_x | btree | 4 | text_ops int4_ops text_ops
--> SELECT 3

REINDEX TABLE k_i
--> REINDEX

REINDEX INDEX k_i_p
--> REINDEX

REINDEX TABLE k_nothing
--> ERROR 42P01: relation "k_nothing" does not exist

ALTER TABLE k_i ALTER COLUMN a SET (n_distinct = -0.5), ALTER COLUMN a SET STATISTICS 100
--> ALTER TABLE

ALTER TABLE ONLY k_i ALTER COLUMN t SET STORAGE EXTERNAL
--> ALTER TABLE

ALTER TABLE k_i ALTER a RESET (n_distinct)
--> ALTER TABLE

ALTER TABLE k_i ALTER nothing SET STATISTICS 100
--> ERROR 42703: column "nothing" of relation "k_i" does not exist

DROP TABLE k_i
--> DROP TABLE

-- LIKE stands where it is written.
CREATE TABLE k_like (b int, c text DEFAULT 'x')
--> CREATE TABLE

CREATE TABLE k_among (a int, LIKE k_like INCLUDING ALL, d int, LIKE k_nothing)
--> ERROR 42P01: relation "k_nothing" does not exist

CREATE TABLE k_among (a int, LIKE k_like INCLUDING ALL, d int)
--> CREATE TABLE

INSERT INTO k_among VALUES (1, 2, 'y', 3), (1) RETURNING *
--> ERROR 42601: VALUES lists must all be the same length

DROP TABLE k_among, k_like
--> DROP TABLE

-- Modifiers of array elements.
CREATE TABLE k_arr (v varchar(3)[], n numeric(4, 1)[], t timestamp(0)[])
--> CREATE TABLE

INSERT INTO k_arr VALUES ('{abc}', '{1.26}', '{2020-01-01 00:00:00.6}') RETURNING *
--> v varchar[] | n numeric[] | t 1115
--> {abc} | {1.3} | {"2020-01-01 00:00:01"}
--> INSERT 0 1

INSERT INTO k_arr (v) VALUES ('{abcd}')
--> ERROR 22001: value too long for type character varying(3)

INSERT INTO k_arr (v) VALUES (ARRAY['abcd'])
--> ERROR 22001: value too long for type character varying(3)

INSERT INTO k_arr (n) VALUES ('{12345}')
--> ERROR 22003: numeric field overflow
-->   detail: A field with precision 4, scale 1 must round to an absolute value less than 10^3.

SELECT '{abcd}'::varchar(2)[], ARRAY[1.25]::numeric(3,1)[]
--> varchar varchar[] | array numeric[]
--> {ab} | {1.3}
--> SELECT 1

ALTER TABLE k_arr ALTER COLUMN v TYPE varchar(2)[]
--> ERROR 22001: value too long for type character varying(2)

ALTER TABLE k_arr ALTER COLUMN v TYPE varchar(2)[] USING v::varchar(2)[], ALTER COLUMN n TYPE numeric(3,0)[], ALTER COLUMN t TYPE timestamp[]
--> ALTER TABLE

SELECT * FROM k_arr
--> v varchar[] | n numeric[] | t 1115
--> {ab} | {1} | {"2020-01-01 00:00:01"}
--> SELECT 1

DROP TABLE k_arr
--> DROP TABLE

-- What there is none of.
DROP FUNCTION IF EXISTS k_f(int, text)
--> NOTICE: function k_f(pg_catalog.int4,text) does not exist, skipping
--> DROP FUNCTION

DROP FUNCTION IF EXISTS k_f
--> NOTICE: function k_f() does not exist, skipping
--> DROP FUNCTION

DROP FUNCTION k_f(int)
--> ERROR 42883: function k_f(integer) does not exist

DROP FUNCTION k_f
--> ERROR 42883: could not find a function named "k_f"

DROP TRIGGER IF EXISTS k_t ON k_nothing
--> NOTICE: relation "k_nothing" does not exist, skipping
--> DROP TRIGGER

CREATE TABLE k_some (a int)
--> CREATE TABLE

DROP TRIGGER IF EXISTS k_t ON k_some
--> NOTICE: trigger "k_t" for relation "k_some" does not exist, skipping
--> DROP TRIGGER

DROP TRIGGER k_t ON k_some
--> ERROR 42704: trigger "k_t" for table "k_some" does not exist

DROP TRIGGER k_t ON k_nothing
--> ERROR 42P01: relation "k_nothing" does not exist

DROP AGGREGATE IF EXISTS k_g(int), k_h(text)
--> NOTICE: aggregate k_g(pg_catalog.int4) does not exist, skipping
--> NOTICE: aggregate k_h(text) does not exist, skipping
--> DROP AGGREGATE

DROP PROCEDURE IF EXISTS k_p()
--> NOTICE: procedure k_p() does not exist, skipping
--> DROP PROCEDURE

DROP DOMAIN IF EXISTS k_d
--> NOTICE: type "k_d" does not exist, skipping
--> DROP DOMAIN

DROP DOMAIN k_d
--> ERROR 42704: type "k_d" does not exist

DROP POLICY IF EXISTS k_q ON k_some
--> NOTICE: policy "k_q" for relation "k_some" does not exist, skipping
--> DROP POLICY

DROP RULE IF EXISTS k_r ON k_some
--> NOTICE: rule "k_r" for relation "k_some" does not exist, skipping
--> DROP RULE

DROP PUBLICATION IF EXISTS k_q
--> NOTICE: publication "k_q" does not exist, skipping
--> DROP PUBLICATION

DROP TABLE k_some
--> DROP TABLE

-- Unlogged tables are like others.
CREATE UNLOGGED TABLE k_un (a int PRIMARY KEY)
--> CREATE TABLE

INSERT INTO k_un VALUES (1) RETURNING a
--> a int4
--> 1
--> INSERT 0 1

ALTER TABLE k_un SET LOGGED
--> ALTER TABLE

ALTER TABLE k_un SET UNLOGGED
--> ALTER TABLE

DROP TABLE k_un
--> DROP TABLE
