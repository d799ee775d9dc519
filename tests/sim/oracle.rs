//! What must hold, whatever happens. Sees everything, knows every operation, and replays the log on a model.

use super::plan::Plan;
use super::time::Truth;
use bytes::Bytes;
use quorate::command::{self, Batch, Command, Isolation, Outcome, Proposal, Refusal, Statement, Step, Write, Yields};
use quorate::id::RequestId;
use quorate::raftlog::Entry;
use quorate::replica::{Applied, Committed, Payload, Position};
use quorate::value::Value;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use xxhash_rust::xxh3::xxh3_64;

pub const TABLES: &str = r#"
CREATE TABLE "public.register" (k INTEGER PRIMARY KEY, n INTEGER, items TEXT) STRICT;
INSERT INTO "public.register" VALUES (0, 0, ''), (1, 0, ''), (2, 0, '');
CREATE TABLE "public.claim" (k INTEGER PRIMARY KEY, op INTEGER) STRICT;
CREATE TABLE "public.done" (op INTEGER) STRICT;
"#;

pub const READ: &str = r#"SELECT k, n, items FROM "public.register" ORDER BY k"#;

/// Something that must never happen has happened.
pub type Check = Result<(), String>;

/// A write of a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// Counts up: one statement, which needs no savepoint and leaves no other trace.
    Bump { k: i64 },
    /// Adds to a counter.
    Add { k: i64, by: i64 },
    /// Appends the operation's number to a list and returns the list.
    Append { k: i64 },
    /// Adds and then takes a name, which fails as a whole when the name is taken.
    Claim { k: i64, name: i64 },
}

/// A write with the number under which the client knows it: a request may be repeated, an operation happens once.
#[derive(Clone, Debug)]
pub struct Operation {
    pub number: i64,
    pub born: u64,
    pub act: Act,
}

fn step(sql: &str, yields: Yields, params: Vec<Value>) -> Step {
    let statements = vec![Statement::new(sql, yields)];
    Step { statements, params: vec![params], ..Step::default() }
}

impl Operation {
    pub fn proposal(&self, request: RequestId) -> Proposal {
        let number = Value::Int(self.number);
        let done = || step(r#"INSERT INTO "public.done" VALUES (?1)"#, Yields::Count, vec![number.clone()]);
        let add = |k: i64, by: i64| {
            let sql = r#"UPDATE "public.register" SET n = n + ?2 WHERE k = ?1"#;
            step(sql, Yields::Count, vec![Value::Int(k), Value::Int(by)])
        };
        let (steps, transaction) = match self.act {
            Act::Bump { k } => (vec![add(k, 1)], None),
            Act::Add { k, by } => (vec![add(k, by), done()], None),
            Act::Append { k } => {
                let sql = r#"UPDATE "public.register" SET items = items || ?2 || ',' WHERE k = ?1 RETURNING items"#;
                (vec![done(), step(sql, Yields::Rows, vec![Value::Int(k), number.clone()])], None)
            }
            Act::Claim { k, name } => {
                let sql = r#"INSERT INTO "public.claim" VALUES (?1, ?2)"#;
                let claim = step(sql, Yields::Count, vec![Value::Int(name), number.clone()]);
                (vec![add(k, 1), done(), claim], Some(Isolation::ReadCommitted))
            }
        };
        let write = Write { schema_version: 0, born: self.born, env: Default::default(), steps, transaction };
        Proposal { request, body: command::encode(&Command::Write(write)) }
    }
}

/// What the tables hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tables {
    pub registers: [(i64, String); 3],
    pub claims: BTreeMap<i64, i64>,
    pub done: Vec<i64>,
}

impl Tables {
    /// The rows of [`READ`].
    pub fn rows(&self) -> Vec<Vec<Value>> {
        let row = |(k, (n, items)): (usize, &(i64, String))| {
            vec![Value::Int(k as i64), Value::Int(*n), Value::Text(items.clone())]
        };
        self.registers.iter().enumerate().map(row).collect()
    }

    /// Performs an operation; the outcome in short.
    fn perform(&mut self, operation: &Operation) -> Expected {
        match operation.act {
            Act::Bump { k } => {
                self.registers[k as usize].0 += 1;
                Expected::Done(vec![1], None)
            }
            Act::Add { k, by } => {
                self.registers[k as usize].0 += by;
                self.done.push(operation.number);
                Expected::Done(vec![1, 1], None)
            }
            Act::Append { k } => {
                self.done.push(operation.number);
                let items = &mut self.registers[k as usize].1;
                items.push_str(&format!("{},", operation.number));
                Expected::Done(vec![1, 1], Some(items.clone()))
            }
            Act::Claim { name, .. } if self.claims.contains_key(&name) => Expected::Failed(2),
            Act::Claim { k, name } => {
                self.registers[k as usize].0 += 1;
                self.done.push(operation.number);
                self.claims.insert(name, operation.number);
                Expected::Done(vec![1, 1, 1], None)
            }
        }
    }
}

/// The outcome that the model gives: counts of the steps and the row returned; or the step that fails.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expected {
    Done(Vec<u64>, Option<String>),
    Failed(u32),
    Expired,
}

impl Expected {
    fn is(&self, outcome: &Outcome) -> bool {
        match (self, outcome) {
            (Expected::Done(counts, row), Outcome::Done(steps)) => {
                let rows: Vec<&Value> = steps.iter().flat_map(|s| s.rows.iter().flatten()).collect();
                let same = match (row, &rows[..]) {
                    (None, []) => true,
                    (Some(expected), [Value::Text(found)]) => expected == found,
                    _ => false,
                };
                same && counts.len() == steps.len() && counts.iter().zip(steps).all(|(n, s)| *n == s.count)
            }
            (Expected::Failed(step), Outcome::Failed { step: found, .. }) => step == found,
            (Expected::Expired, Outcome::Refused(Refusal::Expired)) => true,
            _ => false,
        }
    }
}

/// What every replica is compared with.
pub struct Oracle {
    window: usize,
    leaders: BTreeMap<u64, u64>,
    entries: BTreeMap<(u64, u64), (u64, Option<u64>)>,
    /// Term and content of each committed entry, from index 1.
    committed: Vec<(u64, u64)>,
    /// The last term of which a leader was known when each of them was first seen committed.
    known_terms: Vec<u64>,
    pub operations: BTreeMap<RequestId, Operation>,
    /// What gateways proposed. The model does not know what comes of it: the first replica tells.
    pub proposed: BTreeMap<RequestId, BTreeSet<Bytes>>,
    /// The first outcome of each of these that is no refusal, and where.
    firsts: BTreeMap<RequestId, (u64, Arc<Outcome>)>,
    /// Their outcomes by index.
    observed: BTreeMap<(u64, RequestId, String), Arc<Outcome>>,
    tables: Arc<Tables>,
    /// The tables after each index, from 0.
    history: Vec<Arc<Tables>>,
    outcomes: BTreeMap<(u64, RequestId), Expected>,
    remembered: BTreeMap<RequestId, Expected>,
    remembered_entries: VecDeque<(u64, Vec<RequestId>)>,
    forgotten: u64,
    pub truth: Truth,
    digests: BTreeMap<u64, u64>,
    /// The highest index whose effect somebody was told.
    pub acknowledged: u64,
    /// Operations that clients were told to have happened.
    pub told: BTreeSet<i64>,
}

fn content(payload: &Payload) -> u64 {
    match payload {
        Payload::Empty => 0,
        Payload::Skip(at) => at.index << 1,
        Payload::Batch(bytes) => xxh3_64(bytes),
        Payload::Membership(membership) => xxh3_64(&command::encode(membership)) | 1,
    }
}

impl Oracle {
    pub fn new(plan: &Plan) -> Oracle {
        let tables = Arc::new(Tables::default());
        Oracle {
            window: plan.window,
            leaders: BTreeMap::new(),
            entries: BTreeMap::new(),
            committed: Vec::new(),
            known_terms: Vec::new(),
            operations: BTreeMap::new(),
            proposed: BTreeMap::new(),
            firsts: BTreeMap::new(),
            observed: BTreeMap::new(),
            history: vec![tables.clone()],
            tables,
            outcomes: BTreeMap::new(),
            remembered: BTreeMap::new(),
            remembered_entries: VecDeque::new(),
            forgotten: 0,
            truth: Truth::default(),
            digests: BTreeMap::new(),
            acknowledged: 0,
            told: BTreeSet::new(),
        }
    }

    /// A gateway has asked for its failure, which the log then tells.
    pub fn is_settled(&self, request: RequestId) -> bool {
        let bodies = self.proposed.get(&request);
        bodies.is_some_and(|all| all.iter().any(|body| matches!(command::decode(body), Ok(Command::Settle { .. }))))
    }

    pub fn last_committed(&self) -> u64 {
        self.committed.len() as u64
    }

    pub fn tables_at(&self, index: u64) -> Option<&Arc<Tables>> {
        self.history.get(index as usize)
    }

    /// One leader per term, and it has every entry that was committed in an earlier one. (A candidate that was paused
    /// may learn that it was elected when a later leader has long committed more.)
    pub fn leads(&mut self, node: u64, term: u64, last: u64) -> Check {
        let known = *self.leaders.entry(term).or_insert(node);
        if known != node {
            return Err(format!("{known} and {node} both lead term {term}"));
        }
        let must = self.known_terms.partition_point(|known| *known < term) as u64;
        if last < must {
            return Err(format!("{node} leads term {term} with a log up to {last} of {must}"));
        }
        Ok(())
    }

    /// Of all entries that are in a log or were told to others: equal index and term: equal entry, and equal entry before it.
    /// `before` is the term of the one before the first, where that is known.
    pub fn appends(&mut self, node: u64, mut before: Option<u64>, entries: &[Entry]) -> Check {
        for entry in entries {
            let hash = xxh3_64(&entry.data);
            let (known, preceding) = self.entries.entry((entry.index, entry.term)).or_insert((hash, before));
            if *known != hash || before.is_some() && preceding.is_some() && before != *preceding {
                return Err(format!("log matching: {node} has another entry {}@{}", entry.index, entry.term));
            }
            *preceding = preceding.or(before);
            before = Some(entry.term);
        }
        Ok(())
    }

    /// The same entry at the same index everywhere. True when it is seen for the first time.
    pub fn commits(&mut self, node: u64, entry: &Committed) -> Result<bool, String> {
        let Position { index, term } = entry.at;
        let found = (term, content(&entry.payload));
        match self.committed.get(index as usize - 1) {
            Some(known) if *known == found => return Ok(false),
            Some(known) => {
                return Err(format!("state machine safety: {node} has another entry {index}@{term}, not @{}", known.0));
            }
            None if self.last_committed() + 1 != index => {
                return Err(format!("{node} commits {index} after {}", self.last_committed()));
            }
            None => {}
        }
        self.committed.push(found);
        self.known_terms.push(self.leaders.keys().next_back().copied().unwrap_or(0));
        if let Payload::Batch(bytes) = &entry.payload {
            self.replay(index, bytes)?;
        }
        self.history.push(self.tables.clone());
        Ok(true)
    }

    fn replay(&mut self, index: u64, bytes: &[u8]) -> Check {
        let batch: Batch = command::decode(bytes).map_err(|e| e.to_string())?;
        let term = self.committed.last().map_or(0, |known| known.0);
        self.truth.commits((index, term), &batch)?;
        let mut ids = Vec::new();
        for Proposal { request, body } in &batch.commands {
            if let Some(bodies) = self.proposed.get(request) {
                if !bodies.contains(body) {
                    return Err(format!("nobody proposed this as {request}"));
                }
                continue;
            }
            let expected = match self.remembered.get(request) {
                Some(known) => known.clone(),
                None => {
                    let operation = self.operations.get(request).ok_or(format!("nobody proposed {request}"))?;
                    if operation.born < self.forgotten {
                        Expected::Expired
                    } else {
                        ids.push(*request);
                        let done = Arc::make_mut(&mut self.tables).perform(operation);
                        self.remembered.insert(*request, done.clone());
                        done
                    }
                }
            };
            self.outcomes.insert((index, *request), expected);
        }
        self.forget(index, ids);
        Ok(())
    }

    fn forget(&mut self, index: u64, ids: Vec<RequestId>) {
        if ids.is_empty() {
            return;
        }
        self.remembered_entries.push_back((index, ids));
        let count = |entries: &VecDeque<(u64, Vec<RequestId>)>| entries.iter().map(|e| e.1.len()).sum::<usize>();
        while self.remembered_entries.len() > 1 && count(&self.remembered_entries) > self.window {
            let (index, ids) = self.remembered_entries.pop_front().expect("more than one");
            ids.iter().for_each(|id| drop(self.remembered.remove(id)));
            self.forgotten = index;
        }
    }

    /// The state machine's outcome is the model's.
    pub fn applies(&mut self, node: u64, applied: &Applied) -> Check {
        if self.proposed.contains_key(&applied.request) {
            return self.observes(node, applied);
        }
        let expected = self.outcomes.get(&(applied.index, applied.request));
        match expected {
            Some(expected) if expected.is(&applied.outcome) => Ok(()),
            _ => Err(format!(
                "{node} got {:?} for {} at {}, the model {expected:?}",
                applied.outcome, applied.request, applied.index
            )),
        }
    }

    /// The outcome of a transaction or of the like: the same everywhere, and never a second one.
    fn observes(&mut self, node: u64, applied: &Applied) -> Check {
        let Applied { request, index, outcome } = applied;
        // An entry may have it more than once: refused, and sent again in another form. That replicas refuse for the same
        // reason, their digests say.
        let refused = matches!(**outcome, Outcome::Refused(_));
        let why = if refused { format!("{outcome:?}") } else { String::new() };
        let known = self.observed.entry((*index, *request, why)).or_insert_with(|| outcome.clone());
        if known != outcome {
            return Err(format!("{node} got {outcome:?} for {request} at {index}, another replica {known:?}"));
        }
        if refused {
            return Ok(());
        }
        let (at, first) = self.firsts.entry(*request).or_insert_with(|| (*index, outcome.clone()));
        if first != outcome {
            return Err(format!("{request} had the outcome {first:?} at {at} and has {outcome:?} at {index}"));
        }
        Ok(())
    }

    pub fn digest(&mut self, node: u64, index: u64, digest: u64) -> Check {
        let known = *self.digests.entry(index).or_insert(digest);
        match known == digest {
            true => Ok(()),
            false => Err(format!("{node} has digest {digest:016x} at {index}, another replica has {known:016x}")),
        }
    }

    /// A client was told that its operation had this outcome.
    pub fn acknowledges(&mut self, operation: &Operation, index: u64, outcome: &Outcome) {
        self.acknowledged = self.acknowledged.max(index);
        if matches!(outcome, Outcome::Done(_)) && !matches!(operation.act, Act::Bump { .. }) {
            self.told.insert(operation.number);
        }
    }

    /// A linearizable read that began when `floor` was acknowledged saw these rows at `index`.
    pub fn reads(&self, node: u64, floor: u64, index: u64, rows: &[Vec<Value>]) -> Check {
        if index < floor {
            return Err(format!("stale read: {node} read at {index} what was acknowledged at {floor} before"));
        }
        let expected = self.tables_at(index).map(|t| t.rows());
        match expected.as_deref() == Some(rows) {
            true => Ok(()),
            false => Err(format!("{node} read {rows:?} at {index}, the model has {expected:?}")),
        }
    }

    /// Every operation at most once; what was told to have happened, exactly once.
    pub fn once_each(&self) -> Check {
        let mut seen = BTreeSet::new();
        for operation in &self.tables.done {
            if !seen.insert(operation) {
                return Err(format!("operation {operation} took effect twice"));
            }
        }
        match self.told.iter().find(|n| !seen.contains(n)) {
            Some(lost) => Err(format!("operation {lost} was acknowledged and is lost")),
            None => Ok(()),
        }
    }
}
