//! numeric: operators, functions, casts, aggregates, and the collation that orders it.
//!
//! Comparisons are SQLite's own under the collation `pg_numeric`, so that indexes with that collation serve them.
//! Aggregates over integers that give a numeric are here, too. Float functions are in their own topic.

use super::arg::{from_text, int, invalid, real, text};
use super::table::*;
use super::{Accumulator, Aggregate, Cast, Collation, Context, Function, Native, Operator, Scalar};
use crate::error::{SqlError, SqlResult, SqlState, state};
use crate::meter;
use crate::types::numeric::{self, Numeric};
use crate::types::text::stored_numeric;
use crate::types::{Type, to_char};
use crate::value::{Value, ValueRef};
use std::collections::BTreeMap;

const N1: &[Type] = &[NUMERIC];
const N2: &[Type] = &[NUMERIC, NUMERIC];

pub const COMPARISONS: &[Operator] = &collated!(NUMERIC, "pg_numeric");

pub const OPERATORS: &[Operator] = &[
    op("+", NUMERIC, NUMERIC, NUMERIC, "q_num_add({0}, {1})"),
    op("-", NUMERIC, NUMERIC, NUMERIC, "q_num_sub({0}, {1})"),
    op("*", NUMERIC, NUMERIC, NUMERIC, "q_num_mul({0}, {1})"),
    op("/", NUMERIC, NUMERIC, NUMERIC, "q_num_div({0}, {1})"),
    op("%", NUMERIC, NUMERIC, NUMERIC, "q_num_mod({0}, {1})"),
    op("^", NUMERIC, NUMERIC, NUMERIC, "q_num_power({0}, {1})"),
    prefix("-", NUMERIC, NUMERIC, "q_num_neg({0})"),
    prefix("+", NUMERIC, NUMERIC, "{0}"),
    prefix("@", NUMERIC, NUMERIC, "q_num_abs({0})"),
];

pub const FUNCTIONS: &[Function] = &[
    func("abs", N1, NUMERIC, "q_num_abs({0})"),
    func("round", N1, NUMERIC, "q_num_round({0}, 0)"),
    func("round", &[NUMERIC, INT4], NUMERIC, "q_num_round({0}, {1})"),
    func("trunc", N1, NUMERIC, "q_num_trunc({0}, 0)"),
    func("trunc", &[NUMERIC, INT4], NUMERIC, "q_num_trunc({0}, {1})"),
    func("ceil", N1, NUMERIC, "q_num_ceil({0})"),
    func("ceiling", N1, NUMERIC, "q_num_ceil({0})"),
    func("floor", N1, NUMERIC, "q_num_floor({0})"),
    func("sign", N1, NUMERIC, "q_num_sign({0})"),
    func("sqrt", N1, NUMERIC, "q_num_sqrt({0})"),
    func("exp", N1, NUMERIC, "q_num_exp({0})"),
    func("ln", N1, NUMERIC, "q_num_ln({0})"),
    func("log", N1, NUMERIC, "q_num_log('10', {0})"),
    func("log10", N1, NUMERIC, "q_num_log('10', {0})"),
    func("log", N2, NUMERIC, "q_num_log({0}, {1})"),
    func("power", N2, NUMERIC, "q_num_power({0}, {1})"),
    func("pow", N2, NUMERIC, "q_num_power({0}, {1})"),
    func("mod", N2, NUMERIC, "q_num_mod({0}, {1})"),
    func("div", N2, NUMERIC, "q_num_div_trunc({0}, {1})"),
    func("gcd", N2, NUMERIC, "q_num_gcd({0}, {1})"),
    func("lcm", N2, NUMERIC, "q_num_lcm({0}, {1})"),
    func("scale", N1, INT4, "q_num_scale({0})"),
    func("min_scale", N1, INT4, "q_num_min_scale({0})"),
    func("trim_scale", N1, NUMERIC, "q_num_trim_scale({0})"),
    func("factorial", &[INT8], NUMERIC, "q_num_factorial({0})"),
    func("width_bucket", &[NUMERIC, NUMERIC, NUMERIC, INT4], INT4, "q_num_bucket({0}, {1}, {2}, {3})"),
    func("to_char", &[NUMERIC, TEXT], TEXT, "q_to_char_num({0}, {1})").stable(),
    func("to_char", &[INT4, TEXT], TEXT, "q_to_char_num({0}, {1})").stable(),
    func("to_char", &[INT8, TEXT], TEXT, "q_to_char_num({0}, {1})").stable(),
    func("to_char", &[FLOAT4, TEXT], TEXT, "q_to_char_f4({0}, {1})").stable(),
    func("to_char", &[FLOAT8, TEXT], TEXT, "q_to_char_f8({0}, {1})").stable(),
    func("to_number", &[TEXT, TEXT], NUMERIC, "q_to_number({0}, {1})").stable(),
    set("generate_series", N2, NUMERIC, "q_series_num({0}, {1}, '1')"),
    set("generate_series", &[NUMERIC, NUMERIC, NUMERIC], NUMERIC, "q_series_num({0}, {1}, {2})"),
    aggregate("min", N1, NUMERIC, "min({0})"),
    aggregate("max", N1, NUMERIC, "max({0})"),
    aggregate("sum", N1, NUMERIC, "q_num_sum({0})"),
    aggregate("sum", &[INT8], NUMERIC, "q_num_sum({0})"),
    aggregate("avg", N1, NUMERIC, "q_num_avg({0})"),
    aggregate("avg", &[INT2], NUMERIC, "q_num_avg({0})"),
    aggregate("avg", &[INT4], NUMERIC, "q_num_avg({0})"),
    aggregate("avg", &[INT8], NUMERIC, "q_num_avg({0})"),
    aggregate("variance", N1, NUMERIC, VAR_SAMP),
    aggregate("variance", &[INT2], NUMERIC, VAR_SAMP),
    aggregate("variance", &[INT4], NUMERIC, VAR_SAMP),
    aggregate("variance", &[INT8], NUMERIC, VAR_SAMP),
    aggregate("var_samp", N1, NUMERIC, VAR_SAMP),
    aggregate("var_samp", &[INT2], NUMERIC, VAR_SAMP),
    aggregate("var_samp", &[INT4], NUMERIC, VAR_SAMP),
    aggregate("var_samp", &[INT8], NUMERIC, VAR_SAMP),
    aggregate("var_pop", N1, NUMERIC, VAR_POP),
    aggregate("var_pop", &[INT2], NUMERIC, VAR_POP),
    aggregate("var_pop", &[INT4], NUMERIC, VAR_POP),
    aggregate("var_pop", &[INT8], NUMERIC, VAR_POP),
    aggregate("stddev", N1, NUMERIC, STDDEV_SAMP),
    aggregate("stddev", &[INT2], NUMERIC, STDDEV_SAMP),
    aggregate("stddev", &[INT4], NUMERIC, STDDEV_SAMP),
    aggregate("stddev", &[INT8], NUMERIC, STDDEV_SAMP),
    aggregate("stddev_samp", N1, NUMERIC, STDDEV_SAMP),
    aggregate("stddev_samp", &[INT2], NUMERIC, STDDEV_SAMP),
    aggregate("stddev_samp", &[INT4], NUMERIC, STDDEV_SAMP),
    aggregate("stddev_samp", &[INT8], NUMERIC, STDDEV_SAMP),
    aggregate("stddev_pop", N1, NUMERIC, STDDEV_POP),
    aggregate("stddev_pop", &[INT2], NUMERIC, STDDEV_POP),
    aggregate("stddev_pop", &[INT4], NUMERIC, STDDEV_POP),
    aggregate("stddev_pop", &[INT8], NUMERIC, STDDEV_POP),
];

const VAR_SAMP: &str = "q_num_var_samp({0})";
const VAR_POP: &str = "q_num_var_pop({0})";
const STDDEV_SAMP: &str = "q_num_stddev_samp({0})";
const STDDEV_POP: &str = "q_num_stddev_pop({0})";

/// An integer becomes a numeric by its digits; only storing and explicit casts carry a modifier.
const WHOLE: &str = "CAST({0} AS TEXT)";
const WHOLE_TYPMOD: &str = "q_num({0}, {typmod})";

pub const CASTS: &[Cast] = &[
    implicit(NUMERIC, NUMERIC, "{0}"),
    assignment(NUMERIC, NUMERIC, WHOLE_TYPMOD),
    implicit(INT2, NUMERIC, WHOLE),
    assignment(INT2, NUMERIC, WHOLE_TYPMOD),
    implicit(INT4, NUMERIC, WHOLE),
    assignment(INT4, NUMERIC, WHOLE_TYPMOD),
    implicit(INT8, NUMERIC, WHOLE),
    assignment(INT8, NUMERIC, WHOLE_TYPMOD),
    assignment(FLOAT4, NUMERIC, "q_num_from_f4({0}, {typmod})"),
    assignment(FLOAT8, NUMERIC, "q_num_from_f8({0}, {typmod})"),
    assignment(NUMERIC, INT2, "q_num_int({0}, 2)"),
    assignment(NUMERIC, INT4, "q_num_int({0}, 4)"),
    assignment(NUMERIC, INT8, "q_num_int({0}, 8)"),
    implicit(NUMERIC, FLOAT4, "q_num_f4({0})"),
    implicit(NUMERIC, FLOAT8, "q_num_f8({0})"),
];

pub const COLLATIONS: &[Collation] = &[Collation { name: "pg_numeric", compare: numeric::compare_text }];

fn num(args: &[ValueRef<'_>], i: usize) -> SqlResult<Numeric> {
    stored_numeric(args[i])
}

/// (numeric, width in bytes)
pub(super) fn to_int(args: &[ValueRef<'_>]) -> SqlResult<Value> {
    let (min, max, name) = match int(args, 1)? {
        2 => (i16::MIN.into(), i16::MAX.into(), "smallint"),
        4 => (i32::MIN.into(), i32::MAX.into(), "integer"),
        _ => (i64::MIN, i64::MAX, "bigint"),
    };
    num(args, 0)?.to_integer(min, max, name).map(Value::Int)
}

/// `a + b + c …` from left to right; what a NULL is added to is NULL.
fn sum(_: &mut Context, args: &[ValueRef<'_>]) -> SqlResult<Value> {
    let mut sum: Option<Numeric> = None;
    for i in 0..args.len() {
        if matches!(args[i], ValueRef::Null) {
            return Ok(Value::Null);
        }
        let next = num(args, i)?;
        sum = Some(match sum {
            None => next,
            Some(sum) => sum.add(&next)?,
        });
    }
    sum.map_or(Ok(Value::Null), done)
}

fn done(n: Numeric) -> SqlResult<Value> {
    n.charge_text()?;
    Ok(Value::Text(n.to_string()))
}

pub const SCALARS: &[Scalar] = &[
    scalar("q_num_sum", -1, sum).lax(),
    scalar("q_num_add", 2, |_, a| done(num(a, 0)?.add(&num(a, 1)?)?)),
    scalar("q_num_sub", 2, |_, a| done(num(a, 0)?.sub(&num(a, 1)?)?)),
    scalar("q_num_mul", 2, |_, a| done(num(a, 0)?.mul(&num(a, 1)?)?)),
    scalar("q_num_div", 2, |_, a| done(num(a, 0)?.div(&num(a, 1)?)?)),
    scalar("q_num_div_trunc", 2, |_, a| done(num(a, 0)?.div_trunc(&num(a, 1)?)?)),
    scalar("q_num_mod", 2, |_, a| done(num(a, 0)?.rem(&num(a, 1)?)?)),
    scalar("q_num_power", 2, |_, a| done(num(a, 0)?.power(&num(a, 1)?)?)),
    scalar("q_num_log", 2, |_, a| done(num(a, 1)?.log(&num(a, 0)?)?)),
    scalar("q_num_gcd", 2, |_, a| done(num(a, 0)?.gcd(&num(a, 1)?)?)),
    scalar("q_num_lcm", 2, |_, a| done(num(a, 0)?.lcm(&num(a, 1)?)?)),
    scalar("q_num_neg", 1, |_, a| done(num(a, 0)?.neg())),
    scalar("q_num_abs", 1, |_, a| done(num(a, 0)?.abs())),
    scalar("q_num_sign", 1, |_, a| done(num(a, 0)?.sign())),
    scalar("q_num_ceil", 1, |_, a| done(num(a, 0)?.ceil()?)),
    scalar("q_num_floor", 1, |_, a| done(num(a, 0)?.floor()?)),
    scalar("q_num_round", 2, |_, a| done(num(a, 0)?.round(clamp_scale(int(a, 1)?))?)),
    scalar("q_num_trunc", 2, |_, a| done(num(a, 0)?.trunc(clamp_scale(int(a, 1)?))?)),
    scalar("q_num_sqrt", 1, |_, a| done(num(a, 0)?.sqrt()?)),
    scalar("q_num_exp", 1, |_, a| done(num(a, 0)?.exp()?)),
    scalar("q_num_ln", 1, |_, a| done(num(a, 0)?.ln()?)),
    scalar("q_num_scale", 1, |_, a| scale_of(&num(a, 0)?, Numeric::scale)),
    scalar("q_num_min_scale", 1, |_, a| scale_of(&num(a, 0)?, Numeric::min_scale)),
    scalar("q_num_trim_scale", 1, |_, a| done(num(a, 0)?.trim_scale())),
    scalar("q_num_factorial", 1, |_, a| factorial(int(a, 0)?)),
    scalar("q_num_bucket", 4, |_, a| bucket(&num(a, 0)?, &num(a, 1)?, &num(a, 2)?, int(a, 3)?)),
    scalar("q_num", 2, |_, a| done(num(a, 0)?.with_typmod(int(a, 1)? as i32)?)),
    scalar("q_num_from_f4", 2, |_, a| done(Numeric::from_f64(real(a, 0)?, 6).with_typmod(int(a, 1)? as i32)?)),
    scalar("q_num_from_f8", 2, |_, a| done(Numeric::from_f64(real(a, 0)?, 15).with_typmod(int(a, 1)? as i32)?)),
    scalar("q_num_int", 2, |_, a| to_int(a)),
    scalar("q_num_f4", 1, |_, a| {
        // Through text, so that there is one rounding only.
        Ok(crate::types::text::real(crate::types::text::parse_f32(&num(a, 0)?.to_string())?.into()))
    }),
    scalar("q_num_f8", 1, |_, a| Ok(crate::types::text::real(num(a, 0)?.to_f64()?))),
    scalar("q_to_char_num", 2, |_, a| to_char::number(&num(a, 0)?, text(a, 1)?).map(from_text)),
    scalar("q_to_number", 2, |_, a| match text(a, 1)? {
        "" => Ok(Value::Null),
        template => done(to_char::parse_number(text(a, 0)?, template)?),
    }),
    scalar("q_to_char_f8", 2, |_, a| to_char::float(real(a, 0)?, 15, text(a, 1)?).map(from_text)),
    scalar("q_to_char_f4", 2, |_, a| to_char::float(real(a, 0)?, 6, text(a, 1)?).map(from_text)),
];

/// Scales beyond what a numeric can have round nothing, or all.
fn clamp_scale(scale: i64) -> i64 {
    scale.clamp(-131_072, 16_383)
}

/// NaN and infinities have no scale.
fn scale_of(n: &Numeric, of: fn(&Numeric) -> u32) -> SqlResult<Value> {
    Ok(match n {
        Numeric::Finite(_) => Value::Int(of(n).into()),
        _ => Value::Null,
    })
}

fn factorial(n: i64) -> SqlResult<Value> {
    if n < 0 {
        return Err(SqlError::new(state::NUMERIC_VALUE_OUT_OF_RANGE, "factorial of a negative number is undefined"));
    }
    if n > 32_177 {
        return Err(SqlError::new(state::NUMERIC_VALUE_OUT_OF_RANGE, "value overflows numeric format"));
    }
    let mut product = num_bigint::BigInt::from(1);
    for i in 2..=n {
        meter::work(1 + product.bits() as usize / 512)?;
        product *= i;
    }
    done(Numeric::from_bigint(product, 0))
}

/// `width_bucket`: in which of `count` equal parts from `low` to `high` the operand lies.
fn bucket(operand: &Numeric, low: &Numeric, high: &Numeric, count: i64) -> SqlResult<Value> {
    let error = |message: &str| Err(SqlError::new(SqlState::new("2201G"), message));
    if count <= 0 {
        return error("count must be greater than zero");
    }
    if [operand, low, high].iter().any(|n| n.is_nan()) {
        return error("operand, lower bound, and upper bound cannot be NaN");
    }
    if !matches!((low, high), (Numeric::Finite(_), Numeric::Finite(_))) {
        return error("lower and upper bounds must be finite");
    }
    let rising = match low.compare(high) {
        std::cmp::Ordering::Equal => return error("lower bound cannot equal upper bound"),
        order => order.is_lt(),
    };
    let before = |a: &Numeric, b: &Numeric| if rising { a.compare(b).is_lt() } else { a.compare(b).is_gt() };
    if before(operand, low) {
        return Ok(Value::Int(0));
    }
    if !before(operand, high) {
        return Ok(Value::Int(count + 1));
    }
    let part = operand.sub(low)?.mul(&Numeric::from(count))?.div_trunc(&high.sub(low)?)?;
    Ok(Value::Int(part.to_integer(0, i64::from(i32::MAX), "integer")? + 1))
}

/// The rows of `generate_series`.
pub(super) fn series(args: &[ValueRef<'_>]) -> SqlResult<impl Iterator<Item = SqlResult<Value>> + Send + use<>> {
    let (start, stop, step) = (num(args, 0)?, num(args, 1)?, num(args, 2)?);
    for (value, what) in [(&start, "start value"), (&stop, "stop value"), (&step, "step size")] {
        match value {
            Numeric::Finite(_) => {}
            Numeric::NaN => return Err(invalid(format!("{what} cannot be NaN"))),
            _ => return Err(invalid(format!("{what} cannot be infinity"))),
        }
    }
    if step.signum() == 0 {
        return Err(invalid("step size cannot equal zero"));
    }
    // All values have the largest scale of the three.
    let scale = start.scale().max(stop.scale()).max(step.scale());
    let mut next = Some(start.rescaled(scale));
    Ok(std::iter::from_fn(move || {
        let within =
            |at: &Numeric| if step.signum() > 0 { at.compare(&stop).is_le() } else { at.compare(&stop).is_ge() };
        let at = next.take().filter(within)?;
        let value = done(at.clone());
        match at.add(&step) {
            Ok(after) => next = Some(after),
            Err(error) => return Some(Err(error)),
        }
        Some(value)
    }))
}

// ---- aggregates ----

pub const AGGREGATES: &[Aggregate] = &[
    accumulator("q_num_sum", 1, || Box::new(Total::new(false, Total::sum))),
    accumulator("q_num_avg", 1, || Box::new(Total::new(false, Total::average))),
    accumulator("q_num_var_samp", 1, || Box::new(Total::new(true, |t| t.spread(true, false)))),
    accumulator("q_num_var_pop", 1, || Box::new(Total::new(true, |t| t.spread(false, false)))),
    accumulator("q_num_stddev_samp", 1, || Box::new(Total::new(true, |t| t.spread(true, true)))),
    accumulator("q_num_stddev_pop", 1, || Box::new(Total::new(true, |t| t.spread(false, true)))),
];

/// What all sums over numerics keep. Exact, so that a value can be taken back.
struct Total {
    result: fn(&Total) -> SqlResult<Option<Numeric>>,
    /// Squares are only kept for variances.
    squares: Option<Numeric>,
    sum: Numeric,
    count: i64,
    /// How many values have each scale: the sum is shown with the largest among them.
    scales: BTreeMap<u32, i64>,
    nans: i64,
    infinities: i64,
    negative_infinities: i64,
}

impl Total {
    fn new(squares: bool, result: fn(&Total) -> SqlResult<Option<Numeric>>) -> Total {
        Total {
            result,
            squares: squares.then_some(Numeric::ZERO),
            sum: Numeric::ZERO,
            count: 0,
            scales: BTreeMap::new(),
            nans: 0,
            infinities: 0,
            negative_infinities: 0,
        }
    }

    fn change(&mut self, value: ValueRef<'_>, by: i64) -> SqlResult<()> {
        if value.is_null() {
            return Ok(());
        }
        let n = stored_numeric(value)?;
        self.count += by;
        match n {
            Numeric::NaN => self.nans += by,
            Numeric::Infinity => self.infinities += by,
            Numeric::NegInfinity => self.negative_infinities += by,
            n => {
                let scale = n.scale();
                let users = self.scales.entry(scale).or_insert(0);
                *users += by;
                if *users == 0 {
                    self.scales.remove(&scale);
                }
                if let Some(squares) = &mut self.squares {
                    let square = n.mul(&n)?;
                    *squares = if by > 0 { squares.add(&square)? } else { squares.sub(&square)? };
                }
                self.sum = if by > 0 { self.sum.add(&n)? } else { self.sum.sub(&n)? };
            }
        }
        Ok(())
    }

    /// The sum with the scale of the values in it.
    fn total(&self) -> Numeric {
        match (self.nans > 0, self.infinities > 0, self.negative_infinities > 0) {
            (false, false, false) => self.sum.rescaled(self.scales.last_key_value().map_or(0, |(scale, _)| *scale)),
            (false, true, false) => Numeric::Infinity,
            (false, false, true) => Numeric::NegInfinity,
            _ => Numeric::NaN,
        }
    }

    fn sum(&self) -> SqlResult<Option<Numeric>> {
        Ok((self.count > 0).then(|| self.total()))
    }

    fn average(&self) -> SqlResult<Option<Numeric>> {
        if self.count == 0 { Ok(None) } else { self.total().div(&Numeric::from(self.count)).map(Some) }
    }

    fn spread(&self, sample: bool, root: bool) -> SqlResult<Option<Numeric>> {
        let scale = self.scales.last_key_value().map_or(0, |(scale, _)| *scale);
        let squares = self.squares.as_ref().map_or(Numeric::ZERO, |s| s.rescaled(2 * scale));
        Numeric::spread(self.count, &self.total(), &squares, sample, root)
    }
}

impl Accumulator for Total {
    fn step(&mut self, _: &mut Context, args: &[ValueRef<'_>]) -> SqlResult<()> {
        self.change(args[0], 1)
    }
    fn inverse(&mut self, _: &mut Context, args: &[ValueRef<'_>]) -> SqlResult<()> {
        self.change(args[0], -1)
    }
    fn value(&mut self, _: &mut Context) -> SqlResult<Value> {
        Ok((self.result)(self)?.map_or(Value::Null, |n| Value::Text(n.to_string())))
    }
}
