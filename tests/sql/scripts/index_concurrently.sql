CREATE TABLE ic (id int PRIMARY KEY, a text, b numeric)
--> CREATE TABLE

INSERT INTO ic SELECT g, CASE WHEN g % 5 = 0 THEN NULL ELSE 'v' || g % 37 END, g / 7.0 FROM generate_series(1, 300) g
--> INSERT 0 300

CREATE INDEX CONCURRENTLY ic_a ON ic (a)
--> CREATE INDEX

CREATE INDEX CONCURRENTLY ON ic (b DESC NULLS LAST, id)
--> CREATE INDEX

CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS ic_lower ON ic (lower(a), id) WHERE a IS NOT NULL OR b > 3
--> CREATE INDEX

CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS ic_lower ON ic (a)
--> NOTICE: relation "ic_lower" already exists, skipping
--> CREATE INDEX

SELECT c.relname, i.indisvalid, i.indisready, i.indisunique FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE i.indrelid = 'ic'::regclass ORDER BY 1
--> relname name | indisvalid bool | indisready bool | indisunique bool
--> ic_a | t | t | f
--> ic_b_id_idx | t | t | f
--> ic_lower | t | t | t
--> ic_pkey | t | t | t
--> SELECT 4

SELECT count(*), min(id) FROM ic WHERE a = 'v3'
--> count int8 | min int4
--> 7 | 3
--> SELECT 1

SELECT id FROM ic WHERE lower(a) = 'v3' ORDER BY id LIMIT 3
--> id int4
--> 3
--> 77
--> 114
--> SELECT 3

INSERT INTO ic VALUES (1, 'v1', 0)
--> ERROR 23505: duplicate key value violates unique constraint "ic_pkey"
-->   detail: Key (id)=(1) already exists.
-->   table: ic
-->   constraint: ic_pkey

-- What is there twice leaves an index behind that is not valid.
CREATE UNIQUE INDEX CONCURRENTLY ic_twice ON ic (a) WHERE a = 'v3'
--> ERROR 23505: could not create unique index "ic_twice"
-->   detail: Key (a)=(v3) is duplicated.
-->   table: ic
-->   constraint: ic_twice

SELECT indisvalid, indisunique FROM pg_index WHERE indexrelid = 'ic_twice'::regclass
--> indisvalid bool | indisunique bool
--> f | t
--> SELECT 1

-- Nothing relies on it.
INSERT INTO ic VALUES (1000, 'x', 0) ON CONFLICT (a) WHERE a = 'v3' DO NOTHING
--> ERROR 42P10: there is no unique or exclusion constraint matching the ON CONFLICT specification

DROP INDEX CONCURRENTLY ic_twice
--> DROP INDEX

DROP INDEX CONCURRENTLY ic_twice
--> ERROR 42704: index "ic_twice" does not exist

DROP INDEX CONCURRENTLY IF EXISTS ic_twice
--> NOTICE: index "ic_twice" does not exist, skipping
--> DROP INDEX

DROP INDEX CONCURRENTLY ic_a, ic_lower
--> ERROR 0A000: DROP INDEX CONCURRENTLY does not support dropping multiple objects

DROP INDEX CONCURRENTLY ic_a CASCADE
--> ERROR 0A000: DROP INDEX CONCURRENTLY does not support CASCADE

-- They end transactions of their own.
BEGIN
--> BEGIN

CREATE INDEX CONCURRENTLY ic_x ON ic (a)
--> ERROR 25001: CREATE INDEX CONCURRENTLY cannot run inside a transaction block

ROLLBACK
--> ROLLBACK

BEGIN
--> BEGIN

DROP INDEX CONCURRENTLY ic_a
--> ERROR 25001: DROP INDEX CONCURRENTLY cannot run inside a transaction block

ROLLBACK
--> ROLLBACK

CREATE INDEX CONCURRENTLY ic_x ON ic (a); SELECT 1
--> ERROR 25001: CREATE INDEX CONCURRENTLY cannot run inside a transaction block

DO $$ BEGIN CREATE INDEX CONCURRENTLY ic_x ON ic (a); END $$
--> ERROR 25001: CREATE INDEX CONCURRENTLY cannot be executed from a function

CREATE INDEX CONCURRENTLY ic_x ON nowhere (a)
--> ERROR 42P01: relation "nowhere" does not exist

CREATE INDEX CONCURRENTLY ic_x ON ic (nothing)
--> ERROR 42703: column "nothing" does not exist

CREATE INDEX CONCURRENTLY ic_a ON ic (b)
--> ERROR 42P07: relation "ic_a" already exists

-- An empty table.
CREATE TABLE ic_empty (a int)
--> CREATE TABLE

CREATE UNIQUE INDEX CONCURRENTLY ic_empty_a ON ic_empty (a)
--> CREATE INDEX

INSERT INTO ic_empty VALUES (1), (1)
--> ERROR 23505: duplicate key value violates unique constraint "ic_empty_a"
-->   detail: Key (a)=(1) already exists.
-->   table: ic_empty
-->   constraint: ic_empty_a

INSERT INTO ic_empty VALUES (1), (NULL), (NULL) ON CONFLICT (a) DO NOTHING
--> INSERT 0 3

ALTER TABLE ic_empty ADD CONSTRAINT ic_empty_key UNIQUE USING INDEX ic_empty_a
--> NOTICE: ALTER TABLE / ADD CONSTRAINT USING INDEX will rename index "ic_empty_a" to "ic_empty_key"
--> ALTER TABLE

CREATE TABLE ic_child (a int REFERENCES ic_empty (a))
--> CREATE TABLE

DROP INDEX CONCURRENTLY ic_empty_a
--> ERROR 42704: index "ic_empty_a" does not exist
