//! Scripts of several sessions at once: which statement waits, and what lets it go on.
//!
//! The form is that of the other scripts, but each block begins with the name of a session and a colon: `a: UPDATE …`. The
//! sessions of a script are connected to different nodes, in the order in which they appear. A statement that has to wait
//! for another session shows as `waits`; when it goes on, its answer is in the block of the statement that let it, each
//! line with its session's name in front. A block that only says `a: …` waits for the statement of `a` to end by itself.
//!
//! Nothing here is decided by a clock. A statement counts as waiting when `pg_locks` says that its session awaits a lock.
//! Whether one has gone on is a matter of time after all, so the expected answer says what to wait for: what should go on
//! is given [`PATIENCE`], and what should wait must still be in `pg_locks`.

use super::{Block, Outcome, parse, recorded_schema, recorded_session, render, scripts, show};
use crate::support::cluster::Cluster;
use crate::support::raw::{self, Message, Raw, all_values};
use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};
use tokio::task::JoinHandle;

/// The longest time for something to happen that should.
const PATIENCE: Duration = Duration::from_secs(20);
/// How often to look.
const LOOK: Duration = Duration::from_millis(10);
/// While recording: what has not happened after so long does not happen.
const SETTLE: Duration = Duration::from_millis(400);
/// A block that only waits.
const REST: &str = "…";

/// Where the sessions of a script are.
struct Place {
    /// Ports of the nodes, in the order in which sessions are given to them.
    ports: Vec<u16>,
    user: &'static str,
    database: &'static str,
    /// The first statement of each session.
    greeting: Option<String>,
    /// Nobody knows what to expect.
    recording: bool,
}

/// One session and the statement that it is busy with.
struct Session {
    pid: u32,
    idle: Option<Raw>,
    busy: Option<JoinHandle<(Option<Raw>, Vec<String>)>>,
}

struct Stage {
    place: Place,
    sessions: BTreeMap<String, Session>,
    /// Looks at `pg_locks`.
    observer: Raw,
}

impl Place {
    async fn connect(&self, number: usize) -> Raw {
        let port = self.ports[number % self.ports.len()];
        let mut raw = Raw::connect_as(port, self.user, self.database).await.expect("connect");
        if let Some(greeting) = &self.greeting {
            raw.query(greeting).await.expect("a session is prepared");
        }
        raw
    }
}

/// Sends a query and takes everything up to its end, or to the connection's.
async fn ask(mut raw: Raw, sql: String) -> (Option<Raw>, Vec<String>) {
    let mut messages: Vec<Message> = Vec::new();
    if raw.send(&raw::query(&sql)).await.is_err() {
        return (None, vec!["the connection has ended".into()]);
    }
    loop {
        match raw.receive().await {
            Ok(message) if message.tag == b'Z' => return (Some(raw), lines(&messages)),
            Ok(message) => messages.push(message),
            Err(_) => {
                let mut lines = lines(&messages);
                lines.push("the connection has ended".into());
                return (None, lines);
            }
        }
    }
}

/// What came back, without the part of a deadlock's detail that names processes.
fn lines(messages: &[Message]) -> Vec<String> {
    let mut lines = show(messages);
    lines.retain(|line| !(line.contains(" waits for ") && line.contains("blocked by ")));
    lines
}

impl Session {
    /// The answer, if it is there.
    async fn answer(&mut self) -> Option<Vec<String>> {
        let done = self.busy.as_ref().is_some_and(JoinHandle::is_finished);
        let (raw, lines) = if done { self.busy.take()?.await.expect("a query") } else { return None };
        self.idle = raw;
        Some(lines)
    }

    async fn answer_within(&mut self, time: Duration) -> Option<Vec<String>> {
        let until = Instant::now() + time;
        loop {
            let answer = self.answer().await;
            if answer.is_some() || self.busy.is_none() || Instant::now() >= until {
                return answer;
            }
            tokio::time::sleep(LOOK).await;
        }
    }
}

impl Stage {
    async fn new(place: Place) -> Stage {
        let observer = place.connect(0).await;
        Stage { place, sessions: BTreeMap::new(), observer }
    }

    /// Runs a block; what it and the sessions that it lets go on answer.
    async fn play(&mut self, name: &str, sql: &str, expected: &[String]) -> Vec<String> {
        let mut lines = Vec::new();
        if sql != REST {
            if !self.start(name, sql).await {
                return vec!["its last statement still waits".into()];
            }
            lines = self.first_answer(name, expected.first().is_some_and(|line| line == "waits")).await;
        }
        let waiting: Vec<String> =
            self.sessions.iter().filter(|(_, s)| s.busy.is_some()).map(|(name, _)| name.clone()).collect();
        if self.place.recording && !waiting.is_empty() {
            tokio::time::sleep(SETTLE).await;
        }
        for other in waiting.iter().filter(|other| *other != name || sql == REST) {
            let prefix = format!("{other}: ");
            let due = expected.iter().any(|line| line.starts_with(&prefix));
            let session = self.sessions.get_mut(other).expect("it waits");
            let answer = session.answer_within(if due { PATIENCE } else { Duration::ZERO }).await;
            match answer {
                Some(answer) => lines.extend(answer.iter().map(|line| format!("{prefix}{line}"))),
                None if due || self.place.recording => {}
                // It may be between two waits.
                None => match self.first_answer(other, true).await.as_slice() {
                    [line] if line == "waits" => {}
                    answer => lines.extend(answer.iter().map(|line| format!("{prefix}{line}"))),
                },
            }
        }
        lines
    }

    /// Begins a statement; false if the session is busy.
    async fn start(&mut self, name: &str, sql: &str) -> bool {
        if !self.sessions.get(name).is_some_and(|s| s.idle.is_some() || s.busy.is_some()) {
            let raw = self.place.connect(self.sessions.len()).await;
            self.sessions.insert(name.to_owned(), Session { pid: raw.pid, idle: Some(raw), busy: None });
        }
        let session = self.sessions.get_mut(name).expect("just made");
        let Some(raw) = session.idle.take() else { return false };
        session.busy = Some(tokio::spawn(ask(raw, sql.to_owned())));
        true
    }

    /// The answer to the statement that has just begun, or that it waits.
    async fn first_answer(&mut self, name: &str, should_wait: bool) -> Vec<String> {
        let until = Instant::now() + PATIENCE;
        let mut waits_since = None;
        loop {
            if let Some(answer) = self.sessions.get_mut(name).expect("it runs").answer().await {
                return answer;
            }
            if Instant::now() >= until {
                return vec!["neither an answer nor a wait for a lock".into()];
            }
            // Whoever should not wait may do so for a moment: for a transaction that is just ending, or a timeout.
            if (should_wait || self.place.recording) && self.awaits(name).await {
                let since = *waits_since.get_or_insert_with(Instant::now);
                if !self.place.recording || since.elapsed() > SETTLE {
                    return vec!["waits".into()];
                }
            } else {
                waits_since = None;
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    async fn awaits(&mut self, name: &str) -> bool {
        let pid = self.sessions[name].pid;
        // A single statement may wait under a name that is not its session's.
        let sql = format!("SELECT count(*) FROM pg_locks WHERE (pid = {pid} OR pid IS NULL) AND NOT granted");
        let answer = self.observer.query(&sql).await.expect("pg_locks can be read");
        all_values(&answer) != ["0"]
    }
}

/// The name of the session and its statement.
fn parts(block: &Block) -> (String, String) {
    let sql = block.sql();
    let (name, sql) = sql.split_once(':').unwrap_or_else(|| panic!("line {}: no session is named", block.line));
    (name.to_owned(), sql.trim().to_owned())
}

async fn run(path: &Path, first_node: usize, cluster: &Cluster, outcome: &mut Outcome) {
    let accept = std::env::var_os("QUORATE_ACCEPT").is_some();
    let nodes = cluster.nodes.len();
    let ports = (0..nodes).map(|i| cluster.node(((first_node + i) % nodes) as u64 + 1).postgres).collect();
    let place = Place { ports, user: "quorate", database: "quorate", greeting: None, recording: false };
    let mut stage = Stage::new(place).await;
    let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let mut blocks = parse(&std::fs::read_to_string(path).expect("a script"));
    for block in blocks.iter_mut().filter(|b| !b.sql.is_empty()) {
        let (name, sql) = parts(block);
        let expected = if block.gap.is_empty() { block.expected_here() } else { &block.gap };
        let found = stage.play(&name, &sql, expected).await;
        outcome.note(&format!("{file}:{}", block.line), block, &found);
        if accept {
            block.gap = if found == block.expected_here() { Vec::new() } else { found };
        }
    }
    if accept {
        std::fs::write(path, render(&blocks)).expect("our own file");
    }
}

/// Writes what PostgreSQL does into the scripts.
async fn record(port: u16) {
    for path in scripts("isolation") {
        let schema = recorded_schema(&path);
        let mut client = Raw::connect_as(port, "postgres", "postgres").await.expect("connect to PostgreSQL");
        let prepare = format!("DROP SCHEMA IF EXISTS {schema} CASCADE; CREATE SCHEMA {schema}");
        client.query(&prepare).await.expect("prepare");
        // Quorate finds a deadlock at once.
        let greeting = Some(format!("{}; SET deadlock_timeout = '10ms'", recorded_session(&schema)));
        let place = Place { ports: vec![port], user: "postgres", database: "postgres", greeting, recording: true };
        let mut stage = Stage::new(place).await;
        let mut blocks = parse(&std::fs::read_to_string(&path).expect("a script"));
        for block in blocks.iter_mut().filter(|b| !b.sql.is_empty()) {
            let (name, sql) = parts(block);
            let found = stage.play(&name, &sql, &[]).await;
            block.expected = found.iter().map(|line| line.replace(&format!("{schema}."), "")).collect();
        }
        drop(stage);
        client.query(&format!("DROP SCHEMA {schema} CASCADE")).await.expect("clean up");
        std::fs::write(&path, render(&blocks)).expect("our own file");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sessions_wait_for_each_other() {
    if let Ok(port) = std::env::var("QUORATE_RECORD") {
        return record(port.parse().expect("QUORATE_RECORD is a port")).await;
    }
    let cluster = Cluster::start(3).await;
    let mut outcome = Outcome::default();
    for (number, path) in scripts("isolation").iter().enumerate() {
        run(path, number, &cluster, &mut outcome).await;
    }
    println!("{} blocks, {} known gaps, {} closed", outcome.blocks, outcome.known, outcome.closed);
    cluster.wait_converged().await;
    outcome.check();
}
