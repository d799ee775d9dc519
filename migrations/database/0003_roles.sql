-- Roles are the database's: members of roles, settings of roles, default privileges, and what a database grants.

CREATE TABLE "pg_catalog.pg_auth_members"(
  roleid INTEGER NOT NULL,
  member INTEGER NOT NULL,
  grantor INTEGER NOT NULL,
  admin_option INTEGER NOT NULL,
  PRIMARY KEY (roleid, member)
) STRICT;
-- pg_monitor is a member of the roles that read settings and statistics.
INSERT INTO "pg_catalog.pg_auth_members" VALUES (3374, 3373, 10, 0), (3375, 3373, 10, 0), (3377, 3373, 10, 0);
CREATE UNIQUE INDEX "pg_catalog.pg_authid.1" ON "pg_catalog.pg_authid"(rolname);

CREATE TABLE "pg_catalog.pg_db_role_setting"(
  setdatabase INTEGER NOT NULL,
  setrole INTEGER NOT NULL,
  setconfig BLOB,
  PRIMARY KEY (setdatabase, setrole)
) STRICT;

CREATE TABLE "pg_catalog.pg_default_acl"(
  oid INTEGER PRIMARY KEY,
  defaclrole INTEGER NOT NULL,
  defaclnamespace INTEGER NOT NULL,
  defaclobjtype TEXT NOT NULL,
  defaclacl BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX "pg_catalog.pg_default_acl.1"
ON "pg_catalog.pg_default_acl"(defaclrole, defaclnamespace, defaclobjtype);

-- What is said of the database: its owner, what it grants, and as of which version of the home's catalog its roles are.
CREATE TABLE "_quorate_database"(
  one INTEGER PRIMARY KEY CHECK (one = 1),
  datdba INTEGER NOT NULL,
  datacl BLOB,
  told INTEGER NOT NULL
) STRICT;
INSERT INTO "_quorate_database" VALUES (1, 10, NULL, 0);

-- Arrays of aclitem: owners have all rights, everybody may use `public`, the catalogs and the languages, monitors what
-- Quorate tells of itself.
UPDATE "pg_catalog.pg_namespace" SET nspacl =
  x'00000001000000000000040900000002000000010000002670675f64617461626173655f6f776e65723d55432f70675f64617461626173655f6f776e6572000000143d552f70675f64617461626173655f6f776e6572'
WHERE nspname = 'public';
UPDATE "pg_catalog.pg_namespace" SET nspacl =
  x'00000001000000000000040900000002000000010000001271756f726174653d55432f71756f726174650000000a3d552f71756f72617465'
WHERE nspname IN ('pg_catalog', 'information_schema');
UPDATE "pg_catalog.pg_namespace" SET nspacl =
  x'00000001000000000000040900000002000000010000001271756f726174653d55432f71756f726174650000001470675f6d6f6e69746f723d552f71756f72617465'
WHERE nspname = 'quorate';
UPDATE "pg_catalog.pg_class" SET relacl = x'00000001000000000000040900000002000000010000001771756f726174653d617277644478742f71756f726174650000000a3d722f71756f72617465'
WHERE oid < 16384 AND relname NOT IN ('pg_authid', 'pg_statistic', 'pg_statistic_ext_data', 'pg_largeobject',
  'pg_user_mapping', 'pg_subscription');
