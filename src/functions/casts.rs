//! Casts through text: any type to text by its output function, text and unknown literals to any type by its input function.
//!
//! Two names for each direction: `q_text` and `q_parse` for types whose text form depends on nothing but the value (SQLite
//! may then use them in indexes and call them once), `q_out` and `q_in` for those that depend on session settings.
//! Types whose text form is a name in the catalog (regclass and its kin, user-defined ones) are the binder's business.

use super::arg::{int, text};
use super::table::*;
use super::{Aggregate, Cast, CastContext, Function, Operator, Scalar, find_cast, find_cast_in};
use super::{Argument, render};
use crate::error::SqlResult;
use crate::types::text::{parse_text_at, write_text};
use crate::types::{Env, NO_TYPMOD, Type};
use crate::value::{Value, ValueRef};
use std::sync::LazyLock;

pub const FUNCTIONS: &[Function] = &[];
pub const OPERATORS: &[Operator] = &[];
pub const CASTS: &[Cast] = &[];
pub const AGGREGATES: &[Aggregate] = &[];

pub const SCALARS: &[Scalar] = &[
    scalar("q_text", 3, |_, a| show(a, &DEFAULT_ENV)),
    scalar("q_out", 3, |ctx, a| show(a, &ctx.env)).contextual(),
    scalar("q_parse", 3, |_, a| read(a, &DEFAULT_ENV, None)),
    scalar("q_in", 3, |ctx, a| read(a, &ctx.env, Some(ctx.now))).contextual(),
];

static DEFAULT_ENV: LazyLock<Env> = LazyLock::new(Env::default);

fn header(args: &[ValueRef<'_>]) -> SqlResult<(Type, i32)> {
    Ok((Type(int(args, 0)? as u32), int(args, 1)? as i32))
}

fn show(args: &[ValueRef<'_>], env: &Env) -> SqlResult<Value> {
    let (ty, typmod) = header(args)?;
    to_text(ty, typmod, args[2], env).map(Value::Text)
}

fn read(args: &[ValueRef<'_>], env: &Env, now: Option<i64>) -> SqlResult<Value> {
    let (ty, typmod) = header(args)?;
    parse_text_at(ty, typmod, text(args, 2)?, env, now)
}

/// The text form of a value that is not NULL.
pub(super) fn to_text(ty: Type, typmod: i32, value: ValueRef<'_>, env: &Env) -> SqlResult<String> {
    let mut out = Vec::new();
    write_text(ty, typmod, value, env, &mut out)?;
    String::from_utf8(out).map_err(|e| crate::error::SqlError::internal(format!("an output function: {e}")))
}

/// How a type's text form comes about.
#[derive(PartialEq)]
enum Form {
    /// It is what SQLite stores.
    Stored,
    /// SQLite's own text of an integer.
    Integer,
    /// A function of the value alone.
    Pure,
    /// A function of the value and the session's settings.
    Contextual,
}

fn form(ty: Type) -> Form {
    match ty {
        Type::TEXT | Type::VARCHAR | Type::NAME | Type::CHAR | Type::UNKNOWN | Type::CSTRING | Type::JSON => {
            Form::Stored
        }
        Type::PG_NODE_TREE | Type::XML => Form::Stored,
        Type::INT2 | Type::INT4 | Type::INT8 | Type::OID | Type::XID | Type::CID => Form::Integer,
        Type::BOOL | Type::NUMERIC | Type::BPCHAR | Type::UUID | Type::JSONB => Form::Pure,
        Type::INT2_ARRAY | Type::INT4_ARRAY | Type::INT8_ARRAY | Type::OID_ARRAY | Type::BOOL_ARRAY => Form::Pure,
        Type::TEXT_ARRAY | Type::VARCHAR_ARRAY | Type::NAME_ARRAY | Type::CHAR_ARRAY | Type::UUID_ARRAY => Form::Pure,
        Type::NUMERIC_ARRAY | Type::JSON_ARRAY | Type::JSONB_ARRAY | Type::INT2VECTOR | Type::OIDVECTOR => Form::Pure,
        _ => Form::Contextual,
    }
}

/// SQLite text for the value `sql` of a type as text: its output function.
pub fn output(ty: Type, typmod: i32, sql: &str) -> String {
    match form(ty) {
        Form::Stored => sql.to_owned(),
        Form::Integer => format!("CAST({sql} AS TEXT)"),
        Form::Pure => format!("q_text({}, {typmod}, {sql})", ty.0),
        Form::Contextual => format!("q_out({}, {typmod}, {sql})", ty.0),
    }
}

/// SQLite text for the text `sql` read as a type: its input function. A type modifier is checked as in an explicit cast;
/// types whose casts apply the modifier (varchar, bpchar, numeric, …) have it applied by their input function, too.
pub fn input(ty: Type, typmod: i32, sql: &str) -> String {
    match form(ty) {
        Form::Stored if matches!(ty, Type::TEXT | Type::UNKNOWN | Type::CSTRING | Type::PG_NODE_TREE) => sql.to_owned(),
        // A float's input depends on nothing, though its output does.
        _ if matches!(ty, Type::FLOAT4 | Type::FLOAT8 | Type::BYTEA) => format!("q_parse({}, {typmod}, {sql})", ty.0),
        Form::Contextual => format!("q_in({}, {typmod}, {sql})", ty.0),
        _ => format!("q_parse({}, {typmod}, {sql})", ty.0),
    }
}

/// SQLite text for a cast, and the narrowest context it is granted in; `None` if there is no way from one type to the other.
///
/// Any type goes to a string type when stored and from one when written as a cast, through its text form.
/// `context` chooses among variants of one cast: storing into varchar(n) refuses what casting cuts.
pub fn cast(from: Argument<'_>, to: Type, typmod: i32, context: CastContext) -> Option<(CastContext, String)> {
    if let Some(cast) = find_cast_in(from.ty, to, context).or_else(|| find_cast(from.ty, to)) {
        let narrowest = find_cast(from.ty, to).map_or(cast.context, |c| c.context);
        return Some((narrowest, render(cast.lower, &[from], typmod)));
    }
    let string = |ty| matches!(ty, Type::TEXT | Type::VARCHAR | Type::BPCHAR | Type::NAME);
    if string(to) {
        let sql = output(from.ty, from.typmod, from.sql);
        if to == Type::TEXT {
            return Some((CastContext::Assignment, sql));
        }
        let text = Argument { sql: &sql, ty: Type::TEXT, typmod: NO_TYPMOD };
        let (_, sql) = cast(text, to, typmod, context)?;
        return Some((CastContext::Assignment, sql));
    }
    (string(from.ty) || from.ty == Type::UNKNOWN).then(|| (CastContext::Explicit, input(to, typmod, from.sql)))
}
