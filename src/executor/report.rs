//! What `pg_locks` shows of this leader.
//!
//! Tables: every lock. Rows: those that somebody waits for, with their holders. The others may be a million, and in
//! PostgreSQL they are not in `pg_locks` either, but in the rows.

use super::Executor;
use crate::clock;
use crate::error::SqlResult;
use crate::locks::{Listed, Mode, Target, TxId};
use crate::sql::plan::{LockMode, LockStrength};
use crate::status::LockRow;
use crate::transaction::TxName;
use std::collections::HashMap;
use tokio::sync::oneshot;

/// Whoever waits for a lock.
pub(super) struct Waiter {
    pub sender: oneshot::Sender<SqlResult<()>>,
    since: i64,
}

impl From<oneshot::Sender<SqlResult<()>>> for Waiter {
    fn from(sender: oneshot::Sender<SqlResult<()>>) -> Waiter {
        Waiter { sender, since: clock::now_micros() }
    }
}

impl Executor {
    /// Which session waits for which other one.
    pub fn waits(&self) -> Vec<(u64, u64)> {
        let state = self.state.lock();
        let names: HashMap<TxId, u64> = state.open.values().map(|tx| (tx.id, tx.name.origin)).collect();
        let edges = state
            .waiters
            .keys()
            .flat_map(|waiter| state.locks.blockers(*waiter).into_iter().map(move |blocker| (*waiter, blocker)));
        edges.filter_map(|(waiter, blocker)| Some((*names.get(&waiter)?, *names.get(&blocker)?))).collect()
    }

    /// How long nothing may be heard of a node's sessions.
    pub fn lease(&self) -> std::time::Duration {
        self.limits.lease
    }

    /// Locks held and awaited.
    pub fn locks(&self) -> Vec<LockRow> {
        let state = self.state.lock();
        let names: HashMap<TxId, TxName> = state.open.values().map(|tx| (tx.id, tx.name)).collect();
        let row = |listed: Listed| {
            let name = names.get(&listed.tx).copied().unwrap_or(TxName { origin: 0, seq: 0 });
            let (locktype, relation) = match listed.target {
                Target::Table(table) => ("relation", table),
                Target::Row(table, _) => ("tuple", table),
            };
            LockRow {
                locktype: locktype.into(),
                relation,
                mode: mode(listed.mode).into(),
                granted: listed.granted,
                waitstart: state.waiters.get(&listed.tx).filter(|_| !listed.granted).map(|waiter| waiter.since),
                origin: name.origin,
                number: name.seq,
                key: None,
            }
        };
        state.locks.list_contended().map(row).collect()
    }
}

/// The name of a mode in `pg_locks`. Those of rows are the modes in which PostgreSQL locks a row's place while it waits.
fn mode(mode: Mode) -> &'static str {
    match mode {
        Mode::Table(LockMode::AccessShare) | Mode::Row(LockStrength::KeyShare) => "AccessShareLock",
        Mode::Table(LockMode::RowShare) | Mode::Row(LockStrength::Share) => "RowShareLock",
        Mode::Table(LockMode::RowExclusive) => "RowExclusiveLock",
        Mode::Table(LockMode::ShareUpdateExclusive) => "ShareUpdateExclusiveLock",
        Mode::Table(LockMode::Share) => "ShareLock",
        Mode::Table(LockMode::ShareRowExclusive) => "ShareRowExclusiveLock",
        Mode::Table(LockMode::Exclusive) | Mode::Row(LockStrength::NoKeyUpdate) => "ExclusiveLock",
        Mode::Table(LockMode::AccessExclusive) | Mode::Row(LockStrength::Update) => "AccessExclusiveLock",
    }
}
