//! What a follower does with an append whose entries do not follow the position it names.

use crate::id::{GroupId, NodeId, ReplicaId};
use crate::raftlog::memory::MemoryLog;
use crate::raftlog::{Entry, RaftLog};
use crate::replica::core::{Core, CoreConfig, Effect, Event, Start, bootstrap};
use crate::replica::{Membership, Position};
use raft::eraftpb::{Message, MessageType};
use std::sync::Arc;

const G: GroupId = GroupId(1);

fn follower() -> Core {
    let voters = [1, 2, 3].map(|n| (ReplicaId(n), NodeId(n))).into();
    let log = MemoryLog::new();
    log.write(&bootstrap(G, &voters), true).unwrap();
    let membership = Membership { voters: voters.keys().copied().collect(), ..Membership::default() };
    let applied = Position { index: 3, term: 1 };
    let start =
        Start { log: log.load(G).unwrap(), applied, membership, reached: applied, floor: i64::MIN, doubt: None };
    let logger = slog::Logger::root(slog::Discard, slog::o!());
    let config = CoreConfig::new(G, ReplicaId(2), 1);
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
    let mut core = follower();
    // As raft-rs writes it: the entry that the follower rejected is joined to a message about a later position.
    core.step(append(3, 3));
    assert_eq!(acknowledged(&mut core), Vec::<u64>::new());
    core.step(append(3, 4));
    assert_eq!(acknowledged(&mut core), [4]);
}
