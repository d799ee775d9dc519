//! One database, as a session sees it and as a state machine serves it: what may be asked, and what comes back.
//!
//! [`Database`] is all that the front knows of the cluster. Below both sides: `gateway` finds who answers, `engine` answers.

pub mod mailbox;

pub use crate::clock::Control;
pub use crate::locks::advisory::Told;

use crate::command::{AdvisoryOrder, Isolation, StepOutcome, Write};
use crate::error::{SqlError, SqlResult};
use crate::functions::Context;
use crate::id::RequestId;
use crate::sql::catalog::Catalog;
use crate::sql::database::{Databases, Order};
use crate::sql::plan::{Effort, LockMode};
use crate::transaction::{Statement, Trial};
use crate::types::Env;
use crate::value::{Value, ValueRef};
use crate::version::Version;
use mailbox::Mailbox;
use std::future::Future;
use std::sync::Arc;

/// Why a statement did not run as it was translated.
#[derive(Clone, Debug, PartialEq)]
pub enum Failure {
    /// The catalog has moved on: translate again (`catalog()` has the newer one) and call again, under the same request
    /// id. Nothing was done, and nothing of what was called with will be.
    SchemaChanged,
    /// The answer for the client. `done`: of a write, what its steps before the failed one would have brought.
    Sql { done: Vec<StepOutcome>, error: SqlError },
}

impl From<SqlError> for Failure {
    fn from(error: SqlError) -> Failure {
        Failure::Sql { done: Vec::new(), error }
    }
}

/// A read to run on this node.
#[derive(Clone)]
pub struct ReadRequest {
    /// SQLite SQL over `?1…`.
    pub sql: Arc<str>,
    pub params: Vec<Value>,
    /// Clock, settings and identity that functions see; live relations by name, whose rows are filled in.
    pub context: Context,
    /// It sends signals to sessions.
    pub signals: bool,
    pub schema_version: u64,
    /// Ask for a read index first; otherwise answer from what is applied here (`quorate.read_consistency = stale`).
    pub linearizable: bool,
    pub control: Control,
}

/// The schema version of a read that looks at no table: it means the same under each.
pub const ANY_SCHEMA: u64 = u64::MAX;

/// How far [`Rows::fetch`] got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fetched {
    /// No more rows.
    Done,
    /// `max_rows` were delivered; there may be more.
    More,
    /// The time slice ended before the next row: call again, on a thread that may be busy for long, without `brief`.
    TooLong,
}

/// An open result on a snapshot of the database. Dropping it ends the read.
pub trait Rows: Send + 'static {
    /// Delivers up to `max_rows` rows to `sink`, in order, each as its column values.
    /// With `brief`, gives up after a few hundred µs of work so that it may be called on a shared thread.
    fn fetch(
        &mut self,
        max_rows: usize,
        brief: bool,
        sink: &mut dyn FnMut(&[ValueRef<'_>]) -> SqlResult<()>,
    ) -> SqlResult<Fetched>;

    /// The next rows are wanted some day, or never: what others wait for is given back. `keep`: the snapshot may be kept.
    fn rest(&mut self, _keep: bool) {}

    /// Stays where it is after its last row, so that it can begin again.
    fn keep(&mut self) {}

    /// Begins again, with the same rows; false if it cannot.
    fn rewind(&mut self) -> bool {
        false
    }

    /// It rests, and has to be resumed before the next fetch.
    fn is_resting(&self) -> bool {
        false
    }

    /// Ends the rest; what follows is under this control.
    fn resume(&mut self, _control: Control) -> impl Future<Output = SqlResult<()>> + Send {
        std::future::ready(Ok(()))
    }
}

/// What SAVEPOINT and its kin do to a transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mark {
    Set(String),
    Release(String),
    RollbackTo(String),
}

/// In whose name something is done: the current role and the session's, the session's time zone and its process id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Who {
    pub user: String,
    pub session_user: String,
    pub time_zone: String,
    pub pid: i32,
}

/// One database as a session sees it.
pub trait Database: Send + Sync + 'static {
    type Rows: Rows;
    /// An open transaction: what it has done so far. Dropping it rolls it back.
    type Transaction: Send + 'static;

    /// The catalog as of what is applied here; other nodes may already have a newer one.
    fn catalog(&self) -> Arc<Catalog>;

    /// The time for what begins now, in µs since 2000-01-01 00:00 UTC. The same clock as the log's, and not behind it.
    fn now(&self) -> i64;

    /// The log index applied here: what [`Write::born`] is.
    fn applied(&self) -> u64;

    /// The log index of the last change of the schema that was acknowledged to any client of this node.
    fn defined(&self) -> u64;

    /// The version of the database's group, as of what is applied here.
    fn version(&self) -> Version;

    /// Waits until `catalog()` includes that.
    fn catch_up(&self, control: &Control) -> impl Future<Output = SqlResult<()>> + Send;

    /// After this, `catalog()` and stale reads include everything acknowledged anywhere before the call.
    fn barrier(&self, control: &Control) -> impl Future<Output = SqlResult<()>> + Send;

    fn read(&self, request: ReadRequest) -> impl Future<Output = Result<Self::Rows, Failure>> + Send;

    /// Runs `write` exactly once, however often it is retried inside; the same `request` gives the same outcome.
    fn write(
        &self,
        request: RequestId,
        write: Write,
        effort: Effort,
        control: &Control,
    ) -> impl Future<Output = Result<Vec<StepOutcome>, Failure>> + Send;

    /// As `write`, for one that may need more than its place in the log: it runs at the leader first, where it can be
    /// stopped, waits for locks, and fixes which rows it means.
    fn try_write(
        &self,
        request: RequestId,
        trial: Trial,
        control: &Control,
    ) -> impl Future<Output = Result<Vec<StepOutcome>, Failure>> + Send;

    /// Begins a transaction that will be committed under the request id `name`. Asks nobody anything yet.
    fn begin(&self, name: RequestId, isolation: Isolation, env: Env) -> Self::Transaction;

    /// Runs a statement in a transaction. After an error its effects are undone; the session decides what becomes of
    /// the transaction. A lost leader is not an error: the transaction goes on at the next one.
    fn step(
        &self,
        transaction: &mut Self::Transaction,
        statement: Statement,
        control: &Control,
    ) -> impl Future<Output = Result<StepOutcome, Failure>> + Send;

    /// SAVEPOINT, RELEASE, ROLLBACK TO. Error: 3B001.
    fn mark(
        &self,
        transaction: &mut Self::Transaction,
        mark: Mark,
        control: &Control,
    ) -> impl Future<Output = SqlResult<()>> + Send;

    /// LOCK TABLE, by OIDs.
    fn lock_tables(
        &self,
        transaction: &mut Self::Transaction,
        tables: Vec<u32>,
        mode: LockMode,
        nowait: bool,
        control: &Control,
    ) -> impl Future<Output = SqlResult<()>> + Send;

    /// Commits. Error 40001: what the client was told is not true at the transaction's place in the log.
    fn commit(&self, transaction: Self::Transaction, control: &Control) -> impl Future<Output = SqlResult<()>> + Send;

    /// The catalog as a transaction sees it that has changed the schema.
    fn catalog_of(&self, transaction: &Self::Transaction) -> Option<Arc<Catalog>>;

    /// What the session `request.origin` wants of advisory locks, exactly once; waits for the lock if it is to. After an
    /// error, or when nobody waits for the answer any more, it has not got it.
    fn advisory(
        &self,
        request: RequestId,
        order: AdvisoryOrder,
        control: &Control,
    ) -> impl Future<Output = SqlResult<Told>> + Send;

    /// The databases of the cluster, and which of them this is.
    fn databases(&self) -> Databases {
        Databases::default()
    }

    /// Whoever comes now is let in: not if there are as many as may be.
    fn connection_limit(&self) -> i32 {
        -1
    }

    /// Has the cluster do something, in the name of a role; what the client is told beside.
    fn order(
        &self,
        order: Order,
        _who: Who,
        _control: &Control,
    ) -> impl Future<Output = SqlResult<Vec<SqlError>>> + Send {
        std::future::ready(Err(SqlError::unsupported(order.tag())))
    }

    /// Where the session of this name is told what it did not ask for.
    fn mailbox(&self, session: u64) -> Arc<Mailbox>;

    /// The session of this name is over.
    fn leave(&self, session: u64);
}
