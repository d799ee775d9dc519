-- Views of pg_catalog and information_schema over the tables of the catalog, in Postgres SQL.
-- Counters of statistics are 0 where nothing is counted (`track_counts` is off).
-- Each begins with a line `-- oid schema.name: column type, …`, to which the query's columns are converted.

-- 1262 pg_catalog.pg_database: oid oid!, datname name!, datdba oid!, encoding int4!, datlocprovider char!, datistemplate bool!, datallowconn bool!, datconnlimit int4!, datfrozenxid xid!, datminmxid xid!, dattablespace oid!, datcollate text!, datctype text!, daticulocale text, datcollversion text, datacl _aclitem
SELECT d.oid, d.name, d.owner, 6, 'c', d.is_template, d.connections, d.connection_limit, '0', '1', 1663, 'C', 'C.UTF-8', NULL, NULL, d.acl::aclitem[]
FROM quorate.databases d WHERE d.state <> 'creating'

-- 12073 pg_catalog.pg_locks: locktype text, database oid, relation oid, page int4, tuple int2, virtualxid text, transactionid xid, classid oid, objid oid, objsubid int2, virtualtransaction text, pid int4, mode text, granted bool, fastpath bool, waitstart timestamptz
SELECT l.locktype, l.database, CASE WHEN l.locktype <> 'advisory' THEN l.relation END, NULL, NULL, NULL, NULL, l.classid, l.objid, l.objsubid, l.transaction, l.pid, l.mode, l.granted, false, l.waitstart
FROM quorate.locks l

-- 12219 pg_catalog.pg_stat_activity: datid oid, datname name, pid int4, leader_pid int4, usesysid oid, usename name, application_name text, client_addr inet, client_hostname text, client_port int4, backend_start timestamptz, xact_start timestamptz, query_start timestamptz, state_change timestamptz, wait_event_type text, wait_event text, state text, backend_xid xid, backend_xmin xid, query_id int8, query text, backend_type text
WITH d AS MATERIALIZED (SELECT datname, oid FROM pg_catalog.pg_database), s AS MATERIALIZED (
    SELECT t.*, a.oid AS role, pg_has_role(a.oid, 'USAGE') OR pg_has_role(3375::oid, 'USAGE') AS told
    FROM quorate.sessions t LEFT JOIN pg_catalog.pg_authid a ON a.rolname = t.usename)
SELECT d.oid, s.datname, s.pid, NULL, s.role, s.usename, s.application_name, CASE WHEN s.told THEN nullif(s.client_addr, '')::inet END, NULL,
    CASE WHEN s.told THEN s.client_port END, CASE WHEN s.told THEN s.backend_start END, CASE WHEN s.told THEN s.xact_start END,
    CASE WHEN s.told THEN s.query_start END, CASE WHEN s.told THEN s.state_change END, CASE WHEN s.told THEN s.wait_event_type END,
    CASE WHEN s.told THEN s.wait_event END, CASE WHEN s.told THEN s.state END, NULL, NULL, NULL,
    CASE WHEN s.told THEN s.query ELSE '<insufficient privilege>' END, 'client backend'
FROM s LEFT JOIN d ON d.datname = s.datname

-- 12002 pg_catalog.pg_roles: rolname name, rolsuper bool, rolinherit bool, rolcreaterole bool, rolcreatedb bool, rolcanlogin bool, rolreplication bool, rolconnlimit int4, rolpassword text, rolvaliduntil timestamptz, rolbypassrls bool, rolconfig _text, oid oid
SELECT a.rolname, a.rolsuper, a.rolinherit, a.rolcreaterole, a.rolcreatedb, a.rolcanlogin, a.rolreplication, a.rolconnlimit, '********', a.rolvaliduntil, a.rolbypassrls, s.setconfig, a.oid
FROM pg_catalog.pg_authid a LEFT JOIN pg_catalog.pg_db_role_setting s ON s.setrole = a.oid AND s.setdatabase = 0

-- 12003 pg_catalog.pg_user: usename name, usesysid oid, usecreatedb bool, usesuper bool, userepl bool, usebypassrls bool, passwd text, valuntil timestamptz, useconfig _text
SELECT s.usename, s.usesysid, s.usecreatedb, s.usesuper, s.userepl, s.usebypassrls, '********', s.valuntil, s.useconfig
FROM pg_catalog.pg_shadow s

-- 2618 pg_catalog.pg_rewrite: oid oid!, rulename name!, ev_class oid!, ev_type char!, ev_enabled char!, is_instead bool!, ev_qual pg_node_tree, ev_action pg_node_tree
SELECT c.oid, '_RETURN', c.oid, '1', 'O', true, NULL, NULL FROM pg_catalog.pg_class c WHERE c.relkind = 'v'

-- 3394 pg_catalog.pg_init_privs: objoid oid!, classoid oid!, objsubid int4!, privtype char!, initprivs _aclitem!
SELECT n.oid, 2615, 0, 'i', ('{' || n.owner || '=UC/' || n.owner || ',=U/' || n.owner || '}')::aclitem[]
FROM (SELECT s.oid, pg_get_userbyid(10) FROM pg_catalog.pg_namespace s WHERE s.nspname IN ('pg_catalog', 'information_schema')
      UNION ALL SELECT 2200, 'pg_database_owner') n(oid, owner)
UNION ALL
SELECT c.oid, 1259, 0, 'i', c.relacl FROM pg_catalog.pg_class c WHERE c.oid < 16384 AND c.relacl IS NOT NULL

-- 12004 pg_catalog.pg_group: groname name, grosysid oid, grolist _oid
SELECT a.rolname, a.oid, ARRAY(SELECT m.member FROM pg_catalog.pg_auth_members m WHERE m.roleid = a.oid)
FROM pg_catalog.pg_authid a WHERE NOT a.rolcanlogin

-- 12005 pg_catalog.pg_tables: schemaname name, tablename name, tableowner name, tablespace name, hasindexes bool, hasrules bool, hastriggers bool, rowsecurity bool
SELECT n.nspname, c.relname, pg_get_userbyid(c.relowner), NULL, c.relhasindex, c.relhasrules, c.relhastriggers, c.relrowsecurity
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p')

-- 12006 pg_catalog.pg_views: schemaname name, viewname name, viewowner name, definition text
SELECT n.nspname, c.relname, pg_get_userbyid(c.relowner), pg_get_viewdef(c.oid)
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'v'

-- 12007 pg_catalog.pg_matviews: schemaname name, matviewname name, matviewowner name, tablespace name, hasindexes bool, ispopulated bool, definition text
SELECT n.nspname, c.relname, pg_get_userbyid(c.relowner), NULL, c.relhasindex, c.relispopulated, pg_get_viewdef(c.oid)
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'm'

-- 12008 pg_catalog.pg_indexes: schemaname name, tablename name, indexname name, tablespace name, indexdef text
SELECT n.nspname, t.relname, c.relname, NULL, pg_get_indexdef(c.oid)
FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class t ON t.oid = i.indrelid
JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace

-- 12009 pg_catalog.pg_sequences: schemaname name, sequencename name, sequenceowner name, data_type regtype, start_value int8, min_value int8, max_value int8, increment_by int8, cycle bool, cache_size int8, last_value int8
SELECT n.nspname, c.relname, pg_get_userbyid(c.relowner), s.seqtypid, s.seqstart, s.seqmin, s.seqmax, s.seqincrement, s.seqcycle, s.seqcache, CASE WHEN has_sequence_privilege(c.oid, 'SELECT,USAGE') THEN pg_sequence_last_value(c.oid) END
FROM pg_catalog.pg_sequence s JOIN pg_catalog.pg_class c ON c.oid = s.seqrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace

-- 12010 pg_catalog.pg_policies: schemaname name, tablename name, policyname name, permissive text, roles _name, cmd text, qual text, with_check text
SELECT NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL WHERE false

-- 12011 pg_catalog.pg_rules: schemaname name, tablename name, rulename name, definition text
SELECT NULL, NULL, NULL, NULL WHERE false

-- 13300 information_schema.information_schema_catalog_name: catalog_name name
SELECT current_database()

-- 13301 information_schema.schemata: catalog_name name, schema_name name, schema_owner name, default_character_set_catalog name, default_character_set_schema name, default_character_set_name name, sql_path varchar
SELECT current_database(), n.nspname, pg_get_userbyid(n.nspowner), NULL, NULL, NULL, NULL
FROM pg_catalog.pg_namespace n

-- 13302 information_schema.tables: table_catalog name, table_schema name, table_name name, table_type varchar, self_referencing_column_name name, reference_generation varchar, user_defined_type_catalog name, user_defined_type_schema name, user_defined_type_name name, is_insertable_into varchar, is_typed varchar, commit_action varchar
SELECT current_database(), n.nspname, c.relname, CASE WHEN c.relpersistence = 't' THEN 'LOCAL TEMPORARY' WHEN c.relkind = 'v' THEN 'VIEW' ELSE 'BASE TABLE' END, NULL, NULL, NULL, NULL, NULL, CASE WHEN c.relkind = 'r' OR pg_relation_is_updatable(c.oid, false) & 8 = 8 THEN 'YES' ELSE 'NO' END, 'NO', NULL
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'v') AND NOT pg_is_other_temp_schema(n.oid)

-- 13303 information_schema.views: table_catalog name, table_schema name, table_name name, view_definition varchar, check_option varchar, is_updatable varchar, is_insertable_into varchar, is_trigger_updatable varchar, is_trigger_deletable varchar, is_trigger_insertable_into varchar
SELECT current_database(), n.nspname, c.relname, pg_get_viewdef(c.oid), CASE WHEN 'check_option=cascaded' = ANY (c.reloptions) THEN 'CASCADED' WHEN 'check_option=local' = ANY (c.reloptions) THEN 'LOCAL' ELSE 'NONE' END,
  CASE WHEN pg_relation_is_updatable(c.oid, false) & 20 = 20 THEN 'YES' ELSE 'NO' END, CASE WHEN pg_relation_is_updatable(c.oid, false) & 8 = 8 THEN 'YES' ELSE 'NO' END, 'NO', 'NO', 'NO'
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'v'

-- 13304 information_schema.columns: table_catalog name, table_schema name, table_name name, column_name name, ordinal_position int4, column_default varchar, is_nullable varchar, data_type varchar, character_maximum_length int4, character_octet_length int4, numeric_precision int4, numeric_precision_radix int4, numeric_scale int4, datetime_precision int4, interval_type varchar, interval_precision int4, character_set_catalog name, character_set_schema name, character_set_name name, collation_catalog name, collation_schema name, collation_name name, domain_catalog name, domain_schema name, domain_name name, udt_catalog name, udt_schema name, udt_name name, scope_catalog name, scope_schema name, scope_name name, maximum_cardinality int4, dtd_identifier name, is_self_referencing varchar, is_identity varchar, identity_generation varchar, identity_start varchar, identity_increment varchar, identity_maximum varchar, identity_minimum varchar, identity_cycle varchar, is_generated varchar, generation_expression varchar, is_updatable varchar
SELECT current_database(), n.nspname, c.relname, a.attname, a.attnum,
  CASE WHEN a.attgenerated = '' THEN pg_get_expr(d.adbin, d.adrelid) END,
  CASE WHEN a.attnotnull OR a.domain_not_null THEN 'NO' ELSE 'YES' END,
  CASE WHEN t.typelem <> 0 AND t.typlen = -1 THEN 'ARRAY' WHEN tn.nspname = 'pg_catalog' THEN format_type(a.atttypid, NULL) ELSE 'USER-DEFINED' END,
  CASE WHEN a.atttypid IN (1042, 1043) AND a.atttypmod <> -1 THEN a.atttypmod - 4 WHEN a.atttypid IN (1560, 1562) AND a.atttypmod <> -1 THEN a.atttypmod END,
  CASE WHEN a.atttypid IN (25, 1042, 1043) THEN CASE WHEN a.atttypmod = -1 THEN 1073741824 ELSE (a.atttypmod - 4) * 4 END END,
  CASE a.atttypid WHEN 21 THEN 16 WHEN 23 THEN 32 WHEN 20 THEN 64 WHEN 700 THEN 24 WHEN 701 THEN 53 WHEN 1700 THEN CASE WHEN a.atttypmod <> -1 THEN ((a.atttypmod - 4) >> 16) & 65535 END END,
  CASE WHEN a.atttypid IN (21, 23, 20, 700, 701) THEN 2 WHEN a.atttypid = 1700 THEN 10 END,
  CASE WHEN a.atttypid IN (21, 23, 20) THEN 0 WHEN a.atttypid = 1700 AND a.atttypmod <> -1 THEN (a.atttypmod - 4) & 2047 END,
  CASE WHEN a.atttypid = 1082 THEN 0 WHEN a.atttypid IN (1083, 1114, 1184, 1266) THEN CASE WHEN a.atttypmod < 0 THEN 6 ELSE a.atttypmod END WHEN a.atttypid = 1186 THEN CASE WHEN a.atttypmod < 0 OR a.atttypmod & 65535 = 65535 THEN 6 ELSE a.atttypmod & 65535 END END,
  NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, CASE WHEN a.domain IS NOT NULL THEN current_database() END, a.domain_schema, a.domain,
  current_database(), tn.nspname, t.typname, NULL, NULL, NULL, NULL, a.attnum::text, 'NO',
  CASE WHEN a.attidentity IN ('a', 'd') THEN 'YES' ELSE 'NO' END,
  CASE a.attidentity WHEN 'a' THEN 'ALWAYS' WHEN 'd' THEN 'BY DEFAULT' END,
  s.seqstart::text, s.seqincrement::text, s.seqmax::text, s.seqmin::text, CASE WHEN s.seqcycle THEN 'YES' ELSE 'NO' END,
  CASE WHEN a.attgenerated <> '' THEN 'ALWAYS' ELSE 'NEVER' END,
  CASE WHEN a.attgenerated <> '' THEN pg_get_expr(d.adbin, d.adrelid) END,
  CASE WHEN c.relkind = 'r' OR pg_column_is_updatable(c.oid, a.attnum, false) THEN 'YES' ELSE 'NO' END
FROM (SELECT x.attrelid, x.attname, x.attnum, x.attgenerated, x.attnotnull, x.attidentity, x.attisdropped,
    CASE WHEN dt.typtype = 'd' THEN dt.typbasetype ELSE x.atttypid END AS atttypid, CASE WHEN dt.typtype = 'd' THEN dt.typtypmod ELSE x.atttypmod END AS atttypmod,
    CASE WHEN dt.typtype = 'd' THEN dt.typname END AS domain, CASE WHEN dt.typtype = 'd' THEN dn.nspname END AS domain_schema, dt.typtype = 'd' AND dt.typnotnull AS domain_not_null
  FROM pg_catalog.pg_attribute x JOIN pg_catalog.pg_type dt ON dt.oid = x.atttypid JOIN pg_catalog.pg_namespace dn ON dn.oid = dt.typnamespace) a
JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_type t ON t.oid = a.atttypid JOIN pg_catalog.pg_namespace tn ON tn.oid = t.typnamespace
LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
LEFT JOIN pg_catalog.pg_depend p ON p.classid = 1259 AND p.refclassid = 1259 AND p.refobjid = a.attrelid AND p.refobjsubid = a.attnum AND p.deptype = 'i'
LEFT JOIN pg_catalog.pg_sequence s ON s.seqrelid = p.objid
WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'v')

-- 13305 information_schema.sequences: sequence_catalog name, sequence_schema name, sequence_name name, data_type varchar, numeric_precision int4, numeric_precision_radix int4, numeric_scale int4, start_value varchar, minimum_value varchar, maximum_value varchar, increment varchar, cycle_option varchar
SELECT current_database(), n.nspname, c.relname, format_type(s.seqtypid, NULL),
  CASE s.seqtypid WHEN 21 THEN 16 WHEN 23 THEN 32 ELSE 64 END, 2, 0,
  s.seqstart::text, s.seqmin::text, s.seqmax::text, s.seqincrement::text, CASE WHEN s.seqcycle THEN 'YES' ELSE 'NO' END
FROM pg_catalog.pg_sequence s JOIN pg_catalog.pg_class c ON c.oid = s.seqrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend d WHERE d.classid = 1259 AND d.objid = c.oid AND d.deptype = 'i')

-- 13306 information_schema.table_constraints: constraint_catalog name, constraint_schema name, constraint_name name, table_catalog name, table_schema name, table_name name, constraint_type varchar, is_deferrable varchar, initially_deferred varchar, enforced varchar, nulls_distinct varchar
SELECT current_database(), n.nspname, k.conname, current_database(), tn.nspname, c.relname,
  CASE k.contype WHEN 'c' THEN 'CHECK' WHEN 'f' THEN 'FOREIGN KEY' WHEN 'p' THEN 'PRIMARY KEY' ELSE 'UNIQUE' END,
  CASE WHEN k.condeferrable THEN 'YES' ELSE 'NO' END, CASE WHEN k.condeferred THEN 'YES' ELSE 'NO' END, 'YES',
  CASE WHEN k.contype = 'u' THEN 'YES' END
FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_class c ON c.oid = k.conrelid
JOIN pg_catalog.pg_namespace n ON n.oid = k.connamespace JOIN pg_catalog.pg_namespace tn ON tn.oid = c.relnamespace
WHERE k.contype IN ('c', 'f', 'p', 'u')
UNION ALL
SELECT current_database(), n.nspname, n.oid::text || '_' || c.oid::text || '_' || a.attnum::text || '_not_null', current_database(), n.nspname, c.relname, 'CHECK', 'NO', 'NO', 'YES', NULL
FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE a.attnum > 0 AND a.attnotnull AND NOT a.attisdropped AND c.relkind = 'r'

-- 13307 information_schema.key_column_usage: constraint_catalog name, constraint_schema name, constraint_name name, table_catalog name, table_schema name, table_name name, column_name name, ordinal_position int4, position_in_unique_constraint int4
SELECT current_database(), n.nspname, k.conname, current_database(), tn.nspname, c.relname, a.attname, u.n,
  CASE WHEN k.contype = 'f' THEN array_position((SELECT p.conkey FROM pg_catalog.pg_constraint p WHERE p.conrelid = k.confrelid AND p.conindid = k.conindid AND p.contype IN ('p', 'u') LIMIT 1), k.confkey[u.n]) END
FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_class c ON c.oid = k.conrelid
JOIN pg_catalog.pg_namespace n ON n.oid = k.connamespace JOIN pg_catalog.pg_namespace tn ON tn.oid = c.relnamespace,
  unnest(k.conkey) WITH ORDINALITY AS u(num, n), pg_catalog.pg_attribute a
WHERE k.contype IN ('f', 'p', 'u') AND a.attrelid = k.conrelid AND a.attnum = u.num

-- 13308 information_schema.referential_constraints: constraint_catalog name, constraint_schema name, constraint_name name, unique_constraint_catalog name, unique_constraint_schema name, unique_constraint_name name, match_option varchar, update_rule varchar, delete_rule varchar
SELECT current_database(), n.nspname, k.conname, current_database(), pn.nspname, p.conname, CASE k.confmatchtype WHEN 'f' THEN 'FULL' ELSE 'NONE' END,
  CASE k.confupdtype WHEN 'c' THEN 'CASCADE' WHEN 'n' THEN 'SET NULL' WHEN 'd' THEN 'SET DEFAULT' WHEN 'r' THEN 'RESTRICT' ELSE 'NO ACTION' END,
  CASE k.confdeltype WHEN 'c' THEN 'CASCADE' WHEN 'n' THEN 'SET NULL' WHEN 'd' THEN 'SET DEFAULT' WHEN 'r' THEN 'RESTRICT' ELSE 'NO ACTION' END
FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_namespace n ON n.oid = k.connamespace
LEFT JOIN pg_catalog.pg_constraint p ON p.conrelid = k.confrelid AND p.conindid = k.conindid AND p.contype IN ('p', 'u')
LEFT JOIN pg_catalog.pg_namespace pn ON pn.oid = p.connamespace
WHERE k.contype = 'f'

-- 13309 information_schema.constraint_column_usage: table_catalog name, table_schema name, table_name name, column_name name, constraint_catalog name, constraint_schema name, constraint_name name
SELECT current_database(), tn.nspname, c.relname, a.attname, current_database(), n.nspname, k.conname
FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_namespace n ON n.oid = k.connamespace
JOIN pg_catalog.pg_class c ON c.oid = CASE k.contype WHEN 'f' THEN k.confrelid ELSE k.conrelid END
JOIN pg_catalog.pg_namespace tn ON tn.oid = c.relnamespace,
  unnest(CASE k.contype WHEN 'f' THEN k.confkey ELSE k.conkey END) AS u(num), pg_catalog.pg_attribute a
WHERE a.attrelid = c.oid AND a.attnum = u.num

-- 13310 information_schema.check_constraints: constraint_catalog name, constraint_schema name, constraint_name name, check_clause varchar
SELECT current_database(), n.nspname, k.conname, '(' || pg_get_expr(k.conbin, k.conrelid) || ')'
FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_namespace n ON n.oid = k.connamespace
WHERE k.contype = 'c'
UNION ALL
SELECT current_database(), n.nspname, n.oid::text || '_' || c.oid::text || '_' || a.attnum::text || '_not_null', a.attname || ' IS NOT NULL'
FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE a.attnum > 0 AND a.attnotnull AND NOT a.attisdropped AND c.relkind = 'r'

-- 13311 information_schema.triggers: trigger_catalog name, trigger_schema name, trigger_name name, event_manipulation varchar, event_object_catalog name, event_object_schema name, event_object_table name, action_order int4, action_condition varchar, action_statement varchar, action_orientation varchar, action_timing varchar
SELECT NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL WHERE false

-- 13312 information_schema.routines: specific_catalog name, specific_schema name, specific_name name, routine_catalog name, routine_schema name, routine_name name, routine_type varchar, data_type varchar, routine_body varchar, routine_definition varchar, external_language varchar
SELECT NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL WHERE false

-- 13403 information_schema.character_sets: character_set_catalog name, character_set_schema name, character_set_name name, character_repertoire name, form_of_use name, default_collate_catalog name, default_collate_schema name, default_collate_name name
SELECT NULL, NULL, 'UTF8', 'UCS', 'UTF8', current_database(), 'pg_catalog', 'C'

-- 13405 information_schema.collation_character_set_applicability: collation_catalog name, collation_schema name, collation_name name, character_set_catalog name, character_set_schema name, character_set_name name
SELECT current_database(), n.nspname, c.collname, NULL, NULL, 'UTF8'
FROM pg_catalog.pg_collation c JOIN pg_catalog.pg_namespace n ON n.oid = c.collnamespace

-- 13406 information_schema.collations: collation_catalog name, collation_schema name, collation_name name, pad_attribute varchar
SELECT current_database(), n.nspname, c.collname, 'NO PAD'
FROM pg_catalog.pg_collation c JOIN pg_catalog.pg_namespace n ON n.oid = c.collnamespace

-- 13410 information_schema.column_privileges: grantor name, grantee name, table_catalog name, table_schema name, table_name name, column_name name, privilege_type varchar, is_grantable varchar
SELECT u.rolname, e.rolname, current_database(), n.nspname, x.relname, x.attname, x.privilege_type, CASE WHEN x.is_grantable OR e.oid <> 0 AND pg_has_role(e.oid, x.relowner, 'USAGE') THEN 'YES' ELSE 'NO' END
FROM (SELECT g.grantor, g.grantee, a.attname, c.relname, c.relnamespace, g.privilege_type, g.is_grantable, c.relowner
  FROM pg_catalog.pg_class c JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
  CROSS JOIN LATERAL aclexplode(coalesce(c.relacl, acldefault('r', c.relowner))) g
  WHERE c.relkind IN ('r', 'v', 'f', 'p')
  UNION
  SELECT g.grantor, g.grantee, a.attname, c.relname, c.relnamespace, g.privilege_type, g.is_grantable, c.relowner
  FROM pg_catalog.pg_class c JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
  CROSS JOIN LATERAL aclexplode(coalesce(a.attacl, acldefault('c', c.relowner))) g
  WHERE c.relkind IN ('r', 'v', 'f', 'p')) x
JOIN pg_catalog.pg_namespace n ON n.oid = x.relnamespace
JOIN pg_catalog.pg_authid u ON u.oid = x.grantor
JOIN (SELECT oid, rolname FROM pg_catalog.pg_authid UNION ALL SELECT 0, 'PUBLIC') e ON e.oid = x.grantee
WHERE x.privilege_type IN ('INSERT', 'SELECT', 'UPDATE', 'REFERENCES')
AND (pg_has_role(u.oid, 'USAGE') OR e.oid = 0 OR pg_has_role(e.oid, 'USAGE'))

-- 13408 information_schema.column_domain_usage: domain_catalog name, domain_schema name, domain_name name, table_catalog name, table_schema name, table_name name, column_name name
SELECT current_database(), tn.nspname, t.typname, current_database(), n.nspname, c.relname, a.attname
FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace tn ON tn.oid = t.typnamespace
JOIN pg_catalog.pg_attribute a ON a.atttypid = t.oid JOIN pg_catalog.pg_class c ON c.oid = a.attrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE t.typtype = 'd' AND a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'v')

-- 13414 information_schema.domain_constraints: constraint_catalog name, constraint_schema name, constraint_name name, domain_catalog name, domain_schema name, domain_name name, is_deferrable varchar, initially_deferred varchar
SELECT current_database(), kn.nspname, k.conname, current_database(), n.nspname, t.typname, 'NO', 'NO'
FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_type t ON t.oid = k.contypid
JOIN pg_catalog.pg_namespace kn ON kn.oid = k.connamespace JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace

-- 13415 information_schema.domain_udt_usage: udt_catalog name, udt_schema name, udt_name name, domain_catalog name, domain_schema name, domain_name name
SELECT current_database(), bn.nspname, b.typname, current_database(), n.nspname, t.typname
FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
JOIN pg_catalog.pg_type b ON b.oid = t.typbasetype JOIN pg_catalog.pg_namespace bn ON bn.oid = b.typnamespace
WHERE t.typtype = 'd'

-- 13416 information_schema.domains: domain_catalog name, domain_schema name, domain_name name, data_type varchar, character_maximum_length int4, character_octet_length int4, character_set_catalog name, character_set_schema name, character_set_name name, collation_catalog name, collation_schema name, collation_name name, numeric_precision int4, numeric_precision_radix int4, numeric_scale int4, datetime_precision int4, interval_type varchar, interval_precision int4, domain_default varchar, udt_catalog name, udt_schema name, udt_name name, scope_catalog name, scope_schema name, scope_name name, maximum_cardinality int4, dtd_identifier name
SELECT current_database(), n.nspname, t.typname,
  CASE WHEN b.typelem <> 0 AND b.typlen = -1 THEN 'ARRAY' WHEN bn.nspname = 'pg_catalog' THEN format_type(t.typbasetype, NULL) ELSE 'USER-DEFINED' END,
  CASE WHEN t.typbasetype IN (1042, 1043) AND t.typtypmod <> -1 THEN t.typtypmod - 4 WHEN t.typbasetype IN (1560, 1562) AND t.typtypmod <> -1 THEN t.typtypmod END,
  CASE WHEN t.typbasetype IN (25, 1042, 1043) THEN CASE WHEN t.typtypmod = -1 THEN 1073741824 ELSE (t.typtypmod - 4) * 4 END END,
  NULL, NULL, NULL, NULL, NULL, NULL,
  CASE t.typbasetype WHEN 21 THEN 16 WHEN 23 THEN 32 WHEN 20 THEN 64 WHEN 700 THEN 24 WHEN 701 THEN 53 WHEN 1700 THEN CASE WHEN t.typtypmod <> -1 THEN ((t.typtypmod - 4) >> 16) & 65535 END END,
  CASE WHEN t.typbasetype IN (21, 23, 20, 700, 701) THEN 2 WHEN t.typbasetype = 1700 THEN 10 END,
  CASE WHEN t.typbasetype IN (21, 23, 20) THEN 0 WHEN t.typbasetype = 1700 AND t.typtypmod <> -1 THEN (t.typtypmod - 4) & 2047 END,
  CASE WHEN t.typbasetype = 1082 THEN 0 WHEN t.typbasetype IN (1083, 1114, 1184, 1266) THEN CASE WHEN t.typtypmod < 0 THEN 6 ELSE t.typtypmod END WHEN t.typbasetype = 1186 THEN CASE WHEN t.typtypmod < 0 OR t.typtypmod & 65535 = 65535 THEN 6 ELSE t.typtypmod & 65535 END END,
  NULL, NULL, t.typdefault, current_database(), bn.nspname, b.typname, NULL, NULL, NULL, NULL, '1'
FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
JOIN pg_catalog.pg_type b ON b.oid = t.typbasetype JOIN pg_catalog.pg_namespace bn ON bn.oid = b.typnamespace
WHERE t.typtype = 'd'

-- 13411 information_schema.column_udt_usage: udt_catalog name, udt_schema name, udt_name name, table_catalog name, table_schema name, table_name name, column_name name
SELECT current_database(), tn.nspname, t.typname, current_database(), n.nspname, c.relname, a.attname
FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_type t ON t.oid = a.atttypid JOIN pg_catalog.pg_namespace tn ON tn.oid = t.typnamespace
WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'v')

-- 13412 information_schema.constraint_table_usage: table_catalog name, table_schema name, table_name name, constraint_catalog name, constraint_schema name, constraint_name name
SELECT current_database(), tn.nspname, c.relname, current_database(), n.nspname, k.conname
FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_namespace n ON n.oid = k.connamespace
JOIN pg_catalog.pg_class c ON c.oid = CASE k.contype WHEN 'f' THEN k.confrelid ELSE k.conrelid END
JOIN pg_catalog.pg_namespace tn ON tn.oid = c.relnamespace
WHERE k.contype IN ('f', 'p', 'u')

-- 13417 information_schema.element_types: object_catalog name, object_schema name, object_name name, object_type varchar, collection_type_identifier name, data_type varchar, character_maximum_length int4, character_octet_length int4, character_set_catalog name, character_set_schema name, character_set_name name, collation_catalog name, collation_schema name, collation_name name, numeric_precision int4, numeric_precision_radix int4, numeric_scale int4, datetime_precision int4, interval_type varchar, interval_precision int4, domain_default varchar, udt_catalog name, udt_schema name, udt_name name, scope_catalog name, scope_schema name, scope_name name, maximum_cardinality int4, dtd_identifier name
SELECT current_database(), n.nspname, c.relname, 'TABLE', a.attnum::text, CASE WHEN en.nspname = 'pg_catalog' THEN format_type(t.typelem, NULL) ELSE 'USER-DEFINED' END, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, current_database(), en.nspname, e.typname, NULL, NULL, NULL, NULL, 'a' || a.attnum::text
FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_type t ON t.oid = a.atttypid JOIN pg_catalog.pg_type e ON e.oid = t.typelem JOIN pg_catalog.pg_namespace en ON en.oid = e.typnamespace
WHERE t.typcategory = 'A' AND a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'v')

-- 13418 information_schema.enabled_roles: role_name name
SELECT a.rolname FROM pg_catalog.pg_authid a WHERE pg_has_role(a.oid, 'USAGE')

-- 13426 information_schema.role_column_grants: grantor name, grantee name, table_catalog name, table_schema name, table_name name, column_name name, privilege_type varchar, is_grantable varchar
SELECT p.grantor, p.grantee, p.table_catalog, p.table_schema, p.table_name, p.column_name, p.privilege_type, p.is_grantable
FROM information_schema.column_privileges p WHERE p.grantee <> 'PUBLIC'

-- 13428 information_schema.role_table_grants: grantor name, grantee name, table_catalog name, table_schema name, table_name name, privilege_type varchar, is_grantable varchar, with_hierarchy varchar
SELECT p.grantor, p.grantee, p.table_catalog, p.table_schema, p.table_name, p.privilege_type, p.is_grantable, p.with_hierarchy
FROM information_schema.table_privileges p WHERE p.grantee <> 'PUBLIC'

-- 13430 information_schema.role_usage_grants: grantor name, grantee name, object_catalog name, object_schema name, object_name name, object_type varchar, privilege_type varchar, is_grantable varchar
SELECT p.grantor, p.grantee, p.object_catalog, p.object_schema, p.object_name, p.object_type, p.privilege_type, p.is_grantable
FROM information_schema.usage_privileges p WHERE p.grantee <> 'PUBLIC'

-- 13440 information_schema.table_privileges: grantor name, grantee name, table_catalog name, table_schema name, table_name name, privilege_type varchar, is_grantable varchar, with_hierarchy varchar
SELECT u.rolname, e.rolname, current_database(), n.nspname, c.relname, g.privilege_type, CASE WHEN g.is_grantable OR e.oid <> 0 AND pg_has_role(e.oid, c.relowner, 'USAGE') THEN 'YES' ELSE 'NO' END, CASE g.privilege_type WHEN 'SELECT' THEN 'YES' ELSE 'NO' END
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
CROSS JOIN LATERAL aclexplode(coalesce(c.relacl, acldefault('r', c.relowner))) g
JOIN pg_catalog.pg_authid u ON u.oid = g.grantor
JOIN (SELECT oid, rolname FROM pg_catalog.pg_authid UNION ALL SELECT 0, 'PUBLIC') e ON e.oid = g.grantee
WHERE c.relkind IN ('r', 'v', 'f', 'p')
AND g.privilege_type IN ('INSERT', 'SELECT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER')
AND (pg_has_role(u.oid, 'USAGE') OR e.oid = 0 OR pg_has_role(e.oid, 'USAGE'))

-- 13444 information_schema.usage_privileges: grantor name, grantee name, object_catalog name, object_schema name, object_name name, object_type varchar, privilege_type varchar, is_grantable varchar
SELECT u.rolname, e.rolname, current_database(), n.nspname, c.relname, 'SEQUENCE', g.privilege_type, CASE WHEN g.is_grantable OR e.oid <> 0 AND pg_has_role(e.oid, c.relowner, 'USAGE') THEN 'YES' ELSE 'NO' END
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
CROSS JOIN LATERAL aclexplode(coalesce(c.relacl, acldefault('s', c.relowner))) g
JOIN pg_catalog.pg_authid u ON u.oid = g.grantor
JOIN (SELECT oid, rolname FROM pg_catalog.pg_authid UNION ALL SELECT 0, 'PUBLIC') e ON e.oid = g.grantee
WHERE c.relkind IN ('S')
AND g.privilege_type = 'USAGE' AND (pg_has_role(u.oid, 'USAGE') OR e.oid = 0 OR pg_has_role(e.oid, 'USAGE'))

-- 12101 pg_catalog.pg_available_extensions: name name, default_version text, installed_version text, comment text
SELECT e.name, e.version, (SELECT x.extversion FROM pg_catalog.pg_extension x WHERE x.extname = e.name), e.comment
FROM (VALUES ('plpgsql', '1.0', 'PL/pgSQL procedural language'), ('uuid-ossp', '1.1', 'generate universally unique identifiers (UUIDs)'),
  ('pgcrypto', '1.3', 'cryptographic functions'), ('citext', '1.6', 'data type for case-insensitive character strings'),
  ('pg_trgm', '1.6', 'text similarity measurement and index searching based on trigrams'), ('btree_gin', '1.3', 'support for indexing common datatypes in GIN'),
  ('btree_gist', '1.7', 'support for indexing common datatypes in GiST')) AS e(name, version, comment)

-- 12112 pg_catalog.pg_shadow: usename name, usesysid oid, usecreatedb bool, usesuper bool, userepl bool, usebypassrls bool, passwd text, valuntil timestamptz, useconfig _text
SELECT a.rolname, a.oid, a.rolcreatedb, a.rolsuper, a.rolreplication, a.rolbypassrls, a.rolpassword, a.rolvaliduntil, s.setconfig
FROM pg_catalog.pg_authid a LEFT JOIN pg_catalog.pg_db_role_setting s ON s.setrole = a.oid AND s.setdatabase = 0
WHERE a.rolcanlogin

-- 12114 pg_catalog.pg_stat_all_indexes: relid oid, indexrelid oid, schemaname name, relname name, indexrelname name, idx_scan int8, idx_tup_read int8, idx_tup_fetch int8
SELECT t.oid, c.oid, n.nspname, t.relname, c.relname, 0, 0, 0
FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class t ON t.oid = i.indrelid JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace

-- 12115 pg_catalog.pg_stat_all_tables: relid oid, schemaname name, relname name, seq_scan int8, seq_tup_read int8, idx_scan int8, idx_tup_fetch int8, n_tup_ins int8, n_tup_upd int8, n_tup_del int8, n_tup_hot_upd int8, n_live_tup int8, n_dead_tup int8, n_mod_since_analyze int8, n_ins_since_vacuum int8, last_vacuum timestamptz, last_autovacuum timestamptz, last_analyze timestamptz, last_autoanalyze timestamptz, vacuum_count int8, autovacuum_count int8, analyze_count int8, autoanalyze_count int8
SELECT c.oid, n.nspname, c.relname, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, NULL, NULL, NULL, NULL, 0, 0, 0, 0
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r'

-- 12116 pg_catalog.pg_stat_archiver: archived_count int8, last_archived_wal text, last_archived_time timestamptz, failed_count int8, last_failed_wal text, last_failed_time timestamptz, stats_reset timestamptz
SELECT 0, NULL, NULL, 0, NULL, NULL, NULL

-- 12117 pg_catalog.pg_stat_bgwriter: checkpoints_timed int8, checkpoints_req int8, checkpoint_write_time float8, checkpoint_sync_time float8, buffers_checkpoint int8, buffers_clean int8, maxwritten_clean int8, buffers_backend int8, buffers_backend_fsync int8, buffers_alloc int8, stats_reset timestamptz
SELECT 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, NULL

-- 12114 pg_catalog.pg_hba_file_rules: line_number int4, type text, database _text, user_name _text, address text, netmask text, auth_method text, options _text, error text
SELECT r.line_number, r.type, string_to_array(r.database, ','), string_to_array(r.user_name, ','), r.address, r.netmask, r.auth_method, NULL, NULL
FROM quorate.rules r

-- 12118 pg_catalog.pg_stat_database: datid oid, datname name, numbackends int4, xact_commit int8, xact_rollback int8, blks_read int8, blks_hit int8, tup_returned int8, tup_fetched int8, tup_inserted int8, tup_updated int8, tup_deleted int8, conflicts int8, temp_files int8, temp_bytes int8, deadlocks int8, checksum_failures int8, checksum_last_failure timestamptz, blk_read_time float8, blk_write_time float8, session_time float8, active_time float8, idle_in_transaction_time float8, sessions int8, sessions_abandoned int8, sessions_fatal int8, sessions_killed int8, stats_reset timestamptz
SELECT d.oid, d.datname, (SELECT count(*)::int4 FROM quorate.sessions s WHERE s.datname = d.datname), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, NULL, 0, 0, 0, 0, 0, 0, 0, 0, 0, NULL
FROM pg_catalog.pg_database d

-- 12119 pg_catalog.pg_stat_database_conflicts: datid oid, datname name, confl_tablespace int8, confl_lock int8, confl_snapshot int8, confl_bufferpin int8, confl_deadlock int8
SELECT d.oid, d.datname, 0, 0, 0, 0, 0
FROM pg_catalog.pg_database d

-- 12120 pg_catalog.pg_stat_gssapi: pid int4, gss_authenticated bool, principal text, encrypted bool
SELECT s.pid, false, NULL, false FROM quorate.sessions s

-- 12131 pg_catalog.pg_stat_ssl: pid int4, ssl bool, version text, cipher text, bits int4, client_dn text, client_serial numeric, issuer_dn text
SELECT s.pid, s.ssl, s.ssl_version, s.ssl_cipher, s.ssl_bits, s.ssl_client_dn, s.ssl_client_serial::numeric, s.ssl_issuer_dn
FROM quorate.sessions s

-- 12134 pg_catalog.pg_stat_sys_indexes: relid oid, indexrelid oid, schemaname name, relname name, indexrelname name, idx_scan int8, idx_tup_read int8, idx_tup_fetch int8
SELECT t.oid, c.oid, n.nspname, t.relname, c.relname, 0, 0, 0
FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class t ON t.oid = i.indrelid JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace
WHERE n.nspname IN ('pg_catalog', 'information_schema', 'quorate')

-- 12135 pg_catalog.pg_stat_sys_tables: relid oid, schemaname name, relname name, seq_scan int8, seq_tup_read int8, idx_scan int8, idx_tup_fetch int8, n_tup_ins int8, n_tup_upd int8, n_tup_del int8, n_tup_hot_upd int8, n_live_tup int8, n_dead_tup int8, n_mod_since_analyze int8, n_ins_since_vacuum int8, last_vacuum timestamptz, last_autovacuum timestamptz, last_analyze timestamptz, last_autoanalyze timestamptz, vacuum_count int8, autovacuum_count int8, analyze_count int8, autoanalyze_count int8
SELECT c.oid, n.nspname, c.relname, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, NULL, NULL, NULL, NULL, 0, 0, 0, 0
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND n.nspname IN ('pg_catalog', 'information_schema', 'quorate')

-- 12137 pg_catalog.pg_stat_user_indexes: relid oid, indexrelid oid, schemaname name, relname name, indexrelname name, idx_scan int8, idx_tup_read int8, idx_tup_fetch int8
SELECT t.oid, c.oid, n.nspname, t.relname, c.relname, 0, 0, 0
FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class t ON t.oid = i.indrelid JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace
WHERE n.nspname NOT IN ('pg_catalog', 'information_schema', 'quorate')

-- 12138 pg_catalog.pg_stat_user_tables: relid oid, schemaname name, relname name, seq_scan int8, seq_tup_read int8, idx_scan int8, idx_tup_fetch int8, n_tup_ins int8, n_tup_upd int8, n_tup_del int8, n_tup_hot_upd int8, n_live_tup int8, n_dead_tup int8, n_mod_since_analyze int8, n_ins_since_vacuum int8, last_vacuum timestamptz, last_autovacuum timestamptz, last_analyze timestamptz, last_autoanalyze timestamptz, vacuum_count int8, autovacuum_count int8, analyze_count int8, autoanalyze_count int8
SELECT c.oid, n.nspname, c.relname, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, NULL, NULL, NULL, NULL, 0, 0, 0, 0
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'quorate')

-- 12139 pg_catalog.pg_stat_wal: wal_records int8, wal_fpi int8, wal_bytes numeric, wal_buffers_full int8, wal_write int8, wal_sync int8, wal_write_time float8, wal_sync_time float8, stats_reset timestamptz
SELECT 0, 0, 0, 0, 0, 0, 0, 0, NULL

-- 12141 pg_catalog.pg_stat_xact_all_tables: relid oid, schemaname name, relname name, seq_scan int8, seq_tup_read int8, idx_scan int8, idx_tup_fetch int8, n_tup_ins int8, n_tup_upd int8, n_tup_del int8, n_tup_hot_upd int8
SELECT c.oid, n.nspname, c.relname, 0, 0, 0, 0, 0, 0, 0, 0
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r'

-- 12142 pg_catalog.pg_stat_xact_sys_tables: relid oid, schemaname name, relname name, seq_scan int8, seq_tup_read int8, idx_scan int8, idx_tup_fetch int8, n_tup_ins int8, n_tup_upd int8, n_tup_del int8, n_tup_hot_upd int8
SELECT c.oid, n.nspname, c.relname, 0, 0, 0, 0, 0, 0, 0, 0
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND n.nspname IN ('pg_catalog', 'information_schema', 'quorate')

-- 12144 pg_catalog.pg_stat_xact_user_tables: relid oid, schemaname name, relname name, seq_scan int8, seq_tup_read int8, idx_scan int8, idx_tup_fetch int8, n_tup_ins int8, n_tup_upd int8, n_tup_del int8, n_tup_hot_upd int8
SELECT c.oid, n.nspname, c.relname, 0, 0, 0, 0, 0, 0, 0, 0
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'quorate')

-- 12145 pg_catalog.pg_statio_all_indexes: relid oid, indexrelid oid, schemaname name, relname name, indexrelname name, idx_blks_read int8, idx_blks_hit int8
SELECT t.oid, c.oid, n.nspname, t.relname, c.relname, 0, 0
FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class t ON t.oid = i.indrelid JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace

-- 12146 pg_catalog.pg_statio_all_sequences: relid oid, schemaname name, relname name, blks_read int8, blks_hit int8
SELECT c.oid, n.nspname, c.relname, 0, 0
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'S'

-- 12147 pg_catalog.pg_statio_all_tables: relid oid, schemaname name, relname name, heap_blks_read int8, heap_blks_hit int8, idx_blks_read int8, idx_blks_hit int8, toast_blks_read int8, toast_blks_hit int8, tidx_blks_read int8, tidx_blks_hit int8
SELECT c.oid, n.nspname, c.relname, 0, 0, 0, 0, 0, 0, 0, 0
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r'

-- 12148 pg_catalog.pg_statio_sys_indexes: relid oid, indexrelid oid, schemaname name, relname name, indexrelname name, idx_blks_read int8, idx_blks_hit int8
SELECT t.oid, c.oid, n.nspname, t.relname, c.relname, 0, 0
FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class t ON t.oid = i.indrelid JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace
WHERE n.nspname IN ('pg_catalog', 'information_schema', 'quorate')

-- 12149 pg_catalog.pg_statio_sys_sequences: relid oid, schemaname name, relname name, blks_read int8, blks_hit int8
SELECT c.oid, n.nspname, c.relname, 0, 0
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'S' AND n.nspname IN ('pg_catalog', 'information_schema', 'quorate')

-- 12150 pg_catalog.pg_statio_sys_tables: relid oid, schemaname name, relname name, heap_blks_read int8, heap_blks_hit int8, idx_blks_read int8, idx_blks_hit int8, toast_blks_read int8, toast_blks_hit int8, tidx_blks_read int8, tidx_blks_hit int8
SELECT c.oid, n.nspname, c.relname, 0, 0, 0, 0, 0, 0, 0, 0
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND n.nspname IN ('pg_catalog', 'information_schema', 'quorate')

-- 12151 pg_catalog.pg_statio_user_indexes: relid oid, indexrelid oid, schemaname name, relname name, indexrelname name, idx_blks_read int8, idx_blks_hit int8
SELECT t.oid, c.oid, n.nspname, t.relname, c.relname, 0, 0
FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class t ON t.oid = i.indrelid JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace
WHERE n.nspname NOT IN ('pg_catalog', 'information_schema', 'quorate')

-- 12152 pg_catalog.pg_statio_user_sequences: relid oid, schemaname name, relname name, blks_read int8, blks_hit int8
SELECT c.oid, n.nspname, c.relname, 0, 0
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'S' AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'quorate')

-- 12153 pg_catalog.pg_statio_user_tables: relid oid, schemaname name, relname name, heap_blks_read int8, heap_blks_hit int8, idx_blks_read int8, idx_blks_hit int8, toast_blks_read int8, toast_blks_hit int8, tidx_blks_read int8, tidx_blks_hit int8
SELECT c.oid, n.nspname, c.relname, 0, 0, 0, 0, 0, 0, 0, 0
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'quorate')

-- 12126 pg_catalog.pg_timezone_names: name text, abbrev text, utc_offset interval, is_dst bool
SELECT z.name, z.abbrev, z.utc_offset, z.is_dst FROM pg_timezone_names() z

-- 12095 pg_catalog.pg_prepared_statements: name text, statement text, prepare_time timestamptz, parameter_types _regtype, from_sql bool, generic_plans int8, custom_plans int8
SELECT p.name, p.statement, p.prepare_time, string_to_array(p.parameter_types, ' ')::oid[]::regtype[], p.from_sql, 0, 0
FROM quorate.prepared_statements p

-- 12077 pg_catalog.pg_cursors: name text, statement text, is_holdable bool, is_binary bool, is_scrollable bool, creation_time timestamptz
SELECT c.name, c.statement, c.is_holdable, c.is_binary, c.is_scrollable, c.creation_time FROM quorate.cursors c

-- 13400 information_schema.administrable_role_authorizations: grantee name, role_name name, is_grantable varchar
SELECT r.grantee, r.role_name, r.is_grantable FROM information_schema.applicable_roles r WHERE r.is_grantable = 'YES'

-- 13401 information_schema.applicable_roles: grantee name, role_name name, is_grantable varchar
SELECT a.rolname, b.rolname, CASE WHEN m.admin_option THEN 'YES' ELSE 'NO' END
FROM (SELECT member, roleid, admin_option FROM pg_catalog.pg_auth_members
  UNION SELECT (SELECT d.owner FROM quorate.this_database d), 6171, false) m
JOIN pg_catalog.pg_authid a ON m.member = a.oid JOIN pg_catalog.pg_authid b ON m.roleid = b.oid
WHERE pg_has_role(a.oid, 'USAGE')

-- 13429 information_schema.role_udt_grants: grantor name, grantee name, udt_catalog name, udt_schema name, udt_name name, privilege_type varchar, is_grantable varchar
SELECT p.grantor, p.grantee, p.udt_catalog, p.udt_schema, p.udt_name, p.privilege_type, p.is_grantable
FROM information_schema.udt_privileges p WHERE p.grantee <> 'PUBLIC'

-- 13443 information_schema.udt_privileges: grantor name, grantee name, udt_catalog name, udt_schema name, udt_name name, privilege_type varchar, is_grantable varchar
SELECT u.rolname, e.rolname, current_database(), n.nspname, t.typname, 'TYPE USAGE', CASE WHEN g.is_grantable OR e.oid <> 0 AND pg_has_role(e.oid, t.typowner, 'USAGE') THEN 'YES' ELSE 'NO' END
FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
CROSS JOIN LATERAL aclexplode(coalesce(t.typacl, acldefault('T', t.typowner))) g
JOIN pg_catalog.pg_authid u ON u.oid = g.grantor
JOIN (SELECT oid, rolname FROM pg_catalog.pg_authid UNION ALL SELECT 0, 'PUBLIC') e ON e.oid = g.grantee
WHERE t.typtype = 'c' AND g.privilege_type = 'USAGE'
AND (pg_has_role(u.oid, 'USAGE') OR e.oid = 0 OR pg_has_role(e.oid, 'USAGE'))
