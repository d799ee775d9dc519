//! Queries: what is selected from what, in which order, and which rows of it are locked.

use super::expr::{Column, Node, SortKey, Typed};
use crate::sql::catalog::Relation;
use crate::sql::plan::{LockStrength, LockWait, ResultColumn};
use crate::types::{NO_TYPMOD, Type};
use crate::value::Value;
use std::rc::Rc;
use std::sync::Arc;

/// A column of a query's result.
#[derive(Clone, Debug)]
pub struct Out {
    pub name: String,
    pub ty: Type,
    pub typmod: i32,
    pub table: u32,
    pub attnum: i16,
}

impl Out {
    pub fn result(&self) -> ResultColumn {
        ResultColumn {
            name: self.name.clone(),
            ty: self.ty,
            typmod: self.typmod,
            table: self.table,
            attnum: self.attnum,
        }
    }
}

/// An expression by the name it can be called by.
#[derive(Clone, Debug, PartialEq)]
pub struct Named {
    pub name: String,
    pub expr: Typed,
}

impl Named {
    pub fn out(&self) -> Out {
        let (table, attnum) = self.expr.origin();
        Out { name: self.name.clone(), ty: self.expr.ty, typmod: self.expr.typmod, table, attnum }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct Query {
    pub with: Vec<Rc<Cte>>,
    pub recursive: bool,
    pub body: Body,
    pub order: Vec<OrderKey>,
    pub limit: Option<Typed>,
    pub offset: Option<Typed>,
    pub lock: Option<Lock>,
    /// Touches a handful of rows at most: a lookup by a unique key, or no table at all.
    pub short: bool,
    /// Columns of surrounding queries that it reads.
    pub outer: Vec<Column>,
    pub place: Place,
}

/// Where in the text something begins, if somebody wants to know: no part of what it means.
#[derive(Clone, Copy, Debug, Default)]
pub struct Place(pub (u64, u64));

impl PartialEq for Place {
    fn eq(&self, _: &Place) -> bool {
        true
    }
}

/// A WITH query.
#[derive(Clone, Debug, PartialEq)]
pub struct Cte {
    /// What SQLite calls it.
    pub name: String,
    pub width: usize,
    pub materialized: Materialized,
    pub query: Query,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Materialized {
    Unsaid,
    Yes,
    No,
}

/// A relation of the catalog that is a query of ours: a WITH item in front of the statement.
#[derive(Clone, Debug, PartialEq)]
pub struct System(pub Arc<Relation>);

/// Rows to lock.
#[derive(Clone, Debug, PartialEq)]
pub struct Lock {
    pub strength: LockStrength,
    pub wait: LockWait,
    /// OID, FROM item and the name of the rowid of each table.
    pub tables: Vec<(u32, usize, &'static str)>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum OrderKey {
    /// An output column, from 0, and the direction.
    Output(usize, SortKey),
    Expr(SortKey),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetOperator {
    Union,
    UnionAll,
    /// UNION of a recursive query: SQLite has to see it.
    Step,
    Intersect,
    Except,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Body {
    Select(Box<Select>),
    /// Rows of as many columns each.
    Values(Vec<Vec<Typed>>),
    Set {
        operator: SetOperator,
        left: Box<Body>,
        right: Box<Body>,
    },
    /// A query in parentheses.
    Query(Box<Query>),
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Select {
    pub distinct: bool,
    /// DISTINCT ON
    pub on: Vec<Typed>,
    pub columns: Vec<Named>,
    pub from: Vec<FromItem>,
    pub filter: Option<Typed>,
    pub group: Vec<Typed>,
    pub having: Option<Typed>,
    pub aggregated: bool,
    /// Rowids of FROM items, under these names, as columns before all others, that nobody sees.
    pub places: Vec<(usize, &'static str)>,
    /// Columns after all others, that nobody sees.
    pub hidden: Vec<Hidden>,
    /// Only those rows of these tables (OID, FROM item, name of the rowid) that are meant, or that nobody has locked.
    pub guard: Vec<(u32, usize, &'static str)>,
}

/// A column for whoever locks rows, called `h1`, `h2` and so on.
#[derive(Clone, Debug, PartialEq)]
pub enum Hidden {
    /// The rowid of a FROM item under this name.
    RowId(usize, &'static str),
    /// The hidden column of that number of the query within.
    Inner(usize),
}

#[derive(Clone, Debug, PartialEq)]
pub enum FromItem {
    /// A table of SQLite's, or a WITH query, by its name.
    Table {
        name: String,
        range: usize,
    },
    /// With a range of 0 it has no name.
    Query {
        query: Box<Query>,
        range: usize,
    },
    /// A query that reads columns of the items to the left of it: its rows for each of theirs.
    Lateral {
        query: Box<Query>,
        range: usize,
    },
    /// Rows that an earlier statement of the step has kept; their columns by these names, with the collations that a
    /// table's columns have, or `c1`, `c2`, ….
    Kept {
        list: u16,
        names: Vec<(String, Option<&'static str>)>,
        range: usize,
    },
    /// A call of a function that yields rows, with a column `ordinality`.
    Function {
        call: Typed,
        range: usize,
    },
    /// One row: a value `c1` and its number `ordinality`.
    Value {
        value: Typed,
        range: usize,
    },
    Join {
        left: Box<FromItem>,
        right: Box<FromItem>,
        side: Side,
        on: Option<Typed>,
    },
    /// In parentheses.
    Nested(Box<FromItem>),
    /// Functions that advance in step, the shorter ones filled with NULLs.
    InStep(Vec<FromItem>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    Inner,
    Left,
    Right,
    Full,
}

impl FromItem {
    /// The number by which columns name it; 0 for what has several, or none.
    pub fn range(&self) -> usize {
        match self {
            FromItem::Table { range, .. }
            | FromItem::Query { range, .. }
            | FromItem::Lateral { range, .. }
            | FromItem::Kept { range, .. }
            | FromItem::Function { range, .. }
            | FromItem::Value { range, .. } => *range,
            FromItem::Join { .. } | FromItem::Nested(_) | FromItem::InStep(_) => 0,
        }
    }

    /// Holds a RIGHT or FULL join: to be parenthesised beside others.
    pub fn is_outer(&self) -> bool {
        match self {
            FromItem::Join { left, right, side, .. } => {
                matches!(side, Side::Right | Side::Full) || left.is_outer() || right.is_outer()
            }
            _ => false,
        }
    }
}

impl Body {
    pub fn outputs(&self) -> Vec<Out> {
        match self {
            Body::Select(select) => select.columns.iter().map(Named::out).collect(),
            Body::Values(rows) => {
                let first = rows.first().map_or(&[][..], Vec::as_slice);
                let column = |(i, e): (usize, &Typed)| {
                    let same = rows.iter().all(|r| r[i].typmod == e.typmod && r[i].ty == e.ty);
                    let typmod = if same { e.typmod } else { NO_TYPMOD };
                    Out { name: format!("column{}", i + 1), ty: e.ty, typmod, table: 0, attnum: 0 }
                };
                first.iter().enumerate().map(column).collect()
            }
            Body::Set { left, right, .. } => {
                let (left, right) = (left.outputs(), right.outputs());
                left.into_iter()
                    .zip(right)
                    .map(|(l, r)| {
                        let typmod = if l.typmod == r.typmod && l.ty == r.ty { l.typmod } else { NO_TYPMOD };
                        Out { typmod, table: 0, attnum: 0, ..l }
                    })
                    .collect()
            }
            Body::Query(query) => query.outputs(),
        }
    }

    /// Appends a column of the same constant in all rows.
    pub fn append(&mut self, constant: &Typed) {
        match self {
            Body::Select(select) => select.columns.push(Named { name: String::new(), expr: constant.clone() }),
            Body::Values(rows) => rows.iter_mut().for_each(|row| row.push(constant.clone())),
            Body::Set { left, right, .. } => {
                left.append(constant);
                right.append(constant);
            }
            Body::Query(query) => query.body.append(constant),
        }
    }

    /// How many columns it has.
    pub fn width(&self) -> usize {
        match self {
            Body::Select(select) => select.columns.len(),
            Body::Values(rows) => rows.first().map_or(0, Vec::len),
            Body::Set { left, .. } => left.width(),
            Body::Query(query) => query.body.width(),
        }
    }

    /// A set operation with a part that has groups.
    pub fn is_compound_of_groups(&self) -> bool {
        fn groups(body: &Body) -> bool {
            match body {
                Body::Select(select) => select.aggregated,
                Body::Set { left, right, .. } => groups(left) || groups(right),
                Body::Values(_) | Body::Query(_) => false,
            }
        }
        matches!(self, Body::Set { .. }) && groups(self)
    }

    /// An output column as an expression: what its type is decided by.
    pub fn expr(&self, i: usize) -> Typed {
        match self {
            Body::Select(select) => select.columns[i].expr.clone(),
            Body::Values(rows) => rows.first().map_or(Typed::null(Type::UNKNOWN), |r| r[i].clone()),
            Body::Set { left, .. } => left.expr(i),
            Body::Query(query) => query.body.expr(i),
        }
    }

    /// Changes the expressions of an output column.
    pub fn set_expr<E>(&mut self, i: usize, f: &mut dyn FnMut(Typed) -> Result<Typed, E>) -> Result<(), E> {
        let mut apply = |expr: &mut Typed| -> Result<(), E> {
            let old = std::mem::replace(expr, Typed::null(Type::UNKNOWN));
            *expr = f(old)?;
            Ok(())
        };
        match self {
            Body::Select(select) => apply(&mut select.columns[i].expr),
            Body::Values(rows) => rows.iter_mut().try_for_each(|row| apply(&mut row[i])),
            Body::Set { left, right, .. } => {
                left.set_expr(i, f)?;
                right.set_expr(i, f)
            }
            Body::Query(query) => query.body.set_expr(i, f),
        }
    }
}

impl Body {
    /// PostgreSQL's plan could be read backward: a scan, or what only passes its rows on.
    fn scrolls(&self) -> bool {
        match self {
            Body::Values(_) => true,
            Body::Query(query) => query.scrolls(),
            Body::Set { operator, left, right } => {
                *operator == SetOperator::UnionAll && left.scrolls() && right.scrolls()
            }
            Body::Select(select) => {
                let plain = !select.distinct && select.on.is_empty() && !select.aggregated && select.having.is_none();
                let windows = select.columns.iter().any(|column| column.expr.has_window());
                let scan = match &select.from[..] {
                    [FromItem::Table { .. } | FromItem::Function { .. } | FromItem::Value { .. }] => true,
                    [FromItem::Query { query, .. }] => query.scrolls(),
                    _ => false,
                };
                plain && select.group.is_empty() && !windows && scan
            }
        }
    }
}

impl Query {
    /// Whether a cursor over it may move backward without being declared so. What is sorted may, and is read from a sort.
    pub fn scrolls(&self) -> bool {
        self.lock.is_none() && (!self.order.is_empty() || self.body.scrolls())
    }

    pub fn of(body: Body) -> Query {
        Query {
            with: vec![],
            recursive: false,
            body,
            order: vec![],
            limit: None,
            offset: None,
            lock: None,
            short: false,
            outer: vec![],
            place: Place::default(),
        }
    }

    /// `SELECT columns FROM (query) …`; rows that it locks are this one's.
    pub fn around(query: Query, range: usize, columns: Vec<Named>) -> Query {
        let lock = query.lock.clone();
        let from = vec![FromItem::Query { query: Box::new(query), range }];
        Query { lock, ..Query::of(Body::Select(Box::new(Select { columns, from, ..Select::default() }))) }
    }

    pub fn outputs(&self) -> Vec<Out> {
        self.body.outputs()
    }

    pub fn output_expr(&self, i: usize) -> Typed {
        let out = &self.body.outputs()[i];
        let expr = self.body.expr(i);
        // What is not a literal or parameter counts by its type alone.
        match expr.node {
            Node::Text(_) | Node::Param(_) | Node::Const(_) if out.ty == Type::UNKNOWN => expr,
            _ => Typed::new(out.ty, Node::Const(Value::Null)),
        }
    }

    /// Its values may be others each time that they are computed.
    pub fn is_volatile(&self) -> bool {
        let mut found = false;
        self.parts(&mut |part| {
            if let super::Part::Expr(Typed { node: Node::Apply(super::Op::Function(f), _), .. }) = part {
                found |= f.volatility == crate::functions::Volatility::Volatile;
            }
        });
        found
    }

    /// Certain to give one row or none.
    pub fn at_most_one_row(&self) -> bool {
        if matches!(&self.limit, Some(Typed { node: Node::Const(Value::Int(n)), .. }) if *n <= 1) {
            return true;
        }
        match &self.body {
            Body::Select(s) => s.aggregated && s.group.is_empty() || s.from.is_empty() || self.short,
            Body::Values(rows) => rows.len() <= 1,
            _ => false,
        }
    }

    /// From now on it also tells the rowids of the rows to lock, as its last columns, and keeps to SKIP LOCKED. `inside` of
    /// another statement, it keeps to the list of rows whatever it does about locked ones.
    pub fn tell_rows(&mut self, inside: bool) {
        let (Some(lock), Body::Select(select)) = (&self.lock, &mut self.body) else { return };
        // A query around the one that locks hands them on.
        if let [FromItem::Query { query, .. }] = &mut select.from[..]
            && query.lock.is_some()
        {
            query.tell_rows(inside);
            select.hidden = (1..=lock.tables.len()).map(Hidden::Inner).collect();
            return;
        }
        select.hidden = lock.tables.iter().map(|(_, range, rowid)| Hidden::RowId(*range, rowid)).collect();
        if (lock.wait == LockWait::SkipLocked || inside) && !lock.tables.is_empty() {
            select.guard.clone_from(&lock.tables);
        }
        if lock.wait == LockWait::SkipLocked || inside {
            // Of the rows that are meant, none is left out.
            let first = |offset| {
                let free = Typed::test(super::Op::IsNull, vec![Typed::new(Type::TEXT, Node::RowList)]);
                Typed::apply(
                    Type::INT8,
                    super::Op::Case,
                    vec![free, offset, Typed::constant(Type::INT8, Value::Int(0))],
                )
            };
            self.offset = self.offset.take().map(first);
        }
    }
}
