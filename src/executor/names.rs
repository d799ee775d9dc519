//! SQLite's names of tables and what locks need to know of them, by catalog version.

use crate::command::{Definition, Step, Write, Yields};
use crate::engine::Shared;
use crate::engine::view::Views;
use crate::locks::Want;
use crate::sql::catalog::{Catalog, Constraint, ConstraintKind, Index, Relation, Source, quote};
use crate::sql::keys;
use crate::value::Value;
use arc_swap::ArcSwapOption;
use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

/// The lock that schema changes take: they run one after another.
pub const SCHEMA: u32 = 0;
/// Texts whose tables are remembered.
const REMEMBERED: usize = 4096;

#[derive(Default)]
pub struct Names {
    tables: ArcSwapOption<Tables>,
    known: Mutex<Known>,
}

/// The catalog version, and the tables that texts have to do with under it.
type Known = (u64, HashMap<String, Arc<Touches>>);

/// Stands for all tables, where nobody can tell which.
pub const EVERY: u32 = u32::MAX;

/// What a text, or a whole write, has to do with. Sorted, each once.
#[derive(Clone, Debug, Default)]
pub struct Touches {
    /// Triggers and cascades included; of a schema change, [`SCHEMA`].
    pub written: Vec<u32>,
    pub read: Vec<u32>,
}

impl Touches {
    pub fn all(&self) -> Vec<u32> {
        let mut all = [&self.written[..], &self.read].concat();
        all.sort_unstable();
        all.dedup();
        all
    }
}

/// Whether two lists of tables have one in common.
pub fn overlap(a: &[u32], b: &[u32]) -> bool {
    let every = |list: &[u32]| list.contains(&EVERY);
    !a.is_empty() && !b.is_empty() && (every(a) || every(b) || a.iter().any(|table| b.contains(table)))
}

/// User tables by SQLite's name.
pub struct Tables {
    catalog: Arc<Catalog>,
    by_name: HashMap<String, Table>,
    /// The tables that a table's foreign keys point to.
    parents: HashMap<u32, Vec<u32>>,
}

#[derive(Clone, Debug)]
pub struct Table {
    pub oid: u32,
    /// The rowid is the primary key: two new rows with the same one are a conflict, and not an accident.
    pub keyed: bool,
    /// Positions of the columns of another primary key.
    pub key: Vec<usize>,
    pub references: Arc<[Reference]>,
    pub unique: Arc<[Unique]>,
}

/// What else has to differ from row to row: a unique index, but for the primary key's if rows are locked by its values.
#[derive(Debug)]
pub struct Unique {
    pub index: u32,
    pub terms: Terms,
    /// NULLs count as equal.
    pub nulls_equal: bool,
}

/// Where a row's values in an index are.
#[derive(Debug)]
pub enum Terms {
    /// At these positions.
    Columns(Vec<usize>),
    /// In the answer to a query by its rowid, which is made when it is wanted first: it takes a while for each index, and few
    /// are written to before the next definition.
    Asked(OnceLock<Option<String>>),
}

impl Unique {
    /// The lock key of the values that a row has there; `None` if they are nobody else's business, or not to be seen in the row.
    pub fn key(&self, row: &[Value]) -> Option<Arc<[u8]>> {
        let Terms::Columns(columns) = &self.terms else { return None };
        let values: Vec<&Value> = columns.iter().map(|i| row.get(*i)).collect::<Option<_>>()?;
        let alone = !self.nulls_equal && values.iter().any(|value| value.is_null());
        (!alone).then(|| unique_key(self.index, &values))
    }

    /// The query for what a row of `table` has there, if the row does not say.
    fn query(&self, catalog: &Catalog, table: u32) -> Option<&str> {
        let Terms::Asked(query) = &self.terms else { return None };
        let make = || {
            let relation = catalog.by_oid(table)?;
            let index = relation.indexes.iter().find(|index| index.oid == self.index)?;
            keys::of_row(catalog, relation, index).ok()
        };
        query.get_or_init(make).as_deref()
    }

    /// The lock key of what that query has found.
    pub fn key_of(&self, found: &Value) -> Arc<[u8]> {
        unique_key(self.index, &[found])
    }
}

/// A foreign key.
#[derive(Debug)]
pub struct Reference {
    /// Positions of its columns.
    pub columns: Vec<usize>,
    pub parent: u32,
    /// It points to the parent's rowid.
    pub keyed: bool,
    /// Finds the parent's rowid by the values of the columns.
    pub find: String,
}

impl Tables {
    /// SQLite's name of a table.
    pub fn name_of(&self, oid: u32) -> Option<String> {
        self.by_name.iter().find(|(_, table)| table.oid == oid).map(|(name, _)| name.clone())
    }

    fn new(catalog: Arc<Catalog>) -> Tables {
        let mut by_name = HashMap::new();
        for relation in catalog.relations.values() {
            let Source::Table(name) = &relation.source else { continue };
            if !relation.kind.is_stored() {
                continue;
            }
            let keyed = catalog.rowid_column(relation).is_some();
            let primary = relation.constraints.iter().find(|c| matches!(c.kind, ConstraintKind::PrimaryKey { .. }));
            let place = |attnum: &i16| relation.columns.iter().position(|column| column.attnum == *attnum);
            let key = primary.filter(|_| !keyed).map(|c| c.columns.iter().filter_map(place).collect());
            let references = relation.constraints.iter().filter_map(|c| reference(&catalog, relation, c)).collect();
            let key = key.unwrap_or_default();
            let unique = relation.indexes.iter().filter_map(|index| unique(relation, index)).collect();
            by_name.insert(name.clone(), Table { oid: relation.oid, keyed, key, references, unique });
        }
        let parents = |table: &Table| table.references.iter().map(|reference| reference.parent).collect();
        let parents = by_name.values().map(|table| (table.oid, parents(table))).collect();
        Tables { catalog, by_name, parents }
    }

    pub fn has(&self, oid: u32) -> bool {
        self.parents.contains_key(&oid)
    }

    /// The tables that the foreign keys of these tables point to.
    pub fn parents(&self, tables: &[u32]) -> Vec<u32> {
        tables.iter().filter_map(|table| self.parents.get(table)).flatten().copied().collect()
    }

    pub fn get(&self, name: &str) -> Option<&Table> {
        self.by_name.get(name)
    }

    /// The unique indexes in which a row of a table does not say what it has, each with the query for that.
    pub fn asked<'a>(&'a self, table: &'a Table) -> impl Iterator<Item = (&'a Unique, &'a str)> {
        table.unique.iter().filter_map(|unique| Some((unique, unique.query(&self.catalog, table.oid)?)))
    }
}

fn unique(relation: &Relation, index: &Index) -> Option<Unique> {
    let terms = match keys::plain_columns(relation, index) {
        Some(_) if index.primary => return None,
        Some(columns) => Terms::Columns(columns),
        None => Terms::Asked(OnceLock::new()),
    };
    index.unique.then_some(Unique { index: index.oid, terms, nulls_equal: index.nulls_equal })
}

fn reference(catalog: &Catalog, relation: &Relation, constraint: &Constraint) -> Option<Reference> {
    let ConstraintKind::ForeignKey { table, columns: targets, .. } = &constraint.kind else { return None };
    let parent = catalog.by_oid(*table)?;
    let Source::Table(name) = &parent.source else { return None };
    let place = |attnum: &i16| relation.columns.iter().position(|column| column.attnum == *attnum);
    let target = |(i, attnum): (usize, &i16)| Some(format!("{} = ?{}", quote(&parent.column_at(*attnum)?.name), i + 1));
    let conditions: Vec<String> = targets.iter().enumerate().map(target).collect::<Option<_>>()?;
    let (rowid, table_name) = (parent.rowid_name(), quote(name));
    Some(Reference {
        columns: constraint.columns.iter().map(place).collect::<Option<_>>()?,
        parent: *table,
        keyed: targets.len() == 1 && catalog.rowid_column(parent) == targets.first().copied(),
        find: format!("SELECT {rowid} FROM {table_name} WHERE {}", conditions.join(" AND ")),
    })
}

impl Names {
    /// The tables of the catalog of now.
    pub fn of(&self, shared: &Shared) -> Arc<Tables> {
        let version = shared.schema_version();
        if let Some(tables) = &*self.tables.load()
            && tables.catalog.version == version
        {
            return tables.clone();
        }
        let tables = Arc::new(Tables::new(shared.catalog()));
        self.tables.store(Some(tables.clone()));
        tables
    }

    /// The tables that a write has to do with.
    pub fn touched(&self, views: &Views, shared: &Shared, write: &Write) -> Touches {
        self.touched_by_steps(views, shared, &mut write.steps.iter())
    }

    /// The tables that steps have to do with, under the catalog of now.
    pub fn touched_by_steps(&self, views: &Views, shared: &Shared, steps: &mut dyn Iterator<Item = &Step>) -> Touches {
        let mut out = Touches::default();
        for step in steps {
            if step.ddl == Definition::Shared {
                out.written.push(SCHEMA);
            }
            for statement in step.statements.iter().filter(|s| s.yields != Yields::Guard) {
                let touches = self.touched_by(views, shared, &statement.sql);
                out.written.extend_from_slice(&touches.written);
                out.read.extend_from_slice(&touches.read);
            }
        }
        for list in [&mut out.written, &mut out.read] {
            list.sort_unstable();
            list.dedup();
        }
        out
    }

    fn touched_by(&self, views: &Views, shared: &Shared, sql: &str) -> Arc<Touches> {
        let tables = self.of(shared);
        if let (version, known) = &*self.known.lock()
            && *version == tables.catalog.version
            && let Some(found) = known.get(sql)
        {
            return found.clone();
        }
        let everything = || Arc::new(Touches { written: Vec::new(), read: vec![EVERY] });
        let Ok(mut view) = views.open() else { return everything() };
        let named = view.runner().connection.tables(sql);
        if !named.complete {
            // It may need what an earlier statement of the same write makes.
            return everything();
        }
        let oids = |names: &[String]| names.iter().filter_map(|name| tables.get(name)).map(|table| table.oid).collect();
        let found = Arc::new(Touches { written: oids(&named.written), read: oids(&named.read) });
        let mut known = self.known.lock();
        if known.0 != tables.catalog.version || known.1.len() >= REMEMBERED {
            *known = (tables.catalog.version, HashMap::new());
        }
        known.1.insert(sql.to_owned(), found.clone());
        found
    }
}

/// The first byte of a lock key tells what it is of.
const ROW: u8 = 0;
const VALUES: u8 = 1;
const UNIQUE: u8 = 2;

/// Whether a lock is one of a row, and not of values that only one row may have.
pub fn is_of_row(want: &Want) -> bool {
    matches!(want, Want::Row { key, .. } if key.first() == Some(&ROW))
}

/// The lock key of a row that is there.
pub fn rowid_key(rowid: i64) -> Arc<[u8]> {
    let mut key = [ROW; 9];
    key[1..].copy_from_slice(&rowid.to_be_bytes());
    Arc::from(key)
}

/// The lock key of a primary key's values: for rows that are yet to be.
pub fn value_key(values: &[&Value]) -> Arc<[u8]> {
    let bytes = postcard::to_extend(values, vec![VALUES]).unwrap_or_default();
    Arc::from(bytes)
}

/// The lock key of values in a unique index.
fn unique_key(index: u32, values: &[&Value]) -> Arc<[u8]> {
    let bytes = postcard::to_extend(&(index, values), vec![UNIQUE]).unwrap_or_default();
    Arc::from(bytes)
}
