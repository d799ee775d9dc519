//! Names of things that must never be confused with one another: nodes, groups, replicas, requests.

use serde::{Deserialize, Serialize};
use std::fmt;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        pub struct $name(pub u64);
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($prefix, "{}"), self.0)
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }
    };
}

id!(
    /// A process of the cluster. Allocated once, never reused.
    NodeId,
    "n"
);
id!(
    /// A Raft group: the `system` group, or one per database.
    GroupId,
    "g"
);
id!(
    /// A member of a group on a node: the id raft-rs calls `node_id`. Never reused within a group,
    /// so that a wiped node cannot vote twice under an old name.
    ReplicaId,
    "r"
);

/// The group that holds nodes, databases and placement.
pub const SYSTEM_GROUP: GroupId = GroupId(1);
/// The group of the first user database, `quorate`.
pub const FIRST_DATABASE_GROUP: GroupId = GroupId(2);

/// The OID of that database, which has the roles of the cluster.
pub const HOME: u32 = 16_384;

/// Names one client request for ever: the state machine applies it at most once, whoever retries it.
///
/// `origin` is drawn at random by a session when it starts; `seq` counts that session's requests.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RequestId {
    pub origin: u64,
    pub seq: u64,
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x}.{}", self.origin, self.seq)
    }
}
impl fmt::Debug for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
