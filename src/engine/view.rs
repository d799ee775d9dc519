//! Private views of the database for transactions: a fork of the file of now, with a [`Runner`] on it.

use super::connection::Connection;
use super::digest::Sums;
use super::files::Generation;
use super::fork::{Attachment, Fork, ForkError, ForkOptions, ForkPool, ForkStats};
use super::statement::Fault;
use super::step::Runner;
use super::{Shared, meta};
use crate::database::Control;
use crate::id::RequestId;
use crate::meter::Limits;
use bytes::Bytes;
use parking_lot::Mutex;
use rusqlite::ffi;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;
use xxhash_rust::xxh3::xxh3_64;

/// Changed rows of one statement that are reported one by one.
const TOUCHED: usize = 10_000;

/// Where private views of one database come from.
pub struct Views {
    shared: Arc<Shared>,
    options: ForkOptions,
    pool: Mutex<(Arc<Generation>, ForkPool)>,
}

/// A private view, begun.
pub struct View {
    shared: Arc<Shared>,
    fork: Fork,
    generation: Arc<Generation>,
    /// The log index that it shows.
    pub at: u64,
    pub schema_version: u64,
}

/// What belongs to a fork's connection.
struct Attached {
    runner: Runner,
    control: Arc<Mutex<Option<Control>>>,
    /// Bytes that a statement may have.
    memory: u64,
}

impl Views {
    pub fn new(shared: Arc<Shared>, options: ForkOptions) -> Views {
        let generation = shared.file();
        let pool = Mutex::new((generation.clone(), forks(&shared, &generation, &options)));
        Views { shared, options, pool }
    }

    /// A view of the latest commit.
    pub fn open(&self) -> Result<View, Fault> {
        let (generation, pool) = self.current();
        let fork = pool.begin().map_err(fault)?;
        let mut view = View { shared: self.shared.clone(), fork, generation, at: 0, schema_version: 0 };
        view.begun()?;
        Ok(view)
    }

    fn current(&self) -> (Arc<Generation>, ForkPool) {
        let mut pool = self.pool.lock();
        if pool.0.is_retired() {
            pool.1.close();
            let generation = self.shared.file();
            *pool = (generation.clone(), forks(&self.shared, &generation, &self.options));
        }
        pool.clone()
    }

    /// Called every second or so: gives back what views that are over have left, when no other has begun for a while.
    pub fn rest(&self) {
        let pool = self.pool.lock().1.clone();
        pool.rest(super::REST);
    }

    pub fn stats(&self) -> ForkStats {
        self.pool.lock().1.stats()
    }

    /// Bytes of the file's WAL, as far as the file system knows.
    pub fn wal_bytes(&self) -> u64 {
        let mut name = self.pool.lock().0.path().into_os_string();
        name.push("-wal");
        std::fs::metadata(name).map_or(0, |file| file.len())
    }
}

fn forks(shared: &Shared, generation: &Generation, options: &ForkOptions) -> ForkPool {
    let (dialect, memory) = (shared.dialect(), shared.statement_memory());
    let setup = move |raw: &rusqlite::Connection| {
        // SAFETY: the pool drops what we return before it closes `raw`, and moves both together.
        let connection = unsafe { Connection::attach(raw, &dialect.register) }
            .map_err(|fault| rusqlite::Error::SqliteFailure(ffi::Error::new(fault.code), Some(fault.message)))?;
        let control = Arc::<Mutex<Option<Control>>>::default();
        let asked = control.clone();
        connection.meter().watch(Box::new(move || {
            asked
                .lock()
                .as_ref()
                .is_some_and(|control| control.cancelled.load(Ordering::Relaxed) || Instant::now() >= control.deadline)
        }));
        Ok(Box::new(Attached { runner: Runner::new(connection, dialect.clone()), control, memory }) as Attachment)
    };
    ForkPool::new(generation.path(), Arc::new(setup), options.clone())
}

fn fault(error: ForkError) -> Fault {
    match error {
        ForkError::TooMany { .. } => Fault { code: ffi::SQLITE_BUSY, message: error.to_string() },
        ForkError::Closed => Fault { code: ffi::SQLITE_SCHEMA, message: error.to_string() },
        ForkError::Sqlite(error) => error.into(),
    }
}

impl View {
    fn attached(&mut self) -> &mut Attached {
        self.fork.attachment().downcast_mut().expect("made by the setup of `forks`")
    }

    pub fn runner(&mut self) -> &mut Runner {
        &mut self.attached().runner
    }

    /// Until when statements may run, from now on; what they spend is counted anew.
    pub fn limit(&mut self, control: Option<Control>) {
        let attached = self.attached();
        let limited = control.is_some();
        *attached.control.lock() = control;
        let memory = attached.memory;
        attached.runner.connection.meter().begin(if limited { Limits::local(memory) } else { Limits::NONE });
    }

    /// Since [`Self::limit`], more than a command may in the log.
    pub fn has_spent_too_much(&mut self) -> bool {
        let most = self.shared.work_in_the_log();
        self.attached().runner.connection.meter().spent() > most
    }

    /// A command that has come in chunks; `None` if some are missing.
    pub fn assembled(
        &mut self,
        upload: RequestId,
        parts: u32,
        length: u64,
        checksum: u64,
    ) -> Result<Option<Bytes>, Fault> {
        let whole = meta::assemble(&mut self.runner().connection, upload, parts)?;
        Ok(whole.filter(|bytes| bytes.len() as u64 == length && xxh3_64(bytes) == checksum))
    }

    /// Undoes everything and goes on at the latest commit.
    pub fn refresh(&mut self) -> Result<(), Fault> {
        if self.generation.is_retired() {
            return Err(Fault { code: ffi::SQLITE_SCHEMA, message: "the database file was replaced".to_owned() });
        }
        self.fork.refresh().map_err(fault)?;
        self.begun()
    }

    fn begun(&mut self) -> Result<(), Fault> {
        self.limit(None);
        let runner = self.runner();
        runner.deferring = false;
        let changes = runner.connection.changes();
        changes.restore(Sums::default());
        changes.moved().replace(Default::default());
        changes.record(true);
        changes.keep_touched(TOUCHED);
        (self.at, self.schema_version) = meta::seen(&mut self.runner().connection)?;
        let catalog = Some(self.shared.catalog()).filter(|catalog| catalog.version == self.schema_version);
        self.runner().set_catalog(catalog);
        Ok(())
    }

    /// Whether it still shows what it must: SQLite undoes everything after some failures.
    pub fn is_intact(&self) -> bool {
        self.fork.is_intact() && !self.generation.is_retired()
    }

    pub fn pinned_since(&self) -> Instant {
        self.fork.pinned_since()
    }
}
