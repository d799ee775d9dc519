//! `interval`: months, days and microseconds kept apart, as PostgreSQL keeps them.
//!
//! The stored form is the text `months|days|µs`, ordered by [`compare_text`] (the collation `pg_interval`) with
//! months of 30 days and days of 24 hours.

use super::datetime::{Clock, MICROS_PER_DAY, USECS_PER_HOUR, USECS_PER_MINUTE, USECS_PER_SEC, push_fraction};
use super::{IntervalStyle, NO_TYPMOD};
use crate::error::{SqlError, SqlResult, state};
use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt::Write as _;

/// An interval.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Interval {
    pub months: i32,
    pub days: i32,
    /// µs
    pub micros: i64,
}

const DAYS_PER_MONTH: i64 = 30;

pub(crate) fn out_of_range() -> SqlError {
    SqlError::new(state::DATETIME_FIELD_OVERFLOW, "interval out of range")
}

impl Interval {
    pub const fn new(months: i32, days: i32, micros: i64) -> Interval {
        Interval { months, days, micros }
    }

    /// The stored form.
    pub fn encode(&self) -> String {
        format!("{}|{}|{}", self.months, self.days, self.micros)
    }

    /// Reads the stored form.
    pub fn decode(text: &str) -> Option<Interval> {
        let mut parts = text.split('|');
        let interval = Interval {
            months: parts.next()?.parse().ok()?,
            days: parts.next()?.parse().ok()?,
            micros: parts.next()?.parse().ok()?,
        };
        parts.next().is_none().then_some(interval)
    }

    /// Reads the stored form. Errors: XX001, for the database holds something else.
    pub fn stored(text: &str) -> SqlResult<Interval> {
        Interval::decode(text)
            .ok_or_else(|| SqlError::new(state::DATA_CORRUPTED, format!("invalid stored interval \"{text}\"")))
    }

    /// Its length for comparisons, µs.
    pub fn span(&self) -> i128 {
        let days = i128::from(self.months) * 30 + i128::from(self.days);
        days * i128::from(MICROS_PER_DAY) + i128::from(self.micros)
    }

    pub fn compare(&self, other: &Interval) -> Ordering {
        self.span().cmp(&other.span())
    }

    pub fn checked_add(&self, other: &Interval) -> SqlResult<Interval> {
        Ok(Interval {
            months: self.months.checked_add(other.months).ok_or_else(out_of_range)?,
            days: self.days.checked_add(other.days).ok_or_else(out_of_range)?,
            micros: self.micros.checked_add(other.micros).ok_or_else(out_of_range)?,
        })
    }

    pub fn checked_neg(&self) -> SqlResult<Interval> {
        Ok(Interval {
            months: self.months.checked_neg().ok_or_else(out_of_range)?,
            days: self.days.checked_neg().ok_or_else(out_of_range)?,
            micros: self.micros.checked_neg().ok_or_else(out_of_range)?,
        })
    }

    pub fn checked_sub(&self, other: &Interval) -> SqlResult<Interval> {
        self.checked_add(&other.checked_neg()?)
    }

    /// Fractions of months become days and fractions of days become time, as in `interval_mul`.
    pub fn mul(&self, factor: f64) -> SqlResult<Interval> {
        self.scale(|n| n * factor)
    }

    /// Errors: 22012.
    pub fn div(&self, divisor: f64) -> SqlResult<Interval> {
        if divisor == 0.0 {
            return Err(SqlError::new(state::DIVISION_BY_ZERO, "division by zero"));
        }
        self.scale(|n| n / divisor)
    }

    fn scale(&self, by: impl Fn(f64) -> f64) -> SqlResult<Interval> {
        let to_i32 = |x: f64| (x.abs() < 2_147_483_648.0).then_some(x as i32).ok_or_else(out_of_range);
        let (months_exact, days_exact) = (by(self.months.into()), by(self.days.into()));
        let (months, mut days) = (to_i32(months_exact)?, to_i32(days_exact)?);
        // What is left of months, in days to the microsecond; whole days of it join the days.
        let left_days = round_to_micros((months_exact - f64::from(months)) * DAYS_PER_MONTH as f64);
        let whole = left_days.trunc();
        let mut seconds = round_to_micros((days_exact - f64::from(days) + left_days - whole) * 86_400.0);
        if seconds.abs() >= 86_400.0 {
            let extra = (seconds / 86_400.0).trunc();
            days = days.checked_add(extra as i32).ok_or_else(out_of_range)?;
            seconds -= extra * 86_400.0;
        }
        days = days.checked_add(whole as i32).ok_or_else(out_of_range)?;
        let micros = libm::rint(by(self.micros as f64) + seconds * 1e6);
        if micros.is_nan() || micros.abs() >= 9.223_372_036_854_775e18 {
            return Err(out_of_range());
        }
        Ok(Interval { months, days, micros: micros as i64 })
    }

    /// Whole months out of days, with one sign.
    pub fn justify_days(&self) -> SqlResult<Interval> {
        let mut r = *self;
        let whole = r.days / 30;
        r.days -= whole * 30;
        r.months = r.months.checked_add(whole).ok_or_else(out_of_range)?;
        if r.months > 0 && r.days < 0 {
            r.days += 30;
            r.months -= 1;
        } else if r.months < 0 && r.days > 0 {
            r.days -= 30;
            r.months += 1;
        }
        Ok(r)
    }

    /// Whole days out of hours, with one sign.
    pub fn justify_hours(&self) -> SqlResult<Interval> {
        let mut r = *self;
        let whole = r.micros / MICROS_PER_DAY;
        r.micros -= whole * MICROS_PER_DAY;
        r.days = i32::try_from(i64::from(r.days) + whole).map_err(|_| out_of_range())?;
        if r.days > 0 && r.micros < 0 {
            r.micros += MICROS_PER_DAY;
            r.days -= 1;
        } else if r.days < 0 && r.micros > 0 {
            r.micros -= MICROS_PER_DAY;
            r.days += 1;
        }
        Ok(r)
    }

    /// Both, and one sign for all.
    pub fn justify(&self) -> SqlResult<Interval> {
        let mut r = *self;
        let whole_days = r.micros / MICROS_PER_DAY;
        r.micros -= whole_days * MICROS_PER_DAY;
        let mut days = i64::from(r.days) + whole_days;
        let whole_months = days / DAYS_PER_MONTH;
        days -= whole_months * DAYS_PER_MONTH;
        let mut months = i64::from(r.months) + whole_months;
        if months > 0 && (days < 0 || (days == 0 && r.micros < 0)) {
            days += DAYS_PER_MONTH;
            months -= 1;
        } else if months < 0 && (days > 0 || (days == 0 && r.micros > 0)) {
            days -= DAYS_PER_MONTH;
            months += 1;
        }
        if days > 0 && r.micros < 0 {
            r.micros += MICROS_PER_DAY;
            days -= 1;
        } else if days < 0 && r.micros > 0 {
            r.micros -= MICROS_PER_DAY;
            days += 1;
        }
        r.days = i32::try_from(days).map_err(|_| out_of_range())?;
        r.months = i32::try_from(months).map_err(|_| out_of_range())?;
        Ok(r)
    }

    /// Cuts to the fields and rounds to the precision of a type modifier.
    pub fn with_typmod(mut self, typmod: i32) -> SqlResult<Interval> {
        if typmod == NO_TYPMOD {
            return Ok(self);
        }
        const YEAR: i32 = 1 << 2;
        const MONTH: i32 = 1 << 1;
        const DAY: i32 = 1 << 3;
        const HOUR: i32 = 1 << 10;
        const MINUTE: i32 = 1 << 11;
        let (range, precision) = (typmod >> 16 & 0x7fff, typmod & 0xffff);
        // The smallest field named decides what is cut; larger fields stay even if not named.
        match range {
            0x7fff => {}
            YEAR => self = Interval::new(self.months / 12 * 12, 0, 0),
            r if r & !(YEAR | MONTH) == 0 => self = Interval::new(self.months, 0, 0),
            DAY => self.micros = 0,
            r if r & (1 << 12) != 0 => {}
            r if r & MINUTE != 0 => self.micros -= self.micros % USECS_PER_MINUTE,
            r if r & HOUR != 0 => self.micros -= self.micros % USECS_PER_HOUR,
            _ => return Err(SqlError::internal(format!("unrecognized interval typmod: {typmod}"))),
        }
        if (0..6).contains(&precision) {
            self.micros = super::datetime::round_micros(self.micros, precision).ok_or_else(out_of_range)?;
        }
        Ok(self)
    }
}

/// Rounds to six decimals, so that products that are whole in decimal are whole.
fn round_to_micros(x: f64) -> f64 {
    libm::rint(x * 1e6) / 1e6
}

/// The order of stored intervals; what is no interval sorts first, by bytes.
pub fn compare_text(a: &str, b: &str) -> Ordering {
    match (Interval::decode(a), Interval::decode(b)) {
        (Some(x), Some(y)) => x.compare(&y),
        (None, None) => a.cmp(b),
        (x, y) => x.is_some().cmp(&y.is_some()),
    }
}

// ---- output ----

/// The parts an interval is shown in.
struct Parts {
    years: i64,
    months: i64,
    days: i64,
    hours: i64,
    minutes: i64,
    seconds: i64,
    micros: i64,
}

impl Parts {
    fn of(interval: &Interval) -> Parts {
        let (months, micros) = (i64::from(interval.months), interval.micros);
        Parts {
            years: months / 12,
            months: months % 12,
            days: interval.days.into(),
            hours: micros / USECS_PER_HOUR,
            minutes: micros / USECS_PER_MINUTE % 60,
            seconds: micros / USECS_PER_SEC % 60,
            micros: micros % USECS_PER_SEC,
        }
    }

    fn has_time(&self) -> bool {
        self.hours != 0 || self.minutes != 0 || self.seconds != 0 || self.micros != 0
    }

    fn time_negative(&self) -> bool {
        self.hours < 0 || self.minutes < 0 || self.seconds < 0 || self.micros < 0
    }

    fn push_seconds(&self, out: &mut String, width: usize) {
        let _ = write!(out, "{:0width$}", self.seconds.abs());
        push_fraction(out, self.micros.unsigned_abs() as u32);
    }
}

/// The output function of `interval`.
pub fn write(interval: &Interval, style: IntervalStyle, out: &mut String) {
    let parts = Parts::of(interval);
    match style {
        IntervalStyle::Postgres => write_postgres(&parts, out),
        IntervalStyle::PostgresVerbose => write_verbose(&parts, out),
        IntervalStyle::SqlStandard => write_sql(parts, out),
        IntervalStyle::Iso8601 => write_iso(&parts, out),
    }
}

fn write_postgres(p: &Parts, out: &mut String) {
    let (mut first, mut before) = (true, false);
    for (value, unit) in [(p.years, "year"), (p.months, "mon"), (p.days, "day")] {
        if value != 0 {
            let (gap, plus) = (if first { "" } else { " " }, if before && value > 0 { "+" } else { "" });
            let plural = if value == 1 { "" } else { "s" };
            let _ = write!(out, "{gap}{plus}{value} {unit}{plural}");
            before = value < 0;
            first = false;
        }
    }
    if first || p.has_time() {
        let sign = if p.time_negative() {
            "-"
        } else if before {
            "+"
        } else {
            ""
        };
        let gap = if first { "" } else { " " };
        let _ = write!(out, "{gap}{sign}{:02}:{:02}:", p.hours.abs(), p.minutes.abs());
        p.push_seconds(out, 2);
    }
}

fn write_verbose(p: &Parts, out: &mut String) {
    out.push('@');
    let (mut first, mut ago) = (true, false);
    for (value, unit) in [(p.years, "year"), (p.months, "mon"), (p.days, "day"), (p.hours, "hour"), (p.minutes, "min")]
    {
        if value == 0 {
            continue;
        }
        if first {
            ago = value < 0;
            first = false;
        }
        let shown = if ago { -value } else { value };
        let _ = write!(out, " {shown} {unit}{}", if shown == 1 { "" } else { "s" });
    }
    if p.seconds != 0 || p.micros != 0 {
        out.push(' ');
        if p.seconds < 0 || p.micros < 0 {
            if first {
                ago = true;
            } else if !ago {
                out.push('-');
            }
        } else if ago {
            out.push('-');
        }
        p.push_seconds(out, 1);
        out.push_str(if p.seconds.abs() != 1 || p.micros != 0 { " secs" } else { " sec" });
        first = false;
    }
    if first {
        out.push_str(" 0");
    }
    if ago {
        out.push_str(" ago");
    }
}

fn write_sql(mut p: Parts, out: &mut String) {
    let all = [p.years, p.months, p.days, p.hours, p.minutes, p.seconds, p.micros];
    let (negative, positive) = (all.iter().any(|n| *n < 0), all.iter().any(|n| *n > 0));
    let year_month = p.years != 0 || p.months != 0;
    let day_time = p.days != 0 || p.has_time();
    if !negative && !positive {
        out.push('0');
        return;
    }
    if (negative && positive) || (year_month && day_time) {
        let sign = |negative: bool| if negative { '-' } else { '+' };
        let _ = write!(
            out,
            "{}{}-{} {}{} {}{}:{:02}:",
            sign(p.years < 0 || p.months < 0),
            p.years.abs(),
            p.months.abs(),
            sign(p.days < 0),
            p.days.abs(),
            sign(p.time_negative()),
            p.hours.abs(),
            p.minutes.abs()
        );
        p.push_seconds(out, 2);
        return;
    }
    if negative {
        out.push('-');
        for n in [&mut p.years, &mut p.months, &mut p.days, &mut p.hours, &mut p.minutes] {
            *n = -*n;
        }
    }
    if year_month {
        let _ = write!(out, "{}-{}", p.years, p.months);
        return;
    }
    if p.days != 0 {
        let _ = write!(out, "{} ", p.days);
    }
    let _ = write!(out, "{}:{:02}:", p.hours, p.minutes);
    p.push_seconds(out, 2);
}

fn write_iso(p: &Parts, out: &mut String) {
    if p.years == 0 && p.months == 0 && p.days == 0 && !p.has_time() {
        out.push_str("PT0S");
        return;
    }
    out.push('P');
    for (value, unit) in [(p.years, 'Y'), (p.months, 'M'), (p.days, 'D')] {
        if value != 0 {
            let _ = write!(out, "{value}{unit}");
        }
    }
    if !p.has_time() {
        return;
    }
    out.push('T');
    for (value, unit) in [(p.hours, 'H'), (p.minutes, 'M')] {
        if value != 0 {
            let _ = write!(out, "{value}{unit}");
        }
    }
    if p.seconds != 0 || p.micros != 0 {
        if p.seconds < 0 || p.micros < 0 {
            out.push('-');
        }
        p.push_seconds(out, 1);
        out.push('S');
    }
}

// ---- input ----

/// Units of interval input. Fractions spill into smaller units: years and above into months, months into days of
/// 30 per month, weeks and days into time.
#[derive(Clone, Copy, PartialEq)]
enum Unit {
    Micros(f64),
    Days(i64),
    Months(i64),
    /// Only for years and above: a fraction is rounded to months.
    Years(i64),
}

fn unit(word: &str) -> Option<Unit> {
    Some(match word {
        "us" | "usec" | "usecs" | "usecond" | "useconds" | "microsecond" | "microseconds" | "microsecon" => {
            Unit::Micros(1.0)
        }
        "ms" | "msec" | "msecs" | "msecond" | "mseconds" | "millisecond" | "milliseconds" | "millisecon" => {
            Unit::Micros(1e3)
        }
        "s" | "sec" | "secs" | "second" | "seconds" => Unit::Micros(1e6),
        "m" | "min" | "mins" | "minute" | "minutes" => Unit::Micros(6e7),
        "h" | "hr" | "hrs" | "hour" | "hours" => Unit::Micros(3.6e9),
        "d" | "day" | "days" => Unit::Days(1),
        "w" | "week" | "weeks" => Unit::Days(7),
        "mon" | "mons" | "month" | "months" => Unit::Months(1),
        "y" | "yr" | "yrs" | "year" | "years" => Unit::Years(1),
        "dec" | "decs" | "decade" | "decades" => Unit::Years(10),
        "c" | "cent" | "century" | "centuries" => Unit::Years(100),
        "mil" | "mils" | "millennia" | "millennium" => Unit::Years(1000),
        _ => return None,
    })
}

impl Unit {
    /// A bit for each unit, for an input may name each once.
    fn bit(self) -> u32 {
        match self {
            Unit::Micros(size) => 1 << [1e0, 1e3, 1e6, 6e7].iter().filter(|smaller| **smaller < size).count(),
            Unit::Days(1) => 1 << 5,
            Unit::Days(_) => 1 << 6,
            Unit::Months(_) => 1 << 7,
            Unit::Years(size) => 1 << (8 + size.ilog10()),
        }
    }
}

/// Bits of what a clock time, seconds with a fraction, and a year-month stand for.
const CLOCK_BITS: u32 = 0b11111;
const SECOND_BITS: u32 = 0b00111;
const YEAR_MONTH_BITS: u32 = 1 << 7 | 1 << 8;

/// The sum while an input is read; wide, so that only the result is checked.
#[derive(Default)]
struct Sum {
    years: i128,
    months: i128,
    days: i128,
    micros: i128,
}

impl Sum {
    /// Adds `whole + fraction` of a unit, where `fraction` has the sign of the number.
    fn add(&mut self, whole: i128, fraction: f64, unit: Unit) {
        match unit {
            Unit::Micros(size) => {
                self.micros += whole * size as i128 + libm::rint(fraction * size) as i128;
            }
            Unit::Days(size) => {
                self.days += whole * i128::from(size);
                self.add_days(fraction * size as f64);
            }
            Unit::Months(size) => {
                self.months += whole * i128::from(size);
                self.add_days(fraction * 30.0 * size as f64);
            }
            Unit::Years(size) => {
                self.years += whole * i128::from(size);
                self.months += libm::rint(fraction * 12.0 * size as f64) as i128;
            }
        }
    }

    fn add_days(&mut self, days: f64) {
        let whole = days.trunc();
        self.days += whole as i128;
        self.micros += libm::rint((days - whole) * 86_400e6) as i128;
    }

    fn negate(&mut self) {
        (self.years, self.months) = (-self.years, -self.months);
        (self.days, self.micros) = (-self.days, -self.micros);
    }

    fn finish(self) -> Result<Interval, Fail> {
        let int = |n: i128| i32::try_from(n).map_err(|_| Fail::Range);
        let (years, months) = (int(self.years)?, int(self.months)?);
        Ok(Interval {
            months: years.checked_mul(12).and_then(|y| y.checked_add(months)).ok_or(Fail::Total)?,
            days: int(self.days)?,
            micros: self.micros.try_into().map_err(|_| Fail::Range)?,
        })
    }
}

enum Fail {
    Syntax,
    /// Of a field.
    Range,
    /// Of all of it.
    Total,
}

/// A number's whole part and fraction, both with its sign.
fn number(text: &str) -> Result<(i128, f64), Fail> {
    let negative = text.starts_with('-');
    let body = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (whole, fraction) = body.split_once('.').unwrap_or((body, ""));
    let digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
    if (whole.is_empty() && fraction.is_empty()) || !digits(whole) || !digits(fraction) {
        return Err(Fail::Syntax);
    }
    let value: i128 = if whole.is_empty() { 0 } else { whole.parse().map_err(|_| Fail::Range)? };
    let value = if negative { -value } else { value };
    let fraction = if fraction.is_empty() { 0.0 } else { format!("0.{fraction}").parse().map_err(|_| Fail::Syntax)? };
    i64::try_from(value).map_err(|_| Fail::Range)?;
    Ok((value, if negative { -fraction } else { fraction }))
}

/// The input function of `interval`: PostgreSQL's verbose form, SQL standard, ISO 8601.
///
/// `range` is the bits of fields from the type modifier ("interval '5' hour"). Errors: 22007, 22015.
pub fn parse(text: &str, style: IntervalStyle, typmod: i32) -> SqlResult<Interval> {
    let range = if typmod == NO_TYPMOD { 0x7fff } else { typmod >> 16 & 0x7fff };
    let trimmed = text.trim();
    let parsed = if trimmed.starts_with(['P', 'p']) { parse_iso(trimmed) } else { parse_words(trimmed, style, range) };
    let error = |fail| match fail {
        Fail::Syntax => {
            SqlError::new(state::INVALID_DATETIME_FORMAT, format!("invalid input syntax for type interval: \"{text}\""))
        }
        Fail::Range => {
            SqlError::new(state::INTERVAL_FIELD_OVERFLOW, format!("interval field value out of range: \"{text}\""))
        }
        Fail::Total => out_of_range(),
    };
    parsed.and_then(Sum::finish).map_err(error)?.with_typmod(typmod)
}

/// What an interval's text is made of.
#[derive(Debug, PartialEq)]
enum Token<'a> {
    /// With sign and fraction.
    Number(&'a str),
    /// `hh:mm[:ss[.f]]`, with sign.
    Time(&'a str),
    /// `years-months`, with sign.
    YearMonth(&'a str),
    Word(String),
}

fn tokens(text: &str) -> Result<Vec<Token<'_>>, Fail> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let start = at;
        match bytes[at] {
            b if b.is_ascii_whitespace() => at += 1,
            b'@' | b',' => at += 1,
            b'0'..=b'9' | b'.' | b'+' | b'-' => {
                at += 1;
                let mut class = b'n';
                while let Some(&b) = bytes.get(at) {
                    match b {
                        b'0'..=b'9' | b'.' => {}
                        b':' => class = b':',
                        b'-' if bytes.get(at + 1).is_some_and(u8::is_ascii_digit) => class = b'-',
                        _ => break,
                    }
                    at += 1;
                }
                let token = &text[start..at];
                found.push(match class {
                    b':' => Token::Time(token),
                    b'-' => Token::YearMonth(token),
                    _ => Token::Number(token),
                });
            }
            b if b.is_ascii_alphabetic() => {
                while bytes.get(at).is_some_and(u8::is_ascii_alphabetic) {
                    at += 1;
                }
                found.push(Token::Word(text[start..at].to_ascii_lowercase()));
            }
            _ => return Err(Fail::Syntax),
        }
    }
    Ok(found)
}

/// A sign may stand apart from its number: `1 month - 1 second`.
fn with_signs_joined(text: &str) -> Cow<'_, str> {
    if !text.contains("- ") && !text.contains("+ ") {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if !(c.is_ascii_whitespace() && out.ends_with(['-', '+'])) {
            out.push(c);
        }
    }
    Cow::Owned(out)
}

fn parse_words(text: &str, style: IntervalStyle, range: i32) -> Result<Sum, Fail> {
    let text = &*with_signs_joined(text);
    let tokens = tokens(text)?;
    if tokens.is_empty() {
        return Err(Fail::Syntax);
    }
    let mut sum = Sum::default();
    // From the right: a number's unit is the word after it, days before a time, the type's last field, or seconds.
    let mut pending: Option<Unit> = None;
    let mut ago = false;
    let mut seen = 0;
    let mut once = |bits: u32| {
        let again = seen & bits != 0;
        seen |= bits;
        if again { Err(Fail::Syntax) } else { Ok(()) }
    };
    let mut unnamed = Some(default_unit(range));
    // In the SQL standard's style a leading minus covers all fields without a sign of their own.
    let leading_minus = style == IntervalStyle::SqlStandard
        && text.starts_with('-')
        && !tokens[1..].iter().any(|t| match t {
            Token::Number(s) | Token::Time(s) | Token::YearMonth(s) => s.starts_with(['+', '-']),
            Token::Word(_) => false,
        });
    for (at, token) in tokens.iter().enumerate().rev() {
        let flip = leading_minus && at > 0;
        match token {
            Token::Word(word) if word == "ago" && at == tokens.len() - 1 => ago = true,
            Token::Word(word) => {
                if pending.is_some() {
                    return Err(Fail::Syntax);
                }
                // PostgreSQL looks at ten letters of a word.
                let found = unit(word).or_else(|| word.get(..10).and_then(unit));
                pending = Some(found.ok_or(Fail::Syntax)?);
            }
            Token::Time(time) => {
                if pending.is_some() {
                    return Err(Fail::Syntax);
                }
                once(CLOCK_BITS)?;
                let micros = clock(time, range)?;
                sum.micros += if flip { -micros } else { micros };
                unnamed = Some(Unit::Days(1));
            }
            Token::YearMonth(text) => {
                let (negative, body) = match text.strip_prefix('-') {
                    Some(body) => (true, body),
                    None => (false, text.strip_prefix('+').unwrap_or(text)),
                };
                once(YEAR_MONTH_BITS)?;
                let (years, months) = body.split_once('-').ok_or(Fail::Syntax)?;
                let (years, months) = (number(years)?.0, number(months)?.0);
                if months >= 12 || pending.is_some() {
                    return Err(if pending.is_some() { Fail::Syntax } else { Fail::Range });
                }
                let sign = if negative != flip { -1 } else { 1 };
                sum.years += sign * years;
                sum.months += sign * months;
                unnamed = None;
            }
            Token::Number(text) => {
                let unit = pending.take().or(unnamed.take()).ok_or(Fail::Syntax)?;
                let (whole, fraction) = number(text)?;
                let split_second = unit == Unit::Micros(1e6) && fraction != 0.0;
                once(if split_second { SECOND_BITS } else { unit.bit() })?;
                if unit.bit() == Unit::Micros(3.6e9).bit() {
                    // Before hours there are days.
                    unnamed = Some(Unit::Days(1));
                }
                if flip { sum.add(-whole, -fraction, unit) } else { sum.add(whole, fraction, unit) }
            }
        }
    }
    if pending.is_some() || (tokens.len() == 1 && ago) {
        return Err(Fail::Syntax);
    }
    if ago {
        sum.negate();
    }
    Ok(sum)
}

/// What a number without a unit means: the last field of the type.
fn default_unit(range: i32) -> Unit {
    match range {
        0x7fff => Unit::Micros(1e6),
        r if r & (1 << 12) != 0 => Unit::Micros(1e6),
        r if r & (1 << 11) != 0 => Unit::Micros(6e7),
        r if r & (1 << 10) != 0 => Unit::Micros(3.6e9),
        r if r & (1 << 3) != 0 => Unit::Days(1),
        r if r & (1 << 1) != 0 => Unit::Months(1),
        _ => Unit::Years(1),
    }
}

/// µs of `hh:mm[:ss[.f]]`; `mm:ss` when the type is MINUTE TO SECOND or the second part has a fraction.
fn clock(text: &str, range: i32) -> Result<i128, Fail> {
    let (negative, body) = match text.strip_prefix('-') {
        Some(body) => (true, body),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let parts: Vec<&str> = body.split(':').collect();
    let (hours, minutes, seconds) = match parts[..] {
        [m, s] if range == (1 << 11 | 1 << 12) || s.contains('.') => ("0", m, s),
        [h, m] => (h, m, "0"),
        [h, m, s] => (h, m, s),
        _ => return Err(Fail::Syntax),
    };
    let whole = |s: &str| s.parse::<u64>().map(i128::from).map_err(|_| Fail::Syntax);
    let (h, m) = (whole(hours)?, whole(minutes)?);
    let (s, f) = number(seconds)?;
    let micros = s * 1_000_000 + libm::rint(f * 1e6) as i128;
    if m > 59 || micros > 60_000_000 {
        return Err(Fail::Range);
    }
    let total = h * i128::from(USECS_PER_HOUR) + m * i128::from(USECS_PER_MINUTE) + micros;
    Ok(if negative { -total } else { total })
}

/// `P1Y2M3DT4H5M6.7S`, `P2W`, and the alternative forms `P0001-02-03T04:05:06` and `P00010203T040506`.
fn parse_iso(text: &str) -> Result<Sum, Fail> {
    let body = &text[1..];
    if body.is_empty() {
        return Err(Fail::Syntax);
    }
    let mut sum = Sum::default();
    let (date, time) = match body.split_once(['T', 't']) {
        Some((_, "")) => return Err(Fail::Syntax),
        Some((date, time)) => (date, time),
        None => (body, ""),
    };
    for (part, is_time) in [(date, false), (time, true)] {
        let mut rest = part;
        while !rest.is_empty() {
            let end = iso_number(rest);
            let (whole, fraction) = iso_value(&rest[..end])?;
            let unit = match (rest.as_bytes().get(end).map(u8::to_ascii_uppercase), is_time) {
                (Some(b'Y'), false) => Unit::Years(1),
                (Some(b'M'), false) => Unit::Months(1),
                (Some(b'W'), false) => Unit::Days(7),
                (Some(b'D'), false) => Unit::Days(1),
                (Some(b'H'), true) => Unit::Micros(3.6e9),
                (Some(b'M'), true) => Unit::Micros(6e7),
                (Some(b'S'), true) => Unit::Micros(1e6),
                (None | Some(b'-'), false) | (None | Some(b':'), true) if rest.len() == part.len() => {
                    alternative(part, is_time, &mut sum)?;
                    break;
                }
                _ => return Err(Fail::Syntax),
            };
            sum.add(whole, fraction, unit);
            rest = &rest[end + 1..];
        }
    }
    Ok(sum)
}

/// The date or the time of the alternative forms.
fn alternative(part: &str, is_time: bool, sum: &mut Sum) -> Result<(), Fail> {
    let (separator, width, units) = match is_time {
        true => (':', 6, [Unit::Micros(3.6e9), Unit::Micros(6e7), Unit::Micros(1e6)]),
        false => ('-', 8, [Unit::Years(1), Unit::Months(1), Unit::Days(1)]),
    };
    if part.bytes().take_while(u8::is_ascii_digit).count() == width && !part.contains(separator) {
        let (head, last) = part.split_at(width - 2);
        let (first, second) = head.split_at(width - 4);
        for (field, unit) in [first, second, last].into_iter().zip(units) {
            let (whole, fraction) = iso_value(field)?;
            sum.add(whole, fraction, unit);
        }
        return Ok(());
    }
    let mut rest = part;
    for unit in units {
        let end = iso_number(rest);
        let (whole, fraction) = iso_value(&rest[..end])?;
        sum.add(whole, fraction, unit);
        match rest[end..].strip_prefix(separator) {
            Some(more) => rest = more,
            None if end == rest.len() => return Ok(()),
            None => return Err(Fail::Syntax),
        }
    }
    Err(Fail::Syntax)
}

/// Bytes of the number in front: sign, digits, fraction, exponent.
fn iso_number(text: &str) -> usize {
    let digits = |from: usize| text.bytes().skip(from).take_while(u8::is_ascii_digit).count();
    let mut end = usize::from(text.starts_with(['-', '+']));
    end += digits(end);
    if text[end..].starts_with('.') {
        end += 1 + digits(end + 1);
    }
    if text[end..].starts_with(['e', 'E']) {
        let sign = usize::from(text[end + 1..].starts_with(['-', '+']));
        let exponent = digits(end + 1 + sign);
        end += if exponent > 0 { 1 + sign + exponent } else { 0 };
    }
    end
}

/// A number with an exponent, perhaps.
fn iso_value(text: &str) -> Result<(i128, f64), Fail> {
    if !text.contains(['e', 'E']) {
        return number(text);
    }
    let value: f64 = text.parse().map_err(|_| Fail::Syntax)?;
    if value.abs() > 1e15 {
        return Err(Fail::Range);
    }
    Ok((value.trunc() as i128, value - value.trunc()))
}

/// `make_interval`. Errors: 22008.
pub fn make(years: i32, months: i32, weeks: i32, days: i32, hours: i32, mins: i32, secs: f64) -> SqlResult<Interval> {
    if !secs.is_finite() {
        return Err(out_of_range());
    }
    let whole = i128::from(hours) * i128::from(USECS_PER_HOUR) + i128::from(mins) * i128::from(USECS_PER_MINUTE);
    let micros = whole.saturating_add(libm::rint(secs * 1e6) as i128);
    Ok(Interval {
        months: i32::try_from(i64::from(years) * 12 + i64::from(months)).map_err(|_| out_of_range())?,
        days: i32::try_from(i64::from(weeks) * 7 + i64::from(days)).map_err(|_| out_of_range())?,
        micros: micros.try_into().map_err(|_| out_of_range())?,
    })
}

/// An interval as hours, minutes and so on, for formatting.
pub(crate) fn clock_of(interval: &Interval) -> Clock {
    let p = Parts::of(interval);
    Clock { hour: p.hours, minute: p.minutes, second: p.seconds, micros: p.micros }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_ignores_the_split_into_fields() {
        assert_eq!(compare_text("1|0|0", "0|30|0"), Ordering::Equal);
        assert_eq!(compare_text("0|1|0", "0|0|86399999999"), Ordering::Greater);
        assert_eq!(compare_text("-1|0|0", "0|0|0"), Ordering::Less);
    }

    #[test]
    fn fields_cut_by_the_modifier() {
        let modifier = super::super::info::interval_typmod("day to minute", None).unwrap();
        let parsed = parse("1 02:03:04", IntervalStyle::Postgres, modifier).unwrap();
        assert_eq!(parsed, Interval::new(0, 1, 2 * USECS_PER_HOUR + 3 * USECS_PER_MINUTE));
    }
}
