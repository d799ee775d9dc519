//! Blocks of sequence values, reserved through the log before they are given out. What is lost with a leader is a gap.
//!
//! A block is one value at first, so that a lone client gets the numbers it would get from PostgreSQL; it grows while
//! blocks are used up quickly. When a sequence is put somewhere (`setval`, RESTART), what was reserved before is dropped.

use super::{Log, Trouble};
use crate::command::{Command, Outcome, Refusal, Statement, Step, Write, Yields};
use crate::engine::Shared;
use crate::error::{SqlError, state};
use crate::host::SharedHost;
use crate::value::Value;
use parking_lot::Mutex;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A block used up within this time was too small.
const QUICK: Duration = Duration::from_millis(50);
const LARGEST: usize = 64;
/// Values that are reserved at once.
const MOST: usize = 1 << 16;
const ATTEMPTS: usize = 8;

#[derive(Default)]
pub struct Blocks(Mutex<BTreeMap<u32, Block>>);

/// Values of a sequence that nobody else will get.
#[derive(Debug, Default)]
pub struct Reserved {
    pub values: VecDeque<i64>,
    /// They were reserved after this index.
    pub since: u64,
}

impl Reserved {
    /// Adds what was reserved later.
    pub fn extend(&mut self, other: Reserved) {
        self.since = if self.values.is_empty() { other.since } else { self.since.min(other.since) };
        self.values.extend(other.values);
    }
}

struct Block {
    reserved: Reserved,
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
    ) -> Result<Reserved, Trouble> {
        let mut size = {
            let mut blocks = self.0.lock();
            let block = blocks.entry(oid).or_insert_with(|| Block {
                reserved: Reserved::default(),
                filled: host.now() - QUICK,
                size: 1,
            });
            let Reserved { values, since } = &mut block.reserved;
            if shared.has_moved_since(oid, *since) {
                values.clear();
            }
            if !values.is_empty() {
                let rest = values.split_off(wanted.min(values.len()));
                return Ok(Reserved { values: std::mem::replace(values, rest), since: *since });
            }
            block.size = if host.now().saturating_duration_since(block.filled) < QUICK {
                (block.size * 2).min(LARGEST)
            } else {
                1
            };
            block.size.max(wanted.min(MOST))
        };
        let mut last = SqlError::internal("a sequence could not be advanced");
        let mut attempts = 0;
        while attempts < ATTEMPTS {
            attempts += 1;
            let since = shared.applied();
            match log.propose(Command::Write(reservation(oid, size, shared)), None).await? {
                Outcome::Done(done) => {
                    let rows = done.into_iter().flat_map(|step| step.rows).flatten();
                    let mut values: VecDeque<i64> =
                        rows.filter_map(|value| if let Value::Int(i) = value { Some(i) } else { None }).collect();
                    let rest = values.split_off(wanted.min(values.len()));
                    if let Some(block) = self.0.lock().get_mut(&oid) {
                        block.reserved.extend(Reserved { values: rest, since });
                        block.filled = host.now();
                    }
                    return Ok(Reserved { values, since });
                }
                Outcome::Refused(Refusal::SchemaChanged { now }) => {
                    last = SqlError::internal(format!("the schema (version {now}) changes all the time"));
                }
                Outcome::Refused(_) => {}
                // Near its end it has fewer values left than we wanted.
                Outcome::Failed { error, .. } if error.code == state::SEQUENCE_GENERATOR_LIMIT_EXCEEDED && size > 1 => {
                    size /= 2;
                    attempts -= 1;
                    last = error;
                }
                Outcome::Failed { error, .. } | Outcome::FailedAfter { error, .. } => return Err(error.into()),
            }
        }
        Err(last.into())
    }

    /// Brings back what was not needed.
    pub fn give_back(&self, values: BTreeMap<u32, Reserved>) {
        let mut blocks = self.0.lock();
        for (oid, mut reserved) in values {
            if let Some(block) = blocks.get_mut(&oid) {
                reserved.extend(std::mem::take(&mut block.reserved));
                block.reserved = reserved;
            }
        }
    }

    /// Forgets all blocks: another leader may have reserved since, and the order of the numbers would look odd.
    pub fn clear(&self) {
        self.0.lock().clear();
    }
}

fn reservation(oid: u32, size: usize, shared: &Shared) -> Write {
    let statement = Statement::new("SELECT q_nextval(?1)", Yields::Rows);
    let params = vec![vec![Value::Int(oid.into())]; size];
    Write {
        schema_version: shared.schema_version(),
        born: shared.applied(),
        env: Default::default(),
        steps: vec![Step { statements: vec![statement], params, ..Step::default() }],
        transaction: None,
    }
}
