//! What raft-rs has ready goes out in its order: nothing that promises something leaves before that is durable.

use super::entry::floor_after;
use super::entry::is_change;
use super::messages::promises_nothing;
use super::{Core, Effect, InFlight};
use crate::command;
use crate::consensus::SnapshotMeta;
use crate::raftlog::HardState;
use raft::StateRole;
use raft::eraftpb::{Entry, EntryType, Message, MessageType};

impl Core {
    pub(super) fn ready(&mut self) {
        let mut ready = self.raw.ready();
        let number = ready.number();
        self.last_ready = number;
        self.note_changes(ready.entries());
        let hard = self.hard_state_to_write(number);
        let messages = ready.take_messages();
        self.send_as_leader(messages);
        let read_states = ready.take_read_states();
        let (early, later): (Vec<_>, Vec<_>) = ready.take_persisted_messages().into_iter().partition(promises_nothing);
        self.send_early(early);
        if !ready.snapshot().is_empty() {
            assert!(ready.entries().is_empty(), "appends wait behind a snapshot");
            let meta: SnapshotMeta = command::decode(&ready.snapshot().data).expect("checked when it arrived");
            self.raw.mut_store().reset(meta.at);
            self.raw.advance_append_async(ready);
            self.begin_install(number, meta, later);
            return;
        }
        let sync = ready.must_sync() || hard.is_some();
        let entries = ready.take_entries();
        let committed = ready.take_committed_entries();
        self.take_over(&entries);
        self.raw.advance_append_async(ready);
        for state in read_states {
            self.read_answered(&state.request_ctx, state.index);
        }
        if sync || !entries.is_empty() || !self.in_flight.is_empty() && !later.is_empty() {
            let last = entries.last().map_or(0, |e| e.index);
            self.in_flight.push_back(InFlight { number, last });
            // Of one that led until now, appends too. Its snapshots would go without their files, and are the next leader's.
            let then_send = later.into_iter().filter(|m| m.get_msg_type() != MessageType::MsgSnapshot);
            let then_send = self.mend(then_send.collect());
            self.effects.push(Effect::Persist { number, entries, hard_state: hard, sync, then_send });
        } else {
            self.send(later);
            if self.in_flight.is_empty() {
                self.raw.on_persist_ready(number);
            }
        }
        self.release(committed);
    }

    pub(super) fn send_early(&mut self, messages: Vec<Message>) {
        if !messages.is_empty() {
            self.send(messages);
        }
    }

    /// Whoever is elected by others had to write its term before it could ask them. Who votes alone leads at once, and its
    /// learners must not hear of a term that it may forget, and then lead again with other entries.
    fn send_as_leader(&mut self, messages: Vec<Message>) {
        match self.term_written_by {
            Some(_) => self.untold.extend(messages),
            None => self.send_early(messages),
        }
    }

    fn note_changes(&mut self, entries: &[Entry]) {
        let Some(first) = entries.first() else { return };
        self.unnoted.retain(|index| *index < first.index);
        self.unnoted.extend(entries.iter().filter(|entry| is_change(entry)).map(|entry| entry.index));
    }

    /// Term and vote must survive, and that a change of the membership is committed. Otherwise the commit index is found
    /// again.
    fn hard_state_to_write(&mut self, number: u64) -> Option<HardState> {
        let hard = self.raw.raft.hard_state();
        let news = (hard.term, hard.vote) != self.persisted_hard;
        let change = self.unnoted.first().copied().filter(|change| *change <= hard.commit);
        if news {
            self.persisted_hard = (hard.term, hard.vote);
            self.term_written_by = Some(number);
        }
        if let Some(change) = change {
            self.unnoted = self.unnoted.split_off(&(hard.commit + 1));
            self.noted_by = Some((number, self.noted_by.map_or(change - 1, |(_, before)| before)));
        }
        if !news && change.is_none() {
            return None;
        }
        Some(HardState { term: hard.term, vote: hard.vote, commit: hard.commit })
    }

    /// Entries leave raft-rs before they are durable: from here on the store answers for them.
    fn take_over(&mut self, entries: &[Entry]) {
        let Some(first) = entries.first() else { return };
        let last = self.raw.store().last().index;
        if first.index <= last {
            assert!(!self.is_leader(), "a leader rewrites its log at {}", first.index);
            assert!(first.index > self.released, "entry {} was committed and is rewritten", first.index);
            for write in &mut self.in_flight {
                write.last = write.last.min(first.index - 1);
            }
        }
        for entry in entries.iter().filter(|e| e.get_entry_type() == EntryType::EntryNormal && !e.data.is_empty()) {
            // The last one counts: a leader may have set the time back. What it replaces never was.
            if let Some(next) = floor_after(&entry.data).filter(|next| *next != self.time.next()) {
                self.time.learn(next, self.reading.map(|reading| reading.monotonic));
            }
            self.entry_bytes = (self.entry_bytes * 15 + entry.data.len() as u64) / 16;
        }
        self.raw.mut_store().append(entries);
    }

    pub(super) fn persisted(&mut self, number: u64) {
        let mut durable = 0;
        while self.in_flight.front().is_some_and(|w| w.number <= number) {
            durable = durable.max(self.in_flight.pop_front().map_or(0, |w| w.last));
        }
        self.raw.mut_store().persisted(durable);
        if self.noted_by.is_some_and(|(by, _)| by <= number) {
            self.noted_by = None;
        }
        if self.term_written_by.is_some_and(|by| by <= number) {
            self.term_written_by = None;
            let untold = std::mem::take(&mut self.untold);
            self.send_early(untold);
        }
        // Readies behind the last write had nothing to write.
        let number = if self.in_flight.is_empty() && self.installing.is_none() { self.last_ready } else { number };
        self.step_down_if_removed();
        self.raw.on_persist_ready(number);
    }

    /// The group may remove a replica that leads: it counts no more. raft-rs 0.7 looks for the leader's own progress all the
    /// same, when something is written or acknowledged, and ends the process when there is none.
    pub(super) fn step_down_if_removed(&mut self) {
        let raft = &mut self.raw.raft;
        if raft.state == StateRole::Leader && raft.prs().get(raft.id).is_none() {
            let term = raft.term;
            raft.become_follower(term, raft::INVALID_ID);
        }
    }
}
