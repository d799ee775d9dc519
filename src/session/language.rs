//! The seam to the SQL compiler, and the cache of its results.
//!
//! A session sees a statement as something that compiles under a scope; so its own logic can be tested without SQL.

use super::effect::CopyForm;
use crate::error::{SqlError, SqlResult};
use crate::sql::Scope;
use crate::sql::allowance::Allowance;
use crate::sql::plan::Plan;
use crate::types::Type;
use crate::value::{Value, ValueRef};
use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::Arc;

/// Text to statements.
pub trait Language: Send + Sync + 'static {
    /// The statements of a text, in order; none for an empty text. Errors: 42601 with a position in `text`, the allowance's.
    fn parse(&self, text: &str, allowance: &Allowance) -> SqlResult<Vec<Arc<dyn Statement>>>;
    fn copy_reader(&self, form: &CopyForm) -> SqlResult<Box<dyn CopyReader>>;
    fn copy_writer(&self, form: &CopyForm) -> SqlResult<Box<dyn CopyWriter>>;
}

/// Takes the bytes of COPY FROM as they come, in whatever pieces, and makes rows of them.
pub trait CopyReader: Send {
    fn feed(&mut self, data: &[u8], row: &mut dyn FnMut(Vec<Value>) -> SqlResult<()>) -> SqlResult<()>;
    /// The input is complete.
    fn finish(&mut self, row: &mut dyn FnMut(Vec<Value>) -> SqlResult<()>) -> SqlResult<()>;
}

/// Writes the rows of COPY TO; each call appends what becomes one CopyData message.
pub trait CopyWriter: Send {
    fn begin(&mut self, out: &mut Vec<u8>) -> SqlResult<()>;
    fn row(&mut self, values: &[ValueRef<'_>], out: &mut Vec<u8>) -> SqlResult<()>;
    fn end(&mut self, out: &mut Vec<u8>) -> SqlResult<()>;
}

/// A parsed statement.
pub trait Statement: Send + Sync {
    fn compile(&self, scope: &Scope<'_>) -> SqlResult<Plan>;
    /// Its own source text.
    fn text(&self) -> &str;
    /// What it is called, if it makes sense in transaction blocks only.
    fn only_in_blocks(&self) -> Option<&'static str> {
        None
    }
    /// What the client is told of its text before it runs.
    fn notices(&self) -> &[SqlError] {
        &[]
    }
}

/// All that a plan depends on. Equal keys may share a plan.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PlanKey {
    pub text: Arc<str>,
    pub declared: Vec<Type>,
    pub schema_version: u64,
    /// Digest of database, user, search path and environment.
    pub scope: u128,
}

#[derive(Clone)]
pub struct Compiled {
    pub statement: Arc<dyn Statement>,
    pub plan: Arc<Plan>,
}

/// Plans of single-statement texts, shared by all sessions of a process.
///
/// Bounded by generations: when the young one is full it becomes the old one and the old one is dropped; a hit in
/// the old one brings the plan back into the young one. So what is used stays, and nothing is counted or linked.
pub struct PlanCache {
    shards: Vec<Mutex<Generations>>,
    bytes_per_shard: usize,
}

#[derive(Default)]
struct Generations {
    young: HashMap<PlanKey, Compiled>,
    young_bytes: usize,
    old: HashMap<PlanKey, Compiled>,
}

/// A plan holds about this many times the bytes of its text, plus a constant.
const PLAN_FACTOR: usize = 8;
const PLAN_CONSTANT: usize = 2048;

/// Longer texts are not worth a place: they are generated, and do not come again.
const LONGEST_TEXT: usize = 32 << 10;

const SHARDS: usize = 16;

impl PlanCache {
    /// A cache of about `bytes` of memory.
    pub fn new(bytes: usize) -> PlanCache {
        let shards = (0..SHARDS).map(|_| Mutex::default()).collect();
        PlanCache { shards, bytes_per_shard: bytes / SHARDS / 2 }
    }

    pub fn get(&self, key: &PlanKey) -> Option<Compiled> {
        let mut shard = self.shard(key).lock();
        if let Some(found) = shard.young.get(key) {
            return Some(found.clone());
        }
        let (key, found) = shard.old.remove_entry(key)?;
        shard.insert(key, found.clone(), self.bytes_per_shard);
        Some(found)
    }

    pub fn put(&self, key: PlanKey, compiled: Compiled) {
        if key.text.len() <= LONGEST_TEXT {
            self.shard(&key).lock().insert(key, compiled, self.bytes_per_shard);
        }
    }

    fn shard(&self, key: &PlanKey) -> &Mutex<Generations> {
        let hash = xxhash_rust::xxh3::xxh3_64(key.text.as_bytes());
        &self.shards[(hash % SHARDS as u64) as usize]
    }
}

impl Default for PlanCache {
    fn default() -> PlanCache {
        PlanCache::new(32 << 20)
    }
}

impl Generations {
    fn insert(&mut self, key: PlanKey, compiled: Compiled, limit: usize) {
        let size = key.text.len() * PLAN_FACTOR + PLAN_CONSTANT;
        if self.young_bytes + size > limit {
            self.old = std::mem::take(&mut self.young);
            self.young_bytes = 0;
        }
        self.young_bytes += size;
        self.young.insert(key, compiled);
    }
}
