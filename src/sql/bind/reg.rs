//! Objects by name as values: `regclass` and its kin, whose text form is a name in the catalog.

use super::scalar::said_of;
use super::{Binder, class};
use crate::error::{SqlError, SqlResult, state};
use crate::functions::Function;
use crate::functions::names::name_parts;
use crate::sql::catalog::{DEFAULT_COLLATION, collation_name, default_collation};
use crate::sql::dialect::Postgres;
use crate::sql::ir::{Column, Named, Node, Op, Query, Typed};
use crate::sql::lex::quote_identifier;
use crate::types::{NO_TYPMOD, Type};
use crate::value::Value;
use sqlparser::parser::Parser;
use sqlparser::tokenizer::Location;

/// A type whose values are names of objects.
struct ByName {
    ty: Type,
    /// The query for the OID that the text `x.v` means.
    search: &'static str,
    /// SQLSTATE and message where there is none.
    missing: (&'static str, &'static str, &'static str),
    /// The name of the OID `x.v`.
    shown: &'static str,
}

const BY_NAME: [ByName; 8] = [
    ByName {
        ty: Type::REGCLASS,
        search: "SELECT c.oid FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
                 WHERE c.relname = q_name_part(x.v, 1) AND CASE WHEN q_name_part(x.v, 2) IS NULL \
                 THEN pg_table_is_visible(c.oid) ELSE n.nspname = q_name_part(x.v, 2) END LIMIT 1",
        missing: ("42P01", "relation \"", "\" does not exist"),
        shown: "SELECT CASE WHEN pg_table_is_visible(c.oid) THEN quote_ident(c.relname) \
                ELSE quote_ident(n.nspname) || '.' || quote_ident(c.relname) END \
                FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
                WHERE c.oid = x.v::oid LIMIT 1",
    },
    ByName {
        ty: Type::REGTYPE,
        search: "coalesce(q_type_named(x.v), (SELECT CASE WHEN y.name <> x.v AND t.typarray <> 0 THEN t.typarray ELSE t.oid END \
                 FROM (SELECT regexp_replace(x.v, '(\\s*\\[\\s*[0-9]*\\s*\\])+\\s*$', '')) y(name), pg_catalog.pg_type t \
                 JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace \
                 WHERE t.typname = q_name_part(y.name, 1) AND CASE WHEN q_name_part(y.name, 2) IS NULL \
                 THEN pg_type_is_visible(t.oid) ELSE n.nspname = q_name_part(y.name, 2) END LIMIT 1))",
        missing: ("42704", "type \"", "\" does not exist"),
        shown: "format_type(x.v::oid, NULL)",
    },
    ByName {
        ty: Type::REGNAMESPACE,
        search: "SELECT n.oid FROM pg_catalog.pg_namespace n WHERE n.nspname = q_name_part(x.v, 1) LIMIT 1",
        missing: ("3F000", "schema \"", "\" does not exist"),
        shown: "SELECT quote_ident(n.nspname) FROM pg_catalog.pg_namespace n WHERE n.oid = x.v::oid LIMIT 1",
    },
    ByName {
        ty: Type::REGROLE,
        search: "SELECT r.oid FROM pg_catalog.pg_roles r WHERE r.rolname = q_name_part(x.v, 1) LIMIT 1",
        missing: ("42704", "role \"", "\" does not exist"),
        shown: "SELECT quote_ident(r.rolname) FROM pg_catalog.pg_roles r WHERE r.oid = x.v::oid LIMIT 1",
    },
    ByName {
        ty: Type::REGPROC,
        search: "SELECT CASE WHEN count(*) > 1 THEN q_raise('42725', 'more than one function named \"' || x.v || '\"') \
                 ELSE min(p.oid) END FROM pg_catalog.pg_proc p WHERE p.proname = q_name_part(x.v, 1)",
        missing: ("42883", "function \"", "\" does not exist"),
        shown: "SELECT CASE WHEN (SELECT count(*) FROM pg_catalog.pg_proc q WHERE q.proname = p.proname) > 1 \
                THEN 'pg_catalog.' ELSE '' END || quote_ident(p.proname) \
                FROM pg_catalog.pg_proc p WHERE p.oid = x.v::oid LIMIT 1",
    },
    ByName {
        ty: Type::REGPROCEDURE,
        search: "SELECT p.oid FROM pg_catalog.pg_proc p WHERE p.proname = q_name_part(q_call_part(x.v, 1), 1) \
                 AND p.proargtypes::text = q_call_part(x.v, 2) LIMIT 1",
        missing: ("42883", "function \"", "\" does not exist"),
        shown: "SELECT quote_ident(p.proname) || '(' || coalesce((SELECT string_agg(format_type(t.x, NULL), ',' ORDER BY t.n) \
                FROM unnest(p.proargtypes) WITH ORDINALITY t(x, n)), '') || ')' \
                FROM pg_catalog.pg_proc p WHERE p.oid = x.v::oid LIMIT 1",
    },
    ByName {
        ty: Type::REGOPER,
        search: "SELECT CASE WHEN count(*) > 1 THEN q_raise('42725', 'more than one operator named ' || x.v) \
                 ELSE min(o.oid) END FROM pg_catalog.pg_operator o WHERE o.oprname = regexp_replace(x.v, '^pg_catalog\\.', '')",
        missing: ("42883", "operator does not exist: ", ""),
        shown: "SELECT CASE WHEN (SELECT count(*) FROM pg_catalog.pg_operator q WHERE q.oprname = o.oprname) > 1 \
                THEN 'pg_catalog.' ELSE '' END || o.oprname::text \
                FROM pg_catalog.pg_operator o WHERE o.oid = x.v::oid LIMIT 1",
    },
    ByName {
        ty: Type::REGOPERATOR,
        search: "SELECT o.oid FROM pg_catalog.pg_operator o \
                 WHERE o.oprname = regexp_replace(q_call_part(x.v, 1), '^pg_catalog\\.', '') \
                 AND o.oprleft::text || ' ' || o.oprright::text = q_call_part(x.v, 2) LIMIT 1",
        missing: ("42883", "operator does not exist: ", ""),
        shown: "SELECT o.oprname::text || '(' || CASE WHEN o.oprleft = 0 THEN 'NONE' ELSE format_type(o.oprleft, NULL) END \
                || ',' || CASE WHEN o.oprright = 0 THEN 'NONE' ELSE format_type(o.oprright, NULL) END || ')' \
                FROM pg_catalog.pg_operator o WHERE o.oid = x.v::oid LIMIT 1",
    },
];

/// A function that is an expression over the catalog's relations.
struct Macro {
    name: &'static str,
    args: &'static [Type],
    result: Type,
    /// Postgres SQL over the arguments `x.a`, `x.b`, ….
    text: &'static str,
}

/// What a relation is, and its name as it has to be written.
macro_rules! relation {
    ($oid:literal) => {
        concat!(
            "(SELECT CASE c.relkind WHEN 'i' THEN 'index ' WHEN 'S' THEN 'sequence ' WHEN 'v' THEN 'view ' \
             WHEN 'm' THEN 'materialized view ' WHEN 'c' THEN 'composite type ' ELSE 'table ' END || c.oid::regclass::text \
             FROM pg_catalog.pg_class c WHERE c.oid = ",
            $oid,
            ")"
        )
    };
}

/// A column of a relation.
macro_rules! column {
    ($oid:literal, $number:literal) => {
        concat!(
            "'column ' || (SELECT t.attname::text FROM pg_catalog.pg_attribute t WHERE t.attrelid = ",
            $oid,
            " AND t.attnum = ",
            $number,
            ") || ' of ' || ",
            relation!($oid)
        )
    };
}

/// The name of an object that has one in a catalog, behind what it is.
macro_rules! named {
    ($class:literal, $what:literal, $name:literal, $catalog:literal) => {
        concat!(
            " WHEN ",
            $class,
            " THEN '",
            $what,
            " ' || (SELECT ",
            $name,
            "::text FROM pg_catalog.",
            $catalog,
            " o WHERE o.oid = x.b)"
        )
    };
}

const MACROS: &[Macro] = &[
    DESCRIBE,
    Macro {
        name: "pg_get_serial_sequence",
        args: &[Type::TEXT, Type::TEXT],
        result: Type::TEXT,
        text: "(SELECT quote_ident(n.nspname) || '.' || quote_ident(s.relname) FROM pg_catalog.pg_class s \
           JOIN pg_catalog.pg_namespace n ON n.oid = s.relnamespace \
           JOIN pg_catalog.pg_depend d ON d.classid = 1259 AND d.objid = s.oid AND d.refclassid = 1259 AND d.deptype IN ('a', 'i') \
           JOIN pg_catalog.pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid \
           WHERE s.relkind = 'S' AND d.refobjid = x.a::regclass::oid AND a.attname = x.b LIMIT 1)",
    },
];

/// NULL for what there is not.
const DESCRIBE: Macro = Macro {
    name: "pg_describe_object",
    args: &[Type::OID, Type::OID, Type::INT4],
    result: Type::TEXT,
    text: concat!(
        "(CASE x.a WHEN 1259 THEN CASE WHEN x.c = 0 THEN ",
        relation!("x.b"),
        " ELSE ",
        column!("x.b", "x.c"),
        " END WHEN 2604 THEN (SELECT 'default value for ' || ",
        column!("d.adrelid", "d.adnum"),
        " FROM pg_catalog.pg_attrdef d WHERE d.oid = x.b) \
          WHEN 2606 THEN (SELECT 'constraint ' || k.conname || CASE WHEN k.conrelid = 0 THEN '' ELSE ' on ' || ",
        relation!("k.conrelid"),
        " END FROM pg_catalog.pg_constraint k WHERE k.oid = x.b) \
          WHEN 2618 THEN (SELECT 'rule ' || r.rulename || ' on ' || ",
        relation!("r.ev_class"),
        " FROM pg_catalog.pg_rewrite r WHERE r.oid = x.b)",
        named!("1247", "type", "format_type(o.oid, NULL)", "pg_type"),
        named!("1255", "function", "o.oid::regprocedure", "pg_proc"),
        named!("2617", "operator", "o.oid::regoperator", "pg_operator"),
        named!("2615", "schema", "o.nspname", "pg_namespace"),
        named!("1260", "role", "o.rolname", "pg_roles"),
        named!("1262", "database", "o.datname", "pg_database"),
        named!("1213", "tablespace", "o.spcname", "pg_tablespace"),
        named!("3079", "extension", "o.extname", "pg_extension"),
        named!("2612", "language", "o.lanname", "pg_language"),
        named!("2601", "access method", "o.amname", "pg_am"),
        named!("3456", "collation", "quote_ident(o.collname)", "pg_collation"),
        " END)"
    ),
};

/// The array `x.v` with its elements as another type.
fn elements_as(ty: &str) -> String {
    format!(
        "CASE WHEN x.v IS NOT NULL THEN coalesce((SELECT array_agg(u.e::{ty} ORDER BY u.o) \
         FROM unnest(x.v) WITH ORDINALITY u(e, o)), '{{}}') END"
    )
}

fn no_schema(name: &str) -> SqlError {
    SqlError::new(state::INVALID_SCHEMA_NAME, format!("schema \"{name}\" does not exist"))
}

impl Binder<'_> {
    /// A literal of one of the `reg…` types: a number, `-` for none, or a name.
    pub(super) fn parse_reg(&mut self, text: &str, to: Type) -> SqlResult<Typed> {
        let number = if text == "-" { Some(0) } else { text.trim().parse::<u32>().ok() };
        let oid = match number {
            Some(oid) => oid,
            // These are in the catalog's relations only.
            None if !matches!(to, Type::REGCLASS | Type::REGTYPE | Type::REGNAMESPACE) => {
                return self.reg_of(Typed::text(text), to, true, true);
            }
            None => self.oid_of(text, to)?,
        };
        Ok(Typed::constant(to, Value::Int(oid.into())))
    }

    fn oid_of(&self, text: &str, to: Type) -> SqlResult<u32> {
        let catalog = self.scope.catalog;
        match to {
            Type::REGCLASS => {
                let names = name_parts(text)?;
                let (name, schema) = names.split_last().ok_or_else(|| SqlError::syntax("zero-length name"))?;
                let schema = schema.last().map(String::as_str);
                let found = catalog.resolve(self.scope.search_path, schema, name).ok_or_else(|| {
                    match schema.filter(|schema| !catalog.schemas.contains_key(*schema)) {
                        Some(schema) => no_schema(schema),
                        None => {
                            let shown = names.join(".");
                            SqlError::new(state::UNDEFINED_TABLE, format!("relation \"{shown}\" does not exist"))
                        }
                    }
                })?;
                self.note_object(class::RELATION, found.oid);
                Ok(found.oid)
            }
            Type::REGNAMESPACE => {
                let name = name_parts(text)?.join(".");
                catalog.schemas.get(&name).copied().ok_or_else(|| no_schema(&name))
            }
            Type::REGTYPE => {
                let missing = || SqlError::new(state::UNDEFINED_OBJECT, format!("type \"{text}\" does not exist"));
                let mut parser = Parser::new(&Postgres).try_with_sql(text).map_err(|_| missing())?;
                let ty = parser.parse_data_type().map_err(|_| missing())?;
                let oid = self.data_type(&ty)?.0.0;
                self.note_object(class::TYPE, oid);
                Ok(oid)
            }
            other => Err(SqlError::unsupported(format!("a literal of type {}", self.type_name(other)))),
        }
    }

    /// Text that is only known when the statement runs, as one of the `reg…` types. What is not there is an error if `strict`,
    /// else NULL.
    pub(super) fn reg_of_text(&mut self, expr: Typed, to: Type, strict: bool) -> SqlResult<Typed> {
        // A cast of text to regclass is a function of its own in PostgreSQL, and takes names only; so do `to_regclass` and
        // its kin.
        self.reg_of(expr, to, strict, strict && to != Type::REGCLASS)
    }

    /// The same; `numbers`: digits are an OID.
    fn reg_of(&mut self, expr: Typed, to: Type, strict: bool, numbers: bool) -> SqlResult<Typed> {
        // What is known now need not be looked up for each row.
        if let (Node::Const(Value::Text(name)), Type::REGCLASS | Type::REGNAMESPACE) = (&expr.node, to)
            && !(numbers && name.bytes().all(|b| b.is_ascii_digit() || b == b'-'))
        {
            match self.oid_of(name, to) {
                Ok(oid) => return Ok(Typed::constant(to, Value::Int(oid.into()))),
                // An error only where there is a row to say it of.
                Err(error) if strict => {
                    let (code, message) = (error.code.as_str(), error.message.replace('\'', "''"));
                    return self.expand(&format!("coalesce(NULL::oid, q_raise('{code}', '{message}'))"), expr, to);
                }
                Err(_) => {}
            }
        }
        let Some(kind) = BY_NAME.iter().find(|kind| kind.ty == to) else {
            return Err(SqlError::unsupported(format!("a cast of text to {}", self.type_name(to))));
        };
        let mut text = match numbers {
            true => format!(
                "(CASE WHEN x.v ~ '^[0-9]+$' THEN x.v::oid WHEN x.v = '-' THEN 0::oid ELSE ({}) END)",
                kind.search
            ),
            false => format!("({})", kind.search),
        };
        if strict {
            let (state, before, after) = kind.missing;
            text = format!(
                "coalesce({text}, CASE WHEN x.v IS NULL THEN NULL::oid ELSE q_raise('{state}', '{before}' || x.v || '{after}') END)"
            );
        }
        self.expand(&text, expr, to)
    }

    /// A parameter of one of the `reg…` types: its value is a number or a name.
    pub(super) fn reg_of_param(&mut self, expr: Typed) -> SqlResult<Typed> {
        let (Node::Param(n), true) = (&expr.node, expr.ty.is_reg()) else { return Ok(expr) };
        let number = Typed::new(Type::INT8, Node::Param(*n));
        let text = self.cast(number, Type::TEXT, NO_TYPMOD)?;
        self.reg_of(text, expr.ty, true, true).map(|found| found.at(expr.at))
    }

    /// The name that a `reg…` value stands for, or its number.
    pub(super) fn text_of_reg(&mut self, expr: Typed) -> SqlResult<Typed> {
        match expr.ty {
            Type::REGTYPE => {
                let oid = self.cast(expr, Type::OID, NO_TYPMOD)?;
                self.call_by_name("format_type", vec![oid, Typed::null(Type::INT4)])
            }
            other => match BY_NAME.iter().find(|kind| kind.ty == other) {
                Some(kind) => {
                    let text =
                        format!("coalesce(({}), CASE x.v::oid WHEN 0 THEN '-' ELSE x.v::oid::text END)", kind.shown);
                    self.expand(&text, expr, Type::TEXT)
                }
                None => Err(SqlError::unsupported(format!("a cast of {} to text", self.type_name(other)))),
            },
        }
    }

    /// Functions that look at the texts of what they are given, of whatever type that is, see names.
    pub(super) fn with_names_in(
        &mut self,
        function: &'static Function,
        args: Vec<Typed>,
        declared: &[Type],
    ) -> SqlResult<Vec<Typed>> {
        if !matches!(function.result, Type::TEXT | Type::JSON | Type::JSONB) || self.faithful {
            return Ok(args);
        }
        let of_any_type = |ty: Option<&Type>| ty.is_none_or(|ty| *ty == Type::ANY || ty.is_polymorphic());
        let args = args.into_iter().enumerate();
        args.map(|(i, arg)| if of_any_type(declared.get(i)) { self.with_name(arg) } else { Ok(arg) }).collect()
    }

    /// A value of a `reg…` type, or an array of them, as its names.
    pub(super) fn with_name(&mut self, expr: Typed) -> SqlResult<Typed> {
        if expr.ty.is_reg() {
            return self.text_of_reg(expr);
        }
        match expr.ty.is_reg_array() {
            true => self.expand(&format!("({})", elements_as("text")), expr, Type::TEXT_ARRAY),
            false => Ok(expr),
        }
    }

    /// The query that the client asks: where a column is of one of the `reg…` types or an enum, around the query as it is
    /// bound, with their names beside the numbers (`number name`), and labels, which only the client sees.
    pub(super) fn with_names(&mut self, query: Query) -> SqlResult<Query> {
        let outputs = query.outputs();
        // Who computes arguments wants the numbers; labels stand for themselves everywhere outside.
        let argues = !self.scope.assigned.is_empty();
        let named = |ty: Type| !argues && (ty.is_reg() || ty.is_reg_array());
        if !outputs.iter().any(|o| named(o.ty) || o.ty.has_labels()) {
            return Ok(query);
        }
        let id = self.next_id();
        let mut columns = Vec::with_capacity(outputs.len());
        for (output, n) in outputs.iter().zip(1..) {
            let column = Column::of(id, format!("t{id}"), format!("c{n}"));
            let mut expr = Typed::new(output.ty, Node::Column(column));
            if named(output.ty) && output.ty.is_reg() {
                let name = self.text_of_reg(expr.clone())?;
                expr = Typed::apply(Type::TEXT, Op::NumberAndName, vec![expr, name]);
            } else if named(output.ty) {
                let text = |element| format!("({})::text", elements_as(element));
                let numbers = self.expand(&text("oid"), expr.clone(), Type::TEXT)?;
                let names = self.expand(&text("text"), expr, Type::TEXT)?;
                expr = Typed::apply(Type::TEXT, Op::NumberAndName, vec![numbers, names]);
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
        self.expansions += 1;
        let bound = self.expr(&parsed).and_then(|e| self.decide_text(e));
        self.expansions -= 1;
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

    /// The collation that a value has by COLLATE, by its columns or by its type; NULL, if columns disagree.
    fn collation_for(&mut self, value: Typed) -> SqlResult<Typed> {
        if matches!(value.node, Node::Text(_)) || matches!(value.node, Node::Const(Value::Null)) && value.is_unknown() {
            return Ok(Typed::null(Type::TEXT));
        }
        let value = self.decide_text(value)?;
        if default_collation(value.ty) == 0 {
            let text = format!("collations are not supported by type {}", self.type_name(value.ty));
            return Err(SqlError::new(state::DATATYPE_MISMATCH, text));
        }
        let derived = self.derived_collation(&value);
        let known = derived.map_or(Typed::null(Type::TEXT), |oid| Typed::text(&quote_identifier(collation_name(oid))));
        Ok(said_of(value, known))
    }

    /// What is said comes first, then that of columns; where it is not their type's, it wins over the default.
    fn derived_collation(&self, value: &Typed) -> Option<u32> {
        if value.explicit.collation != 0 {
            return Some(value.explicit.collation);
        }
        let own = default_collation(value.ty);
        let args = match &value.node {
            Node::Column(column) => {
                let table = self.scope.catalog.by_oid(column.table).and_then(|r| r.column_at(column.attnum));
                return Some(table.and_then(|c| c.collation).unwrap_or(own));
            }
            Node::Query(sub) => match sub.query.body.outputs().first() {
                Some(output) => {
                    let column = Column { table: output.table, attnum: output.attnum, ..Column::plain("") };
                    return self.derived_collation(&Typed::new(output.ty, Node::Column(column)));
                }
                None => return Some(own),
            },
            // A text made of something else has its own.
            Node::Apply(_, args) | Node::Array(args) => args,
            Node::Call(call) => &call.args,
            _ => return Some(own),
        };
        let mut found = own;
        for arg in args.iter().filter(|arg| default_collation(arg.ty) != 0) {
            match (found, self.derived_collation(arg)?) {
                (_, DEFAULT_COLLATION) => {}
                (known, other) if known == other => {}
                (DEFAULT_COLLATION, other) => found = other,
                _ => return None,
            }
        }
        Some(found)
    }

    /// Functions that look into the catalog: no other function of that name and these arguments is known.
    pub(super) fn catalog_function(&mut self, name: &str, mut args: Vec<Typed>, at: Location) -> SqlResult<Typed> {
        let reg = name.strip_prefix("to_").and_then(Type::by_typname).filter(|ty| ty.is_reg());
        if let (Some(ty), [arg]) = (reg, &args[..]) {
            let by_search = !matches!(ty, Type::REGCLASS | Type::REGTYPE | Type::REGNAMESPACE);
            return match &arg.node {
                Node::Text(text) if by_search => self.reg_of_text(Typed::text(text), ty, false),
                // What does not exist is NULL here, not an error; a number is no name.
                Node::Text(text) if text.bytes().all(|b| b.is_ascii_digit() || b == b'-') => Ok(Typed::null(ty)),
                Node::Text(text) => Ok(self.parse_reg(text, ty).unwrap_or_else(|_| Typed::null(ty))),
                _ => {
                    let text = self.coerce(args.remove(0), Type::TEXT)?;
                    self.reg_of_text(text, ty, false)
                }
            };
        }
        if ("pg_collation_for", 1) == (name, args.len()) {
            return self.collation_for(args.remove(0));
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
