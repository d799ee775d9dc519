//! `numeric`: exact decimals with a display scale, as PostgreSQL computes them.
//!
//! A value is `digits / 10^scale`; `digits` is an `i128` while it fits and a `BigInt` beyond. The stored form is
//! canonical text ("1.50", "-0.001", "NaN", "Infinity"); [`compare_text`] orders it without parsing.
//! Result scales follow `numeric.c`: division picks at least 16 significant digits, and so do the transcendental
//! functions, which are computed in fixed point with guard digits and rounded once.

use super::NO_TYPMOD;
use super::info::numeric_typmod;
use crate::error::{SqlError, SqlResult, SqlState, state};
use crate::meter;
use num_bigint::{BigInt, Sign};
use std::cmp::Ordering;
use std::fmt::{self, Write as _};

const MIN_SIG_DIGITS: i64 = 16;
const MAX_DISPLAY_SCALE: i64 = 1000;
const MAX_RESULT_SCALE: f64 = 2000.0;
/// The most digits before the decimal point, and after it.
const MAX_INTEGRAL: i64 = 131_072;
const MAX_SCALE: i64 = 16_383;
/// As many digits as PostgreSQL has, for result scales depend on it.
#[allow(clippy::approx_constant)]
const LOG10_E: f64 = 0.434_294_481_903_252;

const INVALID_ARGUMENT_FOR_LOG: SqlState = SqlState::new("2201E");
const INVALID_ARGUMENT_FOR_POWER: SqlState = SqlState::new("2201F");

/// A numeric value.
#[derive(Clone, Debug, PartialEq)]
pub enum Numeric {
    NaN,
    Infinity,
    NegInfinity,
    Finite(Decimal),
}

/// A finite value: `digits / 10^scale`, shown with `scale` decimals.
#[derive(Clone, Debug, PartialEq)]
pub struct Decimal {
    digits: Digits,
    scale: u32,
}

#[derive(Clone, Debug, PartialEq)]
enum Digits {
    Small(i128),
    Big(BigInt),
}

use Digits::{Big, Small};

const POWERS: [i128; 39] = {
    let mut table = [1i128; 39];
    let mut i = 1;
    while i < 39 {
        table[i] = table[i - 1] * 10;
        i += 1;
    }
    table
};

fn pow10(n: u32) -> BigInt {
    match POWERS.get(n as usize) {
        Some(p) => BigInt::from(*p),
        None => BigInt::from(10u8).pow(n),
    }
}

impl From<BigInt> for Digits {
    fn from(big: BigInt) -> Digits {
        if big.bits() <= 120 { i128::try_from(&big).map_or(Big(big), Small) } else { Big(big) }
    }
}

impl Digits {
    fn to_big(&self) -> BigInt {
        match self {
            Small(n) => BigInt::from(*n),
            Big(n) => n.clone(),
        }
    }

    fn signum(&self) -> i32 {
        match self {
            Small(n) => n.signum() as i32,
            Big(n) if n.sign() == Sign::Minus => -1,
            Big(n) => i32::from(n.sign() == Sign::Plus),
        }
    }

    /// Number of decimal digits; 0 for zero.
    fn count(&self) -> i64 {
        match self {
            Small(0) => 0,
            Small(n) => POWERS.partition_point(|p| p.unsigned_abs() <= n.unsigned_abs()) as i64,
            Big(n) => {
                // The bits tell the digits but for one.
                let least = ((n.bits() - 1) as f64 * std::f64::consts::LOG10_2) as i64;
                let least = (least - 1).max(0);
                (least..).find(|digits| *n.magnitude() < *pow10(*digits as u32).magnitude()).unwrap_or(least)
            }
        }
    }

    fn times_pow10(&self, n: u32) -> Digits {
        match self {
            Small(d) => match POWERS.get(n as usize).and_then(|p| d.checked_mul(*p)) {
                Some(d) => Small(d),
                None => (BigInt::from(*d) * pow10(n)).into(),
            },
            Big(d) => (d * pow10(n)).into(),
        }
    }

    /// Divides by 10^n, half away from zero or towards zero.
    fn over_pow10(&self, n: u32, round: bool) -> Digits {
        if n == 0 {
            return self.clone();
        }
        match self {
            Small(d) => match POWERS.get(n as usize) {
                Some(p) => {
                    let (q, r) = (d / p, d % p);
                    let up = round && r.unsigned_abs() >= p.unsigned_abs() - r.unsigned_abs();
                    Small(if up { q + d.signum() } else { q })
                }
                None => Small(0),
            },
            Big(d) => div_big(d, &pow10(n), round).into(),
        }
    }
}

/// Quotient, half away from zero or towards zero.
fn div_big(a: &BigInt, b: &BigInt, round: bool) -> BigInt {
    let q = a / b;
    if !round {
        return q;
    }
    let r = a - &q * b;
    if (r.magnitude() << 1u8) >= *b.magnitude() {
        let negative = (a.sign() == Sign::Minus) != (b.sign() == Sign::Minus);
        if negative { q - 1 } else { q + 1 }
    } else {
        q
    }
}

/// Counts the work of a multiplication or division of numbers with so many machine words.
fn charge(a: usize, b: usize) -> SqlResult<()> {
    let units = a.saturating_mul(b) / 8;
    if units == 0 { Ok(()) } else { meter::work(units) }
}

fn words(n: &BigInt) -> usize {
    n.bits() as usize / 64
}

fn overflow() -> SqlError {
    SqlError::new(state::NUMERIC_VALUE_OUT_OF_RANGE, "value overflows numeric format")
}

fn division_by_zero() -> SqlError {
    SqlError::new(state::DIVISION_BY_ZERO, "division by zero")
}

impl Decimal {
    fn new(digits: impl Into<Digits>, scale: u32) -> Decimal {
        Decimal { digits: digits.into(), scale }
    }

    fn small(n: i128, scale: u32) -> Decimal {
        Decimal { digits: Small(n), scale }
    }

    fn is_zero(&self) -> bool {
        self.digits.signum() == 0
    }

    /// The decimal exponent of the first digit: 0 for 1…9.99, −1 for 0.1. Zero has 0.
    fn exponent(&self) -> i64 {
        if self.is_zero() { 0 } else { self.digits.count() - 1 - i64::from(self.scale) }
    }

    /// Weight (base 10000) and value of the first base-10000 digit, which the scale rules are written in.
    fn weight(&self) -> (i64, i64) {
        if self.is_zero() {
            return (0, 0);
        }
        let weight = self.exponent().div_euclid(4);
        (weight, self.leading(self.exponent() - weight * 4 + 1))
    }

    /// The first `n` decimal digits as a number (padded with zeros when there are fewer).
    fn leading(&self, n: i64) -> i64 {
        let cut = self.digits.count() - n;
        let digits =
            if cut >= 0 { self.digits.over_pow10(cut as u32, false) } else { self.digits.times_pow10(-cut as u32) };
        match digits {
            Small(d) => d.unsigned_abs() as i64,
            Big(_) => unreachable!("a few leading digits are small"),
        }
    }

    /// Machine words of its digits, once they have `more` decimal ones.
    fn words(&self, more: usize) -> usize {
        match &self.digits {
            Small(_) => more / 20,
            Big(n) => words(n) + more / 20,
        }
    }

    /// Counts the work of an operation of two whole numbers of this size; `more`: decimals that it computes beyond.
    fn charge(&self, other: &Decimal, more: usize) -> SqlResult<()> {
        charge(self.words(more), other.words(more))
    }

    fn rescale(&self, scale: u32, round: bool) -> Decimal {
        let digits = if scale >= self.scale {
            self.digits.times_pow10(scale - self.scale)
        } else {
            self.digits.over_pow10(self.scale - scale, round)
        };
        Decimal { digits, scale }
    }

    /// Rounds at `scale`, which may be negative (tens, hundreds…).
    fn round_at(&self, scale: i64, round: bool) -> Decimal {
        if scale >= 0 {
            return self.rescale(scale.min(MAX_SCALE) as u32, round);
        }
        let cut = i64::from(self.scale) - scale;
        if cut > self.digits.count() + 1 {
            return Decimal::small(0, 0);
        }
        let digits = self.digits.over_pow10(cut as u32, round).times_pow10(-scale as u32);
        Decimal { digits, scale: 0 }
    }

    fn neg(&self) -> Decimal {
        let digits = match &self.digits {
            Small(n) => n.checked_neg().map_or_else(|| Big(-BigInt::from(*n)), Small),
            Big(n) => (-n).into(),
        };
        Decimal { digits, scale: self.scale }
    }

    fn abs(&self) -> Decimal {
        if self.digits.signum() < 0 { self.neg() } else { self.clone() }
    }

    fn align(&self, other: &Decimal) -> (Digits, Digits, u32) {
        let scale = self.scale.max(other.scale);
        (self.digits.times_pow10(scale - self.scale), other.digits.times_pow10(scale - other.scale), scale)
    }

    fn add(&self, other: &Decimal) -> Decimal {
        let (a, b, scale) = self.align(other);
        if let (Small(a), Small(b)) = (&a, &b)
            && let Some(sum) = a.checked_add(*b)
        {
            return Decimal::small(sum, scale);
        }
        Decimal::new(a.to_big() + b.to_big(), scale)
    }

    fn mul(&self, other: &Decimal) -> Decimal {
        let scale = self.scale + other.scale;
        let product = match (&self.digits, &other.digits) {
            (Small(a), Small(b)) => match a.checked_mul(*b) {
                Some(p) => Small(p),
                None => (BigInt::from(*a) * BigInt::from(*b)).into(),
            },
            (a, b) => (a.to_big() * b.to_big()).into(),
        };
        let exact = Decimal { digits: product, scale };
        if i64::from(scale) > MAX_SCALE { exact.rescale(MAX_SCALE as u32, true) } else { exact }
    }

    /// `self / other` with `scale` decimals. `other` is not zero.
    fn div(&self, other: &Decimal, scale: u32, round: bool) -> Decimal {
        // digits/10^s1 / (digits/10^s2) * 10^scale
        let shift = i64::from(scale) + i64::from(other.scale) - i64::from(self.scale);
        let (a, b) = if shift >= 0 {
            (self.digits.times_pow10(shift as u32), other.digits.clone())
        } else {
            (self.digits.clone(), other.digits.times_pow10(-shift as u32))
        };
        if let (Small(a), Small(b)) = (&a, &b) {
            let (q, r) = (a / b, a % b);
            let up = round && r != 0 && r.unsigned_abs() >= b.unsigned_abs() - r.unsigned_abs();
            let away = if (*a < 0) != (*b < 0) { -1 } else { 1 };
            return Decimal::small(if up { q + away } else { q }, scale);
        }
        Decimal::new(div_big(&a.to_big(), &b.to_big(), round), scale)
    }

    fn div_scale(&self, other: &Decimal) -> u32 {
        let ((w1, d1), (w2, d2)) = (self.weight(), other.weight());
        let quotient_weight = w1 - w2 - i64::from(d1 <= d2);
        let scale = MIN_SIG_DIGITS - quotient_weight * 4;
        scale.max(i64::from(self.scale)).max(i64::from(other.scale)).clamp(0, MAX_DISPLAY_SCALE) as u32
    }

    fn compare(&self, other: &Decimal) -> Ordering {
        let (s1, s2) = (self.digits.signum(), other.digits.signum());
        if s1 != s2 || s1 == 0 {
            return s1.cmp(&s2);
        }
        match self.align(other) {
            (Small(a), Small(b), _) => a.cmp(&b),
            (a, b, _) => a.to_big().cmp(&b.to_big()),
        }
    }

    fn is_integer(&self) -> bool {
        let whole = self.rescale(0, false);
        whole.compare(self) == Ordering::Equal
    }

    /// An integer as i64; `None` with a fraction or out of range.
    fn to_exact_i64(&self) -> Option<i64> {
        if !self.is_integer() {
            return None;
        }
        match self.rescale(0, false).digits {
            Small(n) => i64::try_from(n).ok(),
            Big(_) => None,
        }
    }

    fn to_f64(&self) -> f64 {
        self.to_string().parse().unwrap_or(f64::NAN)
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut buffer = [0u8; 40];
        let long;
        let (negative, digits) = match &self.digits {
            Small(n) => (*n < 0, write_u128(n.unsigned_abs(), &mut buffer)),
            Big(n) => {
                long = n.magnitude().to_string();
                (n.sign() == Sign::Minus, long.as_str())
            }
        };
        if negative {
            f.write_char('-')?;
        }
        let scale = self.scale as usize;
        if scale == 0 {
            return f.write_str(digits);
        }
        if digits.len() > scale {
            let (whole, fraction) = digits.split_at(digits.len() - scale);
            f.write_str(whole)?;
            f.write_char('.')?;
            return f.write_str(fraction);
        }
        f.write_str("0.")?;
        for _ in digits.len()..scale {
            f.write_char('0')?;
        }
        f.write_str(digits)
    }
}

fn write_u128(mut n: u128, buffer: &mut [u8; 40]) -> &str {
    let mut at = buffer.len();
    // u128 division is slow: leave it after the high digits.
    while n > u128::from(u64::MAX) {
        at -= 1;
        buffer[at] = b'0' + (n % 10) as u8;
        n /= 10;
    }
    let mut low = n as u64;
    loop {
        at -= 1;
        buffer[at] = b'0' + (low % 10) as u8;
        low /= 10;
        if low == 0 {
            break;
        }
    }
    std::str::from_utf8(&buffer[at..]).expect("digits are ASCII")
}

impl fmt::Display for Numeric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Numeric::NaN => f.write_str("NaN"),
            Numeric::Infinity => f.write_str("Infinity"),
            Numeric::NegInfinity => f.write_str("-Infinity"),
            Numeric::Finite(d) => d.fmt(f),
        }
    }
}

impl From<i64> for Numeric {
    fn from(n: i64) -> Numeric {
        Numeric::Finite(Decimal::small(n.into(), 0))
    }
}

impl From<i128> for Numeric {
    fn from(n: i128) -> Numeric {
        Numeric::Finite(Decimal::small(n, 0))
    }
}

/// Is `text` the canonical form already? Then input need not be parsed.
fn is_canonical(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text).as_bytes();
    let whole = digits.iter().take_while(|b| b.is_ascii_digit()).count();
    if whole == 0 || whole > 1000 || (digits[0] == b'0' && whole > 1) {
        return false;
    }
    let fraction = match &digits[whole..] {
        [] => &[][..],
        [b'.', fraction @ ..] if !fraction.is_empty() && fraction.len() < 1000 => fraction,
        _ => return false,
    };
    fraction.iter().all(u8::is_ascii_digit)
        && (text.len() == digits.len() || digits.iter().any(|b| matches!(b, b'1'..=b'9')))
}

/// The input function of `numeric` giving canonical text.
///
/// Errors: 22P02 for what is no number, 22003 when it does not fit the type or the modifier.
pub fn input(text: &str, typmod: i32) -> SqlResult<String> {
    if typmod == NO_TYPMOD && is_canonical(text) {
        return Ok(text.to_owned());
    }
    Ok(Numeric::parse(text)?.with_typmod(typmod)?.to_string())
}

impl Numeric {
    pub const ZERO: Numeric = Numeric::Finite(Decimal { digits: Small(0), scale: 0 });

    /// `mantissa / 10^scale`, shown with `scale` decimals.
    pub fn scaled(mantissa: i128, scale: u32) -> Numeric {
        Numeric::Finite(Decimal::small(mantissa, scale))
    }

    /// A multiple of 10^-scale from any integer.
    pub fn from_bigint(mantissa: BigInt, scale: u32) -> Numeric {
        Numeric::Finite(Decimal::new(mantissa, scale))
    }

    /// Reads what [`fmt::Display`] and Postgres write: digits with optional sign, point, exponent; NaN; infinities.
    ///
    /// Errors: 22P02, 22003.
    pub fn parse(text: &str) -> SqlResult<Numeric> {
        let invalid = || {
            SqlError::new(
                state::INVALID_TEXT_REPRESENTATION,
                format!("invalid input syntax for type numeric: \"{text}\""),
            )
        };
        let trimmed = text.trim_matches(|c: char| c.is_ascii_whitespace() || c == '\x0b');
        let (negative, body) = match trimmed.as_bytes().first() {
            Some(b'-') => (true, &trimmed[1..]),
            Some(b'+') => (false, &trimmed[1..]),
            _ => (false, trimmed),
        };
        match body.as_bytes().first() {
            Some(b'0'..=b'9' | b'.') => {}
            _ if body.eq_ignore_ascii_case("nan") && trimmed.len() == 3 => return Ok(Numeric::NaN),
            _ if body.eq_ignore_ascii_case("inf") || body.eq_ignore_ascii_case("infinity") => {
                return Ok(if negative { Numeric::NegInfinity } else { Numeric::Infinity });
            }
            _ => return Err(invalid()),
        }
        let bytes = body.as_bytes();
        let (mut small, mut count, mut scale, mut point) = (0i128, 0usize, 0i64, false);
        let mut at = 0;
        while at < bytes.len() {
            match bytes[at] {
                d @ b'0'..=b'9' => {
                    if count < 37 {
                        small = small * 10 + i128::from(d - b'0');
                    }
                    if count > 0 || d != b'0' {
                        count += 1;
                    }
                    scale += i64::from(point);
                }
                b'.' if !point => point = true,
                _ => break,
            }
            at += 1;
        }
        if !bytes[..at].iter().any(u8::is_ascii_digit) {
            return Err(invalid());
        }
        let mut exponent = 0i64;
        if at < bytes.len() {
            let rest = body[at..].strip_prefix(['e', 'E']).ok_or_else(invalid)?;
            let digits = rest.strip_prefix(['+', '-']).unwrap_or(rest);
            if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
                return Err(invalid());
            }
            exponent = rest.parse::<i64>().unwrap_or(i64::MAX);
            if exponent.abs() >= i64::from(i32::MAX / 2) {
                return Err(overflow());
            }
        }
        let mut digits = if count <= 37 {
            Small(small)
        } else {
            if count as i64 > MAX_INTEGRAL + MAX_SCALE + i64::from(i16::MAX) {
                return Err(overflow());
            }
            charge(count / 20, count / 20)?;
            let plain: Vec<u8> = bytes[..at].iter().copied().filter(u8::is_ascii_digit).collect();
            BigInt::parse_bytes(&plain, 10).ok_or_else(invalid)?.into()
        };
        if negative {
            digits = Decimal { digits, scale: 0 }.neg().digits;
        }
        // The display scale is what remains of the decimals after the exponent moved the point.
        let point_scale = scale - exponent;
        let zero = digits.signum() == 0;
        if !zero && digits.count() - point_scale > MAX_INTEGRAL {
            return Err(overflow());
        }
        if point_scale < 0 {
            let digits = if zero { digits } else { digits.times_pow10(-point_scale as u32) };
            return Ok(Numeric::Finite(Decimal { digits, scale: 0 }));
        }
        if point_scale > MAX_SCALE {
            let cut = point_scale - MAX_SCALE;
            let digits = if cut > digits.count() + 1 { Small(0) } else { digits.over_pow10(cut as u32, true) };
            return Ok(Numeric::Finite(Decimal { digits, scale: MAX_SCALE as u32 }));
        }
        Ok(Numeric::Finite(Decimal { digits, scale: point_scale as u32 }))
    }

    /// Rounds to the type modifier `numeric(p,s)`.
    ///
    /// Errors: 22003 when more digits than `p - s` remain before the point.
    pub fn with_typmod(self, typmod: i32) -> SqlResult<Numeric> {
        if typmod == NO_TYPMOD {
            return Ok(self);
        }
        let (precision, scale) = numeric_typmod(typmod);
        let field_overflow = |detail: String| {
            SqlError::new(state::NUMERIC_VALUE_OUT_OF_RANGE, "numeric field overflow")
                .detail(format!("A field with precision {precision}, scale {scale} {detail}"))
        };
        match self {
            Numeric::NaN => Ok(Numeric::NaN),
            Numeric::Infinity | Numeric::NegInfinity => Err(field_overflow("cannot hold an infinite value.".into())),
            Numeric::Finite(d) => {
                let rounded = d.round_at(scale.into(), true);
                let max = i64::from(precision - scale);
                if !rounded.is_zero() && rounded.exponent() + 1 > max {
                    let (base, max) = if max == 0 { ("", 1) } else { ("10^", max) };
                    return Err(field_overflow(format!("must round to an absolute value less than {base}{max}.")));
                }
                Ok(Numeric::Finite(rounded))
            }
        }
    }

    fn check(d: Decimal) -> SqlResult<Numeric> {
        if d.exponent() >= MAX_INTEGRAL { Err(overflow()) } else { Ok(Numeric::Finite(d)) }
    }

    /// Counts the work of writing it as text. Errors: those of [`meter::work`].
    pub fn charge_text(&self) -> SqlResult<()> {
        match self {
            Numeric::Finite(d) => d.charge(d, 0),
            _ => Ok(()),
        }
    }

    pub fn is_nan(&self) -> bool {
        matches!(self, Numeric::NaN)
    }

    /// −1, 0, 1. NaN has 0.
    pub fn signum(&self) -> i32 {
        match self {
            Numeric::NaN => 0,
            Numeric::Infinity => 1,
            Numeric::NegInfinity => -1,
            Numeric::Finite(d) => d.digits.signum(),
        }
    }

    /// Digits after the point; 0 for NaN and infinities.
    pub fn scale(&self) -> u32 {
        match self {
            Numeric::Finite(d) => d.scale,
            _ => 0,
        }
    }

    fn infinity(sign: i32) -> Numeric {
        match sign {
            0 => Numeric::NaN,
            1.. => Numeric::Infinity,
            _ => Numeric::NegInfinity,
        }
    }

    /// NaN is greater than everything and equal to itself.
    pub fn compare(&self, other: &Numeric) -> Ordering {
        let rank = |n: &Numeric| match n {
            Numeric::NegInfinity => 0,
            Numeric::Finite(_) => 1,
            Numeric::Infinity => 2,
            Numeric::NaN => 3,
        };
        match (self, other) {
            (Numeric::Finite(a), Numeric::Finite(b)) => a.compare(b),
            _ => rank(self).cmp(&rank(other)),
        }
    }

    pub fn add(&self, other: &Numeric) -> SqlResult<Numeric> {
        match (self, other) {
            (Numeric::Finite(a), Numeric::Finite(b)) => Numeric::check(a.add(b)),
            (Numeric::NaN, _) | (_, Numeric::NaN) => Ok(Numeric::NaN),
            (Numeric::Infinity, Numeric::NegInfinity) | (Numeric::NegInfinity, Numeric::Infinity) => Ok(Numeric::NaN),
            (Numeric::Finite(_), infinite) | (infinite, _) => Ok(infinite.clone()),
        }
    }

    pub fn sub(&self, other: &Numeric) -> SqlResult<Numeric> {
        self.add(&other.neg())
    }

    pub fn mul(&self, other: &Numeric) -> SqlResult<Numeric> {
        match (self, other) {
            (Numeric::Finite(a), Numeric::Finite(b)) => {
                a.charge(b, 0)?;
                Numeric::check(a.mul(b))
            }
            _ => Ok(Numeric::infinity(self.signum() * other.signum())),
        }
    }

    /// Errors: 22012.
    pub fn div(&self, other: &Numeric) -> SqlResult<Numeric> {
        match (self, other) {
            (Numeric::NaN, _) | (_, Numeric::NaN) => Ok(Numeric::NaN),
            (_, Numeric::Finite(b)) if b.is_zero() => Err(division_by_zero()),
            (Numeric::Finite(a), Numeric::Finite(b)) => {
                a.charge(b, MAX_DISPLAY_SCALE as usize)?;
                Numeric::check(a.div(b, a.div_scale(b), true))
            }
            (_, Numeric::Finite(_)) => Ok(Numeric::infinity(self.signum() * other.signum())),
            (Numeric::Finite(_), _) => Ok(Numeric::ZERO),
            _ => Ok(Numeric::NaN),
        }
    }

    /// The integer quotient, towards zero. Errors: 22012.
    pub fn div_trunc(&self, other: &Numeric) -> SqlResult<Numeric> {
        match (self, other) {
            (Numeric::Finite(a), Numeric::Finite(b)) if !b.is_zero() => {
                a.charge(b, 0)?;
                Numeric::check(a.div(b, 0, false))
            }
            _ => self.div(other),
        }
    }

    /// The remainder with the sign of `self`. Errors: 22012.
    pub fn rem(&self, other: &Numeric) -> SqlResult<Numeric> {
        match (self, other) {
            (Numeric::NaN, _) | (_, Numeric::NaN) => Ok(Numeric::NaN),
            (_, Numeric::Finite(b)) if b.is_zero() => Err(division_by_zero()),
            (Numeric::Finite(a), Numeric::Finite(b)) => {
                a.charge(b, 0)?;
                let (x, y, scale) = a.align(b);
                Ok(Numeric::Finite(match (&x, &y) {
                    (Small(x), Small(y)) => Decimal::small(x % y, scale),
                    _ => Decimal::new(x.to_big() % y.to_big(), scale),
                }))
            }
            (Numeric::Finite(_), _) => Ok(self.clone()),
            _ => Ok(Numeric::NaN),
        }
    }

    pub fn neg(&self) -> Numeric {
        match self {
            Numeric::NaN => Numeric::NaN,
            Numeric::Infinity => Numeric::NegInfinity,
            Numeric::NegInfinity => Numeric::Infinity,
            Numeric::Finite(d) => Numeric::Finite(d.neg()),
        }
    }

    pub fn abs(&self) -> Numeric {
        if self.signum() < 0 { self.neg() } else { self.clone() }
    }

    /// −1, 0 or 1 as a numeric; NaN stays.
    pub fn sign(&self) -> Numeric {
        if self.is_nan() { Numeric::NaN } else { Numeric::from(i64::from(self.signum())) }
    }

    fn map(&self, f: impl FnOnce(&Decimal) -> Decimal) -> SqlResult<Numeric> {
        match self {
            Numeric::Finite(d) => Numeric::check(f(d)),
            other => Ok(other.clone()),
        }
    }

    /// Half away from zero; a negative scale rounds before the point.
    pub fn round(&self, scale: i64) -> SqlResult<Numeric> {
        self.map(|d| d.round_at(scale, true))
    }

    /// Towards zero.
    pub fn trunc(&self, scale: i64) -> SqlResult<Numeric> {
        self.map(|d| d.round_at(scale, false))
    }

    pub fn floor(&self) -> SqlResult<Numeric> {
        self.map(|d| {
            let whole = d.rescale(0, false);
            if whole.compare(d) == Ordering::Greater { whole.add(&Decimal::small(-1, 0)) } else { whole }
        })
    }

    pub fn ceil(&self) -> SqlResult<Numeric> {
        self.map(|d| {
            let whole = d.rescale(0, false);
            if whole.compare(d) == Ordering::Less { whole.add(&Decimal::small(1, 0)) } else { whole }
        })
    }

    /// The fewest decimals that show the value exactly.
    pub fn min_scale(&self) -> u32 {
        match self {
            Numeric::Finite(d) => {
                let text = d.to_string();
                match text.split_once('.') {
                    Some((_, fraction)) => fraction.trim_end_matches('0').len() as u32,
                    None => 0,
                }
            }
            _ => 0,
        }
    }

    /// Without trailing zeros after the point.
    pub fn trim_scale(&self) -> Numeric {
        match self {
            Numeric::Finite(d) => Numeric::Finite(d.rescale(self.min_scale(), false)),
            other => other.clone(),
        }
    }

    /// Greatest common divisor; the scale is the larger one.
    pub fn gcd(&self, other: &Numeric) -> SqlResult<Numeric> {
        let (Numeric::Finite(a), Numeric::Finite(b)) = (self, other) else { return Ok(Numeric::NaN) };
        let (a, b, scale) = a.align(b);
        let (mut a, mut b) = (a.to_big(), b.to_big());
        while b.sign() != Sign::NoSign {
            meter::work(1 + words(&a))?;
            (a, b) = (b.clone(), a % b);
        }
        Ok(Numeric::Finite(Decimal::new(a, scale).abs()))
    }

    /// Least common multiple.
    pub fn lcm(&self, other: &Numeric) -> SqlResult<Numeric> {
        let (Numeric::Finite(a), Numeric::Finite(b)) = (self, other) else { return Ok(Numeric::NaN) };
        let scale = a.scale.max(b.scale);
        if a.is_zero() || b.is_zero() {
            return Ok(Numeric::Finite(Decimal::small(0, scale)));
        }
        let Numeric::Finite(g) = self.gcd(other)? else { return Ok(Numeric::NaN) };
        Numeric::check(a.div(&g, 0, false).mul(b).abs().rescale(scale, false))
    }

    /// Errors: 2201F for a negative value.
    pub fn sqrt(&self) -> SqlResult<Numeric> {
        if self.signum() < 0 {
            return Err(SqlError::new(INVALID_ARGUMENT_FOR_POWER, "cannot take square root of a negative number"));
        }
        let Numeric::Finite(d) = self else { return Ok(self.clone()) };
        let half_weight = (d.weight().0 + 1) * 4 / 2 - 1;
        let scale = (MIN_SIG_DIGITS - half_weight).max(d.scale.into()).clamp(0, MAX_DISPLAY_SCALE) as u32;
        // A few divisions of the whole, after smaller ones.
        charge(4 * d.words(scale as usize), d.words(scale as usize))?;
        Ok(Numeric::Finite(d.sqrt(scale)))
    }

    /// e to the power of the value. Errors: 22003.
    pub fn exp(&self) -> SqlResult<Numeric> {
        let Numeric::Finite(d) = self else {
            return Ok(if *self == Numeric::NegInfinity { Numeric::ZERO } else { self.clone() });
        };
        let value = d.to_f64();
        let weight = (value * LOG10_E).clamp(-MAX_RESULT_SCALE, MAX_RESULT_SCALE);
        let scale = (MIN_SIG_DIGITS - weight as i64).max(d.scale.into()).clamp(0, MAX_DISPLAY_SCALE) as u32;
        if value.abs() >= MAX_RESULT_SCALE * 3.0 {
            return if value > 0.0 { Err(overflow()) } else { Ok(Numeric::Finite(Decimal::small(0, scale))) };
        }
        Numeric::check(d.exp(scale)?)
    }

    /// Natural logarithm. Errors: 2201E for zero and negative values.
    pub fn ln(&self) -> SqlResult<Numeric> {
        self.check_logarithm()?;
        let Numeric::Finite(d) = self else { return Ok(self.clone()) };
        let scale = (MIN_SIG_DIGITS - d.ln_weight()).max(d.scale.into()).clamp(0, MAX_DISPLAY_SCALE);
        Ok(Numeric::Finite(d.ln(scale as u32)?))
    }

    fn check_logarithm(&self) -> SqlResult<()> {
        let what = match self {
            Numeric::NaN => return Ok(()),
            _ => match self.signum() {
                0 => "zero",
                1 => return Ok(()),
                _ => "a negative number",
            },
        };
        Err(SqlError::new(INVALID_ARGUMENT_FOR_LOG, format!("cannot take logarithm of {what}")))
    }

    /// Logarithm of the value to `base`. Errors: 2201E, 22012 for base 1.
    pub fn log(&self, base: &Numeric) -> SqlResult<Numeric> {
        if self.is_nan() || base.is_nan() {
            return Ok(Numeric::NaN);
        }
        base.check_logarithm()?;
        self.check_logarithm()?;
        match (base, self) {
            (Numeric::Finite(base), Numeric::Finite(num)) => {
                let (base_weight, num_weight) = (base.ln_weight(), num.ln_weight());
                let weight = num_weight - base_weight;
                let scale =
                    (MIN_SIG_DIGITS - weight).max(base.scale.into()).max(num.scale.into()).clamp(0, MAX_DISPLAY_SCALE);
                let ln_base = base.ln((scale + weight - base_weight + 8).max(0) as u32)?;
                let ln_num = num.ln((scale + weight - num_weight + 8).max(0) as u32)?;
                if ln_base.is_zero() {
                    return Err(division_by_zero());
                }
                Numeric::check(ln_num.div(&ln_base, scale as u32, true))
            }
            (Numeric::Finite(base), _) if base.compare(&Decimal::small(1, 0)) == Ordering::Less => {
                Ok(Numeric::NegInfinity)
            }
            (Numeric::Finite(base), _) if base.compare(&Decimal::small(1, 0)) == Ordering::Equal => {
                Err(division_by_zero())
            }
            (Numeric::Finite(_), _) => Ok(Numeric::Infinity),
            (_, Numeric::Finite(_)) => Ok(Numeric::ZERO),
            _ => Ok(Numeric::NaN),
        }
    }

    /// Errors: 2201F where there is no real result, 22003.
    pub fn power(&self, exponent: &Numeric) -> SqlResult<Numeric> {
        let one = Decimal::small(1, 0);
        let undefined = |text: &str| Err(SqlError::new(INVALID_ARGUMENT_FOR_POWER, text));
        let (base, exp) = match (self, exponent) {
            (Numeric::Finite(base), Numeric::Finite(exp)) => (base, exp),
            // 1 ^ NaN = 1 and NaN ^ 0 = 1, as in POSIX.
            (Numeric::Finite(base), Numeric::NaN) if base.compare(&one) == Ordering::Equal => {
                return Ok(Numeric::Finite(one));
            }
            (Numeric::NaN, Numeric::Finite(exp)) if exp.is_zero() => return Ok(Numeric::Finite(one)),
            (Numeric::NaN, _) | (_, Numeric::NaN) => return Ok(Numeric::NaN),
            _ => return self.power_infinite(exponent),
        };
        if base.is_zero() && exp.digits.signum() < 0 {
            return undefined("zero raised to a negative power is undefined");
        }
        if base.digits.signum() < 0 && !exp.is_integer() {
            return undefined("a negative number raised to a non-integer power yields a complex result");
        }
        if let Some(n) = exp.to_exact_i64().and_then(|n| i32::try_from(n).ok()) {
            let scale = MIN_SIG_DIGITS.max(base.scale.into()).clamp(0, MAX_DISPLAY_SCALE) as u32;
            return base.power_int(n, scale);
        }
        if base.is_zero() {
            return Ok(Numeric::Finite(Decimal::small(0, MIN_SIG_DIGITS as u32)));
        }
        base.power_real(exp)
    }

    fn power_infinite(&self, exponent: &Numeric) -> SqlResult<Numeric> {
        let one = Numeric::from(1i64);
        let (base_size, up) = (self.abs().compare(&one), exponent.signum() > 0);
        if let Numeric::Finite(exp) = exponent {
            // ±Infinity to a finite power.
            if exp.is_zero() {
                return Ok(one);
            }
            if !up {
                return Ok(Numeric::ZERO);
            }
            let odd = exp.is_integer() && !exp.rescale(0, false).rem_two().is_zero();
            if *self == Numeric::NegInfinity && !exp.is_integer() {
                return Err(SqlError::new(
                    INVALID_ARGUMENT_FOR_POWER,
                    "a negative number raised to a non-integer power yields a complex result",
                ));
            }
            return Ok(if self.signum() < 0 && odd { Numeric::NegInfinity } else { Numeric::Infinity });
        }
        if self.compare(&one) == Ordering::Equal || *self == Numeric::from(-1i64) {
            return Ok(one);
        }
        if self.signum() == 0 && !up {
            return Err(SqlError::new(INVALID_ARGUMENT_FOR_POWER, "zero raised to a negative power is undefined"));
        }
        Ok(if (base_size == Ordering::Greater) == up { Numeric::Infinity } else { Numeric::ZERO })
    }

    /// Variance, or its square root, of `count` values with this sum and sum of squares; `None` where there are too
    /// few values. `sample` divides by one less than the count.
    pub fn spread(
        count: i64,
        sum: &Numeric,
        squares: &Numeric,
        sample: bool,
        root: bool,
    ) -> SqlResult<Option<Numeric>> {
        if count <= i64::from(sample) {
            return Ok(None);
        }
        let (Numeric::Finite(sum), Numeric::Finite(squares)) = (sum, squares) else { return Ok(Some(Numeric::NaN)) };
        let n = Decimal::small(count.into(), 0);
        let numerator = squares.mul(&n).add(&sum.mul(sum).neg());
        if numerator.digits.signum() <= 0 {
            return Ok(Some(Numeric::ZERO));
        }
        let denominator = n.mul(&Decimal::small((count - i64::from(sample)).into(), 0));
        let scale = numerator.div_scale(&denominator);
        let variance = numerator.div(&denominator, scale, true);
        Ok(Some(Numeric::Finite(if root { variance.sqrt(scale) } else { variance })))
    }

    /// The same value with `scale` decimals (more only, or exact).
    pub fn rescaled(&self, scale: u32) -> Numeric {
        match self {
            Numeric::Finite(d) => Numeric::Finite(d.rescale(scale, true)),
            other => other.clone(),
        }
    }

    /// Rounded to an integer, half away from zero.
    ///
    /// Errors: 22003 outside `min..=max`, named by `type_name` (`integer`); 0A000 for NaN and infinities.
    pub fn to_integer(&self, min: i64, max: i64, type_name: &str) -> SqlResult<i64> {
        let special = |what: &str| {
            Err(SqlError::new(state::FEATURE_NOT_SUPPORTED, format!("cannot convert {what} to {type_name}")))
        };
        match self {
            Numeric::NaN => special("NaN"),
            Numeric::Infinity | Numeric::NegInfinity => special("infinity"),
            Numeric::Finite(d) => match d.rescale(0, true).digits {
                Small(n) if n >= min.into() && n <= max.into() => Ok(n as i64),
                _ => Err(SqlError::new(state::NUMERIC_VALUE_OUT_OF_RANGE, format!("{type_name} out of range"))),
            },
        }
    }

    /// An integer of up to 38 digits; towards zero. Errors: 22003.
    pub fn to_integer_exact(&self) -> SqlResult<i128> {
        match self {
            Numeric::Finite(d) => match d.rescale(0, false).digits {
                Small(n) => Ok(n),
                Big(n) => i128::try_from(&n).map_err(|_| overflow()),
            },
            _ => Err(overflow()),
        }
    }

    /// The nearest double. Errors: 22003 beyond its range.
    pub fn to_f64(&self) -> SqlResult<f64> {
        let out_of_range = || {
            SqlError::new(
                state::NUMERIC_VALUE_OUT_OF_RANGE,
                format!("\"{self}\" is out of range for type double precision"),
            )
        };
        let value = match self {
            Numeric::NaN => return Ok(f64::NAN),
            Numeric::Infinity => return Ok(f64::INFINITY),
            Numeric::NegInfinity => return Ok(f64::NEG_INFINITY),
            Numeric::Finite(d) => d.to_f64(),
        };
        if value.is_infinite() || (value == 0.0 && self.signum() != 0) { Err(out_of_range()) } else { Ok(value) }
    }

    /// From a double with 15 significant digits, from a single with 6, as Postgres casts.
    pub fn from_f64(value: f64, significant: usize) -> Numeric {
        if value.is_nan() {
            return Numeric::NaN;
        }
        if value.is_infinite() {
            return if value > 0.0 { Numeric::Infinity } else { Numeric::NegInfinity };
        }
        let text = format!("{:.*e}", significant - 1, value);
        let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        let mantissa = if mantissa.contains('.') { mantissa.trim_end_matches('0') } else { mantissa };
        Numeric::parse(&format!("{mantissa}e{exponent}")).unwrap_or(Numeric::NaN)
    }

    /// Appends PostgreSQL's binary form.
    pub fn write_binary(&self, out: &mut Vec<u8>) {
        let head = |out: &mut Vec<u8>, count: i16, weight: i16, sign: u16, scale: u16| {
            out.extend_from_slice(&count.to_be_bytes());
            out.extend_from_slice(&weight.to_be_bytes());
            out.extend_from_slice(&sign.to_be_bytes());
            out.extend_from_slice(&scale.to_be_bytes());
        };
        match self {
            Numeric::NaN => head(out, 0, 0, 0xc000, 0),
            Numeric::Infinity => head(out, 0, 0, 0xd000, 0),
            Numeric::NegInfinity => head(out, 0, 0, 0xf000, 0),
            Numeric::Finite(d) => text_to_binary(&d.to_string(), out),
        }
    }

    /// Reads PostgreSQL's binary form. Errors: 22P03.
    pub fn parse_binary(bytes: &[u8]) -> SqlResult<Numeric> {
        let bad = |what: &str| {
            SqlError::new(state::INVALID_BINARY_REPRESENTATION, format!("invalid {what} in external \"numeric\" value"))
        };
        let word = |at: usize| bytes.get(at * 2..at * 2 + 2).map(|b| u16::from_be_bytes([b[0], b[1]]));
        let (Some(count), Some(weight), Some(sign), Some(scale)) = (word(0), word(1), word(2), word(3)) else {
            return Err(bad("length"));
        };
        if bytes.len() != 8 + usize::from(count) * 2 {
            return Err(bad("length"));
        }
        match sign {
            0xc000 => return Ok(Numeric::NaN),
            0xd000 => return Ok(Numeric::Infinity),
            0xf000 => return Ok(Numeric::NegInfinity),
            0 | 0x4000 => {}
            _ => return Err(bad("sign")),
        }
        if scale > 0x3fff {
            return Err(bad("scale"));
        }
        let (weight, scale) = (i64::from(weight as i16), u32::from(scale));
        let mut text = String::with_capacity(usize::from(count) * 4 + 12);
        if sign == 0x4000 {
            text.push('-');
        }
        text.push('0');
        for at in 0..usize::from(count) {
            let digit = word(4 + at).unwrap_or(0);
            if digit > 9999 {
                return Err(bad("digit"));
            }
            let _ = write!(text, "{digit:04}");
        }
        let exponent = (weight + 1 - i64::from(count)) * 4;
        let _ = write!(text, "e{exponent}");
        // The sender may carry digits beyond the scale; they are cut, not rounded.
        let Numeric::Finite(d) = Numeric::parse(&text)? else { return Err(bad("digit")) };
        Ok(Numeric::Finite(d.rescale(scale, false)))
    }
}

/// Writes canonical text of a finite value in PostgreSQL's binary form (base 10000).
pub fn text_to_binary(text: &str, out: &mut Vec<u8>) {
    let (negative, body) = match text.strip_prefix('-') {
        Some(body) => (true, body),
        None => (false, text),
    };
    let (whole, fraction) = body.split_once('.').unwrap_or((body, ""));
    let whole = whole.trim_start_matches('0').as_bytes();
    let start = out.len();
    out.extend_from_slice(&[0; 8]);
    let mut weight = whole.len().div_ceil(4) as i64 - 1;
    let mut group = |digits: &[u8], pad: usize| {
        let value = digits.iter().fold(0u16, |n, d| n * 10 + u16::from(d - b'0')) * 10u16.pow(pad as u32);
        out.extend_from_slice(&value.to_be_bytes());
    };
    let head = whole.len() % 4;
    if head > 0 {
        group(&whole[..head], 0);
    }
    whole[head..].chunks(4).for_each(|chunk| group(chunk, 0));
    fraction.as_bytes().chunks(4).for_each(|chunk| group(chunk, 4 - chunk.len()));
    // Zero groups at either end are not sent.
    let mut leading = 0;
    while out.len() > start + 8 + leading && out[start + 8 + leading..][..2] == [0, 0] {
        leading += 2;
        weight -= 1;
    }
    out.drain(start + 8..start + 8 + leading);
    while out.len() > start + 8 && out[out.len() - 2..] == [0, 0] {
        out.truncate(out.len() - 2);
    }
    let count = (out.len() - start - 8) / 2;
    if count == 0 {
        weight = 0;
    }
    let sign: u16 = if negative && count > 0 { 0x4000 } else { 0 };
    out[start..start + 2].copy_from_slice(&(count as u16).to_be_bytes());
    out[start + 2..start + 4].copy_from_slice(&(weight as i16).to_be_bytes());
    out[start + 4..start + 6].copy_from_slice(&sign.to_be_bytes());
    out[start + 6..start + 8].copy_from_slice(&(fraction.len() as u16).to_be_bytes());
}

/// The order of canonical texts: the collation `pg_numeric`. Total even over texts that are no numbers.
pub fn compare_text(a: &str, b: &str) -> Ordering {
    fn rank(text: &str) -> u8 {
        match text.as_bytes() {
            [b'-', b'I', ..] => 0,
            [b'-', ..] => 1,
            [b'I', ..] => 3,
            [b'N', ..] => 4,
            _ => 2,
        }
    }
    fn magnitude(a: &str, b: &str) -> Ordering {
        let (whole_a, fraction_a) = a.split_once('.').unwrap_or((a, ""));
        let (whole_b, fraction_b) = b.split_once('.').unwrap_or((b, ""));
        whole_a
            .len()
            .cmp(&whole_b.len())
            .then_with(|| whole_a.cmp(whole_b))
            .then_with(|| fraction_a.trim_end_matches('0').cmp(fraction_b.trim_end_matches('0')))
    }
    match (rank(a), rank(b)) {
        (2, 2) => magnitude(a, b),
        (1, 1) => magnitude(&b[1..], &a[1..]),
        (x, y) => x.cmp(&y),
    }
}

/// Bytes in the order of [`compare_text`], equal where that finds texts equal; none is the beginning of another's.
pub fn push_key(text: &str, out: &mut Vec<u8>) {
    let (rank, magnitude) = match text.as_bytes() {
        [b'-', b'I', ..] => (0, ""),
        [b'-', ..] => (1, &text[1..]),
        [b'I', ..] => (3, ""),
        [b'N', ..] => (4, ""),
        _ => (2, text),
    };
    out.push(rank);
    let start = out.len();
    let (whole, fraction) = magnitude.split_once('.').unwrap_or((magnitude, ""));
    out.extend((whole.len() as u32).to_be_bytes());
    out.extend(whole.as_bytes());
    out.extend(fraction.trim_end_matches('0').as_bytes());
    out.push(0);
    if rank == 1 {
        out[start..].iter_mut().for_each(|byte| *byte = !*byte);
    }
}

// Square root, exponential, logarithm and powers of finite values.
impl Decimal {
    fn rem_two(&self) -> Decimal {
        match &self.digits {
            Small(n) => Decimal::small(n % 2, 0),
            Big(n) => Decimal::small(i128::from(n.bit(0)), 0),
        }
    }

    fn sqrt(&self, scale: u32) -> Decimal {
        // One digit more than asked for, cut off, decides the rounding.
        let shift = 2 * (i64::from(scale) + 1) - i64::from(self.scale);
        let radicand = if shift >= 0 {
            self.digits.times_pow10(shift as u32)
        } else {
            self.digits.over_pow10(-shift as u32, false)
        };
        Decimal::new(radicand.to_big().sqrt(), scale + 1).rescale(scale, true)
    }

    /// The value times 10^scale as an integer, towards zero.
    fn fixed(&self, scale: u32) -> BigInt {
        self.rescale(scale, false).digits.to_big()
    }

    fn exp(&self, scale: u32) -> SqlResult<Decimal> {
        let value = self.to_f64();
        // The result has about value/ln(10) digits before the point; the argument needs as many more decimals.
        let magnitude = (value * LOG10_E).abs() as u32 + 1;
        let work = scale + magnitude + 12;
        let exp = fixed_exp(&self.fixed(work + magnitude), work + magnitude)?;
        Ok(Decimal::new(exp, work + magnitude).rescale(scale, true))
    }

    /// The decimal exponent of ln(self), estimated exactly as PostgreSQL does, since scales depend on it.
    fn ln_weight(&self) -> i64 {
        if self.digits.signum() <= 0 {
            return 0;
        }
        let near_one = self.compare(&Decimal::small(9, 1)) != Ordering::Less
            && self.compare(&Decimal::small(11, 1)) != Ordering::Greater;
        if near_one {
            let distance = self.add(&Decimal::small(-1, 0));
            return distance.exponent();
        }
        let (weight, first) = self.weight();
        // Two base-10000 digits when there are two.
        let low_end = -self.min_exponent().div_euclid(-4).max(weight);
        let (digits, weight) = if low_end < weight || self.has_second_digit(weight) {
            let head = self.exponent() - weight * 4 + 1;
            (self.leading(head + 4), weight - 1)
        } else {
            (first, weight)
        };
        let ln = libm::log(digits as f64) + (weight * 4) as f64 * std::f64::consts::LN_10;
        libm::log10(ln.abs()) as i64
    }

    /// The decimal exponent of the last digit that is not zero.
    fn min_exponent(&self) -> i64 {
        let text = self.digits.to_big().magnitude().to_string();
        let zeros = text.len() - text.trim_end_matches('0').len();
        zeros as i64 - i64::from(self.scale)
    }

    fn has_second_digit(&self, weight: i64) -> bool {
        self.min_exponent() < weight * 4
    }

    fn ln(&self, scale: u32) -> SqlResult<Decimal> {
        let lost = (-self.ln_weight()).max(0) as u32;
        // So close to 1 that nothing of the logarithm is seen.
        if lost > scale + 2 || self.compare(&Decimal::small(1, 0)) == Ordering::Equal {
            return Ok(Decimal::small(0, scale));
        }
        // ln(x) = ln(m) + k ln(10) with m in [0.1, 10): the logarithm of the mantissa in fixed point. Digits of the
        // mantissa beyond those asked for change nothing.
        let exponent = self.exponent();
        let precise = scale + lost + 12;
        let k = if (-1..=0).contains(&exponent) { 0 } else { exponent };
        let shift = i64::from(precise) - i64::from(self.scale) - k;
        let mantissa = match shift {
            0.. => self.digits.times_pow10(shift as u32).to_big(),
            _ => self.digits.over_pow10(shift.unsigned_abs() as u32, false).to_big(),
        };
        let mut ln = fixed_ln(&mantissa, precise)?;
        if k != 0 {
            ln += fixed_ln(&(pow10(precise) * 10), precise)? * k;
        }
        Ok(Decimal::new(ln, precise).rescale(scale, true))
    }

    fn power_int(&self, exp: i32, scale: u32) -> SqlResult<Numeric> {
        match exp {
            0 => return Ok(Numeric::Finite(Decimal::small(1, 0).rescale(scale, false))),
            1 => return Ok(Numeric::Finite(self.rescale(scale, true))),
            -1 if self.is_zero() => return Err(division_by_zero()),
            -1 => return Ok(Numeric::Finite(Decimal::small(1, 0).div(self, scale, true))),
            2 => {
                self.charge(self, 0)?;
                return Numeric::check(self.mul(self).rescale(scale, true));
            }
            _ => {}
        }
        if self.is_zero() {
            return if exp < 0 { Err(division_by_zero()) } else { Ok(Numeric::Finite(Decimal::small(0, scale))) };
        }
        let lead = self.leading(16);
        let weight = f64::from(exp) * (libm::log10(lead as f64) + (self.exponent() - 15) as f64);
        if weight > f64::from(3 * i32::from(i16::MAX) * 4) {
            return Err(overflow());
        }
        if weight + 1.0 < -f64::from(scale) {
            return Ok(Numeric::Finite(Decimal::small(0, scale)));
        }
        // Significant digits of the result, and guard digits for one rounding per bit of the exponent.
        let keep = 1 + i64::from(scale) + (weight as i64).max(-i64::from(scale)) + 24;
        let mut base = Scientific::of(self);
        let mut result = Scientific { digits: BigInt::from(1), exponent: 0 };
        let mut bits = exp.unsigned_abs();
        while bits > 0 {
            if bits & 1 == 1 {
                result = result.mul(&base, keep + 16)?;
            }
            bits >>= 1;
            if bits > 0 {
                base = base.mul(&base, keep + 16)?;
            }
        }
        if exp < 0 {
            charge(words(&result.digits) + keep as usize / 20, words(&result.digits))?;
            let digits = keep + 16 + result.digits.magnitude().to_string().len() as i64;
            result = Scientific { digits: pow10(digits as u32) / result.digits, exponent: -digits - result.exponent };
        }
        Numeric::check(result.round(scale))
    }

    fn power_real(&self, exp: &Decimal) -> SqlResult<Numeric> {
        let (base, negative) = match self.digits.signum() {
            // The exponent is an integer too large for `power_int`.
            -1 => (self.neg(), !exp.rescale(0, false).rem_two().is_zero()),
            _ => (self.clone(), false),
        };
        let ln_weight = base.ln_weight();
        let rough = base.ln((8 - ln_weight).clamp(0, MAX_DISPLAY_SCALE) as u32)?.mul(exp).to_f64();
        if rough.abs() > MAX_RESULT_SCALE * 3.01 {
            return if rough > 0.0 { Err(overflow()) } else { Ok(Numeric::Finite(Decimal::small(0, 1000))) };
        }
        let weight = (rough * LOG10_E) as i64;
        let scale =
            (MIN_SIG_DIGITS - weight).max(base.scale.into()).max(exp.scale.into()).clamp(0, MAX_DISPLAY_SCALE) as u32;
        // Decimals of the product: those of the result, as many as it has before the point, and guards.
        let exp_digits = exp.exponent().max(0);
        let product = base.ln((i64::from(scale) + weight.max(0) + exp_digits + 14) as u32)?.mul(exp);
        let result = product.exp(scale)?;
        Numeric::check(if negative { result.neg() } else { result })
    }
}

/// A number kept to a limited count of digits while powers are taken.
struct Scientific {
    digits: BigInt,
    exponent: i64,
}

impl Scientific {
    fn of(d: &Decimal) -> Scientific {
        Scientific { digits: d.digits.to_big(), exponent: -i64::from(d.scale) }
    }

    fn mul(&self, other: &Scientific, keep: i64) -> SqlResult<Scientific> {
        charge(2 * words(&self.digits), words(&other.digits))?;
        let digits = &self.digits * &other.digits;
        let exponent = self.exponent + other.exponent;
        // Bits are cheap to count and tell the digits closely enough.
        let excess = (digits.bits() as f64 * std::f64::consts::LOG10_2) as i64 - keep;
        if excess < 16 {
            return Ok(Scientific { digits, exponent });
        }
        Ok(Scientific { digits: digits / pow10(excess as u32), exponent: exponent + excess })
    }

    fn round(&self, scale: u32) -> Decimal {
        let shift = self.exponent + i64::from(scale);
        let digits = Digits::from(self.digits.clone());
        if shift >= 0 {
            Decimal { digits: digits.times_pow10(shift as u32), scale }
        } else {
            Decimal { digits: digits.over_pow10(-shift as u32, true), scale }
        }
    }
}

/// e^x for `x` in units of 10^-scale, in the same units.
fn fixed_exp(x: &BigInt, scale: u32) -> SqlResult<BigInt> {
    // Halve until the series converges fast, then square back; each squaring doubles the error: guard digits.
    let guard = 30;
    let scale = scale + guard;
    let unit = pow10(scale);
    let mut x = x * pow10(guard);
    let halvings = ((x.bits() as i64 - unit.bits() as i64 + 1).max(0) + 8) as u32;
    x >>= halvings;
    let (mut sum, mut term, mut n) = (&unit + &x, x.clone(), 2u32);
    let step = 2 * words(&unit);
    loop {
        charge(step, step)?;
        term = &term * &x / &unit / n;
        if term.sign() == Sign::NoSign {
            break;
        }
        sum += &term;
        n += 1;
    }
    for _ in 0..halvings {
        charge(step, step)?;
        sum = &sum * &sum / &unit;
    }
    Ok(sum / pow10(guard))
}

/// ln(x) for `x > 0` in units of 10^-scale, in the same units.
fn fixed_ln(x: &BigInt, scale: u32) -> SqlResult<BigInt> {
    // Square roots bring x close to 1; then ln(x) = 2 artanh((x-1)/(x+1)).
    let guard = 30;
    let scale = scale + guard;
    let unit = pow10(scale);
    let mut x = x * pow10(guard);
    let mut roots = 0u32;
    let close: BigInt = &unit / 16;
    let step = 2 * words(&unit);
    while (&x - &unit).magnitude() > close.magnitude() {
        charge(4 * step, step)?;
        x = (&x * &unit).sqrt();
        roots += 1;
    }
    let z = (&x - &unit) * &unit / (&x + &unit);
    let z2 = &z * &z / &unit;
    let (mut sum, mut power, mut n) = (z.clone(), z, 3u32);
    loop {
        charge(step, step)?;
        power = &power * &z2 / &unit;
        let term = &power / n;
        if term.sign() == Sign::NoSign {
            break;
        }
        sum += term;
        n += 2;
    }
    Ok((sum << (roots + 1)) / pow10(guard))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn n(text: &str) -> Numeric {
        Numeric::parse(text).unwrap()
    }

    #[test]
    fn text_form() {
        for (input, output) in [
            ("1.50", "1.50"),
            (" -0.00 ", "0.00"),
            ("+1e3", "1000"),
            ("1.5e-3", "0.0015"),
            (".5", "0.5"),
            ("5.", "5"),
            ("0001", "1"),
            ("nan", "NaN"),
            ("-inf", "-Infinity"),
            ("123456789012345678901234567890123456789012.5", "123456789012345678901234567890123456789012.5"),
        ] {
            assert_eq!(super::input(input, NO_TYPMOD).unwrap(), output);
        }
        for bad in ["", "abc", "1.2.3", "1e", "--1", "1x", ".", "+nan"] {
            assert_eq!(Numeric::parse(bad).unwrap_err().code.as_str(), "22P02", "{bad}");
        }
    }

    #[test]
    fn collation_orders_as_values_do() {
        let sorted = [
            "-Infinity",
            "-100",
            "-10.5",
            "-0.01",
            "0",
            "0.001",
            "0.01",
            "0.1",
            "1",
            "1.5",
            "9",
            "10",
            "Infinity",
            "NaN",
        ];
        for (i, a) in sorted.iter().enumerate() {
            for (j, b) in sorted.iter().enumerate() {
                assert_eq!(compare_text(a, b), i.cmp(&j), "{a} {b}");
                assert_eq!(n(a).compare(&n(b)), i.cmp(&j), "{a} {b}");
            }
        }
        assert_eq!(compare_text("1.50", "1.5"), Ordering::Equal);
        assert_eq!(compare_text("0", "0.00"), Ordering::Equal);
    }

    #[test]
    fn typmod() {
        let m = super::super::typmod_in(super::super::Type::NUMERIC, &[5, 2]).unwrap();
        assert_eq!(n("123.456").with_typmod(m).unwrap().to_string(), "123.46");
        let error = n("999.995").with_typmod(m).unwrap_err();
        assert_eq!(error.code, state::NUMERIC_VALUE_OUT_OF_RANGE);
        assert_eq!(
            error.fields.detail.as_deref(),
            Some("A field with precision 5, scale 2 must round to an absolute value less than 10^3.")
        );
    }

    #[test]
    fn binary_round_trip() {
        for text in [
            "0",
            "0.00",
            "1",
            "-1.5",
            "10000",
            "0.0001",
            "123456789.987654321",
            "1e40",
            "NaN",
            "-Infinity",
            "0.00001000",
        ] {
            let mut out = Vec::new();
            n(text).write_binary(&mut out);
            assert_eq!(Numeric::parse_binary(&out).unwrap().to_string(), n(text).to_string(), "{text}");
        }
        let mut out = Vec::new();
        text_to_binary("-12345.678", &mut out);
        assert_eq!(out, [0, 3, 0, 1, 0x40, 0, 0, 3, 0, 1, 0x09, 0x29, 0x1a, 0x7c]);
    }
}
