//! Trees as SQLite SQL: the only place that writes it. Everything goes into one buffer, once.
//!
//! Every expression is written as something that stands by itself: an atom, a call, or in parentheses. Comparisons stay
//! SQLite's own where the types allow it, so that indexes serve them.

mod expr;
mod query;
mod write;

use super::catalog::{Source, quote_into, sqlite_name};
use super::ir::{Column, Query, System, Typed};
use super::plan::RowLock;
use crate::command::{Statement, Yields};
use crate::types::{Storage, Type};
use crate::value::Value;
use std::fmt::Write as _;
use std::rc::Rc;

/// What is written so far.
struct Sql {
    out: String,
    /// The number of the parameter for [`super::ir::Node::RowList`].
    row_list: usize,
    /// How many COLLATEs there are in it.
    collates: usize,
}

impl Sql {
    fn new(row_list: usize) -> Sql {
        Sql { out: String::new(), row_list, collates: 0 }
    }

    fn push(&mut self, text: &str) {
        self.out.push_str(text);
    }

    fn put(&mut self, text: std::fmt::Arguments<'_>) {
        let _ = self.out.write_fmt(text);
    }

    fn name(&mut self, name: &str) {
        quote_into(&mut self.out, name);
    }

    fn row_list(&mut self) {
        let number = self.row_list;
        self.put(format_args!("?{number}"));
    }

    /// What a FROM item is called.
    fn alias(&mut self, range: usize) {
        self.put(format_args!("\"t{range}\""));
    }

    /// What a column of a query is called, counted from 1.
    fn output_name(&mut self, number: usize) {
        self.put(format_args!("\"c{number}\""));
    }

    fn collate(&mut self, name: &str) {
        self.collates += 1;
        self.push(" COLLATE ");
        self.push(name);
    }

    /// Items with something between them.
    fn list<T>(&mut self, between: &str, items: impl IntoIterator<Item = T>, mut write: impl FnMut(&mut Sql, T)) {
        for (i, item) in items.into_iter().enumerate() {
            if i > 0 {
                self.push(between);
            }
            write(self, item);
        }
    }

    fn names<'n>(&mut self, names: impl IntoIterator<Item = &'n String>) {
        self.list(", ", names, |sql, name| sql.name(name));
    }

    fn exprs<'e>(&mut self, exprs: impl IntoIterator<Item = &'e Typed>) {
        self.list(", ", exprs, Sql::expr);
    }

    fn column(&mut self, column: &Column) {
        if let Some(qualifier) = &column.qualifier {
            self.name(qualifier);
            self.push(".");
        }
        self.name(&column.name);
    }

    fn literal(&mut self, value: &Value) {
        match value {
            Value::Null => self.push("NULL"),
            Value::Int(i) if *i < 0 => self.put(format_args!("({i})")),
            Value::Int(i) => self.put(format_args!("{i}")),
            Value::Real(r) if r.is_infinite() => self.push(if *r > 0.0 { "9e999" } else { "(-9e999)" }),
            Value::Real(r) if r.is_sign_negative() => self.put(format_args!("({r:?})")),
            Value::Real(r) => self.put(format_args!("{r:?}")),
            Value::Text(text) => self.text(text),
            Value::Blob(bytes) => self.put(format_args!("x'{}'", hex::encode(bytes))),
        }
    }

    fn text(&mut self, text: &str) {
        self.push("'");
        for (i, part) in text.split('\'').enumerate() {
            if i > 0 {
                self.push("''");
            }
            self.push(part);
        }
        self.push("'");
    }

    /// The WITH items in front of a statement.
    fn with(&mut self, hoisted: &[System], with: &[Rc<super::ir::Cte>], recursive: bool) {
        if hoisted.is_empty() && with.is_empty() {
            return;
        }
        self.push(if recursive { "WITH RECURSIVE " } else { "WITH " });
        self.list(", ", hoisted, |sql, System(relation)| {
            sql.name(&sqlite_name(&relation.schema, &relation.name));
            sql.push("(");
            sql.names(relation.columns.iter().map(|c| &c.name));
            sql.push(") AS (");
            if let Source::Query(query) = &relation.source {
                sql.push(query);
            }
            sql.push(")");
        });
        if !hoisted.is_empty() && !with.is_empty() {
            self.push(", ");
        }
        self.list(", ", with, |sql, cte| sql.cte(cte));
        self.push(" ");
    }
}

/// A query by itself. `row_list` is the number of the parameter after the client's.
pub fn query(query: &Query, hoisted: &[System], row_list: usize) -> String {
    let mut sql = Sql::new(row_list);
    sql.whole_query(query, hoisted, false);
    sql.out
}

/// The query that finds the rows to lock; its last columns tell their rowids.
pub fn lock(query: &Query, hoisted: &[System], row_list: usize) -> Option<RowLock> {
    let lock = query.lock.as_ref()?;
    let tables = lock.tables.iter().map(|(oid, ..)| *oid).collect();
    let sql = self::query(query, hoisted, row_list).into();
    Some(RowLock { strength: lock.strength, wait: lock.wait, tables, sql })
}

/// An INSERT, UPDATE or DELETE.
pub fn write(write: &super::ir::Write, yields: Yields, hoisted: &[System], row_list: usize) -> Statement {
    let mut sql = Sql::new(row_list);
    let shape = sql.write(write, hoisted);
    Statement { sql: sql.out, yields, shape }
}

/// A key of an index: the terms by which SQLite finds it again have to be these.
pub fn index_key(expr: &Typed) -> String {
    let mut sql = Sql::new(0);
    sql.index_key(expr);
    sql.out
}

/// A literal that no value of the type is stored as: it stands for NULL where NULLs are equal.
pub fn beside(ty: Type) -> &'static str {
    if ty.storage() == Storage::Blob { "''" } else { "x''" }
}

/// An expression by itself.
pub fn expression(expr: &Typed) -> String {
    let mut sql = Sql::new(0);
    sql.expr(expr);
    sql.out
}
