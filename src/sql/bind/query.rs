//! Queries: SELECT, VALUES, set operations, WITH, ORDER BY, LIMIT.
//!
//! What surrounds a query may still decide the types of its columns: UNION's common types, INSERT's columns, undecided
//! literals.

use super::coerce::column_name;
use super::from::in_step;
use super::grouping::{GROUPING, Sets};
use super::lock::strength_of;
use super::names::{Clause, Level, Names, fold, name_start, parts};
use super::phrase::Peers;
use super::scalar::{direction, fields_of, trim_name};
use super::{Binder, CteColumn, Inside, Selected, Spot, Visible, class, error_at, spot};
use crate::error::{SqlError, SqlResult, state};
use crate::functions::{CastContext, frames, lookup_functions};
use crate::sql::catalog::{Column as Stored, Index, Relation};
use crate::sql::ir::{
    Body, Column, Cte, FromItem, Materialized, Named, Node, Op, OrderKey, Out, Part, Place, Query as Tree,
    Select as SelectTree, SetOperator as Operator, Side, SortKey, SubQuery, Typed,
};
use crate::sql::phrases;
use crate::sql::plan::Effort;
use crate::sql::traversal::Traversal;
use crate::types::{NO_TYPMOD, Type};
use crate::value::Value;
use sqlparser::ast::{
    AccessExpr, BinaryOperator, CteAsMaterialized, Distinct, Expr, FunctionArg, FunctionArgExpr, FunctionArguments,
    GroupByExpr, LimitClause, LockClause, NamedWindowExpr, ObjectName, OrderByExpr, OrderByKind, Query, Select,
    SelectItem, SelectItemQualifiedWildcardKind, SetExpr, SetOperator, SetQuantifier, Spanned, UnaryOperator,
    Value as Literal, With, visit_relations,
};
use std::ops::ControlFlow;
use std::rc::Rc;

/// Whether a statement that the parser calls a query is INSERT, UPDATE or DELETE behind WITH.
pub fn is_dml(query: &Query) -> bool {
    matches!(&*query.body, SetExpr::Insert(_) | SetExpr::Update(_) | SetExpr::Delete(_) | SetExpr::Merge(_))
}

/// SQLite takes 500 queries in one compound; a longer chain is one of chains.
const OPERATIONS_AT_ONCE: usize = 400;
/// SQLite flattens compounds of compounds again, and goes down one level of its stack for each operation.
const MAX_OPERATIONS: usize = 2000;
/// What a query costs besides its expressions.
const STEPS_OF_A_QUERY: u64 = 16;

impl Binder<'_> {
    /// A query inside of the statement that locks rows: it is run by itself first, to find and to lock them, and in its
    /// place means those. So it must stand alone.
    pub(super) fn lock_inside(&mut self, tree: &mut Tree) {
        if tree.lock.as_ref().is_none_or(|lock| lock.tables.is_empty()) {
            return;
        }
        let unsupported = |text: &str| Some(SqlError::unsupported(text));
        if !tree.outer.is_empty() {
            self.refused = unsupported("FOR UPDATE in a subquery that refers to the query around it");
            return;
        }
        let mut kept = false;
        tree.parts(&mut |part| kept |= matches!(part, Part::From(FromItem::Kept { .. })));
        if kept {
            self.refused = unsupported("FOR UPDATE of a table that another part of the statement changes");
            return;
        }
        let visible = self.ctes.iter().filter(|c| !c.silent);
        let items: Option<Vec<Rc<Cte>>> = visible.map(|c| c.item.clone()).collect();
        let (Some(items), None) = (items, &self.inside) else {
            self.refused = unsupported("several queries with FOR UPDATE in one statement");
            return;
        };
        tree.tell_rows(true);
        self.inside = Some(Inside { query: tree.clone(), with: items });
        tree.lock = None;
        if let Body::Select(select) = &mut tree.body {
            select.hidden.clear();
        }
    }

    /// Puts a query into an expression or a FROM item.
    pub(super) fn embed(&mut self, mut tree: Tree) -> SubQuery {
        self.subqueries += 1;
        self.lock_inside(&mut tree);
        let outer = std::mem::take(&mut tree.outer);
        SubQuery { query: tree, outer, single: false }
    }

    /// Binds a query; its literals and parameters may stay undecided in its columns.
    pub(super) fn query_tree(&mut self, query: &Query) -> SqlResult<Tree> {
        if let Some(Clause::Column(kept)) = self.levels.last().map(|level| level.clause) {
            return Err(SqlError::new(state::FEATURE_NOT_SUPPORTED, format!("cannot use subquery in {}", kept.name())));
        }
        self.scope.allowance.spend(STEPS_OF_A_QUERY)?;
        let before = self.ctes.len();
        let result = self.deeper(|this| this.query_inner(query));
        self.ctes.truncate(before);
        result
    }

    fn query_inner(&mut self, query: &Query) -> SqlResult<Tree> {
        if query.for_clause.is_some()
            || query.settings.is_some()
            || query.format_clause.is_some()
            || !query.pipe_operators.is_empty()
        {
            return Err(SqlError::syntax("syntax error in the query's tail"));
        }
        let mut tree = Tree::of(Body::Values(vec![]));
        if self.notes.is_some() {
            tree.place = Place(place_of(query));
        }
        if let Some(with) = &query.with {
            (tree.with, tree.outer) = self.with_clause(with)?;
            tree.recursive = with.recursive;
        }
        let mut names = Names::default();
        let keys: &[OrderByExpr] = match &query.order_by {
            None => &[],
            Some(order) => match &order.kind {
                OrderByKind::Expressions(keys) if order.interpolate.is_none() => keys,
                _ => return Err(SqlError::unsupported("ORDER BY ALL")),
            },
        };
        match &*query.body {
            SetExpr::Select(select) => names = self.select(select, keys, &query.locks, &mut tree)?,
            other => {
                tree.body = self.body(other, &mut tree.outer)?;
                let combined = matches!(other, SetExpr::SetOperation { .. });
                no_locks(query, if combined { NOT_COMBINED } else { "cannot be applied to VALUES" })?;
                tree.order = keys.iter().map(|k| self.output_key(k, &tree.body.outputs())).collect::<SqlResult<_>>()?;
                if let (Some(notes), Some(first)) = (self.own_notes(), keys.first()) {
                    notes.orders.insert(spot(first.expr.span().start), tree.order.clone());
                }
            }
        }
        if let Some(peers) = self.limits(query, names, &mut tree)? {
            self.limited_by_numbers(&mut tree, peers)?;
        }
        Ok(tree)
    }

    /// LIMIT and OFFSET, which may not read the columns of these names; how rows are numbered if SQLite's LIMIT does not do.
    fn limits(&mut self, query: &Query, names: Names, tree: &mut Tree) -> SqlResult<Option<Peers>> {
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
        let tied = limit.and_then(|limit| match limit {
            Expr::Function(call) if call.name.0.last()?.as_ident()?.value == phrases::TIES => match &call.args {
                FunctionArguments::List(list) => match &list.args[..] {
                    [FunctionArg::Unnamed(FunctionArgExpr::Expr(limit))] => Some(limit),
                    _ => None,
                },
                _ => None,
            },
            _ => None,
        });
        let ties = tied.is_some();
        let limit = tied.or(limit);
        let mut read = Vec::new();
        let mut bind = |this: &mut Self, expr: Option<&Expr>, place: &str| -> SqlResult<Option<Typed>> {
            let Some(expr) = expr else { return Ok(None) };
            let names = if matches!(expr, Expr::Value(_)) { Names::default() } else { names.clone() };
            this.levels.push(Level { names, ..Level::new(Clause::Limit) });
            let bound = this.expr(expr).and_then(|e| this.count(e, place));
            let outer = this.levels.pop().map(|level| level.outer).unwrap_or_default();
            let bound = bound?;
            let own = |column: &Column| !outer.contains(column);
            let reads = |e: &Typed| match &e.node {
                Node::Column(column) | Node::Kept { column, .. } => own(column),
                Node::Query(sub) => sub.outer.iter().any(own),
                _ => false,
            };
            if bound.any(&reads) {
                let text = format!("argument of {place} must not contain variables");
                return Err(error_at(this, SqlError::new(state::INVALID_COLUMN_REFERENCE, text), bound.at));
            }
            read.extend(outer);
            if let Some(notes) = this.own_notes() {
                notes.limits.insert(spot(expr.span().start), bound.clone());
            }
            match bound.node {
                Node::Const(Value::Int(n)) if n < 0 => Err(frames::negative(place)),
                Node::Const(_) => Ok(Some(bound)),
                _ => {
                    let checked = Op::Function(lookup_functions("q_limit")[0]);
                    Ok(Some(Typed::apply(Type::INT8, checked, vec![bound, Typed::text(place)])))
                }
            }
        };
        tree.limit = bind(self, limit, "LIMIT")?;
        tree.offset = bind(self, offset, "OFFSET")?;
        // SQLite's LIMIT reads no columns.
        let counted = !read.is_empty();
        tree.outer.extend(read);
        Ok(match (ties, counted) {
            (true, _) => Some(Peers::Count),
            (false, true) => Some(Peers::Differ),
            (false, false) => None,
        })
    }

    /// Binds WITH's queries, each visible to the next, and leaves them visible.
    pub(super) fn with_clause(&mut self, with: &With) -> SqlResult<(Vec<Rc<Cte>>, Vec<Column>)> {
        self.parts.depth += 1;
        let result = self.with_queries(with);
        self.parts.depth -= 1;
        result
    }

    fn with_queries(&mut self, with: &With) -> SqlResult<(Vec<Rc<Cte>>, Vec<Column>)> {
        let (mut items, mut outer) = (Vec::new(), Vec::new());
        // What the data changes among them change: a query may run after all of them, wherever it stands.
        let changes = with.cte_tables.iter().any(|cte| is_dml(&cte.query));
        let changed = if changes { self.changed_in_with(with) } else { vec![] };
        let all_changed = changed.last().cloned().unwrap_or_default();
        let first = self.ctes.len();
        for (number, cte) in with.cte_tables.iter().enumerate() {
            let name = fold(&cte.alias.name);
            if self.ctes[first..].iter().any(|c| c.name == name) {
                let text = format!("WITH query name \"{name}\" specified more than once");
                return Err(SqlError::new(state::DUPLICATE_ALIAS, text));
            }
            let sql_name = format!("w{}", self.next_id());
            if is_dml(&cte.query) {
                self.parts.changed = changed[number].clone();
                let (item, columns) = self.change_in_with(cte, with.recursive, &sql_name)?;
                let silent = item.is_none();
                items.extend(item.clone());
                self.ctes.push(Rc::new(Visible { name, sql_name, columns, item, silent }));
                continue;
            }
            if changes {
                self.parts.changed.clone_from(&all_changed);
            }
            let named = cte.alias.columns.iter().filter(|c| Traversal::of(&c.name.value).is_none());
            let given: Vec<String> = named.map(|c| fold(&c.name)).collect();
            let traversal = traversal_of(cte);
            let (query, columns) = match &*cte.query.body {
                SetExpr::SetOperation { op: SetOperator::Union, left, right, set_quantifier }
                    if with.recursive && (traversal.is_some() || reads(&cte.query, &name)) =>
                {
                    let all = *set_quantifier == SetQuantifier::All;
                    let traversal = traversal.as_ref();
                    self.recursive_cte(&cte.query, left, right, all, &name, &sql_name, &given, traversal, &mut outer)?
                }
                _ if traversal.is_some() => {
                    return Err(SqlError::syntax("WITH query is not recursive"));
                }
                _ => {
                    let mut tree = self.query_tree(&cte.query)?;
                    self.decide_outputs(&mut tree)?;
                    let columns = cte_columns(&name, &given, &tree.outputs())?;
                    self.note_cte_shapes(&sql_name, &tree.body);
                    let sub = self.embed(tree);
                    outer.extend(sub.outer);
                    (sub.query, columns)
                }
            };
            let materialized = match cte.materialized {
                None => Materialized::Unsaid,
                Some(CteAsMaterialized::Materialized) => Materialized::Yes,
                Some(CteAsMaterialized::NotMaterialized) => Materialized::No,
            };
            let item = Rc::new(Cte { name: sql_name.clone(), width: columns.len(), materialized, query });
            // A recursive one is there already.
            self.ctes.retain(|c| c.sql_name != sql_name);
            self.ctes.push(Rc::new(Visible { name, sql_name, columns, item: Some(item.clone()), silent: false }));
            items.push(item);
        }
        if changes {
            self.parts.changed = all_changed;
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
        traversal: Option<&Traversal>,
        outer: &mut Vec<Column>,
    ) -> SqlResult<(Tree, Vec<CteColumn>)> {
        let (limit, offset) = match &query.limit_clause {
            Some(LimitClause::LimitOffset { limit, offset, .. }) => (limit.is_some(), offset.is_some()),
            other => (other.is_some(), false),
        };
        let locks = !query.locks.is_empty();
        let refused =
            [(query.order_by.is_some(), "ORDER BY"), (offset, "OFFSET"), (limit, "LIMIT"), (locks, "FOR UPDATE/SHARE")];
        if let Some((_, what)) = refused.into_iter().find(|(given, _)| *given) {
            let text = format!("{what} in a recursive query is not implemented");
            return Err(SqlError::new(state::FEATURE_NOT_SUPPORTED, text));
        }
        locks_nothing(left)?;
        locks_nothing(right)?;
        let visible = self.ctes.len();
        let (mut with, mut inner_recursive) = (Vec::new(), false);
        if let Some(clause) = &query.with {
            if clause.cte_tables.iter().any(|cte| reads(&cte.query, name)) {
                return Err(SqlError::unsupported("mutual, repeated or nested recursion in WITH RECURSIVE"));
            }
            let (items, read) = self.with_clause(clause)?;
            outer.extend(read);
            (with, inner_recursive) = (items, clause.recursive);
        }
        let mut base = self.body(left, outer)?;
        self.decide_body(&mut base)?;
        let outputs = base.outputs();
        let mut columns = cte_columns(name, given, &outputs)?;
        let (known, sql_name) = (name.to_owned(), sql_name.to_owned());
        let itself = sql_name.clone();
        self.ctes.push(Rc::new(Visible { name: known, sql_name, columns: columns.clone(), item: None, silent: false }));
        self.effort = Effort::Open;
        let mut step = self.body(right, outer)?;
        check_recursive_term(&mut step, all)?;
        if let Body::Select(select) = &step
            && select.from.iter().any(|item| is_optional(item, &itself, false))
        {
            let text = format!("recursive reference to query \"{name}\" must not appear within an outer join");
            return Err(SqlError::new(crate::error::SqlState::new("42P19"), text));
        }
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
                    self.type_name(out.ty),
                    self.type_name(from)
                );
                let hint = "Cast the output of the non-recursive term to the correct type.";
                return Err(SqlError::new(state::DATATYPE_MISMATCH, text).hint(hint));
            }
        }
        if let Some(traversal) = traversal {
            self.traverse(traversal, name, &itself, &mut columns, &mut base, &mut step)?;
        }
        self.ctes.truncate(visible);
        let operator = if all { Operator::UnionAll } else { Operator::Step };
        let body = Body::Set { operator, left: Box::new(base), right: Box::new(step) };
        Ok((Tree { with, recursive: inner_recursive, ..Tree::of(body) }, columns))
    }

    fn body(&mut self, body: &SetExpr, outer: &mut Vec<Column>) -> SqlResult<Body> {
        match body {
            SetExpr::Select(select) => {
                let mut tree = Tree::of(Body::Values(vec![]));
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
                    rows.push(self.listed(&row.content)?);
                    Ok(())
                });
                let level = self.levels.pop();
                bound?;
                outer.extend(level.into_iter().flat_map(|l| l.outer));
                if let Some(notes) = self.own_notes() {
                    notes.values.insert(spot(body.span().start), rows.clone());
                }
                self.values(rows)
            }
            SetExpr::SetOperation { .. } => self.set_operations(body, outer),
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

    /// A chain of set operations, which the parser leans to the left: `((a UNION b) UNION c) UNION d`.
    fn set_operations(&mut self, body: &SetExpr, outer: &mut Vec<Column>) -> SqlResult<Body> {
        let (mut first, mut rest) = (body, Vec::new());
        while let SetExpr::SetOperation { left, op, set_quantifier, right } = first {
            rest.push((*op, *set_quantifier, right));
            first = left;
        }
        if rest.len() > MAX_OPERATIONS {
            return Err(SqlError::new(state::STATEMENT_TOO_COMPLEX, "stack depth limit exceeded")
                .detail(format!("A chain of set operations may have {MAX_OPERATIONS} of them.")));
        }
        locks_nothing(first)?;
        let mut chain = self.body(first, outer)?;
        for (done, (op, quantifier, right)) in rest.into_iter().rev().enumerate() {
            // Each operation looks at all that stands to the left of it.
            self.scope.allowance.spend(1 + done as u64)?;
            if done > 0 && done.is_multiple_of(OPERATIONS_AT_ONCE) {
                chain = Body::Query(Box::new(Tree::of(chain)));
            }
            locks_nothing(right)?;
            let right = self.body(right, outer)?;
            chain = self.set_operation(chain, op, quantifier, right)?;
        }
        Ok(chain)
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
            // An array of texts is one, whatever surrounds it.
            let column = match column.iter().any(|e| matches!(e.node, Node::Array(_))) && column.len() > 1 {
                true => column.into_iter().map(|e| self.decided_array(e)).collect::<SqlResult<Vec<_>>>()?,
                false => column,
            };
            // All undecided: what surrounds VALUES may still decide.
            let column = if column.iter().all(Typed::is_unknown) { column } else { self.unify(column, "VALUES")?.1 };
            columns.push(column.into_iter());
        }
        let rows = (0..height).map(|_| columns.iter_mut().filter_map(Iterator::next).collect()).collect();
        Ok(Body::Values(rows))
    }

    /// An expression of a select list. A row is the value that GROUP BY and ORDER BY find again.
    fn selected(&mut self, expr: &Expr) -> SqlResult<Typed> {
        let expr = self.expr(expr)?;
        self.record(expr)
    }

    /// An array whose elements tell no type is one of texts.
    pub(super) fn decided_array(&mut self, expr: Typed) -> SqlResult<Typed> {
        match &expr.node {
            Node::Array(items) if expr.is_unknown() && !items.is_empty() => self.decide_text(expr),
            _ => Ok(expr),
        }
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
            (SetOperator::Union, true) => ("UNION", Operator::UnionAll),
            (SetOperator::Union, false) => ("UNION", Operator::Union),
            (SetOperator::Intersect, false) => ("INTERSECT", Operator::Intersect),
            (SetOperator::Except | SetOperator::Minus, false) => ("EXCEPT", Operator::Except),
            (SetOperator::Intersect, true) => ("INTERSECT", Operator::Intersect),
            (SetOperator::Except | SetOperator::Minus, true) => ("EXCEPT", Operator::Except),
        };
        let width = left.width();
        if right.width() != width {
            return Err(SqlError::syntax(format!("each {name} query must have the same number of columns")));
        }
        for i in 0..width {
            let sides = [self.side(&left, i), self.side(&right, i)];
            let ty = self.common_type(&[&sides[0], &sides[1]], name)?;
            if operator != Operator::UnionAll {
                self.check_comparable(&Typed::null(ty).at(sides[0].at))?;
            }
            let lengths = [&left, &right].map(|body| body.outputs()[i].typmod);
            for body in [&mut left, &mut right] {
                if ty == Type::BPCHAR && lengths[0] != lengths[1] {
                    body.set_expr(i, &mut |expr| Ok::<_, SqlError>(expr.padded()))?;
                }
                self.coerce_body(body, i, ty, NO_TYPMOD, CastContext::Implicit)?;
            }
        }
        if all && operator != Operator::UnionAll {
            return self.counted_operation(operator, left, right);
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
        tree: &mut Tree,
        i: usize,
        ty: Type,
        typmod: i32,
        context: CastContext,
    ) -> SqlResult<()> {
        self.coerce_body(&mut tree.body, i, ty, typmod, context)
    }

    /// Stores an output column into a table's column.
    pub(super) fn assign_output(&mut self, tree: &mut Tree, i: usize, column: &Stored) -> SqlResult<()> {
        tree.body.set_expr(i, &mut |expr| {
            let value = self.assign(expr, column.ty, column.typmod, Some(&column.name))?;
            self.in_domain(value, column.domain)
        })
    }

    /// What nothing has decided becomes text.
    pub(super) fn decide_outputs(&mut self, tree: &mut Tree) -> SqlResult<()> {
        self.decide_body(&mut tree.body)
    }

    fn decide_body(&mut self, body: &mut Body) -> SqlResult<()> {
        for i in 0..body.outputs().len() {
            body.set_expr(i, &mut |expr| self.decide_text(expr))?;
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
        let (negative, value) = match expr {
            Expr::Value(value) => (false, value),
            // A sign before a literal is part of it.
            Expr::UnaryOp { op: UnaryOperator::Minus, expr } => match &**expr {
                Expr::Value(value) if matches!(value.value, Literal::Number(..)) => (true, value),
                _ => return Ok(None),
            },
            _ => return Ok(None),
        };
        let at = value.span.start;
        match &value.value {
            Literal::Number(digits, _) => match digits.parse::<usize>() {
                Ok(n) if !negative && (1..=width).contains(&n) => Ok(Some(n - 1)),
                Ok(n) => {
                    let n = if negative { format!("-{n}") } else { n.to_string() };
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
        tree: &mut Tree,
    ) -> SqlResult<Names> {
        refuse_foreign(select)?;
        self.levels.push(Level::new(Clause::From));
        let result = self.select_inner(select, order, locks, tree);
        let level = self.levels.pop();
        self.effort = self.effort.max(level.as_ref().map_or(Effort::Key, |level| effort(level, tree.short)));
        let Some(level) = level else { return Err(SqlError::internal("a level is missing")) };
        tree.outer.extend(level.outer);
        result.map(|()| level.names)
    }

    fn select_inner(
        &mut self,
        select: &Select,
        order: &[OrderByExpr],
        locks: &[LockClause],
        tree: &mut Tree,
    ) -> SqlResult<()> {
        let from = self.bind_from(&select.from)?;
        let mut written = None;
        let filter = match &select.selection {
            None => None,
            Some(filter) => Some(self.within(Clause::Where, |this| {
                let filter = this.expr(filter)?;
                let filter = this.condition(filter, "WHERE")?;
                written = this.notes.is_some().then(|| filter.clone());
                this.entailed(filter)
            })?),
        };
        self.narrow(&from, filter.as_ref());
        for window in &select.named_window {
            let over = match &window.1 {
                NamedWindowExpr::WindowSpec(spec) => self.window(spec)?,
                NamedWindowExpr::NamedWindow(_) => return Err(SqlError::syntax("a window's definition is expected")),
            };
            let name = fold(&window.0);
            if self.level().windows.iter().any(|(known, _)| *known == name) {
                let text = format!("window \"{name}\" is already defined");
                return Err(SqlError::new(state::WINDOWING_ERROR, text));
            }
            self.level().windows.push((name, over));
        }
        let columns = self.within(Clause::Select, |this| this.select_list(&select.projection))?;
        let mut group = Vec::new();
        let grouping = match &select.group_by {
            GroupByExpr::Expressions(exprs, modifiers) if modifiers.is_empty() => exprs,
            _ => return Err(SqlError::unsupported("this form of GROUP BY")),
        };
        // `(a, b)` groups by both: a list of keys, not a row.
        let listed = |expr| match super::scalar::unnested(expr) {
            Expr::Tuple(items) if !items.is_empty() => &items[..],
            _ => std::slice::from_ref(expr),
        };
        let sets = super::grouping::sets(grouping)?;
        let items: Vec<&Expr> = match &sets {
            Some(sets) => sets.iter().flatten().copied().collect(),
            None => grouping.iter().flat_map(listed).collect(),
        };
        let mut places = Vec::new();
        for expr in items {
            let bound = self.group_item(expr, &columns, "GROUP BY")?;
            if bound.has_aggregate() || bound.has_window() {
                let what = if bound.has_window() { "window" } else { "aggregate" };
                let code = if bound.has_window() { state::WINDOWING_ERROR } else { state::GROUPING_ERROR };
                let text = format!("{what} functions are not allowed in GROUP BY");
                return Err(error_at(self, SqlError::new(code, text), bound.at));
            }
            match group.iter().position(|known| sets.is_some() && *known == bound) {
                Some(place) => places.push(place),
                None => {
                    places.push(group.len());
                    group.push(bound);
                }
            }
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
            on_exprs.push(self.group_item(expr, &columns, "DISTINCT ON")?);
        }
        for column in columns.iter().filter(|_| distinct) {
            self.check_comparable(&column.expr)?;
        }
        if self.own_notes().is_some() {
            let (columns, group, having) = (columns.clone(), group.clone(), having.clone());
            let (filter, on, order) = (written, on_exprs.clone(), keys.clone());
            self.note_select(select, Selected { columns, items: Vec::new(), filter, group, having, on, order });
        }
        self.check_distinct(distinct, &on_exprs, &mut keys, &columns)?;
        let key_exprs = |keys: &[OrderKey]| -> Vec<Typed> {
            keys.iter().filter_map(|k| if let OrderKey::Expr(k) = k { Some(k.expr.clone()) } else { None }).collect()
        };
        let ordered = key_exprs(&keys);
        let grouped = match &sets {
            Some(sets) => {
                let mut places = places.into_iter();
                let sets = sets.iter().map(|set| places.by_ref().take(set.len()).collect()).collect();
                Some(Sets::new(self, sets, group.clone()))
            }
            None => None,
        };
        let aggregated = grouped.is_some()
            || !group.is_empty()
            || having.is_some()
            || columns.iter().map(|c| &c.expr).chain(&ordered).any(Typed::has_aggregate)
            || self
                .level()
                .sets
                .iter()
                .any(|set| matches!(set, FromItem::Function { call, .. } if call.has_aggregate()));
        if aggregated {
            let determining = grouped.as_ref().map_or_else(|| group.clone(), Sets::common);
            for expr in columns.iter().map(|c| &c.expr).chain(having.as_ref()).chain(&ordered).chain(&on_exprs) {
                self.check_grouped(expr, &group, &determining)?;
            }
            for direct in std::mem::take(&mut self.level().direct) {
                let detail = "Direct arguments of an ordered-set aggregate must use only grouped columns.";
                self.check_grouped(&direct, &group, &determining).map_err(|error| error.detail(detail))?;
                if grouped.is_some() && self.reads_own_column(std::slice::from_ref(&direct)) {
                    return Err(SqlError::unsupported("direct arguments that read what grouping sets group by"));
                }
            }
        }
        let (mut columns, mut having, mut keys, mut on_exprs, mut from, mut filter) =
            (columns, having, keys, on_exprs, from, filter);
        let asks = |e: &Typed| e.any(&|e| matches!(e.node, Node::Apply(GROUPING, _)));
        // Of one set everybody knows what is grouped by.
        let one = |this: &mut Self| Sets::new(this, vec![(0..group.len()).collect()], group.clone());
        let plain = columns.iter().map(|c| &c.expr).chain(&having).chain(&ordered).any(asks).then(|| one(self));
        if let Some(sets) = grouped.as_ref().or(plain.as_ref()) {
            for column in &mut columns {
                column.expr = sets.expr(column.expr.clone())?;
            }
            having = having.map(|having| sets.expr(having)).transpose()?;
            on_exprs = on_exprs.into_iter().map(|expr| sets.expr(expr)).collect::<SqlResult<_>>()?;
            for key in &mut keys {
                let (OrderKey::Expr(key) | OrderKey::Output(_, key)) = key;
                key.expr = sets.expr(key.expr.clone())?;
            }
        }
        if let Some(sets) = &grouped {
            if !self.level().sets.is_empty() {
                return Err(SqlError::unsupported("set-returning functions with grouping sets"));
            }
            (from, filter, group) = sets.source(from, filter);
        }
        let sets = std::mem::take(&mut self.level().sets);
        // What is grouped by yields its rows before they are grouped, all else after that.
        let grouped_by = |set: &FromItem| group.iter().any(|key| has_column_of(key, set));
        let (below, above): (Vec<_>, Vec<_>) = sets.into_iter().partition(grouped_by);
        let windows = columns.iter().map(|c| &c.expr).chain(&ordered).any(Typed::has_window);
        // What has an order of its own has it, and DISTINCT ON its first rows, before functions yield rows in the list.
        let keyed = |set: &FromItem| {
            keys.iter().map(|key| key_expr(key, &columns)).chain(&on_exprs).any(|key| has_column_of(key, set))
        };
        let first = !on_exprs.is_empty() && !keys.is_empty() && !above.iter().any(keyed);
        let apart = !above.is_empty() && (aggregated || windows || first);
        let (mut sets, above) = if apart { (below, above) } else { (below.into_iter().chain(above).collect(), vec![]) };
        if aggregated {
            let calls = above.iter().filter_map(|set| match set {
                FromItem::Function { call, .. } => Some(call.clone()),
                _ => None,
            });
            for call in calls.collect::<Vec<_>>() {
                self.check_grouped(&call, &group, &group)?;
            }
        }
        let grouped = match () {
            () if distinct || !on_exprs.is_empty() => Some("DISTINCT clause"),
            () if !grouping.is_empty() => Some("GROUP BY clause"),
            () if having.is_some() => Some("HAVING clause"),
            () if aggregated => Some("aggregate functions"),
            () => None,
        };
        tree.lock = self.row_lock(locks, grouped, &mut from)?;
        tree.short = !aggregated && sets.is_empty() && !apart && self.is_short(filter.as_ref());
        self.mark(&mut from);
        from.extend(in_step(std::mem::take(&mut sets)));
        // HAVING without GROUP BY: one group of all rows.
        if having.is_some() && group.is_empty() && !columns.iter().any(|c| c.expr.has_aggregate()) {
            group.push(Typed::null(Type::TEXT));
        }
        let below = SelectTree { from, filter, group, having, aggregated, ..SelectTree::default() };
        if !apart {
            tree.order = keys;
            tree.body = Body::Select(Box::new(SelectTree { distinct, on: on_exprs, columns, ..below }));
            return Ok(());
        }
        if tree.lock.as_ref().is_some_and(|lock| !lock.tables.is_empty()) {
            return Err(SqlError::unsupported("FOR UPDATE with window functions and set-returning functions"));
        }
        let mut lift = Lift { sets: above.iter().map(FromItem::range).collect(), range: self.next_id(), below: vec![] };
        let lifted = |set: FromItem, lift: &mut Lift| match set {
            FromItem::Function { call, range } => Ok(FromItem::Function { call: lift.inside(call)?, range }),
            set => Ok(set),
        };
        let above = above.into_iter().map(|set| lifted(set, &mut lift)).collect::<SqlResult<Vec<_>>>()?;
        let column = |column: Named, lift: &mut Lift| Ok(Named { name: column.name, expr: lift.expr(column.expr)? });
        let (mut below, mut inner) = (below, Vec::new());
        if first {
            let key = |key: &OrderKey| {
                let (OrderKey::Expr(sort) | OrderKey::Output(_, sort)) = key;
                OrderKey::Expr(SortKey { expr: key_expr(key, &columns).clone(), ..sort.clone() })
            };
            inner = keys.iter().map(key).collect();
            below.on = std::mem::take(&mut on_exprs);
        }
        let columns = columns.into_iter().map(|c| column(c, &mut lift)).collect::<SqlResult<Vec<_>>>()?;
        let on = on_exprs.into_iter().map(|expr| lift.expr(expr)).collect::<SqlResult<Vec<_>>>()?;
        let key = |key: OrderKey, lift: &mut Lift| match key {
            OrderKey::Expr(key) => Ok(OrderKey::Expr(SortKey { expr: lift.expr(key.expr)?, ..key })),
            key => Ok(key),
        };
        tree.order = keys.into_iter().map(|k| key(k, &mut lift)).collect::<SqlResult<Vec<_>>>()?;
        let below = SelectTree { columns: lift.below, ..below };
        let query = Box::new(Tree { order: inner, ..Tree::of(Body::Select(Box::new(below))) });
        let mut from = vec![FromItem::Query { query, range: lift.range }];
        from.extend(in_step(above));
        tree.body = Body::Select(Box::new(SelectTree { distinct, on, columns, from, ..SelectTree::default() }));
        Ok(())
    }

    fn note_select(&mut self, select: &Select, selected: Selected) {
        let ranges = self.level().names.ranges.clone();
        let Some(notes) = self.own_notes() else { return };
        let items = ranges.iter().map(|range| range.id).collect();
        notes.selects.insert(spot(select.select_token.0.span.start), Selected { items, ..selected });
        notes.items.extend(ranges.into_iter().map(|range| (range.id, (range.alias, range.columns))));
    }

    pub(super) fn select_list(&mut self, items: &[SelectItem]) -> SqlResult<Vec<Named>> {
        let mut columns = Vec::with_capacity(items.len());
        for item in items {
            match item {
                SelectItem::UnnamedExpr(Expr::Identifier(ident)) if ident.value == phrases::NOTHING => {}
                SelectItem::UnnamedExpr(expr) if fields_of(expr).is_some() => {
                    let record = self.expr(fields_of(expr).unwrap_or(expr))?;
                    columns.extend(self.fields(record)?);
                }
                SelectItem::UnnamedExpr(expr) => {
                    let name = output_name(expr).0;
                    columns.push(Named { name, expr: self.selected(expr)? });
                }
                SelectItem::ExprWithAlias { expr, alias } => {
                    columns.push(Named { name: fold(alias), expr: self.selected(expr)? });
                }
                SelectItem::Wildcard(options) => {
                    let level = self.level();
                    if level.names.ranges.is_empty() {
                        return Err(SqlError::syntax("SELECT * with no tables specified is not valid"));
                    }
                    let all = level.names.columns.clone();
                    self.note_star(options.wildcard_token.0.span.start, &all);
                    all.iter().for_each(|column| self.note_surface(&column.expr));
                    columns.extend(all);
                }
                SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::ObjectName(name), options) => {
                    let all = self.table_wildcard(name)?;
                    self.note_star(options.wildcard_token.0.span.start, &all);
                    all.iter().for_each(|column| self.note_surface(&column.expr));
                    columns.extend(all);
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

    pub(super) fn table_wildcard(&mut self, name: &sqlparser::ast::ObjectName) -> SqlResult<Vec<Named>> {
        let names = parts(name)?;
        let at = name_start(name);
        let (schema, table) = match &names[..] {
            [table] => (None, table),
            [.., schema, table] => (Some(schema.as_str()), table),
            [] => return Err(SqlError::syntax("zero-length name")),
        };
        for depth in (0..self.levels.len()).rev() {
            if let Some(range) = self.levels[depth].names.range(schema, table) {
                self.levels[depth].check_barred(range).map_err(|e| error_at(self, e, at))?;
                let columns = range.columns.clone();
                columns.iter().for_each(|column| self.note_outer(depth, &column.expr));
                return Ok(columns);
            }
        }
        if let Some((variable, _)) = self.variable(&names).filter(|(_, taken)| *taken == names.len()) {
            return self.fields_of_variable(variable);
        }
        Err(error_at(self, self.no_range(table), at))
    }

    /// GROUP BY and DISTINCT ON: an input column, a position, an output name, or an expression.
    fn group_item(&mut self, expr: &Expr, columns: &[Named], place: &str) -> SqlResult<Typed> {
        if let Some(i) = self.ordinal(expr, columns.len(), place)? {
            return self.decide_text(columns[i].expr.clone());
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
        self.check_comparable(&bound)?;
        self.decide_text(bound)
    }

    /// ORDER BY: a position, an output name, or an expression over the input.
    fn order_key(&mut self, key: &OrderByExpr, columns: &[Named]) -> SqlResult<OrderKey> {
        if let Some(i) = self.ordinal(&key.expr, columns.len(), "ORDER BY")? {
            self.check_ordered(&columns[i].expr)?;
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
                self.check_ordered(&first.expr)?;
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
    fn check_grouped(&mut self, expr: &Typed, group: &[Typed], determining: &[Typed]) -> SqlResult<()> {
        let mut bad: Option<(Column, sqlparser::tokenizer::Location)> = None;
        let own: Vec<usize> = self.own_ranges();
        let determined = self.determined(determining);
        let follows = |range: usize| match determined.iter().find(|(id, _)| *id == range) {
            Some((_, key)) => {
                self.note_object(class::CONSTRAINT, *key);
                true
            }
            None => false,
        };
        expr.walk(&mut |e| {
            // A column that is grouped by may be read as another type of the same values.
            let same = |g: &Typed| g == e || matches!(e.node, Node::Column(_)) && g.node == e.node;
            if bad.is_some() || group.iter().any(same) {
                return false;
            }
            match &e.node {
                Node::Call(call) if call.over.is_none() => return false,
                // Looked at when it is known what there is to be grouped by.
                Node::Apply(GROUPING, _) => return false,
                Node::Column(c) if own.contains(&c.range) && !follows(c.range) => bad = Some((c.clone(), e.at)),
                Node::Query(query) => {
                    let loose = |c: &&Column| {
                        own.contains(&c.range)
                            && !group.iter().any(|g| matches!(&g.node, Node::Column(k) if k == *c))
                            && !follows(c.range)
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

    pub(super) fn own_ranges(&mut self) -> Vec<usize> {
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

    /// FROM items all of whose primary key is grouped by, with that key: the rest of their columns follows.
    fn determined(&mut self, group: &[Typed]) -> Vec<(usize, u32)> {
        let ranges = &self.level().names.ranges;
        let grouped = |range: usize, attnum: i16| {
            group.iter().any(|g| matches!(&g.node, Node::Column(c) if c.range == range && c.attnum == attnum))
        };
        ranges
            .iter()
            .filter_map(|r| {
                let key = r.relation.as_ref()?.primary_key().filter(|key| !key.deferrable)?;
                key.columns.iter().all(|n| grouped(r.id, *n)).then_some((r.id, key.oid))
            })
            .collect()
    }

    /// A column as messages name it.
    fn shown(&mut self, column: &Column) -> String {
        for range in &self.level().names.ranges {
            for named in &range.columns {
                if matches!(&named.expr.node, Node::Column(c) if c == column) {
                    return format!("{}.{}", range.alias, named.name);
                }
            }
        }
        column.qualifier.iter().map(|q| format!("{q}.")).chain([column.name.to_string()]).collect()
    }

    /// One table, by equality on all columns of a unique index; or no table.
    pub(super) fn is_short(&mut self, filter: Option<&Typed>) -> bool {
        match &self.level().names.ranges[..] {
            [] => true,
            [range] => match &range.relation {
                Some(relation) if relation.kind.is_stored() => is_one_row(relation, range.id, filter),
                _ => false,
            },
            _ => false,
        }
    }
}

/// Whether `filter` names values for all columns of a unique key of a table, the FROM item `range`.
pub(super) fn is_one_row(table: &Relation, range: usize, filter: Option<&Typed>) -> bool {
    let mut fixed = Vec::new();
    if let Some(filter) = filter {
        fixed_columns(filter, range, &mut fixed);
    }
    let fixed: Vec<i16> = fixed.into_iter().map(|(column, _)| column).collect();
    let alone = |index: &&Index| index.is_total_key() && table.is_immediate(index);
    let keys = table.indexes.iter().filter(alone).map(|index| &index.keys);
    keys.into_iter().any(|keys| keys.iter().all(|k| k.column.is_some_and(|n| fixed.contains(&n))))
}

/// Expressions over rows that functions have multiplied, of columns of the query that is below them.
struct Lift {
    /// The functions' FROM items.
    sets: Vec<usize>,
    /// The query's number, and its columns.
    range: usize,
    below: Vec<Named>,
}

impl Lift {
    fn reads_sets(&self, expr: &Typed) -> bool {
        expr.any(&|e| match &e.node {
            Node::Column(column) => self.sets.contains(&column.range),
            Node::Query(sub) => sub.outer.iter().any(|column| self.sets.contains(&column.range)),
            _ => false,
        })
    }

    /// The parts that read nothing of the functions become columns of the query below.
    fn expr(&mut self, expr: Typed) -> SqlResult<Typed> {
        if expr.is_constant() || matches!(expr.node, Node::Param(_)) {
            return Ok(expr);
        }
        // What surrounds an undecided array has yet to decide.
        let undecided = expr.is_unknown() && matches!(expr.node, Node::Array(_));
        if undecided || self.reads_sets(&expr) {
            return self.inside(expr);
        }
        let known = self.below.iter().position(|column| column.expr == expr);
        let number = known.unwrap_or(self.below.len()) + 1;
        let (table, attnum) = expr.origin();
        let column =
            Column { table, attnum, ..Column::of(self.range, format!("t{}", self.range), format!("c{number}")) };
        let lifted = Typed::new(expr.ty, Node::Column(column)).typmod(expr.typmod).at(expr.at);
        if known.is_none() {
            self.below.push(Named { name: String::new(), expr });
        }
        Ok(lifted)
    }

    /// The same of what an expression consists of.
    fn inside(&mut self, expr: Typed) -> SqlResult<Typed> {
        let node = match expr.node {
            Node::Apply(op, args) => Node::Apply(op, self.exprs(args)?),
            Node::Row(args) => Node::Row(self.exprs(args)?),
            Node::Array(args) => Node::Array(self.exprs(args)?),
            node @ Node::Column(_) => node,
            Node::Query(_) => return Err(SqlError::unsupported("a subquery over a set-returning function and groups")),
            _ => {
                let text = "window function calls cannot contain set-returning function calls";
                return Err(SqlError::new(state::FEATURE_NOT_SUPPORTED, text));
            }
        };
        Ok(Typed { node, ..expr })
    }

    fn exprs(&mut self, exprs: Vec<Typed>) -> SqlResult<Vec<Typed>> {
        exprs.into_iter().map(|expr| self.expr(expr)).collect()
    }
}

/// Whether a query names a relation so, as a recursive one names itself.
fn reads(query: &Query, name: &str) -> bool {
    let named = |relation: &ObjectName| match &relation.0[..] {
        [part] if part.as_ident().is_some_and(|ident| fold(ident) == name) => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    };
    visit_relations(query, named).is_break()
}

/// Whether a key has a column of a FROM item in it.
fn has_column_of(key: &Typed, item: &FromItem) -> bool {
    key.any(&|e| matches!(&e.node, Node::Column(column) if column.range == item.range()))
}

/// What an ORDER BY item sorts by.
fn key_expr<'a>(key: &'a OrderKey, columns: &'a [Named]) -> &'a Typed {
    match key {
        OrderKey::Expr(key) => &key.expr,
        OrderKey::Output(at, _) => &columns[*at].expr,
    }
}

/// Where a query begins.
pub fn place_of(query: &Query) -> Spot {
    spot(query.body.span().start)
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
    let args = match &filter.node {
        Node::Apply(Op::And, args) => return args.iter().for_each(|a| fixed_columns(a, range, fixed)),
        Node::Apply(Op::Operator(infix), args) if infix.is_native_equality() => args,
        _ => return,
    };
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

/// SQLite computes the recursive term for one row at a time, PostgreSQL for all rows of the last round.
///
/// Errors: 42P19 for aggregates, 0A000 for what depends on several rows.
fn check_recursive_term(step: &mut Body, all: bool) -> SqlResult<()> {
    let Body::Select(select) = step else { return Ok(()) };
    if select.aggregated {
        let text = "aggregate functions are not allowed in a recursive query's recursive term";
        return Err(SqlError::new(crate::error::SqlState::new("42P19"), text));
    }
    if select.columns.iter().any(|column| column.expr.has_window()) {
        return Err(SqlError::unsupported("a window function in a recursive query's recursive term"));
    }
    if !select.on.is_empty() || select.distinct && all {
        return Err(SqlError::unsupported("DISTINCT in the recursive term of UNION ALL"));
    }
    // UNION does that, over all rounds.
    select.distinct = false;
    Ok(())
}

/// Whether a table of SQLite's is on a side of a join that may have no row; `optional`: the item itself is.
fn is_optional(item: &FromItem, table: &str, optional: bool) -> bool {
    match item {
        FromItem::Table { name, .. } => optional && name == table,
        FromItem::Nested(inner) => is_optional(inner, table, optional),
        FromItem::Join { left, right, side, .. } => {
            is_optional(left, table, optional || matches!(side, Side::Right | Side::Full))
                || is_optional(right, table, optional || matches!(side, Side::Left | Side::Full))
        }
        _ => false,
    }
}

/// What SEARCH and CYCLE say behind a WITH query.
fn traversal_of(cte: &sqlparser::ast::Cte) -> Option<Traversal> {
    cte.alias.columns.last().and_then(|column| Traversal::of(&column.name.value))
}

pub(super) fn cte_columns(name: &str, given: &[String], outputs: &[Out]) -> SqlResult<Vec<CteColumn>> {
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

const NOT_COMBINED: &str = "is not allowed with UNION/INTERSECT/EXCEPT";

/// Errors: 0A000 for a query that locks its rows.
fn no_locks(query: &Query, why: &str) -> SqlResult<()> {
    let Some(lock) = query.locks.first() else { return Ok(()) };
    let text = format!("{} {why}", strength_of(lock)?.clause());
    Err(SqlError::new(state::FEATURE_NOT_SUPPORTED, text))
}

/// Errors: 0A000 for an operand of a set operation that locks its rows.
fn locks_nothing(operand: &SetExpr) -> SqlResult<()> {
    match operand {
        SetExpr::Query(query) => no_locks(query, NOT_COMBINED),
        _ => Ok(()),
    }
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
pub(super) fn output_name(expr: &Expr) -> (String, u8) {
    let strong = |name: &str| (name.to_owned(), 2);
    match expr {
        Expr::Nested(e) => output_name(e),
        Expr::Identifier(ident) => (fold(ident), 2),
        Expr::CompoundIdentifier(idents) => {
            let last = idents.iter().rev().find(|ident| ident.value != phrases::ROW);
            last.map_or(("?column?".into(), 0), |ident| (fold(ident), 2))
        }
        Expr::CompoundFieldAccess { root, access_chain } => {
            let dotted = access_chain.iter().rev().find_map(|a| match a {
                AccessExpr::Dot(Expr::Identifier(ident)) => Some(fold(ident)),
                _ => None,
            });
            dotted.map_or_else(|| output_name(root), |name| (name, 2))
        }
        Expr::Function(f) => {
            let name =
                parts(&f.name).ok().and_then(|p| p.last().cloned()).filter(|name| !name.starts_with(phrases::MARK));
            name.map_or(("?column?".into(), 0), |name| (name, 2))
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
        Expr::Exists { negated: false, .. } => strong("exists"),
        Expr::IsNormalized { negated: false, .. } => strong("is_normalized"),
        Expr::Array(_) => strong("array"),
        Expr::Tuple(_) => strong("row"),
        Expr::Extract { .. } => strong("extract"),
        Expr::Ceil { .. } => strong("ceil"),
        Expr::Floor { .. } => strong("floor"),
        Expr::Position { .. } => strong("position"),
        Expr::Substring { shorthand, .. } => strong(if *shorthand { "substr" } else { "substring" }),
        Expr::Overlay { .. } => strong("overlay"),
        Expr::Trim { trim_where, .. } => strong(trim_name(trim_where)),
        Expr::AtTimeZone { .. } => strong("timezone"),
        Expr::BinaryOp { op: BinaryOperator::Overlaps, .. } => strong("overlaps"),
        Expr::Subquery(query) => first_name(&query.body),
        _ => ("?column?".into(), 0),
    }
}

/// That of a subquery's first column; of a set operation it is the first query's.
fn first_name(body: &SetExpr) -> (String, u8) {
    let mut body = body;
    loop {
        body = match body {
            SetExpr::Query(query) => &query.body,
            SetExpr::SetOperation { left, .. } => left,
            SetExpr::Select(select) => {
                return match select.projection.first() {
                    Some(SelectItem::UnnamedExpr(e)) => output_name(e),
                    Some(SelectItem::ExprWithAlias { alias, .. }) => (fold(alias), 2),
                    _ => ("?column?".into(), 0),
                };
            }
            SetExpr::Values(_) => return ("column1".into(), 2),
            _ => return ("?column?".into(), 0),
        };
    }
}
