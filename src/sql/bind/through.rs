//! Views that can be written through: what a change of a view means for the table below it.
//!
//! PostgreSQL writes through a view that shows rows of a single table, or of another such view, as they are. Its columns
//! are expressions over the table's row then: they are what the view's name makes visible where the table is changed, so
//! nothing has to be rewritten. A column that is a column of the table can be assigned to, others cannot.
//!
//! Whoever writes needs rights on the view, and the view's owner on what is below it.

use super::names::{Clause, Level, Names, Range, SYSTEM_COLUMNS, fold, schema_and_name};
use super::{Binder, parse_query};
use crate::error::{SqlError, SqlResult, state};
use crate::functions::CastContext;
use crate::rights::{DELETE, INSERT, Mode, SELECT, UPDATE};
use crate::sql::catalog::{Catalog, CheckOption, Relation, RelationKind, Source};
use crate::sql::ir::{Named, Node, Op, Truth, Typed};
use crate::types::{NO_TYPMOD, Type};
use crate::value::Value;
use sqlparser::ast::{
    Distinct, Expr, GroupByExpr, Ident, ObjectName, Query, Select, SelectItem, SetExpr, TableAlias, TableFactor,
};
use std::sync::Arc;

/// What can be done with a column of a view.
#[derive(Clone, Debug)]
pub(super) enum Place {
    /// It is this column of the table.
    Column(i16),
    /// Nothing: the view and the column that say so, and why.
    Closed { view: String, column: String, why: &'static str },
}

/// A relation that is written to, over the table that changes.
pub(super) struct Surface {
    /// What it needs to be allowed is known by this number.
    need: usize,
    /// The table, with the defaults that the views above it have for its columns.
    pub table: Arc<Relation>,
    /// The relation's columns, over the table's row.
    pub columns: Vec<Named>,
    pub places: Vec<Place>,
    /// Which of the table's rows the relation has.
    pub filter: Vec<Typed>,
    /// Conditions that new rows have to meet, with the views whose they are; the innermost first.
    pub checks: Vec<(String, Typed)>,
}

/// What a view shows the rows of.
pub(crate) struct Below {
    /// The relation's name, and what it is called in the view.
    name: ObjectName,
    alias: Option<TableAlias>,
}

/// Where a table stands in a statement that changes it, or a view above it.
#[derive(Clone, Copy)]
struct Site {
    right: Mode,
    range: usize,
    /// What SQLite calls the row, if not by the table's name.
    qualifier: Option<&'static str>,
}

/// Why a view cannot be written through, by its query.
fn closed(query: &Query) -> Result<(&Select, Below), &'static str> {
    let body = &*query.body;
    let select = match body {
        SetExpr::Select(select) => Some(&**select),
        _ => None,
    };
    if let Some(select) = select {
        if matches!(&select.distinct, Some(Distinct::Distinct | Distinct::On(_))) {
            return Err("Views containing DISTINCT are not automatically updatable.");
        }
        if !matches!(&select.group_by, GroupByExpr::Expressions(keys, _) if keys.is_empty()) {
            return Err("Views containing GROUP BY are not automatically updatable.");
        }
        if select.having.is_some() {
            return Err("Views containing HAVING are not automatically updatable.");
        }
    }
    if matches!(body, SetExpr::SetOperation { .. }) {
        return Err("Views containing UNION, INTERSECT, or EXCEPT are not automatically updatable.");
    }
    if query.with.is_some() {
        return Err("Views containing WITH are not automatically updatable.");
    }
    if query.limit_clause.is_some() || query.fetch.is_some() {
        return Err("Views containing LIMIT or OFFSET are not automatically updatable.");
    }
    const SINGLE: &str = "Views that do not select from a single table or view are not automatically updatable.";
    let select = select.ok_or(SINGLE)?;
    match &select.from[..] {
        [item] if item.joins.is_empty() => match &item.relation {
            TableFactor::Table { name, alias, args: None, sample: None, .. } => {
                Ok((select, Below { name: name.clone(), alias: alias.clone() }))
            }
            _ => Err(SINGLE),
        },
        _ => Err(SINGLE),
    }
}

/// A name that an item of a select list consists of.
fn plain_name(item: &SelectItem) -> Option<&Ident> {
    let (SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. }) = item else { return None };
    match expr {
        Expr::Identifier(name) => Some(name),
        Expr::CompoundIdentifier(names) => names.last(),
        _ => None,
    }
}

/// Whether a view's query runs with the rights of whoever asks.
fn is_invoker(catalog: &Catalog, view: u32) -> bool {
    matches!(catalog.by_oid(view).map(|r| &r.kind), Some(RelationKind::View { options, .. }) if options.is_invoker())
}

impl Binder<'_> {
    /// The view whose owner's rights count for what is bound now.
    pub(super) fn speaking_view(&self) -> Option<u32> {
        self.views.last().copied().filter(|view| !is_invoker(self.scope.catalog, *view))
    }

    /// What is written to when a statement names `relation`. `right`: what is done with it; `range`: the FROM item that the
    /// table is.
    pub(super) fn surface(&mut self, relation: &Arc<Relation>, right: Mode, range: usize) -> SqlResult<Surface> {
        self.surface_below(relation, Site { right, range, qualifier: None }, true, false)
    }

    /// A view's row as INSERT … ON CONFLICT proposes it. Its rights are those of the row that is there.
    pub(super) fn excluded_surface(&mut self, relation: &Arc<Relation>, range: usize) -> SqlResult<Vec<Named>> {
        let needs = std::mem::take(&mut self.needs);
        let known = self.surfaces.len();
        let site = Site { right: SELECT, range, qualifier: Some("excluded") };
        let surface = self.surface_below(relation, site, true, false);
        self.needs = needs;
        self.surfaces.truncate(known);
        let mut columns = surface?.columns;
        for column in &mut columns {
            if let Node::Column(c) = &mut column.expr.node {
                c.table = 0;
            }
        }
        let is_view = matches!(relation.kind, RelationKind::View { .. });
        if let Some((view, _, attnums)) = self.surfaces.last().cloned().filter(|_| is_view) {
            self.surfaces.push((view, columns.clone(), attnums));
        }
        Ok(columns)
    }

    fn surface_below(
        &mut self,
        relation: &Arc<Relation>,
        site: Site,
        is_top: bool,
        cascades: bool,
    ) -> SqlResult<Surface> {
        let Site { right, range, qualifier } = site;
        let RelationKind::View { definition, options } = &relation.kind else {
            let Source::Table(name) = &relation.source else {
                return Err(SqlError::internal("a table that is none is written to"));
            };
            let name = qualifier.unwrap_or(name);
            self.needs.add(range, relation, self.acts_for(), self.scope, right);
            return Ok(Surface {
                need: range,
                table: Arc::clone(relation),
                columns: self.columns_of(relation, range, name, false),
                places: relation.columns.iter().map(|column| Place::Column(column.attnum)).collect(),
                filter: Vec::new(),
                checks: Vec::new(),
            });
        };
        if self.views.contains(&relation.oid) {
            let text = format!("infinite recursion detected in rules for relation \"{}\"", relation.name);
            return Err(SqlError::new(state::INVALID_OBJECT_DEFINITION, text));
        }
        self.scope.allowance.spend(definition.len() as u64 / 4)?;
        let query = parse_query(definition)?;
        let (select, below) = closed(&query).map_err(|why| closed_view(relation, right, why))?;
        let own = self.next_id();
        self.needs.add(own, relation, self.acts_for(), self.scope, right);
        let cascades = cascades || options.check() == Some(CheckOption::Cascaded);
        self.views.push(relation.oid);
        let surface = self.deeper(|this| {
            let found = this.relation(&below.name)?;
            if !matches!(found.kind, RelationKind::Table | RelationKind::View { .. }) {
                let why = "Views that do not select from a single table or view are not automatically updatable.";
                return Err(closed_view(relation, right, why));
            }
            let inner = this.surface_below(&found, site, false, cascades)?;
            let view = (own, &**relation);
            this.view_over(view, right, range, (select, &below), inner, &found)
        });
        self.views.pop();
        let mut surface = surface?;
        if options.check().is_some() || cascades {
            let own = surface.filter.last().cloned().filter(|_| select.selection.is_some());
            surface.checks.extend(own.map(|condition| (relation.name.clone(), condition)));
        }
        if is_top {
            if right == UPDATE {
                // What UPDATE sets to DEFAULT gets the view's default, and NULL if it has none.
                let mut table = Relation::clone(&surface.table);
                for (own, place) in relation.columns.iter().zip(&surface.places) {
                    let Place::Column(attnum) = place else { continue };
                    for column in table.columns.iter_mut().filter(|c| c.attnum == *attnum) {
                        (column.default, column.sequence) = (own.default.clone(), None);
                    }
                }
                surface.table = Arc::new(table);
            }
            self.surfaces.push((own, surface.columns.clone(), relation.columns.iter().map(|c| c.attnum).collect()));
        }
        Ok(surface)
    }

    /// A view's columns and condition over what is below it.
    fn view_over(
        &mut self,
        (own_range, view): (usize, &Relation),
        right: Mode,
        range: usize,
        (select, below): (&Select, &Below),
        inner: Surface,
        shown_of: &Relation,
    ) -> SqlResult<Surface> {
        let mut columns = inner.columns.clone();
        let (schema, name) = schema_and_name(&below.name)?;
        let alias = below.alias.as_ref();
        for (column, given) in columns.iter_mut().zip(alias.iter().flat_map(|alias| &alias.columns)) {
            column.name = fold(&given.name);
        }
        let alias = alias.map(|alias| fold(&alias.name));
        let names = Names::of(Range {
            id: range,
            schema: schema.filter(|_| alias.is_none()),
            alias: alias.clone().unwrap_or(name),
            relation: Some(Arc::clone(&inner.table)),
            columns: columns.clone(),
            scalar: false,
            optional: false,
            numbered: false,
            derived: false,
        });
        let (outputs, condition) = self.isolated(|this| {
            let mut level = Level::new(Clause::Select);
            level.names = names;
            this.levels.push(level);
            let outputs = this.select_list(&select.projection).and_then(|outputs| {
                let decide = |c: Named| Ok(Named { expr: this.decide_text(c.expr)?, ..c });
                outputs.into_iter().map(decide).collect::<SqlResult<Vec<_>>>()
            });
            let sets = this.level().sets.len();
            let condition = select.selection.as_ref().map(|condition| this.where_clause(condition)).transpose();
            this.levels.pop();
            let outputs = outputs?;
            let why = if outputs.iter().any(|c| c.expr.has_aggregate()) {
                Some("Views that return aggregate functions are not automatically updatable.")
            } else if outputs.iter().any(|c| c.expr.has_window()) {
                Some("Views that return window functions are not automatically updatable.")
            } else if sets > 0 {
                Some("Views that return set-returning functions are not automatically updatable.")
            } else {
                None
            };
            match why {
                Some(why) => Err(closed_view(view, right, why)),
                None => Ok((outputs, condition?)),
            }
        })?;
        if outputs.len() != view.columns.len() {
            return Err(SqlError::internal(format!("view \"{}\" has other columns than its query", view.name)));
        }
        let mut read = Vec::new();
        let mut note = |expr: &Typed| {
            let named = inner.columns.iter().zip(&shown_of.columns).filter(|(column, _)| column.expr == *expr);
            read.extend(named.map(|(_, column)| column.attnum));
        };
        outputs.iter().map(|c| &c.expr).chain(&condition).for_each(|expr| expr.all(&mut note));
        self.needs.read_with(own_range, inner.need, read);
        let is_open = |item| plain_name(item).is_some_and(|name| columns.iter().any(|c| c.name == fold(name)));
        if matches!(right, INSERT | UPDATE) && !select.projection.iter().any(is_open) {
            let why = "Views that have no updatable columns are not automatically updatable.";
            return Err(closed_view(view, right, why));
        }
        let mut table = Relation::clone(&inner.table);
        let (mut shown, mut places, mut passed) = (Vec::new(), Vec::new(), Vec::new());
        for ((output, own), item) in outputs.into_iter().zip(&view.columns).zip(&select.projection) {
            let name = plain_name(item).map(fold);
            let shut = |why| Place::Closed { view: view.name.clone(), column: own.name.clone(), why };
            let place = match &name {
                Some(name) => match columns.iter().position(|c| c.name == *name) {
                    Some(at) => {
                        passed.extend(shown_of.columns.get(at).map(|below| (own.attnum, below.attnum)));
                        inner.places[at].clone()
                    }
                    None if SYSTEM_COLUMNS.contains(&name.as_str()) => {
                        shut("View columns that refer to system columns are not updatable.")
                    }
                    None => shut("View columns that return whole-row references are not updatable."),
                },
                None => shut("View columns that are not columns of their base relation are not updatable."),
            };
            if let (Place::Column(attnum), Some(default)) = (&place, &own.default)
                && let Some(column) = table.columns.iter_mut().find(|c| c.attnum == *attnum)
            {
                (column.default, column.identity) = (Some(default.clone()), None);
            }
            places.push(place);
            let expr = self.try_coerce(output.expr, own.ty, own.typmod, CastContext::Explicit)?;
            let expr = expr.ok_or_else(|| SqlError::internal("a view's column of another type"))?;
            shown.push(Named { name: own.name.clone(), expr });
        }
        self.needs.written_with(own_range, inner.need, passed);
        let mut filter = inner.filter;
        filter.extend(condition);
        Ok(Surface { need: own_range, table: Arc::new(table), columns: shown, places, filter, checks: inner.checks })
    }

    /// Notes that the statement reads a column of a view that it writes through.
    pub(super) fn note_surface(&mut self, expr: &Typed) {
        for (view, columns, attnums) in &self.surfaces {
            for (column, attnum) in columns.iter().zip(attnums) {
                if column.expr == *expr {
                    self.needs.also(*view, SELECT, [*attnum]);
                }
            }
        }
    }

    /// Notes that the statement gives values to columns of the view that it names.
    pub(super) fn note_written(&mut self, named: &Relation, right: Mode, attnums: &[i16]) {
        let is_view = matches!(named.kind, RelationKind::View { .. });
        if let Some((view, ..)) = self.surfaces.last().filter(|_| is_view) {
            self.needs.written(*view, right, attnums);
        }
    }

    /// The first column of RETURNING with the check that a new row is one of the views' rows.
    pub(super) fn checked(&mut self, surface: &Surface, table: &str, range: usize, value: Typed) -> Typed {
        let columns = self.columns_of(&surface.table, range, table, false);
        surface.checks.iter().rev().fold(value, |value, (view, condition)| {
            let mut args = vec![Typed::text(view)];
            for column in &columns {
                let (ty, typmod) = (column.expr.ty, column.expr.typmod);
                let expr = self.to_client(column.expr.clone());
                let shown = if expr == column.expr { ty } else { Type::TEXT };
                args.push(Typed::constant(Type::INT8, Value::Int(shown.0.into())));
                args.push(Typed::constant(Type::INT4, Value::Int(if shown == ty { typmod } else { NO_TYPMOD }.into())));
                args.push(expr);
            }
            let (ty, typmod) = (value.ty, value.typmod);
            let refusal = Typed::apply(ty, Op::Internal("q_check_option"), args);
            let fails = Typed::test(Op::Is(Truth::NotTrue), vec![condition.clone()]);
            Typed::apply(ty, Op::Case, vec![fails, refusal, value]).typmod(typmod)
        })
    }

    /// What a view shows the rows of, and which of that one's columns each of its columns is (0: none).
    pub(crate) fn shows(&mut self, view: &Arc<Relation>) -> Option<(u32, Vec<i16>)> {
        let RelationKind::View { definition, .. } = &view.kind else { return None };
        let query = parse_query(definition).ok()?;
        let (select, below) = closed(&query).ok()?;
        let range = self.next_id();
        self.surface(view, SELECT, range).ok()?;
        let base = self.relation(&below.name).ok()?;
        let given = |i: usize| below.alias.as_ref().and_then(|alias| alias.columns.get(i)).map(|c| fold(&c.name));
        let names: Vec<String> =
            (0..).zip(&base.columns).map(|(i, c)| given(i).unwrap_or_else(|| c.name.clone())).collect();
        let number = |item: &SelectItem| {
            let at = plain_name(item).and_then(|name| names.iter().position(|known| *known == fold(name)));
            at.map_or(0, |at| base.columns[at].attnum)
        };
        Some((base.oid, select.projection.iter().map(number).collect()))
    }

    /// The table that changes when this relation is written to.
    pub(super) fn table_below(&self, relation: &Arc<Relation>) -> Arc<Relation> {
        let mut found = Arc::clone(relation);
        // A view that rests on itself is refused where it is written through.
        for _ in 0..64 {
            let RelationKind::View { definition, .. } = &found.kind else { break };
            let Ok(query) = parse_query(definition) else { break };
            let Ok((_, below)) = closed(&query) else { break };
            let Ok(next) = self.relation(&below.name) else { break };
            found = next;
        }
        found
    }
}

fn closed_view(view: &Relation, right: Mode, why: &'static str) -> SqlError {
    let (doing, what, event) = match right {
        INSERT => ("insert into", "inserting into", "INSERT"),
        DELETE => ("delete from", "deleting from", "DELETE"),
        _ => ("update", "updating", "UPDATE"),
    };
    let text = format!("cannot {doing} view \"{}\"", view.name);
    SqlError::new(state::OBJECT_NOT_IN_PREREQUISITE_STATE, text).detail(why).hint(format!(
        "To enable {what} the view, provide an INSTEAD OF {event} trigger or an unconditional ON {event} DO INSTEAD rule."
    ))
}

impl Surface {
    /// The condition that a row is one of the relation's, and that it passes `filter`.
    pub fn rows(&self, filter: Option<Typed>) -> Option<Typed> {
        let all: Vec<Typed> = self.filter.iter().cloned().chain(filter).collect();
        if all.is_empty() { None } else { Some(Typed::join(Op::And, all)) }
    }

    /// The table's column of that a column of the relation is.
    ///
    /// Errors: 0A000 if it cannot be assigned to.
    pub fn column(&self, i: usize, insert: bool) -> SqlResult<i16> {
        match &self.places[i] {
            Place::Column(attnum) => Ok(*attnum),
            Place::Closed { view, column, why } => {
                let doing = if insert { "insert into" } else { "update" };
                let text = format!("cannot {doing} column \"{column}\" of view \"{view}\"");
                Err(SqlError::new(state::FEATURE_NOT_SUPPORTED, text).detail(*why))
            }
        }
    }
}
