//! Aggregates and window functions.
//!
//! SQLite's own where it does exactly the same: counting, extremes, sums of small integers, all pure window functions.
//! Those of floats are ours, and add in PostgreSQL's way, so that they round as there. Nothing is ever taken back from a
//! sum of floats: where rows leave a frame, it is added up anew, by implementations that keep the frame's values.

use super::arg::{blob, from_real, int, real, text};
use super::table::*;
use super::{Accumulator, Aggregate, Cast, Context, Function, Operator, Scalar, arrays};
use crate::error::{SqlError, SqlResult, state};
use crate::meter;
use crate::types::Type;
use crate::types::interval::Interval;
use crate::value::{Value, ValueRef};
use std::collections::VecDeque;

pub const OPERATORS: &[Operator] = &[];
pub const CASTS: &[Cast] = &[];
pub const SCALARS: &[Scalar] = &[];

const MIN: &str = "min({0})";
const MAX: &str = "max({0})";

pub const FUNCTIONS: &[Function] = &[
    aggregate("count", &[], INT8, "count(*)"),
    aggregate("count", &[ANY], INT8, "count({0})"),
    aggregate("min", &[INT2], INT2, MIN),
    aggregate("min", &[INT4], INT4, MIN),
    aggregate("min", &[INT8], INT8, MIN),
    aggregate("min", &[OID], OID, MIN),
    aggregate("min", &[FLOAT4], FLOAT4, MIN),
    aggregate("min", &[FLOAT8], FLOAT8, MIN),
    aggregate("min", &[TEXT], TEXT, MIN),
    aggregate("min", &[BPCHAR], BPCHAR, MIN),
    aggregate("min", &[DATE], DATE, MIN),
    aggregate("min", &[TIME], TIME, MIN),
    aggregate("min", &[TIMESTAMP], TIMESTAMP, MIN),
    aggregate("min", &[TIMESTAMPTZ], TIMESTAMPTZ, MIN),
    aggregate("max", &[INT2], INT2, MAX),
    aggregate("max", &[INT4], INT4, MAX),
    aggregate("max", &[INT8], INT8, MAX),
    aggregate("max", &[OID], OID, MAX),
    aggregate("max", &[FLOAT4], FLOAT4, MAX),
    aggregate("max", &[FLOAT8], FLOAT8, MAX),
    aggregate("max", &[TEXT], TEXT, MAX),
    aggregate("max", &[BPCHAR], BPCHAR, MAX),
    aggregate("max", &[DATE], DATE, MAX),
    aggregate("max", &[TIME], TIME, MAX),
    aggregate("max", &[TIMESTAMP], TIMESTAMP, MAX),
    aggregate("max", &[TIMESTAMPTZ], TIMESTAMPTZ, MAX),
    // Sums of int4 leave int8 only after 2³² rows; SQLite reports it.
    aggregate("sum", &[INT2], INT8, "sum({0})"),
    aggregate("sum", &[INT4], INT8, "sum({0})"),
    aggregate("sum", &[FLOAT4], FLOAT4, "q_sum_f4({0})"),
    aggregate("sum", &[FLOAT8], FLOAT8, "q_sum_f8({0})"),
    aggregate("avg", &[FLOAT4], FLOAT8, "q_avg_f8({0})"),
    aggregate("avg", &[FLOAT8], FLOAT8, "q_avg_f8({0})"),
    aggregate("variance", &[FLOAT4], FLOAT8, "q_var_samp_f8({0})"),
    aggregate("variance", &[FLOAT8], FLOAT8, "q_var_samp_f8({0})"),
    aggregate("var_samp", &[FLOAT4], FLOAT8, "q_var_samp_f8({0})"),
    aggregate("var_samp", &[FLOAT8], FLOAT8, "q_var_samp_f8({0})"),
    aggregate("var_pop", &[FLOAT4], FLOAT8, "q_var_pop_f8({0})"),
    aggregate("var_pop", &[FLOAT8], FLOAT8, "q_var_pop_f8({0})"),
    aggregate("stddev", &[FLOAT4], FLOAT8, "q_stddev_samp_f8({0})"),
    aggregate("stddev", &[FLOAT8], FLOAT8, "q_stddev_samp_f8({0})"),
    aggregate("stddev_samp", &[FLOAT4], FLOAT8, "q_stddev_samp_f8({0})"),
    aggregate("stddev_samp", &[FLOAT8], FLOAT8, "q_stddev_samp_f8({0})"),
    aggregate("stddev_pop", &[FLOAT4], FLOAT8, "q_stddev_pop_f8({0})"),
    aggregate("stddev_pop", &[FLOAT8], FLOAT8, "q_stddev_pop_f8({0})"),
    aggregate("bool_and", &[BOOL], BOOL, MIN),
    aggregate("every", &[BOOL], BOOL, MIN),
    aggregate("bool_or", &[BOOL], BOOL, MAX),
    aggregate("bit_and", &[INT2], INT2, "q_bit_and({0})"),
    aggregate("bit_and", &[INT4], INT4, "q_bit_and({0})"),
    aggregate("bit_and", &[INT8], INT8, "q_bit_and({0})"),
    aggregate("bit_or", &[INT2], INT2, "q_bit_or({0})"),
    aggregate("bit_or", &[INT4], INT4, "q_bit_or({0})"),
    aggregate("bit_or", &[INT8], INT8, "q_bit_or({0})"),
    aggregate("bit_xor", &[INT2], INT2, "q_bit_xor({0})"),
    aggregate("bit_xor", &[INT4], INT4, "q_bit_xor({0})"),
    aggregate("bit_xor", &[INT8], INT8, "q_bit_xor({0})"),
    aggregate("string_agg", &[TEXT, TEXT], TEXT, "q_string_agg({0}, {1})"),
    aggregate("string_agg", &[BYTEA, BYTEA], BYTEA, "q_bytea_agg({0}, {1})"),
    aggregate("array_agg", &[ANYNONARRAY], ANYARRAY, "q_array_agg({0:type}, {0})"),
    aggregate("array_agg", &[ANYARRAY], ANYARRAY, "q_array_agg_nest({0:type}, {0})"),
    // With WITHIN GROUP: what is ordered is the last argument.
    aggregate("percentile_cont", &[FLOAT8, FLOAT8], FLOAT8, "q_percentile_cont(701, {0}, {1})"),
    aggregate("percentile_cont", &[FLOAT8, INTERVAL], INTERVAL, "q_percentile_cont(1186, {0}, {1})"),
    aggregate("percentile_cont", &[Type::FLOAT8_ARRAY, FLOAT8], Type::FLOAT8_ARRAY, "q_percentile_cont(701, {0}, {1})"),
    aggregate(
        "percentile_cont",
        &[Type::FLOAT8_ARRAY, INTERVAL],
        Type::INTERVAL_ARRAY,
        "q_percentile_cont(1186, {0}, {1})",
    ),
    aggregate("percentile_disc", &[FLOAT8, ANYELEMENT], ANYELEMENT, "q_percentile_disc({1:type}, {0}, {1})"),
    aggregate("percentile_disc", &[Type::FLOAT8_ARRAY, ANYELEMENT], ANYARRAY, "q_percentile_disc({1:type}, {0}, {1})"),
    aggregate("mode", &[ANYELEMENT], ANYELEMENT, "q_mode({0:type}, {0})"),
    window("row_number", &[], INT8, "row_number()"),
    window("rank", &[], INT8, "rank()"),
    window("dense_rank", &[], INT8, "dense_rank()"),
    window("percent_rank", &[], FLOAT8, "percent_rank()"),
    window("cume_dist", &[], FLOAT8, "cume_dist()"),
    window("ntile", &[INT4], INT4, "ntile({0})"),
    window("lag", &[ANYELEMENT], ANYELEMENT, "lag({0})"),
    window("lag", &[ANYELEMENT, INT4], ANYELEMENT, "lag({0}, {1})"),
    window("lag", &[ANYCOMPATIBLE, INT4, ANYCOMPATIBLE], ANYCOMPATIBLE, "lag({0}, {1}, {2})"),
    window("lead", &[ANYELEMENT], ANYELEMENT, "lead({0})"),
    window("lead", &[ANYELEMENT, INT4], ANYELEMENT, "lead({0}, {1})"),
    window("lead", &[ANYCOMPATIBLE, INT4, ANYCOMPATIBLE], ANYCOMPATIBLE, "lead({0}, {1}, {2})"),
    window("first_value", &[ANYELEMENT], ANYELEMENT, "first_value({0})"),
    window("last_value", &[ANYELEMENT], ANYELEMENT, "last_value({0})"),
    window("nth_value", &[ANYELEMENT, INT4], ANYELEMENT, "nth_value({0}, {1})"),
];

/// Those that keep a frame's values while it moves, by the names of the others.
static MOVING: &[Function] = &[
    aggregate("sum", &[FLOAT4], FLOAT4, "q_sum_f4_moving({0})"),
    aggregate("sum", &[FLOAT8], FLOAT8, "q_sum_f8_moving({0})"),
    aggregate("avg", &[FLOAT4], FLOAT8, "q_avg_f8_moving({0})"),
    aggregate("avg", &[FLOAT8], FLOAT8, "q_avg_f8_moving({0})"),
    aggregate("variance", &[FLOAT4], FLOAT8, "q_var_samp_f8_moving({0})"),
    aggregate("variance", &[FLOAT8], FLOAT8, "q_var_samp_f8_moving({0})"),
    aggregate("var_samp", &[FLOAT4], FLOAT8, "q_var_samp_f8_moving({0})"),
    aggregate("var_samp", &[FLOAT8], FLOAT8, "q_var_samp_f8_moving({0})"),
    aggregate("var_pop", &[FLOAT4], FLOAT8, "q_var_pop_f8_moving({0})"),
    aggregate("var_pop", &[FLOAT8], FLOAT8, "q_var_pop_f8_moving({0})"),
    aggregate("stddev", &[FLOAT4], FLOAT8, "q_stddev_samp_f8_moving({0})"),
    aggregate("stddev", &[FLOAT8], FLOAT8, "q_stddev_samp_f8_moving({0})"),
    aggregate("stddev_samp", &[FLOAT4], FLOAT8, "q_stddev_samp_f8_moving({0})"),
    aggregate("stddev_samp", &[FLOAT8], FLOAT8, "q_stddev_samp_f8_moving({0})"),
    aggregate("stddev_pop", &[FLOAT4], FLOAT8, "q_stddev_pop_f8_moving({0})"),
    aggregate("stddev_pop", &[FLOAT8], FLOAT8, "q_stddev_pop_f8_moving({0})"),
];

/// The function that computes the same over a frame that rows leave.
pub fn moving(function: &'static Function) -> &'static Function {
    MOVING.iter().find(|f| f.name == function.name && f.args == function.args).unwrap_or(function)
}

const SUM: Asked = Asked::Sum;
const SUM_SINGLE: Asked = Asked::SumSingle;
const AVERAGE: Asked = Asked::Average;
const VAR_SAMP: Asked = Asked::Variance { sample: true, root: false };
const VAR_POP: Asked = Asked::Variance { sample: false, root: false };
const STDDEV_SAMP: Asked = Asked::Variance { sample: true, root: true };
const STDDEV_POP: Asked = Asked::Variance { sample: false, root: true };

pub const AGGREGATES: &[Aggregate] = &[
    accumulator("q_sum_f4", 1, || Box::new(Growing(SUM_SINGLE, Moments::default()))),
    accumulator("q_sum_f8", 1, || Box::new(Growing(SUM, Moments::default()))),
    accumulator("q_avg_f8", 1, || Box::new(Growing(AVERAGE, Moments::default()))),
    accumulator("q_var_samp_f8", 1, || Box::new(Growing(VAR_SAMP, Moments::default()))),
    accumulator("q_var_pop_f8", 1, || Box::new(Growing(VAR_POP, Moments::default()))),
    accumulator("q_stddev_samp_f8", 1, || Box::new(Growing(STDDEV_SAMP, Moments::default()))),
    accumulator("q_stddev_pop_f8", 1, || Box::new(Growing(STDDEV_POP, Moments::default()))),
    accumulator("q_sum_f4_moving", 1, || Box::new(Moving::over(SUM_SINGLE))),
    accumulator("q_sum_f8_moving", 1, || Box::new(Moving::over(SUM))),
    accumulator("q_avg_f8_moving", 1, || Box::new(Moving::over(AVERAGE))),
    accumulator("q_var_samp_f8_moving", 1, || Box::new(Moving::over(VAR_SAMP))),
    accumulator("q_var_pop_f8_moving", 1, || Box::new(Moving::over(VAR_POP))),
    accumulator("q_stddev_samp_f8_moving", 1, || Box::new(Moving::over(STDDEV_SAMP))),
    accumulator("q_stddev_pop_f8_moving", 1, || Box::new(Moving::over(STDDEV_POP))),
    accumulator("q_bit_and", 1, || Box::new(Bits::new(|set, all| set == all))),
    accumulator("q_bit_or", 1, || Box::new(Bits::new(|set, _| set > 0))),
    accumulator("q_bit_xor", 1, || Box::new(Bits::new(|set, _| set % 2 == 1))),
    accumulator("q_string_agg", 2, || Box::new(Joined::<true>::default())),
    accumulator("q_bytea_agg", 2, || Box::new(Joined::<false>::default())),
    accumulator("q_array_agg", 2, || Box::new(Collected { elem: None, nested: false, items: VecDeque::new() })),
    accumulator("q_array_agg_nest", 2, || Box::new(Collected { elem: None, nested: true, items: VecDeque::new() })),
    accumulator("q_percentile_cont", 3, || Box::new(Ordered { pick: Ordered::between, ..Ordered::new() })),
    accumulator("q_percentile_disc", 3, || Box::new(Ordered { pick: Ordered::one, ..Ordered::new() })),
    accumulator("q_mode", 2, || Box::new(Mode::default())),
    accumulator("q_single", 1, || Box::new(Single(None))),
];

/// What is asked about floats.
#[derive(Clone, Copy)]
enum Asked {
    Sum,
    /// The sum in single precision.
    SumSingle,
    Average,
    Variance {
        sample: bool,
        root: bool,
    },
}

/// Count, sum and squared distances from the mean of floats, one after another (Youngs and Cramer), as in PostgreSQL.
#[derive(Clone, Copy, Default)]
struct Moments {
    count: f64,
    sum: f64,
    squares: f64,
}

impl Moments {
    fn add(&mut self, v: f64, asked: Asked) -> SqlResult<()> {
        let before = *self;
        self.count += 1.0;
        self.sum += v;
        match asked {
            Asked::Sum => {}
            Asked::SumSingle => self.sum = f64::from(self.sum as f32),
            Asked::Average | Asked::Variance { .. } if before.count == 0.0 => {
                self.squares = if v.is_finite() { 0.0 } else { f64::NAN };
            }
            Asked::Average | Asked::Variance { .. } => {
                let distance = v * self.count - self.sum;
                self.squares += distance * distance / (self.count * before.count);
            }
        }
        if self.sum.is_infinite() || self.squares.is_infinite() {
            if before.sum.is_finite() && v.is_finite() {
                return Err(overflow());
            }
            self.squares = f64::NAN;
        }
        Ok(())
    }

    fn result(&self, asked: Asked) -> Option<f64> {
        match asked {
            _ if self.count == 0.0 => None,
            Asked::Sum | Asked::SumSingle => Some(self.sum),
            Asked::Average => Some(self.sum / self.count),
            Asked::Variance { sample: true, .. } if self.count <= 1.0 => None,
            Asked::Variance { sample, root } => {
                let variance = self.squares / if sample { self.count - 1.0 } else { self.count };
                Some(if root { libm::sqrt(variance) } else { variance })
            }
        }
    }
}

fn overflow() -> SqlError {
    SqlError::new(state::NUMERIC_VALUE_OUT_OF_RANGE, "value out of range: overflow")
}

/// An aggregate of floats that only grows.
struct Growing(Asked, Moments);

impl Accumulator for Growing {
    fn step(&mut self, _: &mut Context, args: &[ValueRef<'_>]) -> SqlResult<()> {
        if args[0].is_null() { Ok(()) } else { self.1.add(real(args, 0)?, self.0) }
    }
    fn inverse(&mut self, _: &mut Context, _: &[ValueRef<'_>]) -> SqlResult<()> {
        Err(SqlError::internal("a row leaves a frame that only grows"))
    }
    fn value(&mut self, _: &mut Context) -> SqlResult<Value> {
        Ok(self.1.result(self.0).map_or(Value::Null, from_real))
    }
}

/// An aggregate of floats over a frame that moves.
struct Moving {
    asked: Asked,
    values: VecDeque<f64>,
    /// Of the first so many values.
    moments: Moments,
    counted: usize,
}

impl Moving {
    fn over(asked: Asked) -> Moving {
        Moving { asked, values: VecDeque::new(), moments: Moments::default(), counted: 0 }
    }
}

impl Accumulator for Moving {
    fn step(&mut self, _: &mut Context, args: &[ValueRef<'_>]) -> SqlResult<()> {
        if !args[0].is_null() {
            let v = real(args, 0)?;
            if self.values.len() == self.values.capacity() {
                meter::hold(size_of::<f64>() * (self.values.len() + 4))?;
            }
            self.values.push_back(v);
        }
        Ok(())
    }
    fn inverse(&mut self, _: &mut Context, args: &[ValueRef<'_>]) -> SqlResult<()> {
        if !args[0].is_null() {
            self.values.pop_front();
            (self.moments, self.counted) = (Moments::default(), 0);
        }
        Ok(())
    }
    fn value(&mut self, _: &mut Context) -> SqlResult<Value> {
        meter::work(self.values.len() - self.counted)?;
        for v in self.values.range(self.counted..) {
            self.moments.add(*v, self.asked)?;
        }
        self.counted = self.values.len();
        Ok(self.moments.result(self.asked).map_or(Value::Null, from_real))
    }
}

/// How often each bit was set.
struct Bits {
    count: i64,
    set: [i64; 64],
    /// Whether a bit is set in the result, given how often it was set, and out of how many.
    rule: fn(i64, i64) -> bool,
}

impl Bits {
    fn new(rule: fn(i64, i64) -> bool) -> Bits {
        Bits { count: 0, set: [0; 64], rule }
    }

    fn add(&mut self, args: &[ValueRef<'_>], times: i64) -> SqlResult<()> {
        if !args[0].is_null() {
            let v = int(args, 0)?;
            self.count += times;
            self.set.iter_mut().enumerate().for_each(|(i, n)| *n += (v >> i & 1) * times);
        }
        Ok(())
    }
}

impl Accumulator for Bits {
    fn step(&mut self, _: &mut Context, args: &[ValueRef<'_>]) -> SqlResult<()> {
        self.add(args, 1)
    }
    fn inverse(&mut self, _: &mut Context, args: &[ValueRef<'_>]) -> SqlResult<()> {
        self.add(args, -1)
    }
    fn value(&mut self, _: &mut Context) -> SqlResult<Value> {
        let bit = |i: usize| i64::from((self.rule)(self.set[i], self.count)) << i;
        Ok(if self.count == 0 { Value::Null } else { Value::Int((0..64).map(bit).fold(0, |a, b| a | b)) })
    }
}

/// string_agg: values with what stands before each of them, which is dropped before the first.
#[derive(Default)]
struct Joined<const TEXT: bool> {
    bytes: VecDeque<u8>,
    /// Lengths of separator and value, in order.
    lengths: VecDeque<(usize, usize)>,
}

impl<const TEXT: bool> Joined<TEXT> {
    fn read<'a>(args: &[ValueRef<'a>], i: usize) -> SqlResult<&'a [u8]> {
        match (args[i], TEXT) {
            (ValueRef::Null, _) => Ok(&[]),
            (_, true) => text(args, i).map(str::as_bytes),
            (_, false) => blob(args, i),
        }
    }
}

impl<const TEXT: bool> Accumulator for Joined<TEXT> {
    fn step(&mut self, _: &mut Context, args: &[ValueRef<'_>]) -> SqlResult<()> {
        if !args[0].is_null() {
            let (value, separator) = (Self::read(args, 0)?, Self::read(args, 1)?);
            // A deque that grows has its contents twice.
            meter::hold(2 * (separator.len() + value.len()) + size_of::<(usize, usize)>())?;
            self.bytes.extend(separator);
            self.bytes.extend(value);
            self.lengths.push_back((separator.len(), value.len()));
        }
        Ok(())
    }

    fn inverse(&mut self, _: &mut Context, args: &[ValueRef<'_>]) -> SqlResult<()> {
        if !args[0].is_null()
            && let Some((separator, value)) = self.lengths.pop_front()
        {
            self.bytes.drain(..separator + value);
        }
        Ok(())
    }

    fn value(&mut self, _: &mut Context) -> SqlResult<Value> {
        let Some((separator, _)) = self.lengths.front() else { return Ok(Value::Null) };
        meter::hold(self.bytes.len())?;
        let joined = self.bytes.make_contiguous()[*separator..].to_vec();
        match TEXT {
            false => Ok(Value::Blob(joined)),
            true => {
                String::from_utf8(joined).map(Value::Text).map_err(|e| SqlError::internal(format!("string_agg: {e}")))
            }
        }
    }
}

/// array_agg: NULLs are elements, too.
struct Collected {
    elem: Option<Type>,
    nested: bool,
    items: VecDeque<Value>,
}

impl Accumulator for Collected {
    fn step(&mut self, _: &mut Context, args: &[ValueRef<'_>]) -> SqlResult<()> {
        self.elem = Some(Type(int(args, 0)? as u32));
        if self.nested && args[1].is_null() {
            return Err(SqlError::new(state::NULL_VALUE_NOT_ALLOWED, "cannot accumulate null arrays"));
        }
        meter::hold(args[1].held())?;
        self.items.push_back(args[1].to_owned());
        Ok(())
    }
    fn inverse(&mut self, _: &mut Context, _: &[ValueRef<'_>]) -> SqlResult<()> {
        self.items.pop_front();
        Ok(())
    }
    fn value(&mut self, _: &mut Context) -> SqlResult<Value> {
        match self.elem {
            _ if self.items.is_empty() => Ok(Value::Null),
            Some(array) if self.nested => {
                let parts: Vec<ValueRef<'_>> = self.items.iter().map(Value::as_ref).collect();
                arrays::gather(array.element().unwrap_or(array), &parts)
            }
            Some(elem) => arrays::make(elem, arrays::copied(self.items.iter())?),
            None => Ok(Value::Null),
        }
    }
}

/// percentile_cont and percentile_disc: values that come in their order.
struct Ordered {
    elem: Type,
    /// One or an array of them.
    fraction: Value,
    items: Vec<Value>,
    pick: fn(&Ordered, f64) -> SqlResult<Value>,
}

impl Ordered {
    fn new() -> Ordered {
        Ordered { elem: FLOAT8, fraction: Value::Null, items: Vec::new(), pick: Ordered::one }
    }

    /// The value below which a fraction of all are.
    fn one(&self, fraction: f64) -> SqlResult<Value> {
        let at = (fraction * self.items.len() as f64).ceil() as usize;
        Ok(self.items[at.max(1) - 1].clone())
    }

    /// The value at a fraction of the way from the first to the last.
    fn between(&self, fraction: f64) -> SqlResult<Value> {
        let at = fraction * (self.items.len() - 1) as f64;
        let (low, high) = (&self.items[at.floor() as usize], &self.items[at.ceil() as usize]);
        let share = at - at.floor();
        if low == high || share == 0.0 {
            return Ok(low.clone());
        }
        match (low, high) {
            (Value::Text(low), Value::Text(high)) if self.elem == INTERVAL => {
                let (low, high) = (Interval::stored(low)?, Interval::stored(high)?);
                Ok(Value::Text(low.checked_add(&high.checked_sub(&low)?.mul(share)?)?.encode()))
            }
            (low, high) => {
                let (low, high) = (real(&[low.as_ref()], 0)?, real(&[high.as_ref()], 0)?);
                Ok(from_real(low + share * (high - low)))
            }
        }
    }

    fn at(&self, fraction: &Value) -> SqlResult<Value> {
        if *fraction == Value::Null || self.items.is_empty() {
            return Ok(Value::Null);
        }
        let fraction = real(&[fraction.as_ref()], 0)?;
        if !(0.0..=1.0).contains(&fraction) {
            let text = format!("percentile value {fraction} is not between 0 and 1");
            return Err(SqlError::new(state::NUMERIC_VALUE_OUT_OF_RANGE, text));
        }
        (self.pick)(self, fraction)
    }
}

impl Accumulator for Ordered {
    fn step(&mut self, _: &mut Context, args: &[ValueRef<'_>]) -> SqlResult<()> {
        (self.elem, self.fraction) = (Type(int(args, 0)? as u32), args[1].to_owned());
        if !args[2].is_null() {
            meter::hold(args[2].held())?;
            self.items.push(args[2].to_owned());
        }
        Ok(())
    }
    fn inverse(&mut self, _: &mut Context, _: &[ValueRef<'_>]) -> SqlResult<()> {
        Err(SqlError::unsupported("OVER for an ordered-set aggregate"))
    }
    fn value(&mut self, _: &mut Context) -> SqlResult<Value> {
        match &self.fraction {
            Value::Blob(_) if self.items.is_empty() => Ok(Value::Null),
            fractions @ Value::Blob(_) => arrays::mapped(fractions, self.elem, |fraction| self.at(fraction)),
            fraction => self.at(fraction),
        }
    }
}

/// mode: the most frequent of values that come in their order, the first of several.
#[derive(Default)]
struct Mode {
    best: (u64, Value),
    here: (u64, Value),
}

impl Accumulator for Mode {
    fn step(&mut self, _: &mut Context, args: &[ValueRef<'_>]) -> SqlResult<()> {
        if args[1].is_null() {
            return Ok(());
        }
        let (elem, value) = (Type(int(args, 0)? as u32), args[1].to_owned());
        if self.here.0 > 0 && arrays::order(elem, &self.here.1, &value).is_eq() {
            self.here.0 += 1;
        } else {
            self.here = (1, value);
        }
        if self.here.0 > self.best.0 {
            self.best = self.here.clone();
        }
        Ok(())
    }
    fn inverse(&mut self, _: &mut Context, _: &[ValueRef<'_>]) -> SqlResult<()> {
        Err(SqlError::unsupported("OVER for an ordered-set aggregate"))
    }
    fn value(&mut self, _: &mut Context) -> SqlResult<Value> {
        Ok(self.best.1.clone())
    }
}

/// The value of a subquery used as an expression, which may have one row at most.
struct Single(Option<Value>);

impl Accumulator for Single {
    fn step(&mut self, _: &mut Context, args: &[ValueRef<'_>]) -> SqlResult<()> {
        match self.0.replace(args[0].to_owned()) {
            None => Ok(()),
            Some(_) => Err(SqlError::new(
                state::CARDINALITY_VIOLATION,
                "more than one row returned by a subquery used as an expression",
            )),
        }
    }
    fn inverse(&mut self, _: &mut Context, _: &[ValueRef<'_>]) -> SqlResult<()> {
        self.0 = None;
        Ok(())
    }
    fn value(&mut self, _: &mut Context) -> SqlResult<Value> {
        Ok(self.0.clone().unwrap_or_default())
    }
}
