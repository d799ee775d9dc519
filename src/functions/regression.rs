//! `corr`, `covar_…` and `regr_…`: aggregates of pairs of floats, the dependent value first.

use super::arg::{from_real, real};
use super::table::*;
use super::{Accumulator, Aggregate, Cast, Context, Function, Operator, Scalar};
use crate::error::{SqlError, SqlResult, state};
use crate::meter;
use crate::types::Type;
use crate::value::{Value, ValueRef};
use std::collections::VecDeque;

const PAIR: &[Type] = &[FLOAT8, FLOAT8];

pub const OPERATORS: &[Operator] = &[];
pub const CASTS: &[Cast] = &[];
pub const SCALARS: &[Scalar] = &[];

pub const FUNCTIONS: &[Function] = &[
    aggregate("corr", PAIR, FLOAT8, "q_corr({0}, {1})"),
    aggregate("covar_pop", PAIR, FLOAT8, "q_covar_pop({0}, {1})"),
    aggregate("covar_samp", PAIR, FLOAT8, "q_covar_samp({0}, {1})"),
    aggregate("regr_avgx", PAIR, FLOAT8, "q_regr_avgx({0}, {1})"),
    aggregate("regr_avgy", PAIR, FLOAT8, "q_regr_avgy({0}, {1})"),
    aggregate("regr_count", PAIR, INT8, "q_regr_count({0}, {1})"),
    aggregate("regr_intercept", PAIR, FLOAT8, "q_regr_intercept({0}, {1})"),
    aggregate("regr_r2", PAIR, FLOAT8, "q_regr_r2({0}, {1})"),
    aggregate("regr_slope", PAIR, FLOAT8, "q_regr_slope({0}, {1})"),
    aggregate("regr_sxx", PAIR, FLOAT8, "q_regr_sxx({0}, {1})"),
    aggregate("regr_sxy", PAIR, FLOAT8, "q_regr_sxy({0}, {1})"),
    aggregate("regr_syy", PAIR, FLOAT8, "q_regr_syy({0}, {1})"),
];

/// What is asked of the sums over at least one pair.
type Asked = fn(&Sums) -> Option<f64>;

macro_rules! asked {
    ($($name:literal $result:expr;)*) => { &[$(accumulator($name, 2, || {
        let asked: Asked = $result;
        Box::new(Pairs::new(move |sums| if sums.count > 0.0 { asked(sums).map_or(Value::Null, from_real) } else { Value::Null }))
    }),)* accumulator("q_regr_count", 2, || Box::new(Pairs::new(|sums| Value::Int(sums.count as i64))))] };
}

pub const AGGREGATES: &[Aggregate] = asked! {
    "q_corr" |s| (s.xx != 0.0 && s.yy != 0.0).then(|| s.xy / libm::sqrt(s.xx * s.yy));
    "q_covar_pop" |s| Some(s.xy / s.count);
    "q_covar_samp" |s| (s.count > 1.0).then(|| s.xy / (s.count - 1.0));
    "q_regr_avgx" |s| Some(s.x / s.count);
    "q_regr_avgy" |s| Some(s.y / s.count);
    "q_regr_intercept" |s| (s.xx != 0.0).then(|| (s.y - s.x * s.xy / s.xx) / s.count);
    "q_regr_r2" |s| (s.xx != 0.0).then(|| if s.yy == 0.0 { 1.0 } else { s.xy * s.xy / (s.xx * s.yy) });
    "q_regr_slope" |s| (s.xx != 0.0).then(|| s.xy / s.xx);
    "q_regr_sxx" |s| Some(s.xx);
    "q_regr_sxy" |s| Some(s.xy);
    "q_regr_syy" |s| Some(s.yy);
};

/// Sums of the values and of their products, these as distances from the means (Youngs and Cramer), as in PostgreSQL.
#[derive(Clone, Copy, Default)]
struct Sums {
    count: f64,
    x: f64,
    y: f64,
    xx: f64,
    yy: f64,
    xy: f64,
}

impl Sums {
    fn add(&mut self, y: f64, x: f64) -> SqlResult<()> {
        let before = *self;
        self.count += 1.0;
        self.x += x;
        self.y += y;
        if before.count == 0.0 {
            let spread = |v: f64| if v.is_finite() { 0.0 } else { f64::NAN };
            (self.xx, self.yy, self.xy) = (spread(x), spread(y), spread(x) + spread(y));
            return Ok(());
        }
        let (dx, dy) = (x * self.count - self.x, y * self.count - self.y);
        let scale = 1.0 / (self.count * before.count);
        self.xx += dx * dx * scale;
        self.yy += dy * dy * scale;
        self.xy += dx * dy * scale;
        let (known_x, known_y) =
            (!before.x.is_infinite() && !x.is_infinite(), !before.y.is_infinite() && !y.is_infinite());
        if known_x && (self.x.is_infinite() || self.xx.is_infinite())
            || known_y && (self.y.is_infinite() || self.yy.is_infinite())
            || known_x && known_y && self.xy.is_infinite()
        {
            return Err(SqlError::new(state::NUMERIC_VALUE_OUT_OF_RANGE, "value out of range: overflow"));
        }
        for product in [&mut self.xx, &mut self.yy, &mut self.xy] {
            *product = if product.is_infinite() { f64::NAN } else { *product };
        }
        Ok(())
    }
}

/// An aggregate of pairs: nothing is taken back from sums of floats. Where a pair leaves a frame, all others are added up anew.
struct Pairs<F> {
    /// From the first pair that may leave.
    pairs: VecDeque<(f64, f64)>,
    sums: Sums,
    counted: usize,
    result: F,
}

impl<F: Fn(&Sums) -> Value> Pairs<F> {
    fn new(result: F) -> Pairs<F> {
        Pairs { pairs: VecDeque::new(), sums: Sums::default(), counted: 0, result }
    }
}

impl<F: Fn(&Sums) -> Value + Send> Accumulator for Pairs<F> {
    fn step(&mut self, _: &mut Context, args: &[ValueRef<'_>]) -> SqlResult<()> {
        if !args[0].is_null() && !args[1].is_null() {
            if self.pairs.len() == self.pairs.capacity() {
                meter::hold(size_of::<(f64, f64)>() * (self.pairs.len() + 4))?;
            }
            self.pairs.push_back((real(args, 0)?, real(args, 1)?));
        }
        Ok(())
    }
    fn inverse(&mut self, _: &mut Context, args: &[ValueRef<'_>]) -> SqlResult<()> {
        if !args[0].is_null() && !args[1].is_null() {
            self.pairs.pop_front();
            (self.sums, self.counted) = (Sums::default(), 0);
        }
        Ok(())
    }
    fn value(&mut self, _: &mut Context) -> SqlResult<Value> {
        meter::work(self.pairs.len() - self.counted)?;
        for (y, x) in self.pairs.range(self.counted..) {
            self.sums.add(*y, *x)?;
        }
        self.counted = self.pairs.len();
        Ok((self.result)(&self.sums))
    }
}
