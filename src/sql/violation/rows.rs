//! The rows that an INSERT or UPDATE would have stored, as a query; and among them the one that a constraint refused.
//!
//! The log holds SQLite's text and where its parts are ([`crate::command::Shape`]): the query is made of these parts. What
//! an INSERT stores is its source; an UPDATE stores its table's rows with other values in some columns; and ON CONFLICT DO
//! UPDATE does that to the rows that the source met.
//!
//! Names that begin with `\u{1}` are ours. Rows that draw random numbers or sequence values must be computed once: no
//! query merges them into its own terms, because they come with a LIMIT.

use super::{Ask, Failure, copy_name, key_of, shown};
use crate::command::{Set, SetColumn, Shape, Span};
use crate::error::SqlResult;
use crate::sql::Scope;
use crate::sql::bind::{Kept, bind_column_expr, bind_typed_column_expr};
use crate::sql::catalog::{Catalog, Column, Constraint, ConstraintKind, Index, Relation, Source, quote};
use crate::sql::deparse;
use crate::sql::lex::quote_identifier;
use crate::types::{Env, NO_TYPMOD, Type};
use crate::value::Value;
use std::collections::HashMap;

/// The row whose `column` is NULL.
pub fn with_null(
    catalog: &Catalog,
    relation: &Relation,
    column: &Column,
    failure: &Failure<'_>,
    ask: Ask<'_>,
) -> Option<Vec<Value>> {
    let condition = format!("{} IS NULL", quote(&column.name));
    first(catalog, relation, failure, ask, "", &condition)
}

/// The row that does not meet `constraint`, and the first of `checks` that it does not meet.
pub fn unchecked(
    catalog: &Catalog,
    relation: &Relation,
    constraint: &Constraint,
    checks: &[&Constraint],
    failure: &Failure<'_>,
    ask: Ask<'_>,
) -> Option<(Vec<Value>, usize)> {
    let env = Env::default();
    let scope = plain(catalog, &env);
    let broken = |c: &Constraint| match &c.kind {
        ConstraintKind::Check(text) => {
            let condition =
                bind_column_expr(&scope, Some(relation), text, Some((Type::BOOL, NO_TYPMOD)), Kept::Check).ok()?;
            Some(format!("NOT ({condition})"))
        }
        _ => None,
    };
    let flags: Vec<String> = checks.iter().map(|c| broken(c)).collect::<Option<_>>()?;
    let flags: String = flags.iter().map(|flag| format!(", {flag}")).collect();
    let mut row = first(catalog, relation, failure, ask, &flags, &broken(constraint)?)?;
    let flags = row.split_off(relation.columns.len());
    let place = flags.iter().position(|flag| *flag == Value::Int(1))?;
    Some((row, place))
}

/// The first row to be stored that meets `condition`, with the values of `more`.
fn first(
    catalog: &Catalog,
    relation: &Relation,
    failure: &Failure<'_>,
    ask: Ask<'_>,
    more: &str,
    condition: &str,
) -> Option<Vec<Value>> {
    let change = Stored::of(failure.sql, failure.shape, relation)?;
    let env = Env::default();
    let scope = plain(catalog, &env);
    change.waves(false).iter().find_map(|wave| {
        let (all, names) = (with_generated(relation, &scope, NEW).ok()?, names(relation));
        let sql = format!("{} SELECT {names}{more} FROM ({all}) WHERE {condition} LIMIT 1", wave.with);
        ask(&sql, None).ok().flatten()
    })
}

/// Whether the statement fills the table as it is made anew.
pub fn is_copied(failure: &Failure<'_>, relation: &Relation) -> bool {
    Stored::of(failure.sql, failure.shape, relation).is_some_and(|stored| stored.table == copy_name(relation.oid))
}

/// `Key (a, b)=(1, x)` of the row that repeats a key of `index`: one that was there, or that was stored before it.
pub fn duplicate(
    catalog: &Catalog,
    relation: &Relation,
    index: &Index,
    failure: &Failure<'_>,
    ask: Ask<'_>,
) -> Option<String> {
    let change = Stored::of(failure.sql, failure.shape, relation)?;
    let env = Env::default();
    let keys = Keys::new(catalog, relation, index, &env)?;
    let scope = plain(catalog, &env);
    let rowid = relation.rowid_name();
    let values = change.waves(true).iter().find_map(|wave| {
        let all = with_generated(relation, &scope, NEW).ok()?;
        let sql = format!("{} {}", wave.with, keys.query(&all, &change.table, wave.rowid.then_some(rowid)));
        ask(&sql, None).ok().flatten()
    })?;
    keys.shown(catalog, &values, failure.env)
}

/// Of which type a term is, which tells how SQLite has to compare it.
struct Compared(Type);

impl Compared {
    fn same(&self, a: &str, word: &str, b: &str) -> String {
        match (self.0.key(), self.0.collation()) {
            (Some(key), _) => format!("{key}({a}) {word} {key}({b})"),
            (None, Some(name)) => format!("{a} {word} {b} COLLATE {name}"),
            (None, None) => format!("{a} {word} {b}"),
        }
    }
}

/// The keys of an index as SQLite expressions over its table's columns.
struct Keys<'a> {
    terms: Vec<String>,
    /// How they compare.
    compared: Vec<Compared>,
    predicate: String,
    /// Names for people, and the type of each value.
    columns: Vec<(String, Column)>,
    index: &'a Index,
}

impl<'a> Keys<'a> {
    fn new(catalog: &Catalog, relation: &Relation, index: &'a Index, env: &Env) -> Option<Keys<'a>> {
        let scope = plain(catalog, env);
        let (mut terms, mut compared, mut columns) = (Vec::new(), Vec::new(), Vec::new());
        for key in &index.keys {
            let column = key.column.and_then(|n| relation.column_at(n));
            let (term, name, column) = match (&key.expression, column) {
                (Some(text), _) => {
                    let (term, ty, typmod) = bind_typed_column_expr(&scope, relation, text).ok()?;
                    (
                        term,
                        deparse::index_key(&scope, relation, text),
                        Column { ty, typmod, ..relation.columns.first()?.clone() },
                    )
                }
                (None, Some(column)) => (quote(&column.name), quote_identifier(&column.name), column.clone()),
                (None, None) => return None,
            };
            compared.push(Compared(column.ty));
            terms.push(format!("({term})"));
            columns.push((name, column));
        }
        let predicate = match &index.predicate {
            Some(text) => {
                bind_column_expr(&scope, Some(relation), text, Some((Type::BOOL, NO_TYPMOD)), Kept::Predicate).ok()?
            }
            None => "1".to_owned(),
        };
        Some(Keys { terms, compared, predicate, columns, index })
    }

    /// The key of the first row of `all` that another row of `table` has, or one of `all` before it. `rowid` is given where
    /// the rows are those of the table: then a row is not its own duplicate, nor that of one that has changed before it.
    fn query(&self, all: &str, table: &str, rowid: Option<&str>) -> String {
        let (table, numbers) = (quote(table), 1..=self.terms.len());
        let named: String =
            numbers.clone().zip(&self.terms).map(|(i, term)| format!(", {term} AS {}", key(i))).collect();
        let list: Vec<String> = numbers.clone().map(|i| format!("n.{}", key(i))).collect();
        let nulls = self.index.nulls_equal;
        let present: Vec<String> =
            list.iter().map(|key| if nulls { "1".to_owned() } else { format!("{key} IS NOT NULL") }).collect();
        let equal = |other: &dyn Fn(usize) -> String| {
            let same = if nulls { "IS" } else { "=" };
            let pair = |(i, compared): (usize, &Compared)| compared.same(&other(i), same, &format!("n.{}", key(i)));
            numbers.clone().zip(&self.compared).map(pair).collect::<Vec<_>>().join(" AND ")
        };
        let (there, before) = (equal(&|i| self.terms[i - 1].clone()), equal(&|i| format!("e.{}", key(i))));
        let (hidden, others) = match rowid {
            None => (String::new(), String::new()),
            Some(rowid) => (
                format!(", {ROWID}"),
                format!(
                    " AND {rowid} <> n.{ROWID} AND {rowid} NOT IN (SELECT e.{ROWID} FROM {KEYS} e WHERE e.{PLACE} < n.{PLACE})"
                ),
            ),
        };
        format!(
            ", {KEYS} AS MATERIALIZED (SELECT row_number() OVER () AS {PLACE}, ({}) IS TRUE AS {COUNTS}{hidden}{named} \
             FROM ({all})) SELECT {} FROM {KEYS} n WHERE n.{COUNTS} AND {} AND (\
             EXISTS (SELECT 1 FROM {table} WHERE ({}) AND {there}{others}) OR \
             EXISTS (SELECT 1 FROM {KEYS} e WHERE e.{COUNTS} AND e.{PLACE} < n.{PLACE} AND {before})) \
             ORDER BY n.{PLACE} LIMIT 1",
            self.predicate,
            list.join(", "),
            present.join(" AND "),
            self.predicate,
        )
    }

    fn shown(&self, catalog: &Catalog, values: &[Value], env: &Env) -> Option<String> {
        if self.index.keys.iter().all(|key| key.expression.is_none()) {
            let columns: Vec<Column> =
                self.columns.iter().map(|(name, column)| Column { name: name.clone(), ..column.clone() }).collect();
            return key_of(catalog, &columns.iter().collect::<Vec<_>>(), values, env);
        }
        let names: Vec<&str> = self.columns.iter().map(|(name, _)| name.as_str()).collect();
        let values: Option<Vec<String>> =
            self.columns.iter().zip(values).map(|((_, column), value)| shown(catalog, column, value, env)).collect();
        Some(format!("Key ({})=({})", names.join(", "), values?.join(", ")))
    }
}

/// The rows to be stored: all columns but generated ones, and [`ROWID`] where they are rows of the table.
const NEW: &str = "\"\u{1}new\"";
const SOURCE: &str = "\"\u{1}source\"";
const KEYS: &str = "\"\u{1}keys\"";
const ROWID: &str = "\"\u{1}rowid\"";
const PLACE: &str = "\"\u{1}place\"";
const COUNTS: &str = "\"\u{1}counts\"";

fn key(i: usize) -> String {
    format!("\"\u{1}key{i}\"")
}

/// Names and functions in the catalog's texts do not depend on who asks.
fn plain<'a>(catalog: &'a Catalog, env: &'a Env) -> Scope<'a> {
    Scope::plain(catalog, &[], env, "", "")
}

fn names(relation: &Relation) -> String {
    relation.columns.iter().map(|c| quote(&c.name)).collect::<Vec<_>>().join(", ")
}

/// `rows` with the generated columns as well.
fn with_generated(relation: &Relation, scope: &Scope<'_>, rows: &str) -> SqlResult<String> {
    let mut values = String::new();
    for column in &relation.columns {
        if let Some(text) = &column.generated {
            let value =
                bind_column_expr(scope, Some(relation), text, Some((column.ty, column.typmod)), Kept::Generated)?;
            values.push_str(&format!(", {value} AS {}", quote(&column.name)));
        }
    }
    Ok(format!("SELECT *{values} FROM {rows}"))
}

/// An INSERT or UPDATE taken apart.
struct Stored<'a> {
    relation: &'a Relation,
    /// SQLite name of the target.
    table: String,
    /// `WITH …`, or nothing.
    with: &'a str,
    what: What<'a>,
}

enum What<'a> {
    Insert { columns: Vec<String>, source: &'a str, conflict: Conflict<'a> },
    Update { set: HashMap<String, String>, from: &'a str, filter: &'a str },
}

/// ON CONFLICT (keys), and DO UPDATE.
struct Conflict<'a> {
    keys: Vec<String>,
    update: Option<(HashMap<String, String>, &'a str)>,
}

/// Rows that are stored in the same way.
struct Wave {
    /// `WITH …, NEW AS (…)`
    with: String,
    /// They are rows of the table with their [`ROWID`].
    rowid: bool,
}

impl<'a> Stored<'a> {
    /// `None` if the statement is of another kind or writes another table.
    fn of(sql: &'a str, shape: &Shape, relation: &'a Relation) -> Option<Stored<'a>> {
        let Source::Table(table) = &relation.source else { return None };
        let name = |span: &Span| unquoted(span.of(sql));
        let set = |set: &Set| -> HashMap<String, String> {
            let value = |column: &SetColumn| match (column.value.of(sql), column.field) {
                (value, 0) => value.to_owned(),
                // A query's columns are called c1, c2 and so on.
                (query, i) => format!("(SELECT \"c{i}\" FROM {query})"),
            };
            set.columns.iter().map(|column| (name(&column.name), value(column))).collect()
        };
        let (with, target, what) = match shape {
            Shape::Insert(insert) => {
                let update = insert.update.as_ref().map(|update| (set(update), update.filter.of(sql)));
                let conflict = Conflict { keys: insert.keys.iter().map(name).collect(), update };
                let columns = insert.columns.iter().map(name).collect();
                let what = What::Insert { columns, source: insert.source.of(sql), conflict };
                (insert.with, insert.table, what)
            }
            Shape::Update(update) => {
                let (from, filter) = (update.from.of(sql), update.set.filter.of(sql));
                (update.with, update.table, What::Update { set: set(&update.set), from, filter })
            }
            _ => return None,
        };
        let target = name(&target);
        // Also while the table is made anew.
        let is_its = target == *table || target == copy_name(relation.oid);
        is_its.then(|| Stored { relation, table: target, with: with.of(sql).trim(), what })
    }

    /// The rows to be stored, in order. `unique`: without those that ON CONFLICT takes care of.
    fn waves(&self, unique: bool) -> Vec<Wave> {
        let wave = |ctes: &[String], rowid| {
            let with = match self.with {
                "" => format!("WITH {}", ctes.join(", ")),
                with => format!("{with}, {}", ctes.join(", ")),
            };
            Wave { with, rowid }
        };
        let table = quote(&self.table);
        match &self.what {
            What::Update { set, from, filter } => {
                // As SQLite itself joins them.
                let from = if from.is_empty() { String::new() } else { format!(", {from}") };
                let new = self.changed(set, &format!("FROM {table}{from}{}", clause("WHERE", filter)));
                vec![wave(&[new], true)]
            }
            What::Insert { columns, source, conflict } => {
                let source = match columns.is_empty() {
                    true => format!("{SOURCE} AS (SELECT 1)"),
                    false => format!("{SOURCE}({}) AS ({source})", list(columns)),
                };
                let proposed = format!("SELECT {} FROM {SOURCE}", self.proposed(columns));
                let met = Some(equal(&conflict.keys, &table)).filter(|met| !met.is_empty());
                let kept = match &met {
                    Some(met) if unique => {
                        format!(" AS \"excluded\" WHERE NOT EXISTS (SELECT 1 FROM {table} WHERE {met})")
                    }
                    _ => String::new(),
                };
                let new = format!("{NEW} AS (SELECT * FROM ({proposed} LIMIT -1){kept} LIMIT -1)");
                let mut waves = vec![wave(&[source.clone(), new], false)];
                if let (Some(met), Some((set, filter))) = (met, &conflict.update) {
                    let filter = if filter.is_empty() { String::new() } else { format!(" AND ({filter})") };
                    let from = format!("FROM ({proposed} LIMIT -1) AS \"excluded\", {table} WHERE {met}{filter}");
                    waves.push(wave(&[source, self.changed(set, &from)], true));
                }
                waves
            }
        }
    }

    /// All columns that are stored, of a source that gives some.
    fn proposed(&self, given: &[String]) -> String {
        let value = |column: &Column| {
            let name = quote(&column.name);
            if given.contains(&column.name) { name } else { format!("NULL AS {name}") }
        };
        self.stored().map(value).collect::<Vec<_>>().join(", ")
    }

    /// [`NEW`] as rows of the table with other values in some columns.
    fn changed(&self, set: &HashMap<String, String>, from: &str) -> String {
        let table = quote(&self.table);
        let value = |column: &Column| {
            let name = quote(&column.name);
            match set.get(&column.name) {
                Some(value) => format!("{value} AS {name}"),
                None => format!("{table}.{name} AS {name}"),
            }
        };
        let values: Vec<String> = self.stored().map(value).collect();
        let rowid = self.relation.rowid_name();
        format!("{NEW} AS (SELECT {}, {table}.{rowid} AS {ROWID} {from} LIMIT -1)", values.join(", "))
    }

    fn stored(&self) -> impl Iterator<Item = &Column> {
        self.relation.columns.iter().filter(|c| c.generated.is_none())
    }
}

fn list(names: &[String]) -> String {
    names.iter().map(|name| quote(name)).collect::<Vec<_>>().join(", ")
}

fn clause(word: &str, text: &str) -> String {
    if text.is_empty() { String::new() } else { format!(" {word} {text}") }
}

/// The row of `table` that has the keys of the proposed one.
fn equal(keys: &[String], table: &str) -> String {
    let equal = |key: &String| format!("{table}.{0} = \"excluded\".{0}", quote(key));
    keys.iter().map(equal).collect::<Vec<_>>().join(" AND ")
}

/// A name as [`quote`] writes it.
fn unquoted(name: &str) -> String {
    name.trim_matches('"').replace("\"\"", "\"")
}
