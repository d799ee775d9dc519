//! The state machine of a simulated node, as production's [`Applier`] has it: the real engine, on a disk that may be in trouble,
//! with the mistakes that are planted there. And the desk at which the applier's words are collected.

use super::below::{self, Trouble};
use super::plan::Bug;
use quorate::command::{self, Batch, Command, Proposal, Yields};
use quorate::consensus::brake::Brake;
use quorate::engine::Engine;
use quorate::id::RequestId;
use quorate::replica::apply::{Building, Desk, Report};
use quorate::replica::{Applied, Committed, Halt, Membership, Payload, Position, SnapshotMeta, StateMachine};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

/// See the module.
pub struct Subject {
    pub engine: Engine,
    id: u64,
    bug: Option<Bug>,
    /// What the disk below does.
    pub below: Option<Trouble>,
    /// The states that it has had since this was last looked at: positions, digests, and how much was durable.
    pub states: Vec<(Position, u64, u64)>,
}

/// Held by the applier, and by the world that looks at it.
#[derive(Clone)]
pub struct State(Arc<Mutex<Subject>>);

impl State {
    pub fn new(engine: Engine, id: u64, bug: Option<Bug>) -> State {
        State(Arc::new(Mutex::new(Subject { engine, id, bug, below: None, states: Vec::new() })))
    }

    pub fn look(&self) -> MutexGuard<'_, Subject> {
        self.0.lock().expect("one thread")
    }
}

impl Subject {
    fn durable(&self) -> u64 {
        match self.bug {
            Some(Bug::CompactPastDurable) => self.engine.applied().index,
            _ => self.engine.durable(),
        }
    }

    fn note(&mut self) {
        self.states.push((self.engine.applied(), self.engine.digest(), self.durable()));
    }

    fn apply(&mut self, entries: &[Committed]) -> Result<Vec<Applied>, Halt> {
        let applied = match self.bug {
            Some(bug @ (Bug::ApplyTwice | Bug::ApplyNothing | Bug::ShortChunks)) if self.id == 2 => {
                let mut entries = entries.to_vec();
                entries.iter_mut().for_each(|entry| tamper(entry, bug));
                self.engine.apply(&entries)
            }
            Some(bug @ (Bug::NoComparison | Bug::NoReadDigest | Bug::OtherValues)) => {
                let mut entries = entries.to_vec();
                entries.iter_mut().for_each(|entry| break_promises(entry, bug));
                self.engine.apply(&entries)
            }
            _ => below::with(self.below, || self.engine.apply(entries)),
        };
        match applied {
            Err(Halt::Environment(_)) if self.bug == Some(Bug::TroubleIsOutcome) => self.engine.skip(&entries[0]),
            applied => applied,
        }
    }
}

impl StateMachine for State {
    fn applied(&self) -> Position {
        self.look().engine.applied()
    }

    fn membership(&self) -> Membership {
        self.look().engine.membership()
    }

    fn apply(&mut self, entries: &[Committed]) -> Result<Vec<Applied>, Halt> {
        let mut subject = self.look();
        let outcomes = subject.apply(entries)?;
        subject.note();
        Ok(outcomes)
    }

    fn skip(&mut self, entry: &Committed) -> Result<Vec<Applied>, Halt> {
        self.look().engine.skip(entry)
    }

    fn brake(&self) -> Arc<Brake> {
        self.look().engine.brake()
    }

    fn reached(&self) -> Position {
        self.look().engine.reached()
    }

    fn durable(&self) -> u64 {
        self.look().durable()
    }

    fn clock_floor(&self) -> i64 {
        self.look().engine.clock_floor()
    }

    fn idle(&mut self) -> Result<(), Halt> {
        self.look().engine.idle()
    }

    fn snapshot(&self, file: PathBuf) -> Building {
        self.look().engine.snapshot(file)
    }

    fn install(&mut self, file: &Path, meta: &SnapshotMeta) -> Result<(), Halt> {
        let mut subject = self.look();
        let below = subject.below;
        below::with(below, || subject.engine.install(file, meta))?;
        subject.note();
        Ok(())
    }
}

/// What an applier has said.
pub enum Word {
    Applied,
    Outcomes(Vec<Applied>),
    Build(PathBuf, Building),
    Report(Report),
}

/// Its words, for the world to act on.
pub struct Words {
    pub now: i64,
    pub said: Vec<Word>,
}

impl Desk for Words {
    fn now(&self) -> i64 {
        self.now
    }

    fn applied(&mut self, _: u64) {
        self.said.push(Word::Applied);
    }

    fn outcomes(&mut self, outcomes: Vec<Applied>, _: &[(u64, i64)]) {
        self.said.push(Word::Outcomes(outcomes));
    }

    fn build(&mut self, file: PathBuf, building: Building) {
        self.said.push(Word::Build(file, building));
    }

    fn report(&mut self, report: Report) {
        self.said.push(Word::Report(report));
    }
}

/// The defect: the commands of an entry again under new names, or none of them, or parts of large ones in part.
fn tamper(entry: &mut Committed, bug: Bug) {
    let Payload::Batch(bytes) = &mut entry.payload else { return };
    let Ok(mut batch) = command::decode::<Batch>(bytes) else { return };
    let again = |p: &Proposal| Proposal {
        request: RequestId { origin: p.request.origin + 1000, ..p.request },
        body: p.body.clone(),
    };
    let copies: Vec<Proposal> = batch.commands.iter().map(again).collect();
    match bug {
        Bug::ApplyTwice => batch.commands.extend(copies),
        Bug::ApplyNothing => batch.commands.clear(),
        _ => {
            for proposal in &mut batch.commands {
                if let Ok(Command::Chunk { upload, part, bytes }) = command::decode(&proposal.body) {
                    let bytes = bytes.slice(1..);
                    proposal.body = command::encode(&Command::Chunk { upload, part, bytes });
                }
            }
        }
    }
    *bytes = command::encode(&batch);
}

/// The defect: what a transaction told its client is not compared, or not all of it.
fn break_promises(entry: &mut Committed, bug: Bug) {
    let Payload::Batch(bytes) = &mut entry.payload else { return };
    let Ok(mut batch) = command::decode::<Batch>(bytes) else { return };
    for proposal in &mut batch.commands {
        let Ok(Command::Write(mut write)) = command::decode(&proposal.body) else { continue };
        if write.transaction.is_none() {
            continue;
        }
        for step in &mut write.steps {
            let read = step.statements.iter().all(|s| s.yields == Yields::Rows && s.sql.starts_with("SELECT"));
            match (bug, &mut step.frozen) {
                (Bug::OtherValues, Some(frozen)) => frozen.seed ^= 1,
                (Bug::NoComparison, _) => step.expect = None,
                (Bug::NoReadDigest, _) if read => step.expect = None,
                _ => {}
            }
        }
        proposal.body = command::encode(&Command::Write(write));
    }
    *bytes = command::encode(&batch);
}
