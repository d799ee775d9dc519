//! A client with transactions: what a session and its connection do, on the real gateway of a node.
//!
//! Each transaction is a task of its node, which ends where it stands when the node dies or the client hangs up. What the
//! client saw until then is in the history.

use super::gateway::{Ask, Gateway, Inbox};
use super::history::{Fate, History, How, Lock, Read, Row, Tx};
use super::plan::{Bug, Plan};
use super::random::Random;
use super::schema::{self, ACCOUNTS, BALANCE, LISTS, compiled, statements};
use super::tasks::Process;
use quorate::command::{Frozen, Isolation, Step, StepOutcome, Write};
use quorate::error::{SqlError, SqlResult, state};
use quorate::gateway::{Control, Database as _, Failure, Mark};
use quorate::host::{Host as _, until};
use quorate::id::RequestId;
use quorate::sql::plan::{Effort, PlanKind};
use quorate::transaction::{Kind, Locking, Statement};
use quorate::value::Value;
use std::sync::{Arc, Mutex};
use std::time::Duration;

const READ: &str = "SELECT items FROM list WHERE k = $1";
const READ_FOR_UPDATE: &str = "SELECT items FROM list WHERE k = $1 FOR UPDATE";
const READ_FOR_SHARE: &str = "SELECT items FROM list WHERE k = $1 FOR SHARE";
const APPEND: &str = "UPDATE list SET items = items || $2::text WHERE k = $1";
const APPEND_RETURNING: &str = "UPDATE list SET items = items || $2::text WHERE k = $1 RETURNING items";
/// Its work is open, so it is tried at the leader first.
const APPEND_TRIED: &str = "UPDATE list SET items = items || $2::text \
                            WHERE k IN (SELECT $1::int FROM generate_series(1, 1))";
/// The same; it fails if it has been done already.
const APPEND_ONCE: &str = "UPDATE list SET items = items || $2::text \
                           WHERE k IN (SELECT $1::int FROM generate_series(1, 1)) \
                           AND 1 / (1 - ((',' || items) LIKE ('%,' || $2::text || '%'))::int) = 1";
const UPSERT: &str = "INSERT INTO list VALUES ($1, $2) \
                      ON CONFLICT (k) DO UPDATE SET items = list.items || excluded.items";
const ADD: &str = "UPDATE account SET balance = balance + $2::bigint WHERE id = $1";
const LOCK: &str = "SELECT balance FROM account WHERE id = $1 FOR UPDATE";
const MOVE: &str = "UPDATE account SET balance = balance + CASE id WHEN $1 THEN - $3::bigint ELSE $3::bigint END \
                    WHERE id = $1 OR id = $2";
const NOTE: &str = "INSERT INTO ledger (transfer, debit, credit, amount) VALUES ($1, $2, $3, $4)";
const SUM: &str = "SELECT sum(balance)::bigint FROM account";
const BALANCE_OF: &str = "SELECT balance FROM account WHERE id = $1";

/// One thing a client does in a transaction.
#[derive(Clone, Copy, Debug)]
enum Op {
    Read(i64, &'static str),
    Append(i64, &'static str),
    Add(i64, i64),
    Move(i64, i64, i64),
    Lock(i64),
    Note(i64, i64, i64),
    Sum,
    /// All balances, one by one.
    Audit,
    Savepoint,
    Release,
    RollbackTo,
    Think(u64),
}

/// What one session is to do next.
#[derive(Debug)]
pub struct Job {
    isolation: Isolation,
    /// One statement outside of a block.
    single: bool,
    ops: Vec<Op>,
    transfer: Option<i64>,
    rollback: bool,
    /// One statement of so many is given up.
    impatient: u64,
    patience: u64,
    timeout: u64,
    lock_timeout: Option<u64>,
    /// Instead, a new table with this number.
    ddl: Option<i64>,
    /// The network may deliver a COMMIT twice.
    copied: bool,
    bug: Option<Bug>,
}

impl Job {
    /// Draws what to do. `number` is the transaction's in the whole run.
    pub fn draw(r: &mut Random, plan: &Plan, number: i64) -> Job {
        let isolation = r.pick(&plan.levels);
        let mut job = Job {
            isolation,
            single: r.permille(plan.single),
            ops: Vec::new(),
            transfer: None,
            rollback: r.one_in(12),
            impatient: plan.impatient,
            patience: plan.patience,
            timeout: plan.statement_timeout,
            lock_timeout: r.one_in(4).then_some(plan.patience),
            ddl: r.one_in(plan.ddl).then_some(number),
            copied: plan.double_submit > 0,
            bug: plan.bug,
        };
        match r.range(0, 10) {
            0..=4 => job.lists(r, plan),
            5..=7 => job.transfer(r, plan, number),
            _ => job.audit(r),
        }
        if job.ddl.is_some() {
            (job.single, job.transfer, job.isolation) = (true, None, Isolation::Serializable);
        }
        if job.single {
            // With the ledger's row it takes two statements.
            job.isolation = Isolation::Serializable;
            job.ops.truncate(1);
            (job.transfer, job.rollback) = (None, false);
            if let Some(Op::Append(_, text)) = job.ops.first_mut()
                && (number as u64 * 617) % 1000 < plan.tried
            {
                *text = if plan.bug == Some(Bug::NewIdAfterSchemaChange) { APPEND_TRIED } else { APPEND_ONCE };
            }
        }
        job
    }

    fn think(&mut self, r: &mut Random, plan: &Plan) {
        if plan.think > 0 && r.one_in(3) {
            self.ops.push(Op::Think(r.range(0, 2 * plan.think)));
        }
    }

    fn lists(&mut self, r: &mut Random, plan: &Plan) {
        let mut savepoints = 0;
        for _ in 0..r.range(1, 7) {
            let k = r.range(0, LISTS as u64) as i64;
            let op = match r.range(0, 12) {
                0..=3 => Op::Read(k, READ),
                4 => Op::Read(k, r.pick(&[READ_FOR_UPDATE, READ_FOR_SHARE])),
                5 | 6 => Op::Append(k, APPEND),
                7 => Op::Append(k, APPEND_RETURNING),
                8 => Op::Append(k, UPSERT),
                9 => Op::Savepoint,
                10 if savepoints > 0 => Op::RollbackTo,
                11 if savepoints > 0 => Op::Release,
                _ => Op::Read(k, READ),
            };
            match op {
                Op::Savepoint => savepoints += 1,
                Op::Release => savepoints -= 1,
                _ => {}
            }
            let alone = matches!(op, Op::Savepoint | Op::Read(_, READ_FOR_UPDATE | READ_FOR_SHARE)) && self.single;
            self.ops.push(if alone { Op::Read(k, READ) } else { op });
            self.think(r, plan);
        }
    }

    fn transfer(&mut self, r: &mut Random, plan: &Plan, number: i64) {
        let from = r.range(0, ACCOUNTS as u64) as i64;
        let to = (from + 1 + r.range(0, ACCOUNTS as u64 - 1) as i64) % ACCOUNTS;
        let amount = r.range(1, 100) as i64;
        self.transfer = Some(number);
        if self.single {
            self.ops.push(Op::Move(from, to, amount));
            return;
        }
        let savepoint = r.one_in(4);
        if savepoint {
            // A wrong one first.
            let wrong = [Op::Savepoint, Op::Note(to, from, amount), Op::Add(to, amount), Op::RollbackTo];
            self.ops.extend(wrong);
        }
        if r.one_in(3) {
            self.ops.extend([Op::Lock(from), Op::Lock(to)]);
        }
        let mut ops = vec![Op::Note(from, to, amount)];
        match r.one_in(2) {
            true => ops.push(Op::Move(from, to, amount)),
            false => ops.extend([Op::Add(from, -amount), Op::Add(to, amount)]),
        }
        let first = r.range(0, ops.len() as u64) as usize;
        ops.rotate_left(first);
        for op in ops {
            self.ops.push(op);
            self.think(r, plan);
        }
    }

    fn audit(&mut self, r: &mut Random) {
        let op = if self.isolation == Isolation::ReadCommitted || r.one_in(2) { Op::Sum } else { Op::Audit };
        self.ops.push(op);
        if r.one_in(3) {
            self.ops.push(Op::Sum);
        }
    }

    pub fn isolation(&self) -> Isolation {
        self.isolation
    }

    pub fn single(&self) -> bool {
        self.single
    }

    pub fn transfer_number(&self) -> Option<i64> {
        self.transfer
    }
}

/// Shared by all sessions of a run.
#[derive(Clone, Default)]
pub struct Chronicle(Arc<Mutex<Recorded>>);

#[derive(Default)]
pub struct Recorded {
    pub history: History,
    /// Something that must never happen has happened.
    pub wrong: Option<String>,
}

impl Chronicle {
    pub fn with<T>(&self, f: impl FnOnce(&mut Recorded) -> T) -> T {
        f(&mut self.0.lock().expect("one thread"))
    }
}

/// Which errors of COMMIT, or of a write of one statement, leave open what became of it.
fn is_unknown(error: &SqlError) -> bool {
    [state::QUERY_CANCELED, state::CANNOT_CONNECT_NOW, state::STATEMENT_COMPLETION_UNKNOWN].contains(&error.code)
}

/// One transaction on its way.
pub struct Client {
    pub session: usize,
    pub router: Arc<Gateway>,
    pub process: Arc<Process>,
    pub inbox: Inbox,
    pub chronicle: Chronicle,
    /// Its number in the history.
    pub number: usize,
    pub name: RequestId,
    pub random: Random,
    /// Open savepoints: the numbers of appends, reads and locks before each.
    pub savepoints: Vec<(usize, usize, usize)>,
}

type Open = <Gateway as quorate::gateway::Database>::Transaction;

/// How a statement ended that did not succeed.
pub(super) enum Trouble {
    Error(SqlError),
    /// The client has lost its patience.
    GivenUp,
}

impl From<SqlError> for Trouble {
    fn from(error: SqlError) -> Trouble {
        Trouble::Error(error)
    }
}

impl Client {
    /// Carries a job out.
    pub async fn run(mut self, job: Job) {
        let fate = match (job.ddl, job.single) {
            (Some(number), _) => self.change_schema(number, &job).await,
            (None, true) => self.single(&job).await,
            (None, false) => self.block(&job).await,
        };
        let now = self.now();
        self.record(|tx| (tx.fate, tx.ended) = (fate, now));
        self.inbox.push(Ask::Over { session: self.session });
    }

    fn now(&self) -> u64 {
        self.process.micros()
    }

    fn record(&self, f: impl FnOnce(&mut Tx)) {
        self.chronicle.with(|recorded| f(&mut recorded.history.transactions[self.number]));
    }

    fn tx<T>(&self, f: impl FnOnce(&Tx) -> T) -> T {
        self.chronicle.with(|recorded| f(&recorded.history.transactions[self.number]))
    }

    fn wrong(&self, text: String) {
        self.chronicle.with(|recorded| recorded.wrong.get_or_insert(text).len());
    }

    pub(super) fn control(&self, job: &Job) -> Control {
        let deadline = self.process.now() + Duration::from_micros(job.timeout);
        let lock_timeout = job.lock_timeout.map(Duration::from_micros);
        Control { deadline, lock_timeout, cancelled: Arc::default() }
    }

    /// Waits for a statement, perhaps not to its end.
    pub(super) async fn patiently<T>(&mut self, job: &Job, work: impl Future<Output = T>) -> Option<T> {
        if !self.random.one_in(job.impatient) {
            return Some(work.await);
        }
        let patience = Duration::from_micros(self.random.range(0, job.patience));
        until(&*self.process, self.process.now() + patience, work).await
    }

    // --- a block ------------------------------------------------------------------------------------------------

    async fn block(&mut self, job: &Job) -> Fate {
        let router = self.router.clone();
        let mut open = router.begin(self.name, job.isolation, Default::default());
        for op in &job.ops {
            let trouble = match self.op(&mut open, *op, job).await {
                Ok(()) => continue,
                Err(trouble) => trouble,
            };
            let why = match trouble {
                Trouble::Error(error) => error.code.as_str().to_owned(),
                Trouble::GivenUp => "given up".to_owned(),
            };
            // Half of a transfer is none.
            let back = job.transfer.is_none() && !self.savepoints.is_empty() && self.random.one_in(2);
            if !back || self.roll_back(&mut open, job).await.is_err() {
                return Fate::Gone(why);
            }
        }
        if job.rollback {
            return Fate::Gone("ROLLBACK".to_owned());
        }
        let now = self.now();
        self.record(|tx| (tx.fate, tx.closed) = (Fate::Committing, now));
        let control = self.control(job);
        match self.patiently(job, router.commit(open, &control)).await {
            None => Fate::Unknown,
            Some(Ok(())) => Fate::Committed,
            Some(Err(error)) if is_unknown(&error) => Fate::Unknown,
            // Refused here; but a copy may be on its way.
            Some(Err(error)) if job.copied && error.code == state::DISK_FULL => Fate::Unknown,
            Some(Err(error)) => Fate::Gone(format!("COMMIT {}", error.code.as_str())),
        }
    }

    async fn op(&mut self, open: &mut Open, op: Op, job: &Job) -> Result<(), Trouble> {
        let int = Value::Int;
        match op {
            Op::Think(time) => self.process.sleep_until(self.process.now() + Duration::from_micros(time)).await,
            Op::Savepoint => {
                let at = self.tx(|tx| (tx.appends.len(), tx.reads.len(), tx.locks.len()));
                self.mark(open, Mark::Set(format!("s{}", self.savepoints.len())), job).await?;
                self.savepoints.push(at);
            }
            Op::Release => {
                let Some(last) = self.savepoints.len().checked_sub(1) else { return Ok(()) };
                self.mark(open, Mark::Release(format!("s{last}")), job).await?;
                self.savepoints.pop();
            }
            Op::RollbackTo if self.savepoints.is_empty() => {}
            Op::RollbackTo => self.roll_back(open, job).await?,
            Op::Read(k, text) => {
                let began = self.now();
                let done = self.step(open, text, vec![int(k)], job).await?;
                let how = if text == READ { How::Plain } else { How::Locking };
                if how == How::Locking && !done.rows.is_empty() {
                    self.locked(Row::List(k), text == READ_FOR_UPDATE);
                }
                self.saw(k, done.rows.first(), how, began);
            }
            Op::Append(k, text) => {
                let began = self.now();
                let v = self.chronicle.with(|recorded| recorded.history.value());
                let done = self.step(open, text, vec![int(k), Value::Text(format!("{v},"))], job).await?;
                if done.count == 0 {
                    self.saw(k, None, How::Write, began);
                    return Ok(());
                }
                self.record(|tx| tx.appends.push((k, v)));
                self.locked(Row::List(k), true);
                if text == APPEND_RETURNING {
                    self.saw(k, done.rows.first(), How::Write, began);
                }
            }
            Op::Add(id, amount) => {
                self.step(open, ADD, vec![int(id), int(amount)], job).await?;
                self.locked(Row::Account(id), true);
            }
            Op::Move(from, to, amount) => {
                self.step(open, MOVE, vec![int(from), int(to), int(amount)], job).await?;
                [from, to].into_iter().for_each(|id| self.locked(Row::Account(id), true));
            }
            Op::Lock(id) => {
                self.step(open, LOCK, vec![int(id)], job).await?;
                self.locked(Row::Account(id), true);
            }
            Op::Note(from, to, amount) => {
                let transfer = job.transfer.unwrap_or_default();
                self.step(open, NOTE, vec![int(transfer), int(from), int(to), int(amount)], job).await?;
            }
            Op::Sum => {
                let done = self.step(open, SUM, vec![], job).await?;
                self.balances(&done.rows, "at once");
            }
            Op::Audit => {
                let mut rows = Vec::new();
                for id in 0..ACCOUNTS {
                    rows.extend(self.step(open, BALANCE_OF, vec![int(id)], job).await?.rows);
                }
                self.balances(&rows, "one by one");
            }
        }
        Ok(())
    }

    fn locked(&self, row: Row, exclusive: bool) {
        let since = self.now();
        self.record(|tx| tx.locks.push(Lock { row, exclusive, since }));
    }

    async fn mark(&mut self, open: &mut Open, mark: Mark, job: &Job) -> SqlResult<()> {
        let control = self.control(job);
        self.router.clone().mark(open, mark, &control).await
    }

    /// ROLLBACK TO the last savepoint.
    async fn roll_back(&mut self, open: &mut Open, job: &Job) -> SqlResult<()> {
        let last = self.savepoints.len() - 1;
        self.mark(open, Mark::RollbackTo(format!("s{last}")), job).await?;
        let (appends, reads, locks) = self.savepoints[last];
        self.record(|tx| {
            tx.undone.extend(tx.appends.drain(appends..).map(|(_, v)| v));
            tx.locks.truncate(locks);
            tx.reads[reads..].iter_mut().for_each(|read| read.cut = true);
            if tx.isolation == Isolation::ReadCommitted {
                // What is cut off is not compared.
                tx.reads[reads..].iter_mut().for_each(|read| read.how = How::Plain);
            }
        });
        Ok(())
    }

    async fn step(
        &mut self,
        open: &mut Open,
        text: &'static str,
        params: Vec<Value>,
        job: &Job,
    ) -> Result<StepOutcome, Trouble> {
        let plan = compiled(text);
        let (kind, lock) = match &plan.kind {
            PlanKind::Read(read) => match &read.lock {
                None => (Kind::Read, None),
                Some(lock) => {
                    let (strength, wait, tables) = (lock.strength, lock.wait, lock.tables.clone());
                    (Kind::LockingRead, Some(Locking { strength, wait, tables }))
                }
            },
            _ => (Kind::Write, None),
        };
        let effort = match &plan.kind {
            PlanKind::Write(write) => write.effort,
            PlanKind::Read(read) if read.short => Effort::Row(None),
            _ => Effort::Key,
        };
        let control = self.control(job);
        let router = self.router.clone();
        loop {
            let frozen = Frozen { now: self.now() as i64, seed: self.random.next(), ..Frozen::default() };
            let step = Step {
                statements: statements(&plan),
                params: vec![params.clone()],
                frozen: Some(frozen),
                ..Step::default()
            };
            let schema_version = Some(router.catalog().version);
            let (lock, immediate) = (lock.clone(), Vec::new());
            let (before, ordered) = (None, false);
            let statement = Statement { step, kind, lock, before, schema_version, ordered, immediate, effort };
            let work = router.step(open, statement, &control);
            match self.patiently(job, work).await {
                None => return Err(Trouble::GivenUp),
                Some(Ok(outcome)) => return Ok(outcome),
                Some(Err(Failure::SchemaChanged)) => {}
                Some(Err(Failure::Sql { error, .. })) => return Err(error.into()),
            }
        }
    }

    // --- single statements --------------------------------------------------------------------------------------

    async fn single(&mut self, job: &Job) -> Fate {
        let int = Value::Int;
        let result = match job.ops[0] {
            Op::Read(k, text) => self.read(text, vec![int(k)], job).await.map(|rows| {
                let began = self.tx(|tx| tx.began);
                self.saw(k, rows.first(), How::Plain, began);
            }),
            Op::Append(k, text) => {
                let v = self.chronicle.with(|recorded| recorded.history.value());
                self.record(|tx| {
                    tx.appends.push((k, v));
                    tx.fate = Fate::Committing;
                });
                let params = vec![int(k), Value::Text(format!("{v},"))];
                self.write(text, params, job).await.map(|done| {
                    let began = self.tx(|tx| tx.began);
                    match done.count {
                        0 => {
                            self.record(|tx| tx.appends.clear());
                            self.saw(k, None, How::Write, began);
                        }
                        _ if text == APPEND_RETURNING => self.saw(k, done.rows.first(), How::Write, began),
                        _ => {}
                    }
                })
            }
            Op::Move(from, to, amount) => self.write(MOVE, vec![int(from), int(to), int(amount)], job).await.map(drop),
            _ => self.read(SUM, vec![], job).await.map(|rows| self.balances(&rows, "at once")),
        };
        match result {
            Ok(()) => {
                let rows = match job.ops[0] {
                    Op::Append(k, _) if self.tx(|tx| !tx.appends.is_empty()) => vec![Row::List(k)],
                    Op::Move(from, to, _) => vec![Row::Account(from), Row::Account(to)],
                    _ => Vec::new(),
                };
                rows.into_iter().for_each(|row| self.locked(row, true));
                Fate::Committed
            }
            Err(Trouble::GivenUp) => Fate::Unknown,
            Err(Trouble::Error(error)) if is_unknown(&error) => Fate::Unknown,
            Err(Trouble::Error(error)) => Fate::Gone(error.code.as_str().to_owned()),
        }
    }

    async fn read(&mut self, text: &'static str, params: Vec<Value>, job: &Job) -> Result<Vec<Vec<Value>>, Trouble> {
        self.say(text, &params, job, false).await.map(|said| said.rows)
    }

    async fn write(&mut self, text: &'static str, params: Vec<Value>, job: &Job) -> Result<StepOutcome, Trouble> {
        let again = job.bug == Some(Bug::NewIdAfterSchemaChange);
        let said = self.say(text, &params, job, again).await?;
        Ok(StepOutcome { count: said.count, rows: said.rows, drawn: Vec::new() })
    }

    async fn propose(
        &mut self,
        job: &Job,
        effort: Effort,
        step: impl Fn(&quorate::sql::catalog::Catalog) -> Step,
    ) -> Result<Vec<StepOutcome>, Trouble> {
        let router = self.router.clone();
        let control = self.control(job);
        let born = router.applied();
        loop {
            let catalog = router.catalog();
            let (steps, schema_version) = (vec![step(&catalog)], catalog.version);
            let write = Write { schema_version, born, env: Default::default(), steps, transaction: None };
            match self.patiently(job, router.write(self.name, write, effort, &control)).await {
                None => return Err(Trouble::GivenUp),
                Some(Ok(done)) => return Ok(done),
                Some(Err(Failure::SchemaChanged)) => {}
                Some(Err(Failure::Sql { error, .. })) => return Err(error.into()),
            }
        }
    }

    async fn change_schema(&mut self, number: i64, job: &Job) -> Fate {
        let text = schema::bystander(number);
        let done = self.propose(job, Effort::Scan, |catalog| {
            let plan = schema::plan(&text, catalog);
            Step { statements: statements(&plan), params: vec![vec![]], ddl: true, ..Step::default() }
        });
        match done.await {
            Ok(_) => Fate::Committed,
            Err(_) => Fate::Unknown,
        }
    }

    // --- what is seen -------------------------------------------------------------------------------------------

    /// A list was read: its end are the transaction's own appends.
    fn saw(&self, k: i64, row: Option<&Vec<Value>>, how: How, began: u64) {
        let text = match row.map(Vec::as_slice) {
            None => "",
            Some([Value::Text(text)]) => text,
            Some(other) => return self.wrong(format!("a list came as {other:?}")),
        };
        let mut items: Vec<i64> = text.split_terminator(',').filter_map(|v| v.parse().ok()).collect();
        let own = self.tx(|tx| tx.own(k));
        if !items.ends_with(&own) {
            let tx = self.tx(Tx::clone);
            return self.wrong(format!("list {k} was read as {items:?}, without the own {own:?}: {tx:?}"));
        }
        items.truncate(items.len() - own.len());
        self.record(|tx| tx.reads.push(Read { k, items, own: own.len(), how, began, cut: false }));
    }

    fn balances(&self, rows: &[Vec<Value>], how: &str) {
        let sum: i64 = rows.iter().flatten().map(|v| if let Value::Int(i) = v { *i } else { 0 }).sum();
        if sum != ACCOUNTS * BALANCE {
            let tx = self.tx(Tx::clone);
            self.wrong(format!("the balances, read {how}, are {sum}: {rows:?}, {tx:?}"));
        }
    }
}
