//! PostgreSQL's precedence of operators (its documentation, "Operator Precedence"), where sqlparser's differs.
//!
//! A sign binds tighter than `^`, every other prefix operator and all operators without a rule of their own bind alike,
//! comparisons do not associate, and an operator of several characters ends in `+` or `-` only if it has one of
//! `~ ! @ # % ^ & | ?` and a backtick in it.

use sqlparser::ast::{BinaryOperator, Expr, UnaryOperator};
use sqlparser::dialect::{Dialect, PostgreSqlDialect, Precedence};
use sqlparser::keywords::Keyword;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::{Location, Span, Token, TokenWithSpan, Tokenizer};
use std::any::TypeId;

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
        supports_unicode_string_literal supports_filter_during_aggregation supports_group_by_expr
        supports_alter_user_as_alter_role allow_extract_custom allow_extract_single_quotes
        supports_create_index_with_clause supports_explain_with_utility_options supports_listen_notify
        supports_exclude_constraint supports_factorial_operator supports_bitwise_shift_operators supports_comment_on
        supports_load_extension supports_named_fn_args_with_colon_operator supports_named_fn_args_with_expr_name
        supports_empty_projections supports_nested_comments supports_string_escape_constant
        supports_numeric_literal_underscores supports_array_typedef_with_brackets supports_geometric_types
        supports_order_by_using_operator supports_set_names supports_alter_column_type_using
        supports_left_associative_joins_without_parens supports_notnull_operator supports_interval_options
        supports_insert_table_alias supports_create_table_like_parenthesized supports_select_wildcard_with_alias
        supports_comma_separated_trim supports_xml_expressions supports_aliased_function_args
        supports_comment_optimizer_hint
    }

    fn get_next_precedence(&self, parser: &Parser<'_>) -> Option<Result<u8, ParserError>> {
        let other = match &parser.peek_token_ref().token {
            Token::Word(word) => word.keyword == Keyword::OPERATOR,
            Token::Tilde
            | Token::TildeAsterisk
            | Token::ExclamationMarkTilde
            | Token::ExclamationMarkTildeAsterisk
            | Token::DoubleTilde
            | Token::DoubleTildeAsterisk
            | Token::ExclamationMarkDoubleTilde
            | Token::ExclamationMarkDoubleTildeAsterisk => true,
            _ => false,
        };
        if other { Some(Ok(self.prec_value(Precedence::PgOther))) } else { BASE.get_next_precedence(parser) }
    }

    fn parse_prefix(&self, parser: &mut Parser<'_>) -> Option<Result<Expr, ParserError>> {
        let (op, precedence) = match &parser.peek_token_ref().token {
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
                Some(parser.expected_ref("no second comparison", parser.peek_token_ref()))
            }
            _ => None,
        }
    }
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
