//! How the cluster changes: nodes register, join, leave, and are told so; what each node knows of the others.
//!
//! The system group's tables say who is a member and what is to become of it; every node follows its own replica of them.
//! What it has learned it also notes beside its data, so that it knows whom to believe before its replica can be read.
//! The leaders make it so: see [`super::shape`].

use super::{Runtime, entry, groups, patience, versions};
use crate::admin::{Handover, JoinMember, JoinReply, JoinRequest, NodeOrder, Problem, Secret, TokenOrder};
use crate::clock::now_micros;
use crate::cluster::databases::{self, HOME, State};
use crate::cluster::token::{self, Token};
use crate::cluster::{self, NodeEntry, Place, founding};
use crate::command::Step;
use crate::error::{SqlResult, state};
use crate::functions::Context;
use crate::gateway::router::Router;
use crate::gateway::{Database, Failure, Fetched, ReadRequest, Rows};
use crate::id::{FIRST_DATABASE_GROUP, GroupId, NodeId, ReplicaId, SYSTEM_GROUP};
use crate::pki::NodeName;
use crate::raftlog::identity::{Identity, KnownMember};
use crate::setup::Bootstrap;
use crate::status::NodeRow;
use crate::transport::tcp::Refusal;
use crate::transport::wire::PeerIdentity;
use crate::value::{Value, ValueRef};
use crate::version::{self, Version};
use parking_lot::Mutex;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

const FOLLOW: Duration = Duration::from_millis(100);
/// How long an order waits for what it has begun.
const ORDER: Duration = Duration::from_secs(30);

/// What the system group says, as this node's replica has it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Book {
    pub nodes: BTreeMap<NodeId, NodeEntry>,
    pub places: Vec<Place>,
    /// Who takes the place of whom.
    pub successors: BTreeMap<NodeId, NodeId>,
    pub databases: BTreeMap<u32, databases::Database>,
    /// Their OIDs by name, as far as they are there for clients.
    pub names: Arc<BTreeMap<String, u32>>,
    /// Others than the home are in use.
    pub others: bool,
    /// The next number of a group.
    next_group: u64,
}

impl Book {
    pub fn database(&self, name: &str) -> Option<&databases::Database> {
        self.databases.values().find(|d| d.name == name)
    }

    pub fn by_group(&self, group: GroupId) -> Option<&databases::Database> {
        self.databases.values().find(|d| d.group == Some(group))
    }

    /// The group was given a number, and its database is no more.
    pub fn is_dropped(&self, group: GroupId) -> bool {
        group != SYSTEM_GROUP && group.0 < self.next_group && self.by_group(group).is_none()
    }

    fn leaving(&self) -> BTreeSet<NodeId> {
        self.nodes.values().filter(|n| n.state == "leaving").map(|n| n.id).collect()
    }
}

/// The nodes as this node knows them: before its replica was ever read, from the note beside its data.
pub struct Registry {
    book: Mutex<Arc<Book>>,
    noted: Mutex<Identity>,
    /// One at a time reads the system group's tables.
    following: tokio::sync::Mutex<()>,
}

impl Registry {
    pub fn new(identity: Identity) -> Registry {
        Registry { book: Mutex::default(), noted: Mutex::new(identity), following: tokio::sync::Mutex::default() }
    }

    /// Whether a peer is who it says. Everything asked here is on the disk: a restart forgets nothing. A node that is not
    /// known is believed only if the cluster has told it who this node is (`vouched`). `certified` is the name in its
    /// certificate, if connections have any: then it must be that member's.
    pub fn admit(&self, who: &PeerIdentity, vouched: bool, certified: Option<&NodeName>) -> Result<(), Refusal> {
        let another = |name: &str| {
            Err(Refusal::Stranger(format!(
                "{name} is registered with another identity: a node that has lost its data joins anew, by itself, when \
                 it is started with an empty directory"
            )))
        };
        if let Some(known) = self.book.lock().nodes.get(&who.node) {
            // Whoever was replaced has a mark behind its name.
            let name = known.name.split('#').next().unwrap_or_default();
            return match known.state.as_str() {
                _ if certified.is_some_and(|certified| certified.node != name) => {
                    Err(Refusal::Stranger(format!("its certificate is not {name}'s")))
                }
                _ if known.incarnation != who.incarnation => another(&known.name),
                "gone" => Err(Refusal::Removed(format!("{} was removed from the cluster", known.name))),
                _ => Ok(()),
            };
        }
        match self.noted.lock().members.iter().find(|m| m.node == who.node) {
            Some(known) if known.incarnation == who.incarnation => Ok(()),
            Some(_) => another(&who.node.to_string()),
            None if vouched => Ok(()),
            None => Err(Refusal::Stranger(format!("{} is not a member of this cluster", who.node))),
        }
    }

    pub fn name(&self, node: NodeId) -> String {
        self.book.lock().nodes.get(&node).map_or_else(|| node.to_string(), |n| n.name.clone())
    }

    /// The node is in the system group's tables, as far as its replica here has them.
    pub fn knows(&self, node: NodeId) -> bool {
        self.book.lock().nodes.contains_key(&node)
    }

    pub fn book(&self) -> Arc<Book> {
        self.book.lock().clone()
    }

    /// The replicas of this node, as noted beside its data.
    pub fn groups(&self) -> BTreeMap<GroupId, ReplicaId> {
        self.noted.lock().groups.clone()
    }

    /// Notes that this node has a replica, or has it no more; it is on the disk when this returns.
    pub fn note_group(&self, dir: &Path, group: GroupId, replica: Option<ReplicaId>) -> Result<(), String> {
        let mut noted = self.noted.lock();
        let mut next = noted.clone();
        match replica {
            Some(replica) => next.groups.insert(group, replica),
            None => next.groups.remove(&group),
        };
        next.save(dir).map_err(|e| e.to_string())?;
        *noted = next;
        Ok(())
    }

    /// Where the replicas of a group live, as far as is known.
    pub fn nodes_of(&self, group: GroupId) -> BTreeMap<ReplicaId, NodeId> {
        let noted = self.noted.lock();
        let noted = noted.places.iter().filter(|(g, ..)| *g == group).map(|(_, replica, node)| (*replica, *node));
        let book = self.book();
        let places = book.places.iter().filter(|p| p.group == group).map(|p| (p.replica, p.node));
        let founders = book.by_group(group).map(|d| d.founders.clone()).unwrap_or_default();
        founders.into_iter().chain(noted).chain(places).collect()
    }

    /// The OID of a group's database; 0 as long as that is not known.
    pub fn oid(&self, group: GroupId) -> u32 {
        match self.book().by_group(group) {
            Some(database) => database.oid,
            None if group == FIRST_DATABASE_GROUP => databases::HOME,
            None => 0,
        }
    }

    /// The members, without those that are gone.
    pub fn rows(&self) -> Vec<NodeRow> {
        let row = |n: &NodeEntry| NodeRow {
            node: n.name.clone(),
            id: n.id.0,
            state: n.state.clone(),
            pg_addr: n.pg_addr.clone(),
            peer_addr: n.peer_addr.clone(),
            http_addr: n.http_addr.clone(),
            membership: n.state.clone(),
            ..NodeRow::default()
        };
        self.book.lock().nodes.values().filter(|n| n.state != "gone").map(row).collect()
    }
}

/// Registers this node until that has worked, then keeps up with what the system group says.
pub async fn register_and_follow(runtime: Arc<Runtime>) {
    let mut registered = false;
    let mut failures = 0u32;
    let mut seen = 0;
    loop {
        // One that joins is a member when it has everything.
        if !registered && runtime.caught_up() {
            match register(&runtime).await {
                Ok(()) => registered = true,
                Err(e) => {
                    failures += 1;
                    if e.code == state::INVALID_AUTHORIZATION_SPECIFICATION || failures % 10 == 1 {
                        tracing::warn!("this node is not registered yet: {e}");
                    }
                }
            }
        }
        let applied = runtime.system().shared.applied();
        if applied != seen || runtime.groups.is_unsettled() {
            match follow(&runtime).await {
                Ok(()) => seen = applied,
                Err(e) => {
                    runtime.groups.unsettle();
                    tracing::debug!("the system group cannot be read: {e:?}");
                }
            }
        }
        tokio::time::sleep(FOLLOW).await;
    }
}

async fn register(runtime: &Runtime) -> SqlResult<()> {
    let identity = &runtime.identity;
    let founders = founders(runtime);
    let place = |node: &NodeEntry| {
        let groups = [SYSTEM_GROUP, FIRST_DATABASE_GROUP];
        groups
            .iter()
            .map(|group| Place { group: *group, node: node.id, replica: founding::replica(node.id) })
            .collect::<Vec<_>>()
    };
    let places: Vec<Place> = founders.iter().flat_map(place).collect();
    let command = cluster::register(&entry(&runtime.config, identity), &founders, &places);
    let outcome = runtime.submit(&runtime.system(), &command).await?;
    cluster::done(&outcome).map(|_| ())
}

/// All founders, as their list has them, so that each is known before it has spoken.
fn founders(runtime: &Runtime) -> Vec<NodeEntry> {
    let crate::config::Origin::Founder { members, .. } = &runtime.config.origin else { return Vec::new() };
    let entry = |(id, incarnation): &(NodeId, u64)| {
        let member = members.iter().find(|m| m.id == *id)?;
        Some(NodeEntry {
            id: *id,
            name: member.name.clone(),
            incarnation: *incarnation,
            peer_addr: member.peers.to_string(),
            pg_addr: String::new(),
            http_addr: String::new(),
            state: "up".into(),
            speaks: Version(0),
        })
    };
    runtime.identity.founders.iter().filter_map(entry).collect()
}

/// Learns who is a member, and where, from this node's own replica.
pub async fn follow(runtime: &Arc<Runtime>) -> Result<(), Failure> {
    let _turn = runtime.registry.following.lock().await;
    let book = Arc::new(read_book(&runtime.system(), false).await?);
    let before = std::mem::replace(&mut *runtime.registry.book.lock(), book.clone());
    for node in book.nodes.values().filter(|n| n.id != runtime.identity.node) {
        // Where a replaced directory was, there is its successor now.
        if node.state == "gone" || book.successors.contains_key(&node.id) && !runtime.board.is_heard(node.id) {
            runtime.network.remove_peer(node.id);
        } else {
            runtime.network.set_peer(node.id, node.incarnation, node.peer_addr.clone());
        }
    }
    if before.nodes != book.nodes {
        runtime.network.reconsider();
    }
    let leaving = book.leaving();
    for router in runtime.groups.routers() {
        let known = router.group.status().nodes;
        let told: BTreeMap<ReplicaId, NodeId> =
            book.places.iter().filter(|p| p.group == router.id).map(|p| (p.replica, p.node)).collect();
        if told.iter().any(|(replica, node)| known.get(replica) != Some(node)) || leaving != before.leaving() {
            router.group.set_nodes(told, leaving.clone());
        }
    }
    note(runtime, &book);
    groups::settle(runtime);
    Ok(())
}

/// Notes beside the data who the others are.
fn note(runtime: &Runtime, book: &Book) {
    if book.nodes.is_empty() {
        return;
    }
    let others = book.nodes.values().filter(|n| n.id != runtime.identity.node && n.state != "gone");
    let members =
        others.map(|n| KnownMember { node: n.id, incarnation: n.incarnation, address: n.peer_addr.clone() }).collect();
    let places = book.places.iter().map(|p| (p.group, p.replica, p.node)).collect();
    let mut noted = runtime.registry.noted.lock();
    let next = Identity { members, places, ..noted.clone() };
    if next == *noted || noted.removed {
        return;
    }
    match next.save(&runtime.config.data_dir) {
        Ok(()) => *noted = next,
        Err(error) => tracing::warn!(%error, "what this node knows of the others was not noted"),
    }
}

/// A member has said that the cluster has removed this node: its data goes, and it remembers why.
pub fn give_up(runtime: &Runtime) {
    let mut noted = runtime.registry.noted.lock();
    noted.removed = true;
    if let Err(error) = noted.save(&runtime.config.data_dir) {
        tracing::error!(%error, "that this node was removed was not noted");
    }
}

pub async fn read_book(system: &Router, linearizable: bool) -> Result<Book, Failure> {
    let nodes = cluster::nodes(&select(system, cluster::NODES, linearizable).await?);
    // Before the places: a group that is known has its places there.
    let (databases, next_group) = databases::databases(&select(system, databases::DATABASES, false).await?);
    let places = cluster::places(&select(system, cluster::PLACES, false).await?);
    let successors = cluster::successors(&select(system, cluster::SUCCESSORS, false).await?);
    let nodes = nodes.into_iter().map(|n| (n.id, n)).collect();
    let there = databases.values().filter(|d| d.oid < HOME || d.state != State::Creating);
    let names = Arc::new(there.map(|d| (d.name.clone(), d.oid)).collect());
    let others = databases.values().any(|d| d.state == State::Live && !d.is_home());
    Ok(Book { nodes, places, successors, databases, names, others, next_group })
}

/// Reads rows of the system group.
pub(super) async fn select(router: &Router, sql: &str, linearizable: bool) -> Result<Vec<Vec<Value>>, Failure> {
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

/// Waits until each replica here has, once since the start, everything that was acknowledged anywhere before.
pub async fn catch_up(runtime: Arc<Runtime>) {
    for router in runtime.groups.routers() {
        loop {
            if router.shared.is_closed() {
                break;
            }
            let me = router.group.replica();
            let member = {
                let now = router.group.status().membership;
                now.voters.contains(&me) || now.learners.contains(&me)
            };
            if member && router.group.read_index(Instant::now() + Duration::from_secs(2)).await.is_ok() {
                break;
            }
            tokio::time::sleep(FOLLOW).await;
        }
    }
    runtime.caught_up.store(true, Ordering::Release);
    tracing::info!("this node has caught up with the cluster");
}

// --- joining --------------------------------------------------------------------------------------------------------

/// What gives a node the right to join: on a node that other machines can reach, a certificate or a token.
async fn right(runtime: &Runtime, request: &JoinRequest, certified: Option<&str>) -> Result<Option<Step>, Problem> {
    // Under its own name: other nodes will look at it again.
    if runtime.keys.is_none() || certified == Some(&*request.name) {
        return Ok(None);
    }
    if Bootstrap::waits(&runtime.config.data_dir) {
        return Err(Problem::Later("the cluster is still being set up".into()));
    }
    let refused = |why: &str| Problem::Refused(format!("{why}: make a token with `quorate token create`"));
    let text = request.token.as_ref().ok_or_else(|| refused("a node joins with a token or a certificate"))?;
    let token = Token::parse(&text.0).ok_or_else(|| refused("this is no join token"))?;
    // Nothing is put into the log for somebody who has merely knocked.
    let unreadable = |e: Failure| Problem::Later(format!("the system group cannot be read: {e:?}"));
    let known = token::tokens(&select(&runtime.system(), token::TOKENS, true).await.map_err(unreadable)?);
    if !known.iter().any(|grant| token.grant(grant.uses, grant.until) == *grant) {
        tracing::warn!(name = request.name, token = token.id(), "a node with an unknown join token was refused");
        return Err(refused("the join token is not known, or was revoked"));
    }
    Ok(Some(token.spend(request.incarnation, now_micros())))
}

/// Makes, shows and revokes tokens.
pub async fn token(runtime: Arc<Runtime>, order: TokenOrder) -> Result<String, Problem> {
    let later = |e: Failure| Problem::Later(format!("the system group cannot be read: {e:?}"));
    let now = now_micros();
    let submit = async |command| {
        let outcome = runtime.submit(&runtime.system(), &command).await.map_err(|e| Problem::Later(e.to_string()))?;
        cluster::done(&outcome).map(drop).map_err(|e| Problem::Refused(e.message.clone()))
    };
    let listed = select(&runtime.system(), token::TOKENS, true).await.map_err(later)?;
    let listed = token::tokens(&listed);
    match order {
        TokenOrder::Create { uses, seconds } => {
            let keys = runtime.keys.as_ref().ok_or_else(|| {
                Problem::Refused("on a node that only this machine can reach, nodes join without a token".into())
            })?;
            keys.authority_key().map_err(|_| {
                Problem::Refused(
                    "this cluster does not issue its certificates: give the new node one of your own".into(),
                )
            })?;
            let token = Token::new(rand::random(), rand::random(), keys.now().authority);
            let until = now.saturating_add(i64::try_from(seconds).unwrap_or(i64::MAX).saturating_mul(1_000_000));
            submit(token::grant(&token.grant(uses.max(1), until), now)).await?;
            Ok(token.reveal())
        }
        TokenOrder::List => {
            let mut out = String::new();
            for grant in listed {
                let left = (grant.until - now) / 1_000_000;
                let state = match (left, grant.uses) {
                    (..=0, _) => "expired".to_owned(),
                    (_, 0) => "used up".to_owned(),
                    (left, uses) => format!("for {uses} more, {}:{:02} hours", left / 3600, left / 60 % 60),
                };
                out.push_str(&format!("{}  {state}\n", grant.id));
            }
            Ok(if out.is_empty() { "there are no tokens\n".into() } else { out })
        }
        TokenOrder::Revoke { id } => {
            if !listed.iter().any(|grant| grant.id == id) {
                return Err(Problem::Refused(format!("there is no token {id}")));
            }
            submit(token::revoke(&id)).await?;
            Ok(format!("{id} lets nobody in any more\n"))
        }
    }
}

/// A member's side of joining: gives the node an id and places. The leaders feed it when it has connected.
pub async fn admit(
    runtime: Arc<Runtime>,
    request: JoinRequest,
    certified: Option<String>,
) -> Result<JoinReply, Problem> {
    let needed = versions::reached(&runtime);
    if request.speaks < needed.0 {
        let unknown = version::Unknown::Newer { format: "the cluster", found: needed.0, latest: request.speaks };
        return Err(Problem::Refused(unknown.to_string()));
    }
    if request.cluster != runtime.config.cluster {
        return Err(Problem::Refused(format!(
            "this is the cluster \"{}\", not \"{}\": write the right cluster.name",
            runtime.config.cluster, request.cluster
        )));
    }
    let bad = |text: &str| text.is_empty() || text.len() > 200 || text.contains(|c: char| c.is_control() || c == '#');
    if [&request.name, &request.peer_addr, &request.pg_addr, &request.http_addr].into_iter().any(|text| bad(text)) {
        return Err(Problem::Refused("the node's name or an address of it is not one".into()));
    }
    let right = right(&runtime, &request, certified.as_deref()).await?;
    let by_token = right.is_some();
    let later = |e: Failure| Problem::Later(format!("the system group cannot be read: {e:?}"));
    let book = read_book(&runtime.system(), true).await.map_err(later)?;
    let namesake = book.nodes.values().find(|n| n.name == request.name && n.incarnation != request.incarnation);
    // A living node keeps its name. One that is away may have lost its disk: this is its new directory.
    let alive = |id: NodeId| {
        id == runtime.identity.node || runtime.board.is_heard(id) && runtime.network.connected().contains(&id)
    };
    let replaces = namesake.map(|n| n.id).filter(|id| !alive(*id));
    let node = NodeEntry {
        id: NodeId(0),
        name: request.name,
        incarnation: request.incarnation,
        peer_addr: request.peer_addr,
        pg_addr: request.pg_addr,
        http_addr: request.http_addr,
        state: "joining".into(),
        speaks: Version(request.speaks),
    };
    let command = cluster::join(&node, replaces, right);
    let outcome = runtime.submit(&runtime.system(), &command).await.map_err(|e| Problem::Later(e.to_string()))?;
    let id = cluster::joined(&outcome).map_err(|e| match e.code.as_str() {
        "53300" | "57P03" => Problem::Later(e.message.clone()),
        _ => Problem::Refused(e.message.clone()),
    })?;
    let book = read_book(&runtime.system(), true).await.map_err(later)?;
    let member =
        |n: &NodeEntry| JoinMember { node: n.id.0, incarnation: n.incarnation, peer_addr: n.peer_addr.clone() };
    let authority = match runtime.keys.as_ref().filter(|_| by_token) {
        Some(keys) => {
            let key = keys.authority_key().map_err(|_| {
                Problem::Refused(
                    "this cluster does not issue its certificates: give the new node one of your own".into(),
                )
            })?;
            let read = |path| std::fs::read_to_string(path).ok();
            Some(Handover {
                bundle: keys.now().bundle.clone(),
                key: Secret(key.to_string()),
                cross: read(&keys.files().cross),
                nobody: read(&keys.files().nobody).map(Secret),
            })
        }
        None => None,
    };
    Ok(JoinReply {
        authority,
        node: id.0,
        cluster_id: runtime.identity.cluster,
        members: book.nodes.values().filter(|n| n.id != id && n.state != "gone").map(member).collect(),
        replicas: book.places.iter().filter(|p| p.node == id).map(|p| (p.group.0, p.replica.0)).collect(),
        placement: book.places.iter().map(|p| (p.group.0, p.replica.0, p.node.0)).collect(),
    })
}

// --- orders ---------------------------------------------------------------------------------------------------------

/// Carries out what an operator wants done with a node; says how it ended, or how far it has come.
pub async fn order(runtime: Arc<Runtime>, order: NodeOrder) -> Result<String, Problem> {
    let later = |e: Failure| Problem::Later(format!("the system group cannot be read: {e:?}"));
    let book = read_book(&runtime.system(), true).await.map_err(later)?;
    if book.nodes.is_empty() {
        return Err(Problem::Later("the founders of the cluster have not met yet".into()));
    }
    let find = |name: &str| {
        book.nodes.values().find(|n| n.name == name && n.state != "gone").ok_or_else(|| {
            let known = book.nodes.values().filter(|n| n.state != "gone");
            let known: Vec<&str> = known.map(|n| n.name.as_str()).collect();
            Problem::Refused(format!("there is no node \"{name}\"; the nodes are {}", known.join(", ")))
        })
    };
    let (node, successor) = match &order {
        NodeOrder::Remove { node } => (find(node)?, None),
        NodeOrder::Replace { node, with } => {
            let node = find(node)?;
            let named = with.as_deref().map(find).transpose()?.map(|n| n.id);
            (node, Some(stand_in(&runtime, node.id, named).map_err(Problem::Refused)?))
        }
    };
    if node.id == runtime.identity.node {
        return Err(Problem::Later(format!("{} cannot see itself off: ask another node", node.name)));
    }
    let outcome = runtime.submit(&runtime.system(), &cluster::remove(node.id, successor)).await;
    let outcome = outcome.map_err(|e| Problem::Later(e.to_string()))?;
    cluster::done(&outcome).map_err(|e| Problem::Refused(e.message.clone()))?;
    let until = Instant::now() + ORDER;
    while Instant::now() < until {
        let gone = match read_book(&runtime.system(), false).await {
            Ok(book) => book.nodes.get(&node.id).is_none_or(|n| n.state == "gone"),
            Err(_) => false,
        };
        if gone {
            return Ok(match successor {
                Some(heir) => format!("{} was removed; {} has taken its place", node.name, runtime.registry.name(heir)),
                None => format!("{} was removed", node.name),
            });
        }
        tokio::time::sleep(FOLLOW).await;
    }
    Ok(format!(
        "{} is being removed; it goes on by itself when the nodes that are needed for it are up, see `quorate node list`",
        node.name
    ))
}

/// The learner that can take a node's votes at once in every group where it has one.
fn stand_in(runtime: &Runtime, node: NodeId, named: Option<NodeId>) -> Result<NodeId, String> {
    let book = runtime.registry.book();
    let name = |id: NodeId| runtime.registry.name(id);
    let fits = |candidate: NodeId| {
        runtime.groups.routers().iter().all(|router| {
            let status = router.group.status();
            let on = |replicas: &[ReplicaId]| replicas.iter().any(|r| status.nodes.get(r) == Some(&candidate));
            on(&status.membership.learners)
        })
    };
    let ready = |candidate: NodeId| {
        let up = book.nodes.get(&candidate).is_some_and(|n| n.state == "up");
        let alive = candidate == runtime.identity.node || runtime.board.is_heard(candidate);
        candidate != node && up && alive && fits(candidate)
    };
    match named {
        Some(named) if ready(named) => Ok(named),
        Some(named) => Err(format!("{} does not stand by as a learner that is up in every group", name(named))),
        None => book.nodes.keys().copied().find(|id| ready(*id)).ok_or_else(|| {
            "no learner stands by to take its place: let a node join first, or use `quorate node remove`".to_owned()
        }),
    }
}
