//! DO: runs a program step by step in the transaction, each statement as if the client had sent it, without its answers.
//!
//! Where errors may lead to a handler there is a savepoint, under a name that no client can write.

use super::effect::{Answer, Ask, Effect, Severity, Sink, World};
use super::portal::{AnswerAs, Run};
use super::{CursorId, Session, Step, Task, Wait, What, transaction, unless_brief};
use crate::error::{SqlError, SqlState, state};
use crate::gateway::{Failure, Mark};
use crate::sql::plan::{PlanKind, Read, Utility};
use crate::sql::procedural::{Level, Program, Step as Line, filled};
use crate::value::Value;
use std::sync::Arc;

/// A program on its way.
pub(super) struct Doing {
    run: Run,
    program: Arc<Program>,
    at: usize,
    /// The steps of the guards that it is within.
    guards: Vec<usize>,
    /// What led to the handler that it is in, or was in last.
    caught: Option<SqlError>,
    /// The text that EXECUTE has computed.
    text: Option<String>,
    /// The query whose row is awaited.
    cursor: CursorId,
}

fn mark_of(depth: usize) -> String {
    format!("\0do {depth}")
}

impl Session {
    pub(super) fn start_program(&mut self, run: Run, program: &Arc<Program>) -> Step {
        let program = Arc::clone(program);
        let (guards, caught, text, cursor) = (Vec::new(), None, None, CursorId(0));
        self.doing = Some(Box::new(Doing { run, program, at: 0, guards, caught, text, cursor }));
        self.tasks.push_front(Task::new(What::Program));
        Ok(())
    }

    /// Goes on until something is awaited. Stops with [`super::Stop::Compile`] before anything has happened.
    pub(super) fn go_on(&mut self, world: &World) -> Step {
        while let Some(doing) = &mut self.doing {
            let line = doing.program.0.get(doing.at).cloned().unwrap_or(Line::End);
            match line {
                Line::Nothing => doing.at += 1,
                Line::Jump(to) => doing.at = to,
                Line::Guard(_) => {
                    doing.guards.push(doing.at);
                    doing.at += 1;
                    let name = mark_of(doing.guards.len());
                    self.mark_savepoint(&name);
                    return self.mark(Mark::Set(name));
                }
                Line::Unguard => {
                    let name = mark_of(doing.guards.len());
                    doing.guards.pop();
                    doing.at += 1;
                    self.transaction.iter_mut().for_each(|t| drop(t.savepoints.pop()));
                    return self.mark(Mark::Release(name));
                }
                Line::Run(text) => return self.run_line(world, &text, false),
                Line::Perform(text) => return self.run_line(world, &text, true),
                Line::Execute(expression) => match doing.text.clone() {
                    Some(text) => return self.run_line(world, &text, true),
                    None => return self.compute(world, &[expression]),
                },
                Line::Unless(condition, _) => return self.compute(world, &[condition]),
                Line::Raise(level, format, args) if args.is_empty() => {
                    doing.at += 1;
                    self.raise(level, filled(&format, &[]))?;
                }
                Line::Raise(_, _, args) => return self.compute(world, &args),
                Line::RaiseAgain => {
                    let nothing = || {
                        SqlError::new(
                            SqlState::new("0Z002"),
                            "RAISE without parameters cannot be used outside an exception handler",
                        )
                    };
                    return Err(doing.caught.clone().unwrap_or_else(nothing).into());
                }
                Line::End => {
                    let doing = self.doing.take();
                    self.complete("DO");
                    doing.into_iter().for_each(|doing| self.finish_utility(doing.run));
                }
            }
        }
        Ok(())
    }

    fn mark(&mut self, mark: Mark) -> Step {
        let begin = self.begin_interactive();
        self.mark_stepped();
        self.ask(Ask::Mark { begin, mark }, Wait::Program);
        Ok(())
    }

    /// Runs a statement. `discards`: its rows may be thrown away.
    fn run_line(&mut self, world: &World, text: &str, discards: bool) -> Step {
        let statements = self.language.parse(text, &world.allowance).map_err(|e| unless_brief(world, e))?;
        let [statement] = &statements[..] else {
            return Err(SqlError::unsupported("several statements in one EXECUTE in DO").into());
        };
        let prepared = self.prepare(world, statement, None, &[], false)?;
        if !prepared.plan.params.is_empty() {
            return Err(SqlError::new(state::UNDEFINED_PARAMETER, "there is no parameter $1").into());
        }
        if !discards && !prepared.plan.columns.is_empty() {
            let message = "query has no destination for result data";
            let hint = "If you want to discard the results of a SELECT, use PERFORM instead.";
            return Err(SqlError::syntax(message).hint(hint).into());
        }
        let portal = self.portal(String::new(), Arc::clone(&prepared), Vec::new(), &[]);
        match &prepared.plan.kind {
            PlanKind::Write(write) if write.temporary => {
                Err(SqlError::unsupported("making temporary objects in DO").into())
            }
            PlanKind::Write(write) => {
                self.check_write(super::write_name(write))?;
                for notice in &write.notices {
                    self.notice(super::severity(notice), notice.clone());
                }
                self.passed();
                let run = Run::new(portal, AnswerAs::Simple, u64::MAX);
                let params = write.lock.iter().map(|_| Value::Null).collect();
                let (env, seen) = (self.settings.env(), self.seen(transaction::facts_of(&run)));
                self.batch.push_unanswered(run, vec![params], &env, seen, Vec::new());
                if let Some(t) = &mut self.transaction {
                    t.wrote = true;
                }
                self.send_steps(world, Task::fresh(What::Program))
            }
            PlanKind::Read(read) => self.read_line(world, read, prepared.plan.schema_version),
            PlanKind::Empty => {
                self.passed();
                self.tasks.push_front(Task::fresh(What::Program));
                Ok(())
            }
            PlanKind::Utility(Utility::Commit { .. } | Utility::Rollback { .. }) if self.explicit() => {
                Err(SqlError::new(SqlState::new("2D000"), "invalid transaction termination").into())
            }
            _ => Err(SqlError::unsupported("this statement in DO").into()),
        }
    }

    fn read_line(&mut self, world: &World, read: &Read, version: u64) -> Step {
        if read.facts.asks.advisory {
            return Err(SqlError::unsupported("advisory locks in DO").into());
        }
        self.check_read(read)?;
        let cursor = self.new_cursor();
        if let Some(doing) = &mut self.doing {
            doing.cursor = cursor;
        }
        let open = self.open(world, cursor, read, Vec::new(), version);
        self.ask(open, Wait::Program);
        Ok(())
    }

    /// Asks for the values of expressions, as texts.
    fn compute(&mut self, world: &World, expressions: &[String]) -> Step {
        let columns: Vec<String> = expressions.iter().map(|e| format!("({e})::text")).collect();
        self.run_line(world, &format!("SELECT {}", columns.join(", ")), true)
    }

    /// The step under way is done.
    fn passed(&mut self) {
        if let Some(doing) = &mut self.doing {
            doing.at += 1;
            doing.text = None;
        }
    }

    pub(super) fn program_answered(&mut self, world: &World, answer: Answer) -> Step {
        let Some(doing) = &mut self.doing else { return Ok(()) };
        let cursor = doing.cursor;
        match answer {
            Answer::Done(result) => result?,
            Answer::Opened(Ok(())) => {
                let wants = !matches!(doing.program.0.get(doing.at), Some(Line::Perform(_))) && doing.text.is_none();
                let sink = match wants {
                    true => Sink::Session { max_bytes: self.limits.cursor },
                    false => Sink::Nowhere { places: 0 },
                };
                self.ask(Ask::Fetch { cursor, max: u64::MAX, sink }, Wait::Program);
                return Ok(());
            }
            Answer::Opened(Err(Failure::SchemaChanged)) => {}
            Answer::Opened(Err(Failure::Sql { error, .. })) | Answer::Fetched(Err(error)) => {
                self.effects.push(Effect::Release(cursor));
                self.wishes.lock().clear();
                return Err(error.into());
            }
            Answer::Fetched(Ok(mut fetch)) => {
                self.effects.push(Effect::Release(cursor));
                self.configured(world)?;
                let row = fetch.rows.pop().unwrap_or_default();
                self.computed(row)?;
            }
            _ => return Err(SqlError::internal("an answer that nobody asked for").into()),
        }
        self.tasks.push_front(Task::new(What::Program));
        Ok(())
    }

    /// What a step has asked for is known.
    fn computed(&mut self, row: Vec<Value>) -> Step {
        let Some(doing) = &mut self.doing else { return Ok(()) };
        let text = |value: Option<&Value>| match value {
            Some(Value::Text(text)) => Some(text.clone()),
            _ => None,
        };
        match doing.program.0.get(doing.at).cloned() {
            Some(Line::Unless(_, to)) => {
                let holds = text(row.first()).as_deref() == Some("true");
                doing.at = if holds { doing.at + 1 } else { to };
            }
            Some(Line::Execute(_)) if doing.text.is_none() => match text(row.first()) {
                Some(found) => doing.text = Some(found),
                None => {
                    let message = "query string argument of EXECUTE is null";
                    return Err(SqlError::new(state::NULL_VALUE_NOT_ALLOWED, message).into());
                }
            },
            Some(Line::Raise(level, format, _)) => {
                doing.at += 1;
                let shown: Vec<String> = row.iter().map(|v| text(Some(v)).unwrap_or_else(|| "<NULL>".into())).collect();
                self.raise(level, filled(&format, &shown))?;
            }
            _ => self.passed(),
        }
        Ok(())
    }

    fn raise(&mut self, level: Level, message: String) -> Step {
        let severity = match level {
            Level::Debug => return Ok(()),
            Level::Info | Level::Notice => Severity::Notice,
            Level::Warning => Severity::Warning,
            Level::Exception => return Err(SqlError::new(SqlState::new("P0001"), message).into()),
        };
        let code = if severity == Severity::Warning { state::WARNING } else { state::SUCCESSFUL_COMPLETION };
        self.notice(severity, SqlError::new(code, message));
        Ok(())
    }

    /// Whether an error leads to a handler of the program under way: then the savepoint before it is gone back to.
    pub(super) fn caught(&mut self, error: &SqlError) -> bool {
        let Some(doing) = self.doing.as_mut().filter(|_| !error.fatal) else { return false };
        while let Some(guard) = doing.guards.pop() {
            let Some(Line::Guard(handlers)) = doing.program.0.get(guard) else { continue };
            let handler = handlers.iter().find(|h| h.conditions.iter().any(|c| c.meets(error.code)));
            let Some(step) = handler.map(|handler| handler.step) else {
                self.transaction.iter_mut().for_each(|t| drop(t.savepoints.pop()));
                continue;
            };
            let name = mark_of(doing.guards.len() + 1);
            (doing.at, doing.text, doing.caught) = (step, None, Some(error.clone()));
            self.batch = Default::default();
            self.unsaid.clear();
            if let Some(last) = self.transaction.as_ref().and_then(|t| t.savepoints.len().checked_sub(1)) {
                self.undo_to(last);
            }
            self.transaction.iter_mut().for_each(|t| drop(t.savepoints.pop()));
            let begin = self.begin_interactive();
            self.ask(Ask::Mark { begin, mark: Mark::RollbackTo(name) }, Wait::Program);
            return true;
        }
        false
    }
}
