//! Materialized views: the rows of a query in a table that only REFRESH writes.
//!
//! What is in the log is the query, as with CREATE TABLE AS: every replica computes the rows at the same place of the log. The
//! query runs with the rights of the view's owner. Until it is filled for the first time nobody may read it, which is known
//! when a statement is compiled.

use super::grammar::CreateMaterialized;
use super::rows::literal;
use super::storage;
use super::table::{is_free, push_columns};
use super::work::Work;
use crate::command::{Statement, Yields};
use crate::error::{SqlError, SqlResult, state};
use crate::sql::Scope;
use crate::sql::bind::Binder;
use crate::sql::catalog::{Object, Relation, RelationKind, is_temporary, quote, sqlite_name};
use crate::sql::cursor::Name;
use crate::sql::plan::Tag;
use crate::sql::{parse, view};

pub fn create(work: &mut Work<'_>, def: &CreateMaterialized) -> SqlResult<Tag> {
    const TAG: &str = "CREATE MATERIALIZED VIEW";
    let schema = work.creation_schema(&def.name, false)?;
    if !is_free(work, &schema, &def.name.name, def.if_not_exists)? {
        return Ok(Tag::Plain(TAG));
    }
    let view = view::define(&work.scope(), view::Sort::Materialized, &def.columns, &def.query)?;
    let is_temporary = |oid: &u32| work.catalog.by_oid(*oid).is_some_and(|r| is_temporary(&r.schema));
    if view.uses.iter().any(is_temporary) {
        let message = "materialized views must not use temporary tables or views";
        return Err(SqlError::new(state::FEATURE_NOT_SUPPORTED, message));
    }
    let kind = RelationKind::Materialized { definition: view.definition.clone(), populated: def.with_data };
    let oid = work.oid();
    let mut relation = Relation::new(oid, kind, schema, def.name.name.clone());
    push_columns(&mut relation, &view.columns)?;
    relation.options = storage::of_table(&[], &def.storage)?;
    // As whoever makes it, who is the owner.
    let rows = if def.with_data { Some(rows(work, &view.definition, None)?) } else { None };
    work.create_physical(&relation, &sqlite_name(&relation.schema, &relation.name))?;
    work.sql(format!("INSERT INTO \"_quorate_view\"(oid, definition) VALUES ({oid}, {})", literal(&view.definition)));
    work.create(relation.clone())?;
    work.note_needs(oid, &view.needs);
    let Some(rows) = rows else { return Ok(Tag::Plain(TAG)) };
    work.add(vec![Statement::new(fill(&relation, &rows), Yields::Count)]);
    Ok(Tag::Counted("SELECT"))
}

pub fn refresh(work: &mut Work<'_>, name: &Name, concurrently: bool, with_data: bool) -> SqlResult<&'static str> {
    let found = work.relation(name)?;
    let RelationKind::Materialized { definition, populated } = &found.kind else {
        return Err(match found.kind {
            RelationKind::Table => {
                SqlError::new(state::FEATURE_NOT_SUPPORTED, format!("\"{}\" is not a materialized view", found.name))
            }
            _ => SqlError::new(
                state::WRONG_OBJECT_TYPE,
                format!("\"{}\" is not a table or materialized view", found.name),
            ),
        });
    };
    work.check_owner(&found)?;
    if concurrently && !populated {
        let message = "CONCURRENTLY cannot be used when the materialized view is not populated";
        return Err(SqlError::new(state::FEATURE_NOT_SUPPORTED, message));
    }
    if concurrently && !with_data {
        return Err(SqlError::syntax("CONCURRENTLY and WITH NO DATA options cannot be used together"));
    }
    let whole =
        |index: &&crate::sql::catalog::Index| index.is_total_key() && index.keys.iter().all(|key| key.column.is_some());
    if concurrently && !found.indexes.iter().any(|index| whole(&index)) {
        let name = match work.shown(&found) {
            shown if shown.contains('.') => shown,
            shown => format!("{}.{shown}", found.schema),
        };
        let message = format!("cannot refresh materialized view \"{name}\" concurrently");
        return Err(SqlError::new(state::OBJECT_NOT_IN_PREREQUISITE_STATE, message)
            .hint("Create a unique index with no WHERE clause on one or more columns of the materialized view."));
    }
    let rows = if with_data { Some(rows(work, definition, Some(found.oid))?) } else { None };
    work.data(format!("DELETE FROM {}", quote(&sqlite_name(&found.schema, &found.name))));
    if let Some(rows) = rows {
        work.data(fill(&found, &rows));
    }
    if *populated != with_data {
        let kind = RelationKind::Materialized { definition: definition.clone(), populated: with_data };
        work.update(&found, Relation { kind, ..found.clone() });
    }
    Ok("REFRESH MATERIALIZED VIEW")
}

fn fill(view: &Relation, rows: &str) -> String {
    let columns: Vec<String> = view.columns.iter().map(|c| quote(&c.name)).collect();
    let place = quote(&sqlite_name(&view.schema, &view.name));
    match columns.is_empty() {
        true => format!("INSERT INTO {place} {rows}"),
        false => format!("INSERT INTO {place}({}) {rows}", columns.join(", ")),
    }
}

/// The query of a view that there is, or is being made, as SQLite has it.
fn rows(work: &mut Work<'_>, definition: &str, view: Option<u32>) -> SqlResult<String> {
    let sqlparser::ast::Statement::Query(query) = *parse::parse_query(definition, work.scope().allowance)? else {
        return Err(SqlError::unsupported("a materialized view of a statement that is not a query"));
    };
    let bound = {
        let scope = work.scope();
        let owner = view.map(|oid| scope.catalog.rights.owner(Object::relation(oid)));
        let owner = owner.and_then(|oid| scope.catalog.rights.roles.get(oid)).map(|role| role.name.clone());
        let scope = Scope { user: owner.as_deref().unwrap_or(scope.user), ..scope.clone() };
        Binder::new(&scope).stored_query(&query)?
    };
    work.effort = work.effort.max(bound.effort);
    work.facts.get_mut().add(&bound.facts);
    Ok(bound.sql)
}
