-- Enums: types of one's own whose values are compared in their declared order.
CREATE TYPE en_mood AS ENUM ('sad', 'ok', 'happy')
--> CREATE TYPE

CREATE TYPE en_mood AS ENUM ('x')
--> ERROR 42710: type "en_mood" already exists

CREATE TYPE en_none AS ENUM ()
--> CREATE TYPE

CREATE TABLE en_p (id int PRIMARY KEY, m en_mood NOT NULL DEFAULT 'ok', all_m en_mood[] DEFAULT '{sad}', CHECK (m <> 'happy' OR id > 1))
--> CREATE TABLE

CREATE TABLE en_mood (id int)
--> ERROR 42710: type "en_mood" already exists

INSERT INTO en_p VALUES (1, 'sad', ARRAY['ok', 'sad']::en_mood[]), (2, 'happy', '{happy,NULL}') RETURNING *
--> id int4 | m user | all_m user
--> 1 | sad | {ok,sad}
--> 2 | happy | {happy,NULL}
--> INSERT 0 2

INSERT INTO en_p (id) VALUES (3) RETURNING m, all_m
--> m user | all_m user
--> ok | {sad}
--> INSERT 0 1

INSERT INTO en_p (id, m) VALUES (4, 'glad')
--> ERROR 22P02: invalid input value for enum en_mood: "glad"

INSERT INTO en_p (id, m) VALUES (1, 'ok')
--> ERROR 23505: duplicate key value violates unique constraint "en_p_pkey"
-->   detail: Key (id)=(1) already exists.
-->   table: en_p
-->   constraint: en_p_pkey

INSERT INTO en_p (id, m) VALUES (-1, 'happy')
--> ERROR 23514: new row for relation "en_p" violates check constraint "en_p_check"
-->   detail: Failing row contains (-1, happy, {sad}).
-->   table: en_p
-->   constraint: en_p_check

INSERT INTO en_p (id, m) VALUES (5, 'ok'::text)
--> ERROR 42804: column "m" is of type en_mood but expression is of type text

INSERT INTO en_p (id, m) SELECT 5, 'sad'
--> INSERT 0 1

SELECT id, m FROM en_p ORDER BY m DESC, id
--> id int4 | m user
--> 2 | happy
--> 3 | ok
--> 1 | sad
--> 5 | sad
--> SELECT 4

SELECT min(m), max(m), count(DISTINCT m), array_agg(m ORDER BY m) FROM en_p
--> min user | max user | count int8 | array_agg user
--> sad | happy | 3 | {sad,sad,ok,happy}
--> SELECT 1

SELECT m, count(*) FROM en_p GROUP BY m ORDER BY m
--> m user | count int8
--> sad | 2
--> ok | 1
--> happy | 1
--> SELECT 3

SELECT DISTINCT m FROM en_p ORDER BY 1 DESC
--> m user
--> happy
--> ok
--> sad
--> SELECT 3

SELECT id FROM en_p WHERE m > 'sad' AND m <= 'happy' ORDER BY id
--> id int4
--> 2
--> 3
--> SELECT 2

SELECT id FROM en_p WHERE m IN ('sad', 'happy') ORDER BY id
--> id int4
--> 1
--> 2
--> 5
--> SELECT 3

SELECT id FROM en_p WHERE m = ANY('{ok,happy}') ORDER BY id
--> id int4
--> 2
--> 3
--> SELECT 2

SELECT id FROM en_p WHERE m = ANY(ARRAY['ok','happy']::en_mood[]) ORDER BY id
--> id int4
--> 2
--> 3
--> SELECT 2

SELECT id FROM en_p WHERE m::text LIKE '%a%' ORDER BY id
--> id int4
--> 1
--> 2
--> 5
--> SELECT 3

SELECT id, m || '!', upper(m::text), length(m::text) FROM en_p ORDER BY id
--> id int4 | ?column? text | upper text | length int4
--> 1 | sad! | SAD | 3
--> 2 | happy! | HAPPY | 5
--> 3 | ok! | OK | 2
--> 5 | sad! | SAD | 3
--> SELECT 4

SELECT m = 'nope' FROM en_p
--> ERROR 22P02: invalid input value for enum en_mood: "nope"

SELECT 'a'::en_mood
--> ERROR 22P02: invalid input value for enum en_mood: "a"

SELECT 'ok'::en_mood < 'happy', 'sad'::text::en_mood, 'happy'::varchar::en_mood::varchar(3)
--> ?column? bool | en_mood user | varchar varchar
--> t | sad | hap
--> SELECT 1

SELECT m::text::en_mood = m FROM en_p WHERE id = 1
--> ?column? bool
--> t
--> SELECT 1

SELECT (m || 'x')::en_mood FROM en_p WHERE id = 1
--> ERROR 22P02: invalid input value for enum en_mood: "sadx"

SELECT to_json(m), to_jsonb(all_m), json_build_object('m', m, 'n', all_m), concat(m, '-', all_m), format('%s %L', m, m), quote_literal(m) FROM en_p WHERE id = 2
--> to_json json | to_jsonb jsonb | json_build_object json | concat text | format text | quote_literal text
--> "happy" | ["happy", null] | {"m" : "happy", "n" : ["happy",null]} | happy-{happy,NULL} | happy 'happy' | 'happy'
--> SELECT 1

SELECT json_agg(m ORDER BY id), jsonb_object_agg(id, m) FROM en_p
--> json_agg json | jsonb_object_agg jsonb
--> ["sad", "happy", "ok", "sad"] | {"1": "sad", "2": "happy", "3": "ok", "5": "sad"}
--> SELECT 1

SELECT unnest(all_m) FROM en_p WHERE id = 1
--> unnest user
--> ok
--> sad
--> SELECT 2

SELECT all_m[1], all_m[2] IS NULL, array_length(all_m, 1), all_m || 'ok', array_append(all_m, 'sad'), all_m[1:1] FROM en_p WHERE id = 2
--> ERROR 22P02: malformed array literal: "ok"
-->   detail: Array value must start with "{" or dimension information.

SELECT id FROM en_p WHERE 'happy' = ANY(all_m) ORDER BY id
--> id int4
--> 2
--> SELECT 1

SELECT id FROM en_p WHERE all_m @> '{ok}' ORDER BY id
--> id int4
--> 1
--> SELECT 1

SELECT id, all_m FROM en_p ORDER BY all_m, id
--> id int4 | all_m user
--> 3 | {sad}
--> 5 | {sad}
--> 1 | {ok,sad}
--> 2 | {happy,NULL}
--> SELECT 4

SELECT array_position(all_m, 'sad'), array_to_string(all_m, ',', '*'), cardinality(all_m) FROM en_p WHERE id = 1
--> array_position int4 | array_to_string text | cardinality int4
--> 2 | ok,sad | 2
--> SELECT 1

SELECT array_to_string(all_m, ',', '*'), all_m::text[], all_m::text FROM en_p WHERE id = 2
--> array_to_string text | all_m text[] | all_m text
--> happy,* | {happy,NULL} | {happy,NULL}
--> SELECT 1

SELECT '{ok,sad}'::text[]::en_mood[], '{ok,sad}'::text::en_mood[]
--> en_mood user | en_mood user
--> {ok,sad} | {ok,sad}
--> SELECT 1

SELECT '{ok,glad}'::en_mood[]
--> ERROR 22P02: invalid input value for enum en_mood: "glad"

SELECT '{ok,glad}'::text[]::en_mood[]
--> ERROR 22P02: invalid input value for enum en_mood: "glad"

SELECT enum_first(NULL::en_mood), enum_last('sad'::en_mood), enum_range(NULL::en_mood), enum_range('ok', NULL::en_mood), enum_range(NULL, 'ok'::en_mood)
--> enum_first user | enum_last user | enum_range user | enum_range user | enum_range user
--> sad | happy | {sad,ok,happy} | {ok,happy} | {sad,ok}
--> SELECT 1

SELECT pg_typeof(m), pg_typeof(all_m), pg_typeof('x'::en_mood IS NULL) FROM en_p WHERE id = 1
--> ERROR 22P02: invalid input value for enum en_mood: "x"

SELECT CASE WHEN id = 1 THEN m ELSE 'ok' END, coalesce(NULL, m), nullif(m, 'sad'), greatest(m, 'ok'), least(m, 'ok') FROM en_p ORDER BY id
--> case user | coalesce user | nullif user | greatest user | least user
--> sad | sad | ∅ | ok | sad
--> ok | happy | happy | happy | ok
--> ok | ok | ok | ok | ok
--> ok | sad | ∅ | ok | sad
--> SELECT 4

SELECT m FROM en_p UNION SELECT 'sad' ORDER BY 1
--> m user
--> sad
--> ok
--> happy
--> SELECT 3

SELECT m FROM en_p UNION ALL SELECT 'x'::text
--> ERROR 42804: UNION types en_mood and text cannot be matched

WITH w AS (SELECT m, id FROM en_p) SELECT w.m, (SELECT max(x.m) FROM w x WHERE x.id < w.id) FROM w ORDER BY w.id
--> m user | max user
--> sad | ∅
--> happy | sad
--> ok | happy
--> sad | happy
--> SELECT 4

SELECT id, lag(m) OVER (ORDER BY m, id), rank() OVER (ORDER BY m), first_value(m) OVER (ORDER BY id) FROM en_p ORDER BY id
--> id int4 | lag user | rank int8 | first_value user
--> 1 | ∅ | 1 | sad
--> 2 | ok | 4 | sad
--> 3 | sad | 3 | sad
--> 5 | sad | 1 | sad
--> SELECT 4

UPDATE en_p SET m = 'ok', all_m = all_m || m WHERE id = 2 RETURNING id, m, all_m
--> id int4 | m user | all_m user
--> 2 | ok | {happy,NULL,happy}
--> UPDATE 1

UPDATE en_p SET m = 'wrong' WHERE id = 2
--> ERROR 22P02: invalid input value for enum en_mood: "wrong"

CREATE TABLE en_copy AS SELECT m, all_m FROM en_p WHERE id < 3
--> SELECT 2

SELECT * FROM en_copy ORDER BY m
--> m user | all_m user
--> sad | {ok,sad}
--> ok | {happy,NULL,happy}
--> SELECT 2

CREATE INDEX en_p_m ON en_p (m)
--> CREATE INDEX

CREATE UNIQUE INDEX en_copy_m ON en_copy (m)
--> CREATE INDEX

INSERT INTO en_copy VALUES ('sad', NULL)
--> ERROR 23505: duplicate key value violates unique constraint "en_copy_m"
-->   detail: Key (m)=(sad) already exists.
-->   table: en_copy
-->   constraint: en_copy_m

SELECT id FROM en_p WHERE m = 'sad' ORDER BY id
--> id int4
--> 1
--> 5
--> SELECT 2

CREATE VIEW en_v AS SELECT id, m FROM en_p WHERE m <> 'sad'
--> CREATE VIEW

SELECT * FROM en_v ORDER BY m, id
--> id int4 | m user
--> 2 | ok
--> 3 | ok
--> SELECT 2

SELECT t.typname, t.typtype, t.typcategory, t.typlen, t.typdelim, a.typname AS array_name, a.typcategory AS array_category, a.typelem = t.oid AS elem FROM pg_type t JOIN pg_type a ON a.oid = t.typarray WHERE t.typname = 'en_mood'
--> typname name | typtype char1 | typcategory char1 | typlen int2 | typdelim char1 | array_name name | array_category char1 | elem bool
--> en_mood | e | E | 4 | , | _en_mood | A | t
--> SELECT 1

SELECT enumlabel, enumsortorder FROM pg_enum WHERE enumtypid = 'en_mood'::regtype ORDER BY enumsortorder
--> enumlabel name | enumsortorder float4
--> sad | 1
--> ok | 2
--> happy | 3
--> SELECT 3

SELECT 'en_mood'::regtype, format_type('en_mood'::regtype, NULL), format_type('en_mood[]'::regtype, -1), 'en_mood'::regtype::text
--> regtype regtype | format_type text | format_type text | text text
--> en_mood | en_mood | en_mood[] | en_mood
--> SELECT 1

SELECT column_name, data_type, udt_name, column_default FROM information_schema.columns WHERE table_name = 'en_p' AND column_name <> 'all_m' ORDER BY ordinal_position
--> column_name name | data_type varchar | udt_name name | column_default varchar
--> id | integer | int4 | ∅
--> m | USER-DEFINED | en_mood | 'ok'::en_mood
--> SELECT 2

ALTER TYPE en_mood ADD VALUE 'glad' AFTER 'ok'
--> ALTER TYPE

ALTER TYPE en_mood ADD VALUE 'ecstatic'
--> ALTER TYPE

ALTER TYPE en_mood ADD VALUE 'awful' BEFORE 'sad'
--> ALTER TYPE

ALTER TYPE en_mood ADD VALUE 'glad'
--> ERROR 42710: enum label "glad" already exists

ALTER TYPE en_mood ADD VALUE IF NOT EXISTS 'glad'
--> NOTICE: enum label "glad" already exists, skipping
--> ALTER TYPE

ALTER TYPE en_mood ADD VALUE 'z' BEFORE 'y'
--> ERROR 22023: "y" is not an existing enum label

ALTER TYPE en_nothing ADD VALUE 'z'
--> ERROR 42704: type "en_nothing" does not exist

SELECT enum_range(NULL::en_mood)
--> enum_range user
--> {awful,sad,ok,glad,happy,ecstatic}
--> SELECT 1

INSERT INTO en_p (id, m) VALUES (10, 'glad'), (11, 'ecstatic'), (12, 'awful') RETURNING m
--> m user
--> glad
--> ecstatic
--> awful
--> INSERT 0 3

SELECT m FROM en_p ORDER BY m, id
--> m user
--> awful
--> sad
--> sad
--> ok
--> ok
--> glad
--> ecstatic
--> SELECT 7

ALTER TYPE en_mood RENAME VALUE 'ecstatic' TO 'thrilled'
--> ALTER TYPE

ALTER TYPE en_mood RENAME VALUE 'ecstatic' TO 'x'
--> ERROR 22023: "ecstatic" is not an existing enum label

ALTER TYPE en_mood RENAME VALUE 'glad' TO 'thrilled'
--> ERROR 42710: enum label "thrilled" already exists

SELECT m FROM en_p WHERE id = 11
--> m user
--> thrilled
--> SELECT 1

ALTER TYPE en_mood RENAME TO en_feeling
--> ALTER TYPE

SELECT m::en_feeling FROM en_p WHERE id = 11
--> m user
--> thrilled
--> SELECT 1

CREATE SCHEMA en_s
--> CREATE SCHEMA

ALTER TYPE en_feeling SET SCHEMA en_s
--> ALTER TYPE

SELECT pg_typeof(m), 'ok'::en_s.en_feeling FROM en_p WHERE id = 11
--> pg_typeof regtype | en_feeling user
--> en_s.en_feeling | ok
--> SELECT 1

CREATE TYPE en_mood AS ENUM ('red')
--> CREATE TYPE

DROP TYPE en_s.en_feeling
--> ERROR 2BP01: cannot drop type en_s.en_feeling because other objects depend on it
-->   detail: column all_m of table en_p depends on type en_s.en_feeling[]
--> column all_m of table en_copy depends on type en_s.en_feeling[]
--> column m of table en_p depends on type en_s.en_feeling
--> column m of table en_copy depends on type en_s.en_feeling
--> view en_v depends on type en_s.en_feeling

ALTER TABLE en_copy ADD COLUMN n int
--> ALTER TABLE

DROP TYPE en_s.en_feeling CASCADE
--> NOTICE: drop cascades to 5 other objects
--> DROP TYPE

SELECT * FROM en_p ORDER BY id
--> id int4
--> 1
--> 2
--> 3
--> 5
--> 10
--> 11
--> 12
--> SELECT 7

DROP SCHEMA en_s CASCADE
--> DROP SCHEMA

DROP TABLE en_p, en_copy
--> DROP TABLE

DROP TYPE en_mood
--> DROP TYPE

CREATE TYPE en_mood AS ENUM ('sad', 'ok', 'happy', 'glad')
--> CREATE TYPE

CREATE TABLE en_p (id int PRIMARY KEY, m en_mood UNIQUE, all_m en_mood[] NOT NULL DEFAULT '{}')
--> CREATE TABLE

INSERT INTO en_p VALUES (1, 'ok'), (2, 'sad'), (3, 'ok')
--> ERROR 23505: duplicate key value violates unique constraint "en_p_m_key"
-->   detail: Key (m)=(ok) already exists.
-->   table: en_p
-->   constraint: en_p_m_key

INSERT INTO en_p VALUES (1, 'ok'), (2, 'sad'), (3, 'happy')
--> INSERT 0 3

INSERT INTO en_p VALUES (4, 'glad', NULL)
--> ERROR 23502: null value in column "all_m" of relation "en_p" violates not-null constraint
-->   detail: Failing row contains (4, glad, null).
-->   table: en_p
-->   column: all_m

INSERT INTO en_p VALUES (NULL, 'glad', '{sad,NULL}')
--> ERROR 23502: null value in column "id" of relation "en_p" violates not-null constraint
-->   detail: Failing row contains (null, glad, {sad,NULL}).
-->   table: en_p
-->   column: id

INSERT INTO en_p VALUES (4, 'sad') ON CONFLICT (m) DO UPDATE SET id = en_p.id + 10 RETURNING id, m
--> id int4 | m user
--> 12 | sad
--> INSERT 0 1

CREATE TABLE en_q (m en_mood REFERENCES en_p (m))
--> CREATE TABLE

INSERT INTO en_q VALUES ('ok'), ('happy')
--> INSERT 0 2

INSERT INTO en_q VALUES ('glad')
--> ERROR 23503: insert or update on table "en_q" violates foreign key constraint "en_q_m_fkey"
-->   detail: Key (m)=(glad) is not present in table "en_p".
-->   table: en_q
-->   constraint: en_q_m_fkey

DELETE FROM en_p WHERE m = 'happy'
--> ERROR 23503: update or delete on table "en_p" violates foreign key constraint "en_q_m_fkey" on table "en_q"
-->   detail: Key (m)=(happy) is still referenced from table "en_q".
-->   table: en_q
-->   constraint: en_q_m_fkey

DROP TABLE en_q
--> DROP TABLE

CREATE TABLE en_copy AS SELECT m FROM en_p
--> SELECT 3

COMMENT ON TYPE en_mood IS 'how one feels'
--> COMMENT

SELECT obj_description('en_mood'::regtype, 'pg_type')
--> obj_description text
--> how one feels
--> SELECT 1

DROP TYPE en_mood
--> ERROR 2BP01: cannot drop type en_mood because other objects depend on it
-->   detail: column all_m of table en_p depends on type en_mood[]
--> column m of table en_p depends on type en_mood
--> column m of table en_copy depends on type en_mood

DROP TYPE en_nothing
--> ERROR 42704: type "en_nothing" does not exist

DROP TYPE IF EXISTS en_nothing
--> NOTICE: type "en_nothing" does not exist, skipping
--> DROP TYPE

CREATE TYPE en_two AS ENUM ('sad', 'ok', 'thrilled', 'happy', 'glad', 'awful')
--> CREATE TYPE

ALTER TABLE en_copy ALTER COLUMN m TYPE en_two USING m::text::en_two
--> ALTER TABLE

SELECT m, m > 'ok' FROM en_copy ORDER BY m
--> m user | ?column? bool
--> sad | f
--> ok | f
--> happy | t
--> SELECT 3

ALTER TABLE en_copy ALTER COLUMN m TYPE text USING m::text
--> ALTER TABLE

SELECT m FROM en_copy ORDER BY m
--> m text
--> happy
--> ok
--> sad
--> SELECT 3

ALTER TABLE en_copy ALTER COLUMN m TYPE en_two USING m::en_two
--> ALTER TABLE

SELECT m FROM en_copy WHERE m = 'sad'::en_mood
--> ERROR 42883: operator does not exist: en_two = en_mood

SELECT m FROM en_copy ORDER BY m
--> m user
--> sad
--> ok
--> happy
--> SELECT 3

PREPARE en_q(en_mood) AS SELECT id FROM en_p WHERE m = $1 ORDER BY id
--> PREPARE

EXECUTE en_q('sad')
--> id int4
--> 12
--> SELECT 1

EXECUTE en_q('none')
--> ERROR 22P02: invalid input value for enum en_mood: "none"

PREPARE en_r AS SELECT id FROM en_p WHERE m = ANY($1) ORDER BY id
--> PREPARE

EXECUTE en_r('{sad,glad}')
--> id int4
--> 12
--> SELECT 1

COPY en_p (id, m, all_m) FROM STDIN
--< 20	\N	{ok,sad}
--< 21	\N	{}
--< \.
--> COPY 2

COPY (SELECT id, m, all_m FROM en_p WHERE id >= 20 ORDER BY id) TO STDOUT
--> 20	\N	{ok,sad}
--> 21	\N	{}
--> COPY 2

COPY en_p (id, m) FROM STDIN
--< 22	wrong
--< \.
--> ERROR 22P02: invalid input value for enum en_mood: "wrong"

ALTER TABLE en_copy ADD COLUMN n int
--> ALTER TABLE

DROP TYPE en_two CASCADE
--> NOTICE: drop cascades to column m of table en_copy
--> DROP TYPE

SELECT * FROM en_copy WHERE n > 0
--> n int4
--> SELECT 0

DROP TABLE en_copy
--> DROP TABLE

DROP VIEW en_v
--> ERROR 42P01: view "en_v" does not exist

DROP TABLE en_p
--> DROP TABLE

DROP TYPE en_mood, en_none
--> DROP TYPE
