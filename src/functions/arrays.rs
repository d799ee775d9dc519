//! Arrays: constructors, subscripts, ANY and ALL, set-like operators, conversions from and to text.
//!
//! An array is a BLOB in Postgres' binary format, so it goes over the wire as it is stored. Elements compare as their type
//! does: by the type's collation if it has one, otherwise in SQLite's own order. An int2vector or oidvector may also be the
//! TEXT of its numbers, as the catalog's tables keep it: every function here takes either.

use super::arg::{blob, from_bool, from_text, int, optional, text};
use super::table::*;
use super::{Accumulator, Aggregate, Cast, Collation, Context, Function, Native, Operator, Scalar};
use super::{casts, regex, text as texts};
use crate::error::state::NULL_VALUE_NOT_ALLOWED;
use crate::error::{SqlError, SqlResult, SqlState};
use crate::meter;
use crate::types::array as codec;
use crate::types::json::Json;
use crate::types::{NO_TYPMOD, Type};
use crate::value::{Value, ValueRef};
use std::cmp::Ordering;

pub const COLLATIONS: &[Collation] = &[];
pub const AGGREGATES: &[Aggregate] = &[
    accumulator("q_array_min", 1, || Box::new(Extreme { greatest: false, best: None })),
    accumulator("q_array_max", 1, || Box::new(Extreme { greatest: true, best: None })),
];

const AA: &[Type] = &[ANYARRAY, ANYARRAY];

pub const OPERATORS: &[Operator] = &[
    op("=", ANYARRAY, ANYARRAY, BOOL, "(q_array_key({0}) = q_array_key({1}))").native(Native::Plain),
    op("<>", ANYARRAY, ANYARRAY, BOOL, "(q_array_key({0}) <> q_array_key({1}))").native(Native::Plain),
    op("<", ANYARRAY, ANYARRAY, BOOL, "(q_array_key({0}) < q_array_key({1}))").native(Native::Plain),
    op("<=", ANYARRAY, ANYARRAY, BOOL, "(q_array_key({0}) <= q_array_key({1}))").native(Native::Plain),
    op(">", ANYARRAY, ANYARRAY, BOOL, "(q_array_key({0}) > q_array_key({1}))").native(Native::Plain),
    op(">=", ANYARRAY, ANYARRAY, BOOL, "(q_array_key({0}) >= q_array_key({1}))").native(Native::Plain),
    op("@>", ANYARRAY, ANYARRAY, BOOL, "q_array_contains({0}, {1})"),
    op("<@", ANYARRAY, ANYARRAY, BOOL, "q_array_contains({1}, {0})"),
    op("&&", ANYARRAY, ANYARRAY, BOOL, "q_array_overlaps({0}, {1})"),
    op("||", ANYCOMPATIBLEARRAY, ANYCOMPATIBLEARRAY, ANYCOMPATIBLEARRAY, "q_array_cat({0}, {1})"),
    op("||", ANYCOMPATIBLEARRAY, ANYCOMPATIBLE, ANYCOMPATIBLEARRAY, "q_array_append({1:type}, {0}, {1})"),
    op("||", ANYCOMPATIBLE, ANYCOMPATIBLEARRAY, ANYCOMPATIBLEARRAY, "q_array_prepend({0:type}, {0}, {1})"),
];

pub const FUNCTIONS: &[Function] = &[
    func("array_length", &[ANYARRAY, INT4], INT4, "q_array_length({0}, {1})"),
    func("array_lower", &[ANYARRAY, INT4], INT4, "q_array_lower({0}, {1})"),
    func("array_upper", &[ANYARRAY, INT4], INT4, "q_array_upper({0}, {1})"),
    func("array_ndims", &[ANYARRAY], INT4, "q_array_ndims({0})"),
    func("array_dims", &[ANYARRAY], TEXT, "q_array_dims({0})"),
    func("cardinality", &[ANYARRAY], INT4, "q_cardinality({0})"),
    func(
        "array_append",
        &[ANYCOMPATIBLEARRAY, ANYCOMPATIBLE],
        ANYCOMPATIBLEARRAY,
        "q_array_append({1:type}, {0}, {1})",
    ),
    func(
        "array_prepend",
        &[ANYCOMPATIBLE, ANYCOMPATIBLEARRAY],
        ANYCOMPATIBLEARRAY,
        "q_array_prepend({0:type}, {0}, {1})",
    ),
    func("array_cat", &[ANYCOMPATIBLEARRAY, ANYCOMPATIBLEARRAY], ANYCOMPATIBLEARRAY, "q_array_cat({0}, {1})"),
    func("array_position", &[ANYCOMPATIBLEARRAY, ANYCOMPATIBLE], INT4, "q_array_position({0}, {1}, NULL)"),
    func("array_position", &[ANYCOMPATIBLEARRAY, ANYCOMPATIBLE, INT4], INT4, "q_array_position({0}, {1}, {2})"),
    func("array_positions", &[ANYCOMPATIBLEARRAY, ANYCOMPATIBLE], Type::INT4_ARRAY, "q_array_positions({0}, {1})"),
    func("array_remove", &[ANYCOMPATIBLEARRAY, ANYCOMPATIBLE], ANYCOMPATIBLEARRAY, "q_array_remove({0}, {1})"),
    func(
        "array_replace",
        &[ANYCOMPATIBLEARRAY, ANYCOMPATIBLE, ANYCOMPATIBLE],
        ANYCOMPATIBLEARRAY,
        "q_array_replace({0}, {1}, {2})",
    ),
    func("array_to_string", &[ANYARRAY, TEXT], TEXT, "q_array_to_string({0}, {1}, NULL)").stable(),
    func("array_to_string", &[ANYARRAY, TEXT, TEXT], TEXT, "q_array_to_string({0}, {1}, {2})").stable(),
    func("string_to_array", &[TEXT, TEXT], TEXT_ARRAY, "q_string_to_array({0}, {1}, NULL)"),
    func("string_to_array", &[TEXT, TEXT, TEXT], TEXT_ARRAY, "q_string_to_array({0}, {1}, {2})"),
    func("array_fill", &[ANYELEMENT, Type::INT4_ARRAY], ANYARRAY, "q_array_fill({0:type}, {0}, {1})"),
    func(
        "array_fill",
        &[ANYELEMENT, Type::INT4_ARRAY, Type::INT4_ARRAY],
        ANYARRAY,
        "q_array_fill({0:type}, {0}, {1}, {2})",
    ),
    func("width_bucket", &[ANYCOMPATIBLE, ANYCOMPATIBLEARRAY], INT4, "q_array_bucket({0}, {1})"),
    func("trim_array", &[ANYARRAY, INT4], ANYARRAY, "q_trim_array({0}, {1})"),
    func("arraycontains", AA, BOOL, "q_array_contains({0}, {1})"),
    func("arrayoverlap", AA, BOOL, "q_array_overlaps({0}, {1})"),
    aggregate("min", &[ANYARRAY], ANYARRAY, "q_array_min({0})"),
    aggregate("max", &[ANYARRAY], ANYARRAY, "q_array_max({0})"),
    set("unnest", &[ANYARRAY], ANYELEMENT, "q_unnest({0})"),
    set("string_to_table", &[TEXT, TEXT], TEXT, "q_unnest(q_string_to_array({0}, {1}, NULL))"),
    set("string_to_table", &[TEXT, TEXT, TEXT], TEXT, "q_unnest(q_string_to_array({0}, {1}, {2}))"),
    set(
        "generate_subscripts",
        &[ANYARRAY, INT4],
        INT4,
        "q_generate_series(q_array_lower({0}, {1}), q_array_upper({0}, {1}), 1)",
    ),
    set(
        "generate_subscripts",
        &[ANYARRAY, INT4, BOOL],
        INT4,
        "q_generate_series(iif({2}, q_array_upper({0}, {1}), q_array_lower({0}, {1})), \
         iif({2}, q_array_lower({0}, {1}), q_array_upper({0}, {1})), iif({2}, -1, 1))",
    ),
];

pub const CASTS: &[Cast] = &[
    implicit(INT2VECTOR, Type::INT2_ARRAY, "q_vector({0}, 21)"),
    implicit(OIDVECTOR, Type::OID_ARRAY, "q_vector({0}, 26)"),
];

/// Comparison between a value and each element, in `value op ANY (array)` and `value op ALL (array)`.
#[derive(Clone, Copy)]
enum Test {
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
    Like,
    NotLike,
    Ilike,
    NotIlike,
    Regex,
    NotRegex,
    Iregex,
    NotIregex,
}

macro_rules! quantified {
    ($($operator:literal $name:literal $test:ident;)*) => {
        /// ANY and ALL.
        pub const QUANTIFIED: &[Scalar] = &[
            $(
                scalar(concat!("q_any_", $name), 2, |_, a| quantify(a, Test::$test, true)).lax(),
                scalar(concat!("q_all_", $name), 2, |_, a| quantify(a, Test::$test, false)).lax(),
            )*
        ];
        /// What `value operator ANY (array)` calls, as (ANY, ALL): `q_any_eq(value, array)`.
        pub fn quantified(operator: &str) -> Option<(&'static str, &'static str)> {
            match operator {
                $($operator => Some((concat!("q_any_", $name), concat!("q_all_", $name))),)*
                _ => None,
            }
        }
    };
}
quantified! {
    "=" "eq" Eq; "<>" "ne" Ne; "<" "lt" Lt; "<=" "le" Le; ">" "gt" Gt; ">=" "ge" Ge;
    "~~" "like" Like; "!~~" "nlike" NotLike; "~~*" "ilike" Ilike; "!~~*" "nilike" NotIlike;
    "~" "regex" Regex; "!~" "nregex" NotRegex; "~*" "iregex" Iregex; "!~*" "niregex" NotIregex;
}

pub const SCALARS: &[Scalar] = &[
    // How many elements are NULL (1), or are not (0).
    scalar("q_count_nulls", 2, |_, a| {
        let nulls = int(a, 1)? == 1;
        Ok(Value::Int(codec::Array::read(blob(a, 0)?)?.iter().filter(|item| item.is_none() == nulls).count() as i64))
    }),
    scalar("q_array", -1, |_, a| {
        make(Type(int(a, 0)? as u32), a[1..].iter().copied().map(ValueRef::to_owned).collect())
    })
    .lax(),
    scalar("q_array_nest", -1, |_, a| nest(Type(int(a, 0)? as u32), &a[1..])).lax(),
    scalar("q_array_to", 3, |_, a| array_to(a)),
    scalar("q_array_cast", 4, |ctx, a| array_cast(ctx, a, false)).contextual(),
    scalar("q_array_cut", 4, |ctx, a| array_cast(ctx, a, true)).contextual(),
    // Between elements whose text is always the same: an index may have these.
    scalar("q_array_cast_steadily", 4, |ctx, a| array_cast(ctx, a, false)),
    scalar("q_array_cut_steadily", 4, |ctx, a| array_cast(ctx, a, true)),
    scalar("q_vector", 2, |_, a| {
        let elem = Type(int(a, 1)? as u32);
        close(&Array { elem, ..open(a, 0)? })
    }),
    scalar("q_array_cmp", 2, |_, a| Ok(Value::Int(compare(&open(a, 0)?, &open(a, 1)?) as i64))),
    // What values of given types are told apart by: (type, value, …).
    scalar("q_key", -1, |_, a| {
        let mut out = Vec::new();
        for pair in a.chunks_exact(2) {
            out.push(u8::from(!pair[1].is_null()));
            push_key(Type(int(pair, 0)? as u32), &pair[1].to_owned(), &mut out)?;
        }
        Ok(Value::Blob(out))
    })
    .lax(),
    scalar("q_array_key", 1, |_, a| key_of(&open(a, 0)?).map(Value::Blob)),
    scalar("q_array_contains", 2, |_, a| {
        let (outer, inner) = (open(a, 0)?, open(a, 1)?);
        for v in &inner.items {
            if v.is_null() || !member(&outer, v)? {
                return Ok(from_bool(false));
            }
        }
        Ok(from_bool(true))
    }),
    scalar("q_array_overlaps", 2, |_, a| {
        let (left, right) = (open(a, 0)?, open(a, 1)?);
        for v in right.items.iter().filter(|v| !v.is_null()) {
            if member(&left, v)? {
                return Ok(from_bool(true));
            }
        }
        Ok(from_bool(false))
    }),
    scalar("q_array_cat", 2, cat).lax(),
    scalar("q_array_append", 3, |_, a| extend(a, 1, 2)).lax(),
    scalar("q_array_prepend", 3, |_, a| extend(a, 2, 1)).lax(),
    scalar("q_array_length", 2, |_, a| dimension(a, |d| d.len)),
    scalar("q_array_lower", 2, |_, a| dimension(a, |d| d.lower)),
    scalar("q_array_upper", 2, |_, a| dimension(a, |d| d.lower + d.len - 1)),
    scalar("q_array_ndims", 1, |_, a| {
        let dims = open(a, 0)?.dims.len();
        Ok(if dims == 0 { Value::Null } else { Value::Int(dims as i64) })
    }),
    scalar("q_array_dims", 1, dims_text),
    scalar("q_cardinality", 1, |_, a| Ok(Value::Int(open(a, 0)?.items.len() as i64))),
    scalar("q_array_position", 3, position).lax(),
    scalar("q_array_positions", 2, positions).lax(),
    scalar("q_array_remove", 2, remove).lax(),
    scalar("q_array_replace", 3, replace).lax(),
    scalar("q_array_to_string", 3, to_string).lax().contextual(),
    scalar("q_format_of", 2, format_of).lax().contextual(),
    scalar("q_string_to_array", 3, from_string).lax(),
    scalar("q_trim_array", 2, trim),
    scalar("q_array_bucket", 2, bucket),
    scalar("q_array_fill", 3, fill).lax(),
    scalar("q_array_fill", 4, fill).lax(),
    scalar("q_subscript", -1, subscript),
    scalar("q_slice", -1, slice).lax(),
    // Logs and definitions of before have them of one dimension, without what says which bounds were written.
    scalar("q_slice", 3, slice_of_rows).lax(),
    scalar("q_array_assign_slice", 5, assign_rows).lax(),
    scalar("q_array_assign", -1, assign).lax(),
    scalar("q_array_assign_slice", -1, assign_slice).lax(),
];

const SUBSCRIPT_ERROR: SqlState = crate::error::state::ARRAY_SUBSCRIPT_ERROR;

/// An array taken apart.
struct Array {
    elem: Type,
    dims: Vec<Dim>,
    /// Row by row.
    items: Vec<Value>,
}

#[derive(Clone, Copy, PartialEq)]
struct Dim {
    len: i32,
    lower: i32,
}

impl Array {
    fn decode(bytes: &[u8]) -> SqlResult<Array> {
        let array = codec::Array::read(bytes)?;
        let dims = array.dims.iter().map(|(len, lower)| Dim { len: *len, lower: *lower }).collect();
        Ok(Array { elem: array.elem, dims, items: array.values()? })
    }
}

fn open(args: &[ValueRef<'_>], i: usize) -> SqlResult<Array> {
    match args[i] {
        ValueRef::Text(numbers) => vector(numbers),
        _ => Array::decode(blob(args, i)?),
    }
}

/// The text of an int2vector or oidvector: numbers between blanks, counted from 0.
fn vector(numbers: &str) -> SqlResult<Array> {
    let number = |n: &str| {
        n.parse::<i64>().map(Value::Int).map_err(|_| SqlError::internal(format!("not a vector: \"{numbers}\"")))
    };
    let mut items = Vec::new();
    for n in numbers.split_ascii_whitespace() {
        codec::keep(&mut items, number(n)?)?;
    }
    let dims = if items.is_empty() { vec![] } else { vec![Dim { len: items.len() as i32, lower: 0 }] };
    Ok(Array { elem: Type::INT8, dims, items })
}

fn close(array: &Array) -> SqlResult<Value> {
    let dims: Vec<(i32, i32)> = array.dims.iter().map(|d| (d.len, d.lower)).collect();
    codec::build_with_dims(array.elem, &dims, &array.items).map(Value::Blob)
}

/// An array of one dimension, or the empty array.
pub(super) fn make(elem: Type, items: Vec<Value>) -> SqlResult<Value> {
    close(&flat(elem, items))
}

fn flat(elem: Type, items: Vec<Value>) -> Array {
    let dims = if items.is_empty() { vec![] } else { vec![Dim { len: items.len() as i32, lower: 1 }] };
    Array { elem, dims, items }
}

/// A text[] of one dimension.
pub(super) fn text_array<'a>(items: impl Iterator<Item = Option<&'a str>>) -> SqlResult<Value> {
    let mut texts = Vec::new();
    for item in items {
        codec::keep(&mut texts, item.map_or(Value::Null, from_text))?;
    }
    make(Type::TEXT, texts)
}

/// An array of a dimension more, of arrays that are all of one shape.
pub(super) fn nest(elem: Type, parts: &[ValueRef<'_>]) -> SqlResult<Value> {
    joined(elem, parts, "multidimensional arrays must have array expressions with matching dimensions")
}

/// The same as an aggregate, which wants no empty ones.
pub(super) fn gather(elem: Type, parts: &[ValueRef<'_>]) -> SqlResult<Value> {
    for i in 0..parts.len() {
        if open(parts, i)?.dims.is_empty() {
            return Err(SqlError::new(SUBSCRIPT_ERROR, "cannot accumulate empty arrays"));
        }
    }
    joined(elem, parts, "cannot accumulate arrays of different dimensionality")
}

fn joined(elem: Type, parts: &[ValueRef<'_>], mismatch: &str) -> SqlResult<Value> {
    let mut whole: Option<Array> = None;
    for i in 0..parts.len() {
        let part = if parts[i].is_null() { flat(elem, vec![]) } else { open(parts, i)? };
        match &mut whole {
            None => whole = Some(part),
            Some(whole) if whole.dims == part.dims => whole.items.extend(part.items),
            Some(_) => return Err(SqlError::new(SUBSCRIPT_ERROR, mismatch)),
        }
    }
    let mut whole = whole.unwrap_or_else(|| flat(elem, vec![]));
    if !whole.items.is_empty() {
        whole.dims.insert(0, Dim { len: parts.len() as i32, lower: 1 });
    }
    close(&whole)
}

/// Values to make an array of, copied.
pub(super) fn copied<'a>(mut items: impl Iterator<Item = &'a Value>) -> SqlResult<Vec<Value>> {
    let mut copies = Vec::new();
    items.try_for_each(|item| codec::keep(&mut copies, item.clone()))?;
    Ok(copies)
}

/// An array of the same shape of what `f` makes of each element.
pub(super) fn mapped(array: &Value, elem: Type, f: impl Fn(&Value) -> SqlResult<Value>) -> SqlResult<Value> {
    let Array { dims, items, .. } = open(&[array.as_ref()], 0)?;
    close(&Array { elem, dims, items: items.iter().map(f).collect::<SqlResult<_>>()? })
}

/// The elements of an array, in storage order.
pub(super) fn elements(args: &[ValueRef<'_>], i: usize) -> SqlResult<Vec<Value>> {
    Ok(open(args, i)?.items)
}

/// Whether the cast between two types computes something that their texts do not tell.
pub fn converts(from: Type, to: Type) -> bool {
    let number = matches!(from, Type::NUMERIC | Type::FLOAT4 | Type::FLOAT8);
    number && matches!(to, Type::INT2 | Type::INT4 | Type::INT8)
        || matches!((from, to), (Type::BOOL, Type::INT4) | (Type::INT4, Type::BOOL))
}

/// (from element type, to element type, array): element by element, of types that [`converts`] names.
fn array_to(args: &[ValueRef<'_>]) -> SqlResult<Value> {
    let (from, to) = (Type(int(args, 0)? as u32), Type(int(args, 1)? as u32));
    let mut array = open(args, 2)?;
    array.elem = to;
    let width = match to {
        Type::INT2 => 2,
        Type::INT4 => 4,
        _ => 8,
    };
    for item in array.items.iter_mut().filter(|v| !v.is_null()) {
        let given = [item.as_ref(), ValueRef::Int(width)];
        *item = match (from, &*item) {
            (Type::NUMERIC, _) => super::numeric::to_int(&given)?,
            (Type::INT4, Value::Int(n)) => Value::Int((*n != 0).into()),
            (Type::BOOL, _) => continue,
            _ => super::floats::to_int(&given)?,
        };
    }
    close(&array)
}

/// (from element type, to element type, modifier, array): retyped where both are stored alike, otherwise through text.
fn array_cast(ctx: &mut Context, args: &[ValueRef<'_>], cut: bool) -> SqlResult<Value> {
    let (from, to, typmod) = (Type(int(args, 0)? as u32), Type(int(args, 1)? as u32), int(args, 2)? as i32);
    let mut array = open(args, 3)?;
    let unbounded = matches!(to, Type::TEXT | Type::INT8) || typmod == NO_TYPMOD && to == Type::VARCHAR;
    let string = |ty| matches!(ty, Type::TEXT | Type::CITEXT | Type::VARCHAR | Type::NAME | Type::BPCHAR);
    let alike = from == to && typmod == NO_TYPMOD
        || unbounded && (from.is_integer() && to.is_integer() || string(from) && string(to));
    array.elem = to;
    if !alike {
        for item in array.items.iter_mut().filter(|v| !v.is_null()) {
            let shown = match (from, &*item) {
                // A boolean's text is longer than what it is shown as.
                (Type::BOOL, Value::Int(truth)) if string(to) => (*truth != 0).to_string(),
                _ => casts::to_text(from, NO_TYPMOD, item.as_ref(), &ctx.env)?,
            };
            let shown = match to {
                Type::VARCHAR if cut => crate::types::text::varchar(&shown, typmod, true)?.to_owned(),
                Type::BPCHAR if cut => crate::types::text::bpchar(&shown, typmod, true)?.to_owned(),
                Type::BIT | Type::VARBIT if cut => {
                    let bits = crate::types::bits::parse(&shown)?;
                    crate::types::bits::fit(to, typmod, &bits, true)?.into_owned()
                }
                _ => shown,
            };
            let value = crate::types::text::parse_text_at(to, typmod, &shown, &ctx.env, Some(ctx.now))?;
            *item = codec::element(to, typmod, value);
        }
    }
    close(&array)
}

/// Order of two values of a type that are not NULL.
pub(super) fn order(ty: Type, a: &Value, b: &Value) -> Ordering {
    match (ty.collation(), a, b) {
        (_, Value::Text(a), Value::Text(b)) if ty == Type::BPCHAR => {
            a.trim_end_matches(' ').cmp(b.trim_end_matches(' '))
        }
        (Some(name), Value::Text(a), Value::Text(b)) => {
            super::collations().find(|c| c.name == name).map_or_else(|| a.cmp(b), |c| (c.compare)(a, b))
        }
        (_, Value::Blob(x), Value::Blob(y)) if ty.is_array() => match (Array::decode(x), Array::decode(y)) {
            (Ok(x), Ok(y)) => compare(&x, &y),
            _ => x.cmp(y),
        },
        (_, Value::Blob(x), Value::Blob(y)) if ty == Type::RECORD => {
            super::records::compare(x, y).unwrap_or_else(|_| x.cmp(y))
        }
        _ => super::system::compare(a.as_ref(), b.as_ref()),
    }
}

/// Bytes in the order of the arrays that they are made of, and equal where those are.
fn key_of(array: &Array) -> SqlResult<Vec<u8>> {
    let mut out = Vec::with_capacity(array.items.len() * 10 + 8);
    for item in &array.items {
        meter::work(4)?;
        match item.is_null() {
            true => out.push(2),
            false => {
                out.push(1);
                push_key(array.elem, item, &mut out)?;
            }
        }
    }
    out.extend([0, array.dims.len() as u8]);
    let signed = |n: i32| (n as u32 ^ 0x8000_0000).to_be_bytes();
    array.dims.iter().for_each(|dim| out.extend([signed(dim.len), signed(dim.lower)].concat()));
    meter::hold(out.len())?;
    Ok(out)
}

/// Bytes of a value, none of which is the beginning of another's.
pub(super) fn push_key(ty: Type, value: &Value, out: &mut Vec<u8>) -> SqlResult<()> {
    match value {
        Value::Null => out.push(0),
        Value::Int(n) if !matches!(ty, Type::FLOAT4 | Type::FLOAT8) => {
            out.extend((*n as u64 ^ 1 << 63).to_be_bytes());
        }
        Value::Int(n) => push_real(*n as f64, out),
        Value::Real(r) => push_real(*r, out),
        Value::Text(text) if matches!(ty, Type::FLOAT4 | Type::FLOAT8) => {
            push_real(text.parse().unwrap_or(f64::NAN), out);
        }
        Value::Text(text) => match ty {
            Type::NUMERIC => crate::types::numeric::push_key(text, out),
            Type::INTERVAL => {
                let span = crate::types::interval::Interval::stored(text)?.span();
                out.extend((span as u128 ^ 1 << 127).to_be_bytes());
            }
            Type::TIMETZ => {
                let time = crate::types::datetime::TimeTz::stored(text)?;
                let utc = time.micros.wrapping_sub(i64::from(time.offset) * 1_000_000);
                out.extend((utc as u64 ^ 1 << 63).to_be_bytes());
                out.extend((-i64::from(time.offset) as u64 ^ 1 << 63).to_be_bytes());
            }
            Type::JSONB => push_json_key(&crate::types::json::parse(text)?, true, out),
            _ => {
                let folded;
                let text = match ty {
                    Type::BPCHAR => text.trim_end_matches(' '),
                    Type::CITEXT => {
                        folded = super::text::lower(text);
                        &folded
                    }
                    _ => text,
                };
                out.extend(text.as_bytes());
                out.push(0);
            }
        },
        Value::Blob(bytes) if ty.is_array() => out.extend(key_of(&Array::decode(bytes)?)?),
        Value::Blob(bytes) if ty == Type::RECORD => out.extend(super::records::key_of(bytes)?),
        Value::Blob(bytes) => {
            for byte in bytes {
                out.push(*byte);
                if *byte == 0 {
                    out.push(1);
                }
            }
            out.extend([0, 0]);
        }
    }
    Ok(())
}

/// NaN is the greatest, and zero has one form.
fn push_real(r: f64, out: &mut Vec<u8>) {
    let bits = if r.is_nan() { f64::NAN.to_bits() & !(1 << 63) } else { (r + 0.0).to_bits() };
    let ordered = if bits >> 63 == 1 { !bits } else { bits | 1 << 63 };
    out.extend(ordered.to_be_bytes());
}

fn push_json_key(json: &Json, whole: bool, out: &mut Vec<u8>) {
    match json {
        Json::Null => out.push(1),
        Json::String(text) => {
            out.push(2);
            out.extend(text.as_bytes());
            out.push(0);
        }
        Json::Time(time) => {
            out.push(2);
            out.extend(time.to_text().as_bytes());
            out.push(0);
        }
        Json::Number(text) => {
            out.push(3);
            crate::types::numeric::push_key(text, out);
        }
        Json::Bool(value) => out.extend([4, u8::from(*value)]),
        // Before all scalars.
        Json::Array(items) if whole && items.is_empty() => out.push(0),
        Json::Array(items) => {
            out.push(5);
            out.extend((items.len() as u32).to_be_bytes());
            items.iter().for_each(|item| push_json_key(item, false, out));
        }
        Json::Object(members) => {
            out.push(6);
            out.extend((members.len() as u32).to_be_bytes());
            for (name, value) in members {
                out.extend(name.as_bytes());
                out.push(0);
                push_json_key(value, false, out);
            }
        }
    }
}

/// min and max of arrays.
struct Extreme {
    greatest: bool,
    /// Its key, and the array.
    best: Option<(Vec<u8>, Value)>,
}

impl Accumulator for Extreme {
    fn step(&mut self, _: &mut Context, args: &[ValueRef<'_>]) -> SqlResult<()> {
        if args[0].is_null() {
            return Ok(());
        }
        let key = key_of(&open(args, 0)?)?;
        let better = self.best.as_ref().is_none_or(|(best, _)| if self.greatest { key > *best } else { key < *best });
        if better {
            self.best = Some((key, args[0].to_owned()));
        }
        Ok(())
    }
    fn inverse(&mut self, _: &mut Context, _: &[ValueRef<'_>]) -> SqlResult<()> {
        Err(SqlError::unsupported("min and max of arrays over a frame that moves"))
    }
    fn value(&mut self, _: &mut Context) -> SqlResult<Value> {
        Ok(self.best.as_ref().map_or(Value::Null, |(_, value)| value.clone()))
    }
}

/// Arrays by their elements, then by their number, then by their shape; NULL elements are equal and come last.
fn compare(a: &Array, b: &Array) -> Ordering {
    let one = |(x, y): (&Value, &Value)| match (x.is_null(), y.is_null()) {
        (true, true) => Ordering::Equal,
        (true, false) => Ordering::Greater,
        (false, true) => Ordering::Less,
        _ => order(a.elem, x, y),
    };
    let elements = a.items.iter().zip(&b.items).map(one).find(|o| o.is_ne()).unwrap_or(Ordering::Equal);
    let shape = |array: &Array| array.dims.iter().map(|d| (d.len, d.lower)).collect::<Vec<_>>();
    elements
        .then_with(|| a.items.len().cmp(&b.items.len()))
        .then_with(|| a.dims.len().cmp(&b.dims.len()))
        .then_with(|| shape(a).cmp(&shape(b)))
}

fn member(array: &Array, value: &Value) -> SqlResult<bool> {
    meter::work(array.items.len())?;
    Ok(array.items.iter().any(|v| !v.is_null() && order(array.elem, v, value).is_eq()))
}

/// Equality that finds NULL equal to NULL, as array_position and its kin do.
fn same(elem: Type, a: &Value, b: &Value) -> bool {
    match (a.is_null(), b.is_null()) {
        (false, false) => order(elem, a, b).is_eq(),
        (a, b) => a == b,
    }
}

/// Three-valued: ANY is true if one test is, ALL is false if one is; otherwise a NULL makes it NULL.
fn quantify(args: &[ValueRef<'_>], test: Test, any: bool) -> SqlResult<Value> {
    if args[1].is_null() {
        return Ok(Value::Null);
    }
    let array = open(args, 1)?;
    let value = args[0].to_owned();
    let mut unknown = false;
    for item in &array.items {
        meter::work(8)?;
        if value.is_null() || item.is_null() {
            unknown = true;
        } else if holds(array.elem, test, &value, item)? == any {
            return Ok(from_bool(any));
        }
    }
    Ok(if unknown { Value::Null } else { from_bool(!any) })
}

fn holds(elem: Type, test: Test, value: &Value, item: &Value) -> SqlResult<bool> {
    let ordering = || order(elem, value, item);
    let pattern = |name: &str| -> SqlResult<bool> {
        let args = [value.as_ref(), item.as_ref()];
        match name {
            "like" => texts::like(text(&args, 0)?, text(&args, 1)?),
            "ilike" => texts::like(&texts::lower(text(&args, 0)?), &texts::lower(text(&args, 1)?)),
            name => regex::is_match(&args, name == "iregex"),
        }
    };
    match test {
        Test::Eq => Ok(ordering().is_eq()),
        Test::Ne => Ok(ordering().is_ne()),
        Test::Lt => Ok(ordering().is_lt()),
        Test::Le => Ok(ordering().is_le()),
        Test::Gt => Ok(ordering().is_gt()),
        Test::Ge => Ok(ordering().is_ge()),
        Test::Like => pattern("like"),
        Test::NotLike => pattern("like").map(|b| !b),
        Test::Ilike => pattern("ilike"),
        Test::NotIlike => pattern("ilike").map(|b| !b),
        Test::Regex => pattern("regex"),
        Test::NotRegex => pattern("regex").map(|b| !b),
        Test::Iregex => pattern("iregex"),
        Test::NotIregex => pattern("iregex").map(|b| !b),
    }
}

fn incompatible() -> SqlError {
    SqlError::new(SUBSCRIPT_ERROR, "cannot concatenate incompatible arrays")
}

/// Arrays of one shape below the first dimension one after the other; an array of a dimension less goes as one element.
fn cat(_: &mut Context, args: &[ValueRef<'_>]) -> SqlResult<Value> {
    if args[0].is_null() || args[1].is_null() {
        let other = if args[0].is_null() { args[1] } else { args[0] };
        return Ok(other.to_owned());
    }
    let (mut a, mut b) = (open(args, 0)?, open(args, 1)?);
    if a.dims.is_empty() || b.dims.is_empty() {
        return close(if a.dims.is_empty() { &b } else { &a });
    }
    // Below the first dimension the bounds have to be the same, too.
    let same = |a: &[Dim], b: &[Dim]| a.iter().map(|d| (d.len, d.lower)).eq(b.iter().map(|d| (d.len, d.lower)));
    let as_element = |array: &mut Array| array.dims.insert(0, Dim { len: 1, lower: 1 });
    let nested = a.dims.len() as i64 - b.dims.len() as i64;
    match nested {
        0 => {}
        1 => as_element(&mut b),
        -1 => as_element(&mut a),
        _ => return Err(incompatible()),
    }
    if !same(&a.dims[1..], &b.dims[1..]) {
        let what = if nested == 0 { "element dimensions" } else { "dimensions" };
        let text = format!("Arrays with differing {what} are not compatible for concatenation.");
        return Err(incompatible().detail(text));
    }
    a.dims[0].len += b.dims[0].len;
    a.items.append(&mut b.items);
    close(&a)
}

/// (element type, …): an element before or after an array; the array's index among the arguments says which.
fn extend(args: &[ValueRef<'_>], array: usize, element: usize) -> SqlResult<Value> {
    let elem = Type(int(args, 0)? as u32);
    let mut whole = if args[array].is_null() { flat(elem, vec![]) } else { open(args, array)? };
    match whole.dims.as_mut_slice() {
        [] => whole.dims.push(Dim { len: 1, lower: 1 }),
        [only] => only.len += 1,
        _ => return Err(SqlError::new(SqlState::new("22000"), "argument must be empty or one-dimensional array")),
    }
    let at = if element > array { whole.items.len() } else { 0 };
    whole.items.insert(at, args[element].to_owned());
    close(&whole)
}

fn dimension(args: &[ValueRef<'_>], read: fn(&Dim) -> i32) -> SqlResult<Value> {
    let n = usize::try_from(int(args, 1)?).unwrap_or(0);
    let array = open(args, 0)?;
    Ok(n.checked_sub(1).and_then(|i| array.dims.get(i)).map_or(Value::Null, |d| Value::Int(read(d).into())))
}

fn dims_text(_: &mut Context, args: &[ValueRef<'_>]) -> SqlResult<Value> {
    let array = open(args, 0)?;
    let one = |d: &Dim| format!("[{}:{}]", d.lower, d.lower + d.len - 1);
    Ok(if array.dims.is_empty() { Value::Null } else { Value::Text(array.dims.iter().map(one).collect()) })
}

fn one_dimensional(array: &Array, what: &str) -> SqlResult<i64> {
    match array.dims.as_slice() {
        [] => Ok(1),
        [d] => Ok(d.lower.into()),
        _ => Err(SqlError::unsupported(format!("{what} multidimensional arrays"))),
    }
}

/// (array, element, start)
fn position(_: &mut Context, args: &[ValueRef<'_>]) -> SqlResult<Value> {
    if args[0].is_null() {
        return Ok(Value::Null);
    }
    let (array, wanted) = (open(args, 0)?, args[1].to_owned());
    let lower = one_dimensional(&array, "searching for elements in")?;
    let skip = usize::try_from(optional(args, 2, int)?.unwrap_or(lower) - lower).unwrap_or(0);
    let found = array.items.iter().skip(skip).position(|v| same(array.elem, v, &wanted));
    Ok(found.map_or(Value::Null, |i| Value::Int(lower + (skip + i) as i64)))
}

fn positions(_: &mut Context, args: &[ValueRef<'_>]) -> SqlResult<Value> {
    if args[0].is_null() {
        return Ok(Value::Null);
    }
    let (array, wanted) = (open(args, 0)?, args[1].to_owned());
    let lower = one_dimensional(&array, "searching for elements in")?;
    let found = array.items.iter().enumerate().filter(|(_, v)| same(array.elem, v, &wanted));
    make(Type::INT4, found.map(|(i, _)| Value::Int(lower + i as i64)).collect())
}

/// `width_bucket`: how many of the thresholds, which are sorted, a value has reached.
fn bucket(_: &mut Context, args: &[ValueRef<'_>]) -> SqlResult<Value> {
    let (value, thresholds) = (args[0].to_owned(), open(args, 1)?);
    if thresholds.dims.len() > 1 {
        return Err(SqlError::new(SUBSCRIPT_ERROR, "thresholds must be one-dimensional array"));
    }
    if thresholds.items.iter().any(Value::is_null) {
        return Err(SqlError::new(NULL_VALUE_NOT_ALLOWED, "thresholds array must not contain NULLs"));
    }
    let reached = thresholds.items.partition_point(|at| order(thresholds.elem, at, &value).is_le());
    Ok(Value::Int(reached as i64))
}

fn remove(_: &mut Context, args: &[ValueRef<'_>]) -> SqlResult<Value> {
    if args[0].is_null() {
        return Ok(Value::Null);
    }
    let (array, unwanted) = (open(args, 0)?, args[1].to_owned());
    let lower = one_dimensional(&array, "removing elements from")?;
    let elem = array.elem;
    let mut kept = flat(elem, array.items.into_iter().filter(|v| !same(elem, v, &unwanted)).collect());
    kept.dims.iter_mut().for_each(|d| d.lower = lower as i32);
    close(&kept)
}

fn replace(_: &mut Context, args: &[ValueRef<'_>]) -> SqlResult<Value> {
    if args[0].is_null() {
        return Ok(Value::Null);
    }
    let (mut array, old, new) = (open(args, 0)?, args[1].to_owned(), args[2].to_owned());
    let elem = array.elem;
    array.items.iter_mut().filter(|v| same(elem, v, &old)).for_each(|v| *v = new.clone());
    close(&array)
}

/// (array, separator, text for NULLs): without the last, NULLs are left out.
fn to_string(ctx: &mut Context, args: &[ValueRef<'_>]) -> SqlResult<Value> {
    if args[0].is_null() || args[1].is_null() {
        return Ok(Value::Null);
    }
    let (array, separator, null) = (open(args, 0)?, text(args, 1)?, optional(args, 2, text)?);
    let mut parts = Vec::new();
    for item in &array.items {
        let part = match (item.is_null(), null) {
            (false, _) => casts::to_text(array.elem, NO_TYPMOD, item.as_ref(), &ctx.env)?,
            (true, Some(null)) => null.to_owned(),
            (true, None) => continue,
        };
        meter::work(8)?;
        // In its part, and in the whole.
        meter::hold(2 * part.len() + separator.len() + 2 * size_of::<String>())?;
        parts.push(part);
    }
    Ok(Value::Text(parts.join(separator)))
}

/// `format` with the elements of an array; of none, if the array is NULL.
fn format_of(ctx: &mut Context, args: &[ValueRef<'_>]) -> SqlResult<Value> {
    let mut values = vec![args[0].to_owned()];
    if let Some(array) = optional(args, 1, open)? {
        for item in &array.items {
            meter::work(8)?;
            values.push(match item {
                Value::Null => Value::Null,
                item => Value::Text(casts::to_text(array.elem, NO_TYPMOD, item.as_ref(), &ctx.env)?),
            });
        }
    }
    texts::format(&values.iter().map(Value::as_ref).collect::<Vec<_>>())
}

/// (text, separator, text for NULLs): a NULL separator splits into characters.
fn from_string(_: &mut Context, args: &[ValueRef<'_>]) -> SqlResult<Value> {
    let Some(s) = optional(args, 0, text)? else { return Ok(Value::Null) };
    let null = optional(args, 2, text)?;
    let parts: Box<dyn Iterator<Item = &str>> = match optional(args, 1, text)? {
        _ if s.is_empty() => Box::new(std::iter::empty()),
        None => Box::new(s.char_indices().map(|(i, c)| &s[i..i + c.len_utf8()])),
        Some("") => Box::new(std::iter::once(s)),
        Some(separator) => Box::new(s.split(separator)),
    };
    text_array(parts.map(|p| (Some(p) != null).then_some(p)))
}

fn trim(_: &mut Context, args: &[ValueRef<'_>]) -> SqlResult<Value> {
    let (mut array, n) = (open(args, 0)?, int(args, 1)?);
    let rows = array.dims.first().map_or(0, |d| d.len as usize);
    let Some(kept) = usize::try_from(n).ok().and_then(|n| rows.checked_sub(n)) else {
        return Err(SqlError::new(SUBSCRIPT_ERROR, format!("number of elements to trim must be between 0 and {rows}")));
    };
    if kept == 0 {
        return make(array.elem, vec![]);
    }
    array.items.truncate(array.items.len() / rows * kept);
    array.dims[0].len = kept as i32;
    array.dims.iter_mut().for_each(|dim| dim.lower = 1);
    close(&array)
}

/// (element type, value, lengths[, lower bounds]): an array of the same value everywhere.
fn fill(_: &mut Context, args: &[ValueRef<'_>]) -> SqlResult<Value> {
    let none = |what: &str| SqlError::new(NULL_VALUE_NOT_ALLOWED, format!("{what} cannot be null"));
    let numbers = |i: usize, what: &str| {
        if args[i].is_null() {
            return Err(none("dimension array or low bound array"));
        }
        let array = open(args, i)?;
        if array.dims.len() > 1 {
            let text = format!("{what} array must be one dimensional.");
            return Err(SqlError::new(SUBSCRIPT_ERROR, "wrong number of array subscripts").detail(text));
        }
        let number = |item: &Value| match item {
            Value::Int(n) => Ok(*n as i32),
            _ => Err(none("dimension values")),
        };
        array.items.iter().map(number).collect::<SqlResult<Vec<i32>>>()
    };
    let lengths = numbers(2, "Dimension")?;
    let lowers = if args.len() > 3 { numbers(3, "Low bound")? } else { vec![1; lengths.len()] };
    if lowers.len() != lengths.len() {
        let text = "Low bound array has different size than dimensions array.";
        return Err(SqlError::new(SUBSCRIPT_ERROR, "wrong number of array subscripts").detail(text));
    }
    let count = codec::checked_count(&lengths)?;
    let elem = Type(int(args, 0)? as u32);
    if count == 0 {
        return make(elem, vec![]);
    }
    let mut items = Vec::new();
    for _ in 0..count {
        codec::keep(&mut items, args[1].to_owned())?;
    }
    let dims = lengths.iter().zip(&lowers).map(|(len, lower)| Dim { len: *len, lower: *lower }).collect();
    close(&Array { elem, dims, items })
}

/// (array, i, j, …): the element, or NULL where there is none or the number of subscripts differs from that of dimensions.
fn subscript(_: &mut Context, args: &[ValueRef<'_>]) -> SqlResult<Value> {
    let subscripts = (1..args.len()).map(|i| int(args, i)).collect::<SqlResult<Vec<i64>>>()?;
    match args[0] {
        ValueRef::Text(numbers) => {
            let Value::Blob(bytes) = close(&vector(numbers)?)? else { return Ok(Value::Null) };
            codec::Array::read(&bytes)?.get(&subscripts)
        }
        _ => codec::Array::read(blob(args, 0)?)?.get(&subscripts),
    }
}

/// Bounds of a slice: those that are given, for each dimension. `which` has two bits for each, for the lower and the upper one.
fn bounds(args: &[ValueRef<'_>], which: i64, first: usize) -> SqlResult<Vec<[Option<i64>; 2]>> {
    let bound = |i: usize| match is_given(which, i - first) {
        false => Ok(None),
        true => place(args, i).map(Some),
    };
    (first..args.len().saturating_sub(1)).step_by(2).map(|i| Ok([bound(i)?, bound(i + 1)?])).collect()
}

/// The elements between the first and the last place in each dimension, by their numbers.
fn within(dims: &[Dim], ranges: &[(i64, i64)]) -> SqlResult<Vec<usize>> {
    let mut places = vec![0usize];
    for (dim, (from, to)) in dims.iter().zip(ranges) {
        let count = places.len().saturating_mul((to - from + 1) as usize);
        meter::hold(count * size_of::<usize>())?;
        meter::work(count)?;
        let from = (from - i64::from(dim.lower)) as usize;
        let to = (to - i64::from(dim.lower)) as usize;
        places = places.iter().flat_map(|at| (from..=to).map(move |i| at * dim.len as usize + i)).collect();
    }
    Ok(places)
}

fn whole(dim: &Dim) -> (i64, i64) {
    (i64::from(dim.lower), i64::from(dim.lower) + i64::from(dim.len) - 1)
}

/// (array, which bounds are given, from, to, …): what of it is within the bounds; each dimension of the result begins at 1.
fn slice(_: &mut Context, args: &[ValueRef<'_>]) -> SqlResult<Value> {
    if args.iter().take(2).any(|arg| arg.is_null()) {
        return Ok(Value::Null);
    }
    let which = int(args, 1)?;
    if args.iter().enumerate().skip(2).any(|(i, bound)| bound.is_null() && is_given(which, i - 2)) {
        return Ok(Value::Null);
    }
    let mut array = open(args, 0)?;
    let bounds = bounds(args, which, 2)?;
    let mut ranges: Vec<(i64, i64)> = array.dims.iter().map(whole).collect();
    if ranges.len() < bounds.len() {
        return make(array.elem, vec![]);
    }
    for (range, [from, to]) in ranges.iter_mut().zip(bounds) {
        range.0 = from.map_or(range.0, |from| from.max(range.0));
        range.1 = to.map_or(range.1, |to| to.min(range.1));
        if range.0 > range.1 {
            return make(array.elem, vec![]);
        }
    }
    if ranges.is_empty() {
        return close(&array);
    }
    let places = within(&array.dims, &ranges)?;
    array.items = places.into_iter().map(|at| std::mem::replace(&mut array.items[at], Value::Null)).collect();
    array.dims = ranges.iter().map(|(from, to)| Dim { len: (to - from + 1) as i32, lower: 1 }).collect();
    close(&array)
}

/// As [`slice()`], of the first dimension; a bound that is NULL was not written.
fn slice_of_rows(context: &mut Context, args: &[ValueRef<'_>]) -> SqlResult<Value> {
    slice(context, &[args[0], written(&args[1..]), args[1], args[2]])
}

/// As [`assign_slice`], of one dimension; a bound that is NULL was not written.
fn assign_rows(context: &mut Context, args: &[ValueRef<'_>]) -> SqlResult<Value> {
    if args[1].is_null() && args[2].is_null() {
        return Ok(Value::Null);
    }
    if !args[1].is_null() && !args[2].is_null() && open(args, 1)?.dims.len() > 1 {
        return Err(SqlError::unsupported("assignment to a slice of an array of several dimensions"));
    }
    assign_slice(context, &[args[0], args[1], args[2], written(&args[3..]), args[3], args[4]])
}

/// Which bounds are there, as [`is_given`] reads it.
fn written<'a>(bounds: &[ValueRef<'_>]) -> ValueRef<'a> {
    ValueRef::Int((0..).zip(bounds).filter(|(_, bound)| !bound.is_null()).map(|(i, _)| 1 << i).sum())
}

/// Whether a bound of a slice was written, by its number.
fn is_given(which: i64, number: usize) -> bool {
    number < 63 && which >> number & 1 == 1
}

/// A subscript of what is assigned to.
fn place(args: &[ValueRef<'_>], i: usize) -> SqlResult<i64> {
    match args[i].is_null() {
        false => int(args, i),
        true => Err(SqlError::new(
            crate::error::state::NULL_VALUE_NOT_ALLOWED,
            "array subscript in assignment must not be null",
        )),
    }
}

/// Room for the elements `from` to `to` in an array of one dimension or none, with NULLs where nothing was.
fn make_room(array: &mut Array, from: i64, to: i64) -> SqlResult<()> {
    if array.dims.is_empty() {
        let lower = i32::try_from(from).map_err(|_| codec::too_large())?;
        array.dims.push(Dim { len: 0, lower });
    }
    let [dim] = array.dims.as_mut_slice() else { return Ok(()) };
    let (lower, end) = (i64::from(dim.lower), i64::from(dim.lower) + i64::from(dim.len));
    let (first, last) = (from.min(lower), (to + 1).max(end));
    let len = i32::try_from(last - first).ok().ok_or_else(codec::too_large)?;
    codec::checked_count(&[len])?;
    let (before, after) = ((lower - first) as usize, (last - end) as usize);
    meter::hold((before + after) * size_of::<Value>())?;
    meter::work(before + after)?;
    array.items.splice(0..0, std::iter::repeat_n(Value::Null, before));
    array.items.extend(std::iter::repeat_n(Value::Null, after));
    *dim = Dim { len, lower: i32::try_from(first).map_err(|_| codec::too_large())? };
    Ok(())
}

/// (element type, array, value, subscript, …): the array with one element set; one of one dimension grows where it has to.
fn assign(_: &mut Context, args: &[ValueRef<'_>]) -> SqlResult<Value> {
    let elem = Type(int(args, 0)? as u32);
    let mut array = if args[1].is_null() { flat(elem, vec![]) } else { open(args, 1)? };
    let subscripts = (3..args.len()).map(|i| place(args, i)).collect::<SqlResult<Vec<i64>>>()?;
    if let ([at], 0 | 1) = (&subscripts[..], array.dims.len()) {
        make_room(&mut array, *at, *at)?;
    } else if array.dims.is_empty() {
        for at in &subscripts {
            let lower =
                i32::try_from(*at).map_err(|_| SqlError::new(SUBSCRIPT_ERROR, "array subscript out of range"))?;
            array.dims.push(Dim { len: 1, lower });
        }
        array.items = vec![Value::Null];
    }
    if array.dims.len() != subscripts.len() {
        return Err(SqlError::new(SUBSCRIPT_ERROR, "wrong number of array subscripts"));
    }
    let mut offset = 0;
    for (dim, at) in array.dims.iter().zip(subscripts) {
        let at = at - i64::from(dim.lower);
        if !(0..i64::from(dim.len)).contains(&at) {
            return Err(SqlError::new(SUBSCRIPT_ERROR, "array subscript out of range"));
        }
        offset = offset * dim.len as usize + at as usize;
    }
    array.items[offset] = args[2].to_owned();
    close(&array)
}

/// (element type, array, array of the values, which bounds are given, from, to, …). A bound that is not is the array's own.
fn assign_slice(_: &mut Context, args: &[ValueRef<'_>]) -> SqlResult<Value> {
    let elem = Type(int(args, 0)? as u32);
    let mut array = if args[1].is_null() { flat(elem, vec![]) } else { open(args, 1)? };
    let bounds = bounds(args, int(args, 3)?, 4)?;
    if args[2].is_null() {
        return close(&array);
    }
    let mut values = open(args, 2)?.items.into_iter();
    let wrong = |message: &str| SqlError::new(SUBSCRIPT_ERROR, message);
    let too_small = || wrong("source array too small");
    if array.dims.is_empty() {
        let mut dims = Vec::with_capacity(bounds.len());
        for [from, to] in bounds {
            let (Some(from), Some(to)) = (from, to) else {
                return Err(wrong("array slice subscript must provide both boundaries").detail(
                    "When assigning to a slice of an empty array value, slice boundaries must be fully specified.",
                ));
            };
            if to < from {
                return Err(wrong("upper bound cannot be less than lower bound"));
            }
            let len = i32::try_from(to - from + 1).map_err(|_| codec::too_large())?;
            dims.push(Dim { len, lower: i32::try_from(from).map_err(|_| codec::too_large())? });
        }
        let lengths: Vec<i32> = dims.iter().map(|dim| dim.len).collect();
        let count = codec::checked_count(&lengths)? as usize;
        if values.len() < count {
            return Err(too_small());
        }
        return close(&Array { elem, dims, items: values.take(count).collect() });
    }
    if array.dims.len() < bounds.len() {
        return Err(wrong("wrong number of array subscripts"));
    }
    let alone = array.dims.len() == 1;
    let mut ranges: Vec<(i64, i64)> = array.dims.iter().map(whole).collect();
    for (range, [from, to]) in ranges.iter_mut().zip(bounds) {
        let own = *range;
        *range = (from.unwrap_or(own.0), to.unwrap_or(own.1));
        if range.0 > range.1 {
            return Err(wrong("upper bound cannot be less than lower bound"));
        }
        if !alone && (range.0 < own.0 || range.1 > own.1) {
            return Err(wrong("array subscript out of range"));
        }
    }
    if let ([(from, to)], true) = (&ranges[..], alone) {
        let (first, last) = whole(&array.dims[0]);
        let length = i32::try_from((*to).max(last) - (*from).min(first) + 1).map_err(|_| codec::too_large())?;
        codec::checked_count(&[length])?;
    }
    let wanted = ranges.iter().fold(1i64, |count, (from, to)| count.saturating_mul(to - from + 1));
    if (values.len() as i64) < wanted {
        return Err(too_small());
    }
    if let ([(from, to)], true) = (&ranges[..], alone) {
        make_room(&mut array, *from, *to)?;
    }
    for at in within(&array.dims, &ranges)? {
        array.items[at] = values.next().unwrap_or(Value::Null);
    }
    close(&array)
}
