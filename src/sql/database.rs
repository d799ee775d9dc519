//! Statements about databases, and those that belong to another database than the session's: what they ask of the cluster.
//!
//! A database is made and dropped by the cluster ([`Order`]), not by the database that a session is connected to. Roles, members
//! of roles and settings of roles and databases are the cluster's, and are changed in one database, the home ([`HOME`]), from
//! which all others are told; so such a statement is run there. Grants on a database, and its owner, are that database's.
//!
//! Left out (0A000): encodings other than UTF8, locales other than C, ICU, tablespaces, `OID`.

use super::Scope;
use super::cursor::Cursor;
use super::ddl::grammar::{Ddl, Owned};
use super::ddl::roles::RoleStatement;
use super::ddl::roles::grants::Target;
use super::parse::Ast;
use super::plan::Utility;
use crate::error::{SqlError, SqlResult, state};
pub use crate::id::HOME;
use crate::types::encoding::Encoding;
use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

/// The databases of the cluster, as a session knows them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Databases {
    /// The OID of the session's own.
    pub own: u32,
    /// OIDs by name.
    pub names: Arc<BTreeMap<String, u32>>,
    /// There are others than the home that somebody uses: what becomes of roles concerns them.
    pub others: bool,
}

/// One database that knows of no other.
pub static ALONE: LazyLock<Databases> = LazyLock::new(Databases::default);

impl Default for Databases {
    fn default() -> Databases {
        Databases { own: HOME, names: Arc::default(), others: false }
    }
}

/// What a statement asks of the cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Order {
    Create(Create),
    Drop {
        name: String,
        if_exists: bool,
        force: bool,
    },
    Rename {
        name: String,
        to: String,
    },
    Alter {
        name: String,
        attributes: Attributes,
    },
    /// A statement that is run in other databases.
    Run {
        at: Place,
        text: String,
    },
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// Where the roles are. The names are of roles that go.
    Home { dropped: Vec<String> },
    /// Where the roles are, for whoever owns this database.
    Settings { of: String },
    /// In each of these.
    Named(Vec<String>),
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Create {
    pub name: String,
    /// None: the current role.
    pub owner: Option<String>,
    /// None: `template1`.
    pub template: Option<String>,
    pub attributes: Attributes,
}

/// What is said of a database; what is not named stays, or is as usual.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Attributes {
    pub connections: Option<bool>,
    pub is_template: Option<bool>,
    pub connection_limit: Option<i32>,
}

impl Order {
    pub fn tag(&self) -> &'static str {
        match self {
            Order::Create(_) => "CREATE DATABASE",
            Order::Drop { .. } => "DROP DATABASE",
            Order::Rename { .. } | Order::Alter { .. } => "ALTER DATABASE",
            Order::Run { .. } => "",
        }
    }
}

fn order(order: Order) -> SqlResult<Option<Ast>> {
    let tag = order.tag();
    Ok(Some(Ast::Utility(Utility::Order { order, tag })))
}

/// The value of an option.
enum Setting {
    Default,
    Text(String),
    Number(i64),
}

impl Setting {
    fn read(c: &mut Cursor<'_>) -> SqlResult<Setting> {
        if c.eat("DEFAULT") {
            return Ok(Setting::Default);
        }
        let mark = c.mark();
        if let Ok(text) = c.string() {
            return Ok(Setting::Text(text));
        }
        c.reset(mark);
        match c.integer() {
            Ok(number) => Ok(Setting::Number(number)),
            Err(_) => {
                c.reset(mark);
                c.any_word().map(Setting::Text)
            }
        }
    }

    fn text(self) -> Option<String> {
        match self {
            Setting::Default => None,
            Setting::Text(text) => Some(text),
            Setting::Number(number) => Some(number.to_string()),
        }
    }

    fn flag(self, name: &str) -> SqlResult<Option<bool>> {
        let Some(text) = self.text() else { return Ok(None) };
        match text.to_ascii_lowercase().as_str() {
            "true" | "on" | "1" => Ok(Some(true)),
            "false" | "off" | "0" => Ok(Some(false)),
            _ => Err(SqlError::syntax(format!("{name} requires a Boolean value"))),
        }
    }

    fn limit(self) -> SqlResult<Option<i32>> {
        match self {
            Setting::Default => Ok(None),
            Setting::Number(limit) => match i32::try_from(limit).ok().filter(|limit| *limit >= -1) {
                Some(limit) => Ok(Some(limit)),
                None => Err(invalid(format!("invalid connection limit: {limit}"))),
            },
            Setting::Text(_) => Err(SqlError::syntax("connection limit requires an integer value")),
        }
    }
}

fn invalid(message: impl Into<String>) -> SqlError {
    SqlError::new(state::INVALID_PARAMETER_VALUE, message)
}

/// The names and values behind WITH, each once.
fn options(c: &mut Cursor<'_>) -> SqlResult<Vec<(String, Setting, u32)>> {
    c.eat("WITH");
    let mut options: Vec<(String, Setting, u32)> = Vec::new();
    while !c.done() {
        let position = c.position();
        let name = match c.eat_all("CONNECTION LIMIT") {
            true => "connection_limit".to_owned(),
            false => c.any_word()?,
        };
        c.eat("=");
        let setting = Setting::read(c)?;
        if options.iter().any(|(known, ..)| *known == name) {
            return Err(SqlError::syntax("conflicting or redundant options").position(position));
        }
        options.push((name, setting, position));
    }
    Ok(options)
}

/// Behind CREATE DATABASE.
pub fn create(c: &mut Cursor<'_>) -> SqlResult<Option<Ast>> {
    let mut create = Create { name: c.ident()?, ..Create::default() };
    let (mut encoding, mut locales) = (None, Vec::new());
    for (name, setting, position) in options(c)? {
        match name.as_str() {
            "owner" => create.owner = setting.text(),
            "template" => create.template = setting.text(),
            "encoding" => encoding = setting.text(),
            "locale" | "lc_collate" | "lc_ctype" => locales.extend(setting.text().map(|text| (name, text))),
            "strategy" => {
                let strategy = setting.text().unwrap_or_default();
                if !["", "wal_log", "file_copy"].contains(&strategy.to_ascii_lowercase().as_str()) {
                    return Err(invalid(format!("invalid create database strategy \"{strategy}\""))
                        .hint("Valid strategies are \"wal_log\", and \"file_copy\"."));
                }
            }
            "locale_provider" => match setting.text().map(|text| text.to_ascii_lowercase()).as_deref() {
                None | Some("libc") => {}
                Some("icu") => return Err(SqlError::unsupported("a database with ICU locales")),
                Some(other) => {
                    let message = format!("unrecognized locale provider: {other}");
                    return Err(SqlError::new(state::INVALID_OBJECT_DEFINITION, message));
                }
            },
            "tablespace" => match setting.text().as_deref() {
                None | Some("pg_default") => {}
                Some("pg_global") => {
                    let message = "pg_global cannot be used as default tablespace";
                    return Err(SqlError::new(state::INVALID_PARAMETER_VALUE, message));
                }
                Some(other) => {
                    let message = format!("tablespace \"{other}\" does not exist");
                    return Err(SqlError::new(state::UNDEFINED_OBJECT, message));
                }
            },
            "location" => {}
            "icu_locale" | "collation_version" | "oid" => {
                return Err(SqlError::unsupported(format!("CREATE DATABASE … {}", name.to_ascii_uppercase())));
            }
            _ => attribute(&mut create.attributes, &name, setting, position)?,
        }
    }
    if let Some(encoding) = encoding {
        check_encoding(&encoding)?;
    }
    for (_, locale) in &locales {
        check_locale(locale)?;
    }
    order(Order::Create(create))
}

fn attribute(attributes: &mut Attributes, name: &str, setting: Setting, position: u32) -> SqlResult<()> {
    match name {
        "allow_connections" => attributes.connections = setting.flag(name)?,
        "is_template" => attributes.is_template = setting.flag(name)?,
        "connection_limit" => attributes.connection_limit = setting.limit()?,
        _ => return Err(SqlError::syntax(format!("option \"{name}\" not recognized")).position(position)),
    }
    Ok(())
}

/// Text is UTF-8 here, always.
fn check_encoding(name: &str) -> SqlResult<()> {
    let plain: String = name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
    match plain.as_str() {
        // As PostgreSQL has it, by number or by name.
        "utf8" | "unicode" | "6" => Ok(()),
        _ if Encoding::named(name).is_ok() || plain == "sqlascii" => {
            Err(SqlError::unsupported(format!("a database in the encoding {name}")))
        }
        _ => Err(SqlError::new(state::UNDEFINED_OBJECT, format!("{name} is not a valid encoding name"))),
    }
}

/// Text is ordered by its bytes here, always.
fn check_locale(name: &str) -> SqlResult<()> {
    match name.to_ascii_lowercase().as_str() {
        "c" | "posix" | "c.utf-8" | "c.utf8" | "" => Ok(()),
        _ => Err(SqlError::unsupported(format!("a database with the locale {name}"))
            .hint("Text is ordered as with the locale C: use template0 and C, or name no locale.")),
    }
}

/// Behind DROP DATABASE.
pub fn drop(c: &mut Cursor<'_>) -> SqlResult<Option<Ast>> {
    let if_exists = c.eat_all("IF EXISTS");
    let name = c.ident()?;
    let with = c.eat("WITH");
    let mut force = false;
    if with || c.is("(") {
        for position in c.paren_list(|c| {
            let position = c.position();
            c.expect("FORCE").map(|()| position)
        })? {
            if std::mem::replace(&mut force, true) {
                return Err(SqlError::syntax("conflicting or redundant options").position(position));
            }
        }
    }
    order(Order::Drop { name, if_exists, force })
}

/// Behind ALTER DATABASE, where it is not about settings or the owner.
pub fn alter(c: &mut Cursor<'_>) -> SqlResult<Option<Ast>> {
    let name = c.ident()?;
    if c.eat_all("RENAME TO") {
        return order(Order::Rename { name, to: c.ident()? });
    }
    if c.eat_all("SET TABLESPACE") {
        return match c.ident()?.as_str() {
            "pg_default" => order(Order::Alter { name, attributes: Attributes::default() }),
            other => {
                let message = format!("tablespace \"{other}\" does not exist");
                Err(SqlError::new(state::UNDEFINED_OBJECT, message))
            }
        };
    }
    if c.eat_all("REFRESH COLLATION VERSION") {
        return order(Order::Alter { name, attributes: Attributes::default() });
    }
    let mut attributes = Attributes::default();
    let options = options(c)?;
    if options.is_empty() {
        return Err(c.error());
    }
    for (option, setting, position) in options {
        if option == "tablespace" {
            return Err(SqlError::unsupported("ALTER DATABASE … TABLESPACE"));
        }
        // DEFAULT of what there is already means the usual.
        let setting = match (option.as_str(), setting) {
            ("connection_limit", Setting::Default) => Setting::Number(-1),
            (_, setting) => setting,
        };
        attribute(&mut attributes, &option, setting, position)?;
    }
    order(Order::Alter { name, attributes })
}

/// What becomes of a definition that is another database's; nothing, if it is this one's.
pub fn elsewhere(ddl: &Ddl, text: &str, scope: &Scope<'_>) -> Option<Utility> {
    let here = |name: &String| name == scope.database;
    let run = |at: Place, tag: &'static str| {
        let order = Order::Run { at, text: text.to_owned() };
        Some(Utility::Order { order, tag })
    };
    if scope.inner {
        return None;
    }
    match ddl {
        Ddl::Role(RoleStatement::Configure { role: None, database: Some(name), tag, .. })
            if !here(name) || scope.databases.own != HOME =>
        {
            run(Place::Settings { of: name.clone() }, tag)
        }
        Ddl::Role(statement) => {
            let (tag, dropped) = role_statement(statement);
            let about_another =
                matches!(statement, RoleStatement::Configure { database: Some(name), .. } if !here(name));
            // Whoever is to go must have nothing elsewhere either, and that is found out there.
            let concerns_others = scope.databases.others && matches!(statement, RoleStatement::Drop { .. });
            match scope.databases.own != HOME || about_another || concerns_others {
                true => run(Place::Home { dropped }, tag),
                false => None,
            }
        }
        Ddl::Grant(grant) => match &grant.target {
            Target::Databases(names) if !names.iter().all(here) => {
                run(Place::Named(names.clone()), if grant.grant { "GRANT" } else { "REVOKE" })
            }
            _ => None,
        },
        Ddl::OwnerTo { object: Owned::Database(name), .. } if !here(name) => {
            run(Place::Named(vec![name.clone()]), "ALTER DATABASE")
        }
        _ => None,
    }
}

/// The tag of a statement about roles, and the roles that it drops.
fn role_statement(statement: &RoleStatement) -> (&'static str, Vec<String>) {
    match statement {
        RoleStatement::Create { .. } => ("CREATE ROLE", Vec::new()),
        RoleStatement::Drop { roles, .. } => {
            ("DROP ROLE", roles.iter().filter_map(|r| r.name().map(str::to_owned)).collect())
        }
        RoleStatement::Grant { .. } => ("GRANT ROLE", Vec::new()),
        RoleStatement::Revoke { .. } => ("REVOKE ROLE", Vec::new()),
        RoleStatement::Configure { tag, .. } => (tag, Vec::new()),
        _ => ("ALTER ROLE", Vec::new()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::catalog::Catalog;
    use crate::sql::plan::PlanKind;
    use crate::sql::{Scope, compile, parse};
    use crate::types::Env;

    /// What a statement asks of the cluster, in a database of this OID; or its error, or nothing.
    fn asked(text: &str, own: u32) -> String {
        let catalog = Catalog::of_superuser("ann");
        let (env, path) = (Env::default(), vec!["public".to_owned()]);
        let databases = Databases { own, others: own != HOME, ..Databases::default() };
        let scope = Scope { databases: &databases, ..Scope::plain(&catalog, &path, &env, "ann", "here") };
        let parsed = match parse(text) {
            Ok(parsed) => parsed,
            Err(error) => return error.to_string(),
        };
        match compile(&parsed[0], &scope) {
            Ok(plan) => match plan.kind {
                PlanKind::Utility(Utility::Order { order, tag }) => format!("{tag}: {order:?}"),
                _ => "here".to_owned(),
            },
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn statements_about_databases() {
        let plain = Create { name: "d".into(), ..Create::default() };
        let create = |create: Create| format!("CREATE DATABASE: {:?}", Order::Create(create));
        assert_eq!(asked("CREATE DATABASE d", HOME), create(plain.clone()));
        assert_eq!(
            asked("create database d with encoding = 'utf-8' lc_collate 'C' tablespace pg_default", HOME),
            create(plain.clone())
        );
        let text = "CREATE DATABASE d OWNER = bob TEMPLATE \"T\" CONNECTION LIMIT 3 IS_TEMPLATE true ALLOW_CONNECTIONS off STRATEGY wal_log";
        let attributes = Attributes { connections: Some(false), is_template: Some(true), connection_limit: Some(3) };
        let all = Create { owner: Some("bob".into()), template: Some("T".into()), attributes, ..plain };
        assert_eq!(asked(text, HOME), create(all));
        for (text, expected) in [
            ("CREATE DATABASE d ENCODING 'latin1'", "0A000"),
            ("CREATE DATABASE d ENCODING 'nonsense'", "42704: nonsense is not a valid encoding name"),
            ("CREATE DATABASE d LC_CTYPE 'de_DE.UTF-8'", "0A000"),
            ("CREATE DATABASE d LOCALE_PROVIDER icu", "0A000"),
            ("CREATE DATABASE d TABLESPACE fast", "42704: tablespace \"fast\" does not exist"),
            ("CREATE DATABASE d STRATEGY quick", "22023: invalid create database strategy \"quick\""),
            ("CREATE DATABASE d CONNECTION LIMIT -2", "22023: invalid connection limit: -2"),
            ("CREATE DATABASE d OWNER a OWNER b", "42601: conflicting or redundant options"),
            ("CREATE DATABASE d COLOUR red", "42601: option \"colour\" not recognized"),
            ("CREATE DATABASE d IS_TEMPLATE 7", "42601: is_template requires a Boolean value"),
            ("CREATE DATABASE", "42601"),
            ("ALTER DATABASE d", "42601"),
            ("ALTER DATABASE d SET TABLESPACE fast", "42704"),
            ("ALTER DATABASE d RENAME TO e", "ALTER DATABASE: Rename { name: \"d\", to: \"e\" }"),
            ("DROP DATABASE d", "DROP DATABASE: Drop { name: \"d\", if_exists: false, force: false }"),
            (
                "DROP DATABASE IF EXISTS d WITH (FORCE)",
                "DROP DATABASE: Drop { name: \"d\", if_exists: true, force: true }",
            ),
            ("DROP DATABASE d (FORCE)", "DROP DATABASE: Drop { name: \"d\", if_exists: false, force: true }"),
            ("DROP DATABASE d WITH (FORCE, FORCE)", "42601"),
            ("DROP DATABASE d WITH (QUICKLY)", "42601"),
        ] {
            let found = asked(text, HOME);
            assert!(found.starts_with(expected), "{text}: {found}");
        }
    }

    #[test]
    fn what_belongs_elsewhere_goes_there() {
        for (text, own, expected) in [
            ("CREATE ROLE bob", HOME, "here"),
            ("CREATE ROLE bob", 20_000, "CREATE ROLE: Run { at: Home { dropped: [] }"),
            ("DROP ROLE bob, carl", 20_000, "DROP ROLE: Run { at: Home { dropped: [\"bob\", \"carl\"] }"),
            ("GRANT bob TO carl", 20_000, "GRANT ROLE: Run { at: Home"),
            ("ALTER ROLE ann SET work_mem = '1MB'", 20_000, "ALTER ROLE: Run { at: Home"),
            ("ALTER DATABASE here SET work_mem = '1MB'", HOME, "here"),
            ("ALTER DATABASE here SET work_mem = '1MB'", 20_000, "ALTER DATABASE: Run { at: Settings { of: \"here\" }"),
            ("ALTER DATABASE there RESET ALL", HOME, "ALTER DATABASE: Run { at: Settings { of: \"there\" }"),
            ("ALTER DATABASE there OWNER TO ann", HOME, "ALTER DATABASE: Run { at: Named([\"there\"])"),
            ("ALTER DATABASE here OWNER TO ann", 20_000, "here"),
            ("GRANT CONNECT ON DATABASE here TO PUBLIC", 20_000, "here"),
            ("REVOKE CONNECT ON DATABASE here, there FROM ann", HOME, "REVOKE: Run { at: Named([\"here\", \"there\"])"),
            ("CREATE SCHEMA s", 20_000, "here"),
        ] {
            let found = asked(text, own);
            assert!(found.starts_with(expected), "{text} in {own}: {found}");
        }
    }
}
