//! One walk over everything that a statement consists of, subqueries included.

use super::expr::{Node, Typed};
use super::query::{Body, Cte, FromItem, OrderKey, Query, Select};
use super::write::{Change, InsertSource, Write};

/// A part of a statement, before its own parts.
#[derive(Clone, Copy, Debug)]
pub enum Part<'a> {
    Expr(&'a Typed),
    From(&'a FromItem),
    Query(&'a Query),
}

type Visit<'v, 'a> = &'v mut dyn FnMut(Part<'a>);

impl Typed {
    pub fn parts<'a>(&'a self, visit: Visit<'_, 'a>) {
        visit(Part::Expr(self));
        self.children(&mut |child| child.parts(visit));
        if let Node::Query(sub) = &self.node {
            sub.query.parts(visit);
        }
    }

    /// Every expression in it, also those in subqueries.
    pub fn all<'a>(&'a self, visit: &mut dyn FnMut(&'a Typed)) {
        self.parts(&mut |part| {
            if let Part::Expr(expr) = part {
                visit(expr);
            }
        });
    }
}

impl Query {
    pub fn parts<'a>(&'a self, visit: Visit<'_, 'a>) {
        visit(Part::Query(self));
        with(&self.with, visit);
        self.body.parts(visit);
        for key in &self.order {
            if let OrderKey::Expr(key) = key {
                key.expr.parts(visit);
            }
        }
        self.limit.iter().chain(&self.offset).for_each(|e| e.parts(visit));
    }
}

fn with<'a>(ctes: &'a [std::rc::Rc<Cte>], visit: Visit<'_, 'a>) {
    ctes.iter().for_each(|cte| cte.query.parts(visit));
}

impl Body {
    fn parts<'a>(&'a self, visit: Visit<'_, 'a>) {
        match self {
            Body::Select(select) => select.parts(visit),
            Body::Values(rows) => rows.iter().flatten().for_each(|e| e.parts(visit)),
            Body::Set { left, right, .. } => {
                left.parts(visit);
                right.parts(visit);
            }
            Body::Query(query) => query.parts(visit),
        }
    }
}

impl Select {
    fn parts<'a>(&'a self, visit: Visit<'_, 'a>) {
        self.from.iter().for_each(|item| item.parts(visit));
        let columns = self.columns.iter().map(|c| &c.expr);
        let rest = self.on.iter().chain(&self.filter).chain(&self.group).chain(&self.having);
        columns.chain(rest).for_each(|e| e.parts(visit));
    }
}

impl FromItem {
    pub fn parts<'a>(&'a self, visit: Visit<'_, 'a>) {
        visit(Part::From(self));
        match self {
            FromItem::Table { .. } | FromItem::Kept { .. } => {}
            FromItem::Query { query, .. } | FromItem::Lateral { query, .. } => query.parts(visit),
            FromItem::Function { call: expr, .. } | FromItem::Value { value: expr, .. } => expr.parts(visit),
            FromItem::Join { left, right, on, .. } => {
                left.parts(visit);
                right.parts(visit);
                on.iter().for_each(|e| e.parts(visit));
            }
            FromItem::Nested(inner) => inner.parts(visit),
            FromItem::InStep(items) => items.iter().for_each(|item| item.parts(visit)),
        }
    }
}

impl Write {
    pub fn parts<'a>(&'a self, visit: Visit<'_, 'a>) {
        with(&self.with, visit);
        match &self.change {
            Change::Insert(insert) => {
                match &insert.source {
                    InsertSource::Values { rows, rest } => {
                        rows.iter().flatten().chain(rest).for_each(|e| e.parts(visit));
                    }
                    InsertSource::Query(query) => query.parts(visit),
                    InsertSource::If { row, condition, .. } => {
                        row.iter().map(|(_, value)| value).chain([&**condition]).for_each(|e| e.parts(visit));
                    }
                }
                if let Some(update) = insert.conflict.iter().find_map(|c| c.update.as_ref()) {
                    let values = update.set.iter().map(|a| &a.value);
                    values.chain(&update.filter).for_each(|e| e.parts(visit));
                }
            }
            Change::Update(update) => {
                update.from.iter().for_each(|item| item.parts(visit));
                let values = update.set.iter().map(|a| &a.value);
                values.chain(&update.filter).for_each(|e| e.parts(visit));
            }
            Change::Delete(delete) => {
                delete.using.iter().for_each(|item| item.parts(visit));
                delete.filter.iter().chain(&delete.found).for_each(|e| e.parts(visit));
            }
        }
        self.returning.iter().flatten().map(|c| &c.expr).chain(&self.check).for_each(|e| e.parts(visit));
    }
}
