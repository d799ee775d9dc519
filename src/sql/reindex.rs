//! REINDEX: SQLite's indexes are always whole, so there is nothing to do, but what is named must exist and be the role's.

use super::access::{self, not_owner};
use super::catalog::{Object, Relation, RelationKind};
use super::cursor::{Cursor, Name};
use super::plan::{Plan, Utility};
use super::{Scope, utility};
use crate::error::{SqlError, SqlResult, state};

#[derive(Clone, Debug)]
pub struct Reindex {
    what: &'static str,
    name: Name,
    concurrently: bool,
    tablespace: Option<String>,
}

/// What stands behind `REINDEX`.
pub fn statement(c: &mut Cursor<'_>) -> SqlResult<Reindex> {
    let (mut concurrently, mut tablespace) = (false, None);
    if c.is("(") {
        for (option, value) in c.paren_list(option)? {
            match &*option {
                "verbose" => {}
                "concurrently" => {
                    concurrently = !["false", "off", "0"].iter().any(|no| value.eq_ignore_ascii_case(no));
                }
                "tablespace" => tablespace = Some(value),
                _ => return Err(SqlError::syntax(format!("unrecognized REINDEX option \"{option}\""))),
            }
        }
    }
    let what = c.eat_one(&["INDEX", "TABLE", "SCHEMA", "DATABASE", "SYSTEM"]).ok_or_else(|| c.error())?;
    concurrently |= c.eat("CONCURRENTLY");
    let name = match what {
        "INDEX" | "TABLE" => c.name()?,
        _ => Name { schema: None, position: c.position(), name: c.ident()? },
    };
    Ok(Reindex { what, name, concurrently, tablespace })
}

/// An option and its value, if there is one.
fn option(c: &mut Cursor<'_>) -> SqlResult<(String, String)> {
    let option = c.any_word()?;
    let value = if c.is(",") || c.is(")") { "" } else { c.take_until(|c| c.is(",") || c.is(")"))? };
    Ok((option, value.trim().trim_matches('\'').to_owned()))
}

pub fn compile(reindex: &Reindex, scope: &Scope<'_>) -> SqlResult<Plan> {
    let Reindex { what, name, concurrently, .. } = reindex;
    let mut notices = Vec::new();
    let alone = match *what {
        _ if *concurrently => Some("REINDEX CONCURRENTLY"),
        "SCHEMA" => Some("REINDEX SCHEMA"),
        "DATABASE" => Some("REINDEX DATABASE"),
        "SYSTEM" => Some("REINDEX SYSTEM"),
        _ => None,
    };
    match reindex.tablespace.as_deref() {
        None | Some("pg_default") => {}
        Some("pg_global") => {
            let message = "cannot move non-shared relation to tablespace \"pg_global\"";
            return Err(SqlError::new(state::INVALID_PARAMETER_VALUE, message));
        }
        Some(other) => {
            return Err(SqlError::new(state::UNDEFINED_OBJECT, format!("tablespace \"{other}\" does not exist")));
        }
    }
    match *what {
        "INDEX" | "TABLE" => {
            let relation = utility::resolve(name, scope)?;
            check(relation, *what == "INDEX", scope)?;
            if *concurrently && is_system(relation) {
                return Err(SqlError::new(state::FEATURE_NOT_SUPPORTED, NOT_SYSTEM));
            }
            if *what == "TABLE" && has_no_indexes(relation) {
                let which = if *concurrently { "that can be reindexed concurrently" } else { "to reindex" };
                let message = format!("table \"{}\" has no indexes {which}", relation.name);
                notices.push(SqlError::new(state::SUCCESSFUL_COMPLETION, message));
            }
        }
        "SCHEMA" => {
            let oid = scope.catalog.schemas.get(&name.name).copied();
            let oid = oid.ok_or_else(|| {
                SqlError::new(state::INVALID_SCHEMA_NAME, format!("schema \"{}\" does not exist", name.name))
            })?;
            owned(Object::schema(oid), "schema", &name.name, scope)?;
            if *concurrently && name.name == "pg_catalog" {
                notices.push(SqlError::new(state::WARNING, format!("{NOT_SYSTEM}, skipping all")));
            }
        }
        _ => {
            if *what == "SYSTEM" && *concurrently {
                return Err(SqlError::new(state::FEATURE_NOT_SUPPORTED, NOT_SYSTEM));
            }
            if name.name != scope.database {
                let message = "can only reindex the currently open database";
                return Err(SqlError::new(state::FEATURE_NOT_SUPPORTED, message));
            }
            owned(Object::DATABASE, "database", &name.name, scope)?;
            if *concurrently {
                notices.push(SqlError::new(state::WARNING, format!("{NOT_SYSTEM}, skipping all")));
            }
        }
    }
    utility::compile(Utility::Maintenance { tag: "REINDEX", alone, notices }, scope)
}

const NOT_SYSTEM: &str = "cannot reindex system catalogs concurrently";

/// Errors: 42809, 42501.
fn check(relation: &Relation, index: bool, scope: &Scope<'_>) -> SqlResult<()> {
    let fits = match &relation.kind {
        RelationKind::Index { .. } => index,
        RelationKind::Table | RelationKind::Materialized { .. } => !index,
        RelationKind::System => !index && access::noun(relation) == "table",
        _ => false,
    };
    if !fits {
        let wanted = if index { "an index" } else { "a table or materialized view" };
        let message = format!("\"{}\" is not {wanted}", relation.name);
        return Err(SqlError::new(state::WRONG_OBJECT_TYPE, message));
    }
    let owner = match relation.kind {
        RelationKind::Index { table } => table,
        _ => relation.oid,
    };
    owned(Object::relation(owner), access::noun(relation), &relation.name, scope)
}

/// Errors: 42501.
fn owned(object: Object, noun: &str, name: &str, scope: &Scope<'_>) -> SqlResult<()> {
    let owns = scope.catalog.rights.owns(access::current_role(scope)?, object);
    if owns { Ok(()) } else { Err(not_owner(noun, name)) }
}

fn is_system(relation: &Relation) -> bool {
    matches!(relation.kind, RelationKind::System)
}

/// Values of a variable length have PostgreSQL keep an index beside the table.
fn has_no_indexes(relation: &Relation) -> bool {
    !is_system(relation) && relation.indexes.is_empty() && relation.columns.iter().all(|c| c.ty.length() > 0)
}
