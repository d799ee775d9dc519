//! Who owns what: ALTER … OWNER TO, REASSIGN OWNED, DROP OWNED, and what depends on a role.

use super::grammar::RoleSpec;
use super::{denied, known};
use crate::error::{SqlError, SqlResult, state};
use crate::rights::{Behavior, CREATE, Item, Kind};
use crate::sql::access::{self, no_right, not_owner};
use crate::sql::catalog::rights::acl_literal;
use crate::sql::catalog::{FIRST_USER_OID, Object, Relation, RelationKind};
use crate::sql::ddl::work::Work;
use crate::sql::ddl::{table, types};
use crate::sql::lex::quote_identifier;
use crate::types::Type;
use std::collections::BTreeSet;
use std::sync::Arc;

/// An object as messages have it.
pub fn described(work: &Work<'_>, object: Object, column: i16) -> String {
    match object.class {
        1259 => {
            let Some(relation) = work.catalog.by_oid(object.oid) else { return String::new() };
            let (noun, name) = (access::noun(relation), work.shown(relation));
            match relation.column_at(column) {
                Some(column) => format!("column {} of {noun} {name}", quote_identifier(&column.name)),
                None => format!("{noun} {name}"),
            }
        }
        2615 => format!("schema {}", work.catalog.schema_name(object.oid).map_or_else(String::new, quote_identifier)),
        1247 => format!("type {}", work.type_name(Type(object.oid))),
        3079 => {
            let named = work.catalog.extensions.iter().find(|(_, oid)| **oid == object.oid);
            format!("extension {}", named.map_or("", |(name, _)| name))
        }
        2612 => "language".to_owned(),
        _ => format!("database {}", quote_identifier(work.scope().database)),
    }
}

/// Objects that are only parts of others: indexes, and the arrays over types.
fn is_part(work: &Work<'_>, object: Object) -> bool {
    match object.class {
        1259 => matches!(work.catalog.by_oid(object.oid).map(|r| &r.kind), Some(RelationKind::Index { .. }) | None),
        1247 => Type(object.oid).is_array(),
        _ => false,
    }
}

/// What keeps a role from being dropped, as messages have it.
pub fn dependents(work: &Work<'_>, role: u32) -> Vec<String> {
    let rights = &work.catalog.rights;
    let mut seen = BTreeSet::new();
    let mut lines = Vec::new();
    for (object, _) in rights.owners.iter().filter(|(_, owner)| **owner == role) {
        if !is_part(work, *object) {
            lines.push((object.class, object.oid, 0, format!("owner of {}", described(work, *object, 0))));
        }
    }
    for ((object, column), _) in rights.acls.iter().filter(|(_, acl)| acl.names(role)) {
        if rights.owner(*object) != role && seen.insert((*object, *column)) {
            lines.push((
                object.class,
                object.oid,
                *column,
                format!("privileges for {}", described(work, *object, *column)),
            ));
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
            lines.push((826, *oid, 0, format!("owner of {what}")));
        } else if acl.names(role) {
            lines.push((826, *oid, 0, format!("privileges for {what}")));
        }
    }
    lines.sort();
    lines.into_iter().map(|(.., line)| line).collect()
}

/// Errors: 42501 unless the current role may give an object to another one.
fn check_may_give(work: &Work<'_>, object: Object, (noun, name): (&str, &str), new: u32) -> SqlResult<()> {
    if work.is_superuser() {
        return Ok(());
    }
    if !work.owns(object) {
        return Err(not_owner(noun, name));
    }
    if !work.catalog.rights.roles.is_member(work.role(), new) {
        return Err(denied(format!("must be member of role \"{}\"", work.catalog.rights.roles.name(new))));
    }
    Ok(())
}

fn check_new_owner_creates(work: &Work<'_>, schema: &str, new: u32) -> SqlResult<()> {
    let Some(oid) = work.catalog.schemas.get(schema).filter(|_| !work.is_superuser()) else { return Ok(()) };
    match work.catalog.rights.held(new, Kind::Schema, Object::schema(*oid), CREATE) {
        0 => Err(no_right("schema", schema)),
        _ => Ok(()),
    }
}

pub fn relation_to(work: &mut Work<'_>, relation: &Relation, to: &RoleSpec) -> SqlResult<()> {
    let new = known(work, to)?.oid;
    let object = Object::relation(relation.oid);
    if matches!(relation.kind, RelationKind::Index { .. }) {
        let message = format!("cannot change owner of index \"{}\"", relation.name);
        work.notices
            .push(SqlError::new(state::WARNING, message).hint("Change the ownership of the index's table, instead."));
        return Ok(());
    }
    if work.catalog.rights.owner(object) == new {
        return Ok(());
    }
    if let Some((table, _)) = work.catalog.sequence_owner(relation.oid) {
        let message = format!("cannot change owner of sequence \"{}\"", relation.name);
        let detail = format!("Sequence \"{}\" is linked to table \"{}\".", relation.name, table.name);
        return Err(SqlError::new(state::FEATURE_NOT_SUPPORTED, message).detail(detail));
    }
    check_may_give(work, object, (access::noun(relation), &relation.name), new)?;
    check_new_owner_creates(work, &relation.schema, new)?;
    give_relation(work, relation, new)
}

fn give_relation(work: &mut Work<'_>, relation: &Relation, new: u32) -> SqlResult<()> {
    work.give(Object::relation(relation.oid), new)?;
    for index in &relation.indexes {
        work.give(Object::relation(index.oid), new)?;
    }
    let sequences: Vec<u32> = relation.columns.iter().filter_map(|c| c.sequence).collect();
    for sequence in sequences {
        work.give(Object::relation(sequence), new)?;
    }
    Ok(())
}

pub fn schema_to(work: &mut Work<'_>, name: &str, to: &RoleSpec) -> SqlResult<&'static str> {
    let oid = work.catalog.schemas.get(name).copied().ok_or_else(|| crate::sql::ddl::work::no_schema(name))?;
    let new = known(work, to)?.oid;
    let object = Object::schema(oid);
    if work.catalog.rights.owner(object) != new {
        check_may_give(work, object, ("schema", name), new)?;
        work.check_creates_in_database()?;
        work.give(object, new)?;
    }
    Ok("ALTER SCHEMA")
}

pub fn type_to(work: &mut Work<'_>, ty: Type, schema: &str, to: &RoleSpec) -> SqlResult<()> {
    let new = known(work, to)?.oid;
    let object = Object::of_type(ty.0);
    if work.catalog.rights.owner(object) == new {
        return Ok(());
    }
    let name = work.type_name(ty);
    check_may_give(work, object, ("type", &name), new)?;
    check_new_owner_creates(work, schema, new)?;
    work.give(object, new)?;
    if let Some(array) = ty.array() {
        work.give(Object::of_type(array.0), new)?;
    }
    Ok(())
}

pub fn database_to(work: &mut Work<'_>, name: &str, to: &RoleSpec) -> SqlResult<&'static str> {
    work.check_database(name)?;
    let new = known(work, to)?.oid;
    if work.catalog.rights.owner(Object::DATABASE) != new {
        check_may_give(work, Object::DATABASE, ("database", name), new)?;
        let creates = work.catalog.rights.roles.get(work.role()).is_some_and(|r| r.create_database || r.superuser);
        if !creates {
            return Err(denied("permission denied to change owner of database"));
        }
        work.give(Object::DATABASE, new)?;
    }
    Ok("ALTER DATABASE")
}

/// REASSIGN OWNED
pub fn reassign(work: &mut Work<'_>, from: &[RoleSpec], to: &RoleSpec) -> SqlResult<&'static str> {
    let new = known(work, to)?;
    for spec in from {
        let old = known(work, spec)?;
        check_has_rights(work, old.oid, "reassign objects")?;
        check_no_bootstrap(work, old.oid, &old.name)?;
        check_has_rights(work, new.oid, "reassign objects")?;
        for object in owned(work, old.oid) {
            work.give(object, new.oid)?;
        }
    }
    Ok("REASSIGN OWNED")
}

fn check_has_rights(work: &Work<'_>, role: u32, what: &str) -> SqlResult<()> {
    match work.catalog.rights.roles.has_rights_of(work.role(), role) {
        true => Ok(()),
        false => Err(denied(format!("permission denied to {what}"))),
    }
}

fn check_no_bootstrap(_: &Work<'_>, role: u32, name: &str) -> SqlResult<()> {
    if role >= FIRST_USER_OID {
        return Ok(());
    }
    let message = format!("cannot drop objects owned by role {name} because they are required by the database system");
    Err(SqlError::new(state::DEPENDENT_OBJECTS_STILL_EXIST, message))
}

fn owned(work: &Work<'_>, role: u32) -> Vec<Object> {
    work.catalog.rights.owners.iter().filter(|(_, owner)| **owner == role).map(|(object, _)| *object).collect()
}

/// A role is gone: what it owned is another one's, and nothing is granted to it, or by it.
pub fn abandon(work: &mut Work<'_>, role: u32, heir: u32) -> SqlResult<()> {
    for object in owned(work, role) {
        work.give(object, heir)?;
    }
    revoke_all(work, role)?;
    let named: Vec<_> = work.catalog.rights.acls.iter().filter(|(_, acl)| acl.names(role)).collect();
    let named: Vec<_> = named.into_iter().map(|(key, acl)| (*key, acl.clone())).collect();
    for ((object, column), mut acl) in named {
        acl.0.retain(|item| item.grantee != role && item.grantor != role);
        work.put_acl(object, column, Some(acl))?;
    }
    Ok(())
}

/// DROP OWNED
pub fn drop_owned(work: &mut Work<'_>, specs: &[RoleSpec], cascade: bool) -> SqlResult<&'static str> {
    for spec in specs {
        let role = known(work, spec)?;
        check_has_rights(work, role.oid, "drop objects")?;
        check_no_bootstrap(work, role.oid, &role.name)?;
        for object in owned(work, role.oid) {
            drop_object(work, object, cascade)?;
        }
        revoke_all(work, role.oid)?;
    }
    Ok("DROP OWNED")
}

fn drop_object(work: &mut Work<'_>, object: Object, cascade: bool) -> SqlResult<()> {
    if is_part(work, object) || !work.catalog.rights.owners.contains_key(&object) {
        return Ok(());
    }
    match object.class {
        1259 => {
            let Some(relation) = work.catalog.by_oid(object.oid).map(|r| Relation::clone(r)) else { return Ok(()) };
            let all: BTreeSet<u32> = owned(work, work.catalog.rights.owner(object)).iter().map(|o| o.oid).collect();
            // Those of columns go with their tables.
            match work.catalog.sequence_owner(relation.oid) {
                Some(_) => Ok(()),
                None => table::drop_one(work, &relation, &all, cascade),
            }
        }
        1247 => match work.catalog.types.get(&object.oid).cloned() {
            Some(own) => types::drop_one(work, &own, cascade),
            None => Ok(()),
        },
        2615 => match work.catalog.schema_name(object.oid).map(str::to_owned) {
            Some(name) => table::drop_schema(work, &name, cascade),
            None => Ok(()),
        },
        _ => Ok(()),
    }
}

/// Nothing is granted to a role, or by it, any more; and there are no default privileges of its.
fn revoke_all(work: &mut Work<'_>, role: u32) -> SqlResult<()> {
    let roles = Arc::clone(&work.catalog.rights.roles);
    let named: Vec<_> = work.catalog.rights.acls.iter().filter(|(_, acl)| acl.names(role)).collect();
    let named: Vec<_> = named.into_iter().map(|(key, acl)| (*key, acl.clone())).collect();
    for ((object, column), mut acl) in named {
        let owner = work.catalog.rights.owner(object);
        let items: Vec<Item> = acl.0.iter().filter(|item| item.grantee == role).copied().collect();
        for item in items {
            acl = acl.revoke(&roles, item, owner, Behavior::Cascade)?;
        }
        work.put_acl(object, column, Some(acl))?;
    }
    let defaults: Vec<_> = work.catalog.rights.defaults.clone().into_iter().collect();
    for (key, (oid, acl)) in defaults {
        if key.0 == role {
            work.catalog.rights.defaults.remove(&key);
            work.sql(format!("DELETE FROM \"pg_catalog.pg_default_acl\" WHERE oid = {oid}"));
        } else if acl.names(role) {
            let mut left = acl.clone();
            left.0.retain(|item| item.grantee != role);
            let value = acl_literal(&roles, Some(&left))?;
            work.sql(format!("UPDATE \"pg_catalog.pg_default_acl\" SET defaclacl = {value} WHERE oid = {oid}"));
            work.catalog.rights.defaults.insert(key, (oid, left));
        }
    }
    Ok(())
}
