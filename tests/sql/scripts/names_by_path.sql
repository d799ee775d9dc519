-- Expressions name what the search path leads to by its name alone, and the rest with its schema.

SET search_path = public
--> SET

CREATE SCHEMA np_app
--> CREATE SCHEMA

CREATE TYPE np_app.kind AS ENUM ('x', 'y')
--> CREATE TYPE

CREATE TYPE np_mood AS ENUM ('a', 'b')
--> CREATE TYPE

CREATE SEQUENCE np_app.sq
--> CREATE SEQUENCE

CREATE TABLE np_app.t (id serial, k np_app.kind DEFAULT 'x', m np_mood DEFAULT 'a', n int DEFAULT nextval('np_app.sq'), CONSTRAINT np_k CHECK (k <> 'y'::np_app.kind OR m = 'b'::np_mood))
--> CREATE TABLE

CREATE INDEX np_i ON np_app.t ((CASE WHEN k = 'x' THEN 1 ELSE 2 END)) WHERE k = 'x'
--> CREATE INDEX

SELECT pg_get_expr(adbin, adrelid) FROM pg_attrdef WHERE adrelid = 'np_app.t'::regclass ORDER BY adnum
--> pg_get_expr text
--> nextval('np_app.t_id_seq'::regclass)
--> 'x'::np_app.kind
--> 'a'::np_mood
--> nextval('np_app.sq'::regclass)
--> SELECT 4

SELECT pg_get_constraintdef(oid), pg_get_constraintdef(oid, true) FROM pg_constraint WHERE conname = 'np_k'
--> pg_get_constraintdef text | pg_get_constraintdef text
--> CHECK (((k <> 'y'::np_app.kind) OR (m = 'b'::np_mood))) | CHECK (k <> 'y'::np_app.kind OR m = 'b'::np_mood)
--> SELECT 1

SELECT pg_get_indexdef('np_app.np_i'::regclass), pg_get_indexdef('np_app.np_i'::regclass, 1, true)
--> pg_get_indexdef text | pg_get_indexdef text
--> CREATE INDEX np_i ON np_app.t USING btree ((
--> CASE
-->     WHEN (k = 'x'::np_app.kind) THEN 1
-->     ELSE 2
--> END)) WHERE (k = 'x'::np_app.kind) | (
--> CASE
-->     WHEN k = 'x'::np_app.kind THEN 1
-->     ELSE 2
--> END)
--> SELECT 1

SELECT pg_get_expr(indpred, indrelid) FROM pg_index WHERE indexrelid = 'np_app.np_i'::regclass
--> pg_get_expr text
--> (k = 'x'::np_app.kind)
--> SELECT 1

SET search_path = np_app
--> SET

SELECT pg_get_expr(adbin, adrelid) FROM pg_attrdef WHERE adrelid = 'np_app.t'::regclass ORDER BY adnum
--> pg_get_expr text
--> nextval('t_id_seq'::regclass)
--> 'x'::kind
--> 'a'::public.np_mood
--> nextval('sq'::regclass)
--> SELECT 4

SELECT pg_get_constraintdef(oid), pg_get_constraintdef(oid, true) FROM pg_constraint WHERE conname = 'np_k'
--> pg_get_constraintdef text | pg_get_constraintdef text
--> CHECK (((k <> 'y'::kind) OR (m = 'b'::public.np_mood))) | CHECK (k <> 'y'::kind OR m = 'b'::public.np_mood)
--> SELECT 1

SELECT pg_get_indexdef('np_app.np_i'::regclass), pg_get_indexdef('np_app.np_i'::regclass, 1, true)
--> pg_get_indexdef text | pg_get_indexdef text
--> CREATE INDEX np_i ON np_app.t USING btree ((
--> CASE
-->     WHEN (k = 'x'::kind) THEN 1
-->     ELSE 2
--> END)) WHERE (k = 'x'::kind) | (
--> CASE
-->     WHEN k = 'x'::kind THEN 1
-->     ELSE 2
--> END)
--> SELECT 1

SELECT column_default FROM information_schema.columns WHERE table_name = 't' AND table_schema = 'np_app' ORDER BY ordinal_position
--> column_default varchar
--> nextval('t_id_seq'::regclass)
--> 'x'::kind
--> 'a'::public.np_mood
--> nextval('sq'::regclass)
--> SELECT 4

SET search_path = np_app, public
--> SET

SELECT pg_get_expr(adbin, adrelid) FROM pg_attrdef WHERE adrelid = 'np_app.t'::regclass ORDER BY adnum
--> pg_get_expr text
--> nextval('t_id_seq'::regclass)
--> 'x'::kind
--> 'a'::np_mood
--> nextval('sq'::regclass)
--> SELECT 4

SELECT pg_get_constraintdef(oid), pg_get_constraintdef(oid, true) FROM pg_constraint WHERE conname = 'np_k'
--> pg_get_constraintdef text | pg_get_constraintdef text
--> CHECK (((k <> 'y'::kind) OR (m = 'b'::np_mood))) | CHECK (k <> 'y'::kind OR m = 'b'::np_mood)
--> SELECT 1

SET search_path = ''
--> SET

SELECT pg_get_expr(adbin, adrelid) FROM pg_attrdef WHERE adrelid = 'np_app.t'::regclass ORDER BY adnum
--> pg_get_expr text
--> nextval('np_app.t_id_seq'::regclass)
--> 'x'::np_app.kind
--> 'a'::public.np_mood
--> nextval('np_app.sq'::regclass)
--> SELECT 4

SELECT pg_get_constraintdef(oid), pg_get_constraintdef(oid, true) FROM pg_constraint WHERE conname = 'np_k'
--> pg_get_constraintdef text | pg_get_constraintdef text
--> CHECK (((k <> 'y'::np_app.kind) OR (m = 'b'::public.np_mood))) | CHECK (k <> 'y'::np_app.kind OR m = 'b'::public.np_mood)
--> SELECT 1

SELECT pg_get_indexdef('np_app.np_i'::regclass), pg_get_indexdef('np_app.np_i'::regclass, 1, true)
--> pg_get_indexdef text | pg_get_indexdef text
--> CREATE INDEX np_i ON np_app.t USING btree ((
--> CASE
-->     WHEN (k = 'x'::np_app.kind) THEN 1
-->     ELSE 2
--> END)) WHERE (k = 'x'::np_app.kind) | (
--> CASE
-->     WHEN k = 'x'::np_app.kind THEN 1
-->     ELSE 2
--> END)
--> SELECT 1

SET search_path = public
--> SET

ALTER TABLE np_app.t ALTER k SET DEFAULT 'y'
--> ALTER TABLE

INSERT INTO np_app.t (m) VALUES ('b') RETURNING *
--> id int4 | k user | m user | n int4
--> 1 | y | b | 1
--> INSERT 0 1

DROP SCHEMA np_app CASCADE
--> NOTICE: drop cascades to 3 other objects
--> DROP SCHEMA

DROP TYPE np_mood
--> DROP TYPE
