//! Transaction blocks, and the writes that wait for the end of one.
//!
//! Every statement runs in a transaction: an explicit block (BEGIN … COMMIT), or an implicit one that lasts until
//! the end of a simple query or until Sync. Writes of an implicit transaction are collected in a [`Batch`] and go to
//! the log as one command, all or nothing, when it ends; replies that follow a collected write wait with it, so that
//! the client gets everything in order. The same holds for a block that begins and commits before the session has
//! to answer (`BEGIN; INSERT …; COMMIT` in one query string or pipeline).
//!
//! Not here yet: a write in a block that stays open, and a read after a write of the same transaction. They need a
//! fork on the leader; until then they answer 0A000.

use super::effect::Effect;
use super::portal::Run;
use crate::command::{Isolation, Step, Write};
use crate::sql::plan::{PlanKind, Tag};
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
    /// SET CONSTRAINTS … DEFERRED: nothing here can defer them yet.
    pub deferred: bool,
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

    pub fn tag(&self) -> &Tag {
        const COPY: Tag = Tag::Counted("COPY");
        match &self.run.portal.plan.kind {
            PlanKind::Write(w) => &w.tag,
            _ => &COPY,
        }
    }
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
