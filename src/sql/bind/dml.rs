//! INSERT, UPDATE, DELETE.
//!
//! Defaults are part of the SQL that is logged, never SQLite's own; NOT NULL, CHECK, keys and references are SQLite's.
//! `violation::rows` reads the statements back that become of them.

use super::from::{in_step, is_default};
use super::names::{Clause, Level, Names, Range, SYSTEM_COLUMNS, fold, name_start, schema_and_name};
use super::parts::kept_column;
use super::query::{fixed_columns, is_one_row};
use super::record::is_record_star;
use super::through::{Place, Surface};
use super::{Binder, Overriding, error_at};
use crate::command::{Statement as Sql, Yields};
use crate::error::{SqlError, SqlResult, state};
use crate::functions::records::UPDATED;
use crate::rights::{DELETE, INSERT, SELECT, UPDATE};
use crate::sql::catalog::{
    Action, Column, Constraint, ConstraintKind, Identity, Index, Relation, RelationKind, Source, is_temporary,
};
use crate::sql::ir::{
    Assignment as Assigned, Body, Change, Column as ColumnRef, Conflict, ConflictUpdate, Cte, Delete as DeleteTree,
    FromItem, Insert as InsertTree, InsertSource, Named, Node, Op, Query as QueryTree, Select as SelectTree, SubQuery,
    Typed, Update as UpdateTree, Write,
};
use crate::sql::phrases;
use crate::sql::plan::{Effort, Facts, NamedRow, ResultColumn, RowChange, RowId, Tag, WritePlan};
use crate::sql::render;
use crate::types::{NO_TYPMOD, Type, array, declares_collation};
use crate::value::Value;
use sqlparser::ast::{
    Assignment, AssignmentTarget, ConflictTarget, Delete, Expr, FromTable, Function, FunctionArg, FunctionArgExpr,
    FunctionArguments, Ident, Insert, ObjectName, ObjectNamePart, OnConflict, OnConflictAction, OnInsert, Query,
    SelectItem, SetExpr, Statement, TableFactor, TableObject, TableWithJoins, Update, UpdateTableFromKind,
};
use sqlparser::tokenizer::Location;
use std::rc::Rc;
use std::sync::Arc;

/// The table that a statement changes.
pub(super) struct Target {
    /// What the statement names: the table, or a view over it.
    pub named: Arc<Relation>,
    pub surface: Surface,
    pub relation: Arc<Relation>,
    /// Unquoted SQLite name.
    pub table: String,
    pub range: Range,
}

impl Target {
    pub(super) fn rowid(&self) -> ColumnRef {
        ColumnRef::of(self.range.id, self.table.as_str(), self.relation.rowid_name())
    }

    /// The place of a column among those of what the statement names.
    fn place(&self, name: &str) -> Option<usize> {
        self.named.columns.iter().position(|column| column.name == name)
    }

    /// The table's columns that these columns of what the statement names are; a new row's, or else a changed one's.
    ///
    /// Errors: 0A000 for a view's column that is none of its table.
    fn columns(&self, places: &[usize], insert: bool) -> SqlResult<Vec<&Column>> {
        let mut columns: Vec<&Column> = Vec::with_capacity(places.len());
        for place in places {
            let attnum = self.surface.column(*place, insert)?;
            if columns.iter().any(|column| column.attnum == attnum) {
                let column = columns.iter().find(|column| column.attnum == attnum).map_or("", |c| &c.name);
                return Err(SqlError::syntax(format!("multiple assignments to same column \"{column}\"")));
            }
            columns.extend(self.relation.column_at(attnum));
        }
        Ok(columns)
    }
}

/// The columns of the target's table that are assigned to, by number.
fn assigned_columns(target: &Target, assignments: &[Assignment]) -> Vec<i16> {
    let names = assignments.iter().flat_map(|assignment| match &assignment.target {
        AssignmentTarget::ColumnName(name) => std::slice::from_ref(name),
        AssignmentTarget::Tuple(names) => names,
    });
    let names = names.filter_map(|name| schema_and_name(name).ok());
    let column = |place| target.surface.column(place, false).ok();
    names.filter_map(|(_, name)| target.place(&name).and_then(column)).collect()
}

/// The columns of an INSERT, as places among those of what it names.
pub(super) struct Chosen {
    pub places: Vec<usize>,
    pub listed: bool,
    /// Where parts of columns are among them: for each value, which of the places it is for, and which part of it.
    pub parts: Vec<PartOf>,
}

/// The place of a column among those that are named, and what of it.
type PartOf = (usize, Vec<sqlparser::ast::ObjectNamePartFunction>);

/// What of a value is assigned to.
pub(super) enum Part {
    /// By its subscripts, or the steps of a path.
    Element(Vec<Typed>),
    /// Between the bounds that are given, for each dimension.
    Slice(Vec<[Option<Typed>; 2]>),
}

/// The names that RETURNING knows: columns of other tables are looked up among what is kept of them.
struct Others {
    names: Names,
    kept: Vec<Typed>,
}

impl Others {
    /// `names`: the target and, behind it, the other tables.
    fn new(target: &Target, mut names: Names) -> Others {
        let (own, mut kept) = (target.range.columns.len(), Vec::new());
        let mut look_up = |column: &mut Named| {
            let number = kept.iter().position(|known| *known == column.expr).unwrap_or_else(|| {
                kept.push(column.expr.clone());
                kept.len() - 1
            });
            let (table, attnum) = column.expr.origin();
            // It is one of the target's row.
            let column_ref =
                ColumnRef { range: target.range.id, table, attnum, ..ColumnRef::plain(column.name.as_str()) };
            column.expr.node = Node::Kept { rowid: target.rowid(), number, column: column_ref };
        };
        names.ranges.iter_mut().skip(1).flat_map(|r| &mut r.columns).for_each(&mut look_up);
        // Of their system columns nothing is kept.
        for range in names.ranges.iter_mut().skip(1) {
            (range.relation, range.numbered, range.derived) = (None, false, false);
        }
        names.columns.iter_mut().skip(own).for_each(&mut look_up);
        Others { names, kept }
    }

    /// What `returning` looks up: kept beside `value`, under `rowid`. `None` if it is nothing.
    fn keep(&self, returning: Option<&[Named]>) -> Option<Kept> {
        let mut numbers = Vec::new();
        let mut note = |expr: &Typed| {
            if let Node::Kept { number, .. } = expr.node {
                numbers.push(number);
            }
        };
        returning.into_iter().flatten().for_each(|column| column.expr.all(&mut note));
        numbers.sort_unstable();
        numbers.dedup();
        let values = numbers.iter().map(|n| self.kept[*n].clone()).collect();
        (!numbers.is_empty()).then_some(Kept { numbers, values })
    }
}

/// Values of other tables' columns to be kept while rows are changed, by their numbers.
struct Kept {
    numbers: Vec<usize>,
    values: Vec<Typed>,
}

impl Kept {
    /// `value`, taking these along under `rowid`.
    fn beside(self, rowid: Typed, value: Typed) -> Typed {
        let (ty, typmod) = (value.ty, value.typmod);
        let args = [rowid, value].into_iter().chain(self.values).collect();
        Typed::apply(ty, Op::Keep(self.numbers), args).typmod(typmod)
    }
}

/// SQLite's name of the target, what is done, and what is given back.
type Changed = (String, Change, Option<Vec<Named>>);

/// The WITH clause of a statement.
#[derive(Default)]
pub(super) struct Prefix {
    pub items: Vec<Rc<Cte>>,
    pub recursive: bool,
}

impl Binder<'_> {
    /// INSERT, UPDATE, DELETE, also behind WITH (a query whose body is one of them, see [`super::is_dml`]).
    pub fn dml(&mut self, statement: &Statement) -> SqlResult<(WritePlan, Vec<ResultColumn>)> {
        let before = self.ctes.len();
        let result = self.dml_inner(statement);
        self.ctes.truncate(before);
        result
    }

    fn dml_inner(&mut self, statement: &Statement) -> SqlResult<(WritePlan, Vec<ResultColumn>)> {
        if let Some(merge) = merge_of(statement) {
            let clause = if let Statement::Query(query) = statement { query.with.as_ref() } else { None };
            let (with, recursive) = match clause {
                Some(clause) => (self.with_clause(clause)?.0, clause.recursive),
                None => (vec![], false),
            };
            return Ok((self.merge_statement(merge, with, recursive)?, vec![]));
        }
        let (mut write, tag) = self.write_of(statement, Prefix::default())?;
        let is_lasting = |oid: &u32| self.scope.catalog.by_oid(*oid).is_none_or(|r| !is_temporary(&r.schema));
        let lasting = self.parts.targets.iter().any(is_lasting);
        let columns = write.returning.iter().flatten().map(|column| column.out().result()).collect();
        if self.parts.told.is_none() {
            // The client sees names of objects beside their numbers, as in a query.
            for column in write.returning.iter_mut().flatten().filter(|column| column.expr.ty.is_reg()) {
                let name = self.text_of_reg(column.expr.clone())?;
                let number = std::mem::replace(&mut column.expr, Typed::null(Type::TEXT));
                column.expr = Typed::apply(Type::TEXT, Op::NumberAndName, vec![number, name]);
            }
        }
        let alone = self.single
            && self.subqueries == 0
            && self.hoisted.is_empty()
            && write.with.is_empty()
            && self.parts.is_alone();
        if alone && self.effort == Effort::Key {
            self.effort = Effort::Row(self.row);
        }
        // What is told of the rows may have been kept before.
        let told = match self.parts.told.take() {
            None => None,
            Some(list) => {
                let columns: Vec<_> = write.returning.take().iter().flatten().map(kept_column).collect();
                let rows = self.kept_rows(list, &columns);
                Some(self.with_names(rows)?)
            }
        };
        let shown = |column: Named| Named { expr: self.to_client(column.expr), ..column };
        write.returning = write.returning.map(|columns| columns.into_iter().map(shown).collect());
        let yields = match (&told, &write.returning) {
            (Some(_), _) => Yields::Nothing,
            (None, Some(_)) => Yields::Rows,
            (None, None) => Yields::Count,
        };
        let mut facts = write.facts(&self.hoisted);
        self.check_rights(&|visit| write.parts(visit))?;
        let mut statements = self.statements_before(&|visit| write.parts(visit), &mut facts);
        statements.push(render::write(&write, yields, &self.hoisted, self.row_list()));
        if let Some(told) = told {
            statements.push(Sql::new(render::query(&told, &[], self.row_list()), Yields::Rows));
        }
        let plan = WritePlan {
            copy: None,
            lasting,
            alone: None,
            begins: None,
            statements,
            facts,
            ddl: crate::command::Definition::None,
            temporary: false,
            on_commit: None,
            effort: self.effort,
            draws: self.draws,
            lock: self.inside()?,
            tag: Tag::Counted(tag),
            notices: vec![],
        };
        Ok((plan, columns))
    }

    /// A data change behind WITH queries.
    pub(super) fn write_of(&mut self, statement: &Statement, mut with: Prefix) -> SqlResult<(Write, &'static str)> {
        let ((table, change, returning), tag) = match statement {
            Statement::Query(query) => {
                if let Some(clause) = &query.with {
                    with.items.extend(self.with_clause(clause)?.0);
                    with.recursive |= clause.recursive;
                }
                return match &*query.body {
                    SetExpr::Insert(s) | SetExpr::Update(s) | SetExpr::Delete(s) => self.write_of(s, with),
                    _ => Err(SqlError::internal("a query where INSERT, UPDATE or DELETE was expected")),
                };
            }
            Statement::Insert(insert) => (self.insert(insert)?, "INSERT 0"),
            Statement::Update(update) => (self.update(update)?, "UPDATE"),
            Statement::Delete(delete) => (self.delete(delete)?, "DELETE"),
            other => return Err(SqlError::unsupported(format!("{other}"))),
        };
        let Prefix { items: with, recursive } = with;
        let check = self.check.take();
        Ok((Write { with, recursive, table, change, returning, check }, tag))
    }

    /// COPY … FROM: an INSERT over `?1`…, which already are of the columns' types; the other columns get their defaults.
    /// `filter`: which rows are stored.
    pub fn insert_row(
        &mut self,
        relation: &Relation,
        columns: &[i16],
        filter: Option<&str>,
    ) -> SqlResult<(Vec<Sql>, Facts)> {
        let Source::Table(table) = &relation.source else { return Err(not_updatable(relation, "copy to")) };
        let range = self.next_id();
        self.needs.add(range, &Arc::new(relation.clone()), None, self.scope, INSERT);
        self.needs.also(range, INSERT, columns.iter().copied());
        // What is copied is stored, also into GENERATED ALWAYS identities.
        self.overriding = Overriding::System;
        let (mut names, mut values) = (Vec::new(), Vec::new());
        for (i, attnum) in columns.iter().enumerate() {
            let column = relation.columns.iter().find(|c| c.attnum == *attnum);
            let column = column.ok_or_else(|| SqlError::internal("COPY into a column that is not there"))?;
            self.refuse_generated(column, false)?;
            names.push(column.name.clone());
            let value = self.param(i + 1, column.ty);
            let value = self.in_domain(value, column.domain)?;
            values.push(self.never_null(relation, column, value));
        }
        for column in relation.columns.iter().filter(|c| !columns.contains(&c.attnum)) {
            if let Some(default) = self.stored_default(relation, column)? {
                names.push(column.name.clone());
                values.push(default);
            }
        }
        let source = match filter {
            None => InsertSource::Values { rows: vec![values], rest: vec![] },
            Some(filter) => {
                let condition = self.copied(relation, filter)?;
                condition.all(&mut |e| {
                    if let Node::Column(column) = &e.node {
                        self.needs.also(range, SELECT, [column.attnum]);
                    }
                });
                let mut row: Vec<_> = names.iter().cloned().zip(values).collect();
                let given = row.len();
                let left = relation.columns.iter().filter(|c| c.generated.is_none() && !names.contains(&c.name));
                row.extend(left.map(|c| (c.name.clone(), Typed::null(c.ty))));
                InsertSource::If { row, given, condition: Box::new(condition) }
            }
        };
        let change = Change::Insert(InsertTree { columns: names, source, conflict: None });
        let (with, table) = (vec![], table.clone());
        let write = Write { with, recursive: false, table, change, returning: None, check: None };
        let facts = write.facts(&self.hoisted);
        self.check_rights(&|visit| write.parts(visit))?;
        Ok((vec![render::write(&write, Yields::Count, &self.hoisted, self.row_list())], facts))
    }

    /// COPY … FROM … WHERE: a condition on the new row before its generated columns are computed.
    fn copied(&mut self, relation: &Relation, filter: &str) -> SqlResult<Typed> {
        let allowed = std::mem::replace(&mut self.allow_params, false);
        let condition = self.column_expr(Some(relation), filter, Some((Type::BOOL, NO_TYPMOD)), super::Kept::Copied);
        self.allow_params = allowed;
        let condition = condition?;
        let mut generated = None;
        condition.all(&mut |expr| {
            if let Node::Column(column) = &expr.node {
                generated = generated.or(relation.column_at(column.attnum).filter(|c| c.generated.is_some()));
            }
        });
        match generated {
            None => Ok(condition),
            Some(column) => {
                let message = "generated columns are not supported in COPY FROM WHERE conditions";
                let detail = format!("Column \"{}\" is a generated column.", column.name);
                Err(SqlError::new(state::INVALID_COLUMN_REFERENCE, message).detail(detail))
            }
        }
    }

    pub(super) fn target(&mut self, name: &ObjectName, alias: Option<String>, action: &str) -> SqlResult<Target> {
        let relation = self.relation(name)?;
        if !matches!(relation.kind, RelationKind::Table | RelationKind::View { .. }) {
            return Err(error_at(self, not_updatable(&relation, action), name_start(name)));
        }
        let id = self.next_id();
        let right = match action {
            "insert into" => INSERT,
            "update" => UPDATE,
            // As its clauses need.
            "merge into" => 0,
            _ => DELETE,
        };
        let mut surface = self.surface(&relation, right, id)?;
        let Source::Table(table) = &surface.table.source else {
            return Err(SqlError::internal("a table without rows"));
        };
        let table = table.clone();
        self.parts.writes += 1;
        self.parts.targets.insert(surface.table.oid);
        self.target = id;
        let is_table = matches!(relation.kind, RelationKind::Table);
        let range = Range {
            id,
            schema: alias.is_none().then(|| relation.schema.clone()),
            alias: alias.unwrap_or_else(|| relation.name.clone()),
            relation: is_table.then(|| relation.clone()),
            columns: std::mem::take(&mut surface.columns),
            scalar: false,
            optional: false,
            numbered: false,
            derived: false,
        };
        Ok(Target { named: relation, relation: Arc::clone(&surface.table), surface, table, range })
    }

    /// What a column is filled with when nothing is given: `None` for NULL.
    fn default_of(&mut self, column: &Column) -> SqlResult<Option<Typed>> {
        if column.generated.is_some() {
            return Ok(None);
        }
        match (&column.default, column.identity, column.sequence) {
            (_, Some(_), Some(sequence)) => {
                self.writes = true;
                Ok(Some(Typed::nextval(column.ty, sequence)))
            }
            (Some(text), ..) => {
                let draws = self.draws;
                let default = self.column_expr(None, text, Some((column.ty, column.typmod)), super::Kept::Default);
                self.draws = draws;
                default.map(Some)
            }
            _ => match column.domain.and_then(|domain| self.scope.catalog.domain(domain)).map(|d| d.default.clone()) {
                Some(Some(text)) if !column.domain.is_some_and(Type::is_array) => {
                    let target = Some((column.ty, column.typmod));
                    self.column_expr(None, &text, target, super::Kept::Default).map(Some)
                }
                _ => Ok(None),
            },
        }
    }

    /// What is stored into a column that a statement leaves out: `None` if that may be left to SQLite.
    fn stored_default(&mut self, relation: &Relation, column: &Column) -> SqlResult<Option<Typed>> {
        let asks = column.domain.filter(|domain| !self.scope.catalog.rules_of(*domain).is_empty());
        let default = self.default_of(column)?;
        // A domain is asked whether nothing will do.
        let default = default.or_else(|| asks.filter(|_| column.generated.is_none()).map(|_| Typed::null(column.ty)));
        let default = default.map(|default| self.in_domain(default, column.domain)).transpose()?;
        match default {
            Some(default) => Ok(Some(self.never_null(relation, column, default))),
            None if self.is_rowid(relation, column) => Ok(Some(null_violation(relation, column))),
            None => Ok(None),
        }
    }

    fn is_rowid(&self, relation: &Relation, column: &Column) -> bool {
        self.scope.catalog.rowid_column(relation) == Some(column.attnum)
    }

    /// The value as it is stored: SQLite would put a number where a NULL is stored into the rowid, Postgres refuses it.
    fn never_null(&self, relation: &Relation, column: &Column, value: Typed) -> Typed {
        let certain = match &value.node {
            Node::Const(value) => *value != Value::Null,
            _ => value.is_nextval(),
        };
        if certain || !self.is_rowid(relation, column) { value } else { never_null(relation, column, value) }
    }

    /// The row that an INSERT of one makes; `key`: what is stored into the primary key, if that is the rowid.
    fn new_row(&mut self, relation: &Relation, key: Option<&Typed>) -> SqlResult<Option<NamedRow>> {
        let has_key = relation.constraints.iter().any(|c| matches!(c.kind, ConstraintKind::PrimaryKey { .. }));
        let filled_in = match relation.columns.iter().find(|column| self.is_rowid(relation, column)) {
            Some(column) if key.is_none() => self.default_of(column)?,
            _ => None,
        };
        let rowid = match key.map(|key| &key.node) {
            Some(Node::Apply(Op::NeverNull, args)) => rowid(&args[0]),
            _ => key.or(filled_in.as_ref()).map_or((!has_key).then_some(RowId::New), rowid),
        };
        Ok(rowid.map(|rowid| NamedRow { table: relation.oid, rowid, change: RowChange::Insert }))
    }

    /// Generated columns and GENERATED ALWAYS identities take no values.
    fn refuse_generated(&self, column: &Column, update: bool) -> SqlResult<()> {
        let name = &column.name;
        let detail = match (&column.generated, column.identity) {
            (None, Some(_)) if !update && self.overriding != Overriding::No => return Ok(()),
            (Some(_), _) => format!("Column \"{name}\" is a generated column."),
            (None, Some(Identity::Always)) => {
                format!("Column \"{name}\" is an identity column defined as GENERATED ALWAYS.")
            }
            _ => return Ok(()),
        };
        let text = if update {
            format!("column \"{name}\" can only be updated to DEFAULT")
        } else {
            format!("cannot insert a non-DEFAULT value into column \"{name}\"")
        };
        let error = SqlError::new(state::GENERATED_ALWAYS, text).detail(detail);
        let hint = column.generated.is_none() && !update;
        Err(if hint { error.hint("Use OVERRIDING SYSTEM VALUE to override.") } else { error })
    }

    fn column_named<'r>(&self, relation: &'r Relation, name: &str, at: Location) -> SqlResult<&'r Column> {
        relation.column(name).ok_or_else(|| {
            let text = format!("column \"{name}\" of relation \"{}\" does not exist", relation.name);
            error_at(self, SqlError::new(state::UNDEFINED_COLUMN, text), at)
        })
    }

    fn insert(&mut self, insert: &Insert) -> SqlResult<Changed> {
        let foreign = insert.or.is_some()
            || insert.ignore
            || insert.overwrite
            || insert.partitioned.is_some()
            || !insert.assignments.is_empty()
            || insert.replace_into
            || insert.output.is_some()
            || insert.insert_alias.is_some();
        let TableObject::TableName(name) = &insert.table else {
            return Err(SqlError::syntax("syntax error in INSERT"));
        };
        if foreign {
            return Err(SqlError::syntax("syntax error in INSERT"));
        }
        let alias = insert.table_alias.as_ref().map(|a| fold(&a.alias));
        let target = self.target(name, alias, "insert into")?;
        let relation = target.relation.clone();
        let chosen = self.chosen(&target, &insert.columns)?;
        let conflict = matches!(insert.on, Some(OnInsert::OnConflict(_)));
        let mut single = true;
        let (names, source) = match &insert.source {
            None => self.insert_defaults(&relation)?,
            Some(query) => match plain_values(query) {
                Some(rows) => {
                    single = rows.len() == 1;
                    self.single = single && insert.on.is_none() && self.is_ruled_by_primary_key(&relation);
                    let (names, source) = self.insert_values(&target, chosen, rows)?;
                    single &= matches!(source, InsertSource::Values { .. });
                    (names, source)
                }
                None => {
                    single = false;
                    self.insert_query(&target, chosen, query, conflict)?
                }
            },
        };
        let mut conflict = match &insert.on {
            None => None,
            Some(OnInsert::OnConflict(on)) => Some(self.on_conflict(&target, on, single)?),
            Some(_) => return Err(SqlError::syntax("syntax error at or near \"DUPLICATE\"")),
        };
        let known = Names::of(target.range.clone());
        let returning = self.returning(&relation, known, insert.returning.as_deref())?;
        let asks_how = |column: &Named| column.expr.any(&|e| matches!(e.node, Node::Apply(Op::Internal("q_xmax"), _)));
        if let Some(update) = conflict.iter_mut().find_map(|c| c.update.as_mut())
            && returning.iter().flatten().any(asks_how)
        {
            let mark = Kept { numbers: vec![UPDATED], values: vec![Typed::constant(Type::INT4, Value::Int(1))] };
            self.keep_in(&mut update.set, &target, mark)?;
        }
        let returning = self.with_checks(&target, returning)?;
        Ok((target.table, Change::Insert(InsertTree { columns: names, source, conflict }), returning))
    }

    /// What is given back of changed rows, with the checks that views have rows of this kind.
    fn with_checks(&mut self, target: &Target, returning: Option<Vec<Named>>) -> SqlResult<Option<Vec<Named>>> {
        if target.surface.checks.is_empty() {
            return Ok(returning);
        }
        let Some(mut columns) = returning else {
            let value = Typed::constant(Type::INT4, Value::Int(1));
            self.check = Some(self.checked(&target.surface, &target.table, target.range.id, value));
            return Ok(None);
        };
        if let Some(first) = columns.first_mut() {
            let value = std::mem::replace(&mut first.expr, Typed::null(Type::UNKNOWN));
            first.expr = self.checked(&target.surface, &target.table, target.range.id, value);
        }
        Ok(Some(columns))
    }

    /// The columns that an INSERT names, or all; and what it says of OVERRIDING.
    pub(super) fn chosen(&mut self, target: &Target, columns: &[ObjectName]) -> SqlResult<Chosen> {
        let mut places: Vec<usize> = Vec::new();
        let mut parts = Vec::new();
        self.overriding = Overriding::No;
        for name in columns {
            if let Some(what) = name.0.last().and_then(|p| p.as_ident()).and_then(|i| phrases::overriding(&i.value)) {
                self.overriding = if what == "SYSTEM" { Overriding::System } else { Overriding::User };
                continue;
            }
            let (whole, steps) = split_target(name);
            let (at, (_, name)) = (name_start(name), schema_and_name(&whole)?);
            let place = self.place_named(target, &name, at)?;
            let known = places.iter().position(|other| *other == place);
            let steps: Vec<_> = steps.into_iter().cloned().collect();
            let is_part = !steps.is_empty();
            parts.push((known.unwrap_or(places.len()), steps));
            if let Some(known) = known {
                if is_part && parts.iter().all(|(place, steps)| *place != known || !steps.is_empty()) {
                    continue;
                }
                let text = format!("column \"{name}\" specified more than once");
                return Err(error_at(self, SqlError::new(state::DUPLICATE_COLUMN, text), at));
            }
            places.push(place);
        }
        let listed = !places.is_empty();
        if !listed {
            places = (0..target.named.columns.len()).collect();
        }
        if parts.iter().all(|(_, steps)| steps.is_empty()) {
            parts.clear();
        }
        Ok(Chosen { places, listed, parts })
    }

    /// INSERT … DEFAULT VALUES
    fn insert_defaults(&mut self, relation: &Relation) -> SqlResult<(Vec<String>, InsertSource)> {
        let (names, rest) = self.absent_defaults(relation, &[])?;
        Ok((names, InsertSource::Values { rows: vec![vec![]], rest }))
    }

    /// The columns for so many values.
    pub(super) fn columns_for<'t>(
        &mut self,
        given: usize,
        target: &'t Target,
        mut chosen: Chosen,
    ) -> SqlResult<Vec<&'t Column>> {
        if !chosen.parts.is_empty() {
            return Err(SqlError::unsupported("assigning to parts of columns here"));
        }
        if given > chosen.places.len() {
            return Err(SqlError::syntax("INSERT has more expressions than target columns"));
        }
        if given < chosen.places.len() && chosen.listed {
            return Err(SqlError::syntax("INSERT has more target columns than expressions"));
        }
        chosen.places.truncate(given);
        let columns = target.columns(&chosen.places, true)?;
        self.needs.also(self.target, INSERT, columns.iter().map(|c| c.attnum));
        let named: Vec<i16> = chosen.places.iter().map(|place| target.named.columns[*place].attnum).collect();
        self.note_written(&target.named, INSERT, &named);
        Ok(columns)
    }

    /// The same where values may be for parts of columns: then the columns are fewer than the values.
    fn columns_and_parts<'t>(
        &mut self,
        width: usize,
        target: &'t Target,
        mut chosen: Chosen,
    ) -> SqlResult<(Vec<&'t Column>, Vec<PartOf>)> {
        let parts = std::mem::take(&mut chosen.parts);
        let given = match parts.len() {
            0 => width,
            n if width > n => return Err(SqlError::syntax("INSERT has more expressions than target columns")),
            n if width < n => return Err(SqlError::syntax("INSERT has more target columns than expressions")),
            _ => chosen.places.len(),
        };
        Ok((self.columns_for(given, target, chosen)?, parts))
    }

    pub(super) fn place_named(&self, target: &Target, name: &str, at: Location) -> SqlResult<usize> {
        match target.place(name) {
            Some(place) => Ok(place),
            None => self.column_named(&target.named, name, at).map(|_| 0),
        }
    }

    /// The error of `SET a.b = …`: `a` is a column, and none has fields.
    fn no_field(&self, target: &Target, column: &Ident, field: &Ident) -> SqlError {
        let place = self.assigned_place(target, &fold(column), column.span.start);
        let found = place.and_then(|place| Ok(target.columns(&[place], false)?[0].clone()));
        match found {
            Err(error) => error,
            Ok(column) => {
                let (field, name, ty) = (fold(field), &column.name, self.type_name(column.ty));
                let text = format!(
                    "cannot assign to field \"{field}\" of column \"{name}\" because its type {ty} is not a composite type"
                );
                SqlError::new(state::DATATYPE_MISMATCH, text)
            }
        }
    }

    /// The place of a column behind SET.
    fn assigned_place(&self, target: &Target, name: &str, at: Location) -> SqlResult<usize> {
        if SYSTEM_COLUMNS.contains(&name) {
            let text = format!("cannot assign to system column \"{name}\"");
            return Err(error_at(self, SqlError::new(state::FEATURE_NOT_SUPPORTED, text), at));
        }
        self.place_named(target, name, at)
    }

    /// Columns that get their defaults because the statement does not name them.
    pub(super) fn absent_defaults(
        &mut self,
        relation: &Relation,
        columns: &[&Column],
    ) -> SqlResult<(Vec<String>, Vec<Typed>)> {
        let (mut names, mut values) = (Vec::new(), Vec::new());
        for column in &relation.columns {
            if columns.iter().any(|c| c.attnum == column.attnum) {
                continue;
            }
            if let Some(default) = self.stored_default(relation, column)? {
                names.push(column.name.clone());
                values.push(default);
            }
        }
        Ok((names, values))
    }

    fn insert_values(
        &mut self,
        target: &Target,
        chosen: Chosen,
        rows: Vec<&[Expr]>,
    ) -> SqlResult<(Vec<String>, InsertSource)> {
        let relation = &*target.relation;
        let width = rows.first().map_or(0, |r| r.len());
        if rows.iter().any(|r| r.len() != width) {
            return Err(SqlError::syntax("VALUES lists must all be the same length"));
        }
        let (columns, parts) = self.columns_and_parts(width, target, chosen)?;
        let (absent, rest) = self.absent_defaults(relation, &columns)?;
        let mut tuples = Vec::with_capacity(rows.len());
        let mut key = None;
        let clause = if rows.len() == 1 { Clause::Row } else { Clause::Values };
        let mut sets = Vec::new();
        for row in rows {
            let mut values = Vec::with_capacity(columns.len());
            if !parts.is_empty() {
                tuples.push(self.row_of_parts(relation, &columns, &parts, row, clause, &mut sets)?);
                continue;
            }
            for (column, expr) in columns.iter().zip(row) {
                let value = self.value_for(relation, column, expr, clause, &mut sets)?;
                if self.single && self.is_rowid(relation, column) {
                    key = Some(value.clone());
                }
                if column.generated.is_none() {
                    values.push(value);
                }
            }
            tuples.push(values);
        }
        let stored = columns.iter().filter(|c| c.generated.is_none()).map(|c| c.name.clone());
        if !sets.is_empty() {
            // One row in the text, and several in the table.
            self.single = false;
            let values = tuples.into_iter().flatten().chain(rest);
            let columns = values.map(|expr| Named { name: String::new(), expr }).collect();
            // WHERE keeps SQLite from reading ON CONFLICT as the ON of a join.
            let filter = Some(Typed::bool(true));
            let select = SelectTree { columns, from: in_step(sets), filter, ..SelectTree::default() };
            let query = QueryTree::of(Body::Select(Box::new(select)));
            return Ok((stored.chain(absent).collect(), InsertSource::Query(Box::new(query))));
        }
        if self.single {
            self.row = self.new_row(relation, key.as_ref())?;
        }
        Ok((stored.chain(absent).collect(), InsertSource::Values { rows: tuples, rest }))
    }

    /// The values of a row of which some are for parts of columns: what is not assigned of these is not there.
    fn row_of_parts(
        &mut self,
        relation: &Relation,
        columns: &[&Column],
        parts: &[PartOf],
        row: &[Expr],
        clause: Clause,
        sets: &mut Vec<FromItem>,
    ) -> SqlResult<Vec<Typed>> {
        let mut values: Vec<Option<Typed>> = vec![None; columns.len()];
        for ((place, steps), expr) in parts.iter().zip(row) {
            let column = columns[*place];
            if steps.is_empty() {
                values[*place] = Some(self.value_for(relation, column, expr, clause, sets)?);
                continue;
            }
            self.refuse_generated(column, false)?;
            if is_default(expr) {
                let text = "cannot set an array element to DEFAULT";
                return Err(SqlError::new(state::FEATURE_NOT_SUPPORTED, text));
            }
            self.levels.push(Level::new(clause));
            let bound = self.part_named(&steps.iter().collect::<Vec<_>>());
            let bound = bound.and_then(|part| Ok((part, self.expr(expr)?)));
            sets.extend(self.levels.pop().into_iter().flat_map(|level| level.sets));
            let (part, value) = bound?;
            self.put_part(&mut values[*place], column, part, value)?;
        }
        self.stored_row(relation, columns, values)
    }

    /// The same of values that a query gives.
    fn values_of_parts(
        &mut self,
        relation: &Relation,
        columns: &[&Column],
        parts: &[PartOf],
        given: Vec<Typed>,
    ) -> SqlResult<Vec<Typed>> {
        let mut values: Vec<Option<Typed>> = vec![None; columns.len()];
        for ((place, steps), value) in parts.iter().zip(given) {
            let column = columns[*place];
            if steps.is_empty() {
                values[*place] = Some(self.assign(value, column.ty, column.typmod, Some(&column.name))?);
                continue;
            }
            self.levels.push(Level::new(Clause::Values));
            let part = self.part_named(&steps.iter().collect::<Vec<_>>());
            self.levels.pop();
            self.put_part(&mut values[*place], column, part?, value)?;
        }
        self.stored_row(relation, columns, values)
    }

    /// Sets a part of what is there for a column so far.
    fn put_part(&mut self, whole: &mut Option<Typed>, column: &Column, part: Part, value: Typed) -> SqlResult<()> {
        let old = whole.take().unwrap_or_else(|| Typed::null(column.ty).typmod(column.typmod));
        *whole = Some(self.with_part(&column.name, old, part, value)?);
        Ok(())
    }

    /// What is stored of these values; those that are computed get none.
    fn stored_row(
        &mut self,
        relation: &Relation,
        columns: &[&Column],
        values: Vec<Option<Typed>>,
    ) -> SqlResult<Vec<Typed>> {
        let mut row = Vec::with_capacity(columns.len());
        for (column, value) in columns.iter().zip(values).filter(|(column, _)| column.generated.is_none()) {
            let value = value.unwrap_or_else(|| Typed::null(column.ty));
            let value = self.in_domain(value, column.domain)?;
            row.push(self.never_null(relation, column, value));
        }
        Ok(row)
    }

    /// An expression or DEFAULT as it is stored into a column. `sets`: functions in it that yield rows.
    pub(super) fn value_for(
        &mut self,
        relation: &Relation,
        column: &Column,
        expr: &Expr,
        clause: Clause,
        sets: &mut Vec<FromItem>,
    ) -> SqlResult<Typed> {
        let update = clause == Clause::Set;
        if is_default(expr) || !update && self.overriding == Overriding::User && column.identity.is_some() {
            return Ok(self.stored_default(relation, column)?.unwrap_or_else(|| Typed::null(column.ty)));
        }
        self.refuse_generated(column, update)?;
        let value = if update {
            self.within(Clause::Set, |this| this.expr(expr))?
        } else {
            self.levels.push(Level::new(clause));
            let value = self.expr(expr);
            sets.extend(self.levels.pop().into_iter().flat_map(|level| level.sets));
            value?
        };
        let value = self.assign(value, column.ty, column.typmod, Some(&column.name))?;
        let value = self.in_domain(value, column.domain)?;
        Ok(self.never_null(relation, column, value))
    }

    fn insert_query(
        &mut self,
        target: &Target,
        chosen: Chosen,
        query: &Query,
        conflict: bool,
    ) -> SqlResult<(Vec<String>, InsertSource)> {
        let relation = &*target.relation;
        let mut tree: QueryTree = self.query_tree(query)?;
        let width = tree.outputs().len();
        let (columns, parts) = self.columns_and_parts(width, target, chosen)?;
        for (i, column) in columns.iter().enumerate() {
            self.refuse_generated(column, false)?;
            if parts.is_empty() {
                self.assign_output(&mut tree, i, column)?;
            }
        }
        let mut whole = Vec::new();
        if !parts.is_empty() {
            self.decide_outputs(&mut tree)?;
            let outputs = tree.outputs().into_iter().enumerate().map(|(i, out)| {
                let value = Node::Column(ColumnRef::plain(format!("c{}", i + 1)));
                Typed::new(out.ty, value).typmod(out.typmod)
            });
            whole = self.values_of_parts(relation, &columns, &parts, outputs.collect())?;
        }
        let (absent, rest) = self.absent_defaults(relation, &columns)?;
        let names: Vec<String> = columns.iter().map(|c| c.name.clone()).chain(absent).collect();
        let rowid = columns.iter().position(|c| self.is_rowid(relation, c));
        self.lock_inside(&mut tree);
        let mut own = Vec::new();
        for column in &columns {
            let passed = self.overriding == Overriding::User && column.identity.is_some();
            own.push(if passed { self.stored_default(relation, column)? } else { None });
        }
        let plain = rest.is_empty() && !conflict && rowid.is_none() && own.iter().all(Option::is_none);
        if plain && parts.is_empty() {
            return Ok((names, InsertSource::Query(Box::new(tree))));
        }
        let value = |(i, column): (usize, &&Column)| {
            if let Some(default) = &own[i] {
                return default.clone();
            }
            if let Some(value) = whole.get(i) {
                return value.clone();
            }
            let value = Node::Column(ColumnRef::plain(format!("c{}", i + 1)));
            let value = Typed::new(column.ty, value).typmod(column.typmod);
            if rowid == Some(i) { never_null(relation, column, value) } else { value }
        };
        let values = columns.iter().enumerate().map(value).chain(rest);
        let values = values.map(|expr| Named { name: String::new(), expr }).collect();
        let mut around = QueryTree::around(self.embed(tree).query, 0, values);
        if let Body::Select(select) = &mut around.body {
            // WHERE keeps SQLite from reading ON CONFLICT as the ON of a join.
            select.filter = Some(Typed::bool(true));
        }
        Ok((names, InsertSource::Query(Box::new(around))))
    }

    /// `single`: one row is proposed, which cannot meet itself.
    fn on_conflict(&mut self, target: &Target, on: &OnConflict, single: bool) -> SqlResult<Conflict> {
        let relation = &target.relation;
        let column = |n: i16| relation.columns.iter().find(|c| c.attnum == n);
        let key = |c: &Column| Typed::new(c.ty, Node::Column(key_column(c)));
        let (mut predicate, mut nulls_equal) = (None, false);
        let range = target.range.id;
        let keys: Vec<Typed> = match (&on.conflict_target, spoken_keys(&on.action)) {
            (None, Some((elements, filter))) => {
                let found = self.arbiter(target, elements, filter)?;
                found.0.iter().chain(&found.1).for_each(|key| {
                    key.all(&mut |e| {
                        if let Node::Column(column) = &e.node {
                            self.needs.also(range, SELECT, [column.attnum]);
                        }
                    });
                });
                (predicate, nulls_equal) = (found.1, found.2);
                found.0
            }
            (None, None) => {
                relation.indexes.iter().filter(|i| i.unique).try_for_each(|i| check_arbiter(relation, i))?;
                Vec::new()
            }
            (Some(ConflictTarget::Columns(idents)), _) => {
                let mut wanted = Vec::new();
                for ident in idents {
                    let name = fold(ident);
                    let place = target.place(&name).ok_or_else(|| {
                        let text = format!("column \"{name}\" does not exist");
                        error_at(self, SqlError::new(state::UNDEFINED_COLUMN, text), ident.span.start)
                    })?;
                    wanted.push(target.surface.column(place, true).map_err(|_| no_arbiter())?);
                }
                wanted.sort_unstable();
                wanted.dedup();
                // An expression among the keys is none of the columns.
                let fits = |keys: Option<Vec<i16>>| {
                    keys.is_some_and(|mut keys| {
                        keys.sort_unstable();
                        keys == wanted
                    })
                };
                let fits = |i: &&Index| i.is_total_key() && fits(i.keys.iter().map(|k| k.column).collect());
                let mut found = relation.indexes.iter().filter(fits).peekable();
                found.peek().ok_or_else(no_arbiter)?;
                found.try_for_each(|index| {
                    nulls_equal |= index.nulls_equal;
                    check_arbiter(relation, index)
                })?;
                self.needs.also(range, SELECT, wanted.iter().copied());
                wanted.into_iter().filter_map(column).map(key).collect()
            }
            (Some(ConflictTarget::OnConstraint(name)), _) => {
                let (_, name) = schema_and_name(name)?;
                let unique =
                    |k: &ConstraintKind| matches!(k, ConstraintKind::PrimaryKey { .. } | ConstraintKind::Unique { .. });
                let constraint = target.named.constraints.iter().find(|c| c.name == name && unique(&c.kind));
                let constraint = constraint.ok_or_else(|| {
                    let text = format!("constraint \"{name}\" for table \"{}\" does not exist", target.named.name);
                    SqlError::new(state::UNDEFINED_OBJECT, text)
                })?;
                let index = relation.indexes.iter().find(|i| constraint.index() == Some(i.oid));
                nulls_equal = index.is_some_and(|index| index.nulls_equal);
                index.map_or(Ok(()), |index| check_arbiter(relation, index))?;
                self.needs.also(range, SELECT, constraint.columns.iter().copied());
                constraint.columns.iter().filter_map(|n| column(*n)).map(key).collect()
            }
        };
        let update = match &on.action {
            OnConflictAction::DoNothing => return Ok(Conflict { keys, predicate, nulls_equal, update: None }),
            OnConflictAction::DoUpdate(update) => update,
        };
        let assignments: Vec<&Assignment> =
            update.assignments.iter().filter(|a| !matches!(marked(a), Some(phrases::KEYS | phrases::WHERE))).collect();
        if let [only] = assignments[..]
            && marked(only) == Some(phrases::NOTHING)
        {
            return Ok(Conflict { keys, predicate, nulls_equal, update: None });
        }
        if keys.is_empty() {
            return Err(SqlError::syntax("ON CONFLICT DO UPDATE requires inference specification or constraint name")
                .hint("For example, ON CONFLICT (column_name)."));
        }
        let id = self.next_id();
        let excluded = self.excluded_surface(&target.named, id)?;
        // Reading what was to be stored takes the right to read what is.
        self.needs.stands_for(id, target.range.id);
        let excluded = Range {
            id,
            alias: "excluded".into(),
            schema: None,
            relation: None,
            columns: excluded,
            scalar: false,
            optional: false,
            numbered: false,
            derived: false,
        };
        let mut level = Level::new(Clause::Set);
        level.names = Names::of(target.range.clone());
        level.names.append(Names::of(excluded))?;
        self.levels.push(level);
        let set = self.assignments(target, assignments);
        let condition = update.selection.as_ref().map(|w| self.where_clause(w)).transpose();
        self.levels.pop();
        let once = (!single).then(|| target.rowid());
        Ok(Conflict {
            keys,
            predicate,
            nulls_equal,
            update: Some(ConflictUpdate { set: set?, filter: condition?, once }),
        })
    }

    /// The unique index that has these keys, and holds what passes `filter`: its own keys and condition.
    fn arbiter(
        &mut self,
        target: &Target,
        elements: &[Expr],
        filter: Option<&Expr>,
    ) -> SqlResult<(Vec<Typed>, Option<Typed>, bool)> {
        let id = self.next_id();
        let relation = &*target.relation;
        // The statement's own names of the columns.
        let spoken = |this: &Self, kept| {
            let mut level = this.column_level(Some(relation), id, kept);
            let columns = std::mem::take(&mut level.names.columns);
            for (column, place) in target.named.columns.iter().zip(&target.surface.places) {
                let Place::Column(attnum) = place else { continue };
                let own = columns.iter().zip(&relation.columns).find(|(_, c)| c.attnum == *attnum);
                level.names.columns.extend(own.map(|(c, _)| Named { name: column.name.clone(), ..c.clone() }));
            }
            for range in &mut level.names.ranges {
                range.alias.clone_from(&target.range.alias);
                range.columns.clone_from(&level.names.columns);
            }
            level
        };
        let mut wanted = Vec::new();
        for element in elements {
            let element = if let Expr::Collate { expr, .. } = element { expr } else { element };
            let level = spoken(self, super::Kept::Index);
            wanted.push(self.column_tree_in(level, element, None)?);
        }
        let condition = Some((Type::BOOL, crate::types::NO_TYPMOD));
        let filter = match filter {
            Some(filter) => {
                let level = spoken(self, super::Kept::Predicate);
                Some(self.column_tree_in(level, filter, condition)?)
            }
            None => None,
        };
        for index in relation.indexes.iter().filter(|index| index.unique && index.valid) {
            let mut keys = Vec::new();
            for key in &index.keys {
                let column = key.column.and_then(|n| relation.columns.iter().find(|c| c.attnum == n));
                let expr = match (&key.expression, column) {
                    (Some(text), _) => super::parse_expr(text)?,
                    (None, Some(column)) => {
                        Expr::Identifier(sqlparser::ast::Ident::with_quote('"', column.name.as_str()))
                    }
                    (None, None) => return Err(SqlError::internal("an index key without a column")),
                };
                keys.push(self.column_tree(Some(relation), id, &expr, None, super::Kept::Index)?);
            }
            if !wanted.iter().all(|e| keys.contains(e)) || !keys.iter().all(|e| wanted.contains(e)) {
                continue;
            }
            let predicate = match &index.predicate {
                Some(text) => {
                    let text = super::parse_expr(text)?;
                    Some(self.column_tree(Some(relation), id, &text, condition, super::Kept::Predicate)?)
                }
                None => None,
            };
            let holds = |predicate: &Typed| filter.as_ref().is_some_and(|filter| implies(filter, predicate));
            if predicate.as_ref().is_none_or(holds) {
                check_arbiter(relation, index)?;
                return Ok((keys, predicate, index.nulls_equal));
            }
        }
        Err(no_arbiter())
    }

    /// Which rows of the target are changed.
    fn rows_of(&mut self, target: &Target, condition: &Expr) -> SqlResult<Typed> {
        let Some(cursor) = phrases::cursor_of(condition) else { return self.where_clause(condition) };
        if !self.surfaces.is_empty() {
            let message = "WHERE CURRENT OF on a view is not implemented";
            return Err(SqlError::new(state::FEATURE_NOT_SUPPORTED, message));
        }
        let table = Typed::constant(Type::OID, Value::Int(target.relation.oid.into()));
        let args = vec![Typed::text(cursor), table, Typed::text(&target.relation.name)];
        let place = Typed::apply(Type::INT8, Op::Internal("q_current_of"), args);
        let rowid = Typed::new(Type::INT8, Node::Column(ColumnRef { attnum: -1, ..target.rowid() }));
        self.operator("=", Some(rowid), place)
    }

    pub(super) fn where_clause(&mut self, expr: &Expr) -> SqlResult<Typed> {
        self.within(Clause::Where, |this| {
            let condition = this.expr(expr)?;
            let condition = this.condition(condition, "WHERE")?;
            this.entailed(condition)
        })
    }

    /// Counts what it takes to find the rows of the target; the current level is that of the statement. `keys`: it
    /// changes keys, or deletes rows, that foreign keys may refer to. Returns whether it is one row at most.
    fn weigh(&mut self, target: &Target, filter: Option<&Typed>, keys: bool) -> bool {
        let sources = self.level().sources;
        let short = sources == 0 && is_one_row(&target.relation, target.range.id, filter);
        let effort = match sources {
            0 if short => Effort::Key,
            0 if !(keys && self.is_referenced_without_index(&target.relation)) => Effort::Scan,
            _ => Effort::Open,
        };
        self.effort = self.effort.max(effort);
        short
    }

    /// The row that passes `filter`, if that has a number for its rowid.
    fn named_row(&mut self, target: &Relation, filter: Option<&Typed>, change: RowChange) -> Option<NamedRow> {
        let key = self.scope.catalog.rowid_column(target)?;
        let range = self.level().names.ranges.first()?.id;
        let mut fixed = Vec::new();
        fixed_columns(filter?, range, &mut fixed);
        let (_, value) = fixed.into_iter().find(|(column, _)| *column == key)?;
        Some(NamedRow { table: target.oid, rowid: rowid(value)?, change })
    }

    /// Whether it changes columns that have to be unique, or the primary key.
    fn changes_keys(&self, target: &Target, assignments: &[Assignment]) -> bool {
        let changed = assigned_columns(target, assignments);
        let target = &*target.relation;
        let unique = target.indexes.iter().filter(|index| index.unique).flat_map(|index| &index.keys);
        let mut keys = unique.filter_map(|key| key.column).chain(self.scope.catalog.rowid_column(target));
        keys.any(|key| changed.contains(&key))
    }

    /// Whether nothing but its primary key decides if a new row is welcome.
    fn is_ruled_by_primary_key(&self, relation: &Relation) -> bool {
        !relation.constraints.iter().any(|constraint| matches!(constraint.kind, ConstraintKind::ForeignKey { .. }))
            && relation.indexes.iter().all(|index| !index.unique || index.primary && relation.is_immediate(index))
    }

    /// Whether other rows may have a say in whether a row may be changed like this: those that have to differ from it, or
    /// that it refers to.
    fn has_rivals(&self, target: &Target, assignments: &[Assignment]) -> bool {
        let changed = assigned_columns(target, assignments);
        let relation = &*target.relation;
        let refers = |constraint: &Constraint| {
            matches!(constraint.kind, ConstraintKind::ForeignKey { .. })
                && constraint.columns.iter().any(|column| changed.contains(column))
        };
        let plain = |attnum: i16| relation.columns.iter().any(|c| c.attnum == attnum && c.generated.is_none());
        let odd =
            |index: &Index| index.predicate.is_some() || !index.keys.iter().all(|key| key.column.is_some_and(plain));
        self.changes_keys(target, assignments)
            || relation.constraints.iter().any(refers)
            || relation.indexes.iter().any(|index| index.unique && odd(index))
    }

    /// Whether rows of other tables may refer to the target's.
    fn is_referenced(&self, target: &Relation) -> bool {
        let to_it = |constraint: &Constraint| matches!(constraint.kind, ConstraintKind::ForeignKey { table, .. } if table == target.oid);
        self.scope.catalog.relations.values().any(|relation| relation.constraints.iter().any(to_it))
    }

    /// Whether each row that goes needs a search of another table, because a foreign key's columns have no index.
    fn is_referenced_without_index(&self, target: &Relation) -> bool {
        self.scope.catalog.relations.values().any(|relation| {
            relation.constraints.iter().any(|constraint| {
                let leads = |index: &Index| {
                    index.keys.first().and_then(|key| key.column) == constraint.columns.first().copied()
                };
                let rowid = self.scope.catalog.rowid_column(relation);
                matches!(constraint.kind, ConstraintKind::ForeignKey { table, .. } if table == target.oid)
                    && !relation.indexes.iter().any(|index| index.valid && index.predicate.is_none() && leads(index))
                    && constraint.columns.first().copied() != rowid
            })
        })
    }

    /// `a = 1, (b, c) = (2, 3), (d, e) = (SELECT …)`
    pub(super) fn assignments<'e>(
        &mut self,
        target: &Target,
        assignments: impl IntoIterator<Item = &'e Assignment>,
    ) -> SqlResult<Vec<Assigned>> {
        let relation = &*target.relation;
        let own = |this: &Self, name: &ObjectName| -> SqlResult<Column> {
            if let [ObjectNamePart::Identifier(first), ObjectNamePart::Identifier(field), ..] = &name.0[..] {
                return Err(this.no_field(target, first, field));
            }
            let place = this.assigned_place(target, &schema_and_name(name)?.1, name_start(name))?;
            Ok(target.columns(&[place], false)?[0].clone())
        };
        let (mut set, mut seen): (Vec<Assigned>, Vec<i16>) = (Vec::new(), Vec::new());
        let mut parts: Vec<i16> = Vec::new();
        let mut find = |this: &Self, name: &ObjectName| -> SqlResult<Column> {
            let (at, column) = (name_start(name), own(this, name)?);
            if seen.contains(&column.attnum) {
                let text = format!("multiple assignments to same column \"{}\"", column.name);
                return Err(error_at(this, SqlError::syntax(text), at));
            }
            seen.push(column.attnum);
            Ok(column)
        };
        let assignments: Vec<&Assignment> = assignments.into_iter().collect();
        self.assigned.clear();
        let changed: Vec<i16> =
            assignments.iter().flat_map(|a| assigned_columns(target, std::slice::from_ref(*a))).collect();
        let is_changed = |place: &Place| matches!(place, Place::Column(attnum) if changed.contains(attnum));
        let named = target.named.columns.iter().zip(&target.surface.places).filter(|(_, place)| is_changed(place));
        self.note_written(&target.named, UPDATE, &named.map(|(column, _)| column.attnum).collect::<Vec<_>>());
        self.needs.also(self.target, UPDATE, changed);
        for assignment in assignments {
            match &assignment.target {
                AssignmentTarget::ColumnName(name) if name.0.iter().any(|p| p.as_ident().is_none()) => {
                    let (name, steps) = split_target(name);
                    let column = own(self, &name)?;
                    let before = set.iter().position(|a| !a.whole && a.columns[0].0 == column.attnum);
                    if before.is_none() != parts.contains(&column.attnum) {
                        parts.push(column.attnum);
                    } else {
                        find(self, &name)?;
                    }
                    self.refuse_generated(&column, true)?;
                    let old = match before {
                        Some(at) => set.remove(at).value,
                        None => self.old_value(&column),
                    };
                    let value = self.element_assignment(&column, old, &steps, &assignment.value)?;
                    set.push(Assigned::one(&column, value));
                }
                AssignmentTarget::ColumnName(name) => {
                    let column = find(self, name)?;
                    if parts.contains(&column.attnum) {
                        let text = format!("multiple assignments to same column \"{}\"", column.name);
                        return Err(error_at(self, SqlError::syntax(text), name_start(name)));
                    }
                    let value = self.value_for(relation, &column, &assignment.value, Clause::Set, &mut vec![])?;
                    if column.generated.is_none() {
                        set.push(Assigned::one(&column, value));
                    }
                }
                AssignmentTarget::Tuple(names) => {
                    let columns: Vec<Column> = names.iter().map(|n| find(self, n)).collect::<SqlResult<_>>()?;
                    set.extend(self.tuple_assignment(relation, &columns, &assignment.value)?);
                }
            }
        }
        for assigned in set.iter_mut().filter(|a| !a.whole && parts.contains(&a.columns[0].0)) {
            // What came of all its parts is what has to be in its domain.
            let domain = relation.column_at(assigned.columns[0].0).and_then(|column| column.domain);
            let value = std::mem::replace(&mut assigned.value, Typed::null(Type::UNKNOWN));
            assigned.value = self.in_domain(value, domain)?;
        }
        if set.is_empty() {
            // Only generated columns set to DEFAULT: they follow by themselves.
            let first = relation.columns.iter().find(|c| c.generated.is_none());
            let first = first.ok_or_else(|| SqlError::unsupported("a table of generated columns only"))?;
            let same = Node::Column(ColumnRef::plain(first.name.as_str()));
            set.push(Assigned::one(first, Typed::new(first.ty, same)));
        }
        Ok(set)
    }

    /// What foreign keys pass on to other rows has to fit there, too.
    fn fit_references(&mut self, target: &Target, set: &mut [Assigned]) -> SqlResult<()> {
        let cascades = |c: &&Constraint| {
            matches!(c.kind, ConstraintKind::ForeignKey { table, on_update: Action::Cascade, .. }
                if table == target.relation.oid)
        };
        let relations = self.scope.catalog.relations.values();
        let keys = relations.flat_map(|r| r.constraints.iter().filter(cascades).map(move |c| (r, c)));
        // As they were made: the first that something does not fit into tells.
        let mut keys: Vec<_> = keys.collect();
        keys.sort_by_key(|(_, constraint)| constraint.oid);
        for (child, constraint) in keys {
            let ConstraintKind::ForeignKey { columns, .. } = &constraint.kind else { continue };
            for assigned in set.iter_mut().filter(|a| !a.whole) {
                let mut pairs = constraint.columns.iter().zip(columns);
                let own =
                    pairs.find(|(_, key)| **key == assigned.columns[0].0).and_then(|(own, _)| child.column_at(*own));
                let key = target.relation.column_at(assigned.columns[0].0);
                if let (Some(own), Some(key)) = (own, key)
                    && is_narrower(own, &assigned.value)
                {
                    let value = std::mem::replace(&mut assigned.value, Typed::null(Type::UNKNOWN));
                    assigned.value = self.fitting(target, key, value, own)?;
                }
            }
        }
        Ok(())
    }

    /// A new value of a key by way of the type of a column that follows it. As in PostgreSQL it has to fit there whether a row
    /// has the old one or not, but not if it stays.
    fn fitting(&mut self, target: &Target, key: &Column, value: Typed, own: &Column) -> SqlResult<Typed> {
        let column = ColumnRef::of(target.range.id, target.table.as_str(), key.name.as_str());
        let old = Typed::new(key.ty, Node::Column(ColumnRef { collated: true, ..column })).typmod(key.typmod);
        let changes = self.operator("<>", Some(old), value.clone())?;
        let (ty, typmod) = (value.ty, value.typmod);
        let fitted = self.assign(value.clone(), own.ty, own.typmod, Some(&own.name))?;
        let fitted = self.assign(fitted, ty, typmod, Some(&key.name))?;
        Ok(Typed::apply(ty, Op::Case, vec![changes, fitted, value]).typmod(typmod))
    }

    /// What a column has before the row is changed.
    fn old_value(&mut self, column: &Column) -> Typed {
        let own = self.level().names.ranges.first().into_iter().flat_map(|range| &range.columns);
        let is_it = |e: &Typed| matches!(&e.node, Node::Column(c) if c.attnum == column.attnum);
        own.filter(|named| is_it(&named.expr)).map(|named| named.expr.clone()).next().unwrap_or_else(|| {
            Typed::new(column.ty, Node::Column(ColumnRef::plain(column.name.as_str()))).typmod(column.typmod)
        })
    }

    /// `a[1] = x`, `j['a'] = x`: the whole value with that part set.
    fn element_assignment(
        &mut self,
        column: &Column,
        old: Typed,
        steps: &[&sqlparser::ast::ObjectNamePartFunction],
        value: &Expr,
    ) -> SqlResult<Typed> {
        if is_default(value) {
            let text = "cannot set an array element to DEFAULT";
            return Err(SqlError::new(state::FEATURE_NOT_SUPPORTED, text));
        }
        let (part, value) = self.within(Clause::Set, |this| Ok((this.part_named(steps)?, this.expr(value)?)))?;
        let old = Typed { ty: column.ty, typmod: column.typmod, ..old };
        self.with_part(&column.name, old, part, value)
    }

    /// The part of a value that subscripts behind its name mean.
    fn part_named(&mut self, steps: &[&sqlparser::ast::ObjectNamePartFunction]) -> SqlResult<Part> {
        let mut bounds = Vec::with_capacity(steps.len());
        for step in steps {
            let mut both = Vec::with_capacity(2);
            for arg in &step.args {
                both.push(self.subscript_given(arg, Location::empty())?);
            }
            bounds.push(both);
        }
        if steps.iter().all(|step| step.name.value == phrases::ELEMENT) {
            return Ok(Part::Element(bounds.into_iter().flatten().flatten().collect()));
        }
        // Among slices, `n` is `1:n`.
        let first = || Some(Typed::constant(Type::INT4, Value::Int(1)));
        let pair = |mut both: Vec<Option<Typed>>| match (both.pop(), both.pop()) {
            (Some(upper), Some(lower)) => [lower, upper],
            (Some(index), None) => [first(), index],
            _ => [None, None],
        };
        Ok(Part::Slice(bounds.into_iter().map(pair).collect()))
    }

    /// A value with a part set.
    pub(super) fn with_part(&mut self, name: &str, old: Typed, part: Part, value: Typed) -> SqlResult<Typed> {
        let (whole, whole_typmod) = (old.ty, old.typmod);
        let slice = matches!(part, Part::Slice(_));
        let (op, ty, typmod, target) = match (whole, slice) {
            (Type::JSONB, false) => (Op::SetElement, Type::JSONB, crate::types::NO_TYPMOD, whole),
            (Type::JSONB, true) => {
                let text = "jsonb subscript does not support slices";
                return Err(SqlError::new(state::DATATYPE_MISMATCH, text));
            }
            (ty, true) if ty.is_array() => (Op::SetSlice, ty, whole_typmod, ty),
            (ty, false) if ty.is_array() => (Op::SetElement, ty.element().unwrap_or(Type::TEXT), whole_typmod, ty),
            (ty, _) => {
                let name = self.type_name(ty);
                let text = format!("cannot subscript type {name} because it does not support subscripting");
                return Err(SqlError::new(state::DATATYPE_MISMATCH, text));
            }
        };
        let from = value.ty;
        let value =
            self.try_coerce(value, ty, typmod, crate::functions::CastContext::Assignment)?.ok_or_else(|| {
                let (to, from) = (self.type_name(ty), self.type_name(from));
                let text =
                    format!("subscripted assignment to \"{name}\" requires type {to} but expression is of type {from}");
                SqlError::new(state::DATATYPE_MISMATCH, text).hint("You will need to rewrite or cast the expression.")
            })?;
        let mut args = vec![old];
        if whole.is_array() {
            array::check_dimensions(match &part {
                Part::Element(bounds) => bounds.len(),
                Part::Slice(bounds) => bounds.len(),
            })?;
        }
        match part {
            Part::Element(bounds) if whole == Type::JSONB => {
                args.push(Typed::bool(bounds.first().is_some_and(|first| first.ty.is_integer())));
                args.push(value);
                for bound in bounds {
                    args.push(self.jsonb_subscript(bound)?);
                }
            }
            Part::Element(bounds) => {
                args.push(value);
                for bound in bounds {
                    args.push(self.subscript(bound)?);
                }
            }
            Part::Slice(bounds) => {
                args.push(value);
                args.extend(self.slice_bounds(bounds)?);
            }
        }
        Ok(Typed::apply(target, op, args).typmod(whole_typmod))
    }

    fn tuple_assignment(&mut self, relation: &Relation, columns: &[Column], value: &Expr) -> SqlResult<Vec<Assigned>> {
        let mut inner = value;
        while let Expr::Nested(e) = inner {
            inner = e;
        }
        if let Expr::Subquery(query) = inner {
            let mut tree = self.query_tree(query)?;
            if tree.outputs().len() != columns.len() {
                return Err(SqlError::syntax("number of columns does not match number of values"));
            }
            // A subquery decides by itself what its literals are.
            self.decide_outputs(&mut tree)?;
            for (i, column) in columns.iter().enumerate() {
                self.refuse_generated(column, true)?;
                self.assign_output(&mut tree, i, column)?;
            }
            let single = !tree.at_most_one_row();
            let query = SubQuery { single, ..self.embed(tree) };
            let value = Typed::new(Type::RECORD, Node::Query(Box::new(query)));
            let columns = columns.iter().map(|c| (c.attnum, c.name.clone())).collect();
            return Ok(vec![Assigned { columns, value, whole: true }]);
        }
        let row = row_fields(inner);
        let fields: Vec<&Expr> = match &row {
            Some(fields) => fields.clone(),
            None if columns.len() == 1 => vec![inner],
            None => {
                let text = "source for a multiple-column UPDATE item must be a sub-SELECT or ROW() expression";
                return Err(SqlError::new(state::FEATURE_NOT_SUPPORTED, text));
            }
        };
        if fields.len() != columns.len() {
            return Err(SqlError::syntax("number of columns does not match number of values"));
        }
        let mut set = Vec::with_capacity(columns.len());
        for (column, expr) in columns.iter().zip(fields) {
            let value = self.value_for(relation, column, expr, Clause::Set, &mut vec![])?;
            set.push(Assigned::one(column, value));
        }
        Ok(set)
    }

    fn table_of(&mut self, table: &TableWithJoins, action: &str) -> SqlResult<Target> {
        match &table.relation {
            TableFactor::Table { name, alias, args: None, .. } if table.joins.is_empty() => {
                self.target(name, alias.as_ref().map(|a| fold(&a.name)), action)
            }
            other => Err(SqlError::syntax(format!("syntax error at or near \"{other}\""))),
        }
    }

    fn update(&mut self, update: &Update) -> SqlResult<Changed> {
        if update.or.is_some() || update.output.is_some() || !update.order_by.is_empty() || update.limit.is_some() {
            return Err(SqlError::syntax("syntax error in UPDATE"));
        }
        let target = self.table_of(&update.table, "update")?;
        let relation = target.relation.clone();
        let mut level = Level::new(Clause::Set);
        level.names = Names::of(target.range.clone());
        self.levels.push(level);
        let result = (|| {
            let from = match &update.from {
                None => Vec::new(),
                Some(UpdateTableFromKind::AfterSet(from) | UpdateTableFromKind::BeforeSet(from)) => {
                    self.bind_beside(&target.range, from)?
                }
            };
            // In PostgreSQL's order, which decides the types of parameters.
            let filter = update.selection.as_ref().map(|w| self.rows_of(&target, w)).transpose()?;
            let filter = target.surface.rows(filter);
            let mut set = self.assignments(&target, &update.assignments)?;
            self.fit_references(&target, &mut set)?;
            let keys = self.changes_keys(&target, &update.assignments);
            let short = self.weigh(&target, filter.as_ref(), keys);
            self.single = short && !self.has_rivals(&target, &update.assignments);
            if self.single {
                self.row = self.named_row(&relation, filter.as_ref(), RowChange::Update);
            }
            Ok((set, from, filter))
        })();
        let names = self.levels.pop().map(|level| level.names).unwrap_or_default();
        let (mut set, mut from, filter) = result?;
        let filter = self.there_before(&relation, &target.table, (target.range.id, target.rowid()), filter);
        if from.is_empty() && set.iter().any(|assigned| assigned.value.has_subquery()) {
            // SQLite computes all values before it changes a row only where there is a FROM.
            from.push(FromItem::Value { value: Typed::bool(true), range: self.next_id() });
        }
        let others = Others::new(&target, names);
        let returning = self.returning(&target.relation, others.names.clone(), update.returning.as_deref())?;
        if let Some(kept) = others.keep(returning.as_deref()) {
            self.keep_in(&mut set, &target, kept)?;
        }
        self.mark(&mut from);
        let returning = self.with_checks(&target, returning)?;
        Ok((target.table, Change::Update(UpdateTree { set, from, filter }), returning))
    }

    /// Has the values of other tables' columns kept while a row is updated. A value that is assigned takes them along;
    /// if possible that of a single column, and if the rowid is among them, that one, because RETURNING sees the new one.
    fn keep_in(&self, set: &mut Vec<Assigned>, target: &Target, kept: Kept) -> SqlResult<()> {
        let relation = &target.relation;
        let key = self.scope.catalog.rowid_column(relation);
        let sets = |a: &Assigned, column: i16| a.columns.iter().any(|(n, _)| *n == column);
        let moved = |a: &Assigned| key.is_some_and(|key| sets(a, key));
        let refused = || SqlError::unsupported("RETURNING of columns of other tables with this assignment");
        if let Some(assigned) = set.iter_mut().find(|a| moved(a)) {
            if assigned.whole {
                return Err(refused());
            }
            let value = std::mem::replace(&mut assigned.value, Typed::null(Type::UNKNOWN));
            assigned.value = kept.beside(Typed::null(Type::INT8), value);
            return Ok(());
        }
        let rowid = Typed::new(Type::INT8, Node::Column(target.rowid()));
        if let Some(assigned) = set.iter_mut().find(|a| !a.whole) {
            let value = std::mem::replace(&mut assigned.value, Typed::null(Type::UNKNOWN));
            assigned.value = kept.beside(rowid, value);
            return Ok(());
        }
        let spare =
            |c: &&Column| c.generated.is_none() && Some(c.attnum) != key && !set.iter().any(|a| sets(a, c.attnum));
        let spare = relation.columns.iter().find(spare).ok_or_else(refused)?;
        let same = Node::Column(ColumnRef::of(target.range.id, target.table.as_str(), spare.name.as_str()));
        set.push(Assigned::one(spare, kept.beside(rowid, Typed::new(spare.ty, same).typmod(spare.typmod))));
        Ok(())
    }

    fn delete(&mut self, delete: &Delete) -> SqlResult<Changed> {
        if !delete.tables.is_empty() || delete.output.is_some() || !delete.order_by.is_empty() || delete.limit.is_some()
        {
            return Err(SqlError::syntax("syntax error in DELETE"));
        }
        let (FromTable::WithFromKeyword(from) | FromTable::WithoutKeyword(from)) = &delete.from;
        let [table] = &from[..] else { return Err(SqlError::syntax("syntax error at or near \",\"")) };
        let target = self.table_of(table, "delete from")?;
        let mut level = Level::new(Clause::Where);
        level.names = Names::of(target.range.clone());
        self.levels.push(level);
        let result = (|| {
            let using = match &delete.using {
                Some(using) => self.bind_beside(&target.range, using)?,
                None => Vec::new(),
            };
            let filter = delete.selection.as_ref().map(|w| self.rows_of(&target, w)).transpose()?;
            let filter = target.surface.rows(filter);
            let short = self.weigh(&target, filter.as_ref(), true);
            self.single = short && !self.is_referenced(&target.relation);
            if self.single {
                self.row = self.named_row(&target.relation, filter.as_ref(), RowChange::Delete);
            }
            Ok((using, filter))
        })();
        let names = self.levels.pop().map(|level| level.names).unwrap_or_default();
        let (mut using, filter) = result?;
        self.mark(&mut using);
        let place = (target.range.id, target.rowid());
        let filter = self.there_before(&target.relation, &target.table, place, filter);
        let (others, rowid) = (Others::new(&target, names), target.rowid());
        let returning = self.returning(&target.relation, others.names.clone(), delete.returning.as_deref())?;
        if let Some(columns) = returning.clone().filter(|_| using.is_empty() && self.leads_back(&target.relation)) {
            // What goes, or is set to NULL, with a row is not changed yet where the row is told of.
            let from = vec![FromItem::Table { name: target.table.clone(), range: 0 }];
            let select = SelectTree { columns, from, filter: filter.clone(), ..SelectTree::default() };
            self.parts.told = Some(self.parts.keep_first(QueryTree::of(Body::Select(Box::new(select)))));
        }
        let row = Typed::new(Type::INT8, Node::Column(rowid.clone()));
        let found = others.keep(returning.as_deref()).map(|kept| kept.beside(row.clone(), row));
        Ok((target.table, Change::Delete(DeleteTree { rowid, using, filter, found }), returning))
    }

    fn returning(
        &mut self,
        relation: &Arc<Relation>,
        names: Names,
        items: Option<&[SelectItem]>,
    ) -> SqlResult<Option<Vec<Named>>> {
        let Some(items) = items else { return Ok(None) };
        // Its subqueries do not see what is being changed.
        let around = self.parts.changing.replace(relation.clone());
        let mut level = Level::new(Clause::Returning);
        level.names = names;
        self.levels.push(level);
        let columns = self.select_list(items).and_then(|columns| {
            columns
                .into_iter()
                .map(|c| Ok(Named { expr: self.decide_text(c.expr)?, name: c.name }))
                .collect::<SqlResult<Vec<_>>>()
        });
        self.levels.pop();
        self.parts.changing = around;
        columns.map(Some)
    }
}

/// MERGE, also behind WITH.
fn merge_of(statement: &Statement) -> Option<&sqlparser::ast::Merge> {
    match statement {
        Statement::Merge(merge) => Some(merge),
        Statement::Query(query) => match &*query.body {
            SetExpr::Merge(statement) => merge_of(statement),
            _ => None,
        },
        _ => None,
    }
}

/// The rowid that a row gets, or is found by, as far as the text tells.
fn rowid(value: &Typed) -> Option<RowId> {
    match &value.node {
        Node::Const(Value::Int(rowid)) => Some(RowId::Const(*rowid)),
        Node::Param(n) => Some(RowId::Param(*n)),
        _ if value.is_nextval() => Some(RowId::New),
        _ => None,
    }
}

/// A value, or the error of its being NULL.
fn never_null(relation: &Relation, column: &Column, value: Typed) -> Typed {
    Typed::apply(column.ty, Op::NeverNull, vec![value, null_violation(relation, column)])
}

/// An expression that is the error of a NULL in this column. SQLite evaluates it only where it is reached.
fn null_violation(relation: &Relation, column: &Column) -> Typed {
    let names = [&relation.schema, &relation.name, &column.name];
    let names = names.map(|name| Typed::constant(Type::TEXT, Value::Text(name.clone())));
    Typed::apply(column.ty, Op::NullViolation, names.to_vec())
}

fn not_updatable(relation: &Relation, action: &str) -> SqlError {
    let name = &relation.name;
    match &relation.kind {
        RelationKind::View { .. } => {
            SqlError::new(state::WRONG_OBJECT_TYPE, format!("cannot {action} view \"{name}\""))
                .hint("To enable copying to a view, provide an INSTEAD OF INSERT trigger.")
        }
        RelationKind::Materialized { .. } => {
            SqlError::new(state::WRONG_OBJECT_TYPE, format!("cannot change materialized view \"{name}\""))
        }
        RelationKind::System => {
            SqlError::new(state::INSUFFICIENT_PRIVILEGE, format!("permission denied: \"{name}\" is a system catalog"))
        }
        RelationKind::Sequence(_) => {
            SqlError::new(state::WRONG_OBJECT_TYPE, format!("cannot change sequence \"{name}\""))
        }
        _ => SqlError::new(state::WRONG_OBJECT_TYPE, format!("\"{name}\" is not a table")),
    }
}

/// The name of a column that is assigned to, and what of it is.
fn split_target(name: &ObjectName) -> (ObjectName, Vec<&sqlparser::ast::ObjectNamePartFunction>) {
    let steps = name.0.iter().filter_map(|part| match part {
        sqlparser::ast::ObjectNamePart::Function(step) => Some(step),
        sqlparser::ast::ObjectNamePart::Identifier(_) => None,
    });
    (ObjectName(name.0.iter().filter(|part| part.as_ident().is_some()).cloned().collect()), steps.collect())
}

/// The name that is assigned to, if nobody could have written it.
fn marked(assignment: &Assignment) -> Option<&str> {
    match &assignment.target {
        AssignmentTarget::ColumnName(name) => {
            Some(name.0.last()?.as_ident()?.value.as_str()).filter(|name| name.starts_with(phrases::MARK))
        }
        AssignmentTarget::Tuple(_) => None,
    }
}

/// ON CONFLICT's expressions and condition, if it does not name columns only.
fn spoken_keys(action: &OnConflictAction) -> Option<(&[Expr], Option<&Expr>)> {
    let OnConflictAction::DoUpdate(update) = action else { return None };
    let find = |name: &str| update.assignments.iter().find(|a| marked(a) == Some(name)).map(|a| &a.value);
    match find(phrases::KEYS)? {
        Expr::Array(array) => Some((&array.elem, find(phrases::WHERE))),
        _ => None,
    }
}

/// Whether a value may not fit into a column.
fn is_narrower(column: &Column, value: &Typed) -> bool {
    match (column.ty, value.ty) {
        (Type::INT2, Type::INT4 | Type::INT8) | (Type::INT4, Type::INT8) => true,
        (Type::VARCHAR | Type::BPCHAR, Type::TEXT | Type::VARCHAR | Type::BPCHAR) => {
            column.typmod != NO_TYPMOD && (column.ty, column.typmod) != (value.ty, value.typmod)
        }
        _ => false,
    }
}

fn no_arbiter() -> SqlError {
    let text = "there is no unique or exclusion constraint matching the ON CONFLICT specification";
    SqlError::new(state::INVALID_COLUMN_REFERENCE, text)
}

/// Errors: 55000 where keys may be there twice for a while.
fn check_arbiter(relation: &Relation, index: &Index) -> SqlResult<()> {
    if relation.is_immediate(index) {
        return Ok(());
    }
    let text = "ON CONFLICT does not support deferrable unique constraints/exclusion constraints as arbiters";
    Err(SqlError::new(state::OBJECT_NOT_IN_PREREQUISITE_STATE, text)
        .table(&relation.schema, &relation.name)
        .constraint(&index.name))
}

/// Whether a row that passes `filter` certainly passes `predicate`, as far as their parts tell.
fn implies(filter: &Typed, predicate: &Typed) -> bool {
    if filter == predicate {
        return true;
    }
    match (&filter.node, &predicate.node) {
        (_, Node::Apply(Op::And, parts)) => parts.iter().all(|part| implies(filter, part)),
        (Node::Apply(Op::And, parts), _) => parts.iter().any(|part| implies(part, predicate)),
        // A comparison is not true of NULL.
        (Node::Apply(Op::Operator(infix), sides), Node::Apply(Op::IsNotNull, tested)) => {
            infix.is_native() && tested.len() == 1 && sides.contains(&tested[0])
        }
        _ => false,
    }
}

/// The rows of a VALUES that stands alone: where DEFAULT may stand.
fn plain_values(query: &Query) -> Option<Vec<&[Expr]>> {
    let alone =
        query.with.is_none() && query.order_by.is_none() && query.limit_clause.is_none() && query.fetch.is_none();
    match &*query.body {
        SetExpr::Values(values) if alone => {
            let rows: Vec<&[Expr]> = values.rows.iter().map(|r| r.content.as_slice()).collect();
            Some(rows).filter(|rows| !rows.iter().any(|row| row.iter().any(is_record_star)))
        }
        _ => None,
    }
}

/// `(a, b)` or `ROW(a, b)`
fn row_fields(expr: &Expr) -> Option<Vec<&Expr>> {
    match expr {
        Expr::Tuple(fields) => Some(fields.iter().collect()),
        Expr::Function(Function { name, args: FunctionArguments::List(list), .. })
            if name.to_string().eq_ignore_ascii_case("row") =>
        {
            list.args
                .iter()
                .map(|a| match a {
                    FunctionArg::Unnamed(FunctionArgExpr::Expr(e)) => Some(e),
                    _ => None,
                })
                .collect()
        }
        _ => None,
    }
}

/// A column as a key of an index has it.
fn key_column(column: &Column) -> ColumnRef {
    ColumnRef { collated: declares_collation(column.ty), ..ColumnRef::plain(column.name.as_str()) }
}
