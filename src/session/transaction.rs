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
use super::listen::Said;
use super::portal::{Prepared, Run};
use crate::command::{self, Frozen, Isolation, Seen, Shape, Step, Write, Yields};
use crate::id::RequestId;
use crate::sql::catalog::{Catalog, Constraint, ConstraintKind};
use crate::sql::plan::{Effort, Facts, IsolationLevel, PlanKind, Read, RowLock, Tag, TransactionModes};
use crate::transaction::{self, Kind};
use crate::types::Env;
use crate::value::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

#[derive(Debug)]
pub(super) struct Transaction {
    /// Begun by BEGIN.
    pub explicit: bool,
    pub failed: bool,
    /// `now()`: constant within the transaction.
    pub started: i64,
    pub isolation: IsolationLevel,
    pub read_only: bool,
    pub deferrable: bool,
    /// The modes that it has from the transaction before it, by AND CHAIN: unlike those that were set, they outlive a failure.
    pub chained: TransactionModes,
    pub savepoints: Vec<Savepoint>,
    /// Portals made later than this number, held ones too, vanish when it is rolled back.
    pub portals: u64,
    /// A statement that sees data has run: SET TRANSACTION ISOLATION LEVEL comes too late.
    pub queried: bool,
    /// Its writes have gone to the log already (Flush came before Sync).
    pub committed: bool,
    /// Collected writes were dropped by an error: what a savepoint should restore is gone.
    pub lost: bool,
    pub constraints: Constraints,
    /// The request id of its COMMIT, once it is interactive.
    pub name: Option<RequestId>,
    /// The first OID that its definitions may have given.
    pub defined_from: Option<u32>,
    /// A step has run in it.
    pub stepped: bool,
    /// Numbers of advisory locks that end with it.
    pub advisory: Vec<u64>,
    /// What it says of channels.
    pub listens: Vec<Said>,
    /// It has changed something since temporary tables were tidied up.
    pub wrote: bool,
    /// How many temporary tables had an `ON COMMIT` when it began.
    pub on_commit: usize,
}

/// What SET CONSTRAINTS has said. SQLite can only put all foreign keys off; those that are not meant are then checked
/// after each statement.
#[derive(Clone, Debug, Default)]
pub(super) struct Constraints {
    all: Option<bool>,
    named: BTreeMap<u32, bool>,
    /// SQLite puts them off from now on.
    pub deferred: bool,
}

impl Constraints {
    /// `constraints` (OIDs, or all if there are none) are deferred or not.
    pub fn set(&mut self, constraints: &[u32], deferred: bool) {
        self.deferred |= deferred;
        if constraints.is_empty() {
            self.named.clear();
            self.all = Some(deferred);
        }
        self.named.extend(constraints.iter().map(|oid| (*oid, deferred)));
    }

    /// As they were at a savepoint; what SQLite puts off stays so.
    pub fn roll_back_to(&mut self, mark: Constraints) {
        let deferred = self.deferred;
        *self = mark;
        self.deferred |= deferred;
    }

    /// OIDs of the constraints that are checked after each statement, though SQLite puts them off: foreign keys, and those
    /// keys that it counts as such.
    pub fn immediate(&self, catalog: &Catalog) -> Vec<u32> {
        if !self.deferred && self.all.is_none() && self.named.is_empty() {
            return Vec::new();
        }
        let foreign = |c: &&Constraint| {
            matches!(c.kind, ConstraintKind::ForeignKey { .. }) || c.deferrable && c.index().is_some()
        };
        let later = |c: &Constraint| {
            c.deferrable && self.named.get(&c.oid).copied().or(self.all).unwrap_or(c.initially_deferred)
        };
        let all = catalog.relations.values().flat_map(|r| &r.constraints).filter(foreign);
        all.filter(|c| (self.deferred || c.initially_deferred) && !later(c)).map(|c| c.oid).collect()
    }
}

impl Transaction {
    /// Reads belong into it.
    pub fn holds_reads(&self, read: &Read) -> bool {
        if read.facts.asks.config && !read.facts.stored {
            // It changes the session, and sees nothing that the block has changed.
            return false;
        }
        let snapshot = self.isolation.isolation() != Isolation::ReadCommitted;
        let locks = read.lock.iter().chain(&read.inside).any(|lock| !lock.tables.is_empty());
        self.stepped || locks || self.explicit && snapshot
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
    pub constraints: Constraints,
    /// How many advisory locks the transaction had.
    pub advisory: usize,
    /// How often it had spoken of channels.
    pub listens: usize,
    /// How many temporary tables had an `ON COMMIT`.
    pub on_commit: usize,
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
    /// The id under which it goes to the log, and the applied index when it first did: the same for all attempts.
    pub request: Option<(RequestId, u64)>,
    /// Names of prepared statements that changed meanwhile: the number of writes collected before, and what it was.
    /// A write that fails takes back what came after it.
    pub names: Vec<(usize, String, Option<Arc<Prepared>>)>,
}

/// A collected write. The parameters of a large one are moved into the command, and then it cannot be tried again.
pub(super) struct Item {
    pub run: Run,
    pub params: Vec<Vec<Value>>,
    pub bytes: usize,
    pub moved: bool,
    /// The session as it was when the statement came.
    pub seen: Option<Box<Seen>>,
    /// What the client hears of its portal before its outcome, if its plan is still good.
    pub said: Vec<Effect>,
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

    pub fn push(
        &mut self,
        run: Run,
        params: Vec<Vec<Value>>,
        env: &Arc<Env>,
        seen: Option<Box<Seen>>,
        said: Vec<Effect>,
    ) {
        self.replies.push(Reply::Outcome(self.items.len()));
        self.push_unanswered(run, params, env, seen, said);
    }

    /// One that the client has not sent, and does not hear of.
    pub fn push_unanswered(
        &mut self,
        run: Run,
        params: Vec<Vec<Value>>,
        env: &Arc<Env>,
        seen: Option<Box<Seen>>,
        said: Vec<Effect>,
    ) {
        let bytes = params.iter().flatten().map(size).sum();
        self.ddl |= matches!(&run.portal.plan.kind, PlanKind::Write(w) if w.ddl.any());
        self.env.get_or_insert_with(|| Arc::clone(env));
        self.items.push(Item { run, params, bytes, moved: false, seen, said });
    }

    /// One of the collected writes has SQLite put off the checks of foreign keys.
    pub fn puts_off(&self) -> bool {
        self.items.iter().any(|item| match &item.run.portal.plan.kind {
            PlanKind::Write(write) => !write.ddl.any() && write.statements.iter().any(|s| s.shape == Shape::Deferral),
            _ => false,
        })
    }

    /// The collected writes as statements of an interactive transaction.
    pub fn statements(&mut self, frozen: &Frozen, deferred: bool, immediate: &[u32]) -> Vec<transaction::Statement> {
        let statement = |item: &mut Item| {
            let mut step = item.step();
            if deferred {
                let sql = "PRAGMA defer_foreign_keys = ON".to_owned();
                let deferral =
                    command::Statement { shape: Shape::Deferral, ..command::Statement::new(sql, Yields::Nothing) };
                step.statements.insert(0, deferral);
            }
            step.frozen = Some(frozen.clone());
            let schema_version = Some(item.run.portal.plan.schema_version);
            let (kind, before, effort) = (Kind::Write, item.lock().map(before), item.effort());
            let (lock, ordered, immediate) = (None, false, immediate.to_vec());
            transaction::Statement { step, kind, lock, before, schema_version, ordered, immediate, effort }
        };
        self.items.iter_mut().map(statement).collect()
    }

    /// Something in it may take long, or for ever: it must be tried before it goes to the log.
    pub fn wants_trial(&self) -> bool {
        self.items.iter().any(|item| item.effort() >= Effort::Pass || item.lock().is_some())
    }

    /// The most that one of them takes.
    pub fn effort(&self) -> Effort {
        self.items.iter().map(Item::effort).max().unwrap_or_default()
    }

    /// The collected writes to be tried, all of which were compiled under `schema_version`.
    pub fn trial(&mut self, schema_version: u64, born: u64, frozen: &Frozen) -> transaction::Trial {
        let draws = |item: &Item| matches!(&item.run.portal.plan.kind, PlanKind::Write(w) if w.draws);
        let draws = self.items.iter().any(draws);
        let env = self.env.as_deref().cloned().unwrap_or_default();
        transaction::Trial { env, schema_version, born, statements: self.statements(frozen, false, &[]), draws }
    }

    /// The command, all of whose items were compiled under `schema_version`.
    pub fn command(&mut self, schema_version: u64, born: u64) -> Write {
        let env = self.env.as_deref().cloned().unwrap_or_default();
        let steps = self.items.iter_mut().map(Item::step).collect();
        Write { schema_version, born, env, steps, transaction: None }
    }

    /// Leaves out the write with this number and all that came after it. What the client is to hear now, if it was the
    /// first.
    pub fn cut(&mut self, number: usize) -> Vec<Effect> {
        self.items.truncate(number);
        let end = self.replies.iter().position(|reply| matches!(reply, Reply::Outcome(i) if *i == number));
        self.replies.truncate(end.unwrap_or(self.replies.len()));
        if number > 0 {
            return Vec::new();
        }
        let now = |reply| if let Reply::Now(effect) = reply { Some(effect) } else { None };
        std::mem::take(&mut self.replies).into_iter().filter_map(now).collect()
    }

    pub fn may_retry(&self) -> bool {
        self.items.iter().all(|i| !i.moved)
    }
}

impl Item {
    fn step(&mut self) -> Step {
        let statements = statements_of(&self.run).to_vec();
        let ddl = match &self.run.portal.plan.kind {
            PlanKind::Write(write) => write.ddl,
            _ => command::Definition::None,
        };
        self.moved = self.bytes > KEPT_BYTES;
        let params = if self.moved { std::mem::take(&mut self.params) } else { self.params.clone() };
        Step { statements, params, ddl, frozen: None, expect: None, seen: self.seen.clone() }
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

/// What a collected write runs.
pub(super) fn statements_of(run: &Run) -> &[command::Statement] {
    match &run.portal.plan.kind {
        PlanKind::Write(write) => &write.statements,
        PlanKind::CopyIn(copy) => &copy.insert,
        _ => unreachable!("only writes are collected"),
    }
}

/// What the statements ask for.
pub(super) fn facts_of(run: &Run) -> &Facts {
    match &run.portal.plan.kind {
        PlanKind::Write(write) => &write.facts,
        PlanKind::CopyIn(copy) => &copy.facts,
        _ => unreachable!("only writes are collected"),
    }
}

/// A subquery that locks rows, to be run before the statement that it is in.
pub(super) fn before(lock: &RowLock) -> transaction::Before {
    transaction::Before { sql: lock.sql.to_string(), lock: locking(lock) }
}

pub(super) fn locking(lock: &RowLock) -> transaction::Locking {
    transaction::Locking { strength: lock.strength, wait: lock.wait, tables: lock.tables.clone() }
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
