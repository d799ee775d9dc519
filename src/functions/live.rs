//! Live facts of the cluster: the relations `quorate.*`, `pg_locks` and `pg_stat_activity`, and signals to sessions.
//!
//! The facts are JSON that the client's node gathers before the statement runs. They travel with a statement that
//! writes, so that every replica sees the same; a signal is sent by reads only.

use super::arg::{from_text, int, text};
use super::table::*;
use super::{Aggregate, Cast, Context, Function, Operator, Scalar, Signal};
use crate::error::{SqlError, SqlResult};
use crate::value::{Value, ValueRef};

pub const FUNCTIONS: &[Function] = &[
    func("pg_cancel_backend", &[INT4], BOOL, "q_signal({0}, 0)").volatile(),
    func("pg_terminate_backend", &[INT4], BOOL, "q_signal({0}, 1)").volatile(),
    func("pg_terminate_backend", &[INT4, INT8], BOOL, "iif({1} IS NULL, NULL, q_signal({0}, 1))").volatile(),
];
pub const OPERATORS: &[Operator] = &[];
pub const CASTS: &[Cast] = &[];
pub const AGGREGATES: &[Aggregate] = &[];
pub const SCALARS: &[Scalar] = &[scalar("q_live", 1, live).contextual(), scalar("q_signal", 2, signal).contextual()];

/// The relation's rows as a JSON array of objects.
fn live(ctx: &mut Context, args: &[ValueRef<'_>]) -> SqlResult<Value> {
    let name = text(args, 0)?;
    match ctx.live.get(name) {
        Some(rows) => Ok(from_text(&**rows)),
        None => Err(SqlError::internal(format!("the facts of \"{name}\" were not gathered"))),
    }
}

fn signal(ctx: &mut Context, args: &[ValueRef<'_>]) -> SqlResult<Value> {
    let signal = if int(args, 1)? == 0 { Signal::Cancel } else { Signal::Terminate };
    let Some(send) = &ctx.signal else {
        return Err(SqlError::unsupported("sending signals to sessions in a transaction that has written"));
    };
    Ok(Value::Int(send(int(args, 0)? as i32, signal).into()))
}
