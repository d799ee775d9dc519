//! Which foreign key is broken, and by which row: asked of the rows that were changed, in the order in which they were.
//!
//! As PostgreSQL's triggers do it: a row that is gone or has another key must not be referred to by its old one, and a
//! row that is there must have its parents. What counts is the state after all changes.

use super::{Ask, Change, Failure, clashes, key_of};
use crate::error::{SqlError, state};
use crate::sql::catalog::{Catalog, Column, Constraint, ConstraintKind, Relation, quote, sqlite_name};
use crate::types::Env;
use crate::types::Type;
use crate::value::Value;

/// Begins the name of the condition that MATCH FULL is; the foreign key's OID follows.
pub const FULL: &str = "full.";
pub const MIXED_NULLS: &str = "MATCH FULL does not allow mixing of null and nonnull key values.";

pub fn full_name(oid: u32) -> String {
    format!("{FULL}{oid}")
}

/// What is said of a row whose parent is not there.
pub fn unmatched(relation: &Relation, constraint: &Constraint) -> String {
    let (table, name) = (&relation.name, &constraint.name);
    format!("insert or update on table \"{table}\" violates foreign key constraint \"{name}\"")
}

/// The error of a row with some of the columns of a MATCH FULL key.
pub fn mixed(relation: &Relation, constraint: &Constraint) -> SqlError {
    SqlError::new(state::FOREIGN_KEY_VIOLATION, unmatched(relation, constraint))
        .table(&relation.schema, &relation.name)
        .constraint(&constraint.name)
        .detail(MIXED_NULLS)
}

/// A foreign key with both of its tables.
#[derive(Clone, Copy)]
struct Reference<'a> {
    catalog: &'a Catalog,
    child: &'a Relation,
    constraint: &'a Constraint,
    parent: &'a Relation,
    /// Columns of the parent.
    columns: &'a [i16],
}

/// Where to look for a broken reference.
pub struct Broken<'a> {
    /// OIDs of the constraints that count; otherwise those that are not checked later.
    pub only: Option<&'a [u32]>,
    /// The rows that were changed, in order; the state that is asked has these changes.
    pub changes: &'a [Change],
    /// These are all.
    pub complete: bool,
    pub env: &'a Env,
}

/// The error of the first broken reference.
pub fn explain(catalog: &Catalog, failure: &Failure<'_>, ask: Ask<'_>) -> SqlError {
    let all = all(catalog);
    // While a statement runs, only what is checked at its end can have failed.
    let now = |c: &Constraint| failure.sql.is_empty() || !c.initially_deferred;
    let counts = |r: &&Reference<'_>| now(r.constraint);
    let keys = clashes::keys(catalog).map(|(_, c)| c).filter(|c| now(c)).map(|c| c.oid);
    let only: Vec<u32> = all.iter().filter(counts).map(|r| r.constraint.oid).chain(keys).collect();
    let Failure { changes, complete, env, .. } = *failure;
    let broken = Broken { only: Some(&only), changes, complete, env };
    let possible = || {
        let touched = |r: &Reference<'_>| failure.tables.iter().any(|t| [r.child.oid, r.parent.oid].contains(t));
        let mut left = all.iter().filter(counts).filter(|r| touched(r));
        left.next().filter(|_| left.next().is_none()).map(|r| r.absent(None))
    };
    broken.find(catalog, ask).or_else(possible).unwrap_or_else(|| {
        SqlError::new(state::FOREIGN_KEY_VIOLATION, "the statement violates a foreign key constraint")
    })
}

impl Broken<'_> {
    /// The error of the first key that is there twice, or of the first broken reference, if there is one.
    pub fn find(&self, catalog: &Catalog, ask: Ask<'_>) -> Option<SqlError> {
        if let Some(clash) = clashes::find(catalog, self.only, self.env, ask) {
            return Some(clash);
        }
        let mut references = all(catalog);
        references.retain(|r| self.only.is_none_or(|only| only.contains(&r.constraint.oid)));
        let found = self.changes.iter().find_map(|change| self.of_change(catalog, &references, change, ask));
        // If there were too many changes to remember them all, whole tables are looked through.
        found.or_else(|| references.iter().filter(|_| !self.complete).find_map(|r| r.any_orphan(self.env, ask)))
    }

    fn of_change(
        &self,
        catalog: &Catalog,
        references: &[Reference<'_>],
        change: &Change,
        ask: Ask<'_>,
    ) -> Option<SqlError> {
        let table = catalog.by_table(&change.table)?;
        let mut to = references.iter().filter(|r| r.parent.oid == table.oid);
        let mut from = references.iter().filter(|r| r.child.oid == table.oid);
        to.find_map(|r| r.left(change, self.env, ask)).or_else(|| from.find_map(|r| r.orphan(change, self.env, ask)))
    }
}

/// All foreign keys, in the order in which they are checked.
fn all(catalog: &Catalog) -> Vec<Reference<'_>> {
    let mut found = Vec::new();
    for child in catalog.relations.values() {
        for constraint in &child.constraints {
            if let ConstraintKind::ForeignKey { table, columns, .. } = &constraint.kind
                && let Some(parent) = catalog.by_oid(*table)
            {
                found.push(Reference { catalog, child, constraint, parent, columns });
            }
        }
    }
    found.sort_by_key(|r| r.constraint.oid);
    found
}

/// The values of some columns in a row, if none is NULL.
fn values(relation: &Relation, columns: &[i16], row: &[Value]) -> Option<Vec<Value>> {
    let value = |attnum: &i16| {
        let place = relation.columns.iter().position(|c| c.attnum == *attnum)?;
        row.get(place).filter(|value| !value.is_null()).cloned()
    };
    columns.iter().map(value).collect()
}

fn columns<'a>(relation: &'a Relation, attnums: &[i16]) -> Vec<&'a Column> {
    attnums.iter().filter_map(|n| relation.column_at(*n)).collect()
}

impl<'a> Reference<'a> {
    /// A child that refers to a row which is gone or has another key now.
    fn left(&self, change: &Change, env: &Env, ask: Ask<'_>) -> Option<SqlError> {
        let old = values(self.parent, self.columns, change.old.as_ref()?)?;
        if change.new.as_ref().and_then(|new| values(self.parent, self.columns, new)).as_ref() == Some(&old) {
            return None;
        }
        let own = columns(self.child, &self.constraint.columns);
        let terms = own.iter().zip(columns(self.parent, self.columns));
        let terms = terms.map(|(c, p)| key_term(&format!("c.{}", quote(&c.name)), c.ty, p.ty));
        let equal: Vec<String> = (1..).zip(terms).map(|(i, term)| format!("{term} = ?{i}")).collect();
        let sql = format!("SELECT 1 {} AND {} LIMIT 1", self.orphans(), equal.join(" AND "));
        ask(&sql, Some(&old)).ok()??;
        let message = format!(
            "update or delete on table \"{}\" violates foreign key constraint \"{}\" on table \"{}\"",
            self.parent.name, self.constraint.name, self.child.name
        );
        let key = key_of(self.catalog, &columns(self.parent, self.columns), &old, env);
        Some(self.error(message, key, &format!(" is still referenced from table \"{}\".", self.child.name)))
    }

    /// A row without a parent.
    fn orphan(&self, change: &Change, env: &Env, ask: Ask<'_>) -> Option<SqlError> {
        let own = |row: &Vec<Value>| values(self.child, &self.constraint.columns, row);
        let new = own(change.new.as_ref()?)?;
        if !change.moved && change.old.as_ref().and_then(own).as_ref() == Some(&new) {
            return None;
        }
        let condition = format!(" AND c.{} = ?1", self.child.rowid_name());
        self.ask_orphan(&condition, &[Value::Int(change.rowid)], env, ask)
    }

    /// Any row without a parent: looks through the whole table.
    fn any_orphan(&self, env: &Env, ask: Ask<'_>) -> Option<SqlError> {
        self.ask_orphan("", &[], env, ask)
    }

    fn ask_orphan(&self, condition: &str, params: &[Value], env: &Env, ask: Ask<'_>) -> Option<SqlError> {
        let own = columns(self.child, &self.constraint.columns);
        let names: Vec<String> = own.iter().map(|c| format!("c.{}", quote(&c.name))).collect();
        let sql = format!("SELECT {} {}{condition} LIMIT 1", names.join(", "), self.orphans());
        let found = ask(&sql, Some(params)).ok()??;
        Some(self.absent(key_of(self.catalog, &own, &found, env)))
    }

    /// The row is not always known.
    fn absent(&self, key: Option<String>) -> SqlError {
        let message = unmatched(self.child, self.constraint);
        self.error(message, key, &format!(" is not present in table \"{}\".", self.parent.name))
    }

    fn error(&self, message: String, key: Option<String>, tail: &str) -> SqlError {
        let error = SqlError::new(state::FOREIGN_KEY_VIOLATION, message)
            .table(&self.child.schema, &self.child.name)
            .constraint(&self.constraint.name);
        match key {
            Some(key) => error.detail(key + tail),
            None => error,
        }
    }

    /// `FROM … WHERE …` finding children (alias `c`) whose key is in no parent.
    fn orphans(&self) -> String {
        orphans(self.child, self.parent, &self.constraint.columns, self.columns)
    }
}

/// How the column of a foreign key compares with the one that it refers to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fit {
    /// As SQLite compares them.
    Plain,
    /// See [`key_term`].
    Converted,
    No,
}

/// See [`Fit`]: PostgreSQL wants an equality of the two types that its index can use, or an implicit cast to the parent's.
pub fn fit(own: Type, other: Type) -> Fit {
    let integer = |t| matches!(t, Type::INT2 | Type::INT4 | Type::INT8);
    let text = |t| matches!(t, Type::TEXT | Type::CITEXT | Type::VARCHAR | Type::NAME | Type::BPCHAR);
    let number = |t: Type| t.is_numeric_like();
    let moment = |t| matches!(t, Type::TIMESTAMP | Type::TIMESTAMPTZ);
    match (own, other) {
        (a, b) if a == b || integer(a) && integer(b) || text(a) && text(b) => Fit::Plain,
        (a, b) if a.is_float() && b.is_float() || moment(a) && moment(b) => Fit::Plain,
        (a, Type::OID) if integer(a) || a.is_reg() => Fit::Plain,
        (a, Type::NUMERIC) if integer(a) => Fit::Plain,
        (a, b) if number(a) && b.is_float() => Fit::Plain,
        (Type::DATE, b) if moment(b) => Fit::Converted,
        _ => Fit::No,
    }
}

/// A foreign key's column as SQLite compares it with the parent's: a date is its midnight (in UTC).
pub fn key_term(name: &str, own: Type, other: Type) -> String {
    match fit(own, other) {
        Fit::Converted => format!(
            "iif({name} = 2147483647, 9223372036854775807, iif({name} = -2147483648, -9223372036854775808, \
             {name} * 86400000000))"
        ),
        _ => name.to_owned(),
    }
}

/// `FROM … WHERE …` finding rows (alias `c`) of `table` whose key is not in `parent`.
pub fn orphans(table: &Relation, parent: &Relation, own: &[i16], other: &[i16]) -> String {
    let name = |r: &Relation, n: &i16| r.column_at(*n).map_or(String::new(), |c| quote(&c.name));
    let present: Vec<String> = own.iter().map(|n| format!("c.{} IS NOT NULL", name(table, n))).collect();
    let term = |a: &i16, b: &i16| {
        let name = format!("c.{}", name(table, a));
        match (table.column_at(*a), parent.column_at(*b)) {
            (Some(own), Some(other)) => key_term(&name, own.ty, other.ty),
            _ => name,
        }
    };
    let matches: Vec<String> =
        own.iter().zip(other).map(|(a, b)| format!("p.{} = {}", name(parent, b), term(a, b))).collect();
    format!(
        "FROM {} c WHERE {} AND NOT EXISTS (SELECT 1 FROM {} p WHERE {})",
        quote(&sqlite_name(&table.schema, &table.name)),
        present.join(" AND "),
        quote(&sqlite_name(&parent.schema, &parent.name)),
        matches.join(" AND ")
    )
}
