//! The simulated world: one queue of what happens next, which is the clock, the network, the disks and the clients.

use super::below::Trouble;
use super::gateway::{CallReply, Inbox};
use super::members::Members;
use super::node::{Crowd, DiskState, GROUP, Live, Node, StartFailure, Who, query};
use super::oracle::{Act, Check, Operation, Oracle, READ};
use super::plan::{Bug, Fault, MEMBERSHIP, Plan, TICK};
use super::random::Random;
use super::session::Chronicle;
use super::state::{Word, Words};
use super::tasks::{Clock, Pid, Tasks};
use super::transactions::Memory;
use bytes::Bytes;
use quorate::command::{Outcome, Proposal};
use quorate::consensus::brake::Standstill;
use quorate::consensus::form::snapshot_meta;
use quorate::error::state;
use quorate::id::{NodeId, ReplicaId, RequestId};
use quorate::raftlog::{Entry, LogReader as _, LogWrite};
use quorate::replica::apply::Report as Applying;
use quorate::replica::conductor::contract::{self as conductor, ApplyJob, Input, LogJob};
use quorate::replica::core::{Fetch, Improper, Role, StartError};
use quorate::replica::handle::{GroupLeadership, ProposeError, ReadError};
use quorate::replica::{Applied, Committed, StateMachine as _};
use quorate::transport::{Beat, Envelope};
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
    /// A node's conductor is to be given time.
    Alarm {
        node: u64,
        epoch: u64,
        at: u64,
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
    /// Somebody has an entry tried again.
    Retry {
        node: u64,
        epoch: u64,
        index: u64,
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
            let alarm = matches!(action, Action::Alarm { .. });
            self.act(action)?;
            self.run_tasks()?;
            let Some(healed) = self.healed_at.filter(|_| alarm) else { continue };
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
            Alarm { node, epoch, .. }
            | Drain { node, epoch }
            | Log { node, epoch }
            | Apply { node, epoch }
            | Fetch { node, epoch, .. }
            | Fetched { node, epoch, .. }
            | Build { node, epoch }
            | Retry { node, epoch, .. }
            | SnapshotSent { node, epoch, .. }
            | Unreachable { node, epoch, .. }
            | PeerDown { node, epoch, .. } => Some((*node, Some(*epoch))),
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
            let commit = node.live.as_ref().map_or(0, |live| live.core().commit());
            self.mix(self.now ^ id << 48 ^ commit << 32);
        }
        match action {
            Action::Alarm { node, at, .. } => self.alarm(node, at),
            Action::Drain { node, .. } => self.drain(node),
            Action::Deliver(message) => self.deliver(message),
            Action::DeliverSnapshot { message, file, epoch } => self.deliver_snapshot(message, file, epoch),
            Action::SnapshotSent { node, to, ok, .. } => {
                self.input(node, Input::SnapshotSent { group: GROUP, to: ReplicaId(to), ok })
            }
            Action::Unreachable { node, to, .. } => self.input(node, Input::Unreachable(NodeId(to))),
            Action::Log { node, .. } => self.write_log(node),
            Action::Apply { node, .. } => self.apply(node),
            Action::Build { node, .. } => self.build(node),
            Action::PeerDown { node, dead, .. } => self.peer_down(node, dead),
            Action::Fetch { node, fetch, .. } => self.fetch(node, fetch),
            Action::Fetched { node, fetch, entries, .. } => {
                self.input(node, Input::Fetched { group: GROUP, fetch, entries })
            }
            Action::Restart { node } if self.nodes[&node].live.is_none() && self.members.is_here(node) => {
                self.start(node)
            }
            Action::Restart { .. } => Ok(()),
            Action::Client { client, attempt } => self.client(client, attempt),
            Action::Submit { client, node, operation } => self.submit(client, node, operation),
            Action::Beat { from, node, beat } => self.hears(node, from, beat),
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
                self.input(node, Input::DiskFull(false))
            }
            Action::Mended { node } => {
                self.node(node).below = None;
                Ok(())
            }
            Action::Retry { node, index, .. } => {
                self.live(node).state.brake().retry(index);
                self.input(node, Input::Retry(GROUP))
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
        let (plan, now, nodes) = (self.plan.clone(), self.moment(id), self.members.nodes());
        // Ticks of different nodes have nothing to do with each other.
        let began = now.monotonic - self.random.range(0, self.nodes[&id].tick) as i64;
        match self.node(id).start(&plan, boot, began, nodes) {
            Ok(()) => {}
            Err(StartFailure::Engine(error)) if self.nodes[&id].rotten => return self.found_rotten(id, &error),
            Err(StartFailure::Engine(error)) => return Err(format!("{id} does not start: {error}")),
            Err(StartFailure::Refused(error)) => return Err(refused(id, &error)),
        }
        self.open_gateway(id);
        self.publish_time(id);
        let full = self.nodes[&id].full;
        let live = self.live(id);
        let (index, durable, last) = (live.applied(), live.state.durable(), live.core().last_index());
        let stuck = live.state.brake().stuck().filter(|stuck| stuck.why == Standstill::Waiting);
        self.say(|| format!("{id} starts, applied {index}, durable {durable}, log up to {last}"));
        if let Some(stuck) = stuck {
            // It has ended over that entry again and again. Somebody sees that, and knows that it was not for the entry.
            let (epoch, delay) = (self.nodes[&id].epoch, self.random.range(10 * MS, 500 * MS));
            self.after(delay, Action::Retry { node: id, epoch, index: stuck.at.index });
        }
        self.input(id, Input::Applied { group: GROUP, index, durable })?;
        if full { self.input(id, Input::DiskFull(true)) } else { Ok(()) }
    }

    fn alarm(&mut self, id: u64, at: u64) -> Check {
        let live = self.live(id);
        if live.alarm != Some(at) {
            return Ok(());
        }
        live.alarm = None;
        self.drain(id)
    }

    /// Sees to it that a node's conductor is given time when it wants.
    fn set_alarm(&mut self, id: u64) {
        let offset = self.offset(id);
        let (now, epoch) = (self.now, self.nodes[&id].epoch);
        let live = self.live(id);
        let due = ((live.conductor.due() - offset).max(0) as u64).max(now);
        if live.alarm.is_none_or(|at| due < at) {
            live.alarm = Some(due);
            self.after(due - now, Action::Alarm { node: id, epoch, at: due });
        }
    }

    /// Tells a node's conductor something; it decides now or a little later.
    pub(super) fn input(&mut self, id: u64, input: Input<Crowd>) -> Check {
        let (lazy, now) = (self.plan.lazy, self.moment(id));
        let World { nodes, random, .. } = self;
        let Some(live) = nodes.get_mut(&id).and_then(|node| node.live.as_mut()) else { return Ok(()) };
        live.conductor.take(input, now, &mut || random.next());
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
        let now = self.moment(id);
        let World { nodes, random, .. } = self;
        let Some(live) = nodes.get_mut(&id).and_then(|node| node.live.as_mut()) else { return Ok(()) };
        live.draining = false;
        live.conductor.perform(now, &mut || random.next());
        let actions: Vec<_> = live.conductor.actions().collect();
        self.set_alarm(id);
        let seen = actions.iter().filter(|action| is_seen(action)).count();
        let mut left = match self.healed_at.is_none() && seen > 1 && self.random.one_in(self.plan.crash_within) {
            true => self.random.range(0, seen as u64) as usize,
            false => usize::MAX,
        };
        for action in actions {
            if is_seen(&action) {
                if left == 0 {
                    let power = self.random.one_in(2);
                    return self.crash(id, power);
                }
                left -= 1;
            }
            self.perform(id, action)?;
            if self.nodes[&id].live.is_none() {
                return Ok(());
            }
        }
        Ok(())
    }

    fn perform(&mut self, id: u64, action: conductor::Action<Crowd>) -> Check {
        use conductor::Action::*;
        match action {
            Send { messages, .. } => self.send(messages)?,
            Beat { to, beat } => self.beat(id, to.0, beat),
            SendSnapshot { envelope, file, .. } => {
                let (epoch, message) = (self.nodes[&id].epoch, envelope.message);
                let (to, copy) = (message.to, self.file());
                let delay = self.random.range(100, 30 * MS);
                match !self.loses(id, to) && std::fs::copy(&file, &copy).is_ok() {
                    true => self.after(delay, Action::DeliverSnapshot { message, file: copy, epoch }),
                    false => self.after(delay, Action::SnapshotSent { node: id, epoch, to, ok: false }),
                }
            }
            Log(job) => self.log_job(id, job)?,
            Fetch { fetch, .. } => {
                let (epoch, delay) = (self.nodes[&id].epoch, self.random.range(0, 20 * MS));
                self.after(delay, Action::Fetch { node: id, epoch, fetch });
            }
            Apply { job, .. } => {
                if let ApplyJob::Apply(entries) = &job {
                    self.check_committed(id, entries)?;
                }
                self.apply_job(id, job);
            }
            Build(_) => {
                let file = self.file();
                self.apply_job(id, ApplyJob::Snapshot(file));
            }
            Discard(file) => drop(std::fs::remove_file(file)),
            Appended { index, replies, .. } => self.live(id).outcomes.wait(index, replies, 0),
            OutcomesUnknown(_) => self.outcomes_unknown(id),
            Refuse { reply, why } => {
                self.say(|| format!("{id} refuses a proposal: {why:?}"));
                self.refuse(reply, why);
            }
            ReadAt { index, reply, .. } => {
                self.live(id).readers.wait(index, reply);
                self.answer_reads(id)?;
            }
            RefuseRead { reply, why } => self.refuse_read(reply, why),
            Leads { now, .. } => self.leads(id, now)?,
            State { state, .. } => {
                self.say(|| format!("{id} is {state:?}"));
                if let Some(why) = state.out_of_service() {
                    let readers: Vec<_> = self.live(id).readers.take().collect();
                    readers.into_iter().for_each(|reply| self.refuse_read(reply, ReadError::Halted(why.clone())));
                    self.outcomes_unknown(id);
                }
            }
            DiskFull { full, .. } => {
                let last = self.live(id).core().last_index();
                let readers: Vec<_> = if full { self.live(id).readers.take_beyond(last).collect() } else { Vec::new() };
                let why = ReadError::Halted("no room".to_owned());
                readers.into_iter().for_each(|reply| self.refuse_read(reply, why.clone()));
            }
            // Others go through old ones again when they begin anew.
            Members { members, .. } => {
                if self.live(id).core().leadership().role == Role::Leader && self.members.note(members) {
                    self.note_clocks();
                }
            }
            Time { time, .. } => {
                self.live(id).time = time;
                self.publish_time(id);
            }
            Ticked(_) => self.report.rested += u64::from(self.live(id).core().is_resting()),
            Judge { .. } => return Err(format!("{id}: nobody has asked for that")),
            Refuted { from, why, .. } => self.refuted(id, from, why)?,
            Prune(_) => self.live(id).readers.prune(<Crowd as conductor::Askers>::has_left),
            Changed { .. } | Progress { .. } | Nodes { .. } | Matched { .. } | End { .. } => {}
        }
        Ok(())
    }

    fn leads(&mut self, id: u64, now: GroupLeadership) -> Check {
        let before = std::mem::replace(&mut self.live(id).leadership, now);
        self.publish_leadership(id, now);
        if (before.role, before.term) == (now.role, now.term) {
            return Ok(());
        }
        self.say(|| format!("{id} is {:?} in term {}", now.role, now.term));
        if now.role != Role::Leader {
            return Ok(());
        }
        self.report.elections += 1;
        let last = self.live(id).core().last_index();
        self.oracle.leads(id, now.term, last)?;
        // It may have learned it as a follower, while its leader was gone before it knew.
        let members = self.live(id).core().membership().clone();
        if self.members.is_unknown(&members) && self.members.note(members) {
            self.note_clocks();
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

    fn send(&mut self, messages: Vec<Envelope>) -> Check {
        for Envelope { message, .. } in messages {
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
        let messages = vec![Envelope { group: GROUP, message }];
        self.input(to, Input::Messages { from: NodeId(from), messages })
    }

    /// Message and file arrive together.
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
        let envelope = Box::new(Envelope { group: GROUP, message });
        self.input(to, Input::Snapshot { from: NodeId(from), envelope, file })
    }

    /// One of many messages that cannot be, from a member or from somebody unknown.
    fn forge(&mut self, to: u64) -> Check {
        use MessageType::*;
        let Some(live) = self.nodes[&to].live.as_ref() else { return Ok(()) };
        let (term, last) = (live.core().leadership().term, live.core().last_index());
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
        let (from, messages) = (NodeId(message.from), vec![Envelope { group: GROUP, message }]);
        self.input(to, Input::Messages { from, messages })
    }

    /// Only what was forged is refused.
    fn refuted(&mut self, id: u64, from: ReplicaId, why: Improper) -> Check {
        self.say(|| format!("{id} refuses a message of {from}: {why}"));
        // An honest answer may come when its sender has left, or is not yet known here to have come; but one that knows no
        // members at all has no strangers.
        let knows_some = !self.live(id).core().membership().voters.is_empty();
        let late = why == Improper::Stranger && from.0 < 1000 && knows_some;
        let forged = self.forged.entry(id).or_default();
        if *forged == 0 && self.plan.bug.is_none() && !late {
            return Err(format!("{id} refuses an honest message of {from}: {why}"));
        }
        *forged = forged.saturating_sub(1);
        Ok(())
    }

    fn peer_down(&mut self, id: u64, dead: u64) -> Check {
        let served =
            self.node(id).live.as_ref().and_then(|live| live.gateway.as_ref()).map(|served| served.peers.clone());
        if let Some(peers) = served.filter(|_| self.nodes[&dead].live.is_none()) {
            peers.note(dead, true);
        }
        self.input(id, Input::PeerDown(NodeId(dead)))
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

    fn log_job(&mut self, id: u64, mut job: LogJob<Crowd>) -> Check {
        for write in &mut job.writes {
            match write {
                LogWrite::Append(_, entries) => self.oracle.truth.appends(self.now, entries),
                LogWrite::HardState(_, hard) if self.plan.bug == Some(Bug::ForgetVote) => hard.vote = 0,
                LogWrite::Installing(..) => self.report.snapshots += 1,
                LogWrite::Compact(_, to) => {
                    let durable = self.live(id).state.look().engine.durable();
                    if to.index > durable {
                        return Err(format!("{id} cuts its log up to {}, but only {durable} is durable", to.index));
                    }
                    self.report.compactions += 1;
                }
                _ => {}
            }
        }
        if self.plan.bug == Some(Bug::AckBeforeFsync) {
            let early = std::mem::take(&mut job.messages);
            self.send(early.into_iter().map(|(_, envelope)| envelope).collect())?;
        }
        self.live(id).jobs.push_back(job);
        self.write_soon(id);
        Ok(())
    }

    fn write_soon(&mut self, id: u64) {
        let slow = self.nodes[&id].slow_until > self.now;
        let (low, high) = if slow { (50 * MS, 500 * MS) } else { self.plan.sync };
        let delay = self.random.range(low, high);
        let (epoch, now) = (self.nodes[&id].epoch, self.moment(id).monotonic);
        let live = self.live(id);
        if !live.writing && !live.jobs.is_empty() {
            live.writing = true;
            live.syncs.begin(now);
            self.after(delay, Action::Log { node: id, epoch });
        }
    }

    /// Some of what is queued becomes durable together; then its messages leave, then the core hears of it.
    fn write_log(&mut self, id: u64) -> Check {
        if self.nodes[&id].disk_state != DiskState::Good {
            return self.fail_to_write(id);
        }
        let now = self.moment(id).monotonic;
        self.live(id).syncs.end(now);
        let queued = self.live(id).jobs.len() as u64;
        let take = self.random.range(1, queued + 1) as usize;
        let node = self.node(id);
        let live = node.live.as_mut().expect("the action's process is alive");
        live.writing = false;
        let jobs: Vec<LogJob<Crowd>> = live.jobs.drain(..take.min(queued as usize)).collect();
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
            self.send(job.messages.into_iter().map(|(_, envelope)| envelope).collect())?;
            done.extend(job.done);
        }
        let epoch = self.nodes[&id].epoch;
        for mut done in done {
            if let (Some(Bug::SnapshotForgetsTime), Input::LogReset { floor, .. }) = (self.plan.bug, &mut done) {
                *floor = i64::MIN;
            }
            if self.nodes[&id].epoch == epoch {
                self.input(id, done)?;
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

    /// A turn of the applier: it takes one job, or all that go together.
    fn apply(&mut self, id: u64) -> Check {
        let (now, together, below) = (self.moment(id).monotonic, self.random.one_in(2), self.nodes[&id].below);
        let live = self.live(id);
        live.applying = false;
        live.state.look().below = below;
        let mut words = Words { now, said: Vec::new() };
        let jobs = live.applies.iter().take_while(|job| matches!(job, ApplyJob::Apply(_))).count();
        for _ in 0..if together { jobs.max(1) } else { 1 } {
            let Some(job) = live.applies.pop_front() else { break };
            live.applier.take(job, now, &mut words);
        }
        live.applier.work(&mut words);
        let (states, retries) = (std::mem::take(&mut live.state.look().states), live.applier.retries());
        for (at, digest, durable) in states {
            self.say(|| format!("{id} has applied up to {}, digest {digest:016x}, durable {durable}", at.index));
            self.mix(digest);
            self.oracle.digest(id, at.index, digest)?;
        }
        for word in words.said {
            self.hear(id, word)?;
            if self.nodes[&id].live.is_none() {
                return Ok(());
            }
        }
        match retries {
            None => self.apply_soon(id),
            Some(at) => {
                self.say(|| format!("{id} cannot apply for now"));
                self.live(id).applying = true;
                let epoch = self.nodes[&id].epoch;
                self.after((at - now).max(0) as u64, Action::Apply { node: id, epoch });
            }
        }
        Ok(())
    }

    fn hear(&mut self, id: u64, word: Word) -> Check {
        match word {
            Word::Applied => self.answer_reads(id),
            Word::Outcomes(outcomes) => self.outcomes(id, outcomes),
            Word::Build(file, building) => {
                self.live(id).building.push_back((file, building));
                let (epoch, delay) = (self.nodes[&id].epoch, self.random.range(0, 50 * MS));
                self.after(delay, Action::Build { node: id, epoch });
                Ok(())
            }
            // Whatever is damaged is not mended here, but replaced.
            Word::Report(Applying::Halted(halt)) => self.found_rotten(id, &halt.to_string()),
            Word::Report(report) => self.input(id, report.of(GROUP)),
        }
    }

    fn outcomes(&mut self, id: u64, outcomes: Vec<Applied>) -> Check {
        for outcome in &outcomes {
            self.say(|| format!("    {} {}: {:?}", outcome.index, outcome.request, outcome.outcome));
            self.oracle.applies(id, outcome)?;
            if let Outcome::Failed { error, .. } = &*outcome.outcome
                && error.code == state::PROGRAM_LIMIT_EXCEEDED
                && !self.oracle.is_settled(outcome.request)
            {
                return Err(format!("entry {} takes too much work, and nobody has tried it", outcome.index));
            }
        }
        let mut answers = Vec::new();
        self.live(id).outcomes.answer(outcomes, |_, _| {}, |who, applied| answers.push((who, applied)));
        for (who, applied) in answers {
            self.answer_write(who, &applied);
        }
        Ok(())
    }

    fn build(&mut self, id: u64) -> Check {
        let (file, building) = self.live(id).building.pop_front().ok_or("a snapshot is built that nobody wants")?;
        let result = building();
        match &result {
            Ok(meta) => self.say(|| format!("{id} has built a snapshot at {}", meta.at.index)),
            Err(halt) => return self.found_rotten(id, &halt.to_string()),
        }
        self.input(id, Input::Built { group: GROUP, file, result })
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
        let known = self.nodes[&last].live.as_ref().and_then(|live| live.core().leadership().leader).map(id_of);
        match known {
            Some(leader) if !self.random.one_in(4) => leader,
            _ => self.some_machine(),
        }
    }

    fn submit(&mut self, client: usize, node: u64, operation: i64) -> Check {
        let Some(pending) = self.clients[client].pending.clone().filter(|p| p.number == operation) else {
            return Ok(());
        };
        let who = Who::Client { client, operation };
        if self.nodes[&node].live.is_none() {
            self.again(&who);
            return Ok(());
        }
        if let Some(p) = &mut self.clients[client].pending {
            p.last_node = node;
        }
        let Some(request) = pending.request else {
            let leads = self.live(node).core().leadership().role == Role::Leader;
            if self.plan.bug == Some(Bug::LocalReads) || self.plan.bug == Some(Bug::LeaderReads) && leads {
                return self.answer_read(node, who);
            }
            return self.input(node, Input::Read { group: GROUP, reply: who });
        };
        self.propose(node, who, pending.operation.proposal(request), None)
    }

    pub(super) fn propose(&mut self, node: u64, who: Who, proposal: Proposal, term: Option<u64>) -> Check {
        self.input(node, Input::Propose { group: GROUP, proposal, term, reply: who })
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
    fn refuse(&mut self, who: Who, why: ProposeError) {
        match who {
            Who::Proposer(reply) => drop(reply.send(Err(why))),
            who => self.again(&who),
        }
    }

    fn refuse_read(&mut self, who: Who, why: ReadError) {
        match who {
            Who::Reader(reply) => drop(reply.send(Err(why))),
            who => self.again(&who),
        }
    }

    fn outcomes_unknown(&mut self, id: u64) {
        let proposers: Vec<_> = self.live(id).outcomes.take().collect();
        proposers.into_iter().for_each(|who| self.refuse(who, ProposeError::Unknown));
    }

    fn answered(&mut self, client: usize) {
        self.clients[client].pending = None;
        self.clients[client].attempt += 1;
        let attempt = self.clients[client].attempt;
        let delay = self.random.range(0, 2 * self.plan.think + 1);
        self.after(delay, Action::Client { client, attempt });
    }

    fn answer_write(&mut self, who: Who, applied: &Applied) {
        let Applied { request, index, outcome } = applied;
        let (client, operation) = match who {
            Who::Client { client, operation } => (client, operation),
            Who::Proposer(reply) => return self.answer_proposer(*request, reply, *index, outcome),
            Who::Reader(_) => return,
        };
        let Some(pending) = self.clients[client].pending.clone() else { return };
        if pending.number != operation {
            return;
        }
        self.report.writes += 1;
        self.oracle.acknowledges(&pending.operation, *index, outcome);
        self.answered(client);
    }

    fn answer_reads(&mut self, id: u64) -> Check {
        while let Some(live) = self.nodes.get_mut(&id).and_then(|node| node.live.as_mut())
            && let Some((_, ready)) = live.readers.ready(live.shared.applied())
        {
            for who in ready {
                self.answer_read(id, who)?;
            }
        }
        Ok(())
    }

    fn answer_read(&mut self, id: u64, who: Who) -> Check {
        let (client, operation) = match who {
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
        if let Some(mut live) = gone {
            self.report.crashes += 1;
            // Their connections close.
            for who in live.everybody() {
                self.again(&who);
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
                let leads = |n: &&Node| n.live.as_ref().is_some_and(|l| l.core().leadership().role == Role::Leader);
                let leader = self.nodes.values().find(leads).map(|n| n.id);
                let to = (self.random.one_in(2) && leader != Some(other)).then_some(NodeId(other));
                if let Some(leader) = leader {
                    self.input(leader, Input::Transfer { group: GROUP, to })?;
                }
            }
            Fault::FalseAlarm => {
                let leader = self.nodes[&one].live.as_ref().and_then(|l| l.core().leadership().leader);
                if let Some(ReplicaId(dead)) = leader {
                    self.input(one, Input::PeerDown(NodeId(dead)))?;
                }
            }
            Fault::DiskFull => {
                self.node(one).full = true;
                self.input(one, Input::DiskFull(true))?;
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
                self.input(id, Input::DiskFull(false))?;
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
            node.live.as_ref().is_some_and(|live| live.shared.applied() == end && live.core().last_index() == end)
        });
        idle && even && self.is_settled()
    }

    fn conclude(&mut self) -> Check {
        self.oracle.once_each()?;
        let end = self.oracle.last_committed();
        let tables = self.oracle.tables_at(end).cloned().ok_or("the model ends early")?;
        let digests: BTreeSet<u64> =
            self.nodes.values().filter_map(|n| n.live.as_ref()).map(|l| l.state.look().engine.digest()).collect();
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
                    let core = live.core();
                    out.push_str(&format!(
                        "  {} {:?} log {}..={} commit {} applied {} jobs {} applies {}\n",
                        node.id,
                        core.leadership(),
                        core.first_index(),
                        core.last_index(),
                        core.commit(),
                        live.shared.applied(),
                        live.jobs.len(),
                        live.applies.len(),
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

/// What a crash may leave undone: all but what is only noted in the process, and lost with it in any case.
fn is_seen(action: &conductor::Action<Crowd>) -> bool {
    use conductor::Action::*;
    !matches!(
        action,
        Appended { .. }
            | Progress { .. }
            | Matched { .. }
            | Nodes { .. }
            | Time { .. }
            | DiskFull { .. }
            | Prune(_)
            | Ticked(_)
    )
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
