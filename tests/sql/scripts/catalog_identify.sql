-- What objects are called wherever one stands: tools that compare schemas ask for each dependency.
CREATE SCHEMA identified
--> CREATE SCHEMA

CREATE TYPE identified.mood AS ENUM ('a', 'b')
--> CREATE TYPE

CREATE DOMAIN identified."Dom" AS int CHECK (VALUE > 0)
--> CREATE DOMAIN

CREATE TABLE identified."T a" (id serial PRIMARY KEY, m identified.mood UNIQUE, r int REFERENCES identified."T a", CHECK (id > 0))
--> CREATE TABLE

CREATE VIEW identified.v AS SELECT * FROM identified."T a"
--> CREATE VIEW

CREATE INDEX ix ON identified."T a" (m)
--> CREATE INDEX

CREATE MATERIALIZED VIEW identified.mv AS SELECT 1 AS a
--> SELECT 1

SELECT c.relkind, (pg_identify_object(1259, c.oid, 0)).* FROM pg_class c WHERE c.relnamespace = 'identified'::regnamespace ORDER BY c.relname
--> relkind char1 | type text | schema text | name text | identity text
--> r | table | identified | "T a" | identified."T a"
--> S | sequence | identified | "T a_id_seq" | identified."T a_id_seq"
--> i | index | identified | "T a_m_key" | identified."T a_m_key"
--> i | index | identified | "T a_pkey" | identified."T a_pkey"
--> i | index | identified | ix | identified.ix
--> m | materialized view | identified | mv | identified.mv
--> v | view | identified | v | identified.v
--> SELECT 7

SELECT (pg_identify_object('pg_class'::regclass, a.attrelid, a.attnum)).* FROM pg_attribute a WHERE a.attrelid IN ('identified."T a"'::regclass, 'identified.v'::regclass) AND a.attnum > 0 ORDER BY a.attrelid, a.attnum
--> type text | schema text | name text | identity text
--> table column | identified | "T a" | identified."T a".id
--> table column | identified | "T a" | identified."T a".m
--> table column | identified | "T a" | identified."T a".r
--> view column | identified | v | identified.v.id
--> view column | identified | v | identified.v.m
--> view column | identified | v | identified.v.r
--> SELECT 6

SELECT (pg_identify_object(1247, t, 0)).* FROM unnest(ARRAY['int4'::regtype, 'int4[]'::regtype, 'text'::regtype, 'bool'::regtype, 'varchar'::regtype, 'numeric[]'::regtype, 'timestamptz'::regtype, 'date'::regtype, 'int2vector'::regtype, 'name'::regtype, '"char"'::regtype, 'identified.mood'::regtype, 'identified.mood[]'::regtype, 'identified."Dom"'::regtype, 'identified."Dom"[]'::regtype]) t
--> type text | schema text | name text | identity text
--> type | pg_catalog | int4 | integer
--> type | pg_catalog | _int4 | integer[]
--> type | pg_catalog | text | pg_catalog.text
--> type | pg_catalog | bool | boolean
--> type | pg_catalog | "varchar" | character varying
--> type | pg_catalog | _numeric | numeric[]
--> type | pg_catalog | timestamptz | timestamp with time zone
--> type | pg_catalog | date | pg_catalog.date
--> type | pg_catalog | int2vector | pg_catalog.int2vector
--> type | pg_catalog | name | pg_catalog.name
--> type | pg_catalog | "char" | pg_catalog."char"
--> type | identified | mood | identified.mood
--> type | identified | _mood | identified.mood[]
--> type | identified | "Dom" | identified."Dom"
--> type | identified | "_Dom" | identified."Dom"[]
--> SELECT 15

SELECT (pg_identify_object(2606, k.oid, 0)).* FROM pg_constraint k WHERE k.connamespace = 'identified'::regnamespace ORDER BY k.conname
--> type text | schema text | name text | identity text
--> domain constraint | identified | ∅ | "Dom_check" on identified."Dom"
--> table constraint | identified | ∅ | "T a_id_check" on identified."T a"
--> table constraint | identified | ∅ | "T a_m_key" on identified."T a"
--> table constraint | identified | ∅ | "T a_pkey" on identified."T a"
--> table constraint | identified | ∅ | "T a_r_fkey" on identified."T a"
--> SELECT 5

SELECT (pg_identify_object(2604, d.oid, 0)).* FROM pg_attrdef d WHERE d.adrelid = 'identified."T a"'::regclass
--> type text | schema text | name text | identity text
--> default value | ∅ | ∅ | for identified."T a".id
--> SELECT 1

SELECT (pg_identify_object(2618, r.oid, 0)).* FROM pg_rewrite r WHERE r.ev_class = 'identified.v'::regclass
--> type text | schema text | name text | identity text
--> rule | ∅ | ∅ | "_RETURN" on identified.v
--> SELECT 1

SELECT (pg_identify_object(2615, 'identified'::regnamespace, 0)).*, (pg_identify_object(2601, 403, 0)).identity AS method, (pg_identify_object(3456, (SELECT oid FROM pg_collation WHERE collname = 'C'), 0)).identity AS collation
--> type text | schema text | name text | identity text | method text | collation text
--> schema | ∅ | identified | identified | btree | pg_catalog."C"
--> SELECT 1

SELECT (pg_identify_object(2616, o.oid, 0)).*, (pg_identify_object(2753, o.opcfamily, 0)).type AS of FROM pg_opclass o WHERE o.opcname = 'int4_ops' AND o.opcmethod = 403
--> type text | schema text | name text | identity text | of text
--> operator class | pg_catalog | int4_ops | pg_catalog.int4_ops USING btree | operator family
--> SELECT 1

SELECT pg_identify_object(1259, 'identified.v'::regclass, 0)::text, substring(pg_identify_object(1259, 'identified.v'::regclass, 1)::text, E'(\\w+?)\\.') AS schema, pg_identify_object(NULL, 1, 0)
--> pg_identify_object text | schema text | pg_identify_object record
--> (view,identified,v,identified.v) | identified | ∅
--> SELECT 1

SELECT o.* FROM pg_class c, pg_identify_object(1259, c.oid, 0) o WHERE c.relname = 'mv' AND o.type = (pg_identify_object(1259, c.oid, 0)).type
--> type text | schema text | name text | identity text
--> materialized view | identified | mv | identified.mv
--> SELECT 1

SELECT (pg_identify_object(1259, 1, 0)).*, (pg_identify_object(1247, 1, 0)).type AS other
--> type text | schema text | name text | identity text | other text
--> relation | ∅ | ∅ | ∅ | type
--> SELECT 1

SELECT DISTINCT (pg_identify_object(d.refclassid, d.refobjid, d.refobjsubid)).* FROM pg_depend d WHERE d.classid = 'pg_constraint'::regclass AND d.refobjid IN ('identified."T a"'::regclass, 'identified."T a_pkey"'::regclass) ORDER BY 4
--> type text | schema text | name text | identity text
--> table column | identified | "T a" | identified."T a".id
--> table column | identified | "T a" | identified."T a".m
--> table column | identified | "T a" | identified."T a".r
--> index | identified | "T a_pkey" | identified."T a_pkey"
--> SELECT 4

SELECT oidvectortypes(proargtypes) FROM pg_proc WHERE oid IN ('upper(text)'::regprocedure, 'now()'::regprocedure, 'make_interval'::regproc) ORDER BY proname
--> oidvectortypes text
--> integer, integer, integer, integer, integer, integer, double precision
-->
--> text
--> SELECT 3

SELECT oidvectortypes('23 1043 2950 1009'), oidvectortypes(''), oidvectortypes(NULL)
--> oidvectortypes text | oidvectortypes text | oidvectortypes text
--> integer, character varying, uuid, text[] |  | ∅
--> SELECT 1

DROP SCHEMA identified CASCADE
--> NOTICE: drop cascades to 5 other objects
--> DROP SCHEMA

-- The same for people: names as they have to be written here.

CREATE TABLE described (id serial PRIMARY KEY, "b C" text COLLATE "C" DEFAULT 'x', CHECK (id > 0))
--> CREATE TABLE

CREATE VIEW described_view AS SELECT id FROM described
--> CREATE VIEW

CREATE INDEX described_index ON described ("b C")
--> CREATE INDEX

CREATE DOMAIN described_domain AS int CONSTRAINT positive CHECK (VALUE > 0)
--> CREATE DOMAIN

SELECT pg_describe_object('pg_class'::regclass, 'described'::regclass, n) FROM generate_series(0, 3) n
--> pg_describe_object text
--> table described
--> column id of table described
--> column b C of table described
--> ∅
--> SELECT 4

SELECT pg_describe_object('pg_class'::regclass, c::regclass, 0) FROM unnest(ARRAY['described_view', 'described_index', 'described_id_seq', 'pg_class']) c
--> pg_describe_object text
--> view described_view
--> index described_index
--> sequence described_id_seq
--> table pg_class
--> SELECT 4

SELECT pg_describe_object('pg_constraint'::regclass, oid, 0) FROM pg_constraint WHERE conrelid = 'described'::regclass OR conname = 'positive' ORDER BY conname
--> pg_describe_object text
--> constraint described_id_check on table described
--> constraint described_pkey on table described
--> constraint positive
--> SELECT 3

SELECT pg_describe_object('pg_attrdef'::regclass, oid, 0) FROM pg_attrdef WHERE adrelid = 'described'::regclass ORDER BY adnum
--> pg_describe_object text
--> default value for column id of table described
--> default value for column b C of table described
--> SELECT 2

SELECT pg_describe_object('pg_rewrite'::regclass, oid, 0) FROM pg_rewrite WHERE ev_class = 'described_view'::regclass
--> pg_describe_object text
--> rule _RETURN on view described_view
--> SELECT 1

SELECT pg_describe_object('pg_type'::regclass, t::regtype, 0) FROM unnest(ARRAY['int4', 'text[]', 'described_domain']) t
--> pg_describe_object text
--> type integer
--> type text[]
--> type described_domain
--> SELECT 3

SELECT pg_describe_object(classid, objid, objsubid), pg_describe_object(refclassid, refobjid, refobjsubid), deptype FROM pg_depend WHERE objid = 'described_id_seq'::regclass AND refclassid = 'pg_class'::regclass
--> pg_describe_object text | pg_describe_object text | deptype char1
--> sequence described_id_seq | column id of table described | a
--> SELECT 1

SELECT pg_describe_object('pg_namespace'::regclass, 'public'::regnamespace, 0), pg_describe_object('pg_proc'::regclass, 'lower(text)'::regprocedure, 0), pg_describe_object('pg_operator'::regclass, '+(int,int)'::regoperator, 0), pg_describe_object('pg_class'::regclass, 0, 0), pg_describe_object(0, 0, 0), pg_describe_object(NULL, 1, 0)
--> pg_describe_object text | pg_describe_object text | pg_describe_object text | pg_describe_object text | pg_describe_object text | pg_describe_object text
--> schema public | function lower(text) | operator +(integer,integer) | ∅ | ∅ | ∅
--> SELECT 1

SELECT pg_describe_object('pg_extension'::regclass, oid, 0) FROM pg_extension WHERE extname = 'plpgsql'
--> pg_describe_object text
--> extension plpgsql
--> SELECT 1

SELECT pg_describe_object('pg_am'::regclass, oid, 0) FROM pg_am WHERE amname IN ('btree', 'heap') ORDER BY 1
--> pg_describe_object text
--> access method btree
--> access method heap
--> SELECT 2

DROP TABLE described CASCADE
--> NOTICE: drop cascades to view described_view
--> DROP TABLE

DROP DOMAIN described_domain
--> DROP DOMAIN
