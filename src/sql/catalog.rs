//! What the binder knows of one database: relations, columns, constraints, sequences.
//!
//! The truth is in the tables `"pg_catalog.pg_class"` and so on inside each database file, written by the same
//! commands that change SQLite's schema; this is their content as a value, rebuilt when the schema version rises.
//! Names are kept as Postgres folded them. In SQLite a relation `s.t` is the table named `s.t` (one identifier).

use crate::types::Type;
use std::collections::BTreeMap;
use std::sync::Arc;

/// First OID of user objects, as in PostgreSQL.
pub const FIRST_USER_OID: u32 = 16384;
pub const PG_CATALOG_OID: u32 = 11;
pub const PUBLIC_OID: u32 = 2200;

#[derive(Clone, Debug, Default)]
pub struct Catalog {
    /// Rises by one with every command that contains DDL.
    pub version: u64,
    /// The next OID that DDL may use. Two translations under one version may pick the same: only one is applied.
    pub next_oid: u32,
    /// Schema name → OID.
    pub schemas: BTreeMap<String, u32>,
    /// (schema, name) → relation; tables, views, sequences and system relations share one namespace. Indexes too.
    pub relations: BTreeMap<(String, String), Arc<Relation>>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Relation {
    pub oid: u32,
    pub schema: String,
    pub name: String,
    pub kind: RelationKind,
    pub source: Source,
    /// In attnum order, without dropped ones.
    pub columns: Vec<Column>,
    pub constraints: Vec<Constraint>,
    pub indexes: Vec<Index>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum RelationKind {
    Table,
    /// Definition in Postgres SQL.
    View {
        definition: String,
    },
    Sequence(Sequence),
    /// An index relation; its definition is with the table `table`.
    Index {
        table: u32,
    },
    /// Built in, read-only for clients.
    System,
}

/// Where SQLite finds the rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A table of this SQLite name (unquoted).
    Table(String),
    /// A SELECT with as many columns as the relation has.
    Query(String),
    None,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// From 1.
    pub attnum: i16,
    pub name: String,
    pub ty: Type,
    pub typmod: i32,
    pub not_null: bool,
    /// Postgres SQL text, bound when a row is inserted.
    pub default: Option<String>,
    pub identity: Option<Identity>,
    /// `GENERATED ALWAYS AS (…) STORED`: Postgres SQL text.
    pub generated: Option<String>,
    /// The sequence owned by a serial or identity column.
    pub sequence: Option<u32>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Identity {
    Always,
    ByDefault,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Constraint {
    pub oid: u32,
    pub name: String,
    pub kind: ConstraintKind,
    /// attnums
    pub columns: Vec<i16>,
    pub deferrable: bool,
    pub initially_deferred: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConstraintKind {
    PrimaryKey {
        index: u32,
    },
    Unique {
        index: u32,
    },
    /// Postgres SQL text of the condition.
    Check(String),
    ForeignKey {
        table: u32,
        columns: Vec<i16>,
        on_update: Action,
        on_delete: Action,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    NoAction,
    Restrict,
    Cascade,
    SetNull,
    SetDefault,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Index {
    pub oid: u32,
    pub name: String,
    /// Key columns, or expressions as Postgres SQL text.
    pub keys: Vec<IndexKey>,
    pub include: Vec<i16>,
    pub unique: bool,
    pub primary: bool,
    /// Postgres SQL text of a partial index's condition.
    pub predicate: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IndexKey {
    pub column: Option<i16>,
    pub expression: Option<String>,
    pub descending: bool,
    pub nulls_first: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sequence {
    pub ty: Type,
    pub start: i64,
    pub increment: i64,
    pub min: i64,
    pub max: i64,
    pub cache: i64,
    pub cycle: bool,
}

impl Catalog {
    /// The relation that an unqualified or qualified name means, along `search_path`.
    pub fn resolve(&self, search_path: &[String], schema: Option<&str>, name: &str) -> Option<&Arc<Relation>> {
        match schema {
            Some(schema) => self.relations.get(&(schema.to_owned(), name.to_owned())),
            None => std::iter::once("pg_catalog")
                .chain(search_path.iter().map(String::as_str).filter(|s| *s != "pg_catalog"))
                .find_map(|s| self.relations.get(&(s.to_owned(), name.to_owned()))),
        }
    }

    pub fn by_oid(&self, oid: u32) -> Option<&Arc<Relation>> {
        self.relations.values().find(|r| r.oid == oid)
    }
}

impl Relation {
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|c| c.name == name)
    }
}

/// The name SQLite knows a relation by.
pub fn sqlite_name(schema: &str, name: &str) -> String {
    format!("{schema}.{name}")
}

/// An identifier quoted for SQLite.
pub fn quote(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
