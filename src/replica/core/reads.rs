//! Read indexes: one is under way at a time, for all who waited when it was asked for. One that has had no answer for a while is
//! asked for again; an answer to an earlier request is as good for whoever waited then. Otherwise no read would ever end where the way to
//! the leader and back takes longer than that while.

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
        let again = self.reads.asked.take_if(|asked| asked.recalled).map_or_else(Vec::new, |asked| asked.reads);
        if self.reads.asked.is_some() || again.is_empty() && self.reads.waiting.is_empty() {
            return;
        }
        self.reads.counter += 1;
        let counter = self.reads.counter;
        let new = std::mem::take(&mut self.reads.waiting).into_iter().map(|read| (read, counter));
        let reads = again.into_iter().chain(new).collect();
        self.reads.asked = Some(Asked { reads, age: 0, recalled: false });
        let context = self.read_context(counter);
        self.raw.read_index(context);
    }

    /// Unique over replicas, restarts and requests: a late answer can never complete another read.
    fn read_context(&self, counter: u64) -> Vec<u8> {
        [self.config.replica.0, self.config.boot, counter].iter().flat_map(|n| n.to_be_bytes()).collect()
    }

    pub(super) fn read_answered(&mut self, context: &[u8], index: u64) {
        let Some(counter) = context.last_chunk().map(|bytes| u64::from_be_bytes(*bytes)) else { return };
        if context != self.read_context(counter) {
            return;
        }
        let Some(asked) = &mut self.reads.asked else { return };
        // The leader was asked after each of these had begun.
        let (done, rest): (Vec<_>, Vec<_>) = asked.reads.iter().partition(|(_, first)| *first <= counter);
        asked.reads = rest;
        if asked.reads.is_empty() {
            self.reads.asked = None;
        }
        if !done.is_empty() {
            let reads = done.into_iter().map(|(read, _)| read).collect();
            self.effects.push(Effect::ReadReady { reads, index });
        }
    }

    /// The request may have been dropped: its reads are asked for again.
    pub(super) fn recall_reads(&mut self) {
        if let Some(asked) = &mut self.reads.asked {
            asked.recalled = true;
        }
    }

    pub(super) fn cancel_reads(&mut self, gone: &BTreeSet<u64>) {
        self.reads.waiting.retain(|r| !gone.contains(r));
        if let Some(asked) = &mut self.reads.asked {
            asked.reads.retain(|(read, _)| !gone.contains(read));
        }
    }
}

pub(super) fn splitmix(seed: u64) -> u64 {
    let z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
