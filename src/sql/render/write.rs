//! INSERT, UPDATE, DELETE.

use super::Sql;
use crate::sql::ir::{Assignment, Change, Conflict, Delete, Insert, InsertSource, System, Update, Write};

impl Sql {
    pub(super) fn write(&mut self, write: &Write, hoisted: &[System]) {
        self.with(hoisted, &write.with, write.recursive);
        match &write.change {
            Change::Insert(insert) => self.insert(&write.table, insert),
            Change::Update(update) => self.update(&write.table, update),
            Change::Delete(delete) => self.delete(&write.table, delete),
        }
        if let Some(columns) = &write.returning {
            self.push(" RETURNING ");
            self.list(", ", columns, |sql, column| sql.expr(&column.expr));
        }
    }

    fn insert(&mut self, table: &str, insert: &Insert) {
        self.push("INSERT INTO ");
        self.name(table);
        if insert.columns.is_empty() {
            self.push(" DEFAULT VALUES");
        } else {
            self.push(" (");
            self.names(&insert.columns);
            self.push(") ");
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
            }
        }
        if let Some(conflict) = &insert.conflict {
            self.conflict(table, conflict);
        }
    }

    fn conflict(&mut self, table: &str, conflict: &Conflict) {
        self.push(" ON CONFLICT");
        if !conflict.keys.is_empty() {
            self.push(" (");
            self.names(&conflict.keys);
            self.push(")");
        }
        let Some(update) = &conflict.update else { return self.push(" DO NOTHING") };
        self.push(" DO UPDATE SET ");
        self.assignments(&update.set);
        if let Some(rowid) = &update.once {
            self.push(" WHERE q_once(");
            self.text(table);
            self.push(", ");
            self.column(rowid);
            self.push(")");
        }
        if let Some(filter) = &update.filter {
            self.push(if update.once.is_some() { " AND " } else { " WHERE " });
            self.expr(filter);
        }
    }

    fn assignments(&mut self, set: &[Assignment]) {
        self.list(", ", set, |sql, assignment| {
            sql.push(if assignment.whole { "(" } else { "" });
            sql.names(assignment.columns.iter().map(|(_, name)| name));
            sql.push(if assignment.whole { ") = " } else { " = " });
            sql.expr(&assignment.value);
        });
    }

    fn update(&mut self, table: &str, update: &Update) {
        self.push("UPDATE ");
        self.name(table);
        self.push(" SET ");
        self.assignments(&update.set);
        if !update.from.is_empty() {
            self.push(" FROM ");
            self.from(&update.from);
        }
        if let Some(filter) = &update.filter {
            self.push(" WHERE ");
            self.expr(filter);
        }
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
        if let Some(filter) = &delete.filter {
            self.push(" WHERE ");
            self.expr(filter);
        }
        self.push(if delete.using.is_empty() { "" } else { ")" });
    }
}
