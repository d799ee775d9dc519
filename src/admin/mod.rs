//! HTTP for people and machines that watch: `/health`, `/ready`, `/status`, `/metrics`; `/join` for new nodes; and
//! `/transfer` and `/node` for operators.
//!
//! Knows neither Raft nor SQL: everything it tells comes from [`Facts`].

pub mod metrics;

use crate::antechamber::Antechamber;
use crate::status::ClusterStatus;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::routing::{get, post};
use axum::{Json, Router};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use serde::{Deserialize, Serialize};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tower::ServiceExt;

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

/// What a node answers later.
pub type Answer<T> = Pin<Box<dyn Future<Output = Result<T, Problem>> + Send>>;

/// The room's view of the node.
pub trait Facts: Send + Sync + 'static {
    fn status(&self) -> ClusterStatus;
    /// Why the node does not serve, if it does not.
    fn not_ready(&self) -> Option<String>;
    fn join(&self, request: JoinRequest) -> Answer<JoinReply>;
    /// Moves leaderships and waits until they have moved.
    fn transfer(&self, request: TransferRequest) -> Answer<Vec<Transferred>>;
    /// Carries an order out; says what was done, or how far it has come.
    fn order(&self, order: NodeOrder) -> Answer<String>;
}

/// How long a connection may wait with a request, or be silent between two.
const HEADERS: Duration = Duration::from_secs(10);
/// How long a request may take, its body included; moving leaderships takes longest.
const REQUEST: Duration = Duration::from_secs(120);
/// Connections at once; see [`Antechamber`].
const CONNECTIONS: usize = 256;
/// For requests that run at shutdown.
const DRAIN: Duration = Duration::from_secs(5);

/// Serves until `shutdown` turns true.
pub async fn serve(listener: TcpListener, facts: Arc<dyn Facts>, mut shutdown: watch::Receiver<bool>) {
    let app = Router::new()
        .route("/health", get(|| async { "ok\n" }))
        .route("/ready", get(ready))
        .route("/status", get(status))
        .route("/metrics", get(metrics_text))
        .route("/join", post(join))
        .route("/transfer", post(transfer))
        .route("/node", post(order))
        .with_state(facts);
    let (visitors, mut tasks) = (Antechamber::new(CONNECTIONS), JoinSet::new());
    while !*shutdown.borrow() {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    let (visitor, app, stop) = (visitors.enter(), app.clone(), shutdown.clone());
                    tasks.spawn(async move { visitor.until(converse(stream, app, stop)).await });
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

/// Answers one connection's requests until it is closed, or until `shutdown` and the end of its present request.
async fn converse(stream: TcpStream, app: Router, mut shutdown: watch::Receiver<bool>) {
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request| {
        let app = app.clone();
        async move {
            let answer = timeout(REQUEST, app.oneshot(request)).await;
            answer.unwrap_or_else(|_| Ok(StatusCode::GATEWAY_TIMEOUT.into_response()))
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
    metrics::render(&facts.status())
}

async fn join(
    State(facts): State<Arc<dyn Facts>>,
    Json(request): Json<JoinRequest>,
) -> Result<Json<JoinReply>, (StatusCode, String)> {
    facts.join(request).await.map(Json).map_err(refused)
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

fn refused(problem: Problem) -> (StatusCode, String) {
    match problem {
        Problem::Refused(why) => (StatusCode::CONFLICT, why),
        Problem::Later(why) => (StatusCode::SERVICE_UNAVAILABLE, why),
    }
}
