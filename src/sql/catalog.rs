//! What the binder knows of one database: relations, columns, constraints, sequences.
//!
//! The truth is in the tables `"pg_catalog.pg_class"` and so on inside each database file, written by the same
//! commands that change SQLite's schema; this is their content as a value, rebuilt when the schema version rises.
//! Names are kept as Postgres folded them. In SQLite a relation `s.t` is the table named `s.t` (one identifier).

pub mod change;
pub mod methods;
pub mod rights;
pub mod types;

use super::system;
use crate::error::{SqlError, SqlResult};
use crate::types::{NO_TYPMOD, Own, Type};
use crate::value::Value;
use change::SystemRow;
pub use rights::{Login, Object, Rights};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
pub use types::{Domain, DomainCheck, Label, OwnType, Rules};

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
    /// Primary keys (OIDs of their indexes) that are the rowid of their table: SQLite has no index of its own for
    /// them, and a NULL stored there would become a number (see [`Catalog::rowid_column`]).
    pub rowid_keys: BTreeSet<u32>,
    /// View → relations and types of one's own that its definition names; table → those that its defaults, conditions and
    /// indexes name.
    pub uses: BTreeMap<u32, BTreeSet<u32>>,
    /// The types that users have made, by OID; arrays over them are known by theirs.
    pub types: BTreeMap<u32, Arc<OwnType>>,
    /// Extensions that were created, with their OIDs.
    pub extensions: BTreeMap<String, u32>,
    /// Roles, owners and grants.
    pub rights: Rights,
    /// OID → name, for [`Catalog::by_oid`]. Kept by [`Catalog::insert`] and [`Catalog::remove`].
    pub oids: BTreeMap<u32, (String, String)>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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
    /// `UNLOGGED`: PostgreSQL may lose its rows in a crash. Here it is a word in the catalog.
    pub unlogged: bool,
    /// Storage parameters of a table or a materialized view, as `reloptions` has them.
    pub options: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum RelationKind {
    Table,
    /// Definition in Postgres SQL.
    View {
        definition: String,
        options: ViewOptions,
    },
    /// The rows of a query, as they were when it was last asked; its definition as a view's. Not to be read before that.
    Materialized {
        definition: String,
        populated: bool,
    },
    Sequence(Sequence),
    /// An index relation; its definition is with the table `table`.
    Index {
        table: u32,
    },
    /// Built in, read-only for clients.
    System,
}

impl RelationKind {
    /// The query that the relation is made of.
    pub fn definition(&self) -> Option<&str> {
        match self {
            RelationKind::View { definition, .. } | RelationKind::Materialized { definition, .. } => Some(definition),
            _ => None,
        }
    }

    /// The same for whoever writes it anew.
    pub fn definition_mut(&mut self) -> Option<&mut String> {
        match self {
            RelationKind::View { definition, .. } | RelationKind::Materialized { definition, .. } => Some(definition),
            _ => None,
        }
    }

    /// It has rows of its own in a table of SQLite's.
    pub fn is_stored(&self) -> bool {
        matches!(self, RelationKind::Table | RelationKind::Materialized { .. })
    }
}

/// What is said of a view beside its query: options and their values, in the order in which they were given.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ViewOptions(Vec<(String, String)>);

/// Rows that are written through a view have to be among its rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CheckOption {
    /// As far as its own condition goes.
    Local,
    /// As far as the conditions of all views below it go.
    Cascaded,
}

impl ViewOptions {
    fn value(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub fn check(&self) -> Option<CheckOption> {
        Some(if self.value("check_option")? == "local" { CheckOption::Local } else { CheckOption::Cascaded })
    }

    /// Its query is run with the rights of whoever asks.
    pub fn is_invoker(&self) -> bool {
        self.value("security_invoker").and_then(switch) == Some(true)
    }

    /// As `reloptions` has them.
    pub fn texts(&self) -> Vec<String> {
        self.0.iter().map(|(name, value)| format!("{name}={value}")).collect()
    }

    /// Takes an option over; `None`: it is no option of a view, or has no such value. Our own functions tell nobody what they
    /// are given: a barrier changes nothing.
    pub fn set(&mut self, name: &str, value: &str) -> Option<()> {
        match name {
            "security_barrier" | "security_invoker" => drop(switch(value)?),
            "check_option" if matches!(value, "local" | "cascaded") => {}
            _ => return None,
        }
        self.reset(name);
        self.0.push((name.to_owned(), if value.is_empty() { "true".to_owned() } else { value.to_owned() }));
        Some(())
    }

    pub fn reset(&mut self, name: &str) {
        self.0.retain(|(known, _)| known != name);
    }

    fn read(texts: Vec<String>) -> ViewOptions {
        let mut options = ViewOptions::default();
        for text in texts {
            let (name, value) = text.split_once('=').unwrap_or((&text, ""));
            options.set(name, value);
        }
        options
    }
}

/// A boolean option's value; without one it is on.
fn switch(value: &str) -> Option<bool> {
    match value {
        "" | "true" | "on" | "yes" | "1" => Some(true),
        "false" | "off" | "no" | "0" => Some(false),
        _ => None,
    }
}

/// Where SQLite finds the rows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Source {
    /// A table of this SQLite name (unquoted).
    Table(String),
    /// A SELECT with as many columns as the relation has.
    Query(String),
    /// The same in Postgres SQL with qualified names.
    View(String),
    None,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Column {
    /// From 1.
    pub attnum: i16,
    pub name: String,
    /// Of a column of a domain, what that is based on.
    pub ty: Type,
    pub typmod: i32,
    /// The domain, or the array over one, that it is declared with.
    pub domain: Option<Type>,
    pub not_null: bool,
    /// Postgres SQL text, bound when a row is inserted.
    pub default: Option<String>,
    pub identity: Option<Identity>,
    /// `GENERATED ALWAYS AS (…) STORED`: Postgres SQL text.
    pub generated: Option<String>,
    /// The sequence owned by a serial or identity column.
    pub sequence: Option<u32>,
    /// OID of the collation that it is declared with, if it is not its type's. It orders as all others do, so a transaction
    /// does not tell other nodes of it before it has ended.
    #[serde(skip)]
    pub collation: Option<u32>,
}

impl Relation {
    /// One that has nothing in it yet.
    pub fn new(oid: u32, kind: RelationKind, schema: String, name: String) -> Relation {
        Relation {
            oid,
            source: Source::of(&kind, oid, &schema, &name),
            kind,
            schema,
            name,
            columns: Vec::new(),
            constraints: Vec::new(),
            indexes: Vec::new(),
            unlogged: false,
            options: Vec::new(),
        }
    }

    /// What a domain's condition reads: a value, as the one column of a relation. It is one of a domain itself where a
    /// domain is based on another.
    pub fn of_value((ty, typmod): (Type, i32), domain: Option<Type>) -> Relation {
        let value = Column {
            attnum: 1,
            name: "value".into(),
            ty,
            typmod,
            domain,
            not_null: false,
            default: None,
            identity: None,
            generated: None,
            sequence: None,
            collation: None,
        };
        let nowhere = Relation::new(0, RelationKind::Table, String::new(), String::new());
        Relation { source: Source::None, columns: vec![value], ..nowhere }
    }
}

impl Column {
    /// The type that it is declared with, and that type's modifier.
    pub fn declared(&self) -> (Type, i32) {
        self.domain.map_or((self.ty, self.typmod), |domain| (domain, NO_TYPMOD))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Identity {
    Always,
    ByDefault,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Constraint {
    pub oid: u32,
    pub name: String,
    pub kind: ConstraintKind,
    /// attnums
    pub columns: Vec<i16>,
    pub deferrable: bool,
    pub initially_deferred: bool,
    /// Rows that were there before it meet it as well, as far as somebody has looked.
    pub validated: bool,
}

impl Constraint {
    /// The index of a key.
    pub fn index(&self) -> Option<u32> {
        match self.kind {
            ConstraintKind::PrimaryKey { index } | ConstraintKind::Unique { index } => Some(index),
            _ => None,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
        /// Of several columns all are NULL or none (MATCH FULL).
        full: bool,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Action {
    NoAction,
    Restrict,
    Cascade,
    SetNull,
    SetDefault,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Index {
    pub oid: u32,
    pub name: String,
    /// Key columns, or expressions as Postgres SQL text.
    pub keys: Vec<IndexKey>,
    pub include: Vec<i16>,
    pub unique: bool,
    pub primary: bool,
    /// NULLs count as equal.
    pub nulls_equal: bool,
    /// OID of the access method.
    pub method: u32,
    /// Postgres SQL text of a partial index's condition.
    pub predicate: Option<String>,
    /// It is whole. One that is being built, or was not built to its end, is kept current, and nothing relies on it.
    pub valid: bool,
    /// CLUSTER has named it last.
    pub clustered: bool,
    /// Storage parameters, as `reloptions` has them.
    pub options: Vec<String>,
}

impl Index {
    /// No two rows of the whole table have the same key, as far as this index is concerned.
    pub fn is_total_key(&self) -> bool {
        self.unique && self.valid && self.predicate.is_none()
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IndexKey {
    pub column: Option<i16>,
    pub expression: Option<String>,
    /// The type of the expression.
    pub ty: Option<Type>,
    /// OID of the operator class, if it is not the type's default.
    pub class: Option<u32>,
    pub descending: bool,
    pub nulls_first: bool,
    /// OID of the collation that was asked for. It orders as all others do, so a transaction does not tell other nodes
    /// of it before it has ended.
    #[serde(skip)]
    pub collation: Option<u32>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
        let in_schema = |schema: &str| self.relations.get(&(schema.to_owned(), name.to_owned()));
        match schema {
            Some(schema) => in_schema(own_temporary(search_path, schema)?),
            None => {
                let first = search_path.first().filter(|s| is_temporary(s)).and_then(|s| in_schema(s));
                let path = search_path.iter().map(String::as_str).filter(|s| *s != "pg_catalog");
                first.or_else(|| std::iter::once("pg_catalog").chain(path).find_map(in_schema))
            }
        }
    }

    /// The relation behind a table of SQLite's.
    pub fn by_table(&self, table: &str) -> Option<&Arc<Relation>> {
        table
            .match_indices('.')
            .find_map(|(dot, _)| self.relations.get(&(table[..dot].to_owned(), table[dot + 1..].to_owned())))
            .filter(|r| matches!(&r.source, Source::Table(name) if name == table))
    }

    pub fn by_oid(&self, oid: u32) -> Option<&Arc<Relation>> {
        let named = self.oids.get(&oid).and_then(|key| self.relations.get(key));
        named.filter(|r| r.oid == oid).or_else(|| self.relations.values().find(|r| r.oid == oid))
    }

    /// Adds a relation, or replaces the one of that name.
    pub fn insert(&mut self, relation: impl Into<Arc<Relation>>) {
        let relation = relation.into();
        let key = (relation.schema.clone(), relation.name.clone());
        self.oids.insert(relation.oid, key.clone());
        self.relations.insert(key, relation);
    }

    pub fn remove(&mut self, schema: &str, name: &str) -> Option<Arc<Relation>> {
        let removed = self.relations.remove(&(schema.to_owned(), name.to_owned()))?;
        self.oids.remove(&removed.oid);
        Some(removed)
    }

    /// The column that is the table's rowid. It is never NULL; but SQLite puts a number of its own where a NULL is
    /// stored into it, so whoever writes it must refuse NULL first.
    pub fn rowid_column(&self, relation: &Relation) -> Option<i16> {
        relation.constraints.iter().find_map(|c| match c.kind {
            ConstraintKind::PrimaryKey { index } if self.rowid_keys.contains(&index) => c.columns.first().copied(),
            _ => None,
        })
    }

    /// Notes what the texts of a relation name.
    pub fn note_uses(&mut self, relation: u32, uses: BTreeSet<u32>) {
        match uses.is_empty() {
            true => self.uses.remove(&relation),
            false => self.uses.insert(relation, uses),
        };
    }

    /// The column that owns a sequence.
    pub fn sequence_owner(&self, sequence: u32) -> Option<(&Arc<Relation>, i16)> {
        self.relations.values().find_map(|r| {
            let column = r.columns.iter().find(|c| c.sequence == Some(sequence))?;
            Some((r, column.attnum))
        })
    }

    /// The name of a schema by its OID.
    pub fn schema_name(&self, oid: u32) -> Option<&str> {
        self.schemas.iter().find(|(_, o)| **o == oid).map(|(name, _)| name.as_str())
    }

    /// The catalog of a database, read from its system tables. `rows` runs a SQLite query. `known`: what it was before
    /// these rows changed.
    pub fn load(
        known: Option<(&Catalog, &[SystemRow])>,
        rows: &mut dyn FnMut(&str) -> SqlResult<Vec<Vec<Value>>>,
    ) -> SqlResult<Catalog> {
        match known.and_then(|(catalog, changed)| Some((catalog, change::relations_of(changed)?))) {
            Some((known, oids)) => Loader::default().reload(known, oids, rows),
            None => Loader::default().load(rows),
        }
    }
}

/// Whether a schema is some session's for temporary objects.
pub fn is_temporary(schema: &str) -> bool {
    schema.starts_with("pg_temp_")
}

/// The schema that a name means: `pg_temp` the session's own. `None` for another session's.
pub fn own_temporary<'s>(search_path: &'s [String], schema: &'s str) -> Option<&'s str> {
    if schema != "pg_temp" && !is_temporary(schema) {
        return Some(schema);
    }
    let own = search_path.iter().map(String::as_str).find(|s| is_temporary(s))?;
    (schema == "pg_temp" || schema == own).then_some(own)
}

/// One row, read by position.
struct Row(Vec<Value>);

impl Row {
    fn int(&self, i: usize) -> i64 {
        if let Some(Value::Int(n)) = self.0.get(i) { *n } else { 0 }
    }
    fn oid(&self, i: usize) -> u32 {
        self.int(i) as u32
    }
    fn attnum(&self, i: usize) -> i16 {
        self.int(i) as i16
    }
    fn flag(&self, i: usize) -> bool {
        self.int(i) != 0
    }
    fn real(&self, i: usize) -> f64 {
        if let Some(Value::Real(x)) = self.0.get(i) { *x } else { self.int(i) as f64 }
    }
    fn text(&self, i: usize) -> String {
        self.optional(i).unwrap_or_default()
    }
    fn optional(&self, i: usize) -> Option<String> {
        if let Some(Value::Text(s)) = self.0.get(i) { Some(s.clone()) } else { None }
    }
    fn attnums(&self, i: usize) -> Vec<i16> {
        if let Some(Value::Blob(bytes)) = self.0.get(i) { decode_attnums(bytes) } else { Vec::new() }
    }
    fn vector(&self, i: usize) -> Vec<i16> {
        self.text(i).split(' ').filter_map(|n| n.parse().ok()).collect()
    }
}

/// Collects the parts of relations by OID before they are put together.
#[derive(Default)]
struct Loader {
    catalog: Catalog,
    columns: BTreeMap<u32, Vec<Column>>,
    constraints: BTreeMap<u32, Vec<Constraint>>,
    indexes: BTreeMap<u32, Vec<Index>>,
    sequences: BTreeMap<u32, Sequence>,
    views: BTreeMap<u32, String>,
    index_tables: BTreeMap<u32, u32>,
    /// The relations to be read, as a list in SQL; otherwise all.
    only: Option<String>,
}

impl Loader {
    fn load(mut self, rows: &mut dyn FnMut(&str) -> SqlResult<Vec<Vec<Value>>>) -> SqlResult<Catalog> {
        let mut rows = |sql: &str| Ok::<_, SqlError>(rows(sql)?.into_iter().map(Row).collect::<Vec<_>>());
        for relation in system::relations() {
            self.catalog.insert(relation.clone());
        }
        self.read(&mut rows)
    }

    /// Reads the relations `oids` again.
    fn reload(
        mut self,
        known: &Catalog,
        oids: BTreeSet<u32>,
        rows: &mut dyn FnMut(&str) -> SqlResult<Vec<Vec<Value>>>,
    ) -> SqlResult<Catalog> {
        let mut rows = |sql: &str| Ok::<_, SqlError>(rows(sql)?.into_iter().map(Row).collect::<Vec<_>>());
        let mut oids = known.with_tables_of_indexes(&oids);
        let tables = format!("SELECT indrelid FROM \"pg_catalog.pg_index\" WHERE indexrelid IN ({})", numbers(&oids));
        oids.extend(rows(&tables)?.iter().map(|r| r.oid(0)));
        // All indexes of a table are described with it, by their own columns, too.
        let indexes = format!("SELECT indexrelid FROM \"pg_catalog.pg_index\" WHERE indrelid IN ({})", numbers(&oids));
        oids.extend(rows(&indexes)?.iter().map(|r| r.oid(0)));
        self.only = Some(numbers(&oids));
        self.catalog = known.clone();
        self.catalog.schemas.clear();
        self.catalog.forget(&oids);
        self.read(&mut rows)
    }

    /// The condition that the relation in `column` is to be read.
    fn wanted(&self, column: &str) -> String {
        match &self.only {
            Some(oids) => format!("{column} IN ({oids})"),
            None => format!("{column} >= {FIRST_USER_OID}"),
        }
    }

    fn read(mut self, mut rows: &mut dyn FnMut(&str) -> SqlResult<Vec<Row>>) -> SqlResult<Catalog> {
        let state = rows("SELECT version, next_oid FROM \"_quorate_schema\"")?;
        let state = state.first().ok_or_else(|| SqlError::internal("the database file has no schema row"))?;
        self.catalog.version = state.int(0) as u64;
        self.catalog.next_oid = state.oid(1);
        for r in rows("SELECT nspname, oid FROM \"pg_catalog.pg_namespace\" ORDER BY oid")? {
            self.catalog.schemas.insert(r.text(0), r.oid(1));
        }
        self.rights(&mut rows)?;
        self.own_types(&mut rows)?;
        self.catalog.extensions.clear();
        for r in rows("SELECT extname, oid FROM \"pg_catalog.pg_extension\" ORDER BY oid")? {
            self.catalog.extensions.insert(r.text(0), r.oid(1));
        }
        self.attributes(&mut rows)?;
        self.keys(&mut rows)?;
        let views = format!("SELECT oid, definition FROM \"_quorate_view\" WHERE {} ORDER BY oid", self.wanted("oid"));
        for r in rows(&views)? {
            self.views.insert(r.oid(0), r.text(1));
        }
        let sequences = format!(
            "SELECT seqrelid, seqtypid, seqstart, seqincrement, seqmin, seqmax, seqcache, seqcycle
            FROM \"pg_catalog.pg_sequence\" WHERE {} ORDER BY seqrelid",
            self.wanted("seqrelid")
        );
        for r in rows(&sequences)? {
            let sequence = Sequence {
                ty: Type(r.oid(1)),
                start: r.int(2),
                increment: r.int(3),
                min: r.int(4),
                max: r.int(5),
                cache: r.int(6),
                cycle: r.flag(7),
            };
            self.sequences.insert(r.oid(0), sequence);
        }
        self.uses(&mut rows)?;
        let relations = format!(
            "SELECT c.oid, n.nspname, c.relname, c.relkind, c.reloptions, c.relispopulated, c.relpersistence FROM \"pg_catalog.pg_class\" c
            JOIN \"pg_catalog.pg_namespace\" n ON n.oid = c.relnamespace WHERE {} ORDER BY c.oid",
            self.wanted("c.oid")
        );
        for r in rows(&relations)? {
            let relation = self.relation(&r)?;
            self.catalog.insert(relation);
        }
        Ok(self.catalog)
    }

    /// What views, defaults, conditions and indexes name: relations, and types of one's own (an array counts as its element).
    fn uses(&mut self, rows: &mut dyn FnMut(&str) -> SqlResult<Vec<Row>>) -> SqlResult<()> {
        // The class of what depends, the table that has it, its OID there, and that of the relation.
        let kinds = [
            (2618, "pg_class", "oid", "oid"),
            (2604, "pg_attrdef", "oid", "adrelid"),
            (2606, "pg_constraint", "oid", "conrelid"),
            (1259, "pg_index", "indexrelid", "indrelid"),
        ];
        for (class, table, own, relation) in kinds {
            let uses = format!(
                "SELECT o.{relation}, d.refclassid, d.refobjid FROM \"pg_catalog.{table}\" o
                CROSS JOIN \"pg_catalog.pg_depend\" d ON d.classid = {class} AND d.objid = o.{own} AND d.objsubid = 0
                WHERE d.deptype = 'n' AND o.{relation} <> 0 AND d.refobjid <> o.{relation} AND d.refclassid IN (1259, 1247)
                  AND NOT ({class} = 2606 AND d.refclassid = 1259) AND {}",
                self.wanted(&format!("o.{relation}"))
            );
            for r in rows(&uses)? {
                let named = match r.int(1) {
                    1247 => self.catalog.own_type(Type(r.oid(2))).map(|own| own.oid),
                    _ => Some(r.oid(2)),
                };
                self.catalog.uses.entry(r.oid(0)).or_default().extend(named);
            }
        }
        Ok(())
    }

    /// All of them, each time: they are few.
    fn own_types(&mut self, rows: &mut dyn FnMut(&str) -> SqlResult<Vec<Row>>) -> SqlResult<()> {
        let mut labels: BTreeMap<u32, Vec<Label>> = BTreeMap::new();
        let enums = "SELECT enumtypid, oid, enumsortorder, enumlabel FROM \"pg_catalog.pg_enum\"
            ORDER BY enumtypid, enumsortorder";
        for r in rows(enums)? {
            labels.entry(r.oid(0)).or_default().push(Label { oid: r.oid(1), order: r.real(2), name: r.text(3) });
        }
        let (first, last) = (Own::Enum.oids().start, Own::Domain.oids().end);
        let types = format!(
            "SELECT t.oid, n.nspname, t.typname, a.typname, t.typbasetype, t.typtypmod, t.typnotnull, t.typdefault FROM \"pg_catalog.pg_type\" t
            JOIN \"pg_catalog.pg_namespace\" n ON n.oid = t.typnamespace
            JOIN \"pg_catalog.pg_type\" a ON a.oid = t.typarray
            WHERE t.oid >= {first} AND t.oid < {last} ORDER BY t.oid"
        );
        self.catalog.types.clear();
        for r in rows(&types)? {
            let labels = labels.remove(&r.oid(0)).unwrap_or_default();
            let domain = (r.oid(4) != 0).then(|| Domain {
                base: Type(r.oid(4)),
                typmod: r.int(5) as i32,
                not_null: r.flag(6),
                default: r.optional(7),
                checks: Vec::new(),
            });
            let own = OwnType { oid: r.oid(0), schema: r.text(1), name: r.text(2), array: r.text(3), labels, domain };
            self.catalog.types.insert(own.oid, Arc::new(own));
        }
        if self.catalog.types.values().all(|own| own.domain.is_none()) {
            return Ok(());
        }
        let checks = "SELECT contypid, oid, conname, source, convalidated FROM \"pg_catalog.pg_constraint\"
            WHERE contypid <> 0 ORDER BY oid";
        for r in rows(checks)? {
            let check = DomainCheck { oid: r.oid(1), name: r.text(2), text: r.text(3), validated: r.flag(4) };
            let own = self.catalog.types.get_mut(&r.oid(0)).map(Arc::make_mut);
            own.and_then(|own| own.domain.as_mut()).into_iter().for_each(|domain| domain.checks.push(check.clone()));
        }
        Ok(())
    }

    fn attributes(&mut self, rows: &mut dyn FnMut(&str) -> SqlResult<Vec<Row>>) -> SqlResult<()> {
        let attributes = format!(
            "SELECT a.attrelid, a.attnum, a.attname, a.atttypid, a.atttypmod, a.attnotnull, a.attidentity,
              a.attgenerated, d.source, s.objid, a.attcollation
            FROM \"pg_catalog.pg_attribute\" a
            LEFT JOIN \"pg_catalog.pg_attrdef\" d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
            LEFT JOIN \"pg_catalog.pg_depend\" s ON s.classid = 1259 AND s.refclassid = 1259
              AND s.refobjid = a.attrelid AND s.refobjsubid = a.attnum AND s.deptype IN ('a', 'i')
              AND s.objid IN (SELECT seqrelid FROM \"pg_catalog.pg_sequence\")
            WHERE {} AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attrelid, a.attnum",
            self.wanted("a.attrelid")
        );
        for r in rows(&attributes)? {
            let expression = r.optional(8);
            let declared = Type(r.oid(3));
            let (ty, typmod) = self.catalog.base_of(declared, r.int(4) as i32);
            let generated = r.text(7) == "s";
            let column = Column {
                attnum: r.attnum(1),
                name: r.text(2),
                ty,
                typmod,
                domain: (ty != declared).then_some(declared),
                not_null: r.flag(5),
                default: expression.clone().filter(|_| !generated),
                identity: match r.text(6).as_str() {
                    "a" => Some(Identity::Always),
                    "d" => Some(Identity::ByDefault),
                    _ => None,
                },
                generated: expression.filter(|_| generated),
                sequence: Some(r.oid(9)).filter(|oid| *oid != 0),
                collation: Some(r.oid(10)).filter(|oid| *oid != 0 && *oid != default_collation(ty)),
            };
            self.columns.entry(r.oid(0)).or_default().push(column);
        }
        Ok(())
    }

    fn keys(&mut self, rows: &mut dyn FnMut(&str) -> SqlResult<Vec<Row>>) -> SqlResult<()> {
        let constraints = format!(
            "SELECT conrelid, oid, conname, contype, condeferrable, condeferred, conindid, confrelid,
              confupdtype, confdeltype, conkey, confkey, source, convalidated, confmatchtype
            FROM \"pg_catalog.pg_constraint\" WHERE conrelid <> 0 AND {} ORDER BY conrelid, oid",
            self.wanted("conrelid")
        );
        for r in rows(&constraints)? {
            let kind = match r.text(3).as_str() {
                "p" => ConstraintKind::PrimaryKey { index: r.oid(6) },
                "u" => ConstraintKind::Unique { index: r.oid(6) },
                "c" => ConstraintKind::Check(r.text(12)),
                "f" => ConstraintKind::ForeignKey {
                    table: r.oid(7),
                    columns: r.attnums(11),
                    on_update: Action::from_code(&r.text(8)),
                    on_delete: Action::from_code(&r.text(9)),
                    full: r.text(14) == "f",
                },
                other => return Err(SqlError::internal(format!("constraint type \"{other}\" in the catalog"))),
            };
            let constraint = Constraint {
                oid: r.oid(1),
                name: r.text(2),
                kind,
                columns: r.attnums(10),
                deferrable: r.flag(4),
                initially_deferred: r.flag(5),
                validated: r.flag(13),
            };
            self.constraints.entry(r.oid(0)).or_default().push(constraint);
        }
        let indexes = format!(
            "SELECT i.indrelid, i.indexrelid, c.relname, i.indkey, i.indnkeyatts, i.indoption, i.indisunique,
              i.indisprimary, i.predsource, i.indisrowid, i.exprsource, i.indnullsnotdistinct, c.relam, i.indclass,
              i.indisvalid, i.indcollation, i.indisclustered, c.reloptions
            FROM \"pg_catalog.pg_index\" i JOIN \"pg_catalog.pg_class\" c ON c.oid = i.indexrelid
            WHERE {} ORDER BY i.indrelid, i.indexrelid",
            self.wanted("i.indrelid")
        );
        for r in rows(&indexes)? {
            let index = index_of(&r, self.columns.get(&r.oid(1)).map_or(&[], Vec::as_slice))?;
            if r.flag(9) {
                self.catalog.rowid_keys.insert(index.oid);
            }
            self.index_tables.insert(index.oid, r.oid(0));
            self.indexes.entry(r.oid(0)).or_default().push(index);
        }
        Ok(())
    }

    fn relation(&mut self, r: &Row) -> SqlResult<Relation> {
        let (oid, schema, name) = (r.oid(0), r.text(1), r.text(2));
        let missing = || SqlError::internal(format!("the catalog has no definition of \"{schema}.{name}\""));
        let kind = match r.text(3).as_str() {
            "r" => RelationKind::Table,
            "v" => RelationKind::View {
                definition: self.views.remove(&oid).ok_or_else(missing)?,
                options: ViewOptions::read(rights::texts(r, 4)?.unwrap_or_default()),
            },
            "m" => RelationKind::Materialized {
                definition: self.views.remove(&oid).ok_or_else(missing)?,
                populated: r.flag(5),
            },
            "S" => RelationKind::Sequence(self.sequences.remove(&oid).ok_or_else(missing)?),
            "i" => RelationKind::Index { table: self.index_tables.get(&oid).copied().ok_or_else(missing)? },
            _ => return Err(missing()),
        };
        let index = matches!(kind, RelationKind::Index { .. });
        let options = if kind.is_stored() { rights::texts(r, 4)?.unwrap_or_default() } else { Vec::new() };
        Ok(Relation {
            options,
            oid,
            source: Source::of(&kind, oid, &schema, &name),
            kind,
            // An index is described with its table.
            columns: self.columns.remove(&oid).filter(|_| !index).unwrap_or_default(),
            constraints: self.constraints.remove(&oid).unwrap_or_default(),
            indexes: self.indexes.remove(&oid).unwrap_or_default(),
            unlogged: r.text(6) == "u",
            schema,
            name,
        })
    }
}

fn numbers(oids: &BTreeSet<u32>) -> String {
    oids.iter().map(u32::to_string).collect::<Vec<_>>().join(", ")
}

/// The OID of the collation that a type's values have if nothing else is said; 0 for types without one.
pub fn default_collation(ty: Type) -> u32 {
    match ty.element().unwrap_or(ty) {
        Type::TEXT | Type::CITEXT | Type::VARCHAR | Type::BPCHAR => DEFAULT_COLLATION,
        Type::NAME => C_COLLATION,
        _ => 0,
    }
}

/// OIDs of `pg_collation`.
pub const DEFAULT_COLLATION: u32 = 100;
pub const C_COLLATION: u32 = 950;
const POSIX_COLLATION: u32 = 951;

/// The collation of this name, if there is one that orders by bytes.
pub fn collation(name: &str) -> Option<u32> {
    match name {
        "default" => Some(DEFAULT_COLLATION),
        "C" | "ucs_basic" | "C.UTF-8" | "C.utf8" => Some(C_COLLATION),
        "POSIX" => Some(POSIX_COLLATION),
        _ => None,
    }
}

/// The name of a collation that orders by bytes.
pub fn collation_name(oid: u32) -> &'static str {
    match oid {
        C_COLLATION => "C",
        POSIX_COLLATION => "POSIX",
        _ => "default",
    }
}

/// An index of a row of `pg_index`, with its own columns.
fn index_of(r: &Row, columns: &[Column]) -> SqlResult<Index> {
    let (keys, options) = (r.vector(3), r.vector(5));
    let classes: Vec<u32> = r.text(13).split(' ').filter_map(|n| n.parse().ok()).collect();
    let collations: Vec<u32> = r.text(15).split(' ').filter_map(|n| n.parse().ok()).collect();
    let method = r.oid(12);
    let expressions: Vec<String> = match r.optional(10) {
        Some(json) => serde_json::from_str(&json).map_err(|e| SqlError::internal(format!("index expressions: {e}")))?,
        None => Vec::new(),
    };
    let mut expressions = expressions.into_iter();
    let count = (r.int(4) as usize).min(keys.len());
    let key = |(i, attnum): (usize, &i16)| {
        let option = options.get(i).copied().unwrap_or(0);
        let ty = columns.get(i).map(|c| c.ty);
        let class =
            classes.get(i).copied().filter(|class| methods::class(*class).is_some_and(|c| !c.is_built_in_default()));
        IndexKey {
            column: Some(*attnum).filter(|n| *n != 0),
            expression: if *attnum == 0 { expressions.next() } else { None },
            ty: ty.filter(|_| *attnum == 0),
            class,
            descending: option & 1 != 0,
            nulls_first: option & 2 != 0,
            collation: collations.get(i).copied().filter(|oid| Some(*oid) != ty.map(default_collation)),
        }
    };
    Ok(Index {
        oid: r.oid(1),
        name: r.text(2),
        keys: keys[..count].iter().enumerate().map(key).collect(),
        include: keys[count..].to_vec(),
        unique: r.flag(6),
        primary: r.flag(7),
        nulls_equal: r.flag(11),
        method,
        predicate: r.optional(8),
        valid: r.flag(14),
        clustered: r.flag(16),
        options: rights::texts(r, 17)?.unwrap_or_default(),
    })
}

impl Source {
    /// Where the rows of a relation of the user's are.
    pub fn of(kind: &RelationKind, oid: u32, schema: &str, name: &str) -> Source {
        match kind {
            RelationKind::Table | RelationKind::Materialized { .. } => Source::Table(sqlite_name(schema, name)),
            RelationKind::Sequence(_) => Source::Query(format!(
                "SELECT last_value, 0, is_called FROM \"pg_catalog.pg_sequence\" WHERE seqrelid = {oid}"
            )),
            _ => Source::None,
        }
    }
}

impl Action {
    /// As in `pg_constraint.confupdtype`.
    pub fn code(self) -> &'static str {
        match self {
            Action::NoAction => "a",
            Action::Restrict => "r",
            Action::Cascade => "c",
            Action::SetNull => "n",
            Action::SetDefault => "d",
        }
    }

    pub fn from_code(code: &str) -> Action {
        match code {
            "r" => Action::Restrict,
            "c" => Action::Cascade,
            "n" => Action::SetNull,
            "d" => Action::SetDefault,
            _ => Action::NoAction,
        }
    }

    pub fn sql(self) -> &'static str {
        match self {
            Action::NoAction => "NO ACTION",
            Action::Restrict => "RESTRICT",
            Action::Cascade => "CASCADE",
            Action::SetNull => "SET NULL",
            Action::SetDefault => "SET DEFAULT",
        }
    }
}

/// `int2[]` in PostgreSQL's binary form.
pub fn encode_attnums(attnums: &[i16]) -> Vec<u8> {
    let mut out = Vec::with_capacity(20 + attnums.len() * 6);
    let dimensions = u32::from(!attnums.is_empty());
    for word in [dimensions, 0, Type::INT2.0] {
        out.extend_from_slice(&word.to_be_bytes());
    }
    if attnums.is_empty() {
        return out;
    }
    out.extend_from_slice(&(attnums.len() as u32).to_be_bytes());
    out.extend_from_slice(&1u32.to_be_bytes());
    for n in attnums {
        out.extend_from_slice(&2u32.to_be_bytes());
        out.extend_from_slice(&n.to_be_bytes());
    }
    out
}

/// What [`encode_attnums`] wrote.
pub fn decode_attnums(bytes: &[u8]) -> Vec<i16> {
    let elements = bytes.get(20..).unwrap_or_default();
    elements.chunks_exact(6).map(|e| i16::from_be_bytes([e[4], e[5]])).collect()
}

impl Relation {
    pub fn column_at(&self, attnum: i16) -> Option<&Column> {
        self.columns.iter().find(|c| c.attnum == attnum)
    }

    /// A name of the rowid in SQLite that no column has.
    pub fn rowid_name(&self) -> &'static str {
        let free = |name: &&&str| !self.columns.iter().any(|c| c.name.eq_ignore_ascii_case(name));
        ["_rowid_", "rowid", "oid"].iter().find(free).copied().unwrap_or("_rowid_")
    }

    pub fn constraint(&self, name: &str) -> Option<&Constraint> {
        self.constraints.iter().find(|c| c.name == name)
    }

    /// Whether a unique index lets no key in twice. That of a DEFERRABLE constraint does, until a statement or a transaction is
    /// over (see `ddl::clashes`).
    pub fn is_immediate(&self, index: &Index) -> bool {
        !self.constraints.iter().any(|c| c.deferrable && c.index() == Some(index.oid))
    }

    pub fn primary_key(&self) -> Option<&Constraint> {
        self.constraints.iter().find(|c| matches!(c.kind, ConstraintKind::PrimaryKey { .. }))
    }

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
    let mut out = String::with_capacity(name.len() + 2);
    quote_into(&mut out, name);
    out
}

/// Appends what [`quote`] makes.
pub fn quote_into(out: &mut String, name: &str) {
    out.push('"');
    for (i, part) in name.split('"').enumerate() {
        out.push_str(if i > 0 { "\"\"" } else { "" });
        out.push_str(part);
    }
    out.push('"');
}
