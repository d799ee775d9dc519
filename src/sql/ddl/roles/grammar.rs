//! Syntax of statements about roles.

use crate::error::{SqlError, SqlResult, state};
use crate::rights::Secret;
use crate::sql::cursor::Cursor;
use crate::sql::parse::setting_values;

/// A role as a statement names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RoleSpec {
    Named(String),
    CurrentRole,
    CurrentUser,
    SessionUser,
    Public,
}

/// A statement about roles as such.
#[derive(Clone, Debug)]
pub enum RoleStatement {
    Create {
        name: String,
        login: bool,
        options: Vec<RoleOption>,
    },
    Alter {
        role: RoleSpec,
        options: Vec<RoleOption>,
    },
    /// ALTER GROUP … ADD/DROP USER
    AlterGroup {
        role: RoleSpec,
        add: bool,
        members: Vec<RoleSpec>,
    },
    Rename {
        name: String,
        to: String,
    },
    Drop {
        roles: Vec<RoleSpec>,
        if_exists: bool,
    },
    /// ALTER ROLE … SET and ALTER DATABASE … SET. No role: all of them, or the database itself.
    Configure {
        role: Option<RoleSpec>,
        database: Option<String>,
        /// None: RESET ALL.
        setting: Option<(String, Option<Vec<String>>)>,
        tag: &'static str,
    },
    Grant {
        roles: Vec<RoleSpec>,
        members: Vec<RoleSpec>,
        admin: bool,
        grantor: Option<RoleSpec>,
    },
    Revoke {
        roles: Vec<RoleSpec>,
        members: Vec<RoleSpec>,
        /// Only the right to grant.
        admin: bool,
        grantor: Option<RoleSpec>,
        cascade: bool,
    },
}

#[derive(Clone, Debug)]
pub enum RoleOption {
    Superuser(bool),
    CreateDatabase(bool),
    CreateRole(bool),
    Inherit(bool),
    Login(bool),
    Replication(bool),
    BypassRls(bool),
    ConnectionLimit(i64),
    Password(Option<Secret>),
    ValidUntil(String),
    InRole(Vec<RoleSpec>),
    Members(Vec<RoleSpec>),
    Admins(Vec<RoleSpec>),
    /// Without effect, as in PostgreSQL.
    SysId,
}

fn reserved(name: &str) -> SqlError {
    SqlError::new(state::RESERVED_NAME, format!("role name \"{name}\" is reserved"))
}

impl RoleSpec {
    /// The name that is written; nothing for the current role and the like.
    pub fn name(&self) -> Option<&str> {
        if let RoleSpec::Named(name) = self { Some(name) } else { None }
    }

    pub fn read(c: &mut Cursor<'_>) -> SqlResult<RoleSpec> {
        let position = c.position();
        for (word, spec) in [
            ("CURRENT_ROLE", RoleSpec::CurrentRole),
            ("CURRENT_USER", RoleSpec::CurrentUser),
            ("SESSION_USER", RoleSpec::SessionUser),
        ] {
            if c.eat(word) {
                return Ok(spec);
            }
        }
        // Even in quotes.
        match c.ident()?.as_str() {
            "public" => Ok(RoleSpec::Public),
            "none" => Err(reserved("none").position(position)),
            name => Ok(RoleSpec::Named(name.to_owned())),
        }
    }

    pub fn list(c: &mut Cursor<'_>) -> SqlResult<Vec<RoleSpec>> {
        c.list(RoleSpec::read)
    }
}

/// The name of a role that is to be.
fn role_id(c: &mut Cursor<'_>) -> SqlResult<String> {
    let (position, word) = (c.position(), c.peek_text(0).to_ascii_uppercase());
    match RoleSpec::read(c)? {
        RoleSpec::Named(name) => Ok(name),
        RoleSpec::Public => Err(reserved("public").position(position)),
        _ => {
            let message = format!("{word} cannot be used as a role name here");
            Err(SqlError::new(state::RESERVED_NAME, message).position(position))
        }
    }
}

/// ROLE, USER or GROUP.
fn is_role(c: &Cursor<'_>) -> bool {
    // USER MAPPING is something else.
    c.is("ROLE") || c.is("GROUP") || c.is("USER") && !c.is_at(1, "MAPPING")
}

pub fn create(c: &mut Cursor<'_>) -> SqlResult<Option<RoleStatement>> {
    if !is_role(c) {
        return Ok(None);
    }
    let login = c.is("USER");
    c.bump();
    let name = role_id(c)?;
    Ok(Some(RoleStatement::Create { name, login, options: options(c, true)? }))
}

pub fn drop(c: &mut Cursor<'_>) -> SqlResult<Option<RoleStatement>> {
    if !is_role(c) {
        return Ok(None);
    }
    c.bump();
    let if_exists = c.eat_all("IF EXISTS");
    Ok(Some(RoleStatement::Drop { roles: RoleSpec::list(c)?, if_exists }))
}

pub fn alter(c: &mut Cursor<'_>) -> SqlResult<Option<RoleStatement>> {
    if c.is("DATABASE") && (c.is_at(2, "SET") && !c.is_at(3, "TABLESPACE") || c.is_at(2, "RESET")) {
        c.bump();
        let database = Some(c.ident()?);
        return configure(c, None, database, "ALTER DATABASE").map(Some);
    }
    if !is_role(c) {
        return Ok(None);
    }
    let group = c.is("GROUP");
    c.bump();
    if !group && c.is("ALL") {
        c.bump();
        let database = in_database(c)?;
        return configure(c, None, database, "ALTER ROLE").map(Some);
    }
    if c.is_at(1, "RENAME") {
        let name = role_id(c)?;
        c.expect("RENAME TO")?;
        return Ok(Some(RoleStatement::Rename { name, to: role_id(c)? }));
    }
    let role = RoleSpec::read(c)?;
    if group {
        let add = c.eat("ADD");
        if !add {
            c.expect("DROP")?;
        }
        c.expect("USER")?;
        return Ok(Some(RoleStatement::AlterGroup { role, add, members: RoleSpec::list(c)? }));
    }
    let database = in_database(c)?;
    if database.is_some() || c.is("SET") || c.is("RESET") {
        return configure(c, Some(role), database, "ALTER ROLE").map(Some);
    }
    Ok(Some(RoleStatement::Alter { role, options: options(c, false)? }))
}

fn in_database(c: &mut Cursor<'_>) -> SqlResult<Option<String>> {
    if c.eat_all("IN DATABASE") { c.ident().map(Some) } else { Ok(None) }
}

fn configure(
    c: &mut Cursor<'_>,
    role: Option<RoleSpec>,
    database: Option<String>,
    tag: &'static str,
) -> SqlResult<RoleStatement> {
    let setting = if c.eat("RESET") {
        if c.eat("ALL") { None } else { Some((setting_name(c)?, None)) }
    } else {
        c.expect("SET")?;
        let (name, values) = setting_values(c)?;
        Some((name, Some(values).filter(|values| !values.is_empty())))
    };
    Ok(RoleStatement::Configure { role, database, setting, tag })
}

fn setting_name(c: &mut Cursor<'_>) -> SqlResult<String> {
    crate::sql::parse::setting_name(c)
}

fn options(c: &mut Cursor<'_>, create: bool) -> SqlResult<Vec<RoleOption>> {
    c.eat("WITH");
    let mut options: Vec<RoleOption> = Vec::new();
    while !c.done() {
        let position = c.position();
        let option = option(c, create)?;
        let same = |known: &RoleOption| std::mem::discriminant(known) == std::mem::discriminant(&option);
        if options.iter().any(same) {
            return Err(SqlError::syntax("conflicting or redundant options").position(position));
        }
        options.push(option);
    }
    Ok(options)
}

fn option(c: &mut Cursor<'_>, create: bool) -> SqlResult<RoleOption> {
    let position = c.position();
    if c.eat("UNENCRYPTED") {
        let error = SqlError::new(state::FEATURE_NOT_SUPPORTED, "UNENCRYPTED PASSWORD is no longer supported");
        let hint = "Remove UNENCRYPTED to store the password in encrypted form instead.";
        return Err(error.hint(hint).position(position));
    }
    let encrypted = c.eat("ENCRYPTED");
    if c.eat("PASSWORD") {
        if !encrypted && c.eat("NULL") {
            return Ok(RoleOption::Password(None));
        }
        return Ok(RoleOption::Password(Some(Secret(c.string()?))));
    }
    if encrypted {
        return Err(c.error());
    }
    if c.eat_all("CONNECTION LIMIT") {
        return Ok(RoleOption::ConnectionLimit(c.integer()?));
    }
    if c.eat_all("VALID UNTIL") {
        return Ok(RoleOption::ValidUntil(c.string()?));
    }
    if c.eat("USER") {
        return Ok(RoleOption::Members(RoleSpec::list(c)?));
    }
    if create {
        if c.eat("SYSID") {
            c.integer()?;
            return Ok(RoleOption::SysId);
        }
        if c.eat_all("IN ROLE") || c.eat_all("IN GROUP") {
            return Ok(RoleOption::InRole(RoleSpec::list(c)?));
        }
        if c.eat("ROLE") {
            return Ok(RoleOption::Members(RoleSpec::list(c)?));
        }
        if c.eat("ADMIN") {
            return Ok(RoleOption::Admins(RoleSpec::list(c)?));
        }
    }
    let word = c.ident()?;
    let (plain, on) = match word.strip_prefix("no") {
        Some(rest) => (rest, false),
        None => (word.as_str(), true),
    };
    Ok(match plain {
        "superuser" => RoleOption::Superuser(on),
        "createdb" => RoleOption::CreateDatabase(on),
        "createrole" => RoleOption::CreateRole(on),
        "inherit" => RoleOption::Inherit(on),
        "login" => RoleOption::Login(on),
        "replication" => RoleOption::Replication(on),
        "bypassrls" => RoleOption::BypassRls(on),
        _ => return Err(SqlError::syntax(format!("unrecognized role option \"{word}\"")).position(position)),
    })
}

/// GRANT or REVOKE of roles, behind the word; the names are read already.
pub fn grant(c: &mut Cursor<'_>, roles: Vec<RoleSpec>) -> SqlResult<RoleStatement> {
    c.expect("TO")?;
    let members = RoleSpec::list(c)?;
    let admin = c.eat_all("WITH ADMIN OPTION");
    Ok(RoleStatement::Grant { roles, members, admin, grantor: granted_by(c)? })
}

pub fn revoke(c: &mut Cursor<'_>, roles: Vec<RoleSpec>, admin: bool) -> SqlResult<RoleStatement> {
    c.expect("FROM")?;
    let members = RoleSpec::list(c)?;
    let grantor = granted_by(c)?;
    let cascade = c.eat("CASCADE");
    if !cascade {
        c.eat("RESTRICT");
    }
    Ok(RoleStatement::Revoke { roles, members, admin, grantor, cascade })
}

pub fn granted_by(c: &mut Cursor<'_>) -> SqlResult<Option<RoleSpec>> {
    if c.eat_all("GRANTED BY") { RoleSpec::read(c).map(Some) } else { Ok(None) }
}
