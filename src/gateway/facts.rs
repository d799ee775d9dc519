//! Live relations: what this node and the others know of the cluster, its sessions and its locks.
//!
//! A statement that reads some is given their rows before it runs, as JSON: so all its parts see the same, and a
//! statement that writes carries them into the log. In a block they are as of each statement, at every level.

use super::ReadRequest;
use super::router::Router;
use crate::command::Step;
use crate::functions::{Signal, live_relations};
use futures::future::BoxFuture;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What a node knows beside the data.
pub trait Facts: Send + Sync + 'static {
    /// The rows of a live relation as a JSON array of objects.
    fn gather(&self, relation: &str) -> BoxFuture<'static, String>;
    /// Sends a signal to a session of the cluster; whether there was somebody to send it to.
    fn signal(&self, pid: i32, signal: Signal) -> bool;
}

impl Router {
    /// Gives a read what it asks of the node.
    pub(super) async fn inform_read(&self, request: &mut ReadRequest) {
        if request.sql.contains("q_signal(")
            && let Some(facts) = self.facts.get().cloned()
        {
            request.context.signal = Some(Arc::new(move |pid, signal| facts.signal(pid, signal)));
        }
        request.context.live = Arc::new(self.gather(names(&request.sql)).await);
    }

    /// Gives a step that is new what it asks of the node.
    pub(super) async fn inform_step(&self, step: &mut Step) {
        let live = self.gather(step.statements.iter().flat_map(|statement| names(&statement.sql)).collect()).await;
        if !live.is_empty() {
            step.seen.get_or_insert_default().live = live;
        }
    }

    async fn gather(&self, relations: BTreeSet<String>) -> BTreeMap<String, String> {
        let mut live = BTreeMap::new();
        let Some(facts) = self.facts.get() else { return live };
        for relation in relations {
            let rows = facts.gather(&relation).await;
            live.insert(relation, rows);
        }
        live
    }
}

fn names(sql: &str) -> BTreeSet<String> {
    live_relations(sql).map(str::to_owned).collect()
}
