//! Live facts of the cluster, for the `quorate.*` relations: JSON that the node makes anew at each call.
//!
//! Only reads may see them: what goes through the log must not depend on the moment or the node.

use super::arg::{from_text, text};
use super::table::*;
use super::{Aggregate, Cast, Context, Function, Operator, Scalar};
use crate::error::{SqlError, SqlResult};
use crate::value::{Value, ValueRef};

pub const FUNCTIONS: &[Function] = &[];
pub const OPERATORS: &[Operator] = &[];
pub const CASTS: &[Cast] = &[];
pub const AGGREGATES: &[Aggregate] = &[];
pub const SCALARS: &[Scalar] = &[scalar("q_live", 1, live).contextual()];

/// The relation's rows as a JSON array of objects.
fn live(ctx: &mut Context, args: &[ValueRef<'_>]) -> SqlResult<Value> {
    let name = text(args, 0)?;
    match &ctx.live {
        Some(live) => Ok(from_text(live(name))),
        None => Err(SqlError::unsupported(format!("relation \"quorate.{name}\" in a statement that writes"))),
    }
}
