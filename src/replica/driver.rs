//! The driver: performs what the cores decide. All IO, clocks and randomness of a replica are here.
//!
//! Threads of a node:
//! - the **driver** steps the cores of all groups: it takes in what has come, lets every touched core decide, and performs
//!   the effects. It never waits for a disk or for a socket; so its work is done by whichever thread brings an input
//!   ([`super::inbox`]), and its own thread keeps time and does what is rare.
//! - the **log thread** writes what all groups queued while the last sync ran as one batch with one sync, then sends
//!   the messages that had to wait for it, then reports.
//! - the **apply threads** have the state machines, one group's on at most one thread at a time, and as many as there are groups
//!   with something to apply ([`crate::workers`]). What was committed meanwhile is applied in one call, and the waiting clients
//!   are answered there.
//! - the **reader thread** reads old entries back from the log, for followers that lag.
//! - a thread for each snapshot being built.
//!
//! Appends to followers leave from the driver while the own sync runs; acknowledgements leave from the log thread.
//!
//! **When the machine fails it** (a full disk, no more file descriptors, a read error), the log thread and the appliers
//! try again for as long as it takes. When their patience is over the replica says why it does not serve, gives
//! the leadership up and lets nobody wait; when the work succeeds it serves again. What would not get better by
//! itself halts a replica until a restart: damaged files. A failed fsync ends the process.

use super::beats::{Beats, Hearing, Moment, SILENT};
use super::core::bootstrap;
use super::core::{
    Change, ChangeError, Core, CoreConfig, Effect, Event, Fetch, Leadership, Refused, Role, Start, Ticketed,
};
use super::fitness::{Judge, Syncs, Unfit};
use super::handle::{
    AddGroupError, GroupConfig, GroupLeadership, NodeConfig, ProposeError, ReadError, ReplicaState, ReplicaStatus,
};
use super::inbox::{Inbox, Work};
use super::queue::{Receiver, Sender, queue};
use super::{Applied, Committed, Halt, Membership, Position, SnapshotMeta, StateMachine};
use crate::clock::{self, Belief, Reading};
use crate::command::{Outcome, Proposal};
use crate::consensus::brake::{Brake, Way};
use crate::consensus::form::snapshot_meta;
use crate::id::{GroupId, NodeId, ReplicaId};
use crate::raftlog::{Entry, HardState, LogError, LogReader, LogWrite, RaftLog, finish_install};
use crate::telemetry::{OfGroup, TELEMETRY};
use crate::trace;
use crate::transport::{Beat, Envelope, Transport};
use crate::workers::{Task, Workers};
use parking_lot::Mutex;
use raft::eraftpb::{Message, MessageType};
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tokio::sync::{oneshot, watch};

type ProposeReply = oneshot::Sender<Result<(u64, Arc<Outcome>), ProposeError>>;
type ReadReply = oneshot::Sender<Result<u64, ReadError>>;

/// Everything that the driver hears of, besides time.
pub(super) enum Input {
    Propose {
        group: GroupId,
        proposal: Proposal,
        /// See [`Ticketed::term`].
        term: Option<u64>,
        reply: ProposeReply,
    },
    Read {
        group: GroupId,
        reply: ReadReply,
    },
    Messages {
        from: NodeId,
        messages: Vec<Envelope>,
    },
    Snapshot {
        from: NodeId,
        envelope: Envelope,
        file: PathBuf,
    },
    /// Came in at a moment of the monotonic clock.
    Beat {
        from: NodeId,
        beat: Beat,
        at: i64,
    },
    Unreachable(NodeId),
    PeerDown(NodeId),
    /// The log thread has written the append `number`.
    Persisted {
        group: GroupId,
        number: u64,
    },
    /// The state machine has applied up to `index`, durably up to `durable`.
    Applied {
        group: GroupId,
        index: u64,
        durable: u64,
    },
    Halted {
        group: GroupId,
        halt: Halt,
    },
    /// For how long now the state machine cannot go on for an outside reason; or it can again.
    ApplyFails {
        group: GroupId,
        why: Option<String>,
    },
    /// The same of the log, which is all groups'.
    LogFails(Option<String>),
    Fetched {
        group: GroupId,
        fetch: Fetch,
        entries: Option<Vec<Entry>>,
    },
    Built {
        group: GroupId,
        file: PathBuf,
        result: Result<SnapshotMeta, Halt>,
    },
    SnapshotSent {
        group: GroupId,
        to: ReplicaId,
        ok: bool,
    },
    /// Steps of an installation: noted in the log, state machine replaced, log reset.
    Noted {
        group: GroupId,
    },
    Replaced {
        group: GroupId,
        floor: i64,
    },
    LogReset {
        group: GroupId,
        floor: i64,
    },
    Transfer {
        group: GroupId,
        to: Option<NodeId>,
    },
    Change {
        group: GroupId,
        change: Change,
        reply: oneshot::Sender<Result<(), ChangeError>>,
    },
    /// The group is new, and somebody has to lead it.
    Begin(GroupId),
    /// Everything up to this index is kept elsewhere.
    Kept {
        group: GroupId,
        index: u64,
    },
    SetNodes {
        group: GroupId,
        nodes: BTreeMap<ReplicaId, NodeId>,
        leaving: BTreeSet<NodeId>,
    },
    /// Proposes that an entry fails; this replica has promised to wait for the decision.
    Skip {
        group: GroupId,
        at: Position,
    },
    /// What was held back may go on.
    Retry(GroupId),
    DiskFull(bool),
    AddGroup(Box<Replica>),
    RemoveGroup {
        group: GroupId,
        forget: bool,
        done: oneshot::Sender<()>,
    },
    Stop,
}

/// Why a read is refused that would have to wait for space.
const DISK_FULL: &str = "its disk is full and it lags behind the others";

/// How far one clock is ahead of another, and how wrong that may be, in µs.
type Offset = (i64, i64);

/// What the handles of a group see of it.
pub(super) struct Shared {
    pub(super) group: GroupId,
    pub(super) replica: ReplicaId,
    pub(super) measured: OfGroup,
    pub(super) leadership: watch::Sender<GroupLeadership>,
    pub(super) applied: AtomicU64,
    pub(super) membership: Mutex<Membership>,
    first: AtomicU64,
    last: AtomicU64,
    commit: AtomicU64,
    /// Messages that no correct replica can have sent.
    refuted: AtomicU64,
    nodes: Mutex<BTreeMap<ReplicaId, NodeId>>,
    matched: Mutex<BTreeMap<ReplicaId, u64>>,
    state: Mutex<ReplicaState>,
    /// What a majority of the voters believes about the time, and until when that is to be relied on.
    belief: Mutex<Option<(Belief, i64)>>,
    /// How far this node's clock is ahead of it, how wrong that may be, and what follows.
    clock: Mutex<(Option<Offset>, Option<Unfit>)>,
    syncs: Arc<Mutex<Syncs>>,
    /// The log takes no more entries for want of space.
    disk_full: AtomicBool,
    /// Who waits for the outcomes of an entry, by its index, in the order of its commands.
    waiters: Mutex<BTreeMap<u64, Waiters>>,
    /// Readers that wait until an index is applied.
    readers: Mutex<BTreeMap<u64, Vec<ReadReply>>>,
    /// What is to be applied could not be, and is to be tried again.
    retries: AtomicBool,
    pub(super) brake: Arc<Brake>,
}

/// Who waits for an entry's outcomes, and since when it is in the log of its leader.
struct Waiters {
    replies: Vec<Option<ProposeReply>>,
    appended: Instant,
}

impl Shared {
    /// The reason, when this replica neither reads nor proposes.
    pub(super) fn out_of_service(&self) -> Option<String> {
        match &*self.state.lock() {
            ReplicaState::Active | ReplicaState::Installing => None,
            ReplicaState::Diverged(reason)
            | ReplicaState::Damaged(reason)
            | ReplicaState::Failing(reason)
            | ReplicaState::Halted(reason) => Some(reason.clone()),
            ReplicaState::Stopped => Some("stopped".to_owned()),
        }
    }

    pub(super) fn is_quiet(&self) -> bool {
        self.last.load(Ordering::Relaxed) <= self.applied.load(Ordering::Acquire)
    }

    pub(super) fn is_stopped(&self) -> bool {
        *self.state.lock() == ReplicaState::Stopped
    }

    pub(super) fn belief(&self, monotonic: i64) -> Option<Belief> {
        self.belief.lock().filter(|(_, until)| monotonic < *until).map(|(belief, _)| belief)
    }

    pub(super) fn when_applied(&self, index: u64, reply: ReadReply) {
        let mut readers = self.readers.lock();
        // The apply thread first publishes the index and then takes the lock: looked up under it, none is missed.
        if self.applied.load(Ordering::Acquire) >= index {
            let _ = reply.send(Ok(index));
        } else if self.disk_full.load(Ordering::Acquire) && index > self.last.load(Ordering::Relaxed) {
            let _ = reply.send(Err(ReadError::Halted(DISK_FULL.to_owned())));
        } else {
            readers.entry(index).or_default().push(reply);
        }
    }

    /// Without space, what is not in the log yet does not come soon.
    fn set_disk_full(&self, full: bool) {
        self.disk_full.store(full, Ordering::Release);
        if full {
            let missing = self.readers.lock().split_off(&(self.last.load(Ordering::Relaxed) + 1));
            for reply in missing.into_values().flatten() {
                let _ = reply.send(Err(ReadError::Halted(DISK_FULL.to_owned())));
            }
        }
    }

    fn publish_applied(&self, index: u64) {
        self.applied.store(index, Ordering::Release);
        let mut readers = self.readers.lock();
        while let Some(first) = readers.first_entry().filter(|e| *e.key() <= index) {
            let (index, replies) = first.remove_entry();
            for reply in replies {
                let _ = reply.send(Ok(index));
            }
        }
    }

    fn set_state(&self, state: ReplicaState) {
        if std::mem::replace(&mut *self.state.lock(), state.clone()) == state {
            return;
        }
        if let Some(reason) = self.out_of_service() {
            for reply in std::mem::take(&mut *self.readers.lock()).into_values().flatten() {
                let _ = reply.send(Err(ReadError::Halted(reason.clone())));
            }
            self.outcomes_unknown();
        }
    }

    fn outcomes_unknown(&self) {
        for reply in std::mem::take(&mut *self.waiters.lock()).into_values().flat_map(|w| w.replies).flatten() {
            let _ = reply.send(Err(ProposeError::Unknown));
        }
    }

    pub(super) fn status(&self) -> ReplicaStatus {
        let leadership = *self.leadership.borrow();
        let (clock, unfit) = *self.clock.lock();
        ReplicaStatus {
            group: self.group,
            replica: self.replica,
            role: leadership.role,
            term: leadership.term,
            leader: leadership.leader,
            leader_node: leadership.leader_node,
            first_index: self.first.load(Ordering::Relaxed),
            last_index: self.last.load(Ordering::Relaxed),
            commit: self.commit.load(Ordering::Relaxed),
            applied: self.applied.load(Ordering::Acquire),
            membership: self.membership.lock().clone(),
            nodes: self.nodes.lock().clone(),
            matched: self.matched.lock().clone(),
            state: self.state.lock().clone(),
            refuted: self.refuted.load(Ordering::Relaxed),
            clock,
            unfit,
            sync: self.syncs.lock().at_present(clock::monotonic_micros()),
            stuck: self.brake.stuck(),
        }
    }
}

/// A replica as the driver keeps it.
pub(super) struct Replica {
    core: Core,
    shared: Arc<Shared>,
    nodes: BTreeMap<ReplicaId, NodeId>,
    /// The cluster wants them gone. It counts as a reason not to lead beside clocks and disks, so that a leader that goes
    /// and an heir that is not fit do not give the leadership back and forth.
    leaving: BTreeSet<NodeId>,
    apply: Applying,
    proposals: Vec<(Ticketed, ProposeReply)>,
    /// When the first of those came that are not in the log yet.
    proposed: Option<Instant>,
    /// Who waits for proposals that the core has not appended yet, by ticket.
    waiting: HashMap<u64, ProposeReply>,
    reads: BTreeMap<u64, ReadReply>,
    new_reads: Vec<u64>,
    changes: BTreeMap<u64, oneshot::Sender<Result<(), ChangeError>>>,
    /// The snapshot that is offered to followers.
    built: Option<(SnapshotMeta, PathBuf)>,
    /// A snapshot's file that arrived for the message just stepped.
    arrived: Option<PathBuf>,
    installing: Option<(SnapshotMeta, HardState, PathBuf)>,
    /// Why the replica must not go on.
    halt: Option<Halt>,
    /// Why the state machine cannot go on for now.
    failing: Option<String>,
    /// What this replica thinks of the voters while it leads.
    judge: Judge,
}

impl Replica {
    fn propose(&mut self, ticketed: Ticketed, reply: ProposeReply) {
        self.proposed.get_or_insert_with(Instant::now);
        self.proposals.push((ticketed, reply));
    }

    pub(super) fn shared(&self) -> Arc<Shared> {
        self.shared.clone()
    }

    /// Says how the replica is, after anything of that has changed. `log` says why the log cannot be written for now.
    fn show_state(&mut self, log: Option<&String>) {
        let failing = self.failing.as_ref().or(log);
        let state = match (&self.halt, failing) {
            (Some(halt @ Halt::Diverged { .. }), None) => ReplicaState::Diverged(halt.to_string()),
            (Some(halt @ Halt::Overruled(_)), None) => ReplicaState::Diverged(halt.to_string()),
            (Some(Halt::Rotten(why)), None) => ReplicaState::Damaged(why.clone()),
            (Some(halt @ (Halt::Environment(_) | Halt::Corrupt(_))), _) => ReplicaState::Halted(halt.to_string()),
            (_, Some(why)) => ReplicaState::Failing(why.clone()),
            (None, None) if self.installing.is_some() => ReplicaState::Installing,
            (None, None) => ReplicaState::Active,
        };
        self.core.step(Event::Ailing(failing.is_some()));
        self.shared.set_state(state);
        if let Some(why) = self.shared.out_of_service() {
            for (_, reply) in std::mem::take(&mut self.reads) {
                let _ = reply.send(Err(ReadError::Halted(why.clone())));
            }
        }
    }
}

/// Loads a replica from the log; the driver gets it as [`Input::AddGroup`].
pub(super) fn prepare(
    node: &NodeConfig,
    log: Arc<dyn RaftLog>,
    config: GroupConfig,
    boot: u64,
    inbox: Arc<Inbox<Driver>>,
    syncs: Arc<Mutex<Syncs>>,
) -> Result<Replica, AddGroupError> {
    let GroupConfig { group, replica, mut nodes, founders, state_machine: machine, lost, tuning } = config;
    let (applied, brake) = (machine.applied(), machine.brake());
    let doubt = brake.start(applied.index);
    finish_install(log.as_ref(), group, applied)?;
    let mut found = log.load(group)?;
    if let Some(founders) = founders.filter(|_| found.last.index == 0) {
        if applied.index != 0 {
            return Err(AddGroupError::NotNew(applied.index));
        }
        log.write(&bootstrap(group, &founders), true)?;
        found = log.load(group)?;
        nodes.extend(founders);
    }
    nodes.insert(replica, node.node);
    let (membership, reached, floor) = (machine.membership(), machine.reached(), machine.clock_floor());
    let start = Start { log: found, applied, membership, reached, floor, doubt };
    let tuning = tuning.unwrap_or_else(|| CoreConfig::new(group, replica, boot));
    let tuning = CoreConfig { group, replica, boot, believes_everything: false, ..tuning };
    let reader: Arc<dyn LogReader> = log;
    let core = Core::new(tuning, reader, start, &super::logger::root())?;
    let lost = core.is_bare().then(|| Halt::Rotten(lost.unwrap_or_else(|| "its database file was lost".to_owned())));
    let shared = Arc::new(Shared {
        group,
        replica,
        measured: TELEMETRY.of_group(group),
        leadership: watch::Sender::new(GroupLeadership::default()),
        applied: AtomicU64::new(applied.index),
        first: AtomicU64::new(core.first_index()),
        last: AtomicU64::new(core.last_index()),
        commit: AtomicU64::new(core.commit()),
        refuted: AtomicU64::new(0),
        membership: Mutex::new(core.membership().clone()),
        nodes: Mutex::new(nodes.clone()),
        matched: Mutex::default(),
        state: Mutex::default(),
        belief: Mutex::default(),
        clock: Mutex::default(),
        syncs,
        disk_full: AtomicBool::new(false),
        waiters: Mutex::default(),
        readers: Mutex::default(),
        retries: AtomicBool::new(false),
        brake: brake.clone(),
    });
    let (sender, jobs) = queue();
    let applier = Applier {
        jobs,
        idled: Instant::now(),
        machine,
        brake,
        risky: core.last_index(),
        shared: shared.clone(),
        inbox,
        patience: node.patience,
        entries: Vec::new(),
        committed: Vec::new(),
        install: None,
        trouble: None,
        failed: lost.is_some(),
        told: 0,
    };
    let apply = Applying { jobs: sender, task: Task::new(&APPLIERS, applier, Applier::turn) };
    Ok(Replica {
        core,
        shared,
        nodes,
        leaving: BTreeSet::new(),
        apply,
        proposals: Vec::new(),
        proposed: None,
        waiting: HashMap::new(),
        reads: BTreeMap::new(),
        new_reads: Vec::new(),
        changes: BTreeMap::new(),
        built: None,
        arrived: None,
        installing: None,
        halt: lost,
        failing: None,
        judge: Judge::default(),
    })
}

/// The way to the driver, and the threads to wait for.
pub(super) type Started = (Arc<Inbox<Driver>>, Vec<JoinHandle<()>>);

/// Starts the driver and the log thread.
pub(super) fn start(
    config: NodeConfig,
    log: Arc<dyn RaftLog>,
    transport: Arc<dyn Transport>,
    syncs: Arc<Mutex<Syncs>>,
) -> std::io::Result<Started> {
    let inbox = Arc::new(Inbox::new());
    let (jobs, writes) = queue();
    let (fetches, wanted) = queue();
    let stopping = Arc::new(AtomicBool::new(false));
    let spawn = |name: &str| std::thread::Builder::new().name(name.to_owned());
    let reader: Arc<dyn LogReader> = log.clone();
    let answers = inbox.clone();
    let writer = LogThread {
        log,
        transport: transport.clone(),
        inbox: inbox.clone(),
        patience: config.patience,
        stopping: stopping.clone(),
        syncs: syncs.clone(),
    };
    let driver = Driver {
        next_tick: Instant::now() + config.tick,
        next_beat: Instant::now(),
        beats: Beats::new(config.node, config.clock_tolerance),
        syncs,
        config,
        transport,
        log: jobs,
        fetches,
        log_fails: None,
        disk_full: false,
        stopping,
        inbox: inbox.clone(),
        replicas: BTreeMap::new(),
        touched: BTreeSet::new(),
        awake: BTreeSet::new(),
        hearing: Hearing::default(),
        campaigns: Vec::new(),
        outbox: BTreeMap::new(),
        tickets: 0,
        ticks: 0,
    };
    let runner = inbox.clone();
    let threads = vec![
        spawn("raft-log").spawn(move || writer.run(writes))?,
        spawn("raft-reader").spawn(move || read_entries(reader.as_ref(), &wanted, &answers))?,
        spawn("raft-driver").spawn(move || runner.run(driver, |input| matches!(input, Input::Stop)).stop())?,
    ];
    Ok((inbox, threads))
}

// --- the driver ---------------------------------------------------------------------------------------------------

pub(super) struct Driver {
    config: NodeConfig,
    transport: Arc<dyn Transport>,
    log: Sender<LogJob>,
    fetches: Sender<(GroupId, Fetch)>,
    /// Why the log cannot be written for now.
    log_fails: Option<String>,
    disk_full: bool,
    /// The log thread, should it be trying again and again, is to give up.
    stopping: Arc<AtomicBool>,
    inbox: Arc<Inbox<Driver>>,
    replicas: BTreeMap<GroupId, Box<Replica>>,
    touched: BTreeSet<GroupId>,
    /// Those that do not rest: their time is counted.
    awake: BTreeSet<GroupId>,
    hearing: Hearing,
    /// Campaigns that wait for their turn: when, where, against whom.
    campaigns: Vec<(Instant, GroupId, ReplicaId)>,
    /// Messages of all groups of one round, so that each peer gets one write.
    outbox: BTreeMap<NodeId, Vec<Envelope>>,
    tickets: u64,
    beats: Beats,
    syncs: Arc<Mutex<Syncs>>,
    next_beat: Instant,
    next_tick: Instant,
    ticks: u64,
}

/// How often nodes tell each other of their clocks and disks.
const BEAT: Duration = Duration::from_millis(100);
/// For how long what a majority said of the time is relied on without hearing of it again, µs.
const RELIANCE: i64 = 1_000_000;
/// In so many ticks groups that rest are told what time it is. Less than [`RELIANCE`].
const SELDOM: u64 = 10;
/// How long a group may rest before it looks whether it may, whatever happens.
const LONGEST_REST: Duration = Duration::from_secs(60);

impl Work for Driver {
    type Input = Input;

    fn is_patient(input: &Input) -> bool {
        match input {
            Input::Propose { .. } | Input::Read { .. } | Input::Messages { .. } | Input::Beat { .. } => false,
            Input::Persisted { .. } | Input::Applied { .. } => false,
            // All else is rare, and some of it touches files or waits for other threads to end.
            _ => true,
        }
    }

    fn take(&mut self, input: Input) {
        self.take_in(input);
    }

    fn perform(&mut self) {
        self.keep_time();
        self.perform_all();
    }

    fn due(&self) -> Instant {
        self.campaigns.iter().map(|c| c.0).fold(self.next_tick, Instant::min)
    }
}

impl Driver {
    fn stop(mut self) {
        self.stopping.store(true, Ordering::Relaxed);
        for (_, replica) in std::mem::take(&mut self.replicas) {
            stop_replica(replica);
        }
    }

    fn with(&mut self, group: GroupId, f: impl FnOnce(&mut Replica)) {
        if let Some(replica) = self.replicas.get_mut(&group) {
            if replica.core.is_resting() {
                let Moment { wall, monotonic } = moment();
                let belief = replica.shared.belief(monotonic);
                replica.core.step(Event::Clock(Reading { wall, monotonic, belief }));
            }
            f(replica);
            self.touched.insert(group);
        }
    }

    fn step(&mut self, group: GroupId, event: Event) {
        self.with(group, |r| r.core.step(event));
    }

    fn take_in(&mut self, input: Input) {
        match input {
            Input::Propose { group, proposal, term, reply } => {
                self.tickets += 1;
                let ticket = self.tickets;
                self.with(group, |r| r.propose(Ticketed { ticket, term, proposal }, reply));
            }
            Input::Read { group, reply } => {
                self.tickets += 1;
                let read = self.tickets;
                self.with(group, |r| {
                    r.reads.insert(read, reply);
                    r.new_reads.push(read);
                });
            }
            Input::Messages { from, messages } => self.take_messages(from, messages),
            Input::Snapshot { from, envelope, file } => self.take_snapshot(from, envelope, file),
            Input::Beat { from, beat, at } => self.heard(from, &beat, at),
            Input::Unreachable(node) => self.each_on(node, |r, replica| r.core.step(Event::Unreachable(replica))),
            Input::PeerDown(node) => self.peer_down(node),
            Input::Persisted { group, number } => self.step(group, Event::Persisted(number)),
            Input::Applied { group, index, durable } => self.with(group, |r| {
                r.core.step(Event::Applied(index));
                r.core.step(Event::Durable(durable));
            }),
            Input::Halted { group, halt } => self.halted(group, halt),
            Input::ApplyFails { group, why } => self.apply_fails(group, why),
            Input::LogFails(why) => self.log_fails(why),
            Input::Fetched { group, fetch, entries } => self.step(group, Event::Fetched { fetch, entries }),
            Input::Built { group, file, result } => self.built(group, file, result),
            Input::SnapshotSent { group, to, ok } => self.step(group, Event::SnapshotSent { to, ok }),
            Input::Noted { group } => self.with(group, |r| {
                if let Some((meta, _, file)) = &r.installing {
                    r.apply.send(ApplyJob::Install { file: file.clone(), meta: meta.clone() });
                }
            }),
            Input::Replaced { group, floor } => self.replaced(group, floor),
            Input::LogReset { group, floor } => self.log_reset(group, floor),
            Input::Transfer { group, to } => self.with(group, |r| {
                let target = to.and_then(|node| r.nodes.iter().find(|(_, n)| **n == node).map(|(id, _)| *id));
                if to.is_none() || target.is_some() {
                    r.core.step(Event::TransferLeader(target));
                }
            }),
            Input::Change { group, change, reply } => {
                self.tickets += 1;
                let ticket = self.tickets;
                self.with(group, |r| {
                    r.changes.insert(ticket, reply);
                    if let Change::AddLearner(replica, node) = change {
                        learn(r, [(replica, node)]);
                    }
                    r.core.step(Event::ChangeMembership { ticket, change });
                });
            }
            Input::SetNodes { group, nodes, leaving } => self.with(group, |r| {
                r.leaving = leaving;
                learn(r, nodes);
            }),
            Input::Begin(group) => self.step(group, Event::Begin),
            Input::Kept { group, index } => self.step(group, Event::Kept(index)),
            Input::Skip { group, at } => self.step(group, Event::Skip(at)),
            Input::Retry(group) => self.with(group, |r| r.apply.send(ApplyJob::Look)),
            Input::DiskFull(full) => {
                self.disk_full = full;
                self.each(|r, _| {
                    r.shared.set_disk_full(full);
                    r.core.step(Event::DiskFull(full));
                });
            }
            Input::AddGroup(mut replica) => {
                replica.shared.set_disk_full(self.disk_full);
                replica.core.step(Event::DiskFull(self.disk_full));
                replica.show_state(self.log_fails.as_ref());
                self.touched.insert(replica.shared.group);
                let silent = replica.nodes.iter().filter(|(_, node)| self.hearing.is_silent(**node)).map(|(id, _)| *id);
                for id in silent.collect::<Vec<_>>() {
                    replica.core.step(Event::Silent { replica: id, ticks: SILENT });
                }
                self.replicas.insert(replica.shared.group, replica);
            }
            Input::RemoveGroup { group, forget, done } => {
                let replica = self.replicas.remove(&group);
                self.awake.remove(&group);
                if forget {
                    self.log_job(vec![LogWrite::Remove(group)], true, Vec::new(), None);
                }
                // What it is applying may take long, and the others do not wait for that.
                let stop = move || {
                    if let Some(replica) = replica {
                        stop_replica(replica);
                    }
                    let _ = done.send(());
                };
                let thread = std::thread::Builder::new().name(format!("stop-{group}")).spawn(stop);
                if let Err(error) = thread {
                    tracing::warn!(%group, %error, "a replica that was removed is not taken down in order");
                }
            }
            Input::Stop => unreachable!("ends the driver's thread"),
        }
    }

    fn take_messages(&mut self, from: NodeId, messages: Vec<Envelope>) {
        self.hears(from);
        for Envelope { group, message } in messages {
            // The snapshot's message comes with its file, never alone.
            if message.get_msg_type() == MessageType::MsgSnapshot {
                continue;
            }
            self.with(group, |r| {
                if lives_on(r, ReplicaId(message.from), from) {
                    r.core.step(Event::Peer(message));
                }
            });
        }
    }

    fn take_snapshot(&mut self, from: NodeId, envelope: Envelope, file: PathBuf) {
        let known = self.replicas.contains_key(&envelope.group);
        if !known || snapshot_meta(&envelope.message).is_none() {
            return discard(&file);
        }
        let group = envelope.group;
        // Decide now what became of the file: nothing else may come between message and file.
        self.perform_group(group);
        self.with(group, |r| {
            r.arrived = Some(file);
            if !lives_on(r, ReplicaId(envelope.message.from), from) {
                return;
            }
            r.core.step(Event::Peer(envelope.message));
        });
        self.perform_group(group);
        if let Some(file) = self.replicas.get_mut(&group).and_then(|r| r.arrived.take()) {
            discard(&file);
        }
    }

    fn each(&mut self, mut f: impl FnMut(&mut Replica, Option<&String>)) {
        for (group, replica) in &mut self.replicas {
            f(replica, self.log_fails.as_ref());
            self.touched.insert(*group);
        }
    }

    fn each_on(&mut self, node: NodeId, mut f: impl FnMut(&mut Replica, ReplicaId)) {
        for (group, replica) in &mut self.replicas {
            let there: Vec<ReplicaId> = replica.nodes.iter().filter(|(_, n)| **n == node).map(|(r, _)| *r).collect();
            for id in there {
                f(replica, id);
                self.touched.insert(*group);
            }
        }
    }

    /// The process of `node` is gone. Where it led, the voters campaign one after the other, by id, so that the first
    /// has usually won before the second begins. Messages of it that are still on their way, on other connections, do
    /// not bring it back to life.
    fn peer_down(&mut self, node: NodeId) {
        let now = Instant::now();
        let step = self.config.campaign_step;
        let mut campaigns = Vec::new();
        self.each_on(node, |replica, dead| {
            replica.core.step(Event::Unreachable(dead));
            let Some(rank) = replica.core.succession(dead) else { return };
            let jitter = Duration::from_micros(rand::random_range(0..2000));
            campaigns.push((now + step * rank as u32 + jitter, replica.shared.group, dead));
        });
        self.campaigns.extend(campaigns);
    }

    /// Tells all others of this node's clock and disk.
    fn beat(&mut self) {
        let replicas = self.replicas.values();
        let others: BTreeSet<NodeId> = replicas.flat_map(|r| r.nodes.values().copied()).collect();
        for node in others.into_iter().filter(|node| *node != self.config.node) {
            self.hearing.expect(node);
            self.beat_to(node);
        }
    }

    fn beat_to(&self, node: NodeId) {
        let now = moment();
        let sync = self.syncs.lock().at_present(now.monotonic);
        self.transport.beat(node, &self.beats.beat(node, now, sync));
    }

    /// A sign of life of a node.
    fn hears(&mut self, node: NodeId) {
        if self.hearing.hear(node) {
            self.each_on(node, |replica, id| replica.core.step(Event::Heard(id)));
        }
    }

    /// A tick has passed. The groups of a node that is silent wake: they have to see for themselves.
    fn listen(&mut self) {
        for node in self.hearing.tick() {
            self.each_on(node, |replica, id| replica.core.step(Event::Silent { replica: id, ticks: SILENT }));
        }
    }

    fn heard(&mut self, from: NodeId, beat: &Beat, at: i64) {
        self.hears(from);
        if self.beats.heard(from, beat, at) {
            self.beat_to(from);
        }
        // Somebody may wait for a majority to be heard.
        let unsure = |r: &Replica| r.core.leadership().role == Role::Leader && r.shared.belief(at).is_none();
        if self.awake.iter().filter_map(|group| self.replicas.get(group)).any(|r| unsure(r)) {
            self.tell_time(false);
        }
    }

    /// Tells each replica what time it is, and each leader who had better not lead; of those that rest, only if `all`.
    fn tell_time(&mut self, all: bool) {
        let now = moment();
        let own_sync = self.syncs.lock().at_present(now.monotonic);
        let me = self.config.node;
        // Most groups have the same voters.
        let mut beliefs: HashMap<Vec<NodeId>, Option<Belief>> = HashMap::new();
        for (group, replica) in &mut self.replicas {
            let rests = !self.awake.contains(group);
            if rests && !all {
                continue;
            }
            let voters = &replica.core.membership().voters;
            let voters: Vec<NodeId> = voters.iter().filter_map(|voter| replica.nodes.get(voter).copied()).collect();
            let belief = *beliefs.entry(voters.clone()).or_insert_with(|| self.beats.belief(&voters, now));
            let ahead = |belief: Belief| (now.wall - now.monotonic - belief.reached, belief.error);
            let excess = belief.map_or(0, |belief| belief.excess(now.wall - now.monotonic, 0));
            let mut unfit = (excess != 0).then_some(Unfit::Clock(excess));
            if rests && unfit.is_none() && replica.shared.clock.lock().1.is_none() {
                *replica.shared.belief.lock() = belief.map(|belief| (belief, now.monotonic + RELIANCE));
                *replica.shared.clock.lock() = (belief.map(ahead), None);
                continue;
            }
            let leads = replica.core.leadership().role == Role::Leader;
            if leads {
                let judged = replica.judge.unfit((me, own_sync), &self.beats, &voters, now);
                unfit = judged.get(&me).copied();
                let had_better_not = |node: &NodeId| judged.contains_key(node) || replica.leaving.contains(node);
                let replicas = replica.nodes.iter().filter(|(_, node)| had_better_not(node));
                let replicas = replicas.map(|(replica, _)| *replica).collect();
                replica.core.step(Event::Unfit(replicas));
            }
            note_fitness(*group, leads, replica.shared.clock.lock().1, unfit);
            *replica.shared.belief.lock() = belief.map(|belief| (belief, now.monotonic + RELIANCE));
            *replica.shared.clock.lock() = (belief.map(ahead), unfit);
            replica.core.step(Event::Clock(Reading { wall: now.wall, monotonic: now.monotonic, belief }));
            self.touched.insert(*group);
        }
    }

    fn keep_time(&mut self) {
        let now = Instant::now();
        let due: Vec<_> = self.campaigns.extract_if(.., |c| c.0 <= now).collect();
        for (_, group, dead) in due {
            self.step(group, Event::Campaign { dead });
        }
        if now < self.next_tick {
            return;
        }
        // After a pause of the process, one tick: time that nobody saw pass must not end a leadership.
        self.next_tick = now + self.config.tick;
        self.ticks += 1;
        if now >= self.next_beat {
            self.next_beat = now + BEAT;
            self.beat();
        }
        self.listen();
        // Whoever has just come or woken is to be among the others.
        self.awake.extend(&self.touched);
        self.tell_time(self.ticks.is_multiple_of(SELDOM));
        let prune = self.ticks.is_multiple_of(20);
        let in_ticks = |time: Duration| (time.as_micros() / self.config.tick.as_micros().max(1)).max(1) as u64;
        let (turns, looks) = (in_ticks(IDLE), in_ticks(LONGEST_REST));
        for (group, replica) in &mut self.replicas {
            if replica.shared.retries.load(Ordering::Relaxed) {
                replica.apply.task.call();
            } else if (self.ticks + group.0).is_multiple_of(turns) {
                replica.apply.task.remind();
            }
            if !self.awake.contains(group) {
                if (self.ticks + group.0).is_multiple_of(looks) {
                    replica.core.step(Event::Wake);
                    self.touched.insert(*group);
                }
                continue;
            }
            self.touched.insert(*group);
            let leadership = replica.core.leadership();
            let leads = leadership.role == Role::Leader;
            // Raft's election timeout is fixed; candidates that miss ticks at random make it vary.
            if leadership.leader.is_some() || rand::random_range(0..4) > 0 {
                replica.core.step(Event::Tick);
            }
            if prune {
                forget_reads(replica);
            }
            if leads && self.ticks.is_multiple_of(10) {
                *replica.shared.matched.lock() = replica.core.matched();
            }
        }
    }

    fn perform_all(&mut self) {
        while let Some(group) = self.touched.pop_first() {
            self.perform_group(group);
        }
        for (node, messages) in std::mem::take(&mut self.outbox) {
            self.transport.send(node, messages);
        }
    }

    fn perform_group(&mut self, group: GroupId) {
        let Some(mut replica) = self.replicas.remove(&group) else { return };
        submit(&mut replica);
        for effect in replica.core.drain() {
            self.perform_effect(&mut replica, effect);
        }
        let shared = &replica.shared;
        shared.first.store(replica.core.first_index(), Ordering::Relaxed);
        shared.last.store(replica.core.last_index(), Ordering::Relaxed);
        shared.commit.store(replica.core.commit(), Ordering::Relaxed);
        if replica.waiting.is_empty() {
            replica.proposed = None;
        }
        match replica.core.is_resting() {
            true => self.awake.remove(&group),
            false => self.awake.insert(group),
        };
        self.replicas.insert(group, replica);
    }

    fn perform_effect(&mut self, replica: &mut Replica, effect: Effect) {
        let group = replica.shared.group;
        match effect {
            Effect::Send(messages) => {
                for (node, envelope) in address(replica, messages) {
                    self.outbox.entry(node).or_default().push(envelope);
                }
            }
            Effect::SendSnapshot { message, meta } => self.send_snapshot(replica, message, meta),
            Effect::Persist { number, entries, hard_state, sync, then_send } => {
                let mut writes = Vec::with_capacity(2);
                if !entries.is_empty() {
                    writes.push(LogWrite::Append(group, entries));
                }
                writes.extend(hard_state.map(|h| LogWrite::HardState(group, h)));
                let messages = address(replica, then_send);
                self.log_job(writes, sync, messages, Some(Input::Persisted { group, number }));
            }
            Effect::Fetch(fetch) => {
                self.fetches.send((group, fetch));
            }
            Effect::Apply(entries) => {
                replica.apply.send(ApplyJob::Apply(entries, Instant::now()));
            }
            Effect::ReadReady { reads, index } => {
                for read in reads {
                    if let Some(reply) = replica.reads.remove(&read) {
                        replica.shared.when_applied(index, reply);
                    }
                }
            }
            Effect::Leadership(leadership) => publish_leadership(replica, leadership),
            Effect::BuildSnapshot => {
                let file = self.config.snapshots.join(format!("{group}-{}.snapshot", rand::random::<u32>()));
                replica.apply.send(ApplyJob::Snapshot(file));
            }
            Effect::InstallSnapshot { meta, hard_state } => {
                let file = replica.arrived.take().expect("a snapshot's message comes with its file");
                self.log_job(
                    vec![LogWrite::Installing(group, meta.clone())],
                    true,
                    vec![],
                    Some(Input::Noted { group }),
                );
                replica.installing = Some((meta, hard_state, file));
                replica.show_state(self.log_fails.as_ref());
            }
            Effect::Compact(to) => self.log_job(vec![LogWrite::Compact(group, to)], false, Vec::new(), None),
            Effect::Appended { index, tickets } => {
                let replies = tickets.iter().map(|ticket| replica.waiting.remove(ticket)).collect();
                let appended = Instant::now();
                if let Some(proposed) = replica.proposed {
                    trace::note(group, index, |stages| {
                        (stages.proposed, stages.appended) = (trace::nanos(proposed), trace::nanos(appended));
                    });
                    replica.shared.measured.queue.observe((appended - proposed).as_secs_f64());
                }
                replica.shared.waiters.lock().insert(index, Waiters { replies, appended });
            }
            Effect::Refused { tickets, why } => refuse(replica, tickets, why),
            Effect::OutcomesUnknown => replica.shared.outcomes_unknown(),
            Effect::Membership(membership, nodes) => {
                *replica.shared.membership.lock() = membership;
                learn(replica, nodes);
            }
            Effect::Skip(at) => {
                tracing::warn!(%group, ?at, "the group has recorded an entry as failed");
                replica.shared.brake.skip(at);
                replica.apply.send(ApplyJob::Look);
            }
            Effect::Doubt(index) => replica.shared.brake.doubt(index),
            Effect::GoOn(index) => {
                replica.shared.brake.go_on(index);
                replica.apply.send(ApplyJob::Look);
            }
            Effect::Refuted { from, why } => refuted(replica, from, &why),
            Effect::Changed { ticket, result } => {
                if let Some(reply) = replica.changes.remove(&ticket) {
                    let _ = reply.send(result);
                }
            }
        }
    }

    fn log_job(&self, writes: Vec<LogWrite>, sync: bool, messages: Vec<(NodeId, Envelope)>, done: Option<Input>) {
        self.log.send(LogJob { writes, sync, messages, done });
    }

    fn send_snapshot(&mut self, replica: &mut Replica, message: Message, meta: SnapshotMeta) {
        let (group, to) = (replica.shared.group, ReplicaId(message.to));
        let inbox = self.inbox.clone();
        let done = Box::new(move |ok| {
            let _ = inbox.post(Input::SnapshotSent { group, to, ok });
        });
        match (replica.nodes.get(&to), &replica.built) {
            (Some(node), Some((built, file))) if *built == meta => {
                tracing::info!(%group, %to, index = meta.at.index, bytes = meta.length, "sending a snapshot");
                self.transport.send_snapshot(*node, Envelope { group, message }, file, &meta, done);
            }
            _ => done(false),
        }
    }

    fn built(&mut self, group: GroupId, file: PathBuf, result: Result<SnapshotMeta, Halt>) {
        if !self.replicas.contains_key(&group) {
            return discard(&file);
        }
        self.with(group, |r| match result {
            Ok(meta) => {
                // A transfer under way has the old file open.
                if let Some((_, old)) = r.built.replace((meta.clone(), file)) {
                    discard(&old);
                }
                r.core.step(Event::SnapshotBuilt(meta));
            }
            Err(halt) => {
                tracing::warn!(%group, %halt, "building a snapshot failed");
                discard(&file);
                r.core.step(Event::SnapshotFailed);
            }
        });
    }

    fn replaced(&mut self, group: GroupId, floor: i64) {
        let Some((meta, hard, _)) = self.replicas.get(&group).and_then(|r| r.installing.clone()) else { return };
        let reset = LogWrite::Reset(group, meta.at, hard);
        self.log_job(vec![reset], true, Vec::new(), Some(Input::LogReset { group, floor }));
    }

    fn log_reset(&mut self, group: GroupId, floor: i64) {
        let log = self.log_fails.clone();
        self.with(group, |r| {
            if let Some((_, _, file)) = r.installing.take() {
                discard(&file);
            }
            r.core.step(Event::SnapshotInstalled { floor });
            r.halt.take_if(|halt| matches!(halt, Halt::Diverged { .. } | Halt::Overruled(_) | Halt::Rotten(_)));
            r.show_state(log.as_ref());
        });
    }

    fn halted(&mut self, group: GroupId, halt: Halt) {
        tracing::error!(%group, %halt, "replica stopped serving");
        let log = self.log_fails.clone();
        self.with(group, |r| {
            r.core.step(match halt {
                Halt::Diverged { .. } | Halt::Overruled(_) | Halt::Rotten(_) => Event::Diverged,
                Halt::Environment(_) | Halt::Corrupt(_) => Event::Halted,
            });
            r.halt = Some(halt);
            r.show_state(log.as_ref());
        });
    }

    fn apply_fails(&mut self, group: GroupId, why: Option<String>) {
        match &why {
            Some(why) => tracing::error!(%group, why, "replica does not serve for now; it goes on by itself"),
            None => tracing::info!(%group, "replica goes on"),
        }
        let log = self.log_fails.clone();
        self.with(group, |r| {
            r.failing = why;
            r.show_state(log.as_ref());
        });
    }

    fn log_fails(&mut self, why: Option<String>) {
        match &why {
            Some(why) => tracing::error!(why, "the node's replicas do not serve for now; they go on by themselves"),
            None => tracing::info!("the raft log can be written again"),
        }
        self.log_fails = why;
        self.each(|r, log| r.show_state(log));
    }
}

/// Hands the proposals and reads of the round to the core.
fn submit(replica: &mut Replica) {
    if !replica.proposals.is_empty() {
        let mut proposals = Vec::with_capacity(replica.proposals.len());
        for (ticketed, reply) in replica.proposals.drain(..) {
            replica.waiting.insert(ticketed.ticket, reply);
            proposals.push(ticketed);
        }
        let Moment { wall, monotonic } = moment();
        let clock = Reading { wall, monotonic, belief: replica.shared.belief(monotonic) };
        replica.core.step(Event::Propose { proposals, clock, seed: rand::random() });
    }
    if !replica.new_reads.is_empty() {
        replica.core.step(Event::ReadIndex(std::mem::take(&mut replica.new_reads)));
    }
}

fn refuse(replica: &mut Replica, tickets: Vec<u64>, why: Refused) {
    let leader = replica.shared.leadership.borrow().leader_node;
    let error = match why {
        Refused::NotLeader => ProposeError::NotLeader { leader },
        Refused::Dropped => ProposeError::Dropped,
        Refused::Overloaded => ProposeError::Overloaded,
        Refused::DiskFull => ProposeError::DiskFull,
        Refused::Halted => ProposeError::Halted(replica.shared.out_of_service().unwrap_or_default()),
    };
    for reply in tickets.iter().filter_map(|ticket| replica.waiting.remove(ticket)) {
        let _ = reply.send(Err(error.clone()));
    }
}

fn publish_leadership(replica: &Replica, now: Leadership) {
    let leader_node = now.leader.and_then(|id| replica.nodes.get(&id).copied());
    let Leadership { role, term, leader } = now;
    tracing::info!(group = %replica.shared.group, replica = %replica.shared.replica, ?role, term, ?leader, "leadership");
    let before = replica.shared.leadership.send_replace(GroupLeadership { role, term, leader, leader_node });
    if leader.is_some() && (before.leader, before.term) != (leader, term) {
        replica.shared.measured.leaders.inc();
    }
    if role != Role::Leader {
        replica.shared.matched.lock().clear();
    }
}

fn learn(replica: &mut Replica, nodes: impl IntoIterator<Item = (ReplicaId, NodeId)>) {
    let mut news = false;
    for (id, node) in nodes {
        news |= replica.nodes.insert(id, node) != Some(node);
    }
    if news {
        *replica.shared.nodes.lock() = replica.nodes.clone();
        let known = &replica.nodes;
        replica.shared.leadership.send_if_modified(|l| {
            let node = l.leader.and_then(|id| known.get(&id).copied());
            std::mem::replace(&mut l.leader_node, node) != node
        });
    }
}

/// Whether a node may speak for a replica: it lives there, or nothing is known of it yet and this teaches it.
fn lives_on(replica: &mut Replica, id: ReplicaId, node: NodeId) -> bool {
    match replica.nodes.get(&id) {
        Some(known) if *known == node => true,
        Some(_) => {
            refuted(replica, id, &"the replica does not live on the node that speaks for it");
            false
        }
        None => {
            learn(replica, [(id, node)]);
            true
        }
    }
}

/// Counts a message that no correct replica can have sent, and says so now and then.
fn refuted(replica: &Replica, from: ReplicaId, why: &dyn std::fmt::Display) {
    let count = replica.shared.refuted.fetch_add(1, Ordering::Relaxed) + 1;
    if count.is_power_of_two() {
        tracing::warn!(group = %replica.shared.group, %from, %why, count, "refused a peer's message");
    }
}

fn address(replica: &Replica, messages: Vec<Message>) -> Vec<(NodeId, Envelope)> {
    let group = replica.shared.group;
    let known = |m: Message| replica.nodes.get(&ReplicaId(m.to)).map(|n| (*n, Envelope { group, message: m }));
    messages.into_iter().filter_map(known).collect()
}

/// Reads whose callers gave up.
fn forget_reads(replica: &mut Replica) {
    let gone: BTreeSet<u64> = replica.reads.iter().filter(|(_, r)| r.is_closed()).map(|(id, _)| *id).collect();
    if !gone.is_empty() {
        replica.reads.retain(|id, _| !gone.contains(id));
        replica.core.step(Event::CancelReads(gone));
    }
    let mut readers = replica.shared.readers.lock();
    readers.retain(|_, replies| {
        replies.retain(|r| !r.is_closed());
        !replies.is_empty()
    });
}

fn stop_replica(mut replica: Box<Replica>) {
    replica.apply.task.end();
    replica.shared.set_state(ReplicaState::Stopped);
    for reply in
        replica.proposals.drain(..).map(|(_, reply)| reply).chain(std::mem::take(&mut replica.waiting).into_values())
    {
        let _ = reply.send(Err(ProposeError::NotLeader { leader: None }));
    }
    let stopped = GroupLeadership { term: replica.shared.leadership.borrow().term, ..GroupLeadership::default() };
    replica.shared.leadership.send_replace(stopped);
    for file in [replica.built.map(|b| b.1), replica.arrived, replica.installing.map(|i| i.2)].into_iter().flatten() {
        discard(&file);
    }
}

fn discard(file: &Path) {
    if let Err(error) = std::fs::remove_file(file) {
        tracing::warn!(file = %file.display(), %error, "could not delete a snapshot's file");
    }
}

fn moment() -> Moment {
    Moment { wall: clock::now_micros(), monotonic: clock::monotonic_micros() }
}

/// Says when a node begins, or ends, to be one that had better not lead.
fn note_fitness(group: GroupId, leads: bool, was: Option<Unfit>, now: Option<Unfit>) {
    match (was, now) {
        (None, Some(why)) if leads => {
            tracing::warn!(%group, "this node should not lead, and hands over if another one can take over: {why}");
        }
        (None, Some(why)) => tracing::warn!(%group, "this node should not lead: {why}"),
        (Some(_), None) => tracing::info!(%group, "this node may lead again"),
        _ => {}
    }
}

// --- the log thread -----------------------------------------------------------------------------------------------

/// Writes, then messages that may leave once they are durable, then the report.
struct LogJob {
    writes: Vec<LogWrite>,
    sync: bool,
    messages: Vec<(NodeId, Envelope)>,
    done: Option<Input>,
}

struct LogThread {
    log: Arc<dyn RaftLog>,
    transport: Arc<dyn Transport>,
    inbox: Arc<Inbox<Driver>>,
    patience: Duration,
    stopping: Arc<AtomicBool>,
    syncs: Arc<Mutex<Syncs>>,
}

/// How often disk space is given back.
const MAINTENANCE: Duration = Duration::from_secs(1);

/// The entries among what was just written, for those who trace statements.
fn note_sync(writes: &[LogWrite], begun: Instant) {
    if !trace::is_on() {
        return;
    }
    let (begun, now) = (trace::nanos(begun), trace::nanos(Instant::now()));
    for write in writes {
        let LogWrite::Append(group, entries) = write else { continue };
        for entry in entries {
            trace::note(*group, entry.index, |stages| (stages.sync_begun, stages.synced) = (begun, now));
        }
    }
}

impl LogThread {
    fn run(self, jobs: Receiver<LogJob>) {
        let mut maintained = Instant::now();
        loop {
            let Ok(jobs) = jobs.take(MAINTENANCE) else { return };
            if !jobs.is_empty() && !self.write(jobs) {
                return;
            }
            if maintained.elapsed() >= MAINTENANCE {
                maintained = Instant::now();
                if let Err(error) = self.log.maintain() {
                    tracing::warn!(%error, "raft log: maintenance failed");
                }
            }
        }
    }

    /// False when the node is to stop and the writes could not be made.
    fn write(&self, jobs: VecDeque<LogJob>) -> bool {
        let sync = jobs.iter().any(|j| j.sync);
        let (mut writes, mut outbox, mut reports, mut campaign) = (Vec::new(), BTreeMap::new(), Vec::new(), false);
        for job in jobs {
            writes.extend(job.writes);
            reports.extend(job.done);
            for (node, envelope) in job.messages {
                campaign |= envelope.message.get_msg_type() == MessageType::MsgRequestVote;
                outbox.entry(node).or_insert_with(Vec::new).push(envelope);
            }
        }
        if !writes.is_empty() && !self.insist(&writes, sync) {
            return false;
        }
        // raft-rs wants to know of the writes before the answers to a campaign can arrive. Acknowledgements go first.
        if campaign {
            reports.drain(..).for_each(|r| drop(self.inbox.post(r)));
        }
        for (node, messages) in outbox {
            self.transport.send(node, messages);
        }
        reports.into_iter().for_each(|r| drop(self.inbox.post(r)));
        true
    }

    /// Nothing leaves before it is written, so a disk that is full or fails is waited for, until the node is to stop.
    /// A damaged log ends the process.
    fn insist(&self, writes: &[LogWrite], sync: bool) -> bool {
        let mut trouble = Trouble::new(self.patience);
        loop {
            if sync {
                self.syncs.lock().begin(clock::monotonic_micros());
            }
            let begun = Instant::now();
            let written = self.log.write(writes, sync);
            if sync {
                TELEMETRY.log_sync.observe(begun.elapsed().as_secs_f64());
                note_sync(writes, begun);
            }
            if sync {
                self.syncs.lock().end(clock::monotonic_micros());
            }
            match written {
                Ok(()) => break,
                Err(error @ LogError::Io(_)) if trouble.again(&error) => {
                    let _ = self.inbox.post(Input::LogFails(Some(error.to_string())));
                }
                Err(LogError::Io(_)) => {}
                Err(error) => panic!("raft log: {error}"),
            }
            if self.stopping.load(Ordering::Relaxed) {
                return false;
            }
            std::thread::sleep(trouble.pause());
        }
        if trouble.told {
            let _ = self.inbox.post(Input::LogFails(None));
        }
        true
    }
}

/// Work that fails for a reason outside of the process: when to try again, and when to say so.
struct Trouble {
    /// When patience ends.
    until: Instant,
    pause: Duration,
    next: Instant,
    told: bool,
}

const MAX_PAUSE: Duration = Duration::from_secs(1);

impl Trouble {
    fn new(patience: Duration) -> Trouble {
        let now = Instant::now();
        Trouble { until: now + patience, pause: Duration::from_millis(5), next: now, told: false }
    }

    /// Notes a failure; true, once, when it is time to say so.
    fn again(&mut self, reason: &dyn std::fmt::Display) -> bool {
        let now = Instant::now();
        if self.next <= self.until {
            tracing::warn!(%reason, "work fails, trying again");
        } else {
            tracing::debug!(%reason, "work still fails");
        }
        self.pause = (self.pause * 2).min(MAX_PAUSE);
        self.next = now + self.pause;
        !self.told && now >= self.until && !std::mem::replace(&mut self.told, true)
    }

    fn pause(&self) -> Duration {
        self.next.saturating_duration_since(Instant::now())
    }
}

// --- the reader thread --------------------------------------------------------------------------------------------

/// Reads what cores want from the log. Entries that are not there have been cut off or replaced meanwhile.
fn read_entries(log: &dyn LogReader, wanted: &Receiver<(GroupId, Fetch)>, inbox: &Inbox<Driver>) {
    while let Ok(fetches) = wanted.take(MAINTENANCE) {
        for (group, fetch) in fetches {
            read_some(log, group, fetch, inbox);
        }
    }
}

fn read_some(log: &dyn LogReader, group: GroupId, fetch: Fetch, inbox: &Inbox<Driver>) {
    let entries = match log.entries(group, fetch.low, fetch.high, fetch.max_bytes) {
        Ok(entries) => Some(entries),
        Err(LogError::Missing { .. }) => None,
        Err(error @ LogError::Io(_)) => {
            tracing::warn!(%group, %error, "old entries cannot be read for now");
            None
        }
        Err(error @ LogError::Corrupt(_)) => {
            let _ = inbox.post(Input::Halted { group, halt: Halt::Corrupt(error.to_string()) });
            None
        }
    };
    let _ = inbox.post(Input::Fetched { group, fetch, entries });
}

// --- the apply thread ---------------------------------------------------------------------------------------------

enum ApplyJob {
    /// These were committed at this time.
    Apply(Vec<Committed>, Instant),
    Install {
        file: PathBuf,
        meta: SnapshotMeta,
    },
    /// Build a snapshot into the file.
    Snapshot(PathBuf),
    /// What may be applied has changed.
    Look,
}

/// At this many groups something may be applied at a time.
static APPLIERS: Workers = Workers::new("apply", 128);

/// The way to a group's state machine.
struct Applying {
    jobs: Sender<ApplyJob>,
    task: Arc<Task<Applier>>,
}

impl Applying {
    fn send(&self, job: ApplyJob) {
        self.jobs.send(job);
        self.task.call();
    }
}

struct Applier {
    jobs: Receiver<ApplyJob>,
    /// When the state machine last had time of its own.
    idled: Instant,
    machine: Box<dyn StateMachine>,
    brake: Arc<Brake>,
    /// Up to here entries are applied one by one, and each is noted before: see [`Brake`].
    risky: u64,
    shared: Arc<Shared>,
    inbox: Arc<Inbox<Driver>>,
    patience: Duration,
    /// Committed and not applied.
    entries: Vec<Committed>,
    /// When those from an index on were committed.
    committed: Vec<(u64, Instant)>,
    /// A snapshot that replaces the state.
    install: Option<(PathBuf, SnapshotMeta)>,
    /// What is to be done cannot be done now.
    trouble: Option<Trouble>,
    /// The machine must not go on; a snapshot may cure it.
    failed: bool,
    /// The durable index last reported.
    told: u64,
}

/// How often the state machine gets time of its own.
const IDLE: Duration = Duration::from_secs(1);

impl Applier {
    /// Does what has come, everything committed meanwhile in one call.
    fn turn(&mut self) {
        let jobs = self.jobs.take(Duration::ZERO).unwrap_or_default();
        jobs.into_iter().for_each(|job| self.take(job));
        self.work();
        self.shared.retries.store(self.trouble.is_some(), Ordering::Relaxed);
        let nothing = self.jobs.is_empty() && self.entries.is_empty() && self.install.is_none();
        if nothing || self.idled.elapsed() > IDLE {
            self.idled = Instant::now();
            self.idle();
        }
    }

    fn take(&mut self, job: ApplyJob) {
        match job {
            ApplyJob::Apply(entries, at) if !self.failed => {
                self.committed.extend(entries.first().map(|first| (first.at.index, at)));
                self.entries.extend(entries);
            }
            ApplyJob::Apply(..) => {}
            ApplyJob::Snapshot(file) => {
                self.work();
                self.snapshot(file);
            }
            ApplyJob::Install { file, meta } => {
                // What is not applied is in the snapshot.
                self.committed.clear();
                self.entries.clear();
                self.install = Some((file, meta));
                self.work();
            }
            ApplyJob::Look => {}
        }
    }

    fn work(&mut self) {
        if self.trouble.as_ref().is_some_and(|trouble| !trouble.pause().is_zero()) {
            return;
        }
        let done = if self.install.is_some() { self.install() } else { self.apply() };
        match done {
            Ok(()) => {
                if self.trouble.take().is_some_and(|trouble| trouble.told) {
                    let _ = self.inbox.post(Input::ApplyFails { group: self.shared.group, why: None });
                }
            }
            Err(Halt::Environment(reason)) => {
                let patience = self.patience;
                if self.trouble.get_or_insert_with(|| Trouble::new(patience)).again(&reason) {
                    let _ = self.inbox.post(Input::ApplyFails { group: self.shared.group, why: Some(reason) });
                }
            }
            Err(halt) => self.fail(halt),
        }
    }

    fn apply(&mut self) -> Result<(), Halt> {
        let applied = self.machine.applied().index;
        self.entries.retain(|e| e.at.index > applied);
        while let Some(first) = self.entries.first() {
            let done = match self.brake.way(&self.entries) {
                Way::Held => return Ok(()),
                Way::Skip => {
                    tracing::warn!(group = %self.shared.group, at = ?first.at, "recording an entry as failed");
                    self.machine.skip(first)
                }
                Way::Free(count) if first.at.index > self.risky => self.machine.apply(&self.entries[..count]),
                Way::Free(_) => {
                    self.brake.risk(first.at);
                    self.machine.apply(&self.entries[..1])
                }
            };
            match done {
                Ok(outcomes) => self.took(outcomes),
                // It was interrupted since there is another way now.
                Err(Halt::Environment(_)) if self.brake.interrupts() && !self.brake.stops() => {}
                Err(halt) => return Err(halt),
            }
        }
        Ok(())
    }

    /// More entries are in the state.
    fn took(&mut self, outcomes: Vec<Applied>) {
        let last = self.machine.applied();
        self.entries.retain(|entry| entry.at.index > last.index);
        self.brake.passed_by(last.index);
        if last.index >= self.risky && self.risky > 0 {
            self.risky = 0;
            self.brake.forget();
        }
        self.shared.publish_applied(last.index);
        let mut waiters = self.shared.waiters.lock();
        let (mut index, mut replies) = (0, Vec::new().into_iter());
        for outcome in outcomes {
            if outcome.index != index {
                index = outcome.index;
                let waiting = waiters.remove(&index);
                if let Some(waiting) = &waiting {
                    self.measure(index, waiting.appended);
                }
                replies = waiting.map(|w| w.replies).unwrap_or_default().into_iter();
            }
            if let Some(Some(reply)) = replies.next() {
                let _ = reply.send(Ok((index, outcome.outcome)));
            }
        }
        drop(waiters);
        if self.entries.is_empty() {
            self.committed.clear();
        }
        self.report();
    }

    /// An entry of this leader is applied.
    fn measure(&self, index: u64, appended: Instant) {
        let Some((_, at)) = self.committed.iter().rfind(|(first, _)| *first <= index) else { return };
        self.shared.measured.replicate.observe(at.saturating_duration_since(appended).as_secs_f64());
        self.shared.measured.apply.observe(at.elapsed().as_secs_f64());
        trace::note(self.shared.group, index, |stages| {
            (stages.committed, stages.applied) = (trace::nanos(*at), trace::nanos(Instant::now()));
        });
    }

    fn fail(&mut self, halt: Halt) {
        self.failed = true;
        self.committed.clear();
        self.entries.clear();
        self.install = None;
        let _ = self.inbox.post(Input::Halted { group: self.shared.group, halt });
    }

    fn idle(&mut self) {
        if self.failed {
            return;
        }
        match self.machine.idle() {
            // Nothing depends on a checkpoint: the next one may succeed.
            Err(Halt::Environment(reason)) => tracing::warn!(group = %self.shared.group, reason, "idle work failed"),
            Err(halt) => self.fail(halt),
            Ok(()) => {
                if self.machine.durable() > self.told {
                    self.report();
                }
            }
        }
    }

    fn report(&mut self) {
        let (index, durable) = (self.machine.applied().index, self.machine.durable());
        self.told = durable;
        let _ = self.inbox.post(Input::Applied { group: self.shared.group, index, durable });
    }

    fn snapshot(&mut self, file: PathBuf) {
        let group = self.shared.group;
        let inbox = self.inbox.clone();
        let job = self.machine.snapshot(file.clone());
        let done = move |result| {
            let _ = inbox.post(Input::Built { group, file, result });
        };
        let failed = done.clone();
        let thread = std::thread::Builder::new().name(format!("snapshot-{group}")).spawn(move || done(job()));
        if let Err(error) = thread {
            failed(Err(Halt::Environment(error.to_string())));
        }
    }

    fn install(&mut self) -> Result<(), Halt> {
        let Some((file, meta)) = &self.install else { return Ok(()) };
        self.machine.install(file, meta)?;
        self.failed = false;
        self.brake.passed(meta.at.index);
        self.shared.publish_applied(meta.at.index);
        let floor = self.machine.clock_floor();
        let _ = self.inbox.post(Input::Replaced { group: self.shared.group, floor });
        self.install = None;
        Ok(())
    }
}
