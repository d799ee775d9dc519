//! The relations that are built in: `pg_catalog` as PostgreSQL 15 has it, and what Quorate shows of itself.
//!
//! Relations of `pg_catalog` that DDL writes, or that have rows every client expects, are tables in each database
//! file (see `migrations/database`); what nothing changes is built in (`functions::builtin`); all others are empty here
//! but typed. The `quorate` relations read live facts.
//! Views of `pg_catalog` and `information_schema` are Postgres SQL over these (`system_views.sql`).
//!
//! Left out: most statistics views, and rows of `pg_class` and `pg_attribute` for what is a view here.

use super::catalog::{Column, Relation, RelationKind, Source, sqlite_name};
use crate::functions::{Asks, builtin};
use crate::settings::{self, Kind, Setting};
use crate::types::{NO_TYPMOD, Type};
use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

/// (oid, name, columns) of the relations of schema `quorate`; each reads the JSON array `q_live(name)`.
const QUORATE: [(u32, &str, &str); 9] = [
    (
        13001,
        "nodes",
        "node text, id int8, state text, pg_addr text, peer_addr text, http_addr text, version text, \
         clock_ahead_ms float8, clock_error_ms float8, sync_ms float8, unfit text",
    ),
    (13002, "groups", "id int8, database text, leader text, term int8, voters text, learners text"),
    (
        13003,
        "replicas",
        "database text, node text, role text, term int8, commit_index int8, applied_index int8, digest text, state text, lag int8",
    ),
    (
        13004,
        "sessions",
        "datname text, pid int4, usename text, application_name text, client_addr text, client_port int4, \
         backend_start timestamptz, xact_start timestamptz, query_start timestamptz, state_change timestamptz, \
         wait_event_type text, wait_event text, state text, query text, ssl bool, ssl_version text, ssl_cipher text, \
         ssl_bits int4, ssl_client_dn text, ssl_client_serial text, ssl_issuer_dn text",
    ),
    (
        13018,
        "databases",
        "oid oid, name text, owner oid, is_template bool, connections bool, connection_limit int4, acl text, group_id int8, \
         state text, size int8",
    ),
    // Of the node that is asked: who may come in from where.
    (
        13017,
        "rules",
        "line_number int4, type text, database text, user_name text, address text, netmask text, auth_method text",
    ),
    (
        13005,
        "locks",
        "locktype text, database oid, relation oid, mode text, granted bool, waitstart timestamptz, pid int4, transaction text, classid oid, objid oid, objsubid int2",
    ),
    // Of the session that asks.
    (
        13006,
        "prepared_statements",
        "name text, statement text, prepare_time timestamptz, parameter_types text, from_sql bool",
    ),
    (
        13016,
        "cursors",
        "name text, statement text, is_holdable bool, is_binary bool, is_scrollable bool, creation_time timestamptz",
    ),
];

/// Every built-in relation. The catalogs of all databases share them.
pub fn relations() -> &'static [Arc<Relation>] {
    static RELATIONS: OnceLock<Vec<Arc<Relation>>> = OnceLock::new();
    RELATIONS.get_or_init(|| {
        let lines = include_str!("system_relations.txt").lines().chain(include_str!("system_empty.txt").lines());
        let pg = lines.filter(|l| !l.starts_with('#')).filter_map(pg_relation);
        let quorate = QUORATE.iter().map(|(oid, name, columns)| quorate_relation(*oid, name, columns));
        let views = include_str!("system_views.sql").split("\n\n").filter_map(view);
        pg.chain(quorate).chain(views).chain([pg_settings(), this_database()]).map(Arc::new).collect()
    })
}

/// Who owns the database that a session is in.
fn this_database() -> Relation {
    let query = "SELECT datdba FROM main.\"_quorate_database\"";
    relation(13019, "quorate", "this_database", columns_of("owner oid!"), Source::Query(query.to_owned()))
}

/// What a built-in relation asks of whoever reads it; `None` for nothing.
pub fn asks(oid: u32) -> Option<&'static Asks> {
    static ASKS: OnceLock<BTreeMap<u32, Asks>> = OnceLock::new();
    let asks = ASKS.get_or_init(|| {
        let queries = relations().iter().filter_map(|relation| match &relation.source {
            Source::Query(sql) => Some((relation.oid, Asks::of_implementations(sql))),
            _ => None,
        });
        queries.filter(|(_, asks)| !asks.is_empty()).collect()
    });
    asks.get(&oid)
}

/// A line `-- oid schema.name: column type!, …` and a query.
fn view(text: &str) -> Option<Relation> {
    let (head, query) = text.split_once('\n')?;
    let (head, columns) = head.strip_prefix("-- ")?.split_once(": ")?;
    let (oid, name) = head.split_once(' ')?;
    let (schema, name) = name.split_once('.')?;
    Some(relation(oid.parse().ok()?, schema, name, columns_of(columns), Source::View(query.to_owned())))
}

/// Facts from the table of settings, values from the session.
fn pg_settings() -> Relation {
    let columns = "name text, setting text, unit text, category text, short_desc text, extra_desc text, context text, \
                   vartype text, source text, sourcefile text, sourceline int4, min_val text, max_val text, \
                   enumvals _text, boot_val text, reset_val text, pending_restart bool";
    let rows: Vec<String> = settings::all().iter().map(setting_row).collect();
    let query = format!(
        "SELECT name, q_in_unit(q_current_setting(name, 1), unit), unit, category, description, NULL, context, vartype, \
         iif(q_current_setting(name, 1) = boot, 'default', 'session'), NULL, NULL, low, high, \
         iif(choices IS NULL, NULL, q_string_to_array(choices, ',', NULL)), \
         q_in_unit(boot, unit), q_in_unit(boot, unit), 0 FROM (SELECT NULL AS name, NULL AS unit, NULL AS description, \
         NULL AS context, NULL AS vartype, NULL AS low, NULL AS high, NULL AS boot, NULL AS category, NULL AS choices \
         WHERE 0 UNION ALL VALUES {})",
        rows.join(", ")
    );
    relation(12012, "pg_catalog", "pg_settings", columns_of(columns), Source::Query(query))
}

fn setting_row(s: &Setting) -> String {
    let text = |t: &str| format!("'{}'", t.replace('\'', "''"));
    let number = |n: f64| text(&n.to_string());
    let none = || "NULL".to_owned();
    let (vartype, low, high) = match s.kind {
        Kind::Bool => ("bool", none(), none()),
        Kind::Int { min, max, .. } => ("integer", text(&min.to_string()), text(&max.to_string())),
        Kind::Real { min, max, .. } => ("real", number(min), number(max)),
        Kind::Enum(_) => ("enum", none(), none()),
        _ => ("string", none(), none()),
    };
    let unit = s.unit_name().map_or_else(none, text);
    let choices = match s.kind {
        Kind::Enum(values) => text(&values.join(",")),
        _ => none(),
    };
    let (name, context) = (text(s.name), text(s.context.name()));
    let (default, category) = (text(s.default), text(s.category));
    let fields = [name, unit, text(s.description), context, text(vartype), low, high, default, category, choices];
    format!("({})", fields.join(", "))
}

/// A line `oid name*: column type!, …`, where a name may have its schema in front.
fn pg_relation(line: &str) -> Option<Relation> {
    let (head, columns) = line.split_once(": ")?;
    let (oid, name) = head.split_once(' ')?;
    let (schema, name) = name.split_once('.').unwrap_or(("pg_catalog", name));
    let columns = columns_of(columns);
    let source = match name.ends_with('*') {
        true => Source::Table(sqlite_name("pg_catalog", name.trim_end_matches('*'))),
        false => match builtin::table_of(name) {
            Some(table) => {
                let names: Vec<&str> = columns.iter().map(|c| &*c.name).collect();
                Source::Query(format!("SELECT {} FROM {table}", names.join(", ")))
            }
            // Whoever dumps or compares all schemas takes what is no catalog of PostgreSQL's for the user's.
            None if name == "pg_namespace" => Source::Query(
                "SELECT oid, nspname, nspowner, nspacl FROM main.\"pg_catalog.pg_namespace\" WHERE nspname <> 'quorate'".into(),
            ),
            None => Source::Query(format!("SELECT {} WHERE 0", vec!["NULL"; columns.len()].join(", "))),
        },
    };
    Some(relation(oid.parse().ok()?, schema, name.trim_end_matches('*'), columns, source))
}

fn quorate_relation(oid: u32, name: &str, columns: &str) -> Relation {
    let columns = columns_of(columns);
    let fields: Vec<String> = columns.iter().map(|c| format!("json_extract(value, '$.{}')", c.name)).collect();
    let query = format!("SELECT {} FROM json_each(q_live('{name}'))", fields.join(", "));
    relation(oid, "quorate", name, columns, Source::Query(query))
}

fn relation(oid: u32, schema: &str, name: &str, columns: Vec<Column>, source: Source) -> Relation {
    Relation { source, columns, ..Relation::new(oid, RelationKind::System, schema.into(), name.into()) }
}

fn columns_of(text: &str) -> Vec<Column> {
    let column = |(i, item): (usize, &str)| {
        let (name, ty) = item.split_once(' ').unwrap_or((item, "text"));
        Column {
            attnum: i as i16 + 1,
            name: name.into(),
            ty: type_of(ty.trim_end_matches('!')),
            typmod: NO_TYPMOD,
            domain: None,
            not_null: ty.ends_with('!'),
            default: None,
            identity: None,
            generated: None,
            sequence: None,
            collation: None,
        }
    };
    text.split(", ").enumerate().map(column).collect()
}

/// The types of the system relations. Those of planner statistics have no values here and are shown as text.
fn type_of(name: &str) -> Type {
    match name {
        "bool" => Type::BOOL,
        "bytea" => Type::BYTEA,
        "char" => Type::CHAR,
        "name" => Type::NAME,
        "int2" => Type::INT2,
        "int4" => Type::INT4,
        "int8" => Type::INT8,
        "oid" => Type::OID,
        "varchar" => Type::VARCHAR,
        "regtype" => Type::REGTYPE,
        "xid" => Type::XID,
        "float4" => Type::FLOAT4,
        "regproc" => Type::REGPROC,
        "timestamptz" => Type::TIMESTAMPTZ,
        "int2vector" => Type::INT2VECTOR,
        "oidvector" => Type::OIDVECTOR,
        "pg_node_tree" => Type::PG_NODE_TREE,
        "float8" => Type::FLOAT8,
        "numeric" => Type::NUMERIC,
        "interval" => Type::INTERVAL,
        "inet" => Type::INET,
        "_text" => Type::TEXT_ARRAY,
        "_name" => Type::NAME_ARRAY,
        "_oid" => Type::OID_ARRAY,
        "_char" => Type::CHAR_ARRAY,
        "_int2" => Type::INT2_ARRAY,
        "_float4" => Type::FLOAT4_ARRAY,
        "_aclitem" => Type::ACLITEM_ARRAY,
        "_regtype" => Type::REGTYPE_ARRAY,
        _ => Type::TEXT,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relations_have_tables_behind_them() {
        let connection = rusqlite::Connection::open_in_memory().unwrap();
        for file in crate::sql::migrations::database_migrations().iter().map(|step| step.script) {
            connection.execute_batch(file).unwrap();
        }
        for r in relations() {
            if let Source::Table(table) = &r.source {
                let names: Vec<String> = r.columns.iter().map(|c| crate::sql::catalog::quote(&c.name)).collect();
                let sql = format!("SELECT {} FROM \"{table}\"", names.join(", "));
                connection.prepare(&sql).unwrap_or_else(|e| panic!("{}: {e}", r.name));
            }
        }
        assert_eq!(relations().iter().find(|r| r.name == "pg_class").unwrap().columns.len(), 33);
    }
}
