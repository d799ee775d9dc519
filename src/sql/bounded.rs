//! Our dialect, counted: sqlparser's parser cannot be told to stop, but it asks its dialect about every expression, operator
//! and alias, and an error from there ends it.

use super::allowance::Allowance;
use super::dialect::Postgres;
use sqlparser::ast::{Expr, Ident, ObjectNamePart, Statement};
use sqlparser::dialect::{Dialect, Precedence};
use sqlparser::keywords::Keyword;
use sqlparser::parser::{Parser, ParserError};
use std::any::TypeId;
use std::fmt;

pub struct Bounded {
    inner: Postgres,
    allowance: Allowance,
}

impl Bounded {
    pub fn new(allowance: &Allowance) -> Bounded {
        Bounded { inner: Postgres, allowance: allowance.clone() }
    }

    /// Of all errors only this one is not taken for "try something else"; the allowance knows the real one.
    fn spent(&self) -> Option<ParserError> {
        self.allowance.spend(1).err().map(|_| ParserError::RecursionLimitExceeded)
    }
}

impl fmt::Debug for Bounded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

/// What it says otherwise than other dialects do.
macro_rules! as_postgres {
    ($($name:ident)*) => { $(fn $name(&self) -> bool { self.inner.$name() })* };
}

impl Dialect for Bounded {
    fn dialect(&self) -> TypeId {
        self.inner.dialect()
    }

    fn parse_statement(&self, _: &mut Parser) -> Option<Result<Statement, ParserError>> {
        self.spent().map(Err)
    }

    fn parse_prefix(&self, parser: &mut Parser) -> Option<Result<Expr, ParserError>> {
        match self.spent() {
            Some(error) => Some(Err(error)),
            None => self.inner.parse_prefix(parser),
        }
    }

    fn parse_infix(&self, parser: &mut Parser, left: &Expr, precedence: u8) -> Option<Result<Expr, ParserError>> {
        self.inner.parse_infix(parser, left, precedence)
    }

    fn get_next_precedence(&self, parser: &Parser) -> Option<Result<u8, ParserError>> {
        match self.spent() {
            Some(error) => Some(Err(error)),
            None => self.inner.get_next_precedence(parser),
        }
    }

    fn is_table_alias(&self, keyword: &Keyword, parser: &mut Parser) -> bool {
        // It has no way to fail: the next expression does.
        let _ = self.allowance.spend(1);
        self.inner.is_table_alias(keyword, parser)
    }

    fn is_select_item_alias(&self, explicit: bool, keyword: &Keyword, parser: &mut Parser) -> bool {
        self.inner.is_select_item_alias(explicit, keyword, parser)
    }

    fn is_identifier_generating_function_name(&self, ident: &Ident, parts: &[ObjectNamePart]) -> bool {
        self.inner.is_identifier_generating_function_name(ident, parts)
    }

    fn is_table_factor(&self, keyword: &Keyword, parser: &mut Parser) -> bool {
        // Nothing is a table once the work is to end.
        self.allowance.spend(1).is_ok() && self.inner.is_table_factor(keyword, parser)
    }

    fn identifier_quote_style(&self, identifier: &str) -> Option<char> {
        self.inner.identifier_quote_style(identifier)
    }

    fn is_delimited_identifier_start(&self, c: char) -> bool {
        self.inner.is_delimited_identifier_start(c)
    }

    fn is_identifier_start(&self, c: char) -> bool {
        self.inner.is_identifier_start(c)
    }

    fn is_identifier_part(&self, c: char) -> bool {
        self.inner.is_identifier_part(c)
    }

    fn is_reserved_for_identifier(&self, keyword: Keyword) -> bool {
        self.inner.is_reserved_for_identifier(keyword)
    }

    fn is_custom_operator_part(&self, c: char) -> bool {
        self.inner.is_custom_operator_part(c)
    }

    fn prec_value(&self, precedence: Precedence) -> u8 {
        self.inner.prec_value(precedence)
    }

    as_postgres! {
        supports_unicode_string_literal
        supports_filter_during_aggregation
        supports_alter_user_as_alter_role
        allow_extract_custom
        allow_extract_single_quotes
        supports_create_index_with_clause
        supports_explain_with_utility_options
        supports_listen_notify
        supports_exclude_constraint
        supports_factorial_operator
        supports_bitwise_shift_operators
        supports_comment_on
        supports_load_extension
        supports_named_fn_args_with_colon_operator
        supports_named_fn_args_with_expr_name
        supports_empty_projections
        supports_nested_comments
        supports_string_escape_constant
        supports_numeric_literal_underscores
        supports_array_typedef_with_brackets
        supports_geometric_types
        supports_order_by_using_operator
        supports_set_names
        supports_alter_column_type_using
        supports_left_associative_joins_without_parens
        supports_notnull_operator
        supports_interval_options
        supports_insert_table_alias
        supports_create_table_like_parenthesized
        supports_select_wildcard_with_alias
        supports_comma_separated_trim
        supports_xml_expressions
        supports_aliased_function_args
        supports_comment_optimizer_hint
    }
}
