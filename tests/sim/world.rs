//! The simulated world: one queue of what happens next, which is the clock, the network, the disks and the clients.

use super::below::{self, Trouble};
use super::gateway::{CallReply, Inbox};
use super::members::Members;
use super::node::{ApplyJob, DiskState, GROUP, Live, LogDone, LogJob, Node, StartFailure, Waiter, Who, query};
use super::oracle::{Act, Check, Operation, Oracle, READ};
use super::plan::{Bug, Fault, MEMBERSHIP, Plan, TICK};
use super::random::Random;
use super::session::Chronicle;
use super::tasks::{Clock, Pid, Tasks};
use super::transactions::Memory;
use bytes::Bytes;
use quorate::command::{self, Batch, Command, Outcome, Proposal, Yields};
use quorate::consensus::form::snapshot_meta;
use quorate::error::state;
use quorate::id::{ReplicaId, RequestId};
use quorate::raftlog::{Entry, LogReader as _, LogWrite};
use quorate::replica::core::{Effect, Event, Fetch, Improper, Refused, Role, StartError, Ticketed};
use quorate::replica::handle::ProposeError;
use quorate::replica::{Committed, Halt, Payload, StateMachine as _};
use quorate::transport::Beat;
use raft::eraftpb::{Message, MessageType};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use tempfile::TempDir;

const MS: u64 = 1000;
/// Within this time after the end of all faults everything must be done and everybody equal.
const RECOVERY: u64 = 20_000 * MS;

/// Something that will happen. `epoch` names the process it is meant for.
pub(super) enum Action {
    Tick {
        node: u64,
        epoch: u64,
    },
    Drain {
        node: u64,
        epoch: u64,
    },
    Deliver(Message),
    DeliverSnapshot {
        message: Message,
        file: PathBuf,
        epoch: u64,
    },
    SnapshotSent {
        node: u64,
        epoch: u64,
        to: u64,
        ok: bool,
    },
    Unreachable {
        node: u64,
        epoch: u64,
        to: u64,
    },
    Log {
        node: u64,
        epoch: u64,
    },
    Apply {
        node: u64,
        epoch: u64,
    },
    Fetch {
        node: u64,
        epoch: u64,
        fetch: Fetch,
    },
    Fetched {
        node: u64,
        epoch: u64,
        fetch: Fetch,
        entries: Option<Vec<Entry>>,
    },
    Build {
        node: u64,
        epoch: u64,
    },
    PeerDown {
        node: u64,
        epoch: u64,
        dead: u64,
    },
    Campaign {
        node: u64,
        epoch: u64,
        dead: u64,
    },
    Restart {
        node: u64,
    },
    /// A client's next operation, or the next attempt of the one it has.
    Client {
        client: usize,
        attempt: u64,
    },
    Submit {
        client: usize,
        node: u64,
        operation: i64,
    },
    /// A node hears of another's clock.
    Beat {
        from: u64,
        node: u64,
        beat: Beat,
    },
    /// A request to another node's gateway arrives.
    Call {
        node: u64,
        call: u64,
    },
    /// Its answer arrives.
    Answer {
        node: u64,
        call: u64,
        bytes: Bytes,
    },
    /// Its connection breaks.
    Break {
        call: u64,
    },
    /// A session's next transaction.
    Session {
        session: usize,
        run: u64,
    },
    HangUp {
        session: usize,
        run: u64,
    },
    /// A paused process goes on.
    Resume,
    Fault,
    Block(BTreeSet<(u64, u64)>),
    Room {
        node: u64,
    },
    /// The disk below a state machine works again.
    Mended {
        node: u64,
    },
    /// Leaders look after who votes.
    Shape,
    Heal,
}

/// What a client is doing.
#[derive(Clone)]
struct Pending {
    number: i64,
    /// `None` for a read.
    request: Option<RequestId>,
    operation: Operation,
    /// What was acknowledged when it began.
    floor: u64,
    last_node: u64,
}

/// A client with transactions.
#[derive(Default)]
pub struct Session {
    /// Counts its transactions.
    pub run: u64,
    pub after_heal: u64,
    /// The task, its process and the transaction's number in the history.
    pub active: Option<(u64, Pid, usize)>,
}

/// A request between gateways that has no answer yet.
pub struct Call {
    pub from: Pid,
    pub to: u64,
    pub bytes: Bytes,
    pub reply: CallReply,
}

#[derive(Default)]
struct Client {
    pending: Option<Pending>,
    attempt: u64,
    after_heal: u64,
}

/// What a run did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Of everything that happened: equal for equal seeds.
    pub fingerprint: u64,
    pub actions: u64,
    pub commits: u64,
    pub writes: u64,
    pub reads: u64,
    /// Transactions that were acknowledged, and those that certainly had no effect.
    pub transactions: u64,
    pub refused: u64,
    pub crashes: u64,
    pub elections: u64,
    pub snapshots: u64,
    pub compactions: u64,
    pub messages: u64,
    pub fetches: u64,
    pub changes: u64,
    pub wiped: u64,
    /// Ticks of replicas at rest.
    pub rested: u64,
    /// From the end of the faults until everything was done, µs.
    pub recovery: u64,
}

pub struct World {
    pub(super) plan: Plan,
    pub(super) random: Random,
    pub(super) now: u64,
    sequence: u64,
    queue: BTreeMap<(u64, u64), Action>,
    pub(super) nodes: BTreeMap<u64, Node>,
    pub(super) blocked: BTreeSet<(u64, u64)>,
    clients: Vec<Client>,
    issued: u64,
    pub(super) tickets: u64,
    pub(super) clock: Arc<Clock>,
    pub(super) tasks: Tasks,
    pub(super) inbox: Inbox,
    pub(super) chronicle: Chronicle,
    pub(super) sessions: Vec<Session>,
    pub(super) begun: u64,
    pub(super) calls: BTreeMap<u64, Call>,
    pub(super) next_call: u64,
    /// What was proposed for each request, and what a sequence gave last: for defects.
    pub(super) memory: Memory,
    files: u64,
    /// Messages that nobody sent, by addressee, until they are refused.
    forged: BTreeMap<u64, u64>,
    pub(super) members: Members,
    pub(super) healed_at: Option<u64>,
    pub(super) oracle: Oracle,
    pub report: Report,
    pub(super) root: TempDir,
    trace: bool,
}

fn id_of(replica: ReplicaId) -> u64 {
    replica.0
}

/// In memory if there is such a place: nothing here depends on what a real disk does.
fn directory() -> TempDir {
    let place = PathBuf::from("/dev/shm");
    let builder = || tempfile::Builder::new().prefix("quorate-sim-").to_owned();
    match place.is_dir().then(|| builder().tempdir_in(&place)) {
        Some(Ok(directory)) => directory,
        _ => tempfile::tempdir().expect("a temporary directory"),
    }
}

impl World {
    pub fn new(plan: Plan, trace: bool) -> World {
        let root = directory();
        let oracle = Oracle::new(&plan);
        let mut random = Random::new(plan.seed.wrapping_mul(31) ^ 7);
        let mut nodes = BTreeMap::new();
        for id in 1..=plan.nodes {
            let mut node = Node::new(id, root.path(), &plan);
            node.skew = random.range(0, 2 * plan.skew as u64 + 1) as i64 - plan.skew;
            node.tick = TICK * (1000 + random.range(0, 2 * plan.drift + 1) - plan.drift) / 1000;
            nodes.insert(id, node);
        }
        let clients = (0..plan.clients).map(|_| Client::default()).collect();
        let sessions = (0..plan.sessions).map(|_| Session::default()).collect();
        World {
            random,
            now: 0,
            sequence: 0,
            queue: BTreeMap::new(),
            nodes,
            blocked: BTreeSet::new(),
            clients,
            issued: 0,
            tickets: 0,
            clock: Clock::new(),
            tasks: Tasks::default(),
            inbox: Inbox::default(),
            chronicle: Chronicle::default(),
            sessions,
            begun: 0,
            calls: BTreeMap::new(),
            next_call: 0,
            memory: Memory::default(),
            files: 0,
            forged: BTreeMap::new(),
            members: Members::new(plan.nodes),
            healed_at: None,
            oracle,
            report: Report::default(),
            root,
            trace,
            plan,
        }
    }

    /// Runs until everything is done.
    pub fn run(&mut self) -> Check {
        self.note_clocks();
        for id in 1..=self.plan.nodes {
            self.start(id)?;
        }
        for client in 0..self.clients.len() {
            let after = self.random.range(0, 200 * MS);
            self.after(after, Action::Client { client, attempt: 0 });
        }
        for session in 0..self.sessions.len() {
            let after = self.random.range(0, 200 * MS);
            self.after(after, Action::Session { session, run: 0 });
        }
        if !self.plan.faults.is_empty() {
            self.after(self.plan.fault_every, Action::Fault);
        }
        self.after(self.plan.chaos, Action::Heal);
        if self.plan.faults.iter().any(|fault| MEMBERSHIP.contains(fault)) {
            self.after(0, Action::Shape);
        }
        while let Some((at, _)) = self.queue.first_key_value().map(|(key, _)| *key) {
            self.now = self.clock.next().map_or(at, |timer| at.min(timer.max(self.now)));
            self.clock.set(self.now);
            if self.now < at {
                self.run_tasks()?;
                continue;
            }
            let Some((_, action)) = self.queue.pop_first() else { continue };
            self.report.actions += 1;
            let tick = matches!(action, Action::Tick { .. });
            self.act(action)?;
            self.run_tasks()?;
            let Some(healed) = self.healed_at.filter(|_| tick) else { continue };
            self.report.recovery = self.now - healed;
            if self.finished() {
                return self.conclude();
            }
            if self.report.recovery > RECOVERY {
                return Err(format!("no progress after the faults have ended: {}", self.describe()));
            }
        }
        Err("nothing happens any more".to_owned())
    }

    pub(super) fn after(&mut self, delay: u64, action: Action) {
        self.sequence += 1;
        self.queue.insert((self.now + delay, self.sequence), action);
    }

    pub(super) fn say(&self, text: impl FnOnce() -> String) {
        if self.trace {
            eprintln!("{:>9} {}", self.now, text());
        }
    }

    pub(super) fn mix(&mut self, value: u64) {
        self.report.fingerprint = (self.report.fingerprint.rotate_left(5) ^ value).wrapping_mul(0x517c_c1b7_2722_0a95);
    }

    // --- what happens -------------------------------------------------------------------------------------------

    /// The node an action needs, and its process.
    fn addressee(action: &Action) -> Option<(u64, Option<u64>)> {
        use Action::*;
        match action {
            Tick { node, epoch }
            | Drain { node, epoch }
            | Log { node, epoch }
            | Apply { node, epoch }
            | Fetch { node, epoch, .. }
            | Fetched { node, epoch, .. }
            | Build { node, epoch }
            | SnapshotSent { node, epoch, .. }
            | Unreachable { node, epoch, .. }
            | PeerDown { node, epoch, .. }
            | Campaign { node, epoch, .. } => Some((*node, Some(*epoch))),
            Deliver(message) | DeliverSnapshot { message, .. } => Some((message.to, None)),
            Submit { node, .. }
            | Room { node }
            | Mended { node }
            | Beat { node, .. }
            | Call { node, .. }
            | Answer { node, .. } => Some((*node, None)),
            Resume | Break { .. } | Session { .. } | HangUp { .. } => None,
            Restart { .. } | Client { .. } | Fault | Block(_) | Shape | Heal => None,
        }
    }

    fn act(&mut self, action: Action) -> Check {
        if let Some((id, epoch)) = World::addressee(&action) {
            // What was answered to a stranger goes nowhere.
            let Some(node) = self.nodes.get(&id) else { return Ok(()) };
            if epoch.is_some_and(|epoch| epoch != node.epoch) {
                return Ok(());
            }
            if node.paused_until > self.now {
                let delay = node.paused_until - self.now + self.random.range(0, 100);
                self.after(delay, action);
                return Ok(());
            }
            let commit = node.live.as_ref().map_or(0, |live| live.core.commit());
            self.mix(self.now ^ id << 48 ^ commit << 32);
        }
        match action {
            Action::Tick { node, .. } => self.tick(node),
            Action::Drain { node, .. } => self.drain(node),
            Action::Deliver(message) => self.deliver(message),
            Action::DeliverSnapshot { message, file, epoch } => self.deliver_snapshot(message, file, epoch),
            Action::SnapshotSent { node, to, ok, .. } => {
                self.event(node, Event::SnapshotSent { to: ReplicaId(to), ok })
            }
            Action::Unreachable { node, to, .. } => self.event(node, Event::Unreachable(ReplicaId(to))),
            Action::Log { node, .. } => self.write_log(node),
            Action::Apply { node, .. } => self.apply(node),
            Action::Build { node, .. } => self.build(node),
            Action::PeerDown { node, dead, .. } => self.peer_down(node, dead),
            Action::Fetch { node, fetch, .. } => self.fetch(node, fetch),
            Action::Fetched { node, fetch, entries, .. } => self.event(node, Event::Fetched { fetch, entries }),
            Action::Campaign { node, dead, .. } => self.event(node, Event::Campaign { dead: ReplicaId(dead) }),
            Action::Restart { node } if self.nodes[&node].live.is_none() && self.members.is_here(node) => {
                self.start(node)
            }
            Action::Restart { .. } => Ok(()),
            Action::Client { client, attempt } => self.client(client, attempt),
            Action::Submit { client, node, operation } => self.submit(client, node, operation),
            Action::Beat { from, node, beat } => self.heard(node, from, &beat),
            Action::Call { call, .. } => self.call_arrives(call),
            Action::Answer { call, bytes, .. } => self.answer_arrives(call, bytes),
            Action::Break { call } => self.call_breaks(call),
            Action::Session { session, run } => self.session(session, run),
            Action::HangUp { session, run } => self.hang_up(session, run),
            Action::Resume => Ok(()),
            Action::Fault => self.fault(),
            Action::Block(links) => {
                self.blocked = links;
                Ok(())
            }
            Action::Room { node } => {
                self.node(node).full = false;
                self.event(node, Event::DiskFull(false))
            }
            Action::Mended { node } => {
                self.node(node).below = None;
                Ok(())
            }
            Action::Shape => self.shape(),
            Action::Heal => self.heal(),
        }
    }

    pub(super) fn node(&mut self, id: u64) -> &mut Node {
        self.nodes.get_mut(&id).expect("a node of the cluster")
    }

    pub(super) fn live(&mut self, id: u64) -> &mut Live {
        self.node(id).live.as_mut().expect("the action's process is alive")
    }

    pub(super) fn start(&mut self, id: u64) -> Check {
        let boot = match self.plan.bug {
            Some(Bug::ReuseReadContext) => 1,
            _ => self.random.next(),
        };
        let plan = self.plan.clone();
        match self.node(id).start(&plan, boot) {
            Ok(()) => {}
            Err(StartFailure::Engine(error)) if self.nodes[&id].rotten => return self.found_rotten(id, &error),
            Err(StartFailure::Engine(error)) => return Err(format!("{id} does not start: {error}")),
            Err(StartFailure::Refused(error)) => return Err(refused(id, &error)),
        }
        self.open_gateway(id);
        self.publish_time(id);
        let node = self.node(id);
        let (epoch, tick, full) = (node.epoch, node.tick, node.full);
        let live = node.live.as_ref().expect("just started");
        let durable = live.engine.durable();
        let (at, last) = (live.engine.applied().index, live.core.last_index());
        self.say(|| format!("{id} starts, applied {at}, durable {durable}, log up to {last}"));
        let first = self.random.range(0, tick);
        self.after(first, Action::Tick { node: id, epoch });
        self.event(id, Event::Durable(durable))?;
        if full { self.event(id, Event::DiskFull(true)) } else { Ok(()) }
    }

    fn tick(&mut self, id: u64) -> Check {
        let (epoch, tick) = (self.nodes[&id].epoch, self.nodes[&id].tick);
        self.after(tick, Action::Tick { node: id, epoch });
        self.keep_time(id)?;
        if self.nodes[&id].live.is_none() {
            return Ok(());
        }
        self.report.rested += u64::from(self.live(id).core.is_resting());
        let knows_a_leader = self.live(id).core.leadership().leader.is_some();
        if knows_a_leader || !self.random.one_in(4) {
            return self.event(id, Event::Tick);
        }
        Ok(())
    }

    /// Tells a core something; it decides now or a little later.
    pub(super) fn event(&mut self, id: u64, event: Event) -> Check {
        let lazy = self.plan.lazy;
        let Some(live) = self.node(id).live.as_mut() else { return Ok(()) };
        live.core.step(event);
        if lazy == 0 {
            return self.drain(id);
        }
        if !std::mem::replace(&mut live.draining, true) {
            let (epoch, delay) = (self.nodes[&id].epoch, self.random.range(0, lazy));
            self.after(delay, Action::Drain { node: id, epoch });
        }
        Ok(())
    }

    fn drain(&mut self, id: u64) -> Check {
        let Some(live) = self.node(id).live.as_mut() else { return Ok(()) };
        live.draining = false;
        let effects = live.core.drain();
        // Who waits for what is lost with the process in any case.
        let is_seen = |effect: &Effect| !matches!(effect, Effect::Appended { .. });
        let seen = effects.iter().filter(|effect| is_seen(effect)).count();
        let mut left = match self.healed_at.is_none() && seen > 1 && self.random.one_in(self.plan.crash_within) {
            true => self.random.range(0, seen as u64) as usize,
            false => usize::MAX,
        };
        for effect in effects {
            if is_seen(&effect) {
                if left == 0 {
                    let power = self.random.one_in(2);
                    return self.crash(id, power);
                }
                left -= 1;
            }
            self.perform(id, effect)?;
            if self.nodes[&id].live.is_none() {
                return Ok(());
            }
        }
        Ok(())
    }

    fn perform(&mut self, id: u64, effect: Effect) -> Check {
        match effect {
            Effect::Send(messages) => self.send(messages)?,
            Effect::SendSnapshot { message, meta } => {
                let epoch = self.nodes[&id].epoch;
                let to = message.to;
                let file = self.live(id).built.clone().filter(|(built, _)| *built == meta).map(|(_, file)| file);
                let copy = self.file();
                let delay = self.random.range(100, 30 * MS);
                match file {
                    Some(file) if !self.loses(id, to) && std::fs::copy(&file, &copy).is_ok() => {
                        self.after(delay, Action::DeliverSnapshot { message, file: copy, epoch });
                    }
                    _ => self.after(delay, Action::SnapshotSent { node: id, epoch, to, ok: false }),
                }
            }
            Effect::Persist { number, entries, hard_state, sync, mut then_send } => {
                self.oracle.truth.appends(self.now, &entries);
                if self.plan.bug == Some(Bug::AckBeforeFsync) {
                    self.send(std::mem::take(&mut then_send))?;
                }
                let mut writes = Vec::new();
                if !entries.is_empty() {
                    writes.push(LogWrite::Append(GROUP, entries));
                }
                if let Some(mut hard) = hard_state {
                    if self.plan.bug == Some(Bug::ForgetVote) {
                        hard.vote = 0;
                    }
                    writes.push(LogWrite::HardState(GROUP, hard));
                }
                let done = Some(LogDone::Persisted(number));
                self.log_job(id, LogJob { writes, sync, messages: then_send, done });
            }
            Effect::Fetch(fetch) => {
                let (epoch, delay) = (self.nodes[&id].epoch, self.random.range(0, 20 * MS));
                self.after(delay, Action::Fetch { node: id, epoch, fetch });
            }
            Effect::Apply(entries) => {
                self.check_committed(id, &entries)?;
                self.apply_job(id, ApplyJob::Apply(entries));
            }
            Effect::ReadReady { reads, index } => {
                for read in reads {
                    if let Some(waiter) = self.live(id).reads.remove(&read) {
                        self.live(id).indexed.push((index, waiter));
                    }
                }
                self.answer_reads(id)?;
            }
            Effect::Leadership(leadership) => {
                self.say(|| format!("{id} is {:?} in term {}", leadership.role, leadership.term));
                self.publish_leadership(id, leadership);
                if leadership.role == Role::Leader {
                    self.report.elections += 1;
                    let last = self.live(id).core.last_index();
                    self.oracle.leads(id, leadership.term, last)?;
                    // It may have learned it as a follower, while its leader was gone before it knew.
                    let members = self.live(id).core.membership().clone();
                    if self.members.is_unknown(&members) && self.members.note(members) {
                        self.note_clocks();
                    }
                }
            }
            Effect::BuildSnapshot => {
                let file = self.file();
                self.apply_job(id, ApplyJob::Snapshot(file));
            }
            Effect::InstallSnapshot { meta, hard_state } => {
                let live = self.live(id);
                let file = live.arrived.take().ok_or("a snapshot is installed that has no file")?;
                live.installing = Some((meta.clone(), hard_state, file));
                self.report.snapshots += 1;
                let writes = vec![LogWrite::Installing(GROUP, meta)];
                self.log_job(id, LogJob { writes, sync: true, messages: Vec::new(), done: Some(LogDone::Noted) });
            }
            Effect::Compact(to) => {
                let durable = self.live(id).engine.durable();
                if to.index > durable {
                    return Err(format!("{id} cuts its log up to {}, but only {durable} is durable", to.index));
                }
                self.report.compactions += 1;
                let writes = vec![LogWrite::Compact(GROUP, to)];
                self.log_job(id, LogJob { writes, sync: false, messages: Vec::new(), done: None });
            }
            Effect::Appended { index, tickets } => {
                let live = self.live(id);
                let waiters = tickets.iter().map(|ticket| live.proposing.remove(ticket).expect("a ticket of ours"));
                let waiters = waiters.collect();
                live.waiters.insert(index, waiters);
            }
            Effect::Refused { tickets, why } => {
                self.say(|| format!("{id} refuses {} proposals: {why:?}", tickets.len()));
                for ticket in tickets {
                    let waiter = self.live(id).proposing.remove(&ticket).expect("a ticket of ours");
                    self.refuse(id, waiter, Some(why));
                }
            }
            Effect::OutcomesUnknown => {
                for waiter in std::mem::take(&mut self.live(id).waiters).into_values().flatten() {
                    self.refuse(id, waiter, None);
                }
            }
            // Others go through old ones again when they begin anew.
            Effect::Membership(members, _) => {
                if self.live(id).core.leadership().role == Role::Leader && self.members.note(members) {
                    self.note_clocks();
                }
            }
            Effect::Changed { .. } => {}
            Effect::Skip(_) | Effect::Doubt(_) | Effect::GoOn(_) => {
                return Err(format!("{id}: nobody has asked for that"));
            }
            Effect::Refuted { from, why } => self.refuted(id, from, why)?,
        }
        Ok(())
    }

    fn file(&mut self) -> PathBuf {
        self.files += 1;
        self.root.path().join(format!("file-{}", self.files))
    }

    /// What is committed is the same everywhere, durable here, and durable on a majority before anybody acts on it.
    fn check_committed(&mut self, id: u64, entries: &[Committed]) -> Check {
        for entry in entries {
            if !self.nodes[&id].disk.has(entry.at) {
                return Err(format!("{id} is to apply {:?}, which is not durable in its log", entry.at));
            }
            if self.oracle.commits(id, entry)? {
                self.report.commits += 1;
                let has = |replica: &ReplicaId| self.nodes.get(&replica.0).is_some_and(|node| node.disk.has(entry.at));
                if !self.members.is_durable(has) {
                    return Err(format!("{:?} is committed and durable on too few", entry.at));
                }
            }
        }
        Ok(())
    }

    // --- the network --------------------------------------------------------------------------------------------

    pub(super) fn loses(&mut self, from: u64, to: u64) -> bool {
        self.blocked.contains(&(from, to)) || self.random.permille(self.plan.drop)
    }

    fn send(&mut self, messages: Vec<Message>) -> Check {
        for message in messages {
            self.report.messages += 1;
            if message.get_msg_type() == MessageType::MsgAppend {
                self.oracle.appends(message.from, Some(message.log_term), &message.entries)?;
            }
            if self.loses(message.from, message.to) {
                self.unreachable(&message);
                continue;
            }
            let copies = if self.random.permille(self.plan.duplicate) { 2 } else { 1 };
            for _ in 0..copies {
                let (low, high) = self.plan.latency;
                let mut delay = self.random.range(low, high);
                let answer = message.get_msg_type() == MessageType::MsgReadIndexResp;
                let straggle = if answer { self.plan.straggle_reads } else { self.plan.straggle };
                if self.random.permille(straggle) {
                    delay += self.random.range(10 * MS, 800 * MS);
                }
                self.after(delay, Action::Deliver(message.clone()));
            }
        }
        Ok(())
    }

    /// The sender sometimes learns that a message was lost.
    fn unreachable(&mut self, message: &Message) {
        if self.random.one_in(2) {
            let (node, to) = (message.from, message.to);
            let epoch = self.nodes[&node].epoch;
            self.after(MS, Action::Unreachable { node, epoch, to });
        }
    }

    fn deliver(&mut self, message: Message) -> Check {
        let (from, to) = (message.from, message.to);
        if self.blocked.contains(&(from, to)) || self.nodes[&to].live.is_none() {
            self.unreachable(&message);
            return Ok(());
        }
        self.say(|| show(&message));
        if let Some(served) = &self.live(to).gateway {
            served.peers.hear(from);
        }
        self.hears(to, from)?;
        self.event(to, Event::Peer(message))
    }

    /// As the driver: message and file arrive together, and nothing comes between.
    fn deliver_snapshot(&mut self, message: Message, file: PathBuf, epoch: u64) -> Check {
        let (from, to) = (message.from, message.to);
        let ok = !self.blocked.contains(&(from, to)) && self.nodes[&to].live.is_some();
        self.after(MS, Action::SnapshotSent { node: from, epoch, to, ok });
        if !ok {
            return Ok(());
        }
        if snapshot_meta(&message).is_none() {
            return Err(format!("{from} sent a snapshot that does not describe itself"));
        }
        self.drain(to)?;
        let Some(live) = self.node(to).live.as_mut() else { return Ok(()) };
        live.arrived = Some(file);
        live.core.step(Event::Peer(message));
        self.drain(to)?;
        if let Some(file) = self.node(to).live.as_mut().and_then(|live| live.arrived.take()) {
            let _ = std::fs::remove_file(file);
        }
        Ok(())
    }

    /// One of many messages that cannot be, from a member or from somebody unknown.
    fn forge(&mut self, to: u64) -> Check {
        use MessageType::*;
        let Some(live) = self.nodes[&to].live.as_ref() else { return Ok(()) };
        let (term, last) = (live.core.leadership().term, live.core.last_index());
        let (member, stranger) = (self.members.another(to), 1000 + self.random.range(0, 9));
        let from = self.random.pick(&[member, stranger]);
        let far = self.random.pick(&[u64::MAX, u64::MAX - 1, 1 << 63, term + (1 << 40)]);
        let mut message = Message { to, from, term, ..Message::default() };
        let kind = match self.random.range(0, 6) {
            // A replica of which nobody has told anything cannot know how far is too far: its connections must be good.
            0 if term > 0 => {
                message.term = far;
                self.random.pick(&[MsgHeartbeat, MsgAppend, MsgRequestVote])
            }
            1 => {
                message.commit = last + self.random.range(1, 1000);
                MsgHeartbeat
            }
            2 => {
                (message.from, message.index) = (stranger, last + 1);
                self.random.pick(&[MsgAppendResponse, MsgRequestVoteResponse, MsgHeartbeatResponse, MsgTimeoutNow])
            }
            3 => {
                message.index = u64::MAX;
                self.random.pick(&[MsgAppend, MsgAppendResponse])
            }
            4 => {
                message.term = 0;
                self.random.pick(&[MsgAppend, MsgHeartbeat])
            }
            _ => {
                (message.index, message.log_term) = (last, term);
                let entry = Entry { index: last + 2, term, ..Entry::default() };
                message.set_entries(vec![entry].into());
                MsgAppend
            }
        };
        message.set_msg_type(kind);
        *self.forged.entry(to).or_default() += 1;
        self.event(to, Event::Peer(message))
    }

    /// Only what was forged is refused.
    fn refuted(&mut self, id: u64, from: ReplicaId, why: Improper) -> Check {
        self.say(|| format!("{id} refuses a message of {from}: {why}"));
        // An honest answer may come when its sender has left, or is not yet known here to have come; but one that knows no
        // members at all has no strangers.
        let knows_some = !self.live(id).core.membership().voters.is_empty();
        let late = why == Improper::Stranger && from.0 < 1000 && knows_some;
        let forged = self.forged.entry(id).or_default();
        if *forged == 0 && self.plan.bug.is_none() && !late {
            return Err(format!("{id} refuses an honest message of {from}: {why}"));
        }
        *forged = forged.saturating_sub(1);
        Ok(())
    }

    fn peer_down(&mut self, id: u64, dead: u64) -> Check {
        self.event(id, Event::Unreachable(ReplicaId(dead)))?;
        let served =
            self.node(id).live.as_ref().and_then(|live| live.gateway.as_ref()).map(|served| served.peers.clone());
        if let Some(peers) = served.filter(|_| self.nodes[&dead].live.is_none()) {
            peers.note(dead, true);
        }
        let Some(live) = self.node(id).live.as_ref() else { return Ok(()) };
        let Some(rank) = live.core.succession(ReplicaId(dead)) else { return Ok(()) };
        let delay = 10 * MS * rank as u64 + self.random.range(0, 2 * MS);
        let epoch = self.nodes[&id].epoch;
        self.after(delay, Action::Campaign { node: id, epoch, dead });
        Ok(())
    }

    /// The reader thread: what it has read may be cut off or replaced before the core hears of it, or not be there.
    fn fetch(&mut self, id: u64, fetch: Fetch) -> Check {
        self.report.fetches += 1;
        let read = self.nodes[&id].disk.log.entries(GROUP, fetch.low, fetch.high, fetch.max_bytes);
        let entries = read.ok().filter(|_| !self.random.one_in(20));
        let (epoch, delay) = (self.nodes[&id].epoch, self.random.range(0, 20 * MS));
        self.after(delay, Action::Fetched { node: id, epoch, fetch, entries });
        Ok(())
    }

    // --- the log thread -----------------------------------------------------------------------------------------

    fn log_job(&mut self, id: u64, job: LogJob) {
        let live = self.live(id);
        live.jobs.push_back(job);
        self.write_soon(id);
    }

    fn write_soon(&mut self, id: u64) {
        let slow = self.nodes[&id].slow_until > self.now;
        let (low, high) = if slow { (50 * MS, 500 * MS) } else { self.plan.sync };
        let delay = self.random.range(low, high);
        let epoch = self.nodes[&id].epoch;
        let live = self.live(id);
        if !live.writing && !live.jobs.is_empty() {
            live.writing = true;
            self.after(delay, Action::Log { node: id, epoch });
        }
    }

    /// Some of what is queued becomes durable together; then its messages leave, then the core hears of it.
    fn write_log(&mut self, id: u64) -> Check {
        if self.nodes[&id].disk_state != DiskState::Good {
            return self.fail_to_write(id);
        }
        let queued = self.live(id).jobs.len() as u64;
        let take = self.random.range(1, queued + 1) as usize;
        let node = self.node(id);
        let live = node.live.as_mut().expect("the action's process is alive");
        live.writing = false;
        let jobs: Vec<LogJob> = live.jobs.drain(..take.min(queued as usize)).collect();
        let sync = jobs.iter().any(|job| job.sync);
        for job in &jobs {
            node.disk.write(&job.writes, false);
        }
        if sync {
            node.disk.write(&[], true);
        }
        for job in &jobs {
            self.note_entries(id, &job.writes)?;
        }
        self.say(|| {
            let show = |w: &LogWrite| match w {
                LogWrite::Append(_, e) => {
                    let ends = [e.first(), e.last()].map(|e| e.map_or(0, |e| e.index));
                    format!("{}..={}@{}", ends[0], ends[1], e.last().map_or(0, |e| e.term))
                }
                LogWrite::HardState(_, hard) => format!("term {} vote {}", hard.term, hard.vote),
                LogWrite::Compact(_, to) => format!("compact {}", to.index),
                LogWrite::Installing(_, meta) => format!("installing {}", meta.at.index),
                LogWrite::Reset(_, to, _) => format!("reset {}", to.index),
                other => format!("{other:?}"),
            };
            let writes: Vec<String> = jobs.iter().flat_map(|job| &job.writes).map(show).collect();
            format!("{id} wrote {} sync {sync}", writes.join(", "))
        });
        self.write_soon(id);
        let mut done = Vec::new();
        for job in jobs {
            self.send(job.messages)?;
            done.extend(job.done);
        }
        let epoch = self.nodes[&id].epoch;
        for done in done {
            if self.nodes[&id].epoch == epoch {
                self.logged(id, done)?;
            }
        }
        Ok(())
    }

    /// What is in a log from now on, or was told to others: a replica that lost what nobody has may write it anew.
    fn note_entries(&mut self, id: u64, writes: &[LogWrite]) -> Check {
        let mut appends = writes.iter().filter_map(|write| match write {
            LogWrite::Append(_, entries) => Some(entries),
            _ => None,
        });
        appends.try_for_each(|entries| self.oracle.appends(id, None, entries))
    }

    /// Whoever does not know what is on its disk ends. A batch of the log is there as a whole, or not at all.
    fn fail_to_write(&mut self, id: u64) -> Check {
        let parts = if self.random.one_in(2) { usize::MAX } else { 0 };
        let node = self.node(id);
        let live = node.live.as_mut().expect("the action's process is alive");
        let mut written = live.jobs.pop_front().map_or(Vec::new(), |job| job.writes);
        written.truncate(parts);
        node.disk.write(&written, false);
        live.writing = false;
        if node.disk_state == DiskState::FailsOnce {
            node.disk_state = DiskState::Good;
        }
        self.say(|| format!("{id} cannot write its log"));
        self.note_entries(id, &written)?;
        self.crash(id, false)
    }

    fn logged(&mut self, id: u64, done: LogDone) -> Check {
        match done {
            LogDone::Persisted(number) => self.event(id, Event::Persisted(number)),
            LogDone::Noted => {
                let (meta, _, file) = self.live(id).installing.clone().ok_or("noted what is not installed")?;
                self.apply_job(id, ApplyJob::Install { file, meta });
                Ok(())
            }
            LogDone::Reset { mut floor } => {
                self.live(id).installing = None;
                if self.plan.bug == Some(Bug::SnapshotForgetsTime) {
                    floor = i64::MIN;
                }
                self.event(id, Event::SnapshotInstalled { floor })
            }
        }
    }

    // --- the apply thread ---------------------------------------------------------------------------------------

    fn apply_job(&mut self, id: u64, job: ApplyJob) {
        self.live(id).applies.push_back(job);
        self.apply_soon(id);
    }

    fn apply_soon(&mut self, id: u64) {
        let (low, high) = self.plan.apply;
        let delay = self.random.range(low, high);
        let epoch = self.nodes[&id].epoch;
        let live = self.live(id);
        if !live.applying && !live.applies.is_empty() {
            live.applying = true;
            self.after(delay, Action::Apply { node: id, epoch });
        }
    }

    fn apply(&mut self, id: u64) -> Check {
        let group = self.random.one_in(2);
        let trouble = self.nodes[&id].below;
        let live = self.live(id);
        live.applying = false;
        let job = live.applies.pop_front().expect("woken for a job");
        match job {
            ApplyJob::Apply(mut entries) => {
                while group && let Some(ApplyJob::Apply(_)) = live.applies.front() {
                    let Some(ApplyJob::Apply(more)) = live.applies.pop_front() else { unreachable!("looked at") };
                    entries.extend(more);
                }
                self.apply_entries(id, entries)?;
            }
            ApplyJob::Install { file, meta } => {
                match below::with(trouble, || live.engine.install(&file, &meta)) {
                    Ok(()) => {}
                    Err(Halt::Environment(why)) => return self.later(id, ApplyJob::Install { file, meta }, &why),
                    Err(halt) => return Err(format!("{id} halts: {halt}")),
                }
                self.well(id)?;
                self.say(|| format!("{id} installs a snapshot at {}", meta.at.index));
                let live = self.live(id);
                if live.engine.applied() != meta.at {
                    return Err(format!("{id} installed {:?} and is at {:?}", meta.at, live.engine.applied()));
                }
                let (at, digest, floor) = (meta.at.index, live.engine.digest(), live.engine.clock_floor());
                let (meta, hard, _) = live.installing.clone().ok_or("installed unasked")?;
                self.oracle.digest(id, at, digest)?;
                self.answer_reads(id)?;
                if self.nodes[&id].live.is_none() {
                    return Ok(());
                }
                let writes = vec![LogWrite::Reset(GROUP, meta.at, hard)];
                let done = Some(LogDone::Reset { floor });
                self.log_job(id, LogJob { writes, sync: true, messages: Vec::new(), done });
            }
            ApplyJob::Snapshot(file) => {
                let job = live.engine.snapshot(file.clone());
                live.building = Some((file, job));
                let (epoch, delay) = (self.nodes[&id].epoch, self.random.range(0, 50 * MS));
                self.after(delay, Action::Build { node: id, epoch });
            }
        }
        if self.nodes[&id].live.is_some() {
            self.apply_soon(id);
        }
        Ok(())
    }

    fn apply_entries(&mut self, id: u64, mut entries: Vec<Committed>) -> Check {
        let (bug, trouble) = (self.plan.bug, self.nodes[&id].below);
        let live = self.live(id);
        let applied = live.engine.applied().index;
        entries.retain(|e| e.at.index > applied);
        if entries.is_empty() {
            return Ok(());
        }
        if let Some(bug @ (Bug::ApplyTwice | Bug::ApplyNothing | Bug::ShortChunks)) = bug.filter(|_| id == 2) {
            entries.iter_mut().for_each(|entry| tamper(entry, bug));
        }
        if let Some(bug @ (Bug::NoComparison | Bug::NoReadDigest | Bug::OtherValues)) = bug {
            entries.iter_mut().for_each(|entry| break_promises(entry, bug));
        }
        let mut applied = below::with(trouble, || live.engine.apply(&entries));
        if matches!(applied, Err(Halt::Environment(_))) && bug == Some(Bug::TroubleIsOutcome) {
            applied = live.engine.skip(&entries[0]);
        }
        let outcomes = match applied {
            Ok(outcomes) => outcomes,
            Err(Halt::Environment(why)) => return self.later(id, ApplyJob::Apply(entries), &why),
            Err(halt) => return self.found_rotten(id, &halt.to_string()),
        };
        // It may be that not all of them are in the state yet.
        let last = live.engine.applied().index;
        entries.retain(|entry| entry.at.index > last);
        if !entries.is_empty() {
            live.applies.push_front(ApplyJob::Apply(entries));
        }
        let (digest, durable) = (live.engine.digest(), live.engine.durable());
        let durable = if bug == Some(Bug::CompactPastDurable) { last } else { durable };
        self.say(|| format!("{id} applies up to {last}, digest {digest:016x}, durable {durable}"));
        self.mix(digest);
        let (mut index, mut waiters) = (0, Vec::new().into_iter());
        for outcome in &outcomes {
            self.say(|| format!("    {} {}: {:?}", outcome.index, outcome.request, outcome.outcome));
            self.oracle.applies(id, outcome)?;
            if let Outcome::Failed { error, .. } = &*outcome.outcome
                && error.code == state::PROGRAM_LIMIT_EXCEEDED
                && !self.oracle.is_settled(outcome.request)
            {
                return Err(format!("entry {} takes too much work, and nobody has tried it", outcome.index));
            }
            if outcome.index != index {
                index = outcome.index;
                waiters = self.live(id).waiters.remove(&index).unwrap_or_default().into_iter();
            }
            if let Some(waiter) = waiters.next() {
                self.answer_write(outcome.request, waiter, index, &outcome.outcome);
            }
        }
        self.oracle.digest(id, last, digest)?;
        self.answer_reads(id)?;
        if self.nodes[&id].live.is_none() {
            return Ok(());
        }
        self.well(id)?;
        self.event(id, Event::Applied(last))?;
        self.event(id, Event::Durable(durable))
    }

    /// As the driver: what the machine fails is tried again, and after a while the replica says that it ails.
    fn later(&mut self, id: u64, job: ApplyJob, why: &str) -> Check {
        self.say(|| format!("{id} cannot apply: {why}"));
        let epoch = self.nodes[&id].epoch;
        let delay = self.random.range(5 * MS, 50 * MS);
        let tell = self.random.one_in(2);
        let live = self.live(id);
        live.applies.push_front(job);
        live.applying = true;
        let ails = tell && !live.ailing;
        live.ailing |= tell;
        self.after(delay, Action::Apply { node: id, epoch });
        if ails { self.event(id, Event::Ailing(true)) } else { Ok(()) }
    }

    fn well(&mut self, id: u64) -> Check {
        match std::mem::take(&mut self.live(id).ailing) {
            true => self.event(id, Event::Ailing(false)),
            false => Ok(()),
        }
    }

    fn build(&mut self, id: u64) -> Check {
        let (file, job) = self.live(id).building.take().ok_or("a snapshot is built that nobody wants")?;
        let meta = match job() {
            Ok(meta) => meta,
            Err(halt) => return self.found_rotten(id, &halt.to_string()),
        };
        self.say(|| format!("{id} has built a snapshot at {}", meta.at.index));
        self.live(id).built = Some((meta.clone(), file));
        self.event(id, Event::SnapshotBuilt(meta))
    }

    // --- clients ------------------------------------------------------------------------------------------------

    fn client(&mut self, client: usize, attempt: u64) -> Check {
        let state = &self.clients[client];
        if state.attempt != attempt {
            return Ok(());
        }
        if state.pending.is_none() {
            let enough = self.healed_at.is_some() && state.after_heal >= 2;
            let spent = self.healed_at.is_none() && self.issued >= self.plan.operations;
            if spent {
                self.after(20 * MS, Action::Client { client, attempt });
            }
            if enough || spent {
                return Ok(());
            }
            self.clients[client].pending = Some(self.new_operation(client));
            self.clients[client].after_heal += u64::from(self.healed_at.is_some());
        }
        self.clients[client].attempt += 1;
        let attempt = self.clients[client].attempt;
        if self.plan.bug == Some(Bug::NewRequestId) && attempt > 0 {
            self.rename(client);
        }
        let pending = self.clients[client].pending.clone().expect("set above");
        let node = self.choose_node(pending.last_node);
        let operation = pending.number;
        self.after(0, Action::Submit { client, node, operation });
        if self.random.one_in(self.plan.double_submit) {
            let other = self.some_machine();
            let delay = self.random.range(0, 300 * MS);
            self.after(delay, Action::Submit { client, node: other, operation });
        }
        self.after(self.plan.patience, Action::Client { client, attempt });
        Ok(())
    }

    fn new_operation(&mut self, client: usize) -> Pending {
        self.issued += 1;
        let number = self.issued as i64;
        let k = self.random.range(0, 3) as i64;
        let act = match self.random.range(0, 5) {
            0 => Act::Bump { k },
            1 | 2 => Act::Add { k, by: self.random.range(1, 100) as i64 },
            3 => Act::Append { k },
            _ => Act::Claim { k, name: self.random.range(0, 30) as i64 },
        };
        let read = self.random.range(0, 100) < self.plan.reads;
        let node = self.some_machine();
        let born = self.nodes[&node].live.as_ref().map_or(0, |live| live.shared.applied());
        let operation = Operation { number, born, act };
        let request = (!read).then_some(RequestId { origin: client as u64 + 1, seq: self.issued });
        if let Some(request) = request {
            self.oracle.operations.insert(request, operation.clone());
        }
        Pending { number, request, operation, floor: self.oracle.acknowledged, last_node: node }
    }

    /// The defect: a retry that nobody can recognise.
    fn rename(&mut self, client: usize) {
        self.tickets += 1;
        let seq = 1_000_000 + self.tickets;
        let Some(pending) = &mut self.clients[client].pending else { return };
        if let Some(request) = &mut pending.request {
            *request = RequestId { seq, ..*request };
            self.oracle.operations.insert(*request, pending.operation.clone());
        }
    }

    /// Mostly the leader as some node knows it, sometimes anybody.
    fn choose_node(&mut self, last: u64) -> u64 {
        let known = self.nodes[&last].live.as_ref().and_then(|live| live.core.leadership().leader).map(id_of);
        match known {
            Some(leader) if !self.random.one_in(4) => leader,
            _ => self.some_machine(),
        }
    }

    fn submit(&mut self, client: usize, node: u64, operation: i64) -> Check {
        let Some(pending) = self.clients[client].pending.clone().filter(|p| p.number == operation) else {
            return Ok(());
        };
        let waiter = Waiter { ticket: self.tickets + 1, who: Who::Client { client, operation } };
        self.tickets += 1;
        if self.nodes[&node].live.is_none() {
            self.again(&waiter.who);
            return Ok(());
        }
        if let Some(p) = &mut self.clients[client].pending {
            p.last_node = node;
        }
        let ticket = waiter.ticket;
        let Some(request) = pending.request else {
            let leads = self.live(node).core.leadership().role == Role::Leader;
            if self.plan.bug == Some(Bug::LocalReads) || self.plan.bug == Some(Bug::LeaderReads) && leads {
                return self.answer_read(node, waiter);
            }
            self.live(node).reads.insert(ticket, waiter);
            return self.event(node, Event::ReadIndex(vec![ticket]));
        };
        self.live(node).proposing.insert(ticket, waiter);
        self.propose(node, ticket, pending.operation.proposal(request), None)
    }

    pub(super) fn propose(&mut self, node: u64, ticket: u64, proposal: Proposal, term: Option<u64>) -> Check {
        let clock = self.reading(node);
        let seed = self.random.next();
        self.event(node, Event::Propose { proposals: vec![Ticketed { ticket, term, proposal }], clock, seed })
    }

    /// The client tries again soon, if it still waits for this.
    fn again(&mut self, who: &Who) {
        let Who::Client { client: number, operation } = *who else { return };
        let client = &self.clients[number];
        if client.pending.as_ref().is_some_and(|p| p.number == operation) {
            let attempt = client.attempt;
            let delay = self.random.range(MS, 20 * MS);
            let node = self.some_machine();
            if let Some(pending) = &mut self.clients[number].pending {
                pending.last_node = node;
            }
            self.after(delay, Action::Client { client: number, attempt });
        }
    }

    /// A proposal has no outcome here.
    fn refuse(&mut self, id: u64, waiter: Waiter, why: Option<Refused>) {
        match waiter.who {
            Who::Proposer(reply) => {
                let leader = self.leader_known_to(id);
                let _ = reply.send(Err(why.map_or(ProposeError::Unknown, |why| match why {
                    Refused::NotLeader => ProposeError::NotLeader { leader },
                    Refused::Dropped => ProposeError::Dropped,
                    Refused::Overloaded => ProposeError::Overloaded,
                    Refused::DiskFull => ProposeError::DiskFull,
                    Refused::Halted => ProposeError::Halted(String::new()),
                })));
            }
            who => self.again(&who),
        }
    }

    fn answered(&mut self, client: usize) {
        self.clients[client].pending = None;
        self.clients[client].attempt += 1;
        let attempt = self.clients[client].attempt;
        let delay = self.random.range(0, 2 * self.plan.think + 1);
        self.after(delay, Action::Client { client, attempt });
    }

    fn answer_write(&mut self, request: RequestId, waiter: Waiter, index: u64, outcome: &Arc<Outcome>) {
        let (client, operation) = match waiter.who {
            Who::Client { client, operation } => (client, operation),
            Who::Proposer(reply) => return self.answer_proposer(request, reply, index, outcome),
            Who::Reader(_) => return,
        };
        let Some(pending) = self.clients[client].pending.clone() else { return };
        if pending.number != operation {
            return;
        }
        self.report.writes += 1;
        self.oracle.acknowledges(&pending.operation, index, outcome);
        self.answered(client);
    }

    fn answer_reads(&mut self, id: u64) -> Check {
        let live = self.live(id);
        let applied = live.shared.applied();
        let ready: Vec<_> = live.indexed.extract_if(.., |(index, _)| *index <= applied).collect();
        for (_, waiter) in ready {
            self.answer_read(id, waiter)?;
        }
        Ok(())
    }

    fn answer_read(&mut self, id: u64, waiter: Waiter) -> Check {
        let (client, operation) = match waiter.who {
            Who::Client { client, operation } => (client, operation),
            Who::Reader(reply) => {
                if let Some(live) = self.nodes[&id].live.as_ref() {
                    let _ = reply.send(Ok(live.shared.applied()));
                }
                return Ok(());
            }
            Who::Proposer(_) => return Ok(()),
        };
        let Some(pending) = self.clients[client].pending.clone() else { return Ok(()) };
        if pending.number != operation {
            return Ok(());
        }
        let Some(live) = self.nodes[&id].live.as_ref() else {
            self.again(&Who::Client { client, operation });
            return Ok(());
        };
        self.report.reads += 1;
        let shared = live.shared.clone();
        let rows = match query(&shared, READ) {
            Ok(rows) => rows,
            Err(why) => {
                self.again(&Who::Client { client, operation });
                return self.found_rotten(id, &why);
            }
        };
        self.oracle.reads(id, pending.floor, shared.applied(), &rows)?;
        self.answered(client);
        Ok(())
    }

    // --- faults -------------------------------------------------------------------------------------------------

    pub(super) fn crash(&mut self, id: u64, power: bool) -> Check {
        self.say(|| format!("{id} {}", if power { "loses power" } else { "crashes" }));
        self.end_tasks(id, power)?;
        let (plan, mut random) = (self.plan.clone(), self.random.clone());
        let gone = self.node(id).crash(power, &mut random, &plan);
        let now = self.now;
        self.node(id).down_since = now;
        if let Some(live) = gone {
            self.report.crashes += 1;
            let waiters = live.waiters.values().flatten().chain(live.proposing.values()).chain(live.reads.values());
            for waiter in waiters.chain(live.indexed.iter().map(|(_, waiter)| waiter)) {
                self.again(&waiter.who);
            }
            // The file is closed before it is changed.
            drop(live);
            if power {
                self.node(id).tear_wal(&mut random);
            }
        }
        self.random = random;
        let down = self.random.range(MS, plan.down);
        self.after(down, Action::Restart { node: id });
        if !power && plan.fast_failover {
            for node in self.members.here().into_iter().filter(|n| *n != id) {
                let (epoch, delay) = (self.nodes[&node].epoch, self.random.range(100, 2 * MS));
                if !self.blocked.contains(&(id, node)) {
                    self.after(delay, Action::PeerDown { node, epoch, dead: id });
                }
            }
        }
        Ok(())
    }

    fn fault(&mut self) -> Check {
        if self.healed_at.is_some() {
            return Ok(());
        }
        let next = self.random.range(1, 2 * self.plan.fault_every);
        self.after(next, Action::Fault);
        let faults = self.plan.faults.clone();
        let fault = self.random.pick(&faults);
        let here = self.members.here();
        let (one, other) = (self.some_machine(), self.some_machine());
        let length = self.random.range(20 * MS, 600 * MS);
        self.say(|| format!("fault {fault:?} at {one}, {other}"));
        let all = || here.iter().flat_map(|a| here.iter().map(|b| (*a, *b)));
        match fault {
            Fault::Crash => self.crash(one, false)?,
            Fault::PowerLoss => self.crash(one, true)?,
            Fault::CrashAll => {
                for id in here.clone() {
                    let power = self.random.one_in(2);
                    self.crash(id, power)?;
                }
            }
            Fault::Halves => {
                let mask = self.random.next();
                self.block(length, all().filter(|(a, b)| (mask >> a ^ mask >> b) & 1 == 1).collect());
            }
            Fault::Isolate => self.block(length, all().filter(|(a, b)| (*a == one) != (*b == one)).collect()),
            Fault::OneWay => {
                let deaf = self.random.one_in(2);
                self.block(length, all().filter(|(a, b)| if deaf { *b == one } else { *a == one }).collect());
            }
            Fault::Bridge => self.block(length, [(one, other), (other, one)].into()),
            Fault::Flap => {
                for round in 0..6 {
                    let links = match round % 2 {
                        0 => all().filter(|(a, b)| (*a == one) != (*b == one)).collect(),
                        _ => BTreeSet::new(),
                    };
                    self.after(round * length / 6, Action::Block(links));
                }
            }
            Fault::Pause => {
                let now = self.now;
                self.node(one).paused_until = now + length;
                self.after(length, Action::Resume);
            }
            Fault::Transfer => {
                let leads = |n: &&Node| n.live.as_ref().is_some_and(|l| l.core.leadership().role == Role::Leader);
                let leader = self.nodes.values().find(leads).map(|n| n.id);
                let to = (self.random.one_in(2) && leader != Some(other)).then_some(ReplicaId(other));
                if let Some(leader) = leader {
                    self.event(leader, Event::TransferLeader(to))?;
                }
            }
            Fault::FalseAlarm => {
                let leader = self.nodes[&one].live.as_ref().and_then(|l| l.core.leadership().leader);
                if let Some(dead) = leader {
                    self.event(one, Event::Campaign { dead })?;
                }
            }
            Fault::DiskFull => {
                self.node(one).full = true;
                self.event(one, Event::DiskFull(true))?;
                self.after(length, Action::Room { node: one });
            }
            Fault::ClockJump => {
                let jump = self.random.range(0, 20_000_000) as i64 - 10_000_000;
                self.node(one).skew += jump;
                self.note_clocks();
            }
            Fault::Forgery => self.forge(one)?,
            Fault::SlowDisk => {
                let until = self.now + length;
                self.node(one).slow_until = until;
            }
            Fault::StateFull | Fault::StateFails => {
                let errno = if fault == Fault::StateFull { libc::ENOSPC } else { libc::EIO };
                let after = self.random.range(0, 6);
                self.node(one).below = Some(Trouble { after, errno });
                self.after(length, Action::Mended { node: one });
            }
            Fault::DiskError => self.node(one).disk_state = DiskState::FailsOnce,
            Fault::DiskDead => self.node(one).disk_state = DiskState::Fails,
            Fault::Rot => self.rot(one)?,
            Fault::Wipe => self.wipe(one)?,
            Fault::Join => self.join()?,
            Fault::Leave => self.leave(one),
            Fault::Amnesia => {
                if let Some(served) = self.nodes[&one].live.as_ref().and_then(|live| live.gateway.as_ref()) {
                    served.router.executor.clear();
                }
            }
        }
        Ok(())
    }

    fn block(&mut self, length: u64, links: BTreeSet<(u64, u64)>) {
        self.blocked = links;
        self.after(length, Action::Block(BTreeSet::new()));
    }

    /// The end of all faults.
    fn heal(&mut self) -> Check {
        self.say(|| "all faults end".to_owned());
        self.healed_at = Some(self.now);
        let plan = &mut self.plan;
        (plan.drop, plan.duplicate, plan.crash_within) = (0, 0, 0);
        (plan.straggle, plan.straggle_reads) = (0, 0);
        for range in [&mut plan.latency, &mut plan.sync, &mut plan.apply] {
            *range = (range.0.min(MS), range.1.min(4 * MS));
        }
        plan.patience = plan.patience.max(150 * MS);
        (plan.impatient, plan.hang_up) = (0, 0);
        plan.statement_timeout = plan.statement_timeout.max(15_000 * MS);
        self.queue.retain(|_, action| !matches!(action, Action::Block(_)));
        self.blocked.clear();
        for id in self.members.here() {
            let node = self.node(id);
            (node.paused_until, node.tick) = (0, TICK);
            (node.slow_until, node.disk_state, node.below) = (0, DiskState::Good, None);
            if std::mem::take(&mut node.full) {
                self.event(id, Event::DiskFull(false))?;
            }
            if self.nodes[&id].live.is_none() {
                self.start(id)?;
            }
        }
        self.scrub()
    }

    /// All clients are served and all replicas equal.
    fn finished(&self) -> bool {
        let idle = self.clients.iter().all(|c| c.pending.is_none() && c.after_heal >= 2) && self.sessions_are_over();
        let end = self.oracle.last_committed();
        let even = self.nodes.values().filter(|node| self.members.is_here(node.id)).all(|node| {
            node.live.as_ref().is_some_and(|live| live.shared.applied() == end && live.core.last_index() == end)
        });
        idle && even && self.is_settled()
    }

    fn conclude(&mut self) -> Check {
        self.oracle.once_each()?;
        let end = self.oracle.last_committed();
        let tables = self.oracle.tables_at(end).cloned().ok_or("the model ends early")?;
        let digests: BTreeSet<u64> =
            self.nodes.values().filter_map(|n| n.live.as_ref()).map(|l| l.engine.digest()).collect();
        if digests.len() != 1 {
            return Err("equal positions, different digests".to_owned());
        }
        for id in self.members.here() {
            let shared = self.live(id).shared.clone();
            let mut expected = tables.rows();
            if query(&shared, READ)? != expected {
                return Err(format!("{id} ends with other registers than the model"));
            }
            let int = quorate::value::Value::Int;
            expected = tables.claims.iter().map(|(k, op)| vec![int(*k), int(*op)]).collect();
            if query(&shared, r#"SELECT k, op FROM "public.claim" ORDER BY k"#)? != expected {
                return Err(format!("{id} ends with other claims than the model"));
            }
            if id == 1 && self.plan.sessions > 0 {
                self.conclude_transactions(&shared)?;
            }
            expected = tables.done.iter().map(|op| vec![int(*op)]).collect();
            if query(&shared, r#"SELECT op FROM "public.done" ORDER BY rowid"#)? != expected {
                return Err(format!("{id} ends with other operations than the model"));
            }
        }
        Ok(())
    }

    pub(super) fn describe(&self) -> String {
        let mut out = format!("committed {}\n", self.oracle.last_committed());
        for node in self.nodes.values() {
            match &node.live {
                None => out.push_str(&format!("  {} is down\n", node.id)),
                Some(live) => {
                    let core = &live.core;
                    out.push_str(&format!(
                        "  {} {:?} log {}..={} commit {} applied {} jobs {} applies {} installing {}\n",
                        node.id,
                        core.leadership(),
                        core.first_index(),
                        core.last_index(),
                        core.commit(),
                        live.shared.applied(),
                        live.jobs.len(),
                        live.applies.len(),
                        live.installing.is_some(),
                    ));
                }
            }
        }
        for (i, client) in self.clients.iter().enumerate() {
            if let Some(pending) = &client.pending {
                out.push_str(&format!("  client {i} waits for {:?}\n", pending.operation));
            }
        }
        self.describe_sessions(&mut out);
        out
    }
}

fn refused(id: u64, error: &StartError) -> String {
    format!("{id} refuses to start: {error}")
}

/// The defect: the commands of an entry again under new names, or none of them, or parts of large ones in part.
fn tamper(entry: &mut Committed, bug: Bug) {
    let Payload::Batch(bytes) = &mut entry.payload else { return };
    let Ok(mut batch) = command::decode::<Batch>(bytes) else { return };
    let again = |p: &Proposal| Proposal {
        request: RequestId { origin: p.request.origin + 1000, ..p.request },
        body: p.body.clone(),
    };
    let copies: Vec<Proposal> = batch.commands.iter().map(again).collect();
    match bug {
        Bug::ApplyTwice => batch.commands.extend(copies),
        Bug::ApplyNothing => batch.commands.clear(),
        _ => {
            for proposal in &mut batch.commands {
                if let Ok(Command::Chunk { upload, part, bytes }) = command::decode(&proposal.body) {
                    let bytes = bytes.slice(1..);
                    proposal.body = command::encode(&Command::Chunk { upload, part, bytes });
                }
            }
        }
    }
    *bytes = command::encode(&batch);
}

/// The defect: what a transaction told its client is not compared, or not all of it.
fn break_promises(entry: &mut Committed, bug: Bug) {
    let Payload::Batch(bytes) = &mut entry.payload else { return };
    let Ok(mut batch) = command::decode::<Batch>(bytes) else { return };
    for proposal in &mut batch.commands {
        let Ok(Command::Write(mut write)) = command::decode(&proposal.body) else { continue };
        if write.transaction.is_none() {
            continue;
        }
        for step in &mut write.steps {
            let read = step.statements.iter().all(|s| s.yields == Yields::Rows && s.sql.starts_with("SELECT"));
            match (bug, &mut step.frozen) {
                (Bug::OtherValues, Some(frozen)) => frozen.seed ^= 1,
                (Bug::NoComparison, _) => step.expect = None,
                (Bug::NoReadDigest, _) if read => step.expect = None,
                _ => {}
            }
        }
        proposal.body = command::encode(&Command::Write(write));
    }
    *bytes = command::encode(&batch);
}

/// A message in a trace.
fn show(m: &Message) -> String {
    let entries: Vec<String> = m.entries.iter().map(|e| format!("{}@{}", e.index, e.term)).collect();
    let reject = if m.reject { " rejected" } else { "" };
    let kind = format!("{:?}", m.get_msg_type());
    let kind = kind.trim_start_matches("Msg");
    format!(
        "{}->{} {kind} t{} {}@{} [{}] commit {}{reject}",
        m.from,
        m.to,
        m.term,
        m.index,
        m.log_term,
        entries.join(" "),
        m.commit
    )
}
