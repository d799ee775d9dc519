//! The rows of live relations: what this node knows, and for sessions and locks what the others answer.
//!
//! Sessions are shown of every node that answers in time; locks of every group's leader. A lock's session is found by
//! the name under which it sends its requests.

use super::{Runtime, databases, service};
use crate::error::{SqlError, SqlResult, state};
use crate::frontend::cancel::pid_belongs_to;
use crate::functions::Signal;
use crate::gateway::facts::Facts;
use crate::gateway::peer::{self, Reply, Request};
use crate::gateway::router::Router;
use crate::gateway::{Control, Who};
use crate::id::{GroupId, NodeId, SYSTEM_GROUP};
use crate::sql::database::{Databases, Order};
use crate::status::{LockRow, SessionRow};
use futures::future::{BoxFuture, join_all};
use serde::Serialize;
use std::collections::HashMap;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

/// How long another node may take to answer.
const PATIENCE: Duration = Duration::from_secs(1);

pub struct LiveFacts(pub Weak<Runtime>);

/// A row of `pg_locks` as far as it is known.
#[derive(Serialize)]
struct Lock {
    #[serde(flatten)]
    row: LockRow,
    database: u64,
    pid: Option<i32>,
    transaction: String,
    classid: Option<u32>,
    objid: Option<u32>,
    objsubid: Option<i16>,
}

impl Facts for LiveFacts {
    fn gather(&self, relation: &str) -> BoxFuture<'static, String> {
        let (runtime, relation) = (self.0.upgrade(), relation.to_owned());
        Box::pin(async move {
            let json = match runtime {
                Some(runtime) => rows(&runtime, &relation).await,
                None => Ok(String::new()),
            };
            json.ok().filter(|json| !json.is_empty()).unwrap_or_else(|| "[]".into())
        })
    }

    fn databases(&self, own: GroupId) -> Databases {
        let Some(runtime) = self.0.upgrade() else { return Databases::default() };
        let book = runtime.registry.book();
        Databases { own: runtime.oid(own), names: book.names.clone(), others: book.others }
    }

    fn connection_limit(&self, own: GroupId) -> i32 {
        let Some(runtime) = self.0.upgrade() else { return -1 };
        runtime.registry.book().by_group(own).map_or(-1, |d| d.connection_limit)
    }

    fn order(
        &self,
        from: GroupId,
        order: Order,
        who: Who,
        control: Control,
    ) -> BoxFuture<'static, SqlResult<Vec<SqlError>>> {
        let runtime = self.0.upgrade();
        Box::pin(async move {
            match runtime {
                Some(runtime) => databases::carry_out(runtime, from, order, who, control).await,
                None => Err(SqlError::new(state::CANNOT_CONNECT_NOW, "the node is shutting down")),
            }
        })
    }

    fn signal(&self, pid: i32, signal: Signal) -> bool {
        let Some(runtime) = self.0.upgrade() else { return false };
        if runtime.cancels.signal(pid, signal) {
            return true;
        }
        let elsewhere = |node: &NodeId| *node != runtime.identity.node && pid_belongs_to(pid, *node);
        let Some(node) = runtime.network.connected().into_iter().find(elsewhere) else { return false };
        tokio::runtime::Handle::try_current().is_ok_and(|handle| {
            let runtime = runtime.clone();
            handle.spawn(async move {
                ask(&runtime, node, &Request::Signal { pid, terminate: signal == Signal::Terminate }).await
            });
            true
        })
    }
}

async fn rows(runtime: &Arc<Runtime>, relation: &str) -> serde_json::Result<String> {
    match relation {
        "nodes" => serde_json::to_string(&service::status(runtime).nodes),
        "groups" => serde_json::to_string(&service::status(runtime).groups),
        "replicas" => serde_json::to_string(&service::status(runtime).replicas),
        "databases" => serde_json::to_string(&databases::rows(runtime).await),
        "rules" => serde_json::to_string(&rules(runtime)),
        "sessions" => serde_json::to_string(&activity(runtime).await),
        "locks" => {
            let pids: HashMap<u64, i32> = sessions(runtime).await.iter().map(|row| (row.origin, row.pid)).collect();
            let lock = |(database, row): (u64, LockRow)| {
                let (pid, transaction) = (pids.get(&row.origin).copied(), format!("{:x}/{}", row.origin, row.number));
                let (classid, objid, objsubid) =
                    row.key.map(|(a, b, c)| (Some(a), Some(b), Some(c))).unwrap_or_default();
                Lock { row, database, pid, transaction, classid, objid, objsubid }
            };
            serde_json::to_string(&locks(runtime).await.into_iter().map(lock).collect::<Vec<_>>())
        }
        _ => Ok("[]".into()),
    }
}

/// A row of `pg_hba_file_rules`.
#[derive(Serialize)]
struct Rule {
    line_number: usize,
    r#type: &'static str,
    database: String,
    user_name: String,
    address: String,
    netmask: Option<String>,
    auth_method: &'static str,
}

fn rules(runtime: &Runtime) -> Vec<Rule> {
    let row = |(at, rule): (usize, &crate::access::Rule)| {
        let (r#type, databases, users, address, netmask, auth_method) = rule.columns();
        let (database, user_name) = (databases.join(","), users.join(","));
        Rule { line_number: at + 1, r#type, database, user_name, address, netmask, auth_method }
    };
    runtime.config.rules.0.iter().enumerate().map(row).collect()
}

/// The sessions, and what they wait for.
async fn activity(runtime: &Arc<Runtime>) -> Vec<SessionRow> {
    let (mut sessions, locks) = tokio::join!(sessions(runtime), locks(runtime));
    let awaited = locks.into_iter().filter(|(_, lock)| !lock.granted);
    let awaited: HashMap<u64, String> = awaited.map(|(_, lock)| (lock.origin, lock.locktype)).collect();
    for session in &mut sessions {
        let wait = match awaited.get(&session.origin) {
            Some(kind) => Some(("Lock", kind.as_str())),
            None if session.state != "active" => Some(("Client", "ClientRead")),
            None => None,
        };
        (session.wait_event_type, session.wait_event) = wait.map(|(a, b)| (a.to_owned(), b.to_owned())).unzip();
    }
    sessions
}

async fn sessions(runtime: &Arc<Runtime>) -> Vec<SessionRow> {
    let mut all = runtime.cancels.sessions();
    let others = runtime.network.connected();
    for reply in join_all(others.into_iter().map(|node| ask(runtime, node, &Request::Sessions))).await {
        if let Some(Reply::Sessions(rows)) = reply {
            all.extend(rows.read::<Vec<SessionRow>>().unwrap_or_default());
        }
    }
    all.sort_by_key(|row| row.pid);
    all
}

/// The locks of all databases, each with its database's OID.
async fn locks(runtime: &Arc<Runtime>) -> Vec<(u64, LockRow)> {
    let databases = runtime.groups.routers().into_iter().filter(|router| router.id != SYSTEM_GROUP);
    let asked = databases.map(|router| async move {
        let (rows, oid) = (locks_of(runtime, &router).await, u64::from(runtime.oid(router.id)));
        rows.into_iter().map(move |row| (oid, row)).collect::<Vec<_>>()
    });
    join_all(asked).await.into_iter().flatten().collect()
}

async fn locks_of(runtime: &Arc<Runtime>, router: &Router) -> Vec<LockRow> {
    match router.group.leadership().leader_node {
        None => Vec::new(),
        Some(leader) if leader == runtime.identity.node => router.locks(),
        Some(leader) => match ask(runtime, leader, &Request::Locks { group: router.id }).await {
            Some(Reply::Locks(rows)) => rows.read().unwrap_or_default(),
            _ => Vec::new(),
        },
    }
}

async fn ask(runtime: &Arc<Runtime>, node: NodeId, request: &Request) -> Option<Reply> {
    let answer = runtime.network.call(node, peer::encode(request), Instant::now() + PATIENCE).await.ok()?;
    peer::decode(&answer).ok()
}
