//! A node's answers: to its peers, to HTTP, to Postgres clients.

use super::console::Console;
use super::membership::Book;
use super::{Runtime, authority, board, databases, entry, leadership, membership, scrub, security};
use crate::admin::backup::Copies;
use crate::admin::console::Sight;
use crate::admin::{
    Answer, AuthorityOrder, EntryOrder, Facts, JoinReply, JoinRequest, NodeOrder, Problem, ScrubProgress, Secret,
    SignedIn, TokenOrder, TransferRequest, Transferred,
};
use crate::cluster::NodeEntry;
use crate::cluster::databases::State;
use crate::frontend;
use crate::frontend::Census;
use crate::frontend::cancel::{CancelKey, CancelRouter};
use crate::frontend::login::Guard;
use crate::functions::Signal;
use crate::gateway::peer::{self, Reply, Request, Told};
use crate::gateway::router::{Router, answer_proposal, answer_trial};
use crate::gateway::transaction::answer_transaction;
use crate::id::{GroupId, NodeId};
use crate::session::postgres::Postgres;
use crate::setup::Bootstrap;
use crate::status::ClusterStatus;
use crate::trace;
use crate::transport::Service;
use bytes::Bytes;
use futures::future::{BoxFuture, join_all};
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering::{Acquire, Release};
use std::time::{Duration, Instant};
use tokio::net::TcpListener;
use tokio::sync::watch;

/// Answers other nodes.
pub struct PeerService(pub Arc<Runtime>);

impl Service for PeerService {
    fn handle(&self, from: NodeId, request: Bytes) -> BoxFuture<'static, Bytes> {
        let runtime = self.0.clone();
        Box::pin(async move {
            let reply = match peer::decode::<Request>(&request) {
                Ok(request) => answer(&runtime, from, request).await,
                Err(e) => Reply::Halted(format!("a request of {from} cannot be read: {e}")),
            };
            peer::encode(&reply)
        })
    }
}

async fn answer(runtime: &Arc<Runtime>, from: NodeId, request: Request) -> Reply {
    match request {
        Request::Propose { group, proposal, terms } => match runtime.router(group) {
            Some(router) => answer_proposal(&router, proposal, terms).await,
            None => Reply::NotLeader { leader: None },
        },
        Request::Try { group, request, trial, terms } => match runtime.router(group) {
            Some(router) => answer_trial(&router, from, request, *trial, terms).await,
            None => Reply::NotLeader { leader: None },
        },
        Request::Transaction { group, request } => match runtime.router(group) {
            Some(router) => Reply::Transaction(answer_transaction(&router, from, request).await),
            None => Reply::NotLeader { leader: None },
        },
        Request::Cancel { pid, secret } => {
            runtime.cancels.cancel(CancelKey { pid, secret });
            Reply::Done
        }
        Request::Count { role, database } => Reply::Counted {
            of_role: runtime.cancels.count(|row| row.usename == role) as u64,
            in_database: runtime.cancels.count(|row| row.datid == database) as u64,
        },
        Request::Stages { group, index } => Reply::Stages(Told::of(&trace::stages(group, index))),
        Request::Sessions => Reply::Sessions(Told::of(&runtime.cancels.sessions())),
        Request::Locks { group } => {
            Reply::Locks(Told::of(&runtime.router(group).map_or_else(Vec::new, |router| router.locks())))
        }
        Request::Signal { pid, terminate } => {
            runtime.cancels.signal(pid, if terminate { Signal::Terminate } else { Signal::Cancel });
            Reply::Done
        }
        Request::Heed { index, database } => databases::heed(runtime, index, database).await,
        Request::Expel { database } => {
            runtime.cancels.expel(database);
            Reply::Done
        }
        Request::Report(told) => {
            if let Some(report) = told.read() {
                runtime.board.post(report);
            }
            Reply::Done
        }
        Request::Transfer { group, to } => match runtime.router(group) {
            Some(router) if router.group.is_leader() => {
                router.group.transfer_leader(to);
                Reply::Done
            }
            _ => Reply::NotLeader { leader: None },
        },
    }
}

/// How long a login waits for other nodes to count their sessions.
const COUNT: Duration = Duration::from_secs(1);

/// Why a node that joins does not serve.
pub const JOINING: &str = "this node is joining the cluster and does not have its data yet";

/// What HTTP is told.
pub struct NodeFacts {
    pub runtime: Arc<Runtime>,
    pub guard: Arc<Guard>,
    pub console: Arc<Console>,
}

impl Facts for NodeFacts {
    fn status(&self) -> ClusterStatus {
        status(&self.runtime)
    }

    fn not_ready(&self) -> Option<String> {
        not_ready(&self.runtime)
    }

    fn join(&self, request: JoinRequest, certified: Option<String>) -> Answer<JoinReply> {
        Box::pin(membership::admit(self.runtime.clone(), request, certified))
    }

    fn is_member(&self, node: &str) -> bool {
        // Before it knows anybody else, it knows itself.
        node == self.runtime.config.name || self.runtime.registry.rows().iter().any(|member| member.node == node)
    }

    fn log_in(&self, from: IpAddr, role: String, password: Secret) -> Answer<Option<SignedIn>> {
        let guard = self.guard.clone();
        Box::pin(async move {
            let account = guard.check_password(from, &role, &password.0).await;
            let account = account.map_err(|error| Problem::Later(error.message))?;
            Ok(account.map(|account| SignedIn { role, superuser: account.superuser }))
        })
    }

    fn sight(&self) -> Option<Arc<dyn Sight>> {
        Some(self.console.clone())
    }

    fn copies(&self) -> Option<Arc<dyn Copies>> {
        Some(self.runtime.copies.desk(&self.runtime))
    }

    fn token(&self, order: TokenOrder) -> Answer<String> {
        Box::pin(membership::token(self.runtime.clone(), order))
    }

    fn authority(&self, order: AuthorityOrder) -> Answer<String> {
        Box::pin(authority::order(self.runtime.clone(), order))
    }

    fn next_key(&self) -> Option<Secret> {
        self.runtime.keys.as_ref().and_then(|keys| keys.next_key()).map(|key| Secret(key.to_string()))
    }

    fn transfer(&self, request: TransferRequest) -> Answer<Vec<Transferred>> {
        let runtime = self.runtime.clone();
        Box::pin(async move { leadership::transfer(runtime, request).await.map_err(Problem::Refused) })
    }

    fn order(&self, order: NodeOrder) -> Answer<String> {
        Box::pin(membership::order(self.runtime.clone(), order))
    }

    fn entry(&self, order: EntryOrder) -> Answer<String> {
        Box::pin(entry::carry_out(self.runtime.clone(), order))
    }

    fn scrub(&self, begin: bool) -> ScrubProgress {
        scrub::progress(&self.runtime, begin)
    }
}

/// Why the node does not serve, if it does not.
pub fn not_ready(runtime: &Runtime) -> Option<String> {
    let own = board::own_report(runtime);
    if own.node.state != "up" {
        return Some(own.node.state);
    }
    if runtime.is_joining() {
        return Some(JOINING.into());
    }
    if Bootstrap::waits(&runtime.config.data_dir) {
        return Some("the superuser has no password yet".into());
    }
    let book = runtime.registry.book();
    let unwell = own.replicas.iter().find_map(|r| {
        let router = runtime.router(GroupId(r.group));
        let leaderless = router.is_some_and(|router| router.group.leadership().leader_node.is_none());
        // One that is being made or dropped serves nobody yet, or any more.
        let wanted = book.by_group(GroupId(r.group)).is_none_or(|database| database.state == State::Live);
        match r.row.state.as_str() {
            _ if !wanted => None,
            "ok" if leaderless => Some(format!("{}: no leader", r.row.database)),
            "ok" => None,
            state => Some(format!("{}: {state}", r.row.database)),
        }
    });
    let member = book.nodes.get(&runtime.identity.node).is_some_and(|node| node.state != "joining");
    let why = match (runtime.caught_up(), member) {
        (true, true) => None,
        (true, false) => Some("this node is not registered with the cluster yet"),
        (false, _) => Some("this node is catching up with the others"),
    };
    unwell.or_else(|| why.map(str::to_owned)).or_else(|| unsettled(runtime, &book))
}

/// Where this node stands by while the vote of one that leaves is not passed on yet. Whoever takes nodes away one after the
/// other, each when the last one's successor is ready, must not find two votes missing. Once it was ready, this is no reason any more.
fn unsettled(runtime: &Runtime, book: &Book) -> Option<String> {
    if runtime.settled.load(Acquire) {
        return None;
    }
    let waits = runtime.groups.routers().into_iter().find(|router| {
        let status = router.group.status();
        let now = &status.membership;
        let leaves =
            |replica| status.nodes.get(replica).and_then(|node| book.nodes.get(node)).is_none_or(NodeEntry::leaves);
        // In a joint configuration, a majority of those that voted before is still asked.
        !now.voters_outgoing.is_empty() || now.learners.contains(&status.replica) && now.voters.iter().any(leaves)
    });
    match waits {
        Some(router) => Some(format!("{}: a vote is not passed on yet", runtime.name_of(router.id))),
        None => {
            runtime.settled.store(true, Release);
            None
        }
    }
}

pub fn status(runtime: &Runtime) -> ClusterStatus {
    let own = board::own_report(runtime);
    let cluster_id = format!("{:032x}", runtime.identity.cluster);
    ClusterStatus { cluster_id, ..runtime.board.status(&runtime.config.cluster, own, &runtime.registry.rows()) }
}

/// Brings cancel keys to the node they belong to.
struct CancelElsewhere(Arc<Runtime>);

impl CancelRouter for CancelElsewhere {
    fn route(&self, key: CancelKey) {
        let request = peer::encode(&Request::Cancel { pid: key.pid, secret: key.secret });
        for node in self.0.network.connected().into_iter().filter(|n| key.belongs_to(*n)) {
            let (runtime, request) = (self.0.clone(), request.clone());
            tokio::spawn(async move {
                let deadline = Instant::now() + Duration::from_secs(2);
                if let Err(e) = runtime.network.call(node, request, deadline).await {
                    tracing::debug!("a cancel request did not reach {node}: {e}");
                }
            });
        }
    }
}

/// Counts the sessions of the other nodes. One that does not answer is away, and its clients with it.
struct Elsewhere(Arc<Runtime>);

impl Census for Elsewhere {
    fn count(&self, role: &str, database: u32) -> BoxFuture<'static, (usize, usize)> {
        let runtime = self.0.clone();
        let request = peer::encode(&Request::Count { role: role.to_owned(), database });
        Box::pin(async move {
            let asked = runtime.network.connected().into_iter().map(|node| {
                let call = runtime.network.call(node, request.clone(), Instant::now() + COUNT);
                async move { peer::decode::<Reply>(&call.await.ok()?).ok() }
            });
            let mut sum = (0, 0);
            for reply in join_all(asked).await.into_iter().flatten() {
                if let Reply::Counted { of_role, in_database } = reply {
                    sum = (sum.0 + of_role as usize, sum.1 + in_database as usize);
                }
            }
            sum
        })
    }
}

/// What Postgres clients find: the databases, and how they are served.
pub fn front(runtime: &Arc<Runtime>, guard: Arc<Guard>) -> (frontend::Databases<Router>, Arc<frontend::Options>) {
    let mut options = frontend::Options::new(Arc::new(Postgres), runtime.cancels.clone());
    options.max_connections = runtime.config.max_connections;
    options.reserved = runtime.config.reserved_connections;
    options.startup_timeout = runtime.config.authentication_timeout;
    options.guard = guard;
    options.elsewhere = Some(Arc::new(Elsewhere(runtime.clone())));
    options.cancel_elsewhere = Some(Arc::new(CancelElsewhere(runtime.clone())));
    options.drain = super::DRAIN;
    let options = Arc::new(options);
    let databases: frontend::Databases<Router> = Arc::new(databases::Lookup(runtime.clone()));
    let _ = runtime.doors.set(databases::Doors { databases: databases.clone(), options: options.clone() });
    (databases, options)
}

/// Serves Postgres clients until shutdown.
pub fn serve_clients(
    runtime: &Arc<Runtime>,
    listener: TcpListener,
    (databases, options): (frontend::Databases<Router>, Arc<frontend::Options>),
    stopped: watch::Receiver<bool>,
) -> impl Future<Output = ()> + use<> {
    tokio::spawn(security::bootstrap(runtime.clone(), databases.clone(), options.clone()));
    let front = tokio::spawn(frontend::serve(listener, databases, options, stopped));
    async move {
        let _ = front.await;
    }
}
