//! Roles and rights: who may do what with which object, as a pure function of what the catalog says.
//!
//! The rules are PostgreSQL 15's (documentation, "Privileges" and "Role Membership"). Roles and grants are rows of the
//! database's own catalog, so that a change of them is a change of the schema: it has its place in the log, and plans that
//! were compiled before it are compiled again. Who asks is in `sql::access`, who grants in `sql::ddl`; functions like
//! `has_table_privilege` ask the same code here.

mod acl;
mod roles;

pub use acl::{Acl, Behavior, Item, Mode};
pub use roles::{Membership, PUBLIC, Role, Roles, Secret};

/// OID of the role that a cluster is founded with.
pub const BOOTSTRAP: u32 = 10;
/// Predefined roles.
pub const DATABASE_OWNER: u32 = 6171;
pub const READ_ALL_DATA: u32 = 6181;
pub const WRITE_ALL_DATA: u32 = 6182;
pub const SIGNAL_BACKEND: u32 = 4200;

pub const INSERT: Mode = 1;
pub const SELECT: Mode = 1 << 1;
pub const UPDATE: Mode = 1 << 2;
pub const DELETE: Mode = 1 << 3;
pub const TRUNCATE: Mode = 1 << 4;
pub const REFERENCES: Mode = 1 << 5;
pub const TRIGGER: Mode = 1 << 6;
pub const EXECUTE: Mode = 1 << 7;
pub const USAGE: Mode = 1 << 8;
pub const CREATE: Mode = 1 << 9;
pub const TEMPORARY: Mode = 1 << 10;
pub const CONNECT: Mode = 1 << 11;
pub const SET: Mode = 1 << 12;
pub const ALTER_SYSTEM: Mode = 1 << 13;

/// The letters of the rights, lowest bit first.
const LETTERS: &str = "arwdDxtXUCTcsA";
/// The words of the rights, lowest bit first.
const WORDS: [&str; 14] = [
    "INSERT",
    "SELECT",
    "UPDATE",
    "DELETE",
    "TRUNCATE",
    "REFERENCES",
    "TRIGGER",
    "EXECUTE",
    "USAGE",
    "CREATE",
    "TEMPORARY",
    "CONNECT",
    "SET",
    "ALTER SYSTEM",
];

/// The right that a word of GRANT means.
pub fn right(word: &str) -> Option<Mode> {
    let word = if word.eq_ignore_ascii_case("TEMP") { "TEMPORARY" } else { word };
    WORDS.iter().position(|known| known.eq_ignore_ascii_case(word)).map(|bit| 1 << bit)
}

/// The words of rights.
pub fn words(rights: Mode) -> impl Iterator<Item = &'static str> {
    WORDS.iter().enumerate().filter(move |(bit, _)| rights & (1 << bit) != 0).map(|(_, word)| *word)
}

/// The rights to grant these rights.
pub const fn options(rights: Mode) -> Mode {
    rights << 16
}

/// What an object is, as far as its rights go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Tables and views.
    Relation,
    Sequence,
    Column,
    Database,
    Schema,
    Function,
    Language,
    Type,
    Tablespace,
    ForeignDataWrapper,
    ForeignServer,
    LargeObject,
    Parameter,
}

impl Kind {
    /// Of `acldefault`.
    pub fn coded(code: &str) -> Option<Kind> {
        Some(match code {
            "c" => Kind::Column,
            "r" => Kind::Relation,
            "s" => Kind::Sequence,
            "d" => Kind::Database,
            "f" => Kind::Function,
            "l" => Kind::Language,
            "L" => Kind::LargeObject,
            "n" => Kind::Schema,
            "p" => Kind::Parameter,
            "t" => Kind::Tablespace,
            "F" => Kind::ForeignDataWrapper,
            "S" => Kind::ForeignServer,
            "T" => Kind::Type,
            _ => return None,
        })
    }

    /// All rights that there are on such an object.
    pub const fn all(self) -> Mode {
        match self {
            Kind::Relation => INSERT | SELECT | UPDATE | DELETE | TRUNCATE | REFERENCES | TRIGGER,
            Kind::Sequence => USAGE | SELECT | UPDATE,
            Kind::Column => INSERT | SELECT | UPDATE | REFERENCES,
            Kind::Database => CREATE | TEMPORARY | CONNECT,
            Kind::Schema => USAGE | CREATE,
            Kind::Function => EXECUTE,
            Kind::Language | Kind::Type | Kind::ForeignDataWrapper | Kind::ForeignServer => USAGE,
            Kind::Tablespace => CREATE,
            Kind::LargeObject => SELECT | UPDATE,
            Kind::Parameter => SET | ALTER_SYSTEM,
        }
    }

    /// As messages have it: `permission denied for …`.
    pub fn noun(self) -> &'static str {
        match self {
            Kind::Relation => "table",
            Kind::Sequence => "sequence",
            Kind::Column => "column",
            Kind::Database => "database",
            Kind::Schema => "schema",
            Kind::Function => "function",
            Kind::Language => "language",
            Kind::Type => "type",
            Kind::Tablespace => "tablespace",
            Kind::ForeignDataWrapper => "foreign-data wrapper",
            Kind::ForeignServer => "foreign server",
            Kind::LargeObject => "large object",
            Kind::Parameter => "parameter",
        }
    }

    /// What an object grants from its creation.
    pub fn default_acl(self, owner: u32) -> Acl {
        let (everybody, own) = match self {
            Kind::Column => (0, 0),
            Kind::Database => (TEMPORARY | CONNECT, self.all()),
            Kind::Function | Kind::Language | Kind::Type => (self.all(), self.all()),
            _ => (0, self.all()),
        };
        let item = |grantee, rights| Item { grantee, grantor: owner, mode: rights };
        let items = [item(PUBLIC, everybody), item(owner, own)];
        Acl(items.into_iter().filter(|item| item.mode != 0).collect())
    }
}

/// The rights of `asked` that a role has on an object with this owner and these grants (`None`: what it has had from its
/// creation).
pub fn held(roles: &Roles, role: u32, kind: Kind, owner: u32, acl: Option<&Acl>, asked: Mode) -> Mode {
    if roles.is_superuser(role) {
        return asked;
    }
    let granted = match acl {
        Some(acl) => acl.held(roles, role, owner, asked),
        None => kind.default_acl(owner).held(roles, role, owner, asked),
    };
    let by_role = |predefined, rights| if roles.has_rights_of(role, predefined) { rights & asked } else { 0 };
    granted
        | match kind {
            Kind::Relation | Kind::Sequence => {
                by_role(READ_ALL_DATA, SELECT)
                    | by_role(WRITE_ALL_DATA, if kind == Kind::Relation { INSERT | UPDATE | DELETE } else { UPDATE })
            }
            Kind::Schema => by_role(READ_ALL_DATA, USAGE) | by_role(WRITE_ALL_DATA, USAGE),
            _ => 0,
        }
}
