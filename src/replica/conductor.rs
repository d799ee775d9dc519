//! What a node decides about all its replicas, as a pure machine: inputs in, actions out. No IO, no clock, no chance, no threads.
//!
//! Around the cores of its groups ([`super::core`], one replica each) a conductor knows what the node as a whole must: where
//! replicas live, who waits for what, when a tick is due and which groups' time is counted, whose turn it is to campaign when a
//! peer has died, which nodes are heard and what their clocks say, who had better not lead, and in which order a snapshot
//! becomes the state of a replica. Whoever runs it ([`super::driver`] with threads, disks and sockets, the simulation with its own)
//! - brings inputs ([`Conductor::take`]), as many as have come,
//! - lets it decide ([`Conductor::perform`]), also when nothing has come but [`Conductor::due`] has passed, and
//! - performs the actions ([`Conductor::actions`]) in their order. Where an action asks for a report, an input brings it.
//!
//! What one round makes for a peer leaves as one message; what waits for the log stands in the job that writes it, so that it
//! cannot leave before.
//!
//! **Installing a snapshot** takes three reports, and a crash between any two of them is mended at the next start
//! ([`crate::raftlog::finish_install`]): the log notes what is to come, the state machine is replaced, the log is reset to where
//! that is. Another file that arrives meanwhile is not wanted, and is discarded.
//!
//! Not here: what is done with what is committed ([`super::apply`]), and whoever waits for it to be done.

pub mod contract;
mod part;

use super::beats::{Beats, Hearing, Moment, SILENT};
use super::core::{Change, Core, Event, Ticketed};
use super::fitness::Unfit;
use crate::clock::{Belief, Reading};
use crate::command::Proposal;
use crate::consensus::form::snapshot_meta;
use crate::consensus::{Halt, SnapshotMeta};
use crate::id::{GroupId, NodeId, ReplicaId};
use crate::raftlog::LogWrite;
use crate::transport::{Beat, Envelope};
use contract::{Action, ApplyJob, Askers, Input, LogJob, Now, Time};
use part::{Outbox, Part};
use raft::eraftpb::MessageType;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

/// How often nodes tell each other of their clocks and disks, µs.
const BEAT: i64 = 100_000;
/// For how long what a majority said of the time is relied on without hearing of it again, µs.
const RELIANCE: i64 = 1_000_000;
/// In so many ticks groups that rest are told what time it is. Less than [`RELIANCE`].
const SELDOM: u64 = 10;
/// In so many ticks those are forgotten who do not wait any more.
const PRUNING: u64 = 20;
/// In so many ticks a leader says how far the others are.
const MATCHING: u64 = 10;
/// How long a group may rest before it looks whether it may, whatever happens, µs.
const LONGEST_REST: i64 = 60_000_000;
/// By how much campaigns of one rank differ, µs.
const JITTER: u64 = 2000;
/// A candidate misses one of so many ticks: see [`super::core`].
const MISSED: u64 = 4;

/// Times in µs.
#[derive(Clone, Debug)]
pub struct Settings {
    pub node: NodeId,
    /// The unit of Raft's timeouts.
    pub tick: i64,
    /// How much later each further replica campaigns when the leader's process is known to be gone.
    pub campaign_step: i64,
    /// How far a node's clock may be from what a majority believes.
    pub clock_tolerance: i64,
}

/// A campaign that waits for its turn.
struct Campaign {
    at: i64,
    group: GroupId,
    dead: ReplicaId,
}

/// See the module.
pub struct Conductor<A: Askers> {
    settings: Settings,
    parts: BTreeMap<GroupId, Box<Part<A>>>,
    /// Something has happened to them in this round.
    touched: BTreeSet<GroupId>,
    /// Those that do not rest: their time is counted.
    awake: BTreeSet<GroupId>,
    hearing: Hearing,
    beats: Beats,
    campaigns: Vec<Campaign>,
    outbox: Outbox,
    actions: Vec<Action<A>>,
    /// Why the log cannot be written for now.
    log_fails: Option<String>,
    disk_full: bool,
    tickets: u64,
    ticks: u64,
    next_tick: i64,
    next_beat: i64,
}

impl<A: Askers> Conductor<A> {
    /// `now` is on the monotonic clock: the first tick is due a tick later.
    pub fn new(settings: Settings, now: i64) -> Conductor<A> {
        Conductor {
            beats: Beats::new(settings.node, settings.clock_tolerance),
            parts: BTreeMap::new(),
            touched: BTreeSet::new(),
            awake: BTreeSet::new(),
            hearing: Hearing::default(),
            campaigns: Vec::new(),
            outbox: Outbox::new(),
            actions: Vec::new(),
            log_fails: None,
            disk_full: false,
            tickets: 0,
            ticks: 0,
            next_tick: now + settings.tick,
            next_beat: now,
            settings,
        }
    }

    /// When it must be given time, at the latest, on the monotonic clock.
    pub fn due(&self) -> i64 {
        self.campaigns.iter().map(|campaign| campaign.at).fold(self.next_tick, i64::min)
    }

    /// When the next tick is due.
    pub fn next_tick(&self) -> i64 {
        self.next_tick
    }

    pub fn core(&self, group: GroupId) -> Option<&Core> {
        self.parts.get(&group).map(|part| &part.core)
    }

    /// What is to be done since this was last asked.
    pub fn actions(&mut self) -> std::vec::Drain<'_, Action<A>> {
        self.actions.drain(..)
    }

    /// Takes notice of something. What follows from it is decided by the next [`Conductor::perform`].
    pub fn take(&mut self, input: Input<A>, now: Now, dice: &mut dyn FnMut() -> u64) {
        match input {
            Input::Propose { group, proposal, term, reply } => self.propose(group, now, term, proposal, reply),
            Input::Read { group, reply } => {
                let read = self.ticket();
                self.with(group, now, |part, _| {
                    part.reads.insert(read, reply);
                    part.new_reads.push(read);
                });
            }
            Input::Messages { from, messages } => self.take_messages(from, messages, now),
            Input::Snapshot { from, envelope, file } => self.take_snapshot(from, *envelope, file, now, dice),
            Input::Beat { from, beat, at } => self.heard(from, &beat, at, now),
            Input::Unreachable(node) => self.each_on(node, |part, there| part.core.step(Event::Unreachable(there))),
            Input::PeerDown(node) => self.peer_down(node, now, dice),
            Input::Persisted { group, number } => self.step(group, now, Event::Persisted(number)),
            Input::Applied { group, index, durable } => self.with(group, now, |part, _| {
                part.core.step(Event::Applied(index));
                part.core.step(Event::Durable(durable));
            }),
            Input::Halted { group, halt } => self.halted(group, halt, now),
            Input::ApplyFails { group, why } => self.apply_fails(group, why, now),
            Input::LogFails(why) => self.log_fails(why),
            Input::Fetched { group, fetch, entries } => self.step(group, now, Event::Fetched { fetch, entries }),
            Input::Built { group, file, result } => self.built(group, file, result, now),
            Input::SnapshotSent { group, to, ok } => self.step(group, now, Event::SnapshotSent { to, ok }),
            Input::Noted { group } => self.with(group, now, |part, actions| {
                if let Some((meta, _, file)) = &part.installing {
                    let job = ApplyJob::Install { file: file.clone(), meta: meta.clone() };
                    actions.push(Action::Apply { group, job });
                }
            }),
            Input::Replaced { group, floor } => self.replaced(group, floor),
            Input::LogReset { group, floor } => self.log_reset(group, floor, now),
            Input::Transfer { group, to } => self.with(group, now, |part, _| {
                let target = to.and_then(|node| part.on(node).first().copied());
                if to.is_none() || target.is_some() {
                    part.core.step(Event::TransferLeader(target));
                }
            }),
            Input::Change { group, change, reply } => {
                let ticket = self.ticket();
                self.with(group, now, |part, actions| {
                    part.changes.insert(ticket, reply);
                    if let Change::AddLearner(replica, node) = change {
                        part.learn([(replica, node)], actions);
                    }
                    part.core.step(Event::ChangeMembership { ticket, change });
                });
            }
            Input::SetNodes { group, nodes, leaving } => self.with(group, now, |part, actions| {
                part.leaving = leaving;
                part.learn(nodes, actions);
            }),
            Input::Begin(group) => self.step(group, now, Event::Begin),
            Input::Kept { group, index } => self.step(group, now, Event::Kept(index)),
            Input::Skip { group, at } => self.step(group, now, Event::Skip(at)),
            Input::Retry(group) => self.with(group, now, |_, actions| {
                actions.push(Action::Apply { group, job: ApplyJob::Look });
            }),
            Input::DiskFull(full) => {
                self.disk_full = full;
                self.each(|part, _, actions| {
                    actions.push(Action::DiskFull { group: part.group, full });
                    part.core.step(Event::DiskFull(full));
                });
            }
            Input::AddGroup(member) => self.add(Part::new(*member)),
            Input::RemoveGroup { group, forget } => self.remove(group, forget),
            Input::Stop => {
                for part in std::mem::take(&mut self.parts).into_values() {
                    part.end(&mut self.actions);
                }
            }
        }
    }

    /// Decides what follows from what was taken, and what is due by now.
    pub fn perform(&mut self, now: Now, dice: &mut dyn FnMut() -> u64) {
        self.keep_time(now, dice);
        while let Some(group) = self.touched.pop_first() {
            self.decide(group, now, dice);
        }
        let outbox = std::mem::take(&mut self.outbox);
        self.actions.extend(outbox.into_iter().map(|(to, messages)| Action::Send { to, messages }));
    }

    fn decide(&mut self, group: GroupId, now: Now, dice: &mut dyn FnMut() -> u64) {
        let Some(part) = self.parts.get_mut(&group) else { return };
        part.submit(now, dice);
        if part.decide(self.log_fails.as_ref(), &mut self.outbox, &mut self.actions) {
            self.touched.insert(group);
        }
        match part.core.is_resting() {
            true => self.awake.remove(&group),
            false => self.awake.insert(group),
        };
    }

    // --- groups -----------------------------------------------------------------------------------------------------

    /// Something happens to a group, if it is here.
    fn with(&mut self, group: GroupId, now: Now, f: impl FnOnce(&mut Part<A>, &mut Vec<Action<A>>)) {
        let Some(part) = self.parts.get_mut(&group) else { return };
        if part.core.is_resting() {
            // Nobody has told it of the time for a while.
            let reading = part.reading(now);
            part.core.step(Event::Clock(reading));
        }
        f(part, &mut self.actions);
        self.touched.insert(group);
    }

    fn step(&mut self, group: GroupId, now: Now, event: Event) {
        self.with(group, now, |part, _| part.core.step(event));
    }

    fn each(&mut self, mut f: impl FnMut(&mut Part<A>, Option<&String>, &mut Vec<Action<A>>)) {
        for (group, part) in &mut self.parts {
            f(part, self.log_fails.as_ref(), &mut self.actions);
            self.touched.insert(*group);
        }
    }

    /// Something happens to every replica that lives on a node.
    fn each_on(&mut self, node: NodeId, mut f: impl FnMut(&mut Part<A>, ReplicaId)) {
        for (group, part) in &mut self.parts {
            for there in part.on(node) {
                f(part, there);
                self.touched.insert(*group);
            }
        }
    }

    fn add(&mut self, mut part: Part<A>) {
        let group = part.group;
        self.actions.push(Action::DiskFull { group, full: self.disk_full });
        part.core.step(Event::DiskFull(self.disk_full));
        part.show_state(self.log_fails.as_ref(), &mut self.actions);
        let silent = part.nodes.iter().filter(|(_, node)| self.hearing.is_silent(**node)).map(|(id, _)| *id);
        for replica in silent.collect::<Vec<_>>() {
            part.core.step(Event::Silent { replica, ticks: SILENT });
        }
        self.touched.insert(group);
        self.parts.insert(group, Box::new(part));
    }

    fn remove(&mut self, group: GroupId, forget: bool) {
        self.awake.remove(&group);
        if forget {
            self.log(LogWrite::Remove(group), None);
        }
        match self.parts.remove(&group) {
            Some(part) => part.end(&mut self.actions),
            None => self.actions.push(Action::End { group, files: Vec::new() }),
        }
    }

    fn ticket(&mut self) -> u64 {
        self.tickets += 1;
        self.tickets
    }

    fn log(&mut self, write: LogWrite, done: Option<Input<A>>) {
        let job = LogJob { writes: vec![write], sync: true, messages: Vec::new(), done };
        self.actions.push(Action::Log(job));
    }

    // --- what comes from clients and peers ----------------------------------------------------------------------------

    fn propose(&mut self, group: GroupId, now: Now, term: Option<u64>, proposal: Proposal, reply: A::Proposer) {
        let ticket = self.ticket();
        self.with(group, now, |part, _| {
            part.proposed.get_or_insert(now.monotonic);
            part.proposals.push((Ticketed { ticket, term, proposal }, reply));
        });
    }

    fn take_messages(&mut self, from: NodeId, messages: Vec<Envelope>, now: Now) {
        self.hears(from);
        for Envelope { group, message } in messages {
            // The snapshot's message comes with its file, never alone.
            if message.get_msg_type() == MessageType::MsgSnapshot {
                continue;
            }
            self.with(group, now, |part, actions| {
                if part.lives_on(ReplicaId(message.from), from, actions) {
                    part.core.step(Event::Peer(message));
                }
            });
        }
    }

    fn take_snapshot(
        &mut self,
        from: NodeId,
        envelope: Envelope,
        file: PathBuf,
        now: Now,
        dice: &mut dyn FnMut() -> u64,
    ) {
        let Envelope { group, message } = envelope;
        if !self.parts.contains_key(&group) || snapshot_meta(&message).is_none() {
            self.actions.push(Action::Discard(file));
            return;
        }
        // Decide now what becomes of the file: nothing else may come between message and file.
        self.decide(group, now, dice);
        self.with(group, now, |part, actions| {
            part.arrived = Some(file);
            if part.lives_on(ReplicaId(message.from), from, actions) {
                part.core.step(Event::Peer(message));
            }
        });
        self.decide(group, now, dice);
        let unwanted = self.parts.get_mut(&group).and_then(|part| part.arrived.take());
        self.actions.extend(unwanted.map(Action::Discard));
    }

    /// The process of `node` is gone. Where it led, the voters campaign one after the other, by id, so that the first
    /// has usually won before the second begins. Messages of it that are still on their way, on other connections, do
    /// not bring it back to life.
    fn peer_down(&mut self, node: NodeId, now: Now, dice: &mut dyn FnMut() -> u64) {
        let step = self.settings.campaign_step;
        let mut campaigns = std::mem::take(&mut self.campaigns);
        self.each_on(node, |part, dead| {
            part.core.step(Event::Unreachable(dead));
            let Some(rank) = part.core.succession(dead) else { return };
            let at = now.monotonic + step * rank as i64 + (dice() % JITTER) as i64;
            campaigns.push(Campaign { at, group: part.group, dead });
        });
        self.campaigns = campaigns;
    }

    /// A sign of life of a node.
    fn hears(&mut self, node: NodeId) {
        if self.hearing.hear(node) {
            self.each_on(node, |part, there| part.core.step(Event::Heard(there)));
        }
    }

    fn heard(&mut self, from: NodeId, beat: &Beat, at: i64, now: Now) {
        self.hears(from);
        if self.beats.heard(from, beat, at) {
            self.beat_to(from, now);
        }
        // Somebody may wait for a majority to be heard.
        let unsure = |part: &Part<A>| part.leads() && part.reading(now).belief.is_none();
        if self.awake.iter().filter_map(|group| self.parts.get(group)).any(|part| unsure(part)) {
            self.tell_time(now, false);
        }
    }

    // --- time -------------------------------------------------------------------------------------------------------

    fn keep_time(&mut self, now: Now, dice: &mut dyn FnMut() -> u64) {
        let due: Vec<_> = self.campaigns.extract_if(.., |campaign| campaign.at <= now.monotonic).collect();
        for Campaign { group, dead, .. } in due {
            self.step(group, now, Event::Campaign { dead });
        }
        if now.monotonic < self.next_tick {
            return;
        }
        // After a pause of the process, one tick: time that nobody saw pass must not end a leadership.
        self.next_tick = now.monotonic + self.settings.tick;
        self.ticks += 1;
        self.actions.push(Action::Ticked(self.ticks));
        if now.monotonic >= self.next_beat {
            self.next_beat = now.monotonic + BEAT;
            self.beat(now);
        }
        self.listen();
        // Whoever has just come or woken is to be among the others.
        self.awake.extend(&self.touched);
        self.tell_time(now, self.ticks.is_multiple_of(SELDOM));
        let looks = (LONGEST_REST / self.settings.tick.max(1)).max(1) as u64;
        for (group, part) in &mut self.parts {
            if !self.awake.contains(group) {
                if (self.ticks + group.0).is_multiple_of(looks) {
                    part.core.step(Event::Wake);
                    self.touched.insert(*group);
                }
                continue;
            }
            self.touched.insert(*group);
            let leads = part.leads();
            // Raft's election timeout is fixed; candidates that miss ticks at random make it vary.
            if part.core.leadership().leader.is_some() || !dice().is_multiple_of(MISSED) {
                part.core.step(Event::Tick);
            }
            if self.ticks.is_multiple_of(PRUNING) {
                part.forget_reads(&mut self.actions);
            }
            if leads && self.ticks.is_multiple_of(MATCHING) {
                self.actions.push(Action::Matched { group: *group, matched: part.core.matched() });
            }
        }
    }

    /// Tells all others of this node's clock and disk.
    fn beat(&mut self, now: Now) {
        let mut others: BTreeSet<NodeId> = self.parts.values().flat_map(|part| part.nodes.values().copied()).collect();
        others.remove(&self.settings.node);
        for node in others {
            self.hearing.expect(node);
            self.beat_to(node, now);
        }
    }

    fn beat_to(&mut self, to: NodeId, now: Now) {
        let beat = self.beats.beat(to, moment(now), now.sync);
        self.actions.push(Action::Beat { to, beat });
    }

    /// A tick has passed. The groups of a node that is silent wake: they have to see for themselves.
    fn listen(&mut self) {
        for node in self.hearing.tick() {
            self.each_on(node, |part, replica| part.core.step(Event::Silent { replica, ticks: SILENT }));
        }
    }

    /// Tells each replica what time it is, and each leader who had better not lead; of those that rest, only if `all`.
    fn tell_time(&mut self, now: Now, all: bool) {
        let me = self.settings.node;
        let moment = moment(now);
        let difference = now.wall - now.monotonic;
        // Most groups have the same voters.
        let mut beliefs: BTreeMap<Vec<NodeId>, Option<Belief>> = BTreeMap::new();
        for (group, part) in &mut self.parts {
            let rests = !self.awake.contains(group);
            if rests && !all {
                continue;
            }
            let voters = &part.core.membership().voters;
            let voters: Vec<NodeId> = voters.iter().filter_map(|voter| part.nodes.get(voter).copied()).collect();
            let belief = *beliefs.entry(voters.clone()).or_insert_with(|| self.beats.belief(&voters, moment));
            let ahead = belief.map(|belief| (difference - belief.reached, belief.error));
            let excess = belief.map_or(0, |belief| belief.excess(difference, 0));
            let mut unfit = (excess != 0).then_some(Unfit::Clock(excess));
            let undisturbed = rests && unfit.is_none() && part.time.unfit.is_none();
            if !undisturbed && part.leads() {
                let judged = part.judge.unfit((me, now.sync), &self.beats, &voters, moment);
                unfit = judged.get(&me).copied();
                let had_better_not = |node: &NodeId| judged.contains_key(node) || part.leaving.contains(node);
                let replicas = part.nodes.iter().filter(|(_, node)| had_better_not(node));
                let replicas = replicas.map(|(replica, _)| *replica).collect();
                part.core.step(Event::Unfit(replicas));
            }
            part.time = Time { belief: belief.map(|belief| (belief, now.monotonic + RELIANCE)), ahead, unfit };
            self.actions.push(Action::Time { group: *group, time: part.time });
            if !undisturbed {
                part.core.step(Event::Clock(Reading { wall: now.wall, monotonic: now.monotonic, belief }));
                self.touched.insert(*group);
            }
        }
    }

    // --- snapshots --------------------------------------------------------------------------------------------------

    fn built(&mut self, group: GroupId, file: PathBuf, result: Result<SnapshotMeta, Halt>, now: Now) {
        if !self.parts.contains_key(&group) {
            self.actions.push(Action::Discard(file));
            return;
        }
        self.with(group, now, |part, actions| match result {
            Ok(meta) => {
                // A transfer under way has the old file open.
                let old = part.built.replace((meta.clone(), file));
                actions.extend(old.map(|(_, old)| Action::Discard(old)));
                part.core.step(Event::SnapshotBuilt(meta));
            }
            Err(_) => {
                actions.push(Action::Discard(file));
                part.core.step(Event::SnapshotFailed);
            }
        });
    }

    fn replaced(&mut self, group: GroupId, floor: i64) {
        let installing = self.parts.get(&group).and_then(|part| part.installing.clone());
        let Some((meta, hard, _)) = installing else { return };
        self.log(LogWrite::Reset(group, meta.at, hard), Some(Input::LogReset { group, floor }));
    }

    fn log_reset(&mut self, group: GroupId, floor: i64, now: Now) {
        let log = self.log_fails.clone();
        self.with(group, now, |part, actions| {
            let done = part.installing.take();
            actions.extend(done.map(|(_, _, file)| Action::Discard(file)));
            part.core.step(Event::SnapshotInstalled { floor });
            part.halt.take_if(|halt| matches!(halt, Halt::Diverged { .. } | Halt::Overruled(_) | Halt::Rotten(_)));
            part.show_state(log.as_ref(), actions);
        });
    }

    // --- conditions -------------------------------------------------------------------------------------------------

    fn halted(&mut self, group: GroupId, halt: Halt, now: Now) {
        let log = self.log_fails.clone();
        self.with(group, now, |part, actions| {
            part.core.step(match halt {
                Halt::Diverged { .. } | Halt::Overruled(_) | Halt::Rotten(_) => Event::Diverged,
                Halt::Environment(_) | Halt::Corrupt(_) => Event::Halted,
            });
            part.halt = Some(halt);
            part.show_state(log.as_ref(), actions);
        });
    }

    fn apply_fails(&mut self, group: GroupId, why: Option<String>, now: Now) {
        let log = self.log_fails.clone();
        self.with(group, now, |part, actions| {
            part.failing = why;
            part.show_state(log.as_ref(), actions);
        });
    }

    fn log_fails(&mut self, why: Option<String>) {
        self.log_fails = why;
        self.each(|part, log, actions| part.show_state(log, actions));
    }
}

fn moment(now: Now) -> Moment {
    Moment { wall: now.wall, monotonic: now.monotonic }
}
