//! A cluster of real processes in a temporary directory.
//!
//! Each node is the program itself with a configuration file of its own; nodes are named by their ids, from 1. Dropping
//! the cluster kills its own processes and, if the test is failing, prints how their logs end. Should the test process
//! itself be killed, the kernel takes the nodes with it.

use super::proxy::Switch;
use super::shim::{Knobs, Trouble};
use super::{PATIENCE, eventually, http, ports::free_port};
use quorate::status::{ClusterStatus, ReplicaRow};
use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tokio_postgres::{Client, NoTls};

/// The program under test.
pub const QUORATE: &str = env!("CARGO_BIN_EXE_quorate");
/// How much of each node's log a failing test shows.
const LOG_TAIL: usize = 60;

/// What a test may want otherwise.
#[derive(Clone, Default)]
pub struct Options {
    /// Peers reach each other through proxies that can be cut: see [`Cluster::network`].
    pub proxied: bool,
    /// Data directories elsewhere than in the cluster's temporary directory.
    pub homes: BTreeMap<u64, PathBuf>,
    /// Lines for the `[limits]` section.
    pub limits: String,
    /// Lines for the `[cluster]` section, of nodes that join too.
    pub cluster: String,
    /// Clocks and disks of the first nodes can be made bad: see [`Cluster::trouble`].
    pub shimmed: bool,
}

pub struct Cluster {
    pub dir: TempDir,
    pub nodes: BTreeMap<u64, Node>,
    /// Cuts connections between peers, if the cluster was started with `proxied`.
    pub network: Option<Switch>,
    /// Lines for the `[cluster]` section.
    settings: String,
    /// Variables of the environment of nodes that are started from now on.
    pub environment: Vec<(String, String)>,
}

pub struct Node {
    pub id: u64,
    pub name: String,
    pub home: PathBuf,
    pub postgres: u16,
    pub http: u16,
    pub peers: u16,
    pub config: PathBuf,
    pub log: PathBuf,
    process: Option<Child>,
    paused: bool,
    knobs: Option<Knobs>,
}

impl Cluster {
    /// `n` founders on loopback; returns when each of them is ready.
    pub async fn start(n: u64) -> Cluster {
        Cluster::start_with(n, Options::default()).await
    }

    pub async fn start_with(n: u64, options: Options) -> Cluster {
        let mut cluster = Cluster::prepare(n, options).await;
        for id in 1..=n {
            cluster.spawn(id);
        }
        cluster.wait_ready().await;
        cluster
    }

    /// Configured and not started.
    pub async fn prepare(n: u64, options: Options) -> Cluster {
        let dir = tempfile::Builder::new().prefix("quorate-").tempdir().expect("a temporary directory");
        let network = options.proxied.then(Switch::new);
        let mut nodes = BTreeMap::new();
        let mut fronts = BTreeMap::new();
        for id in 1..=n {
            let home = options.homes.get(&id).cloned().unwrap_or_else(|| dir.path().join(format!("node-{id}")));
            let mut node = Node::new(id, dir.path(), home);
            node.knobs = options.shimmed.then(|| Knobs::new(dir.path().join(format!("node-{id}.knobs"))));
            let front = match &network {
                Some(network) => network.stand_before(id, node.peers).await,
                None => node.peers,
            };
            fronts.insert(id, front);
            nodes.insert(id, node);
        }
        let initial: String = fronts
            .iter()
            .map(|(id, port)| {
                format!("[[cluster.initial]]\nid = {id}\nname = \"node-{id}\"\npeers = \"127.0.0.1:{port}\"\n")
            })
            .collect();
        for (id, node) in &nodes {
            let advertise = match fronts[id] {
                front if front != node.peers => format!("advertise_peers = \"127.0.0.1:{front}\"\n"),
                _ => String::new(),
            };
            node.configure(&format!(
                "{advertise}\n[cluster]\nname = \"test\"\n{}\n{initial}[limits]\n{}\n",
                options.cluster, options.limits
            ));
        }
        Cluster { dir, nodes, network, settings: options.cluster, environment: Vec::new() }
    }

    /// A further node that joins through member `through`; returns its id here. It is started, and not waited for.
    pub fn join(&mut self, through: u64) -> u64 {
        let id = self.nodes.keys().max().map_or(1, |id| id + 1);
        let node = Node::new(id, self.dir.path(), self.dir.path().join(format!("node-{id}")));
        let member = self.nodes[&through].http;
        node.configure(&format!("\n[cluster]\nname = \"test\"\n{}\njoin = \"127.0.0.1:{member}\"\n", self.settings));
        self.nodes.insert(id, node);
        self.spawn(id);
        id
    }

    pub fn node(&self, id: u64) -> &Node {
        &self.nodes[&id]
    }

    fn node_mut(&mut self, id: u64) -> &mut Node {
        self.nodes.get_mut(&id).expect("a node of this cluster")
    }

    pub fn switch(&self) -> &Switch {
        self.network.as_ref().expect("the cluster was started with `proxied`")
    }

    // --- processes ----------------------------------------------------------------------------------------------

    /// Starts the process, which may have ended by itself before; does not wait.
    pub fn spawn(&mut self, id: u64) {
        assert!(!self.is_running(id), "node {id} runs already");
        let environment = self.environment.clone();
        let node = self.node_mut(id);
        let mut command = Command::new(QUORATE);
        command.envs(environment);
        command.arg("start").arg("--config").arg(&node.config);
        node.knobs.iter().for_each(|knobs| knobs.prepare(&mut command));
        node.process = Some(spawn_child(command, &node.log));
    }

    /// What is wrong with a machine from now on, if it was started so that it can be.
    pub fn trouble(&self, id: u64, trouble: Trouble) {
        self.nodes[&id].knobs.iter().for_each(|knobs| knobs.set(trouble));
    }

    /// SIGKILL.
    pub fn kill(&mut self, id: u64) {
        let node = self.node_mut(id);
        node.process.as_mut().expect("it runs").kill().expect("our own child");
        node.reap();
    }

    /// SIGTERM, and waits for the end.
    pub async fn stop(&mut self, id: u64) -> ExitStatus {
        let node = self.node_mut(id);
        node.signal(libc::SIGTERM);
        let (process, name) = (node.process.as_mut().expect("it runs"), node.name.clone());
        let status = eventually(&format!("{name} stops"), PATIENCE, async || {
            process.try_wait().expect("our own child").ok_or_else(|| "it still runs".into())
        })
        .await;
        node.process = None;
        status
    }

    /// Waits until a process ends by itself.
    pub async fn ended(&mut self, id: u64) -> ExitStatus {
        let node = self.node_mut(id);
        let process = node.process.as_mut().expect("it runs");
        let status = eventually("the node ends by itself", PATIENCE, async || {
            process.try_wait().expect("our own child").ok_or_else(|| "it still runs".into())
        })
        .await;
        node.process = None;
        status
    }

    /// SIGSTOP.
    pub fn pause(&mut self, id: u64) {
        let node = self.node_mut(id);
        node.signal(libc::SIGSTOP);
        node.paused = true;
        // One of its threads takes the signal and stops the others: on a busy machine that one may have to wait for its turn,
        // and the others go on meanwhile.
        let stands = |thread: std::io::Result<std::fs::DirEntry>| {
            let stat = thread.and_then(|thread| std::fs::read_to_string(thread.path().join("stat")));
            // A thread that has ended does nothing any more.
            stat.map_or(true, |stat| {
                stat.rsplit(')').next().is_some_and(|rest| rest.trim_start().starts_with(['T', 'Z', 'X']))
            })
        };
        let threads = format!("/proc/{}/task", node.pid().expect("it runs"));
        let begun = std::time::Instant::now();
        while std::fs::read_dir(&threads).is_ok_and(|mut threads| !threads.all(stands)) {
            assert!(begun.elapsed() < std::time::Duration::from_secs(30), "node-{id} does not stop");
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
    }

    /// SIGCONT.
    pub fn resume(&mut self, id: u64) {
        let node = self.node_mut(id);
        node.signal(libc::SIGCONT);
        node.paused = false;
    }

    pub fn resume_if_paused(&mut self, id: u64) {
        if self.node(id).paused {
            self.resume(id);
        }
    }

    /// Starts a node that was killed or stopped, and waits until it is ready.
    pub async fn restart(&mut self, id: u64) {
        self.spawn(id);
        self.wait_node_ready(id).await;
    }

    /// Everything on the machine's disk is gone; its configuration and its log file are kept elsewhere.
    pub fn wipe(&mut self, id: u64) {
        let node = self.node_mut(id);
        assert!(node.process.is_none(), "{} runs", node.name);
        std::fs::remove_dir_all(&node.home).expect("our own directory");
    }

    /// Whether the process has not ended by itself.
    pub fn is_running(&mut self, id: u64) -> bool {
        self.node_mut(id).process.as_mut().is_some_and(|p| p.try_wait().expect("our own child").is_none())
    }

    pub fn living(&self) -> Vec<u64> {
        self.nodes.values().filter(|n| n.process.is_some() && !n.paused).map(|n| n.id).collect()
    }

    /// Resident memory of a node's process in bytes.
    pub fn memory(&self, id: u64) -> u64 {
        self.memory_of(id, "VmRSS:")
    }

    /// The most that it was at any moment since this was asked last.
    pub fn peak_memory(&self, id: u64) -> u64 {
        let most = self.memory_of(id, "VmHWM:");
        let pid = self.node(id).pid().expect("it runs");
        // proc_pid_clear_refs(5): 5 makes the peak what it is now.
        std::fs::write(format!("/proc/{pid}/clear_refs"), "5").expect("our own child");
        most
    }

    fn memory_of(&self, id: u64, what: &str) -> u64 {
        let pid = self.node(id).pid().expect("it runs");
        let text = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("our own child");
        let line = text.lines().find(|l| l.starts_with(what)).expect("a line of that name");
        let kib: u64 = line.split_whitespace().nth(1).and_then(|n| n.parse().ok()).expect("a number");
        kib * 1024
    }

    // --- observing ----------------------------------------------------------------------------------------------

    pub async fn wait_ready(&mut self) {
        for id in self.living() {
            self.wait_node_ready(id).await;
        }
    }

    pub async fn wait_node_ready(&mut self, id: u64) {
        let node = self.node_mut(id);
        let (process, port, name) = (node.process.as_mut().expect("it runs"), node.http, node.name.clone());
        eventually(&format!("{name} is ready"), PATIENCE, async || {
            if let Some(status) = process.try_wait().expect("our own child") {
                panic!("{name} ended at once: {status}");
            }
            match http::get(port, "/ready").await? {
                (200, _) => Ok(()),
                (code, body) => Err(format!("{code} {body}")),
            }
        })
        .await
    }

    /// `quorate node …`, asked of node `asked`; returns what it printed.
    pub async fn order(&self, asked: u64, words: &[&str]) -> Result<String, String> {
        let addr = format!("127.0.0.1:{}", self.node(asked).http);
        let ended = run_program(&[&["node"], words, &["--addr", &addr]].concat()).await;
        if ended.code == Some(0) { Ok(ended.output) } else { Err(ended.output) }
    }

    pub async fn status(&self, id: u64) -> Result<ClusterStatus, String> {
        http::status(self.node(id).http).await
    }

    /// The leader of a database's group, once a majority of `among` says so, itself included.
    pub async fn leader_among(&self, among: &[u64], database: &str) -> u64 {
        eventually(&format!("{database} has a leader"), PATIENCE, async || {
            let mut votes: BTreeMap<String, usize> = BTreeMap::new();
            let mut seen = Vec::new();
            for id in among {
                let Ok(status) = self.status(*id).await else { continue };
                let leader = status.groups.iter().find(|g| g.database == database).and_then(|g| g.leader.clone());
                seen.push(format!("{}: {leader:?}", self.node(*id).name));
                let itself = own_rows(&status).iter().any(|r| r.database == database && r.role == "leader");
                let Some(leader) = leader else { continue };
                if leader != self.node(*id).name || itself {
                    *votes.entry(leader).or_default() += 1;
                }
            }
            let found = among.iter().find(|id| votes.get(&self.node(**id).name).is_some_and(|v| v * 2 > among.len()));
            found.copied().ok_or_else(|| seen.join(", "))
        })
        .await
    }

    pub async fn leader(&self, database: &str) -> u64 {
        self.leader_among(&self.living(), database).await
    }

    /// A living node that does not lead `database`.
    pub async fn follower(&self, database: &str) -> u64 {
        let leader = self.leader(database).await;
        self.living().into_iter().find(|id| *id != leader).expect("more than one node")
    }

    /// Waits until the group of `quorate` has at least this version.
    pub async fn wait_version(&self, least: u32) {
        eventually("the version rises", PATIENCE, async || {
            let status = self.status(1).await?;
            let groups = status.groups.iter().filter(|group| group.database == "quorate");
            match groups.map(|group| group.version).next() {
                Some(version) if version >= least => Ok(()),
                version => Err(format!("{version:?}")),
            }
        })
        .await;
    }

    /// Waits until all living replicas have applied the same, in good order. Panics if they are found to differ.
    pub async fn wait_converged(&self) {
        eventually("the replicas are equal", PATIENCE * 2, async || {
            let mut rows: BTreeMap<String, Vec<ReplicaRow>> = BTreeMap::new();
            for id in self.living() {
                for row in own_rows(&self.status(id).await?) {
                    rows.entry(row.database.clone()).or_default().push(row);
                }
            }
            for rows in rows.values() {
                self.judge(rows)?;
            }
            Ok(())
        })
        .await
    }

    fn judge(&self, rows: &[ReplicaRow]) -> Result<(), String> {
        let text = || rows.iter().map(|r| format!("{r:?}")).collect::<Vec<_>>().join("\n");
        for a in rows {
            assert!(!a.state.starts_with("diverged"), "a replica has diverged:\n{}", text());
            for b in rows {
                let differ = a.applied_index == b.applied_index && a.digest != b.digest;
                assert!(!differ, "equal index, different digests:\n{}", text());
            }
        }
        let first = &rows[0];
        let equal = rows.iter().all(|r| r.applied_index == first.applied_index && r.state == "ok");
        if equal && rows.len() == self.living().len() { Ok(()) } else { Err(format!("\n{}", text())) }
    }

    // --- clients ------------------------------------------------------------------------------------------------

    /// A client of a node. It ends with the test.
    pub async fn connect(&self, id: u64) -> Client {
        connect(self.node(id).postgres).await.unwrap_or_else(|e| panic!("connecting to node-{id}: {e}"))
    }

    /// A client of a database.
    pub async fn enter(&self, id: u64, database: &str) -> Client {
        let client = connect_to(self.node(id).postgres, "quorate", database).await;
        client.unwrap_or_else(|e| panic!("connecting to {database} on node-{id}: {}", explain(&e)))
    }

    /// Runs statements on a node, each by itself, that must succeed. They are separated by `; `.
    pub async fn run(&self, id: u64, sql: &str) {
        run(&self.connect(id).await, sql).await;
    }

    /// One value of one row, as text, by a linearizable read on a node.
    pub async fn value(&self, id: u64, sql: &str) -> String {
        one_value(&self.connect(id).await, sql).await
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        for node in self.nodes.values_mut() {
            if let Some(process) = &mut node.process {
                let _ = process.kill();
                let _ = process.wait();
            }
            if std::thread::panicking() {
                eprintln!("--- end of the log of {} ---\n{}", node.name, node.log_tail());
            }
        }
    }
}

impl Node {
    fn new(id: u64, dir: &Path, home: PathBuf) -> Node {
        let name = format!("node-{id}");
        Node {
            id,
            home,
            postgres: free_port(),
            http: free_port(),
            peers: free_port(),
            config: dir.join(format!("{name}.toml")),
            log: dir.join(format!("{name}.log")),
            name,
            process: None,
            paused: false,
            knobs: None,
        }
    }

    /// Writes the configuration; `rest` continues the section `[listen]`.
    fn configure(&self, rest: &str) {
        let text = format!(
            "name = \"{}\"\ndata_dir = \"{}\"\n[log]\nfilter = \"info,quorate=debug\"\n[listen]\n\
             postgres = \"127.0.0.1:{}\"\nhttp = \"127.0.0.1:{}\"\npeers = \"127.0.0.1:{}\"\n{rest}",
            self.name,
            self.home.display(),
            self.postgres,
            self.http,
            self.peers
        );
        std::fs::write(&self.config, text).expect("a temporary directory takes a file");
    }

    pub fn pid(&self) -> Option<u32> {
        self.process.as_ref().map(Child::id)
    }

    pub fn log_text(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(&self.log).unwrap_or_default()).into_owned()
    }

    fn log_tail(&self) -> String {
        let text = self.log_text();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(LOG_TAIL)..].join("\n")
    }

    fn signal(&self, signal: libc::c_int) {
        let pid = self.pid().expect("it runs") as libc::pid_t;
        // SAFETY: kill(2) on a child that has not been waited for, so the id is still its own.
        assert_eq!(unsafe { libc::kill(pid, signal) }, 0, "signalling our own child");
    }

    fn reap(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.wait().expect("our own child");
        }
        self.paused = false;
    }
}

/// Starts a child that writes to `log` and that the kernel kills if the tests end before it.
pub fn spawn_child(mut command: Command, log: &Path) -> Child {
    let open = || -> File { OpenOptions::new().create(true).append(true).open(log).expect("a log file") };
    command.stdin(Stdio::null()).stdout(open()).stderr(open());
    die_with_parent(&mut command);
    command.spawn().expect("the program starts")
}

fn die_with_parent(command: &mut Command) {
    // SAFETY: prctl(2) is safe to call between fork and exec.
    unsafe {
        command.pre_exec(|| match libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) {
            0 => Ok(()),
            _ => Err(std::io::Error::last_os_error()),
        });
    }
}

/// How a run of the program ended.
pub struct Ended {
    pub code: Option<i32>,
    pub output: String,
}

/// Runs the program to its end, which must come by itself.
pub async fn run_program(args: &[&str]) -> Ended {
    let log = tempfile::NamedTempFile::new().expect("a temporary file");
    let mut command = Command::new(QUORATE);
    command.args(args);
    let mut child = spawn_child(command, log.path());
    let until = Instant::now() + PATIENCE;
    let status = loop {
        match child.try_wait().expect("our own child") {
            Some(status) => break Some(status),
            None if Instant::now() > until => {
                let _ = child.kill();
                let _ = child.wait();
                break None;
            }
            None => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    };
    let output = String::from_utf8_lossy(&std::fs::read(log.path()).expect("our own file")).into_owned();
    assert!(status.is_some(), "quorate {args:?} does not end; it printed:\n{output}");
    Ended { code: status.and_then(|s| s.code()), output }
}

/// The rows in a status that the answering node says of itself: those are of this moment.
pub fn own_rows(status: &ClusterStatus) -> Vec<ReplicaRow> {
    status.replicas.iter().filter(|r| r.node == status.answered_by).cloned().collect()
}

/// A connection whose other half runs in the background.
pub async fn connect(port: u16) -> Result<Client, tokio_postgres::Error> {
    connect_to(port, "quorate", "quorate").await
}

/// As [`connect`], as a role to a database.
pub async fn connect_to(port: u16, role: &str, database: &str) -> Result<Client, tokio_postgres::Error> {
    let mut config = tokio_postgres::Config::new();
    config.host("127.0.0.1").port(port).user(role).dbname(database).application_name("tests");
    config.connect_timeout(PATIENCE);
    let (client, connection) = config.connect(NoTls).await?;
    tokio::spawn(async move {
        // Its error is the same that the client's statements get.
        let _ = connection.await;
    });
    Ok(client)
}

/// Runs statements, each by itself, that must succeed. They are separated by `; `.
pub async fn run(client: &Client, sql: &str) {
    for sql in sql.split("; ") {
        super::in_time(sql, client.batch_execute(sql)).await.unwrap_or_else(|e| panic!("{sql}: {}", explain(&e)));
    }
}

/// The first value of the first row, as text.
pub async fn one_value(client: &Client, sql: &str) -> String {
    use tokio_postgres::SimpleQueryMessage::Row;
    let answer = super::in_time(sql, client.simple_query(sql)).await;
    let messages = answer.unwrap_or_else(|e| panic!("{sql}: {}", explain(&e)));
    let value = messages.iter().find_map(|m| match m {
        Row(row) => Some(row.get(0).unwrap_or("NULL").to_owned()),
        _ => None,
    });
    value.unwrap_or_else(|| panic!("{sql}: no row"))
}

/// SQLSTATE of an error that the server sent.
pub fn sqlstate(error: &tokio_postgres::Error) -> String {
    error.code().map_or_else(|| format!("none ({error})"), |c| c.code().to_owned())
}

/// An error with what `Display` leaves out.
pub fn explain(error: &tokio_postgres::Error) -> String {
    match error.as_db_error() {
        Some(e) => format!("{}: {} ({:?}, {:?})", e.code().code(), e.message(), e.detail(), e.hint()),
        None => format!("{error}: {:?}", std::error::Error::source(error)),
    }
}
