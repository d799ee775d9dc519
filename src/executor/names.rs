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
    written: Mutex<Written>,
}

/// The catalog version, and the tables that texts write under it.
type Written = (u64, HashMap<String, Arc<[u32]>>);

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

    /// The tables that a write writes, triggers and cascades included; of a schema change, [`SCHEMA`].
    pub fn written(&self, views: &Views, shared: &Shared, write: &Write) -> Vec<u32> {
        let mut out = Vec::new();
        for step in &write.steps {
            if step.ddl {
                out.push(SCHEMA);
            }
            for statement in step.statements.iter().filter(|s| s.yields != Yields::Guard) {
                out.extend_from_slice(&self.written_by(views, shared, &statement.sql));
            }
        }
        out.sort_unstable();
        out.dedup();
        out
    }

    fn written_by(&self, views: &Views, shared: &Shared, sql: &str) -> Arc<[u32]> {
        let tables = self.of(shared);
        if let (version, known) = &*self.written.lock()
            && *version == tables.version
            && let Some(found) = known.get(sql)
        {
            return found.clone();
        }
        let Ok(mut view) = views.open() else { return Arc::default() };
        let names = view.runner().connection.written_tables(sql);
        let found: Arc<[u32]> = names.iter().filter_map(|name| tables.get(name)).map(|table| table.oid).collect();
        let mut written = self.written.lock();
        if written.0 != tables.version || written.1.len() >= REMEMBERED {
            *written = (tables.version, HashMap::new());
        }
        written.1.insert(sql.to_owned(), found.clone());
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
