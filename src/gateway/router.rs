//! The real [`Database`]: one group, reached wherever its leader is.
//!
//! A write is retried under its request id until its outcome is known or the deadline is reached: a leader that dies, a
//! broken connection and a refused proposal all look the same to the client, as latency. That is safe because the state
//! machine applies a request id at most once. A read asks its own replica for a read index, waits until that is applied
//! here, and runs on a snapshot of this node's file.

use super::facts::Facts;
use super::flight::Flight;
use super::peer::{self, Reply, Request};
use super::reach::{Peers, Replica};
use super::split;
use super::time::Time;
use super::transaction::{GroupLog, Link, Remotes, Transaction};
use super::{Control, Database, Failure, ReadRequest};
use crate::command::{self, Command, Isolation, Outcome, Proposal, Refusal, StepOutcome, Write};
use crate::engine::{Cursor, Shared};
use crate::error::{SqlError, SqlResult, state};
use crate::executor::{self, Executor, Tried};
use crate::host::{Host, SharedHost, until, within};
use crate::id::{GroupId, NodeId, RequestId};
use crate::replica::handle::{Group, ProposeError, ReadError};
use crate::sql::catalog::Catalog;
use crate::sql::plan::{Effort, LockMode};
use crate::transaction::{self, Statement, Terms, Trial};
use crate::transport::CallError;
use crate::transport::tcp::Network;
use crate::types::Env;
use bytes::Bytes;
use std::sync::atomic::Ordering;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::sync::oneshot;

/// How long to wait before asking again when nothing says that the leader has changed.
const RETRY: Duration = Duration::from_millis(20);
/// The largest trial that travels to another node.
const LARGEST_TRIAL: usize = 48 << 20;

/// The way to one group from this node.
pub struct Router<R: Replica = Group, P: Peers = Network> {
    pub node: NodeId,
    pub id: GroupId,
    pub group: R,
    pub shared: Arc<Shared>,
    pub peers: P,
    pub host: SharedHost,
    /// What live relations show; set once the node is put together.
    pub facts: OnceLock<Arc<dyn Facts>>,
    /// Transactions of this group, while this node leads it.
    pub executor: Arc<Executor>,
    time: Arc<Time<R>>,
    pub(super) remotes: Arc<Remotes>,
    pub(super) limits: transaction::Limits,
}

/// Bounds on interactive transactions.
#[derive(Clone, Debug)]
pub struct TransactionLimits {
    /// Of one, where its client is.
    pub transcript: transaction::Limits,
    /// Of all, where the leader is.
    pub executor: executor::Limits,
}

/// What a proposal is: see [`Terms`].
#[derive(Clone, Copy)]
struct What {
    effort: Effort,
    commit: bool,
}

/// Where a proposal stands after one attempt.
enum Attempt {
    Outcome(Arc<Outcome>),
    /// Try again; nothing tells that waiting helps. It is not in the log because of this attempt.
    Again,
    /// Try again; it may be in the log.
    Unknown,
    /// Not in the log because of this attempt, and no use to try again.
    Failed(SqlError),
}

impl<R: Replica, P: Peers> Router<R, P> {
    pub fn new(
        node: NodeId,
        id: GroupId,
        group: R,
        shared: Arc<Shared>,
        peers: P,
        host: SharedHost,
        limits: TransactionLimits,
    ) -> Self {
        let time = Arc::new(Time::new(group.clone(), shared.clone()));
        let remotes: Arc<Remotes> = Arc::default();
        let log = GroupLog {
            node,
            id,
            group: group.clone(),
            peers: peers.clone(),
            host: host.clone(),
            time: time.clone(),
            remotes: remotes.clone(),
        };
        let executor = Executor::new(shared.clone(), Arc::new(log), host.clone(), limits.executor);
        let (facts, limits) = (OnceLock::new(), limits.transcript);
        Router { node, id, group, shared, peers, host, facts, executor, time, remotes, limits }
    }

    /// Looks after the executor, as leader and when nodes are lost. Runs for ever.
    pub fn attend(&self) -> impl Future<Output = ()> + Send + use<R, P> {
        Link::new(self).attend()
    }

    /// Puts a command into the log and waits for its outcome, as often as it takes.
    async fn propose(&self, proposal: Proposal, what: What, control: &Control) -> SqlResult<Arc<Outcome>> {
        let mut leaders = self.group.leader_changes();
        let mut sent = false;
        for attempt in 1.. {
            self.check(control, self.leader().is_some())?;
            leaders.borrow_and_update();
            let mut terms = Terms::new(attempt, what.effort, control.remaining(self.host.now()));
            terms.commit = what.commit;
            match self.attempt(&proposal, terms, control).await {
                Attempt::Outcome(outcome) => return Ok(outcome),
                Attempt::Failed(error) if sent => return Err(unknown_after(&error)),
                Attempt::Failed(error) => return Err(error),
                Attempt::Again => {}
                Attempt::Unknown => sent = true,
            }
            let _ = within(&*self.host, RETRY, leaders.changed()).await;
        }
        unreachable!("the deadline comes first")
    }

    async fn attempt(&self, proposal: &Proposal, terms: Terms, control: &Control) -> Attempt {
        match self.leader() {
            None => match self.group.hopeless() {
                Some(why) => Attempt::Failed(halted(&why)),
                None => Attempt::Again,
            },
            Some(leader) if leader == self.node => {
                let admission = match self.executor.admit(proposal, &terms, control).await {
                    Ok(admission) => admission,
                    Err(error) => return later(error),
                };
                let flight = Flight::new(self.group.clone(), proposal.clone(), admission, self.host.clone());
                match (self.wait(control, flight).await, self.group.hopeless()) {
                    (None, _) => Attempt::Unknown,
                    (Some(Ok(outcome)), _) => Attempt::Outcome(outcome),
                    (Some(Err(ProposeError::Halted(why))), Some(_)) => Attempt::Failed(halted(&why)),
                    (Some(Err(e)), _) => refused(e),
                }
            }
            Some(leader) => {
                let request = Request::Propose { group: self.id, proposal: proposal.clone(), terms };
                self.attempt_at(leader, proposal.request, peer::encode(&request), control).await
            }
        }
    }

    /// Asks the leader to propose something. It keeps its place in the leader's queues for as long as it is wanted.
    async fn attempt_at(&self, leader: NodeId, name: RequestId, request: Bytes, control: &Control) -> Attempt {
        // A leader that hangs does not answer, and its successor does not wait for that.
        let mut leaders = self.group.leader_changes();
        let moved = leaders.wait_for(|now| now.leader_node != Some(leader));
        let mut wanted = Wanted { router: self, leader, name, answered: false };
        let answer = tokio::select! {
            biased;
            answer = self.wait(control, self.peers.call(leader, request, control.deadline)) => answer,
            _ = moved => None,
        };
        let reply = match answer {
            Some(Ok(bytes)) => peer::decode::<Reply>(&bytes),
            Some(Err(CallError::Refused(_))) => return Attempt::Again,
            Some(Err(_)) | None => return Attempt::Unknown,
        };
        wanted.answered = true;
        match reply {
            Ok(reply) => attempted(reply),
            Err(e) => Attempt::Failed(SqlError::internal(format!("answer of {leader}: {e}"))),
        }
    }

    async fn attempt_trial(&self, request: RequestId, trial: &Trial, terms: Terms, control: &Control) -> Attempt {
        let leader = match (self.leader(), self.group.hopeless()) {
            (Some(leader), _) => leader,
            (None, Some(why)) => return Attempt::Failed(halted(&why)),
            (None, None) => return Attempt::Again,
        };
        if leader == self.node {
            let mut wanted = Wanted { router: self, leader, name: request, answered: false };
            let site = Site { executor: self.executor.clone(), group: self.group.clone(), host: self.host.clone() };
            let (trial, control) = (trial.clone(), control.clone());
            let (answer, answered) = oneshot::channel();
            // On a task of its own: it may keep its thread busy, and this one must hear of a client that goes.
            self.host.spawn(Box::pin(async move {
                let _ = answer.send(site.carry_out(request, &trial, &terms, None, &control).await);
            }));
            let reply = answered.await.unwrap_or(Reply::Unknown);
            wanted.answered = true;
            return attempted(reply);
        }
        let link = Link::new(self);
        let bytes = peer::encode(&Request::Try { group: self.id, request, trial: Box::new(trial.clone()), terms });
        if bytes.len() > LARGEST_TRIAL {
            return Attempt::Failed(SqlError::new(state::PROGRAM_LIMIT_EXCEEDED, "the statement is too large"));
        }
        link.keep_alive(request);
        let _lease = Lease { link: &link, name: request };
        self.attempt_at(leader, request, bytes, control).await
    }

    /// Proposes all of a command, in chunks if it is large.
    async fn run(&self, request: RequestId, body: Bytes, what: What, control: &Control) -> SqlResult<Arc<Outcome>> {
        let mut last = None;
        for proposal in split::proposals(request, body) {
            last = Some(self.propose(proposal, what, control).await?);
        }
        last.ok_or_else(|| SqlError::internal("a command was split into nothing"))
    }

    /// Proposes a command of the server's own.
    pub async fn submit(&self, request: RequestId, command: &Command, control: &Control) -> SqlResult<Arc<Outcome>> {
        self.run(request, command::encode(command), What { effort: Effort::Key, commit: false }, control).await
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

    /// Runs `future` until it ends or the deadline passes. A client that cancels drops the whole request instead.
    async fn wait<F: Future>(&self, control: &Control, future: F) -> Option<F::Output> {
        until(&*self.host, control.deadline, future).await
    }

    fn check(&self, control: &Control, has_leader: bool) -> SqlResult<()> {
        check(&*self.host, control, has_leader)
    }
}

impl<R: Replica, P: Peers> Database for Router<R, P> {
    type Rows = Cursor;
    type Transaction = Transaction<R, P>;

    fn begin(&self, name: RequestId, isolation: Isolation, env: Env) -> Transaction<R, P> {
        Transaction::new(self, name, isolation, env)
    }

    async fn step(
        &self,
        transaction: &mut Transaction<R, P>,
        mut statement: Statement,
        control: &Control,
    ) -> Result<StepOutcome, Failure> {
        self.inform_step(&mut statement.step).await;
        transaction.step(statement, control).await
    }

    async fn mark(&self, transaction: &mut Transaction<R, P>, mark: super::Mark, control: &Control) -> SqlResult<()> {
        transaction.mark(mark, control).await
    }

    async fn lock_tables(
        &self,
        transaction: &mut Transaction<R, P>,
        tables: Vec<u32>,
        mode: LockMode,
        nowait: bool,
        control: &Control,
    ) -> SqlResult<()> {
        transaction.lock_tables(tables, mode, nowait, control).await
    }

    async fn commit(&self, transaction: Transaction<R, P>, control: &Control) -> SqlResult<()> {
        self.commit_transaction(transaction, control).await
    }

    fn catalog_of(&self, transaction: &Transaction<R, P>) -> Option<Arc<Catalog>> {
        transaction.catalog()
    }

    fn catalog(&self) -> Arc<Catalog> {
        self.shared.catalog()
    }

    fn now(&self) -> i64 {
        self.time.now()
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
        // What it reads may have come from the log meanwhile, and must not be of the future. A block has its own time.
        let context = &mut request.context;
        let in_block = context.now != context.clock;
        context.clock = context.clock.max(self.shared.time());
        if !in_block {
            context.now = context.clock;
        }
        self.shared.read(request).await
    }

    async fn write(
        &self,
        request: RequestId,
        mut write: Write,
        effort: Effort,
        control: &Control,
    ) -> Result<Vec<StepOutcome>, Failure> {
        for step in write.steps.iter_mut().filter(|step| step.frozen.is_none()) {
            self.inform_step(step).await;
        }
        self.write_as(request, write, effort, control).await
    }

    async fn try_write(
        &self,
        request: RequestId,
        mut trial: Trial,
        control: &Control,
    ) -> Result<Vec<StepOutcome>, Failure> {
        for statement in &mut trial.statements {
            self.inform_step(&mut statement.step).await;
        }
        let mut leaders = self.group.leader_changes();
        let mut sent = false;
        for attempt in 1.. {
            self.check(control, self.leader().is_some())?;
            leaders.borrow_and_update();
            let terms = Terms::new(attempt, Effort::Key, control.remaining(self.host.now()));
            match self.attempt_trial(request, &trial, terms, control).await {
                Attempt::Outcome(outcome) => {
                    if let Some(done) = self.conclude(outcome, control).await? {
                        return Ok(done);
                    }
                }
                Attempt::Failed(error) if sent => return Err(unknown_after(&error).into()),
                Attempt::Failed(error) => return Err(error.into()),
                Attempt::Again => {}
                Attempt::Unknown => sent = true,
            }
            let _ = within(&*self.host, RETRY, leaders.changed()).await;
        }
        unreachable!("the deadline comes first")
    }
}

impl<R: Replica, P: Peers> Router<R, P> {
    async fn write_as(
        &self,
        request: RequestId,
        write: Write,
        effort: Effort,
        control: &Control,
    ) -> Result<Vec<StepOutcome>, Failure> {
        let what = What { effort, commit: write.transaction.is_some() };
        let body = command::encode(&Command::Write(write));
        loop {
            let outcome = self.run(request, body.clone(), what, control).await?;
            if let Some(done) = self.conclude(outcome, control).await? {
                return Ok(done);
            }
        }
    }

    /// What an outcome means for whoever asked; `None`: it has to be sent again.
    async fn conclude(&self, outcome: Arc<Outcome>, control: &Control) -> Result<Option<Vec<StepOutcome>>, Failure> {
        let refusal = match Arc::try_unwrap(outcome).unwrap_or_else(|shared| (*shared).clone()) {
            Outcome::Done(steps) => return Ok(Some(steps)),
            Outcome::Failed { step, error } => return Err(Failure::Sql { step, error }),
            Outcome::Refused(refusal) => refusal,
        };
        match refusal {
            Refusal::SchemaChanged { now } => {
                // The refusal may come from a leader that has applied more than this node.
                self.await_schema(now, control).await?;
                Err(Failure::SchemaChanged)
            }
            Refusal::ChunksMissing => {
                self.check(control, true)?;
                Ok(None)
            }
            Refusal::Expired => Err(unknown_completion().into()),
            Refusal::ResultForgotten => {
                let text =
                    "the statement took effect, but its result was too large to be kept through a change of leader";
                Err(SqlError::new(state::STATEMENT_COMPLETION_UNKNOWN, text).into())
            }
        }
    }

    /// Puts the transcript into the log as one command.
    async fn commit_transaction(&self, mut transaction: Transaction<R, P>, control: &Control) -> SqlResult<()> {
        if !transaction.transcript().writes() {
            return transaction.vouch(control).await;
        }
        loop {
            let (name, write) = transaction.command(self.applied())?;
            let effort = if transaction.is_open() { Effort::Open } else { Effort::Key };
            match self.write_as(name, write, effort, control).await {
                Ok(_) => return Ok(()),
                Err(Failure::Sql { error, .. }) => return Err(error),
                // Nothing that it has to do with may have changed.
                Err(Failure::SchemaChanged) => transaction.follow_schema(&self.catalog())?,
            }
        }
    }

    async fn await_schema(&self, version: u64, control: &Control) -> SqlResult<()> {
        while self.shared.catalog().version < version {
            self.check(control, true)?;
            let next = self.shared.applied() + 1;
            let _ = within(&*self.host, RETRY, self.shared.wait_applied(next)).await;
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
        ProposeError::Unknown => Attempt::Unknown,
        // One that has halted gives its leadership up: another takes it.
        ProposeError::NotLeader { .. } | ProposeError::Dropped | ProposeError::Overloaded | ProposeError::Halted(_) => {
            Attempt::Again
        }
    }
}

/// An error of admission: most are for the client.
fn later(error: SqlError) -> Attempt {
    if error.code == state::CANNOT_CONNECT_NOW { Attempt::Again } else { Attempt::Failed(error) }
}

/// What another node's, or another task's, reply means.
fn attempted(reply: Reply) -> Attempt {
    match reply {
        Reply::Outcome(outcome) => Attempt::Outcome(Arc::new(outcome)),
        Reply::DiskFull => Attempt::Failed(disk_full()),
        Reply::Failed(error) => Attempt::Failed(error),
        Reply::Unknown => Attempt::Unknown,
        _ => Attempt::Again,
    }
}

/// Tells the leader that nobody waits any more for what it was asked under this name.
struct Wanted<'a, R: Replica, P: Peers> {
    router: &'a Router<R, P>,
    leader: NodeId,
    name: RequestId,
    answered: bool,
}

impl<R: Replica, P: Peers> Drop for Wanted<'_, R, P> {
    fn drop(&mut self) {
        if !self.answered {
            Link::new(self.router).tell(self.leader, peer::Transaction::End(self.name));
        }
    }
}

/// The leader hears of a trial from time to time for as long as somebody here waits for it.
struct Lease<'a, R: Replica, P: Peers> {
    link: &'a Link<R, P>,
    name: RequestId,
}

impl<R: Replica, P: Peers> Drop for Lease<'_, R, P> {
    fn drop(&mut self) {
        self.link.forget(self.name);
    }
}

/// Answers a peer's proposal, as the leader or not.
pub async fn answer_proposal<R: Replica, P: Peers>(router: &Router<R, P>, proposal: Proposal, terms: Terms) -> Reply {
    let control = Control::resumed(terms.within, terms.lock_timeout, router.host.now());
    let admission = match router.executor.admit(&proposal, &terms, &control).await {
        Ok(admission) => admission,
        Err(error) => {
            return match later(error) {
                Attempt::Failed(error) => Reply::Failed(error),
                _ => Reply::Busy,
            };
        }
    };
    told(Flight::new(router.group.clone(), proposal, admission, router.host.clone()).await)
}

/// Answers a peer's trial.
pub async fn answer_trial<R: Replica, P: Peers>(
    router: &Router<R, P>,
    from: NodeId,
    request: RequestId,
    trial: Trial,
    terms: Terms,
) -> Reply {
    let control = Control::resumed(terms.within, terms.lock_timeout, router.host.now());
    let site = Site { executor: router.executor.clone(), group: router.group.clone(), host: router.host.clone() };
    site.carry_out(request, &trial, &terms, Some(from), &control).await
}

/// Where a trial takes place.
struct Site<R> {
    executor: Arc<Executor>,
    group: R,
    host: SharedHost,
}

impl<R: Replica> Site<R> {
    /// Tries a write, and puts what came of it into the log.
    async fn carry_out(
        &self,
        request: RequestId,
        trial: &Trial,
        terms: &Terms,
        gateway: Option<NodeId>,
        control: &Control,
    ) -> Reply {
        let (write, admission) = match self.executor.try_write(request, terms, trial, gateway, control).await {
            Tried::Ready(write, admission) => (write, admission),
            Tried::Failed(error) => return Reply::Failed(error),
            Tried::SchemaChanged(now) => return Reply::Outcome(Outcome::Refused(Refusal::SchemaChanged { now })),
            Tried::NotLeader => return Reply::NotLeader { leader: None },
            Tried::Again => return Reply::Busy,
        };
        // Another attempt may have fixed other values: each has chunks of its own.
        let upload = RequestId { origin: self.host.random(), seq: self.host.random() };
        let mut proposals = split::proposals_of(request, upload, command::encode(&Command::Write(*write)));
        let Some(last) = proposals.pop() else { return Reply::Busy };
        for chunk in proposals {
            match told(self.group.propose(chunk, None).await) {
                Reply::Outcome(_) => {}
                // Chunks alone do nothing.
                reply => {
                    admission.withdraw();
                    return reply;
                }
            }
        }
        told(Flight::new(self.group.clone(), last, admission, self.host.clone()).await)
    }
}

/// An answer as another node is told it.
fn told(answer: Result<Arc<Outcome>, ProposeError>) -> Reply {
    match answer {
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

/// Whether to go on trying.
pub(super) fn check(host: &dyn Host, control: &Control, has_leader: bool) -> SqlResult<()> {
    if host.now() < control.deadline && !control.cancelled.load(Ordering::Relaxed) {
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

/// An attempt failed for certain, but not the one before it.
fn unknown_after(error: &SqlError) -> SqlError {
    SqlError::new(state::STATEMENT_COMPLETION_UNKNOWN, "it is not known whether the statement took effect")
        .detail(format!("One attempt was not answered, and the next one failed: {error}."))
}

fn unknown_completion() -> SqlError {
    SqlError::new(state::STATEMENT_COMPLETION_UNKNOWN, "it is not known whether the statement took effect")
        .detail("It was retried for so long that its outcome is no longer remembered.")
}
