//! Skipping an entry under every kind of trouble: real cores and real brakes, an imagined network, disk and state machine, and
//! a script that is drawn. What must hold: of each entry either all replicas have applied it or all have recorded it as
//! failed, as the log says; and they come to that by themselves.
//!
//! That this would find a mistake is shown by mistakes on purpose ([`Mistake`]).

use crate::clock::Reading;
use crate::command::Proposal;
use crate::consensus::brake::{Brake, Way};
use crate::id::{GroupId, NodeId, ReplicaId, RequestId};
use crate::raftlog::memory::MemoryLog;
use crate::raftlog::{LogReader, LogWrite, RaftLog, finish_install};
use crate::replica::core::{Core, CoreConfig, Effect, Event, Role, Start, Ticketed, bootstrap};
use crate::replica::{Committed, Membership, Payload, Position, SnapshotMeta};
use bytes::Bytes;
use raft::eraftpb::{Message, MessageType};
use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;
use std::sync::Arc;

const G: GroupId = GroupId(1);
const IDS: [u64; 3] = [1, 2, 3];
/// Drawn steps of a run; then there is only progress.
const STEPS: u32 = 600;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mistake {
    /// Whoever proposes goes on applying.
    NoHold,
    /// The promise does not outlive the process.
    ForgottenHold,
    /// The promise ends with the leadership.
    EarlyEnd,
    /// A decision that is behind the entry is not looked for ahead of it.
    NoLook,
    /// A replica that had applied the entry does not mind.
    Unnoticed,
}

/// What has become of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Applied,
    Failed,
}

/// A state machine: all that matters here of what it holds.
#[derive(Clone, Default)]
struct State {
    applied: Position,
    membership: Membership,
    fates: BTreeMap<u64, Fate>,
}

struct Member {
    core: Option<Core>,
    log: MemoryLog,
    state: State,
    brake: Brake,
    note: PathBuf,
    writes: VecDeque<(Vec<LogWrite>, Vec<Message>, u64)>,
    waiting: Vec<Committed>,
    /// Its state is not the group's: it waits for a snapshot.
    failed: bool,
}

struct World {
    members: BTreeMap<u64, Member>,
    network: Vec<Message>,
    /// Snapshots, by their checksums.
    snapshots: Vec<State>,
    /// What the log says of entries that are skipped, by the first replica that is past the decision.
    skipped: BTreeMap<u64, Position>,
    mistake: Option<Mistake>,
    random: u64,
    proposed: u64,
    promises: u32,
    overruled: u32,
    _directory: tempfile::TempDir,
}

impl World {
    fn new(seed: u64, mistake: Option<Mistake>) -> World {
        let directory = tempfile::tempdir().unwrap();
        let voters: BTreeMap<ReplicaId, NodeId> = IDS.iter().map(|id| (ReplicaId(*id), NodeId(*id))).collect();
        let member = |id: u64| {
            let log = MemoryLog::new();
            log.write(&bootstrap(G, &voters), true).unwrap();
            let note = directory.path().join(format!("note-{id}"));
            let (core, state, brake) = (None, State::default(), Brake::new(note.clone()));
            let (writes, waiting, failed) = (VecDeque::new(), Vec::new(), false);
            (id, Member { core, log, state, brake, note, writes, waiting, failed })
        };
        let mut world = World {
            members: IDS.into_iter().map(member).collect(),
            network: Vec::new(),
            snapshots: Vec::new(),
            skipped: BTreeMap::new(),
            mistake,
            random: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1,
            proposed: 0,
            promises: 0,
            overruled: 0,
            _directory: directory,
        };
        IDS.iter().for_each(|id| world.start(*id));
        world
    }

    fn draw(&mut self, below: usize) -> usize {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        (self.random % below as u64) as usize
    }

    fn member(&mut self, id: u64) -> &mut Member {
        self.members.get_mut(&id).unwrap()
    }

    fn core(&self, id: u64) -> &Core {
        self.members[&id].core.as_ref().unwrap()
    }

    /// As the driver does.
    fn start(&mut self, id: u64) {
        let boot = self.draw(1 << 30) as u64;
        let forget = self.mistake == Some(Mistake::ForgottenHold);
        let member = self.member(id);
        if forget {
            let _ = std::fs::remove_file(&member.note);
        }
        member.brake = Brake::new(member.note.clone());
        let applied = member.state.applied;
        let doubt = member.brake.start(applied.index);
        finish_install(&member.log, G, applied).unwrap();
        let (log, membership) = (member.log.load(G).unwrap(), member.state.membership.clone());
        let start = Start { log, applied, membership, reached: applied, floor: i64::MIN, doubt };
        let mut config = CoreConfig::new(G, ReplicaId(id), boot);
        (config.compact_step, config.compact_keep) = (1, 20);
        let logger = slog::Logger::root(slog::Discard, slog::o!());
        member.core = Some(Core::new(config, Arc::new(member.log.clone()), start, &logger).unwrap());
        self.event(id, Event::Durable(applied.index));
    }

    fn restart(&mut self, id: u64) {
        let member = self.member(id);
        member.core = None;
        member.log.lose_power();
        member.failed = false;
        (member.writes, member.waiting) = Default::default();
        self.start(id);
    }

    fn event(&mut self, id: u64, event: Event) {
        let core = self.member(id).core.as_mut().unwrap();
        core.step(event);
        for effect in core.drain() {
            self.perform(id, effect);
        }
    }

    fn perform(&mut self, id: u64, effect: Effect) {
        let (no_look, early) = (self.mistake == Some(Mistake::NoLook), self.mistake == Some(Mistake::EarlyEnd));
        let member = self.members.get_mut(&id).unwrap();
        match effect {
            Effect::Send(messages) => self.network.extend(messages),
            Effect::SendSnapshot { message, .. } => self.network.push(message),
            Effect::Persist { number, entries, hard_state, then_send, .. } => {
                let mut writes = Vec::new();
                if !entries.is_empty() {
                    writes.push(LogWrite::Append(G, entries));
                }
                writes.extend(hard_state.map(|hard| LogWrite::HardState(G, hard)));
                member.writes.push_back((writes, then_send, number));
            }
            Effect::Fetch(fetch) => {
                let entries = member.log.entries(G, fetch.low, fetch.high, fetch.max_bytes).ok();
                self.event(id, Event::Fetched { fetch, entries });
            }
            Effect::Apply(entries) if !member.failed => member.waiting.extend(entries),
            Effect::BuildSnapshot if member.failed => self.event(id, Event::SnapshotFailed),
            Effect::BuildSnapshot => {
                let (at, membership) = (member.state.applied, member.state.membership.clone());
                let meta = SnapshotMeta { at, membership, length: 1, checksum: self.snapshots.len() as u64 };
                self.snapshots.push(member.state.clone());
                self.event(id, Event::SnapshotBuilt(meta));
            }
            Effect::InstallSnapshot { meta, hard_state } => {
                member.log.write(&[LogWrite::Installing(G, meta.clone())], true).unwrap();
                member.state = self.snapshots[meta.checksum as usize].clone();
                (member.failed, member.waiting) = (false, Vec::new());
                member.brake.passed(meta.at.index);
                member.log.write(&[LogWrite::Reset(G, meta.at, hard_state)], true).unwrap();
                self.event(id, Event::SnapshotInstalled { floor: i64::MIN });
            }
            Effect::Compact(to) => member.log.write(&[LogWrite::Compact(G, to)], false).unwrap(),
            Effect::Skip(at) if !no_look => member.brake.skip(at),
            Effect::Doubt(index) => member.brake.doubt(index),
            Effect::GoOn(index) => member.brake.go_on(index),
            Effect::Leadership(now) if early && now.role != Role::Leader => {
                (0..1000).for_each(|index| member.brake.go_on(index));
            }
            _ => {}
        }
    }

    fn persist(&mut self, id: u64) -> bool {
        let member = self.member(id);
        let Some((writes, messages, number)) = member.writes.pop_front() else { return false };
        member.log.write(&writes, true).unwrap();
        self.network.extend(messages);
        self.event(id, Event::Persisted(number));
        true
    }

    /// One entry, as the driver and the engine do. True when something has changed.
    fn apply(&mut self, id: u64) -> Result<bool, String> {
        let unnoticed = self.mistake == Some(Mistake::Unnoticed);
        let member = self.members.get_mut(&id).unwrap();
        let applied = member.state.applied.index;
        member.waiting.retain(|entry| entry.at.index > applied);
        let fate = match member.brake.way(&member.waiting) {
            Way::Held | Way::Free(0) => return Ok(false),
            Way::Free(_) => Fate::Applied,
            Way::Skip => Fate::Failed,
        };
        let entry = member.waiting.remove(0);
        if entry.at.index != applied + 1 {
            return Err(format!("{id} is to apply {:?} after {applied}", entry.at));
        }
        match &entry.payload {
            Payload::Batch(_) => {
                member.state.fates.insert(entry.at.index, fate);
            }
            Payload::Membership(membership) => member.state.membership = membership.clone(),
            Payload::Skip(gone) => {
                self.skipped.insert(gone.index, entry.at);
                if member.state.fates.get(&gone.index) == Some(&Fate::Applied) && !unnoticed {
                    self.overruled += 1;
                    (member.failed, member.waiting) = (true, Vec::new());
                    self.event(id, Event::Diverged);
                    return Ok(true);
                }
            }
            Payload::Empty => {}
        }
        match fate {
            Fate::Failed => member.brake.passed(entry.at.index),
            Fate::Applied => member.brake.pass(entry.at.index).ok_or("a way that is none")?.done(),
        }
        member.state.applied = entry.at;
        member.brake.passed_by(entry.at.index);
        let index = entry.at.index;
        self.event(id, Event::Applied(index));
        self.event(id, Event::Durable(index));
        Ok(true)
    }

    fn deliver(&mut self, which: usize, arrives: bool) {
        let message = self.network.remove(which);
        let (from, to) = (message.from, message.to);
        let snapshot = message.get_msg_type() == MessageType::MsgSnapshot;
        if arrives {
            self.event(to, Event::Peer(message));
        }
        if snapshot {
            self.event(from, Event::SnapshotSent { to: ReplicaId(to), ok: arrives });
        }
    }

    fn leader(&self) -> Option<u64> {
        IDS.into_iter().rfind(|id| self.core(*id).leadership().role == Role::Leader)
    }

    fn propose(&mut self, id: u64) {
        self.proposed += 1;
        let request = RequestId { origin: 1, seq: self.proposed };
        let proposal = Proposal { request, body: Bytes::from_static(b"x") };
        let proposals = vec![Ticketed { ticket: self.proposed, term: None, proposal }];
        self.event(id, Event::Propose { proposals, clock: Reading::alone(100, 100), seed: 1 });
    }

    /// An operator asks the leader to skip what it has not applied.
    fn skip(&mut self, id: u64) {
        let hold = self.mistake != Some(Mistake::NoHold);
        let (applied, commit) = (self.members[&id].state.applied.index, self.core(id).commit());
        let term = self.core(id).leadership().term;
        let index = applied + 1 + self.draw(3) as u64;
        if index > commit {
            return;
        }
        let member = &self.members[&id];
        let Some(batch) = member.waiting.iter().find(|e| e.at.index == index) else { return };
        if !matches!(batch.payload, Payload::Batch(_)) {
            return;
        }
        let at = batch.at;
        // An error: another one is open.
        if !hold || member.brake.propose(at, term).unwrap_or(false) {
            self.promises += 1;
            self.event(id, Event::Skip(at));
        }
    }

    fn trouble(&mut self) -> Result<(), String> {
        let id = IDS[self.draw(3)];
        match self.draw(100) {
            0..38 if !self.network.is_empty() => {
                let which = self.draw(self.network.len().min(4));
                self.deliver(which, true);
            }
            38..40 if !self.network.is_empty() => self.deliver(0, false),
            40..60 => {
                self.persist(id);
            }
            60..70 => {
                self.apply(id)?;
            }
            70..80 => self.event(id, Event::Tick),
            80..82 => self.restart(id),
            82..84 => {
                let dead = ReplicaId(IDS[self.draw(3)]);
                self.event(id, Event::Campaign { dead });
            }
            84..86 => self.event(id, Event::TransferLeader(None)),
            choice => {
                if let Some(leader) = self.leader() {
                    if choice < 90 { self.propose(leader) } else { self.skip(leader) }
                }
            }
        }
        Ok(())
    }

    fn is_done(&self) -> bool {
        let end = self.members.values().map(|m| m.core.as_ref().unwrap().last_index()).max().unwrap_or(0);
        self.members.values().all(|m| !m.failed && m.state.applied.index == end && m.writes.is_empty())
    }

    /// Everything works, and all come to the same.
    fn settle(&mut self) -> Result<(), String> {
        for round in 0..600 {
            for id in IDS {
                // Who knows no leader does not ask at the same moments as the others.
                if self.leader().is_some() || self.draw(3) == 0 {
                    self.event(id, Event::Tick);
                }
            }
            loop {
                let mut busy = !self.network.is_empty();
                while !self.network.is_empty() {
                    self.deliver(0, true);
                }
                for id in IDS {
                    while self.persist(id) || self.apply(id)? {
                        busy = true;
                    }
                }
                if !busy {
                    break;
                }
            }
            // A proposal of a later term ends doubts of earlier ones, and a new leader's first entry is one.
            if round > 30 && self.is_done() {
                return Ok(());
            }
        }
        let states: Vec<String> = IDS
            .iter()
            .map(|id| {
                let (core, member) = (self.core(*id), &self.members[id]);
                format!("{id}: {:?} applied {} failed {}", core.leadership(), member.state.applied.index, member.failed)
            })
            .collect();
        Err(format!("they do not come to an end: {}", states.join(", ")))
    }

    fn check(&self) -> Result<(), String> {
        let fates = |id: u64| &self.members[&id].state.fates;
        for id in IDS {
            if fates(id) != fates(1) {
                return Err(format!("different fates: {:?} and {:?}", fates(id), fates(1)));
            }
        }
        let wrong = fates(1).iter().find(|(index, fate)| (**fate == Fate::Failed) != self.skipped.contains_key(index));
        wrong.map_or(Ok(()), |wrong| Err(format!("the log says otherwise: {wrong:?}, {:?}", self.skipped)))
    }
}

/// How often something was promised, decided and overruled.
fn run(seed: u64, mistake: Option<Mistake>) -> Result<(u32, usize, u32), String> {
    let mut world = World::new(seed, mistake);
    for _ in 0..STEPS {
        world.trouble()?;
    }
    world.settle()?;
    world.check()?;
    Ok((world.promises, world.skipped.len(), world.overruled))
}

#[test]
fn an_entry_is_applied_by_all_or_by_none() {
    let seeds = std::env::var("QUORATE_SKIP_SEEDS").map_or(300, |text| text.parse().unwrap());
    let mut sums = (0, 0, 0);
    for seed in 0..seeds {
        let (promises, skipped, overruled) = run(seed, None).unwrap_or_else(|why| panic!("seed {seed}: {why}"));
        sums = (sums.0 + promises, sums.1 + skipped, sums.2 + overruled);
    }
    println!("{seeds} seeds: {} proposals, {} entries skipped, {} replicas overruled", sums.0, sums.1, sums.2);
    assert!(sums.0 > 50 && sums.1 > 20 && sums.2 > 5, "too little happens: {sums:?}");
}

#[test]
fn mistakes_in_skipping_are_found() {
    for mistake in [Mistake::NoHold, Mistake::ForgottenHold, Mistake::EarlyEnd, Mistake::NoLook, Mistake::Unnoticed] {
        let found = (0..400).find_map(|seed| {
            let run = std::panic::catch_unwind(|| run(seed, Some(mistake)));
            Some((seed, run.unwrap_or_else(|_| Err("a panic".to_owned())).err()?))
        });
        let (seed, why) = found.unwrap_or_else(|| panic!("{mistake:?} is not found"));
        println!("{mistake:?}: seed {seed}: {}", why.chars().take(120).collect::<String>());
        let meant = ["different fates", "do not come to an end", "the log says otherwise"];
        assert!(meant.iter().any(|meant| why.contains(meant)), "{mistake:?} is found as something else: {why}");
    }
}
