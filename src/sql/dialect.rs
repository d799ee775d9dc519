//! PostgreSQL's precedence of operators (its documentation, "Operator Precedence"), where sqlparser's differs.
//!
//! A sign binds tighter than `^`, every other prefix operator and all operators without a rule of their own bind alike,
//! comparisons do not associate, and an operator of several characters ends in `+` or `-` only if it has one of
//! `~ ! @ # % ^ & | ?` and a backtick in it.

use super::phrases;
use sqlparser::ast::{
    BinaryOperator, DataType, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArgumentList, FunctionArguments,
    Ident, ObjectName, ObjectNamePart, TypedString, UnaryOperator,
};
use sqlparser::dialect::{Dialect, PostgreSqlDialect, Precedence};
use sqlparser::keywords::Keyword;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::{Location, Span, Token, TokenWithSpan, Tokenizer};
use std::any::TypeId;

/// `name 'text'`, also with a schema: a literal of a type that is no keyword of the parser's.
fn typed_literal(parser: &mut Parser<'_>) -> Option<Expr> {
    // Every expression is asked: nothing is made of it before it is one.
    let is_name = |w: &sqlparser::tokenizer::Word| matches!(w.keyword, Keyword::NoKeyword | Keyword::NAME);
    if !matches!(&parser.peek_nth_token_ref(0).token, Token::Word(w) if is_name(w)) {
        return None;
    }
    let qualified = parser.peek_nth_token_ref(1).token == Token::Period;
    if qualified && !matches!(parser.peek_nth_token_ref(2).token, Token::Word(_)) {
        return None;
    }
    let length = if qualified { 3 } else { 1 };
    let literal = matches!(
        parser.peek_nth_token_ref(length).token,
        Token::SingleQuotedString(_) | Token::EscapedStringLiteral(_) | Token::UnicodeStringLiteral(_)
    );
    if !literal {
        return None;
    }
    let part = |at: usize| match parser.peek_nth_token_ref(at) {
        TokenWithSpan { token: Token::Word(w), span } => Some(ObjectNamePart::Identifier(w.clone().into_ident(*span))),
        _ => None,
    };
    let name: Vec<ObjectNamePart> = (0..length).step_by(2).filter_map(part).collect();
    advance(parser, length);
    let data_type = DataType::Custom(ObjectName(name), Vec::new());
    let value = parser.parse_value().ok()?;
    Some(Expr::TypedString(TypedString { data_type, value, uses_odbc_syntax: false }))
}

/// Whether the word there, which can begin an expression of its own kind, is a column's name, since what follows does not fit that.
fn is_column(parser: &Parser<'_>, at: usize) -> bool {
    let Token::Word(word) = &parser.peek_nth_token_ref(at).token else { return false };
    let next = &parser.peek_nth_token_ref(at + 1).token;
    word.quote_style.is_none()
        && match word.keyword {
            Keyword::TRIM | Keyword::EXISTS => *next != Token::LParen,
            Keyword::INTERVAL => !matches!(
                next,
                Token::LParen
                    | Token::SingleQuotedString(_)
                    | Token::EscapedStringLiteral(_)
                    | Token::UnicodeStringLiteral(_)
                    | Token::DollarQuotedString(_)
            ),
            _ => false,
        }
}

/// Whether the parenthesis there holds a query that begins with a query in parentheses, as in `((SELECT 1) UNION (SELECT 2))`: what
/// comes after the inner ones tells. Each level looks ahead anew, hence a bound on how many parentheses stand together.
fn is_query(parser: &mut Parser<'_>) -> bool {
    if parser.peek_token_ref().token != Token::LParen {
        return false;
    }
    let inner = (1..16).take_while(|at| parser.peek_nth_token_ref(*at).token == Token::LParen).count();
    let begins = matches!(&parser.peek_nth_token_ref(inner + 1).token,
        Token::Word(w) if matches!(w.keyword, Keyword::SELECT | Keyword::VALUES | Keyword::WITH | Keyword::TABLE));
    if inner == 0 {
        // Which it takes for the name of a function.
        let next = &parser.peek_nth_token_ref(1).token;
        return matches!(next, Token::Word(w) if w.keyword == Keyword::VALUES && w.quote_style.is_none());
    }
    if !begins {
        return false;
    }
    parser.advance_token();
    let (mut steps, mut open) = (1, 0);
    loop {
        parser.advance_token();
        steps += 1;
        match parser.get_current_token().token {
            Token::LParen => open += 1,
            Token::RParen => open -= 1,
            Token::EOF => break,
            _ => {}
        }
        if open == 0 {
            break;
        }
    }
    let goes_on = matches!(&parser.peek_token_ref().token, Token::Word(w) if matches!(w.keyword,
        Keyword::UNION | Keyword::INTERSECT | Keyword::EXCEPT | Keyword::ORDER | Keyword::LIMIT | Keyword::OFFSET | Keyword::FETCH));
    (0..steps).for_each(|_| parser.prev_token());
    goes_on
}

/// [`PostgreSqlDialect`] with PostgreSQL's precedences.
#[derive(Debug)]
pub struct Postgres;

const BASE: PostgreSqlDialect = PostgreSqlDialect {};

/// What is as in [`PostgreSqlDialect`].
macro_rules! inherited {
    ($($name:ident)*) => { $(fn $name(&self) -> bool { BASE.$name() })* };
}

impl Dialect for Postgres {
    fn dialect(&self) -> TypeId {
        BASE.dialect()
    }

    fn identifier_quote_style(&self, identifier: &str) -> Option<char> {
        BASE.identifier_quote_style(identifier)
    }

    fn is_delimited_identifier_start(&self, ch: char) -> bool {
        BASE.is_delimited_identifier_start(ch)
    }

    fn is_identifier_start(&self, ch: char) -> bool {
        BASE.is_identifier_start(ch)
    }

    fn is_identifier_part(&self, ch: char) -> bool {
        BASE.is_identifier_part(ch)
    }

    fn is_reserved_for_identifier(&self, keyword: Keyword) -> bool {
        BASE.is_reserved_for_identifier(keyword)
    }

    fn is_table_alias(&self, keyword: &Keyword, parser: &mut Parser<'_>) -> bool {
        BASE.is_table_alias(keyword, parser)
    }

    fn is_custom_operator_part(&self, ch: char) -> bool {
        BASE.is_custom_operator_part(ch)
    }

    fn prec_value(&self, precedence: Precedence) -> u8 {
        BASE.prec_value(precedence)
    }

    inherited! {
        supports_unicode_string_literal supports_filter_during_aggregation
        supports_alter_user_as_alter_role allow_extract_custom allow_extract_single_quotes
        supports_create_index_with_clause supports_explain_with_utility_options supports_listen_notify
        supports_exclude_constraint supports_factorial_operator supports_bitwise_shift_operators supports_comment_on
        supports_load_extension supports_named_fn_args_with_colon_operator supports_named_fn_args_with_expr_name
        supports_nested_comments supports_string_escape_constant
        supports_numeric_literal_underscores supports_array_typedef_with_brackets supports_geometric_types
        supports_order_by_using_operator supports_set_names supports_alter_column_type_using
        supports_left_associative_joins_without_parens supports_notnull_operator supports_interval_options
        supports_insert_table_alias supports_create_table_like_parenthesized supports_select_wildcard_with_alias
        supports_comma_separated_trim supports_xml_expressions supports_aliased_function_args
        supports_comment_optimizer_hint
    }

    fn is_select_item_alias(&self, explicit: bool, keyword: &Keyword, _: &mut Parser<'_>) -> bool {
        explicit || !NOT_BARE.contains(keyword)
    }

    fn is_identifier_generating_function_name(&self, ident: &Ident, _: &[ObjectNamePart]) -> bool {
        matches!(ident.value.as_str(), phrases::ELEMENT | phrases::SLICE)
    }

    fn get_next_precedence(&self, parser: &Parser<'_>) -> Option<Result<u8, ParserError>> {
        let precedence = match &parser.peek_token_ref().token {
            Token::Word(word) if word.quote_style.is_some() => return BASE.get_next_precedence(parser),
            Token::Word(word) => match word.keyword {
                Keyword::OPERATOR => Precedence::PgOther,
                Keyword::NOTNULL => Precedence::Is,
                Keyword::NoKeyword if word.value.eq_ignore_ascii_case("isnull") => Precedence::Is,
                _ => return BASE.get_next_precedence(parser),
            },
            Token::Tilde
            | Token::TildeAsterisk
            | Token::ExclamationMarkTilde
            | Token::ExclamationMarkTildeAsterisk
            | Token::DoubleTilde
            | Token::DoubleTildeAsterisk
            | Token::ExclamationMarkDoubleTilde
            | Token::ExclamationMarkDoubleTildeAsterisk => Precedence::PgOther,
            _ => return BASE.get_next_precedence(parser),
        };
        Some(Ok(self.prec_value(precedence)))
    }

    fn parse_prefix(&self, parser: &mut Parser<'_>) -> Option<Result<Expr, ParserError>> {
        if let Some(literal) = typed_literal(parser) {
            return Some(Ok(literal));
        }
        if is_query(parser) {
            parser.advance_token();
            let query = parser.parse_query().and_then(|query| parser.expect_token(&Token::RParen).map(|_| query));
            return Some(query.map(Expr::Subquery));
        }
        if let Some(grouping) = grouping(parser) {
            return Some(grouping);
        }
        if is_column(parser, 0) {
            return Some(parser.parse_identifier().map(Expr::Identifier));
        }
        if is_word(parser, 0, "COLLATION") && is_word(parser, 1, "FOR") {
            let at = parser.peek_token_ref().span;
            advance(parser, 2);
            let whole = parser.expect_token(&Token::LParen).and_then(|_| parser.parse_expr());
            let whole = whole.and_then(|expr| parser.expect_token(&Token::RParen).map(|_| expr));
            let name = |name: &str| Ident { span: at, ..Ident::new(name) };
            return Some(whole.map(|expr| called(vec![name("pg_catalog"), name("pg_collation_for")], vec![expr])));
        }
        let (op, precedence) = match &parser.peek_token_ref().token {
            // The parser takes NOT EXISTS for one word, which then binds closer than what follows.
            Token::Word(w) if w.keyword == Keyword::NOT && (is_column(parser, 1) || is_word(parser, 1, "EXISTS")) => {
                (UnaryOperator::Not, Precedence::UnaryNot)
            }
            Token::Minus => (UnaryOperator::Minus, Precedence::Caret),
            Token::Plus => (UnaryOperator::Plus, Precedence::Caret),
            Token::Tilde => (UnaryOperator::BitwiseNot, Precedence::PgOther),
            Token::AtSign => (UnaryOperator::PGAbs, Precedence::PgOther),
            Token::PGSquareRoot => (UnaryOperator::PGSquareRoot, Precedence::PgOther),
            Token::PGCubeRoot => (UnaryOperator::PGCubeRoot, Precedence::PgOther),
            _ => return None,
        };
        parser.advance_token();
        let operand = parser.parse_subexpr(self.prec_value(precedence));
        Some(operand.map(|expr| Expr::UnaryOp { op, expr: Box::new(expr) }))
    }

    fn parse_infix(&self, parser: &mut Parser<'_>, left: &Expr, _: u8) -> Option<Result<Expr, ParserError>> {
        use BinaryOperator as B;
        let comparison = |op: &B| matches!(op, B::Eq | B::NotEq | B::Lt | B::LtEq | B::Gt | B::GtEq);
        let compares = matches!(
            &parser.peek_token_ref().token,
            Token::Eq | Token::DoubleEq | Token::Neq | Token::Lt | Token::LtEq | Token::Gt | Token::GtEq
        );
        match left {
            Expr::BinaryOp { op, .. } if compares && comparison(op) => {
                return Some(parser.expected_ref("no second comparison", parser.peek_token_ref()));
            }
            _ => {}
        }
        if let Some((op, tokens)) = operator(parser) {
            return is_quantifier(parser, tokens).then(|| quantified(parser, left, op, tokens));
        }
        let negated = usize::from(is_word(parser, 0, "NOT"));
        if is_word(parser, negated, "BETWEEN") {
            let symmetric = is_word(parser, negated + 1, "SYMMETRIC");
            return (symmetric || is_word(parser, negated + 1, "ASYMMETRIC")).then(|| {
                advance(parser, negated + 2);
                self.between(parser, left, negated > 0, symmetric)
            });
        }
        for (word, operators) in [("LIKE", ["~~", "!~~"]), ("ILIKE", ["~~*", "!~~*"])] {
            if is_word(parser, negated, word) {
                let op = B::Custom(operators[negated].into());
                return is_quantifier(parser, negated + 1).then(|| quantified(parser, left, op, negated + 1));
            }
        }
        if negated > 0 {
            return None;
        }
        let expr = || Box::new(left.clone());
        let made = if is_word(parser, 0, "COLLATE") {
            advance(parser, 1);
            parser.parse_object_name(false).map(|collation| Expr::Collate { expr: expr(), collation })
        } else if is_word(parser, 0, "ISNULL") {
            advance(parser, 1);
            Ok(Expr::IsNull(expr()))
        } else if is_word(parser, 0, "NOTNULL") {
            advance(parser, 1);
            Ok(Expr::IsNotNull(expr()))
        } else {
            return None;
        };
        Some(made)
    }
}

/// A call of a function.
fn called(name: Vec<Ident>, args: Vec<Expr>) -> Expr {
    let args = args.into_iter().map(|e| FunctionArg::Unnamed(FunctionArgExpr::Expr(e))).collect();
    let args = FunctionArgumentList { duplicate_treatment: None, args, clauses: vec![] };
    Expr::Function(Function {
        name: ObjectName::from(name),
        uses_odbc_syntax: false,
        parameters: FunctionArguments::None,
        args: FunctionArguments::List(args),
        filter: None,
        null_treatment: None,
        over: None,
        within_group: vec![],
    })
}

impl Postgres {
    fn between(
        &self,
        parser: &mut Parser<'_>,
        left: &Expr,
        negated: bool,
        symmetric: bool,
    ) -> Result<Expr, ParserError> {
        let bound = |parser: &mut Parser<'_>| parser.parse_subexpr(self.prec_value(Precedence::Between));
        let low = bound(parser)?;
        parser.expect_keyword_is(Keyword::AND)?;
        let (left, high) = (left.clone(), bound(parser)?);
        if !symmetric {
            return Ok(Expr::Between { expr: Box::new(left), negated, low: Box::new(low), high: Box::new(high) });
        }
        let call = called(vec![Ident::with_quote('"', phrases::SYMMETRIC)], vec![left, low, high]);
        Ok(match negated {
            true => Expr::UnaryOp { op: UnaryOperator::Not, expr: Box::new(call) },
            false => call,
        })
    }
}

/// Keywords that are a column's name only behind AS (`pg_get_keywords`, barelabel); ISNULL is known as an operator.
const NOT_BARE: [Keyword; 38] = [
    Keyword::ARRAY,
    Keyword::AS,
    Keyword::CHAR,
    Keyword::CHARACTER,
    Keyword::CREATE,
    Keyword::DAY,
    Keyword::EXCEPT,
    Keyword::FETCH,
    Keyword::FILTER,
    Keyword::FOR,
    Keyword::FROM,
    Keyword::GRANT,
    Keyword::GROUP,
    Keyword::HAVING,
    Keyword::HOUR,
    Keyword::INTERSECT,
    Keyword::INTO,
    Keyword::LIMIT,
    Keyword::MINUTE,
    Keyword::MONTH,
    Keyword::NOTNULL,
    Keyword::OFFSET,
    Keyword::ON,
    Keyword::ORDER,
    Keyword::OVER,
    Keyword::OVERLAPS,
    Keyword::PRECISION,
    Keyword::RETURNING,
    Keyword::SECOND,
    Keyword::TO,
    Keyword::UNION,
    Keyword::VARYING,
    Keyword::WHERE,
    Keyword::WINDOW,
    Keyword::WITH,
    Keyword::WITHIN,
    Keyword::WITHOUT,
    Keyword::YEAR,
];

/// GROUPING SETS, ROLLUP, CUBE and the empty set, whose elements are any expressions: the parser takes those in parentheses for
/// lists, whatever stands behind.
fn grouping(parser: &mut Parser<'_>) -> Option<Result<Expr, ParserError>> {
    let opens = |at: usize| parser.peek_nth_token_ref(at).token == Token::LParen;
    let closes = |parser: &Parser<'_>, at: usize| parser.peek_nth_token_ref(at).token == Token::RParen;
    type Made = fn(Vec<Vec<Expr>>) -> Expr;
    let (words, of): (usize, Made) = match () {
        () if opens(0) && closes(parser, 1) => {
            advance(parser, 2);
            return Some(Ok(Expr::Tuple(Vec::new())));
        }
        () if is_word(parser, 0, "GROUPING") && is_word(parser, 1, "SETS") && opens(2) => (2, Expr::GroupingSets),
        () if is_word(parser, 0, "ROLLUP") && opens(1) => (1, Expr::Rollup),
        () if is_word(parser, 0, "CUBE") && opens(1) => (1, Expr::Cube),
        () => return None,
    };
    advance(parser, words + 1);
    let element = |parser: &mut Parser<'_>| {
        Ok(match parser.parse_expr()? {
            Expr::Tuple(items) => items,
            Expr::Nested(one) => vec![*one],
            other => vec![other],
        })
    };
    let elements = parser.parse_comma_separated(element);
    Some(elements.and_then(|elements| parser.expect_token(&Token::RParen).map(|_| of(elements))))
}

fn advance(parser: &mut Parser<'_>, tokens: usize) {
    (0..tokens).for_each(|_| parser.advance_token());
}

fn is_word(parser: &Parser<'_>, ahead: usize, text: &str) -> bool {
    match &parser.peek_nth_token_ref(ahead).token {
        Token::Word(word) => word.quote_style.is_none() && word.value.eq_ignore_ascii_case(text),
        _ => false,
    }
}

/// Whether a token consists of what operators are made of.
fn operator_text(token: &Token) -> Option<String> {
    let punctuation = matches!(
        token,
        Token::Word(_) | Token::Number(..) | Token::SingleQuotedString(_) | Token::Placeholder(_) | Token::EOF
    );
    let text = if punctuation { return None } else { token.to_string() };
    (!text.is_empty() && text != "=>" && text.bytes().all(|b| b"+-*/<>=~!@#%^&|`?".contains(&b))).then_some(text)
}

/// The operator that comes next, and how many tokens it takes.
fn operator(parser: &Parser<'_>) -> Option<(BinaryOperator, usize)> {
    operator_text(&parser.peek_token_ref().token).map(|text| (BinaryOperator::Custom(text), 1))
}

/// `ANY (`, `ALL (` or `SOME (`
fn is_quantifier(parser: &Parser<'_>, ahead: usize) -> bool {
    ["ANY", "ALL", "SOME"].into_iter().any(|word| is_word(parser, ahead, word))
        && parser.peek_nth_token_ref(ahead + 1).token == Token::LParen
}

/// What comes behind `left`: an operator of so many tokens, ANY or ALL, and a query or an array in parentheses.
fn quantified(
    parser: &mut Parser<'_>,
    left: &Expr,
    compare_op: BinaryOperator,
    tokens: usize,
) -> Result<Expr, ParserError> {
    advance(parser, tokens);
    let (all, is_some) = (is_word(parser, 0, "ALL"), is_word(parser, 0, "SOME"));
    advance(parser, 2);
    let mut first = 0;
    while parser.peek_nth_token_ref(first).token == Token::LParen {
        first += 1;
    }
    let mut query = None;
    if ["SELECT", "WITH", "VALUES", "TABLE"].into_iter().any(|word| is_word(parser, first, word)) {
        query = parser.maybe_parse(|parser| {
            let query = parser.parse_query()?;
            parser.expect_token(&Token::RParen)?;
            Ok(query)
        })?;
    }
    let right = match query {
        Some(query) => Expr::Subquery(query),
        None => {
            let array = parser.parse_expr()?;
            parser.expect_token(&Token::RParen)?;
            array
        }
    };
    let (left, right) = (Box::new(left.clone()), Box::new(right));
    Ok(match all {
        true => Expr::AllOp { left, compare_op, right },
        false => Expr::AnyOp { left, compare_op, right, is_some },
    })
}

/// `>=-` is `>=` and `-`: cuts signs off the end of an operator that has no business to end in one.
pub fn split_operators(tokens: Vec<TokenWithSpan>) -> Vec<TokenWithSpan> {
    let mut out = Vec::with_capacity(tokens.len());
    for token in tokens {
        let Token::CustomBinaryOperator(text) = &token.token else {
            out.push(token);
            continue;
        };
        let special = |c: char| "~!@#%^&|`?".contains(c);
        let base = if text.contains(special) { text.as_str() } else { text.trim_end_matches(['+', '-']) };
        let base = if base.is_empty() { &text[..1] } else { base };
        let at = |i: usize| Location { line: token.span.start.line, column: token.span.start.column + i as u64 };
        let place = |token, from, to| TokenWithSpan { token, span: Span { start: at(from), end: at(to) } };
        if base.len() == text.len() {
            out.push(token);
            continue;
        }
        let parts = Tokenizer::new(&Postgres, base).tokenize().unwrap_or_default();
        out.extend(parts.into_iter().map(|part| place(part, 0, base.len())));
        for (i, sign) in text.char_indices().skip(base.len()) {
            out.push(place(if sign == '-' { Token::Minus } else { Token::Plus }, i, i + 1));
        }
    }
    out
}
