//! Objects by name as values: `regclass` and its kin, whose text form is a name in the catalog.

use super::Binder;
use super::coerce::split_name;
use crate::error::{SqlError, SqlResult, state};
use crate::sql::dialect::Postgres;
use crate::sql::ir::{Column, Named, Node, Op, Query, Typed};
use crate::types::{NO_TYPMOD, Type};
use crate::value::Value;
use sqlparser::parser::Parser;
use sqlparser::tokenizer::Location;

/// Types whose values are found by a name in one relation: the type, the relation, its column of names.
const BY_NAME: [(Type, &str, &str); 5] = [
    (Type::REGPROC, "pg_proc", "proname"),
    (Type::REGPROCEDURE, "pg_proc", "proname"),
    (Type::REGOPER, "pg_operator", "oprname"),
    (Type::REGOPERATOR, "pg_operator", "oprname"),
    (Type::REGROLE, "pg_roles", "rolname"),
];

/// A function that is an expression over the catalog's relations.
struct Macro {
    name: &'static str,
    args: &'static [Type],
    result: Type,
    /// Postgres SQL over the arguments `x.a`, `x.b`, ….
    text: &'static str,
}

const MACROS: &[Macro] = &[Macro {
    name: "pg_get_serial_sequence",
    args: &[Type::TEXT, Type::TEXT],
    result: Type::TEXT,
    text: "(SELECT quote_ident(n.nspname) || '.' || quote_ident(s.relname) FROM pg_catalog.pg_class s \
           JOIN pg_catalog.pg_namespace n ON n.oid = s.relnamespace \
           JOIN pg_catalog.pg_depend d ON d.objid = s.oid AND d.deptype IN ('a', 'i') \
           JOIN pg_catalog.pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid \
           WHERE s.relkind = 'S' AND d.refobjid = x.a::regclass::oid AND a.attname = x.b LIMIT 1)",
}];

impl Binder<'_> {
    /// A literal of one of the `reg…` types: a number, `-` for none, or a name.
    pub(super) fn parse_reg(&mut self, text: &str, to: Type) -> SqlResult<Typed> {
        let number = if text == "-" { Some(0) } else { text.trim().parse::<u32>().ok() };
        let oid = match number {
            Some(oid) => oid,
            None if BY_NAME.iter().any(|(ty, ..)| *ty == to) => {
                // Arguments in `f(integer)` only choose among functions of one name.
                let text = text.split('(').next().unwrap_or_default();
                let name = split_name(text)?.pop().unwrap_or_default();
                return self.reg_of_text(Typed::constant(Type::TEXT, Value::Text(name)), to);
            }
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
                let mut parser = Parser::new(&Postgres).try_with_sql(text).map_err(|_| missing())?;
                let ty = parser.parse_data_type().map_err(|_| missing())?;
                Ok(self.data_type(&ty)?.0.0)
            }
            other => Err(SqlError::unsupported(format!("a literal of type {}", self.type_name(other)))),
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
            Type::REGTYPE => self.expand(
                "(SELECT t.oid FROM pg_catalog.pg_type t WHERE x.v IN (t.typname, format_type(t.oid, NULL)) LIMIT 1)",
                expr,
                to,
            ),
            Type::REGNAMESPACE => self.expand(
                "(SELECT n.oid FROM pg_catalog.pg_namespace n WHERE x.v IN (n.nspname, quote_ident(n.nspname)) LIMIT 1)",
                expr,
                to,
            ),
            other => match BY_NAME.iter().find(|(ty, ..)| *ty == other) {
                Some((_, relation, name)) => {
                    let text = format!("(SELECT o.oid FROM pg_catalog.{relation} o WHERE o.{name} = x.v LIMIT 1)");
                    self.expand(&text, expr, to)
                }
                None => Err(SqlError::unsupported(format!("a cast of text to {}", self.type_name(other)))),
            },
        }
    }

    /// The name that a `reg…` value stands for, or its number.
    pub(super) fn text_of_reg(&mut self, expr: Typed) -> SqlResult<Typed> {
        match expr.ty {
            Type::REGCLASS => self.expand(
                "coalesce((SELECT CASE WHEN pg_table_is_visible(c.oid) THEN quote_ident(c.relname) \
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
            other => match BY_NAME.iter().find(|(ty, ..)| *ty == other) {
                Some((_, relation, name)) => {
                    let text = format!(
                        "coalesce((SELECT o.{name}::text FROM pg_catalog.{relation} o WHERE o.oid = x.v::oid LIMIT 1), \
                         x.v::oid::text)"
                    );
                    self.expand(&text, expr, Type::TEXT)
                }
                None => Err(SqlError::unsupported(format!("a cast of {} to text", self.type_name(other)))),
            },
        }
    }

    /// The query that the client asks: where a column is of one of the `reg…` types or an enum, around the query as it is
    /// bound, with their names beside the numbers (`number name`), and labels, which only the client sees.
    pub(super) fn with_names(&mut self, query: Query) -> SqlResult<Query> {
        let outputs = query.outputs();
        if !outputs.iter().any(|o| o.ty.is_reg() || o.ty.has_labels()) {
            return Ok(query);
        }
        let id = self.next_id();
        let mut columns = Vec::with_capacity(outputs.len());
        for (output, n) in outputs.iter().zip(1..) {
            let column = Column::of(id, format!("t{id}"), format!("c{n}"));
            let mut expr = Typed::new(output.ty, Node::Column(column));
            if output.ty.is_reg() {
                let name = self.text_of_reg(expr.clone())?;
                expr = Typed::apply(Type::TEXT, Op::NumberAndName, vec![expr, name]);
            }
            expr = self.to_client(expr);
            columns.push(Named { name: output.name.clone(), expr });
        }
        Ok(Query::around(query, id, columns))
    }

    /// An expression of ours over `x.v`, bound by the same rules as a client's.
    fn expand(&mut self, text: &str, expr: Typed, ty: Type) -> SqlResult<Typed> {
        self.expand_over(text, vec![("v", expr)], ty)
    }

    fn expand_over(&mut self, text: &str, values: Vec<(&str, Typed)>, ty: Type) -> SqlResult<Typed> {
        use super::names::{Clause, Level, Names, Range};
        let parsed = super::parse_expr(text)?;
        let columns = values.into_iter().map(|(name, expr)| Named { name: name.into(), expr }).collect();
        let range = Range {
            id: self.next_id(),
            alias: "x".into(),
            schema: None,
            relation: None,
            columns,
            scalar: false,
            optional: false,
            numbered: false,
            derived: false,
        };
        let mut level = Level::new(Clause::Select);
        level.names = Names::of(range);
        let source = std::mem::take(&mut self.source);
        let notes = self.notes.take();
        self.levels.push(level);
        let bound = self.expr(&parsed).and_then(|e| self.decide_text(e));
        let outer = self.levels.pop().map(|l| l.outer).unwrap_or_default();
        (self.source, self.notes) = (source, notes);
        if let Some(level) = self.levels.last_mut() {
            level.outer.extend(outer);
        }
        // Places in our own text are none in the client's.
        let mut bound = bound.map_err(|mut e| {
            e.fields.position = None;
            e
        })?;
        bound.ty = ty;
        Ok(bound)
    }

    /// Functions that look into the catalog: no other function of that name and these arguments is known.
    pub(super) fn catalog_function(&mut self, name: &str, mut args: Vec<Typed>, at: Location) -> SqlResult<Typed> {
        if let ("to_regclass" | "to_regtype" | "to_regnamespace", [arg]) = (name, &args[..]) {
            let ty = Type::by_typname(&name[3..]).unwrap_or(Type::REGCLASS);
            return match &arg.node {
                // What does not exist is NULL here, not an error.
                Node::Text(text) => Ok(self.parse_reg(text, ty).unwrap_or_else(|_| Typed::null(ty))),
                _ => {
                    let text = self.coerce(args.remove(0), Type::TEXT)?;
                    self.reg_of_text(text, ty)
                }
            };
        }
        let found = MACROS.iter().find(|m| m.name == name && m.args.len() == args.len());
        let Some(expansion) = found else { return Err(self.undefined_function(name, &args, at)) };
        let mut values = Vec::with_capacity(args.len());
        for ((arg, ty), name) in args.into_iter().zip(expansion.args).zip(["a", "b", "c", "d"]) {
            values.push((name, self.coerce(arg, *ty)?));
        }
        self.expand_over(expansion.text, values, expansion.result)
    }
}
