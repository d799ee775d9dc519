//! The composition root: builds a node out of its rooms, wires them, and takes it down in order.
//!
//! Up: lock and identity, log, state machines, driver, network, groups; then the front. A node that cannot vouch for its
//! past (no identity beside old data, another node's directory, a log that has lost entries) does not start.
//! Down (SIGTERM, SIGINT): no new clients, running statements end, leaderships are handed over, everything closes.

mod archive;
mod authority;
mod backup;
mod board;
mod console;
mod copies;
mod databases;
mod entry;
mod establish;
mod groups;
mod leadership;
mod live;
mod membership;
pub mod recover;
mod restore;
mod scrub;
mod security;
mod service;
mod shape;
mod spans;
mod statistics;
mod versions;
mod watchdog;

use crate::admin;
use crate::cluster::NodeEntry;
use crate::command::{Command, Outcome};
use crate::config::{Address, Config, Door};
use crate::engine::fork::ForkOptions;
use crate::engine::{self, Engine, Event, OpenError};
use crate::error::SqlResult;
use crate::executor;
use crate::frontend;
use crate::gateway::Control;
use crate::gateway::router::{Router, TransactionLimits};
use crate::host::Machine;
use crate::id::{FIRST_DATABASE_GROUP, GroupId, ReplicaId, RequestId, SYSTEM_GROUP};
use crate::pki::{Keys, own_dir};
use crate::raftlog::identity::{DataLock, FILE as IDENTITY_FILE, Identity};
use crate::raftlog::raft_engine::{RaftEngineLog, RaftEngineOptions};
use crate::raftlog::{HardState, LogWrite, RaftLog};
use crate::replica::core::{CoreConfig, MAX_TERM, StartError, bootstrap};
use crate::replica::handle::{AddGroupError, Group, GroupConfig, Node, NodeConfig};
use crate::transaction;
use crate::transport::tcp::{Network, NetworkConfig};
use crate::transport::wire::PeerIdentity;
use crate::version::Migration;
use board::Board;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{Notify, watch};

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
    pub log: Arc<dyn RaftLog>,
    /// The replicas of this node, that of the system group included.
    pub groups: groups::Groups,
    pub board: Board,
    pub registry: Arc<membership::Registry>,
    pub cancels: Arc<frontend::cancel::CancelRegistry>,
    /// What encrypts connections; nothing if only this machine can reach the node.
    pub keys: Option<Arc<Keys>>,
    /// Logins that have failed since the start.
    pub failed_logins: Arc<AtomicU64>,
    /// The last step to another authority that this node has taken.
    pub succession: parking_lot::Mutex<Option<(String, crate::pki::Stage)>>,
    pub disk_full: AtomicBool,
    /// How far reading through the files is, when somebody has asked for it.
    pub scrub: parking_lot::Mutex<admin::ScrubProgress>,
    /// Databases that are copied out of this node, and into it.
    pub copies: copies::Shelf,
    /// How far the logs are kept beside backups.
    pub archive: archive::Archive,
    /// Every replica here has once had everything that was acknowledged before this process began.
    pub caught_up: AtomicBool,
    /// The node has never had data: it is joining.
    pub new: AtomicBool,
    /// Once since it began, it did not wait for anybody's vote.
    pub settled: AtomicBool,
    /// What clients inside the node need, once the doors are open.
    pub doors: OnceLock<databases::Doors>,
    origin: u64,
    seq: AtomicU64,
}

impl Runtime {
    /// It is joining, and does not have its data yet.
    pub fn is_joining(&self) -> bool {
        self.new.load(Ordering::Acquire) && !self.caught_up()
    }

    pub fn caught_up(&self) -> bool {
        self.caught_up.load(Ordering::Acquire)
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
    Control::until(Instant::now() + time)
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
    let mut ends = Ends::listen()?;
    let private = own_dir(&config.data_dir);
    if !private.map_err(|e| format!("cannot make {}: {e}", config.data_dir.display()))? {
        tracing::warn!(dir = %config.data_dir.display(), "others can look into the data directory: its mode should be 0700");
    }
    let lock = DataLock::acquire(&config.data_dir).map_err(|e| e.to_string())?;
    crate::engine::set_temporary_directory(&config.data_dir).map_err(|e| e.to_string())?;
    let listeners = Listeners::bind(&config).await?;
    note(&config.data_dir, "pid", &std::process::id().to_string())?;
    note(&config.data_dir, "http", &config.http.advertise.to_string())?;
    let (identity, keys) = tokio::select! {
        established = establish::establish(&config, &listeners) => established?,
        () = ends.come() => return Ok(()),
    };
    if let Some(keys) = keys.clone() {
        tokio::spawn(security::keep_fresh(keys));
    }
    let (stop, stopped) = watch::channel(false);
    crate::meter::limit_node(config.transactions.memory);
    let (dismiss, dismissed) = watch::channel(None);
    let runtime = assemble(config, identity, keys, dismiss)?;
    // Who may connect is read from the disk before anybody can.
    if let Err(e) = membership::follow(&runtime).await {
        return Err(format!("the register of nodes cannot be read: {e:?}"));
    }
    tracing::info!(node = %runtime.identity.node, name = %runtime.config.name, "node started");
    let front = start_serving(&runtime, listeners, &stopped)?;
    let end = tokio::select! {
        () = ends.come() => Ok(()),
        why = removed(dismissed) => {
            membership::give_up(&runtime);
            Err(format!("{why}\n  {}", establish::removed_message(&runtime.config)))
        }
    };
    tracing::info!("stopping");
    let _ = stop.send(true);
    if tokio::time::timeout(DRAIN, front).await.is_err() {
        tracing::warn!("some statements were still running");
    }
    let routers = runtime.groups.routers();
    tokio::spawn(async move {
        // What does not end in time, or never, is applied at the next start.
        tokio::time::sleep(DRAIN).await;
        routers.iter().for_each(|router| router.group.stop_applying());
        tokio::time::sleep(DRAIN).await;
        tracing::error!("what is being applied cannot be interrupted: the process ends all the same");
        std::process::exit(1);
    });
    runtime.driver.shutdown(if end.is_ok() { DRAIN } else { Duration::ZERO }).await;
    runtime.network.close();
    let _ = std::fs::remove_file(runtime.config.data_dir.join("pid"));
    if end.is_err() {
        remove_data(&runtime.config.data_dir);
    }
    drop(lock);
    tracing::info!("stopped");
    end
}

/// Waits until a member says that the cluster has removed this node.
async fn removed(mut dismissed: watch::Receiver<Option<String>>) -> String {
    match dismissed.wait_for(Option::is_some).await {
        Ok(why) => why.clone().unwrap_or_default(),
        Err(_) => std::future::pending().await,
    }
}

/// The files of a node that is not a member any more; what says so stays.
fn remove_data(dir: &Path) {
    for part in ["groups", "log-engine", "snapshots", "incoming", "copies", "pki"]
        .into_iter()
        .filter(|part| dir.join(part).exists())
    {
        if let Err(error) = std::fs::remove_dir_all(dir.join(part)) {
            tracing::warn!(part, %error, "the removed node's data was not deleted");
        }
    }
}

/// The sockets, taken before anything is changed on disk: a port in use is the commonest mistake.
pub(crate) struct Listeners {
    postgres: std::net::TcpListener,
    peers: TcpListener,
    http: std::net::TcpListener,
}

impl Listeners {
    async fn bind(config: &Config) -> Result<Listeners, String> {
        async fn bind(key: &str, door: &Door) -> Result<TcpListener, String> {
            let Address { host, port } = &door.listen;
            let bound = match TcpListener::bind((host.as_str(), *port)).await {
                // A machine without IPv6.
                Err(e) if e.raw_os_error() == Some(libc::EAFNOSUPPORT) && host == "::" => {
                    TcpListener::bind(("0.0.0.0", *port)).await
                }
                bound => bound,
            };
            bound.map_err(|e| format!("cannot listen on {}: {e}\n  free the port, or change listen.{key}", door.listen))
        }
        let shared = |listener: TcpListener| listener.into_std().map_err(|e| e.to_string());
        Ok(Listeners {
            postgres: shared(bind("postgres", &config.postgres).await?)?,
            peers: bind("peers", &config.peers).await?,
            http: shared(bind("http", &config.http).await?)?,
        })
    }

    /// The same socket for the waiting room and then for the node.
    fn postgres(&self) -> Result<TcpListener, String> {
        Listeners::share(&self.postgres)
    }

    fn http(&self) -> Result<TcpListener, String> {
        Listeners::share(&self.http)
    }

    fn share(listener: &std::net::TcpListener) -> Result<TcpListener, String> {
        listener.try_clone().and_then(TcpListener::from_std).map_err(|e| format!("a socket cannot be shared: {e}"))
    }
}

/// Data without an identity is somebody's: it must not be written over, nor vote under a guessed name.
fn refuse_old_data(dir: &Path, identity: &Path) -> Result<(), String> {
    for part in ["log-engine", "groups"] {
        if dir.join(part).exists() {
            return Err(format!(
                "{} is missing, but {} holds a node's data\n  restore the file `{IDENTITY_FILE}` from a backup; or move \
                 the directory away and start the node again: it will join as a new member",
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
fn assemble(
    config: Config,
    mut identity: Identity,
    keys: Option<Arc<Keys>>,
    dismiss: watch::Sender<Option<String>>,
) -> Result<Arc<Runtime>, String> {
    let dir = config.data_dir.clone();
    let log: Arc<dyn RaftLog> = Arc::new(
        RaftEngineLog::open(&dir.join("log-engine"), &RaftEngineOptions::default())
            .map_err(|e| format!("the Raft log in {} cannot be opened: {e}", dir.display()))?,
    );
    begin(&dir, &mut identity, log.as_ref())?;
    let registry = Arc::new(membership::Registry::new(identity.clone()));
    let known = registry.clone();
    let me = PeerIdentity { cluster: identity.cluster, node: identity.node, incarnation: identity.incarnation };
    let network = Network::new(
        NetworkConfig {
            identity: me,
            address: config.peers.advertise.to_string(),
            incoming: dir.join("incoming"),
            admission: Box::new(move |peer, vouched, certified| known.admit(peer, vouched, certified)),
            clerk: establish::member_clerk(&config, &identity),
            keys: keys.clone(),
            dismissed: Box::new(move |why| drop(dismiss.send_replace(Some(why)))),
        },
        tokio::runtime::Handle::current(),
    )
    .map_err(|e| format!("{}: {e}", dir.display()))?;
    for member in &identity.members {
        network.set_peer(member.node, member.incarnation, member.address.clone());
    }
    let settings =
        NodeConfig { clock_tolerance: config.clock_tolerance, ..NodeConfig::new(identity.node, dir.join("snapshots")) };
    let driver = Node::start(settings, log.clone(), Arc::new(network.clone())).map_err(|e| e.to_string())?;
    let board = Board::new(&config.name);
    let cancels = frontend::cancel::CancelRegistry::new(identity.node);
    let own = identity.groups.clone();
    let runtime = Arc::new(Runtime {
        config,
        identity,
        network,
        driver,
        log,
        groups: groups::Groups::default(),
        board,
        registry,
        cancels,
        keys,
        failed_logins: Arc::default(),
        succession: parking_lot::Mutex::default(),
        disk_full: AtomicBool::new(false),
        scrub: parking_lot::Mutex::default(),
        copies: copies::Shelf::default(),
        archive: archive::Archive::default(),
        caught_up: AtomicBool::new(false),
        new: AtomicBool::new(false),
        settled: AtomicBool::new(false),
        doors: OnceLock::new(),
        origin: rand::random(),
        seq: AtomicU64::new(1),
    });
    groups::tidy(&runtime)?;
    copies::tidy(&runtime)?;
    let mut rebuilt = false;
    for (group, replica) in own {
        rebuilt |= groups::host(&runtime, group, replica)?.is_some();
    }
    // What has applied the entry that made it a member has everything that was there before.
    let arrived = |router: &Arc<Router>| {
        let (me, now) = (router.group.replica(), router.group.status().membership);
        now.voters.contains(&me) || now.learners.contains(&me)
    };
    let new = runtime.identity.founders.is_empty() && !rebuilt && !runtime.groups.routers().iter().all(arrived);
    runtime.new.store(new, Ordering::Release);
    Ok(runtime)
}

/// Opens a replica's state and has the driver run it; also why its file was set aside, if it was.
fn open_replica(
    runtime: &Runtime,
    group: GroupId,
    replica: ReplicaId,
    marks: tokio::sync::mpsc::UnboundedSender<(u64, u64)>,
) -> Result<(Arc<Router>, Option<String>), String> {
    let (dir, config, identity) = (&runtime.config.data_dir, &runtime.config, &runtime.identity);
    let bell = runtime.groups.home_bell.clone();
    let open = || open_engine(dir, identity.cluster, group, config, marks.clone(), bell.clone());
    let ((engine, shared), lost) = match open() {
        Err(why) if why.is_damage() && !identity.members.is_empty() => (open_anew(dir, group, &why, open)?, Some(why)),
        opened => (opened.map_err(|why| cannot_open(dir, group, &why))?, None),
    };
    let lost = lost.map(|why| format!("its file was damaged when it was opened, and set aside: {why}"));
    let handle = add_group(runtime, group, replica, engine, lost.clone())?;
    let (peers, limits) = (runtime.network.clone(), transaction_limits(config));
    let router = Router::new(identity.node, group, handle, shared, peers, Machine::shared(), limits);
    Ok((Arc::new(router), lost))
}

/// Lays the ground for a new member's replicas, once. From then on a log that is not there is lost: a replica that lacks
/// what it has acknowledged must not vote.
fn begin(dir: &Path, identity: &mut Identity, log: &dyn RaftLog) -> Result<(), String> {
    let there = log.groups();
    if identity.begun {
        return match identity.groups.keys().find(|group| !there.contains(group)) {
            None => Ok(()),
            Some(group) => Err(format!(
                "the Raft log of {group} is lost: this node must not vote under its old name\n  move {} away and start the \
                 node again: it will join as a new member; if other members are down, start them first",
                dir.display()
            )),
        };
    }
    for (group, replica) in &identity.groups {
        let places = identity.places.iter().filter(|(g, ..)| g == group);
        let writes = match identity.founders.is_empty() {
            false => bootstrap(*group, &places.map(|(_, replica, node)| (*replica, *node)).collect()),
            true => vec![LogWrite::HardState(*group, HardState::default())],
        };
        // A crash between this and the note below leaves what is written again.
        let begun = match there.contains(group) {
            true => log.write(&[LogWrite::Remove(*group)], true).and_then(|()| log.write(&writes, true)),
            false => log.write(&writes, true),
        };
        begun.map_err(|e| format!("the log of {group} ({replica}) cannot be begun: {e}"))?;
    }
    identity.begun = true;
    identity.save(dir).map_err(|e| e.to_string())
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
    config: &Config,
    marks: tokio::sync::mpsc::UnboundedSender<(u64, u64)>,
    bell: Arc<Notify>,
) -> Result<(Engine, Arc<engine::Shared>), OpenError> {
    let mut options = engine::Options::new(home(dir, group), dialect(group));
    options.statement_memory = config.transactions.statement_memory;
    options.latest = config.speaks;
    options.migrations = migrations(group);
    options.owner = owner(cluster, group);
    options.on_event = Arc::new(move |event| match event {
        Event::DigestMarked { index, digest } => {
            let _ = marks.send((index, digest));
        }
        Event::ClockSetBack { from, to } => {
            let seconds = (from - to) as f64 / 1e6;
            tracing::warn!(%group, seconds, "the time of the log was far ahead of a majority's clocks: it was set back");
        }
        Event::SchemaChanged { .. } if group == FIRST_DATABASE_GROUP => bell.notify_one(),
        Event::SchemaChanged { .. } => {}
    });
    Engine::open(options)
}

/// Whose file a replica's is.
fn owner(cluster: u128, group: GroupId) -> String {
    format!("group {} of cluster {cluster:032x}", group.0)
}

fn home(dir: &Path, group: GroupId) -> PathBuf {
    dir.join("groups").join(group.0.to_string())
}

/// The database file is not what was written: it is kept for people to look at, and the replica begins with an empty one. What it
/// needs the others give it. It may do so under its old id, since what it has promised is in its log: see `replica::core`.
fn open_anew<T>(
    dir: &Path,
    group: GroupId,
    why: &OpenError,
    open: impl FnOnce() -> Result<T, OpenError>,
) -> Result<T, String> {
    let home = home(dir, group);
    let aside = engine::set_aside(&home).map_err(|e| format!("{}: {e}", home.display()))?;
    let aside = aside.display();
    tracing::error!(%group, "the database cannot be opened: {why}; it is kept as {aside}, and rebuilt from the other nodes");
    open().map_err(|why| cannot_open(dir, group, &why))
}

fn cannot_open(dir: &Path, group: GroupId, why: &OpenError) -> String {
    let advice = match why.is_damage() {
        true => {
            "\n  its file is not what was written (a broken disk, or another program has written to it), or an older version \
             made it, and no other node has a copy: restore the data directory from a backup"
        }
        false => "",
    };
    format!("the database in {} cannot be opened: {why}{advice}", home(dir, group).display())
}

/// How a database's state is opened where no node runs.
pub fn offline(directory: &Path, owner: String) -> engine::Options {
    offline_group(directory, FIRST_DATABASE_GROUP, owner)
}

fn offline_group(directory: &Path, group: GroupId, owner: String) -> engine::Options {
    engine::Options { migrations: migrations(group), owner, ..engine::Options::new(directory, dialect(group)) }
}

fn migrations(group: GroupId) -> Vec<Migration> {
    if group == SYSTEM_GROUP { crate::sql::system_migrations() } else { crate::sql::database_migrations() }.to_vec()
}

/// What the engine is told about the SQL of databases.
pub fn database_dialect() -> engine::Dialect {
    dialect(FIRST_DATABASE_GROUP)
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
        show_view: crate::sql::view::shown,
    }
}

fn add_group(
    runtime: &Runtime,
    group: GroupId,
    replica: ReplicaId,
    engine: Engine,
    lost: Option<String>,
) -> Result<Group, String> {
    let nodes = runtime.registry.nodes_of(group);
    // The system group says what every node is to do: it is always awake.
    let tuning = (group == SYSTEM_GROUP).then(|| CoreConfig { rest_ticks: 0, ..CoreConfig::new(group, replica, 0) });
    let config = GroupConfig { group, replica, nodes, founders: None, state_machine: Box::new(engine), lost, tuning };
    runtime.driver.add_group(config).map_err(|e| match e {
        AddGroupError::Start(StartError::ImpossibleTerm(_)) => format!("the replica of {group} cannot start: {e}"),
        e => format!(
            "the replica of {group} cannot start: {e}\n  its data has lost acknowledged entries; move the data directory \
             away and start the node again: it will join as a new member"
        ),
    })
}

/// `quorate repair-term`: without a term, says which terms the stopped node's log has; with one, makes it the node's.
///
/// The term on the disk of a node counts elections, and the vote beside it says whom the node voted for in that term.
/// To lower it is safe if no vote and no entry of a term that will be used again can count any more:
/// - *entries:* the new term is above that of every entry of every member, so no election can be won in a term
///   that has entries;
/// - *votes and messages:* all members are stopped, so nothing of the forgotten terms is on its way, and all of them
///   forget their votes before any of them starts. A member that is left out keeps its impossible term and is
///   refused by the others until it is mended as well.
pub fn repair_term(dir: &Path, term: Option<u64>) -> Result<String, String> {
    let _lock = DataLock::acquire(dir).map_err(|e| e.to_string())?;
    let identity = Identity::load(dir).map_err(|e| e.to_string())?;
    let log = RaftEngineLog::open(&dir.join("log-engine"), &RaftEngineOptions::default()).map_err(|e| e.to_string())?;
    let mut found = Vec::new();
    for group in identity.groups.keys() {
        let group_log = log.load(*group).map_err(|e| e.to_string())?;
        found.push((*group, group_log.record.hard_state, group_log.last.term));
    }
    let highest = found.iter().map(|(_, _, entry)| *entry).max().unwrap_or(0);
    if highest > MAX_TERM {
        return Err(format!("an entry has the term {highest}: that cannot be mended, replace the node"));
    }
    let Some(term) = term else {
        let mut out = String::new();
        for (group, hard, entry) in &found {
            out.push_str(&format!("{group}: term {}, last entry of term {entry}\n", hard.term));
        }
        out.push_str(&format!("on every member, use a --term above {highest}, and above what the others show"));
        return Ok(out);
    };
    if term <= highest {
        return Err(format!("an entry has the term {highest}: give a higher --term, the same on every member"));
    }
    if term > MAX_TERM / 2 {
        return Err(format!("the term {term} is impossible as well: one above {highest} is enough"));
    }
    let writes: Vec<LogWrite> = found
        .iter()
        .map(|(group, hard, _)| LogWrite::HardState(*group, HardState { term, vote: 0, commit: hard.commit }))
        .collect();
    log.write(&writes, true).map_err(|e| e.to_string())?;
    Ok(format!("the term is {term} now, and no vote is remembered: do the same on every member before any is started"))
}

/// Opens the doors and starts the housekeeping; the returned future ends when the last client is gone.
fn start_serving(
    runtime: &Arc<Runtime>,
    listeners: Listeners,
    stopped: &watch::Receiver<bool>,
) -> Result<impl Future<Output = ()> + use<>, String> {
    let (http, postgres) = (listeners.http()?, listeners.postgres()?);
    let service = Arc::new(service::PeerService(runtime.clone()));
    runtime.network.serve(listeners.peers, runtime.driver.inbound(), service);
    let guard = security::guard(runtime);
    let front = service::front(runtime, guard.clone());
    let console = console::Console::new(runtime, front.clone());
    let facts = Arc::new(service::NodeFacts { runtime: runtime.clone(), guard, console });
    tokio::spawn(admin::serve(http, facts, security::gate(&runtime.config, runtime.keys.clone()), stopped.clone()));
    tokio::spawn(membership::catch_up(runtime.clone()));
    tokio::spawn(membership::register_and_follow(runtime.clone()));
    tokio::spawn(authority::follow(runtime.clone()));
    if let Some(collector) = runtime.config.trace.collector.clone() {
        let news = crate::trace::begin(runtime.config.trace.share);
        tokio::spawn(spans::send(runtime.clone(), collector, news));
    }
    tokio::spawn(shape::look_after(runtime.clone()));
    tokio::spawn(versions::raise(runtime.clone()));
    tokio::spawn(databases::look_after(runtime.clone()));
    tokio::spawn(board::report(runtime.clone()));
    tokio::spawn(watchdog::watch_disk(runtime.clone()));
    tokio::spawn(watchdog::measure_files(runtime.clone()));
    tokio::spawn(watchdog::compare_digests(runtime.clone()));
    tokio::spawn(watchdog::scrub(runtime.clone()));
    tokio::spawn(archive::keep(runtime.clone()));
    tokio::spawn(statistics::keep(runtime.clone()));
    Ok(service::serve_clients(runtime, postgres, front, stopped.clone()))
}

/// The signals that end a node. They are listened for from its beginning on: one that comes while the log is being read must
/// be there when somebody looks.
struct Ends {
    term: Signal,
    int: Signal,
}

impl Ends {
    fn listen() -> Result<Ends, String> {
        let listen = |kind| signal(kind).map_err(|e| format!("signals cannot be listened for: {e}"));
        Ok(Ends { term: listen(SignalKind::terminate())?, int: listen(SignalKind::interrupt())? })
    }

    /// Waits for one.
    async fn come(&mut self) {
        tokio::select! { _ = self.term.recv() => {}, _ = self.int.recv() => {} }
    }
}

/// This node as the system group has it.
pub(crate) fn entry(config: &Config, identity: &Identity) -> NodeEntry {
    NodeEntry {
        id: identity.node,
        name: config.name.clone(),
        incarnation: identity.incarnation,
        peer_addr: config.peers.advertise.to_string(),
        pg_addr: config.postgres.advertise.to_string(),
        http_addr: config.http.advertise.to_string(),
        state: "up".into(),
        speaks: config.speaks,
    }
}
