//! money: cents, which compare as numbers do. Sums and products beyond the range of bigint are errors (22003).

use super::arg::{division_by_zero, from_text, int, real, text};
use super::floats::bounded;
use super::table::*;
use super::{Accumulator, Aggregate, Cast, Context, Function, Operator, Scalar};
use crate::error::{SqlError, SqlResult, state};
use crate::types::numeric::Numeric;
use crate::types::{Type, money};
use crate::value::{Value, ValueRef};

const MONEY: Type = Type::MONEY;
const PAIR: &[Type] = &[MONEY, MONEY];

pub const COMPARISONS: &[Operator] = &comparisons::<6>(&[(MONEY, MONEY)]);

pub const OPERATORS: &[Operator] = &[
    op("+", MONEY, MONEY, MONEY, "q_money_add({0}, {1})"),
    op("-", MONEY, MONEY, MONEY, "q_money_add({0}, q_money_times(-1, {1}))"),
    op("*", MONEY, INT2, MONEY, "q_money_times({0}, {1})"),
    op("*", MONEY, INT4, MONEY, "q_money_times({0}, {1})"),
    op("*", MONEY, INT8, MONEY, "q_money_times({0}, {1})"),
    op("*", INT2, MONEY, MONEY, "q_money_times({1}, {0})"),
    op("*", INT4, MONEY, MONEY, "q_money_times({1}, {0})"),
    op("*", INT8, MONEY, MONEY, "q_money_times({1}, {0})"),
    op("*", MONEY, FLOAT4, MONEY, "q_money_times_f8({0}, {1})"),
    op("*", MONEY, FLOAT8, MONEY, "q_money_times_f8({0}, {1})"),
    op("*", FLOAT4, MONEY, MONEY, "q_money_times_f8({1}, {0})"),
    op("*", FLOAT8, MONEY, MONEY, "q_money_times_f8({1}, {0})"),
    op("/", MONEY, INT2, MONEY, "q_money_by({0}, {1})"),
    op("/", MONEY, INT4, MONEY, "q_money_by({0}, {1})"),
    op("/", MONEY, INT8, MONEY, "q_money_by({0}, {1})"),
    op("/", MONEY, FLOAT4, MONEY, "q_money_by_f8({0}, {1})"),
    op("/", MONEY, FLOAT8, MONEY, "q_money_by_f8({0}, {1})"),
    op("/", MONEY, MONEY, FLOAT8, "q_money_ratio({0}, {1})"),
];

pub const FUNCTIONS: &[Function] = &[
    func("cash_words", &[MONEY], TEXT, "q_money_words({0})"),
    func("cash_cmp", PAIR, INT4, "(({0} > {1}) - ({0} < {1}))"),
    func("cashlarger", PAIR, MONEY, "max({0}, {1})"),
    func("cashsmaller", PAIR, MONEY, "min({0}, {1})"),
    func("money", &[INT4], MONEY, "q_int_money({0})"),
    func("money", &[INT8], MONEY, "q_int_money({0})"),
    func("money", &[NUMERIC], MONEY, "q_num_money({0})"),
    func("numeric", &[MONEY], NUMERIC, "q_money_num({0})"),
    aggregate("sum", &[MONEY], MONEY, "q_money_sum({0})"),
    aggregate("min", &[MONEY], MONEY, "min({0})"),
    aggregate("max", &[MONEY], MONEY, "max({0})"),
];

pub const CASTS: &[Cast] = &[
    assignment(INT4, MONEY, "q_int_money({0})"),
    assignment(INT8, MONEY, "q_int_money({0})"),
    assignment(NUMERIC, MONEY, "q_num_money({0})"),
    assignment(MONEY, NUMERIC, "q_num(q_money_num({0}), {typmod})"),
];

pub const AGGREGATES: &[Aggregate] = &[Aggregate { name: "q_money_sum", args: 1, init: || Box::new(Sum::default()) }];

pub const SCALARS: &[Scalar] = &[
    scalar("q_money_add", 2, |_, a| within(int(a, 0)?.checked_add(int(a, 1)?))),
    scalar("q_money_times", 2, |_, a| within(int(a, 0)?.checked_mul(int(a, 1)?))),
    scalar("q_money_by", 2, |_, a| match int(a, 1)? {
        0 => Err(division_by_zero()),
        n => within(int(a, 0)?.checked_div(n)),
    }),
    scalar("q_money_times_f8", 2, |_, a| {
        let (cents, by) = (int(a, 0)? as f64, real(a, 1)?);
        rounded(bounded(cents * by, by.is_infinite(), true)?)
    }),
    scalar("q_money_by_f8", 2, |_, a| {
        let (cents, by) = (int(a, 0)? as f64, real(a, 1)?);
        if by == 0.0 {
            return Err(division_by_zero());
        }
        rounded(bounded(cents / by, false, true)?)
    }),
    scalar("q_money_ratio", 2, |_, a| match int(a, 1)? {
        0 => Err(division_by_zero()),
        by => Ok(Value::Real(int(a, 0)? as f64 / by as f64)),
    }),
    scalar("q_money_words", 1, |_, a| Ok(from_text(money::words(int(a, 0)?)))),
    scalar("q_int_money", 1, |_, a| match int(a, 0)?.checked_mul(10i64.pow(money::DECIMALS)) {
        Some(cents) => Ok(Value::Int(cents)),
        None => Err(SqlError::new(state::NUMERIC_VALUE_OUT_OF_RANGE, "bigint out of range")),
    }),
    scalar("q_num_money", 1, |_, a| {
        let number = Numeric::parse(text(a, 0)?)?;
        let special = match number {
            Numeric::NaN => Some("NaN"),
            Numeric::Infinity | Numeric::NegInfinity => Some("infinity"),
            _ => None,
        };
        if let Some(what) = special {
            let text = format!("cannot convert {what} to bigint");
            return Err(SqlError::new(state::FEATURE_NOT_SUPPORTED, text));
        }
        let cents = number.mul(&Numeric::from(10i64.pow(money::DECIMALS)))?.round(0)?;
        Ok(Value::Int(cents.to_integer(i64::MIN, i64::MAX, "bigint")?))
    }),
    scalar("q_money_num", 1, |_, a| Ok(from_text(Numeric::scaled(int(a, 0)?.into(), money::DECIMALS).to_string()))),
];

fn out_of_range() -> SqlError {
    SqlError::new(state::NUMERIC_VALUE_OUT_OF_RANGE, "money out of range")
}

fn within(cents: Option<i64>) -> SqlResult<Value> {
    Ok(Value::Int(cents.ok_or_else(out_of_range)?))
}

/// The nearest whole number, the even one of two.
fn rounded(x: f64) -> SqlResult<Value> {
    let x = x.round_ties_even();
    // 2⁶³ is the first that is too large.
    match (-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&x) {
        true => Ok(Value::Int(x as i64)),
        false => Err(out_of_range()),
    }
}

#[derive(Default)]
struct Sum {
    cents: i128,
    count: u64,
}

impl Accumulator for Sum {
    fn step(&mut self, _: &mut Context, args: &[ValueRef<'_>]) -> SqlResult<()> {
        if !args[0].is_null() {
            self.cents += i128::from(int(args, 0)?);
            self.count += 1;
        }
        Ok(())
    }
    fn inverse(&mut self, _: &mut Context, args: &[ValueRef<'_>]) -> SqlResult<()> {
        if !args[0].is_null() {
            self.cents -= i128::from(int(args, 0)?);
            self.count -= 1;
        }
        Ok(())
    }
    fn value(&mut self, _: &mut Context) -> SqlResult<Value> {
        match self.count {
            0 => Ok(Value::Null),
            _ => within(i64::try_from(self.cents).ok()),
        }
    }
}
