//! Enums: comparisons, and their labels where an array of them is looked at.
//!
//! A value is its place in the declared order (see `types::Own`), so SQLite's own comparison is right. The labels of a type
//! come with the call, as a JSON array of pairs of place and label: the binder knows them, and a statement is compiled
//! anew when they change. Single values are a CASE that `render` writes.

use super::arg::{blob, real, text};
use super::table::*;
use super::{Aggregate, Cast, Function, Native, Operator, Scalar};
use crate::error::{SqlError, SqlResult, state};
use crate::types::{Type, array};
use crate::value::{Value, ValueRef};

const ENUM: Type = Type::ANYENUM;

const fn comparison(name: &'static str, lower: &'static str) -> Operator {
    Operator { name, left: Some(ENUM), right: ENUM, result: BOOL, lower, native: Native::Plain }
}

pub const OPERATORS: &[Operator] = &[
    comparison("=", "({0} = {1})"),
    comparison("<>", "({0} <> {1})"),
    comparison("<", "({0} < {1})"),
    comparison("<=", "({0} <= {1})"),
    comparison(">", "({0} > {1})"),
    comparison(">=", "({0} >= {1})"),
];

/// `enum_range` and its kin are told the places of all labels behind their arguments (see `bind::labels`).
pub const FUNCTIONS: &[Function] = &[
    aggregate("min", &[ENUM], ENUM, "min({0})"),
    aggregate("max", &[ENUM], ENUM, "max({0})"),
    func("enum_first", &[ENUM], ENUM, "{1}").stable(),
    func("enum_last", &[ENUM], ENUM, "{1}").stable(),
    func("enum_range", &[ENUM], ANYARRAY, "{1}").stable(),
    func("enum_range", &[ENUM, ENUM], ANYARRAY, "q_enum_range({2}, {0}, {1})").stable(),
];

pub const CASTS: &[Cast] = &[];
pub const AGGREGATES: &[Aggregate] = &[];

pub const SCALARS: &[Scalar] = &[
    scalar("q_no_label", 2, |_, a| Err(no_label(text(a, 0)?, text(a, 1)?))),
    scalar("q_labels", 3, |_, a| labels(a)),
    scalar("q_of_labels", 3, |_, a| places(a)),
    scalar("q_enum_range", 3, |_, a| range(a)).lax(),
];

/// The error of a label that a type does not have.
pub fn no_label(ty: &str, label: &str) -> SqlError {
    SqlError::new(state::INVALID_TEXT_REPRESENTATION, format!("invalid input value for enum {ty}: \"{label}\""))
}

fn pairs(args: &[ValueRef<'_>]) -> SqlResult<Vec<(f64, String)>> {
    serde_json::from_str(text(args, 0)?).map_err(|e| SqlError::internal(format!("the labels of an enum: {e}")))
}

/// An array with its elements changed.
fn mapped(of: &[u8], elem: Type, mut f: impl FnMut(Value) -> SqlResult<Value>) -> SqlResult<Value> {
    let array = array::Array::read(of)?;
    let values = array.values()?;
    let mut items = Vec::with_capacity(values.len());
    for value in values {
        items.push(if value.is_null() { value } else { f(value)? });
    }
    array::build_with_dims(elem, &array.dims, &items).map(Value::Blob)
}

/// An array of places as an array of labels, of the element type that is given.
pub fn labels(args: &[ValueRef<'_>]) -> SqlResult<Value> {
    let pairs = pairs(args)?;
    let elem = Type(super::arg::int(args, 1)? as u32);
    mapped(blob(args, 2)?, elem, |value| {
        let place = real(&[value.as_ref()], 0)?;
        let found = pairs.iter().find(|(known, _)| *known == place);
        Ok(found.map_or(Value::Null, |(_, label)| Value::Text(label.clone())))
    })
}

/// An array of labels as an array of places.
fn places(args: &[ValueRef<'_>]) -> SqlResult<Value> {
    let (pairs, ty) = (pairs(args)?, text(args, 1)?);
    mapped(blob(args, 2)?, Type::FLOAT8, |value| {
        let label = text(&[value.as_ref()], 0)?.to_owned();
        let found = pairs.iter().find(|(_, known)| *known == label);
        found.map(|(place, _)| Value::Real(*place)).ok_or_else(|| no_label(ty, &label))
    })
}

/// The places from one to another; NULL leaves a side open.
fn range(args: &[ValueRef<'_>]) -> SqlResult<Value> {
    let side = |i: usize| if args[i].is_null() { Ok(None) } else { real(args, i).map(Some) };
    let (from, to) = (side(1)?, side(2)?);
    let all = array::Array::read(blob(args, 0)?)?.values()?;
    let inside = |value: &Value| match value {
        Value::Real(place) => from.is_none_or(|from| from <= *place) && to.is_none_or(|to| *place <= to),
        _ => false,
    };
    let items: Vec<Value> = all.into_iter().filter(inside).collect();
    array::build(Type::FLOAT8, &items).map(Value::Blob)
}
