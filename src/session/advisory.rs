//! Statements that call for advisory locks.
//!
//! Such a query runs as often as it has calls: each time it ends at the first call that has no answer yet, which the
//! session then asks for (see [`crate::functions::advisory`]). Its rows are brought when all are answered.
//!
//! Locks of a transaction are given back when it ends, those since a savepoint when it is rolled back to; the session
//! remembers their numbers for that.

use super::effect::{Answer, Ask, Effect, Sink, World};
use super::portal::{AnswerAs, PortalState, Run};
use super::{CursorId, Session, Step, Wait};
use crate::command::{AdvisoryKey, AdvisoryOrder};
use crate::error::{SqlError, SqlResult, SqlState, state};
use crate::functions::advisory::{Call, Verb, wanted};
use crate::gateway::{Failure, Told};
use crate::sql::plan::PlanKind;

/// A query on its way through its calls.
pub(super) struct Locking {
    run: Run,
    cursor: CursorId,
}

/// Calls that one statement may make.
const MOST: usize = 10_000;

impl Session {
    pub(super) fn start_locking(&mut self, world: &World, run: Run) -> Step {
        let plan = std::sync::Arc::clone(&run.portal.plan);
        let PlanKind::Read(read) = &plan.kind else {
            return Err(SqlError::unsupported("COPY of a query with advisory locks").into());
        };
        self.check_read(read)?;
        let cursor = self.new_cursor();
        self.answers = Some(run.answers.clone());
        let open = self.open(world, cursor, read, run.portal.params.clone(), plan.schema_version);
        self.answers = None;
        self.ask(open, Wait::Locking(Box::new(Locking { run, cursor })));
        Ok(())
    }

    /// The query has begun, or ended.
    pub(super) fn locking(&mut self, locking: Locking, answer: Answer) -> Step {
        let cursor = locking.cursor;
        let error = match answer {
            Answer::Opened(Ok(())) => {
                let sink = Sink::Session { max_bytes: self.limits.cursor };
                self.ask(Ask::Fetch { cursor, max: u64::MAX, sink }, Wait::Locking(Box::new(locking)));
                return Ok(());
            }
            // What it has been answered stays so.
            Answer::Opened(Err(Failure::SchemaChanged)) => return self.try_again(locking.run),
            Answer::Opened(Err(Failure::Sql { error, .. })) => error,
            Answer::Fetched(Ok(fetch)) => {
                self.effects.push(Effect::Release(cursor));
                let mut run = locking.run;
                if run.answer == AnswerAs::Simple {
                    self.send_columns(&run.portal.form)?;
                }
                self.warn_all(std::mem::take(&mut run.warnings));
                run.portal.state = PortalState::Held(fetch.rows);
                return self.deliver_held(run);
            }
            Answer::Fetched(Err(error)) => {
                self.effects.push(Effect::Release(cursor));
                error
            }
            _ => SqlError::internal("an answer that nobody asked for"),
        };
        let Some(call) = wanted(&error) else {
            self.warn_all(locking.run.warnings);
            return Err(error.into());
        };
        if locking.run.answers.len() >= MOST {
            let message = format!("a statement may call for {MOST} advisory locks");
            return Err(SqlError::new(state::PROGRAM_LIMIT_EXCEEDED, message).into());
        }
        self.advised = true;
        let (request, order) = (self.next_request(), order(&call));
        self.ask(Ask::Advisory { request, order }, Wait::Advised(Box::new(locking), call));
        Ok(())
    }

    /// A call has its answer.
    pub(super) fn advised(&mut self, world: &World, locking: Locking, call: Call, told: SqlResult<Told>) -> Step {
        let Locking { mut run, .. } = locking;
        let told = match (told?, call.verb()) {
            (Told::Granted { number, fence }, verb) => {
                if let (Verb::Lock { transaction: true, .. }, Some(t)) = (verb, &mut self.transaction) {
                    t.advisory.push(number);
                }
                Some(fence as i64)
            }
            (_, Verb::Unlock { shared }) => {
                let mode = if shared { "ShareLock" } else { "ExclusiveLock" };
                run.warnings.push(format!("you don't own a lock of type {mode}"));
                None
            }
            _ => None,
        };
        run.answers.push((call.numbers(), told));
        self.start_locking(world, run)
    }

    fn warn_all(&mut self, warnings: Vec<String>) {
        for warning in warnings {
            self.warn(SqlState::new("01000"), warning);
        }
    }

    /// Gives the locks of the transaction back that it got after so many.
    pub(super) fn give_back_advisory(&mut self, kept: usize) {
        let Some(t) = &mut self.transaction else { return };
        if t.advisory.len() <= kept {
            return;
        }
        let numbers = t.advisory.split_off(kept);
        self.advise(AdvisoryOrder::GiveBack { numbers });
    }

    /// All locks of the session that are not a transaction's.
    pub(super) fn unlock_all(&mut self) {
        if self.advised {
            self.advise(AdvisoryOrder::ReleaseAll);
        }
    }

    fn advise(&mut self, order: AdvisoryOrder) {
        let request = self.next_request();
        self.effects.push(Effect::Advise { request, order });
    }
}

fn order(call: &Call) -> AdvisoryOrder {
    let key = match call.key {
        (None, key) => AdvisoryKey::One(key),
        (Some(class), key) => AdvisoryKey::Two(class, key as i32),
    };
    match call.verb() {
        Verb::Lock { shared, transaction, wait } => AdvisoryOrder::Acquire { key, shared, transaction, wait },
        Verb::Unlock { shared } => AdvisoryOrder::Release { key, shared },
        Verb::UnlockAll => AdvisoryOrder::ReleaseAll,
        Verb::Fence => AdvisoryOrder::Fence { key },
    }
}
