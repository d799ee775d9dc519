//! Names of objects as texts, taken apart while a statement runs: `parse_ident`, and parts of our own queries for casts to
//! `regclass` and its kin.

use super::arg::{from_text, int, invalid, text};
use super::table::*;
use super::{Aggregate, Cast, Function, Operator, Scalar};
use crate::error::{SqlError, SqlResult, SqlState, state};
use crate::types::{Type, array};
use crate::value::Value;

pub const OPERATORS: &[Operator] = &[];
pub const CASTS: &[Cast] = &[];
pub const AGGREGATES: &[Aggregate] = &[];

pub const FUNCTIONS: &[Function] = &[
    func("q_name_part", &[TEXT, INT4], TEXT, "q_name_part({0}, {1})"),
    func("q_call_part", &[TEXT, INT4], TEXT, "q_call_part({0}, {1})"),
    func("q_type_named", &[TEXT], OID, "q_type_named({0})"),
    func("parse_ident", &[TEXT, BOOL], Type::TEXT_ARRAY, "q_parse_ident({*})").optional(1),
    func("q_raise", &[TEXT, TEXT], OID, "q_raise({0}, {1})").volatile(),
];

pub const SCALARS: &[Scalar] = &[
    // A part of a name, counted from its end.
    scalar("q_name_part", 2, |_, a| {
        let parts = name_parts(text(a, 0)?)?;
        let part = usize::try_from(int(a, 1)?).ok().and_then(|n| parts.len().checked_sub(n));
        Ok(part.and_then(|at| parts.get(at)).map_or(Value::Null, |part| Value::Text(part.clone())))
    }),
    // The name in a text that says more of its object from a character on: a function's arguments, an array's brackets.
    scalar("q_plain_name", 2, |_, a| Ok(from_text(plain_name(text(a, 0)?, text(a, 1)?)))),
    scalar("q_no_object", 4, |ctx, a| no_object(&ctx.database, text(a, 0)?, text(a, 1)?, text(a, 2)?, int(a, 3)? != 0))
        .contextual(),
    scalar("q_call_part", 2, |_, a| call_part(text(a, 0)?, int(a, 1)?).map(Value::Text)),
    scalar("q_type_named", 1, |_, a| Ok(type_named(text(a, 0)?).map_or(Value::Null, |ty| Value::Int(ty.0.into())))),
    scalar("q_parse_ident", -1, |_, a| {
        let strict = a.len() < 2 || int(a, 1)? != 0;
        let parts = identifiers(text(a, 0)?, strict)?;
        let parts: Vec<Value> = parts.into_iter().map(Value::Text).collect();
        array::build(Type::TEXT, &parts).map(Value::Blob)
    }),
    // An error with this SQLSTATE and message. SQLite must not call it ahead of time.
    scalar("q_raise", 2, |_, a| match text(a, 0)? {
        code if code.len() == 5 && code.is_ascii() => Err(SqlError::new(SqlState::new(code), text(a, 1)?)),
        _ => Err(SqlError::new(state::INVALID_PARAMETER_VALUE, "not an SQLSTATE")),
    })
    .contextual(),
];

/// The parts of a name as it is written: folded, or without its quotes. Errors: 42602.
pub fn name_parts(text: &str) -> SqlResult<Vec<String>> {
    let invalid = || SqlError::new(state::INVALID_NAME, "invalid name syntax");
    let (mut parts, mut chars) = (Vec::new(), text.trim().chars().peekable());
    loop {
        let mut part = String::new();
        if chars.next_if_eq(&'"').is_some() {
            loop {
                match chars.next().ok_or_else(invalid)? {
                    '"' if chars.next_if_eq(&'"').is_some() => part.push('"'),
                    '"' => break,
                    c => part.push(c),
                }
            }
        } else {
            while let Some(c) = chars.next_if(|c| *c != '.') {
                if c.is_whitespace() || c == '"' {
                    return Err(invalid());
                }
                part.extend(c.to_lowercase());
            }
        }
        if part.is_empty() {
            return Err(invalid());
        }
        parts.push(part);
        match chars.next() {
            None => return Ok(parts),
            Some('.') => {}
            Some(_) => return Err(invalid()),
        }
    }
}

/// What stands before `after`, or all of it if that is nothing.
fn plain_name<'t>(text: &'t str, after: &str) -> &'t str {
    let end = text.find(after).filter(|_| !after.is_empty());
    text[..end.unwrap_or(text.len())].trim_end()
}

/// The error of a text that names no object of its kind. `schema_known`: there is a schema of the name that it says.
fn no_object(database: &str, code: &str, noun: &str, name: &str, schema_known: bool) -> SqlResult<Value> {
    let after = match noun {
        "function" => "(",
        "type" => "[",
        _ => "",
    };
    let parts = name_parts(plain_name(name, after))?;
    let (whole, relation) = (parts.join("."), noun == "relation");
    Err(match &parts[..] {
        [_, _, _, _, ..] => {
            let what = if relation { "relation" } else { "qualified" };
            SqlError::syntax(format!("improper {what} name (too many dotted names): {whole}"))
        }
        [other, _, _] if other != database => {
            let shown = if relation { format!("\"{whole}\"") } else { whole };
            let text = format!("cross-database references are not implemented: {shown}");
            SqlError::new(state::FEATURE_NOT_SUPPORTED, text)
        }
        [.., schema, _] if !schema_known => {
            SqlError::new(state::INVALID_SCHEMA_NAME, format!("schema \"{schema}\" does not exist"))
        }
        _ => {
            let shown = if noun == "function" { name } else { &whole };
            SqlError::new(SqlState::new(code), format!("{noun} \"{shown}\" does not exist"))
        }
    })
}

/// The parts of a qualified identifier; what follows them is refused if `strict` says so. Errors: 22023.
fn identifiers(text: &str, strict: bool) -> SqlResult<Vec<String>> {
    let wrong = |detail: &str| {
        let error = invalid(format!("string is not a valid identifier: \"{text}\""));
        Err(if detail.is_empty() { error } else { error.detail(detail) })
    };
    let blank = |c: char| matches!(c, ' ' | '\t' | '\n' | '\r' | '\u{c}');
    let starts = |c: char| c == '_' || c.is_ascii_alphabetic() || !c.is_ascii();
    let goes_on = |c: char| starts(c) || c == '$' || c.is_ascii_digit();
    let (mut parts, mut rest) = (Vec::new(), text.trim_start_matches(blank));
    loop {
        if let Some(mut quoted) = rest.strip_prefix('"') {
            let mut part = String::new();
            loop {
                let Some((piece, more)) = quoted.split_once('"') else {
                    return wrong("String has unclosed double quotes.");
                };
                part.push_str(piece);
                match more.strip_prefix('"') {
                    Some(more) => {
                        part.push('"');
                        quoted = more;
                    }
                    None => {
                        rest = more;
                        break;
                    }
                }
            }
            if part.is_empty() {
                return wrong("Quoted identifier must not be empty.");
            }
            parts.push(part);
        } else if rest.starts_with(starts) {
            let (part, more) = rest.split_at(rest.find(|c| !goes_on(c)).unwrap_or(rest.len()));
            parts.push(part.to_ascii_lowercase());
            rest = more;
        } else if rest.starts_with('.') {
            return wrong("No valid identifier before \".\".");
        } else {
            return wrong(if parts.is_empty() { "" } else { "No valid identifier after \".\"." });
        }
        rest = rest.trim_start_matches(blank);
        match rest.strip_prefix('.') {
            Some(more) => rest = more.trim_start_matches(blank),
            None if rest.is_empty() || !strict => return Ok(parts),
            None => return wrong(""),
        }
    }
}

/// A built-in type as it is written: by any of its names, with a modifier, as an array.
fn type_named(text: &str) -> Option<Type> {
    let text = text.trim();
    if let Some(element) = text.strip_suffix("[]") {
        let element = type_named(element)?;
        return if element.is_array() { Some(element) } else { element.array() };
    }
    if text.contains('"') {
        let parts = name_parts(text).ok()?;
        let (name, schema) = parts.split_last()?;
        return Type::by_typname(name).filter(|_| schema.is_empty() || schema == ["pg_catalog"]);
    }
    let lower = text.to_lowercase();
    let plain = match (lower.find('('), lower.find(')')) {
        (Some(open), Some(close)) if open < close => format!("{}{}", lower[..open].trim_end(), &lower[close + 1..]),
        _ => lower,
    };
    let words: Vec<&str> = plain.split_whitespace().collect();
    match plain.strip_prefix("pg_catalog.") {
        Some(name) => Type::by_typname(name.trim()),
        None => Type::by_name(&words.join(" ")),
    }
}

/// Of `name(type, type)`: the name (1), or the OIDs of the types between blanks (2). Errors: 22P02, 42704.
fn call_part(text: &str, part: i64) -> SqlResult<String> {
    let expected =
        |what: &str| SqlError::new(state::INVALID_TEXT_REPRESENTATION, format!("expected a {what} parenthesis"));
    let (name, rest) = text.split_once('(').ok_or_else(|| expected("left"))?;
    let list = rest.trim_end().strip_suffix(')').ok_or_else(|| expected("right"))?;
    if part == 1 {
        return Ok(name.trim().to_owned());
    }
    let mut oids = Vec::new();
    // A modifier's comma is between parentheses of its own.
    let (mut depth, mut start) = (0i32, 0);
    let ends = list.char_indices().chain([(list.len(), ',')]);
    for (at, c) in ends {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            ',' if depth == 0 => {
                let name = list[start..at].trim();
                start = at + 1;
                if name.is_empty() && oids.is_empty() && start > list.len() {
                    break;
                }
                if name.is_empty() {
                    let text = "expected a type name";
                    return Err(SqlError::new(state::INVALID_TEXT_REPRESENTATION, text));
                }
                if name.eq_ignore_ascii_case("none") {
                    oids.push("0".to_owned());
                    continue;
                }
                let missing = || SqlError::new(state::UNDEFINED_OBJECT, format!("type \"{name}\" does not exist"));
                oids.push(type_named(name).ok_or_else(missing)?.0.to_string());
            }
            _ => {}
        }
    }
    Ok(oids.join(" "))
}
