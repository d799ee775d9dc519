-- Collations: all order by code points, but which one a value has can be asked, and two that are said must agree.

CREATE TABLE cl (a text, b text COLLATE "C", c text COLLATE "POSIX", n int, d varchar(9) COLLATE "C", e text[] COLLATE "C");
INSERT INTO cl VALUES ('x', 'y', 'z', 1, 'd', '{f}')
--> CREATE TABLE
--> INSERT 0 1

SELECT collation for (a), collation for (b), collation for (c), collation for (d), collation for (e) FROM cl
--> pg_collation_for text | pg_collation_for text | pg_collation_for text | pg_collation_for text | pg_collation_for text
--> "default" | "C" | "POSIX" | "C" | "C"
--> SELECT 1

SELECT COLLATION FOR ('x'), COLLATION FOR ('x'::text), COLLATION FOR ('x' COLLATE "C"), COLLATION FOR ('x'::text COLLATE pg_catalog."POSIX"), COLLATION FOR (NULL), COLLATION FOR (NULL::text)
--> pg_collation_for text | pg_collation_for text | pg_collation_for text | pg_collation_for text | pg_collation_for text | pg_collation_for text
--> ∅ | "default" | "C" | "POSIX" | ∅ | "default"
--> SELECT 1

SELECT COLLATION FOR (1)
--> ERROR 42804: collations are not supported by type integer

SELECT COLLATION FOR (n) FROM cl
--> ERROR 42804: collations are not supported by type integer

SELECT COLLATION FOR (now())
--> ERROR 42804: collations are not supported by type timestamp with time zone

SELECT COLLATION FOR (ROW(1, 2))
--> ERROR 42804: collations are not supported by type record

SELECT COLLATION FOR ('{}'::jsonb)
--> ERROR 42804: collations are not supported by type jsonb

SELECT COLLATION FOR (b || 'x'), COLLATION FOR (b || a), COLLATION FOR (b || c), COLLATION FOR (upper(b)), COLLATION FOR (n::text), COLLATION FOR (b::varchar) FROM cl
--> pg_collation_for text | pg_collation_for text | pg_collation_for text | pg_collation_for text | pg_collation_for text | pg_collation_for text
--> "C" | "C" | ∅ | "C" | "default" | "C"
--> SELECT 1

SELECT COLLATION FOR (ARRAY['a', 'b']), COLLATION FOR (ARRAY['a' COLLATE "C", 'b']), COLLATION FOR ((SELECT b FROM cl)), COLLATION FOR (coalesce(b, 'x')), COLLATION FOR (CASE WHEN true THEN b ELSE c END) FROM cl
--> pg_collation_for text | pg_collation_for text | pg_collation_for text | pg_collation_for text | pg_collation_for text
--> "default" | "C" | "C" | "C" | ∅
--> SELECT 1

SELECT COLLATION FOR (current_user), COLLATION FOR ('a'::name), COLLATION FOR ('{}'::jsonb ->> 'a')
--> pg_collation_for text | pg_collation_for text | pg_collation_for text
--> "C" | "C" | "default"
--> SELECT 1

SELECT pg_collation_for('x' COLLATE "C"), pg_collation_for('x'::text)
--> pg_collation_for text | pg_collation_for text
--> "C" | "default"
--> SELECT 1

SELECT COLLATION FOR (x.b), COLLATION FOR (x.u) FROM (SELECT b, a AS u FROM cl) x
--> pg_collation_for text | pg_collation_for text
--> "C" | "default"
--> SELECT 1

SELECT (b COLLATE "C") < (c COLLATE "POSIX") FROM cl
--> ERROR 42P21: collation mismatch between explicit collations "C" and "POSIX"

SELECT coalesce(b COLLATE "C", c COLLATE "POSIX") FROM cl
--> ERROR 42P21: collation mismatch between explicit collations "C" and "POSIX"

SELECT 1 COLLATE "C"
--> ERROR 42804: collations are not supported by type integer

SELECT 'a' COLLATE nope.nope
--> ERROR 3F000: schema "nope" does not exist

SELECT 'a' COLLATE "nope"
--> ERROR 42704: collation "nope" for encoding "UTF8" does not exist

SELECT attname, attcollation, c.collname FROM pg_attribute a LEFT JOIN pg_collation c ON c.oid = a.attcollation WHERE attrelid = 'cl'::regclass AND attnum > 0 ORDER BY attnum
--> attname name | attcollation oid | collname name
--> a | 100 | default
--> b | 950 | C
--> c | 951 | POSIX
--> n | 0 | ∅
--> d | 950 | C
--> e | 950 | C
--> SELECT 6

ALTER TABLE cl ALTER n TYPE bigint COLLATE "C"
--> ERROR 42804: collations are not supported by type bigint

ALTER TABLE cl ALTER a TYPE text COLLATE "C"
--> ALTER TABLE

ALTER TABLE cl ALTER b TYPE varchar(10)
--> ALTER TABLE

ALTER TABLE cl ADD COLUMN f text COLLATE "POSIX" DEFAULT 'q', ADD COLUMN g int
--> ALTER TABLE

ALTER TABLE cl ADD COLUMN h int COLLATE "C"
--> ERROR 42804: collations are not supported by type integer

SELECT COLLATION FOR (a), COLLATION FOR (b), COLLATION FOR (f) FROM cl
--> pg_collation_for text | pg_collation_for text | pg_collation_for text
--> "C" | "default" | "POSIX"
--> SELECT 1

CREATE TABLE cl2 (LIKE cl)
--> CREATE TABLE

SELECT attname, attcollation FROM pg_attribute WHERE attrelid = 'cl2'::regclass AND attnum > 0 ORDER BY attnum
--> attname name | attcollation oid
--> a | 950
--> b | 100
--> c | 951
--> n | 0
--> d | 950
--> e | 950
--> f | 951
--> g | 0
--> SELECT 8

CREATE INDEX cl_b ON cl (b); CREATE INDEX cl_c ON cl (c COLLATE "C")
--> CREATE INDEX
--> CREATE INDEX

CREATE TABLE cl3 (n int COLLATE "C")
--> ERROR 42804: collations are not supported by type integer

CREATE DOMAIN cld AS int COLLATE "C"
--> ERROR 42804: collations are not supported by type integer

CREATE VIEW clv AS SELECT a COLLATE "C" AS x FROM cl
--> CREATE VIEW
