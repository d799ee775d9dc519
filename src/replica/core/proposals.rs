//! Proposals wait, and become entries in batches, with the time of the log.

use super::reads::splitmix;
use super::{Core, Effect, Refused, Ticketed};
use crate::clock::Reading;
use crate::command;
use crate::command::Batch;
use raft::eraftpb::{Entry, Message, MessageType};
use std::collections::VecDeque;

impl Core {
    pub(super) fn propose(&mut self, proposals: Vec<Ticketed>, clock: Reading, seed: u64) {
        self.reading = Some(clock);
        self.seed ^= seed;
        let mut refused = Vec::new();
        for proposal in proposals {
            let bytes = proposal.proposal.body.len() + 64;
            if self.waiting_bytes + bytes > self.config.max_waiting && !self.waiting.is_empty() {
                refused.push(proposal.ticket);
                continue;
            }
            self.waiting_bytes += bytes;
            self.waiting.push_back(proposal);
        }
        if !refused.is_empty() {
            self.effects.push(Effect::Refused { tickets: refused, why: Refused::Overloaded });
        }
    }

    pub(super) fn refuse_waiting(&mut self, why: Refused) {
        self.waiting_bytes = 0;
        let tickets: Vec<_> = self.waiting.drain(..).map(|p| p.ticket).collect();
        if !tickets.is_empty() {
            self.effects.push(Effect::Refused { tickets, why });
        }
    }

    pub(super) fn flush_proposals(&mut self) {
        if self.waiting.is_empty() {
            return;
        }
        if !self.is_well() {
            return self.refuse_waiting(Refused::Halted);
        }
        if !self.is_leader() {
            return self.refuse_waiting(Refused::NotLeader);
        }
        if self.disk_full {
            return self.refuse_waiting(Refused::DiskFull);
        }
        if self.raw.raft.lead_transferee.is_some() {
            return self.refuse_waiting(Refused::Dropped);
        }
        if !self.in_flight.is_empty() {
            return;
        }
        // What time it is, a majority says. Its clocks become known by the same connections as its votes.
        let Some(reading) = self.reading.filter(|reading| reading.belief.is_some()) else { return };
        self.refuse_late();
        while !self.waiting.is_empty() && self.unapplied_bytes < self.config.max_unapplied && self.has_room() {
            self.append_batch(&reading);
        }
    }

    /// Refuses what was meant for an earlier leadership of this replica.
    fn refuse_late(&mut self) {
        let term = self.raw.raft.term;
        let is_late = |p: &Ticketed| p.term.is_some_and(|meant| meant != term);
        if !self.waiting.iter().any(is_late) {
            return;
        }
        let (late, waiting): (VecDeque<_>, _) = std::mem::take(&mut self.waiting).into_iter().partition(is_late);
        self.waiting = waiting;
        self.waiting_bytes -= late.iter().map(|p| p.proposal.body.len() + 64).sum::<usize>();
        let tickets = late.into_iter().map(|p| p.ticket).collect();
        self.effects.push(Effect::Refused { tickets, why: Refused::Dropped });
    }

    fn has_room(&self) -> bool {
        let uncommitted = self.raw.raft.uncommitted_size() as u64;
        uncommitted == 0 || uncommitted + 2 * self.config.max_batch as u64 <= self.config.max_uncommitted
    }

    /// One entry of everything that waits, within the limits; at least one command.
    fn append_batch(&mut self, reading: &Reading) {
        let (mut commands, mut tickets, mut bytes) = (Vec::new(), Vec::new(), 0);
        while let Some(next) = self.waiting.front() {
            let size = next.proposal.body.len() + 64;
            let full = bytes + size > self.config.max_batch || commands.len() >= self.config.max_batch_commands;
            if full && !commands.is_empty() {
                break;
            }
            bytes += size;
            let next = self.waiting.pop_front().expect("looked at");
            tickets.push(next.ticket);
            commands.push(next.proposal);
        }
        self.waiting_bytes -= bytes;
        self.seed = splitmix(self.seed);
        let mut time = self.time;
        let now = time.take(reading, commands.len() as i64);
        let batch = Batch { now, seed: self.seed, commands };
        let mut message = Message { from: self.config.replica.0, ..Message::default() };
        message.set_msg_type(MessageType::MsgPropose);
        message.set_entries(vec![Entry { data: command::encode(&batch), ..Entry::default() }].into());
        match self.raw.step(message) {
            Ok(()) => {
                self.time = time;
                let index = self.raw.raft.raft_log.last_index();
                self.effects.push(Effect::Appended { index, tickets });
            }
            Err(_) => self.effects.push(Effect::Refused { tickets, why: Refused::Dropped }),
        }
    }
}
