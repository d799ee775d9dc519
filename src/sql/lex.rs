//! Tokens of Postgres SQL as byte ranges of the source: nothing is copied, so a statement of any size costs what
//! its tokens' ranges cost. Used to split a text into statements, by the utility and DDL parser, and to name the
//! token of a syntax error. Expressions and queries are parsed by sqlparser afterwards.
//!
//! Left out: `standard_conforming_strings = off` (a backslash in a plain literal is always itself).

use crate::error::{SqlError, SqlResult};
use std::borrow::Cow;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Unquoted identifier or keyword.
    Word,
    /// `"…"`
    Quoted,
    /// `'…'`, with any of the prefixes E, B, X, N, U&, or dollar-quoted.
    Literal,
    Number,
    /// `$1`
    Param,
    /// A run of operator characters, or one of `( ) [ ] , ; : .`, `::`, `:=`.
    Symbol,
}

/// A token: bytes `start..end` of the source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token {
    pub kind: Kind,
    pub start: usize,
    pub end: usize,
}

impl Token {
    pub fn text<'a>(&self, source: &'a str) -> &'a str {
        &source[self.start..self.end]
    }
}

/// The iterator over the tokens of a text. After an error it must not be called again.
pub struct Lexer<'a> {
    source: &'a str,
    at: usize,
}

impl<'a> Lexer<'a> {
    pub fn new(source: &'a str) -> Lexer<'a> {
        Lexer { source, at: 0 }
    }

    fn byte(&self, offset: usize) -> u8 {
        self.source.as_bytes().get(self.at + offset).copied().unwrap_or(0)
    }

    /// White space and comments (`/* */` nests).
    fn skip_blank(&mut self) -> SqlResult<()> {
        loop {
            match self.byte(0) {
                b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c => self.at += 1,
                b'-' if self.byte(1) == b'-' => {
                    let rest = &self.source.as_bytes()[self.at..];
                    self.at += rest.iter().position(|b| matches!(b, b'\n' | b'\r')).unwrap_or(rest.len());
                }
                b'/' if self.byte(1) == b'*' => self.skip_comment()?,
                _ => return Ok(()),
            }
        }
    }

    fn skip_comment(&mut self) -> SqlResult<()> {
        let start = self.at;
        let mut depth = 0usize;
        loop {
            match (self.byte(0), self.byte(1)) {
                (b'/', b'*') => {
                    depth += 1;
                    self.at += 2;
                }
                (b'*', b'/') => {
                    depth -= 1;
                    self.at += 2;
                    if depth == 0 {
                        return Ok(());
                    }
                }
                _ if self.at >= self.source.len() => return Err(self.unterminated("/* comment", start)),
                _ => self.at += 1,
            }
        }
    }

    fn unterminated(&self, what: &str, start: usize) -> SqlError {
        let near: String = self.source[start..].chars().take(64).collect();
        SqlError::syntax(format!("unterminated {what} at or near \"{near}\""))
            .position(char_position(self.source, start))
    }

    /// Moves behind the closing `quote`; doubled quotes and, with `backslash`, escaped ones do not close.
    fn skip_quoted(&mut self, quote: u8, backslash: bool, start: usize) -> SqlResult<()> {
        let bytes = self.source.as_bytes();
        while let Some(&b) = bytes.get(self.at) {
            self.at += 1;
            if b == quote {
                if bytes.get(self.at) != Some(&quote) {
                    return Ok(());
                }
                self.at += 1;
            } else if backslash && b == b'\\' {
                self.at += 1;
            }
        }
        let what = if quote == b'"' { "quoted identifier" } else { "quoted string" };
        self.at = bytes.len();
        Err(self.unterminated(what, start))
    }

    fn skip_while(&mut self, accept: impl Fn(u8) -> bool) {
        while accept(self.byte(0)) && self.at < self.source.len() {
            self.at += 1;
        }
    }

    /// `$tag$ … $tag$`, if that is what begins here.
    fn dollar_quoted(&mut self) -> SqlResult<bool> {
        let rest = &self.source[self.at + 1..];
        let tag_len = rest.bytes().take_while(|b| is_word(*b) && *b != b'$').count();
        if rest.as_bytes().get(tag_len) != Some(&b'$') || rest.as_bytes()[0].is_ascii_digit() {
            return Ok(false);
        }
        let (start, tag) = (self.at, &self.source[self.at..self.at + tag_len + 2]);
        let body = start + tag.len();
        match self.source[body..].find(tag) {
            Some(length) => self.at = body + length + tag.len(),
            None => return Err(self.unterminated("dollar-quoted string", start)),
        }
        Ok(true)
    }

    fn number(&mut self) {
        self.skip_while(|b| b.is_ascii_digit());
        if self.byte(0) == b'.' && self.byte(1) != b'.' {
            self.at += 1;
            self.skip_while(|b| b.is_ascii_digit());
        }
        let sign = usize::from(matches!(self.byte(1), b'+' | b'-'));
        if matches!(self.byte(0), b'e' | b'E') && self.byte(1 + sign).is_ascii_digit() {
            self.at += 1 + sign;
            self.skip_while(|b| b.is_ascii_digit());
        }
    }

    /// What begins at `start` ends here: a name must not follow without a blank (`1_000` is no number, `1a` no alias).
    fn ends(&mut self, what: &str, start: usize) -> SqlResult<()> {
        if !is_word(self.byte(0)) || matches!(self.byte(0), b'$' | b'0'..=b'9') || self.at >= self.source.len() {
            return Ok(());
        }
        self.skip_while(is_word);
        let near = &self.source[start..self.at];
        Err(SqlError::syntax(format!("trailing junk after {what} at or near \"{near}\""))
            .position(char_position(self.source, start)))
    }

    /// A run of operator characters, cut before a comment; a trailing `+` or `-` belongs to it only if the run also
    /// has one of ``~ ! @ # % ^ & | ` ?`` (PostgreSQL documentation, "Operators").
    fn operator(&mut self) {
        let start = self.at;
        while is_operator(self.byte(0))
            && !(self.at > start && matches!((self.byte(0), self.byte(1)), (b'-', b'-') | (b'/', b'*')))
        {
            self.at += 1;
        }
        let run = &self.source.as_bytes()[start..self.at];
        if !run.iter().any(|b| b"~!@#%^&|`?".contains(b)) {
            let kept = run.iter().rposition(|b| !matches!(b, b'+' | b'-')).map_or(1, |last| last + 1);
            self.at = start + kept;
        }
    }

    fn lex(&mut self) -> SqlResult<Option<Token>> {
        self.skip_blank()?;
        let start = self.at;
        if start >= self.source.len() {
            return Ok(None);
        }
        let (first, second) = (self.byte(0), self.byte(1));
        let kind = match first {
            b'\'' => {
                self.at += 1;
                self.skip_quoted(b'\'', false, start)?;
                Kind::Literal
            }
            b'e' | b'E' | b'b' | b'B' | b'x' | b'X' | b'n' | b'N' if second == b'\'' => {
                self.at += 2;
                self.skip_quoted(b'\'', matches!(first, b'e' | b'E'), start)?;
                Kind::Literal
            }
            b'u' | b'U' if second == b'&' && matches!(self.byte(2), b'\'' | b'"') => {
                let quote = self.byte(2);
                self.at += 3;
                self.skip_quoted(quote, false, start)?;
                if quote == b'"' { Kind::Quoted } else { Kind::Literal }
            }
            b'"' => {
                self.at += 1;
                self.skip_quoted(b'"', false, start)?;
                Kind::Quoted
            }
            b'$' if second.is_ascii_digit() => {
                self.at += 1;
                self.skip_while(|b| b.is_ascii_digit());
                self.ends("parameter", start)?;
                Kind::Param
            }
            b'$' if self.dollar_quoted()? => Kind::Literal,
            b'0'..=b'9' => {
                self.number();
                self.ends("numeric literal", start)?;
                Kind::Number
            }
            b'.' if second.is_ascii_digit() => {
                self.number();
                self.ends("numeric literal", start)?;
                Kind::Number
            }
            b'.' if second == b'.' => {
                self.at += 2;
                Kind::Symbol
            }
            _ if is_word(first) && first != b'$' => {
                self.skip_while(is_word);
                Kind::Word
            }
            b':' => {
                self.at += 1 + usize::from(matches!(second, b':' | b'='));
                Kind::Symbol
            }
            _ if is_operator(first) => {
                self.operator();
                Kind::Symbol
            }
            _ => {
                self.at += 1;
                Kind::Symbol
            }
        };
        Ok(Some(Token { kind, start, end: self.at }))
    }
}

impl Iterator for Lexer<'_> {
    type Item = SqlResult<Token>;
    fn next(&mut self) -> Option<SqlResult<Token>> {
        self.lex().transpose()
    }
}

fn is_word(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b == b'_' || b == b'$' || b >= 0x80
}

fn is_operator(b: u8) -> bool {
    b"+-*/<>=~!@#%^&|`?".contains(&b)
}

/// 1-based character position of byte `at`.
pub fn char_position(source: &str, at: usize) -> u32 {
    source[..at].chars().count() as u32 + 1
}

/// Bytes that a name may have.
const LONGEST_NAME: usize = 63;

/// An unquoted identifier as Postgres folds it; a quoted one without its quotes. Cut at 63 bytes.
pub fn identifier(text: &str) -> String {
    let mut name = whole_identifier(text);
    shorten(&mut name);
    name
}

/// What an identifier means that was taken out of its quotes already.
pub fn fold(text: &str, quoted: bool) -> String {
    let mut name = if quoted { text.to_owned() } else { text.to_ascii_lowercase() };
    shorten(&mut name);
    name
}

fn shorten(name: &mut String) {
    if name.len() > LONGEST_NAME {
        name.truncate((0..=LONGEST_NAME).rev().find(|at| name.is_char_boundary(*at)).unwrap_or(0));
    }
}

fn whole_identifier(text: &str) -> String {
    match text.strip_prefix('"') {
        Some(inner) => inner.strip_suffix('"').unwrap_or(inner).replace("\"\"", "\""),
        None => text.to_ascii_lowercase(),
    }
}

/// An identifier that is too long, and what is left of it.
pub fn cut(text: &str) -> Option<(String, String)> {
    // Most are short as they are written.
    let name = Some(text).filter(|text| text.len() > LONGEST_NAME).map(whole_identifier)?;
    (name.len() > LONGEST_NAME).then(|| (name, identifier(text)))
}

/// The value of a literal token: quotes removed, escapes resolved. Bit and hex strings keep their digits.
pub fn literal(text: &str) -> SqlResult<Cow<'_, str>> {
    if let Some(rest) = text.strip_prefix('$') {
        let tag = rest.find('$').map_or(0, |i| i + 2);
        return Ok(Cow::Borrowed(&text[tag..text.len() - tag]));
    }
    let quote = text.find('\'').unwrap_or(0);
    let body = &text[quote + 1..text.len() - 1];
    match text.as_bytes()[0] {
        b'e' | b'E' => unescape(body).map(Cow::Owned),
        b'u' | b'U' => unescape_unicode(&body.replace("''", "'"), '\\').map(Cow::Owned),
        _ if body.contains('\'') => Ok(Cow::Owned(body.replace("''", "'"))),
        _ => Ok(Cow::Borrowed(body)),
    }
}

fn invalid_escape(what: &str) -> SqlError {
    SqlError::new(crate::error::state::INVALID_ESCAPE_SEQUENCE, format!("invalid {what}"))
}

/// How escapes are written: what they begin with, and how many digits follow.
fn unicode_forms(forms: [(&str, usize); 2]) -> String {
    let [one, other] = forms.map(|(begin, digits)| format!("{begin}{}", "X".repeat(digits)));
    format!("Unicode escapes must be {one} or {other}.")
}

/// The escapes of `E'…'`.
fn unescape(body: &str) -> SqlResult<String> {
    let mut out: Vec<u8> = Vec::with_capacity(body.len());
    let mut chars = body.chars().peekable();
    // The first half of a surrogate pair.
    let mut high = 0;
    while let Some(c) = chars.next() {
        let unicode = c == '\\' && matches!(chars.peek(), Some('u' | 'U'));
        if high != 0 && !unicode {
            return Err(SqlError::syntax("invalid Unicode surrogate pair"));
        }
        let mut push = |c: char| out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
        match c {
            '\'' => {
                chars.next();
                push('\'');
            }
            '\\' => match chars.next() {
                None => push('\\'),
                Some('b') => push('\x08'),
                Some('f') => push('\x0c'),
                Some('n') => push('\n'),
                Some('r') => push('\r'),
                Some('t') => push('\t'),
                Some(marker @ ('u' | 'U')) => {
                    let length = if marker == 'u' { 4 } else { 8 };
                    let digits: String = chars.by_ref().take(length).collect();
                    let code = u32::from_str_radix(&digits, 16).ok().filter(|_| digits.len() == length);
                    let code = code.ok_or_else(|| {
                        invalid_escape("Unicode escape").hint(unicode_forms([("\\u", 4), ("\\U", 8)]))
                    })?;
                    let pair = |high: u32, low: u32| 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
                    let code = match (std::mem::take(&mut high), code) {
                        (0, 0xd800..=0xdbff) => {
                            high = code;
                            continue;
                        }
                        (0, code) => code,
                        (high, 0xdc00..=0xdfff) => pair(high, code),
                        _ => return Err(SqlError::syntax("invalid Unicode surrogate pair")),
                    };
                    let wrong = match code {
                        0xd800..=0xdfff => "invalid Unicode surrogate pair",
                        _ => "invalid Unicode escape value",
                    };
                    push(char::from_u32(code).filter(|c| *c != '\0').ok_or_else(|| SqlError::syntax(wrong))?);
                }
                Some('x') if chars.peek().is_some_and(char::is_ascii_hexdigit) => {
                    let mut value = 0u32;
                    for _ in 0..2 {
                        match chars.peek().and_then(|c| c.to_digit(16)) {
                            Some(digit) => {
                                value = value * 16 + digit;
                                chars.next();
                            }
                            None => break,
                        }
                    }
                    out.push(value as u8);
                }
                Some(first @ '0'..='7') => {
                    let mut value = first.to_digit(8).unwrap_or(0);
                    for _ in 0..2 {
                        match chars.peek().and_then(|c| c.to_digit(8)) {
                            Some(digit) => {
                                value = value * 8 + digit;
                                chars.next();
                            }
                            None => break,
                        }
                    }
                    out.push(value as u8);
                }
                Some(other) => push(other),
            },
            other => push(other),
        }
    }
    if high != 0 {
        return Err(SqlError::syntax("invalid Unicode surrogate pair"));
    }
    String::from_utf8(out).map_err(|_| {
        SqlError::new(crate::error::state::CHARACTER_NOT_IN_REPERTOIRE, "invalid byte sequence for encoding \"UTF8\"")
    })
}

/// The escapes of `U&'…'` and `U&"…"`, behind this character.
fn unescape_unicode(body: &str, escape: char) -> SqlResult<String> {
    let wrong = |what: &str| SqlError::syntax(format!("invalid Unicode {what}"));
    let mut out = String::with_capacity(body.len());
    let mut high: Option<u32> = None;
    let mut rest = body;
    while let Some(c) = rest.chars().next() {
        rest = &rest[c.len_utf8()..];
        if c != escape || rest.starts_with(escape) {
            rest = rest.strip_prefix(escape).filter(|_| c == escape).unwrap_or(rest);
            if high.is_some() {
                return Err(wrong("surrogate pair"));
            }
            out.push(c);
            continue;
        }
        let (digits, length) = rest.strip_prefix('+').map_or((rest, 4), |digits| (digits, 6));
        let code = digits.get(..length).filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()));
        let Some(code) = code.and_then(|digits| u32::from_str_radix(digits, 16).ok()) else {
            return Err(wrong("escape").hint(unicode_forms([("\\", 4), ("\\+", 6)])));
        };
        rest = &digits[length..];
        let code = match (high.take(), code) {
            (Some(high), 0xdc00..=0xdfff) => 0x10000 + ((high - 0xd800) << 10) + (code - 0xdc00),
            (None, 0xd800..=0xdbff) => {
                high = Some(code);
                continue;
            }
            (Some(_), _) | (None, 0xdc00..=0xdfff) => return Err(wrong("surrogate pair")),
            (None, code) => code,
        };
        out.push(char::from_u32(code).filter(|c| *c != '\0').ok_or_else(|| wrong("escape value"))?);
    }
    if high.is_some() {
        return Err(wrong("surrogate pair"));
    }
    Ok(out)
}

/// A text in which `U&'…'` and `U&"…"`, with what UESCAPE says behind them, and `E'\u0041'` are plain literals and names.
/// Blanks keep everything behind them where it was: an escape is longer than its character.
pub fn without_unicode_escapes(source: &str) -> SqlResult<Cow<'_, str>> {
    let unicode = |text: &str| text.contains("\\u") || text.contains("\\U");
    if !source.contains("&'") && !source.contains("&\"") && !unicode(source) {
        return Ok(Cow::Borrowed(source));
    }
    let tokens = Lexer::new(source).collect::<SqlResult<Vec<_>>>()?;
    let escaped = |token: &Token| matches!(token.text(source).as_bytes(), [b'u' | b'U', b'&', b'\'' | b'"', ..]);
    let mut out = String::with_capacity(source.len());
    let (mut copied, mut next) = (0, 0);
    while let Some(token) = tokens.get(next) {
        next += 1;
        if matches!(token.text(source).as_bytes(), [b'e' | b'E', b'\'', ..]) && unicode(token.text(source)) {
            let place = |error: SqlError| error.position(char_position(source, token.start));
            let value = literal(token.text(source)).map_err(place)?;
            let written = format!("E'{}'", value.replace('\\', "\\\\").replace('\'', "''"));
            let blanks = token.text(source).chars().count().saturating_sub(written.chars().count());
            out.push_str(&source[copied..token.start]);
            out.push_str(&written);
            out.extend(std::iter::repeat_n(' ', blanks));
            copied = token.end;
            continue;
        }
        if !escaped(token) {
            continue;
        }
        let place = |error: SqlError| error.position(char_position(source, token.start));
        // Literals go on behind a line's end.
        let mut pieces = vec![*token];
        while let Some(more) = tokens.get(next).filter(|more| {
            let before = pieces.last().map_or(0, |last| last.end);
            token.kind == Kind::Literal
                && source.as_bytes()[more.start] == b'\''
                && source[before..more.start].contains(['\n', '\r'])
        }) {
            pieces.push(*more);
            next += 1;
        }
        let mut escape = '\\';
        let mut clause = None;
        if let Some(word) = tokens.get(next).filter(|word| word.text(source).eq_ignore_ascii_case("UESCAPE")) {
            let Some(given) = tokens.get(next + 1).filter(|given| source.as_bytes()[given.start] == b'\'') else {
                let near = tokens.get(next + 1).map_or("end of input", |token| token.text(source));
                let text = format!("UESCAPE must be followed by a simple string literal at or near \"{near}\"");
                return Err(place(SqlError::syntax(text)));
            };
            let text = literal(given.text(source))?;
            let mut chars = text.chars();
            escape = match (chars.next(), chars.next()) {
                (Some(c), None) if !c.is_ascii_hexdigit() && !"+'\"".contains(c) && !c.is_ascii_whitespace() => c,
                _ => {
                    let text = format!("invalid Unicode escape character at or near \"{}\"", given.text(source));
                    return Err(SqlError::syntax(text).position(char_position(source, given.start)));
                }
            };
            clause = Some(word.start..given.end);
            next += 2;
        }
        for (i, piece) in pieces.iter().enumerate() {
            let text = piece.text(source);
            let text = if i == 0 { &text[2..] } else { text };
            let quote = &text[..1];
            let doubled = quote.repeat(2);
            let body = text[1..text.len() - 1].replace(&doubled, quote);
            let plain = unescape_unicode(&body, escape).map_err(place)?.replace(quote, &doubled);
            if quote == "\"" && plain.is_empty() {
                return Err(place(SqlError::syntax("zero-length delimited identifier")));
            }
            out.push_str(&source[copied..piece.start]);
            let written = format!("{quote}{plain}{quote}");
            let blanks = piece.text(source).chars().count().saturating_sub(written.chars().count());
            out.push_str(&written);
            out.extend(std::iter::repeat_n(' ', blanks));
            copied = piece.end;
        }
        if let Some(clause) = clause {
            out.push_str(&source[copied..clause.start]);
            out.extend(std::iter::repeat_n(' ', source[clause.clone()].chars().count()));
            copied = clause.end;
        }
    }
    out.push_str(&source[copied..]);
    Ok(Cow::Owned(out))
}

/// Between tokens: as many bytes of blanks and comments as are read blank for blank.
const NARROW: usize = 64;

/// A text with one comment, of as many characters, in place of each long stretch of blanks and comments: sqlparser makes a
/// token of every blank. What a stretch means to the tokens around it stays ([`Lexer`] knows what literals go on behind).
pub fn without_wide_gaps(source: &str) -> Cow<'_, str> {
    // Those of a short text are few.
    if source.len() < 64 * NARROW {
        return Cow::Borrowed(source);
    }
    let mut out = String::new();
    let mut copied = 0;
    let mut fill = |start: usize, end: usize| {
        let gap = &source[start..end];
        if gap.len() < NARROW {
            return;
        }
        let inside = gap.chars().count() - 6;
        let (open, close) = match gap.contains(['\n', '\r']) && !has_block_comment(gap) {
            true => (" --", "  \n"),
            false => (" /*", "*/ "),
        };
        out.push_str(&source[copied..start]);
        out.push_str(open);
        out.extend(std::iter::repeat_n(' ', inside));
        out.push_str(close);
        copied = end;
    };
    let mut before = 0;
    for token in Lexer::new(source) {
        // What cannot be read is told of by those who read it next.
        let Ok(token) = token else { return Cow::Borrowed(source) };
        fill(before, token.start);
        before = token.end;
    }
    fill(before, source.len());
    match copied {
        0 => Cow::Borrowed(source),
        _ => Cow::Owned(out + &source[copied..]),
    }
}

/// Whether there is a comment in `/* */` among blanks and comments.
fn has_block_comment(gap: &str) -> bool {
    let mut rest = gap;
    while let Some(at) = rest.find("/*") {
        match rest[..at].find("--") {
            None => return true,
            Some(line) => rest = rest[line..].split_once(['\n', '\r']).map_or("", |(_, next)| next),
        }
    }
    false
}

/// `name` as Postgres would print it: quoted when it must be.
pub fn quote_identifier(name: &str) -> String {
    let plain = name.bytes().next().is_some_and(|b| b.is_ascii_lowercase() || b == b'_')
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
        && !RESERVED.contains(&name);
    if plain { name.to_owned() } else { format!("\"{}\"", name.replace('"', "\"\"")) }
}

/// `text` as a literal.
pub fn quote_literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// Keywords that cannot be a column's name without quotes (`pg_get_keywords`, catcode R and T).
pub const RESERVED: &[&str] = &[
    "all",
    "analyse",
    "analyze",
    "and",
    "any",
    "array",
    "as",
    "asc",
    "asymmetric",
    "authorization",
    "binary",
    "both",
    "case",
    "cast",
    "check",
    "collate",
    "collation",
    "column",
    "concurrently",
    "constraint",
    "create",
    "cross",
    "current_catalog",
    "current_date",
    "current_role",
    "current_schema",
    "current_time",
    "current_timestamp",
    "current_user",
    "default",
    "deferrable",
    "desc",
    "distinct",
    "do",
    "else",
    "end",
    "except",
    "false",
    "fetch",
    "for",
    "foreign",
    "freeze",
    "from",
    "full",
    "grant",
    "group",
    "having",
    "ilike",
    "in",
    "initially",
    "inner",
    "intersect",
    "into",
    "is",
    "isnull",
    "join",
    "lateral",
    "leading",
    "left",
    "like",
    "limit",
    "localtime",
    "localtimestamp",
    "natural",
    "not",
    "notnull",
    "null",
    "offset",
    "on",
    "only",
    "or",
    "order",
    "outer",
    "overlaps",
    "placing",
    "primary",
    "references",
    "returning",
    "right",
    "select",
    "session_user",
    "similar",
    "some",
    "symmetric",
    "table",
    "tablesample",
    "then",
    "to",
    "trailing",
    "true",
    "union",
    "unique",
    "user",
    "using",
    "variadic",
    "verbose",
    "when",
    "where",
    "window",
    "with",
];

/// Puts stars in place of the passwords in a statement that is to be shown; what is behind an unfinished one goes.
pub fn without_passwords(text: &mut String) {
    let mut hidden = Vec::new();
    let mut after_password = false;
    for token in Lexer::new(text) {
        let Ok(token) = token else { break };
        if after_password && token.kind == Kind::Literal {
            hidden.push(token.start..token.end);
        }
        after_password = token.kind == Kind::Word && token.text(text).eq_ignore_ascii_case("password");
    }
    if after_password {
        let end = Lexer::new(text).filter_map(Result::ok).last().map_or(0, |token| token.end);
        text.truncate(end);
    }
    for range in hidden.into_iter().rev() {
        text.replace_range(range, "'***'");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lexed(text: &str) -> String {
        Lexer::new(text).map(|t| t.unwrap().text(text).to_owned()).collect::<Vec<_>>().join("⋅")
    }

    #[test]
    fn wide_gaps_are_one_comment_of_the_same_width() {
        let wide = " ".repeat(5000);
        let narrow = |gap: &str| {
            let text = format!("select{gap}1");
            let out = without_wide_gaps(&text).into_owned();
            assert_eq!(out.chars().count(), text.chars().count());
            let words: Vec<_> = out.split_whitespace().collect();
            words.concat()
        };
        assert_eq!(without_wide_gaps("select   1"), "select   1");
        assert_eq!(narrow(&wide), "select/**/1");
        assert_eq!(narrow(&format!("{wide}\n")), "select--1");
        assert_eq!(narrow(&format!("{wide}-- ü /* \n")), "select--1");
        assert_eq!(narrow(&format!("{wide}-- a\n/* ü */\n")), "select/**/1");
        assert_eq!(narrow(&format!("/*{wide}\n*/")), "select/**/1");
        let literal = format!("select '{wide}'");
        assert_eq!(without_wide_gaps(&literal), literal);
        let open = format!("select{wide}'");
        assert_eq!(without_wide_gaps(&open), open);
    }

    #[test]
    fn tokens() {
        assert_eq!(lexed("select a.\"b\"\"c\" from t"), "select⋅a⋅.⋅\"b\"\"c\"⋅from⋅t");
        assert_eq!(lexed("'a''b' E'\\'x' $$a;b$$ $x$ $$ $x$ $1"), "'a''b'⋅E'\\'x'⋅$$a;b$$⋅$x$ $$ $x$⋅$1");
        assert_eq!(lexed("1.5e-3+.5..2 /* a /* b */ c */ -- d\n x"), "1.5e-3⋅+⋅.5⋅..⋅2⋅x");
        assert_eq!(lexed("a::int[]:=1 a->>'b' a@>-1 a=-1 a<=b*-c"), {
            "a⋅::⋅int⋅[⋅]⋅:=⋅1⋅a⋅->>⋅'b'⋅a⋅@>-⋅1⋅a⋅=⋅-⋅1⋅a⋅<=⋅b⋅*⋅-⋅c"
        });
        assert!(Lexer::new("'abc").next().unwrap().unwrap_err().message.starts_with("unterminated quoted string"));
        assert!(Lexer::new("/* a").next().unwrap().is_err());
        assert!(Lexer::new("$a$ x").next().unwrap().is_err());
    }

    #[test]
    fn values() {
        assert_eq!(literal("E'a\\n\\x41\\101\\u00e4''b'").unwrap(), "a\nAAä'b");
        assert_eq!(literal("U&'d\\0061t\\+000061'").unwrap(), "data");
        assert_eq!(literal("$q$it's$q$").unwrap(), "it's");
        assert_eq!(identifier("\"A\"\"b\""), "A\"b");
        assert_eq!(identifier("FooBar"), "foobar");
        assert_eq!(quote_identifier("select"), "\"select\"");
        assert_eq!(quote_identifier("a_1"), "a_1");
    }

    #[test]
    fn passwords_are_not_shown() {
        for (text, shown) in [
            ("CREATE ROLE a PASSWORD 'x' LOGIN", "CREATE ROLE a PASSWORD '***' LOGIN"),
            ("alter user a encrypted password $$it's$$; select 1", "alter user a encrypted password '***'; select 1"),
            ("ALTER ROLE a PASSWORD 'cut in the mid", "ALTER ROLE a PASSWORD"),
            ("ALTER ROLE a RENAME TO password", "ALTER ROLE a RENAME TO password"),
        ] {
            let mut text = text.to_owned();
            without_passwords(&mut text);
            assert_eq!(text, shown);
        }
    }
}
