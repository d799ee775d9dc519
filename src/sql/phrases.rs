//! Phrases of PostgreSQL's that sqlparser's grammar lacks, in its tokens before it sees them: each becomes a phrase that it
//! knows. What its tree has no place for goes under a name that nobody can write, since it begins with [`MARK`]; the binder
//! knows these names.
//!
//! | written | becomes |
//! |---|---|
//! | `FETCH FIRST n ROWS ONLY`, `… WITH TIES` | `LIMIT n`, `LIMIT "ties"(n)` |
//! | `(w ORDER BY x ROWS … EXCLUDE TIES)` | `("TIES w" ORDER BY x ROWS …)` |
//! | `SELECT FROM t` | `SELECT "nothing" FROM t` |
//! | `t (a) OVERRIDING SYSTEM VALUE` | `t (a, "SYSTEM")` |
//! | `ON CONFLICT (lower(a)) WHERE b DO …` | `ON CONFLICT DO UPDATE SET "keys" = ARRAY[lower(a)], "where" = (b), …` |
//! | `RANGE BETWEEN '1 day'::interval PRECEDING` | `RANGE BETWEEN ('1 day')::interval PRECEDING` |
//! | `SUBSTRING(a SIMILAR b ESCAPE c)` | `SUBSTRING(a, b, c)` |
//! | `INTERVAL(0) '1.5 s'` | `('1.5 s'::INTERVAL(0))` |
//! | `MERGE INTO t USING a JOIN b ON x ON y WHEN …` | `MERGE INTO t USING (a JOIN b ON x) ON y WHEN …` |
//! | `WHEN NOT MATCHED THEN INSERT DEFAULT VALUES` | `… INSERT ("nothing") VALUES (NULL)` |
//! | `SET a[1] = 2`, `SET a[1:2] = b` | `SET a."[" (1) = 2`, `SET a."[:" (1, 2) = b` |

use super::lex;
use sqlparser::ast::{Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, ObjectNamePart, Value};
use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::{Span, Token, TokenWithSpan};
use std::cell::Cell;

/// Begins a name that nobody can write.
pub const MARK: char = '\0';
/// `LIMIT "ties"(n)`
pub const TIES: &str = "\0ties";
/// The column of a SELECT without columns.
pub const NOTHING: &str = "\0nothing";
/// ON CONFLICT's expressions, its condition, and DO NOTHING, as if they were assigned to.
pub const KEYS: &str = "\0keys";
pub const WHERE: &str = "\0where";
/// An element and a slice that are assigned to.
pub const ELEMENT: &str = "\0[";
pub const SLICE: &str = "\0[:";
/// A bound of a slice that is not there.
pub const OMITTED: &str = "\0:";
/// `BETWEEN SYMMETRIC`, as a call of three arguments.
pub const SYMMETRIC: &str = "\0symmetric";

/// `WHERE CURRENT OF`, as a call with the cursor's name.
pub const CURRENT: &str = "\0current";

/// What `*` is called behind a table whose whole row is meant (`t.* IS NULL`).
pub const ROW: &str = "\0row";
/// The name of the argument behind VARIADIC.
pub const VARIADIC: &str = "\0variadic";
/// Begins the name of `JOIN … USING (a) AS name`, as one more column.
pub const JOIN_ALIAS: &str = "\0join ";

/// The cursor that a condition of [`CURRENT`] names.
pub fn cursor_of(condition: &Expr) -> Option<&str> {
    let Expr::Function(Function { name, args: FunctionArguments::List(list), .. }) = condition else { return None };
    let [ObjectNamePart::Identifier(ident)] = &name.0[..] else { return None };
    let [FunctionArg::Unnamed(FunctionArgExpr::Expr(Expr::Value(cursor)))] = &list.args[..] else { return None };
    match &cursor.value {
        Value::SingleQuotedString(cursor) if ident.value == CURRENT => Some(cursor),
        _ => None,
    }
}

/// What a frame's EXCLUDE is, and the name of the window that it is added to.
pub fn exclusion(name: &str) -> Option<(&str, Option<&str>)> {
    let (what, base) = name.strip_prefix(MARK)?.split_once(MARK)?;
    Some((what, Some(base).filter(|base| !base.is_empty())))
}

/// What OVERRIDING says, as a column's name.
pub fn overriding(column: &str) -> Option<&str> {
    column.strip_prefix(MARK)
}

pub fn rephrase(tokens: Vec<TokenWithSpan>) -> Vec<TokenWithSpan> {
    let words = |token: &TokenWithSpan| {
        ["FETCH", "EXCLUDE", "SELECT", "OVERRIDING", "CONFLICT", "SET", "INTERVAL", "SUBSTRING", "MERGE"]
            .into_iter()
            .any(|word| is(Some(token), word))
    };
    let parts = || tokens.iter().any(|t| is(Some(t), "INSERT")) && tokens.iter().any(|t| t.token == Token::LBracket);
    if !tokens.iter().any(words) && !parts() {
        return tokens;
    }
    let (out, looks) = (Vec::with_capacity(tokens.len() + 8), Cell::new(8 * tokens.len()));
    let mut work = Work {
        tokens,
        at: 0,
        out,
        opens: Vec::new(),
        similar: Vec::new(),
        sets: vec![false],
        groups: Vec::new(),
        looks,
    };
    while work.at < work.tokens.len() {
        work.step();
    }
    work.out
}

struct Work {
    tokens: Vec<TokenWithSpan>,
    /// The next token to read.
    at: usize,
    out: Vec<TokenWithSpan>,
    /// Where in `out` each open parenthesis' content begins.
    opens: Vec<usize>,
    /// How many of them were open where SUBSTRING's SIMILAR stood, of those whose ESCAPE has not come.
    similar: Vec<usize>,
    /// Whether assignments are listed: within each open parenthesis, and outside of all.
    sets: Vec<bool>,
    /// What each open parenthesis is of.
    groups: Vec<Group>,
    /// How many tokens may still be looked at ahead: what is no phrase after all is not to cost more than it is long.
    looks: Cell<usize>,
}

/// What a parenthesis is of.
#[derive(Clone, Copy, PartialEq)]
enum Group {
    Other,
    /// GROUPING SETS
    Sets,
    /// GROUPING SETS within such a list: it was left out.
    Within,
}

fn is(token: Option<&TokenWithSpan>, word: &str) -> bool {
    match token.map(|t| &t.token) {
        Some(Token::Word(w)) => w.quote_style.is_none() && w.value.eq_ignore_ascii_case(word),
        _ => false,
    }
}

fn is_any(token: Option<&TokenWithSpan>, words: &[&str]) -> bool {
    words.iter().any(|word| is(token, word))
}

impl Work {
    fn ahead(&self, n: usize) -> Option<&TokenWithSpan> {
        self.tokens.get(self.at + n)
    }

    fn symbol(&self, n: usize) -> Option<&Token> {
        self.ahead(n).map(|t| &t.token)
    }

    fn span(&self) -> Span {
        self.ahead(0).or(self.tokens.last()).map_or(Span::empty(), |t| t.span)
    }

    fn emit(&mut self, token: Token) {
        let span = self.span();
        self.out.push(TokenWithSpan { token, span });
    }

    fn emit_word(&mut self, word: &str) {
        self.emit(Token::make_word(word, None));
    }

    /// A name that nobody can write.
    fn emit_name(&mut self, name: &str) {
        self.emit(Token::make_word(name, Some('"')));
    }

    /// Copies the tokens up to the one with this number.
    fn copy_to(&mut self, end: usize) {
        let end = end.min(self.tokens.len());
        self.out.extend_from_slice(&self.tokens[self.at..end]);
        self.at = end;
    }

    /// The number of the first token from `from` on, outside of brackets, that `stop` accepts.
    fn find(&self, from: usize, stop: impl Fn(&TokenWithSpan) -> bool) -> Option<usize> {
        let mut depth = 0usize;
        for (i, token) in self.tokens.iter().enumerate().skip(from) {
            self.looks.set(self.looks.get().checked_sub(1)?);
            if depth == 0 && stop(token) {
                return Some(i);
            }
            match token.token {
                Token::LParen | Token::LBracket => depth += 1,
                Token::RParen | Token::RBracket => depth = depth.checked_sub(1)?,
                _ => {}
            }
        }
        None
    }

    fn step(&mut self) {
        let Some(token) = self.ahead(0) else { return };
        // Whether a phrase was rewritten and with it passed.
        let passed = match &token.token {
            Token::LParen => {
                self.groups.push(match self.out.as_slice() {
                    [.., grouping, sets] if is(Some(grouping), "GROUPING") && is(Some(sets), "SETS") => Group::Sets,
                    _ => Group::Other,
                });
                self.copy_to(self.at + 1);
                self.opens.push(self.out.len());
                self.sets.push(false);
                return;
            }
            Token::RParen => {
                if self.groups.pop() == Some(Group::Within) {
                    self.at += 1;
                    return;
                }
                self.opens.pop();
                if self.sets.len() > 1 {
                    self.sets.pop();
                }
                None
            }
            Token::Comma if self.sets.last() == Some(&true) => {
                self.copy_to(self.at + 1);
                return self.target();
            }
            Token::SingleQuotedString(_) if matches!(self.symbol(1), Some(Token::DoubleColon)) && self.in_frame() => {
                self.emit(Token::LParen);
                self.copy_to(self.at + 1);
                return self.emit(Token::RParen);
            }
            Token::Word(word) if word.quote_style.is_none() => match word.keyword {
                Keyword::SELECT if !self.is_label() => return self.select(),
                Keyword::INTERVAL => self.interval(),
                Keyword::SET => {
                    self.copy_to(self.at + 1);
                    if let Some(set) = self.sets.last_mut() {
                        *set = true;
                    }
                    return self.target();
                }
                Keyword::WHERE | Keyword::RETURNING => {
                    self.end_of_set();
                    None
                }
                Keyword::FROM if !is(self.out.last(), "DISTINCT") => {
                    self.end_of_set();
                    None
                }
                Keyword::FETCH => self.fetch(),
                Keyword::ON if is(self.ahead(1), "CONFLICT") => self.conflict(),
                Keyword::USING if self.merges() => self.joined_source(),
                Keyword::INSERT if is(self.ahead(1), "DEFAULT") && is(self.out.last(), "THEN") => self.default_row(),
                Keyword::INSERT if is(self.ahead(1), "INTO") => self.insert_targets(),
                Keyword::GROUPING if self.groups.last().is_some_and(|group| *group != Group::Other) => {
                    self.sets_within()
                }
                Keyword::ALL if self.out.len() > 1 && is(self.out.last(), "BY") => self.all_groups(),
                Keyword::SIMILAR => self.similar(),
                Keyword::ESCAPE => self.escape(),
                _ if word.value.eq_ignore_ascii_case("EXCLUDE") => self.exclude(),
                _ if word.value.eq_ignore_ascii_case("OVERRIDING") => self.overriding(),
                _ => None,
            },
            _ => None,
        };
        if passed.is_some() {
            return;
        }
        self.copy_to(self.at + 1);
    }

    /// `GROUPING SETS (…)` in such a list: its sets are the list's.
    fn sets_within(&mut self) -> Option<()> {
        if !is(self.ahead(1), "SETS") || self.symbol(2) != Some(&Token::LParen) {
            return None;
        }
        self.groups.push(Group::Within);
        self.at += 3;
        Some(())
    }

    /// `GROUP BY ALL a, …`, which says what holds without it.
    fn all_groups(&mut self) -> Option<()> {
        let grouped = is(self.out.get(self.out.len().checked_sub(2)?), "GROUP");
        let list = match self.symbol(1) {
            Some(Token::LParen | Token::Number(..)) => true,
            Some(Token::Word(_)) => !is_any(self.ahead(1), &["HAVING", "ORDER", "LIMIT", "WINDOW", "UNION"]),
            _ => false,
        };
        (grouped && list).then(|| self.at += 1)
    }

    /// `INTERVAL(p) '…'`
    fn interval(&mut self) -> Option<()> {
        let tokens = [1, 2, 3, 4].map(|n| self.symbol(n));
        let [Some(Token::LParen), Some(Token::Number(..)), Some(Token::RParen), Some(literal)] = tokens else {
            return None;
        };
        if !matches!(literal, Token::SingleQuotedString(_) | Token::EscapedStringLiteral(_)) {
            return None;
        }
        let end = self.at + 4;
        self.emit(Token::LParen);
        self.out.extend(self.tokens.get(end).cloned());
        self.emit(Token::DoubleColon);
        self.copy_to(end);
        self.emit(Token::RParen);
        self.at += 1;
        Some(())
    }

    /// Whether what comes next is a bound of a window's frame, where sqlparser takes a string for a whole interval.
    fn in_frame(&self) -> bool {
        let (before, word) = match &self.out[..] {
            [.., before, word] => (Some(before), Some(word)),
            _ => return false,
        };
        match is(word, "AND") {
            true => is_any(before, &["PRECEDING", "FOLLOWING", "ROW"]),
            false => is(word, "RANGE") || is(word, "BETWEEN") && is_any(before, &["RANGE", "ROWS", "GROUPS"]),
        }
    }

    fn end_of_set(&mut self) {
        if let Some(set) = self.sets.last_mut() {
            *set = false;
        }
    }

    /// Whether a keyword here is but a name: behind a dot.
    fn is_label(&self) -> bool {
        let before = self.at.checked_sub(1).and_then(|at| self.tokens.get(at));
        before.is_some_and(|token| token.token == Token::Period)
    }

    /// `SELECT [ALL]` without columns.
    fn select(&mut self) {
        const ENDS: [&str; 14] = [
            "FROM",
            "WHERE",
            "GROUP",
            "HAVING",
            "WINDOW",
            "UNION",
            "INTERSECT",
            "EXCEPT",
            "ORDER",
            "LIMIT",
            "OFFSET",
            "FETCH",
            "FOR",
            "ON",
        ];
        let all = usize::from(is(self.ahead(1), "ALL"));
        self.copy_to(self.at + 1 + all);
        let ends = match self.symbol(0) {
            None | Some(Token::RParen | Token::SemiColon) => true,
            _ => is_any(self.ahead(0), &ENDS),
        };
        if ends {
            self.emit_name(NOTHING);
        }
    }

    /// Whether what was read last is `MERGE INTO`, a table and perhaps its alias.
    fn merges(&self) -> bool {
        let names = self.out.iter().rev().take(8);
        let into =
            names.take_while(|t| matches!(t.token, Token::Word(_) | Token::Period)).position(|t| is(Some(t), "INTO"));
        let before = into.and_then(|into| self.out.len().checked_sub(into + 2)).and_then(|at| self.out.get(at));
        is(before, "MERGE")
    }

    /// `USING a JOIN b ON … ON … WHEN`
    fn joined_source(&mut self) -> Option<()> {
        let start = self.at + 1;
        let end = self.find(start, |t| is(Some(t), "WHEN"))?;
        let join = self.find(start, |t| is(Some(t), "JOIN")).filter(|join| *join < end)?;
        let mut on = None;
        let mut from = join;
        while let Some(next) = self.find(from, |t| is_any(Some(t), &["ON", "WHEN"])).filter(|next| *next < end) {
            (on, from) = (Some(next), next + 1);
        }
        let on = on?;
        self.copy_to(start);
        self.emit(Token::LParen);
        self.copy_to(on);
        self.emit(Token::RParen);
        Some(())
    }

    /// `INSERT DEFAULT VALUES` of MERGE.
    fn default_row(&mut self) -> Option<()> {
        if !is(self.ahead(2), "VALUES") {
            return None;
        }
        self.copy_to(self.at + 1);
        self.emit(Token::LParen);
        self.emit_name(NOTHING);
        self.emit(Token::RParen);
        self.emit_word("VALUES");
        self.emit(Token::LParen);
        self.emit_word("NULL");
        self.emit(Token::RParen);
        self.at += 2;
        Some(())
    }

    /// `FETCH FIRST [n] ROWS ONLY`
    fn fetch(&mut self) -> Option<()> {
        if !is_any(self.ahead(1), &["FIRST", "NEXT"]) {
            return None;
        }
        let start = self.at + 2;
        let rows = self.find(start, |t| is_any(Some(t), &["ROW", "ROWS"]))?;
        let after = (self.tokens.get(rows + 1), self.tokens.get(rows + 2));
        let ties = is(after.0, "WITH") && is(after.1, "TIES");
        if !ties && !is(after.0, "ONLY") {
            return None;
        }
        self.emit_word("LIMIT");
        if ties {
            self.emit_name(TIES);
            self.emit(Token::LParen);
        }
        if start == rows {
            self.emit(Token::Number("1".into(), false));
        }
        self.at = start;
        self.copy_to(rows);
        if ties {
            self.emit(Token::RParen);
        }
        self.at = rows + if ties { 3 } else { 2 };
        Some(())
    }

    /// `SIMILAR` within the parentheses of `SUBSTRING`.
    fn similar(&mut self) -> Option<()> {
        let name = self.opens.last()?.checked_sub(2)?;
        if is(self.ahead(1), "TO") || !is(self.out.get(name), "SUBSTRING") {
            return None;
        }
        self.similar.push(self.opens.len());
        self.emit(Token::Comma);
        self.at += 1;
        Some(())
    }

    /// Its `ESCAPE`.
    fn escape(&mut self) -> Option<()> {
        self.similar.pop_if(|open| *open == self.opens.len())?;
        self.emit(Token::Comma);
        self.at += 1;
        Some(())
    }

    /// `EXCLUDE TIES)`
    fn exclude(&mut self) -> Option<()> {
        let (what, length) = match () {
            () if is(self.ahead(1), "CURRENT") && is(self.ahead(2), "ROW") => ("CURRENT ROW", 3),
            () if is(self.ahead(1), "NO") && is(self.ahead(2), "OTHERS") => ("NO OTHERS", 3),
            () if is(self.ahead(1), "GROUP") => ("GROUP", 2),
            () if is(self.ahead(1), "TIES") => ("TIES", 2),
            () => return None,
        };
        let open = *self.opens.last()?;
        if self.symbol(length) != Some(&Token::RParen) {
            return None;
        }
        let begins = ["PARTITION", "ORDER", "RANGE", "ROWS", "GROUPS"];
        let base = match self.out.get(open) {
            Some(first) if is_any(Some(first), &begins) => None,
            Some(TokenWithSpan { token: Token::Word(word), .. }) => Some(match word.quote_style {
                Some(_) => word.value.clone(),
                None => lex::identifier(&word.value),
            }),
            _ => return None,
        };
        let name = format!("{MARK}{what}{MARK}{}", base.as_deref().unwrap_or_default());
        let mark = TokenWithSpan { token: Token::make_word(&name, Some('"')), span: self.span() };
        match base {
            Some(_) => self.out[open] = mark,
            None => self.out.insert(open, mark),
        }
        self.at += length;
        Some(())
    }

    /// `OVERRIDING SYSTEM VALUE`, behind the columns of INSERT.
    fn overriding(&mut self) -> Option<()> {
        let what = ["SYSTEM", "USER"].into_iter().find(|word| is(self.ahead(1), word))?;
        if !is(self.ahead(2), "VALUE") {
            return None;
        }
        match self.out.last().map(|t| &t.token) {
            Some(Token::RParen) => {
                self.out.pop();
                self.emit(Token::Comma);
            }
            _ => self.emit(Token::LParen),
        }
        self.emit_name(&format!("{MARK}{what}"));
        self.emit(Token::RParen);
        self.at += 3;
        Some(())
    }

    /// `ON CONFLICT (…) [WHERE …] DO`, unless it names columns only.
    fn conflict(&mut self) -> Option<()> {
        if self.symbol(2) != Some(&Token::LParen) {
            return None;
        }
        let start = self.at + 3;
        let close = self.find(start, |t| t.token == Token::RParen)?;
        let filter = is(self.tokens.get(close + 1), "WHERE");
        let end = if filter { self.find(close + 2, |t| is(Some(t), "DO"))? } else { close + 1 };
        let mut elements = Vec::new();
        let mut from = start;
        while from < close {
            let to = self.find(from, |t| matches!(t.token, Token::Comma | Token::RParen))?;
            elements.push(from..self.without_operator_class(from, to));
            from = to + 1;
        }
        let plain = |e: &std::ops::Range<usize>| e.len() == 1 && matches!(self.tokens[e.start].token, Token::Word(_));
        let nothing = is(self.tokens.get(end), "DO") && is(self.tokens.get(end + 1), "NOTHING");
        let update = is(self.tokens.get(end), "DO")
            && is(self.tokens.get(end + 1), "UPDATE")
            && is(self.tokens.get(end + 2), "SET");
        if elements.is_empty() || !filter && elements.iter().all(plain) || !nothing && !update {
            return None;
        }
        self.copy_to(self.at + 2);
        for word in ["DO", "UPDATE", "SET"] {
            self.emit_word(word);
        }
        self.emit_name(KEYS);
        self.emit(Token::Eq);
        self.emit_word("ARRAY");
        self.emit(Token::LBracket);
        for (i, element) in elements.into_iter().enumerate() {
            if i > 0 {
                self.emit(Token::Comma);
            }
            self.at = element.start;
            self.copy_to(element.end);
        }
        self.emit(Token::RBracket);
        if filter {
            self.emit(Token::Comma);
            self.emit_name(WHERE);
            self.emit(Token::Eq);
            self.emit(Token::LParen);
            self.at = close + 2;
            self.copy_to(end);
            self.emit(Token::RParen);
        }
        self.emit(Token::Comma);
        self.at = end + if update { 3 } else { 2 };
        if nothing {
            self.emit_name(NOTHING);
            self.emit(Token::Eq);
            self.emit_word("NULL");
        } else if let Some(set) = self.sets.last_mut() {
            *set = true;
            self.target();
        }
        Some(())
    }

    /// The end of an element of ON CONFLICT without its operator class: it decides nothing here.
    fn without_operator_class(&self, from: usize, to: usize) -> usize {
        let [.., before, last] = &self.tokens[from..to] else { return to };
        let name = |t: &TokenWithSpan| matches!(&t.token, Token::Word(_));
        let operand = (name(before) || before.token == Token::RParen) && !is(Some(before), "COLLATE");
        if name(last) && operand { to - 1 } else { to }
    }

    /// `a[1]` where a column is assigned to.
    fn target(&mut self) {
        let mut end = self.at;
        while matches!(self.tokens.get(end).map(|t| &t.token), Some(Token::Word(_))) {
            end += 1;
            match self.tokens.get(end).map(|t| &t.token) {
                Some(Token::Period) => end += 1,
                _ => break,
            }
        }
        if end == self.at || self.tokens.get(end).map(|t| &t.token) != Some(&Token::LBracket) {
            return;
        }
        // Only what is assigned to: all brackets, then `=`.
        let mut close = end;
        while self.tokens.get(close).map(|t| &t.token) == Some(&Token::LBracket) {
            let Some(found) = self.find(close + 1, |t| t.token == Token::RBracket) else { return };
            close = found + 1;
        }
        if self.tokens.get(close).map(|t| &t.token) != Some(&Token::Eq) {
            return;
        }
        self.copy_to(end);
        self.subscripts();
    }

    /// `INSERT INTO t (a[1], b[1:2]) …`
    fn insert_targets(&mut self) -> Option<()> {
        let mut open = self.at + 3;
        while self.tokens.get(open)?.token == Token::Period {
            open += 2;
        }
        if is(self.tokens.get(open), "AS") {
            open += 2;
        }
        if self.tokens.get(open)?.token != Token::LParen {
            return None;
        }
        let (mut at, mut parts) = (open + 1, false);
        loop {
            if !matches!(self.tokens.get(at)?.token, Token::Word(_)) {
                return None;
            }
            at += 1;
            while self.tokens.get(at)?.token == Token::LBracket {
                at = self.find(at + 1, |t| t.token == Token::RBracket)? + 1;
                parts = true;
            }
            match self.tokens.get(at)?.token {
                Token::Comma => at += 1,
                Token::RParen => break,
                _ => return None,
            }
        }
        if !parts {
            return None;
        }
        self.copy_to(open + 1);
        while self.at < at {
            self.copy_to(self.at + 1);
            self.subscripts();
        }
        self.copy_to(at + 1);
        Some(())
    }

    /// Subscripts of what is assigned to, as parts of its name.
    fn subscripts(&mut self) {
        while self.symbol(0) == Some(&Token::LBracket) {
            let Some(close) = self.find(self.at + 1, |t| t.token == Token::RBracket) else { return };
            let colon = self.find(self.at + 1, |t| matches!(t.token, Token::Colon | Token::RBracket));
            let colon = colon.filter(|colon| *colon < close);
            self.emit(Token::Period);
            self.emit_name(if colon.is_some() { SLICE } else { ELEMENT });
            self.emit(Token::LParen);
            self.at += 1;
            if let Some(colon) = colon {
                self.bound(colon);
                self.emit(Token::Comma);
                self.at = colon + 1;
            }
            self.bound(close);
            self.emit(Token::RParen);
            self.at = close + 1;
        }
    }

    /// A subscript up to the token with this number.
    fn bound(&mut self, end: usize) {
        if self.at == end {
            self.emit_name(OMITTED);
        }
        self.copy_to(end);
    }
}
