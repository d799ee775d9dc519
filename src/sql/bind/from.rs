//! FROM: tables, views, subqueries, functions, joins.
//!
//! Every item gets a number of its own, unique in the statement (see [`crate::sql::ir`]).

use super::labels::labels_as_text;
use super::names::{Clause, Hidden, Names, Range, fold, name_start, schema_and_name};
use super::record::{plain_field, shape_argument};
use super::{Binder, Visible, error_at, parse_expr};
use crate::error::{SqlError, SqlResult, state};
use crate::functions::records::MAX_COLUMNS;
use crate::functions::{Function, Kind, lookup_functions};
use crate::rights::{SELECT, USAGE};
use crate::sql::access;
use crate::sql::catalog::{Relation, RelationKind, Source, sqlite_name};
use crate::sql::ir::{
    Body, Column, ELEMENT, FIRST, FromItem, Named, Node, Op, Part, Query, Select, Side, System, Typed,
};
use crate::sql::parse::ROWS_FROM;
use crate::sql::phrases::JOIN_ALIAS;
use crate::sql::plan::Effort;
use crate::types::record::Field;
use crate::types::{NO_TYPMOD, Type};
use crate::value::Value;
use sqlparser::ast::{
    Expr, FunctionArg, FunctionArgExpr, FunctionArguments, Ident, Join, JoinConstraint, JoinOperator, ObjectName,
    Spanned, TableAlias, TableAliasColumnDef, TableFactor, TableSample, TableSampleKind, TableSampleMethod,
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
        if from.len() > MAX_TABLES {
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

    /// Binds what stands in FROM or USING beside a table that is changed; the level may have its names already.
    pub(super) fn bind_beside(&mut self, target: &Range, from: &[TableWithJoins]) -> SqlResult<Vec<FromItem>> {
        let level = self.level();
        let hidden = level.hidden.len();
        // Where all names are others for a while (ON, a subquery without LATERAL), it is not there to be found.
        level.hidden.push((target.alias.clone(), Hidden::Sibling));
        level.barred = Some(target.id);
        let items = self.bind_from(from);
        let level = self.level();
        level.hidden.truncate(hidden);
        level.barred = None;
        items
    }

    fn with_joins(&mut self, item: &TableWithJoins) -> SqlResult<Item> {
        let mut left = self.factor(&item.relation)?;
        for join in &item.joins {
            // Each join looks through what stands to the left of it.
            self.scope.allowance.spend(1 + (left.names.ranges.len() + left.names.columns.len()) as u64 / 64)?;
            // What stands to the left is visible to a function on the right.
            use JoinOperator as J;
            let right = match join.join_operator {
                // Rows of the right that have none on the left could not depend on it.
                J::Right(_) | J::RightOuter(_) | J::FullOuter(_) => {
                    self.hiding(&left.names, Hidden::Outer, |this| this.factor(&join.relation))?
                }
                _ => {
                    let before = self.level().names.extent();
                    self.level().names.append(std::mem::take(&mut left.names))?;
                    let right = self.factor(&join.relation)?;
                    left.names = self.level().names.split_off(before);
                    right
                }
            };
            if tables_in(&left.tree) + tables_in(&right.tree) > MAX_TABLES {
                left = self.packed(left);
            }
            left = self.join_items(left, right, join)?;
        }
        Ok(left)
    }

    /// A join as a query of its own, which SQLite does not merge into the one around it because of its LIMIT.
    fn packed(&mut self, item: Item) -> Item {
        let Item { tree, mut names } = item;
        let id = self.next_id();
        let mut kept: Vec<Typed> = Vec::new();
        for column in names.columns.iter().chain(names.ranges.iter().flat_map(|range| &range.columns)) {
            if !kept.contains(&column.expr) {
                kept.push(column.expr.clone());
            }
        }
        let (alias, this) = (format!("t{id}"), &*self);
        let look_up = |named: &mut Named| {
            if let Some(at) = kept.iter().position(|known| *known == named.expr) {
                let (ty, typmod, origin) = (named.expr.ty, named.expr.typmod, named.expr.origin());
                named.expr = this.column_of(id, &alias, &format!("c{}", at + 1), ty, typmod, origin, false);
            }
        };
        names.ranges.iter_mut().flat_map(|range| &mut range.columns).for_each(look_up);
        names.columns.iter_mut().for_each(look_up);
        for range in &mut names.ranges {
            (range.relation, range.numbered, range.derived) = (None, false, false);
        }
        let columns = kept.into_iter().map(|expr| Named { name: String::new(), expr }).collect();
        let select = Select { columns, from: vec![tree], ..Select::default() };
        let limit = Some(Typed::constant(Type::INT8, crate::value::Value::Int(-1)));
        let query = Query { limit, ..Query::of(Body::Select(Box::new(select))) };
        Item { tree: FromItem::Query { query: Box::new(query), range: id }, names }
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
        // The name of the columns that are shared, and how many they are.
        let mut alias = None;
        let shared = match constraint {
            JoinConstraint::Using(columns) => {
                let mut shared = Vec::with_capacity(columns.len());
                for column in columns {
                    shared.push((schema_and_name(column)?.1, name_start(column)));
                }
                alias = shared
                    .pop_if(|(name, _)| name.starts_with(JOIN_ALIAS))
                    .map(|(name, at)| (name[JOIN_ALIAS.len()..].to_owned(), at, shared.len()));
                Some(shared)
            }
            JoinConstraint::Natural => {
                let common = |c: &&Named| right.names.columns.iter().any(|r| r.name == c.name);
                let shared: Vec<String> = left.names.columns.iter().filter(common).map(|c| c.name.clone()).collect();
                self.note_natural(join.relation.span().start, &shared);
                Some(shared.into_iter().map(|name| (name, Location::empty())).collect())
            }
            JoinConstraint::On(_) | JoinConstraint::None => None,
        };
        let merged = match shared {
            Some(shared) => Some(self.merge(&left.names, &right.names, shared, side)?),
            None => None,
        };
        let mut names = left.names;
        let on_the_left = names.ranges.len();
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
                    let on = this.condition(on, "JOIN/ON")?;
                    this.note_condition(join.relation.span().start, &on);
                    this.entailed(on)
                });
                names = std::mem::replace(&mut self.level().names, before);
                Some(condition?)
            }
            _ => None,
        };
        for (i, range) in names.ranges.iter_mut().enumerate() {
            range.optional |= match side {
                Side::Inner => false,
                Side::Left => i >= on_the_left,
                Side::Right => i < on_the_left,
                Side::Full => true,
            };
        }
        if let Some((alias, at, shared)) = alias {
            let id = self.next_id();
            let columns = names.columns[..shared].to_vec();
            if names.range(None, &alias).is_some() {
                let text = format!("table name \"{alias}\" specified more than once");
                return Err(error_at(self, SqlError::new(state::DUPLICATE_ALIAS, text), at));
            }
            names.ranges.push(self.named_range(id, alias, None, columns, None)?);
        }
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
            let common = |which: &str| {
                let text = format!("common column name \"{name}\" appears more than once in {which} table");
                error_at(self, SqlError::new(state::AMBIGUOUS_COLUMN, text), *at)
            };
            let a = left.find(name).map_err(|_| common("left"))?.ok_or_else(|| missing("left"))?.expr.clone();
            let b = right.find(name).map_err(|_| common("right"))?.ok_or_else(|| missing("right"))?.expr.clone();
            let unmatched = (self.type_name(a.ty), self.type_name(b.ty));
            let equal = self.operator("=", Some(a.clone()), b.clone()).map_err(|error| {
                let (left, right) = &unmatched;
                match super::coerce::category(a.ty) == super::coerce::category(b.ty) {
                    true => error,
                    false => SqlError::new(
                        state::DATATYPE_MISMATCH,
                        format!("JOIN/USING types {left} and {right} cannot be matched"),
                    ),
                }
            })?;
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
                sample,
                json_path: None,
                with_ordinality: false,
                ..
            } if with_hints.is_empty() => {
                let item = self.table(name, alias.as_ref())?;
                match sample {
                    Some(TableSampleKind::AfterTableAlias(sample)) => self.sampled(item, sample),
                    Some(TableSampleKind::BeforeTableAlias(_)) => Err(SqlError::syntax("syntax error at TABLESAMPLE")),
                    None => Ok(item),
                }
            }
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
                let args: Vec<Typed> =
                    self.within(Clause::From, |this| array_exprs.iter().map(|e| this.expr(e)).collect())?;
                let call = |arg| ("unnest".to_owned(), vec![arg], Location::empty());
                self.functions_item(args.into_iter().map(call).collect(), *with_ordinality, alias.as_ref())
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
        // Without LATERAL a subquery does not see its siblings.
        let mut tree = if lateral {
            self.query_tree(query)?
        } else {
            let siblings = std::mem::take(&mut self.level().names);
            let tree = self.hiding(&siblings, Hidden::Sibling, |this| this.query_tree(query));
            self.level().names = siblings;
            tree?
        };
        self.decide_outputs(&mut tree)?;
        self.level().sources += 1;
        self.query_item(tree, alias)
    }

    /// Gives queries in FROM the marks that were found to be needed.
    pub(super) fn mark(&self, items: &mut [FromItem]) {
        if self.marks.is_empty() {
            return;
        }
        for item in items {
            match item {
                FromItem::Query { query, range } if self.marks.contains(range) => query.body.append(&Typed::bool(true)),
                FromItem::Join { left, right, .. } => {
                    self.mark(std::slice::from_mut(left));
                    self.mark(std::slice::from_mut(right));
                }
                FromItem::Nested(inner) => self.mark(std::slice::from_mut(inner)),
                _ => {}
            }
        }
    }

    /// Binds something that may not name these items.
    fn hiding<R>(&mut self, names: &Names, why: Hidden, f: impl FnOnce(&mut Self) -> SqlResult<R>) -> SqlResult<R> {
        let hidden = &mut self.level().hidden;
        let before = hidden.len();
        // Of several reasons, the last counts.
        hidden.extend_from_within(..);
        hidden[before..].iter_mut().for_each(|(_, reason)| *reason = why);
        hidden.extend(names.ranges.iter().map(|range| (range.alias.clone(), why)));
        let result = f(self);
        self.level().hidden.truncate(before);
        result
    }

    /// A query as a FROM item.
    fn query_item(&mut self, tree: Query, alias: Option<&TableAlias>) -> SqlResult<Item> {
        let outputs = tree.outputs();
        let id = self.next_id();
        self.note_shapes(id, &tree.body);
        let sub = self.embed(tree);
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
        let mut range = self.named_range(id, String::new(), None, columns, alias)?;
        let own = self.own_ranges();
        let query = Box::new(sub.query);
        let tree = if sub.outer.iter().any(|column| own.contains(&column.range)) {
            self.effort = Effort::Open;
            range.numbered = true;
            gathered(query, id)?
        } else {
            range.derived = true;
            FromItem::Query { query, range: id }
        };
        Ok(Item { tree, names: Names::of(range) })
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
        // A char(n) is stored without its blanks; without a length, blanks belong to the value.
        let collated = collated && (ty != Type::BPCHAR || typmod != NO_TYPMOD);
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
        let (alias, schema) = match alias {
            None => (name, relation.as_ref().map(|r| r.schema.clone())),
            Some(alias) => {
                let name = fold(&alias.name);
                if alias.columns.len() > columns.len() {
                    let text = format!(
                        "table \"{name}\" has {} columns available but {} columns specified",
                        columns.len(),
                        alias.columns.len()
                    );
                    return Err(SqlError::new(state::INVALID_COLUMN_REFERENCE, text));
                }
                for (column, given) in columns.iter_mut().zip(&alias.columns) {
                    column.name = fold(&given.name);
                }
                (name, None)
            }
        };
        Ok(Range {
            id,
            alias,
            schema,
            relation,
            columns,
            scalar: false,
            optional: false,
            numbered: false,
            derived: false,
        })
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

    /// TABLESAMPLE: a join with nothing, on whether a row is taken.
    fn sampled(&mut self, item: Item, sample: &TableSample) -> SqlResult<Item> {
        let only_tables = || {
            let text = "TABLESAMPLE clause can only be applied to tables and materialized views";
            SqlError::new(state::FEATURE_NOT_SUPPORTED, text)
        };
        let range = item.names.ranges.first().ok_or_else(only_tables)?;
        let relation = range.relation.clone().filter(|r| r.kind.is_stored()).ok_or_else(only_tables)?;
        let blocks = match sample.name {
            Some(TableSampleMethod::Bernoulli) => false,
            Some(TableSampleMethod::System) => true,
            _ => return Err(SqlError::syntax("TABLESAMPLE needs a method, BERNOULLI or SYSTEM")),
        };
        let quantity = sample.quantity.as_ref().filter(|q| q.parenthesized && q.unit.is_none());
        let (Some(quantity), None, None) = (quantity, &sample.bucket, &sample.offset) else {
            return Err(SqlError::syntax("TABLESAMPLE needs a percentage in parentheses"));
        };
        let rowid = Column::of(range.id, format!("t{}", range.id), relation.rowid_name());
        let rowid = Typed::new(Type::INT8, Node::Column(rowid));
        let seed = match &sample.seed {
            Some(seed) => Expr::Value(seed.value.clone()),
            None => parse_expr("(SELECT pg_catalog.random())")?,
        };
        let (percentage, seed) =
            self.within(Clause::From, |this| Ok((this.expr(&quantity.value)?, this.expr(&seed)?)))?;
        let args = vec![
            self.coerce(percentage, Type::FLOAT4)?,
            self.coerce(seed, Type::FLOAT8)?,
            rowid,
            Typed::constant(Type::INT8, Value::Int(blocks.into())),
        ];
        let taken = Typed::apply(Type::BOOL, Op::Internal("q_sampled"), args);
        let nothing = vec![Named { name: String::new(), expr: Typed::bool(true) }];
        let nothing = Query::of(Body::Select(Box::new(Select { columns: nothing, ..Select::default() })));
        let right = FromItem::Query { query: Box::new(nothing), range: self.next_id() };
        let join =
            FromItem::Join { left: Box::new(item.tree), right: Box::new(right), side: Side::Inner, on: Some(taken) };
        Ok(Item { tree: FromItem::Nested(Box::new(join)), names: item.names })
    }

    /// The relation of a name.
    ///
    /// Errors: 42P01.
    pub(super) fn relation(&self, name: &ObjectName) -> SqlResult<Arc<Relation>> {
        let (schema, table) = schema_and_name(name)?;
        if let Some(schema) = schema.as_ref().filter(|_| self.views.is_empty() && !self.unasked) {
            access::schema(self.scope, schema, USAGE)?;
        }
        let found = self.scope.catalog.resolve(self.scope.search_path, schema.as_deref(), &table);
        found.cloned().ok_or_else(|| {
            let shown = schema.map_or(table.clone(), |s| format!("{s}.{table}"));
            let e = SqlError::new(state::UNDEFINED_TABLE, format!("relation \"{shown}\" does not exist"));
            error_at(self, e, name_start(name))
        })
    }

    fn cte_item(&mut self, cte: &Rc<Visible>, alias: Option<&TableAlias>) -> SqlResult<Item> {
        cte.check_returns()?;
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
        for i in 1..=cte.columns.len() {
            if let Some(shape) = self.cte_shapes.get(&(cte.sql_name.clone(), i)).cloned() {
                self.shapes.insert((id, format!("c{i}")), shape);
            }
        }
        let range = self.named_range(id, cte.name.clone(), None, columns, alias)?;
        Ok(Item { tree: FromItem::Table { name: cte.sql_name.clone(), range: id }, names: Names::of(range) })
    }

    fn relation_item(&mut self, relation: &Arc<Relation>, alias: Option<&TableAlias>) -> SqlResult<Item> {
        self.level().sources += 1;
        let id = self.next_id();
        let sql_alias = format!("t{id}");
        self.needs.add(id, relation, self.acts_for(), self.scope, SELECT);
        if let RelationKind::Materialized { populated: false, .. } = relation.kind
            && !self.unasked
        {
            let text = format!("materialized view \"{}\" has not been populated", relation.name);
            return Err(SqlError::new(state::OBJECT_NOT_IN_PREREQUISITE_STATE, text)
                .hint("Use the REFRESH MATERIALIZED VIEW command."));
        }
        let (tree, by_number) = match (&relation.kind, &relation.source) {
            (RelationKind::Index { .. }, _) => {
                let text = format!("cannot open relation \"{}\"", relation.name);
                let detail = "This operation is not supported for indexes.";
                return Err(SqlError::new(state::WRONG_OBJECT_TYPE, text).detail(detail));
            }
            (RelationKind::View { definition, .. }, _) | (_, Source::View(definition)) => {
                let first = self.counter + 1;
                let query = self.view(definition, relation)?;
                self.needs.read_inside(id, first..self.counter + 1);
                self.note_shapes(id, &query.body);
                (FromItem::Query { query: Box::new(query), range: id }, true)
            }
            (_, Source::Table(name)) => {
                let table = || FromItem::Table { name: name.clone(), range: id };
                (self.as_before(relation, id).unwrap_or_else(table), false)
            }
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
                let mut expr = self.column_of(id, qualifier, sql_name, column.ty, column.typmod, origin, plain);
                if let Node::Column(own) = &mut expr.node {
                    own.domain = column.domain;
                }
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
        if function == ROWS_FROM {
            let mut calls = Vec::with_capacity(args.len());
            for arg in args {
                let FunctionArg::Unnamed(FunctionArgExpr::Expr(Expr::Function(call))) = arg else {
                    return Err(SqlError::syntax("ROWS FROM takes function calls"));
                };
                let list = match &call.args {
                    FunctionArguments::List(list) => &list.args[..],
                    _ => &[],
                };
                let (_, name) = schema_and_name(&call.name)?;
                calls.push((name, self.arguments_within(list, name_start(&call.name))?, name_start(&call.name)));
            }
            return self.functions_item(calls, ordinality, alias);
        }
        let at = name_start(name);
        let args = self.arguments_within(args, at)?;
        if function == "unnest" {
            let calls = args.into_iter().map(|arg| (function.clone(), vec![arg], at)).collect::<Vec<_>>();
            return self.functions_item(calls, ordinality, alias);
        }
        self.functions_item(vec![(function, args, at)], ordinality, alias)
    }

    fn arguments_within(&mut self, args: &[FunctionArg], at: Location) -> SqlResult<Vec<Typed>> {
        self.within(Clause::From, |this| this.arguments(args, at))
    }

    /// Function calls that advance in step.
    fn functions_item(
        &mut self,
        mut calls: Vec<(String, Vec<Typed>, Location)>,
        ordinality: bool,
        alias: Option<&TableAlias>,
    ) -> SqlResult<Item> {
        if let ([_], Some((name, args, at))) = (&calls[..], calls.first().cloned()) {
            return self.function_item(&name, args, ordinality, alias, at);
        }
        let (mut items, mut columns) = (Vec::new(), Vec::new());
        for (name, args, at) in calls.drain(..) {
            let source = self.function_source(&name, args, None, &name, at)?;
            items.push(source.item);
            columns.extend(source.columns);
        }
        if ordinality {
            let steps = items.first().map_or(0, FromItem::range);
            let number = self.column_of(0, &format!("t{steps}_steps"), ELEMENT, Type::INT8, NO_TYPMOD, (0, 0), false);
            columns.push(Named { name: "ordinality".into(), expr: number });
        }
        let select = Select { columns, from: vec![FromItem::InStep(items)], ..Select::default() };
        let tree = Query::of(Body::Select(Box::new(select)));
        let mut outer = Vec::new();
        tree.parts(&mut |part| {
            if let Part::Expr(Typed { node: Node::Column(column), .. }) = part {
                outer.push(column.clone());
            }
        });
        self.query_item(Query { outer, ..tree }, alias)
    }

    fn function_item(
        &mut self,
        name: &str,
        args: Vec<Typed>,
        ordinality: bool,
        alias: Option<&TableAlias>,
        at: Location,
    ) -> SqlResult<Item> {
        // A function of one column gives it its own name, or the alias.
        let own =
            alias.map_or(name.to_owned(), |a| if a.name.value.is_empty() { name.to_owned() } else { fold(&a.name) });
        let defined = alias.map(|a| &a.columns[..]).filter(|columns| columns.iter().any(|c| c.data_type.is_some()));
        let mut source = self.function_source(name, args, defined, &own, at)?;
        let id = source.item.range();
        if ordinality {
            let expr = self.column_of(id, &format!("t{id}"), "ordinality", Type::INT8, NO_TYPMOD, (0, 0), false);
            source.columns.push(Named { name: "ordinality".into(), expr });
        }
        let mut range = self.named_range(id, own.clone(), None, source.columns, alias)?;
        range.alias = own;
        range.scalar = source.scalar && !ordinality;
        range.numbered = true;
        Ok(Item { tree: source.item, names: Names::of(range) })
    }

    /// One function of a FROM item. `defined`: the columns that a list behind it defines.
    fn function_source(
        &mut self,
        name: &str,
        args: Vec<Typed>,
        defined: Option<&[TableAliasColumnDef]>,
        own: &str,
        at: Location,
    ) -> SqlResult<FunctionSource> {
        let id = self.next_id();
        let sql_alias = format!("t{id}");
        let defined = defined.map(|columns| self.defined_fields(columns)).transpose()?;
        let known = lookup_functions(name);
        let is_set = known.first().is_some_and(|f| f.kind == Kind::Set);
        if let (Some(_), true) = (&defined, known.first().is_none_or(|f| !f.is_of_rows())) {
            let text = "a column definition list is only allowed for functions returning \"record\"";
            return Err(error_at(self, SqlError::syntax(text), at));
        }
        if !is_set {
            let value = self.within(Clause::From, |this| this.call_of_rows(name, args, defined, at))?;
            let shape = self.shape_of(&value);
            let first = self.column_of(id, &sql_alias, FIRST, value.ty, value.typmod, (0, 0), false);
            let correlated = value.any(&|e| match &e.node {
                Node::Column(_) => true,
                Node::Query(sub) => !sub.outer.is_empty(),
                _ => false,
            });
            let columns = match shape {
                Some(shape) => {
                    self.shapes.insert((id, FIRST.to_owned()), shape);
                    self.fields(first)?
                }
                None => vec![Named { name: own.to_owned(), expr: first }],
            };
            let scalar = columns.len() == 1 && value.ty != Type::RECORD;
            let item = if correlated {
                let columns = vec![Named { name: String::new(), expr: value }];
                let select = Select { columns, ..Select::default() };
                self.effort = Effort::Open;
                gathered(Box::new(Query::of(Body::Select(Box::new(select)))), id)?
            } else {
                FromItem::Value { value, range: id }
            };
            return Ok(FunctionSource { item, columns, scalar });
        }
        let (call, fields) = self.set_call(name, args, defined, at)?;
        let columns = match fields {
            None => vec![Named {
                name: own.to_owned(),
                expr: self.column_of(id, &sql_alias, ELEMENT, call.ty, NO_TYPMOD, (0, 0), false),
            }],
            Some(fields) => self.set_columns(id, &call, &fields),
        };
        let scalar = columns.len() == 1 && call.ty != Type::RECORD;
        if let Some(notes) = self.own_notes() {
            notes.calls.insert(id, call.clone());
        }
        Ok(FunctionSource { item: FromItem::Function { call, range: id }, columns, scalar })
    }

    fn defined_fields(&self, columns: &[TableAliasColumnDef]) -> SqlResult<Vec<Field>> {
        let field = |column: &TableAliasColumnDef| {
            let ty = column
                .data_type
                .as_ref()
                .ok_or_else(|| SqlError::syntax("a column definition list needs a type for each of its columns"))?;
            let (ty, typmod) = self.data_type(ty)?;
            let (ty, typmod) = self.scope.catalog.base_of(ty, typmod);
            Ok(Field { name: fold(&column.name), ty, typmod })
        };
        columns.iter().map(field).collect()
    }

    /// A call of a function that yields rows, and their fields, if it has several columns or named ones.
    fn set_call(
        &mut self,
        name: &str,
        args: Vec<Typed>,
        defined: Option<Vec<Field>>,
        at: Location,
    ) -> SqlResult<(Typed, Option<Vec<Field>>)> {
        self.effort = Effort::Open;
        let (function, args, ty) = match self.resolve_function(name, args, at)? {
            Ok(found) => found,
            Err(args) => return Err(self.undefined_function(name, &args, at)),
        };
        let element = args.first().and_then(|a| a.ty.element()).unwrap_or(Type::TEXT);
        if function.is_of_rows() {
            let (args, fields) = self.with_fields(function, args, defined, at)?;
            return Ok((Typed::apply(Type::RECORD, Op::Function(function), args), Some(fields)));
        }
        let field = |(name, ty): &(&str, Type)| plain_field(name, if ty.is_polymorphic() { element } else { *ty });
        let fields: Vec<Field> = function.columns.iter().map(field).collect();
        Ok((Typed::apply(ty, Op::Function(function), args), (!fields.is_empty()).then_some(fields)))
    }

    /// The columns of a function that yields rows of several, or named ones.
    fn set_columns(&self, id: usize, call: &Typed, fields: &[Field]) -> Vec<Named> {
        let column = |(i, field): (usize, &Field)| {
            // What unnests an array has its elements in a column of another name.
            let sql_name = if call.ty == Type::RECORD { format!("c{}", i + 1) } else { ELEMENT.to_owned() };
            let alias = format!("t{id}");
            let expr = self.column_of(id, &alias, &sql_name, field.ty, field.typmod, (0, 0), false);
            // What the function reads are labels.
            let labelled = field.ty.has_labels() && call.ty == Type::RECORD;
            let expr = if labelled { self.place(expr, field.ty) } else { expr };
            Named { name: field.name.clone(), expr }
        };
        fields.iter().enumerate().map(column).collect()
    }

    /// The arguments of a function whose rows have the fields of its first argument or of a list behind it, and these.
    pub(super) fn with_fields(
        &mut self,
        function: &'static Function,
        mut args: Vec<Typed>,
        defined: Option<Vec<Field>>,
        at: Location,
    ) -> SqlResult<(Vec<Typed>, Vec<Field>)> {
        let populates = args.len() == 2;
        let shape = populates.then(|| self.shape_of(&args[0])).flatten();
        let fields = match (defined, shape.clone()) {
            (Some(defined), shape) => {
                shape.map_or(Ok(()), |shape| self.check_shape(&shape, &defined))?;
                defined
            }
            (None, Some(shape)) => shape.to_vec(),
            (None, None) if populates && args[0].ty != Type::RECORD => {
                let text = format!("first argument of {} must be a row type", function.name);
                return Err(error_at(self, SqlError::new(state::DATATYPE_MISMATCH, text), at));
            }
            (None, None) if populates => {
                let text = format!("could not determine row type for result of {}", function.name);
                let hint = "Provide a non-null record argument, or call the function in the FROM clause using a column \
                            definition list.";
                return Err(SqlError::new(state::FEATURE_NOT_SUPPORTED, text).hint(hint));
            }
            (None, None) if self.level().clause == Clause::From => {
                let text = "a column definition list is required for functions returning \"record\"";
                return Err(error_at(self, SqlError::syntax(text), at));
            }
            (None, None) => {
                let text = "function returning record called in context that cannot accept type record";
                return Err(SqlError::new(state::FEATURE_NOT_SUPPORTED, text));
            }
        };
        if populates {
            let base = args.remove(0);
            args.insert(0, self.labelled(base)?);
        }
        // Keys are looked for under the names that the row itself has.
        let own = shape.as_deref().unwrap_or(&fields);
        let read = own.iter().map(|f| Field { ty: labels_as_text(f.ty), ..f.clone() });
        args.push(shape_argument(&read.collect::<Vec<_>>()));
        Ok((args, fields))
    }

    /// Errors: 42804 unless a row has the fields that a list behind its function says.
    fn check_shape(&self, row: &[Field], wanted: &[Field]) -> SqlResult<()> {
        let other = row.iter().zip(wanted).position(|(has, wanted)| has.ty != wanted.ty);
        let detail = match other {
            _ if row.len() != wanted.len() => {
                let noun = if row.len() == 1 { "attribute" } else { "attributes" };
                format!("Returned row contains {} {noun}, but query expects {}.", row.len(), wanted.len())
            }
            Some(at) => format!(
                "Returned type {} at ordinal position {}, but query expects {}.",
                self.type_name(row[at].ty),
                at + 1,
                self.type_name(wanted[at].ty)
            ),
            None => return Ok(()),
        };
        let text = "function return row and query-specified return row do not match";
        Err(SqlError::new(state::DATATYPE_MISMATCH, text).detail(detail))
    }

    /// A call of a function that is no set, also of one whose record has the fields of a list behind it.
    pub(super) fn call_of_rows(
        &mut self,
        name: &str,
        args: Vec<Typed>,
        defined: Option<Vec<Field>>,
        at: Location,
    ) -> SqlResult<Typed> {
        if !lookup_functions(name).first().is_some_and(|f| f.is_of_rows()) {
            return self.named_call(name, args, at);
        }
        match self.resolve_function(name, args, at)? {
            Ok((function, args, _)) => {
                let (args, _) = self.with_fields(function, args, defined, at)?;
                Ok(Typed::apply(Type::RECORD, Op::Function(function), args).at(at))
            }
            Err(args) => Err(self.undefined_function(name, &args, at)),
        }
    }

    /// A set-returning function in a select list: its rows multiply the query's.
    pub(super) fn set_in_expression(&mut self, name: &str, args: Vec<Typed>, at: Location) -> SqlResult<Typed> {
        let refused = |this: &Self, text: String| {
            let hint = "You might be able to move the set-returning function into a LATERAL FROM item.";
            Err(error_at(this, SqlError::new(state::FEATURE_NOT_SUPPORTED, text).hint(hint), at))
        };
        let (clause, within) = (self.level().clause, self.level().no_sets);
        match (clause, within) {
            (_, Some(what)) => return refused(self, format!("set-returning functions are not allowed in {what}")),
            (Clause::Select | Clause::Row | Clause::OrderBy | Clause::GroupBy, None) => {}
            (Clause::Aggregate, None) => {
                return refused(self, "aggregate function calls cannot contain set-returning function calls".into());
            }
            (Clause::Window, None) => {
                return refused(self, "window function calls cannot contain set-returning function calls".into());
            }
            (Clause::From, None) => {
                return Err(error_at(
                    self,
                    SqlError::unsupported("a set-returning function within another in FROM"),
                    at,
                ));
            }
            (clause, None) => {
                let text = format!("set-returning functions are not allowed in {}", clause.name());
                return Err(error_at(self, SqlError::new(state::FEATURE_NOT_SUPPORTED, text), at));
            }
        }
        let (call, fields) = self.set_call(name, args, None, at)?;
        let same = |item: &&FromItem| matches!(item, FromItem::Function { call: known, .. } if *known == call);
        let known = self.level().sets.iter().find(same).map(FromItem::range).filter(|_| clause != Clause::Select);
        let id = known.unwrap_or_else(|| self.next_id());
        let value = match fields {
            Some(fields) if call.ty == Type::RECORD => {
                let columns = self.set_columns(id, &call, &fields).into_iter().map(|c| c.expr).collect();
                Typed::apply(Type::RECORD, Op::Record(Rc::new(fields)), columns)
            }
            _ => self.column_of(id, &format!("t{id}"), ELEMENT, call.ty, NO_TYPMOD, (0, 0), false),
        };
        if let Some(notes) = self.own_notes() {
            notes.calls.insert(id, call.clone());
        }
        if known.is_none() {
            self.level().sets.push(FromItem::Function { call, range: id });
        }
        Ok(value.at(at))
    }
}

/// How many tables SQLite joins for a FROM item, when it has merged all queries into it that it may.
fn tables_in(item: &FromItem) -> usize {
    let in_query = |query: &Query| match &query.body {
        Body::Select(select) if query.limit.is_none() && !select.aggregated && !select.distinct => {
            select.from.iter().map(tables_in).sum::<usize>().max(1)
        }
        _ => 1,
    };
    match item {
        FromItem::Join { left, right, .. } => tables_in(left) + tables_in(right),
        FromItem::Nested(inner) => tables_in(inner),
        FromItem::InStep(items) => items.iter().map(tables_in).sum(),
        FromItem::Query { query, .. } | FromItem::Lateral { query, .. } => in_query(query),
        _ => 1,
    }
}

/// One function of a FROM item: what yields its rows, and what they consist of.
struct FunctionSource {
    item: FromItem,
    columns: Vec<Named>,
    /// Its row is one value.
    scalar: bool,
}

/// A query that reads columns of its siblings.
fn gathered(query: Box<Query>, range: usize) -> SqlResult<FromItem> {
    if query.body.width() > MAX_COLUMNS {
        let text = format!("a LATERAL item of more than {MAX_COLUMNS} columns is not supported");
        return Err(SqlError::new(state::PROGRAM_LIMIT_EXCEEDED, text));
    }
    Ok(FromItem::Lateral { query, range })
}

/// Functions that yield rows, as they advance together: each step waits for those whose values it takes.
pub(super) fn in_step(sets: Vec<FromItem>) -> Vec<FromItem> {
    let mut steps: Vec<Vec<FromItem>> = Vec::new();
    for set in sets {
        let FromItem::Function { call, .. } = &set else { continue };
        let reads = |item: &FromItem| call.any(&|e| matches!(&e.node, Node::Column(c) if c.range == item.range()));
        let after = steps.iter().rposition(|step| step.iter().any(reads)).map_or(0, |at| at + 1);
        if steps.len() <= after {
            steps.push(Vec::new());
        }
        steps[after].push(set);
    }
    let step = |mut step: Vec<FromItem>| match step.len() {
        1 => step.pop(),
        _ => Some(FromItem::InStep(step)),
    };
    steps.into_iter().filter_map(step).collect()
}

/// `DEFAULT` where an expression may stand in VALUES and SET.
pub(super) fn is_default(expr: &Expr) -> bool {
    matches!(expr, Expr::Identifier(Ident { value, quote_style: None, .. }) if value.eq_ignore_ascii_case("default"))
}
