//! Runs one step of a command on a connection: the same code for apply, for replay, and for a fork where the step runs
//! first.
//!
//! The caller sets the functions' context (clock, dice, source of sequence values) and owns the transaction; this file
//! binds, steps, collects what each statement yields, and turns failures into either an error for the client (equal on
//! every replica) or a failure of this machine.

use super::connection::Connection;
use super::digest::Watched;
use super::statement::{Fault, Statement};
use super::{Dialect, connection, online};
use crate::command::{self, Frozen, Isolation, Seen, Shape, Step, StepOutcome, Yields};
use crate::error::{Fields, SqlError, SqlResult, SqlState, state};
use crate::functions::{Context, SequenceSource, ShowView};
use crate::sql::catalog::Catalog;
use crate::transaction::{Expectation, Told};
use crate::types::Env;
use crate::types::record::List;
use crate::value::{Value, ValueRef};
use rusqlite::ffi;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Bytes of rows that one step may return; the whole result is held in memory and travels in one piece.
const RESULT_LIMIT: usize = 256 << 20;

/// Why a step did not take effect.
#[derive(Debug)]
pub enum StepError {
    /// The answer for the client, the same on every replica.
    Sql(SqlError),
    /// This machine failed: nothing may be concluded about the step.
    Machine(Fault),
}

/// A connection that runs steps, with what it needs to explain failures.
pub struct Runner {
    pub connection: Connection,
    pub(super) dialect: Dialect,
    catalog: Option<Arc<Catalog>>,
    /// Whether it still is what the system tables say.
    fresh: Freshness,
    /// The last columns of the rows of [`Yields::RowsAnd`], for whoever asked for them; the others drop them.
    pub hidden: Vec<Vec<Value>>,
    /// A statement of this command moved foreign key checks to its end.
    pub deferring: bool,
    /// What functions saw before the statement under way.
    pub(super) start: Start,
}

impl Runner {
    pub fn new(connection: Connection, dialect: Dialect) -> Runner {
        Runner {
            connection,
            dialect,
            catalog: None,
            fresh: Freshness::default(),
            hidden: Vec::new(),
            deferring: false,
            start: Start::default(),
        }
    }

    /// The catalog as the open transaction sees it, without its version, which only the engine's own table knows.
    pub fn catalog(&mut self) -> SqlResult<Arc<Catalog>> {
        if let (Some(catalog), Freshness::Fresh) = (&self.catalog, self.fresh) {
            return Ok(catalog.clone());
        }
        let connection = &mut self.connection;
        let changed = connection.changes().system_rows(self.fresh == Freshness::Undone);
        let known = self.catalog.as_deref().zip(changed.as_deref());
        let loaded = (self.dialect.load_catalog)(known, &mut |sql| connection::rows(connection, sql))?;
        #[cfg(debug_assertions)]
        if known.is_some() {
            let all = (self.dialect.load_catalog)(None, &mut |sql| connection::rows(connection, sql))?;
            assert!(all.says_the_same_as(&loaded), "{changed:?} is not all that has changed");
        }
        connection.changes().system_rows_are_known();
        self.fresh = Freshness::Fresh;
        let loaded = self.catalog.insert(Arc::new(loaded)).clone();
        self.tell_functions();
        Ok(loaded)
    }

    /// Gives the catalog of now; from here on the changes of the system tables are counted.
    pub fn set_catalog(&mut self, catalog: Option<Arc<Catalog>>) {
        self.catalog = catalog;
        self.fresh = Freshness::Fresh;
        self.connection.changes().forget_system_rows();
        self.tell_functions();
    }

    fn knows_catalog(&self) -> bool {
        self.fresh == Freshness::Fresh && self.catalog.is_some()
    }

    /// Functions that show what is defined know the catalog while it is what the system tables say.
    fn tell_functions(&mut self) {
        let show = self.dialect.show_view;
        let known = self.catalog.clone().filter(|_| self.knows_catalog());
        let shown = known
            .map(|catalog| Arc::new(move |oid, pretty, path: &[String]| show(&catalog, oid, pretty, path)) as ShowView);
        self.connection.context().lock().show_view = shown;
    }

    /// To be called when the system tables have changed.
    pub fn catalog_changed(&mut self) {
        if self.fresh == Freshness::Fresh {
            self.fresh = Freshness::Changed;
            self.tell_functions();
        }
    }

    /// To be called when the system tables may have changed back.
    pub fn catalog_undone(&mut self) {
        self.fresh = Freshness::Undone;
        self.tell_functions();
    }

    /// The transaction is over: what is known of the catalog is the state to go on from.
    pub fn settle_catalog(&mut self) {
        if !self.connection.changes().has_system_rows() {
            return;
        }
        let known = if self.fresh == Freshness::Fresh { self.catalog.take() } else { self.catalog().ok() };
        self.set_catalog(known);
    }

    /// Runs all statements of `step` for each of its parameter sets, set by set.
    ///
    /// A step without sets runs its statements once, except those that have parameters: no sets, no runs. With `tell`
    /// also returns what the client of a transaction at that level is told.
    pub fn run(&mut self, step: &Step, tell: Option<Isolation>) -> Result<(StepOutcome, Option<Told>), StepError> {
        let before = self.connection.changes().sums().visible;
        let mut sink =
            Sink { outcome: StepOutcome::default(), told: tell.map(Expectation::new), bytes: 0, hidden: Vec::new() };
        self.start = Start::of(&self.connection.context().lock());
        if step.params.is_empty() {
            self.run_set(step, None, &mut sink)?;
        }
        for set in &step.params {
            self.run_set(step, Some(set), &mut sink)?;
        }
        self.hidden.append(&mut sink.hidden);
        let changes = self.connection.changes().sums().visible.wrapping_sub(before);
        let told = sink.told.map(|mut told| {
            told.affected(sink.outcome.count);
            told.changes(changes);
            told.finish()
        });
        Ok((sink.outcome, told))
    }

    fn run_set(&mut self, step: &Step, set: Option<&[Value]>, sink: &mut Sink) -> Result<(), StepError> {
        {
            let mut context = self.connection.context().lock();
            context.lists.clear();
            context.admits = false;
        }
        for statement in &step.statements {
            self.deferring |= statement.shape == Shape::Deferral;
            let result = self.run_statement(statement, set, sink);
            self.collect_draws(&mut sink.outcome);
            result?;
        }
        self.connection.context().lock().lists.clear();
        Ok(())
    }

    fn run_statement(
        &mut self,
        order: &command::Statement,
        set: Option<&[Value]>,
        sink: &mut Sink,
    ) -> Result<(), StepError> {
        if let Shape::Slice(slice) = &order.shape {
            return match online::run(&mut self.connection, slice, &order.sql) {
                Ok(row) => sink.row(row).map_err(StepError::Sql),
                Err(Cut::Sql(error)) => Err(StepError::Sql(error)),
                Err(Cut::Fault(fault)) => Err(self.explain(fault, order, &[])),
            };
        }
        // As the definitions are when it runs, not when somebody last looked at them: that differs between replicas.
        if !self.knows_catalog() && self.connection.shows_definitions(&order.sql) {
            self.catalog().map_err(|error| StepError::Machine(connection::catalog_fault(&error)))?;
        }
        let db = self.connection.handle();
        if self.connection.meter().poll() {
            let stopped = Fault { code: ffi::SQLITE_INTERRUPT, message: "interrupted".to_owned() };
            return Err(self.explain(stopped, order, set.unwrap_or_default()));
        }
        let _metered = self.connection.meter().enter();
        let watches = matches!(&order.shape, Shape::Insert(insert) if insert.watches);
        let result = match self.connection.statement_parts(&order.sql) {
            Err(fault) => Err(fault.into()),
            Ok((statement, ..)) if set.is_none() && statement.parameters() > 0 => return Ok(()),
            Ok((statement, changes, context)) => {
                if watches {
                    let watched = Watched::default();
                    changes.watch(Some(watched.clone()));
                    let changed = move |table: &str, rowid| watched.contains(table, rowid);
                    context.lock().row_changed = Some(Arc::new(changed));
                }
                // SAFETY: the set outlives this function, which resets the statement.
                let result = unsafe { statement.bind(set.unwrap_or_default()) }.map_err(Cut::from).and_then(|()| {
                    match order.yields {
                        Yields::List(number) => {
                            let list = gather(statement)?;
                            context.lock().lists.insert(number.into(), Arc::new(list.into_bytes()));
                            Ok(())
                        }
                        yields => drain(db, statement, yields, sink),
                    }
                });
                statement.reset();
                if watches {
                    context.lock().row_changed = None;
                    changes.watch(None);
                }
                result
            }
        };
        result.map_err(|cut| match cut {
            Cut::Sql(error) => StepError::Sql(error),
            Cut::Fault(fault) => self.explain(fault, order, set.unwrap_or_default()),
        })
    }

    /// Moves the values drawn by the last statement into the outcome, and makes them the session's `currval`.
    pub fn collect_draws(&mut self, outcome: &mut StepOutcome) {
        let mut context = self.connection.context().lock();
        if !context.kept.is_empty() {
            context.kept.clear();
        }
        self.start = Start::of(&context);
        if context.drawn.is_empty() {
            return;
        }
        let drawn = std::mem::take(&mut context.drawn);
        for (oid, value) in drawn {
            outcome.drawn.retain(|(other, _)| *other != oid);
            outcome.drawn.push((oid, value));
            Arc::make_mut(&mut context.current).insert(oid, value);
            context.last = Some(oid);
        }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Freshness {
    #[default]
    Fresh,
    /// Rows of the system tables have changed since.
    Changed,
    /// Rows may also be again what they were some time before.
    Undone,
}

/// What a statement's functions saw that the connection does not keep: needed to compute its values again.
#[derive(Clone, Copy, Debug, Default)]
pub struct Start {
    pub seed: u64,
    /// Number of sequence values that were drawn before.
    pub nextvals: usize,
}

impl Start {
    fn of(context: &Context) -> Start {
        Start { seed: context.seed, nextvals: context.nextvals.len() }
    }
}

/// What functions see while a step runs whose circumstances are frozen; `env` is the command's. The same in a fork, where
/// the step ran first, and at each replay.
pub fn dress(context: &mut Context, frozen: &Frozen, seen: Option<&Seen>, env: &Env, sequences: SequenceSource) {
    (context.now, context.clock, context.seed) = (frozen.now, frozen.now, frozen.seed);
    let env = frozen.env.as_ref().unwrap_or(env);
    if context.env != *env {
        context.env = env.clone();
    }
    context.last = None;
    if !context.current.is_empty() {
        context.current = Arc::default();
    }
    introduce(context, seen);
    context.drawn.clear();
    context.sequences = sequences;
}

/// Shows functions the session that a step comes from. Sequence values drawn by earlier steps of the same command are newer
/// than what it knew of them.
pub fn introduce(context: &mut Context, seen: Option<&Seen>) {
    let nobody = Seen::default();
    let seen = seen.unwrap_or(&nobody);
    for (known, seen) in [(&mut context.user, &seen.user), (&mut context.database, &seen.database)] {
        if **known != **seen {
            *known = seen.as_str().into();
        }
    }
    context.backend_pid = seen.backend_pid;
    if !(context.settings.is_empty() && seen.settings.is_empty()) {
        context.settings = Arc::new(seen.settings.clone());
    }
    if !(context.live.is_empty() && seen.live.is_empty()) {
        context.live = Arc::new(seen.live.clone());
    }
    context.advisory = seen.advisory.clone().map(Arc::new);
    context.advisory_told.clear();
    if !seen.current.is_empty() {
        let mut current: BTreeMap<u32, i64> = seen.current.iter().copied().collect();
        current.extend(context.current.iter());
        context.current = Arc::new(current);
    }
    context.last = context.last.or(seen.last);
}

/// Where a replay of a step takes its sequence values from.
pub fn replayed(frozen: &Frozen) -> SequenceSource {
    match &frozen.sequences {
        Some(values) => SequenceSource::Replay(values.iter().copied().collect()),
        None => SequenceSource::Apply,
    }
}

/// Why a statement ended early.
pub(super) enum Cut {
    Sql(SqlError),
    Fault(Fault),
}

impl From<Fault> for Cut {
    fn from(fault: Fault) -> Cut {
        Cut::Fault(fault)
    }
}
impl From<SqlError> for Cut {
    fn from(error: SqlError) -> Cut {
        Cut::Sql(error)
    }
}

struct Sink {
    outcome: StepOutcome,
    told: Option<Expectation>,
    bytes: usize,
    hidden: Vec<Vec<Value>>,
}

impl Sink {
    fn row(&mut self, row: Vec<Value>) -> SqlResult<()> {
        self.bytes += row.iter().map(size).sum::<usize>();
        if self.bytes > RESULT_LIMIT {
            return Err(SqlError::new(
                state::PROGRAM_LIMIT_EXCEEDED,
                format!("result of a writing statement exceeds {RESULT_LIMIT} bytes"),
            ));
        }
        if let Some(told) = &mut self.told {
            told.row(row.iter().map(Value::as_ref));
        }
        self.outcome.count += 1;
        self.outcome.rows.push(row);
        Ok(())
    }
}

fn size(value: &Value) -> usize {
    size_of::<Value>()
        + match value {
            Value::Text(text) => text.len(),
            Value::Blob(blob) => blob.len(),
            _ => 0,
        }
}

/// The rows of a statement as a list.
fn gather(statement: &mut Statement) -> Result<List, Cut> {
    let mut list = List::default();
    while statement.step()? {
        list.push(statement.row()?.iter().map(Value::as_ref))?;
    }
    Ok(list)
}

fn drain(db: *mut ffi::sqlite3, statement: &mut Statement, yields: Yields, sink: &mut Sink) -> Result<(), Cut> {
    match yields {
        Yields::Nothing | Yields::List(_) => while statement.step()? {},
        Yields::Count => {
            // SAFETY: the open connection of `statement`.
            let before = unsafe { ffi::sqlite3_total_changes64(db) };
            while statement.step()? {}
            // `changes` keeps the number of an earlier statement when this one changed nothing.
            // SAFETY: as above.
            let changed =
                unsafe { if ffi::sqlite3_total_changes64(db) == before { 0 } else { ffi::sqlite3_changes64(db) } };
            sink.outcome.count += changed as u64;
        }
        Yields::Rows => {
            while statement.step()? {
                sink.row(statement.row()?)?;
            }
        }
        Yields::RowsAnd(hidden) => {
            while statement.step()? {
                let mut row = statement.row()?;
                let rest = row.split_off(row.len().saturating_sub(hidden.into()));
                sink.hidden.push(rest);
                sink.row(row)?;
            }
        }
        Yields::Guard => {
            if statement.step()? {
                return Err(Cut::Sql(guarded(statement)?));
            }
        }
    }
    Ok(())
}

/// The error that a guard's row describes.
pub(super) fn guarded(statement: &Statement) -> SqlResult<SqlError> {
    let column = |i: usize| -> SqlResult<Option<String>> {
        if i >= statement.width() {
            return Ok(None);
        }
        Ok(match statement.value(i)? {
            ValueRef::Null => None,
            ValueRef::Text(text) => Some(text.to_owned()),
            ValueRef::Int(i) => Some(i.to_string()),
            ValueRef::Real(r) => Some(r.to_string()),
            ValueRef::Blob(b) => Some(String::from_utf8_lossy(b).into_owned()),
        })
    };
    let code = column(0)?.and_then(|code| <[u8; 5]>::try_from(code.as_bytes()).ok());
    let mut error = SqlError::new(
        code.map_or(state::INTERNAL_ERROR, SqlState),
        column(1)?.unwrap_or_else(|| "a guard refused the statement".to_owned()),
    );
    error.fields = Box::new(Fields {
        detail: column(2)?,
        hint: column(3)?,
        schema: column(4)?,
        table: column(5)?,
        column: column(6)?,
        datatype: column(7)?,
        constraint: column(8)?,
        ..Fields::default()
    });
    Ok(error)
}
