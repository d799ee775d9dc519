//! A cluster on this machine, as `quorate demo` lays it out: who leads, signals to nodes, restarts, equality at the end.
//!
//! Only processes are signalled whose id stands in `DIR/NODE/pid` and whose command line names that node's
//! configuration, so a recycled process id is safe.

use crate::schedule::Action;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::OpenOptions;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const HTTP_TIMEOUT: Duration = Duration::from_secs(2);
const POLL: Duration = Duration::from_millis(50);

/// The parts of `GET /status` that matter here.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Status {
    pub nodes: Vec<NodeRow>,
    pub groups: Vec<GroupRow>,
    pub replicas: Vec<ReplicaRow>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct NodeRow {
    pub node: String,
    pub state: String,
    pub pg_addr: String,
}

#[derive(Clone, Debug, Deserialize)]
pub struct GroupRow {
    pub database: String,
    pub leader: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct ReplicaRow {
    pub database: String,
    pub node: String,
    pub applied_index: u64,
    pub digest: String,
    pub state: String,
}

/// The replicas of the measured database at the end.
#[derive(Clone, Debug, Serialize)]
pub struct Convergence {
    pub applied_index: u64,
    /// Node to digest at that index.
    pub digests: BTreeMap<String, String>,
    pub equal: bool,
}

impl Status {
    pub fn leader(&self, database: &str) -> Option<&str> {
        self.groups.iter().find(|g| g.database == database)?.leader.as_deref()
    }

    /// The digests, if every replica of the database serves and stands at the same index.
    fn convergence(&self, database: &str) -> Option<Convergence> {
        let rows: Vec<&ReplicaRow> = self.replicas.iter().filter(|r| r.database == database).collect();
        let index = rows.first()?.applied_index;
        let settled = self.nodes.iter().all(|n| n.state == "up")
            && self.leader(database).is_some()
            && rows.iter().all(|r| r.state == "ok" && r.applied_index == index);
        let digests: BTreeMap<String, String> = rows.iter().map(|r| (r.node.clone(), r.digest.clone())).collect();
        let equal = digests.values().collect::<BTreeSet<_>>().len() == 1;
        settled.then_some(Convergence { applied_index: index, digests, equal })
    }
}

pub struct Cluster {
    dir: PathBuf,
    quorate: PathBuf,
    database: String,
    nodes: Vec<String>,
    killed: BTreeSet<String>,
    stopped: BTreeSet<String>,
}

impl Cluster {
    /// `quorate` is the binary that starts killed nodes again.
    pub fn open(dir: &Path, quorate: PathBuf, database: &str) -> Result<Cluster, String> {
        let dir = dir.canonicalize().map_err(|e| format!("{}: {e}", dir.display()))?;
        let entries = std::fs::read_dir(&dir).map_err(|e| format!("{}: {e}", dir.display()))?;
        let mut nodes: Vec<String> = entries
            .flatten()
            .filter(|e| e.path().join("config.toml").exists())
            .map(|e| e.file_name().to_string_lossy().into_owned())
            .collect();
        nodes.sort();
        if nodes.is_empty() {
            return Err(format!("{} holds no node (a directory with a config.toml)", dir.display()));
        }
        let (killed, stopped) = Default::default();
        Ok(Cluster { dir, quorate, database: database.into(), nodes, killed, stopped })
    }

    fn file(&self, node: &str, name: &str) -> PathBuf {
        self.dir.join(node).join(name)
    }

    /// The status as the first node that is neither killed nor stopped tells it.
    pub fn status(&self) -> Result<Status, String> {
        let mut last = "every node is killed or stopped".to_owned();
        for node in self.nodes.iter().filter(|n| !self.killed.contains(*n) && !self.stopped.contains(*n)) {
            match self.status_of(node) {
                Ok(status) => return Ok(status),
                Err(e) => last = format!("{node}: {e}"),
            }
        }
        Err(format!("no node answers ({last})"))
    }

    fn status_of(&self, node: &str) -> Result<Status, String> {
        let path = self.file(node, "http");
        let addr = std::fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
        let body = http_get(addr.trim(), "/status").map_err(|e| e.to_string())?;
        serde_json::from_str(&body).map_err(|e| format!("/status is not understood: {e}"))
    }

    pub fn leader(&self) -> Result<String, String> {
        let status = self.status()?;
        let leader = status.leader(&self.database).map(str::to_owned);
        leader.ok_or_else(|| format!("database {} has no leader", self.database))
    }

    /// A living node that does not lead; the last one by name, so that it is always the same.
    fn follower(&self) -> Result<String, String> {
        let leader = self.leader()?;
        let alive = |n: &&String| **n != leader && !self.killed.contains(*n) && !self.stopped.contains(*n);
        self.nodes.iter().rev().find(alive).cloned().ok_or_else(|| "no follower is left".to_owned())
    }

    /// The Postgres address (HOST:PORT) of a node that does not lead.
    pub fn follower_address(&self) -> Result<(String, String), String> {
        let node = self.follower()?;
        let status = self.status()?;
        let row = status.nodes.iter().find(|n| n.node == node);
        let addr = row.map(|n| n.pg_addr.clone()).ok_or_else(|| format!("{node} has no Postgres address"))?;
        Ok((node, addr))
    }

    /// The node that an act is about, found before its time so that the act itself is quick. None: it concerns several.
    pub fn victim(&self, action: Action) -> Result<Option<String>, String> {
        match action {
            Action::KillLeader | Action::StopLeader => self.leader().map(Some),
            Action::KillFollower | Action::StopFollower => self.follower().map(Some),
            Action::Continue | Action::Restart => Ok(None),
        }
    }

    /// Carries out an act and names the nodes that it met.
    pub fn inflict(&mut self, action: Action, victim: Option<String>) -> Result<String, String> {
        match (action, victim) {
            (Action::KillLeader | Action::KillFollower, Some(node)) => {
                self.signal(&node, libc::SIGKILL)?;
                self.killed.insert(node.clone());
                Ok(node)
            }
            (Action::StopLeader | Action::StopFollower, Some(node)) => {
                self.signal(&node, libc::SIGSTOP)?;
                self.stopped.insert(node.clone());
                Ok(node)
            }
            (Action::Continue, _) => self.continue_stopped(),
            (Action::Restart, _) => self.restart_killed(),
            (_, None) => Err(format!("{action} needs a node")),
        }
    }

    fn continue_stopped(&mut self) -> Result<String, String> {
        let nodes: Vec<String> = std::mem::take(&mut self.stopped).into_iter().collect();
        for node in &nodes {
            self.signal(node, libc::SIGCONT)?;
        }
        Ok(nodes.join(" "))
    }

    fn restart_killed(&mut self) -> Result<String, String> {
        let nodes: Vec<String> = std::mem::take(&mut self.killed).into_iter().collect();
        for node in &nodes {
            self.start(node)?;
        }
        Ok(nodes.join(" "))
    }

    /// Continues and restarts whatever the schedule left stopped or killed.
    pub fn heal(&mut self) -> Result<(), String> {
        self.continue_stopped()?;
        self.restart_killed().map(drop)
    }

    /// The process id of a living node: from its pid file, and only if the command line names its configuration.
    fn pid(&self, node: &str) -> Option<libc::pid_t> {
        let pid: libc::pid_t = std::fs::read_to_string(self.file(node, "pid")).ok()?.trim().parse().ok()?;
        let command = std::fs::read(format!("/proc/{pid}/cmdline")).ok()?;
        let config = self.file(node, "config.toml");
        let ours = command.split(|b| *b == 0).any(|arg| Path::new(&*String::from_utf8_lossy(arg)) == config);
        (ours && pid > 1).then_some(pid)
    }

    fn signal(&self, node: &str, signal: libc::c_int) -> Result<(), String> {
        let pid = self.pid(node).ok_or_else(|| format!("{node} does not run (no process that its pid file names)"))?;
        // SAFETY: kill(2) takes no pointers; the process was just checked to be this node.
        match unsafe { libc::kill(pid, signal) } {
            0 => Ok(()),
            _ => Err(format!("{node} (process {pid}): {}", std::io::Error::last_os_error())),
        }
    }

    /// Starts a node in a process group of its own. It outlives this program; the demo stops it with the others.
    fn start(&self, node: &str) -> Result<(), String> {
        let until = Instant::now() + Duration::from_secs(5);
        while self.pid(node).is_some() {
            if Instant::now() > until {
                return Err(format!("{node} still runs"));
            }
            std::thread::sleep(POLL);
        }
        let problem = |e: std::io::Error| format!("cannot start {node} with {}: {e}", self.quorate.display());
        let log = OpenOptions::new().create(true).append(true).open(self.file(node, "log")).map_err(problem)?;
        let mut command = Command::new(&self.quorate);
        command.arg("start").arg("--config").arg(self.file(node, "config.toml"));
        command.stdin(Stdio::null()).stdout(log.try_clone().map_err(problem)?).stderr(log).process_group(0);
        let mut child = command.spawn().map_err(problem)?;
        // Waited for by a thread, so that it does not stay a zombie when it is killed again.
        std::thread::spawn(move || child.wait());
        Ok(())
    }

    /// Waits until all nodes are up and all replicas of the database stand at one index; says whether they are equal
    /// there. As the index may move on in the background, only a common one counts.
    pub fn converge(&self, within: Duration) -> Result<Convergence, String> {
        let until = Instant::now() + within;
        loop {
            let status = self.status();
            if let Some(found) = status.as_ref().ok().and_then(|s| s.convergence(&self.database)) {
                return Ok(found);
            }
            if Instant::now() > until {
                return Err(match status {
                    Ok(status) => format!("the replicas did not reach one index: {:?}", status.replicas),
                    Err(e) => e,
                });
            }
            std::thread::sleep(POLL);
        }
    }

    /// Waits until every node answers for itself, agrees on the leader, and all replicas stand at one index.
    pub fn settle(&self, within: Duration) -> Result<(), String> {
        let until = Instant::now() + within;
        loop {
            let seen: Result<Vec<Status>, String> = self.nodes.iter().map(|n| self.status_of(n)).collect();
            let leaders: BTreeSet<Option<String>> = match &seen {
                Ok(all) => all.iter().map(|s| s.leader(&self.database).map(str::to_owned)).collect(),
                Err(_) => BTreeSet::new(),
            };
            let agreed = leaders.len() == 1 && !leaders.contains(&None);
            if agreed && seen.iter().flatten().all(|s| s.convergence(&self.database).is_some()) {
                return Ok(());
            }
            if Instant::now() > until {
                return Err(format!("the cluster did not settle: leaders {leaders:?}, {:?}", seen.err()));
            }
            std::thread::sleep(POLL);
        }
    }
}

/// GET over HTTP/1.0: the answer ends with the connection.
fn http_get(addr: &str, path: &str) -> std::io::Result<String> {
    let addr = addr.parse().map_err(|e| std::io::Error::other(format!("{addr}: {e}")))?;
    let mut stream = TcpStream::connect_timeout(&addr, HTTP_TIMEOUT)?;
    stream.set_read_timeout(Some(HTTP_TIMEOUT))?;
    write!(stream, "GET {path} HTTP/1.0\r\nHost: {addr}\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (head, body) = answer.split_once("\r\n\r\n").ok_or_else(|| std::io::Error::other("no HTTP answer"))?;
    let first = head.lines().next().unwrap_or_default();
    if first.split(' ').nth(1) != Some("200") {
        return Err(std::io::Error::other(first.to_owned()));
    }
    Ok(body.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(leader: Option<&str>, rows: &[(&str, u64, &str)]) -> Status {
        let replica = |(node, applied, digest): &(&str, u64, &str)| ReplicaRow {
            database: "quorate".into(),
            node: (*node).into(),
            applied_index: *applied,
            digest: (*digest).into(),
            state: "ok".into(),
        };
        Status {
            nodes: Vec::new(),
            groups: vec![GroupRow { database: "quorate".into(), leader: leader.map(str::to_owned) }],
            replicas: rows.iter().map(replica).collect(),
        }
    }

    #[test]
    fn digests_are_compared_at_one_index_only() {
        assert!(status(Some("a"), &[("a", 5, "x"), ("b", 4, "y")]).convergence("quorate").is_none());
        assert!(status(Some("a"), &[("a", 5, "x"), ("b", 5, "x")]).convergence("quorate").unwrap().equal);
        assert!(!status(Some("a"), &[("a", 5, "x"), ("b", 5, "y")]).convergence("quorate").unwrap().equal);
        assert!(status(None, &[("a", 5, "x"), ("b", 5, "x")]).convergence("quorate").is_none());
    }
}
