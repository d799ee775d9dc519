//! A state machine in memory whose "disk" outlives it: the history of everything it was given.

use crate::command::{self, Batch, Outcome, StepOutcome};
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
    /// While this is set, nothing can be applied or installed.
    #[serde(skip)]
    pub broken: bool,
    /// How many snapshots were installed.
    #[serde(skip)]
    pub installed: usize,
}

#[derive(Clone, Default)]
pub struct Machine(pub Arc<Mutex<State>>);

impl StateMachine for Machine {
    fn applied(&self) -> Position {
        self.0.lock().applied
    }

    fn membership(&self) -> Membership {
        self.0.lock().membership.clone()
    }

    fn apply(&mut self, entries: &[Committed]) -> Result<Vec<Applied>, Halt> {
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
