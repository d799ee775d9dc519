//! A query as PostgreSQL writes it: the clauses as they stand in the text, on lines of their own, with the trees that their
//! expressions were bound to. What has no form here gives `None`.

use super::super::Scope;
use super::super::bind::{Binder, Notes, Spot, fold, place_of, spot};
use super::super::ir::{
    Bound, Call, Column, ELEMENT, Frame, Named, Node, Op, OrderKey, Over, SortKey, SubQuery, Typed,
};
use super::super::lex::{quote_identifier, quote_literal};
use super::super::parse;
use super::{Around, Printer, function_name};
use crate::functions::{CastContext, Kind};
use crate::types::Type;
use sqlparser::ast::{
    Cte, CteAsMaterialized, Distinct, Expr, GroupByExpr, Join, JoinConstraint, JoinOperator, LimitClause, ObjectName,
    Query, Select, SelectItem, SetExpr, SetOperator, SetQuantifier, Spanned, Statement, TableAlias, TableFactor,
    TableWithJoins, Visit, Visitor, With,
};
use sqlparser::tokenizer::Location;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

/// How far to the left of a query's other lines those that begin a clause stand.
const STEP: i32 = 8;

/// What FROM items are called: as their own queries call them, but like none of a query around.
#[derive(Default)]
pub struct Scopes {
    names: BTreeMap<usize, String>,
    /// All that are taken, by the queries around and their own.
    taken: Vec<String>,
    /// Those of the query at hand that have not been written yet, the last first.
    ahead: Vec<usize>,
    /// Those that have: what comes next may read them.
    behind: BTreeSet<usize>,
}

/// What a query's text means.
pub struct Written {
    notes: Notes,
    /// Every query in it, by where it begins.
    queries: BTreeMap<Spot, Query>,
}

impl Written {
    /// Whether the CASE that begins there compares one value.
    pub fn compares(&self, at: Location) -> bool {
        self.notes.cases.contains(&spot(at))
    }

    /// The call in a select list whose value a column is.
    pub fn call_in_list(&self, column: &Column) -> Option<&Typed> {
        let is_item = self.notes.items.contains_key(&column.range);
        self.notes.calls.get(&column.range).filter(|_| !is_item && &*column.name == ELEMENT)
    }
}

impl Visitor for Written {
    type Break = ();

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        // The outer one of two that begin together.
        self.queries.entry(place_of(query)).or_insert_with(|| query.clone());
        ControlFlow::Continue(())
    }
}

/// The query of a view whose columns have these names, as `pg_get_viewdef` writes it.
pub fn query(scope: &Scope<'_>, text: &str, names: &[String], pretty: bool) -> Option<String> {
    let Statement::Query(query) = *parse::parse_query(text, scope.allowance).ok()? else { return None };
    let notes = Binder::new(scope).faithful_query(&query).ok().filter(|notes| !notes.folded)?;
    let mut written = Written { notes, queries: BTreeMap::new() };
    let _ = query.visit(&mut written);
    let (path, catalog) = (scope.search_path, scope.catalog);
    let mut printer = Printer { within: Some(&written), ..Printer::new(catalog, None, path, pretty) };
    printer.query(&query, 0, Heading { names: Some(names), visible: true })?;
    Some(printer.out)
}

/// What the columns of a query are to be called.
#[derive(Clone, Copy)]
struct Heading<'a> {
    /// Otherwise as they call themselves.
    names: Option<&'a [String]>,
    /// Somebody can name them.
    visible: bool,
}

impl Heading<'_> {
    const OWN: Heading<'static> = Heading { names: None, visible: true };
    const UNSEEN: Heading<'static> = Heading { names: None, visible: false };
}

impl Printer<'_> {
    /// A column by the FROM item that it comes from.
    pub(super) fn item_column(&self, column: &Column) -> Option<String> {
        let (_, columns) = self.within?.notes.items.get(&column.range).filter(|(alias, _)| !alias.is_empty())?;
        let is =
            |expr: &Typed| matches!(&expr.node, Node::Column(c) if c.range == column.range && c.name == column.name);
        let named = columns.iter().find(|named| is(&named.expr))?;
        let item = self.names.names.get(&column.range)?;
        Some(format!("{}.{}", quote_identifier(item), quote_identifier(&named.name)))
    }

    /// A query in an expression, without its parentheses.
    pub(super) fn subquery(&mut self, inner: &SubQuery) -> Option<()> {
        let query = self.within?.queries.get(&inner.query.place.0)?;
        self.query(query, self.indent, Heading::UNSEEN)
    }

    /// Its lines are indented from `start` on.
    fn query(&mut self, query: &Query, start: i32, heading: Heading<'_>) -> Option<()> {
        if !query.locks.is_empty() || query.fetch.is_some() {
            return None;
        }
        let around = std::mem::replace(&mut self.indent, start);
        let taken = self.names.taken.len();
        let ahead = std::mem::take(&mut self.names.ahead);
        let mut items = Vec::new();
        if let SetExpr::Select(select) = unwrapped(&query.body) {
            items = self.name_items(select)?;
        }
        if let Some(with) = &query.with {
            self.with(with)?;
        }
        let keys: &[_] = match query.order_by.as_ref().map(|order| &order.kind) {
            None => &[],
            Some(sqlparser::ast::OrderByKind::Expressions(keys)) => keys,
            Some(_) => return None,
        };
        match unwrapped(&query.body) {
            SetExpr::Select(select) => {
                self.names.ahead = items;
                self.indent += STEP;
                self.select(select, heading)?;
                if !keys.is_empty() {
                    let selected = self.within?.notes.selects.get(&start_of(select))?;
                    self.line(" ORDER BY ", STEP, 1);
                    self.order_keys(&selected.order, &selected.columns)?;
                }
            }
            body @ SetExpr::SetOperation { .. } => {
                self.set_operation(body, heading)?;
                if let Some(first) = keys.first() {
                    let order = self.within?.notes.orders.get(&spot(first.expr.span().start))?;
                    self.line(" ORDER BY ", STEP, 1);
                    for (i, key) in order.iter().enumerate() {
                        let OrderKey::Output(at, key) = key else { return None };
                        self.push(&format!("{}{}", if i > 0 { ", " } else { "" }, at + 1));
                        self.direction(key);
                    }
                }
            }
            SetExpr::Values(_) if keys.is_empty() => self.values(place_of(query))?,
            _ => return None,
        }
        if let Some(limits) = &query.limit_clause {
            let LimitClause::LimitOffset { limit, offset, limit_by } = limits else { return None };
            // WITH TIES has become a call.
            if !limit_by.is_empty() || matches!(limit, Some(Expr::Function(_))) {
                return None;
            }
            let offset = offset.as_ref().map(|offset| &offset.value);
            for (word, count) in [(" OFFSET ", offset), (" LIMIT ", limit.as_ref())] {
                if let Some(count) = count {
                    let count = self.within?.notes.limits.get(&spot(count.span().start))?;
                    self.line(word, STEP, 0);
                    self.count(count)?;
                }
            }
        }
        self.names.taken.truncate(taken);
        self.names.ahead = ahead;
        self.indent = around;
        Some(())
    }

    /// Gives the FROM items of a SELECT their names; returns them, the last first.
    fn name_items(&mut self, select: &Select) -> Option<Vec<usize>> {
        let notes = &self.within?.notes;
        let mut items = notes.selects.get(&start_of(select))?.items.clone();
        for item in &items {
            let (alias, _) = notes.items.get(item)?;
            let is_taken = |name: &String| self.names.taken.contains(name);
            let numbered = (1..).map(|n| format!("{alias}_{n}"));
            let name = std::iter::once(alias.clone()).chain(numbered).find(|name| !is_taken(name))?;
            self.names.taken.push(name.clone());
            self.names.names.insert(*item, name);
        }
        items.reverse();
        Some(items)
    }

    fn values(&mut self, place: Spot) -> Option<()> {
        let rows = self.within?.notes.values.get(&place)?;
        self.push(" VALUES ");
        for (i, row) in rows.iter().enumerate() {
            self.push(if i > 0 { ", (" } else { "(" });
            for (j, value) in row.iter().enumerate() {
                self.push(if j > 0 { "," } else { "" });
                self.decided(value)?;
            }
            self.push(")");
        }
        Some(())
    }

    /// How many rows: a number is one without a sign of its type.
    fn count(&mut self, count: &Typed) -> Option<()> {
        match &count.node {
            Node::Const(crate::value::Value::Int(n)) => self.push(&n.to_string()),
            _ => self.expr(count, false, Around::Nothing)?,
        }
        Some(())
    }

    fn with(&mut self, with: &With) -> Option<()> {
        self.indent += STEP;
        self.push(if with.recursive { " WITH RECURSIVE " } else { " WITH " });
        for (i, cte) in with.cte_tables.iter().enumerate() {
            let Cte { alias, query, materialized, .. } = cte;
            self.push(if i > 0 { ", " } else { "" });
            self.push(&quote_identifier(&fold(&alias.name)));
            self.column_aliases(alias)?;
            self.push(" AS ");
            self.push(match materialized {
                None => "",
                Some(CteAsMaterialized::Materialized) => "MATERIALIZED ",
                Some(CteAsMaterialized::NotMaterialized) => "NOT MATERIALIZED ",
            });
            self.push("(");
            self.line("", 0, 0);
            self.query(query, self.indent, Heading::OWN)?;
            self.line(")", 0, 0);
        }
        self.indent -= STEP;
        self.line("", 0, 0);
        Some(())
    }

    fn set_operation(&mut self, body: &SetExpr, heading: Heading<'_>) -> Option<()> {
        let SetExpr::SetOperation { op, set_quantifier, left, right } = body else { return self.leaf(body, heading) };
        let within = match unwrapped(left) {
            SetExpr::SetOperation { op: inner, set_quantifier: all, .. } => {
                (inner, is_all(*all)) != (op, is_all(*set_quantifier))
            }
            _ => false,
        };
        self.same_types(body)?;
        if within {
            self.push("(");
            self.indent += STEP;
            self.line("", 0, 0);
        }
        self.set_operation(unwrapped(left), heading)?;
        if within {
            self.indent -= STEP;
            self.line(") ", 0, 0);
        } else {
            self.line("", 0, 0);
        }
        self.push(match op {
            SetOperator::Union => "UNION ",
            SetOperator::Intersect => "INTERSECT ",
            SetOperator::Except | SetOperator::Minus => "EXCEPT ",
        });
        self.push(if is_all(*set_quantifier) { "ALL " } else { "" });
        let right = unwrapped(right);
        let within = matches!(right, SetExpr::SetOperation { .. });
        if within {
            self.push("(");
            self.indent += STEP;
        }
        self.line("", 0, 0);
        self.set_operation(right, Heading { visible: false, ..heading })?;
        if within {
            self.indent -= STEP;
            self.line(")", 0, 0);
        }
        Some(())
    }

    fn leaf(&mut self, body: &SetExpr, heading: Heading<'_>) -> Option<()> {
        match body {
            SetExpr::Select(select) => {
                let (around, taken) = (self.indent, self.names.taken.len());
                self.names.ahead = self.name_items(select)?;
                self.indent += STEP;
                self.select(select, heading)?;
                self.indent = around;
                self.names.taken.truncate(taken);
                Some(())
            }
            SetExpr::Query(query) => {
                self.push("(");
                self.query(query, self.indent, heading)?;
                self.push(")");
                Some(())
            }
            _ => None,
        }
    }

    /// PostgreSQL shows a branch's columns as what the operation makes of them: here only where that is nothing.
    fn same_types(&self, body: &SetExpr) -> Option<()> {
        let SetExpr::SetOperation { left, right, .. } = body else { return Some(()) };
        let (left, right) = (self.types_of(unwrapped(left))?, self.types_of(unwrapped(right))?);
        (left == right).then_some(())
    }

    fn types_of(&self, body: &SetExpr) -> Option<Vec<Type>> {
        match body {
            SetExpr::Select(select) => {
                let columns = &self.within?.notes.selects.get(&start_of(select))?.columns;
                let ty = |ty| if ty == Type::UNKNOWN { Type::TEXT } else { ty };
                Some(columns.iter().map(|column| ty(column.expr.ty)).collect())
            }
            SetExpr::Query(query) => self.types_of(unwrapped(&query.body)),
            SetExpr::SetOperation { left, .. } => self.types_of(unwrapped(left)),
            _ => None,
        }
    }

    fn select(&mut self, select: &Select, heading: Heading<'_>) -> Option<()> {
        let selected = self.within?.notes.selects.get(&start_of(select))?;
        if !select.named_window.is_empty() {
            return None;
        }
        self.push(" SELECT");
        match &select.distinct {
            None | Some(Distinct::All) => {}
            Some(Distinct::Distinct) => self.push(" DISTINCT"),
            Some(Distinct::On(_)) => {
                self.push(" DISTINCT ON (");
                self.sort_exprs(&selected.on)?;
                self.push(")");
            }
        }
        let plain = |item: &SelectItem| matches!(item, SelectItem::UnnamedExpr(_) | SelectItem::ExprWithAlias { .. });
        if !select.projection.iter().all(plain) {
            return None;
        }
        for (i, column) in selected.columns.iter().enumerate() {
            let name = heading.names.and_then(|names| names.get(i)).unwrap_or(&column.name);
            self.push(if i > 0 { ", " } else { " " });
            let text = self.apart(|p| p.target(&column.expr, name, heading.visible))?;
            match text.starts_with('\n') {
                true => self.trim(),
                false if i > 0 => self.line("", STEP, 4),
                false => {}
            }
            self.push(&text);
        }
        let behind = std::mem::take(&mut self.names.behind);
        for (i, item) in select.from.iter().enumerate() {
            match i {
                0 => {
                    self.line(" FROM ", STEP, 2);
                    self.joined(&item.relation, &item.joins)?;
                }
                _ => {
                    self.push(", ");
                    let text = self.apart(|p| p.joined(&item.relation, &item.joins))?;
                    match text.starts_with('\n') {
                        true => self.trim(),
                        false => self.line("", STEP, 4),
                    }
                    self.push(&text);
                }
            }
        }
        self.names.behind = behind;
        if select.selection.is_some() {
            self.line(" WHERE ", STEP, 1);
            self.expr(selected.filter.as_ref()?, false, Around::Nothing)?;
        }
        let GroupByExpr::Expressions(keys, modifiers) = &select.group_by else { return None };
        if !keys.is_empty() {
            let sets =
                |key: &Expr| matches!(key, Expr::Rollup(_) | Expr::Cube(_) | Expr::GroupingSets(_) | Expr::Tuple(_));
            if !modifiers.is_empty() || keys.iter().any(sets) || keys.len() != selected.group.len() {
                return None;
            }
            self.line(" GROUP BY ", STEP, 1);
            self.sort_exprs(&selected.group)?;
        }
        if select.having.is_some() {
            self.line(" HAVING ", STEP, 0);
            self.expr(selected.having.as_ref()?, false, Around::Nothing)?;
        }
        Some(())
    }

    /// What something writes, by itself.
    fn apart(&mut self, write: impl FnOnce(&mut Self) -> Option<()>) -> Option<String> {
        let out = std::mem::take(&mut self.out);
        let written = write(self);
        let text = std::mem::replace(&mut self.out, out);
        written.map(|()| text)
    }

    fn target(&mut self, expr: &Typed, name: &str, visible: bool) -> Option<()> {
        self.decided(expr)?;
        let known = match &expr.node {
            Node::Column(column) => self.within?.notes.items.get(&column.range).and_then(|(_, columns)| {
                let named = columns.iter().find(|named| named.expr.node == expr.node)?;
                Some(named.name.as_str())
            }),
            _ if visible => None,
            _ => Some("?column?"),
        };
        if known != Some(name) {
            self.push(&format!(" AS {}", quote_identifier(name)));
        }
        Some(())
    }

    /// As a column of a query: what nothing has decided is text.
    fn decided(&mut self, expr: &Typed) -> Option<()> {
        match &expr.node {
            Node::Text(text) if expr.ty == Type::UNKNOWN => self.push(&format!("{}::text", quote_literal(text))),
            Node::Const(value) if value.is_null() && expr.ty == Type::UNKNOWN => self.push("NULL::text"),
            _ => self.expr(expr, true, Around::Nothing)?,
        }
        Some(())
    }

    /// What is grouped or sorted by.
    fn sort_expr(&mut self, expr: &Typed) -> Option<()> {
        let call = match &expr.node {
            Node::Const(_) | Node::Text(_) => return None,
            Node::Column(_) => return self.expr(expr, true, Around::Nothing),
            Node::Call(_) => true,
            Node::Apply(Op::Function(function), _) => !matches!(function.name, "timezone"),
            _ => false,
        };
        let parentheses = self.pretty || call;
        self.push(if parentheses { "(" } else { "" });
        self.expr(expr, true, Around::Nothing)?;
        self.push(if parentheses { ")" } else { "" });
        Some(())
    }

    fn sort_exprs(&mut self, exprs: &[Typed]) -> Option<()> {
        for (i, expr) in exprs.iter().enumerate() {
            self.push(if i > 0 { ", " } else { "" });
            self.sort_expr(expr)?;
        }
        Some(())
    }

    fn sort_keys(&mut self, keys: &[SortKey]) -> Option<()> {
        for (i, key) in keys.iter().enumerate() {
            self.push(if i > 0 { ", " } else { "" });
            self.sort_expr(&key.expr)?;
            self.direction(key);
        }
        Some(())
    }

    fn order_keys(&mut self, keys: &[OrderKey], columns: &[Named]) -> Option<()> {
        let by = |key: &OrderKey| match key {
            OrderKey::Output(at, key) => Some(SortKey { expr: columns.get(*at)?.expr.clone(), ..key.clone() }),
            OrderKey::Expr(key) => Some(key.clone()),
        };
        self.sort_keys(&keys.iter().map(by).collect::<Option<Vec<_>>>()?)
    }

    /// NULLs come last, and first in descending order, unless it is said otherwise.
    fn direction(&mut self, key: &SortKey) {
        self.push(if key.descending { " DESC" } else { "" });
        if key.nulls_first != key.descending {
            self.push(if key.descending { " NULLS LAST" } else { " NULLS FIRST" });
        }
    }

    /// FROM items that are joined, the first with the others one after another.
    fn joined(&mut self, first: &TableFactor, joins: &[Join]) -> Option<()> {
        let Some((join, before)) = joins.split_last() else { return self.factor(first) };
        use JoinOperator as J;
        let (word, how) = match &join.join_operator {
            J::CrossJoin(how) => (" CROSS JOIN ", how),
            J::Join(how) | J::Inner(how) if matches!(how, JoinConstraint::None | JoinConstraint::Natural) => {
                (" CROSS JOIN ", how)
            }
            J::Join(how) | J::Inner(how) => (" JOIN ", how),
            J::Left(how) | J::LeftOuter(how) => (" LEFT JOIN ", how),
            J::Right(how) | J::RightOuter(how) => (" RIGHT JOIN ", how),
            J::FullOuter(how) => (" FULL JOIN ", how),
            _ => return None,
        };
        let plain = !self.pretty;
        self.push(if plain { "(" } else { "" });
        self.joined(first, before)?;
        self.line(word, STEP, 4);
        let nested = matches!(join.relation, TableFactor::NestedJoin { .. }) && self.pretty;
        self.push(if nested { "(" } else { "" });
        self.factor(&join.relation)?;
        self.push(if nested { ")" } else { "" });
        match how {
            JoinConstraint::Using(names) => {
                let names = names.iter().map(|name| match &name.0[..] {
                    [part] => Some(fold(part.as_ident()?)).filter(|name| name.chars().all(|c| c != ' ')),
                    _ => None,
                });
                let names: Vec<String> = names.map(|name| Some(quote_identifier(&name?))).collect::<Option<_>>()?;
                self.push(&format!(" USING ({})", names.join(", ")));
            }
            JoinConstraint::On(_) => {
                let on = self.within?.notes.conditions.get(&spot(join.relation.span().start))?;
                self.push(if plain { " ON (" } else { " ON " });
                self.expr(on, false, Around::Nothing)?;
                self.push(if plain { ")" } else { "" });
            }
            _ if word == " CROSS JOIN " => {}
            _ => return None,
        }
        self.push(if plain { ")" } else { "" });
        Some(())
    }

    fn factor(&mut self, factor: &TableFactor) -> Option<()> {
        match factor {
            TableFactor::Table { name, alias, args: None, with_ordinality: false, sample: None, .. } => {
                let (item, called) = self.next_item()?;
                self.relation(name)?;
                let own = name.0.last()?.as_ident().map(fold)?;
                if alias.is_some() || called != own {
                    self.push(&format!(" {}", quote_identifier(&called)));
                }
                match alias.as_ref().is_some_and(|alias| !alias.columns.is_empty()) {
                    true => self.all_columns(item),
                    false => Some(()),
                }
            }
            TableFactor::Table { args: Some(_), with_ordinality: false, sample: None, .. }
            | TableFactor::Function { with_ordinality: false, .. } => {
                let (item, called) = self.next_item()?;
                let call = self.within?.notes.calls.get(&item)?;
                let beside = |e: &Typed| matches!(&e.node, Node::Column(c) if self.names.behind.contains(&c.range));
                if call.any(&beside) {
                    self.push("LATERAL ");
                }
                self.expr(call, true, Around::Nothing)?;
                self.push(&format!(" {}", quote_identifier(&called)));
                self.all_columns(item)
            }
            TableFactor::Derived { lateral, subquery, alias: Some(alias), sample: None } => {
                let (item, called) = self.next_item()?;
                self.push(if *lateral { "LATERAL (" } else { "(" });
                self.query(subquery, self.indent, Heading::OWN)?;
                self.push(&format!(") {}", quote_identifier(&called)));
                match alias.columns.is_empty() {
                    true => Some(()),
                    false => self.all_columns(item),
                }
            }
            TableFactor::NestedJoin { table_with_joins, alias: None } => {
                let TableWithJoins { relation, joins } = &**table_with_joins;
                self.joined(relation, joins)
            }
            _ => None,
        }
    }

    /// The FROM item that is written next, and what it is called.
    fn next_item(&mut self) -> Option<(usize, String)> {
        let item = self.names.ahead.pop()?;
        self.names.behind.insert(item);
        Some((item, self.names.names.get(&item)?.clone()))
    }

    /// The names of all columns of a FROM item.
    fn all_columns(&mut self, item: usize) -> Option<()> {
        let (_, columns) = self.within?.notes.items.get(&item)?;
        let names: Vec<String> = columns.iter().map(|column| quote_identifier(&column.name)).collect();
        self.push(&format!("({})", names.join(", ")));
        Some(())
    }

    /// By its name alone where the path leads to it, or where it is a WITH query's.
    fn relation(&mut self, name: &ObjectName) -> Option<()> {
        let parts: Vec<String> = name.0.iter().map(|part| part.as_ident().map(fold)).collect::<Option<_>>()?;
        let text = match &parts[..] {
            [name] => quote_identifier(name),
            [schema, name] => {
                let relation = self.catalog.resolve(self.path, Some(schema), name)?;
                let visible =
                    self.catalog.resolve(self.path, None, name).is_some_and(|found| found.oid == relation.oid);
                let name = quote_identifier(name);
                if visible { name } else { self.qualified(schema, &name) }
            }
            _ => return None,
        };
        self.push(&text);
        Some(())
    }

    fn column_aliases(&mut self, alias: &TableAlias) -> Option<()> {
        let names: Vec<String> = alias.columns.iter().map(|column| quote_identifier(&fold(&column.name))).collect();
        if !names.is_empty() {
            self.push(&format!("({})", names.join(", ")));
        }
        alias.columns.iter().all(|column| column.data_type.is_none()).then_some(())
    }

    /// An aggregate or window function.
    pub(super) fn aggregate(&mut self, call: &Call) -> Option<()> {
        let Call { function, args, distinct, order, filter, over } = call;
        if !matches!(function.kind, Kind::Aggregate | Kind::Window) || function.variadic {
            return None;
        }
        self.push(&format!("{}(", function_name(function.name)));
        self.push(if *distinct { "DISTINCT " } else { "" });
        if args.is_empty() && function.name == "count" {
            self.push("*");
        }
        self.list(args)?;
        if !order.is_empty() {
            self.push(" ORDER BY ");
            // What is an argument too is as that.
            let order = order.iter().map(|key| {
                let argument = args.iter().find(|arg| *uncoerced(arg) == key.expr);
                SortKey { expr: argument.unwrap_or(&key.expr).clone(), ..key.clone() }
            });
            self.sort_keys(&order.collect::<Vec<_>>())?;
        }
        self.push(")");
        if let Some(filter) = filter {
            self.push(" FILTER (WHERE ");
            self.expr(filter, false, Around::Nothing)?;
            self.push(")");
        }
        match over {
            Some(over) => self.over(over),
            None => Some(()),
        }
    }

    fn over(&mut self, Over { partition, order, frame }: &Over) -> Option<()> {
        self.push(" OVER (");
        let mut blank = "";
        if !partition.is_empty() {
            self.push("PARTITION BY ");
            self.sort_exprs(partition)?;
            blank = " ";
        }
        if !order.is_empty() {
            self.push(blank);
            self.push("ORDER BY ");
            self.sort_keys(order)?;
            blank = " ";
        }
        if let Some(Frame { units, start, end, exclude, .. }) = frame {
            self.push(blank);
            self.push(units);
            self.push(if end.is_some() { " BETWEEN " } else { " " });
            self.bound(start)?;
            if let Some(end) = end {
                self.push(" AND ");
                self.bound(end)?;
            }
            if let Some(exclude) = exclude {
                self.push(&format!(" EXCLUDE {exclude}"));
            }
        }
        self.push(")");
        Some(())
    }

    fn bound(&mut self, bound: &Bound) -> Option<()> {
        let (offset, word) = match bound {
            Bound::CurrentRow => {
                self.push("CURRENT ROW");
                return Some(());
            }
            Bound::Preceding(offset) => (offset, " PRECEDING"),
            Bound::Following(offset) => (offset, " FOLLOWING"),
        };
        match offset {
            Some(offset) => self.count(offset)?,
            None => self.push("UNBOUNDED"),
        }
        self.push(word);
        Some(())
    }
}

/// Without what nobody wrote.
fn uncoerced(expr: &Typed) -> &Typed {
    match &expr.node {
        Node::Apply(Op::Cast(cast), args) if cast.context != CastContext::Explicit => uncoerced(&args[0]),
        Node::Apply(Op::Relabel, args) => uncoerced(&args[0]),
        _ => expr,
    }
}

/// A query in parentheses that has nothing else is what is in them.
fn unwrapped(body: &SetExpr) -> &SetExpr {
    match body {
        SetExpr::Query(query)
            if query.with.is_none()
                && query.order_by.is_none()
                && query.limit_clause.is_none()
                && query.locks.is_empty() =>
        {
            unwrapped(&query.body)
        }
        body => body,
    }
}

fn is_all(quantifier: SetQuantifier) -> bool {
    quantifier == SetQuantifier::All
}

fn start_of(select: &Select) -> Spot {
    spot(select.select_token.0.span.start)
}
