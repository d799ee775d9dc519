//! Reads: a pool of read-only connections, and cursors that hold one in a read transaction.
//!
//! **Snapshot.** [`read`] executes up to the first row, so the snapshot is fixed before it returns, and a plan made under
//! another schema version is refused there, not in the middle of a result. Comparing versions costs two atomic loads
//! unless DDL is being committed right now; then the snapshot is asked.
//!
//! **Time slices.** A brief fetch stops after [`SLICE`], wherever it is. A stopped SQLite statement is at its start
//! again; since the cursor holds the snapshot, the next fetch runs it anew and skips the rows that were already
//! delivered. They cannot have taken longer than the slices in which they were delivered.
//!
//! **Rest.** Between two fetches of a client that takes a part at a time a cursor does not count among the readers: it gives
//! its permit back, keeps its connection and snapshot in one of [`RESTING`] other places, and takes a permit again for the
//! next fetch. If there is no other place either, it loses its snapshot, and the next fetch fails.
//!
//! **Long statements** ([`LONG`]) are prepared and begun on another thread.
//!
//! **Stopping.** The connection's meter asks every so much work for a cancel request, the deadline, the slice, and a
//! snapshot installed over this generation.

use super::files::Generation;
use super::statement::{Fault, Statement};
use super::step::{Runner, StepError};
use super::{Connection, Dialect, Options, Role, Shared, meta};
use crate::command::{self, Yields, schema};
use crate::database::{ANY_SCHEMA, Control, Failure, Fetched, ReadRequest, Rows};
use crate::error::{SqlError, SqlResult, state};
use crate::functions::{Context, ShowView};
use crate::meter::Limits;
use crate::sql::catalog::Catalog;
use crate::value::{Value, ValueRef};
use parking_lot::Mutex;
use rusqlite::ffi;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// How long a brief fetch may work.
const SLICE: Duration = Duration::from_micros(300);
/// Idle readers that are kept open.
const KEEP_IDLE: usize = 16;
/// Cursors that may keep a connection while they rest.
const RESTING: usize = 256;
/// Bytes of text and parameters from which on a statement is not begun on a shared thread.
const LONG: usize = 16 << 10;
/// How often a read that waits for a free reader looks whether it was cancelled.
const CANCEL_CHECK: Duration = Duration::from_millis(100);

/// The readers of one generation.
pub struct Pool {
    // Connections close before the generation may remove its files.
    idle: Mutex<Idle>,
    permits: Arc<Semaphore>,
    resting: Arc<Semaphore>,
    options: Arc<Options>,
    generation: Arc<Generation>,
}

/// Readers that nobody uses at the moment.
#[derive(Default)]
struct Idle {
    readers: Vec<Reader>,
    /// For how many calls of [`Pool::rest`] nobody has used any.
    quiet: u32,
}

impl Pool {
    pub fn new(generation: Arc<Generation>, options: Arc<Options>) -> Pool {
        let permits = Arc::new(Semaphore::new(options.readers.max(1)));
        let resting = Arc::new(Semaphore::new(RESTING));
        Pool { idle: Mutex::default(), permits, resting, options, generation }
    }

    pub fn generation(&self) -> &Arc<Generation> {
        &self.generation
    }

    pub fn statement_memory(&self) -> u64 {
        self.options.statement_memory
    }

    pub fn work_in_the_log(&self) -> u64 {
        self.options.work
    }

    pub fn dialect(&self) -> &Dialect {
        &self.options.dialect
    }

    fn take(&self) -> Result<Reader, Fault> {
        let idle = {
            let mut idle = self.idle.lock();
            idle.quiet = 0;
            idle.readers.pop()
        };
        match idle {
            Some(reader) => Ok(reader),
            None => Reader::open(&self.generation, &self.options),
        }
    }

    fn give(&self, reader: Reader) {
        let mut idle = self.idle.lock();
        idle.quiet = 0;
        if idle.readers.len() < KEEP_IDLE && !self.generation.is_retired() {
            idle.readers.push(reader);
        }
    }

    /// Called now and then: closes the readers after so many calls during which nobody has used any.
    pub fn rest(&self, patience: u32) {
        let mut idle = self.idle.lock();
        idle.quiet = idle.quiet.saturating_add(1);
        if idle.quiet < patience {
            return;
        }
        let readers = std::mem::take(&mut idle.readers);
        drop(idle);
        drop(readers);
    }
}

/// Why a statement was stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Go,
    Slice,
    Cancelled,
    Deadline,
    Replaced,
}

/// What the meter asks.
struct Guard {
    control: Option<Control>,
    slice: Option<Instant>,
    generation: Arc<Generation>,
    verdict: Verdict,
}

impl Guard {
    fn judge(&self) -> Verdict {
        let Some(control) = &self.control else { return Verdict::Go };
        if control.cancelled.load(Ordering::Relaxed) {
            return Verdict::Cancelled;
        }
        if self.generation.is_retired() {
            return Verdict::Replaced;
        }
        let now = Instant::now();
        if now >= control.deadline {
            return Verdict::Deadline;
        }
        match self.slice {
            Some(end) if now >= end => Verdict::Slice,
            _ => Verdict::Go,
        }
    }
}

/// A read-only connection.
struct Reader {
    runner: Runner,
    guard: Arc<Mutex<Guard>>,
}

impl Reader {
    fn open(generation: &Arc<Generation>, options: &Options) -> Result<Reader, Fault> {
        let connection = Connection::open(&generation.path(), Role::Reader, false, &options.dialect.register)?;
        let guard = Guard { control: None, slice: None, generation: generation.clone(), verdict: Verdict::Go };
        let guard = Arc::new(Mutex::new(guard));
        let asked = guard.clone();
        connection.meter().watch(Box::new(move || {
            let mut guard = asked.lock();
            guard.verdict = guard.judge();
            guard.verdict != Verdict::Go
        }));
        Ok(Reader { runner: Runner::new(connection, options.dialect.clone()), guard })
    }

    fn guard(&mut self) -> parking_lot::MutexGuard<'_, Guard> {
        self.guard.lock()
    }

    /// From here on statements run under `control` (or unwatched) for the length of a slice, if there is one.
    fn arm(&mut self, slice: bool) -> Verdict {
        let mut guard = self.guard();
        guard.slice = None;
        guard.verdict = guard.judge();
        if slice {
            guard.slice = Some(Instant::now() + SLICE);
        }
        guard.verdict
    }

    fn disarm(&mut self) {
        let mut guard = self.guard();
        (guard.control, guard.verdict) = (None, Verdict::Go);
    }
}

/// Lets time pass on this thread.
pub fn nap(time: Duration) -> Duration {
    let begun = Instant::now();
    std::thread::sleep(time);
    begun.elapsed()
}

fn verdict_error(verdict: Verdict) -> SqlError {
    let canceled = |text| SqlError::new(state::QUERY_CANCELED, text);
    match verdict {
        Verdict::Cancelled => canceled("canceling statement due to user request"),
        Verdict::Deadline => canceled("canceling statement due to statement timeout"),
        Verdict::Replaced => {
            SqlError::new(state::SERIALIZATION_FAILURE, "canceling statement due to conflict with recovery")
                .detail("The database on this node was replaced by a snapshot of another one.")
        }
        Verdict::Slice | Verdict::Go => SqlError::internal("a statement was interrupted for no reason"),
    }
}

/// What a client is told when this machine could not read.
fn machine_error(fault: &Fault) -> SqlError {
    let code = match fault.primary() {
        _ if fault.code == ffi::SQLITE_IOERR_DATA => state::DATA_CORRUPTED,
        ffi::SQLITE_CORRUPT | ffi::SQLITE_NOTADB => state::DATA_CORRUPTED,
        ffi::SQLITE_NOMEM => state::OUT_OF_MEMORY,
        ffi::SQLITE_FULL => state::DISK_FULL,
        ffi::SQLITE_IOERR | ffi::SQLITE_CANTOPEN => state::IO_ERROR,
        ffi::SQLITE_BUSY | ffi::SQLITE_LOCKED | ffi::SQLITE_PROTOCOL => state::LOCK_NOT_AVAILABLE,
        _ => state::SYSTEM_ERROR,
    };
    SqlError::new(code, fault.to_string())
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Not running: run it (again) and skip what was delivered.
    Start,
    /// On a row that was not delivered yet.
    Row,
    /// On a row that was delivered.
    Next,
    Done,
}

/// An open result. Holds a reader and a snapshot until it is at its end or dropped.
pub struct Cursor {
    /// Taken out when the cursor is finished.
    open: Option<(Reader, Statement)>,
    sql: Arc<str>,
    params: Vec<Value>,
    seed: u64,
    phase: Phase,
    delivered: u64,
    /// A brief fetch has found out that the next row takes long.
    long: bool,
    /// It keeps its reader and its snapshot after its last row.
    keeps: bool,
    pool: Arc<Pool>,
    shared: Arc<Shared>,
    place: Place,
}

/// Where a cursor is counted, until it gives its reader back.
enum Place {
    Reader(#[expect(dead_code, reason = "held")] OwnedSemaphorePermit),
    Resting(#[expect(dead_code, reason = "held")] OwnedSemaphorePermit),
    /// It had to give up its snapshot, and cannot go on.
    Lost,
    /// It needs none any more.
    None,
}

/// Opens a read; see [`Shared::read`].
pub async fn read(shared: Arc<Shared>, request: ReadRequest) -> Result<Cursor, Failure> {
    let pool = shared.pool.load_full();
    let permit = acquire(&pool, &request.control).await?;
    let size = request.sql.len() + request.params.iter().map(Value::weight).sum::<usize>();
    let opened = if size < LONG {
        Cursor::open(&shared, pool.clone(), permit, request, true)
    } else {
        let (shared, pool) = (shared.clone(), pool.clone());
        let work = move || Cursor::open(&shared, pool, permit, request, false);
        let done = tokio::task::spawn_blocking(work).await;
        done.unwrap_or_else(|_| Err(SqlError::internal("a read has ended in a panic").into()))
    };
    match opened {
        // Its file was replaced while it began, and with it perhaps the catalog. Nothing was delivered yet.
        Err(Failure::Sql { error, .. }) if pool.generation.is_retired() && error.code != state::QUERY_CANCELED => {
            Err(Failure::SchemaChanged)
        }
        result => result,
    }
}

async fn acquire(pool: &Pool, control: &Control) -> SqlResult<OwnedSemaphorePermit> {
    if let Ok(permit) = pool.permits.clone().try_acquire_owned() {
        return Ok(permit);
    }
    loop {
        let now = Instant::now();
        if control.cancelled.load(Ordering::Relaxed) {
            return Err(verdict_error(Verdict::Cancelled));
        }
        if now >= control.deadline {
            return Err(verdict_error(Verdict::Deadline));
        }
        let wait = CANCEL_CHECK.min(control.deadline - now);
        if let Ok(permit) = tokio::time::timeout(wait, pool.permits.clone().acquire_owned()).await {
            return permit.map_err(|_| SqlError::internal("the readers' semaphore was closed"));
        }
    }
}

impl Cursor {
    fn open(
        shared: &Arc<Shared>,
        pool: Arc<Pool>,
        permit: OwnedSemaphorePermit,
        request: ReadRequest,
        brief: bool,
    ) -> Result<Cursor, Failure> {
        let ReadRequest { sql, params, context, schema_version: plan, control, .. } = request;
        let mut reader = pool.take().map_err(|fault| machine_error(&fault))?;
        let seed = context.seed;
        let show = reader.runner.dialect.show_view;
        {
            let mut known = reader.runner.connection.context().lock();
            let show_view = known.show_view.take().or_else(|| Some(shows_views(shared, show)));
            let nap = known.nap.take().or_else(|| Some(Arc::new(nap)));
            *known = Context { nap, show_view, ..context };
        }
        let before = shared.schema_version();
        let begun = reader.runner.connection.run("BEGIN", &[]);
        reader.guard().control = Some(control);
        reader.arm(false);
        let statement = match begun.and_then(|()| reader.runner.connection.take(&sql)) {
            Ok(statement) if statement.readonly() => statement,
            Ok(_) => return Err(SqlError::internal("a read was translated to a statement that writes").into()),
            Err(fault) => {
                let verdict = reader.guard().verdict;
                let error = match verdict {
                    Verdict::Go | Verdict::Slice => explain(&mut reader, shared, fault),
                    verdict => verdict_error(verdict),
                };
                let version = snapshot_version(&mut reader);
                end(&pool, reader);
                return Err(schema_changed(shared, version?, plan).unwrap_or(error.into()));
            }
        };
        let mut cursor = Cursor {
            open: Some((reader, statement)),
            sql,
            params,
            seed,
            phase: Phase::Start,
            delivered: 0,
            long: false,
            keeps: false,
            pool,
            shared: shared.clone(),
            place: Place::Reader(permit),
        };
        let first = cursor.first(brief);
        let after = shared.pending.load(Ordering::SeqCst);
        if before != plan || after != plan {
            let (reader, _) = cursor.open.as_mut().expect("not finished");
            if let Some(changed) = schema_changed(shared, snapshot_version(reader)?, plan) {
                return Err(changed);
            }
        }
        first?;
        if cursor.phase == Phase::Done {
            cursor.finish();
        }
        Ok(cursor)
    }

    /// Executes up to the first row, or until it turns out to take long.
    fn first(&mut self, brief: bool) -> SqlResult<()> {
        self.arm(brief)?;
        match self.step()? {
            Step::Row => self.phase = Phase::Row,
            Step::End => self.phase = Phase::Done,
            Step::Slice => self.long = true,
        }
        Ok(())
    }

    fn arm(&mut self, slice: bool) -> SqlResult<()> {
        let (reader, _) = self.open.as_mut().expect("not finished");
        match reader.arm(slice) {
            Verdict::Go | Verdict::Slice => Ok(()),
            verdict => Err(verdict_error(verdict)),
        }
    }

    /// Goes to the next row to deliver.
    fn step(&mut self) -> SqlResult<Step> {
        let mut skip = 0;
        let (reader, statement) = self.open.as_mut().expect("not finished");
        let meter = reader.runner.connection.meter().clone();
        let _metered = meter.enter();
        if self.phase == Phase::Start {
            meter.begin(Limits::local(self.pool.options.statement_memory));
            skip = self.delivered;
            {
                let mut context = reader.runner.connection.context().lock();
                context.seed = self.seed;
                context.advisory_told.clear();
            }
            // SAFETY: `params` is not touched while the cursor lives, and `finish` resets the statement before it goes.
            unsafe { statement.bind(&self.params) }.map_err(|fault| explain(reader, &self.shared, fault))?;
            self.phase = Phase::Next;
        }
        loop {
            match statement.step() {
                Ok(true) if skip > 0 => skip -= 1,
                Ok(true) => return Ok(Step::Row),
                Ok(false) => return Ok(Step::End),
                Err(fault) => {
                    statement.reset();
                    self.phase = Phase::Start;
                    let verdict = reader.guard().verdict;
                    return match verdict {
                        Verdict::Slice => Ok(Step::Slice),
                        Verdict::Go => Err(explain(reader, &self.shared, fault)),
                        verdict => Err(verdict_error(verdict)),
                    };
                }
            }
        }
    }

    fn deliver(&mut self, sink: &mut dyn FnMut(&[ValueRef<'_>]) -> SqlResult<()>) -> SqlResult<()> {
        const FEW: usize = 24;
        let (_, statement) = self.open.as_ref().expect("not finished");
        let width = statement.width();
        if width <= FEW {
            let mut cells = [ValueRef::Null; FEW];
            for (i, cell) in cells[..width].iter_mut().enumerate() {
                *cell = statement.value(i)?;
            }
            sink(&cells[..width])?;
        } else {
            let cells = (0..width).map(|i| statement.value(i)).collect::<SqlResult<Vec<_>>>()?;
            sink(&cells)?;
        }
        self.delivered += 1;
        self.phase = Phase::Next;
        Ok(())
    }

    /// Ends the read and returns the reader.
    fn finish(&mut self) {
        self.phase = Phase::Done;
        if let Some((mut reader, mut statement)) = self.open.take() {
            statement.reset();
            reader.runner.connection.give(self.sql.clone(), statement);
            end(&self.pool, reader);
        }
        if !matches!(self.place, Place::Lost) {
            self.place = Place::None;
        }
    }

    fn fetch_rows(
        &mut self,
        max_rows: usize,
        brief: bool,
        sink: &mut dyn FnMut(&[ValueRef<'_>]) -> SqlResult<()>,
    ) -> SqlResult<Fetched> {
        self.arm(brief)?;
        let mut rows = 0;
        while rows < max_rows {
            if self.phase != Phase::Row {
                match self.step()? {
                    Step::Row => {}
                    Step::End => return Ok(Fetched::Done),
                    Step::Slice => {
                        self.long = true;
                        return Ok(Fetched::TooLong);
                    }
                }
            }
            self.deliver(sink)?;
            rows += 1;
        }
        Ok(Fetched::More)
    }
}

enum Step {
    Row,
    End,
    Slice,
}

impl Rows for Cursor {
    fn fetch(
        &mut self,
        max_rows: usize,
        brief: bool,
        sink: &mut dyn FnMut(&[ValueRef<'_>]) -> SqlResult<()>,
    ) -> SqlResult<Fetched> {
        if self.phase == Phase::Done {
            if !self.keeps {
                self.finish();
            }
            return Ok(Fetched::Done);
        }
        if brief && self.long {
            return Ok(Fetched::TooLong);
        }
        self.long = false;
        let result = self.fetch_rows(max_rows, brief, sink);
        match result {
            Ok(Fetched::Done) if self.keeps => self.phase = Phase::Done,
            Ok(Fetched::Done) | Err(_) => self.finish(),
            _ => {}
        }
        result
    }

    fn keep(&mut self) {
        self.keeps = true;
    }

    fn rewind(&mut self) -> bool {
        let Some((_, statement)) = &mut self.open else { return self.delivered == 0 };
        statement.reset();
        (self.phase, self.delivered) = (Phase::Start, 0);
        true
    }

    fn rest(&mut self, keep: bool) {
        if !matches!(self.place, Place::Reader(_)) {
            return;
        }
        match Arc::clone(&self.pool.resting).try_acquire_owned() {
            Ok(place) if keep => {
                if let Some((reader, _)) = &mut self.open {
                    reader.guard().control = None;
                    reader.runner.connection.release_memory();
                }
                self.place = Place::Resting(place);
            }
            _ => {
                self.finish();
                self.place = Place::Lost;
            }
        }
    }

    fn is_resting(&self) -> bool {
        matches!(self.place, Place::Resting(_) | Place::Lost)
    }

    async fn resume(&mut self, control: Control) -> SqlResult<()> {
        match self.place {
            Place::Reader(_) | Place::None => return Ok(()),
            Place::Lost => {
                let message = "the cursor was closed because too many are open";
                return Err(SqlError::new(state::CONFIGURATION_LIMIT_EXCEEDED, message)
                    .hint("Fetch all rows of some cursors, or close them."));
            }
            Place::Resting(_) => {}
        }
        let permit = acquire(&self.pool, &control).await?;
        if let Some((reader, _)) = &mut self.open {
            reader.guard().control = Some(control);
        }
        self.place = Place::Reader(permit);
        Ok(())
    }
}

impl Drop for Cursor {
    fn drop(&mut self) {
        self.finish();
    }
}

/// Ends the read transaction and returns the reader to its pool, unless it does not end.
fn end(pool: &Pool, mut reader: Reader) {
    reader.disarm();
    reader.runner.connection.meter().begin(Limits::NONE);
    // What the request brought along is not needed any more.
    reader.runner.connection.context().lock().live = Context::nothing();
    if reader.runner.connection.autocommit() || reader.runner.connection.run("COMMIT", &[]).is_ok() {
        pool.give(reader);
    }
}

/// Shows views as of now. It does not keep alive what keeps its reader.
fn shows_views(shared: &Arc<Shared>, show: fn(&Catalog, u32, bool, &[String]) -> Option<String>) -> ShowView {
    let shared = Arc::downgrade(shared);
    Arc::new(move |oid, pretty, path| show(&shared.upgrade()?.catalog(), oid, pretty, path))
}

fn explain(reader: &mut Reader, shared: &Shared, fault: Fault) -> SqlError {
    reader.runner.set_catalog(Some(shared.catalog()));
    match reader.runner.explain(fault, &command::Statement::new("", Yields::Nothing), &[]) {
        StepError::Sql(error) => error,
        StepError::Machine(fault) => machine_error(&fault),
    }
}

/// The schema version that the open snapshot has.
fn snapshot_version(reader: &mut Reader) -> Result<u64, SqlError> {
    let control = reader.guard().control.take();
    let rows = reader
        .runner
        .connection
        .query("SELECT schema_version FROM _quorate_meta", &[])
        .map_err(|fault| machine_error(&fault));
    reader.guard().control = control;
    let rows = rows?;
    meta::unsigned(&rows[0][0]).map_err(|fault| machine_error(&fault))
}

fn schema_changed(shared: &Shared, snapshot: u64, plan: u64) -> Option<Failure> {
    if plan == ANY_SCHEMA || schema::agree(snapshot, plan) {
        return None;
    }
    // So that the next translation is made under the version that was seen, not under this one again.
    shared.await_catalog(snapshot);
    Some(Failure::SchemaChanged)
}
