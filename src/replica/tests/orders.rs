//! Scripts of whole nodes: what their conductors want done, and in which order. As in [`super::scripts`], lines that begin with
//! `>` are commands, and `QUORATE_UPDATE_SCRIPTS=1 cargo test orders` writes anew what follows them.
//!
//! Commands: `cluster NODES GROUPS` (lists with commas; each group has a replica on each node) · `show yes|no` (what is done) ·
//! `tick NODE [N]` · `run` (deliver, write, apply until nothing is left) · `deliver NODE` (what is on its way to it) ·
//! `write NODE` (a job of its log) · `apply NODE GROUP` (a job of its state machine) · `begin NODE GROUP` ·
//! `propose NODE GROUP WORD` · `read NODE GROUP` · `durable NODE GROUP` · `cut NODE` / `heal` (network) ·
//! `down NODE DEAD` (its process is gone) · `again NODE` (the snapshot that came last comes again) ·
//! `remove NODE GROUP` · `fails NODE GROUP yes|no` (its state machine) · `full NODE yes|no` · `sick NODE yes|no` (its log) ·
//! `halt NODE GROUP` (its state is another than the majority's).

use crate::command::{Proposal, encode};
use crate::consensus::{Halt, Payload, Position};
use crate::id::{GroupId, NodeId, ReplicaId, RequestId};
use crate::raftlog::memory::MemoryLog;
use crate::raftlog::{LogReader, LogWrite, RaftLog};
use crate::replica::SnapshotMeta;
use crate::replica::conductor::contract::{Action, ApplyJob, Askers, Input, LogJob, Member, Now};
use crate::replica::conductor::{Conductor, Settings};
use crate::replica::core::{Core, CoreConfig, Start, bootstrap};
use crate::transport::{Beat, Envelope};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::Arc;

const TICK: i64 = 10_000;

/// Those who ask are known by a word.
struct Words;

impl Askers for Words {
    type Proposer = String;
    type Reader = String;
    type Changer = String;

    fn has_left(_: &String) -> bool {
        false
    }
}

#[derive(Default)]
struct Machine {
    applied: Position,
    membership: crate::replica::Membership,
    jobs: VecDeque<ApplyJob>,
}

struct Node {
    conductor: Conductor<Words>,
    log: MemoryLog,
    jobs: VecDeque<LogJob<Words>>,
    machines: BTreeMap<u64, Machine>,
    now: i64,
}

enum Parcel {
    Messages(Vec<Envelope>),
    Beat(Beat),
    Snapshot(Envelope),
}

#[derive(Default)]
struct World {
    nodes: BTreeMap<u64, Node>,
    network: VecDeque<(u64, u64, Parcel)>,
    cut: BTreeSet<u64>,
    /// The snapshot that each node got last, and from whom.
    last: BTreeMap<u64, (u64, Envelope)>,
    silent: bool,
    files: u64,
    asked: u64,
    out: String,
}

fn list(word: &str) -> Vec<u64> {
    word.split(',').map(|n| n.parse().unwrap()).collect()
}

fn show_job(job: &LogJob<Words>) -> String {
    let writes: Vec<String> = job
        .writes
        .iter()
        .map(|write| match write {
            LogWrite::Append(g, entries) => {
                let at: Vec<_> = entries.iter().map(|e| format!("{}@{}", e.index, e.term)).collect();
                format!("{g} {}", at.join(" "))
            }
            LogWrite::HardState(g, hard) => format!("{g} term {} vote {} commit {}", hard.term, hard.vote, hard.commit),
            LogWrite::Compact(g, to) => format!("{g} cut up to {}", to.index),
            LogWrite::Installing(g, meta) => format!("{g} installing {}", meta.at.index),
            LogWrite::Reset(g, to, _) => format!("{g} reset to {}", to.index),
            LogWrite::Remove(g) => format!("{g} removed"),
            other => format!("{other:?}"),
        })
        .collect();
    let then: Vec<String> = job.messages.iter().map(|(to, e)| format!("{to} {}", kind(e))).collect();
    let then = if then.is_empty() { String::new() } else { format!(", then to {}", then.join(", to ")) };
    format!("[{}]{then}", writes.join("; "))
}

fn kind(envelope: &Envelope) -> String {
    let kind = format!("{:?}", envelope.message.get_msg_type());
    format!("{} {}", envelope.group, kind.trim_start_matches("Msg"))
}

/// What a reader of a script wants to see.
fn show(action: &Action<Words>) -> Option<String> {
    Some(match action {
        Action::Send { to, messages } => {
            format!("to {to}: {}", messages.iter().map(kind).collect::<Vec<_>>().join(", "))
        }
        Action::SendSnapshot { node, envelope, meta, .. } => {
            format!("to {node}: {} snapshot {}", envelope.group, meta.at.index)
        }
        Action::Log(job) => format!("log {}", show_job(job)),
        Action::Fetch { group, fetch } => format!("fetch {group} {}..{}", fetch.low, fetch.high),
        Action::Apply { group, job } => match job {
            ApplyJob::Apply(entries) => {
                let at: Vec<_> = entries.iter().map(|e| e.at.index.to_string()).collect();
                format!("{group} applies {}", at.join(" "))
            }
            ApplyJob::Install { meta, file } => format!("{group} installs {} from {}", meta.at.index, file.display()),
            ApplyJob::Snapshot(_) | ApplyJob::Look => format!("{group} looks"),
        },
        Action::Build(group) => format!("{group} builds a snapshot"),
        Action::Judge { group, verdict } => format!("{group} {verdict:?}"),
        Action::Discard(file) => format!("discard {}", file.display()),
        Action::Appended { group, index, replies, .. } => format!("{group} has {replies:?} at {index}"),
        Action::OutcomesUnknown(group) => format!("{group} outcomes unknown"),
        Action::Refuse { reply, why } => format!("refuse {reply}: {why}"),
        Action::ReadAt { group, index, reply } => format!("{group} {reply} at {index}"),
        Action::RefuseRead { reply, why } => format!("refuse {reply}: {why}"),
        Action::Changed { reply, result } => format!("{reply}: {result:?}"),
        Action::Leads { group, now } => {
            format!("{group} {:?} in term {}, leader {:?}", now.role, now.term, now.leader_node)
        }
        Action::State { group, state } => format!("{group} is {state:?}"),
        Action::Refuted { group, from, why } => format!("{group} refuses a message of {from}: {why}"),
        Action::End { group, files } => format!("{group} ends, without {files:?}"),
        _ => return None,
    })
}

impl World {
    fn start(&mut self, id: u64, nodes: &[u64], groups: &[u64]) {
        let log = MemoryLog::new();
        let settings = Settings {
            node: NodeId(id),
            tick: TICK,
            campaign_step: 4 * TICK,
            clock_tolerance: crate::clock::TOLERANCE,
        };
        let mut conductor = Conductor::new(settings, 0);
        let mut machines = BTreeMap::new();
        let voters: BTreeMap<_, _> = nodes.iter().map(|n| (ReplicaId(*n), NodeId(*n))).collect();
        for group in groups {
            let group = GroupId(*group);
            log.write(&bootstrap(group, &voters), true).unwrap();
            let start = Start {
                log: log.load(group).unwrap(),
                applied: Position::default(),
                membership: Default::default(),
                reached: Position::default(),
                floor: i64::MIN,
                doubt: None,
            };
            let mut config = CoreConfig::new(group, ReplicaId(id), 99);
            (config.compact_step, config.compact_keep, config.compact_max_lag, config.rest_ticks) = (1, 1, 2, 0);
            let logger = slog::Logger::root(slog::Discard, slog::o!());
            let core = Core::new(config, Arc::new(log.clone()), start, &logger).unwrap();
            let member = Member { group, core, nodes: voters.clone(), lost: None };
            conductor.take(Input::AddGroup(Box::new(member)), Now::default(), &mut || 1);
            machines.insert(group.0, Machine::default());
        }
        self.nodes.insert(id, Node { conductor, log, jobs: VecDeque::new(), machines, now: 0 });
        self.perform(id);
    }

    fn now(&self, id: u64) -> Now {
        let monotonic = self.nodes[&id].now;
        Now { wall: monotonic, monotonic, sync: None }
    }

    fn input(&mut self, id: u64, input: Input<Words>) {
        let now = self.now(id);
        // Never a multiple of what chance is divided by.
        self.nodes.get_mut(&id).unwrap().conductor.take(input, now, &mut || 1);
        self.perform(id);
    }

    fn perform(&mut self, id: u64) {
        let now = self.now(id);
        let node = self.nodes.get_mut(&id).unwrap();
        node.conductor.perform(now, &mut || 1);
        let actions: Vec<_> = node.conductor.actions().collect();
        for action in actions {
            if let Some(text) = show(&action).filter(|_| !self.silent) {
                let _ = writeln!(self.out, "{id}: {text}");
            }
            self.act(id, action);
        }
    }

    fn act(&mut self, id: u64, action: Action<Words>) {
        let node = self.nodes.get_mut(&id).unwrap();
        match action {
            Action::Send { to, messages } => self.network.push_back((id, to.0, Parcel::Messages(messages))),
            Action::Beat { to, beat } => self.network.push_back((id, to.0, Parcel::Beat(beat))),
            Action::SendSnapshot { node, envelope, .. } => {
                self.network.push_back((id, node.0, Parcel::Snapshot(*envelope)));
            }
            Action::Log(job) => node.jobs.push_back(job),
            Action::Fetch { group, fetch } => {
                let entries = node.log.entries(group, fetch.low, fetch.high, fetch.max_bytes).ok();
                self.input(id, Input::Fetched { group, fetch, entries });
            }
            Action::Apply { group, job } => {
                if let Some(machine) = node.machines.get_mut(&group.0) {
                    machine.jobs.push_back(job);
                }
            }
            Action::Build(group) => {
                let machine = &node.machines[&group.0];
                let (at, membership) = (machine.applied, machine.membership.clone());
                let (file, meta) = (self.file(), SnapshotMeta { at, membership, length: 1, checksum: 1 });
                self.input(id, Input::Built { group, file, result: Ok(meta) });
            }
            Action::End { group, .. } => drop(node.machines.remove(&group.0)),
            _ => {}
        }
    }

    fn file(&mut self) -> PathBuf {
        self.files += 1;
        PathBuf::from(format!("file-{}", self.files))
    }

    fn deliver(&mut self, id: u64) -> bool {
        let (here, other) = std::mem::take(&mut self.network).into_iter().partition(|(_, to, _)| *to == id);
        let here: VecDeque<(u64, u64, Parcel)> = here;
        self.network = other;
        let any = !here.is_empty();
        for (from, _, parcel) in here {
            let lost = self.cut.contains(&from) || self.cut.contains(&id);
            let sender = NodeId(from);
            match parcel {
                Parcel::Messages(messages) if !lost => self.input(id, Input::Messages { from: sender, messages }),
                Parcel::Beat(beat) if !lost => {
                    let at = self.nodes[&id].now;
                    self.input(id, Input::Beat { from: sender, beat, at });
                }
                Parcel::Snapshot(envelope) => {
                    let group = envelope.group;
                    if !lost {
                        self.last.insert(id, (from, envelope.clone()));
                        let file = self.file();
                        self.input(id, Input::Snapshot { from: sender, envelope: Box::new(envelope), file });
                    }
                    self.input(from, Input::SnapshotSent { group, to: ReplicaId(id), ok: !lost });
                }
                _ => {}
            }
        }
        any
    }

    fn write(&mut self, id: u64) -> bool {
        let node = self.nodes.get_mut(&id).unwrap();
        let Some(job) = node.jobs.pop_front() else { return false };
        node.log.write(&job.writes, true).unwrap();
        for (to, envelope) in job.messages {
            self.network.push_back((id, to.0, Parcel::Messages(vec![envelope])));
        }
        if let Some(done) = job.done {
            self.input(id, done);
        }
        true
    }

    fn apply(&mut self, id: u64, group: u64) -> bool {
        let machine = self.nodes.get_mut(&id).unwrap().machines.get_mut(&group);
        let Some((machine, job)) = machine.and_then(|m| m.jobs.pop_front().map(|job| (m, job))) else { return false };
        let group = GroupId(group);
        match job {
            ApplyJob::Apply(entries) => {
                for entry in &entries {
                    assert_eq!(entry.at.index, machine.applied.index + 1, "entries follow each other");
                    machine.applied = entry.at;
                    if let Payload::Membership(membership) = &entry.payload {
                        machine.membership = membership.clone();
                    }
                }
                let index = machine.applied.index;
                self.input(id, Input::Applied { group, index, durable: 0 });
            }
            ApplyJob::Install { meta, .. } => {
                (machine.applied, machine.membership) = (meta.at, meta.membership);
                self.input(id, Input::Replaced { group, floor: i64::MIN });
            }
            ApplyJob::Snapshot(_) | ApplyJob::Look => {}
        }
        true
    }

    fn run(&mut self) {
        let ids: Vec<u64> = self.nodes.keys().copied().collect();
        for _ in 0..1000 {
            let mut busy = false;
            for id in &ids {
                busy |= self.deliver(*id);
                busy |= self.write(*id);
                for group in self.nodes[id].machines.keys().copied().collect::<Vec<_>>() {
                    busy |= self.apply(*id, group);
                }
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
        let (id, group, yes) = (number(1), GroupId(number(2)), words.last() == Some(&"yes"));
        let dead = |yes: bool| yes.then(|| "no space left".to_owned());
        match words[0] {
            "cluster" => {
                let (nodes, groups) = (list(words[1]), list(words[2]));
                self.silent = true;
                nodes.iter().for_each(|id| self.start(*id, &nodes, &groups));
                // Each hears of all others' clocks.
                for _ in 0..3 {
                    nodes.iter().for_each(|id| self.tick(*id));
                    self.run();
                }
                self.silent = false;
            }
            "show" => self.silent = !yes,
            "tick" => (0..number(2).max(1)).for_each(|_| self.tick(id)),
            "run" => self.run(),
            "deliver" => drop(self.deliver(id)),
            "write" => drop(self.write(id)),
            "apply" => drop(self.apply(id, group.0)),
            "begin" => self.input(id, Input::Begin(group)),
            "propose" => {
                self.asked += 1;
                let request = RequestId { origin: 1, seq: self.asked };
                let proposal = Proposal { request, body: encode(&words[3].to_owned()) };
                self.input(id, Input::Propose { group, proposal, term: None, reply: words[3].to_owned() });
            }
            "read" => self.input(id, Input::Read { group, reply: "a read".to_owned() }),
            "durable" => {
                let index = self.nodes[&id].machines[&group.0].applied.index;
                self.input(id, Input::Applied { group, index, durable: index });
            }
            "cut" => drop(self.cut.insert(id)),
            "heal" => self.cut.clear(),
            "down" => self.input(id, Input::PeerDown(NodeId(number(2)))),
            "again" => {
                let (from, envelope) = self.last[&id].clone();
                let file = self.file();
                self.input(id, Input::Snapshot { from: NodeId(from), envelope: Box::new(envelope), file });
            }
            "remove" => self.input(id, Input::RemoveGroup { group, forget: true }),
            "fails" => self.input(id, Input::ApplyFails { group, why: dead(yes) }),
            "sick" => self.input(id, Input::LogFails(dead(yes))),
            "full" => self.input(id, Input::DiskFull(yes)),
            "halt" => self.input(id, Input::Halted { group, halt: Halt::Diverged { index: 1, ours: 1, theirs: 2 } }),
            other => panic!("unknown command {other}"),
        }
    }

    fn tick(&mut self, id: u64) {
        let node = self.nodes.get_mut(&id).unwrap();
        node.now = node.conductor.next_tick();
        self.perform(id);
    }
}

#[test]
fn orders() {
    super::scripts::play("orders", |script| {
        let mut world = World::default();
        super::scripts::perform_lines(script, |command| {
            world.command(command);
            std::mem::take(&mut world.out)
        })
    });
}
