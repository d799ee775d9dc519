//! Template formatting: `to_char` of times, intervals and numbers; `to_timestamp`, `to_date` and `to_number` from text.
//!
//! Names are English and numbers are written as in the C locale.

use super::datetime::{self, Clock, DAYS, MICROS_PER_DAY, MONTHS, USECS_PER_HOUR, USECS_PER_MINUTE, USECS_PER_SEC};
use super::interval::Interval;
use super::numeric::Numeric;
use super::zone::{self, Zone};
use crate::error::{SqlError, SqlResult, state};
use crate::meter;
use std::fmt::Write as _;

/// A piece of a template for dates and times.
#[derive(Clone, Debug, PartialEq)]
enum Node {
    Field {
        /// As in [`KEYWORDS`].
        key: &'static str,
        /// As the template has it, which decides about upper and lower case.
        written: String,
        fill: bool,
        ordinal: Option<bool>,
    },
    /// A blank or punctuation.
    Separator(char),
    /// Anything else, or quoted.
    Literal(char),
}

/// Longer keywords stand before their prefixes.
const KEYWORDS: &[&str] = &[
    "MONTH", "SSSSS", "Y,YYY", "A.D.", "A.M.", "B.C.", "HH12", "HH24", "IDDD", "IYYY", "P.M.", "SSSS", "YYYY", "DAY",
    "DDD", "FF1", "FF2", "FF3", "FF4", "FF5", "FF6", "IYY", "MON", "TZH", "TZM", "YYY", "AD", "AM", "BC", "CC", "DD",
    "DY", "HH", "ID", "IW", "IY", "MI", "MM", "MS", "OF", "PM", "RM", "SS", "TZ", "US", "WW", "YY", "D", "I", "J", "Q",
    "W", "Y",
];

fn keyword(text: &str) -> Option<&'static str> {
    KEYWORDS.iter().copied().find(|key| {
        let Some(head) = text.get(..key.len()) else { return false };
        let capital = || matches!(*key, "MONTH" | "MON" | "DAY" | "DY") && capitalized(key) == head;
        head == *key || head == key.to_ascii_lowercase() || capital()
    })
}

fn capitalized(word: &str) -> String {
    let mut out = word.to_ascii_lowercase();
    out[..1].make_ascii_uppercase();
    out
}

/// Units of work that finding and showing a piece of a template takes, at most.
const PIECE: usize = 128;

fn parse_template(template: &str) -> SqlResult<(Vec<Node>, bool)> {
    let (mut nodes, mut rest, mut exact) = (Vec::new(), template, false);
    while let Some(first) = rest.chars().next() {
        meter::work(PIECE)?;
        // What it is, as it is written, and what it shows; a vector that grows has its contents twice.
        meter::hold(3 * size_of::<Node>())?;
        let mut fill = true;
        while let Some(prefix) = rest.get(..2).filter(|p| matches!(p.to_ascii_uppercase().as_str(), "FM" | "TM" | "FX"))
        {
            match prefix.to_ascii_uppercase().as_str() {
                // Translated names are not padded either.
                "FM" | "TM" => fill = false,
                "FX" => exact = true,
                _ => {}
            }
            rest = &rest[2..];
        }
        if let Some(key) = keyword(rest) {
            let written = rest[..key.len()].to_owned();
            rest = &rest[key.len()..];
            let ordinal = match rest.get(..2) {
                Some("TH") => Some(true),
                Some("th") => Some(false),
                _ => None,
            };
            if ordinal.is_some() {
                rest = &rest[2..];
            }
            nodes.push(Node::Field { key, written, fill, ordinal });
            continue;
        }
        let Some(c) = rest.chars().next() else { break };
        if c == '"' {
            let mut chars = rest[1..].char_indices();
            let mut end = rest.len();
            while let Some((at, c)) = chars.next() {
                match c {
                    '"' => {
                        end = at + 2;
                        break;
                    }
                    '\\' => nodes.extend(chars.next().map(|(_, c)| Node::Literal(c))),
                    c => nodes.push(Node::Literal(c)),
                }
            }
            rest = &rest[end..];
            continue;
        }
        if c == '\\' && rest[1..].starts_with('"') {
            nodes.push(Node::Literal('"'));
            rest = &rest[2..];
            continue;
        }
        let separator = c.is_ascii_whitespace() || c.is_ascii_punctuation();
        nodes.push(if separator { Node::Separator(c) } else { Node::Literal(c) });
        rest = &rest[c.len_utf8()..];
        let _ = first;
    }
    Ok((nodes, exact))
}

/// What a template shows.
struct Moment {
    year: i64,
    month: i64,
    day: i64,
    clock: Clock,
    /// Days since 2000; `None` for intervals.
    date: Option<i64>,
    /// Abbreviation and offset in seconds.
    zone: Option<(String, i64)>,
}

/// `to_char` of a local timestamp; with its zone if it is a timestamptz.
///
/// Errors: 22007 for parts that do not exist.
pub fn timestamp(local: i64, zone: Option<(String, i64)>, template: &str) -> SqlResult<String> {
    let (date, micros) = datetime::split(local);
    let (year, month, day) = datetime::civil(date);
    format(&Moment { year, month, day, clock: Clock::of(micros), date: Some(date), zone }, template)
}

/// `to_char` of an interval.
pub fn interval(interval: &Interval, template: &str) -> SqlResult<String> {
    let clock = super::interval::clock_of(interval);
    let (year, month) = (i64::from(interval.months / 12), i64::from(interval.months % 12));
    format(&Moment { year, month, day: interval.days.into(), clock, date: None, zone: None }, template)
}

fn format(moment: &Moment, template: &str) -> SqlResult<String> {
    let mut out = String::new();
    for node in parse_template(template)?.0 {
        match node {
            Node::Separator(c) | Node::Literal(c) => out.push(c),
            Node::Field { key, written, fill, ordinal } => {
                let shown = field(moment, key, &written, fill)?;
                let digit = shown.ends_with(|c: char| c.is_ascii_digit());
                out.push_str(&shown);
                if let Some(upper) = ordinal.filter(|_| digit) {
                    out.push_str(&ordinal_suffix(&shown, upper));
                }
            }
        }
    }
    Ok(out)
}

fn ordinal_suffix(number: &str, upper: bool) -> String {
    let tens = number.len() >= 2 && number.as_bytes()[number.len() - 2] == b'1';
    let suffix = match number.as_bytes().last() {
        _ if tens => "th",
        Some(b'1') => "st",
        Some(b'2') => "nd",
        Some(b'3') => "rd",
        _ => "th",
    };
    if upper { suffix.to_ascii_uppercase() } else { suffix.to_owned() }
}

const ROMAN_MONTHS: [&str; 12] = ["I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII"];

fn cased(word: &str, written: &str) -> String {
    let mut letters = written.chars().filter(|c| c.is_ascii_alphabetic());
    match (letters.next().is_some_and(|c| c.is_uppercase()), letters.next().is_none_or(|c| c.is_uppercase())) {
        (true, true) => word.to_ascii_uppercase(),
        (true, false) => capitalized(word),
        _ => word.to_ascii_lowercase(),
    }
}

fn field(m: &Moment, key: &str, written: &str, fill: bool) -> SqlResult<String> {
    // Zeros in front, with the sign counting as PostgreSQL counts it.
    let pad = |n: i64, width: usize| {
        let width = if fill { width + usize::from(n < 0) } else { 0 };
        format!("{n:0width$}")
    };
    // Some patterns let the sign take one of the places.
    let pad_flat = |n: i64, width: usize| if fill { format!("{n:0width$}") } else { n.to_string() };
    let name = |word: &str, width: usize| {
        let word = cased(word, written);
        if fill { format!("{word:width$}") } else { word }
    };
    let no_interval = || {
        SqlError::new(state::INVALID_DATETIME_FORMAT, "invalid format specification for an interval value")
            .hint("Intervals are not tied to specific calendar dates.")
    };
    let date = || m.date.ok_or_else(no_interval);
    let shown_year = |year: i64| if m.date.is_some() && year <= 0 { 1 - year } else { year };
    let c = &m.clock;
    let hour12 = if c.hour % 12 == 0 { 12 } else { c.hour % 12 };
    let iso_year = || date().map(|d| shown_year(datetime::iso_week(d).0));
    Ok(match key {
        "A.M." | "P.M." => cased(if c.hour % 24 >= 12 { "p.m." } else { "a.m." }, written),
        "AM" | "PM" => cased(if c.hour % 24 >= 12 { "pm" } else { "am" }, written),
        "A.D." | "B.C." => {
            date()?;
            cased(if m.year <= 0 { "b.c." } else { "a.d." }, written)
        }
        "AD" | "BC" => {
            date()?;
            cased(if m.year <= 0 { "bc" } else { "ad" }, written)
        }
        "HH" | "HH12" => pad(hour12, 2),
        "HH24" => pad(c.hour, 2),
        "MI" => pad(c.minute, 2),
        "SS" => pad(c.second, 2),
        "MS" => pad(c.micros / 1000, 3),
        "US" => pad(c.micros, 6),
        "FF1" => pad(c.micros / 100_000, 1),
        "FF2" => pad(c.micros / 10_000, 2),
        "FF3" => pad(c.micros / 1000, 3),
        "FF4" => pad(c.micros / 100, 4),
        "FF5" => pad(c.micros / 10, 5),
        "FF6" => pad(c.micros, 6),
        "SSSS" | "SSSSS" => (c.hour * 3600 + c.minute * 60 + c.second).to_string(),
        "TZ" | "TZH" | "TZM" | "OF" => {
            date()?;
            let Some((name, offset)) = &m.zone else { return Ok(zone_less(key)) };
            let (sign, abs) = (if *offset < 0 { '-' } else { '+' }, offset.abs());
            match key {
                "TZ" if written == "tz" => name.to_lowercase(),
                "TZ" => name.clone(),
                "TZH" => format!("{sign}{:02}", abs / 3600),
                "TZM" => format!("{:02}", abs / 60 % 60),
                _ if abs % 3600 == 0 => format!("{sign}{:02}", abs / 3600),
                _ => format!("{sign}{:02}:{:02}", abs / 3600, abs / 60 % 60),
            }
        }
        "MONTH" | "MON" | "RM" if m.month == 0 => {
            date()?;
            String::new()
        }
        "MONTH" => {
            date()?;
            name(MONTHS[m.month as usize - 1], 9)
        }
        "MON" => {
            date()?;
            name(&MONTHS[m.month as usize - 1][..3], 0)
        }
        "MM" => pad(m.month, 2),
        "DAY" => name(DAYS[datetime::day_of_week(date()?) as usize], 9),
        "DY" => name(&DAYS[datetime::day_of_week(date()?) as usize][..3], 0),
        "DDD" => pad_flat(
            match m.date {
                Some(date) => date - datetime::days_of(m.year, 1, 1) + 1,
                // An interval's year has 360 days here.
                None => m.year * 360 + m.month * 30 + m.day,
            },
            3,
        ),
        "IDDD" => {
            let date = date()?;
            pad(date - datetime::iso_week_start(datetime::iso_week(date).0, 1) + 1, 3)
        }
        "DD" => pad_flat(m.day, 2),
        "D" => (datetime::day_of_week(date()?) + 1).to_string(),
        "ID" => ((datetime::day_of_week(date()?) + 6) % 7 + 1).to_string(),
        "WW" => pad((date()? - datetime::days_of(m.year, 1, 1)) / 7 + 1, 2),
        "IW" => pad(datetime::iso_week(date()?).1, 2),
        "W" => ((m.day - 1) / 7 + 1).to_string(),
        "Q" => {
            date()?;
            ((m.month - 1) / 3 + 1).to_string()
        }
        "CC" => pad(
            match m.date {
                None => m.year / 100,
                Some(_) if m.year > 0 => (m.year - 1) / 100 + 1,
                Some(_) => m.year / 100 - 1,
            },
            2,
        ),
        "Y,YYY" => {
            let year = shown_year(m.year);
            format!("{},{:03}", year / 1000, year % 1000)
        }
        "YYYY" => pad(shown_year(m.year), 4),
        "YYY" => pad(shown_year(m.year) % 1000, 3),
        "YY" => pad(shown_year(m.year) % 100, 2),
        "Y" => pad(shown_year(m.year) % 10, 1),
        "IYYY" => pad(iso_year()?, 4),
        "IYY" => pad(iso_year()? % 1000, 3),
        "IY" => pad(iso_year()? % 100, 2),
        "I" => pad(iso_year()? % 10, 1),
        "J" => (date()? + datetime::JULIAN_EPOCH).to_string(),
        "RM" => name(ROMAN_MONTHS[(m.month - 1).rem_euclid(12) as usize], 4),
        _ => return Err(SqlError::unsupported(format!("the template pattern \"{written}\""))),
    })
}

/// What zone patterns show of a timestamp without time zone.
fn zone_less(key: &str) -> String {
    match key {
        "TZH" => "+00".into(),
        "TZM" => "00".into(),
        "OF" => "+00".into(),
        _ => String::new(),
    }
}

// ---- to_timestamp, to_date ----

/// Fields read from a text.
#[derive(Default)]
struct Read {
    convention: Option<Convention>,
    /// Digits of a second's fraction that FF1 to FF6 ask for.
    precision: Option<i32>,
    year: Option<i64>,
    /// Digits of the year that were read, when fewer than four were asked for.
    century: Option<i64>,
    month: Option<i64>,
    day: Option<i64>,
    doy: Option<i64>,
    julian: Option<i64>,
    iso_year: Option<i64>,
    iso_week: Option<i64>,
    iso_day: Option<i64>,
    week: Option<i64>,
    week_of_month: Option<i64>,
    bc: bool,
    pm: Option<bool>,
    twelve: bool,
    hour: i64,
    minute: i64,
    second: i64,
    micros: i64,
    seconds_of_day: Option<i64>,
    offset: Option<i64>,
    zone_sign: i64,
}

/// `to_timestamp(text, text)`; without a zone in the text, the time is local to `zone`.
///
/// Errors: 22007 for what does not match, 22008 for values out of range.
pub fn parse_timestamp(text: &str, template: &str, zone: &Zone) -> SqlResult<i64> {
    let read = read(text, template)?;
    let local = read.timestamp(text)?;
    let utc = match read.offset {
        Some(offset) => datetime::check_timestamp(local.checked_sub(offset * USECS_PER_SEC)),
        None => datetime::local_to_utc(local, zone),
    }?;
    match read.precision {
        Some(digits) => datetime::timestamp_typmod(utc, digits),
        None => Ok(utc),
    }
}

/// `to_date(text, text)` in days. Errors: as [`parse_timestamp`].
pub fn parse_date(text: &str, template: &str) -> SqlResult<i64> {
    datetime::check_date(read(text, template)?.date(text)?)
}

fn field_overflow(text: &str) -> SqlError {
    SqlError::new(state::DATETIME_FIELD_OVERFLOW, format!("date/time field value out of range: \"{text}\""))
}

fn read(text: &str, template: &str) -> SqlResult<Read> {
    let (nodes, exact) = parse_template(template)?;
    let mut read = Read::default();
    let mut rest = text;
    for (at, node) in nodes.iter().enumerate() {
        if rest.is_empty() {
            break;
        }
        match node {
            Node::Separator(c) if exact => {
                rest =
                    rest.strip_prefix(*c).unwrap_or_else(|| rest.chars().next().map_or("", |c| &rest[c.len_utf8()..]))
            }
            Node::Separator(_) => {
                let blank = rest.trim_start();
                // A separator matches one of any kind, and blanks around it.
                rest = match blank.chars().next() {
                    Some('+' | '-') if matches!(nodes.get(at + 1), Some(Node::Field { key: "TZH" | "OF", .. })) => {
                        blank
                    }
                    Some(c) if c.is_ascii_punctuation() => blank[1..].trim_start(),
                    _ => blank,
                };
            }
            Node::Literal(_) => rest = rest.chars().next().map_or("", |c| &rest[c.len_utf8()..]),
            Node::Field { key, written, ordinal, fill } => {
                if !exact {
                    rest = rest.trim_start();
                }
                let digits_follow = matches!(
                    nodes.get(at + 1),
                    Some(Node::Field { key, .. }) if !matches!(*key, "MONTH" | "MON" | "DAY" | "DY" | "AM" | "PM" | "AD" | "BC" | "TZ")
                );
                rest = read.field(key, written, rest, digits_follow && *fill)?;
                if ordinal.is_some() {
                    rest = rest.get(2..).unwrap_or("");
                }
            }
        }
    }
    Ok(read)
}

impl Read {
    /// Reads one field from the start of `text` and returns what follows.
    fn field<'a>(&mut self, key: &str, written: &str, text: &'a str, limited: bool) -> SqlResult<&'a str> {
        let width = match key {
            "HH12" | "HH24" => 2,
            "IDDD" => 3,
            "SSSS" | "SSSSS" => 5,
            "MS" => 3,
            "US" => 6,
            "J" => 7,
            other => other.len(),
        };
        self.follow(convention(key))?;
        let number = |limit: usize| integer(text, written, limit);
        let limit = if limited { width } else { usize::MAX };
        let mut rest = text;
        let mut take = |limit: usize| -> SqlResult<i64> {
            let (n, after) = if limited { fixed(text, written, limit)? } else { number(limit)? };
            rest = after;
            Ok(n)
        };
        match key {
            "HH" | "HH12" => {
                self.twelve = true;
                self.hour = take(limit)?;
                if !(1..=12).contains(&self.hour) {
                    return Err(SqlError::new(
                        state::INVALID_DATETIME_FORMAT,
                        format!("hour \"{}\" is invalid for the 12-hour clock", self.hour),
                    )
                    .hint("Use the 24-hour clock, or give an hour between 1 and 12."));
                }
            }
            "HH24" => self.hour = take(limit)?,
            "MI" => self.minute = take(limit)?,
            "SS" => self.second = take(limit)?,
            "MS" | "US" | "FF1" | "FF2" | "FF3" | "FF4" | "FF5" | "FF6" => {
                let digits: i32 = match key {
                    "MS" => 3,
                    "US" => 6,
                    ff => (ff.as_bytes()[2] - b'0').into(),
                };
                if key.starts_with("FF") {
                    self.precision = Some(digits);
                }
                let n = take(if limited { digits as usize } else { usize::MAX })?;
                // "5" of MS is .5: the digits are those after the point. Those that are too many count as whole.
                let read = (text.len() - rest.len()) as u32;
                self.micros += match key {
                    "MS" => n * 10i64.pow(3u32.saturating_sub(read)) * 1000,
                    _ => n * 10i64.pow(6u32.saturating_sub(read)),
                };
            }
            "SSSS" | "SSSSS" => self.seconds_of_day = Some(take(limit)?),
            "YYYY" | "YYY" | "YY" | "Y" | "IYYY" | "IYY" | "IY" | "I" => {
                let (_, after) = number(limit)?;
                let digits = text.len() - after.len();
                let mut year = take(limit)?;
                if digits < 4 && year >= 0 && !(key.ends_with("YYYY") && digits > 2 && width == 4 && year >= 1000) {
                    year = complete_year(year, key, digits);
                }
                if key.starts_with('I') { self.iso_year = Some(year) } else { self.year = Some(year) }
            }
            "Y,YYY" => {
                let (thousands, after) = number(usize::MAX)?;
                let after = after.strip_prefix(',').unwrap_or(after);
                let (units, after) = integer(after, written, 3)?;
                self.year = Some(thousands * 1000 + units);
                rest = after;
            }
            "CC" => self.century = Some(take(limit)?),
            "MM" => {
                let month = take(limit)?;
                once(&mut self.month, month, written)?;
            }
            "DD" => {
                let day = take(limit)?;
                once(&mut self.day, day, written)?;
            }
            "DDD" | "IDDD" => {
                let day = take(limit)?;
                once(&mut self.doy, day, written)?;
            }
            "D" => {
                take(1)?;
            }
            "ID" => self.iso_day = Some(take(1)?),
            "WW" => self.week = Some(take(limit)?),
            "W" => self.week_of_month = Some(take(1)?),
            "IW" => self.iso_week = Some(take(limit)?),
            "J" => {
                let (day, after) = number(usize::MAX)?;
                self.julian = Some(day);
                rest = after;
            }
            "Q" => {
                take(1)?;
            }
            "MONTH" | "MON" => {
                let (at, after) = word(text, &MONTHS.map(|m| m.to_owned()), written)?;
                once(&mut self.month, at + 1, written)?;
                rest = after;
            }
            "RM" => {
                let mut names: Vec<(i64, &str)> = (1..).zip(ROMAN_MONTHS).collect();
                names.sort_by_key(|(_, name)| std::cmp::Reverse(name.len()));
                let found = names
                    .iter()
                    .find(|(_, name)| text.get(..name.len()).is_some_and(|head| head.eq_ignore_ascii_case(name)));
                let (month, name) = found.ok_or_else(|| mismatch(text, written))?;
                once(&mut self.month, *month, written)?;
                rest = &text[name.len()..];
            }
            "DAY" | "DY" => rest = word(text, &DAYS.map(|d| d.to_owned()), written)?.1,
            "AM" | "PM" | "A.M." | "P.M." => {
                let names = ["a.m.", "p.m.", "am", "pm"].map(str::to_owned);
                let (at, after) = word(text, &names, written)?;
                self.pm = Some(at % 2 == 1);
                rest = after;
            }
            "AD" | "BC" | "A.D." | "B.C." => {
                let names = ["a.d.", "b.c.", "ad", "bc"].map(str::to_owned);
                let (at, after) = word(text, &names, written)?;
                self.bc = at % 2 == 1;
                rest = after;
            }
            "TZH" | "OF" => {
                let negative = text.starts_with('-');
                let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
                let (hours, after) = integer(unsigned, written, 2)?;
                self.zone_sign = if negative { -1 } else { 1 };
                self.offset = Some(self.zone_sign * hours * 3600);
                rest = after;
                if let ("OF", Some(minutes)) = (key, after.strip_prefix(':')) {
                    let (minutes, after) = integer(minutes, written, 2)?;
                    self.offset = Some(self.zone_sign * (hours * 3600 + minutes * 60));
                    rest = after;
                }
            }
            "TZM" => {
                let minutes = take(2)?;
                let sign = if self.zone_sign < 0 { -1 } else { 1 };
                self.offset = Some(self.offset.unwrap_or(0) + sign * minutes * 60);
            }
            _ => {
                return Err(SqlError::new(
                    state::FEATURE_NOT_SUPPORTED,
                    format!("formatting field \"{written}\" is only supported in to_char"),
                ));
            }
        }
        Ok(rest)
    }

    /// Errors: 22007 if fields of the other convention were read.
    fn follow(&mut self, convention: Option<Convention>) -> SqlResult<()> {
        if convention.is_some() && self.convention.is_some() && convention != self.convention {
            return Err(SqlError::new(state::INVALID_DATETIME_FORMAT, "invalid combination of date conventions")
                .hint("Do not mix Gregorian and ISO week date conventions in a formatting template."));
        }
        self.convention = self.convention.or(convention);
        Ok(())
    }

    /// Days since 2000.
    fn date(&self, text: &str) -> SqlResult<i64> {
        if let Some(julian) = self.julian {
            return Ok(julian - datetime::JULIAN_EPOCH);
        }
        if let Some(year) = self.iso_year {
            let week = self.iso_week.unwrap_or(1);
            if let (Some(doy), None) = (self.doy, self.iso_week) {
                return Ok(datetime::iso_week_start(year, 1) + doy - 1);
            }
            return Ok(datetime::iso_week_start(year, week) + self.iso_day.unwrap_or(1) - 1);
        }
        let mut year = match (self.year, self.century) {
            (Some(year), Some(century)) if year < 100 => (century - 1) * 100 + year,
            (Some(year), _) => year,
            (None, Some(century)) => (century - 1) * 100 + 1,
            // Nothing about the year: 1 BC, as PostgreSQL has it.
            (None, None) => 0,
        };
        if self.bc {
            year = -year;
        }
        if year < 0 {
            year += 1;
        }
        if let Some(doy) = self.doy.or(self.week.map(|week| (week - 1) * 7 + 1)) {
            if !(1..=365 + i64::from(datetime::is_leap(year))).contains(&doy) {
                return Err(field_overflow(text));
            }
            return Ok(datetime::days_of(year, 1, 1) + doy - 1);
        }
        let month = self.month.unwrap_or(1);
        let day = self.day.or(self.week_of_month.map(|week| (week - 1) * 7 + 1)).unwrap_or(1);
        if !(1..=12).contains(&month) || day < 1 || day > datetime::days_in_month(year, month) {
            return Err(field_overflow(text));
        }
        Ok(datetime::days_of(year, month, day))
    }

    /// Local µs since 2000.
    fn timestamp(&self, text: &str) -> SqlResult<i64> {
        let (mut hour, mut minute, mut second) = (self.hour, self.minute, self.second);
        if let Some(total) = self.seconds_of_day {
            (hour, minute, second) = (total / 3600, total / 60 % 60, total % 60);
        }
        if self.twelve {
            match self.pm {
                Some(true) if hour < 12 => hour += 12,
                Some(false) if hour == 12 => hour = 0,
                _ => {}
            }
        }
        let within = (0..24).contains(&hour) && (0..60).contains(&minute) && (0..60).contains(&second);
        if !within || !(0..USECS_PER_SEC).contains(&self.micros) {
            return Err(field_overflow(text));
        }
        let time = hour * USECS_PER_HOUR + minute * USECS_PER_MINUTE + second * USECS_PER_SEC + self.micros;
        let days = self.date(text)?;
        datetime::check_timestamp(days.checked_mul(MICROS_PER_DAY).and_then(|d| d.checked_add(time)))
    }
}

/// Years of fewer than four digits are near 2020.
fn complete_year(year: i64, key: &str, _digits: usize) -> i64 {
    match year {
        _ if key.ends_with("YYYY") => year,
        0..70 => year + 2000,
        70..100 => year + 1900,
        100..520 => year + 2000,
        520..1000 => year + 1000,
        _ => year,
    }
}

fn mismatch(text: &str, written: &str) -> SqlError {
    let found: String = text.chars().take(written.len()).collect();
    SqlError::new(state::INVALID_DATETIME_FORMAT, format!("invalid value \"{found}\" for \"{written}\""))
}

/// A number of at most `limit` characters at the start.
fn integer<'a>(text: &'a str, written: &str, limit: usize) -> SqlResult<(i64, &'a str)> {
    let sign = usize::from(text.starts_with(['-', '+']));
    let digits = text[sign..].bytes().take(limit.saturating_sub(sign)).take_while(u8::is_ascii_digit).count();
    if digits == 0 {
        return Err(mismatch(text, written).detail("Value must be an integer."));
    }
    let end = sign + digits;
    let n = text[..end].parse::<i32>().map_err(|_| {
        SqlError::new(
            state::DATETIME_FIELD_OVERFLOW,
            format!("value for \"{written}\" in source string is out of range"),
        )
        .detail("Value must be in the range -2147483648 to 2147483647.")
    })?;
    Ok((n.into(), &text[end..]))
}

/// Which of the names stands at the start, in full or by three letters.
fn word<'a>(text: &'a str, names: &[String], written: &str) -> SqlResult<(i64, &'a str)> {
    let full = !matches!(written.to_ascii_uppercase().as_str(), "MON" | "DY");
    for (at, name) in names.iter().enumerate() {
        let name = if full { name.as_str() } else { &name[..3] };
        if text.get(..name.len()).is_some_and(|head| head.eq_ignore_ascii_case(name)) {
            return Ok((at as i64, &text[name.len()..]));
        }
    }
    let found = text.split(|c: char| c.is_ascii_whitespace()).next().unwrap_or_default();
    let message = format!("invalid value \"{found}\" for \"{written}\"");
    Err(SqlError::new(state::INVALID_DATETIME_FORMAT, message)
        .detail("The given value did not match any of the allowed values for this field."))
}

/// A number of exactly so many characters, since the next one begins right behind it.
fn fixed<'a>(text: &'a str, written: &str, width: usize) -> SqlResult<(i64, &'a str)> {
    let hint = "If your source string is not fixed-width, try using the \"FM\" modifier.";
    let there = text.chars().take(width).count();
    let wrong = |message: String, detail: String| {
        Err(SqlError::new(state::INVALID_DATETIME_FORMAT, message).detail(detail).hint(hint))
    };
    if there < width {
        return wrong(
            format!("source string too short for \"{written}\" formatting field"),
            format!("Field requires {width} characters, but only {there} remain."),
        );
    }
    let (n, after) = integer(text, written, width)?;
    let read = text.len() - after.len();
    if read < width {
        let found: String = text.chars().take(width).collect();
        return wrong(
            format!("invalid value \"{found}\" for \"{written}\""),
            format!("Field requires {width} characters, but only {read} could be parsed."),
        );
    }
    Ok((n, after))
}

/// Errors: 22007 if the field has another value already.
fn once(field: &mut Option<i64>, value: i64, written: &str) -> SqlResult<()> {
    if field.is_some_and(|known| known != 0 && known != value) {
        let message = format!("conflicting values for \"{written}\" field in formatting string");
        return Err(SqlError::new(state::INVALID_DATETIME_FORMAT, message)
            .detail("This value contradicts a previous setting for the same field type."));
    }
    *field = Some(value);
    Ok(())
}

/// How dates are counted: by months, or by ISO weeks.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Convention {
    Gregorian,
    IsoWeek,
}

/// The one that a field belongs to.
fn convention(key: &str) -> Option<Convention> {
    match key {
        "IYYY" | "IYY" | "IY" | "I" | "IW" | "ID" | "IDDD" => Some(Convention::IsoWeek),
        "YYYY" | "YYY" | "YY" | "Y" | "Y,YYY" | "MM" | "MONTH" | "MON" | "RM" | "DD" | "DDD" | "D" | "W" | "WW" => {
            Some(Convention::Gregorian)
        }
        _ => None,
    }
}

/// The zone part of a timestamptz for [`timestamp`].
pub fn zone_of(utc: i64, zone: &Zone) -> (String, i64) {
    let seconds = utc.div_euclid(USECS_PER_SEC);
    (zone.abbreviation_at(seconds).0, zone::Zone::offset_at(zone, seconds).into())
}

// ---- numbers ----

/// A piece of a template for numbers.
#[derive(Clone, Debug, PartialEq)]
enum Piece {
    Digit {
        zero: bool,
    },
    Point,
    Group,
    Currency,
    /// S
    Sign,
    /// MI
    Minus,
    /// PL
    Plus,
    /// SG
    Both,
    Ordinal(bool),
    Literal(char),
}

#[derive(Default)]
struct NumberTemplate {
    pieces: Vec<Piece>,
    fill: bool,
    /// PR
    brackets: bool,
    /// EEEE
    exponent: bool,
    roman: Option<bool>,
    /// Digits after V.
    shift: Option<u32>,
    before: usize,
    after: usize,
}

fn number_template(template: &str) -> SqlResult<NumberTemplate> {
    let mut t = NumberTemplate { fill: true, ..NumberTemplate::default() };
    let (mut rest, mut point) = (template, false);
    let syntax = |message: &str| Err(SqlError::syntax(message));
    while let Some(c) = rest.chars().next() {
        meter::work(PIECE / 4)?;
        meter::hold(2 * size_of::<Piece>())?;
        let two = rest.get(..2).unwrap_or("").to_ascii_uppercase();
        let length = match two.as_str() {
            "FM" => {
                t.fill = false;
                2
            }
            "MI" => {
                t.pieces.push(Piece::Minus);
                2
            }
            "PL" => {
                t.pieces.push(Piece::Plus);
                2
            }
            "SG" => {
                t.pieces.push(Piece::Both);
                2
            }
            "PR" => {
                t.brackets = true;
                2
            }
            "RN" => {
                t.roman = Some(rest.starts_with("RN"));
                2
            }
            "TH" => {
                t.pieces.push(Piece::Ordinal(rest.starts_with("TH")));
                2
            }
            "EE" if rest.get(..4).is_some_and(|head| head.eq_ignore_ascii_case("EEEE")) => {
                t.exponent = true;
                4
            }
            _ => {
                match c {
                    '9' | '0' => {
                        if t.brackets {
                            return Err(SqlError::syntax(format!("\"{c}\" must be ahead of \"PR\"")));
                        }
                        t.pieces.push(Piece::Digit { zero: c == '0' });
                        match (&mut t.shift, point) {
                            (Some(n), _) => *n += 1,
                            (None, true) => t.after += 1,
                            (None, false) => t.before += 1,
                        }
                    }
                    '.' | 'D' | 'd' => {
                        if point {
                            return syntax("multiple decimal points");
                        }
                        if t.shift.is_some() {
                            return syntax("cannot use \"V\" and decimal point together");
                        }
                        point = true;
                        t.pieces.push(Piece::Point);
                    }
                    ',' | 'G' | 'g' => t.pieces.push(Piece::Group),
                    'L' | 'l' => t.pieces.push(Piece::Currency),
                    'S' | 's' => {
                        if t.pieces.contains(&Piece::Sign) {
                            return syntax("cannot use \"S\" twice");
                        }
                        t.pieces.push(Piece::Sign);
                    }
                    'V' | 'v' => {
                        if point {
                            return syntax("cannot use \"V\" and decimal point together");
                        }
                        t.shift.get_or_insert(0);
                    }
                    '"' => {
                        let mut inside = rest[1..].chars();
                        while let Some(c) = inside.next().filter(|c| *c != '"') {
                            // A backslash takes the meaning of what follows it.
                            let quoted = if c == '\\' { inside.next() } else { None };
                            t.pieces.push(Piece::Literal(quoted.unwrap_or(c)));
                        }
                        rest = inside.as_str();
                        continue;
                    }
                    // Outside of quotes it does so for a quote only.
                    '\\' if rest[1..].starts_with('"') => {
                        t.pieces.push(Piece::Literal('"'));
                        rest = &rest[2..];
                        continue;
                    }
                    c => t.pieces.push(Piece::Literal(c)),
                }
                c.len_utf8()
            }
        };
        rest = &rest[length..];
    }
    Ok(t)
}

/// `to_char` of a numeric. Errors: 42601 for templates that contradict themselves.
pub fn number(n: &Numeric, template: &str) -> SqlResult<String> {
    let t = number_template(template)?;
    if t.roman.is_some() {
        let value = match n {
            Numeric::Finite(_) => n.round(0)?.to_integer(i64::MIN, i64::MAX, "bigint").unwrap_or(0),
            _ => 0,
        };
        return Ok(roman(value, &t));
    }
    if t.exponent {
        return scientific(n, &t);
    }
    let shifted = match t.shift {
        Some(digits) => n.mul(&Numeric::from(10i64).power(&Numeric::from(i64::from(digits)))?)?,
        None => n.clone(),
    };
    let digits = match shifted {
        Numeric::Finite(_) => shifted.abs().round(t.after as i64)?.to_string(),
        // NaN and Infinity are shown where they fit.
        _ => shifted.abs().to_string(),
    };
    let zero = !digits.contains(|c: char| c.is_ascii_digit() && c != '0');
    let negative = shifted.signum() < 0 && !(zero && matches!(shifted, Numeric::Finite(_)));
    Ok(lay_out(&t, &digits, negative))
}

/// `to_char` of a float with `significant` digits.
pub fn float(x: f64, significant: usize, template: &str) -> SqlResult<String> {
    number(&Numeric::from_f64(x, significant), template)
}

fn lay_out(t: &NumberTemplate, digits: &str, negative: bool) -> String {
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let before = t.before + t.shift.unwrap_or(0) as usize;
    let (whole, fraction) = if whole.len() > before {
        ("#".repeat(before), "#".repeat(t.after))
    } else {
        (whole.to_owned(), fraction.to_owned())
    };
    let last_kept = {
        let zeros: Vec<bool> = t
            .pieces
            .iter()
            .filter_map(|p| if let Piece::Digit { zero } = p { Some(*zero) } else { None })
            .skip(before)
            .collect();
        let required = zeros.iter().rposition(|zero| *zero).map_or(0, |at| at + 1);
        if t.fill { fraction.len() } else { fraction.trim_end_matches('0').len().max(required) }
    };
    // A zero before the point only shows where there is nothing behind it, or the template has a zero there.
    let first_zero = t
        .pieces
        .iter()
        .filter(|p| matches!(p, Piece::Digit { .. }))
        .take(before)
        .position(|p| *p == Piece::Digit { zero: true });
    let shown_whole = if whole == "0" && t.after > 0 && (t.fill || last_kept > 0) { "" } else { whole.as_str() };
    let first_digit = (before - shown_whole.len()).min(first_zero.unwrap_or(before));
    let anchored = t.pieces.iter().any(|p| matches!(p, Piece::Minus | Piece::Both)) || t.brackets;
    let sign_piece = t.pieces.iter().position(|p| *p == Piece::Sign);
    let digit_piece = t.pieces.iter().position(|p| matches!(p, Piece::Digit { .. } | Piece::Point));
    let leading_sign = sign_piece.is_some_and(|s| digit_piece.is_none_or(|d| s < d));
    let sign = match (negative, sign_piece.is_some()) {
        (true, _) => "-",
        (false, true) => "+",
        (false, false) => " ",
    };
    let floating = (!anchored && sign_piece.is_none()) || leading_sign;
    let opening = match (t.brackets, negative) {
        (true, true) => "<",
        (true, false) => " ",
        _ => "",
    };
    let mut out = String::new();
    let (mut place, mut after_point, mut started) = (0, false, false);
    let place_sign = |out: &mut String, started: &mut bool| {
        if std::mem::replace(started, true) {
            return;
        }
        let mark = if t.brackets {
            opening
        } else if floating {
            sign
        } else {
            ""
        };
        if t.fill || mark != " " {
            out.push_str(mark);
        }
    };
    for piece in &t.pieces {
        match piece {
            Piece::Digit { .. } if !after_point => {
                if place < first_digit {
                    if t.fill {
                        out.push(' ');
                    }
                } else {
                    place_sign(&mut out, &mut started);
                    let from = before - shown_whole.len();
                    out.push(if place < from { '0' } else { shown_whole.as_bytes()[place - from] as char });
                }
                place += 1;
            }
            Piece::Digit { .. } => {
                let at = place - before;
                if let Some(digit) = fraction.as_bytes().get(at).filter(|_| at < last_kept) {
                    out.push(*digit as char);
                }
                place += 1;
            }
            Piece::Point => {
                place_sign(&mut out, &mut started);
                after_point = true;
                // With nothing behind it there is none, unless there is nothing else.
                if t.after > 0 || t.before == 0 {
                    out.push('.');
                }
            }
            Piece::Group if started => out.push(','),
            Piece::Group => {
                if t.fill {
                    out.push(' ');
                }
            }
            Piece::Currency => {
                if t.fill {
                    out.push(' ');
                }
            }
            Piece::Sign if leading_sign => {}
            Piece::Sign => out.push_str(sign),
            Piece::Minus if negative => out.push('-'),
            Piece::Plus if !negative => out.push('+'),
            Piece::Minus | Piece::Plus => {
                if t.fill {
                    out.push(' ');
                }
            }
            Piece::Both => out.push(if negative { '-' } else { '+' }),
            Piece::Ordinal(upper) => {
                if !negative && t.after == 0 && shown_whole.ends_with(|c: char| c.is_ascii_digit()) {
                    out.push_str(&ordinal_suffix(shown_whole, *upper));
                }
            }
            Piece::Literal(c) => out.push(*c),
        }
    }
    match (t.brackets, negative) {
        (true, true) => out.push('>'),
        (true, false) if t.fill => out.push(' '),
        _ => {}
    }
    out
}

/// `9.99EEEE`.
fn scientific(n: &Numeric, t: &NumberTemplate) -> SqlResult<String> {
    let sign = if n.signum() < 0 { "-" } else { " " };
    if !matches!(n, Numeric::Finite(_)) {
        return Ok(format!(" #.{}", "#".repeat(t.after + 4)));
    }
    let text = n.abs().to_string();
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let digits = format!("{whole}{fraction}");
    let lead = digits.find(|c| c != '0').unwrap_or(0);
    let mut exponent = if n.signum() == 0 { 0 } else { whole.len() as i64 - 1 - lead as i64 };
    // The mantissa as a decimal, rounded; rounding up to 10 moves the point once more.
    let (head, tail) = digits[lead..].split_at(1);
    let mut mantissa = Numeric::parse(&format!("{head}.{tail}0"))?.round(t.after as i64)?;
    if mantissa.compare(&Numeric::from(10i64)).is_ge() {
        mantissa = mantissa.div(&Numeric::from(10i64))?.round(t.after as i64)?;
        exponent += 1;
    }
    let mut out = String::new();
    if t.fill || sign != " " {
        out.push_str(sign);
    }
    let (mark, exponent) = (if exponent < 0 { '-' } else { '+' }, exponent.abs());
    let _ = write!(out, "{mantissa}e{mark}{exponent:02}");
    Ok(out)
}

fn roman(n: i64, t: &NumberTemplate) -> String {
    const PARTS: [(i64, &str); 13] = [
        (1000, "M"),
        (900, "CM"),
        (500, "D"),
        (400, "CD"),
        (100, "C"),
        (90, "XC"),
        (50, "L"),
        (40, "XL"),
        (10, "X"),
        (9, "IX"),
        (5, "V"),
        (4, "IV"),
        (1, "I"),
    ];
    if !(1..4000).contains(&n) {
        return "#".repeat(15);
    }
    let (mut rest, mut out) = (n, String::new());
    for (value, letters) in PARTS {
        while rest >= value {
            out.push_str(letters);
            rest -= value;
        }
    }
    if t.roman == Some(false) {
        out.make_ascii_lowercase();
    }
    if t.fill { format!("{out:>15}") } else { out }
}

// ---- to_number ----

/// `to_number(text, text)`.
///
/// Errors: 42601 for templates that contradict themselves, 0A000 for patterns that only `to_char` has, 22P02 for a text
/// without a number in it, 22003 for one with more digits than the template.
pub fn parse_number(text: &str, template: &str) -> SqlResult<Numeric> {
    let t = number_template(template)?;
    for (asked, pattern) in [(t.exponent, "EEEE"), (t.roman.is_some(), "RN")] {
        if asked {
            return Err(SqlError::new(state::FEATURE_NOT_SUPPORTED, format!("\"{pattern}\" not supported for input")));
        }
    }
    let shift = t.shift.unwrap_or(0);
    let mut scan = NumberScan::new(&t, text);
    for piece in &t.pieces {
        if scan.rest.is_empty() {
            break;
        }
        scan.piece(piece);
    }
    let (read, decimals) = (scan.number.trim_end_matches('.'), scan.after);
    let digits = t.before as i32 + shift as i32 + decimals as i32;
    // As `numeric(digits, decimals)`.
    let read = Numeric::parse(read)?.with_typmod((digits << 16 | decimals as i32) + 4)?;
    match t.shift {
        Some(shift) => read.mul(&Numeric::from(10i64).power(&Numeric::from(-i64::from(shift)))?),
        None => Ok(read),
    }
}

/// What has been read of a text by a template for numbers.
struct NumberScan<'a> {
    template: &'a NumberTemplate,
    rest: &'a str,
    /// The sign or a blank, then digits and the point.
    number: String,
    before: usize,
    after: usize,
    point: bool,
    /// The template has `S`, and before the point.
    anchored: bool,
    leading: bool,
    /// It has `PL`, `MI` or `SG`.
    awaited: bool,
}

impl<'a> NumberScan<'a> {
    fn new(template: &'a NumberTemplate, text: &'a str) -> NumberScan<'a> {
        let has = |piece| template.pieces.contains(&piece);
        let place = |piece: Piece| template.pieces.iter().position(|p| *p == piece);
        let sign = place(Piece::Sign);
        let leading = sign.is_some_and(|sign| place(Piece::Point).is_none_or(|point| sign < point));
        NumberScan {
            template,
            rest: text,
            number: " ".to_owned(),
            before: 0,
            after: 0,
            point: false,
            leading,
            anchored: sign.is_some(),
            awaited: [Piece::Plus, Piece::Minus, Piece::Both].into_iter().any(has),
        }
    }

    fn next(&self) -> Option<char> {
        self.rest.chars().next()
    }

    fn skip(&mut self) {
        self.rest = self.next().map_or("", |c| &self.rest[c.len_utf8()..]);
    }

    /// Whether a sign is still awaited.
    fn unsigned(&self) -> bool {
        self.number.starts_with(' ')
    }

    fn sign(&mut self, sign: char) {
        self.number.replace_range(..1, sign.encode_utf8(&mut [0; 4]));
    }

    fn piece(&mut self, piece: &Piece) {
        match piece {
            Piece::Digit { .. } => self.digit(true),
            Piece::Point => self.digit(false),
            Piece::Group if !self.template.fill || self.next() != Some(',') => {}
            Piece::Group => self.skip(),
            Piece::Currency => self.skip_others(1),
            Piece::Ordinal(_) => self.skip_others(2),
            Piece::Minus => self.signs(&['-']),
            Piece::Plus => self.signs(&['+']),
            Piece::Both => self.signs(&['-', '+']),
            // It is looked for beside the digits.
            Piece::Sign => {}
            Piece::Literal(_) => self.skip(),
        }
    }

    /// What stands where the template has a sign of its own.
    fn signs(&mut self, signs: &[char]) {
        match self.next().filter(|c| signs.contains(c)) {
            Some(sign) => {
                self.sign(sign);
                self.skip();
            }
            None => self.skip_others(1),
        }
    }

    /// At most `n` characters that no number has.
    fn skip_others(&mut self, n: usize) {
        for _ in 0..n {
            match self.next() {
                Some(c) if !"0123456789.,+-".contains(c) => self.skip(),
                _ => return,
            }
        }
    }

    /// A digit or the point, with a sign before the first and behind the last.
    fn digit(&mut self, is_digit: bool) {
        if self.next() == Some(' ') {
            self.skip();
        }
        if self.unsigned() && is_digit && self.before + self.after == 0 {
            let sign = match self.next() {
                Some('<') if self.template.brackets && !self.leading => Some('-'),
                found => found.filter(|c| matches!(c, '-' | '+')),
            };
            if let Some(sign) = sign {
                self.sign(sign);
                self.skip();
            }
        }
        let Some(c) = self.next() else { return };
        let mut read = true;
        match c {
            '0'..='9' if self.point && self.after == self.template.after => return self.skip(),
            '0'..='9' => {
                self.number.push(c);
                if self.point { self.after += 1 } else { self.before += 1 }
            }
            '.' if !self.point && self.template.pieces.contains(&Piece::Point) => {
                self.number.push('.');
                self.point = true;
            }
            _ => read = false,
        }
        if self.unsigned() && self.before + self.after > 0 {
            let behind = self.rest[c.len_utf8()..].chars().next();
            if self.anchored && read {
                if let Some(sign) = behind.filter(|c| matches!(c, '-' | '+')) {
                    self.sign(sign);
                    self.skip();
                }
            } else if !read && !self.anchored && self.awaited && matches!(c, '-' | '+') {
                self.sign(c);
            }
        }
        self.skip();
    }
}
