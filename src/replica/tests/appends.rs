//! Appends whose entries do not follow the position they name: what a follower does with them, and that a leader sends none.
//! And snapshots of a leader that is one no more.

use crate::id::{GroupId, NodeId, ReplicaId};
use crate::raftlog::memory::MemoryLog;
use crate::raftlog::{Entry, RaftLog};
use crate::replica::core::{Core, CoreConfig, Effect, Event, Start, bootstrap};
use crate::replica::{Membership, Position, SnapshotMeta};
use raft::eraftpb::{Message, MessageType};
use std::sync::Arc;

const G: GroupId = GroupId(1);

/// A replica of three that has just started.
fn replica(id: u64) -> Core {
    let voters = [1, 2, 3].map(|n| (ReplicaId(n), NodeId(n))).into();
    let log = MemoryLog::new();
    log.write(&bootstrap(G, &voters), true).unwrap();
    let membership = Membership { voters: voters.keys().copied().collect(), ..Membership::default() };
    let applied = Position { index: 3, term: 1 };
    let start =
        Start { log: log.load(G).unwrap(), applied, membership, reached: applied, floor: i64::MIN, doubt: None };
    let logger = slog::Logger::root(slog::Discard, slog::o!());
    let config = CoreConfig::new(G, ReplicaId(id), 1);
    Core::new(config, Arc::new(log), start, &logger).unwrap()
}

fn append(after: u64, first: u64) -> Event {
    let mut message = Message { from: 1, to: 2, term: 1, index: after, log_term: 1, ..Message::default() };
    message.set_msg_type(MessageType::MsgAppend);
    message.set_entries(vec![Entry { index: first, term: 1, ..Entry::default() }].into());
    Event::Peer(message)
}

/// The indexes that the follower says it has, once they are written.
fn acknowledged(core: &mut Core) -> Vec<u64> {
    let mut sent = Vec::new();
    for effect in core.drain() {
        match effect {
            Effect::Persist { then_send, .. } => sent.extend(then_send),
            Effect::Send(messages) => sent.extend(messages),
            _ => {}
        }
    }
    sent.iter().filter(|m| m.get_msg_type() == MessageType::MsgAppendResponse && !m.reject).map(|m| m.index).collect()
}

#[test]
fn entries_that_are_not_there_are_not_acknowledged() {
    let mut core = replica(2);
    // As raft-rs writes it: the entry that the follower rejected is joined to a message about a later position.
    core.step(append(3, 3));
    assert_eq!(acknowledged(&mut core), Vec::<u64>::new());
    core.step(append(3, 4));
    assert_eq!(acknowledged(&mut core), [4]);
}

fn from(sender: u64, kind: MessageType, term: u64, change: impl FnOnce(&mut Message)) -> Event {
    let mut message = Message { from: sender, to: 1, term, ..Message::default() };
    message.set_msg_type(kind);
    change(&mut message);
    Event::Peer(message)
}

/// Everything is on disk at once; what is sent.
fn settle(core: &mut Core) -> Vec<Message> {
    let mut sent = Vec::new();
    loop {
        let effects = core.drain();
        if effects.is_empty() {
            return sent;
        }
        for effect in effects {
            match effect {
                Effect::Persist { number, then_send, .. } => {
                    core.step(Event::Persisted(number));
                    sent.extend(then_send);
                }
                Effect::Send(messages) => sent.extend(messages),
                _ => {}
            }
        }
    }
}

#[test]
fn a_leader_that_is_deposed_sends_appends_whose_entries_follow_their_position() {
    use MessageType::*;
    let mut core = replica(1);
    core.step(from(2, MsgTimeoutNow, 1, |_| ()));
    settle(&mut core);
    core.step(from(2, MsgRequestVoteResponse, 2, |_| ()));
    settle(&mut core);
    // Its own first entry is 4.
    core.step(from(3, MsgAppendResponse, 2, |m| m.index = 3));
    settle(&mut core);
    // In one go: it tells 3 what is committed, learns that 3 lacks an entry, and that another leads.
    core.step(from(2, MsgAppendResponse, 2, |m| m.index = 4));
    core.step(from(3, MsgAppendResponse, 2, |m| (m.index, m.reject, m.reject_hint, m.log_term) = (4, true, 3, 1)));
    core.step(from(2, MsgHeartbeat, 3, |_| ()));
    let sent = settle(&mut core);
    let appends: Vec<_> = sent.iter().filter(|m| m.get_msg_type() == MsgAppend && !m.entries.is_empty()).collect();
    assert!(!appends.is_empty(), "{sent:?}");
    for append in appends {
        assert_eq!(append.entries[0].index, append.index + 1, "{append:?}");
    }
}

#[test]
fn a_leader_that_is_deposed_sends_no_snapshot() {
    use MessageType::*;
    for deposed in [false, true] {
        let mut core = replica(1);
        core.step(from(2, MsgTimeoutNow, 1, |_| ()));
        settle(&mut core);
        core.step(from(2, MsgRequestVoteResponse, 2, |_| ()));
        settle(&mut core);
        core.step(from(3, MsgAppendResponse, 2, |m| (m.index, m.reject, m.request_snapshot) = (3, true, 3)));
        assert!(core.drain().iter().any(|effect| matches!(effect, Effect::BuildSnapshot)));
        let (at, membership) = (Position { index: 3, term: 1 }, core.membership().clone());
        core.step(Event::SnapshotBuilt(SnapshotMeta { at, membership, length: 1, checksum: 1 }));
        settle(&mut core);
        // In one go: it begins to send the snapshot, and learns that another leads.
        core.step(from(3, MsgHeartbeatResponse, 2, |_| ()));
        if deposed {
            core.step(from(2, MsgHeartbeat, 3, |_| ()));
        }
        let effects = core.drain();
        let is_snapshot = |m: &Message| m.get_msg_type() == MsgSnapshot;
        let bare = effects.iter().any(|effect| match effect {
            Effect::Persist { then_send: messages, .. } | Effect::Send(messages) => messages.iter().any(is_snapshot),
            _ => false,
        });
        assert!(!bare, "a snapshot without its file: {effects:?}");
        let begun = effects.iter().any(|effect| matches!(effect, Effect::SendSnapshot { .. }));
        assert_eq!(begun, !deposed, "{effects:?}");
    }
}
