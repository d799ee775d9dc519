//! The real [`Database`]: one group, reached wherever its leader is.
//!
//! A write is retried under its request id until its outcome is known or the deadline is reached: a leader that dies, a
//! broken connection and a refused proposal all look the same to the client, as latency. That is safe because the state
//! machine applies a request id at most once. A read asks its own replica for a read index, waits until that is applied
//! here, and runs on a snapshot of this node's file.

use super::advisory::Advisers;
use super::attempt::{Attempt, Course, Ended, halted, unknown_after, unknown_completion};
use super::facts::Facts;
use super::flight::Flight;
use super::peer::{self, Reply, Request};
use super::reach::{Peers, Replica};
use super::split;
use super::time::Time;
use super::transaction::{GroupLog, Link, Remotes, Transaction};
use super::{Control, Database, Failure, ReadRequest, Told, Who};
use crate::command::{
    self, AdvisoryKey, AdvisoryOrder, Command, Isolation, Outcome, Proposal, Refusal, StepOutcome, Write,
};
use crate::database::mailbox::Mailbox;
use crate::engine::{Cursor, Shared};
use crate::error::{SqlError, SqlResult, state};
use crate::executor::{self, Executor, Tried};
use crate::host::{Defect, Host, SharedHost, until, within};
use crate::id::{GroupId, NodeId, RequestId};
use crate::replica::handle::{Group, ProposeError, ReadError};
use crate::sql::catalog::Catalog;
use crate::sql::database::{Databases, Order};
use crate::sql::plan::{Effort, LockMode};
use crate::status::LockRow;
use crate::transaction::{self, Statement, Terms, Trial};
use crate::transport::CallError;
use crate::transport::tcp::Network;
use crate::types::Env;
use crate::version::Version;
use bytes::Bytes;
use futures::poll;
use std::collections::BTreeSet;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::Poll;
use std::time::{Duration, Instant};
use tokio::sync::{Semaphore, SemaphorePermit, oneshot};

/// How long to wait before asking again when nothing says that the leader has changed.
const RETRY: Duration = Duration::from_millis(20);
/// How long what was read before its read index was known is kept.
const EARLY: Duration = Duration::from_millis(5);
/// How many reads run before that at a time: when there are many, the processors have no time to spare for work that may be
/// in vain, and each holds a reader for as long as the round takes.
const EARLY_READS: usize = 4;
/// How long a session that listens waits for what it has announced itself.
const OWN_ECHO: Duration = Duration::from_secs(1);
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
    /// The index of the last change of the schema that was acknowledged to a client of this node: what is compiled here
    /// from then on must have seen it.
    defined: AtomicU64,
    /// Transactions of this group, while this node leads it.
    pub executor: Arc<Executor>,
    pub(super) advisers: Arc<Advisers>,
    time: Arc<Time<R>>,
    pub(super) remotes: Arc<Remotes>,
    pub(super) limits: transaction::Limits,
    /// Places for reads that run before their read index is known.
    early: Semaphore,
}

/// Bounds on interactive transactions.
#[derive(Clone, Debug)]
pub struct TransactionLimits {
    /// Of one, where its client is.
    pub transcript: transaction::Limits,
    /// Of all, where the leader is.
    pub executor: executor::Limits,
}

/// What the leader is asked for.
enum Errand<'a> {
    /// Put this into the log.
    Propose(Proposal),
    /// Try this, and put what comes of it into the log.
    Try(&'a Trial),
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
        let (facts, limits, defined) = (OnceLock::new(), limits.transcript, AtomicU64::new(0));
        let advisers = Arc::default();
        let early = Semaphore::new(EARLY_READS);
        Router {
            node,
            id,
            group,
            shared,
            peers,
            host,
            facts,
            defined,
            executor,
            advisers,
            time,
            remotes,
            limits,
            early,
        }
    }

    /// Looks after the executor, as leader and when nodes are lost. Runs for ever.
    pub fn attend(&self) -> impl Future<Output = ()> + Send + use<R, P> {
        Link::new(self).attend()
    }

    /// Asks for a write until there is an answer that is certain, as often as it takes; with the index at which the log
    /// gave it. `effort`: see [`Terms::effort`].
    async fn ask(
        &self,
        course: &mut Course,
        errand: Errand<'_>,
        effort: Effort,
        control: &Control,
    ) -> SqlResult<(u64, Arc<Outcome>)> {
        match self.pursue(course, &errand, effort, control).await {
            Ok(answer) => {
                crate::trace::answered(self.id, answer.0);
                Ok(answer)
            }
            Err(Ended::Failed(error)) if course.is_open() => {
                let void = Errand::Propose(course.void(&error));
                self.pursue(course, &void, Effort::Key, control).await.map_err(|_| unknown_after(&error))
            }
            Err(Ended::Failed(error) | Ended::Over(error)) => Err(error),
        }
    }

    async fn pursue(
        &self,
        course: &mut Course,
        errand: &Errand<'_>,
        effort: Effort,
        control: &Control,
    ) -> Result<(u64, Arc<Outcome>), Ended> {
        let mut leaders = self.group.leader_changes();
        let mut waiting = Waiting::new(control, self.host.now());
        loop {
            waiting.check(&*self.host, self.leader().is_some()).map_err(Ended::Over)?;
            leaders.borrow_and_update();
            course.attempt += 1;
            let begun = self.host.now();
            let mut terms = Terms::new(course.attempt, effort, control.remaining(self.host.now()));
            terms.commit = course.commit;
            let attempt = self.attempt(course.request, errand, terms, control).await;
            let hopeless = if let Attempt::Again = attempt { self.group.hopeless() } else { None };
            let attempt = hopeless.map_or(attempt, |why| Attempt::Failed(halted(&why)));
            if let Some(end) = course.take(attempt, &*self.host) {
                return end;
            }
            waiting.heard(begun, self.host.now());
            let _ = within(&*self.host, RETRY, leaders.changed()).await;
        }
    }

    /// Asks whoever leads now.
    async fn attempt(&self, request: RequestId, errand: &Errand<'_>, terms: Terms, control: &Control) -> Attempt {
        let Some(leader) = self.leader() else { return Attempt::Again };
        match errand {
            Errand::Propose(proposal) if leader == self.node => {
                let site = self.site();
                let admission = match site.executor.admit(proposal, &terms, control).await {
                    Ok(admission) => admission,
                    Err(trouble) => return Attempt::denied(trouble),
                };
                let flight = Flight::new(site.group, proposal.clone(), admission, site.host);
                match self.wait(control, flight).await {
                    None => Attempt::Unknown,
                    Some(Err(ProposeError::Stopped)) => Attempt::Failed(shutting_down()),
                    Some(answer) => Attempt::landed(answer),
                }
            }
            Errand::Propose(proposal) => {
                // A transaction that commits keeps its locks until it is over: its next attempt needs them. It tells of its
                // end itself.
                let wanted = (!terms.commit).then(|| Wanted::new(self, leader, proposal.request));
                let request = Request::Propose { group: self.id, proposal: proposal.clone(), terms };
                self.attempt_at(leader, wanted, peer::encode(&request), control).await
            }
            Errand::Try(trial) if leader == self.node => {
                let mut wanted = Wanted::new(self, leader, request);
                let (site, trial, control) = (self.site(), Trial::clone(trial), control.clone());
                let (answer, answered) = oneshot::channel();
                // On a task of its own: it may keep its thread busy, and this one must hear of a client that goes.
                self.host.spawn(Box::pin(async move {
                    let _ = answer.send(site.carry_out(request, &trial, &terms, None, &control).await);
                }));
                let attempt = answered.await.unwrap_or(Attempt::Unknown);
                wanted.answered = true;
                attempt
            }
            Errand::Try(trial) => {
                let link = Link::new(self);
                let trial = Box::new(Trial::clone(trial));
                let bytes = peer::encode(&Request::Try { group: self.id, request, trial, terms });
                if bytes.len() > LARGEST_TRIAL {
                    return Attempt::Failed(SqlError::new(state::PROGRAM_LIMIT_EXCEEDED, "the statement is too large"));
                }
                link.keep_alive(request);
                let _lease = Lease { link: &link, name: request };
                self.attempt_at(leader, Some(Wanted::new(self, leader, request)), bytes, control).await
            }
        }
    }

    /// Asks the leader on another node. What is asked for keeps its place in the leader's queues for as long as it is `wanted`.
    async fn attempt_at(
        &self,
        leader: NodeId,
        mut wanted: Option<Wanted<'_, R, P>>,
        request: Bytes,
        control: &Control,
    ) -> Attempt {
        // A leader that hangs does not answer, and its successor does not wait for that.
        let mut leaders = self.group.leader_changes();
        let moved = leaders.wait_for(|now| now.leader_node != Some(leader));
        let answer = tokio::select! {
            biased;
            answer = self.wait(control, self.peers.call(leader, request, control.deadline)) => answer,
            _ = moved => None,
        };
        match answer {
            Some(Ok(bytes)) => {
                wanted.iter_mut().for_each(|wanted| wanted.answered = true);
                peer::decode::<Reply>(&bytes).map_or(Attempt::Unknown, Attempt::told)
            }
            Some(Err(CallError::Refused(_))) => Attempt::Again,
            Some(Err(_)) | None => Attempt::Unknown,
        }
    }

    fn site(&self) -> Site<R> {
        Site { executor: self.executor.clone(), group: self.group.clone(), host: self.host.clone() }
    }

    /// Proposes all of a command, in chunks if it is large.
    pub(super) async fn run(
        &self,
        course: &mut Course,
        body: Bytes,
        effort: Effort,
        control: &Control,
    ) -> SqlResult<(u64, Arc<Outcome>)> {
        let mut last = None;
        for proposal in split::proposals(course.request, body) {
            last = Some(self.ask(course, Errand::Propose(proposal), effort, control).await?);
        }
        last.ok_or_else(|| SqlError::internal("a command was split into nothing"))
    }

    /// Proposes a command of the server's own.
    pub async fn submit(&self, request: RequestId, command: &Command, control: &Control) -> SqlResult<Arc<Outcome>> {
        let born = if let Command::Write(write) = command { write.born } else { self.shared.applied() };
        let mut course = Course::new(request, born);
        self.run(&mut course, command::encode(command), Effort::Key, control).await.map(|(_, outcome)| outcome)
    }

    /// Waits until this node's state covers everything acknowledged before this call, and says up to which index that is.
    pub async fn read_point(&self, control: &Control) -> SqlResult<u64> {
        loop {
            let now = self.host.now();
            match self.group.read_index(control.in_vain_until(now)).await {
                Ok(index) => return Ok(index),
                Err(ReadError::Halted(why)) => return Err(halted(&why)),
                // What was committed before may take long to be applied.
                Err(ReadError::TimedOut) if self.leader().is_some() => self.check(control, true)?,
                Err(ReadError::TimedOut) => return Err(stopped(control, false)),
            }
        }
    }

    /// A place for a read that runs before its read index is known: if that is not likely to be in vain, and nobody notices
    /// when it was.
    fn place_for_early(&self, request: &ReadRequest) -> Option<SemaphorePermit<'_>> {
        let worth = !request.signals && self.group.is_quiet();
        worth.then(|| self.early.try_acquire().ok())?
    }

    /// Reads while the round to the majority is under way. `None` if the state that was read does not cover what it must:
    /// the read is to be done again, now that the state does.
    async fn read_early(
        &self,
        request: &ReadRequest,
        mut point: Pin<&mut impl Future<Output = SqlResult<u64>>>,
    ) -> Option<Result<Cursor, Failure>> {
        // The snapshot that the read takes now has at least this.
        let applied = self.shared.applied();
        let early = self.shared.read(self.at_present(request.clone())).await;
        if self.host.has(Defect::TellsEarly) {
            return Some(early);
        }
        match within(&*self.host, EARLY, &mut point).await {
            Some(Ok(index)) if index <= applied => Some(early),
            Some(Ok(_)) => None,
            Some(Err(error)) => Some(Err(error.into())),
            // Without a majority, a reader and a snapshot are not held for long.
            None => {
                drop(early);
                point.await.err().map(|error| Err(error.into()))
            }
        }
    }

    /// What a read finds may have come from the log meanwhile, and must not be of the future. A block has its own time.
    fn at_present(&self, mut request: ReadRequest) -> ReadRequest {
        let context = &mut request.context;
        let in_block = context.now != context.clock;
        context.clock = context.clock.max(self.shared.time());
        if !in_block {
            context.now = context.clock;
        }
        request
    }

    fn leader(&self) -> Option<NodeId> {
        self.group.leadership().leader_node
    }

    /// What is locked and awaited, as this node knows it: all of it, if it leads.
    pub fn locks(&self) -> Vec<LockRow> {
        let mut rows = self.executor.locks();
        self.shared.advisory(|table| {
            // What a session has several times is listed once.
            let mut listed = BTreeSet::new();
            let locks = table.all().filter(|(key, _)| !matches!(key, AdvisoryKey::Temporary(_)));
            let all = locks.filter(|(key, entry)| {
                listed.insert((*key, entry.holder.session, entry.shared, entry.fence.is_some()))
            });
            rows.extend(all.map(|(key, entry)| {
                let (class, object, sub) = super::advisory::shown(key);
                LockRow {
                    locktype: "advisory".into(),
                    mode: if entry.shared { "ShareLock" } else { "ExclusiveLock" }.into(),
                    granted: entry.fence.is_some(),
                    origin: entry.holder.session,
                    number: entry.number,
                    key: Some((class, object, sub)),
                    ..LockRow::default()
                }
            }));
        });
        rows
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

    fn databases(&self) -> Databases {
        self.facts.get().map_or_else(Databases::default, |facts| facts.databases(self.id))
    }

    fn connection_limit(&self) -> i32 {
        self.facts.get().map_or(-1, |facts| facts.connection_limit(self.id))
    }

    async fn order(&self, order: Order, who: Who, control: &Control) -> SqlResult<Vec<SqlError>> {
        match self.facts.get() {
            Some(facts) => facts.order(self.id, order, who, control.clone()).await,
            None => Err(SqlError::unsupported(order.tag())),
        }
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

    async fn advisory(&self, request: RequestId, order: AdvisoryOrder, control: &Control) -> SqlResult<Told> {
        self.advise(request, order, control).await
    }

    fn mailbox(&self, session: u64) -> Arc<Mailbox> {
        self.shared.hub.open(session)
    }

    fn leave(&self, session: u64) {
        self.leave_session(session);
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

    fn defined(&self) -> u64 {
        self.defined.load(Ordering::SeqCst)
    }

    fn version(&self) -> Version {
        self.shared.version()
    }

    async fn catch_up(&self, control: &Control) -> SqlResult<()> {
        follow(&*self.host, &self.shared, control, || self.shared.applied() >= self.defined()).await
    }

    async fn barrier(&self, control: &Control) -> SqlResult<()> {
        self.read_point(control).await.map(drop)
    }

    async fn read(&self, mut request: ReadRequest) -> Result<Cursor, Failure> {
        self.inform_read(&mut request).await;
        if request.linearizable {
            let mut point = pin!(self.read_point(&request.control));
            match poll!(&mut point) {
                Poll::Ready(point) => drop(point?),
                Poll::Pending => match self.place_for_early(&request) {
                    None => drop(point.await?),
                    Some(_place) => {
                        if let Some(told) = self.read_early(&request, point).await {
                            return told;
                        }
                    }
                },
            }
        }
        self.shared.read(self.at_present(request)).await
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
        let mut course = Course::new(request, write.born);
        self.write_as(&mut course, write, effort, control).await
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
        let ddl = trial.statements.iter().any(|statement| statement.step.ddl.any());
        let mut course = Course::new(request, trial.born);
        loop {
            let answer = self.ask(&mut course, Errand::Try(&trial), Effort::Key, control).await?;
            self.hear_oneself(request.origin, answer.0).await;
            if let Some(done) = self.conclude(answer, ddl, control).await? {
                return Ok(done);
            }
        }
    }
}

impl<R: Replica, P: Peers> Router<R, P> {
    async fn write_as(
        &self,
        course: &mut Course,
        write: Write,
        effort: Effort,
        control: &Control,
    ) -> Result<Vec<StepOutcome>, Failure> {
        course.commit = write.transaction.is_some();
        let ddl = write.steps.iter().any(|step| step.ddl.any());
        let body = command::encode(&Command::Write(write));
        loop {
            let answer = self.run(course, body.clone(), effort, control).await?;
            self.hear_oneself(course.request.origin, answer.0).await;
            if let Some(done) = self.conclude(answer, ddl, control).await? {
                return Ok(done);
            }
        }
    }

    /// A session that listens hears of what it has announced itself before it is told that it is done: if its node is not
    /// too far behind.
    async fn hear_oneself(&self, session: u64, at: u64) {
        if at > self.shared.applied() && self.shared.hub.listens(session) {
            let _ = within(&*self.host, OWN_ECHO, self.shared.wait_applied(at)).await;
        }
    }

    /// What an outcome means for whoever asked; `None`: it has to be sent again.
    async fn conclude(
        &self,
        (at, outcome): (u64, Arc<Outcome>),
        ddl: bool,
        control: &Control,
    ) -> Result<Option<Vec<StepOutcome>>, Failure> {
        let refusal = match Arc::try_unwrap(outcome).unwrap_or_else(|shared| (*shared).clone()) {
            Outcome::Done(steps) => {
                if ddl {
                    self.defined.fetch_max(at, Ordering::SeqCst);
                }
                return Ok(Some(steps));
            }
            Outcome::Failed { error, .. } => return Err(error.into()),
            Outcome::FailedAfter { done, error } => return Err(Failure::Sql { done, error }),
            Outcome::Refused(refusal) => refusal,
        };
        match refusal {
            Refusal::SchemaChanged { now } => {
                // The refusal may come from a leader that has applied more than this node.
                follow(&*self.host, &self.shared, control, || self.shared.catalog().version >= now).await?;
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
        let born = self.applied();
        let mut course = Course::new(transaction.name(), born);
        loop {
            let write = transaction.command(born)?;
            let effort = if transaction.is_open() { Effort::Open } else { Effort::Key };
            match self.write_as(&mut course, write, effort, control).await {
                Ok(_) => return Ok(()),
                Err(Failure::Sql { error, .. }) => return Err(error),
                // Nothing that it has to do with may have changed.
                Err(Failure::SchemaChanged) => transaction.follow_schema(&self.catalog())?,
            }
        }
    }
}

/// Tells the leader that nobody waits any more for what it was asked under this name.
struct Wanted<'a, R: Replica, P: Peers> {
    router: &'a Router<R, P>,
    leader: NodeId,
    name: RequestId,
    answered: bool,
}

impl<'a, R: Replica, P: Peers> Wanted<'a, R, P> {
    fn new(router: &'a Router<R, P>, leader: NodeId, name: RequestId) -> Self {
        Wanted { router, leader, name, answered: false }
    }
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
    let attempt = match router.executor.admit(&proposal, &terms, &control).await {
        Ok(admission) => {
            Attempt::landed(Flight::new(router.group.clone(), proposal, admission, router.host.clone()).await)
        }
        Err(trouble) => Attempt::denied(trouble),
    };
    attempt.into_reply()
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
    router.site().carry_out(request, &trial, &terms, Some(from), &control).await.into_reply()
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
    ) -> Attempt {
        let first = terms.attempt <= 1 || self.host.has(Defect::TrialIsCertain);
        let (write, admission) = match self.executor.try_write(request, terms, trial, gateway, control).await {
            Tried::Ready(write, admission) => (write, admission),
            Tried::Failed { done, error } if first => {
                return Attempt::Outcome(0, Arc::new(Outcome::FailedAfter { done, error }));
            }
            Tried::Failed { error, .. } => return Attempt::Failed(error),
            Tried::SchemaChanged(now) if first => {
                return Attempt::Outcome(0, Arc::new(Outcome::Refused(Refusal::SchemaChanged { now })));
            }
            Tried::SchemaChanged(_) => {
                // It does nothing at its place in the log; but an earlier attempt may have been there already.
                let body = command::encode(&Command::Write(trial.as_compiled()));
                return Attempt::landed(self.upload(request, body).await);
            }
            Tried::Again => return Attempt::Again,
        };
        let mut proposals = split::proposals(request, command::encode(&Command::Write(*write)));
        let Some(last) = proposals.pop() else { return Attempt::Again };
        for chunk in proposals {
            if let Err(error) = self.group.propose(chunk, None).await {
                // Chunks alone do nothing.
                admission.withdraw();
                return match Attempt::landed(Err(error)) {
                    Attempt::Unknown => Attempt::Again,
                    attempt => attempt,
                };
            }
        }
        Attempt::landed(Flight::new(self.group.clone(), last, admission, self.host.clone()).await)
    }

    /// Proposes something that needs no admission.
    async fn upload(&self, request: RequestId, body: Bytes) -> Result<(u64, Arc<Outcome>), ProposeError> {
        let mut last = Err(ProposeError::Dropped);
        for proposal in split::proposals(request, body) {
            last = Ok(self.group.propose(proposal, None).await?);
        }
        last
    }
}

/// An attempt that took so long was worked at.
const WORKED: Duration = Duration::from_secs(1);

/// Somebody tries again and again, or waits for this node to follow: for as long as there is time, and who has no limit for as
/// long as something comes of it now and then.
pub(super) struct Waiting<'a> {
    control: &'a Control,
    since: Instant,
    seen: u64,
}

impl<'a> Waiting<'a> {
    pub fn new(control: &'a Control, now: Instant) -> Waiting<'a> {
        Waiting { control, since: now, seen: 0 }
    }

    /// An attempt is over that has not brought the end.
    pub fn heard(&mut self, begun: Instant, now: Instant) {
        if now.saturating_duration_since(begun) >= WORKED {
            self.since = now;
        }
    }

    /// How far this node has applied the log.
    pub fn sees(&mut self, applied: u64, now: Instant) {
        if std::mem::replace(&mut self.seen, applied) != applied {
            self.since = now;
        }
    }

    /// Whether to go on.
    pub fn check(&self, host: &dyn Host, has_leader: bool) -> SqlResult<()> {
        check(host, self.control, has_leader)?;
        match host.now() < self.control.in_vain_until(self.since) {
            true => Ok(()),
            false => Err(stopped(self.control, has_leader)),
        }
    }
}

/// Waits until this node has applied enough.
pub(super) async fn follow(
    host: &dyn Host,
    shared: &Shared,
    control: &Control,
    is_enough: impl Fn() -> bool,
) -> SqlResult<()> {
    let mut waiting = Waiting::new(control, host.now());
    while !is_enough() {
        let applied = shared.applied();
        waiting.check(host, true)?;
        waiting.sees(applied, host.now());
        let _ = within(host, RETRY, shared.wait_applied(applied + 1)).await;
    }
    Ok(())
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
    if has_leader && control.patience.is_some() {
        return SqlError::new(state::CANNOT_CONNECT_NOW, "the leader has not taken the statement for a long time")
            .detail("If the statement was a write, it may still take effect.")
            .hint("See what `quorate status` says.");
    }
    if has_leader {
        return SqlError::new(state::QUERY_CANCELED, "canceling statement due to statement timeout")
            .detail("If it was a write, it may still take effect.");
    }
    SqlError::new(state::CANNOT_CONNECT_NOW, "no leader: this node does not reach a majority of the replicas")
        .detail("If the statement was a write, it may still take effect.")
        .hint("Start the other nodes, or connect to one on the majority's side.")
}

fn shutting_down() -> SqlError {
    SqlError::new(state::ADMIN_SHUTDOWN, "terminating connection due to administrator command")
}
