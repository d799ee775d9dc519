//! Bit strings, which are texts of zeros and ones (see `types::bits`): what SQLite does with texts is right for them.

use super::arg::{from_text, int, invalid, text, too_long};
use super::table::*;
use super::{Accumulator, Aggregate, Cast, Context, Function, Operator, Scalar};
use crate::error::{SqlError, SqlResult, state};
use crate::meter;
use crate::types::{Type, bits};
use crate::value::{Value, ValueRef};

const BIT: Type = Type::BIT;
const VARBIT: Type = Type::VARBIT;

pub const COMPARISONS: &[Operator] = &comparisons::<12>(&[(BIT, BIT), (VARBIT, VARBIT)]);

pub const OPERATORS: &[Operator] = &[
    op("&", BIT, BIT, BIT, "q_bits_and({0}, {1})"),
    op("|", BIT, BIT, BIT, "q_bits_or({0}, {1})"),
    op("#", BIT, BIT, BIT, "q_bits_xor({0}, {1})"),
    prefix("~", BIT, BIT, "q_bits_not({0})"),
    op("<<", BIT, INT4, BIT, "q_bits_left({0}, {1})"),
    op(">>", BIT, INT4, BIT, "q_bits_right({0}, {1})"),
    op("||", VARBIT, VARBIT, VARBIT, "({0} || {1})"),
];

pub const FUNCTIONS: &[Function] = &[
    func("length", &[BIT], INT4, "length({0})"),
    func("bit_length", &[BIT], INT4, "length({0})"),
    func("octet_length", &[BIT], INT4, "((length({0}) + 7) / 8)"),
    func("get_bit", &[BIT, INT4], INT4, "q_bits_get({0}, {1})"),
    func("set_bit", &[BIT, INT4, INT4], BIT, "q_bits_set({0}, {1}, {2})"),
    func("bit_count", &[BIT], INT8, "q_bits_count({0})"),
    func("substring", &[BIT, INT4], BIT, "q_substr({0}, {1})"),
    func("substring", &[BIT, INT4, INT4], BIT, "q_substr({0}, {1}, {2})"),
    func("overlay", &[BIT, BIT, INT4], BIT, "q_overlay({0}, {1}, {2})"),
    func("overlay", &[BIT, BIT, INT4, INT4], BIT, "q_overlay({0}, {1}, {2}, {3})"),
    func("position", &[BIT, BIT], INT4, "q_bits_position({0}, {1})"),
    func("bit", &[INT4, INT4], BIT, "q_bits_of({0}, {1})"),
    func("bit", &[INT8, INT4], BIT, "q_bits_of({0}, {1})"),
    func("bitand", &[BIT, BIT], BIT, "q_bits_and({0}, {1})"),
    func("bitor", &[BIT, BIT], BIT, "q_bits_or({0}, {1})"),
    func("bitxor", &[BIT, BIT], BIT, "q_bits_xor({0}, {1})"),
    func("bitnot", &[BIT], BIT, "q_bits_not({0})"),
    func("bitcat", &[VARBIT, VARBIT], VARBIT, "({0} || {1})"),
    aggregate("bit_and", &[BIT], BIT, "q_bits_all({0})"),
    aggregate("bit_or", &[BIT], BIT, "q_bits_any({0})"),
    aggregate("bit_xor", &[BIT], BIT, "q_bits_odd({0})"),
];

pub const CASTS: &[Cast] = &[
    implicit(BIT, VARBIT, "{0}"),
    implicit(VARBIT, BIT, "{0}"),
    implicit(BIT, BIT, "{0}"),
    assignment(BIT, BIT, "q_bits_fit({0}, 1560, {typmod})"),
    explicit(BIT, BIT, "q_bits_cut({0}, 1560, {typmod})"),
    implicit(VARBIT, VARBIT, "{0}"),
    assignment(VARBIT, VARBIT, "q_bits_fit({0}, 1562, {typmod})"),
    explicit(VARBIT, VARBIT, "q_bits_cut({0}, 1562, {typmod})"),
    explicit(INT4, BIT, "q_bits_of({0}, {typmod})"),
    explicit(INT8, BIT, "q_bits_of({0}, {typmod})"),
    explicit(BIT, INT4, "q_bits_number({0}, 32)"),
    explicit(BIT, INT8, "q_bits_number({0}, 64)"),
];

pub const AGGREGATES: &[Aggregate] = &[
    accumulator("q_bits_all", 1, || Box::new(Votes::new("AND", |set, all| set == all))),
    accumulator("q_bits_any", 1, || Box::new(Votes::new("OR", |set, _| set > 0))),
    accumulator("q_bits_odd", 1, || Box::new(Votes::new("XOR", |set, _| set % 2 == 1))),
];

pub const SCALARS: &[Scalar] = &[
    scalar("q_bits_and", 2, |_, a| combine(a, "AND", |a, b| a & b)),
    scalar("q_bits_count", 1, |_, a| Ok(Value::Int(text(a, 0)?.bytes().filter(|b| *b == b'1').count() as i64))),
    scalar("q_bits_cut", 3, |_, a| fit(a, true)),
    scalar("q_bits_fit", 3, |_, a| fit(a, false)),
    scalar("q_bits_get", 2, |_, a| {
        let bits = text(a, 0)?;
        Ok(Value::Int((bits.as_bytes()[index(bits, int(a, 1)?)?] == b'1').into()))
    }),
    scalar("q_bits_left", 2, |_, a| Ok(Value::Text(shifted(text(a, 0)?, int(a, 1)?)))),
    scalar("q_bits_not", 1, |_, a| {
        Ok(Value::Text(text(a, 0)?.chars().map(|bit| if bit == '1' { '0' } else { '1' }).collect()))
    }),
    scalar("q_bits_number", 2, |_, a| Ok(Value::Int(bits::to_number(text(a, 0)?, int(a, 1)? as u32)?))),
    scalar("q_bits_of", 2, |_, a| {
        let width = int(a, 1)?;
        if width > (super::arg::MAX_BYTES / 4) as i64 {
            return Err(too_long());
        }
        meter::work(width.max(1) as usize)?;
        Ok(Value::Text(bits::of_number(int(a, 0)?, width as i32)))
    }),
    scalar("q_bits_or", 2, |_, a| combine(a, "OR", |a, b| a | b)),
    scalar("q_bits_position", 2, |_, a| {
        let whole = text(a, 0)?;
        let found = whole.find(text(a, 1)?).filter(|_| !whole.is_empty());
        Ok(Value::Int(found.map_or(0, |at| at as i64 + 1)))
    }),
    scalar("q_bits_right", 2, |_, a| Ok(Value::Text(shifted(text(a, 0)?, -int(a, 1)?)))),
    scalar("q_bits_set", 3, |_, a| {
        let (mut bits, new) = (text(a, 0)?.to_owned(), int(a, 2)?);
        let at = index(&bits, int(a, 1)?)?;
        match new {
            0 | 1 => bits.replace_range(at..=at, if new == 1 { "1" } else { "0" }),
            _ => return Err(invalid("new bit must be 0 or 1")),
        }
        Ok(Value::Text(bits))
    }),
    scalar("q_bits_xor", 2, |_, a| combine(a, "XOR", |a, b| a ^ b)),
];

fn fit(args: &[ValueRef<'_>], explicit: bool) -> SqlResult<Value> {
    let (ty, typmod) = (Type(int(args, 1)? as u32), int(args, 2)? as i32);
    meter::work(usize::try_from(typmod).unwrap_or(0))?;
    Ok(from_text(bits::fit(ty, typmod, text(args, 0)?, explicit)?))
}

/// The bits so many places to the left, or to the right, with zeros behind them.
fn shifted(bits: &str, left: i64) -> String {
    let step = usize::try_from(left.unsigned_abs()).unwrap_or(usize::MAX).min(bits.len());
    let zeros = "0".repeat(step);
    match left < 0 {
        true => zeros + &bits[..bits.len() - step],
        false => bits[step..].to_owned() + &zeros,
    }
}

fn index(bits: &str, n: i64) -> SqlResult<usize> {
    let at = usize::try_from(n).ok().filter(|at| *at < bits.len());
    at.ok_or_else(|| {
        let last = bits.len() as i64 - 1;
        SqlError::new(state::ARRAY_SUBSCRIPT_ERROR, format!("bit index {n} out of valid range (0..{last})"))
    })
}

fn different_sizes(name: &str) -> SqlError {
    SqlError::new(state::STRING_DATA_LENGTH_MISMATCH, format!("cannot {name} bit strings of different sizes"))
}

fn combine(args: &[ValueRef<'_>], name: &str, f: fn(bool, bool) -> bool) -> SqlResult<Value> {
    let (a, b) = (text(args, 0)?, text(args, 1)?);
    if a.len() != b.len() {
        return Err(different_sizes(name));
    }
    let bit = |(a, b): (u8, u8)| if f(a == b'1', b == b'1') { '1' } else { '0' };
    Ok(Value::Text(a.bytes().zip(b.bytes()).map(bit).collect()))
}

/// How often each bit was set.
struct Votes {
    name: &'static str,
    count: i64,
    set: Vec<i64>,
    /// Whether a bit is set in the result, given how often it was set, and out of how many.
    rule: fn(i64, i64) -> bool,
}

impl Votes {
    fn new(name: &'static str, rule: fn(i64, i64) -> bool) -> Votes {
        Votes { name, count: 0, set: Vec::new(), rule }
    }

    fn add(&mut self, args: &[ValueRef<'_>], times: i64) -> SqlResult<()> {
        if args[0].is_null() {
            return Ok(());
        }
        let bits = text(args, 0)?;
        meter::work(bits.len())?;
        if self.count == 0 {
            meter::hold(bits.len() * size_of::<i64>())?;
            self.set = vec![0; bits.len()];
        }
        if bits.len() != self.set.len() {
            return Err(different_sizes(self.name));
        }
        self.count += times;
        self.set.iter_mut().zip(bits.bytes()).for_each(|(n, bit)| *n += i64::from(bit == b'1') * times);
        Ok(())
    }
}

impl Accumulator for Votes {
    fn step(&mut self, _: &mut Context, args: &[ValueRef<'_>]) -> SqlResult<()> {
        self.add(args, 1)
    }
    fn inverse(&mut self, _: &mut Context, args: &[ValueRef<'_>]) -> SqlResult<()> {
        self.add(args, -1)
    }
    fn value(&mut self, _: &mut Context) -> SqlResult<Value> {
        let bit = |set: &i64| if (self.rule)(*set, self.count) { '1' } else { '0' };
        Ok(if self.count == 0 { Value::Null } else { Value::Text(self.set.iter().map(bit).collect()) })
    }
}
