//! Who leads: what is noted when that changes, who is to follow a leader that goes, and who asks for votes when one is gone.

use super::time::LEADERLESS;
use super::{ChangeError, Core, Effect, Leadership, Refused, Role};
use crate::id::ReplicaId;
use raft::eraftpb::{Message, MessageType};
use raft::{Progress, ProgressState, StateRole};
use std::collections::BTreeSet;

impl Core {
    pub(super) fn note_leadership(&mut self) {
        let raft = &self.raw.raft;
        let now = Leadership {
            role: match raft.state {
                StateRole::Leader => Role::Leader,
                StateRole::Follower => Role::Follower,
                StateRole::Candidate | StateRole::PreCandidate => Role::Candidate,
            },
            term: raft.term,
            leader: (raft.leader_id != raft::INVALID_ID).then_some(ReplicaId(raft.leader_id)),
        };
        if now == self.leadership {
            return;
        }
        if let Some(leader) = now.leader {
            self.last_leader = Some(leader);
            let known = *self.leaders.entry(now.term).or_insert(leader.0);
            assert_eq!(known, leader.0, "two leaders in term {} of {}", now.term, self.config.group);
            while self.leaders.len() > 16 {
                self.leaders.pop_first();
            }
        }
        let was = std::mem::replace(&mut self.leadership, now);
        self.recall_reads();
        if was.role == Role::Leader && (now.role != Role::Leader || now.term != was.term) {
            self.refuse_waiting(Refused::NotLeader);
            self.effects.push(Effect::OutcomesUnknown);
            self.finish_change(Err(ChangeError::Unknown));
        }
        if now.role != Role::Leader {
            self.reads.remote.clear();
        }
        if now.role == Role::Leader && !self.is_well() {
            self.patience = LEADERLESS * self.config.election_ticks;
        }
        self.effects.push(Effect::Leadership(now));
    }

    /// It follows, or has everything: who came while there was nothing to send is only probed until something is written, and that
    /// may be never.
    pub(super) fn follows(&self, progress: &Progress) -> bool {
        progress.state == ProgressState::Replicate || progress.matched == self.last_index()
    }

    /// The best heir: active, replicating, fit to lead, with the longest log; of equals the one with the least id.
    fn heir(&self) -> Option<ReplicaId> {
        let candidates = self.raw.raft.prs().iter().filter(|(id, progress)| {
            **id != self.config.replica.0
                && self.membership.voters.contains(&ReplicaId(**id))
                && progress.recent_active
                && self.follows(progress)
        });
        let rank = |id: &u64, matched| (!self.unfit.contains(&ReplicaId(*id)), matched, std::cmp::Reverse(*id));
        candidates.map(|(id, p)| rank(id, p.matched)).max().map(|(_, _, id)| ReplicaId(id.0))
    }

    /// A leader that is not fit hands over, if somebody who is can take over.
    pub(super) fn judged(&mut self, unfit: BTreeSet<ReplicaId>) {
        self.unfit = unfit;
        let heir = self.heir().filter(|heir| !self.unfit.contains(heir));
        if self.unfit.contains(&self.config.replica) && heir.is_some_and(|heir| self.can_inherit(heir)) {
            self.transfer_leader(None);
        }
    }

    pub(super) fn transfer_leader(&mut self, to: Option<ReplicaId>) {
        // Asked again while a chosen heir catches up: a second heir would campaign against the first.
        let under_way = to.is_none() && self.raw.raft.lead_transferee.is_some();
        if !self.is_leader() || under_way {
            return;
        }
        if let Some(heir) = to.map_or_else(|| self.heir(), |to| Some(to).filter(|to| self.can_inherit(*to))) {
            self.raw.transfer_leader(heir.0);
        }
    }

    /// While a leadership is handed over no proposal is taken: not for one who is away or far behind.
    fn can_inherit(&self, heir: ReplicaId) -> bool {
        let progress = self.raw.raft.prs().get(heir.0).filter(|_| self.membership.voters.contains(&heir));
        progress.is_some_and(|p| p.recent_active && self.follows(p) && self.is_near(p.matched))
    }

    pub(super) fn is_near(&self, matched: u64) -> bool {
        matched + 256 >= self.last_index()
    }

    /// The process of `dead` is known to be gone. If it led, as far as this replica knows, then this is its place in
    /// the order in which the voters campaign; the first campaigns at once.
    ///
    /// The leadership need not still be there: a successor that knew earlier may have asked for this replica's vote
    /// and, with a shorter log, not got it; or the time for an election may have come before the news. Everybody must
    /// take its turn then, or all wait for a timeout.
    pub fn succession(&self, dead: ReplicaId) -> Option<usize> {
        if self.leadership.leader.or(self.last_leader) != Some(dead) {
            return None;
        }
        let heirs = self.membership.voters.iter().filter(|v| **v != dead);
        heirs.enumerate().find(|(_, v)| **v == self.config.replica).map(|(rank, _)| rank)
    }

    /// The driver knows that the process of `dead` is gone. Peers still hold its lease, so the campaign is forced.
    /// Not when somebody else has our vote by now, or asks for others' votes with our own: that election is under way.
    pub(super) fn campaign(&mut self, dead: ReplicaId) {
        let raft = &self.raw.raft;
        let leaderless = match raft.leader_id {
            raft::INVALID_ID => self.last_leader == Some(dead) && (raft.vote == 0 || raft.vote == dead.0),
            leader => leader == dead.0,
        };
        if !leaderless || raft.state == StateRole::Leader || !raft.promotable() || !self.may_lead() {
            return;
        }
        if raft.state != StateRole::Follower {
            // It asks whether an election would be won, which the lease of the dead forbids others to answer.
            let term = raft.term;
            self.raw.raft.become_follower(term, raft::INVALID_ID);
        }
        let mut order = Message { to: self.config.replica.0, from: dead.0, ..Message::default() };
        order.set_msg_type(MessageType::MsgTimeoutNow);
        let _ = self.raw.step(order);
    }

    /// Nobody leads, nobody has led, and nobody has this replica's vote.
    pub(super) fn begin(&mut self) {
        let raft = &self.raw.raft;
        let untouched = raft.leader_id == raft::INVALID_ID && self.last_leader.is_none() && raft.vote == 0;
        if untouched && raft.state == StateRole::Follower && raft.promotable() && self.may_lead() {
            let mut order = Message { to: self.config.replica.0, from: self.config.replica.0, ..Message::default() };
            order.set_msg_type(MessageType::MsgTimeoutNow);
            let _ = self.raw.step(order);
        }
    }
}
