//! Trees as PostgreSQL writes them: what `pg_get_expr`, `pg_get_constraintdef` and `pg_get_indexdef` say of an expression
//! that a table keeps, and `pg_get_viewdef` of a view's query (PostgreSQL's `ruleutils.c`; [`query()`]).
//!
//! The tree is bound without the shortcuts that binding takes otherwise (see `bind::Binder::faithful`): constants keep
//! their types, and keywords stay keywords. Names come from the catalog that is given, by number: a tree that was bound
//! before something was renamed is written with its new name. In a plain form everything is parenthesised; the pretty form
//! leaves out what PostgreSQL leaves out there. What has no form here gives `None`.

mod query;

pub use query::query;

use super::Scope;
use super::bind::{self, Kept};
use super::catalog::{Catalog, Relation};
use super::ir::{Cast, Column, Infix, Node, Op, Truth, Typed};
use super::lex::{quote_identifier, quote_literal};
use crate::functions::catalog::{MARKS, index_key as index_column};
use crate::functions::{CastContext, builtin, enums};
use crate::types::text::write_text;
use crate::types::{Env, NO_TYPMOD, Type};
use crate::value::Value;

/// An expression over one table's columns, which are called as in `over`, if that is given. `path`: the schemas whose names
/// need not be said.
pub fn expression(
    expr: &Typed,
    catalog: &Catalog,
    over: Option<&Relation>,
    path: &[String],
    pretty: bool,
) -> Option<String> {
    Printer::new(catalog, over, path, pretty).whole(expr)
}

/// As [`expression`] for whatever search path: the schemas that names are qualified with stand between
/// [`MARKS`].
pub fn marked(expr: &Typed, catalog: &Catalog, over: Option<&Relation>, pretty: bool) -> Option<String> {
    Printer { marks: true, ..Printer::new(catalog, over, &[], pretty) }.whole(expr)
}

/// An expression of an index as errors name it: as `pg_get_indexdef` prettily shows it, or else as it was written.
pub fn index_key(scope: &Scope<'_>, relation: &Relation, text: &str) -> String {
    let tree = bind::faithful_column_expr(scope, Some(relation), text, None, Kept::Index).ok();
    let path = ["public".to_owned()];
    let form = tree.and_then(|(tree, _)| expression(&tree, scope.catalog, Some(relation), &path, true));
    index_column(form.as_deref().unwrap_or(text))
}

/// From here on lines are indented by less.
const FAR: usize = 40;

struct Printer<'a> {
    catalog: &'a Catalog,
    over: Option<&'a Relation>,
    path: &'a [String],
    /// Schemas' names are marked.
    marks: bool,
    pretty: bool,
    /// The query that it stands in, if any.
    within: Option<&'a query::Written>,
    names: query::Scopes,
    /// What lines of their own begin behind; below 0 as 0.
    indent: i32,
    out: String,
}

/// What an expression stands in: it decides whether the pretty form needs parentheses.
#[derive(Clone, Copy, PartialEq)]
enum Around {
    Nothing,
    /// A call or another list.
    List,
    /// An operator, and whether it is its left side.
    Operator(&'static str, bool),
    And,
    Or,
    Not,
    /// IS NULL and the like.
    Test,
    Cast,
}

impl<'a> Printer<'a> {
    fn new(catalog: &'a Catalog, over: Option<&'a Relation>, path: &'a [String], pretty: bool) -> Printer<'a> {
        let out = String::new();
        Printer { catalog, over, path, marks: false, pretty, within: None, names: Default::default(), indent: 0, out }
    }

    fn whole(mut self, expr: &Typed) -> Option<String> {
        self.expr(expr, false, Around::Nothing)?;
        Some(self.out)
    }
}

impl Printer<'_> {
    fn push(&mut self, text: &str) {
        self.out.push_str(text);
    }

    fn type_name(&self, ty: Type, typmod: i32) -> String {
        let name = self.catalog.format_type(self.path, ty, typmod);
        let Some(own) = self.catalog.own_type(ty).filter(|_| self.marks) else { return name };
        let prefix = self.qualified(&own.schema, "");
        match name.strip_prefix(&format!("{}.", quote_identifier(&own.schema))) {
            Some(rest) => prefix + rest,
            None => name,
        }
    }

    /// A name in a schema.
    fn qualified(&self, schema: &str, name: &str) -> String {
        let [open, close] = MARKS;
        match self.marks {
            true => format!("{open}{schema}{close}{name}"),
            false => format!("{}.{name}", quote_identifier(schema)),
        }
    }

    /// `implicit`: casts that nobody wrote are written.
    fn expr(&mut self, expr: &Typed, implicit: bool, around: Around) -> Option<()> {
        match &expr.node {
            Node::Text(text) => self.push(&quote_literal(text)),
            Node::Const(value) => self.constant(expr, value)?,
            Node::Column(column) => self.column(expr, column, implicit)?,
            Node::Apply(op, args) => self.apply(expr, op, args, implicit, around)?,
            Node::Row(fields) => {
                self.push("ROW(");
                self.list(fields)?;
                self.push(")");
            }
            Node::Array(elements) => {
                self.push("ARRAY[");
                self.list(elements)?;
                self.push("]");
                if elements.is_empty() {
                    let ty = self.type_name(expr.ty, NO_TYPMOD);
                    self.push(&format!("::{ty}"));
                }
            }
            Node::Call(call) => self.aggregate(call)?,
            Node::Query(inner) => {
                self.push("(");
                self.subquery(inner)?;
                self.push(")");
            }
            Node::Param(_) | Node::RowList | Node::Kept { .. } => return None,
        }
        Some(())
    }

    fn list(&mut self, items: &[Typed]) -> Option<()> {
        for (i, item) in items.iter().enumerate() {
            self.push(if i > 0 { ", " } else { "" });
            self.expr(item, true, Around::List)?;
        }
        Some(())
    }

    fn column(&mut self, expr: &Typed, column: &Column, implicit: bool) -> Option<()> {
        let of_domain = |domain: Option<Type>| domain.is_some_and(|domain| !domain.is_array());
        if column.table == 0 {
            if let Some(name) = self.item_column(column) {
                self.push(&name);
                return Some(());
            }
            if let Some(call) = self.within.and_then(|written| written.call_in_list(column)) {
                return self.expr(call, true, Around::Nothing);
            }
            if column.range != 0 {
                return None;
            }
            // A keyword.
            let based = of_domain(column.domain) && implicit;
            self.taken_for(&column.name, expr.ty, based);
            return Some(());
        }
        let over = self.over.filter(|r| r.oid == column.table);
        let relation = over.or_else(|| self.catalog.by_oid(column.table).map(|r| &**r));
        let known = relation.and_then(|r| r.column_at(column.attnum));
        let name = match (self.within, self.item_column(column)) {
            (None, _) => quote_identifier(known.map_or(&column.name, |known| &known.name)),
            (Some(_), qualified) => qualified?,
        };
        let other = known.is_some_and(|known| known.ty != expr.ty || of_domain(known.domain));
        self.taken_for(&name, expr.ty, other && implicit);
        Some(())
    }

    /// A name, as what it is taken for if it is something else itself.
    fn taken_for(&mut self, name: &str, ty: Type, other: bool) {
        match other {
            true => {
                let ty = self.type_name(ty, NO_TYPMOD);
                self.push(&if self.pretty { format!("{name}::{ty}") } else { format!("({name})::{ty}") });
            }
            false => self.push(name),
        }
    }

    fn constant(&mut self, expr: &Typed, value: &Value) -> Option<()> {
        let ty = expr.ty;
        let named = self.type_name(ty, expr.typmod);
        if value.is_null() {
            self.push(&format!("NULL::{named}"));
            return Some(());
        }
        let text = self.text_of(ty, expr.typmod, value)?;
        let bare = match ty {
            Type::BOOL => {
                self.push(if text == "t" { "true" } else { "false" });
                return Some(());
            }
            Type::INT4 => !text.starts_with('-'),
            Type::NUMERIC => {
                text.starts_with(|c: char| c.is_ascii_digit()) && text.contains(['e', 'E', '.']) && expr.typmod < 0
            }
            _ => false,
        };
        self.push(&if bare { text } else { format!("{}::{named}", quote_literal(&text)) });
        Some(())
    }

    /// The text form of a value, with names where it stands for an object.
    fn text_of(&self, ty: Type, typmod: i32, value: &Value) -> Option<String> {
        if let Some(own) = self.catalog.own_type(ty).filter(|_| ty.has_labels()) {
            if let Value::Real(place) = value {
                return own.labels.iter().find(|label| label.order == *place).map(|label| label.name.clone());
            }
            let (labels, text) = (Value::Text(own.labels_text()), Value::Int(Type::TEXT.0.into()));
            let shown = enums::labels(&[labels.as_ref(), text.as_ref(), value.as_ref()]).ok()?;
            return self.text_of(Type::TEXT_ARRAY, NO_TYPMOD, &shown);
        }
        if let (Type::REGCLASS, Value::Int(oid)) = (ty, value) {
            let relation = self.catalog.by_oid(u32::try_from(*oid).ok()?)?;
            let name = quote_identifier(&relation.name);
            let visible = self.catalog.resolve(self.path, None, &relation.name).is_some_and(|r| r.oid == relation.oid);
            return Some(if visible { name } else { self.qualified(&relation.schema, &name) });
        }
        if let (Type::REGTYPE, Value::Int(oid)) = (ty, value) {
            return Some(self.type_name(Type(u32::try_from(*oid).ok()?), NO_TYPMOD));
        }
        let mut out = Vec::new();
        write_text(ty, typmod, value.as_ref(), &Env::default(), &mut out).ok()?;
        String::from_utf8(out).ok()
    }

    /// In parentheses, unless the pretty form can do without.
    fn grouped(&mut self, simple: bool, write: impl FnOnce(&mut Self) -> Option<()>) -> Option<()> {
        let parentheses = !self.pretty || !simple;
        self.push(if parentheses { "(" } else { "" });
        write(self)?;
        self.push(if parentheses { ")" } else { "" });
        Some(())
    }

    fn apply(&mut self, expr: &Typed, op: &Op, args: &[Typed], implicit: bool, around: Around) -> Option<()> {
        let in_list = matches!(around, Around::Nothing | Around::List | Around::And | Around::Or | Around::Not);
        let alone = matches!(around, Around::Nothing | Around::List);
        match op {
            Op::Operator(infix) => self.operator(infix, args, around),
            Op::Function(function) => self.call(function.name, args),
            Op::Cast(cast) => {
                let inner = match &args[0].node {
                    // A length after its type.
                    Node::Apply(Op::Cast(first), rest) if first.to == cast.to && first.typmod == NO_TYPMOD => &rest[0],
                    _ => &args[0],
                };
                if cast.context != CastContext::Explicit && !implicit {
                    return self.expr(inner, false, around);
                }
                self.cast(inner, cast.to, cast.typmod)
            }
            Op::Domain(domain) => self.cast(&args[0], *domain, NO_TYPMOD),
            Op::Relabel if !implicit => self.expr(&args[0], false, around),
            Op::Relabel | Op::Labels(_) | Op::Places(_) => self.cast(&args[0], expr.ty, NO_TYPMOD),
            Op::And | Op::Or => {
                let (word, this) = if *op == Op::And { (" AND ", Around::And) } else { (" OR ", Around::Or) };
                let simple = match around {
                    Around::And => *op == Op::And,
                    Around::Operator(..) | Around::Test | Around::Cast | Around::Not => false,
                    _ => true,
                };
                self.grouped(simple, |p| {
                    for (i, arg) in args.iter().enumerate() {
                        p.push(if i > 0 { word } else { "" });
                        p.expr(arg, false, this)?;
                    }
                    Some(())
                })
            }
            Op::Not => {
                let simple = matches!(around, Around::Nothing | Around::List | Around::And | Around::Or);
                self.grouped(simple, |p| {
                    p.push("NOT ");
                    p.expr(&args[0], false, Around::Not)
                })
            }
            Op::IsNull | Op::IsNotNull if args.len() == 1 => self.grouped(in_list, |p| {
                // A value of a domain need not become what that is based on.
                p.expr(&args[0], args[0].domain().is_none(), Around::Test)?;
                p.push(if *op == Op::IsNull { " IS NULL" } else { " IS NOT NULL" });
                Some(())
            }),
            Op::Is(truth) => self.grouped(in_list, |p| {
                p.expr(&args[0], false, Around::Test)?;
                p.push(match truth {
                    Truth::True => " IS TRUE",
                    Truth::NotTrue => " IS NOT TRUE",
                    Truth::False => " IS FALSE",
                    Truth::NotFalse => " IS NOT FALSE",
                    Truth::Unknown => " IS UNKNOWN",
                    Truth::NotUnknown => " IS NOT UNKNOWN",
                });
                Some(())
            }),
            Op::Distinct { negated, .. } => {
                let [left, right] = args else { return None };
                let distinct = |p: &mut Self| {
                    p.expr(left, true, Around::Test)?;
                    p.push(" IS DISTINCT FROM ");
                    p.expr(right, true, Around::Test)
                };
                if !negated {
                    return self.grouped(in_list, distinct);
                }
                self.grouped(in_list, |p| {
                    p.push("NOT ");
                    p.grouped(false, distinct)
                })
            }
            Op::In { negated } => self.among(*negated, args, if args.len() == 2 { in_list } else { alone }),
            Op::InArray { negated } => {
                let [value, array] = args else { return None };
                self.grouped(alone, |p| {
                    p.expr(value, true, Around::Test)?;
                    p.push(if *negated { " <> ALL (" } else { " = ANY (" });
                    p.expr(array, true, Around::List)?;
                    p.push(")");
                    Some(())
                })
            }
            Op::Quantified { all } => {
                let [Typed { node: Node::Apply(Op::Operator(infix), sides), .. }, array] = args else { return None };
                let (name, left) = (infix.operator.name, sides.first()?);
                self.grouped(alone, |p| {
                    p.expr(left, true, Around::Operator(name, true))?;
                    p.push(&format!(" {name} {} (", if *all { "ALL" } else { "ANY" }));
                    p.expr(array, true, Around::List)?;
                    p.push(")");
                    Some(())
                })
            }
            Op::Case => {
                let (otherwise, branches) = args.split_last()?;
                let compared = self.within.is_some_and(|written| written.compares(expr.at));
                self.line("CASE", 0, 0);
                self.indent += 4;
                for (i, branch) in branches.chunks_exact(2).enumerate() {
                    let test = match &branch[0].node {
                        Node::Apply(Op::Operator(_), sides) if compared && sides.len() == 2 => {
                            if i == 0 {
                                self.push(" ");
                                self.expr(&sides[0], true, Around::List)?;
                            }
                            &sides[1]
                        }
                        _ if compared => return None,
                        _ => &branch[0],
                    };
                    self.line("WHEN ", 0, 0);
                    self.expr(test, false, Around::List)?;
                    self.push(" THEN ");
                    self.expr(&branch[1], true, Around::List)?;
                }
                self.line("ELSE ", 0, 0);
                self.expr(otherwise, true, Around::List)?;
                self.indent -= 4;
                self.line("END", 0, 0);
                Some(())
            }
            Op::Coalesce => self.named("COALESCE", args),
            Op::NullIf(_) => self.named("NULLIF", args),
            Op::Extreme { greatest, .. } => self.named(if *greatest { "GREATEST" } else { "LEAST" }, args),
            Op::Subscript | Op::NameByte => {
                let (array, subscripts) = args.split_first()?;
                let plain = matches!(array.node, Node::Column(_));
                self.push(if plain { "" } else { "(" });
                self.expr(array, true, Around::List)?;
                self.push(if plain { "" } else { ")" });
                for subscript in subscripts {
                    self.push("[");
                    self.expr(subscript, false, Around::List)?;
                    self.push("]");
                }
                Some(())
            }
            Op::Exists => {
                let [Typed { node: Node::Query(inner), .. }] = args else { return None };
                self.push("(EXISTS (");
                self.subquery(inner)?;
                self.push("))");
                Some(())
            }
            Op::InQuery { negated } => {
                let [value, Typed { node: Node::Query(inner), .. }] = args else { return None };
                let among = |p: &mut Self| {
                    p.push("(");
                    p.expr(value, true, Around::Operator("=", true))?;
                    p.push(" IN (");
                    p.subquery(inner)?;
                    p.push("))");
                    Some(())
                };
                match negated {
                    false => among(self),
                    true => self.grouped(in_list, |p| {
                        p.push("NOT ");
                        among(p)
                    }),
                }
            }
            _ => None,
        }
    }

    /// A word on a line of its own, so far to the left of the others of its query, and then to the right.
    fn line(&mut self, word: &str, left: i32, right: usize) {
        self.trim();
        let mut indent = (self.indent - left).max(0) as usize;
        if indent >= FAR {
            indent = (FAR + (indent - FAR) / 4) % FAR;
        }
        self.out.push('\n');
        self.out.push_str(&" ".repeat(indent + right));
        self.out.push_str(word);
    }

    fn trim(&mut self) {
        self.out.truncate(self.out.trim_end_matches(' ').len());
    }

    fn named(&mut self, name: &str, args: &[Typed]) -> Option<()> {
        self.push(name);
        self.push("(");
        self.list(args)?;
        self.push(")");
        Some(())
    }

    fn cast(&mut self, arg: &Typed, to: Type, typmod: i32) -> Option<()> {
        let ty = self.type_name(to, typmod);
        self.grouped(true, |p| {
            // What is not simple has parentheses of its own.
            p.expr(arg, false, Around::Cast)
        })?;
        self.push(&format!("::{ty}"));
        Some(())
    }

    fn operator(&mut self, infix: &Infix, args: &[Typed], around: Around) -> Option<()> {
        let name = infix.operator.name;
        let simple = match around {
            Around::Operator(outer, left) => {
                let rank = |name: &str| match name {
                    "+" | "-" => Some(1),
                    "*" | "/" | "%" => Some(2),
                    _ => None,
                };
                match (rank(name), rank(outer)) {
                    (Some(own), Some(outer)) => own > outer || own == outer && left,
                    _ => false,
                }
            }
            Around::Test | Around::Cast => false,
            _ => true,
        };
        match args {
            [arg] => self.grouped(simple, |p| {
                p.push(&format!("{name} "));
                p.expr(arg, true, Around::Operator(name, false))
            }),
            [left, right] => self.grouped(simple, |p| {
                p.expr(left, true, Around::Operator(name, true))?;
                p.push(&format!(" {name} "));
                p.expr(right, true, Around::Operator(name, false))
            }),
            // A chain leans to the left.
            [before @ .., right] => self.grouped(simple, |p| {
                p.operator(infix, before, Around::Operator(name, true))?;
                p.push(&format!(" {name} "));
                p.expr(right, true, Around::Operator(name, false))
            }),
            [] => None,
        }
    }

    /// `a IN (…)` is `a = ANY (ARRAY[…])`; character varying compares as text.
    fn among(&mut self, negated: bool, args: &[Typed], simple: bool) -> Option<()> {
        let (value, items) = args.split_first()?;
        let text = value.ty == Type::VARCHAR;
        let array = self.type_name(Type::TEXT_ARRAY, NO_TYPMOD);
        let one = |p: &mut Self, item: &Typed| {
            // A literal is of the type that is compared.
            match (&item.node, text) {
                (Node::Const(_), true) => p.expr(&Typed { ty: Type::TEXT, ..item.clone() }, true, Around::List),
                (_, true) => p.cast(item, Type::TEXT, NO_TYPMOD),
                _ => p.expr(item, true, Around::List),
            }
        };
        self.grouped(simple, |p| {
            match text {
                true => p.cast(value, Type::TEXT, NO_TYPMOD)?,
                false => p.expr(compared(value), true, Around::Operator("=", true))?,
            }
            if let [item] = items {
                p.push(if negated { " <> " } else { " = " });
                return one(p, item);
            }
            p.push(if negated { " <> ALL (" } else { " = ANY (" });
            p.push(if text && !p.pretty { "(ARRAY[" } else { "ARRAY[" });
            p.list(items)?;
            p.push("]");
            if text {
                p.push(&if p.pretty { format!("::{array}") } else { format!(")::{array}") });
            }
            p.push(")");
            Some(())
        })
    }

    fn call(&mut self, name: &'static str, args: &[Typed]) -> Option<()> {
        let constant = |arg: &Typed| match &arg.node {
            Node::Const(Value::Text(text)) | Node::Text(text) => Some(text.clone()),
            _ => None,
        };
        match (name, args) {
            // What is written with words takes its arguments as they are.
            ("timezone", [zone, time]) => {
                self.push("(");
                self.expr(time, false, Around::Operator("AT", true))?;
                self.push(" AT TIME ZONE ");
                self.expr(zone, false, Around::Operator("AT", false))?;
                self.push(")");
                Some(())
            }
            // As TRIM, which is what most write for it.
            ("btrim", [text, what @ ..]) if text.ty == Type::TEXT => {
                self.push("TRIM(BOTH ");
                for what in what {
                    self.expr(what, false, Around::List)?;
                    self.push(" ");
                }
                self.push("FROM ");
                self.expr(text, false, Around::List)?;
                self.push(")");
                Some(())
            }
            ("current_time" | "current_timestamp" | "localtime" | "localtimestamp", [precision]) => {
                self.push(&name.to_uppercase());
                self.push("(");
                self.expr(precision, true, Around::List)?;
                self.push(")");
                Some(())
            }
            ("extract", [field, from]) => {
                self.push(&format!("EXTRACT({} FROM ", constant(field)?));
                self.expr(from, false, Around::List)?;
                self.push(")");
                Some(())
            }
            ("position", [whole, part]) => {
                self.push("POSITION((");
                self.expr(part, false, Around::List)?;
                self.push(") IN (");
                self.expr(whole, false, Around::List)?;
                self.push("))");
                Some(())
            }
            // The labels of the type follow the client's arguments.
            ("enum_first" | "enum_last" | "enum_range", [args @ .., _]) => self.named(name, args),
            _ => self.named(&function_name(name), args),
        }
    }
}

/// A function's name, quoted if it is a keyword of any but the freest kind.
fn function_name(name: &str) -> String {
    let is = |value: Option<&Value>, text: &str| matches!(value, Some(Value::Text(known)) if known == text);
    let keyword = builtin::keywords().iter().any(|row| is(row.first(), name) && !is(row.get(1), "U"));
    if keyword { format!("\"{name}\"") } else { quote_identifier(name) }
}

/// What is compared with items of another type: as it is, where = takes both.
fn compared(value: &Typed) -> &Typed {
    const FAMILIES: [&[Type]; 3] = [
        &[Type::INT2, Type::INT4, Type::INT8],
        &[Type::FLOAT4, Type::FLOAT8],
        &[Type::DATE, Type::TIMESTAMP, Type::TIMESTAMPTZ],
    ];
    match &value.node {
        Node::Apply(Op::Cast(Cast { context: CastContext::Implicit, .. }), args)
            if FAMILIES.iter().any(|family| family.contains(&args[0].ty) && family.contains(&value.ty)) =>
        {
            &args[0]
        }
        _ => value,
    }
}
