//! Which rows a query locks (FOR UPDATE and its kin), and where they are told.
//!
//! A query tells the rowids of the rows that it locks as columns that nobody sees. Those of tables within a view or a subquery in
//! FROM are handed out as such columns of that ([`tell`]): so only rows that come through, with all conditions around, are
//! locked, as in PostgreSQL.

use super::Binder;
use super::names::parts;
use crate::error::{SqlError, SqlResult, state};
use crate::sql::catalog::{Catalog, Relation, RelationKind};
use crate::sql::ir::{Body, FromItem, Hidden, Lock, Query as Tree, Side};
use crate::sql::parse::locked_names;
use crate::sql::plan::{LockStrength, LockWait};
use sqlparser::ast::{LockClause, LockType, NonBlock};
use std::sync::Arc;

/// The names of columns that nobody sees.
const TOLD: [&str; 16] = [
    "\"h1\"", "\"h2\"", "\"h3\"", "\"h4\"", "\"h5\"", "\"h6\"", "\"h7\"", "\"h8\"", "\"h9\"", "\"h10\"", "\"h11\"",
    "\"h12\"", "\"h13\"", "\"h14\"", "\"h15\"", "\"h16\"",
];

impl Binder<'_> {
    /// What a SELECT locks. `grouped`: why its rows are none of tables.
    pub(super) fn row_lock(
        &mut self,
        locks: &[LockClause],
        grouped: Option<&str>,
        from: &mut [FromItem],
    ) -> SqlResult<Option<Lock>> {
        if locks.is_empty() {
            return Ok(None);
        }
        if let Some(what) = grouped {
            let text = format!("{} is not allowed with {what}", strength_of(&locks[0])?.clause());
            return Err(SqlError::new(state::FEATURE_NOT_SUPPORTED, text));
        }
        let (weakest, wait) = (LockStrength::KeyShare, LockWait::Wait);
        let mut lock = Lock { strength: weakest, wait, tables: vec![] };
        for clause in locks {
            let (marked, wanted) = locked_names(clause.of.as_ref().map(parts).transpose()?.unwrap_or_default());
            let strength = marked.unwrap_or(plain_strength(clause));
            lock.strength = lock.strength.max(strength);
            match clause.nonblock {
                None => {}
                Some(NonBlock::Nowait) => lock.wait = LockWait::NoWait,
                Some(NonBlock::SkipLocked) => lock.wait = LockWait::SkipLocked,
            }
            let level = self.level();
            let here = &level.names.ranges;
            if let Some(name) = wanted.iter().flatten().find(|name| !here.iter().any(|range| range.alias == **name)) {
                let text = format!("relation \"{name}\" in {} clause not found in FROM clause", strength.clause());
                return Err(SqlError::new(state::UNDEFINED_TABLE, text));
            }
            let padded: Vec<usize> = from.iter().flat_map(|item| padded(item, false)).collect();
            let hits = here.iter().filter(|range| wanted.as_ref().is_none_or(|names| names.contains(&range.alias)));
            let relations: Vec<(usize, Option<Arc<Relation>>)> = hits.map(|r| (r.id, r.relation.clone())).collect();
            for (range, relation) in relations {
                self.needs.locked(range);
                if let Some(view) = relation.as_ref().filter(|r| matches!(r.kind, RelationKind::Materialized { .. })) {
                    let text = format!("cannot lock rows in materialized view \"{}\"", view.name);
                    return Err(SqlError::new(state::WRONG_OBJECT_TYPE, text));
                }
                if lock.tables.iter().any(|(_, known, _)| *known == range) {
                    continue;
                }
                let before = lock.tables.len();
                match relation.filter(|r| r.kind == RelationKind::Table) {
                    Some(relation) => lock.tables.push((relation.oid, range, relation.rowid_name())),
                    None => {
                        if let Some(item) = from.iter_mut().find_map(|item| item_of(item, range)) {
                            let told = tell_query(item, self.scope.catalog, strength)?;
                            lock.tables.extend(told.into_iter().zip(TOLD).map(|(oid, name)| (oid, range, name)));
                        }
                    }
                }
                if lock.tables.len() > before && padded.contains(&range) {
                    return Err(may_be_absent(strength));
                }
            }
        }
        Ok(Some(lock))
    }
}

/// The query in FROM that has this number.
fn item_of(item: &mut FromItem, number: usize) -> Option<&mut FromItem> {
    match item {
        FromItem::Query { range, .. } | FromItem::Lateral { range, .. } => (*range == number).then_some(item),
        FromItem::Nested(inner) => item_of(inner, number),
        FromItem::Join { left, right, .. } => item_of(left, number).or_else(|| item_of(right, number)),
        _ => None,
    }
}

/// The FROM items of which rows may be missing in the result. `inner`: of this item they may.
fn padded(item: &FromItem, inner: bool) -> Vec<usize> {
    match item {
        FromItem::Join { left, right, side, .. } => {
            let of_left = padded(left, inner || matches!(side, Side::Right | Side::Full));
            let of_right = padded(right, inner || matches!(side, Side::Left | Side::Full));
            [of_left, of_right].concat()
        }
        FromItem::Nested(nested) => padded(nested, inner),
        FromItem::Table { range, .. } | FromItem::Query { range, .. } | FromItem::Lateral { range, .. } if inner => {
            vec![*range]
        }
        _ => Vec::new(),
    }
}

fn may_be_absent(strength: LockStrength) -> SqlError {
    let clause = strength.clause();
    let message = format!("{clause} cannot be applied to the nullable side of an outer join");
    SqlError::new(state::FEATURE_NOT_SUPPORTED, message)
}

/// As [`tell`], of a query in FROM.
fn tell_query(item: &mut FromItem, catalog: &Catalog, strength: LockStrength) -> SqlResult<Vec<u32>> {
    match item {
        FromItem::Query { query, .. } => tell(query, catalog, strength),
        // Its rows are values by the time that they are here.
        FromItem::Lateral { query, .. } => match &tell(query, catalog, strength)?[..] {
            [] => Ok(Vec::new()),
            _ => Err(refused("LATERAL")),
        },
        _ => Ok(Vec::new()),
    }
}

fn refused(what: &str) -> SqlError {
    SqlError::unsupported(format!("FOR UPDATE of a view or subquery with {what}"))
        .hint("Name the tables that are to be locked: FOR UPDATE OF table.")
}

/// Lets a query tell the rowids of its tables' rows; the OIDs of the tables, in the order of the columns.
///
/// Error: 0A000, where a row of its result is not made of one row of each table.
fn tell(query: &mut Tree, catalog: &Catalog, strength: LockStrength) -> SqlResult<Vec<u32>> {
    let select = match &mut query.body {
        Body::Select(select) => select,
        Body::Values(_) => return Ok(Vec::new()),
        Body::Set { .. } => return Err(refused("UNION, INTERSECT or EXCEPT")),
        Body::Query(_) => return Err(refused("a query in parentheses")),
    };
    let padded: Vec<usize> = select.from.iter().flat_map(|item| padded(item, false)).collect();
    let mut telling = Telling { catalog, strength, hidden: Vec::new(), told: Vec::new() };
    select.from.iter_mut().try_for_each(|item| telling.item(item))?;
    let Telling { hidden, told, .. } = telling;
    let ranges = hidden.iter().filter_map(|hidden| match hidden {
        Hidden::RowId(range, _) => Some(range),
        Hidden::Inner(_) => None,
    });
    if ranges.clone().any(|range| padded.contains(range)) {
        return Err(may_be_absent(strength));
    }
    select.hidden.extend(hidden);
    let plain = !select.distinct && select.on.is_empty() && select.group.is_empty() && !select.aggregated;
    match () {
        () if told.is_empty() => Ok(told),
        () if !plain || select.having.is_some() => Err(refused("GROUP BY, DISTINCT or aggregates")),
        () if query.lock.is_some() => Err(refused("a lock of its own")),
        () if told.len() > TOLD.len() => Err(refused("so many tables")),
        () => Ok(told),
    }
}

/// What a query is about to tell.
struct Telling<'c> {
    catalog: &'c Catalog,
    strength: LockStrength,
    hidden: Vec<Hidden>,
    told: Vec<u32>,
}

impl Telling<'_> {
    fn item(&mut self, item: &mut FromItem) -> SqlResult<()> {
        match item {
            FromItem::Table { name, range } => {
                let relation = self.catalog.by_table(name).filter(|relation| relation.kind == RelationKind::Table);
                if let Some(relation) = relation {
                    self.hidden.push(Hidden::RowId(*range, relation.rowid_name()));
                    self.told.push(relation.oid);
                }
                Ok(())
            }
            FromItem::Query { range, .. } | FromItem::Lateral { range, .. } => {
                let range = *range;
                for (oid, name) in tell_query(item, self.catalog, self.strength)?.into_iter().zip(TOLD) {
                    self.hidden.push(Hidden::RowId(range, name));
                    self.told.push(oid);
                }
                Ok(())
            }
            FromItem::Join { left, right, .. } => {
                self.item(left)?;
                self.item(right)
            }
            FromItem::Nested(inner) => self.item(inner),
            FromItem::Kept { .. } => {
                Err(SqlError::unsupported("FOR UPDATE of a table that another part of the statement changes"))
            }
            _ => Ok(()),
        }
    }
}

/// What is said of a lock without what goes into the name behind OF.
fn plain_strength(clause: &LockClause) -> LockStrength {
    match clause.lock_type {
        LockType::Share => LockStrength::Share,
        LockType::Update => LockStrength::Update,
    }
}

pub(super) fn strength_of(clause: &LockClause) -> SqlResult<LockStrength> {
    let (marked, _) = locked_names(clause.of.as_ref().map(parts).transpose()?.unwrap_or_default());
    Ok(marked.unwrap_or(plain_strength(clause)))
}
