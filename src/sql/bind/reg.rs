//! Objects by name as values: `regclass` and its kin, whose text form is a name in the catalog.

use super::Binder;
use super::coerce::{data_type, split_name, type_name};
use super::expr::Typed;
use crate::error::{SqlError, SqlResult, state};
use crate::types::{NO_TYPMOD, Type};
use crate::value::Value;
use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::parser::Parser;
use sqlparser::tokenizer::Location;

impl Binder<'_> {
    /// A literal of one of the `reg…` types: a number, `-` for none, or a name.
    pub(super) fn parse_reg(&mut self, text: &str, to: Type) -> SqlResult<Typed> {
        let number = if text == "-" { Some(0) } else { text.trim().parse::<u32>().ok() };
        let oid = match number {
            Some(oid) => oid,
            None => self.oid_of(text, to)?,
        };
        Ok(Typed::constant(to, Value::Int(oid.into())))
    }

    fn oid_of(&self, text: &str, to: Type) -> SqlResult<u32> {
        let catalog = self.scope.catalog;
        match to {
            Type::REGCLASS => {
                let names = split_name(text)?;
                let (name, schema) = names.split_last().ok_or_else(|| SqlError::syntax("zero-length name"))?;
                let schema = schema.last().map(String::as_str);
                catalog.resolve(self.scope.search_path, schema, name).map(|r| r.oid).ok_or_else(|| {
                    let shown = names.join(".");
                    SqlError::new(state::UNDEFINED_TABLE, format!("relation \"{shown}\" does not exist"))
                })
            }
            Type::REGNAMESPACE => {
                let name = split_name(text)?.join(".");
                catalog.schemas.get(&name).copied().ok_or_else(|| {
                    SqlError::new(state::INVALID_SCHEMA_NAME, format!("schema \"{name}\" does not exist"))
                })
            }
            Type::REGTYPE => {
                let missing = || SqlError::new(state::UNDEFINED_OBJECT, format!("type \"{text}\" does not exist"));
                let mut parser = Parser::new(&PostgreSqlDialect {}).try_with_sql(text).map_err(|_| missing())?;
                let ty = parser.parse_data_type().map_err(|_| missing())?;
                Ok(data_type(&ty)?.0.0)
            }
            other => Err(SqlError::unsupported(format!("a literal of type {}", type_name(other)))),
        }
    }

    /// Text that is only known when the statement runs, as one of the `reg…` types.
    pub(super) fn reg_of_text(&mut self, expr: Typed, to: Type) -> SqlResult<Typed> {
        match to {
            // A quoted or plain name, with or without its schema; NULL where Postgres would say that there is none.
            Type::REGCLASS => self.expand(
                "(SELECT c.oid FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
                 WHERE x.v IN (quote_ident(n.nspname) || '.' || quote_ident(c.relname), \
                 '\"' || n.nspname || '\".\"' || c.relname || '\"') \
                 OR x.v IN (quote_ident(c.relname), '\"' || c.relname || '\"') AND pg_table_is_visible(c.oid) LIMIT 1)",
                expr,
                to,
            ),
            other => Err(SqlError::unsupported(format!("a cast of text to {}", type_name(other)))),
        }
    }

    /// The name that a `reg…` value stands for, or its number.
    pub(super) fn text_of_reg(&mut self, expr: Typed) -> SqlResult<Typed> {
        match expr.ty {
            Type::REGCLASS => self.expand(
                "coalesce((SELECT CASE WHEN n.nspname IN ('pg_catalog', 'public') THEN quote_ident(c.relname) \
                 ELSE quote_ident(n.nspname) || '.' || quote_ident(c.relname) END \
                 FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
                 WHERE c.oid = x.v::oid LIMIT 1), x.v::oid::text)",
                expr,
                Type::TEXT,
            ),
            Type::REGTYPE => {
                let oid = self.cast(expr, Type::OID, NO_TYPMOD)?;
                self.call_by_name("format_type", vec![oid, Typed::null(Type::INT4)])
            }
            Type::REGNAMESPACE => self.expand(
                "coalesce((SELECT quote_ident(n.nspname) FROM pg_catalog.pg_namespace n WHERE n.oid = x.v::oid LIMIT 1), \
                 x.v::oid::text)",
                expr,
                Type::TEXT,
            ),
            _ => {
                let oid = self.cast(expr, Type::OID, NO_TYPMOD)?;
                self.cast(oid, Type::TEXT, NO_TYPMOD)
            }
        }
    }

    /// An expression of ours over `x.v`, bound by the same rules as a client's.
    fn expand(&mut self, text: &str, expr: Typed, ty: Type) -> SqlResult<Typed> {
        use super::names::{Clause, Level, Named, Names, Range};
        let parsed = super::parse_expr(text)?;
        let named = Named { name: "v".into(), expr };
        let range = Range { id: self.next_id(), alias: "x".into(), schema: None, relation: None, columns: vec![named] };
        let mut level = Level::new(Clause::Select);
        level.names = Names::of(range);
        self.levels.push(level);
        let bound = self.expr(&parsed).and_then(|e| self.decide_text(e));
        let outer = self.levels.pop().map(|l| l.outer).unwrap_or_default();
        if let Some(level) = self.levels.last_mut() {
            level.outer.extend(outer);
        }
        let mut bound = bound?;
        bound.ty = ty;
        Ok(bound)
    }

    /// Functions that look into the catalog: nothing of that name is known when this is reached.
    pub(super) fn catalog_function(&mut self, name: &str, args: Vec<Typed>, at: Location) -> SqlResult<Typed> {
        Err(self.undefined_function(name, &args, at))
    }
}
