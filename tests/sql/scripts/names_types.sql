-- Types of one name in several schemas: which one a text means while a statement runs, and how it is shown.
CREATE SCHEMA names_one
--> CREATE SCHEMA

CREATE SCHEMA names_two
--> CREATE SCHEMA

CREATE TYPE names_one.same AS ENUM ('a')
--> CREATE TYPE

CREATE TYPE names_two.same AS ENUM ('b')
--> CREATE TYPE

CREATE TYPE names_one.hidden AS ENUM ('a')
--> CREATE TYPE

CREATE DOMAIN names_two."Odd Dom" AS int
--> CREATE DOMAIN

SET search_path = names_two
--> SET

PREPARE names_find (text) AS SELECT $1::regtype::text AS shown, $1::regtype = 'names_two.same'::regtype AS two, $1::regtype::oid = to_regtype($1)::oid AS same
--> PREPARE

EXECUTE names_find ('same')
--> shown text | two bool | same bool
--> same | t | t
--> SELECT 1

EXECUTE names_find ('SAME')
--> shown text | two bool | same bool
--> same | t | t
--> SELECT 1

EXECUTE names_find ('names_one.same')
--> shown text | two bool | same bool
--> names_one.same | f | t
--> SELECT 1

EXECUTE names_find ('"Odd Dom"')
--> shown text | two bool | same bool
--> "Odd Dom" | f | t
--> SELECT 1

EXECUTE names_find ('int4')
--> shown text | two bool | same bool
--> integer | f | t
--> SELECT 1

EXECUTE names_find ('character varying(3)')
--> shown text | two bool | same bool
--> character varying | f | t
--> SELECT 1

EXECUTE names_find ('hidden')
--> ERROR 42704: type "hidden" does not exist

EXECUTE names_find ('nothing[]')
--> ERROR 42704: type "nothing[]" does not exist

SELECT t::regtype, t::regtype::oid = to_regtype(t)::oid AS same FROM (VALUES ('same'), ('same[]'), ('names_one.same [ ]'), ('names_one.hidden[]'), ('same[3][]'), ('"Odd Dom"[]'), ('int[]')) v(t)
--> t regtype | same bool
--> same | t
--> same[] | t
--> names_one.same[] | t
--> names_one.hidden[] | t
--> same[] | t
--> "Odd Dom"[] | t
--> integer[] | t
--> SELECT 7

SELECT t, to_regtype(t) FROM (VALUES ('same'), ('hidden'), ('hidden[]'), ('names_one.hidden'), ('nothing.same')) v(t)
--> t text | to_regtype regtype
--> same | same
--> hidden | ∅
--> hidden[] | ∅
--> names_one.hidden | names_one.hidden
--> nothing.same | ∅
--> SELECT 5

SELECT n.nspname, t.typname, pg_type_is_visible(t.oid) FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace WHERE n.nspname LIKE 'names%' AND t.typname IN ('same', 'hidden', '_same') ORDER BY 1, 2
--> nspname name | typname name | pg_type_is_visible bool
--> names_one | _same | f
--> names_one | hidden | f
--> names_one | same | f
--> names_two | _same | t
--> names_two | same | t
--> SELECT 5

SELECT pg_type_is_visible(23), pg_type_is_visible(1), pg_type_is_visible(NULL)
--> pg_type_is_visible bool | pg_type_is_visible bool | pg_type_is_visible bool
--> t | ∅ | ∅
--> SELECT 1

SET search_path = names_one, names_two
--> SET

SELECT 'names_two.same'::regtype, 'names_one.same'::regtype, format_type('names_two.same[]'::regtype, NULL), format_type('hidden'::regtype, -1)
--> regtype regtype | regtype regtype | format_type text | format_type text
--> names_two.same | same | names_two.same[] | hidden
--> SELECT 1

EXECUTE names_find ('same')
--> shown text | two bool | same bool
--> same | f | t
--> SELECT 1

EXECUTE names_find ('hidden')
--> shown text | two bool | same bool
--> hidden | f | t
--> SELECT 1

SET search_path = public
--> SET

SELECT t, to_regtype(t) FROM (VALUES ('same'), ('names_one.same')) v(t)
--> t text | to_regtype regtype
--> same | ∅
--> names_one.same | names_one.same
--> SELECT 2

RESET search_path
--> RESET

DEALLOCATE names_find
--> DEALLOCATE

DROP SCHEMA names_one CASCADE
--> NOTICE: drop cascades to 2 other objects
--> DROP SCHEMA

DROP SCHEMA names_two CASCADE
--> NOTICE: drop cascades to 2 other objects
--> DROP SCHEMA
