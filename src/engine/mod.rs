//! The SQLite state machine of one replica: applies the log, answers reads, writes and installs snapshots.
//!
//! It knows positions and commands, but neither Raft nor Postgres: what it must know of SQL beyond executing it is
//! injected as a [`Dialect`]. One thread at a time has the [`Engine`] (the apply thread, the only writer of the file);
//! everybody else holds [`Shared`].
//!
//! | file | content |
//! |---|---|
//! | `apply` | entries to effects: one transaction per call, savepoints, refusals, votes |
//! | `step` | one step of a command on any connection: apply, replay or fork |
//! | `diagnosis` | what can be asked where a statement failed |
//! | `advisory`, `tenure` | locks as far as they are replicated state |
//! | `meta` | the engine's own tables; which requests were applied |
//! | `contents` | a digest of everything that is there |
//! | `digest` | row changes as sums, the running digest, what a transaction's client was told |
//! | `sequence` | `q_nextval`, `q_setval` |
//! | `connection`, `statement` | the fixed settings, the authorizer, prepared statements |
//! | `fork`, `view` | private views for transactions |
//! | `reader` | cursors on snapshots, their time slices, cancelling |
//! | `online` | indexes that are built in slices |
//! | `snapshot`, `files` | copies of the state, generations of the file |
//! | `checkpoint`, `gather` | the WAL: what is durable; how it is written |
//! | `pages` | checksums in the pages of a file |
//! | `memory` | what SQLite allocates, counted by statement |
//!
//! The state is a function of the log alone. What could differ between machines is either fixed at open, frozen in the
//! log, or stops the replica. A file begins as [`version::FIRST`] has it, and what later versions change
//! in the tables of ours comes through the log. Left out: checking a whole snapshot's b-trees on install (its checksum is
//! verified; `quick_check` reads every page a second time).

mod advisory;
pub mod apply;
pub mod checkpoint;
pub mod connection;
mod contents;
#[cfg(debug_assertions)]
mod defect;
pub mod diagnosis;
pub mod digest;
mod files;
pub mod fork;
mod gather;
pub mod memory;
mod meta;
mod online;
mod pages;
pub mod reader;
mod sequence;
mod snapshot;
pub mod statement;
pub mod step;
mod tenure;
#[cfg(test)]
mod tests;
pub mod view;

pub use connection::{Connection, Register, Role};
pub use files::{Generation, free_space, set_aside, set_temporary_directory};
pub use meta::Window;
pub use reader::Cursor;
pub use step::{Runner, StepError};

use crate::command::AdvisoryKey;
use crate::consensus::brake::Brake;
use crate::consensus::{Applied, Committed, Halt, Membership, Position, SnapshotMeta, StateMachine};
use crate::database::mailbox::{self, Hub, Letter};
use crate::database::{Failure, ReadRequest};
use crate::error::{SqlError, SqlResult, state};
use crate::id::{NodeId, ReplicaId};
use crate::locks::advisory::{self as locks, Table};
use crate::sql::catalog::Catalog;
use crate::sql::catalog::change::SystemRow;
use crate::sql::violation;
use crate::value::Value;
use crate::version::{self, FIRST, LATEST, Migration, Version};
use apply::{Machine, halt};
use arc_swap::ArcSwap;
use checkpoint::{Checkpointer, Pace, Progress};
use parking_lot::{Condvar, Mutex};
use rusqlite::ffi;
use statement::Fault;
use std::collections::BTreeSet;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

/// Runs a query and returns its rows.
pub type Rows<'a> = &'a mut dyn FnMut(&str) -> SqlResult<Vec<Vec<Value>>>;

/// A catalog, and rows of the system tables that have changed since.
pub type Known<'a> = Option<(&'a Catalog, &'a [SystemRow])>;

/// Reads the catalog from the database; what has not changed is taken from what is known.
pub type LoadCatalog = Arc<dyn Fn(Known<'_>, Rows<'_>) -> SqlResult<Catalog> + Send + Sync>;

/// The client's error for a failure of SQLite's. Must be a function of its arguments and of what it asks.
pub type ExplainError = Arc<dyn Fn(&Catalog, &violation::Failure<'_>, violation::Ask<'_>) -> SqlError + Send + Sync>;

/// What the engine is told about SQL.
#[derive(Clone)]
pub struct Dialect {
    /// Registers our functions and collations on a connection.
    pub register: Register,
    /// The version it finds is replaced by the engine's.
    pub load_catalog: LoadCatalog,
    /// The error that one of our functions put into a message of SQLite, if it did.
    pub decode_error: fn(&str) -> Option<SqlError>,
    pub explain_error: ExplainError,
    /// The query of a view (its OID) as the catalog's functions show it, whether prettily, and where names need not be qualified;
    /// `None`: as it is kept.
    pub show_view: fn(&Catalog, u32, bool, &[String]) -> Option<String>,
}

/// What happened, for the host. Called on the apply thread: be quick.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// This replica had `digest` after the entry `index`: to be put into the log as a vote.
    DigestMarked {
        index: u64,
        digest: u64,
    },
    SchemaChanged {
        version: u64,
    },
    /// A majority believed that the log's time was far ahead: it was set back. µs since 2000-01-01 00:00 UTC.
    ClockSetBack {
        from: i64,
        to: i64,
    },
}

#[derive(Clone)]
pub struct Options {
    /// The replica's own directory.
    pub directory: PathBuf,
    pub dialect: Dialect,
    /// Of the group's own tables, ascending by number and version.
    pub migrations: Vec<Migration>,
    /// The newest version that the group may rise to here.
    pub latest: Version,
    /// Who votes, as of position 0; the same on all first members.
    pub membership: Membership,
    /// Names the group and its cluster: a file of another one is refused. The same on every replica.
    pub owner: String,
    /// The same on every replica.
    pub window: Window,
    pub pace: Pace,
    /// Reads at a time; more wait.
    pub readers: usize,
    /// Pages after which the file counts as full. The machine's limit, not the state's.
    pub max_pages: Option<u32>,
    /// Bytes that a read, or a write that is tried, may have. Below [`crate::meter::MEMORY_IN_THE_LOG`], so that what was tried is
    /// not too much in the log.
    pub statement_memory: u64,
    /// Units of work that a command in the log may take. The same on every replica.
    pub work: u64,
    pub on_event: Arc<dyn Fn(Event) + Send + Sync>,
}

impl Options {
    pub fn new(directory: impl Into<PathBuf>, dialect: Dialect) -> Options {
        Options {
            directory: directory.into(),
            dialect,
            migrations: Vec::new(),
            latest: LATEST,
            membership: Membership::default(),
            owner: String::new(),
            window: Window::default(),
            pace: Pace::default(),
            readers: 64,
            max_pages: None,
            statement_memory: crate::meter::MEMORY_IN_THE_LOG / 2,
            work: crate::meter::WORK_IN_THE_LOG,
            on_event: Arc::new(|_| ()),
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("database directory: {0}")]
    Io(#[from] std::io::Error),
    #[error("database file: {0}")]
    Sqlite(#[from] Fault),
    #[error("catalog: {0}")]
    Catalog(SqlError),
    #[error(transparent)]
    Version(version::Unknown),
    #[error(
        "the tables of the file are those of migration {reached}, and of its version they should be those of {expected}: another \
         program has made it; run that one"
    )]
    Migration { reached: u32, expected: u32 },
    #[error("{} is gone", .0.display())]
    Gone(PathBuf),
    #[error(
        "the database file is {found}'s, not {expected}'s: files of groups or clusters were mixed up; \
         put each back where it was, or replace the node"
    )]
    Foreign { found: String, expected: String },
}

impl OpenError {
    /// The file is not what was written, or has no checksums in its pages.
    pub fn is_damage(&self) -> bool {
        match self {
            OpenError::Gone(_) => true,
            OpenError::Sqlite(fault) => {
                fault.code == ffi::SQLITE_IOERR_DATA
                    || [ffi::SQLITE_NOTADB, ffi::SQLITE_CORRUPT].contains(&fault.primary())
            }
            _ => false,
        }
    }
}

/// What any thread may ask of a replica's state.
pub struct Shared {
    applied: AtomicU64,
    /// The first time that the applied log leaves free.
    time: AtomicI64,
    version: AtomicU32,
    at: Mutex<(Position, u64)>,
    /// The schema version that is visible, and the one that may become visible any moment.
    committed: AtomicU64,
    pending: AtomicU64,
    catalog: ArcSwap<Catalog>,
    /// Rings when the catalog was replaced.
    catalog_bell: (Mutex<()>, Condvar),
    pool: ArcSwap<reader::Pool>,
    waiters: Mutex<Vec<(u64, tokio::sync::oneshot::Sender<()>)>>,
    marks: Mutex<std::collections::VecDeque<(u64, u64)>>,
    votes: Mutex<std::collections::VecDeque<(u64, NodeId, u64)>>,
    moved: Mutex<MovedSequences>,
    closed: AtomicBool,
    /// Advisory locks as of what is applied.
    advisory: Mutex<Table>,
    /// Rings when they have changed.
    pub advisory_bell: tokio::sync::Notify,
    /// Sessions of this node that want to hear of what is applied.
    pub hub: Hub,
    /// Who wants the state as it is when contents are compared.
    moments: Mutex<Vec<mpsc::UnboundedSender<Moment>>>,
}

/// The state after one entry. As long as it is held the WAL keeps what it needs.
pub struct Moment {
    pub index: u64,
    snapshot: contents::Snapshot,
}

impl Moment {
    /// Writes it into a new file, flushed, and says on the way how many of how many pages are copied.
    pub fn copy(self, file: &Path, told: &mut dyn FnMut(u32, u32)) -> Result<(), String> {
        self.snapshot.copy(file, told).map_err(|fault| fault.to_string())?;
        files::measure(file).map(drop).map_err(|error| error.to_string())
    }
}

/// What a file contains that no replica has open.
pub struct Contents {
    pub at: Position,
    /// The first time that its log leaves free, in µs since 2000-01-01 00:00 UTC.
    pub time: i64,
    pub version: Version,
    /// Whose state it is: see [`Options::owner`].
    pub owner: String,
}

/// Up to which index sequences have been put somewhere by anything but a draw, since this process began.
#[derive(Default)]
struct MovedSequences {
    at: std::collections::BTreeMap<u32, u64>,
    /// The same of all that are not listed.
    others: u64,
}

/// Sequences of which that is known one by one.
const MOVED: usize = 10_000;

/// After how many calls of [`StateMachine::idle`], one a second, what nobody has used meanwhile is closed.
const REST: u32 = 10;

/// Marks whose digests are kept in memory, and votes.
const MARKS: usize = 64;
const VOTES: usize = 512;

impl Shared {
    /// Index and term of the last applied entry.
    pub fn position(&self) -> Position {
        self.at.lock().0
    }

    /// Index of the last applied entry.
    pub fn applied(&self) -> u64 {
        self.applied.load(Ordering::Acquire)
    }

    /// The first time that the log leaves free as far as it is applied, in µs since 2000-01-01 00:00 UTC.
    pub fn time(&self) -> i64 {
        self.time.load(Ordering::Acquire)
    }

    /// The group's version as of what is applied here.
    pub fn version(&self) -> Version {
        Version(self.version.load(Ordering::Acquire))
    }

    /// The running digest and the index it belongs to.
    pub fn digest(&self) -> (u64, u64) {
        let at = self.at.lock();
        (at.0.index, at.1)
    }

    /// This replica's digest at a recent mark.
    #[cfg(test)]
    pub fn digest_at(&self, mark: u64) -> Option<u64> {
        self.marks.lock().iter().find(|(index, _)| *index == mark).map(|(_, digest)| *digest)
    }

    /// Whether a sequence may have been put somewhere, by `setval` for example, after the state at `index`.
    pub fn has_moved_since(&self, sequence: u32, index: u64) -> bool {
        let moved = self.moved.lock();
        moved.at.get(&sequence).map_or(moved.others, |at| *at) > index
    }

    fn note_moved(&self, sequences: impl IntoIterator<Item = u32>, at: u64) {
        let mut moved = self.moved.lock();
        for oid in sequences {
            if moved.at.len() >= MOVED {
                *moved = MovedSequences { at: Default::default(), others: at };
            }
            moved.at.insert(oid, at);
        }
    }

    /// Looks at the advisory locks as of what is applied.
    pub fn advisory<T>(&self, look: impl FnOnce(&Table) -> T) -> T {
        look(&self.advisory.lock())
    }

    fn publish_advisory(&self, table: &Table, changed: &BTreeSet<AdvisoryKey>, lost: &[u64]) {
        if changed.is_empty() && lost.is_empty() {
            return;
        }
        {
            let mut own = self.advisory.lock();
            changed.iter().for_each(|key| own.replace(*key, table.entries(*key)));
            own.follow(table);
        }
        lost.iter().for_each(|session| self.hub.end(*session, locks::lost()));
        self.advisory_bell.notify_waiters();
    }

    pub fn schema_version(&self) -> u64 {
        self.committed.load(Ordering::Acquire)
    }

    pub fn catalog(&self) -> Arc<Catalog> {
        self.catalog.load_full()
    }

    /// Votes on what replicas had at a mark, as far as they are applied here: nodes and digests.
    pub fn votes(&self, mark: u64) -> Vec<(NodeId, u64)> {
        let votes = self.votes.lock();
        votes.iter().filter(|(index, ..)| *index == mark).map(|(_, node, digest)| (*node, *digest)).collect()
    }

    /// What the engine was told about SQL.
    pub fn dialect(&self) -> Dialect {
        self.pool.load().dialect().clone()
    }

    /// Reads so many pages of the database file, from `first` (1) on, so that damaged ones are found; the replica looks after
    /// itself then. Returns how many pages there are. May take long.
    pub fn scrub(&self, first: u32, count: u32) -> Result<u32, String> {
        let path = self.file().path();
        let read = pages::look_through(&path, first, count);
        read.map_err(|error| pages::rotten(&path).unwrap_or_else(|| error.to_string()))
    }

    /// The states at which contents are compared from now on, until the receiver is dropped.
    pub fn moments(&self) -> mpsc::UnboundedReceiver<Moment> {
        let (sender, receiver) = mpsc::unbounded_channel();
        self.moments.lock().push(sender);
        receiver
    }

    /// Bytes that a statement of a client may have here.
    pub fn statement_memory(&self) -> u64 {
        self.pool.load().statement_memory()
    }

    /// Units of work that a command may take here.
    pub fn work_in_the_log(&self) -> u64 {
        self.pool.load().work_in_the_log()
    }

    /// The database file of now. Whoever opens it keeps this for as long, and looks whether it was retired.
    pub fn file(&self) -> Arc<Generation> {
        self.pool.load().generation().clone()
    }

    /// Ends when `index` is applied here; fails when the replica is closed before.
    pub fn wait_applied(&self, index: u64) -> impl Future<Output = SqlResult<()>> + Send + use<> {
        let waiting = (self.applied() < index).then(|| {
            let (sender, receiver) = tokio::sync::oneshot::channel();
            let mut waiters = self.waiters.lock();
            // Checked again under the lock that `publish` takes after it stored the index.
            if self.applied() >= index {
                let _ = sender.send(());
            } else if !self.closed.load(Ordering::Acquire) {
                waiters.push((index, sender));
            }
            receiver
        });
        async move {
            match waiting {
                None => Ok(()),
                Some(receiver) => receiver.await.map_err(|_| {
                    SqlError::new(state::CANNOT_CONNECT_NOW, "this replica of the database is shutting down")
                }),
            }
        }
    }

    /// Opens a read on what is applied now. Whoever wants a linearizable one has waited for the read index before.
    pub fn read(
        self: &Arc<Self>,
        request: ReadRequest,
    ) -> impl Future<Output = Result<Cursor, Failure>> + Send + use<> {
        reader::read(self.clone(), request)
    }

    fn publish(&self, state: &meta::State) {
        let at = state.at;
        self.version.store(state.version.0, Ordering::Release);
        self.time.store(state.clock, Ordering::Release);
        *self.at.lock() = (at, state.digest);
        self.applied.store(at.index, Ordering::Release);
        let mut waiters = self.waiters.lock();
        if waiters.is_empty() {
            return;
        }
        for (_, sender) in waiters.extract_if(.., |(index, _)| *index <= at.index) {
            // A waiter that has given up is fine.
            let _ = sender.send(());
        }
    }

    fn publish_catalog(&self, catalog: Arc<Catalog>) {
        let version = catalog.version;
        self.catalog.store(catalog);
        self.committed.store(version, Ordering::Release);
        drop(self.catalog_bell.0.lock());
        self.catalog_bell.1.notify_all();
    }

    /// Waits until the catalog is at least as new as a snapshot that was already seen: only until the apply thread gets
    /// from its COMMIT to `publish_catalog`.
    fn await_catalog(&self, version: u64) {
        let mut guard = self.catalog_bell.0.lock();
        let until = Instant::now() + Duration::from_secs(1);
        while self.schema_version() < version {
            if self.catalog_bell.1.wait_until(&mut guard, until).timed_out() {
                return;
            }
        }
    }

    /// Nothing more is applied here.
    pub fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    fn close(&self) {
        self.closed.store(true, Ordering::Release);
        self.waiters.lock().clear();
    }
}

/// The state machine. See [`StateMachine`] for its calls.
pub struct Engine {
    // Declared in the order in which they must go: the writer reports its WAL to `progress`.
    machine: Machine,
    checkpointer: Checkpointer,
    progress: Arc<Progress>,
    generation: Arc<Generation>,
    options: Arc<Options>,
    shared: Arc<Shared>,
    last_checkpoint: Instant,
    /// Frames at which the apply thread checkpoints itself.
    next_inline: u32,
    /// See [`StateMachine::reached`].
    witness: files::Witness,
    brake: Arc<Brake>,
    /// For how many calls of [`StateMachine::idle`] nothing was applied, since which index.
    quiet: (u64, u32),
}

/// Everything that belongs to one generation of the file.
struct Opened {
    machine: Machine,
    checkpointer: Checkpointer,
    progress: Arc<Progress>,
    catalog: Arc<Catalog>,
    pool: Arc<reader::Pool>,
}

impl Engine {
    /// Opens the state in `options.directory`, or creates it.
    pub fn open(options: Options) -> Result<(Engine, Arc<Shared>), OpenError> {
        std::fs::create_dir_all(&options.directory)?;
        let current = files::current(&options.directory)?;
        files::clean(&options.directory, current)?;
        let number = match current {
            Some(number) => {
                let path = Generation::new(&options.directory, number).path();
                // An empty file is what SQLite makes where there is none.
                match std::fs::metadata(&path) {
                    Ok(found) if found.len() > 0 => number,
                    _ => return Err(OpenError::Gone(path)),
                }
            }
            None => {
                create(&options, &Generation::new(&options.directory, 1).path())?;
                files::switch(&options.directory, 1)?;
                1
            }
        };
        let options = Arc::new(options);
        let generation = Arc::new(Generation::new(&options.directory, number));
        let brake = Arc::new(Brake::new(options.directory.join("applying")));
        let mut opened = open(&options, &generation, &brake)?;
        let marks = load_marks(&mut opened.machine.runner.connection)?;
        let state = &opened.machine.state;
        let shared = Arc::new(Shared {
            applied: AtomicU64::new(state.at.index),
            time: AtomicI64::new(state.clock),
            version: AtomicU32::new(state.version.0),
            at: Mutex::new((state.at, state.digest)),
            committed: AtomicU64::new(state.schema_version),
            pending: AtomicU64::new(state.schema_version),
            catalog: ArcSwap::new(opened.catalog),
            catalog_bell: (Mutex::new(()), Condvar::new()),
            pool: ArcSwap::new(opened.pool),
            waiters: Mutex::new(Vec::new()),
            marks: Mutex::new(marks),
            votes: Mutex::default(),
            moved: Mutex::default(),
            closed: AtomicBool::new(false),
            advisory: Mutex::new(opened.machine.advisory.clone()),
            advisory_bell: tokio::sync::Notify::new(),
            hub: Hub::default(),
            moments: Mutex::default(),
        });
        let witness = files::Witness::open(&options.directory);
        let engine = Engine {
            machine: opened.machine,
            checkpointer: opened.checkpointer,
            progress: opened.progress,
            generation,
            options,
            shared: shared.clone(),
            last_checkpoint: Instant::now(),
            next_inline: 0,
            witness,
            brake,
            quiet: (0, 0),
        };
        Ok((engine, shared))
    }

    /// The running digest.
    pub fn digest(&self) -> u64 {
        self.machine.state.digest
    }

    fn checkpoint_if_long(&mut self) -> Result<(), Halt> {
        let frames = self.progress.frames.load(Ordering::Acquire);
        let pace = self.options.pace;
        if frames < pace.inline {
            self.next_inline = pace.inline;
        }
        if frames >= self.next_inline {
            // Only what the thread has not yet copied is left to do; when all is copied, the next commit starts the
            // WAL over. A reader may hold that back, so the next attempt is some frames away.
            let (connection, long) = (&self.machine.runner.connection, frames >= pace.wait);
            let Some(_turn) = self.progress.turn(long) else {
                self.next_inline = frames + pace.background;
                return Ok(());
            };
            // Whoever stays is not waited for again before the WAL is much longer.
            self.next_inline = frames + if long { pace.background.max(frames / 4) } else { pace.background };
            match long {
                true => checkpoint::restart(connection, &self.progress),
                false => checkpoint::pass(connection, &self.progress),
            }
            .map_err(|f| halt(&f))?;
            self.last_checkpoint = Instant::now();
        } else if self.progress.waiting() >= pace.background {
            self.checkpointer.wake();
            self.last_checkpoint = Instant::now();
        }
        Ok(())
    }
}

/// Makes a database file with the engine's tables and the migrations, all of it or nothing that counts.
fn create(options: &Options, path: &Path) -> Result<(), OpenError> {
    let mut connection = Connection::open(path, Role::Writer, true, &options.dialect.register)?;
    connection.run("BEGIN IMMEDIATE", &[])?;
    let script = |c: &mut Connection, sql: &str| c.trusted(|c| c.raw().execute_batch(sql)).map_err(Fault::from);
    script(&mut connection, meta::SCHEMA)?;
    // Later versions are reached through the log, also by a file that is new: all replicas of it begin alike.
    let first = options.migrations.iter().take_while(|m| m.since == FIRST);
    for migration in first.clone() {
        script(&mut connection, migration.script)?;
    }
    let migration = first.last().map_or(0, |m| m.number);
    meta::State::create(&mut connection, &options.membership, migration, &options.owner)?;
    connection.run("COMMIT", &[])?;
    if !checkpoint::pass(&connection, &Progress::default())? {
        return Err(Fault::error("the first checkpoint was held up").into());
    }
    Ok(())
}

fn open(options: &Arc<Options>, generation: &Arc<Generation>, brake: &Arc<Brake>) -> Result<Opened, OpenError> {
    let path = generation.path();
    let progress = Arc::new(Progress::default());
    let mut runner = open_writer(options, &path, &progress)?;
    let found = meta::State::owner(&mut runner.connection)?;
    if found != options.owner {
        return Err(OpenError::Foreign { found, expected: options.owner.clone() });
    }
    let (latest, migrations) = (options.latest, options.migrations.clone());
    let mut machine = Machine::new(runner, options.window, latest, migrations, options.work, brake.clone())?;
    let (version, reached) = (machine.state.version, machine.state.migration);
    if version > options.latest {
        let (found, latest) = (version.0, options.latest.0);
        return Err(OpenError::Version(version::Unknown::Newer { format: version::GROUP.name, found, latest }));
    }
    let expected = options.migrations.iter().take_while(|m| m.since <= version).last().map_or(0, |m| m.number);
    if reached != expected {
        return Err(OpenError::Migration { reached, expected });
    }
    let mut catalog = (*machine.runner.catalog().map_err(OpenError::Catalog)?).clone();
    catalog.version = machine.state.schema_version;
    let catalog = Arc::new(catalog);
    machine.runner.set_catalog(Some(catalog.clone()));
    progress.committed.store(machine.state.at.index, Ordering::Release);
    // What an earlier process wrote may never have been flushed.
    checkpoint::pass(&machine.runner.connection, &progress)?;
    let checkpointer = Checkpointer::new(path, progress.clone());
    let pool = Arc::new(reader::Pool::new(generation.clone(), options.clone()));
    Ok(Opened { machine, checkpointer, progress, catalog, pool })
}

/// The one connection that writes.
fn open_writer(options: &Options, path: &Path, progress: &Arc<Progress>) -> Result<Runner, Fault> {
    let mut writer = Connection::open(path, Role::Writer, false, &options.dialect.register)?;
    checkpoint::watch(&writer, progress);
    if let Some(pages) = options.max_pages {
        writer.trusted(|c| c.raw().pragma_update(None, "max_page_count", pages)).map_err(Fault::from)?;
    }
    Ok(Runner::new(writer, options.dialect.clone()))
}

/// Makes what a replica has the beginning of a new group's state, in an empty directory. Returns where its log begins.
pub fn transplant(shared: &Shared, directory: &Path, owner: &str, voters: Vec<ReplicaId>) -> Result<Position, String> {
    let membership = Membership { voters, ..Membership::default() };
    let register = shared.dialect().register;
    let file = shared.file();
    snapshot::transplant(&file.path(), &register, directory, owner, &membership).map_err(|fault| fault.to_string())
}

/// The same of what is in a file that no replica has open.
pub fn plant(
    file: &Path,
    dialect: &Dialect,
    directory: &Path,
    owner: &str,
    voters: Vec<ReplicaId>,
) -> Result<Position, String> {
    let membership = Membership { voters, ..Membership::default() };
    snapshot::transplant(file, &dialect.register, directory, owner, &membership).map_err(|fault| fault.to_string())
}

/// What the state of a stopped replica says of itself: where in the log it is, and who is a member. Changes nothing.
pub fn standing(directory: &Path, dialect: &Dialect) -> Result<(Position, Membership), String> {
    let state = of_stopped(directory, dialect, meta::State::load)?;
    Ok((state.at, state.membership.as_ref().clone()))
}

/// The rows of a query of the state of a stopped replica. Changes nothing.
pub fn rows_of(directory: &Path, dialect: &Dialect, sql: &str) -> Result<Vec<Vec<Value>>, String> {
    of_stopped(directory, dialect, |connection| connection.query(sql, &[]))
}

fn of_stopped<T>(
    directory: &Path,
    dialect: &Dialect,
    look: impl FnOnce(&mut Connection) -> Result<T, Fault>,
) -> Result<T, String> {
    let file = stopped(directory)?;
    let connection = Connection::open(&file, Role::Reader, false, &dialect.register);
    let seen = connection.and_then(|mut connection| look(&mut connection));
    seen.map_err(|fault| format!("{}: {fault}", file.display()))
}

/// Copies the state of a stopped replica into another directory, for [`Engine::open`]. It stays as it is.
pub fn copy_state(directory: &Path, dialect: &Dialect, to: &Path) -> Result<(), String> {
    let (from, target) = (stopped(directory)?, Generation::new(to, 1).path());
    let copy = || {
        let source = Connection::open(&from, Role::Reader, false, &dialect.register)?;
        snapshot::copy(&source, &target, -1, &mut |_, _| ())
    };
    std::fs::create_dir_all(to).map_err(|error| format!("{}: {error}", to.display()))?;
    copy().map_err(|fault| format!("{}: {fault}", from.display()))?;
    let placed = files::measure(&target).and_then(|_| files::switch(to, 1));
    placed.map_err(|error| format!("{}: {error}", to.display()))
}

/// Makes the state in a directory, which nobody has open any more, the beginning of a new group's, as [`transplant`] does with
/// a copy; the `statements` change what is in it. Returns where its log begins.
pub fn begin_anew(
    directory: &Path,
    dialect: &Dialect,
    owner: &str,
    voters: Vec<ReplicaId>,
    statements: &[String],
) -> Result<Position, String> {
    let file = stopped(directory)?;
    let membership = Membership { voters, ..Membership::default() };
    let at = snapshot::begin_anew(&file, &dialect.register, owner, &membership).map_err(|fault| fault.to_string())?;
    amend(&file, dialect, statements).map(|()| at)
}

/// The file of a replica that does not run.
fn stopped(directory: &Path) -> Result<PathBuf, String> {
    let number = files::current(directory).map_err(|error| format!("{}: {error}", directory.display()))?;
    let file = number.map(|number| Generation::new(directory, number).path()).filter(|file| file.exists());
    file.ok_or_else(|| format!("{} holds no database", directory.display()))
}

/// Makes a file the state in an empty directory, for [`Engine::open`].
pub fn lodge(file: &Path, directory: &Path) -> Result<(), String> {
    let lodged = std::fs::create_dir_all(directory).and_then(|()| {
        files::take(file, &Generation::new(directory, 1).path())?;
        files::switch(directory, 1)
    });
    lodged.map_err(|error| format!("{}: {error}", directory.display()))
}

/// The file of such a state, which nobody has open any more: all of it is in there then.
pub fn lodged(directory: &Path, dialect: &Dialect) -> Result<PathBuf, String> {
    let number = files::current(directory).map_err(|error| error.to_string())?;
    let file = Generation::new(directory, number.unwrap_or(1)).path();
    amend(&file, dialect, &[]).map(|()| file)
}

/// Says of which state a file is that no replica has open.
pub fn look_into(file: &Path, dialect: &Dialect) -> Result<Contents, String> {
    let look = |connection: &mut Connection| {
        let state = meta::State::load(connection)?;
        let owner = meta::State::owner(connection)?;
        Ok(Contents { at: state.at, time: state.clock, version: state.version, owner })
    };
    snapshot::looking(file, Role::Reader, &dialect.register, look).map_err(|fault| fault.to_string())
}

/// Reads everything in a file that no replica has open, its indexes as well: the digest that replicas vote on. Errors: what is
/// not as it was written.
pub fn digest_of(file: &Path, dialect: &Dialect) -> Result<u64, String> {
    let look = |connection: &mut Connection| {
        connection.trusted(|c| {
            let sound: String = c.raw().query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
            match sound.as_str() {
                "ok" => Ok(contents::sum(c.raw())?),
                _ => Err(Fault { code: ffi::SQLITE_CORRUPT, message: sound }),
            }
        })
    };
    let digest = snapshot::looking(file, Role::Reader, &dialect.register, look);
    let damage = pages::rotten(file);
    pages::forget(file);
    digest.map_err(|fault| damage.unwrap_or_else(|| fault.to_string()))
}

/// The catalog in a file that no replica has open.
pub fn catalog_of(file: &Path, dialect: &Dialect) -> Result<Catalog, String> {
    let look = |connection: &mut Connection| {
        let mut rows = |sql: &str| {
            connection.query(sql, &[]).map_err(|fault| SqlError::new(state::DATA_CORRUPTED, fault.to_string()))
        };
        (dialect.load_catalog)(None, &mut rows).map_err(|error| Fault::error(error.to_string()))
    };
    snapshot::looking(file, Role::Reader, &dialect.register, look).map_err(|fault| fault.to_string())
}

/// Changes a file that no replica has open: all of it or nothing.
pub fn amend(file: &Path, dialect: &Dialect, statements: &[String]) -> Result<(), String> {
    let change = |connection: &mut Connection| {
        connection.run("BEGIN IMMEDIATE", &[])?;
        statements.iter().try_for_each(|sql| connection.run(sql, &[]))?;
        connection.run("COMMIT", &[])?;
        checkpoint::pass(connection, &Progress::default())
    };
    match snapshot::looking(file, Role::Writer, &dialect.register, change) {
        Ok(true) => Ok(()),
        Ok(false) => Err("the checkpoint was held up".to_owned()),
        Err(fault) => Err(fault.to_string()),
    }
}

fn load_marks(connection: &mut Connection) -> Result<std::collections::VecDeque<(u64, u64)>, Fault> {
    let rows = connection.query("SELECT idx, digest FROM _quorate_mark ORDER BY idx", &[])?;
    let skipped = rows.len().saturating_sub(MARKS);
    rows.iter().skip(skipped).map(|row| Ok((meta::unsigned(&row[0])?, meta::unsigned(&row[1])?))).collect()
}

impl StateMachine for Engine {
    fn applied(&self) -> Position {
        self.machine.state.at
    }

    fn membership(&self) -> Membership {
        (*self.machine.state.membership).clone()
    }

    fn clock_floor(&self) -> i64 {
        self.machine.state.clock
    }

    fn apply(&mut self, entries: &[Committed]) -> Result<Vec<Applied>, Halt> {
        if entries.is_empty() {
            return Ok(Vec::new());
        }
        self.wake()?;
        let (shared, before) = (&self.shared, self.machine.state.schema_version);
        let mut catalog = None;
        let result = self.machine.apply(entries, &mut |state, runner| {
            if state.schema_version != before {
                let loaded = runner.catalog().map_err(|error| connection::catalog_fault(&error))?;
                let mut renewed = (*loaded).clone();
                renewed.version = state.schema_version;
                catalog = Some(Arc::new(renewed));
                // From here on a reader must look before it trusts the version it knows.
                shared.pending.store(state.schema_version, Ordering::SeqCst);
            }
            Ok(())
        });
        let effects = match result {
            Ok(effects) => effects,
            Err(halt) => {
                shared.pending.store(before, Ordering::SeqCst);
                return Err(halt);
            }
        };
        Ok(self.took(effects, catalog))
    }

    fn skip(&mut self, entry: &Committed) -> Result<Vec<Applied>, Halt> {
        self.wake()?;
        let effects = self.machine.skip(entry)?;
        Ok(self.took(effects, None))
    }

    fn brake(&self) -> Arc<Brake> {
        self.brake.clone()
    }

    fn reached(&self) -> Position {
        self.witness.noted().max(self.applied())
    }

    fn durable(&self) -> u64 {
        self.progress.durable()
    }

    fn idle(&mut self) -> Result<(), Halt> {
        if let Some(why) = pages::rotten(&self.generation.path()) {
            return Err(Halt::Rotten(why));
        }
        if let Some(fault) = self.checkpointer.take_failure() {
            return Err(halt(&fault));
        }
        self.witness.note(self.applied()).map_err(|e| Halt::Environment(e.to_string()))?;
        let behind = self.durable() < self.applied().index;
        if behind && self.last_checkpoint.elapsed() >= Duration::from_secs(1) {
            self.last_checkpoint = Instant::now();
            self.checkpointer.wake();
        }
        self.shared.pool.load().rest(REST);
        self.rest_if_quiet(behind)
    }

    fn snapshot(&self, file: PathBuf) -> Box<dyn FnOnce() -> Result<SnapshotMeta, Halt> + Send> {
        let (generation, options) = (self.generation.clone(), self.options.clone());
        Box::new(move || snapshot::write(&generation, &options, &file))
    }

    /// Takes the file away. When a crash came between, an installed snapshot whose file is gone counts as done.
    fn install(&mut self, file: &Path, meta: &SnapshotMeta) -> Result<(), Halt> {
        if !file.exists() && self.applied() == meta.at {
            return Ok(());
        }
        let generation = snapshot::place(&self.options, file, meta, self.generation.number + 1)?;
        let opened = open(&self.options, &generation, &self.brake).map_err(|e| match e {
            OpenError::Io(error) => Halt::Environment(error.to_string()),
            OpenError::Sqlite(fault) => halt(&fault),
            OpenError::Catalog(error) => halt(&connection::catalog_fault(&error)),
            // A newer program can read it.
            OpenError::Version(_) | OpenError::Migration { .. } => Halt::Environment(e.to_string()),
            OpenError::Foreign { .. } | OpenError::Gone(_) => Halt::Corrupt(e.to_string()),
        })?;
        self.adopt(opened, generation)
    }
}

impl Engine {
    /// A database that nobody writes to gives back what only a writer needs: its connection, with what it remembers, and the
    /// WAL's space. What it would cost to open it again for each write that comes now and then is a millisecond.
    fn rest_if_quiet(&mut self, behind: bool) -> Result<(), Halt> {
        let (applied, (since, quiet)) = (self.applied().index, self.quiet);
        self.quiet = (applied, if applied == since { quiet.saturating_add(1) } else { 0 });
        if behind || self.quiet.1 < REST || self.machine.is_resting() {
            return Ok(());
        }
        if checkpoint::empty(&self.machine.runner.connection, &self.progress).map_err(|f| halt(&f))? {
            self.machine.rest();
            self.witness.rest();
        }
        Ok(())
    }

    fn wake(&mut self) -> Result<(), Halt> {
        if self.machine.is_resting() {
            let opened = open_writer(&self.options, &self.generation.path(), &self.progress);
            let mut runner = opened.map_err(|f| halt(&f))?;
            runner.set_catalog(Some(self.shared.catalog()));
            self.machine.wake(runner);
        }
        Ok(())
    }

    /// Entries have taken effect: tells everybody.
    fn took(&mut self, effects: apply::Effects, catalog: Option<Arc<Catalog>>) -> Vec<Applied> {
        let shared = &self.shared;
        let state = &self.machine.state;
        self.progress.committed.store(state.at.index, Ordering::Release);
        if let Some(catalog) = catalog {
            shared.publish_catalog(catalog);
            (self.options.on_event)(Event::SchemaChanged { version: state.schema_version });
        }
        for &(index, digest) in &effects.marks {
            let mut marks = shared.marks.lock();
            marks.push_back((index, digest));
            if marks.len() > MARKS {
                marks.pop_front();
            }
            drop(marks);
            (self.options.on_event)(Event::DigestMarked { index, digest });
        }
        {
            let mut votes = shared.votes.lock();
            votes.extend(effects.votes);
            let spare = votes.len().saturating_sub(VOTES);
            votes.drain(..spare);
        }
        if let Some(index) = effects.contents {
            self.compare_contents(index);
        }
        shared.note_moved(effects.moved, state.at.index);
        shared.publish_advisory(&self.machine.advisory, &effects.advisory, &effects.lost);
        let letters = effects.notified.into_iter().map(|(pid, channel, payload)| Letter { pid, channel, payload });
        // The data is committed: whoever is told of it can see it.
        shared.hub.deliver(letters.collect());
        for &(from, to) in &effects.set_back {
            (self.options.on_event)(Event::ClockSetBack { from, to });
        }
        shared.publish(state);
        // The entries have taken effect: what goes wrong from here on is the next call's business.
        if let Err(error) = self.checkpoint_if_long() {
            tracing::warn!(%error, "checkpoint failed");
        }
        effects.applied
    }

    /// False if nobody wants it any more.
    fn give_moment(&self, wanted: &mpsc::UnboundedSender<Moment>, index: u64) -> bool {
        match contents::Snapshot::take(&self.generation, &self.options.dialect.register, index) {
            Ok(Some(snapshot)) => wanted.send(Moment { index, snapshot }).is_ok(),
            Ok(None) => true,
            Err(fault) => {
                tracing::warn!(%fault, "the state cannot be kept for whoever wants it");
                true
            }
        }
    }

    /// Has all that is there at this index read on another thread, for the vote on it. Whoever cannot do that does not vote.
    fn compare_contents(&self, index: u64) {
        self.shared.moments.lock().retain(|wanted| !wanted.is_closed() && self.give_moment(wanted, index));
        let (options, contents) = (self.options.clone(), self.machine.contents.clone());
        let snapshot = match contents::Snapshot::take(&self.generation, &options.dialect.register, index) {
            Ok(Some(snapshot)) => snapshot,
            Ok(None) => return,
            Err(fault) => return tracing::warn!(%fault, "what is here cannot be compared with the others"),
        };
        let job = move || match snapshot.digest() {
            Ok(digest) => {
                let mut contents = contents.lock();
                contents.insert(index, digest);
                while contents.len() > MARKS {
                    contents.pop_first();
                }
                drop(contents);
                (options.on_event)(Event::DigestMarked { index, digest });
            }
            // A damaged page is looked after by whoever reads it next.
            Err(fault) => tracing::warn!(%fault, "what is here cannot be compared with the others"),
        };
        if let Err(error) = std::thread::Builder::new().name("compare".to_owned()).spawn(job) {
            tracing::warn!(%error, "what is here cannot be compared with the others");
        }
    }

    /// Makes a new generation the one that is used. Reads in flight on the old one fail; its files go with the last.
    fn adopt(&mut self, mut opened: Opened, generation: Arc<Generation>) -> Result<(), Halt> {
        let marks = load_marks(&mut opened.machine.runner.connection).map_err(|f| halt(&f))?;
        let state = opened.machine.state.clone();
        self.shared.pending.store(state.schema_version, Ordering::SeqCst);
        self.generation.retire();
        self.shared.pool.store(opened.pool);
        self.shared.publish_catalog(opened.catalog);
        *self.shared.marks.lock() = marks;
        // Whatever was said in between, sessions that live through this see what is.
        let table = opened.machine.advisory.clone();
        table.lost().keys().for_each(|session| self.shared.hub.end(*session, locks::lost()));
        self.shared.hub.end_listeners(&mailbox::passed_over());
        *self.shared.advisory.lock() = table;
        self.shared.advisory_bell.notify_waiters();
        *self.shared.moved.lock() = MovedSequences { at: Default::default(), others: state.at.index };
        self.machine = opened.machine;
        self.checkpointer = opened.checkpointer;
        self.progress = opened.progress;
        self.generation = generation;
        self.shared.publish(&state);
        Ok(())
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.shared.close();
    }
}
