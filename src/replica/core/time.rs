//! Time passes for a replica: elections that are due, conditions under which it must not lead, and its patience with itself.

use super::contract::LAST_IN_LINE;
use super::{Condition, Core};
use raft::StateRole;

/// So many election timeouts without a leader, and one leads that otherwise must not.
pub(super) const LEADERLESS: usize = 5;

impl Core {
    pub(super) fn tick(&mut self) {
        self.ticks += 1;
        self.raw.mut_store().resume_fetches();
        if self.installing.is_some() || self.silent() {
            return;
        }
        self.count_leaderless();
        if self.may_lead() || self.is_leader() || self.stands_in() {
            self.set_election_timeout();
            self.seek_rest();
            self.raw.tick();
        } else {
            // It does not campaign, but time passes: the lease of a leader that fell silent must not bind its vote for ever.
            let raft = &mut self.raw.raft;
            raft.election_elapsed = (raft.election_elapsed + 1).min(self.config.election_ticks);
        }
        if let Some(asked) = &mut self.reads.asked {
            asked.age += 1;
            if asked.age >= self.config.read_retry_ticks {
                self.recall_reads();
            }
        }
        if self.is_leader() {
            self.leave_joint();
            if self.disk_full && self.ticks.is_multiple_of(self.config.election_ticks as u64) {
                self.transfer_leader(None);
            }
            self.lose_patience();
        } else if self.condition == Condition::Diverged && self.ticks.is_multiple_of(2) {
            self.want_snapshot();
        }
        if self.ticks.is_multiple_of(self.config.election_ticks as u64) {
            self.compact();
        }
    }

    /// Answers the leader that it needs a snapshot, at least of what it knows to be committed. raft-rs takes no appends from then
    /// on, whoever leads, and asks for uncommitted entries, too. Where most replicas wait for one, no leader could commit what
    /// must be in it: so each leader is given the time to commit an entry of its own, and then has all that is asked for.
    fn want_snapshot(&mut self) {
        let raft = &mut self.raw.raft;
        if !raft.commit_to_current_term() {
            raft.pending_request_snapshot = raft::INVALID_INDEX;
        } else if raft.pending_request_snapshot == raft::INVALID_INDEX {
            raft.pending_request_snapshot = raft.raft_log.committed;
        }
    }

    /// A leader that falls silent is replaced by the voters in their order, two ticks apart: the first one's question
    /// comes one tick after the others are ready to agree, and the next one asks before it would ask again. Whoever knows
    /// no leader campaigns after the shortest time; that those do not ask at the same moments for ever is up to the
    /// driver, which leaves out some of their ticks.
    fn set_election_timeout(&mut self) {
        let line = match self.raw.raft.leader_id {
            raft::INVALID_ID => 0,
            leader => {
                let others = self.membership.voters.iter().filter(|voter| voter.0 != leader);
                let rank = others.take_while(|voter| **voter != self.config.replica).count();
                (1 + 2 * rank).min(LAST_IN_LINE)
            }
        };
        self.raw.raft.set_randomized_election_timeout(self.config.election_ticks + line);
    }

    fn count_leaderless(&mut self) {
        let raft = &self.raw.raft;
        let silence = !self.is_leader() && raft.election_elapsed >= self.config.election_ticks;
        self.leaderless = if silence || raft.leader_id == raft::INVALID_ID { self.leaderless + 1 } else { 0 };
    }

    /// See the module.
    fn stands_in(&self) -> bool {
        let could = self.condition == Condition::Diverged && !self.bare && !self.ailing && !self.disk_full;
        could && !self.raw.raft.prs().is_singleton() && self.leaderless >= LEADERLESS * self.config.election_ticks
    }

    pub(super) fn is_leader(&self) -> bool {
        self.raw.raft.state == StateRole::Leader
    }

    /// A singleton elects itself at once, which raft-rs allows only when its log is on disk.
    pub(super) fn may_lead(&self) -> bool {
        let alone = self.raw.raft.prs().is_singleton() && !self.in_flight.is_empty();
        self.is_well() && !self.disk_full && self.installing.is_none() && !alone
    }

    pub(super) fn is_well(&self) -> bool {
        self.condition == Condition::Active && !self.ailing
    }

    pub(super) fn silent(&self) -> bool {
        self.condition == Condition::Halted && !self.is_leader()
    }

    pub(super) fn leave(&mut self, condition: Condition) {
        if self.condition == Condition::Halted {
            return;
        }
        self.condition = condition;
        self.give_up_leadership();
    }

    pub(super) fn ail(&mut self, ailing: bool) {
        if ailing && !self.ailing {
            self.give_up_leadership();
        }
        self.ailing = ailing;
    }

    fn give_up_leadership(&mut self) {
        self.patience = self.config.election_ticks;
        self.transfer_leader(None);
    }

    fn lose_patience(&mut self) {
        if self.is_well() {
            return;
        }
        self.transfer_leader(None);
        self.patience = self.patience.saturating_sub(1);
        if self.patience == 0 {
            let term = self.raw.raft.term;
            self.raw.raft.become_follower(term, raft::INVALID_ID);
        }
    }
}
