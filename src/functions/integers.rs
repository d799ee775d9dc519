//! int2, int4, int8, oid and bool.
//!
//! Comparisons are SQLite's own, so that indexes serve them. Sums and products are SQLite's own inside a range check:
//! what leaves int8 becomes a REAL in SQLite, which the check sees. Division differs too much and is ours.

use super::arg::{division_by_zero, int, out_of_range};
use super::table::*;
use super::{Aggregate, Cast, Context, Function, Native, Operator, Scalar};
use crate::error::SqlResult;
use crate::types::Type;
use crate::value::{Value, ValueRef};

pub const COMPARISONS: &[Operator] = &comparisons::<72>(&[
    (INT2, INT2),
    (INT2, INT4),
    (INT2, INT8),
    (INT4, INT2),
    (INT4, INT4),
    (INT4, INT8),
    (INT8, INT2),
    (INT8, INT4),
    (INT8, INT8),
    (OID, OID),
    (BOOL, BOOL),
    (XID8, XID8),
]);

/// One arithmetic operator over all widths: its name and its text for a result of int2, int4, int8.
type ByWidth = (&'static str, [&'static str; 3]);

const fn arithmetic<const N: usize>(operators: &[ByWidth]) -> [Operator; N] {
    const WIDTHS: [Type; 3] = [INT2, INT4, INT8];
    assert!(N == 9 * operators.len());
    let mut all = [const { prefix("", Type::UNSPECIFIED, BOOL, "") }; N];
    let mut i = 0;
    while i < N {
        let (left, right) = (i % 9 / 3, i % 3);
        let wider = if left > right { left } else { right };
        let (name, lower) = operators[i / 9];
        all[i] = op(name, WIDTHS[left], WIDTHS[right], WIDTHS[wider], lower[wider]);
        i += 1;
    }
    all
}

pub const ARITHMETIC: &[Operator] = &arithmetic::<36>(&[
    ("+", ["q_int2({0} + {1})", "q_int4({0} + {1})", "q_int8({0} + {1})"]),
    ("-", ["q_int2({0} - {1})", "q_int4({0} - {1})", "q_int8({0} - {1})"]),
    ("*", ["q_int2({0} * {1})", "q_int4({0} * {1})", "q_int8({0} * {1})"]),
    ("/", ["q_int2(q_div({0}, {1}))", "q_int4(q_div({0}, {1}))", "q_div({0}, {1})"]),
]);

pub const OPERATORS: &[Operator] = &[
    op("=", XID, XID, BOOL, "({0} = {1})").native(Native::Plain),
    op("<>", XID, XID, BOOL, "({0} <> {1})").native(Native::Plain),
    op("=", XID, INT4, BOOL, "({0} = {1})").native(Native::Plain),
    op("<>", XID, INT4, BOOL, "({0} <> {1})").native(Native::Plain),
    op("=", CID, CID, BOOL, "({0} = {1})").native(Native::Plain),
    op("%", INT2, INT2, INT2, "q_mod({0}, {1})"),
    op("%", INT4, INT4, INT4, "q_mod({0}, {1})"),
    op("%", INT8, INT8, INT8, "q_mod({0}, {1})"),
    prefix("-", INT2, INT2, "q_int2(- {0})"),
    prefix("-", INT4, INT4, "q_int4(- {0})"),
    prefix("-", INT8, INT8, "q_int8(- {0})"),
    prefix("+", INT2, INT2, "{0}"),
    prefix("+", INT4, INT4, "{0}"),
    prefix("+", INT8, INT8, "{0}"),
    prefix("@", INT2, INT2, "q_int2(q_abs({0}))"),
    prefix("@", INT4, INT4, "q_int4(q_abs({0}))"),
    prefix("@", INT8, INT8, "q_abs({0})"),
    op("&", INT2, INT2, INT2, "({0} & {1})"),
    op("&", INT4, INT4, INT4, "({0} & {1})"),
    op("&", INT8, INT8, INT8, "({0} & {1})"),
    op("|", INT2, INT2, INT2, "({0} | {1})"),
    op("|", INT4, INT4, INT4, "({0} | {1})"),
    op("|", INT8, INT8, INT8, "({0} | {1})"),
    op("#", INT2, INT2, INT2, "q_xor({0}, {1})"),
    op("#", INT4, INT4, INT4, "q_xor({0}, {1})"),
    op("#", INT8, INT8, INT8, "q_xor({0}, {1})"),
    prefix("~", INT2, INT2, "(~ {0})"),
    prefix("~", INT4, INT4, "(~ {0})"),
    prefix("~", INT8, INT8, "(~ {0})"),
    op("<<", INT2, INT4, INT2, "q_shl({0}, {1}, 2)"),
    op("<<", INT4, INT4, INT4, "q_shl({0}, {1}, 4)"),
    op("<<", INT8, INT4, INT8, "q_shl({0}, {1}, 8)"),
    op(">>", INT2, INT4, INT2, "q_shr({0}, {1}, 2)"),
    op(">>", INT4, INT4, INT4, "q_shr({0}, {1}, 4)"),
    op(">>", INT8, INT4, INT8, "q_shr({0}, {1}, 8)"),
];

pub const FUNCTIONS: &[Function] = &[
    func("abs", &[INT2], INT2, "q_int2(q_abs({0}))"),
    func("abs", &[INT4], INT4, "q_int4(q_abs({0}))"),
    func("abs", &[INT8], INT8, "q_abs({0})"),
    func("mod", &[INT2, INT2], INT2, "q_mod({0}, {1})"),
    func("mod", &[INT4, INT4], INT4, "q_mod({0}, {1})"),
    func("mod", &[INT8, INT8], INT8, "q_mod({0}, {1})"),
    func("gcd", &[INT4, INT4], INT4, "q_int4(q_gcd({0}, {1}))"),
    func("gcd", &[INT8, INT8], INT8, "q_gcd({0}, {1})"),
    func("lcm", &[INT4, INT4], INT4, "q_int4(q_lcm({0}, {1}))"),
    func("lcm", &[INT8, INT8], INT8, "q_lcm({0}, {1})"),
    // Strict, unlike AND and OR.
    func("booland_statefunc", &[BOOL, BOOL], BOOL, "iif({0} + {1} IS NULL, NULL, {0} AND {1})"),
    func("boolor_statefunc", &[BOOL, BOOL], BOOL, "iif({0} + {1} IS NULL, NULL, {0} OR {1})"),
];

pub const CASTS: &[Cast] = &[
    implicit(INT2, INT4, "{0}"),
    implicit(INT2, INT8, "{0}"),
    implicit(INT4, INT8, "{0}"),
    assignment(INT4, INT2, "q_int2({0})"),
    assignment(INT8, INT2, "q_int2({0})"),
    assignment(INT8, INT4, "q_int4({0})"),
    explicit(XID8, XID, "({0} & 4294967295)"),
    explicit(INT4, BOOL, "({0} <> 0)"),
    explicit(BOOL, INT4, "{0}"),
    assignment(BOOL, TEXT, "iif({0}, 'true', iif({0} IS NULL, NULL, 'false'))"),
    assignment(BOOL, VARCHAR, "q_varchar(iif({0}, 'true', iif({0} IS NULL, NULL, 'false')), {typmod})"),
    explicit(BOOL, VARCHAR, "q_varchar_cut(iif({0}, 'true', iif({0} IS NULL, NULL, 'false')), {typmod})"),
    assignment(BOOL, BPCHAR, "q_bpchar(iif({0}, 'true', iif({0} IS NULL, NULL, 'false')), {typmod})"),
    explicit(BOOL, BPCHAR, "q_bpchar_cut(iif({0}, 'true', iif({0} IS NULL, NULL, 'false')), {typmod})"),
    implicit(INT2, OID, "q_oid({0}, 4)"),
    implicit(INT4, OID, "q_oid({0}, 4)"),
    implicit(INT8, OID, "q_oid({0}, 8)"),
    assignment(OID, INT4, "q_oid_int4({0})"),
    assignment(OID, INT8, "{0}"),
    implicit(OID, REGCLASS, "{0}"),
    implicit(REGCLASS, OID, "{0}"),
    implicit(INT2, REGCLASS, "q_oid({0}, 4)"),
    implicit(INT4, REGCLASS, "q_oid({0}, 4)"),
    implicit(INT8, REGCLASS, "q_oid({0}, 8)"),
    assignment(REGCLASS, INT4, "q_oid_int4({0})"),
    assignment(REGCLASS, INT8, "{0}"),
    implicit(OID, REGTYPE, "{0}"),
    implicit(REGTYPE, OID, "{0}"),
    implicit(INT2, REGTYPE, "q_oid({0}, 4)"),
    implicit(INT4, REGTYPE, "q_oid({0}, 4)"),
    implicit(INT8, REGTYPE, "q_oid({0}, 8)"),
    assignment(REGTYPE, INT4, "q_oid_int4({0})"),
    assignment(REGTYPE, INT8, "{0}"),
    implicit(OID, REGPROC, "{0}"),
    implicit(REGPROC, OID, "{0}"),
    implicit(INT4, REGPROC, "q_oid({0}, 4)"),
    implicit(INT8, REGPROC, "q_oid({0}, 8)"),
    assignment(REGPROC, INT4, "q_oid_int4({0})"),
    assignment(REGPROC, INT8, "{0}"),
    implicit(REGPROC, REGPROCEDURE, "{0}"),
    implicit(REGPROCEDURE, REGPROC, "{0}"),
    implicit(OID, REGPROCEDURE, "{0}"),
    implicit(REGPROCEDURE, OID, "{0}"),
    implicit(OID, REGOPER, "{0}"),
    implicit(REGOPER, OID, "{0}"),
    implicit(REGOPER, REGOPERATOR, "{0}"),
    implicit(OID, REGOPERATOR, "{0}"),
    implicit(REGOPERATOR, OID, "{0}"),
    implicit(REGOPERATOR, REGOPER, "{0}"),
    implicit(OID, REGNAMESPACE, "{0}"),
    implicit(REGNAMESPACE, OID, "{0}"),
    implicit(INT4, REGNAMESPACE, "q_oid({0}, 4)"),
    implicit(INT8, REGNAMESPACE, "q_oid({0}, 8)"),
    assignment(REGNAMESPACE, INT4, "q_oid_int4({0})"),
    assignment(REGNAMESPACE, INT8, "{0}"),
    implicit(OID, REGROLE, "{0}"),
    implicit(REGROLE, OID, "{0}"),
];

pub const SCALARS: &[Scalar] = &[
    scalar("q_int2", 1, |_, a| range(a, i16::MIN.into(), i16::MAX.into(), "smallint")),
    scalar("q_int4", 1, |_, a| range(a, i32::MIN.into(), i32::MAX.into(), "integer")),
    scalar("q_int8", 1, |_, a| range(a, i64::MIN, i64::MAX, "bigint")),
    scalar("q_sum", -1, sum).lax(),
    scalar("q_div", 2, divide),
    scalar("q_mod", 2, modulo),
    scalar("q_abs", 1, |_, a| checked(int(a, 0)?.checked_abs())),
    scalar("q_xor", 2, |_, a| Ok(Value::Int(int(a, 0)? ^ int(a, 1)?))),
    scalar("q_shl", 3, shift_left),
    scalar("q_shr", 3, shift_right),
    scalar("q_gcd", 2, |_, a| checked(i64::try_from(gcd(int(a, 0)?, int(a, 1)?)).ok())),
    scalar("q_lcm", 2, |_, a| checked(lcm(int(a, 0)?, int(a, 1)?))),
    scalar("q_oid", 2, to_oid),
    scalar("q_oid_int4", 1, |_, a| Ok(Value::Int((int(a, 0)? as u32 as i32).into()))),
];

pub const AGGREGATES: &[Aggregate] = &[];

/// The value, if it is within a type's range; SQLite's integer arithmetic yields a REAL where it left int8.
fn range(args: &[ValueRef<'_>], min: i64, max: i64, ty: &str) -> SqlResult<Value> {
    match args[0] {
        ValueRef::Real(_) => Err(out_of_range(ty)),
        _ => match int(args, 0)? {
            v if v < min || v > max => Err(out_of_range(ty)),
            v => Ok(Value::Int(v)),
        },
    }
}

/// `a + b + c …` from left to right, of a type of so many bytes: each step is in its range, and what a NULL is added to is
/// NULL.
fn sum(_: &mut Context, args: &[ValueRef<'_>]) -> SqlResult<Value> {
    let (min, max, ty) = match int(args, 0)? {
        2 => (i16::MIN.into(), i16::MAX.into(), "smallint"),
        4 => (i32::MIN.into(), i32::MAX.into(), "integer"),
        _ => (i64::MIN, i64::MAX, "bigint"),
    };
    let mut sum: i64 = 0;
    for i in 1..args.len() {
        if matches!(args[i], ValueRef::Null) {
            return Ok(Value::Null);
        }
        sum = sum.checked_add(int(args, i)?).filter(|s| (min..=max).contains(s)).ok_or_else(|| out_of_range(ty))?;
    }
    Ok(Value::Int(sum))
}

fn checked(v: Option<i64>) -> SqlResult<Value> {
    v.map(Value::Int).ok_or_else(|| out_of_range("bigint"))
}

fn divide(_: &mut Context, args: &[ValueRef<'_>]) -> SqlResult<Value> {
    match (int(args, 0)?, int(args, 1)?) {
        (_, 0) => Err(division_by_zero()),
        (a, b) => checked(a.checked_div(b)),
    }
}

fn modulo(_: &mut Context, args: &[ValueRef<'_>]) -> SqlResult<Value> {
    match (int(args, 0)?, int(args, 1)?) {
        (_, 0) => Err(division_by_zero()),
        (a, b) => Ok(Value::Int(a.wrapping_rem(b))),
    }
}

/// Shifts count modulo the width, and what leaves the width is lost, as on the machines Postgres runs on.
/// int2 is widened to 32 bits for the shift.
fn shift_left(_: &mut Context, args: &[ValueRef<'_>]) -> SqlResult<Value> {
    let (v, n) = (int(args, 0)?, int(args, 1)? as u32);
    Ok(Value::Int(match int(args, 2)? {
        2 => i64::from((v as i32).wrapping_shl(n) as i16),
        4 => (v as i32).wrapping_shl(n).into(),
        _ => v.wrapping_shl(n),
    }))
}

fn shift_right(_: &mut Context, args: &[ValueRef<'_>]) -> SqlResult<Value> {
    let (v, n) = (int(args, 0)?, int(args, 1)? as u32);
    Ok(Value::Int(match int(args, 2)? {
        8 => v.wrapping_shr(n),
        _ => (v as i32).wrapping_shr(n).into(),
    }))
}

fn gcd(a: i64, b: i64) -> u64 {
    let (mut a, mut b) = (a.unsigned_abs(), b.unsigned_abs());
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

fn lcm(a: i64, b: i64) -> Option<i64> {
    match gcd(a, b) {
        0 => Some(0),
        g => i64::try_from(a.unsigned_abs() / g).ok()?.checked_mul(b.checked_abs()?),
    }
}

/// To an OID: int4's bits are taken as they are, int8 is checked.
fn to_oid(_: &mut Context, args: &[ValueRef<'_>]) -> SqlResult<Value> {
    match (int(args, 0)?, int(args, 1)?) {
        (v, 4) => Ok(Value::Int((v as i32 as u32).into())),
        (v, _) => u32::try_from(v).map(|v| Value::Int(v.into())).map_err(|_| out_of_range("OID")),
    }
}
