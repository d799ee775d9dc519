//! A client with transactions: what it says on its [`Connection`], and what it notes of the answers.
//!
//! Each transaction is a task of its node, which ends where it stands when the node dies or the client hangs up. What the
//! client saw until then is in the history.

use super::connection::{Connection, Manner, Said};
use super::gateway::{Ask, Inbox};
use super::history::{Effect, Fate, History, How, Lock, Read, Row, Tx};
use super::plan::{Bug, Plan};
use super::random::Random;
use super::schema::{ACCOUNTS, BALANCE, LISTS};
use quorate::command::Isolation;
use quorate::error::{SqlError, SqlResult, state};
use quorate::host::Host as _;
use quorate::session::language::PlanCache;
use quorate::value::Value;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, OnceLock};
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
/// What it answers is drawn when it runs, and told to the client.
const DRAW: &str = "UPDATE account SET balance = balance WHERE id = $1 RETURNING random()";
const PUT: &str = "INSERT INTO queue (item) VALUES ($1)";
const NEXT: &str = "SELECT no, item FROM queue ORDER BY no LIMIT 1 FOR UPDATE SKIP LOCKED";
const NEXT_UNLOCKED: &str = "SELECT no, item FROM queue ORDER BY no LIMIT 1";
const REMOVE: &str = "DELETE FROM queue WHERE no = $1";
const TAKEN: &str = "INSERT INTO taken VALUES ($1, $2)";
/// Larger than an entry of the log may be.
const LARGE: &str = "INSERT INTO large VALUES ($1, $2)";
pub const LARGE_BYTES: usize = 600 << 10;
const GUARD: &str = "SELECT pg_advisory_xact_lock($1)";
const GUARD_SHARED: &str = "SELECT pg_advisory_xact_lock_shared($1)";
const HOLD: &str = "SELECT pg_advisory_lock($1)";
const LET_GO: &str = "SELECT pg_advisory_unlock($1)";
const TELL: &str = "SELECT pg_notify('moves', $1)";
const SCRATCH: &str =
    "CREATE TEMP TABLE scratch (n bigint PRIMARY KEY, doubled bigint GENERATED ALWAYS AS (2 * n) STORED)";
const SCRIBBLE: &str = "INSERT INTO scratch (n) VALUES ($1)";
const SCRIBBLED: &str = "SELECT n, doubled FROM scratch ORDER BY n";
/// So much work that it is not done untried, and more than the log takes at the largest.
const HEAVY: &str = "INSERT INTO large SELECT $1, 'heavy' FROM generate_series(1, $2::int) g HAVING count(*) > 0";

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
    Draw(i64),
    Put(i64),
    /// The next item of the queue that nobody else has.
    Take,
    Large(i64),
    /// A statement with so many rows to count.
    Heavy(i64, i64),
    /// An advisory lock until the end of the transaction.
    Guard(i64, &'static str),
}

/// What a session does instead of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Errand {
    /// New definitions, and their use. The number is that of the table.
    Define(i64, Definition),
    /// An advisory lock of the session's own, for so long.
    Hold(i64, u64),
    /// Listens for so long.
    Listen(u64),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Definition {
    /// A table, and then a row in it.
    Table,
    /// The same in one block, with an index and a further column.
    Block,
    /// A column of a table that everybody uses.
    Column,
    /// An index of such a table, made and dropped.
    Index,
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
    /// Instead of all this.
    errand: Option<Errand>,
    manner: Manner,
    /// The network may deliver a COMMIT twice.
    copied: bool,
    /// It has a temporary table, and moves balances by DO.
    program: bool,
    /// The defect: what is taken from the queue is not locked.
    unlocked: bool,
    /// The defect: announcements are made by statements of their own.
    early: bool,
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
            errand: None,
            manner: Manner {
                impatient: plan.impatient,
                patience: plan.patience,
                timeout: plan.statement_timeout,
                lock_timeout: r.one_in(4).then_some(plan.patience),
                renames: plan.bug == Some(Bug::NewIdAfterSchemaChange),
                forgets_definitions: plan.bug == Some(Bug::OldCatalog),
                tries_nothing: plan.bug == Some(Bug::Untried),
                own_plans: plan.ddl > 0 || plan.programs > 0,
            },
            copied: plan.double_submit > 0,
            program: (number as u64 * 419) % 1000 < plan.programs,
            unlocked: plan.bug == Some(Bug::UnlockedQueue),
            early: plan.bug == Some(Bug::EarlyLetters),
        };
        job.errand = job.draw_errand(r, plan, number);
        if job.errand.is_some() {
            (job.single, job.isolation) = (true, Isolation::Serializable);
            return job;
        }
        if r.permille(plan.queue) {
            job.queue(r, number);
        } else if r.permille(plan.hard) {
            (job.single, job.isolation) = (true, Isolation::Serializable);
            let heavy = Op::Heavy(number, r.pick(&[10, 3_000, HEAVIEST]));
            job.ops.push(if r.one_in(2) { heavy } else { Op::Large(number) });
            job.rollback = false;
        } else {
            job.draw_transaction(r, plan, number);
        }
        job
    }

    fn draw_errand(&self, r: &mut Random, plan: &Plan, number: i64) -> Option<Errand> {
        use Definition::{Block, Column, Index, Table};
        if r.one_in(plan.ddl) {
            return Some(Errand::Define(number, r.pick(&[Table, Block, Column, Index])));
        }
        let time = r.range(1, 40) * 1000;
        match r.range(0, 3) {
            0 if r.permille(plan.advisory) => Some(Errand::Hold(r.range(0, GUARDS) as i64, time)),
            1 if r.permille(plan.advisory) => Some(Errand::Listen(10 * time)),
            _ => None,
        }
    }

    fn draw_transaction(&mut self, r: &mut Random, plan: &Plan, number: i64) {
        let job = self;
        match r.range(0, 10) {
            0..=4 => job.lists(r, plan),
            5..=7 => job.transfer(r, plan, number),
            _ => job.audit(r),
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
        } else if r.permille(plan.advisory) {
            let guard = Op::Guard(r.range(0, GUARDS) as i64, r.pick(&[GUARD, GUARD, GUARD_SHARED]));
            let at = r.range(0, job.ops.len() as u64 + 1) as usize;
            job.ops.insert(at, guard);
        }
    }

    fn queue(&mut self, r: &mut Random, number: i64) {
        if r.one_in(2) {
            (self.single, self.isolation, self.rollback) = (true, Isolation::Serializable, false);
            self.ops.push(Op::Put(number));
        } else {
            (self.single, self.isolation) = (false, Isolation::ReadCommitted);
            self.ops.push(Op::Take);
        }
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
                10 => Op::Draw(k),
                11 if savepoints > 0 => Op::Release,
                _ => Op::Read(k, READ),
            };
            match op {
                Op::Savepoint => savepoints += 1,
                Op::Release => savepoints -= 1,
                _ => {}
            }
            let alone = matches!(op, Op::Savepoint | Op::Draw(_) | Op::Read(_, READ_FOR_UPDATE | READ_FOR_SHARE));
            let alone = alone && self.single;
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

    /// What it does to the tables beside appends, as far as that is known before.
    pub fn effects(&self) -> BTreeSet<Effect> {
        self.transfer.map(Effect::Transfer).into_iter().collect()
    }

    pub fn manner(&self) -> Manner {
        self.manner.clone()
    }
}

/// Advisory locks that there are.
const GUARDS: u64 = 3;
/// Rows whose counting is more than the log takes in the simulation.
pub const HEAVIEST: i64 = 40_000;

/// Shared by all sessions of a run.
#[derive(Clone, Default)]
pub struct Chronicle {
    recorded: Arc<Mutex<Recorded>>,
    pub plans: Arc<OnceLock<Arc<PlanCache>>>,
}

#[derive(Default)]
pub struct Recorded {
    pub history: History,
    /// Something that must never happen has happened.
    pub wrong: Option<String>,
}

impl Chronicle {
    pub fn with<T>(&self, f: impl FnOnce(&mut Recorded) -> T) -> T {
        f(&mut self.recorded.lock().expect("one thread"))
    }
}

/// Which errors of COMMIT, or of a write of one statement, leave open what became of it.
fn is_unknown(error: &SqlError) -> bool {
    [state::QUERY_CANCELED, state::CANNOT_CONNECT_NOW, state::STATEMENT_COMPLETION_UNKNOWN].contains(&error.code)
}

/// One transaction on its way.
pub struct Client {
    pub session: usize,
    pub connection: Connection,
    pub inbox: Inbox,
    pub chronicle: Chronicle,
    /// Its number in the history.
    pub number: usize,
    pub random: Random,
    /// Open savepoints: the numbers of appends, reads and locks before each.
    pub savepoints: Vec<(usize, usize, usize)>,
}

impl Client {
    /// Carries a job out.
    pub async fn run(mut self, job: Job) {
        let fate = match (job.errand, job.single) {
            (Some(errand), _) => self.errand(errand).await,
            (None, true) => self.single(&job).await,
            (None, false) => self.block(&job).await,
        };
        let now = self.now();
        self.record(|tx| (tx.fate, tx.ended) = (fate, now));
        self.inbox.push(Ask::Over { session: self.session });
    }

    fn now(&self) -> u64 {
        self.connection.process.micros()
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

    fn think(&self, time: u64) -> impl Future<Output = ()> + Send + use<> {
        let process = &self.connection.process;
        process.sleep_until(process.now() + Duration::from_micros(time))
    }

    /// What a client may be told for certain reasons only.
    fn judge(&self, text: &str, error: &SqlError) {
        // The state machine of the client's own node is in trouble, and no other node could read for it.
        let alone = error.message.starts_with("this node's replica does not serve");
        let early = error.code == state::CANNOT_CONNECT_NOW && self.connection.had_time() && !alone;
        if early || error.code == state::INTERNAL_ERROR {
            self.wrong(format!("{text} was answered {error:?}: {:?}", self.tx(Tx::clone)));
        }
    }

    async fn say(&mut self, text: &str, params: &[Value]) -> SqlResult<Said> {
        let said = self.connection.say(text, params).await;
        said.inspect_err(|error| self.judge(text, error))
    }

    async fn order(&mut self, text: &str) -> SqlResult<Said> {
        let said = self.connection.query(text).await;
        said.inspect_err(|error| self.judge(text, error))
    }

    // --- a block ------------------------------------------------------------------------------------------------

    async fn block(&mut self, job: &Job) -> Fate {
        let level = match job.isolation {
            Isolation::ReadCommitted => "READ COMMITTED",
            Isolation::RepeatableRead => "REPEATABLE READ",
            Isolation::Serializable => "SERIALIZABLE",
        };
        if let Err(error) = self.order(&format!("BEGIN ISOLATION LEVEL {level}")).await {
            return Fate::Gone(error.code.as_str().to_owned());
        }
        if let Err(error) = self.scribble(job).await {
            return Fate::Gone(error.code.as_str().to_owned());
        }
        for op in &job.ops {
            let Err(error) = self.op(*op, job).await else { continue };
            // Half of a transfer is none.
            let back = job.transfer.is_none() && !self.savepoints.is_empty() && self.random.one_in(2);
            if !back || self.roll_back().await.is_err() {
                return Fate::Gone(error.code.as_str().to_owned());
            }
        }
        if let Err(error) = self.find_scribbled(job).await {
            return Fate::Gone(error.code.as_str().to_owned());
        }
        if job.rollback {
            return Fate::Gone("ROLLBACK".to_owned());
        }
        let now = self.now();
        self.record(|tx| (tx.fate, tx.closed) = (Fate::Committing, now));
        match self.order("COMMIT").await {
            Ok(_) => Fate::Committed,
            Err(error) if is_unknown(&error) => Fate::Unknown,
            // Refused here; but a copy may be on its way.
            Err(error) if job.copied && error.code == state::DISK_FULL => Fate::Unknown,
            Err(error) => Fate::Gone(format!("COMMIT {}", error.code.as_str())),
        }
    }

    /// A temporary table is the block's as long as it lives, whoever leads.
    async fn scribble(&mut self, job: &Job) -> SqlResult<()> {
        if job.program {
            self.order(SCRATCH).await?;
            self.say(SCRIBBLE, &[Value::Int(self.number as i64)]).await?;
        }
        Ok(())
    }

    async fn find_scribbled(&mut self, job: &Job) -> SqlResult<()> {
        if !job.program {
            return Ok(());
        }
        let said = self.say(SCRIBBLED, &[]).await;
        let _ = self.must_know("scratch", said.as_ref().map(|_| Said::default()).map_err(SqlError::clone));
        let (rows, number) = (said?.rows, self.number as i64);
        if rows != [vec![Value::Int(number), Value::Int(2 * number)]] {
            self.wrong(format!("a temporary table of {number} holds {rows:?}"));
        }
        Ok(())
    }

    async fn op(&mut self, op: Op, job: &Job) -> SqlResult<()> {
        let int = Value::Int;
        match op {
            Op::Think(time) => self.think(time).await,
            Op::Savepoint => {
                let at = self.tx(|tx| (tx.appends.len(), tx.reads.len(), tx.locks.len()));
                self.order(&format!("SAVEPOINT s{}", self.savepoints.len())).await?;
                self.savepoints.push(at);
            }
            Op::Release => {
                let Some(last) = self.savepoints.len().checked_sub(1) else { return Ok(()) };
                self.order(&format!("RELEASE s{last}")).await?;
                self.savepoints.pop();
            }
            Op::RollbackTo if self.savepoints.is_empty() => {}
            Op::RollbackTo => self.roll_back().await?,
            Op::Read(k, text) => {
                let began = self.now();
                let said = self.say(text, &[int(k)]).await?;
                let how = if text == READ { How::Plain } else { How::Locking };
                if how == How::Locking && !said.rows.is_empty() {
                    self.locked(Row::List(k), text == READ_FOR_UPDATE);
                }
                self.saw(k, said.rows.first(), how, began);
            }
            Op::Append(k, text) => {
                let began = self.now();
                let v = self.chronicle.with(|recorded| recorded.history.value());
                let said = self.say(text, &[int(k), Value::Text(format!("{v},"))]).await?;
                if said.count == 0 {
                    self.saw(k, None, How::Write, began);
                    return Ok(());
                }
                self.record(|tx| tx.appends.push((k, v)));
                self.locked(Row::List(k), true);
                if text == APPEND_RETURNING {
                    self.saw(k, said.rows.first(), How::Write, began);
                }
            }
            Op::Add(id, amount) => {
                self.say(ADD, &[int(id), int(amount)]).await?;
                self.locked(Row::Account(id), true);
            }
            Op::Move(from, to, amount) => {
                self.shift(job, from, to, amount).await?;
                [from, to].into_iter().for_each(|id| self.locked(Row::Account(id), true));
            }
            Op::Lock(id) => {
                self.say(LOCK, &[int(id)]).await?;
                self.locked(Row::Account(id), true);
            }
            Op::Draw(id) => {
                self.say(DRAW, &[int(id)]).await?;
                self.locked(Row::Account(id), true);
            }
            Op::Note(from, to, amount) => {
                let transfer = job.transfer.unwrap_or_default();
                self.say(NOTE, &[int(transfer), int(from), int(to), int(amount)]).await?;
                let number = [Value::Text(transfer.to_string())];
                match job.early {
                    true => drop(self.connection.aside().say(TELL, &number).await),
                    false => drop(self.say(TELL, &number).await?),
                }
            }
            Op::Sum => {
                let said = self.say(SUM, &[]).await?;
                self.balances(&said.rows, "at once");
            }
            Op::Audit => {
                let mut rows = Vec::new();
                for id in 0..ACCOUNTS {
                    rows.extend(self.say(BALANCE_OF, &[int(id)]).await?.rows);
                }
                self.balances(&rows, "one by one");
            }
            Op::Take => {
                let next = if job.unlocked { NEXT_UNLOCKED } else { NEXT };
                let said = self.say(next, &[]).await?;
                let Some([Value::Int(no), Value::Int(item)]) = said.rows.first().map(Vec::as_slice) else {
                    return Ok(());
                };
                let (no, item) = (*no, *item);
                self.locked(Row::Item(no), true);
                self.say(REMOVE, &[int(no)]).await?;
                let taker = self.number as i64;
                self.say(TAKEN, &[int(item), int(taker)]).await?;
                self.record(|tx| tx.effects.extend([Effect::Taken(taker)]));
            }
            Op::Guard(key, text) => {
                self.say(text, &[int(key)]).await?;
                self.locked(Row::Advisory(key), text == GUARD);
            }
            Op::Put(_) | Op::Large(_) | Op::Heavy(..) => {}
        }
        Ok(())
    }

    async fn shift(&mut self, job: &Job, from: i64, to: i64, amount: i64) -> SqlResult<()> {
        if !job.program {
            return self.say(MOVE, &[from, to, amount].map(Value::Int)).await.map(drop);
        }
        let text = format!(
            "DO $$ DECLARE had bigint; BEGIN \
               SELECT balance INTO had FROM account WHERE id = {from} FOR UPDATE; \
               UPDATE account SET balance = had - {amount} WHERE id = {from}; \
               IF had IS NOT NULL THEN UPDATE account SET balance = balance + {amount} WHERE id = {to}; END IF; \
             END $$"
        );
        self.order(&text).await.map(drop)
    }

    fn locked(&self, row: Row, exclusive: bool) {
        let since = self.now();
        self.record(|tx| tx.locks.push(Lock { row, exclusive, since }));
    }

    /// ROLLBACK TO the last savepoint.
    async fn roll_back(&mut self) -> SqlResult<()> {
        let last = self.savepoints.len() - 1;
        self.order(&format!("ROLLBACK TO s{last}")).await?;
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

    // --- single statements --------------------------------------------------------------------------------------

    async fn single(&mut self, job: &Job) -> Fate {
        match self.one(job).await {
            Ok(()) => {
                let rows = match job.ops[0] {
                    Op::Append(k, _) if self.tx(|tx| !tx.appends.is_empty()) => vec![Row::List(k)],
                    Op::Move(from, to, _) => vec![Row::Account(from), Row::Account(to)],
                    _ => Vec::new(),
                };
                rows.into_iter().for_each(|row| self.locked(row, true));
                Fate::Committed
            }
            Err(error) if is_unknown(&error) => Fate::Unknown,
            // A program outside of a block is one: a copy of its COMMIT may be on its way.
            Err(error) if job.program && job.copied && error.code == state::DISK_FULL => Fate::Unknown,
            Err(error) => Fate::Gone(error.code.as_str().to_owned()),
        }
    }

    async fn one(&mut self, job: &Job) -> SqlResult<()> {
        let int = Value::Int;
        match job.ops[0] {
            Op::Read(k, text) => {
                let said = self.say(text, &[int(k)]).await?;
                let began = self.tx(|tx| tx.began);
                self.saw(k, said.rows.first(), How::Plain, began);
            }
            Op::Append(k, text) => {
                let v = self.chronicle.with(|recorded| recorded.history.value());
                self.record(|tx| {
                    tx.appends.push((k, v));
                    tx.fate = Fate::Committing;
                });
                let said = self.say(text, &[int(k), Value::Text(format!("{v},"))]).await?;
                let began = self.tx(|tx| tx.began);
                match said.count {
                    0 => {
                        self.record(|tx| tx.appends.clear());
                        self.saw(k, None, How::Write, began);
                    }
                    _ if text == APPEND_RETURNING => self.saw(k, said.rows.first(), How::Write, began),
                    _ => {}
                }
            }
            Op::Move(from, to, amount) => self.shift(job, from, to, amount).await?,
            Op::Put(item) => self.effect(Effect::Put(item), PUT, &[int(item)]).await?,
            Op::Large(n) => {
                let body = Value::Text("x".repeat(LARGE_BYTES));
                self.effect(Effect::Large(n), LARGE, &[int(n), body]).await?;
            }
            Op::Heavy(n, rows) => self.effect(Effect::Large(n), HEAVY, &[int(n), int(rows)]).await?,
            _ => {
                let said = self.say(SUM, &[]).await?;
                self.balances(&said.rows, "at once");
            }
        }
        Ok(())
    }

    /// A statement that does one thing.
    async fn effect(&mut self, effect: Effect, text: &str, params: &[Value]) -> SqlResult<()> {
        self.record(|tx| {
            tx.effects.insert(effect);
            tx.fate = Fate::Committing;
        });
        self.say(text, params).await.map(drop)
    }

    // --- other errands ------------------------------------------------------------------------------------------

    async fn errand(&mut self, errand: Errand) -> Fate {
        let done = match errand {
            Errand::Define(number, definition) => self.define(number, definition).await,
            Errand::Hold(key, time) => self.hold(key, time).await,
            Errand::Listen(time) => self.listen(time).await,
        };
        match done {
            Ok(()) => Fate::Committed,
            Err(error) if is_unknown(&error) => Fate::Unknown,
            Err(error) => Fate::Gone(error.code.as_str().to_owned()),
        }
    }

    /// What a session has defined is there for what it says next.
    async fn define(&mut self, number: i64, definition: Definition) -> SqlResult<()> {
        let table = format!("bystander_{number}");
        self.record(|tx| tx.fate = Fate::Committing);
        match definition {
            Definition::Table => {
                self.record(|tx| tx.effects.extend([Effect::Table(number)]));
                self.order(&format!("CREATE TABLE {table} (id int PRIMARY KEY, n int)")).await?;
                let used = self.say(&format!("INSERT INTO {table} VALUES ($1, 0)"), &[Value::Int(1)]).await;
                let _ = self.must_know(&table, used);
                let used = self.say(&format!("SELECT n FROM {table} WHERE id = $1"), &[Value::Int(1)]).await;
                let _ = self.must_know(&table, used);
                // What is compiled by the catalog before has another form.
                if self.order(&format!("ALTER TABLE {table} ADD COLUMN m int")).await.is_ok() {
                    let used = self.say(&format!("SELECT * FROM {table}"), &[]).await;
                    let _ = self.must_know(&table, used);
                }
                Ok(())
            }
            Definition::Block => {
                self.record(|tx| tx.effects.extend([Effect::Table(number)]));
                self.order("BEGIN").await?;
                self.order(&format!("CREATE TABLE {table} (id int PRIMARY KEY)")).await?;
                let used = self.order(&format!("INSERT INTO {table} VALUES (1)")).await;
                self.must_know(&table, used)?;
                self.order(&format!("ALTER TABLE {table} ADD COLUMN n int NOT NULL DEFAULT 0")).await?;
                let used = self.order(&format!("CREATE INDEX ON {table} (n)")).await;
                self.must_know(&table, used)?;
                self.order("COMMIT").await.map(drop)
            }
            Definition::Column => {
                self.order(&format!("ALTER TABLE account ADD COLUMN extra_{number} int NOT NULL DEFAULT 7")).await?;
                let text = format!("SELECT extra_{number} FROM account WHERE id = $1");
                let used = self.say(&text, &[Value::Int(0)]).await;
                let _ = self.must_know(&format!("extra_{number}"), used);
                Ok(())
            }
            Definition::Index => {
                self.order(&format!("CREATE INDEX extra_{number} ON list (items)")).await?;
                let used = self.order(&format!("DROP INDEX extra_{number}")).await;
                let _ = self.must_know(&format!("extra_{number}"), used);
                Ok(())
            }
        }
    }

    fn must_know(&self, what: &str, used: SqlResult<Said>) -> SqlResult<Said> {
        const UNKNOWN: [&str; 4] = ["42P01", "42703", "42704", "0A000"];
        if let Err(error) = &used
            && UNKNOWN.contains(&error.code.as_str())
        {
            self.wrong(format!("{what} is unknown to the session that defined it: {error:?}"));
        }
        used
    }

    async fn hold(&mut self, key: i64, time: u64) -> SqlResult<()> {
        let int = Value::Int;
        self.say(HOLD, &[int(key)]).await?;
        self.locked(Row::Advisory(key), true);
        self.think(time).await;
        let now = self.now();
        self.record(|tx| tx.closed = now);
        let said = self.say(LET_GO, &[int(key)]).await?;
        match said.rows.first().map(Vec::as_slice) {
            Some([Value::Int(1)]) => Ok(()),
            other => {
                self.wrong(format!("an advisory lock was not there to be given back: {other:?}"));
                Ok(())
            }
        }
    }

    /// What is announced comes in the order of the log, and all of it.
    async fn listen(&mut self, time: u64) -> SqlResult<()> {
        self.order("LISTEN moves").await?;
        let now = self.now();
        self.record(|tx| tx.heard = Some((now, Vec::new())));
        for _ in 0..4 {
            self.think(time / 4).await;
            let letters = self.connection.letters()?;
            let numbers: Vec<i64> = letters.iter().filter_map(|letter| letter.parse().ok()).collect();
            self.record(|tx| tx.heard.iter_mut().for_each(|(_, heard)| heard.extend(&numbers)));
        }
        Ok(())
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
