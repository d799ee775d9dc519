//! Who owns what: what depends on a role.

use crate::sql::catalog::{Object, RelationKind};
use crate::sql::ddl::work::Work;
use crate::sql::lex::quote_identifier;
use crate::types::Type;
use std::collections::BTreeSet;

/// An object as messages have it.
pub fn described(work: &Work<'_>, object: Object, column: i16) -> String {
    match object.class {
        1259 => {
            let Some(relation) = work.catalog.by_oid(object.oid) else { return String::new() };
            let noun = match relation.kind {
                RelationKind::View { .. } => "view",
                RelationKind::Sequence(_) => "sequence",
                RelationKind::Index { .. } => "index",
                _ => "table",
            };
            let name = work.shown(relation);
            match relation.column_at(column) {
                Some(column) => format!("column {} of {noun} {name}", quote_identifier(&column.name)),
                None => format!("{noun} {name}"),
            }
        }
        2615 => format!("schema {}", work.catalog.schema_name(object.oid).map_or_else(String::new, quote_identifier)),
        1247 => format!("type {}", work.type_name(Type(object.oid))),
        2612 => "language".to_owned(),
        _ => format!("database {}", quote_identifier(work.scope().database)),
    }
}

/// What keeps a role from being dropped, as messages have it.
pub fn dependents(work: &Work<'_>, role: u32) -> Vec<String> {
    let rights = &work.catalog.rights;
    let mut seen = BTreeSet::new();
    let mut lines = Vec::new();
    for (object, _) in rights.owners.iter().filter(|(_, owner)| **owner == role) {
        lines.push((object.oid, format!("owner of {}", described(work, *object, 0))));
        seen.insert((*object, 0));
    }
    for ((object, column), _) in rights.acls.iter().filter(|(_, acl)| acl.names(role)) {
        if rights.owner(*object) != role && seen.insert((*object, *column)) {
            lines.push((object.oid, format!("privileges for {}", described(work, *object, *column))));
        }
    }
    for ((of, schema, kind), (oid, acl)) in &rights.defaults {
        let noun = match kind.as_str() {
            "r" => "relations",
            "S" => "sequences",
            "f" => "functions",
            "T" => "types",
            _ => "schemas",
        };
        let within = match work.catalog.schema_name(*schema) {
            Some(name) => format!(" in schema {}", quote_identifier(name)),
            None => String::new(),
        };
        let what = format!("default privileges on new {noun} belonging to role {}{within}", rights.roles.name(*of));
        if *of == role {
            lines.push((*oid, format!("owner of {what}")));
        } else if acl.names(role) {
            lines.push((*oid, format!("privileges for {what}")));
        }
    }
    lines.sort();
    lines.into_iter().map(|(_, line)| line).collect()
}
