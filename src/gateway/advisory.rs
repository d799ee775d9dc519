//! Advisory locks, asked for and waited for.
//!
//! What holds is in the log ([`Command::Advisory`]); here it is asked for under the session's request id, exactly once as every
//! write. A session that waits looks at its own node's state until its entry has a grant. Whoever gives up waiting (a
//! timeout, a cancel, a client that is gone) takes care, beside, that nothing of it is left ([`Undo`]): the request is
//! settled under its id, and what it brought is given back.
//!
//! A session's locks end with it: its node says so in the log. When the node is gone, it cannot: then the leader does. It
//! hears from each node which of its sessions live ([`Link::renew`](super::transaction)); one of which nothing is heard for a
//! lease is declared lost ([`Command::LoseSessions`]), its locks go to others, and the log takes nothing more of it. What is
//! heard is the leader's own memory: a new leader gives every session a whole lease.

use super::Control;
use super::Database as _;
use super::attempt::Course;
use super::peer;
use super::reach::{Peers, Replica};
use super::router::Router;
use crate::command::{self, AdvisoryKey, AdvisoryOrder, Command, Holder, Outcome, Write};
use crate::engine::Shared;
use crate::error::{SqlError, SqlResult, state};
use crate::host::until;
use crate::id::{NodeId, RequestId};
use crate::locks::advisory::{Told, deadlock, lost};
use crate::replica::core::Role;
use crate::sql::catalog::is_temporary;
use crate::sql::ddl::temporary;
use crate::sql::plan::Effort;
use crate::value::Value;
use parking_lot::Mutex;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How often a leader looks whether the sessions live that have locks.
const SWEEP: Duration = Duration::from_secs(1);
/// After a longer pause than this between two looks, it was this node that was away.
const PAUSE: Duration = Duration::from_secs(4);
/// How long one attempt takes that nobody waits for.
const OWN: Duration = Duration::from_secs(10);
/// And how long to wait between two.
const RETRY: Duration = Duration::from_millis(200);

/// What is left to do when nobody waits for it any more.
#[derive(Clone, Debug)]
pub(super) enum Chore {
    /// A request for a lock may have been applied, or come to be: it gets nothing.
    Undo { request: RequestId, born: u64 },
    /// This has to be done, however long it takes.
    Again { request: RequestId, born: u64, order: AdvisoryOrder },
    /// A session is over.
    End { session: u64 },
}

/// This node's part in advisory locks.
#[derive(Default)]
pub struct Advisers {
    /// Sessions of this node that have asked for a lock, until the log knows that they are over.
    sessions: Mutex<BTreeSet<u64>>,
    chores: Mutex<Vec<Chore>>,
    bell: tokio::sync::Notify,
    /// As the leader: since which term, when it looked last, and when it heard of each session.
    heard: Mutex<Heard>,
}

#[derive(Default)]
struct Heard {
    term: u64,
    looked: Option<Instant>,
    of: BTreeMap<u64, Instant>,
}

impl Advisers {
    fn leave(&self, chore: Chore) {
        self.chores.lock().push(chore);
        self.bell.notify_one();
    }

    /// Sessions whose leases this node renews.
    pub(super) fn sessions(&self) -> Vec<u64> {
        self.sessions.lock().iter().copied().collect()
    }

    /// A node says which of its sessions live.
    pub(super) fn hear(&self, sessions: &[u64], now: Instant) {
        let mut heard = self.heard.lock();
        heard.of.extend(sessions.iter().map(|session| (*session, now)));
    }

    /// As the leader of `term`: which of the holders are to be declared lost.
    fn silent(
        &self,
        shared: &Shared,
        own: NodeId,
        gone: &BTreeSet<NodeId>,
        term: u64,
        lease: Duration,
        now: Instant,
    ) -> Vec<u64> {
        // Looked at first: a session that is gone from here by then is over.
        let holders = shared.advisory(|table| table.holders());
        let local = self.sessions.lock().clone();
        let mut heard = self.heard.lock();
        let away = heard.looked.is_none_or(|looked| now.saturating_duration_since(looked) > PAUSE);
        if heard.term != term || away {
            heard.of.clear();
        }
        (heard.term, heard.looked) = (term, Some(now));
        let mut silent = Vec::new();
        heard.of.retain(|session, _| holders.iter().any(|holder| holder.session == *session));
        for Holder { session, node } in holders {
            let lives = match node == own {
                true => local.contains(&session),
                false => {
                    let since = *heard.of.entry(session).or_insert(now);
                    !gone.contains(&node) && now.saturating_duration_since(since) <= lease
                }
            };
            if !lives {
                silent.push(session);
            }
        }
        silent
    }
}

/// Sees to it that nothing is left of a request that nobody waits for any more.
struct Undo<'a> {
    advisers: &'a Advisers,
    chore: Option<Chore>,
}

impl Drop for Undo<'_> {
    fn drop(&mut self) {
        if let Some(chore) = self.chore.take() {
            self.advisers.leave(chore);
        }
    }
}

impl<R: Replica, P: Peers> Router<R, P> {
    /// See [`Database::advisory`](super::Database::advisory).
    pub(super) async fn advise(&self, request: RequestId, order: AdvisoryOrder, control: &Control) -> SqlResult<Told> {
        let session = request.origin;
        let AdvisoryOrder::Acquire { .. } = order else {
            let born = self.applied();
            let chore = Chore::Again { request, born, order: order.clone() };
            let mut undone = Undo { advisers: &self.advisers, chore: Some(chore) };
            let told = self.put(request, born, session, order, control).await?.1;
            undone.chore = None;
            return told;
        };
        if self.shared.advisory(|table| table.is_lost(session)) {
            return Err(lost());
        }
        self.advisers.sessions.lock().insert(session);
        let begun = self.host.now();
        let born = self.applied();
        let mut undo = Undo { advisers: &self.advisers, chore: Some(Chore::Undo { request, born }) };
        let (at, told) = self.put(request, born, session, order, control).await?;
        let told = match told {
            Ok(Told::Queued { number }) => {
                let limit = control.lock_timeout.map(|timeout| begun + timeout);
                self.await_grant(session, number, at, limit, control).await?
            }
            told => told,
        };
        undo.chore = None;
        told
    }

    /// Puts an order into the log; where, and what came of it for certain.
    async fn put(
        &self,
        request: RequestId,
        born: u64,
        session: u64,
        order: AdvisoryOrder,
        control: &Control,
    ) -> SqlResult<(u64, SqlResult<Told>)> {
        let holder = Holder { session, node: self.node };
        let body = command::encode(&Command::Advisory { born, holder, order });
        let (at, outcome) = self.run(&mut Course::new(request, born), body, Effort::Key, control).await?;
        Ok((at, told(&outcome)))
    }

    /// Waits for the grant of an acquisition. The outer error leaves it open.
    async fn await_grant(
        &self,
        session: u64,
        number: u64,
        at: u64,
        limit: Option<Instant>,
        control: &Control,
    ) -> SqlResult<SqlResult<Told>> {
        let until_when = limit.map_or(control.deadline, |limit| limit.min(control.deadline));
        loop {
            let bell = self.shared.advisory_bell.notified();
            tokio::pin!(bell);
            bell.as_mut().enable();
            if self.shared.applied() >= at {
                let found = self.shared.advisory(|table| table.find(session, number).ok_or(table.is_lost(session)));
                match found.map(|(_, entry)| entry.fence) {
                    Ok(Some(fence)) => return Ok(Ok(Told::Granted { number, fence })),
                    Ok(None) => {}
                    Err(true) => return Ok(Err(lost())),
                    // A leader has seen that it would wait for ever: other kinds of locks are in the circle.
                    Err(false) => return Ok(Err(deadlock())),
                }
            }
            // It does not take effect any more: that is seen to.
            super::router::check(&*self.host, control, true).map_err(|mut error| {
                error.fields.detail = None;
                error
            })?;
            if limit.is_some_and(|limit| self.host.now() >= limit) {
                let message = "canceling statement due to lock timeout";
                return Err(SqlError::new(state::LOCK_NOT_AVAILABLE, message));
            }
            let applied = self.shared.wait_applied(at.max(self.shared.applied() + 1));
            let waiting = async {
                tokio::select! {
                    () = bell => {}
                    // Only to see this node's state as far as the order.
                    _ = applied, if self.shared.applied() < at => {}
                }
            };
            until(&*self.host, until_when, waiting).await;
        }
    }

    /// A session is over: what it has is given back. Returns at once.
    pub(super) fn leave_session(&self, session: u64) {
        self.shared.hub.close(session);
        if self.advisers.sessions.lock().contains(&session) {
            self.advisers.leave(Chore::End { session });
        }
    }

    /// Does what is left to do, renews this node's leases, as the leader looks after those of others, and gives back what
    /// nobody uses. Runs for as long as there is a router.
    pub fn tend(self: &Arc<Self>) -> impl Future<Output = ()> + Send + use<R, P> {
        let (weak, host, advisers) = (Arc::downgrade(self), self.host.clone(), self.advisers.clone());
        async move {
            let mut next = host.now();
            loop {
                let bell = advisers.bell.notified();
                let Some(router) = weak.upgrade() else { return };
                for chore in std::mem::take(&mut *advisers.chores.lock()) {
                    let router = router.clone();
                    host.spawn(Box::pin(async move { router.finish(chore).await }));
                }
                if host.now() >= next {
                    next = host.now() + SWEEP;
                    router.renew_sessions();
                    router.look_after_sessions();
                    router.executor.rest();
                }
                drop(router);
                until(&*host, next, bell).await;
            }
        }
    }

    /// Tells the leader which of this node's sessions live.
    fn renew_sessions(&self) {
        let sessions = self.advisers.sessions();
        let Some(leader) = self.group.leadership().leader_node.filter(|leader| *leader != self.node) else { return };
        if sessions.is_empty() {
            return;
        }
        let request = peer::Request::Transaction { group: self.id, request: peer::Transaction::Sessions(sessions) };
        let (peers, bytes, deadline) = (self.peers.clone(), peer::encode(&request), self.host.now() + SWEEP);
        self.host.spawn(Box::pin(async move { drop(peers.call(leader, bytes, deadline).await) }));
    }

    fn look_after_sessions(self: &Arc<Self>) {
        let leadership = self.group.leadership();
        if leadership.role != Role::Leader {
            return;
        }
        let (term, gone) = (leadership.term, self.peers.gone().borrow().clone());
        let lease = self.executor.lease();
        let silent = self.advisers.silent(&self.shared, self.node, &gone, term, lease, self.host.now());
        let stuck = self.stuck();
        let left = self.left_behind();
        if silent.is_empty() && stuck.is_empty() && left.is_none() {
            return;
        }
        let router = self.clone();
        self.host.spawn(Box::pin(async move {
            let commands = (!silent.is_empty()).then_some(Command::LoseSessions { sessions: silent });
            let born = router.applied();
            let denied = stuck.into_iter().map(|(holder, number)| Command::Advisory {
                born,
                holder,
                order: AdvisoryOrder::Deny { number },
            });
            let left = left.map(|write| Command::Write(Write { born, ..write }));
            for command in commands.into_iter().chain(denied).chain(left) {
                let request = RequestId { origin: router.host.random(), seq: router.host.random() };
                let proposal = command::Proposal { request, body: command::encode(&command) };
                // Whoever leads next looks for itself.
                drop(router.group.propose(proposal, Some(term)).await);
            }
        }));
    }

    /// What is to be done about temporary objects of sessions that are over.
    fn left_behind(&self) -> Option<Write> {
        // Whoever has some said so before it had them.
        let catalog = self.shared.catalog();
        if !catalog.schemas.keys().any(|schema| is_temporary(schema)) {
            return None;
        }
        let lives = |session| self.shared.advisory(|table| !table.entries(AdvisoryKey::Temporary(session)).is_empty());
        let swept = temporary::sweep(&catalog, &|session| !lives(session));
        swept.unwrap_or_else(|error| {
            tracing::warn!(%error, "temporary objects of sessions that are over cannot be dropped");
            None
        })
    }

    /// Waits for advisory locks that are part of a circle in which others wait for rows or tables.
    fn stuck(&self) -> Vec<(Holder, u64)> {
        let mut edges: BTreeMap<u64, Vec<u64>> = BTreeMap::new();
        for (waiter, blocker) in self.executor.waits() {
            edges.entry(waiter).or_default().push(blocker);
        }
        if edges.is_empty() {
            return Vec::new();
        }
        self.shared.advisory(|table| {
            let waiting: Vec<(Holder, u64)> =
                table.all().filter(|(_, e)| e.fence.is_none()).map(|(_, e)| (e.holder, e.number)).collect();
            for (holder, _) in &waiting {
                edges.entry(holder.session).or_default().extend(table.blockers(holder.session));
            }
            // One at a time: it may open several.
            let circle = |(holder, _): &&(Holder, u64)| {
                let (mut seen, mut next) = (BTreeSet::new(), vec![holder.session]);
                while let Some(session) = next.pop() {
                    for blocker in edges.get(&session).into_iter().flatten() {
                        if *blocker == holder.session {
                            return true;
                        }
                        if seen.insert(*blocker) {
                            next.push(*blocker);
                        }
                    }
                }
                false
            };
            waiting.iter().rev().find(circle).copied().into_iter().collect()
        })
    }

    /// Tries until it is done.
    async fn finish(self: Arc<Self>, chore: Chore) {
        loop {
            let control = Control::resumed(OWN.as_millis() as u64, None, self.host.now());
            if self.try_finish(&chore, &control).await.is_ok() {
                return;
            }
            if self.shared.is_closed() {
                return;
            }
            self.host.sleep_until(self.host.now() + RETRY).await;
        }
    }

    async fn try_finish(&self, chore: &Chore, control: &Control) -> SqlResult<()> {
        let own = RequestId { origin: self.host.random(), seq: self.host.random() };
        match chore {
            Chore::Undo { request, born } => {
                let error = SqlError::new(state::QUERY_CANCELED, "canceling statement due to user request");
                let settle = Command::Settle { born: *born, error };
                let mut course = Course::new(*request, *born);
                let (_, outcome) = self.run(&mut course, command::encode(&settle), Effort::Key, control).await?;
                let (Ok(Told::Granted { number, .. }) | Ok(Told::Queued { number })) = told(&outcome) else {
                    return Ok(());
                };
                let order = AdvisoryOrder::GiveBack { numbers: vec![number] };
                self.put(own, self.applied(), request.origin, order, control).await.map(drop)
            }
            Chore::Again { request, born, order } => {
                self.put(*request, *born, request.origin, order.clone(), control).await.map(drop)
            }
            Chore::End { session } => {
                let done = self.put(own, self.applied(), *session, AdvisoryOrder::End, control).await?;
                // One that was lost has nothing any more.
                drop(done);
                self.advisers.sessions.lock().remove(session);
                Ok(())
            }
        }
    }
}

/// What an outcome says of an order.
fn told(outcome: &Outcome) -> SqlResult<Told> {
    match outcome {
        Outcome::Done(steps) => match steps.first().and_then(|step| step.rows.first()).map(Vec::as_slice) {
            Some([Value::Int(1), Value::Int(number), Value::Int(fence)]) => {
                Ok(Told::Granted { number: *number as u64, fence: *fence as u64 })
            }
            Some([Value::Int(2), Value::Int(number), _]) => Ok(Told::Queued { number: *number as u64 }),
            _ => Ok(Told::No),
        },
        Outcome::Failed { error, .. } | Outcome::FailedAfter { error, .. } => Err(error.clone()),
        Outcome::Refused(_) => Err(super::attempt::unknown_completion()),
    }
}

/// A lock as [`crate::status::LockRow`] shows it: class, key, and whether there are two.
pub(super) fn shown(key: AdvisoryKey) -> (u32, u32, i16) {
    match key {
        AdvisoryKey::One(key) => ((key as u64 >> 32) as u32, key as u32, 1),
        AdvisoryKey::Two(class, key) => (class as u32, key as u32, 2),
        AdvisoryKey::Temporary(session) => ((session >> 32) as u32, session as u32, 3),
    }
}
