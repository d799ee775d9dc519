//! Rest: a group with nothing to do stops its clocks and its heartbeats, so that databases that nobody uses cost nothing.
//!
//! A leader that has had nothing to do for a while, and whose followers have everything, says so in its heartbeats ([`INVITES`]).
//! A follower that has nothing to do either rests from then on, which its answer says ([`RESTS`]). When all have said so the leader
//! rests as well. Whoever rests does not count time. Anything that happens to a replica wakes it; a follower that wakes by itself
//! tells the leader ([`WAKES`]), and a leader that is awake sends heartbeats, which wake the others.
//!
//! Nothing that is promised depends on it: elections, commits and read indexes ask a majority as ever. What rest takes away is
//! that a follower notices a leader that is gone. For that the nodes stand: they hear each other several times a second,
//! whatever rests. Where a node was not heard of for an election timeout ([`Event::Silent`]), all groups with a replica there wake, and
//! its followers have waited long enough already: they elect in their order at once. A leader does not wait for the answers
//! of replicas whose nodes are silent, as long as a majority is not; when they are heard again ([`Event::Heard`]) it wakes.
//!
//! A program that does not know of this answers an invitation like any heartbeat, and then the leader does not rest.

use super::{Condition, Core, Effect, Event};
use crate::id::ReplicaId;
use raft::StateRole;
use raft::eraftpb::{Message, MessageType};
use std::collections::BTreeSet;

/// Contexts of heartbeats and their answers; those of read indexes are longer.
const INVITES: &[u8] = b"rest?";
const RESTS: &[u8] = b"rests";
const WAKES: &[u8] = b"wakes";

#[derive(Default)]
pub(super) struct Rest {
    resting: bool,
    /// For how many ticks this leader has had nothing to do.
    quiet: u32,
    /// The followers that have said that they rest.
    agreed: BTreeSet<ReplicaId>,
    /// Replicas whose nodes were not heard of lately.
    pub silent: BTreeSet<ReplicaId>,
}

/// A leader says that there is nothing to do.
pub(super) fn invites(message: &Message) -> bool {
    message.get_msg_type() == MessageType::MsgHeartbeat && message.context == INVITES
}

impl Core {
    /// Time need not be counted here.
    pub fn is_resting(&self) -> bool {
        self.rest.resting
    }

    /// Whether an event is a reason to wake. Time passes anyway, and late answers ask for nothing.
    pub(super) fn disturbs(&self, event: &Event) -> bool {
        match event {
            Event::Tick | Event::Clock(_) | Event::Durable(_) | Event::Kept(_) => false,
            Event::Applied(_) | Event::Persisted(_) => false,
            Event::Unfit(unfit) => unfit.contains(&self.config.replica),
            Event::Peer(message) if message.term == self.raw.raft.term => match message.get_msg_type() {
                MessageType::MsgHeartbeat => !invites(message),
                MessageType::MsgHeartbeatResponse => message.context != RESTS && !message.context.is_empty(),
                _ => true,
            },
            Event::Silent { replica, .. } => !self.rest.silent.contains(replica),
            Event::Heard(replica) => self.rest.silent.contains(replica),
            _ => true,
        }
    }

    pub(super) fn wake(&mut self) {
        self.rest.resting = false;
        self.unsettle();
        let raft = &mut self.raw.raft;
        if raft.state == StateRole::Leader {
            // Nobody was asked for a sign of life meanwhile.
            raft.election_elapsed = 0;
        } else if raft.leader_id != raft::INVALID_ID {
            let mut news = Message { to: raft.leader_id, from: raft.id, term: raft.term, ..Message::default() };
            news.set_msg_type(MessageType::MsgHeartbeatResponse);
            news.commit = raft.raft_log.committed;
            news.context = WAKES.into();
            self.effects.push(Effect::Send(vec![news]));
        }
    }

    /// Before a leader's tick.
    pub(super) fn seek_rest(&mut self) {
        if self.config.rest_ticks == 0 || !self.is_leader() || !self.is_settled() {
            return self.unsettle();
        }
        self.rest.quiet = self.rest.quiet.saturating_add(1);
        let agree = self.followers().all(|follower| self.rest.agreed.contains(&follower));
        if self.rest.quiet > self.config.rest_ticks && agree {
            self.rest.resting = true;
        }
    }

    fn unsettle(&mut self) {
        self.rest.quiet = 0;
        self.rest.agreed.clear();
    }

    /// Those whose nodes are heard.
    fn followers(&self) -> impl Iterator<Item = ReplicaId> {
        let all = self.raw.raft.prs().iter().map(|(id, _)| ReplicaId(*id));
        all.filter(|id| *id != self.config.replica && !self.rest.silent.contains(id))
    }

    /// This leader and all whose nodes are heard have everything, nothing is under way, and a majority is there.
    fn is_settled(&self) -> bool {
        let raft = &self.raw.raft;
        let has_all = |id: &ReplicaId| raft.prs().get(id.0).is_some_and(|p| p.matched == self.last_index());
        let voters = &self.membership.voters;
        let silent = voters.iter().filter(|voter| self.rest.silent.contains(voter)).count();
        self.has_nothing_to_do()
            && raft.lead_transferee.is_none()
            && raft.commit_to_current_term()
            && !raft.has_pending_conf()
            && self.membership.voters_outgoing.is_empty()
            && !self.unfit.contains(&self.config.replica)
            && 2 * silent < voters.len()
            && self.followers().all(|follower| has_all(&follower))
    }

    fn has_nothing_to_do(&self) -> bool {
        let last = self.last_index();
        self.condition == Condition::Active
            && !self.ailing
            && !self.disk_full
            && !self.bare
            && (self.commit(), self.handed, self.applied) == (last, last, last)
            && self.installing.is_none()
            && self.building.is_none()
            && self.change.is_none()
            && self.term_written_by.is_none()
            && self.in_flight.is_empty()
            && self.waiting.is_empty()
            && self.doubts.is_empty()
            && self.reads.waiting.is_empty()
            && self.reads.remote.is_empty()
            && self.reads.asked.is_none()
    }

    /// A leader hears who rests, and who does not any more.
    pub(super) fn hear_of_rest(&mut self, message: &mut Message) {
        if message.get_msg_type() != MessageType::MsgHeartbeatResponse || message.term != self.raw.raft.term {
            return;
        }
        match &message.context[..] {
            RESTS => drop(self.rest.agreed.insert(ReplicaId(message.from))),
            WAKES => self.unsettle(),
            _ => return,
        }
        message.context.clear();
    }

    /// A follower was invited.
    pub(super) fn accept_rest(&mut self, leader: u64, term: u64, commit: u64) {
        let raft = &self.raw.raft;
        let follows = raft.state == StateRole::Follower && (raft.leader_id, raft.term) == (leader, term);
        self.rest.resting = follows && commit == self.last_index() && self.has_nothing_to_do();
    }

    /// Says what there is to say of it in a heartbeat, or in the answer to one.
    pub(super) fn speak_of_rest(&self, message: &mut Message) {
        match message.get_msg_type() {
            MessageType::MsgHeartbeat if message.context.is_empty() && self.is_inviting() => {
                message.context = INVITES.into();
            }
            MessageType::MsgHeartbeatResponse if message.context == INVITES && self.is_resting() => {
                message.context = RESTS.into();
            }
            _ => {}
        }
    }

    fn is_inviting(&self) -> bool {
        self.config.rest_ticks > 0 && self.rest.quiet >= self.config.rest_ticks && self.is_leader()
    }

    /// The time that a silent leader has been away counts as if it had been counted here.
    pub(super) fn note_silence(&mut self, replica: ReplicaId, ticks: usize) {
        self.rest.silent.insert(replica);
        let most = self.config.election_ticks;
        let raft = &mut self.raw.raft;
        if raft.state == StateRole::Follower && raft.leader_id == replica.0 {
            raft.election_elapsed = raft.election_elapsed.max(ticks.min(most));
        }
    }
}
