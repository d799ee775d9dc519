//! HTTP for people and machines that watch: `/health`, `/ready`, `/status`, `/metrics`; `/join` for new nodes; and
//! `/transfer`, `/node`, `/token`, `/authority`, `/entry`, `/scrub`, `/backup` and `/restore` for operators; `/console` for people who look.
//!
//! A node that other machines can reach encrypts, and lets in who shows a certificate of one of the cluster's nodes or the
//! name and password of a superuser (`gate`); all others see `/health` and `/ready`, and may ask to join with a token.
//! One that only this machine can reach believes everybody but web pages.
//!
//! Knows neither Raft nor SQL: everything it tells comes from [`Facts`].

pub mod backup;
pub mod client;
pub mod console;
mod gate;
pub mod metrics;

use crate::antechamber::Antechamber;
use crate::pki::{Keys, node_name};
use crate::status::ClusterStatus;
use crate::telemetry::TELEMETRY;
use axum::extract::{Extension, State};
use axum::http::{Request, StatusCode};
use axum::response::IntoResponse;
use axum::routing::{get, post};
use axum::{Json, Router};
use gate::Caller;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// What is not to be seen in a log.
#[derive(Clone, Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
#[serde(transparent)]
pub struct Secret(pub String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// What a node that wants to become a member says of itself.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct JoinRequest {
    pub cluster: String,
    pub name: String,
    pub incarnation: u64,
    pub peer_addr: String,
    pub pg_addr: String,
    pub http_addr: String,
    /// The highest version of the cluster that its program can take part in.
    pub speaks: u32,
    /// What lets it in, where a certificate is needed and it has none.
    pub token: Option<Secret>,
}

/// What it needs to become one.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct JoinReply {
    pub cluster_id: u128,
    pub node: u64,
    pub members: Vec<JoinMember>,
    /// (group, replica id of the new node in it).
    pub replicas: Vec<(u64, u64)>,
    /// (group, replica, node) of every replica.
    pub placement: Vec<(u64, u64, u64)>,
    /// The cluster's authorities and the key of the one that issues, for a node that came with a token: with them it makes
    /// its own certificate.
    pub authority: Option<Handover>,
}

/// What a node needs to issue its own certificate: the authorities that are believed, the key of the one that issues, and
/// what else is in each node's `pki`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Handover {
    pub bundle: String,
    pub key: Secret,
    pub cross: Option<String>,
    pub nobody: Option<Secret>,
}

/// What an operator wants done with the cluster's authority.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AuthorityOrder {
    /// A new one, and certificates of it for all nodes; the old one is believed too.
    Rotate,
    /// The old one is believed no more.
    Retire,
    /// The new one is given up, as long as no node has a certificate of it.
    Abandon,
}

/// What an operator wants done with the tokens that let nodes in.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenOrder {
    /// A new one, for so many nodes and seconds.
    Create {
        uses: u32,
        seconds: u64,
    },
    List,
    Revoke {
        id: String,
    },
}

/// A member, as one that joins must know it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct JoinMember {
    pub node: u64,
    pub incarnation: u64,
    pub peer_addr: String,
}

/// What an operator wants done with a node.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NodeOrder {
    /// It leaves the cluster for good.
    Remove { node: String },
    /// The same, and a learner takes its votes: the one that is named, or any.
    Replace { node: String, with: Option<String> },
}

/// What an operator wants done with an entry of the log that a replica cannot get past.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntryOrder {
    pub database: String,
    pub index: u64,
    pub term: u64,
    /// The asked node tries it once more; otherwise the group is to record it as failed.
    pub retry: bool,
}

/// How far a node is with reading through its database files.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ScrubProgress {
    pub node: String,
    pub running: bool,
    pub databases: Vec<ScrubbedDatabase>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ScrubbedDatabase {
    pub database: String,
    /// What the file has, as far as that is known, and what of it was read.
    pub pages: u32,
    pub read: u32,
    /// What is not as it was written; the replica is rebuilt then.
    pub damage: Option<String>,
    /// What the leader found when all replicas were compared.
    pub compared: Option<String>,
}

/// Why something was not done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    /// It will not be done.
    Refused(String),
    /// It cannot be done now.
    Later(String),
}

impl From<String> for Problem {
    fn from(why: String) -> Problem {
        Problem::Refused(why)
    }
}

/// Which leaderships are to move, and where to.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct TransferRequest {
    /// A group by its number, or a database by its name; without either, all that are concerned.
    pub group: Option<u64>,
    pub database: Option<String>,
    /// A node's name. Without it the leader chooses the replica that is furthest.
    pub to: Option<String>,
}

/// Who leads a group after [`TransferRequest`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transferred {
    pub group: u64,
    pub database: String,
    /// Nodes by name.
    pub from: String,
    pub to: String,
}

/// Somebody who has shown a role's password.
#[derive(Clone, Debug)]
pub struct SignedIn {
    pub role: String,
    pub superuser: bool,
}

/// What a node answers later.
pub type Answer<T> = Pin<Box<dyn Future<Output = Result<T, Problem>> + Send>>;

/// The room's view of the node.
pub trait Facts: Send + Sync + 'static {
    fn status(&self) -> ClusterStatus;
    /// Why the node does not serve, if it does not.
    fn not_ready(&self) -> Option<String>;
    /// `certified`: the name in the certificate of a node of this cluster that it has shown.
    fn join(&self, request: JoinRequest, certified: Option<String>) -> Answer<JoinReply>;
    /// Whether a node of this name is a member.
    fn is_member(&self, node: &str) -> bool;
    /// Whether this is a role's name and password.
    fn log_in(&self, from: IpAddr, role: String, password: Secret) -> Answer<Option<SignedIn>>;
    /// What the console sees; nothing as long as the node is no member.
    fn sight(&self) -> Option<Arc<dyn console::Sight>>;
    /// What backups and restores are asked of; the same.
    fn copies(&self) -> Option<Arc<dyn backup::Copies>>;
    /// Says what was done; of a new token, the token.
    fn token(&self, order: TokenOrder) -> Answer<String>;
    /// Says what was done.
    fn authority(&self, order: AuthorityOrder) -> Answer<String>;
    /// The key of the authority that is to follow.
    fn next_key(&self) -> Option<Secret>;
    /// Moves leaderships and waits until they have moved.
    fn transfer(&self, request: TransferRequest) -> Answer<Vec<Transferred>>;
    /// Carries an order out; says what was done, or how far it has come.
    fn order(&self, order: NodeOrder) -> Answer<String>;
    /// The same of an order that is about an entry.
    fn entry(&self, order: EntryOrder) -> Answer<String>;
    /// How far reading through the files is; `begin`: begins, unless it is under way.
    fn scrub(&self, begin: bool) -> ScrubProgress;
}

/// How long a connection may wait with a request, or be silent between two.
const HEADERS: Duration = Duration::from_secs(10);
/// How long a request may take, its body included; moving leaderships takes longest.
const REQUEST: Duration = Duration::from_secs(120);
/// Connections at once; see [`Antechamber`].
const CONNECTIONS: usize = 256;
/// For requests that run at shutdown.
const DRAIN: Duration = Duration::from_secs(5);

/// Who is let in.
#[derive(Clone, Default)]
pub struct Gate {
    /// What encrypts; without, only this machine can reach the node.
    pub keys: Option<Arc<Keys>>,
    pub open_metrics: bool,
}

/// Serves until `shutdown` turns true.
pub async fn serve(listener: TcpListener, facts: Arc<dyn Facts>, gate: Gate, mut shutdown: watch::Receiver<bool>) {
    let app = Router::new()
        .route("/health", get(|| async { "ok\n" }))
        .route("/ready", get(ready))
        .route("/status", get(status))
        .route("/metrics", get(metrics_text))
        .route("/join", post(join))
        .route("/transfer", post(transfer))
        .route("/node", post(order))
        .route("/token", post(token))
        .route("/authority", post(authority))
        .route("/authority/key", get(next_key))
        .route("/entry", post(entry))
        .route("/scrub", get(scrub).post(begin_scrub))
        .with_state(facts.clone())
        .merge(backup::routes(&facts))
        .merge(console::routes(facts.clone(), shutdown.clone()));
    let house = Arc::new(House { app, facts, gate });
    let (visitors, mut tasks) = (Antechamber::new(CONNECTIONS), JoinSet::new());
    while !*shutdown.borrow() {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, from)) => {
                    let (visitor, house, stop) = (visitors.enter(), house.clone(), shutdown.clone());
                    let from = from.ip().to_canonical();
                    tasks.spawn(async move { visitor.until(welcome(stream, from, house, stop)).await });
                }
                // Out of descriptors, mostly: it passes when others close.
                Err(error) => {
                    tracing::warn!(%error, "cannot accept an HTTP connection");
                    sleep(Duration::from_millis(50)).await;
                }
            },
            Some(_) = tasks.join_next(), if !tasks.is_empty() => {}
            changed = shutdown.changed() => {
                if changed.is_err() {
                    break;
                }
            }
        }
    }
    drop(listener);
    let _ = timeout(DRAIN, async { while tasks.join_next().await.is_some() {} }).await;
}

/// What all connections share.
struct House {
    app: Router,
    facts: Arc<dyn Facts>,
    gate: Gate,
}

/// Encrypts a new connection, if that is due, and finds out whether a node is at its other end.
async fn welcome(stream: TcpStream, from: IpAddr, house: Arc<House>, shutdown: watch::Receiver<bool>) {
    let _ = stream.set_nodelay(true);
    let Some(keys) = house.gate.keys.clone() else {
        let caller = Caller { from, encrypted: false, node: None, role: None };
        return converse(stream, caller, house, shutdown).await;
    };
    let acceptor = TlsAcceptor::from(keys.now().http.clone());
    match timeout(HEADERS, acceptor.accept(stream)).await {
        Ok(Ok(stream)) => {
            let certificate = stream.get_ref().1.peer_certificates().and_then(|chain| chain.first());
            let name = certificate.and_then(node_name).filter(|name| name.cluster == keys.cluster());
            let node = name.map(|name| name.node);
            let caller = Caller { from, encrypted: true, node, role: None };
            converse(stream, caller, house, shutdown).await;
        }
        Ok(Err(error)) => tracing::debug!(%from, %error, "an HTTP connection could not be encrypted"),
        Err(_) => {}
    }
}

/// Answers one connection's requests until it is closed, or until `shutdown` and the end of its present request.
async fn converse<S>(stream: S, caller: Caller, house: Arc<House>, mut shutdown: watch::Receiver<bool>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = service_fn(move |mut request: Request<Incoming>| {
        let (house, mut caller) = (house.clone(), caller.clone());
        async move {
            let answer = timeout(REQUEST, async {
                if let Err(refusal) = gate::admit(&house.gate, house.facts.as_ref(), &mut caller, &request).await {
                    return Ok(refusal);
                }
                request.extensions_mut().insert(caller);
                house.app.clone().oneshot(request).await
            });
            answer.await.unwrap_or_else(|_| Ok(StatusCode::GATEWAY_TIMEOUT.into_response()))
        }
    });
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(HEADERS);
    let connection = builder.serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = async { drop(shutdown.wait_for(|stop| *stop).await) } => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "an HTTP connection ended");
    }
}

async fn ready(State(facts): State<Arc<dyn Facts>>) -> (StatusCode, String) {
    match facts.not_ready() {
        None => (StatusCode::OK, "ready\n".into()),
        Some(why) => (StatusCode::SERVICE_UNAVAILABLE, format!("{why}\n")),
    }
}

async fn status(State(facts): State<Arc<dyn Facts>>) -> Json<ClusterStatus> {
    Json(facts.status())
}

async fn metrics_text(State(facts): State<Arc<dyn Facts>>) -> String {
    metrics::render(&facts.status()) + &TELEMETRY.render()
}

async fn join(
    State(facts): State<Arc<dyn Facts>>,
    Extension(caller): Extension<Caller>,
    Json(request): Json<JoinRequest>,
) -> Result<Json<JoinReply>, (StatusCode, String)> {
    facts.join(request, caller.node).await.map(Json).map_err(refused)
}

async fn token(
    State(facts): State<Arc<dyn Facts>>,
    Json(order): Json<TokenOrder>,
) -> Result<String, (StatusCode, String)> {
    facts.token(order).await.map_err(refused)
}

async fn authority(
    State(facts): State<Arc<dyn Facts>>,
    Json(order): Json<AuthorityOrder>,
) -> Result<String, (StatusCode, String)> {
    facts.authority(order).await.map_err(refused)
}

/// Nodes only: no password gives anybody the authority's key.
async fn next_key(
    State(facts): State<Arc<dyn Facts>>,
    Extension(caller): Extension<Caller>,
) -> Result<String, (StatusCode, String)> {
    // A certificate of a node that was removed may come with a superuser's password.
    match caller.node.filter(|node| facts.is_member(node)).and_then(|_| facts.next_key()) {
        Some(key) => Ok(key.0.clone()),
        None => Err((StatusCode::FORBIDDEN, "this is for nodes that follow another authority\n".into())),
    }
}

async fn transfer(
    State(facts): State<Arc<dyn Facts>>,
    Json(request): Json<TransferRequest>,
) -> Result<Json<Vec<Transferred>>, (StatusCode, String)> {
    facts.transfer(request).await.map(Json).map_err(refused)
}

async fn order(
    State(facts): State<Arc<dyn Facts>>,
    Json(order): Json<NodeOrder>,
) -> Result<String, (StatusCode, String)> {
    facts.order(order).await.map_err(refused)
}

async fn entry(
    State(facts): State<Arc<dyn Facts>>,
    Json(order): Json<EntryOrder>,
) -> Result<String, (StatusCode, String)> {
    facts.entry(order).await.map_err(refused)
}

async fn scrub(State(facts): State<Arc<dyn Facts>>) -> Json<ScrubProgress> {
    Json(facts.scrub(false))
}

async fn begin_scrub(State(facts): State<Arc<dyn Facts>>) -> Json<ScrubProgress> {
    Json(facts.scrub(true))
}

fn refused(problem: Problem) -> (StatusCode, String) {
    match problem {
        Problem::Refused(why) => (StatusCode::CONFLICT, why),
        Problem::Later(why) => (StatusCode::SERVICE_UNAVAILABLE, why),
    }
}
