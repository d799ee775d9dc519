//! Template formatting: `to_char` of times, intervals and numbers, and `to_number`.
//!
//! Names are English and numbers are written as in the C locale.

use super::datetime::{self, Clock, DAYS, MONTHS, USECS_PER_SEC};
use super::interval::Interval;
use super::numeric::Numeric;
use super::zone::{self, Zone};
use crate::error::{SqlError, SqlResult, state};
use crate::meter;
use std::fmt::Write as _;

/// A piece of a template for dates and times.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Node {
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
    "DY", "FX", "HH", "ID", "IW", "IY", "MI", "MM", "MS", "OF", "PM", "RM", "SS", "TZ", "US", "WW", "YY", "D", "I",
    "J", "Q", "W", "Y",
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

/// The pieces of a template. `strict`: as jsonpath wants it, with separators of standard SQL only.
pub(super) fn parse_template(template: &str, strict: bool) -> SqlResult<Vec<Node>> {
    let (mut nodes, mut rest) = (Vec::new(), template);
    while !rest.is_empty() {
        meter::work(PIECE)?;
        // What it is, as it is written, and what it shows; a vector that grows has its contents twice.
        meter::hold(3 * size_of::<Node>())?;
        let mut fill = true;
        // Translated names are not padded either.
        while rest.get(..2).is_some_and(|prefix| matches!(prefix, "FM" | "fm" | "TM" | "tm")) {
            fill = false;
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
        if strict && !"-./,':; ".contains(c) {
            let message = format!("invalid datetime format separator: \"{c}\"");
            return Err(SqlError::new(state::INVALID_DATETIME_FORMAT, message));
        }
        if c == '\\' && rest[1..].starts_with('"') {
            nodes.push(Node::Literal('"'));
            rest = &rest[2..];
            continue;
        }
        let separator = c.is_ascii_whitespace() || c.is_ascii_punctuation();
        nodes.push(if separator { Node::Separator(c) } else { Node::Literal(c) });
        rest = &rest[c.len_utf8()..];
    }
    Ok(nodes)
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
    for node in parse_template(template, false)? {
        match node {
            Node::Separator(c) | Node::Literal(c) => out.push(c),
            Node::Field { key: "FX", .. } => {}
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

pub(super) const ROMAN_MONTHS: [&str; 12] = ["I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII"];

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
        "MONTH" | "MON" if m.month == 0 => {
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
        // Of an interval: years alone have the last month, or the first if they are negative.
        "RM" => match (m.month, m.year) {
            (0, 0) => String::new(),
            (0, year) => name(ROMAN_MONTHS[if year > 0 { 11 } else { 0 }], 4),
            (month, _) => name(ROMAN_MONTHS[(if month < 0 { month + 12 } else { month - 1 }) as usize], 4),
        },
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
    Ok(lay_out(&t, &digits, negative, t.after))
}

/// `to_char` of a float, whose first `significant` digits mean something.
pub fn float(x: f64, significant: usize, template: &str) -> SqlResult<String> {
    let t = number_template(template)?;
    if t.roman.is_some() || t.exponent || t.shift.is_some() {
        return number(&Numeric::from_f64(x, significant), template);
    }
    let (digits, decimals) = match x.is_finite() {
        true => {
            let whole = format!("{:.0}", x.abs()).len();
            let decimals = t.after.min(significant.saturating_sub(whole));
            (format!("{:.decimals$}", x.abs()), decimals)
        }
        false => {
            let word = if x.is_nan() { "NaN" } else { "Infinity" };
            (word.to_owned(), t.after.min(significant.saturating_sub(word.len())))
        }
    };
    let zero = x.is_finite() && !digits.contains(|c: char| c.is_ascii_digit() && c != '0');
    Ok(lay_out(&t, &digits, x < 0.0 && !zero, decimals))
}

/// `decimals`: how many of those that the template asks for there are.
fn lay_out(t: &NumberTemplate, digits: &str, negative: bool, decimals: usize) -> String {
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let before = t.before + t.shift.unwrap_or(0) as usize;
    // As in PostgreSQL, everything ends where the digits do.
    let has_point = t.after == 0 || whole.len() > before || digits.contains('.');
    let (whole, fraction) = if whole.len() > before {
        ("#".repeat(before), "#".repeat(decimals))
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
            Piece::Digit { .. } if place - before >= fraction.len() => return out,
            Piece::Digit { .. } => {
                let at = place - before;
                if let Some(digit) = fraction.as_bytes().get(at).filter(|_| at < last_kept) {
                    out.push(*digit as char);
                }
                place += 1;
            }
            Piece::Point if !has_point => return out,
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
