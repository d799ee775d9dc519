-- Settings, prepared statements, cursors, and what the session says of itself.
SELECT current_setting('server_version_num')::int / 10000 AS major
--> major int4
--> 15
--> SELECT 1

SHOW standard_conforming_strings
--> standard_conforming_strings text
--> on
--> SHOW

SHOW client_encoding
--> client_encoding text
--> UTF8
--> SHOW

SET application_name = 'scripts'
--> SET

SHOW application_name
--> application_name text
--> scripts
--> SHOW

SET nothing_like_this = 1
--> ERROR 42704: unrecognized configuration parameter "nothing_like_this"

SHOW nothing_like_this
--> ERROR 42704: unrecognized configuration parameter "nothing_like_this"

SET statement_timeout = '3s'
--> SET

SHOW statement_timeout
--> statement_timeout text
--> 3s
--> SHOW

SET statement_timeout = 'soon'
--> ERROR 22023: invalid value for parameter "statement_timeout": "soon"

RESET statement_timeout
--> RESET

SHOW statement_timeout
--> statement_timeout text
--> 0
--> SHOW

SELECT set_config('application_name', 'other', false), current_setting('application_name')
--> set_config text | current_setting text
--> other | other
--> SELECT 1

SELECT set_config(name, '77MB', false) FROM pg_settings WHERE name = 'work_mem'
--> set_config text
--> 77MB
--> SELECT 1

SHOW work_mem
--> work_mem text
--> 77MB
--> SHOW

SELECT set_config('my.x' || g, g::text, false) FROM generate_series(1, 2) g ORDER BY g
--> set_config text
--> 1
--> 2
--> SELECT 2

SELECT current_setting('my.x2')
--> current_setting text
--> 2
--> SELECT 1

SELECT set_config('nonsense', 'x', false)
--> ERROR 42704: unrecognized configuration parameter "nonsense"

SELECT set_config('work_mem', 'x', false)
--> ERROR 22023: invalid value for parameter "work_mem": "x"

SELECT set_config('work_mem', '5MB', false), 1 / (g - 1) FROM generate_series(1, 1) g
--> ERROR 22012: division by zero

SELECT 1 AS one
--> one int4
--> 1
--> SELECT 1

SHOW work_mem
--> work_mem text
--> 77MB
--> SHOW

SELECT set_config(NULL, 'x', false)
--> ERROR 22004: SET requires parameter name

SELECT set_config('work_mem', NULL, false)
--> set_config text
--> 4MB
--> SELECT 1

BEGIN
--> BEGIN

CREATE TABLE while_set (a int)
--> CREATE TABLE

INSERT INTO while_set VALUES (1)
--> INSERT 0 1

SELECT current_setting('work_mem') AS before, set_config('work_mem', '9MB', true) AS after
--> before text | after text
--> 4MB | 9MB
--> SELECT 1

SHOW work_mem
--> work_mem text
--> 9MB
--> SHOW

ROLLBACK
--> ROLLBACK

SHOW work_mem
--> work_mem text
--> 4MB
--> SHOW

BEGIN
--> BEGIN

SET LOCAL application_name = 'inside'
--> SET

SHOW application_name
--> application_name text
--> inside
--> SHOW

COMMIT
--> COMMIT

SHOW application_name
--> application_name text
--> other
--> SHOW

SHOW transaction_isolation
--> transaction_isolation text
--> read committed
--> SHOW

PREPARE s_plus (int, int) AS SELECT $1 + $2 AS sum
--> PREPARE

EXECUTE s_plus (1, 2)
--> sum int4
--> 3
--> SELECT 1

EXECUTE s_plus (1)
--> ERROR 42601: wrong number of parameters for prepared statement "s_plus"
-->   detail: Expected 2 parameters but got 1.

EXECUTE s_plus ('a', 2)
--> ERROR 22P02: invalid input syntax for type integer: "a"

DEALLOCATE s_plus
--> DEALLOCATE

EXECUTE s_plus (1, 2)
--> ERROR 26000: prepared statement "s_plus" does not exist

BEGIN
--> BEGIN

DECLARE s_cur CURSOR FOR SELECT n FROM generate_series(1, 5) AS n
--> DECLARE CURSOR

FETCH 2 FROM s_cur
--> n int4
--> 1
--> 2
--> FETCH 2

FETCH ALL FROM s_cur
--> n int4
--> 3
--> 4
--> 5
--> FETCH 3

FETCH s_cur
--> n int4
--> FETCH 0

CLOSE s_cur
--> CLOSE CURSOR

FETCH s_cur
--> ERROR 34000: cursor "s_cur" does not exist

ROLLBACK
--> ROLLBACK

SELECT current_schema(), current_schemas(false)
--> current_schema name | current_schemas 1003
--> quorate_session | {quorate_session}
--> SELECT 1
--!> current_schema name | current_schemas 1003
--!> public | {public}
--!> SELECT 1

SELECT 1; SELECT 2; SELECT 'three'
--> ?column? int4
--> 1
--> SELECT 1
--> ?column? int4
--> 2
--> SELECT 1
--> ?column? text
--> three
--> SELECT 1

SELECT 1; SELECT 1 / 0; SELECT 3
--> ?column? int4
--> 1
--> SELECT 1
--> ERROR 22012: division by zero

BEGIN; SELECT 1; ROLLBACK
--> BEGIN
--> ?column? int4
--> 1
--> SELECT 1
--> ROLLBACK

START TRANSACTION READ ONLY
--> START TRANSACTION

CREATE TABLE s_none (a int)
--> ERROR 25006: cannot execute CREATE TABLE in a read-only transaction

ROLLBACK
--> ROLLBACK

BEGIN ISOLATION LEVEL SERIALIZABLE
--> BEGIN

SHOW transaction_isolation
--> transaction_isolation text
--> serializable
--> SHOW

COMMIT
--> COMMIT

ROLLBACK
--> WARNING: there is no transaction in progress
--> ROLLBACK

DISCARD ALL
--> DISCARD ALL

SELECT pg_backend_pid() > 0 AS has_pid
--> has_pid bool
--> t
--> SELECT 1

SELECT count(*) FROM pg_catalog.pg_namespace WHERE nspname = 'pg_catalog'
--> count int8
--> 1
--> SELECT 1

CREATE TABLE s_cat (id serial PRIMARY KEY, name varchar(20) NOT NULL DEFAULT 'x', tags text[])
--> CREATE TABLE

CREATE INDEX s_cat_name ON s_cat (name)
--> CREATE INDEX

SELECT attname, format_type(atttypid, atttypmod), attnotnull FROM pg_attribute WHERE attrelid = 's_cat'::regclass AND attnum > 0 ORDER BY attnum
--> attname name | format_type text | attnotnull bool
--> id | integer | t
--> name | character varying(20) | t
--> tags | text[] | f
--> SELECT 3

SELECT relname, relkind FROM pg_class WHERE relname LIKE 's\_cat%' ORDER BY relname
--> relname name | relkind char1
--> s_cat | r
--> s_cat_id_seq | S
--> s_cat_name | i
--> s_cat_pkey | i
--> SELECT 4

SELECT column_name, data_type, is_nullable, character_maximum_length FROM information_schema.columns WHERE table_name = 's_cat' ORDER BY ordinal_position
--> column_name name | data_type varchar | is_nullable varchar | character_maximum_length int4
--> id | integer | NO | ∅
--> name | character varying | NO | 20
--> tags | ARRAY | YES | ∅
--> SELECT 3

SELECT conname, contype, pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = 's_cat'::regclass
--> conname name | contype char1 | pg_get_constraintdef text
--> s_cat_pkey | p | PRIMARY KEY (id)
--> SELECT 1

SELECT i.relname, x.indisunique, x.indisprimary FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid WHERE x.indrelid = 's_cat'::regclass ORDER BY 1
--> relname name | indisunique bool | indisprimary bool
--> s_cat_name | f | f
--> s_cat_pkey | t | t
--> SELECT 2

SELECT table_name, table_type FROM information_schema.tables WHERE table_name = 's_cat'
--> table_name name | table_type varchar
--> s_cat | BASE TABLE
--> SELECT 1

-- What runs is SQLite's plan.
EXPLAIN (COSTS OFF) SELECT 1
--> QUERY PLAN text
--> Result
--> EXPLAIN
--!> QUERY PLAN text
--!> SCAN CONSTANT ROW
--!> EXPLAIN

LISTEN s_channel
--> LISTEN

NOTIFY s_channel, 'hello'
--> NOTIFY

UNLISTEN *
--> UNLISTEN

SELECT pg_advisory_lock(42), pg_advisory_unlock(42)
--> pg_advisory_lock void | pg_advisory_unlock bool
-->  | t
--> SELECT 1

VACUUM s_cat
--> VACUUM

ANALYZE s_cat
--> ANALYZE

LOCK TABLE s_cat
--> ERROR 25P01: LOCK TABLE can only be used in transaction blocks

GRANT SELECT ON s_cat TO public
--> GRANT

CREATE FUNCTION s_f() RETURNS int LANGUAGE sql AS 'SELECT 1'
--> CREATE FUNCTION
--!> ERROR 0A000: CREATE FUNCTION is not supported

DROP FUNCTION IF EXISTS s_f()
--> DROP FUNCTION
--!> NOTICE: function s_f() does not exist, skipping
--!> DROP FUNCTION

DROP TABLE s_cat
--> DROP TABLE

-- The types of a prepared statement's parameters are an array.
PREPARE with_types (text, int2, numeric[]) AS SELECT $1, $2, $3
--> PREPARE

SELECT parameter_types, parameter_types[2], cardinality(parameter_types), pg_typeof(parameter_types), 'smallint'::regtype = ANY (parameter_types) AS small FROM pg_prepared_statements WHERE name = 'with_types'
--> parameter_types 2211 | parameter_types regtype | cardinality int4 | pg_typeof regtype | small bool
--> {text,smallint,numeric[]} | smallint | 3 | regtype[] | t
--> SELECT 1

DEALLOCATE with_types
--> DEALLOCATE

-- Numbers with a fraction and a unit.
SET vacuum_cost_delay TO 80.1
--> SET

SHOW vacuum_cost_delay
--> vacuum_cost_delay text
--> 80100us
--> SHOW

SELECT setting, unit FROM pg_settings WHERE name = 'vacuum_cost_delay'
--> setting text | unit text
--> 80.1 | ms
--> SELECT 1

SET vacuum_cost_delay TO '10s'
--> ERROR 22023: 10000 ms is outside the valid range for parameter "vacuum_cost_delay" (0 .. 100)

SET vacuum_cost_delay TO '900us'
--> SET

SHOW vacuum_cost_delay
--> vacuum_cost_delay text
--> 900us
--> SHOW

RESET vacuum_cost_delay
--> RESET

SHOW vacuum_cost_delay
--> vacuum_cost_delay text
--> 0
--> SHOW

SET custom."bad-name" = 42
--> ERROR 42602: invalid configuration parameter name "custom.bad-name"
-->   detail: Custom parameter names must be two or more simple identifiers separated by dots.

SET custom.good_name$1 = 42
--> SET

CREATE SEQUENCE unused
--> CREATE SEQUENCE

SELECT currval('unused')
--> ERROR 55000: currval of sequence "unused" is not yet defined in this session
