//! The SQL compiler: Postgres text and a catalog in, typed plans with SQLite SQL out. Pure: no connection, no clock.
//!
//! text → syntax (`parse`) → names, types, functions, coercions (`bind`) → typed trees (`ir`) → SQLite SQL (`render`) → `Plan`.
//! Types are known before anything runs: clients that Describe a statement before Bind rely on it.

pub mod access;
pub mod allowance;
pub mod bind;
mod bounded;
pub mod catalog;
pub mod copy;
mod cursor;
pub mod database;
pub mod ddl;
mod deparse;
mod dialect;
pub mod explain;
pub mod ir;
pub mod keys;
pub mod lex;
pub mod migrations;
pub mod parse;
mod phrases;
pub mod plan;
pub mod procedural;
mod reindex;
pub mod render;
mod system;
mod traversal;
mod utility;
pub mod view;
pub mod violation;

pub use migrations::{database_migrations, system_migrations};
pub use parse::{Ast, Parsed, parse, parse_within};

use crate::error::{SqlError, SqlResult};
use crate::types::{Env, Type};
use crate::version::Version;
use allowance::Allowance;
use catalog::Catalog;
use plan::{Plan, PlanKind, Read, WritePlan};
use sqlparser::ast::Statement;

/// Where a session's temporary objects are, or would be. See [`ddl::temporary`].
#[derive(Clone, Copy, Debug, Default)]
pub struct Temporary<'a> {
    /// The schema; empty if the session cannot have any.
    pub schema: &'a str,
    /// The search path begins with it though nobody has said so: nothing is created there because of that.
    pub leads: bool,
}

/// A variable of a program that a text may name, or a field of one.
#[derive(Clone, Debug)]
pub struct Variable {
    /// Perhaps the label of a block, the name, perhaps that of a field.
    pub names: Vec<String>,
    pub means: Means,
}

#[derive(Clone, Debug)]
pub enum Means {
    /// `$n`
    Parameter(usize),
    /// A record of fields that are parameters each, or of which there is none.
    Record { fields: Vec<(String, usize)>, is_null: bool },
}

/// What a translation depends on besides its text. A plan may be reused while all of this is equal.
#[derive(Clone, Debug)]
pub struct Scope<'a> {
    pub catalog: &'a Catalog,
    pub search_path: &'a [String],
    pub temporary: Temporary<'a>,
    /// Types the client declared for `$1`…; `Type(0)` leaves one to inference.
    pub declared: &'a [Type],
    /// To what the columns of a query are assigned, if it computes arguments; empty otherwise.
    pub assigned: &'a [Type],
    /// What stands for parameters where nothing else has its name.
    pub variables: &'a [Variable],
    pub env: &'a Env,
    /// The role in whose name the statement runs, and the one that the session belongs to.
    pub user: &'a str,
    pub session_user: &'a str,
    pub database: &'a str,
    /// The databases of the cluster.
    pub databases: &'a database::Databases,
    /// The node itself asks: what is another database's was brought here.
    pub inner: bool,
    /// Fresh random bits, for what must not be the same twice: no part of what a plan depends on.
    pub seed: u64,
    /// Counts the work; no part of what a plan depends on.
    pub allowance: &'a Allowance,
    /// A query is for a cursor: it also tells which rows of tables its rows come from.
    pub positioned: bool,
    /// The first OID that definitions of the block under way have given: what has a later one is not committed.
    pub defined_from: Option<u32>,
    /// What the group's log may contain.
    pub version: Version,
}

impl<'a> Scope<'a> {
    /// What a role sees that has set and declared nothing, without a bound on the work.
    pub fn plain(
        catalog: &'a Catalog,
        search_path: &'a [String],
        env: &'a Env,
        user: &'a str,
        database: &'a str,
    ) -> Scope<'a> {
        Scope {
            catalog,
            search_path,
            temporary: Temporary::default(),
            declared: &[],
            assigned: &[],
            variables: &[],
            env,
            user,
            session_user: user,
            database,
            databases: &database::ALONE,
            inner: false,
            seed: 1,
            allowance: &allowance::UNLIMITED,
            positioned: false,
            defined_from: None,
            version: crate::version::LATEST,
        }
    }
}

/// Compiles a parsed statement under a catalog. Error positions count in the query string it came from.
pub fn compile(parsed: &Parsed, scope: &Scope<'_>) -> SqlResult<Plan> {
    let compiled = || match &parsed.ast {
        // Settings and the ends of transactions are anybody's.
        Ast::Utility(_) | Ast::Unsupported(_) | Ast::Empty => dispatch(parsed, scope),
        _ => match access::visible(scope)? {
            Some(search_path) => dispatch(parsed, &Scope { search_path: &search_path, ..scope.clone() }),
            None => dispatch(parsed, scope),
        },
    };
    let plan = parse::on_deep_stack(parsed.height, compiled);
    plan.map_err(|e| parse::moved(e, parsed.offset_chars))
}

fn dispatch(parsed: &Parsed, scope: &Scope<'_>) -> SqlResult<Plan> {
    match &parsed.ast {
        Ast::Sql(statement) => sql(statement, scope),
        Ast::Later => sql(&*parse::parse_query(&parsed.text, scope.allowance)?, scope),
        Ast::Utility(utility) => utility::compile(utility.clone(), scope),
        Ast::Prepare { name, types, query } => utility::prepare(name, types, query, scope),
        Ast::Lock { tables, mode, nowait } => utility::lock(tables, *mode, *nowait, scope),
        Ast::SetConstraints { names, deferred } => utility::set_constraints(names, *deferred, scope),
        Ast::Notify { channel, payload } => notify(channel, payload, scope),
        Ast::Maintenance { tag, tables } => utility::maintenance(tag, tables, scope),
        Ast::Reindex(reindex) => reindex::compile(reindex, scope),
        Ast::Ddl(ddl) => match database::elsewhere(ddl, &parsed.text, scope) {
            Some(order) => utility::compile(order, scope),
            None => ddl::compile(ddl, scope),
        },
        Ast::Copy(copy) => copy::compile(copy, scope),
        Ast::Explain(explain) => explain::compile(explain, scope),
        Ast::Unsupported(feature) => Err(SqlError::unsupported(feature)),
        Ast::Empty => Ok(plan(PlanKind::Empty, scope)),
    }
}

/// Goes one level down a tree: on another piece of stack, if this one is nearly used up.
fn on_stack<T>(f: impl FnOnce() -> T) -> T {
    stacker::maybe_grow(256 << 10, 4 << 20, f)
}

fn plan(kind: PlanKind, scope: &Scope<'_>) -> Plan {
    Plan { params: Vec::new(), columns: Vec::new(), schema_version: scope.catalog.version, kind }
}

/// A query or a data change.
fn sql(statement: &Statement, scope: &Scope<'_>) -> SqlResult<Plan> {
    if let Statement::Query(query) = statement
        && let Some(table) = ddl::select_into(query)
    {
        return ddl::compile(&table, scope);
    }
    let mut binder = bind::Binder::new(scope);
    let (columns, kind) = match statement {
        Statement::Query(query) if !bind::is_dml(query) => {
            let bound = binder.query(query)?;
            (bound.columns.clone(), query_plan(bound))
        }
        other => {
            let (write, columns) = binder.dml(other)?;
            (columns, PlanKind::Write(write))
        }
    };
    let params = binder.params()?;
    Ok(Plan { params, columns, ..plan(kind, scope) })
}

/// NOTIFY: a call of `pg_notify` whose row nobody hears of.
fn notify(channel: &str, payload: &str, scope: &Scope<'_>) -> SqlResult<Plan> {
    let query = format!("SELECT pg_catalog.pg_notify({}, {})", literal(channel), literal(payload));
    let Statement::Query(query) = *parse::parse_query(&query, scope.allowance)? else {
        return Err(SqlError::internal("a query was expected"));
    };
    let bound = bind::Binder::new(scope).query(&query)?;
    let mut announce = match query_plan(bound) {
        PlanKind::Write(write) => write,
        _ => return Err(SqlError::internal("a write was expected")),
    };
    announce.tag = plan::Tag::Plain("NOTIFY");
    announce.statements.iter_mut().for_each(|statement| statement.yields = crate::command::Yields::Count);
    Ok(plan(PlanKind::Write(announce), scope))
}

/// A string literal that means this text.
fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// A query that draws sequence values, announces something or changes data in WITH goes through the log; all others only read.
fn query_plan(bound: bind::Bound) -> PlanKind {
    if bound.writes || !bound.before.is_empty() {
        let statement = crate::command::Statement::new(bound.sql, crate::command::Yields::Rows);
        let tag = plan::Tag::Counted("SELECT");
        let (effort, draws, facts) = (bound.effort, bound.draws, bound.facts);
        let statements = bound.before.into_iter().chain([statement]).collect();
        let lock = bound.inside;
        return PlanKind::Write(WritePlan {
            copy: None,
            lasting: true,
            alone: None,
            begins: None,
            statements,
            facts,
            ddl: crate::command::Definition::None,
            temporary: false,
            on_commit: None,
            effort,
            draws,
            lock,
            tag,
            notices: Vec::new(),
        });
    }
    let (lock, inside) = (bound.lock, bound.inside);
    let facts = bound.facts.into();
    let (short, places) = (bound.short, bound.places);
    PlanKind::Read(Read { sql: bound.sql.into(), facts, lock, inside, short, tag: "SELECT", places })
}
