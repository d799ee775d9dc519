//! What a domain asks of a value (see `bind::domains`): the value is held while its conditions read it.

use super::arg::{int, text};
use super::table::*;
use super::{Aggregate, Cast, Function, Operator, Scalar};
use crate::error::{SqlError, SqlResult, state};
use crate::value::{Value, ValueRef};
use serde::Deserialize;

pub const FUNCTIONS: &[Function] = &[];
pub const OPERATORS: &[Operator] = &[];
pub const CASTS: &[Cast] = &[];
pub const AGGREGATES: &[Aggregate] = &[];

pub const SCALARS: &[Scalar] = &[
    scalar("q_hold", 2, |ctx, a| {
        let value = a[1].to_owned();
        ctx.held.insert(int(a, 0)?, value.clone());
        Ok(value)
    })
    .contextual()
    .lax(),
    scalar("q_held", 1, |ctx, a| Ok(ctx.held.get(&int(a, 0)?).cloned().unwrap_or(Value::Null))).contextual().lax(),
    scalar("q_domain", -1, |_, a| obey(a)).contextual().lax(),
];

#[derive(Deserialize)]
struct About {
    schema: String,
    name: String,
    /// As messages name it.
    shown: String,
    /// A name for each condition; that of NOT NULL has none.
    rules: Vec<Option<String>>,
}

/// The second argument, unless one of those behind it is false. Errors: 23502, 23514.
fn obey(args: &[ValueRef<'_>]) -> SqlResult<Value> {
    let Some(broken) = args[2..].iter().position(|met| *met == ValueRef::Int(0)) else { return Ok(args[1].to_owned()) };
    let about: About = serde_json::from_str(text(args, 0)?)
        .map_err(|e| SqlError::internal(format!("what is asked by a domain: {e}")))?;
    let shown = about.shown;
    let mut error = match about.rules.get(broken) {
        Some(Some(rule)) => {
            let message = format!("value for domain {shown} violates check constraint \"{rule}\"");
            SqlError::new(state::CHECK_VIOLATION, message).constraint(rule)
        }
        _ => SqlError::new(state::NOT_NULL_VIOLATION, format!("domain {shown} does not allow null values")),
    };
    error.fields.schema = Some(about.schema);
    error.fields.datatype = Some(about.name);
    Err(error)
}
