//! The SQL compiler: Postgres text and a catalog in, typed plans with SQLite SQL out. Pure: no connection, no clock.
//!
//! text → tokens → AST (`parse`) → names, types, functions, coercions (`bind`) → SQLite SQL (`Plan`).
//! Types are known before anything runs: clients that Describe a statement before Bind rely on it.

pub mod bind;
pub mod catalog;
pub mod plan;

use crate::types::{Env, Type};
use catalog::Catalog;

/// What a translation depends on besides its text. A plan may be reused while all of this is equal.
#[derive(Clone, Debug)]
pub struct Scope<'a> {
    pub catalog: &'a Catalog,
    pub search_path: &'a [String],
    /// Types the client declared for `$1`…; `Type(0)` leaves one to inference.
    pub declared: &'a [Type],
    pub env: &'a Env,
    pub user: &'a str,
    pub database: &'a str,
}
