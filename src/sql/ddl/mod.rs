//! Data definition: statements that change the catalog, as SQLite SQL.
//!
//! A DDL statement is compiled by changing a working copy of the catalog ([`work::Work`]) and noting the SQLite
//! statements that make each change true in the file: SQLite's own DDL, and the rows of `pg_class` and so on that
//! describe the relation before and after ([`rows`]). What the copy is in the end is what `Catalog::load` finds after
//! the statements ran; the tests compare the two.
//!
//! | file | holds |
//! |---|---|
//! | `grammar` | the statements' syntax; expressions stay source text |
//! | `work` | the working copy: names, OIDs, guards, physical tables, rebuilds |
//! | `table` | CREATE, DROP, TRUNCATE, COMMENT |
//! | `materialized` | materialized views |
//! | `online` | indexes that are built while others write |
//! | `alter` | ALTER TABLE and ALTER SEQUENCE |
//! | `types` | types of one's own |
//! | `statistics` | ANALYZE |
//! | `roles` | roles, grants and owners |
//! | `temporary` | what goes with its session |
//! | `absent` | DROP of kinds of objects of which there are none |
//! | `clashes` | keys of DEFERRABLE constraints |
//! | `depend` | what objects rest on, as rows of `pg_depend` |
//! | `schema` | schemas with what is in them from the start |
//! | `rows` | a relation as rows of the system tables, and the difference of two relations as SQL |
//!
//! Storage choices: a primary key of one integer column is the rowid; every other key is a UNIQUE index of its own,
//! so that it can be added and dropped. Those of DEFERRABLE constraints are indexes that are not unique, with triggers. CHECK and FOREIGN KEY constraints carry their OID as name inside SQLite:
//! unique in the database, and renaming is a matter of the catalog only.
//!
//! Left out (0A000): composite and range types, functions, triggers, rules, policies, partitions, inheritance,
//! exclusion constraints, extended statistics, publications.

mod absent;
mod alter;
mod clashes;
mod depend;
mod domains;
pub mod grammar;
mod materialized;
pub mod online;
pub mod roles;
pub mod rows;
mod schema;
mod statistics;
mod storage;
mod table;
pub mod temporary;
#[cfg(test)]
pub(in crate::sql) mod tests;
mod types;
mod work;

pub use grammar::{Ddl, OnCommit, TypeName};

use super::Scope;
use super::bind::fold;
use super::cursor::Name;
use super::plan::{Plan, PlanKind, Tag, WritePlan};
use crate::error::SqlResult;
use crate::types::Type;
use sqlparser::ast::{Expr, Query, Select, SetExpr};

/// Compiles a DDL statement.
pub fn compile(ddl: &Ddl, scope: &Scope<'_>) -> SqlResult<Plan> {
    if let Ddl::CreateSchema { name, owner, elements, .. } = ddl
        && !elements.is_empty()
    {
        return schema::compile(ddl, name.as_deref(), owner.as_ref(), elements, scope);
    }
    finished(scope, |work| table::run(work, ddl))
}

/// Compiles a part of building an index.
pub fn build(index: u32, part: online::Part, scope: &Scope<'_>) -> SqlResult<Plan> {
    finished(scope, |work| online::run(work, index, part))
}

fn finished<'a>(scope: &'a Scope<'a>, run: impl FnOnce(&mut work::Work<'a>) -> SqlResult<Tag>) -> SqlResult<Plan> {
    let mut work = work::Work::new(scope);
    let tag = run(&mut work);
    work.refused.take().map_or(Ok(()), Err)?;
    let tag = tag?;
    work.settle()?;
    let plan = work.finish();
    Ok(Plan {
        params: plan.params,
        columns: Vec::new(),
        schema_version: scope.catalog.version,
        kind: PlanKind::Write(WritePlan {
            copy: None,
            lasting: true,
            ddl: plan.change,
            temporary: plan.temporary,
            on_commit: plan.on_commit,
            effort: plan.effort,
            draws: false,
            lock: None,
            statements: plan.statements,
            facts: plan.facts,
            tag,
            notices: plan.notices,
            alone: plan.alone,
            begins: plan.begins,
        }),
    })
}

/// `SELECT … INTO table`: CREATE TABLE AS the rest of it.
pub fn select_into(query: &Query) -> Option<Ddl> {
    /// What its tree may need to be copied, which is done level by level.
    const COPY: usize = 64 << 20;
    /// Beyond it INTO stays where it is, and is refused there.
    const MOST_OPERATIONS: usize = 1000;
    fn first(mut body: &mut SetExpr) -> Option<&mut Select> {
        loop {
            body = match body {
                SetExpr::Select(select) => return Some(select),
                SetExpr::SetOperation { left, .. } => left,
                SetExpr::Query(query) => &mut query.body,
                _ => return None,
            };
        }
    }
    // Nearly every query comes here, and of those nearly none has it: nothing is copied before that is known.
    let (mut body, mut operations) = (&*query.body, 0);
    let is_there = loop {
        operations += 1;
        body = match body {
            SetExpr::Select(select) => break select.into.is_some(),
            SetExpr::SetOperation { left, .. } => left,
            SetExpr::Query(query) => &query.body,
            _ => break false,
        };
    };
    if !is_there || operations > MOST_OPERATIONS {
        return None;
    }
    let mut query = stacker::grow(COPY, || query.clone());
    let into = first(&mut query.body)?.into.take()?;
    let parts: Vec<String> = match &into.targets[..] {
        [Expr::Identifier(name)] => vec![fold(name)],
        [Expr::CompoundIdentifier(names)] => names.iter().map(fold).collect(),
        _ => return None,
    };
    let mut parts = parts.into_iter().rev();
    let name = Name { name: parts.next()?, schema: parts.next(), position: 0 };
    Some(Ddl::CreateTable(grammar::CreateTable {
        temporary: into.temporary,
        unlogged: into.unlogged,
        on_commit: OnCommit::Preserve,
        name,
        if_not_exists: false,
        columns: Vec::new(),
        constraints: Vec::new(),
        like: Vec::new(),
        query: Some((Vec::new(), query.to_string(), true)),
        storage: Vec::new(),
    }))
}

/// The types of parameters that names mean, without their modifiers: also `void`, which is no column's.
pub fn types_of(names: &[TypeName], scope: &Scope<'_>) -> SqlResult<Vec<Type>> {
    let work = work::Work::new(scope);
    let of = |name: &TypeName| match (name.schema.as_deref(), &*name.name, name.array) {
        (None | Some("pg_catalog"), "void", false) => Ok(Type::VOID),
        // Left to inference.
        (None | Some("pg_catalog"), "unknown", false) => Ok(Type::UNKNOWN),
        _ => work.type_of(name).map(|(ty, typmod)| work.catalog.base_of(ty, typmod).0),
    };
    names.iter().map(of).collect()
}

/// The working copy as it is after a statement, to be compared with what a replica reads back.
#[cfg(test)]
fn catalog_after(ddl: &Ddl, scope: &Scope<'_>) -> SqlResult<crate::sql::catalog::Catalog> {
    let mut work = work::Work::new(scope);
    table::run(&mut work, ddl)?;
    work.settle()?;
    Ok(work.catalog)
}
