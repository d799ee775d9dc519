//! json and jsonb: operators, functions, casts, aggregates.
//!
//! Set-returning functions of one column unnest an array that a scalar function makes; those of several are in `records`.

use super::arg::{blob, from_bool, from_text, int, invalid, text};
use super::table::*;
use super::{Accumulator, Aggregate, Cast, Collation, Context, Function, Native, Operator, Scalar};
use crate::error::{SqlError, SqlResult, state};
use crate::meter;
use crate::types::array::{self, Array};
use crate::types::datetime as dt;
use crate::types::json::{self, Change, Json, Kind};
use crate::types::record::Record;
use crate::types::text::{push_f32, push_f64, stored_f64, write_text};
use crate::types::zone::Zone;
use crate::types::{DateOrder, DateOutput, DateStyle, Env, NO_TYPMOD, Type};
use crate::value::{Value, ValueRef};
use std::collections::VecDeque;
use std::fmt::Write as _;

const JSONB: Type = Type::JSONB;
const J: &[Type] = &[JSON];
const B: &[Type] = &[JSONB];

pub const COMPARISONS: &[Operator] = &collated!(JSONB, "pg_jsonb");

pub const OPERATORS: &[Operator] = &[
    op("->", JSON, TEXT, JSON, "q_json_field({0}, {1})"),
    op("->", JSON, INT4, JSON, "q_json_element({0}, {1})"),
    op("->>", JSON, TEXT, TEXT, "q_json_field_text({0}, {1})"),
    op("->>", JSON, INT4, TEXT, "q_json_element_text({0}, {1})"),
    op("#>", JSON, TEXT_ARRAY, JSON, "q_json_path({0}, {1})"),
    op("#>>", JSON, TEXT_ARRAY, TEXT, "q_json_path_text({0}, {1})"),
    op("->", JSONB, TEXT, JSONB, "q_json_field({0}, {1})"),
    op("->", JSONB, INT4, JSONB, "q_jsonb_element({0}, {1})"),
    op("->>", JSONB, TEXT, TEXT, "q_json_field_text({0}, {1})"),
    op("->>", JSONB, INT4, TEXT, "q_jsonb_element_text({0}, {1})"),
    op("#>", JSONB, TEXT_ARRAY, JSONB, "q_json_path({0}, {1})"),
    op("#>>", JSONB, TEXT_ARRAY, TEXT, "q_json_path_text({0}, {1})"),
    op("@>", JSONB, JSONB, BOOL, "q_jsonb_contains({0}, {1})"),
    op("<@", JSONB, JSONB, BOOL, "q_jsonb_contains({1}, {0})"),
    op("?", JSONB, TEXT, BOOL, "q_jsonb_has({0}, {1})"),
    op("?|", JSONB, TEXT_ARRAY, BOOL, "q_jsonb_has_any({0}, {1})"),
    op("?&", JSONB, TEXT_ARRAY, BOOL, "q_jsonb_has_all({0}, {1})"),
    op("||", JSONB, JSONB, JSONB, "q_jsonb_concat({0}, {1})"),
    op("-", JSONB, TEXT, JSONB, "q_jsonb_delete({0}, {1})"),
    op("-", JSONB, INT4, JSONB, "q_jsonb_delete({0}, {1})"),
    op("-", JSONB, TEXT_ARRAY, JSONB, "q_jsonb_delete({0}, {1})"),
    op("#-", JSONB, TEXT_ARRAY, JSONB, "q_jsonb_delete_path({0}, {1})"),
];

pub const FUNCTIONS: &[Function] = &[
    // What operators are called as functions: JDBC and others cannot send `?` as an operator.
    func("jsonb_exists", &[JSONB, TEXT], BOOL, "q_jsonb_has({0}, {1})"),
    func("jsonb_exists_any", &[JSONB, TEXT_ARRAY], BOOL, "q_jsonb_has_any({0}, {1})"),
    func("jsonb_exists_all", &[JSONB, TEXT_ARRAY], BOOL, "q_jsonb_has_all({0}, {1})"),
    func("jsonb_contains", &[JSONB, JSONB], BOOL, "q_jsonb_contains({0}, {1})"),
    func("jsonb_contained", &[JSONB, JSONB], BOOL, "q_jsonb_contains({1}, {0})"),
    func("jsonb_concat", &[JSONB, JSONB], JSONB, "q_jsonb_concat({0}, {1})"),
    func("jsonb_delete", &[JSONB, TEXT], JSONB, "q_jsonb_delete({0}, {1})"),
    func("jsonb_delete", &[JSONB, INT4], JSONB, "q_jsonb_delete({0}, {1})"),
    func("jsonb_delete", &[JSONB, TEXT_ARRAY], JSONB, "q_jsonb_delete({0}, {1})"),
    func("jsonb_delete_path", &[JSONB, TEXT_ARRAY], JSONB, "q_jsonb_delete_path({0}, {1})"),
    func("jsonb_object_field", &[JSONB, TEXT], JSONB, "q_json_field({0}, {1})"),
    func("jsonb_object_field_text", &[JSONB, TEXT], TEXT, "q_json_field_text({0}, {1})"),
    func("json_object_field", &[JSON, TEXT], JSON, "q_json_field({0}, {1})"),
    func("json_object_field_text", &[JSON, TEXT], TEXT, "q_json_field_text({0}, {1})"),
    func("jsonb_array_element", &[JSONB, INT4], JSONB, "q_jsonb_element({0}, {1})"),
    func("jsonb_array_element_text", &[JSONB, INT4], TEXT, "q_jsonb_element_text({0}, {1})"),
    func("json_typeof", J, TEXT, "q_json_typeof({0})"),
    func("jsonb_typeof", B, TEXT, "q_json_typeof({0})"),
    func("json_array_length", J, INT4, "q_json_array_length({0})"),
    func("jsonb_array_length", B, INT4, "q_json_array_length({0})"),
    func("json_extract_path", &[JSON, TEXT], JSON, "q_json_walk({*})").variadic(),
    func("jsonb_extract_path", &[JSONB, TEXT], JSONB, "q_json_walk({*})").variadic(),
    func("json_extract_path_text", &[JSON, TEXT], TEXT, "q_json_walk_text({*})").variadic(),
    func("jsonb_extract_path_text", &[JSONB, TEXT], TEXT, "q_json_walk_text({*})").variadic(),
    func("jsonb_set", &[JSONB, TEXT_ARRAY, JSONB], JSONB, "q_jsonb_set({0}, {1}, {2}, 1)"),
    func("jsonb_set", &[JSONB, TEXT_ARRAY, JSONB, BOOL], JSONB, "q_jsonb_set({0}, {1}, {2}, {3})"),
    func("jsonb_set_lax", &[JSONB, TEXT_ARRAY, JSONB], JSONB, "q_jsonb_set_lax({0}, {1}, {2}, 1, 'use_json_null')"),
    func(
        "jsonb_set_lax",
        &[JSONB, TEXT_ARRAY, JSONB, BOOL],
        JSONB,
        "q_jsonb_set_lax({0}, {1}, {2}, {3}, 'use_json_null')",
    ),
    func("jsonb_set_lax", &[JSONB, TEXT_ARRAY, JSONB, BOOL, TEXT], JSONB, "q_jsonb_set_lax({*})"),
    func("jsonb_insert", &[JSONB, TEXT_ARRAY, JSONB], JSONB, "q_jsonb_insert({0}, {1}, {2}, 0)"),
    func("jsonb_insert", &[JSONB, TEXT_ARRAY, JSONB, BOOL], JSONB, "q_jsonb_insert({0}, {1}, {2}, {3})"),
    func("jsonb_strip_nulls", B, JSONB, "q_jsonb_strip_nulls({0})"),
    func("json_strip_nulls", J, JSON, "q_json_strip_nulls({0})"),
    func("jsonb_pretty", B, TEXT, "q_jsonb_pretty({0})"),
    func("to_json", &[ANYELEMENT], JSON, "q_to_json({0:type}, {0})").stable(),
    func("to_jsonb", &[ANYELEMENT], JSONB, "q_to_jsonb({0:type}, {0})").stable(),
    func("array_to_json", &[ANYARRAY], JSON, "q_to_json({0:type}, {0})").stable(),
    func("array_to_json", &[ANYARRAY, BOOL], JSON, "q_json_lines(q_to_json({0:type}, {0}), {1})").stable(),
    func("json_build_array", &[], JSON, "'[]'"),
    func("jsonb_build_array", &[], JSONB, "'[]'"),
    func("json_build_object", &[], JSON, "'{}'"),
    func("jsonb_build_object", &[], JSONB, "'{}'"),
    func("json_build_array", &[ANY], JSON, "q_json_build_array('{*:type}', {*})").variadic().stable(),
    func("jsonb_build_array", &[ANY], JSONB, "q_jsonb_build_array('{*:type}', {*})").variadic().stable(),
    func("json_build_object", &[ANY], JSON, "q_json_build_object('{*:type}', {*})").variadic().stable(),
    func("jsonb_build_object", &[ANY], JSONB, "q_jsonb_build_object('{*:type}', {*})").variadic().stable(),
    func("json_object", &[TEXT_ARRAY], JSON, "q_json_object({0})"),
    func("jsonb_object", &[TEXT_ARRAY], JSONB, "q_jsonb_object({0})"),
    func("json_object", &[TEXT_ARRAY, TEXT_ARRAY], JSON, "q_json_object2({0}, {1})"),
    func("jsonb_object", &[TEXT_ARRAY, TEXT_ARRAY], JSONB, "q_jsonb_object2({0}, {1})"),
    set("json_array_elements", J, JSON, "q_unnest(q_json_items({0}, 114))").columns(&[("value", JSON)]),
    set("jsonb_array_elements", B, JSONB, "q_unnest(q_json_items({0}, 3802))").columns(&[("value", JSONB)]),
    set("json_array_elements_text", J, TEXT, "q_unnest(q_json_items({0}, 25))").columns(&[("value", TEXT)]),
    set("jsonb_array_elements_text", B, TEXT, "q_unnest(q_json_items({0}, 25))").columns(&[("value", TEXT)]),
    set("json_object_keys", J, TEXT, "q_unnest(q_json_keys({0}, 'json'))"),
    set("jsonb_object_keys", B, TEXT, "q_unnest(q_json_keys({0}, 'jsonb'))"),
    aggregate("json_agg", &[ANYELEMENT], JSON, "q_json_agg({0:type}, {0})").stable(),
    aggregate("jsonb_agg", &[ANYELEMENT], JSONB, "q_jsonb_agg({0:type}, {0})").stable(),
    aggregate("json_object_agg", &[ANY, ANY], JSON, "q_json_object_agg({0:type}, {0}, {1:type}, {1})").stable(),
    aggregate("jsonb_object_agg", &[ANY, ANY], JSONB, "q_jsonb_object_agg({0:type}, {0}, {1:type}, {1})").stable(),
];

pub const CASTS: &[Cast] = &[
    assignment(JSON, JSONB, "q_jsonb({0})"),
    assignment(JSONB, JSON, "{0}"),
    explicit(JSONB, BOOL, "q_jsonb_bool({0})"),
    explicit(JSONB, NUMERIC, "q_num(q_jsonb_num({0}, 'numeric'), {typmod})"),
    explicit(JSONB, INT2, "q_num_int(q_jsonb_num({0}, 'smallint'), 2)"),
    explicit(JSONB, INT4, "q_num_int(q_jsonb_num({0}, 'integer'), 4)"),
    explicit(JSONB, INT8, "q_num_int(q_jsonb_num({0}, 'bigint'), 8)"),
    explicit(JSONB, FLOAT4, "q_num_f4(q_jsonb_num({0}, 'real'))"),
    explicit(JSONB, FLOAT8, "q_num_f8(q_jsonb_num({0}, 'double precision'))"),
];

pub const COLLATIONS: &[Collation] = &[Collation { name: "pg_jsonb", compare: json::compare_text }];

fn tree(args: &[ValueRef<'_>], i: usize) -> SqlResult<Json> {
    json::parse(text(args, i)?)
}

fn from_tree(json: Json) -> SqlResult<Value> {
    Ok(Value::Text(json.to_text()))
}

/// A text array's elements.
fn texts(args: &[ValueRef<'_>], i: usize) -> SqlResult<Vec<Option<String>>> {
    let ValueRef::Blob(bytes) = args[i] else {
        return Err(SqlError::internal("a text array is stored as a blob"));
    };
    Array::read(bytes)?
        .values()?
        .into_iter()
        .map(|v| match v {
            Value::Null => Ok(None),
            Value::Text(s) => Ok(Some(s)),
            _ => Err(SqlError::internal("a text array holds texts")),
        })
        .collect()
}

fn part(found: Option<&str>) -> SqlResult<Value> {
    Ok(found.map_or(Value::Null, |p| Value::Text(p.to_owned())))
}

fn part_text(found: Option<&str>) -> SqlResult<Value> {
    let text = found.map(json::as_text).transpose()?.flatten();
    Ok(text.map_or(Value::Null, Value::Text))
}

/// The steps of json_extract_path.
fn steps(args: &[ValueRef<'_>]) -> SqlResult<Vec<Option<String>>> {
    (1..args.len()).map(|i| text(args, i).map(|s| Some(s.to_owned()))).collect()
}

pub const SCALARS: &[Scalar] = &[
    scalar("q_json_field", 2, |_, a| part(json::field(text(a, 0)?, text(a, 1)?))),
    scalar("q_json_field_text", 2, |_, a| part_text(json::field(text(a, 0)?, text(a, 1)?))),
    scalar("q_json_element", 2, |_, a| part(json::element(text(a, 0)?, int(a, 1)?))),
    scalar("q_json_element_text", 2, |_, a| part_text(json::element(text(a, 0)?, int(a, 1)?))),
    // A scalar is an array of one to them.
    scalar("q_jsonb_element", 2, |_, a| part(json::element_or_itself(text(a, 0)?, int(a, 1)?))),
    scalar("q_jsonb_element_text", 2, |_, a| part_text(json::element_or_itself(text(a, 0)?, int(a, 1)?))),
    scalar("q_json_path", 2, |_, a| part(json::path(text(a, 0)?, &texts(a, 1)?))),
    scalar("q_json_path_text", 2, |_, a| part_text(json::path(text(a, 0)?, &texts(a, 1)?))),
    scalar("q_json_walk", -1, |_, a| part(json::path(text(a, 0)?, &steps(a)?))),
    scalar("q_json_walk_text", -1, |_, a| part_text(json::path(text(a, 0)?, &steps(a)?))),
    scalar("q_jsonb", 1, |_, a| json::canonical(text(a, 0)?).map(from_text)),
    scalar("q_jsonb_contains", 2, |_, a| Ok(from_bool(json::contains(&tree(a, 0)?, &tree(a, 1)?)))),
    // Statements of earlier versions call it.
    scalar("q_jsonb_equal", 2, |_, a| {
        let (x, y) = (text(a, 0)?, text(a, 1)?);
        Ok(from_bool(x == y || json::equal(&json::parse(x)?, &json::parse(y)?)))
    }),
    scalar("q_jsonb_has", 2, |_, a| Ok(from_bool(json::has_key(text(a, 0)?, text(a, 1)?)))),
    scalar("q_jsonb_has_any", 2, |_, a| {
        let json = text(a, 0)?;
        Ok(from_bool(texts(a, 1)?.iter().flatten().any(|key| json::has_key(json, key))))
    }),
    scalar("q_jsonb_has_all", 2, |_, a| {
        let json = text(a, 0)?;
        Ok(from_bool(texts(a, 1)?.iter().flatten().all(|key| json::has_key(json, key))))
    }),
    scalar("q_jsonb_concat", 2, |_, a| from_tree(json::concat(tree(a, 0)?, tree(a, 1)?))),
    scalar("q_jsonb_delete", 2, |_, a| {
        from_tree(match a[1] {
            ValueRef::Int(index) => json::delete_index(tree(a, 0)?, index)?,
            ValueRef::Text(key) => json::delete_keys(tree(a, 0)?, &[Some(key.to_owned())])?,
            _ => json::delete_keys(tree(a, 0)?, &texts(a, 1)?)?,
        })
    }),
    scalar("q_jsonb_delete_path", 2, |_, a| {
        from_tree(json::change(tree(a, 0)?, &texts(a, 1)?, &Json::Null, Change::Delete)?)
    }),
    scalar("q_jsonb_set", 4, |_, a| set_path(a, int(a, 3)? != 0)),
    scalar("q_jsonb_set_lax", 5, set_lax).lax(),
    scalar("q_jsonb_assign", -1, assign).lax(),
    scalar("q_jsonb_insert", 4, |_, a| {
        let change = Change::Insert { after: int(a, 3)? != 0 };
        from_tree(json::change(tree(a, 0)?, &texts(a, 1)?, &tree(a, 2)?, change)?)
    }),
    scalar("q_json_typeof", 1, |_, a| Ok(from_text(Kind::of(text(a, 0)?).name()))),
    scalar("q_json_array_length", 1, |_, a| {
        let json = text(a, 0)?;
        match Kind::of(json) {
            Kind::Array => Ok(Value::Int(json::elements(json).count() as i64)),
            Kind::Object => Err(invalid("cannot get array length of a non-array")),
            _ => Err(invalid("cannot get array length of a scalar")),
        }
    }),
    scalar("q_json_items", 2, |_, a| items(text(a, 0)?, Type(int(a, 1)? as u32))),
    scalar("q_json_keys", 2, |_, a| {
        let (json, kind) = (text(a, 0)?, text(a, 1)?);
        match Kind::of(json) {
            Kind::Object => {}
            Kind::Array => return Err(invalid(format!("cannot call {kind}_object_keys on an array"))),
            _ => return Err(invalid(format!("cannot call {kind}_object_keys on a scalar"))),
        }
        let keys = json::members(json).map(|(key, _)| json::unquote(key).map(Value::Text));
        array::build(TEXT, &keys.collect::<SqlResult<Vec<_>>>()?).map(Value::Blob)
    }),
    scalar("q_jsonb_strip_nulls", 1, |_, a| from_tree(json::strip_nulls(tree(a, 0)?))),
    scalar("q_json_strip_nulls", 1, |_, a| json::strip_nulls_json(text(a, 0)?).map(from_text)),
    scalar("q_jsonb_pretty", 1, |_, a| Ok(from_text(tree(a, 0)?.pretty()))),
    scalar("q_jsonb_bool", 1, |_, a| match text(a, 0)? {
        "true" => Ok(from_bool(true)),
        "false" => Ok(from_bool(false)),
        other => Err(json::cannot_cast(Kind::of(other), "boolean")),
    }),
    scalar("q_jsonb_num", 2, |_, a| Ok(from_text(json::scalar_number(text(a, 0)?, text(a, 1)?)?.to_string()))),
    scalar("q_to_json", 2, |ctx, a| Ok(Value::Text(to_json(ty(a, 0)?, a[1], &ctx.env)?))).contextual(),
    scalar("q_to_jsonb", 2, |ctx, a| json::canonical(&to_json(ty(a, 0)?, a[1], &ctx.env)?).map(from_text)).contextual(),
    scalar("q_json_build_array", -1, |ctx, a| build_array(typed(a)?, &ctx.env).map(from_text)).lax().contextual(),
    scalar("q_jsonb_build_array", -1, |ctx, a| json::canonical(&build_array(typed(a)?, &ctx.env)?).map(from_text))
        .lax()
        .contextual(),
    scalar("q_json_build_object", -1, |ctx, a| build_object(&typed(a)?, "json_build_object", &ctx.env).map(from_text))
        .lax()
        .contextual(),
    scalar("q_jsonb_build_object", -1, |ctx, a| {
        json::canonical(&build_object(&typed(a)?, "jsonb_build_object", &ctx.env)?).map(from_text)
    })
    .lax()
    .contextual(),
    // Of a whole array, behind VARIADIC.
    scalar("q_json_build_array_of", 1, |ctx, a| array_of(a, &ctx.env).map(from_text)).contextual(),
    scalar("q_jsonb_build_array_of", 1, |ctx, a| json::canonical(&array_of(a, &ctx.env)?).map(from_text)).contextual(),
    scalar("q_json_build_object_of", 1, |ctx, a| object_of(a, "json_build_object", &ctx.env).map(from_text))
        .contextual(),
    scalar("q_jsonb_build_object_of", 1, |ctx, a| {
        json::canonical(&object_of(a, "jsonb_build_object", &ctx.env)?).map(from_text)
    })
    .contextual(),
    scalar("q_json_lines", 2, |_, a| {
        let json = text(a, 0)?;
        let lines: Vec<&str> = json::elements(json).collect();
        Ok(from_text(if int(a, 1)? == 0 { json.to_owned() } else { format!("[{}]", lines.join(",\n ")) }))
    }),
    scalar("q_json_object", 1, |_, a| object_of_pairs(a).map(from_text)),
    scalar("q_jsonb_object", 1, |_, a| json::canonical(&object_of_pairs(a)?).map(from_text)),
    scalar("q_json_object2", 2, |_, a| object_of_two(a).map(from_text)),
    scalar("q_jsonb_object2", 2, |_, a| json::canonical(&object_of_two(a)?).map(from_text)),
];

fn set_path(a: &[ValueRef<'_>], create: bool) -> SqlResult<Value> {
    from_tree(json::change(tree(a, 0)?, &texts(a, 1)?, &tree(a, 2)?, Change::Set { create })?)
}

/// (value, whether it is an array if it is NULL, what is set, step, …): `j['a'][1] = x`.
fn assign(_: &mut Context, a: &[ValueRef<'_>]) -> SqlResult<Value> {
    let json = match (a[0].is_null(), int(a, 1)? != 0) {
        (false, _) => tree(a, 0)?,
        (true, true) => Json::Array(vec![]),
        (true, false) => Json::Object(vec![]),
    };
    let value = if a[2].is_null() { Json::Null } else { tree(a, 2)? };
    let mut path = Vec::with_capacity(a.len());
    for i in 3..a.len() {
        if a[i].is_null() {
            let text = "jsonb subscript in assignment must not be null";
            return Err(SqlError::new(state::NULL_VALUE_NOT_ALLOWED, text));
        }
        path.push(text(a, i)?);
    }
    from_tree(json::assign(json, &path, value)?)
}

fn set_lax(_: &mut Context, a: &[ValueRef<'_>]) -> SqlResult<Value> {
    if a[0].is_null() || a[1].is_null() || a[3].is_null() {
        return Ok(Value::Null);
    }
    let create = int(a, 3)? != 0;
    if !a[2].is_null() {
        return set_path(a, create);
    }
    let treatment = if a[4].is_null() { "" } else { text(a, 4)? };
    match treatment {
        "use_json_null" => from_tree(json::change(tree(a, 0)?, &texts(a, 1)?, &Json::Null, Change::Set { create })?),
        "delete_key" => from_tree(json::change(tree(a, 0)?, &texts(a, 1)?, &Json::Null, Change::Delete)?),
        "return_target" => part(Some(text(a, 0)?)),
        "raise_exception" => Err(SqlError::new(state::NULL_VALUE_NOT_ALLOWED, "JSON value must not be null")
            .detail("Exception was raised because null_value_treatment is \"raise_exception\".")),
        _ => Err(invalid(
            "null_value_treatment must be \"delete_key\", \"return_target\", \"use_json_null\", or \"raise_exception\"",
        )),
    }
}

/// The elements of an array as an array of json, jsonb or text.
fn items(json: &str, ty: Type) -> SqlResult<Value> {
    match Kind::of(json) {
        Kind::Array => {}
        Kind::Object => return Err(invalid("cannot extract elements from an object")),
        _ => return Err(invalid("cannot extract elements from a scalar")),
    }
    let item = |e: &str| -> SqlResult<Value> {
        Ok(match ty {
            TEXT => json::as_text(e)?.map_or(Value::Null, Value::Text),
            _ => Value::Text(e.to_owned()),
        })
    };
    let items = json::elements(json).map(item).collect::<SqlResult<Vec<_>>>()?;
    array::build(ty, &items).map(Value::Blob)
}

// ---- values to JSON ----

fn ty(args: &[ValueRef<'_>], i: usize) -> SqlResult<Type> {
    int(args, i).map(|oid| Type(oid as u32))
}

/// `to_json`: numbers and booleans as they are, JSON inside, times in ISO 8601, anything else as a string of its text.
fn to_json(ty: Type, value: ValueRef<'_>, env: &Env) -> SqlResult<String> {
    let mut out = String::new();
    push_json(ty, value, env, &mut out)?;
    Ok(out)
}

fn push_json(ty: Type, value: ValueRef<'_>, env: &Env, out: &mut String) -> SqlResult<()> {
    if value.is_null() {
        out.push_str("null");
        return Ok(());
    }
    match (ty, value) {
        (BOOL, ValueRef::Int(n)) => out.push_str(if n != 0 { "true" } else { "false" }),
        (JSON | JSONB, ValueRef::Text(text)) => out.push_str(text),
        (DATE | TIMESTAMP | TIMESTAMPTZ, ValueRef::Int(n)) => push_time(ty, n, env, out)?,
        (Type::RECORD, ValueRef::Blob(bytes)) => push_record(bytes, ",", env, out)?,
        (_, ValueRef::Blob(bytes)) if ty.is_array() => push_array(bytes, env, out)?,
        _ => {
            let mut text = Vec::new();
            match (ty, stored_f64(value)) {
                // Floats do not depend on the session here: a number must read back.
                (FLOAT8, Some(x)) => push_f64(x, 1, &mut text),
                (FLOAT4, Some(x)) => push_f32(x as f32, 1, &mut text),
                _ => write_text(ty, NO_TYPMOD, value, env, &mut text)?,
            }
            let text = String::from_utf8(text).map_err(|e| SqlError::internal(e.to_string()))?;
            // NaN and infinities are no JSON numbers.
            let number = ty.is_numeric_like() && text.ends_with(|c: char| c.is_ascii_digit());
            if number { out.push_str(&text) } else { json::push_string(&text, out) }
        }
    }
    Ok(())
}

fn push_time(ty: Type, n: i64, env: &Env, out: &mut String) -> SqlResult<()> {
    json::push_string(&time_text(ty, n, env)?, out);
    Ok(())
}

fn time_text(ty: Type, n: i64, env: &Env) -> SqlResult<String> {
    const ISO: DateStyle = DateStyle { output: DateOutput::Iso, order: DateOrder::Ymd };
    let mut text = Vec::new();
    let zone = Zone::find(&env.time_zone)?;
    match ty {
        DATE => dt::write_date(n, ISO, &mut text),
        TIMESTAMPTZ => dt::write_timestamp(dt::utc_to_local(n, &zone)?, ISO, &mut text),
        _ => dt::write_timestamp(n, ISO, &mut text),
    }
    let mut text = String::from_utf8(text).map_err(|e| SqlError::internal(e.to_string()))?;
    if ty != DATE && !dt::is_infinite(n) {
        let (body, era) = match text.strip_suffix(" BC") {
            Some(body) => (body.replacen(' ', "T", 1), " BC"),
            None => (text.replacen(' ', "T", 1), ""),
        };
        text = body;
        if ty == TIMESTAMPTZ {
            let offset = zone.offset_at(n.div_euclid(dt::USECS_PER_SEC));
            let (sign, abs) = (if offset < 0 { '-' } else { '+' }, offset.abs());
            let _ = write!(text, "{sign}{:02}:{:02}", abs / 3600, abs / 60 % 60);
            if abs % 60 != 0 {
                let _ = write!(text, ":{:02}", abs % 60);
            }
        }
        text.push_str(era);
    }
    Ok(text)
}

/// A record as an object, with `between` its members.
pub(super) fn push_record(bytes: &[u8], between: &str, env: &Env, out: &mut String) -> SqlResult<()> {
    let record = Record::read(bytes)?;
    out.push('{');
    for (i, (field, value)) in record.fields.iter().zip(record.values).enumerate() {
        meter::work(4)?;
        out.push_str(if i > 0 { between } else { "" });
        json::push_string(&field.name, out);
        out.push(':');
        match (field.ty, value) {
            // As it is shown.
            (Type::BPCHAR, ValueRef::Text(_)) => {
                let mut text = Vec::new();
                write_text(field.ty, field.typmod, value, env, &mut text)?;
                let text = String::from_utf8(text).map_err(|e| SqlError::internal(e.to_string()))?;
                json::push_string(&text, out);
            }
            _ => push_json(field.ty, value, env, out)?,
        }
    }
    out.push('}');
    Ok(())
}

fn push_array(bytes: &[u8], env: &Env, out: &mut String) -> SqlResult<()> {
    let array = Array::read(bytes)?;
    let mut values = array.values()?.into_iter();
    let lengths: Vec<i32> = array.dims.iter().map(|(length, _)| *length).collect();
    if lengths.is_empty() {
        out.push_str("[]");
        return Ok(());
    }
    push_level(array.elem, &lengths, &mut values, env, out)
}

fn push_level(
    elem: Type,
    lengths: &[i32],
    values: &mut std::vec::IntoIter<Value>,
    env: &Env,
    out: &mut String,
) -> SqlResult<()> {
    out.push('[');
    for at in 0..lengths[0] {
        if at > 0 {
            out.push(',');
        }
        match lengths.len() {
            1 => push_json(elem, values.next().unwrap_or_default().as_ref(), env, out)?,
            _ => push_level(elem, &lengths[1..], values, env, out)?,
        }
    }
    out.push(']');
    Ok(())
}

/// A key's text. Errors: 22023 for NULL.
fn key_text(ty: Type, value: ValueRef<'_>, env: &Env, null: SqlError) -> SqlResult<String> {
    if value.is_null() {
        return Err(null);
    }
    if ty.is_array() || matches!(ty, JSON | JSONB | Type::RECORD) {
        return Err(invalid("key value must be scalar, not array, composite, or json"));
    }
    if let (DATE | TIMESTAMP | TIMESTAMPTZ, ValueRef::Int(n)) = (ty, value) {
        return time_text(ty, n, env);
    }
    let mut text = Vec::new();
    match ty {
        BOOL if value == ValueRef::Int(0) => text.extend_from_slice(b"false"),
        BOOL => text.extend_from_slice(b"true"),
        _ => write_text(ty, NO_TYPMOD, value, env, &mut text)?,
    }
    String::from_utf8(text).map_err(|e| SqlError::internal(e.to_string()))
}

/// The types that stand in the first argument, separated by commas, with the values that follow it.
fn typed<'a>(args: &[ValueRef<'a>]) -> SqlResult<Vec<(Type, ValueRef<'a>)>> {
    let types = text(args, 0)?.split(',').map(|oid| oid.trim().parse().map(Type));
    let pairs: Vec<_> = types.zip(&args[1..]).collect();
    pairs
        .into_iter()
        .map(|(ty, value)| Ok((ty.map_err(|_| SqlError::internal("a list of types holds OIDs"))?, *value)))
        .collect()
}

/// The elements of an array, of however many dimensions, and their type.
fn spread(args: &[ValueRef<'_>]) -> SqlResult<(Type, Vec<Value>)> {
    let array = Array::read(blob(args, 0)?)?;
    Ok((array.elem, array.values()?))
}

fn array_of(args: &[ValueRef<'_>], env: &Env) -> SqlResult<String> {
    let (ty, values) = spread(args)?;
    build_array(values.iter().map(|value| (ty, value.as_ref())), env)
}

fn object_of(args: &[ValueRef<'_>], name: &str, env: &Env) -> SqlResult<String> {
    let (ty, values) = spread(args)?;
    build_object(&values.iter().map(|value| (ty, value.as_ref())).collect::<Vec<_>>(), name, env)
}

fn build_array<'a>(items: impl IntoIterator<Item = (Type, ValueRef<'a>)>, env: &Env) -> SqlResult<String> {
    let mut out = String::from("[");
    for (at, (ty, value)) in items.into_iter().enumerate() {
        if at > 0 {
            out.push_str(", ");
        }
        push_json(ty, value, env, &mut out)?;
    }
    out.push(']');
    Ok(out)
}

/// `name` is that of the function.
fn build_object(typed: &[(Type, ValueRef<'_>)], name: &str, env: &Env) -> SqlResult<String> {
    if !typed.len().is_multiple_of(2) {
        return Err(invalid("argument list must have even number of elements")
            .hint(format!("The arguments of {name}() must consist of alternating keys and values.")));
    }
    let mut out = String::from("{");
    for (at, pair) in typed.chunks_exact(2).enumerate() {
        if at > 0 {
            out.push_str(", ");
        }
        let number = at * 2 + 1;
        let null = || match name {
            "jsonb_build_object" => invalid(format!("argument {number}: key must not be null")),
            _ => invalid(format!("argument {number} cannot be null")).hint("Object keys should be text."),
        };
        json::push_string(&key_text(pair[0].0, pair[0].1, env, null())?, &mut out);
        out.push_str(" : ");
        push_json(pair[1].0, pair[1].1, env, &mut out)?;
    }
    out.push('}');
    Ok(out)
}

fn object_text(pairs: impl Iterator<Item = (Option<String>, Option<String>)>) -> SqlResult<String> {
    let mut out = String::from("{");
    for (at, (key, value)) in pairs.enumerate() {
        let key =
            key.ok_or_else(|| SqlError::new(state::NULL_VALUE_NOT_ALLOWED, "null value not allowed for object key"))?;
        if at > 0 {
            out.push_str(", ");
        }
        json::push_string(&key, &mut out);
        out.push_str(" : ");
        match value {
            Some(value) => json::push_string(&value, &mut out),
            None => out.push_str("null"),
        }
    }
    out.push('}');
    Ok(out)
}

/// The dimensions of an array.
fn dimensions(args: &[ValueRef<'_>], i: usize) -> SqlResult<Vec<(i32, i32)>> {
    Ok(Array::read(blob(args, i)?)?.dims)
}

fn object_of_pairs(args: &[ValueRef<'_>]) -> SqlResult<String> {
    let wrong = |text: &str| Err(SqlError::new(state::ARRAY_SUBSCRIPT_ERROR, text));
    match dimensions(args, 0)?[..] {
        [] => {}
        [(length, _)] if length % 2 != 0 => return wrong("array must have even number of elements"),
        [_] => {}
        [_, (width, _)] if width != 2 => return wrong("array must have two columns"),
        [_, _] => {}
        _ => return wrong("wrong number of array subscripts"),
    }
    let flat = texts(args, 0)?;
    let pairs: Vec<_> = flat.chunks_exact(2).map(|pair| (pair[0].clone(), pair[1].clone())).collect();
    object_text(pairs.into_iter())
}

fn object_of_two(args: &[ValueRef<'_>]) -> SqlResult<String> {
    let wrong = |text: &str| Err(SqlError::new(state::ARRAY_SUBSCRIPT_ERROR, text));
    if dimensions(args, 0)?.len() > 1 || dimensions(args, 1)?.len() != dimensions(args, 0)?.len() {
        return wrong("wrong number of array subscripts");
    }
    let (keys, values) = (texts(args, 0)?, texts(args, 1)?);
    if keys.len() != values.len() {
        return wrong("mismatched array dimensions");
    }
    object_text(keys.into_iter().zip(values))
}

// ---- aggregates ----

pub const AGGREGATES: &[Aggregate] = &[
    accumulator("q_json_agg", 2, || Box::new(Collected::new(false, false))),
    accumulator("q_jsonb_agg", 2, || Box::new(Collected::new(true, false))),
    accumulator("q_json_object_agg", 4, || Box::new(Collected::new(false, true))),
    accumulator("q_jsonb_object_agg", 4, || Box::new(Collected::new(true, true))),
];

/// What json_agg puts before an item that has a structure, but before the first.
const NEW_LINE: &str = "\n ";

/// The JSON texts of the items so far, oldest first.
struct Collected {
    canonical: bool,
    object: bool,
    items: VecDeque<String>,
}

impl Collected {
    fn new(canonical: bool, object: bool) -> Collected {
        Collected { canonical, object, items: VecDeque::new() }
    }
}

impl Accumulator for Collected {
    fn step(&mut self, ctx: &mut Context, args: &[ValueRef<'_>]) -> SqlResult<()> {
        let mut item = String::new();
        let mut value = (ty(args, 0)?, args[1]);
        if self.object {
            let null = invalid("field name must not be null");
            json::push_string(&key_text(value.0, value.1, &ctx.env, null)?, &mut item);
            item.push_str(" : ");
            value = (ty(args, 2)?, args[3]);
        }
        if !self.object && !self.canonical && !value.1.is_null() && (value.0.is_array() || value.0 == Type::RECORD) {
            item.push_str(NEW_LINE);
        }
        push_json(value.0, value.1, &ctx.env, &mut item)?;
        meter::hold(item.len() + 2 * size_of::<String>())?;
        self.items.push_back(item);
        Ok(())
    }

    fn inverse(&mut self, _: &mut Context, _: &[ValueRef<'_>]) -> SqlResult<()> {
        self.items.pop_front();
        Ok(())
    }

    fn value(&mut self, _: &mut Context) -> SqlResult<Value> {
        if self.items.is_empty() {
            return Ok(Value::Null);
        }
        let (open, close) = if self.object { ("{ ", " }") } else { ("[", "]") };
        meter::hold(self.items.iter().map(|item| item.len() + 2).sum())?;
        let mut out = String::from(open);
        for (at, item) in self.items.iter().enumerate() {
            if at > 0 {
                out.push_str(", ");
                out.push_str(item);
            } else {
                out.push_str(item.strip_prefix(NEW_LINE).unwrap_or(item));
            }
        }
        out.push_str(close);
        if self.canonical { json::canonical(&out).map(Value::Text) } else { Ok(Value::Text(out)) }
    }
}
