//! Read indexes: one is under way at a time, for all who waited when it was asked for.

use super::{Asked, Core, Effect};
use raft::StateRole;
use std::collections::BTreeSet;

impl Core {
    pub(super) fn ask_reads(&mut self) {
        let raft = &self.raw.raft;
        let answered = match raft.state {
            StateRole::Leader => raft.commit_to_current_term(),
            _ => raft.leader_id != raft::INVALID_ID,
        };
        if !answered || self.installing.is_some() || self.silent() {
            return;
        }
        if self.is_leader() {
            for message in std::mem::take(&mut self.reads.remote) {
                let _ = self.raw.step(message);
            }
        }
        if self.reads.asked.is_some() || self.reads.waiting.is_empty() {
            return;
        }
        self.reads.counter += 1;
        let counter = self.reads.counter;
        self.reads.asked = Some(Asked { counter, reads: std::mem::take(&mut self.reads.waiting), age: 0 });
        let context = self.read_context(counter);
        self.raw.read_index(context);
    }

    /// Unique over replicas, restarts and requests: a late answer can never complete another read.
    fn read_context(&self, counter: u64) -> Vec<u8> {
        [self.config.replica.0, self.config.boot, counter].iter().flat_map(|n| n.to_be_bytes()).collect()
    }

    pub(super) fn read_answered(&mut self, context: &[u8], index: u64) {
        let Some(asked) = &self.reads.asked else { return };
        if context != self.read_context(asked.counter) {
            return;
        }
        if let Some(asked) = self.reads.asked.take() {
            self.effects.push(Effect::ReadReady { reads: asked.reads, index });
        }
    }

    /// The request may have been dropped: its reads wait for the next one.
    pub(super) fn recall_reads(&mut self) {
        if let Some(asked) = self.reads.asked.take() {
            self.reads.waiting.extend(asked.reads);
        }
    }

    pub(super) fn cancel_reads(&mut self, gone: &BTreeSet<u64>) {
        self.reads.waiting.retain(|r| !gone.contains(r));
        if let Some(asked) = &mut self.reads.asked {
            asked.reads.retain(|r| !gone.contains(r));
        }
    }
}

pub(super) fn splitmix(seed: u64) -> u64 {
    let z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
