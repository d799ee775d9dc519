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
//! | `alter` | ALTER TABLE and ALTER SEQUENCE |
//! | `types` | types of one's own |
//! | `roles` | roles, grants and owners |
//! | `absent` | DROP of kinds of objects of which there are none |
//! | `depend` | what objects rest on, as rows of `pg_depend` |
//! | `rows` | a relation as rows of the system tables, and the difference of two relations as SQL |
//!
//! Storage choices: a primary key of one integer column is the rowid; every other key is a UNIQUE index of its own,
//! so that it can be added and dropped. CHECK and FOREIGN KEY constraints carry their OID as name inside SQLite:
//! unique in the database, and renaming is a matter of the catalog only.
//!
//! Left out (0A000): composite and range types, domains, functions, triggers, rules, policies, partitions, inheritance,
//! materialized views, temporary and unlogged tables, exclusion constraints, extended statistics, publications.

mod absent;
mod alter;
mod depend;
pub mod grammar;
pub mod roles;
pub mod rows;
mod table;
#[cfg(test)]
pub(in crate::sql) mod tests;
mod types;
mod work;

pub use grammar::{Ddl, TypeName};

use super::Scope;
use super::plan::{Plan, PlanKind, WritePlan};
use crate::error::SqlResult;
use crate::types::Type;

/// Compiles a DDL statement.
pub fn compile(ddl: &Ddl, scope: &Scope<'_>) -> SqlResult<Plan> {
    let mut work = work::Work::new(scope);
    let tag = table::run(&mut work, ddl);
    work.refused.take().map_or(Ok(()), Err)?;
    let tag = tag?;
    work.settle()?;
    let plan = work.finish();
    Ok(Plan {
        params: Vec::new(),
        columns: Vec::new(),
        schema_version: scope.catalog.version,
        kind: PlanKind::Write(WritePlan {
            ddl: plan.changes_catalog,
            effort: plan.effort,
            draws: false,
            lock: None,
            statements: plan.statements,
            facts: plan.facts,
            tag,
            notices: plan.notices,
        }),
    })
}

/// The types that names mean, without their modifiers.
pub fn types_of(names: &[TypeName], scope: &Scope<'_>) -> SqlResult<Vec<Type>> {
    let work = work::Work::new(scope);
    names.iter().map(|n| work.type_of(n).map(|(ty, _)| ty)).collect()
}

/// The working copy as it is after a statement, to be compared with what a replica reads back.
#[cfg(test)]
fn catalog_after(ddl: &Ddl, scope: &Scope<'_>) -> SqlResult<crate::sql::catalog::Catalog> {
    let mut work = work::Work::new(scope);
    table::run(&mut work, ddl)?;
    work.settle()?;
    Ok(work.catalog)
}
