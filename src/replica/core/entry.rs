//! The entries of the log as far as a core makes or reads them itself: changes of the membership, and the time of a batch.

use super::Change;
use crate::command;
use crate::id::{GroupId, NodeId, ReplicaId};
use crate::raftlog::{HardState, LogWrite};
use protobuf::Message as _;
use raft::eraftpb::{ConfChangeSingle, ConfChangeType, ConfChangeV2, Entry, EntryType};
use std::collections::BTreeMap;

/// The entries every founding replica writes by itself: one per voter, in one order, so that all logs begin alike and
/// a replica that joins later learns the founders from the log.
pub fn bootstrap(group: GroupId, voters: &BTreeMap<ReplicaId, NodeId>) -> Vec<LogWrite> {
    let entries: Vec<Entry> = (1..)
        .zip(voters)
        .map(|(index, (replica, node))| {
            let change = conf_change(&[(ConfChangeType::AddNode, *replica)], &[(*replica, *node)]);
            let mut entry = Entry { index, term: 1, ..Entry::default() };
            entry.set_entry_type(EntryType::EntryConfChangeV2);
            entry.data = change.write_to_bytes().expect("plain data").into();
            entry
        })
        .collect();
    let commit = entries.len() as u64;
    vec![LogWrite::Append(group, entries), LogWrite::HardState(group, HardState { term: 1, vote: 0, commit })]
}

fn conf_change(changes: &[(ConfChangeType, ReplicaId)], nodes: &[(ReplicaId, NodeId)]) -> ConfChangeV2 {
    let single = |(kind, replica): &(ConfChangeType, ReplicaId)| {
        let mut single = ConfChangeSingle { node_id: replica.0, ..ConfChangeSingle::default() };
        single.set_change_type(*kind);
        single
    };
    let mut out = ConfChangeV2 { context: command::encode(&nodes.to_vec()), ..ConfChangeV2::default() };
    out.set_changes(changes.iter().map(single).collect::<Vec<_>>().into());
    out
}

pub(super) fn change_entry(change: &Change) -> ConfChangeV2 {
    use ConfChangeType::{AddLearnerNode, AddNode, RemoveNode};
    match *change {
        Change::AddLearner(r, node) => conf_change(&[(AddLearnerNode, r)], &[(r, node)]),
        Change::Promote(r) => conf_change(&[(AddNode, r)], &[]),
        Change::Remove(r) => conf_change(&[(RemoveNode, r)], &[]),
        Change::Demote(r) => conf_change(&[(AddLearnerNode, r)], &[]),
        Change::Swap { promote, demote } => conf_change(&[(AddNode, promote), (AddLearnerNode, demote)], &[]),
    }
}

/// The first time that a batch leaves free: its time plus its number of commands.
pub(super) fn floor_after(data: &[u8]) -> Option<i64> {
    let (now, commands) = command::head(data).ok()?;
    Some(now.saturating_add(i64::try_from(commands).ok()?))
}

pub(super) fn is_change(entry: &Entry) -> bool {
    entry.get_entry_type() != EntryType::EntryNormal
}
