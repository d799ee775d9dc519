//! From attempts to one certain answer.
//!
//! A write is asked for as often as it takes, always under the request id and the birth that it had first (a [`Course`]).
//! *Any path that asks again asks under the same id, and an answer that says "not done" has looked.* What "looked" means:
//!
//! | what happened | is it certain | what is done |
//! |---|---|---|
//! | an outcome of the log | yes: each attempt waits for its own place, and a repeated id gets the first outcome | told |
//! | the log refuses: the schema has changed | yes: nothing before has been applied, and what was compiled before never will be, since versions only rise | compiled again, same id |
//! | a trial finds that the schema has changed, first attempt | yes: nothing was ever proposed | compiled again, same id |
//! | the same, later attempt | no | it is proposed all the same: the log answers with the refusal, or with the first outcome |
//! | a trial ends in an error of the statement, first attempt | yes, once a read point shows that this node leads | told |
//! | the same, later attempt | no | proposed all the same: it fails at its place, or gets the first outcome |
//! | refused before it was appended (not the leader, handing over, overloaded) | nothing of this attempt | asked again |
//! | connection lost, leader changed, task gone | no: `sent` | asked again |
//! | an error that ends the asking (deadlock, lock timeout, limits, full disk), nothing `sent` | yes | told |
//! | the same after something was `sent` | no | [`Command::Settle`] under the same id: the log says which of the two came first. If it cannot be asked: 40003 |
//! | chunks are missing | yes | uploaded again; `sent` is kept |
//! | chunks of another body under the same id | — | each body has an upload of its own ([`super::split`]) |
//! | the outcome is no longer remembered | no | 40003 |
//! | deadline, cancel | no | 57014, 57P03: the error says that it may still take effect |
//!
//! COPY, several statements of one message or pipeline, and a block's COMMIT are one command each, so they are the
//! same. What a block does before COMMIT has no effect that lasts, except that it draws from sequences: a reservation
//! whose fate is unknown is a gap. A block that its leader has made void is opened again from its transcript.

use super::peer::Reply;
use crate::command::{self, Command, Outcome, Proposal};
use crate::error::{SqlError, state};
use crate::executor::Trouble;
use crate::host::{Defect, Host};
use crate::id::RequestId;
use crate::replica::handle::ProposeError;
use std::sync::Arc;

/// Where a proposal stands after one attempt.
pub(super) enum Attempt {
    /// The log's answer; with the index of the entry that brought it, or 0 if there was none.
    Outcome(u64, Arc<Outcome>),
    /// Try again; nothing tells that waiting helps. It is not in the log because of this attempt.
    Again,
    /// Try again; it may be in the log.
    Unknown,
    /// Not in the log because of this attempt, and no use to try again.
    Failed(SqlError),
}

/// A write on its way, through all its attempts.
pub(super) struct Course {
    pub request: RequestId,
    /// See [`command::Write::born`]: that of the first attempt.
    born: u64,
    /// It is a transaction's COMMIT.
    pub commit: bool,
    /// Number of the attempt that is under way.
    pub attempt: u64,
    /// One of them may be in the log, or come there yet.
    sent: bool,
}

/// Why it is not asked for again.
pub(super) enum Ended {
    /// The last attempt failed for certain.
    Failed(SqlError),
    /// The time is over, or the client has cancelled: the error leaves open what becomes of it.
    Over(SqlError),
}

impl Course {
    pub fn new(request: RequestId, born: u64) -> Course {
        Course { request, born, commit: false, attempt: 0, sent: false }
    }

    /// What an attempt means for all of them together; `None`: go on.
    pub fn take(&mut self, attempt: Attempt, host: &dyn Host) -> Option<Result<(u64, Arc<Outcome>), Ended>> {
        match attempt {
            Attempt::Outcome(at, outcome) => Some(Ok((at, outcome))),
            Attempt::Failed(error) => Some(Err(Ended::Failed(error))),
            Attempt::Again if host.has(Defect::NoRetry) => {
                let error = SqlError::new(state::CANNOT_CONNECT_NOW, "this node does not lead");
                Some(Err(Ended::Failed(error)))
            }
            Attempt::Again => None,
            Attempt::Unknown => {
                self.sent = !host.has(Defect::ForgetsSent);
                None
            }
        }
    }

    /// Whether an attempt that failed for certain leaves open what becomes of an earlier one.
    pub fn is_open(&self) -> bool {
        self.sent
    }

    /// What makes it certain that it failed with this error, unless it has taken effect.
    pub fn void(&self, error: &SqlError) -> Proposal {
        let command = Command::Settle { born: self.born, error: error.clone() };
        Proposal { request: self.request, body: command::encode(&command) }
    }
}

impl Attempt {
    /// How a proposal of this node's own log ended.
    pub fn landed(answer: Result<(u64, Arc<Outcome>), ProposeError>) -> Attempt {
        match answer {
            Ok((at, outcome)) => Attempt::Outcome(at, outcome),
            Err(ProposeError::Unknown) => Attempt::Unknown,
            Err(ProposeError::DiskFull) => Attempt::Failed(disk_full()),
            Err(ProposeError::TooLarge(_)) => Attempt::Failed(SqlError::new(
                state::PROGRAM_LIMIT_EXCEEDED,
                "the statement is too large for one log entry",
            )),
            // One that has halted or stops gives its leadership up: another takes it.
            Err(
                ProposeError::NotLeader { .. }
                | ProposeError::Dropped
                | ProposeError::Overloaded
                | ProposeError::Halted(_)
                | ProposeError::Stopped,
            ) => Attempt::Again,
        }
    }

    /// How it ended before it was proposed.
    pub fn denied(trouble: Trouble) -> Attempt {
        match trouble {
            Trouble::Sql(error) => Attempt::Failed(error),
            Trouble::Void | Trouble::Schema(_) => Attempt::Again,
        }
    }

    /// What another node's reply means.
    pub fn told(reply: Reply) -> Attempt {
        match reply {
            Reply::Outcome { at, outcome } => Attempt::Outcome(at, Arc::new(outcome)),
            Reply::Failed(error) => Attempt::Failed(error),
            Reply::NotLeader { .. } | Reply::Busy => Attempt::Again,
            // It does not understand the question, or answers another one: who knows.
            _ => Attempt::Unknown,
        }
    }

    /// As another node is told it.
    pub fn into_reply(self) -> Reply {
        match self {
            Attempt::Outcome(at, outcome) => {
                Reply::Outcome { at, outcome: Arc::try_unwrap(outcome).unwrap_or_else(|shared| (*shared).clone()) }
            }
            Attempt::Again => Reply::Busy,
            Attempt::Unknown => Reply::Unknown,
            Attempt::Failed(error) => Reply::Failed(error),
        }
    }
}

pub(super) fn disk_full() -> SqlError {
    SqlError::new(state::DISK_FULL, "could not write: the disk of the leader is full")
        .hint("Free space on that node; it goes on by itself.")
}

pub(super) fn halted(why: &str) -> SqlError {
    SqlError::new(state::CANNOT_CONNECT_NOW, format!("this node's replica does not serve: {why}"))
        .hint("Connect to another node; `quorate status` shows the state of each.")
}

/// An attempt failed for certain, but not the one before it, and the log could not be asked.
pub(super) fn unknown_after(error: &SqlError) -> SqlError {
    SqlError::new(state::STATEMENT_COMPLETION_UNKNOWN, "it is not known whether the statement took effect")
        .detail(format!("One attempt was not answered, and the next one failed: {error}."))
}

pub(super) fn unknown_completion() -> SqlError {
    SqlError::new(state::STATEMENT_COMPLETION_UNKNOWN, "it is not known whether the statement took effect")
        .detail("It was retried for so long that its outcome is no longer remembered.")
}
