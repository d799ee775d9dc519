//! What a row has in a unique index, as one value that is equal for equal keys: asked for by whoever locks what only one row may
//! have.

use super::Scope;
use super::bind::{Kept, bind_column_expr, bind_typed_column_expr};
use super::catalog::{Catalog, Index, IndexKey, Relation, Source, quote};
use super::lex::quote_identifier;
use crate::error::{SqlError, SqlResult};
use crate::types::{Env, NO_TYPMOD, Type};

/// Values of these columns are equal when they are the same to SQLite, and every row is in the index: who has the row needs no
/// query.
pub fn plain_columns(relation: &Relation, index: &Index) -> Option<Vec<usize>> {
    let place = |key: &IndexKey| {
        let place = relation.columns.iter().position(|column| Some(column.attnum) == key.column)?;
        let ty = relation.columns[place].ty;
        (ty.collation().is_none() && !ty.has_key()).then_some(place)
    };
    if index.predicate.is_some() { None } else { index.keys.iter().map(place).collect() }
}

/// The query for the row whose rowid is `?1`. It has no row where the index has none, or none that others must differ from.
pub fn of_row(catalog: &Catalog, relation: &Relation, index: &Index) -> SqlResult<String> {
    let env = Env::default();
    let scope = Scope::plain(catalog, &[], &env, "", "");
    let key = |key: &IndexKey| match (&key.expression, key.column.and_then(|attnum| relation.column_at(attnum))) {
        (Some(text), _) => Ok(format!("({text})")),
        (None, Some(column)) => Ok(quote_identifier(&column.name)),
        (None, None) => Err(SqlError::internal("an index key without a column")),
    };
    let keys: Vec<String> = index.keys.iter().map(key).collect::<SqlResult<_>>()?;
    let mut conditions: Vec<String> = index.predicate.iter().map(|text| format!("({text})")).collect();
    if !index.nulls_equal {
        conditions.extend(keys.iter().map(|key| format!("{key} IS NOT NULL")));
    }
    let condition = if conditions.is_empty() { "true".to_owned() } else { conditions.join(" AND ") };
    let counts = bind_column_expr(&scope, Some(relation), &condition, Some((Type::BOOL, NO_TYPMOD)), Kept::Predicate)?;
    let (row, ty, _) = bind_typed_column_expr(&scope, relation, &format!("ROW({})", keys.join(", ")))?;
    let (Some(function), Source::Table(table)) = (ty.key(), &relation.source) else {
        return Err(SqlError::internal("a row without a key"));
    };
    Ok(format!("SELECT {function}({row}) FROM {} WHERE {} = ?1 AND ({counts})", quote(table), relation.rowid_name()))
}
