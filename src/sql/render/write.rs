//! INSERT, UPDATE, DELETE, with the places of their parts: what is said of rows that are refused needs them.

use super::{Sql, beside};
use crate::command::{self, SetColumn, Shape, Span};
use crate::sql::ir::{Assignment, Change, Conflict, Delete, Insert, InsertSource, Node, System, Typed, Update, Write};

impl Sql {
    /// Where the text is now.
    fn place(&self) -> u32 {
        self.out.len() as u32
    }

    /// What has been written since.
    fn since(&self, start: u32) -> Span {
        Span { start, end: self.place() }
    }

    fn named(&mut self, name: &str) -> Span {
        let start = self.place();
        self.name(name);
        self.since(start)
    }

    fn named_list<'n>(&mut self, names: impl IntoIterator<Item = &'n String>) -> Vec<Span> {
        let mut spans = Vec::new();
        self.list(", ", names, |sql, name| spans.push(sql.named(name)));
        spans
    }

    /// A condition behind WHERE or AND.
    fn condition(&mut self, word: &str, filter: Option<&Typed>) -> Span {
        let Some(filter) = filter else { return Span::default() };
        self.push(word);
        let start = self.place();
        self.expr(filter);
        self.since(start)
    }

    pub(super) fn write(&mut self, write: &Write, hoisted: &[System]) -> Shape {
        self.with(hoisted, &write.with, write.recursive);
        let with = self.since(0);
        let shape = match &write.change {
            Change::Insert(insert) => Shape::Insert(command::Insert { with, ..self.insert(&write.table, insert) }),
            Change::Update(update) => Shape::Update(command::Update { with, ..self.update(&write.table, update) }),
            Change::Delete(delete) => {
                self.delete(&write.table, delete);
                Shape::Other
            }
        };
        if let Some(columns) = &write.returning {
            self.push(" RETURNING ");
            self.list(", ", columns, |sql, column| sql.expr(&column.expr));
        } else if let Some(check) = &write.check {
            self.push(" RETURNING ");
            self.expr(check);
        }
        shape
    }

    fn insert(&mut self, table: &str, insert: &Insert) -> command::Insert {
        let mut shape = command::Insert::default();
        self.push("INSERT INTO ");
        shape.table = self.named(table);
        if insert.columns.is_empty() {
            self.push(" DEFAULT VALUES");
        } else {
            self.push(" (");
            shape.columns = self.named_list(&insert.columns);
            self.push(") ");
            let start = self.place();
            match &insert.source {
                InsertSource::Values { rows, rest } => {
                    self.push("VALUES ");
                    self.list(", ", rows, |sql, row| {
                        sql.push("(");
                        sql.exprs(row.iter().chain(rest));
                        sql.push(")");
                    });
                }
                InsertSource::Query(query) => self.whole_query(query, &[], false),
                // Each value is computed once, whatever the condition makes of it.
                InsertSource::If { row, given, condition } => {
                    self.push("WITH \"\u{1}copied\"(");
                    self.list(", ", row, |sql, (name, _)| sql.name(name));
                    self.push(") AS MATERIALIZED (VALUES (");
                    self.exprs(row.iter().map(|(_, value)| value));
                    self.push(")) SELECT ");
                    self.list(", ", &row[..*given], |sql, (name, _)| sql.name(name));
                    self.push(" FROM \"\u{1}copied\"");
                    self.condition(" WHERE ", Some(condition));
                }
            }
            shape.source = self.since(start);
        }
        if let Some(conflict) = &insert.conflict {
            self.conflict(table, conflict, &mut shape);
        }
        shape
    }

    fn conflict(&mut self, table: &str, conflict: &Conflict, shape: &mut command::Insert) {
        if conflict.nulls_equal && !conflict.keys.is_empty() {
            self.push(" ON CONFLICT (");
            self.list(", ", &conflict.keys, |sql, key| {
                sql.push("ifnull(");
                sql.index_key(key);
                sql.put(format_args!(", {})", beside(key.ty)));
                key.ty.collation().iter().for_each(|name| sql.collate(name));
            });
            self.push(") WHERE (");
            self.list(" OR ", &conflict.keys, |sql, key| {
                sql.index_key(key);
                sql.push(" IS NULL");
            });
            self.push(")");
            self.condition(" AND ", conflict.predicate.as_ref());
            self.resolution(table, conflict, &mut command::Insert::default());
        }
        self.push(" ON CONFLICT");
        if !conflict.keys.is_empty() {
            self.push(" (");
            // SQLite knows the index again by its terms, as they were written when it was made.
            let mut names = Vec::new();
            self.list(", ", &conflict.keys, |sql, key| match &key.node {
                Node::Column(column) if !key.ty.has_key() => {
                    names.push(sql.named(&column.name));
                    sql.collate_by(key);
                }
                _ => sql.index_key(key),
            });
            // What is said of a refused row looks for it by columns.
            if names.len() == conflict.keys.len() && conflict.predicate.is_none() {
                shape.keys = names;
            }
            self.push(")");
            self.condition(" WHERE ", conflict.predicate.as_ref());
        }
        self.resolution(table, conflict, shape);
    }

    /// What is done where a row is there already.
    fn resolution(&mut self, table: &str, conflict: &Conflict, shape: &mut command::Insert) {
        let Some(update) = &conflict.update else { return self.push(" DO NOTHING") };
        self.push(" DO UPDATE SET ");
        let columns = self.assignments(&update.set);
        if let Some(rowid) = &update.once {
            self.push(" WHERE q_once(");
            self.text(table);
            self.push(", ");
            self.column(rowid);
            self.push(")");
        }
        shape.watches = update.once.is_some();
        let filter = self.condition(if shape.watches { " AND " } else { " WHERE " }, update.filter.as_ref());
        shape.update = Some(command::Set { columns, filter });
    }

    fn assignments(&mut self, set: &[Assignment]) -> Vec<SetColumn> {
        let mut columns = Vec::with_capacity(set.len());
        self.list(", ", set, |sql, assignment| {
            sql.push(if assignment.whole { "(" } else { "" });
            let names = sql.named_list(assignment.columns.iter().map(|(_, name)| name));
            sql.push(if assignment.whole { ") = " } else { " = " });
            let start = sql.place();
            sql.expr(&assignment.value);
            let value = sql.since(start);
            let field = |i: u8| if assignment.whole { i } else { 0 };
            columns.extend((1..).zip(names).map(|(i, name)| SetColumn { name, value, field: field(i) }));
        });
        columns
    }

    fn update(&mut self, table: &str, update: &Update) -> command::Update {
        let mut shape = command::Update::default();
        self.push("UPDATE ");
        shape.table = self.named(table);
        self.push(" SET ");
        shape.set.columns = self.assignments(&update.set);
        if !update.from.is_empty() {
            self.push(" FROM ");
            let start = self.place();
            self.from(&update.from);
            shape.from = self.since(start);
        }
        shape.set.filter = self.condition(" WHERE ", update.filter.as_ref());
        shape
    }

    fn delete(&mut self, table: &str, delete: &Delete) {
        self.push("DELETE FROM ");
        self.name(table);
        // A row goes if the other tables have any row to go with it.
        if let Some(found) = &delete.found {
            self.push(" WHERE ");
            self.column(&delete.rowid);
            self.push(" IN (SELECT ");
            self.expr(found);
            self.push(" FROM ");
            self.name(table);
            self.push(", ");
            self.from(&delete.using);
        } else if !delete.using.is_empty() {
            self.push(" WHERE EXISTS (SELECT 1 FROM ");
            self.from(&delete.using);
        }
        self.condition(" WHERE ", delete.filter.as_ref());
        self.push(if delete.using.is_empty() { "" } else { ")" });
    }
}
