//! Transactions as scripts: several sessions, one group, a log in memory that applies at once.
//!
//! A line is `session: statement`; what is answered stands behind it. A statement that has to wait for another session
//! says `…`, and its answer follows when it comes.

use super::*;
use crate::command::{self, Batch, Command, Frozen, Proposal, Seen, Statement as Sql, StepOutcome, Yields};
use crate::engine::{self, Engine};
use crate::host::Machine;
use crate::id::RequestId;
use crate::replica::{Committed, Payload, Position, StateMachine};
use crate::sql::plan::{IsolationLevel, PlanKind, Utility};
use crate::sql::{Scope, compile, parse};
use crate::transaction::{Limits as TranscriptLimits, Locking};
use crate::value::Value;
use std::fmt::Write as _;
use std::sync::atomic::AtomicU64;

struct Memory {
    engine: Mutex<Engine>,
    shared: Arc<Shared>,
    term: AtomicU64,
    /// Committed by others and not applied here until somebody asks for a read point.
    unseen: Mutex<Option<Write>>,
}

impl Memory {
    fn apply(&self, request: RequestId, write: Write) -> Outcome {
        let mut engine = self.engine.lock();
        let index = engine.applied().index + 1;
        let body = command::encode(&Command::Write(write));
        let commands = vec![Proposal { request, body }];
        let batch = Batch { now: 1_000_000 * index as i64, seed: index, commands };
        let at = Position { index, term: 1 };
        let entry = Committed { at, payload: Payload::Batch(command::encode(&batch)) };
        let applied = engine.apply(&[entry]).unwrap();
        (*applied[0].outcome).clone()
    }
}

impl Log for Memory {
    fn term(&self) -> Option<u64> {
        Some(self.term.load(Ordering::SeqCst)).filter(|term| *term > 0)
    }

    fn propose(&self, write: Write) -> BoxFuture<'static, SqlResult<Outcome>> {
        let outcome = self.apply(RequestId { origin: rand::random(), seq: rand::random() }, write);
        Box::pin(async move { Ok(outcome) })
    }

    fn read_point(&self, _: Instant) -> BoxFuture<'static, SqlResult<()>> {
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
    attached: bool,
    failed: bool,
    current: Vec<(u32, i64)>,
}

impl Db {
    fn new(setup: &str) -> Db {
        let directory = tempfile::tempdir().unwrap();
        let dialect = engine::Dialect {
            register: Arc::new(crate::functions::sqlite::register),
            load_catalog: Arc::new(|rows| crate::sql::catalog::Catalog::load(rows)),
            decode_error: crate::functions::sqlite::decode_error,
            explain_error: Arc::new(crate::sql::violation::explain),
        };
        let mut options = engine::Options::new(directory.path(), dialect);
        options.migrations = crate::sql::database_migrations().to_vec();
        let (engine, shared) = Engine::open(options).unwrap();
        let log = Arc::new(Memory {
            engine: Mutex::new(engine),
            shared: shared.clone(),
            term: AtomicU64::new(1),
            unseen: Mutex::default(),
        });
        let executor = Arc::new(Mutex::new(Executor::new(shared, log.clone(), Machine::shared(), Limits::default())));
        let db = Db { log, executor, _directory: Arc::new(directory) };
        for statement in setup.split(';').map(str::trim).filter(|s| !s.is_empty()) {
            let write = db.write_of(statement);
            let outcome = db.log.apply(RequestId { origin: rand::random(), seq: 0 }, write);
            assert!(matches!(outcome, Outcome::Done(_)), "{statement}: {outcome:?}");
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
        let scope = Scope { catalog, search_path: &path, declared: &[], env: &env, user: "ann", database: "quorate" };
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

    fn session(&self) -> Session {
        let name = TxName { origin: rand::random(), seq: 0 };
        let current = Vec::new();
        Session { db: self.clone(), name, epoch: 0, transcript: None, attached: false, failed: false, current }
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
        let catalog = match &self.transcript {
            Some(transcript) if transcript.has_ddl() => {
                Arc::new(self.db.executor().private_catalog(&Env::default(), transcript)?)
            }
            _ => self.db.log.shared.catalog(),
        };
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
        let own = self.transcript.as_ref().is_some_and(Transcript::has_ddl);
        let mut params = vec![];
        let (statements, ddl, kind, lock) = match plan.kind {
            PlanKind::Write(write) => (write.statements, write.ddl, Kind::Write, None),
            PlanKind::Read(read) => match read.lock {
                None => (vec![Sql { sql: read.sql.to_string(), yields: Yields::Rows }], false, Kind::Read, None),
                Some(lock) => {
                    if lock.wait == LockWait::SkipLocked {
                        params.push(Value::Null);
                    }
                    let yields = Yields::RowsAnd(lock.tables.len() as u8);
                    let sql = Sql { sql: lock.sql.to_string(), yields };
                    let locking = Locking { strength: lock.strength, wait: lock.wait, tables: lock.tables };
                    (vec![sql], false, Kind::LockingRead, Some(locking))
                }
            },
            other => panic!("{other:?}"),
        };
        let frozen = Frozen { now: 5, seed: rand::random(), ..Frozen::default() };
        let seen = Some(Box::new(Seen { current: self.current.clone(), ..Seen::default() }));
        let step = Step { statements, params: vec![params], ddl, frozen: Some(frozen), expect: None, seen };
        let schema_version = (!own).then_some(plan.schema_version);
        let ordered = text.contains("ORDER BY");
        let statement = Statement { step, kind, lock, schema_version, ordered, immediate: Vec::new() };
        match self.order(Action::Run(Box::new(statement))).await? {
            Reply::Ran { outcome, step, kind } => {
                self.transcript.as_mut().unwrap().push(*step, kind)?;
                self.current.extend(&outcome.drawn);
                Ok(shown(&outcome))
            }
            other => panic!("{other:?}"),
        }
    }

    async fn autocommit(&mut self, text: &str) -> SqlResult<String> {
        let catalog = self.db.log.shared.catalog();
        if let PlanKind::Read(read) = self.db.plan(text, &catalog)?.kind {
            let views = Views::new(self.db.log.shared.clone(), ForkOptions::default());
            let mut view = views.open().map_err(work::machine)?;
            let statements = vec![Sql { sql: read.sql.to_string(), yields: Yields::Rows }];
            let step = Step { statements, params: vec![vec![]], ..Step::default() };
            return match view.runner().run(&step, None) {
                Ok((outcome, _)) => Ok(shown(&outcome)),
                Err(error) => Err(SqlError::internal(format!("{error:?}"))),
            };
        }
        let write = self.db.write_of(text);
        let control = Control { deadline: Instant::now() + Duration::from_secs(10), cancelled: Arc::default() };
        let executor = self.db.executor();
        let copy = write.clone();
        let _admission = executor.admit(move || Some(copy), &control).await?;
        match self.db.log.apply(RequestId { origin: rand::random(), seq: 0 }, write) {
            Outcome::Done(done) => Ok(shown(&done[0])),
            Outcome::Failed { error, .. } => Err(error),
            Outcome::Refused(refusal) => Err(SqlError::internal(format!("{refusal:?}"))),
        }
    }

    async fn utility(&mut self, utility: &Utility) -> SqlResult<String> {
        match utility {
            Utility::Begin(modes) => {
                self.name.seq += 1;
                let isolation = modes.isolation.map_or(Isolation::ReadCommitted, IsolationLevel::isolation);
                self.transcript = Some(Transcript::new(isolation, limitless()));
                self.attached = false;
            }
            Utility::Savepoint(name) => {
                self.transcript.as_mut().unwrap().savepoint(name);
                self.follow(Action::Savepoint(name.clone())).await?;
            }
            Utility::Release(name) => {
                self.transcript.as_mut().unwrap().release(name)?;
                self.follow(Action::Release(name.clone())).await?;
            }
            Utility::RollbackTo(name) => {
                self.transcript.as_mut().unwrap().rollback_to(name)?;
                self.failed = false;
                self.follow(Action::RollbackTo(name.clone())).await?;
            }
            Utility::LockTable { tables, mode, nowait } => {
                let action = Action::Lock { tables: tables.clone(), mode: *mode, nowait: *nowait };
                self.order(action).await?;
            }
            Utility::Commit { .. } if !self.failed => return self.commit(),
            Utility::Rollback { .. } | Utility::Commit { .. } => {
                self.end();
                return Ok("ROLLBACK".into());
            }
            other => panic!("{other:?}"),
        }
        Ok("ok".into())
    }

    fn end(&mut self) {
        (self.transcript, self.failed) = (None, false);
        self.db.executor().end(self.name);
    }

    fn commit(&mut self) -> SqlResult<String> {
        let shared = &self.db.log.shared;
        let transcript = self.transcript.take().unwrap();
        let write = transcript.into_write(shared.schema_version(), shared.applied(), Env::default());
        let outcome = write.map(|write| self.db.log.apply(self.name, write));
        self.end();
        match outcome {
            None | Some(Outcome::Done(_)) => Ok("COMMIT".into()),
            Some(Outcome::Failed { error, .. }) => Err(error),
            Some(Outcome::Refused(refusal)) => Err(SqlError::internal(format!("{refusal:?}"))),
        }
    }

    async fn follow(&mut self, action: Action) -> SqlResult<()> {
        if !self.attached {
            return Ok(());
        }
        let order = Order { name: self.name, epoch: self.epoch, action, within: 10_000, lock_timeout: None };
        self.attached = matches!(self.db.executor().order(order, Arc::default()).await, Reply::Done);
        Ok(())
    }

    async fn order(&mut self, action: Action) -> SqlResult<Reply> {
        loop {
            if !self.attached {
                self.epoch += 2;
                let transcript = self.transcript.clone().unwrap();
                let open = Open { name: self.name, epoch: self.epoch, env: Env::default(), transcript, leased: false };
                match self.db.executor().open(open) {
                    Reply::Done => self.attached = true,
                    Reply::Failed(error) => return Err(error),
                    _ => {
                        tokio::time::sleep(Duration::from_millis(1)).await;
                        continue;
                    }
                }
            }
            let lock_timeout = Some(3000);
            let order =
                Order { name: self.name, epoch: self.epoch, action: action.clone(), within: 10_000, lock_timeout };
            match self.db.executor().order(order, Arc::default()).await {
                Reply::Unknown | Reply::NotLeader => self.attached = false,
                Reply::Failed(error) => return Err(error),
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
        for line in script.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let (who, text) = line.split_once(": ").unwrap();
            // Whatever is said behind the arrow is what we expect.
            let text = text.split("->").next().unwrap().trim();
            if who == "leader" {
                db.change_leader();
                let _ = writeln!(out, "leader: {text}");
                continue;
            }
            let session = sessions.entry(who.to_owned()).or_insert_with(|| Arc::new(db.session().into())).clone();
            if text == "(answer)" {
                let answer = waiting.remove(who).unwrap().await.unwrap();
                let _ = writeln!(out, "{who}: (answer) -> {answer}");
                continue;
            }
            let statement = text.to_owned();
            let mut task = tokio::spawn(async move { session.lock().await.run(&statement).await });
            match tokio::time::timeout(Duration::from_millis(150), &mut task).await {
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
         leader: dies
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

#[test]
fn a_gateway_that_dies_lets_go() {
    let db = Db::new(ACCOUNTS);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut lost = db.session();
        lost.run("BEGIN").await;
        lost.run("UPDATE a SET v = 1 WHERE id = 1").await;
        // As if it had come from another node.
        let open = Open {
            name: TxName { origin: 1, seq: 1 },
            epoch: 1,
            env: Env::default(),
            transcript: lost.transcript.clone().unwrap(),
            leased: true,
        };
        let executor = db.executor();
        lost.end();
        assert!(matches!(executor.open(open), Reply::Done));
        assert_eq!(executor.open_transactions(), 1);
        executor.sweep(Instant::now() + Limits::default().lease / 2);
        assert_eq!(executor.open_transactions(), 1);
        executor.sweep(Instant::now() + Limits::default().lease * 2);
        assert_eq!(executor.open_transactions(), 0);
        assert!(executor.locks().is_empty());
    });
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

/// COMMIT compares what a write said only if the transaction changes something at all.
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

#[test]
fn sixteen_workers_do_every_job_once() {
    const JOBS: i64 = 200;
    let db = Db::new("CREATE TABLE job (id int PRIMARY KEY, done int); CREATE TABLE log (job int, worker int)");
    let values: Vec<String> = (1..=JOBS).map(|i| format!("({i}, 0)")).collect();
    let write = db.write_of(&format!("INSERT INTO job VALUES {}", values.join(", ")));
    db.log.apply(RequestId { origin: 7, seq: 7 }, write);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_all().build().unwrap();
    runtime.block_on(async {
        let workers = (0..16).map(|worker| {
            let mut session = db.session();
            tokio::spawn(async move {
                loop {
                    session.run("BEGIN").await;
                    let take = "SELECT id FROM job WHERE done = 0 ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED";
                    let job = session.run(take).await;
                    if job == "0" {
                        session.run("ROLLBACK").await;
                        return;
                    }
                    let id = job.trim_matches(['[', ']']).to_owned();
                    assert!(id.parse::<i64>().is_ok(), "{job}");
                    assert_eq!(session.run(&format!("UPDATE job SET done = 1 WHERE id = {id}")).await, "1");
                    assert_eq!(session.run(&format!("INSERT INTO log VALUES ({id}, {worker})")).await, "1");
                    assert_eq!(session.run("COMMIT").await, "COMMIT");
                }
            })
        });
        for worker in workers.collect::<Vec<_>>() {
            worker.await.unwrap();
        }
        let mut session = db.session();
        let counted = session.run("SELECT count(*), count(DISTINCT job) FROM log").await;
        assert_eq!(counted, format!("[{JOBS} {JOBS}]"));
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
        Outcome::Failed { error, .. } => {
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
