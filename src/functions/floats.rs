//! float4 and float8.
//!
//! Arithmetic is ours, because SQLite turns a NaN into NULL and does not report overflow. Transcendental functions come
//! from one pure Rust implementation, so that replicas on different platforms agree in every bit. Comparisons are SQLite's
//! own: NaN is the text 'NaN', which SQLite sorts after all numbers and finds equal to itself, as Postgres does.

use super::arg::{division_by_zero, from_real, int, out_of_range, real};
use super::table::*;
use super::{Aggregate, Cast, Context, Function, Operator, Scalar, degrees};
use crate::error::{SqlError, SqlResult, SqlState, state};
use crate::value::{Value, ValueRef};

pub const COMPARISONS: &[Operator] =
    &comparisons::<24>(&[(FLOAT4, FLOAT4), (FLOAT4, FLOAT8), (FLOAT8, FLOAT4), (FLOAT8, FLOAT8)]);

const fn arithmetic<const N: usize>(rows: &[(&'static str, &'static str, &'static str)]) -> [Operator; N] {
    assert!(N == 4 * rows.len());
    let mut all = [const { prefix("", FLOAT8, FLOAT8, "") }; N];
    let mut i = 0;
    while i < N {
        let (name, single, double) = rows[i / 4];
        all[i] = match i % 4 {
            0 => op(name, FLOAT4, FLOAT4, FLOAT4, single),
            1 => op(name, FLOAT4, FLOAT8, FLOAT8, double),
            2 => op(name, FLOAT8, FLOAT4, FLOAT8, double),
            _ => op(name, FLOAT8, FLOAT8, FLOAT8, double),
        };
        i += 1;
    }
    all
}

pub const ARITHMETIC: &[Operator] = &arithmetic::<16>(&[
    ("+", "q_f4_add({0}, {1})", "q_f8_add({0}, {1})"),
    ("-", "q_f4_sub({0}, {1})", "q_f8_sub({0}, {1})"),
    ("*", "q_f4_mul({0}, {1})", "q_f8_mul({0}, {1})"),
    ("/", "q_f4_div({0}, {1})", "q_f8_div({0}, {1})"),
]);

pub const OPERATORS: &[Operator] = &[
    prefix("-", FLOAT4, FLOAT4, "q_f8_neg({0})"),
    prefix("-", FLOAT8, FLOAT8, "q_f8_neg({0})"),
    prefix("+", FLOAT4, FLOAT4, "{0}"),
    prefix("+", FLOAT8, FLOAT8, "{0}"),
    prefix("@", FLOAT4, FLOAT4, "q_f8_abs({0})"),
    prefix("@", FLOAT8, FLOAT8, "q_f8_abs({0})"),
    prefix("|/", FLOAT8, FLOAT8, "q_sqrt({0})"),
    prefix("||/", FLOAT8, FLOAT8, "q_cbrt({0})"),
    op("^", FLOAT8, FLOAT8, FLOAT8, "q_power({0}, {1})"),
];

const F8: &[crate::types::Type] = &[FLOAT8];
const F8_F8: &[crate::types::Type] = &[FLOAT8, FLOAT8];

pub const FUNCTIONS: &[Function] = &[
    func("abs", &[FLOAT4], FLOAT4, "q_f8_abs({0})"),
    func("abs", F8, FLOAT8, "q_f8_abs({0})"),
    func("round", F8, FLOAT8, "q_f8_round({0})"),
    func("ceil", F8, FLOAT8, "q_f8_ceil({0})"),
    func("ceiling", F8, FLOAT8, "q_f8_ceil({0})"),
    func("floor", F8, FLOAT8, "q_f8_floor({0})"),
    func("trunc", F8, FLOAT8, "q_f8_trunc({0})"),
    func("sign", F8, FLOAT8, "q_f8_sign({0})"),
    func("sqrt", F8, FLOAT8, "q_sqrt({0})"),
    func("cbrt", F8, FLOAT8, "q_cbrt({0})"),
    func("power", F8_F8, FLOAT8, "q_power({0}, {1})"),
    func("pow", F8_F8, FLOAT8, "q_power({0}, {1})"),
    func("exp", F8, FLOAT8, "q_exp({0})"),
    func("ln", F8, FLOAT8, "q_ln({0})"),
    func("log", F8, FLOAT8, "q_log10({0})"),
    func("log10", F8, FLOAT8, "q_log10({0})"),
    func("sin", F8, FLOAT8, "q_sin({0})"),
    func("cos", F8, FLOAT8, "q_cos({0})"),
    func("tan", F8, FLOAT8, "q_tan({0})"),
    func("cot", F8, FLOAT8, "q_cot({0})"),
    func("asin", F8, FLOAT8, "q_asin({0})"),
    func("acos", F8, FLOAT8, "q_acos({0})"),
    func("atan", F8, FLOAT8, "q_atan({0})"),
    func("atan2", F8_F8, FLOAT8, "q_atan2({0}, {1})"),
    func("sind", F8, FLOAT8, "q_sind({0})"),
    func("cosd", F8, FLOAT8, "q_cosd({0})"),
    func("tand", F8, FLOAT8, "q_tand({0})"),
    func("cotd", F8, FLOAT8, "q_cotd({0})"),
    func("asind", F8, FLOAT8, "q_asind({0})"),
    func("acosd", F8, FLOAT8, "q_acosd({0})"),
    func("atand", F8, FLOAT8, "q_atand({0})"),
    func("atan2d", F8_F8, FLOAT8, "q_atan2d({0}, {1})"),
    func("sinh", F8, FLOAT8, "q_sinh({0})"),
    func("cosh", F8, FLOAT8, "q_cosh({0})"),
    func("tanh", F8, FLOAT8, "q_tanh({0})"),
    func("asinh", F8, FLOAT8, "q_asinh({0})"),
    func("acosh", F8, FLOAT8, "q_acosh({0})"),
    func("atanh", F8, FLOAT8, "q_atanh({0})"),
    func("degrees", F8, FLOAT8, "q_degrees({0})"),
    func("radians", F8, FLOAT8, "q_radians({0})"),
    func("pi", &[], FLOAT8, "3.141592653589793"),
    func("random", &[], FLOAT8, "q_random()").volatile(),
    // What random() draws from is in the log.
    func("setseed", &[FLOAT8], VOID, "q_unsupported('setseed')").volatile(),
    func("width_bucket", &[FLOAT8, FLOAT8, FLOAT8, INT4], INT4, "q_f8_bucket({0}, {1}, {2}, {3})"),
];

pub const CASTS: &[Cast] = &[
    implicit(INT2, FLOAT4, "CAST({0} AS REAL)"),
    implicit(INT4, FLOAT4, "q_int_f4({0})"),
    implicit(INT8, FLOAT4, "q_int_f4({0})"),
    implicit(INT2, FLOAT8, "CAST({0} AS REAL)"),
    implicit(INT4, FLOAT8, "CAST({0} AS REAL)"),
    implicit(INT8, FLOAT8, "CAST({0} AS REAL)"),
    implicit(FLOAT4, FLOAT8, "{0}"),
    assignment(FLOAT8, FLOAT4, "q_f4({0})"),
    assignment(FLOAT4, INT2, "q_f8_int({0}, 2)"),
    assignment(FLOAT4, INT4, "q_f8_int({0}, 4)"),
    assignment(FLOAT4, INT8, "q_f8_int({0}, 8)"),
    assignment(FLOAT8, INT2, "q_f8_int({0}, 2)"),
    assignment(FLOAT8, INT4, "q_f8_int({0}, 4)"),
    assignment(FLOAT8, INT8, "q_f8_int({0}, 8)"),
];

pub const AGGREGATES: &[Aggregate] = &[];

pub const SCALARS: &[Scalar] = &[
    scalar("q_f4_add", 2, |_, a| narrow(a, add)),
    scalar("q_f4_sub", 2, |_, a| narrow(a, sub)),
    scalar("q_f4_mul", 2, |_, a| narrow(a, mul)),
    scalar("q_f4_div", 2, |_, a| narrow(a, div)),
    scalar("q_f8_add", 2, |_, a| binary(a, add)),
    scalar("q_f8_sub", 2, |_, a| binary(a, sub)),
    scalar("q_f8_mul", 2, |_, a| binary(a, mul)),
    scalar("q_f8_div", 2, |_, a| binary(a, div)),
    scalar("q_f8_neg", 1, |_, a| unary(a, |x| -x)),
    scalar("q_f8_abs", 1, |_, a| unary(a, f64::abs)),
    scalar("q_f8_round", 1, |_, a| unary(a, libm::rint)),
    scalar("q_f8_ceil", 1, |_, a| unary(a, libm::ceil)),
    scalar("q_f8_floor", 1, |_, a| unary(a, libm::floor)),
    scalar("q_f8_trunc", 1, |_, a| unary(a, libm::trunc)),
    scalar("q_f8_sign", 1, |_, a| unary(a, |x| if x == 0.0 || x.is_nan() { 0.0 } else { x.signum() })),
    scalar("q_sqrt", 1, |_, a| {
        domain(a, |x| x < 0.0, POWER, "cannot take square root of a negative number", libm::sqrt)
    }),
    scalar("q_cbrt", 1, |_, a| unary(a, libm::cbrt)),
    scalar("q_power", 2, |_, a| binary(a, power)),
    scalar("q_exp", 1, |_, a| {
        binary(&[a[0], ValueRef::Null], |x, _| bounded(exp(x), x.is_infinite(), x.is_infinite()))
    }),
    scalar("q_ln", 1, |_, a| logarithm(a, libm::log)),
    scalar("q_log10", 1, |_, a| logarithm(a, libm::log10)),
    scalar("q_sin", 1, |_, a| domain(a, f64::is_infinite, RANGE, INPUT, libm::sin)),
    scalar("q_cos", 1, |_, a| domain(a, f64::is_infinite, RANGE, INPUT, libm::cos)),
    scalar("q_tan", 1, |_, a| domain(a, f64::is_infinite, RANGE, INPUT, libm::tan)),
    scalar("q_cot", 1, |_, a| domain(a, f64::is_infinite, RANGE, INPUT, |x| 1.0 / libm::tan(x))),
    scalar("q_asin", 1, |_, a| domain(a, |x| x.abs() > 1.0, RANGE, INPUT, libm::asin)),
    scalar("q_acos", 1, |_, a| domain(a, |x| x.abs() > 1.0, RANGE, INPUT, libm::acos)),
    scalar("q_atan", 1, |_, a| unary(a, libm::atan)),
    scalar("q_atan2", 2, |_, a| binary(a, |y, x| Ok(libm::atan2(y, x)))),
    scalar("q_sind", 1, |_, a| domain(a, f64::is_infinite, RANGE, INPUT, degrees::sin)),
    scalar("q_cosd", 1, |_, a| domain(a, f64::is_infinite, RANGE, INPUT, degrees::cos)),
    scalar("q_tand", 1, |_, a| domain(a, f64::is_infinite, RANGE, INPUT, degrees::tan)),
    scalar("q_cotd", 1, |_, a| domain(a, f64::is_infinite, RANGE, INPUT, degrees::cot)),
    scalar("q_asind", 1, |_, a| domain(a, |x| x.abs() > 1.0, RANGE, INPUT, degrees::asin)),
    scalar("q_acosd", 1, |_, a| domain(a, |x| x.abs() > 1.0, RANGE, INPUT, degrees::acos)),
    scalar("q_atand", 1, |_, a| unary(a, degrees::atan)),
    scalar("q_atan2d", 2, |_, a| binary(a, |y, x| Ok(degrees::atan2(y, x)))),
    scalar("q_sinh", 1, |_, a| unary(a, libm::sinh)),
    scalar("q_cosh", 1, |_, a| unary(a, libm::cosh)),
    scalar("q_tanh", 1, |_, a| unary(a, libm::tanh)),
    scalar("q_asinh", 1, |_, a| unary(a, libm::asinh)),
    scalar("q_acosh", 1, |_, a| domain(a, |x| x < 1.0, RANGE, INPUT, libm::acosh)),
    scalar("q_atanh", 1, |_, a| domain(a, |x| x.abs() > 1.0, RANGE, INPUT, atanh)),
    scalar("q_degrees", 1, |_, a| binary(&[a[0], ValueRef::Null], |x, _| div(x, std::f64::consts::PI / 180.0))),
    scalar("q_radians", 1, |_, a| binary(&[a[0], ValueRef::Null], |x, _| mul(x, std::f64::consts::PI / 180.0))),
    scalar("q_random", 0, |ctx, _| Ok(Value::Real((ctx.random() >> 11) as f64 / (1u64 << 53) as f64))).contextual(),
    scalar("q_f8_bucket", 4, bucket),
    scalar("q_int_f4", 1, |_, a| Ok(Value::Real(f64::from(int(a, 0)? as f32)))),
    scalar("q_f4", 1, to_single),
    scalar("q_f8_int", 2, |_, a| to_int(a)),
];

const POWER: SqlState = SqlState::new("2201F");
const LOGARITHM: SqlState = SqlState::new("2201E");
const BUCKET: SqlState = SqlState::new("2201G");
const RANGE: SqlState = state::NUMERIC_VALUE_OUT_OF_RANGE;
const INPUT: &str = "input is out of range";

/// 22003 where a result became infinite or zero that had no right to.
pub(super) fn bounded(result: f64, may_overflow: bool, may_underflow: bool) -> SqlResult<f64> {
    if result.is_infinite() && !may_overflow {
        return Err(SqlError::new(RANGE, "value out of range: overflow"));
    }
    if result == 0.0 && !may_underflow {
        return Err(SqlError::new(RANGE, "value out of range: underflow"));
    }
    Ok(result)
}

fn add(a: f64, b: f64) -> SqlResult<f64> {
    bounded(a + b, a.is_infinite() || b.is_infinite(), true)
}
fn sub(a: f64, b: f64) -> SqlResult<f64> {
    bounded(a - b, a.is_infinite() || b.is_infinite(), true)
}
fn mul(a: f64, b: f64) -> SqlResult<f64> {
    bounded(a * b, a.is_infinite() || b.is_infinite(), a == 0.0 || b == 0.0)
}
fn div(a: f64, b: f64) -> SqlResult<f64> {
    if b == 0.0 && !a.is_nan() {
        return Err(division_by_zero());
    }
    bounded(a / b, a.is_infinite(), a == 0.0 || b.is_infinite())
}

fn unary(args: &[ValueRef<'_>], f: fn(f64) -> f64) -> SqlResult<Value> {
    let x = real(args, 0)?;
    bounded(f(x), x.is_infinite() || x.is_nan(), true).map(from_real)
}

/// The second argument is 0 where it is NULL, for functions that have none.
fn binary(args: &[ValueRef<'_>], f: fn(f64, f64) -> SqlResult<f64>) -> SqlResult<Value> {
    let second = if args[1].is_null() { 0.0 } else { real(args, 1)? };
    f(real(args, 0)?, second).map(from_real)
}

/// In single precision. A double holds the exact sum's, product's and quotient's rounding to single (it has more than twice
/// the digits), so computing in double and rounding once is exact.
fn narrow(args: &[ValueRef<'_>], f: fn(f64, f64) -> SqlResult<f64>) -> SqlResult<Value> {
    let (a, b) = (real(args, 0)?, real(args, 1)?);
    single(f(a, b)?, a.is_infinite() || b.is_infinite()).map(from_real)
}

fn single(v: f64, may_overflow: bool) -> SqlResult<f64> {
    bounded(f64::from(v as f32), may_overflow || v.is_infinite(), v == 0.0)
}

fn to_single(_: &mut Context, args: &[ValueRef<'_>]) -> SqlResult<Value> {
    single(real(args, 0)?, false).map(from_real)
}

fn domain(
    args: &[ValueRef<'_>],
    outside: fn(f64) -> bool,
    code: SqlState,
    message: &str,
    f: fn(f64) -> f64,
) -> SqlResult<Value> {
    match real(args, 0)? {
        x if outside(x) => Err(SqlError::new(code, message)),
        x => Ok(from_real(f(x))),
    }
}

fn logarithm(args: &[ValueRef<'_>], f: fn(f64) -> f64) -> SqlResult<Value> {
    match real(args, 0)? {
        0.0 => Err(SqlError::new(LOGARITHM, "cannot take logarithm of zero")),
        x if x < 0.0 => Err(SqlError::new(LOGARITHM, "cannot take logarithm of a negative number")),
        x => Ok(from_real(f(x))),
    }
}

fn atanh(x: f64) -> f64 {
    if x.abs() == 1.0 { x * f64::INFINITY } else { libm::atanh(x) }
}

fn power(a: f64, b: f64) -> SqlResult<f64> {
    // NaN^0 and 1^NaN are 1, by POSIX and Postgres.
    if a.is_nan() || b.is_nan() {
        return Ok(if b == 0.0 || a == 1.0 { 1.0 } else { f64::NAN });
    }
    if a == 0.0 && b < 0.0 {
        return Err(SqlError::new(POWER, "zero raised to a negative power is undefined"));
    }
    if a < 0.0 && libm::floor(b) != b {
        return Err(SqlError::new(POWER, "a negative number raised to a non-integer power yields a complex result"));
    }
    let infinite = a.is_infinite() || b.is_infinite();
    bounded(libm::pow(a, b), infinite, infinite || a == 0.0)
}

/// Rounds to nearest, halves to even.
/// (float, width in bytes)
pub(super) fn to_int(args: &[ValueRef<'_>]) -> SqlResult<Value> {
    let (v, width) = (libm::rint(real(args, 0)?), int(args, 1)?);
    let (name, limit) = match width {
        2 => ("smallint", 32768.0),
        4 => ("integer", 2147483648.0),
        _ => ("bigint", 9223372036854775808.0),
    };
    if v >= -limit && v < limit { Ok(Value::Int(v as i64)) } else { Err(out_of_range(name)) }
}

fn bucket(_: &mut Context, args: &[ValueRef<'_>]) -> SqlResult<Value> {
    let (x, low, high, n) = (real(args, 0)?, real(args, 1)?, real(args, 2)?, int(args, 3)?);
    let refuse = |message| Err(SqlError::new(BUCKET, message));
    if n <= 0 {
        return refuse("count must be greater than zero");
    }
    if x.is_nan() || low.is_nan() || high.is_nan() {
        return refuse("operand, lower bound, and upper bound cannot be NaN");
    }
    if low.is_infinite() || high.is_infinite() {
        return refuse("lower and upper bounds must be finite");
    }
    let inside = |from: f64, to: f64, x: f64| (n as f64 * ((x - from) / (to - from))) as i64 + 1;
    Ok(Value::Int(match (low < high, low > high) {
        (true, _) if x < low => 0,
        (true, _) if x >= high => n + 1,
        (true, _) => inside(low, high, x).min(n),
        (_, true) if x > low => 0,
        (_, true) if x <= high => n + 1,
        (_, true) => inside(-low, -high, -x).min(n),
        _ => return refuse("lower bound cannot equal upper bound"),
    }))
}

/// The exponential, rounded once: as sums of two doubles each, which no library's last digit decides.
fn exp(x: f64) -> f64 {
    const LN2_HIGH: f64 = 6.931_471_803_691_238e-1;
    const LN2_LOW: f64 = 1.908_214_929_270_587_7e-10;
    // Beyond these the result has fewer digits, or is none.
    if !(-700.0..=709.0).contains(&x) || x == 0.0 {
        return libm::exp(x);
    }
    let times = libm::rint(x * std::f64::consts::LOG2_E);
    // The first product is exact. A 256th of what is left needs few terms.
    let rest = Pair::of(x - times * LN2_HIGH).minus(Pair::product(times, LN2_LOW));
    let part = rest.scaled(1.0 / 256.0);
    let (mut sum, mut term) = (part, part);
    for n in 2..=10 {
        term = term.times(part).over(f64::from(n));
        sum = sum.plus(term);
    }
    // (1 + s)² - 1 = 2s + s²
    for _ in 0..8 {
        sum = sum.scaled(2.0).plus(sum.times(sum));
    }
    libm::ldexp(Pair::of(1.0).plus(sum).high, times as i32)
}

/// A number as a double and what it lacks.
#[derive(Clone, Copy)]
struct Pair {
    high: f64,
    low: f64,
}

impl Pair {
    fn of(high: f64) -> Pair {
        Pair { high, low: 0.0 }
    }

    /// Exactly.
    fn sum(a: f64, b: f64) -> Pair {
        let high = a + b;
        let part = high - a;
        Pair { high, low: (a - (high - part)) + (b - part) }
    }

    /// Exactly.
    fn product(a: f64, b: f64) -> Pair {
        let high = a * b;
        Pair { high, low: libm::fma(a, b, -high) }
    }

    fn plus(self, other: Pair) -> Pair {
        let sum = Pair::sum(self.high, other.high);
        let low = Pair::sum(self.low, other.low);
        let first = Pair::sum(sum.high, sum.low + low.high);
        Pair::sum(first.high, first.low + low.low)
    }

    fn minus(self, other: Pair) -> Pair {
        self.plus(Pair { high: -other.high, low: -other.low })
    }

    fn times(self, other: Pair) -> Pair {
        let product = Pair::product(self.high, other.high);
        Pair::sum(product.high, product.low + (self.high * other.low + self.low * other.high))
    }

    /// By a power of two.
    fn scaled(self, by: f64) -> Pair {
        Pair { high: self.high * by, low: self.low * by }
    }

    fn over(self, by: f64) -> Pair {
        let high = self.high / by;
        let back = Pair::product(high, by);
        let rest = ((self.high - back.high) - back.low) + self.low;
        Pair::sum(high, rest / by)
    }
}

#[cfg(test)]
mod tests {
    use super::exp;

    #[test]
    fn exponentials_are_rounded_once() {
        for (x, wanted) in [
            (1.0, std::f64::consts::E),
            (-1.0, 0.367_879_441_171_442_33),
            (0.5, 1.648_721_270_700_128_2),
            (10.0, 22_026.465_794_806_718),
            (709.0, 8.218_407_461_554_972e307),
            (-700.0, 9.859_676_543_759_77e-305),
            (1e-20, 1.0),
        ] {
            assert_eq!(exp(x), wanted, "{x}");
        }
        assert!(exp(f64::NAN).is_nan());
        assert_eq!((exp(f64::NEG_INFINITY), exp(1000.0), exp(0.0)), (0.0, f64::INFINITY, 1.0));
    }
}
