-- Schemas with what is in them from the start.

CREATE SCHEMA made_whole CREATE TABLE t1 (a int PRIMARY KEY) CREATE VIEW v1 AS SELECT * FROM t2 CREATE INDEX ON t1 (a) CREATE TABLE t2 (b int REFERENCES t1, c text DEFAULT 'x', d int DEFAULT nextval('q9')) CREATE SEQUENCE q9 START 5 GRANT SELECT ON t1, v1 TO public
--> CREATE SCHEMA

SELECT c.relname, c.relkind FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'made_whole' ORDER BY 1
--> relname name | relkind char1
--> q9 | S
--> t1 | r
--> t1_a_idx | i
--> t1_pkey | i
--> t2 | r
--> v1 | v
--> SELECT 6

INSERT INTO made_whole.t2 VALUES (5, 'y', 0)
--> ERROR 23503: insert or update on table "t2" violates foreign key constraint "t2_b_fkey"
-->   detail: Key (b)=(5) is not present in table "t1".
-->   table: t2
-->   constraint: t2_b_fkey

INSERT INTO made_whole.t1 VALUES (5)
--> INSERT 0 1

INSERT INTO made_whole.t2 VALUES (5) RETURNING *
--> b int4 | c text | d int4
--> 5 | x | 5
--> INSERT 0 1

SELECT * FROM made_whole.v1
--> b int4 | c text | d int4
--> 5 | x | 5
--> SELECT 1

SELECT has_table_privilege('public', 'made_whole.t1', 'select'), has_table_privilege('public', 'made_whole.t2', 'select')
--> has_table_privilege bool | has_table_privilege bool
--> t | f
--> SELECT 1

CREATE SCHEMA made_whole CREATE TABLE t3 (a int)
--> ERROR 42P06: schema "made_whole" already exists

DROP TABLE made_whole.t2 CASCADE
--> NOTICE: drop cascades to view made_whole.v1
--> DROP TABLE

DROP SCHEMA made_whole CASCADE
--> NOTICE: drop cascades to 2 other objects
--> DROP SCHEMA

CREATE SCHEMA made_other CREATE TABLE elsewhere.t (a int)
--> ERROR 42P15: CREATE specifies a schema (elsewhere) different from the one being created (made_other)

CREATE SCHEMA made_other CREATE INDEX ON elsewhere.t (a)
--> ERROR 42P15: CREATE specifies a schema (elsewhere) different from the one being created (made_other)

CREATE SCHEMA IF NOT EXISTS made_other CREATE TABLE t (a int)
--> ERROR 0A000: CREATE SCHEMA IF NOT EXISTS cannot include schema elements

CREATE SCHEMA made_other CREATE TABLE t (a int) SELECT 1
--> ERROR 42601: syntax error at or near "SELECT"

CREATE SCHEMA made_other CREATE TEMP VIEW v AS SELECT 1
--> ERROR 42P16: cannot create temporary relation in non-temporary schema

CREATE SCHEMA made_other CREATE TABLE t (a int) CREATE VIEW v AS SELECT b FROM t
--> ERROR 42703: column "b" does not exist

CREATE SCHEMA made_other GRANT SELECT ON t TO public CREATE TABLE made_other.t (a int)
--> CREATE SCHEMA

DROP SCHEMA made_other CASCADE
--> NOTICE: drop cascades to table made_other.t
--> DROP SCHEMA
