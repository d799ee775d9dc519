//! What commands ask of a node so that databases get out of a cluster in pieces, and into one.
//!
//! Either takes long, so it is begun, asked after until it is done, and ended by whoever began it. What nobody asks after any
//! more the node ends by itself.

use super::{Answer, Facts, refused};
use crate::backup::manifest::Database;
use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// What is to be done with a copy that a node makes of a database.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BackupOrder {
    Begin {
        database: String,
    },
    /// Its pieces are not needed any more.
    End {
        id: u64,
    },
}

/// What is to be done with a database that a node is given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RestoreOrder {
    Begin(Box<Arrival>),
    /// It has all pieces: the database is to be made.
    Finish {
        id: u64,
    },
    End {
        id: u64,
    },
}

/// A database that comes from a backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Arrival {
    pub database: Database,
    /// The number of the cluster that it was in.
    pub cluster_id: String,
    /// What it is to be called here.
    pub name: String,
    /// The cluster is to have the roles that are in it; if there is nothing else in it, that is all.
    pub roles: bool,
    /// If the database that has the cluster's roles has this name and is empty, it makes way.
    pub displaces: bool,
}

/// How far either is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Progress {
    pub id: u64,
    /// What is being done, and how much of how much.
    pub doing: String,
    pub done: u64,
    pub of: u64,
    /// Why nothing comes of it.
    pub failed: Option<String>,
    /// A backup: its pieces can be had.
    pub made: Option<Database>,
    /// A restore: it is there; what is to be said of it.
    pub restored: Option<Vec<String>>,
}

/// The side of it that is the node's.
pub trait Copies: Send + Sync + 'static {
    fn backup(&self, order: BackupOrder) -> Answer<Progress>;
    fn restore(&self, order: RestoreOrder) -> Answer<Progress>;
    fn progress(&self, id: u64) -> Answer<Progress>;
    fn piece(&self, id: u64, number: u64) -> Answer<Vec<u8>>;
    fn take(&self, id: u64, number: u64, content: Bytes) -> Answer<()>;
}

#[derive(Deserialize)]
struct Which {
    id: u64,
    #[serde(default)]
    piece: u64,
}

type Desk = State<Arc<dyn Copies>>;
type Said<T> = Result<T, (StatusCode, String)>;

pub fn routes(facts: &Arc<dyn Facts>) -> Router {
    let Some(copies) = facts.copies() else { return Router::new() };
    Router::new()
        .route("/backup", get(progress).post(backup))
        .route("/backup/piece", get(piece))
        .route("/restore", get(progress).post(restore))
        .route("/restore/piece", post(take))
        .with_state(copies)
}

async fn backup(State(copies): Desk, Json(order): Json<BackupOrder>) -> Said<Json<Progress>> {
    copies.backup(order).await.map(Json).map_err(refused)
}

async fn restore(State(copies): Desk, Json(order): Json<RestoreOrder>) -> Said<Json<Progress>> {
    copies.restore(order).await.map(Json).map_err(refused)
}

async fn progress(State(copies): Desk, Query(which): Query<Which>) -> Said<Json<Progress>> {
    copies.progress(which.id).await.map(Json).map_err(refused)
}

async fn piece(State(copies): Desk, Query(which): Query<Which>) -> Said<Vec<u8>> {
    copies.piece(which.id, which.piece).await.map_err(refused)
}

async fn take(State(copies): Desk, Query(which): Query<Which>, content: Bytes) -> Said<()> {
    copies.take(which.id, which.piece, content).await.map_err(refused)
}
