//! Queries: SELECT, VALUES, set operations, WITH, ORDER BY, LIMIT.
//!
//! A query is bound into a tree that is not text yet, because what surrounds it may still decide the types of its columns
//! (UNION's common types, INSERT's columns, undecided literals).

use super::builtins::is_native;
use super::coerce::{column_name, common_typmod, type_name};
use super::expr::{ColumnRef, Node, SortKey, SubQuery, Typed, group_key, sort_list};
use super::from::with_sets;
use super::names::{Clause, Level, Named, fold, name_start, parts};
use super::scalar::{direction, trim_name};
use super::{Binder, Cte, CteColumn, error_at};
use crate::error::{SqlError, SqlResult, state};
use crate::functions::CastContext;
use crate::sql::catalog::{ConstraintKind, Relation, RelationKind};
use crate::sql::parse::locked_names;
use crate::sql::plan::{Effort, LockStrength, LockWait, ResultColumn, RowLock};
use crate::types::{NO_TYPMOD, Type};
use crate::value::Value;
use sqlparser::ast::{
    AccessExpr, CteAsMaterialized, Distinct, Expr, GroupByExpr, LimitClause, LockClause, LockType, NamedWindowExpr,
    NonBlock, OrderByExpr, OrderByKind, Query, Select, SelectItem, SelectItemQualifiedWildcardKind, SetExpr,
    SetOperator, SetQuantifier, Value as Literal, With,
};
use std::rc::Rc;
use std::sync::Arc;

/// A column of a query's result.
#[derive(Clone, Debug)]
pub(super) struct Out {
    pub name: String,
    pub ty: Type,
    pub typmod: i32,
    pub table: u32,
    pub attnum: i16,
}

impl Out {
    pub fn result(&self) -> ResultColumn {
        ResultColumn {
            name: self.name.clone(),
            ty: self.ty,
            typmod: self.typmod,
            table: self.table,
            attnum: self.attnum,
        }
    }
}

#[derive(Debug)]
pub(super) struct QueryTree {
    with: Vec<String>,
    recursive: bool,
    body: Body,
    order: Vec<OrderKey>,
    limit: Option<Typed>,
    offset: Option<Typed>,
    pub lock: Option<RowLock>,
    /// The ranges of `lock.tables`.
    locked: Vec<usize>,
    pub short: bool,
    outer: Vec<ColumnRef>,
}

#[derive(Debug)]
enum OrderKey {
    /// An output column, from 0, and the direction.
    Output(usize, SortKey),
    Expr(SortKey),
}

#[derive(Debug)]
enum Body {
    Select(Box<SelectTree>),
    /// Rows of as many columns each.
    Values(Vec<Vec<Typed>>),
    Set {
        operator: &'static str,
        left: Box<Body>,
        right: Box<Body>,
    },
    /// A query in parentheses.
    Query(Box<QueryTree>),
}

#[derive(Debug)]
struct SelectTree {
    distinct: bool,
    /// DISTINCT ON
    on: Vec<Typed>,
    columns: Vec<Named>,
    from: String,
    filter: Option<Typed>,
    group: Vec<Typed>,
    having: Option<Typed>,
    aggregated: bool,
    /// Columns after all others, that nobody sees, and one more condition: for locking rows.
    hidden: Vec<String>,
    guard: Option<String>,
}

impl Body {
    fn outputs(&self) -> Vec<Out> {
        match self {
            Body::Select(select) => select.columns.iter().map(out).collect(),
            Body::Values(rows) => {
                let first = rows.first().map_or(&[][..], Vec::as_slice);
                let typmod = |i: usize| common_typmod(rows.iter().map(|r| &r[i]));
                let column = |(i, e): (usize, &Typed)| Out {
                    name: format!("column{}", i + 1),
                    ty: e.ty,
                    typmod: typmod(i),
                    table: 0,
                    attnum: 0,
                };
                first.iter().enumerate().map(column).collect()
            }
            Body::Set { left, right, .. } => {
                let (left, right) = (left.outputs(), right.outputs());
                left.into_iter()
                    .zip(right)
                    .map(|(l, r)| {
                        let typmod = if l.typmod == r.typmod && l.ty == r.ty { l.typmod } else { NO_TYPMOD };
                        Out { typmod, table: 0, attnum: 0, ..l }
                    })
                    .collect()
            }
            Body::Query(tree) => tree.outputs(),
        }
    }

    /// An output column as an expression: what its type is decided by.
    fn expr(&self, i: usize) -> Typed {
        match self {
            Body::Select(select) => select.columns[i].expr.clone(),
            Body::Values(rows) => rows.first().map_or(Typed::null(Type::UNKNOWN), |r| r[i].clone()),
            Body::Set { left, .. } => left.expr(i),
            Body::Query(tree) => tree.body.expr(i),
        }
    }

    fn set_expr(&mut self, i: usize, f: &mut dyn FnMut(Typed) -> SqlResult<Typed>) -> SqlResult<()> {
        let mut apply = |expr: &mut Typed| -> SqlResult<()> {
            let old = std::mem::replace(expr, Typed::null(Type::UNKNOWN));
            *expr = f(old)?;
            Ok(())
        };
        match self {
            Body::Select(select) => apply(&mut select.columns[i].expr),
            Body::Values(rows) => rows.iter_mut().try_for_each(|row| apply(&mut row[i])),
            Body::Set { left, right, .. } => {
                left.set_expr(i, f)?;
                right.set_expr(i, f)
            }
            Body::Query(tree) => tree.body.set_expr(i, f),
        }
    }

    fn sql(&self, named: bool) -> String {
        match self {
            Body::Select(select) => select.sql(named, false),
            Body::Values(rows) => {
                let rows: Vec<String> = rows.iter().map(|r| format!("({})", super::expr::list(r))).collect();
                let values = format!("VALUES {}", rows.join(", "));
                if !named {
                    return values;
                }
                format!("SELECT {} FROM ({values})", numbered(self.outputs().len()))
            }
            Body::Set { operator, left, right } => {
                // SQLite joins compound operands from the left and knows no parentheses around them.
                let left = match &**left {
                    Body::Set { .. } => left.sql(named),
                    other => other.operand(named, *operator != "UNION ALL"),
                };
                format!("{left} {operator} {}", right.operand(false, *operator != "UNION ALL"))
            }
            Body::Query(tree) => tree.sql(named),
        }
    }

    fn operand(&self, named: bool, keyed: bool) -> String {
        match self {
            Body::Select(select) if select.on.is_empty() => select.sql(named, keyed),
            other => format!("SELECT {} FROM ({})", keyed_columns(&other.outputs(), named, keyed), other.sql(true)),
        }
    }
}

fn keyed_columns(outputs: &[Out], named: bool, keyed: bool) -> String {
    let column = |(i, out): (usize, &Out)| {
        let collate = out.ty.collation().filter(|_| keyed).map_or(String::new(), |c| format!(" COLLATE {c}"));
        let alias = if named { format!(" AS \"c{}\"", i + 1) } else { String::new() };
        format!("\"c{}\"{collate}{alias}", i + 1)
    };
    outputs.iter().enumerate().map(column).collect::<Vec<_>>().join(", ")
}

/// The columns of VALUES by the names that SQLite gives them, as `c1`, ….
fn numbered(columns: usize) -> String {
    (1..=columns).map(|i| format!("\"column{i}\" AS \"c{i}\"")).collect::<Vec<_>>().join(", ")
}

fn out(column: &Named) -> Out {
    let (table, attnum) = match &column.expr.node {
        Node::Column(c) => (c.table, c.attnum),
        _ => (0, 0),
    };
    Out { name: column.name.clone(), ty: column.expr.ty, typmod: column.expr.typmod, table, attnum }
}

impl SelectTree {
    /// With `keyed`, the columns carry their types' collations: SQLite compares rows by them.
    fn sql(&self, named: bool, keyed: bool) -> String {
        let mut sql = "SELECT ".to_owned();
        if self.distinct {
            sql.push_str("DISTINCT ");
        }
        let visible = self.columns.iter().enumerate().map(|(i, column)| {
            let text = if keyed || self.distinct { column.expr.keyed() } else { column.expr.sql() };
            if named { format!("{text} AS \"c{}\"", i + 1) } else { text }
        });
        let columns: Vec<String> = visible.chain(self.hidden.iter().cloned()).collect();
        // SQLite has no SELECT without columns.
        sql.push_str(&if columns.is_empty() { "NULL".to_owned() } else { columns.join(", ") });
        sql.push_str(&self.tail());
        sql
    }

    fn tail(&self) -> String {
        let mut sql = String::new();
        if !self.from.is_empty() {
            sql.push_str(&format!(" FROM {}", self.from));
        }
        match (&self.filter, &self.guard) {
            (None, None) => {}
            (Some(filter), None) => sql.push_str(&format!(" WHERE {}", filter.sql())),
            (None, Some(guard)) => sql.push_str(&format!(" WHERE {guard}")),
            (Some(filter), Some(guard)) => sql.push_str(&format!(" WHERE ({}) AND {guard}", filter.sql())),
        }
        if !self.group.is_empty() {
            let keys: Vec<String> = self.group.iter().map(group_key).collect();
            sql.push_str(&format!(" GROUP BY {}", keys.join(", ")));
        }
        if let Some(having) = &self.having {
            // SQLite wants a GROUP BY or an aggregate with HAVING; a group of all rows is one of a constant.
            sql.push_str(&format!(" HAVING {}", having.sql()));
        }
        sql
    }

    /// DISTINCT ON: the first row of each group by the order of the query.
    fn distinct_on(&self, order: &[OrderKey]) -> String {
        let keys: Vec<SortKey> = order.iter().map(|k| self.key(k)).collect();
        let mut columns: Vec<String> =
            self.columns.iter().enumerate().map(|(i, c)| format!("{} AS \"c{}\"", c.expr.sql(), i + 1)).collect();
        columns.extend(keys.iter().enumerate().map(|(i, k)| format!("{} AS \"k{}\"", k.expr.sql(), i + 1)));
        let partition: Vec<String> = self.on.iter().map(group_key).collect();
        let order_sql = if keys.is_empty() { String::new() } else { format!(" ORDER BY {}", sort_list(&keys)) };
        columns.push(format!("row_number() OVER (PARTITION BY {}{order_sql}) AS \"rn\"", partition.join(", ")));
        let names: Vec<String> = (1..=self.columns.len()).map(|i| format!("\"c{i}\"")).collect();
        let mut sql =
            format!("SELECT {} FROM (SELECT {}{}) WHERE \"rn\" = 1", names.join(", "), columns.join(", "), self.tail());
        if !keys.is_empty() {
            let outer = keys.iter().enumerate().map(|(i, k)| {
                let collate = k.expr.ty.collation().map_or(String::new(), |c| format!(" COLLATE {c}"));
                k.directed(&format!("\"k{}\"{collate}", i + 1))
            });
            sql.push_str(&format!(" ORDER BY {}", outer.collect::<Vec<_>>().join(", ")));
        }
        sql
    }

    fn key(&self, key: &OrderKey) -> SortKey {
        match key {
            OrderKey::Expr(key) => key.clone(),
            OrderKey::Output(i, key) => SortKey { expr: self.columns[*i].expr.clone(), ..key.clone() },
        }
    }
}

impl QueryTree {
    fn empty() -> QueryTree {
        QueryTree {
            with: vec![],
            recursive: false,
            body: Body::Values(vec![]),
            order: vec![],
            limit: None,
            offset: None,
            lock: None,
            locked: vec![],
            short: false,
            outer: vec![],
        }
    }

    pub fn outputs(&self) -> Vec<Out> {
        self.body.outputs()
    }

    pub fn output_expr(&self, i: usize) -> Typed {
        let out = &self.body.outputs()[i];
        let expr = self.body.expr(i);
        // What is not a literal or parameter counts by its type alone.
        match expr.node {
            Node::Text(_) | Node::Param(_) | Node::Const(_) if out.ty == Type::UNKNOWN => expr,
            _ => Typed::new(out.ty, Node::Const(Value::Null)),
        }
    }

    /// Certain to give one row or none.
    pub fn at_most_one_row(&self) -> bool {
        if matches!(&self.limit, Some(Typed { node: Node::Const(Value::Int(n)), .. }) if *n <= 1) {
            return true;
        }
        match &self.body {
            Body::Select(s) => s.aggregated && s.group.is_empty() || s.from.is_empty() || self.short,
            Body::Values(rows) => rows.len() <= 1,
            _ => false,
        }
    }

    pub fn sql(&self, named: bool) -> String {
        self.sql_with(&[], named)
    }

    pub fn sql_with(&self, hoisted: &[String], named: bool) -> String {
        let mut sql = String::new();
        if !self.with.is_empty() || !hoisted.is_empty() {
            let items: Vec<&str> = hoisted.iter().chain(&self.with).map(String::as_str).collect();
            let recursive = if self.recursive { "RECURSIVE " } else { "" };
            sql.push_str(&format!("WITH {recursive}{} ", items.join(", ")));
        }
        match &self.body {
            Body::Select(select) if !select.on.is_empty() => sql.push_str(&select.distinct_on(&self.order)),
            Body::Query(_) if !self.order.is_empty() || self.limit.is_some() || self.offset.is_some() => {
                sql.push_str(&self.body.operand(named, false));
                sql.push_str(&self.order_sql());
            }
            Body::Values(_) => {
                let wrap = named || !self.order.is_empty() || self.limit.is_some() || self.offset.is_some();
                sql.push_str(&self.body.sql(wrap));
                sql.push_str(&self.order_sql());
            }
            body => {
                sql.push_str(&body.sql(named));
                sql.push_str(&self.order_sql());
            }
        }
        match (&self.limit, &self.offset) {
            (None, None) => {}
            (Some(limit), None) => sql.push_str(&format!(" LIMIT {}", limit_sql(limit, -1))),
            (limit, Some(offset)) => {
                let limit = limit.as_ref().map_or("-1".to_owned(), |l| limit_sql(l, -1));
                sql.push_str(&format!(" LIMIT {limit} OFFSET {}", limit_sql(offset, 0)));
            }
        }
        sql
    }

    fn order_sql(&self) -> String {
        if self.order.is_empty() {
            return String::new();
        }
        let outputs = self.outputs();
        let keys: Vec<String> = self
            .order
            .iter()
            .map(|key| match key {
                OrderKey::Expr(key) => key.sql(),
                OrderKey::Output(i, key) => {
                    let collated = match &self.body {
                        Body::Select(s) => s.columns[*i].expr.collated(),
                        _ => false,
                    };
                    let collate = outputs[*i].ty.collation().filter(|_| !collated);
                    key.directed(&format!("{}{}", i + 1, collate.map_or(String::new(), |c| format!(" COLLATE {c}"))))
                }
            })
            .collect();
        format!(" ORDER BY {}", keys.join(", "))
    }

    /// From now on the SQL also tells the rowids of the rows to lock, as its last columns, and keeps to SKIP LOCKED.
    /// Returns these columns' names, each after a comma, for a query around this one. `inside` of another statement, it
    /// keeps to the list of rows whatever it does about locked ones.
    pub fn tell_rows(&mut self, inside: bool) -> String {
        let (Some(lock), Body::Select(select)) = (&self.lock, &mut self.body) else { return String::new() };
        let rowid = |range: &usize| format!("\"t{range}\".rowid");
        select.hidden = (1..).zip(&self.locked).map(|(i, range)| format!("{} AS \"h{i}\"", rowid(range))).collect();
        if lock.wait == LockWait::SkipLocked || inside {
            let free = lock.tables.iter().zip(&self.locked);
            let free = free.map(|(oid, range)| format!("q_row_free({oid}, {}, {SKIP_LIST})", rowid(range)));
            select.guard = Some(free.collect::<Vec<_>>().join(" AND ")).filter(|guard| !guard.is_empty());
            // Of the rows that are meant, none is left out.
            let first = |offset| Typed::apply(Type::INT8, format!("iif({SKIP_LIST} IS NULL, {{0}}, 0)"), vec![offset]);
            self.offset = self.offset.take().map(first);
        }
        (1..=self.locked.len()).map(|i| format!(", \"h{i}\"")).collect()
    }

    pub fn into_subquery(mut self, binder: &mut Binder<'_>) -> SubQuery {
        binder.subqueries += 1;
        binder.lock_inside(&mut self);
        SubQuery { sql: self.sql(true), outer: self.outer }
    }
}

fn limit_sql(expr: &Typed, null: i64) -> String {
    match &expr.node {
        Node::Const(Value::Int(n)) => n.to_string(),
        Node::Const(_) => null.to_string(),
        _ => format!("coalesce({}, {null})", expr.sql()),
    }
}

/// Stands for the parameter that comes after the client's, whose number is not known yet.
pub const SKIP_LIST: &str = "?SKIP";

/// Whether a statement that the parser calls a query is INSERT, UPDATE or DELETE behind WITH.
pub fn is_dml(query: &Query) -> bool {
    matches!(&*query.body, SetExpr::Insert(_) | SetExpr::Update(_) | SetExpr::Delete(_))
}

impl Binder<'_> {
    /// A query inside of the statement that locks rows: it is run by itself first, to find and to lock them, and in its
    /// place means those. So it must stand alone.
    pub(super) fn lock_inside(&mut self, tree: &mut QueryTree) {
        if tree.lock.as_ref().is_none_or(|lock| lock.tables.is_empty()) {
            return;
        }
        let unsupported = |text: &str| Some(SqlError::unsupported(text));
        if !tree.outer.is_empty() {
            self.refused = unsupported("FOR UPDATE in a subquery that refers to the query around it");
            return;
        }
        let items: Option<Vec<String>> = self.ctes.iter().map(|c| self.with_items.get(&c.sql_name).cloned()).collect();
        let (Some(items), None) = (items, &self.inside) else {
            self.refused = unsupported("several queries with FOR UPDATE in one statement");
            return;
        };
        tree.tell_rows(true);
        let mut prefix = self.hoisted.clone();
        prefix.extend(items);
        let recursive = std::mem::replace(&mut tree.recursive, !prefix.is_empty());
        let sql = tree.sql_with(&prefix, false);
        tree.recursive = recursive;
        if let Body::Select(select) = &mut tree.body {
            select.hidden.clear();
        }
        self.inside = tree.lock.take().map(|lock| RowLock { sql: sql.into(), ..lock });
    }

    /// Binds a query; its literals and parameters may stay undecided in its columns.
    pub(super) fn query_tree(&mut self, query: &Query) -> SqlResult<QueryTree> {
        self.depth += 1;
        if self.depth > 200 {
            return Err(SqlError::new(state::STATEMENT_TOO_COMPLEX, "stack depth limit exceeded"));
        }
        let before = self.ctes.len();
        let result = self.query_inner(query);
        self.ctes.truncate(before);
        self.depth -= 1;
        result
    }

    fn query_inner(&mut self, query: &Query) -> SqlResult<QueryTree> {
        if query.for_clause.is_some()
            || query.settings.is_some()
            || query.format_clause.is_some()
            || !query.pipe_operators.is_empty()
        {
            return Err(SqlError::syntax("syntax error in the query's tail"));
        }
        let mut tree = QueryTree::empty();
        if let Some(with) = &query.with {
            (tree.with, tree.outer) = self.with_clause(with)?;
            tree.recursive = with.recursive;
        }
        let keys: &[OrderByExpr] = match &query.order_by {
            None => &[],
            Some(order) => match &order.kind {
                OrderByKind::Expressions(keys) if order.interpolate.is_none() => keys,
                _ => return Err(SqlError::unsupported("ORDER BY ALL")),
            },
        };
        match &*query.body {
            SetExpr::Select(select) => self.select(select, keys, &query.locks, &mut tree)?,
            other => {
                tree.body = self.body(other, &mut tree.outer)?;
                if !query.locks.is_empty() {
                    let text = "FOR UPDATE is not allowed with UNION/INTERSECT/EXCEPT or VALUES";
                    return Err(SqlError::new(state::FEATURE_NOT_SUPPORTED, text));
                }
                tree.order = keys.iter().map(|k| self.output_key(k, &tree.body.outputs())).collect::<SqlResult<_>>()?;
            }
        }
        self.limits(query, &mut tree)?;
        Ok(tree)
    }

    fn limits(&mut self, query: &Query, tree: &mut QueryTree) -> SqlResult<()> {
        let (limit, offset) = match &query.limit_clause {
            None => (None, None),
            Some(LimitClause::LimitOffset { limit, offset, limit_by }) if limit_by.is_empty() => {
                (limit.as_ref(), offset.as_ref().map(|o| &o.value))
            }
            Some(_) => {
                return Err(SqlError::syntax("LIMIT #,# syntax is not supported")
                    .hint("Use separate LIMIT and OFFSET clauses."));
            }
        };
        let one = Expr::Value(Literal::Number("1".into(), false).with_empty_span());
        let limit = match &query.fetch {
            None => limit,
            Some(fetch) if fetch.with_ties || fetch.percent => return Err(SqlError::unsupported("FETCH … WITH TIES")),
            Some(fetch) => Some(fetch.quantity.as_ref().unwrap_or(&one)),
        };
        let bind = |this: &mut Self, expr: Option<&Expr>, place: &str| -> SqlResult<Option<Typed>> {
            let Some(expr) = expr else { return Ok(None) };
            this.levels.push(Level::new(Clause::Limit));
            let bound = this.expr(expr).and_then(|e| this.count(e, place));
            this.levels.pop();
            let bound = bound?;
            if matches!(bound.node, Node::Const(Value::Int(n)) if n < 0) {
                let code = crate::error::SqlState::new(if place == "LIMIT" { "2201W" } else { "2201X" });
                return Err(SqlError::new(code, format!("{place} must not be negative")));
            }
            Ok(Some(bound))
        };
        tree.limit = bind(self, limit, "LIMIT")?;
        tree.offset = bind(self, offset, "OFFSET")?;
        Ok(())
    }

    /// Binds WITH's queries, each visible to the next, and leaves them visible.
    pub(super) fn with_clause(&mut self, with: &With) -> SqlResult<(Vec<String>, Vec<ColumnRef>)> {
        let (mut items, mut outer) = (Vec::new(), Vec::new());
        let first = self.ctes.len();
        for cte in &with.cte_tables {
            let name = fold(&cte.alias.name);
            if self.ctes[first..].iter().any(|c| c.name == name) {
                let text = format!("WITH query name \"{name}\" specified more than once");
                return Err(SqlError::new(state::DUPLICATE_ALIAS, text));
            }
            if is_dml(&cte.query) {
                return Err(SqlError::unsupported("INSERT, UPDATE or DELETE in WITH"));
            }
            let given: Vec<String> = cte.alias.columns.iter().map(|c| fold(&c.name)).collect();
            let sql_name = format!("w{}", self.next_id());
            let (sql, columns) = match &*cte.query.body {
                SetExpr::SetOperation { op: SetOperator::Union, left, right, set_quantifier } if with.recursive => {
                    let all = *set_quantifier == SetQuantifier::All;
                    self.recursive_cte(&cte.query, left, right, all, &name, &sql_name, &given, &mut outer)?
                }
                _ => {
                    let mut tree = self.query_tree(&cte.query)?;
                    self.decide_outputs(&mut tree)?;
                    let columns = cte_columns(&name, &given, &tree.outputs())?;
                    let sub = tree.into_subquery(self);
                    outer.extend(sub.outer);
                    (sub.sql, columns)
                }
            };
            let materialized = match cte.materialized {
                None => "",
                Some(CteAsMaterialized::Materialized) => "MATERIALIZED ",
                Some(CteAsMaterialized::NotMaterialized) => "NOT MATERIALIZED ",
            };
            let names: Vec<String> = (1..=columns.len()).map(|i| format!("\"c{i}\"")).collect();
            let item = format!("\"{sql_name}\"({}) AS {materialized}({sql})", names.join(", "));
            self.with_items.insert(sql_name.clone(), item.clone());
            items.push(item);
            // A recursive one is there already.
            if !self.ctes[first..].iter().any(|c| c.name == name) {
                self.ctes.push(Rc::new(Cte { name, sql_name, columns }));
            }
        }
        Ok((items, outer))
    }

    fn recursive_cte(
        &mut self,
        query: &Query,
        left: &SetExpr,
        right: &SetExpr,
        all: bool,
        name: &str,
        sql_name: &str,
        given: &[String],
        outer: &mut Vec<ColumnRef>,
    ) -> SqlResult<(String, Vec<CteColumn>)> {
        if query.with.is_some() || query.order_by.is_some() || query.limit_clause.is_some() {
            return Err(SqlError::unsupported("ORDER BY, LIMIT or WITH in a recursive query"));
        }
        let mut base = self.body(left, outer)?;
        self.decide_body(&mut base)?;
        let outputs = base.outputs();
        let columns = cte_columns(name, given, &outputs)?;
        let cte = Cte { name: name.to_owned(), sql_name: sql_name.to_owned(), columns: columns.clone() };
        self.ctes.push(Rc::new(cte));
        self.effort = Effort::Open;
        let mut step = self.body(right, outer)?;
        if step.outputs().len() != outputs.len() {
            return Err(SqlError::syntax("each UNION query must have the same number of columns"));
        }
        for (i, out) in outputs.iter().enumerate() {
            let mut wrong = None;
            step.set_expr(i, &mut |expr| {
                let from = expr.ty;
                match self.try_coerce(expr, out.ty, NO_TYPMOD, CastContext::Implicit)? {
                    Some(expr) => Ok(expr),
                    None => {
                        wrong = Some(from);
                        Ok(Typed::null(out.ty))
                    }
                }
            })?;
            if let Some(from) = wrong {
                let text = format!(
                    "recursive query \"{name}\" column {} has type {} in non-recursive term but type {} overall",
                    i + 1,
                    type_name(out.ty),
                    type_name(from)
                );
                let hint = "Cast the output of the non-recursive term to the correct type.";
                return Err(SqlError::new(state::DATATYPE_MISMATCH, text).hint(hint));
            }
        }
        let operator = if all { "UNION ALL" } else { "UNION" };
        let sql = Body::Set { operator, left: Box::new(base), right: Box::new(step) }.sql(true);
        Ok((sql, columns))
    }

    fn body(&mut self, body: &SetExpr, outer: &mut Vec<ColumnRef>) -> SqlResult<Body> {
        match body {
            SetExpr::Select(select) => {
                let mut tree = QueryTree::empty();
                self.select(select, &[], &[], &mut tree)?;
                outer.extend(tree.outer);
                Ok(tree.body)
            }
            SetExpr::Query(query) => {
                let mut tree = self.query_tree(query)?;
                self.lock_inside(&mut tree);
                outer.extend(tree.outer.iter().cloned());
                Ok(Body::Query(Box::new(tree)))
            }
            SetExpr::Values(values) => {
                let mut rows = Vec::with_capacity(values.rows.len());
                self.levels.push(Level::new(Clause::Values));
                let bound = values.rows.iter().try_for_each(|row| {
                    rows.push(row.content.iter().map(|e| self.expr(e)).collect::<SqlResult<Vec<_>>>()?);
                    Ok(())
                });
                let level = self.levels.pop();
                bound?;
                outer.extend(level.into_iter().flat_map(|l| l.outer));
                self.values(rows)
            }
            SetExpr::SetOperation { left, op, set_quantifier, right } => {
                let (left, right) = (self.body(left, outer)?, self.body(right, outer)?);
                self.set_operation(left, *op, *set_quantifier, right)
            }
            SetExpr::Table(table) => {
                let name = table.table_name.clone().unwrap_or_default();
                let schema = table.schema_name.clone().map(|s| format!("{s}.")).unwrap_or_default();
                let query = super::parse_query(&format!("SELECT * FROM {schema}{name}"))?;
                self.body(&query.body, outer)
            }
            SetExpr::Insert(_) | SetExpr::Update(_) | SetExpr::Delete(_) | SetExpr::Merge(_) => {
                Err(SqlError::unsupported("a data-modifying statement inside of a query"))
            }
        }
    }

    fn values(&mut self, rows: Vec<Vec<Typed>>) -> SqlResult<Body> {
        let width = rows.first().map_or(0, Vec::len);
        if rows.iter().any(|r| r.len() != width) {
            return Err(SqlError::syntax("VALUES lists must all be the same length"));
        }
        let mut columns: Vec<std::vec::IntoIter<Typed>> = Vec::with_capacity(width);
        let height = rows.len();
        let mut by_column: Vec<Vec<Typed>> = (0..width).map(|_| Vec::with_capacity(height)).collect();
        for row in rows {
            for (column, expr) in by_column.iter_mut().zip(row) {
                column.push(expr);
            }
        }
        for column in by_column {
            // All undecided: what surrounds VALUES may still decide.
            let column = if column.iter().all(Typed::is_unknown) { column } else { self.unify(column, "VALUES")?.1 };
            columns.push(column.into_iter());
        }
        let rows = (0..height).map(|_| columns.iter_mut().filter_map(Iterator::next).collect()).collect();
        Ok(Body::Values(rows))
    }

    fn set_operation(
        &mut self,
        mut left: Body,
        op: SetOperator,
        quantifier: SetQuantifier,
        mut right: Body,
    ) -> SqlResult<Body> {
        let all = match quantifier {
            SetQuantifier::All => true,
            SetQuantifier::None | SetQuantifier::Distinct => false,
            _ => return Err(SqlError::unsupported("set operations BY NAME")),
        };
        let (name, operator) = match (op, all) {
            (SetOperator::Union, true) => ("UNION", "UNION ALL"),
            (SetOperator::Union, false) => ("UNION", "UNION"),
            (SetOperator::Intersect, false) => ("INTERSECT", "INTERSECT"),
            (SetOperator::Except | SetOperator::Minus, false) => ("EXCEPT", "EXCEPT"),
            (op, true) => return Err(SqlError::unsupported(format!("{op} ALL"))),
        };
        let width = left.outputs().len();
        if right.outputs().len() != width {
            return Err(SqlError::syntax(format!("each {name} query must have the same number of columns")));
        }
        for i in 0..width {
            let sides = [self.side(&left, i), self.side(&right, i)];
            let ty = self.common_type(&[&sides[0], &sides[1]], name)?;
            for body in [&mut left, &mut right] {
                self.coerce_body(body, i, ty, NO_TYPMOD, CastContext::Implicit)?;
            }
        }
        Ok(Body::Set { operator, left: Box::new(left), right: Box::new(right) })
    }

    fn side(&self, body: &Body, i: usize) -> Typed {
        let expr = body.expr(i);
        if body.outputs()[i].ty == Type::UNKNOWN { expr } else { Typed::null(body.outputs()[i].ty).at(expr.at) }
    }

    fn coerce_body(&mut self, body: &mut Body, i: usize, ty: Type, typmod: i32, context: CastContext) -> SqlResult<()> {
        body.set_expr(i, &mut |expr| {
            let (from, at) = (expr.ty, expr.at);
            let keep = if typmod == NO_TYPMOD { expr.typmod } else { typmod };
            let target = if from == ty { keep } else { typmod };
            self.try_coerce(expr, ty, target, context)?.ok_or_else(|| error_at(self, self.cannot_cast(from, ty), at))
        })
    }

    /// Brings an output column to a type.
    pub(super) fn coerce_output(
        &mut self,
        tree: &mut QueryTree,
        i: usize,
        ty: Type,
        typmod: i32,
        context: CastContext,
    ) -> SqlResult<()> {
        self.coerce_body(&mut tree.body, i, ty, typmod, context)
    }

    /// Stores an output column into a table's column.
    pub(super) fn assign_output(
        &mut self,
        tree: &mut QueryTree,
        i: usize,
        ty: Type,
        typmod: i32,
        column: &str,
    ) -> SqlResult<()> {
        tree.body.set_expr(i, &mut |expr| self.assign(expr, ty, typmod, Some(column)))
    }

    /// What nothing has decided becomes text.
    pub(super) fn decide_outputs(&mut self, tree: &mut QueryTree) -> SqlResult<()> {
        self.decide_body(&mut tree.body)
    }

    fn decide_body(&mut self, body: &mut Body) -> SqlResult<()> {
        for i in 0..body.outputs().len() {
            body.set_expr(i, &mut |expr| {
                if matches!(expr.node, Node::Row(_)) {
                    return Err(error_at(self, SqlError::unsupported("a row as a column of a result"), expr.at));
                }
                self.decide_text(expr)
            })?;
        }
        Ok(())
    }

    /// ORDER BY over a set operation or VALUES: names and ordinals of the output only.
    fn output_key(&mut self, key: &OrderByExpr, outputs: &[Out]) -> SqlResult<OrderKey> {
        let placeholder = direction(key, Typed::null(Type::UNKNOWN))?;
        if let Some(i) = self.ordinal(&key.expr, outputs.len(), "ORDER BY")? {
            return Ok(OrderKey::Output(i, placeholder));
        }
        if let Expr::Identifier(ident) = &key.expr {
            let name = fold(ident);
            if let Some(i) = outputs.iter().position(|o| o.name == name) {
                return Ok(OrderKey::Output(i, placeholder));
            }
            let e = SqlError::new(state::UNDEFINED_COLUMN, format!("column \"{name}\" does not exist"));
            return Err(error_at(self, e, ident.span.start));
        }
        Err(SqlError::new(state::FEATURE_NOT_SUPPORTED, "invalid UNION/INTERSECT/EXCEPT ORDER BY clause")
            .detail("Only result column names can be used, not expressions or functions.")
            .hint("Add the expression/function to every SELECT, or move the UNION into a FROM clause."))
    }

    /// An integer constant in ORDER BY or GROUP BY is a position in the select list.
    fn ordinal(&mut self, expr: &Expr, width: usize, place: &str) -> SqlResult<Option<usize>> {
        let Expr::Value(value) = expr else { return Ok(None) };
        let at = value.span.start;
        match &value.value {
            Literal::Number(digits, _) => match digits.parse::<usize>() {
                Ok(n) if (1..=width).contains(&n) => Ok(Some(n - 1)),
                Ok(n) => {
                    let e = SqlError::new(
                        state::INVALID_COLUMN_REFERENCE,
                        format!("{place} position {n} is not in select list"),
                    );
                    Err(error_at(self, e, at))
                }
                Err(_) => Err(error_at(self, SqlError::syntax(format!("non-integer constant in {place}")), at)),
            },
            Literal::Placeholder(_) => Ok(None),
            _ => Err(error_at(self, SqlError::syntax(format!("non-integer constant in {place}")), at)),
        }
    }

    fn select(
        &mut self,
        select: &Select,
        order: &[OrderByExpr],
        locks: &[LockClause],
        tree: &mut QueryTree,
    ) -> SqlResult<()> {
        refuse_foreign(select)?;
        self.levels.push(Level::new(Clause::From));
        let result = self.select_inner(select, order, locks, tree);
        let level = self.levels.pop();
        self.effort = self.effort.max(level.as_ref().map_or(Effort::Key, |level| effort(level, tree.short)));
        tree.outer.extend(level.into_iter().flat_map(|l| l.outer));
        result
    }

    fn select_inner(
        &mut self,
        select: &Select,
        order: &[OrderByExpr],
        locks: &[LockClause],
        tree: &mut QueryTree,
    ) -> SqlResult<()> {
        let from = self.bind_from(&select.from)?;
        let filter = match &select.selection {
            None => None,
            Some(filter) => Some(self.within(Clause::Where, |this| {
                let filter = this.expr(filter)?;
                this.condition(filter, "WHERE")
            })?),
        };
        for window in &select.named_window {
            let over = match &window.1 {
                NamedWindowExpr::WindowSpec(spec) => self.window(spec)?,
                NamedWindowExpr::NamedWindow(_) => return Err(SqlError::syntax("a window's definition is expected")),
            };
            let name = fold(&window.0);
            self.level().windows.push((name, over));
        }
        let columns = self.within(Clause::Select, |this| this.select_list(&select.projection))?;
        let mut group = Vec::new();
        let grouping = match &select.group_by {
            GroupByExpr::Expressions(exprs, modifiers) if modifiers.is_empty() => exprs,
            _ => return Err(SqlError::unsupported("GROUPING SETS")),
        };
        for expr in grouping {
            let bound = self.group_item(expr, &columns)?;
            if bound.has_aggregate() || bound.has_window() {
                let what = if bound.has_window() { "window" } else { "aggregate" };
                let code = if bound.has_window() { state::WINDOWING_ERROR } else { state::GROUPING_ERROR };
                let text = format!("{what} functions are not allowed in GROUP BY");
                return Err(error_at(self, SqlError::new(code, text), bound.at));
            }
            group.push(bound);
        }
        let having = match &select.having {
            None => None,
            Some(having) => Some(self.within(Clause::Having, |this| {
                let having = this.expr(having)?;
                this.condition(having, "HAVING")
            })?),
        };
        let (distinct, on) = match &select.distinct {
            None | Some(Distinct::All) => (false, &[][..]),
            Some(Distinct::Distinct) => (true, &[][..]),
            Some(Distinct::On(exprs)) => (false, &exprs[..]),
        };
        let mut keys = Vec::with_capacity(order.len());
        for key in order {
            keys.push(self.within(Clause::OrderBy, |this| this.order_key(key, &columns))?);
        }
        let mut on_exprs = Vec::with_capacity(on.len());
        for expr in on {
            on_exprs.push(self.group_item(expr, &columns)?);
        }
        self.check_distinct(distinct, &on_exprs, &mut keys, &columns)?;
        let key_exprs = |keys: &[OrderKey]| -> Vec<Typed> {
            keys.iter().filter_map(|k| if let OrderKey::Expr(k) = k { Some(k.expr.clone()) } else { None }).collect()
        };
        let ordered = key_exprs(&keys);
        let aggregated = !group.is_empty()
            || having.is_some()
            || columns.iter().map(|c| &c.expr).chain(&ordered).any(Typed::has_aggregate);
        if aggregated {
            for expr in columns.iter().map(|c| &c.expr).chain(having.as_ref()).chain(&ordered).chain(&on_exprs) {
                self.check_grouped(expr, &group)?;
            }
        }
        let sets = std::mem::take(&mut self.level().sets);
        if !sets.is_empty() && aggregated {
            return Err(SqlError::unsupported("a set-returning function in the select list of a query with groups"));
        }
        (tree.lock, tree.locked) = self.row_lock(locks, aggregated || distinct || !on_exprs.is_empty())?;
        tree.short = !aggregated && sets.is_empty() && self.is_short(filter.as_ref());
        let from = with_sets(from, &sets);
        // HAVING without GROUP BY: one group of all rows.
        if having.is_some() && group.is_empty() && !columns.iter().any(|c| c.expr.has_aggregate()) {
            group.push(Typed::null(Type::TEXT));
        }
        tree.order = keys;
        tree.body = Body::Select(Box::new(SelectTree {
            distinct,
            on: on_exprs,
            columns,
            from,
            filter,
            group,
            having,
            aggregated,
            hidden: Vec::new(),
            guard: None,
        }));
        Ok(())
    }

    pub(super) fn select_list(&mut self, items: &[SelectItem]) -> SqlResult<Vec<Named>> {
        let mut columns = Vec::with_capacity(items.len());
        for item in items {
            match item {
                SelectItem::UnnamedExpr(expr) => {
                    let name = output_name(expr).0;
                    columns.push(Named { name, expr: self.expr(expr)? });
                }
                SelectItem::ExprWithAlias { expr, alias } => {
                    columns.push(Named { name: fold(alias), expr: self.expr(expr)? });
                }
                SelectItem::Wildcard(_) => {
                    let level = self.level();
                    if level.names.ranges.is_empty() {
                        return Err(SqlError::syntax("SELECT * with no tables specified is not valid"));
                    }
                    columns.extend(level.names.columns.iter().cloned());
                }
                SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::ObjectName(name), _) => {
                    columns.extend(self.table_wildcard(name)?);
                }
                other => return Err(SqlError::unsupported(format!("{other} in a select list"))),
            }
        }
        if columns.len() > 1664 {
            return Err(SqlError::new(
                crate::error::SqlState::new("54011"),
                "target lists can have at most 1664 entries",
            ));
        }
        Ok(columns)
    }

    fn table_wildcard(&mut self, name: &sqlparser::ast::ObjectName) -> SqlResult<Vec<Named>> {
        let names = parts(name)?;
        let at = name_start(name);
        let (schema, table) = match &names[..] {
            [table] => (None, table),
            [.., schema, table] => (Some(schema.as_str()), table),
            [] => return Err(SqlError::syntax("zero-length name")),
        };
        for depth in (0..self.levels.len()).rev() {
            if let Some(range) = self.levels[depth].names.range(schema, table) {
                return Ok(range.columns.clone());
            }
        }
        let e = SqlError::new(state::UNDEFINED_TABLE, format!("missing FROM-clause entry for table \"{table}\""));
        Err(error_at(self, e, at))
    }

    /// GROUP BY and DISTINCT ON: an input column, a position, an output name, or an expression.
    fn group_item(&mut self, expr: &Expr, columns: &[Named]) -> SqlResult<Typed> {
        if let Some(i) = self.ordinal(expr, columns.len(), "GROUP BY")? {
            return self.decide_text(columns[i].expr.clone());
        }
        if matches!(expr, Expr::Rollup(_) | Expr::Cube(_) | Expr::GroupingSets(_)) {
            return Err(SqlError::unsupported("GROUPING SETS"));
        }
        if let Expr::Tuple(items) = expr
            && items.is_empty()
        {
            return Ok(Typed::null(Type::TEXT));
        }
        if let Expr::Identifier(ident) = expr {
            let name = fold(ident);
            let input = self.level().names.find(&name).is_ok_and(|found| found.is_none());
            let mut named = columns.iter().filter(|c| c.name == name);
            if let (true, Some(column)) = (input, named.next()) {
                return self.decide_text(column.expr.clone());
            }
        }
        let bound = self.within(Clause::GroupBy, |this| this.expr(expr))?;
        self.decide_text(bound)
    }

    /// ORDER BY: a position, an output name, or an expression over the input.
    fn order_key(&mut self, key: &OrderByExpr, columns: &[Named]) -> SqlResult<OrderKey> {
        if let Some(i) = self.ordinal(&key.expr, columns.len(), "ORDER BY")? {
            return Ok(OrderKey::Output(i, direction(key, Typed::null(Type::UNKNOWN))?));
        }
        if let Expr::Identifier(ident) = &key.expr {
            let name = fold(ident);
            let mut named = columns.iter().enumerate().filter(|(_, c)| c.name == name);
            if let Some((i, first)) = named.next() {
                if named.any(|(_, c)| c.expr != first.expr) {
                    let e = SqlError::new(state::AMBIGUOUS_COLUMN, format!("ORDER BY \"{name}\" is ambiguous"));
                    return Err(error_at(self, e, ident.span.start));
                }
                return Ok(OrderKey::Output(i, direction(key, Typed::null(Type::UNKNOWN))?));
            }
        }
        let key = self.sort_key(key)?;
        // A selected expression is sorted by as it is selected: computed once.
        let same = columns.iter().position(|c| c.expr == key.expr && !matches!(key.expr.node, Node::Column(_)));
        Ok(match same {
            Some(i) => OrderKey::Output(i, key),
            None => OrderKey::Expr(key),
        })
    }

    fn check_distinct(&self, distinct: bool, on: &[Typed], keys: &mut [OrderKey], columns: &[Named]) -> SqlResult<()> {
        let wrong = |text: &str| Err(SqlError::new(state::INVALID_COLUMN_REFERENCE, text));
        for (i, key) in keys.iter_mut().enumerate() {
            let expr = match key {
                OrderKey::Output(i, _) => &columns[*i].expr,
                OrderKey::Expr(k) => &k.expr,
            };
            if i < on.len() && !on.contains(expr) {
                return wrong("SELECT DISTINCT ON expressions must match initial ORDER BY expressions");
            }
            if distinct && let OrderKey::Expr(k) = key {
                match columns.iter().position(|c| c.expr == k.expr) {
                    Some(at) => *key = OrderKey::Output(at, k.clone()),
                    None => return wrong("for SELECT DISTINCT, ORDER BY expressions must appear in select list"),
                }
            }
        }
        Ok(())
    }

    /// Every column outside of aggregates is grouped by, or decided by what is.
    fn check_grouped(&mut self, expr: &Typed, group: &[Typed]) -> SqlResult<()> {
        let mut bad: Option<(ColumnRef, sqlparser::tokenizer::Location)> = None;
        let own: Vec<usize> = self.own_ranges();
        let determined = self.determined(group);
        expr.walk(&mut |e| {
            if bad.is_some() || group.contains(e) {
                return false;
            }
            match &e.node {
                Node::Call(call) if call.over.is_none() => return false,
                Node::Column(c) if own.contains(&c.range) && !determined.contains(&c.range) => {
                    bad = Some((c.clone(), e.at))
                }
                Node::Query(query) => {
                    let loose = |c: &&ColumnRef| {
                        own.contains(&c.range)
                            && !determined.contains(&c.range)
                            && !group.iter().any(|g| matches!(&g.node, Node::Column(k) if k == *c))
                    };
                    if let Some(c) = query.outer.iter().find(loose) {
                        bad = Some((c.clone(), e.at));
                    }
                }
                _ => {}
            }
            true
        });
        let Some((column, at)) = bad else { return Ok(()) };
        let name = self.shown(&column);
        let text = format!("column \"{name}\" must appear in the GROUP BY clause or be used in an aggregate function");
        Err(error_at(self, SqlError::new(state::GROUPING_ERROR, text), at))
    }

    fn own_ranges(&mut self) -> Vec<usize> {
        let names = &self.level().names;
        let mut all: Vec<usize> = names.ranges.iter().map(|r| r.id).collect();
        // The ranges below an alias of a join.
        for range in &names.ranges {
            for column in &range.columns {
                column.expr.walk(&mut |e| {
                    if let Node::Column(c) = &e.node {
                        all.push(c.range);
                    }
                    true
                });
            }
        }
        all.extend(names.columns.iter().filter_map(|c| match &c.expr.node {
            Node::Column(c) => Some(c.range),
            _ => None,
        }));
        all.sort_unstable();
        all.dedup();
        all
    }

    /// FROM items all of whose primary key is grouped by: the rest of their columns follows.
    fn determined(&mut self, group: &[Typed]) -> Vec<usize> {
        let ranges = &self.level().names.ranges;
        let grouped = |range: usize, attnum: i16| {
            group.iter().any(|g| matches!(&g.node, Node::Column(c) if c.range == range && c.attnum == attnum))
        };
        ranges
            .iter()
            .filter(|r| {
                let Some(relation) = &r.relation else { return false };
                relation.constraints.iter().any(|c| {
                    matches!(c.kind, ConstraintKind::PrimaryKey { .. }) && c.columns.iter().all(|n| grouped(r.id, *n))
                })
            })
            .map(|r| r.id)
            .collect()
    }

    /// A column as messages name it.
    fn shown(&mut self, column: &ColumnRef) -> String {
        for range in &self.level().names.ranges {
            for named in &range.columns {
                if matches!(&named.expr.node, Node::Column(c) if c == column) {
                    return format!("{}.{}", range.alias, named.name);
                }
            }
        }
        column.sql.replace('"', "")
    }

    fn row_lock(&mut self, locks: &[LockClause], grouped: bool) -> SqlResult<(Option<RowLock>, Vec<usize>)> {
        if locks.is_empty() {
            return Ok((None, Vec::new()));
        }
        let mut ranges = Vec::new();
        if grouped {
            return Err(SqlError::new(
                state::FEATURE_NOT_SUPPORTED,
                "FOR UPDATE is not allowed with DISTINCT, GROUP BY or aggregate functions",
            ));
        }
        let (weakest, wait) = (LockStrength::KeyShare, LockWait::Wait);
        let mut lock = RowLock { strength: weakest, wait, tables: vec![], sql: "".into() };
        for clause in locks {
            let (marked, wanted) = locked_names(clause.of.as_ref().map(parts).transpose()?.unwrap_or_default());
            let strength = marked.unwrap_or(match clause.lock_type {
                LockType::Share => LockStrength::Share,
                LockType::Update => LockStrength::Update,
            });
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
            let hits = here.iter().filter(|range| wanted.as_ref().is_none_or(|names| names.contains(&range.alias)));
            let relations: Vec<(usize, Option<Arc<Relation>>)> = hits.map(|r| (r.id, r.relation.clone())).collect();
            for (range, relation) in relations {
                let Some(relation) = relation.filter(|r| r.kind == RelationKind::Table) else { continue };
                if !ranges.contains(&range) {
                    ranges.push(range);
                    lock.tables.push(relation.oid);
                }
            }
        }
        Ok((Some(lock), ranges))
    }

    /// One table, by equality on all columns of a unique index; or no table.
    pub(super) fn is_short(&mut self, filter: Option<&Typed>) -> bool {
        let (id, relation) = match &self.level().names.ranges[..] {
            [] => return true,
            [range] => match &range.relation {
                Some(relation) if relation.kind == RelationKind::Table => (range.id, relation.clone()),
                _ => return false,
            },
            _ => return false,
        };
        let mut fixed = Vec::new();
        if let Some(filter) = filter {
            fixed_columns(filter, id, &mut fixed);
        }
        let fixed: Vec<i16> = fixed.into_iter().map(|(column, _)| column).collect();
        relation
            .indexes
            .iter()
            .filter(|i| i.unique && i.predicate.is_none())
            .any(|index| index.keys.iter().all(|k| k.column.is_some_and(|n| fixed.contains(&n))))
    }
}

/// What a SELECT takes that has bound its FROM; `short`: it looks rows up by a unique key.
fn effort(level: &Level, short: bool) -> Effort {
    match level.sources {
        0 => Effort::Key,
        1 if short => Effort::Key,
        1 if level.outer.is_empty() => Effort::Pass,
        // Each row of one with each of the others, or all of it for each row of the query around.
        _ => Effort::Open,
    }
}

/// The columns that every row passing `filter` has one value in, and that value.
pub(super) fn fixed_columns<'a>(filter: &'a Typed, range: usize, fixed: &mut Vec<(i16, &'a Typed)>) {
    let Node::Apply(template, args) = &filter.node else { return };
    if template == "({0} AND {1})" {
        return args.iter().for_each(|a| fixed_columns(a, range, fixed));
    }
    if !(is_native(template) && template.contains(" = ")) {
        return;
    }
    let free = |e: &Typed| {
        !e.any(&|e| match &e.node {
            Node::Column(c) => c.range == range,
            Node::Query(_) => true,
            _ => false,
        })
    };
    for (this, other) in [(&args[0], &args[1]), (&args[1], &args[0])] {
        if let Node::Column(c) = &this.node
            && c.range == range
            && free(other)
        {
            fixed.push((c.attnum, other));
        }
    }
}

fn cte_columns(name: &str, given: &[String], outputs: &[Out]) -> SqlResult<Vec<CteColumn>> {
    if given.len() > outputs.len() {
        let text = format!(
            "WITH query \"{name}\" has {} columns available but {} columns specified",
            outputs.len(),
            given.len()
        );
        return Err(SqlError::new(state::INVALID_COLUMN_REFERENCE, text));
    }
    let column = |(i, out): (usize, &Out)| (given.get(i).unwrap_or(&out.name).clone(), out.ty, out.typmod);
    Ok(outputs.iter().enumerate().map(column).collect())
}

/// Syntax of other dialects that the parser lets through.
fn refuse_foreign(select: &Select) -> SqlResult<()> {
    if select.into.is_some() {
        return Err(SqlError::unsupported("SELECT INTO"));
    }
    let foreign = select.top.is_some()
        || select.exclude.is_some()
        || !select.lateral_views.is_empty()
        || select.prewhere.is_some()
        || !select.connect_by.is_empty()
        || !select.cluster_by.is_empty()
        || !select.distribute_by.is_empty()
        || !select.sort_by.is_empty()
        || select.qualify.is_some()
        || select.value_table_mode.is_some()
        || select.select_modifiers.is_some();
    if foreign { Err(SqlError::syntax("syntax error in SELECT")) } else { Ok(()) }
}

/// The name of an output column without an alias, and how strongly the expression suggests it (as in Postgres: 2 beats a
/// cast's type name).
fn output_name(expr: &Expr) -> (String, u8) {
    let strong = |name: &str| (name.to_owned(), 2);
    match expr {
        Expr::Nested(e) => output_name(e),
        Expr::Identifier(ident) => (fold(ident), 2),
        Expr::CompoundIdentifier(idents) => idents.last().map_or(("?column?".into(), 0), |i| (fold(i), 2)),
        Expr::CompoundFieldAccess { root, access_chain } => {
            let dotted = access_chain.iter().rev().find_map(|a| match a {
                AccessExpr::Dot(Expr::Identifier(ident)) => Some(fold(ident)),
                _ => None,
            });
            dotted.map_or_else(|| output_name(root), |name| (name, 2))
        }
        Expr::Function(f) => {
            let name = parts(&f.name).ok().and_then(|p| p.last().cloned());
            (name.unwrap_or("?column?".into()), 2)
        }
        Expr::Cast { expr, data_type, .. } => match output_name(expr) {
            (name, 2) => (name, 2),
            _ => (column_name(data_type), 1),
        },
        Expr::TypedString(typed) => (column_name(&typed.data_type), 1),
        Expr::Interval(_) => ("interval".into(), 1),
        Expr::Collate { expr, .. } => output_name(expr),
        Expr::Case { else_result, .. } => match else_result.as_ref().map(|e| output_name(e)) {
            Some((name, 2)) => (name, 2),
            _ => ("case".into(), 1),
        },
        Expr::Exists { .. } => strong("exists"),
        Expr::Array(_) => strong("array"),
        Expr::Tuple(_) => strong("row"),
        Expr::Extract { .. } => strong("extract"),
        Expr::Ceil { .. } => strong("ceil"),
        Expr::Floor { .. } => strong("floor"),
        Expr::Position { .. } => strong("position"),
        Expr::Substring { .. } => strong("substring"),
        Expr::Overlay { .. } => strong("overlay"),
        Expr::Trim { trim_where, .. } => strong(trim_name(trim_where)),
        Expr::AtTimeZone { .. } => strong("timezone"),
        Expr::Subquery(query) => match &*query.body {
            SetExpr::Select(select) => match select.projection.first() {
                Some(SelectItem::UnnamedExpr(e)) => output_name(e),
                Some(SelectItem::ExprWithAlias { alias, .. }) => (fold(alias), 2),
                _ => ("?column?".into(), 0),
            },
            SetExpr::Values(_) => strong("column1"),
            _ => ("?column?".into(), 0),
        },
        _ => ("?column?".into(), 0),
    }
}
