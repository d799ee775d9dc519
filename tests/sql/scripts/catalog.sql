-- What drivers, tools and people ask the catalog for: built-in functions and operators, settings, privileges, statistics.
SELECT t.typname, p.proname FROM pg_type t JOIN pg_proc p ON p.oid = t.typreceive WHERE t.typname IN ('_int4', 'int4', 'jsonb', '_text') ORDER BY 1
--> typname name | proname name
--> _int4 | array_recv
--> _text | array_recv
--> int4 | int4recv
--> jsonb | jsonb_recv
--> SELECT 4

SELECT typname, typinput, typoutput::oid, typsend FROM pg_type WHERE oid IN (16, 25, 1231) ORDER BY oid
--> typname name | typinput 24 | typoutput oid | typsend 24
--> bool | boolin | 1243 | boolsend
--> text | textin | 47 | textsend
--> _numeric | array_in | 751 | array_send
--> SELECT 3

SELECT oid, proname, proargtypes, prorettype::regtype, provolatile FROM pg_proc WHERE proname IN ('lower', 'upper', 'btrim') AND prokind = 'f' AND NOT 3904 = ANY(proargtypes) AND prorettype = 25 ORDER BY oid
--> oid oid | proname name | proargtypes 30 | prorettype regtype | provolatile char1
--> 870 | lower | 25 | text | i
--> 871 | upper | 25 | text | i
--> 884 | btrim | 25 25 | text | i
--> 885 | btrim | 25 | text | i
--> SELECT 4

SELECT pg_get_function_arguments(3464) AS arguments, pg_get_function_identity_arguments(3464) AS identity, pg_get_function_result(1068) AS result
--> arguments text | identity text | result text
--> years integer DEFAULT 0, months integer DEFAULT 0, weeks integer DEFAULT 0, days integer DEFAULT 0, hours integer DEFAULT 0, mins integer DEFAULT 0, secs double precision DEFAULT 0.0 | years integer, months integer, weeks integer, days integer, hours integer, mins integer, secs double precision | SETOF bigint
--> SELECT 1

SELECT pg_get_function_arguments(0) AS nothing
--> nothing text
--> ∅
--> SELECT 1

SELECT o.oprname, o.oprleft::regtype, o.oprright::regtype, o.oprcode, n.oprname AS negator FROM pg_operator o JOIN pg_operator n ON n.oid = o.oprnegate WHERE o.oprname = '=' AND o.oprleft IN (20, 23, 25) ORDER BY o.oid
--> oprname name | oprleft regtype | oprright regtype | oprcode 24 | negator name
--> = | integer | bigint | int48eq | <>
--> = | integer | integer | int4eq | <>
--> = | text | text | texteq | <>
--> = | text | name | texteqname | <>
--> = | bigint | bigint | int8eq | <>
--> = | bigint | integer | int84eq | <>
--> = | integer | smallint | int42eq | <>
--> = | bigint | smallint | int82eq | <>
--> SELECT 8

SELECT castsource::regtype, casttarget::regtype, castcontext, castmethod FROM pg_cast WHERE castsource = 23 AND casttarget IN (20, 21, 701, 1700) ORDER BY 2
--> castsource regtype | casttarget regtype | castcontext char1 | castmethod char1
--> integer | bigint | i | f
--> integer | smallint | a | f
--> integer | double precision | i | f
--> integer | numeric | i | f
--> SELECT 4

SELECT a.aggfnoid::oid, p.proname, a.aggkind, a.agginitval FROM pg_aggregate a JOIN pg_proc p ON p.oid = a.aggfnoid WHERE p.proname IN ('sum', 'count') AND p.pronargs = 1 AND p.prorettype IN (20, 1700) ORDER BY 1
--> aggfnoid oid | proname name | aggkind char1 | agginitval text
--> 2107 | sum | n | ∅
--> 2108 | sum | n | ∅
--> 2109 | sum | n | ∅
--> 2114 | sum | n | ∅
--> 2147 | count | n | 0
--> SELECT 5

SELECT amopstrategy, amopopr::oid FROM pg_amop WHERE amopfamily = 1976 AND amoplefttype = 23 AND amoprighttype = 23 ORDER BY 1
--> amopstrategy int2 | amopopr oid
--> 1 | 97
--> 2 | 523
--> 3 | 96
--> 4 | 525
--> 5 | 521
--> SELECT 5

-- Settings without effect here are checked, kept and shown.
SET enable_async_append = off
--> SET

SHOW enable_async_append
--> enable_async_append text
--> off
--> SHOW

RESET enable_async_append
--> RESET

SET log_lock_waits = 'perhaps'
--> ERROR 22023: parameter "log_lock_waits" requires a Boolean value

SET vacuum_freeze_min_age = -1
--> ERROR 22023: -1 is outside the valid range for parameter "vacuum_freeze_min_age" (0 .. 1000000000)

SELECT name, setting, unit, vartype, context, enumvals FROM pg_settings WHERE name IN ('autovacuum_naptime', 'wal_sync_method', 'geqo_seed', 'vacuum_cost_delay') ORDER BY name
--> name text | setting text | unit text | vartype text | context text | enumvals text[]
--> autovacuum_naptime | 60 | s | integer | sighup | ∅
--> geqo_seed | 0 | ∅ | real | user | ∅
--> vacuum_cost_delay | 0 | ms | real | user | ∅
--> wal_sync_method | fdatasync | ∅ | enum | sighup | {fsync,fdatasync,open_sync,open_datasync}
--> SELECT 4

SET default_with_oids = false
--> SET

SET max_wal_size = '1GB'
--> ERROR 55P02: parameter "max_wal_size" cannot be changed now

SELECT has_table_privilege('pg_class', 'select') AS t, has_any_column_privilege('pg_class', 'SELECT, UPDATE') AS c, has_schema_privilege('public', 'create with grant option') AS s, has_language_privilege('internal', 'usage') AS l
--> t bool | c bool | s bool | l bool
--> t | t | t | t
--> SELECT 1

SELECT has_table_privilege('pg_class', 'execute')
--> ERROR 22023: unrecognized privilege type: "execute"

SELECT kind, replace(acldefault(kind::"char", 10)::text, pg_get_userbyid(10), 'o') AS acl FROM (VALUES ('r'), ('s'), ('f'), ('d'), ('n'), ('T'), ('l'), ('c')) AS v(kind)
--> kind text | acl text
--> r | {o=arwdDxt/o}
--> s | {o=rwU/o}
--> f | {=X/o,o=X/o}
--> d | {=Tc/o,o=CTc/o}
--> n | {o=UC/o}
--> T | {=U/o,o=U/o}
--> l | {=U/o,o=U/o}
--> c | {}
--> SELECT 8

CREATE TABLE counted (a int PRIMARY KEY)
--> CREATE TABLE

SELECT schemaname = current_schema() AS here, relname, n_live_tup, last_vacuum FROM pg_stat_user_tables WHERE relname = 'counted'
--> here bool | relname name | n_live_tup int8 | last_vacuum timestamptz
--> t | counted | 0 | ∅
--> SELECT 1

SELECT relname, indexrelname FROM pg_stat_user_indexes WHERE relname = 'counted'
--> relname name | indexrelname name
--> counted | counted_pkey
--> SELECT 1

SELECT relname, heap_blks_read IS NOT NULL AS counted FROM pg_statio_user_tables WHERE relname = 'counted'
--> relname name | counted bool
--> counted | t
--> SELECT 1

SELECT count(*) FROM pg_replication_slots
--> count int8
--> 0
--> SELECT 1

SELECT count(*) FROM pg_seclabels
--> count int8
--> 0
--> SELECT 1

SELECT privilege_type, is_grantable FROM information_schema.table_privileges WHERE table_name = 'counted' ORDER BY 1
--> privilege_type varchar | is_grantable varchar
--> DELETE | YES
--> INSERT | YES
--> REFERENCES | YES
--> SELECT | YES
--> TRIGGER | YES
--> TRUNCATE | YES
--> UPDATE | YES
--> SELECT 7

SELECT column_name, privilege_type FROM information_schema.column_privileges WHERE table_name = 'counted' ORDER BY 1, 2
--> column_name name | privilege_type varchar
--> a | INSERT
--> a | REFERENCES
--> a | SELECT
--> a | UPDATE
--> SELECT 4

SELECT constraint_name FROM information_schema.constraint_table_usage WHERE table_name = 'counted'
--> constraint_name name
--> counted_pkey
--> SELECT 1

DROP TABLE counted
--> DROP TABLE

SELECT typname[0] = '_', typname[3], typname[4] = '', typname[64] IS NULL, typname[-1] IS NULL FROM pg_type WHERE typname IN ('int4', '_int4') ORDER BY oid
--> ?column? bool | typname char1 | ?column? bool | ?column? bool | ?column? bool
--> f | 4 | t | t | t
--> t | t | f | t | t
--> SELECT 2
