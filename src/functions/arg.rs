//! Reading arguments and making results.

use crate::error::{SqlError, SqlResult, state};
use crate::value::{Value, ValueRef};

/// NaN's representation: SQLite has none of its own.
pub const NAN: &str = "NaN";

fn wrong(wanted: &str, found: ValueRef<'_>) -> SqlError {
    let found = match found {
        ValueRef::Null => "NULL",
        ValueRef::Int(_) => "an integer",
        ValueRef::Real(_) => "a real",
        ValueRef::Text(_) => "a text",
        ValueRef::Blob(_) => "a blob",
    };
    SqlError::internal(format!("a function was given {found} in place of {wanted}"))
}

/// An integer argument.
pub fn int(args: &[ValueRef<'_>], i: usize) -> SqlResult<i64> {
    match args[i] {
        ValueRef::Int(v) => Ok(v),
        other => Err(wrong("an integer", other)),
    }
}

/// A float argument; integers are taken, too, since SQLite stores whole reals as such in some places.
pub fn real(args: &[ValueRef<'_>], i: usize) -> SqlResult<f64> {
    match args[i] {
        ValueRef::Real(v) => Ok(v),
        ValueRef::Int(v) => Ok(v as f64),
        ValueRef::Text(NAN) => Ok(f64::NAN),
        other => Err(wrong("a real", other)),
    }
}

/// A text argument.
pub fn text<'a>(args: &[ValueRef<'a>], i: usize) -> SqlResult<&'a str> {
    match args[i] {
        ValueRef::Text(v) => Ok(v),
        other => Err(wrong("a text", other)),
    }
}

/// A bytes argument.
pub fn blob<'a>(args: &[ValueRef<'a>], i: usize) -> SqlResult<&'a [u8]> {
    match args[i] {
        ValueRef::Blob(v) => Ok(v),
        other => Err(wrong("a blob", other)),
    }
}

/// An argument that may be NULL or absent.
pub fn optional<'a, T>(
    args: &[ValueRef<'a>],
    i: usize,
    read: fn(&[ValueRef<'a>], usize) -> SqlResult<T>,
) -> SqlResult<Option<T>> {
    match args.get(i) {
        None | Some(ValueRef::Null) => Ok(None),
        Some(_) => read(args, i).map(Some),
    }
}

/// A float result.
pub fn from_real(v: f64) -> Value {
    if v.is_nan() { Value::Text(NAN.into()) } else { Value::Real(v) }
}

/// A boolean result.
pub fn from_bool(v: bool) -> Value {
    Value::Int(v.into())
}

/// A text result.
pub fn from_text(v: impl Into<String>) -> Value {
    Value::Text(v.into())
}

/// 22003 with the words Postgres uses for a type.
pub fn out_of_range(ty: &str) -> SqlError {
    SqlError::new(state::NUMERIC_VALUE_OUT_OF_RANGE, format!("{ty} out of range"))
}

/// 22012.
pub fn division_by_zero() -> SqlError {
    SqlError::new(state::DIVISION_BY_ZERO, "division by zero")
}

/// 22023.
pub fn invalid(message: impl Into<String>) -> SqlError {
    SqlError::new(state::INVALID_PARAMETER_VALUE, message)
}

/// 54000: a text longer than a value may be.
pub fn too_long() -> SqlError {
    SqlError::new(state::PROGRAM_LIMIT_EXCEEDED, "requested length too large")
}

/// The longest text or bytes that a function makes.
pub const MAX_BYTES: usize = 256 << 20;
