//! What nodes ask of each other: the payload of a request between nodes and of its answer.

use crate::command::{self, Outcome, Proposal, Tenure};
use crate::error::SqlError;
use crate::id::{GroupId, NodeId, RequestId};
use crate::transaction::{self, Terms, Trial, TxName};
use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Request {
    /// To the leader of `group`: put this into the log and tell its outcome.
    Propose { group: GroupId, proposal: Proposal, terms: Terms },
    /// To the leader of `group`: try this, put what comes of it into the log, and tell its outcome.
    Try { group: GroupId, request: RequestId, trial: Box<Trial>, terms: Terms },
    /// To the node whose client runs the statement: cancel it.
    Cancel { pid: i32, secret: i32 },
    /// What the sender knows of itself, a [`crate::status::NodeReport`].
    Report(Told),
    /// Which clients are connected.
    Sessions,
    /// To the leader of `group`: who holds and awaits its locks.
    Locks { group: GroupId },
    /// To the node that the session `pid` is connected to.
    Signal { pid: i32, terminate: bool },
    /// To the leader of `group`: hand over to the replica on `to`, or to the best one. Happens soon or not at all.
    Transfer { group: GroupId, to: Option<NodeId> },
    /// To the leader of `group`, of transactions whose clients are at the sender.
    Transaction { group: GroupId, request: Transaction },
    /// How many clients are connected as `role`, and how many to the database of an OID.
    Count { role: String, database: u32 },
    /// Where the time of an entry went, a [`crate::trace::Stages`] or nothing.
    Stages { group: GroupId, index: u64 },
    /// Follow the system group up to an index, wait for the database's replica if one is to be here, and say how many sessions
    /// there are in the database, by its OID.
    Heed { index: u64, database: u32 },
    /// End the sessions of a database, by its OID.
    Expel { database: u32 },
}

/// What a gateway asks of the executor at the leader.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Transaction {
    Open(Box<transaction::Open>),
    Order(Box<transaction::Order>),
    /// Void what it is doing.
    Interrupt(TxName),
    End(TxName),
    /// These live.
    Renew(Vec<TxName>),
    /// These sessions live, which have asked for advisory locks.
    Sessions(Vec<u64>),
    /// A leader asks a gateway: what are the locks of your transactions? From now on only mine count.
    Claim(Tenure),
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Reply {
    /// The log's answer, and the index of the entry that brought it (0 if there was none).
    Outcome {
        at: u64,
        outcome: Outcome,
    },
    /// Not done here, and certainly not in the log because of this request.
    NotLeader {
        leader: Option<NodeId>,
    },
    /// Not done, and certainly not in the log: try again in a moment.
    Busy,
    /// It may or may not be in the log: ask again under the same request id.
    Unknown,
    /// The request could not be read.
    Halted(String),
    Done,
    Transaction(transaction::Reply),
    /// A list of [`crate::status::SessionRow`].
    Sessions(Told),
    /// A list of [`crate::status::LockRow`].
    Locks(Told),
    /// Not done, and certainly not in the log because of this request: the client's error.
    Failed(SqlError),
    Counted {
        of_role: u64,
        in_database: u64,
    },
    Stages(Told),
    /// So many sessions are in the database.
    Heeded {
        sessions: u64,
    },
}

/// What is shown to people and grows with every version: JSON, so that each side takes the fields that it knows.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Told(String);

impl Told {
    pub fn of<T: Serialize>(what: &T) -> Told {
        Told(serde_json::to_string(what).expect("rows of the status are plain data"))
    }

    /// Nothing, if it is not of this kind.
    pub fn read<T: DeserializeOwned>(&self) -> Option<T> {
        serde_json::from_str(&self.0).ok()
    }
}

pub fn encode<T: Serialize>(value: &T) -> Bytes {
    command::encode(value)
}

pub fn decode<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, command::DecodeError> {
    command::decode(bytes)
}
