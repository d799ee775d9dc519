-- What objects rest on, as PostgreSQL tells it (see `sql::ddl::depend`). Of what was there before, only that is written down
-- which the catalog itself tells: which columns views and conditions read, it does not.

-- A view's rule has the view's OID.
UPDATE "pg_catalog.pg_depend" SET classid = 2618
WHERE classid = 1259 AND refclassid = 1259 AND deptype = 'n' AND objid IN (SELECT oid FROM "_quorate_view");
INSERT INTO "pg_catalog.pg_depend"(classid, objid, objsubid, refclassid, refobjid, refobjsubid, deptype)
SELECT 2618, v.oid, 0, 1259, v.oid, 0, kind.value FROM "_quorate_view" v CROSS JOIN json_each('["i", "n"]') kind
UNION ALL
SELECT 1259, c.oid, 0, 2615, c.relnamespace, 0, 'n' FROM "pg_catalog.pg_class" c
WHERE c.oid >= 16384 AND c.relkind IN ('r', 'v', 'S')
UNION ALL
SELECT 1247, t.oid, 0, 2615, t.typnamespace, 0, 'n' FROM "pg_catalog.pg_type" t WHERE t.oid >= 16384 AND t.typtype = 'e'
UNION ALL
SELECT 1247, t.oid, 0, 1259, t.typrelid, 0, 'i' FROM "pg_catalog.pg_type" t WHERE t.oid >= 16384 AND t.typtype = 'c'
UNION ALL
SELECT 1247, t.typarray, 0, 1247, t.oid, 0, 'i' FROM "pg_catalog.pg_type" t WHERE t.oid >= 16384 AND t.typarray <> 0
UNION ALL
SELECT 1259, a.attrelid, a.attnum, 1247, a.atttypid, 0, 'n' FROM "pg_catalog.pg_attribute" a
JOIN "pg_catalog.pg_class" c ON c.oid = a.attrelid AND c.relkind IN ('r', 'v')
WHERE a.attrelid >= 16384 AND a.atttypid >= 16384
UNION ALL
SELECT 2604, d.oid, 0, 1259, d.adrelid, d.adnum, iif(a.attgenerated = 's', 'i', 'a') FROM "pg_catalog.pg_attrdef" d
JOIN "pg_catalog.pg_attribute" a ON a.attrelid = d.adrelid AND a.attnum = d.adnum
UNION ALL
-- A default beside a sequence of its own.
SELECT 2604, d.oid, 0, 1259, s.objid, 0, 'n' FROM "pg_catalog.pg_attrdef" d
JOIN "pg_catalog.pg_depend" s ON s.classid = 1259 AND s.refclassid = 1259 AND s.refobjid = d.adrelid
  AND s.refobjsubid = d.adnum AND s.deptype = 'a' AND s.objid IN (SELECT seqrelid FROM "pg_catalog.pg_sequence");

-- Expressions with all names qualified, for search paths without `public`.
ALTER TABLE "pg_catalog.pg_index" ADD COLUMN qualifiedlist TEXT;
ALTER TABLE "pg_catalog.pg_index" ADD COLUMN qualifiedpretty TEXT;

-- PostgreSQL's databases have it from the beginning.
INSERT OR IGNORE INTO "pg_catalog.pg_extension"(oid, extname, extowner, extnamespace, extrelocatable, extversion)
VALUES (13559, 'plpgsql', 10, 11, 0, '1.0');
