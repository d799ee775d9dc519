//! A walk over the tokens of one statement, for the hand-written grammars (utility statements, DDL, COPY).

use super::allowance::Allowance;
use super::lex::{self, Kind, Lexer, Token};
use crate::error::{SqlError, SqlResult};

pub struct Cursor<'a> {
    pub source: &'a str,
    pub allowance: &'a Allowance,
    tokens: Vec<Token>,
    at: usize,
    /// How far some sequence of keywords went that did not go on as it began: an error is there.
    furthest: usize,
}

/// A possibly qualified name as written, folded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    pub schema: Option<String>,
    pub name: String,
    /// 1-based character position in the statement.
    pub position: u32,
}

impl std::fmt::Display for Name {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.schema {
            Some(schema) => write!(f, "{schema}.{}", self.name),
            None => f.write_str(&self.name),
        }
    }
}

impl<'a> Cursor<'a> {
    pub fn new(source: &'a str, allowance: &'a Allowance) -> SqlResult<Cursor<'a>> {
        Ok(Cursor { source, allowance, tokens: Lexer::new(source).collect::<SqlResult<_>>()?, at: 0, furthest: 0 })
    }

    pub fn peek(&self) -> Option<Token> {
        self.tokens.get(self.at).copied()
    }

    pub fn peek_text(&self, ahead: usize) -> &'a str {
        self.tokens.get(self.at + ahead).map_or("", |t| t.text(self.source))
    }

    pub fn done(&self) -> bool {
        self.at >= self.tokens.len()
    }

    /// Index to come back to with [`Cursor::reset`].
    pub fn mark(&self) -> usize {
        self.at
    }

    pub fn reset(&mut self, mark: usize) {
        self.at = mark;
    }

    pub fn bump(&mut self) -> Option<Token> {
        let token = self.peek();
        self.at += usize::from(token.is_some());
        token
    }

    /// `syntax error at or near` the current token.
    pub fn error(&self) -> SqlError {
        match self.tokens.get(self.at.max(self.furthest)) {
            Some(t) => SqlError::syntax(format!("syntax error at or near \"{}\"", t.text(self.source)))
                .position(lex::char_position(self.source, t.start)),
            None => SqlError::syntax("syntax error at end of input")
                .position(lex::char_position(self.source, self.source.len())),
        }
    }

    pub fn position(&self) -> u32 {
        lex::char_position(self.source, self.peek().map_or(self.source.len(), |t| t.start))
    }

    /// Is the token `ahead` this keyword (given in upper case)?
    pub fn is_at(&self, ahead: usize, keyword: &str) -> bool {
        let Some(t) = self.tokens.get(self.at + ahead) else { return false };
        match t.kind {
            Kind::Word => t.text(self.source).eq_ignore_ascii_case(keyword),
            Kind::Symbol => t.text(self.source) == keyword,
            _ => false,
        }
    }

    /// Is the token before the current one this keyword?
    pub fn follows(&self, keyword: &str) -> bool {
        let before = self.at.checked_sub(1).and_then(|at| self.tokens.get(at));
        before.is_some_and(|t| t.kind == Kind::Word && t.text(self.source).eq_ignore_ascii_case(keyword))
    }

    pub fn is(&self, keyword: &str) -> bool {
        self.is_at(0, keyword)
    }

    /// Takes one keyword or symbol if it is next.
    pub fn eat(&mut self, keyword: &str) -> bool {
        let yes = self.is(keyword);
        self.at += usize::from(yes);
        yes
    }

    /// Takes a sequence of keywords, separated by blanks, if all of them are next.
    pub fn eat_all(&mut self, keywords: &str) -> bool {
        let count = keywords.split(' ').count();
        let found = keywords.split(' ').enumerate().take_while(|(i, k)| self.is_at(*i, k)).count();
        if found == count {
            self.at += count;
        } else if found > 0 {
            self.furthest = self.furthest.max(self.at + found);
        }
        found == count
    }

    /// Takes the first of `keywords` that is next.
    pub fn eat_one(&mut self, keywords: &[&'static str]) -> Option<&'static str> {
        keywords.iter().copied().find(|k| self.eat(k))
    }

    pub fn expect(&mut self, keywords: &str) -> SqlResult<()> {
        for keyword in keywords.split(' ') {
            if !self.eat(keyword) {
                return Err(self.error());
            }
        }
        Ok(())
    }

    pub fn finish(&self) -> SqlResult<()> {
        if self.done() { Ok(()) } else { Err(self.error()) }
    }

    /// An identifier; reserved words only when quoted.
    pub fn ident(&mut self) -> SqlResult<String> {
        match self.peek() {
            Some(t) if t.kind == Kind::Quoted => {
                if t.text(self.source) == "\"\"" {
                    return Err(SqlError::syntax("zero-length delimited identifier at or near \"\"\"\"")
                        .position(self.position()));
                }
            }
            Some(t) if t.kind == Kind::Word => {
                let text = t.text(self.source);
                if lex::RESERVED.iter().any(|r| text.eq_ignore_ascii_case(r)) {
                    return Err(self.error());
                }
            }
            _ => return Err(self.error()),
        }
        self.any_word()
    }

    /// A word or quoted identifier, reserved or not (ColLabel).
    pub fn any_word(&mut self) -> SqlResult<String> {
        match self.peek() {
            Some(t) if matches!(t.kind, Kind::Word | Kind::Quoted) => {
                self.at += 1;
                Ok(lex::identifier(t.text(self.source)))
            }
            _ => Err(self.error()),
        }
    }

    /// `name`, `schema.name`, or `database.schema.name` (the database is dropped).
    pub fn name(&mut self) -> SqlResult<Name> {
        let position = self.position();
        let mut parts = vec![self.ident()?];
        while self.eat(".") {
            parts.push(self.any_word()?);
        }
        if parts.len() > 3 {
            return Err(SqlError::syntax(format!(
                "improper qualified name (too many dotted names): {}",
                parts.join(".")
            ))
            .position(position));
        }
        let name = parts.pop().unwrap_or_default();
        Ok(Name { schema: parts.pop(), name, position })
    }

    pub fn list<T>(&mut self, mut item: impl FnMut(&mut Self) -> SqlResult<T>) -> SqlResult<Vec<T>> {
        let mut items = vec![item(self)?];
        while self.eat(",") {
            items.push(item(self)?);
        }
        Ok(items)
    }

    /// `( item, … )`
    pub fn paren_list<T>(&mut self, item: impl FnMut(&mut Self) -> SqlResult<T>) -> SqlResult<Vec<T>> {
        self.expect("(")?;
        let items = self.list(item)?;
        self.expect(")")?;
        Ok(items)
    }

    pub fn string(&mut self) -> SqlResult<String> {
        match self.peek() {
            Some(t) if t.kind == Kind::Literal => {
                self.at += 1;
                Ok(lex::literal(t.text(self.source))?.into_owned())
            }
            _ => Err(self.error()),
        }
    }

    /// A signed integer.
    pub fn integer(&mut self) -> SqlResult<i64> {
        let mark = self.at;
        let negative = self.eat("-");
        if !negative {
            self.eat("+");
        }
        let digits = match self.peek() {
            Some(t) if t.kind == Kind::Number => t.text(self.source),
            _ => return Err(self.error()),
        };
        let text = if negative { format!("-{digits}") } else { digits.to_owned() };
        match text.parse() {
            Ok(value) => {
                self.at += 1;
                Ok(value)
            }
            Err(_) => {
                let error = self.error();
                self.at = mark;
                Err(error)
            }
        }
    }

    pub fn is_integer(&self) -> bool {
        let next = self.tokens.get(self.at + usize::from(self.is("-") || self.is("+")));
        next.is_some_and(|t| t.kind == Kind::Number)
    }

    /// The source from the current token to the end of the statement; moves there.
    pub fn rest(&mut self) -> &'a str {
        let start = self.peek().map_or(self.source.len(), |t| t.start);
        self.at = self.tokens.len();
        &self.source[start..]
    }

    /// The source of balanced tokens up to a token at depth 0 for which `stop` says yes (or an unmatched `)`, or
    /// the end). CASE … END counts as brackets. At least one token.
    pub fn take_until(&mut self, stop: impl Fn(&Cursor<'a>) -> bool) -> SqlResult<&'a str> {
        let first = self.peek().ok_or_else(|| self.error())?;
        let (start, mut end, mut depth) = (first.start, first.start, 0i32);
        while let Some(t) = self.peek() {
            if depth == 0 && (self.is(")") || self.is("]") || (end > start && stop(self))) {
                break;
            }
            match t.text(self.source) {
                "(" | "[" => depth += 1,
                ")" | "]" => depth -= 1,
                word if t.kind == Kind::Word && word.eq_ignore_ascii_case("case") => depth += 1,
                word if t.kind == Kind::Word && depth > 0 && word.eq_ignore_ascii_case("end") => depth -= 1,
                _ => {}
            }
            end = t.end;
            self.at += 1;
        }
        if end == start || depth != 0 {
            return Err(self.error());
        }
        Ok(&self.source[start..end])
    }

    /// The source between a pair of parentheses.
    pub fn parenthesised(&mut self) -> SqlResult<&'a str> {
        self.expect("(")?;
        let text = self.take_until(|_| false)?;
        self.expect(")")?;
        Ok(text)
    }

    /// Skips a balanced parenthesised group if one is next.
    pub fn skip_parens(&mut self) -> SqlResult<bool> {
        if !self.eat("(") {
            return Ok(false);
        }
        if !self.is(")") {
            self.take_until(|_| false)?;
        }
        self.expect(")")?;
        Ok(true)
    }
}
