//! The composition root: builds a node out of its rooms, wires them, and takes it down in order.
//!
//! Up: lock and identity, log, state machines, driver, network, groups; then the front. A node that cannot vouch for its
//! past (no identity beside old data, another node's directory, a log that has lost entries) does not start.
//! Down (SIGTERM, SIGINT): no new clients, running statements end, leaderships are handed over, everything closes.

mod board;
mod leadership;
mod live;
mod membership;
mod service;
mod watchdog;

use crate::admin;
use crate::cluster::{self, NodeEntry, Place};
use crate::command::{Command, Outcome};
use crate::config::{Config, Member, Origin};
use crate::engine::fork::ForkOptions;
use crate::engine::{self, Engine, Event};
use crate::error::SqlResult;
use crate::executor;
use crate::frontend;
use crate::gateway::Control;
use crate::gateway::router::{Router, TransactionLimits};
use crate::host::Machine;
use crate::id::{FIRST_DATABASE_GROUP, GroupId, NodeId, ReplicaId, RequestId, SYSTEM_GROUP};
use crate::raftlog::RaftLog;
use crate::raftlog::identity::{DataLock, FILE as IDENTITY_FILE, Identity, IdentityError};
use crate::raftlog::raft_engine::{RaftEngineLog, RaftEngineOptions};
use crate::replica::handle::{Group, GroupConfig, Node, NodeConfig};
use crate::transaction;
use crate::transport::tcp::{Network, NetworkConfig};
use crate::transport::wire::PeerIdentity;
use board::Board;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::net::TcpListener;
use tokio::sync::watch;
use xxhash_rust::xxh3::xxh3_128;

/// The first user database.
pub const DATABASE: &str = "quorate";
/// Time for running statements to end, and for leaderships to be handed over, at shutdown.
const DRAIN: Duration = Duration::from_secs(5);
/// Private views of the database beyond those of open transactions.
const SPARE_FORKS: usize = 32;
/// How long the server's own commands are tried before they are begun anew.
const OWN_COMMAND: Duration = Duration::from_secs(10);

/// What the parts of a running node share.
pub(crate) struct Runtime {
    pub config: Config,
    pub identity: Identity,
    pub network: Network,
    pub driver: Node,
    /// The databases of this node by name, the system group included.
    pub routers: BTreeMap<String, Arc<Router>>,
    pub board: Board,
    pub registry: Arc<membership::Registry>,
    pub cancels: Arc<frontend::cancel::CancelRegistry>,
    pub disk_full: AtomicBool,
    origin: u64,
    seq: AtomicU64,
}

impl Runtime {
    pub fn system(&self) -> &Arc<Router> {
        &self.routers[cluster::DATABASE]
    }

    pub fn router(&self, group: GroupId) -> Option<&Arc<Router>> {
        self.routers.values().find(|r| r.id == group)
    }

    /// A request id for a command of the server's own.
    pub fn request(&self) -> RequestId {
        RequestId { origin: self.origin, seq: self.seq.fetch_add(1, Ordering::Relaxed) }
    }

    /// Proposes a command of the server's own and waits for its outcome.
    pub async fn submit(&self, router: &Router, command: &Command) -> SqlResult<Arc<Outcome>> {
        router.submit(self.request(), command, &patience(OWN_COMMAND)).await
    }
}

/// A control that nobody cancels.
pub(crate) fn patience(time: Duration) -> Control {
    Control { deadline: Instant::now() + time, lock_timeout: None, cancelled: Arc::new(AtomicBool::new(false)) }
}

/// Runs a node until it is told to stop.
pub fn run(config: Config) -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .thread_name("quorate-io")
        .build()
        .map_err(|e| format!("cannot start the runtime: {e}"))?;
    runtime.block_on(serve(config))
}

async fn serve(config: Config) -> Result<(), String> {
    std::fs::create_dir_all(&config.data_dir).map_err(|e| format!("cannot make {}: {e}", config.data_dir.display()))?;
    let lock = DataLock::acquire(&config.data_dir).map_err(|e| e.to_string())?;
    crate::engine::set_temporary_directory(&config.data_dir).map_err(|e| e.to_string())?;
    let listeners = Listeners::bind(&config).await?;
    let (identity, peers) = establish(&config).await?;
    note(&config.data_dir, "pid", &std::process::id().to_string())?;
    note(&config.data_dir, "http", &config.http.to_string())?;
    let (stop, stopped) = watch::channel(false);
    let runtime = assemble(config, identity, &peers)?;
    tracing::info!(node = %runtime.identity.node, name = %runtime.config.name, "node started");
    let front = start_serving(&runtime, listeners, &stopped);
    wait_for_signal().await;
    tracing::info!("stopping");
    let _ = stop.send(true);
    if tokio::time::timeout(DRAIN, front).await.is_err() {
        tracing::warn!("some statements were still running");
    }
    runtime.driver.shutdown(DRAIN).await;
    runtime.network.close();
    let _ = std::fs::remove_file(runtime.config.data_dir.join("pid"));
    drop(lock);
    tracing::info!("stopped");
    Ok(())
}

/// The sockets, taken before anything is changed on disk: a port in use is the commonest mistake.
struct Listeners {
    postgres: TcpListener,
    peers: TcpListener,
    http: TcpListener,
}

impl Listeners {
    async fn bind(config: &Config) -> Result<Listeners, String> {
        async fn bind(key: &str, addr: SocketAddr) -> Result<TcpListener, String> {
            TcpListener::bind(addr)
                .await
                .map_err(|e| format!("cannot listen on {addr}: {e}\n  free the port, or change listen.{key}"))
        }
        Ok(Listeners {
            postgres: bind("postgres", config.postgres).await?,
            peers: bind("peers", config.peers).await?,
            http: bind("http", config.http).await?,
        })
    }
}

/// Where the others are, as known at start.
struct Peers {
    addresses: Vec<(NodeId, String)>,
    places: Vec<Place>,
    /// The founding voters, if this node is one of them.
    founders: Option<Vec<Member>>,
}

/// Reads the identity of the data directory, or gets one: as a founder, or by joining.
async fn establish(config: &Config) -> Result<(Identity, Peers), String> {
    match &config.origin {
        Origin::Founder { id, members } => {
            let identity = founder_identity(config, *id, members)?;
            let addresses = members.iter().map(|m| (m.id, m.peers.to_string())).collect();
            let place = |m: &Member, group| Place { group, node: m.id, replica: ReplicaId(m.id.0) };
            let places =
                members.iter().flat_map(|m| [place(m, SYSTEM_GROUP), place(m, FIRST_DATABASE_GROUP)]).collect();
            Ok((identity, Peers { addresses, places, founders: Some(members.clone()) }))
        }
        Origin::Join(member) => membership::join(config, member).await,
    }
}

/// Nodes that were founded together agree on this without asking each other.
fn cluster_id(config: &Config, members: &[Member]) -> u128 {
    let mut text = config.cluster.clone();
    let mut sorted: Vec<&Member> = members.iter().collect();
    sorted.sort_by_key(|m| m.id);
    for member in sorted {
        text.push_str(&format!("\n{}={}", member.id.0, member.name));
    }
    xxh3_128(text.as_bytes())
}

fn founder_identity(config: &Config, id: NodeId, members: &[Member]) -> Result<Identity, String> {
    let cluster = cluster_id(config, members);
    match Identity::load_expecting(&config.data_dir, Some(cluster), Some(id)) {
        Ok(identity) => Ok(identity),
        Err(IdentityError::Missing(path)) => {
            refuse_old_data(&config.data_dir, &path)?;
            let groups = [SYSTEM_GROUP, FIRST_DATABASE_GROUP].map(|g| (g, ReplicaId(id.0))).into();
            let identity = Identity { cluster, node: id, incarnation: rand::random(), groups };
            identity.create(&config.data_dir).map_err(|e| e.to_string())?;
            Ok(identity)
        }
        Err(e) => Err(e.to_string()),
    }
}

/// Data without an identity is somebody's: it must not be written over, nor vote under a guessed name.
fn refuse_old_data(dir: &Path, identity: &Path) -> Result<(), String> {
    for part in ["log-engine", "groups"] {
        if dir.join(part).exists() {
            return Err(format!(
                "{} is missing, but {} holds a node's data\n  restore the file `{IDENTITY_FILE}` from a backup; or move \
                 the directory away and let the node join as a new one (cluster.join)",
                identity.display(),
                dir.display()
            ));
        }
    }
    Ok(())
}

/// Writes a small file that tells people and `quorate status` about the node.
fn note(dir: &Path, name: &str, content: &str) -> Result<(), String> {
    std::fs::write(dir.join(name), format!("{content}\n"))
        .map_err(|e| format!("cannot write {}: {e}", dir.join(name).display()))
}

/// Opens and connects everything that is not the front.
fn assemble(config: Config, identity: Identity, peers: &Peers) -> Result<Arc<Runtime>, String> {
    let dir = config.data_dir.clone();
    let registry = Arc::new(membership::Registry::default());
    let known = registry.clone();
    let me = PeerIdentity { cluster: identity.cluster, node: identity.node, incarnation: identity.incarnation };
    let network = Network::new(
        NetworkConfig {
            identity: me,
            incoming: dir.join("incoming"),
            admission: Box::new(move |peer| known.admit(peer.node, peer.incarnation)),
        },
        tokio::runtime::Handle::current(),
    )
    .map_err(|e| format!("{}: {e}", dir.display()))?;
    for (node, address) in &peers.addresses {
        network.set_peer(*node, address.clone());
    }
    let log: Arc<dyn RaftLog> = Arc::new(
        RaftEngineLog::open(&dir.join("log-engine"), &RaftEngineOptions::default())
            .map_err(|e| format!("the Raft log in {} cannot be opened: {e}", dir.display()))?,
    );
    let settings =
        NodeConfig { clock_tolerance: config.clock_tolerance, ..NodeConfig::new(identity.node, dir.join("snapshots")) };
    let driver = Node::start(settings, log, Arc::new(network.clone())).map_err(|e| e.to_string())?;
    let board = Board::new(&config.name);
    let mut routers = BTreeMap::new();
    let mut marks = Vec::new();
    for (group, replica) in &identity.groups {
        let name = if *group == SYSTEM_GROUP { cluster::DATABASE } else { DATABASE };
        let (sender, receiver) = tokio::sync::mpsc::unbounded_channel();
        let (engine, shared) = open_engine(&dir, identity.cluster, *group, sender)?;
        let handle = add_group(&driver, *group, *replica, peers, engine)?;
        let (peers, limits) = (network.clone(), transaction_limits(&config));
        let router = Router::new(identity.node, *group, handle, shared, peers, Machine::shared(), limits);
        routers.insert(name.to_owned(), Arc::new(router));
        marks.push((name, receiver));
    }
    let cancels = frontend::cancel::CancelRegistry::new(identity.node);
    let runtime = Arc::new(Runtime {
        config,
        identity,
        network,
        driver,
        routers,
        board,
        registry,
        cancels,
        disk_full: AtomicBool::new(false),
        origin: rand::random(),
        seq: AtomicU64::new(1),
    });
    for router in runtime.routers.values() {
        let _ = router.facts.set(Arc::new(live::LiveFacts(Arc::downgrade(&runtime))));
        tokio::spawn(router.attend());
    }
    for (name, receiver) in marks {
        tokio::spawn(watchdog::vote_on_digests(runtime.clone(), runtime.routers[name].clone(), receiver));
    }
    Ok(runtime)
}

fn transaction_limits(config: &Config) -> TransactionLimits {
    let limits = &config.transactions;
    let forks = ForkOptions {
        max_open: limits.open + SPARE_FORKS,
        max_overlay: limits.changes as u64,
        ..ForkOptions::default()
    };
    TransactionLimits {
        transcript: transaction::Limits { bytes: limits.transcript, steps: limits.statements },
        executor: executor::Limits { open: limits.open, locks: limits.locks, forks, ..Default::default() },
    }
}

fn open_engine(
    dir: &Path,
    cluster: u128,
    group: GroupId,
    marks: tokio::sync::mpsc::UnboundedSender<(u64, u64)>,
) -> Result<(Engine, Arc<engine::Shared>), String> {
    let home = dir.join("groups").join(group.0.to_string());
    let mut options = engine::Options::new(&home, dialect(group));
    options.migrations =
        if group == SYSTEM_GROUP { crate::sql::system_migrations() } else { crate::sql::database_migrations() }
            .to_vec();
    options.owner = format!("group {} of cluster {cluster:032x}", group.0);
    options.on_event = Arc::new(move |event| match event {
        Event::DigestMarked { index, digest } => {
            let _ = marks.send((index, digest));
        }
        Event::ClockSetBack { from, to } => {
            let seconds = (from - to) as f64 / 1e6;
            tracing::warn!(%group, seconds, "the time of the log was far ahead of a majority's clocks: it was set back");
        }
        Event::SchemaChanged { .. } => {}
    });
    Engine::open(options).map_err(|e| {
        let advice = match e.is_damage() {
            true => {
                "\n  a page of its file is not what was written (a broken disk, or another program has written to it), or an older \
                 version made it; move the data directory away and let the node join as a new one (cluster.join)"
            }
            false => "",
        };
        format!("the database in {} cannot be opened: {e}{advice}", home.display())
    })
}

/// What the engine is told about SQL.
fn dialect(group: GroupId) -> engine::Dialect {
    let load_catalog: engine::LoadCatalog = if group == SYSTEM_GROUP {
        Arc::new(|_, _| Ok(Default::default()))
    } else {
        Arc::new(|known, rows| crate::sql::catalog::Catalog::load(known, rows))
    };
    engine::Dialect {
        register: Arc::new(crate::functions::sqlite::register),
        load_catalog,
        decode_error: crate::functions::sqlite::decode_error,
        explain_error: Arc::new(crate::sql::violation::explain),
    }
}

fn add_group(
    driver: &Node,
    group: GroupId,
    replica: ReplicaId,
    peers: &Peers,
    engine: Engine,
) -> Result<Group, String> {
    let nodes: BTreeMap<ReplicaId, NodeId> =
        peers.places.iter().filter(|p| p.group == group).map(|p| (p.replica, p.node)).collect();
    let founders = peers.founders.is_some().then(|| nodes.clone());
    driver
        .add_group(GroupConfig { group, replica, nodes, founders, state_machine: Box::new(engine), tuning: None })
        .map_err(|e| {
            format!(
                "the replica of {group} cannot start: {e}\n  its data has lost acknowledged entries; move the data \
                 directory away and let the node join as a new one (cluster.join)"
            )
        })
}

/// Opens the doors and starts the housekeeping; the returned future ends when the last client is gone.
fn start_serving(
    runtime: &Arc<Runtime>,
    listeners: Listeners,
    stopped: &watch::Receiver<bool>,
) -> impl Future<Output = ()> + use<> {
    let service = Arc::new(service::PeerService(runtime.clone()));
    runtime.network.serve(listeners.peers, runtime.driver.inbound(), service);
    tokio::spawn(admin::serve(listeners.http, Arc::new(service::NodeFacts(runtime.clone())), stopped.clone()));
    tokio::spawn(membership::register_and_follow(runtime.clone()));
    tokio::spawn(board::report(runtime.clone()));
    tokio::spawn(watchdog::watch_disk(runtime.clone()));
    tokio::spawn(watchdog::compare_digests(runtime.clone()));
    tokio::spawn(watchdog::scrub(runtime.clone()));
    service::serve_clients(runtime, listeners.postgres, stopped.clone())
}

async fn wait_for_signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut term), Ok(mut int)) = (signal(SignalKind::terminate()), signal(SignalKind::interrupt())) else {
        return;
    };
    tokio::select! { _ = term.recv() => {}, _ = int.recv() => {} }
}

/// This node as the system group has it.
pub(crate) fn entry(config: &Config, identity: &Identity) -> NodeEntry {
    NodeEntry {
        id: identity.node,
        name: config.name.clone(),
        incarnation: identity.incarnation,
        peer_addr: config.advertise_peers.to_string(),
        pg_addr: config.postgres.to_string(),
        http_addr: config.http.to_string(),
        state: "up".into(),
    }
}
