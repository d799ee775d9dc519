//! HTTP for people and machines that watch: `/health`, `/ready`, `/status`, `/metrics`; `/join` for new nodes; and
//! `/transfer` and `/node` for operators.
//!
//! Knows neither Raft nor SQL: everything it tells comes from [`Facts`].

pub mod metrics;

use crate::status::ClusterStatus;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::sync::watch;

/// What a node that wants to become a member says of itself.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct JoinRequest {
    pub cluster: String,
    pub name: String,
    pub incarnation: u64,
    pub peer_addr: String,
    pub pg_addr: String,
    pub http_addr: String,
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
    let until = async move {
        let _ = shutdown.wait_for(|stop| *stop).await;
    };
    if let Err(e) = axum::serve(listener, app).with_graceful_shutdown(until).await {
        tracing::error!("the HTTP server ended: {e}");
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
