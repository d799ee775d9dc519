//! MERGE: which row of the target each row of the source meets, and what is to be done with it, is read first and kept as a
//! list; then each clause changes the rows that are its own.
//!
//! So no clause sees what another one does, as in PostgreSQL. Rows go before others come: of two clauses that would meet
//! in a unique key on the way, PostgreSQL may refuse the first.

use super::dml::{Chosen, Target};
use super::names::{Clause, Hidden, Level, Names, Range, fold, name_start};
use super::{Binder, error_at, parse_expr};
use crate::command::{Definition, Statement as Sql, Yields};
use crate::error::{SqlError, SqlResult, state};
use crate::rights::{DELETE, INSERT, SELECT, UPDATE};
use crate::sql::catalog::RelationKind;
use crate::sql::ir::{
    Body, Change, Column, Cte, Delete, FromItem, Insert, InsertSource, Named, Node, Op, Part, Query as Tree, Select,
    Side, Typed, Update, Write,
};
use crate::sql::phrases;
use crate::sql::plan::{Effort, Tag, WritePlan};
use crate::sql::render;
use crate::types::{NO_TYPMOD, Type};
use crate::value::Value;
use sqlparser::ast::{
    Merge, MergeAction, MergeClause, MergeClauseKind, MergeInsertKind, MergeUpdateKind, ObjectName, TableFactor,
    TableWithJoins,
};
use std::collections::BTreeSet;
use std::rc::Rc;

/// The rows of the source, with the target's rows that they meet.
struct Met {
    list: u16,
    /// What the source makes visible, and its columns behind the first two of the list.
    sources: Names,
    kept: Vec<Typed>,
}

impl Binder<'_> {
    pub(super) fn merge_statement(
        &mut self,
        merge: &Merge,
        with: Vec<Rc<Cte>>,
        recursive: bool,
    ) -> SqlResult<WritePlan> {
        let TableFactor::Table { name, alias, args: None, .. } = &merge.table else {
            return Err(SqlError::syntax("syntax error in MERGE"));
        };
        if merge.output.is_some() || !merge.into {
            return Err(SqlError::syntax("syntax error in MERGE"));
        }
        let named = self.relation(name)?;
        if matches!(named.kind, RelationKind::View { .. } | RelationKind::Materialized { .. }) {
            let message = format!("cannot execute MERGE on relation \"{}\"", named.name);
            let what = if named.kind.is_stored() { "materialized views" } else { "views" };
            let detail = format!("This operation is not supported for {what}.");
            return Err(error_at(
                self,
                SqlError::new(state::FEATURE_NOT_SUPPORTED, message).detail(detail),
                name_start(name),
            ));
        }
        check_reachable(&merge.clauses)?;
        let target = self.target(name, alias.as_ref().map(|a| fold(&a.name)), "merge into")?;
        self.needs.also(target.range.id, SELECT, []);
        self.effort = Effort::Open;
        let met = self.met(merge, &target, &with, recursive)?;
        // From here on the table is what it was before.
        let changed = self.changed_with(&target.relation);
        let before = std::mem::replace(&mut self.parts.changed, changed);
        let mut writes = Vec::new();
        for (i, clause) in (1..).zip(&merge.clauses) {
            let change = self.merge_action(clause, i, &target, &met)?;
            writes.extend(change.map(|change| Write {
                with: with.clone(),
                recursive,
                table: target.table.clone(),
                change,
                returning: None,
                check: None,
            }));
        }
        self.parts.changed = before;
        writes.sort_by_key(|write| match write.change {
            Change::Delete(_) => 0,
            Change::Update(_) => 1,
            Change::Insert(_) => 2,
        });
        self.parts.writes += writes.len().saturating_sub(1);
        let twice = self.met_twice(&met)?;
        self.parts.blank(met.list, &unread(&met, &writes));
        let walk = |visit: &mut dyn FnMut(crate::sql::ir::Part<'_>)| writes.iter().for_each(|write| write.parts(visit));
        self.check_rights(&walk)?;
        let mut facts = crate::sql::plan::Facts::default();
        let mut statements = self.statements_before(&walk, &mut facts);
        let rows = self.row_list();
        statements.push(Sql::new(render::query(&twice, &self.hoisted, rows), Yields::Guard));
        for write in &writes {
            facts.add(&write.facts(&self.hoisted));
            statements.push(render::write(write, Yields::Count, &self.hoisted, rows));
        }
        Ok(WritePlan {
            copy: None,
            lasting: true,
            alone: None,
            begins: None,
            statements,
            facts,
            ddl: Definition::None,
            temporary: false,
            on_commit: None,
            effort: self.effort,
            draws: self.draws,
            lock: self.inside()?,
            tag: Tag::Counted("MERGE"),
            notices: vec![],
        })
    }

    /// Binds source and condition, and which clause each row is for: its rowid if it meets one, the clause's number from 1,
    /// or 0 for nothing to be done; NULL for none.
    fn met(&mut self, merge: &Merge, target: &Target, with: &[Rc<Cte>], recursive: bool) -> SqlResult<Met> {
        let read = self.next_id();
        let qualifier = format!("t{read}");
        self.needs.stands_for(read, target.range.id);
        let row = Range {
            id: read,
            columns: self.columns_of(&target.relation, read, &qualifier, false),
            optional: true,
            ..target.range.clone()
        };
        self.levels.push(Level::new(Clause::On));
        let bound = (|| {
            let source = TableWithJoins { relation: merge.source.clone(), joins: vec![] };
            let mut sources = self.bind_beside(&row, std::slice::from_ref(&source))?;
            let names = self.level().names.clone();
            let mut both = Names::of(row.clone());
            if names.ranges.iter().any(|range| range.alias == row.alias) {
                let text = format!("name \"{}\" specified more than once", row.alias);
                let detail = "The name is used both as MERGE target table and data source.";
                return Err(SqlError::new(state::DUPLICATE_ALIAS, text).detail(detail));
            }
            both.append(names.clone())?;
            self.level().names = both.clone();
            let on = self.within(Clause::On, |this| {
                let on = this.expr(&merge.on)?;
                this.condition(on, "JOIN/ON")
            })?;
            let rowid = Typed::new(
                Type::INT8,
                Node::Column(Column::of(read, qualifier.as_str(), target.relation.rowid_name())),
            );
            let mut choice = Vec::new();
            for (i, clause) in (1..).zip(&merge.clauses) {
                let (is_met, visible) = match clause.clause_kind {
                    MergeClauseKind::Matched => (Op::IsNotNull, &both),
                    MergeClauseKind::NotMatched => (Op::IsNull, &names),
                    _ => return Err(SqlError::syntax("syntax error at or near \"BY\"")),
                };
                let mut tests = vec![Typed::test(is_met, vec![rowid.clone()])];
                if let Some(predicate) = &clause.predicate {
                    self.level().names = visible.clone();
                    let hides = clause.clause_kind == MergeClauseKind::NotMatched;
                    self.level().hidden = hides.then(|| (row.alias.clone(), Hidden::Sibling)).into_iter().collect();
                    tests.push(self.within(Clause::Where, |this| {
                        let test = this.expr(predicate)?;
                        this.condition(test, "WHEN")
                    })?);
                }
                let number = if matches!(clause.action, MergeAction::DoNothing { .. }) { 0 } else { i };
                choice.extend([Typed::join(Op::And, tests), Typed::constant(Type::INT8, Value::Int(number))]);
            }
            choice.push(Typed::null(Type::INT8));
            self.mark(&mut sources);
            Ok((sources, names, on, rowid, Typed::apply(Type::INT8, Op::Case, choice)))
        })();
        self.levels.pop();
        let (mut from, names, on, rowid, choice) = bound?;
        let left = from.pop().ok_or_else(|| SqlError::syntax("MERGE without a source"))?;
        let right = FromItem::Table { name: target.table.clone(), range: read };
        let join = FromItem::Join { left: Box::new(left), right: Box::new(right), side: Side::Left, on: Some(on) };
        let mut kept: Vec<Typed> = Vec::new();
        for column in names.columns.iter().chain(names.ranges.iter().flat_map(|range| &range.columns)) {
            if !kept.contains(&column.expr) {
                kept.push(column.expr.clone());
            }
        }
        let all = [rowid, choice].into_iter().chain(kept.iter().cloned());
        let columns = all.map(|expr| Named { name: String::new(), expr }).collect();
        let select = Select { columns, from: vec![join], ..Select::default() };
        let query = Tree { with: with.to_vec(), recursive, ..Tree::of(Body::Select(Box::new(select))) };
        Ok(Met { list: self.parts.keep_first(query), sources: names, kept })
    }

    /// The list as a FROM item, the source's names over it, its rowid, and the condition that a row is for a clause.
    fn met_rows(&mut self, met: &Met, clause: i64) -> SqlResult<(FromItem, Names, Typed, Typed)> {
        let range = self.next_id();
        let qualifier = format!("t{range}");
        let column = |i: usize, ty: Type, typmod: i32| {
            let column = Column::of(range, qualifier.as_str(), format!("c{}", i + 1));
            Typed::new(ty, Node::Column(column)).typmod(typmod)
        };
        let mut names = met.sources.clone();
        let look_up = |named: &mut Named| {
            if let Some(at) = met.kept.iter().position(|known| *known == named.expr) {
                named.expr = column(at + 2, named.expr.ty, named.expr.typmod);
            }
        };
        names.ranges.iter_mut().flat_map(|range| &mut range.columns).for_each(look_up);
        names.columns.iter_mut().for_each(look_up);
        for range in &mut names.ranges {
            (range.relation, range.numbered, range.derived) = (None, false, false);
        }
        let (rowid, choice) = (column(0, Type::INT8, NO_TYPMOD), column(1, Type::INT8, NO_TYPMOD));
        let number = Typed::constant(Type::INT8, Value::Int(clause));
        let chosen = self.operator("=", Some(choice), number)?;
        Ok((FromItem::Kept { list: met.list, names: vec![], range }, names, rowid, chosen))
    }

    fn merge_action(&mut self, clause: &MergeClause, i: i64, target: &Target, met: &Met) -> SqlResult<Option<Change>> {
        let (item, sources, met_row, chosen) = self.met_rows(met, i)?;
        let own = Typed::new(Type::INT8, Node::Column(target.rowid()));
        match &clause.action {
            MergeAction::DoNothing { .. } => Ok(None),
            MergeAction::Delete { .. } => {
                self.needs.also(target.range.id, DELETE, []);
                let filter = Typed::join(Op::And, vec![self.operator("=", Some(own), met_row)?, chosen]);
                let (rowid, using) = (target.rowid(), vec![item]);
                Ok(Some(Change::Delete(Delete { rowid, using, filter: Some(filter), found: None })))
            }
            MergeAction::Update(update) => {
                let MergeUpdateKind::Set(assignments) = &update.kind else {
                    return Err(SqlError::syntax("syntax error at or near \"*\""));
                };
                if update.update_predicate.is_some() || update.delete_predicate.is_some() {
                    return Err(SqlError::syntax("syntax error at or near \"WHERE\""));
                }
                self.needs.also(target.range.id, UPDATE, []);
                let filter = Typed::join(Op::And, vec![self.operator("=", Some(own), met_row)?, chosen]);
                let mut level = Level::new(Clause::Set);
                level.names = Names::of(target.range.clone());
                level.names.append(sources)?;
                self.levels.push(level);
                let set = self.assignments(target, assignments);
                self.levels.pop();
                Ok(Some(Change::Update(Update { set: set?, from: vec![item], filter: Some(filter) })))
            }
            MergeAction::Insert(insert) => {
                if insert.insert_predicate.is_some() {
                    return Err(SqlError::syntax("syntax error at or near \"WHERE\""));
                }
                let MergeInsertKind::Values(values) = &insert.kind else {
                    return Err(SqlError::syntax("syntax error at or near \"INSERT\""));
                };
                let [values] = &values.rows[..] else {
                    return Err(SqlError::syntax("syntax error at or near \",\""));
                };
                self.needs.also(target.range.id, INSERT, []);
                let defaults = matches!(&insert.columns[..], [name] if is_nothing(name));
                let into = self.chosen(target, if defaults { &[] } else { &insert.columns })?;
                let mut level = Level::new(Clause::Values);
                level.names = sources;
                level.hidden.push((target.range.alias.clone(), Hidden::Sibling));
                self.levels.push(level);
                let row = match defaults {
                    true => self.default_row(target),
                    false => self.merge_row(target, into, &values.content),
                };
                self.levels.pop();
                let (columns, values) = row?;
                let values = values.into_iter().map(|expr| Named { name: String::new(), expr }).collect();
                let select = Select { columns: values, from: vec![item], filter: Some(chosen), ..Select::default() };
                let source = InsertSource::Query(Box::new(Tree::of(Body::Select(Box::new(select)))));
                Ok(Some(Change::Insert(Insert { columns, source, conflict: None })))
            }
        }
    }

    /// The columns of a row of defaults, and their values: at least one.
    fn default_row(&mut self, target: &Target) -> SqlResult<(Vec<String>, Vec<Typed>)> {
        let (mut names, mut row) = self.absent_defaults(&target.relation, &[])?;
        if names.is_empty()
            && let Some(column) = target.relation.columns.iter().find(|c| c.generated.is_none())
        {
            names.push(column.name.clone());
            row.push(Typed::null(column.ty));
        }
        Ok((names, row))
    }

    /// The columns of a new row, and their values.
    fn merge_row(
        &mut self,
        target: &Target,
        chosen: Chosen,
        values: &[sqlparser::ast::Expr],
    ) -> SqlResult<(Vec<String>, Vec<Typed>)> {
        let columns = self.columns_for(values.len(), target, chosen)?;
        let (absent, rest) = self.absent_defaults(&target.relation, &columns)?;
        let (mut names, mut row) = (Vec::new(), Vec::new());
        for (column, expr) in columns.into_iter().zip(values) {
            let value = self.value_for(&target.relation, column, expr, Clause::Values, &mut vec![])?;
            if column.generated.is_none() {
                names.push(column.name.clone());
                row.push(value);
            }
        }
        Ok((names.into_iter().chain(absent).collect(), row.into_iter().chain(rest).collect()))
    }

    /// The error of a row that several rows of the source change.
    fn met_twice(&mut self, met: &Met) -> SqlResult<Tree> {
        let (item, _, met_row, _) = self.met_rows(met, 0)?;
        let range = item.range();
        let choice = Typed::new(Type::INT8, Node::Column(Column::of(range, format!("t{range}"), "c2")));
        let changes = self.operator(">", Some(choice), Typed::constant(Type::INT8, Value::Int(0)))?;
        let is_met = Typed::test(Op::IsNotNull, vec![met_row.clone()]);
        self.levels.push(Level::new(Clause::Having));
        let several = self.expr(&parse_expr("pg_catalog.count(*) > 1")?);
        self.levels.pop();
        let code = state::CARDINALITY_VIOLATION;
        let texts = [
            Typed::text(code.as_str()),
            Typed::text("MERGE command cannot affect row a second time"),
            Typed::null(Type::TEXT),
            Typed::text("Ensure that not more than one source row matches any one target row."),
        ];
        let columns = texts.into_iter().map(|expr| Named { name: String::new(), expr }).collect();
        let select = Select {
            columns,
            from: vec![item],
            filter: Some(Typed::join(Op::And, vec![is_met, changes])),
            group: vec![met_row],
            having: Some(several?),
            aggregated: true,
            ..Select::default()
        };
        Ok(Tree { limit: Some(Typed::constant(Type::INT8, Value::Int(1))), ..Tree::of(Body::Select(Box::new(select))) })
    }
}

/// `INSERT DEFAULT VALUES`, as the columns of the rephrased text say it.
fn is_nothing(name: &ObjectName) -> bool {
    matches!(&name.0[..], [part] if part.as_ident().is_some_and(|ident| ident.value == phrases::NOTHING))
}

/// The columns of the list that no clause reads: nobody needs a right for them.
fn unread(met: &Met, writes: &[Write]) -> Vec<usize> {
    let (mut lists, mut columns) = (BTreeSet::new(), BTreeSet::new());
    for write in writes {
        write.parts(&mut |part| match part {
            Part::From(FromItem::Kept { list, range, .. }) if *list == met.list => {
                lists.insert(*range);
            }
            Part::Expr(Typed { node: Node::Column(column), .. }) => {
                columns.insert((column.range, column.name.to_string()));
            }
            _ => {}
        });
    }
    let read = |at: usize| lists.iter().any(|range| columns.contains(&(*range, format!("c{}", at + 1))));
    (2..met.kept.len() + 2).filter(|at| !read(*at)).collect()
}

/// Errors: 42601 for a clause that no row comes to.
fn check_reachable(clauses: &[MergeClause]) -> SqlResult<()> {
    for (i, clause) in clauses.iter().enumerate() {
        let same = |other: &&MergeClause| other.clause_kind == clause.clause_kind && other.predicate.is_none();
        if clauses[..i].iter().find(same).is_some() {
            return Err(SqlError::syntax("unreachable WHEN clause specified after unconditional WHEN clause"));
        }
    }
    Ok(())
}
