//! What the rest of the node holds in its hands: [`Node`], the driver of all groups, and [`Group`], one of them.

use super::conductor::contract::Input;
use super::core::{Change, ChangeError, CoreConfig, Role, StartError};
use super::driver::{self, Asked, Channels, Driver, Shared};
use super::fitness::{Syncs, Unfit};
use super::inbox::Inbox;
use super::{Membership, Position, StateMachine};
use crate::clock::{self, Reading};
use crate::command::{Outcome, Proposal};
use crate::consensus::brake::Stuck;
use crate::id::{GroupId, NodeId, ReplicaId};
use crate::raftlog::{LogError, LogReader, RaftLog};
use crate::transport::{Beat, Envelope, Inbound, Transport};
use parking_lot::Mutex;
use raft::eraftpb::MessageType;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tokio::sync::{oneshot, watch};

/// Settings of a node's driver.
#[derive(Clone, Debug)]
pub struct NodeConfig {
    pub node: NodeId,
    /// The unit of Raft's timeouts: heartbeats every 2, elections after 11 and more.
    pub tick: Duration,
    /// Where snapshots are built; created if need be. Files found there at start are deleted.
    pub snapshots: PathBuf,
    /// How long work that fails for outside reasons (a full disk) is tried again before the replica says so and gives
    /// up the leadership; it is tried further.
    pub patience: Duration,
    /// How much later each further replica campaigns when the leader's process is known to be gone.
    pub campaign_step: Duration,
    /// How far a node's clock may be from what a majority believes, µs.
    pub clock_tolerance: i64,
}

impl NodeConfig {
    pub fn new(node: NodeId, snapshots: PathBuf) -> NodeConfig {
        NodeConfig {
            node,
            tick: Duration::from_millis(30),
            snapshots,
            patience: Duration::from_secs(1),
            campaign_step: Duration::from_millis(40),
            clock_tolerance: clock::TOLERANCE,
        }
    }
}

/// A replica to run.
pub struct GroupConfig {
    pub group: GroupId,
    /// This node's member of the group.
    pub replica: ReplicaId,
    /// Where the members live, as far as known; messages and membership changes teach more.
    pub nodes: BTreeMap<ReplicaId, NodeId>,
    /// On the founding replicas of a new group, and only at their first start: who votes. A replica that joins later
    /// starts with `None` and gets everything from the leader.
    pub founders: Option<BTreeMap<ReplicaId, NodeId>>,
    pub state_machine: Box<dyn StateMachine>,
    /// Why the state machine has lost its state, if it did and that is known.
    pub lost: Option<String>,
    /// Limits and times; `None` for the defaults.
    pub tuning: Option<CoreConfig>,
}

#[derive(Debug, thiserror::Error)]
pub enum AddGroupError {
    #[error(transparent)]
    Start(#[from] StartError),
    #[error(transparent)]
    Log(#[from] LogError),
    #[error("the state machine begins at index {0}, but the log of the new group is empty")]
    NotNew(u64),
    #[error("{0} runs here already")]
    Exists(GroupId),
    #[error("the node is shutting down")]
    Stopped,
}

/// Why a proposal has no outcome.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProposeError {
    /// Never appended. Ask the leader, if one is named.
    #[error("not the leader")]
    NotLeader { leader: Option<NodeId> },
    /// Never appended: the leadership is being handed over. Try again.
    #[error("dropped")]
    Dropped,
    /// Never appended: too much waits. Try again later.
    #[error("overloaded")]
    Overloaded,
    /// Leadership was lost: it may take effect or not. Try again under the same request id.
    #[error("outcome unknown")]
    Unknown,
    /// Never appended.
    #[error("disk full")]
    DiskFull,
    /// Never appended: longer than [`MAX_COMMAND`].
    #[error("command of {0} bytes is longer than {MAX_COMMAND}")]
    TooLarge(usize),
    /// Never appended: this replica does not serve.
    #[error("replica halted: {0}")]
    Halted(String),
    /// Never appended: the node is shutting down.
    #[error("the node is shutting down")]
    Stopped,
}

/// The longest encoded command that is accepted, in bytes; longer ones travel as chunks.
pub const MAX_COMMAND: usize = 8 << 20;

/// Why there is no read index.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// No majority answered in time, or this replica could not catch up in time.
    #[error("no read index in time")]
    TimedOut,
    #[error("replica halted: {0}")]
    Halted(String),
}

/// Who leads, with the leader's node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GroupLeadership {
    pub role: Role,
    pub term: u64,
    pub leader: Option<ReplicaId>,
    pub leader_node: Option<NodeId>,
}

/// Whether a replica serves.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ReplicaState {
    #[default]
    Active,
    /// A snapshot replaces the state.
    Installing,
    /// Differs from the majority; waits for a snapshot of the leader.
    Diverged(String),
    /// Its disk gave back something else than was written; waits for a snapshot of the leader.
    Damaged(String),
    /// Fails for an outside reason; tries again, and serves when it succeeds.
    Failing(String),
    /// Must not go on: its files are damaged.
    Halted(String),
    /// Shut down or removed from this node.
    Stopped,
}

impl ReplicaState {
    /// The reason, when a replica neither reads nor proposes.
    pub fn out_of_service(&self) -> Option<String> {
        match self {
            ReplicaState::Active | ReplicaState::Installing => None,
            ReplicaState::Diverged(reason)
            | ReplicaState::Damaged(reason)
            | ReplicaState::Failing(reason)
            | ReplicaState::Halted(reason) => Some(reason.clone()),
            ReplicaState::Stopped => Some("stopped".to_owned()),
        }
    }
}

/// A replica at a glance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplicaStatus {
    pub group: GroupId,
    pub replica: ReplicaId,
    pub role: Role,
    pub term: u64,
    pub leader: Option<ReplicaId>,
    pub leader_node: Option<NodeId>,
    pub first_index: u64,
    pub last_index: u64,
    pub commit: u64,
    pub applied: u64,
    pub membership: Membership,
    pub nodes: BTreeMap<ReplicaId, NodeId>,
    /// On the leader: up to where each replica's log is known to match, refreshed every few ticks.
    pub matched: BTreeMap<ReplicaId, u64>,
    pub state: ReplicaState,
    /// Messages that were refused because no correct replica can have sent them.
    pub refuted: u64,
    /// How far this node's clock is ahead of what a majority of the voters believes (behind, if negative), and how wrong that
    /// may be, µs; `None` if a majority was not heard lately.
    pub clock: Option<(i64, i64)>,
    /// Why this node had better not lead, as it sees it.
    pub unfit: Option<Unfit>,
    /// How long a sync of the log takes here at present, µs.
    pub sync: Option<u64>,
    /// An entry that this replica cannot get past.
    pub stuck: Option<Stuck>,
}

/// The driver of all groups of a node. Clones share it.
#[derive(Clone)]
pub struct Node {
    inner: Arc<Inner>,
}

struct Inner {
    config: NodeConfig,
    log: Arc<dyn RaftLog>,
    inbox: Arc<Inbox<Driver>>,
    syncs: Arc<Mutex<Syncs>>,
    groups: Mutex<BTreeMap<GroupId, Group>>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    boot: u64,
}

impl Node {
    /// Starts the driver and the log thread.
    pub fn start(config: NodeConfig, log: Arc<dyn RaftLog>, transport: Arc<dyn Transport>) -> std::io::Result<Node> {
        std::fs::create_dir_all(&config.snapshots)?;
        for file in std::fs::read_dir(&config.snapshots)? {
            std::fs::remove_file(file?.path())?;
        }
        let syncs = Arc::default();
        let (inbox, threads) = driver::start(config.clone(), log.clone(), transport, Arc::clone(&syncs))?;
        let (groups, threads) = (Mutex::default(), Mutex::new(threads));
        Ok(Node { inner: Arc::new(Inner { config, log, inbox, syncs, groups, threads, boot: rand::random() }) })
    }

    /// What the transport delivers to.
    pub fn inbound(&self) -> Arc<dyn Inbound> {
        Arc::new(Door(self.inner.inbox.clone()))
    }

    /// Starts a replica. Fails, and must not be forced, when its log or state has lost what was acknowledged.
    pub fn add_group(&self, config: GroupConfig) -> Result<Group, AddGroupError> {
        let inner = &self.inner;
        let mut groups = inner.groups.lock();
        let id = config.group;
        if groups.contains_key(&id) {
            return Err(AddGroupError::Exists(id));
        }
        let started = driver::prepare(
            &inner.config,
            inner.log.clone(),
            config,
            inner.boot,
            inner.inbox.clone(),
            inner.syncs.clone(),
        )?;
        let group = Group { shared: started.shared(), inbox: inner.inbox.clone() };
        inner.inbox.post(Asked::AddGroup(Box::new(started))).map_err(|_| AddGroupError::Stopped)?;
        groups.insert(id, group.clone());
        Ok(group)
    }

    /// Stops a replica; with `forget`, its log is deleted too. The state machine is dropped when this returns.
    pub async fn remove_group(&self, group: GroupId, forget: bool) {
        self.inner.groups.lock().remove(&group);
        let (done, stopped) = oneshot::channel();
        if self.inner.inbox.post(Asked::RemoveGroup { group, forget, done }).is_ok() {
            let _ = stopped.await;
        }
    }

    pub fn group(&self, group: GroupId) -> Option<Group> {
        self.inner.groups.lock().get(&group).cloned()
    }

    pub fn groups(&self) -> Vec<Group> {
        self.inner.groups.lock().values().cloned().collect()
    }

    /// The log of all groups, to look into.
    pub fn log(&self) -> Arc<dyn LogReader> {
        self.inner.log.clone()
    }

    /// The disk is about to be full (or has room again): leaders hand over and refuse proposals, followers take no
    /// appends.
    pub fn set_disk_full(&self, full: bool) {
        let _ = self.inner.inbox.post(Asked::Step(Input::DiskFull(full)));
    }

    /// Hands all leaderships over, waiting for it up to `patience`, then stops.
    pub async fn shutdown(&self, patience: Duration) {
        let deadline = Instant::now() + patience;
        let groups: Vec<_> = self.groups().into_iter().filter(Group::has_peers).collect();
        groups.iter().for_each(|g| g.transfer_leader(None));
        for group in groups {
            group.hand_over(None, deadline).await;
        }
        let node = self.clone();
        let _ = tokio::task::spawn_blocking(move || node.stop()).await;
    }

    /// Stops without handing anything over; returns when all threads have ended.
    pub fn stop(&self) {
        let _ = self.inner.inbox.post(Asked::Stop);
        for thread in self.inner.threads.lock().drain(..) {
            let _ = thread.join();
        }
        self.inner.groups.lock().clear();
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        let _ = self.inbox.post(Asked::Stop);
    }
}

/// One replica of this node. Clones share it.
#[derive(Clone)]
pub struct Group {
    shared: Arc<Shared>,
    inbox: Arc<Inbox<Driver>>,
}

impl Group {
    /// For what needs no answer.
    fn post(&self, input: Input<Channels>) {
        let _ = self.inbox.post(Asked::Step(input));
    }

    pub fn id(&self) -> GroupId {
        self.shared.group
    }
    pub fn replica(&self) -> ReplicaId {
        self.shared.replica
    }
    /// The last applied index; reads after it see everything up to it.
    pub fn applied(&self) -> u64 {
        self.shared.applied.load(Ordering::Acquire)
    }
    /// Everything in this replica's log is applied.
    pub fn is_quiet(&self) -> bool {
        self.shared.is_quiet()
    }
    pub fn is_leader(&self) -> bool {
        self.shared.leadership.borrow().role == Role::Leader
    }
    pub fn leadership(&self) -> GroupLeadership {
        *self.shared.leadership.borrow()
    }
    /// Changes of role, term and leader.
    pub fn leader_changes(&self) -> watch::Receiver<GroupLeadership> {
        self.shared.leadership.subscribe()
    }

    /// Why this replica does not serve, if no other one could instead.
    pub fn hopeless(&self) -> Option<String> {
        let alone = self.shared.membership.lock().voters.iter().all(|voter| *voter == self.shared.replica);
        self.shared.out_of_service().filter(|_| alone)
    }

    /// What time it is, and what a majority of the voters believes.
    pub fn reading(&self) -> Reading {
        let (wall, monotonic) = (clock::now_micros(), clock::monotonic_micros());
        Reading { wall, monotonic, belief: self.shared.belief(monotonic) }
    }

    fn has_peers(&self) -> bool {
        self.is_leader() && self.shared.membership.lock().voters.len() > 1
    }

    /// Proposes a command and waits until it is applied here.
    pub async fn propose(&self, proposal: Proposal) -> Result<Arc<Outcome>, ProposeError> {
        self.propose_at(proposal, None).await.map(|(_, outcome)| outcome)
    }

    /// As [`Group::propose`], with the index at which the command was applied. `term`: only in this term.
    pub async fn propose_at(&self, proposal: Proposal, term: Option<u64>) -> Result<(u64, Arc<Outcome>), ProposeError> {
        if proposal.body.len() > MAX_COMMAND {
            return Err(ProposeError::TooLarge(proposal.body.len()));
        }
        match self.shared.out_of_service() {
            Some(_) if self.shared.is_stopped() => return Err(ProposeError::Stopped),
            Some(reason) => return Err(ProposeError::Halted(reason)),
            None => {}
        }
        let leadership = self.leadership();
        if leadership.role != Role::Leader {
            return Err(ProposeError::NotLeader { leader: leadership.leader_node });
        }
        let (reply, outcome) = oneshot::channel();
        let input = Input::Propose { group: self.shared.group, proposal, term, reply };
        self.inbox.post(Asked::Step(input)).map_err(|_| ProposeError::Stopped)?;
        // The driver drops the sender only when it stops, after which the entry may still commit elsewhere.
        outcome.await.unwrap_or(Err(ProposeError::Unknown))
    }

    /// Returns an index that this replica has applied and that covers everything acknowledged anywhere in the group
    /// before the call: a read that begins now is linearizable.
    pub async fn read_index(&self, deadline: Instant) -> Result<u64, ReadError> {
        if let Some(reason) = self.shared.out_of_service() {
            return Err(ReadError::Halted(reason));
        }
        let (reply, index) = oneshot::channel();
        let stopped = || ReadError::Halted("the node is shutting down".to_owned());
        let begun = Instant::now();
        self.inbox.bring(Asked::Step(Input::Read { group: self.shared.group, reply })).map_err(|_| stopped())?;
        match tokio::time::timeout_at(deadline.into(), index).await {
            Ok(Ok(result)) => {
                self.shared.measured.read_index.observe(begun.elapsed().as_secs_f64());
                result
            }
            Ok(Err(_)) => Err(stopped()),
            Err(_) => Err(ReadError::TimedOut),
        }
    }

    /// Waits until this replica has applied `index`.
    pub async fn wait_applied(&self, index: u64, deadline: Instant) -> Result<(), ReadError> {
        if self.applied() >= index {
            return Ok(());
        }
        let (reply, applied) = oneshot::channel();
        self.shared.when_applied(index, reply);
        match tokio::time::timeout_at(deadline.into(), applied).await {
            Ok(Ok(result)) => result.map(|_| ()),
            Ok(Err(_)) => Err(ReadError::Halted("the node is shutting down".to_owned())),
            Err(_) => Err(ReadError::TimedOut),
        }
    }

    pub fn status(&self) -> ReplicaStatus {
        self.shared.status()
    }

    /// On the leader: has the group decide to record a committed entry, which this replica must not have applied, as failed.
    /// Returns before that is decided; false if it is applied.
    pub fn skip(&self, at: Position) -> std::io::Result<bool> {
        let promised = self.shared.brake.propose(at, self.leadership().term)?;
        if promised {
            self.post(Input::Skip { group: self.shared.group, at });
        }
        Ok(promised)
    }

    /// Applies an entry although the process has ended over it again and again. False if nothing waits for that.
    pub fn retry(&self, index: u64) -> bool {
        let waits = self.shared.brake.retry(index);
        self.post(Input::Retry(self.shared.group));
        waits
    }

    /// Nothing more is applied: the process is about to end.
    pub fn stop_applying(&self) {
        self.shared.brake.stop();
    }

    /// Asks for the leadership to be given to the replica on a node, or to the best one. Happens soon or not at all (an
    /// heir that is away or behind is refused): watch [`Group::leader_changes`], or use [`Group::hand_over`].
    pub fn transfer_leader(&self, to: Option<NodeId>) {
        self.post(Input::Transfer { group: self.shared.group, to });
    }

    /// Gives this replica's leadership to the one on a node, or to the best one, and asks again for as long as that
    /// comes to nothing. Returns once this replica does not lead; false when it still does at the deadline.
    pub async fn hand_over(&self, to: Option<NodeId>, deadline: Instant) -> bool {
        const ATTEMPT: Duration = Duration::from_millis(100);
        let mut changes = self.leader_changes();
        while Instant::now() < deadline {
            self.transfer_leader(to);
            let until = deadline.min(Instant::now() + ATTEMPT);
            let handed_over = changes.wait_for(|l| l.role != Role::Leader);
            if tokio::time::timeout_at(until.into(), handed_over).await.is_ok() {
                return true;
            }
        }
        false
    }

    /// Adds a replica that does not vote. Its node must be running it, started without founders.
    #[cfg(test)]
    pub async fn add_learner(&self, replica: ReplicaId, node: NodeId) -> Result<(), ChangeError> {
        self.change(Change::AddLearner(replica, node)).await
    }

    /// Makes a learner a voter once it has caught up; before that, [`ChangeError::NotCaughtUp`].
    pub async fn promote(&self, replica: ReplicaId) -> Result<(), ChangeError> {
        self.change(Change::Promote(replica)).await
    }

    pub async fn remove(&self, replica: ReplicaId) -> Result<(), ChangeError> {
        self.change(Change::Remove(replica)).await
    }

    /// Any change of the membership; returns when it is committed.
    pub async fn change(&self, change: Change) -> Result<(), ChangeError> {
        let (reply, done) = oneshot::channel();
        let input = Input::Change { group: self.shared.group, change, reply };
        self.inbox.post(Asked::Step(input)).map_err(|_| ChangeError::NotLeader)?;
        done.await.unwrap_or(Err(ChangeError::Unknown))
    }

    /// The group is new: this replica campaigns, unless another one has begun.
    pub fn begin(&self) {
        self.post(Input::Begin(self.shared.group));
    }

    /// Everything up to this index is kept elsewhere: what is not stays in the log for some time.
    pub fn note_kept(&self, index: u64) {
        self.post(Input::Kept { group: self.shared.group, index });
    }

    /// Teaches where replicas live, and which nodes are to go: they had better not lead.
    pub fn set_nodes(&self, nodes: BTreeMap<ReplicaId, NodeId>, leaving: BTreeSet<NodeId>) {
        self.post(Input::SetNodes { group: self.shared.group, nodes, leaving });
    }
}

/// The transport's side of the driver.
struct Door(Arc<Inbox<Driver>>);

impl Door {
    fn post(&self, input: Input<Channels>) {
        let _ = self.0.post(Asked::Step(input));
    }
}

impl Inbound for Door {
    fn beat(&self, from: NodeId, beat: Beat) {
        self.post(Input::Beat { from, beat, at: clock::monotonic_micros() });
    }
    fn messages(&self, from: NodeId, messages: Vec<Envelope>) {
        use MessageType::{MsgHeartbeat, MsgHeartbeatResponse, MsgReadIndex, MsgReadIndexResp};
        let of_reads = [MsgHeartbeat, MsgHeartbeatResponse, MsgReadIndex, MsgReadIndexResp];
        let brings = messages.iter().all(|envelope| of_reads.contains(&envelope.message.get_msg_type()));
        let input = Input::Messages { from, messages };
        let _ = if brings { self.0.bring(Asked::Step(input)) } else { self.0.post(Asked::Step(input)) };
    }
    fn snapshot(&self, from: NodeId, envelope: Envelope, file: PathBuf) {
        self.post(Input::Snapshot { from, envelope: Box::new(envelope), file });
    }
    fn unreachable(&self, node: NodeId) {
        self.post(Input::Unreachable(node));
    }
    fn peer_down(&self, node: NodeId) {
        self.post(Input::PeerDown(node));
    }
}
