//! SEARCH and CYCLE behind a recursive WITH query. The parser knows neither: its tree carries them in a name that nobody can
//! write, as if it were the query's last column.

use super::lex::{self, quote_identifier};
use super::phrases::MARK;
use crate::error::{SqlError, SqlResult};
use sqlparser::tokenizer::{Token, TokenWithSpan};

/// What is told of each row's way, in more columns.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Traversal {
    pub search: Option<Search>,
    pub cycle: Option<Cycle>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Search {
    pub breadth: bool,
    pub by: Vec<String>,
    /// The column that rows are to be ordered by.
    pub set: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cycle {
    pub columns: Vec<String>,
    pub mark: String,
    /// Constants, as they are written: of a row that was met before, and of others.
    pub values: Option<(String, String)>,
    pub path: String,
}

const PART: char = '\u{1}';
const FIELD: char = '\u{2}';

/// The clauses at the front of `tokens`, and how many these are; none, if there is no clause.
pub fn read(tokens: &[TokenWithSpan]) -> SqlResult<(Traversal, usize)> {
    let mut reader = Reader { tokens, at: 0 };
    let mut traversal = Traversal::default();
    if reader.eats(&["SEARCH", "DEPTH"]) || reader.eats(&["SEARCH", "BREADTH"]) {
        let breadth = reader.before("BREADTH");
        reader.expect("FIRST")?;
        reader.expect("BY")?;
        let by = reader.names()?;
        reader.expect("SET")?;
        traversal.search = Some(Search { breadth, by, set: reader.name()? });
    }
    let start = reader.at;
    if reader.eats(&["CYCLE"]) {
        let columns = reader.names();
        // Or it was a name.
        let (Ok(columns), true) = (columns, reader.eats(&["SET"])) else { return Ok((traversal, start)) };
        let mark = reader.name()?;
        let values = match reader.eats(&["TO"]) {
            true => {
                let met = reader.until("DEFAULT")?;
                Some((met, reader.until("USING")?))
            }
            false => {
                reader.expect("USING")?;
                None
            }
        };
        traversal.cycle = Some(Cycle { columns, mark, values, path: reader.name()? });
    }
    Ok((traversal, reader.at))
}

struct Reader<'a> {
    tokens: &'a [TokenWithSpan],
    at: usize,
}

impl Reader<'_> {
    fn is(&self, at: usize, word: &str) -> bool {
        match self.tokens.get(at).map(|t| &t.token) {
            Some(Token::Word(w)) => w.quote_style.is_none() && w.value.eq_ignore_ascii_case(word),
            _ => false,
        }
    }

    fn before(&self, word: &str) -> bool {
        self.at.checked_sub(1).is_some_and(|at| self.is(at, word))
    }

    fn eats(&mut self, words: &[&str]) -> bool {
        let all = words.iter().enumerate().all(|(i, word)| self.is(self.at + i, word));
        self.at += if all { words.len() } else { 0 };
        all
    }

    fn error(&self) -> SqlError {
        match self.tokens.get(self.at) {
            Some(token) => SqlError::syntax(format!("syntax error at or near \"{}\"", token.token))
                .position(token.span.start.column as u32),
            None => SqlError::syntax("syntax error at end of input"),
        }
    }

    fn expect(&mut self, word: &str) -> SqlResult<()> {
        if self.eats(&[word]) { Ok(()) } else { Err(self.error()) }
    }

    fn name(&mut self) -> SqlResult<String> {
        let Some(Token::Word(word)) = self.tokens.get(self.at).map(|t| &t.token) else { return Err(self.error()) };
        self.at += 1;
        Ok(lex::fold(&word.value, word.quote_style.is_some()))
    }

    fn names(&mut self) -> SqlResult<Vec<String>> {
        let mut names = vec![self.name()?];
        while self.tokens.get(self.at).is_some_and(|t| t.token == Token::Comma) {
            self.at += 1;
            names.push(self.name()?);
        }
        Ok(names)
    }

    /// What is written up to a word, which is passed.
    fn until(&mut self, word: &str) -> SqlResult<String> {
        let mut texts = Vec::new();
        while !self.is(self.at, word) {
            let token = self.tokens.get(self.at).ok_or_else(|| self.error())?;
            texts.push(token.token.to_string());
            self.at += 1;
        }
        if texts.is_empty() {
            return Err(self.error());
        }
        self.at += 1;
        Ok(texts.join(" "))
    }
}

impl Traversal {
    pub fn is_empty(&self) -> bool {
        *self == Traversal::default()
    }

    /// As a name that nobody can write.
    pub fn name(&self) -> String {
        let mut out = String::from(MARK);
        let mut part = |kind: &str, fields: Vec<&str>| {
            out.push(PART);
            out.push_str(kind);
            for field in fields {
                out.push(FIELD);
                out.push_str(field);
            }
        };
        if let Some(Search { breadth, by, set }) = &self.search {
            let fields = [set].into_iter().chain(by).map(String::as_str).collect();
            part(if *breadth { "breadth" } else { "depth" }, fields);
        }
        if let Some(Cycle { columns, mark, values, path }) = &self.cycle {
            let (met, other) = values.as_ref().map_or(("", ""), |(met, other)| (met, other));
            let fields = [mark, path, met, other].into_iter().chain(columns.iter().map(String::as_str)).collect();
            part("cycle", fields);
        }
        out
    }

    /// What such a name says.
    pub fn of(name: &str) -> Option<Traversal> {
        let mut traversal = Traversal::default();
        for part in name.strip_prefix(MARK)?.strip_prefix(PART)?.split(PART) {
            let fields: Vec<&str> = part.split(FIELD).collect();
            let owned = |fields: &[&str]| fields.iter().map(|field| (*field).to_owned()).collect();
            match &fields[..] {
                [kind @ ("breadth" | "depth"), set, by @ ..] => {
                    traversal.search =
                        Some(Search { breadth: *kind == "breadth", by: owned(by), set: (*set).to_owned() });
                }
                ["cycle", mark, path, met, other, columns @ ..] => {
                    let values = (!met.is_empty()).then(|| ((*met).to_owned(), (*other).to_owned()));
                    let (mark, path) = ((*mark).to_owned(), (*path).to_owned());
                    traversal.cycle = Some(Cycle { columns: owned(columns), mark, values, path });
                }
                _ => return None,
            }
        }
        Some(traversal)
    }
}

impl std::fmt::Display for Traversal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let list = |names: &[String]| names.iter().map(|name| quote_identifier(name)).collect::<Vec<_>>().join(", ");
        if let Some(Search { breadth, by, set }) = &self.search {
            let order = if *breadth { "BREADTH" } else { "DEPTH" };
            write!(f, " SEARCH {order} FIRST BY {} SET {}", list(by), quote_identifier(set))?;
        }
        if let Some(Cycle { columns, mark, values, path }) = &self.cycle {
            write!(f, " CYCLE {} SET {}", list(columns), quote_identifier(mark))?;
            if let Some((met, other)) = values {
                write!(f, " TO {met} DEFAULT {other}")?;
            }
            write!(f, " USING {}", quote_identifier(path))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_says_what_was_written() {
        let text = ") SEARCH BREADTH FIRST BY a, \"B\" SET s CYCLE a SET m TO 'y' DEFAULT 'n' USING p SELECT";
        let tokens = crate::sql::parse::query_tokens(&format!("WITH RECURSIVE w AS (SELECT 1{text} 1")).unwrap();
        assert!(tokens.iter().any(|t| matches!(&t.token, Token::Word(w) if Traversal::of(&w.value).is_some())));
        let cycle = Cycle {
            columns: vec!["a".into()],
            mark: "m".into(),
            values: Some(("'y'".into(), "'n'".into())),
            path: "p".into(),
        };
        let search = Search { breadth: true, by: vec!["a".into(), "B".into()], set: "s".into() };
        let traversal = Traversal { search: Some(search), cycle: Some(cycle) };
        assert_eq!(Traversal::of(&traversal.name()), Some(traversal.clone()));
        assert_eq!(
            traversal.to_string(),
            " SEARCH BREADTH FIRST BY a, \"B\" SET s CYCLE a SET m TO 'y' DEFAULT 'n' USING p"
        );
    }
}
