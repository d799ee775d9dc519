//! Scripts for the pure core. A script is a text file: lines that begin with `>` are commands, what follows is what
//! happened. `QUORATE_UPDATE_SCRIPTS=1 cargo test scripts` writes the outputs anew; review them as a diff.
//!
//! Commands: `cluster IDS` · `join ID` · `tick ID [N]` · `run` (deliver, write, apply until nothing is left) ·
//! `deliver` (one round of messages, nothing is written) · `persist ID` · `apply ID` · `propose ID WORDS` ·
//! `read ID NUMBER` · `cut ID` / `heal` (network) · `restart ID` (what was not written is lost) · `kill ID` ·
//! `down ID DEAD` (its place in the succession) · `gone ID DEAD` (its turn) · `transfer ID TO` · `durable ID INDEX` (lets the log be cut) · `kept ID INDEX` (elsewhere: not beyond) · `full ID yes|no` ·
//! `diverged ID` · `halted ID` · `ailing ID yes|no` · `learner|promote|remove ID REPLICA` ·
//! `demote ID REPLICA` · `swap ID PROMOTE DEMOTE` ·
//! `forge TO KIND FROM TERM [INDEX [COMMIT]]` (a message that nobody has sent) · `term ID TERM` (on its disk) ·
//! `forget ID` (its log loses everything) · `lose ID` (its state machine does) ·
//! `stall ID` (nothing more is applied there) · `skip ID INDEX TERM` (proposes it) · `cache BYTES` (of durable entries in memory, for what starts later) ·
//! `fetch ID [nothing]` (reads wanted entries, or fails to) · `hold yes|no` (`run` does not fetch) ·
//! `beat ID N` (N times two ticks and `run`) · `rest TICKS` (groups may, from what starts later on) ·
//! `silent|heard ID REPLICA` (its node) · `wake ID` · `status`.

use crate::clock::Reading;
use crate::command::{self, Batch, Proposal};
use crate::id::{GroupId, NodeId, ReplicaId, RequestId};
use crate::raftlog::memory::MemoryLog;
use crate::raftlog::{HardState, LogReader, LogWrite, RaftLog, finish_install};
use crate::replica::core::{Change, Core, CoreConfig, Effect, Event, Fetch, Start, Ticketed, bootstrap};
use crate::replica::{Committed, Membership, Payload, Position, SnapshotMeta};
use bytes::Bytes;
use raft::eraftpb::{Message, MessageType};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt::Write as _;
use std::sync::Arc;

const G: GroupId = GroupId(1);

#[derive(Default)]
struct Member {
    core: Option<Core>,
    log: MemoryLog,
    applied: Position,
    /// What it is known to have applied before its state machine lost its state.
    reached: Position,
    membership: Membership,
    writes: VecDeque<(Vec<LogWrite>, Vec<Message>, u64)>,
    applies: VecDeque<Vec<Committed>>,
    fetches: VecDeque<Fetch>,
}

#[derive(Default)]
struct World {
    members: BTreeMap<u64, Member>,
    network: VecDeque<Message>,
    cut: BTreeSet<u64>,
    out: String,
    tickets: u64,
    /// Bytes of durable entries that a core keeps in memory, if not the default.
    cache: Option<usize>,
    /// See [`CoreConfig::rest_ticks`].
    rest: u32,
    /// `run` leaves fetches alone.
    held: bool,
    /// Whose state machines do not get on.
    stalled: BTreeSet<u64>,
}

fn kind(message: &Message) -> String {
    format!("{:?}", message.get_msg_type()).trim_start_matches("Msg").to_owned()
}

fn show_message(m: &Message) -> String {
    let mut out = format!("{}->{} {} t{}", m.from, m.to, kind(m), m.term);
    match m.get_msg_type() {
        MessageType::MsgAppend => {
            let entries: Vec<_> = m.entries.iter().map(|e| format!("{}@{}", e.index, e.term)).collect();
            let _ = write!(out, " after {}@{} [{}] commit {}", m.index, m.log_term, entries.join(" "), m.commit);
        }
        MessageType::MsgAppendResponse if m.reject => {
            let _ = write!(out, " rejects {} hint {}@{}", m.index, m.reject_hint, m.log_term);
        }
        MessageType::MsgAppendResponse => {
            let _ = write!(out, " has {}", m.index);
        }
        MessageType::MsgRequestVote | MessageType::MsgRequestPreVote => {
            let force = if m.context.is_empty() { "" } else { " forced" };
            let _ = write!(out, " last {}@{}{force}", m.index, m.log_term);
        }
        MessageType::MsgRequestVoteResponse | MessageType::MsgRequestPreVoteResponse => {
            out.push_str(if m.reject { " no" } else { " yes" });
        }
        MessageType::MsgHeartbeat | MessageType::MsgHeartbeatResponse if m.context.len() < 8 => {
            let _ = write!(out, " {}", String::from_utf8_lossy(&m.context));
            out.truncate(out.trim_end().len());
        }
        _ => {}
    }
    out
}

fn show_members(m: &Membership) -> String {
    let ids = |l: &[ReplicaId]| l.iter().map(|r| r.0.to_string()).collect::<Vec<_>>().join(",");
    let mut out = format!("voters {}", ids(&m.voters));
    for (name, list) in [("learners", &m.learners), ("outgoing", &m.voters_outgoing)] {
        if !list.is_empty() {
            let _ = write!(out, " {name} {}", ids(list));
        }
    }
    out
}

fn show_entry(entry: &Committed) -> String {
    let at = format!("{}@{}", entry.at.index, entry.at.term);
    match &entry.payload {
        Payload::Empty => format!("{at}:-"),
        Payload::Skip(gone) => format!("{at}:gives up {}@{}", gone.index, gone.term),
        Payload::Membership(m) => format!("{at}:({})", show_members(m)),
        Payload::Batch(bytes) => {
            let batch: Batch = command::decode(bytes).unwrap();
            let words: Vec<_> = batch.commands.iter().map(|c| String::from_utf8_lossy(&c.body).into_owned()).collect();
            format!("{at}:{}/now={}", words.join("+"), batch.now)
        }
    }
}

impl World {
    fn say(&mut self, id: u64, text: impl AsRef<str>) {
        let _ = writeln!(self.out, "{id}: {}", text.as_ref());
    }

    fn config(&self, id: u64) -> CoreConfig {
        let mut config = CoreConfig::new(G, ReplicaId(id), 99);
        (config.compact_step, config.compact_keep) = (1, 1);
        config.cache = self.cache.unwrap_or(config.cache);
        config.rest_ticks = self.rest;
        config
    }

    fn start(&mut self, id: u64) {
        let config = self.config(id);
        let member = self.members.get_mut(&id).unwrap();
        finish_install(&member.log, G, member.applied).unwrap();
        let log = member.log.load(G).unwrap();
        let (applied, membership) = (member.applied, member.membership.clone());
        let start =
            Start { log, applied, membership, reached: member.reached.max(applied), floor: i64::MIN, doubt: None };
        let logger = slog::Logger::root(slog::Discard, slog::o!());
        match Core::new(config, Arc::new(member.log.clone()), start, &logger) {
            Ok(core) => member.core = Some(core),
            Err(error) => self.say(id, format!("refuses to start: {error}")),
        }
    }

    fn step(&mut self, id: u64, event: Event) {
        let Some(core) = self.members.get_mut(&id).and_then(|m| m.core.as_mut()) else { return };
        core.step(event);
        for effect in core.drain() {
            self.perform(id, effect);
        }
    }

    fn perform(&mut self, id: u64, effect: Effect) {
        let member = self.members.get_mut(&id).unwrap();
        match effect {
            Effect::Send(messages) => self.network.extend(messages),
            Effect::SendSnapshot { message, meta } => {
                self.say(id, format!("sends snapshot {}@{} to {}", meta.at.index, meta.at.term, message.to));
                self.network.push_back(message);
            }
            Effect::Persist { number, entries, hard_state, then_send, .. } => {
                let mut writes = vec![];
                if !entries.is_empty() {
                    writes.push(LogWrite::Append(G, entries));
                }
                writes.extend(hard_state.map(|h| LogWrite::HardState(G, h)));
                member.writes.push_back((writes, then_send, number));
            }
            Effect::Apply(entries) => member.applies.push_back(entries),
            Effect::Fetch(fetch) => member.fetches.push_back(fetch),
            Effect::ReadReady { reads, index } => self.say(id, format!("reads {reads:?} at {index}")),
            Effect::Leadership(l) => {
                let leader = l.leader.map_or("nobody".to_owned(), |r| r.to_string());
                self.say(id, format!("{:?} in term {}, leader {leader}", l.role, l.term));
            }
            Effect::BuildSnapshot => {
                let meta =
                    SnapshotMeta { at: member.applied, membership: member.membership.clone(), length: 1, checksum: 1 };
                self.say(id, format!("builds snapshot {}@{}", meta.at.index, meta.at.term));
                self.step(id, Event::SnapshotBuilt(meta));
            }
            Effect::InstallSnapshot { meta, hard_state } => {
                let log = &member.log;
                log.write(&[LogWrite::Installing(G, meta.clone())], true).unwrap();
                member.applied = meta.at;
                member.membership = meta.membership.clone();
                log.write(&[LogWrite::Reset(G, meta.at, hard_state)], true).unwrap();
                self.say(id, format!("installs snapshot {}@{}", meta.at.index, meta.at.term));
                self.step(id, Event::SnapshotInstalled { floor: i64::MIN });
            }
            Effect::Compact(to) => {
                member.log.write(&[LogWrite::Compact(G, to)], false).unwrap();
                self.say(id, format!("cuts the log up to {}", to.index));
            }
            Effect::Appended { .. } => {}
            Effect::Refused { tickets, why } => self.say(id, format!("refuses {} proposals: {why:?}", tickets.len())),
            Effect::OutcomesUnknown => self.say(id, "outcomes unknown"),
            Effect::Membership(m, _) => self.say(id, show_members(&m)),
            Effect::Skip(at) => self.say(id, format!("skips {}@{}", at.index, at.term)),
            Effect::Doubt(index) => self.say(id, format!("holds {index}")),
            Effect::GoOn(index) => self.say(id, format!("goes on with {index}")),
            Effect::Refuted { from, why } => self.say(id, format!("refuses a message of {from}: {why}")),
            Effect::Changed { result, .. } => self.say(id, format!("change: {result:?}")),
        }
    }

    fn persist(&mut self, id: u64) -> bool {
        let member = self.members.get_mut(&id).unwrap();
        let Some((writes, messages, number)) = member.writes.pop_front() else { return false };
        member.log.write(&writes, true).unwrap();
        self.network.extend(messages);
        self.step(id, Event::Persisted(number));
        true
    }

    fn apply(&mut self, id: u64) -> bool {
        if self.stalled.contains(&id) {
            return false;
        }
        let member = self.members.get_mut(&id).unwrap();
        let Some(entries) = member.applies.pop_front() else { return false };
        let mut text = String::from("applies");
        for entry in &entries {
            member.applied = entry.at;
            if let Payload::Membership(m) = &entry.payload {
                member.membership = m.clone();
            }
            let _ = write!(text, " {}", show_entry(entry));
        }
        let index = member.applied.index;
        self.say(id, text);
        self.step(id, Event::Applied(index));
        true
    }

    /// Reads what a core wants, `there` or as if it could not be read.
    fn fetch(&mut self, id: u64, there: bool) -> bool {
        let member = self.members.get_mut(&id).unwrap();
        let Some(fetch) = member.fetches.pop_front() else { return false };
        let entries = member.log.entries(G, fetch.low, fetch.high, fetch.max_bytes).ok().filter(|_| there);
        let found = entries.as_ref().map_or("nothing".to_owned(), |e| format!("{} entries", e.len()));
        self.say(id, format!("fetches {}..{}: {found}", fetch.low, fetch.high));
        self.step(id, Event::Fetched { fetch, entries });
        true
    }

    fn deliver(&mut self, show: bool) -> bool {
        let round = std::mem::take(&mut self.network);
        let any = !round.is_empty();
        for message in round {
            let lost = self.cut.contains(&message.from) || self.cut.contains(&message.to);
            if show {
                let _ = writeln!(self.out, "{}{}", show_message(&message), if lost { " (lost)" } else { "" });
            }
            let snapshot = message.get_msg_type() == MessageType::MsgSnapshot;
            let (from, to) = (message.from, message.to);
            if !lost {
                self.step(to, Event::Peer(message));
            }
            if snapshot {
                self.step(from, Event::SnapshotSent { to: ReplicaId(to), ok: !lost });
            }
        }
        any
    }

    fn run(&mut self) {
        let ids: Vec<u64> = self.members.keys().copied().collect();
        for _ in 0..1000 {
            let mut busy = self.deliver(false);
            for id in &ids {
                busy |= self.persist(*id);
                busy |= self.apply(*id);
                busy |= !self.held && self.fetch(*id, true);
            }
            if !busy {
                return;
            }
        }
        panic!("never quiet");
    }

    fn command(&mut self, line: &str) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let number = |i: usize| words.get(i).map_or(0, |w| w.parse::<u64>().unwrap_or(0));
        let id = number(1);
        let replica = |i| ReplicaId(number(i));
        match words[0] {
            "cluster" => {
                let voters = words[1..].iter().map(|w| w.parse().unwrap()).map(|n| (ReplicaId(n), NodeId(n))).collect();
                for ReplicaId(id) in BTreeMap::keys(&voters) {
                    let member = Member::default();
                    member.log.write(&bootstrap(G, &voters), true).unwrap();
                    self.members.insert(*id, member);
                    self.start(*id);
                    self.step(*id, Event::Durable(0));
                }
                self.run();
                self.out.clear();
            }
            "join" => {
                self.members.insert(id, Member::default());
                self.start(id);
            }
            "tick" => (0..number(2).max(1)).for_each(|_| self.step(id, Event::Tick)),
            "run" => self.run(),
            "beat" => (0..number(2)).for_each(|_| {
                (0..2).for_each(|_| self.step(id, Event::Tick));
                self.run();
            }),
            "rest" => self.rest = number(1) as u32,
            "silent" => self.step(id, Event::Silent { replica: replica(2), ticks: 10 }),
            "heard" => self.step(id, Event::Heard(replica(2))),
            "wake" => self.step(id, Event::Wake),
            "hold" => self.held = words[1] == "yes",
            "cache" => self.cache = Some(number(1) as usize),
            "fetch" => {
                self.fetch(id, words.get(2) != Some(&"nothing"));
            }
            "deliver" => {
                self.deliver(true);
            }
            "persist" => {
                self.persist(id);
            }
            "apply" => {
                self.apply(id);
            }
            "propose" => {
                let mut proposals = Vec::new();
                for word in &words[2..] {
                    self.tickets += 1;
                    let request = RequestId { origin: 1, seq: self.tickets };
                    let proposal = Proposal { request, body: Bytes::from(word.to_string()) };
                    proposals.push(Ticketed { ticket: self.tickets, term: None, proposal });
                }
                self.step(id, Event::Propose { proposals, clock: Reading::alone(100, 100), seed: 1 });
            }
            "read" => self.step(id, Event::ReadIndex(vec![number(2)])),
            "cut" => drop(self.cut.insert(id)),
            "heal" => self.cut.clear(),
            "kill" | "restart" => {
                let member = self.members.get_mut(&id).unwrap();
                member.core = None;
                member.log.lose_power();
                (member.writes, member.applies, member.fetches) = Default::default();
                if words[0] == "restart" {
                    self.start(id);
                    self.step(id, Event::Durable(0));
                }
            }
            "forge" => {
                let kinds = [
                    ("append", MessageType::MsgAppend),
                    ("heartbeat", MessageType::MsgHeartbeat),
                    ("vote", MessageType::MsgRequestVote),
                    ("prevote", MessageType::MsgRequestPreVote),
                    ("voted", MessageType::MsgRequestVoteResponse),
                    ("has", MessageType::MsgAppendResponse),
                    ("timeout", MessageType::MsgTimeoutNow),
                    ("propose", MessageType::MsgPropose),
                ];
                let kind = kinds.iter().find(|(name, _)| *name == words[2]).unwrap().1;
                let (from, term, index, commit) = (number(3), number(4), number(5), number(6));
                let mut message = Message { to: id, from, term, index, commit, ..Message::default() };
                message.set_msg_type(kind);
                self.step(id, Event::Peer(message));
            }
            "term" => {
                let member = self.members.get_mut(&id).unwrap();
                let hard = HardState { term: number(2), ..member.log.load(G).unwrap().record.hard_state };
                member.log.write(&[LogWrite::HardState(G, hard)], true).unwrap();
            }
            "forget" => self.members.get_mut(&id).unwrap().log.write(&[LogWrite::Remove(G)], true).unwrap(),
            "lose" => {
                let member = self.members.get_mut(&id).unwrap();
                member.reached = member.applied;
                (member.applied, member.membership) = Default::default();
            }
            "skip" => self.step(id, Event::Skip(Position { index: number(2), term: number(3) })),
            "stall" => drop(self.stalled.insert(id)),
            "gone" => self.step(id, Event::Campaign { dead: replica(2) }),
            "down" => {
                let rank = self.members[&id].core.as_ref().and_then(|core| core.succession(replica(2)));
                self.say(id, rank.map_or("does not succeed".to_owned(), |rank| format!("succeeds as number {rank}")));
            }
            "ailing" => self.step(id, Event::Ailing(words[2] == "yes")),
            "unreachable" => self.step(id, Event::Unreachable(replica(2))),
            "transfer" => self.step(id, Event::TransferLeader(Some(replica(2)))),
            "durable" => self.step(id, Event::Durable(number(2))),
            "kept" => self.step(id, Event::Kept(number(2))),
            "full" => self.step(id, Event::DiskFull(words[2] == "yes")),
            "diverged" => self.step(id, Event::Diverged),
            "halted" => self.step(id, Event::Halted),
            "learner" => self.change(id, Change::AddLearner(replica(2), NodeId(number(2)))),
            "promote" => self.change(id, Change::Promote(replica(2))),
            "remove" => self.change(id, Change::Remove(replica(2))),
            "demote" => self.change(id, Change::Demote(replica(2))),
            "swap" => self.change(id, Change::Swap { promote: replica(2), demote: replica(3) }),
            "status" => {
                let ids: Vec<u64> = self.members.keys().copied().collect();
                for id in ids {
                    let text = match &self.members[&id].core {
                        None => "down".to_owned(),
                        Some(c) => {
                            let l = c.leadership();
                            let log = format!("log {}..={}", c.first_index(), c.last_index());
                            let rests = if c.is_resting() { ", rests" } else { "" };
                            let (term, commit, applied) = (l.term, c.commit(), c.applied());
                            format!("{:?} term {term} {log} commit {commit} applied {applied}{rests}", l.role)
                        }
                    };
                    self.say(id, text);
                }
            }
            other => panic!("unknown command {other}"),
        }
    }

    fn change(&mut self, id: u64, change: Change) {
        self.step(id, Event::ChangeMembership { ticket: 1, change });
    }
}

fn perform(script: &str) -> String {
    let mut world = World::default();
    perform_lines(script, |command| {
        world.command(command);
        std::mem::take(&mut world.out)
    })
}

/// A script with what its commands say now; comments and blank lines stay.
pub(super) fn perform_lines(script: &str, mut command: impl FnMut(&str) -> String) -> String {
    let mut out = String::new();
    for line in script.lines() {
        if let Some(words) = line.strip_prefix("> ") {
            out.push_str(line);
            out.push('\n');
            out.push_str(&command(words));
        } else if line.starts_with('#') || line.is_empty() {
            out.push_str(line);
            out.push('\n');
        }
    }
    out
}

/// All scripts of a folder.
pub(super) fn play(folder: &str, perform: impl Fn(&str) -> String) {
    let dir = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/replica/tests").join(folder);
    let mut files: Vec<_> = std::fs::read_dir(&dir).unwrap().map(|f| f.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty());
    for file in files {
        let expected = std::fs::read_to_string(&file).unwrap();
        let found = perform(&expected);
        if std::env::var_os("QUORATE_UPDATE_SCRIPTS").is_some() {
            std::fs::write(&file, &found).unwrap();
        } else if found != expected {
            let differs = found.lines().zip(expected.lines()).position(|(a, b)| a != b);
            let at = differs.unwrap_or_else(|| found.lines().count().min(expected.lines().count()));
            let lines = |s: &str| s.lines().skip(at.saturating_sub(3)).take(8).collect::<Vec<_>>().join("\n");
            panic!(
                "{} line {}:\n--- expected\n{}\n--- found\n{}",
                file.display(),
                at + 1,
                lines(&expected),
                lines(&found)
            );
        }
    }
}

#[test]
fn scripts() {
    play("scripts", perform);
}
