//! How the databases hear of roles: what makes the roles and settings of one database those of the home.
//!
//! Roles, members and settings are the cluster's; every database has a copy of them in its own tables, so that whoever asks
//! its catalog finds them, plans depend on them, and a change of them has its place in that database's log. The copy says of
//! which version of the home's catalog it is, and never goes back. Who is gone owns nothing any more: what was left falls to
//! the first superuser.

use super::{put, put_membership, put_settings};
use crate::command::Definition;
use crate::error::SqlResult;
use crate::rights::{BOOTSTRAP, Role};
use crate::sql::Scope;
use crate::sql::catalog::rights::{Rights, acl_literal};
use crate::sql::catalog::{Catalog, FIRST_USER_OID};
use crate::sql::ddl::roles::owners;
use crate::sql::ddl::work::Work;
use crate::sql::plan::{Plan, PlanKind, Tag, WritePlan};
use std::sync::Arc;

/// Whether a database knows the same of roles and settings as the home.
pub fn agree(home: &Rights, here: &Rights) -> bool {
    home.settings == here.settings
        && (Arc::ptr_eq(&home.roles, &here.roles)
            || home.roles.memberships() == here.roles.memberships() && home.roles.iter().eq(here.roles.iter()))
}

/// What keeps a role from being dropped in this database: how many objects.
pub fn dependents(scope: &Scope<'_>, role: u32) -> (bool, usize) {
    let lines = owners::dependents(&Work::new(scope), role);
    let own = |line: &&String| line.starts_with("owner of database ");
    (lines.iter().any(|line| own(&line)), lines.iter().filter(|line| !own(line)).count())
}

/// The change that makes the database of `scope` know what the home knows.
pub fn plan(home: &Catalog, scope: &Scope<'_>) -> SqlResult<Plan> {
    let mut work = Work::new(scope);
    follow(&mut work, &home.rights)?;
    work.sql(format!("UPDATE \"_quorate_database\" SET told = {}", home.version as i64));
    Ok(whole(work, scope))
}

/// The change that gives the home itself the roles and settings of another cluster's.
pub fn found(other: &Catalog, scope: &Scope<'_>) -> SqlResult<Plan> {
    let mut work = Work::new(scope);
    follow(&mut work, &other.rights)?;
    // No role that is made from now on has the number of one that is there.
    work.catalog.next_oid = work.catalog.next_oid.max(other.next_oid);
    Ok(whole(work, scope))
}

/// The change of the home that gives a database the settings that one had in another cluster, or under another number.
pub fn settle(rights: &Rights, (old, new): (u32, u32), scope: &Scope<'_>) -> SqlResult<Plan> {
    let mut work = Work::new(scope);
    let own = rights.settings.iter().filter(|((database, _), _)| *database == old);
    for ((_, role), values) in own {
        let known = rights.roles.get(*role).and_then(|role| scope.catalog.rights.roles.named(&role.name));
        let key = match (*role, known) {
            (0, _) => (new, 0),
            (_, Some(known)) => (new, known.oid),
            (_, None) => continue,
        };
        put_settings(&mut work, key, values.clone())?;
    }
    Ok(whole(work, scope))
}

fn follow(work: &mut Work<'_>, home: &Rights) -> SqlResult<()> {
    let (before, after) = (Arc::clone(&work.catalog.rights.roles), Arc::clone(&home.roles));
    let gone: Vec<u32> = before.iter().map(|role| role.oid).filter(|oid| after.get(*oid).is_none()).collect();
    for oid in &gone {
        owners::abandon(work, *oid, BOOTSTRAP)?;
        work.sql(format!("DELETE FROM \"pg_catalog.pg_authid\" WHERE oid = {oid}"));
        Arc::make_mut(&mut work.catalog.rights.roles).remove(*oid);
    }
    let renamed = |oid: u32, name: &str| before.get(oid).is_some_and(|known| known.name != name);
    let moved: Vec<u32> = after.iter().filter(|role| renamed(role.oid, &role.name)).map(|role| role.oid).collect();
    for oid in &moved {
        // Two may have changed their names.
        work.sql(format!("UPDATE \"pg_catalog.pg_authid\" SET rolname = 'pg_moved_' || oid WHERE oid = {oid}"));
    }
    for role in after.iter() {
        let known = before.get(role.oid);
        if known != Some(role) {
            put(work, known, role);
        }
    }
    if before.memberships() != after.memberships() {
        work.sql("DELETE FROM \"pg_catalog.pg_auth_members\"".to_owned());
        let old: Vec<(u32, u32)> = before.memberships().iter().map(|m| (m.role, m.member)).collect();
        let roles = Arc::make_mut(&mut work.catalog.rights.roles);
        old.iter().for_each(|(role, member)| roles.remove_membership(*role, *member));
        after.memberships().iter().for_each(|m| put_membership(work, m.clone()));
    }
    // Grants are kept by name.
    let rights = &work.catalog.rights;
    let named: Vec<_> = rights.acls.iter().filter(|(_, acl)| moved.iter().any(|oid| acl.names(*oid))).collect();
    let named: Vec<_> = named.into_iter().map(|(key, acl)| (*key, acl.clone())).collect();
    for ((object, column), acl) in named {
        work.put_acl(object, column, Some(acl))?;
    }
    let defaults: Vec<_> = work.catalog.rights.defaults.values().cloned().collect();
    for (oid, acl) in defaults.into_iter().filter(|(_, acl)| moved.iter().any(|oid| acl.names(*oid))) {
        let acl = acl_literal(&work.catalog.rights.roles, Some(&acl))?;
        work.sql(format!("UPDATE \"pg_catalog.pg_default_acl\" SET defaclacl = {acl} WHERE oid = {oid}"));
    }
    let settings = work.catalog.rights.settings.clone();
    for key in settings.keys().filter(|key| !home.settings.contains_key(key)) {
        put_settings(work, *key, Vec::new())?;
    }
    for (key, values) in &home.settings {
        if settings.get(key) != Some(values) {
            put_settings(work, *key, values.clone())?;
        }
    }
    Ok(())
}

fn whole(work: Work<'_>, scope: &Scope<'_>) -> Plan {
    let done = work.finish();
    let kind = PlanKind::Write(WritePlan {
        copy: None,
        lasting: true,
        alone: None,
        begins: None,
        ddl: Definition::Shared,
        temporary: false,
        on_commit: None,
        effort: done.effort,
        draws: false,
        lock: None,
        statements: done.statements,
        facts: done.facts,
        tag: Tag::Plain("ALTER ROLE"),
        notices: Vec::new(),
    });
    Plan { params: Vec::new(), columns: Vec::new(), schema_version: scope.catalog.version, kind }
}

/// A database that was just made is this role's, whatever its template says of itself.
pub fn take_over(owner: u32) -> String {
    format!("UPDATE \"_quorate_database\" SET datdba = {owner}, datacl = NULL")
}

/// Where a database's file names roles by number: table, column.
const ROLES: [(&str, &str); 11] = [
    ("pg_catalog.pg_authid", "oid"),
    ("pg_catalog.pg_auth_members", "roleid"),
    ("pg_catalog.pg_auth_members", "member"),
    ("pg_catalog.pg_auth_members", "grantor"),
    ("pg_catalog.pg_class", "relowner"),
    ("pg_catalog.pg_type", "typowner"),
    ("pg_catalog.pg_namespace", "nspowner"),
    ("pg_catalog.pg_extension", "extowner"),
    ("pg_catalog.pg_language", "lanowner"),
    ("pg_catalog.pg_default_acl", "defaclrole"),
    ("_quorate_database", "datdba"),
];

/// Makes the roles of a database that comes from another cluster those of the same names of this one, for its file; no role
/// here has the number of one that is not here. It has heard nothing of this cluster's roles then.
pub fn arrive(rights: &Rights, home: &Rights, same_cluster: bool) -> Vec<String> {
    let mut statements = vec!["UPDATE \"_quorate_database\" SET told = 0".to_owned()];
    if same_cluster {
        return statements;
    }
    let highest = rights.roles.iter().chain(home.roles.iter()).map(|role| role.oid).max().unwrap_or_default();
    let mut numbers = Vec::new();
    for (spare, role) in (highest + 1..).zip(rights.roles.iter().filter(|role| role.oid >= FIRST_USER_OID)) {
        let number = home.roles.named(&role.name).map_or(spare, |known| known.oid);
        if number != role.oid {
            numbers.push((role.oid, number));
        }
    }
    if numbers.is_empty() {
        return statements;
    }
    // By way of numbers that nothing has: two may change places.
    let cases: String = numbers.iter().map(|(old, new)| format!("WHEN {old} THEN -{new} ")).collect();
    let old = numbers.iter().map(|(old, _)| old.to_string()).collect::<Vec<_>>().join(", ");
    for (table, column) in ROLES {
        statements
            .push(format!("UPDATE \"{table}\" SET {column} = CASE {column} {cases}END WHERE {column} IN ({old})"));
        statements.push(format!("UPDATE \"{table}\" SET {column} = -{column} WHERE {column} < 0"));
    }
    statements
}

/// Whether a database has nothing that anybody has made.
pub fn is_untouched(catalog: &Catalog) -> bool {
    let own = |oid: u32| oid >= FIRST_USER_OID;
    !catalog.relations.values().any(|relation| own(relation.oid))
        && !catalog.types.keys().any(|oid| own(*oid))
        && !catalog.schemas.values().any(|oid| own(*oid))
}

/// Whether a cluster has roles that somebody has made.
pub fn has_roles(rights: &Rights) -> bool {
    rights.roles.iter().any(|role| role.oid >= FIRST_USER_OID)
}

/// The first superuser of a cluster that has told him a password keeps it, whatever he had in another one.
pub fn keep_password(other: &mut Rights, here: &Rights) {
    let kept = here.roles.get(BOOTSTRAP).filter(|role| role.password.is_some());
    if let Some((kept, role)) = kept.zip(other.roles.get(BOOTSTRAP).cloned()) {
        let (password, valid_until) = (kept.password.clone(), kept.valid_until);
        Arc::make_mut(&mut other.roles).put(Role { password, valid_until, ..role });
    }
}

/// The roles of a database that a cluster does not have, by name.
pub fn strangers(rights: &Rights, home: &Rights) -> Vec<String> {
    let own = rights.roles.iter().filter(|role| role.oid >= FIRST_USER_OID);
    own.filter(|role| home.roles.named(&role.name).is_none()).map(|role| role.name.clone()).collect()
}
