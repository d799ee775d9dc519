//! Blocks of sequence values, reserved through the log before they are given out. What is lost with a leader is a gap.
//!
//! A block is one value at first, so that a lone client gets the numbers it would get from PostgreSQL; it grows while
//! blocks are used up quickly.

use super::Log;
use crate::command::{Outcome, Refusal, Statement, Step, Write, Yields};
use crate::engine::Shared;
use crate::error::{SqlError, SqlResult, state};
use crate::host::SharedHost;
use crate::value::Value;
use parking_lot::Mutex;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A block used up within this time was too small.
const QUICK: Duration = Duration::from_millis(50);
const LARGEST: usize = 64;
const ATTEMPTS: usize = 8;

#[derive(Default)]
pub struct Blocks(Mutex<BTreeMap<u32, Block>>);

struct Block {
    values: VecDeque<i64>,
    filled: Instant,
    size: usize,
}

impl Blocks {
    /// `wanted` values of a sequence, or fewer, but at least one.
    pub async fn take(
        &self,
        oid: u32,
        wanted: usize,
        log: &Arc<dyn Log>,
        shared: &Arc<Shared>,
        host: &SharedHost,
    ) -> SqlResult<VecDeque<i64>> {
        let mut size = {
            let mut blocks = self.0.lock();
            let block = blocks.entry(oid).or_insert_with(|| Block {
                values: VecDeque::new(),
                filled: host.now() - QUICK,
                size: 1,
            });
            if !block.values.is_empty() {
                let rest = block.values.split_off(wanted.min(block.values.len()));
                return Ok(std::mem::replace(&mut block.values, rest));
            }
            block.size = if host.now().saturating_duration_since(block.filled) < QUICK {
                (block.size * 2).min(LARGEST)
            } else {
                1
            };
            block.size.max(wanted)
        };
        let mut last = SqlError::internal("a sequence could not be advanced");
        for _ in 0..ATTEMPTS {
            match log.propose(reservation(oid, size, shared)).await? {
                Outcome::Done(done) => {
                    let rows = done.into_iter().flat_map(|step| step.rows).flatten();
                    let mut values: VecDeque<i64> =
                        rows.filter_map(|value| if let Value::Int(i) = value { Some(i) } else { None }).collect();
                    let rest = values.split_off(wanted.min(values.len()));
                    if let Some(block) = self.0.lock().get_mut(&oid) {
                        block.values.extend(rest);
                        block.filled = host.now();
                    }
                    return Ok(values);
                }
                Outcome::Refused(Refusal::SchemaChanged { now }) => {
                    last = SqlError::internal(format!("the schema (version {now}) changes all the time"));
                }
                Outcome::Refused(_) => {}
                // Near its end it has fewer values left than we wanted.
                Outcome::Failed { error, .. } if error.code == state::SEQUENCE_GENERATOR_LIMIT_EXCEEDED && size > 1 => {
                    size = 1;
                    last = error;
                }
                Outcome::Failed { error, .. } => return Err(error),
            }
        }
        Err(last)
    }

    /// Brings back what was not needed.
    pub fn give_back(&self, values: BTreeMap<u32, VecDeque<i64>>) {
        let mut blocks = self.0.lock();
        for (oid, values) in values {
            if let Some(block) = blocks.get_mut(&oid) {
                values.into_iter().rev().for_each(|value| block.values.push_front(value));
            }
        }
    }

    /// Forgets all blocks: another leader may have reserved since, and the order of the numbers would look odd.
    pub fn clear(&self) {
        self.0.lock().clear();
    }
}

fn reservation(oid: u32, size: usize, shared: &Shared) -> Write {
    let statement = Statement { sql: "SELECT q_nextval(?1)".to_owned(), yields: Yields::Rows };
    let params = vec![vec![Value::Int(oid.into())]; size];
    Write {
        schema_version: shared.schema_version(),
        born: shared.applied(),
        env: Default::default(),
        steps: vec![Step { statements: vec![statement], params, ..Step::default() }],
        transaction: None,
    }
}
