//! Times from texts by templates: `to_timestamp`, `to_date`, and `datetime()` of jsonpath.
//!
//! Fields are numbers that are 0 while nothing has been read, as in PostgreSQL, where a field that is read as 0 counts as
//! missing, too. jsonpath reads strictly: separators have to be the template's, and nothing may be left over.

use super::datetime::{self, DAYS, MICROS_PER_DAY, MONTHS, TimeTz, USECS_PER_HOUR, USECS_PER_MINUTE, USECS_PER_SEC};
use super::to_char::{Node, ROMAN_MONTHS, parse_template};
use super::zone::Zone;
use super::{DateOrder, DateOutput, DateStyle, NO_TYPMOD};
use crate::error::{SqlError, SqlResult, SqlState, state};
use std::cmp::Ordering;

/// Hours that a zone may be away from UTC.
const MAX_ZONE_HOURS: i64 = 15;
const INVALID_TIME_ZONE_DISPLACEMENT: SqlState = SqlState::new("22009");

/// What a text and its template make.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum DateTime {
    /// Days since 2000.
    Date(i64),
    /// µs since midnight.
    Time(i64),
    TimeTz(TimeTz),
    /// Local µs since 2000.
    Timestamp(i64),
    /// µs since 2000, and how many seconds east of UTC it was told.
    TimestampTz(i64, i32),
}

impl DateTime {
    /// As JSON has it: by ISO 8601.
    pub fn to_text(self) -> String {
        const ISO: DateStyle = DateStyle { output: DateOutput::Iso, order: DateOrder::Ymd };
        let mut out = Vec::new();
        let (local, offset) = match self {
            DateTime::Date(days) => {
                datetime::write_date(days, ISO, &mut out);
                return String::from_utf8_lossy(&out).into_owned();
            }
            DateTime::Time(micros) => {
                datetime::write_time(micros, &mut out);
                return String::from_utf8_lossy(&out).into_owned();
            }
            DateTime::TimeTz(time) => {
                datetime::write_time(time.micros, &mut out);
                return String::from_utf8_lossy(&out).into_owned() + &offset_text(time.offset);
            }
            DateTime::Timestamp(local) => (local, None),
            DateTime::TimestampTz(utc, offset) => (utc.saturating_add(i64::from(offset) * USECS_PER_SEC), Some(offset)),
        };
        datetime::write_timestamp(local, ISO, &mut out);
        let shown = String::from_utf8_lossy(&out).replacen(' ', "T", 1);
        let (shown, era) = shown.strip_suffix(" BC").map_or((&*shown, ""), |shown| (shown, " BC"));
        format!("{shown}{}{era}", offset.map_or_else(String::new, offset_text))
    }

    pub fn type_name(self) -> &'static str {
        match self {
            DateTime::Date(_) => "date",
            DateTime::Time(_) => "time without time zone",
            DateTime::TimeTz(_) => "time with time zone",
            DateTime::Timestamp(_) => "timestamp without time zone",
            DateTime::TimestampTz(..) => "timestamp with time zone",
        }
    }

    /// Which is the later one; `None` for times of a day beside dates. What has no zone is of the zone
    /// `local`; times of a day are of the day with it, since 2000.
    ///
    /// Errors: 0A000 where a zone is needed and there is none.
    pub fn compare(self, other: DateTime, local: Option<(&Zone, i64)>) -> SqlResult<Option<Ordering>> {
        use DateTime::{Date, Time, TimeTz as Zoned, Timestamp, TimestampTz};
        let zone = |from: &str, to: &str| {
            local.ok_or_else(|| {
                let message = format!("cannot convert value from {from} to {to} without time zone usage");
                SqlError::new(state::FEATURE_NOT_SUPPORTED, message).hint("Use *_tz() function for time zone support.")
            })
        };
        // What is beyond the range of timestamps is later than all of them, or earlier.
        let instant = |local: SqlResult<i64>, zone: &Zone| local.ok().and_then(|local| zone.to_utc(local));
        Ok(Some(match (self, other) {
            (Date(a), Date(b)) | (Time(a), Time(b)) | (Timestamp(a), Timestamp(b)) => a.cmp(&b),
            (TimestampTz(a, _), TimestampTz(b, _)) => a.cmp(&b),
            (Zoned(a), Zoned(b)) => a.compare(&b),
            (Date(a), Timestamp(b)) => datetime::date_to_timestamp(a).map_or(Ordering::Greater, |a| a.cmp(&b)),
            (Date(a), TimestampTz(b, _)) => {
                let (zone, _) = zone("date", "timestamptz")?;
                instant(datetime::date_to_timestamp(a), zone).map_or(Ordering::Greater, |a| a.cmp(&b))
            }
            (Timestamp(a), TimestampTz(b, _)) => {
                let (zone, _) = zone("timestamp", "timestamptz")?;
                instant(Ok(a), zone).map_or_else(|| a.cmp(&0), |a| a.cmp(&b))
            }
            (Time(micros), Zoned(b)) => {
                let (zone, today) = zone("time", "timetz")?;
                let offset = zone.offset_of_local(today * 86_400 + micros.div_euclid(USECS_PER_SEC));
                TimeTz { micros, offset }.compare(&b)
            }
            (Timestamp(_) | TimestampTz(..), Date(_)) | (TimestampTz(..), Timestamp(_)) | (Zoned(_), Time(_)) => {
                return Ok(other.compare(self, local)?.map(Ordering::reverse));
            }
            _ => return Ok(None),
        }))
    }
}

/// Hours and minutes, as XML Schema wants them.
fn offset_text(offset: i32) -> String {
    let (sign, abs) = (if offset < 0 { '-' } else { '+' }, offset.abs());
    format!("{sign}{:02}:{:02}", abs / 3600, abs / 60 % 60)
}

/// `to_timestamp(text, text)`; without a zone in the text, the time is local to `zone`.
///
/// Errors: 22007 for what does not match, 22008 and 22009 for values out of range.
pub fn parse_timestamp(text: &str, template: &str, zone: &Zone) -> SqlResult<i64> {
    let read = read(text, template, false)?;
    let local = read.local()?;
    let utc = match read.zone {
        Some(offset) => datetime::check_timestamp(local.checked_sub(i64::from(offset) * USECS_PER_SEC)),
        None => datetime::local_to_utc(local, zone),
    }?;
    datetime::timestamp_typmod(utc, read.precision)
}

/// `to_date(text, text)` in days. Errors: as [`parse_timestamp`].
pub fn parse_date(text: &str, template: &str) -> SqlResult<i64> {
    date_in_range(read(text, template, false)?.days, text)
}

fn date_in_range(days: i64, text: &str) -> SqlResult<i64> {
    datetime::check_date(days)
        .map_err(|_| SqlError::new(state::DATETIME_FIELD_OVERFLOW, format!("date out of range: \"{text}\"")))
}

/// The value of the type that a template says, read strictly. Errors: as [`parse_timestamp`].
pub fn parse_datetime(text: &str, template: &str) -> SqlResult<DateTime> {
    let read = read(text, template, true)?;
    let wrong = |message: &str| format_error(message.to_owned());
    let zone = || read.zone.ok_or_else(|| wrong("missing time zone in input string"));
    match (read.has.dated, read.has.timed, read.has.zoned) {
        (true, true, true) => {
            let offset = zone()?;
            let utc = datetime::check_timestamp(read.local()?.checked_sub(i64::from(offset) * USECS_PER_SEC))?;
            Ok(DateTime::TimestampTz(datetime::timestamp_typmod(utc, read.precision)?, offset))
        }
        (true, true, false) => Ok(DateTime::Timestamp(datetime::timestamp_typmod(read.local()?, read.precision)?)),
        (true, false, true) => Err(wrong("datetime format is zoned but not timed")),
        (true, false, false) => date_in_range(read.days, text).map(DateTime::Date),
        (false, true, true) => {
            let micros = datetime::time_typmod(read.micros, read.precision);
            Ok(DateTime::TimeTz(TimeTz { micros, offset: zone()? }))
        }
        (false, true, false) => Ok(DateTime::Time(datetime::time_typmod(read.micros, read.precision))),
        (false, false, _) => Err(wrong("datetime format is not dated and not timed")),
    }
}

/// What kinds of fields a template has.
#[derive(Clone, Copy, Debug, Default)]
struct Has {
    dated: bool,
    timed: bool,
    zoned: bool,
}

impl Has {
    fn of(nodes: &[Node]) -> Has {
        let mut has = Has::default();
        for node in nodes {
            let Node::Field { key, .. } = node else { continue };
            match *key {
                // PostgreSQL takes a week of ISO for nothing.
                "FX" | "IW" => {}
                "TZH" | "TZM" | "TZ" | "OF" => has.zoned = true,
                key if is_of_time(key) => has.timed = true,
                _ => has.dated = true,
            }
        }
        has
    }
}

fn is_of_time(key: &str) -> bool {
    matches!(
        key,
        "AM" | "PM"
            | "A.M."
            | "P.M."
            | "HH"
            | "HH12"
            | "HH24"
            | "MI"
            | "SS"
            | "MS"
            | "US"
            | "FF1"
            | "FF2"
            | "FF3"
            | "FF4"
            | "FF5"
            | "FF6"
            | "SSSS"
            | "SSSSS"
    )
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

/// A text and its template, put together.
struct Moment {
    has: Has,
    days: i64,
    /// µs since midnight.
    micros: i64,
    /// Seconds east of UTC, if the text says so.
    zone: Option<i32>,
    /// Digits of a second's fraction that FF1 to FF6 ask for, or none.
    precision: i32,
}

impl Moment {
    /// Local µs since 2000.
    fn local(&self) -> SqlResult<i64> {
        datetime::check_timestamp(self.days.checked_mul(MICROS_PER_DAY).and_then(|d| d.checked_add(self.micros)))
    }
}

fn read(text: &str, template: &str, strict: bool) -> SqlResult<Moment> {
    let nodes = parse_template(template, strict)?;
    let mut source = Source { text, at: 0, fields: Fields::default() };
    source.read(&nodes, strict)?;
    source.fields.moment(text, Has::of(&nodes))
}

/// What was read.
#[derive(Default)]
struct Fields {
    convention: Option<Convention>,
    hour: i64,
    minute: i64,
    second: i64,
    millis: i64,
    micros: i64,
    precision: i64,
    second_of_day: i64,
    twelve: bool,
    pm: i64,
    year: i64,
    /// Digits of the year that were asked for.
    year_digits: usize,
    century: i64,
    bc: i64,
    month: i64,
    day: i64,
    /// From Sunday, 1.
    day_of_week: i64,
    day_of_year: i64,
    julian: i64,
    week: i64,
    week_of_month: i64,
    /// Of the zone: -1, 1, or 0 if there is none.
    sign: i64,
    zone_hour: i64,
    zone_minute: i64,
}

struct Source<'a> {
    text: &'a str,
    at: usize,
    fields: Fields,
}

fn is_blank(c: u8) -> bool {
    matches!(c, b' ' | b'\t' | b'\n' | 0x0b | 0x0c | b'\r')
}

fn format_error(message: String) -> SqlError {
    SqlError::new(state::INVALID_DATETIME_FORMAT, message)
}

/// A number from the start of a text, as `strtol` reads it: how far it goes, and the number; beyond its range, 2⁶³-1.
fn leading_number(text: &str) -> (usize, i64) {
    let bytes = text.as_bytes();
    let blanks = bytes.iter().take_while(|c| is_blank(**c)).count();
    let sign = usize::from(matches!(bytes.get(blanks), Some(b'+' | b'-')));
    let digits = bytes[blanks + sign..].iter().take_while(|c| c.is_ascii_digit()).count();
    if digits == 0 {
        return (0, 0);
    }
    let end = blanks + sign + digits;
    (end, text[blanks..end].parse().unwrap_or(i64::MAX))
}

fn set(field: &mut i64, value: i64, name: &str) -> SqlResult<()> {
    if *field != 0 && *field != value {
        return Err(format_error(format!("conflicting values for \"{name}\" field in formatting string"))
            .detail("This value contradicts a previous setting for the same field type."));
    }
    *field = value;
    Ok(())
}

/// Years of fewer than four digits are near 2020.
fn complete_year(year: i64) -> i64 {
    match year {
        ..70 => year + 2000,
        70..100 => year + 1900,
        100..520 => year + 2000,
        520..1000 => year + 1000,
        _ => year,
    }
}

/// Whether what follows the node at `at` is no digit, so that its number may have as many as there are.
fn ends_number(nodes: &[Node], at: usize) -> bool {
    if matches!(nodes[at], Node::Field { ordinal: Some(_), .. }) {
        return true;
    }
    match nodes.get(at + 1) {
        None => true,
        Some(Node::Field { key, .. }) => matches!(
            *key,
            "A.D."
                | "B.C."
                | "AD"
                | "BC"
                | "A.M."
                | "P.M."
                | "AM"
                | "PM"
                | "MONTH"
                | "MON"
                | "DAY"
                | "DY"
                | "RM"
                | "TZ"
                | "TZH"
                | "OF"
                | "FX"
        ),
        Some(Node::Separator(c) | Node::Literal(c)) => !c.is_ascii_digit(),
    }
}

impl<'a> Source<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// How many there were.
    fn skip_blanks(&mut self) -> i64 {
        let blanks = self.rest().bytes().take_while(|c| is_blank(*c)).count();
        self.at += blanks;
        blanks as i64
    }

    fn skip_one(&mut self) {
        self.at += self.rest().chars().next().map_or(0, char::len_utf8);
    }

    fn read(&mut self, nodes: &[Node], strict: bool) -> SqlResult<()> {
        let mut exact = strict;
        // Characters that were passed over beyond those of the template.
        let mut extra = 0;
        let mut done = 0;
        for (i, node) in nodes.iter().enumerate() {
            if self.rest().is_empty() {
                break;
            }
            done = i + 1;
            let field = matches!(node, Node::Field { .. });
            if !exact && !matches!(node, Node::Field { key: "FX", .. }) && (field || i == 0) {
                extra += self.skip_blanks();
            }
            match node {
                Node::Separator(wanted) if strict => {
                    if !self.rest().starts_with(*wanted) {
                        return Err(format_error(format!("unmatched format separator \"{wanted}\"")));
                    }
                    self.skip_one();
                    continue;
                }
                Node::Separator(_) if !exact => {
                    extra -= 1;
                    if self.peek().is_some_and(|c| is_blank(c) || c.is_ascii_punctuation()) {
                        self.at += 1;
                        extra += 1;
                    }
                    continue;
                }
                Node::Literal(wanted) if exact => {
                    if strict && !self.rest().starts_with(*wanted) {
                        return Err(format_error(format!("unmatched format character \"{wanted}\"")));
                    }
                    self.skip_one();
                    continue;
                }
                Node::Separator(_) => {
                    self.skip_one();
                    continue;
                }
                Node::Literal(_) => {
                    // What was passed over may have stood for it.
                    if extra > 0 {
                        extra -= 1
                    } else {
                        self.skip_one()
                    }
                    continue;
                }
                Node::Field { key: "FX", .. } => exact = true,
                Node::Field { key, written, fill, ordinal } => {
                    self.follow(convention(key))?;
                    let open = !*fill || ends_number(nodes, i);
                    self.field(key, written, open, extra)?;
                    if ordinal.is_some() && !matches!(*key, "TZH" | "TZM") && !is_word(key) {
                        self.at = (self.at + 2).min(self.text.len());
                        while !self.text.is_char_boundary(self.at) {
                            self.at += 1;
                        }
                    }
                }
            }
            if !exact {
                extra = self.skip_blanks();
            }
        }
        if strict {
            if done < nodes.len() {
                return Err(format_error("input string is too short for datetime format".into()));
            }
            self.skip_blanks();
            if !self.rest().is_empty() {
                let text = "trailing characters remain in input string after datetime format";
                return Err(format_error(text.into()));
            }
        }
        Ok(())
    }

    /// Errors: 22007 if fields of the other convention were read.
    fn follow(&mut self, convention: Option<Convention>) -> SqlResult<()> {
        let known = &mut self.fields.convention;
        if convention.is_some() && known.is_some() && convention != *known {
            return Err(format_error("invalid combination of date conventions".into())
                .hint("Do not mix Gregorian and ISO week date conventions in a formatting template."));
        }
        *known = known.or(convention);
        Ok(())
    }

    /// A number, and how many characters it had. If `open`, it goes as far as there are digits, else it has `width` characters.
    fn number(&mut self, name: &str, width: usize, open: bool) -> SqlResult<(i64, usize)> {
        let start = self.at;
        self.skip_blanks();
        let mut end = (self.at + width).min(self.text.len());
        while !self.text.is_char_boundary(end) {
            end -= 1;
        }
        let copy = &self.text[self.at..end];
        let hint = "If your source string is not fixed-width, try using the \"FM\" modifier.";
        let value = if open {
            let (used, value) = leading_number(&self.text[start..]);
            self.at = start + used;
            value
        } else {
            if self.text.len() - self.at < width {
                let message = format!("source string too short for \"{name}\" formatting field");
                let detail = format!("Field requires {width} characters, but only {} remain.", copy.len());
                return Err(format_error(message).detail(detail).hint(hint));
            }
            let (used, value) = leading_number(copy);
            if used > 0 && used < width {
                let detail = format!("Field requires {width} characters, but only {used} could be parsed.");
                return Err(format_error(format!("invalid value \"{copy}\" for \"{name}\"")).detail(detail).hint(hint));
            }
            self.at += used;
            value
        };
        if self.at == start {
            return Err(
                format_error(format!("invalid value \"{copy}\" for \"{name}\"")).detail("Value must be an integer.")
            );
        }
        if i32::try_from(value).is_err() {
            let message = format!("value for \"{name}\" in source string is out of range");
            return Err(SqlError::new(state::DATETIME_FIELD_OVERFLOW, message)
                .detail("Value must be in the range -2147483648 to 2147483647."));
        }
        Ok((value, self.at - start))
    }

    /// Which of the names stands here, the first that does.
    fn word(&mut self, name: &str, names: &[&str]) -> SqlResult<i64> {
        let rest = self.rest();
        let here = |word: &str| rest.get(..word.len()).is_some_and(|head| head.eq_ignore_ascii_case(word));
        match names.iter().position(|word| here(word)) {
            Some(at) => {
                self.at += names[at].len();
                Ok(at as i64)
            }
            None => {
                let found = rest.split(|c: char| c.is_ascii() && is_blank(c as u8)).next().unwrap_or_default();
                Err(format_error(format!("invalid value \"{found}\" for \"{name}\""))
                    .detail("The given value did not match any of the allowed values for this field."))
            }
        }
    }

    fn field(&mut self, key: &str, written: &str, open: bool, extra: i64) -> SqlResult<()> {
        // The name of a field is told as it is known, not with every digit that it may have.
        let name = if key == "SSSSS" { &written[..4] } else { written };
        let width = match key {
            "HH12" | "HH24" | "TZH" | "TZM" => 2,
            "SSSSS" => 5,
            "IDDD" => 3,
            "ID" => 1,
            "MS" => 3,
            "US" => 6,
            "FF1" | "FF2" | "FF3" | "FF4" | "FF5" | "FF6" => usize::from(key.as_bytes()[2] - b'0'),
            key => key.len(),
        };
        match key {
            "A.M." | "P.M." | "AM" | "PM" => {
                let names = if key.len() == 4 { ["a.m.", "p.m."] } else { ["am", "pm"] };
                let at = self.word(name, &names)?;
                set(&mut self.fields.pm, at, name)?;
                self.fields.twelve = true;
            }
            "A.D." | "B.C." | "AD" | "BC" => {
                let names = if key.len() == 4 { ["a.d.", "b.c."] } else { ["ad", "bc"] };
                let at = self.word(name, &names)?;
                set(&mut self.fields.bc, at, name)?;
            }
            "MONTH" | "MON" => {
                let names = MONTHS.map(|m| if key == "MON" { &m[..3] } else { m });
                let at = self.word(name, &names)?;
                set(&mut self.fields.month, at + 1, name)?;
            }
            "DAY" | "DY" => {
                let names = DAYS.map(|d| if key == "DY" { &d[..3] } else { d });
                let at = self.word(name, &names)?;
                set(&mut self.fields.day_of_week, at, name)?;
                self.fields.day_of_week += 1;
            }
            "RM" => {
                let mut names = ROMAN_MONTHS;
                // XII before XI, before X.
                names.reverse();
                let at = self.word(name, &names)?;
                set(&mut self.fields.month, 12 - at, name)?;
            }
            "TZ" | "OF" => {
                let message = format!("formatting field \"{name}\" is only supported in to_char");
                return Err(SqlError::new(state::FEATURE_NOT_SUPPORTED, message));
            }
            "TZH" => {
                self.fields.sign = match self.peek() {
                    Some(c @ (b'+' | b'-' | b' ')) => {
                        self.at += 1;
                        if c == b'-' { -1 } else { 1 }
                    }
                    // The sign may have been taken for a separator.
                    _ if extra > 0 && self.text[..self.at].ends_with('-') => -1,
                    _ => 1,
                };
                let (value, _) = self.number(name, width, open)?;
                set(&mut self.fields.zone_hour, value, name)?;
            }
            "TZM" => {
                if self.fields.sign == 0 {
                    self.fields.sign = 1;
                }
                let (value, _) = self.number(name, width, open)?;
                set(&mut self.fields.zone_minute, value, name)?;
            }
            "Y,YYY" => {
                let wrong = || format_error("invalid input string for \"Y,YYY\"".into());
                let (used, millennia) = leading_number(self.rest());
                let after = self.rest()[used..].strip_prefix(',').filter(|_| used > 0).ok_or_else(wrong)?;
                let digits = after.bytes().take(3).take_while(u8::is_ascii_digit).count();
                let years: i64 = after[..digits].parse().map_err(|_| wrong())?;
                let millennia = i32::try_from(millennia).map_err(|_| wrong())?;
                self.at += used + 1 + digits;
                set(&mut self.fields.year, years + i64::from(millennia) * 1000, name)?;
                self.fields.year_digits = 4;
            }
            _ => {
                let (value, length) = self.number(name, width, open)?;
                self.take(key, name, value, length)?;
            }
        }
        Ok(())
    }

    /// A number that was read, of so many characters.
    fn take(&mut self, key: &str, name: &str, value: i64, length: usize) -> SqlResult<()> {
        let fields = &mut self.fields;
        let shift = |digits: usize| 10i64.pow(digits.saturating_sub(length) as u32);
        let field = match key {
            "HH" | "HH12" => {
                fields.twelve = true;
                &mut fields.hour
            }
            "HH24" => &mut fields.hour,
            "MI" => &mut fields.minute,
            "SS" => &mut fields.second,
            "MS" => {
                set(&mut fields.millis, value, name)?;
                // The digits are those behind the point.
                fields.millis *= shift(3);
                return Ok(());
            }
            "US" | "FF1" | "FF2" | "FF3" | "FF4" | "FF5" | "FF6" => {
                if let Some(digits) = key.strip_prefix("FF") {
                    fields.precision = digits.parse().unwrap_or(6);
                }
                set(&mut fields.micros, value, name)?;
                fields.micros *= shift(6);
                return Ok(());
            }
            "SSSS" | "SSSSS" => &mut fields.second_of_day,
            "MM" => &mut fields.month,
            "DD" => &mut fields.day,
            "DDD" | "IDDD" => &mut fields.day_of_year,
            "D" => &mut fields.day_of_week,
            "ID" => {
                set(&mut fields.day_of_week, value, name)?;
                fields.day_of_week = if value + 1 > 7 { 1 } else { value + 1 };
                return Ok(());
            }
            "WW" | "IW" => &mut fields.week,
            "W" => &mut fields.week_of_month,
            "CC" => &mut fields.century,
            "J" => &mut fields.julian,
            // Which day of the quarter it is nobody knows.
            "Q" => return Ok(()),
            "YYYY" | "IYYY" | "YYY" | "IYY" | "YY" | "IY" | "Y" | "I" => {
                set(&mut fields.year, value, name)?;
                fields.year_digits = key.len();
                if length < 4 && key.len() < 4 {
                    fields.year = complete_year(value);
                }
                return Ok(());
            }
            _ => return Err(SqlError::unsupported(format!("the template pattern \"{name}\""))),
        };
        set(field, value, name)
    }
}

fn is_word(key: &str) -> bool {
    matches!(key, "A.D." | "B.C." | "AD" | "BC" | "A.M." | "P.M." | "AM" | "PM" | "MONTH" | "MON" | "DAY" | "DY" | "RM")
}

impl Fields {
    fn moment(&self, text: &str, has: Has) -> SqlResult<Moment> {
        let overflow = || {
            let message = format!("date/time field value out of range: \"{text}\"");
            SqlError::new(state::DATETIME_FIELD_OVERFLOW, message)
        };
        let days = self.days(&overflow)?;
        let micros = self.time(&overflow)?;
        let zone = match self.sign {
            0 => None,
            sign => {
                if !(0..=MAX_ZONE_HOURS).contains(&self.zone_hour) || !(0..60).contains(&self.zone_minute) {
                    let message = format!("time zone displacement out of range: \"{text}\"");
                    return Err(SqlError::new(INVALID_TIME_ZONE_DISPLACEMENT, message));
                }
                Some((sign * (self.zone_hour * 3600 + self.zone_minute * 60)) as i32)
            }
        };
        let precision = if self.precision == 0 { NO_TYPMOD } else { self.precision as i32 };
        Ok(Moment { has, days, micros, zone, precision })
    }

    fn time(&self, overflow: &dyn Fn() -> SqlError) -> SqlResult<i64> {
        let or = |value: i64, other: i64| if value == 0 { other } else { value };
        let total = self.second_of_day;
        let mut hour = or(self.hour, total / 3600);
        let minute = or(self.minute, total / 60 % 60);
        let second = or(self.second, total % 60);
        if self.twelve {
            if !(1..=12).contains(&hour) {
                return Err(format_error(format!("hour \"{hour}\" is invalid for the 12-hour clock"))
                    .hint("Use the 24-hour clock, or give an hour between 1 and 12."));
            }
            match self.pm {
                0 if hour == 12 => hour = 0,
                1 if hour < 12 => hour += 12,
                _ => {}
            }
        }
        let micros = self.millis * 1000 + self.micros;
        let within = (0..24).contains(&hour) && (0..60).contains(&minute) && (0..60).contains(&second);
        match within && (0..USECS_PER_SEC).contains(&micros) {
            true => Ok(hour * USECS_PER_HOUR + minute * USECS_PER_MINUTE + second * USECS_PER_SEC + micros),
            false => Err(overflow()),
        }
    }

    /// Days since 2000.
    fn days(&self, overflow: &dyn Fn() -> SqlError) -> SqlResult<i64> {
        let century = if self.bc != 0 { -self.century } else { self.century };
        let (mut year, mut month, mut day) = (0, 1, 1);
        let (mut has_year, mut has_month, mut has_day) = (false, false, false);
        if self.year != 0 {
            has_year = true;
            year = if century != 0 && self.year_digits <= 2 {
                match (self.year % 100, century >= 0) {
                    (0, true) => century * 100,
                    (0, false) => century * 100 + 1,
                    (n, true) => n + (century - 1) * 100,
                    (n, false) => (century + 1) * 100 - n + 1,
                }
            } else {
                let year = if self.bc != 0 { -self.year } else { self.year };
                year + i64::from(year < 0)
            };
        } else if century != 0 {
            has_year = true;
            year = if century >= 0 { (century - 1) * 100 + 1 } else { century * 100 + 1 };
        }
        let mut whole = |days: i64| {
            (has_year, has_month, has_day) = (true, true, true);
            datetime::civil(days)
        };
        if self.julian != 0 {
            (year, month, day) = whole(self.julian - datetime::JULIAN_EPOCH);
        }
        let iso = self.convention == Some(Convention::IsoWeek);
        let mut day_of_year = self.day_of_year;
        if self.week != 0 {
            if iso {
                let monday = datetime::iso_week_start(year, self.week);
                let later = match self.day_of_week {
                    0 => 0,
                    d if d > 1 => d - 2,
                    _ => 6,
                };
                (year, month, day) = whole(monday + later);
            } else {
                day_of_year = (self.week - 1) * 7 + 1;
            }
        }
        let of_month = if self.week_of_month != 0 { (self.week_of_month - 1) * 7 + 1 } else { self.day };
        if of_month != 0 {
            (day, has_day) = (of_month, true);
        }
        if self.month != 0 {
            (month, has_month) = (self.month, true);
        }
        if day_of_year != 0 && (month <= 1 || day <= 1) {
            if year == 0 && self.bc == 0 {
                return Err(format_error("cannot calculate day of year without year information".into()));
            }
            if iso {
                let first = datetime::iso_week_start(year, 1);
                (year, month, day) = datetime::civil(first - 1 + day_of_year);
                has_year = true;
            } else {
                let (mut at, mut before) = (1, 0);
                while at <= 12 && day_of_year > before + datetime::days_in_month(year, at) {
                    before += datetime::days_in_month(year, at);
                    at += 1;
                }
                if month <= 1 {
                    month = at;
                }
                if day <= 1 {
                    day = day_of_year - before;
                }
            }
            (has_month, has_day) = (true, true);
        }
        let wrong = has_month && !(1..=12).contains(&month)
            || has_day && !(1..=31).contains(&day)
            || has_year && has_month && has_day && day > datetime::days_in_month(year, month);
        match wrong {
            true => Err(overflow()),
            false => Ok(datetime::days_of(year, month, day)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_read_strictly_for_jsonpath() {
        let read = |text, template| parse_datetime(text, template);
        assert_eq!(read("2017-03-10", "yyyy-mm-dd").unwrap(), DateTime::Date(datetime::days_of(2017, 3, 10)));
        let zoned = TimeTz { micros: 12 * USECS_PER_HOUR, offset: -3 * 3600 - 30 * 60 };
        assert_eq!(read("12:00 -03:30", "HH24:MI TZH:TZM").unwrap(), DateTime::TimeTz(zoned));
        for (text, template) in [
            ("2017-03-10t", "yyyy-mm-dd"),
            ("2017/03/10", "yyyy-mm-dd"),
            ("2017-03", "yyyy-mm-dd"),
            ("10", "XX"),
            ("12:34", "HH24:MI TZH"),
            ("2017-02-29", "yyyy-mm-dd"),
        ] {
            assert!(read(text, template).is_err(), "{text} {template}");
        }
    }

    #[test]
    fn odd_texts_are_errors() {
        let texts = ["", "é", "99999999999999999999", "-é", " +", "1,é", "2000-é1-01", "-2147483648", "2147483647"];
        let templates =
            ["YYYYMMDD", "Y,YYY", "CCYY", "J", "IYYY-IW-ID", "IYYYIDDD", "SSSS", "TZH:TZM", "WW", "FXDDéth", "YYYYth"];
        for text in texts {
            for template in templates {
                let _ = parse_timestamp(text, template, &Zone::Utc);
                let _ = parse_date(text, template);
                let _ = parse_datetime(text, template);
            }
        }
    }
}
