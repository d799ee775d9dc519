//! Live relations: what this node and the others know of the cluster, its sessions and its locks.
//!
//! A statement that reads some comes with their names, and is given their rows before it runs, as JSON: so all its parts see the same, and a
//! statement that writes carries them into the log. In a block they are as of each statement, at every level.

use super::reach::{Peers, Replica};
use super::router::Router;
use super::{Control, ReadRequest, Who};
use crate::command::Step;
use crate::error::{SqlError, SqlResult};
use crate::functions::Signal;
use crate::id::GroupId;
use crate::sql::database::{Databases, Order};
use futures::future::BoxFuture;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What a node knows beside the data.
pub trait Facts: Send + Sync + 'static {
    /// The rows of a live relation as a JSON array of objects.
    fn gather(&self, relation: &str) -> BoxFuture<'static, String>;
    /// The databases of the cluster, for one whose database is this group's.
    fn databases(&self, own: GroupId) -> Databases;
    /// How many sessions there may be in the group's database; −1: any number.
    fn connection_limit(&self, own: GroupId) -> i32;
    /// Has the cluster do something for a session in the group's database.
    fn order(
        &self,
        from: GroupId,
        order: Order,
        who: Who,
        control: Control,
    ) -> BoxFuture<'static, SqlResult<Vec<SqlError>>>;
    /// Sends a signal to a session of the cluster; whether there was somebody to send it to.
    fn signal(&self, pid: i32, signal: Signal) -> bool;
}

impl<R: Replica, P: Peers> Router<R, P> {
    /// Gives a read what it asks of the node.
    pub(super) async fn inform_read(&self, request: &mut ReadRequest) {
        if request.signals
            && let Some(facts) = self.facts.get().cloned()
        {
            request.context.signal = Some(Arc::new(move |pid, signal| facts.signal(pid, signal)));
        }
        if !request.context.live.is_empty() {
            self.fill(Arc::make_mut(&mut request.context.live)).await;
        }
    }

    /// Gives a step that is new what it asks of the node.
    pub(super) async fn inform_step(&self, step: &mut Step) {
        if let Some(seen) = step.seen.as_mut().filter(|seen| !seen.live.is_empty()) {
            self.fill(&mut seen.live).await;
        }
    }

    /// Puts the rows of live relations beside their names.
    async fn fill(&self, live: &mut BTreeMap<String, String>) {
        let Some(facts) = self.facts.get() else { return live.clear() };
        // What the session knows by itself is there already.
        for (relation, rows) in live.iter_mut().filter(|(_, rows)| rows.is_empty()) {
            *rows = facts.gather(relation).await;
        }
    }
}
