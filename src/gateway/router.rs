//! The real [`Database`]: one group, reached wherever its leader is.
//!
//! A write is retried under its request id until its outcome is known or the deadline is reached: a leader that dies, a
//! broken connection and a refused proposal all look the same to the client, as latency. That is safe because the state
//! machine applies a request id at most once. A read asks its own replica for a read index, waits until that is applied
//! here, and runs on a snapshot of this node's file.

use super::facts::Facts;
use super::peer::{self, Reply, Request};
use super::split;
use super::transaction::{GroupLog, Remotes, Transaction};
use super::{Control, Database, Failure, ReadRequest};
use crate::command::{self, Command, Isolation, Outcome, Proposal, Refusal, StepOutcome, Write};
use crate::engine::{Cursor, Shared};
use crate::error::{SqlError, SqlResult, state};
use crate::executor::{self, Executor};
use crate::id::{GroupId, NodeId, RequestId};
use crate::replica::handle::{Group, ProposeError, ReadError};
use crate::sql::catalog::Catalog;
use crate::sql::plan::LockMode;
use crate::transaction::{self, Statement};
use crate::transport::tcp::Network;
use crate::types::Env;
use std::sync::atomic::Ordering;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

/// How long to wait before asking again when nothing says that the leader has changed.
const RETRY: Duration = Duration::from_millis(20);
/// How long one request to another node may take before it is asked again.
const CALL: Duration = Duration::from_secs(5);

/// The way to one group from this node.
pub struct Router {
    pub node: NodeId,
    pub id: GroupId,
    pub group: Group,
    pub shared: Arc<Shared>,
    pub peers: Network,
    /// What live relations show; set once the node is put together.
    pub facts: OnceLock<Arc<dyn Facts>>,
    /// Transactions of this group, while this node leads it.
    pub executor: Arc<Executor>,
    pub(super) remotes: Arc<Remotes>,
    pub(super) limits: transaction::Limits,
}

/// Bounds on interactive transactions.
pub struct TransactionLimits {
    /// Of one, where its client is.
    pub transcript: transaction::Limits,
    /// Of all, where the leader is.
    pub executor: executor::Limits,
}

/// Where a proposal stands after one attempt.
enum Attempt {
    Outcome(Arc<Outcome>),
    /// Try again; nothing tells that waiting helps.
    Again,
    Failed(SqlError),
}

impl Router {
    pub fn new(
        node: NodeId,
        id: GroupId,
        group: Group,
        shared: Arc<Shared>,
        peers: Network,
        limits: TransactionLimits,
    ) -> Router {
        let log = Arc::new(GroupLog(group.clone()));
        let executor = Executor::new(shared.clone(), log, limits.executor);
        let (facts, remotes, limits) = (OnceLock::new(), Arc::default(), limits.transcript);
        Router { node, id, group, shared, peers, facts, executor, remotes, limits }
    }

    /// Puts a command into the log and waits for its outcome, as often as it takes.
    pub async fn propose(&self, proposal: Proposal, control: &Control) -> SqlResult<Arc<Outcome>> {
        let mut leaders = self.group.leader_changes();
        loop {
            check(control, self.leader().is_some())?;
            leaders.borrow_and_update();
            match self.attempt(&proposal, control).await {
                Attempt::Outcome(outcome) => return Ok(outcome),
                Attempt::Failed(error) => return Err(error),
                Attempt::Again => {
                    let _ = tokio::time::timeout(RETRY, leaders.changed()).await;
                }
            }
        }
    }

    async fn attempt(&self, proposal: &Proposal, control: &Control) -> Attempt {
        match self.leader() {
            None => match self.group.hopeless() {
                Some(why) => Attempt::Failed(halted(&why)),
                None => Attempt::Again,
            },
            Some(leader) if leader == self.node => {
                let _admission = match self.executor.admit(|| write_of(proposal), control).await {
                    Ok(admission) => admission,
                    Err(error) => return Attempt::Failed(error),
                };
                let answer = wait(control, self.group.propose(proposal.clone())).await;
                match answer {
                    None => Attempt::Again,
                    Some(Ok(outcome)) => Attempt::Outcome(outcome),
                    Some(Err(ProposeError::Halted(why))) if self.group.hopeless().is_some() => {
                        Attempt::Failed(halted(&why))
                    }
                    Some(Err(e)) => refused(e),
                }
            }
            Some(leader) => self.attempt_at(leader, proposal, control).await,
        }
    }

    async fn attempt_at(&self, leader: NodeId, proposal: &Proposal, control: &Control) -> Attempt {
        let request = peer::encode(&Request::Propose { group: self.id, proposal: proposal.clone() });
        let deadline = control.deadline.min(Instant::now() + CALL);
        // A leader that hangs does not answer, and its successor does not wait for that.
        let mut leaders = self.group.leader_changes();
        let moved = leaders.wait_for(|now| now.leader_node.is_some_and(|node| node != leader));
        let answer = tokio::select! {
            answer = wait(control, self.peers.call(leader, request, deadline)) => answer,
            _ = moved => None,
        };
        let reply = match answer {
            Some(Ok(bytes)) => peer::decode::<Reply>(&bytes),
            Some(Err(_)) | None => return Attempt::Again,
        };
        match reply {
            Ok(Reply::Outcome(outcome)) => Attempt::Outcome(Arc::new(outcome)),
            Ok(Reply::DiskFull) => Attempt::Failed(disk_full()),
            Ok(_) => Attempt::Again,
            Err(e) => Attempt::Failed(SqlError::internal(format!("answer of {leader}: {e}"))),
        }
    }

    /// Proposes all of a command, in chunks if it is large.
    async fn run(&self, request: RequestId, body: bytes::Bytes, control: &Control) -> SqlResult<Arc<Outcome>> {
        let mut last = None;
        for proposal in split::proposals(request, body) {
            last = Some(self.propose(proposal, control).await?);
        }
        last.ok_or_else(|| SqlError::internal("a command was split into nothing"))
    }

    /// Proposes a command of the server's own.
    pub async fn submit(&self, request: RequestId, command: &Command, control: &Control) -> SqlResult<Arc<Outcome>> {
        self.run(request, command::encode(command), control).await
    }

    /// Waits until this node's state covers everything acknowledged before this call.
    async fn read_point(&self, control: &Control) -> SqlResult<()> {
        match self.group.read_index(control.deadline).await {
            Ok(_) => Ok(()),
            Err(ReadError::Halted(why)) => Err(halted(&why)),
            Err(ReadError::TimedOut) => Err(stopped(control, self.leader().is_some())),
        }
    }

    fn leader(&self) -> Option<NodeId> {
        self.group.leadership().leader_node
    }
}

impl Database for Router {
    type Rows = Cursor;
    type Transaction = Transaction;

    fn begin(&self, name: RequestId, isolation: Isolation, env: Env) -> Transaction {
        Transaction::new(self, name, isolation, env)
    }

    async fn step(
        &self,
        transaction: &mut Transaction,
        mut statement: Statement,
        lock_timeout: Option<Duration>,
        control: &Control,
    ) -> Result<StepOutcome, Failure> {
        self.inform_step(&mut statement.step).await;
        transaction.step(statement, lock_timeout, control).await
    }

    async fn mark(&self, transaction: &mut Transaction, mark: super::Mark, control: &Control) -> SqlResult<()> {
        transaction.mark(mark, control).await
    }

    async fn lock_tables(
        &self,
        transaction: &mut Transaction,
        tables: Vec<u32>,
        mode: LockMode,
        nowait: bool,
        lock_timeout: Option<Duration>,
        control: &Control,
    ) -> SqlResult<()> {
        transaction.lock_tables(tables, mode, nowait, lock_timeout, control).await
    }

    async fn commit(&self, transaction: Transaction, control: &Control) -> SqlResult<()> {
        self.commit_transaction(transaction, control).await
    }

    fn catalog_of(&self, transaction: &Transaction) -> Option<Arc<Catalog>> {
        transaction.catalog()
    }

    fn catalog(&self) -> Arc<Catalog> {
        self.shared.catalog()
    }

    fn applied(&self) -> u64 {
        self.shared.applied()
    }

    async fn barrier(&self, control: &Control) -> SqlResult<()> {
        self.read_point(control).await
    }

    async fn read(&self, mut request: ReadRequest) -> Result<Cursor, Failure> {
        self.inform_read(&mut request).await;
        if request.linearizable {
            self.read_point(&request.control).await?;
        }
        self.shared.read(request).await
    }

    async fn write(
        &self,
        request: RequestId,
        mut write: Write,
        control: &Control,
    ) -> Result<Vec<StepOutcome>, Failure> {
        for step in write.steps.iter_mut().filter(|step| step.frozen.is_none()) {
            self.inform_step(step).await;
        }
        let body = command::encode(&Command::Write(write));
        loop {
            let outcome = self.run(request, body.clone(), control).await?;
            let refusal = match Arc::try_unwrap(outcome).unwrap_or_else(|shared| (*shared).clone()) {
                Outcome::Done(steps) => return Ok(steps),
                Outcome::Failed { step, error } => return Err(Failure::Sql { step, error }),
                Outcome::Refused(refusal) => refusal,
            };
            match refusal {
                Refusal::SchemaChanged { now } => {
                    // The refusal may come from a leader that has applied more than this node.
                    self.await_schema(now, control).await?;
                    return Err(Failure::SchemaChanged);
                }
                Refusal::ChunksMissing => check(control, true)?,
                Refusal::Expired => return Err(unknown_completion().into()),
                Refusal::ResultForgotten => {
                    return Err(SqlError::new(
                        state::STATEMENT_COMPLETION_UNKNOWN,
                        "the statement took effect, but its result was too large to be kept through a change of leader",
                    )
                    .into());
                }
            }
        }
    }
}

impl Router {
    /// Puts the transcript into the log as one command.
    async fn commit_transaction(&self, mut transaction: Transaction, control: &Control) -> SqlResult<()> {
        if !transaction.transcript().writes() {
            return Ok(());
        }
        loop {
            let (name, write) = transaction.command(self.applied())?;
            match self.write(name, write, control).await {
                Ok(_) => return Ok(()),
                Err(Failure::Sql { error, .. }) => return Err(error),
                // Nothing that it has to do with may have changed.
                Err(Failure::SchemaChanged) => transaction.follow_schema(&self.catalog())?,
            }
        }
    }

    async fn await_schema(&self, version: u64, control: &Control) -> SqlResult<()> {
        while self.shared.catalog().version < version {
            check(control, true)?;
            let next = self.shared.applied() + 1;
            let _ = tokio::time::timeout(RETRY, self.shared.wait_applied(next)).await;
        }
        Ok(())
    }
}

/// What a local refusal means for the next attempt.
fn refused(error: ProposeError) -> Attempt {
    match error {
        ProposeError::DiskFull => Attempt::Failed(disk_full()),
        ProposeError::Stopped => {
            Attempt::Failed(SqlError::new(state::ADMIN_SHUTDOWN, "terminating connection due to administrator command"))
        }
        ProposeError::TooLarge(_) => Attempt::Failed(SqlError::new(
            state::PROGRAM_LIMIT_EXCEEDED,
            "the statement is too large for one log entry",
        )),
        // One that has halted gives its leadership up: another takes it.
        ProposeError::NotLeader { .. }
        | ProposeError::Dropped
        | ProposeError::Overloaded
        | ProposeError::Unknown
        | ProposeError::Halted(_) => Attempt::Again,
    }
}

/// The write in a proposal, if it is one in one piece.
fn write_of(proposal: &Proposal) -> Option<Write> {
    match command::decode(&proposal.body) {
        Ok(Command::Write(write)) => Some(write),
        _ => None,
    }
}

/// Answers a peer's proposal, as the leader or not.
pub async fn answer_proposal(router: &Router, proposal: Proposal) -> Reply {
    let group = &router.group;
    let control = Control { deadline: Instant::now() + CALL, cancelled: Arc::default() };
    let _admission = match router.executor.admit(|| write_of(&proposal), &control).await {
        Ok(admission) => admission,
        // It still waits for a lock: the gateway, which knows its deadline, asks again.
        Err(error) if error.code == state::QUERY_CANCELED => return Reply::Busy,
        Err(error) => return Reply::Outcome(Outcome::Failed { step: 0, error }),
    };
    match group.propose(proposal).await {
        Ok(outcome) => Reply::Outcome((*outcome).clone()),
        Err(ProposeError::NotLeader { leader }) => Reply::NotLeader { leader },
        Err(ProposeError::Dropped | ProposeError::Overloaded) => Reply::Busy,
        Err(ProposeError::Unknown) => Reply::Unknown,
        Err(ProposeError::DiskFull) => Reply::DiskFull,
        Err(e @ ProposeError::TooLarge(_)) => Reply::Halted(e.to_string()),
        Err(ProposeError::Halted(why)) => Reply::Halted(why),
        Err(e @ ProposeError::Stopped) => Reply::Halted(e.to_string()),
    }
}

/// Runs `future` until it ends or the deadline passes. A client that cancels drops the whole request instead.
pub(super) async fn wait<F: Future>(control: &Control, future: F) -> Option<F::Output> {
    tokio::time::timeout_at(control.deadline.into(), future).await.ok()
}

/// Whether to go on trying.
pub(super) fn check(control: &Control, has_leader: bool) -> SqlResult<()> {
    if Instant::now() < control.deadline && !control.cancelled.load(Ordering::Relaxed) {
        return Ok(());
    }
    Err(stopped(control, has_leader))
}

/// Why nothing more is tried.
fn stopped(control: &Control, has_leader: bool) -> SqlError {
    if control.cancelled.load(Ordering::Relaxed) {
        return SqlError::new(state::QUERY_CANCELED, "canceling statement due to user request");
    }
    if has_leader {
        return SqlError::new(state::QUERY_CANCELED, "canceling statement due to statement timeout")
            .detail("If it was a write, it may still take effect.");
    }
    SqlError::new(state::CANNOT_CONNECT_NOW, "no leader: this node does not reach a majority of the replicas")
        .detail("If the statement was a write, it may still take effect.")
        .hint("Start the other nodes, or connect to one on the majority's side.")
}

fn disk_full() -> SqlError {
    SqlError::new(state::DISK_FULL, "could not write: the disk of the leader is full")
        .hint("Free space on that node; it goes on by itself.")
}

fn halted(why: &str) -> SqlError {
    SqlError::new(state::CANNOT_CONNECT_NOW, format!("this node's replica does not serve: {why}"))
        .hint("Connect to another node; `quorate status` shows the state of each.")
}

fn unknown_completion() -> SqlError {
    SqlError::new(state::STATEMENT_COMPLETION_UNKNOWN, "it is not known whether the statement took effect")
        .detail("It was retried for so long that its outcome is no longer remembered.")
}
