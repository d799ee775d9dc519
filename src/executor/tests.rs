//! Transactions as scripts: several sessions, one group, a log in memory that applies at once.
//!
//! A line is `session: statement`; what is answered stands behind it. A statement that has to wait for another session
//! says `…`, and its answer follows when it comes.

use super::*;
use crate::command::{
    self, Batch, Claim, Command, Definition, Frozen, Proposal, Seen, Statement as Sql, StepOutcome, Write, Yields,
};
use crate::engine::{self, Engine};
use crate::host::Machine;
use crate::id::RequestId;
use crate::replica::{Committed, Payload, Position, StateMachine};
use crate::sql::plan::{IsolationLevel, PlanKind, RowLock, Utility};
use crate::sql::{Scope, compile, parse};
use crate::transaction::{Holdings, Limits as TranscriptLimits, Locking, Terms, Trial};
use crate::value::Value;
use std::fmt::Write as _;
use std::sync::atomic::AtomicU64;

/// Where everything is.
const HERE: NodeId = NodeId(1);

struct Memory {
    engine: Mutex<Engine>,
    shared: Arc<Shared>,
    term: AtomicU64,
    /// Committed by others and not applied here until somebody asks for a read point.
    unseen: Mutex<Option<Write>>,
    /// What the gateway knows of locks, and whether it is heard.
    holdings: Mutex<Holdings>,
    silent: AtomicBool,
}

impl Memory {
    fn apply(&self, request: RequestId, write: Write) -> Outcome {
        self.apply_proposal(Proposal { request, body: command::encode(&Command::Write(write)) })
    }

    fn apply_proposal(&self, proposal: Proposal) -> Outcome {
        self.apply_entry(proposal).1
    }

    fn apply_entry(&self, proposal: Proposal) -> (Committed, Outcome) {
        let mut engine = self.engine.lock();
        let index = engine.applied().index + 1;
        let batch = Batch { now: 1_000_000 * index as i64, seed: index, commands: vec![proposal] };
        let at = Position { index, term: self.term.load(Ordering::SeqCst) };
        let entry = Committed { at, payload: Payload::Batch(command::encode(&batch)) };
        let applied = engine.apply(std::slice::from_ref(&entry)).unwrap();
        (entry, (*applied[0].outcome).clone())
    }
}

impl Log for Memory {
    fn now(&self) -> i64 {
        crate::clock::now_micros()
    }

    fn term(&self) -> Option<u64> {
        Some(self.term.load(Ordering::SeqCst)).filter(|term| *term > 0)
    }

    fn propose(&self, command: Command, _: Option<u64>) -> BoxFuture<'static, Result<Outcome, Trouble>> {
        let request = RequestId { origin: rand::random(), seq: rand::random() };
        let outcome = self.apply_proposal(Proposal { request, body: command::encode(&command) });
        Box::pin(async move { Ok(outcome) })
    }

    fn hear(&self, tenure: Tenure) -> BoxFuture<'static, Vec<Heard>> {
        let heard = !self.silent.load(Ordering::SeqCst);
        let claims = self.holdings.lock().claim(tenure, HERE).filter(|_| heard);
        Box::pin(async { claims.map(|claims| Heard { gateway: None, claims }).into_iter().collect() })
    }

    fn read_point(&self, _: Instant) -> BoxFuture<'static, Result<(), Trouble>> {
        if let Some(write) = self.unseen.lock().take() {
            self.apply(RequestId { origin: rand::random(), seq: 0 }, write);
        }
        Box::pin(async { Ok(()) })
    }
}

#[derive(Clone)]
struct Db {
    log: Arc<Memory>,
    executor: Arc<Mutex<Arc<Executor>>>,
    _directory: Arc<tempfile::TempDir>,
}

/// A gateway's part, for one client.
struct Session {
    db: Db,
    name: TxName,
    epoch: u64,
    transcript: Option<Transcript>,
    /// The catalog after changes of its own; and what it was at each savepoint.
    own: Option<Arc<crate::sql::catalog::Catalog>>,
    marked: Vec<Option<Arc<crate::sql::catalog::Catalog>>>,
    attached: bool,
    marks: Vec<usize>,
    failed: bool,
    current: Vec<(u32, i64)>,
    /// Something in the block may have no end.
    open: bool,
}

impl Db {
    fn new(setup: &str) -> Db {
        let directory = tempfile::tempdir().unwrap();
        let dialect = engine::Dialect {
            register: Arc::new(crate::functions::sqlite::register),
            load_catalog: Arc::new(|known, rows| crate::sql::catalog::Catalog::load(known, rows)),
            decode_error: crate::functions::sqlite::decode_error,
            explain_error: Arc::new(crate::sql::violation::explain),
            show_view: crate::sql::view::shown,
        };
        let mut options = engine::Options::new(directory.path(), dialect);
        options.migrations = crate::sql::database_migrations().to_vec();
        let (engine, shared) = Engine::open(options).unwrap();
        let log = Arc::new(Memory {
            engine: Mutex::new(engine),
            shared: shared.clone(),
            term: AtomicU64::new(1),
            unseen: Mutex::default(),
            holdings: Mutex::default(),
            silent: AtomicBool::new(false),
        });
        let executor = Arc::new(Mutex::new(Executor::new(shared, log.clone(), Machine::shared(), Limits::default())));
        let db = Db { log, executor, _directory: Arc::new(directory) };
        for statement in setup.split(';').map(str::trim).filter(|s| !s.is_empty()) {
            db.commit(statement);
        }
        db
    }

    fn executor(&self) -> Arc<Executor> {
        self.executor.lock().clone()
    }

    /// The leader dies; another one, with the same state, takes over.
    fn change_leader(&self) {
        self.executor.lock().clear();
        self.log.term.fetch_add(1, Ordering::SeqCst);
        *self.executor.lock() =
            Executor::new(self.log.shared.clone(), self.log.clone(), Machine::shared(), Limits::default());
    }

    fn plan(&self, text: &str, catalog: &crate::sql::catalog::Catalog) -> SqlResult<crate::sql::plan::Plan> {
        let (env, path) = (Env::default(), vec!["public".to_owned()]);
        let scope = Scope::plain(catalog, &path, &env, "quorate", "quorate");
        compile(&parse(text)?[0], &scope)
    }

    fn write_of(&self, text: &str) -> Write {
        let catalog = self.log.shared.catalog();
        let plan = self.plan(text, &catalog).unwrap_or_else(|e| panic!("{text}: {e}"));
        let PlanKind::Write(write) = plan.kind else { panic!("{text} is no write") };
        let step = Step { statements: write.statements, params: vec![vec![]], ddl: write.ddl, ..Step::default() };
        let born = self.log.shared.applied();
        Write { schema_version: catalog.version, born, env: Env::default(), steps: vec![step], transaction: None }
    }

    /// Applies a write; the entry of the log that it is.
    fn commit(&self, text: &str) -> Committed {
        let request = RequestId { origin: rand::random(), seq: 0 };
        let body = command::encode(&Command::Write(self.write_of(text)));
        let (entry, outcome) = self.log.apply_entry(Proposal { request, body });
        assert!(matches!(outcome, Outcome::Done(_)), "{text}: {outcome:?}");
        entry
    }

    fn trial_of(&self, text: &str) -> Trial {
        let catalog = self.log.shared.catalog();
        let PlanKind::Write(plan) = self.plan(text, &catalog).unwrap().kind else { panic!("{text} is no write") };
        let mut write = self.write_of(text);
        if plan.lock.is_some() {
            write.steps[0].params[0].push(Value::Null);
        }
        let statement = |step| Statement {
            step: Step { frozen: Some(Frozen { now: 5, seed: rand::random(), ..Frozen::default() }), ..step },
            kind: Kind::Write,
            lock: None,
            before: plan.lock.as_ref().map(before),
            schema_version: Some(catalog.version),
            ordered: false,
            immediate: Vec::new(),
            effort: plan.effort,
        };
        let statements = write.steps.into_iter().map(statement).collect();
        let (env, born, draws) = (write.env, write.born, plan.draws);
        Trial { env, schema_version: catalog.version, born, statements, draws }
    }

    fn session(&self) -> Session {
        let name = TxName { origin: rand::random(), seq: 0 };
        let current = Vec::new();
        Session {
            db: self.clone(),
            name,
            epoch: 0,
            transcript: None,
            own: None,
            marked: Vec::new(),
            attached: false,
            marks: Vec::new(),
            failed: false,
            current,
            open: false,
        }
    }
}

fn before(lock: &RowLock) -> Before {
    let locking = Locking { strength: lock.strength, wait: lock.wait, tables: lock.tables.clone() };
    Before { sql: lock.sql.to_string(), lock: locking }
}

fn control(ms: u64, lock_timeout: Option<u64>) -> Control {
    Control::resumed(ms, lock_timeout, Instant::now())
}

fn within(ms: u64) -> Control {
    control(ms, None)
}

/// The terms of a first attempt.
fn first_terms(control: &Control) -> Terms {
    Terms::new(1, Effort::Key, control.remaining(Instant::now()))
}

/// The client's error.
fn sql(trouble: Trouble) -> SqlError {
    match trouble {
        Trouble::Sql(error) => error,
        // The gateway asks again, wherever the leader is.
        Trouble::Void => SqlError::new(state::CANNOT_CONNECT_NOW, "ask again"),
        other => SqlError::internal(format!("{other:?}")),
    }
}

fn concluded(outcome: Outcome) -> SqlResult<Vec<StepOutcome>> {
    match outcome {
        Outcome::Done(done) => Ok(done),
        Outcome::Failed { error, .. } | Outcome::FailedAfter { error, .. } => Err(error),
        Outcome::Refused(refusal) => Err(SqlError::internal(format!("{refusal:?}"))),
    }
}

fn limitless() -> TranscriptLimits {
    TranscriptLimits { bytes: usize::MAX, steps: usize::MAX }
}

impl Session {
    /// Runs a statement and says what came of it.
    async fn run(&mut self, text: &str) -> String {
        match self.attempt(text).await {
            Ok(answer) => answer,
            Err(error) => {
                if self.transcript.is_some() {
                    self.failed = true;
                }
                error.code.as_str().to_owned()
            }
        }
    }

    async fn attempt(&mut self, text: &str) -> SqlResult<String> {
        let catalog = self.own.clone().unwrap_or_else(|| self.db.log.shared.catalog());
        let plan = self.db.plan(text, &catalog)?;
        if let PlanKind::Utility(utility) = &plan.kind {
            return self.utility(utility).await;
        }
        if self.failed {
            return Err(SqlError::new(state::IN_FAILED_SQL_TRANSACTION, "aborted"));
        }
        if self.transcript.is_none() {
            return self.autocommit(text).await;
        }
        let own = self.own.is_some();
        let mut params = vec![];
        let (mut effort, mut inside) = (Effort::Scan, None);
        let (statements, ddl, kind, lock) = match plan.kind {
            PlanKind::Write(write) => {
                effort = write.effort;
                inside = write.lock.as_ref().map(before);
                (write.statements, write.ddl, Kind::Write, None)
            }
            PlanKind::Read(read) => match read.lock {
                None if read.inside.is_some() => {
                    inside = read.inside.as_ref().map(before);
                    (vec![Sql::new(&*read.sql, Yields::Rows)], Definition::None, Kind::LockingRead, None)
                }
                None => (vec![Sql::new(&*read.sql, Yields::Rows)], Definition::None, Kind::Read, None),
                Some(lock) => {
                    effort = if read.short { Effort::Row(None) } else { effort };
                    if lock.wait == LockWait::SkipLocked {
                        params.push(Value::Null);
                    }
                    let yields = Yields::RowsAnd(lock.tables.len() as u8);
                    let sql = Sql::new(&*lock.sql, yields);
                    let locking = Locking { strength: lock.strength, wait: lock.wait, tables: lock.tables };
                    (vec![sql], Definition::None, Kind::LockingRead, Some(locking))
                }
            },
            other => panic!("{other:?}"),
        };
        if inside.is_some() {
            params.push(Value::Null);
        }
        let frozen = Frozen { now: 5, seed: rand::random(), ..Frozen::default() };
        let seen = Some(Box::new(Seen { current: self.current.clone(), ..Seen::default() }));
        let step = Step { statements, params: vec![params], ddl, frozen: Some(frozen), expect: None, seen };
        self.open |= effort == Effort::Open && kind == Kind::Write;
        let schema_version = (!own).then_some(plan.schema_version);
        let ordered = text.contains("ORDER BY");
        let (before, immediate) = (inside, Vec::new());
        let statement = Statement { step, kind, lock, before, schema_version, ordered, immediate, effort };
        match self.order(Action::Run(Box::new(statement))).await? {
            Reply::Ran { outcome, step, kind, catalog: change, .. } => {
                if let Some(change) = change {
                    self.own = Some(Arc::new(catalog.with(&change)));
                }
                self.transcript.as_mut().unwrap().push(*step, kind)?;
                self.current.extend(&outcome.drawn);
                Ok(shown(&outcome))
            }
            Reply::SchemaChanged { .. } => Box::pin(self.attempt(text)).await,
            other => panic!("{other:?}"),
        }
    }

    async fn autocommit(&mut self, text: &str) -> SqlResult<String> {
        let catalog = self.db.log.shared.catalog();
        if let PlanKind::Read(read) = self.db.plan(text, &catalog)?.kind {
            if read.lock.is_some() || read.inside.is_some() {
                self.begin(Isolation::ReadCommitted);
                let result = Box::pin(self.attempt(text)).await;
                self.end();
                return result;
            }
            let views = Views::new(self.db.log.shared.clone(), ForkOptions::default());
            let mut view = views.open().map_err(work::machine)?;
            let statements = vec![Sql::new(&*read.sql, Yields::Rows)];
            let step = Step { statements, params: vec![vec![]], ..Step::default() };
            return match view.runner().run(&step, None) {
                Ok((outcome, _)) => Ok(shown(&outcome)),
                Err(error) => Err(SqlError::internal(format!("{error:?}"))),
            };
        }
        let PlanKind::Write(plan) = self.db.plan(text, &catalog)?.kind else { panic!("{text} is no write") };
        let control = within(10_000);
        let request = RequestId { origin: rand::random(), seq: 0 };
        let executor = self.db.executor();
        if plan.effort >= Effort::Pass || plan.lock.is_some() {
            return match executor
                .try_write(request, &first_terms(&control), &self.db.trial_of(text), None, &control)
                .await
            {
                Tried::Ready(write, admission) => {
                    let outcome = self.db.log.apply(request, *write);
                    admission.conclude(&outcome);
                    concluded(outcome).map(|done| shown(&done[0]))
                }
                Tried::Failed { error, .. } => Err(error),
                Tried::SchemaChanged(_) | Tried::Again => Err(SqlError::internal("not tried")),
            };
        }
        self.name.seq += 1;
        let write = self.db.write_of(text);
        self.put(write, plan.effort).await.map(|done| shown(&done[0]))
    }

    async fn utility(&mut self, utility: &Utility) -> SqlResult<String> {
        match utility {
            Utility::Begin(modes) => {
                self.begin(modes.isolation.map_or(Isolation::ReadCommitted, IsolationLevel::isolation));
            }
            Utility::Savepoint(name) => {
                self.transcript.as_mut().unwrap().savepoint(name);
                self.marked.push(self.own.clone());
                self.marks.push(self.db.log.holdings.lock().count(self.name));
                self.follow(Action::Savepoint(name.clone())).await?;
            }
            Utility::Release(name) => {
                let level = self.transcript.as_mut().unwrap().release(name)?;
                self.marked.truncate(level.0);
                self.marks.truncate(level.0);
                self.follow(Action::Release(name.clone())).await?;
            }
            Utility::RollbackTo(name) => {
                let level = self.transcript.as_mut().unwrap().rollback_to(name)?;
                self.marked.truncate(level.0 + 1);
                self.own = self.marked.last().cloned().flatten();
                self.marks.truncate(level.0 + 1);
                self.db.log.holdings.lock().truncate(self.name, self.marks[level.0]);
                self.failed = false;
                self.follow(Action::RollbackTo(name.clone())).await?;
            }
            Utility::LockTable { tables, mode, nowait } => {
                let action = Action::Lock { tables: tables.clone(), mode: *mode, nowait: *nowait };
                self.order(action).await?;
            }
            Utility::Commit { .. } if !self.failed => return self.commit().await,
            Utility::Rollback { .. } | Utility::Commit { .. } => {
                self.end();
                return Ok("ROLLBACK".into());
            }
            other => panic!("{other:?}"),
        }
        Ok("ok".into())
    }

    fn begin(&mut self, isolation: Isolation) {
        self.name.seq += 1;
        self.transcript = Some(Transcript::new(isolation, limitless()));
        (self.attached, self.open) = (false, false);
        self.marks.clear();
    }

    fn end(&mut self) {
        (self.transcript, self.failed) = (None, false);
        (self.own, self.marked) = (None, Vec::new());
        self.db.log.holdings.lock().end(self.name);
        self.db.executor().end(self.name);
    }

    async fn commit(&mut self) -> SqlResult<String> {
        let shared = self.db.log.shared.clone();
        let transcript = self.transcript.clone().unwrap();
        let write = transcript.into_write(shared.schema_version(), shared.applied(), Env::default());
        let result = match write {
            None => self.vouch().await.map(|()| "COMMIT".into()),
            Some(write) => {
                let effort = if self.open { Effort::Open } else { Effort::Key };
                self.put(write, effort).await.map(|_| "COMMIT".into())
            }
        };
        self.end();
        result
    }

    /// Puts a write into the log, as the leader admits it.
    async fn put(&mut self, write: Write, effort: Effort) -> SqlResult<Vec<StepOutcome>> {
        let control = within(10_000);
        let mut terms = Terms::new(1, effort, control.remaining(Instant::now()));
        terms.commit = write.transaction.is_some();
        let proposal = Proposal { request: self.name, body: command::encode(&Command::Write(write)) };
        let mut admission = self.db.executor().admit(&proposal, &terms, &control).await.map_err(sql)?;
        let outcome = self.db.log.apply_proposal(admission.shape(proposal).0);
        admission.conclude(&outcome);
        concluded(outcome)
    }

    async fn vouch(&mut self) -> SqlResult<()> {
        if self.db.log.holdings.lock().count(self.name) > 0 {
            self.order(Action::Vouch).await?;
        }
        Ok(())
    }

    async fn follow(&mut self, action: Action) -> SqlResult<()> {
        if !self.attached {
            return Ok(());
        }
        let known = self.db.log.holdings.lock().count(self.name);
        let order = Order { name: self.name, epoch: self.epoch, action, known, within: 10_000, lock_timeout: None };
        self.attached = matches!(self.db.executor().order(order).await, Reply::Done);
        Ok(())
    }

    async fn order(&mut self, action: Action) -> SqlResult<Reply> {
        loop {
            if !self.attached {
                self.epoch += 2;
                let transcript = self.transcript.clone().unwrap();
                let holds = self.db.log.holdings.lock().open(self.name, self.epoch, HERE);
                let (env, marks) = (Env::default(), self.marks.clone());
                let (name, epoch) = (self.name, self.epoch);
                let open = Open { name, epoch, env, transcript, gateway: None, marks, holds, within: 10_000 };
                match self.db.executor().open(open).await {
                    Reply::Done => self.attached = true,
                    Reply::Failed(error) => return Err(error),
                    _ => {
                        tokio::time::sleep(Duration::from_millis(1)).await;
                        continue;
                    }
                }
            }
            let lock_timeout = Some(3000);
            let known = self.db.log.holdings.lock().count(self.name);
            let (name, epoch, action) = (self.name, self.epoch, action.clone());
            let order = Order { name, epoch, action, known, within: 10_000, lock_timeout };
            match self.db.executor().order(order).await {
                Reply::Unknown | Reply::NotLeader => self.attached = false,
                Reply::Failed(error) => {
                    let left = self.marks.last().copied().unwrap_or(0);
                    self.db.log.holdings.lock().truncate(self.name, left);
                    return Err(error);
                }
                Reply::Ran { outcome, step, kind, catalog, granted } => {
                    if self.db.log.holdings.lock().granted(self.name, granted) {
                        return Ok(Reply::Ran { outcome, step, kind, catalog, granted: Granted::default() });
                    }
                    self.attached = false;
                }
                Reply::Locked(granted) => {
                    if self.db.log.holdings.lock().granted(self.name, granted) {
                        return Ok(Reply::Done);
                    }
                    self.attached = false;
                }
                reply => return Ok(reply),
            }
        }
    }
}

fn shown(outcome: &StepOutcome) -> String {
    if outcome.rows.is_empty() {
        return outcome.count.to_string();
    }
    let value = |value: &Value| match value {
        Value::Int(i) => i.to_string(),
        Value::Text(text) => text.clone(),
        other => format!("{other:?}"),
    };
    let row = |row: &Vec<Value>| row.iter().map(value).collect::<Vec<_>>().join(" ");
    format!("[{}]", outcome.rows.iter().map(row).collect::<Vec<_>>().join(", "))
}

/// Plays a script and returns it with its answers.
fn play(db: &Db, script: &str) -> String {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let mut sessions: BTreeMap<String, Arc<tokio::sync::Mutex<Session>>> = BTreeMap::new();
        let mut waiting: BTreeMap<String, tokio::task::JoinHandle<String>> = BTreeMap::new();
        let mut out = String::new();
        let in_office = async || db.executor().in_office(&within(10_000)).await.unwrap();
        in_office().await;
        for line in script.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let (who, text) = line.split_once(": ").unwrap();
            // Whatever is said behind the arrow is what we expect. That a statement waits is seen after a while; an answer
            // may take its time on a busy machine.
            let (text, expected) = text.split_once("->").unwrap_or((text, ""));
            let (text, waits) = (text.trim(), expected.trim() == "…");
            let patience = Duration::from_millis(if waits { 150 } else { 20_000 });
            if who == "leader" {
                db.log.silent.store(text.contains("unheard"), Ordering::SeqCst);
                db.change_leader();
                in_office().await;
                let _ = writeln!(out, "leader: {text}");
                continue;
            }
            let session = sessions.entry(who.to_owned()).or_insert_with(|| Arc::new(db.session().into())).clone();
            if text == "(answer)" {
                let answer = waiting.remove(who).unwrap_or_else(|| panic!("{out}")).await.unwrap();
                let _ = writeln!(out, "{who}: (answer) -> {answer}");
                continue;
            }
            let statement = text.to_owned();
            let mut task = tokio::spawn(async move { session.lock().await.run(&statement).await });
            match tokio::time::timeout(patience, &mut task).await {
                Ok(answer) => {
                    let _ = writeln!(out, "{who}: {text} -> {}", answer.unwrap());
                }
                Err(_) => {
                    let _ = writeln!(out, "{who}: {text} -> …");
                    waiting.insert(who.to_owned(), task);
                }
            }
        }
        assert!(waiting.is_empty(), "{out}");
        out
    })
}

/// A script must be answered as it says.
fn check(db: &Db, script: &str) {
    let lines = |text: &str| {
        text.lines().map(str::trim).filter(|l| !l.is_empty()).map(|l| format!("{l}\n")).collect::<String>()
    };
    pretty_assertions(&play(db, script), &lines(script));
}

fn pretty_assertions(got: &str, wanted: &str) {
    assert!(got == wanted, "got:\n{got}\nwanted:\n{wanted}");
}

const ACCOUNTS: &str = "CREATE TABLE a (id int PRIMARY KEY, v int); INSERT INTO a VALUES (1, 10), (2, 20), (3, 30)";

#[test]
fn nothing_dirty_is_read_or_written() {
    check(
        &Db::new(ACCOUNTS),
        "s1: BEGIN -> ok
         s1: UPDATE a SET v = 11 WHERE id = 1 -> 1
         s2: SELECT v FROM a WHERE id = 1 -> [10]
         s2: BEGIN -> ok
         s2: SELECT v FROM a WHERE id = 1 -> [10]
         s2: UPDATE a SET v = v + 100 WHERE id = 1 -> …
         s1: SELECT v FROM a WHERE id = 1 -> [11]
         s1: COMMIT -> COMMIT
         s2: (answer) -> 1
         s2: SELECT v FROM a WHERE id = 1 -> [111]
         s2: COMMIT -> COMMIT
         s1: SELECT v FROM a WHERE id = 1 -> [111]
         s1: BEGIN -> ok
         s1: UPDATE a SET v = 0 WHERE id = 2 -> 1
         s1: ROLLBACK -> ROLLBACK
         s1: SELECT v FROM a WHERE id = 2 -> [20]",
    );
}

#[test]
fn an_update_is_lost_only_where_it_may_be() {
    for (level, read, second, last) in [
        ("READ COMMITTED", "[11]", "1", "COMMIT"),
        ("REPEATABLE READ", "[10]", "40001", "ROLLBACK"),
        ("SERIALIZABLE", "[10]", "40001", "ROLLBACK"),
    ] {
        let then = if second == "1" { read } else { "25P02" };
        check(
            &Db::new(ACCOUNTS),
            &format!(
                "s1: BEGIN ISOLATION LEVEL {level} -> ok
                 s2: BEGIN ISOLATION LEVEL {level} -> ok
                 s1: SELECT v FROM a WHERE id = 1 -> [10]
                 s2: SELECT v FROM a WHERE id = 1 -> [10]
                 s1: UPDATE a SET v = 11 WHERE id = 1 -> 1
                 s2: UPDATE a SET v = 11 WHERE id = 1 -> …
                 s1: COMMIT -> COMMIT
                 s2: (answer) -> {second}
                 s2: SELECT v FROM a WHERE id = 1 -> {then}
                 s2: COMMIT -> {last}"
            ),
        );
    }
}

#[test]
fn snapshots_hold() {
    for (level, repeated, counted) in
        [("READ COMMITTED", "[11]", "[4]"), ("REPEATABLE READ", "[10]", "[3]"), ("SERIALIZABLE", "[10]", "[3]")]
    {
        check(
            &Db::new(ACCOUNTS),
            &format!(
                "s1: BEGIN ISOLATION LEVEL {level} -> ok
                 s1: SELECT v FROM a WHERE id = 1 -> [10]
                 s1: SELECT count(*) FROM a -> [3]
                 s2: UPDATE a SET v = 11 WHERE id = 1 -> 1
                 s2: INSERT INTO a VALUES (4, 40) -> 1
                 s1: SELECT v FROM a WHERE id = 1 -> {repeated}
                 s1: SELECT count(*) FROM a -> {counted}
                 s1: COMMIT -> COMMIT"
            ),
        );
    }
}

#[test]
fn write_skew_is_possible_below_serializable_only() {
    for (level, end) in [("REPEATABLE READ", "COMMIT"), ("SERIALIZABLE", "40001")] {
        check(
            &Db::new(ACCOUNTS),
            &format!(
                "s1: BEGIN ISOLATION LEVEL {level} -> ok
                 s2: BEGIN ISOLATION LEVEL {level} -> ok
                 s1: SELECT sum(v) FROM a WHERE id <= 2 -> [30]
                 s2: SELECT sum(v) FROM a WHERE id <= 2 -> [30]
                 s1: UPDATE a SET v = v - 30 WHERE id = 1 -> 1
                 s2: UPDATE a SET v = v - 30 WHERE id = 2 -> 1
                 s1: COMMIT -> COMMIT
                 s2: COMMIT -> {end}"
            ),
        );
    }
}

#[test]
fn for_update_hands_over() {
    check(
        &Db::new(ACCOUNTS),
        "s1: BEGIN -> ok
         s1: SELECT v FROM a WHERE id = 1 FOR UPDATE -> [10]
         s2: BEGIN -> ok
         s2: SELECT v FROM a WHERE id = 1 FOR UPDATE NOWAIT -> 55P03
         s2: ROLLBACK -> ROLLBACK
         s2: BEGIN -> ok
         s2: SELECT v FROM a WHERE id = 1 FOR UPDATE -> …
         s3: UPDATE a SET v = v + 5 WHERE id = 1 -> …
         s1: UPDATE a SET v = 11 WHERE id = 1 -> 1
         s1: COMMIT -> COMMIT
         s2: (answer) -> [11]
         s2: UPDATE a SET v = 12 WHERE id = 1 -> 1
         s2: COMMIT -> COMMIT
         s3: (answer) -> 1
         s3: SELECT v FROM a WHERE id = 1 -> [17]",
    );
}

#[test]
fn skip_locked_skips_and_keeps_the_limit() {
    check(
        &Db::new(ACCOUNTS),
        "s1: BEGIN -> ok
         s1: SELECT id FROM a ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED -> [1]
         s2: BEGIN -> ok
         s2: SELECT id FROM a ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED -> [2]
         s3: BEGIN -> ok
         s3: SELECT id FROM a ORDER BY id LIMIT 5 FOR UPDATE SKIP LOCKED -> [3]
         s2: DELETE FROM a WHERE id = 2 -> 1
         s2: COMMIT -> COMMIT
         s3: DELETE FROM a WHERE id = 3 -> 1
         s3: COMMIT -> COMMIT
         s1: DELETE FROM a WHERE id = 1 -> 1
         s1: COMMIT -> COMMIT
         s1: SELECT count(*) FROM a -> [0]",
    );
}

#[test]
fn deadlocks_of_two_and_three_are_broken() {
    check(
        &Db::new(ACCOUNTS),
        "s1: BEGIN -> ok
         s2: BEGIN -> ok
         s1: UPDATE a SET v = 1 WHERE id = 1 -> 1
         s2: UPDATE a SET v = 2 WHERE id = 2 -> 1
         s1: UPDATE a SET v = 1 WHERE id = 2 -> …
         s2: UPDATE a SET v = 2 WHERE id = 1 -> 40P01
         s1: (answer) -> 1
         s2: ROLLBACK -> ROLLBACK
         s1: COMMIT -> COMMIT",
    );
    check(
        &Db::new(ACCOUNTS),
        "s1: BEGIN -> ok
         s2: BEGIN -> ok
         s3: BEGIN -> ok
         s1: UPDATE a SET v = 1 WHERE id = 1 -> 1
         s2: UPDATE a SET v = 2 WHERE id = 2 -> 1
         s3: UPDATE a SET v = 3 WHERE id = 3 -> 1
         s1: UPDATE a SET v = 1 WHERE id = 2 -> …
         s2: UPDATE a SET v = 2 WHERE id = 3 -> …
         s3: UPDATE a SET v = 3 WHERE id = 1 -> 40P01
         s2: (answer) -> 1
         s2: COMMIT -> COMMIT
         s1: (answer) -> 1
         s1: COMMIT -> COMMIT
         s3: ROLLBACK -> ROLLBACK
         s3: SELECT v FROM a ORDER BY id -> [1, 1, 2]",
    );
}

#[test]
fn savepoints_undo_work_and_locks() {
    check(
        &Db::new(ACCOUNTS),
        "s1: BEGIN -> ok
         s1: UPDATE a SET v = 11 WHERE id = 1 -> 1
         s1: SAVEPOINT x -> ok
         s1: UPDATE a SET v = 21 WHERE id = 2 -> 1
         s1: INSERT INTO a VALUES (1, 0) -> 23505
         s1: SELECT v FROM a -> 25P02
         s1: ROLLBACK TO x -> ok
         s2: UPDATE a SET v = 22 WHERE id = 2 -> 1
         s1: SELECT v FROM a ORDER BY id -> [11, 22, 30]
         s1: SAVEPOINT x -> ok
         s1: UPDATE a SET v = 31 WHERE id = 3 -> 1
         s1: RELEASE x -> ok
         s1: COMMIT -> COMMIT
         s1: SELECT v FROM a ORDER BY id -> [11, 22, 31]",
    );
}

#[test]
fn the_leader_dies_in_the_middle() {
    for level in ["READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE"] {
        check(
            &Db::new("CREATE TABLE a (id serial PRIMARY KEY, v int); INSERT INTO a (v) VALUES (10)"),
            &format!(
                "s1: BEGIN ISOLATION LEVEL {level} -> ok
                 s1: SELECT v FROM a WHERE id = 1 -> [10]
                 s1: INSERT INTO a (v) VALUES (5) RETURNING id -> [2]
                 s1: SAVEPOINT x -> ok
                 s1: UPDATE a SET v = 11 WHERE id = 1 -> 1
                 leader: dies
                 s2: INSERT INTO a (v) VALUES (6) RETURNING id -> [3]
                 s1: UPDATE a SET v = v + 1 WHERE id = 1 -> 1
                 leader: dies
                 s1: ROLLBACK TO x -> ok
                 s1: SELECT v FROM a WHERE id <= 2 ORDER BY id -> [10, 5]
                 s1: COMMIT -> COMMIT
                 s2: SELECT id, v FROM a ORDER BY id -> [1 10, 2 5, 3 6]"
            ),
        );
    }
}

#[test]
fn what_changed_under_a_lost_lock_is_noticed() {
    check(
        &Db::new(ACCOUNTS),
        "s1: BEGIN -> ok
         s1: SELECT v FROM a WHERE id = 1 FOR UPDATE -> [10]
         leader: dies unheard
         s2: UPDATE a SET v = 99 WHERE id = 1 -> 1
         s1: UPDATE a SET v = 11 WHERE id = 1 -> 40001
         s1: COMMIT -> ROLLBACK",
    );
}

#[test]
fn sequences_never_collide() {
    check(
        &Db::new("CREATE TABLE a (id serial PRIMARY KEY, v int)"),
        "s1: BEGIN -> ok
         s2: BEGIN -> ok
         s1: INSERT INTO a (v) VALUES (1), (2), (3) RETURNING id -> [1, 2, 3]
         s2: INSERT INTO a (v) VALUES (4) RETURNING id -> [4]
         s3: INSERT INTO a (v) VALUES (5) -> 1
         s1: INSERT INTO a (v) VALUES (6) -> 1
         s1: SELECT currval('a_id_seq') = max(id) FROM a WHERE v = 6 -> [1]
         s2: ROLLBACK -> ROLLBACK
         s1: COMMIT -> COMMIT
         s3: SELECT count(*), count(DISTINCT id) FROM a -> [5 5]",
    );
}

#[test]
fn a_schema_change_is_part_of_a_transaction() {
    check(
        &Db::new(ACCOUNTS),
        "s1: BEGIN -> ok
         s1: CREATE TABLE b (id serial PRIMARY KEY, t text) -> 0
         s1: INSERT INTO b (t) VALUES ('x'), ('y') RETURNING id -> [1, 2]
         s1: SELECT t FROM b ORDER BY id -> [x, y]
         s2: UPDATE a SET v = 0 WHERE id = 1 -> 1
         s1: COMMIT -> COMMIT
         s2: INSERT INTO b (t) VALUES ('z') RETURNING id -> [3]
         s1: BEGIN -> ok
         s1: DROP TABLE b -> 0
         s1: ROLLBACK -> ROLLBACK
         s2: SELECT count(*) FROM b -> [3]",
    );
}

#[test]
fn rows_without_a_key_do_not_get_in_each_others_way() {
    check(
        &Db::new("CREATE TABLE h (v int)"),
        "s1: BEGIN -> ok
         s2: BEGIN -> ok
         s1: INSERT INTO h VALUES (1) -> 1
         s2: INSERT INTO h VALUES (2) -> 1
         s2: UPDATE h SET v = 3 WHERE v = 2 -> 1
         s3: INSERT INTO h VALUES (4) -> 1
         s1: COMMIT -> COMMIT
         s2: COMMIT -> COMMIT
         s3: SELECT v FROM h ORDER BY v -> [1, 3, 4]",
    );
}

#[test]
fn tables_are_locked() {
    check(
        &Db::new(ACCOUNTS),
        "s1: BEGIN -> ok
         s1: LOCK TABLE a IN EXCLUSIVE MODE -> ok
         s2: UPDATE a SET v = 0 WHERE id = 1 -> …
         s3: BEGIN -> ok
         s3: LOCK TABLE a IN SHARE MODE NOWAIT -> 55P03
         s3: ROLLBACK -> ROLLBACK
         s1: COMMIT -> COMMIT
         s2: (answer) -> 1",
    );
}

/// A gateway at another node, with a transaction that has changed row 1.
async fn elsewhere(db: &Db, number: u64) -> TxName {
    let name = TxName { origin: 1, seq: number };
    let transcript = Transcript::new(Isolation::ReadCommitted, limitless());
    let (gateway, env) = (Some(NodeId(2)), Env::default());
    let open = Open { name, epoch: 1, env, transcript, gateway, marks: Vec::new(), holds: false, within: 10_000 };
    let executor = db.executor();
    assert!(matches!(executor.open(open).await, Reply::Done));
    let tables = vec![db.log.shared.catalog().relations.values().next().unwrap().oid];
    let action = Action::Lock { tables, mode: LockMode::Exclusive, nowait: true };
    let order = Order { name, epoch: 1, action, known: 0, within: 10_000, lock_timeout: None };
    assert!(matches!(executor.order(order).await, Reply::Locked(granted) if granted.locks.len() == 1));
    name
}

async fn soon(holds: impl Fn() -> bool) {
    for _ in 0..500 {
        if holds() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("it does not happen");
}

#[test]
fn a_gateway_that_dies_lets_go() {
    let db = Db::new(ACCOUNTS);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        elsewhere(&db, 1).await;
        let executor = db.executor();
        executor.sweep(Instant::now() + Limits::default().lease / 2);
        assert_eq!(executor.open_transactions(), 1);
        executor.sweep(Instant::now() + Limits::default().lease * 2);
        soon(|| executor.open_transactions() == 0).await;
        assert!(executor.locks().is_empty());
        // At once if it is known to be gone.
        elsewhere(&db, 2).await;
        executor.gateway_gone(NodeId(3));
        tokio::time::sleep(Duration::from_millis(20)).await;
        assert_eq!(executor.open_transactions(), 1);
        executor.gateway_gone(NodeId(2));
        soon(|| executor.open_transactions() == 0).await;
        assert!(executor.locks().is_empty());
    });
}

/// What has been taken away is not believed by the next leader, whatever the gateway says.
#[test]
fn what_was_taken_away_stays_away() {
    let db = Db::new(ACCOUNTS);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let [lost, kept] = [elsewhere(&db, 1).await, TxName { origin: 2, seq: 1 }];
        let executor = db.executor();
        executor.gateway_gone(NodeId(2));
        soon(|| executor.open_transactions() == 0).await;
        let since = Tenure { term: 1, round: 1 };
        let tenure = Tenure { term: 2, round: 1 };
        db.log.term.store(2, Ordering::SeqCst);
        let claims = [lost, kept].map(|name| Claim { name, since });
        let older = Claim { name: TxName { origin: 3, seq: 1 }, since: Tenure::default() };
        let command = Command::Tenure { tenure, claims: [&claims[..], &[older]].concat() };
        let outcome = db.log.propose(command.clone(), None).await.unwrap();
        let Outcome::Done(done) = outcome else { panic!("{outcome:?}") };
        assert_eq!(done[0].rows, [[Value::Int(1)]], "only who was not taken its locks, and had them in that tenure");
        // A tenure begins once.
        assert!(matches!(db.log.propose(command, None).await.unwrap(), Outcome::Failed { .. }));
    });
}

/// A leader that dies takes no lock with it; what its successor does not hear of cannot commit.
#[test]
fn locks_outlive_the_leader() {
    for level in ["READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE"] {
        check(
            &Db::new(ACCOUNTS),
            &format!(
                "s1: BEGIN ISOLATION LEVEL {level} -> ok
                 s1: UPDATE a SET v = v + 1 WHERE id = 1 -> 1
                 s1: SAVEPOINT p -> ok
                 s1: SELECT v FROM a WHERE id = 2 FOR UPDATE -> [20]
                 s3: BEGIN ISOLATION LEVEL {level} -> ok
                 s3: SELECT v FROM a WHERE id = 3 FOR UPDATE -> [30]
                 leader: dies
                 s2: UPDATE a SET v = 0 WHERE id = 1 -> …
                 s4: SELECT v FROM a WHERE id = 2 FOR UPDATE -> …
                 s5: UPDATE a SET v = 0 WHERE id = 3 -> …
                 s1: SELECT v FROM a WHERE id = 1 -> [11]
                 s3: COMMIT -> COMMIT
                 s5: (answer) -> 1
                 s1: ROLLBACK TO p -> ok
                 s4: (answer) -> [20]
                 leader: dies
                 s2: (answer) -> 57P03
                 s1: COMMIT -> COMMIT
                 s2: SELECT v FROM a ORDER BY id -> [11, 20, 0]"
            ),
        );
        check(
            &Db::new(ACCOUNTS),
            &format!(
                "s1: BEGIN ISOLATION LEVEL {level} -> ok
                 s1: UPDATE a SET v = v + 1 WHERE id = 1 -> 1
                 s2: BEGIN ISOLATION LEVEL {level} -> ok
                 s2: SELECT v FROM a WHERE id = 2 FOR UPDATE -> [20]
                 s3: BEGIN ISOLATION LEVEL {level} -> ok
                 s3: SELECT v FROM a WHERE id = 3 FOR UPDATE -> [30]
                 leader: dies unheard
                 s4: UPDATE a SET v = 5 WHERE id = 1 -> 1
                 s4: UPDATE a SET v = 10 WHERE id = 1 -> 1
                 s1: COMMIT -> 40001
                 s2: COMMIT -> 40001
                 leader: dies
                 s3: SELECT v FROM a WHERE id = 1 -> 40001
                 s3: ROLLBACK -> ROLLBACK
                 s4: SELECT v FROM a ORDER BY id -> [10, 20, 30]"
            ),
        );
    }
}

#[test]
fn a_view_that_may_cost_something_is_kept_for_longer() {
    let (least, most) = (Duration::from_secs(1), Duration::from_secs(30));
    let kept = |mib: u64| strict_patience(mib << 20, least, most).as_secs();
    assert_eq!([0, 64, 65, 1024, 1025].map(kept), [30, 30, 10, 10, 1]);
}

#[test]
fn evicted_views_come_back() {
    let db = Db::new(ACCOUNTS);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut session = db.session();
        session.run("BEGIN ISOLATION LEVEL REPEATABLE READ").await;
        assert_eq!(session.run("SELECT v FROM a WHERE id = 1").await, "[10]");
        db.executor().sweep(Instant::now() + Limits::default().idle_strict * 2);
        assert_eq!(db.executor().views.stats().open, 0);
        let mut other = db.session();
        other.run("UPDATE a SET v = 0 WHERE id = 2").await;
        assert_eq!(session.run("SELECT v FROM a WHERE id = 1").await, "[10]");
        db.executor().sweep(Instant::now() + Limits::default().idle_strict * 2);
        other.run("UPDATE a SET v = 0 WHERE id = 1").await;
        assert_eq!(session.run("SELECT v FROM a WHERE id = 1").await, "40001");
    });
}

/// What `pg_get_viewdef` says depends on the definitions of the moment, not on when they were last looked at.
#[test]
fn a_view_is_shown_whatever_was_undone_or_done_again() {
    let db = Db::new(ACCOUNTS);
    let shown =
        "SELECT replace(pg_get_viewdef('w'::regclass), chr(10), '') -> [ SELECT a.v   FROM a  WHERE (a.id = 1);]";
    check(
        &db,
        &format!(
            "s1: BEGIN -> ok
             s1: CREATE VIEW w AS SELECT v FROM a WHERE id = 1 -> 0
             s1: {shown}
             s1: SAVEPOINT s -> ok
             s1: CREATE VIEW x AS SELECT 1 -> 0
             s1: ROLLBACK TO s -> ok
             s1: {shown}
             s1: ROLLBACK -> ROLLBACK"
        ),
    );
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut session = db.session();
        session.run("BEGIN").await;
        session.run("CREATE VIEW w AS SELECT v FROM a WHERE id = 1").await;
        db.executor().sweep(Instant::now() + Limits::default().idle_strict * 2);
        let (statement, answer) = shown.split_once(" -> ").unwrap();
        assert_eq!(session.run(statement).await, answer);
    });
}

/// How many entries a replica applies in one go is its own affair, and nothing that it writes depends on it.
#[test]
fn a_view_is_shown_alike_however_entries_are_applied() {
    let definition = "CREATE VIEW w AS SELECT v FROM a WHERE id = 1";
    let write = "INSERT INTO shown SELECT replace(pg_get_viewdef('w'::regclass), chr(10), '')";
    let setup = format!("{ACCOUNTS}; CREATE TABLE shown (d text)");
    let leader = Db::new(&setup);
    let entries: Vec<_> = [definition, write].map(|text| leader.commit(text)).into();
    let follower = Db::new(&setup);
    follower.log.engine.lock().apply(&entries).unwrap();
    for db in [leader, follower] {
        check(&db, "s1: SELECT d FROM shown -> [ SELECT a.v   FROM a  WHERE (a.id = 1);]");
    }
}

/// COMMIT compares what a write said only if the transaction changes something at all.
#[test]
fn a_view_that_is_behind_will_do_for_a_row_that_has_not_changed() {
    let db = Db::new(ACCOUNTS);
    check(
        &db,
        "s1: BEGIN -> ok
         s1: UPDATE a SET v = v + 1 WHERE id = 1 -> 1
         s2: UPDATE a SET v = 21 WHERE id = 2 -> 1
         s1: UPDATE a SET v = v + 1 WHERE id = 2 RETURNING v -> [22]
         s2: INSERT INTO a VALUES (4, 40) -> 1
         s1: UPDATE a SET v = v + 1 WHERE id = 4 RETURNING v -> [41]
         s2: UPDATE a SET v = 31 WHERE id = 3 -> 1
         s1: SELECT v FROM a WHERE id = 3 FOR UPDATE -> [31]
         s1: COMMIT -> COMMIT
         s1: BEGIN -> ok
         s1: UPDATE a SET v = 0 WHERE id = 1 -> 1
         s2: DELETE FROM a WHERE id = 3 -> 1
         s1: DELETE FROM a WHERE id = 3 RETURNING v -> 0
         s2: INSERT INTO a VALUES (5, 50) -> 1
         s1: SAVEPOINT s -> ok
         s1: INSERT INTO a VALUES (5, 1) -> 23505
         s1: ROLLBACK TO s -> ok
         s2: DELETE FROM a WHERE id = 5 -> 1
         s1: INSERT INTO a VALUES (5, 5) RETURNING v -> [5]
         s1: COMMIT -> COMMIT
         s1: SELECT id, v FROM a ORDER BY id -> [1 0, 2 22, 4 41, 5 5]
         s1: BEGIN -> ok
         s1: UPDATE a SET v = 1 WHERE id = 1 -> 1
         s3: BEGIN -> ok
         s3: UPDATE a SET v = 2 WHERE id = 2 -> 1
         s3: COMMIT -> COMMIT
         s1: UPDATE a SET v = 1 WHERE id = 2 AND v = 2 -> 1
         s1: COMMIT -> COMMIT",
    );
    // What has not changed is found on the view that was there.
    runtime().block_on(async {
        let (mut s1, mut s2) = (db.session(), db.session());
        for (session, id) in [(&mut s1, 1), (&mut s2, 2)] {
            session.run("BEGIN").await;
            assert_eq!(session.run(&format!("UPDATE a SET v = v + 1 WHERE id = {id}")).await, "1");
        }
        assert_eq!(s2.run("COMMIT").await, "COMMIT");
        let view = |session: &Session| db.executor().transaction(session.name).unwrap().work.try_lock().unwrap().at();
        let at = view(&s1);
        assert_eq!(s1.run("UPDATE a SET v = v + 1 WHERE id = 4 RETURNING v").await, "[42]");
        assert_eq!(s1.run("INSERT INTO a VALUES (6, 6)").await, "1");
        assert_eq!(view(&s1), at);
        assert!(at < db.log.shared.applied());
        assert_eq!(s1.run("UPDATE a SET v = v + 1 WHERE id = 2 RETURNING v").await, "[3]");
        assert!(at < view(&s1));
        assert_eq!(s1.run("COMMIT").await, "COMMIT");
    });
}

/// Whoever waits for a row must see what became of it, even if nobody else wants to know.
#[test]
fn locks_are_kept_until_the_commit_has_landed() {
    let db = Db::new(ACCOUNTS);
    runtime().block_on(async {
        let (mut s1, mut s2) = (db.session(), db.session());
        s1.run("BEGIN").await;
        assert_eq!(s1.run("UPDATE a SET v = v + 1 WHERE id = 1").await, "1");
        let name = s1.name;
        let (shared, transcript) = (db.log.shared.clone(), s1.transcript.take().unwrap());
        let stale = transcript
            .clone()
            .into_write(shared.schema_version() + (1 << 32), shared.applied(), Env::default())
            .unwrap();
        let write = transcript.into_write(shared.schema_version(), shared.applied(), Env::default()).unwrap();
        let control = within(10_000);
        let admit = async |write: &Write| {
            let proposal = Proposal { request: name, body: command::encode(&Command::Write(write.clone())) };
            db.executor().admit(&proposal, &first_terms(&control), &control).await.unwrap()
        };
        s2.run("BEGIN").await;
        let waits = s2.run("UPDATE a SET v = v + 1 WHERE id = 1 RETURNING v");
        tokio::pin!(waits);
        let mut still = async || tokio::time::timeout(Duration::from_millis(100), &mut waits).await.is_err();
        assert!(still().await);
        // Refused: it will be sent again.
        let admission = admit(&stale).await;
        let outcome = db.log.apply(name, stale);
        assert!(matches!(outcome, Outcome::Refused(_)), "{outcome:?}");
        admission.conclude(&outcome);
        assert!(still().await);
        // Its gateway has gone.
        let admission = admit(&write).await;
        db.executor().end(name);
        assert!(still().await);
        let outcome = db.log.apply(name, write);
        admission.conclude(&outcome);
        assert_eq!(waits.await, "[12]");
    });
}

/// Otherwise the block would go on under another definition of what it has locked: 40001.
#[test]
fn a_definition_on_its_way_is_waited_for() {
    let db = Db::new(ACCOUNTS);
    runtime().block_on(async {
        for (number, first) in (0..).zip(["SELECT v FROM a WHERE id = 1 FOR UPDATE", "UPDATE a SET v = v WHERE id = 1"])
        {
            let (mut other, mut session) = (db.session(), db.session());
            other.run("BEGIN").await;
            other.run("SELECT v FROM a").await;
            let definition = db.write_of(&format!("ALTER TABLE a ADD COLUMN w{number} int NOT NULL DEFAULT 7"));
            let request = RequestId { origin: 9, seq: number };
            let proposal = Proposal { request, body: command::encode(&Command::Write(definition.clone())) };
            let control = within(10_000);
            let flying = db.executor().admit(&proposal, &first_terms(&control), &control).await.unwrap();
            session.run("BEGIN").await;
            {
                let waits = session.run(first);
                tokio::pin!(waits);
                assert!(tokio::time::timeout(Duration::from_millis(100), &mut waits).await.is_err(), "{first}");
                let outcome = db.log.apply(request, definition);
                flying.conclude(&outcome);
                waits.await;
            }
            assert_eq!(session.run(&format!("UPDATE a SET v = 1, w{number} = 8 WHERE id = 1")).await, "1");
            assert_eq!(session.run("COMMIT").await, "COMMIT");
            other.run("ROLLBACK").await;
        }
    });
}

#[test]
fn a_long_transaction_is_told_what_is_wrong_with_its_insert() {
    let inserts: String = (0..40).map(|i| format!("s1: INSERT INTO b VALUES ({i}) -> 1\n")).collect();
    check(
        &Db::new("CREATE TABLE b (id int UNIQUE)"),
        &format!(
            "s2: INSERT INTO b VALUES (100) -> 1
             s1: BEGIN -> ok
             {inserts}
             s2: INSERT INTO b VALUES (200) -> 1
             s1: INSERT INTO b VALUES (100) -> 23505
             s1: ROLLBACK -> ROLLBACK"
        ),
    );
}

#[test]
fn a_write_that_finds_nothing_has_looked_at_the_latest_state() {
    let db = Db::new(ACCOUNTS);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut session = db.session();
        session.run("BEGIN").await;
        *db.log.unseen.lock() = Some(db.write_of("INSERT INTO a VALUES (7, 70)"));
        assert_eq!(session.run("UPDATE a SET v = 71 WHERE id = 7").await, "1");
        assert_eq!(session.run("COMMIT").await, "COMMIT");
        session.run("BEGIN").await;
        *db.log.unseen.lock() = Some(db.write_of("DELETE FROM a WHERE id = 7"));
        assert_eq!(session.run("INSERT INTO a VALUES (7, 72) ON CONFLICT DO NOTHING").await, "1");
        assert_eq!(session.run("COMMIT").await, "COMMIT");
    });
}

/// Sixteen workers empty a queue; `work` does one job, logs it, and says whether there was one.
fn empty_a_queue<F>(work: fn(Session, i64) -> F)
where
    F: Future<Output = (Session, bool)> + Send + 'static,
{
    const JOBS: i64 = 120;
    let db = Db::new("CREATE TABLE job (id int PRIMARY KEY, done int); CREATE TABLE log (job int, worker int)");
    let values: Vec<String> = (1..=JOBS).map(|i| format!("({i}, 0)")).collect();
    let write = db.write_of(&format!("INSERT INTO job VALUES {}", values.join(", ")));
    db.log.apply(RequestId { origin: 7, seq: 7 }, write);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_all().build().unwrap();
    runtime.block_on(async {
        let workers = (0..16).map(|worker| {
            let session = db.session();
            tokio::spawn(async move {
                let mut session = session;
                loop {
                    let (back, more) = work(session, worker).await;
                    if !more {
                        return;
                    }
                    session = back;
                }
            })
        });
        for worker in workers.collect::<Vec<_>>() {
            worker.await.unwrap();
        }
        let mut session = db.session();
        let counted = session.run("SELECT count(*), count(DISTINCT job) FROM log").await;
        assert_eq!(counted, format!("[{JOBS} {JOBS}]"), "no job is done twice, none is lost");
        assert!(db.executor().locks().is_empty());
        assert_eq!(db.executor().open_transactions(), 0);
    });
}

/// The id that a statement has handed out, if any.
fn job(answer: &str) -> Option<i64> {
    (answer != "0").then(|| answer.trim_matches(['[', ']']).parse().unwrap_or_else(|_| panic!("{answer}")))
}

async fn log_job(session: &mut Session, id: i64, worker: i64) {
    assert_eq!(session.run(&format!("INSERT INTO log VALUES ({id}, {worker})")).await, "1");
}

/// Takes a job with one statement, in a block or by itself, and logs it.
async fn take(mut session: Session, worker: i64, statement: &str) -> (Session, bool) {
    let block = worker % 2 == 0;
    if block {
        session.run("BEGIN").await;
    }
    let id = job(&session.run(statement).await);
    if let Some(id) = id {
        log_job(&mut session, id, worker).await;
    }
    if block {
        assert_eq!(session.run("COMMIT").await, "COMMIT");
    }
    (session, id.is_some())
}

#[test]
fn a_queue_of_select_and_update() {
    empty_a_queue(|mut session, worker| async move {
        session.run("BEGIN").await;
        let take = "SELECT id FROM job WHERE done = 0 ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED";
        let Some(id) = job(&session.run(take).await) else {
            session.run("ROLLBACK").await;
            return (session, false);
        };
        assert_eq!(session.run(&format!("UPDATE job SET done = 1 WHERE id = {id}")).await, "1");
        log_job(&mut session, id, worker).await;
        assert_eq!(session.run("COMMIT").await, "COMMIT");
        (session, true)
    });
}

#[test]
fn a_queue_of_updates() {
    empty_a_queue(|session, worker| {
        take(
            session,
            worker,
            "UPDATE job SET done = 1 WHERE id = (SELECT id FROM job WHERE done = 0 ORDER BY id LIMIT 1 \
             FOR UPDATE SKIP LOCKED) RETURNING id",
        )
    });
}

#[test]
fn a_queue_of_deletes() {
    empty_a_queue(|session, worker| {
        take(
            session,
            worker,
            "DELETE FROM job WHERE id IN (SELECT id FROM job ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED) RETURNING id",
        )
    });
}

#[test]
fn a_queue_behind_with() {
    empty_a_queue(|session, worker| {
        take(
            session,
            worker,
            "WITH j AS (SELECT id FROM job WHERE done = 0 ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED) \
             UPDATE job SET done = 1 FROM j WHERE job.id = j.id RETURNING job.id",
        )
    });
}

#[test]
fn subqueries_lock_their_rows() {
    check(
        &Db::new(ACCOUNTS),
        "s1: BEGIN -> ok
         s1: UPDATE a SET v = 11 WHERE id = (SELECT id FROM a ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED) -> 1
         s2: UPDATE a SET v = 21 WHERE id = (SELECT id FROM a ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED) RETURNING id \
         -> [2]
         s2: UPDATE a SET v = 0 WHERE id = (SELECT id FROM a ORDER BY id LIMIT 1 FOR UPDATE NOWAIT) -> 55P03
         s2: SELECT count(*) FROM (SELECT id FROM a ORDER BY id FOR UPDATE SKIP LOCKED) AS x -> [2]
         s2: BEGIN -> ok
         s2: WITH j AS (SELECT id FROM a WHERE id > 1 FOR UPDATE) DELETE FROM a USING j WHERE a.id = j.id AND a.id = 2 -> 1
         s3: SELECT v FROM a WHERE id = 3 FOR UPDATE NOWAIT -> 55P03
         s3: SELECT v FROM a WHERE id = 3 FOR UPDATE SKIP LOCKED -> 0
         s3: SELECT v FROM a WHERE id = 3 FOR UPDATE -> …
         s2: COMMIT -> COMMIT
         s3: (answer) -> [30]
         s1: COMMIT -> COMMIT
         s1: UPDATE a SET v = 0 WHERE id = (SELECT id FROM a AS b WHERE b.v = a.v FOR UPDATE) -> 0A000
         s1: SELECT id, v FROM a ORDER BY id -> [1 11, 3 30]",
    );
}

#[test]
fn locking_reads_outside_of_blocks_wait_in_line() {
    check(
        &Db::new(ACCOUNTS),
        "s1: SELECT v FROM a WHERE id = 1 FOR UPDATE -> [10]
         s1: BEGIN -> ok
         s1: UPDATE a SET v = 11 WHERE id = 1 -> 1
         s2: SELECT v FROM a WHERE id = 1 FOR UPDATE NOWAIT -> 55P03
         s2: SELECT v FROM a ORDER BY id FOR SHARE SKIP LOCKED -> [20, 30]
         s2: SELECT v FROM a WHERE id = 1 FOR SHARE -> …
         s1: COMMIT -> COMMIT
         s2: (answer) -> [11]
         s1: BEGIN -> ok
         s1: SELECT id FROM a ORDER BY id LIMIT 1 OFFSET 1 FOR UPDATE SKIP LOCKED -> [2]
         s2: UPDATE a SET v = 0 WHERE id = (SELECT id FROM a ORDER BY id LIMIT 1 OFFSET 1 FOR UPDATE SKIP LOCKED) \
         RETURNING id -> [3]
         s1: UPDATE a SET v = 0 WHERE id = 2 -> 1
         s1: COMMIT -> COMMIT",
    );
}

// ---- trials ----

const ENDLESS: &str =
    "INSERT INTO a WITH RECURSIVE r(n) AS (SELECT 100 UNION ALL SELECT n + 1 FROM r) SELECT n, n FROM r";

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

async fn tried(db: &Db, text: &str, attempt: u64, control: &Control) -> Tried {
    let request = RequestId { origin: 3, seq: 3 };
    let terms = Terms::new(attempt, Effort::Key, control.remaining(Instant::now()));
    db.executor().try_write(request, &terms, &db.trial_of(text), None, control).await
}

#[test]
fn what_has_no_end_is_not_proposed() {
    let db = Db::new(ACCOUNTS);
    runtime().block_on(async {
        db.executor().in_office(&within(10_000)).await.unwrap();
        let before = db.log.shared.applied();
        for endless in [
            ENDLESS,
            "INSERT INTO a SELECT s, s FROM generate_series(100, 1000000000000000) AS s",
            "UPDATE a SET v = (SELECT count(*) FROM generate_series(1, 1000000000000) AS s WHERE s > a.v)",
        ] {
            match tried(&db, endless, 1, &within(200)).await {
                Tried::Failed { error, .. } => {
                    assert_eq!(error.message, "canceling statement due to statement timeout")
                }
                _ => panic!("{endless}"),
            }
            // Whoever gives it up, it ends.
            let executor = db.executor();
            let control = within(60_000);
            let ending = std::thread::spawn(move || {
                std::thread::sleep(Duration::from_millis(200));
                executor.end(RequestId { origin: 3, seq: 3 });
            });
            assert!(matches!(tried(&db, endless, 1, &control).await, Tried::Again), "{endless}");
            ending.join().unwrap();
        }
        assert_eq!(db.executor().open_transactions(), 0);
        assert!(db.executor().views.stats().open == 0 && db.executor().locks().is_empty());
        assert_eq!(db.log.shared.applied(), before, "nothing has gone into the log");
    });
}

#[test]
fn trials_give_what_the_log_gives() {
    check(
        &Db::new(
            "CREATE TABLE a (id int PRIMARY KEY, v int); INSERT INTO a VALUES (1, 10), (2, 20), (3, 30);
             CREATE TABLE s (id serial, v int); CREATE SEQUENCE q",
        ),
        "s1: INSERT INTO a SELECT x.id + 10, x.v FROM a AS x, a AS y WHERE y.id = 1 RETURNING id -> [11, 12, 13]
         s1: INSERT INTO a SELECT x.id, 0 FROM a AS x, a AS y -> 23505
         s1: DELETE FROM a WHERE id IN (SELECT id FROM a WHERE id > 10) -> 3
         s1: INSERT INTO s (v) SELECT generate_series(1, 20) -> 20
         s1: INSERT INTO s (v) SELECT nextval('q') FROM generate_series(1, 20) -> 20
         s1: SELECT count(*), max(id), count(DISTINCT v), max(v) FROM s -> [40 40 20 20]
         s1: INSERT INTO s (v) SELECT 1 FROM generate_series(1, 2) -> 2
         s1: SELECT count(DISTINCT id) FROM s -> [42]
         s2: BEGIN -> ok
         s2: UPDATE a SET v = 11 WHERE id = 1 -> 1
         s1: UPDATE a SET v = a.v + 1 FROM a AS b WHERE b.id = a.id -> …
         s2: COMMIT -> COMMIT
         s1: (answer) -> 3
         s1: SELECT id, v FROM a ORDER BY id -> [1 12, 2 21, 3 31]",
    );
}

/// What a transaction did may have no end any more at the place where it would be committed.
#[test]
fn commits_come_to_their_end() {
    let db = Db::new("CREATE TABLE b (n int8); CREATE TABLE bound (n int8); INSERT INTO bound VALUES (5)");
    let copy = "INSERT INTO b WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT r.n + 1 FROM r, bound \
                WHERE r.n < bound.n) SELECT n FROM r";
    check(
        &db,
        &format!(
            "s1: BEGIN -> ok
             s1: {copy} -> 5
             s2: UPDATE bound SET n = 1000000000000000 -> 1
             s1: COMMIT -> …
             s1: (answer) -> 57014
             s2: UPDATE bound SET n = 3 -> 1
             s1: BEGIN -> ok
             s1: {copy} -> 3
             s1: COMMIT -> COMMIT
             s1: BEGIN -> ok
             s1: {copy} -> 3
             s2: INSERT INTO b VALUES (0) -> 1
             s2: UPDATE bound SET n = 2 -> 1
             s1: COMMIT -> 40001
             s1: SELECT count(*) FROM b -> [4]"
        ),
    );
}

/// Between a trial and its place in the log nothing moves that it reads; what is proposed before counts for it.
#[test]
fn trials_keep_others_out_at_the_end_only() {
    let db = Db::new(
        "CREATE TABLE b (n int8); CREATE TABLE c (n int8); CREATE TABLE d (n int8);
                      INSERT INTO b VALUES (1), (2), (3)",
    );
    runtime().block_on(async {
        let control = within(10_000);
        let text = "INSERT INTO c SELECT x.n FROM b AS x, b AS y";
        let Tried::Ready(write, admission) = tried(&db, text, 1, &control).await else { panic!("not ready") };
        // It reads b: writes of b wait, those of other tables do not.
        let mut others = [db.session(), db.session()];
        let (first, second) = others.split_at_mut(1);
        let waits = first[0].run("INSERT INTO b VALUES (4)");
        tokio::pin!(waits);
        assert!(tokio::time::timeout(Duration::from_millis(200), &mut waits).await.is_err());
        assert_eq!(second[0].run("INSERT INTO d VALUES (1)").await, "1");
        let outcome = db.log.apply(RequestId { origin: 3, seq: 3 }, *write);
        assert!(matches!(&outcome, Outcome::Done(done) if done[0].count == 9), "{outcome:?}");
        admission.conclude(&outcome);
        assert_eq!(waits.await, "1");

        // A write that is on its way is waited for, and seen.
        let mut open = db.session();
        open.run("BEGIN").await;
        open.run("INSERT INTO d VALUES (2)").await;
        let request = RequestId { origin: 5, seq: 5 };
        let late = db.write_of("INSERT INTO b VALUES (5)");
        let proposal = Proposal { request, body: command::encode(&Command::Write(late.clone())) };
        let flying = db.executor().admit(&proposal, &first_terms(&control), &control).await.unwrap();
        let trial = tried(&db, text, 1, &control);
        tokio::pin!(trial);
        assert!(tokio::time::timeout(Duration::from_millis(200), &mut trial).await.is_err());
        let outcome = db.log.apply(request, late);
        flying.conclude(&outcome);
        let Tried::Ready(write, admission) = trial.await else { panic!("not ready") };
        let outcome = db.log.apply(RequestId { origin: 3, seq: 4 }, *write);
        assert!(matches!(&outcome, Outcome::Done(done) if done[0].count == 25), "{outcome:?}");
        admission.conclude(&outcome);
        open.end();
        assert!(db.executor().state.lock().fences.is_empty());
        assert!(db.executor().state.lock().flying.is_empty());
    });
}

/// Whose client hangs up while its COMMIT waits for others is over, and its locks are free.
#[test]
fn a_commit_that_nobody_wants_any_more_ends_its_block() {
    let db = Db::new("CREATE TABLE b (n int8); CREATE TABLE c (n int8); INSERT INTO b VALUES (1)");
    runtime().block_on(async {
        let control = within(10_000);
        let mut block = db.session();
        block.run("BEGIN").await;
        block.run("INSERT INTO b VALUES (2)").await;
        let text = "INSERT INTO c SELECT x.n FROM b AS x, b AS y";
        let Tried::Ready(write, admission) = tried(&db, text, 1, &control).await else { panic!("not ready") };
        assert!(tokio::time::timeout(Duration::from_millis(200), block.run("COMMIT")).await.is_err());
        block.end();
        let outcome = db.log.apply(RequestId { origin: 3, seq: 3 }, *write);
        admission.conclude(&outcome);
        assert_eq!(db.executor().open_transactions(), 0);
        assert!(db.executor().state.lock().locks.is_empty());
    });
}

// ---- autocommit ----

#[test]
fn autocommit_writes_wait_for_as_long_as_they_may() {
    let db = Db::new(ACCOUNTS);
    runtime().block_on(async {
        let mut holder = db.session();
        holder.run("BEGIN").await;
        holder.run("UPDATE a SET v = 0 WHERE id = 1").await;
        for (lock_timeout, code) in [(Some(100), "55P03"), (None, "57014")] {
            let control = control(400, lock_timeout);
            let write = db.write_of("UPDATE a SET v = 1 WHERE id = 1");
            let request = RequestId { origin: 4, seq: lock_timeout.unwrap_or(0) };
            let proposal = Proposal { request, body: command::encode(&Command::Write(write)) };
            let error =
                db.executor().admit(&proposal, &first_terms(&control), &control).await.map_err(sql).err().unwrap();
            assert_eq!(error.code.as_str(), code);
        }
        assert_eq!(db.executor().open_transactions(), 1);
    });
}

/// Locks that a statement's text tells are taken without running it.
#[test]
fn the_row_of_an_autocommit_write_is_known_by_its_text() {
    let db = Db::new(ACCOUNTS);
    let control = control(60_000, Some(50));
    runtime().block_on(async {
        let mut holder = db.session();
        holder.run("BEGIN").await;
        holder.run("UPDATE a SET v = 0 WHERE id = 1").await;
        holder.run("INSERT INTO a VALUES (8, 0)").await;
        let mut attempt = 0;
        let mut asked = async |text: &str, param: Option<Value>| {
            attempt += 1;
            let PlanKind::Write(plan) = db.plan(text, &db.log.shared.catalog()).unwrap().kind else { panic!() };
            assert!(matches!(plan.effort, Effort::Row(Some(_))), "{text}: {:?}", plan.effort);
            let mut write = db.write_of(text);
            write.steps[0].params[0].extend(param);
            let proposal = Proposal {
                request: RequestId { origin: 4, seq: attempt },
                body: command::encode(&Command::Write(write)),
            };
            let terms = Terms::new(1, plan.effort, control.remaining(Instant::now()));
            match db.executor().admit(&proposal, &terms, &control).await.map_err(sql) {
                Ok(admission) => {
                    let mut locks: Vec<String> = {
                        let executor = db.executor();
                        let state = executor.state.lock();
                        let mine = state.open.values().find(|tx| tx.name == proposal.request).map(|tx| tx.id);
                        state.locks.list().filter(|l| Some(l.tx) == mine).map(|l| format!("{:?}", l.mode)).collect()
                    };
                    locks.sort();
                    admission.withdraw();
                    locks.join(" ")
                }
                Err(error) => error.code.as_str().to_owned(),
            }
        };
        for (text, param, answer) in [
            ("UPDATE a SET v = 1 WHERE id = 1", None, "55P03"),
            ("UPDATE a SET v = 1 WHERE id = 2", None, "Row(NoKeyUpdate) Table(RowExclusive)"),
            ("UPDATE a SET v = 1 WHERE v > 5 AND $1 = id", Some(Value::Int(1)), "55P03"),
            // There is nothing to wait for.
            ("UPDATE a SET v = 1 WHERE v > 500 AND id = 1", None, "Table(RowExclusive)"),
            ("DELETE FROM a WHERE id = 8", None, "Table(RowExclusive)"),
            ("UPDATE a SET v = 1 WHERE id = $1", Some(Value::Int(2)), "Row(NoKeyUpdate) Table(RowExclusive)"),
            ("UPDATE a SET v = 1 WHERE id = $1", Some(Value::Null), "Table(RowExclusive)"),
            ("DELETE FROM a WHERE id = $1", Some(Value::Int(3)), "Row(Update) Table(RowExclusive)"),
            ("INSERT INTO a VALUES (8, 1)", None, "55P03"),
            ("INSERT INTO a (v, id) VALUES (1, $1)", Some(Value::Int(9)), "Row(Update) Table(RowExclusive)"),
        ] {
            assert_eq!(asked(text, param).await, answer, "{text}");
        }
        assert_eq!(db.executor().open_transactions(), 1);
    });
}

#[test]
fn large_autocommit_writes_wait_as_well() {
    let db = Db::new(ACCOUNTS);
    runtime().block_on(async {
        let mut holder = db.session();
        holder.run("BEGIN").await;
        holder.run("INSERT INTO a VALUES (7, 0)").await;
        // As COPY does it: one statement with many sets of parameters.
        let mut write = db.write_of("INSERT INTO a VALUES (0, 0)");
        write.steps[0].statements[0].sql = "INSERT INTO \"public.a\" (\"id\", \"v\") VALUES (?1, ?2)".into();
        write.steps[0].params = (4..60_000).map(|i| vec![Value::Int(i), Value::Int(i << 40)]).collect();
        let request = RequestId { origin: 6, seq: 6 };
        let body = command::encode(&Command::Write(write));
        let mut proposals = crate::gateway::split::proposals(request, body);
        let last = proposals.pop().unwrap();
        assert!(!proposals.is_empty());
        let control = within(10_000);
        for chunk in proposals {
            let admission = db.executor().admit(&chunk, &first_terms(&control), &control).await.unwrap();
            let outcome = db.log.apply_proposal(chunk);
            admission.conclude(&outcome);
        }
        let executor = db.executor();
        let terms = first_terms(&control);
        let waits = executor.admit(&last, &terms, &control);
        tokio::pin!(waits);
        assert!(tokio::time::timeout(Duration::from_millis(500), &mut waits).await.is_err());
        assert_eq!(holder.run("ROLLBACK").await, "ROLLBACK");
        let admission = waits.await.unwrap();
        let outcome = db.log.apply_proposal(last.clone());
        admission.conclude(&outcome);
        assert!(matches!(outcome, Outcome::Done(_)), "{outcome:?}");
    });
}

/// Tables whose rows refer to one another in every way.
const FAMILY: &str = "CREATE TABLE p (id int PRIMARY KEY, v text UNIQUE);
    CREATE TABLE c (id serial PRIMARY KEY, p int CONSTRAINT now REFERENCES p, q int CONSTRAINT soon REFERENCES p DEFERRABLE,
      late int CONSTRAINT late REFERENCES p DEFERRABLE INITIALLY DEFERRED, t text DEFAULT gen_random_uuid()::text UNIQUE);
    CREATE TABLE g (id int PRIMARY KEY, c int CONSTRAINT grand REFERENCES c, self int CONSTRAINT own REFERENCES g);
    CREATE TABLE k (id int PRIMARY KEY, p int CONSTRAINT down REFERENCES p ON DELETE CASCADE);
    CREATE TABLE l (k int CONSTRAINT leaf REFERENCES k);
    INSERT INTO p VALUES (1, 'a'), (2, 'b'), (3, 'c'), (4, 'd');
    INSERT INTO c (p, q, late) VALUES (1, 1, 1), (2, NULL, NULL);
    INSERT INTO g VALUES (1, 1, 1), (2, NULL, 1);
    INSERT INTO k VALUES (30, 3), (40, 4); INSERT INTO l VALUES (40)";

/// What a command is answered that does these statements one after another, as the message's constraint and its detail.
fn violation(db: &Db, texts: &[&str]) -> String {
    let mut write = db.write_of(texts[0]);
    for text in &texts[1..] {
        write.steps.extend(db.write_of(text).steps);
    }
    match db.log.apply(RequestId { origin: rand::random(), seq: 0 }, write) {
        Outcome::Failed { error, .. } | Outcome::FailedAfter { error, .. } => {
            let fields = *error.fields;
            format!("{}: {}", fields.constraint.unwrap_or_default(), fields.detail.unwrap_or_default())
        }
        other => format!("{other:?}"),
    }
}

#[test]
fn broken_references_are_named_with_their_rows() {
    let db = Db::new(FAMILY);
    let one = |text| violation(&db, &[text]);
    assert_eq!(one("INSERT INTO c (p) VALUES (9)"), "now: Key (p)=(9) is not present in table \"p\".");
    assert_eq!(
        one("INSERT INTO c (p, q) VALUES (1, 2), (2, 8), (9, 1)"),
        "soon: Key (q)=(8) is not present in table \"p\"."
    );
    assert_eq!(one("UPDATE c SET q = 7 WHERE p = 2"), "soon: Key (q)=(7) is not present in table \"p\".");
    assert_eq!(one("UPDATE p SET id = 20 WHERE id = 2"), "now: Key (id)=(2) is still referenced from table \"c\".");
    assert_eq!(one("DELETE FROM c WHERE id = 1"), "grand: Key (id)=(1) is still referenced from table \"g\".");
    assert_eq!(one("DELETE FROM g WHERE id = 1"), "own: Key (id)=(1) is still referenced from table \"g\".");
    // A row may refer to one that comes with it, but not to one that goes.
    assert_eq!(
        one("INSERT INTO g (id, self) VALUES (5, 6), (6, 6), (7, 8)"),
        "own: Key (self)=(8) is not present in table \"g\"."
    );
    // What a cascade takes along was referred to.
    assert_eq!(one("DELETE FROM p WHERE id > 2"), "leaf: Key (id)=(40) is still referenced from table \"l\".");
    // At the end of the command: what is repaired does not count.
    let both = ["INSERT INTO c (late) VALUES (9)", "INSERT INTO c (late) VALUES (8)", "INSERT INTO p VALUES (9, 'i')"];
    assert_eq!(violation(&db, &both), "late: Key (late)=(8) is not present in table \"p\".");
    let parent =
        ["DELETE FROM g", "DELETE FROM c WHERE id = 2", "UPDATE c SET p = 2, q = 2", "DELETE FROM p WHERE id = 1"];
    assert_eq!(violation(&db, &parent), "late: Key (id)=(1) is still referenced from table \"c\".");
    let ddl = ["ALTER TABLE p ADD COLUMN w int", "INSERT INTO c (late) VALUES (8)"];
    assert_eq!(violation(&db, &ddl), "late: Key (late)=(8) is not present in table \"p\".");
}

/// More changes than are remembered.
#[test]
fn a_broken_reference_among_many_changes_is_named() {
    let db = Db::new(FAMILY);
    let many = "INSERT INTO c (p, late) SELECT 2, CASE i WHEN 11000 THEN 8 ELSE 2 END FROM generate_series(1, 11000) i";
    assert_eq!(violation(&db, &[many]), "late: Key (late)=(8) is not present in table \"p\".");
    let many = many.replace("late", "q");
    assert_eq!(violation(&db, &[&many]), "soon: Key (q)=(8) is not present in table \"p\".");
}

#[test]
fn looking_for_the_cause_leaves_no_trace() {
    let bad = Db::new(FAMILY);
    let taken = violation(&bad, &["INSERT INTO c (p) VALUES (2)", "INSERT INTO p (id, v) VALUES (7, 'b')"]);
    assert_eq!(taken, "p_v_key: Key (v)=(b) already exists.");
    // The default is drawn from a sequence: a failed command keeps what it drew, and it is drawn once.
    assert_eq!(violation(&bad, &["INSERT INTO c (p) VALUES (9)"]), "now: Key (p)=(9) is not present in table \"p\".");
    assert_eq!(
        violation(&bad, &["INSERT INTO c (late) VALUES (9)"]),
        "late: Key (late)=(9) is not present in table \"p\"."
    );
    let next = violation(&bad, &["INSERT INTO c (id, p) VALUES (6, 1)", "INSERT INTO c (p) VALUES (2)"]);
    assert_eq!(next, "c_pkey: Key (id)=(6) already exists.");
    check(&bad, "s: INSERT INTO c (p) VALUES (2) RETURNING id -> [7]");
    // A failed statement in a block neither.
    check(
        &bad,
        "s: BEGIN -> ok
         s: INSERT INTO c (late) VALUES (50) RETURNING id -> [8]
         s: SAVEPOINT x -> ok
         s: INSERT INTO c (p) VALUES (9) -> 23503
         s: ROLLBACK TO x -> ok
         s: INSERT INTO p VALUES (1, 'x') -> 23505
         s: ROLLBACK TO x -> ok
         s: SELECT count(*) FROM c -> [4]
         s: COMMIT -> 23503
         s: SELECT count(*) FROM c -> [3]",
    );
}

#[test]
fn what_was_random_is_shown_as_it_was() {
    let db = Db::new("CREATE TABLE u (id text DEFAULT gen_random_uuid()::text, n int NOT NULL, m int)");
    let first = violation(&db, &["INSERT INTO u (n, m) VALUES (1, 2)", "INSERT INTO u (m) VALUES (3)"]);
    let uuid = first.strip_prefix(": Failing row contains (").and_then(|r| r.strip_suffix(", null, 3).")).unwrap();
    // The same command on another replica, at the same place in the log.
    let other = Db::new("CREATE TABLE u (id text DEFAULT gen_random_uuid()::text, n int NOT NULL, m int)");
    let again = violation(&other, &["INSERT INTO u (n, m) VALUES (1, 2)", "INSERT INTO u (m) VALUES (3)"]);
    assert_eq!((first.as_str(), uuid.len()), (again.as_str(), 36));
}

#[test]
fn a_row_is_not_changed_twice() {
    let db = Db::new(ACCOUNTS);
    let upsert = "ON CONFLICT (id) DO UPDATE SET v = a.v + excluded.v";
    check(
        &db,
        &format!(
            "s: INSERT INTO a VALUES (1, 1), (9, 1) {upsert} -> 2
             s: INSERT INTO a VALUES (1, 1), (1, 1) {upsert} -> 21000
             s: INSERT INTO a VALUES (7, 1), (7, 1) {upsert} -> 21000
             s: BEGIN -> ok
             s: INSERT INTO a VALUES (2, 1) {upsert} -> 1
             s: INSERT INTO a VALUES (2, 1) {upsert} -> 1
             s: INSERT INTO a SELECT 3, 1 FROM a {upsert} -> 21000
             s: ROLLBACK -> ROLLBACK
             s: SELECT id, v FROM a ORDER BY id -> [1 11, 2 20, 3 30, 9 1]"
        ),
    );
}

/// What one session is answered.
fn alone(db: &Db, script: &[&str]) -> Vec<String> {
    runtime().block_on(async {
        let (mut session, mut answers) = (db.session(), Vec::new());
        for text in script {
            answers.push(session.run(text).await);
        }
        answers
    })
}

/// A block that nobody disturbs commits, whatever is in it.
#[test]
fn a_block_alone_commits() {
    let blocks: &[&[&str]] = &[
        &["UPDATE a SET v = 42 WHERE v IS NULL", "ALTER TABLE a ALTER v SET NOT NULL"],
        &["UPDATE a SET v = 42 WHERE v IS NULL", "ALTER TABLE a ADD CHECK (v > 0)"],
        &["INSERT INTO a SELECT g, g FROM generate_series(11, 25) g", "ALTER TABLE a ADD UNIQUE (v)"],
        &["UPDATE a SET v = 5 WHERE id = 1", "CREATE INDEX ON a (v)", "ALTER TABLE a DROP COLUMN v"],
        &["DELETE FROM a", "ALTER TABLE a ADD COLUMN w int NOT NULL DEFAULT 7", "INSERT INTO a VALUES (7)"],
        &["INSERT INTO s (v) SELECT g FROM generate_series(1, 3000) g", "UPDATE s SET v = id"],
        &["UPDATE a SET v = v", "ALTER TABLE a ALTER v TYPE bigint", "ALTER TABLE a ALTER v TYPE text"],
        &["UPDATE a SET v = 1", "TRUNCATE a", "INSERT INTO a VALUES (1, 1)"],
    ];
    for level in ["READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE"] {
        for block in blocks {
            let db = Db::new(
                "CREATE TABLE a (id int PRIMARY KEY, v int); INSERT INTO a VALUES (1, 10), (2, NULL), (3, 30);
                 CREATE TABLE s (id serial PRIMARY KEY, v int)",
            );
            let begin = format!("BEGIN ISOLATION LEVEL {level}");
            let script: Vec<&str> = [&[&begin[..]], *block, &["COMMIT"]].concat();
            let answers = alone(&db, &script);
            assert_eq!(answers.last().unwrap(), "COMMIT", "{level}: {block:?}: {answers:?}");
        }
    }
}

#[test]
fn a_sequence_that_was_put_somewhere_goes_on_from_there() {
    check(
        &Db::new("CREATE SEQUENCE s; CREATE TABLE t (id serial PRIMARY KEY, v int)"),
        "s1: BEGIN -> ok
         s1: SELECT nextval('s') -> [1]
         s1: SELECT nextval('s') -> [2]
         s1: INSERT INTO t (v) VALUES (1), (2), (3) -> 3
         s1: COMMIT -> COMMIT
         s2: SELECT setval('s', 100) -> [100]
         s1: BEGIN -> ok
         s1: SELECT nextval('s') -> [101]
         s3: ALTER SEQUENCE s RESTART -> 0
         s1: SELECT nextval('s') -> [1]
         s1: COMMIT -> COMMIT
         s2: TRUNCATE t RESTART IDENTITY -> 0
         s1: BEGIN -> ok
         s1: INSERT INTO t (v) VALUES (7) RETURNING id -> [1]
         s1: SELECT setval('t_id_seq', 10) -> [10]
         s1: INSERT INTO t (v) VALUES (8) RETURNING id -> [11]
         s1: COMMIT -> COMMIT
         s2: BEGIN -> ok
         s2: INSERT INTO t (v) VALUES (9) RETURNING id -> [12]
         s2: SAVEPOINT a -> ok
         s2: SELECT setval('t_id_seq', 500) -> [500]
         s2: INSERT INTO t (v) VALUES (9) RETURNING id -> [501]
         s2: ROLLBACK TO a -> ok
         s2: INSERT INTO t (v) VALUES (10) RETURNING id -> [13]
         s3: SELECT setval('t_id_seq', 20) -> [20]
         s2: COMMIT -> COMMIT
         s3: INSERT INTO t (v) VALUES (11) RETURNING id -> [21]",
    );
}

#[test]
fn a_statement_gets_all_its_sequence_values_at_once() {
    let db = Db::new("CREATE TABLE t (id serial PRIMARY KEY, v int); CREATE SEQUENCE few MAXVALUE 7");
    let before = db.log.shared.applied();
    let answers = alone(
        &db,
        &[
            "BEGIN",
            "INSERT INTO t (v) SELECT g FROM generate_series(1, 2500) g",
            "SELECT min(id), max(id), count(*) FROM t",
            "SELECT count(nextval('few')) FROM generate_series(1, 7)",
            "COMMIT",
        ],
    );
    assert_eq!(answers, ["ok", "2500", "[1 2500 2500]", "[7]", "COMMIT"]);
    assert!(db.log.shared.applied() <= before + 8, "{}", db.log.shared.applied() - before);
}
