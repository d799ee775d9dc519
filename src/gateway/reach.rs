//! What the gateway reaches: this node's replica of its group, and the other nodes. Traits, so that the same gateway runs
//! on threads and sockets and in the simulation.

use crate::clock::Reading;
use crate::command::{Outcome, Proposal};
use crate::id::NodeId;
use crate::replica::handle::{Group, GroupLeadership, ProposeError, ReadError};
use crate::transport::CallError;
use crate::transport::tcp::Network;
use bytes::Bytes;
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::watch;

/// A replica of the group on this node. Clones are the same one.
pub trait Replica: Clone + Send + Sync + 'static {
    fn leadership(&self) -> GroupLeadership;

    /// Changes of role, term and leader.
    fn leader_changes(&self) -> watch::Receiver<GroupLeadership>;

    /// What time it is, and what a majority of the group believes.
    fn reading(&self) -> Reading;

    /// Why it does not serve, if no other one could instead.
    fn hopeless(&self) -> Option<String>;

    /// Proposes a command, if this replica leads, and waits until it is applied here.
    fn propose(&self, proposal: Proposal) -> impl Future<Output = Result<Arc<Outcome>, ProposeError>> + Send;

    /// An index that is applied here and covers everything acknowledged anywhere before the call.
    fn read_index(&self, deadline: Instant) -> impl Future<Output = Result<u64, ReadError>> + Send;
}

/// Requests to other nodes. Clones are the same way.
pub trait Peers: Clone + Send + Sync + 'static {
    fn call(
        &self,
        node: NodeId,
        request: Bytes,
        deadline: Instant,
    ) -> impl Future<Output = Result<Bytes, CallError>> + Send;
}

impl Replica for Group {
    fn leadership(&self) -> GroupLeadership {
        Group::leadership(self)
    }

    fn leader_changes(&self) -> watch::Receiver<GroupLeadership> {
        Group::leader_changes(self)
    }

    fn reading(&self) -> Reading {
        Group::reading(self)
    }

    fn hopeless(&self) -> Option<String> {
        Group::hopeless(self)
    }

    fn propose(&self, proposal: Proposal) -> impl Future<Output = Result<Arc<Outcome>, ProposeError>> + Send {
        Group::propose(self, proposal)
    }

    fn read_index(&self, deadline: Instant) -> impl Future<Output = Result<u64, ReadError>> + Send {
        Group::read_index(self, deadline)
    }
}

impl Peers for Network {
    fn call(
        &self,
        node: NodeId,
        request: Bytes,
        deadline: Instant,
    ) -> impl Future<Output = Result<Bytes, CallError>> + Send {
        Network::call(self, node, request, deadline)
    }
}
