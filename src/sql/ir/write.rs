//! INSERT, UPDATE, DELETE.
//!
//! The target keeps its table's name as qualifier, which is the only one that SQLite's RETURNING knows; what it tells of
//! other tables takes a way of its own: their columns are kept aside while rows are changed ([`super::Op::Keep`]), and
//! looked up by the row's rowid ([`super::Node::Kept`]).

use super::expr::{Column, Typed};
use super::query::{Cte, FromItem, Named, Query};
use crate::sql::catalog;
use std::rc::Rc;

/// A data change behind its WITH.
#[derive(Clone, Debug)]
pub struct Write {
    pub with: Vec<Rc<Cte>>,
    pub recursive: bool,
    /// SQLite's name of the table.
    pub table: String,
    pub change: Change,
    /// Columns of the changed rows that are given back.
    pub returning: Option<Vec<Named>>,
    /// Computed for each changed row where nothing is given back, because of its errors.
    pub check: Option<Typed>,
}

#[derive(Clone, Debug)]
pub enum Change {
    Insert(Insert),
    Update(Update),
    Delete(Delete),
}

#[derive(Clone, Debug)]
pub struct Insert {
    /// None: all columns are left to SQLite.
    pub columns: Vec<String>,
    pub source: InsertSource,
    pub conflict: Option<Conflict>,
}

#[derive(Clone, Debug)]
pub enum InsertSource {
    /// Rows, each of which goes on with `rest`.
    Values {
        rows: Vec<Vec<Typed>>,
        rest: Vec<Typed>,
    },
    Query(Box<Query>),
    /// One row, if a condition on its columns holds. The first `given` of them are stored; what the others have is only
    /// for the condition.
    If {
        row: Vec<(String, Typed)>,
        given: usize,
        condition: Box<Typed>,
    },
}

/// ON CONFLICT
#[derive(Clone, Debug)]
pub struct Conflict {
    /// Keys of a unique index, over the table's columns; none for any.
    pub keys: Vec<Typed>,
    /// The condition under which that index holds a row.
    pub predicate: Option<Typed>,
    /// NULLs are equal in it: rows with one are in an index of their own.
    pub nulls_equal: bool,
    /// DO UPDATE
    pub update: Option<ConflictUpdate>,
}

#[derive(Clone, Debug)]
pub struct ConflictUpdate {
    pub set: Vec<Assignment>,
    pub filter: Option<Typed>,
    /// The rowid of the row that is met, if it must not be one that the statement has stored or changed itself.
    pub once: Option<Column>,
}

/// Columns and what they are set to.
#[derive(Clone, Debug)]
pub struct Assignment {
    /// One, or as many as the row has that is the value.
    pub columns: Vec<(i16, String)>,
    pub value: Typed,
    /// The value is a row.
    pub whole: bool,
}

impl Assignment {
    pub fn one(column: &catalog::Column, value: Typed) -> Assignment {
        Assignment { columns: vec![(column.attnum, column.name.clone())], value, whole: false }
    }
}

#[derive(Clone, Debug)]
pub struct Update {
    pub set: Vec<Assignment>,
    pub from: Vec<FromItem>,
    pub filter: Option<Typed>,
}

#[derive(Clone, Debug)]
pub struct Delete {
    pub rowid: Column,
    pub using: Vec<FromItem>,
    pub filter: Option<Typed>,
    /// The rowid, taking along what is kept of the other tables.
    pub found: Option<Typed>,
}
