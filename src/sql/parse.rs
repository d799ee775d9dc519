//! Text to statements.
//!
//! A simple-query string is split into statements by the lexer. Queries and data changes go to sqlparser, whose
//! tokens are first brought into the form it understands (see [`query_tokens`]); everything else has a small
//! grammar here or in `ddl`, `copy` and `explain`, because sqlparser rejects or blurs much of it.
//!
//! Memory: tokens are byte ranges; syntax trees are kept for the first statements of a text only, those that do not fit into
//! [`TREE_BUDGET`] are checked, dropped, and parsed again when they are compiled ([`Ast::Later`]). So are those that are
//! high: they are made, used and dropped where the stack is deep ([`on_deep_stack`]), since all of this is recursive.
//! Height: [`Weight`] bounds it before any recursive code sees the tree.
//!
//! Positions: in trees from here every sqlparser span is on line 1, and its column is the 1-based character
//! position in the statement's text, which is what an error's `position` wants.

use super::allowance::{Allowance, UNLIMITED};
use super::bounded::Bounded;
use super::cursor::{Cursor, Name};
use super::dialect::{Postgres, split_operators};
use super::lex::{self, Kind, Lexer, quote_literal};
use super::phrases::{self, MARK};
use super::plan::{Discard, FetchDirection, IsolationLevel, LockMode, LockStrength, TransactionModes, Utility};
use super::{copy, ddl, explain, procedural, reindex, traversal};
use crate::error::{SqlError, SqlResult, state};
use crate::types::{IntervalStyle, NO_TYPMOD, interval_typmod};
use sqlparser::ast::Statement;
use sqlparser::keywords::Keyword;
use sqlparser::parser::{Parser, ParserError, ParserOptions};
use sqlparser::tokenizer::{Location, Span, Token as SqlToken, TokenWithSpan, Tokenizer, Whitespace};
use std::cell::Cell;
use std::sync::Arc;

/// How deep brackets, prefixes and the like may nest; SQLite's own limit for expressions.
pub const MAX_NESTING: u32 = 1000;
/// How many terms a chain (`a AND b AND c`, `a + b + c`) may have: the parser makes a tree of it that leans to the left.
pub const MAX_CHAIN: u32 = 50_000;
const TOO_DEEP: &str = "stack depth limit exceeded";
/// How often the parser may recurse on any thread.
const RECURSION: usize = 100;
/// Tokens of one statement. A syntax tree takes some hundred bytes per token.
const MAX_TOKENS: usize = 4_000_000;
/// Tokens of one text whose trees are kept, with [`TREE`] for each of them. The first is compiled at once, and is kept anyhow.
const TREE_BUDGET: usize = 20_000;
/// The tree of the shortest statement takes as much memory as so many tokens in a long one.
const TREE: usize = 30;

/// A statement of a query string.
#[derive(Clone, Debug)]
pub struct Parsed {
    /// The statement's own source, without the semicolon.
    pub text: String,
    /// Characters of the query string before it: added to every error position.
    pub offset_chars: u32,
    pub ast: Ast,
    pub(super) height: Height,
    /// What the client is told of its text: names that were cut.
    pub notices: Vec<SqlError>,
}

/// A bound on the height of a syntax tree.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Height {
    /// By what nests: the parser recurses into it.
    nesting: u32,
    /// By what leans: only what walks over the tree recurses.
    chain: u32,
}

impl Height {
    /// Any thread's stack is enough.
    pub(super) fn is_low(self) -> bool {
        self.nesting < 40 && self.chain < 200
    }

    /// Any thread can drop the tree.
    fn may_be_kept(self) -> bool {
        self.nesting + self.chain < 1000
    }

    /// Bytes of stack, even if each level of nesting takes 64 KiB, and each link of a chain 8 KiB.
    fn stack(self) -> usize {
        self.levels() * (64 << 10) + self.chain as usize * (8 << 10)
    }

    fn levels(self) -> usize {
        self.nesting as usize + 64
    }

    /// How often the parser may recurse on such a stack. It does so several times for a level; should [`Weight`] be wrong, the
    /// statement fails, and not the process.
    fn recursion(self) -> usize {
        self.levels() * 6
    }
}

#[derive(Clone, Debug)]
pub enum Ast {
    /// A query or a data change.
    Sql(Box<Statement>),
    /// Like `Sql`, but the tree is built again when it is needed.
    Later,
    /// Needs no names resolved.
    Utility(Utility),
    Prepare {
        name: String,
        types: Vec<ddl::TypeName>,
        query: String,
    },
    Lock {
        tables: Vec<Name>,
        mode: LockMode,
        nowait: bool,
    },
    /// No names: ALL.
    SetConstraints {
        names: Vec<Name>,
        deferred: bool,
    },
    /// VACUUM, ANALYZE and the like.
    Notify {
        channel: String,
        payload: String,
    },
    Maintenance {
        tag: &'static str,
        tables: Vec<Name>,
    },
    Reindex(Box<reindex::Reindex>),
    Ddl(Box<ddl::Ddl>),
    Copy(Box<copy::CopyStatement>),
    Explain(Box<explain::ExplainStatement>),
    /// Known, but not done here: the feature's name.
    Unsupported(String),
    Empty,
}

/// As [`parse_within`], for texts that are known to be small.
pub fn parse(text: &str) -> SqlResult<Vec<Parsed>> {
    parse_within(text, &UNLIMITED)
}

/// The statements of a query string, in order; one [`Ast::Empty`] if there is none.
/// Errors: 42601 with a position, 54001 for statements too deep or too long, and those of the allowance.
pub fn parse_within(text: &str, allowance: &Allowance) -> SqlResult<Vec<Parsed>> {
    allowance.spend_text(text.len())?;
    let mut statements = Vec::new();
    let mut budget = TREE_BUDGET;
    let (mut chars, mut counted) = (0u32, 0usize);
    let mut lexer = Lexer::new(text);
    loop {
        let extent = extent(text, &mut lexer, allowance)?;
        allowance.hold_tokens(extent.tokens)?;
        if extent.tokens > 0 {
            chars += text[counted..extent.start].chars().count() as u32;
            counted = extent.start;
            let source = &text[extent.start..extent.end];
            let size = extent.tokens + TREE;
            let keep = (statements.is_empty() || size <= budget) && extent.height.may_be_kept();
            budget = budget.saturating_sub(size);
            let parsed = parse_one(source, extent.height, keep, allowance).map_err(|e| moved(e, chars))?;
            if !keep {
                allowance.release_tokens(extent.tokens);
            }
            statements.push(Parsed { offset_chars: chars, notices: extent.cut, ..parsed });
        }
        if extent.last {
            break;
        }
    }
    if statements.is_empty() {
        let (text, ast, height) = (String::new(), Ast::Empty, Height::default());
        statements.push(Parsed { text, offset_chars: 0, ast, height, notices: Vec::new() });
    }
    Ok(statements)
}

/// An error of a statement that begins `chars` characters into the query string.
pub(super) fn moved(mut error: SqlError, chars: u32) -> SqlError {
    error.fields.position = error.fields.position.map(|p| p + chars);
    error
}

struct Extent {
    start: usize,
    end: usize,
    tokens: usize,
    height: Height,
    /// A notice for each name that is too long.
    cut: Vec<SqlError>,
    last: bool,
}

/// Reads one statement's tokens up to its semicolon or the end.
fn extent(text: &str, lexer: &mut Lexer<'_>, allowance: &Allowance) -> SqlResult<Extent> {
    let mut extent = Extent { start: 0, end: 0, tokens: 0, height: Height::default(), cut: Vec::new(), last: true };
    let mut weight = Weight::default();
    for token in lexer {
        let token = token?;
        allowance.spend(1)?;
        let source = token.text(text);
        if source == ";" {
            extent.last = false;
            break;
        }
        if extent.tokens == 0 {
            extent.start = token.start;
        }
        extent.end = token.end;
        extent.tokens += 1;
        if matches!(token.kind, Kind::Word | Kind::Quoted) {
            extent.cut.extend(lex::cut(source).map(|(name, kept)| {
                let message = format!("identifier \"{name}\" will be truncated to \"{kept}\"");
                SqlError::new(state::NAME_TOO_LONG, message)
            }));
        }
        let height = weight.add(token.kind, source);
        extent.height.nesting = extent.height.nesting.max(height.nesting);
        extent.height.chain = extent.height.chain.max(height.chain);
        if height.nesting > MAX_NESTING {
            return Err(too_complex(TOO_DEEP).hint(format!("Expressions may nest to a depth of {MAX_NESTING}.")));
        }
        if height.chain > MAX_CHAIN {
            return Err(too_complex("statement is too complex").hint(format!(
                "A chain of operators may have {MAX_CHAIN} terms. Use = ANY (array) or a join with VALUES."
            )));
        }
        if extent.tokens > MAX_TOKENS {
            return Err(too_complex("statement is too long").hint("Send the rows in several statements, or use COPY."));
        }
    }
    Ok(extent)
}

fn too_complex(message: &str) -> SqlError {
    SqlError::new(state::STATEMENT_TOO_COMPLEX, message)
}

/// Bounds a tree's height from its tokens. Each open bracket or CASE nests, and so does what takes an operand of lower
/// precedence (NOT, BETWEEN, IS DISTINCT FROM, a sign before a sign); AND, OR, set operations and joins build a chain, and
/// between two of them so do other operators. A comma begins anew.
#[derive(Default)]
struct Weight {
    levels: Vec<Level>,
    outer: Height,
    here: Level,
    /// The token before was an operator.
    operator: bool,
    /// The next JOIN has no condition.
    unconditional: bool,
}

/// What there is between two brackets.
#[derive(Clone, Copy, Default)]
struct Level {
    /// AND, OR, UNION, JOIN and their like.
    logic: u32,
    /// Other operators since the last of them.
    operators: u32,
    nested: u32,
    /// Joins whose conditions have not come yet: `a JOIN b JOIN c ON … ON …` nests.
    joins: u32,
    is_case: bool,
}

impl Level {
    fn height(&self) -> Height {
        Height { nesting: self.nested + self.joins, chain: self.logic + self.operators }
    }
}

impl Weight {
    fn open(&mut self, is_case: bool) {
        let height = self.here.height();
        self.outer.nesting += height.nesting + 1;
        self.outer.chain += height.chain;
        self.levels.push(std::mem::replace(&mut self.here, Level { is_case, ..Level::default() }));
    }

    fn close(&mut self) {
        if let Some(level) = self.levels.pop() {
            self.here = level;
            let height = level.height();
            self.outer.nesting -= height.nesting + 1;
            self.outer.chain -= height.chain;
        }
    }

    fn anew(&mut self) {
        self.here = Level { is_case: self.here.is_case, ..Level::default() };
    }

    fn add(&mut self, kind: Kind, source: &str) -> Height {
        let after_operator = std::mem::take(&mut self.operator);
        let here = &mut self.here;
        match (kind, source) {
            (Kind::Symbol, "(" | "[") => {
                here.operators += u32::from(source == "[");
                self.open(false);
            }
            (Kind::Symbol, ")" | "]") => self.close(),
            (Kind::Symbol, ",") => self.anew(),
            (Kind::Symbol, _) => {
                here.nested += u32::from(after_operator);
                here.operators += 1;
                self.operator = true;
            }
            (Kind::Word, word) if word.len() <= 9 => match word.to_ascii_uppercase().as_str() {
                "CROSS" | "NATURAL" => self.unconditional = true,
                "AND" | "OR" | "UNION" | "EXCEPT" | "INTERSECT" | "JOIN" => {
                    if word.eq_ignore_ascii_case("JOIN") {
                        here.joins += u32::from(!std::mem::take(&mut self.unconditional));
                    }
                    here.logic += 1;
                    (here.operators, here.nested) = (0, 0);
                }
                "CASE" => self.open(true),
                "END" if here.is_case => self.close(),
                "WHEN" | "THEN" | "ELSE" => self.anew(),
                "FROM" if after_operator => self.operator = true,
                "ON" | "USING" => {
                    here.joins = here.joins.saturating_sub(1);
                    (here.operators, here.nested) = (0, 0);
                }
                "SELECT" | "FROM" | "WHERE" | "HAVING" | "SET" => (here.operators, here.nested, here.joins) = (0, 0, 0),
                "NOT" | "BETWEEN" | "IS" | "DISTINCT" | "ESCAPE" | "EXPLAIN" | "INTERVAL" => {
                    here.nested += 1;
                    self.operator = true;
                }
                "IN" | "LIKE" | "ILIKE" | "SIMILAR" | "COLLATE" | "AT" | "ISNULL" | "NOTNULL" | "OPERATOR" | "ANY"
                | "ALL" => {
                    here.operators += 1;
                    self.operator = true;
                }
                _ => {}
            },
            _ => {}
        }
        let here = self.here.height();
        Height { nesting: self.outer.nesting + here.nesting, chain: self.outer.chain + here.chain }
    }
}

/// The height of the tree of `source`, as [`parse_within`] bounds it.
pub(super) fn weigh(source: &str, allowance: &Allowance) -> SqlResult<Height> {
    Ok(extent(source, &mut Lexer::new(source), allowance)?.height)
}

/// Parses the source of one statement.
pub(super) fn parse_statement(source: &str, allowance: &Allowance) -> SqlResult<Parsed> {
    let height = weigh(source, allowance)?;
    parse_one(source, height, height.may_be_kept(), allowance)
}

fn parse_one(source: &str, height: Height, keep: bool, allowance: &Allowance) -> SqlResult<Parsed> {
    let plain = lex::without_unicode_escapes(source)?;
    let ast = on_deep_stack(height, || match is_query(&plain) {
        true => {
            let statement = parse_query(&plain, allowance)?;
            Ok(if keep { Ast::Sql(statement) } else { Ast::Later })
        }
        false => utility(&plain, allowance),
    })?;
    Ok(Parsed { text: source.to_owned(), offset_chars: 0, ast, height, notices: Vec::new() })
}

fn is_query(source: &str) -> bool {
    const WORDS: [&str; 8] = ["SELECT", "INSERT", "UPDATE", "DELETE", "WITH", "VALUES", "TABLE", "MERGE"];
    match Lexer::new(source).next() {
        Some(Ok(t)) if t.kind == Kind::Word => WORDS.iter().any(|w| t.text(source).eq_ignore_ascii_case(w)),
        Some(Ok(t)) => t.text(source) == "(",
        _ => false,
    }
}

thread_local! {
    /// How often the parser may recurse on this thread.
    static MAY_RECURSE: Cell<usize> = const { Cell::new(RECURSION) };
}

/// Runs `job` where a tree of that height fits. What does not fit after all is run again where much more does.
pub(super) fn on_deep_stack<T: Send>(height: Height, job: impl Fn() -> SqlResult<T> + Sync) -> SqlResult<T> {
    let height = match height.is_low() {
        false => height,
        true => match job() {
            Err(error) if error.message == TOO_DEEP && MAY_RECURSE.get() == RECURSION => {
                Height { nesting: MAX_NESTING, ..height }
            }
            result => return result,
        },
    };
    std::thread::scope(|scope| {
        let work = || {
            MAY_RECURSE.set(height.recursion());
            job()
        };
        let thread = std::thread::Builder::new().stack_size(height.stack()).spawn_scoped(scope, work);
        let thread =
            thread.map_err(|e| SqlError::new(state::OUT_OF_MEMORY, format!("no stack for the parser: {e}")))?;
        thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

/// Parses one query or data change with sqlparser.
pub(super) fn parse_query(source: &str, allowance: &Allowance) -> SqlResult<Box<Statement>> {
    let options = ParserOptions::new().with_trailing_commas(false).with_unescape(true);
    sqlparser(source, options, allowance, |parser| parser.parse_statement().map(Box::new))
}

/// Parses a lone expression.
pub(super) fn check_expression(source: &str, allowance: &Allowance) -> SqlResult<()> {
    let height = weigh(source, allowance)?;
    on_deep_stack(height, || sqlparser(source, ParserOptions::new(), allowance, |parser| parser.parse_expr()).map(drop))
}

/// Runs sqlparser over all of `source`.
fn sqlparser<T>(
    source: &str,
    options: ParserOptions,
    allowance: &Allowance,
    rule: impl FnOnce(&mut Parser<'_>) -> Result<T, ParserError>,
) -> SqlResult<T> {
    let tokens = query_tokens(source)?;
    let dialect = Bounded::new(allowance);
    let mut parser = Parser::new(&dialect)
        .with_options(options)
        .with_recursion_limit(MAY_RECURSE.get())
        .with_tokens_with_locations(tokens);
    let parsed = rule(&mut parser);
    allowance.ended().map_or(Ok(()), |error| Err(error.clone()))?;
    let parsed = parsed.map_err(|e| parser_error(source, e))?;
    let next = parser.peek_token();
    match next.token {
        SqlToken::EOF => Ok(parsed),
        _ => Err(near(source, next.span.start.column as u32)),
    }
}

/// sqlparser's tokens of `source`, without white space, positions as characters, and with what its grammar lacks
/// put into words it knows: `ONLY t` → `t`, `TABLE t` → `SELECT * FROM t`, literals continued on the next line
/// joined, `TRIM(TRAILING FROM x)` → `TRIM(TRAILING E' ' FROM x)`, `TRIM(FROM x)` likewise, `OPERATOR(pg_catalog.=)` → `=`, what [`phrases`] has, and
/// the clauses of row locks as [`row_locks`] has them.
pub(super) fn query_tokens(source: &str) -> SqlResult<Vec<TokenWithSpan>> {
    let source = lex::without_unicode_escapes(source)?;
    let source = &*lex::without_wide_gaps(&source);
    let raw = Tokenizer::new(&Postgres, source).tokenize_with_location().map_err(|e| {
        let lines = line_starts(source);
        let at = lines.get(e.location.line.saturating_sub(1) as usize).copied().unwrap_or(0) + e.location.column as u32;
        near(source, at)
    })?;
    let lines = line_starts(source);
    let position = |l: Location| {
        let start = lines.get((l.line as usize).saturating_sub(1)).copied().unwrap_or(0);
        Location { line: 1, column: u64::from(start) + l.column }
    };
    let mut out: Vec<TokenWithSpan> = Vec::with_capacity(raw.len());
    let mut gap = Gap::Within;
    for token in split_operators(raw) {
        if let SqlToken::Whitespace(blank) = &token.token {
            gap = gap.with(blank);
            continue;
        }
        let gap = std::mem::replace(&mut gap, Gap::Within);
        let span = Span { start: position(token.span.start), end: position(token.span.end) };
        let before = out.last().map(|t| &t.token);
        let place = |token| TokenWithSpan { token, span };
        match &token.token {
            SqlToken::SingleQuotedString(more) if gap == Gap::Lines && before.is_some_and(goes_on) => {
                match out.last_mut().map(|t| &mut t.token) {
                    Some(SqlToken::EscapedStringLiteral(text)) => {
                        text.push_str(&lex::literal(&format!("E{}", quote_literal(more)))?);
                    }
                    Some(
                        SqlToken::SingleQuotedString(text)
                        | SqlToken::SingleQuotedByteStringLiteral(text)
                        | SqlToken::HexStringLiteral(text),
                    ) => text.push_str(more),
                    _ => {}
                }
            }
            // The parser would take it for an alias.
            literal if is_string(literal) && before.is_some_and(is_constant) => {
                return Err(near(source, span.start.column as u32));
            }
            SqlToken::Assignment => out.push(place(SqlToken::RArrow)),
            // No operator of PostgreSQL's: not to be taken for `=`.
            SqlToken::DoubleEq => out.push(place(SqlToken::CustomBinaryOperator("==".into()))),
            SqlToken::NationalStringLiteral(text) => {
                out.push(place(SqlToken::SingleQuotedString(text.clone())));
                out.push(place(SqlToken::DoubleColon));
                out.push(place(SqlToken::make_word("bpchar", None)));
            }
            SqlToken::Word(w)
                if is_word(&token.token, Keyword::TABLE) && (starts_query(before) || fills_table(&out)) =>
            {
                let style = w.quote_style;
                for word in ["SELECT", "*", "FROM"] {
                    let token = if word == "*" { SqlToken::Mul } else { SqlToken::make_word(word, style) };
                    out.push(place(token));
                }
            }
            SqlToken::Word(_) if is_word(&token.token, Keyword::FROM) && trims(&out) => {
                if before == Some(&SqlToken::LParen) {
                    out.push(place(SqlToken::make_word("BOTH", None)));
                }
                // The binder leaves it out again.
                out.push(place(SqlToken::EscapedStringLiteral(" ".into())));
                out.push(place(token.token));
            }
            _ => {
                drop_only(&mut out, &token.token);
                out.push(place(token.token));
                plain_operator(&mut out);
            }
        }
    }
    row_locks(phrases::rephrase(row_functions(out)?))
}

/// What ROWS FROM is called, as if it were a function of functions.
pub(super) const ROWS_FROM: &str = "ROWS FROM";

/// What `*` is called behind a record in parentheses.
pub(super) const ALL_FIELDS: &str = "\u{1}*";

/// `ROWS FROM (f(), g())` → `"ROWS FROM"(f(), g())`, `f() AS (a int)` → `f() AS ""(a int)`, where a list of columns
/// defines what f yields, `(record).*` → `(record)."*"` under the name above, `t.* IS NULL` → `t."row" IS NULL`,
/// `JOIN u USING (a) AS j` → `JOIN u USING (a, "join j")`, `f(VARIADIC a)` → `f("variadic" => a)`, and `WHERE CURRENT OF c` → `WHERE "current"('c')`.
fn row_functions(tokens: Vec<TokenWithSpan>) -> SqlResult<Vec<TokenWithSpan>> {
    let word = |at: usize, text: &str| match tokens.get(at).map(|t| &t.token) {
        Some(SqlToken::Word(w)) => w.quote_style.is_none() && w.value.eq_ignore_ascii_case(text),
        _ => false,
    };
    let is = |at: usize, token: SqlToken| tokens.get(at).is_some_and(|t| t.token == token);
    let any_word = |at: usize| matches!(tokens.get(at).map(|t| &t.token), Some(SqlToken::Word(_)));
    let query = ["SELECT", "WITH", "VALUES", "TABLE", "INSERT", "UPDATE", "DELETE", "MERGE"];
    let mut out = Vec::with_capacity(tokens.len());
    // How deep in brackets, those of ROWS FROM, and those of the rows of VALUES with whether one is open.
    let (mut at, mut depth, mut rows, mut lists) = (0, 0usize, Vec::new(), Vec::<(usize, bool)>::new());
    while let Some(token) = tokens.get(at) {
        let place = |name: &str| TokenWithSpan { token: SqlToken::make_word(name, Some('"')), span: token.span };
        match token.token {
            SqlToken::LParen => depth += 1,
            SqlToken::RParen => depth = depth.saturating_sub(1),
            _ => {}
        }
        rows.retain(|opened| depth >= *opened);
        match token.token {
            SqlToken::LParen if at > 0 && word(at - 1, "VALUES") => lists.push((depth, true)),
            SqlToken::LParen => lists.iter_mut().for_each(|(row, open)| *open |= *row == depth),
            SqlToken::RParen => lists.iter_mut().for_each(|(row, open)| *open &= *row != depth + 1),
            SqlToken::Comma => {}
            // Behind a row come others, or the end.
            _ => lists.retain(|(_, open)| *open),
        }
        if is(at, SqlToken::RParen) && (word(at + 1, "SEARCH") || word(at + 1, "CYCLE")) {
            let (traversal, length) = traversal::read(&tokens[at + 1..])?;
            if !traversal.is_empty() {
                let (span, name) = (tokens[at + 1].span, SqlToken::make_word(&traversal.name(), Some('"')));
                out.push(token.clone());
                if !name_column(&mut out, TokenWithSpan { token: name, span }) {
                    let near = format!("syntax error at or near \"{}\"", tokens[at + 1].token);
                    return Err(SqlError::syntax(near).position(span.start.column as u32));
                }
                at += 1 + length;
                continue;
            }
        }
        if word(at, "WHERE") && word(at + 1, "CURRENT") && word(at + 2, "OF") && any_word(at + 3) {
            let Some(TokenWithSpan { token: SqlToken::Word(cursor), .. }) = tokens.get(at + 3) else { break };
            let name = lex::fold(&cursor.value, cursor.quote_style.is_some());
            let span = token.span;
            out.push(token.clone());
            let call = [SqlToken::LParen, SqlToken::SingleQuotedString(name), SqlToken::RParen];
            out.push(place(phrases::CURRENT));
            out.extend(call.map(|token| TokenWithSpan { token, span }));
            at += 4;
            if let Some(next) = tokens.get(at).filter(|next| !ends_change(&next.token)) {
                return Err(SqlError::syntax(format!("syntax error at or near \"{}\"", next.token))
                    .position(next.span.start.column as u32));
            }
            continue;
        }
        let item = at.checked_sub(1).is_some_and(|before| {
            is(before, SqlToken::Comma) || ["FROM", "JOIN", "LATERAL"].iter().any(|w| word(before, w))
        });
        let call = any_word(at + 3) && (is(at + 4, SqlToken::LParen) || is(at + 4, SqlToken::Period));
        if item && word(at, "ROWS") && word(at + 1, "FROM") && is(at + 2, SqlToken::LParen) && call {
            out.push(place(ROWS_FROM));
            rows.push(depth + 1);
            at += 2;
            continue;
        }
        if word(at, "USING")
            && let Some((close, alias)) = joined_as(&tokens[at..])
        {
            out.extend_from_slice(&tokens[at..at + close]);
            let span = tokens[at + close + 2].span;
            let name = SqlToken::make_word(&format!("{}{alias}", phrases::JOIN_ALIAS), Some('"'));
            out.extend([SqlToken::Comma, name, SqlToken::RParen].map(|token| TokenWithSpan { token, span }));
            at += close + 3;
            continue;
        }
        let argument = at > 0 && (is(at - 1, SqlToken::LParen) || is(at - 1, SqlToken::Comma));
        if argument && word(at, "VARIADIC") && !is(at + 1, SqlToken::RParen) && !is(at + 1, SqlToken::Comma) {
            out.extend([place(phrases::VARIADIC), TokenWithSpan { token: SqlToken::RArrow, span: token.span }]);
            at += 1;
            continue;
        }
        let listed = lists.last().is_some_and(|(row, _)| *row == depth);
        if is(at, SqlToken::Mul) && at > 0 && is(at - 1, SqlToken::Period) && (listed || is_whole_row(&tokens, at)) {
            out.push(place(phrases::ROW));
            at += 1;
            continue;
        }
        out.push(token.clone());
        if is(at, SqlToken::RParen) && is(at + 1, SqlToken::Period) && is(at + 2, SqlToken::Mul) {
            out.extend([tokens[at + 1].clone(), place(ALL_FIELDS)]);
            at += 3;
            continue;
        }
        let defines = is(at, SqlToken::RParen) && word(at + 1, "AS") && is(at + 2, SqlToken::LParen);
        if defines && any_word(at + 3) && any_word(at + 4) && !query.iter().any(|w| word(at + 3, w)) {
            if rows.last() == Some(&depth) {
                let error = SqlError::unsupported("a list of columns in ROWS FROM");
                return Err(error.position(token.span.start.column as u32));
            }
            out.extend([tokens[at + 1].clone(), place("")]);
            at += 1;
        }
        at += 1;
    }
    Ok(out)
}

/// `w (a) AS (…)` → `w (a, name) AS (…)`, and `w AS (…)` → `w (name) AS (…)`; false, if that is not what `out` ends with.
fn name_column(out: &mut Vec<TokenWithSpan>, name: TokenWithSpan) -> bool {
    let span = name.span;
    let place = |token| TokenWithSpan { token, span };
    let mut depth = 0;
    let Some(open) = out.iter().rposition(|token| {
        match token.token {
            SqlToken::RParen => depth += 1,
            SqlToken::LParen => depth -= 1,
            _ => {}
        }
        depth == 0
    }) else {
        return false;
    };
    let said = [Keyword::MATERIALIZED, Keyword::NOT];
    let hint = out[..open].iter().rev().take_while(|t| said.iter().any(|word| is_word(&t.token, *word))).count();
    let Some(before) = (open - hint).checked_sub(2).filter(|at| is_word(&out[at + 1].token, Keyword::AS)) else {
        return false;
    };
    match out[before].token {
        SqlToken::RParen => drop(out.splice(before..before, [place(SqlToken::Comma), name])),
        SqlToken::Word(_) => {
            out.splice(before + 1..=before, [place(SqlToken::LParen), name, place(SqlToken::RParen)]);
        }
        _ => return false,
    }
    true
}

/// `USING (a, b) AS name`: where the parenthesis closes, and the name.
fn joined_as(tokens: &[TokenWithSpan]) -> Option<(usize, String)> {
    let list = |token: &&TokenWithSpan| matches!(token.token, SqlToken::Word(_) | SqlToken::Comma);
    let close = match tokens.get(1)?.token {
        SqlToken::LParen => 2 + tokens[2..].iter().take_while(list).count(),
        _ => return None,
    };
    // Two words beside each other are no list of columns.
    let pairs = tokens[2..close]
        .windows(2)
        .all(|pair| (pair[0].token == SqlToken::Comma) != (pair[1].token == SqlToken::Comma));
    let [SqlToken::RParen, SqlToken::Word(_), SqlToken::Word(name)] =
        [close, close + 1, close + 2].map(|at| tokens.get(at).map_or(&SqlToken::EOF, |t| &t.token))
    else {
        return None;
    };
    let said = pairs && is_word(&tokens[close + 1].token, Keyword::AS);
    said.then(|| (close, lex::fold(&name.value, name.quote_style.is_some())))
}

/// Whether the `*` there, behind `table.`, is the row as a value: beside it is an operator or what else takes an operand.
/// In a list it is the table's columns.
fn is_whole_row(tokens: &[TokenWithSpan], star: usize) -> bool {
    const BEFORE: [Keyword; 11] = [
        Keyword::NOT,
        Keyword::WHERE,
        Keyword::AND,
        Keyword::OR,
        Keyword::ON,
        Keyword::WHEN,
        Keyword::THEN,
        Keyword::ELSE,
        Keyword::HAVING,
        Keyword::BETWEEN,
        Keyword::CASE,
    ];
    const BEHIND: [Keyword; 5] = [Keyword::IS, Keyword::NOT, Keyword::IN, Keyword::BETWEEN, Keyword::NOTNULL];
    let token = |at: Option<usize>| at.and_then(|at| tokens.get(at)).map_or(&SqlToken::EOF, |t| &t.token);
    let operator = |token: &SqlToken| {
        let text = token.to_string();
        !text.is_empty() && *token != SqlToken::RArrow && text.bytes().all(|b| b"+-*/<>=~!@#%^&|`?".contains(&b))
    };
    let any = |token: &SqlToken, words: &[Keyword]| words.iter().any(|word| is_word(token, *word));
    // Where the chain of names begins.
    let mut first = star - 1;
    while first >= 2 && tokens[first].token == SqlToken::Period && matches!(tokens[first - 1].token, SqlToken::Word(_))
    {
        first -= 1;
        if tokens[first - 1].token != SqlToken::Period {
            break;
        }
        first -= 1;
    }
    let (before, behind) = (token(first.checked_sub(1)), token(Some(star + 1)));
    let distinct_from = is_word(before, Keyword::FROM) && is_word(token(first.checked_sub(2)), Keyword::DISTINCT);
    if distinct_from
        || *behind == SqlToken::DoubleColon
        || operator(behind)
        || any(behind, &BEHIND)
        || operator(before)
        || any(before, &BEFORE)
    {
        return true;
    }
    if (before, behind) != (&SqlToken::LParen, &SqlToken::RParen) {
        return false;
    }
    // In parentheses of its own; behind a name they are those of a call.
    let opener = token(first.checked_sub(2));
    !matches!(opener, SqlToken::Word(_)) || any(opener, &BEFORE) || any(opener, &[Keyword::SELECT, Keyword::BY])
}

/// What may come behind WHERE CURRENT OF.
fn ends_change(token: &SqlToken) -> bool {
    matches!(token, SqlToken::RParen | SqlToken::SemiColon | SqlToken::EOF) || is_word(token, Keyword::RETURNING)
}

/// What sqlparser does not know of row locks goes into the name behind OF, which has no dots in PostgreSQL: its first part is
/// the strength, the others are the tables. `FOR KEY SHARE OF a, b` → `FOR SHARE OF "<mark>KEY SHARE".a.b`.
fn row_locks(tokens: Vec<TokenWithSpan>) -> SqlResult<Vec<TokenWithSpan>> {
    let word = |at: usize, text: &str| match tokens.get(at).map(|t| &t.token) {
        Some(SqlToken::Word(w)) => w.quote_style.is_none() && w.value.eq_ignore_ascii_case(text),
        _ => false,
    };
    let strength = |at: usize| {
        LockStrength::ALL.into_iter().find_map(|strength| {
            let mut next = at;
            let same = strength.clause().split(' ').all(|text| {
                next += 1;
                word(next - 1, text)
            });
            same.then_some((strength, next))
        })
    };
    if !(0..tokens.len()).any(|at| word(at, "OF") || word(at, "KEY")) {
        return Ok(tokens);
    }
    let mut out: Vec<TokenWithSpan> = Vec::with_capacity(tokens.len() + 8);
    let mut at = 0;
    while at < tokens.len() {
        let Some((strength, after)) = strength(at) else {
            out.push(tokens[at].clone());
            at += 1;
            continue;
        };
        let (span, of) = (tokens[at].span, word(after, "OF"));
        out.extend([tokens[at].clone(), tokens[after - 1].clone()]);
        at = after;
        if !of && matches!(strength, LockStrength::Update | LockStrength::Share) {
            continue;
        }
        let mark = format!("{MARK}{}", &strength.clause()["FOR ".len()..]);
        let place = |token| TokenWithSpan { token, span };
        out.extend([place(SqlToken::make_keyword("OF")), place(SqlToken::make_word(&mark, Some('"')))]);
        if of {
            at += 1;
            while let Some(SqlToken::Word(_)) = tokens.get(at).map(|t| &t.token) {
                out.extend([place(SqlToken::Period), tokens[at].clone()]);
                at += 1;
                match tokens.get(at).map(|t| &t.token) {
                    Some(SqlToken::Comma) => at += 1,
                    Some(SqlToken::Period) => {
                        let message = format!("{} must specify unqualified relation names", strength.clause());
                        let position = tokens[at - 1].span.start.column as u32;
                        return Err(SqlError::new(state::SYNTAX_ERROR, message).position(position));
                    }
                    _ => break,
                }
            }
        }
    }
    Ok(out)
}

/// The strength and the tables of a row lock's OF.
pub(super) fn locked_names(parts: Vec<String>) -> (Option<LockStrength>, Option<Vec<String>>) {
    let mark = parts.first().and_then(|first| first.strip_prefix(MARK));
    let strength =
        mark.and_then(|mark| LockStrength::ALL.into_iter().find(|s| s.clause().strip_prefix("FOR ") == Some(mark)));
    let names: Vec<String> = parts.into_iter().skip(usize::from(strength.is_some())).collect();
    (strength, Some(names).filter(|names| !names.is_empty()))
}

/// Characters before each line.
fn line_starts(source: &str) -> Vec<u32> {
    let mut starts = vec![0];
    for (i, c) in source.chars().enumerate() {
        if c == '\n' {
            starts.push(i as u32 + 1);
        }
    }
    starts
}

fn is_word(token: &SqlToken, keyword: Keyword) -> bool {
    matches!(token, SqlToken::Word(w) if w.keyword == keyword && w.quote_style.is_none())
}

/// Whether the next token is that of `TRIM(BOTH …` or `TRIM(…` behind which nothing tells what to trim.
fn trims(before: &[TokenWithSpan]) -> bool {
    let is = |token: &TokenWithSpan, keyword| is_word(&token.token, keyword);
    match before {
        [.., name, bracket] if bracket.token == SqlToken::LParen => is(name, Keyword::TRIM),
        [.., name, bracket, side] if bracket.token == SqlToken::LParen && is(name, Keyword::TRIM) => {
            [Keyword::BOTH, Keyword::LEADING, Keyword::TRAILING].into_iter().any(|k| is(side, k))
        }
        _ => false,
    }
}

fn starts_query(before: Option<&SqlToken>) -> bool {
    const AFTER: [Keyword; 5] = [Keyword::UNION, Keyword::EXCEPT, Keyword::INTERSECT, Keyword::ALL, Keyword::DISTINCT];
    match before {
        None | Some(SqlToken::LParen) => true,
        Some(token) => AFTER.into_iter().any(|k| is_word(token, k)),
    }
}

fn is_constant(token: &SqlToken) -> bool {
    goes_on(token) || matches!(token, SqlToken::DollarQuotedString(_) | SqlToken::Number(..))
}

/// A literal that another one on a later line goes on.
fn goes_on(token: &SqlToken) -> bool {
    matches!(
        token,
        SqlToken::SingleQuotedString(_)
            | SqlToken::EscapedStringLiteral(_)
            | SqlToken::SingleQuotedByteStringLiteral(_)
            | SqlToken::HexStringLiteral(_)
    )
}

fn is_string(token: &SqlToken) -> bool {
    goes_on(token) || matches!(token, SqlToken::DollarQuotedString(_))
}

/// What stands between two tokens.
#[derive(Clone, Copy, PartialEq)]
enum Gap {
    /// Nothing, or blanks within a line.
    Within,
    /// The end of a line, or several: a literal goes on behind it.
    Lines,
    /// A comment in `/* */`: no literal goes on behind it.
    Comment,
}

impl Gap {
    fn with(self, blank: &Whitespace) -> Gap {
        match (self, blank) {
            (Gap::Comment, _) | (_, Whitespace::MultiLineComment(_)) => Gap::Comment,
            (_, Whitespace::Newline | Whitespace::SingleLineComment { .. }) => Gap::Lines,
            _ => self,
        }
    }
}

/// Whether the next token is that of `INSERT INTO t TABLE …`.
fn fills_table(before: &[TokenWithSpan]) -> bool {
    let name = |token: &TokenWithSpan| matches!(token.token, SqlToken::Word(_) | SqlToken::Period);
    let rest = match before.last().map(|t| &t.token) {
        Some(SqlToken::RParen) => match before.iter().rposition(|t| t.token == SqlToken::LParen) {
            Some(open) => &before[..open],
            None => return false,
        },
        _ => before,
    };
    // The names of the table and its alias.
    let start = rest.iter().rposition(|t| !name(t) || is_word(&t.token, Keyword::INTO));
    let inserts = |into: usize| {
        is_word(&rest[into].token, Keyword::INTO) && into > 0 && is_word(&rest[into - 1].token, Keyword::INSERT)
    };
    start.is_some_and(|start| inserts(start) && start + 1 < rest.len())
        && !before.last().is_some_and(|t| is_word(&t.token, Keyword::AS) || t.token == SqlToken::Period)
}

/// Inheritance is not supported, so `ONLY` before a table says nothing.
fn drop_only(out: &mut Vec<TokenWithSpan>, next: &SqlToken) {
    const BEFORE: [Keyword; 5] = [Keyword::FROM, Keyword::JOIN, Keyword::UPDATE, Keyword::INTO, Keyword::USING];
    let [.., first, second] = out.as_slice() else { return };
    let opens = first.token == SqlToken::Comma || BEFORE.into_iter().any(|k| is_word(&first.token, k));
    let names = matches!(next, SqlToken::Word(_) | SqlToken::LParen);
    if opens
        && names
        && matches!(&second.token, SqlToken::Word(w) if w.keyword == Keyword::ONLY && w.quote_style.is_none())
    {
        out.pop();
    }
}

/// `OPERATOR(pg_catalog.=)` → `=`: no other schema has operators. Between operands, its precedence is that of an operator
/// without a rule of its own.
fn plain_operator(out: &mut Vec<TokenWithSpan>) {
    let [before @ .., operator, open, schema, period, sign, close] = out.as_slice() else { return };
    let is_call = is_word(&operator.token, Keyword::OPERATOR)
        && open.token == SqlToken::LParen
        && period.token == SqlToken::Period
        && close.token == SqlToken::RParen;
    if is_call && matches!(&schema.token, SqlToken::Word(w) if w.value.eq_ignore_ascii_case("pg_catalog")) {
        let infix = match before.last().map(|t| &t.token) {
            Some(SqlToken::Word(w)) => {
                w.quote_style.is_some() || !lex::RESERVED.contains(&&*w.value.to_ascii_lowercase())
            }
            Some(SqlToken::RParen | SqlToken::RBracket | SqlToken::Number(..) | SqlToken::Placeholder(_)) => true,
            Some(SqlToken::SingleQuotedString(_) | SqlToken::EscapedStringLiteral(_)) => true,
            _ => false,
        };
        let mut sign = sign.clone();
        if infix {
            sign.token = SqlToken::CustomBinaryOperator(sign.token.to_string());
        }
        out.truncate(out.len() - 6);
        out.push(sign);
    }
}

/// sqlparser's error as PostgreSQL would say it.
fn parser_error(source: &str, error: ParserError) -> SqlError {
    let message = match error {
        ParserError::RecursionLimitExceeded => return too_complex(TOO_DEEP),
        ParserError::TokenizerError(message) | ParserError::ParserError(message) => message,
    };
    let column = message.rsplit_once("Column: ").and_then(|(_, n)| n.parse().ok());
    match column {
        Some(column) if !message.contains("found: EOF") => near(source, column),
        _ if message.contains("found: EOF") => end_of_input(source),
        _ => SqlError::syntax(message),
    }
}

fn end_of_input(source: &str) -> SqlError {
    SqlError::syntax("syntax error at end of input").position(lex::char_position(source, source.len()))
}

/// `syntax error at or near` the token at a 1-based character position.
fn near(source: &str, position: u32) -> SqlError {
    let at = source.char_indices().nth(position.saturating_sub(1) as usize).map_or(source.len(), |(i, _)| i);
    match Lexer::new(&source[at..]).next() {
        Some(Ok(token)) => SqlError::syntax(format!("syntax error at or near \"{}\"", token.text(&source[at..])))
            .position(position.max(1)),
        Some(Err(error)) => moved(error, position.saturating_sub(1)),
        None => end_of_input(source),
    }
}

/// A statement that is neither query nor data change.
fn utility(source: &str, allowance: &Allowance) -> SqlResult<Ast> {
    let mut c = Cursor::new(source, allowance)?;
    if let Some(ast) = ddl::grammar::statement(&mut c)? {
        return Ok(ast);
    }
    let plain = |u: Utility| Ok(Ast::Utility(u));
    let ast = if c.eat("BEGIN") {
        c.eat_one(&["WORK", "TRANSACTION"]);
        plain(Utility::Begin(transaction_modes(&mut c)?))
    } else if c.eat_all("START TRANSACTION") {
        plain(Utility::Begin(transaction_modes(&mut c)?))
    } else if c.eat_one(&["COMMIT", "END"]).is_some() {
        match c.is("PREPARED") {
            true => unsupported(&mut c, "COMMIT PREPARED"),
            false => plain(Utility::Commit { chain: end_of_transaction(&mut c)? }),
        }
    } else if c.eat_one(&["ROLLBACK", "ABORT"]).is_some() {
        rollback(&mut c)
    } else if c.eat("SAVEPOINT") {
        plain(Utility::Savepoint(c.ident()?))
    } else if c.eat("RELEASE") {
        c.eat("SAVEPOINT");
        plain(Utility::Release(c.ident()?))
    } else if c.eat("SET") {
        set(&mut c)
    } else if c.eat("RESET") {
        reset(&mut c)
    } else if c.eat("SHOW") {
        plain(if c.eat("ALL") { Utility::ShowAll } else { Utility::Show(setting_name(&mut c)?) })
    } else if c.eat_all("PREPARE TRANSACTION") {
        unsupported(&mut c, "PREPARE TRANSACTION")
    } else if c.eat("PREPARE") {
        prepare(&mut c)
    } else if c.eat("EXECUTE") {
        execute(&mut c)
    } else if c.eat("DEALLOCATE") {
        c.eat("PREPARE");
        plain(Utility::Deallocate(if c.eat("ALL") { None } else { Some(c.ident()?) }))
    } else if c.eat("DECLARE") {
        declare(&mut c)
    } else if c.is("FETCH") || c.is("MOVE") {
        fetch(&mut c)
    } else if c.eat("CLOSE") {
        plain(Utility::Close(if c.eat("ALL") { None } else { Some(c.ident()?) }))
    } else if c.eat("DISCARD") {
        discard(&mut c)
    } else if c.eat("LOCK") {
        lock(&mut c)
    } else if c.eat("COPY") {
        copy::statement(&mut c).map(|s| Ast::Copy(Box::new(s)))
    } else if c.eat("EXPLAIN") {
        explain::statement(&mut c).map(|s| Ast::Explain(Box::new(s)))
    } else if c.is("VACUUM") || c.is("ANALYZE") || c.is("ANALYSE") {
        maintenance(&mut c)
    } else if c.eat("REINDEX") {
        reindex::statement(&mut c).map(|s| Ast::Reindex(Box::new(s)))
    } else if c.eat("CHECKPOINT") {
        Ok(Ast::Maintenance { tag: "CHECKPOINT", tables: Vec::new() })
    } else if c.eat("LISTEN") {
        plain(Utility::Listen(c.ident()?))
    } else if c.eat("UNLISTEN") {
        plain(Utility::Unlisten(if c.eat("*") { None } else { Some(c.ident()?) }))
    } else if c.eat("NOTIFY") {
        let channel = c.ident()?;
        let payload = if c.eat(",") { c.string()? } else { String::new() };
        Ok(Ast::Notify { channel, payload })
    } else if c.eat("DO") {
        inline(&mut c)
    } else if let Some(word) = c.eat_one(&["CALL", "LOAD", "IMPORT"]) {
        unsupported(&mut c, word)
    } else if c.eat_all("SECURITY LABEL") {
        unsupported(&mut c, "SECURITY LABEL")
    } else {
        Err(c.error())
    }?;
    c.finish()?;
    Ok(ast)
}

/// Behind DO: the body, and its language on either side.
fn inline(c: &mut Cursor<'_>) -> SqlResult<Ast> {
    let (mut body, mut language) = (None, "plpgsql".to_owned());
    while !c.done() {
        match c.eat("LANGUAGE") {
            true if c.peek().is_some_and(|t| t.kind == Kind::Literal) => language = c.string()?,
            true => language = c.ident()?,
            false if body.is_some() => return Err(c.error()),
            false => body = Some(c.string()?),
        }
    }
    let Some(body) = body else { return Err(SqlError::syntax("no inline code specified")) };
    match language.as_str() {
        "plpgsql" => Ok(Ast::Utility(Utility::Do(Arc::new(procedural::program(&body, c.allowance)?)))),
        "sql" | "internal" | "c" => {
            let message = format!("language \"{language}\" does not support inline code execution");
            Err(SqlError::new(state::FEATURE_NOT_SUPPORTED, message))
        }
        _ => Err(SqlError::new(state::UNDEFINED_OBJECT, format!("language \"{language}\" does not exist"))),
    }
}

fn unsupported(c: &mut Cursor<'_>, feature: &str) -> SqlResult<Ast> {
    c.rest();
    Ok(Ast::Unsupported(feature.to_owned()))
}

fn transaction_modes(c: &mut Cursor<'_>) -> SqlResult<TransactionModes> {
    let mut modes = TransactionModes::default();
    while !c.done() {
        if c.eat_all("ISOLATION LEVEL") {
            modes.isolation = Some(isolation(c)?);
        } else if c.eat_all("READ ONLY") {
            modes.read_only = Some(true);
        } else if c.eat_all("READ WRITE") {
            modes.read_only = Some(false);
        } else if c.eat_all("NOT DEFERRABLE") {
            modes.deferrable = Some(false);
        } else if c.eat("DEFERRABLE") {
            modes.deferrable = Some(true);
        } else {
            return Err(c.error());
        }
        if c.eat(",") && c.done() {
            return Err(c.error());
        }
    }
    Ok(modes)
}

fn isolation(c: &mut Cursor<'_>) -> SqlResult<IsolationLevel> {
    if c.eat("SERIALIZABLE") {
        Ok(IsolationLevel::Serializable)
    } else if c.eat_all("REPEATABLE READ") {
        Ok(IsolationLevel::RepeatableRead)
    } else if c.eat_all("READ COMMITTED") {
        Ok(IsolationLevel::ReadCommitted)
    } else if c.eat_all("READ UNCOMMITTED") {
        Ok(IsolationLevel::ReadUncommitted)
    } else {
        Err(c.error())
    }
}

/// `[WORK | TRANSACTION] [AND [NO] CHAIN]`: chain?
fn end_of_transaction(c: &mut Cursor<'_>) -> SqlResult<bool> {
    c.eat_one(&["WORK", "TRANSACTION"]);
    if !c.eat("AND") {
        return Ok(false);
    }
    let chain = !c.eat("NO");
    c.expect("CHAIN")?;
    Ok(chain)
}

fn rollback(c: &mut Cursor<'_>) -> SqlResult<Ast> {
    if c.is("PREPARED") {
        return unsupported(c, "ROLLBACK PREPARED");
    }
    c.eat_one(&["WORK", "TRANSACTION"]);
    if c.eat("TO") {
        c.eat("SAVEPOINT");
        return Ok(Ast::Utility(Utility::RollbackTo(c.ident()?)));
    }
    Ok(Ast::Utility(Utility::Rollback { chain: end_of_transaction(c)? }))
}

/// The name of a setting, with the spellings that have blanks.
pub(super) fn setting_name(c: &mut Cursor<'_>) -> SqlResult<String> {
    if c.eat_all("TIME ZONE") {
        return Ok("TimeZone".into());
    }
    if c.eat_all("TRANSACTION ISOLATION LEVEL") {
        return Ok("transaction_isolation".into());
    }
    if c.eat_all("SESSION AUTHORIZATION") {
        return Ok("session_authorization".into());
    }
    let mut name = c.any_word()?;
    while c.eat(".") {
        name = format!("{name}.{}", c.any_word()?);
    }
    Ok(name)
}

fn reset(c: &mut Cursor<'_>) -> SqlResult<Ast> {
    if c.eat("ALL") {
        return Ok(Ast::Utility(Utility::ResetAll));
    }
    let name = setting_name(c)?;
    Ok(Ast::Utility(Utility::Reset(name)))
}

fn set(c: &mut Cursor<'_>) -> SqlResult<Ast> {
    if c.eat_all("SESSION CHARACTERISTICS AS TRANSACTION") {
        return Ok(Ast::Utility(Utility::SetSessionCharacteristics(transaction_modes(c)?)));
    }
    if c.eat("CONSTRAINTS") {
        return set_constraints(c);
    }
    let local = c.eat("LOCAL");
    if !local && !c.is_at(1, "AUTHORIZATION") {
        c.eat("SESSION");
    }
    if c.eat("TRANSACTION") {
        return match c.is("SNAPSHOT") {
            true => unsupported(c, "SET TRANSACTION SNAPSHOT"),
            false if c.done() => Err(c.error()),
            false => Ok(Ast::Utility(Utility::SetTransaction(transaction_modes(c)?))),
        };
    }
    let (name, values) = setting_values(c)?;
    Ok(Ast::Utility(Utility::Set { name, values, local }))
}

/// A setting and what it is set to, behind SET; no values: its default.
pub(super) fn setting_values(c: &mut Cursor<'_>) -> SqlResult<(String, Vec<String>)> {
    let assigned = |name: &str, values| Ok((name.to_owned(), values));
    if c.eat_all("TIME ZONE") {
        let values = time_zone(c)?;
        return assigned("TimeZone", values);
    }
    if c.eat("NAMES") {
        let values = if c.done() || c.eat("DEFAULT") { Vec::new() } else { vec![setting_value(c)?] };
        return assigned("client_encoding", values);
    }
    if c.is("SCHEMA") && c.peek_text(1).starts_with('\'') {
        c.bump();
        let values = vec![c.string()?];
        return assigned("search_path", values);
    }
    if (c.is("ROLE") && !c.is_at(1, "TO") && !c.is_at(1, "=")) || c.is_at(1, "AUTHORIZATION") {
        let name = if c.eat("ROLE") { "role" } else { setting_name(c).map(|_| "session_authorization")? };
        let values = if c.eat("DEFAULT") { Vec::new() } else { vec![setting_value(c)?] };
        return assigned(name, values);
    }
    if c.eat_all("XML OPTION") {
        let values = vec![setting_value(c)?];
        return assigned("xmloption", values);
    }
    let name = setting_name(c)?;
    if c.is("FROM") {
        return Err(SqlError::unsupported("SET FROM CURRENT"));
    }
    if !c.eat("TO") && !c.eat("=") {
        return Err(c.error());
    }
    let values = if c.eat("DEFAULT") { Vec::new() } else { c.list(setting_value)? };
    assigned(&name, values)
}

/// A word, a literal or a number, as the setting's text.
fn setting_value(c: &mut Cursor<'_>) -> SqlResult<String> {
    let Some(token) = c.peek() else { return Err(c.error()) };
    match token.kind {
        Kind::Literal => c.string(),
        Kind::Word | Kind::Quoted => c.any_word(),
        Kind::Number => Ok(c.bump().map_or("", |t| t.text(c.source)).to_owned()),
        Kind::Symbol if c.is("-") || c.is("+") => {
            let sign = if c.eat("-") { "-" } else { c.bump().map_or("", |_| "") };
            match c.peek() {
                Some(t) if t.kind == Kind::Number => {
                    c.bump();
                    Ok(format!("{sign}{}", t.text(c.source)))
                }
                _ => Err(c.error()),
            }
        }
        _ => Err(c.error()),
    }
}

/// SET TIME ZONE: `LOCAL` and `DEFAULT` mean the default; an interval is a fixed offset.
fn time_zone(c: &mut Cursor<'_>) -> SqlResult<Vec<String>> {
    if c.eat("LOCAL") || c.eat("DEFAULT") {
        return Ok(Vec::new());
    }
    if c.eat("INTERVAL") {
        let position = c.position();
        let offset = c.string()?;
        let fields = match c.eat("HOUR") {
            true if c.eat("TO") => {
                c.expect("MINUTE")?;
                "hour to minute"
            }
            true => "hour",
            false => "",
        };
        let typmod = interval_typmod(fields, None).unwrap_or(NO_TYPMOD);
        let offset = crate::types::interval::parse(&offset, IntervalStyle::Postgres, typmod)
            .map_err(|e| e.position(position))?;
        if offset.months != 0 || offset.days != 0 {
            let text = "time zone interval must not include months or days";
            return Err(SqlError::new(state::INVALID_PARAMETER_VALUE, text).position(position));
        }
        return Ok(vec![crate::types::zone::fixed_name((offset.micros / 1_000_000) as i32)]);
    }
    Ok(vec![setting_value(c)?])
}

fn set_constraints(c: &mut Cursor<'_>) -> SqlResult<Ast> {
    let names = if c.eat("ALL") { Vec::new() } else { c.list(Cursor::name)? };
    let deferred = c.eat("DEFERRED");
    if !deferred {
        c.expect("IMMEDIATE")?;
    }
    Ok(Ast::SetConstraints { names, deferred })
}

fn prepare(c: &mut Cursor<'_>) -> SqlResult<Ast> {
    let name = c.ident()?;
    let types = if c.is("(") { c.paren_list(ddl::grammar::type_name)? } else { Vec::new() };
    c.expect("AS")?;
    let error = c.error();
    let query = Some(c.rest()).filter(|rest| is_query(rest)).ok_or(error)?;
    let before = lex::char_position(c.source, c.source.len() - query.len()) - 1;
    parse_statement(query, c.allowance).map_err(|e| moved(e, before))?;
    Ok(Ast::Prepare { name, types, query: query.to_owned() })
}

/// What follows EXECUTE.
pub(super) fn execute(c: &mut Cursor<'_>) -> SqlResult<Ast> {
    let name = c.ident()?;
    let args = arguments(c)?;
    Ok(Ast::Utility(Utility::Execute { name, args, into: None }))
}

/// `[ (expression, …) ]` as texts.
fn arguments(c: &mut Cursor<'_>) -> SqlResult<Vec<String>> {
    if !c.is("(") {
        return Ok(Vec::new());
    }
    c.paren_list(|c| {
        let position = c.position();
        let text = c.take_until(|c| c.is(","))?;
        check_expression(text, c.allowance).map_err(|e| moved(e, position - 1))?;
        Ok(text.to_owned())
    })
}

fn declare(c: &mut Cursor<'_>) -> SqlResult<Ast> {
    let name = c.ident()?;
    let (mut binary, mut scroll) = (false, None);
    loop {
        if c.eat("BINARY") {
            binary = true;
        } else if c.eat_all("NO SCROLL") {
            scroll = Some(false);
        } else if c.eat("SCROLL") {
            scroll = Some(true);
        } else if c.eat_one(&["INSENSITIVE", "ASENSITIVE"]).is_none() {
            break;
        }
    }
    c.expect("CURSOR")?;
    let hold = c.eat_all("WITH HOLD");
    if !hold {
        c.eat_all("WITHOUT HOLD");
    }
    c.expect("FOR")?;
    if c.done() {
        return Err(c.error());
    }
    let query = c.rest();
    let before = lex::char_position(c.source, c.source.len() - query.len()) - 1;
    let parsed = match is_query(query) {
        true => parse_query(query, c.allowance).map_err(|e| moved(e, before))?,
        false => return Err(near(c.source, before + 1)),
    };
    if !matches!(*parsed, Statement::Query(_)) {
        return Err(near(c.source, before + 1));
    }
    Ok(Ast::Utility(Utility::Declare { name, query: query.to_owned(), hold, scroll, binary }))
}

fn fetch(c: &mut Cursor<'_>) -> SqlResult<Ast> {
    let is_move = c.eat("MOVE");
    if !is_move {
        c.expect("FETCH")?;
    }
    let direction = fetch_direction(c)?;
    c.eat_one(&["FROM", "IN"]);
    let name = c.ident()?;
    Ok(Ast::Utility(Utility::Fetch { name, direction, is_move }))
}

/// Absent means NEXT. A cursor may be called like a direction, so a word counts only if more follows.
fn fetch_direction(c: &mut Cursor<'_>) -> SqlResult<FetchDirection> {
    use FetchDirection::{Absolute, Forward, Relative};
    if c.is_integer() {
        return Ok(Forward(c.integer()?));
    }
    if c.peek_text(1).is_empty() {
        return Ok(Forward(1));
    }
    for (word, direction) in [
        ("NEXT", Forward(1)),
        ("PRIOR", Forward(-1)),
        ("FIRST", Absolute(1)),
        ("LAST", Absolute(-1)),
        ("ALL", Forward(i64::MAX)),
    ] {
        if c.eat(word) {
            return Ok(direction);
        }
    }
    if c.eat("ABSOLUTE") {
        return Ok(Absolute(c.integer()?));
    }
    if c.eat("RELATIVE") {
        return Ok(Relative(c.integer()?));
    }
    let sign = match c.eat_one(&["FORWARD", "BACKWARD"]) {
        None => return Ok(Forward(1)),
        Some(word) => {
            if word == "FORWARD" {
                1
            } else {
                -1
            }
        }
    };
    if c.eat("ALL") {
        return Ok(Forward(i64::MAX * sign));
    }
    Ok(Forward(if c.is_integer() { c.integer()?.saturating_mul(sign) } else { sign }))
}

fn discard(c: &mut Cursor<'_>) -> SqlResult<Ast> {
    let what = match c.eat_one(&["ALL", "PLANS", "SEQUENCES", "TEMP", "TEMPORARY"]) {
        Some("ALL") => Discard::All,
        Some("PLANS") => Discard::Plans,
        Some("SEQUENCES") => Discard::Sequences,
        Some(_) => Discard::Temp,
        None => return Err(c.error()),
    };
    Ok(Ast::Utility(Utility::Discard(what)))
}

fn lock(c: &mut Cursor<'_>) -> SqlResult<Ast> {
    const MODES: [(&str, LockMode); 8] = [
        ("ACCESS SHARE", LockMode::AccessShare),
        ("ROW SHARE", LockMode::RowShare),
        ("ROW EXCLUSIVE", LockMode::RowExclusive),
        ("SHARE UPDATE EXCLUSIVE", LockMode::ShareUpdateExclusive),
        ("SHARE ROW EXCLUSIVE", LockMode::ShareRowExclusive),
        ("SHARE", LockMode::Share),
        ("EXCLUSIVE", LockMode::Exclusive),
        ("ACCESS EXCLUSIVE", LockMode::AccessExclusive),
    ];
    c.eat("TABLE");
    let tables = c.list(table_name)?;
    let mut mode = LockMode::AccessExclusive;
    if c.eat("IN") {
        mode = MODES.iter().find(|(words, _)| c.eat_all(words)).map(|(_, m)| *m).ok_or_else(|| c.error())?;
        c.expect("MODE")?;
    }
    Ok(Ast::Lock { tables, mode, nowait: c.eat("NOWAIT") })
}

/// `[ONLY] name [*]`
pub(super) fn table_name(c: &mut Cursor<'_>) -> SqlResult<Name> {
    c.eat("ONLY");
    let name = c.name()?;
    c.eat("*");
    Ok(name)
}

/// VACUUM and ANALYZE.
fn maintenance(c: &mut Cursor<'_>) -> SqlResult<Ast> {
    let vacuum = c.eat("VACUUM");
    let mut analyze = !vacuum && c.bump().is_some();
    if c.eat("(") {
        c.list(|c| {
            let option = c.any_word()?.to_ascii_uppercase();
            let value = if c.is(",") || c.is(")") { "" } else { c.take_until(|c| c.is(",") || c.is(")"))? };
            match (vacuum, option.as_str()) {
                (true, "ANALYZE" | "ANALYSE") => {
                    let off =
                        ["false", "off", "0", "no"].iter().any(|no| value.trim_matches('\'').eq_ignore_ascii_case(no));
                    analyze = !off;
                    Ok(())
                }
                (_, "VERBOSE" | "SKIP_LOCKED") => Ok(()),
                (
                    true,
                    "FULL"
                    | "FREEZE"
                    | "DISABLE_PAGE_SKIPPING"
                    | "INDEX_CLEANUP"
                    | "PROCESS_TOAST"
                    | "TRUNCATE"
                    | "PARALLEL",
                ) => Ok(()),
                _ => {
                    let what = if vacuum { "VACUUM" } else { "ANALYZE" };
                    Err(SqlError::syntax(format!("unrecognized {what} option \"{}\"", option.to_ascii_lowercase())))
                }
            }
        })?;
        c.expect(")")?;
    } else if vacuum {
        while let Some(word) = c.eat_one(&["FULL", "FREEZE", "VERBOSE", "ANALYZE", "ANALYSE"]) {
            analyze |= word.starts_with("ANAL");
        }
    } else {
        c.eat("VERBOSE");
    }
    let mut tables = Vec::new();
    if !c.done() {
        tables = c.list(|c| {
            let table = table_name(c)?;
            let mut columns = Vec::new();
            if c.eat("(") {
                columns = c.list(Cursor::ident)?;
                c.expect(")")?;
            }
            Ok((table, columns))
        })?;
    }
    Ok(match analyze {
        true => Ast::Ddl(Box::new(ddl::Ddl::Analyze { vacuum, tables })),
        false => Ast::Maintenance { tag: "VACUUM", tables: tables.into_iter().map(|(table, _)| table).collect() },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utilities(text: &str) -> String {
        let show = |p: Parsed| match p.ast {
            Ast::Utility(u) => format!("{u:?}"),
            Ast::Sql(s) => format!("Sql({s})"),
            other => format!("{other:?}"),
        };
        parse(text).map_or_else(
            |e| format!("{} {} @{:?}", e.code.as_str(), e.message, e.fields.position),
            |all| all.into_iter().map(show).collect::<Vec<_>>().join("; "),
        )
    }

    #[test]
    fn splits_and_locates() {
        let all = parse("select 1; /* ; */ select 'a;b' ;;\n select $$;$$").unwrap();
        let texts: Vec<_> = all.iter().map(|p| (p.text.as_str(), p.offset_chars)).collect();
        assert_eq!(texts, [("select 1", 0), ("select 'a;b'", 18), ("select $$;$$", 35)]);
        assert!(matches!(parse(" ; -- x").unwrap()[..], [Parsed { ast: Ast::Empty, .. }]));
        assert_eq!(utilities("select 1;\nselect ä frm t"), "42601 syntax error at or near \"t\" @Some(24)");
        assert_eq!(utilities("select 1 from"), "42601 syntax error at end of input @Some(14)");
        assert_eq!(utilities("selct 1"), "42601 syntax error at or near \"selct\" @Some(1)");
        assert_eq!(utilities("begin isolation level"), "42601 syntax error at end of input @Some(22)");
    }

    #[test]
    fn transactions_and_settings() {
        for (text, expected) in [
            (
                "BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY DEFERRABLE",
                "Begin(TransactionModes { isolation: Some(Serializable), read_only: Some(true), deferrable: Some(true) })",
            ),
            (
                "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY",
                "SetTransaction(TransactionModes { isolation: Some(RepeatableRead), read_only: Some(true), deferrable: None })",
            ),
            (
                "END; ABORT; rollback to savepoint a; RELEASE b",
                "Commit { chain: false }; Rollback { chain: false }; RollbackTo(\"a\"); Release(\"b\")",
            ),
            ("commit and chain", "Commit { chain: true }"),
            ("SET CONSTRAINTS ALL IMMEDIATE", "SetConstraints { names: [], deferred: false }"),
            ("SET SESSION timezone TO 'UTC'", "Set { name: \"timezone\", values: [\"UTC\"], local: false }"),
            (
                "SET TIME ZONE INTERVAL '+00:00' HOUR TO MINUTE",
                "Set { name: \"TimeZone\", values: [\"<+00>-00\"], local: false }",
            ),
            (
                "set local search_path = \"$user\", Public",
                "Set { name: \"search_path\", values: [\"$user\", \"public\"], local: true }",
            ),
            ("SET extra_float_digits = -3", "Set { name: \"extra_float_digits\", values: [\"-3\"], local: false }"),
            (
                "RESET ALL; SHOW TIME ZONE; show transaction isolation level",
                "ResetAll; Show(\"TimeZone\"); Show(\"transaction_isolation\")",
            ),
            ("DISCARD ALL; DEALLOCATE ALL; CLOSE ALL", "Discard(All); Deallocate(None); Close(None)"),
        ] {
            assert_eq!(utilities(text), expected, "{text}");
        }
    }

    #[test]
    fn cursors_and_prepared() {
        for (text, expected) in [
            (
                "DECLARE c NO SCROLL CURSOR WITH HOLD FOR select 1",
                "Declare { name: \"c\", query: \"select 1\", hold: true, scroll: Some(false), binary: false }",
            ),
            (
                "FETCH FORWARD ALL FROM \"srv\"",
                "Fetch { name: \"srv\", direction: Forward(9223372036854775807), is_move: false }",
            ),
            ("MOVE FORWARD 1 p", "Fetch { name: \"p\", direction: Forward(1), is_move: true }"),
            (
                "FETCH 100 FROM c; FETCH next; FETCH BACKWARD c",
                "Fetch { name: \"c\", direction: Forward(100), is_move: false }; Fetch { name: \"next\", direction: Forward(1), is_move: false }; Fetch { name: \"c\", direction: Forward(-1), is_move: false }",
            ),
            ("EXECUTE p('a,b', (1, 2))", "Execute { name: \"p\", args: [\"'a,b'\", \"(1, 2)\"], into: None }"),
        ] {
            assert_eq!(utilities(text), expected, "{text}");
        }
        assert!(matches!(parse("prepare p(int, text[]) as select $1").unwrap()[0].ast, Ast::Prepare { .. }));
        assert_eq!(utilities("declare c cursor for selec 1"), "42601 syntax error at or near \"selec\" @Some(22)");
    }

    #[test]
    fn helps_the_query_parser() {
        for (text, expected) in [
            ("table t", "Sql(SELECT * FROM t)"),
            ("select a from only t, only u", "Sql(SELECT a FROM t, u)"),
            ("select 'a'\n 'b'", "Sql(SELECT 'ab')"),
            (
                "select 1 from t join u on t.a operator(pg_catalog.=) any (u.b)",
                "Sql(SELECT 1 FROM t JOIN u ON t.a = ANY(u.b))",
            ),
            ("select trim(trailing from x)", "Sql(SELECT TRIM(TRAILING E' ' FROM x))"),
        ] {
            assert_eq!(utilities(text), expected, "{text}");
        }
    }

    #[test]
    fn what_clients_send() {
        for text in [
            "vacuum analyze pgbench_accounts",
            "LOCK TABLE public.child IN ACCESS SHARE MODE",
            "copy pgbench_accounts from stdin with (freeze on)",
            "UNLISTEN *",
            "EXPLAIN (VERBOSE, FORMAT JSON) select 1",
            "CREATE EXTENSION IF NOT EXISTS \"uuid-ossp\"",
            "ALTER TABLE public.child ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (SEQUENCE NAME public.s START WITH 1 INCREMENT BY 1 NO MINVALUE NO MAXVALUE CACHE 1)",
            "create table pgbench_tellers(tid int not null,bid int,filler char(84)) with (fillfactor=100)",
            "CREATE TABLE \"shop_p\" (\"id\" bigint NOT NULL PRIMARY KEY GENERATED BY DEFAULT AS IDENTITY, \"p\" numeric(8, 2) NOT NULL)",
            "create table k (d timestamptz not null default CURRENT_TIMESTAMP, e text check (e in ('a', 'b')), v varchar(20) default 'x'::character varying not null)",
            "CREATE INDEX child_lower ON public.child USING btree (lower((u)::text))",
            "REVOKE USAGE ON SCHEMA public FROM PUBLIC",
            "COMMENT ON SCHEMA public IS ''",
            "TRUNCATE \"a\", \"b\" RESTART IDENTITY",
            "alter table \"kx\" alter column \"n\" type varchar(40) using (\"n\"::varchar(40))",
        ] {
            assert!(!utilities(text).starts_with("42"), "{text}: {}", utilities(text));
        }
    }

    /// Whatever nests, on the stack of any thread.
    #[test]
    fn refuses_what_is_too_deep() {
        let nested =
            |open: &str, inner: &str, close: &str| format!("select {}{inner}{}", open.repeat(5000), close.repeat(5000));
        let texts = [
            nested("(", "1", ")"),
            nested("- ", "1", ""),
            nested("not ", "true", ""),
            nested("true = not ", "true", ""),
            nested("1 is distinct from ", "1", ""),
            nested("case when true then ", "1", " end"),
            nested("array[", "1", "]"),
            nested("(select ", "1", ")"),
            nested("f(", "1", ")"),
            format!("select * from t{}{}", " join t".repeat(5000), " on true".repeat(5000)),
            format!("select * from t{}{}", " left join t".repeat(5000), " using (a)".repeat(5000)),
            format!("select * from {}t{}", "(".repeat(5000), ")".repeat(5000)),
            format!("select * from {}t{}", "(select * from ".repeat(5000), ")".repeat(5000)),
            format!("create view v as select {}1{}", "(".repeat(5000), ")".repeat(5000)),
            format!("select 1{}", " or true".repeat(60_000)),
            format!("select 1{}", " union all select 1".repeat(60_000)),
            format!("select * from t{}", " join t on true".repeat(100_000)),
        ];
        for text in texts {
            let error = parse(&text).unwrap_err();
            assert_eq!(error.code, state::STATEMENT_TOO_COMPLEX, "{error} for {}…", &text[..60]);
        }
        for text in ["prepare a as ", "declare c cursor for "] {
            let error = parse(&format!("{}select 1", text.repeat(3000))).unwrap_err();
            assert_eq!(error.code, state::SYNTAX_ERROR, "{error} for {text}");
        }
    }

    #[test]
    fn takes_what_is_long() {
        for text in [
            format!("select {}1{}, {}", "(".repeat(300), ")".repeat(300), vec!["1+1"; 5000].join(",")),
            format!("select case {} end", "when a = 1 and b = 2 then 3 ".repeat(2000)),
            format!("select 1{}", " or true".repeat(20_000)),
            format!("select 1{}", " and not a between 1 and 2".repeat(5000)),
            format!("select 1{}", " + 1".repeat(20_000)),
            format!("select 1{}", " union all select 1".repeat(10_000)),
            format!("select 1 from t{}", " join t on true".repeat(4000)),
            format!("select 1 from t{}", " cross join t".repeat(4000)),
            format!("select 1 from t{}{}", " join t".repeat(200), " on true".repeat(200)),
            format!("select 1 where a in ({})", vec!["'x'"; 100_000].join(",")),
        ] {
            let parsed = parse(&text);
            assert!(parsed.is_ok(), "{parsed:?}");
        }
    }

    #[test]
    fn the_allowance_stops_the_parser() {
        // An alternative that fails makes the parser try another one: what is spent must end all of them.
        let nested = format!("select * from {}t{}", "(".repeat(100), ")".repeat(100));
        let _ = parse_within(&nested, &Allowance::brief());
        for text in [format!("select 1{}", " + 1".repeat(9_000)), "select 1,".repeat(9_000)] {
            let allowance = Allowance::brief();
            assert_eq!(parse_within(&text, &allowance).unwrap_err().code, state::STATEMENT_TOO_COMPLEX);
            assert!(allowance.was_too_brief());
        }
    }

    #[test]
    fn keeps_few_trees_of_a_long_text() {
        let text = "select 1,2,3,4,5,6,7,8,9;".repeat(20_000);
        let all = parse(&text).unwrap();
        assert!(matches!(all[0].ast, Ast::Sql(_)) && matches!(all[19_999].ast, Ast::Later));
    }
}
