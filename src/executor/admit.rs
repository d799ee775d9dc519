//! Who may put a write into the log, and when.
//!
//! While no transaction is open here, every write goes straight on. Otherwise an autocommit write waits while rows or
//! tables that it would touch are locked: it runs in a view of its own, as a transaction would, gets its locks in its
//! turn, and keeps them until it is applied, as a COMMIT keeps those of its transaction. Where its text names the one row
//! that it changes ([`NamedRow`]) and nobody holds that, it need not run. Who proposes waits to the end, asked or not;
//! only when the leadership is lost meanwhile, a write is *adrift* somewhere in the log.
//!
//! Writes on their way that do not hold all the locks they should are *loose*: autocommit writes that met no locks. Whoever
//! locks rows waits for the loose ones to land.
//!
//! Whatever is admitted holds for the term in which it was: see [`super::tenure`]. A COMMIT is admitted if the transaction
//! is open here, with its locks; otherwise it is aborted under its request id.
//!
//! A **fence** keeps writes of some tables out of the log for as long as somebody needs those tables not to move (see
//! [`super::trial`]). Fences wait for fences and for writes on their way, never for locks; a write that waits for a
//! fence has all its locks. So no circle can close through a fence.

use super::names::{Touches, overlap};
use super::work::{Trouble, Work};
use super::{Executor, Job, State, Tx, names};
use crate::clock::Control;
use crate::command::{self, Command, Frozen, Outcome, Proposal, Step, Write};
use crate::error::{SqlError, SqlResult, state};
use crate::host::{self, Defect};
use crate::id::NodeId;
use crate::locks::Want;
use crate::sql::plan::{Effort, LockMode, LockWait, NamedRow, RowChange, RowId};
use crate::transaction::{Kind, Open, Reply, Statement, Terms, Trial, TxName};
use crate::value::Value;
use bytes::Bytes;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// How often whoever waits looks at its deadline.
const LOOK: Duration = Duration::from_millis(50);

/// A permission to put a write into the log; dropped when its outcome is known, or when nobody waits for that any more.
pub struct Admission {
    executor: Arc<Executor>,
    held: Held,
    end: End,
    /// The only term in which it may be proposed.
    term: u64,
    /// What to propose instead.
    instead: Option<Bytes>,
}

/// How a write that was admitted has ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    /// Applied, or not: it is adrift.
    Unknown,
    Applied,
    /// It is not in the log, or not because of this admission.
    Withdrawn,
}

/// A transaction on its way through the log.
#[derive(Default)]
pub(super) struct TxFlight {
    /// Shares in it, if it was made for one write.
    pub owners: u32,
    /// Admissions of its COMMIT that have not ended.
    pub aloft: u32,
    /// It may have been applied.
    pub landed: bool,
    /// It was told to end meanwhile.
    pub unwanted: bool,
}

pub(super) enum Held {
    /// It touches no table: a part of a larger command, for example.
    Nothing,
    /// Admitted while there were no transactions.
    Unlisted,
    /// It holds no locks.
    Tables { tables: Vec<u32> },
    /// A COMMIT: the transaction holds its locks until it is applied.
    Commit { tables: Vec<u32>, name: TxName, _fence: Option<Fence> },
    /// An autocommit write, and the locks of a transaction made for it.
    Locks { tables: Vec<u32>, own: Own, _fence: Option<Fence> },
}

/// A share in a transaction that was made for one write: each attempt at the write has one, and the transaction ends
/// with the last of them.
pub(super) struct Own {
    executor: Arc<Executor>,
    pub tx: Arc<Tx>,
    /// It holds all the locks that the write needs.
    pub complete: bool,
}

/// Keeps writes of its tables back while it lives.
pub(super) struct Fence {
    executor: Arc<Executor>,
    pub owner: u64,
}

/// How many writes of a table are on their way.
#[derive(Default)]
pub(super) struct Flying {
    all: u32,
    /// Those that hold no locks.
    loose: u32,
}

/// A fence as the others see it.
pub(super) struct Fenced {
    owner: u64,
    tables: Vec<u32>,
}

impl Admission {
    /// What to propose, and in which term only.
    pub fn shape(&mut self, proposal: Proposal) -> (Proposal, u64) {
        let body = self.instead.take().unwrap_or(proposal.body);
        (Proposal { body, ..proposal }, self.term)
    }

    /// The outcome is known. One that was refused has done nothing, and is likely to be asked for again.
    pub fn conclude(mut self, outcome: &Outcome) {
        self.end = if matches!(outcome, Outcome::Refused(_)) { End::Withdrawn } else { End::Applied };
    }

    /// It is certain that there will be no outcome.
    pub fn withdraw(mut self) {
        self.end = End::Withdrawn;
    }
}

impl Drop for Admission {
    fn drop(&mut self) {
        let executor = &self.executor;
        if self.end == End::Unknown && !matches!(self.held, Held::Nothing) {
            executor.adrift.store(true, Ordering::SeqCst);
        }
        match &self.held {
            Held::Nothing => {}
            Held::Unlisted => executor.land_unlisted(),
            Held::Tables { tables } => executor.land(tables, true),
            Held::Locks { tables, own, .. } => executor.land(tables, !own.complete),
            Held::Commit { tables, name, .. } => {
                executor.land(tables, false);
                executor.land_commit(*name, self.end);
            }
        }
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        let last = {
            let mut flight = self.tx.flight.lock();
            flight.owners -= 1;
            flight.owners == 0
        };
        let here = self.executor.transaction(self.tx.name).is_some_and(|tx| Arc::ptr_eq(&tx, &self.tx));
        if last && here {
            self.executor.end(self.tx.name);
        }
    }
}

/// A COMMIT counts as on its way. Until it is admitted its client may give it up, by hanging up too.
struct OnItsWay {
    executor: Arc<Executor>,
    name: TxName,
    admitted: bool,
}

impl Drop for OnItsWay {
    fn drop(&mut self) {
        if !self.admitted {
            self.executor.land_commit(self.name, End::Withdrawn);
        }
    }
}

impl Drop for Fence {
    fn drop(&mut self) {
        self.executor.state.lock().fences.retain(|fence| fence.owner != self.owner);
        self.executor.opened.notify_waiters();
    }
}

impl State {
    /// Whether somebody else keeps writes of these tables back; whose own fence stands, waits only for earlier ones.
    fn is_fenced(&self, tables: &[u32], own: Option<u64>) -> bool {
        let mut others = self.fences.iter().take_while(|fence| Some(fence.owner) != own);
        others.any(|fence| overlap(&fence.tables, tables))
    }

    fn take_off(&mut self, tables: &[u32], loose: bool) {
        for table in tables {
            let flying = self.flying.entry(*table).or_default();
            flying.all += 1;
            flying.loose += u32::from(loose);
        }
    }

    fn is_flying(&self, tables: &[u32], loose: bool) -> bool {
        let counts = |flying: &Flying| !loose || flying.loose > 0;
        // A definition without locks may be about any table.
        self.flying.get(&names::SCHEMA).is_some_and(|flying| flying.loose > 0)
            || tables.contains(&names::EVERY) && self.flying.values().any(counts)
            || tables.iter().any(|table| self.flying.get(table).is_some_and(counts))
    }
}

/// A write of one row that its text names.
struct Named {
    change: RowChange,
    /// The locks that it needs.
    wants: Vec<Want>,
}

fn named(write: &Write, effort: Effort) -> Option<Named> {
    let (Effort::Row(Some(NamedRow { table, rowid, change })), [step]) = (effort, &write.steps[..]) else {
        return None;
    };
    let params = match &step.params[..] {
        [] => &[][..],
        [params] => params,
        _ => return None,
    };
    let rowid = match rowid {
        RowId::Const(rowid) => Some(rowid),
        RowId::New => None,
        RowId::Param(n) => match params.get(n.checked_sub(1)?)? {
            Value::Int(rowid) => Some(*rowid),
            Value::Null => None,
            _ => return None,
        },
    };
    let row = |rowid| Want::Row { table, key: names::rowid_key(rowid), strength: change.strength() };
    let table = Want::Table { table, mode: LockMode::RowExclusive };
    Some(Named { change, wants: [table].into_iter().chain(rowid.map(row)).collect() })
}

/// The error of one that has waited long enough.
pub(super) fn check(control: &Control, now: Instant) -> SqlResult<()> {
    if control.cancelled.load(Ordering::Relaxed) {
        return Err(SqlError::new(state::QUERY_CANCELED, "canceling statement due to user request"));
    }
    if now >= control.deadline {
        return Err(SqlError::new(state::QUERY_CANCELED, "canceling statement due to statement timeout"));
    }
    Ok(())
}

impl Executor {
    /// Asks to put a command into the log.
    pub async fn admit(
        self: &Arc<Self>,
        proposal: &Proposal,
        terms: &Terms,
        control: &Control,
    ) -> Result<Admission, Trouble> {
        let term = self.in_office(control).await?;
        self.unlisted.fetch_add(1, Ordering::SeqCst);
        let open = terms.effort == Effort::Open;
        if !open && !terms.commit && self.active.load(Ordering::SeqCst) == 0 {
            return Ok(self.admission(Held::Unlisted, term));
        }
        if self.unlisted.fetch_sub(1, Ordering::SeqCst) == 1 {
            self.landed.notify_waiters();
        }
        let Some(write) = self.write_in(&proposal.body)? else {
            let whole = terms.commit && matches!(command::decode(&proposal.body), Ok(Command::Assembled { .. }));
            return Ok(match whole && self.transaction(proposal.request).is_none() {
                // Whatever its chunks would say, it has no locks here.
                true => self.aborting(0, term),
                false => self.admission(Held::Nothing, term),
            });
        };
        if write.transaction.is_some() {
            return self.admit_commit(proposal.request, write, open, term, control).await;
        }
        let touches = self.names.touched(&self.views, &self.shared, &write);
        self.admit_autocommit(proposal.request, write, touches, terms, term, control).await
    }

    async fn admit_commit(
        self: &Arc<Self>,
        name: TxName,
        write: Write,
        open: bool,
        term: u64,
        control: &Control,
    ) -> Result<Admission, Trouble> {
        let abort = || self.aborting(write.born, term);
        let lenient = self.host.has(Defect::CommitVoid);
        if self.transaction(name).is_none() && !lenient {
            return Ok(abort());
        }
        let touches = self.names.touched(&self.views, &self.shared, &write);
        let fence = match open {
            true => Some(self.check_commit(name, &write, &touches, control).await?),
            false => None,
        };
        let tables = touches.written;
        if !self.take_off_commit(name) && !lenient {
            return Ok(abort());
        }
        let mut way = OnItsWay { executor: self.clone(), name, admitted: false };
        self.enter(&tables, false, fence.as_ref().map(|fence| fence.owner), control).await?;
        way.admitted = true;
        Ok(self.admission(Held::Commit { tables, name, _fence: fence }, term))
    }

    async fn admit_autocommit(
        self: &Arc<Self>,
        request: TxName,
        write: Write,
        touches: Touches,
        terms: &Terms,
        term: u64,
        control: &Control,
    ) -> Result<Admission, Trouble> {
        let tables = touches.written;
        let parents = self.names.of(&self.shared).parents(&tables);
        let quiet = self.when_open(control, |state| {
            // Which tables a definition is about, only its run tells.
            let schema = tables.contains(&names::SCHEMA) && !state.locks.is_empty();
            let parents_go = !parents.iter().all(|parent| state.locks.is_open_to_references(*parent));
            if schema || parents_go || !tables.iter().all(|table| state.locks.is_quiet(*table)) {
                return Some(false);
            }
            (!state.is_fenced(&tables, None)).then(|| {
                state.take_off(&tables, true);
                true
            })
        });
        if quiet.await? {
            return Ok(self.admission(Held::Tables { tables }, term));
        }
        let own = self.wait_in_line(request, write, terms, term, control).await?;
        self.enter(&tables, !own.complete, None, control).await?;
        Ok(self.admission(Held::Locks { tables, own, _fence: None }, term))
    }

    /// Gets all the locks that a write would need: those that its text tells, or else by running it in a view of its own.
    async fn wait_in_line(
        self: &Arc<Self>,
        name: TxName,
        write: Write,
        terms: &Terms,
        term: u64,
        control: &Control,
    ) -> Result<Own, Trouble> {
        let named = named(&write, terms.effort);
        // Near enough: what it really computes, the log decides.
        let frozen = Frozen { now: self.log.now(), seed: self.host.random(), ..Frozen::default() };
        let statement = |step| Statement {
            step: Step { frozen: Some(frozen.clone()), ..step },
            kind: Kind::Write,
            lock: None,
            before: None,
            schema_version: None,
            ordered: false,
            immediate: Vec::new(),
            effort: terms.effort,
        };
        let statements = write.steps.into_iter().map(statement).collect();
        let trial = Trial { env: write.env, schema_version: 0, born: 0, statements, draws: false };
        let mut own = self.take_on(name, terms.attempt, &trial, None, term).map_err(|reply| match reply {
            Reply::Failed(error) => Trouble::Sql(error),
            // Somebody still undoes an earlier attempt, or the leader has changed: it is asked for again, if it is wanted.
            _ => Trouble::Void,
        })?;
        let tx = own.tx.clone();
        let mut work = tx.work.lock().await;
        let stop = [state::QUERY_CANCELED, state::DEADLOCK_DETECTED, state::LOCK_NOT_AVAILABLE];
        let failed = match self.take_named(&tx, &mut work, named, control).await {
            Err(trouble) => Err(trouble),
            Ok(true) => Ok(None),
            Ok(false) => {
                let ran = self.run_all(&tx, &mut work, &trial, control, true).await;
                work.drop_view();
                ran.map(|ran| ran.failed)
            }
        };
        match failed {
            Ok(Some(error)) | Err(Trouble::Sql(error)) if stop.contains(&error.code) => Err(Trouble::Sql(error)),
            Err(Trouble::Void) => Err(Trouble::Void),
            failed => {
                // Whatever is wrong with it, the log will say.
                own.complete = matches!(failed, Ok(None));
                Ok(own)
            }
        }
    }

    /// Gets the locks that a write's text tells; false if it does not, or if it must be run to know whether to wait. As
    /// in PostgreSQL, an INSERT waits for whoever holds its key, but an UPDATE only if it finds a row to change.
    async fn take_named(
        self: &Arc<Self>,
        tx: &Tx,
        work: &mut Work,
        named: Option<Named>,
        control: &Control,
    ) -> Result<bool, Trouble> {
        let Some(Named { change, wants }) = named else { return Ok(false) };
        let wait = if change == RowChange::Insert { LockWait::Wait } else { LockWait::NoWait };
        let job = Job::new(self, tx, work.epoch, control);
        for want in wants {
            match job.take(work, want, wait).await {
                Err(Trouble::Sql(e)) if wait == LockWait::NoWait && e.code == state::LOCK_NOT_AVAILABLE => {
                    return Ok(false);
                }
                taken => taken?,
            }
        }
        Ok(true)
    }

    /// Opens a transaction for one write.
    pub(super) fn take_on(
        self: &Arc<Self>,
        name: TxName,
        attempt: u64,
        trial: &Trial,
        gateway: Option<NodeId>,
        term: u64,
    ) -> Result<Own, Reply> {
        // An interrupt takes the number in between.
        let epoch = 2 * attempt;
        let (env, transcript, marks) = (trial.env.clone(), trial.transcript(), Vec::new());
        let open = Open { name, epoch, env, transcript, gateway, marks, holds: false, within: 0 };
        match self.take_over(open, term) {
            Reply::Done => {
                let tx = self.transaction(name).ok_or(Reply::Unknown)?;
                {
                    let mut flight = tx.flight.lock();
                    flight.owners += 1;
                    // It ends only when what it does has landed, or never will.
                    flight.landed = true;
                }
                Ok(Own { executor: self.clone(), tx, complete: false })
            }
            reply => Err(reply),
        }
    }

    pub(super) fn admission(self: &Arc<Self>, held: Held, term: u64) -> Admission {
        Admission { executor: self.clone(), held, end: End::Unknown, term, instead: None }
    }

    /// To abort a transaction under its request id instead of committing it.
    fn aborting(self: &Arc<Self>, born: u64, term: u64) -> Admission {
        let mut admission = self.admission(Held::Nothing, term);
        admission.instead = Some(command::encode(&Command::Abort { born }));
        admission
    }

    /// The write that a command is, also one that has come in chunks.
    fn write_in(&self, body: &Bytes) -> SqlResult<Option<Write>> {
        match command::decode(body) {
            Ok(Command::Write(write)) => Ok(Some(write)),
            Ok(Command::Assembled { upload, parts, length, checksum }) => {
                let whole = self.busily(false, || {
                    self.views.open().and_then(|mut view| view.assembled(upload, parts, length, checksum))
                });
                match whole.map_err(super::work::machine)?.map(|bytes| command::decode(&bytes)) {
                    Some(Ok(Command::Write(write))) => Ok(Some(write)),
                    // Chunks are missing: the log will say so.
                    _ => Ok(None),
                }
            }
            _ => Ok(None),
        }
    }

    // ---- writes on their way ----

    /// Counts a write of these tables as on its way, as soon as nobody keeps it back.
    pub(super) async fn enter(
        &self,
        tables: &[u32],
        loose: bool,
        own: Option<u64>,
        control: &Control,
    ) -> SqlResult<()> {
        self.when_open(control, |state| (!state.is_fenced(tables, own)).then(|| state.take_off(tables, loose))).await
    }

    /// Keeps writes of these tables back from now on, once all earlier fences around any of them are gone.
    pub(super) async fn fence(self: &Arc<Self>, tables: &[u32], control: &Control) -> SqlResult<Fence> {
        let fence = {
            let mut state = self.state.lock();
            state.next += 1;
            let owner = state.next;
            state.fences.push(Fenced { owner, tables: tables.to_vec() });
            Fence { executor: self.clone(), owner }
        };
        self.when_open(control, |state| {
            let first = state.fences.iter().find(|other| overlap(&other.tables, tables));
            first.is_none_or(|other| other.owner == fence.owner).then_some(())
        })
        .await?;
        Ok(fence)
    }

    /// Waits, while fences fall, for `ready` to bring something.
    async fn when_open<T>(&self, control: &Control, mut ready: impl FnMut(&mut State) -> Option<T>) -> SqlResult<T> {
        loop {
            let opened = self.opened.notified();
            tokio::pin!(opened);
            opened.as_mut().enable();
            let found = ready(&mut self.state.lock());
            if let Some(found) = found {
                return Ok(found);
            }
            check(control, self.host.now())?;
            self.look_again(control.deadline, opened).await;
        }
    }

    /// Waits for the writes that are on their way to these tables, or (`loose`) for those of them that hold no locks;
    /// whether there were any.
    pub(super) async fn await_landing<E>(
        &self,
        tables: &[u32],
        loose: bool,
        deadline: Instant,
        check: impl Fn() -> Result<(), E>,
    ) -> Result<bool, E> {
        let mut waited = false;
        loop {
            check()?;
            let landed = self.landed.notified();
            tokio::pin!(landed);
            landed.as_mut().enable();
            let receiver = {
                let mut state = self.state.lock();
                if state.is_flying(tables, loose) {
                    let (sender, receiver) = oneshot::channel();
                    state.landing.push(sender);
                    Some(receiver)
                } else if self.unlisted.load(Ordering::SeqCst) > 0 {
                    None
                } else {
                    return Ok(waited);
                }
            };
            waited = true;
            match receiver {
                Some(receiver) => self.look_again(deadline, receiver).await,
                None => self.look_again(deadline, landed).await,
            }
        }
    }

    /// Waits for something to happen, or until it is time to look at the deadline.
    pub(super) async fn look_again(&self, deadline: Instant, happens: impl Future) {
        let until = deadline.min(self.host.now() + LOOK);
        let _ = host::until(&*self.host, until, happens).await;
    }

    /// Whether any of these tables may have been written after the state at `since`.
    pub(super) fn moved(&self, tables: &[u32], since: u64) -> bool {
        let state = self.state.lock();
        let after = |table: &u32| match *table {
            names::EVERY => state.changed.values().any(|at| *at > since),
            table => state.changed.get(&table).is_some_and(|at| *at > since),
        };
        state.changed_all > since && !tables.is_empty() || tables.iter().any(after)
    }

    fn land_unlisted(&self) {
        let last = self.unlisted.fetch_sub(1, Ordering::SeqCst) == 1;
        if self.active.load(Ordering::SeqCst) == 0 {
            return;
        }
        {
            let (mut state, at) = (self.state.lock(), self.shared.applied());
            state.changed_all = at;
            state.history.changed_loosely(None, at);
        }
        if last {
            self.landed.notify_waiters();
        }
    }

    /// A transaction keeps its locks until its COMMIT has landed. False if it has none here.
    fn take_off_commit(&self, name: TxName) -> bool {
        let state = self.state.lock();
        let here = state.open.get(&name).filter(|tx| !tx.given_up.load(Ordering::SeqCst));
        let Some(tx) = here else { return false };
        tx.flight.lock().aloft += 1;
        if let Ok(mut work) = tx.work.try_lock() {
            // It pins the WAL, and is not needed any more.
            work.drop_view();
        }
        true
    }

    /// A COMMIT has ended. Others wait for its locks: they go when it is applied, not when its gateway hears of that.
    fn land_commit(&self, name: TxName, end: End) {
        let Some(tx) = self.transaction(name) else { return };
        let over = {
            let mut flight = tx.flight.lock();
            // None of its own if it was opened anew meanwhile, under another leader.
            flight.aloft = flight.aloft.saturating_sub(1);
            flight.landed |= end != End::Withdrawn;
            flight.aloft == 0 && (flight.unwanted || end == End::Applied)
        };
        if over {
            self.end(name);
        }
    }

    fn land(&self, tables: &[u32], loose: bool) {
        let mut state = self.state.lock();
        let at = self.shared.applied();
        if loose {
            state.history.changed_loosely(Some(tables), at);
        }
        for table in tables {
            state.changed.insert(*table, at);
            if let Some(flying) = state.flying.get_mut(table) {
                flying.all -= 1;
                flying.loose -= u32::from(loose);
                if flying.all == 0 {
                    state.flying.remove(table);
                }
            }
        }
        for waiter in state.landing.drain(..) {
            let _ = waiter.send(());
        }
    }
}
