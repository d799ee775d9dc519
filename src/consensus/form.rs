//! The forms in which raft-rs carries memberships and snapshots.

use super::{Membership, SnapshotMeta};
use crate::command;
use crate::id::ReplicaId;
use raft::eraftpb::{ConfState, Message, Snapshot};

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
