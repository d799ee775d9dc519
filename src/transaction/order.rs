//! What a gateway orders of the executor at the leader, and the executor's answers: data that travels between nodes.

use super::{Kind, Transcript};
use crate::command::{Step, StepOutcome};
use crate::error::SqlError;
use crate::id::RequestId;
use crate::sql::plan::{LockMode, LockStrength, LockWait};
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
    /// Its gateway is another node, which renews its lease.
    pub leased: bool,
}

/// What a transaction is to do next.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Order {
    pub name: TxName,
    pub epoch: u64,
    pub action: Action,
    /// Time that is left to it, in ms.
    pub within: u64,
    /// `lock_timeout` in ms.
    pub lock_timeout: Option<u64>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Action {
    Run(Box<Statement>),
    Savepoint(String),
    Release(String),
    RollbackTo(String),
    Lock { tables: Vec<u32>, mode: LockMode, nowait: bool },
}

/// A statement to run. `step.frozen` says under which circumstances; its sequence values and `step.expect` are still
/// open.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Statement {
    pub step: Step,
    pub kind: Kind,
    /// Which rows of the result to lock, and how.
    pub lock: Option<Locking>,
    /// The version of the catalog that it was compiled under; `None` when that was the transaction's own.
    pub schema_version: Option<u64>,
    /// The order of the rows belongs to the result.
    pub ordered: bool,
    /// OIDs of the foreign keys that are checked when it has run, though SQLite puts them off.
    pub immediate: Vec<u32>,
}

/// FOR UPDATE and its kin. The last columns of the result are the rowids of the locked tables, in the order of
/// `tables`; the client does not get them.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Locking {
    pub strength: LockStrength,
    pub wait: LockWait,
    pub tables: Vec<u32>,
}

/// What became of an [`Open`] or an [`Order`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Reply {
    /// Open, locked, released, …
    Done,
    /// The outcome for the client, and the step as it belongs into the transcript. `wrote`: it changed something.
    Ran { outcome: StepOutcome, step: Box<Step>, kind: Kind },
    /// Nothing happened: compile it again, the schema has version `now`.
    SchemaChanged { now: u64 },
    /// The statement failed and is undone; so are the locks it took.
    Failed(SqlError),
    /// The transaction is not known here (or no longer in this state): open it again.
    Unknown,
    /// This node does not lead the group.
    NotLeader,
}
