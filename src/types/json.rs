//! `json` and `jsonb`.
//!
//! `json` is kept as it came; `jsonb` is kept as PostgreSQL prints it: one blank after `:` and `,`, keys sorted by
//! length, then bytes, the last of equal keys, numbers as numerics (exact, with their scale). A part of a stored value
//! is a part of its text, so reading a field parses nothing but what it skips; changes go through a tree.

use super::deep;
use super::from_char::DateTime;
use super::numeric::{self, Numeric};
use crate::error::{SqlError, SqlResult, SqlState, state};
use crate::meter;
use std::cmp::Ordering;

/// Nesting beyond this is refused (54001), long before the stack ends.
const MAX_DEPTH: usize = 1000;
const UNTRANSLATABLE: SqlState = SqlState::new("22P05");

/// A value as a tree. Numbers are canonical numeric text; objects are sorted without duplicates.
#[derive(Clone, Debug, PartialEq)]
pub enum Json {
    Null,
    Bool(bool),
    Number(String),
    String(String),
    Array(Vec<Json>),
    Object(Vec<(String, Json)>),
    /// What `datetime()` of a jsonpath makes of a string; on its way through a path only.
    Time(DateTime),
}

// ---- parsing ----

struct Parser<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
    /// Do not ask whether escapes stand for characters: `json` keeps them as they are.
    raw: bool,
}

fn key_order(a: &str, b: &str) -> Ordering {
    a.len().cmp(&b.len()).then_with(|| a.cmp(b))
}

impl<'a> Parser<'a> {
    fn new(text: &'a str) -> Parser<'a> {
        Parser { text, at: 0, depth: 0, raw: false }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn skip_blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn fail(&self, detail: String) -> SqlError {
        SqlError::new(state::INVALID_TEXT_REPRESENTATION, "invalid input syntax for type json").detail(detail)
    }

    /// An error at the token that begins here.
    fn unexpected(&self, expected: &str) -> SqlError {
        let rest = &self.text[self.at..];
        let Some(first) = rest.chars().next() else {
            return self.fail("The input string ended unexpectedly.".into());
        };
        let word = |c: char| c.is_alphanumeric() || c == '_' || c == '-' || c == '+' || c == '.' || !c.is_ascii();
        if word(first) {
            let token: &str = rest.split(|c| !word(c)).next().unwrap_or(rest);
            let known = matches!(token, "true" | "false" | "null") || token.parse::<f64>().is_ok();
            return self.fail(match known {
                true => format!("Expected {expected}, but found \"{token}\"."),
                false => format!("Token \"{token}\" is invalid."),
            });
        }
        match first {
            '{' | '}' | '[' | ']' | ',' | ':' => self.fail(format!("Expected {expected}, but found \"{first}\".")),
            '"' => {
                let end = rest[1..].find('"').map_or(rest.len(), |at| at + 2);
                self.fail(format!(
                    "Expected {expected}, but found {}.",
                    quote(rest.get(1..end - 1).unwrap_or(&rest[1..]))
                ))
            }
            _ => self.fail(format!("Token \"{first}\" is invalid.")),
        }
    }

    fn eat(&mut self, byte: u8) -> bool {
        self.skip_blanks();
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn enter(&mut self) -> SqlResult<()> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(SqlError::new(state::STATEMENT_TOO_COMPLEX, "stack depth limit exceeded"));
        }
        Ok(())
    }

    fn document(mut self) -> SqlResult<Json> {
        let json = self.value()?;
        self.skip_blanks();
        if self.at < self.text.len() {
            return Err(self.unexpected("end of input"));
        }
        Ok(json)
    }

    fn value(&mut self) -> SqlResult<Json> {
        meter::work(8)?;
        // What is only looked at is thrown away, but not before the end.
        meter::hold(2 * size_of::<(String, Json)>())?;
        self.skip_blanks();
        match self.peek() {
            Some(b'{') => deep(|| self.object()),
            Some(b'[') => deep(|| self.array()),
            Some(b'"') => self.string().map(Json::String),
            Some(b'-' | b'0'..=b'9') => self.number().map(Json::Number),
            _ => self.word(),
        }
    }

    fn word(&mut self) -> SqlResult<Json> {
        let rest = &self.text[self.at..];
        let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
        let json = match &rest[..end] {
            "true" => Json::Bool(true),
            "false" => Json::Bool(false),
            "null" => Json::Null,
            _ => return Err(self.unexpected("JSON value")),
        };
        self.at += end;
        Ok(json)
    }

    fn number(&mut self) -> SqlResult<String> {
        let start = self.at;
        let digits = |p: &mut Self| {
            let from = p.at;
            while p.peek().is_some_and(|b| b.is_ascii_digit()) {
                p.at += 1;
            }
            p.at > from
        };
        self.at += usize::from(self.peek() == Some(b'-'));
        let leading_zero = self.peek() == Some(b'0');
        let before = self.at;
        let mut valid = digits(self) && !(leading_zero && self.at > before + 1);
        if self.peek() == Some(b'.') {
            self.at += 1;
            valid &= digits(self);
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            self.at += usize::from(matches!(self.peek(), Some(b'+' | b'-')));
            valid &= digits(self);
        }
        // What follows a number directly belongs to the bad token.
        if !valid || self.peek().is_some_and(|b| b.is_ascii_alphanumeric() || b == b'_' || !b.is_ascii()) {
            self.at = start;
            let rest = &self.text[start..];
            let end =
                rest.find(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '-' | '+' | '.'))).unwrap_or(rest.len());
            return Err(self.fail(format!("Token \"{}\" is invalid.", &rest[..end])));
        }
        Ok(self.text[start..self.at].to_owned())
    }

    /// A string's decoded contents.
    fn string(&mut self) -> SqlResult<String> {
        let start = self.at;
        self.at += 1;
        let mut out = String::new();
        loop {
            let rest = &self.text[self.at..];
            let plain = rest.find(|c: char| c == '"' || c == '\\' || c < ' ').unwrap_or(rest.len());
            out.push_str(&rest[..plain]);
            self.at += plain;
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(out);
                }
                Some(b'\\') => out.push(self.escape()?),
                Some(control) => {
                    return Err(self.fail(format!("Character with value 0x{control:02x} must be escaped.")));
                }
                None => return Err(self.fail(format!("Token \"{}\" is invalid.", &self.text[start..]))),
            }
        }
    }

    fn hex4(&mut self) -> SqlResult<u32> {
        let digits = self.text.get(self.at..self.at + 4).filter(|d| d.bytes().all(|b| b.is_ascii_hexdigit()));
        let digits = digits.ok_or_else(|| self.fail("\"\\u\" must be followed by four hexadecimal digits.".into()))?;
        self.at += 4;
        Ok(u32::from_str_radix(digits, 16).unwrap_or(0))
    }

    fn escape(&mut self) -> SqlResult<char> {
        self.at += 1;
        let Some(c) = self.text[self.at..].chars().next() else {
            return Err(self.fail("The input string ended unexpectedly.".into()));
        };
        self.at += c.len_utf8();
        Ok(match c {
            '"' | '\\' | '/' => c,
            'b' => '\x08',
            'f' => '\x0c',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => return self.unicode(),
            _ => return Err(self.fail(format!("Escape sequence \"\\{c}\" is invalid."))),
        })
    }

    fn unicode(&mut self) -> SqlResult<char> {
        let code = self.hex4()?;
        if self.raw {
            return Ok(' ');
        }
        let code = match code {
            0xd800..=0xdbff => {
                let low = if self.text[self.at..].starts_with("\\u") {
                    self.at += 2;
                    self.hex4()?
                } else {
                    0
                };
                if !(0xdc00..=0xdfff).contains(&low) {
                    return Err(self.fail("Unicode low surrogate must follow a high surrogate.".into()));
                }
                0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00)
            }
            0xdc00..=0xdfff => {
                return Err(self.fail("Unicode low surrogate must follow a high surrogate.".into()));
            }
            0 => {
                return Err(SqlError::new(UNTRANSLATABLE, "unsupported Unicode escape sequence")
                    .detail("\\u0000 cannot be converted to text."));
            }
            code => code,
        };
        char::from_u32(code).ok_or_else(|| self.fail("Token is invalid.".into()))
    }

    fn array(&mut self) -> SqlResult<Json> {
        self.enter()?;
        self.at += 1;
        let mut items = Vec::new();
        if !self.eat(b']') {
            loop {
                items.push(self.value()?);
                if self.eat(b',') {
                    self.skip_blanks();
                    if self.peek() == Some(b']') {
                        return Err(self.unexpected("JSON value"));
                    }
                    continue;
                }
                if self.eat(b']') {
                    break;
                }
                return Err(self.unexpected("\",\" or \"]\""));
            }
        }
        self.depth -= 1;
        Ok(Json::Array(items))
    }

    fn object(&mut self) -> SqlResult<Json> {
        self.enter()?;
        self.at += 1;
        let mut members: Vec<(String, Json)> = Vec::new();
        if !self.eat(b'}') {
            loop {
                self.skip_blanks();
                if self.peek() != Some(b'"') {
                    return Err(self.unexpected(if members.is_empty() { "string or \"}\"" } else { "string" }));
                }
                let key = self.string()?;
                if !self.eat(b':') {
                    return Err(self.unexpected("\":\""));
                }
                members.push((key, self.value()?));
                if self.eat(b',') {
                    continue;
                }
                if self.eat(b'}') {
                    break;
                }
                return Err(self.unexpected("\",\" or \"}\""));
            }
        }
        self.depth -= 1;
        Ok(Json::Object(members))
    }
}

/// Sorts members and keeps the last of equal keys.
fn sort_members(members: &mut Vec<(String, Json)>) {
    members.sort_by(|a, b| key_order(&a.0, &b.0));
    // The sort is stable: of equal keys the last one stays.
    members.dedup_by(|later, kept| {
        let same = later.0 == kept.0;
        if same {
            std::mem::swap(&mut later.1, &mut kept.1);
        }
        same
    });
}

fn canonicalize(json: &mut Json) -> SqlResult<()> {
    match json {
        Json::Number(text) => *text = numeric::input(text, super::NO_TYPMOD)?,
        Json::Array(items) => items.iter_mut().try_for_each(canonicalize)?,
        Json::Object(members) => {
            sort_members(members);
            members.iter_mut().try_for_each(|(_, value)| deep(|| canonicalize(value)))?;
        }
        _ => {}
    }
    Ok(())
}

/// Is it JSON? Errors: 22P02 with the place in the detail.
pub fn validate(text: &str) -> SqlResult<()> {
    Parser { raw: true, ..Parser::new(text) }.document().map(drop)
}

/// The canonical (`jsonb`) form. Errors: 22P02, 22P05.
pub fn canonical(text: &str) -> SqlResult<String> {
    Ok(parse(text)?.to_text())
}

/// The tree of a text, canonical. Errors: 22P02, 22P05.
pub fn parse(text: &str) -> SqlResult<Json> {
    let mut json = Parser::new(text).document()?;
    canonicalize(&mut json)?;
    Ok(json)
}

// ---- writing ----

/// Appends a JSON string.
pub fn push_string(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\x08' => out.push_str("\\b"),
            '\x0c' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c < ' ' => out.push_str(&format!("\\u{:04x}", c as u32)),
            c => out.push(c),
        }
    }
    out.push('"');
}

/// A JSON string.
pub fn quote(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    push_string(text, &mut out);
    out
}

impl Json {
    pub fn to_text(&self) -> String {
        let mut out = String::new();
        self.push(&mut out);
        out
    }

    fn push(&self, out: &mut String) {
        match self {
            Json::Null => out.push_str("null"),
            Json::Bool(b) => out.push_str(if *b { "true" } else { "false" }),
            Json::Number(n) => out.push_str(n),
            Json::String(s) => push_string(s, out),
            Json::Time(time) => push_string(&time.to_text(), out),
            Json::Array(items) => {
                out.push('[');
                for (at, item) in items.iter().enumerate() {
                    if at > 0 {
                        out.push_str(", ");
                    }
                    deep(|| item.push(out));
                }
                out.push(']');
            }
            Json::Object(members) => {
                out.push('{');
                for (at, (key, value)) in members.iter().enumerate() {
                    if at > 0 {
                        out.push_str(", ");
                    }
                    push_string(key, out);
                    out.push_str(": ");
                    deep(|| value.push(out));
                }
                out.push('}');
            }
        }
    }

    /// `jsonb_pretty`: four blanks for each level.
    pub fn pretty(&self) -> String {
        let mut out = String::new();
        self.push_pretty(0, &mut out);
        out
    }

    fn push_pretty(&self, level: usize, out: &mut String) {
        let line = |out: &mut String, level: usize| {
            out.push('\n');
            out.extend(std::iter::repeat_n(' ', level * 4));
        };
        let (open, close) = match self {
            Json::Array(_) => ('[', ']'),
            Json::Object(_) => ('{', '}'),
            scalar => return scalar.push(out),
        };
        out.push(open);
        let mut first = true;
        let mut next = |out: &mut String| {
            if !std::mem::take(&mut first) {
                out.push(',');
            }
            line(out, level + 1);
        };
        match self {
            Json::Array(items) => items.iter().for_each(|item| {
                next(out);
                deep(|| item.push_pretty(level + 1, out));
            }),
            Json::Object(members) => members.iter().for_each(|(key, value)| {
                next(out);
                push_string(key, out);
                out.push_str(": ");
                deep(|| value.push_pretty(level + 1, out));
            }),
            _ => {}
        }
        line(out, level);
        out.push(close);
    }

    /// Sorted members without duplicates.
    pub fn object(mut members: Vec<(String, Json)>) -> Json {
        sort_members(&mut members);
        Json::Object(members)
    }
}

// ---- reading parts of valid texts ----

fn skip_blanks(bytes: &[u8], mut at: usize) -> usize {
    while matches!(bytes.get(at), Some(b' ' | b'\t' | b'\n' | b'\r')) {
        at += 1;
    }
    at
}

/// The end of the value that begins at `at`. The text is known to be valid.
fn skip_value(bytes: &[u8], mut at: usize) -> usize {
    let mut depth = 0usize;
    while at < bytes.len() {
        match bytes[at] {
            b'"' => {
                at = skip_string(bytes, at);
                if depth == 0 {
                    return at;
                }
                continue;
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' if depth <= 1 => return if depth == 0 { at } else { at + 1 },
            b'}' | b']' => depth -= 1,
            b',' | b':' | b' ' | b'\t' | b'\n' | b'\r' if depth == 0 => return at,
            _ => {}
        }
        at += 1;
    }
    at
}

fn skip_string(bytes: &[u8], mut at: usize) -> usize {
    at += 1;
    while at < bytes.len() {
        match bytes[at] {
            b'"' => return at + 1,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    at
}

/// What a valid text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Null,
    Boolean,
    Number,
    String,
    Array,
    Object,
}

impl Kind {
    pub fn of(text: &str) -> Kind {
        match text.trim_start().as_bytes().first() {
            Some(b'{') => Kind::Object,
            Some(b'[') => Kind::Array,
            Some(b'"') => Kind::String,
            Some(b't' | b'f') => Kind::Boolean,
            Some(b'n') => Kind::Null,
            _ => Kind::Number,
        }
    }

    /// As `jsonb_typeof` names it.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Null => "null",
            Kind::Boolean => "boolean",
            Kind::Number => "number",
            Kind::String => "string",
            Kind::Array => "array",
            Kind::Object => "object",
        }
    }
}

/// The members of a valid object's text: keys as written (with quotes and escapes), values as written.
pub fn members(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let bytes = text.as_bytes();
    let mut at = skip_blanks(bytes, 0) + 1;
    std::iter::from_fn(move || {
        at = skip_blanks(bytes, at);
        if bytes.get(at) == Some(&b',') {
            at = skip_blanks(bytes, at + 1);
        }
        if bytes.get(at) != Some(&b'"') {
            return None;
        }
        let key_end = skip_string(bytes, at);
        let key = &text[at..key_end];
        let colon = skip_blanks(bytes, key_end);
        let start = skip_blanks(bytes, colon + 1);
        at = skip_value(bytes, start);
        Some((key, &text[start..at]))
    })
}

/// The elements of a valid array's text, as written.
pub fn elements(text: &str) -> impl Iterator<Item = &str> {
    let bytes = text.as_bytes();
    let mut at = skip_blanks(bytes, 0) + 1;
    std::iter::from_fn(move || {
        at = skip_blanks(bytes, at);
        if bytes.get(at) == Some(&b',') {
            at = skip_blanks(bytes, at + 1);
        }
        if at >= bytes.len() || bytes[at] == b']' {
            return None;
        }
        let start = at;
        at = skip_value(bytes, start);
        Some(&text[start..at])
    })
}

/// A string's contents; any other value's text.
pub fn unquote(text: &str) -> SqlResult<String> {
    let text = text.trim_matches([' ', '\t', '\n', '\r']);
    if !text.starts_with('"') {
        return Ok(text.to_owned());
    }
    if !text.contains('\\') {
        return Ok(text[1..text.len() - 1].to_owned());
    }
    Parser::new(text).string()
}

fn key_is(written: &str, key: &str) -> bool {
    let inside = &written[1..written.len() - 1];
    inside == key || (inside.contains('\\') && unquote(written).is_ok_and(|k| k == key))
}

/// `-> 'key'`; of equal keys the last one.
pub fn field<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    if Kind::of(text) != Kind::Object {
        return None;
    }
    members(text).filter(|(written, _)| key_is(written, key)).map(|(_, value)| value).last()
}

/// `-> index`; negative counts from the end.
pub fn element(text: &str, index: i64) -> Option<&str> {
    if Kind::of(text) != Kind::Array {
        return None;
    }
    let index = if index < 0 { index + elements(text).count() as i64 } else { index };
    elements(text).nth(usize::try_from(index).ok()?)
}

/// `-> index` of jsonb, to which a scalar is an array of one.
pub fn element_or_itself(text: &str, index: i64) -> Option<&str> {
    match Kind::of(text) {
        Kind::Array | Kind::Object => element(text, index),
        _ => matches!(index, 0 | -1).then_some(text),
    }
}

/// `#>`: a field or element for each step.
pub fn path<'a>(text: &'a str, steps: &[Option<String>]) -> Option<&'a str> {
    let mut at = text.trim_matches([' ', '\t', '\n', '\r']);
    for step in steps {
        let step = step.as_deref()?;
        at = match Kind::of(at) {
            Kind::Object => field(at, step)?,
            Kind::Array => element(at, array_index(step)?)?,
            _ => return None,
        };
    }
    Some(at)
}

/// Blanks in front and a sign are fine, as for strtol.
fn array_index(step: &str) -> Option<i64> {
    step.trim_start().parse::<i32>().ok().map(i64::from)
}

/// `#>>` and `->>` of a found part: NULL for JSON null.
pub fn as_text(part: &str) -> SqlResult<Option<String>> {
    if Kind::of(part) == Kind::Null { Ok(None) } else { unquote(part).map(Some) }
}

/// `?`: is `key` a key of the object or a string of the array?
pub fn has_key(text: &str, key: &str) -> bool {
    match Kind::of(text) {
        Kind::Object => field(text, key).is_some(),
        Kind::Array => elements(text).any(|e| e.starts_with('"') && key_is(e, key)),
        Kind::String => key_is(text.trim(), key),
        _ => false,
    }
}

// ---- operators on trees ----

fn invalid(message: impl Into<String>) -> SqlError {
    SqlError::new(state::INVALID_PARAMETER_VALUE, message)
}

/// The order of the texts of jsonb values, PostgreSQL's B-tree order: the collation `pg_jsonb`. Total even over texts that are
/// no JSON.
pub fn compare_text(a: &str, b: &str) -> Ordering {
    if a == b {
        return Ordering::Equal;
    }
    match (parse(a), parse(b)) {
        (Ok(x), Ok(y)) => {
            // A scalar is stored as an array of one in PostgreSQL, so an empty array comes before all of them.
            let empty = |json: &Json| matches!(json, Json::Array(items) if items.is_empty());
            let scalar = |json: &Json| !matches!(json, Json::Array(_) | Json::Object(_));
            match () {
                () if empty(&x) && scalar(&y) => Ordering::Less,
                () if scalar(&x) && empty(&y) => Ordering::Greater,
                () => compare(&x, &y),
            }
        }
        (Ok(_), Err(_)) => Ordering::Less,
        (Err(_), Ok(_)) => Ordering::Greater,
        (Err(_), Err(_)) => a.cmp(b),
    }
}

/// Null, strings, numbers, booleans, arrays, objects; containers by their size, then by what is in them.
pub fn compare(a: &Json, b: &Json) -> Ordering {
    let rank = |json: &Json| match json {
        Json::Null => 0,
        Json::String(_) | Json::Time(_) => 1,
        Json::Number(_) => 2,
        Json::Bool(_) => 3,
        Json::Array(_) => 4,
        Json::Object(_) => 5,
    };
    match (a, b) {
        (Json::String(a), Json::String(b)) => a.cmp(b),
        (Json::Number(a), Json::Number(b)) => numeric::compare_text(a, b),
        (Json::Bool(a), Json::Bool(b)) => a.cmp(b),
        (Json::Array(a), Json::Array(b)) => {
            let items = || a.iter().zip(b).map(|(a, b)| deep(|| compare(a, b))).find(|o| o.is_ne());
            a.len().cmp(&b.len()).then_with(|| items().unwrap_or(Ordering::Equal))
        }
        (Json::Object(a), Json::Object(b)) => {
            let member =
                |(a, b): (&(String, Json), &(String, Json))| a.0.cmp(&b.0).then_with(|| deep(|| compare(&a.1, &b.1)));
            let members = || a.iter().zip(b).map(member).find(|o| o.is_ne());
            a.len().cmp(&b.len()).then_with(|| members().unwrap_or(Ordering::Equal))
        }
        (a, b) => rank(a).cmp(&rank(b)),
    }
}

/// Equal as values: 1.0 and 1.00 are.
pub fn equal(a: &Json, b: &Json) -> bool {
    match (a, b) {
        (Json::Number(a), Json::Number(b)) => numeric::compare_text(a, b) == Ordering::Equal,
        (Json::Array(a), Json::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| deep(|| equal(a, b))),
        (Json::Object(a), Json::Object(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.0 == b.0 && deep(|| equal(&a.1, &b.1)))
        }
        _ => a == b,
    }
}

fn find<'a>(members: &'a [(String, Json)], key: &str) -> Option<&'a Json> {
    members.binary_search_by(|(k, _)| key_order(k, key)).ok().map(|at| &members[at].1)
}

/// `@>`.
pub fn contains(a: &Json, b: &Json) -> bool {
    match (a, b) {
        // An array contains a scalar, but only at the top.
        (Json::Array(items), scalar) if !matches!(scalar, Json::Array(_) | Json::Object(_)) => {
            items.iter().any(|item| equal(item, scalar))
        }
        _ => contains_below(a, b),
    }
}

fn contains_below(a: &Json, b: &Json) -> bool {
    match (a, b) {
        (Json::Object(a), Json::Object(b)) => {
            b.iter().all(|(key, wanted)| find(a, key).is_some_and(|found| deep(|| contains_below(found, wanted))))
        }
        (Json::Array(a), Json::Array(b)) => {
            b.iter().all(|wanted| a.iter().any(|item| deep(|| contains_below(item, wanted))))
        }
        _ => equal(a, b),
    }
}

/// `||`.
pub fn concat(a: Json, b: Json) -> Json {
    match (a, b) {
        (Json::Object(mut a), Json::Object(b)) => {
            a.extend(b);
            Json::object(a)
        }
        (Json::Array(mut a), Json::Array(b)) => {
            a.extend(b);
            Json::Array(a)
        }
        (Json::Array(mut a), b) => {
            a.push(b);
            Json::Array(a)
        }
        (a, Json::Array(mut b)) => {
            b.insert(0, a);
            Json::Array(b)
        }
        (a, b) => Json::Array(vec![a, b]),
    }
}

/// `- 'key'`, `- array of keys`: keys of the object, strings of the array. Errors: 22023 for a scalar.
pub fn delete_keys(json: Json, keys: &[Option<String>]) -> SqlResult<Json> {
    let named = |key: &str| keys.iter().any(|k| k.as_deref() == Some(key));
    match json {
        Json::Object(mut members) => {
            members.retain(|(key, _)| !named(key));
            Ok(Json::Object(members))
        }
        Json::Array(mut items) => {
            items.retain(|item| !matches!(item, Json::String(s) if named(s)));
            Ok(Json::Array(items))
        }
        _ => Err(invalid("cannot delete from scalar")),
    }
}

/// `- index`. Errors: 22023 for what is no array.
pub fn delete_index(json: Json, index: i64) -> SqlResult<Json> {
    match json {
        Json::Array(mut items) => {
            let at = if index < 0 { index + items.len() as i64 } else { index };
            if (0..items.len() as i64).contains(&at) {
                items.remove(at as usize);
            }
            Ok(Json::Array(items))
        }
        Json::Object(_) => Err(invalid("cannot delete from object using integer index")),
        _ => Err(invalid("cannot delete from scalar")),
    }
}

/// What to do at the end of a path.
#[derive(Clone, Copy, PartialEq)]
pub enum Change {
    Delete,
    /// Replace, and with `create` also add.
    Set {
        create: bool,
    },
    /// Only where nothing is (objects) or before or after an element (arrays).
    Insert {
        after: bool,
    },
}

/// `#-`, `jsonb_set`, `jsonb_insert`. Errors: 22023 for scalars, 22004 for NULL steps, 22P02 for steps in arrays that
/// are no integers.
pub fn change(mut json: Json, path: &[Option<String>], value: &Json, change: Change) -> SqlResult<Json> {
    if !matches!(json, Json::Array(_) | Json::Object(_)) {
        return Err(invalid(match change {
            Change::Delete => "cannot delete path in scalar",
            _ => "cannot set path in scalar",
        }));
    }
    if path.is_empty() {
        return Ok(json);
    }
    change_at(&mut json, path, 0, value, change)?;
    Ok(json)
}

fn change_at(json: &mut Json, path: &[Option<String>], depth: usize, value: &Json, change: Change) -> SqlResult<()> {
    let Some(step) = path[depth].as_deref() else {
        return Err(SqlError::new(
            state::NULL_VALUE_NOT_ALLOWED,
            format!("path element at position {} is null", depth + 1),
        ));
    };
    let last = depth + 1 == path.len();
    match json {
        Json::Object(members) => {
            let found = members.binary_search_by(|(key, _)| key_order(key, step));
            match (found, last) {
                (Ok(at), false) => return deep(|| change_at(&mut members[at].1, path, depth + 1, value, change)),
                (Err(_), false) => {}
                (Ok(at), true) => match change {
                    Change::Delete => drop(members.remove(at)),
                    Change::Set { .. } => members[at].1 = value.clone(),
                    Change::Insert { .. } => {
                        return Err(invalid("cannot replace existing key")
                            .hint("Try using the function jsonb_set to replace key value."));
                    }
                },
                (Err(at), true) => match change {
                    Change::Set { create: true } | Change::Insert { .. } => {
                        members.insert(at, (step.to_owned(), value.clone()));
                    }
                    _ => {}
                },
            }
        }
        // Nothing is in there to be deleted, whatever the path says.
        Json::Array(items) if depth == 0 && items.is_empty() && matches!(change, Change::Delete) => {}
        Json::Array(items) => {
            let index = array_index(step).ok_or_else(|| {
                SqlError::new(
                    state::INVALID_TEXT_REPRESENTATION,
                    format!("path element at position {} is not an integer: \"{step}\"", depth + 1),
                )
            })?;
            let length = items.len() as i64;
            // Before the first, −1 stands for "not there" in front, length for behind.
            let at = if index < 0 { (index + length).max(-1) } else { index.min(length) };
            let inside = (0..length).contains(&at);
            match (inside, last) {
                (true, false) => return deep(|| change_at(&mut items[at as usize], path, depth + 1, value, change)),
                (false, false) => {}
                (true, true) => match change {
                    Change::Delete => drop(items.remove(at as usize)),
                    Change::Set { .. } => items[at as usize] = value.clone(),
                    Change::Insert { after } => items.insert(at as usize + usize::from(after), value.clone()),
                },
                (false, true) => match change {
                    Change::Set { create: true } | Change::Insert { .. } => {
                        items.insert(at.max(0) as usize, value.clone());
                    }
                    _ => {}
                },
            }
        }
        _ => {}
    }
    Ok(())
}

/// Sets what stands at the end of a path, and makes what the path leads through. Errors: 22023.
pub fn assign(mut json: Json, path: &[&str], value: Json) -> SqlResult<Json> {
    let mut here = &mut json;
    for (depth, step) in path.iter().enumerate() {
        here = match here {
            Json::Object(members) => {
                let at = match members.binary_search_by(|(key, _)| key_order(key, step)) {
                    Ok(at) => at,
                    Err(at) => {
                        members.insert(at, ((*step).to_owned(), room_for(path.get(depth + 1))));
                        at
                    }
                };
                &mut members[at].1
            }
            Json::Array(items) => {
                let index = array_index(step).ok_or_else(|| {
                    let text = format!("path element at position {} is not an integer: \"{step}\"", depth + 1);
                    SqlError::new(state::INVALID_TEXT_REPRESENTATION, text)
                })?;
                let at = if index < 0 { index + items.len() as i64 } else { index };
                let Ok(at) = usize::try_from(at) else {
                    return Err(invalid(format!("path element at position {} is out of range: {step}", depth + 1)));
                };
                if at >= items.len() {
                    let more = at - items.len() + 1;
                    meter::hold(more * size_of::<Json>())?;
                    meter::work(more)?;
                    items.extend(std::iter::repeat_n(Json::Null, more));
                    items[at] = room_for(path.get(depth + 1));
                }
                &mut items[at]
            }
            _ => {
                return Err(invalid("cannot replace existing key")
                    .detail("The path assumes key is a composite object, but it is a scalar value."));
            }
        };
    }
    *here = value;
    Ok(json)
}

/// What the next step of a path is taken in.
fn room_for(step: Option<&&str>) -> Json {
    match step {
        None => Json::Null,
        Some(step) if array_index(step).is_some() => Json::Array(vec![]),
        Some(_) => Json::Object(vec![]),
    }
}

/// `jsonb_strip_nulls`: without null members, at all depths.
pub fn strip_nulls(json: Json) -> Json {
    match json {
        Json::Array(items) => Json::Array(items.into_iter().map(|value| deep(|| strip_nulls(value))).collect()),
        Json::Object(members) => Json::Object(
            members.into_iter().filter(|(_, v)| *v != Json::Null).map(|(k, v)| (k, deep(|| strip_nulls(v)))).collect(),
        ),
        scalar => scalar,
    }
}

/// `json_strip_nulls`: keeps order and duplicates, drops blanks.
pub fn strip_nulls_json(text: &str) -> SqlResult<String> {
    fn push(text: &str, out: &mut String) -> SqlResult<()> {
        let mut first = true;
        let mut comma = |out: &mut String| {
            if !std::mem::take(&mut first) {
                out.push(',');
            }
        };
        match Kind::of(text) {
            Kind::Object => {
                out.push('{');
                for (key, value) in members(text).filter(|(_, v)| Kind::of(v) != Kind::Null) {
                    comma(out);
                    push_string(&unquote(key)?, out);
                    out.push(':');
                    deep(|| push(value, out))?;
                }
                out.push('}');
            }
            Kind::Array => {
                out.push('[');
                for item in elements(text) {
                    comma(out);
                    deep(|| push(item, out))?;
                }
                out.push(']');
            }
            Kind::String => push_string(&unquote(text)?, out),
            _ => out.push_str(text.trim()),
        }
        Ok(())
    }
    let mut out = String::new();
    push(text, &mut out)?;
    Ok(out)
}

/// A number's numeric, a boolean, or an error that names both types (casts from jsonb). 22023.
pub fn scalar_number(text: &str, target: &str) -> SqlResult<Numeric> {
    match Kind::of(text) {
        Kind::Number => Numeric::parse(text),
        kind => Err(cannot_cast(kind, target)),
    }
}

pub fn cannot_cast(kind: Kind, target: &str) -> SqlError {
    let what = match kind {
        Kind::Null => "null",
        Kind::Boolean => "boolean",
        Kind::Number => "numeric",
        Kind::String => "string",
        Kind::Array => "array",
        Kind::Object => "object",
    };
    invalid(format!("cannot cast jsonb {what} to type {target}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn canonical_form() {
        for (input, output) in [
            ("  [1,2 , 3.50]", "[1, 2, 3.50]"),
            ("{\"bb\":1,\"a\":{\"z\":null},\"a\":2}", "{\"a\": 2, \"bb\": 1}"),
            ("\"\\u00e9\\n\\/\"", "\"é\\n/\""),
            ("1e3", "1000"),
            ("-0", "0"),
            ("\"\\ud83d\\ude00\"", "\"😀\""),
            ("[]", "[]"),
            ("{}", "{}"),
        ] {
            assert_eq!(canonical(input).unwrap(), output);
        }
        for bad in ["", "{", "[1,]", "{\"a\"}", "01", "1.", "tru", "\"a", "[1 2]", "{a:1}", "'a'", "1 2", "\"\\x\""] {
            assert_eq!(canonical(bad).unwrap_err().code, state::INVALID_TEXT_REPRESENTATION, "{bad}");
        }
        assert_eq!(canonical("\"\\u0000\"").unwrap_err().code, UNTRANSLATABLE);
        assert!(validate("\"\\u0000\"").is_ok());
        assert_eq!(validate("abc").unwrap_err().fields.detail.as_deref(), Some("Token \"abc\" is invalid."));
        let deep = "[".repeat(5000);
        assert_eq!(validate(&deep).unwrap_err().code, state::STATEMENT_TOO_COMPLEX);
    }

    #[test]
    fn parts() {
        let text = "{ \"a\" : [1, {\"b\\n\": \"x,}\"}, null] , \"k\":\"v\" }";
        assert_eq!(field(text, "k"), Some("\"v\""));
        assert_eq!(field(text, "a").and_then(|a| element(a, -1)), Some("null"));
        assert_eq!(field(text, "a").and_then(|a| element(a, 1)).and_then(|o| field(o, "b\n")), Some("\"x,}\""));
        let steps = ["a", "1", "b\n"].map(|s| Some(s.to_owned()));
        assert_eq!(path(text, &steps).map(|p| as_text(p).unwrap()), Some(Some("x,}".to_owned())));
        assert_eq!(elements("[]").count(), 0);
        assert_eq!(members("{}").count(), 0);
        assert!(has_key("[\"a\", 1]", "a") && !has_key("[\"a\", 1]", "1"));
    }

    #[test]
    fn containment() {
        let yes = |a: &str, b: &str| contains(&parse(a).unwrap(), &parse(b).unwrap());
        assert!(yes("{\"a\":1,\"b\":[1,2,{\"c\":3}]}", "{\"b\":[{\"c\":3}]}"));
        assert!(yes("[1,2,2.0]", "[2.00]"));
        assert!(yes("[\"foo\",\"bar\"]", "\"bar\""));
        assert!(!yes("\"bar\"", "[\"bar\"]"));
        assert!(!yes("{\"a\":{\"b\":1}}", "{\"b\":1}"));
        assert!(!yes("[[1]]", "[1]"));
    }

    /// As deep as a document may be, on half the stack of a thread that serves.
    #[test]
    fn depth_needs_no_stack() {
        let within = || {
            for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
                let text = format!("{}1{}", open.repeat(999), close.repeat(999));
                let json = parse(&text).unwrap();
                assert_eq!(json.to_text(), canonical(&text).unwrap());
                assert!(equal(&json, &json) && compare(&json, &json).is_eq() && contains(&json, &json));
                assert!(json.pretty().len() > text.len());
                assert!(equal(&strip_nulls(parse(&text).unwrap()), &json));
                assert!(strip_nulls_json(&text).is_ok());
            }
        };
        std::thread::Builder::new().stack_size(1 << 20).spawn(within).unwrap().join().unwrap();
    }
}
