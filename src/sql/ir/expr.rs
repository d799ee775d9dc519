//! Typed expressions: what every name, operator and literal of a statement means.
//!
//! Literals and parameters keep the type `unknown` until their surroundings give them one. Two expressions are equal if
//! they are the same tree, wherever they stand: that is what GROUP BY compares by.

use super::query::Query;
use crate::functions::{CastContext, Function, Native, Operator, lookup_functions};
use crate::sql::catalog::{OwnType, default_collation};
use crate::types::record::Field;
use crate::types::{NO_TYPMOD, Type, declares_collation};
use crate::value::Value;
use sqlparser::tokenizer::Location;
use std::rc::Rc;
use std::sync::Arc;

/// An expression with its Postgres type.
#[derive(Clone, Debug)]
pub struct Typed {
    pub ty: Type,
    pub typmod: i32,
    pub node: Node,
    /// Where it stands in the text; line 0 if that is not known.
    pub at: Location,
    /// What COLLATE says of it, or of what it is made of.
    pub explicit: Explicit,
}

/// A collation that is said. All order alike; but those of one operation must agree.
#[derive(Clone, Copy, Debug)]
pub struct Explicit {
    /// Its OID; 0 for none.
    pub collation: u32,
    /// Where it is named.
    pub at: Location,
}

impl Explicit {
    pub const NONE: Explicit = Explicit { collation: 0, at: Location { line: 0, column: 0 } };
}

#[derive(Clone, Debug, PartialEq)]
pub enum Node {
    /// A string literal whose type is not decided.
    Text(String),
    Const(Value),
    /// `$n`
    Param(usize),
    /// The list of rows that a statement with a [`super::Lock`] inside means: the parameter after the client's.
    RowList,
    Column(Column),
    /// A column of another table, kept aside under the row that is changed: for RETURNING.
    Kept {
        rowid: Column,
        number: usize,
        column: Column,
    },
    Apply(Op, Vec<Typed>),
    /// An aggregate or window function.
    Call(Box<Call>),
    /// `ROW(…)`
    Row(Vec<Typed>),
    /// `ARRAY[…]`
    Array(Vec<Typed>),
    Query(Box<SubQuery>),
}

#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// The FROM item, by its number in the statement; 0 for none.
    pub range: usize,
    /// What SQLite knows the FROM item by.
    pub qualifier: Option<Rc<str>>,
    pub name: Rc<str>,
    /// OID of the table and number of its column, or 0.
    pub table: u32,
    pub attnum: i16,
    /// The domain, or the array over one, that it is declared with.
    pub domain: Option<Type>,
    /// SQLite compares it by its type's collation by itself. A char(n) has no blanks at its end then.
    pub collated: bool,
}

impl Column {
    /// A column that has no other meaning than its name.
    pub fn plain(name: impl Into<Rc<str>>) -> Column {
        Column { range: 0, qualifier: None, name: name.into(), table: 0, attnum: 0, domain: None, collated: false }
    }

    /// A column of a FROM item by the names that SQLite knows.
    pub fn of(range: usize, qualifier: impl Into<Rc<str>>, name: impl Into<Rc<str>>) -> Column {
        Column { range, qualifier: Some(qualifier.into()), ..Column::plain(name) }
    }
}

/// What is applied to arguments.
#[derive(Clone, Debug, PartialEq)]
pub enum Op {
    Operator(Infix),
    Function(&'static Function),
    Cast(Cast),
    /// The same value under another type.
    Relabel,
    /// A char(n) with its blanks.
    Pad,
    /// Of any number of conditions, as OR.
    And,
    Or,
    Not,
    /// All arguments are NULL.
    IsNull,
    IsNotNull,
    Is(Truth),
    /// `IS [NOT] DISTINCT FROM` by an equality.
    Distinct {
        equal: Infix,
        negated: bool,
    },
    /// The first among the others, by SQLite's comparison.
    In {
        negated: bool,
    },
    /// All but the last, a query, among its rows.
    InQuery {
        negated: bool,
    },
    /// The first among the elements of an array.
    InArray {
        negated: bool,
    },
    /// ANY and ALL of a condition, the first argument, over the rows of a query or the elements of an array, the second;
    /// the condition reads [`super::ELEMENT`] or [`super::FIRST`] there.
    Quantified {
        all: bool,
    },
    /// `(a, b) < (c, d)`, as `a, c, b, d`.
    Rows(&'static str),
    /// `(a, b) < (SELECT …)`; the query is the last.
    RowQuery(&'static str),
    Exists,
    /// Conditions and values by turns, and a last value.
    Case,
    Coalesce,
    /// The first unless it equals the second.
    NullIf(Infix),
    /// GREATEST or LEAST; `by` is the comparison of the best so far with the next, where SQLite's own does not do.
    Extreme {
        greatest: bool,
        by: Option<Infix>,
    },
    /// `a[i][j]`
    Subscript,
    /// `name[0]`, a character of a name.
    NameByte,
    /// `a[l:u]`; NULL leaves a side open.
    Slice,
    /// A value with an element of it set: the value, the element, and its subscripts or its path.
    SetElement,
    /// An array with elements of it set: the array, an array of the elements, and where they begin and end.
    SetSlice,
    /// The value, or the error (second) of its being NULL.
    NeverNull,
    /// The error of a NULL in a column: its schema, table and name. SQLite evaluates it only where it is reached.
    NullViolation,
    /// The second argument; the others are kept under the first, a rowid, by these numbers.
    Keep(Vec<usize>),
    /// A number and the name that the client sees in its place.
    NumberAndName,
    /// What is stored of an enum, or of an array of one, as its labels.
    Labels(Arc<OwnType>),
    /// The reverse, or the error of a label that there is not.
    Places(Arc<OwnType>),
    /// A value of this domain, or of an array over one, which meets what that asks of it.
    Domain(Type),
    /// A function of ours that has no signature, because no name means it.
    Internal(&'static str),
    /// A record: as many values as it has fields, and maybe a condition without which it is NULL.
    Record(Rc<Vec<Field>>),
    /// The field of a record by its number, from 0.
    Field(usize),
}

/// An operator between two values (or before one, or [between several](Infix::chains)).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Infix {
    pub operator: &'static Operator,
    /// How SQLite has to compare, where neither the operator nor a column says so.
    pub collation: Option<&'static str>,
}

impl Infix {
    pub fn is_native(&self) -> bool {
        self.operator.native != Native::No
    }

    /// A chain of it is one application to all operands, from left to right: additions within a type, and texts put
    /// together.
    pub fn chains(&self) -> bool {
        let operator = self.operator;
        let ty = operator.result;
        let within = operator.left == Some(ty) && operator.right == ty;
        match operator.name {
            "+" => within && matches!(ty, Type::INT2 | Type::INT4 | Type::INT8 | Type::NUMERIC),
            "||" => within && ty == Type::TEXT,
            _ => false,
        }
    }

    /// SQLite's `=`.
    pub fn is_native_equality(&self) -> bool {
        self.is_native() && self.operator.name == "="
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cast {
    pub to: Type,
    pub typmod: i32,
    /// What chooses among the ways from one type to another.
    pub context: CastContext,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Truth {
    True,
    NotTrue,
    False,
    NotFalse,
    Unknown,
    NotUnknown,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    pub function: &'static Function,
    pub args: Vec<Typed>,
    pub distinct: bool,
    pub order: Vec<SortKey>,
    pub filter: Option<Typed>,
    pub over: Option<Over>,
}

/// What follows OVER.
#[derive(Clone, Debug, PartialEq)]
pub struct Over {
    pub partition: Vec<Typed>,
    pub order: Vec<SortKey>,
    pub frame: Option<Frame>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Frame {
    /// ROWS, RANGE or GROUPS.
    pub units: &'static str,
    pub start: Bound,
    pub end: Option<Bound>,
    /// CURRENT ROW, GROUP or TIES.
    pub exclude: Option<&'static str>,
    /// Of RANGE with offsets: the type of its key, and the decimals that a numeric key has.
    pub range: Option<(Type, u32)>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Bound {
    CurrentRow,
    /// `None`: unbounded.
    Preceding(Option<Typed>),
    Following(Option<Typed>),
}

#[derive(Clone, Debug, PartialEq)]
pub struct SortKey {
    pub expr: Typed,
    pub descending: bool,
    pub nulls_first: bool,
}

/// A query in an expression.
#[derive(Clone, Debug, PartialEq)]
pub struct SubQuery {
    pub query: Query,
    /// Columns of surrounding queries that it reads.
    pub outer: Vec<Column>,
    /// As a value: more rows than one are an error.
    pub single: bool,
}

impl PartialEq for Typed {
    fn eq(&self, other: &Typed) -> bool {
        self.ty == other.ty && self.node == other.node
    }
}

impl Typed {
    /// The domain, or the array over one, whose value it is known to be.
    pub fn domain(&self) -> Option<Type> {
        match &self.node {
            Node::Column(column) => column.domain,
            Node::Apply(Op::Domain(domain), _) => Some(*domain),
            _ => None,
        }
    }

    pub fn new(ty: Type, node: Node) -> Typed {
        Typed { ty, typmod: NO_TYPMOD, node, at: Location::empty(), explicit: Explicit::NONE }
    }

    pub fn constant(ty: Type, value: Value) -> Typed {
        Typed::new(ty, Node::Const(value))
    }

    pub fn bool(value: bool) -> Typed {
        Typed::constant(Type::BOOL, Value::Int(value.into()))
    }

    pub fn text(value: &str) -> Typed {
        Typed::constant(Type::TEXT, Value::Text(value.to_owned()))
    }

    pub fn null(ty: Type) -> Typed {
        Typed::constant(ty, Value::Null)
    }

    pub fn apply(ty: Type, op: Op, args: Vec<Typed>) -> Typed {
        let explicit = match default_collation(ty) {
            0 => Explicit::NONE,
            _ => args.iter().map(|arg| arg.explicit).find(|said| said.collation != 0).unwrap_or(Explicit::NONE),
        };
        Typed { explicit, ..Typed::new(ty, Node::Apply(op, args)) }
    }

    /// A condition.
    pub fn test(op: Op, args: Vec<Typed>) -> Typed {
        Typed::apply(Type::BOOL, op, args)
    }

    /// All of some conditions, or any; a chain of one kind stays one node.
    pub fn join(op: Op, tests: Vec<Typed>) -> Typed {
        if tests.len() == 1
            && let Some(one) = tests.first().filter(|t| t.ty == Type::BOOL)
        {
            return one.clone();
        }
        Typed::test(op, tests)
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

    /// The next value of a sequence.
    pub fn is_nextval(&self) -> bool {
        matches!(&self.node, Node::Apply(Op::Function(f), _) if f.name == "nextval")
    }

    /// `nextval` of a sequence's OID, as a value of a column's type.
    pub fn nextval(ty: Type, sequence: u32) -> Typed {
        let oid = Typed::constant(Type::REGCLASS, Value::Int(sequence.into()));
        Typed::apply(ty, Op::Function(lookup_functions("nextval")[0]), vec![oid])
    }

    /// The values of a row that is written out, or of a record that is made of them.
    pub fn row_values(&self) -> Option<&[Typed]> {
        match &self.node {
            Node::Row(values) => Some(values),
            Node::Apply(Op::Record(fields), args) => Some(&args[..fields.len()]),
            _ => None,
        }
    }

    pub fn collated(&self) -> bool {
        let declared = declares_collation(self.ty) || self.ty == Type::BPCHAR;
        matches!(&self.node, Node::Column(column) if column.collated) && declared
    }

    /// Has no blanks at its end, or they count.
    pub fn is_trimmed(&self) -> bool {
        let trimmed = match &self.node {
            Node::Const(Value::Text(text)) | Node::Text(text) => !text.ends_with(' '),
            Node::Apply(Op::Cast(cast), _) => cast.typmod != NO_TYPMOD,
            Node::Const(_) => true,
            _ => self.collated(),
        };
        trimmed || self.ty != Type::BPCHAR
    }

    /// A char(n) with its blanks, for whoever does not know its length.
    pub fn padded(self) -> Typed {
        if self.ty != Type::BPCHAR || self.typmod == NO_TYPMOD || self.is_null() {
            return self;
        }
        let at = self.at;
        Typed::apply(Type::BPCHAR, Op::Pad, vec![self]).at(at)
    }

    /// The table and the number of the column that it is, or 0.
    pub fn origin(&self) -> (u32, i16) {
        match &self.node {
            Node::Column(column) | Node::Kept { column, .. } => (column.table, column.attnum),
            _ => (0, 0),
        }
    }

    /// Every node of the tree that `visit` wants to look into, outermost first; subqueries are leaves.
    pub fn walk<'a>(&'a self, visit: &mut dyn FnMut(&'a Typed) -> bool) {
        if visit(self) {
            self.children(&mut |child| child.walk(visit));
        }
    }

    /// The expressions that it consists of; those within a subquery are not its own.
    pub fn children<'a>(&'a self, visit: &mut dyn FnMut(&'a Typed)) {
        match &self.node {
            Node::Apply(_, args) | Node::Row(args) | Node::Array(args) => args.iter().for_each(visit),
            Node::Call(call) => {
                let over = call.over.iter().flat_map(|o| o.partition.iter().chain(o.order.iter().map(|k| &k.expr)));
                let frame = call.over.iter().filter_map(|o| o.frame.as_ref()).flat_map(Frame::exprs);
                let inner = call.args.iter().chain(call.order.iter().map(|k| &k.expr)).chain(&call.filter);
                inner.chain(over).chain(frame).for_each(visit);
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

    pub fn has_subquery(&self) -> bool {
        self.any(&|e| matches!(e.node, Node::Query(_)))
    }

    pub fn has_aggregate(&self) -> bool {
        self.any(&|e| matches!(&e.node, Node::Call(call) if call.over.is_none()))
    }

    pub fn has_window(&self) -> bool {
        self.any(&|e| matches!(&e.node, Node::Call(call) if call.over.is_some()))
    }
}

impl Frame {
    /// Whether rows leave it while it moves on.
    pub fn moves(&self) -> bool {
        self.start != Bound::Preceding(None)
    }

    fn exprs(&self) -> impl Iterator<Item = &Typed> {
        [Some(&self.start), self.end.as_ref()].into_iter().flatten().filter_map(|bound| match bound {
            Bound::Preceding(expr) | Bound::Following(expr) => expr.as_ref(),
            Bound::CurrentRow => None,
        })
    }
}
