//! Transaction blocks, and the writes that wait for the end of one.
//!
//! Every statement runs in a transaction: an explicit block (BEGIN … COMMIT), or an implicit one that lasts until
//! the end of a simple query or until Sync. Writes of an implicit transaction are collected in a [`Batch`] and go to
//! the log as one command, all or nothing, when it ends; replies that follow a collected write wait with it, so that
//! the client gets everything in order.
//!
//! A block is *interactive*: each write runs at once in the transaction that the gateway keeps, and so do reads
//! once something was written or where the level wants one snapshot. Before that a read under READ COMMITTED is like any
//! other. An implicit transaction becomes interactive when it locks rows, or when it reads, or compiles, after something
//! was collected. If what was collected may take long, or locks rows in a subquery, it is tried before it goes to the log.

use super::effect::Effect;
use super::portal::Run;
use crate::command::{self, Frozen, Isolation, Step, Write, Yields};
use crate::executor;
use crate::id::RequestId;
use crate::sql::plan::{Effort, PlanKind, Read, RowLock, Tag};
use crate::transaction::Kind;
use crate::types::Env;
use crate::value::Value;
use std::sync::Arc;

#[derive(Debug)]
pub(super) struct Transaction {
    /// Begun by BEGIN.
    pub explicit: bool,
    pub failed: bool,
    /// `now()`: constant within the transaction.
    pub started: i64,
    pub isolation: Isolation,
    pub read_only: bool,
    pub deferrable: bool,
    pub savepoints: Vec<Savepoint>,
    /// A statement that sees data has run: SET TRANSACTION ISOLATION LEVEL comes too late.
    pub queried: bool,
    /// Its writes have gone to the log already (Flush came before Sync).
    pub committed: bool,
    /// Collected writes were dropped by an error: what a savepoint should restore is gone.
    pub lost: bool,
    /// SET CONSTRAINTS … DEFERRED.
    pub deferred: bool,
    /// The request id of its COMMIT, once it is interactive.
    pub name: Option<RequestId>,
    /// A step has run in it.
    pub stepped: bool,
}

impl Transaction {
    /// Reads belong into it.
    pub fn holds_reads(&self, read: &Read) -> bool {
        let locks = read.lock.iter().chain(&read.inside).any(|lock| !lock.tables.is_empty());
        self.stepped || locks || self.explicit && self.isolation != Isolation::ReadCommitted
    }
}

#[derive(Debug)]
pub(super) struct Savepoint {
    pub name: String,
    /// Length of the log of changed settings when it was set.
    pub settings: usize,
    /// Number of collected writes when it was set.
    pub writes: usize,
    /// Portals made later than this number vanish when it is rolled back to.
    pub portals: u64,
    pub read_only: bool,
}

/// Writes that take effect together when the transaction ends.
#[derive(Default)]
pub(super) struct Batch {
    pub items: Vec<Item>,
    /// What the client hears once the writes are done, in order.
    pub replies: Vec<Reply>,
    /// The settings that all of them run under.
    pub env: Option<Arc<Env>>,
    /// A change of the schema is among them: nothing can be compiled after it.
    pub ddl: bool,
    /// Attempts that met another schema version.
    pub attempts: u32,
}

/// A collected write. The parameters of a large one are moved into the command, and then it cannot be tried again.
pub(super) struct Item {
    pub run: Run,
    pub params: Vec<Vec<Value>>,
    pub bytes: usize,
    pub moved: bool,
}

pub(super) enum Reply {
    Now(Effect),
    /// The outcome of the item with this number.
    Outcome(usize),
}

/// Parameters above this size are not kept for another attempt.
pub(super) const KEPT_BYTES: usize = 16 << 20;

impl Batch {
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    pub fn push(&mut self, run: Run, params: Vec<Vec<Value>>, env: &Arc<Env>) {
        let bytes = params.iter().flatten().map(size).sum();
        self.ddl |= matches!(&run.portal.plan.kind, PlanKind::Write(w) if w.ddl);
        self.env.get_or_insert_with(|| Arc::clone(env));
        self.replies.push(Reply::Outcome(self.items.len()));
        self.items.push(Item { run, params, bytes, moved: false });
    }

    /// The collected writes as statements of an interactive transaction.
    pub fn statements(&mut self, frozen: &Frozen, deferred: bool) -> Vec<executor::Statement> {
        let statement = |item: &mut Item| {
            let mut step = item.step();
            if deferred {
                let sql = "PRAGMA defer_foreign_keys = ON".to_owned();
                step.statements.insert(0, command::Statement { sql, yields: Yields::Nothing });
            }
            step.frozen = Some(frozen.clone());
            let schema_version = Some(item.run.portal.plan.schema_version);
            let effort = item.effort();
            let (kind, before) = (Kind::Write, item.lock().map(before));
            executor::Statement { step, kind, lock: None, before, schema_version, ordered: false, effort }
        };
        self.items.iter_mut().map(statement).collect()
    }

    /// Something in it may take long, or for ever: it must be tried before it goes to the log.
    pub fn wants_trial(&self) -> bool {
        self.items.iter().any(|item| item.effort() >= Effort::Pass || item.lock().is_some())
    }

    /// The collected writes to be tried, all of which were compiled under `schema_version`.
    pub fn trial(&mut self, schema_version: u64, born: u64, frozen: &Frozen) -> executor::Trial {
        let draws = |item: &Item| matches!(&item.run.portal.plan.kind, PlanKind::Write(w) if w.draws);
        let draws = self.items.iter().any(draws);
        let env = self.env.as_deref().cloned().unwrap_or_default();
        executor::Trial { env, schema_version, born, statements: self.statements(frozen, false), draws }
    }

    /// The command, all of whose items were compiled under `schema_version`.
    pub fn command(&mut self, schema_version: u64, born: u64) -> Write {
        let env = self.env.as_deref().cloned().unwrap_or_default();
        let steps = self.items.iter_mut().map(Item::step).collect();
        Write { schema_version, born, env, steps, transaction: None }
    }

    pub fn may_retry(&self) -> bool {
        self.items.iter().all(|i| !i.moved)
    }
}

impl Item {
    fn step(&mut self) -> Step {
        let (statements, ddl) = match &self.run.portal.plan.kind {
            PlanKind::Write(w) => (w.statements.clone(), w.ddl),
            PlanKind::CopyIn(c) => (c.insert.clone(), false),
            _ => unreachable!("only writes are collected"),
        };
        self.moved = self.bytes > KEPT_BYTES;
        let params = if self.moved { std::mem::take(&mut self.params) } else { self.params.clone() };
        Step { statements, params, ddl, frozen: None, expect: None }
    }

    /// The rows that a subquery of it locks.
    fn lock(&self) -> Option<&RowLock> {
        match &self.run.portal.plan.kind {
            PlanKind::Write(write) => write.lock.as_ref(),
            _ => None,
        }
    }

    fn effort(&self) -> Effort {
        match &self.run.portal.plan.kind {
            PlanKind::Write(write) => write.effort,
            _ => Effort::Key,
        }
    }

    pub fn tag(&self) -> &Tag {
        const COPY: Tag = Tag::Counted("COPY");
        match &self.run.portal.plan.kind {
            PlanKind::Write(w) => &w.tag,
            _ => &COPY,
        }
    }
}

/// A subquery that locks rows, to be run before the statement that it is in.
pub(super) fn before(lock: &RowLock) -> executor::Before {
    executor::Before { sql: lock.sql.to_string(), lock: locking(lock) }
}

pub(super) fn locking(lock: &RowLock) -> executor::Locking {
    executor::Locking { strength: lock.strength, wait: lock.wait, tables: lock.tables.clone() }
}

/// Bytes of memory of a value.
pub(super) fn size(value: &Value) -> usize {
    let heap = match value {
        Value::Text(s) => s.len(),
        Value::Blob(b) => b.len(),
        _ => 0,
    };
    heap + size_of::<Value>()
}

/// The name SHOW uses.
pub(super) fn isolation_name(level: Isolation) -> &'static str {
    match level {
        Isolation::ReadCommitted => "read committed",
        Isolation::RepeatableRead => "repeatable read",
        Isolation::Serializable => "serializable",
    }
}

pub(super) fn isolation_named(name: &str) -> Option<Isolation> {
    match name.to_ascii_lowercase().as_str() {
        "read committed" | "read uncommitted" => Some(Isolation::ReadCommitted),
        "repeatable read" => Some(Isolation::RepeatableRead),
        "serializable" => Some(Isolation::Serializable),
        _ => None,
    }
}
