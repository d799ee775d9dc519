//! CREATE INDEX CONCURRENTLY: an index that is built in slices, between which others write.
//!
//! The definition makes an index that is empty and not valid ([`begin`]): nothing relies on it, and what is written from then on
//! goes into it as far as it has come. A session then asks for one slice after the other ([`Part`]), each a command of its
//! own, and at last for it to be valid. If it does not come to that (a key is there twice, the session ends), the
//! index stays as it is, until it is dropped: as in PostgreSQL. How a slice works is told in `engine::online`.
//!
//! Left out: indexes of temporary tables, those that are no B-tree here, and `UNIQUE NULLS NOT DISTINCT` (two indexes in SQLite): they are
//! made at once.

use super::table::repeated;
use super::work::{Keys, Work};
use crate::command::{Shape, Slice, Statement, Yields};
use crate::error::{SqlError, SqlResult, state};
use crate::sql::catalog::{Catalog, Index, Relation, is_temporary, sqlite_name};
use crate::sql::plan::Tag;
use crate::version::Feature;
use std::sync::Arc;

/// One part of the work, by the index's OID.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Takes up to `rows` rows of those up to rowid `from`. See [`Slice`] for what it yields.
    Slice { from: i64, rows: u64 },
    /// It is whole: from now on it is relied on.
    Finish,
}

/// Whether an index can be built like this.
pub fn can_be(work: &Work<'_>, table: &Relation, index: &Index) -> SqlResult<bool> {
    Ok(Feature::OnlineIndex.is_in(work.version())
        && !is_temporary(&table.schema)
        && !(index.unique && index.nulls_equal)
        && work.physical_keys(table, index)?.is_some())
}

/// Makes an index of which nothing is there yet. Yields where to begin.
pub fn begin(work: &mut Work<'_>, table: &Relation, index: &Index) -> SqlResult<()> {
    let statement = statement(work, table, index, None, 0)?;
    work.begins = Some(index.oid);
    work.define(statement);
    Ok(())
}

/// Does a part of the work.
pub fn run(work: &mut Work<'_>, index: u32, part: Part) -> SqlResult<Tag> {
    let (table, found) = find(&work.catalog, index)?;
    match part {
        Part::Slice { from, rows } => {
            let slice = statement(work, &table, &found, Some(from), rows)?;
            work.add(vec![slice]);
        }
        Part::Finish => {
            let mut new = Relation::clone(&table);
            new.indexes.iter_mut().filter(|i| i.oid == index).for_each(|i| i.valid = true);
            work.update(&table, new);
        }
    }
    Ok(Tag::Plain("CREATE INDEX"))
}

fn find(catalog: &Catalog, index: u32) -> SqlResult<(Arc<Relation>, Index)> {
    let of = |table: &Arc<Relation>| Some((Arc::clone(table), table.indexes.iter().find(|i| i.oid == index)?.clone()));
    let gone = || SqlError::new(state::UNDEFINED_OBJECT, "the index was dropped while it was being built");
    catalog.relations.values().find_map(of).ok_or_else(gone)
}

fn statement(work: &Work<'_>, table: &Relation, index: &Index, from: Option<i64>, rows: u64) -> SqlResult<Statement> {
    let keys = work.physical_keys(table, index)?;
    let keys = keys.ok_or_else(|| SqlError::internal("an index that SQLite does not have"))?;
    let physical = sqlite_name(&table.schema, &table.name);
    let sql = keys.create(table, index, &physical);
    let Keys { terms, predicate } = keys;
    let slice = Slice {
        index: sqlite_name(&table.schema, &index.name),
        table: physical,
        rowid: table.rowid_name().to_owned(),
        terms: terms.into_iter().map(|key| key.term).collect(),
        predicate,
        repeated: index.unique.then(|| repeated(&work.scope(), table, index).columns()),
        from,
        rows,
    };
    Ok(Statement { shape: Shape::Slice(Box::new(slice)), ..Statement::new(sql, Yields::Rows) })
}
