//! The forms in which raft-rs carries memberships and snapshots.

use super::{Committed, Membership, Payload, Position, SnapshotMeta};
use crate::command;
use crate::id::ReplicaId;
use protobuf::Message as _;
use raft::eraftpb::{ConfChangeV2, ConfState, Entry, EntryType, Message, Snapshot};
use raft::storage::MemStorage;
use raft::{Config, RawNode};

pub fn snapshot_of(meta: &SnapshotMeta) -> Snapshot {
    let mut snapshot = Snapshot { data: command::encode(meta), ..Snapshot::default() };
    let head = snapshot.mut_metadata();
    head.index = meta.at.index;
    head.term = meta.at.term;
    head.set_conf_state(conf_state(&meta.membership));
    snapshot
}

/// Checks what a peer claims about a snapshot before the core sees it.
pub fn snapshot_meta(message: &Message) -> Option<SnapshotMeta> {
    let snapshot = message.get_snapshot();
    let meta: SnapshotMeta = command::decode(&snapshot.data).ok()?;
    let head = snapshot.get_metadata();
    let same = head.index == meta.at.index
        && head.term == meta.at.term
        && membership(head.get_conf_state()) == membership(&conf_state(&meta.membership));
    (same && meta.at.index > 0).then_some(meta)
}

/// raft-rs's form of a membership.
pub fn conf_state(membership: &Membership) -> ConfState {
    let ids = |list: &[ReplicaId]| list.iter().map(|r| r.0).collect::<Vec<u64>>();
    ConfState {
        voters: ids(&membership.voters),
        learners: ids(&membership.learners),
        voters_outgoing: ids(&membership.voters_outgoing),
        learners_next: ids(&membership.learners_next),
        auto_leave: membership.auto_leave,
        ..ConfState::default()
    }
}

/// Our form of a membership: sorted, because raft-rs lists it in the order of a hash table.
pub fn membership(conf: &ConfState) -> Membership {
    let ids = |list: &[u64]| {
        let mut list: Vec<_> = list.iter().map(|id| ReplicaId(*id)).collect();
        list.sort_unstable();
        list
    };
    Membership {
        voters: ids(&conf.voters),
        learners: ids(&conf.learners),
        voters_outgoing: ids(&conf.voters_outgoing),
        learners_next: ids(&conf.learners_next),
        auto_leave: conf.auto_leave,
    }
}

/// Begins the data of an entry that skips another one; every other begins with the number of its format ([`crate::version::PAYLOAD`]).
const SKIPS: u8 = 0xfe;

/// The data of an entry that skips another one.
pub fn skip(at: Position) -> Vec<u8> {
    postcard::to_extend(&at, vec![SKIPS]).expect("plain data")
}

/// Which entry an entry skips, if it does.
pub fn skipped(entry: &Entry) -> Option<Position> {
    let (SKIPS, rest) = entry.data.split_first().map(|(first, rest)| (*first, rest))? else { return None };
    postcard::from_bytes(rest).ok()
}

/// What a state machine gets of an entry. `change` makes a change of membership, if it is possible.
pub fn payload(entry: Entry, change: impl FnOnce(&ConfChangeV2) -> Option<Membership>) -> Payload {
    match entry.get_entry_type() {
        EntryType::EntryNormal if entry.data.is_empty() => Payload::Empty,
        EntryType::EntryNormal => skipped(&entry).map_or_else(|| Payload::Batch(entry.data), Payload::Skip),
        // The older form: no replica ever proposes it.
        EntryType::EntryConfChange => Payload::Empty,
        EntryType::EntryConfChangeV2 => {
            let mut wanted = ConfChangeV2::default();
            let read = wanted.merge_from_bytes(&entry.data);
            read.ok().and_then(|()| change(&wanted)).map_or(Payload::Empty, Payload::Membership)
        }
    }
}

/// The same where no replica runs: an entry of a log that was kept, and the membership before it, which it may change.
pub fn replayed(entry: Entry, now: &mut Membership) -> Committed {
    let at = Position { index: entry.index, term: entry.term };
    let payload = payload(entry, |change| {
        let changed = changed(now, change)?;
        *now = changed.clone();
        Some(changed)
    });
    Committed { at, payload }
}

/// As raft-rs computes it; nothing if the change is impossible.
fn changed(now: &Membership, change: &ConfChangeV2) -> Option<Membership> {
    let config = Config { id: u64::MAX, ..Config::default() };
    let store = MemStorage::new_with_conf_state(conf_state(now));
    let mut node = RawNode::new(&config, store, &slog::Logger::root(slog::Discard, slog::o!())).ok()?;
    node.apply_conf_change(change).ok().map(|conf| membership(&conf))
}

#[cfg(test)]
mod tests {
    use super::*;
    use raft::eraftpb::{ConfChangeSingle, ConfChangeType};

    #[test]
    fn a_kept_log_says_who_votes() {
        let mut now = Membership { voters: vec![ReplicaId(1), ReplicaId(2)], ..Membership::default() };
        let mut index = 10;
        let mut apply = |changes: &[(ConfChangeType, u64)], now: &mut Membership| {
            let single = |(kind, id): &(ConfChangeType, u64)| {
                let mut single = ConfChangeSingle { node_id: *id, ..ConfChangeSingle::default() };
                single.set_change_type(*kind);
                single
            };
            let mut change = ConfChangeV2::default();
            change.set_changes(changes.iter().map(single).collect::<Vec<_>>().into());
            let mut entry = Entry { index, term: 3, ..Entry::default() };
            entry.set_entry_type(EntryType::EntryConfChangeV2);
            entry.data = change.write_to_bytes().expect("plain data").into();
            index += 1;
            replayed(entry, now).payload
        };
        use ConfChangeType::{AddLearnerNode, AddNode, RemoveNode};
        assert!(matches!(apply(&[(AddLearnerNode, 3)], &mut now), Payload::Membership(m) if m == now.clone()));
        assert_eq!(now.learners, [ReplicaId(3)]);
        // By way of both memberships at once.
        apply(&[(AddNode, 3), (RemoveNode, 1)], &mut now);
        assert_eq!((now.voters.len(), now.voters_outgoing.len()), (2, 2));
        apply(&[], &mut now);
        assert_eq!((&now.voters[..], now.voters_outgoing.len()), (&[ReplicaId(2), ReplicaId(3)][..], 0));
        let before = now.clone();
        assert!(matches!(apply(&[(RemoveNode, 2), (RemoveNode, 3)], &mut now), Payload::Empty));
        assert_eq!(now, before, "nobody would vote");
        let at = Position { index: 7, term: 2 };
        let entry = Entry { index: 20, term: 3, data: skip(at).into(), ..Entry::default() };
        assert!(matches!(replayed(entry, &mut now).payload, Payload::Skip(skipped) if skipped == at));
    }
}
