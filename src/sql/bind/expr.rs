//! Typed expressions: what every name, operator and literal of a statement becomes before it is SQLite text.
//!
//! A node is either an atom or a template over arguments; templates are the `lower` texts of the function tables and
//! a few of our own. Literals and parameters keep the type `unknown` until their surroundings give them one.
//! Two expressions are equal if they are the same tree, wherever they stand: that is what GROUP BY compares by.

use crate::functions::{Argument, Modifiers, render, render_aggregate};
use crate::sql::catalog::quote;
use crate::types::{NO_TYPMOD, Type};
use crate::value::Value;
use sqlparser::tokenizer::Location;
use std::borrow::Cow;
use std::fmt::Write as _;
use std::rc::Rc;

/// An expression with its Postgres type.
#[derive(Clone, Debug)]
pub(super) struct Typed {
    pub ty: Type,
    pub typmod: i32,
    pub node: Node,
    /// Where it stands in the text; line 0 if that is not known.
    pub at: Location,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Node {
    /// A string literal whose type is not decided.
    Text(String),
    Const(Value),
    /// `$n`
    Param(usize),
    Column(ColumnRef),
    Apply(Cow<'static, str>, Vec<Typed>),
    /// An aggregate or window function.
    Call(Box<Call>),
    /// `ROW(…)`
    Row(Vec<Typed>),
    /// `ARRAY[…]`
    Array(Vec<Typed>),
    Query(Box<SubQuery>),
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct ColumnRef {
    /// The FROM item, by its number in the statement.
    pub range: usize,
    pub sql: Rc<str>,
    pub table: u32,
    pub attnum: i16,
    /// SQLite compares it by its type's collation by itself.
    pub collated: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Call {
    pub template: &'static str,
    pub args: Vec<Typed>,
    pub distinct: bool,
    pub order: Vec<SortKey>,
    pub filter: Option<Typed>,
    pub over: Option<Over>,
}

/// What follows OVER.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Over {
    pub partition: Vec<Typed>,
    pub order: Vec<SortKey>,
    pub frame: Option<String>,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct SortKey {
    pub expr: Typed,
    pub descending: bool,
    pub nulls_first: bool,
}

/// A subquery in an expression, already text.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct SubQuery {
    pub sql: String,
    /// Columns of surrounding queries that it reads.
    pub outer: Vec<ColumnRef>,
}

impl PartialEq for Typed {
    fn eq(&self, other: &Typed) -> bool {
        self.ty == other.ty && self.node == other.node
    }
}

impl Typed {
    pub fn new(ty: Type, node: Node) -> Typed {
        Typed { ty, typmod: NO_TYPMOD, node, at: Location::empty() }
    }

    pub fn constant(ty: Type, value: Value) -> Typed {
        Typed::new(ty, Node::Const(value))
    }

    pub fn bool(value: bool) -> Typed {
        Typed::constant(Type::BOOL, Value::Int(value.into()))
    }

    pub fn null(ty: Type) -> Typed {
        Typed::constant(ty, Value::Null)
    }

    pub fn apply(ty: Type, template: impl Into<Cow<'static, str>>, args: Vec<Typed>) -> Typed {
        Typed::new(ty, Node::Apply(template.into(), args))
    }

    pub fn at(mut self, at: Location) -> Typed {
        self.at = at;
        self
    }

    pub fn typmod(mut self, typmod: i32) -> Typed {
        self.typmod = typmod;
        self
    }

    pub fn is_unknown(&self) -> bool {
        self.ty == Type::UNKNOWN
    }

    pub fn is_null(&self) -> bool {
        matches!(&self.node, Node::Const(Value::Null))
    }

    /// The same value on every row of every query.
    pub fn is_constant(&self) -> bool {
        matches!(self.node, Node::Const(_) | Node::Text(_))
    }

    /// SQLite text that stands by itself: an atom, a call, or something in parentheses.
    pub fn sql(&self) -> String {
        let text = self.bare_sql();
        let built = matches!(self.node, Node::Apply(..) | Node::Call(_));
        if built && self.ty != Type::BOOL && text.contains(" COLLATE ") {
            // SQLite takes any COLLATE within an expression, be it in the condition of a CASE, for that of its value.
            return format!("({text} COLLATE {})", self.ty.collation().unwrap_or("BINARY"));
        }
        text
    }

    fn bare_sql(&self) -> String {
        match &self.node {
            Node::Text(text) => text_literal(text),
            Node::Const(value) => literal(value),
            Node::Param(n) => format!("?{n}"),
            Node::Column(column) => column.sql.to_string(),
            Node::Apply(template, args) => with_arguments(args, |args| render(template, args, self.typmod)),
            Node::Call(call) => call.sql(),
            Node::Row(fields) => format!("({})", list(fields)),
            Node::Array(elements) => super::builtins::array_sql(self.ty, elements),
            Node::Query(query) => format!("({})", query.sql),
        }
    }

    /// The text where SQLite groups, sorts, or removes duplicates by it.
    pub fn keyed(&self) -> String {
        match self.ty.collation() {
            Some(name) if !self.collated() => format!("{} COLLATE {name}", self.sql()),
            _ => self.sql(),
        }
    }

    pub fn collated(&self) -> bool {
        matches!(&self.node, Node::Column(column) if column.collated)
    }

    /// Every node of the tree that `visit` wants to look into, outermost first.
    pub fn walk(&self, visit: &mut dyn FnMut(&Typed) -> bool) {
        if !visit(self) {
            return;
        }
        match &self.node {
            Node::Apply(_, args) | Node::Row(args) | Node::Array(args) => args.iter().for_each(|a| a.walk(visit)),
            Node::Call(call) => {
                let over = call.over.iter().flat_map(|o| o.partition.iter().chain(o.order.iter().map(|k| &k.expr)));
                let inner = call.args.iter().chain(call.order.iter().map(|k| &k.expr)).chain(&call.filter);
                inner.chain(over).for_each(|e| e.walk(visit));
            }
            _ => {}
        }
    }

    pub fn any(&self, test: &dyn Fn(&Typed) -> bool) -> bool {
        let mut found = false;
        self.walk(&mut |e| {
            found |= test(e);
            !found
        });
        found
    }

    pub fn has_aggregate(&self) -> bool {
        self.any(&|e| matches!(&e.node, Node::Call(call) if call.over.is_none()))
    }

    pub fn has_window(&self) -> bool {
        self.any(&|e| matches!(&e.node, Node::Call(call) if call.over.is_some()))
    }
}

impl Call {
    fn sql(&self) -> String {
        let order = sort_list(&self.order);
        let filter = self.filter.as_ref().map(Typed::sql);
        let over = self.over.as_ref().map(Over::sql);
        let modifiers = Modifiers {
            distinct: self.distinct,
            order_by: (!self.order.is_empty()).then_some(&order),
            filter: filter.as_deref(),
            over: over.as_deref(),
        };
        // SQLite takes the collation by which DISTINCT, min and max compare from the argument.
        let sql: Vec<String> = self.args.iter().map(Typed::keyed).collect();
        let args: Vec<Argument<'_>> = self.args.iter().zip(&sql).map(|(a, sql)| argument(a, sql)).collect();
        render_aggregate(self.template, &args, modifiers)
    }
}

impl Over {
    pub fn sql(&self) -> String {
        let mut out = String::new();
        if !self.partition.is_empty() {
            let keys: Vec<String> = self.partition.iter().map(group_key).collect();
            let _ = write!(out, "PARTITION BY {}", keys.join(", "));
        }
        if !self.order.is_empty() {
            let space = if out.is_empty() { "" } else { " " };
            let _ = write!(out, "{space}ORDER BY {}", sort_list(&self.order));
        }
        if let Some(frame) = &self.frame {
            let space = if out.is_empty() { "" } else { " " };
            let _ = write!(out, "{space}{frame}");
        }
        out
    }
}

impl SortKey {
    /// `key` with its direction; a constant orders nothing, and a number would be taken for an ordinal.
    pub fn sql(&self) -> String {
        let key = if self.expr.is_constant() { "NULL".into() } else { self.expr.keyed() };
        self.directed(&key)
    }

    /// SQLite puts NULLs first when ascending, Postgres last: the order of NULLs is written where it differs.
    pub fn directed(&self, key: &str) -> String {
        let direction = if self.descending { " DESC" } else { "" };
        let nulls = match (self.descending, self.nulls_first) {
            (false, false) => " NULLS LAST",
            (true, true) => " NULLS FIRST",
            _ => "",
        };
        format!("{key}{direction}{nulls}")
    }
}

/// A key of GROUP BY or PARTITION BY; a number would be taken for an ordinal.
pub(super) fn group_key(expr: &Typed) -> String {
    if expr.is_constant() { "NULL".into() } else { expr.keyed() }
}

pub(super) fn sort_list(keys: &[SortKey]) -> String {
    keys.iter().map(SortKey::sql).collect::<Vec<_>>().join(", ")
}

pub(super) fn list(exprs: &[Typed]) -> String {
    exprs.iter().map(Typed::sql).collect::<Vec<_>>().join(", ")
}

fn argument<'a>(expr: &Typed, sql: &'a str) -> Argument<'a> {
    Argument { sql, ty: expr.ty, typmod: expr.typmod }
}

fn with_arguments<R>(args: &[Typed], f: impl FnOnce(&[Argument<'_>]) -> R) -> R {
    let sql: Vec<String> = args.iter().map(Typed::sql).collect();
    let args: Vec<Argument<'_>> = args.iter().zip(&sql).map(|(a, sql)| argument(a, sql)).collect();
    f(&args)
}

/// A value as SQLite text.
pub(super) fn literal(value: &Value) -> String {
    match value {
        Value::Null => "NULL".into(),
        Value::Int(i) if *i < 0 => format!("({i})"),
        Value::Int(i) => i.to_string(),
        Value::Real(r) if r.is_infinite() => (if *r > 0.0 { "9e999" } else { "(-9e999)" }).into(),
        Value::Real(r) if r.is_sign_negative() => format!("({r:?})"),
        Value::Real(r) => format!("{r:?}"),
        Value::Text(text) => text_literal(text),
        Value::Blob(bytes) => format!("x'{}'", hex::encode(bytes)),
    }
}

pub(super) fn text_literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// `"qualifier"."column"`
pub(super) fn qualified(qualifier: &str, column: &str) -> Rc<str> {
    format!("{}.{}", quote(qualifier), quote(column)).into()
}
