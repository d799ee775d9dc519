//! An open transaction at its client's node: the transcript lives here, the work is done where the leader is.
//!
//! Every statement is an order to the leader's [`Executor`]: a call if this node leads, a request otherwise. Whatever goes
//! wrong on the way (the leader is gone, the connection broke, the order was given up) ends in the same place: the
//! transaction is opened again from its transcript, with a higher epoch, wherever the leader is now. What the executor
//! was told under an earlier epoch is void, so nothing happens twice.
//!
//! What replies say of locks is kept for the next leader, which asks for it before it grants any (see [`Holdings`] and
//! `executor::tenure`); for all its transactions at once, so here is also what asks and answers that.
//!
//! Dropping a [`Transaction`] rolls it back. Leases keep those alive whose leader is another node; when this node
//! dies they end.

use super::attempt::disk_full;
use super::peer::{self, Reply, Request};
use super::reach::{Peers, Replica};
use super::router::{Router, Waiting, follow};
use super::time::Time;
use super::{Control, Failure, Mark};
use crate::command::{self, Command, Isolation, Outcome, Proposal, StepOutcome, Tenure, Write, schema};
use crate::engine::Shared;
use crate::error::{SqlError, SqlResult, state};
use crate::executor::{Executor, Heard, Log, Trouble};
use crate::functions::advisory::is_end;
use crate::host::{SharedHost, until, within};
use crate::id::{GroupId, NodeId, RequestId};
use crate::replica::core::Role;
use crate::replica::handle::{Group, ProposeError};
use crate::sql::catalog::Catalog;
use crate::sql::catalog::change::Change;
use crate::sql::plan::{Effort, LockMode};
use crate::transaction::{self, Action, Granted, Holdings, Kind, Open, Order, Statement, Transcript, TxName};
use crate::transport::tcp::Network;
use crate::types::Env;
use futures::future::BoxFuture;
use parking_lot::Mutex;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// How often leases are renewed.
const RENEW: Duration = Duration::from_secs(2);
/// How long to wait before trying again when nothing says that the leader has changed.
const RETRY: Duration = Duration::from_millis(10);
/// How long the server's own commands are tried.
const OWN: Duration = Duration::from_secs(10);
/// Who has not heard for so long that it leads does not.
const LEADS: Duration = Duration::from_secs(60);

/// How long a new leader waits for nodes that do not answer, before it takes the locks of their transactions away.
pub const HEARING: Duration = Duration::from_millis(250);
/// The least that it waits for one that was silent before.
const HEARING_LEAST: Duration = Duration::from_millis(40);
/// How often it asks again those that were not reached.
const AGAIN: Duration = Duration::from_millis(5);

/// How long a new leader waits for a node from which nothing has come for so long already. Living nodes speak ten times a
/// second, so what made an election necessary is known to be silent when it is over. That it is not waited for again costs
/// nobody anything that counts: what was not heard of cannot commit, however short the wait.
fn hearing(silence: Duration) -> Duration {
    HEARING.saturating_sub(silence).max(HEARING_LEAST)
}

/// The executor's view of its group, and of the gateways that use it.
#[derive(Clone)]
pub struct GroupLog<R, P> {
    pub node: NodeId,
    pub id: GroupId,
    pub group: R,
    pub peers: P,
    pub host: SharedHost,
    pub time: Arc<Time<R>>,
    pub remotes: Arc<Remotes>,
}

impl<R: Replica, P: Peers> GroupLog<R, P> {
    /// What one node's transactions have locked; `None` if it is not to be found out.
    async fn hear_from(&self, node: NodeId, tenure: Tenure, deadline: Instant) -> Option<Heard> {
        if node == self.node {
            let claims = self.remotes.holdings.lock().claim(tenure, node)?;
            return Some(Heard { gateway: None, claims });
        }
        let request = peer::Transaction::Claim(tenure);
        let bytes = peer::encode(&Request::Transaction { group: self.id, request });
        let mut gone = self.peers.gone();
        while self.host.now() < deadline {
            let answer = tokio::select! {
                biased;
                answer = self.peers.call(node, bytes.clone(), deadline) => answer,
                _ = gone.wait_for(|gone| gone.contains(&node)) => return None,
            };
            if let Ok(answer) = answer {
                let Ok(Reply::Transaction(transaction::Reply::Claims(claims))) = peer::decode(&answer) else {
                    return None;
                };
                return Some(Heard { gateway: Some(node), claims });
            }
            // Where nobody listens the call fails at once, and would win again and again.
            if gone.borrow().contains(&node) {
                return None;
            }
            self.host.sleep_until(self.host.now() + AGAIN).await;
        }
        tracing::info!(group = %self.id, %node, "not heard of: its open transactions cannot commit");
        None
    }
}

impl<R: Replica, P: Peers> Log for GroupLog<R, P> {
    fn now(&self) -> i64 {
        self.time.now()
    }

    fn term(&self) -> Option<u64> {
        let leadership = self.group.leadership();
        (leadership.role == Role::Leader).then_some(leadership.term)
    }

    fn propose(&self, command: Command, term: Option<u64>) -> BoxFuture<'static, Result<Outcome, Trouble>> {
        let (group, host) = (self.group.clone(), self.host.clone());
        Box::pin(async move {
            // Nobody asks for it again: what it has done when its fate is unknown is a gap, or nothing.
            let request = RequestId { origin: host.random(), seq: host.random() };
            let body = command::encode(&command);
            let until = host.now() + OWN;
            loop {
                match group.propose(Proposal { request, body: body.clone() }, term).await {
                    Ok((_, outcome)) => return Ok((*outcome).clone()),
                    Err(ProposeError::Overloaded | ProposeError::Dropped)
                        if host.now() < until && term.is_none_or(|term| group.leadership().term == term) =>
                    {
                        host.sleep_until(host.now() + RETRY).await;
                    }
                    Err(ProposeError::DiskFull) => return Err(disk_full().into()),
                    Err(_) => return Err(Trouble::Void),
                }
            }
        })
    }

    fn hear(&self, tenure: Tenure) -> BoxFuture<'static, Vec<Heard>> {
        let log = self.clone();
        Box::pin(async move {
            let now = log.host.now();
            let mut nodes = log.group.members();
            nodes.push(log.node);
            nodes.sort_unstable();
            nodes.dedup();
            let heard = nodes.into_iter().map(|node| {
                let deadline = now + hearing(log.peers.silence(node));
                log.hear_from(node, tenure, deadline)
            });
            futures::future::join_all(heard).await.into_iter().flatten().collect()
        })
    }

    fn read_point(&self, deadline: Instant) -> BoxFuture<'static, Result<(), Trouble>> {
        let (group, deadline) = (self.group.clone(), deadline.min(self.host.now() + LEADS));
        Box::pin(async move { group.read_index(deadline).await.map(drop).map_err(|_| Trouble::Void) })
    }
}

/// The ways to the executors of one group.
#[derive(Clone)]
pub(super) struct Link<R, P> {
    node: NodeId,
    id: GroupId,
    group: R,
    peers: P,
    host: SharedHost,
    executor: Arc<Executor>,
    remotes: Arc<Remotes>,
}

/// Transactions of this node.
#[derive(Default)]
pub struct Remotes {
    /// Writes that are tried at another node.
    names: Mutex<BTreeSet<TxName>>,
    pub(super) holdings: Mutex<Holdings>,
    renewing: AtomicBool,
}

impl<R: Replica, P: Peers> Link<R, P> {
    pub(super) fn new(router: &Router<R, P>) -> Self {
        Link {
            node: router.node,
            id: router.id,
            group: router.group.clone(),
            peers: router.peers.clone(),
            host: router.host.clone(),
            executor: router.executor.clone(),
            remotes: router.remotes.clone(),
        }
    }

    pub(super) fn forget(&self, name: TxName) {
        self.remotes.names.lock().remove(&name);
    }

    fn leader(&self) -> Option<NodeId> {
        self.group.leadership().leader_node
    }

    async fn wait<F: Future>(&self, control: &Control, future: F) -> Option<F::Output> {
        until(&*self.host, control.deadline, future).await
    }

    /// Asks the executor at `leader`; `None` if there is no answer, and none will come.
    async fn ask(&self, leader: NodeId, request: peer::Transaction, control: &Control) -> Option<transaction::Reply> {
        if leader == self.node {
            return match request {
                peer::Transaction::Order(order) => Some(self.order_here(*order).await),
                peer::Transaction::Open(open) => Some(self.executor.open(*open).await),
                _ => None,
            };
        }
        let bytes = peer::encode(&Request::Transaction { group: self.id, request });
        let mut leaders = self.group.leader_changes();
        let moved = leaders.wait_for(|leadership| leadership.leader_node != Some(leader));
        let answer = tokio::select! {
            biased;
            answer = self.peers.call(leader, bytes, control.deadline) => answer.ok()?,
            _ = moved => return None,
        };
        match peer::decode::<Reply>(&answer) {
            Ok(Reply::Transaction(reply)) => Some(reply),
            _ => None,
        }
    }

    /// Has the executor of this node do something; what may take long is done on another task, so that this one can
    /// still be told to stop.
    async fn order_here(&self, order: Order) -> transaction::Reply {
        let brief = !matches!(&order.action, Action::Run(statement) if statement.effort > Effort::Key);
        if brief {
            return self.executor.order(order).await;
        }
        let executor = self.executor.clone();
        let (answer, answered) = oneshot::channel();
        // Whoever drops this voids the order.
        self.host.spawn(Box::pin(async move {
            let _ = answer.send(executor.order(order).await);
        }));
        answered.await.unwrap_or(transaction::Reply::Unknown)
    }

    /// Tells the executor at `leader` something that needs no answer.
    pub(super) fn tell(&self, leader: NodeId, request: peer::Transaction) {
        if leader == self.node {
            match request {
                peer::Transaction::End(name) => self.executor.end(name),
                peer::Transaction::Interrupt(name) => self.executor.interrupt(name),
                _ => {}
            }
            return;
        }
        let (peers, bytes) = (self.peers.clone(), peer::encode(&Request::Transaction { group: self.id, request }));
        let until = self.host.now() + RENEW;
        // If it gets lost, the lease ends.
        self.host.spawn(Box::pin(async move { drop(peers.call(leader, bytes, until).await) }));
    }

    pub(super) fn keep_alive(&self, name: TxName) {
        self.remotes.names.lock().insert(name);
        self.renew();
    }

    /// From now on the leader hears from time to time which transactions live, as long as there are any.
    fn renew(&self) {
        if self.remotes.renewing.swap(true, Ordering::SeqCst) {
            return;
        }
        let link = self.clone();
        let renewing = self.host.spawn(Box::pin(async move {
            loop {
                link.host.sleep_until(link.host.now() + RENEW).await;
                let names: Vec<TxName> = {
                    let (names, holdings) = (link.remotes.names.lock(), link.remotes.holdings.lock());
                    let all: Vec<TxName> = names.iter().copied().chain(holdings.names()).collect();
                    if all.is_empty() {
                        link.remotes.renewing.store(false, Ordering::SeqCst);
                        return;
                    }
                    all
                };
                if let Some(leader) = link.leader().filter(|leader| *leader != link.node) {
                    link.tell(leader, peer::Transaction::Renew(names));
                }
            }
        }));
        if !renewing {
            self.remotes.renewing.store(false, Ordering::SeqCst);
        }
    }

    /// Answers a leader that begins.
    fn claim(&self, tenure: Tenure, leader: NodeId) -> transaction::Reply {
        let claims = self.remotes.holdings.lock().claim(tenure, leader);
        self.renew();
        claims.map_or(transaction::Reply::Unknown, transaction::Reply::Claims)
    }

    /// Has the executor begin as soon as this node leads, and end what belongs to nodes that are gone. Runs for ever.
    pub(super) async fn attend(self) {
        let (mut leaders, mut gone) = (self.group.leader_changes(), self.peers.gone());
        let mut known = BTreeSet::new();
        loop {
            let leadership = *leaders.borrow_and_update();
            if leadership.role == Role::Leader {
                self.executor.take_office(leadership.term);
            }
            let now = gone.borrow_and_update().clone();
            now.difference(&known).for_each(|node| self.executor.gateway_gone(*node));
            known = now;
            tokio::select! {
                changed = leaders.changed() => if changed.is_err() { return },
                changed = gone.changed() => if changed.is_err() { return },
            }
        }
    }
}

/// An open transaction. Dropping it rolls it back.
pub struct Transaction<R: Replica = Group, P: Peers = Network> {
    link: Link<R, P>,
    shared: Arc<Shared>,
    name: TxName,
    env: Env,
    transcript: Transcript,
    epoch: u64,
    /// Where it is open under this epoch.
    attached: Option<NodeId>,
    /// How many locks it had before each savepoint.
    marks: Vec<usize>,
    /// The catalog under which its statements were compiled.
    base: Option<Arc<Catalog>>,
    /// The catalog after its own changes, under a version that nobody else has; and what it was at each savepoint.
    own: Option<Arc<Catalog>>,
    marked: Vec<Option<Arc<Catalog>>>,
    open: bool,
}

/// Voids an order whose asker has gone away.
struct Asking<'a, R: Replica, P: Peers> {
    link: &'a Link<R, P>,
    name: TxName,
    leader: NodeId,
    done: bool,
}

impl<R: Replica, P: Peers> Drop for Asking<'_, R, P> {
    fn drop(&mut self) {
        if !self.done {
            self.link.tell(self.leader, peer::Transaction::Interrupt(self.name));
        }
    }
}

impl<R: Replica, P: Peers> Transaction<R, P> {
    pub fn new(router: &Router<R, P>, name: TxName, isolation: Isolation, env: Env) -> Self {
        Transaction {
            link: Link::new(router),
            shared: router.shared.clone(),
            name,
            env,
            transcript: Transcript::new(isolation, router.limits),
            epoch: 0,
            attached: None,
            marks: Vec::new(),
            base: None,
            own: None,
            marked: Vec::new(),
            open: false,
        }
    }

    /// It has statements whose work nothing bounds.
    pub fn is_open(&self) -> bool {
        self.open
    }

    pub fn transcript(&self) -> &Transcript {
        &self.transcript
    }

    pub fn catalog(&self) -> Option<Arc<Catalog>> {
        self.own.clone()
    }

    /// Runs a statement and takes it into the transcript.
    pub async fn step(&mut self, mut statement: Statement, control: &Control) -> Result<StepOutcome, Failure> {
        match (&self.own, statement.schema_version) {
            (Some(own), Some(version)) if version == own.version => statement.schema_version = None,
            (Some(_), Some(_)) => return Err(Failure::SchemaChanged),
            (None, Some(version)) => self.follow(version)?,
            (_, None) => {}
        }
        self.open |= statement.kind == Kind::Write && statement.effort == Effort::Open;
        match self.order(Action::Run(Box::new(statement)), control).await? {
            transaction::Reply::Ran { outcome, step, kind, catalog, .. } => {
                self.transcript.push(*step, kind)?;
                if let Some(change) = catalog {
                    self.change_catalog(&change);
                }
                Ok(outcome)
            }
            transaction::Reply::SchemaChanged { now } => {
                follow(&*self.link.host, &self.shared, control, || self.shared.schema_version() >= now).await?;
                Err(Failure::SchemaChanged)
            }
            transaction::Reply::Failed(error) => {
                match self.marks.last() {
                    // As the executor has done.
                    _ if !is_end(&error) => {}
                    Some(mark) => self.link.remotes.holdings.lock().truncate(self.name, *mark),
                    // Nothing but ROLLBACK can follow.
                    None => self.end(),
                }
                Err(error.into())
            }
            other => Err(SqlError::internal(format!("the executor answered {other:?}")).into()),
        }
    }

    pub async fn lock_tables(
        &mut self,
        tables: Vec<u32>,
        mode: LockMode,
        nowait: bool,
        control: &Control,
    ) -> SqlResult<()> {
        let action = Action::Lock { tables, mode, nowait };
        match self.order(action, control).await? {
            transaction::Reply::Failed(error) => Err(error),
            _ => Ok(()),
        }
    }

    /// SAVEPOINT and its kin: done here; the executor follows, or gets it with the transcript.
    pub async fn mark(&mut self, mark: Mark, control: &Control) -> SqlResult<()> {
        let action = match mark {
            Mark::Set(name) => {
                self.transcript.savepoint(&name);
                self.marked.push(self.own.clone());
                self.marks.push(self.link.remotes.holdings.lock().count(self.name));
                Action::Savepoint(name)
            }
            Mark::Release(name) => {
                let level = self.transcript.release(&name)?;
                self.marked.truncate(level.0);
                self.marks.truncate(level.0);
                Action::Release(name)
            }
            Mark::RollbackTo(name) => {
                let level = self.transcript.rollback_to(&name)?;
                self.marked.truncate(level.0 + 1);
                self.own = self.marked.last().cloned().flatten();
                self.marks.truncate(level.0 + 1);
                self.link.remotes.holdings.lock().truncate(self.name, self.marks[level.0]);
                Action::RollbackTo(name)
            }
        };
        let Some(leader) = self.attached.take() else { return Ok(()) };
        let order = self.sealed(action, control);
        // Stays detached if it goes wrong: the transcript says it all.
        let asking = Asking { link: &self.link, name: self.name, leader, done: false };
        let ask = self.link.ask(leader, peer::Transaction::Order(Box::new(order)), control);
        let reply = self.link.wait(control, ask).await;
        finish(asking, reply.is_some());
        if let Some(Some(transaction::Reply::Done)) = reply {
            self.attached = Some(leader);
        }
        Ok(())
    }

    fn sealed(&self, action: Action, control: &Control) -> Order {
        let (within, lock_timeout) = control.remaining(self.link.host.now());
        let known = self.link.remotes.holdings.lock().count(self.name);
        Order { name: self.name, epoch: self.epoch, action, known, within, lock_timeout }
    }

    /// Has the leader's executor do something, whoever that is.
    async fn order(&mut self, action: Action, control: &Control) -> SqlResult<transaction::Reply> {
        let mut leaders = self.link.group.leader_changes();
        let mut waiting = Waiting::new(control, self.link.host.now());
        loop {
            let leader = self.link.leader();
            waiting.check(&*self.link.host, leader.is_some())?;
            let begun = self.link.host.now();
            leaders.borrow_and_update();
            if let Some(leader) = leader {
                if self.attached != Some(leader) {
                    match self.open(leader, control).await {
                        Some(transaction::Reply::Done) => {}
                        Some(transaction::Reply::Failed(error)) => return Err(error),
                        _ => {
                            let _ = within(&*self.link.host, RETRY, leaders.changed()).await;
                            continue;
                        }
                    }
                }
                let order = Box::new(self.sealed(action.clone(), control));
                // Until there is an answer, nobody knows how far it got.
                self.attached = None;
                let asking = Asking { link: &self.link, name: self.name, leader, done: false };
                let ask = self.link.ask(leader, peer::Transaction::Order(order), control);
                let reply = self.link.wait(control, ask).await;
                finish(asking, reply.is_some());
                match reply.flatten() {
                    Some(transaction::Reply::Unknown | transaction::Reply::NotLeader) | None => {}
                    Some(mut reply) => {
                        if self.take_locks(&mut reply) {
                            self.attached = Some(leader);
                            return Ok(reply);
                        }
                    }
                }
            }
            waiting.heard(begun, self.link.host.now());
            let _ = within(&*self.link.host, RETRY, leaders.changed()).await;
        }
    }

    /// Keeps what a reply says of locks. False if it comes from a leader that others have followed.
    fn take_locks(&self, reply: &mut transaction::Reply) -> bool {
        match reply {
            transaction::Reply::Ran { granted, .. } | transaction::Reply::Locked(granted) => {
                self.link.remotes.holdings.lock().granted(self.name, std::mem::take::<Granted>(granted))
            }
            _ => true,
        }
    }

    async fn open(&mut self, leader: NodeId, control: &Control) -> Option<transaction::Reply> {
        // An interrupt takes the number in between.
        self.epoch += 2;
        let holds = self.link.remotes.holdings.lock().open(self.name, self.epoch, leader);
        let gateway = Some(self.link.node).filter(|node| *node != leader);
        if gateway.is_some() {
            self.link.renew();
        }
        let open = Open {
            name: self.name,
            epoch: self.epoch,
            env: self.env.clone(),
            transcript: self.transcript.clone(),
            gateway,
            marks: self.marks.clone(),
            holds,
            within: control.remaining(self.link.host.now()).0,
        };
        let ask = self.link.ask(leader, peer::Transaction::Open(Box::new(open)), control);
        let reply = self.link.wait(control, ask).await.flatten();
        if let Some(transaction::Reply::Done) = reply {
            self.attached = Some(leader);
        }
        reply
    }

    fn end(&mut self) {
        self.attached = None;
        let visited = self.link.remotes.holdings.lock().end(self.name);
        for leader in visited {
            self.link.tell(leader, peer::Transaction::End(self.name));
        }
    }

    // ---- the schema ----

    /// Its last statement has changed the catalog that it was compiled under.
    fn change_catalog(&mut self, change: &Change) {
        let before = self.own.as_ref().or(self.base.as_ref());
        let mut catalog = before.map_or_else(|| self.shared.catalog().with(change), |before| before.with(change));
        catalog.version = (1 << 63) | (self.link.host.random() >> 1);
        self.own = Some(Arc::new(catalog));
    }

    /// A statement was compiled under this version: what was compiled before must still mean the same.
    fn follow(&mut self, version: u64) -> Result<(), Failure> {
        if self.base.as_ref().is_some_and(|base| schema::agree(base.version, version)) {
            return Ok(());
        }
        let catalog = self.shared.catalog();
        // Temporary objects of others may have come and gone since: who compiled does not compile again for that.
        if !schema::agree(catalog.version, version) {
            return Err(Failure::SchemaChanged);
        }
        Ok(self.follow_schema(&catalog)?)
    }

    /// Goes on under a newer catalog. Error: 40001 if a table that it has to do with is no longer the same.
    pub fn follow_schema(&mut self, catalog: &Arc<Catalog>) -> SqlResult<()> {
        let same = |base: &Arc<Catalog>| {
            let tables = self.link.executor.tables_of(&self.transcript);
            let is_same = |table: &u32| match (base.by_oid(*table), catalog.by_oid(*table)) {
                (Some(then), Some(now)) => Arc::ptr_eq(now, then) || now == then,
                _ => false,
            };
            tables.is_some_and(|tables| tables.iter().all(is_same))
        };
        let done_nothing = self.transcript.steps().len() == 0;
        if self.own.is_none() && (done_nothing || self.base.as_ref().is_none_or(same)) {
            self.base = Some(catalog.clone());
            return Ok(());
        }
        Err(SqlError::new(state::SERIALIZATION_FAILURE, "could not serialize access due to a concurrent schema change")
            .hint("The transaction might succeed if retried."))
    }

    /// COMMIT of one that has changed nothing: it was alone with what it has locked, if all of that is still its own.
    pub async fn vouch(&mut self, control: &Control) -> SqlResult<()> {
        if self.link.remotes.holdings.lock().count(self.name) == 0 {
            return Ok(());
        }
        match self.order(Action::Vouch, control).await? {
            transaction::Reply::Failed(error) => Err(error),
            _ => Ok(()),
        }
    }

    /// The request id of its COMMIT.
    pub fn name(&self) -> TxName {
        self.name
    }

    /// COMMIT's command.
    pub fn command(&self, born: u64) -> SqlResult<Write> {
        let version = self.base.as_ref().map_or_else(|| self.shared.schema_version(), |base| base.version);
        let write = self.transcript.clone().into_write(version, born, self.env.clone());
        write.ok_or_else(|| SqlError::internal("nothing to commit"))
    }
}

fn finish<R: Replica, P: Peers>(mut asking: Asking<'_, R, P>, answered: bool) {
    asking.done = answered;
}

impl<R: Replica, P: Peers> Drop for Transaction<R, P> {
    fn drop(&mut self) {
        self.end();
    }
}

/// Answers another node's request about its transactions.
pub async fn answer_transaction<R: Replica, P: Peers>(
    router: &Router<R, P>,
    from: NodeId,
    request: peer::Transaction,
) -> transaction::Reply {
    let executor = &router.executor;
    match request {
        peer::Transaction::Open(open) => executor.open(*open).await,
        peer::Transaction::Order(order) => executor.order(*order).await,
        peer::Transaction::Interrupt(name) => {
            executor.interrupt(name);
            transaction::Reply::Done
        }
        peer::Transaction::End(name) => {
            executor.end(name);
            transaction::Reply::Done
        }
        peer::Transaction::Renew(names) => {
            executor.renew(&names);
            transaction::Reply::Done
        }
        peer::Transaction::Sessions(sessions) => {
            router.advisers.hear(&sessions, router.host.now());
            transaction::Reply::Done
        }
        peer::Transaction::Claim(tenure) => Link::new(router).claim(tenure, from),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A leader that fell silent has been so for an election timeout before anybody takes its office.
    #[test]
    fn the_silent_are_not_waited_for_twice() {
        let ms = Duration::from_millis;
        let waits = [0, 100, 230, 300, 10_000].map(|silence| hearing(ms(silence)).as_millis());
        assert_eq!(waits, [250, 150, 40, 40, 40]);
    }
}
