//! Constraint failures of SQLite as PostgreSQL reports them: SQLSTATE, message, DETAIL, and the fields that ORMs read.
//!
//! SQLite names columns (UNIQUE, NOT NULL), the constraint (CHECK: its OID, see [`super::ddl`]) or nothing at all (FOREIGN
//! KEY), and never a value. When it says so, the statement is already undone. So the values are looked for:
//!
//! * a row that was refused is among those that the statement would have stored, which [`rows`] knows how to ask for;
//! * a broken reference is among the rows that the statement changed ([`references`]): the engine runs it again with the
//!   checks put off, and asks on that state.
//!
//! Both cost nothing until something fails, and then about as much as the statement itself. What is found depends on
//! replicated state only, so all replicas say the same. Where nothing is found (a row that a cascade wrote), there is no
//! DETAIL.

pub mod clashes;
pub mod references;
mod rows;
#[cfg(test)]
mod tests;

pub use references::{Broken, orphans};

use crate::command::Shape;
use crate::error::{SqlError, SqlResult, SqlState, state};
use crate::functions::enums;
use crate::functions::system::{clipped, null_violation};
use crate::sql::catalog::{Catalog, Column, ConstraintKind, Index, Relation, sqlite_name};
use crate::types::Env;
use crate::types::Type;
use crate::types::text::write_text;
use crate::value::Value;

/// Extended result codes of SQLite (sqlite.org/rescode.html).
pub mod code {
    pub const CHECK: i32 = 275;
    pub const FOREIGN_KEY: i32 = 787;
    pub const NOT_NULL: i32 = 1299;
    pub const PRIMARY_KEY: i32 = 1555;
    pub const UNIQUE: i32 = 2067;
    pub const ROWID: i32 = 2579;
    /// A NULL as rowid: values of other types do not get that far.
    pub const MISMATCH: i32 = 20;
    pub const TOO_BIG: i32 = 18;
    pub const AUTH: i32 = 23;
    pub const DATATYPE: i32 = 3091;
}

/// What is known of a failure.
pub struct Failure<'a> {
    /// SQLite's message and extended result code.
    pub message: &'a str,
    pub code: i32,
    /// The error, where a function of ours has raised it.
    pub raised: Option<SqlError>,
    /// The statement; empty where a constraint failed at the end of a transaction.
    pub sql: &'a str,
    pub shape: &'a Shape,
    /// OIDs of the tables that it writes, its target first.
    pub tables: &'a [u32],
    /// For a broken reference: the rows that were changed, in order; the state that is asked has these changes.
    pub changes: &'a [Change],
    /// `changes` are all there were.
    pub complete: bool,
    pub env: &'a Env,
}

/// A changed row, with its columns in SQLite's order.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// SQLite name of the table.
    pub table: String,
    /// `None`: inserted.
    pub old: Option<Vec<Value>>,
    /// `None`: deleted.
    pub new: Option<Vec<Value>>,
    /// The rowid that it has now.
    pub rowid: i64,
    /// That is another one than before.
    pub moved: bool,
}

/// The first row of a query, on the state in which the statement failed. Its parameters are the statement's (`None`) or
/// those given. To be used for one query after another: each sees the same dice and sequence values as the statement did.
pub type Ask<'a> = &'a mut dyn FnMut(&str, Option<&[Value]>) -> SqlResult<Option<Vec<Value>>>;

/// The client's error.
pub fn explain(catalog: &Catalog, failure: &Failure<'_>, ask: Ask<'_>) -> SqlError {
    let message = failure.message;
    let rest = message.split_once("failed: ").map_or("", |(_, rest)| rest);
    let found = match failure.code {
        _ if failure.raised.is_some() => failure.raised.clone().map(|error| with_row(catalog, failure, error, ask)),
        code::UNIQUE | code::PRIMARY_KEY | code::ROWID => unique(catalog, failure, rest, ask),
        code::NOT_NULL => null_there(catalog, rest)
            .or_else(|| not_null(catalog, rest).map(|error| with_row(catalog, failure, error, ask))),
        code::CHECK => check(catalog, failure, rest, ask),
        code::FOREIGN_KEY => Some(references::explain(catalog, failure, ask)),
        code::MISMATCH => failure.tables.first().and_then(|oid| null_rowid(catalog, *oid)),
        code::AUTH if message.contains("dbstat") => {
            Some(SqlError::unsupported("the size of a relation in a statement that writes"))
        }
        code::TOO_BIG => Some(SqlError::new(state::PROGRAM_LIMIT_EXCEEDED, message)),
        code::DATATYPE => Some(SqlError::new(state::DATATYPE_MISMATCH, message)),
        _ if message == "must have at least one non-generated column" => {
            Some(SqlError::unsupported("a table whose columns are all generated"))
        }
        _ => beyond_a_limit(message).or_else(|| depends_on_the_session(message)),
    };
    // Nothing of ours has a constraint that the catalog does not know.
    found.unwrap_or_else(|| SqlError::internal(format!("unexplained constraint failure: {message}")))
}

/// How SQLite says that something is nested too deeply.
const TOO_DEEP: [&str; 6] = [
    "Expression tree is too large",
    "parser stack overflow",
    "Recursion limit",
    "VIEWs and/or subqueries nested too deep",
    "triggers nested too deep",
    "Nested too deep",
];

/// SQLite refuses in indexes and the like what may compute another value tomorrow.
fn depends_on_the_session(message: &str) -> Option<SqlError> {
    let place = message.strip_prefix("non-deterministic functions prohibited in ")?;
    let message = match place {
        "index expressions" => "functions in index expression must be marked IMMUTABLE",
        "partial index WHERE clauses" => "functions in index predicate must be marked IMMUTABLE",
        "generated columns" => "generation expression is not immutable",
        _ => return None,
    };
    Some(SqlError::new(state::INVALID_OBJECT_DEFINITION, message))
}

/// A limit of SQLite's that the compiler did not see coming.
fn beyond_a_limit(message: &str) -> Option<SqlError> {
    if message.starts_with("at most 64 tables in a join") {
        let message = "more than 64 tables in a join are not supported";
        return Some(
            SqlError::new(state::PROGRAM_LIMIT_EXCEEDED, message)
                .hint("Join some of them in a materialized WITH query."),
        );
    }
    if TOO_DEEP.iter().any(|limit| message.starts_with(limit)) {
        return Some(SqlError::new(state::STATEMENT_TOO_COMPLEX, "stack depth limit exceeded").detail(message));
    }
    const RECURSIONS: [&str; 4] = [
        "circular reference: ",
        "multiple recursive references: ",
        "multiple references to recursive table: ",
        "recursive reference in a subquery: ",
    ];
    if RECURSIONS.iter().any(|kind| message.starts_with(kind)) {
        return Some(SqlError::unsupported("mutual, repeated or nested recursion in WITH RECURSIVE"));
    }
    if message == "argument of ntile must be a positive integer" {
        return Some(SqlError::new(SqlState::new("22014"), "argument of ntile must be greater than zero"));
    }
    if message == "second argument to nth_value must be a positive integer" {
        return Some(SqlError::new(SqlState::new("22016"), "argument of nth_value must be greater than zero"));
    }
    // Constants are checked before (`functions::frames`): here it is a parameter.
    for (place, side) in [("frame starting offset must be ", "starting"), ("frame ending offset must be ", "ending")] {
        if let Some(wanted) = message.strip_prefix(place) {
            let text = match wanted.ends_with("integer") {
                true => format!("frame {side} offset must not be negative"),
                false => "invalid preceding or following size in window function".to_owned(),
            };
            return Some(SqlError::new(state::INVALID_PRECEDING_OR_FOLLOWING_SIZE, text));
        }
    }
    message.starts_with("too many ").then(|| SqlError::new(state::PROGRAM_LIMIT_EXCEEDED, message))
}

/// A table and column from SQLite's `table.column`, where the table's name has a dot, and others may.
fn table_column<'a>(catalog: &'a Catalog, text: &str) -> Option<(&'a Relation, &'a Column)> {
    text.match_indices('.').find_map(|(at, _)| {
        let relation = &**catalog.by_table(&text[..at])?;
        relation.column(&text[at + 1..]).map(|column| (relation, column))
    })
}

/// Begins the name of a table that is made anew, before its OID.
const COPIES: &str = "quorate.copy.";

/// What a table is called while it is made anew.
pub fn copy_name(table: u32) -> String {
    format!("{COPIES}{table}")
}

/// What SQLite says of columns of such a table, as if it were of the table itself.
fn made_anew(catalog: &Catalog, text: &str) -> Option<String> {
    let (oid, _) = text.strip_prefix(COPIES)?.split_once('.')?;
    let relation = catalog.by_oid(oid.parse().ok()?)?;
    let name = sqlite_name(&relation.schema, &relation.name);
    Some(text.replace(&format!("{COPIES}{oid}."), &format!("{name}.")))
}

// ---- UNIQUE

fn unique(catalog: &Catalog, failure: &Failure<'_>, rest: &str, ask: Ask<'_>) -> Option<SqlError> {
    // There, other values than before may be the same key.
    let anew = made_anew(catalog, rest);
    let rest = anew.as_deref().unwrap_or(rest);
    let (relation, index) = match rest.strip_prefix("index '") {
        Some(name) => index_named(catalog, name.trim_end_matches('\''))?,
        None => {
            let parts: Vec<_> = rest.split(", ").map(|p| table_column(catalog, p)).collect::<Option<_>>()?;
            let relation = parts.first()?.0;
            let columns: Vec<i16> = parts.iter().map(|(_, c)| c.attnum).collect();
            let same = |i: &&Index| {
                i.unique
                    && i.keys.len() == columns.len()
                    && i.keys.iter().zip(&columns).all(|(k, c)| k.column == Some(*c))
            };
            (relation, relation.indexes.iter().find(same)?)
        }
    };
    if anew.is_some() {
        let message = format!("could not create unique index \"{}\"", index.name);
        let error = SqlError::new(state::UNIQUE_VIOLATION, message);
        return Some(error.table(&relation.schema, &relation.name).constraint(&index.name));
    }
    let message = format!("duplicate key value violates unique constraint \"{}\"", index.name);
    let error =
        SqlError::new(state::UNIQUE_VIOLATION, message).table(&relation.schema, &relation.name).constraint(&index.name);
    Some(match rows::duplicate(catalog, relation, index, failure, ask) {
        Some(key) => error.detail(format!("{key} already exists.")),
        None => error,
    })
}

fn index_named<'a>(catalog: &'a Catalog, name: &str) -> Option<(&'a Relation, &'a Index)> {
    catalog.relations.values().find_map(|r| {
        let is_of_nulls = |i: &Index| name.strip_prefix("quorate.nulls.").is_some_and(|oid| oid == i.oid.to_string());
        let index = r.indexes.iter().find(|i| sqlite_name(&r.schema, &i.name) == name || is_of_nulls(i))?;
        Some((&**r, index))
    })
}

// ---- NOT NULL

fn not_null(catalog: &Catalog, rest: &str) -> Option<SqlError> {
    let (relation, column) = table_column(catalog, rest)?;
    Some(null_violation(&relation.schema, &relation.name, &column.name))
}

/// A value of a table that is made anew, perhaps with a column that the catalog does not have yet.
fn null_there(catalog: &Catalog, rest: &str) -> Option<SqlError> {
    let (oid, column) = rest.strip_prefix(COPIES)?.split_once('.')?;
    let relation = catalog.by_oid(oid.parse().ok()?)?;
    let text = format!("column \"{column}\" of relation \"{}\" contains null values", relation.name);
    Some(SqlError::new(state::NOT_NULL_VIOLATION, text).table(&relation.schema, &relation.name).column(column))
}

fn null_rowid(catalog: &Catalog, table: u32) -> Option<SqlError> {
    let relation = catalog.by_oid(table)?;
    let column = relation.column_at(catalog.rowid_column(relation)?)?;
    Some(null_violation(&relation.schema, &relation.name, &column.name))
}

/// The error of a NULL with its row. Of several columns that are NULL, PostgreSQL names the first.
fn with_row(catalog: &Catalog, failure: &Failure<'_>, error: SqlError, ask: Ask<'_>) -> SqlError {
    let fields = &error.fields;
    let (Some(schema), Some(table), Some(column)) = (&fields.schema, &fields.table, &fields.column) else {
        return error;
    };
    let relation = catalog.relations.get(&(schema.clone(), table.clone()));
    let Some((relation, column)) = relation.and_then(|r| Some((r, r.column(column)?))) else { return error };
    let told = error.code != state::NOT_NULL_VIOLATION || error.fields.detail.is_some();
    if told || rows::is_copied(failure, relation) {
        return error;
    }
    let Some(row) = rows::with_null(catalog, relation, column, failure, ask) else { return error };
    let first = relation.columns.iter().zip(&row).find(|(c, v)| c.not_null && v.is_null());
    let error = first.map_or(error, |(c, _)| null_violation(&relation.schema, &relation.name, &c.name));
    refused(catalog, error, relation, &row, failure.env)
}

// ---- CHECK

/// What is said of a condition that rows which are there do not meet.
pub fn violated_by_some_row(constraint: &str, relation: &str) -> String {
    format!("check constraint \"{constraint}\" of relation \"{relation}\" is violated by some row")
}

/// Of several conditions that a row does not meet, PostgreSQL names the one whose name is first.
fn check(catalog: &Catalog, failure: &Failure<'_>, rest: &str, ask: Ask<'_>) -> Option<SqlError> {
    let full = rest.strip_prefix(references::FULL);
    let oid: u32 = full.unwrap_or(rest).parse().ok()?;
    let (relation, constraint) = catalog.relations.values().find_map(|r| {
        let constraint = r.constraints.iter().find(|c| c.oid == oid)?;
        Some((r, constraint))
    })?;
    if full.is_some() {
        return Some(references::mixed(relation, constraint));
    }
    let mut checks: Vec<_> =
        relation.constraints.iter().filter(|c| matches!(c.kind, ConstraintKind::Check(_))).collect();
    checks.sort_by(|a, b| a.name.cmp(&b.name));
    if rows::is_copied(failure, relation) {
        // The rows were there before, and are not told of.
        let text = violated_by_some_row(&constraint.name, &relation.name);
        let error = SqlError::new(state::CHECK_VIOLATION, text).table(&relation.schema, &relation.name);
        return Some(error.constraint(&constraint.name));
    }
    let found = rows::unchecked(catalog, relation, constraint, &checks, failure, ask);
    let name = found.as_ref().map_or(&constraint.name, |(_, first)| &checks[*first].name);
    let message = format!("new row for relation \"{}\" violates check constraint \"{name}\"", relation.name);
    let error = SqlError::new(state::CHECK_VIOLATION, message).table(&relation.schema, &relation.name).constraint(name);
    Some(match &found {
        Some((row, _)) => refused(catalog, error, relation, row, failure.env),
        None => error,
    })
}

// ---- values as text

/// `Failing row contains (1, null, abc).`
fn refused(catalog: &Catalog, error: SqlError, relation: &Relation, row: &[Value], env: &Env) -> SqlError {
    let shown = |(column, value)| Some(clipped(shown(catalog, column, value, env)?));
    let values: Option<Vec<String>> = relation.columns.iter().zip(row).map(shown).collect();
    match values {
        Some(values) => error.detail(format!("Failing row contains ({}).", values.join(", "))),
        None => error,
    }
}

/// A value as its type writes it.
fn shown(catalog: &Catalog, column: &Column, value: &Value, env: &Env) -> Option<String> {
    if value.is_null() {
        return Some("null".to_owned());
    }
    if let (Some(own), Value::Real(place)) = (catalog.own_type(column.ty), value) {
        return own.labels.iter().find(|label| label.order == *place).map(|label| label.name.clone());
    }
    if column.ty.has_labels() {
        let (labels, text) = (Value::Text(catalog.own_type(column.ty)?.labels_text()), Type::TEXT);
        let labelled = enums::labels(&[labels.as_ref(), Value::Int(text.0.into()).as_ref(), value.as_ref()]).ok()?;
        return shown(catalog, &Column { ty: Type::TEXT_ARRAY, ..column.clone() }, &labelled, env);
    }
    let mut out = Vec::new();
    write_text(column.ty, column.typmod, value.as_ref(), env, &mut out).ok()?;
    String::from_utf8(out).ok()
}

/// `Key (a, b)=(1, x)` of columns and their values.
fn key_of(catalog: &Catalog, columns: &[&Column], values: &[Value], env: &Env) -> Option<String> {
    let names: Vec<&str> = columns.iter().map(|c| c.name.as_str()).collect();
    let values: Option<Vec<String>> = columns.iter().zip(values).map(|(c, v)| shown(catalog, c, v, env)).collect();
    Some(format!("Key ({})=({})", names.join(", "), values?.join(", ")))
}
