-- Row types, extensions that were created, and PostgreSQL's predefined roles.

-- The types of rows: a relation's OID tells that of its type, and the next number is the array over it (see `types::Own`).
UPDATE "pg_catalog.pg_class" SET reltype = 1610612736 + 2 * oid WHERE relkind IN ('r', 'v') AND oid >= 16384;
INSERT INTO "pg_catalog.pg_type"(oid, typname, typnamespace, typowner, typlen, typbyval, typtype, typcategory,
  typispreferred, typisdefined, typdelim, typrelid, typsubscript, typelem, typarray, typinput, typoutput, typreceive,
  typsend, typmodin, typmodout, typanalyze, typalign, typstorage, typnotnull, typbasetype, typtypmod, typndims, typcollation)
SELECT reltype, relname, relnamespace, 10, -1, 0, 'c', 'C', 0, 1, ',', oid, 0, 0, reltype + 1, 2290, 2291, 2402, 2403, 0, 0, 0,
  'd', 'x', 0, 0, -1, 0, 0
FROM "pg_catalog.pg_class" WHERE relkind IN ('r', 'v') AND oid >= 16384
UNION ALL
SELECT reltype + 1, '_' || relname, relnamespace, 10, -1, 0, 'b', 'A', 0, 1, ',', 0, 6179, reltype, 0, 750, 751, 2400, 2401, 0, 0,
  3816, 'd', 'x', 0, 0, -1, 0, 0
FROM "pg_catalog.pg_class" WHERE relkind IN ('r', 'v') AND oid >= 16384;

-- Expressions that tables keep: what is compiled (`source` and its like), beside what clients are shown (a JSON array of the
-- plain and the pretty form).
ALTER TABLE "pg_catalog.pg_attrdef" ADD COLUMN source TEXT;
ALTER TABLE "pg_catalog.pg_constraint" ADD COLUMN source TEXT;
ALTER TABLE "pg_catalog.pg_index" ADD COLUMN predsource TEXT;
ALTER TABLE "pg_catalog.pg_index" ADD COLUMN exprsource TEXT;
ALTER TABLE "pg_catalog.pg_index" ADD COLUMN prettylist TEXT;
UPDATE "pg_catalog.pg_attrdef" SET source = adbin, adbin = json_array(adbin, adbin);
UPDATE "pg_catalog.pg_constraint" SET source = conbin, conbin = json_array('(' || conbin || ')', conbin)
WHERE conbin IS NOT NULL;
UPDATE "pg_catalog.pg_index" SET predsource = indpred, indpred = json_array('(' || indpred || ')', indpred)
WHERE indpred IS NOT NULL;
UPDATE "pg_catalog.pg_index" SET exprsource = indexprlist, prettylist = indexprlist, indexprs = json_array(indexprs, indexprs)
WHERE indexprlist IS NOT NULL;

CREATE TABLE "pg_catalog.pg_extension"(
  oid INTEGER PRIMARY KEY,
  extname TEXT NOT NULL UNIQUE,
  extowner INTEGER NOT NULL,
  extnamespace INTEGER NOT NULL,
  extrelocatable INTEGER NOT NULL,
  extversion TEXT NOT NULL,
  extconfig BLOB,
  extcondition BLOB
) STRICT;

INSERT INTO "pg_catalog.pg_authid"(oid, rolname, rolsuper, rolinherit, rolcreaterole, rolcreatedb, rolcanlogin, rolreplication, rolbypassrls, rolconnlimit)
VALUES (3373, 'pg_monitor', 0, 1, 0, 0, 0, 0, 0, -1),
  (3374, 'pg_read_all_settings', 0, 1, 0, 0, 0, 0, 0, -1),
  (3375, 'pg_read_all_stats', 0, 1, 0, 0, 0, 0, 0, -1),
  (3377, 'pg_stat_scan_tables', 0, 1, 0, 0, 0, 0, 0, -1),
  (4200, 'pg_signal_backend', 0, 1, 0, 0, 0, 0, 0, -1),
  (4544, 'pg_checkpoint', 0, 1, 0, 0, 0, 0, 0, -1),
  (4569, 'pg_read_server_files', 0, 1, 0, 0, 0, 0, 0, -1),
  (4570, 'pg_write_server_files', 0, 1, 0, 0, 0, 0, 0, -1),
  (4571, 'pg_execute_server_program', 0, 1, 0, 0, 0, 0, 0, -1),
  (6171, 'pg_database_owner', 0, 1, 0, 0, 0, 0, 0, -1),
  (6181, 'pg_read_all_data', 0, 1, 0, 0, 0, 0, 0, -1),
  (6182, 'pg_write_all_data', 0, 1, 0, 0, 0, 0, 0, -1);
