//! What those who keep a log and those who are driven by it have to agree on: positions, entries, members, snapshots, and
//! what a state machine does. Below both: `replica` decides, `engine` applies, `raftlog` keeps, `transport` carries.

use crate::command::Outcome;
use crate::id::{ReplicaId, RequestId};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub mod brake;
pub mod form;

/// A position in a group's log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Position {
    pub index: u64,
    pub term: u64,
}

/// Who votes in a group (Raft's configuration, including a joint one while it changes).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Membership {
    pub voters: Vec<ReplicaId>,
    pub learners: Vec<ReplicaId>,
    pub voters_outgoing: Vec<ReplicaId>,
    pub learners_next: Vec<ReplicaId>,
    pub auto_leave: bool,
}

/// An entry that Raft has committed, as the state machine gets it.
#[derive(Clone, Debug)]
pub struct Committed {
    pub at: Position,
    pub payload: Payload,
}

#[derive(Clone, Debug)]
pub enum Payload {
    /// A new leader's first entry, or a refused change of membership.
    Empty,
    /// An encoded [`crate::command::Batch`].
    Batch(Bytes),
    Membership(Membership),
    /// All commands of an earlier entry, a batch, fail: see [`brake`].
    Skip(Position),
}

/// The outcome of one command of an applied entry.
#[derive(Clone, Debug)]
pub struct Applied {
    pub request: RequestId,
    pub index: u64,
    pub outcome: Arc<Outcome>,
}

/// Why a replica must not go on. The node keeps running its other groups.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum Halt {
    /// This replica's state differs from the majority's: rebuild it from a snapshot.
    #[error("replica diverged at index {index}: digest {ours:016x}, the majority has {theirs:016x}")]
    Diverged { index: u64, ours: u64, theirs: u64 },
    /// A disk gave back something else than was written: rebuild the state from a snapshot.
    #[error("damaged: {0}")]
    Rotten(String),
    /// The group has skipped an entry that this replica has applied: rebuild it from a snapshot.
    #[error("the group has recorded entry {0} as failed, this replica had applied it")]
    Overruled(u64),
    /// The environment failed (disk full, I/O error) and retrying did not help within the attempt.
    /// Nothing of the call took effect; calling again later with the same entries is allowed.
    #[error("{0}")]
    Environment(String),
    /// The state or the log is not what it must be.
    #[error("{0}")]
    Corrupt(String),
}

/// What a finished snapshot file contains.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnapshotMeta {
    pub at: Position,
    pub membership: Membership,
    pub length: u64,
    /// xxh3 of the file.
    pub checksum: u64,
}

/// The deterministic state that the log drives. Called from one thread at a time.
pub trait StateMachine: Send + 'static {
    fn applied(&self) -> Position;
    fn membership(&self) -> Membership;

    /// Applies entries in order; `entries[0]` follows `applied`. Either those up to the new `applied` take effect, at least one,
    /// or none does.
    fn apply(&mut self, entries: &[Committed]) -> Result<Vec<Applied>, Halt>;

    /// Records all commands of an entry as failed, instead of applying it.
    fn skip(&mut self, entry: &Committed) -> Result<Vec<Applied>, Halt>;

    /// What may stand between it and its entries.
    fn brake(&self) -> Arc<brake::Brake>;

    /// The furthest position that the state is known to have had: also when it has lost it, and is not there now.
    fn reached(&self) -> Position {
        self.applied()
    }

    /// The highest applied index that would survive a loss of power now: the log may be cut up to it.
    fn durable(&self) -> u64;

    /// The first time that the last applied batch leaves free, in µs since 2000-01-01: the next one's is not below, unless
    /// the clock is set back. Matters only when the log holds no batch any more.
    fn clock_floor(&self) -> i64 {
        i64::MIN
    }

    /// Called when there is nothing to apply, and at least every second: checkpoints and the like.
    fn idle(&mut self) -> Result<(), Halt>;

    /// A job that writes the state, as it is when the job runs, into `file` (fsynced); runs on another thread
    /// while `apply` goes on.
    fn snapshot(&self, file: PathBuf) -> Box<dyn FnOnce() -> Result<SnapshotMeta, Halt> + Send>;

    /// Verifies `file` and replaces the state with it, atomically; afterwards `applied()` is `meta.at`.
    fn install(&mut self, file: &Path, meta: &SnapshotMeta) -> Result<(), Halt>;
}
