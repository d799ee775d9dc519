//! Binder: names, types, functions and operators resolved against the catalog; typed expressions to SQLite SQL.
//!
//! | file | what |
//! |---|---|
//! | `expr` | typed trees and their SQLite text |
//! | `names` | which names are visible where |
//! | `coerce` | types by name, casts, common types, undecided literals and parameters |
//! | `call` | the choice of an operator or function |
//! | `scalar` | expressions |
//! | `from`, `query` | FROM, SELECT, set operations, CTEs |
//! | `dml` | INSERT, UPDATE, DELETE |
//! | `reg` | names of objects as values: `regclass` and its kin |
//!
//! The output names every FROM item `tN` and every column of a subquery `cN`, so nothing a client writes can shadow
//! anything; comparisons stay SQLite's own where the types allow it, so that indexes serve them.
//!
//! Left out (0A000): GROUPING SETS, LATERAL that needs its siblings, INTERSECT ALL and EXCEPT ALL, SIMILAR TO, composite
//! values outside of comparisons, data-modifying CTEs, MERGE, RETURNING of columns of UPDATE … FROM's or DELETE … USING's
//! other tables. `INSERT … ON CONFLICT DO UPDATE` may meet one row twice, where Postgres raises 21000.

mod builtins;
mod call;
mod coerce;
mod config;
mod dml;
mod expr;
mod from;
mod names;
mod query;
mod reg;
mod scalar;
#[cfg(test)]
mod tests;

pub use coerce::data_type;
pub use query::{SKIP_LIST, is_dml};

use super::Scope;
use super::catalog::Relation;
use super::plan::{Effort, NamedRow, ResultColumn, RowLock};
use crate::error::{SqlError, SqlResult, state};
use crate::functions::CastContext;
use crate::types::Type;
use names::{Clause, Level, Names};
use sqlparser::ast::{Query, Statement};
use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::parser::Parser;
use sqlparser::tokenizer::Location;
use std::collections::BTreeMap;
use std::rc::Rc;

/// A query as SQLite text.
#[derive(Clone, Debug)]
pub struct Bound {
    pub sql: String,
    pub columns: Vec<ResultColumn>,
    /// FOR UPDATE and its kin.
    pub lock: Option<RowLock>,
    /// Touches a handful of rows at most: a lookup by a unique key, or no table at all.
    pub short: bool,
    /// Has effects (`nextval`): not a read, though it looks like one.
    pub writes: bool,
    /// FOR UPDATE and its kin in a subquery.
    pub inside: Option<RowLock>,
    pub effort: Effort,
    /// See [`super::plan::WritePlan::draws`].
    pub draws: bool,
}

/// Name, type and modifier of a column.
type CteColumn = (String, Type, i32);

/// A WITH query that can be named.
#[derive(Debug)]
struct Cte {
    name: String,
    sql_name: String,
    columns: Vec<CteColumn>,
}

/// The compiler of one statement. Parameters' types accumulate over everything it binds.
pub struct Binder<'a> {
    scope: &'a Scope<'a>,
    params: Vec<Option<Type>>,
    levels: Vec<Level>,
    ctes: Vec<Rc<Cte>>,
    counter: usize,
    /// WITH items of relations that are queries.
    hoisted: Vec<String>,
    views: Vec<u32>,
    writes: bool,
    draws: bool,
    /// The most that any part of the statement takes.
    effort: Effort,
    /// It changes one row that its text names; see [`Effort::Row`].
    single: bool,
    /// Which, if that is known.
    row: Option<NamedRow>,
    subqueries: usize,
    /// The subquery that locks rows.
    inside: Option<RowLock>,
    /// What is wrong with a subquery that locks rows.
    refused: Option<SqlError>,
    /// WITH's queries as they were bound, by their SQLite names.
    with_items: BTreeMap<String, String>,
    allow_params: bool,
    depth: usize,
    /// Where each line of the statement's text begins, in characters.
    source: Vec<u32>,
}

impl<'a> Binder<'a> {
    pub fn new(scope: &'a Scope<'a>) -> Binder<'a> {
        let params = scope.declared.iter().map(|t| (t.0 != 0 && *t != Type::UNKNOWN).then_some(*t)).collect();
        Binder {
            scope,
            params,
            levels: Vec::new(),
            ctes: Vec::new(),
            counter: 0,
            hoisted: Vec::new(),
            views: Vec::new(),
            writes: false,
            draws: false,
            effort: Effort::Key,
            single: false,
            row: None,
            subqueries: 0,
            inside: None,
            refused: None,
            with_items: BTreeMap::new(),
            allow_params: true,
            depth: 0,
            source: Vec::new(),
        }
    }

    /// Tells the text that positions in errors count in; without it they are right in texts of one line.
    pub fn with_source(mut self, text: &str) -> Binder<'a> {
        self.source = vec![0];
        let ends = text.chars().zip(1u32..).filter(|(c, _)| *c == '\n');
        self.source.extend(ends.map(|(_, n)| n));
        self
    }

    /// SELECT, VALUES, set operations, WITH.
    pub fn query(&mut self, query: &Query) -> SqlResult<Bound> {
        let mut tree = self.query_tree(query)?;
        self.decide_outputs(&mut tree)?;
        let columns = tree.outputs().iter().map(query::Out::result).collect();
        let (mut lock, short) = (tree.lock.clone(), tree.short && self.subqueries == 0);
        let outputs = self.reg_outputs(&tree)?;
        let whole = |tree: &query::QueryTree, hidden: &str| match &outputs {
            None => tree.sql_with(&self.hoisted, false),
            Some(outputs) => {
                let with = match &self.hoisted[..] {
                    [] => String::new(),
                    items => format!("WITH {} ", items.join(", ")),
                };
                format!("{with}SELECT {outputs}{hidden} FROM ({}) AS {}", tree.sql(true), reg::INNER)
            }
        };
        let sql = whole(&tree, "");
        if let Some(lock) = &mut lock {
            let hidden = tree.tell_rows(false);
            lock.sql = whole(&tree, &hidden).into();
        }
        let inside = self.inside()?;
        if inside.is_some() && lock.is_some() {
            return Err(SqlError::unsupported("several queries with FOR UPDATE in one statement"));
        }
        let (writes, effort, draws) = (self.writes, self.effort, self.draws);
        Ok(Bound { sql, columns, lock, short, writes, inside, effort, draws })
    }

    /// The rows that a subquery locks, after all of the statement is bound.
    fn inside(&mut self) -> SqlResult<Option<RowLock>> {
        self.refused.take().map_or(Ok(()), Err)?;
        Ok(self.inside.take())
    }

    /// A single expression without any names, as SQLite text: EXECUTE's arguments, SET's values.
    pub fn expression(&mut self, expr: &sqlparser::ast::Expr, target: Option<(Type, i32)>) -> SqlResult<String> {
        self.levels.push(Level::new(Clause::Values));
        let typed = self.expr(expr).and_then(|e| match target {
            Some((ty, typmod)) => self.assign(e, ty, typmod, None),
            None => self.decide_text(e),
        });
        self.levels.pop();
        Ok(typed?.sql())
    }

    /// Types of `$1`, `$2`, … after everything is bound.
    ///
    /// Errors: 42P18 for one that nothing decided.
    pub fn params(self) -> SqlResult<Vec<Type>> {
        let decided = self.params.into_iter().enumerate();
        decided
            .map(|(i, ty)| {
                ty.ok_or_else(|| {
                    let text = format!("could not determine data type of parameter ${}", i + 1);
                    SqlError::new(state::INDETERMINATE_DATATYPE, text)
                })
            })
            .collect()
    }
}

/// A DEFAULT, CHECK, index or generated-column expression over one relation's columns: plain `"col"` names in the output,
/// coerced to `target` as if it were stored there.
pub fn bind_column_expr(
    scope: &Scope<'_>,
    relation: Option<&Relation>,
    sql_text: &str,
    target: Option<(Type, i32)>,
) -> SqlResult<String> {
    let mut binder = Binder::new(scope);
    binder.allow_params = false;
    binder.column_expr(relation, sql_text, target).map(|e| e.sql())
}

/// As [`bind_column_expr`], of whatever type the expression is: its text, type and type modifier.
pub fn bind_typed_column_expr(scope: &Scope<'_>, relation: &Relation, text: &str) -> SqlResult<(String, Type, i32)> {
    let mut binder = Binder::new(scope);
    binder.allow_params = false;
    binder.column_expr(Some(relation), text, None).map(|e| (e.sql(), e.ty, e.typmod))
}

impl Binder<'_> {
    /// See [`bind_column_expr`].
    fn column_expr(
        &mut self,
        relation: Option<&Relation>,
        sql_text: &str,
        target: Option<(Type, i32)>,
    ) -> SqlResult<expr::Typed> {
        let parsed = parse_expr(sql_text)?;
        let mut level = Level::new(Clause::Column);
        if let Some(relation) = relation {
            let id = self.next_id();
            let columns = relation.columns.iter().map(|c| {
                let sql = super::catalog::quote(&c.name);
                let node = expr::ColumnRef {
                    range: id,
                    sql: sql.as_str().into(),
                    table: relation.oid,
                    attnum: c.attnum,
                    collated: true,
                };
                let expr = expr::Typed::new(c.ty, expr::Node::Column(node)).typmod(c.typmod);
                names::Named { name: c.name.clone(), expr }
            });
            let range = names::Range {
                id,
                alias: relation.name.clone(),
                schema: Some(relation.schema.clone()),
                relation: None,
                columns: columns.collect(),
            };
            level.names = Names::of(range);
        }
        self.isolated(|this| {
            this.levels.push(level);
            let typed = this.expr(&parsed).and_then(|e| match target {
                Some((ty, typmod)) => this.assign(e, ty, typmod, None),
                None => this.decide_text(e),
            });
            this.levels.pop();
            typed
        })
    }

    /// Coerces a value to what a column stores.
    ///
    /// Errors: 42804 if there is no assignment cast.
    fn assign(&mut self, expr: expr::Typed, ty: Type, typmod: i32, column: Option<&str>) -> SqlResult<expr::Typed> {
        let (from, at) = (expr.ty, expr.at);
        match self.try_coerce(expr, ty, typmod, CastContext::Assignment)? {
            Some(expr) => Ok(expr),
            None => {
                let (to, from) = (coerce::type_name(ty), coerce::type_name(from));
                let text = match column {
                    Some(column) => format!("column \"{column}\" is of type {to} but expression is of type {from}"),
                    None => format!("default expression is of type {from} but the column is of type {to}"),
                };
                let hint = "You will need to rewrite or cast the expression.";
                Err(error_at(self, SqlError::new(state::DATATYPE_MISMATCH, text).hint(hint), at))
            }
        }
    }
}

/// An error with the place it is about, unless it has one already.
fn error_at(binder: &Binder<'_>, error: SqlError, at: Location) -> SqlError {
    if at.line == 0 || error.fields.position.is_some() {
        return error;
    }
    let line = match (binder.source.get(at.line as usize - 1), at.line) {
        (Some(start), _) => *start,
        (None, 1) => 0,
        _ => return error,
    };
    error.position(line + at.column as u32)
}

fn syntax(e: sqlparser::parser::ParserError) -> SqlError {
    SqlError::syntax(e.to_string())
}

/// An expression from the catalog.
pub(crate) fn parse_expr(text: &str) -> SqlResult<sqlparser::ast::Expr> {
    let mut parser = Parser::new(&PostgreSqlDialect {}).try_with_sql(text).map_err(syntax)?;
    parser.parse_expr().map_err(syntax)
}

/// A query from the catalog.
fn parse_query(text: &str) -> SqlResult<Query> {
    match Parser::parse_sql(&PostgreSqlDialect {}, text).map_err(syntax)?.into_iter().next() {
        Some(Statement::Query(query)) => Ok(*query),
        _ => Err(SqlError::internal("the catalog holds something else than a query")),
    }
}
