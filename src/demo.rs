//! `quorate demo`: a cluster of child processes on loopback, for a person to play with.
//!
//! It starts the nodes, says how to connect and how to do harm, and reports what happens to them. It restarts nothing
//! by itself: seeing a cluster live on with a dead node is the point. The ports are kept in `DIR/demo.toml`, so the same
//! directory started again is the same cluster.

mod chaos;
mod links;
mod load;
mod page;
mod screen;
mod script;
mod terminal;

use crate::admin::client::{Way, get_json};
use crate::config::{Cluster, ConfigFile, InitialNode, Listen};
use crate::status::ClusterStatus;
use chaos::Chaos;
use clap::Args;
use links::Links;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// The longest that nodes get for an orderly end before they are killed.
const STOP_WITHIN: Duration = Duration::from_secs(15);
const READY_WITHIN: Duration = Duration::from_secs(30);

/// What its command line says.
#[derive(Args)]
pub struct DemoArgs {
    /// How many nodes
    #[arg(long, default_value_t = 3)]
    pub nodes: u64,
    /// Where the data lives; started again with the same directory, the cluster goes on
    #[arg(long, default_value = "data")]
    pub data_dir: PathBuf,
    /// Postgres port of the first node; the others follow
    #[arg(long, default_value_t = 5433)]
    pub base_port: u16,
    /// Run a load through all nodes, with a page whose buttons kill, pause, cut off, slow down, wipe and restart them, or cut all
    /// power; at the end, read every acknowledged row back
    #[arg(long)]
    pub chaos: bool,
    /// The same by a script: lines of SECONDS ACTION NODE (kill, pause, resume, cut, slow, heal, restart, wipe, lead; a node's name,
    /// leader, follower or all) or SECONDS power, the last one SECONDS end
    #[arg(long, value_name = "FILE")]
    pub script: Option<PathBuf>,
    /// The same with a view in this terminal, and keys for the buttons
    #[arg(long)]
    pub tui: bool,
    /// Port of the page of --chaos; any that is free if 0
    #[arg(long, default_value_t = 8480)]
    pub http_port: u16,
}

impl DemoArgs {
    fn does_harm(&self) -> bool {
        self.chaos || self.tui || self.script.is_some()
    }
}

/// The layout that `DIR/demo.toml` remembers.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Layout {
    nodes: Vec<Node>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Node {
    name: String,
    postgres: u16,
    peers: u16,
    http: u16,
    /// Where the others reach it, if that is a relay which can cut it off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    front: Option<u16>,
}

impl Node {
    /// What the others are told.
    fn peer_address(&self) -> String {
        format!("127.0.0.1:{}", self.front.unwrap_or(self.peers))
    }
}

struct Running {
    node: Node,
    child: Child,
    ended: bool,
}

pub fn run(args: &DemoArgs) -> Result<(), String> {
    if args.nodes == 0 || args.nodes > 9 {
        return Err("--nodes must be from 1 to 9".into());
    }
    if args.tui {
        terminal::check()?;
    }
    std::fs::create_dir_all(&args.data_dir).map_err(|e| format!("cannot make {}: {e}", args.data_dir.display()))?;
    let dir = args.data_dir.canonicalize().map_err(|e| e.to_string())?;
    let layout = layout(&dir, args)?;
    let stop = stop_flag(args.tui)?;
    if args.does_harm() {
        return run_chaos(args, &dir, &layout, &stop);
    }
    let mut running = start_all(&dir, &layout)?;
    let outcome = wait_until_ready(&mut running, &stop).map(|leader| {
        if let Some(leader) = leader {
            announce(&dir, &layout, &leader);
        }
        watch(&mut running, &stop, &dir);
    });
    stop_all(&mut running);
    stop_restarted(&dir, &layout);
    outcome
}

/// The same under a load, and with somebody who does harm.
fn run_chaos(args: &DemoArgs, dir: &Path, layout: &Layout, stop: &Arc<AtomicBool>) -> Result<(), String> {
    let script = match &args.script {
        None => None,
        Some(path) => {
            let text = std::fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))?;
            Some(script::parse_script(&text).map_err(|e| format!("{}: {e}", path.display()))?)
        }
    };
    let exe = std::env::current_exe().map_err(|e| e.to_string())?;
    let network = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let network = network.map_err(|e| e.to_string())?;
    let listen = |port: u16| {
        let bound = network.block_on(tokio::net::TcpListener::bind(("127.0.0.1", port)));
        bound.map_err(|e| format!("port {port} on 127.0.0.1 cannot be used: {e}"))
    };
    let links = Links::new();
    for node in &layout.nodes {
        if let Some(front) = node.front {
            network.spawn(links.clone().relay(listen(front)?, node.peers));
        }
    }
    let page = listen(args.http_port)?;
    let running = Arc::new(Mutex::new(start_all(dir, layout)?));
    let ready = wait_until_ready(&mut running.lock(), stop);
    let outcome = ready.and_then(|leader| {
        let Some(leader) = leader else { return Ok(()) };
        announce(dir, layout, &leader);
        let chaos = Chaos::start(exe, dir, layout, running.clone(), links, !args.tui)?;
        chaos::announce(layout, page.local_addr().map_err(|e| e.to_string())?.port());
        network.spawn(page::serve(page, chaos.clone()));
        match script {
            script if args.tui => {
                terminal::run(&chaos, script, stop)?;
                tell("The load ends, and every acknowledged row is read back.");
            }
            Some(steps) => drop(chaos.play(&steps, stop)),
            None => {
                while !stop.load(Ordering::SeqCst) {
                    chaos.reap();
                    std::thread::sleep(Duration::from_millis(50));
                }
            }
        }
        chaos.finish()
    });
    stop_all(&mut running.lock());
    stop_restarted(dir, layout);
    network.shutdown_background();
    outcome
}

fn layout(dir: &Path, args: &DemoArgs) -> Result<Layout, String> {
    let path = dir.join("demo.toml");
    if let Ok(text) = std::fs::read_to_string(&path) {
        let mut layout: Layout = toml::from_str(&text).map_err(|e| format!("{}: {e}", path.display()))?;
        if layout.nodes.len() as u64 != args.nodes {
            return Err(format!(
                "{} holds a cluster of {} nodes\n  give --nodes {}, or another --data-dir",
                dir.display(),
                layout.nodes.len(),
                layout.nodes.len()
            ));
        }
        let chaos = args.does_harm();
        if layout.nodes.iter().any(|node| node.front.is_some() != chaos) {
            let (was, is) = if chaos { ("without", "with") } else { ("with", "without") };
            return Err(format!(
                "{} was made {was} --chaos, so its nodes know each other by other addresses than they would {is} it\n  give another --data-dir",
                dir.display()
            ));
        }
        // Only the clients' ports may move: the peers know each other by theirs.
        for (i, node) in layout.nodes.iter_mut().enumerate() {
            node.postgres = postgres_port(args, i)?;
        }
        return Ok(layout);
    }
    let mut held = Vec::new();
    let mut free_port = || -> Result<u16, String> {
        // Below those that the kernel gives to outgoing connections, if there is one: nobody takes it while the node is down.
        let clients = args.base_port..args.base_port.saturating_add(args.nodes as u16);
        let low = (0..100).map(|_| rand::random_range(20_000..32_000)).filter(|port| !clients.contains(port));
        let low = low.map(|port| TcpListener::bind(("127.0.0.1", port))).find_map(Result::ok);
        let listener = low.map_or_else(|| TcpListener::bind("127.0.0.1:0"), Ok);
        let listener = listener.map_err(|e| format!("no free port: {e}"))?;
        let port = listener.local_addr().map_err(|e| e.to_string())?.port();
        held.push(listener);
        Ok(port)
    };
    let mut nodes = Vec::new();
    for i in 0..args.nodes as usize {
        nodes.push(Node {
            name: format!("node-{}", i + 1),
            postgres: postgres_port(args, i)?,
            peers: free_port()?,
            http: free_port()?,
            front: if args.does_harm() { Some(free_port()?) } else { None },
        });
    }
    drop(held);
    let layout = Layout { nodes };
    let text = toml::to_string(&layout).map_err(|e| e.to_string())?;
    std::fs::write(&path, text).map_err(|e| format!("cannot write {}: {e}", path.display()))?;
    Ok(layout)
}

fn postgres_port(args: &DemoArgs, i: usize) -> Result<u16, String> {
    let port = u32::from(args.base_port) + i as u32;
    let port = u16::try_from(port).map_err(|_| "--base-port is too high for so many nodes".to_owned())?;
    match TcpListener::bind(("127.0.0.1", port)) {
        Ok(_) => Ok(port),
        Err(e) => Err(format!("port {port} on 127.0.0.1 cannot be used: {e}\n  give another --base-port")),
    }
}

fn start_all(dir: &Path, layout: &Layout) -> Result<Vec<Running>, String> {
    let exe = std::env::current_exe().map_err(|e| e.to_string())?;
    let initial = initial_nodes(layout);
    let mut running = Vec::new();
    for node in &layout.nodes {
        let home = dir.join(&node.name);
        match start_one(&exe, &home, node, &initial) {
            Ok(child) => running.push(Running { node: node.clone(), child, ended: false }),
            Err(e) => {
                stop_all(&mut running);
                return Err(e);
            }
        }
    }
    Ok(running)
}

fn initial_nodes(layout: &Layout) -> Vec<InitialNode> {
    let node = |(node, id): (&Node, u64)| InitialNode { id, name: node.name.clone(), peers: node.peer_address() };
    layout.nodes.iter().zip(1..).map(node).collect()
}

fn start_one(exe: &Path, home: &Path, node: &Node, initial: &[InitialNode]) -> Result<Child, String> {
    let problem = |e: std::io::Error| format!("cannot start {}: {e}", node.name);
    std::fs::create_dir_all(home).map_err(problem)?;
    let config = ConfigFile {
        name: Some(node.name.clone()),
        data_dir: Some(home.to_owned()),
        listen: Listen {
            postgres: Some(format!("127.0.0.1:{}", node.postgres)),
            peers: Some(format!("127.0.0.1:{}", node.peers)),
            advertise_peers: node.front.map(|_| node.peer_address()),
            http: Some(format!("127.0.0.1:{}", node.http)),
            ..Listen::default()
        },
        cluster: Cluster { name: Some("demo".into()), initial: initial.to_vec(), ..Cluster::default() },
        ..ConfigFile::default()
    };
    let text = toml::to_string(&config).map_err(|e| e.to_string())?;
    let path = config_path(home);
    std::fs::write(&path, text).map_err(problem)?;
    let log = std::fs::OpenOptions::new().create(true).append(true).open(home.join("log")).map_err(problem)?;
    let mut command = Command::new(exe);
    command.arg("start").arg("--config").arg(&path);
    command.stdin(Stdio::null()).stdout(log.try_clone().map_err(problem)?).stderr(log);
    detach_from_terminal(&mut command);
    command.spawn().map_err(problem)
}

/// Ctrl-C in the terminal must reach the demo only, which then stops its nodes in order.
fn detach_from_terminal(command: &mut Command) {
    use std::os::unix::process::CommandExt;
    command.process_group(0);
}

fn config_path(home: &Path) -> PathBuf {
    home.join("config.toml")
}

/// Set by a signal that asks for the end; with `hangup`, also when the terminal goes away.
fn stop_flag(hangup: bool) -> Result<Arc<AtomicBool>, String> {
    let flag = Arc::new(AtomicBool::new(false));
    let setter = flag.clone();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|e| e.to_string())?;
    std::thread::spawn(move || {
        runtime.block_on(async move {
            use tokio::signal::unix::{SignalKind, signal};
            let (Ok(mut int), Ok(mut term)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate())) else {
                return;
            };
            let gone = async {
                match hangup.then(|| signal(SignalKind::hangup())) {
                    Some(Ok(mut gone)) => drop(gone.recv().await),
                    _ => std::future::pending().await,
                }
            };
            tokio::select! { _ = int.recv() => {}, _ = term.recv() => {}, () = gone => {} }
            setter.store(true, Ordering::SeqCst);
        });
    });
    Ok(flag)
}

/// Waits until every group has a leader and every node answers; `None` if asked to stop meanwhile.
fn wait_until_ready(running: &mut [Running], stop: &AtomicBool) -> Result<Option<String>, String> {
    let until = Instant::now() + READY_WITHIN;
    let addresses: Vec<String> = running.iter().map(|r| format!("127.0.0.1:{}", r.node.http)).collect();
    while !stop.load(Ordering::SeqCst) {
        for r in running.iter_mut() {
            if let Ok(Some(status)) = r.child.try_wait() {
                r.ended = true;
                return Err(format!("{} ended at once ({status}); its log says why: see its `log` file", r.node.name));
            }
        }
        if let Some(leader) = ready(&addresses) {
            return Ok(Some(leader));
        }
        if Instant::now() > until {
            return Err(format!("the cluster was not ready within {} s", READY_WITHIN.as_secs()));
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok(None)
}

/// What a node says of the cluster, if it answers.
fn status_of(address: &str) -> Option<ClusterStatus> {
    get_json(address, "/status", &Way::default()).ok()
}

fn ready(addresses: &[String]) -> Option<String> {
    let mut leader = None;
    for addr in addresses {
        let status = status_of(addr)?;
        if status.groups.is_empty() || status.nodes.iter().filter(|n| n.state == "up").count() < addresses.len() {
            return None;
        }
        for group in &status.groups {
            let name = group.leader.clone()?;
            if group.database == "quorate" {
                leader = Some(name);
            }
        }
    }
    leader
}

/// Says something to whoever looks on; a terminal that is gone is no reason to leave the nodes behind.
fn tell(text: &str) {
    use std::io::Write;
    let _ = writeln!(std::io::stdout(), "{text}");
}

/// How this program was called: `cargo run` does not put it into the search path.
fn me() -> String {
    std::env::args().next().unwrap_or("quorate".to_owned())
}

fn announce(dir: &Path, layout: &Layout, leader: &str) {
    println!("\nA cluster of {} nodes is running; its data is in {}.\n", layout.nodes.len(), dir.display());
    for node in &layout.nodes {
        let role = if node.name == leader { "leader" } else { "follower" };
        println!("  {:<8} {role:<9} psql -h 127.0.0.1 -p {} -U quorate quorate", node.name, node.postgres);
    }
    println!("\nEvery node takes every statement. Kill one and go on:\n");
    println!("  kill -9 $(cat {})", dir.join(leader).join("pid").display());
    println!("\nand start it again:\n");
    println!("  {} start --config {}", me(), config_path(&dir.join(leader)).display());
    println!("\nWho leads, and are the replicas equal:\n\n  {} status --data-dir {}", me(), dir.display());
    println!("\nCtrl-C stops all nodes.");
}

fn watch(running: &mut [Running], stop: &AtomicBool, dir: &Path) {
    while !stop.load(Ordering::SeqCst) {
        for r in running.iter_mut().filter(|r| !r.ended) {
            if let Ok(Some(status)) = r.child.try_wait() {
                r.ended = true;
                println!(
                    "{} ended ({status}); start it again with: {} start --config {}",
                    r.node.name,
                    me(),
                    config_path(&dir.join(&r.node.name)).display()
                );
            }
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    println!("\nstopping");
}

fn stop_all(running: &mut [Running]) {
    for r in running.iter_mut().filter(|r| !r.ended) {
        // SAFETY: kill(2) on the id of a child that has not been waited for, so the id is still ours.
        unsafe { libc::kill(r.child.id() as libc::pid_t, libc::SIGTERM) };
    }
    let until = Instant::now() + STOP_WITHIN;
    for r in running.iter_mut().filter(|r| !r.ended) {
        loop {
            match r.child.try_wait() {
                Ok(Some(_)) | Err(_) => break,
                Ok(None) if Instant::now() > until => {
                    eprintln!("{} did not stop within {} s and is killed", r.node.name, STOP_WITHIN.as_secs());
                    let _ = r.child.kill();
                    let _ = r.child.wait();
                    break;
                }
                Ok(None) => std::thread::sleep(Duration::from_millis(20)),
            }
        }
        r.ended = true;
    }
}

/// Nodes that were started again by hand belong to the demo's directory, so they stop with it.
fn stop_restarted(dir: &Path, layout: &Layout) {
    let pid_of = |node: &Node| -> Option<libc::pid_t> {
        let pid = std::fs::read_to_string(dir.join(&node.name).join("pid")).ok()?.trim().parse().ok()?;
        let command = std::fs::read(format!("/proc/{pid}/cmdline")).ok()?;
        let config = config_path(&dir.join(&node.name));
        let ours = command.split(|b| *b == 0).any(|arg| Path::new(&*String::from_utf8_lossy(arg)) == config);
        ours.then_some(pid)
    };
    for node in &layout.nodes {
        if let Some(pid) = pid_of(node) {
            // SAFETY: kill(2) on a process that has this node's configuration on its command line.
            unsafe { libc::kill(pid, libc::SIGTERM) };
        }
    }
    let until = Instant::now() + STOP_WITHIN;
    for node in &layout.nodes {
        while pid_of(node).is_some() && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}
