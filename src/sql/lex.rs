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
        if self.byte(0) == b'0' && matches!(self.byte(1), b'x' | b'X') && self.byte(2).is_ascii_hexdigit() {
            self.at += 2;
            return self.skip_while(|b| b.is_ascii_hexdigit());
        }
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
                Kind::Param
            }
            b'$' if self.dollar_quoted()? => Kind::Literal,
            b'0'..=b'9' => {
                self.number();
                Kind::Number
            }
            b'.' if second.is_ascii_digit() => {
                self.number();
                Kind::Number
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
        b'u' | b'U' => unescape_unicode(body).map(Cow::Owned),
        _ if body.contains('\'') => Ok(Cow::Owned(body.replace("''", "'"))),
        _ => Ok(Cow::Borrowed(body)),
    }
}

fn invalid_escape(what: &str) -> SqlError {
    SqlError::new(crate::error::state::INVALID_ESCAPE_SEQUENCE, format!("invalid {what}"))
}

/// The escapes of `E'…'`.
fn unescape(body: &str) -> SqlResult<String> {
    let mut out: Vec<u8> = Vec::with_capacity(body.len());
    let mut chars = body.chars().peekable();
    while let Some(c) = chars.next() {
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
                    let c = code.and_then(char::from_u32).ok_or_else(|| invalid_escape("Unicode escape value"))?;
                    push(c);
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
    String::from_utf8(out).map_err(|_| {
        SqlError::new(crate::error::state::CHARACTER_NOT_IN_REPERTOIRE, "invalid byte sequence for encoding \"UTF8\"")
    })
}

/// The escapes of `U&'…'` with the default escape character.
fn unescape_unicode(body: &str) -> SqlResult<String> {
    let mut out = String::with_capacity(body.len());
    let mut chars = body.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\'' => {
                chars.next();
                out.push('\'');
            }
            '\\' if chars.peek() == Some(&'\\') => {
                chars.next();
                out.push('\\');
            }
            '\\' => {
                let length = if chars.peek() == Some(&'+') { chars.next().map_or(6, |_| 6) } else { 4 };
                let digits: String = chars.by_ref().take(length).collect();
                let code = u32::from_str_radix(&digits, 16).ok().filter(|_| digits.len() == length);
                out.push(code.and_then(char::from_u32).ok_or_else(|| invalid_escape("Unicode escape value"))?);
            }
            other => out.push(other),
        }
    }
    Ok(out)
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
    fn tokens() {
        assert_eq!(lexed("select a.\"b\"\"c\" from t"), "select⋅a⋅.⋅\"b\"\"c\"⋅from⋅t");
        assert_eq!(lexed("'a''b' E'\\'x' $$a;b$$ $x$ $$ $x$ $1"), "'a''b'⋅E'\\'x'⋅$$a;b$$⋅$x$ $$ $x$⋅$1");
        assert_eq!(lexed("1.5e-3+.5..2 /* a /* b */ c */ -- d\n x"), "1.5e-3⋅+⋅.5⋅.⋅.2⋅x");
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
