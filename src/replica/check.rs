//! Whether a peer's message can be what it says, asked before raft-rs sees it.
//!
//! raft-rs believes its peers: a heartbeat that commits more than the log holds, or a term from which no further one
//! can be counted, ends the process, and a term is on disk before anybody has doubted it. A message is therefore
//! compared with what the replica knows. What no correct replica can have sent is refused and counted; all else is
//! raft-rs's business, which ignores what is merely late.
//!
//! The bounds cannot hurt a correct cluster:
//! - **Terms.** A term counts elections. [`MAX_JUMP`] elections take more than a month at one per millisecond, so a
//!   replica that was away cannot be that far behind. [`MAX_TERM`] leaves room for any number of honest elections above
//!   it. A replica that has never heard of its group has no term to compare with: only the latter binds it.
//! - **Senders.** Answers come from members of the configuration as it is known here. Questions and appends may come from
//!   a replica that was added while this one did not hear of it: its node was admitted by the cluster, which the
//!   driver has checked.
//! - **Leaders.** A term has one. Whoever else claims to lead it is lying or has forgotten its vote.
//! - **Indexes.** A leader commits at a follower only what that follower has acknowledged. A follower acknowledges
//!   only what the leader has. Nothing that is committed is ever replaced.

use super::Membership;
use crate::id::ReplicaId;
use raft::eraftpb::{Message, MessageType};

/// No honest term is above it.
pub const MAX_TERM: u64 = 1 << 62;
/// No honest term is further above that of a replica that has one.
pub const MAX_JUMP: u64 = 1 << 32;
/// No honest index is above it.
const MAX_INDEX: u64 = 1 << 62;

/// What a replica knows when it judges a message.
pub(super) struct View<'a> {
    pub me: u64,
    pub term: u64,
    /// Of the last entry.
    pub last: u64,
    pub committed: u64,
    /// Who leads `term`, 0 if that is not known.
    pub leader: u64,
    pub members: &'a Membership,
    /// The term of an entry, if that is known.
    pub term_at: &'a dyn Fn(u64) -> Option<u64>,
}

/// Why a message is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Improper {
    #[error("it is not addressed to this replica, or has no sender")]
    Address,
    #[error("no replica sends such a message to another")]
    Kind,
    #[error("the sender is not a member of the group")]
    Stranger,
    #[error("its term is impossible")]
    Term,
    #[error("its term has another leader")]
    SecondLeader,
    #[error("it speaks of entries that cannot be")]
    Index,
    #[error("its entries do not follow each other")]
    Entries,
    #[error("the replica does not live on the node that speaks for it")]
    Elsewhere,
}

/// Judges a message; see the module.
pub(super) fn check(view: &View<'_>, m: &Message) -> Result<(), Improper> {
    use MessageType::*;
    if m.to != view.me || m.from == view.me || m.from == raft::INVALID_ID {
        return Err(Improper::Address);
    }
    let kind = m.get_msg_type();
    match kind {
        // What a replica says to itself, and forwarded proposals, which would be neither named nor deduplicated.
        MsgHup | MsgBeat | MsgUnreachable | MsgSnapStatus | MsgCheckQuorum | MsgPropose | MsgTransferLeader => {
            return Err(Improper::Kind);
        }
        MsgAppend | MsgHeartbeat | MsgSnapshot | MsgRequestVote | MsgRequestPreVote => {}
        _ if !is_member(view.members, ReplicaId(m.from)) => return Err(Improper::Stranger),
        _ => {}
    }
    check_term(view, m)?;
    let leads = matches!(kind, MsgAppend | MsgHeartbeat | MsgSnapshot | MsgTimeoutNow);
    if leads && m.term == view.term && view.leader != raft::INVALID_ID && view.leader != m.from {
        return Err(Improper::SecondLeader);
    }
    if [m.index, m.commit, m.reject_hint, m.request_snapshot].iter().any(|index| *index > MAX_INDEX) {
        return Err(Improper::Index);
    }
    // One that led before it crashed may have sent entries that it has not kept itself.
    let leads_itself = m.term == view.term && view.leader == view.me;
    match kind {
        MsgHeartbeat if m.commit > view.last => Err(Improper::Index),
        MsgAppendResponse if !m.reject && leads_itself && m.index > view.last => Err(Improper::Index),
        MsgAppend => check_entries(view, m),
        MsgSnapshot => {
            let head = m.get_snapshot().get_metadata();
            if head.term > m.term {
                Err(Improper::Term)
            } else if head.index > MAX_INDEX {
                Err(Improper::Index)
            } else {
                Ok(())
            }
        }
        _ => Ok(()),
    }
}

fn is_member(members: &Membership, replica: ReplicaId) -> bool {
    let lists = [&members.voters, &members.learners, &members.voters_outgoing, &members.learners_next];
    lists.iter().any(|list| list.contains(&replica))
}

fn check_term(view: &View<'_>, m: &Message) -> Result<(), Improper> {
    // The only message without a term; raft-rs takes others for its own.
    if (m.term == 0) != (m.get_msg_type() == MessageType::MsgReadIndex) {
        return Err(Improper::Term);
    }
    let highest = if view.term == 0 { MAX_TERM } else { MAX_TERM.min(view.term.saturating_add(MAX_JUMP)) };
    if m.term > highest || m.log_term > MAX_TERM || m.commit_term > MAX_TERM { Err(Improper::Term) } else { Ok(()) }
}

/// Entries follow the position that the message names and one another: a replica that took others would acknowledge
/// entries that it does not have. And what is committed stays.
fn check_entries(view: &View<'_>, m: &Message) -> Result<(), Improper> {
    let mut before = (m.index, m.log_term);
    for entry in &m.entries {
        if entry.index != before.0 + 1 || entry.term < before.1 || entry.term > m.term {
            return Err(Improper::Entries);
        }
        before = (entry.index, entry.term);
        let settled = m.term >= view.term && entry.index <= view.committed;
        if settled && (view.term_at)(entry.index).is_some_and(|term| term != entry.term) {
            return Err(Improper::Index);
        }
    }
    if m.log_term > m.term { Err(Improper::Term) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use raft::eraftpb::Entry;

    /// A follower of 2 in term 5, with eight entries of term 4 and six of them committed.
    fn judge(change: impl FnOnce(&mut Message)) -> Result<(), Improper> {
        let members = Membership { voters: vec![ReplicaId(1), ReplicaId(2), ReplicaId(3)], ..Membership::default() };
        let term_at = |index: u64| (1..=8).contains(&index).then_some(4);
        let view = View { me: 1, term: 5, last: 8, committed: 6, leader: 2, members: &members, term_at: &term_at };
        let mut m = Message { to: 1, from: 2, term: 5, ..Message::default() };
        m.set_msg_type(MessageType::MsgAppend);
        change(&mut m);
        check(&view, &m)
    }

    fn entries(list: &[(u64, u64)]) -> protobuf::RepeatedField<Entry> {
        list.iter()
            .map(|(index, term)| Entry { index: *index, term: *term, ..Entry::default() })
            .collect::<Vec<_>>()
            .into()
    }

    #[test]
    fn what_a_correct_replica_sends_is_taken() {
        use MessageType::*;
        assert_eq!(judge(|m| (m.index, m.log_term, m.entries) = (8, 4, entries(&[(9, 4), (10, 5)]))), Ok(()));
        assert_eq!(judge(|m| (m.index, m.log_term, m.entries) = (3, 4, entries(&[(4, 4), (5, 4)]))), Ok(()));
        assert_eq!(
            judge(|m| (m.index, m.log_term, m.commit) = (900, 5, 900)),
            Ok(()),
            "it will be rejected, and that helps"
        );
        assert_eq!(
            judge(|m| {
                m.set_msg_type(MsgHeartbeat);
                m.commit = 8
            }),
            Ok(())
        );
        assert_eq!(
            judge(|m| {
                m.set_msg_type(MsgHeartbeat);
                (m.from, m.term) = (7, 6)
            }),
            Ok(()),
            "a leader of whom nothing was heard"
        );
        assert_eq!(
            judge(|m| {
                m.set_msg_type(MsgRequestVote);
                (m.from, m.term) = (3, 5_000_000)
            }),
            Ok(())
        );
        assert_eq!(
            judge(|m| {
                m.set_msg_type(MsgReadIndex);
                (m.from, m.term) = (3, 0)
            }),
            Ok(())
        );
    }

    #[test]
    fn what_none_can_have_sent_is_refused() {
        use MessageType::*;
        assert_eq!(judge(|m| m.to = 2), Err(Improper::Address));
        assert_eq!(judge(|m| m.from = 1), Err(Improper::Address));
        assert_eq!(judge(|m| m.from = 0), Err(Improper::Address));
        assert_eq!(judge(|m| m.set_msg_type(MsgPropose)), Err(Improper::Kind));
        assert_eq!(
            judge(|m| {
                m.set_msg_type(MsgAppendResponse);
                m.from = 7
            }),
            Err(Improper::Stranger)
        );
        assert_eq!(
            judge(|m| {
                m.set_msg_type(MsgTimeoutNow);
                (m.from, m.term) = (7, 6)
            }),
            Err(Improper::Stranger)
        );
        for term in [0, 6 + MAX_JUMP, MAX_TERM + 1, u64::MAX] {
            assert_eq!(
                judge(|m| {
                    m.set_msg_type(MsgHeartbeat);
                    m.term = term
                }),
                Err(Improper::Term),
                "{term}"
            );
        }
        assert_eq!(
            judge(|m| {
                m.set_msg_type(MsgHeartbeat);
                m.from = 3
            }),
            Err(Improper::SecondLeader)
        );
        assert_eq!(
            judge(|m| {
                m.set_msg_type(MsgHeartbeat);
                m.commit = 9
            }),
            Err(Improper::Index)
        );
        assert_eq!(judge(|m| m.index = u64::MAX), Err(Improper::Index));
        assert_eq!(judge(|m| (m.index, m.log_term, m.entries) = (8, 4, entries(&[(10, 5)]))), Err(Improper::Entries));
        assert_eq!(judge(|m| (m.index, m.log_term, m.entries) = (8, 4, entries(&[(9, 6)]))), Err(Improper::Entries));
        assert_eq!(judge(|m| (m.index, m.log_term, m.entries) = (8, 4, entries(&[(9, 3)]))), Err(Improper::Entries));
        assert_eq!(judge(|m| (m.index, m.log_term, m.entries) = (4, 4, entries(&[(5, 5)]))), Err(Improper::Index));
    }
}
