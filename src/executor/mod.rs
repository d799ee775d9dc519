//! The leader's side of interactive transactions: runs their statements in private views of the database, holds their
//! locks, and gives out sequence values.
//!
//! ```text
//! gateway ── open(transcript) / step / savepoint … ──►  Executor ── View (fork) ── SQLite
//!         ◄── outcome + finished step ────────────────     ├─ LockTable: rows and tables, waits in arrival order
//!                                                          └─ Log: sequence blocks, read points
//! ```
//! Two things make a commit what its level promises: the transcript goes into the log and is compared at apply, and its
//! locks were in force all the time. Everything here may be lost at any moment; the gateway opens the transaction anew,
//! wherever the leader is, and [`tenure`] says how its locks get there, or else keep it from committing.
//!
//! **A statement's life** (`Executor::run`): make the view fresh if the level asks for it; run the statement; ask for
//! locks on the rows it touched. Where it has to wait, the statement is undone and runs again afterwards on a fresh view. It
//! counts only if nothing was committed between the moment its view was taken and the moment it had all its locks, or
//! if it needed no new ones. Commands that were proposed before and not yet applied are waited for. Most statements name
//! one row by its key ([`Effort::Row`]): at READ COMMITTED they run on whatever view is there, and count if that row has
//! not changed since (see [`history`]).
//!
//! **Refreshing** a view means taking a newer one and replaying the transcript with its comparisons. Above READ
//! COMMITTED that happens only where it must (a wait, an evicted view, a new leader), and it is sound there as well: a newer
//! snapshot that agrees with everything the client has seen is as good as the old one.
//!
//! **Autocommit** writes go straight to the log while no row of their tables is locked ([`Executor::admit`]). Those that
//! might have no end are tried before ([`trial`]).
//!
//! A statement runs on the thread of whoever asks if it looks up a few rows, otherwise others take that thread's work
//! over. It looks at its deadline, and at whether its asker has given it up, every thousand instructions of SQLite's.
//!
//! A definition locks the tables that it is about, which only its run tells. A row that refers to another locks that FOR
//! KEY SHARE.
//!
//! Left out: plain readers do not take table locks, so ACCESS EXCLUSIVE keeps out writers and locking reads only.

mod admit;
mod history;
mod names;
mod report;
mod sequences;
mod tenure;
#[cfg(test)]
mod tests;
mod trial;
mod work;

pub use admit::Admission;
pub use tenure::Heard;
pub use trial::Tried;
pub use work::Trouble;

use crate::clock::Control;
use crate::command::schema::agree;
use crate::command::{self, Command, Definition, Isolation, Outcome, Step, Tenure, Yields};
use crate::engine::Shared;
use crate::engine::fork::ForkOptions;
use crate::engine::view::Views;
use crate::error::{SqlError, SqlResult, state};
use crate::functions::advisory::is_end;
use crate::host::{self, Defect, SharedHost};
use crate::id::NodeId;
use crate::locks::{self, Answer, Effect, LockTable, Mark, Target, TxId, Want};
use crate::sql::plan::{Effort, LockMode, LockWait};
use crate::transaction::{
    Action, Before, Granted, Kind, Open, Order, Reply, Statement, Transcript, TxName, locks_lost,
};
use crate::types::Env;
use crate::value::Value;
use futures::future::BoxFuture;
use history::History;
use names::Names;
use parking_lot::Mutex;
use sequences::Blocks;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::{Notify, oneshot};
use work::{Kept, Ran, Release, Run, Work};

/// How often leases and idle views are looked at.
const SWEEP: Duration = Duration::from_secs(1);
/// Who waits longer than this does so without a view.
const BRIEF: Duration = Duration::from_millis(5);
const LONG_WAL: u64 = 64 << 20;
/// What to do about it.
const TOO_MANY_LOCKS: &str = "Lock the table instead, commit in between, or raise limits.transaction_locks in the \
                              configuration of the nodes.";
/// How often a statement is tried again because the rows it touches keep changing.
const ROUNDS: usize = 1000;

/// What the executor needs of its group. Where that cannot be had here (the leadership is lost, the replica fails), it is
/// [`Trouble::Void`]: whoever asked asks again, wherever the leader is, and no client hears of it.
pub trait Log: Send + Sync + 'static {
    /// The term in which this node leads the group; `None` when it does not.
    fn term(&self) -> Option<u64>;
    /// What time it is, in µs since 2000-01-01 00:00 UTC.
    fn now(&self) -> i64;
    /// Puts a command of the server's own into the log; only in this term, if one is given.
    fn propose(&self, command: Command, term: Option<u64>) -> BoxFuture<'static, Result<Outcome, Trouble>>;
    /// Asks all gateways for the locks of their transactions. Ends when all that live have answered, or after a while.
    fn hear(&self, tenure: Tenure) -> BoxFuture<'static, Vec<Heard>>;
    /// Ends when this node's state covers everything acknowledged before.
    fn read_point(&self, deadline: Instant) -> BoxFuture<'static, Result<(), Trouble>>;
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
            locks: 1 << 18,
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
    /// Ends the statement that runs.
    stop: Mutex<Arc<AtomicBool>>,
    /// The node that renews its lease, if that is another one.
    gateway: Option<NodeId>,
    /// Its locks are about to be given to others.
    given_up: AtomicBool,
    /// When its gateway has last given a sign. That an order of it is done is none: it may have waited for long.
    seen: Mutex<Instant>,
    flight: Mutex<admit::TxFlight>,
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
    /// The last round that has begun in it, the tenure that is being taken up, and the one in force.
    round: u64,
    taking: Option<Tenure>,
    tenure: Tenure,
    /// Transactions that have ended since the gateways were asked.
    ended: BTreeSet<TxName>,
    /// Writes on their way through the log, by table.
    flying: BTreeMap<u32, admit::Flying>,
    /// Whoever waits for one of them to land.
    landing: Vec<oneshot::Sender<()>>,
    /// In the order of their arrival.
    fences: Vec<admit::Fenced>,
    /// The applied index when the last write of a table landed; of those admitted without a look at their tables.
    changed: BTreeMap<u32, u64>,
    changed_all: u64,
    history: History,
}

impl Tx {
    #[allow(clippy::too_many_arguments)]
    fn new(
        id: u64,
        name: TxName,
        epoch: u64,
        gateway: Option<NodeId>,
        now: Instant,
        env: Env,
        transcript: Transcript,
        marks: &[usize],
    ) -> Tx {
        Tx {
            id: TxId(id),
            name,
            epoch: AtomicU64::new(epoch),
            interrupt: Notify::new(),
            stop: Mutex::default(),
            gateway,
            given_up: AtomicBool::new(false),
            seen: Mutex::new(now),
            flight: Mutex::default(),
            work: tokio::sync::Mutex::new(Work::new(epoch, env, transcript, marks)),
        }
    }

    /// Makes void what it is doing.
    fn interrupt(&self) {
        self.stop.lock().store(true, Ordering::SeqCst);
        self.interrupt.notify_waiters();
    }
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
    office: tenure::Office,
    /// Rings when this node is in office.
    begun: Notify,
    /// Number of open transactions.
    active: AtomicU64,
    /// Autocommit writes on their way that were admitted while there were none.
    unlisted: AtomicU64,
    landed: Notify,
    /// Rings when a fence falls.
    opened: Notify,
    /// There may be writes in the log, not applied yet, that nobody here knows of.
    adrift: AtomicBool,
    sweeping: AtomicBool,
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
            office: tenure::Office::new(0),
            begun: Notify::new(),
            active: AtomicU64::new(0),
            unlisted: AtomicU64::new(0),
            landed: Notify::new(),
            opened: Notify::new(),
            adrift: AtomicBool::new(true),
            sweeping: AtomicBool::new(false),
        })
    }

    /// Takes a transaction over: the view is made at the first statement that needs one.
    pub async fn open(self: &Arc<Self>, open: Open) -> Reply {
        let control = Control::resumed(open.within, None, self.host.now());
        match self.in_office(&control).await {
            Ok(term) => self.take_over(open, term),
            Err(_) => Reply::NotLeader,
        }
    }

    fn take_over(self: &Arc<Self>, open: Open, term: u64) -> Reply {
        let mut state = self.state.lock();
        if state.term != term || self.office.load(Ordering::SeqCst) != term {
            return Reply::NotLeader;
        }
        if let Some(tx) = state.open.get(&open.name).cloned() {
            if tx.given_up.load(Ordering::SeqCst) {
                return Reply::Failed(locks_lost());
            }
            // Taken over anew, from the same or a newer transcript. It keeps its age and its locks.
            if tx.epoch.fetch_max(open.epoch, Ordering::SeqCst) >= open.epoch {
                return Reply::Unknown;
            }
            stop(&mut state, &tx);
            *tx.seen.lock() = self.host.now();
            drop(state);
            let Ok(mut work) = tx.work.try_lock() else {
                // Its last order is still being undone: the gateway tries again.
                return Reply::Unknown;
            };
            *work = Work::new(open.epoch, open.env, open.transcript, &open.marks);
            return Reply::Done;
        }
        if open.holds && !self.host.has(Defect::CommitVoid) {
            return Reply::Failed(locks_lost());
        }
        if state.open.len() >= self.limits.open {
            let error = SqlError::new(state::TOO_MANY_CONNECTIONS, "too many open transactions");
            return Reply::Failed(error.detail(format!("{} are open at the leader.", self.limits.open)).hint(
                "Raise limits.transactions in the configuration of the nodes, or end transactions that idle \
                 (see pg_stat_activity).",
            ));
        }
        state.next += 1;
        let Open { name, epoch, gateway, env, transcript, marks, .. } = open;
        let tx = Tx::new(state.next, name, epoch, gateway, self.host.now(), env, transcript, &marks);
        state.open.insert(name, Arc::new(tx));
        self.active.fetch_add(1, Ordering::SeqCst);
        drop(state);
        self.sweep_from_now_on();
        Reply::Done
    }

    /// Does what a transaction orders next.
    pub async fn order(self: &Arc<Self>, order: Order) -> Reply {
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
        let control = Control::resumed(order.within, order.lock_timeout, self.host.now());
        let mut work = tx.work.lock().await;
        let mut job = Job::new(self, &tx, order.epoch, &control);
        if work.epoch != order.epoch || tx.epoch.load(Ordering::SeqCst) != order.epoch {
            return Reply::Unknown;
        }
        if self.state.lock().locks.held(tx.id) < order.known && !self.host.has(Defect::CommitVoid) {
            // It failed here and gave them back, but its gateway has not heard of that.
            return Reply::Failed(locks_lost());
        }
        let result = match order.action {
            Action::Run(statement) => job.run(&mut work, *statement).await,
            Action::Lock { tables, mode, nowait } => job.lock_tables(&mut work, &tables, mode, nowait).await,
            // That its locks are here has been seen; now, that nobody else leads.
            Action::Vouch => self.log.read_point(control.deadline).await.map(|()| Reply::Done),
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
        match result {
            Ok(reply) => self.granted(&tx, order.epoch, order.known, reply),
            // It comes again, and finds its work as it was.
            Err(Trouble::Sql(error)) if !is_end(&error) => Reply::Failed(error),
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

    /// Adds to a reply which locks its gateway has not been told of.
    fn granted(&self, tx: &Arc<Tx>, epoch: u64, known: usize, mut reply: Reply) -> Reply {
        let state = self.state.lock();
        if tx.epoch.load(Ordering::SeqCst) != epoch {
            // They may have been taken away.
            return Reply::Unknown;
        }
        if let Reply::Ran { granted, .. } | Reply::Locked(granted) = &mut reply {
            *granted = Granted { tenure: state.tenure, locks: state.locks.held_since(tx.id, Mark(known)).to_vec() };
        }
        reply
    }

    /// Ends a transaction: its view and its locks are gone. If it is on its way through the log, it ends when it lands.
    pub fn end(&self, name: TxName) {
        let mut state = self.state.lock();
        let Some(tx) = state.open.get(&name).cloned() else {
            if state.taking.is_some() {
                state.ended.insert(name);
            }
            return;
        };
        {
            let mut flight = tx.flight.lock();
            if flight.aloft > 0 {
                flight.unwanted = true;
                return;
            }
            if flight.owners > 0 {
                // It may still wait for its locks: then it is over at once.
                drop(flight);
                return void(&mut state, &tx);
            }
            if flight.landed {
                let State { locks, history, .. } = &mut *state;
                history.changed(locks.changeable(tx.id), self.shared.applied());
            }
        }
        state.open.remove(&name);
        self.active.fetch_sub(1, Ordering::SeqCst);
        self.forget(&mut state, &tx);
    }

    fn transaction(&self, name: TxName) -> Option<Arc<Tx>> {
        self.state.lock().open.get(&name).cloned()
    }

    /// Makes void what a transaction is doing, without ending it: the client has given up on a statement.
    pub fn interrupt(&self, name: TxName) {
        let mut state = self.state.lock();
        if let Some(tx) = state.open.get(&name).cloned() {
            void(&mut state, &tx);
        }
    }

    /// The tables that a transaction's steps have to do with under the catalog of now, on any replica; `None` if that cannot
    /// be told, because a definition is gone for example.
    pub fn tables_of(&self, transcript: &Transcript) -> Option<Vec<u32>> {
        let tables = self.names.touched_by_steps(&self.views, &self.shared, &mut transcript.steps()).all();
        (!tables.contains(&names::EVERY)).then_some(tables)
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
        state.history = History::default();
        state.taking = None;
        self.office.store(0, Ordering::SeqCst);
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

    // ---- leadership, leases ----

    fn keep_term(&self, state: &mut State, term: u64) {
        if state.term != term {
            self.clear_state(state);
            self.blocks.clear();
            self.adrift.store(true, Ordering::SeqCst);
            state.history = History::default();
            (state.term, state.round, state.taking) = (term, 0, None);
            self.office.store(0, Ordering::SeqCst);
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
        tx.interrupt();
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

    /// Called every second or so: gives back what nobody has used for a while.
    pub fn rest(&self) {
        self.views.rest();
    }

    /// Ends what nobody vouches for, and gives up views that only hold the WAL.
    pub fn sweep(self: &Arc<Self>, now: Instant) {
        if self.log.term() != Some(self.state.lock().term) {
            return self.clear();
        }
        let all: Vec<Arc<Tx>> = self.state.lock().open.values().cloned().collect();
        let Limits { lease, idle: patience, idle_strict, .. } = self.limits;
        let mut silent = Vec::new();
        let strict = strict_patience(self.views.wal_bytes(), patience, idle_strict);
        for tx in all {
            let idle = now.saturating_duration_since(*tx.seen.lock());
            if tx.gateway.is_some() && idle > lease {
                silent.push(tx.name);
                continue;
            }
            let Ok(mut work) = tx.work.try_lock() else { continue };
            let patience = if work.isolation() == Isolation::ReadCommitted { patience } else { strict };
            if work.last_used.is_some_and(|used| now.saturating_duration_since(used) > patience) {
                work.drop_view();
            }
        }
        self.give_up(silent);
    }
}

/// How long an idle view is kept whose end may cost its client a 40001: the longer the WAL that it holds, the shorter.
fn strict_patience(wal: u64, least: Duration, most: Duration) -> Duration {
    match wal {
        0..=LONG_WAL => most,
        _ if wal <= 16 * LONG_WAL => most / 3,
        _ => least,
    }
}

/// Ends what a transaction is doing now, and its wait.
fn stop(state: &mut State, tx: &Tx) {
    tx.interrupt();
    let effects = state.locks.cancel(tx.id);
    state.waiters.remove(&tx.id);
    deliver(state, effects);
}

/// As `stop`; and whoever ordered it has to take the transaction over anew.
fn void(state: &mut State, tx: &Tx) {
    tx.epoch.fetch_add(1, Ordering::SeqCst);
    stop(state, tx);
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
    epoch: u64,
    control: Control,
    /// Waits for locks; otherwise gives up with 55P03.
    patient: bool,
    /// Sequence values come from the view.
    local_draws: bool,
}

/// How asking for locks went.
enum Locked {
    /// All are held; `new`: some were not before.
    All { new: bool },
    /// It had to wait for one, or one row was not to be had: run the statement again.
    Again,
}

impl<'a> Job<'a> {
    /// Whoever interrupts the transaction from now on ends this job.
    fn new(executor: &'a Arc<Executor>, tx: &'a Tx, epoch: u64, control: &Control) -> Job<'a> {
        let control = Control { cancelled: Arc::default(), ..control.clone() };
        *tx.stop.lock() = control.cancelled.clone();
        Job { executor, tx, epoch, control, patient: true, local_draws: false }
    }

    fn check(&self) -> Result<(), Trouble> {
        if self.tx.epoch.load(Ordering::SeqCst) != self.epoch {
            return Err(Trouble::Void);
        }
        Ok(admit::check(&self.control, self.executor.host.now())?)
    }

    /// Runs a statement until its result counts, and takes it into the transcript.
    async fn run(&mut self, work: &mut Work, mut statement: Statement) -> Result<Reply, Trouble> {
        if let Some(before) = statement.before.take() {
            let rows = self.lock_before(work, &statement, before).await?;
            statement.step.params.iter_mut().filter_map(|set| set.last_mut()).for_each(|last| *last = rows.clone());
        }
        let run = self.settle(work, &statement).await?;
        let Kept { outcome, step, kind, catalog } = work.keep(&statement, run)?;
        let (step, catalog, granted) = (Box::new(step), catalog.map(Box::new), Granted::default());
        Ok(Reply::Ran { outcome, step, kind, catalog, granted })
    }

    /// Finds and locks the rows that a query of the statement means.
    async fn lock_before(&mut self, work: &mut Work, around: &Statement, before: Before) -> Result<Value, Trouble> {
        let yields = Yields::RowsAnd(before.lock.tables.len() as u8);
        let statements = vec![command::Statement::new(before.sql, yields)];
        let query = Statement {
            step: Step { statements, ddl: Definition::None, ..around.step.clone() },
            kind: Kind::LockingRead,
            lock: Some(before.lock),
            before: None,
            ..around.clone()
        };
        let run = self.settle(work, &query).await?;
        let rows = run.locked();
        work.undo(&run)?;
        Ok(rows)
    }

    /// Runs a statement until it counts. What it did can still be undone.
    async fn settle(&mut self, work: &mut Work, statement: &Statement) -> Result<Run, Trouble> {
        let executor = self.executor;
        let mark = executor.state.lock().locks.mark(self.tx.id);
        let strict = work.isolation() != Isolation::ReadCommitted;
        // A deposed leader must not answer. A snapshot was asked for when it was taken; what a write says is compared at
        // COMMIT.
        let mut asked = strict && work.view.is_some();
        if !asked && (strict || statement.kind != Kind::Write) {
            self.await_read_point(work).await?;
            asked = true;
        }
        // Above READ COMMITTED a refresh also finds out early what COMMIT would refuse.
        let row = matches!(statement.effort, Effort::Row(_)) && !strict;
        // At REPEATABLE READ one that names its row stays on its snapshot, whatever else has changed, if the row has not.
        let own = matches!(statement.effort, Effort::Row(_)) && work.isolation() == Isolation::RepeatableRead;
        let mut run = Run::new(statement, self.local_draws);
        let mut fresh = !strict;
        // May run on a view that is behind.
        let mut lags = row || work.may_stay_stale(statement);
        for _ in 0..ROUNDS {
            self.check()?;
            self.prepare(work, statement, fresh && !lags).await?;
            let behind = lags && executor.shared.applied() != work.at();
            match self.attempt(work, statement, &mut run, behind)? {
                Ran::NeedSequences(missing) => {
                    for (oid, wanted) in missing {
                        self.reserve(&mut run, oid, wanted).await?;
                    }
                    fresh = false;
                }
                Ran::Stale => (fresh, lags) = (true, false),
                Ran::Failed(error) => {
                    executor.blocks.give_back(run.leftovers());
                    return Err(error.into());
                }
                Ran::Done { wants, tables } => {
                    let skips = statement.lock.as_ref().is_some_and(|lock| lock.wait == LockWait::SkipLocked);
                    let ruled = (row || own) && run.is_ruled_by_its_row(statement);
                    let targets: Vec<Target> = wants.iter().filter(|_| skips || ruled).map(Want::target).collect();
                    // What it has locked or changed before is on its view, and nobody else's since.
                    let rows = wants.iter().filter(|want| names::is_of_row(want));
                    let guarded = ruled && own && executor.state.lock().locks.guards(self.tx.id, rows);
                    let wait = statement.lock.as_ref().map_or(LockWait::Wait, |lock| lock.wait);
                    let wait = if self.patient || wait != LockWait::Wait { wait } else { LockWait::NoWait };
                    let new = match self.lock(work, &mut run, wants, wait).await? {
                        Locked::All { new } => new,
                        Locked::Again => {
                            fresh = !executor.host.has(Defect::NoRefreshAfterWait);
                            lags = false;
                            continue;
                        }
                    };
                    let latest = |work: &Work| executor.shared.applied() == work.at();
                    let counts = if ruled && !new {
                        true
                    } else if ruled && own {
                        self.await_landing(&tables, true).await?;
                        if !latest(work) {
                            work.undo(&run)?;
                            // It runs again, now that its rows cannot change: on its snapshot, if they have not.
                            let same = match guarded {
                                true => Some(true),
                                false => self.has_own_rows(work, &run, &tables).await?,
                            };
                            if same == Some(false) {
                                return Err(crate::transaction::serialization_failure(work.isolation()).into());
                            }
                            (fresh, lags) = (same.is_none(), false);
                            continue;
                        }
                        true
                    } else if ruled {
                        self.await_landing(&tables, true).await?;
                        latest(work) || !executor.state.lock().history.has_overtaken(work.at(), &targets, &tables)
                    } else if row && behind {
                        // It did not find its row, or not only that: it might on a view of now.
                        false
                    } else if new && !work.may_stay_stale(statement) {
                        let landed = self.await_landing(&tables, false).await?;
                        if work.isolation() == Isolation::RepeatableRead && !latest(work) {
                            work.undo(&run)?;
                            // As above: what it has locked cannot change any more.
                            let same = self.does_alike(work, statement, &mut run).await?;
                            (fresh, lags) = (!same, false);
                            continue;
                        }
                        !landed && latest(work)
                    } else {
                        true
                    };
                    if !counts {
                        work.undo(&run)?;
                        (fresh, lags) = (true, false);
                        continue;
                    }
                    if !asked && !run.wrote() {
                        // A transaction that changes nothing is never compared.
                        executor.log.read_point(self.control.deadline).await?;
                        asked = true;
                        if executor.shared.applied() != work.at() {
                            work.undo(&run)?;
                            (fresh, lags) = (true, false);
                            continue;
                        }
                    }
                    executor.blocks.give_back(run.leftovers());
                    if skips {
                        // Rows that only an earlier run found are for others.
                        let mut state = executor.state.lock();
                        let effects = state.locks.release_others(self.tx.id, mark, &targets);
                        deliver(&mut state, effects);
                    }
                    return Ok(run);
                }
            }
        }
        Err(SqlError::new(state::SERIALIZATION_FAILURE, "could not serialize access: the rows keep changing").into())
    }

    /// Whether the rows that a run has changed or locked, and that was undone, are committed as the view has them; `None` if
    /// that is not to be found out.
    async fn has_own_rows(&self, work: &mut Work, run: &Run, tables: &[u32]) -> Result<Option<bool>, Trouble> {
        self.await_landing(tables, true).await?;
        let executor = self.executor;
        let names = executor.names.of(&executor.shared);
        Ok(executor.busily(work.is_light(), || work.has_rows_of(&executor.views, run, &|table| names.name_of(table))))
    }

    /// Whether a run that was undone would do and tell the same on what is committed now. Error: what it violates there.
    async fn does_alike(&self, work: &mut Work, statement: &Statement, run: &mut Run) -> Result<bool, Trouble> {
        let executor = self.executor;
        let names = executor.names.of(&executor.shared);
        let free = self.row_free(statement);
        let alike = executor
            .busily(work.is_light(), || work.does_alike(&executor.views, statement, run, &names, &self.control, &free));
        self.check()?;
        alike
    }

    /// Gets values of a sequence; fewer where it ends.
    async fn reserve(&self, run: &mut Run, oid: u32, wanted: usize) -> Result<(), Trouble> {
        let Executor { blocks, log, shared, host, .. } = &**self.executor;
        let mut got = 0;
        while got < wanted {
            self.check()?;
            match blocks.take(oid, wanted - got, log, shared, host).await {
                Ok(reserved) => got += run.supply(oid, reserved).max(1),
                // With others the statement may need fewer.
                Err(Trouble::Sql(error)) if got > 0 && error.code == state::SEQUENCE_GENERATOR_LIMIT_EXCEEDED => break,
                Err(trouble) => return Err(trouble),
            }
        }
        Ok(())
    }

    /// Makes the view what the statement may run on.
    async fn prepare(&self, work: &mut Work, statement: &Statement, fresh: bool) -> Result<(), Trouble> {
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
        let moves = !work.is_intact() || fresh && behind(work);
        // A snapshot stays where the statement means the same on it.
        let strict = work.isolation() != Isolation::ReadCommitted;
        let stays = old && !moves && strict && self.is_untouched(work, statement)?;
        if moves || old && !stays {
            let env = work.env.clone();
            let refreshed =
                executor.busily(work.is_light(), || work.refresh(&executor.views, &env, self.control.clone()));
            refreshed.map_err(|trouble| self.explained(trouble))?;
            work.last_used = Some(executor.host.now());
        }
        match statement.schema_version {
            Some(version) if !stays && !agree(version, work.schema_version()) && !work.has_ddl() => {
                Err(Trouble::Schema(work.schema_version()))
            }
            _ => Ok(()),
        }
    }

    /// Whether the tables that a statement has to do with, and all types, are defined on the view as they are now: what was
    /// compiled under the definitions of now then holds there too.
    fn is_untouched(&self, work: &mut Work, statement: &Statement) -> Result<bool, Trouble> {
        let executor = self.executor;
        let now = executor.shared.catalog();
        let Some(then) = work.catalog()? else { return Ok(false) };
        let steps = &mut std::iter::once(&statement.step);
        let touches = executor.names.touched_by_steps(&executor.views, &executor.shared, steps);
        let same = |oid: &u32| then.by_oid(*oid).is_some_and(|relation| now.by_oid(*oid) == Some(relation));
        Ok(!statement.step.ddl.any() && then.types == now.types && touches.all().iter().all(same))
    }

    /// `behind`: its view may not be the latest.
    fn attempt(&self, work: &mut Work, statement: &Statement, run: &mut Run, behind: bool) -> Result<Ran, Trouble> {
        let executor = self.executor;
        let names = executor.names.of(&executor.shared);
        let free = self.row_free(statement);
        work.last_used = Some(executor.host.now());
        let control = self.control.clone();
        let brief = statement.effort <= Effort::Key && statement.step.params.len() <= 16;
        let ran = executor.busily(brief, || work.attempt(statement, run, &names, control, free, behind));
        ran.map_err(|trouble| self.explained(trouble))
    }

    /// Which rows a statement may lock: all, unless it skips those that others have.
    fn row_free(&self, statement: &Statement) -> crate::functions::RowFree {
        let (executor, id) = (self.executor.clone(), self.tx.id);
        let skips = statement.lock.as_ref().filter(|lock| lock.wait == LockWait::SkipLocked);
        let strength = skips.map(|lock| lock.strength);
        Arc::new(move |table, rowid| {
            let free = |strength| executor.state.lock().locks.is_free(id, table, names::rowid_key(rowid), strength);
            strength.is_none_or(free)
        })
    }

    /// An interrupted statement knows only that it was interrupted.
    fn explained(&self, trouble: Trouble) -> Trouble {
        match trouble {
            Trouble::Sql(error) if error.code == state::QUERY_CANCELED => {
                self.check().err().unwrap_or(Trouble::Sql(error))
            }
            trouble => trouble,
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
                let target = want.target();
                // NOWAIT and SKIP LOCKED are about rows; tables are waited for.
                let of_table = matches!(want, Want::Table { .. }) && self.patient;
                let wait = if of_table { LockWait::Wait } else { wait };
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
        // The statement will run on a newer view; the one that it had would pin the WAL.
        match self.executor.host.has(Defect::NoRefreshAfterWait) {
            false => work.drop_view(),
            true => work.undo(run)?,
        }
        self.wait_for(receiver, &target).await?;
        Ok(Locked::Again)
    }

    /// Waits for a lock to be granted.
    async fn wait_for(&self, receiver: oneshot::Receiver<SqlResult<()>>, _: &Target) -> Result<(), Trouble> {
        let host = &self.executor.host;
        let started = host.now();
        let limit = self.control.lock_timeout.map(|limit| started + limit);
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

    /// Waits for the writes that were on their way to these tables, or (`loose`) for those of them that hold no locks;
    /// whether there were any.
    async fn await_landing(&self, tables: &[u32], loose: bool) -> Result<bool, Trouble> {
        self.executor.await_landing(tables, loose, self.control.deadline, || self.check()).await
    }

    /// Waits for a read point; if that takes a while, without the view: it pins the WAL, and the apply thread may be waiting
    /// for it to go.
    async fn await_read_point(&self, work: &mut Work) -> Result<(), Trouble> {
        let point = self.executor.log.read_point(self.control.deadline);
        tokio::pin!(point);
        match host::within(&*self.executor.host, BRIEF, &mut point).await {
            Some(result) => result?,
            None => {
                work.drop_view();
                point.await?;
            }
        }
        Ok(())
    }

    /// LOCK TABLE.
    async fn lock_tables(
        &self,
        work: &mut Work,
        tables: &[u32],
        mode: LockMode,
        nowait: bool,
    ) -> Result<Reply, Trouble> {
        let wait = if nowait { LockWait::NoWait } else { LockWait::Wait };
        for table in tables {
            self.take(work, Want::Table { table: *table, mode }, wait).await?;
        }
        self.await_landing(tables, false).await?;
        Ok(Reply::Locked(Granted::default()))
    }

    /// Gets a lock that is known without running anything.
    async fn take(&self, work: &mut Work, want: Want, wait: LockWait) -> Result<(), Trouble> {
        let target = want.target();
        let receiver = {
            let mut state = self.executor.state.lock();
            if self.tx.epoch.load(Ordering::SeqCst) != work.epoch {
                return Err(Trouble::Void);
            }
            let reply = state.locks.request(self.tx.id, want, wait);
            deliver(&mut state, reply.effects);
            match reply.answer {
                Answer::Granted => return Ok(()),
                Answer::Queued => {
                    let (sender, receiver) = oneshot::channel();
                    state.waiters.insert(self.tx.id, sender.into());
                    receiver
                }
                Answer::NotAvailable | Answer::Skip => {
                    drop(state);
                    return Err(locks::not_available(&target, &self.relation(&target)).into());
                }
                Answer::Deadlock(error) => return Err(error.into()),
            }
        };
        // It would pin the WAL.
        work.drop_view();
        self.wait_for(receiver, &target).await
    }

    fn relation(&self, target: &Target) -> String {
        let (Target::Table(table) | Target::Row(table, _)) = target;
        let catalog = self.executor.shared.catalog();
        catalog.by_oid(*table).map_or_else(|| table.to_string(), |relation| relation.name.clone())
    }
}
