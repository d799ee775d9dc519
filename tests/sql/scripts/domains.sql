-- Domains: types of one's own that are based on others, with conditions.
CREATE DOMAIN do_code AS varchar(3)
--> CREATE DOMAIN

CREATE DOMAIN do_code AS text
--> ERROR 42710: type "do_code" already exists

CREATE TABLE do_code (id int)
--> ERROR 42710: type "do_code" already exists

SELECT 'abcdef'::do_code, pg_typeof('abc'::do_code), pg_typeof('abc'::do_code || 'd')
--> do_code varchar | pg_typeof regtype | pg_typeof regtype
--> abc | do_code | text
--> SELECT 1

CREATE DOMAIN do_pos AS int NOT NULL CHECK (value > 0)
--> CREATE DOMAIN

CREATE DOMAIN do_small AS do_pos CONSTRAINT small CHECK (VALUE < 10)
--> CREATE DOMAIN

SELECT 0::do_pos
--> ERROR 23514: value for domain do_pos violates check constraint "do_pos_check"
-->   type: do_pos
-->   constraint: do_pos_check

SELECT 50::do_small
--> ERROR 23514: value for domain do_small violates check constraint "small"
-->   type: do_small
-->   constraint: small

SELECT 5::do_small, '7'::do_small, CAST(3.4 AS do_small), 2 + 3::do_small, do_small '4', do_small(6)
--> do_small int4 | do_small int4 | do_small int4 | ?column? int4 | do_small int4 | do_small int4
--> 5 | 7 | 3 | 5 | 4 | 6
--> SELECT 1

SELECT 0::do_small
--> ERROR 23514: value for domain do_small violates check constraint "do_pos_check"
-->   type: do_small
-->   constraint: do_pos_check

SELECT NULL::do_small
--> ERROR 23502: domain do_small does not allow null values
-->   type: do_small

SELECT 'x'::do_pos
--> ERROR 22P02: invalid input syntax for type integer: "x"

SELECT true::do_pos
--> do_pos int4
--> 1
--> SELECT 1

CREATE TABLE do_t (id serial PRIMARY KEY, a do_pos DEFAULT 1, b do_small, c do_code UNIQUE)
--> CREATE TABLE

INSERT INTO do_t (c) VALUES ('x')
--> ERROR 23502: domain do_small does not allow null values
-->   type: do_small

INSERT INTO do_t (a, b) VALUES (1, 20)
--> ERROR 23514: value for domain do_small violates check constraint "small"
-->   type: do_small
-->   constraint: small

INSERT INTO do_t (a, b) VALUES (-1, 2)
--> ERROR 23514: value for domain do_pos violates check constraint "do_pos_check"
-->   type: do_pos
-->   constraint: do_pos_check

INSERT INTO do_t (a, b, c) VALUES (1, 2, 'wxyz')
--> ERROR 22001: value too long for type character varying(3)

INSERT INTO do_t (b, c) VALUES (2, 'abc'), (3, 'b') RETURNING a, b, c
--> a int4 | b int4 | c varchar
--> 1 | 2 | abc
--> 1 | 3 | b
--> INSERT 0 2

INSERT INTO do_t (b) VALUES (NULL)
--> ERROR 23502: domain do_small does not allow null values
-->   type: do_small

INSERT INTO do_t (b) SELECT n FROM generate_series(8, 12) n
--> ERROR 23514: value for domain do_small violates check constraint "small"
-->   type: do_small
-->   constraint: small

INSERT INTO do_t (b, c) SELECT max(b) + 1, 'max' FROM do_t RETURNING a, b, c
--> a int4 | b int4 | c varchar
--> 1 | 4 | max
--> INSERT 0 1

INSERT INTO do_t (b, c) VALUES (2, 'b') ON CONFLICT (c) DO UPDATE SET b = 11
--> ERROR 23514: value for domain do_small violates check constraint "small"
-->   type: do_small
-->   constraint: small

INSERT INTO do_t (b, c) VALUES (2, 'b') ON CONFLICT (c) DO UPDATE SET b = excluded.b + 5 RETURNING b
--> b int4
--> 7
--> INSERT 0 1

INSERT INTO do_t (a, b) VALUES (DEFAULT, 5) RETURNING a, b, c
--> a int4 | b int4 | c varchar
--> 1 | 5 | ∅
--> INSERT 0 1

INSERT INTO do_t (a, b) VALUES (DEFAULT, DEFAULT)
--> ERROR 23502: domain do_small does not allow null values
-->   type: do_small

UPDATE do_t SET b = b * 10 WHERE c = 'abc'
--> ERROR 23514: value for domain do_small violates check constraint "small"
-->   type: do_small
-->   constraint: small

UPDATE do_t SET (a, b) = (SELECT 4, 40) WHERE c = 'abc'
--> ERROR 23514: value for domain do_small violates check constraint "small"
-->   type: do_small
-->   constraint: small

UPDATE do_t SET b = b + 1, a = a + 1 WHERE c = 'abc' RETURNING a, b
--> a int4 | b int4
--> 2 | 3
--> UPDATE 1

UPDATE do_t SET b = NULL WHERE c = 'abc'
--> ERROR 23502: domain do_small does not allow null values
-->   type: do_small

SELECT a, b, c, pg_typeof(a), pg_typeof(b), pg_typeof(a + 1), pg_typeof(c) FROM do_t WHERE c IS NOT NULL ORDER BY b DESC, c
--> a int4 | b int4 | c varchar | pg_typeof regtype | pg_typeof regtype | pg_typeof regtype | pg_typeof regtype
--> 1 | 7 | b | do_pos | do_small | integer | do_code
--> 1 | 4 | max | do_pos | do_small | integer | do_code
--> 2 | 3 | abc | do_pos | do_small | integer | do_code
--> SELECT 3

SELECT b, count(*) FROM do_t GROUP BY b ORDER BY b
--> b int4 | count int8
--> 3 | 1
--> 4 | 1
--> 5 | 1
--> 7 | 1
--> SELECT 4

SELECT DISTINCT a FROM do_t WHERE b BETWEEN 1 AND 9 AND c LIKE 'a%' OR c IN ('b') UNION SELECT 7 ORDER BY 1
--> a int4
--> 1
--> 2
--> 7
--> SELECT 3

SELECT coalesce(c, 'none'), upper(c), length(c), c || '!' FROM do_t ORDER BY id
--> coalesce varchar | upper text | length int4 | ?column? text
--> abc | ABC | 3 | abc!
--> b | B | 1 | b!
--> max | MAX | 3 | max!
--> none | ∅ | ∅ | ∅
--> SELECT 4

COPY do_t (b, c) FROM STDIN
--< 4	cop
--> COPY 1

COPY do_t (b, c) FROM STDIN
--< 40	co2
--> ERROR 23514: value for domain do_small violates check constraint "small"
-->   type: do_small
-->   constraint: small

COPY (SELECT a, b, c FROM do_t WHERE c = 'cop') TO STDOUT
--> 1	4	cop
--> COPY 1

PREPARE do_p AS SELECT $1::do_small + 1
--> PREPARE

EXECUTE do_p(5)
--> ?column? int4
--> 6
--> SELECT 1

EXECUTE do_p(50)
--> ERROR 23514: value for domain do_small violates check constraint "small"
-->   type: do_small
-->   constraint: small

DEALLOCATE do_p
--> DEALLOCATE

ALTER DOMAIN do_small ADD CONSTRAINT big CHECK (value > 3)
--> ERROR 23514: column "b" of table "do_t" contains values that violate the new constraint
-->   table: do_t
-->   column: b

ALTER DOMAIN do_small ADD CONSTRAINT big CHECK (value > 3) NOT VALID
--> ALTER DOMAIN

UPDATE do_t SET b = 2 WHERE c = 'cop'
--> ERROR 23514: value for domain do_small violates check constraint "big"
-->   type: do_small
-->   constraint: big

ALTER DOMAIN do_small VALIDATE CONSTRAINT big
--> ERROR 23514: column "b" of table "do_t" contains values that violate the new constraint
-->   table: do_t
-->   column: b

SELECT conname, pg_get_constraintdef(oid), contype, convalidated FROM pg_constraint WHERE contypid = 'do_small'::regtype ORDER BY conname
--> conname name | pg_get_constraintdef text | contype char1 | convalidated bool
--> big | CHECK (((VALUE)::integer > 3)) NOT VALID | c | f
--> small | CHECK (((VALUE)::integer < 10)) | c | t
--> SELECT 2

DELETE FROM do_t WHERE b <= 3
--> DELETE 1

ALTER DOMAIN do_small VALIDATE CONSTRAINT big
--> ALTER DOMAIN

ALTER DOMAIN do_small VALIDATE CONSTRAINT nosuch
--> ERROR 42704: constraint "nosuch" of domain "do_small" does not exist

ALTER DOMAIN do_small RENAME CONSTRAINT big TO bigger
--> ALTER DOMAIN

ALTER DOMAIN do_small RENAME CONSTRAINT big TO biggest
--> ERROR 42704: constraint "big" for domain do_small does not exist

ALTER DOMAIN do_small ADD CONSTRAINT bigger CHECK (VALUE <> 5)
--> ERROR 42710: constraint "bigger" for domain "do_small" already exists

SELECT 1::do_small
--> ERROR 23514: value for domain do_small violates check constraint "bigger"
-->   type: do_small
-->   constraint: bigger

ALTER DOMAIN do_small DROP CONSTRAINT bigger
--> ALTER DOMAIN

SELECT 1::do_small
--> do_small int4
--> 1
--> SELECT 1

ALTER DOMAIN do_small DROP CONSTRAINT bigger
--> ERROR 42704: constraint "bigger" of domain "do_small" does not exist

ALTER DOMAIN do_small DROP CONSTRAINT IF EXISTS bigger
--> NOTICE: constraint "bigger" of domain "do_small" does not exist, skipping
--> ALTER DOMAIN

ALTER DOMAIN do_code SET NOT NULL
--> ERROR 23502: column "c" of table "do_t" contains null values
-->   table: do_t
-->   column: c

ALTER DOMAIN do_code ADD CHECK (value <> 'cop')
--> ERROR 23514: column "c" of table "do_t" contains values that violate the new constraint
-->   table: do_t
-->   column: c

ALTER DOMAIN do_code SET DEFAULT 'dd'
--> ALTER DOMAIN

INSERT INTO do_t (b) VALUES (8) RETURNING c
--> c varchar
--> dd
--> INSERT 0 1

ALTER DOMAIN do_code SET DEFAULT NULL
--> ALTER DOMAIN

ALTER DOMAIN do_code DROP DEFAULT
--> ALTER DOMAIN

ALTER DOMAIN do_pos DROP NOT NULL
--> ALTER DOMAIN

ALTER DOMAIN nosuch DROP NOT NULL
--> ERROR 42704: type "nosuch" does not exist

CREATE TYPE do_enum AS ENUM ('a', 'b', 'c')
--> CREATE TYPE

ALTER DOMAIN do_enum DROP NOT NULL
--> ERROR 42809: do_enum is not a domain

CREATE DOMAIN do_ab AS do_enum CHECK (value < 'c')
--> CREATE DOMAIN

SELECT 'b'::do_ab
--> do_ab user
--> b
--> SELECT 1

SELECT 'c'::do_ab
--> ERROR 23514: value for domain do_ab violates check constraint "do_ab_check"
-->   type: do_ab
-->   constraint: do_ab_check

DROP DOMAIN do_enum
--> ERROR 42809: "do_enum" is not a domain

DROP TYPE do_ab
--> DROP TYPE

DROP TYPE do_enum
--> DROP TYPE

CREATE DOMAIN do_word AS text DEFAULT 'abc' CHECK (value ~ '^a') CHECK (length(value) < 5)
--> CREATE DOMAIN

SELECT conname, pg_get_constraintdef(oid), pg_get_constraintdef(oid, true) FROM pg_constraint WHERE contypid = 'do_word'::regtype ORDER BY conname
--> conname name | pg_get_constraintdef text | pg_get_constraintdef text
--> do_word_check | CHECK ((VALUE ~ '^a'::text)) | CHECK (VALUE ~ '^a'::text)
--> do_word_check1 | CHECK ((length(VALUE) < 5)) | CHECK (length(VALUE) < 5)
--> SELECT 2

SELECT typname, typtype, typcategory, typlen, typbyval, typalign, typstorage, typnotnull, typbasetype::regtype, typtypmod, typdefault, pg_get_expr(typdefaultbin, 0), typinput, typoutput, typreceive, typsend, typarray::regtype, typsubscript, typelem, typispreferred FROM pg_type WHERE typname IN ('do_word', 'do_code', 'do_pos', 'do_small') ORDER BY 1
--> typname name | typtype char1 | typcategory char1 | typlen int2 | typbyval bool | typalign char1 | typstorage char1 | typnotnull bool | typbasetype regtype | typtypmod int4 | typdefault text | pg_get_expr text | typinput 24 | typoutput 24 | typreceive 24 | typsend 24 | typarray regtype | typsubscript 24 | typelem oid | typispreferred bool
--> do_code | d | S | -1 | f | i | x | f | character varying | 7 | ∅ | ∅ | domain_in | varcharout | domain_recv | varcharsend | do_code[] | - | 0 | f
--> do_pos | d | N | 4 | t | i | p | f | integer | -1 | ∅ | ∅ | domain_in | int4out | domain_recv | int4send | do_pos[] | - | 0 | f
--> do_small | d | N | 4 | t | i | p | f | do_pos | -1 | ∅ | ∅ | domain_in | int4out | domain_recv | int4send | do_small[] | - | 0 | f
--> do_word | d | S | -1 | f | i | x | f | text | -1 | 'abc'::text | 'abc'::text | domain_in | textout | domain_recv | textsend | do_word[] | - | 0 | f
--> SELECT 4

CREATE TABLE do_w (id int, w do_word, v do_word DEFAULT 'azz' NOT NULL, ws do_word[])
--> CREATE TABLE

INSERT INTO do_w (id) VALUES (1) RETURNING *
--> id int4 | w text | v text | ws user
--> 1 | abc | azz | ∅
--> INSERT 0 1
--?> id int4 | w text | v text | ws text[]
--?> 1 | abc | azz | ∅
--?> INSERT 0 1

INSERT INTO do_w (id, w) VALUES (2, 'bcd')
--> ERROR 23514: value for domain do_word violates check constraint "do_word_check"
-->   type: do_word
-->   constraint: do_word_check

INSERT INTO do_w (id, w) VALUES (2, 'abcdef')
--> ERROR 23514: value for domain do_word violates check constraint "do_word_check1"
-->   type: do_word
-->   constraint: do_word_check1

INSERT INTO do_w (id, v) VALUES (2, NULL)
--> ERROR 23502: null value in column "v" of relation "do_w" violates not-null constraint
-->   detail: Failing row contains (2, abc, null, null).
-->   table: do_w
-->   column: v

INSERT INTO do_w (id, ws) VALUES (2, '{a,ab}') RETURNING ws, ws[1]
--> ws user | ws text
--> {a,ab} | a
--> INSERT 0 1
--?> ws text[] | ws text
--?> {a,ab} | a
--?> INSERT 0 1

INSERT INTO do_w (id, ws) VALUES (3, ARRAY['a', 'b'])
--> ERROR 23514: value for domain do_word violates check constraint "do_word_check"
-->   type: do_word
-->   constraint: do_word_check

SELECT ARRAY['a', 'ab']::do_word[], '{a,NULL}'::do_word[]
--> array user | do_word user
--> {a,ab} | {a,NULL}
--> SELECT 1
--?> array text[] | do_word text[]
--?> {a,ab} | {a,NULL}
--?> SELECT 1

SELECT '{a,b}'::do_word[]
--> ERROR 23514: value for domain do_word violates check constraint "do_word_check"
-->   type: do_word
-->   constraint: do_word_check

SELECT id FROM do_w WHERE w = 'abc' AND 'ab' = ANY (ws)
--> id int4
--> 2
--> SELECT 1

ALTER TABLE do_w ADD COLUMN x do_pos DEFAULT 0
--> ERROR 23514: value for domain do_pos violates check constraint "do_pos_check"
-->   type: do_pos
-->   constraint: do_pos_check

ALTER TABLE do_w ADD COLUMN x do_pos DEFAULT 3
--> ALTER TABLE

ALTER TABLE do_w ADD COLUMN y do_word
--> ALTER TABLE

SELECT x, y FROM do_w ORDER BY id
--> x int4 | y text
--> 3 | abc
--> 3 | abc
--> SELECT 2

ALTER TABLE do_w ALTER COLUMN id TYPE do_pos
--> ALTER TABLE

UPDATE do_w SET id = -id WHERE id = 2
--> ERROR 23514: value for domain do_pos violates check constraint "do_pos_check"
-->   type: do_pos
-->   constraint: do_pos_check

ALTER TABLE do_w ALTER COLUMN x TYPE int, ALTER COLUMN id TYPE int
--> ALTER TABLE

UPDATE do_w SET id = -id WHERE id = 2
--> UPDATE 1

ALTER TABLE do_w ALTER COLUMN id TYPE do_pos
--> ERROR 23514: value for domain do_pos violates check constraint "do_pos_check"
-->   type: do_pos
-->   constraint: do_pos_check

SELECT column_name, data_type, domain_schema IS NOT NULL, domain_name, udt_name, is_nullable FROM information_schema.columns WHERE table_name = 'do_w' ORDER BY ordinal_position
--> column_name name | data_type varchar | ?column? bool | domain_name name | udt_name name | is_nullable varchar
--> id | integer | f | ∅ | int4 | YES
--> w | text | t | do_word | text | YES
--> v | text | t | do_word | text | NO
--> ws | ARRAY | f | ∅ | _do_word | YES
--> x | integer | f | ∅ | int4 | YES
--> y | text | t | do_word | text | YES
--> SELECT 6

SELECT attname, format_type(atttypid, atttypmod), attlen FROM pg_attribute WHERE attrelid = 'do_w'::regclass AND attnum > 0 ORDER BY attnum
--> attname name | format_type text | attlen int2
--> id | integer | 4
--> w | do_word | -1
--> v | do_word | -1
--> ws | do_word[] | -1
--> x | integer | 4
--> y | do_word | -1
--> SELECT 6

SELECT domain_name, data_type, character_maximum_length, numeric_precision, domain_default, udt_name FROM information_schema.domains WHERE domain_name LIKE 'do\_%' ORDER BY 1
--> domain_name name | data_type varchar | character_maximum_length int4 | numeric_precision int4 | domain_default varchar | udt_name name
--> do_code | character varying | 3 | ∅ | ∅ | varchar
--> do_pos | integer | ∅ | 32 | ∅ | int4
--> do_small | USER-DEFINED | ∅ | ∅ | ∅ | do_pos
--> do_word | text | ∅ | ∅ | 'abc'::text | text
--> SELECT 4

SELECT constraint_name, domain_name FROM information_schema.domain_constraints WHERE domain_name LIKE 'do\_%' ORDER BY 1
--> constraint_name name | domain_name name
--> do_pos_check | do_pos
--> do_word_check | do_word
--> do_word_check1 | do_word
--> small | do_small
--> SELECT 4

SELECT check_clause FROM information_schema.check_constraints WHERE constraint_name LIKE 'do\_word%' ORDER BY 1
--> check_clause varchar
--> ((VALUE ~ '^a'::text))
--> ((length(VALUE) < 5))
--> SELECT 2

CREATE DOMAIN do_pair AS int[] CHECK (array_length(value, 1) < 3)
--> CREATE DOMAIN

SELECT '{1,2,3}'::do_pair
--> ERROR 23514: value for domain do_pair violates check constraint "do_pair_check"
-->   type: do_pair
-->   constraint: do_pair_check

SELECT ('{1,2}'::do_pair)[1], '{1,2}'::do_pair || 3, pg_typeof('{1}'::do_pair)
--> do_pair int4 | ?column? int4[] | pg_typeof regtype
--> 1 | {1,2,3} | do_pair
--> SELECT 1

CREATE DOMAIN do_price AS numeric(6, 2) DEFAULT 1.50 CHECK (VALUE >= 0 AND VALUE <> 13)
--> CREATE DOMAIN

CREATE TABLE do_prices (id int, p do_price, q numeric GENERATED ALWAYS AS (p * 2) STORED, CHECK (p < 100))
--> CREATE TABLE

INSERT INTO do_prices VALUES (1, 1.005), (2, DEFAULT) RETURNING *
--> id int4 | p numeric | q numeric
--> 1 | 1.01 | 2.02
--> 2 | 1.50 | 3.00
--> INSERT 0 2

INSERT INTO do_prices VALUES (3, 13.00)
--> ERROR 23514: value for domain do_price violates check constraint "do_price_check"
-->   type: do_price
-->   constraint: do_price_check

INSERT INTO do_prices VALUES (3, 100)
--> ERROR 23514: new row for relation "do_prices" violates check constraint "do_prices_p_check"
-->   detail: Failing row contains (3, 100.00, 200.00).
-->   table: do_prices
-->   constraint: do_prices_p_check

INSERT INTO do_prices VALUES (3, 123456)
--> ERROR 22003: numeric field overflow
-->   detail: A field with precision 6, scale 2 must round to an absolute value less than 10^4.

SELECT id FROM do_prices WHERE p = 1.5
--> id int4
--> 2
--> SELECT 1

CREATE INDEX do_by_price ON do_prices (p)
--> CREATE INDEX

CREATE DOMAIN do_bad AS int CHECK (value > 0 AND nosuch > 1)
--> ERROR 42703: column "nosuch" does not exist

CREATE DOMAIN do_bad AS int CHECK (sum(value) > 0)
--> ERROR 42803: aggregate functions are not allowed in check constraints

CREATE DOMAIN do_bad AS int CHECK (value > (SELECT 1))
--> ERROR 0A000: cannot use subquery in check constraint

CREATE DOMAIN do_bad AS int UNIQUE
--> ERROR 42601: unique constraints not possible for domains

CREATE DOMAIN do_bad AS int PRIMARY KEY
--> ERROR 42601: primary key constraints not possible for domains

CREATE DOMAIN do_bad AS nosuch
--> ERROR 42704: type "nosuch" does not exist

CREATE DOMAIN do_bad AS int DEFAULT 'x'
--> ERROR 22P02: invalid input syntax for type integer: "x"

CREATE DOMAIN do_bad AS text NOT NULL NULL
--> ERROR 42601: conflicting NULL/NOT NULL constraints

CREATE DOMAIN do_bad AS int CHECK (value)
--> ERROR 42804: argument of CHECK must be type boolean, not type integer

ALTER DOMAIN do_word RENAME TO do_words
--> ALTER DOMAIN

SELECT 'a'::do_words, 'a'::do_word
--> ERROR 42704: type "do_word" does not exist

COMMENT ON DOMAIN do_words IS 'words'
--> COMMENT

SELECT obj_description('do_words'::regtype, 'pg_type')
--> obj_description text
--> words
--> SELECT 1

DROP DOMAIN do_words
--> ERROR 2BP01: cannot drop type do_words because other objects depend on it
-->   detail: column ws of table do_w depends on type do_words[]
--> column y of table do_w depends on type do_words
--> column v of table do_w depends on type do_words
--> column w of table do_w depends on type do_words

DROP DOMAIN do_pos
--> ERROR 2BP01: cannot drop type do_pos because other objects depend on it
-->   detail: type do_small depends on type do_pos
--> column b of table do_t depends on type do_small
--> column a of table do_t depends on type do_pos

DROP DOMAIN IF EXISTS do_nosuch, do_code CASCADE
--> NOTICE: type "do_nosuch" does not exist, skipping
--> NOTICE: drop cascades to column c of table do_t
--> DROP DOMAIN

DROP DOMAIN do_words, do_pos CASCADE
--> NOTICE: drop cascades to 7 other objects
--> DROP DOMAIN

SELECT typname FROM pg_type WHERE typname LIKE 'do\_%' ORDER BY 1
--> typname name
--> do_pair
--> do_price
--> do_prices
--> do_t
--> do_w
--> SELECT 5

SELECT attname FROM pg_attribute WHERE attrelid = 'do_w'::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum
--> attname name
--> id
--> x
--> SELECT 2

DROP TABLE do_t, do_w, do_prices
--> DROP TABLE

DROP DOMAIN do_pair, do_price
--> DROP DOMAIN

DROP DOMAIN do_pair
--> ERROR 42704: type "do_pair" does not exist

CREATE DOMAIN do_base AS int NOT NULL CHECK (value > 0)
--> CREATE DOMAIN

CREATE DOMAIN do_above AS do_base CONSTRAINT low CHECK (value < 10 AND value IS NOT NULL AND coalesce(value, 1) > 0 AND -value < 0)
--> CREATE DOMAIN

CREATE TABLE do_of (id do_base, s do_above DEFAULT 4, ss do_above[], CHECK (s > 1), CHECK (id IS NOT NULL))
--> CREATE TABLE

CREATE INDEX do_of_s ON do_of ((s + 1)) WHERE s > 2
--> CREATE INDEX

SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = 'do_of'::regclass OR contypid = 'do_above'::regtype ORDER BY 1
--> pg_get_constraintdef text
--> CHECK ((((VALUE)::integer < 10) AND (VALUE IS NOT NULL) AND (COALESCE((VALUE)::integer, 1) > 0) AND ((- (VALUE)::integer) < 0)))
--> CHECK (((s)::integer > 1))
--> CHECK ((id IS NOT NULL))
--> SELECT 3

SELECT split_part(pg_get_indexdef('do_of_s'::regclass), 'USING', 2)
--> split_part text
-->  btree ((((s)::integer + 1))) WHERE ((s)::integer > 2)
--> SELECT 1

INSERT INTO do_of VALUES (1, DEFAULT, NULL), (2, 5, '{}'), (3, 6, '{2,3}') RETURNING *
--> id int4 | s int4 | ss user
--> 1 | 4 | ∅
--> 2 | 5 | {}
--> 3 | 6 | {2,3}
--> INSERT 0 3
--?> id int4 | s int4 | ss int4[]
--?> 1 | 4 | ∅
--?> 2 | 5 | {}
--?> 3 | 6 | {2,3}
--?> INSERT 0 3

INSERT INTO do_of (id) VALUES (4) RETURNING s, ss
--> s int4 | ss user
--> 4 | ∅
--> INSERT 0 1
--?> s int4 | ss int4[]
--?> 4 | ∅
--?> INSERT 0 1

INSERT INTO do_of VALUES (5, 5, '{2,NULL}')
--> ERROR 23502: domain do_above does not allow null values
-->   type: do_above

SELECT NULL::do_above[], '{}'::do_above[]
--> do_above user | do_above user
--> ∅ | {}
--> SELECT 1
--?> do_above int4[] | do_above int4[]
--?> ∅ | {}
--?> SELECT 1

COMMENT ON CONSTRAINT low ON DOMAIN do_above IS 'below ten'
--> COMMENT

SELECT obj_description(oid, 'pg_constraint') FROM pg_constraint WHERE conname = 'low' AND contypid = 'do_above'::regtype
--> obj_description text
--> below ten
--> SELECT 1

COMMENT ON CONSTRAINT nosuch ON DOMAIN do_above IS 'x'
--> ERROR 42704: constraint "nosuch" for domain do_above does not exist

CREATE TYPE do_label AS ENUM ('a')
--> CREATE TYPE

COMMENT ON CONSTRAINT nosuch ON DOMAIN do_label IS 'x'
--> ERROR 42809: "do_label" is not a domain

COMMENT ON CONSTRAINT nosuch ON DOMAIN do_nosuch IS 'x'
--> ERROR 42704: type "do_nosuch" does not exist

CREATE TABLE do_flag (i int CHECK (i))
--> ERROR 42804: argument of CHECK must be type boolean, not type integer

CREATE TABLE do_flag (i int, CHECK (i + 1))
--> ERROR 42804: argument of CHECK must be type boolean, not type integer

CREATE INDEX do_flags ON do_of (id) WHERE id + 1
--> ERROR 42804: argument of WHERE must be type boolean, not type integer

DROP DOMAIN do_base
--> ERROR 2BP01: cannot drop type do_base because other objects depend on it
-->   detail: type do_above depends on type do_base
--> column ss of table do_of depends on type do_above[]
--> column s of table do_of depends on type do_above
--> column id of table do_of depends on type do_base

DROP TABLE do_of
--> DROP TABLE

DROP DOMAIN do_base CASCADE
--> NOTICE: drop cascades to type do_above
--> DROP DOMAIN

DROP TYPE do_label
--> DROP TYPE

create domain de_p as int check (value > 0); create domain de_few as int[] check (array_length(value, 1) < 3); create domain de_seven as int default 7
--> CREATE DOMAIN
--> CREATE DOMAIN
--> CREATE DOMAIN

create table de (id int primary key, a de_p[], f de_few)
--> CREATE TABLE

insert into de values (1, '{1,2}', '{1,2}')
--> INSERT 0 1

update de set a[1] = -1
--> ERROR 23514: value for domain de_p violates check constraint "de_p_check"
-->   type: de_p
-->   constraint: de_p_check

update de set a[1] = 5, a[2] = -6
--> ERROR 23514: value for domain de_p violates check constraint "de_p_check"
-->   type: de_p
-->   constraint: de_p_check

update de set f[3] = 3
--> ERROR 23514: value for domain de_few violates check constraint "de_few_check"
-->   type: de_few
-->   constraint: de_few_check

update de set a[1] = 5, f[1] = 9 returning a::int[], f
--> a int4[] | f int4[]
--> {5,2} | {9,2}
--> UPDATE 1

alter table de add column g de_seven generated always as (id + 1) stored
--> ALTER TABLE

select g from de
--> g int4
--> 2
--> SELECT 1

drop table de
--> DROP TABLE

drop domain de_p, de_few, de_seven
--> DROP DOMAIN

-- NULL as the default of a column is not the default of its domain.
CREATE DOMAIN three AS int DEFAULT 3
--> CREATE DOMAIN

CREATE TABLE threes (k int, c1 three, c2 three NOT NULL DEFAULT NULL, c3 three DEFAULT NULL)
--> CREATE TABLE

INSERT INTO threes (k) VALUES (1)
--> ERROR 23502: null value in column "c2" of relation "threes" violates not-null constraint
-->   detail: Failing row contains (1, 3, null, null).
-->   table: threes
-->   column: c2

INSERT INTO threes (k, c2) VALUES (1, 2) RETURNING *
--> k int4 | c1 int4 | c2 int4 | c3 int4
--> 1 | 3 | 2 | ∅
--> INSERT 0 1

ALTER TABLE threes ALTER COLUMN c2 DROP DEFAULT
--> ALTER TABLE

INSERT INTO threes (k) VALUES (1) RETURNING *
--> k int4 | c1 int4 | c2 int4 | c3 int4
--> 1 | 3 | 3 | ∅
--> INSERT 0 1
