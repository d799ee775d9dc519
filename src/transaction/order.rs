//! What a gateway orders of the executor at the leader, and the executor's answers: data that travels between nodes. Some are renamed
//! for `tests/formats`, where names stand for themselves; nothing of a name is encoded.

use super::{Kind, Limits, Transcript};
use crate::command::{Isolation, Step, StepOutcome, Tenure, Write};
use crate::error::SqlError;
use crate::id::{NodeId, RequestId};
use crate::locks::Held;
use crate::sql::catalog::change::Change;
use crate::sql::plan::{Effort, LockMode, LockStrength, LockWait};
use crate::types::Env;
use serde::{Deserialize, Serialize};

/// Names a transaction in the whole cluster: the request id under which it will be committed.
pub type TxName = RequestId;

/// A transaction to be taken over, from its beginning or in the middle.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Open {
    pub name: TxName,
    /// Rises with every opening: what belongs to an earlier one is void.
    pub epoch: u64,
    pub env: Env,
    pub transcript: Transcript,
    /// Its gateway, if that is another node: it renews its lease.
    pub gateway: Option<NodeId>,
    /// How many locks it had before each of its savepoints.
    pub marks: Vec<usize>,
    /// It has been told that it has locks.
    pub holds: bool,
    /// Time that is left to it, in ms.
    pub within: u64,
}

/// A transaction's locks as its gateway knows them, for a leader that has just begun.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Claimed {
    pub name: TxName,
    /// See [`Open::epoch`]: of its latest opening.
    pub epoch: u64,
    /// The last tenure in which it was told that it has them.
    pub since: Tenure,
    pub locks: Vec<Held>,
}

/// Locks that an order has brought.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Granted {
    pub tenure: Tenure,
    /// Those that the gateway has not been told of.
    pub locks: Vec<Held>,
}

/// What a transaction is to do next.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Order {
    pub name: TxName,
    pub epoch: u64,
    pub action: Action,
    /// How many of its locks its gateway knows.
    pub known: usize,
    /// Time that is left to it, in ms.
    pub within: u64,
    /// `lock_timeout` in ms.
    pub lock_timeout: Option<u64>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename = "transaction::Action")]
pub enum Action {
    Run(Box<Statement>),
    Savepoint(String),
    Release(String),
    RollbackTo(String),
    Lock {
        tables: Vec<u32>,
        mode: LockMode,
        nowait: bool,
    },
    /// Make sure that it still has all its locks: it ends without a command in the log.
    Vouch,
}

/// A statement to run. `step.frozen` says under which circumstances; its sequence values and `step.expect` are still
/// open.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename = "transaction::Statement")]
pub struct Statement {
    pub step: Step,
    pub kind: Kind,
    /// Which rows of the result to lock, and how.
    pub lock: Option<Locking>,
    /// A query of it that locks rows.
    pub before: Option<Before>,
    /// The version of the catalog that it was compiled under; `None` when that was the transaction's own.
    pub schema_version: Option<u64>,
    /// The order of the rows belongs to the result.
    pub ordered: bool,
    /// OIDs of the foreign keys that are checked when it has run, though SQLite puts them off.
    pub immediate: Vec<u32>,
    /// What its compiler knows of its work.
    pub effort: Effort,
}

/// FOR UPDATE and its kin. The last columns of the result are the rowids of the locked tables, in the order of
/// `tables`; the client does not get them.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Locking {
    pub strength: LockStrength,
    pub wait: LockWait,
    pub tables: Vec<u32>,
}

/// A query inside of a statement that locks rows (`WHERE id = (SELECT id … FOR UPDATE SKIP LOCKED)`). It runs by itself
/// first, with NULL as the last parameter; the rows that it locks become that parameter, and in the statement it means
/// those, here and at each replay.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Before {
    pub sql: String,
    pub lock: Locking,
}

/// A write to be tried at the leader before it goes into the log.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Trial {
    pub env: Env,
    pub schema_version: u64,
    /// See [`Write::born`].
    pub born: u64,
    pub statements: Vec<Statement>,
    /// How far it goes may depend on the sequence values that it draws.
    pub draws: bool,
}

impl Trial {
    /// Its work may depend on every row that it reads.
    pub fn is_open(&self) -> bool {
        self.statements.iter().any(|statement| statement.effort == Effort::Open)
    }

    /// An empty transcript to run it with.
    pub fn transcript(&self) -> Transcript {
        Transcript::new(Isolation::ReadCommitted, Limits { bytes: usize::MAX, steps: usize::MAX })
    }

    /// The command as it is before anything was tried.
    pub fn as_compiled(&self) -> Write {
        self.write(self.statements.iter().map(|statement| statement.step.clone()).collect())
    }

    /// The command that it becomes.
    pub fn write(&self, steps: Vec<Step>) -> Write {
        let (schema_version, born, env) = (self.schema_version, self.born, self.env.clone());
        Write { schema_version, born, env, steps, transaction: None }
    }
}

/// What the leader is told with a write.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Terms {
    /// How often it was asked for under its request id, from 1.
    pub attempt: u64,
    /// It is a COMMIT.
    pub commit: bool,
    /// The most that a statement of it takes.
    pub effort: Effort,
    /// Time that is left to it, in ms.
    pub within: u64,
    /// `lock_timeout` in ms.
    pub lock_timeout: Option<u64>,
}

impl Terms {
    /// `remaining`: `within` and `lock_timeout`.
    pub fn new(attempt: u64, effort: Effort, remaining: (u64, Option<u64>)) -> Terms {
        let (within, lock_timeout) = remaining;
        Terms { attempt, commit: false, effort, within, lock_timeout }
    }
}

/// What became of an [`Open`] or an [`Order`].
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename = "transaction::Reply")]
pub enum Reply {
    /// Open, released, …
    Done,
    /// The outcome for the client, the step as it belongs into the transcript, and what it has done to the catalog that it
    /// was compiled under.
    Ran {
        outcome: StepOutcome,
        step: Box<Step>,
        kind: Kind,
        catalog: Option<Box<Change>>,
        granted: Granted,
    },
    Locked(Granted),
    /// The locks of all transactions of this node.
    Claims(Vec<Claimed>),
    /// Nothing happened: compile it again, the schema has version `now`.
    SchemaChanged {
        now: u64,
    },
    /// The statement failed and is undone; so are the locks it took.
    Failed(SqlError),
    /// The transaction is not known here (or no longer in this state): open it again.
    Unknown,
    /// This node does not lead the group.
    NotLeader,
}
