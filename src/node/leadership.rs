//! Moving leaderships at an operator's word: `quorate transfer`.
//!
//! Any node can be asked. It has the group's leader hand over, wherever that is, and waits until its own replica knows
//! the new leader. A transfer that comes to nothing (the heir was too far behind, or may not lead) is tried again for
//! [`PATIENCE`].

use super::{Runtime, service};
use crate::admin::{TransferRequest, Transferred};
use crate::gateway::peer::{self, Reply, Request};
use crate::gateway::router::Router;
use crate::id::NodeId;
use std::sync::Arc;
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(3);
/// A leader gives a transfer up after an election timeout, and takes no proposals until then: before the next attempt,
/// that time must have passed.
const ATTEMPT: Duration = Duration::from_secs(1);

/// Carries a request out. Without a group or a database it is about everything; without a node to move to as well,
/// about everything that this node leads.
pub async fn transfer(runtime: Arc<Runtime>, request: TransferRequest) -> Result<Vec<Transferred>, String> {
    let to = request.to.as_deref().map(|name| node(&runtime, name)).transpose()?;
    let named = request.group.is_some() || request.database.is_some();
    let mut moved = Vec::new();
    for (database, router) in chosen(&runtime, &request)? {
        let router = &*router;
        let leads = router.group.leadership().leader_node;
        if !named && to.is_none() && leads != Some(runtime.identity.node) {
            continue;
        }
        let (from, to) = hand_over(&runtime, &database, router, to).await?;
        let name = |node| name(&runtime, node);
        moved.push(Transferred { group: router.id.0, database, from: name(from), to: name(to) });
    }
    Ok(moved)
}

fn chosen(runtime: &Runtime, request: &TransferRequest) -> Result<Vec<(String, Arc<Router>)>, String> {
    let all = runtime.named();
    let wanted = |(name, router): &(String, Arc<Router>)| {
        request.group.is_none_or(|group| group == router.id.0) && request.database.as_ref().is_none_or(|d| d == name)
    };
    let found: Vec<_> = all.iter().filter(|one| wanted(one)).cloned().collect();
    if found.is_empty() {
        let known: Vec<String> = all.iter().map(|(name, router)| format!("{} ({name})", router.id.0)).collect();
        return Err(format!("there is no such group; the groups are {}", known.join(", ")));
    }
    Ok(found)
}

fn node(runtime: &Runtime, name: &str) -> Result<NodeId, String> {
    // Also those that have reported and are not registered yet.
    let rows = service::status(runtime).nodes;
    let found = rows.iter().find(|row| row.node == name).map(|row| NodeId(row.id));
    found.ok_or_else(|| {
        let known: Vec<&str> = rows.iter().map(|row| row.node.as_str()).collect();
        format!("there is no node \"{name}\"; the nodes are {}", known.join(", "))
    })
}

fn name(runtime: &Runtime, node: NodeId) -> String {
    let rows = service::status(runtime).nodes;
    rows.into_iter().find(|row| row.id == node.0).map_or_else(|| node.to_string(), |row| row.node)
}

/// Returns who led and who leads now.
async fn hand_over(
    runtime: &Runtime,
    database: &str,
    router: &Router,
    to: Option<NodeId>,
) -> Result<(NodeId, NodeId), String> {
    let name = |node| name(runtime, node);
    let status = router.group.status();
    let votes = |node: NodeId| status.membership.voters.iter().any(|voter| status.nodes.get(voter) == Some(&node));
    if let Some(to) = to.filter(|to| !votes(*to)) {
        return Err(format!("{} does not vote in {database} and cannot lead it", name(to)));
    }
    if status.membership.voters.len() < 2 {
        return Err(format!("{database} has one voter: nobody else can lead it"));
    }
    let first = status.leader_node.ok_or_else(|| format!("{database} has no leader now"))?;
    let done = |leader: NodeId| to.map_or(leader != first, |to| leader == to);
    let until = Instant::now() + PATIENCE;
    let mut leaders = router.group.leader_changes();
    while Instant::now() < until {
        let leader = leaders.borrow_and_update().leader_node;
        match leader {
            Some(leader) if done(leader) => return Ok((first, leader)),
            Some(leader) => ask(runtime, router, leader, to).await,
            None => {}
        }
        let moved = leaders.wait_for(|now| now.leader_node.is_some_and(done));
        let _ = tokio::time::timeout(ATTEMPT, moved).await;
    }
    let wanted = to.map_or("another node".to_owned(), name);
    Err(format!("{database}: {wanted} has not taken the leadership from {}; see `quorate status`", name(first)))
}

/// Has the leader begin to hand over.
async fn ask(runtime: &Runtime, router: &Router, leader: NodeId, to: Option<NodeId>) {
    if leader == runtime.identity.node {
        return router.group.transfer_leader(to);
    }
    let request = peer::encode(&Request::Transfer { group: router.id, to });
    let reply = runtime.network.call(leader, request, Instant::now() + ATTEMPT).await;
    match reply.map(|bytes| peer::decode::<Reply>(&bytes)) {
        Ok(Ok(Reply::Done)) => {}
        other => tracing::debug!("{leader} does not hand over {} yet: {other:?}", router.id),
    }
}
