//! The state machine as its callers see it: entries in, outcomes, digests and rows out.

use super::fork::ForkOptions;
use super::view::Views;
use super::*;
use crate::command::{
    self, Batch, Command, Frozen, Isolation, Outcome, Proposal, Refusal, Shape, Statement as Sql, Step, StepOutcome,
    Write, Yields,
};
use crate::consensus::Payload;
use crate::database::{Control, Fetched, Rows as _};
use crate::id::{NodeId, ReplicaId, RequestId};
use crate::value::ValueRef;
use std::sync::atomic::AtomicUsize;
use tempfile::TempDir;
use xxhash_rust::xxh3::xxh3_64;

const TABLES: &str = r#"
CREATE TABLE "pg_catalog.pg_class" (oid INTEGER PRIMARY KEY, relname TEXT) STRICT;
CREATE TABLE "pg_catalog.pg_sequence" (seqrelid INTEGER PRIMARY KEY, seqtypid INTEGER, seqstart INTEGER,
    seqincrement INTEGER, seqmax INTEGER, seqmin INTEGER, seqcache INTEGER, seqcycle INTEGER,
    last_value INTEGER, is_called INTEGER) STRICT;
INSERT INTO "pg_catalog.pg_class" VALUES (9, 's');
INSERT INTO "pg_catalog.pg_sequence" VALUES (9, 20, 1, 1, 3, 1, 1, 0, 1, 0);
CREATE TABLE "public.t" (k INTEGER PRIMARY KEY, v TEXT) STRICT;
CREATE TABLE "public.parent" (id INTEGER PRIMARY KEY) STRICT;
CREATE TABLE "public.child" (id INTEGER PRIMARY KEY,
    p INTEGER REFERENCES "public.parent" (id) DEFERRABLE INITIALLY DEFERRED) STRICT;
"#;

fn dialect() -> Dialect {
    Dialect {
        register: Arc::new(|raw, context| {
            use rusqlite::functions::FunctionFlags;
            let c = context.clone();
            raw.create_scalar_function(c"q_random", 0, FunctionFlags::SQLITE_UTF8, move |_| {
                Ok(c.lock().random() as i64)
            })?;
            let c = context.clone();
            raw.create_scalar_function(c"q_now", 0, FunctionFlags::SQLITE_UTF8, move |_| Ok(c.lock().now))?;
            raw.create_scalar_function(c"q_fail", 1, FunctionFlags::SQLITE_UTF8, |args| {
                match args.get::<Option<String>>(0)? {
                    Some(text) => Err(rusqlite::Error::UserFunctionError(format!("22012:{text}").into())),
                    None => Ok(None::<i64>),
                }
            })
        }),
        load_catalog: Arc::new(|_, rows| {
            let tables = rows("SELECT count(*) FROM sqlite_schema")?;
            assert!(matches!(tables[0][0], Value::Int(_)));
            Ok(Catalog::default())
        }),
        decode_error: |message| message.strip_prefix("22012:").map(|m| SqlError::new(state::DIVISION_BY_ZERO, m)),
        explain_error: Arc::new(|_, failure, _| {
            let state = match failure.code {
                rusqlite::ffi::SQLITE_CONSTRAINT_PRIMARYKEY => state::UNIQUE_VIOLATION,
                rusqlite::ffi::SQLITE_CONSTRAINT_FOREIGNKEY => state::FOREIGN_KEY_VIOLATION,
                _ => state::INTERNAL_ERROR,
            };
            SqlError::new(state, failure.message)
        }),
        show_view: |_, _, _, _| None,
    }
}

fn options(directory: &Path) -> Options {
    Options {
        migrations: vec![Migration::first(1, TABLES)],
        membership: Membership { voters: vec![ReplicaId(1), ReplicaId(2), ReplicaId(3)], ..Membership::default() },
        ..Options::new(directory, dialect())
    }
}

/// A replica in a directory of its own, with a log to feed it.
struct Replica {
    engine: Engine,
    shared: Arc<Shared>,
    directory: TempDir,
}

impl Replica {
    fn new() -> Replica {
        Replica::with(|_| ())
    }

    fn with(change: impl FnOnce(&mut Options)) -> Replica {
        let directory = tempfile::tempdir().unwrap();
        let mut options = options(directory.path());
        change(&mut options);
        let (engine, shared) = Engine::open(options).unwrap();
        Replica { engine, shared, directory }
    }

    fn reopen(self) -> Replica {
        let Replica { engine, directory, .. } = self;
        drop(engine);
        let (engine, shared) = Engine::open(options(directory.path())).unwrap();
        Replica { engine, shared, directory }
    }

    fn next(&self) -> u64 {
        self.engine.applied().index + 1
    }

    /// Applies one entry with these commands.
    fn run(&mut self, commands: Vec<(u64, Command)>) -> Result<Vec<Arc<Outcome>>, Halt> {
        let entry = entry(self.next(), commands);
        Ok(self.engine.apply(&[entry])?.into_iter().map(|applied| applied.outcome).collect())
    }

    /// Applies one write.
    fn write(&mut self, request: u64, write: Write) -> Arc<Outcome> {
        self.command(request, Command::Write(write))
    }

    fn command(&mut self, request: u64, command: Command) -> Arc<Outcome> {
        self.run(vec![(request, command)]).unwrap().remove(0)
    }

    fn value(&self, sql: &str) -> Value {
        rows(&self.shared, sql).unwrap()[0][0].clone()
    }
}

fn entry(index: u64, commands: Vec<(u64, Command)>) -> Committed {
    let commands = commands
        .into_iter()
        .map(|(seq, command)| Proposal { request: RequestId { origin: 1, seq }, body: command::encode(&command) })
        .collect();
    let batch = Batch { now: 1_000_000 * index as i64, seed: index, commands };
    Committed { at: Position { index, term: 1 }, payload: Payload::Batch(command::encode(&batch)) }
}

fn sql(text: &str, yields: Yields) -> Sql {
    Sql::new(text, yields)
}

fn step(text: &str, yields: Yields, params: Vec<Value>) -> Step {
    Step { statements: vec![sql(text, yields)], params: vec![params], ..Step::default() }
}

fn steps(steps: Vec<Step>) -> Write {
    Write { schema_version: 0, born: 0, env: Default::default(), steps, transaction: None }
}

fn one(text: &str, params: Vec<Value>) -> Write {
    steps(vec![step(text, Yields::Count, params)])
}

fn insert(k: i64) -> Write {
    one(r#"INSERT INTO "public.t" VALUES (?1, ?2)"#, vec![Value::Int(k), Value::Text(format!("v{k}"))])
}

fn count(n: u64) -> Outcome {
    Outcome::Done(vec![StepOutcome { count: n, ..StepOutcome::default() }])
}

fn failure(outcome: &Outcome) -> &str {
    match outcome {
        Outcome::Failed { error, .. } | Outcome::FailedAfter { error, .. } => error.code.as_str(),
        other => panic!("not failed: {other:?}"),
    }
}

fn rows_of(outcome: &Outcome) -> Vec<Vec<Value>> {
    match outcome {
        Outcome::Done(done) => done.last().unwrap().rows.clone(),
        other => panic!("not done: {other:?}"),
    }
}

fn block<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

fn request(shared: &Shared, sql: &str) -> ReadRequest {
    ReadRequest {
        sql: Arc::from(sql),
        params: Vec::new(),
        context: Default::default(),
        signals: false,
        schema_version: shared.schema_version(),
        linearizable: false,
        control: Control::until(Instant::now() + Duration::from_secs(60)),
    }
}

fn rows(shared: &Arc<Shared>, sql: &str) -> Result<Vec<Vec<Value>>, Failure> {
    let mut cursor = block(shared.read(request(shared, sql)))?;
    let mut rows = Vec::new();
    while cursor.fetch(100, false, &mut |row| {
        rows.push(row.iter().map(|&value| ValueRef::to_owned(value)).collect());
        Ok(())
    })? == Fetched::More
    {}
    Ok(rows)
}

#[test]
fn commands_take_effect_and_survive_a_restart() {
    let mut r = Replica::new();
    assert_eq!(*r.write(1, insert(1)), count(1));
    assert_eq!(*r.write(2, one(r#"UPDATE "public.t" SET v = 'x' WHERE k > 100"#, vec![])), count(0));
    let both =
        steps(vec![step(r#"INSERT INTO "public.t" VALUES (2, 'a'), (3, 'b') RETURNING k, v"#, Yields::Rows, vec![])]);
    let outcome = r.write(3, both);
    assert_eq!(rows_of(&outcome)[1], vec![Value::Int(3), Value::Text("b".into())]);
    let (digest, at) = (r.engine.digest(), r.engine.applied());
    assert_eq!(at, Position { index: 3, term: 1 });
    let r = r.reopen();
    assert_eq!((r.engine.digest(), r.engine.applied()), (digest, at));
    assert_eq!(r.engine.membership().voters.len(), 3);
    assert_eq!(r.engine.durable(), 3);
    assert_eq!(r.value(r#"SELECT count(*) FROM "public.t""#), Value::Int(3));
}

#[test]
fn a_gap_in_the_log_is_refused() {
    let mut r = Replica::new();
    let error = r.engine.apply(&[entry(2, vec![])]).unwrap_err();
    assert!(matches!(error, Halt::Corrupt(_)));
    r.engine.apply(&[entry(1, vec![])]).unwrap();
}

#[test]
fn a_repeated_request_gets_its_first_outcome_and_changes_nothing() {
    let mut r = Replica::new();
    let first = r.write(1, insert(1));
    let failed = r.write(2, insert(1));
    assert_eq!(failure(&failed), "23505");
    assert_eq!(r.write(1, insert(1)), first);
    let twice = r.run(vec![(3, Command::Write(insert(3))), (3, Command::Write(insert(3)))]).unwrap();
    assert_eq!(twice[0], twice[1]);
    let mut r = r.reopen();
    assert_eq!(r.write(1, insert(77)), first);
    assert_eq!(r.write(2, insert(78)), failed);
    assert_eq!(r.value(r#"SELECT count(*) FROM "public.t""#), Value::Int(2));
}

#[test]
fn outcomes_are_forgotten_after_the_window_and_late_requests_expire() {
    let mut r = Replica::with(|o| o.window = Window { commands: 4, bytes: 1 << 20 });
    for k in 1..=6 {
        r.write(k as u64, Write { born: k as u64 - 1, ..insert(k) });
    }
    // Entries 1 and 2 are forgotten: a request born before 2 may have been among them.
    assert_eq!(*r.write(1, insert(1)), Outcome::Refused(Refusal::Expired));
    assert_eq!(*r.write(9, Write { born: 1, ..insert(9) }), Outcome::Refused(Refusal::Expired));
    assert_eq!(*r.write(9, Write { born: 2, ..insert(9) }), count(1));
    assert_eq!(*r.write(6, Write { born: 5, ..insert(6) }), count(1));
}

#[test]
fn a_command_beyond_its_budget_fails_alike_however_entries_are_grouped() {
    let limits = crate::meter::Limits { work: 50_000, ..crate::meter::Limits::NONE };
    let endless = || {
        one(
            "INSERT INTO \"public.t\" WITH RECURSIVE r(n) AS (SELECT 100 UNION ALL SELECT n + 1 FROM r) SELECT n, 'x' FROM r",
            vec![],
        )
    };
    let entries: Vec<Committed> = [
        vec![(1, insert(1)), (2, endless()), (3, insert(2))],
        vec![(4, insert(3))],
        vec![(5, endless())],
        vec![(2, insert(50)), (6, insert(4))],
    ]
    .into_iter()
    .zip(1..)
    .map(|(writes, index)| entry(index, writes.into_iter().map(|(n, write)| (n, Command::Write(write))).collect()))
    .collect();
    let outcomes = [vec![4], vec![1, 1, 1, 1], vec![2, 2], vec![3, 1]].map(|groups| {
        let mut r = Replica::new();
        r.engine.machine.set_limits(limits);
        // What ran before does not count.
        if groups.len() > 1 {
            let connection = &mut r.engine.machine.runner.connection;
            connection.statement(r#"INSERT INTO "public.t" VALUES (?1, ?2)"#).unwrap();
        }
        let (mut rest, mut all) = (&entries[..], Vec::new());
        for length in groups {
            let (group, after) = rest.split_at(length);
            all.extend(r.engine.apply(group).unwrap().into_iter().map(|applied| (*applied.outcome).clone()));
            rest = after;
        }
        assert_eq!(r.value(r#"SELECT count(*) FROM "public.t""#), Value::Int(4));
        (all, r.engine.digest())
    });
    assert_eq!(failure(&outcomes[0].0[1]), "54000");
    assert_eq!(failure(&outcomes[0].0[5]), "54000", "a repeated request gets its outcome again");
    assert!(outcomes.iter().all(|other| *other == outcomes[0]));
}

/// What the group has skipped is recorded as failed, and what comes behind it goes on; a replica that has applied it finds out.
#[test]
fn a_skipped_entry_is_recorded_as_failed() {
    let log = |first: u64| {
        let poison = entry(first, vec![(7, Command::Write(insert(1))), (8, Command::Write(insert(2)))]);
        let skip = Committed { at: Position { index: first + 1, term: 1 }, payload: Payload::Skip(poison.at) };
        let after = entry(first + 2, vec![(7, Command::Write(insert(1))), (9, Command::Write(insert(3)))]);
        (poison, [skip, after])
    };
    let (mut one, mut two, mut lucky) = (Replica::new(), Replica::new(), Replica::new());
    for replica in [&mut one, &mut two, &mut lucky] {
        replica.write(1, insert(10));
    }
    let (poison, after) = log(one.next());
    let brake = one.engine.brake();
    brake.skip(poison.at);
    assert!(one.engine.apply(std::slice::from_ref(&poison)).is_err(), "it is not applied any more");
    for replica in [&mut one, &mut two] {
        let failed = replica.engine.skip(&poison).unwrap();
        assert_eq!(failed.iter().map(|a| failure(&a.outcome)).collect::<Vec<_>>(), ["58000", "58000"]);
    }
    let repeated = one.engine.apply(&after).unwrap();
    assert_eq!(failure(&repeated[0].outcome), "58000", "the same request gets the same answer");
    let mut two = two.reopen();
    after.iter().for_each(|entry| drop(two.engine.apply(std::slice::from_ref(entry)).unwrap()));
    assert_eq!(one.engine.digest(), two.engine.digest());
    assert_eq!(one.value(r#"SELECT group_concat(k) FROM "public.t""#), Value::Text("3,10".to_owned()));
    lucky.engine.apply(std::slice::from_ref(&poison)).unwrap();
    assert_eq!(lucky.engine.apply(&after).unwrap_err(), Halt::Overruled(poison.at.index));
}

#[test]
fn a_large_result_is_given_once_and_then_forgotten() {
    let mut r = Replica::new();
    let write = || {
        let text = r#"INSERT INTO "public.t" VALUES (1, ?1) RETURNING v"#;
        steps(vec![step(text, Yields::Rows, vec![Value::Text("x".repeat(2 << 20))])])
    };
    assert!(matches!(&*r.write(1, write()), Outcome::Done(_)));
    assert_eq!(*r.write(1, write()), Outcome::Refused(Refusal::ResultForgotten));
}

/// Under one id either the write is applied or the void, whichever comes first; the other gets the first one's outcome.
#[test]
fn a_void_settles_what_became_of_a_request() {
    let mut r = Replica::new();
    let void = || Command::Settle { born: 0, error: SqlError::new(state::LOCK_NOT_AVAILABLE, "it waited too long") };
    assert_eq!(*r.write(1, insert(5)), count(1));
    assert_eq!(*r.command(1, void()), count(1));
    assert_eq!(failure(&r.command(2, void())), "55P03");
    assert_eq!(failure(&r.write(2, insert(6))), "55P03");
    assert_eq!(*r.write(3, insert(6)), count(1), "nothing was done under the void id");
}

#[test]
fn a_failing_command_leaves_no_trace() {
    let mut r = Replica::new();
    r.write(1, insert(5));
    let text = r#"INSERT INTO "public.t" SELECT value, 'n' FROM json_each('[1,2,5,6]')"#;
    assert_eq!(failure(&r.write(2, one(text, vec![]))), "23505");
    let two = steps(vec![insert(8).steps.remove(0), insert(5).steps.remove(0)]);
    let outcome = r.write(3, two);
    // The client hears what the first step brought all the same.
    let Outcome::FailedAfter { done, .. } = &*outcome else { panic!("{outcome:?}") };
    assert_eq!(done.iter().map(|step| step.count).collect::<Vec<_>>(), [1]);
    // A function that fails in the middle of a statement.
    let text = r#"UPDATE "public.t" SET v = q_fail(CASE WHEN k = 5 THEN 'five' END)"#;
    assert_eq!(failure(&r.write(4, one(text, vec![]))), "22012");
    assert_eq!(failure(&r.write(5, one("INSERT INTO nowhere VALUES (1)", vec![]))), "XX000");
    assert_eq!(failure(&r.write(6, one(r#"INSERT INTO "public.t" VALUES (?1, ?2)"#, vec![]))), "XX000");
    assert_eq!(r.value(r#"SELECT json_group_array(k) FROM "public.t""#), Value::Text("[5]".into()));
}

#[test]
fn a_guard_raises_its_error() {
    let mut r = Replica::new();
    let write = |limit: i64| {
        steps(vec![Step {
            statements: vec![
                sql(
                    r#"SELECT '21000', 'too many', NULL, 'fewer', 'public', 't' FROM "public.t" GROUP BY 1 HAVING count(*) >= ?1"#,
                    Yields::Guard,
                ),
                sql(r#"INSERT INTO "public.t" (v) VALUES ('g')"#, Yields::Count),
            ],
            params: vec![vec![Value::Int(limit)]],
            ..Step::default()
        }])
    };
    assert_eq!(*r.write(1, write(1)), count(1));
    match &*r.write(2, write(1)) {
        Outcome::Failed { error, .. } => {
            assert_eq!((error.code.as_str(), error.message.as_str()), ("21000", "too many"));
            assert_eq!(error.fields.hint.as_deref(), Some("fewer"));
            assert_eq!(error.fields.table.as_deref(), Some("t"));
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(*r.write(3, write(2)), count(1));
}

#[test]
fn a_step_runs_once_for_each_parameter_set() {
    let mut r = Replica::new();
    let mut copy = insert(1);
    copy.steps[0].params = (1..=5).map(|k| vec![Value::Int(k), Value::Null]).collect();
    assert_eq!(*r.write(1, copy.clone()), count(5));
    copy.steps[0].params.clear();
    assert_eq!(*r.write(2, copy), count(0));
}

#[test]
fn deferred_foreign_keys_are_checked_at_the_end_of_the_command_not_of_the_batch() {
    let orphan = || one(r#"INSERT INTO "public.child" VALUES (1, 7)"#, vec![]);
    let parent = || one(r#"INSERT INTO "public.parent" VALUES (7)"#, vec![]);
    let mut r = Replica::new();
    let outcomes = r
        .run(vec![
            (1, Command::Write(insert(1))),
            (2, Command::Write(orphan())),
            (3, Command::Write(parent())),
            (4, Command::Write(orphan())),
        ])
        .unwrap();
    assert_eq!(*outcomes[0], count(1));
    assert_eq!(failure(&outcomes[1]), "23503");
    assert_eq!(*outcomes[2], count(1));
    assert_eq!(*outcomes[3], count(1));
    // In another order within one command it is fine; the PRAGMA ends with its command.
    let mut r = Replica::new();
    let mut write = orphan();
    write.steps.push(parent().steps.remove(0));
    write.steps[0]
        .statements
        .insert(0, Sql { shape: Shape::Deferral, ..sql("PRAGMA defer_foreign_keys = ON", Yields::Nothing) });
    assert!(matches!(&*r.write(1, write), Outcome::Done(_)));
}

#[test]
fn ddl_raises_the_schema_version_and_older_translations_are_refused() {
    let mut r = Replica::new();
    let create = || {
        let mut write = one(r#"CREATE TABLE "public.n" (a INTEGER) STRICT"#, vec![]);
        write.steps[0].ddl = command::Definition::Shared;
        write
    };
    assert_eq!(*r.write(1, create()), count(0));
    let now = 1 << 32;
    assert_eq!((r.shared.schema_version(), r.shared.catalog().version), (now, now));
    assert_eq!(*r.write(2, insert(1)), Outcome::Refused(Refusal::SchemaChanged { now }));
    // A refusal is not remembered: the same request, translated again, runs.
    assert_eq!(*r.write(2, Write { schema_version: now, ..insert(1) }), count(1));
    // DDL that fails changes nothing.
    assert!(matches!(&*r.write(3, Write { schema_version: now, ..create() }), Outcome::Failed { .. }));
    assert_eq!(r.shared.schema_version(), now);
    let stale = ReadRequest { schema_version: 0, ..request(&r.shared, "SELECT 1") };
    assert!(matches!(block(r.shared.read(stale)), Err(Failure::SchemaChanged)));
    let gone = ReadRequest { schema_version: 0, ..request(&r.shared, "SELECT * FROM missing") };
    assert!(matches!(block(r.shared.read(gone)), Err(Failure::SchemaChanged)));
    assert_eq!(r.value(r#"SELECT count(*) FROM "public.n""#), Value::Int(0));
    // What only its session sees leaves what others have translated as good as it was.
    let mut private = one(r#"CREATE TABLE "pg_temp_1.t" (a INTEGER) STRICT"#, vec![]);
    private.steps[0].ddl = command::Definition::Private;
    assert_eq!(*r.write(4, Write { schema_version: now, ..private }), count(0));
    assert_eq!(r.shared.schema_version(), now + 1);
    assert_eq!(*r.write(5, Write { schema_version: now, ..insert(2) }), count(1));
    assert!(block(r.shared.read(ReadRequest { schema_version: now, ..request(&r.shared, "SELECT 1") })).is_ok());
}

/// A table of ours that the second version brings, and one that the third does.
const LATER: [Migration; 2] = [
    Migration { number: 2, since: Version(2), script: "CREATE TABLE second (a INTEGER) STRICT", catalog: true },
    Migration { number: 3, since: Version(3), script: "INSERT INTO second VALUES (3)", catalog: false },
];

fn program_of(latest: u32) -> impl FnOnce(&mut Options) {
    move |options| {
        options.migrations.extend(LATER.iter().filter(|m| m.since <= Version(latest)));
        options.latest = Version(latest);
    }
}

#[test]
fn the_version_rises_at_one_index_of_the_log_and_our_tables_follow() {
    let raise = |to| Command::Raise { to: Version(to) };
    let count_tables = "SELECT count(*) FROM sqlite_schema WHERE name = 'second'";
    let mut replicas = [Replica::with(program_of(3)), Replica::with(program_of(3))];
    for r in &mut replicas {
        assert_eq!((r.shared.version(), r.value(count_tables)), (Version(1), Value::Int(0)));
        assert_eq!(*r.write(1, insert(1)), count(1));
        assert_eq!(*r.command(2, raise(2)), Outcome::Done(vec![]));
        assert_eq!((r.shared.version(), r.value(count_tables)), (Version(2), Value::Int(1)));
        // What was compiled before is compiled anew.
        assert_eq!(*r.write(3, insert(2)), Outcome::Refused(Refusal::SchemaChanged { now: 1 << 32 }));
        // It does not fall, and to raise it twice is to raise it once.
        assert_eq!(*r.command(4, raise(2)), Outcome::Done(vec![]));
        assert_eq!(*r.command(5, raise(1)), Outcome::Done(vec![]));
        assert_eq!((r.shared.version(), r.shared.schema_version()), (Version(2), 1 << 32));
    }
    // One is behind and makes up for it in one call: the same.
    let [mut a, mut b] = replicas;
    let entries = |first| vec![entry(first, vec![(6, raise(3))]), entry(first + 1, vec![(7, insert_at(1))])];
    for one in entries(a.next()) {
        a.engine.apply(&[one]).unwrap();
    }
    b.engine.apply(&entries(b.next())).unwrap();
    assert_eq!(a.shared.digest(), b.shared.digest());
    assert_eq!(a.value("SELECT max(a) FROM second"), Value::Int(3));
}

fn insert_at(schema_version: u64) -> Command {
    Command::Write(Write { schema_version, ..insert(9) })
}

#[test]
fn a_program_of_an_earlier_version_stops_and_says_which_one_to_run() {
    let mut old = Replica::with(program_of(2));
    let halt = old.run(vec![(1, Command::Raise { to: Version(3) })]).unwrap_err();
    assert!(matches!(&halt, Halt::Environment(text) if text.contains("run the newer program")), "{halt}");
    // Nothing has happened, and the newer program goes on from there.
    assert_eq!((old.shared.version(), old.engine.applied().index), (Version(1), 0));
    let Replica { engine, directory, .. } = old;
    drop(engine);
    let open = |latest| {
        let mut options = options(directory.path());
        program_of(latest)(&mut options);
        Engine::open(options)
    };
    let (mut engine, shared) = open(3).unwrap();
    engine.apply(&[entry(1, vec![(1, Command::Raise { to: Version(3) })])]).unwrap();
    assert_eq!(shared.version(), Version(3));
    drop((engine, shared));
    let refused = open(2).map(|_| ()).unwrap_err();
    assert!(refused.to_string().contains("has version 3, and this program knows up to 2"), "{refused}");
    assert!(open(3).is_ok());
}

#[test]
fn what_clients_must_not_do_is_denied() {
    let mut r = Replica::new();
    for (request, text) in (1..).zip([
        "ATTACH 'x' AS y",
        "PRAGMA journal_mode = DELETE",
        "PRAGMA foreign_keys = OFF",
        "DELETE FROM _quorate_meta",
        "SELECT * FROM _quorate_meta",
        "SELECT * FROM sqlite_dbpage",
        "INSERT INTO sqlite_master VALUES (1, 2, 3, 4, 5)",
        "CREATE TABLE \"public.a\" (i INTEGER PRIMARY KEY AUTOINCREMENT)",
        "CREATE VIRTUAL TABLE \"public.f\" USING fts5(a)",
        "CREATE TEMP TABLE x (a)",
        "SELECT random()",
        "SELECT changes()",
        "SELECT datetime('now')",
        "SELECT CURRENT_TIMESTAMP",
        "COMMIT",
        "SAVEPOINT x",
        "VACUUM",
    ]) {
        let outcome = r.write(request, one(text, vec![]));
        let failed = matches!(&*outcome, Outcome::Failed { .. } | Outcome::FailedAfter { .. });
        assert!(failed, "{text}: {outcome:?}");
        assert!(rows(&r.shared, text).is_err(), "{text}");
    }
    assert!(rows(&r.shared, r#"INSERT INTO "public.t" VALUES (1, 'a')"#).is_err());
    assert_eq!(*r.write(100, insert(1)), count(1));
}

#[test]
fn the_tables_of_a_statement_are_known_to_who_explains_its_errors() {
    let mut r = Replica::new();
    let mut tables = |sql| r.engine.machine.runner.connection.written_tables(sql);
    assert_eq!(tables(r#"INSERT INTO "public.child" SELECT k, k FROM "public.t""#), ["public.child"]);
    assert_eq!(tables(r#"DELETE FROM "public.parent""#), ["public.parent"]);
    assert_eq!(tables("SELECT 1").len(), 0);
    assert_eq!(tables("nonsense").len(), 0);
}

#[test]
fn a_fork_runs_steps_on_a_connection_of_somebody_else() {
    let raw = rusqlite::Connection::open_in_memory().unwrap();
    raw.execute_batch(TABLES).unwrap();
    // SAFETY: the runner goes before `raw`, which is declared before it.
    let connection = unsafe { Connection::attach(&raw, &dialect().register).unwrap() };
    let mut runner = Runner::new(connection, dialect());
    raw.execute_batch("BEGIN").unwrap();
    runner.connection.context().lock().sequences =
        crate::functions::SequenceSource::Draw(Arc::new(|oid| Ok(Some(i64::from(oid) * 100))));
    runner.connection.changes().record(true);
    runner.connection.changes().keep_touched(10);
    let (outcome, told) = runner.run(&draw().steps[0], None).ok().unwrap();
    assert!(told.is_none());
    assert_eq!((outcome.count, &outcome.drawn[..]), (1, &[(9, 900)][..]));
    let taken = runner.connection.changes().take_touched();
    assert!(taken.complete && taken.crowded.is_empty());
    let touched = taken.rows;
    assert_eq!(touched.len(), 1);
    assert_eq!((&*touched[0].table, touched[0].rowids), ("public.t", Some((900, 900))));
    assert_eq!(touched[0].new[0], Value::Int(900));
    raw.execute_batch("ROLLBACK").unwrap();
    assert_eq!(raw.query_row(r#"SELECT count(*) FROM "public.t""#, [], |row| row.get::<_, i64>(0)).unwrap(), 0);
    drop(runner);
    raw.close().unwrap();
}

#[test]
fn what_is_kept_of_changed_rows_is_bounded_in_bytes_too() {
    let raw = rusqlite::Connection::open_in_memory().unwrap();
    raw.execute_batch("CREATE TABLE large (k INTEGER PRIMARY KEY, v)").unwrap();
    // SAFETY: the connection goes before `raw`, which is declared before it.
    let mut connection = unsafe { Connection::attach(&raw, &dialect().register).unwrap() };
    connection.changes().record(true);
    connection.changes().keep_touched(1000);
    connection.run("INSERT INTO large VALUES (1, zeroblob(10000000)), (2, zeroblob(10000000))", &[]).unwrap();
    let taken = connection.changes().take_touched();
    assert_eq!((taken.rows.len(), taken.complete, taken.crowded.len()), (2, true, 0));
    // Before and after: twenty megabytes for each.
    connection.run("UPDATE large SET v = zeroblob(10000001)", &[]).unwrap();
    let taken = connection.changes().take_touched();
    assert_eq!((taken.rows.len(), taken.complete, &taken.crowded[..]), (1, false, &["large".to_owned()][..]));
    connection.run("UPDATE large SET v = NULL WHERE k = 2", &[]).unwrap();
    let taken = connection.changes().take_touched();
    assert_eq!((taken.rows.len(), taken.complete), (1, true));
    drop(connection);
    raw.close().unwrap();
}

#[test]
fn ddl_of_every_kind_is_allowed() {
    let mut r = Replica::new();
    for (request, text) in (1..).zip([
        r#"CREATE TABLE "public.d" (a INTEGER PRIMARY KEY, b TEXT, c TEXT CHECK (c <> '')) STRICT"#,
        r#"CREATE TABLE "public.w" (a TEXT PRIMARY KEY, b INTEGER) STRICT, WITHOUT ROWID"#,
        r#"CREATE UNIQUE INDEX "public.d_b" ON "public.d" (b) WHERE b IS NOT NULL"#,
        r#"CREATE VIEW "public.v" AS SELECT a FROM "public.d""#,
        r#"CREATE TRIGGER "public.d_tr" AFTER INSERT ON "public.d" BEGIN
             INSERT INTO "public.w" VALUES (new.b, new.a); END"#,
        r#"INSERT INTO "public.d" VALUES (1, 'x', 'y')"#,
        r#"ALTER TABLE "public.d" ADD COLUMN e INTEGER DEFAULT 5"#,
        r#"ALTER TABLE "public.d" RENAME COLUMN e TO f"#,
        r#"ALTER TABLE "public.d" DROP COLUMN f"#,
        r#"ALTER TABLE "public.d" RENAME TO "public.e""#,
        r#"DROP VIEW "public.v""#,
        r#"DROP TRIGGER "public.d_tr""#,
        r#"DROP INDEX "public.d_b""#,
        r#"ANALYZE "public.e""#,
        r#"CREATE TABLE "public.copy" AS SELECT * FROM "public.e""#,
        r#"DROP TABLE "public.e""#,
    ]) {
        let mut write = Write { schema_version: (request - 1) << 32, ..one(text, vec![]) };
        write.steps[0].ddl = command::Definition::Shared;
        let outcome = r.write(request, write);
        assert!(matches!(&*outcome, Outcome::Done(_)), "{text}: {outcome:?}");
    }
    assert_eq!(r.value(r#"SELECT b FROM "public.w" WHERE a = 'x'"#), Value::Int(1));
    assert_eq!(r.value(r#"SELECT c FROM "public.copy""#), Value::Text("y".into()));
}

#[test]
fn time_and_dice_come_from_the_log() {
    let run = |grouped: bool| {
        let mut r = Replica::new();
        let write = || steps(vec![step("SELECT q_now(), q_random(), q_random()", Yields::Rows, vec![])]);
        let entries: Vec<_> =
            (1..=3).map(|i| entry(i, (0..3).map(|j| (i * 10 + j, Command::Write(write()))).collect())).collect();
        let applied: Vec<_> = match grouped {
            true => r.engine.apply(&entries).unwrap(),
            false => entries.iter().flat_map(|e| r.engine.apply(std::slice::from_ref(e)).unwrap()).collect(),
        };
        (applied.iter().map(|a| rows_of(&a.outcome)[0].clone()).collect::<Vec<_>>(), r.engine.digest())
    };
    let (outcomes, digest) = run(true);
    assert_eq!(run(false), (outcomes.clone(), digest));
    assert_eq!(outcomes[4][0], Value::Int(2_000_001));
    let mut dice: Vec<_> = outcomes.iter().flat_map(|row| &row[1..]).map(|v| format!("{v:?}")).collect();
    dice.sort();
    dice.dedup();
    assert_eq!(dice.len(), 18);
}

fn draw() -> Write {
    one(r#"INSERT INTO "public.t" VALUES (q_nextval(9), 's')"#, vec![])
}

#[test]
fn sequences_count_keep_their_draws_and_end() {
    let mut r = Replica::new();
    r.write(1, insert(2));
    match &*r.write(2, draw()) {
        Outcome::Done(done) => assert_eq!(done[0].drawn, [(9, 1)]),
        other => panic!("{other:?}"),
    }
    // 2 exists; as in Postgres the failed attempt has used it up, so the next one succeeds.
    assert_eq!(failure(&r.write(3, draw())), "23505");
    assert!(matches!(&*r.write(4, draw()), Outcome::Done(done) if done[0].drawn == [(9, 3)]));
    match &*r.write(5, draw()) {
        Outcome::Failed { error, .. } => {
            assert_eq!(error.code.as_str(), "2200H");
            assert_eq!(error.message, "nextval: reached maximum value of sequence \"s\" (3)");
        }
        other => panic!("{other:?}"),
    }
    assert!(matches!(&*r.write(6, one("SELECT q_setval(9, 1, 0)", vec![])), Outcome::Done(_)));
    assert_eq!(failure(&r.write(7, one("SELECT q_setval(9, 4, 1)", vec![]))), "22003");
    let replayed = |sequences| {
        let mut write = draw();
        write.steps[0].frozen = Some(Frozen { now: 1, seed: 2, sequences: Some(sequences), ..Frozen::default() });
        write
    };
    assert!(matches!(&*r.write(8, replayed(vec![40])), Outcome::Done(done) if done[0].drawn == [(9, 40)]));
    assert_eq!(failure(&r.write(9, replayed(vec![]))), "40001");
    let last = r#"SELECT last_value FROM "pg_catalog.pg_sequence""#;
    assert_eq!(r.value(last), Value::Int(1), "what was reserved before does not move it");
    let mut own = replayed(vec![50]);
    own.steps.insert(0, one("SELECT q_setval(9, 2, 1)", vec![]).steps.remove(0));
    assert!(matches!(&*r.write(10, own), Outcome::Done(_)));
    assert_eq!(r.value(last), Value::Int(50), "what the transaction drew by itself is not given again");
    assert!(r.shared.has_moved_since(9, 0) && !r.shared.has_moved_since(8, 0));
    match rows(&r.shared, "SELECT q_nextval(9)") {
        Err(Failure::Sql { error, .. }) => assert_eq!(error.code.as_str(), "25006"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_transaction_is_replayed_and_compared() {
    let mut r = Replica::new();
    for k in 1..=3 {
        r.write(k as u64, insert(k));
    }
    let update = r#"UPDATE "public.t" SET v = v || '!' WHERE k < 3"#;
    // What a fork would have computed: the same step on the same state.
    let expect = |isolation| {
        let mut twin = Replica::new();
        for k in 1..=3 {
            twin.write(k as u64, insert(k));
        }
        let runner = &mut twin.engine.machine.runner;
        runner.connection.run("BEGIN", &[]).unwrap();
        runner.connection.changes().restore(Default::default());
        runner.connection.changes().record(true);
        let (_, told) = runner.run(&step(update, Yields::Count, vec![]), Some(isolation)).ok().unwrap();
        told.unwrap().expect(false)
    };
    let commit = |isolation| {
        let mut write = one(update, vec![]);
        write.transaction = Some(isolation);
        write.steps[0].expect = Some(expect(isolation));
        write.steps[0].frozen = Some(Frozen::default());
        write
    };
    assert_eq!(*r.write(11, commit(Isolation::RepeatableRead)), count(2));
    // The old values are others now: too much for REPEATABLE READ, but READ COMMITTED was only told a number.
    assert_eq!(failure(&r.write(12, commit(Isolation::RepeatableRead))), "40001");
    assert_eq!(*r.write(13, commit(Isolation::ReadCommitted)), count(2));
    assert_eq!(r.value(r#"SELECT v FROM "public.t" WHERE k = 1"#), Value::Text("v1!!".into()));
}

/// A log with all sorts of commands, good and bad.
fn mixed_log() -> Vec<Committed> {
    let mut log = Vec::new();
    for i in 1..=60u64 {
        let k = (i * 7919) as i64 % 40;
        let texts = [
            format!(r#"INSERT INTO "public.t" VALUES ({k}, q_random())"#),
            format!(r#"UPDATE "public.t" SET v = v || q_now() WHERE k % 5 = {}"#, k % 5),
            format!(r#"DELETE FROM "public.t" WHERE k = {}"#, k + 1),
            format!(r#"INSERT OR REPLACE INTO "public.t" VALUES ({k}, 'r')"#),
            format!(r#"INSERT INTO "public.t" SELECT value, q_fail(nullif(value, {k})) FROM json_each('[90,91,3]')"#),
            format!(r#"INSERT INTO "public.child" VALUES ({i}, {k})"#),
            r#"INSERT INTO "public.t" VALUES (q_nextval(9) + 100, 's')"#.to_owned(),
        ];
        let mut commands: Vec<_> =
            (0..).zip(&texts).map(|(j, text)| (i * 100 + j, Command::Write(one(text, vec![])))).collect();
        let both = steps(texts[..2].iter().map(|text| step(text, Yields::Count, vec![])).collect());
        commands.push((i * 100 + 50, Command::Write(both)));
        if i % 10 == 0 {
            commands.push((i * 100 + 60, Command::DigestMark));
        }
        let mut entry = entry(i, commands);
        if i == 30 {
            entry.payload = Payload::Empty;
        } else if i == 40 {
            entry.payload =
                Payload::Membership(Membership { voters: vec![ReplicaId(1), ReplicaId(4)], ..Membership::default() });
        }
        log.push(entry);
    }
    log
}

#[test]
fn replicas_agree_whatever_the_grouping_and_restarts() {
    let log = mixed_log();
    let mut a = Replica::new();
    let outcomes: Vec<_> = log.iter().flat_map(|e| a.engine.apply(std::slice::from_ref(e)).unwrap()).collect();
    assert!(outcomes.iter().any(|o| matches!(&*o.outcome, Outcome::Failed { .. })));
    let mut b = Replica::new();
    let mut others = Vec::new();
    for (i, group) in log.chunks(13).enumerate() {
        if i % 2 == 1 {
            b = b.reopen();
        }
        others.extend(b.engine.apply(group).unwrap());
    }
    for (one, other) in outcomes.iter().zip(&others) {
        assert_eq!((one.request, one.index, &one.outcome), (other.request, other.index, &other.outcome));
    }
    assert_eq!(a.engine.digest(), b.engine.digest());
    assert_eq!(a.shared.digest_at(50), b.shared.digest_at(50));
    assert!(a.shared.digest_at(50).is_some());
    assert_eq!(b.engine.membership().voters, [ReplicaId(1), ReplicaId(4)]);
    // Savepoints everywhere end in the same state.
    let mut c = Replica::new();
    let effects = c.engine.machine.apply(&[], &mut |_, _| Ok(())).unwrap();
    assert!(effects.applied.is_empty());
    for entry in &log {
        c.engine.machine.apply_carefully(std::slice::from_ref(entry));
    }
    assert_eq!(a.engine.digest(), c.engine.digest());
}

/// Descriptors of a replica's files that this process has.
fn descriptors(r: &Replica) -> usize {
    let own = r.directory.path();
    let all = std::fs::read_dir("/proc/self/fd").unwrap().flatten();
    all.filter_map(|entry| std::fs::read_link(entry.path()).ok()).filter(|file| file.starts_with(own)).count()
}

/// What a database has that nobody uses is given back, and what comes next finds it as it was.
#[test]
fn a_database_at_rest_has_nothing_open() {
    let (mut quiet, mut busy) = (Replica::new(), Replica::new());
    let views = Views::new(quiet.shared.clone(), ForkOptions::default());
    for round in 0..3 {
        for r in [&mut quiet, &mut busy] {
            assert_eq!(*r.write(round, insert(round as i64)), count(1));
        }
        drop(views.open().unwrap());
        assert_eq!(quiet.value(r#"SELECT count(*) FROM "public.t""#), Value::Int(round as i64 + 1));
        assert!(descriptors(&quiet) > 3);
        // Somebody who reads holds it up, and is not disturbed.
        let mut cursor = block(quiet.shared.read(request(&quiet.shared, r#"SELECT k FROM "public.t""#))).unwrap();
        let rest = |r: &mut Replica| {
            let begun = Instant::now();
            while r.engine.durable() < r.engine.applied().index || begun.elapsed() < Duration::from_millis(10) {
                std::thread::sleep(Duration::from_millis(5));
                r.engine.last_checkpoint = Instant::now() - Duration::from_secs(2);
                r.engine.idle().unwrap();
            }
            (0..2 * REST).for_each(|_| r.engine.idle().unwrap());
        };
        rest(&mut quiet);
        assert!(descriptors(&quiet) > 0);
        assert_eq!(collect(&mut cursor, 100, false).1.len(), round as usize + 1);
        drop(cursor);
        rest(&mut quiet);
        (0..=REST).for_each(|_| views.rest());
        assert_eq!(descriptors(&quiet), 0, "round {round}");
        assert_eq!(quiet.engine.digest(), busy.engine.digest());
        // Reads do not need the writer.
        assert_eq!(quiet.value(r#"SELECT count(*) FROM "public.t""#), Value::Int(round as i64 + 1));
    }
}

#[test]
fn a_planted_difference_is_found_by_votes() {
    let log = mixed_log();
    let mut a = Replica::new();
    let mut b = Replica::new();
    a.engine.apply(&log[..15]).unwrap();
    b.engine.apply(&log[..5]).unwrap();
    // A bit flips: not in the log, so only the digest can tell.
    b.engine.machine.runner.connection.run(r#"UPDATE "public.t" SET v = 'flipped'"#, &[]).unwrap();
    b.engine.apply(&log[5..15]).unwrap();
    let (ours, theirs) = (b.shared.digest_at(10).unwrap(), a.shared.digest_at(10).unwrap());
    assert_ne!(ours, theirs);
    let vote = |node, digest| Command::DigestVote { mark: 10, node: NodeId(node), digest, voters: 3 };
    let votes = |from| {
        vec![entry(from, vec![(1, vote(1, theirs)), (2, vote(2, ours))]), entry(from + 1, vec![(3, vote(3, theirs))])]
    };
    a.engine.apply(&votes(16)).unwrap();
    b.engine.apply(&votes(16)[..1]).unwrap();
    assert_eq!(b.engine.apply(&votes(16)[1..]).unwrap_err(), Halt::Diverged { index: 10, ours, theirs });
    assert_eq!(b.engine.applied().index, 16);
    assert_eq!(a.engine.applied().index, 17);
    // The cure: the majority's state.
    let file = a.directory.path().join("snap");
    let meta = a.engine.snapshot(file.clone())().unwrap();
    b.engine.install(&file, &meta).unwrap();
    assert_eq!((b.engine.applied(), b.engine.digest()), (a.engine.applied(), a.engine.digest()));
}

/// A backup has the state after the entry at which contents are compared, whatever is applied while it is copied.
#[test]
fn a_moment_is_what_it_was() {
    let told = Arc::new(Mutex::new(None));
    let heard = told.clone();
    let mut replica = Replica::with(move |options| {
        options.on_event = Arc::new(move |event| {
            if let Event::DigestMarked { digest, .. } = event {
                *heard.lock() = Some(digest);
            }
        });
    });
    let mut moments = replica.shared.moments();
    let log: Vec<_> = (1..=6)
        .map(|i| entry(i, vec![(i, if i == 3 { Command::ContentMark } else { Command::Write(insert(i as i64)) })]))
        .collect();
    replica.engine.apply(&log).unwrap();
    let moment = moments.try_recv().unwrap();
    replica.engine.apply(&log[3..]).unwrap();
    assert_eq!((moment.index, replica.engine.applied().index), (3, 6));
    let (file, mut steps) = (replica.directory.path().join("copy"), Vec::new());
    moment.copy(&file, &mut |done, of| steps.push((done, of))).unwrap();
    assert!(steps.last().is_some_and(|(done, of)| done == of && *of > 1));
    let until = std::time::Instant::now() + Duration::from_secs(20);
    while told.lock().is_none() {
        assert!(std::time::Instant::now() < until);
        std::thread::yield_now();
    }
    let found = look_into(&file, &dialect()).unwrap();
    assert_eq!((found.at.index, Some(digest_of(&file, &dialect()).unwrap())), (3, *told.lock()));
    // It begins another group, as of that entry, and goes its own way.
    let home = tempfile::tempdir().unwrap();
    let at = plant(&file, &dialect(), home.path(), "another", vec![ReplicaId(9)]).unwrap();
    let (mut other, shared) = Engine::open(Options { owner: "another".into(), ..options(home.path()) }).unwrap();
    assert_eq!((at, other.applied(), other.membership().voters), (found.at, found.at, vec![ReplicaId(9)]));
    other.apply(&[entry(4, vec![(40, Command::Write(Write { born: 3, ..insert(100) }))])]).unwrap();
    assert_eq!(
        rows(&shared, r#"SELECT max(k), count(*) FROM "public.t""#).unwrap(),
        [[Value::Int(100), Value::Int(3)]]
    );
    // A bit that has turned over is seen.
    let mut bytes = std::fs::read(&file).unwrap();
    let last = bytes.len() - 3000;
    bytes[last] ^= 1;
    std::fs::write(&file, bytes).unwrap();
    assert!(digest_of(&file, &dialect()).is_err());
    drop(moments);
    replica.engine.apply(&[entry(7, vec![(7, Command::ContentMark)])]).unwrap();
    assert!(replica.shared.moments.lock().is_empty(), "nobody wants them any more");
}

/// What the running digest cannot know is in that of the contents; they are taken at one entry, however entries are grouped.
#[test]
fn contents_are_compared_at_one_entry() {
    let told = Arc::new(Mutex::new(Vec::new()));
    let replica = |name: u64| {
        let told = told.clone();
        Replica::with(move |options| {
            options.on_event = Arc::new(move |event| {
                if let Event::DigestMarked { index, digest } = event {
                    told.lock().push((name, index, digest));
                }
            });
        })
    };
    let (mut a, mut b, mut c) = (replica(1), replica(2), replica(3));
    let log: Vec<_> = (1..=6)
        .map(|i| entry(i, vec![(i, if i == 4 { Command::ContentMark } else { Command::Write(insert(i as i64)) })]))
        .collect();
    a.engine.apply(&log[..2]).unwrap();
    for entry in &log[..2] {
        b.engine.apply(std::slice::from_ref(entry)).unwrap();
    }
    c.engine.apply(&log[..2]).unwrap();
    // Counted as no change: somebody else did it.
    c.engine.machine.runner.connection.run(r#"UPDATE "public.t" SET v = 'flipped' WHERE k = 1"#, &[]).unwrap();
    for replica in [&mut a, &mut c] {
        replica.engine.apply(&log[2..]).unwrap();
        assert_eq!(replica.engine.applied().index, 4, "what is behind the mark waits");
        replica.engine.apply(&log[4..]).unwrap();
    }
    for entry in &log[2..] {
        b.engine.apply(std::slice::from_ref(entry)).unwrap();
    }
    assert_eq!(a.engine.digest(), b.engine.digest());
    let until = std::time::Instant::now() + Duration::from_secs(20);
    while told.lock().len() < 3 {
        assert!(std::time::Instant::now() < until);
        std::thread::yield_now();
    }
    let of =
        |name| told.lock().iter().find(|(who, ..)| *who == name).map(|(_, index, digest)| (*index, *digest)).unwrap();
    assert_eq!((of(1).0, of(1)), (4, of(2)));
    assert_ne!(of(1), of(3));
    let vote = |node, digest| Command::DigestVote { mark: 4, node: NodeId(node), digest, voters: 3 };
    let votes = [entry(7, vec![(11, vote(1, of(1).1)), (12, vote(2, of(2).1))])];
    a.engine.apply(&votes).unwrap();
    assert_eq!(a.shared.votes(4).len(), 2);
    let (ours, theirs) = (of(3).1, of(1).1);
    assert_eq!(c.engine.apply(&votes).unwrap_err(), Halt::Diverged { index: 4, ours, theirs });
}

#[test]
fn large_commands_come_in_chunks() {
    let mut r = Replica::new();
    let whole = command::encode(&Command::Write(insert(1)));
    let upload = RequestId { origin: 5, seq: 5 };
    let chunk = |part: u32, bytes: &[u8]| Command::Chunk { upload, part, bytes: bytes.to_vec().into() };
    let run = || Command::Assembled { upload, parts: 2, length: whole.len() as u64, checksum: xxh3_64(&whole) };
    r.run(vec![(1, chunk(0, &whole[..10]))]).unwrap();
    assert_eq!(*r.run(vec![(9, run())]).unwrap()[0], Outcome::Refused(Refusal::ChunksMissing));
    r.run(vec![(1, chunk(0, &whole[..10])), (2, chunk(1, &whole[10..])), (1, chunk(0, &whole[..10]))]).unwrap();
    let mut r = r.reopen();
    assert_eq!(*r.run(vec![(9, run())]).unwrap()[0], count(1));
    assert_eq!(*r.run(vec![(9, run())]).unwrap()[0], count(1));
    assert_eq!(r.engine.machine.state.oldest_chunk, None);
    // Chunks nobody asks for are dropped by age.
    r.run(vec![(3, chunk(0, b"lost"))]).unwrap();
    let entries: Vec<_> = (r.next()..).take(10_002).map(|i| entry(i, vec![])).collect();
    r.engine.apply(&entries).unwrap();
    assert_eq!(r.engine.machine.state.oldest_chunk, None);
}

#[test]
fn a_full_disk_is_no_outcome_and_can_be_retried() {
    let mut r = Replica::with(|o| o.max_pages = Some(40));
    let big = |k: i64| {
        let text = r#"INSERT INTO "public.t" VALUES (?1, ?2)"#;
        one(text, vec![Value::Int(k), Value::Text("x".repeat(20_000))])
    };
    let mut halted = None;
    for k in 1..100 {
        let next = r.next();
        match r.engine.apply(&[entry(next, vec![(k, Command::Write(big(k as i64)))])]) {
            Ok(_) => {}
            Err(halt) => {
                halted = Some((next, halt));
                break;
            }
        }
    }
    let (index, halt) = halted.expect("the file must get full");
    assert!(matches!(halt, Halt::Environment(_)), "{halt:?}");
    assert_eq!(r.engine.applied().index, index - 1);
    assert_eq!(r.value(r#"SELECT count(*) FROM "public.t""#), Value::Int(index as i64 - 1));
    // Space comes back.
    r.engine.machine.runner.connection.run("PRAGMA max_page_count = 100000", &[]).unwrap();
    assert_eq!(*r.write(index, big(index as i64)), count(1));
}

/// Copies a replica's directory as a loss of power would leave it: files as they are, no shared memory.
fn crash_copy(r: &Replica) -> TempDir {
    let copy = tempfile::tempdir().unwrap();
    for file in std::fs::read_dir(r.directory.path()).unwrap() {
        let file = file.unwrap();
        let name = file.file_name();
        if !name.to_str().unwrap().ends_with("-shm") {
            // A copy by another process: opening the file in this one would drop SQLite's locks.
            let status =
                std::process::Command::new("cp").arg(file.path()).arg(copy.path().join(&name)).status().unwrap();
            assert!(status.success());
        }
    }
    copy
}

#[test]
fn a_crash_leaves_a_prefix_and_the_log_completes_it() {
    let log = mixed_log();
    let mut r = Replica::new();
    r.engine.apply(&log[..20]).unwrap();
    let copies: Vec<_> = log[20..]
        .chunks(8)
        .map(|group| {
            r.engine.apply(group).unwrap();
            crash_copy(&r)
        })
        .collect();
    for copy in copies {
        let wal = std::fs::metadata(copy.path().join("db-1.sqlite-wal")).unwrap().len();
        for cut in [wal, wal - 1000, wal / 2, 0] {
            let again = tempfile::tempdir().unwrap();
            for file in std::fs::read_dir(copy.path()).unwrap() {
                let file = file.unwrap();
                std::fs::copy(file.path(), again.path().join(file.file_name())).unwrap();
            }
            let wal = std::fs::OpenOptions::new().write(true).open(again.path().join("db-1.sqlite-wal")).unwrap();
            wal.set_len(cut).unwrap();
            drop(wal);
            let (mut engine, _) = Engine::open(options(again.path())).unwrap();
            let from = engine.applied().index as usize;
            engine.apply(&log[from..]).unwrap();
            let mut whole = Replica::new();
            whole.engine.apply(&log).unwrap();
            assert_eq!(engine.digest(), whole.engine.digest());
        }
    }
}

#[test]
fn snapshots_are_written_beside_writes_and_installed_with_reads_in_flight() {
    let log = mixed_log();
    let mut a = Replica::new();
    a.engine.apply(&log[..30]).unwrap();
    let file = a.directory.path().join("snap");
    let job = a.engine.snapshot(file.clone());
    let writer = std::thread::spawn(move || {
        a.engine.apply(&log[30..]).unwrap();
        a
    });
    let meta = job().unwrap();
    let a = writer.join().unwrap();
    assert!((30..=60).contains(&meta.at.index));

    let mut b = Replica::new();
    for k in 0..2000 {
        b.write(k as u64 + 1, insert(k));
    }
    let mut cursor = block(b.shared.read(request(&b.shared, r#"SELECT k FROM "public.t""#))).unwrap();
    assert_eq!(cursor.fetch(5, true, &mut |_| Ok(())).unwrap(), Fetched::More);
    let old = b.shared.file().path();
    let waiting = b.shared.wait_applied(1_000_000);
    // A damaged file is refused, and nothing happens.
    let bad = b.directory.path().join("bad");
    let mut bytes = std::fs::read(&file).unwrap();
    bytes[5000] ^= 1;
    std::fs::write(&bad, bytes).unwrap();
    assert!(matches!(b.engine.install(&bad, &meta), Err(Halt::Corrupt(_))));
    assert_eq!(b.engine.applied().index, 2000);

    b.engine.install(&file, &meta).unwrap();
    b.engine.install(&file, &meta).unwrap();
    assert_eq!((b.engine.applied(), b.engine.membership()), (meta.at, meta.membership.clone()));
    assert_eq!(b.engine.durable(), meta.at.index);
    let error = cursor.fetch(5, true, &mut |_| Ok(())).unwrap_err();
    assert_eq!(error.code.as_str(), "40001");
    drop(cursor);
    assert!(!old.exists(), "the old file goes with its last reader");
    assert_eq!(rows(&b.shared, r#"SELECT k FROM "public.t" WHERE k > 1000"#).unwrap().len(), 0);
    let rest = mixed_log().split_off(meta.at.index as usize);
    b.engine.apply(&rest).unwrap();
    assert_eq!(b.engine.digest(), a.engine.digest());
    let b = b.reopen();
    assert_eq!(b.engine.applied().index, 60);
    drop(waiting);
}

/// An attempt that had no space left after it had taken the file is made again; a file that nobody has is an error.
#[test]
fn an_install_that_failed_half_way_can_be_called_again() {
    let mut a = Replica::new();
    a.engine.apply(&mixed_log()).unwrap();
    let snap = a.directory.path().join("snap");
    let meta = a.engine.snapshot(snap.clone())().unwrap();
    let mut b = Replica::new();
    b.write(1, insert(1));
    let gone = b.directory.path().join("gone");
    assert!(matches!(b.engine.install(&gone, &meta), Err(Halt::Corrupt(_))));
    std::fs::rename(&snap, b.shared.file().path().with_file_name("db-2.sqlite")).unwrap();
    b.engine.install(&gone, &meta).unwrap();
    assert_eq!((b.engine.applied(), b.engine.digest()), (meta.at, a.engine.digest()));
}

#[test]
fn a_crash_at_each_step_of_an_install_leaves_one_of_the_two_states() {
    let mut a = Replica::new();
    a.engine.apply(&mixed_log()).unwrap();
    let snap = a.directory.path().join("snap");
    let meta = a.engine.snapshot(snap.clone())().unwrap();
    for crash in 0..3 {
        let mut b = Replica::new();
        b.write(1, insert(1));
        let Replica { engine, directory, .. } = b;
        drop(engine);
        let d = directory.path();
        // The file in place; a pointer half written; the pointer switched.
        std::fs::copy(&snap, d.join("db-2.sqlite")).unwrap();
        if crash >= 1 {
            std::fs::write(d.join("current.new"), "").unwrap();
        }
        if crash == 2 {
            files::switch(d, 2).unwrap();
        }
        let (mut engine, _) = Engine::open(options(d)).unwrap();
        let expected = if crash == 2 { meta.at.index } else { 1 };
        assert_eq!(engine.applied().index, expected);
        assert_eq!(d.join("db-2.sqlite").exists(), crash == 2);
        assert_eq!(d.join("db-1.sqlite").exists(), crash != 2);
        let file = d.join("received");
        if crash != 2 {
            std::fs::copy(&snap, &file).unwrap();
        }
        engine.install(&file, &meta).unwrap();
        assert_eq!(engine.applied(), meta.at);
        assert_eq!(engine.digest(), a.engine.digest());
    }
}

/// Yields many rows slowly: the first only after a million steps of a recursion.
const SLOW: &str = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000000)
    SELECT i FROM n WHERE i % 1000000 = 0";

fn collect(cursor: &mut Cursor, max: usize, brief: bool) -> (SqlResult<Fetched>, Vec<i64>) {
    let mut got = Vec::new();
    let result = cursor.fetch(max, brief, &mut |row| {
        if let ValueRef::Int(i) = row[0] {
            got.push(i);
        }
        Ok(())
    });
    (result, got)
}

#[test]
fn brief_fetches_give_up_and_lose_nothing() {
    let r = Replica::new();
    let mut cursor = block(r.shared.read(request(&r.shared, SLOW))).unwrap();
    assert_eq!(collect(&mut cursor, 1, true), (Ok(Fetched::TooLong), vec![]));
    assert_eq!(collect(&mut cursor, 1, false), (Ok(Fetched::More), vec![1_000_000]));
    assert_eq!(collect(&mut cursor, 9, true), (Ok(Fetched::TooLong), vec![]));
    // On another thread it goes on where it was.
    let rest = std::thread::spawn(move || collect(&mut cursor, 9, false)).join().unwrap();
    assert_eq!(rest, (Ok(Fetched::Done), vec![2_000_000, 3_000_000]));
    let mut cursor = block(r.shared.read(request(&r.shared, "SELECT 1"))).unwrap();
    assert_eq!(collect(&mut cursor, 9, true), (Ok(Fetched::Done), vec![1]));
    assert_eq!(collect(&mut cursor, 9, true), (Ok(Fetched::Done), vec![]));
}

#[test]
fn reads_are_cancelled_and_time_out() {
    let r = Replica::new();
    let asked = request(&r.shared, SLOW);
    let cancelled = asked.control.cancelled.clone();
    let mut cursor = block(r.shared.read(asked)).unwrap();
    std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(20));
        cancelled.store(true, Ordering::Relaxed);
    });
    let error = collect(&mut cursor, 9, false).0.unwrap_err();
    assert_eq!(error.to_string(), "57014: canceling statement due to user request");
    let mut asked = request(&r.shared, SLOW);
    asked.control.deadline = Instant::now() + Duration::from_millis(20);
    let mut cursor = block(r.shared.read(asked)).unwrap();
    let error = collect(&mut cursor, 9, false).0.unwrap_err();
    assert_eq!(error.to_string(), "57014: canceling statement due to statement timeout");
    assert_eq!(r.value("SELECT 5"), Value::Int(5));
}

#[test]
fn a_read_waits_for_a_free_reader() {
    let r = Replica::with(|o| o.readers = 1);
    let held = block(r.shared.read(request(&r.shared, SLOW))).unwrap();
    let mut asked = request(&r.shared, "SELECT 1");
    asked.control.deadline = Instant::now() + Duration::from_millis(30);
    assert!(matches!(block(r.shared.read(asked)), Err(Failure::Sql { error, .. }) if error.code.as_str() == "57014"));
    let waiting = {
        let shared = r.shared.clone();
        std::thread::spawn(move || rows(&shared, "SELECT 1").unwrap())
    };
    std::thread::sleep(Duration::from_millis(20));
    drop(held);
    assert_eq!(waiting.join().unwrap(), [[Value::Int(1)]]);
}

/// A client that takes a part at a time keeps its snapshot between two parts, and nobody from reading.
#[test]
fn cursors_at_rest_are_in_nobodys_way() {
    let mut r = Replica::with(|o| o.readers = 1);
    r.write(1, one(r#"INSERT INTO "public.t" VALUES (1, 'a'), (2, 'b'), (3, 'c')"#, vec![]));
    let mut cursors = Vec::new();
    for _ in 0..20 {
        let mut cursor = block(r.shared.read(request(&r.shared, r#"SELECT k FROM "public.t" ORDER BY k"#))).unwrap();
        assert!(matches!(cursor.fetch(1, true, &mut |_| Ok(())), Ok(Fetched::More)));
        cursor.rest(true);
        cursors.push(cursor);
    }
    assert_eq!(rows(&r.shared, "SELECT 1").unwrap(), [[Value::Int(1)]]);
    r.write(2, one(r#"INSERT INTO "public.t" VALUES (4, 'd')"#, vec![]));
    for mut cursor in cursors {
        assert!(cursor.is_resting());
        block(cursor.resume(request(&r.shared, "").control)).unwrap();
        let mut left = Vec::new();
        let sink = &mut |row: &[ValueRef<'_>]| {
            left.push(ValueRef::to_owned(row[0]));
            Ok(())
        };
        assert!(matches!(cursor.fetch(9, false, sink), Ok(Fetched::Done)));
        assert_eq!(left, [Value::Int(2), Value::Int(3)], "its snapshot is the old one");
    }
    // One that may not keep its snapshot is told so, and has given back everything at once.
    let mut cursor = block(r.shared.read(request(&r.shared, r#"SELECT k FROM "public.t""#))).unwrap();
    cursor.rest(false);
    assert_eq!(rows(&r.shared, "SELECT 2").unwrap(), [[Value::Int(2)]]);
    let error = block(cursor.resume(request(&r.shared, "").control)).unwrap_err();
    assert_eq!(error.code, state::CONFIGURATION_LIMIT_EXCEEDED);
}

#[test]
fn readers_see_whole_commands_while_they_are_applied() {
    let mut r = Replica::new();
    r.write(1, one(r#"INSERT INTO "public.t" VALUES (1, 0), (2, 0)"#, vec![]));
    let stop = Arc::new(AtomicBool::new(false));
    let reads = Arc::new(AtomicUsize::new(0));
    let readers: Vec<_> = (0..2)
        .map(|_| {
            let (shared, stop, reads) = (r.shared.clone(), stop.clone(), reads.clone());
            std::thread::spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    let rows = rows(&shared, r#"SELECT count(DISTINCT v) FROM "public.t""#).unwrap();
                    assert_eq!(rows, [[Value::Int(1)]]);
                    reads.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    let mut request = 2;
    while reads.load(Ordering::Relaxed) < 200 {
        let text = |k| format!(r#"UPDATE "public.t" SET v = {request} WHERE k = {k}"#);
        let write = steps([1, 2].iter().map(|k| step(&text(k), Yields::Count, vec![])).collect());
        assert!(matches!(&*r.write(request, write), Outcome::Done(_)));
        request += 1;
    }
    stop.store(true, Ordering::Relaxed);
    readers.into_iter().for_each(|t| t.join().unwrap());
}

#[test]
fn waiting_for_an_index_ends_when_it_is_applied_or_the_replica_closes() {
    let mut r = Replica::new();
    let (second, never) = (r.shared.wait_applied(2), r.shared.wait_applied(99));
    let second = std::thread::spawn(move || block(second));
    r.write(1, insert(1));
    r.write(2, insert(2));
    second.join().unwrap().unwrap();
    block(r.shared.wait_applied(1)).unwrap();
    drop(r.engine);
    assert_eq!(block(never).unwrap_err().code.as_str(), "57P03");
    assert_eq!(block(r.shared.wait_applied(99)).unwrap_err().code.as_str(), "57P03");
}

#[test]
fn the_wal_stays_short_and_durability_follows() {
    let mut r = Replica::with(|o| o.pace = Pace { background: 50, inline: 200, wait: 400 });
    for k in 0..3000 {
        r.write(k as u64 + 1, insert(k));
    }
    let wal = std::fs::metadata(r.directory.path().join("db-1.sqlite-wal")).unwrap().len();
    // From 400 frames on the writer waits; it looks after each entry and each 50 frames. Without checkpoints it would be
    // about 9000 frames.
    assert!(wal < 500 * 4096, "WAL has {wal} bytes");
    assert!(r.engine.durable() > 2000);
    std::thread::sleep(Duration::from_millis(1100));
    r.engine.idle().unwrap();
    let until = Instant::now() + Duration::from_secs(10);
    while r.engine.durable() < 3000 && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(r.engine.durable(), 3000);
}

/// Views come and go, so that there is always one: none of them keeps the WAL from being started over.
#[test]
fn the_wal_stays_short_under_a_stream_of_views() {
    let mut r = Replica::with(|o| o.pace = Pace { background: 100, inline: 200, wait: 400 });
    let views = Arc::new(Views::new(r.shared.clone(), ForkOptions::default()));
    let stop = Arc::new(AtomicBool::new(false));
    let viewers = [0, 2].map(|ms| {
        let (views, stop) = (views.clone(), stop.clone());
        std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(ms));
            while !stop.load(Ordering::Relaxed) {
                let view = views.open().unwrap();
                std::thread::sleep(Duration::from_millis(4));
                drop(view);
            }
        })
    });
    for k in 0..3000 {
        r.write(k as u64 + 1, insert(k));
    }
    stop.store(true, Ordering::Relaxed);
    viewers.into_iter().for_each(|viewer| viewer.join().unwrap());
    let wal = std::fs::metadata(r.directory.path().join("db-1.sqlite-wal")).unwrap().len();
    assert!(wal < 1500 * 4096, "WAL has {wal} bytes");
}

/// `cargo test --profile quick --lib engine::tests::measure -- --ignored --nocapture`
#[test]
#[ignore = "a measurement"]
fn measure() {
    let mut r = Replica::new();
    let mut number = 0;
    let mut run = |r: &mut Replica, name: &str, batch: u64, write: &dyn Fn(u64) -> Write| {
        let total = 64 * 200;
        let mut entries = Vec::new();
        for _ in 0..total / batch {
            let commands = (0..batch).map(|_| {
                number += 1;
                (number, Command::Write(Write { born: u64::MAX, ..write(number) }))
            });
            entries.push(commands.collect::<Vec<_>>());
        }
        let first = r.next();
        let entries: Vec<_> = (first..).zip(entries).map(|(i, commands)| entry(i, commands)).collect();
        let times = entries.iter().map(|entry| {
            let start = Instant::now();
            r.engine.apply(std::slice::from_ref(entry)).unwrap();
            start.elapsed()
        });
        let mut times: Vec<_> = times.collect();
        let mean = times.iter().sum::<Duration>().as_secs_f64() * 1e6 / total as f64;
        times.sort();
        let median = times[times.len() / 2].as_secs_f64() * 1e6 / batch as f64;
        println!("{name}, batch {batch}: median {median:.2} µs per command, mean {mean:.2}");
    };
    for batch in [64, 8, 1] {
        run(&mut r, "INSERT", batch, &|k| insert(k as i64));
    }
    run(&mut r, "UPDATE by key", 64, &|k| {
        one(r#"UPDATE "public.t" SET v = ?2 WHERE k = ?1"#, vec![Value::Int(k as i64 / 4), Value::Text("u".into())])
    });
    run(&mut r, "INSERT in a savepoint", 64, &|k| {
        let mut write = insert(k as i64);
        write.transaction = Some(Isolation::ReadCommitted);
        write
    });
    let start = Instant::now();
    let asked = request(&r.shared, r#"SELECT v FROM "public.t" WHERE k = ?1"#);
    for k in 0..100_000 {
        let mut asked = asked.clone();
        asked.params = vec![Value::Int(k)];
        let mut cursor = futures::FutureExt::now_or_never(r.shared.read(asked)).unwrap().unwrap();
        cursor.fetch(10, true, &mut |_| Ok(())).unwrap();
    }
    println!("point SELECT: {:.2} µs", start.elapsed().as_secs_f64() * 10.0);
    let start = Instant::now();
    let connection = &mut r.engine.machine.runner.connection;
    for _ in 0..100_000 {
        connection.run("BEGIN", &[]).unwrap();
        connection.run("COMMIT", &[]).unwrap();
    }
    println!("BEGIN and COMMIT: {:.2} µs", start.elapsed().as_secs_f64() * 10.0);
    let start = Instant::now();
    for k in 0..100_000 {
        connection.each(r#"SELECT v FROM "public.t" WHERE k = ?1"#, &[ValueRef::Int(k)], &mut |_| Ok(())).unwrap();
    }
    println!("point SELECT on the bare connection: {:.2} µs", start.elapsed().as_secs_f64() * 10.0);
}
