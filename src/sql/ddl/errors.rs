//! SQLite's constraint failures as PostgreSQL reports them: SQLSTATE, message, and the fields that ORMs read.
//!
//! SQLite names columns (UNIQUE, NOT NULL), the constraint (CHECK: its OID, see [`super`]) or nothing at all
//! (FOREIGN KEY). For the last, [`foreign_key_probes`] are queries in the form of a guard: run after the failed
//! statement was run again with `PRAGMA defer_foreign_keys = ON`, the one that yields a row has the error.

use super::rows::literal;
use super::table::orphans;
use super::work::key_detail;
use crate::error::{SqlError, state};
use crate::functions::system::null_violation;
use crate::sql::catalog::{Catalog, ConstraintKind, Index, Relation, sqlite_name};

/// Extended result codes of SQLite (sqlite.org/rescode.html).
pub mod code {
    pub const CHECK: i32 = 275;
    pub const FOREIGN_KEY: i32 = 787;
    pub const NOT_NULL: i32 = 1299;
    pub const PRIMARY_KEY: i32 = 1555;
    pub const UNIQUE: i32 = 2067;
    pub const ROWID: i32 = 2579;
    /// A NULL as rowid: values of other types do not get that far.
    pub const MISMATCH: i32 = 20;
    pub const TOO_BIG: i32 = 18;
    pub const AUTH: i32 = 23;
    pub const DATATYPE: i32 = 3091;
}

/// The error of a statement over `tables` (OIDs; the first is the one written) that failed with SQLite's `message`.
pub fn explain_constraint_error(catalog: &Catalog, message: &str, extended_code: i32, tables: &[u32]) -> SqlError {
    let rest = message.split_once("failed: ").map_or("", |(_, rest)| rest);
    let found = match extended_code {
        code::UNIQUE | code::PRIMARY_KEY | code::ROWID => unique(catalog, rest),
        code::NOT_NULL => not_null(catalog, rest),
        code::CHECK => check(catalog, rest),
        code::FOREIGN_KEY => Some(foreign_key(catalog, tables)),
        code::MISMATCH => tables.first().and_then(|oid| null_rowid(catalog, *oid)),
        code::AUTH if message.contains("dbstat") => {
            Some(SqlError::unsupported("the size of a relation in a statement that writes"))
        }
        code::TOO_BIG => Some(SqlError::new(state::PROGRAM_LIMIT_EXCEEDED, message)),
        code::DATATYPE => Some(SqlError::new(state::DATATYPE_MISMATCH, message)),
        _ => None,
    };
    // Nothing of ours has a constraint that the catalog does not know.
    found.unwrap_or_else(|| SqlError::internal(format!("unexplained constraint failure: {message}")))
}

/// A table and column from SQLite's `table.column`, where the table's name has a dot, and others may.
fn table_column<'a>(catalog: &'a Catalog, text: &str) -> Option<(&'a Relation, String)> {
    text.match_indices('.').find_map(|(at, _)| {
        let (table, column) = (&text[..at], &text[at + 1..]);
        let (schema, name) = table.match_indices('.').find_map(|(dot, _)| {
            let key = (table[..dot].to_owned(), table[dot + 1..].to_owned());
            catalog.relations.contains_key(&key).then_some(key)
        })?;
        let relation = catalog.relations.get(&(schema, name))?;
        relation.column(column).map(|c| (&**relation, c.name.clone()))
    })
}

fn unique(catalog: &Catalog, rest: &str) -> Option<SqlError> {
    let (relation, index) = match rest.strip_prefix("index '") {
        Some(name) => index_named(catalog, name.trim_end_matches('\''))?,
        None => {
            let parts: Vec<_> = rest.split(", ").map(|p| table_column(catalog, p)).collect::<Option<_>>()?;
            let relation = parts.first()?.0;
            let columns: Vec<i16> = parts.iter().filter_map(|(r, c)| r.column(c)).map(|c| c.attnum).collect();
            let same = |i: &&Index| {
                i.unique
                    && i.keys.len() == columns.len()
                    && i.keys.iter().zip(&columns).all(|(k, c)| k.column == Some(*c))
            };
            (relation, relation.indexes.iter().find(same)?)
        }
    };
    let message = format!("duplicate key value violates unique constraint \"{}\"", index.name);
    let error = SqlError::new(state::UNIQUE_VIOLATION, message);
    Some(error.table(&relation.schema, &relation.name).constraint(&index.name))
}

fn index_named<'a>(catalog: &'a Catalog, name: &str) -> Option<(&'a Relation, &'a Index)> {
    catalog.relations.values().find_map(|r| {
        let index = r.indexes.iter().find(|i| sqlite_name(&r.schema, &i.name) == name)?;
        Some((&**r, index))
    })
}

fn not_null(catalog: &Catalog, rest: &str) -> Option<SqlError> {
    let (relation, column) = table_column(catalog, rest)?;
    Some(null_violation(&relation.schema, &relation.name, &column))
}

fn null_rowid(catalog: &Catalog, table: u32) -> Option<SqlError> {
    let relation = catalog.by_oid(table)?;
    let column = relation.column_at(catalog.rowid_column(relation)?)?;
    Some(null_violation(&relation.schema, &relation.name, &column.name))
}

fn check(catalog: &Catalog, rest: &str) -> Option<SqlError> {
    let oid: u32 = rest.parse().ok()?;
    let (relation, constraint) = catalog.relations.values().find_map(|r| {
        let constraint = r.constraints.iter().find(|c| c.oid == oid)?;
        Some((r, constraint))
    })?;
    let message =
        format!("new row for relation \"{}\" violates check constraint \"{}\"", relation.name, constraint.name);
    let error = SqlError::new(state::CHECK_VIOLATION, message);
    Some(error.table(&relation.schema, &relation.name).constraint(&constraint.name))
}

/// Without a probe: named if only one constraint can have failed.
fn foreign_key(catalog: &Catalog, tables: &[u32]) -> SqlError {
    let candidates: Vec<(&Relation, &str, &Relation)> = foreign_keys(catalog, tables).collect();
    if let [(child, name, parent)] = candidates[..] {
        let of_parent = tables.first() == Some(&parent.oid) && parent.oid != child.oid;
        let message = match of_parent {
            true => format!(
                "update or delete on table \"{}\" violates foreign key constraint \"{name}\" on table \"{}\"",
                parent.name, child.name
            ),
            false => format!("insert or update on table \"{}\" violates foreign key constraint \"{name}\"", child.name),
        };
        let error = SqlError::new(state::FOREIGN_KEY_VIOLATION, message);
        return error.table(&child.schema, &child.name).constraint(name);
    }
    SqlError::new(state::FOREIGN_KEY_VIOLATION, "the statement violates a foreign key constraint")
}

/// (child, constraint, parent) of the foreign keys from or to any of `tables`.
fn foreign_keys<'a>(
    catalog: &'a Catalog,
    tables: &'a [u32],
) -> impl Iterator<Item = (&'a Relation, &'a str, &'a Relation)> {
    catalog.relations.values().flat_map(move |r| {
        r.constraints.iter().filter_map(move |c| match &c.kind {
            ConstraintKind::ForeignKey { table, .. } if tables.contains(&r.oid) || tables.contains(table) => {
                Some((&**r, c.name.as_str(), &**catalog.by_oid(*table)?))
            }
            _ => None,
        })
    })
}

/// Guard queries (see [`crate::command::Yields::Guard`]) that find a row without its parent, for each foreign key
/// from or to any of `tables` (OIDs). All of them when `tables` is empty: for constraints checked at COMMIT.
pub fn foreign_key_probes(catalog: &Catalog, tables: &[u32]) -> Vec<String> {
    let mut probes = Vec::new();
    for child in catalog.relations.values() {
        for c in &child.constraints {
            let ConstraintKind::ForeignKey { table, columns, .. } = &c.kind else { continue };
            let concerned = tables.is_empty() || tables.contains(&child.oid) || tables.contains(table);
            let Some(parent) = catalog.by_oid(*table).filter(|_| concerned) else { continue };
            let written = !tables.contains(table) || tables.contains(&child.oid) || tables.is_empty();
            let (message, tail) = match written {
                true => (
                    format!(
                        "insert or update on table \"{}\" violates foreign key constraint \"{}\"",
                        child.name, c.name
                    ),
                    format!(" is not present in table \"{}\".", parent.name),
                ),
                false => (
                    format!(
                        "update or delete on table \"{}\" violates foreign key constraint \"{}\" on table \"{}\"",
                        parent.name, c.name, child.name
                    ),
                    format!(" is still referenced from table \"{}\".", child.name),
                ),
            };
            let detail = key_detail(child, &c.columns, "c.", &tail).unwrap_or_else(|| "NULL".into());
            probes.push(format!(
                "SELECT '23503', {}, {detail}, NULL, {}, {}, NULL, NULL, {} {} LIMIT 1",
                literal(&message),
                literal(&child.schema),
                literal(&child.name),
                literal(&c.name),
                orphans(child, parent, &c.columns, columns)
            ));
        }
    }
    probes
}
