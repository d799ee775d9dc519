//! One replica as its node's conductor keeps it: its core, where its members live, who waits for what, and how far an
//! installation is.

use super::contract::{Action, ApplyJob, Askers, Input, LogJob, Member, Now, Time, Verdict};
use crate::clock::Reading;
use crate::consensus::{Halt, SnapshotMeta};
use crate::id::{GroupId, NodeId, ReplicaId};
use crate::raftlog::{HardState, LogWrite};
use crate::replica::core::{ChangeError, Core, Effect, Event, Improper, Leadership, Refused, Role, Ticketed};
use crate::replica::fitness::Judge;
use crate::replica::handle::{GroupLeadership, ProposeError, ReadError, ReplicaState};
use crate::transport::Envelope;
use raft::eraftpb::Message;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

/// Messages of all groups of one round, so that each peer gets them as one.
pub(super) type Outbox = BTreeMap<NodeId, Vec<Envelope>>;

pub(super) struct Part<A: Askers> {
    pub group: GroupId,
    pub core: Core,
    pub nodes: BTreeMap<ReplicaId, NodeId>,
    /// The cluster wants them gone. It counts as a reason not to lead beside clocks and disks, so that a leader that goes
    /// and an heir that is not fit do not give the leadership back and forth.
    pub leaving: BTreeSet<NodeId>,
    pub proposals: Vec<(Ticketed, A::Proposer)>,
    /// When the first of those came that are not in the log yet.
    pub proposed: Option<i64>,
    /// Who waits for proposals that the core has not appended yet, by ticket, and so in an order.
    waiting: BTreeMap<u64, A::Proposer>,
    pub reads: BTreeMap<u64, A::Reader>,
    pub new_reads: Vec<u64>,
    pub changes: BTreeMap<u64, A::Changer>,
    /// The snapshot that is offered to followers.
    pub built: Option<(SnapshotMeta, PathBuf)>,
    /// A snapshot's file that arrived for the message just stepped.
    pub arrived: Option<PathBuf>,
    pub installing: Option<(SnapshotMeta, HardState, PathBuf)>,
    /// A snapshot was to be sent that is not here, and the core was told so.
    unsent: bool,
    /// Why the replica must not go on.
    pub halt: Option<Halt>,
    /// Why the state machine cannot go on for now.
    pub failing: Option<String>,
    /// What this replica thinks of the voters while it leads.
    pub judge: Judge,
    pub time: Time,
    /// What was last said of it.
    state: ReplicaState,
    leadership: GroupLeadership,
    progress: (u64, u64, u64),
}

impl<A: Askers> Part<A> {
    pub fn new(member: Member) -> Part<A> {
        let Member { group, core, nodes, lost } = member;
        Part {
            group,
            progress: (core.first_index(), core.last_index(), core.commit()),
            core,
            nodes,
            leaving: BTreeSet::new(),
            proposals: Vec::new(),
            proposed: None,
            waiting: BTreeMap::new(),
            reads: BTreeMap::new(),
            new_reads: Vec::new(),
            changes: BTreeMap::new(),
            built: None,
            arrived: None,
            installing: None,
            unsent: false,
            halt: lost,
            failing: None,
            judge: Judge::default(),
            time: Time::default(),
            state: ReplicaState::default(),
            leadership: GroupLeadership::default(),
        }
    }

    pub fn leads(&self) -> bool {
        self.core.leadership().role == Role::Leader
    }

    pub fn reading(&self, now: Now) -> Reading {
        let Now { wall, monotonic, .. } = now;
        let belief = self.time.belief.filter(|(_, until)| monotonic < *until).map(|(belief, _)| belief);
        Reading { wall, monotonic, belief }
    }

    /// The replicas that live on a node.
    pub fn on(&self, node: NodeId) -> Vec<ReplicaId> {
        self.nodes.iter().filter(|(_, n)| **n == node).map(|(replica, _)| *replica).collect()
    }

    /// Says how the replica is, after anything of that has changed. `log` says why the log cannot be written for now.
    pub fn show_state(&mut self, log: Option<&String>, actions: &mut Vec<Action<A>>) {
        let failing = self.failing.as_ref().or(log);
        let state = match (&self.halt, failing) {
            (Some(halt @ (Halt::Diverged { .. } | Halt::Overruled(_))), None) => {
                ReplicaState::Diverged(halt.to_string())
            }
            (Some(Halt::Rotten(why)), None) => ReplicaState::Damaged(why.clone()),
            (Some(halt @ (Halt::Environment(_) | Halt::Corrupt(_))), _) => ReplicaState::Halted(halt.to_string()),
            (_, Some(why)) => ReplicaState::Failing(why.clone()),
            (None, None) if self.installing.is_some() => ReplicaState::Installing,
            (None, None) => ReplicaState::Active,
        };
        self.core.step(Event::Ailing(failing.is_some()));
        if self.state != state {
            self.state = state.clone();
            actions.push(Action::State { group: self.group, state });
        }
        if let Some(why) = self.state.out_of_service() {
            let reads = std::mem::take(&mut self.reads).into_values();
            actions.extend(reads.map(|reply| Action::RefuseRead { reply, why: ReadError::Halted(why.clone()) }));
        }
    }

    /// Where members live.
    pub fn learn(&mut self, nodes: impl IntoIterator<Item = (ReplicaId, NodeId)>, actions: &mut Vec<Action<A>>) {
        let mut news = false;
        for (id, node) in nodes {
            news |= self.nodes.insert(id, node) != Some(node);
        }
        if !news {
            return;
        }
        actions.push(Action::Nodes { group: self.group, nodes: self.nodes.clone() });
        let leader_node = self.leadership.leader.and_then(|id| self.nodes.get(&id).copied());
        if leader_node != self.leadership.leader_node {
            self.leadership.leader_node = leader_node;
            actions.push(Action::Leads { group: self.group, now: self.leadership });
        }
    }

    /// Whether a node may speak for a replica: it lives there, or nothing is known of it yet and this teaches it.
    pub fn lives_on(&mut self, from: ReplicaId, node: NodeId, actions: &mut Vec<Action<A>>) -> bool {
        match self.nodes.get(&from) {
            Some(known) if *known == node => true,
            Some(_) => {
                actions.push(Action::Refuted { group: self.group, from, why: Improper::Elsewhere });
                false
            }
            None => {
                self.learn([(from, node)], actions);
                true
            }
        }
    }

    /// Reads whose askers have left.
    pub fn forget_reads(&mut self, actions: &mut Vec<Action<A>>) {
        let gone: BTreeSet<u64> = self.reads.iter().filter(|(_, r)| A::has_left(r)).map(|(id, _)| *id).collect();
        if !gone.is_empty() {
            self.reads.retain(|id, _| !gone.contains(id));
            self.core.step(Event::CancelReads(gone));
        }
        actions.push(Action::Prune(self.group));
    }

    /// Hands the proposals and reads of the round to the core.
    pub fn submit(&mut self, now: Now, dice: &mut dyn FnMut() -> u64) {
        if !self.proposals.is_empty() {
            let mut proposals = Vec::with_capacity(self.proposals.len());
            for (ticketed, reply) in self.proposals.drain(..) {
                self.waiting.insert(ticketed.ticket, reply);
                proposals.push(ticketed);
            }
            let clock = self.reading(now);
            self.core.step(Event::Propose { proposals, clock, seed: dice() });
        }
        if !self.new_reads.is_empty() {
            self.core.step(Event::ReadIndex(std::mem::take(&mut self.new_reads)));
        }
    }

    /// Has the core decide, and says what it wants done. `log` as in [`Part::show_state`]. True if it has to decide again.
    pub fn decide(&mut self, log: Option<&String>, outbox: &mut Outbox, actions: &mut Vec<Action<A>>) -> bool {
        for effect in self.core.drain() {
            self.take(effect, log, outbox, actions);
        }
        if self.waiting.is_empty() {
            self.proposed = None;
        }
        let progress = (self.core.first_index(), self.core.last_index(), self.core.commit());
        if std::mem::replace(&mut self.progress, progress) != progress {
            let (group, (first, last, commit)) = (self.group, progress);
            actions.push(Action::Progress { group, first, last, commit });
        }
        std::mem::take(&mut self.unsent)
    }

    fn take(&mut self, effect: Effect, log: Option<&String>, outbox: &mut Outbox, actions: &mut Vec<Action<A>>) {
        let group = self.group;
        match effect {
            Effect::Send(messages) => {
                for (node, envelope) in self.address(messages) {
                    outbox.entry(node).or_default().push(envelope);
                }
            }
            Effect::SendSnapshot { message, meta } => self.send_snapshot(message, meta, actions),
            Effect::Persist { number, entries, hard_state, sync, then_send } => {
                let mut writes = Vec::with_capacity(2);
                if !entries.is_empty() {
                    writes.push(LogWrite::Append(group, entries));
                }
                writes.extend(hard_state.map(|h| LogWrite::HardState(group, h)));
                let messages = self.address(then_send).collect();
                let done = Some(Input::Persisted { group, number });
                actions.push(Action::Log(LogJob { writes, sync, messages, done }));
            }
            Effect::Fetch(fetch) => actions.push(Action::Fetch { group, fetch }),
            Effect::Apply(entries) => actions.push(Action::Apply { group, job: ApplyJob::Apply(entries) }),
            Effect::ReadReady { reads, index } => {
                let replies = reads.into_iter().filter_map(|read| self.reads.remove(&read));
                actions.extend(replies.map(|reply| Action::ReadAt { group, index, reply }));
            }
            Effect::Leadership(leadership) => self.leads_now(leadership, actions),
            Effect::BuildSnapshot => actions.push(Action::Build(group)),
            Effect::InstallSnapshot { meta, hard_state } => {
                let file = self.arrived.take().expect("a snapshot's message comes with its file");
                let writes = vec![LogWrite::Installing(group, meta.clone())];
                actions.push(Action::Log(LogJob {
                    writes,
                    sync: true,
                    messages: Vec::new(),
                    done: Some(Input::Noted { group }),
                }));
                self.installing = Some((meta, hard_state, file));
                self.show_state(log, actions);
            }
            Effect::Compact(to) => {
                let writes = vec![LogWrite::Compact(group, to)];
                actions.push(Action::Log(LogJob { writes, sync: false, messages: Vec::new(), done: None }));
            }
            Effect::Appended { index, tickets } => {
                let replies = tickets.iter().map(|ticket| self.waiting.remove(ticket)).collect();
                actions.push(Action::Appended { group, index, replies, proposed: self.proposed });
            }
            Effect::Refused { tickets, why } => self.refuse(&tickets, why, actions),
            Effect::OutcomesUnknown => actions.push(Action::OutcomesUnknown(group)),
            Effect::Membership(members, nodes) => {
                actions.push(Action::Members { group, members });
                self.learn(nodes, actions);
            }
            Effect::Skip(at) => {
                actions.push(Action::Judge { group, verdict: Verdict::Skip(at) });
                actions.push(Action::Apply { group, job: ApplyJob::Look });
            }
            Effect::Doubt(index) => actions.push(Action::Judge { group, verdict: Verdict::Doubt(index) }),
            Effect::GoOn(index) => {
                actions.push(Action::Judge { group, verdict: Verdict::GoOn(index) });
                actions.push(Action::Apply { group, job: ApplyJob::Look });
            }
            Effect::Refuted { from, why } => actions.push(Action::Refuted { group, from, why }),
            Effect::Changed { ticket, result } => {
                actions.extend(self.changes.remove(&ticket).map(|reply| Action::Changed { reply, result }));
            }
        }
    }

    /// What is to be sent to whom; what lives nobody knows where is not.
    fn address(&self, messages: Vec<Message>) -> impl Iterator<Item = (NodeId, Envelope)> {
        let group = self.group;
        let known = move |message: Message| {
            self.nodes.get(&ReplicaId(message.to)).map(|node| (*node, Envelope { group, message }))
        };
        messages.into_iter().filter_map(known)
    }

    /// The core is told of an end in any case.
    fn send_snapshot(&mut self, message: Message, meta: SnapshotMeta, actions: &mut Vec<Action<A>>) {
        let (group, to) = (self.group, ReplicaId(message.to));
        match (self.nodes.get(&to), &self.built) {
            (Some(node), Some((built, file))) if *built == meta => actions.push(Action::SendSnapshot {
                node: *node,
                envelope: Box::new(Envelope { group, message }),
                file: file.clone(),
                meta,
            }),
            _ => {
                self.core.step(Event::SnapshotSent { to, ok: false });
                self.unsent = true;
            }
        }
    }

    fn refuse(&mut self, tickets: &[u64], why: Refused, actions: &mut Vec<Action<A>>) {
        let why = match why {
            Refused::NotLeader => ProposeError::NotLeader { leader: self.leadership.leader_node },
            Refused::Dropped => ProposeError::Dropped,
            Refused::Overloaded => ProposeError::Overloaded,
            Refused::DiskFull => ProposeError::DiskFull,
            Refused::Halted => ProposeError::Halted(self.state.out_of_service().unwrap_or_default()),
        };
        let replies = tickets.iter().filter_map(|ticket| self.waiting.remove(ticket));
        actions.extend(replies.map(|reply| Action::Refuse { reply, why: why.clone() }));
    }

    fn leads_now(&mut self, now: Leadership, actions: &mut Vec<Action<A>>) {
        let Leadership { role, term, leader } = now;
        let leader_node = leader.and_then(|id| self.nodes.get(&id).copied());
        self.leadership = GroupLeadership { role, term, leader, leader_node };
        actions.push(Action::Leads { group: self.group, now: self.leadership });
    }

    /// It is not here any more: everybody who waits for it is told, and its files are of no use to anybody.
    pub fn end(mut self, actions: &mut Vec<Action<A>>) {
        let proposers = self.proposals.drain(..).map(|(_, reply)| reply).chain(self.waiting.into_values());
        actions.extend(proposers.map(|reply| Action::Refuse { reply, why: ProposeError::NotLeader { leader: None } }));
        let why = ReadError::Halted("the node is shutting down".to_owned());
        actions.extend(self.reads.into_values().map(|reply| Action::RefuseRead { reply, why: why.clone() }));
        let result = Err(ChangeError::Unknown);
        let changers = self.changes.into_values();
        actions.extend(changers.map(|reply| Action::Changed { reply, result: result.clone() }));
        let files = [self.built.map(|b| b.1), self.arrived, self.installing.map(|i| i.2)];
        actions.push(Action::End { group: self.group, files: files.into_iter().flatten().collect() });
    }
}
