//! Rows as values: records, lists of rows, and JSON objects as rows.
//!
//! [`record`] says how both are stored. A list becomes rows again in the table-valued function `q_rows`, whose columns are
//! called `c1`, `c2` and so on; functions of several columns are a scalar function that makes a list, within `q_rows`.

use super::arg::{blob, int, invalid, text};
use super::table::*;
use super::{Accumulator, Aggregate, Cast, Collation, Context, Function, Operator, Scalar, builtin, sqlite};
use crate::error::{SqlError, SqlResult, state};
use crate::meter;
use crate::types::interval::Interval;
use crate::types::json::{self, Kind};
use crate::types::record::{self, Field, List, Record};
use crate::types::text::{parse_text, parse_tid};
use crate::types::zone::Zone;
use crate::types::{Env, Type, array};
use crate::value::{Value, ValueRef};
use std::cmp::Ordering;

const JSONB: Type = Type::JSONB;
const RECORD: Type = Type::RECORD;

/// The most columns that a list of rows is taken apart into.
pub const MAX_COLUMNS: usize = 400;

pub const OPERATORS: &[Operator] = &[
    op("=", RECORD, RECORD, BOOL, "(q_record_cmp({0}, {1}) = 0)"),
    op("<>", RECORD, RECORD, BOOL, "(q_record_cmp({0}, {1}) <> 0)"),
    op("<", RECORD, RECORD, BOOL, "(q_record_cmp({0}, {1}) < 0)"),
    op("<=", RECORD, RECORD, BOOL, "(q_record_cmp({0}, {1}) <= 0)"),
    op(">", RECORD, RECORD, BOOL, "(q_record_cmp({0}, {1}) > 0)"),
    op(">=", RECORD, RECORD, BOOL, "(q_record_cmp({0}, {1}) >= 0)"),
];

pub const CASTS: &[Cast] = &[];

pub const COMPARISONS: &[Operator] = &comparisons::<6>(&[(Type::TID, Type::TID)]);

pub const COLLATIONS: &[Collation] = &[Collation {
    name: "pg_tid",
    compare: |a, b| match (parse_tid(a), parse_tid(b)) {
        (Ok(a), Ok(b)) => a.cmp(&b),
        _ => a.cmp(b),
    },
}];

/// The number under which it is kept that INSERT … ON CONFLICT has updated a row.
pub const UPDATED: usize = 1_000_000;
/// `xmax` of a row that was updated; any number but 0 will do.
const SOME_TRANSACTION: i64 = 3;

pub const FUNCTIONS: &[Function] = &[
    aggregate("min", &[Type::TID], Type::TID, "min({0})"),
    aggregate("max", &[Type::TID], Type::TID, "max({0})"),
    func("row_to_json", &[RECORD], JSON, "q_to_json(2249, {0})").stable(),
    func("row_to_json", &[RECORD, BOOL], JSON, "q_row_to_json({0}, {1})").stable(),
    set("json_each", &[JSON], RECORD, "q_rows(q_json_each({0}, 'json_each', 0))")
        .columns(&[("key", TEXT), ("value", JSON)]),
    set("jsonb_each", &[JSONB], RECORD, "q_rows(q_json_each({0}, 'jsonb_each', 0))")
        .columns(&[("key", TEXT), ("value", JSONB)]),
    set("json_each_text", &[JSON], RECORD, "q_rows(q_json_each({0}, 'json_each_text', 1))")
        .columns(&[("key", TEXT), ("value", TEXT)]),
    set("jsonb_each_text", &[JSONB], RECORD, "q_rows(q_json_each({0}, 'jsonb_each_text', 1))")
        .columns(&[("key", TEXT), ("value", TEXT)]),
    // In information_schema in Postgres.
    set("_pg_expandarray", &[ANYARRAY], RECORD, "q_rows(q_expand({0}))").columns(&[("x", ANYELEMENT), ("n", INT4)]),
    set("pg_options_to_table", &[TEXT_ARRAY], RECORD, "q_rows(q_options({0}))")
        .columns(&[("option_name", TEXT), ("option_value", TEXT)])
        .stable(),
    set("pg_get_keywords", &[], RECORD, "q_rows(q_keywords())").columns(&[
        ("word", TEXT),
        ("catcode", CHAR),
        ("barelabel", BOOL),
        ("catdesc", TEXT),
        ("baredesc", TEXT),
    ]),
    set("pg_timezone_names", &[], RECORD, "q_rows(q_timezones())")
        .columns(&[("name", TEXT), ("abbrev", TEXT), ("utc_offset", INTERVAL), ("is_dst", BOOL)])
        .stable(),
    // The binder knows the fields, and puts them behind the arguments that are written.
    func(
        "json_populate_record",
        &[ANYELEMENT, JSON],
        ANYELEMENT,
        "q_json_record('json_populate_record', {2}, {0}, {1})",
    )
    .stable(),
    func(
        "jsonb_populate_record",
        &[ANYELEMENT, JSONB],
        ANYELEMENT,
        "q_json_record('jsonb_populate_record', {2}, {0}, {1})",
    )
    .stable(),
    func("json_to_record", &[JSON], RECORD, "q_json_record('json_to_record', {1}, NULL, {0})").stable(),
    func("jsonb_to_record", &[JSONB], RECORD, "q_json_record('jsonb_to_record', {1}, NULL, {0})").stable(),
    set(
        "json_populate_recordset",
        &[ANYELEMENT, JSON],
        ANYELEMENT,
        "q_rows(q_json_records('json_populate_recordset', {2}, {0}, {1}))",
    )
    .stable(),
    set(
        "jsonb_populate_recordset",
        &[ANYELEMENT, JSONB],
        ANYELEMENT,
        "q_rows(q_json_records('jsonb_populate_recordset', {2}, {0}, {1}))",
    )
    .stable(),
    set("json_to_recordset", &[JSON], RECORD, "q_rows(q_json_records('json_to_recordset', {1}, NULL, {0}))").stable(),
    set("jsonb_to_recordset", &[JSONB], RECORD, "q_rows(q_json_records('jsonb_to_recordset', {1}, NULL, {0}))")
        .stable(),
];

pub const SCALARS: &[Scalar] = &[
    scalar("q_record", -1, |_, a| {
        let shape = blob(a, 0)?;
        Ok(Value::Blob(record::build(shape, a[1..].iter().copied())))
    })
    .lax(),
    scalar("q_record_of", 2, |_, a| {
        let (shape, values) = (blob(a, 0)?, sqlite::unpack(blob(a, 1)?)?);
        Ok(Value::Blob(record::build(shape, values)))
    }),
    scalar("q_join", -1, |_, a| {
        let mut out = Vec::new();
        for i in 0..a.len() {
            out.extend_from_slice(blob(a, i)?);
        }
        Ok(Value::Blob(out))
    }),
    scalar("q_field", 2, |_, a| Ok(record::field(blob(a, 0)?, int(a, 1)? as usize)?.to_owned())),
    // Whether all fields of a record are NULL, or none of them.
    scalar("q_record_null", 2, |_, a| {
        let null = int(a, 1)? != 0;
        let all = match a[0] {
            ValueRef::Null => null,
            _ => Record::read(blob(a, 0)?)?.values.iter().all(|value| matches!(value, ValueRef::Null) == null),
        };
        Ok(Value::Int(all.into()))
    })
    .lax(),
    scalar("q_record_cmp", 2, |_, a| Ok(Value::Int(compare(blob(a, 0)?, blob(a, 1)?)? as i64))),
    scalar("q_record_key", 1, |_, a| key_of(blob(a, 0)?).map(Value::Blob)),
    scalar("q_row_to_json", 2, row_to_json).contextual(),
    scalar("q_json_each", 3, |_, a| each(text(a, 0)?, text(a, 1)?, int(a, 2)? != 0)),
    scalar("q_expand", 1, |_, a| {
        let mut list = List::default();
        for (value, n) in super::arrays::elements(a, 0)?.into_iter().zip(1..) {
            list.push([value.as_ref(), ValueRef::Int(n)].into_iter())?;
        }
        Ok(Value::Blob(list.into_bytes()))
    }),
    scalar("q_options", 1, |_, a| {
        let mut list = List::default();
        for option in super::arrays::elements(a, 0)? {
            let Value::Text(option) = option else { continue };
            let (name, value) = option.split_once('=').map_or((&*option, None), |(name, value)| (name, Some(value)));
            list.push([ValueRef::Text(name), value.map_or(ValueRef::Null, ValueRef::Text)].into_iter())?;
        }
        Ok(Value::Blob(list.into_bytes()))
    }),
    // System columns: a row's place is its rowid, its version a checksum of its values.
    scalar("q_ctid", 1, |_, a| {
        let rowid = int(a, 0)?;
        Ok(Value::Text(format!("({},{})", rowid >> 16, rowid & 0xffff)))
    }),
    scalar("q_xmin", -1, |_, a| {
        let mut bytes = Vec::new();
        for value in a {
            record::push_value(*value, &mut bytes);
        }
        // The first numbers are not those of transactions.
        let hash =
            bytes.iter().fold(0xcbf2_9ce4_8422_2325_u64, |h, b| (h ^ u64::from(*b)).wrapping_mul(0x100_0000_01b3));
        Ok(Value::Int(((hash ^ (hash >> 32)) as u32).max(3).into()))
    })
    .lax(),
    scalar("q_xmax", 1, |ctx, a| {
        let updated = ctx.kept.contains_key(&(int(a, 0)?, UPDATED as i64));
        Ok(Value::Int(if updated { SOME_TRANSACTION } else { 0 }))
    })
    .contextual(),
    scalar("q_given", 1, |ctx, a| {
        let list = ctx.lists.get(&int(a, 0)?);
        list.map_or(Ok(Value::Null), |list| {
            meter::hold(list.len())?;
            Ok(Value::Blob(list.to_vec()))
        })
    })
    .contextual(),
    scalar("q_timezones", 0, |ctx, _| {
        let (now, mut list) = (ctx.now.div_euclid(1_000_000), List::default());
        for name in Zone::names() {
            let zone = Zone::find(&name)?;
            let (abbreviation, summer) = zone.abbreviation_at(now);
            let offset = Interval { months: 0, days: 0, micros: i64::from(zone.offset_at(now)) * 1_000_000 }.encode();
            let row = [
                ValueRef::Text(&name),
                ValueRef::Text(&abbreviation),
                ValueRef::Text(&offset),
                ValueRef::Int(summer.into()),
            ];
            list.push(row.into_iter())?;
        }
        Ok(Value::Blob(list.into_bytes()))
    })
    .contextual(),
    scalar("q_keywords", 0, |_, _| {
        let mut list = List::default();
        for row in builtin::keywords() {
            list.push(row.iter().map(Value::as_ref))?;
        }
        Ok(Value::Blob(list.into_bytes()))
    }),
    scalar("q_json_record", 4, json_record).lax().contextual(),
    scalar("q_json_records", 4, json_records).lax().contextual(),
];

pub const AGGREGATES: &[Aggregate] = &[accumulator("q_list", 1, || Box::new(Listed::default()))];

/// Rows, each as one packed value, in the order in which they come.
#[derive(Default)]
struct Listed {
    list: List,
}

impl Accumulator for Listed {
    fn step(&mut self, _: &mut Context, args: &[ValueRef<'_>]) -> SqlResult<()> {
        let row = sqlite::unpack(blob(args, 0)?)?;
        meter::work(row.len())?;
        self.list.push(row.into_iter())
    }

    fn inverse(&mut self, _: &mut Context, _: &[ValueRef<'_>]) -> SqlResult<()> {
        Err(SqlError::internal("rows are gathered in a window"))
    }

    fn value(&mut self, _: &mut Context) -> SqlResult<Value> {
        meter::hold(self.list.as_bytes().len())?;
        Ok(Value::Blob(self.list.as_bytes().to_vec()))
    }
}

/// Field by field; NULLs are equal, and larger than all else. Errors: 42804 for records of other fields.
pub(super) fn compare(left: &[u8], right: &[u8]) -> SqlResult<Ordering> {
    let (left, right) = (Record::read(left)?, Record::read(right)?);
    for (i, (a, b)) in left.values.iter().zip(&right.values).enumerate() {
        meter::work(2)?;
        let (x, y) = (left.fields[i].ty, right.fields[i].ty);
        if x != y {
            let (x, y) = (crate::types::format_type_plain(x), crate::types::format_type_plain(y));
            let text = format!("cannot compare dissimilar column types {x} and {y} at record column {}", i + 1);
            return Err(SqlError::new(state::DATATYPE_MISMATCH, text));
        }
        let order = match (a.is_null(), b.is_null()) {
            (true, true) => Ordering::Equal,
            (true, false) => Ordering::Greater,
            (false, true) => Ordering::Less,
            (false, false) => super::arrays::order(x, &(*a).to_owned(), &(*b).to_owned()),
        };
        if order != Ordering::Equal {
            return Ok(order);
        }
    }
    match left.values.len() == right.values.len() {
        true => Ok(Ordering::Equal),
        false => Err(SqlError::new(
            state::DATATYPE_MISMATCH,
            "cannot compare record types with different numbers of columns",
        )),
    }
}

/// Bytes in the order of the records that they are made of, and equal where those are (see [`compare`]).
pub(super) fn key_of(record: &[u8]) -> SqlResult<Vec<u8>> {
    let record = Record::read(record)?;
    let mut out = Vec::with_capacity(record.values.len() * 10 + 1);
    for (field, value) in record.fields.iter().zip(&record.values) {
        meter::work(4)?;
        match value.is_null() {
            true => out.push(2),
            false => {
                out.push(1);
                super::arrays::push_key(field.ty, &(*value).to_owned(), &mut out)?;
            }
        }
    }
    out.push(0);
    meter::hold(out.len())?;
    Ok(out)
}

fn row_to_json(ctx: &mut Context, a: &[ValueRef<'_>]) -> SqlResult<Value> {
    let mut out = String::new();
    super::json::push_record(blob(a, 0)?, if int(a, 1)? != 0 { ",\n " } else { "," }, &ctx.env, &mut out)?;
    Ok(Value::Text(out))
}

/// The members of an object as rows of key and value.
fn each(json: &str, function: &str, as_text: bool) -> SqlResult<Value> {
    match (Kind::of(json), function.starts_with("jsonb")) {
        (Kind::Object, _) => {}
        (_, true) => return Err(invalid(format!("cannot call {function} on a non-object"))),
        (Kind::Array, false) => return Err(invalid("cannot deconstruct an array as an object")),
        (_, false) => return Err(invalid("cannot deconstruct a scalar")),
    }
    let mut list = List::default();
    for (key, value) in json::members(json) {
        let key = Value::Text(json::unquote(key)?);
        let value = match as_text {
            true => json::as_text(value)?.map_or(Value::Null, Value::Text),
            false => Value::Text(value.to_owned()),
        };
        list.push([key.as_ref(), value.as_ref()].into_iter())?;
    }
    Ok(Value::Blob(list.into_bytes()))
}

/// The fields of a record from a JSON object; those that it does not have are as in `base`.
fn filled(fields: &[Field], base: Option<&Record<'_>>, json: &str, env: &Env) -> SqlResult<Vec<Value>> {
    let refused = |what: &str| invalid(format!("cannot call populate_composite on {what}"));
    match Kind::of(json) {
        Kind::Object => {}
        Kind::Array => return Err(refused("an array")),
        _ => return Err(refused("a scalar")),
    }
    let mut values = Vec::with_capacity(fields.len());
    for (i, field) in fields.iter().enumerate() {
        values.push(match json::field(json, &field.name) {
            Some(part) => value_of(part, field.ty, field.typmod, &field.name, env)?,
            None => base.and_then(|base| base.values.get(i)).map_or(Value::Null, |value| (*value).to_owned()),
        });
    }
    Ok(values)
}

/// A part of a JSON value as a value of a type.
fn value_of(part: &str, ty: Type, typmod: i32, name: &str, env: &Env) -> SqlResult<Value> {
    match (Kind::of(part), ty.element()) {
        (Kind::Null, _) => Ok(Value::Null),
        _ if ty == Type::JSON => Ok(Value::Text(part.to_owned())),
        _ if ty == Type::JSONB => json::canonical(part).map(Value::Text),
        (Kind::Array, Some(element)) => {
            let (mut items, mut dims) = (Vec::new(), Vec::new());
            gather(part, element, typmod, name, env, 0, &mut dims, &mut items)?;
            let dims: Vec<(i32, i32)> = dims.into_iter().map(|length| (length, 1)).collect();
            let dims = if items.is_empty() { &[] } else { &dims[..] };
            array::build_with_dims(element, dims, &items).map(Value::Blob)
        }
        (kind, Some(_)) if kind != Kind::String => {
            Err(SqlError::new(state::INVALID_TEXT_REPRESENTATION, "expected JSON array")
                .hint(format!("See the value of key \"{name}\".")))
        }
        (Kind::String, _) => parse_text(ty, typmod, &json::unquote(part)?, env),
        _ => parse_text(ty, typmod, part, env),
    }
}

/// The elements of nested arrays, whose lengths must be the same on each level.
fn gather(
    json: &str,
    element: Type,
    typmod: i32,
    name: &str,
    env: &Env,
    depth: usize,
    dims: &mut Vec<i32>,
    items: &mut Vec<Value>,
) -> SqlResult<()> {
    let malformed = || {
        SqlError::new(state::INVALID_TEXT_REPRESENTATION, "malformed JSON array")
            .detail("Multidimensional arrays must have sub-arrays with matching dimensions.")
    };
    let length = json::elements(json).count() as i32;
    match dims.get(depth) {
        None => dims.push(length),
        Some(known) if *known == length => {}
        Some(_) => return Err(malformed()),
    }
    let nested = json::elements(json).next().is_some_and(|e| Kind::of(e) == Kind::Array) && element != Type::JSON;
    for part in json::elements(json) {
        match (Kind::of(part) == Kind::Array, nested) {
            (true, true) => gather(part, element, typmod, name, env, depth + 1, dims, items)?,
            (false, false) => array::keep(items, value_of(part, element, typmod, name, env)?)?,
            _ => return Err(malformed()),
        }
    }
    Ok(())
}

/// `(function, shape, base, json)`
fn json_record(ctx: &mut Context, a: &[ValueRef<'_>]) -> SqlResult<Value> {
    let shape = blob(a, 1)?;
    if a[3].is_null() {
        return Ok(a[2].to_owned());
    }
    let base = if a[2].is_null() { None } else { Some(Record::read(blob(a, 2)?)?) };
    let values = filled(&record::fields(shape)?, base.as_ref(), text(a, 3)?, &ctx.env)?;
    Ok(Value::Blob(record::build(shape, values.iter().map(Value::as_ref))))
}

fn json_records(ctx: &mut Context, a: &[ValueRef<'_>]) -> SqlResult<Value> {
    let (function, fields) = (text(a, 0)?, record::fields(blob(a, 1)?)?);
    if a[3].is_null() {
        return Ok(Value::Null);
    }
    let json = text(a, 3)?;
    match Kind::of(json) {
        Kind::Array => {}
        Kind::Object => return Err(invalid(format!("cannot call {function} on an object"))),
        _ => return Err(invalid(format!("cannot call {function} on a scalar"))),
    }
    let base = if a[2].is_null() { None } else { Some(Record::read(blob(a, 2)?)?) };
    let mut list = List::default();
    for part in json::elements(json) {
        if Kind::of(part) != Kind::Object {
            return Err(invalid(format!("argument of {function} must be an array of objects")));
        }
        let values = filled(&fields, base.as_ref(), part, &ctx.env)?;
        list.push(values.iter().map(Value::as_ref))?;
    }
    Ok(Value::Blob(list.into_bytes()))
}
