//! How the databases hear of roles: what makes the roles and settings of one database those of the home.
//!
//! Roles, members and settings are the cluster's; every database has a copy of them in its own tables, so that whoever asks
//! its catalog finds them, plans depend on them, and a change of them has its place in that database's log. The copy says of
//! which version of the home's catalog it is, and never goes back. Who is gone owns nothing any more: what was left falls to
//! the first superuser.

use super::{put, put_membership, put_settings};
use crate::command::Definition;
use crate::error::SqlResult;
use crate::rights::BOOTSTRAP;
use crate::sql::Scope;
use crate::sql::catalog::Catalog;
use crate::sql::catalog::rights::{Rights, acl_literal};
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
    let (before, after) = (Arc::clone(&work.catalog.rights.roles), Arc::clone(&home.rights.roles));
    let gone: Vec<u32> = before.iter().map(|role| role.oid).filter(|oid| after.get(*oid).is_none()).collect();
    for oid in &gone {
        owners::abandon(&mut work, *oid, BOOTSTRAP)?;
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
            put(&mut work, known, role);
        }
    }
    if before.memberships() != after.memberships() {
        work.sql("DELETE FROM \"pg_catalog.pg_auth_members\"".to_owned());
        let old: Vec<(u32, u32)> = before.memberships().iter().map(|m| (m.role, m.member)).collect();
        let roles = Arc::make_mut(&mut work.catalog.rights.roles);
        old.iter().for_each(|(role, member)| roles.remove_membership(*role, *member));
        after.memberships().iter().for_each(|m| put_membership(&mut work, m.clone()));
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
    for key in settings.keys().filter(|key| !home.rights.settings.contains_key(key)) {
        put_settings(&mut work, *key, Vec::new())?;
    }
    for (key, values) in &home.rights.settings {
        if settings.get(key) != Some(values) {
            put_settings(&mut work, *key, values.clone())?;
        }
    }
    work.sql(format!("UPDATE \"_quorate_database\" SET told = {}", home.version as i64));
    let done = work.finish();
    let kind = PlanKind::Write(WritePlan {
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
    Ok(Plan { params: Vec::new(), columns: Vec::new(), schema_version: scope.catalog.version, kind })
}

/// A database that was just made is this role's, whatever its template says of itself.
pub fn take_over(owner: u32) -> String {
    format!("UPDATE \"_quorate_database\" SET datdba = {owner}, datacl = NULL")
}
