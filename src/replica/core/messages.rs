//! Messages of peers: what is believed, what is of use now, and in which form those of raft-rs may leave.

use super::rest;
use super::{Core, Effect};
use crate::command;
use crate::id::ReplicaId;
use crate::replica::check::Improper;
use crate::replica::check::{View, check};
use raft::Storage as _;
use raft::eraftpb::{Message, MessageType};

impl Core {
    pub(super) fn peer(&mut self, mut message: Message) {
        if self.silent() {
            return;
        }
        if let Err(why) = self.check(&message) {
            // One that knows no configuration (it is new, or its state is made again from the log) cannot say who is a
            // stranger. It has asked nobody either: what comes is an answer to its former self, and of no use.
            if why != Improper::Stranger || !self.membership.voters.is_empty() {
                self.effects.push(Effect::Refuted { from: ReplicaId(message.from), why });
            }
            return;
        }
        if !self.accepts(&message) {
            return;
        }
        let early = message.get_msg_type() == MessageType::MsgReadIndex && !self.raw.raft.commit_to_current_term();
        if early {
            if self.reads.remote.len() < 64 {
                self.reads.remote.push(message);
            }
            return;
        }
        if message.term > self.raw.raft.term {
            // A new leader gets its first entry in: see `want_snapshot`.
            self.raw.raft.pending_request_snapshot = raft::INVALID_INDEX;
        }
        self.step_down_if_removed();
        self.hear_of_rest(&mut message);
        let invited = rest::invites(&message).then_some((message.from, message.term, message.commit));
        // An error says that the message is of no use (an unknown sender), which needs no reaction.
        let _ = self.raw.step(message);
        if let Some((leader, term, commit)) = invited {
            self.accept_rest(leader, term, commit);
        }
    }

    fn check(&self, message: &Message) -> Result<(), Improper> {
        if self.config.believes_everything {
            return Ok(());
        }
        let raft = &self.raw.raft;
        check(
            &View {
                me: self.config.replica.0,
                term: raft.term,
                last: raft.raft_log.last_index(),
                committed: raft.raft_log.committed,
                leader: raft.leader_id,
                members: &self.membership,
                term_at: &|index| raft.raft_log.term(index).ok().filter(|term| *term > 0),
            },
            message,
        )
    }

    /// Whether a message comes at a time when something can be done about it.
    fn accepts(&self, m: &Message) -> bool {
        use MessageType::*;
        match m.get_msg_type() {
            MsgHeartbeat => true,
            _ if self.installing.is_some() => false,
            MsgAppend => !self.disk_full || m.entries.is_empty(),
            MsgSnapshot => !self.disk_full,
            MsgTimeoutNow => self.may_lead(),
            MsgReadIndex => self.is_leader(),
            _ => true,
        }
    }

    pub(super) fn send(&mut self, messages: Vec<Message>) {
        let mut now = Vec::with_capacity(messages.len());
        for mut message in self.mend(messages) {
            self.speak_of_rest(&mut message);
            self.speak_of_commit(&mut message);
            if message.get_msg_type() != MessageType::MsgSnapshot {
                now.push(message);
                continue;
            }
            let meta = command::decode(&message.get_snapshot().data).expect("this replica wrote it");
            self.effects.push(Effect::SendSnapshot { message, meta });
        }
        if !now.is_empty() {
            self.effects.push(Effect::Send(now));
        }
    }

    /// Leaders conclude from what a replica says to be committed that it has noted the changes of the membership up to
    /// there. Answers to appends wait for the disk; those to heartbeats do not.
    fn speak_of_commit(&self, message: &mut Message) {
        if let (MessageType::MsgHeartbeatResponse, Some((_, noted))) = (message.get_msg_type(), self.noted_by) {
            message.commit = message.commit.min(noted);
        }
    }

    /// Messages of raft-rs as they may be sent.
    pub(super) fn mend(&self, messages: Vec<Message>) -> Vec<Message> {
        let mut out = Vec::with_capacity(messages.len());
        for mut message in messages {
            if self.align(&mut message) {
                split_append(message, 2 * self.config.max_append as usize, &mut out);
            }
        }
        out
    }

    /// raft-rs adds entries to an append that waits to be sent. If that one is empty (a commit index) it does not look
    /// whether they follow the position named there, which they do not when a rejection has just moved the follower's
    /// progress back. Such a message gets the position it should have; false if that is no longer known, and then the
    /// message counts as lost.
    fn align(&self, message: &mut Message) -> bool {
        if message.get_msg_type() != MessageType::MsgAppend || is_aligned(message) {
            return true;
        }
        let before = message.entries[0].index - 1;
        let Ok(term) = self.raw.store().term(before) else { return false };
        (message.index, message.log_term) = (before, term);
        true
    }
}

/// May leave before what the replica knows is durable: these promise nothing about its log or vote.
pub(super) fn promises_nothing(message: &Message) -> bool {
    use MessageType::*;
    matches!(
        message.get_msg_type(),
        MsgHeartbeatResponse | MsgReadIndex | MsgRequestPreVote | MsgRequestPreVoteResponse
    )
}

/// The entries of an append follow the position that it names.
fn is_aligned(message: &Message) -> bool {
    message.entries.first().is_none_or(|first| first.index == message.index + 1)
}

/// Cuts an append message into messages of at most `limit` bytes (or one entry): raft-rs joins them without a bound.
fn split_append(mut message: Message, limit: usize, out: &mut Vec<Message>) {
    let total: usize = message.entries.iter().map(|e| e.data.len()).sum();
    if message.get_msg_type() != MessageType::MsgAppend || total <= limit {
        out.push(message);
        return;
    }
    let mut part = Message { entries: Default::default(), ..message.clone() };
    let mut bytes = 0;
    for entry in message.take_entries() {
        if bytes + entry.data.len() > limit && !part.entries.is_empty() {
            let last = part.entries.last().map(|e| (e.index, e.term)).expect("not empty");
            let mut next = Message { entries: Default::default(), ..part.clone() };
            (next.index, next.log_term) = last;
            out.push(std::mem::replace(&mut part, next));
            bytes = 0;
        }
        bytes += entry.data.len();
        part.entries.push(entry);
    }
    out.push(part);
}
