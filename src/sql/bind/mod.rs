//! Binder: from syntax to [`super::ir`], with names, types, functions and operators resolved against the catalog.
//!
//! | file | what |
//! |---|---|
//! | `names` | which names are visible where |
//! | `coerce` | types by name, casts, common types, undecided literals and parameters |
//! | `call` | the choice of an operator or function |
//! | `labels` | enums: what is stored for a label, and where it is shown |
//! | `scalar` | expressions |
//! | `phrase` | what is said in other words: named arguments, WITH TIES, INTERSECT ALL, … |
//! | `from`, `query` | FROM, SELECT, set operations, CTEs |
//! | `dml` | INSERT, UPDATE, DELETE |
//! | `merge` | MERGE |
//! | `through` | views that are written through |
//! | `parts` | data changes in WITH, and what is read before a change |
//! | `record` | rows as values |
//! | `reg` | names of objects as values: `regclass` and its kin |
//! | `traverse` | SEARCH and CYCLE |
//!
//! Nothing here writes SQL or looks into it: what a statement means is in the trees, and [`super::render`] writes them when
//! all of it is bound, because the types of literals, parameters and columns may be decided by what comes later.
//!
//! Left out (0A000): composite types. `INSERT … ON CONFLICT DO UPDATE` may meet one row twice, where Postgres raises 21000.

mod call;
mod coerce;
mod dml;
mod domains;
mod entail;
mod from;
mod grouping;
mod labels;
mod lock;
mod merge;
mod names;
mod parts;
mod phrase;
mod query;
mod record;
mod reg;
mod scalar;
#[cfg(test)]
mod tests;
mod through;
mod traverse;

pub use coerce::{data_type, no_type};
pub use query::{is_dml, place_of};

use super::Scope;
use super::access::{self, Needs};
use super::catalog::{FIRST_USER_OID, Relation, RelationKind, sqlite_name};
use super::ir::{Body, Column, Cte, FromItem, Named, Node, OrderKey, Out, Query as Tree, System, Typed};
use super::plan::{Effort, Facts, NamedRow, ResultColumn, RowLock};
use super::render;
use crate::error::{SqlError, SqlResult, SqlState, state};
use crate::functions::CastContext;
use crate::sql::dialect::Postgres;
use crate::types::{NO_TYPMOD, Type};
pub use names::Kept;
pub(crate) use names::fold;
use names::{Clause, Level, Names};
use parts::Parts;
use record::Shape;
use sqlparser::ast::{Query, Statement};
use sqlparser::parser::Parser;
use sqlparser::tokenizer::Location;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// A query as SQLite text.
#[derive(Clone, Debug)]
pub struct Bound {
    pub sql: String,
    pub columns: Vec<ResultColumn>,
    /// FOR UPDATE and its kin.
    pub lock: Option<RowLock>,
    pub facts: Facts,
    /// Touches a handful of rows at most: a lookup by a unique key, or no table at all.
    pub short: bool,
    /// Has effects (`nextval`): not a read, though it looks like one.
    pub writes: bool,
    /// What runs before it in the same step.
    pub before: Vec<crate::command::Statement>,
    /// FOR UPDATE and its kin in a subquery.
    pub inside: Option<RowLock>,
    pub effort: Effort,
    /// See [`super::plan::WritePlan::draws`].
    pub draws: bool,
    /// See [`super::plan::Read::places`].
    pub places: Vec<u32>,
}

/// How deeply expressions and queries may be nested, views included.
const MAX_DEPTH: usize = 4 * super::parse::MAX_NESTING as usize;

/// Name, type and modifier of a column.
type CteColumn = (String, Type, i32);

/// A WITH query that can be named.
#[derive(Debug)]
struct Visible {
    name: String,
    sql_name: String,
    columns: Vec<CteColumn>,
    /// `None` within itself.
    item: Option<Rc<Cte>>,
    /// It changes data and returns nothing.
    silent: bool,
}

/// A query that locks rows inside of the statement, and the WITH queries that it can see.
struct Inside {
    query: Tree,
    with: Vec<Rc<Cte>>,
}

/// `OVERRIDING … VALUE`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Overriding {
    No,
    /// A given value is taken, whatever the column says.
    System,
    /// A given value is passed over.
    User,
}

/// A column's name, and the FROM item that qualifies it.
pub type QualifiedName = (Option<String>, String);

/// A line and a column of a text, as a key.
pub type Spot = (u64, u64);

pub fn spot(at: Location) -> Spot {
    (at.line, at.column)
}

/// What the names in a text meant, by where they stand.
#[derive(Debug, Default)]
pub struct Notes {
    /// The columns that a `*` stands for, each with the FROM item that qualifies it.
    pub stars: BTreeMap<Spot, Vec<QualifiedName>>,
    /// The columns that a NATURAL JOIN compares, by its right side.
    pub naturals: BTreeMap<Spot, Vec<String>>,
    /// Names of columns: the relation's OID, and the number of the column.
    pub columns: Vec<(Location, u32, i16)>,
    /// What else the text needs: relations and types that constants name, keys that its groups rest on.
    pub objects: RefCell<BTreeSet<Address>>,
    /// The FROM items by their numbers: what they are called, and their columns.
    pub items: BTreeMap<usize, (String, Vec<Named>)>,
    /// Each SELECT, by where it begins.
    pub selects: BTreeMap<Spot, Selected>,
    /// What ON says, by the join's right side.
    pub conditions: BTreeMap<Spot, Typed>,
    /// LIMIT and OFFSET, by where what they say begins.
    pub limits: BTreeMap<Spot, Typed>,
    /// Each CASE that compares one value, by where it begins.
    pub cases: BTreeSet<Spot>,
    /// ORDER BY of set operations and VALUES, by where it begins.
    pub orders: BTreeMap<Spot, Vec<OrderKey>>,
    /// Calls of functions that yield rows: FROM items, or like them.
    pub calls: BTreeMap<usize, Typed>,
    /// Something in it was bound to what it is here and now: from the tree it cannot be written again.
    pub folded: bool,
    /// VALUES, by where the first of them begins.
    pub values: BTreeMap<Spot, Vec<Vec<Typed>>>,
}

/// A SELECT as it is written: before it is made one that SQLite understands.
#[derive(Clone, Debug, Default)]
pub struct Selected {
    pub columns: Vec<Named>,
    /// The FROM items from left to right.
    pub items: Vec<usize>,
    pub filter: Option<Typed>,
    pub group: Vec<Typed>,
    pub having: Option<Typed>,
    /// DISTINCT ON
    pub on: Vec<Typed>,
    pub order: Vec<OrderKey>,
}

/// Something that depends or is depended on, as `pg_depend` tells it: class, OID, number of the column or 0.
pub type Address = (u32, u32, i16);

/// Classes of objects, by the OIDs of their catalogs.
pub mod class {
    pub const TYPE: u32 = 1247;
    pub const RELATION: u32 = 1259;
    pub const DEFAULT: u32 = 2604;
    pub const CONSTRAINT: u32 = 2606;
    pub const SCHEMA: u32 = 2615;
    pub const RULE: u32 = 2618;
}

impl Notes {
    /// All that the text needs; of a relation it is the columns, if any is read.
    pub fn needs(&self) -> BTreeSet<Address> {
        let columns = self.columns.iter().map(|(_, relation, attnum)| (class::RELATION, *relation, *attnum));
        columns.filter(|(_, oid, _)| *oid >= FIRST_USER_OID).chain(self.objects.borrow().iter().copied()).collect()
    }
}

/// The compiler of one statement. Parameters' types accumulate over everything it binds.
pub struct Binder<'a> {
    scope: &'a Scope<'a>,
    params: Vec<Option<Type>>,
    /// Those that stand where nothing decides their types.
    loose: BTreeSet<usize>,
    /// Those that columns decided which they are assigned to, in the list under way.
    assigned: BTreeSet<usize>,
    levels: Vec<Level>,
    ctes: Vec<Rc<Visible>>,
    counter: usize,
    /// Relations that are queries.
    hoisted: Vec<System>,
    views: Vec<u32>,
    /// What it has to be allowed to do, unless nobody asks.
    needs: Needs,
    unasked: bool,
    /// Expressions of ours that stand for a client's are being bound.
    expansions: usize,
    /// The FROM item that stands for the table under change.
    target: usize,
    /// Columns of views that are written through, over the table's row: the need that the view is, and the columns' numbers.
    surfaces: Vec<(usize, Vec<Named>, Vec<i16>)>,
    /// What the change that was bound last computes of its new rows for its errors alone.
    check: Option<Typed>,
    writes: bool,
    draws: bool,
    /// The most that any part of the statement takes.
    effort: Effort,
    /// It changes one row that its text names; see [`Effort::Row`].
    single: bool,
    /// Which, if that is known.
    row: Option<NamedRow>,
    subqueries: usize,
    /// The subquery that locks rows.
    inside: Option<Inside>,
    parts: Parts,
    /// Queries in FROM whose rows need a mark that they are there.
    marks: BTreeSet<usize>,
    /// The fields of columns that are records, by their FROM item or WITH query and the column's number from 1.
    shapes: BTreeMap<(usize, String), Shape>,
    cte_shapes: BTreeMap<(String, usize), Shape>,
    /// What is wrong with a subquery that locks rows.
    refused: Option<SqlError>,
    allow_params: bool,
    /// What names in the text meant, for whoever writes it again.
    notes: Option<Notes>,
    /// Nothing is computed ahead, and keywords stay: the tree is to be written again.
    faithful: bool,
    /// What `VALUE` means in a domain's condition.
    domain_value: Option<Typed>,
    /// What the INSERT under way does with values for identity columns.
    overriding: Overriding,
    depth: usize,
    /// Where each line of the statement's text begins, in characters.
    source: Vec<u32>,
}

impl<'a> Binder<'a> {
    pub fn new(scope: &'a Scope<'a>) -> Binder<'a> {
        let known = |t: &&Type| t.0 != 0 && **t != Type::UNKNOWN;
        let params =
            scope.declared.iter().map(|t| Some(t).filter(known).map(|t| scope.catalog.base_of(*t, NO_TYPMOD).0));
        let params = params.collect();
        Binder {
            scope,
            params,
            loose: BTreeSet::new(),
            assigned: BTreeSet::new(),
            levels: Vec::new(),
            ctes: Vec::new(),
            counter: 0,
            hoisted: Vec::new(),
            views: Vec::new(),
            needs: Needs::default(),
            unasked: false,
            expansions: 0,
            target: 0,
            surfaces: Vec::new(),
            check: None,
            writes: false,
            draws: false,
            effort: Effort::Key,
            single: false,
            row: None,
            subqueries: 0,
            inside: None,
            parts: Parts::default(),
            marks: BTreeSet::new(),
            shapes: BTreeMap::new(),
            cte_shapes: BTreeMap::new(),
            refused: None,
            allow_params: true,
            notes: None,
            faithful: false,
            domain_value: None,
            overriding: Overriding::No,
            depth: 0,
            source: Vec::new(),
        }
    }

    /// Tells the text that positions in errors count in; without it they are right in texts of one line.
    #[cfg(test)]
    pub fn with_source(mut self, text: &str) -> Binder<'a> {
        self.source = vec![0];
        let ends = text.chars().zip(1u32..).filter(|(c, _)| *c == '\n');
        self.source.extend(ends.map(|(_, n)| n));
        self
    }

    /// One level down, where the stack has room for it: what is nested in a text is bounded, but not what its views are.
    fn deeper<T>(&mut self, f: impl FnOnce(&mut Self) -> SqlResult<T>) -> SqlResult<T> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(SqlError::new(state::STATEMENT_TOO_COMPLEX, "stack depth limit exceeded"));
        }
        let result = super::on_stack(|| f(self));
        self.depth -= 1;
        result
    }

    /// SELECT, VALUES, set operations, WITH.
    pub fn query(&mut self, query: &Query) -> SqlResult<Bound> {
        self.query_for(query, true)
    }

    /// As [`Self::query`], where no data may be changed.
    pub fn reading_query(&mut self, query: &Query) -> SqlResult<Bound> {
        self.query_for(query, true).and_then(only_reads)
    }

    /// As [`Self::query`], for rows that are stored: nothing in them is made for a client's eyes.
    pub fn stored_query(&mut self, query: &Query) -> SqlResult<Bound> {
        self.query_for(query, false).and_then(only_reads)
    }

    fn query_for(&mut self, query: &Query, client: bool) -> SqlResult<Bound> {
        let mut tree = self.query_tree(query)?;
        if client {
            self.assign_arguments(&mut tree)?;
        }
        self.decide_outputs(&mut tree)?;
        let columns = tree.outputs().iter().map(Out::result).collect();
        let short = tree.short && self.subqueries == 0;
        let (ordered, scrolls) = (!tree.order.is_empty(), tree.scrolls());
        let mut tree = if client { self.with_names(tree)? } else { tree };
        let places = if self.scope.positioned { self.tell_places(&mut tree) } else { Vec::new() };
        let mut facts = Facts { ordered, scrolls, ..tree.facts(&self.hoisted) };
        self.check_rights(&|visit| tree.parts(visit))?;
        let before = self.statements_before(&|visit| tree.parts(visit), &mut facts);
        if !before.is_empty() && tree.lock.is_some() {
            return Err(SqlError::unsupported("FOR UPDATE beside a data-modifying statement in WITH"));
        }
        let sql = render::query(&tree, &self.hoisted, self.row_list());
        tree.tell_rows(false);
        let lock = render::lock(&tree, &self.hoisted, self.row_list());
        let inside = self.inside()?;
        if inside.is_some() && lock.is_some() {
            return Err(SqlError::unsupported("several queries with FOR UPDATE in one statement"));
        }
        let (writes, effort, draws) = (self.writes, self.effort, self.draws);
        Ok(Bound { sql, columns, facts, lock, short, writes, before, inside, effort, draws, places })
    }

    /// Coerces what is computed for parameters to their types.
    ///
    /// Errors: 42804 if there is no assignment cast.
    fn assign_arguments(&mut self, tree: &mut Tree) -> SqlResult<()> {
        let assigned = self.scope.assigned;
        for (i, ty) in assigned.iter().enumerate().take(tree.outputs().len()) {
            tree.body.set_expr(i, &mut |expr| {
                let from = expr.ty;
                self.try_coerce(expr, *ty, NO_TYPMOD, CastContext::Assignment)?.ok_or_else(|| {
                    let (from, to) = (self.type_name(from), self.type_name(*ty));
                    let text =
                        format!("parameter ${} of type {from} cannot be coerced to the expected type {to}", i + 1);
                    let hint = "You will need to rewrite or cast the expression.";
                    SqlError::new(state::DATATYPE_MISMATCH, text).hint(hint)
                })
            })?;
        }
        Ok(())
    }

    /// Has a query tell which rows of tables its rows are made of, if each is made of one of each; the tables' OIDs.
    fn tell_places(&self, tree: &mut Tree) -> Vec<u32> {
        let Body::Select(select) = &mut tree.body else { return Vec::new() };
        if select.distinct || select.aggregated || !select.on.is_empty() || !tree.with.is_empty() {
            return Vec::new();
        }
        let tables = self.scope.catalog.relations.values().filter(|r| r.kind == RelationKind::Table);
        let known = |name: &str| tables.clone().find(|r| sqlite_name(&r.schema, &r.name) == name);
        let mut found = Vec::new();
        let mut items: Vec<&FromItem> = select.from.iter().rev().collect();
        while let Some(item) = items.pop() {
            match item {
                FromItem::Table { name, range } => found.extend(known(name).map(|table| (*range, table))),
                FromItem::Join { left, right, .. } => items.extend([&**right, &**left]),
                FromItem::Nested(item) => items.push(item),
                _ => {}
            }
        }
        let oids = found.iter().map(|(_, table)| table.oid).collect();
        select.places = found.iter().map(|(range, table)| (*range, table.rowid_name())).collect();
        oids
    }

    /// As [`Self::query`], with what its names mean.
    ///
    /// Nobody asks for rights here: those of a view's owner count when it is read.
    pub fn noted_query(&mut self, query: &Query) -> SqlResult<(Bound, Notes)> {
        self.notes = Some(Notes::default());
        self.unasked = true;
        let bound = self.query(query);
        let notes = self.notes.take().unwrap_or_default();
        bound.map(|bound| (bound, notes))
    }

    /// As [`Self::noted_query`], to be written again (see `deparse`).
    pub fn faithful_query(&mut self, query: &Query) -> SqlResult<Notes> {
        self.faithful = true;
        self.noted_query(query).map(|(_, notes)| notes)
    }

    /// Errors: 42501 if the statement, all of whose last part `last` walks over, needs rights that its role has not.
    pub(super) fn check_rights(&mut self, last: parts::Walk<'_>) -> SqlResult<()> {
        if self.unasked || self.faithful {
            return Ok(());
        }
        let mut needs = std::mem::take(&mut self.needs);
        let mut note = |part: super::ir::Part<'_>| needs.note(part);
        last(&mut note);
        self.parts.walk(&mut note);
        needs.check(self.scope)
    }

    /// The text that is bound is one of ours: it may call what clients cannot name.
    fn speaks_for_us(&self) -> bool {
        let is_ours = |view: &u32| *view < crate::sql::catalog::FIRST_USER_OID;
        self.expansions > 0 || self.views.last().is_some_and(is_ours)
    }

    /// The role whose rights count for what is bound now, if that is another one than the current one.
    fn acts_for(&self) -> Option<u32> {
        self.speaking_view().map(|view| access::owner(self.scope.catalog, view))
    }

    /// The rows that a subquery locks, after all of the statement is bound.
    fn inside(&mut self) -> SqlResult<Option<RowLock>> {
        self.refused.take().map_or(Ok(()), Err)?;
        let Some(Inside { mut query, with }) = self.inside.take() else { return Ok(None) };
        // Any of what it sees may be recursive.
        query.recursive |= !with.is_empty();
        query.with.splice(0..0, with);
        Ok(render::lock(&query, &self.hoisted, self.row_list()))
    }

    /// The number of the parameter after the client's.
    fn row_list(&self) -> usize {
        self.params.len() + 1
    }

    /// A single expression without any names, as SQLite text: EXECUTE's arguments, SET's values.
    pub fn expression(&mut self, expr: &sqlparser::ast::Expr, target: Option<(Type, i32)>) -> SqlResult<String> {
        self.levels.push(Level::new(Clause::Values));
        let typed = self.expr(expr).and_then(|e| match target {
            Some((ty, typmod)) => self.assign(e, ty, typmod, None),
            None => self.decide_text(e),
        });
        self.levels.pop();
        let shown = self.to_client(typed?);
        Ok(render::expression(&shown))
    }

    /// Types of `$1`, `$2`, … after everything is bound.
    ///
    /// Errors: 42P18 for one that nothing decided, 42P08 for one that stands where nothing decides it and was decided later.
    pub fn params(self) -> SqlResult<Vec<Type>> {
        let loose = self.loose;
        let decided = (1..).zip(self.params);
        decided
            .map(|(n, ty)| match ty {
                None => Err(undetermined(state::INDETERMINATE_DATATYPE, n)),
                Some(_) if loose.contains(&n) => Err(undetermined(state::AMBIGUOUS_PARAMETER, n)),
                Some(ty) => Ok(ty),
            })
            .collect()
    }
}

/// A DEFAULT, CHECK, index or generated-column expression over one relation's columns: plain `"col"` names in the output,
/// coerced to `target` as if it were stored there.
pub fn bind_column_expr(
    scope: &Scope<'_>,
    relation: Option<&Relation>,
    sql_text: &str,
    target: Option<(Type, i32)>,
    kept: Kept,
) -> SqlResult<String> {
    bind_column_facts(scope, relation, sql_text, target, kept).map(|(sql, _)| sql)
}

/// As [`bind_column_expr`], with what the expression asks for.
pub fn bind_column_facts(
    scope: &Scope<'_>,
    relation: Option<&Relation>,
    sql_text: &str,
    target: Option<(Type, i32)>,
    kept: Kept,
) -> SqlResult<(String, Facts)> {
    let mut binder = Binder::new(scope);
    binder.allow_params = false;
    let expr = binder.column_expr(relation, sql_text, target, kept)?;
    Ok((render::expression(&expr), expr.facts(&binder.hoisted)))
}

/// Errors: 42501 if the current role may not compute the expression, which calls a sequence that is not for it.
pub fn may_compute(scope: &Scope<'_>, relation: Option<&Relation>, text: &str, kept: Kept) -> SqlResult<()> {
    let mut binder = Binder::new(scope);
    binder.allow_params = false;
    binder.column_expr(relation, text, None, kept)?;
    binder.needs.check(scope)
}

/// An expression of an index's key, as the index compares it.
pub fn bind_index_key(scope: &Scope<'_>, relation: &Relation, text: &str) -> SqlResult<(String, Facts)> {
    let mut binder = Binder::new(scope);
    binder.allow_params = false;
    let expr = binder.column_expr(Some(relation), text, None, Kept::Index)?;
    Ok((render::index_key(&expr), expr.facts(&binder.hoisted)))
}

/// What a select list would call an expression, if anything.
pub fn suggested_name(text: &str) -> Option<String> {
    let (name, strength) = query::output_name(&parse_expr(text).ok()?);
    (strength > 0).then_some(name)
}

/// A column as an index's key.
pub fn index_column(column: &crate::sql::catalog::Column) -> String {
    index_column_of(None, column)
}

/// The same of a FROM item, or of a trigger's row.
pub fn index_column_of(qualifier: Option<&str>, column: &crate::sql::catalog::Column) -> String {
    let plain = Column { collated: true, qualifier: qualifier.map(Rc::from), ..Column::plain(column.name.as_str()) };
    render::index_key(&Typed::new(column.ty, Node::Column(plain)))
}

/// As [`bind_column_expr`], of whatever type the expression is: its text, type and type modifier.
pub fn bind_typed_column_expr(scope: &Scope<'_>, relation: &Relation, text: &str) -> SqlResult<(String, Type, i32)> {
    let mut binder = Binder::new(scope);
    binder.allow_params = false;
    binder.column_expr(Some(relation), text, None, Kept::Index).map(|e| (render::expression(&e), e.ty, e.typmod))
}

/// As [`bind_column_expr`], as a tree to be written again (see `deparse`).
pub fn faithful_column_expr(
    scope: &Scope<'_>,
    relation: Option<&Relation>,
    sql_text: &str,
    target: Option<(Type, i32)>,
    kept: Kept,
) -> SqlResult<(Typed, Notes)> {
    let mut binder = Binder::new(scope);
    (binder.allow_params, binder.faithful) = (false, true);
    binder.notes = Some(Notes::default());
    let tree = binder.column_expr(relation, sql_text, target, kept)?;
    Ok((tree, binder.notes.take().unwrap_or_default()))
}

impl Binder<'_> {
    /// See [`bind_column_expr`].
    fn column_expr(
        &mut self,
        relation: Option<&Relation>,
        sql_text: &str,
        target: Option<(Type, i32)>,
        kept: Kept,
    ) -> SqlResult<Typed> {
        let id = self.next_id();
        self.column_tree(relation, id, &parse_expr(sql_text)?, target, kept)
    }

    /// As [`Binder::column_expr`], with the number that the relation is to have.
    fn column_tree(
        &mut self,
        relation: Option<&Relation>,
        id: usize,
        parsed: &sqlparser::ast::Expr,
        target: Option<(Type, i32)>,
        kept: Kept,
    ) -> SqlResult<Typed> {
        let level = self.column_level(relation, id, kept);
        self.column_tree_in(level, parsed, target)
    }

    /// What makes a relation's columns visible to an expression that it keeps.
    fn column_level(&self, relation: Option<&Relation>, id: usize, kept: Kept) -> Level {
        let mut level = Level::new(Clause::Column(kept));
        if let Some(relation) = relation {
            let columns = relation.columns.iter().map(|c| {
                if kept == Kept::Domain {
                    let value = || Column { domain: c.domain, ..Column::plain("VALUE") };
                    let shown = || Typed::new(c.ty, Node::Column(value())).typmod(c.typmod);
                    return Named { name: c.name.clone(), expr: self.domain_value.clone().unwrap_or_else(shown) };
                }
                let plain = Column::plain(c.name.as_str());
                let column = Column {
                    range: id,
                    table: relation.oid,
                    attnum: c.attnum,
                    domain: c.domain,
                    collated: kept != Kept::Copied,
                    ..plain
                };
                let expr = Typed::new(c.ty, Node::Column(column)).typmod(c.typmod);
                Named { name: c.name.clone(), expr }
            });
            let range = names::Range {
                id,
                alias: relation.name.clone(),
                schema: Some(relation.schema.clone()),
                relation: None,
                columns: columns.collect(),
                scalar: false,
                optional: false,
                numbered: false,
                derived: false,
            };
            level.names = Names::of(range);
        }
        level
    }

    fn column_tree_in(
        &mut self,
        level: Level,
        parsed: &sqlparser::ast::Expr,
        target: Option<(Type, i32)>,
    ) -> SqlResult<Typed> {
        let place = match level.clause {
            Clause::Column(Kept::Check | Kept::Domain) => Some("CHECK"),
            Clause::Column(Kept::Predicate | Kept::Copied) => Some("WHERE"),
            _ => None,
        };
        self.isolated(|this| {
            this.levels.push(level);
            let typed = this.expr(parsed).and_then(|e| match (place, target) {
                (Some(place), Some(_)) => this.condition(e, place),
                (_, Some((ty, typmod))) => this.assign(e, ty, typmod, None),
                (_, None) => this.decide_text(e),
            });
            this.levels.pop();
            typed
        })
    }

    /// A parameter that stands alone for several columns is of one type in all of them.
    ///
    /// Errors: 42P08.
    fn agree(&mut self, expr: &Typed, ty: Type) -> SqlResult<()> {
        let Node::Param(n) = expr.node else { return Ok(()) };
        if self.undecided(expr).is_some() {
            self.assigned.insert(n);
            return Ok(());
        }
        match self.params[n - 1] {
            Some(known) if known != ty && self.assigned.contains(&n) => {
                let text = format!("inconsistent types deduced for parameter ${n}");
                let detail = format!("{} versus {}", self.type_name(known), self.type_name(ty));
                Err(error_at(self, SqlError::new(state::AMBIGUOUS_PARAMETER, text).detail(detail), expr.at))
            }
            _ => Ok(()),
        }
    }

    /// Coerces a value to what a column stores.
    ///
    /// Errors: 42804 if there is no assignment cast.
    fn assign(&mut self, expr: Typed, ty: Type, typmod: i32, column: Option<&str>) -> SqlResult<Typed> {
        let (from, at) = (expr.ty, expr.at);
        self.agree(&expr, ty)?;
        match self.try_coerce(expr, ty, typmod, CastContext::Assignment)? {
            Some(expr) => Ok(expr),
            None => {
                let (to, from) = (self.type_name(ty), self.type_name(from));
                let text = match column {
                    Some(column) => format!("column \"{column}\" is of type {to} but expression is of type {from}"),
                    None => format!("default expression is of type {from} but the column is of type {to}"),
                };
                let hint = "You will need to rewrite or cast the expression.";
                Err(error_at(self, SqlError::new(state::DATATYPE_MISMATCH, text).hint(hint), at))
            }
        }
    }
}

/// A parameter without a type.
fn undetermined(code: SqlState, n: usize) -> SqlError {
    SqlError::new(code, format!("could not determine data type of parameter ${n}"))
}

/// Errors: 0A000 for a query that changes data.
fn only_reads(bound: Bound) -> SqlResult<Bound> {
    match bound.before.is_empty() {
        true => Ok(bound),
        false => Err(SqlError::unsupported("a data-modifying statement in WITH here")),
    }
}

/// An error with the place it is about, unless it has one already.
fn error_at(binder: &Binder<'_>, error: SqlError, at: Location) -> SqlError {
    if at.line == 0 || error.fields.position.is_some() {
        return error;
    }
    let line = match (binder.source.get(at.line as usize - 1), at.line) {
        (Some(start), _) => *start,
        (None, 1) => 0,
        _ => return error,
    };
    error.position(line + at.column as u32)
}

fn syntax(e: sqlparser::parser::ParserError) -> SqlError {
    SqlError::syntax(e.to_string())
}

/// An expression from the catalog.
pub(crate) fn parse_expr(text: &str) -> SqlResult<sqlparser::ast::Expr> {
    let tokens = super::parse::query_tokens(text)?;
    Parser::new(&Postgres).with_tokens_with_locations(tokens).parse_expr().map_err(syntax)
}

/// A query from the catalog.
fn parse_query(text: &str) -> SqlResult<Query> {
    match Parser::parse_sql(&Postgres, text).map_err(syntax)?.into_iter().next() {
        Some(Statement::Query(query)) => Ok(*query),
        _ => Err(SqlError::internal("the catalog holds something else than a query")),
    }
}
