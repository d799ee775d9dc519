//! What asynchronous code takes from its surroundings: time, chance, and somebody to run its tasks.
//!
//! The executor and the gateway wait, retry and look after leases, so they cannot be pure. But whatever they do follows
//! from what they are told and from a [`Host`]: the machine in a server, the one thread of the simulation in tests.

use futures::future::BoxFuture;
use std::sync::Arc;
use std::time::{Duration, Instant};

pub trait Host: Send + Sync + 'static {
    fn now(&self) -> Instant;

    fn sleep_until(&self, at: Instant) -> BoxFuture<'static, ()>;

    /// Runs a task beside its caller. False when nobody is there to run it: it is dropped.
    fn spawn(&self, task: BoxFuture<'static, ()>) -> bool;

    fn random(&self) -> u64;

    /// Whether to make this mistake. Only tests do, to show that they would find it.
    fn has(&self, _: Defect) -> bool {
        false
    }
}

/// Mistakes on purpose, where no test could make them from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Defect {
    /// A statement that waited for a lock runs again on the view that it had before.
    NoRefreshAfterWait,
    /// A new leader forgets the locks of open transactions.
    ForgetLocks,
    /// A new leader grants locks before it has heard what others hold.
    GrantUnheard,
    /// A transaction whose locks were given to others commits.
    CommitVoid,
    /// A gateway forgets that an attempt may have been applied, and tells the next one's error as certain.
    ForgetsSent,
    /// What a trial finds is told without asking the log, though an earlier attempt may have been applied.
    TrialIsCertain,
    /// A read that ran before its read index was known is told although its snapshot may be older.
    TellsEarly,
    /// A gateway does not ask again when it did not find the leader, and says so.
    NoRetry,
}

pub type SharedHost = Arc<dyn Host>;

/// The machine's clock and dice, and the Tokio runtime of the caller.
pub struct Machine;

impl Machine {
    pub fn shared() -> SharedHost {
        Arc::new(Machine)
    }
}

impl Host for Machine {
    fn now(&self) -> Instant {
        Instant::now()
    }

    fn sleep_until(&self, at: Instant) -> BoxFuture<'static, ()> {
        Box::pin(tokio::time::sleep_until(at.into()))
    }

    fn spawn(&self, task: BoxFuture<'static, ()>) -> bool {
        let runtime = tokio::runtime::Handle::try_current();
        runtime.map(|runtime| drop(runtime.spawn(task))).is_ok()
    }

    fn random(&self) -> u64 {
        rand::random()
    }
}

/// Runs `future` until it ends or the time comes.
pub async fn until<F: Future>(host: &dyn Host, at: Instant, future: F) -> Option<F::Output> {
    tokio::select! {
        biased;
        output = future => Some(output),
        () = host.sleep_until(at) => None,
    }
}

/// Runs `future` for so long at most.
pub async fn within<F: Future>(host: &dyn Host, time: Duration, future: F) -> Option<F::Output> {
    until(host, host.now() + time, future).await
}
