//! What is committed is handed out to be applied, in order and within bounds, and what is to be skipped is decided by the log.

use super::Fetch;
use super::entry::is_change;
use super::{Core, Effect, StartError};
use crate::command;
use crate::consensus::form;
use crate::consensus::form::{membership, skip, skipped};
use crate::consensus::{Committed, Payload, Position};
use crate::replica::store::Store;
use raft::RawNode;
use raft::Storage as _;
use raft::eraftpb::Entry;

impl Core {
    pub(super) fn release(&mut self, committed: Vec<Entry>) {
        let (Some(first), Some(last)) = (committed.first(), committed.last()) else { return };
        assert_eq!(first.index, self.released + 1, "committed entries are released in order");
        for entry in &committed {
            self.decide(entry);
        }
        let straight = !self.bare && self.handed == self.released && self.unapplied_bytes < self.config.max_unapplied;
        self.released = last.index;
        if straight {
            self.hand(committed);
        }
    }

    /// Proposals to skip an entry are decided when they are committed, or when an entry of a later term is.
    fn decide(&mut self, entry: &Entry) {
        if let Some(at) = skipped(entry) {
            self.doubts.remove(&at.index);
            self.effects.push(Effect::Skip(at));
        }
        let effects = &mut self.effects;
        self.doubts.retain(|index, term| {
            let open = *term >= entry.term;
            if !open {
                effects.push(Effect::GoOn(*index));
            }
            open
        });
    }

    /// What a start finds in its log, committed or not: what may be skipped, and what may change the membership.
    pub(super) fn look_through(&mut self, noted: u64) -> Result<(), StartError> {
        let log = |e: raft::Error| StartError::Log(e.to_string());
        let (mut next, last) = (self.applied + 1, self.last_index());
        while next <= last {
            let context = raft::GetEntriesContext::empty(false);
            let found = self.raw.store().entries(next, last + 1, Some(1 << 20), context).map_err(log)?;
            let Some(end) = found.last().map(|entry| entry.index) else { break };
            for entry in &found {
                if let Some(at) = skipped(entry).filter(|at| at.index > self.applied) {
                    self.doubts.insert(at.index, entry.term);
                }
                if is_change(entry) && entry.index > noted {
                    self.unnoted.insert(entry.index);
                }
            }
            next = end + 1;
        }
        self.effects.extend(self.doubts.keys().map(|index| Effect::Doubt(*index)));
        Ok(())
    }

    /// Passes by what waits to be proposed or applied: it may wait for this.
    pub(super) fn propose_to_skip(&mut self, at: Position) {
        let term = self.raw.raft.term;
        let known = self.raw.store().term(at.index).is_ok_and(|term| term == at.term) && at.index <= self.commit();
        let free = self.is_leader() && self.raw.raft.lead_transferee.is_none() && known;
        if free && self.raw.propose(Vec::new(), skip(at)).is_ok() {
            self.doubts.insert(at.index, term);
        } else if !self.doubts.contains_key(&at.index) {
            self.effects.push(Effect::GoOn(at.index));
        }
    }

    /// Entries that were released while too much waited to be applied are read again.
    pub(super) fn hand_out(&mut self) {
        while self.handed < self.released
            && !self.bare
            && self.installing.is_none()
            && self.unapplied_bytes < self.config.max_unapplied
        {
            let Some(entries) = self.raw.store().read_now(self.handed + 1, self.released + 1, 1 << 20) else { return };
            self.hand(entries);
        }
    }

    /// Old entries have come: whoever waits for them gets them.
    pub(super) fn fetched(&mut self, fetch: Fetch, entries: Option<Vec<Entry>>) {
        let here = self.raw.mut_store().fetched(fetch, entries);
        if !self.is_leader() {
            return;
        }
        let next = |raw: &RawNode<Store>, id| raw.raft.prs().get(id).filter(|p| !p.is_paused()).map(|p| p.next_idx);
        let peers: Vec<u64> = self.raw.raft.prs().iter().map(|(id, _)| *id).collect();
        for peer in peers.into_iter().filter(|id| *id != self.config.replica.0) {
            while let Some(index) = next(&self.raw, peer).filter(|index| here.contains(index)) {
                self.raw.raft.send_append(peer);
                if next(&self.raw, peer) == Some(index) {
                    break;
                }
            }
        }
    }

    fn hand(&mut self, entries: Vec<Entry>) {
        let mut out = Vec::with_capacity(entries.len());
        for entry in entries {
            assert_eq!(entry.index, self.handed + 1, "committed entries are handed out in order");
            self.handed = entry.index;
            self.unapplied_bytes += entry.data.len();
            self.unapplied.push_back((entry.index, entry.data.len()));
            let at = Position { index: entry.index, term: entry.term };
            out.push(Committed { at, payload: self.payload(entry) });
        }
        if !out.is_empty() {
            self.effects.push(Effect::Apply(out));
        }
    }

    fn payload(&mut self, entry: Entry) -> Payload {
        form::payload(entry, |change| {
            // Equal logs give equal configurations, so an impossible change is impossible on every replica.
            self.membership = membership(&self.raw.apply_conf_change(change).ok()?);
            self.latest_change = self.handed;
            let nodes = command::decode(&change.context).unwrap_or_default();
            self.effects.push(Effect::Membership(self.membership.clone(), nodes));
            Some(self.membership.clone())
        })
    }

    pub(super) fn note_applied(&mut self, index: u64) {
        // While a snapshot is installed the state machine may be ahead already; the end of the installation counts.
        if index <= self.applied || self.installing.is_some() {
            return;
        }
        assert!(index <= self.handed, "{index} is applied but {} was handed out", self.handed);
        self.applied = index;
        while self.unapplied.front().is_some_and(|(i, _)| *i <= index) {
            self.unapplied_bytes -= self.unapplied.pop_front().map_or(0, |(_, bytes)| bytes);
        }
        self.raw.advance_apply_to(index);
        if self.is_leader() {
            self.leave_joint();
        }
    }
}
