//! Trying a write before it goes into the log.
//!
//! What is in the log is executed on every replica, by a thread that nothing may interrupt: a statement without end
//! would stop its database for ever. So a write whose work is not bounded by its own text and a pass over the table
//! that it changes ([`Effort`]) runs here first, in a view, where it can be cancelled, times out, or is found to be too
//! large; only what has come to its end is proposed.
//!
//! **What a trial guarantees.** A write of [`Effort::Pass`] is bounded by the sizes of tables, whatever else lands in
//! between: its trial only gives it a chance to be cancelled, and it is proposed as it came. The work of an
//! [`Effort::Open`] one may depend on every row that it reads: one row more, and a recursion that ended yesterday goes
//! on for ever. For those the guarantee is exact: *the write runs at its place in the log on the same contents of the
//! tables it reads, with the same clock, dice and explicitly drawn sequence values, as it did in its last trial.* A fence
//! keeps those tables still: first nothing more is admitted that writes them, then what is on its way to them is waited
//! for, what is adrift (admitted here, given up by its asker, or proposed before this node led) by a command of our own
//! that is applied after it. If anything has moved since the trial's view, it is tried again behind the fence, for a
//! time that its first run measures. Then it is proposed, and the fence falls when it has been applied. If the
//! leadership ends meanwhile, the proposal is not appended, or it is appended before all that the next leader
//! appends; whoever asks again is tried again.
//!
//! What columns are filled with (`serial`) is drawn when the write is applied: rows do not get more by it.
//!
//! **COMMIT** of a transaction with such statements is checked the same way: they ran in its view, but others may have
//! committed since. If so, its transcript runs once more behind the fence. What that finds is not its result; only that
//! it came to an end counts.
//!
//! A trial's result is not the write's: that is computed at its place in the log. An SQL error is, if the request cannot
//! be in the log yet (its first attempt): then nothing is proposed.

use super::admit::{Admission, Fence, Held, Own, check};
use super::names::Touches;
use super::work::{self, Trouble, Work};
use super::{Executor, Job, Tx};
use crate::clock::Control;
use crate::command::{Command, Isolation, Step, StepOutcome, Write};
use crate::error::{SqlError, SqlResult, state};
use crate::host::Defect;
use crate::id::NodeId;
#[cfg(doc)]
use crate::sql::plan::Effort;
use crate::transaction::{Reply, Terms, Trial, TxName};
use crate::types::Env;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// How often a write is tried because of what others do.
const ROUNDS: usize = 10;
/// How much longer than the first time a trial may take behind a fence.
const GRACE: Duration = Duration::from_secs(5);

/// What came of a trial.
pub enum Tried {
    /// To be proposed under its request id, with this permission.
    Ready(Box<Write>, Admission),
    /// The answer for the client; and what the statements before the one that failed would have brought.
    Failed { done: Vec<StepOutcome>, error: SqlError },
    /// Compile again under this schema version.
    SchemaChanged(u64),
    /// Ask again, wherever the leader is.
    Again,
}

/// A run of all statements to the end, or to the one that failed.
pub(super) struct RanAll {
    steps: Vec<Step>,
    done: Vec<StepOutcome>,
    pub failed: Option<SqlError>,
}

/// A write's own error, after what the statements before it would have brought.
type Broken = (Vec<StepOutcome>, SqlError);

impl Executor {
    /// Tries a write. What is ready has come to its end here, and will at its place in the log.
    pub async fn try_write(
        self: &Arc<Self>,
        name: TxName,
        terms: &Terms,
        trial: &Trial,
        gateway: Option<NodeId>,
        control: &Control,
    ) -> Tried {
        let Ok(term) = self.in_office(control).await else { return Tried::Again };
        let own = match self.take_on(name, terms.attempt, trial, gateway, term) {
            Ok(own) => own,
            Err(Reply::Failed(error)) => return failed(error),
            Err(_) => return Tried::Again,
        };
        let tx = own.tx.clone();
        let mut work = tx.work.lock().await;
        let result = self.try_rounds(&tx, &mut work, terms, trial, control).await;
        // It pins the WAL, and proposing may take a while.
        work.drop_view();
        drop(work);
        match result {
            Ok(Ok((write, fence))) => self.ready(write, own, fence, term, control).await,
            Ok(Err((done, error))) => match self.log.read_point(control.deadline).await {
                Ok(()) => Tried::Failed { done, error },
                // Somebody else may lead, and know better.
                Err(_) => Tried::Again,
            },
            Err(Trouble::Sql(error)) => failed(error),
            Err(Trouble::Schema(now)) => Tried::SchemaChanged(now),
            Err(Trouble::Void) => Tried::Again,
        }
    }

    async fn ready(
        self: &Arc<Self>,
        write: Write,
        mut own: Own,
        fence: Option<Fence>,
        term: u64,
        control: &Control,
    ) -> Tried {
        own.complete = true;
        let tables = self.names.touched(&self.views, &self.shared, &write).written;
        match self.enter(&tables, false, fence.as_ref().map(|fence| fence.owner), control).await {
            Ok(()) => Tried::Ready(Box::new(write), self.admission(Held::Locks { tables, own, _fence: fence }, term)),
            Err(error) => failed(error),
        }
    }

    /// Inner error: the write's own.
    #[allow(clippy::type_complexity)]
    async fn try_rounds(
        self: &Arc<Self>,
        tx: &Tx,
        work: &mut Work,
        terms: &Terms,
        trial: &Trial,
        control: &Control,
    ) -> Result<Result<(Write, Option<Fence>), Broken>, Trouble> {
        // Later ones may have been applied: what they come to, the log says.
        let first = terms.attempt <= 1 || self.host.has(Defect::TrialIsCertain);
        let mut last = SqlError::new(
            state::SERIALIZATION_FAILURE,
            "could not serialize access: the tables that the statement reads keep changing",
        );
        for _ in 0..ROUNDS {
            let started = self.host.now();
            let ran = match self.run_all(tx, work, trial, control, true).await {
                Err(Trouble::Sql(error)) if error.code == state::SERIALIZATION_FAILURE => {
                    last = error;
                    continue;
                }
                ran => ran?,
            };
            if let Some(own) = ran.failed.filter(|error| first || is_final(error)) {
                return Ok(Err((ran.done, own)));
            }
            let write = trial.write(ran.steps);
            if !trial.is_open() {
                return Ok(Ok((write, None)));
            }
            let touches = self.names.touched(&self.views, &self.shared, &write);
            let fence = self.fence(&touches.all(), control).await?;
            let adrift = self.drain(&touches, control).await?;
            if !adrift && !self.moved(&touches.read, work.at()) {
                return Ok(Ok((write, Some(fence))));
            }
            let limited = behind_a_fence(control, started, self.host.now());
            match self.run_all(tx, work, trial, &limited, false).await {
                Ok(ran) => {
                    if let Some(own) = ran.failed.filter(|error| first || is_final(error)) {
                        return Ok(Err((ran.done, own)));
                    }
                    return Ok(Ok((trial.write(ran.steps), Some(fence))));
                }
                // It has to wait for a lock, or has become a longer matter: not behind the fence.
                Err(Trouble::Sql(error)) if is_of_the_moment(&error) && check(control, self.host.now()).is_ok() => {}
                Err(trouble) => return Err(trouble),
            }
        }
        Err(last.into())
    }

    /// Runs all statements on the latest state; `patient`: waits for locks.
    pub(super) async fn run_all(
        self: &Arc<Self>,
        tx: &Tx,
        work: &mut Work,
        trial: &Trial,
        control: &Control,
        patient: bool,
    ) -> Result<RanAll, Trouble> {
        let epoch = work.epoch;
        *work = Work::new(epoch, trial.env.clone(), trial.transcript(), &[]);
        let local_draws = !(trial.draws && trial.is_open());
        let mut job = Job::new(self, tx, epoch, control);
        (job.patient, job.local_draws) = (patient, local_draws);
        let mut steps = Vec::with_capacity(trial.statements.len());
        let (mut done, mut failed) = (Vec::new(), None);
        for statement in &trial.statements {
            let mut step = statement.step.clone();
            if failed.is_none() {
                match job.run(work, statement.clone()).await {
                    Ok(Reply::Ran { step: ran, outcome, .. }) => {
                        done.push(outcome);
                        step.params = ran.params;
                        step.frozen = ran.frozen;
                    }
                    Ok(other) => return Err(SqlError::internal(format!("a trial was answered {other:?}")).into()),
                    Err(Trouble::Sql(error)) if !is_final(&error) && error.code != state::SERIALIZATION_FAILURE => {
                        failed = Some(error);
                    }
                    Err(trouble) => return Err(trouble),
                }
            }
            if !trial.is_open() {
                // The log's own clock and dice will do.
                step.frozen = None;
            }
            steps.push(step);
        }
        Ok(RanAll { steps, done, failed })
    }

    /// Waits for what is on its way to these tables. Whether anything may have been written of which nobody here knows.
    async fn drain(&self, touches: &Touches, control: &Control) -> Result<bool, Trouble> {
        self.await_landing(&touches.all(), false, control.deadline, || check(control, self.host.now())).await?;
        if !self.adrift.swap(false, Ordering::SeqCst) {
            return Ok(false);
        }
        let barrier = Write {
            schema_version: self.shared.schema_version(),
            born: self.shared.applied(),
            env: Env::default(),
            steps: Vec::new(),
            transaction: None,
        };
        // Its outcome does not matter: what was proposed before it has been applied by then.
        if let Err(error) = self.log.propose(Command::Write(barrier), None).await {
            self.adrift.store(true, Ordering::SeqCst);
            return Err(error);
        }
        Ok(true)
    }

    /// Makes sure that a transaction's transcript comes to its end at its place in the log.
    pub(super) async fn check_commit(
        self: &Arc<Self>,
        name: TxName,
        write: &Write,
        touches: &Touches,
        control: &Control,
    ) -> Result<Fence, Trouble> {
        let fence = self.fence(&touches.all(), control).await?;
        let adrift = self.drain(touches, control).await?;
        if adrift || !self.ran_on(name, &touches.read) {
            self.busily(false, || self.rehearse(write, control))?;
        }
        Ok(fence)
    }

    /// Whether a transaction that is open here has run on these tables as they are now.
    fn ran_on(&self, name: TxName, tables: &[u32]) -> bool {
        let Some(tx) = self.transaction(name) else { return false };
        let Ok(work) = tx.work.try_lock() else { return false };
        work.is_intact() && !self.moved(tables, work.at())
    }

    /// Runs a transcript on the latest state, as apply will.
    fn rehearse(&self, write: &Write, control: &Control) -> SqlResult<()> {
        let mut view = self.views.open().map_err(work::machine)?;
        let isolation = write.transaction.unwrap_or(Isolation::ReadCommitted);
        for step in &write.steps {
            view.limit(Some(control.clone()));
            match work::again(&mut view, step, &write.env, isolation) {
                Ok(told) if step.expect.is_none_or(|expect| told.is_some_and(|told| told.keeps(expect))) => {}
                Err(Trouble::Sql(error)) if is_final(&error) => return check(control, self.host.now()).and(Err(error)),
                // The log will come to the same end.
                _ => return Ok(()),
            }
        }
        Ok(())
    }

    /// Runs `work`; unless it is `brief`, other work of this thread moves to another one first.
    pub(super) fn busily<T>(&self, brief: bool, work: impl FnOnce() -> T) -> T {
        match tokio::runtime::Handle::try_current().map(|handle| handle.runtime_flavor()) {
            Ok(tokio::runtime::RuntimeFlavor::MultiThread) if !brief => tokio::task::block_in_place(work),
            _ => work(),
        }
    }
}

fn failed(error: SqlError) -> Tried {
    Tried::Failed { done: Vec::new(), error }
}

/// Errors that say nothing about what the log would say.
fn is_final(error: &SqlError) -> bool {
    let class = &error.code.as_str()[..2];
    ["53", "54", "57", "58"].contains(&class)
        || [state::LOCK_NOT_AVAILABLE, state::DEADLOCK_DETECTED].contains(&error.code)
}

/// Errors of a run behind a fence that another round may not meet.
fn is_of_the_moment(error: &SqlError) -> bool {
    [state::LOCK_NOT_AVAILABLE, state::QUERY_CANCELED, state::SERIALIZATION_FAILURE].contains(&error.code)
}

/// Others wait behind a fence: what has become much longer since its first run has to go.
fn behind_a_fence(control: &Control, started: Instant, now: Instant) -> Control {
    let deadline = control.deadline.min(now + 2 * now.saturating_duration_since(started) + GRACE);
    Control { deadline, ..control.clone() }
}
