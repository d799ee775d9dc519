-- Roles and grants: who may do what, as statements are told it.
CREATE SCHEMA rl
--> CREATE SCHEMA

SET search_path = rl
--> SET

GRANT USAGE ON SCHEMA rl TO PUBLIC
--> GRANT

CREATE ROLE rl_ann
--> CREATE ROLE

CREATE ROLE rl_ann
--> ERROR 42710: role "rl_ann" already exists

CREATE ROLE rl_bob NOINHERIT
--> CREATE ROLE

CREATE ROLE rl_team ROLE rl_bob ADMIN rl_ann
--> CREATE ROLE

CREATE ROLE pg_mine
--> ERROR 42939: role name "pg_mine" is reserved
-->   detail: Role names starting with "pg_" are reserved.

CREATE ROLE rl_x SUPERHERO
--> ERROR 42601: unrecognized role option "superhero"

CREATE ROLE CURRENT_USER
--> ERROR 42939: CURRENT_USER cannot be used as a role name here

GRANT rl_ann TO rl_team
--> ERROR 0LP01: role "rl_ann" is a member of role "rl_team"

GRANT rl_team TO rl_bob
--> NOTICE: role "rl_bob" is already a member of role "rl_team"
--> GRANT ROLE

SELECT rolname, rolsuper, rolinherit, rolcanlogin, rolconnlimit, rolpassword FROM pg_roles WHERE rolname LIKE 'rl\_%' ORDER BY 1
--> rolname name | rolsuper bool | rolinherit bool | rolcanlogin bool | rolconnlimit int4 | rolpassword text
--> rl_ann | f | t | f | -1 | ********
--> rl_bob | f | f | f | -1 | ********
--> rl_team | f | t | f | -1 | ********
--> SELECT 3

SELECT roleid::regrole, member::regrole, admin_option FROM pg_auth_members WHERE roleid = 'rl_team'::regrole ORDER BY 2
--> roleid 4096 | member 4096 | admin_option bool
--> rl_team | rl_ann | t
--> rl_team | rl_bob | f
--> SELECT 2

CREATE TABLE rl_t (id int PRIMARY KEY, a int, b text)
--> CREATE TABLE

CREATE VIEW rl_v AS SELECT id, b FROM rl_t
--> CREATE VIEW

CREATE SEQUENCE rl_s
--> CREATE SEQUENCE

INSERT INTO rl_t VALUES (1, 2, 'x')
--> INSERT 0 1

GRANT SELECT (id), UPDATE (a) ON rl_t TO rl_team
--> GRANT

GRANT SELECT ON rl_v TO rl_ann WITH GRANT OPTION
--> GRANT

GRANT USAGE ON rl_t TO rl_ann
--> ERROR 0LP01: invalid privilege type USAGE for table

GRANT EXECUTE ON TABLE rl_t TO rl_ann
--> ERROR 0LP01: invalid privilege type EXECUTE for relation

GRANT SELECT ON rl_nothing TO rl_ann
--> ERROR 42P01: relation "rl_nothing" does not exist

GRANT SELECT ON rl_t TO rl_nobody
--> ERROR 42704: role "rl_nobody" does not exist

GRANT SELECT ON rl_t TO PUBLIC WITH GRANT OPTION
--> ERROR 0LP01: grant options can only be granted to roles

SELECT has_table_privilege('rl_ann', 'rl_v', 'SELECT WITH GRANT OPTION'), has_table_privilege('rl_ann', 'rl_t', 'SELECT'), has_column_privilege('rl_ann', 'rl_t', 'id', 'SELECT'), has_any_column_privilege('rl_ann', 'rl_t', 'UPDATE'), has_column_privilege('rl_bob', 'rl_t', 'id', 'SELECT'), pg_has_role('rl_bob', 'rl_team', 'USAGE'), pg_has_role('rl_bob', 'rl_team', 'MEMBER')
--> has_table_privilege bool | has_table_privilege bool | has_column_privilege bool | has_any_column_privilege bool | has_column_privilege bool | pg_has_role bool | pg_has_role bool
--> t | f | t | t | f | f | t
--> SELECT 1

SELECT has_table_privilege('rl_ann', 'rl_t', 'FLY')
--> ERROR 22023: unrecognized privilege type: "FLY"

SELECT has_table_privilege('rl_nobody', 'rl_t', 'SELECT')
--> ERROR 42704: role "rl_nobody" does not exist

SELECT has_sequence_privilege('rl_ann', 'rl_s', 'USAGE'), has_schema_privilege('rl_ann', 'pg_catalog', 'USAGE'), has_database_privilege('rl_ann', current_database(), 'CREATE')
--> has_sequence_privilege bool | has_schema_privilege bool | has_database_privilege bool
--> f | t | f
--> SELECT 1

SET ROLE rl_ann
--> SET

SELECT current_user
--> current_user name
--> rl_ann
--> SELECT 1

SELECT id FROM rl_t
--> id int4
--> 1
--> SELECT 1

SELECT * FROM rl_v
--> id int4 | b text
--> 1 | x
--> SELECT 1

SELECT a FROM rl_t
--> ERROR 42501: permission denied for table rl_t

UPDATE rl_t SET a = 3
--> UPDATE 1

UPDATE rl_t SET a = a + 1
--> ERROR 42501: permission denied for table rl_t

UPDATE rl_t SET b = 'y'
--> ERROR 42501: permission denied for table rl_t

DELETE FROM rl_t
--> ERROR 42501: permission denied for table rl_t

SELECT nextval('rl_s')
--> ERROR 42501: permission denied for sequence rl_s

GRANT SELECT ON rl_v TO rl_bob
--> GRANT

GRANT SELECT ON rl_t TO rl_bob
--> ERROR 42501: permission denied for table rl_t

GRANT UPDATE ON rl_v TO rl_bob
--> WARNING: no privileges were granted for "rl_v"
--> GRANT

DROP TABLE rl_t
--> ERROR 42501: must be owner of table rl_t

CREATE ROLE rl_other
--> ERROR 42501: permission denied to create role

SET ROLE rl_bob
--> SET

RESET ROLE
--> RESET

SELECT a FROM rl_t
--> a int4
--> 3
--> SELECT 1

REVOKE SELECT ON rl_v FROM rl_ann
--> ERROR 2BP01: dependent privileges exist

REVOKE SELECT ON rl_v FROM rl_ann CASCADE
--> REVOKE

SELECT has_table_privilege('rl_bob', 'rl_v', 'SELECT')
--> has_table_privilege bool
--> f
--> SELECT 1

REVOKE rl_team FROM rl_bob
--> REVOKE ROLE

REVOKE rl_team FROM rl_bob
--> WARNING: role "rl_bob" is not a member of role "rl_team"
--> REVOKE ROLE

DROP ROLE rl_team
--> ERROR 2BP01: role "rl_team" cannot be dropped because some objects depend on it
-->   detail: privileges for column id of table rl_t
--> privileges for column a of table rl_t

ALTER TABLE rl_t OWNER TO rl_ann
--> ALTER TABLE

DROP ROLE rl_ann
--> ERROR 2BP01: role "rl_ann" cannot be dropped because some objects depend on it
-->   detail: owner of table rl_t

SELECT tableowner FROM pg_tables WHERE tablename = 'rl_t'
--> tableowner name
--> rl_ann
--> SELECT 1

REASSIGN OWNED BY rl_ann TO rl_bob
--> REASSIGN OWNED

DROP OWNED BY rl_team, rl_ann
--> DROP OWNED

ALTER DEFAULT PRIVILEGES FOR ROLE rl_bob GRANT SELECT ON TABLES TO rl_ann
--> ALTER DEFAULT PRIVILEGES

SELECT defaclrole::regrole, defaclobjtype, defaclacl FROM pg_default_acl
--> defaclrole 4096 | defaclobjtype char1 | defaclacl 1034
--> rl_bob | r | {rl_ann=r/rl_bob,rl_bob=arwdDxt/rl_bob}
--> SELECT 1

DROP VIEW rl_v
--> DROP VIEW

DROP OWNED BY rl_bob
--> DROP OWNED

DROP SEQUENCE rl_s
--> DROP SEQUENCE

DROP ROLE rl_ann, rl_bob, rl_team, rl_nobody
--> ERROR 42704: role "rl_nobody" does not exist

DROP ROLE rl_ann, rl_bob, rl_team
--> DROP ROLE

DROP ROLE IF EXISTS rl_ann
--> NOTICE: role "rl_ann" does not exist, skipping
--> DROP ROLE

RESET search_path
--> RESET

DROP SCHEMA rl
--> DROP SCHEMA

ALTER DATABASE nope CONNECTION LIMIT 3
--> ERROR 3D000: database "nope" does not exist

ALTER DATABASE quorate CONNECTION LIMIT -2
--> ERROR 22023: invalid connection limit: -2

ALTER DATABASE quorate WITH CONNECTION LIMIT 5 CONNECTION LIMIT 6
--> ERROR 42601: conflicting or redundant options

ALTER DATABASE quorate CONNECTION LIMIT 7 NONSENSE 1
--> ERROR 42601: option "nonsense" not recognized

ALTER DATABASE quorate ALLOW_CONNECTIONS false
--> ERROR 22023: cannot disallow connections for current database

ALTER DATABASE quorate CONNECTION LIMIT = 7 IS_TEMPLATE false ALLOW_CONNECTIONS true
--> ALTER DATABASE

SELECT datconnlimit FROM pg_database WHERE datname = 'quorate'
--> datconnlimit int4
--> 7
--> SELECT 1

ALTER DATABASE quorate CONNECTION LIMIT -1
--> ALTER DATABASE
