//! Applying entries: one SQLite transaction per call, one savepoint per command where one is needed.
//!
//! **Grouping does not matter.** How many entries one call gets differs between replicas; so nothing that replicas must
//! agree on may depend on it. Deferred foreign keys, which SQLite would check at COMMIT, are checked after each
//! command; the bookkeeping that is written once per call is not part of the digest.
//!
//! **Savepoints.** A failing statement undoes itself, so a command of one statement needs no savepoint. It may
//! still turn out afterwards that the command must go (a deferred foreign key, a sequence drawn on the way): then the
//! whole call is rolled back and run again with savepoints. Both ways end in the same state, so a replica may
//! learn for itself which statements want one.
//!
//! **Budget.** A command may take [`crate::meter::WORK_IN_THE_LOG`] and hold [`MEMORY_IN_THE_LOG`]. Both are counted in units that are the
//! same on every replica, so beyond them the outcome is an error like any other. SQLite rolls the whole transaction
//! back when it is stopped: the call is run again, and the command that was too much is not.
//!
//! **Failures.** Errors that every replica gets are outcomes. Everything else rolls the call back; in-memory state is
//! only replaced after COMMIT and is read again from the file when anything went wrong.

use super::advisory;
use super::connection::Connection;
use super::diagnosis;
use super::digest::{Fold, Kept, Sums, mix};
use super::meta::{EntryOutcomes, Memory, State, Window, assemble, int, unsigned};
use super::statement::Fault;
use super::step::{Runner, StepError, dress, introduce, replayed};
use super::tenure;
use crate::command::{
    self, AdvisoryKey, Batch, Command, Definition, Outcome, Proposal, Refusal, Shape, Step, StepOutcome, Write, Yields,
};
use crate::consensus::brake::Brake;
use crate::consensus::{Applied, Committed, Halt, Payload};
use crate::error::{SqlError, state};
use crate::functions::SequenceSource;
use crate::functions::notify::Notice;
use crate::id::{NodeId, RequestId};
use crate::locks::advisory::Table;
use crate::meter::{self, Limits, MEMORY_IN_THE_LOG};
use crate::transaction::serialization_failure;
use crate::value::{Value, ValueRef};
use crate::version::{self, Migration, Version};
use parking_lot::Mutex;
use rusqlite::ffi;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use xxhash_rust::xxh3::xxh3_64;

/// Outcomes longer than this are not remembered; a repeated request is told so.
const REMEMBERED_OUTCOME: usize = 1 << 20;
/// Entries after which chunks that were never assembled are dropped.
const CHUNK_WINDOW: u64 = 10_000;
/// Entries after which votes and marks are dropped.
const VOTE_WINDOW: u64 = 10_000;

/// Why a call of `apply` took no effect.
#[derive(Debug)]
pub enum Stop {
    Halt(Halt),
    /// A command must be undone that had no savepoint: run the call again with savepoints.
    Again,
    /// The command at this place takes more work than it may: run the call again without it.
    Exceeded(u64, usize),
}

impl From<Fault> for Stop {
    fn from(fault: Fault) -> Stop {
        Stop::Halt(halt(&fault))
    }
}

/// The engine's own statements never fail for reasons of SQL: such an error means that the file is not what it must be.
pub fn halt(fault: &Fault) -> Halt {
    super::checkpoint::abort_if_unflushed(fault);
    match fault.primary() {
        _ if fault.code == ffi::SQLITE_IOERR_DATA => Halt::Rotten("a page is not what was written".to_owned()),
        ffi::SQLITE_CORRUPT | ffi::SQLITE_NOTADB | ffi::SQLITE_ERROR => Halt::Corrupt(fault.to_string()),
        _ => Halt::Environment(fault.to_string()),
    }
}

fn stopped() -> Stop {
    Stop::Halt(Halt::Environment("the application was interrupted".to_owned()))
}

fn corrupt(text: impl std::fmt::Display) -> Stop {
    Stop::Halt(Halt::Corrupt(text.to_string()))
}

/// Everything that applying changes.
pub struct Machine {
    pub runner: Writer,
    pub state: State,
    pub memory: Memory,
    pub window: Window,
    current: EntryOutcomes,
    pub(super) fold: Fold,
    scratch: Vec<u8>,
    /// The in-memory state may not be the file's: read it before anything else.
    stale: bool,
    /// Commands of this call that take too much work: index and number in the entry.
    exceeded: BTreeSet<(u64, usize)>,
    /// What a command may spend.
    limits: Limits,
    /// The newest version that this node may use, and how its tables follow.
    latest: Version,
    migrations: Vec<Migration>,
    pub advisory: Table,
    /// Keys of advisory locks that this call has changed, and sessions that it has declared lost.
    pub(super) touched: BTreeSet<AdvisoryKey>,
    pub(super) lost: Vec<u64>,
    /// What this call has announced.
    notified: Vec<Notice>,
    /// Votes on digests that this call has counted.
    votes: Vec<(u64, NodeId, u64)>,
    /// The entry asks for a digest of the contents.
    marks_contents: bool,
    /// This replica's digests of its contents, by index. Only in memory: whoever does not know its own has nothing to compare.
    pub contents: Arc<Mutex<BTreeMap<u64, u64>>>,
    brake: Arc<Brake>,
    /// An entry of this call whose commands all fail.
    skipped: Option<u64>,
}

/// What a call did, beside the outcomes.
#[derive(Default)]
pub struct Effects {
    pub applied: Vec<Applied>,
    /// Own digests at marks.
    pub marks: Vec<(u64, u64)>,
    /// Sequences that were put somewhere by anything but a draw.
    pub moved: BTreeSet<u32>,
    /// Where the log's time was set back: from, to.
    pub set_back: Vec<(i64, i64)>,
    /// Keys of advisory locks that have changed, and sessions that were declared lost.
    pub advisory: BTreeSet<AdvisoryKey>,
    pub lost: Vec<u64>,
    /// What was announced, in order.
    pub notified: Vec<Notice>,
    /// Votes on digests: mark, node, digest.
    pub votes: Vec<(u64, NodeId, u64)>,
    /// The call ended with this entry, which asks for a digest of the contents.
    pub contents: Option<u64>,
}

/// Where and when a command runs.
pub(super) struct Site {
    index: u64,
    pub(super) term: u64,
    now: i64,
    seed: u64,
    careful: bool,
}

/// The writer's connection, which is closed while nobody needs it. Whoever calls the machine has woken it.
pub struct Writer(Option<Runner>);

impl Deref for Writer {
    type Target = Runner;

    fn deref(&self) -> &Runner {
        self.0.as_ref().expect("woken before it is used")
    }
}

impl DerefMut for Writer {
    fn deref_mut(&mut self) -> &mut Runner {
        self.0.as_mut().expect("woken before it is used")
    }
}

impl Machine {
    pub fn new(
        runner: Runner,
        window: Window,
        latest: Version,
        migrations: Vec<Migration>,
        work: u64,
        brake: Arc<Brake>,
    ) -> Result<Machine, Fault> {
        let mut runner = runner;
        let state = State::load(&mut runner.connection)?;
        let memory = Memory::load(&mut runner.connection)?;
        let advisory = advisory::load(&mut runner.connection)?;
        let mut machine = Machine {
            runner: Writer(None),
            state,
            memory,
            window,
            current: EntryOutcomes::default(),
            fold: Fold::default(),
            scratch: Vec::new(),
            stale: false,
            exceeded: BTreeSet::new(),
            latest,
            migrations,
            brake,
            skipped: None,
            advisory,
            touched: BTreeSet::new(),
            lost: Vec::new(),
            notified: Vec::new(),
            votes: Vec::new(),
            marks_contents: false,
            contents: Arc::default(),
            limits: Limits { work, memory: MEMORY_IN_THE_LOG, ..Limits::NONE },
        };
        machine.wake(runner);
        Ok(machine)
    }

    /// Goes on with this connection.
    pub fn wake(&mut self, runner: Runner) {
        let watched = self.brake.clone();
        runner.connection.meter().watch(Box::new(move || watched.interrupts()));
        self.runner = Writer(Some(runner));
    }

    /// Closes the connection: nothing is applied before another one is there.
    pub fn rest(&mut self) {
        self.runner = Writer(None);
    }

    pub fn is_resting(&self) -> bool {
        self.runner.0.is_none()
    }

    /// Applies `entries` in one transaction. `before_commit` sees the state that COMMIT will make visible.
    pub fn apply(
        &mut self,
        entries: &[Committed],
        before_commit: &mut dyn FnMut(&State, &mut Runner) -> Result<(), Fault>,
    ) -> Result<Effects, Halt> {
        self.exceeded.clear();
        match (entries.first(), self.skipped) {
            (Some(first), None) => self.brake.enter(first.at),
            // Nothing of it is to be interrupted.
            _ => self.brake.leave(),
        }
        let mut careful = false;
        loop {
            return match self.attempt(entries, careful, before_commit) {
                Ok(effects) => {
                    self.brake.leave();
                    Ok(effects)
                }
                Err(Stop::Halt(halt)) => Err(halt),
                Err(Stop::Exceeded(index, number)) if self.exceeded.insert((index, number)) => continue,
                Err(Stop::Again) if !std::mem::replace(&mut careful, true) => continue,
                Err(_) => Err(Halt::Corrupt("a command with a savepoint could not be undone".to_owned())),
            };
        }
    }

    /// Records all commands of an entry as failed.
    pub fn skip(&mut self, entry: &Committed) -> Result<Effects, Halt> {
        self.skipped = Some(entry.at.index);
        let result = self.apply(std::slice::from_ref(entry), &mut |_, runner| {
            runner.connection.run("INSERT OR IGNORE INTO _quorate_skipped VALUES (?1)", &[int(entry.at.index)])
        });
        self.skipped = None;
        if result.is_ok() {
            self.brake.passed(entry.at.index);
        }
        result
    }

    /// Whether this state has recorded the commands of an entry as failed.
    fn has_skipped(&mut self, index: u64) -> Result<bool, Fault> {
        let rows = self.runner.connection.query("SELECT idx FROM _quorate_skipped WHERE idx = ?1", &[int(index)])?;
        Ok(!rows.is_empty())
    }

    /// Another budget than that of the log.
    #[cfg(test)]
    pub fn set_limits(&mut self, limits: Limits) {
        self.limits = limits;
    }

    /// Applies with a savepoint around every command.
    #[cfg(test)]
    pub fn apply_carefully(&mut self, entries: &[Committed]) -> Effects {
        self.attempt(entries, true, &mut |_, _| Ok(())).expect("applies")
    }

    fn attempt(
        &mut self,
        entries: &[Committed],
        careful: bool,
        before_commit: &mut dyn FnMut(&State, &mut Runner) -> Result<(), Fault>,
    ) -> Result<Effects, Stop> {
        if self.stale {
            self.roll_back()?;
            self.reload()?;
        }
        let result = self.transaction(entries, careful, before_commit);
        if result.is_err() {
            self.stale = true;
            self.roll_back()?;
            self.reload()?;
        }
        result
    }

    fn transaction(
        &mut self,
        entries: &[Committed],
        careful: bool,
        before_commit: &mut dyn FnMut(&State, &mut Runner) -> Result<(), Fault>,
    ) -> Result<Effects, Stop> {
        self.runner.connection.run("BEGIN IMMEDIATE", &[])?;
        let mut next = self.state.clone();
        let mut effects = Effects::default();
        self.marks_contents = false;
        for entry in entries {
            self.entry(entry, &mut next, &mut effects, careful)?;
            // A snapshot is to have this entry and none behind it: they wait for the next call.
            if self.marks_contents {
                effects.contents = Some(entry.at.index);
                break;
            }
        }
        next.save(&mut self.runner.connection, &self.state)?;
        before_commit(&next, &mut self.runner)?;
        match self.skipped {
            Some(_) => self.runner.connection.run("COMMIT", &[])?,
            None => {
                // What is held or skipped meanwhile must not get into the state any more.
                let passage = self.brake.pass(next.at.index).ok_or_else(stopped)?;
                self.runner.connection.run("COMMIT", &[])?;
                passage.done();
            }
        }
        self.runner.settle_catalog();
        self.state = next;
        effects.advisory = std::mem::take(&mut self.touched);
        effects.lost = std::mem::take(&mut self.lost);
        effects.notified = std::mem::take(&mut self.notified);
        effects.votes = std::mem::take(&mut self.votes);
        Ok(effects)
    }

    fn roll_back(&mut self) -> Result<(), Fault> {
        self.runner.connection.changes().moved().replace(BTreeSet::new());
        self.runner.connection.changes().record(false);
        match self.runner.connection.autocommit() {
            true => Ok(()),
            false => self.runner.connection.run("ROLLBACK", &[]),
        }
    }

    fn reload(&mut self) -> Result<(), Fault> {
        self.runner.catalog_undone();
        self.current = EntryOutcomes::default();
        self.fold = Fold::default();
        self.state = State::load(&mut self.runner.connection)?;
        self.memory = Memory::load(&mut self.runner.connection)?;
        self.advisory = advisory::load(&mut self.runner.connection)?;
        self.touched.clear();
        self.lost.clear();
        self.notified.clear();
        self.votes.clear();
        self.stale = false;
        Ok(())
    }

    fn entry(&mut self, entry: &Committed, next: &mut State, effects: &mut Effects, careful: bool) -> Result<(), Stop> {
        if entry.at.index != next.at.index + 1 || entry.at.term < next.at.term {
            return Err(corrupt(format!("entry {:?} does not follow {:?}", entry.at, next.at)));
        }
        next.at = entry.at;
        let index = entry.at.index;
        if self.skipped.is_none() {
            self.brake.begin(entry.at);
        }
        let mut marked = false;
        self.fold.number(index);
        match &entry.payload {
            Payload::Empty => self.fold.number(0),
            Payload::Membership(membership) => {
                self.fold.number(1);
                self.fold.bytes(&command::encode(membership));
                next.membership = Arc::new(membership.clone());
            }
            Payload::Skip(at) => {
                self.fold.number(4);
                self.fold.number(at.index);
                if !self.has_skipped(at.index)? {
                    return Err(Stop::Halt(Halt::Overruled(at.index)));
                }
            }
            Payload::Batch(bytes) => {
                self.fold.number(2);
                let batch: Batch = command::decode(bytes).map_err(|e| corrupt(format!("entry {index}: {e}")))?;
                if batch.now < next.clock {
                    effects.set_back.push((next.clock, batch.now));
                }
                next.clock = batch.now.saturating_add(batch.commands.len() as i64);
                effects.applied.reserve(batch.commands.len());
                for (i, proposal) in batch.commands.iter().enumerate() {
                    let site = Site {
                        index,
                        term: entry.at.term,
                        now: batch.now.wrapping_add(i as i64),
                        seed: mix(batch.seed ^ mix(i as u64)),
                        careful,
                    };
                    self.runner.connection.meter().begin(self.limits);
                    let result = match self.exceeded.contains(&(index, i)) {
                        _ if self.skipped == Some(index) => self.fail_skipped(proposal, index),
                        false => self.proposal(proposal, &site, next, &mut marked),
                        true => Ok(self.refuse(proposal.request, index)),
                    };
                    match self.runner.connection.meter().take_stop() {
                        Some(meter::Stop::Work) => return Err(Stop::Exceeded(index, i)),
                        // Whatever came of it is not the command's outcome.
                        Some(meter::Stop::Watch) => {
                            return Err(stopped());
                        }
                        None => {}
                    }
                    let outcome = result?;
                    effects.moved.append(&mut self.runner.connection.changes().moved().replace(BTreeSet::new()));
                    effects.applied.push(Applied { request: proposal.request, index, outcome });
                }
            }
        }
        if let Some(dropped) = self.memory.close(&mut self.runner.connection, index, &mut self.current, &self.window)? {
            next.forgotten = dropped;
            advisory::forget(self, dropped)?;
        }
        self.drop_old_chunks(index, next)?;
        next.digest = self.fold.close(next.digest);
        if marked {
            self.mark(index, next.digest)?;
            effects.marks.push((index, next.digest));
        }
        Ok(())
    }

    fn proposal(
        &mut self,
        proposal: &Proposal,
        site: &Site,
        next: &mut State,
        marked: &mut bool,
    ) -> Result<Arc<Outcome>, Stop> {
        let request = proposal.request;
        if let Some(outcome) = self.remembered(request, site.index)? {
            self.fold.number(3);
            return Ok(Arc::new(outcome));
        }
        let command = command::decode(&proposal.body).map_err(|e| corrupt(format!("command {request}: {e}")))?;
        let outcome = match command {
            // Others have its locks: what it thought to be alone with, it is not.
            Command::Write(_) | Command::Assembled { .. } if self.advisory.is_lost(request.origin) => {
                advisory::refuse()
            }
            Command::Advisory { born, .. } if born < next.forgotten => Outcome::Refused(Refusal::Expired),
            Command::Advisory { holder, order, .. } => advisory::order(self, holder, &order)?,
            Command::LoseSessions { sessions } => advisory::lose(self, &sessions, site.index)?,
            Command::Write(write) => self.write(&write, site, next)?,
            Command::Assembled { upload, parts, length, checksum } => {
                self.assembled(upload, parts, length, checksum, site, next)?
            }
            Command::Settle { born, .. } if born < next.forgotten => Outcome::Refused(Refusal::Expired),
            Command::Settle { error, .. } => Outcome::Failed { step: 0, error },
            Command::Chunk { upload, part, bytes } => {
                self.chunk(upload, part, &bytes, site.index)?;
                next.oldest_chunk.get_or_insert(site.index);
                return Ok(Arc::new(Outcome::Done(Vec::new())));
            }
            Command::DigestMark => {
                *marked = true;
                return Ok(Arc::new(Outcome::Done(Vec::new())));
            }
            Command::Tenure { tenure, claims } => tenure::begin(self, tenure, &claims, site)?,
            Command::Void { names } => tenure::void(self, &names)?,
            Command::Abort { born } if born < next.forgotten => Outcome::Refused(Refusal::Expired),
            Command::Abort { .. } => Outcome::Failed { step: 0, error: crate::transaction::locks_lost() },
            Command::Raise { to } => self.raise(to, site.index, next)?,
            Command::ContentMark => {
                self.marks_contents = true;
                let index = StepOutcome { rows: vec![vec![Value::Int(site.index as i64)]], ..StepOutcome::default() };
                Outcome::Done(vec![index])
            }
            Command::DigestVote { mark, node, digest, voters } => {
                self.vote(mark, node.0, digest, voters, site.index)?;
                self.votes.push((mark, node, digest));
                return Ok(Arc::new(Outcome::Done(Vec::new())));
            }
        };
        self.remember(request, site.index, &outcome);
        Ok(Arc::new(outcome))
    }

    /// The group's version rises, and its own tables follow. A program that does not know the version applies nothing more.
    fn raise(&mut self, to: Version, index: u64, next: &mut State) -> Result<Outcome, Stop> {
        if to > self.latest {
            let unknown = version::Unknown::Newer { format: version::GROUP.name, found: to.0, latest: self.latest.0 };
            return Err(Stop::Halt(Halt::Environment(format!("entry {index}: {unknown}"))));
        }
        let due: Vec<Migration> =
            self.migrations.iter().filter(|m| m.since > next.version && m.since <= to).copied().collect();
        for migration in &due {
            let run = self.runner.connection.trusted(|c| c.raw().execute_batch(migration.script));
            run.map_err(|e| corrupt(format!("migration {}: {}", migration.number, Fault::from(e))))?;
            next.migration = migration.number;
            self.fold.number(u64::from(migration.number));
            self.fold.bytes(migration.script.as_bytes());
        }
        if due.iter().any(|migration| migration.catalog) {
            next.schema_version = command::schema::after(next.schema_version, Definition::Shared);
            self.runner.catalog_changed();
        }
        next.version = next.version.max(to);
        Ok(Outcome::Done(Vec::new()))
    }

    /// The outcome of a command of an entry that the group has skipped; of what was applied before, its own.
    fn fail_skipped(&mut self, proposal: &Proposal, at: u64) -> Result<Arc<Outcome>, Stop> {
        if let Some(outcome) = self.remembered(proposal.request, at)? {
            self.fold.number(3);
            return Ok(Arc::new(outcome));
        }
        let error = SqlError::new(state::SYSTEM_ERROR, "the statement could not be applied and was skipped")
            .detail(format!("An operator has had entry {at} of the log recorded as failed."));
        let outcome = Outcome::Failed { step: 0, error };
        self.remember(proposal.request, at, &outcome);
        Ok(Arc::new(outcome))
    }

    /// The outcome of a command that takes too much work.
    fn refuse(&mut self, request: RequestId, at: u64) -> Arc<Outcome> {
        let outcome = Outcome::Failed { step: 0, error: meter::too_much_work() };
        self.remember(request, at, &outcome);
        Arc::new(outcome)
    }

    /// The outcome of a request that was applied before, also earlier in this entry.
    fn remembered(&mut self, request: RequestId, at: u64) -> Result<Option<Outcome>, Stop> {
        let read =
            |bytes: &[u8]| command::decode(bytes).map(Some).map_err(|e| corrupt(format!("outcome of {request}: {e}")));
        match self.memory.find(request) {
            Some(index) if index == at => {
                let bytes = self.current.find(request);
                read(bytes.ok_or_else(|| corrupt(format!("the outcome of {request} is missing")))?)
            }
            Some(index) => read(&Memory::outcome(&mut self.runner.connection, index, request)?),
            None => Ok(None),
        }
    }

    /// Folds an outcome into the digest and keeps it for repeated requests. Refusals are not kept: nothing happened,
    /// and the gateway may send the request again, translated anew.
    fn remember(&mut self, request: RequestId, at: u64, outcome: &Outcome) {
        let mut bytes = std::mem::take(&mut self.scratch);
        bytes.clear();
        let mut bytes = command::encode_into(outcome, bytes);
        match outcome {
            // Texts of errors may change with the version of SQLite; codes do not.
            Outcome::Failed { step, error } => {
                self.fold.number(u64::from(*step));
                self.fold.bytes(&error.code.0);
            }
            Outcome::FailedAfter { done, error } => {
                self.fold.number(done.len() as u64);
                self.fold.bytes(&error.code.0);
            }
            Outcome::Done(_) => self.fold.number(xxh3_64(&bytes)),
            Outcome::Refused(_) => self.fold.number(xxh3_64(&bytes)),
        }
        if bytes.len() > REMEMBERED_OUTCOME {
            let short = match outcome {
                Outcome::FailedAfter { done, error } => {
                    Outcome::Failed { step: done.len() as u32, error: error.clone() }
                }
                _ => Outcome::Refused(Refusal::ResultForgotten),
            };
            bytes = command::encode(&short).to_vec();
        }
        if !matches!(outcome, Outcome::Refused(_)) {
            self.current.push(request, &bytes);
            self.memory.note(request, at);
        }
        self.scratch = bytes;
    }

    fn write(&mut self, write: &Write, site: &Site, next: &mut State) -> Result<Outcome, Stop> {
        if write.born < next.forgotten {
            return Ok(Outcome::Refused(Refusal::Expired));
        }
        if !command::schema::agree(write.schema_version, next.schema_version) {
            return Ok(Outcome::Refused(Refusal::SchemaChanged { now: next.schema_version }));
        }
        let outcome = self.command(write, site)?;
        let change = write.steps.iter().fold(Definition::None, |all, step| all.and(step.ddl));
        if matches!(outcome, Outcome::Done(_)) && change.any() {
            next.schema_version = command::schema::after(next.schema_version, change);
            self.runner.catalog_changed();
            for statement in write.steps.iter().filter(|step| step.ddl.any()).flat_map(|step| &step.statements) {
                self.fold.bytes(statement.sql.as_bytes());
            }
        }
        Ok(outcome)
    }

    /// Runs a command so that it takes effect wholly or not at all.
    fn command(&mut self, write: &Write, site: &Site) -> Result<Outcome, Stop> {
        #[cfg(debug_assertions)]
        if super::defect::strike(write, &self.brake) {
            return Err(stopped());
        }
        self.dress(write, site);
        let savepoint = site.careful || !undoes_itself(write) || self.wants_savepoint(write);
        if savepoint {
            self.runner.connection.run("SAVEPOINT command", &[])?;
        }
        let changes = self.runner.connection.changes();
        changes.restore(Sums::default());
        changes.record(true);
        let mut done = Vec::with_capacity(write.steps.len());
        let result = self.steps(write, site, &mut done).and_then(|()| self.check_end(write, site, savepoint));
        self.runner.connection.changes().record(false);
        if std::mem::take(&mut self.runner.deferring) {
            self.runner.connection.run("PRAGMA defer_foreign_keys = OFF", &[])?;
        }
        match result {
            Ok(()) => {
                if savepoint {
                    self.runner.connection.run("RELEASE command", &[])?;
                }
                self.fold.number(self.runner.connection.changes().sums().all);
                self.notified.append(&mut self.runner.connection.context().lock().notified.take());
                Ok(Outcome::Done(done))
            }
            Err(Ending::Stop(stop)) => Err(stop),
            Err(Ending::Failed { step, error, undone }) => {
                self.undo(write, savepoint, undone)?;
                // Whoever commits a transaction has heard of its steps.
                if done.is_empty() || write.transaction.is_some() {
                    return Ok(Outcome::Failed { step, error });
                }
                Ok(Outcome::FailedAfter { done, error })
            }
        }
    }

    /// Takes back a failed command. `undone`: its only statement has already undone itself, without a trace.
    ///
    /// The positions it gave to sequences are stored again: in Postgres a rolled-back `nextval` stays drawn, so a client
    /// that collides with an existing key gets past it by trying again.
    fn undo(&mut self, write: &Write, savepoint: bool, undone: bool) -> Result<(), Stop> {
        if self.runner.connection.autocommit() {
            return Err(Stop::Halt(Halt::Environment("SQLite rolled the transaction back".to_owned())));
        }
        let sequences = self.runner.connection.take_sequences();
        let gone = undone && sequences.is_empty();
        if !savepoint && !gone {
            if let Some(statement) = write.steps.last().and_then(|step| step.statements.last())
                && let Ok(statement) = self.runner.connection.statement(&statement.sql)
            {
                statement.wants_savepoint = true;
            }
            return Err(Stop::Again);
        }
        if savepoint {
            self.runner.connection.run("ROLLBACK TO command", &[])?;
            self.runner.connection.run("RELEASE command", &[])?;
            if write.steps.iter().any(|step| step.ddl.any()) {
                self.runner.catalog_undone();
            }
        }
        for &(oid, value, called) in &sequences {
            self.runner.connection.store_sequence(oid, value, called)?;
            [u64::from(oid), value as u64, called.into()].into_iter().for_each(|n| self.fold.number(n));
        }
        self.runner.connection.take_sequences();
        Ok(())
    }

    fn wants_savepoint(&mut self, write: &Write) -> bool {
        write
            .steps
            .iter()
            .flat_map(|step| &step.statements)
            .any(|statement| self.runner.connection.statement(&statement.sql).is_ok_and(|s| s.wants_savepoint))
    }

    /// Sets what functions see for the whole command.
    fn dress(&mut self, write: &Write, site: &Site) {
        self.runner.connection.take_sequences();
        let mut context = self.runner.connection.context().lock();
        context.now = site.now;
        context.clock = site.now;
        context.seed = site.seed;
        if context.env != write.env {
            context.env = write.env.clone();
        }
        context.drawn.clear();
        context.notified.clear();
        context.nextvals.clear();
        context.lenient = false;
        context.last = None;
        if !context.current.is_empty() {
            context.current = Arc::default();
        }
        context.sequences = SequenceSource::Apply;
    }

    /// Sets what functions see for a step: the session it comes from, and what is fixed if it first ran elsewhere.
    fn dress_step(&mut self, step: &Step, write: &Write, site: &Site) {
        let mut context = self.runner.connection.context().lock();
        match &step.frozen {
            Some(frozen) => {
                dress(&mut context, frozen, step.seen.as_deref(), &write.env, replayed(frozen));
            }
            None => {
                (context.now, context.clock) = (site.now, site.now);
                context.sequences = SequenceSource::Apply;
                introduce(&mut context, step.seen.as_deref());
            }
        }
    }

    fn steps(&mut self, write: &Write, site: &Site, done: &mut Vec<StepOutcome>) -> Result<(), Ending> {
        for (number, step) in (0..).zip(&write.steps) {
            self.dress_step(step, write, site);
            let isolation = write.transaction.unwrap_or(command::Isolation::ReadCommitted);
            let result = self.runner.run(step, step.expect.map(|_| isolation));
            let (outcome, told) = result.map_err(|error| match error {
                StepError::Machine(fault) => Ending::Stop(fault.into()),
                StepError::Sql(error) if write.transaction.is_some() && step.expect.is_some() => {
                    failed(number, serialization_failure(isolation).detail(error.to_string()))
                }
                StepError::Sql(error) => Ending::Failed { step: number, error, undone: undoes_itself(write) },
            })?;
            self.runner.hidden.clear();
            if step.ddl.any() {
                self.runner.catalog_changed();
            }
            if step.expect.is_some_and(|expect| !told.is_some_and(|told| told.keeps(expect))) {
                return Err(failed(number, serialization_failure(isolation)));
            }
            done.push(outcome);
        }
        Ok(())
    }

    /// What must hold when all steps are through.
    fn check_end(&mut self, write: &Write, site: &Site, savepoint: bool) -> Result<(), Ending> {
        let last = write.steps.len().saturating_sub(1) as u32;
        if self.runner.connection.has_deferred_violations() {
            return Err(match savepoint {
                // The error will not be seen: see `undo`.
                false => failed(last, SqlError::new(state::FOREIGN_KEY_VIOLATION, "a foreign key is violated")),
                true => self.broken_reference(write, site)?,
            });
        }
        if self.runner.connection.changes().sums().exhausted {
            let message = "row number 9223372036854775807 cannot be used: the next automatic one would be random";
            return Err(failed(last, SqlError::new(state::PROGRAM_LIMIT_EXCEEDED, message)));
        }
        Ok(())
    }

    /// Names the foreign key that is violated at the end of a command: runs it again and looks at the rows that it changes.
    /// It is undone afterwards.
    fn broken_reference(&mut self, write: &Write, site: &Site) -> Result<Ending, Ending> {
        let stop = |fault: Fault| Ending::Stop(fault.into());
        self.runner.connection.run("ROLLBACK TO command", &[]).map_err(stop)?;
        if write.steps.iter().any(|step| step.ddl.any()) {
            self.runner.catalog_undone();
        }
        self.dress(write, site);
        let changes = self.runner.connection.changes();
        changes.moved().replace(BTreeSet::new());
        changes.restore(Sums::default());
        let others = changes.swap_kept(Kept::up_to(diagnosis::CHANGES));
        let again = self.steps(write, site, &mut Vec::new());
        let kept = self.runner.connection.changes().swap_kept(others);
        again?;
        let last = write.steps.len().saturating_sub(1) as u32;
        match self.runner.explain_end(kept) {
            StepError::Sql(error) => Ok(failed(last, error)),
            StepError::Machine(fault) => Err(stop(fault)),
        }
    }

    fn chunk(&mut self, upload: RequestId, part: u32, bytes: &[u8], index: u64) -> Result<(), Stop> {
        self.fold.number(xxh3_64(bytes));
        let values = [int(upload.origin), int(upload.seq), int(part.into()), int(index), ValueRef::Blob(bytes)];
        // A repeated chunk keeps its first index, so that it ages the same everywhere.
        self.runner.connection.run(
            "INSERT INTO _quorate_chunk (origin, seq, part, idx, bytes) VALUES (?1, ?2, ?3, ?4, ?5) \
             ON CONFLICT DO NOTHING",
            &values,
        )?;
        Ok(())
    }

    fn assembled(
        &mut self,
        upload: RequestId,
        parts: u32,
        length: u64,
        checksum: u64,
        site: &Site,
        next: &mut State,
    ) -> Result<Outcome, Stop> {
        let whole = assemble(&mut self.runner.connection, upload, parts)?
            .filter(|bytes| bytes.len() as u64 == length && xxh3_64(bytes) == checksum);
        let outcome = match whole {
            None => Outcome::Refused(Refusal::ChunksMissing),
            Some(bytes) => match command::decode(&bytes).map_err(|e| corrupt(format!("upload {upload}: {e}")))? {
                Command::Write(write) => self.write(&write, site, next)?,
                _ => Outcome::Failed { step: 0, error: SqlError::internal("only a write may come in chunks") },
            },
        };
        self.runner
            .connection
            .run("DELETE FROM _quorate_chunk WHERE origin = ?1 AND seq = ?2", &[int(upload.origin), int(upload.seq)])?;
        next.oldest_chunk = oldest_chunk(&mut self.runner.connection)?;
        Ok(outcome)
    }

    fn drop_old_chunks(&mut self, index: u64, next: &mut State) -> Result<(), Stop> {
        if next.oldest_chunk.is_none_or(|oldest| oldest + CHUNK_WINDOW >= index) {
            return Ok(());
        }
        let connection = &mut self.runner.connection;
        connection.run("DELETE FROM _quorate_chunk WHERE idx < ?1", &[int(index - CHUNK_WINDOW)])?;
        next.oldest_chunk = oldest_chunk(connection)?;
        Ok(())
    }

    fn mark(&mut self, index: u64, digest: u64) -> Result<(), Stop> {
        let connection = &mut self.runner.connection;
        connection.run("INSERT INTO _quorate_mark VALUES (?1, ?2)", &[int(index), int(digest)])?;
        connection.run("DELETE FROM _quorate_mark WHERE idx < ?1", &[int(index.saturating_sub(VOTE_WINDOW))])?;
        Ok(())
    }

    /// Counts a vote; stops this replica if the majority is known and has another digest than it had itself.
    fn vote(&mut self, mark: u64, node: u64, digest: u64, voters: u32, index: u64) -> Result<(), Stop> {
        [mark, node, digest, voters.into()].into_iter().for_each(|n| self.fold.number(n));
        let connection = &mut self.runner.connection;
        connection.run("DELETE FROM _quorate_vote WHERE mark < ?1", &[int(index.saturating_sub(VOTE_WINDOW))])?;
        connection.run(
            "INSERT OR REPLACE INTO _quorate_vote VALUES (?1, ?2, ?3, ?4)",
            &[int(mark), int(node), int(digest), int(voters.into())],
        )?;
        let majority = connection.query(
            "SELECT digest FROM _quorate_vote WHERE mark = ?1 GROUP BY digest HAVING 2 * count(*) > ?2",
            &[int(mark), int(voters.into())],
        )?;
        let ours = connection.query("SELECT digest FROM _quorate_mark WHERE idx = ?1", &[int(mark)])?;
        let ours = ours.first().map(|row| unsigned(&row[0])).transpose()?;
        let ours = ours.or_else(|| self.contents.lock().get(&mark).copied());
        if let (Some(theirs), Some(ours)) = (majority.first(), ours) {
            let theirs = unsigned(&theirs[0])?;
            if theirs != ours {
                return Err(Stop::Halt(Halt::Diverged { index: mark, ours, theirs }));
            }
        }
        Ok(())
    }
}

fn oldest_chunk(connection: &mut Connection) -> Result<Option<u64>, Fault> {
    let rows = connection.query("SELECT min(idx) FROM _quorate_chunk", &[])?;
    rows.first().filter(|row| !row[0].is_null()).map(|row| unsigned(&row[0])).transpose()
}

/// How a command ended that is not done.
enum Ending {
    /// `undone`: the command was one statement, which took itself back.
    Failed {
        step: u32,
        error: SqlError,
        undone: bool,
    },
    Stop(Stop),
}

fn failed(step: u32, error: SqlError) -> Ending {
    Ending::Failed { step, error, undone: false }
}

/// A command whose only writing statement is its last one, run once: if that fails, nothing of it remains.
fn undoes_itself(write: &Write) -> bool {
    let [step] = &write.steps[..] else { return false };
    let Some((last, guards)) = step.statements.split_last() else { return true };
    write.transaction.is_none()
        && !matches!(last.shape, Shape::Slice(_))
        && step.expect.is_none()
        && !step.ddl.any()
        && step.params.len() <= 1
        && guards.iter().all(|guard| guard.yields == Yields::Guard)
}
