-- The extension citext.

CREATE EXTENSION IF NOT EXISTS citext
--> CREATE EXTENSION

CREATE EXTENSION citext
--> ERROR 42710: extension "citext" already exists

CREATE TABLE ci (id int PRIMARY KEY, email citext NOT NULL UNIQUE, tags citext[], short varchar(3))
--> CREATE TABLE

INSERT INTO ci VALUES (1, 'Ann@Example.com', '{A,b}', 'abc'), (2, 'bob@example.com', '{}', NULL), (3, 'ÄRGER', NULL, NULL), (4, 'Zoe', NULL, NULL)
--> INSERT 0 4

INSERT INTO ci VALUES (5, 'ANN@EXAMPLE.COM')
--> ERROR 23505: duplicate key value violates unique constraint "ci_email_key"
-->   detail: Key (email)=(ANN@EXAMPLE.COM) already exists.
-->   table: ci
-->   constraint: ci_email_key

INSERT INTO ci VALUES (5, 'ANN@EXAMPLE.COM') ON CONFLICT (email) DO UPDATE SET short = 'x' RETURNING *
--> id int4 | email user | tags user | short varchar
--> 1 | Ann@Example.com | {A,b} | x
--> INSERT 0 1

SELECT id, email FROM ci WHERE email = 'ANN@example.com'
--> id int4 | email user
--> 1 | Ann@Example.com
--> SELECT 1

SELECT id FROM ci WHERE email = 'ärger'
--> id int4
--> 3
--> SELECT 1

SELECT id FROM ci WHERE email = 'ANN@example.com'::text
--> id int4
--> SELECT 0

SELECT id FROM ci WHERE email::text = 'ANN@example.com'
--> id int4
--> SELECT 0

SELECT id FROM ci WHERE email IN ('BOB@EXAMPLE.COM', 'zoe') ORDER BY id
--> id int4
--> 2
--> 4
--> SELECT 2

SELECT id FROM ci WHERE email = ANY('{BOB@EXAMPLE.COM,zoe}') ORDER BY id
--> id int4
--> 2
--> 4
--> SELECT 2

SELECT id FROM ci WHERE email LIKE 'ANN%' OR email ~ '^B' ORDER BY id
--> id int4
--> 1
--> 2
--> SELECT 2

SELECT id FROM ci WHERE email NOT LIKE '%EXAMPLE%' ORDER BY id
--> id int4
--> 3
--> 4
--> SELECT 2

SELECT id FROM ci WHERE email ILIKE 'z%'
--> id int4
--> 4
--> SELECT 1

SELECT id FROM ci ORDER BY email
--> id int4
--> 1
--> 2
--> 4
--> 3
--> SELECT 4

SELECT min(email), max(email), count(DISTINCT email) FROM ci
--> min user | max user | count int8
--> Ann@Example.com | ÄRGER | 4
--> SELECT 1

SELECT email, count(*) FROM (VALUES ('a'::citext), ('A'), ('b')) v(email) GROUP BY email ORDER BY email
--> email user | count int8
--> a | 2
--> b | 1
--> SELECT 2

SELECT DISTINCT v FROM (VALUES ('x'::citext), ('X')) t(v)
--> v user
--> x
--> SELECT 1

SELECT 'a'::citext = 'A', 'a'::citext < 'B', 'B'::citext > 'a', 'a'::citext <> 'A', 'a'::citext = 'A'::text, 'a'::citext = 'A'::varchar
--> ?column? bool | ?column? bool | ?column? bool | ?column? bool | ?column? bool | ?column? bool
--> t | t | t | f | f | f
--> SELECT 1

SELECT 'a'::citext || 'B', pg_typeof('a'::citext || 'B'), lower('AbC'::citext), pg_typeof(lower('AbC'::citext)), length('abc'::citext)
--> ?column? text | pg_typeof regtype | lower text | pg_typeof regtype | length int4
--> aB | text | abc | text | 3
--> SELECT 1

SELECT strpos('aBcD'::citext, 'bc'), replace('aBcabC'::citext, 'ABC', 'x'), split_part('1x2X3'::citext, 'x', 3), translate('abcABC'::citext, 'aB', 'xy')
--> strpos int4 | replace text | split_part text | translate text
--> 2 | xx | 3 | xycxyC
--> SELECT 1

SELECT regexp_replace('Foo'::citext, 'FO', 'b'), regexp_match('Foo'::citext, '(FO)'), regexp_split_to_array('aXbxc'::citext, 'x')
--> regexp_replace text | regexp_match text[] | regexp_split_to_array text[]
--> bo | {Fo} | {a,b,c}
--> SELECT 1

SELECT 'A' = ANY (tags), tags, tags = '{a,B}', pg_typeof(tags) FROM ci WHERE id = 1
--> ?column? bool | tags user | ?column? bool | pg_typeof regtype
--> t | {A,b} | t | citext[]
--> SELECT 1

SELECT coalesce(email, 'none'), CASE WHEN id = 1 THEN email END, greatest(email, 'B') FROM ci WHERE id < 3 ORDER BY id
--> coalesce user | case user | greatest user
--> Ann@Example.com | Ann@Example.com | B
--> bob@example.com | ∅ | bob@example.com
--> SELECT 2

UPDATE ci SET short = email WHERE id = 4 RETURNING short
--> short varchar
--> Zoe
--> UPDATE 1

UPDATE ci SET short = email WHERE id = 2
--> ERROR 22001: value too long for type character varying(3)

UPDATE ci SET email = short WHERE id = 4 RETURNING email
--> email user
--> Zoe
--> UPDATE 1

CREATE INDEX ON ci (lower(email), email)
--> CREATE INDEX

SELECT replace(indexdef, 'public.', '') AS indexdef FROM pg_indexes WHERE tablename = 'ci' ORDER BY indexdef
--> indexdef text
--> CREATE INDEX ci_lower_email_idx ON ci USING btree (lower((email)::text), email)
--> CREATE UNIQUE INDEX ci_email_key ON ci USING btree (email)
--> CREATE UNIQUE INDEX ci_pkey ON ci USING btree (id)
--> SELECT 3

ALTER TABLE ci ADD COLUMN name citext DEFAULT 'Nobody' CHECK (name <> 'ROOT')
--> ALTER TABLE

INSERT INTO ci (id, email, name) VALUES (6, 'r', 'root')
--> ERROR 23514: new row for relation "ci" violates check constraint "ci_name_check"
-->   detail: Failing row contains (6, r, null, null, root).
-->   table: ci
-->   constraint: ci_name_check

CREATE TABLE cr (id int PRIMARY KEY, email citext REFERENCES ci (email))
--> CREATE TABLE

INSERT INTO cr VALUES (1, 'zOE'), (2, 'nobody@here')
--> ERROR 23503: insert or update on table "cr" violates foreign key constraint "cr_email_fkey"
-->   detail: Key (email)=(nobody@here) is not present in table "ci".
-->   table: cr
-->   constraint: cr_email_fkey

INSERT INTO cr VALUES (1, 'zOE')
--> INSERT 0 1

SELECT cr.email, ci.email FROM cr JOIN ci USING (email)
--> email user | email user
--> zOE | Zoe
--> SELECT 1

ALTER TABLE ci ALTER short TYPE citext
--> ALTER TABLE

SELECT id FROM ci WHERE short = 'ABC'
--> id int4
--> SELECT 0

ALTER TABLE ci ALTER short TYPE text
--> ALTER TABLE

SELECT id FROM ci WHERE short = 'ABC'
--> id int4
--> SELECT 0

SELECT column_name, data_type, udt_name FROM information_schema.columns WHERE table_name = 'ci' AND column_name IN ('email', 'tags') ORDER BY 1
--> column_name name | data_type varchar | udt_name name
--> email | USER-DEFINED | citext
--> tags | ARRAY | _citext
--> SELECT 2

SELECT format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = 'ci'::regclass AND attname IN ('email', 'tags') ORDER BY attnum
--> format_type text
--> citext
--> citext[]
--> SELECT 2

SELECT 'citext'::regtype, 'citext'::regtype::text
--> regtype regtype | text text
--> citext | citext
--> SELECT 1

SELECT jsonb_build_object('e', email), to_json(email) FROM ci WHERE id = 1
--> jsonb_build_object jsonb | to_json json
--> {"e": "Ann@Example.com"} | "Ann@Example.com"
--> SELECT 1

SELECT extname, extversion FROM pg_extension WHERE extname = 'citext'
--> extname name | extversion text
--> citext | 1.6
--> SELECT 1

DROP TABLE cr, ci
--> DROP TABLE

CREATE TABLE cx (a citext)
--> CREATE TABLE

DROP EXTENSION citext
--> ERROR 2BP01: cannot drop extension citext because other objects depend on it
-->   detail: column a of table cx depends on type citext

DROP TABLE cx
--> DROP TABLE

DROP EXTENSION citext
--> DROP EXTENSION

SELECT 1::citext
--> ERROR 42704: type "citext" does not exist

CREATE TABLE cx (a citext)
--> ERROR 42704: type "citext" does not exist
