//! What the console sees of a node: a picture of what goes on, the log's entries, and SQL as the role that asks.

use super::{Runtime, home, scrub, service};
use crate::access::Visitor;
use crate::admin::console::{Asker, Sight, SqlRequest};
use crate::admin::{Answer, Problem, ScrubProgress};
use crate::command::{self, Batch, Command};
use crate::error::state;
use crate::frontend::inner::{self, Bounds};
use crate::frontend::{Databases, Options};
use crate::gateway::router::Router;
use crate::id::{FIRST_DATABASE_GROUP, GroupId, NodeId, ReplicaId};
use crate::raftlog::Entry;
use crate::replica::handle::{GroupLeadership, ReplicaStatus};
use crate::status::ClusterStatus;
use crate::telemetry::{Measured, TELEMETRY};
use parking_lot::Mutex;
use raft::eraftpb::EntryType;
use serde::Serialize;
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokio::task::AbortHandle;

/// Leaderships that are remembered.
const REMEMBERED: usize = 500;
/// Entries shown at a time, and bytes of them read.
const ENTRIES: u64 = 100;
const TAIL: u64 = 1 << 20;
/// Of a statement's text.
const STATEMENT: usize = 400;
/// Rows of an answer, and bytes.
const ROWS: usize = 1000;
const BYTES: usize = 4 << 20;

/// How often is looked for groups that are new.
const LOOK: Duration = Duration::from_secs(1);

/// See the module.
pub struct Console {
    runtime: Weak<Runtime>,
    databases: Databases<Router>,
    options: Arc<Options>,
    leaderships: Arc<Mutex<VecDeque<Reign>>>,
}

/// A leadership as this node saw it begin.
#[derive(Clone, Debug, Serialize)]
struct Reign {
    /// ms since 1970.
    at: u64,
    group: u64,
    term: u64,
    #[serde(skip)]
    node: NodeId,
    /// Its name; known when it is told, which may be later than that it leads.
    leader: String,
    /// How long nobody led before, ms.
    gap: Option<u64>,
    /// What this node knew of the last leader then.
    before: Option<&'static str>,
}

#[derive(Serialize)]
struct Picture {
    at: u64,
    not_ready: Option<String>,
    status: ClusterStatus,
    groups: Vec<Depth>,
    metrics: Vec<Measured>,
    leaderships: Vec<Reign>,
    scrub: ScrubProgress,
}

/// What only the replica's own node knows of it.
#[derive(Serialize)]
struct Depth {
    group: u64,
    database: String,
    first: u64,
    last: u64,
    commit: u64,
    applied: u64,
    /// On the leader: how far each node's log is known to match.
    matched: BTreeMap<String, u64>,
    file_bytes: u64,
}

/// An entry of the log.
#[derive(Serialize)]
struct Line {
    index: u64,
    term: u64,
    bytes: usize,
    kind: &'static str,
    /// Its time, µs since 2000-01-01 00:00 UTC.
    time: Option<i64>,
    commands: Vec<Told>,
}

/// A command in words.
#[derive(Serialize)]
struct Told {
    what: String,
    statements: Vec<String>,
}

#[derive(Serialize)]
struct Tail {
    group: u64,
    first: u64,
    last: u64,
    commit: u64,
    applied: u64,
    matched: BTreeMap<String, u64>,
    entries: Vec<Line>,
}

impl Console {
    pub fn new(runtime: &Arc<Runtime>, (databases, options): (Databases<Router>, Arc<Options>)) -> Arc<Console> {
        let console = Console { runtime: Arc::downgrade(runtime), databases, options, leaderships: Arc::default() };
        tokio::spawn(chronicles(Arc::downgrade(runtime), console.leaderships.clone()));
        Arc::new(console)
    }
}

/// Has a chronicle of each group that there is.
async fn chronicles(runtime: Weak<Runtime>, notes: Arc<Mutex<VecDeque<Reign>>>) {
    let mut kept: BTreeMap<GroupId, AbortHandle> = BTreeMap::new();
    while let Some(there) = runtime.upgrade() {
        let routers = there.groups.routers();
        kept.retain(|group, keeper| {
            let runs = routers.iter().any(|router| router.id == *group);
            if !runs {
                // It would hold the files of a database that was dropped.
                keeper.abort();
            }
            runs
        });
        for router in routers {
            kept.entry(router.id)
                .or_insert_with(|| tokio::spawn(chronicle(runtime.clone(), router, notes.clone())).abort_handle());
        }
        drop(there);
        tokio::time::sleep(LOOK).await;
    }
}

/// Notes who leads a group, for ever.
async fn chronicle(runtime: Weak<Runtime>, router: Arc<Router>, notes: Arc<Mutex<VecDeque<Reign>>>) {
    let mut changes = router.group.leader_changes();
    let (mut last, mut leaderless): (Option<NodeId>, Option<Instant>) = (None, None);
    let mut known = None;
    loop {
        let GroupLeadership { term, leader_node, .. } = *changes.borrow_and_update();
        if let (Some(node), Some(runtime)) =
            (leader_node.filter(|_| known != Some((term, leader_node))), runtime.upgrade())
        {
            let before = last.filter(|last| *last != node).map(|last| account_of(&runtime, last));
            let gap = leaderless.take().filter(|_| last.is_some()).map(|since| since.elapsed().as_millis() as u64);
            let mut notes = notes.lock();
            if notes.len() == REMEMBERED {
                notes.pop_front();
            }
            notes.push_back(Reign { at: now(), group: router.id.0, term, node, leader: String::new(), gap, before });
            (last, known) = (Some(node), Some((term, leader_node)));
        } else if leader_node.is_none() {
            leaderless.get_or_insert_with(Instant::now);
        }
        if changes.changed().await.is_err() {
            return;
        }
    }
}

/// Why somebody else may lead now, as far as this node knows.
fn account_of(runtime: &Runtime, last: NodeId) -> &'static str {
    match last {
        me if me == runtime.identity.node => "this node handed over, or was outvoted",
        node if !runtime.network.connected().contains(&node) => "the connection to the last leader was closed",
        node if !runtime.board.is_heard(node) => "the last leader was silent",
        _ => "the last leader was there: it handed over, or was outvoted",
    }
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
}

impl Sight for Console {
    fn glance(&self) -> String {
        let Some(runtime) = self.runtime.upgrade() else { return "null".into() };
        let named = |reign: &Reign| Reign { leader: runtime.registry.name(reign.node), ..reign.clone() };
        let groups = runtime.named().iter().map(|(database, router)| depth(&runtime, database, router)).collect();
        let picture = Picture {
            at: now(),
            not_ready: service::not_ready(&runtime),
            status: service::status(&runtime),
            groups,
            metrics: TELEMETRY.values(),
            leaderships: self.leaderships.lock().iter().map(named).collect(),
            scrub: scrub::progress(&runtime, false),
        };
        serde_json::to_string(&picture).unwrap_or_else(|_| "null".into())
    }

    fn tail(&self, group: u64, from: Option<u64>) -> Answer<String> {
        let runtime = self.runtime.upgrade();
        Box::pin(async move {
            let gone = || Problem::Later("the node is shutting down".into());
            let runtime = runtime.ok_or_else(gone)?;
            let read = move || read_tail(&runtime, GroupId(group), from);
            tokio::task::spawn_blocking(read).await.map_err(|_| gone())?
        })
    }

    fn sql(&self, asker: Asker, request: SqlRequest) -> Answer<Result<String, String>> {
        let (databases, options) = (self.databases.clone(), self.options.clone());
        let home = self.runtime.upgrade().map(|runtime| runtime.name_of(FIRST_DATABASE_GROUP));
        Box::pin(async move {
            let Asker { from, encrypted, role, proven } = asker;
            let home = home.ok_or_else(|| Problem::Later("the node is shutting down".into()))?;
            let database = request.database.as_deref().unwrap_or(&home);
            let visitor = Visitor { database, user: &role, address: from, encrypted };
            let account = match options.guard.vouch(&visitor, proven).await {
                Ok(account) => account,
                Err(error) if error.code == state::CANNOT_CONNECT_NOW => return Err(Problem::Later(error.message)),
                Err(error) => return Ok(Err(error.message)),
            };
            let read_only = if request.write { "off" } else { "on" };
            let settings = [
                ("application_name", "quorate console"),
                ("default_transaction_read_only", read_only),
                ("DateStyle", "ISO"),
            ];
            let asker = inner::Asker { user: &role, account: Some(account), database, settings: &settings };
            let bounds = Bounds { rows: request.rows.unwrap_or(ROWS).clamp(1, ROWS), bytes: BYTES };
            let answers = inner::ask(asker, &[&request.sql], bounds, databases, options.clone()).await;
            let answers = answers.map_err(|error| Problem::Later(error.message))?;
            Ok(Ok(serde_json::to_string(&answers).map_err(|error| Problem::Later(error.to_string()))?))
        })
    }
}

fn depth(runtime: &Runtime, database: &str, router: &Router) -> Depth {
    let status = router.group.status();
    let files = std::fs::read_dir(home(&runtime.config.data_dir, router.id)).into_iter().flatten().flatten();
    Depth {
        group: router.id.0,
        database: database.to_owned(),
        first: status.first_index,
        last: status.last_index,
        commit: status.commit,
        applied: status.applied,
        matched: matched(runtime, &status),
        file_bytes: files.filter_map(|file| file.metadata().ok()).map(|file| file.len()).sum(),
    }
}

/// How far each node's log is known to match the leader's.
fn matched(runtime: &Runtime, status: &ReplicaStatus) -> BTreeMap<String, u64> {
    let name = |(replica, index): (&ReplicaId, &u64)| {
        let node = status.nodes.get(replica).map_or_else(|| replica.to_string(), |node| runtime.registry.name(*node));
        (node, *index)
    };
    status.matched.iter().map(name).collect()
}

fn read_tail(runtime: &Runtime, group: GroupId, from: Option<u64>) -> Result<String, Problem> {
    let router = runtime.router(group).ok_or_else(|| Problem::Refused("this node has no such group".into()))?;
    let status = router.group.status();
    let end = status.last_index + 1;
    let low = from.unwrap_or(end.saturating_sub(ENTRIES)).max(status.first_index);
    // The last ones may not be on the disk yet.
    let high = end.min(low.saturating_add(ENTRIES));
    let log = runtime.driver.log();
    let durable = (low..high).rev().find(|index| matches!(log.term(group, *index), Ok(Some(_))));
    let entries = match durable {
        Some(last) => log.entries(group, low, last + 1, TAIL).map_err(|error| Problem::Later(error.to_string()))?,
        None => Vec::new(),
    };
    let tail = Tail {
        group: group.0,
        first: status.first_index,
        last: status.last_index,
        commit: status.commit,
        applied: status.applied,
        matched: matched(runtime, &status),
        entries: entries.iter().map(line).collect(),
    };
    serde_json::to_string(&tail).map_err(|error| Problem::Later(error.to_string()))
}

fn line(entry: &Entry) -> Line {
    let batch = command::decode::<Batch>(&entry.data).ok();
    let kind = match (entry.get_entry_type(), &batch) {
        (EntryType::EntryConfChange | EntryType::EntryConfChangeV2, _) => "membership",
        (EntryType::EntryNormal, _) if entry.data.is_empty() => "new leader",
        (EntryType::EntryNormal, Some(_)) => "commands",
        (EntryType::EntryNormal, None) => "decision to skip an entry",
    };
    let batch = batch.filter(|_| kind == "commands");
    Line {
        index: entry.index,
        term: entry.term,
        bytes: entry.data.len(),
        kind,
        time: batch.as_ref().map(|batch| batch.now),
        commands: batch.iter().flat_map(|batch| &batch.commands).take(50).map(|one| tell(&one.body)).collect(),
    }
}

fn tell(body: &[u8]) -> Told {
    let plain = |what: String| Told { what, statements: Vec::new() };
    match command::decode::<Command>(body) {
        Ok(Command::Write(write)) => {
            let what = if write.transaction.is_some() { "transaction" } else { "write" };
            let texts = write.steps.iter().flat_map(|step| &step.statements).map(|statement| &statement.sql);
            let short = |text: &String| text.chars().take(STATEMENT).collect();
            Told { what: what.into(), statements: texts.take(20).map(short).collect() }
        }
        Ok(Command::Chunk { part, bytes, .. }) => {
            plain(format!("part {part} of a large command, {} bytes", bytes.len()))
        }
        Ok(Command::Assembled { parts, .. }) => plain(format!("a large command of {parts} parts")),
        Ok(Command::DigestMark) => plain("digests are taken here".into()),
        Ok(Command::DigestVote { mark, node, digest, .. }) => {
            plain(format!("{node} has digest {digest:016x} at {mark}"))
        }
        Ok(Command::Tenure { claims, .. }) => {
            plain(format!("a leader begins to grant locks, {} are claimed", claims.len()))
        }
        Ok(Command::Void { names }) => plain(format!("{} transactions lose their locks", names.len())),
        Ok(Command::Abort { .. }) => plain("a transaction is given up".into()),
        Ok(Command::Settle { .. }) => plain("a request of unknown fate fails".into()),
        Ok(Command::Advisory { .. }) => plain("an advisory lock".into()),
        Ok(Command::LoseSessions { sessions }) => {
            plain(format!("{} sessions lose their advisory locks", sessions.len()))
        }
        Ok(Command::Raise { to }) => plain(format!("version {}", to.0)),
        Ok(Command::ContentMark) => plain("all contents are compared here".into()),
        Err(_) => plain("a command of another version".into()),
    }
}
