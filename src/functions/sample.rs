//! Which rows TABLESAMPLE takes: by a number drawn from the seed and the row's place, so that the same seed takes the same rows.

use super::arg::{int, real};
use super::table::*;
use super::{Aggregate, Cast, Function, Operator, Scalar};
use crate::error::{SqlError, SqlResult, state};
use crate::value::{Value, ValueRef};
use xxhash_rust::xxh3::xxh3_64_with_seed;

pub const FUNCTIONS: &[Function] = &[];
pub const OPERATORS: &[Operator] = &[];
pub const CASTS: &[Cast] = &[];
pub const AGGREGATES: &[Aggregate] = &[];

pub const SCALARS: &[Scalar] = &[scalar("q_sampled", 4, |_, a| sampled(a)).lax()];

/// Rows that the method SYSTEM takes or leaves together: about as many as fit on a page of PostgreSQL's.
const BLOCK: i64 = 100;

/// (percentage, seed, rowid, by blocks)
fn sampled(args: &[ValueRef<'_>]) -> SqlResult<Value> {
    if args[0].is_null() {
        let text = "TABLESAMPLE parameter cannot be null";
        return Err(SqlError::new(state::INVALID_TABLESAMPLE_ARGUMENT, text));
    }
    if args[1].is_null() {
        let text = "TABLESAMPLE REPEATABLE parameter cannot be null";
        return Err(SqlError::new(state::INVALID_TABLESAMPLE_REPEAT, text));
    }
    let (percentage, seed, row) = (real(args, 0)?, real(args, 1)?, int(args, 2)?);
    if !(0.0..=100.0).contains(&percentage) {
        let text = "sample percentage must be between 0 and 100";
        return Err(SqlError::new(state::INVALID_TABLESAMPLE_ARGUMENT, text));
    }
    let place = if int(args, 3)? == 0 { row } else { row.div_euclid(BLOCK) };
    let drawn = xxh3_64_with_seed(&place.to_le_bytes(), (seed + 0.0).to_bits());
    // 53 bits: as exact as a fraction can be.
    let fraction = (drawn >> 11) as f64 / (1_u64 << 53) as f64;
    Ok(Value::Int((fraction * 100.0 < percentage).into()))
}
