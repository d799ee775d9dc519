//! What ANALYZE counts: how many values the keys of an index have, in the form that SQLite's planner reads.

use super::table::accumulator;
use super::{Accumulator, Aggregate, Cast, Context, Function, Operator, Scalar};
use crate::error::{SqlError, SqlResult, state};
use crate::meter;
use crate::value::{Value, ValueRef};
use xxhash_rust::xxh3::xxh3_64_with_seed;

pub const OPERATORS: &[Operator] = &[];
pub const CASTS: &[Cast] = &[];
pub const SCALARS: &[Scalar] = &[];
pub const FUNCTIONS: &[Function] = &[];

/// `q_selectivity(rows, first, key, …)` of the keys of an index in its order, or of as many as one looks at: a row's
/// `stat` in `sqlite_stat1` (<https://sqlite.org/fileformat2.html#stat1tab>). `rows` are those of the whole index, `first` is
/// the number of its first key's values where that is known, otherwise NULL.
pub const AGGREGATES: &[Aggregate] = &[accumulator("q_selectivity", -1, || Box::new(Selectivity::default()))];

#[derive(Default)]
struct Selectivity {
    rows: i64,
    first: Option<i64>,
    seen: i64,
    /// Of the keys of the last entry.
    last: Vec<u64>,
    /// For each number of leading keys, the different values of those.
    distinct: Vec<i64>,
}

/// An index is asked for what is rare: no value is said to have more than one in so many rows.
const MOST: u64 = 10;

/// Equal for equal values; different ones are taken for equal once in 2⁶⁴ times.
fn print(value: &ValueRef<'_>) -> SqlResult<u64> {
    let (kind, bytes): (u64, &[u8]) = match value {
        ValueRef::Null => (0, &[]),
        ValueRef::Int(n) => (1, &n.to_le_bytes()),
        ValueRef::Real(n) => (2, &n.to_bits().to_le_bytes()),
        ValueRef::Text(text) => (3, text.as_bytes()),
        ValueRef::Blob(bytes) => (4, bytes),
    };
    meter::work(bytes.len() / 8)?;
    Ok(xxh3_64_with_seed(bytes, kind))
}

impl Accumulator for Selectivity {
    fn step(&mut self, _: &mut Context, args: &[ValueRef<'_>]) -> SqlResult<()> {
        let [rows, first, keys @ ..] = args else { return Err(SqlError::internal("an index without keys")) };
        if self.seen == 0 {
            let number = |v: &ValueRef<'_>| if let ValueRef::Int(n) = v { Some(*n) } else { None };
            (self.rows, self.first) = (number(rows).unwrap_or(0), number(first));
            self.distinct = vec![0; keys.len()];
        }
        self.seen += 1;
        let prints = keys.iter().map(print).collect::<SqlResult<Vec<u64>>>()?;
        let changed = match self.last.is_empty() {
            true => Some(0),
            false => prints.iter().zip(&self.last).position(|(key, last)| key != last),
        };
        if let Some(changed) = changed {
            self.distinct[changed..].iter_mut().for_each(|n| *n += 1);
            self.last = prints;
        }
        Ok(())
    }

    fn inverse(&mut self, _: &mut Context, _: &[ValueRef<'_>]) -> SqlResult<()> {
        Err(SqlError::new(state::FEATURE_NOT_SUPPORTED, "statistics of a window frame"))
    }

    fn value(&mut self, _: &mut Context) -> SqlResult<Value> {
        if self.seen == 0 {
            return Ok(Value::Null);
        }
        let rows = self.rows.max(self.seen);
        let mut text = rows.to_string();
        for (place, distinct) in self.distinct.iter().enumerate() {
            let share = match self.first.filter(|_| place == 0) {
                Some(values) => rows as u64 / values.max(1) as u64,
                None => (self.seen as u64).div_ceil(*distinct as u64),
            };
            text.push_str(&format!(" {}", share.min(rows as u64 / MOST).max(1)));
        }
        Ok(Value::Text(text))
    }
}
