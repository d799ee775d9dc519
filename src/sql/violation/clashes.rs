//! Which key of a DEFERRABLE constraint is there twice: asked of the notes that its triggers keep (`ddl::clashes`).

use super::{Ask, shown};
use crate::error::{SqlError, state};
use crate::sql::bind::index_column_of;
use crate::sql::catalog::{Catalog, Column, Constraint, Relation, quote, sqlite_name};
use crate::sql::lex::quote_identifier;
use crate::types::Env;

/// SQLite's name of the table with the keys of an index that are there twice.
pub fn notes_of(index: u32) -> String {
    format!("quorate.clash.{index}")
}

/// All constraints whose keys may be there twice for a while, in the order in which they are checked.
pub fn keys(catalog: &Catalog) -> impl Iterator<Item = (&Relation, &Constraint)> {
    let all = catalog.relations.values().flat_map(|r| r.constraints.iter().map(move |c| (&**r, c)));
    let mut found: Vec<_> = all.filter(|(_, c)| c.deferrable && c.index().is_some()).collect();
    found.sort_by_key(|(_, c)| c.oid);
    found.into_iter()
}

/// How two keys are the same, term by term; `terms` gives both of one column, with its place from 1.
pub fn same(columns: &[&Column], nulls_equal: bool, terms: &dyn Fn(usize, &Column) -> (String, String)) -> String {
    let word = if nulls_equal { "IS" } else { "=" };
    let term = |(i, column): (usize, &&Column)| {
        let (one, other) = terms(i, column);
        format!("{one} {word} {other}")
    };
    (1..).zip(columns).map(term).collect::<Vec<_>>().join(" AND ")
}

/// The error of the first key that is there twice, of the constraints with these OIDs.
pub fn find(catalog: &Catalog, only: Option<&[u32]>, env: &Env, ask: Ask<'_>) -> Option<SqlError> {
    let counts = |(_, c): &(&Relation, &Constraint)| only.is_none_or(|only| only.contains(&c.oid));
    keys(catalog).filter(counts).find_map(|(relation, constraint)| {
        let index = relation.indexes.iter().find(|i| constraint.index() == Some(i.oid))?;
        let columns: Vec<&Column> = constraint.columns.iter().filter_map(|n| relation.column_at(*n)).collect();
        let names: Vec<String> = columns.iter().map(|c| format!("c.{}", quote(&c.name))).collect();
        let terms = |i: usize, column: &Column| (format!("n.k{i}"), index_column_of(Some("c"), column));
        let sql = format!(
            "SELECT {} FROM {} n JOIN {} c ON {} WHERE n.never = 0 ORDER BY n.id, c.{} DESC LIMIT 1",
            names.join(", "),
            quote(&notes_of(index.oid)),
            quote(&sqlite_name(&relation.schema, &relation.name)),
            same(&columns, index.nulls_equal, &terms),
            relation.rowid_name(),
        );
        let values = ask(&sql, Some(&[])).ok()??;
        let message = format!("duplicate key value violates unique constraint \"{}\"", constraint.name);
        let error = SqlError::new(state::UNIQUE_VIOLATION, message)
            .table(&relation.schema, &relation.name)
            .constraint(&constraint.name);
        let names: Vec<String> = columns.iter().map(|c| quote_identifier(&c.name)).collect();
        let shown = columns.iter().zip(&values).map(|(column, value)| shown(catalog, column, value, env));
        Some(match shown.collect::<Option<Vec<String>>>() {
            Some(values) => error.detail(format!("Key ({})=({}) already exists.", names.join(", "), values.join(", "))),
            None => error,
        })
    })
}
