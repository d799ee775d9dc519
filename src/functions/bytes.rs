//! `bytea`: what treats its bytes as the functions of text treat characters, and the binary forms of values (`…send`).

use super::arg::{blob, from_bool, int};
use super::table::*;
use super::{Aggregate, Cast, Context, Function, Operator, Scalar, text};
use crate::error::SqlResult;
use crate::types::{NO_TYPMOD, Type, binary};
use crate::value::{Value, ValueRef};

pub const OPERATORS: &[Operator] = &[
    op("~~", BYTEA, BYTEA, BOOL, "q_bytes_like({0}, {1})"),
    op("!~~", BYTEA, BYTEA, BOOL, "(NOT q_bytes_like({0}, {1}))"),
];
pub const CASTS: &[Cast] = &[];
pub const AGGREGATES: &[Aggregate] = &[];

const SEND: &str = "q_send({0}, {0:type})";

pub const FUNCTIONS: &[Function] = &[
    func("like", &[BYTEA, BYTEA], BOOL, "q_bytes_like({0}, {1})"),
    func("notlike", &[BYTEA, BYTEA], BOOL, "(NOT q_bytes_like({0}, {1}))"),
    func("like_escape", &[BYTEA, BYTEA], BYTEA, "q_bytes_like_escape({0}, {1})"),
    func("btrim", &[BYTEA, BYTEA], BYTEA, "q_bytes_trim({0}, {1}, 3)"),
    func("ltrim", &[BYTEA, BYTEA], BYTEA, "q_bytes_trim({0}, {1}, 1)"),
    func("rtrim", &[BYTEA, BYTEA], BYTEA, "q_bytes_trim({0}, {1}, 2)"),
    func("overlay", &[BYTEA, BYTEA, INT4], BYTEA, "q_bytes_overlay({0}, {1}, {2})"),
    func("overlay", &[BYTEA, BYTEA, INT4, INT4], BYTEA, "q_bytes_overlay({0}, {1}, {2}, {3})"),
    func("boolsend", &[BOOL], BYTEA, SEND),
    func("byteasend", &[BYTEA], BYTEA, "{0}"),
    func("date_send", &[DATE], BYTEA, SEND),
    func("float4send", &[FLOAT4], BYTEA, SEND),
    func("float8send", &[FLOAT8], BYTEA, SEND),
    func("int2send", &[INT2], BYTEA, SEND),
    func("int4send", &[INT4], BYTEA, SEND),
    func("int8send", &[INT8], BYTEA, SEND),
    func("interval_send", &[INTERVAL], BYTEA, SEND),
    func("numeric_send", &[NUMERIC], BYTEA, SEND),
    func("oidsend", &[OID], BYTEA, SEND),
    func("time_send", &[TIME], BYTEA, SEND),
    func("timestamp_send", &[TIMESTAMP], BYTEA, SEND),
    func("timestamptz_send", &[TIMESTAMPTZ], BYTEA, SEND),
    func("uuid_send", &[UUID], BYTEA, SEND),
];

pub const SCALARS: &[Scalar] = &[
    scalar("q_bytes_like", 2, |_, a| text::like(&characters(blob(a, 0)?), &characters(blob(a, 1)?)).map(from_bool)),
    scalar("q_bytes_like_escape", 2, |_, a| {
        text::like_escape(&characters(blob(a, 0)?), &characters(blob(a, 1)?)).map(|text| bytes(&text))
    }),
    scalar("q_bytes_trim", 3, |ctx, a| as_texts(ctx, a, text::trim)),
    scalar("q_bytes_overlay", 3, |ctx, a| as_texts(ctx, a, text::overlay)),
    scalar("q_bytes_overlay", 4, |ctx, a| as_texts(ctx, a, text::overlay)),
    scalar("q_send", 2, |ctx, a| {
        let mut out = Vec::new();
        binary::write_binary(Type(int(a, 1)? as u32), NO_TYPMOD, a[0], &ctx.env, &mut out)?;
        Ok(Value::Blob(out))
    })
    .contextual(),
];

/// Each byte as a character.
fn characters(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(*byte)).collect()
}

/// The bytes of such characters.
fn bytes(characters: &str) -> Value {
    Value::Blob(characters.chars().map(|c| u32::from(c) as u8).collect())
}

/// A function of text for two values of `bytea` and numbers.
fn as_texts(
    ctx: &mut Context,
    args: &[ValueRef<'_>],
    of_texts: fn(&mut Context, &[ValueRef<'_>]) -> SqlResult<Value>,
) -> SqlResult<Value> {
    let (first, second) = (characters(blob(args, 0)?), characters(blob(args, 1)?));
    let mut texts = vec![ValueRef::Text(&first), ValueRef::Text(&second)];
    texts.extend_from_slice(&args[2..]);
    Ok(match of_texts(ctx, &texts)? {
        Value::Text(text) => bytes(&text),
        other => other,
    })
}
