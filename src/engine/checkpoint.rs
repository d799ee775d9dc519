//! Moving the WAL into the database file, and knowing what a loss of power would leave.
//!
//! With `synchronous = NORMAL` a commit is not flushed; a checkpoint flushes the WAL, copies it, and flushes the
//! database file, the latter only when it copied everything. So: read the applied index, then checkpoint; if it
//! succeeded with *log == checkpointed*, that index is durable. The Raft log may be cut up to it, not further.
//!
//! Most checkpoints are PASSIVE and never wait for readers. The bulk is done by a thread while `apply` goes on; but a
//! thread alone never catches up with a busy writer, so when the WAL is too long the apply thread does the rest itself,
//! after which the next commit starts the WAL over. SQLite lets one connection checkpoint at a time: if the thread is in
//! the middle of a pass (on a slow disk, in its flush), the apply thread tries again some frames later, until the WAL is
//! so long that it waits for the thread. And as long as anybody reads from the WAL, it cannot be started over: then the
//! apply thread waits for readers to go as well ([`restart`]). So the WAL is bounded however slow the disk is and however
//! many read, unless one stays; transactions that idle give their views up (`executor`).

use super::connection::{Connection, PASSING, Register, Role};
use super::statement::Fault;
use crate::workers::{Task, Workers};
use parking_lot::{Mutex, MutexGuard};
use rusqlite::ffi;
use std::ffi::{c_char, c_int, c_void};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

/// How long the writer waits for readers to go when the WAL is so long that it must be started over.
const PATIENCE: Duration = Duration::from_millis(250);

/// When to checkpoint, in WAL frames (one page each).
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// New frames after which the thread is woken.
    pub background: u32,
    /// Frames in the WAL from which on the apply thread helps, if nobody is at it.
    pub inline: u32,
    /// Frames in the WAL from which on the apply thread waits for the thread's pass to end and for readers to go, so that
    /// the WAL can be started over.
    pub wait: u32,
}

impl Default for Pace {
    fn default() -> Pace {
        Pace { background: 4000, inline: 8000, wait: 16000 }
    }
}

/// Facts that the writer, the thread and `durable()` share.
#[derive(Debug, Default)]
pub struct Progress {
    /// Frames in the WAL after the last commit, and how many of them the last checkpoint had copied.
    pub frames: AtomicU32,
    copied: AtomicU32,
    /// The index of the last commit.
    pub committed: AtomicU64,
    durable: AtomicU64,
    /// Held during a pass.
    passing: Mutex<()>,
}

impl Progress {
    /// The right to do a pass; `None` if another is running and `wait` is false.
    pub fn turn(&self, wait: bool) -> Option<MutexGuard<'_, ()>> {
        if wait { Some(self.passing.lock()) } else { self.passing.try_lock() }
    }

    pub fn durable(&self) -> u64 {
        self.durable.load(Ordering::Acquire)
    }

    pub fn set_durable(&self, index: u64) {
        self.durable.fetch_max(index, Ordering::AcqRel);
    }

    /// Frames that wait for a checkpoint. A shorter WAL than last time was started over.
    pub fn waiting(&self) -> u32 {
        let (frames, copied) = (self.frames.load(Ordering::Acquire), self.copied.load(Ordering::Acquire));
        if frames >= copied { frames - copied } else { frames }
    }
}

/// Counts the frames of each commit of `connection` into `progress`, which must outlive the connection.
pub fn watch(connection: &Connection, progress: &Arc<Progress>) {
    unsafe extern "C" fn hook(progress: *mut c_void, _: *mut ffi::sqlite3, _: *const c_char, frames: c_int) -> c_int {
        // SAFETY: registered with a pointer to a living `Progress`.
        unsafe { (*progress.cast::<Progress>()).frames.store(frames as u32, Ordering::Release) };
        ffi::SQLITE_OK
    }
    // SAFETY: whoever owns the connection also holds the `Arc`, and drops it later.
    unsafe { ffi::sqlite3_wal_hook(connection.handle(), Some(hook), Arc::as_ptr(progress).cast_mut().cast()) };
}

/// One PASSIVE checkpoint; true if everything is in the database file and flushed.
pub fn pass(connection: &Connection, progress: &Progress) -> Result<bool, Fault> {
    checkpoint(connection, progress, ffi::SQLITE_CHECKPOINT_PASSIVE)
}

/// Copies everything, also what readers still need, and has the next commit start the WAL over. Waits so long for readers;
/// false if there is one that stays. Nothing is committed meanwhile, and who begins to read afterwards does not need the
/// WAL: so readers that come and go in a stream, none of which stays, cannot keep it from ending.
pub fn restart(connection: &Connection, progress: &Progress) -> Result<bool, Fault> {
    let wait = |time: Duration| {
        // SAFETY: an open connection.
        unsafe { ffi::sqlite3_busy_timeout(connection.handle(), time.as_millis() as c_int) };
    };
    wait(PATIENCE);
    let complete = checkpoint(connection, progress, ffi::SQLITE_CHECKPOINT_RESTART);
    wait(PASSING);
    complete
}

/// Has everything copied, and the WAL empty: before a file is closed that nobody uses. False if somebody reads from it.
pub fn empty(connection: &Connection, progress: &Progress) -> Result<bool, Fault> {
    let Some(_turn) = progress.turn(false) else { return Ok(false) };
    checkpoint(connection, progress, ffi::SQLITE_CHECKPOINT_TRUNCATE)
}

fn checkpoint(connection: &Connection, progress: &Progress, mode: c_int) -> Result<bool, Fault> {
    let committed = progress.committed.load(Ordering::Acquire);
    let (mut log, mut copied) = (-1, -1);
    // SAFETY: an open connection, and out-pointers on our stack.
    let code =
        unsafe { ffi::sqlite3_wal_checkpoint_v2(connection.handle(), c"main".as_ptr(), mode, &mut log, &mut copied) };
    match code {
        ffi::SQLITE_OK => {}
        // Another checkpoint is running, or readers stay.
        _ if code & 0xff == ffi::SQLITE_BUSY => return Ok(false),
        _ => {
            // SAFETY: an open connection.
            let fault = unsafe { Fault::of(connection.handle()) };
            abort_if_unflushed(&fault);
            return Err(fault);
        }
    }
    progress.copied.store(copied.max(0) as u32, Ordering::Release);
    let complete = log >= 0 && log == copied;
    if complete {
        progress.set_durable(committed);
    }
    Ok(complete)
}

/// After a failed flush nobody knows what is on the disk, and a second flush may claim success: the process ends.
pub fn abort_if_unflushed(fault: &Fault) {
    if matches!(fault.code, ffi::SQLITE_IOERR_FSYNC | ffi::SQLITE_IOERR_DIR_FSYNC) {
        tracing::error!(%fault, "fsync failed");
        std::process::abort();
    }
}

/// Does the bulk for all files of this process.
static WORKERS: Workers = Workers::new("checkpoint", 4);

/// Checkpoints one generation on another thread.
pub struct Checkpointer {
    task: Arc<Task<Pass>>,
    failure: Arc<Mutex<Option<Fault>>>,
}

struct Pass {
    path: PathBuf,
    progress: Arc<Progress>,
    failure: Arc<Mutex<Option<Fault>>>,
}

impl Pass {
    /// On a connection of its own, which runs nothing: opening it costs little beside the flushes.
    fn run(&mut self) {
        let functions: Register = Arc::new(|_, _| Ok(()));
        let opened = Connection::open(&self.path, Role::Writer, false, &functions);
        let turn = self.progress.turn(true);
        let done = opened.and_then(|connection| pass(&connection, &self.progress));
        drop(turn);
        if let Err(fault) = done {
            *self.failure.lock() = Some(fault);
        }
    }
}

impl Checkpointer {
    pub fn new(path: PathBuf, progress: Arc<Progress>) -> Checkpointer {
        let failure = Arc::default();
        let pass = Pass { path, progress, failure: Arc::clone(&failure) };
        Checkpointer { task: Task::new(&WORKERS, pass, Pass::run), failure }
    }

    /// Asks for a checkpoint soon.
    pub fn wake(&self) {
        self.task.call();
    }

    /// Why the last checkpoint failed, once.
    pub fn take_failure(&self) -> Option<Fault> {
        self.failure.lock().take()
    }
}

impl Drop for Checkpointer {
    fn drop(&mut self) {
        self.task.end();
    }
}
