//! Roles: CREATE, ALTER and DROP ROLE, members of roles, and settings of roles and databases.
//!
//! A password becomes a SCRAM-SHA-256 verifier here, before anything of the statement is logged; there is no other form.
//! `grants` has GRANT and REVOKE on objects, `owners` who owns what, `feed` how the other databases hear of roles.
//!
//! Left out (0A000): MD5 passwords.

pub mod feed;
pub mod grammar;
pub mod grants;
pub mod owners;

pub use grammar::{RoleOption, RoleSpec, RoleStatement};

use super::rows::literal;
use super::work::Work;
use crate::error::{SqlError, SqlResult, state};
use crate::rights::{DATABASE_OWNER, Membership, Role, Secret};
use crate::scram;
use crate::settings;
use crate::sql::catalog::rights::{acl_literal, array_literal, no_role};
use crate::sql::catalog::{FIRST_USER_OID, Object};
use crate::types::text::parse_text;
use crate::types::{NO_TYPMOD, Type};
use crate::value::Value;
use std::sync::Arc;

pub fn run(work: &mut Work<'_>, statement: &RoleStatement) -> SqlResult<&'static str> {
    match statement {
        RoleStatement::Create { name, login, options } => create(work, name, *login, options)?,
        RoleStatement::Alter { role, options } => return alter(work, role, options),
        RoleStatement::AlterGroup { role, add, members } => {
            let role = known(work, role)?;
            check_not_reserved(&role.name, "Cannot alter reserved roles.")?;
            check_may_alter_members(work, &role)?;
            for member in resolved(work, members)? {
                change_member(work, &role, &member, *add, None)?;
            }
            return Ok("ALTER ROLE");
        }
        RoleStatement::Rename { name, to } => rename(work, name, to)?,
        RoleStatement::Drop { roles, if_exists } => drop(work, roles, *if_exists)?,
        RoleStatement::Configure { role, database, setting, tag } => {
            configure(work, role.as_ref(), database.as_deref(), setting.as_ref())?;
            return Ok(tag);
        }
        RoleStatement::Grant { roles, members, admin, grantor } => {
            let grantor = grantor_of(work, grantor.as_ref())?;
            let members = resolved(work, members)?;
            for role in resolved(work, roles)? {
                check_may_grant(work, &role, grantor)?;
                for member in &members {
                    add_member(work, &role, member, *admin, grantor)?;
                }
            }
            return Ok("GRANT ROLE");
        }
        RoleStatement::Revoke { roles, members, admin, grantor, cascade: _ } => {
            let grantor = grantor_of(work, grantor.as_ref())?;
            let members = resolved(work, members)?;
            for role in resolved(work, roles)? {
                check_may_grant(work, &role, grantor)?;
                for member in &members {
                    remove_member(work, &role, member, *admin);
                }
            }
            return Ok("REVOKE ROLE");
        }
    }
    Ok(match statement {
        RoleStatement::Create { .. } => "CREATE ROLE",
        RoleStatement::Drop { .. } => "DROP ROLE",
        _ => "ALTER ROLE",
    })
}

pub fn denied(message: impl Into<String>) -> SqlError {
    SqlError::new(state::INSUFFICIENT_PRIVILEGE, message)
}

/// The role that a statement names. Errors: 42704, also for PUBLIC.
pub fn known(work: &Work<'_>, spec: &RoleSpec) -> SqlResult<Role> {
    let scope = work.scope();
    let name = match spec {
        RoleSpec::Named(name) => name.as_str(),
        RoleSpec::CurrentRole | RoleSpec::CurrentUser => scope.user,
        RoleSpec::SessionUser => scope.session_user,
        RoleSpec::Public => return Err(no_role("public")),
    };
    scope.catalog.role(name).cloned()
}

fn resolved(work: &Work<'_>, specs: &[RoleSpec]) -> SqlResult<Vec<Role>> {
    specs.iter().map(|spec| known(work, spec)).collect()
}

/// Whether the current role may make roles, and change those that are no superusers.
fn makes_roles(work: &Work<'_>) -> bool {
    work.catalog.rights.roles.get(work.role()).is_some_and(|role| role.superuser || role.create_role)
}

fn check_not_reserved(name: &str, detail: &str) -> SqlResult<()> {
    match name.starts_with("pg_") {
        true => {
            let message = format!("role name \"{name}\" is reserved");
            Err(SqlError::new(state::RESERVED_NAME, message).detail(detail.to_owned()))
        }
        false => Ok(()),
    }
}

fn check_new_name(work: &Work<'_>, name: &str) -> SqlResult<()> {
    check_not_reserved(name, "Role names starting with \"pg_\" are reserved.")?;
    match work.catalog.rights.roles.named(name) {
        Some(_) => Err(SqlError::new(state::DUPLICATE_OBJECT, format!("role \"{name}\" already exists"))),
        None => Ok(()),
    }
}

fn create(work: &mut Work<'_>, name: &str, login: bool, options: &[RoleOption]) -> SqlResult<()> {
    let superuser = work.is_superuser();
    for option in options {
        match option {
            RoleOption::Superuser(true) if !superuser => return Err(denied("must be superuser to create superusers")),
            RoleOption::Replication(true) if !superuser => {
                return Err(denied("must be superuser to create replication users"));
            }
            RoleOption::BypassRls(true) if !superuser => {
                return Err(denied("must be superuser to create bypassrls users"));
            }
            _ => {}
        }
    }
    if !makes_roles(work) {
        return Err(denied("permission denied to create role"));
    }
    check_new_name(work, name)?;
    let mut role = Role { can_login: login, ..Role::new(0, name) };
    set_options(work, &mut role, options)?;
    role.oid = work.oid();
    put(work, None, &role);
    let grantor = work.role();
    for option in options {
        match option {
            RoleOption::InRole(roles) => {
                for other in resolved(work, roles)? {
                    check_may_grant(work, &other, grantor)?;
                    add_member(work, &other, &role, false, grantor)?;
                }
            }
            RoleOption::Members(members) => {
                for member in resolved(work, members)? {
                    add_member(work, &role, &member, false, grantor)?;
                }
            }
            RoleOption::Admins(members) => {
                for member in resolved(work, members)? {
                    add_member(work, &role, &member, true, grantor)?;
                }
            }
            _ => {}
        }
    }
    Ok(())
}

fn set_options(work: &mut Work<'_>, role: &mut Role, options: &[RoleOption]) -> SqlResult<()> {
    for option in options {
        match option {
            RoleOption::Superuser(on) => role.superuser = *on,
            RoleOption::CreateDatabase(on) => role.create_database = *on,
            RoleOption::CreateRole(on) => role.create_role = *on,
            RoleOption::Inherit(on) => role.inherit = *on,
            RoleOption::Login(on) => role.can_login = *on,
            RoleOption::Replication(on) => role.replication = *on,
            RoleOption::BypassRls(on) => role.bypass_rls = *on,
            RoleOption::ConnectionLimit(limit) => {
                role.connection_limit = i32::try_from(*limit).ok().filter(|limit| *limit >= -1).ok_or_else(|| {
                    SqlError::new(state::INVALID_PARAMETER_VALUE, format!("invalid connection limit: {limit}"))
                })?;
            }
            RoleOption::Password(None) => role.password = None,
            RoleOption::Password(Some(password)) => role.password = verifier(work, password)?,
            RoleOption::ValidUntil(text) => {
                let value = parse_text(Type::TIMESTAMPTZ, NO_TYPMOD, text, work.scope().env)?;
                role.valid_until = if let Value::Int(micros) = value { Some(micros) } else { None };
            }
            RoleOption::SysId => {
                work.notice(state::SUCCESSFUL_COMPLETION, "SYSID can no longer be specified".to_owned());
            }
            RoleOption::InRole(_) | RoleOption::Members(_) | RoleOption::Admins(_) => {}
        }
    }
    Ok(())
}

/// What is kept of a password.
fn verifier(work: &mut Work<'_>, password: &Secret) -> SqlResult<Option<Secret>> {
    let text = password.0.as_str();
    if text.is_empty() || scram::is_verifier(text) && scram_of_nothing(text) {
        work.notice(state::SUCCESSFUL_COMPLETION, "empty string is not a valid password, clearing password".into());
        return Ok(None);
    }
    if scram::is_verifier(text) {
        return Ok(Some(password.clone()));
    }
    let hash = text.strip_prefix("md5").filter(|rest| rest.len() == 32);
    if hash.is_some_and(|rest| rest.bytes().all(|b| b.is_ascii_hexdigit())) {
        return Err(SqlError::unsupported("an MD5 password").hint("Give the password itself, or its SCRAM verifier."));
    }
    Ok(Some(Secret(scram::verifier(text, work.salt()))))
}

/// Whether a verifier is that of the empty password.
fn scram_of_nothing(text: &str) -> bool {
    scram::Verifier::parse(text).is_some_and(|verifier| verifier.matches(""))
}

fn alter(work: &mut Work<'_>, spec: &RoleSpec, options: &[RoleOption]) -> SqlResult<&'static str> {
    let old = known(work, spec)?;
    check_not_reserved(&old.name, "Cannot alter reserved roles.")?;
    let has = |wanted: fn(&RoleOption) -> bool| options.iter().any(wanted);
    if old.superuser || has(|o| matches!(o, RoleOption::Superuser(_))) {
        if !work.is_superuser() {
            return Err(denied("must be superuser to alter superuser roles or change superuser attribute"));
        }
    } else if old.replication || has(|o| matches!(o, RoleOption::Replication(_))) {
        if !work.is_superuser() {
            return Err(denied("must be superuser to alter replication roles or change replication attribute"));
        }
    } else if has(|o| matches!(o, RoleOption::BypassRls(_))) {
        if !work.is_superuser() {
            return Err(denied("must be superuser to change bypassrls attribute"));
        }
    } else if !makes_roles(work) {
        let own_password = matches!(options, [RoleOption::Password(_)]) && old.oid == work.role();
        if !own_password {
            return Err(denied("permission denied"));
        }
    }
    let mut new = old.clone();
    set_options(work, &mut new, options)?;
    put(work, Some(&old), &new);
    for option in options {
        if let RoleOption::Members(members) = option {
            for member in resolved(work, members)? {
                change_member(work, &new, &member, true, None)?;
            }
        }
    }
    Ok("ALTER ROLE")
}

fn rename(work: &mut Work<'_>, name: &str, to: &str) -> SqlResult<()> {
    let old = work.catalog.role(name)?.clone();
    if old.name == work.scope().session_user {
        return Err(SqlError::new(state::FEATURE_NOT_SUPPORTED, "session user cannot be renamed"));
    }
    if old.name == work.scope().user {
        return Err(SqlError::new(state::FEATURE_NOT_SUPPORTED, "current user cannot be renamed"));
    }
    check_not_reserved(&old.name, "Role names starting with \"pg_\" are reserved.")?;
    check_new_name(work, to)?;
    if old.superuser && !work.is_superuser() {
        return Err(denied("must be superuser to rename superusers"));
    }
    if !makes_roles(work) {
        return Err(denied("permission denied to rename role"));
    }
    put(work, Some(&old), &Role { name: to.to_owned(), ..old.clone() });
    // Grants are kept by name.
    let named: Vec<_> = work.catalog.rights.acls.iter().filter(|(_, acl)| acl.names(old.oid)).collect();
    let named: Vec<_> = named.into_iter().map(|(key, acl)| (*key, acl.clone())).collect();
    for ((object, column), acl) in named {
        work.put_acl(object, column, Some(acl))?;
    }
    let defaults: Vec<_> =
        work.catalog.rights.defaults.values().filter(|(_, acl)| acl.names(old.oid)).cloned().collect();
    for (oid, acl) in defaults {
        let acl = acl_literal(&work.catalog.rights.roles, Some(&acl))?;
        work.sql(format!("UPDATE \"pg_catalog.pg_default_acl\" SET defaclacl = {acl} WHERE oid = {oid}"));
    }
    Ok(())
}

fn drop(work: &mut Work<'_>, specs: &[RoleSpec], if_exists: bool) -> SqlResult<()> {
    if !makes_roles(work) {
        return Err(denied("permission denied to drop role"));
    }
    let mut gone: Vec<Role> = Vec::new();
    for spec in specs {
        let RoleSpec::Named(name) = spec else {
            let message = "cannot use special role specifier in DROP ROLE";
            return Err(SqlError::new(state::INVALID_PARAMETER_VALUE, message));
        };
        let Some(role) = work.catalog.rights.roles.named(name).cloned() else {
            if !if_exists {
                return Err(no_role(name));
            }
            work.notice(state::SUCCESSFUL_COMPLETION, format!("role \"{name}\" does not exist, skipping"));
            continue;
        };
        let in_use = |who: &str| SqlError::new(state::OBJECT_IN_USE, format!("{who} user cannot be dropped"));
        if role.name == work.scope().user {
            return Err(in_use("current"));
        }
        if role.name == work.scope().session_user {
            return Err(in_use("session"));
        }
        if role.superuser && !work.is_superuser() {
            return Err(denied("must be superuser to drop superusers"));
        }
        if role.oid < FIRST_USER_OID {
            let message = format!("cannot drop role {} because it is required by the database system", role.name);
            return Err(SqlError::new(state::DEPENDENT_OBJECTS_STILL_EXIST, message));
        }
        gone.push(role);
    }
    for role in gone {
        let dependents = owners::dependents(work, role.oid);
        if !dependents.is_empty() {
            let message = format!("role \"{}\" cannot be dropped because some objects depend on it", role.name);
            return Err(SqlError::new(state::DEPENDENT_OBJECTS_STILL_EXIST, message).detail(dependents.join("\n")));
        }
        let oid = role.oid;
        work.sql(format!("DELETE FROM \"pg_catalog.pg_authid\" WHERE oid = {oid}"));
        work.sql(format!("DELETE FROM \"pg_catalog.pg_auth_members\" WHERE roleid = {oid} OR member = {oid}"));
        work.sql(format!("DELETE FROM \"pg_catalog.pg_db_role_setting\" WHERE setrole = {oid}"));
        let rights = &mut work.catalog.rights;
        Arc::make_mut(&mut rights.roles).remove(oid);
        rights.settings.retain(|(_, role), _| *role != oid);
    }
    Ok(())
}

/// Records a role, changed or new.
fn put(work: &mut Work<'_>, old: Option<&Role>, new: &Role) {
    let number = |value: Option<i64>| value.map_or("NULL".to_owned(), |n| n.to_string());
    let values = [
        ("oid", new.oid.to_string()),
        ("rolname", literal(&new.name)),
        ("rolsuper", i32::from(new.superuser).to_string()),
        ("rolinherit", i32::from(new.inherit).to_string()),
        ("rolcreaterole", i32::from(new.create_role).to_string()),
        ("rolcreatedb", i32::from(new.create_database).to_string()),
        ("rolcanlogin", i32::from(new.can_login).to_string()),
        ("rolreplication", i32::from(new.replication).to_string()),
        ("rolbypassrls", i32::from(new.bypass_rls).to_string()),
        ("rolconnlimit", new.connection_limit.to_string()),
        ("rolpassword", new.password.as_ref().map_or("NULL".to_owned(), |secret| literal(&secret.0))),
        ("rolvaliduntil", number(new.valid_until)),
    ];
    let oid = new.oid;
    if old.is_some() {
        let set: Vec<String> = values[1..].iter().map(|(name, value)| format!("{name} = {value}")).collect();
        work.sql(format!("UPDATE \"pg_catalog.pg_authid\" SET {} WHERE oid = {oid}", set.join(", ")));
    } else {
        let (names, values): (Vec<&str>, Vec<&str>) = values.iter().map(|(n, v)| (*n, v.as_str())).unzip();
        let (names, values) = (names.join(", "), values.join(", "));
        work.sql(format!("INSERT INTO \"pg_catalog.pg_authid\"({names}) VALUES ({values})"));
    }
    Arc::make_mut(&mut work.catalog.rights.roles).put(new.clone());
}

// ---- members

/// In whose name members are added. Errors: 42501 unless it is the current role, or a superuser asks.
fn grantor_of(work: &Work<'_>, spec: Option<&RoleSpec>) -> SqlResult<u32> {
    let Some(spec) = spec else { return Ok(work.role()) };
    let grantor = known(work, spec)?.oid;
    if grantor != work.role() && !work.is_superuser() {
        return Err(denied("must be superuser to set grantor"));
    }
    Ok(grantor)
}

fn check_may_grant(work: &Work<'_>, role: &Role, grantor: u32) -> SqlResult<()> {
    check_may_alter_members(work, role)?;
    match grantor != work.role() && !work.is_superuser() {
        true => Err(denied("must be superuser to set grantor")),
        false => Ok(()),
    }
}

fn check_may_alter_members(work: &Work<'_>, role: &Role) -> SqlResult<()> {
    if role.superuser {
        return if work.is_superuser() { Ok(()) } else { Err(denied("must be superuser to alter superusers")) };
    }
    if makes_roles(work) || work.catalog.rights.roles.is_admin(work.role(), role.oid) {
        return Ok(());
    }
    Err(denied(format!("must have admin option on role \"{}\"", role.name)))
}

fn change_member(work: &mut Work<'_>, role: &Role, member: &Role, add: bool, grantor: Option<u32>) -> SqlResult<()> {
    let grantor = grantor.unwrap_or(work.role());
    match add {
        true => add_member(work, role, member, false, grantor),
        false => {
            remove_member(work, role, member, false);
            Ok(())
        }
    }
}

fn add_member(work: &mut Work<'_>, role: &Role, member: &Role, admin: bool, grantor: u32) -> SqlResult<()> {
    let refuse = |message: String| Err(SqlError::new(state::INVALID_GRANT_OPERATION, message));
    if role.oid == DATABASE_OWNER {
        return refuse(format!("role \"{}\" cannot have explicit members", role.name));
    }
    if member.oid == DATABASE_OWNER {
        return refuse(format!("role \"{}\" cannot be a member of any role", member.name));
    }
    let roles = &work.catalog.rights.roles;
    if roles.is_member_by_grant(role.oid, member.oid) {
        return refuse(format!("role \"{}\" is a member of role \"{}\"", role.name, member.name));
    }
    match roles.membership(role.oid, member.oid) {
        Some(known) if !admin || known.admin => {
            let text = format!("role \"{}\" is already a member of role \"{}\"", member.name, role.name);
            work.notice(state::SUCCESSFUL_COMPLETION, text);
        }
        _ => put_membership(work, Membership { role: role.oid, member: member.oid, grantor, admin }),
    }
    Ok(())
}

fn remove_member(work: &mut Work<'_>, role: &Role, member: &Role, admin_only: bool) {
    let known = work.catalog.rights.roles.membership(role.oid, member.oid).cloned();
    match known {
        None => {
            let text = format!("role \"{}\" is not a member of role \"{}\"", member.name, role.name);
            work.notice(state::WARNING, text);
        }
        Some(known) if admin_only => put_membership(work, Membership { admin: false, ..known }),
        Some(_) => {
            let (role, member) = (role.oid, member.oid);
            Arc::make_mut(&mut work.catalog.rights.roles).remove_membership(role, member);
            work.sql(format!("DELETE FROM \"pg_catalog.pg_auth_members\" WHERE roleid = {role} AND member = {member}"));
        }
    }
}

fn put_membership(work: &mut Work<'_>, m: Membership) {
    work.sql(format!(
        "INSERT INTO \"pg_catalog.pg_auth_members\"(roleid, member, grantor, admin_option) VALUES ({}, {}, {}, {})
        ON CONFLICT DO UPDATE SET grantor = excluded.grantor, admin_option = excluded.admin_option",
        m.role,
        m.member,
        m.grantor,
        i32::from(m.admin)
    ));
    Arc::make_mut(&mut work.catalog.rights.roles).put_membership(m);
}

// ---- settings

fn configure(
    work: &mut Work<'_>,
    role: Option<&RoleSpec>,
    database: Option<&str>,
    setting: Option<&(String, Option<Vec<String>>)>,
) -> SqlResult<()> {
    let scope = work.scope();
    let database_oid = match database {
        None => 0,
        Some(name) if name == scope.database => scope.databases.own,
        Some(name) => scope.databases.names.get(name).copied().ok_or_else(|| {
            let message = format!("database \"{name}\" does not exist");
            SqlError::new(state::INVALID_CATALOG_NAME, message)
        })?,
    };
    let role = role.map(|spec| known(work, spec)).transpose()?;
    match (&role, database) {
        (Some(role), _) => {
            check_not_reserved(&role.name, "Cannot alter reserved roles.")?;
            if role.superuser && !work.is_superuser() {
                return Err(denied("must be superuser to alter superusers"));
            }
            if !makes_roles(work) && role.oid != work.role() {
                return Err(denied("permission denied"));
            }
        }
        (None, Some(name)) if !work.scope().inner && !work.catalog.rights.owns(work.role(), Object::DATABASE) => {
            return Err(denied(format!("must be owner of database {name}")));
        }
        (None, Some(_)) => {}
        (None, None) if !work.is_superuser() => {
            return Err(denied("must be superuser to alter settings globally"));
        }
        (None, None) => {}
    }
    let key = (database_oid, role.map_or(0, |role| role.oid));
    let mut values = work.catalog.rights.settings.get(&key).cloned().unwrap_or_default();
    match setting {
        None => values.clear(),
        Some((name, value)) => {
            let known = settings::known(name)?;
            settings::check_may_set(name, work.is_superuser())?;
            let name = known.map_or(name.as_str(), |s| s.name);
            let prefix = format!("{name}=");
            let place =
                values.iter().position(|known| known.to_ascii_lowercase().starts_with(&prefix.to_ascii_lowercase()));
            let new = match value {
                Some(value) => Some(format!("{name}={}", settings::assign(name, value, false)?)),
                None => None,
            };
            match (place, new) {
                (Some(at), Some(new)) => values[at] = new,
                (Some(at), None) => {
                    values.remove(at);
                }
                (None, Some(new)) => values.push(new),
                (None, None) => {}
            }
        }
    }
    put_settings(work, key, values)
}

fn put_settings(work: &mut Work<'_>, (database, role): (u32, u32), values: Vec<String>) -> SqlResult<()> {
    work.sql(format!(
        "DELETE FROM \"pg_catalog.pg_db_role_setting\" WHERE setdatabase = {database} AND setrole = {role}"
    ));
    if values.is_empty() {
        work.catalog.rights.settings.remove(&(database, role));
        return Ok(());
    }
    let items: Vec<Value> = values.iter().cloned().map(Value::Text).collect();
    let array = array_literal(Type::TEXT, &items)?;
    work.sql(format!("INSERT INTO \"pg_catalog.pg_db_role_setting\" VALUES ({database}, {role}, {array})"));
    work.catalog.rights.settings.insert((database, role), values);
    Ok(())
}
