//! Statements of several parts: data changes in WITH, and what is read before anything is changed.
//!
//! In PostgreSQL all parts of a statement see the state before it, and tell each other only what RETURNING gives. SQLite
//! runs one change after the other. So what a part reads of a table that another part changes is read first and kept as a
//! list ([`crate::command::Yields::List`]), and what RETURNING tells is kept likewise. What a sub-SELECT of RETURNING reads
//! of the table that is being changed is read first for the same reason, and so are the rows of a DELETE whose foreign keys
//! lead back to the table itself.

use super::dml::Prefix;
use super::names::fold;
use super::query::cte_columns;
use super::{Binder, CteColumn, Visible};
use crate::command::{Shape, Statement as Sql, Yields};
use crate::error::{SqlError, SqlResult, state};
use crate::sql::catalog::{Action, Constraint, ConstraintKind, Relation, Source};
use crate::sql::ir::{
    Body, Change, Column, Cte, FromItem, Materialized, Named, Node, Op, Part as TreePart, Query as Tree, Select,
    SubQuery, Typed, Write,
};
use crate::sql::plan::{Effort, Facts};
use crate::sql::render;
use crate::types::{NO_TYPMOD, Type};
use sqlparser::ast::{FromTable, ObjectName, SetExpr, Statement, TableFactor, TableObject};
use std::collections::BTreeSet;
use std::rc::Rc;
use std::sync::Arc;

/// One walk over a tree.
pub(super) type Walk<'a> = &'a dyn Fn(&mut dyn FnMut(TreePart<'_>));

/// What runs before the last statement of a step.
#[derive(Default)]
pub(super) struct Parts {
    /// Tables, by OID, that are changed when what is being bound is run: to be read before.
    pub changed: BTreeSet<u32>,
    /// The table whose RETURNING is being bound.
    pub changing: Option<Arc<Relation>>,
    /// Reads of tables as they are before the statement.
    before: Vec<Before>,
    /// Queries whose rows are kept before anything is changed.
    first: Vec<(u16, Tree)>,
    changes: Vec<(Write, Option<u16>)>,
    lists: u16,
    /// How many changes there are, and the tables that they are of.
    pub writes: usize,
    pub targets: BTreeSet<u32>,
    /// How many WITH clauses are being bound.
    pub depth: usize,
    /// Where the DELETE that was bound last has kept what it returns.
    pub told: Option<u16>,
}

/// A FROM item that is read before the statement.
struct Before {
    list: u16,
    range: usize,
    relation: Arc<Relation>,
    table: String,
    /// What holds for all of its rows that are asked for.
    filter: Vec<Typed>,
}

impl Parts {
    pub fn list(&mut self) -> u16 {
        self.lists += 1;
        self.lists
    }

    /// Keeps the rows of a query before anything is changed.
    pub fn keep_first(&mut self, query: Tree) -> u16 {
        let list = self.list();
        self.first.push((list, query));
        list
    }

    /// Has NULL in place of columns of a list that nobody reads.
    pub fn blank(&mut self, list: u16, unread: &[usize]) {
        let query = self.first.iter_mut().find(|(number, _)| *number == list).map(|(_, query)| &mut query.body);
        if let Some(Body::Select(select)) = query {
            for at in unread {
                let expr = &mut select.columns[*at].expr;
                *expr = Typed::null(expr.ty).typmod(expr.typmod);
            }
        }
    }

    /// Walks over the changes in WITH, and what is read before anything is changed.
    pub fn walk<'a>(&'a self, visit: &mut dyn FnMut(TreePart<'a>)) {
        self.changes.iter().for_each(|(write, _)| write.parts(visit));
        self.first.iter().for_each(|(_, query)| query.parts(visit));
    }

    pub fn is_alone(&self) -> bool {
        self.before.is_empty() && self.first.is_empty() && self.changes.is_empty()
    }
}

/// The table that a data change names.
fn target_name(statement: &Statement) -> Option<&ObjectName> {
    let factor = match statement {
        Statement::Query(query) => return changed_by(&query.body),
        Statement::Insert(insert) => match &insert.table {
            TableObject::TableName(name) => return Some(name),
            _ => return None,
        },
        Statement::Update(update) => &update.table.relation,
        Statement::Delete(delete) => {
            let (FromTable::WithFromKeyword(from) | FromTable::WithoutKeyword(from)) = &delete.from;
            &from.first()?.relation
        }
        _ => return None,
    };
    match factor {
        TableFactor::Table { name, .. } => Some(name),
        _ => None,
    }
}

fn changed_by(body: &SetExpr) -> Option<&ObjectName> {
    match body {
        SetExpr::Insert(s) | SetExpr::Update(s) | SetExpr::Delete(s) => target_name(s),
        _ => None,
    }
}

impl Binder<'_> {
    /// The tables that data changes in WITH change, each with those before it.
    pub(super) fn changed_in_with(&self, with: &sqlparser::ast::With) -> Vec<BTreeSet<u32>> {
        let mut so_far = BTreeSet::new();
        let mut all = vec![so_far.clone()];
        for cte in &with.cte_tables {
            if let Some(relation) = changed_by(&cte.query.body).and_then(|name| self.relation(name).ok()) {
                so_far.extend(self.changed_with(&self.table_below(&relation)));
            }
            all.push(so_far.clone());
        }
        all
    }

    /// A table, and those that change with it because of their foreign keys.
    pub(super) fn changed_with(&self, relation: &Relation) -> BTreeSet<u32> {
        let mut changed = BTreeSet::from([relation.oid]);
        let acts = |action: Action| matches!(action, Action::Cascade | Action::SetNull | Action::SetDefault);
        loop {
            let follows = |r: &&Arc<Relation>| {
                r.constraints.iter().any(|c| {
                    matches!(c.kind, ConstraintKind::ForeignKey { table, on_update, on_delete, .. }
                        if changed.contains(&table) && (acts(on_update) || acts(on_delete)))
                })
            };
            let more: Vec<u32> = self.scope.catalog.relations.values().filter(follows).map(|r| r.oid).collect();
            let before = changed.len();
            changed.extend(more);
            if changed.len() == before {
                return changed;
            }
        }
    }

    fn refer_to_each_other(&self, tables: &BTreeSet<u32>) -> bool {
        let refers =
            |c: &Constraint| matches!(c.kind, ConstraintKind::ForeignKey { table, .. } if tables.contains(&table));
        tables.iter().filter_map(|oid| self.scope.catalog.by_oid(*oid)).any(|r| r.constraints.iter().any(refers))
    }

    /// Whether one of the tables has a DEFERRABLE key.
    fn may_clash(&self, tables: &BTreeSet<u32>) -> bool {
        let mut tables = tables.iter().filter_map(|oid| self.scope.catalog.by_oid(*oid));
        tables.any(|r| r.indexes.iter().any(|index| !r.is_immediate(index)))
    }

    /// Whether deleting a row may change other rows of the same table.
    pub(super) fn leads_back(&self, relation: &Relation) -> bool {
        let mut reached = BTreeSet::new();
        for other in self.scope.catalog.relations.values() {
            let refers = |c: &Constraint| {
                matches!(c.kind, ConstraintKind::ForeignKey { table, on_delete, .. }
                    if table == relation.oid && !matches!(on_delete, Action::NoAction | Action::Restrict))
            };
            if other.constraints.iter().any(refers) {
                reached.extend(if other.oid == relation.oid {
                    BTreeSet::from([other.oid])
                } else {
                    self.changed_with(other)
                });
            }
        }
        reached.contains(&relation.oid)
    }

    /// INSERT, UPDATE or DELETE in WITH.
    ///
    /// Errors: 0A000 anywhere but in the outermost WITH.
    pub(super) fn change_in_with(
        &mut self,
        cte: &sqlparser::ast::Cte,
        recursive: bool,
        sql_name: &str,
    ) -> SqlResult<(Option<Rc<Cte>>, Vec<CteColumn>)> {
        if self.parts.depth > 1 || !self.levels.is_empty() || !self.views.is_empty() {
            let text = "WITH clause containing a data-modifying statement must be at the top level";
            return Err(SqlError::new(state::FEATURE_NOT_SUPPORTED, text));
        }
        if matches!(&*cte.query.body, SetExpr::Merge(_)) {
            return Err(SqlError::new(state::FEATURE_NOT_SUPPORTED, "MERGE not supported in WITH query"));
        }
        self.effort = Effort::Open;
        let items = self.ctes.iter().filter_map(|c| c.item.clone()).collect();
        let single = std::mem::take(&mut self.single);
        let prefix = Prefix { items, recursive };
        let (mut write, _) = self.write_of(&Statement::Query(cte.query.clone()), prefix)?;
        self.single = single;
        let name = fold(&cte.alias.name);
        let Some(returning) = write.returning.clone() else {
            self.parts.changes.push((write, None));
            return Ok((None, vec![]));
        };
        let given: Vec<String> = cte.alias.columns.iter().map(|c| fold(&c.name)).collect();
        let outputs: Vec<_> = returning.iter().map(Named::out).collect();
        let columns = cte_columns(&name, &given, &outputs)?;
        for (i, column) in (1..).zip(&returning) {
            if let Some(shape) = self.shape_of(&column.expr) {
                self.cte_shapes.insert((sql_name.to_owned(), i), shape);
            }
        }
        let list = match self.parts.told.take() {
            // Its rows are kept already.
            Some(list) => {
                write.returning = None;
                self.parts.changes.push((write, None));
                list
            }
            None => {
                let list = self.parts.list();
                self.parts.changes.push((write, Some(list)));
                list
            }
        };
        let query = self.kept_rows(list, &columns);
        let item = Cte { name: sql_name.to_owned(), width: columns.len(), materialized: Materialized::Yes, query };
        Ok((Some(Rc::new(item)), columns))
    }

    /// Rows of a target that an earlier part changes: only those count that were there before it.
    pub(super) fn there_before(
        &mut self,
        relation: &Relation,
        table: &str,
        (range, rowid): (usize, Column),
        filter: Option<Typed>,
    ) -> Option<Typed> {
        if !self.parts.changed.contains(&relation.oid) {
            return filter;
        }
        let mut own = Vec::new();
        filter.iter().for_each(|filter| own_conditions(filter, range, &mut own));
        let rowid = Typed::new(Type::INT8, Node::Column(rowid));
        let columns = vec![Named { name: String::new(), expr: rowid.clone() }];
        let from = vec![FromItem::Table { name: table.to_owned(), range: 0 }];
        let own = if own.is_empty() { None } else { Some(Typed::join(Op::And, own)) };
        let select = Select { columns, from, filter: own, ..Select::default() };
        let list = self.parts.keep_first(Tree::of(Body::Select(Box::new(select))));
        let kept = self.kept_rows(list, &[(String::new(), Type::INT8, NO_TYPMOD)]);
        let kept = SubQuery { query: kept, outer: vec![], single: false };
        let kept = Typed::new(Type::RECORD, Node::Query(Box::new(kept)));
        let there = Typed::test(Op::InQuery { negated: false }, vec![rowid.clone(), kept]);
        let untouched = self.lists_of_changed(relation, table).into_iter().map(|changed| {
            let changed = SubQuery { query: changed, outer: vec![], single: false };
            let changed = Typed::new(Type::RECORD, Node::Query(Box::new(changed)));
            Typed::test(Op::InQuery { negated: true }, vec![rowid.clone(), changed])
        });
        Some(Typed::join(Op::And, filter.into_iter().chain([there]).chain(untouched).collect()))
    }

    /// The rowids of a table's rows that earlier parts have updated: a row is changed once in a statement.
    fn lists_of_changed(&mut self, relation: &Relation, table: &str) -> Vec<Tree> {
        let mut changes = std::mem::take(&mut self.parts.changes);
        let mut lists = Vec::new();
        for (write, list) in &mut changes {
            if write.table != table || !matches!(write.change, Change::Update(_)) {
                continue;
            }
            let list = *list.get_or_insert_with(|| self.parts.list());
            let rowid = Node::Column(Column::of(0, table, relation.rowid_name()));
            let rowid = Named { name: String::new(), expr: Typed::new(Type::INT8, rowid) };
            let told = write.returning.get_or_insert_default();
            told.push(rowid);
            let columns: Vec<CteColumn> = told.iter().map(kept_column).collect();
            let mut rows = self.kept_rows(list, &columns);
            if let Body::Select(select) = &mut rows.body {
                select.columns.drain(..columns.len() - 1);
            }
            lists.push(rows);
        }
        self.parts.changes = changes;
        lists
    }

    /// The rows of a list as a query.
    pub(super) fn kept_rows(&mut self, list: u16, columns: &[CteColumn]) -> Tree {
        let range = self.next_id();
        let column = |(i, (name, ty, typmod)): (usize, &CteColumn)| {
            let column = Node::Column(Column::of(range, format!("t{range}"), format!("c{}", i + 1)));
            Named { name: name.clone(), expr: Typed::new(*ty, column).typmod(*typmod) }
        };
        let columns = columns.iter().enumerate().map(column).collect();
        let from = vec![FromItem::Kept { list, names: vec![], range }];
        Tree::of(Body::Select(Box::new(Select { columns, from, ..Select::default() })))
    }

    /// A table as it is before the statement, if the statement changes it.
    pub(super) fn as_before(&mut self, relation: &Arc<Relation>, range: usize) -> Option<FromItem> {
        let Source::Table(table) = &relation.source else { return None };
        let changing = |target: &Arc<Relation>| self.changed_with(target).contains(&relation.oid);
        if !self.parts.changed.contains(&relation.oid) && !self.parts.changing.as_ref().is_some_and(changing) {
            return None;
        }
        self.effort = Effort::Open;
        let list = self.parts.list();
        let own = relation.columns.iter().map(|c| (c.name.clone(), c.ty.collation()));
        let names = own.chain([(relation.rowid_name().to_owned(), None)]).collect();
        let before = Before { list, range, relation: relation.clone(), table: table.clone(), filter: vec![] };
        self.parts.before.push(before);
        Some(FromItem::Kept { list, names, range })
    }

    /// Of tables that are read before the statement, only those rows are kept that a condition on them alone lets through.
    pub(super) fn narrow(&mut self, from: &[FromItem], filter: Option<&Typed>) {
        if let (false, Some(filter)) = (self.parts.before.is_empty(), filter) {
            from.iter().for_each(|item| self.narrow_item(item, filter));
        }
    }

    fn narrow_item(&mut self, item: &FromItem, filter: &Typed) {
        use crate::sql::ir::Side;
        match item {
            FromItem::Kept { range, .. } => {
                if let Some(before) = self.parts.before.iter_mut().find(|before| before.range == *range) {
                    own_conditions(filter, *range, &mut before.filter);
                }
            }
            FromItem::Join { left, right, side, .. } => {
                if matches!(side, Side::Inner | Side::Left) {
                    self.narrow_item(left, filter);
                }
                if matches!(side, Side::Inner | Side::Right) {
                    self.narrow_item(right, filter);
                }
            }
            FromItem::Nested(inner) => self.narrow_item(inner, filter),
            _ => {}
        }
    }

    /// The statements that run before the last one, which is what `last` walks over, and what they ask for.
    pub(super) fn statements_before(&mut self, last: Walk<'_>, facts: &mut Facts) -> Vec<Sql> {
        let parts = std::mem::take(&mut self.parts);
        let row_list = self.row_list();
        let mut statements = Vec::new();
        // Foreign keys between the tables that it changes, and keys that may be there twice for a while, are checked when all
        // of it is done.
        if parts.writes > 1 && (self.refer_to_each_other(&parts.targets) || self.may_clash(&parts.targets)) {
            let deferral = Sql::new("PRAGMA defer_foreign_keys = ON", Yields::Nothing);
            statements.push(Sql { shape: Shape::Deferral, ..deferral });
        }
        let mut keep = |query: &Tree, list: u16, this: &Self| {
            facts.add(&query.facts(&this.hoisted));
            statements.push(Sql::new(render::query(query, &this.hoisted, row_list), Yields::List(list)));
        };
        for before in &parts.before {
            let mut used = BTreeSet::new();
            let mut note = |part: TreePart<'_>| {
                if let TreePart::Expr(Typed { node: Node::Column(column), .. }) = part
                    && column.range == before.range
                {
                    used.insert(column.name.to_string());
                }
            };
            last(&mut note);
            parts.changes.iter().for_each(|(write, _)| write.parts(&mut |part| note(part)));
            parts.first.iter().for_each(|(_, query)| query.parts(&mut |part| note(part)));
            keep(&before.query(&used), before.list, self);
        }
        parts.first.iter().for_each(|(list, query)| keep(query, *list, self));
        for (write, list) in &parts.changes {
            facts.add(&write.facts(&self.hoisted));
            let yields = list.map_or(Yields::Nothing, Yields::List);
            statements.push(render::write(write, yields, &self.hoisted, row_list));
        }
        statements
    }
}

impl Before {
    /// The rows of the table; of columns that nobody asks for, nothing.
    fn query(&self, used: &BTreeSet<String>) -> Tree {
        let alias = format!("t{}", self.range);
        let column = |name: &str, ty: Type| {
            let expr = if used.contains(name) {
                Typed::new(ty, Node::Column(Column::of(self.range, alias.as_str(), name)))
            } else {
                Typed::null(ty)
            };
            Named { name: name.to_owned(), expr }
        };
        let own = self.relation.columns.iter().map(|c| column(&c.name, c.ty));
        let columns = own.chain([column(self.relation.rowid_name(), Type::INT8)]).collect();
        let filter = match self.filter.len() {
            0 => None,
            _ => Some(Typed::join(Op::And, self.filter.clone())),
        };
        let from = vec![FromItem::Table { name: self.table.clone(), range: self.range }];
        Tree::of(Body::Select(Box::new(Select { columns, from, filter, ..Select::default() })))
    }
}

/// The conditions among those of `filter` that read this FROM item and nothing else.
fn own_conditions(filter: &Typed, range: usize, found: &mut Vec<Typed>) {
    if let Node::Apply(Op::And, args) = &filter.node {
        return args.iter().for_each(|arg| own_conditions(arg, range, found));
    }
    let foreign = |e: &Typed| match &e.node {
        Node::Column(column) => column.range != range,
        Node::Apply(Op::Function(f), _) => f.volatility == crate::functions::Volatility::Volatile,
        Node::Query(_) | Node::Call(_) | Node::Kept { .. } | Node::RowList => true,
        _ => false,
    };
    if !filter.any(&foreign) && filter.any(&|e| matches!(e.node, Node::Column(_))) {
        found.push(filter.clone());
    }
}

/// A column of a list.
pub(super) fn kept_column(named: &Named) -> CteColumn {
    (named.name.clone(), named.expr.ty, named.expr.typmod)
}

impl Visible {
    /// Errors: 0A000 for a data change that returns nothing.
    pub(super) fn check_returns(&self) -> SqlResult<()> {
        if self.silent {
            return Err(SqlError::new(
                state::FEATURE_NOT_SUPPORTED,
                format!("WITH query \"{}\" does not have a RETURNING clause", self.name),
            ));
        }
        Ok(())
    }
}
