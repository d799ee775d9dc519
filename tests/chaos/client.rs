//! What all clients share: when to stop, where the nodes are, and connections that are made anew when they break.

use crate::sim::random::Random;
use crate::support::PATIENCE;
use crate::support::cluster::{Cluster, connect, explain};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::time::error::Elapsed;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Error, Row};

/// How long a statement is waited for: longer than the server tries (`statement_timeout`).
const STATEMENT: Duration = Duration::from_secs(8);

/// What clients have in common.
pub struct Field {
    ports: Vec<u16>,
    seed: u64,
    begun: Instant,
    stop: AtomicBool,
    /// Statements and blocks that were acknowledged.
    done: AtomicU64,
}

impl Field {
    pub fn new(cluster: &Cluster, seed: u64) -> Arc<Field> {
        let ports = cluster.nodes.values().map(|node| node.postgres).collect();
        let (stop, done) = (AtomicBool::new(false), AtomicU64::new(0));
        Arc::new(Field { ports, seed, begun: Instant::now(), stop, done })
    }

    pub fn stop(&self) {
        self.stop.store(true, Ordering::SeqCst);
    }

    pub fn is_over(&self) -> bool {
        self.stop.load(Ordering::SeqCst)
    }

    /// µs since the beginning.
    pub fn now(&self) -> u64 {
        self.begun.elapsed().as_micros() as u64
    }

    pub fn acknowledged(&self) -> u64 {
        self.done.load(Ordering::SeqCst)
    }

    /// Waits until so many more are acknowledged; how long that took.
    pub async fn progress(&self, more: u64) -> Duration {
        let (goal, begun) = (self.acknowledged() + more, Instant::now());
        while self.acknowledged() < goal {
            assert!(begun.elapsed() < PATIENCE, "nothing goes on: {} of {goal}", self.acknowledged());
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        begun.elapsed()
    }
}

/// How a statement, or a block's COMMIT, has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// The server says so: it has no effect. The SQLSTATE.
    Refused(String),
    /// The answer is missing, or says that it does not know.
    Unknown(String),
}

impl Trouble {
    fn of(error: &Error) -> Trouble {
        let Some(db) = error.as_db_error() else { return Trouble::Unknown(error.to_string()) };
        let text = explain(error);
        let vague = text.contains("may still take effect") || ["40003", "08007", "57P01"].contains(&db.code().code());
        if vague { Trouble::Unknown(text) } else { Trouble::Refused(db.code().code().to_owned()) }
    }
}

pub type Answer<T> = Result<T, Trouble>;

/// One client: a connection to some node, another one when it breaks.
pub struct Caller {
    pub field: Arc<Field>,
    pub random: Random,
    client: Option<Client>,
}

impl Caller {
    pub fn new(field: &Arc<Field>, number: u64) -> Caller {
        let random = Random::new(field.seed ^ (number + 1) << 32);
        Caller { field: field.clone(), random, client: None }
    }

    /// Connects, if need be; false when it is over.
    pub async fn ready(&mut self) -> bool {
        loop {
            if self.field.is_over() {
                return false;
            }
            if self.client.as_ref().is_some_and(|client| !client.is_closed()) {
                return true;
            }
            let port = self.random.pick(&self.field.ports);
            self.client = match tokio::time::timeout(Duration::from_secs(2), connect(port)).await {
                Ok(Ok(client)) => Some(client),
                _ => None,
            };
            match &self.client {
                Some(client) => {
                    let set = "SET statement_timeout = '5s'; SET lock_timeout = '2s'";
                    if tokio::time::timeout(STATEMENT, client.batch_execute(set)).await.is_err() {
                        self.client = None;
                    }
                }
                None => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        }
    }

    pub async fn rows(&mut self, sql: &str, params: &[&(dyn ToSql + Sync)]) -> Answer<Vec<Row>> {
        let Some(client) = &self.client else { return Err(Trouble::Unknown("not connected".into())) };
        let ended = tokio::time::timeout(STATEMENT, client.query(sql, params)).await;
        self.answer(ended)
    }

    /// Statements without parameters and rows.
    pub async fn run(&mut self, sql: &str) -> Answer<()> {
        let Some(client) = &self.client else { return Err(Trouble::Unknown("not connected".into())) };
        let ended = tokio::time::timeout(STATEMENT, client.batch_execute(sql)).await;
        self.answer(ended)
    }

    /// COPY of these lines; how many rows were taken.
    pub async fn copy(&mut self, sql: &str, lines: String) -> Answer<u64> {
        use futures::SinkExt as _;
        let Some(client) = &self.client else { return Err(Trouble::Unknown("not connected".into())) };
        let copy = async {
            let mut sink = Box::pin(client.copy_in::<_, bytes::Bytes>(sql).await?);
            sink.send(bytes::Bytes::from(lines)).await?;
            sink.as_mut().finish().await
        };
        let ended = tokio::time::timeout(STATEMENT, copy).await;
        self.answer(ended)
    }

    fn answer<T>(&mut self, ended: Result<Result<T, Error>, Elapsed>) -> Answer<T> {
        match ended {
            Ok(answer) => answer.map_err(|error| Trouble::of(&error)),
            // It may be paused: whatever it still says, nobody listens.
            Err(_) => {
                self.client = None;
                Err(Trouble::Unknown("no answer".into()))
            }
        }
    }

    /// Ends what is left of a block, whatever the server says to that.
    pub async fn give_up(&mut self) {
        if self.run("ROLLBACK").await.is_err() {
            self.client = None;
        }
    }

    pub fn acknowledge(&self) {
        self.field.done.fetch_add(1, Ordering::SeqCst);
    }

    pub async fn pause(&mut self) {
        let ms = self.random.range(0, 12);
        tokio::time::sleep(Duration::from_millis(ms)).await;
    }
}
