//! The life of forks: create, begin at the latest commit, refresh, end, back into the pool.
//!
//! A pair is a fork connection with its view. Creating one costs opening two connections and parsing the schema
//! twice; re-pointing a pooled one at a newer snapshot costs microseconds, because its prepared statements and schema
//! stay valid while the schema cookie stays the same, and its page cache while nothing was committed at all.
//!
//! A fork in which DDL ran, and every fork after DDL on the real database, parses the schema again at its next use;
//! [`ForkPool::maintain`] does that ahead of time and is meant for a background thread.

use super::vfs::{self, Failure, Raw, Shared, View};
use parking_lot::Mutex;
use rusqlite::Connection;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Prepares a new fork connection: functions, collations, hooks, `foreign_keys`, limits, an authorizer.
///
/// It runs once per pair, outside of a transaction, on a connection that sees a recent snapshot; what it writes is
/// refused. It must leave `journal_mode`, `locking_mode`, `temp_store`, `synchronous` and `cache_size` alone, and an
/// authorizer must let BEGIN, ROLLBACK and a SELECT of `sqlite_schema` through (they are prepared again after DDL).
///
/// What it returns lives as long as the connection and is dropped before it closes: prepared statements and the like
/// ([`Fork::attachment`]). It must not outlive that in any other way.
pub type Setup = Arc<dyn Fn(&Connection) -> rusqlite::Result<Attachment> + Send + Sync>;

/// What a pool's owner keeps with each connection.
pub type Attachment = Box<dyn std::any::Any + Send>;

/// Sizes of a pool and of each fork.
#[derive(Clone, Debug)]
pub struct ForkOptions {
    /// Begun forks at once; more are refused with [`ForkError::TooMany`].
    pub max_open: usize,
    /// Pairs kept for reuse.
    pub max_idle: usize,
    /// Private pages beyond the page cache that one fork may have, in bytes.
    pub max_overlay: u64,
    /// How many of them are in memory; the others are in a file without a name, in the database's directory.
    pub overlay_memory: usize,
    /// Page cache of a fork, in KiB. Changed pages that do not fit spill into the overlay.
    pub cache_kib: u32,
    /// Prepared statements that a fork's connection remembers.
    pub statement_cache: usize,
    /// How long a begin waits when the file is briefly locked (another connection recovers the WAL).
    pub busy: Duration,
}

impl Default for ForkOptions {
    fn default() -> ForkOptions {
        ForkOptions {
            max_open: 1024,
            max_idle: 64,
            max_overlay: 64 << 30,
            overlay_memory: 8 << 20,
            cache_kib: 2048,
            statement_cache: 128,
            busy: Duration::from_secs(1),
        }
    }
}

/// Why there is no fork. None of these is a property of the data.
#[derive(Debug, thiserror::Error)]
pub enum ForkError {
    #[error("too many open transactions (limit {limit})")]
    TooMany { limit: usize },
    /// The pool was closed: the database is being replaced or shut down.
    #[error("the database is closed")]
    Closed,
    #[error("cannot open a private view: {0}")]
    Sqlite(#[from] rusqlite::Error),
}

/// What a pool has at a moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForkStats {
    pub open: usize,
    pub idle: usize,
    /// When the oldest snapshot in use was taken: what keeps checkpoints from completing.
    pub oldest_pin: Option<Instant>,
}

/// Forks of one database file. Cloning gives another handle of the same pool.
#[derive(Clone)]
pub struct ForkPool {
    inner: Arc<Inner>,
}

struct Inner {
    path: PathBuf,
    setup: Setup,
    options: ForkOptions,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    closed: bool,
    /// Used from the end, so that the warmest pair comes first.
    idle: Vec<Idle>,
    /// Begun forks and when their snapshots were taken.
    open: BTreeMap<u64, Instant>,
    next: u64,
    /// What `next` was, and for how many calls of [`ForkPool::rest`].
    seen: (u64, u32),
}

/// A pair outside of begin and end. It has no connection to offer.
struct Idle(Box<Pair>);

/// A fork connection and its view.
struct Pair {
    begin: Raw,
    rollback: Raw,
    /// Goes before the connection.
    attachment: Attachment,
    connection: Connection,
    // Last: the connection's file points to it.
    view: Shared,
}

// SAFETY: the raw statements belong to `connection`, which is opened without shared state and moves with them.
unsafe impl Send for Pair {}

impl Pair {
    /// Opens a pair that is pinned at the latest commit; BEGIN has not run yet.
    fn open(inner: &Inner) -> rusqlite::Result<Box<Pair>> {
        let options = &inner.options;
        let mut view = Shared::new(View::open(&inner.path, options.max_overlay, options.overlay_memory, options.busy)?);
        view.get_mut().pin()?;
        let connection = vfs::open(&view)?;
        connection.set_prepared_statement_cache_capacity(options.statement_cache);
        connection.execute_batch(&format!(
            "PRAGMA journal_mode=DELETE; PRAGMA locking_mode=NORMAL; PRAGMA synchronous=OFF; \
             PRAGMA temp_store=FILE; PRAGMA cache_size=-{}",
            options.cache_kib
        ))?;
        let mut pair = Box::new(Pair {
            begin: Raw::prepare(&connection, c"BEGIN")?,
            rollback: Raw::prepare(&connection, c"ROLLBACK")?,
            attachment: Box::new(()),
            connection,
            view,
        });
        pair.attachment = (inner.setup)(&pair.connection)?;
        Ok(pair)
    }

    /// Points the pair at the latest commit and opens the fork's transaction.
    fn start(&mut self) -> rusqlite::Result<()> {
        self.view.get_mut().pin()?;
        self.begin.run(&self.connection)
    }

    /// Undoes everything and lets the snapshot go.
    fn stop(&mut self) -> rusqlite::Result<()> {
        let undone = if self.connection.is_autocommit() { Ok(()) } else { self.rollback.run(&self.connection) };
        undone.and(self.view.get_mut().unpin())
    }
}

impl ForkPool {
    /// A pool of forks of the WAL database at `path`, which must exist and keep its name. Opens nothing yet.
    pub fn new(path: impl Into<PathBuf>, setup: Setup, options: ForkOptions) -> ForkPool {
        let state = Mutex::new(State::default());
        ForkPool { inner: Arc::new(Inner { path: path.into(), setup, options, state }) }
    }

    /// A fork at the latest commit, with an open transaction.
    pub fn begin(&self) -> Result<Fork, ForkError> {
        let (ticket, pooled) = self.admit()?;
        let started = pooled.map_or_else(
            || self.create(),
            // A pooled pair that cannot be re-pointed is given up; a new one then tells whether the file is at fault.
            |Idle(mut pair)| if pair.start().is_ok() { Ok(pair) } else { self.create() },
        );
        match started {
            Ok(pair) => Ok(Fork { pair: Some(pair), ticket, pinned_since: Instant::now(), pool: self.clone() }),
            Err(error) => {
                self.inner.state.lock().open.remove(&ticket);
                Err(error.into())
            }
        }
    }

    fn admit(&self) -> Result<(u64, Option<Idle>), ForkError> {
        let mut state = self.inner.state.lock();
        if state.closed {
            return Err(ForkError::Closed);
        }
        if state.open.len() >= self.inner.options.max_open {
            return Err(ForkError::TooMany { limit: self.inner.options.max_open });
        }
        let ticket = state.next;
        state.next += 1;
        state.open.insert(ticket, Instant::now());
        Ok((ticket, state.idle.pop()))
    }

    fn create(&self) -> rusqlite::Result<Box<Pair>> {
        let mut pair = Pair::open(&self.inner)?;
        pair.begin.run(&pair.connection)?;
        debug_assert!(pair.view.get_mut().failure().is_none());
        Ok(pair)
    }

    /// Takes a pair back, unless it failed, the pool is full, or it was closed.
    fn give_back(&self, ticket: Option<u64>, mut pair: Box<Pair>, to_front: bool) {
        let stopped = pair.stop();
        let mut surplus = None;
        {
            let mut state = self.inner.state.lock();
            if let Some(ticket) = ticket {
                state.open.remove(&ticket);
            }
            let keep = stopped.is_ok() && !state.closed && state.idle.len() < self.inner.options.max_idle;
            match (keep, to_front) {
                (true, false) => state.idle.push(Idle(pair)),
                (true, true) => state.idle.insert(0, Idle(pair)),
                // Closed after the lock is released: closing connections takes a while.
                (false, _) => surplus = Some(pair),
            }
        }
        if let Err(error) = stopped {
            tracing::warn!(%error, "a fork could not be ended cleanly and is closed");
        }
        drop(surplus);
    }

    /// Points every idle pair at the latest commit once and parses its schema if that changed. Call it in the
    /// background after DDL. Begun forks are not touched. Returns the number of pairs visited.
    pub fn maintain(&self) -> usize {
        let visits = self.inner.state.lock().idle.len();
        for visited in 0..visits {
            // One at a time, so that the others stay available; the visited ones gather at the front.
            let Some(Idle(mut pair)) = self.inner.state.lock().idle.pop() else { return visited };
            // Any query makes SQLite compare the schema cookie.
            let warmed = pair
                .start()
                .and_then(|()| pair.connection.query_row("SELECT count(*) FROM sqlite_schema WHERE 0", [], |_| Ok(())));
            match warmed {
                Ok(()) => self.give_back(None, pair, true),
                Err(error) => tracing::warn!(%error, "an idle fork could not be refreshed and is closed"),
            }
        }
        visits
    }

    /// Called now and then: closes idle pairs after so many calls between which no fork was begun.
    pub fn rest(&self, patience: u32) {
        let mut state = self.inner.state.lock();
        let (next, quiet) = (state.next, state.seen.1);
        state.seen = (next, if state.seen.0 == next { quiet.saturating_add(1) } else { 0 });
        if state.seen.1 < patience {
            return;
        }
        let idle = std::mem::take(&mut state.idle);
        drop(state);
        drop(idle);
    }

    /// Closes idle pairs, refuses new forks, and closes the begun ones as they end.
    pub fn close(&self) {
        let idle = {
            let mut state = self.inner.state.lock();
            state.closed = true;
            std::mem::take(&mut state.idle)
        };
        drop(idle);
    }

    pub fn stats(&self) -> ForkStats {
        let state = self.inner.state.lock();
        ForkStats { open: state.open.len(), idle: state.idle.len(), oldest_pin: state.open.values().min().copied() }
    }
}

/// A private view of the database with an open transaction. Dropping it undoes everything and returns it to the pool.
pub struct Fork {
    /// Always there until drop.
    pair: Option<Box<Pair>>,
    ticket: u64,
    pinned_since: Instant,
    pool: ForkPool,
}

impl Fork {
    fn pair(&self) -> &Pair {
        self.pair.as_ref().expect("a fork has its pair until it is dropped")
    }

    /// The fork's connection. A transaction is open on it; savepoints may be used freely. Its COMMIT fails once
    /// something was written, and any other way to end the transaction loses it: see [`Fork::is_intact`].
    pub fn connection(&self) -> &Connection {
        &self.pair().connection
    }

    /// What the pool's setup made for this connection.
    pub fn attachment(&mut self) -> &mut dyn std::any::Any {
        let attachment: &mut (dyn std::any::Any + Send) =
            &mut *self.pair.as_mut().expect("a fork has its pair until it is dropped").attachment;
        attachment
    }

    /// Undoes everything and goes on at the latest commit. After an error every statement on this fork fails;
    /// drop it.
    pub fn refresh(&mut self) -> Result<(), ForkError> {
        let pair = self.pair.as_mut().expect("a fork has its pair until it is dropped");
        pair.stop()?;
        pair.start()?;
        self.pinned_since = Instant::now();
        self.pool.inner.state.lock().open.insert(self.ticket, self.pinned_since);
        Ok(())
    }

    /// Ends the fork: the same as dropping it.
    pub fn end(self) {}

    /// Whether the transaction is still open and its view whole. SQLite itself rolls the whole transaction back
    /// after some errors (out of memory, full, I/O), and so does a ROLLBACK that somebody ran.
    pub fn is_intact(&self) -> bool {
        !self.connection().is_autocommit() && self.failure().is_none()
    }

    /// What the view failed of, if it did: tells SQLITE_FULL and SQLITE_IOERR of a fork from the real file's.
    pub fn failure(&self) -> Option<Failure> {
        self.pair().view.get().failure().cloned()
    }

    /// When the snapshot was taken. Checkpoints cannot pass it while this fork lives: drop an idle one to free them.
    pub fn pinned_since(&self) -> Instant {
        self.pinned_since
    }

    /// Private pages beyond the page cache, in bytes.
    pub fn overlay_bytes(&self) -> u64 {
        self.pair().view.get().overlay_bytes()
    }
}

impl Drop for Fork {
    fn drop(&mut self) {
        if let Some(pair) = self.pair.take() {
            self.pool.give_back(Some(self.ticket), pair, false);
        }
    }
}

impl std::fmt::Debug for Fork {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Fork").field("ticket", &self.ticket).field("overlay_bytes", &self.overlay_bytes()).finish()
    }
}
