//! The words of a jsonpath.
//!
//! Each is kept with the text that an error at it tells: what was looked at last when it was found, as in PostgreSQL.

use crate::error::{SqlError, SqlResult, SqlState, state};
use crate::meter;
use crate::types::numeric::Numeric;

const UNTRANSLATABLE: SqlState = SqlState::new("22P05");

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    Word(String),
    Text(String),
    Number(String),
    Variable(String),
    Sign(&'static str),
}

/// A word, and what an error at it tells.
pub(super) type Found = (Token, String);

const SIGNS: [&str; 29] = [
    "**", "&&", "||", "==", "!=", "<>", "<=", ">=", "<", ">", "=", "!", "$", "@", ".", "*", "[", "]", "(", ")", "{",
    "}", ",", "?", "+", "-", "/", "%", ":",
];

pub(super) fn error_at(what: &str, text: &str) -> SqlError {
    let place = if text.is_empty() {
        "at end of jsonpath input".to_owned()
    } else {
        format!("at or near \"{text}\" of jsonpath input")
    };
    SqlError::syntax(format!("{what} {place}"))
}

pub(super) fn syntax(text: &str) -> SqlError {
    error_at("syntax error", text)
}

fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r' | '\x0c')
}

/// What may stand in a word without a backslash.
fn is_plain(c: char) -> bool {
    !is_blank(c) && !r#"?%$.[]{}()|&!=<>@#,*:-+/\""#.contains(c)
}

fn digits(text: &str) -> usize {
    text.bytes().take_while(u8::is_ascii_digit).count()
}

/// How long the number is that a text begins with.
fn number(text: &str) -> SqlResult<usize> {
    // Zeros in front are numbers of their own.
    let mut end = if text.starts_with('0') { 1 } else { digits(text) };
    if text[end..].starts_with('.') {
        end += 1 + digits(&text[end + 1..]);
    }
    let mut after = end;
    if text[end..].starts_with(['e', 'E']) {
        let sign = usize::from(text[end + 1..].starts_with(['+', '-']));
        match digits(&text[end + 1 + sign..]) {
            0 if sign > 0 => return Err(error_at("invalid numeric literal", &text[..end + 2])),
            0 => {}
            n => {
                end += 1 + sign + n;
                after = end;
            }
        }
    }
    match text[after..].chars().next().filter(|c| is_plain(*c)) {
        Some(c) => Err(error_at("trailing junk after numeric literal", &text[..after + c.len_utf8()])),
        None => Ok(end),
    }
}

pub(super) fn tokens(text: &str) -> SqlResult<Vec<Found>> {
    let mut out = Vec::new();
    let mut rest = text.trim_start_matches(is_blank);
    while let Some(first) = rest.chars().next() {
        meter::work(1)?;
        if let Some(comment) = rest.strip_prefix("/*") {
            let end = comment.find("*/").ok_or_else(|| error_at("unexpected end of comment", ""))?;
            rest = comment[end + 2..].trim_start_matches(is_blank);
            continue;
        }
        let used = if first == '"' {
            let (value, end) = quoted(&rest[1..])?;
            out.push((Token::Text(value), "\"".to_owned()));
            1 + end
        } else if first.is_ascii_digit() || first == '.' && rest[1..].starts_with(|c: char| c.is_ascii_digit()) {
            let end = number(rest)?;
            out.push((Token::Number(Numeric::parse(&rest[..end])?.to_string()), rest[..end].to_owned()));
            end
        } else if first == '$' && rest[1..].starts_with('"') {
            let (value, end) = quoted(&rest[2..])?;
            out.push((Token::Variable(value), "\"".to_owned()));
            2 + end
        } else if first == '$' && rest[1..].starts_with(is_plain) {
            let end = 1 + rest[1..].find(|c| !is_plain(c)).unwrap_or(rest.len() - 1);
            out.push((Token::Variable(rest[1..end].to_owned()), rest[..end].to_owned()));
            end
        } else if is_plain(first) || first == '\\' {
            let (value, end) = unescaped(rest, |c| !is_plain(c))?;
            let blanks = rest[end..].find(|c| !is_blank(c)).unwrap_or(rest.len() - end);
            out.push((Token::Word(value), rest[end..end + blanks].to_owned()));
            end
        } else {
            let sign = SIGNS.into_iter().find(|sign| rest.starts_with(sign));
            let sign = sign.ok_or_else(|| syntax(&first.to_string()))?;
            out.push((Token::Sign(sign), sign.to_owned()));
            sign.len()
        };
        rest = rest[used..].trim_start_matches(is_blank);
    }
    Ok(out)
}

/// A string behind its first quote, and where its last one ends.
fn quoted(text: &str) -> SqlResult<(String, usize)> {
    let (value, end) = unescaped(text, |c| c == '"')?;
    match text[end..].starts_with('"') {
        true => Ok((value, end + 1)),
        false => Err(error_at("unexpected end of quoted string", "")),
    }
}

/// What a text means up to where it ends, and where that is.
fn unescaped(text: &str, ends: impl Fn(char) -> bool) -> SqlResult<(String, usize)> {
    let (mut out, mut at) = (String::new(), 0);
    while let Some(c) = text[at..].chars().next() {
        meter::work(1)?;
        if c != '\\' {
            if ends(c) {
                break;
            }
            out.push(c);
            at += c.len_utf8();
            continue;
        }
        let rest = &text[at..];
        let Some(escaped) = rest[1..].chars().next() else {
            return Err(error_at("unexpected end after backslash", "\\"));
        };
        at += 1 + escaped.len_utf8();
        match escaped {
            'b' => out.push('\u{8}'),
            'f' => out.push('\u{c}'),
            'n' => out.push('\n'),
            'r' => out.push('\r'),
            't' => out.push('\t'),
            'v' => out.push('\u{b}'),
            'x' => {
                let hex = rest[2..].bytes().take(2).take_while(u8::is_ascii_hexdigit).count();
                if hex < 2 {
                    return Err(error_at("invalid hex character sequence", &rest[..2 + hex]));
                }
                let code = u32::from_str_radix(&rest[2..4], 16).unwrap_or_default();
                push_code(code, &mut out)?;
                at += 2;
            }
            'u' => at += code_points(rest, &mut out)? - 2,
            other => out.push(other),
        }
    }
    Ok((out, at))
}

fn push_code(code: u32, out: &mut String) -> SqlResult<()> {
    match char::from_u32(code) {
        Some('\0') => Err(SqlError::new(UNTRANSLATABLE, "unsupported Unicode escape sequence")
            .detail("\\u0000 cannot be converted to text.")),
        Some(c) => {
            out.push(c);
            Ok(())
        }
        None => Err(SqlError::syntax("invalid Unicode code point")),
    }
}

/// One `\uXXXX` or `\u{X…}`: its length and its number.
fn code_point(text: &str) -> Option<(usize, u32)> {
    let body = text.strip_prefix("\\u")?;
    let (braces, body) = match body.strip_prefix('{') {
        Some(body) => (true, body),
        None => (false, body),
    };
    let most = if braces { 6 } else { 4 };
    let hex = body.bytes().take(most).take_while(u8::is_ascii_hexdigit).count();
    let whole = if braces { hex > 0 && body[hex..].starts_with('}') } else { hex == 4 };
    let code = u32::from_str_radix(&body[..hex], 16).ok().filter(|_| whole)?;
    Some((2 + hex + 2 * usize::from(braces), code))
}

/// A run of such escapes, of which halves of pairs have to be next to each other; its length.
fn code_points(text: &str, out: &mut String) -> SqlResult<usize> {
    let wrong = |detail: &str| {
        SqlError::new(state::INVALID_TEXT_REPRESENTATION, "invalid input syntax for type jsonpath").detail(detail)
    };
    let unpaired = "Unicode low surrogate must follow a high surrogate.";
    let mut codes = Vec::new();
    let mut end = 0;
    while let Some((length, code)) = code_point(&text[end..]) {
        meter::work(1)?;
        codes.push(code);
        end += length;
    }
    if text[end..].starts_with("\\u") {
        let body = &text[end + 2..];
        let brace = usize::from(body.starts_with('{'));
        let most = if brace > 0 { 6 } else { 3 };
        let hex = body[brace..].bytes().take(most).take_while(u8::is_ascii_hexdigit).count();
        return Err(error_at("invalid unicode sequence", &text[..end + 2 + brace + hex]));
    }
    let mut high = None;
    for code in codes {
        match (code, high) {
            (0xd800..0xdc00, Some(_)) => return Err(wrong("Unicode high surrogate must not follow a high surrogate.")),
            (0xd800..0xdc00, None) => high = Some(code),
            (0xdc00..0xe000, Some(first)) => {
                push_code(0x10000 + ((first - 0xd800) << 10) + (code - 0xdc00), out)?;
                high = None;
            }
            (0xdc00..0xe000, None) | (_, Some(_)) => return Err(wrong(unpaired)),
            (code, None) => push_code(code, out)?,
        }
    }
    match high {
        Some(_) => Err(wrong(unpaired)),
        None => Ok(end),
    }
}
