//! A catalog that differs from another one by a few relations: read again by relation after DDL, and sent between nodes as
//! a difference.
//!
//! What DDL costs must not grow with the number of tables. So the engine notes which rows of the system tables change,
//! and of the relations that they speak of everything is read again; the rest is shared with the catalog before.

use super::rights::RightsChange;
use super::{Catalog, OwnType, Relation, RelationKind};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A row of a system table before or after a change; what is no integer counts as 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SystemRow {
    /// SQLite's name of the table.
    pub table: String,
    pub values: Vec<i64>,
}

/// Relations that are read one by one; of more, everything is read.
const FEW: usize = 500;
/// pg_class, as a class of objects.
const RELATION: i64 = 1259;
/// pg_rewrite: a view's rule has its OID.
const RULE: i64 = 2618;

/// The relations that changed rows speak of; `None`: it may be anything.
pub fn relations_of(rows: &[SystemRow]) -> Option<BTreeSet<u32>> {
    let mut oids = BTreeSet::new();
    for row in rows {
        let at = |i: usize| row.values.get(i).copied().unwrap_or_default();
        let spoken_of: &[i64] = match row.table.as_str() {
            "pg_catalog.pg_class" | "pg_catalog.pg_sequence" | "_quorate_view" => &[at(0)],
            "pg_catalog.pg_attribute" => &[at(0)],
            "pg_catalog.pg_attrdef" => &[at(1)],
            "pg_catalog.pg_index" => &[at(0), at(1)],
            // A foreign key is about both of its tables.
            "pg_catalog.pg_constraint" => &[at(7), at(11)],
            "pg_catalog.pg_depend" if matches!(at(0), RELATION | RULE) && at(3) == RELATION => &[at(1), at(4)],
            // Types, extensions and roles are read again in any case.
            "pg_catalog.pg_authid"
            | "pg_catalog.pg_auth_members"
            | "pg_catalog.pg_db_role_setting"
            | "pg_catalog.pg_default_acl"
            | "_quorate_database" => &[],
            "pg_catalog.pg_type" | "pg_catalog.pg_enum" | "pg_catalog.pg_extension" => &[],
            "pg_catalog.pg_depend" | "pg_catalog.pg_description" | "_quorate_schema" => &[],
            _ => return None,
        };
        oids.extend(spoken_of.iter().filter_map(|oid| u32::try_from(*oid).ok()));
    }
    (oids.len() <= FEW).then_some(oids)
}

/// What makes one catalog of another. Their versions are left aside.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Change {
    next_oid: u32,
    schemas: BTreeMap<String, u32>,
    gone: Vec<u32>,
    /// New, or not what they were.
    relations: Vec<Relation>,
    rowid_keys: Vec<(u32, bool)>,
    uses: Vec<(u32, BTreeSet<u32>)>,
    types: BTreeMap<u32, Arc<OwnType>>,
    extensions: BTreeMap<String, u32>,
    rights: RightsChange,
}

impl Catalog {
    /// What makes this catalog of `old`.
    pub fn change_from(&self, old: &Catalog) -> Change {
        // Whoever adds something to the catalog has to say here how it travels.
        let Catalog { version: _, next_oid, schemas, relations, rowid_keys, uses, types, extensions, rights, oids: _ } =
            self;
        let same = |known: &Arc<Relation>, now: &Arc<Relation>| Arc::ptr_eq(known, now) || known == now;
        let news = relations.iter().filter(|(key, now)| !old.relations.get(*key).is_some_and(|known| same(known, now)));
        let gone = old.relations.iter().filter(|(key, _)| !relations.contains_key(*key));
        let keys = rowid_keys.symmetric_difference(&old.rowid_keys);
        let used = uses.iter().filter(|(view, of)| old.uses.get(*view) != Some(*of));
        let unused = old.uses.keys().filter(|view| !uses.contains_key(*view));
        Change {
            next_oid: *next_oid,
            types: types.clone(),
            extensions: extensions.clone(),
            rights: rights.change_from(&old.rights),
            schemas: schemas.clone(),
            gone: gone.map(|(_, relation)| relation.oid).collect(),
            relations: news.map(|(_, relation)| Relation::clone(relation)).collect(),
            rowid_keys: keys.map(|oid| (*oid, rowid_keys.contains(oid))).collect(),
            uses: used.map(|(view, of)| (*view, of.clone())).chain(unused.map(|v| (*v, BTreeSet::new()))).collect(),
        }
    }

    /// This catalog after a change, under the same version.
    pub fn with(&self, change: &Change) -> Catalog {
        let mut catalog = self.clone();
        catalog.next_oid = change.next_oid;
        catalog.schemas.clone_from(&change.schemas);
        catalog.types.clone_from(&change.types);
        catalog.extensions.clone_from(&change.extensions);
        catalog.rights.apply(&change.rights);
        change.gone.iter().for_each(|oid| catalog.remove_oid(*oid));
        // One may have taken another's name.
        change.relations.iter().for_each(|relation| catalog.remove_oid(relation.oid));
        change.relations.iter().for_each(|relation| catalog.insert(relation.clone()));
        for (oid, is_one) in &change.rowid_keys {
            if *is_one {
                catalog.rowid_keys.insert(*oid)
            } else {
                catalog.rowid_keys.remove(oid)
            };
        }
        for (view, of) in &change.uses {
            if of.is_empty() {
                catalog.uses.remove(view)
            } else {
                catalog.uses.insert(*view, of.clone())
            };
        }
        catalog
    }

    /// Forgets a relation, if it is known.
    pub(super) fn remove_oid(&mut self, oid: u32) {
        if let Some((schema, name)) = self.oids.get(&oid).cloned()
            && self.relations.get(&(schema.clone(), name.clone())).is_some_and(|relation| relation.oid == oid)
        {
            self.remove(&schema, &name);
        }
    }

    /// Forgets relations, and what belongs to them.
    pub(super) fn forget(&mut self, oids: &BTreeSet<u32>) {
        for oid in oids {
            let known = self.by_known_oid(*oid);
            known.iter().flat_map(|r| &r.indexes).for_each(|index| _ = self.rowid_keys.remove(&index.oid));
            self.rowid_keys.remove(oid);
            self.uses.remove(oid);
            self.rights.forget(*oid);
            self.remove_oid(*oid);
        }
    }

    /// The relations to be read again with these: an index is described with its table.
    pub(super) fn with_tables_of_indexes(&self, oids: &BTreeSet<u32>) -> BTreeSet<u32> {
        let table = |oid: &u32| match self.by_known_oid(*oid)?.kind {
            RelationKind::Index { table } => Some(table),
            _ => None,
        };
        oids.iter().copied().chain(oids.iter().filter_map(table)).collect()
    }

    pub(super) fn by_known_oid(&self, oid: u32) -> Option<Arc<Relation>> {
        self.relations.get(self.oids.get(&oid)?).cloned()
    }

    /// Whether two catalogs say the same, their versions left aside.
    pub fn says_the_same_as(&self, other: &Catalog) -> bool {
        let Catalog { version: _, next_oid, schemas, relations, rowid_keys, uses, types, extensions, rights, oids } =
            self;
        (next_oid, schemas, relations, rowid_keys, uses, types, extensions, rights, oids)
            == (
                &other.next_oid,
                &other.schemas,
                &other.relations,
                &other.rowid_keys,
                &other.uses,
                &other.types,
                &other.extensions,
                &other.rights,
                &other.oids,
            )
    }
}
