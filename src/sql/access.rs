//! What a statement needs of the objects that it names, and whether the role in whose name it runs may do that.
//!
//! The binder notes each relation that a statement reads or changes, by the number of its FROM item, with the role whose
//! rights count: the current one, or inside of a view the view's owner. One walk over the trees adds the columns. When all
//! is bound, [`Needs::check`] decides; what is compiled may be run. A plan holds only under the version of the catalog under
//! which it was compiled, and that rises with every GRANT and REVOKE: so a right that is gone is gone for prepared plans
//! and for writes on their way into the log, too.
//!
//! PREPARE and Parse are refused as well, where PostgreSQL refuses only to execute.

use super::Scope;
use super::catalog::{Catalog, Object, Relation, RelationKind};
use super::ir::{Column, Node, Part, Typed};
use super::plan::LockMode;
use crate::error::{SqlError, SqlResult, state};
use crate::rights::{self, BOOTSTRAP, INSERT, Kind, Mode, SELECT, UPDATE, USAGE};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A role that reads what Quorate tells of itself.
const MONITOR: u32 = 3373;

/// Catalogs with secrets in them, which PostgreSQL lets nobody read but superusers.
const SECRET: [&str; 14] = [
    "pg_authid",
    "pg_shadow",
    "pg_statistic",
    "pg_statistic_ext_data",
    "pg_largeobject",
    "pg_user_mapping",
    "pg_subscription",
    "pg_hba_file_rules",
    "pg_ident_file_mappings",
    "pg_file_settings",
    "pg_config",
    "pg_backend_memory_contexts",
    "pg_shmem_allocations",
    "pg_replication_origin_status",
];

/// What is done with a relation, and in whose name.
#[derive(Clone, Debug)]
pub struct Need {
    relation: Arc<Relation>,
    role: u32,
    rights: Mode,
    /// Columns that are read, given to new rows, and changed; −1 stands for those that every table has.
    selected: BTreeSet<i16>,
    inserted: BTreeSet<i16>,
    updated: BTreeSet<i16>,
}

/// Columns of a view, each with what it is below.
type Passed = Vec<(i16, i16)>;

/// What a statement needs.
#[derive(Clone, Debug, Default)]
pub struct Needs {
    relations: BTreeMap<usize, Need>,
    /// FROM items whose columns count as those of others.
    others: BTreeMap<usize, usize>,
    /// Needs that are to be read if those before them are: what is below a view that is written through.
    below: Vec<(usize, usize, Vec<i16>)>,
    /// Columns of views that are written through, and those below them that they are.
    passed: Vec<(usize, usize, Passed)>,
    /// What the queries of views read, by the views' FROM items.
    inside: Vec<(usize, std::ops::Range<usize>)>,
    /// Sequences, any of some rights on each.
    sequences: Vec<(Arc<Relation>, Mode)>,
}

/// The role in whose name a statement runs. Errors: 28000 if it is gone.
pub fn current_role(scope: &Scope<'_>) -> SqlResult<u32> {
    let role = scope.catalog.rights.roles.named(scope.user).map(|role| role.oid);
    role.ok_or_else(|| {
        let message = format!("role \"{}\" does not exist", scope.user);
        SqlError::new(state::INVALID_AUTHORIZATION_SPECIFICATION, message)
    })
}

impl Needs {
    /// A FROM item of this number is read, or changed; `owner`: of the view in which it stands.
    pub fn add(&mut self, range: usize, relation: &Arc<Relation>, owner: Option<u32>, scope: &Scope<'_>, rights: Mode) {
        let current = || scope.catalog.rights.roles.named(scope.user).map_or(0, |role| role.oid);
        let role = owner.unwrap_or_else(current);
        let (selected, inserted, updated) = Default::default();
        let need = Need { relation: Arc::clone(relation), role, rights, selected, inserted, updated };
        self.relations.insert(range, need);
    }

    /// The columns of one FROM item count as those of another.
    pub fn stands_for(&mut self, range: usize, other: usize) {
        self.others.insert(range, other);
    }

    /// Whoever reads the first, a view, reads these columns of the second, which it shows. Of several views above each other,
    /// the innermost comes first.
    pub fn read_with(&mut self, range: usize, below: usize, columns: Vec<i16>) {
        self.below.push((range, below, columns));
    }

    /// Whoever writes columns of the first, a view, writes columns of the second.
    pub fn written_with(&mut self, range: usize, below: usize, columns: Passed) {
        self.passed.push((range, below, columns));
    }

    /// Columns are given values, also below the views that show them.
    pub fn written(&mut self, range: usize, right: Mode, columns: &[i16]) {
        self.also(range, right, columns.iter().copied());
        let below = self.passed.iter().filter(|(above, ..)| *above == range).map(|(_, below, passed)| {
            let own = passed.iter().filter(|(column, _)| columns.contains(column)).map(|(_, own)| *own);
            (*below, own.collect::<Vec<i16>>())
        });
        for (below, columns) in below.collect::<Vec<_>>() {
            self.written(below, right, &columns);
        }
    }

    /// The query of a view, a FROM item, has FROM items of these numbers.
    pub fn read_inside(&mut self, range: usize, inside: std::ops::Range<usize>) {
        self.inside.push((range, inside));
    }

    /// Rows are locked, also those of which a view is made.
    pub fn locked(&mut self, range: usize) {
        self.also(range, UPDATE, []);
        let inside: Vec<_> = self.inside.iter().filter(|(view, _)| *view == range).map(|(_, i)| i.clone()).collect();
        for inside in inside {
            let lockable = |need: &&mut Need| !matches!(need.relation.kind, RelationKind::System);
            self.relations
                .range_mut(inside)
                .map(|(_, need)| need)
                .filter(lockable)
                .for_each(|need| need.rights |= UPDATE);
        }
    }

    /// Something more is done with the FROM item of this number.
    pub fn also(&mut self, range: usize, right: Mode, columns: impl IntoIterator<Item = i16>) {
        let Some(need) = self.relations.get_mut(&range) else { return };
        need.rights |= right;
        let known = match right {
            INSERT => &mut need.inserted,
            UPDATE => &mut need.updated,
            _ => &mut need.selected,
        };
        known.extend(columns);
    }

    /// Any of these rights on a sequence.
    pub fn sequence(&mut self, relation: &Arc<Relation>, any_of: Mode) {
        self.sequences.push((Arc::clone(relation), any_of));
    }

    /// The columns that a part of a statement reads.
    pub fn note(&mut self, part: Part<'_>) {
        if let Part::Expr(Typed { node: Node::Column(Column { range, attnum, .. }), .. }) = part
            && *attnum != 0
        {
            let range = self.others.get(range).unwrap_or(range);
            self.also(*range, SELECT, [*attnum]);
        }
    }

    /// Errors: 42501.
    pub fn check(&self, scope: &Scope<'_>) -> SqlResult<()> {
        let catalog = scope.catalog;
        let role = current_role(scope)?;
        if self.below.is_empty() {
            self.relations.values().try_for_each(|need| need.check(catalog))?;
        } else {
            self.check_through_views(catalog)?;
        }
        for (sequence, any_of) in &self.sequences {
            any(catalog, role, sequence, *any_of)?;
        }
        Ok(())
    }

    /// As what a view shows is read below it too.
    fn check_through_views(&self, catalog: &Catalog) -> SqlResult<()> {
        let mut relations = self.relations.clone();
        for (above, below, columns) in self.below.iter().rev() {
            if relations.get(above).is_some_and(|need| need.rights & SELECT != 0)
                && let Some(need) = relations.get_mut(below)
            {
                need.rights |= SELECT;
                need.selected.extend(columns);
            }
        }
        // A view before what is below it.
        let below = self.below.iter().rev().map(|(_, below, _)| *below);
        let first = relations.keys().copied().filter(|range| below.clone().all(|below| below != *range));
        first.chain(below.clone()).filter_map(|range| relations.get(&range)).try_for_each(|need| need.check(catalog))
    }
}

impl Need {
    fn check(&self, catalog: &Catalog) -> SqlResult<()> {
        let (rights, object) = (&catalog.rights, Object::relation(self.relation.oid));
        let lacking = self.rights & !held(catalog, self.role, &self.relation, self.rights);
        if lacking == 0 {
            return Ok(());
        }
        let on = |column: i16, right| rights.held_on_column(self.role, object, column, right) == right;
        let by_columns = |right: Mode, columns: &BTreeSet<i16>| match columns.is_empty() {
            true => self.relation.columns.iter().any(|c| on(c.attnum, right)),
            false => columns.iter().all(|column| *column > 0 && on(*column, right)),
        };
        let allowed = !matches!(self.relation.kind, RelationKind::System)
            && lacking & !(SELECT | INSERT | UPDATE) == 0
            && (lacking & SELECT == 0 || by_columns(SELECT, &self.selected))
            && (lacking & INSERT == 0 || by_columns(INSERT, &self.inserted))
            && (lacking & UPDATE == 0 || by_columns(UPDATE, &self.updated));
        if allowed { Ok(()) } else { Err(denied(&self.relation)) }
    }
}

/// The rights of `asked` that a role has on a relation as a whole.
pub fn held(catalog: &Catalog, role: u32, relation: &Relation, asked: Mode) -> Mode {
    let rights = &catalog.rights;
    if rights.roles.is_superuser(role) {
        return asked;
    }
    match &relation.kind {
        RelationKind::System if relation.schema == "quorate" => {
            if rights.roles.has_rights_of(role, MONITOR) {
                asked & SELECT
            } else {
                0
            }
        }
        RelationKind::System if SECRET.contains(&relation.name.as_str()) => 0,
        RelationKind::System => asked & SELECT,
        RelationKind::Sequence(_) => rights.held(role, Kind::Sequence, Object::relation(relation.oid), asked),
        _ => rights.held(role, Kind::Relation, Object::relation(relation.oid), asked),
    }
}

/// Errors: 42501 unless the role has one of these rights on the relation.
pub fn any(catalog: &Catalog, role: u32, relation: &Relation, rights: Mode) -> SqlResult<()> {
    if held(catalog, role, relation, rights) == 0 { Err(denied(relation)) } else { Ok(()) }
}

/// Whether a role may read a table, or at least these columns of it.
pub fn may_read(catalog: &Catalog, role: &str, relation: &Relation, columns: Option<&[i16]>) -> bool {
    let Some(role) = catalog.rights.roles.named(role).map(|role| role.oid) else { return false };
    let object = Object::relation(relation.oid);
    let reads = |column: &i16| catalog.rights.held_on_column(role, object, *column, SELECT) != 0;
    held(catalog, role, relation, SELECT) != 0
        || columns.is_some_and(|columns| !columns.is_empty() && columns.iter().all(reads))
}

/// What messages call a relation.
pub fn noun(relation: &Relation) -> &'static str {
    match relation.kind {
        RelationKind::View { .. } => "view",
        RelationKind::Materialized { .. } => "materialized view",
        RelationKind::Sequence(_) => "sequence",
        RelationKind::Index { .. } => "index",
        RelationKind::System if matches!(relation.source, super::catalog::Source::View(_)) => "view",
        _ => "table",
    }
}

fn denied(relation: &Relation) -> SqlError {
    no_right(noun(relation), &relation.name)
}

/// `permission denied for …`
pub fn no_right(noun: &str, name: &str) -> SqlError {
    SqlError::new(state::INSUFFICIENT_PRIVILEGE, format!("permission denied for {noun} {name}"))
}

/// `must be owner of …`
pub fn not_owner(noun: &str, name: &str) -> SqlError {
    SqlError::new(state::INSUFFICIENT_PRIVILEGE, format!("must be owner of {noun} {name}"))
}

/// Errors: 42501 without this right on the schema. Of one that does not exist, others tell.
pub fn schema(scope: &Scope<'_>, name: &str, right: Mode) -> SqlResult<()> {
    let Some(oid) = scope.catalog.schemas.get(name).filter(|_| name != scope.temporary.schema) else { return Ok(()) };
    let held = scope.catalog.rights.held(current_role(scope)?, Kind::Schema, Object::schema(*oid), right);
    if held == right { Ok(()) } else { Err(no_right("schema", name)) }
}

/// The schemas of the search path that the role may use; `None` if it may use all.
pub fn visible(scope: &Scope<'_>) -> SqlResult<Option<Vec<String>>> {
    let role = current_role(scope)?;
    let rights = &scope.catalog.rights;
    if rights.roles.is_superuser(role) {
        return Ok(None);
    }
    let may = |name: &String| {
        let oid = scope.catalog.schemas.get(name);
        // Temporary objects are their session's, in whoever's name.
        let own = *name == scope.temporary.schema;
        own || oid.is_none_or(|oid| rights.held(role, Kind::Schema, Object::schema(*oid), USAGE) != 0)
    };
    Ok(Some(scope.search_path.iter().filter(|name| may(name)).cloned().collect()))
}

/// LOCK TABLE. Errors: 42501.
pub fn lock(scope: &Scope<'_>, relation: &Relation, mode: LockMode) -> SqlResult<()> {
    let rights = match mode {
        LockMode::AccessShare => SELECT,
        LockMode::RowExclusive => INSERT | UPDATE | rights::DELETE | rights::TRUNCATE,
        _ => UPDATE | rights::DELETE | rights::TRUNCATE,
    };
    any(scope.catalog, current_role(scope)?, relation, rights)
}

/// Why VACUUM or ANALYZE, whose verb this is, leaves a relation out, as its warning says it; `None` if it does not.
pub fn left_out(catalog: &Catalog, role: u32, relation: &Relation, verb: &str) -> Option<String> {
    const SHARED: [&str; 8] = [
        "pg_auth_members",
        "pg_authid",
        "pg_database",
        "pg_db_role_setting",
        "pg_parameter_acl",
        "pg_shdepend",
        "pg_shdescription",
        "pg_tablespace",
    ];
    let owns = |object| catalog.rights.owns(role, object);
    let system = matches!(relation.kind, RelationKind::System);
    let shared = system && SHARED.contains(&&*relation.name);
    let name = &relation.name;
    if !owns(Object::relation(relation.oid)) && (shared || !owns(Object::DATABASE)) {
        let who = match (system, shared) {
            (_, true) => "superuser",
            (true, _) => "superuser or database owner",
            _ => "table or database owner",
        };
        return Some(format!("skipping \"{name}\" --- only {who} can {verb} it"));
    }
    let reason = format!("skipping \"{name}\" --- cannot {verb} non-tables or special system tables");
    (!system && !relation.kind.is_stored()).then_some(reason)
}

/// The owner of a view, in whose name its query runs.
pub fn owner(catalog: &Catalog, relation: u32) -> u32 {
    match catalog.by_oid(relation).map(|r| &r.kind) {
        Some(RelationKind::System) => BOOTSTRAP,
        _ => catalog.rights.owner(Object::relation(relation)),
    }
}
