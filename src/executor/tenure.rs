//! How locks outlive a leader.
//!
//! A level's promises rest on locks: between `UPDATE` (or `FOR UPDATE`) and COMMIT nobody else changes the row, and a lock is
//! a mutex. Locks are in the leader's memory, and leaders change. What holds all the same: *a transaction commits only if
//! all its locks were in force, without a gap, from the moment it was told of them*; and *no two transactions are told of
//! the same lock at the same time unless at most one of them can commit*.
//!
//! **Taking office.** Each gateway remembers what its transactions were told to have locked ([`Holdings`]). A leader that
//! has just been elected asks all nodes at once, and until it has heard them grants no lock and admits no write. Nodes whose
//! processes are gone are not waited for, silent ones for a while ([`HEARING`](crate::gateway::transaction::HEARING), from when they fell silent). Then it
//! puts what it has heard into the log ([`Command::Tenure`]); which claims hold is decided there, by a rule that
//! [`engine`](crate::engine) explains, and those it restores. With that it is in office. The rest is void:
//!
//! - A gateway that has been asked takes no more grants from earlier leaders, so nothing is granted that the new one does
//!   not know of.
//! - A transaction that is not in the table of the leader in office, though it has been told of locks, gets 40001 at its next
//!   statement. Its COMMIT becomes [`Command::Abort`] under the same request id: if an earlier attempt has been applied,
//!   that is the answer, and otherwise it never will be.
//! - Whatever a leader admits is only proposed in the term in which it was admitted. So it stands in the log before
//!   the next tenure, or nowhere.
//! - A transaction that ends without a command in the log (it has only locked) has the leader vouch for it: its locks are
//!   in the table, and then a majority confirms that nobody else leads.
//!
//! **Taking locks away.** When a gateway's process is gone, or nothing has been heard of it for a lease, the leader first
//! says in the log that its transactions are void ([`Command::Void`]), so that no later leader believes their claims, and then
//! gives their locks to others.
//!
//! The same serves every lock that a client is told of and keeps: whatever is in the [`LockTable`](crate::locks::LockTable).
//!
//! [`Holdings`]: crate::transaction::Holdings

use super::work::Trouble;
use super::{Executor, State, Tx, admit, void};
use crate::clock::Control;
use crate::command::{Claim, Command, Isolation, Outcome, Tenure};
use crate::host::Defect;
use crate::id::NodeId;
use crate::transaction::{Claimed, Limits, Transcript, TxName};
use crate::value::Value;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// How long to wait before trying again what did not get into the log.
const RETRY: Duration = Duration::from_millis(10);

/// What a gateway has claimed.
#[derive(Debug)]
pub struct Heard {
    /// `None`: this node.
    pub gateway: Option<NodeId>,
    pub claims: Vec<Claimed>,
}

impl Executor {
    /// Waits until this node may grant locks and admit writes; the term for which that holds. Void if it does not lead.
    pub(super) async fn in_office(self: &Arc<Self>, control: &Control) -> Result<u64, Trouble> {
        loop {
            let Some(term) = self.log.term() else {
                return Err(Trouble::Void);
            };
            if self.office.load(Ordering::SeqCst) == term {
                return Ok(term);
            }
            let begun = self.begun.notified();
            tokio::pin!(begun);
            begun.as_mut().enable();
            self.take_office(term);
            if self.office.load(Ordering::SeqCst) == term {
                return Ok(term);
            }
            admit::check(control, self.host.now())?;
            self.look_again(control.deadline, begun).await;
        }
    }

    /// This node leads since this term. Returns at once.
    pub fn take_office(self: &Arc<Self>, term: u64) {
        let tenure = {
            let mut state = self.state.lock();
            self.keep_term(&mut state, term);
            if state.taking.is_some() || self.office.load(Ordering::SeqCst) == term {
                return;
            }
            state.next_tenure()
        };
        let executor = self.clone();
        if !self.host.spawn(Box::pin(async move { executor.establish(tenure).await })) {
            self.state.lock().taking = None;
        }
    }

    async fn establish(self: Arc<Self>, mut tenure: Tenure) {
        if self.host.has(Defect::GrantUnheard) {
            self.state.lock().tenure = tenure;
            self.office.store(tenure.term, Ordering::SeqCst);
            self.begun.notify_waiters();
        }
        loop {
            let claimed: Vec<(Option<NodeId>, Claimed)> = {
                let heard = self.log.hear(tenure).await;
                heard.into_iter().flat_map(|h| h.claims.into_iter().map(move |claim| (h.gateway, claim))).collect()
            };
            let claims = claimed.iter().map(|(_, c)| Claim { name: c.name, since: c.since }).collect();
            let outcome = self.log.propose(Command::Tenure { tenure, claims }, Some(tenure.term)).await;
            if let Ok(Outcome::Done(done)) = outcome {
                let rows = done.iter().flat_map(|step| &step.rows).flatten();
                let held = rows.filter_map(|n| if let Value::Int(n) = n { claimed.get(*n as usize) } else { None });
                return self.enter_office(tenure, held);
            }
            self.host.sleep_until(self.host.now() + RETRY).await;
            let mut state = self.state.lock();
            if state.taking != Some(tenure) || self.log.term() != Some(tenure.term) {
                // Somebody else leads, or begins anew.
                state.taking = state.taking.filter(|taking| *taking != tenure);
                return;
            }
            tenure = state.next_tenure();
        }
    }

    fn enter_office<'a>(self: &Arc<Self>, tenure: Tenure, held: impl Iterator<Item = &'a (Option<NodeId>, Claimed)>) {
        {
            let mut state = self.state.lock();
            if state.taking != Some(tenure) {
                return;
            }
            for (gateway, claim) in held {
                self.restore(&mut state, *gateway, claim);
            }
            state.history.begin(self.shared.applied());
            (state.tenure, state.taking) = (tenure, None);
            state.ended.clear();
            self.office.store(tenure.term, Ordering::SeqCst);
        }
        self.begun.notify_waiters();
        self.sweep_from_now_on();
    }

    /// Takes a transaction and its locks over. Its gateway opens it when it goes on.
    fn restore(&self, state: &mut State, gateway: Option<NodeId>, claim: &Claimed) {
        if state.ended.contains(&claim.name) || state.open.contains_key(&claim.name) {
            return;
        }
        state.next += 1;
        // Orders under the number that its gateway has used last are void.
        let epoch = claim.epoch + 1;
        let limits = Limits { bytes: usize::MAX, steps: usize::MAX };
        let transcript = Transcript::new(Isolation::ReadCommitted, limits);
        let tx = Tx::new(state.next, claim.name, epoch, gateway, self.host.now(), Default::default(), transcript, &[]);
        let locks = if self.host.has(Defect::ForgetLocks) { &[][..] } else { &claim.locks };
        if !locks.iter().all(|held| state.locks.restore(tx.id, held)) {
            // It ends just now, or has: somebody else was told of its locks.
            let others = state.open.values().map(|tx| tx.name).collect::<Vec<_>>();
            tracing::warn!(name = %claim.name, ?gateway, since = ?claim.since, ?others, "its locks are others'");
            state.locks.release_all(tx.id);
            return;
        }
        state.open.insert(claim.name, Arc::new(tx));
        self.active.fetch_add(1, Ordering::SeqCst);
    }

    /// The process of a gateway is gone: its transactions end.
    pub fn gateway_gone(self: &Arc<Self>, node: NodeId) {
        let of_it = |tx: &&Arc<Tx>| tx.gateway == Some(node);
        let names = self.state.lock().open.values().filter(of_it).map(|tx| tx.name).collect();
        self.give_up(names);
    }

    /// Ends transactions whose gateways may not know it.
    pub(super) fn give_up(self: &Arc<Self>, names: Vec<TxName>) {
        let (term, voided) = {
            let mut state = self.state.lock();
            let found: Vec<Arc<Tx>> = names.iter().filter_map(|name| state.open.get(name).cloned()).collect();
            let mut voided = Vec::new();
            for tx in found {
                tx.given_up.store(true, Ordering::SeqCst);
                void(&mut state, &tx);
                voided.push(tx.name);
            }
            (state.term, voided)
        };
        if voided.is_empty() {
            return;
        }
        let executor = self.clone();
        self.host.spawn(Box::pin(async move {
            while executor.log.term() == Some(term) {
                let command = Command::Void { names: voided.clone() };
                if let Ok(Outcome::Done(_)) = executor.log.propose(command, Some(term)).await {
                    return voided.iter().for_each(|name| executor.end(*name));
                }
                executor.host.sleep_until(executor.host.now() + RETRY).await;
            }
        }));
    }
}

impl State {
    fn next_tenure(&mut self) -> Tenure {
        self.round += 1;
        let tenure = Tenure { term: self.term, round: self.round };
        self.taking = Some(tenure);
        tenure
    }
}

/// The term for which a leader is in office; 0: none.
pub(super) type Office = AtomicU64;
