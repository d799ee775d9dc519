//! The members of the group change one step at a time, by joint consensus.

use super::entry::change_entry;
use super::{Change, ChangeError, Core, Effect};
use crate::consensus::Membership;
use crate::id::ReplicaId;
use raft::eraftpb::ConfChangeV2;

impl Core {
    pub(super) fn change_membership(&mut self, ticket: u64, change: Change) {
        let result = self.check_change(&change).and_then(|()| {
            let proposed = self.raw.propose_conf_change(Vec::new(), change_entry(&change));
            proposed.map_err(|_| ChangeError::Busy)
        });
        match result {
            Ok(()) => self.change = Some((ticket, change)),
            Err(error) => self.effects.push(Effect::Changed { ticket, result: Err(error) }),
        }
    }

    /// raft-rs turns a change that comes too early into an empty entry, silently. So ask first.
    fn check_change(&self, change: &Change) -> Result<(), ChangeError> {
        let now = &self.membership;
        if !self.is_leader() {
            return Err(ChangeError::NotLeader);
        }
        let under_way = self.change.is_some() || self.raw.raft.has_pending_conf() || !now.voters_outgoing.is_empty();
        if under_way || !self.membership_is_settled() {
            return Err(ChangeError::Busy);
        }
        let member = |r: &ReplicaId| now.voters.contains(r) || now.learners.contains(r);
        let promotable = |r: &ReplicaId| match self.raw.raft.prs().get(r.0) {
            Some(p) if self.follows(p) && self.is_near(p.matched) => Ok(()),
            _ => Err(ChangeError::NotCaughtUp(*r)),
        };
        let demotable = |r: &ReplicaId| match *r {
            r if r == self.config.replica => Err(ChangeError::IsLeader(r)),
            r if !now.voters.contains(&r) => Err(ChangeError::NotMember(r)),
            _ => Ok(()),
        };
        match change {
            Change::AddLearner(r, _) if member(r) => Err(ChangeError::IsMember(*r)),
            Change::AddLearner(..) => Ok(()),
            Change::Promote(r) | Change::Swap { promote: r, .. } if !now.learners.contains(r) => {
                Err(if now.voters.contains(r) { ChangeError::IsMember(*r) } else { ChangeError::NotMember(*r) })
            }
            Change::Promote(r) => promotable(r),
            Change::Remove(r) if now.learners.contains(r) => Ok(()),
            Change::Remove(r) if *r == self.config.replica => Err(ChangeError::IsLeader(*r)),
            Change::Remove(r) => Err(if member(r) { ChangeError::Votes(*r) } else { ChangeError::NotMember(*r) }),
            Change::Demote(r) => demotable(r),
            Change::Swap { promote, demote } => promotable(promote).and_then(|()| demotable(demote)),
        }
    }

    /// Whether this leader knows of a majority of the voters that have noted all changes of the membership as committed.
    pub fn membership_is_settled(&self) -> bool {
        let progress = self.raw.raft.prs();
        let has_noted = |voter: &&ReplicaId| match **voter == self.config.replica {
            true => self.noted_by.is_none(),
            // What it says to be committed: see `speak_of_commit`.
            false => progress.get(voter.0).is_some_and(|peer| peer.committed_index >= self.latest_change),
        };
        let voters = &self.membership.voters;
        self.is_leader() && 2 * voters.iter().filter(has_noted).count() > voters.len()
    }

    /// Ends a change that was asked for, when it is settled.
    pub(super) fn look_at_change(&mut self) {
        let is_done = self.change.as_ref().is_some_and(|(_, change)| is_done(change, &self.membership));
        if is_done && self.membership_is_settled() {
            self.finish_change(Ok(()));
        }
    }

    pub(super) fn finish_change(&mut self, result: Result<(), ChangeError>) {
        if let Some((ticket, _)) = self.change.take() {
            self.effects.push(Effect::Changed { ticket, result });
        }
    }

    /// A new leader inherits a joint configuration; raft-rs does not always leave it by itself.
    pub(super) fn leave_joint(&mut self) {
        let joint = !self.membership.voters_outgoing.is_empty() && self.membership.auto_leave;
        if joint && !self.raw.raft.has_pending_conf() {
            let _ = self.raw.propose_conf_change(Vec::new(), ConfChangeV2::default());
        }
    }
}

fn is_done(change: &Change, now: &Membership) -> bool {
    let gone = |r| !now.voters.contains(r) && !now.learners.contains(r) && !now.voters_outgoing.contains(r);
    match change {
        Change::AddLearner(r, _) | Change::Demote(r) => now.learners.contains(r),
        Change::Swap { promote, demote } => {
            now.voters.contains(promote) && now.learners.contains(demote) && now.voters_outgoing.is_empty()
        }
        Change::Promote(r) => now.voters.contains(r),
        Change::Remove(r) => gone(r),
    }
}
