//! `jsonpath`: paths through JSON values (PostgreSQL documentation, "The SQL/JSON Path Language").
//!
//! A path is stored as PostgreSQL prints it, and parsed where it is used. Evaluation gives a sequence of items; in lax mode
//! arrays are opened and values taken for arrays of one where that makes a path fit, in strict mode what does not fit is an
//! error. Predicates are three-valued: an error within one makes it unknown.

mod lex;

use lex::{Found, Token, syntax, tokens};

use super::deep;
use super::from_char;
use super::json::{self, Json};
use super::numeric::Numeric;
use super::zone::Zone;
use crate::error::{SqlError, SqlResult, SqlState, state};
use crate::meter;
use std::cell::Cell;
use std::cmp::Ordering;
use std::fmt::Write as _;

const MEMBER_NOT_FOUND: SqlState = SqlState::new("2203A");
const ARRAY_NOT_FOUND: SqlState = SqlState::new("22039");
const OBJECT_NOT_FOUND: SqlState = SqlState::new("2203C");
const INVALID_SUBSCRIPT: SqlState = SqlState::new("22033");
const NOT_A_NUMBER: SqlState = SqlState::new("2203B");
const NOT_SINGLE: SqlState = SqlState::new("22038");
const NON_NUMERIC: SqlState = SqlState::new("22036");
const NOT_A_TIME: SqlState = SqlState::new("22031");
/// What `datetime()` tries without a template, in this order: the forms of ISO 8601.
const DATETIME_TEMPLATES: [&str; 19] = [
    "yyyy-mm-dd",
    "HH24:MI:SS.USTZH:TZM",
    "HH24:MI:SS.USTZH",
    "HH24:MI:SSTZH:TZM",
    "HH24:MI:SSTZH",
    "HH24:MI:SS.US",
    "HH24:MI:SS",
    "yyyy-mm-dd HH24:MI:SS.USTZH:TZM",
    "yyyy-mm-dd HH24:MI:SS.USTZH",
    "yyyy-mm-dd HH24:MI:SSTZH:TZM",
    "yyyy-mm-dd HH24:MI:SSTZH",
    "yyyy-mm-dd\"T\"HH24:MI:SS.USTZH:TZM",
    "yyyy-mm-dd\"T\"HH24:MI:SS.USTZH",
    "yyyy-mm-dd\"T\"HH24:MI:SSTZH:TZM",
    "yyyy-mm-dd\"T\"HH24:MI:SSTZH",
    "yyyy-mm-dd HH24:MI:SS.US",
    "yyyy-mm-dd HH24:MI:SS",
    "yyyy-mm-dd\"T\"HH24:MI:SS.US",
    "yyyy-mm-dd\"T\"HH24:MI:SS",
];
/// Operators, steps and brackets that a path may have: what is made of them is as deep as they are many, and has to fit the
/// stack.
const MAX_PARTS: usize = 400;

/// A parsed path.
#[derive(Clone, Debug, PartialEq)]
pub struct Path {
    strict: bool,
    expr: Expr,
}

#[derive(Clone, Debug, PartialEq)]
enum Expr {
    Root,
    Current,
    Last,
    Variable(String),
    Literal(Json),
    Access(Box<Expr>, Step),
    /// `+` or `-`
    Sign(char, Box<Expr>),
    Arithmetic(char, Box<Expr>, Box<Expr>),
    Compare(&'static str, Box<Expr>, Box<Expr>),
    And(Box<Expr>, Box<Expr>),
    Or(Box<Expr>, Box<Expr>),
    Not(Box<Expr>),
    IsUnknown(Box<Expr>),
    Exists(Box<Expr>),
    StartsWith(Box<Expr>, Box<Expr>),
    LikeRegex(Box<Expr>, String, String),
}

#[derive(Clone, Debug, PartialEq)]
enum Step {
    Key(String),
    AnyKey,
    /// `.**`, between these levels.
    Any(u32, u32),
    AnyElement,
    Elements(Vec<(Expr, Option<Expr>)>),
    Filter(Box<Expr>),
    Method(&'static str),
    /// With its template.
    DateTime(Option<String>),
}

const METHODS: [&str; 7] = ["type", "size", "double", "ceiling", "floor", "abs", "keyvalue"];

impl Expr {
    fn is_predicate(&self) -> bool {
        matches!(
            self,
            Expr::Compare(..)
                | Expr::And(..)
                | Expr::Or(..)
                | Expr::Not(_)
                | Expr::IsUnknown(_)
                | Expr::Exists(_)
                | Expr::StartsWith(..)
                | Expr::LikeRegex(..)
        )
    }

    /// As operands bind: the higher, the tighter.
    fn rank(&self) -> u8 {
        match self {
            Expr::Or(..) => 0,
            Expr::And(..) => 1,
            Expr::Compare(..) | Expr::StartsWith(..) | Expr::LikeRegex(..) => 2,
            Expr::Arithmetic('+' | '-', ..) => 3,
            Expr::Arithmetic(..) => 4,
            Expr::Sign(..) => 5,
            _ => 6,
        }
    }
}

// ---- parsing ----

/// How operators bind, the loosest first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Or,
    And,
    Comparison,
    Sum,
    Product,
}

struct Parser {
    tokens: Vec<Found>,
    at: usize,
    parts: usize,
    /// Within a filter: `@` has a meaning.
    filters: usize,
    /// Within `[…]`: `last` has one.
    subscripts: usize,
}

impl Parser {
    fn token(&self) -> Option<&Token> {
        self.tokens.get(self.at).map(|(token, _)| token)
    }

    fn sign(&self) -> Option<&'static str> {
        match self.token() {
            Some(Token::Sign(sign)) => Some(sign),
            _ => None,
        }
    }

    fn eat(&mut self, sign: &str) -> bool {
        let found = self.sign() == Some(sign);
        self.at += usize::from(found);
        found
    }

    fn word(&self) -> Option<&str> {
        match self.token() {
            Some(Token::Word(word)) => Some(word),
            _ => None,
        }
    }

    /// Words of the language are in any case.
    fn is_word(&self, wanted: &str) -> bool {
        self.word().is_some_and(|word| word.eq_ignore_ascii_case(wanted))
    }

    fn eat_word(&mut self, wanted: &str) -> bool {
        let found = self.is_word(wanted);
        self.at += usize::from(found);
        found
    }

    fn wrong<T>(&self) -> SqlResult<T> {
        Err(syntax(self.tokens.get(self.at).map_or("", |(_, text)| text)))
    }

    fn expect(&mut self, sign: &str) -> SqlResult<()> {
        if self.eat(sign) { Ok(()) } else { self.wrong() }
    }

    fn value(&self, expr: Expr) -> SqlResult<Box<Expr>> {
        if expr.is_predicate() { self.wrong() } else { Ok(Box::new(expr)) }
    }

    fn predicate(&self, expr: Expr) -> SqlResult<Box<Expr>> {
        if expr.is_predicate() { Ok(Box::new(expr)) } else { self.wrong() }
    }

    /// Counts a part.
    fn part(&mut self) -> SqlResult<()> {
        self.parts += 1;
        match self.parts > MAX_PARTS {
            true => Err(SqlError::new(state::STATEMENT_TOO_COMPLEX, "stack depth limit exceeded")),
            false => Ok(()),
        }
    }

    /// Anything that may stand in brackets.
    fn or(&mut self) -> SqlResult<Expr> {
        self.part()?;
        self.binary(Rank::Or)
    }

    /// How the operator here binds, if there is one.
    fn rank(&self) -> Option<Rank> {
        Some(match self.sign() {
            Some("||") => Rank::Or,
            Some("&&") => Rank::And,
            Some("==" | "=" | "!=" | "<>" | "<" | "<=" | ">" | ">=") => Rank::Comparison,
            Some("+" | "-") => Rank::Sum,
            Some("*" | "/" | "%") => Rank::Product,
            _ if self.is_word("starts") || self.is_word("like_regex") => Rank::Comparison,
            _ => return None,
        })
    }

    /// Operands and operators that bind at least so.
    fn binary(&mut self, least: Rank) -> SqlResult<Expr> {
        let mut left = self.unary()?;
        // A comparison is not compared.
        let mut most = Rank::Product;
        while let Some(rank) = self.rank().filter(|rank| (least..=most).contains(rank)) {
            left = self.operate(left, rank)?;
            if rank <= Rank::Comparison {
                most = most.min(if rank == Rank::Comparison { Rank::And } else { rank });
            }
        }
        Ok(left)
    }

    fn operate(&mut self, left: Expr, rank: Rank) -> SqlResult<Expr> {
        if rank == Rank::Comparison {
            return self.comparison(left);
        }
        self.part()?;
        let sign = self.sign().unwrap_or_default();
        self.at += 1;
        Ok(match rank {
            Rank::Or => {
                let right = self.binary(Rank::And)?;
                Expr::Or(self.predicate(left)?, self.predicate(right)?)
            }
            Rank::And => {
                let right = self.binary(Rank::Comparison)?;
                Expr::And(self.predicate(left)?, self.predicate(right)?)
            }
            _ => {
                let right = if rank == Rank::Sum { self.binary(Rank::Product)? } else { self.unary()? };
                let operator = sign.chars().next().unwrap_or('*');
                Expr::Arithmetic(operator, self.value(left)?, self.value(right)?)
            }
        })
    }

    fn comparison(&mut self, left: Expr) -> SqlResult<Expr> {
        let operator = match self.sign() {
            Some("==" | "=") => "==",
            Some("!=" | "<>") => "!=",
            Some("<") => "<",
            Some("<=") => "<=",
            Some(">") => ">",
            Some(">=") => ">=",
            _ if self.eat_word("starts") => {
                if !self.eat_word("with") {
                    return self.wrong();
                }
                let prefix = match self.token() {
                    Some(Token::Text(text)) => Expr::Literal(Json::String(text.clone())),
                    Some(Token::Variable(name)) => Expr::Variable(name.clone()),
                    _ => return self.wrong(),
                };
                self.at += 1;
                return Ok(Expr::StartsWith(self.value(left)?, Box::new(prefix)));
            }
            _ if self.eat_word("like_regex") => {
                let Some(Token::Text(pattern)) = self.token().cloned() else { return self.wrong() };
                self.at += 1;
                let mut flags = String::new();
                if self.eat_word("flag") {
                    let Some(Token::Text(given)) = self.token().cloned() else { return self.wrong() };
                    if let Some(odd) = given.chars().find(|c| !"ismxq".contains(*c)) {
                        let detail = format!("Unrecognized flag character \"{odd}\" in LIKE_REGEX predicate.");
                        return Err(SqlError::syntax("invalid input syntax for type jsonpath").detail(detail));
                    }
                    if given.contains('x') && !given.contains('q') {
                        let text = "XQuery \"x\" flag (expanded regular expressions) is not implemented";
                        return Err(SqlError::new(state::FEATURE_NOT_SUPPORTED, text));
                    }
                    flags = "ismxq".chars().filter(|flag| given.contains(*flag)).collect();
                    self.at += 1;
                }
                return Ok(Expr::LikeRegex(self.value(left)?, pattern, flags));
            }
            _ => return self.wrong(),
        };
        self.at += 1;
        let right = self.binary(Rank::Sum)?;
        Ok(Expr::Compare(operator, self.value(left)?, self.value(right)?))
    }

    fn unary(&mut self) -> SqlResult<Expr> {
        deep(|| self.operand())
    }

    fn operand(&mut self) -> SqlResult<Expr> {
        self.part()?;
        for sign in ['+', '-'] {
            if self.eat(if sign == '+' { "+" } else { "-" }) {
                let operand = self.unary()?;
                // A number with its sign is one.
                return Ok(match (sign, operand) {
                    ('+', number @ Expr::Literal(Json::Number(_))) => number,
                    ('-', Expr::Literal(Json::Number(n))) => {
                        Expr::Literal(Json::Number(Numeric::parse(&n)?.neg().to_string()))
                    }
                    (_, operand) => Expr::Sign(sign, self.value(operand)?),
                });
            }
        }
        if self.eat("!") {
            let negated = if self.is_word("exists") {
                self.primary()?
            } else {
                self.expect("(")?;
                let inner = self.or()?;
                self.expect(")")?;
                inner
            };
            return Ok(Expr::Not(self.predicate(negated)?));
        }
        if self.eat("(") {
            let first = self.bracket()?;
            return self.steps(first);
        }
        let first = self.primary()?;
        if first.is_predicate() { Ok(first) } else { self.steps(first) }
    }

    fn bracket(&mut self) -> SqlResult<Expr> {
        let inner = self.or()?;
        self.expect(")")?;
        if inner.is_predicate() && self.eat_word("is") {
            if !self.eat_word("unknown") {
                return self.wrong();
            }
            return Ok(Expr::IsUnknown(Box::new(inner)));
        }
        Ok(inner)
    }

    fn primary(&mut self) -> SqlResult<Expr> {
        let Some(token) = self.token().cloned() else { return self.wrong() };
        self.at += 1;
        Ok(match token {
            Token::Sign("$") => Expr::Root,
            Token::Sign("@") if self.filters > 0 => Expr::Current,
            Token::Sign("@") => return Err(SqlError::syntax("@ is not allowed in root expressions")),
            Token::Variable(name) => Expr::Variable(name),
            Token::Number(n) => Expr::Literal(Json::Number(n)),
            Token::Text(text) => Expr::Literal(Json::String(text)),
            // These three are as JSON has them, other words in any case.
            Token::Word(word) => match word.as_str() {
                "true" => Expr::Literal(Json::Bool(true)),
                "false" => Expr::Literal(Json::Bool(false)),
                "null" => Expr::Literal(Json::Null),
                word if word.eq_ignore_ascii_case("last") && self.subscripts > 0 => Expr::Last,
                word if word.eq_ignore_ascii_case("last") => {
                    return Err(SqlError::syntax("LAST is allowed only in array subscripts"));
                }
                word if word.eq_ignore_ascii_case("exists") => {
                    self.expect("(")?;
                    let inner = self.or()?;
                    self.expect(")")?;
                    Expr::Exists(self.value(inner)?)
                }
                _ => {
                    self.at -= 1;
                    return self.wrong();
                }
            },
            Token::Sign(_) => {
                self.at -= 1;
                return self.wrong();
            }
        })
    }

    fn steps(&mut self, mut expr: Expr) -> SqlResult<Expr> {
        loop {
            let step = if self.eat(".") {
                self.member()?
            } else if self.eat("[") {
                self.subscripts += 1;
                let step = self.subscript()?;
                self.subscripts -= 1;
                step
            } else if self.eat("?") {
                self.expect("(")?;
                self.filters += 1;
                let filter = self.or()?;
                self.filters -= 1;
                self.expect(")")?;
                Step::Filter(self.predicate(filter)?)
            } else {
                return Ok(expr);
            };
            self.part()?;
            expr = Expr::Access(Box::new(expr), step);
        }
    }

    fn member(&mut self) -> SqlResult<Step> {
        let Some(token) = self.token().cloned() else { return self.wrong() };
        self.at += 1;
        Ok(match token {
            Token::Sign("*") => Step::AnyKey,
            Token::Sign("**") if self.eat("{") => {
                let from = self.level()?;
                let to = if self.eat_word("to") { self.level()? } else { from };
                self.expect("}")?;
                Step::Any(from, to)
            }
            Token::Sign("**") => Step::Any(0, u32::MAX),
            Token::Text(key) => Step::Key(key),
            Token::Word(word) => {
                if self.sign() != Some("(") {
                    return Ok(Step::Key(word));
                }
                if word.eq_ignore_ascii_case("datetime") {
                    self.expect("(")?;
                    let template = match self.token().cloned() {
                        Some(Token::Text(template)) => {
                            self.at += 1;
                            Some(template)
                        }
                        _ => None,
                    };
                    self.expect(")")?;
                    return Ok(Step::DateTime(template));
                }
                let Some(method) = METHODS.into_iter().find(|m| m.eq_ignore_ascii_case(&word)) else {
                    return self.wrong();
                };
                self.expect("(")?;
                self.expect(")")?;
                Step::Method(method)
            }
            _ => {
                self.at -= 1;
                return self.wrong();
            }
        })
    }

    fn level(&mut self) -> SqlResult<u32> {
        if self.eat_word("last") {
            return Ok(u32::MAX);
        }
        match self.token() {
            Some(Token::Number(n)) => {
                let level = n.parse();
                self.at += 1;
                level.map_err(|_| syntax(""))
            }
            _ => self.wrong(),
        }
    }

    fn subscript(&mut self) -> SqlResult<Step> {
        if self.eat("*") {
            self.expect("]")?;
            return Ok(Step::AnyElement);
        }
        let mut elements = Vec::new();
        loop {
            let from = self.binary(Rank::Sum)?;
            let from = *self.value(from)?;
            let to = match self.eat_word("to") {
                true => {
                    let to = self.binary(Rank::Sum)?;
                    Some(*self.value(to)?)
                }
                false => None,
            };
            elements.push((from, to));
            if !self.eat(",") {
                self.expect("]")?;
                return Ok(Step::Elements(elements));
            }
        }
    }
}

/// Reads a path. Errors: 42601, 22P02.
pub fn parse(text: &str) -> SqlResult<Path> {
    let mut parser = Parser { tokens: tokens(text)?, at: 0, parts: 0, filters: 0, subscripts: 0 };
    if parser.tokens.is_empty() {
        let text = format!("invalid input syntax for type jsonpath: \"{text}\"");
        return Err(SqlError::new(state::INVALID_TEXT_REPRESENTATION, text));
    }
    let strict = parser.eat_word("strict");
    if !strict {
        parser.eat_word("lax");
    }
    let expr = parser.or()?;
    match parser.at == parser.tokens.len() {
        true => Ok(Path { strict, expr }),
        false => parser.wrong(),
    }
}

// ---- writing ----

impl Path {
    /// As PostgreSQL prints it.
    pub fn to_text(&self) -> String {
        let mut out = String::from(if self.strict { "strict " } else { "" });
        write_expr(&self.expr, matches!(self.expr.rank(), 0..=5), &mut out);
        out
    }
}

/// PostgreSQL puts every operation in parentheses.
fn write_expr(expr: &Expr, brackets: bool, out: &mut String) {
    deep(|| write_one(expr, brackets, out));
}

fn write_one(expr: &Expr, brackets: bool, out: &mut String) {
    let open = brackets && expr.rank() < 6;
    out.push_str(if open { "(" } else { "" });
    let mut both = |left: &Expr, word: &str, right: &Expr| {
        write_expr(left, left.rank() <= expr.rank(), out);
        let _ = write!(out, " {word} ");
        write_expr(right, right.rank() <= expr.rank(), out);
    };
    match expr {
        Expr::Root => out.push('$'),
        Expr::Current => out.push('@'),
        Expr::Last => out.push_str("last"),
        Expr::Variable(name) => {
            out.push('$');
            json::push_string(name, out);
        }
        Expr::Literal(json) => out.push_str(&json.to_text()),
        Expr::Access(base, step) => {
            // What follows a number must not look like a part of it.
            let number = matches!(**base, Expr::Literal(Json::Number(_)));
            out.push_str(if number { "(" } else { "" });
            write_expr(base, true, out);
            out.push_str(if number { ")" } else { "" });
            write_step(step, out);
        }
        Expr::Sign(sign, operand) => {
            out.push(*sign);
            write_expr(operand, operand.rank() <= expr.rank(), out);
        }
        Expr::Arithmetic(sign, left, right) => both(left, &sign.to_string(), right),
        Expr::Compare(word, left, right) => both(left, word, right),
        Expr::And(left, right) => both(left, "&&", right),
        Expr::Or(left, right) => both(left, "||", right),
        Expr::StartsWith(left, right) => both(left, "starts with", right),
        Expr::Not(inner) => {
            out.push_str("!(");
            write_expr(inner, false, out);
            out.push(')');
        }
        Expr::IsUnknown(inner) => {
            out.push('(');
            write_expr(inner, false, out);
            out.push_str(") is unknown");
        }
        Expr::Exists(inner) => {
            out.push_str("exists (");
            write_expr(inner, false, out);
            out.push(')');
        }
        Expr::LikeRegex(value, pattern, flags) => {
            write_expr(value, value.rank() <= expr.rank(), out);
            out.push_str(" like_regex ");
            json::push_string(pattern, out);
            if !flags.is_empty() {
                let _ = write!(out, " flag \"{flags}\"");
            }
        }
    }
    out.push_str(if open { ")" } else { "" });
}

fn write_step(step: &Step, out: &mut String) {
    let level = |n: u32| if n == u32::MAX { "last".to_owned() } else { n.to_string() };
    match step {
        Step::Key(key) => {
            out.push('.');
            json::push_string(key, out);
        }
        Step::AnyKey => out.push_str(".*"),
        Step::Any(0, u32::MAX) => out.push_str(".**"),
        Step::Any(from, to) if from == to => {
            let _ = write!(out, ".**{{{}}}", level(*from));
        }
        Step::Any(from, to) => {
            let _ = write!(out, ".**{{{} to {}}}", level(*from), level(*to));
        }
        Step::AnyElement => out.push_str("[*]"),
        Step::Elements(elements) => {
            out.push('[');
            for (i, (from, to)) in elements.iter().enumerate() {
                out.push_str(if i > 0 { "," } else { "" });
                write_expr(from, false, out);
                if let Some(to) = to {
                    out.push_str(" to ");
                    write_expr(to, false, out);
                }
            }
            out.push(']');
        }
        Step::Filter(filter) => {
            out.push_str("?(");
            write_expr(filter, false, out);
            out.push(')');
        }
        Step::Method(method) => {
            let _ = write!(out, ".{method}()");
        }
        Step::DateTime(template) => {
            out.push_str(".datetime(");
            if let Some(template) = template {
                json::push_string(template, out);
            }
            out.push(')');
        }
    }
}

// ---- evaluation ----

/// Whether a text matches a regular expression with flags: what `like_regex` asks.
pub type Matches<'a> = &'a dyn Fn(&str, &str, &str) -> SqlResult<bool>;

/// What a path is asked under.
#[derive(Clone, Copy)]
pub struct Terms<'a> {
    pub variables: Option<&'a Json>,
    pub matches: Matches<'a>,
    /// The zone of times without one, and today there, in days since 2000; without, such times are not compared with others.
    pub local: Option<(&'a Zone, i64)>,
}

struct Run<'a> {
    strict: bool,
    /// Whether what does not fit is passed over: in lax mode, and behind `.**`.
    lenient: Cell<bool>,
    root: &'a Json,
    terms: Terms<'a>,
}

/// What surrounds an expression.
#[derive(Clone, Copy)]
struct Scope<'a> {
    current: &'a Json,
    /// The number of the last element of the array that is subscripted.
    last: i64,
}

/// Takes the next item; whether to go on.
type Emit<'e> = &'e mut dyn FnMut(Json) -> SqlResult<bool>;

impl Path {
    /// It is a condition, which gives true, false or null.
    pub fn is_predicate(&self) -> bool {
        self.expr.is_predicate()
    }

    pub fn is_strict(&self) -> bool {
        self.strict
    }

    /// Hands out the items that it leads to, one after the other, until it is told to stop. Errors: those of the path, which
    /// some callers suppress, keeping what came before, and the meter's.
    pub fn query(&self, root: &Json, terms: Terms<'_>, emit: &mut dyn FnMut(Json) -> SqlResult<bool>) -> SqlResult<()> {
        let run = Run { strict: self.strict, lenient: Cell::new(!self.strict), root, terms };
        let scope = Scope { current: root, last: -1 };
        run.items(&self.expr, scope, emit).map(drop)
    }
}

/// Errors that a path may have by itself: class 22 but for the meter's.
pub fn is_of_path(error: &SqlError) -> bool {
    error.code.0.starts_with(b"22")
}

fn number(json: &Json) -> Option<SqlResult<Numeric>> {
    match json {
        Json::Number(n) => Some(Numeric::parse(n)),
        _ => None,
    }
}

impl Run<'_> {
    /// Opens arrays in lax mode.
    fn opened(&self, items: Vec<Json>) -> Vec<Json> {
        if self.strict {
            return items;
        }
        let mut out = Vec::with_capacity(items.len());
        for item in items {
            match item {
                Json::Array(inner) => out.extend(inner),
                item => out.push(item),
            }
        }
        out
    }

    fn all(&self, expr: &Expr, scope: Scope<'_>) -> SqlResult<Vec<Json>> {
        let mut out = Vec::new();
        self.items(expr, scope, &mut |item| {
            out.push(item);
            Ok(true)
        })?;
        Ok(out)
    }

    /// Whether it came to its end.
    fn items(&self, expr: &Expr, scope: Scope<'_>, emit: Emit<'_>) -> SqlResult<bool> {
        deep(|| self.items_of(expr, scope, emit))
    }

    fn items_of(&self, expr: &Expr, scope: Scope<'_>, emit: Emit<'_>) -> SqlResult<bool> {
        meter::work(4)?;
        match expr {
            Expr::Root => emit(self.copied(self.root)?),
            Expr::Current => emit(self.copied(scope.current)?),
            Expr::Last => emit(Json::Number(scope.last.to_string())),
            Expr::Literal(json) => emit(json.clone()),
            Expr::Variable(name) => {
                let found = match self.terms.variables {
                    Some(Json::Object(members)) => members.iter().find(|(key, _)| key == name).map(|(_, value)| value),
                    _ => None,
                };
                let missing = || {
                    let text = format!("could not find jsonpath variable \"{name}\"");
                    SqlError::new(state::UNDEFINED_OBJECT, text)
                };
                emit(found.ok_or_else(missing)?.clone())
            }
            Expr::Access(base, step) => self.items(base, scope, &mut |item| self.step(&item, step, scope, emit)),
            Expr::Sign(sign, operand) => {
                for item in self.opened(self.all(operand, scope)?) {
                    let Some(n) = number(&item) else {
                        let text = format!("operand of unary jsonpath operator {sign} is not a numeric value");
                        return Err(SqlError::new(NOT_A_NUMBER, text));
                    };
                    let n = n?;
                    if !emit(Json::Number(if *sign == '-' { n.neg() } else { n }.to_string()))? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            Expr::Arithmetic(sign, left, right) => {
                let sides = [self.opened(self.all(left, scope)?), self.opened(self.all(right, scope)?)];
                let single = |items: &[Json], which: &str| {
                    let n = match items {
                        [item] => number(item),
                        _ => None,
                    };
                    n.unwrap_or_else(|| {
                        let text = format!("{which} operand of jsonpath operator {sign} is not a single numeric value");
                        Err(SqlError::new(NOT_SINGLE, text))
                    })
                };
                let (a, b) = (single(&sides[0], "left")?, single(&sides[1], "right")?);
                let result = match sign {
                    '+' => a.add(&b),
                    '-' => a.sub(&b),
                    '*' => a.mul(&b),
                    '/' => a.div(&b),
                    _ => a.rem(&b),
                };
                emit(Json::Number(result?.to_string()))
            }
            predicate => emit(self.truth(predicate, scope)?.map_or(Json::Null, Json::Bool)),
        }
    }

    fn copied(&self, json: &Json) -> SqlResult<Json> {
        // What is copied is about as large as its text.
        meter::work(size(json))?;
        Ok(json.clone())
    }

    fn step(&self, item: &Json, step: &Step, scope: Scope<'_>, emit: Emit<'_>) -> SqlResult<bool> {
        meter::work(2)?;
        match step {
            Step::Key(key) => match item {
                Json::Object(members) => match members.iter().find(|(known, _)| known == key) {
                    Some((_, value)) => return emit(value.clone()),
                    None if !self.lenient.get() => {
                        let text = format!("JSON object does not contain key \"{key}\"");
                        return Err(SqlError::new(MEMBER_NOT_FOUND, text));
                    }
                    None => {}
                },
                Json::Array(items) if !self.strict => return self.objects_of(items, step, scope, emit),
                _ if !self.lenient.get() => {
                    let text = "jsonpath member accessor can only be applied to an object";
                    return Err(SqlError::new(MEMBER_NOT_FOUND, text));
                }
                _ => {}
            },
            Step::AnyKey => match item {
                Json::Object(members) => return every(members.iter().map(|(_, value)| value), emit),
                Json::Array(items) if !self.strict => return self.objects_of(items, step, scope, emit),
                _ if !self.lenient.get() => {
                    let text = "jsonpath wildcard member accessor can only be applied to an object";
                    return Err(SqlError::new(OBJECT_NOT_FOUND, text));
                }
                _ => {}
            },
            Step::Any(from, to) => {
                let before = self.lenient.replace(true);
                let ended = self.below(item, 0, *from, *to, emit);
                self.lenient.set(before);
                return ended;
            }
            Step::AnyElement => match item {
                Json::Array(items) => return every(items.iter(), emit),
                item if !self.strict => return emit(item.clone()),
                _ if self.lenient.get() => {}
                _ => {
                    let text = "jsonpath wildcard array accessor can only be applied to an array";
                    return Err(SqlError::new(ARRAY_NOT_FOUND, text));
                }
            },
            Step::Elements(elements) => {
                let items = match item {
                    Json::Array(items) => &items[..],
                    item if !self.strict => std::slice::from_ref(item),
                    _ if self.lenient.get() => return Ok(true),
                    _ => {
                        let text = "jsonpath array accessor can only be applied to an array";
                        return Err(SqlError::new(ARRAY_NOT_FOUND, text));
                    }
                };
                let scope = Scope { last: items.len() as i64 - 1, ..scope };
                for (from, to) in elements {
                    let from = self.subscript(from, scope)?;
                    let to = to.as_ref().map_or(Ok(from), |to| self.subscript(to, scope))?;
                    if !self.lenient.get() && (from < 0 || from > to || to > scope.last) {
                        return Err(SqlError::new(INVALID_SUBSCRIPT, "jsonpath array subscript is out of bounds"));
                    }
                    for at in from.max(0)..=to.min(scope.last) {
                        meter::work(1)?;
                        if !emit(items[at as usize].clone())? {
                            return Ok(false);
                        }
                    }
                }
            }
            Step::Filter(filter) => {
                let items = match item {
                    Json::Array(items) if !self.strict => &items[..],
                    item => std::slice::from_ref(item),
                };
                for item in items {
                    let holds = self.truth(filter, Scope { current: item, ..scope })? == Some(true);
                    if holds && !emit(item.clone())? {
                        return Ok(false);
                    }
                }
            }
            Step::Method(method) => return self.method(item, method, true, emit),
            Step::DateTime(template) => return self.datetime(item, template.as_deref(), true, emit),
        }
        Ok(true)
    }

    /// A step into each element of an array that is no array itself.
    fn objects_of(&self, items: &[Json], step: &Step, scope: Scope<'_>, emit: Emit<'_>) -> SqlResult<bool> {
        for item in items.iter().filter(|item| !matches!(item, Json::Array(_))) {
            if !self.step(item, step, scope, emit)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// `item` and what is below it, between two levels; `last` means what has nothing below.
    fn below(&self, item: &Json, level: u32, from: u32, to: u32, emit: Emit<'_>) -> SqlResult<bool> {
        meter::work(4)?;
        let children: Vec<&Json> = match item {
            Json::Array(items) => items.iter().collect(),
            Json::Object(members) => members.iter().map(|(_, value)| value).collect(),
            _ => vec![],
        };
        let scalar = !matches!(item, Json::Array(_) | Json::Object(_));
        let wanted = level >= from && level <= to || from == u32::MAX && to == u32::MAX && scalar;
        if wanted && !emit(self.copied(item)?)? {
            return Ok(false);
        }
        if level < to {
            for child in children {
                if !deep(|| self.below(child, level + 1, from, to, emit))? {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    fn subscript(&self, expr: &Expr, scope: Scope<'_>) -> SqlResult<i64> {
        let items = self.all(expr, scope)?;
        let single = match &items[..] {
            [item] => number(item),
            _ => None,
        };
        let wrong = || SqlError::new(INVALID_SUBSCRIPT, "jsonpath array subscript is not a single numeric value");
        let n = single.ok_or_else(wrong)??.trunc(0)?;
        n.to_integer(i32::MIN.into(), i32::MAX.into(), "integer")
            .map_err(|_| SqlError::new(INVALID_SUBSCRIPT, "jsonpath array subscript is out of integer range"))
    }

    /// `opens`: arrays are opened, in lax mode.
    fn method(&self, item: &Json, method: &'static str, opens: bool, emit: Emit<'_>) -> SqlResult<bool> {
        match (method, item) {
            ("type", item) => {
                let name = match item {
                    Json::Null => "null",
                    Json::Bool(_) => "boolean",
                    Json::Number(_) => "number",
                    Json::String(_) => "string",
                    Json::Array(_) => "array",
                    Json::Object(_) => "object",
                    Json::Time(time) => time.type_name(),
                };
                emit(Json::String(name.into()))
            }
            ("size", Json::Array(items)) => emit(Json::Number(items.len().to_string())),
            ("size", _) if !self.strict => emit(Json::Number("1".into())),
            ("size", _) if self.lenient.get() => Ok(true),
            ("size", _) => {
                let text = "jsonpath item method .size() can only be applied to an array";
                Err(SqlError::new(ARRAY_NOT_FOUND, text))
            }
            (_, Json::Array(items)) if !self.strict && opens => {
                for item in items {
                    if !self.method(item, method, false, emit)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            ("keyvalue", Json::Object(members)) => {
                for (key, value) in members {
                    let pair = Json::object(vec![
                        ("id".into(), Json::Number("0".into())),
                        ("key".into(), Json::String(key.clone())),
                        ("value".into(), value.clone()),
                    ]);
                    if !emit(pair)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            ("keyvalue", _) => {
                let text = "jsonpath item method .keyvalue() can only be applied to an object";
                Err(SqlError::new(OBJECT_NOT_FOUND, text))
            }
            ("double", Json::String(text)) => {
                let parsed = super::text::parse_f64(text).ok().filter(|x| x.is_finite());
                let wrong = || {
                    let text = "string argument of jsonpath item method .double() is not a valid representation of a double \
                                precision number";
                    SqlError::new(NON_NUMERIC, text)
                };
                emit(Json::Number(Numeric::from_f64(parsed.ok_or_else(wrong)?, 15).to_string()))
            }
            (method, item) => {
                let Some(n) = number(item) else {
                    let what = if method == "double" { "a string or numeric value" } else { "a numeric value" };
                    let text = format!("jsonpath item method .{method}() can only be applied to {what}");
                    return Err(SqlError::new(NON_NUMERIC, text));
                };
                let n = n?;
                let result = match method {
                    "ceiling" => n.ceil()?,
                    "floor" => n.floor()?,
                    "abs" => n.abs(),
                    _ => n,
                };
                emit(Json::Number(result.to_string()))
            }
        }
    }

    /// `opens`: arrays are opened, in lax mode.
    fn datetime(&self, item: &Json, template: Option<&str>, opens: bool, emit: Emit<'_>) -> SqlResult<bool> {
        meter::work(64)?;
        let text = match item {
            Json::String(text) => text,
            Json::Array(items) if !self.strict && opens => {
                for item in items {
                    if !self.datetime(item, template, false, emit)? {
                        return Ok(false);
                    }
                }
                return Ok(true);
            }
            _ => {
                let text = "jsonpath item method .datetime() can only be applied to a string";
                return Err(SqlError::new(NOT_A_TIME, text));
            }
        };
        let time = match template {
            Some(template) => from_char::parse_datetime(text, template)?,
            None => {
                let mut found = None;
                for template in DATETIME_TEMPLATES {
                    match from_char::parse_datetime(text, template) {
                        Ok(time) => {
                            found = Some(time);
                            break;
                        }
                        Err(error) if is_of_path(&error) => {}
                        Err(error) => return Err(error),
                    }
                }
                found.ok_or_else(|| {
                    SqlError::new(NOT_A_TIME, format!("datetime format is not recognized: \"{text}\""))
                        .hint("Use a datetime template argument to specify the input data format.")
                })?
            }
        };
        emit(Json::Time(time))
    }

    /// A predicate; `None` is unknown.
    fn truth(&self, expr: &Expr, scope: Scope<'_>) -> SqlResult<Option<bool>> {
        deep(|| self.truth_of(expr, scope))
    }

    fn truth_of(&self, expr: &Expr, scope: Scope<'_>) -> SqlResult<Option<bool>> {
        meter::work(4)?;
        match expr {
            Expr::And(left, right) => match self.truth(left, scope)? {
                Some(false) => Ok(Some(false)),
                left => Ok(match (left, self.truth(right, scope)?) {
                    (_, Some(false)) => Some(false),
                    (Some(true), right) => right,
                    _ => None,
                }),
            },
            Expr::Or(left, right) => match self.truth(left, scope)? {
                Some(true) => Ok(Some(true)),
                left => Ok(match (left, self.truth(right, scope)?) {
                    (_, Some(true)) => Some(true),
                    (Some(false), right) => right,
                    _ => None,
                }),
            },
            Expr::Not(inner) => Ok(self.truth(inner, scope)?.map(|truth| !truth)),
            Expr::IsUnknown(inner) => Ok(Some(self.truth(inner, scope)?.is_none())),
            Expr::Exists(inner) => {
                let mut any = false;
                let ended = self.items(inner, scope, &mut |_| {
                    any = true;
                    // Strictly, all of it has to be without an error.
                    Ok(self.strict)
                });
                Ok(unless_of_path(ended)?.map(|_| any))
            }
            Expr::Compare(operator, left, right) => {
                self.pairs(left, Some(right), scope, &|a, b| compare(operator, a, b, self.terms.local))
            }
            Expr::StartsWith(left, right) => self.pairs(left, Some(right), scope, &|a, b| match (a, b) {
                (Json::String(a), Json::String(b)) => Ok(Some(a.starts_with(b.as_str()))),
                _ => Ok(None),
            }),
            Expr::LikeRegex(value, pattern, flags) => self.pairs(value, None, scope, &|a, _| match a {
                Json::String(text) => (self.terms.matches)(pattern, flags, text).map(Some),
                _ => Ok(None),
            }),
            _ => Ok(None),
        }
    }

    /// Whether a test holds for some pair of items of both sides.
    fn pairs(
        &self,
        left: &Expr,
        right: Option<&Expr>,
        scope: Scope<'_>,
        test: &dyn Fn(&Json, &Json) -> SqlResult<Option<bool>>,
    ) -> SqlResult<Option<bool>> {
        let Some(left) = unless_of_path(self.all(left, scope))? else { return Ok(None) };
        let right = match right {
            Some(right) => match unless_of_path(self.all(right, scope))? {
                Some(right) => self.opened(right),
                None => return Ok(None),
            },
            None => vec![Json::Null],
        };
        let (mut found, mut unknown) = (false, false);
        for a in self.opened(left) {
            for b in &right {
                meter::work(4)?;
                match test(&a, b)? {
                    Some(true) if !self.strict => return Ok(Some(true)),
                    Some(true) => found = true,
                    Some(false) => {}
                    None if self.strict => return Ok(None),
                    None => unknown = true,
                }
            }
        }
        Ok(match (found, unknown) {
            (true, _) => Some(true),
            (false, true) => None,
            (false, false) => Some(false),
        })
    }
}

/// Hands out copies until it is told to stop.
fn every<'j>(items: impl Iterator<Item = &'j Json>, emit: Emit<'_>) -> SqlResult<bool> {
    for item in items {
        if !emit(item.clone())? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// `None` for an error of the path.
fn unless_of_path<T>(result: SqlResult<T>) -> SqlResult<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if is_of_path(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

fn size(json: &Json) -> usize {
    match json {
        Json::Array(items) => 1 + items.iter().map(size).sum::<usize>(),
        Json::Object(members) => 1 + members.iter().map(|(_, value)| 1 + size(value)).sum::<usize>(),
        _ => 1,
    }
}

fn compare(operator: &str, a: &Json, b: &Json, local: Option<(&Zone, i64)>) -> SqlResult<Option<bool>> {
    let order = match (a, b) {
        (Json::Null, Json::Null) => Some(Ordering::Equal),
        (Json::Null, _) | (_, Json::Null) => return Ok(Some(operator == "!=")),
        (Json::Bool(a), Json::Bool(b)) => Some(a.cmp(b)),
        (Json::Number(a), Json::Number(b)) => Some(Numeric::parse(a)?.compare(&Numeric::parse(b)?)),
        (Json::String(a), Json::String(b)) => Some(a.cmp(b)),
        (Json::Time(a), Json::Time(b)) => a.compare(*b, local)?,
        _ => None,
    };
    Ok(order.map(|order| match operator {
        "==" => order.is_eq(),
        "!=" => order.is_ne(),
        "<" => order.is_lt(),
        "<=" => order.is_le(),
        ">" => order.is_gt(),
        _ => order.is_ge(),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TERMS: Terms<'static> = Terms { variables: None, matches: &|_, _, _| Ok(false), local: None };

    #[test]
    fn paths_are_printed_as_postgres_does() {
        for (text, printed) in [
            ("$.a", "$.\"a\""),
            ("strict $.a[*].b", "strict $.\"a\"[*].\"b\""),
            ("lax $.a[0, 2 to last]", "$.\"a\"[0,2 to last]"),
            ("$.a ? (@.b > 1 && @.c == \"x\")", "$.\"a\"?(@.\"b\" > 1 && @.\"c\" == \"x\")"),
            ("$.a + 1 * 2", "($.\"a\" + 1 * 2)"),
            ("$.**{2 to last}.x.size()", "$.**{2 to last}.\"x\".size()"),
            ("$ ? (@ like_regex \"^a\" flag \"i\")", "$?(@ like_regex \"^a\" flag \"i\")"),
            ("exists($.a)", "exists ($.\"a\")"),
        ] {
            assert_eq!(parse(text).unwrap().to_text(), printed, "{text}");
        }
        for deep in
            [format!("{}1", "-".repeat(5000)), format!("${}", ".a".repeat(5000)), format!("1{}", "+1".repeat(5000))]
        {
            assert_eq!(parse(&deep).unwrap_err().code, state::STATEMENT_TOO_COMPLEX);
        }
        for wrong in ["", "$.", "a", "@.a", "$[last", "$.a ?", "$.a == 1 + ", "last"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }

    /// As deep as a path may be, in each way, on a stack smaller than any thread has; also unoptimised.
    #[test]
    fn the_deepest_paths_fit_the_stack() {
        let deep = |left: &str, middle: &str, right: &str| {
            let at_most = (1..MAX_PARTS).rev();
            let texts = at_most.map(|n| format!("{}{middle}{}", left.repeat(n), right.repeat(n)));
            texts.into_iter().find(|text| parse(text).is_ok()).expect("one is not too deep")
        };
        // Errors are answers too.
        let find = |path: &Path| drop(path.query(&Json::Null, TERMS, &mut |_| Ok(true)));
        let work = move || {
            for (left, middle, right) in [
                ("(", "1", ")"),
                ("(", "1 == 1", ")"),
                ("-", "1", ""),
                ("1 + (", "1", ")"),
                ("2 * (1 - ", "1", ")"),
                ("!(", "1 == 1", ")"),
                ("1 == 1 && (", "1 == 1", ")"),
                ("((", "1 == 1", ") is unknown)"),
                ("$[", "1", "]"),
                ("$ ? (exists(", "$ ? (1 == 1)", "))"),
                ("$ ? (1 == ", "1", ")"),
            ] {
                let path = parse(&deep(left, middle, right)).unwrap();
                assert!(!path.to_text().is_empty());
                find(&path);
            }
        };
        let thread = std::thread::Builder::new().stack_size(512 << 10).spawn(work).unwrap();
        thread.join().unwrap();
    }

    #[test]
    fn paths_lead_somewhere() {
        let json = json::parse(r#"{"a":[{"b":1},{"b":2,"c":"xyz"}],"n":null,"t":[1,"2",true]}"#).unwrap();
        for (path, expected) in [
            ("$.a.b", "1;2"),
            ("$.a[*] ? (@.b > 1).c", "\"xyz\""),
            ("$.a[last].b", "2"),
            ("$.a.size()", "2"),
            ("$.t[*].type()", "\"number\";\"string\";\"boolean\""),
            ("$.a[0].b + 10", "11"),
            ("$.nope", ""),
            ("$.n == null", "true"),
            ("$.t[*] > 0", "true"),
            ("strict $.t[*] > 0", "null"),
            ("($.t > 5) is unknown", "true"),
            ("$.a ? (@.c starts with \"x\").b", "2"),
            ("$.**.b", "1;2;1;2"),
        ] {
            let mut found = Vec::new();
            let mut take = |item: Json| {
                found.push(item.to_text());
                Ok(true)
            };
            parse(path).unwrap().query(&json, TERMS, &mut take).unwrap();
            assert_eq!(found.join(";"), expected, "{path}");
        }
        assert!(parse("strict $.nope").unwrap().query(&json, TERMS, &mut |_| Ok(true)).is_err());
    }
}
