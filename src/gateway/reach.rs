//! What the gateway reaches: this node's replica of its group, and the other nodes. Traits, so that the same gateway runs
//! on threads and sockets and in the simulation.

use crate::clock::Reading;
use crate::command::{Outcome, Proposal};
use crate::id::NodeId;
use crate::replica::handle::{Group, GroupLeadership, ProposeError, ReadError};
use crate::transport::CallError;
use crate::transport::tcp::Network;
use bytes::Bytes;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};
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

    /// The nodes of all its replicas, as far as known here.
    fn members(&self) -> Vec<NodeId>;

    /// Nothing that this replica knows of waits to be applied.
    fn is_quiet(&self) -> bool;

    /// Proposes a command, if this replica leads (and in this term), and waits until it is applied here; with its index.
    fn propose(
        &self,
        proposal: Proposal,
        term: Option<u64>,
    ) -> impl Future<Output = Result<(u64, Arc<Outcome>), ProposeError>> + Send;

    /// An index that is applied here and covers everything acknowledged anywhere before the call.
    fn read_index(&self, deadline: Instant) -> impl Future<Output = Result<u64, ReadError>> + Send;
}

/// Requests to other nodes. Clones are the same way.
pub trait Peers: Clone + Send + Sync + 'static {
    /// Nodes whose processes are known to be gone, and those that have not been reached for long.
    fn gone(&self) -> watch::Receiver<BTreeSet<NodeId>>;

    /// For how long nothing has come from a node; zero if nothing ever has.
    fn silence(&self, node: NodeId) -> Duration;

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

    fn members(&self) -> Vec<NodeId> {
        self.status().nodes.into_values().collect()
    }

    fn is_quiet(&self) -> bool {
        Group::is_quiet(self)
    }

    async fn propose(&self, proposal: Proposal, term: Option<u64>) -> Result<(u64, Arc<Outcome>), ProposeError> {
        self.propose_at(proposal, term).await
    }

    fn read_index(&self, deadline: Instant) -> impl Future<Output = Result<u64, ReadError>> + Send {
        Group::read_index(self, deadline)
    }
}

impl Peers for Network {
    fn gone(&self) -> watch::Receiver<BTreeSet<NodeId>> {
        Network::gone(self)
    }

    fn silence(&self, node: NodeId) -> Duration {
        Network::silence(self, node)
    }

    fn call(
        &self,
        node: NodeId,
        request: Bytes,
        deadline: Instant,
    ) -> impl Future<Output = Result<Bytes, CallError>> + Send {
        Network::call(self, node, request, deadline)
    }
}
