//! A node's answers: to its peers, to HTTP, to Postgres clients.

use super::{Runtime, authority, board, entry, leadership, membership, scrub, security};
use crate::admin::{
    Answer, AuthorityOrder, EntryOrder, Facts, JoinReply, JoinRequest, NodeOrder, Problem, ScrubProgress, Secret,
    TokenOrder, TransferRequest, Transferred,
};
use crate::error::{SqlError, state};
use crate::frontend;
use crate::frontend::Census;
use crate::frontend::cancel::{CancelKey, CancelRouter};
use crate::frontend::login::Guard;
use crate::functions::Signal;
use crate::gateway::peer::{self, Reply, Request, Told};
use crate::gateway::router::{Router, answer_proposal, answer_trial};
use crate::gateway::transaction::answer_transaction;
use crate::id::NodeId;
use crate::session::postgres::Postgres;
use crate::setup::Bootstrap;
use crate::status::ClusterStatus;
use crate::trace;
use crate::transport::Service;
use bytes::Bytes;
use futures::future::{BoxFuture, join_all};
use std::net::IpAddr;
use std::sync::Arc;
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
            Some(router) => answer_proposal(router, proposal, terms).await,
            None => Reply::NotLeader { leader: None },
        },
        Request::Try { group, request, trial, terms } => match runtime.router(group) {
            Some(router) => answer_trial(router, from, request, *trial, terms).await,
            None => Reply::NotLeader { leader: None },
        },
        Request::Transaction { group, request } => match runtime.router(group) {
            Some(router) => Reply::Transaction(answer_transaction(router, from, request).await),
            None => Reply::NotLeader { leader: None },
        },
        Request::Cancel { pid, secret } => {
            runtime.cancels.cancel(CancelKey { pid, secret });
            Reply::Done
        }
        Request::Count { role, database } => Reply::Counted {
            of_role: runtime.cancels.count(|row| row.usename == role) as u64,
            in_database: runtime.cancels.count(|row| row.datname == database) as u64,
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
const JOINING: &str = "this node is joining the cluster and does not have its data yet";

/// What HTTP is told.
pub struct NodeFacts(pub Arc<Runtime>, pub Arc<Guard>);

impl Facts for NodeFacts {
    fn status(&self) -> ClusterStatus {
        status(&self.0)
    }

    fn not_ready(&self) -> Option<String> {
        let own = board::own_report(&self.0);
        if own.node.state != "up" {
            return Some(own.node.state);
        }
        if !self.0.caught_up() && self.0.new {
            return Some(JOINING.into());
        }
        if Bootstrap::waits(&self.0.config.data_dir) {
            return Some("the superuser has no password yet".into());
        }
        let unwell = own.replicas.iter().find_map(|r| {
            let leaderless = self.0.routers[&r.row.database].group.leadership().leader_node.is_none();
            match r.row.state.as_str() {
                "ok" if leaderless => Some(format!("{}: no leader", r.row.database)),
                "ok" => None,
                state => Some(format!("{}: {state}", r.row.database)),
            }
        });
        let why = match (self.0.caught_up(), self.0.registry.knows(self.0.identity.node)) {
            (true, true) => None,
            (true, false) => Some("this node is not registered with the cluster yet"),
            (false, _) => Some("this node is catching up with the others"),
        };
        unwell.or_else(|| why.map(str::to_owned))
    }

    fn join(&self, request: JoinRequest, certified: Option<String>) -> Answer<JoinReply> {
        Box::pin(membership::admit(self.0.clone(), request, certified))
    }

    fn is_member(&self, node: &str) -> bool {
        // Before it knows anybody else, it knows itself.
        node == self.0.config.name || self.0.registry.rows().iter().any(|member| member.node == node)
    }

    fn log_in(&self, from: IpAddr, role: String, password: Secret) -> Answer<bool> {
        let guard = self.1.clone();
        Box::pin(async move {
            let account = guard.check_password(from, &role, &password.0).await;
            let account = account.map_err(|error| Problem::Later(error.message))?;
            Ok(account.is_some_and(|account| account.superuser))
        })
    }

    fn token(&self, order: TokenOrder) -> Answer<String> {
        Box::pin(membership::token(self.0.clone(), order))
    }

    fn authority(&self, order: AuthorityOrder) -> Answer<String> {
        Box::pin(authority::order(self.0.clone(), order))
    }

    fn next_key(&self) -> Option<Secret> {
        self.0.keys.as_ref().and_then(|keys| keys.next_key()).map(|key| Secret(key.to_string()))
    }

    fn transfer(&self, request: TransferRequest) -> Answer<Vec<Transferred>> {
        let runtime = self.0.clone();
        Box::pin(async move { leadership::transfer(runtime, request).await.map_err(Problem::Refused) })
    }

    fn order(&self, order: NodeOrder) -> Answer<String> {
        Box::pin(membership::order(self.0.clone(), order))
    }

    fn entry(&self, order: EntryOrder) -> Answer<String> {
        Box::pin(entry::carry_out(self.0.clone(), order))
    }

    fn scrub(&self, begin: bool) -> ScrubProgress {
        scrub::progress(&self.0, begin)
    }
}

pub fn status(runtime: &Runtime) -> ClusterStatus {
    runtime.board.status(&runtime.config.cluster, board::own_report(runtime), &runtime.registry.rows())
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
    fn count(&self, role: &str, database: &str) -> BoxFuture<'static, (usize, usize)> {
        let runtime = self.0.clone();
        let request = peer::encode(&Request::Count { role: role.to_owned(), database: database.to_owned() });
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

/// Serves Postgres clients until shutdown.
pub fn serve_clients(
    runtime: &Arc<Runtime>,
    listener: TcpListener,
    guard: Arc<Guard>,
    stopped: watch::Receiver<bool>,
) -> impl Future<Output = ()> + use<> {
    let mut options = frontend::Options::new(Arc::new(Postgres), runtime.cancels.clone());
    options.max_connections = runtime.config.max_connections;
    options.reserved = runtime.config.reserved_connections;
    options.startup_timeout = runtime.config.authentication_timeout;
    options.guard = guard;
    options.elsewhere = Some(Arc::new(Elsewhere(runtime.clone())));
    options.cancel_elsewhere = Some(Arc::new(CancelElsewhere(runtime.clone())));
    options.drain = super::DRAIN;
    let options = Arc::new(options);
    let databases = runtime.clone();
    let databases: frontend::Databases<Router> = Arc::new(move |name: &str| {
        if databases.new && !databases.caught_up() {
            return Err(SqlError::new(state::CANNOT_CONNECT_NOW, JOINING).fatal());
        }
        // The system group is not a database for clients.
        let router = (name == super::DATABASE).then(|| databases.routers.get(name).cloned());
        router.flatten().ok_or_else(|| frontend::no_such_database(name))
    });
    tokio::spawn(security::bootstrap(runtime.clone(), databases.clone(), options.clone()));
    let front = tokio::spawn(frontend::serve(listener, databases, options, stopped));
    async move {
        let _ = front.await;
    }
}
