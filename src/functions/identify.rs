//! `pg_identify_object`: what an object is and what it is called, wherever it is looked at from.
//!
//! Names are qualified whatever the search path is, so that they say the same to everybody; objects of a kind that there are
//! only built in have no name here (0A000).

use super::Function;
use super::table::*;
use crate::types::Type;

/// `schema.name` of a row that has a name and the number of its schema, the row `n` of that number.
macro_rules! qualified {
    ($name:literal) => {
        concat!("q_quote_ident(n.nspname) || '.' || q_quote_ident(", $name, ")")
    };
}

/// The name of the type `t`; those with a name of several words, or of the standard, are known without a schema.
macro_rules! type_name {
    () => {
        "(SELECT iif(b.oid IN (16, 20, 21, 23, 700, 701, 1042, 1043, 1083, 1114, 1184, 1186, 1266, 1560, 1562, 1700), \
          q_format_type(b.oid, NULL), q_quote_ident(n.nspname) || '.' || q_quote_ident(b.typname)) || iif(b.oid <> t.oid, '[]', '') \
          FROM \"pg_catalog.pg_type\" b JOIN \"pg_catalog.pg_namespace\" n ON n.oid = b.typnamespace \
          WHERE b.oid = iif(t.typcategory = 'A' AND t.typstorage <> 'p', t.typelem, t.oid))"
    };
}

/// One class: its number, kind, schema, name and identity, and the rows in which they are.
macro_rules! class {
    ($number:literal, $kind:literal, $schema:literal, $name:literal, $identity:expr, $from:expr) => {
        concat!(
            " WHEN ",
            $number,
            " THEN (SELECT q_record({3}, ",
            $kind,
            ", ",
            $schema,
            ", ",
            $name,
            ", ",
            $identity,
            ") FROM ",
            $from,
            ")"
        )
    };
}

/// One whose objects have a name of their own in no schema.
macro_rules! plain {
    ($number:literal, $kind:literal, $name:literal, $from:literal) => {
        class!(
            $number,
            $kind,
            "NULL",
            "q_quote_ident(x.name)",
            "q_quote_ident(x.name)",
            concat!("(SELECT ", $name, " AS name FROM \"pg_catalog.", $from, "\" WHERE oid = g.object) x")
        )
    };
}

const IDENTIFY: &str = concat!(
    "(SELECT iif(g.class IS NULL OR g.object IS NULL OR g.part IS NULL, NULL, coalesce(CASE g.class",
    class!(
        "1259",
        "CASE c.relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' WHEN 'S' THEN 'sequence' WHEN 'i' THEN 'index' \
         WHEN 'c' THEN 'composite type' ELSE 'table' END || iif(g.part <> 0, ' column', '')",
        "q_quote_ident(n.nspname)",
        "q_quote_ident(c.relname)",
        concat!(qualified!("c.relname"), " || iif(g.part <> 0, '.' || q_quote_ident(a.attname), '')"),
        "\"pg_catalog.pg_class\" c JOIN \"pg_catalog.pg_namespace\" n ON n.oid = c.relnamespace \
         LEFT JOIN \"pg_catalog.pg_attribute\" a ON a.attrelid = c.oid AND a.attnum = g.part \
         WHERE c.oid = g.object AND (g.part = 0 OR a.attname IS NOT NULL)"
    ),
    class!(
        "1247",
        "'type'",
        "q_quote_ident(n.nspname)",
        "q_quote_ident(t.typname)",
        type_name!(),
        "\"pg_catalog.pg_type\" t JOIN \"pg_catalog.pg_namespace\" n ON n.oid = t.typnamespace WHERE t.oid = g.object"
    ),
    class!(
        "2606",
        "iif(k.conrelid <> 0, 'table constraint', 'domain constraint')",
        "q_quote_ident(s.nspname)",
        "NULL",
        concat!("q_quote_ident(k.conname) || ' on ' || coalesce(", qualified!("c.relname"), ", ", type_name!(), ")"),
        "\"pg_catalog.pg_constraint\" k JOIN \"pg_catalog.pg_namespace\" s ON s.oid = k.connamespace \
         LEFT JOIN \"pg_catalog.pg_class\" c ON c.oid = k.conrelid LEFT JOIN \"pg_catalog.pg_namespace\" n ON n.oid = c.relnamespace \
         LEFT JOIN \"pg_catalog.pg_type\" t ON t.oid = k.contypid WHERE k.oid = g.object"
    ),
    class!(
        "2604",
        "'default value'",
        "NULL",
        "NULL",
        concat!("'for ' || ", qualified!("c.relname"), " || '.' || q_quote_ident(a.attname)"),
        "\"pg_catalog.pg_attrdef\" d JOIN \"pg_catalog.pg_class\" c ON c.oid = d.adrelid \
         JOIN \"pg_catalog.pg_namespace\" n ON n.oid = c.relnamespace \
         JOIN \"pg_catalog.pg_attribute\" a ON a.attrelid = c.oid AND a.attnum = d.adnum WHERE d.oid = g.object"
    ),
    // A view's only rule, which has the view's number.
    class!(
        "2618",
        "'rule'",
        "NULL",
        "NULL",
        concat!("'\"_RETURN\" on ' || ", qualified!("c.relname")),
        "\"pg_catalog.pg_class\" c JOIN \"pg_catalog.pg_namespace\" n ON n.oid = c.relnamespace \
         WHERE c.oid = g.object AND c.relkind IN ('v', 'm')"
    ),
    class!(
        "3456",
        "'collation'",
        "q_quote_ident(n.nspname)",
        "q_quote_ident(c.collname)",
        qualified!("c.collname"),
        "\"pg_catalog.pg_collation\" c JOIN \"pg_catalog.pg_namespace\" n ON n.oid = c.collnamespace WHERE c.oid = g.object"
    ),
    class!(
        "2616",
        "'operator class'",
        "q_quote_ident(n.nspname)",
        "q_quote_ident(c.opcname)",
        concat!(qualified!("c.opcname"), " || ' USING ' || q_quote_ident(m.amname)"),
        "\"pg_catalog.pg_opclass\" c JOIN \"pg_catalog.pg_namespace\" n ON n.oid = c.opcnamespace \
         JOIN \"pg_catalog.pg_am\" m ON m.oid = c.opcmethod WHERE c.oid = g.object"
    ),
    class!(
        "2753",
        "'operator family'",
        "q_quote_ident(n.nspname)",
        "q_quote_ident(c.opfname)",
        concat!(qualified!("c.opfname"), " || ' USING ' || q_quote_ident(m.amname)"),
        "\"pg_catalog.pg_opfamily\" c JOIN \"pg_catalog.pg_namespace\" n ON n.oid = c.opfnamespace \
         JOIN \"pg_catalog.pg_am\" m ON m.oid = c.opfmethod WHERE c.oid = g.object"
    ),
    plain!("2615", "'schema'", "nspname", "pg_namespace"),
    plain!("1260", "'role'", "rolname", "pg_authid"),
    plain!("3079", "'extension'", "extname", "pg_extension"),
    plain!("2612", "'language'", "lanname", "pg_language"),
    plain!("2601", "'access method'", "amname", "pg_am"),
    plain!("1213", "'tablespace'", "spcname", "pg_tablespace"),
    " END, q_record({3}, CASE g.class WHEN 1259 THEN 'relation' WHEN 1247 THEN 'type' WHEN 2606 THEN 'constraint' \
     WHEN 2604 THEN 'default value' WHEN 2618 THEN 'rule' WHEN 3456 THEN 'collation' WHEN 2616 THEN 'operator class' \
     WHEN 2753 THEN 'operator family' WHEN 2615 THEN 'schema' WHEN 1260 THEN 'role' WHEN 3079 THEN 'extension' \
     WHEN 2612 THEN 'language' WHEN 2601 THEN 'access method' WHEN 1213 THEN 'tablespace' ELSE \
     q_raise('0A000', 'pg_identify_object of class ' || g.class || ' is not supported') END, NULL, NULL, NULL))) \
     FROM (SELECT {0} AS class, {1} AS object, {2} AS part) g)"
);

pub const FUNCTIONS: &[Function] = &[func("pg_identify_object", &[OID, OID, INT4], Type::RECORD, IDENTIFY)
    .columns(&[("type", TEXT), ("schema", TEXT), ("name", TEXT), ("identity", TEXT)])
    .stable()];
