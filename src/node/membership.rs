//! How nodes come to know each other: joining, registering, following the system group's tables, growing the groups.
//!
//! A group has an odd number of voters, up to [`MAX_VOTERS`]; further replicas are learners that stand by. A learner
//! becomes a voter when it has caught up and the number stays odd with it and the learners that are ready as well.

use super::{Peers, Runtime, entry, patience};
use crate::admin::{JoinReply, JoinRequest};
use crate::cluster::{self, NodeEntry, Place};
use crate::config::Config;
use crate::error::SqlResult;
use crate::functions::Context;
use crate::gateway::peer::{self, Reply, Request};
use crate::gateway::router::Router;
use crate::gateway::{Database, Failure, Fetched, ReadRequest, Rows};
use crate::id::{GroupId, NodeId, ReplicaId};
use crate::raftlog::identity::{Identity, IdentityError};
use crate::replica::core::{Change, ChangeError};
use crate::status::NodeRow;
use crate::value::{Value, ValueRef};
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// More voters make every write slower and survive nothing that five do not.
const MAX_VOTERS: usize = 5;
const FOLLOW: Duration = Duration::from_secs(1);

/// The nodes as this node's replica of the system group has them.
#[derive(Default)]
pub struct Registry(Mutex<BTreeMap<NodeId, NodeEntry>>);

impl Registry {
    /// Whether a peer is who it says. A node that is not yet registered is believed: it may be the first start.
    pub fn admit(&self, node: NodeId, incarnation: u64) -> Result<(), String> {
        match self.0.lock().get(&node) {
            Some(known) if known.incarnation != incarnation => Err(format!(
                "{} is registered with another identity: if its disk was lost, move its data directory away and let \
                 it join under another name",
                known.name
            )),
            Some(known) if known.state == "gone" => Err(format!("{} was removed from the cluster", known.name)),
            _ => Ok(()),
        }
    }

    pub fn name(&self, node: NodeId) -> String {
        self.0.lock().get(&node).map_or_else(|| node.to_string(), |n| n.name.clone())
    }

    pub fn rows(&self) -> Vec<NodeRow> {
        let row = |n: &NodeEntry| NodeRow {
            node: n.name.clone(),
            id: n.id.0,
            state: n.state.clone(),
            pg_addr: n.pg_addr.clone(),
            peer_addr: n.peer_addr.clone(),
            http_addr: n.http_addr.clone(),
            ..NodeRow::default()
        };
        self.0.lock().values().map(row).collect()
    }

    fn set(&self, nodes: Vec<NodeEntry>) {
        *self.0.lock() = nodes.into_iter().map(|n| (n.id, n)).collect();
    }
}

/// Registers this node until that has worked, then keeps up with what the system group says.
pub async fn register_and_follow(runtime: Arc<Runtime>) {
    let mut registered = false;
    let mut failures = 0u32;
    loop {
        if !registered {
            match register(&runtime).await {
                Ok(()) => registered = true,
                Err(e) => {
                    failures += 1;
                    if e.code == crate::error::state::INVALID_AUTHORIZATION_SPECIFICATION || failures % 10 == 1 {
                        tracing::warn!("this node is not registered yet: {e}");
                    }
                }
            }
        }
        if let Err(e) = follow(&runtime).await {
            tracing::debug!("the system group cannot be read: {e:?}");
        }
        grow(&runtime).await;
        tokio::time::sleep(if registered { FOLLOW } else { Duration::from_millis(100) }).await;
    }
}

async fn register(runtime: &Runtime) -> SqlResult<()> {
    let me = runtime.identity.node;
    let replicas: Vec<Place> = runtime
        .identity
        .groups
        .iter()
        .map(|(group, replica)| Place { group: *group, node: me, replica: *replica })
        .collect();
    let databases = [(super::DATABASE, crate::id::FIRST_DATABASE_GROUP)];
    let command = cluster::register(&entry(&runtime.config, &runtime.identity), &databases, &replicas);
    let outcome = runtime.submit(runtime.system(), &command).await?;
    cluster::done(&outcome).map(|_| ())
}

/// Learns addresses and places from this node's own replica.
async fn follow(runtime: &Runtime) -> Result<(), Failure> {
    let nodes = cluster::nodes(&select(runtime.system(), cluster::NODES, false).await?);
    let places = cluster::places(&select(runtime.system(), cluster::PLACES, false).await?);
    for node in nodes.iter().filter(|n| n.id != runtime.identity.node && n.state != "gone") {
        if runtime.registry.0.lock().get(&node.id) != Some(node) {
            runtime.network.set_peer(node.id, node.peer_addr.clone());
        }
    }
    runtime.registry.set(nodes);
    for router in runtime.routers.values() {
        let known = router.group.status().nodes;
        let told: BTreeMap<ReplicaId, NodeId> =
            places.iter().filter(|p| p.group == router.id).map(|p| (p.replica, p.node)).collect();
        if told.iter().any(|(replica, node)| known.get(replica) != Some(node)) {
            router.group.set_nodes(told);
        }
    }
    Ok(())
}

/// Reads rows of the system group.
async fn select(router: &Router, sql: &str, linearizable: bool) -> Result<Vec<Vec<Value>>, Failure> {
    let request = ReadRequest {
        sql: sql.into(),
        params: Vec::new(),
        context: Context::default(),
        signals: false,
        schema_version: router.shared.schema_version(),
        linearizable,
        control: patience(Duration::from_secs(5)),
    };
    let mut rows = router.read(request).await?;
    let mut out = Vec::new();
    loop {
        let mut sink = |row: &[ValueRef<'_>]| {
            out.push(row.iter().copied().map(ValueRef::to_owned).collect());
            Ok(())
        };
        match rows.fetch(1000, false, &mut sink)? {
            Fetched::Done => return Ok(out),
            Fetched::More | Fetched::TooLong => {}
        }
    }
}

/// On a leader: makes learners voters, two at a time from an odd number.
async fn grow(runtime: &Runtime) {
    for router in runtime.routers.values().filter(|r| r.group.is_leader()) {
        let status = router.group.status();
        let voters = status.membership.voters.len();
        let ready: Vec<ReplicaId> = status
            .membership
            .learners
            .iter()
            .copied()
            .filter(|l| status.matched.get(l).is_some_and(|m| m + 1000 >= status.last_index))
            .collect();
        let wanted = if voters % 2 == 0 { 1 } else { 2 };
        if ready.len() < wanted || voters + wanted > MAX_VOTERS {
            continue;
        }
        for learner in ready.into_iter().take(wanted) {
            if let Err(e) = router.group.change(Change::Promote(learner)).await {
                tracing::debug!("{learner} of {} is not made a voter yet: {e}", router.id);
                break;
            }
            tracing::info!("{learner} of {} votes now", router.id);
        }
    }
}

/// Asks a member to be let in, unless that has happened before.
pub async fn join(config: &Config, member: &str) -> Result<(Identity, Peers), String> {
    let existing = match Identity::load(&config.data_dir) {
        Ok(identity) => Some(identity),
        Err(IdentityError::Missing(path)) => {
            super::refuse_old_data(&config.data_dir, &path)?;
            None
        }
        Err(e) => return Err(e.to_string()),
    };
    // A join that was interrupted is repeated under the same name and incarnation, and gets the same answer.
    let draft = config.data_dir.join("joining");
    let incarnation = match (&existing, std::fs::read_to_string(&draft)) {
        (Some(identity), _) => identity.incarnation,
        (None, Ok(text)) => text.trim().parse().map_err(|_| format!("{} is damaged: delete it", draft.display()))?,
        (None, Err(_)) => {
            let drawn: u64 = rand::random();
            super::note(&config.data_dir, "joining", &drawn.to_string())?;
            drawn
        }
    };
    let request = JoinRequest {
        cluster: config.cluster.clone(),
        name: config.name.clone(),
        incarnation,
        peer_addr: config.advertise_peers.to_string(),
        pg_addr: config.postgres.to_string(),
        http_addr: config.http.to_string(),
    };
    let url = format!("http://{member}/join");
    let asked = tokio::task::spawn_blocking(move || ask(&url, &request)).await.map_err(|e| e.to_string())?;
    let reply = asked.map_err(|e| format!("{member} does not let this node in: {e}"))?;
    let identity = match existing {
        Some(identity) if identity.node.0 == reply.node => identity,
        Some(identity) => {
            return Err(format!("this directory is {}'s, but the cluster knows it as n{}", identity.node, reply.node));
        }
        None => {
            let identity = Identity {
                cluster: reply.cluster_id,
                node: NodeId(reply.node),
                incarnation,
                groups: reply.replicas.iter().map(|(g, r)| (GroupId(*g), ReplicaId(*r))).collect(),
            };
            identity.create(&config.data_dir).map_err(|e| e.to_string())?;
            let _ = std::fs::remove_file(&draft);
            identity
        }
    };
    let addresses = reply.members.iter().map(|(id, addr)| (NodeId(*id), addr.clone())).collect();
    let places = reply
        .placement
        .iter()
        .map(|(g, r, n)| Place { group: GroupId(*g), replica: ReplicaId(*r), node: NodeId(*n) })
        .collect();
    Ok((identity, Peers { addresses, places, founders: None }))
}

fn ask(url: &str, request: &JoinRequest) -> Result<JoinReply, String> {
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .timeout_global(Some(Duration::from_secs(30)))
        .http_status_as_error(false)
        .build()
        .into();
    let mut response = agent.post(url).send_json(request).map_err(|e| e.to_string())?;
    if !response.status().is_success() {
        return Err(response.body_mut().read_to_string().unwrap_or_default());
    }
    response.body_mut().read_json().map_err(|e| e.to_string())
}

/// A member's side of [`join`]: gives the node an id and places, and has the leaders feed it.
pub async fn admit(runtime: Arc<Runtime>, request: JoinRequest) -> Result<JoinReply, String> {
    if request.cluster != runtime.config.cluster {
        return Err(format!(
            "this is the cluster \"{}\", not \"{}\": write the right cluster.name",
            runtime.config.cluster, request.cluster
        ));
    }
    let node = NodeEntry {
        id: NodeId(0),
        name: request.name,
        incarnation: request.incarnation,
        peer_addr: request.peer_addr,
        pg_addr: request.pg_addr,
        http_addr: request.http_addr,
        state: "joining".into(),
    };
    let groups: Vec<GroupId> = runtime.routers.values().map(|r| r.id).collect();
    let command = cluster::join(&node, &groups);
    let outcome = runtime.submit(runtime.system(), &command).await.map_err(|e| e.to_string())?;
    let id = cluster::joined(&outcome).map_err(|e| e.message.clone())?;
    let nodes = cluster::nodes(&select(runtime.system(), cluster::NODES, true).await.map_err(|e| format!("{e:?}"))?);
    let places = cluster::places(&select(runtime.system(), cluster::PLACES, true).await.map_err(|e| format!("{e:?}"))?);
    for place in places.iter().filter(|p| p.node == id) {
        add_learner(&runtime, *place, &node.peer_addr).await?;
    }
    Ok(JoinReply {
        node: id.0,
        cluster_id: runtime.identity.cluster,
        members: nodes
            .iter()
            .filter(|n| n.id != id && n.state != "gone")
            .map(|n| (n.id.0, n.peer_addr.clone()))
            .collect(),
        replicas: places.iter().filter(|p| p.node == id).map(|p| (p.group.0, p.replica.0)).collect(),
        placement: places.iter().map(|p| (p.group.0, p.replica.0, p.node.0)).collect(),
    })
}

/// Has the group's leader, wherever it is, add the replica.
async fn add_learner(runtime: &Runtime, place: Place, address: &str) -> Result<(), String> {
    let router = runtime.router(place.group).ok_or_else(|| format!("{} is not here", place.group))?;
    let until = Instant::now() + Duration::from_secs(10);
    while Instant::now() < until {
        let done = match router.group.leadership().leader_node {
            Some(leader) if leader == runtime.identity.node => take_learner(router, place).await,
            Some(leader) => {
                runtime.network.set_peer(place.node, address);
                let request = Request::AddLearner { group: place.group, replica: place.replica, node: place.node };
                let reply = runtime.network.call(leader, peer::encode(&request), until).await;
                matches!(reply.ok().and_then(|bytes| peer::decode(&bytes).ok()), Some(Reply::Done))
            }
            None => false,
        };
        if done {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Err(format!("the leader of {} did not take the new replica in time: try again", place.group))
}

/// On the leader: adds the replica; true if it is one.
pub async fn take_learner(router: &Router, place: Place) -> bool {
    matches!(router.group.add_learner(place.replica, place.node).await, Ok(()) | Err(ChangeError::IsMember(_)))
}
