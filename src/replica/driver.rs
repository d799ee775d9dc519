//! The driver: performs what the conductor of a node wants done. All IO, clocks and chance of replicas are here.
//!
//! Threads of a node:
//! - the **driver** lets the [`Conductor`] take in what has come and decide, and performs its actions. It never waits for a disk
//!   or for a socket; so its work is done by whichever thread brings an input ([`super::inbox`]), and its own thread keeps time
//!   and does what is rare.
//! - the **log thread** writes what all groups queued while the last sync ran as one batch with one sync, then sends
//!   the messages that had to wait for it, then reports.
//! - the **apply threads** have the state machines, one group's on at most one thread at a time, and as many as there are groups
//!   with something to apply ([`crate::workers`]). What was committed meanwhile is applied in one call ([`super::apply`]), and the
//!   waiting clients are answered there.
//! - the **reader thread** reads old entries back from the log, for followers that lag.
//! - a thread for each snapshot being built.
//!
//! Appends to followers leave from the driver while the own sync runs; acknowledgements leave from the log thread.
//!
//! **When the machine fails it** (a full disk, no more file descriptors, a read error), the log thread and the appliers
//! try again for as long as it takes. When their patience is over the replica says why it does not serve, gives
//! the leadership up and lets nobody wait; when the work succeeds it serves again. What would not get better by
//! itself halts a replica until a restart: damaged files. A failed fsync ends the process.
//!
//! Not here: what follows from what. That is decided by [`Conductor`], which the simulation runs as well.

use super::apply::{Applier, Building, Desk, Report, Trouble};
use super::conductor::contract::{Action, ApplyJob, Askers, Input, LogJob, Member, Now, Time, Verdict};
use super::conductor::{Conductor, Settings};
use super::core::bootstrap;
use super::core::{ChangeError, Core, CoreConfig, Fetch, Improper, Role, Start};
use super::fitness::{Syncs, Unfit};
use super::handle::{
    AddGroupError, GroupConfig, GroupLeadership, NodeConfig, ProposeError, ReadError, ReplicaState, ReplicaStatus,
};
use super::inbox::{Inbox, Work};
use super::queue::{Receiver, Sender, queue};
use super::waiting::{Outcomes, Readers};
use super::{Applied, Halt, Membership};
use crate::clock::{self, Belief};
use crate::command::Outcome;
use crate::consensus::brake::Brake;
use crate::id::{GroupId, NodeId, ReplicaId};
use crate::raftlog::{LogError, LogReader, LogWrite, RaftLog, finish_install};
use crate::telemetry::{OfGroup, TELEMETRY};
use crate::trace;
use crate::transport::Transport;
use crate::workers::{Task, Workers};
use parking_lot::Mutex;
use raft::eraftpb::MessageType;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tokio::sync::{oneshot, watch};

/// Those who ask wait at channels.
pub(super) struct Channels;

type ProposeReply = oneshot::Sender<Result<(u64, Arc<Outcome>), ProposeError>>;
type ReadReply = oneshot::Sender<Result<u64, ReadError>>;

impl Askers for Channels {
    type Proposer = ProposeReply;
    type Reader = ReadReply;
    type Changer = oneshot::Sender<Result<(), ChangeError>>;

    fn has_left(reader: &ReadReply) -> bool {
        reader.is_closed()
    }
}

/// What comes to the driver.
pub(super) enum Asked {
    Step(Input<Channels>),
    AddGroup(Box<Prepared>),
    RemoveGroup { group: GroupId, forget: bool, done: oneshot::Sender<()> },
    Stop,
}

/// Why a read is refused that would have to wait for space.
const DISK_FULL: &str = "its disk is full and it lags behind the others";

// --- what handles see of a group ------------------------------------------------------------------------------------

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
    time: Mutex<Time>,
    syncs: Arc<Mutex<Syncs>>,
    /// The log takes no more entries for want of space.
    disk_full: AtomicBool,
    outcomes: Mutex<Outcomes<ProposeReply>>,
    readers: Mutex<Readers<ReadReply>>,
    /// What is to be applied could not be, and is to be tried again.
    retries: AtomicBool,
    pub(super) brake: Arc<Brake>,
}

impl Shared {
    /// The reason, when this replica neither reads nor proposes.
    pub(super) fn out_of_service(&self) -> Option<String> {
        self.state.lock().out_of_service()
    }

    pub(super) fn is_quiet(&self) -> bool {
        self.last.load(Ordering::Relaxed) <= self.applied.load(Ordering::Acquire)
    }

    pub(super) fn is_stopped(&self) -> bool {
        *self.state.lock() == ReplicaState::Stopped
    }

    pub(super) fn belief(&self, monotonic: i64) -> Option<Belief> {
        self.time.lock().belief.filter(|(_, until)| monotonic < *until).map(|(belief, _)| belief)
    }

    pub(super) fn when_applied(&self, index: u64, reply: ReadReply) {
        let mut readers = self.readers.lock();
        // The apply thread first publishes the index and then takes the lock: looked up under it, none is missed.
        if self.applied.load(Ordering::Acquire) >= index {
            let _ = reply.send(Ok(index));
        } else if self.disk_full.load(Ordering::Acquire) && index > self.last.load(Ordering::Relaxed) {
            let _ = reply.send(Err(ReadError::Halted(DISK_FULL.to_owned())));
        } else {
            readers.wait(index, reply);
        }
    }

    /// Without space, what is not in the log yet does not come soon.
    fn set_disk_full(&self, full: bool) {
        self.disk_full.store(full, Ordering::Release);
        if full {
            let missing = self.readers.lock().take_beyond(self.last.load(Ordering::Relaxed));
            for reply in missing {
                let _ = reply.send(Err(ReadError::Halted(DISK_FULL.to_owned())));
            }
        }
    }

    fn publish_applied(&self, index: u64) {
        self.applied.store(index, Ordering::Release);
        let mut readers = self.readers.lock();
        while let Some((index, replies)) = readers.ready(index) {
            for reply in replies {
                let _ = reply.send(Ok(index));
            }
        }
    }

    fn set_state(&self, state: ReplicaState) {
        if std::mem::replace(&mut *self.state.lock(), state.clone()) == state {
            return;
        }
        if let Some(reason) = state.out_of_service() {
            let readers = self.readers.lock().take();
            for reply in readers {
                let _ = reply.send(Err(ReadError::Halted(reason.clone())));
            }
            self.outcomes_unknown();
        }
    }

    fn outcomes_unknown(&self) {
        let proposers = self.outcomes.lock().take();
        for reply in proposers {
            let _ = reply.send(Err(ProposeError::Unknown));
        }
    }

    fn appended(&self, index: u64, replies: Vec<Option<ProposeReply>>, proposed: Option<i64>) {
        let appended = clock::monotonic_micros();
        if let Some(proposed) = proposed {
            trace::note(self.group, index, |stages| {
                (stages.proposed, stages.appended) = (nanos(proposed), nanos(appended));
            });
            self.measured.queue.observe(seconds(appended - proposed));
        }
        self.outcomes.lock().wait(index, replies, appended);
    }

    fn set_leadership(&self, now: GroupLeadership) {
        let GroupLeadership { role, term, leader, .. } = now;
        let before = self.leadership.send_replace(now);
        if (before.role, before.term, before.leader) != (role, term, leader) {
            tracing::info!(group = %self.group, replica = %self.replica, ?role, term, ?leader, "leadership");
        }
        if leader.is_some() && (before.leader, before.term) != (leader, term) {
            self.measured.leaders.inc();
        }
        if role != Role::Leader {
            self.matched.lock().clear();
        }
    }

    fn set_time(&self, time: Time) {
        let before = std::mem::replace(&mut *self.time.lock(), time);
        let leads = self.leadership.borrow().role == Role::Leader;
        note_fitness(self.group, leads, before.unfit, time.unfit);
    }

    /// Counts a message that no correct replica can have sent, and says so now and then.
    fn refuted(&self, from: ReplicaId, why: Improper) {
        let count = self.refuted.fetch_add(1, Ordering::Relaxed) + 1;
        if count.is_power_of_two() {
            tracing::warn!(group = %self.group, %from, %why, count, "refused a peer's message");
        }
    }

    /// Readers whose callers gave up.
    fn prune(&self) {
        self.readers.lock().prune(Channels::has_left);
    }

    pub(super) fn status(&self) -> ReplicaStatus {
        let leadership = *self.leadership.borrow();
        let Time { ahead, unfit, .. } = *self.time.lock();
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
            clock: ahead,
            unfit,
            sync: self.syncs.lock().at_present(clock::monotonic_micros()),
            stuck: self.brake.stuck(),
        }
    }
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

fn nanos(monotonic: i64) -> u64 {
    trace::nanos(clock::instant(monotonic))
}

fn seconds(micros: i64) -> f64 {
    micros as f64 / 1e6
}

// --- beginning and end ----------------------------------------------------------------------------------------------

/// A replica that is about to take part.
pub(super) struct Prepared {
    member: Member,
    seat: Seat,
}

impl Prepared {
    pub(super) fn shared(&self) -> Arc<Shared> {
        self.seat.shared.clone()
    }
}

/// What the driver has of a group besides what its conductor knows.
struct Seat {
    shared: Arc<Shared>,
    jobs: Sender<(ApplyJob, i64)>,
    task: Arc<Task<Applying>>,
}

impl Seat {
    fn apply(&self, job: ApplyJob) {
        self.jobs.send((job, clock::monotonic_micros()));
        self.task.call();
    }

    /// Returns when its state machine is gone.
    fn end(self, files: &[PathBuf]) {
        self.task.end();
        self.shared.set_state(ReplicaState::Stopped);
        let stopped = GroupLeadership { term: self.shared.leadership.borrow().term, ..GroupLeadership::default() };
        self.shared.leadership.send_replace(stopped);
        files.iter().for_each(|file| discard(file));
    }
}

/// Loads a replica from the log; the driver gets it as [`Asked::AddGroup`].
pub(super) fn prepare(
    node: &NodeConfig,
    log: Arc<dyn RaftLog>,
    config: GroupConfig,
    boot: u64,
    inbox: Arc<Inbox<Driver>>,
    syncs: Arc<Mutex<Syncs>>,
) -> Result<Prepared, AddGroupError> {
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
        time: Mutex::default(),
        syncs,
        disk_full: AtomicBool::new(false),
        outcomes: Mutex::default(),
        readers: Mutex::default(),
        retries: AtomicBool::new(false),
        brake,
    });
    let (sender, jobs) = queue();
    let patience = node.patience.as_micros() as i64;
    let applying = Applying {
        jobs,
        idled: Instant::now(),
        applier: Applier::new(group, machine, core.last_index(), patience, lost.is_some()),
        desk: Front { shared: shared.clone(), inbox },
    };
    let seat = Seat { shared, jobs: sender, task: Task::new(&APPLIERS, applying, Applying::turn) };
    Ok(Prepared { member: Member { group, core, nodes, lost }, seat })
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
        patience: config.patience.as_micros() as i64,
        stopping: stopping.clone(),
        syncs: syncs.clone(),
    };
    let settings = Settings {
        node: config.node,
        tick: config.tick.as_micros() as i64,
        campaign_step: config.campaign_step.as_micros() as i64,
        clock_tolerance: config.clock_tolerance,
    };
    let hands = Hands {
        turns: (IDLE.as_micros() / config.tick.as_micros().max(1)).max(1) as u64,
        snapshots: config.snapshots,
        transport,
        log: jobs,
        fetches,
        inbox: inbox.clone(),
        seats: BTreeMap::new(),
        leaving: HashMap::new(),
    };
    let conductor = Conductor::new(settings, clock::monotonic_micros());
    let driver = Driver { conductor, hands, now: None, sync: None, syncs, stopping };
    let runner = inbox.clone();
    let threads = vec![
        spawn("raft-log").spawn(move || writer.run(writes))?,
        spawn("raft-reader").spawn(move || read_entries(reader.as_ref(), &wanted, &answers))?,
        spawn("raft-driver").spawn(move || runner.run(driver, |asked| matches!(asked, Asked::Stop)).stop())?,
    ];
    Ok((inbox, threads))
}

// --- the driver -----------------------------------------------------------------------------------------------------

pub(super) struct Driver {
    conductor: Conductor<Channels>,
    hands: Hands,
    /// The time of the round, once it was looked at.
    now: Option<Now>,
    /// How long a sync takes, as of the last tick.
    sync: Option<u64>,
    syncs: Arc<Mutex<Syncs>>,
    /// The log thread, should it be trying again and again, is to give up.
    stopping: Arc<AtomicBool>,
}

impl Work for Driver {
    type Input = Asked;

    fn is_patient(asked: &Asked) -> bool {
        let Asked::Step(input) = asked else { return true };
        match input {
            Input::Propose { .. } | Input::Read { .. } | Input::Messages { .. } | Input::Beat { .. } => false,
            Input::Persisted { .. } | Input::Applied { .. } => false,
            // All else is rare, and some of it touches files or waits for other threads to end.
            _ => true,
        }
    }

    fn take(&mut self, asked: Asked) {
        let input = match asked {
            Asked::Step(input) => input,
            Asked::AddGroup(prepared) => {
                let Prepared { member, seat } = *prepared;
                self.hands.seats.insert(member.group, seat);
                Input::AddGroup(Box::new(member))
            }
            Asked::RemoveGroup { group, forget, done } => {
                self.hands.leaving.insert(group, done);
                Input::RemoveGroup { group, forget }
            }
            Asked::Stop => unreachable!("ends the driver's thread"),
        };
        say(&input);
        let now = self.now();
        self.conductor.take(input, now, &mut rand::random::<u64>);
    }

    fn perform(&mut self) {
        let now = self.now();
        self.now = None;
        self.conductor.perform(now, &mut rand::random::<u64>);
        for action in self.conductor.actions() {
            self.hands.perform(action);
        }
    }

    fn due(&self) -> Instant {
        clock::instant(self.conductor.due())
    }
}

impl Driver {
    /// Looked at once for all that is taken in one round.
    fn now(&mut self) -> Now {
        *self.now.get_or_insert_with(|| {
            let (wall, monotonic) = (clock::now_micros(), clock::monotonic_micros());
            if monotonic >= self.conductor.next_tick() {
                self.sync = self.syncs.lock().at_present(monotonic);
            }
            Now { wall, monotonic, sync: self.sync }
        })
    }

    fn stop(mut self) {
        self.stopping.store(true, Ordering::Relaxed);
        let now = self.now();
        self.conductor.take(Input::Stop, now, &mut rand::random::<u64>);
        for action in self.conductor.actions() {
            match action {
                Action::End { group, files } => {
                    if let Some(seat) = self.hands.seats.remove(&group) {
                        seat.end(&files);
                    }
                }
                action => self.hands.perform(action),
            }
        }
    }
}

/// What people should know of.
fn say(input: &Input<Channels>) {
    match input {
        Input::Halted { group, halt } => tracing::error!(%group, %halt, "replica stopped serving"),
        Input::ApplyFails { group, why: Some(why) } => {
            tracing::error!(%group, why, "replica does not serve for now; it goes on by itself");
        }
        Input::ApplyFails { group, why: None } => tracing::info!(%group, "replica goes on"),
        Input::LogFails(Some(why)) => {
            tracing::error!(why, "the node's replicas do not serve for now; they go on by themselves");
        }
        Input::LogFails(None) => tracing::info!("the raft log can be written again"),
        Input::Built { group, result: Err(halt), .. } => {
            tracing::warn!(%group, %halt, "building a snapshot failed");
        }
        _ => {}
    }
}

/// What actions are performed with.
struct Hands {
    /// Every so many ticks a state machine gets time of its own.
    turns: u64,
    snapshots: PathBuf,
    transport: Arc<dyn Transport>,
    log: Sender<LogJob<Channels>>,
    fetches: Sender<(GroupId, Fetch)>,
    inbox: Arc<Inbox<Driver>>,
    seats: BTreeMap<GroupId, Seat>,
    /// Who waits for the end of a group.
    leaving: HashMap<GroupId, oneshot::Sender<()>>,
}

impl Hands {
    fn seat(&self, group: GroupId, f: impl FnOnce(&Seat)) {
        if let Some(seat) = self.seats.get(&group) {
            f(seat);
        }
    }

    fn show(&self, group: GroupId, f: impl FnOnce(&Shared)) {
        self.seat(group, |seat| f(&seat.shared));
    }

    fn perform(&mut self, action: Action<Channels>) {
        match action {
            Action::Send { to, messages } => self.transport.send(to, messages),
            Action::Beat { to, beat } => self.transport.beat(to, &beat),
            Action::SendSnapshot { node, envelope, file, meta } => {
                let (group, to) = (envelope.group, ReplicaId(envelope.message.to));
                tracing::info!(%group, %to, index = meta.at.index, bytes = meta.length, "sending a snapshot");
                let inbox = self.inbox.clone();
                let done = Box::new(move |ok| {
                    let _ = inbox.post(Asked::Step(Input::SnapshotSent { group, to, ok }));
                });
                self.transport.send_snapshot(node, *envelope, &file, &meta, done);
            }
            Action::Log(job) => self.log.send(job),
            Action::Fetch { group, fetch } => self.fetches.send((group, fetch)),
            Action::Apply { group, job } => self.seat(group, |seat| seat.apply(job)),
            Action::Build(group) => {
                let file = self.snapshots.join(format!("{group}-{}.snapshot", rand::random::<u32>()));
                self.seat(group, |seat| seat.apply(ApplyJob::Snapshot(file)));
            }
            Action::Judge { group, verdict } => self.show(group, |shared| match verdict {
                Verdict::Skip(at) => {
                    tracing::warn!(%group, ?at, "the group has recorded an entry as failed");
                    shared.brake.skip(at);
                }
                Verdict::Doubt(index) => shared.brake.doubt(index),
                Verdict::GoOn(index) => shared.brake.go_on(index),
            }),
            Action::Discard(file) => discard(&file),
            Action::Appended { group, index, replies, proposed } => {
                self.show(group, |shared| shared.appended(index, replies, proposed));
            }
            Action::OutcomesUnknown(group) => self.show(group, Shared::outcomes_unknown),
            Action::Refuse { reply, why } => drop(reply.send(Err(why))),
            Action::ReadAt { group, index, reply } => self.show(group, |shared| shared.when_applied(index, reply)),
            Action::RefuseRead { reply, why } => drop(reply.send(Err(why))),
            Action::Changed { reply, result } => drop(reply.send(result)),
            Action::Leads { group, now } => self.show(group, |shared| shared.set_leadership(now)),
            Action::State { group, state } => self.show(group, |shared| shared.set_state(state)),
            Action::Progress { group, first, last, commit } => self.show(group, |shared| {
                shared.first.store(first, Ordering::Relaxed);
                shared.last.store(last, Ordering::Relaxed);
                shared.commit.store(commit, Ordering::Relaxed);
            }),
            Action::Members { group, members } => self.show(group, |shared| *shared.membership.lock() = members),
            Action::Nodes { group, nodes } => self.show(group, |shared| *shared.nodes.lock() = nodes),
            Action::Matched { group, matched } => self.show(group, |shared| *shared.matched.lock() = matched),
            Action::Time { group, time } => self.show(group, |shared| shared.set_time(time)),
            Action::Refuted { group, from, why } => self.show(group, |shared| shared.refuted(from, why)),
            Action::DiskFull { group, full } => self.show(group, |shared| shared.set_disk_full(full)),
            Action::Prune(group) => self.show(group, Shared::prune),
            Action::Ticked(ticks) => self.remind(ticks),
            Action::End { group, files } => self.end(group, files),
        }
    }

    /// A tick has passed: what could not be applied is tried again, and state machines with nothing to do get time of their own.
    fn remind(&self, ticks: u64) {
        for (group, seat) in &self.seats {
            if seat.shared.retries.load(Ordering::Relaxed) {
                seat.task.call();
            } else if (ticks + group.0).is_multiple_of(self.turns) {
                seat.task.remind();
            }
        }
    }

    /// What it is applying may take long, and the others do not wait for that.
    fn end(&mut self, group: GroupId, files: Vec<PathBuf>) {
        let (seat, done) = (self.seats.remove(&group), self.leaving.remove(&group));
        let end = move || {
            if let Some(seat) = seat {
                seat.end(&files);
            }
            let _ = done.map(|done| done.send(()));
        };
        let thread = std::thread::Builder::new().name(format!("stop-{group}")).spawn(end);
        if let Err(error) = thread {
            tracing::warn!(%group, %error, "a replica that was removed is not taken down in order");
        }
    }
}

fn discard(file: &Path) {
    if let Err(error) = std::fs::remove_file(file) {
        tracing::warn!(file = %file.display(), %error, "could not delete a snapshot's file");
    }
}

// --- the log thread -------------------------------------------------------------------------------------------------

struct LogThread {
    log: Arc<dyn RaftLog>,
    transport: Arc<dyn Transport>,
    inbox: Arc<Inbox<Driver>>,
    /// µs.
    patience: i64,
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
    fn run(self, jobs: Receiver<LogJob<Channels>>) {
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
    fn write(&self, jobs: VecDeque<LogJob<Channels>>) -> bool {
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
            reports.drain(..).for_each(|report| self.report(report));
        }
        for (node, messages) in outbox {
            self.transport.send(node, messages);
        }
        reports.into_iter().for_each(|report| self.report(report));
        true
    }

    fn report(&self, report: Input<Channels>) {
        let _ = self.inbox.post(Asked::Step(report));
    }

    /// Nothing leaves before it is written, so a disk that is full or fails is waited for, until the node is to stop.
    /// A damaged log ends the process.
    fn insist(&self, writes: &[LogWrite], sync: bool) -> bool {
        let mut trouble = Trouble::new(clock::monotonic_micros(), self.patience);
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
                Err(error @ LogError::Io(_)) if trouble.again(clock::monotonic_micros(), &error) => {
                    self.report(Input::LogFails(Some(error.to_string())));
                }
                Err(LogError::Io(_)) => {}
                Err(error) => panic!("raft log: {error}"),
            }
            if self.stopping.load(Ordering::Relaxed) {
                return false;
            }
            std::thread::sleep(trouble.pause(clock::monotonic_micros()));
        }
        if trouble.was_told() {
            self.report(Input::LogFails(None));
        }
        true
    }
}

// --- the reader thread ----------------------------------------------------------------------------------------------

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
            let halt = Halt::Corrupt(error.to_string());
            let _ = inbox.post(Asked::Step(Input::Halted { group, halt }));
            None
        }
    };
    let _ = inbox.post(Asked::Step(Input::Fetched { group, fetch, entries }));
}

// --- the apply threads ----------------------------------------------------------------------------------------------

/// At this many groups something may be applied at a time.
static APPLIERS: Workers = Workers::new("apply", 128);

/// How often the state machine gets time of its own.
const IDLE: Duration = Duration::from_secs(1);

/// A group's applier, and its way to the driver and to those who wait.
struct Applying {
    jobs: Receiver<(ApplyJob, i64)>,
    /// When the state machine last had time of its own.
    idled: Instant,
    applier: Applier,
    desk: Front,
}

struct Front {
    shared: Arc<Shared>,
    inbox: Arc<Inbox<Driver>>,
}

impl Applying {
    /// Does what has come, everything committed meanwhile in one call.
    fn turn(&mut self) {
        let Applying { jobs, idled, applier, desk } = self;
        for (job, at) in jobs.take(Duration::ZERO).unwrap_or_default() {
            applier.take(job, at, desk);
        }
        applier.work(desk);
        desk.shared.retries.store(applier.retries().is_some(), Ordering::Relaxed);
        if jobs.is_empty() && applier.is_idle() || idled.elapsed() > IDLE {
            *idled = Instant::now();
            applier.idle(desk);
        }
    }
}

impl Desk for Front {
    fn now(&self) -> i64 {
        clock::monotonic_micros()
    }

    fn applied(&mut self, index: u64) {
        self.shared.publish_applied(index);
    }

    fn outcomes(&mut self, outcomes: Vec<Applied>, committed: &[(u64, i64)]) {
        let mut waiting = self.shared.outcomes.lock();
        let measure = |index, appended| self.measure(index, appended, committed);
        waiting.answer(outcomes, measure, |reply, applied| {
            let _ = reply.send(Ok((applied.index, applied.outcome)));
        });
    }

    fn build(&mut self, file: PathBuf, building: Building) {
        let group = self.shared.group;
        let inbox = self.inbox.clone();
        let done = move |result| {
            let _ = inbox.post(Asked::Step(Input::Built { group, file, result }));
        };
        let failed = done.clone();
        let thread = std::thread::Builder::new().name(format!("snapshot-{group}")).spawn(move || done(building()));
        if let Err(error) = thread {
            failed(Err(Halt::Environment(error.to_string())));
        }
    }

    fn report(&mut self, report: Report) {
        let _ = self.inbox.post(Asked::Step(report.of(self.shared.group)));
    }
}

impl Front {
    /// An entry of this leader is applied.
    fn measure(&self, index: u64, appended: i64, committed: &[(u64, i64)]) {
        let Some((_, at)) = committed.iter().rfind(|(first, _)| *first <= index) else { return };
        let now = clock::monotonic_micros();
        self.shared.measured.replicate.observe(seconds((at - appended).max(0)));
        self.shared.measured.apply.observe(seconds(now - at));
        trace::note(self.shared.group, index, |stages| {
            (stages.committed, stages.applied) = (nanos(*at), nanos(now));
        });
    }
}
