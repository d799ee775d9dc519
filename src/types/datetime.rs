//! Dates and times: the proleptic Gregorian calendar from 4713 BC to 294276 AD, PostgreSQL's input and output
//! forms, arithmetic, truncation and extraction.
//!
//! Everything is an integer: dates count days, timestamps µs, from 2000-01-01. The first and last integer are
//! −infinity and infinity. Nothing here reads a clock: inputs such as `now` or `today` take the time as an argument
//! and are an error without one.

use super::interval::Interval;
use super::numeric::Numeric;
use super::zone::{self, Zone};
use super::{DateOrder, DateOutput, DateStyle, Env, NO_TYPMOD, Type, format_type_plain};
use crate::error::{SqlError, SqlResult, SqlState, state};
use std::cmp::Ordering;
use std::fmt::Write as _;

pub const USECS_PER_SEC: i64 = 1_000_000;
pub const USECS_PER_MINUTE: i64 = 60 * USECS_PER_SEC;
pub const USECS_PER_HOUR: i64 = 60 * USECS_PER_MINUTE;
pub const MICROS_PER_DAY: i64 = 24 * USECS_PER_HOUR;

/// Infinite dates and timestamps.
pub const DATE_NEG_INFINITY: i64 = i32::MIN as i64;
pub const DATE_INFINITY: i64 = i32::MAX as i64;
pub const TIMESTAMP_NEG_INFINITY: i64 = i64::MIN;
pub const TIMESTAMP_INFINITY: i64 = i64::MAX;

/// Days from 1970-01-01 to 2000-01-01, and from Julian day 0.
pub const UNIX_EPOCH_DAYS: i64 = 10_957;
pub const JULIAN_EPOCH: i64 = 2_451_545;
const MIN_TIMESTAMP: i64 = -211_813_488_000_000_000;
/// The first µs after the last timestamp.
const END_TIMESTAMP: i64 = 9_223_371_331_200_000_000;
const END_DATE: i64 = 2_147_483_494 - JULIAN_EPOCH;

pub const INVALID_TIME_ZONE_DISPLACEMENT: SqlState = SqlState::new("22009");

pub const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
pub const DAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

/// A time of day, or the time part of an interval (then `hour` may be large and all may be negative).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Clock {
    pub hour: i64,
    pub minute: i64,
    pub second: i64,
    pub micros: i64,
}

impl Clock {
    /// Of µs since midnight.
    pub fn of(micros: i64) -> Clock {
        Clock {
            hour: micros / USECS_PER_HOUR,
            minute: micros / USECS_PER_MINUTE % 60,
            second: micros / USECS_PER_SEC % 60,
            micros: micros % USECS_PER_SEC,
        }
    }
}

// ---- calendar ----

/// Days since 2000-01-01 of a date of the proleptic Gregorian calendar; year 0 is 1 BC. `month` is 1…12.
pub fn days_of(year: i64, month: i64, day: i64) -> i64 {
    // Years begin in March here, so that the leap day is their last.
    let y = if month <= 2 { year - 1 } else { year };
    let era = y.div_euclid(400);
    let year_of_era = y.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 730_425
}

/// Year, month and day of days since 2000-01-01.
pub fn civil(days: i64) -> (i64, i64, i64) {
    let z = days + 730_425;
    let era = z.div_euclid(146_097);
    let day_of_era = z.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

pub fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

pub fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        2 => 28 + i64::from(is_leap(year)),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// 0 is Sunday.
pub fn day_of_week(days: i64) -> i64 {
    (days + 6).rem_euclid(7)
}

/// Year and week by ISO 8601.
pub fn iso_week(days: i64) -> (i64, i64) {
    // The week belongs to the year of its Thursday.
    let thursday = days - (days + 5).rem_euclid(7) + 3;
    let (year, _, _) = civil(thursday);
    (year, (thursday - days_of(year, 1, 1)) / 7 + 1)
}

/// Monday of an ISO week, in days.
pub fn iso_week_start(year: i64, week: i64) -> i64 {
    let jan4 = days_of(year, 1, 4);
    jan4 - (jan4 + 5).rem_euclid(7) + (week - 1) * 7
}

/// Days and µs of day of a finite timestamp.
pub fn split(timestamp: i64) -> (i64, i64) {
    (timestamp.div_euclid(MICROS_PER_DAY), timestamp.rem_euclid(MICROS_PER_DAY))
}

pub fn is_infinite(timestamp: i64) -> bool {
    timestamp == TIMESTAMP_INFINITY || timestamp == TIMESTAMP_NEG_INFINITY
}

pub fn is_infinite_date(days: i64) -> bool {
    days == DATE_INFINITY || days == DATE_NEG_INFINITY
}

/// Errors: 22008.
pub fn check_timestamp(timestamp: Option<i64>) -> SqlResult<i64> {
    timestamp
        .filter(|t| (MIN_TIMESTAMP..END_TIMESTAMP).contains(t))
        .ok_or_else(|| SqlError::new(state::DATETIME_FIELD_OVERFLOW, "timestamp out of range"))
}

/// Errors: 22008.
pub fn check_date(days: i64) -> SqlResult<i64> {
    if (-JULIAN_EPOCH..END_DATE).contains(&days) {
        Ok(days)
    } else {
        Err(SqlError::new(state::DATETIME_FIELD_OVERFLOW, "date out of range"))
    }
}

/// Rounds µs to `precision` decimals of seconds, half away from zero; `None` on overflow.
pub fn round_micros(micros: i64, precision: i32) -> Option<i64> {
    if !(0..6).contains(&precision) {
        return Some(micros);
    }
    let unit = 10i64.pow(6 - precision as u32);
    let half = if micros >= 0 { unit / 2 } else { -unit / 2 };
    micros.checked_add(half).map(|t| t / unit * unit)
}

// ---- time with time zone ----

/// A time of day with its offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeTz {
    /// µs since midnight, local.
    pub micros: i64,
    /// Seconds east of UTC.
    pub offset: i32,
}

impl TimeTz {
    /// The stored form: `µs|offset`.
    pub fn encode(&self) -> String {
        format!("{}|{}", self.micros, self.offset)
    }

    /// Reads the stored form.
    pub fn decode(text: &str) -> Option<TimeTz> {
        let (micros, offset) = text.split_once('|')?;
        Some(TimeTz { micros: micros.parse().ok()?, offset: offset.parse().ok()? })
    }

    /// Reads the stored form. Errors: XX001.
    pub fn stored(text: &str) -> SqlResult<TimeTz> {
        TimeTz::decode(text)
            .ok_or_else(|| SqlError::new(state::DATA_CORRUPTED, format!("invalid stored timetz \"{text}\"")))
    }

    /// By the instant, then the zone further west last.
    pub fn compare(&self, other: &TimeTz) -> Ordering {
        let utc = |t: &TimeTz| t.micros - i64::from(t.offset) * USECS_PER_SEC;
        utc(self).cmp(&utc(other)).then(other.offset.cmp(&self.offset))
    }
}

/// The collation `pg_timetz`.
pub fn compare_timetz(a: &str, b: &str) -> Ordering {
    match (TimeTz::decode(a), TimeTz::decode(b)) {
        (Some(x), Some(y)) => x.compare(&y),
        (None, None) => a.cmp(b),
        (x, y) => x.is_some().cmp(&y.is_some()),
    }
}

// ---- output ----

fn push_two(out: &mut Vec<u8>, n: i64) {
    out.extend_from_slice(&[b'0' + (n / 10 % 10) as u8, b'0' + (n % 10) as u8]);
}

fn push_year(out: &mut Vec<u8>, year: i64) {
    let shown = if year > 0 { year } else { 1 - year };
    if shown < 10_000 {
        push_two(out, shown / 100);
        push_two(out, shown % 100);
    } else {
        out.extend_from_slice(shown.to_string().as_bytes());
    }
}

fn push_bc(out: &mut Vec<u8>, year: i64) {
    if year <= 0 {
        out.extend_from_slice(b" BC");
    }
}

/// `.25` of 250000 µs, nothing of 0.
pub(crate) fn push_fraction(out: &mut String, micros: u32) {
    if micros != 0 {
        let digits = format!("{micros:06}");
        out.push('.');
        out.push_str(digits.trim_end_matches('0'));
    }
}

fn push_clock(out: &mut Vec<u8>, micros: i64) {
    let clock = Clock::of(micros);
    push_two(out, clock.hour);
    out.push(b':');
    push_two(out, clock.minute);
    out.push(b':');
    push_two(out, clock.second);
    if clock.micros != 0 {
        out.push(b'.');
        let mut rest = clock.micros;
        let mut unit = 100_000;
        while rest > 0 {
            out.push(b'0' + (rest / unit) as u8);
            rest %= unit;
            unit /= 10;
        }
    }
}

fn push_offset(out: &mut Vec<u8>, offset: i32) {
    let abs = i64::from(offset.unsigned_abs());
    out.push(if offset < 0 { b'-' } else { b'+' });
    push_two(out, abs / 3600);
    if abs % 3600 != 0 {
        out.push(b':');
        push_two(out, abs / 60 % 60);
        if abs % 60 != 0 {
            out.push(b':');
            push_two(out, abs % 60);
        }
    }
}

/// Two numbers in the order of the style, and the separator.
fn push_month_day(out: &mut Vec<u8>, month: i64, day: i64, order: DateOrder, separator: u8) {
    let (first, second) = if order == DateOrder::Dmy { (day, month) } else { (month, day) };
    push_two(out, first);
    out.push(separator);
    push_two(out, second);
}

/// The output function of `date`.
pub fn write_date(days: i64, style: DateStyle, out: &mut Vec<u8>) {
    match days {
        DATE_INFINITY => return out.extend_from_slice(b"infinity"),
        DATE_NEG_INFINITY => return out.extend_from_slice(b"-infinity"),
        _ => {}
    }
    let (year, month, day) = civil(days);
    push_date(out, year, month, day, style);
    push_bc(out, year);
}

fn push_date(out: &mut Vec<u8>, year: i64, month: i64, day: i64, style: DateStyle) {
    match style.output {
        DateOutput::Iso => {
            push_year(out, year);
            out.push(b'-');
            push_two(out, month);
            out.push(b'-');
            push_two(out, day);
        }
        DateOutput::Sql => {
            push_month_day(out, month, day, style.order, b'/');
            out.push(b'/');
            push_year(out, year);
        }
        DateOutput::Postgres => {
            push_month_day(out, month, day, style.order, b'-');
            out.push(b'-');
            push_year(out, year);
        }
        DateOutput::German => {
            push_month_day(out, month, day, DateOrder::Dmy, b'.');
            out.push(b'.');
            push_year(out, year);
        }
    }
}

/// The output function of `time`.
pub fn write_time(micros: i64, out: &mut Vec<u8>) {
    push_clock(out, micros);
}

/// The output function of `timetz`.
pub fn write_timetz(time: TimeTz, out: &mut Vec<u8>) {
    push_clock(out, time.micros);
    push_offset(out, time.offset);
}

fn write_infinite(timestamp: i64, out: &mut Vec<u8>) -> bool {
    match timestamp {
        TIMESTAMP_INFINITY => out.extend_from_slice(b"infinity"),
        TIMESTAMP_NEG_INFINITY => out.extend_from_slice(b"-infinity"),
        _ => return false,
    }
    true
}

/// The output function of `timestamp`.
pub fn write_timestamp(timestamp: i64, style: DateStyle, out: &mut Vec<u8>) {
    if !write_infinite(timestamp, out) {
        push_timestamp(timestamp, style, out, |_| {});
    }
}

/// The output function of `timestamptz`, in the session's zone.
pub fn write_timestamptz(timestamp: i64, env: &Env, out: &mut Vec<u8>) -> SqlResult<()> {
    if write_infinite(timestamp, out) {
        return Ok(());
    }
    let zone = Zone::find(&env.time_zone)?;
    let seconds = timestamp.div_euclid(USECS_PER_SEC);
    let offset = zone.offset_at(seconds);
    let local = timestamp.saturating_add(i64::from(offset) * USECS_PER_SEC);
    let iso = env.date_style.output == DateOutput::Iso;
    push_timestamp(local, env.date_style, out, |out| {
        if iso {
            push_offset(out, offset);
        } else {
            out.push(b' ');
            out.extend_from_slice(zone.abbreviation_at(seconds).0.as_bytes());
        }
    });
    Ok(())
}

fn push_timestamp(local: i64, style: DateStyle, out: &mut Vec<u8>, zone: impl FnOnce(&mut Vec<u8>)) {
    let (days, micros) = split(local);
    let (year, month, day) = civil(days);
    if style.output == DateOutput::Postgres {
        out.extend_from_slice(&DAYS[day_of_week(days) as usize].as_bytes()[..3]);
        out.push(b' ');
        let name = &MONTHS[month as usize - 1].as_bytes()[..3];
        if style.order == DateOrder::Dmy {
            push_two(out, day);
            out.push(b' ');
            out.extend_from_slice(name);
        } else {
            out.extend_from_slice(name);
            out.push(b' ');
            push_two(out, day);
        }
        out.push(b' ');
        push_clock(out, micros);
        out.push(b' ');
        push_year(out, year);
    } else {
        push_date(out, year, month, day, style);
        out.push(b' ');
        push_clock(out, micros);
    }
    zone(out);
    push_bc(out, year);
}

// ---- input ----

/// Why a text is no date or time.
enum Fail {
    Syntax,
    /// A field is out of its range.
    Field,
    /// As `Field`, and the order of day and month may be the reason.
    MonthDay,
    /// The fields are fine, the whole is not.
    Range,
    Displacement,
    UnknownZone(String),
    NoClock(String),
}

impl Fail {
    fn error(self, text: &str, ty: Type) -> SqlError {
        match self {
            Fail::Syntax => {
                let ty = match ty {
                    Type::TIME => "time",
                    Type::TIMESTAMP => "timestamp",
                    other => format_type_plain(other),
                };
                let message = format!("invalid input syntax for type {ty}: \"{text}\"");
                SqlError::new(state::INVALID_DATETIME_FORMAT, message)
            }
            Fail::Range => {
                let what = if ty == Type::DATE { "date" } else { "timestamp" };
                SqlError::new(state::DATETIME_FIELD_OVERFLOW, format!("{what} out of range: \"{text}\""))
            }
            Fail::Field => {
                SqlError::new(state::DATETIME_FIELD_OVERFLOW, format!("date/time field value out of range: \"{text}\""))
            }
            Fail::MonthDay => Fail::Field.error(text, ty).hint("Perhaps you need a different \"datestyle\" setting."),
            Fail::Displacement => SqlError::new(
                INVALID_TIME_ZONE_DISPLACEMENT,
                format!("time zone displacement out of range: \"{text}\""),
            ),
            Fail::UnknownZone(name) => {
                SqlError::new(state::INVALID_PARAMETER_VALUE, format!("time zone \"{name}\" not recognized"))
            }
            Fail::NoClock(word) => SqlError::unsupported(format!("date/time value \"{word}\" in this place")),
        }
    }
}

/// What was read, before it becomes a date or a timestamp.
#[derive(Default)]
struct Fields {
    year: Option<i64>,
    month: Option<i64>,
    day: Option<i64>,
    day_of_year: Option<i64>,
    /// Year has two digits at most.
    short_year: bool,
    bc: Option<bool>,
    /// µs since midnight; 24:00 included.
    time: Option<i64>,
    pm: Option<bool>,
    zone: Option<Displacement>,
    /// It was given as `H04`.
    hour: bool,
    text_month: bool,
    day_name: bool,
    special: Option<Special>,
}

#[derive(Clone)]
enum Displacement {
    Fixed(i32),
    Zone(Zone),
}

#[derive(Clone, Copy, PartialEq)]
enum Special {
    Infinity,
    NegInfinity,
    Epoch,
    Now,
}

#[derive(Debug, PartialEq)]
enum Token<'a> {
    Number(&'a str),
    /// Two or three parts with separators.
    Date(&'a str),
    Time(&'a str),
    /// A sign and digits.
    Offset(&'a str),
    Word(&'a str),
}

fn tokens(text: &str) -> Result<Vec<Token<'_>>, Fail> {
    let bytes = text.as_bytes();
    let run = |mut at: usize, accept: &dyn Fn(u8) -> bool| {
        while bytes.get(at).is_some_and(|b| accept(*b)) {
            at += 1;
        }
        at
    };
    let mut found = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let start = at;
        let byte = bytes[at];
        if byte.is_ascii_digit() || (byte == b'.' && bytes.get(at + 1).is_some_and(u8::is_ascii_digit)) {
            at = run(at, &|b| b.is_ascii_digit());
            match bytes.get(at) {
                Some(b':') => {
                    at = run(at, &|b| b.is_ascii_digit() || b == b':' || b == b'.');
                    found.push(Token::Time(&text[start..at]));
                }
                Some(&separator @ (b'-' | b'/' | b'.')) => {
                    let next = at + 1;
                    if bytes.get(next).is_some_and(u8::is_ascii_digit) {
                        let second = run(next, &|b| b.is_ascii_digit());
                        if bytes.get(second) == Some(&separator) {
                            at = run(second, &|b| b.is_ascii_digit() || b == separator);
                            found.push(Token::Date(&text[start..at]));
                        } else {
                            at = second;
                            let one_point = separator == b'.';
                            found.push(if one_point { Token::Number } else { Token::Date }(&text[start..at]));
                        }
                    } else {
                        at = run(next, &|b| b.is_ascii_alphanumeric() || b == separator);
                        found.push(Token::Date(&text[start..at]));
                    }
                }
                _ => found.push(Token::Number(&text[start..at])),
            }
        } else if byte.is_ascii_alphabetic() {
            at = run(at, &|b| b.is_ascii_alphabetic());
            // "Jan-08-1999", "America/New_York", "EST5EDT", "J2451187".
            match bytes.get(at) {
                Some(b'-' | b'/' | b'.' | b'_') => {
                    at =
                        run(at, &|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'/' | b'_' | b'.' | b':'));
                    let whole = &text[start..at];
                    let month = month_name(whole.split(['-', '/', '.', '_']).next().unwrap_or(""));
                    let dotted = whole.ends_with('.');
                    found.push(match month {
                        Some(_) if !dotted => Token::Date(whole),
                        _ => Token::Word(whole.trim_end_matches('.')),
                    });
                }
                // "UTC+3" and "EST5EDT" are POSIX zones, "PM+03" and "FEB10" are none.
                Some(b'+' | b'0'..=b'9') if !is_known(&text[start..at]) => {
                    at =
                        run(at, &|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'/' | b'_' | b'.' | b':'));
                    found.push(Token::Word(&text[start..at]));
                }
                _ => found.push(Token::Word(&text[start..at])),
            }
        } else if byte == b'+' || byte == b'-' {
            at = run(at + 1, &|b| b == b' ');
            let digits = at;
            if bytes.get(at).is_some_and(u8::is_ascii_digit) {
                at = run(at, &|b| b.is_ascii_digit() || b == b':' || b == b'.');
                found.push(if digits == start + 1 {
                    Token::Offset(&text[start..at])
                } else if byte == b'-' {
                    return Err(Fail::Syntax);
                } else {
                    Token::Number(&text[digits..at])
                });
            } else {
                at = run(at, &|b| b.is_ascii_alphabetic());
                if at == digits {
                    return Err(Fail::Syntax);
                }
                found.push(Token::Word(&text[start..at]));
            }
        } else if byte.is_ascii_whitespace() || byte.is_ascii_punctuation() {
            at += 1;
        } else {
            return Err(Fail::Syntax);
        }
    }
    Ok(found)
}

/// Whether a word means something in dates and times by itself.
fn is_known(word: &str) -> bool {
    const OTHERS: &[&str] = &[
        "ad",
        "allballs",
        "am",
        "at",
        "bc",
        "dow",
        "doy",
        "dst",
        "epoch",
        "infinity",
        "isodow",
        "isoyear",
        "now",
        "on",
        "pm",
        "t",
        "today",
        "tomorrow",
        "yesterday",
    ];
    let lower = word.to_ascii_lowercase();
    month_name(&lower).is_some()
        || is_day_name(&lower)
        || IsoUnit::of(&lower).is_some()
        || OTHERS.binary_search(&&*lower).is_ok()
}

/// What the number behind a word is, as in `Y2001M12D27H04M05S06` and `J2451187.5`.
#[derive(Clone, Copy)]
enum IsoUnit {
    Year,
    /// Or minutes, behind hours.
    Month,
    Day,
    Hour,
    Minute,
    Second,
    Julian,
}

impl IsoUnit {
    fn of(lower: &str) -> Option<IsoUnit> {
        Some(match lower {
            "y" => IsoUnit::Year,
            "m" => IsoUnit::Month,
            "d" => IsoUnit::Day,
            "h" => IsoUnit::Hour,
            "mm" => IsoUnit::Minute,
            "s" => IsoUnit::Second,
            "j" | "jd" | "julian" => IsoUnit::Julian,
            _ => return None,
        })
    }
}

fn month_name(word: &str) -> Option<i64> {
    let word = word.to_ascii_lowercase();
    if word == "sept" {
        return Some(9);
    }
    let known =
        |name: &&str| name.eq_ignore_ascii_case(&word) || (word.len() == 3 && name[..3].eq_ignore_ascii_case(&word));
    MONTHS.iter().position(known).map(|at| at as i64 + 1)
}

fn is_day_name(word: &str) -> bool {
    matches!(word, "tues" | "wednes" | "weds" | "thur" | "thurs")
        || DAYS.iter().any(|name| name.eq_ignore_ascii_case(word) || name[..3].eq_ignore_ascii_case(word))
}

/// Digits of a fraction of a second as µs, rounded.
fn fraction_micros(digits: &str) -> Result<i64, Fail> {
    if !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(Fail::Syntax);
    }
    match digits.len() {
        0 => Ok(0),
        n @ 1..=6 => Ok(digits.parse::<i64>().map_err(|_| Fail::Syntax)? * 10i64.pow(6 - n as u32)),
        _ => Ok(libm::rint(format!("0.{digits}").parse::<f64>().map_err(|_| Fail::Syntax)? * 1e6) as i64),
    }
}

/// µs of `hh:mm[:ss[.f]]`.
fn time_of(text: &str) -> Result<i64, Fail> {
    let mut parts = text.split(':');
    let mut next = || parts.next().map(|p| p.parse::<i64>().map_err(|_| Fail::Syntax));
    let hour = next().unwrap_or(Err(Fail::Syntax))?;
    let rest: Vec<&str> = text.split(':').skip(1).collect();
    let (minute, second) = match rest[..] {
        [m] if m.contains('.') => return mm_ss(hour, m),
        [m] => (m, "0"),
        [m, s] => (m, s),
        _ => return Err(Fail::Syntax),
    };
    let minute = minute.parse::<i64>().map_err(|_| Fail::Syntax)?;
    let (whole, fraction) = second.split_once('.').unwrap_or((second, ""));
    let second = whole.parse::<i64>().map_err(|_| Fail::Syntax)?;
    clock(hour, minute, second, fraction_micros(fraction)?)
}

/// `mm:ss.f`, where the hour is not given.
fn mm_ss(minute: i64, second: &str) -> Result<i64, Fail> {
    let (whole, fraction) = second.split_once('.').unwrap_or((second, ""));
    clock(0, minute, whole.parse().map_err(|_| Fail::Syntax)?, fraction_micros(fraction)?)
}

fn clock(hour: i64, minute: i64, second: i64, micros: i64) -> Result<i64, Fail> {
    if !(0..60).contains(&minute) || !(0..=60).contains(&second) || !(0..=24).contains(&hour) {
        return Err(Fail::Field);
    }
    let total = hour * USECS_PER_HOUR + minute * USECS_PER_MINUTE + second * USECS_PER_SEC + micros;
    if total <= MICROS_PER_DAY { Ok(total) } else { Err(Fail::Field) }
}

/// Seconds east of UTC of `+hh`, `+hhmm`, `+hh:mm[:ss]`.
fn offset_of(text: &str) -> Result<i32, Fail> {
    let negative = text.starts_with('-');
    let body = &text[1..];
    // "+1:" has no minutes.
    let part = |s: &str| if s.is_empty() { Ok(0) } else { s.parse::<i32>().map_err(|_| Fail::Syntax) };
    let number = |s: &str| s.parse::<i32>().map_err(|_| Fail::Syntax);
    let (h, m, s) = if body.contains(':') {
        let parts: Vec<&str> = body.split(':').collect();
        match parts[..] {
            [h, m] => (number(h)?, part(m)?, 0),
            [h, m, s] => (number(h)?, number(m)?, part(s)?),
            _ => return Err(Fail::Syntax),
        }
    } else {
        let n = number(body)?;
        match body.len() {
            1 | 2 => (n, 0, 0),
            3 | 4 => (n / 100, n % 100, 0),
            _ => (n / 10_000, n / 100 % 100, n % 100),
        }
    };
    if !(0..=15).contains(&h) || !(0..60).contains(&m) || !(0..60).contains(&s) {
        return Err(Fail::Displacement);
    }
    let seconds = h * 3600 + m * 60 + s;
    Ok(if negative { -seconds } else { seconds })
}

impl Fields {
    fn has_date(&self) -> bool {
        self.month.is_some() && self.day.is_some()
    }

    fn date_complete(&self) -> bool {
        self.day_of_year.is_some() || (self.year.is_some() && self.has_date())
    }

    fn set_date(&mut self, days: i64) {
        let (year, month, day) = civil(days);
        (self.year, self.month, self.day) = (Some(year), Some(month), Some(day));
    }

    fn set_year(&mut self, digits: &str) -> Result<(), Fail> {
        if self.year.is_some() {
            return Err(Fail::Syntax);
        }
        self.short_year = digits.len() <= 2;
        self.year = Some(digits.parse().map_err(|_| Fail::Field)?);
        Ok(())
    }

    /// A number that stands for itself: what it is depends on what is there already.
    fn number(&mut self, text: &str, order: DateOrder) -> Result<(), Fail> {
        let value: i64 = text.parse().map_err(|_| Fail::Syntax)?;
        let long = text.len() >= 3;
        if text.len() == 3 && self.year.is_some() && self.month.is_none() && self.day.is_none() {
            self.day_of_year = Some(value);
            return Ok(());
        }
        match (self.year.is_some(), self.month.is_some(), self.day.is_some()) {
            (false, false, false) if long || order == DateOrder::Ymd => self.set_year(text),
            (false, false, false) if order == DateOrder::Dmy => set(&mut self.day, value),
            (false, false, false) => set(&mut self.month, value),
            (true, false, false) => set(&mut self.month, value),
            (false, true, false) if self.text_month && (long || order == DateOrder::Ymd) => self.set_year(text),
            (false, true, false) => set(&mut self.day, value),
            // "YY-Mon-DD" read as year first: a longer number shows that the first was the day.
            (true, true, false) if self.text_month && long && self.short_year => {
                self.day = self.year.take();
                self.set_year(text)
            }
            (true, true, false) => set(&mut self.day, value),
            (false, false, true) => set(&mut self.month, value),
            (false, true, true) => self.set_year(text),
            (true, true, true) => self.run(text),
            (true, false, true) => Err(Fail::Syntax),
        }
    }

    /// A number whose unit stands before it.
    fn measured(&mut self, unit: IsoUnit, text: &str) -> Result<(), Fail> {
        let (digits, fraction) = text.split_once('.').unwrap_or((text, ""));
        let value: i64 = digits.parse().map_err(|_| Fail::Syntax)?;
        let whole = fraction.is_empty();
        match unit {
            IsoUnit::Year if whole => self.year = Some(value),
            IsoUnit::Month if whole && self.month.is_some() && self.hour => {
                return self.measured(IsoUnit::Minute, text);
            }
            IsoUnit::Month if whole => set(&mut self.month, value)?,
            IsoUnit::Day if whole => set(&mut self.day, value)?,
            IsoUnit::Hour if whole && self.time.is_none() => {
                self.time = Some(clock(value, 0, 0, 0)?);
                self.hour = true;
            }
            IsoUnit::Minute if whole => self.time = Some(self.time.unwrap_or(0) + clock(0, value, 0, 0)?),
            IsoUnit::Second => {
                self.time = Some(self.time.unwrap_or(0) + clock(0, 0, value, fraction_micros(fraction)?)?);
            }
            IsoUnit::Julian => {
                self.set_date(value - JULIAN_EPOCH);
                if !whole {
                    let part: f64 = format!("0.{fraction}").parse().map_err(|_| Fail::Syntax)?;
                    set(&mut self.time, (part * MICROS_PER_DAY as f64) as i64)?;
                }
            }
            _ => return Err(Fail::Syntax),
        }
        Ok(())
    }

    /// A run of digits that can only be a time.
    fn run_time(&mut self, text: &str) -> Result<(), Fail> {
        let date = (self.year, self.month, self.day);
        (self.year, self.month, self.day) = (Some(1), Some(1), Some(1));
        let done = self.run(text);
        (self.year, self.month, self.day) = date;
        done
    }

    /// A run of digits: `yyyymmdd`, `yymmdd`, `hhmmss`, `hhmm`, the last with a fraction.
    fn run(&mut self, text: &str) -> Result<(), Fail> {
        let (digits, fraction) = text.split_once('.').unwrap_or((text, ""));
        let part = |s: &str| s.parse::<i64>().map_err(|_| Fail::Syntax);
        if !self.date_complete() && fraction.is_empty() && digits.len() >= 6 && !text.contains('.') {
            let (head, day) = digits.split_at(digits.len() - 2);
            let (year, month) = head.split_at(head.len() - 2);
            self.set_year(year)?;
            set(&mut self.month, part(month)?)?;
            return set(&mut self.day, part(day)?);
        }
        if self.time.is_some() {
            return Err(Fail::Syntax);
        }
        let (h, m, s) = match digits.len() {
            6 => (part(&digits[..2])?, part(&digits[2..4])?, part(&digits[4..])?),
            4 if fraction.is_empty() => (part(&digits[..2])?, part(&digits[2..])?, 0),
            _ => return Err(Fail::Syntax),
        };
        self.time = Some(clock(h, m, s, fraction_micros(fraction)?)?);
        Ok(())
    }

    /// `1999-01-08`, `1/8/1999`, `08-Jan-1999`, `Jan-08-99`.
    fn date(&mut self, text: &str, order: DateOrder) -> Result<(), Fail> {
        let parts: Vec<&str> = text.split(|c: char| !c.is_ascii_alphanumeric()).collect();
        if parts.len() > 3 || parts.iter().any(|p| p.is_empty()) {
            return Err(Fail::Syntax);
        }
        if let Some(month) = parts.iter().find_map(|p| month_name(p)) {
            self.text_month = true;
            set(&mut self.month, month)?;
        }
        for part in parts {
            if part.bytes().all(|b| b.is_ascii_digit()) {
                self.number(part, order)?;
            } else if month_name(part).is_none() {
                return Err(Fail::Syntax);
            }
        }
        // As in PostgreSQL, the name of a day goes with separate numbers only.
        if self.date_complete() && !self.day_name { Ok(()) } else { Err(Fail::Syntax) }
    }

    fn word(&mut self, word: &str, env: &Env, now: Option<i64>) -> Result<(), Fail> {
        let lower = word.to_ascii_lowercase();
        let today = || -> Result<i64, Fail> {
            let now = now.ok_or_else(|| Fail::NoClock(lower.clone()))?;
            let zone = Zone::find(&env.time_zone).map_err(|_| Fail::UnknownZone(env.time_zone.to_string()))?;
            Ok(split(zone.to_local(now).ok_or(Fail::Field)?).0)
        };
        if self.special.is_some() {
            return Err(Fail::Syntax);
        }
        match lower.as_str() {
            "infinity" | "+infinity" => self.special = Some(Special::Infinity),
            "-infinity" => self.special = Some(Special::NegInfinity),
            "epoch" => self.special = Some(Special::Epoch),
            "now" => {
                now.ok_or(Fail::NoClock(lower))?;
                self.special = Some(Special::Now);
            }
            "today" | "tomorrow" | "yesterday" => {
                let shift = i64::from(lower == "tomorrow") - i64::from(lower == "yesterday");
                self.set_date(today()? + shift);
            }
            "allballs" => {
                self.time = Some(0);
                self.zone = Some(Displacement::Fixed(0));
            }
            "am" => self.pm = Some(false),
            "pm" => self.pm = Some(true),
            "bc" => self.bc = Some(true),
            "ad" => self.bc = Some(false),
            "t" if self.has_date() || self.day_of_year.is_some() => {}
            "at" | "on" => {}
            "d" | "dst" if self.zone.is_some() => {
                if let Some(Displacement::Fixed(offset)) = &mut self.zone {
                    *offset += 3600;
                }
            }
            _ => return self.other_word(word, &lower),
        }
        Ok(())
    }

    fn other_word(&mut self, word: &str, lower: &str) -> Result<(), Fail> {
        if let Some(month) = month_name(lower) {
            // "08 Jan 1999": the number before it was taken for a month, but is the day.
            if let (Some(first), None, false) = (self.month, self.day, self.text_month) {
                self.day = Some(first);
                self.month = None;
            }
            self.text_month = true;
            return set(&mut self.month, month);
        }
        if is_day_name(lower) {
            self.day_name = true;
            return Ok(());
        }
        if self.zone.is_some() {
            return Err(Fail::Syntax);
        }
        self.zone = Some(if lower == "z" || lower == "zulu" {
            Displacement::Fixed(0)
        } else if let Some(zone) = zone::abbreviation(lower) {
            if let Zone::Fixed(offset) = zone { Displacement::Fixed(offset) } else { Displacement::Zone(zone) }
        } else if let Some(zone) = Zone::look_up(word) {
            Displacement::Zone(zone)
        } else if word.contains(['/', '_']) {
            return Err(Fail::UnknownZone(lower.to_owned()));
        } else {
            return Err(Fail::Syntax);
        });
        Ok(())
    }

    /// Year, month and day checked, as days.
    fn days(&self) -> Result<i64, Fail> {
        let mut year = self.year.ok_or(Fail::Syntax)?;
        match self.bc {
            Some(true) if year <= 0 => return Err(Fail::Field),
            Some(true) => year = 1 - year,
            _ if self.short_year && self.bc.is_none() => year += if year < 70 { 2000 } else { 1900 },
            // There is no year zero.
            _ if year == 0 && self.special.is_none() => return Err(Fail::Field),
            _ => {}
        }
        let exists = (-4713..=5_874_898).contains(&year);
        if let Some(day) = self.day_of_year.filter(|_| exists) {
            if !(1..=365 + i64::from(is_leap(year))).contains(&day) {
                return Err(Fail::Field);
            }
            return Ok(days_of(year, 1, 1) + day - 1);
        }
        let (month, day) = (self.month.ok_or(Fail::Syntax)?, self.day.ok_or(Fail::Syntax)?);
        if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
            return Err(Fail::MonthDay);
        }
        if day > days_in_month(year, month) {
            return Err(Fail::Field);
        }
        if !exists {
            return Err(Fail::Range);
        }

        Ok(days_of(year, month, day))
    }

    fn time(&self) -> Result<Option<i64>, Fail> {
        let Some(micros) = self.time else { return Ok(None) };
        let noon = 12 * USECS_PER_HOUR;
        match self.pm {
            None => Ok(Some(micros)),
            Some(_) if micros >= noon + USECS_PER_HOUR => Err(Fail::Field),
            Some(pm) => Ok(Some(micros % noon + if pm { noon } else { 0 })),
        }
    }
}

fn set(field: &mut Option<i64>, value: i64) -> Result<(), Fail> {
    if field.is_some() {
        return Err(Fail::Syntax);
    }
    *field = Some(value);
    Ok(())
}

fn decode(text: &str, env: &Env, now: Option<i64>, time_only: bool) -> Result<Fields, Fail> {
    let order = env.date_style.order;
    let mut fields = Fields::default();
    let tokens = tokens(text)?;
    if tokens.is_empty() {
        return Err(Fail::Syntax);
    }
    let (mut after_t, mut unit) = (false, None);
    for (at, token) in tokens.iter().enumerate() {
        if let (Token::Word(word), Some(Token::Number(_) | Token::Date(_))) = (token, tokens.get(at + 1)) {
            unit = IsoUnit::of(&word.to_ascii_lowercase());
            if unit.is_some() {
                continue;
            }
        }
        match (unit.take(), token) {
            (Some(unit), Token::Number(number)) => {
                fields.measured(unit, number)?;
                continue;
            }
            // With a zone: "J2451187-05".
            (Some(unit @ IsoUnit::Julian), Token::Date(date)) => {
                let at = date.find('-').ok_or(Fail::Syntax)?;
                fields.measured(unit, &date[..at])?;
                fields.zone = Some(Displacement::Fixed(offset_of(&date[at..])?));
                continue;
            }
            (Some(_), _) => return Err(Fail::Syntax),
            (None, _) => {}
        }
        match *token {
            Token::Time(time) => {
                if fields.time.is_some() {
                    return Err(Fail::Syntax);
                }
                fields.time = Some(time_of(time)?);
            }
            Token::Offset(offset) => {
                if fields.zone.is_some() && !matches!(fields.zone, Some(Displacement::Fixed(0))) {
                    return Err(Fail::Syntax);
                }
                // A date like "1999 -08"? PostgreSQL takes a signed number for a zone as well.
                fields.zone = Some(Displacement::Fixed(offset_of(offset)?));
            }
            Token::Date(date) if fields.has_date() || time_only => {
                // "040506-08": a run of digits with its zone.
                let at = date.rfind(['-', '+']).ok_or(Fail::Syntax)?;
                fields.run_time(&date[..at])?;
                fields.zone = Some(Displacement::Fixed(offset_of(&date[at..])?));
            }
            Token::Date(date) => fields.date(date, order)?,
            Token::Number(number) if after_t || (time_only && fields.time.is_none()) => {
                fields.run_time(number)?;
            }
            Token::Number(number) => match number.split_once('.') {
                // "2001.123": year and day of year.
                Some((year, day)) if fields.year.is_none() && fields.month.is_none() && day.len() == 3 => {
                    fields.set_year(year)?;
                    fields.day_of_year = Some(day.parse().map_err(|_| Fail::Syntax)?);
                }
                Some(_) => fields.run(number)?,
                None if number.len() >= 6 && (!fields.date_complete() || fields.time.is_none()) => {
                    // A long number at the end is a year when month and day are there.
                    if fields.has_date() && fields.year.is_none() && fields.time.is_some() {
                        fields.set_year(number)?;
                    } else {
                        fields.run(number)?;
                    }
                }
                None => fields.number(number, order)?,
            },
            Token::Word(word) => {
                after_t = word.eq_ignore_ascii_case("t");
                if !(after_t && time_only) {
                    fields.word(word, env, now)?;
                }
                continue;
            }
        }
        after_t = false;
    }
    if fields.special.is_some() && (fields.year.is_some() || fields.time.is_some()) {
        return Err(Fail::Syntax);
    }
    Ok(fields)
}

/// `YYYY-MM-DD` at the start, and the rest.
fn iso_date(bytes: &[u8]) -> Option<(i64, &[u8])> {
    let (date, rest) = bytes.split_at_checked(10)?;
    let two = |at: usize| {
        let (a, b) = (date[at].wrapping_sub(b'0'), date[at + 1].wrapping_sub(b'0'));
        (a < 10 && b < 10).then_some(i64::from(a) * 10 + i64::from(b))
    };
    let year = two(0)? * 100 + two(2)?;
    let (month, day) = (two(5)?, two(8)?);
    let fits = date[4] == b'-' && date[7] == b'-' && year > 0 && (1..=12).contains(&month) && day >= 1;
    (fits && day <= days_in_month(year, month)).then(|| (days_of(year, month, day), rest))
}

/// `HH:MM:SS[.f]` at the start as µs, and the rest.
fn iso_time(bytes: &[u8]) -> Option<(i64, &[u8])> {
    let (time, mut rest) = bytes.split_at_checked(8)?;
    let two = |at: usize| {
        let (a, b) = (time[at].wrapping_sub(b'0'), time[at + 1].wrapping_sub(b'0'));
        (a < 10 && b < 10).then_some(i64::from(a) * 10 + i64::from(b))
    };
    let (h, m, s) = (two(0)?, two(3)?, two(6)?);
    if time[2] != b':' || time[5] != b':' || h > 23 || m > 59 || s > 59 {
        return None;
    }
    let mut micros = 0;
    if let [b'.', fraction @ ..] = rest {
        let count = fraction.iter().take_while(|b| b.is_ascii_digit()).count();
        if count == 0 || count > 6 {
            return None;
        }
        micros = fraction[..count].iter().fold(0, |n, b| n * 10 + i64::from(b - b'0')) * 10i64.pow(6 - count as u32);
        rest = &fraction[count..];
    }
    Some((h * USECS_PER_HOUR + m * USECS_PER_MINUTE + s * USECS_PER_SEC + micros, rest))
}

/// The usual form `YYYY-MM-DD HH:MM:SS[.f]`, and what follows it.
fn iso_timestamp(text: &str) -> Option<(i64, &str)> {
    let (days, rest) = iso_date(text.as_bytes())?;
    let (b' ' | b'T', rest) = rest.split_first().map(|(b, rest)| (*b, rest))? else { return None };
    let (micros, rest) = iso_time(rest)?;
    Some((days * MICROS_PER_DAY + micros, &text[text.len() - rest.len()..]))
}

/// The input function of `date`. `now` is µs since 2000 UTC, for `today` and the like.
///
/// Errors: 22007, 22008.
pub fn parse_date(text: &str, env: &Env, now: Option<i64>) -> SqlResult<i64> {
    if let Some((days, [])) = iso_date(text.as_bytes()) {
        return Ok(days);
    }
    let error = |fail: Fail| fail.error(text, Type::DATE);
    let fields = decode(text, env, now, false).map_err(error)?;
    let days = match fields.special {
        Some(Special::Infinity) => return Ok(DATE_INFINITY),
        Some(Special::NegInfinity) => return Ok(DATE_NEG_INFINITY),
        Some(Special::Epoch) => -UNIX_EPOCH_DAYS,
        Some(Special::Now) => split(local_now(env, now)?).0,
        None => fields.days().map_err(error)?,
    };
    check_date(days)
        .map_err(|_| SqlError::new(state::DATETIME_FIELD_OVERFLOW, format!("date out of range: \"{text}\"")))
}

fn local_now(env: &Env, now: Option<i64>) -> SqlResult<i64> {
    check_timestamp(Zone::find(&env.time_zone)?.to_local(now.unwrap_or(0)))
}

/// The input function of `timestamp`; a zone in the text is ignored. Errors: 22007, 22008.
pub fn parse_timestamp(text: &str, typmod: i32, env: &Env, now: Option<i64>) -> SqlResult<i64> {
    let value = match iso_timestamp(text) {
        Some((value, "")) => value,
        _ => parse_any_timestamp(text, env, now, Type::TIMESTAMP)?,
    };
    timestamp_typmod(value, typmod)
}

/// The input function of `timestamptz`; without a zone in the text, the session's. Errors: 22007, 22008, 22009.
pub fn parse_timestamptz(text: &str, typmod: i32, env: &Env, now: Option<i64>) -> SqlResult<i64> {
    let value = match iso_timestamp(text) {
        Some((local, "")) => check_timestamp(Zone::find(&env.time_zone)?.to_utc(local))?,
        Some((local, "Z" | "+00")) => local,
        Some((local, offset)) if offset.starts_with(['+', '-']) && offset.len() == 3 => {
            let seconds = offset_of(offset).map_err(|fail| fail.error(text, Type::TIMESTAMPTZ))?;
            local - i64::from(seconds) * USECS_PER_SEC
        }
        _ => parse_any_timestamp(text, env, now, Type::TIMESTAMPTZ)?,
    };
    timestamp_typmod(value, typmod)
}

fn parse_any_timestamp(text: &str, env: &Env, now: Option<i64>, ty: Type) -> SqlResult<i64> {
    let error = |fail: Fail| fail.error(text, ty);
    let with_zone = ty == Type::TIMESTAMPTZ;
    let fields = decode(text, env, now, false).map_err(error)?;
    match fields.special {
        Some(Special::Infinity) => return Ok(TIMESTAMP_INFINITY),
        Some(Special::NegInfinity) => return Ok(TIMESTAMP_NEG_INFINITY),
        Some(Special::Epoch) => return Ok(-UNIX_EPOCH_DAYS * MICROS_PER_DAY),
        Some(Special::Now) if with_zone => return Ok(now.unwrap_or(0)),
        Some(Special::Now) => return local_now(env, now),
        None => {}
    }
    let days = fields.days().map_err(error)?;
    let micros = fields.time().map_err(error)?.unwrap_or(0);
    let local = days.checked_mul(MICROS_PER_DAY).and_then(|t| t.checked_add(micros));
    let value = local.and_then(|local| match (&fields.zone, with_zone) {
        (_, false) => Some(local),
        (Some(Displacement::Fixed(offset)), true) => local.checked_sub(i64::from(*offset) * USECS_PER_SEC),
        (Some(Displacement::Zone(zone)), true) => zone.to_utc(local),
        (None, true) => Zone::find(&env.time_zone).ok()?.to_utc(local),
    });
    check_timestamp(value)
        .map_err(|_| SqlError::new(state::DATETIME_FIELD_OVERFLOW, format!("timestamp out of range: \"{text}\"")))
}

/// Rounds to `timestamp(p)`.
pub fn timestamp_typmod(timestamp: i64, typmod: i32) -> SqlResult<i64> {
    if typmod == NO_TYPMOD || is_infinite(timestamp) {
        return Ok(timestamp);
    }
    check_timestamp(round_micros(timestamp, typmod))
}

/// Rounds to `time(p)`.
pub fn time_typmod(micros: i64, typmod: i32) -> i64 {
    if typmod == NO_TYPMOD { micros } else { round_micros(micros, typmod).unwrap_or(micros) }
}

/// The input function of `time`. Errors: 22007, 22008.
pub fn parse_time(text: &str, typmod: i32, env: &Env, now: Option<i64>) -> SqlResult<i64> {
    if let Some((micros, [])) = iso_time(text.as_bytes()) {
        return Ok(time_typmod(micros, typmod));
    }
    let error = |fail: Fail| fail.error(text, Type::TIME);
    let fields = decode_time(text, env, now).map_err(error)?;
    if fields.special == Some(Special::Now) {
        return Ok(time_typmod(split(local_now(env, now)?).1, typmod));
    }
    let micros = fields.time().map_err(error)?.ok_or_else(|| error(Fail::Syntax))?;
    Ok(time_typmod(micros, typmod))
}

/// The input function of `timetz`. Errors: 22007, 22008.
pub fn parse_timetz(text: &str, typmod: i32, env: &Env, now: Option<i64>) -> SqlResult<TimeTz> {
    let error = |fail: Fail| fail.error(text, Type::TIMETZ);
    let fields = decode_time(text, env, now).map_err(error)?;
    let session = Zone::find(&env.time_zone)?;
    if fields.special == Some(Special::Now) {
        let offset = session.offset_at(now.unwrap_or(0).div_euclid(USECS_PER_SEC));
        return Ok(TimeTz { micros: time_typmod(split(local_now(env, now)?).1, typmod), offset });
    }
    let micros = fields.time().map_err(error)?.ok_or_else(|| error(Fail::Syntax))?;
    // A zone whose offset varies is asked at the date in the text, or today.
    let day = match fields.days() {
        Ok(days) => days,
        Err(_) => split(now.unwrap_or(0)).0,
    };
    let local = day * 86_400 + micros / USECS_PER_SEC;
    let offset = match &fields.zone {
        Some(Displacement::Fixed(offset)) => *offset,
        Some(Displacement::Zone(zone)) => zone.offset_of_local(local),
        None => session.offset_of_local(local),
    };
    Ok(TimeTz { micros: time_typmod(micros, typmod), offset })
}

fn decode_time(text: &str, env: &Env, now: Option<i64>) -> Result<Fields, Fail> {
    // With a date in front it reads as a timestamp, otherwise bare digits are a time.
    match decode(text, env, now, true) {
        // Whether a named zone has daylight saving time then cannot be told without a date.
        Ok(Fields { zone: Some(Displacement::Zone(Zone::Named(_))), year: None, .. }) => Err(Fail::Syntax),
        // A date is whole or not there.
        Ok(Fields { year: None, month, day, .. }) if month.is_some() || day.is_some() => Err(Fail::Syntax),
        Ok(fields) if fields.time.is_some() || fields.special.is_some() => Ok(fields),
        Err(fail @ (Fail::Field | Fail::Displacement)) => Err(fail),
        _ => decode(text, env, now, false),
    }
}

// ---- arithmetic ----

/// Midnight of a date. Errors: 22008 for a date beyond the range of timestamps.
pub fn date_to_timestamp(days: i64) -> SqlResult<i64> {
    match days {
        DATE_INFINITY => Ok(TIMESTAMP_INFINITY),
        DATE_NEG_INFINITY => Ok(TIMESTAMP_NEG_INFINITY),
        _ => check_timestamp(days.checked_mul(MICROS_PER_DAY))
            .map_err(|_| SqlError::new(state::DATETIME_FIELD_OVERFLOW, "date out of range for timestamp")),
    }
}

pub fn timestamp_to_date(timestamp: i64) -> i64 {
    match timestamp {
        TIMESTAMP_INFINITY => DATE_INFINITY,
        TIMESTAMP_NEG_INFINITY => DATE_NEG_INFINITY,
        _ => split(timestamp).0,
    }
}

/// `timestamp AT TIME ZONE zone`.
pub fn local_to_utc(local: i64, zone: &Zone) -> SqlResult<i64> {
    if is_infinite(local) { Ok(local) } else { check_timestamp(zone.to_utc(local)) }
}

/// `timestamptz AT TIME ZONE zone`.
pub fn utc_to_local(utc: i64, zone: &Zone) -> SqlResult<i64> {
    if is_infinite(utc) { Ok(utc) } else { check_timestamp(zone.to_local(utc)) }
}

/// Finds the zone of AT TIME ZONE: an abbreviation or a name. Errors: 22023.
pub fn named_zone(name: &str) -> SqlResult<Zone> {
    match zone::abbreviation(&name.to_ascii_lowercase()) {
        Some(zone) => Ok(zone),
        None => Zone::look_up(name).ok_or_else(|| zone::not_recognized(name)),
    }
}

/// As [`named_zone`], but digits are an offset as in a literal, which counts east of Greenwich.
///
/// Errors: 22023.
pub fn signed_zone(name: &str) -> SqlResult<Zone> {
    let wrong = |text: String| SqlError::new(state::INVALID_PARAMETER_VALUE, text);
    match name.bytes().next() {
        Some(b'0'..=b'9') => {
            let hint = "Numeric time zones must have \"-\" or \"+\" as first character.";
            Err(wrong(format!("invalid input syntax for type numeric time zone: \"{name}\"")).hint(hint))
        }
        Some(b'+' | b'-') => match offset_of(name) {
            Ok(offset) => Ok(Zone::Fixed(offset)),
            Err(Fail::Displacement) => Err(wrong(format!("numeric time zone \"{name}\" out of range"))),
            Err(_) => Err(zone::not_recognized(name)),
        },
        _ => named_zone(name),
    }
}

/// Adds months (the day is cut to the month's length), then days, then time.
fn add_to_local(local: i64, months: i64, days: i64) -> Option<i64> {
    let (mut date, time) = split(local);
    if months != 0 {
        let (year, month, day) = civil(date);
        let total = year * 12 + month - 1 + months;
        let (year, month) = (total.div_euclid(12), total.rem_euclid(12) + 1);
        if !(-4713..=294_277).contains(&year) {
            return None;
        }
        date = days_of(year, month, day.min(days_in_month(year, month)));
    }
    date.checked_add(days)?.checked_mul(MICROS_PER_DAY)?.checked_add(time)
}

/// `timestamp + interval`. Errors: 22008.
pub fn timestamp_plus(timestamp: i64, interval: &Interval) -> SqlResult<i64> {
    if is_infinite(timestamp) {
        return Ok(timestamp);
    }
    let date = add_to_local(timestamp, interval.months.into(), interval.days.into());
    check_timestamp(date.and_then(|t| t.checked_add(interval.micros)))
}

/// `timestamptz + interval`: months and days by the clock of `zone`, the rest in elapsed time. Errors: 22008.
pub fn timestamptz_plus(timestamp: i64, interval: &Interval, zone: &Zone) -> SqlResult<i64> {
    if is_infinite(timestamp) {
        return Ok(timestamp);
    }
    let mut utc = Some(timestamp);
    for (months, days) in [(i64::from(interval.months), 0), (0, i64::from(interval.days))] {
        if months != 0 || days != 0 {
            utc = utc
                .and_then(|t| zone.to_local(t))
                .and_then(|local| add_to_local(local, months, days))
                .and_then(|local| zone.to_utc(local));
            check_timestamp(utc)?;
        }
    }
    check_timestamp(utc.and_then(|t| t.checked_add(interval.micros)))
}

/// `timestamp - timestamp`: days and time. Errors: 22008 for infinities.
pub fn timestamp_minus(a: i64, b: i64) -> SqlResult<Interval> {
    if is_infinite(a) || is_infinite(b) {
        return Err(SqlError::new(state::DATETIME_FIELD_OVERFLOW, "cannot subtract infinite timestamps"));
    }
    let span = a.checked_sub(b).ok_or_else(super::interval::out_of_range)?;
    Interval::new(0, 0, span).justify_hours()
}

/// `age(a, b)` in years, months, days and time between two local timestamps.
pub fn age(a: i64, b: i64) -> SqlResult<Interval> {
    if is_infinite(a) || is_infinite(b) {
        return Err(SqlError::new(state::DATETIME_FIELD_OVERFLOW, "timestamp out of range"));
    }
    let (later, earlier) = if a >= b { (a, b) } else { (b, a) };
    let ((d1, t1), (d2, t2)) = (split(later), split(earlier));
    let ((y1, m1, day1), (y2, m2, day2)) = (civil(d1), civil(d2));
    let (mut months, mut days, mut micros) = ((y1 - y2) * 12 + m1 - m2, day1 - day2, t1 - t2);
    if micros < 0 {
        micros += MICROS_PER_DAY;
        days -= 1;
    }
    while days < 0 {
        // A month is borrowed with the length of the earlier date's month.
        days += days_in_month(y2, m2);
        months -= 1;
    }
    let forward = Interval::new(months as i32, days as i32, micros);
    if a >= b { Ok(forward) } else { forward.checked_neg() }
}

// ---- units ----

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    Microseconds,
    Milliseconds,
    Second,
    Minute,
    Hour,
    Day,
    Week,
    Month,
    Quarter,
    Year,
    Decade,
    Century,
    Millennium,
    Epoch,
    Dow,
    IsoDow,
    Doy,
    IsoYear,
    Julian,
    Timezone,
    TimezoneHour,
    TimezoneMinute,
}

impl Unit {
    /// By the names that extract, date_part and date_trunc know, in any case.
    pub fn find(name: &str) -> Option<Unit> {
        use Unit::*;
        Some(match name.to_ascii_lowercase().as_str() {
            "us" | "usec" | "usecs" | "usecond" | "useconds" | "microsecond" | "microseconds" => Microseconds,
            "ms" | "msec" | "msecs" | "msecond" | "mseconds" | "millisecond" | "milliseconds" => Milliseconds,
            "s" | "sec" | "secs" | "second" | "seconds" => Second,
            "m" | "min" | "mins" | "minute" | "minutes" => Minute,
            "h" | "hr" | "hrs" | "hour" | "hours" => Hour,
            "d" | "day" | "days" => Day,
            "w" | "week" | "weeks" => Week,
            "mon" | "mons" | "month" | "months" => Month,
            "qtr" | "quarter" => Quarter,
            "y" | "yr" | "yrs" | "year" | "years" => Year,
            "dec" | "decs" | "decade" | "decades" => Decade,
            "c" | "cent" | "century" | "centuries" => Century,
            "mil" | "mils" | "millennia" | "millennium" => Millennium,
            "epoch" => Epoch,
            "dow" => Dow,
            "isodow" => IsoDow,
            "doy" => Doy,
            "isoyear" => IsoYear,
            "j" | "jd" | "julian" => Julian,
            "timezone" => Timezone,
            "timezone_h" | "timezone_hour" => TimezoneHour,
            "timezone_m" | "timezone_minute" => TimezoneMinute,
            _ => return None,
        })
    }

    /// As [`Unit::named`], but without those that only name a part, for truncation. Errors: 22023.
    fn to_truncate(name: &str, ty: Type) -> SqlResult<Unit> {
        use Unit::*;
        match Unit::named(name, ty)? {
            Epoch | Dow | IsoDow | Doy | IsoYear | Julian => Err(unit_unknown(name, ty)),
            unit => Ok(unit),
        }
    }

    /// Errors: 22023.
    pub fn named(name: &str, ty: Type) -> SqlResult<Unit> {
        Unit::find(name).ok_or_else(|| unit_unknown(name, ty))
    }
}

fn unit_unknown(name: &str, ty: Type) -> SqlError {
    let (ty, name) = (format_type_plain(ty), name.to_ascii_lowercase());
    SqlError::new(state::INVALID_PARAMETER_VALUE, format!("unit \"{name}\" not recognized for type {ty}"))
}

fn unit_unsupported(name: &str, ty: Type) -> SqlError {
    let (ty, name) = (format_type_plain(ty), name.to_ascii_lowercase());
    SqlError::new(state::FEATURE_NOT_SUPPORTED, format!("unit \"{name}\" not supported for type {ty}"))
}

/// First year of the decade, century, millennium that `year` is in. Years are astronomical.
fn trunc_year(unit: Unit, year: i64) -> i64 {
    match unit {
        // The first century is 1…100, and the first before it −99…0.
        Unit::Millennium => (year - 1).div_euclid(1000) * 1000 + 1,
        Unit::Century => (year - 1).div_euclid(100) * 100 + 1,
        Unit::Decade => year.div_euclid(10) * 10,
        _ => year,
    }
}

/// `date_trunc` of a local timestamp. Errors: 22023, 0A000.
pub fn trunc_timestamp(name: &str, local: i64, ty: Type) -> SqlResult<i64> {
    let unit = Unit::to_truncate(name, ty)?;
    if is_infinite(local) {
        return Ok(local);
    }
    let (days, micros) = split(local);
    let (year, month, _) = civil(days);
    let step = match unit {
        Unit::Microseconds => 1,
        Unit::Milliseconds => 1000,
        Unit::Second => USECS_PER_SEC,
        Unit::Minute => USECS_PER_MINUTE,
        Unit::Hour => USECS_PER_HOUR,
        _ => MICROS_PER_DAY,
    };
    let date = match unit {
        Unit::Week => days - (days + 5).rem_euclid(7),
        Unit::Month => days_of(year, month, 1),
        Unit::Quarter => days_of(year, (month - 1) / 3 * 3 + 1, 1),
        Unit::Year | Unit::Decade | Unit::Century | Unit::Millennium => days_of(trunc_year(unit, year), 1, 1),
        _ if step < MICROS_PER_DAY || unit == Unit::Day => days,
        _ => return Err(unit_unsupported(name, ty)),
    };
    check_timestamp(Some(date * MICROS_PER_DAY + micros / step * step))
}

/// `date_trunc` of a timestamptz by the clock of `zone`.
pub fn trunc_timestamptz(name: &str, utc: i64, zone: &Zone) -> SqlResult<i64> {
    let local = utc_to_local(utc, zone)?;
    let truncated = trunc_timestamp(name, local, Type::TIMESTAMPTZ)?;
    let fine = matches!(
        Unit::find(name),
        Some(Unit::Microseconds | Unit::Milliseconds | Unit::Second | Unit::Minute | Unit::Hour)
    );
    if is_infinite(utc) {
        Ok(utc)
    } else if fine {
        // Within the hour the offset stays, so that an hour that exists twice is not moved to the other one.
        check_timestamp(truncated.checked_sub(local - utc))
    } else {
        local_to_utc(truncated, zone)
    }
}

/// `date_trunc` of an interval.
pub fn trunc_interval(name: &str, interval: &Interval) -> SqlResult<Interval> {
    let unit = Unit::to_truncate(name, Type::INTERVAL)?;
    let cut = |n: i32| Ok(Interval::new(interval.months / n * n, 0, 0));
    let time = |step: i64| Ok(Interval { micros: interval.micros / step * step, ..*interval });
    match unit {
        Unit::Millennium => cut(12_000),
        Unit::Century => cut(1200),
        Unit::Decade => cut(120),
        Unit::Year => cut(12),
        Unit::Quarter => cut(3),
        Unit::Month => cut(1),
        Unit::Day => Ok(Interval { micros: 0, ..*interval }),
        Unit::Hour => time(USECS_PER_HOUR),
        Unit::Minute => time(USECS_PER_MINUTE),
        Unit::Second => time(USECS_PER_SEC),
        Unit::Milliseconds => time(1000),
        Unit::Microseconds => time(1),
        Unit::Week => Err(unit_unsupported(name, Type::INTERVAL).detail("Months usually have fractional weeks.")),
        _ => Err(unit_unsupported(name, Type::INTERVAL)),
    }
}

/// `date_bin`. Errors: 22008, 22003.
pub fn bin(stride: &Interval, timestamp: i64, origin: i64) -> SqlResult<i64> {
    if is_infinite(timestamp) {
        return Ok(timestamp);
    }
    if is_infinite(origin) {
        return Err(SqlError::new(state::DATETIME_FIELD_OVERFLOW, "origin out of range"));
    }
    if stride.months != 0 {
        return Err(SqlError::new(
            state::FEATURE_NOT_SUPPORTED,
            "timestamps cannot be binned into intervals containing months or years",
        ));
    }
    let step = i64::from(stride.days)
        .checked_mul(MICROS_PER_DAY)
        .and_then(|d| d.checked_add(stride.micros))
        .ok_or_else(super::interval::out_of_range)?;
    if step <= 0 {
        return Err(SqlError::new(state::DATETIME_FIELD_OVERFLOW, "stride must be greater than zero"));
    }
    let difference = timestamp.checked_sub(origin).ok_or_else(super::interval::out_of_range)?;
    let whole = difference.div_euclid(step).checked_mul(step);
    check_timestamp(whole.and_then(|whole| origin.checked_add(whole)))
}

fn whole(n: i64) -> SqlResult<Option<Numeric>> {
    Ok(Some(Numeric::from(n)))
}

fn clock_part(unit: Unit, clock: &Clock) -> Option<Numeric> {
    let micros = clock.second * USECS_PER_SEC + clock.micros;
    Some(match unit {
        Unit::Microseconds => Numeric::from(micros),
        Unit::Milliseconds => Numeric::scaled(micros.into(), 3),
        Unit::Second => Numeric::scaled(micros.into(), 6),
        Unit::Minute => Numeric::from(clock.minute),
        Unit::Hour => Numeric::from(clock.hour),
        _ => return None,
    })
}

/// Parts of a date that are whole numbers.
fn date_part(unit: Unit, days: i64) -> Option<i64> {
    let (year, month, day) = civil(days);
    // Years before Christ count from −1.
    let shown = |year: i64| if year > 0 { year } else { year - 1 };
    let dow = day_of_week(days);
    Some(match unit {
        Unit::Day => day,
        Unit::Month => month,
        Unit::Quarter => (month - 1) / 3 + 1,
        Unit::Week => iso_week(days).1,
        Unit::Year => shown(year),
        Unit::Decade => year.div_euclid(10),
        Unit::Century if year > 0 => (year + 99) / 100,
        Unit::Century => -((99 - (year - 1)) / 100),
        Unit::Millennium if year > 0 => (year + 999) / 1000,
        Unit::Millennium => -((999 - (year - 1)) / 1000),
        Unit::IsoYear => shown(iso_week(days).0),
        Unit::Dow => dow,
        Unit::IsoDow if dow == 0 => 7,
        Unit::IsoDow => dow,
        Unit::Doy => days - days_of(year, 1, 1) + 1,
        _ => return None,
    })
}

/// The parts that grow without end are infinite for infinite times; the others are NULL.
fn infinite_part(unit: Unit, positive: bool) -> SqlResult<Option<Numeric>> {
    use Unit::*;
    match unit {
        Year | Decade | Century | Millennium | Julian | IsoYear | Epoch => {
            Ok(Some(if positive { Numeric::Infinity } else { Numeric::NegInfinity }))
        }
        _ => Ok(None),
    }
}

/// `extract` from a timestamp, or from a timestamptz when there is a `zone`. Errors: 22023, 0A000.
pub fn extract_timestamp(name: &str, timestamp: i64, zone: Option<&Zone>) -> SqlResult<Option<Numeric>> {
    let ty = if zone.is_some() { Type::TIMESTAMPTZ } else { Type::TIMESTAMP };
    let unit = Unit::named(name, ty)?;
    if is_infinite(timestamp) {
        return infinite_part(unit, timestamp > 0);
    }
    if unit == Unit::Epoch {
        let micros = i128::from(timestamp) + i128::from(UNIX_EPOCH_DAYS * MICROS_PER_DAY);
        return Ok(Some(Numeric::scaled(micros, 6)));
    }
    let offset = zone.map_or(0, |zone| i64::from(zone.offset_at(timestamp.div_euclid(USECS_PER_SEC))));
    let (days, micros) = split(timestamp.saturating_add(offset * USECS_PER_SEC));
    match unit {
        Unit::Timezone | Unit::TimezoneHour | Unit::TimezoneMinute if zone.is_none() => Err(unit_unsupported(name, ty)),
        Unit::Timezone => whole(offset),
        Unit::TimezoneHour => whole(offset / 3600),
        Unit::TimezoneMinute => whole(offset / 60 % 60),
        Unit::Julian => {
            let fraction = Numeric::from(micros).div(&Numeric::from(MICROS_PER_DAY))?;
            Ok(Some(Numeric::from(days + JULIAN_EPOCH).add(&fraction)?))
        }
        _ => match date_part(unit, days) {
            Some(n) => whole(n),
            None => clock_part(unit, &Clock::of(micros)).map(Some).ok_or_else(|| unit_unsupported(name, ty)),
        },
    }
}

/// `extract` from a date. Errors: 22023, 0A000 for parts of the day.
pub fn extract_date(name: &str, days: i64) -> SqlResult<Option<Numeric>> {
    let unit = Unit::named(name, Type::DATE)?;
    let supported = matches!(unit, Unit::Epoch | Unit::Julian) || date_part(unit, 0).is_some();
    if !supported {
        return Err(unit_unsupported(name, Type::DATE));
    }
    if is_infinite_date(days) {
        return infinite_part(unit, days > 0);
    }
    match unit {
        Unit::Epoch => whole((days + UNIX_EPOCH_DAYS) * 86_400),
        Unit::Julian => whole(days + JULIAN_EPOCH),
        _ => Ok(date_part(unit, days).map(Numeric::from)),
    }
}

/// `extract` from a time. Errors: 22023, 0A000.
pub fn extract_time(name: &str, micros: i64) -> SqlResult<Option<Numeric>> {
    let unit = Unit::named(name, Type::TIME)?;
    match unit {
        Unit::Epoch => Ok(Some(Numeric::scaled(micros.into(), 6))),
        _ => clock_part(unit, &Clock::of(micros)).map(Some).ok_or_else(|| unit_unsupported(name, Type::TIME)),
    }
}

/// `extract` from a time with time zone. Errors: 22023, 0A000.
pub fn extract_timetz(name: &str, time: TimeTz) -> SqlResult<Option<Numeric>> {
    let unit = Unit::named(name, Type::TIMETZ)?;
    let offset = i64::from(time.offset);
    match unit {
        Unit::Epoch => Ok(Some(Numeric::scaled((time.micros - offset * USECS_PER_SEC).into(), 6))),
        Unit::Timezone => whole(offset),
        Unit::TimezoneHour => whole(offset / 3600),
        Unit::TimezoneMinute => whole(offset / 60 % 60),
        _ => clock_part(unit, &Clock::of(time.micros)).map(Some).ok_or_else(|| unit_unsupported(name, Type::TIMETZ)),
    }
}

/// `extract` from an interval. Errors: 22023, 0A000.
pub fn extract_interval(name: &str, interval: &Interval) -> SqlResult<Option<Numeric>> {
    let unit = Unit::named(name, Type::INTERVAL)?;
    let (years, months) = (i64::from(interval.months / 12), i64::from(interval.months % 12));
    match unit {
        Unit::Day => whole(interval.days.into()),
        Unit::Month => whole(months),
        Unit::Quarter => whole(months / 3 + 1),
        Unit::Year => whole(years),
        Unit::Decade => whole(years / 10),
        Unit::Century => whole(years / 100),
        Unit::Millennium => whole(years / 1000),
        Unit::Epoch => {
            // A year counts 365.25 days.
            let quarter_days = 1461 * years + 120 * months + 4 * i64::from(interval.days);
            let micros = i128::from(quarter_days) * 21_600_000_000 + i128::from(interval.micros);
            Ok(Some(Numeric::scaled(micros, 6)))
        }
        _ => clock_part(unit, &super::interval::clock_of(interval))
            .map(Some)
            .ok_or_else(|| unit_unsupported(name, Type::INTERVAL)),
    }
}

// ---- construction ----

/// `make_date`; a negative year is BC. Errors: 22008.
pub fn make_date(year: i64, month: i64, day: i64) -> SqlResult<i64> {
    let out_of_range = || {
        SqlError::new(
            state::DATETIME_FIELD_OVERFLOW,
            format!("date field value out of range: {year}-{month:02}-{day:02}"),
        )
    };
    let astronomical = if year < 0 { year + 1 } else { year };
    let exists = year != 0
        && (-4713..=5_874_898).contains(&astronomical)
        && (1..=12).contains(&month)
        && (1..=days_in_month(astronomical, month.clamp(1, 12))).contains(&day);
    if !exists {
        return Err(out_of_range());
    }
    let days = days_of(astronomical, month, day);
    check_date(days).map_err(|_| {
        SqlError::new(state::DATETIME_FIELD_OVERFLOW, format!("date out of range: {year}-{month:02}-{day:02}"))
    })
}

/// `make_time`. Errors: 22008.
pub fn make_time(hour: i64, minute: i64, second: f64) -> SqlResult<i64> {
    let out_of_range = || {
        SqlError::new(
            state::DATETIME_FIELD_OVERFLOW,
            format!("time field value out of range: {hour}:{minute:02}:{second:02}"),
        )
    };
    if !second.is_finite() || !(0.0..=60.0).contains(&second) {
        return Err(out_of_range());
    }
    let micros = libm::rint(second * 1e6) as i64;
    let total = hour * USECS_PER_HOUR + minute * USECS_PER_MINUTE + micros;
    if !(0..=24).contains(&hour) || !(0..60).contains(&minute) || total > MICROS_PER_DAY {
        return Err(out_of_range());
    }
    Ok(total)
}

/// `make_timestamp`. Errors: 22008.
pub fn make_timestamp(year: i64, month: i64, day: i64, hour: i64, minute: i64, second: f64) -> SqlResult<i64> {
    let days = make_date(year, month, day)?;
    let time = make_time(hour, minute, second)?;
    check_timestamp(days.checked_mul(MICROS_PER_DAY).and_then(|t| t.checked_add(time)))
}

/// `to_timestamp(double)`: seconds since 1970. Errors: 22008.
pub fn from_unix(seconds: f64) -> SqlResult<i64> {
    if seconds.is_infinite() {
        return Ok(if seconds > 0.0 { TIMESTAMP_INFINITY } else { TIMESTAMP_NEG_INFINITY });
    }
    let out_of_range = || {
        let mut text = String::new();
        let _ = write!(text, "timestamp out of range: \"{seconds}\"");
        SqlError::new(state::DATETIME_FIELD_OVERFLOW, text)
    };
    if seconds.is_nan() {
        return Err(SqlError::new(state::DATETIME_FIELD_OVERFLOW, "timestamp cannot be NaN"));
    }
    let since_2000 = seconds - (UNIX_EPOCH_DAYS * 86_400) as f64;
    let micros = libm::rint(since_2000 * 1e6);
    if micros.abs() >= 9.3e18 {
        return Err(out_of_range());
    }
    check_timestamp(Some(micros as i64)).map_err(|_| out_of_range())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calendar_round_trips() {
        assert_eq!(days_of(2000, 1, 1), 0);
        assert_eq!(days_of(1970, 1, 1), -UNIX_EPOCH_DAYS);
        assert_eq!(civil(-JULIAN_EPOCH), (-4713, 11, 24));
        for days in (-3_000_000..110_000_000).step_by(9973) {
            let (y, m, d) = civil(days);
            assert_eq!(days_of(y, m, d), days);
            assert!((1..=days_in_month(y, m)).contains(&d));
        }
        assert_eq!(day_of_week(days_of(2024, 2, 29)), 4);
        assert_eq!(iso_week(days_of(2021, 1, 3)), (2020, 53));
        assert_eq!(iso_week_start(2021, 1), days_of(2021, 1, 4));
    }

    #[test]
    fn the_clock_is_an_argument() {
        let env = Env { time_zone: "America/New_York".into(), ..Env::default() };
        // 2000-01-02 03:00 UTC is still the first of January in New York.
        let now = Some(27 * USECS_PER_HOUR);
        assert_eq!(parse_date("today", &env, now).unwrap(), 0);
        assert_eq!(parse_date("tomorrow", &env, now).unwrap(), 1);
        assert_eq!(parse_timestamptz("now", -1, &env, now).unwrap(), 27 * USECS_PER_HOUR);
        assert_eq!(parse_timestamp("now", -1, &env, now).unwrap(), 22 * USECS_PER_HOUR);
        assert_eq!(parse_timestamp("yesterday 01:00", -1, &env, now).unwrap(), -23 * USECS_PER_HOUR);
        assert_eq!(parse_date("today", &env, None).unwrap_err().code, state::FEATURE_NOT_SUPPORTED);
    }

    #[test]
    fn order_of_timetz() {
        assert_eq!(compare_timetz("0|0", "3600000000|3600"), Ordering::Greater);
        assert_eq!(compare_timetz("0|0", "0|0"), Ordering::Equal);
    }
}
