//! Numbers of rows: LIMIT and OFFSET, offsets of window frames, and what RANGE measures its distances by.
//!
//! SQLite adds an offset to a number only, and takes whatever is no number for a peer of its like alone. So a key of
//! another type is written as an integer that keeps order and distance exactly: a numeric in units of its last decimal,
//! dates and times in µs. Infinities are SQLite's, and NaN stays the text that sorts above all numbers, as it does in
//! PostgreSQL. An offset between two units is rounded to the side on which it separates the same keys.

use super::arg::{NAN, int, real, text};
use super::table::*;
use super::{Aggregate, Cast, Function, Operator, Scalar};
use crate::error::{SqlError, SqlResult, SqlState, state};
use crate::types::Type;
use crate::types::datetime as dt;
use crate::types::interval::Interval;
use crate::types::numeric::Numeric;
use crate::value::{Value, ValueRef};

pub const FUNCTIONS: &[Function] = &[func("q_limit", &[INT8, TEXT], INT8, "q_limit({0}, {1})")];
pub const OPERATORS: &[Operator] = &[];
pub const CASTS: &[Cast] = &[];
pub const AGGREGATES: &[Aggregate] = &[];

pub const SCALARS: &[Scalar] = &[
    scalar("q_range_key", 3, |_, a| key(a)),
    // A number of rows, and the clause that it is of: SQLite takes a negative one for none.
    scalar("q_limit", 2, |_, a| match int(a, 0)? {
        ..0 => Err(negative(text(a, 1)?)),
        n => Ok(Value::Int(n)),
    }),
];

/// The error of a negative number of rows in LIMIT or OFFSET.
pub fn negative(place: &str) -> SqlError {
    let code = SqlState::new(if place == "LIMIT" { "2201W" } else { "2201X" });
    SqlError::new(code, format!("{place} must not be negative"))
}

/// Decimals that a numeric key has where its type does not say.
pub const DECIMALS: u32 = 6;

const MICROS_PER_DAY: i128 = 86_400_000_000;

/// The error of what is not there yet.
pub fn beyond(what: &str) -> SqlError {
    SqlError::unsupported(format!("RANGE with offset PRECEDING/FOLLOWING over {what}"))
}

/// `n` · 10^`decimals`, rounded down or up, and whether that is exact.
fn scaled(n: &Numeric, decimals: u32, up: bool) -> SqlResult<(Option<i64>, bool)> {
    let whole = n.mul(&Numeric::scaled(10_i128.pow(decimals), 0))?;
    let rounded = if up { whole.ceil()? } else { whole.floor()? };
    let exact = rounded.compare(&whole).is_eq();
    Ok((rounded.to_integer_exact().ok().and_then(|n| i64::try_from(n).ok()), exact))
}

/// (type, value, decimals): a key as a number.
fn key(args: &[ValueRef<'_>]) -> SqlResult<Value> {
    let infinite = |at: i64, low: i64| Value::Real(if at == low { f64::NEG_INFINITY } else { f64::INFINITY });
    Ok(match Type(int(args, 0)? as u32) {
        Type::NUMERIC => match Numeric::parse(text(args, 1)?)? {
            Numeric::NaN => Value::Text(NAN.into()),
            // Finite, for an infinite distance from them reaches everything: SQLite has no infinity minus infinity.
            Numeric::Infinity => Value::Real(f64::MAX),
            Numeric::NegInfinity => Value::Real(f64::MIN),
            n => match scaled(&n, int(args, 2)? as u32, false)? {
                (Some(n), true) => Value::Int(n),
                _ => return Err(beyond(&format!("the numeric {n}"))),
            },
        },
        Type::DATE => match int(args, 1)? {
            at if dt::is_infinite_date(at) => infinite(at, dt::DATE_NEG_INFINITY),
            days => i64::try_from(i128::from(days) * MICROS_PER_DAY)
                .map(Value::Int)
                .map_err(|_| SqlError::new(state::DATETIME_FIELD_OVERFLOW, "date out of range for timestamp"))?,
        },
        Type::TIMESTAMP | Type::TIMESTAMPTZ => match int(args, 1)? {
            at if dt::is_infinite(at) => infinite(at, dt::TIMESTAMP_NEG_INFINITY),
            at => Value::Int(at),
        },
        Type::INTERVAL => {
            let span = Interval::stored(text(args, 1)?)?.span();
            Value::Int(i64::try_from(span).map_err(|_| beyond("an interval of so many years"))?)
        }
        // Numbers already; a call keeps SQLite from taking a constant for the number of a column.
        _ => args[1].to_owned(),
    })
}

/// What an offset is of.
#[derive(Clone, Copy)]
pub struct Place {
    /// The type of the key, for RANGE.
    pub key: Option<Type>,
    /// Decimals of a numeric key.
    pub decimals: u32,
    /// The frame's end.
    pub ends: bool,
    pub preceding: bool,
}

/// An offset as a number in the units of its keys. It is computed while the statement is compiled: SQLite takes no
/// function there.
pub fn offset(value: &Value, place: Place) -> SqlResult<Value> {
    let name = if place.ends { "ending" } else { "starting" };
    let args = [value.as_ref()];
    if *value == Value::Null {
        let text = format!("frame {name} offset must not be null");
        return Err(SqlError::new(state::NULL_VALUE_NOT_ALLOWED, text));
    }
    let refused = || {
        let text = match place.key {
            None => format!("frame {name} offset must not be negative"),
            Some(_) => "invalid preceding or following size in window function".to_owned(),
        };
        SqlError::new(state::INVALID_PRECEDING_OR_FOLLOWING_SIZE, text)
    };
    match place.key {
        Some(Type::FLOAT4 | Type::FLOAT8) => match real(&args, 0)? {
            // SQLite's arithmetic has no infinity minus infinity.
            f64::INFINITY => Err(beyond("an infinite distance")),
            n if n >= 0.0 => Ok(Value::Real(n)),
            _ => Err(refused()),
        },
        // The start that precedes and the end that follows reach as far as whole units go, the others begin with the
        // next.
        Some(Type::NUMERIC) => match Numeric::parse(text(&args, 0)?)? {
            Numeric::Infinity if place.ends != place.preceding => Ok(Value::Real(f64::INFINITY)),
            Numeric::Infinity => Err(beyond("an infinite distance")),
            n if n.is_nan() || n.signum() < 0 => Err(refused()),
            n => match scaled(&n, place.decimals, place.ends == place.preceding)? {
                (Some(n), _) => Ok(Value::Int(n)),
                (None, _) => Err(beyond(&format!("a distance of {n}"))),
            },
        },
        Some(sorted) if sorted.is_datetime() || sorted == Type::INTERVAL => {
            let by = Interval::stored(text(&args, 0)?)?;
            // Of an offset of times only the time counts.
            let span = if sorted == Type::TIME { i128::from(by.micros) } else { by.span() };
            match i64::try_from(span) {
                _ if span < 0 => Err(refused()),
                _ if by.months != 0 && !matches!(sorted, Type::INTERVAL | Type::TIME) => Err(beyond("months")),
                Ok(span) => Ok(Value::Int(span)),
                Err(_) => Err(beyond("an interval of so many years")),
            }
        }
        _ => match int(&args, 0)? {
            n if n >= 0 => Ok(Value::Int(n)),
            _ => Err(refused()),
        },
    }
}
