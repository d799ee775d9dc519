//! What a statement means, as typed trees: made by `bind` from syntax and catalog, written as SQLite SQL by `render`.
//!
//! | file | what |
//! |---|---|
//! | `expr` | expressions: every node with its PostgreSQL type; operators, functions and casts by identity |
//! | `query` | queries: SELECT, VALUES, set operations, WITH, FROM items, sort keys, rows to lock |
//! | `write` | INSERT, UPDATE, DELETE |
//! | `walk`, `facts` | one walk over all parts of a statement, and what it finds for whoever runs it |
//!
//! Whoever wants to know something of a statement asks the tree, never a text. FROM items are numbered in the statement:
//! a column names its item by that number, and its item is called `t7` in SQLite. Columns of queries are called `c1`, `c2`
//! and so on, so nothing that a client writes can shadow anything. What surrounds a part may still decide the types in it
//! until the whole statement is bound; nothing is written before.

mod expr;
mod facts;
mod query;
mod walk;
mod write;

pub use expr::{Bound, Call, Cast, Column, Explicit, Frame, Infix, Node, Op, Over, SortKey, SubQuery, Truth, Typed};
pub use query::{
    Body, Cte, FromItem, Hidden, Lock, Materialized, Named, OrderKey, Out, Place, Query, Select, SetOperator, Side,
    System,
};
pub use walk::Part;
pub use write::{Assignment, Change, Conflict, ConflictUpdate, Delete, Insert, InsertSource, Update, Write};

/// The column in which the elements of an array stand as rows.
pub const ELEMENT: &str = "value";
/// The first column of a query.
pub const FIRST: &str = "c1";
