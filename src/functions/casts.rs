//! Casts through text: any type to text by its output function, text and unknown literals to any type by its input function.
//!
//! Two names for each direction: `q_text` and `q_parse` for types whose text form depends on nothing but the value (SQLite
//! may then use them in indexes and call them once), `q_out` and `q_in` for those that depend on session settings.
//! Types whose text form is a name in the catalog (regclass and its kin, user-defined ones) are the binder's business.

use super::arg::{int, text};
use super::table::*;
use super::{Aggregate, Cast, CastContext, Function, Operator, Scalar, find_cast, find_cast_in};
use super::{Arguments, fill};
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
        Type::TEXT
        | Type::CITEXT
        | Type::VARCHAR
        | Type::NAME
        | Type::CHAR
        | Type::UNKNOWN
        | Type::CSTRING
        | Type::JSON => Form::Stored,
        Type::PG_NODE_TREE | Type::XML | Type::BIT | Type::VARBIT => Form::Stored,
        Type::INT2 | Type::INT4 | Type::INT8 | Type::OID | Type::XID | Type::XID8 | Type::CID => Form::Integer,
        Type::BOOL | Type::NUMERIC | Type::BPCHAR | Type::UUID | Type::JSONB => Form::Pure,
        Type::INET | Type::CIDR | Type::MACADDR | Type::MACADDR8 | Type::MONEY => Form::Pure,
        Type::INET_ARRAY | Type::CIDR_ARRAY | Type::MACADDR_ARRAY | Type::MACADDR8_ARRAY => Form::Pure,
        Type::INT2_ARRAY | Type::INT4_ARRAY | Type::INT8_ARRAY | Type::OID_ARRAY | Type::BOOL_ARRAY => Form::Pure,
        Type::TEXT_ARRAY | Type::VARCHAR_ARRAY | Type::NAME_ARRAY | Type::CHAR_ARRAY | Type::UUID_ARRAY => Form::Pure,
        Type::NUMERIC_ARRAY | Type::JSON_ARRAY | Type::JSONB_ARRAY | Type::INT2VECTOR | Type::OIDVECTOR => Form::Pure,
        _ => Form::Contextual,
    }
}

/// What stands before and behind a value of a type to make it text: its output function.
fn output(ty: Type, typmod: i32) -> (String, &'static str) {
    match form(ty) {
        Form::Stored => (String::new(), ""),
        Form::Integer => ("CAST(".to_owned(), " AS TEXT)"),
        Form::Pure => (format!("q_text({}, {typmod}, ", ty.0), ")"),
        Form::Contextual => (format!("q_out({}, {typmod}, ", ty.0), ")"),
    }
}

/// What stands before and behind a text to read it as a type: its input function. A type modifier is checked as in an
/// explicit cast; types whose casts apply the modifier (varchar, bpchar, numeric, …) have it applied by their input
/// function, too.
fn input(ty: Type, typmod: i32) -> (String, &'static str) {
    match form(ty) {
        Form::Stored if matches!(ty, Type::TEXT | Type::UNKNOWN | Type::CSTRING | Type::PG_NODE_TREE) => {
            (String::new(), "")
        }
        // A float's input depends on nothing, though its output does.
        _ if matches!(ty, Type::FLOAT4 | Type::FLOAT8 | Type::BYTEA) => (format!("q_parse({}, {typmod}, ", ty.0), ")"),
        Form::Contextual => (format!("q_in({}, {typmod}, ", ty.0), ")"),
        _ => (format!("q_parse({}, {typmod}, ", ty.0), ")"),
    }
}

fn write_around((before, behind): (String, &str), i: usize, args: &mut dyn Arguments) {
    args.out().push_str(&before);
    args.write(i);
    args.out().push_str(behind);
}

/// Writes an argument as text.
pub fn write_output(i: usize, args: &mut dyn Arguments) {
    let (ty, typmod) = args.of_type(i);
    write_around(output(ty, typmod), i, args);
}

/// How a value gets from one type to another.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Way {
    /// A cast of the tables.
    Cast(&'static Cast),
    /// By the output function, and from text by a cast of the tables.
    Output(Option<&'static Cast>),
    /// By the input function.
    Input,
}

/// The way between two types, and the narrowest context it is granted in; `None` if there is none.
///
/// Any type goes to a string type when stored and from one when written as a cast, through its text form.
/// `context` chooses among variants of one cast: storing into varchar(n) refuses what casting cuts.
pub fn way(from: Type, to: Type, context: CastContext) -> Option<(CastContext, Way)> {
    if let Some(cast) = find_cast_in(from, to, context).or_else(|| find_cast(from, to)) {
        let narrowest = find_cast(from, to).map_or(cast.context, |c| c.context);
        return Some((narrowest, Way::Cast(cast)));
    }
    let string = |ty| matches!(ty, Type::TEXT | Type::CITEXT | Type::VARCHAR | Type::BPCHAR | Type::NAME);
    if string(to) {
        if to == Type::TEXT {
            return Some((CastContext::Assignment, Way::Output(None)));
        }
        return match way(Type::TEXT, to, context)? {
            (_, Way::Cast(cast)) => Some((CastContext::Assignment, Way::Output(Some(cast)))),
            _ => None,
        };
    }
    (string(from) || from == Type::UNKNOWN).then_some((CastContext::Explicit, Way::Input))
}

impl Way {
    /// The value stays as it is, under another type.
    pub fn relabels(self, from: Type, to: Type) -> bool {
        let same = |cast: &Cast| cast.lower == "{0}";
        match self {
            Way::Cast(cast) => same(cast),
            Way::Output(cast) => form(from) == Form::Stored && cast.is_none_or(same),
            Way::Input => input(to, NO_TYPMOD).0.is_empty(),
        }
    }

    /// The target's type modifier is applied on the way.
    pub fn takes_modifier(self, to: Type) -> bool {
        let takes = |cast: &Cast| cast.lower.contains("{typmod}");
        match self {
            Way::Cast(cast) => takes(cast),
            Way::Output(cast) => cast.is_some_and(takes),
            Way::Input => !self.relabels(Type::TEXT, to) && !matches!(to, Type::BIT | Type::VARBIT),
        }
    }

    /// Writes the first argument as a value of type `to`.
    pub fn write(self, to: Type, typmod: i32, args: &mut dyn Arguments) {
        match self {
            Way::Cast(cast) => fill(cast.lower, args, typmod),
            Way::Output(None) => write_output(0, args),
            Way::Output(Some(cast)) => fill(cast.lower, &mut AsText(args), typmod),
            Way::Input => {
                let typmod = if self.takes_modifier(to) { typmod } else { NO_TYPMOD };
                write_around(input(to, typmod), 0, args);
            }
        }
    }
}

/// Arguments as text.
struct AsText<'a>(&'a mut dyn Arguments);

impl Arguments for AsText<'_> {
    fn count(&self) -> usize {
        self.0.count()
    }

    fn of_type(&self, _: usize) -> (Type, i32) {
        (Type::TEXT, NO_TYPMOD)
    }

    fn write(&mut self, i: usize) {
        write_output(i, self.0);
    }

    fn out(&mut self) -> &mut String {
        self.0.out()
    }
}
