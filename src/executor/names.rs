//! SQLite's names of tables and what locks need to know of them, by catalog version.

use crate::command::{Write, Yields};
use crate::engine::Shared;
use crate::engine::view::Views;
use crate::sql::catalog::{Catalog, ConstraintKind, RelationKind, Source};
use crate::value::Value;
use arc_swap::ArcSwapOption;
use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::Arc;

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
    version: u64,
    by_name: HashMap<String, Table>,
}

#[derive(Clone, Debug)]
pub struct Table {
    pub oid: u32,
    /// The rowid is the primary key: two new rows with the same one are a conflict, and not an accident.
    pub keyed: bool,
    /// Positions of the columns of another primary key.
    pub key: Vec<usize>,
}

impl Tables {
    fn new(catalog: &Catalog) -> Tables {
        let mut by_name = HashMap::new();
        for relation in catalog.relations.values() {
            let (RelationKind::Table, Source::Table(name)) = (&relation.kind, &relation.source) else { continue };
            let keyed = catalog.rowid_column(relation).is_some();
            let primary = relation.constraints.iter().find(|c| matches!(c.kind, ConstraintKind::PrimaryKey { .. }));
            let place = |attnum: &i16| relation.columns.iter().position(|column| column.attnum == *attnum);
            let key = primary.filter(|_| !keyed).map(|c| c.columns.iter().filter_map(place).collect());
            by_name.insert(name.clone(), Table { oid: relation.oid, keyed, key: key.unwrap_or_default() });
        }
        Tables { version: catalog.version, by_name }
    }

    pub fn get(&self, name: &str) -> Option<&Table> {
        self.by_name.get(name)
    }
}

impl Names {
    /// The tables of the catalog of now.
    pub fn of(&self, shared: &Shared) -> Arc<Tables> {
        let version = shared.schema_version();
        if let Some(tables) = &*self.tables.load()
            && tables.version == version
        {
            return tables.clone();
        }
        let tables = Arc::new(Tables::new(&shared.catalog()));
        self.tables.store(Some(tables.clone()));
        tables
    }

    /// The tables that a write has to do with.
    pub fn touched(&self, views: &Views, shared: &Shared, write: &Write) -> Touches {
        let mut out = Touches::default();
        for step in &write.steps {
            if step.ddl {
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
            && *version == tables.version
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
        if known.0 != tables.version || known.1.len() >= REMEMBERED {
            *known = (tables.version, HashMap::new());
        }
        known.1.insert(sql.to_owned(), found.clone());
        found
    }
}

/// The lock key of a row that is there.
pub fn rowid_key(rowid: i64) -> Arc<[u8]> {
    let mut key = [0; 9];
    key[1..].copy_from_slice(&rowid.to_be_bytes());
    Arc::from(key)
}

/// The lock key of a primary key's values: for rows that are yet to be.
pub fn value_key(values: &[&Value]) -> Arc<[u8]> {
    let bytes = postcard::to_extend(values, vec![1]).unwrap_or_default();
    Arc::from(bytes)
}
