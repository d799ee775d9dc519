-- Temporary tables, views and sequences: what their session sees.
CREATE TABLE tp_base (id int PRIMARY KEY, v text)
--> CREATE TABLE

INSERT INTO tp_base VALUES (1, 'one'), (2, 'two'), (3, 'three')
--> INSERT 0 3

CREATE TEMP TABLE tp_a (id serial PRIMARY KEY, v text NOT NULL DEFAULT 'x', n int CHECK (n > 0), UNIQUE (v))
--> CREATE TABLE

INSERT INTO tp_a (v, n) VALUES ('one', 1), ('two', 2) RETURNING id, v, n
--> id int4 | v text | n int4
--> 1 | one | 1
--> 2 | two | 2
--> INSERT 0 2

INSERT INTO tp_a (id, v, n) VALUES (9, 'one', 3)
--> ERROR 23505: duplicate key value violates unique constraint "tp_a_v_key"
-->   detail: Key (v)=(one) already exists.
-->   table: tp_a
-->   constraint: tp_a_v_key

INSERT INTO tp_a (id, v, n) VALUES (9, 'three', -1)
--> ERROR 23514: new row for relation "tp_a" violates check constraint "tp_a_n_check"
-->   detail: Failing row contains (9, three, -1).
-->   table: tp_a
-->   constraint: tp_a_n_check

SELECT a.id, b.id AS base, a.v FROM tp_a a JOIN tp_base b USING (v) ORDER BY a.id
--> id int4 | base int4 | v text
--> 1 | 1 | one
--> 2 | 2 | two
--> SELECT 2

INSERT INTO tp_base SELECT id + 10, v FROM tp_a
--> INSERT 0 2

INSERT INTO tp_a (v) SELECT v || '!' FROM tp_base WHERE id > 10 ORDER BY id
--> INSERT 0 2

UPDATE tp_base b SET v = a.v || '?' FROM tp_a a WHERE a.id = b.id - 10
--> UPDATE 2

DELETE FROM tp_base b USING tp_a a WHERE b.v = a.v RETURNING b.id, b.v
--> id int4 | v text
--> 1 | one
--> 2 | two
--> DELETE 2

SELECT * FROM tp_base ORDER BY id
--> id int4 | v text
--> 3 | three
--> 11 | one?
--> 12 | two?
--> SELECT 3

SELECT * FROM pg_temp.tp_a ORDER BY id
--> id int4 | v text | n int4
--> 1 | one | 1
--> 2 | two | 2
--> 3 | one! | ∅
--> 4 | two! | ∅
--> SELECT 4

SELECT relpersistence, relkind FROM pg_class WHERE relname = 'tp_a'
--> relpersistence char1 | relkind char1
--> t | r
--> SELECT 1

SELECT nspname LIKE 'pg_temp_%' FROM pg_namespace n JOIN pg_class c ON c.relnamespace = n.oid WHERE relname = 'tp_a'
--> ?column? bool
--> t
--> SELECT 1

SELECT relnamespace = pg_my_temp_schema(), pg_is_other_temp_schema(relnamespace), pg_table_is_visible(oid) FROM pg_class WHERE relname = 'tp_a'
--> ?column? bool | pg_is_other_temp_schema bool | pg_table_is_visible bool
--> t | f | t
--> SELECT 1

SELECT table_type FROM information_schema.tables WHERE table_name = 'tp_a'
--> table_type varchar
--> LOCAL TEMPORARY
--> SELECT 1

SELECT 'tp_a'::regclass, 'pg_temp.tp_a'::regclass = 'tp_a'::regclass
--> regclass regclass | ?column? bool
--> tp_a | t
--> SELECT 1

SELECT (current_schemas(true))[1] LIKE 'pg_temp_%', (current_schemas(true))[2], current_schema() LIKE 'pg_temp%'
--> ?column? bool | current_schemas name | ?column? bool
--> t | pg_catalog | f
--> SELECT 1

CREATE INDEX ON tp_a (n)
--> CREATE INDEX

CREATE UNIQUE INDEX tp_a_low ON tp_a (lower(v))
--> CREATE INDEX

SELECT indexname FROM pg_indexes WHERE tablename = 'tp_a' ORDER BY 1
--> indexname name
--> tp_a_low
--> tp_a_n_idx
--> tp_a_pkey
--> tp_a_v_key
--> SELECT 4

ALTER TABLE tp_a ADD COLUMN extra boolean DEFAULT true
--> ALTER TABLE

ALTER TABLE tp_a RENAME COLUMN n TO amount
--> ALTER TABLE

ALTER TABLE tp_a ALTER COLUMN amount TYPE bigint
--> ALTER TABLE

SELECT * FROM tp_a ORDER BY id
--> id int4 | v text | amount int8 | extra bool
--> 1 | one | 1 | t
--> 2 | two | 2 | t
--> 3 | one! | ∅ | t
--> 4 | two! | ∅ | t
--> SELECT 4

-- It hides an ordinary one of its name.
CREATE TABLE tp_hidden (a int)
--> CREATE TABLE

INSERT INTO tp_hidden VALUES (1)
--> INSERT 0 1

CREATE TEMPORARY TABLE tp_hidden (b text)
--> CREATE TABLE

SELECT * FROM tp_hidden
--> b text
--> SELECT 0

INSERT INTO tp_hidden VALUES ('temp')
--> INSERT 0 1

SELECT h.b, count(*) FROM tp_hidden h GROUP BY b
--> b text | count int8
--> temp | 1
--> SELECT 1

DROP TABLE tp_hidden
--> DROP TABLE

SELECT * FROM tp_hidden
--> a int4
--> 1
--> SELECT 1

DROP TABLE tp_hidden
--> DROP TABLE

CREATE TEMP TABLE public.tp_wrong (a int)
--> ERROR 42P16: cannot create temporary relation in non-temporary schema

CREATE TABLE tp_wrong (a int) ON COMMIT DROP
--> ERROR 42P16: ON COMMIT can only be used on temporary tables

CREATE TEMP TABLE tp_child (a int REFERENCES tp_base)
--> ERROR 42P16: constraints on temporary tables may reference only temporary tables

CREATE TABLE tp_child (a int REFERENCES tp_a)
--> ERROR 42P16: constraints on permanent tables may reference only permanent tables

CREATE TEMP TABLE tp_child (a int REFERENCES tp_a ON DELETE CASCADE)
--> CREATE TABLE

INSERT INTO tp_child VALUES (1), (99)
--> ERROR 23503: insert or update on table "tp_child" violates foreign key constraint "tp_child_a_fkey"
-->   detail: Key (a)=(99) is not present in table "tp_a".
-->   table: tp_child
-->   constraint: tp_child_a_fkey

INSERT INTO tp_child VALUES (1)
--> INSERT 0 1

DELETE FROM tp_a WHERE id = 1
--> DELETE 1

SELECT count(*) FROM tp_child
--> count int8
--> 0
--> SELECT 1

CREATE TABLE pg_temp.tp_schema (a int)
--> CREATE TABLE

SELECT relpersistence FROM pg_class WHERE relname = 'tp_schema'
--> relpersistence char1
--> t
--> SELECT 1

CREATE TEMP TABLE IF NOT EXISTS tp_schema (a int)
--> NOTICE: relation "tp_schema" already exists, skipping
--> CREATE TABLE

CREATE TEMP TABLE tp_schema (a int)
--> ERROR 42P07: relation "tp_schema" already exists

DROP TABLE pg_temp.tp_schema
--> DROP TABLE

CREATE TEMP TABLE tp_as AS SELECT id, upper(v) AS u FROM tp_base
--> SELECT 3

SELECT * FROM tp_as ORDER BY id
--> id int4 | u text
--> 3 | THREE
--> 11 | ONE?
--> 12 | TWO?
--> SELECT 3

CREATE TEMP TABLE tp_empty (x, y) AS SELECT id, v FROM tp_base WITH NO DATA
--> CREATE TABLE AS

SELECT * FROM tp_empty
--> x int4 | y text
--> SELECT 0

SELECT id, v INTO TEMP tp_into FROM tp_base WHERE id < 3
--> SELECT 0

SELECT * INTO TEMPORARY TABLE tp_into2 FROM tp_base ORDER BY id LIMIT 1
--> SELECT 1

SELECT id INTO tp_into3 FROM tp_base UNION ALL SELECT 77
--> SELECT 4

SELECT (SELECT count(*) FROM tp_into), (SELECT count(*) FROM tp_into2), (SELECT count(*) FROM tp_into3)
--> count int8 | count int8 | count int8
--> 0 | 1 | 4
--> SELECT 1

SELECT relname, relpersistence FROM pg_class WHERE relname LIKE 'tp_into%' ORDER BY 1
--> relname name | relpersistence char1
--> tp_into | t
--> tp_into2 | t
--> tp_into3 | p
--> SELECT 3

COPY tp_into FROM STDIN
--< 8	eight
--< 9	nine
--> COPY 2

COPY tp_into TO STDOUT
--> 8	eight
--> 9	nine
--> COPY 2

TRUNCATE tp_into
--> TRUNCATE TABLE

SELECT count(*) FROM tp_into
--> count int8
--> 0
--> SELECT 1

-- Views and sequences.
CREATE TEMP VIEW tp_view AS SELECT v FROM tp_base
--> CREATE VIEW

CREATE VIEW tp_view2 AS SELECT id, v FROM tp_a
--> NOTICE: view "tp_view2" will be a temporary view
--> CREATE VIEW

SELECT relname, relpersistence FROM pg_class WHERE relname IN ('tp_view', 'tp_view2') ORDER BY 1
--> relname name | relpersistence char1
--> tp_view | t
--> tp_view2 | t
--> SELECT 2

SELECT * FROM tp_view ORDER BY 1
--> v text
--> one?
--> three
--> two?
--> SELECT 3

SELECT * FROM tp_view2 ORDER BY 1
--> id int4 | v text
--> 2 | two
--> 3 | one!
--> 4 | two!
--> SELECT 3

DROP TABLE tp_a
--> ERROR 2BP01: cannot drop table tp_a because other objects depend on it
-->   detail: constraint tp_child_a_fkey on table tp_child depends on table tp_a
--> view tp_view2 depends on table tp_a

DROP TABLE tp_a CASCADE
--> NOTICE: drop cascades to 2 other objects
--> DROP TABLE

CREATE TEMP SEQUENCE tp_seq START 5
--> CREATE SEQUENCE

SELECT nextval('tp_seq'), nextval('pg_temp.tp_seq'), currval('tp_seq')
--> nextval int8 | nextval int8 | currval int8
--> 5 | 6 | 6
--> SELECT 1

CREATE TEMP TABLE tp_like (LIKE tp_base INCLUDING ALL)
--> CREATE TABLE

INSERT INTO tp_like VALUES (1, 'a') ON CONFLICT (id) DO NOTHING
--> INSERT 0 1

INSERT INTO tp_like VALUES (1, 'a') ON CONFLICT (id) DO UPDATE SET v = 'b' RETURNING *
--> id int4 | v text
--> 1 | b
--> INSERT 0 1

BEGIN
--> BEGIN

SET LOCAL search_path = information_schema, pg_temp
--> SET

SELECT current_schema(), current_schemas(false)::text LIKE '{information_schema,pg_temp_%}', (current_schemas(true))[1]
--> current_schema name | ?column? bool | current_schemas name
--> information_schema | t | pg_catalog
--> SELECT 1

SELECT count(*) FROM tp_as
--> count int8
--> 3
--> SELECT 1

ROLLBACK
--> ROLLBACK

-- Blocks and savepoints.
BEGIN
--> BEGIN

CREATE TEMP TABLE tp_block (a int) ON COMMIT DROP
--> CREATE TABLE

INSERT INTO tp_block VALUES (1), (2)
--> INSERT 0 2

SAVEPOINT s
--> SAVEPOINT

CREATE TEMP TABLE tp_inner (b int) ON COMMIT DELETE ROWS
--> CREATE TABLE

INSERT INTO tp_inner SELECT a * 10 FROM tp_block
--> INSERT 0 2

ROLLBACK TO s
--> ROLLBACK

SELECT count(*) FROM tp_inner
--> ERROR 42P01: relation "tp_inner" does not exist

ROLLBACK TO s
--> ROLLBACK

UPDATE tp_base SET v = 'changed' WHERE id IN (SELECT a FROM tp_block)
--> UPDATE 0

SELECT sum(a) FROM tp_block
--> sum int8
--> 3
--> SELECT 1

COMMIT
--> COMMIT

SELECT * FROM tp_block
--> ERROR 42P01: relation "tp_block" does not exist

SELECT id, v FROM tp_base WHERE id < 3 ORDER BY id
--> id int4 | v text
--> SELECT 0

CREATE TEMP TABLE tp_rows (a int) ON COMMIT DELETE ROWS
--> CREATE TABLE

INSERT INTO tp_rows VALUES (1)
--> INSERT 0 1

SELECT count(*) FROM tp_rows
--> count int8
--> 0
--> SELECT 1

BEGIN
--> BEGIN

INSERT INTO tp_rows VALUES (1), (2)
--> INSERT 0 2

SELECT count(*) FROM tp_rows
--> count int8
--> 2
--> SELECT 1

COMMIT
--> COMMIT

SELECT count(*) FROM tp_rows
--> count int8
--> 0
--> SELECT 1

BEGIN
--> BEGIN

CREATE TEMP TABLE tp_gone (a int)
--> CREATE TABLE

ROLLBACK
--> ROLLBACK

SELECT * FROM tp_gone
--> ERROR 42P01: relation "tp_gone" does not exist

CREATE TEMP TABLE tp_now (a int) ON COMMIT DROP
--> CREATE TABLE

SELECT * FROM tp_now
--> ERROR 42P01: relation "tp_now" does not exist

CREATE TEMP TABLE tp_keep (a int) ON COMMIT PRESERVE ROWS
--> CREATE TABLE

INSERT INTO tp_keep VALUES (1); SELECT a FROM tp_keep; CREATE TEMP TABLE tp_short (a int) ON COMMIT DROP; INSERT INTO tp_short SELECT a FROM tp_keep; SELECT * FROM tp_short
--> INSERT 0 1
--> a int4
--> 1
--> SELECT 1
--> CREATE TABLE
--> INSERT 0 1
--> a int4
--> 1
--> SELECT 1

SELECT to_regclass('tp_short'), to_regclass('tp_keep')
--> to_regclass regclass | to_regclass regclass
--> ∅ | tp_keep
--> SELECT 1

CREATE UNLOGGED TABLE tp_unlogged (a int)
--> CREATE TABLE

INSERT INTO tp_unlogged VALUES (1) RETURNING a
--> a int4
--> 1
--> INSERT 0 1

DISCARD TEMP
--> DISCARD TEMP

SELECT * FROM tp_keep
--> ERROR 42P01: relation "tp_keep" does not exist

SELECT count(*) FROM pg_class WHERE relnamespace = pg_my_temp_schema()
--> count int8
--> 0
--> SELECT 1

CREATE TEMP TABLE tp_last (a int)
--> CREATE TABLE

DISCARD ALL
--> DISCARD ALL

SELECT * FROM tp_last
--> ERROR 42P01: relation "tp_last" does not exist

BEGIN
--> BEGIN

CREATE TEMP TABLE named_and_dropped (col) ON COMMIT DROP AS SELECT 1
--> SELECT 1

SELECT * FROM named_and_dropped
--> col int4
--> 1
--> SELECT 1

COMMIT
--> COMMIT

SELECT * FROM named_and_dropped
--> ERROR 42P01: relation "named_and_dropped" does not exist

CREATE TABLE not_temporary (col) ON COMMIT DELETE ROWS AS SELECT 1
--> ERROR 42P16: ON COMMIT can only be used on temporary tables
