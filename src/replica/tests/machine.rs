//! A state machine in memory whose "disk" outlives it: the history of everything it was given.

use crate::command::{self, Batch, Outcome, StepOutcome};
use crate::consensus::brake::Brake;
use crate::error::{SqlError, state};
use crate::id::RequestId;
use crate::replica::{Applied, Committed, Halt, Membership, Payload, Position, SnapshotMeta, StateMachine};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use xxhash_rust::xxh3::xxh3_64;

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct State {
    pub applied: Position,
    pub membership: Membership,
    /// Requests in the order in which they took effect, once each.
    pub history: Vec<RequestId>,
    pub last_time: i64,
    /// What the next calls of `apply` return instead of applying.
    #[serde(skip)]
    pub faults: Vec<Halt>,
    /// Entries of which nothing was applied.
    pub skipped: Vec<u64>,
    /// The application of a request with this number never ends, unless it is interrupted.
    #[serde(skip)]
    pub endless: Option<u64>,
    /// While this is set, nothing can be applied or installed.
    #[serde(skip)]
    pub broken: bool,
    /// How many snapshots were installed.
    #[serde(skip)]
    pub installed: usize,
}

#[derive(Clone, Default)]
pub struct Machine(pub Arc<Mutex<State>>, pub Arc<Brake>);

impl StateMachine for Machine {
    fn applied(&self) -> Position {
        self.0.lock().applied
    }

    fn membership(&self) -> Membership {
        self.0.lock().membership.clone()
    }

    fn skip(&mut self, entry: &Committed) -> Result<Vec<Applied>, Halt> {
        let Payload::Batch(bytes) = &entry.payload else { panic!("only batches are skipped") };
        let batch: Batch = command::decode(bytes).unwrap();
        let mut state = self.0.lock();
        (state.applied, state.last_time) = (entry.at, batch.now + batch.commands.len() as i64 - 1);
        state.skipped.push(entry.at.index);
        self.1.passed(entry.at.index);
        let failed = Arc::new(Outcome::Failed { step: 0, error: SqlError::new(state::SYSTEM_ERROR, "skipped") });
        let failed = |request| Applied { request, index: entry.at.index, outcome: failed.clone() };
        Ok(batch.commands.iter().map(|command| failed(command.request)).collect())
    }

    fn brake(&self) -> Arc<Brake> {
        self.1.clone()
    }

    fn apply(&mut self, entries: &[Committed]) -> Result<Vec<Applied>, Halt> {
        self.1.enter(entries[0].at);
        let endless = self.0.lock().endless;
        let is_endless = |entry: &Committed| {
            let Payload::Batch(bytes) = &entry.payload else { return false };
            let batch: Batch = command::decode(bytes).unwrap();
            batch.commands.iter().any(|command| Some(command.request.seq) == endless)
        };
        if let Some(entry) = entries.iter().find(|entry| is_endless(entry)) {
            self.1.begin(entry.at);
            while !self.1.interrupts() {
                std::thread::sleep(std::time::Duration::from_millis(1));
            }
            return Err(Halt::Environment("interrupted".to_owned()));
        }
        let last = entries[entries.len() - 1].at.index;
        let Some(passage) = self.1.pass(last) else { return Err(Halt::Environment("interrupted".to_owned())) };
        let mut state = self.0.lock();
        if state.broken {
            return Err(Halt::Environment("no space left".to_owned()));
        }
        if let Some(fault) = state.faults.pop() {
            return Err(fault);
        }
        let mut out = Vec::new();
        for entry in entries {
            assert_eq!(entry.at.index, state.applied.index + 1, "entries follow one another");
            assert!(entry.at.term >= state.applied.term, "terms do not fall");
            state.applied = entry.at;
            match &entry.payload {
                Payload::Empty => {}
                Payload::Skip(at) if state.skipped.contains(&at.index) => {}
                Payload::Skip(at) => return Err(Halt::Overruled(at.index)),
                Payload::Membership(membership) => state.membership = membership.clone(),
                Payload::Batch(bytes) => {
                    let batch: Batch = command::decode(bytes).unwrap();
                    assert!(batch.now > state.last_time, "time rises: {} after {}", batch.now, state.last_time);
                    state.last_time = batch.now + batch.commands.len() as i64 - 1;
                    for command in batch.commands {
                        if !state.history.contains(&command.request) {
                            state.history.push(command.request);
                        }
                        let outcome = Arc::new(Outcome::Done(vec![StepOutcome::default()]));
                        out.push(Applied { request: command.request, index: entry.at.index, outcome });
                    }
                }
            }
        }
        drop(state);
        passage.done();
        self.1.leave();
        Ok(out)
    }

    fn durable(&self) -> u64 {
        self.0.lock().applied.index
    }

    fn clock_floor(&self) -> i64 {
        self.0.lock().last_time + 1
    }

    fn idle(&mut self) -> Result<(), Halt> {
        Ok(())
    }

    fn snapshot(&self, file: PathBuf) -> Box<dyn FnOnce() -> Result<SnapshotMeta, Halt> + Send> {
        let state = self.0.clone();
        Box::new(move || {
            let state = state.lock().clone();
            let bytes = command::encode(&state);
            std::fs::write(&file, &bytes).map_err(|e| Halt::Environment(e.to_string()))?;
            Ok(SnapshotMeta {
                at: state.applied,
                membership: state.membership,
                length: bytes.len() as u64,
                checksum: xxh3_64(&bytes),
            })
        })
    }

    fn install(&mut self, file: &Path, meta: &SnapshotMeta) -> Result<(), Halt> {
        let bytes = std::fs::read(file).map_err(|e| Halt::Environment(e.to_string()))?;
        assert_eq!(xxh3_64(&bytes), meta.checksum);
        let mut state = self.0.lock();
        if state.broken {
            return Err(Halt::Environment("no space left".to_owned()));
        }
        let installed = state.installed + 1;
        *state = command::decode(&bytes).map_err(|e| Halt::Corrupt(e.to_string()))?;
        state.installed = installed;
        Ok(())
    }
}
