//! What leaders do about the cluster's shape: the changes of membership that [`crate::cluster::voters`] finds wanting, and
//! taking leave of nodes that are in no group any more.

use super::Runtime;
use super::membership::Book;
use crate::cluster;
use crate::cluster::voters::{Absent, Rules, Seat, Standing, Wish, next};
use crate::gateway::router::Router;
use crate::id::{GroupId, NodeId};
use crate::replica::core::Change;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

const PERIOD: Duration = Duration::from_millis(250);
/// A change that is not committed by then goes on by itself, or was lost with the leadership.
const PATIENCE: Duration = Duration::from_secs(10);
/// So many entries behind counts as caught up: the rest comes along with the change.
const NEAR: u64 = 1000;

/// Since when this node leads each group: silence from before it did is not held against anybody.
type Reigns = BTreeMap<GroupId, Instant>;

/// Looks after the groups that this node leads, for ever.
pub async fn look_after(runtime: Arc<Runtime>) {
    let rules = Rules { replace_after: runtime.config.replace_after, join_within: runtime.config.join_within };
    let mut reigns = Reigns::new();
    let mut joining: BTreeMap<NodeId, Instant> = BTreeMap::new();
    loop {
        tokio::time::sleep(PERIOD).await;
        let book = runtime.registry.book();
        let routers = runtime.groups.routers();
        reigns.retain(|group, _| routers.iter().any(|router| router.id == *group));
        for router in &routers {
            match router.group.is_leader() {
                true => drop(reigns.entry(router.id).or_insert_with(Instant::now)),
                false => drop(reigns.remove(&router.id)),
            }
            if let Some(since) = reigns.get(&router.id) {
                shape(&runtime, router, &book, *since, &rules).await;
            }
        }
        joining.retain(|node, _| book.nodes.get(node).is_some_and(|n| n.state == "joining"));
        for node in book.nodes.values().filter(|n| n.state == "joining") {
            joining.entry(node.id).or_insert_with(Instant::now);
        }
        if let Some(since) = reigns.get(&runtime.system().id) {
            take_leave(&runtime, &book, *since, &joining, &rules).await;
        }
    }
}

/// How long a node was not heard of, as far as that can be known since `since`.
fn silence(runtime: &Runtime, node: NodeId, since: Instant) -> Duration {
    match node == runtime.identity.node {
        true => Duration::ZERO,
        false => runtime.board.heard(node).map_or(since, |at| at.max(since)).elapsed(),
    }
}

/// Makes the next change of a group that this node leads, if one is wanted.
async fn shape(runtime: &Runtime, router: &Router, book: &Book, since: Instant, rules: &Rules) {
    let status = router.group.status();
    let members = &status.membership;
    if !members.voters_outgoing.is_empty() || book.nodes.is_empty() {
        return;
    }
    let standing = |node: NodeId| match book.nodes.get(&node) {
        Some(entry) if entry.state == "joining" => Standing::Joining,
        Some(entry) if entry.leaves() => Standing::Leaving(book.successors.get(&node).copied()),
        _ => Standing::Up,
    };
    let all = members.voters.iter().map(|r| (*r, true)).chain(members.learners.iter().map(|r| (*r, false)));
    let seats = all.map(|(replica, voter)| {
        // A replica of which nothing is known cannot be reached either.
        let node = status.nodes.get(&replica).copied().unwrap_or(NodeId(0));
        let matched = status.matched.get(&replica).copied().unwrap_or(0);
        Seat {
            replica,
            node,
            voter,
            standing: standing(node),
            silent: silence(runtime, node, since),
            caught_up: replica == status.replica || matched + NEAR >= status.last_index && matched > 0,
        }
    });
    let seats: Vec<Seat> = seats.collect();
    let connected = runtime.network.connected();
    let absent = book.places.iter().filter(|p| p.group == router.id && seats.iter().all(|s| s.replica != p.replica));
    let absent = absent.filter(|p| !matches!(standing(p.node), Standing::Leaving(_)));
    let absent: Vec<Absent> =
        absent.map(|p| Absent { replica: p.replica, node: p.node, here: connected.contains(&p.node) }).collect();
    let Some(wish) = next(status.replica, &seats, &absent, rules) else { return };
    let change = match wish {
        Wish::AddLearner(replica, node) => Change::AddLearner(replica, node),
        Wish::Promote(replica) => Change::Promote(replica),
        Wish::Swap { promote, demote } => Change::Swap { promote, demote },
        Wish::Demote(replica) => Change::Demote(replica),
        Wish::Remove(replica) => Change::Remove(replica),
        Wish::HandOver(node) => {
            tracing::info!(group = %router.id, to = runtime.registry.name(node), "handing over: this node leaves");
            router.group.transfer_leader(Some(node));
            return;
        }
    };
    match tokio::time::timeout(PATIENCE, router.group.change(change.clone())).await {
        Ok(Ok(())) => tracing::info!(group = %router.id, ?change, "membership changed"),
        Ok(Err(error)) => tracing::debug!(group = %router.id, ?change, %error, "membership not changed yet"),
        Err(_) => tracing::warn!(group = %router.id, ?change, "a change of membership is not committed yet"),
    }
}

/// On the system group's leader: nodes that left all groups are gone, those that asked to join and never came are
/// forgotten.
async fn take_leave(
    runtime: &Runtime,
    book: &Book,
    since: Instant,
    joining: &BTreeMap<NodeId, Instant>,
    rules: &Rules,
) {
    let leaves = |node: &cluster::NodeEntry| match node.state.as_str() {
        "leaving" => true,
        "joining" => {
            let first = joining.get(&node.id).copied().unwrap_or_else(Instant::now);
            silence(runtime, node.id, since.max(first)) >= rules.join_within
        }
        _ => false,
    };
    for node in book.nodes.values().filter(|n| leaves(n)) {
        if in_no_group(runtime, book, node.id).await {
            match runtime.submit(&runtime.system(), &cluster::forget(node.id)).await {
                Ok(_) => tracing::info!(node = node.name, was = node.state, "the node is not a member any more"),
                Err(error) => tracing::debug!(node = node.name, %error, "the node is not taken leave of yet"),
            }
        }
    }
}

/// Whether no group has a replica of the node, as of now.
async fn in_no_group(runtime: &Runtime, book: &Book, node: NodeId) -> bool {
    for router in runtime.groups.routers() {
        if router.group.read_index(Instant::now() + Duration::from_secs(1)).await.is_err() {
            return false;
        }
        let status = router.group.status();
        let now = &status.membership;
        let lists = [&now.voters, &now.learners, &now.voters_outgoing, &now.learners_next];
        let on_it = |replica: &crate::id::ReplicaId| {
            status.nodes.get(replica) == Some(&node)
                || book.places.iter().any(|p| (p.group, p.replica, p.node) == (router.id, *replica, node))
        };
        if lists.into_iter().flatten().any(on_it) {
            return false;
        }
    }
    true
}
