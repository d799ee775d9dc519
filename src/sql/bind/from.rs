//! FROM: tables, views, subqueries, functions, joins.
//!
//! Every item gets a number of its own, unique in the statement (see [`crate::sql::ir`]).

use super::names::{Clause, Names, Range, fold, name_start, schema_and_name};
use super::{Binder, Visible, error_at};
use crate::error::{SqlError, SqlResult, state};
use crate::functions::Kind;
use crate::sql::catalog::{Relation, RelationKind, Source, sqlite_name};
use crate::sql::ir::{Column, ELEMENT, FIRST, FromItem, Named, Node, Op, Query, Side, System, Typed};
use crate::sql::plan::Effort;
use crate::types::{NO_TYPMOD, Type};
use sqlparser::ast::{
    Expr, FunctionArg, Ident, Join, JoinConstraint, JoinOperator, ObjectName, SetExpr, TableAlias, TableFactor,
    TableWithJoins,
};
use sqlparser::tokenizer::Location;
use std::rc::Rc;
use std::sync::Arc;

/// A part of a FROM clause, and what it makes visible.
struct Item {
    tree: FromItem,
    names: Names,
}

/// SQLite's limit for the tables of a join.
const MAX_TABLES: usize = 64;

impl Binder<'_> {
    pub(super) fn next_id(&mut self) -> usize {
        self.counter += 1;
        self.counter
    }

    /// Binds FROM and makes its names visible in the current level.
    pub(super) fn bind_from(&mut self, from: &[TableWithJoins]) -> SqlResult<Vec<FromItem>> {
        let tables: usize = from.iter().map(|item| 1 + item.joins.len()).sum();
        if tables > MAX_TABLES {
            let message = format!("more than {MAX_TABLES} tables in a join are not supported");
            let error = SqlError::new(state::PROGRAM_LIMIT_EXCEEDED, message);
            return Err(error.hint("Join some of them in a materialized WITH query."));
        }
        let mut items = Vec::with_capacity(from.len());
        for item in from {
            let item = self.with_joins(item)?;
            items.push(item.tree);
            self.level().names.append(item.names)?;
        }
        Ok(items)
    }

    fn with_joins(&mut self, item: &TableWithJoins) -> SqlResult<Item> {
        let mut left = self.factor(&item.relation)?;
        for join in &item.joins {
            // Each join looks through what stands to the left of it.
            self.scope.allowance.spend(1 + (left.names.ranges.len() + left.names.columns.len()) as u64 / 64)?;
            // What stands to the left is visible to a function on the right.
            let before = self.level().names.extent();
            self.level().names.append(std::mem::take(&mut left.names))?;
            let right = self.factor(&join.relation)?;
            left.names = self.level().names.split_off(before);
            left = self.join_items(left, right, join)?;
        }
        Ok(left)
    }

    fn join_items(&mut self, left: Item, right: Item, join: &Join) -> SqlResult<Item> {
        use JoinOperator as J;
        let (side, constraint) = match &join.join_operator {
            J::Join(c) | J::Inner(c) | J::CrossJoin(c) => (Side::Inner, c),
            J::Left(c) | J::LeftOuter(c) => (Side::Left, c),
            J::Right(c) | J::RightOuter(c) => (Side::Right, c),
            J::FullOuter(c) => (Side::Full, c),
            other => return Err(SqlError::unsupported(format!("{other:?}"))),
        };
        left.names.check_aliases(&right.names)?;
        let shared = match constraint {
            JoinConstraint::Using(columns) => {
                let mut shared = Vec::with_capacity(columns.len());
                for column in columns {
                    shared.push((schema_and_name(column)?.1, name_start(column)));
                }
                Some(shared)
            }
            JoinConstraint::Natural => {
                let common = |c: &&Named| right.names.columns.iter().any(|r| r.name == c.name);
                let shared = left.names.columns.iter().filter(common).map(|c| (c.name.clone(), Location::empty()));
                Some(shared.collect())
            }
            JoinConstraint::On(_) | JoinConstraint::None => None,
        };
        let merged = match shared {
            Some(shared) => Some(self.merge(&left.names, &right.names, shared, side)?),
            None => None,
        };
        let mut names = left.names;
        names.append(right.names)?;
        let condition = match (constraint, merged) {
            (_, Some((condition, merged))) => {
                names.columns = merged;
                condition
            }
            (JoinConstraint::On(on), None) => {
                let before = std::mem::replace(&mut self.level().names, names);
                let condition = self.within(Clause::On, |this| {
                    let on = this.expr(on)?;
                    this.condition(on, "JOIN/ON")
                });
                names = std::mem::replace(&mut self.level().names, before);
                Some(condition?)
            }
            _ => None,
        };
        let (left, right) = (Box::new(left.tree), Box::new(right.tree));
        Ok(Item { tree: FromItem::Join { left, right, side, on: condition }, names })
    }

    /// The columns of JOIN … USING: the shared ones once, then the others of both sides.
    fn merge(
        &mut self,
        left: &Names,
        right: &Names,
        shared: Vec<(String, Location)>,
        side: Side,
    ) -> SqlResult<(Option<Typed>, Vec<Named>)> {
        let (mut condition, mut merged): (Option<Typed>, Vec<Named>) = (None, Vec::new());
        for (name, at) in &shared {
            let missing = |which: &str| {
                let text = format!("column \"{name}\" specified in USING clause does not exist in {which} table");
                error_at(self, SqlError::new(state::UNDEFINED_COLUMN, text), *at)
            };
            let a = left.find(name)?.ok_or_else(|| missing("left"))?.expr.clone();
            let b = right.find(name)?.ok_or_else(|| missing("right"))?.expr.clone();
            let equal = self.operator("=", Some(a.clone()), b.clone())?;
            condition = Some(match condition {
                None => equal,
                Some(before) => Typed::test(Op::And, vec![before, equal]),
            });
            let expr = match side {
                Side::Inner | Side::Left if a.ty == b.ty => a,
                Side::Right if a.ty == b.ty => b,
                _ => {
                    let (ty, both) = self.unify(vec![a, b], "JOIN/USING")?;
                    let mut both = both.into_iter();
                    match side {
                        Side::Inner | Side::Left => both.next().unwrap_or(Typed::null(ty)),
                        Side::Right => both.nth(1).unwrap_or(Typed::null(ty)),
                        Side::Full => Typed::apply(ty, Op::Coalesce, both.collect()),
                    }
                }
            };
            merged.push(Named { name: name.clone(), expr });
        }
        let rest = |c: &&Named| !shared.iter().any(|(name, _)| *name == c.name);
        merged.extend(left.columns.iter().filter(rest).cloned());
        merged.extend(right.columns.iter().filter(rest).cloned());
        Ok((condition, merged))
    }

    fn factor(&mut self, factor: &TableFactor) -> SqlResult<Item> {
        match factor {
            TableFactor::Table {
                name,
                alias,
                args: None,
                with_hints,
                version: None,
                sample: None,
                json_path: None,
                with_ordinality: false,
                ..
            } if with_hints.is_empty() => self.table(name, alias.as_ref()),
            TableFactor::Table { name, alias, args: Some(args), with_ordinality, .. } => {
                self.table_function(name, &args.args, *with_ordinality, alias.as_ref())
            }
            TableFactor::Function { name, args, with_ordinality, alias, .. } => {
                self.table_function(name, args, *with_ordinality, alias.as_ref())
            }
            TableFactor::TableFunction { expr: Expr::Function(f), alias } => {
                let args = match &f.args {
                    sqlparser::ast::FunctionArguments::List(list) => list.args.clone(),
                    _ => vec![],
                };
                self.table_function(&f.name, &args, false, alias.as_ref())
            }
            TableFactor::UNNEST { alias, array_exprs, with_offset: false, with_ordinality, .. } => {
                let args = self.within(Clause::From, |this| array_exprs.iter().map(|e| this.expr(e)).collect())?;
                self.function_item("unnest", args, *with_ordinality, alias.as_ref(), Location::empty())
            }
            TableFactor::Derived { lateral, subquery, alias, sample: None } => {
                self.derived(subquery, alias.as_ref(), *lateral)
            }
            TableFactor::NestedJoin { table_with_joins, alias } => {
                let item = self.with_joins(table_with_joins)?;
                let nested = !table_with_joins.joins.is_empty();
                let tree = if nested { FromItem::Nested(Box::new(item.tree)) } else { item.tree };
                let names = match alias {
                    None => item.names,
                    Some(_) => {
                        let id = self.next_id();
                        Names::of(self.named_range(id, String::new(), None, item.names.columns, alias.as_ref())?)
                    }
                };
                Ok(Item { tree, names })
            }
            other => Err(SqlError::unsupported(format!("{other} in FROM"))),
        }
    }

    fn derived(&mut self, query: &sqlparser::ast::Query, alias: Option<&TableAlias>, lateral: bool) -> SqlResult<Item> {
        // A subquery does not see its siblings; SQLite knows no LATERAL, so one that needs them is refused.
        let siblings = std::mem::take(&mut self.level().names);
        let tree = self.query_tree(query);
        self.level().names = siblings;
        let mut tree = match tree {
            Err(e) if lateral && [state::UNDEFINED_COLUMN, state::UNDEFINED_TABLE].contains(&e.code) => {
                return self.lateral(query, alias);
            }
            tree => tree?,
        };
        self.decide_outputs(&mut tree)?;
        self.level().sources += 1;
        let outputs = tree.outputs();
        let sub = self.embed(tree);
        let id = self.next_id();
        let sql_alias = format!("t{id}");
        let columns = outputs
            .iter()
            .enumerate()
            .map(|(i, out)| Named {
                name: out.name.clone(),
                expr: self.column_of(
                    id,
                    &sql_alias,
                    &format!("c{}", i + 1),
                    out.ty,
                    out.typmod,
                    (out.table, out.attnum),
                    false,
                ),
            })
            .collect();
        let range = self.named_range(id, String::new(), None, columns, alias)?;
        Ok(Item { tree: FromItem::Query { query: Box::new(sub.query), range: id }, names: Names::of(range) })
    }

    /// `LATERAL (SELECT a, b + 1)`: expressions over the siblings, without tables of its own. Anything more is refused.
    fn lateral(&mut self, query: &sqlparser::ast::Query, alias: Option<&TableAlias>) -> SqlResult<Item> {
        let plain =
            query.with.is_none() && query.order_by.is_none() && query.limit_clause.is_none() && query.fetch.is_none();
        let select = match &*query.body {
            SetExpr::Select(select)
                if plain
                    && select.from.is_empty()
                    && select.selection.is_none()
                    && select.having.is_none()
                    && select.distinct.is_none() =>
            {
                select
            }
            _ => return Err(SqlError::unsupported("LATERAL")),
        };
        let columns = self.within(Clause::Where, |this| this.select_list(&select.projection))?;
        let id = self.next_id();
        let sql_alias = format!("t{id}");
        // The one row: where an outer join leaves it out, its columns are NULL.
        let there = self.column_of(id, &sql_alias, FIRST, Type::BOOL, NO_TYPMOD, (0, 0), false);
        let mut guarded = Vec::with_capacity(columns.len());
        for column in columns {
            let expr = self.decide_text(column.expr)?;
            let (ty, typmod) = (expr.ty, expr.typmod);
            let expr = Typed::apply(ty, Op::Case, vec![there.clone(), expr, Typed::null(ty)]).typmod(typmod);
            guarded.push(Named { name: column.name, expr });
        }
        let range = self.named_range(id, String::new(), None, guarded, alias)?;
        Ok(Item { tree: FromItem::Value { value: Typed::bool(true), range: id }, names: Names::of(range) })
    }

    pub(super) fn column_of(
        &self,
        range: usize,
        qualifier: &str,
        column: &str,
        ty: Type,
        typmod: i32,
        (table, attnum): (u32, i16),
        collated: bool,
    ) -> Typed {
        let column = Column { table, attnum, collated, ..Column::of(range, qualifier, column) };
        Typed::new(ty, Node::Column(column)).typmod(typmod)
    }

    /// A FROM item under its alias, with the columns its alias renames.
    fn named_range(
        &self,
        id: usize,
        name: String,
        relation: Option<Arc<Relation>>,
        mut columns: Vec<Named>,
        alias: Option<&TableAlias>,
    ) -> SqlResult<Range> {
        let Some(alias) = alias else {
            let schema = relation.as_ref().map(|r| r.schema.clone());
            return Ok(Range { id, alias: name, schema, relation, columns });
        };
        let alias_name = fold(&alias.name);
        if alias.columns.len() > columns.len() {
            let text = format!(
                "table \"{alias_name}\" has {} columns available but {} columns specified",
                columns.len(),
                alias.columns.len()
            );
            return Err(SqlError::new(state::INVALID_COLUMN_REFERENCE, text));
        }
        for (column, given) in columns.iter_mut().zip(&alias.columns) {
            column.name = fold(&given.name);
        }
        Ok(Range { id, alias: alias_name, schema: None, relation, columns })
    }

    fn table(&mut self, name: &ObjectName, alias: Option<&TableAlias>) -> SqlResult<Item> {
        let (schema, table) = schema_and_name(name)?;
        if schema.is_none()
            && let Some(cte) = self.ctes.iter().rev().find(|c| c.name == table).cloned()
        {
            return self.cte_item(&cte, alias);
        }
        let relation = self.relation(name)?;
        self.relation_item(&relation, alias)
    }

    /// The relation of a name.
    ///
    /// Errors: 42P01.
    pub(super) fn relation(&self, name: &ObjectName) -> SqlResult<Arc<Relation>> {
        let (schema, table) = schema_and_name(name)?;
        let found = self.scope.catalog.resolve(self.scope.search_path, schema.as_deref(), &table);
        found.cloned().ok_or_else(|| {
            let shown = schema.map_or(table.clone(), |s| format!("{s}.{table}"));
            let e = SqlError::new(state::UNDEFINED_TABLE, format!("relation \"{shown}\" does not exist"));
            error_at(self, e, name_start(name))
        })
    }

    fn cte_item(&mut self, cte: &Rc<Visible>, alias: Option<&TableAlias>) -> SqlResult<Item> {
        self.level().sources += 1;
        let id = self.next_id();
        let sql_alias = format!("t{id}");
        let columns = cte
            .columns
            .iter()
            .enumerate()
            .map(|(i, (name, ty, typmod))| Named {
                name: name.clone(),
                expr: self.column_of(id, &sql_alias, &format!("c{}", i + 1), *ty, *typmod, (0, 0), false),
            })
            .collect();
        let range = self.named_range(id, cte.name.clone(), None, columns, alias)?;
        Ok(Item { tree: FromItem::Table { name: cte.sql_name.clone(), range: id }, names: Names::of(range) })
    }

    fn relation_item(&mut self, relation: &Arc<Relation>, alias: Option<&TableAlias>) -> SqlResult<Item> {
        self.level().sources += 1;
        let id = self.next_id();
        let sql_alias = format!("t{id}");
        let (tree, by_number) = match (&relation.kind, &relation.source) {
            (RelationKind::Index { .. }, _) => {
                let text = format!("cannot open relation \"{}\"", relation.name);
                let detail = "This operation is not supported for indexes.";
                return Err(SqlError::new(state::WRONG_OBJECT_TYPE, text).detail(detail));
            }
            (RelationKind::View { definition }, _) | (_, Source::View(definition)) => {
                (FromItem::Query { query: Box::new(self.view(definition, relation)?), range: id }, true)
            }
            (_, Source::Table(name)) => (FromItem::Table { name: name.clone(), range: id }, false),
            (_, Source::Query(_)) => {
                self.effort = Effort::Open;
                (FromItem::Table { name: self.hoist(relation), range: id }, false)
            }
            (_, Source::None) => return Err(SqlError::unsupported(format!("reading \"{}\"", relation.name))),
        };
        let columns = self.columns_of(relation, id, &sql_alias, by_number);
        let range = self.named_range(id, relation.name.clone(), Some(relation.clone()), columns, alias)?;
        Ok(Item { tree, names: Names::of(range) })
    }

    /// A relation's columns under a qualifier; `by_number` where SQLite knows them as `c1`, `c2`, ….
    pub(super) fn columns_of(&self, relation: &Relation, id: usize, qualifier: &str, by_number: bool) -> Vec<Named> {
        let plain = matches!(relation.source, Source::Table(_)) && !by_number;
        relation
            .columns
            .iter()
            .enumerate()
            .map(|(i, column)| {
                let numbered = format!("c{}", i + 1);
                let sql_name = if by_number { &numbered } else { &column.name };
                let origin = (relation.oid, column.attnum);
                let expr = self.column_of(id, qualifier, sql_name, column.ty, column.typmod, origin, plain);
                Named { name: column.name.clone(), expr }
            })
            .collect()
    }

    /// A relation that is a query goes in front of the statement, where its columns get their names.
    fn hoist(&mut self, relation: &Arc<Relation>) -> String {
        if !self.hoisted.iter().any(|System(known)| known.oid == relation.oid) {
            self.hoisted.push(System(relation.clone()));
        }
        sqlite_name(&relation.schema, &relation.name)
    }

    /// A view's query, bound as if it stood alone.
    fn view(&mut self, definition: &str, relation: &Relation) -> SqlResult<Query> {
        if self.views.len() > 64 {
            return Err(SqlError::new(state::STATEMENT_TOO_COMPLEX, "views are nested too deeply"));
        }
        if self.views.contains(&relation.oid) {
            let text = format!("infinite recursion detected in rules for relation \"{}\"", relation.name);
            return Err(SqlError::new(state::INVALID_OBJECT_DEFINITION, text));
        }
        // It is parsed anew each time: some steps for each of its tokens.
        self.scope.allowance.spend(definition.len() as u64 / 4)?;
        let query = super::parse_query(definition)?;
        self.views.push(relation.oid);
        let tree = self.isolated(|this| {
            let mut tree = this.query_tree(&query)?;
            for (i, column) in relation.columns.iter().enumerate().take(tree.outputs().len()) {
                this.coerce_output(&mut tree, i, column.ty, column.typmod, crate::functions::CastContext::Explicit)?;
            }
            Ok(tree)
        });
        self.views.pop();
        let tree = tree?;
        if tree.outputs().len() != relation.columns.len() {
            return Err(SqlError::internal(format!("view \"{}\" has other columns than its query", relation.name)));
        }
        Ok(self.embed(tree).query)
    }

    /// Runs `f` without the names, queries and parameters around it.
    pub(super) fn isolated<R>(&mut self, f: impl FnOnce(&mut Self) -> SqlResult<R>) -> SqlResult<R> {
        let levels = std::mem::take(&mut self.levels);
        let ctes = std::mem::take(&mut self.ctes);
        let params = std::mem::replace(&mut self.allow_params, false);
        let lines = std::mem::take(&mut self.source);
        let result = f(self);
        (self.levels, self.ctes, self.allow_params, self.source) = (levels, ctes, params, lines);
        // A place in the catalog's text is none in the client's.
        result.map_err(|mut e| {
            e.fields.position = None;
            e
        })
    }

    fn table_function(
        &mut self,
        name: &ObjectName,
        args: &[FunctionArg],
        ordinality: bool,
        alias: Option<&TableAlias>,
    ) -> SqlResult<Item> {
        let (_, function) = schema_and_name(name)?;
        let at = name_start(name);
        let args =
            self.within(Clause::From, |this| args.iter().map(|a| this.argument(a, at)).collect::<SqlResult<Vec<_>>>())?;
        self.function_item(&function, args, ordinality, alias, at)
    }

    fn function_item(
        &mut self,
        name: &str,
        args: Vec<Typed>,
        ordinality: bool,
        alias: Option<&TableAlias>,
        at: Location,
    ) -> SqlResult<Item> {
        let id = self.next_id();
        let sql_alias = format!("t{id}");
        // A function of one column gives it its own name, or the alias.
        let own = alias.map_or(name.to_owned(), |a| fold(&a.name));
        let known = crate::functions::lookup_functions(name);
        let (tree, mut columns) = if known.first().is_some_and(|f| f.kind == Kind::Set) {
            self.effort = Effort::Open;
            let (function, args, ty) = match self.resolve_function(name, args, at)? {
                Ok(found) => found,
                Err(args) => return Err(self.undefined_function(name, &args, at)),
            };
            let element = args.first().and_then(|a| a.ty.element()).unwrap_or(Type::TEXT);
            let call = Typed::apply(ty, Op::Function(function), args);
            let columns: Vec<Named> = if function.columns.is_empty() {
                vec![Named {
                    name: own.clone(),
                    expr: self.column_of(id, &sql_alias, ELEMENT, ty, NO_TYPMOD, (0, 0), false),
                }]
            } else {
                let column = |(name, ty): &(&str, Type)| {
                    let ty = if ty.is_polymorphic() { element } else { *ty };
                    Named {
                        name: (*name).to_owned(),
                        expr: self.column_of(id, &sql_alias, name, ty, NO_TYPMOD, (0, 0), false),
                    }
                };
                function.columns.iter().map(column).collect()
            };
            (FromItem::Function { call, range: id }, columns)
        } else {
            let value = self.within(Clause::From, |this| this.named_call(name, args, at))?;
            let expr = self.column_of(id, &sql_alias, FIRST, value.ty, value.typmod, (0, 0), false);
            (FromItem::Value { value, range: id }, vec![Named { name: own.clone(), expr }])
        };
        if ordinality {
            let expr = self.column_of(id, &sql_alias, "ordinality", Type::INT8, NO_TYPMOD, (0, 0), false);
            columns.push(Named { name: "ordinality".into(), expr });
        }
        let range = self.named_range(id, own, None, columns, alias)?;
        Ok(Item { tree, names: Names::of(range) })
    }

    /// A set-returning function in a select list: its rows multiply the query's.
    pub(super) fn set_in_expression(&mut self, name: &str, args: Vec<Typed>, at: Location) -> SqlResult<Typed> {
        let clause = self.level().clause;
        if clause != Clause::Select {
            let text = format!("set-returning functions are not allowed in {}", clause.name());
            return Err(error_at(self, SqlError::new(state::FEATURE_NOT_SUPPORTED, text), at));
        }
        let (function, args, ty) = match self.resolve_function(name, args, at)? {
            Ok(found) => found,
            Err(args) => return Err(self.undefined_function(name, &args, at)),
        };
        self.effort = Effort::Open;
        if !function.columns.is_empty() {
            return Err(error_at(self, SqlError::unsupported("a function of several columns in a select list"), at));
        }
        if args.iter().any(|a| a.has_aggregate() || a.has_window()) {
            return Err(error_at(self, SqlError::unsupported("a set-returning function of aggregates"), at));
        }
        let id = self.next_id();
        let call = Typed::apply(ty, Op::Function(function), args);
        let column = self.column_of(id, &format!("t{id}"), ELEMENT, ty, NO_TYPMOD, (0, 0), false);
        self.level().sets.push(FromItem::Function { call, range: id });
        Ok(column.at(at))
    }
}

/// `DEFAULT` where an expression may stand in VALUES and SET.
pub(super) fn is_default(expr: &Expr) -> bool {
    matches!(expr, Expr::Identifier(Ident { value, quote_style: None, .. }) if value.eq_ignore_ascii_case("default"))
}
