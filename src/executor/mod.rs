//! The leader's side of interactive transactions: runs their statements in private views of the database, holds their
//! locks, and gives out sequence values.
//!
//! ```text
//! gateway ── open(transcript) / step / savepoint … ──►  Executor ── View (fork) ── SQLite
//!         ◄── outcome + finished step ────────────────     ├─ LockTable: rows and tables, waits in arrival order
//!                                                          └─ Log: sequence blocks, read points
//! ```
//! Nothing here decides what is committed: the transcript goes into the log and is compared at apply. So everything
//! here may be lost at any moment; the gateway opens the transaction anew, wherever the leader is.
//!
//! **A statement's life** (`Executor::run`): make the view fresh if the level asks for it; run the statement; ask for
//! locks on the rows it touched. Where it has to wait, the statement is undone and runs again afterwards on a fresh view. It
//! counts only if nothing was committed between the moment its view was taken and the moment it had all its locks, or
//! if it needed no new ones. Commands that were proposed before and not yet applied are waited for.
//!
//! **Refreshing** a view means taking a newer one and replaying the transcript with its comparisons. Above READ
//! COMMITTED that happens only where it must (a wait, an evicted view, a new leader), and it is sound there as well: a newer
//! snapshot that agrees with everything the client has seen is as good as the old one.
//!
//! **Autocommit** writes go straight to the log while no row of their tables is locked ([`Executor::admit`]).
//!
//! Left out: plain readers do not take table locks, so ACCESS EXCLUSIVE keeps out writers and locking reads only.

mod names;
mod report;
mod sequences;
#[cfg(test)]
mod tests;
mod work;

use crate::clock::Control;
use crate::command::{Isolation, Outcome, Step, Write};
use crate::engine::Shared;
use crate::engine::fork::ForkOptions;
use crate::engine::view::Views;
use crate::error::{SqlError, SqlResult, state};
use crate::host::{self, Defect, SharedHost};
use crate::locks::{self, Answer, Effect, LockTable, Target, TxId, Want};
use crate::sql::plan::{LockMode, LockStrength, LockWait};
use crate::transaction::{Action, Kind, Open, Order, Reply, Statement, Transcript, TxName};
use crate::types::Env;
use futures::future::BoxFuture;
use names::Names;
use parking_lot::Mutex;
use sequences::Blocks;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::{Notify, oneshot};
use work::{Ran, Release, Run, Trouble, Work};

/// How often leases and idle views are looked at.
const SWEEP: Duration = Duration::from_secs(1);
const LONG_WAL: u64 = 64 << 20;
/// What to do about it.
const TOO_MANY_LOCKS: &str = "Lock the table instead, commit in between, or raise limits.transaction_locks in the \
                              configuration of the nodes.";
/// How often a statement is tried again because the rows it touches keep changing.
const ROUNDS: usize = 1000;

/// What the executor needs of its group.
pub trait Log: Send + Sync + 'static {
    /// The term in which this node leads the group; `None` when it does not.
    fn term(&self) -> Option<u64>;
    /// Puts a write of the server's own into the log.
    fn propose(&self, write: Write) -> BoxFuture<'static, SqlResult<Outcome>>;
    /// Ends when this node's state covers everything acknowledged before.
    fn read_point(&self, deadline: Instant) -> BoxFuture<'static, SqlResult<()>>;
}

/// Bounds on transactions.
#[derive(Clone, Debug)]
pub struct Limits {
    pub open: usize,
    pub locks: usize,
    pub forks: ForkOptions,
    /// A remote transaction that its gateway has not mentioned for so long is gone.
    pub lease: Duration,
    /// An idle view is given up after this time: at once where a refresh costs the client nothing …
    pub idle: Duration,
    /// … and later where it may cost a 40001, unless the WAL is long.
    pub idle_strict: Duration,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            open: 1000,
            locks: 1 << 20,
            forks: ForkOptions::default(),
            lease: Duration::from_secs(10),
            idle: Duration::from_secs(1),
            idle_strict: Duration::from_secs(30),
        }
    }
}

/// A transaction that is open here.
struct Tx {
    id: TxId,
    name: TxName,
    epoch: AtomicU64,
    /// Rings when what it is doing has become void.
    interrupt: Notify,
    leased: bool,
    seen: Mutex<Instant>,
    work: tokio::sync::Mutex<Work>,
}

#[derive(Default)]
struct State {
    locks: LockTable,
    waiters: BTreeMap<TxId, report::Waiter>,
    open: BTreeMap<TxName, Arc<Tx>>,
    next: u64,
    /// The term that all of this belongs to.
    term: u64,
    /// Autocommit writes on their way through the log, by table.
    flying: BTreeMap<u32, u32>,
    /// Whoever waits for one of them to land.
    landing: Vec<oneshot::Sender<()>>,
}

/// All open transactions of one group on this node.
pub struct Executor {
    shared: Arc<Shared>,
    log: Arc<dyn Log>,
    host: SharedHost,
    limits: Limits,
    views: Views,
    names: Names,
    blocks: Blocks,
    state: Mutex<State>,
    /// Number of open transactions.
    active: AtomicU64,
    /// Autocommit writes on their way that were admitted while there were none.
    unlisted: AtomicU64,
    landed: Notify,
    sweeping: AtomicBool,
}

/// A permission to put an autocommit write into the log; dropped when its outcome is known.
pub struct Admission {
    executor: Arc<Executor>,
    held: Held,
}

enum Held {
    /// A transaction's own COMMIT: it has its locks.
    Nothing,
    Unlisted,
    Tables(Vec<u32>),
    /// The locks of a transaction made for it.
    Locks(TxName),
}

impl Drop for Admission {
    fn drop(&mut self) {
        match &self.held {
            Held::Nothing => {}
            Held::Unlisted => self.executor.land_unlisted(),
            Held::Tables(tables) => self.executor.land(tables),
            Held::Locks(name) => self.executor.end(*name),
        }
    }
}

impl Executor {
    pub fn new(shared: Arc<Shared>, log: Arc<dyn Log>, host: SharedHost, limits: Limits) -> Arc<Executor> {
        Arc::new(Executor {
            views: Views::new(shared.clone(), limits.forks.clone()),
            shared,
            log,
            host,
            limits,
            names: Names::default(),
            blocks: Blocks::default(),
            state: Mutex::default(),
            active: AtomicU64::new(0),
            unlisted: AtomicU64::new(0),
            landed: Notify::new(),
            sweeping: AtomicBool::new(false),
        })
    }

    /// Takes a transaction over: the view is made at the first statement that needs one.
    pub fn open(self: &Arc<Self>, open: Open) -> Reply {
        let Some(term) = self.log.term() else { return Reply::NotLeader };
        let mut state = self.state.lock();
        self.keep_term(&mut state, term);
        if let Some(tx) = state.open.get(&open.name).cloned() {
            // Taken over anew, from the same or a newer transcript. It keeps its age and its locks.
            if tx.epoch.fetch_max(open.epoch, Ordering::SeqCst) >= open.epoch {
                return Reply::Unknown;
            }
            tx.interrupt.notify_waiters();
            *tx.seen.lock() = self.host.now();
            let effects = state.locks.cancel(tx.id);
            state.waiters.remove(&tx.id);
            deliver(&mut state, effects);
            drop(state);
            let Ok(mut work) = tx.work.try_lock() else {
                // Its last order is still being undone: the gateway tries again.
                return Reply::Unknown;
            };
            *work = Work::new(open.epoch, open.env, open.transcript);
            return Reply::Done;
        }
        if state.open.len() >= self.limits.open {
            let error = SqlError::new(state::TOO_MANY_CONNECTIONS, "too many open transactions");
            return Reply::Failed(error.detail(format!("{} are open at the leader.", self.limits.open)).hint(
                "Raise limits.transactions in the configuration of the nodes, or end transactions that idle \
                 (see pg_stat_activity).",
            ));
        }
        state.next += 1;
        let tx = Tx {
            id: TxId(state.next),
            name: open.name,
            epoch: AtomicU64::new(open.epoch),
            interrupt: Notify::new(),
            leased: open.leased,
            seen: Mutex::new(self.host.now()),
            work: tokio::sync::Mutex::new(Work::new(open.epoch, open.env, open.transcript)),
        };
        state.open.insert(open.name, Arc::new(tx));
        self.active.fetch_add(1, Ordering::SeqCst);
        drop(state);
        self.sweep_from_now_on();
        Reply::Done
    }

    /// Does what a transaction orders next.
    pub async fn order(self: &Arc<Self>, order: Order, cancelled: Arc<AtomicBool>) -> Reply {
        let Some(term) = self.log.term() else { return Reply::NotLeader };
        let tx = {
            let mut state = self.state.lock();
            self.keep_term(&mut state, term);
            match state.open.get(&order.name) {
                Some(tx) => tx.clone(),
                None => return Reply::Unknown,
            }
        };
        *tx.seen.lock() = self.host.now();
        let control = Control { deadline: self.host.now() + Duration::from_millis(order.within), cancelled };
        let mut work = tx.work.lock().await;
        if work.epoch != order.epoch || tx.epoch.load(Ordering::SeqCst) != order.epoch {
            return Reply::Unknown;
        }
        let mut job = Job { executor: self, tx: &tx, control, lock_timeout: order.lock_timeout };
        let result = match order.action {
            Action::Run(statement) => job.run(&mut work, *statement).await,
            Action::Lock { tables, mode, nowait } => job.lock_tables(&mut work, &tables, mode, nowait).await,
            Action::Savepoint(name) => {
                let mark = self.state.lock().locks.mark(tx.id);
                work.savepoint(&name, mark).map(|()| Reply::Done)
            }
            Action::Release(name) => work.release(&name).map(|()| Reply::Done),
            Action::RollbackTo(name) => work.rollback_to(&name).map(|mark| {
                self.give_back(tx.id, mark);
                Reply::Done
            }),
        };
        *tx.seen.lock() = self.host.now();
        match result {
            Ok(reply) => reply,
            Err(Trouble::Sql(error)) => {
                // As in PostgreSQL, a failed statement takes the work since the last savepoint with it, locks included.
                let mark = work.last_mark();
                self.give_back(tx.id, mark);
                Reply::Failed(error)
            }
            Err(Trouble::Void) => Reply::Unknown,
            Err(Trouble::Schema(now)) => Reply::SchemaChanged { now },
        }
    }

    /// Ends a transaction: its view and its locks are gone.
    pub fn end(&self, name: TxName) {
        let mut state = self.state.lock();
        let Some(tx) = state.open.remove(&name) else { return };
        self.active.fetch_sub(1, Ordering::SeqCst);
        self.forget(&mut state, &tx);
    }

    /// Makes void what a transaction is doing, without ending it: the client has given up on a statement.
    pub fn interrupt(&self, name: TxName) {
        let mut state = self.state.lock();
        let Some(tx) = state.open.get(&name).cloned() else { return };
        tx.epoch.fetch_add(1, Ordering::SeqCst);
        tx.interrupt.notify_waiters();
        let effects = state.locks.cancel(tx.id);
        state.waiters.remove(&tx.id);
        deliver(&mut state, effects);
    }

    /// A gateway says which of its transactions live.
    pub fn renew(&self, names: &[TxName]) {
        let state = self.state.lock();
        for tx in names.iter().filter_map(|name| state.open.get(name)) {
            *tx.seen.lock() = self.host.now();
        }
    }

    /// Ends everything, as when the leadership is lost.
    pub fn clear(&self) {
        let mut state = self.state.lock();
        self.clear_state(&mut state);
    }

    /// Nothing of any transaction is left here.
    pub fn is_idle(&self) -> bool {
        let state = self.state.lock();
        state.open.is_empty() && state.waiters.is_empty() && state.locks.is_empty()
    }

    /// Number of open transactions.
    pub fn open_transactions(&self) -> usize {
        self.active.load(Ordering::SeqCst) as usize
    }

    /// The catalog as a transaction sees it that has changed the schema by `steps`. Runs on any replica.
    pub fn private_catalog(&self, env: &Env, transcript: &Transcript) -> SqlResult<crate::sql::catalog::Catalog> {
        let mut view = self.views.open().map_err(work::machine)?;
        work::run_ddl(&mut view, env, transcript)?;
        view.runner().catalog().map(|catalog| (*catalog).clone())
    }

    // ---- leadership, leases ----

    fn keep_term(&self, state: &mut State, term: u64) {
        if state.term != term {
            self.clear_state(state);
            self.blocks.clear();
            state.term = term;
        }
    }

    fn clear_state(&self, state: &mut State) {
        let open = std::mem::take(&mut state.open);
        self.active.fetch_sub(open.len() as u64, Ordering::SeqCst);
        for tx in open.values() {
            self.forget(state, tx);
        }
    }

    fn forget(&self, state: &mut State, tx: &Arc<Tx>) {
        tx.epoch.store(u64::MAX, Ordering::SeqCst);
        tx.interrupt.notify_waiters();
        state.waiters.remove(&tx.id);
        let effects = state.locks.release_all(tx.id);
        deliver(state, effects);
        // If it runs right now, it notices that it is void; whoever drops it last ends the view.
        if let Ok(mut work) = tx.work.try_lock() {
            work.drop_view();
        }
    }

    fn give_back(&self, tx: TxId, what: Release) {
        let mut state = self.state.lock();
        let effects = match what {
            Release::To(mark) => state.locks.release_to(tx, mark),
            Release::All => state.locks.release_all(tx),
            Release::Nothing => state.locks.cancel(tx),
        };
        deliver(&mut state, effects);
    }

    fn sweep_from_now_on(self: &Arc<Self>) {
        if self.sweeping.swap(true, Ordering::SeqCst) {
            return;
        }
        let (executor, host) = (Arc::downgrade(self), self.host.clone());
        let sweeping = self.host.spawn(Box::pin(async move {
            loop {
                host.sleep_until(host.now() + SWEEP).await;
                let Some(executor) = executor.upgrade() else { return };
                executor.sweep(host.now());
                if executor.active.load(Ordering::SeqCst) == 0 {
                    executor.sweeping.store(false, Ordering::SeqCst);
                    // One that was opened in between has seen the flag set.
                    if executor.active.load(Ordering::SeqCst) == 0 || executor.sweeping.swap(true, Ordering::SeqCst) {
                        return;
                    }
                }
            }
        }));
        if !sweeping {
            self.sweeping.store(false, Ordering::SeqCst);
        }
    }

    /// Ends what nobody vouches for, and gives up views that only hold the WAL.
    pub fn sweep(&self, now: Instant) {
        if self.log.term() != Some(self.state.lock().term) {
            return self.clear();
        }
        let all: Vec<Arc<Tx>> = self.state.lock().open.values().cloned().collect();
        let Limits { lease, idle: patience, idle_strict, .. } = self.limits;
        let strict = if self.views.wal_bytes() > LONG_WAL { patience } else { idle_strict };
        for tx in all {
            let idle = now.saturating_duration_since(*tx.seen.lock());
            let Ok(mut work) = tx.work.try_lock() else { continue };
            if tx.leased && idle > lease {
                drop(work);
                self.end(tx.name);
                continue;
            }
            let patience = if work.isolation() == Isolation::ReadCommitted { patience } else { strict };
            if work.last_used.is_some_and(|used| now.saturating_duration_since(used) > patience) {
                work.drop_view();
            }
        }
    }

    // ---- autocommit ----

    /// Asks to put an autocommit write into the log. Waits while rows that it would touch are locked.
    pub async fn admit(
        self: &Arc<Self>,
        write: impl FnOnce() -> Option<Write>,
        control: &Control,
    ) -> SqlResult<Admission> {
        self.unlisted.fetch_add(1, Ordering::SeqCst);
        if self.active.load(Ordering::SeqCst) == 0 {
            return Ok(Admission { executor: self.clone(), held: Held::Unlisted });
        }
        self.land_unlisted();
        let Some(write) = write().filter(|write| write.transaction.is_none()) else {
            return Ok(Admission { executor: self.clone(), held: Held::Nothing });
        };
        let tables = self.names.written(&self.views, &self.shared, &write);
        {
            let mut state = self.state.lock();
            if tables.iter().all(|table| state.locks.is_quiet(*table)) {
                tables.iter().for_each(|table| *state.flying.entry(*table).or_default() += 1);
                return Ok(Admission { executor: self.clone(), held: Held::Tables(tables) });
            }
        }
        self.wait_in_line(write, control).await
    }

    /// Gets all the locks that a write would need, by running it in a view of its own.
    async fn wait_in_line(self: &Arc<Self>, write: Write, control: &Control) -> SqlResult<Admission> {
        let name = TxName { origin: self.host.random(), seq: self.host.random() };
        let limits = crate::transaction::Limits { bytes: usize::MAX, steps: usize::MAX };
        let transcript = Transcript::new(Isolation::ReadCommitted, limits);
        let open = Open { name, epoch: 1, env: write.env.clone(), transcript, leased: false };
        if let Reply::Failed(error) = self.open(open) {
            return Err(error);
        }
        // Ends the transaction on every way out.
        let admission = Admission { executor: self.clone(), held: Held::Locks(name) };
        for step in write.steps {
            let step = Step { frozen: Some(Default::default()), ..step };
            let kind = Kind::Write;
            let statement =
                Statement { step, kind, lock: None, schema_version: None, ordered: false, immediate: Vec::new() };
            let within = control.deadline.saturating_duration_since(self.host.now()).as_millis() as u64;
            let action = Action::Run(Box::new(statement));
            let order = Order { name, epoch: 1, action, within, lock_timeout: None };
            match self.order(order, control.cancelled.clone()).await {
                Reply::Failed(error) if [state::QUERY_CANCELED, state::DEADLOCK_DETECTED].contains(&error.code) => {
                    return Err(error);
                }
                Reply::Ran { .. } => {}
                // Whatever is wrong with it, the log will say.
                _ => break,
            }
        }
        Ok(admission)
    }

    fn land_unlisted(&self) {
        if self.unlisted.fetch_sub(1, Ordering::SeqCst) == 1 && self.active.load(Ordering::SeqCst) > 0 {
            self.landed.notify_waiters();
        }
    }

    fn land(&self, tables: &[u32]) {
        let mut state = self.state.lock();
        for table in tables {
            if let Some(count) = state.flying.get_mut(table) {
                *count -= 1;
                if *count == 0 {
                    state.flying.remove(table);
                }
            }
        }
        for waiter in state.landing.drain(..) {
            let _ = waiter.send(());
        }
    }
}

/// Tells waiting transactions what became of their locks.
fn deliver(state: &mut State, effects: Vec<Effect>) {
    for effect in effects {
        let (tx, result) = match effect {
            Effect::Granted(tx) => (tx, Ok(())),
            Effect::Deadlock(tx, error) => (tx, Err(error)),
        };
        if let Some(waiter) = state.waiters.remove(&tx) {
            let _ = waiter.sender.send(result);
        }
    }
}

/// One order being carried out.
struct Job<'a> {
    executor: &'a Arc<Executor>,
    tx: &'a Tx,
    control: Control,
    lock_timeout: Option<u64>,
}

/// How asking for locks went.
enum Locked {
    /// All are held; `new`: some were not before.
    All { new: bool },
    /// It had to wait for one, or one row was not to be had: run the statement again.
    Again,
}

impl Job<'_> {
    fn check(&self) -> Result<(), Trouble> {
        if self.tx.epoch.load(Ordering::SeqCst) == u64::MAX {
            return Err(Trouble::Void);
        }
        if self.control.cancelled.load(Ordering::Relaxed) {
            return Err(SqlError::new(state::QUERY_CANCELED, "canceling statement due to user request").into());
        }
        if self.executor.host.now() >= self.control.deadline {
            return Err(SqlError::new(state::QUERY_CANCELED, "canceling statement due to statement timeout").into());
        }
        Ok(())
    }

    /// Runs a statement until its result counts.
    async fn run(&mut self, work: &mut Work, statement: Statement) -> Result<Reply, Trouble> {
        let executor = self.executor;
        let strict = work.isolation() != Isolation::ReadCommitted;
        // A deposed leader must not answer. A snapshot was asked for when it was taken; what a write says is compared at
        // COMMIT.
        let mut asked = strict && work.view.is_some();
        if !asked && (strict || statement.kind != Kind::Write) {
            executor.log.read_point(self.control.deadline).await?;
            asked = true;
        }
        let mut run = Run::new(&statement);
        let mut fresh = !strict;
        let mut waits = false;
        for _ in 0..ROUNDS {
            self.check()?;
            self.prepare(work, &statement, fresh, waits).await?;
            match self.attempt(work, &statement, &mut run)? {
                Ran::NeedSequence(oid) => {
                    let values = executor
                        .blocks
                        .take(oid, run.wants(oid), &executor.log, &executor.shared, &executor.host)
                        .await?;
                    run.supply(oid, values);
                    fresh = false;
                }
                Ran::Stale => fresh = true,
                Ran::Failed(error) => {
                    executor.blocks.give_back(run.leftovers());
                    return Err(error.into());
                }
                Ran::Done { wants, tables } => {
                    let wait = statement.lock.as_ref().map_or(LockWait::Wait, |lock| lock.wait);
                    let new = match self.lock(work, &mut run, wants, wait).await? {
                        Locked::All { new } => new,
                        Locked::Again => {
                            let refresh = !executor.host.has(Defect::NoRefreshAfterWait);
                            (fresh, waits) = (refresh, refresh);
                            continue;
                        }
                    };
                    if new && !work.may_stay_stale(&statement) {
                        let waited = self.await_landing(&tables).await?;
                        if waited || executor.shared.applied() != work.at() {
                            work.undo(&run)?;
                            (fresh, waits) = (true, true);
                            continue;
                        }
                    }
                    if !asked && !run.wrote() {
                        // A transaction that changes nothing is never compared.
                        executor.log.read_point(self.control.deadline).await?;
                        asked = true;
                        if executor.shared.applied() != work.at() {
                            work.undo(&run)?;
                            (fresh, waits) = (true, true);
                            continue;
                        }
                    }
                    executor.blocks.give_back(run.leftovers());
                    let (outcome, step, kind) = work.keep(&statement, run)?;
                    return Ok(Reply::Ran { outcome, step: Box::new(step), kind });
                }
            }
        }
        Err(SqlError::new(state::SERIALIZATION_FAILURE, "could not serialize access: the rows keep changing").into())
    }

    /// Makes the view what the statement may run on.
    async fn prepare(&self, work: &mut Work, statement: &Statement, fresh: bool, must: bool) -> Result<(), Trouble> {
        let executor = self.executor;
        if let Some(version) = statement.schema_version {
            // The gateway may have applied more than this node.
            while executor.shared.schema_version() < version {
                self.check()?;
                let next = executor.shared.wait_applied(executor.shared.applied() + 1);
                let _ = host::within(&*executor.host, Duration::from_millis(20), next).await;
            }
        }
        let behind = |work: &Work| executor.shared.applied() != work.at();
        let old =
            statement.schema_version.is_some_and(|version| work.view.is_some() && work.schema_version() < version);
        let skip = !must && work.may_stay_stale(statement);
        if !work.is_intact() || old || fresh && behind(work) && !skip {
            let env = work.env.clone();
            work.refresh(&executor.views, &env)?;
            work.last_used = Some(executor.host.now());
        }
        match statement.schema_version {
            Some(version) if version != work.schema_version() && !work.has_ddl() => {
                Err(Trouble::Schema(work.schema_version()))
            }
            _ => Ok(()),
        }
    }

    fn attempt(&self, work: &mut Work, statement: &Statement, run: &mut Run) -> Result<Ran, Trouble> {
        let executor = self.executor;
        let names = executor.names.of(&executor.shared);
        let id = self.tx.id;
        let free: crate::functions::RowFree = {
            let (executor, strength) = (executor.clone(), statement.lock.as_ref().map(|lock| lock.strength));
            Arc::new(move |table, rowid| {
                let key = names::rowid_key(rowid);
                executor.state.lock().locks.is_free(id, table, key, strength.unwrap_or(LockStrength::Update))
            })
        };
        work.last_used = Some(executor.host.now());
        let control = self.control.clone();
        let short = statement.step.params.len() <= 16;
        let go = || work.attempt(statement, run, &names, control, free);
        // A long statement must not hold up what else runs on this thread.
        match tokio::runtime::Handle::try_current().map(|handle| handle.runtime_flavor()) {
            Ok(tokio::runtime::RuntimeFlavor::MultiThread) if !short => tokio::task::block_in_place(go),
            _ => go(),
        }
    }

    /// Asks for locks one after another; waits for at most one of them.
    async fn lock(&self, work: &mut Work, run: &mut Run, wants: Vec<Want>, wait: LockWait) -> Result<Locked, Trouble> {
        let id = self.tx.id;
        let (target, receiver) = {
            let mut state = self.executor.state.lock();
            if self.tx.epoch.load(Ordering::SeqCst) != work.epoch {
                return Err(Trouble::Void);
            }
            let before = state.locks.held(id);
            let mut blocked = None;
            for want in wants {
                let target = match &want {
                    Want::Table { table, .. } => Target::Table(*table),
                    Want::Row { table, key, .. } => Target::Row(*table, key.clone()),
                };
                let reply = state.locks.request(id, want, wait);
                deliver(&mut state, reply.effects);
                match reply.answer {
                    Answer::Granted => continue,
                    Answer::Queued => {
                        let (sender, receiver) = oneshot::channel();
                        state.waiters.insert(id, sender.into());
                        blocked = Some((target, receiver));
                    }
                    Answer::NotAvailable => {
                        drop(state);
                        work.undo(run)?;
                        return Err(locks::not_available(&target, &self.relation(&target)).into());
                    }
                    Answer::Skip => {
                        drop(state);
                        work.undo(run)?;
                        return Ok(Locked::Again);
                    }
                    Answer::Deadlock(error) => {
                        drop(state);
                        work.undo(run)?;
                        return Err(error.into());
                    }
                }
                break;
            }
            if state.locks.held(id) > self.executor.limits.locks {
                drop(state);
                work.undo(run)?;
                let error = SqlError::new(state::OUT_OF_MEMORY, "too many row locks in one transaction");
                let detail = format!("A transaction may have {} locks.", self.executor.limits.locks);
                return Err(error.detail(detail).hint(TOO_MANY_LOCKS).into());
            }
            match blocked {
                None => return Ok(Locked::All { new: state.locks.held(id) != before }),
                Some(blocked) => blocked,
            }
        };
        work.undo(run)?;
        self.wait_for(receiver, &target).await?;
        Ok(Locked::Again)
    }

    /// Waits for a lock to be granted.
    async fn wait_for(&self, receiver: oneshot::Receiver<SqlResult<()>>, _: &Target) -> Result<(), Trouble> {
        let host = &self.executor.host;
        let started = host.now();
        let limit = self.lock_timeout.map(|ms| started + Duration::from_millis(ms));
        let until = limit.map_or(self.control.deadline, |limit| limit.min(self.control.deadline));
        tokio::pin!(receiver);
        let result = loop {
            let interrupted = self.tx.interrupt.notified();
            tokio::select! {
                biased;
                granted = &mut receiver => match granted {
                    Ok(result) => return result.map_err(Trouble::Sql),
                    // Somebody has made the wait void.
                    Err(_) => return Err(Trouble::Void),
                },
                () = interrupted => return Err(Trouble::Void),
                () = host.sleep_until(until) => break match limit {
                    Some(limit) if limit <= self.control.deadline => Err(locks::timed_out().into()),
                    _ => self.check(),
                },
                () = host.sleep_until(host.now() + Duration::from_millis(50)) => {
                    if let Err(trouble) = self.check() {
                        break Err(trouble);
                    }
                }
            }
        };
        let mut state = self.executor.state.lock();
        state.waiters.remove(&self.tx.id);
        let effects = state.locks.cancel(self.tx.id);
        deliver(&mut state, effects);
        result
    }

    /// Waits for the autocommit writes that were on their way to these tables; whether there were any.
    async fn await_landing(&self, tables: &[u32]) -> Result<bool, Trouble> {
        let executor = self.executor;
        let mut waited = false;
        loop {
            self.check()?;
            let landed = executor.landed.notified();
            tokio::pin!(landed);
            landed.as_mut().enable();
            let receiver = {
                let mut state = executor.state.lock();
                if tables.iter().any(|table| state.flying.contains_key(table)) {
                    let (sender, receiver) = oneshot::channel();
                    state.landing.push(sender);
                    Some(receiver)
                } else if executor.unlisted.load(Ordering::SeqCst) > 0 {
                    None
                } else {
                    return Ok(waited);
                }
            };
            waited = true;
            let until = self.control.deadline.min(executor.host.now() + Duration::from_millis(50));
            match receiver {
                Some(receiver) => _ = host::until(&*executor.host, until, receiver).await,
                None => _ = host::until(&*executor.host, until, landed).await,
            }
        }
    }

    /// LOCK TABLE.
    async fn lock_tables(
        &self,
        work: &mut Work,
        tables: &[u32],
        mode: LockMode,
        nowait: bool,
    ) -> Result<Reply, Trouble> {
        for table in tables {
            let want = Want::Table { table: *table, mode };
            let wait = if nowait { LockWait::NoWait } else { LockWait::Wait };
            let target = Target::Table(*table);
            let receiver = {
                let mut state = self.executor.state.lock();
                if self.tx.epoch.load(Ordering::SeqCst) != work.epoch {
                    return Err(Trouble::Void);
                }
                let reply = state.locks.request(self.tx.id, want, wait);
                deliver(&mut state, reply.effects);
                match reply.answer {
                    Answer::Granted => None,
                    Answer::Queued => {
                        let (sender, receiver) = oneshot::channel();
                        state.waiters.insert(self.tx.id, sender.into());
                        Some(receiver)
                    }
                    Answer::NotAvailable | Answer::Skip => {
                        drop(state);
                        return Err(locks::not_available(&target, &self.relation(&target)).into());
                    }
                    Answer::Deadlock(error) => return Err(error.into()),
                }
            };
            if let Some(receiver) = receiver {
                self.wait_for(receiver, &target).await?;
            }
        }
        self.await_landing(tables).await?;
        Ok(Reply::Done)
    }

    fn relation(&self, target: &Target) -> String {
        let (Target::Table(table) | Target::Row(table, _)) = target;
        let catalog = self.executor.shared.catalog();
        catalog.by_oid(*table).map_or_else(|| table.to_string(), |relation| relation.name.clone())
    }
}
