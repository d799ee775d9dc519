-- Expressions that tables keep, as PostgreSQL writes them.
CREATE TYPE dp_mood AS ENUM ('sad', 'ok')
--> CREATE TYPE

CREATE TABLE dp (id serial PRIMARY KEY, code varchar(20) NOT NULL DEFAULT 'x', t text DEFAULT 'it''s', c char(3) DEFAULT 'a', n numeric(10,2) DEFAULT 0, m numeric DEFAULT 1.50, b boolean DEFAULT TRUE, i int DEFAULT -1, l bigint DEFAULT 5, f float8 DEFAULT 0.5, d date DEFAULT CURRENT_DATE, at timestamptz DEFAULT now(), ts timestamp DEFAULT CURRENT_TIMESTAMP, u uuid DEFAULT gen_random_uuid(), j jsonb DEFAULT '{}', a text[] DEFAULT '{}', a2 int[] DEFAULT ARRAY[1, 2], iv interval DEFAULT '1 day', e dp_mood DEFAULT 'ok', z text DEFAULT NULL, w text DEFAULT upper('abc') || 'x', g numeric GENERATED ALWAYS AS (n * 2) STORED, by_ bytea DEFAULT '\x00', r regclass DEFAULT 'pg_class', us text DEFAULT current_user, ar int[] DEFAULT ARRAY[]::int[], ti time DEFAULT '12:30', s smallint DEFAULT 3)
--> CREATE TABLE

SELECT a.attname, pg_get_expr(d.adbin, d.adrelid) FROM pg_attrdef d JOIN pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum WHERE d.adrelid = 'dp'::regclass ORDER BY a.attnum
--> attname name | pg_get_expr text
--> id | nextval('dp_id_seq'::regclass)
--> code | 'x'::character varying
--> t | 'it''s'::text
--> c | 'a'::bpchar
--> n | 0
--> m | 1.50
--> b | true
--> i | '-1'::integer
--> l | 5
--> f | 0.5
--> d | CURRENT_DATE
--> at | now()
--> ts | CURRENT_TIMESTAMP
--> u | gen_random_uuid()
--> j | '{}'::jsonb
--> a | '{}'::text[]
--> a2 | ARRAY[1, 2]
--> iv | '1 day'::interval
--> e | 'ok'::dp_mood
--> w | (upper('abc'::text) || 'x'::text)
--> g | (n * (2)::numeric)
--> by_ | '\x00'::bytea
--> r | 'pg_class'::regclass
--> us | CURRENT_USER
--> ar | ARRAY[]::integer[]
--> ti | '12:30:00'::time without time zone
--> s | 3
--> SELECT 27

SELECT column_name, column_default, generation_expression FROM information_schema.columns WHERE table_name = 'dp' AND column_name IN ('id', 'code', 'e', 'g', 'n') ORDER BY ordinal_position
--> column_name name | column_default varchar | generation_expression varchar
--> id | nextval('dp_id_seq'::regclass) | ∅
--> code | 'x'::character varying | ∅
--> n | 0 | ∅
--> e | 'ok'::dp_mood | ∅
--> g | ∅ | (n * (2)::numeric)
--> SELECT 5

ALTER TABLE dp ADD CONSTRAINT dp_1 CHECK (n > 0 AND i < 5 OR NOT b), ADD CONSTRAINT dp_2 CHECK (code IN ('a', 'b')), ADD CONSTRAINT dp_3 CHECK (i IN (1, 2, 3)), ADD CONSTRAINT dp_4 CHECK (code <> ''), ADD CONSTRAINT dp_5 CHECK (length(code) > 2), ADD CONSTRAINT dp_6 CHECK (t IS NOT NULL), ADD CONSTRAINT dp_7 CHECK (i BETWEEN 1 AND 9), ADD CONSTRAINT dp_8 CHECK (t LIKE 'a%'), ADD CONSTRAINT dp_9 CHECK (b), ADD CONSTRAINT dp_a CHECK (e <> 'sad'), ADD CONSTRAINT dp_b CHECK (l > i AND n >= m * 2 + 1), ADD CONSTRAINT dp_c CHECK (coalesce(t, 'x') = code), ADD CONSTRAINT dp_d CHECK (i NOT IN (4, 5)), ADD CONSTRAINT dp_e CHECK (code IN ('q')), ADD CONSTRAINT dp_f CHECK (at > '2020-01-01'), ADD CONSTRAINT dp_g CHECK (i::text <> t), ADD CONSTRAINT dp_h CHECK (b IS TRUE), ADD CONSTRAINT dp_i CHECK (t ~ '^[a-z]+$'), ADD CONSTRAINT dp_j CHECK (i IS DISTINCT FROM 3), ADD CONSTRAINT dp_k CHECK (a @> '{x}'), ADD CONSTRAINT dp_l CHECK (i = ANY (a2)), ADD CONSTRAINT dp_m CHECK ((j ->> 'k') IS NOT NULL), ADD CONSTRAINT dp_n CHECK (a2[1] > 0), ADD CONSTRAINT dp_o CHECK (CASE WHEN b THEN i > 0 ELSE i < 0 END), ADD CONSTRAINT dp_p CHECK (-i < 0), ADD CONSTRAINT dp_q CHECK (t IN ('a', 'b')), ADD CONSTRAINT dp_r CHECK (i + 1 + 2 * 3 > 0)
--> ALTER TABLE

SELECT conname, pg_get_constraintdef(oid), pg_get_constraintdef(oid, true) FROM pg_constraint WHERE conrelid = 'dp'::regclass AND contype = 'c' ORDER BY conname COLLATE "C"
--> conname name | pg_get_constraintdef text | pg_get_constraintdef text
--> dp_1 | CHECK ((((n > (0)::numeric) AND (i < 5)) OR (NOT b))) | CHECK (n > 0::numeric AND i < 5 OR NOT b)
--> dp_2 | CHECK (((code)::text = ANY ((ARRAY['a'::character varying, 'b'::character varying])::text[]))) | CHECK (code::text = ANY (ARRAY['a'::character varying, 'b'::character varying]::text[]))
--> dp_3 | CHECK ((i = ANY (ARRAY[1, 2, 3]))) | CHECK (i = ANY (ARRAY[1, 2, 3]))
--> dp_4 | CHECK (((code)::text <> ''::text)) | CHECK (code::text <> ''::text)
--> dp_5 | CHECK ((length((code)::text) > 2)) | CHECK (length(code::text) > 2)
--> dp_6 | CHECK ((t IS NOT NULL)) | CHECK (t IS NOT NULL)
--> dp_7 | CHECK (((i >= 1) AND (i <= 9))) | CHECK (i >= 1 AND i <= 9)
--> dp_8 | CHECK ((t ~~ 'a%'::text)) | CHECK (t ~~ 'a%'::text)
--> dp_9 | CHECK (b) | CHECK (b)
--> dp_a | CHECK ((e <> 'sad'::dp_mood)) | CHECK (e <> 'sad'::dp_mood)
--> dp_b | CHECK (((l > i) AND (n >= ((m * (2)::numeric) + (1)::numeric)))) | CHECK (l > i AND n >= (m * 2::numeric + 1::numeric))
--> dp_c | CHECK ((COALESCE(t, 'x'::text) = (code)::text)) | CHECK (COALESCE(t, 'x'::text) = code::text)
--> dp_d | CHECK ((i <> ALL (ARRAY[4, 5]))) | CHECK (i <> ALL (ARRAY[4, 5]))
--> dp_e | CHECK (((code)::text = 'q'::text)) | CHECK (code::text = 'q'::text)
--> dp_f | CHECK ((at > '2020-01-01 00:00:00+00'::timestamp with time zone)) | CHECK (at > '2020-01-01 00:00:00+00'::timestamp with time zone)
--> dp_g | CHECK (((i)::text <> t)) | CHECK (i::text <> t)
--> dp_h | CHECK ((b IS TRUE)) | CHECK (b IS TRUE)
--> dp_i | CHECK ((t ~ '^[a-z]+$'::text)) | CHECK (t ~ '^[a-z]+$'::text)
--> dp_j | CHECK ((i IS DISTINCT FROM 3)) | CHECK (i IS DISTINCT FROM 3)
--> dp_k | CHECK ((a @> '{x}'::text[])) | CHECK (a @> '{x}'::text[])
--> dp_l | CHECK ((i = ANY (a2))) | CHECK (i = ANY (a2))
--> dp_m | CHECK (((j ->> 'k'::text) IS NOT NULL)) | CHECK ((j ->> 'k'::text) IS NOT NULL)
--> dp_n | CHECK ((a2[1] > 0)) | CHECK (a2[1] > 0)
--> dp_o | CHECK (
--> CASE
-->     WHEN b THEN (i > 0)
-->     ELSE (i < 0)
--> END) | CHECK (
--> CASE
-->     WHEN b THEN i > 0
-->     ELSE i < 0
--> END)
--> dp_p | CHECK (((- i) < 0)) | CHECK ((- i) < 0)
--> dp_q | CHECK ((t = ANY (ARRAY['a'::text, 'b'::text]))) | CHECK (t = ANY (ARRAY['a'::text, 'b'::text]))
--> dp_r | CHECK ((((i + 1) + (2 * 3)) > 0)) | CHECK ((i + 1 + 2 * 3) > 0)
--> SELECT 27

CREATE INDEX dp_x1 ON dp (lower(code), (i + 1), (t || 'x')) WHERE b AND i > 0
--> CREATE INDEX

CREATE INDEX dp_x2 ON dp ((e = 'ok'), upper(t)) WHERE code = 'x'
--> CREATE INDEX

SELECT pg_get_indexdef(indexrelid, 0, true), pg_get_expr(indpred, indrelid), pg_get_expr(indpred, indrelid, true), pg_get_indexdef(indexrelid, 1, false), pg_get_indexdef(indexrelid, 2, true) FROM pg_index WHERE indrelid = 'dp'::regclass AND NOT indisprimary ORDER BY 1
--> pg_get_indexdef text | pg_get_expr text | pg_get_expr text | pg_get_indexdef text | pg_get_indexdef text
--> CREATE INDEX dp_x1 ON dp USING btree (lower(code::text), (i + 1), (t || 'x'::text)) WHERE b AND i > 0 | (b AND (i > 0)) | b AND i > 0 | lower((code)::text) | (i + 1)
--> CREATE INDEX dp_x2 ON dp USING btree ((e = 'ok'::dp_mood), upper(t)) WHERE code::text = 'x'::text | ((code)::text = 'x'::text) | code::text = 'x'::text | ((e = 'ok'::dp_mood)) | upper(t)
--> SELECT 2

-- What is kept follows what it names.
ALTER TYPE dp_mood RENAME VALUE 'ok' TO 'fine'
--> ALTER TYPE

ALTER TYPE dp_mood RENAME TO dp_feeling
--> ALTER TYPE

ALTER SEQUENCE dp_id_seq RENAME TO dp_numbers
--> ALTER SEQUENCE

ALTER TABLE dp RENAME COLUMN i TO ii
--> ALTER TABLE

SELECT a.attname, pg_get_expr(d.adbin, d.adrelid) FROM pg_attrdef d JOIN pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum WHERE d.adrelid = 'dp'::regclass AND a.attname IN ('id', 'e') ORDER BY a.attnum
--> attname name | pg_get_expr text
--> id | nextval('dp_numbers'::regclass)
--> e | 'fine'::dp_feeling
--> SELECT 2

SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname IN ('dp_a', 'dp_b') ORDER BY conname
--> pg_get_constraintdef text
--> CHECK ((e <> 'sad'::dp_feeling))
--> CHECK (((l > ii) AND (n >= ((m * (2)::numeric) + (1)::numeric))))
--> SELECT 2

SELECT pg_get_indexdef('dp_x2'::regclass, 1, false)
--> pg_get_indexdef text
--> ((e = 'fine'::dp_feeling))
--> SELECT 1

ALTER TABLE dp DROP CONSTRAINT dp_1, DROP CONSTRAINT dp_2, DROP CONSTRAINT dp_3, DROP CONSTRAINT dp_4, DROP CONSTRAINT dp_5, DROP CONSTRAINT dp_6, DROP CONSTRAINT dp_7, DROP CONSTRAINT dp_8, DROP CONSTRAINT dp_b, DROP CONSTRAINT dp_c, DROP CONSTRAINT dp_d, DROP CONSTRAINT dp_e, DROP CONSTRAINT dp_g, DROP CONSTRAINT dp_i, DROP CONSTRAINT dp_k, DROP CONSTRAINT dp_l, DROP CONSTRAINT dp_m, DROP CONSTRAINT dp_o, DROP CONSTRAINT dp_p, DROP CONSTRAINT dp_q, DROP CONSTRAINT dp_r
--> ALTER TABLE

INSERT INTO dp (n) VALUES (1) RETURNING id, e, ii
--> id int4 | e user | ii int4
--> 1 | fine | -1
--> INSERT 0 1

CREATE SEQUENCE dp_seq
--> CREATE SEQUENCE

CREATE TABLE dp_other (k int DEFAULT nextval('dp_seq'), v int DEFAULT nextval('dp_seq'::regclass) * 10)
--> CREATE TABLE

ALTER SEQUENCE dp_seq RENAME TO dp_new
--> ALTER SEQUENCE

INSERT INTO dp_other DEFAULT VALUES RETURNING *
--> k int4 | v int4
--> 1 | 20
--> INSERT 0 1

SELECT pg_get_expr(adbin, adrelid) FROM pg_attrdef WHERE adrelid = 'dp_other'::regclass ORDER BY adnum
--> pg_get_expr text
--> nextval('dp_new'::regclass)
--> (nextval('dp_new'::regclass) * 10)
--> SELECT 2

-- Row types, extensions and what rests on what.
SELECT c.reltype = t.oid, t.typname, t.typtype, t.typcategory, t.typrelid = c.oid, a.typname, a.typelem = t.oid FROM pg_class c JOIN pg_type t ON t.oid = c.reltype JOIN pg_type a ON a.oid = t.typarray WHERE c.relname = 'dp_other'
--> ?column? bool | typname name | typtype char1 | typcategory char1 | ?column? bool | typname name | ?column? bool
--> t | dp_other | c | C | t | _dp_other | t
--> SELECT 1

SELECT count(*) FROM pg_type t JOIN pg_class c ON c.oid = t.typrelid WHERE c.relname IN ('dp_seq', 'dp_x1')
--> count int8
--> 0
--> SELECT 1

ALTER TABLE dp_other RENAME TO dp_another
--> ALTER TABLE

SELECT typname FROM pg_type WHERE typname LIKE '%dp\_%other' ORDER BY 1
--> typname name
--> _dp_another
--> dp_another
--> SELECT 2

CREATE TABLE dp_ref (id int PRIMARY KEY, o int UNIQUE, dp_id int REFERENCES dp)
--> CREATE TABLE

SELECT d.classid::regclass, d.refclassid::regclass, d.refobjsubid, d.deptype FROM pg_depend d JOIN pg_constraint c ON c.oid = d.objid AND d.classid = 'pg_constraint'::regclass WHERE c.conrelid = 'dp_ref'::regclass ORDER BY c.conname, d.refobjsubid, d.deptype
--> classid regclass | refclassid regclass | refobjsubid int4 | deptype char1
--> pg_constraint | pg_class | 0 | n
--> pg_constraint | pg_class | 1 | n
--> pg_constraint | pg_class | 3 | a
--> pg_constraint | pg_class | 2 | a
--> pg_constraint | pg_class | 1 | a
--> SELECT 5

SELECT c.relname, d.deptype, k.conname FROM pg_depend d JOIN pg_class c ON c.oid = d.objid JOIN pg_constraint k ON k.oid = d.refobjid WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_constraint'::regclass AND k.conrelid = 'dp_ref'::regclass ORDER BY 1
--> relname name | deptype char1 | conname name
--> dp_ref_o_key | i | dp_ref_o_key
--> dp_ref_pkey | i | dp_ref_pkey
--> SELECT 2

SELECT attr.attname, nsp.nspname IS NOT NULL, seq.relname FROM pg_class seq, pg_attribute attr, pg_depend dep, pg_constraint cons, pg_namespace nsp WHERE seq.oid = dep.objid AND seq.relkind = 'S' AND attr.attrelid = dep.refobjid AND attr.attnum = dep.refobjsubid AND attr.attrelid = cons.conrelid AND attr.attnum = cons.conkey[1] AND seq.relnamespace = nsp.oid AND cons.contype = 'p' AND dep.classid = 'pg_class'::regclass AND dep.refobjid = 'dp'::regclass
--> attname name | ?column? bool | relname name
--> id | t | dp_numbers
--> SELECT 1

SELECT count(*) FROM pg_namespace n LEFT JOIN pg_roles r ON r.oid = n.nspowner WHERE r.oid IS NULL
--> count int8
--> 0
--> SELECT 1

DROP TABLE dp_ref, dp_another, dp
--> DROP TABLE

DROP SEQUENCE dp_new
--> DROP SEQUENCE

SELECT typname FROM pg_type WHERE typname LIKE '%dp\_%' ORDER BY 1
--> typname name
--> _dp_feeling
--> dp_feeling
--> SELECT 2

DROP TYPE dp_feeling
--> DROP TYPE
