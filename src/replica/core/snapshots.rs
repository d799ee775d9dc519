//! Snapshots are built, and installed in place of a state; what all have applied is cut off the log.

use super::{Condition, Core, Effect, Installing};
use crate::consensus::{Position, SnapshotMeta};
use crate::raftlog::HardState;
use raft::ProgressState;
use raft::Storage as _;
use raft::eraftpb::{Message, MessageType};

/// Bytes of the log that wait for being kept elsewhere.
const KEPT_BYTES: u64 = 1 << 30;

impl Core {
    pub(super) fn build_snapshot(&mut self) {
        let Some(least) = self.raw.store().take_wanted() else { return };
        if self.building.is_none() && self.condition == Condition::Active && self.applied >= least.max(1) {
            self.building = Some(self.applied);
            self.effects.push(Effect::BuildSnapshot);
        }
    }

    pub(super) fn snapshot_built(&mut self, meta: SnapshotMeta) {
        self.building = None;
        if meta.at.index >= self.raw.store().truncated().index {
            self.raw.mut_store().snapshot = Some(meta);
        }
    }

    pub(super) fn begin_install(&mut self, number: u64, meta: SnapshotMeta, then_send: Vec<Message>) {
        let hard = self.raw.raft.hard_state();
        self.persisted_hard = (hard.term, hard.vote);
        self.term_written_by = None;
        self.unnoted.clear();
        self.noted_by = Some((number, 0));
        let hard_state = HardState { term: hard.term, vote: hard.vote, commit: hard.commit };
        self.effects.push(Effect::InstallSnapshot { meta: meta.clone(), hard_state });
        self.installing = Some(Installing { number, meta, then_send });
    }

    pub(super) fn snapshot_installed(&mut self, floor: i64) {
        let Some(Installing { number, meta, then_send }) = self.installing.take() else { return };
        let index = meta.at.index;
        self.in_flight.clear();
        self.raw.on_persist_ready(number);
        self.raw.advance_apply_to(index);
        (self.released, self.handed, self.applied, self.durable) = (index, index, index, index);
        self.unapplied.clear();
        self.unapplied_bytes = 0;
        self.time.learn(floor, self.reading.map(|reading| reading.monotonic));
        if self.condition == Condition::Diverged {
            self.condition = Condition::Active;
        }
        self.bare = false;
        self.doubts.retain(|entry, _| *entry > index);
        self.membership = meta.membership;
        self.latest_change = index;
        self.noted_by = None;
        self.effects.push(Effect::Membership(self.membership.clone(), Vec::new()));
        self.send(then_send);
    }

    /// While a snapshot is installed the replica stays a live follower in the leader's eyes.
    pub(super) fn answer_heartbeats(&mut self) {
        let answers: Vec<Message> = std::mem::take(&mut self.raw.raft.msgs)
            .into_iter()
            .filter(|m| m.get_msg_type() == MessageType::MsgHeartbeatResponse)
            .collect();
        self.send_early(answers);
    }

    pub(super) fn compact(&mut self) {
        if self.installing.is_some() {
            return;
        }
        let keep = self.config.compact_keep.min(self.config.compact_keep_bytes / self.entry_bytes.max(1)).max(1);
        let mut to = self.durable.min(self.applied);
        let limit = to.saturating_sub(self.config.compact_max_lag);
        to = to.saturating_sub(keep);
        if self.is_leader() {
            for (_, progress) in self.raw.raft.prs().iter().filter(|(_, p)| p.recent_active) {
                let needed = match progress.state {
                    ProgressState::Snapshot => progress.pending_snapshot,
                    _ => progress.matched.max(limit),
                };
                to = to.min(needed);
            }
        }
        if let Some(index) = self.building {
            to = to.min(index);
        }
        if let Some(index) = self.kept {
            // Not for ever: whoever keeps the log elsewhere may be away.
            let most = (KEPT_BYTES / self.entry_bytes.max(1)).min(self.config.compact_max_lag);
            to = to.min(index.max(self.applied.saturating_sub(most)));
        }
        // Large entries are few: their steps are shorter, or the bytes kept would have no bound.
        let step = self.config.compact_step.min(keep / 4).max(1);
        if to < self.raw.store().truncated().index + step {
            return;
        }
        let Ok(term) = self.raw.store().term(to) else { return };
        let to = Position { index: to, term };
        self.raw.mut_store().compact(to);
        self.effects.push(Effect::Compact(to));
    }
}
