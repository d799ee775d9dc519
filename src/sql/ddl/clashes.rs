//! Keys of DEFERRABLE constraints, which may be there twice until a statement or a transaction is over.
//!
//! SQLite checks a unique index row by row. So the index of such a constraint is not unique; triggers note each key that two
//! rows have in a table of its own, and take the note back when all but one of the rows are gone or have got another key. A note
//! refers to a row that never is. So SQLite counts it among broken foreign keys: at the end of the statement or, where the
//! constraint is deferred, of the transaction, also over savepoints. `violation::clashes` tells which key it is.
//!
//! A note has the key and not the row: what is noted is the same wherever the statement runs.

use super::rows::literal;
use super::work::Work;
use crate::command::{Statement, Yields};
use crate::error::state;
use crate::sql::bind::index_column_of;
use crate::sql::catalog::{Column, Index, Relation, quote, sqlite_name};
use crate::sql::violation::clashes::{notes_of, same};

const TRIGGERS: [&str; 3] = ["insert", "update", "delete"];

fn trigger(index: u32, event: &str) -> String {
    quote(&format!("{}.{event}", notes_of(index)))
}

/// Makes the table and the triggers of an index; nothing for one that lets no key in twice.
pub fn create(work: &mut Work<'_>, r: &Relation, index: &Index) {
    let Some(constraint) = r.constraints.iter().find(|c| c.deferrable && c.index() == Some(index.oid)) else { return };
    let columns: Vec<&Column> = constraint.columns.iter().filter_map(|n| r.column_at(*n)).collect();
    let notes = quote(&notes_of(index.oid));
    let table = quote(&sqlite_name(&r.schema, &r.name));
    let own = |column: &Column| {
        // As the term of the index compares.
        let storage =
            if column.ty.has_key() || column.ty.is_float() { "ANY" } else { column.ty.storage().sqlite_name() };
        let collation = column.ty.collation().filter(|_| !column.ty.has_key());
        format!("{storage}{}", collation.map(|name| format!(" COLLATE {name}")).unwrap_or_default())
    };
    let declared: Vec<String> = (1..).zip(&columns).map(|(i, column)| format!("k{i} {}", own(column))).collect();
    let names: Vec<String> = (1..=columns.len()).map(|i| format!("k{i}")).collect();
    let names = names.join(", ");
    let when = if constraint.initially_deferred { "DEFERRED" } else { "IMMEDIATE" };
    work.sql(format!(
        "CREATE TABLE {notes}(id INTEGER PRIMARY KEY, {}, never INTEGER NOT NULL DEFAULT 0 REFERENCES {notes}(id) \
         DEFERRABLE INITIALLY {when}) STRICT",
        declared.join(", ")
    ));
    // By its first column SQLite looks for what refers to a new row.
    let keys = quote(&format!("{}.keys", notes_of(index.oid)));
    work.sql(format!("CREATE INDEX {keys} ON {notes}(never, {names})"));
    let of = |row: &'static str| {
        let terms =
            move |_: usize, column: &Column| (index_column_of(None, column), index_column_of(Some(row), column));
        same(&columns, index.nulls_equal, &terms)
    };
    let noted = |row: &'static str| {
        let terms = move |i: usize, column: &Column| (format!("k{i}"), index_column_of(Some(row), column));
        format!("never = 0 AND {}", same(&columns, index.nulls_equal, &terms))
    };
    let twice = |row| format!("(SELECT 1 FROM {table} WHERE {} LIMIT 1 OFFSET 1)", of(row));
    let new: Vec<String> = columns.iter().map(|column| index_column_of(Some("NEW"), column)).collect();
    let note = format!(
        "INSERT INTO {notes}({names}) SELECT {} WHERE {} IS NOT NULL AND NOT EXISTS (SELECT 1 FROM {notes} WHERE {});",
        new.join(", "),
        twice("NEW"),
        noted("NEW"),
    );
    let forget = format!("DELETE FROM {notes} WHERE {} AND {} IS NULL;", noted("OLD"), twice("OLD"));
    let unchanged =
        same(&columns, true, &|_, column| (index_column_of(Some("OLD"), column), index_column_of(Some("NEW"), column)));
    let bodies = [
        format!("AFTER INSERT ON {table} BEGIN {note} END"),
        format!("AFTER UPDATE ON {table} WHEN NOT ({unchanged}) BEGIN {forget} {note} END"),
        format!("AFTER DELETE ON {table} WHEN EXISTS (SELECT 1 FROM {notes}) BEGIN {forget} END"),
    ];
    for (event, body) in TRIGGERS.iter().zip(bodies) {
        work.sql(format!("CREATE TRIGGER {} {body}", trigger(index.oid, event)));
    }
}

/// Takes away what [`create`] has made, unless keys are noted: `what` is to be done to the table.
pub fn drop(work: &mut Work<'_>, r: &Relation, index: &Index, what: &str) {
    if r.is_immediate(index) {
        return;
    }
    let notes = quote(&notes_of(index.oid));
    // Tables that were made before there was any of this have none.
    work.sql(format!("CREATE TABLE IF NOT EXISTS {notes}(id INTEGER PRIMARY KEY) STRICT"));
    let message = format!("cannot {what} TABLE \"{}\" because it has pending trigger events", r.name);
    let (code, message) = (literal(state::OBJECT_IN_USE.as_str()), literal(&message));
    work.add(vec![Statement::new(format!("SELECT {code}, {message} FROM {notes} LIMIT 1"), Yields::Guard)]);
    for event in TRIGGERS {
        work.sql(format!("DROP TRIGGER IF EXISTS {}", trigger(index.oid, event)));
    }
    work.sql(format!("DROP TABLE {notes}"));
}
