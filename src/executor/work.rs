//! One transaction's view and transcript, and a statement on it. Synchronous: the waiting is done by the caller.

use super::names::{self, SCHEMA, Tables};
use super::sequences::Reserved;
use crate::clock::Control;
use crate::command::{Definition, Frozen, Isolation, Shape, Step, StepOutcome};
use crate::engine::diagnosis::CHANGES;
use crate::engine::digest::{KEPT_BYTES, Operation, Taken, Touched};
use crate::engine::reader::nap;
use crate::engine::statement::Fault;
use crate::engine::step::{StepError, dress, replayed};
use crate::engine::view::{View, Views};
use crate::error::{SqlError, SqlResult, state};
use crate::functions::notify::Announcements;
use crate::functions::system::row_list;
use crate::functions::{Nap, RowFree, SequenceSource};
use crate::locks::{Mark, Target, Want};
use crate::meter;
use crate::sql::catalog::change::{Change, relations_of};
use crate::sql::catalog::{Catalog, quote};
use crate::sql::plan::{Effort, LockMode, LockStrength, LockWait};
use crate::transaction::{Kind, Locking, Statement, Told, Transcript, serialization_failure};
use crate::types::Env;
use crate::value::{Value, ValueRef};
use parking_lot::Mutex;
use rusqlite::ffi;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;
use std::time::Instant;

/// Around a statement that may have to be undone.
const STATEMENT: &str = "q_statement";
/// Transactions longer than this do not refresh their view for a plain INSERT.
const LONG: usize = 32;

/// Why an order was not carried out.
#[derive(Debug)]
pub enum Trouble {
    /// The answer for the client.
    Sql(SqlError),
    /// Made void meanwhile, or not to be done here any more: whoever still wants it asks again.
    Void,
    /// Compile again under this schema version.
    Schema(u64),
}

impl From<SqlError> for Trouble {
    fn from(error: SqlError) -> Trouble {
        Trouble::Sql(error)
    }
}
impl From<Fault> for Trouble {
    fn from(fault: Fault) -> Trouble {
        Trouble::Sql(machine(fault))
    }
}

/// The client's error for a failure of this machine.
pub fn machine(fault: Fault) -> SqlError {
    match fault.primary() {
        ffi::SQLITE_INTERRUPT => {
            SqlError::new(state::QUERY_CANCELED, "canceling statement due to user request or timeout")
        }
        ffi::SQLITE_BUSY => SqlError::new(state::TOO_MANY_CONNECTIONS, fault.message),
        ffi::SQLITE_FULL => SqlError::new(
            state::PROGRAM_LIMIT_EXCEEDED,
            "the transaction changes more data than an open transaction may hold",
        )
        .hint("Commit in between, or raise limits.transaction_changes_mib in the configuration of the nodes."),
        ffi::SQLITE_NOMEM => SqlError::new(state::OUT_OF_MEMORY, "out of memory"),
        _ => SqlError::new(state::IO_ERROR, fault.to_string()),
    }
}

/// What a transaction is here.
pub struct Work {
    pub epoch: u64,
    pub env: Env,
    pub view: Option<View>,
    pub last_used: Option<Instant>,
    transcript: Transcript,
    /// One per savepoint.
    marks: Vec<Mark>,
    /// Rows of its own without a key, by table and rowid: nobody else can want them.
    own: HashSet<(u32, i64)>,
    /// Sequences that it has made or changed.
    private: BTreeSet<u32>,
    /// The rows changed since foreign keys began to be violated, while that is put off; and whether these are all.
    unchecked: Vec<Touched>,
    unchecked_bytes: usize,
    complete: bool,
    /// Bytes that it has announced, with what a ROLLBACK TO undid: at its place in the log it announces no more.
    announced: usize,
    /// Replaying it may take long.
    heavy: bool,
}

/// What came of running a statement once.
pub enum Ran {
    Done {
        wants: Vec<Want>,
        tables: Vec<u32>,
    },
    /// Undone: so many more values of these sequences are needed first.
    NeedSequences(BTreeMap<u32, usize>),
    /// Undone: it failed, but its view was not the latest.
    Stale,
    /// Undone.
    Failed(SqlError),
}

/// A statement from its first run to the one that counts.
pub struct Run {
    ddl: bool,
    frozen: Frozen,
    draws: Arc<Mutex<Draws>>,
    result: Option<Finished>,
}

struct Finished {
    outcome: StepOutcome,
    told: Option<Told>,
    sequences: Vec<i64>,
    wrote: bool,
    /// Bytes that the transaction has announced by its end.
    announced: usize,
    /// Rows that were locked: table, rowid.
    locked: Vec<(u32, i64)>,
    inserted: Vec<(u32, i64)>,
    private: BTreeSet<u32>,
    touched: Vec<Touched>,
    /// `touched` are all.
    complete: bool,
    /// The catalog before it changed that.
    catalog: Option<Arc<Catalog>>,
}

#[derive(Default)]
struct Draws {
    have: BTreeMap<u32, Reserved>,
    used: Vec<(u32, i64)>,
    /// How many more were asked for than there were. The run that did so goes on, with what the view's own sequences give, to
    /// find out how many that will be.
    missing: BTreeMap<u32, usize>,
    private: BTreeSet<u32>,
    /// The view's own sequences will do: the values are drawn again when the write is applied.
    local: bool,
}

impl Draws {
    fn draw(&mut self, oid: u32) -> SqlResult<Option<i64>> {
        if self.local || self.private.contains(&oid) {
            return Ok(None);
        }
        let value = self.have.get_mut(&oid).and_then(|reserved| reserved.values.pop_front());
        match value {
            Some(value) => self.used.push((oid, value)),
            None => *self.missing.entry(oid).or_default() += 1,
        }
        Ok(value)
    }

    /// The next run of the statement gets the same values again.
    fn rewind(&mut self) {
        self.missing.clear();
        for (oid, value) in self.used.drain(..).rev() {
            self.have.entry(oid).or_default().values.push_front(value);
        }
    }
}

impl Run {
    /// `local`: sequence values come from the view and are not kept.
    pub fn new(statement: &Statement, local: bool) -> Run {
        let frozen = statement.step.frozen.clone().unwrap_or_default();
        let draws = Draws { local, ..Draws::default() };
        Run { ddl: statement.step.ddl.any(), frozen, draws: Arc::new(Mutex::new(draws)), result: None }
    }

    /// The rows that were locked, as SKIP LOCKED's list: from now on these are meant, whatever is locked.
    pub fn locked(&self) -> Value {
        Value::Text(row_list(self.result.as_ref().map_or_else(Vec::new, |result| result.locked.clone())))
    }

    fn is_local(&self) -> bool {
        self.draws.lock().local
    }

    /// Gives it values of a sequence; how many those were.
    pub fn supply(&mut self, oid: u32, reserved: Reserved) -> usize {
        let mut draws = self.draws.lock();
        // Those of the last run come first, as they did then.
        draws.rewind();
        let got = reserved.values.len();
        draws.have.entry(oid).or_default().extend(reserved);
        got
    }

    /// Whether its last run found the one row that the statement names for each set of parameters: then nothing else has
    /// had a say in it. Of a statement of [`Effort::Row`].
    pub fn is_ruled_by_its_row(&self, statement: &Statement) -> bool {
        let Some(result) = &self.result else { return false };
        match (statement.kind, &statement.lock) {
            (Kind::Write, _) => result.complete && result.touched.len() == statement.step.params.len().max(1),
            // A weaker lock lets the row change.
            (Kind::LockingRead, Some(lock)) => {
                result.touched.is_empty() && result.locked.len() == 1 && lock.strength > LockStrength::KeyShare
            }
            _ => false,
        }
    }

    /// Whether its last run changed anything.
    pub fn wrote(&self) -> bool {
        self.result.as_ref().is_some_and(|result| result.wrote)
    }

    /// Values that were got and not used.
    pub fn leftovers(&self) -> BTreeMap<u32, Reserved> {
        std::mem::take(&mut self.draws.lock().have)
    }
}

impl Work {
    /// `marks`: how many locks it had before each of its savepoints.
    pub fn new(epoch: u64, env: Env, transcript: Transcript, marks: &[usize]) -> Work {
        let marks = marks.iter().copied().map(Mark).collect();
        let heavy = transcript.steps().len() > 0;
        Work {
            epoch,
            env,
            view: None,
            last_used: None,
            transcript,
            marks,
            own: HashSet::new(),
            private: BTreeSet::new(),
            unchecked: Vec::new(),
            unchecked_bytes: 0,
            announced: 0,
            complete: true,
            heavy,
        }
    }

    /// Whether a new view is there in no time.
    pub fn is_light(&self) -> bool {
        !self.heavy && self.transcript.steps().len() <= LONG
    }

    pub fn isolation(&self) -> Isolation {
        self.transcript.isolation()
    }

    pub fn has_ddl(&self) -> bool {
        self.transcript.has_ddl()
    }

    pub fn at(&self) -> u64 {
        self.view.as_ref().map_or(0, |view| view.at)
    }

    /// The catalog that its view has.
    pub fn catalog(&mut self) -> Result<Option<Arc<Catalog>>, Trouble> {
        Ok(self.view.as_mut().map(|view| view.runner().catalog()).transpose()?)
    }

    pub fn schema_version(&self) -> u64 {
        self.view.as_ref().map_or(0, |view| view.schema_version)
    }

    pub fn is_intact(&self) -> bool {
        self.view.as_ref().is_some_and(View::is_intact)
    }

    pub fn drop_view(&mut self) {
        self.view = None;
        self.last_used = None;
    }

    /// Whether a statement may run on a view that is not the latest, because a refresh would cost more than it brings: a
    /// plain INSERT at the end of a long transaction. It is compared at COMMIT like everything else.
    pub fn may_stay_stale(&self, statement: &Statement) -> bool {
        self.transcript.steps().len() > LONG
            && statement.kind == Kind::Write
            && statement.step.statements.iter().all(|s| matches!(s.shape, Shape::Insert(_)))
    }

    // ---- savepoints ----

    pub fn savepoint(&mut self, name: &str, mark: Mark) -> Result<(), Trouble> {
        let level = self.transcript.savepoint(name);
        self.marks.push(mark);
        self.control(&format!("SAVEPOINT q_{}", level.0))
    }

    pub fn release(&mut self, name: &str) -> Result<(), Trouble> {
        let level = self.transcript.release(name)?;
        self.marks.truncate(level.0);
        self.control(&format!("RELEASE q_{}", level.0))
    }

    /// Returns which locks to give back.
    pub fn rollback_to(&mut self, name: &str) -> Result<Release, Trouble> {
        let level = self.transcript.rollback_to(name)?;
        self.marks.truncate(level.0 + 1);
        if !self.private.is_empty() {
            // Which of them still are its own, a new view will tell.
            self.drop_view();
        }
        self.control(&format!("ROLLBACK TO q_{}", level.0))?;
        if let Some(view) = &mut self.view {
            view.runner().catalog_undone();
        }
        Ok(self.last_mark())
    }

    /// What a failure gives back.
    pub fn last_mark(&self) -> Release {
        match self.marks.last() {
            None => Release::All,
            Some(mark) => Release::To(*mark),
        }
    }

    fn control(&mut self, sql: &str) -> Result<(), Trouble> {
        let Some(view) = &mut self.view else { return Ok(()) };
        if let Err(fault) = view.runner().connection.run(sql, &[]) {
            // The next statement makes a new one.
            tracing::debug!(%fault, sql, "a view is given up");
            self.drop_view();
        }
        Ok(())
    }

    // ---- views ----

    /// Takes the latest view and does everything again. Error: 40001 when the client was told something else.
    pub fn refresh(&mut self, views: &Views, env: &Env, control: Control) -> Result<(), Trouble> {
        let old = self.view.take().filter(View::is_intact);
        let mut view = match old {
            Some(mut view) => match view.refresh() {
                Ok(()) => view,
                Err(_) => views.open()?,
            },
            None => match views.open() {
                // The file was replaced in between.
                Err(fault) if fault.primary() == ffi::SQLITE_SCHEMA => views.open()?,
                view => view?,
            },
        };
        self.own.clear();
        self.private.clear();
        self.announced = 0;
        self.forget_unchecked();
        if self.transcript.steps().len() > 0 || self.transcript.has_savepoints() {
            view.limit(Some(control));
            self.replay(&mut view, env)?;
            view.limit(None);
        }
        self.view = Some(view);
        Ok(())
    }

    fn replay(&mut self, view: &mut View, env: &Env) -> Result<(), Trouble> {
        let isolation = self.isolation();
        let mut savepoints = self.transcript.savepoints().peekable();
        let mut changed = Vec::new();
        for (number, step) in self.transcript.steps().enumerate() {
            while let Some((level, _)) = savepoints.next_if(|(_, at)| *at <= number) {
                view.runner().connection.run(&format!("SAVEPOINT q_{}", level.0), &[])?;
            }
            view.runner().connection.context().lock().notified = Announcements::after(self.announced);
            let told = again(view, step, env, isolation)?;
            self.announced = view.runner().connection.context().lock().notified.bytes();
            if step.expect.is_some_and(|expect| !told.is_some_and(|told| told.keeps(expect))) {
                return Err(serialization_failure(isolation).into());
            }
            let connection = &mut view.runner().connection;
            let violated = connection.has_deferred_violations();
            changed.push((violated, connection.changes().take_touched()));
        }
        for (level, _) in savepoints {
            view.runner().connection.run(&format!("SAVEPOINT q_{}", level.0), &[])?;
        }
        self.private = view.runner().connection.changes().moved().oids();
        for (violated, taken) in changed {
            self.note_unchecked(violated, &taken.rows, taken.complete);
        }
        Ok(())
    }

    // ---- foreign keys whose check is put off ----

    fn forget_unchecked(&mut self) {
        self.unchecked.clear();
        self.unchecked_bytes = 0;
        self.complete = true;
    }

    /// Remembers changes while there is something to find among them, or may be again after ROLLBACK TO.
    fn note_unchecked(&mut self, violated: bool, touched: &[Touched], complete: bool) {
        if !violated && (self.unchecked.is_empty() || self.marks.is_empty()) {
            return self.forget_unchecked();
        }
        self.complete &= complete;
        for change in touched {
            let bytes = self.unchecked_bytes + change.bytes();
            if self.unchecked.len() >= CHANGES || bytes > KEPT_BYTES {
                self.complete = false;
                break;
            }
            self.unchecked_bytes = bytes;
            self.unchecked.push(change.clone());
        }
    }

    // ---- statements ----

    /// Runs a statement once. Unless it is done, nothing of it remains. `behind`: its view may not be the latest, so that
    /// a failure says nothing.
    pub fn attempt(
        &mut self,
        statement: &Statement,
        run: &mut Run,
        names: &Tables,
        control: Control,
        free: RowFree,
        behind: bool,
    ) -> Result<Ran, Trouble> {
        let isolation = self.isolation();
        let view = self.view.as_mut().ok_or(Trouble::Void)?;
        view.limit(Some(control));
        {
            let mut draws = run.draws.lock();
            draws.rewind();
            draws.private.clone_from(&self.private);
        }
        let runner = view.runner();
        let catalog = if statement.step.ddl.any() { Some(runner.catalog()?) } else { None };
        runner.connection.run(&format!("SAVEPOINT {STATEMENT}"), &[])?;
        runner.connection.changes().take_touched();
        runner.hidden.clear();
        {
            let draws = run.draws.clone();
            let mut context = runner.connection.context().lock();
            let source = SequenceSource::Draw(Arc::new(move |oid| draws.lock().draw(oid)));
            dress(&mut context, &run.frozen, statement.step.seen.as_deref(), &self.env, source);
            context.nextvals.clear();
            context.row_free = Some(free);
            context.notified = Announcements::after(self.announced);
            // What writes runs again, where nothing may wait.
            context.nap = (statement.kind == Kind::Read).then(|| Arc::new(nap) as Nap);
        }
        let tell = (statement.kind != Kind::Read || isolation != Isolation::ReadCommitted).then_some(isolation);
        let result = runner.run(&statement.step, tell);
        let (sequences, announcements) = {
            let mut context = runner.connection.context().lock();
            context.row_free = None;
            context.nap = None;
            context.sequences = SequenceSource::Forbidden;
            (std::mem::take(&mut context.nextvals), std::mem::take(&mut context.notified))
        };
        let Taken { rows: touched, crowded, complete } = runner.connection.changes().take_touched();
        let private = runner.connection.changes().moved().oids();
        let mut defined = BTreeSet::new();
        if statement.step.ddl.any() {
            let mut changed = runner.connection.changes().system_rows(false).unwrap_or_default();
            // Who only comes to depend on a table, as a view does, leaves its rows to others.
            changed.retain(|row| row.table != "pg_catalog.pg_depend");
            defined = relations_of(&changed).unwrap_or_default();
        }
        let hidden = std::mem::take(&mut runner.hidden);
        if statement.step.ddl.any() {
            runner.catalog_changed();
        }
        let too_much = view.has_spent_too_much();
        view.limit(None);
        if too_much && statement.kind != Kind::Read {
            self.undo(run)?;
            return Ok(Ran::Failed(meter::too_much_work()));
        }
        let (outcome, told) = match result {
            Ok(done) => done,
            Err(error) => {
                let missing = std::mem::take(&mut run.draws.lock().missing);
                if let StepError::Machine(fault) = error {
                    self.drop_view();
                    return Err(fault.into());
                }
                self.undo(run)?;
                return Ok(match error {
                    _ if !missing.is_empty() => Ran::NeedSequences(missing),
                    _ if behind => Ran::Stale,
                    StepError::Sql(error) => Ran::Failed(error),
                    StepError::Machine(fault) => return Err(fault.into()),
                });
            }
        };
        let missing = std::mem::take(&mut run.draws.lock().missing);
        if !missing.is_empty() {
            self.undo(run)?;
            return Ok(Ran::NeedSequences(missing));
        }
        if let Some(error) = self.broken(&statement.immediate, &touched, complete)? {
            self.undo(run)?;
            return Ok(Ran::Failed(error));
        }
        let mut found = Found::default();
        if statement.step.ddl.any() {
            // What concerns one session only is defined beside others' of the kind, but not beside what concerns all.
            let private = statement.step.ddl == Definition::Private;
            found.table(SCHEMA, if private { LockMode::RowExclusive } else { LockMode::Exclusive });
            let defined = defined.into_iter().filter(|oid| names.has(*oid));
            defined.for_each(|oid| found.table(oid, LockMode::AccessExclusive));
        }
        touched.iter().for_each(|touched| found.touched(touched, names, &self.own));
        for (parent, rowid) in self.parents(&touched, names)? {
            found.table(parent, LockMode::RowShare);
            if !self.own.contains(&(parent, rowid)) {
                found.row(parent, names::rowid_key(rowid), LockStrength::KeyShare);
            }
        }
        for (table, key) in self.unique_keys(&touched, names)? {
            found.row(table, key, LockStrength::Update);
        }
        for table in crowded.iter().filter_map(|name| names.get(name)) {
            // Not all of them are known one by one: against whoever changes rows, or locks them.
            found.table(table.oid, LockMode::Exclusive);
        }
        let locked = statement.lock.as_ref().map_or_else(Vec::new, |lock| found.locked(lock, &hidden, &self.own));
        run.result = Some(Finished {
            outcome,
            told,
            wrote: statement.step.ddl.any()
                || !announcements.is_empty()
                || !touched.is_empty()
                || !complete
                || !sequences.is_empty(),
            sequences,
            announced: announcements.bytes(),
            locked,
            inserted: std::mem::take(&mut found.inserted),
            private,
            catalog,
            complete,
            touched,
        });
        let (wants, tables) = found.wants();
        Ok(Ran::Done { wants, tables })
    }

    /// The rows that changed rows have begun to refer to: they must not go before those are committed.
    fn parents(&mut self, touched: &[Touched], names: &Tables) -> Result<BTreeSet<(u32, i64)>, Trouble> {
        let (mut parents, mut known) = (BTreeSet::new(), HashSet::new());
        for touched in touched.iter().filter(|touched| touched.operation != Operation::Delete) {
            let Some(table) = names.get(&touched.table) else { continue };
            for reference in &*table.references {
                let values = |row: &[Value]| -> Option<Vec<Value>> {
                    reference.columns.iter().map(|i| row.get(*i).filter(|value| !value.is_null()).cloned()).collect()
                };
                let Some(now) = values(&touched.new) else { continue };
                if touched.operation == Operation::Update && values(&touched.old).as_ref() == Some(&now) {
                    continue;
                }
                if let (true, [Value::Int(rowid)]) = (reference.keyed, &now[..]) {
                    parents.insert((reference.parent, *rowid));
                } else if known.insert((reference.find.as_str(), names::value_key(&now.iter().collect::<Vec<_>>())))
                    && let Some(view) = &mut self.view
                {
                    let now: Vec<_> = now.iter().map(Value::as_ref).collect();
                    let found = match view.runner().connection.query(&reference.find, &now) {
                        // The block itself has changed, or dropped, what the key points to.
                        Err(fault) if fault.is_deterministic() => continue,
                        found => found?,
                    };
                    for row in found {
                        if let Some(Value::Int(rowid)) = row.first() {
                            parents.insert((reference.parent, *rowid));
                        }
                    }
                }
            }
        }
        Ok(parents)
    }

    /// What the changed rows now have in unique indexes where a row does not say it: as in PostgreSQL, who would have the same waits
    /// to see what becomes of it.
    fn unique_keys(&mut self, touched: &[Touched], names: &Tables) -> Result<Vec<RowKey>, Trouble> {
        let mut keys = Vec::new();
        let Some(view) = &mut self.view else { return Ok(keys) };
        for touched in touched.iter().filter(|touched| touched.operation != Operation::Delete) {
            let (Some(table), Some((_, rowid))) = (names.get(&touched.table), touched.rowids) else { continue };
            for (unique, query) in names.asked(table) {
                let found = match view.runner().connection.query(query, &[Value::Int(rowid).as_ref()]) {
                    // The block itself has changed, or dropped, what the index is over.
                    Err(fault) if fault.is_deterministic() => continue,
                    found => found?,
                };
                keys.extend(found.iter().filter_map(|row| row.first()).map(|key| (table.oid, unique.key_of(key))));
            }
        }
        Ok(keys)
    }

    /// The error of a foreign key among `immediate` that is violated now, after the last statement changed `touched`.
    fn broken(&mut self, immediate: &[u32], touched: &[Touched], complete: bool) -> Result<Option<SqlError>, Trouble> {
        let Some(view) = self.view.as_mut().filter(|_| !immediate.is_empty()) else { return Ok(None) };
        if !view.runner().connection.has_deferred_violations() {
            return Ok(None);
        }
        let changes = self.unchecked.iter().chain(touched).cloned().collect();
        match view.runner().broken_reference(changes, self.complete && complete, immediate) {
            Ok(found) => Ok(found),
            Err(StepError::Sql(error)) => Err(error.into()),
            Err(StepError::Machine(fault)) => {
                self.drop_view();
                Err(fault.into())
            }
        }
    }

    /// Takes back the last run.
    pub fn undo(&mut self, run: &Run) -> Result<(), Trouble> {
        let Some(view) = &mut self.view else { return Ok(()) };
        let runner = view.runner();
        if run.ddl {
            runner.catalog_undone();
        }
        let undone = runner
            .connection
            .run(&format!("ROLLBACK TO {STATEMENT}"), &[])
            .and_then(|()| runner.connection.run(&format!("RELEASE {STATEMENT}"), &[]));
        runner.connection.changes().take_touched();
        runner.connection.changes().moved().replace(self.private.clone());
        if undone.is_err() {
            self.drop_view();
        }
        Ok(())
    }

    /// Whether the rows that an undone run has changed or locked are committed as this view has them, if that is to be found
    /// out.
    pub fn has_rows_of(&mut self, views: &Views, run: &Run, name_of: &dyn Fn(u32) -> Option<String>) -> Option<bool> {
        let (result, view) = (run.result.as_ref()?, self.view.as_mut()?);
        let touched = result.touched.iter().map(|touched| match touched.rowids {
            Some((before, after)) if before == after && touched.operation != Operation::Insert => {
                Some((touched.table.clone(), before))
            }
            _ => None,
        });
        let locked = result.locked.iter().map(|(table, rowid)| Some((name_of(*table)?, *rowid)));
        let rows = touched.chain(locked).collect::<Option<Vec<_>>>()?;
        let mut now = views.open().ok()?;
        for (table, rowid) in rows {
            let sql = format!("SELECT * FROM {} WHERE _rowid_ = ?1", quote(&table));
            let row = |view: &mut View| view.runner().connection.query(&sql, &[ValueRef::Int(rowid)]).ok();
            if row(view)? != row(&mut now)? {
                return Some(false);
            }
        }
        Some(true)
    }

    /// Whether a run that was undone would do and tell the same on what is committed now: at REPEATABLE READ it then counts as
    /// it was on the snapshot, which stays. It is tried alone, and if that differs behind the writes of a short transaction,
    /// without which it may mean something else. Errors: 23505, 40001 for what constraints see and the snapshot does not show.
    pub fn does_alike(
        &mut self,
        views: &Views,
        statement: &Statement,
        run: &mut Run,
        names: &Tables,
        control: &Control,
        free: &RowFree,
    ) -> Result<bool, Trouble> {
        let before = run.result.take().ok_or(Trouble::Void)?;
        let snapshot = self.view.take();
        let mut trial = |work: &mut Work, behind_writes: bool| -> Result<bool, Trouble> {
            let mut view = views.open()?;
            view.limit(Some(control.clone()));
            for step in work.transcript.logged_steps().take_while(|_| behind_writes) {
                again(&mut view, step, &work.env, work.isolation())?;
            }
            work.view = Some(view);
            match work.attempt(statement, run, names, control.clone(), free.clone(), false)? {
                Ran::Done { .. } => {
                    let after = run.result.take();
                    Ok(after.is_some_and(|after| after.told == before.told && after.wrote == before.wrote))
                }
                Ran::Failed(error) => Err(error.into()),
                Ran::NeedSequences(_) | Ran::Stale => Ok(false),
            }
        };
        let mut alike = trial(self, false);
        let (short, alone) = (self.transcript.steps().len() <= LONG, self.transcript.logged_steps().next().is_none());
        if short && !alone && !matches!(alike, Ok(true)) {
            alike = trial(self, true);
        }
        self.view = snapshot;
        run.result = Some(before);
        match alike {
            Err(Trouble::Sql(error)) if short || alone => match error.code {
                state::UNIQUE_VIOLATION => Err(error.into()),
                // What a foreign key points to is on the snapshot, and is gone.
                state::FOREIGN_KEY_VIOLATION => Err(serialization_failure(self.isolation()).into()),
                _ => Ok(false),
            },
            alike => Ok(alike.unwrap_or(false)),
        }
    }

    /// The last run counts: it becomes part of the transcript. Error: 54000.
    pub fn keep(&mut self, statement: &Statement, mut run: Run) -> Result<Kept, Trouble> {
        let skips = matches!(&statement.lock, Some(Locking { wait: LockWait::SkipLocked, .. }));
        let locked = skips.then(|| run.locked());
        let result = run.result.take().ok_or(Trouble::Void)?;
        let mut step = statement.step.clone();
        let sequences = (!run.is_local()).then_some(result.sequences);
        step.frozen = Some(Frozen { sequences, ..run.frozen.clone() });
        self.heavy |= statement.effort > Effort::Key;
        step.expect = result.told.map(|told| told.expect(statement.ordered));
        if let Some(locked) = locked {
            step.params.iter_mut().filter_map(|set| set.last_mut()).for_each(|last| *last = locked.clone());
        }
        let kind = match statement.kind {
            // As in PostgreSQL, what was found was found at its time. The rows that it has locked stay as they are, since the
            // locks must have held; what else was told of, or has come to fit, may have changed.
            _ if !result.wrote && self.isolation() == Isolation::ReadCommitted => Kind::Read,
            // A statement that found nothing to change makes a promise, but no change.
            Kind::Write if !result.wrote => Kind::LockingRead,
            kind => kind,
        };
        if let Err(error) = self.transcript.push(step.clone(), kind) {
            self.undo(&run)?;
            return Err(error.into());
        }
        let mut catalog = None;
        let mut violated = false;
        if let Some(view) = &mut self.view {
            violated = view.runner().connection.has_deferred_violations();
            if let Some(before) = &result.catalog {
                catalog = Some(view.runner().catalog()?.change_from(before));
            }
        }
        self.note_unchecked(violated, &result.touched, result.complete);
        self.announced = result.announced;
        self.own.extend(result.inserted);
        self.private = result.private;
        self.control(&format!("RELEASE {STATEMENT}"))?;
        Ok(Kept { outcome: result.outcome, step, kind, catalog })
    }
}

/// A statement that counts.
pub struct Kept {
    pub outcome: StepOutcome,
    /// As it belongs into the transcript.
    pub step: Step,
    pub kind: Kind,
    /// What it has done to the catalog.
    pub catalog: Option<Change>,
}

/// Which locks to give back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Release {
    All,
    To(Mark),
}

/// Runs a step of the transcript again.
pub fn again(view: &mut View, step: &Step, env: &Env, isolation: Isolation) -> Result<Option<Told>, Trouble> {
    let runner = view.runner();
    if let Some(frozen) = &step.frozen {
        dress(&mut runner.connection.context().lock(), frozen, step.seen.as_deref(), env, replayed(frozen));
    }
    let result = runner.run(step, step.expect.map(|_| isolation));
    runner.hidden.clear();
    if step.ddl.any() {
        runner.catalog_changed();
    }
    match result {
        Ok((_, told)) => Ok(told),
        Err(StepError::Sql(error)) => Err(serialization_failure(isolation).detail(error.to_string()).into()),
        Err(StepError::Machine(fault)) => Err(fault.into()),
    }
}

/// A table, and what is locked of it.
type RowKey = (u32, Arc<[u8]>);

/// The locks that a run calls for.
#[derive(Default)]
struct Found {
    tables: BTreeMap<u32, LockMode>,
    rows: BTreeMap<RowKey, LockStrength>,
    inserted: Vec<(u32, i64)>,
}

/// Rows of which a statement has a lock each: some hundred bytes.
const LOCKED_ONE_BY_ONE: usize = 50_000;

impl Found {
    fn table(&mut self, table: u32, mode: LockMode) {
        let held = self.tables.entry(table).or_insert(mode);
        *held = (*held).max(mode);
    }

    fn row(&mut self, table: u32, key: Arc<[u8]>, strength: LockStrength) {
        let held = self.rows.entry((table, key)).or_insert(strength);
        *held = (*held).max(strength);
    }

    fn touched(&mut self, touched: &Touched, names: &Tables, own: &HashSet<(u32, i64)>) {
        // The catalog's tables are under the lock of schema changes; tables of its own nobody else knows.
        let Some(table) = names.get(&touched.table) else { return };
        self.table(table.oid, LockMode::RowExclusive);
        let (before, after) = touched.rowids.unwrap_or_default();
        let key = |row: &[Value]| -> Option<Arc<[u8]>> {
            let values: Option<Vec<&Value>> = table.key.iter().map(|i| row.get(*i)).collect();
            values.filter(|values| !values.is_empty()).map(|values| names::value_key(&values))
        };
        let (old, new) = (key(&touched.old), key(&touched.new));
        let moved = touched.operation == Operation::Update && (old != new || table.keyed && before != after);
        if touched.operation != Operation::Insert && !own.contains(&(table.oid, before)) {
            let gone = moved || touched.operation == Operation::Delete;
            let strength = if gone { LockStrength::Update } else { LockStrength::NoKeyUpdate };
            self.row(table.oid, names::rowid_key(before), strength);
        }
        if touched.operation == Operation::Insert || moved {
            match new {
                _ if table.keyed => self.row(table.oid, names::rowid_key(after), LockStrength::Update),
                Some(key) => self.row(table.oid, key, LockStrength::Update),
                None => {}
            }
        }
        for unique in &*table.unique {
            // As in PostgreSQL, who would have the same values waits to see what becomes of these.
            let new = unique.key(&touched.new).filter(|_| touched.operation != Operation::Delete);
            if let Some(new) = new.filter(|new| unique.key(&touched.old).as_ref() != Some(new)) {
                self.row(table.oid, new, LockStrength::Update);
            }
        }
        if touched.operation == Operation::Insert && !table.keyed {
            // Its rowid is the view's own idea.
            self.inserted.push((table.oid, after));
        }
    }

    /// The rows that a locking read found. Of very many of them the table is locked in their place, where that keeps out
    /// the same others: not for those that would be passed over, nor for what is to be shared.
    fn locked(&mut self, lock: &Locking, hidden: &[Vec<Value>], own: &HashSet<(u32, i64)>) -> Vec<(u32, i64)> {
        let all = hidden.len() > LOCKED_ONE_BY_ONE
            && lock.strength >= LockStrength::NoKeyUpdate
            && lock.wait != LockWait::SkipLocked;
        let mode = if all { LockMode::Exclusive } else { LockMode::RowShare };
        lock.tables.iter().for_each(|table| self.table(*table, mode));
        let mut rows = Vec::new();
        for row in hidden {
            for (table, rowid) in lock.tables.iter().zip(row) {
                let Value::Int(rowid) = rowid else { continue };
                rows.push((*table, *rowid));
                if !all && !own.contains(&(*table, *rowid)) {
                    self.row(*table, names::rowid_key(*rowid), lock.strength);
                }
            }
        }
        rows
    }

    fn wants(self) -> (Vec<Want>, Vec<u32>) {
        let tables = self.tables.keys().copied().collect();
        let mut of_tables: Vec<Want> =
            self.tables.into_iter().map(|(table, mode)| Want::Table { table, mode }).collect();
        // Whoever waits for a table does not keep other definitions waiting.
        of_tables.sort_by_key(|want| want.target() == Target::Table(SCHEMA));
        let of_rows = self.rows.into_iter().map(|((table, key), strength)| Want::Row { table, key, strength });
        (of_tables.into_iter().chain(of_rows).collect(), tables)
    }
}
