//! Forks against an oracle: whatever runs on a fork must behave as on a plain copy of the database.

use super::*;
use crate::engine::connection::PASSING;
use crate::engine::pages;
use rand::prelude::*;
use rand::rngs::StdRng;
use rusqlite::types::Value;
use rusqlite::{Connection, OpenFlags, backup};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// As the engine opens the real file.
fn open(path: &Path) -> Connection {
    let connection = Connection::open_with_flags_and_vfs(path, OpenFlags::default(), pages::vfs().unwrap()).unwrap();
    pages::reserve(&connection).unwrap();
    connection
}

fn writer(path: &Path) -> Connection {
    let connection = open(path);
    connection
        .execute_batch(
            "PRAGMA page_size=4096; PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF;
             PRAGMA wal_autocheckpoint=0; PRAGMA mmap_size=0",
        )
        .unwrap();
    connection.busy_timeout(PASSING).unwrap();
    connection
}

fn pool(path: &Path, options: ForkOptions) -> ForkPool {
    ForkPool::new(
        path,
        Arc::new(|c| c.execute_batch("PRAGMA foreign_keys=ON").map(|()| Box::new(()) as Attachment)),
        options,
    )
}

struct Place {
    _directory: tempfile::TempDir,
    path: PathBuf,
}

fn place() -> Place {
    let directory = tempfile::tempdir().unwrap();
    Place { path: directory.path().join("real.db"), _directory: directory }
}

/// Rows, or the error; both with all that a client could notice.
type Answer = Result<Vec<Vec<Value>>, String>;

fn run(connection: &Connection, sql: &str) -> Answer {
    let answer = || -> rusqlite::Result<Vec<Vec<Value>>> {
        let mut statement = connection.prepare_cached(sql)?;
        let mut rows = statement.query([])?;
        let mut out = Vec::new();
        while let Some(row) = rows.next()? {
            // Asked of the row: before the first step a remembered statement may still be of an older schema.
            out.push((0..row.as_ref().column_count()).map(|i| row.get(i)).collect::<rusqlite::Result<_>>()?);
        }
        Ok(out)
    };
    // rusqlite adds a position when an error comes from preparing, which depends on what a connection remembers.
    answer().map_err(|error| match error {
        rusqlite::Error::SqliteFailure(code, text) => format!("{} {}", code.extended_code, text.unwrap_or_default()),
        rusqlite::Error::SqlInputError { error, msg, .. } => format!("{} {msg}", error.extended_code),
        other => other.to_string(),
    })
}

fn number(connection: &Connection, sql: &str) -> i64 {
    connection.query_row(sql, [], |row| row.get(0)).unwrap()
}

/// The whole content: schema with root pages, every table in every order that an index offers, and sanity.
fn content(connection: &Connection) -> Vec<Answer> {
    let schema = run(connection, "SELECT type, name, tbl_name, rootpage, sql FROM sqlite_schema ORDER BY name");
    let mut out = Vec::new();
    for row in schema.as_ref().unwrap() {
        if let (Value::Text(kind), Value::Text(name)) = (&row[0], &row[1])
            && kind == "table"
        {
            out.push(run(connection, &format!("SELECT * FROM {name} ORDER BY 1, 2")));
            out.push(run(connection, &format!("SELECT count(*), max(k), min(v) FROM {name}")));
        }
    }
    out.push(schema);
    out.push(run(connection, "PRAGMA integrity_check"));
    out.push(run(connection, "PRAGMA page_count"));
    out.push(run(connection, "PRAGMA freelist_count"));
    out
}

const TABLES: &[&str] = &["t0", "t1", "t2", "t3"];
const SAVEPOINTS: &[&str] = &["s0", "s1", "s2"];

/// A random statement; many fail, which is the point. `inside`: savepoints may be used.
fn statement(random: &mut StdRng, inside: bool) -> String {
    let t = TABLES.choose(random).unwrap();
    let other = TABLES.choose(random).unwrap();
    let (k, n) = (random.random_range(0..400), random.random_range(1..60));
    let size = *[5, 40, 300, 2500, 9000].choose(random).unwrap();
    let v = format!("printf('%.*c', {size}, '{}')", random.random_range(0..10));
    match random.random_range(0..if inside { 24 } else { 15 }) {
        0 | 1 => format!("INSERT INTO {t}(k, v) VALUES ({k}, {v})"),
        2 => format!("INSERT OR REPLACE INTO {t}(k, v) VALUES ({k}, {v}) RETURNING k, length(v)"),
        3 => format!(
            "WITH RECURSIVE c(i) AS (SELECT {k} UNION ALL SELECT i + 1 FROM c LIMIT {n}) \
             INSERT OR IGNORE INTO {t}(k, v) SELECT i, {v} || i FROM c"
        ),
        4 => format!(
            "WITH RECURSIVE c(i) AS (SELECT {k} UNION ALL SELECT i + 1 FROM c LIMIT {n}) \
             INSERT INTO {t}(k, v) SELECT i, {v} || i FROM c"
        ),
        5 => format!("UPDATE {t} SET v = {v} WHERE k BETWEEN {k} AND {}", k + n),
        6 => format!("UPDATE {t} SET k = k + {n} WHERE k > {k}"),
        7 => format!("DELETE FROM {t} WHERE k BETWEEN {k} AND {} RETURNING k", k + n),
        8 => format!("DELETE FROM {t} WHERE k % 7 = {}", n % 7),
        9 => format!("SELECT k, length(v) FROM {t} WHERE k >= {k} ORDER BY k LIMIT {n}"),
        10 => format!("SELECT count(*), sum(a.k), min(b.v) FROM {t} a JOIN {other} b ON a.k = b.k"),
        11 => format!("SELECT v, count(*) FROM {t} GROUP BY v ORDER BY 2, 1"),
        12 => format!("CREATE TABLE IF NOT EXISTS {t}(k INTEGER PRIMARY KEY, v TEXT)"),
        13 => format!("CREATE INDEX IF NOT EXISTS {t}_v ON {t}(v)"),
        14 => format!("INSERT INTO {t}(k, v) VALUES ({k}, NULL)"),
        15 => format!("DROP TABLE IF EXISTS {t}"),
        16 => format!("DROP INDEX IF EXISTS {t}_v"),
        17 => format!("CREATE TABLE {t}(k INT, v TEXT NOT NULL, PRIMARY KEY(k, v)) WITHOUT ROWID"),
        18 => format!("ALTER TABLE {t} ADD COLUMN c{} INT DEFAULT {k}", n % 4),
        19 | 20 => format!("SAVEPOINT {}", SAVEPOINTS.choose(random).unwrap()),
        21 => format!("RELEASE {}", SAVEPOINTS.choose(random).unwrap()),
        22 => format!("ROLLBACK TO {}", SAVEPOINTS.choose(random).unwrap()),
        _ => format!("DELETE FROM {t}"),
    }
}

fn checkpoint(random: &mut StdRng, connection: &Connection) {
    let mode = ["PASSIVE", "FULL", "RESTART", "TRUNCATE"].choose(random).unwrap();
    // Busy is an answer here, not an error.
    run(connection, &format!("PRAGMA wal_checkpoint({mode})")).unwrap();
}

fn copy_of(real: &Connection, to: &Path) -> Connection {
    let mut copy = Connection::open(to).unwrap();
    backup::Backup::new(real, &mut copy).unwrap().run_to_completion(i32::MAX, Duration::ZERO, None).unwrap();
    copy.execute_batch("PRAGMA journal_mode=MEMORY; PRAGMA synchronous=OFF; PRAGMA foreign_keys=ON; BEGIN").unwrap();
    copy
}

fn oracle(seed: u64) {
    let mut random = StdRng::seed_from_u64(seed);
    let place = place();
    let real = writer(&place.path);
    real.execute_batch(
        "CREATE TABLE t0(k INTEGER PRIMARY KEY, v TEXT NOT NULL); CREATE INDEX t0_v ON t0(v);
         CREATE TABLE t1(k INT PRIMARY KEY, v TEXT NOT NULL) WITHOUT ROWID;
         CREATE TABLE t2(k INTEGER PRIMARY KEY AUTOINCREMENT, v TEXT CHECK (length(v) < 9000));",
    )
    .unwrap();
    let checkpointer = open(&place.path);
    checkpointer.busy_timeout(Duration::ZERO).unwrap();
    let cache_kib = if seed.is_multiple_of(3) { 2048 } else { 40 };
    let overlay_memory = if seed.is_multiple_of(5) { 3 * 4096 } else { 8 << 20 };
    let pool = pool(&place.path, ForkOptions { cache_kib, overlay_memory, ..ForkOptions::default() });
    let mut spilled = 0;
    let mut pending: Option<Fork> = None;
    for round in 0..12 {
        let mut fork = pending.take().unwrap_or_else(|| pool.begin().unwrap());
        if round % 4 == 3 {
            run(fork.connection(), &statement(&mut random, false)).ok();
            run(&real, &statement(&mut random, false)).ok();
            fork.refresh().unwrap();
        }
        let copy = copy_of(&real, &place.path.with_file_name(format!("copy{round}")));
        assert_eq!(content(fork.connection()), content(&copy), "seed {seed} round {round}: at begin");
        for step in 0..random.random_range(1..40) {
            match random.random_range(0..10) {
                0 | 1 => drop(run(&real, &statement(&mut random, false))),
                2 => checkpoint(&mut random, &checkpointer),
                _ => {
                    let sql = statement(&mut random, true);
                    let place = format!("seed {seed} round {round} step {step}: {sql}");
                    assert_eq!(run(fork.connection(), &sql), run(&copy, &sql), "{place}");
                    assert!(!copy.is_autocommit() && fork.is_intact(), "{place}");
                    spilled += fork.overlay_bytes();
                    if step % 4 == 0 {
                        assert_eq!(content(fork.connection()), content(&copy), "{place}");
                    }
                }
            }
        }
        assert_eq!(content(fork.connection()), content(&copy), "seed {seed} round {round}: at end");
        if random.random_bool(0.3) {
            // Begun on the same pool while another is open, and used in the next round.
            fork.end();
            pending = Some(pool.begin().unwrap());
            pending.as_mut().unwrap().refresh().unwrap();
        }
    }
    drop(pending);
    assert!(cache_kib > 40 || spilled > 0, "seed {seed}: a small cache must spill");
    assert_eq!(run(&real, "PRAGMA integrity_check"), Ok(vec![vec![Value::Text("ok".to_owned())]]));
    assert_eq!(pool.stats().open, 0);
    let truncated = run(&checkpointer, "PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
    assert_eq!(truncated[0][0], Value::Integer(0), "nothing is pinned any more");
}

/// `QUORATE_FORK_SEEDS=from..to` runs more.
#[test]
fn behaves_as_a_plain_copy() {
    let range = std::env::var("QUORATE_FORK_SEEDS").unwrap_or_else(|_| "0..8".to_owned());
    let (from, to) = range.split_once("..").expect("from..to");
    for seed in from.parse().unwrap()..to.parse().unwrap() {
        oracle(seed);
    }
}

/// Without a commit in between, a pooled fork keeps its page cache: what was undone must not be in it.
#[test]
fn nothing_undone_stays_in_a_kept_cache() {
    for seed in 0..6 {
        let mut random = StdRng::seed_from_u64(1000 + seed);
        let place = place();
        let real = writer(&place.path);
        real.execute_batch("CREATE TABLE t0(k INTEGER PRIMARY KEY, v TEXT); CREATE INDEX t0_v ON t0(v)").unwrap();
        for _ in 0..30 {
            run(&real, &statement(&mut random, false)).ok();
        }
        let cache_kib = if seed.is_multiple_of(2) { 2048 } else { 40 };
        let pool = pool(&place.path, ForkOptions { cache_kib, ..ForkOptions::default() });
        let expected = content(&real);
        for round in 0..12 {
            let fork = pool.begin().unwrap();
            assert_eq!(content(fork.connection()), expected, "seed {seed} round {round}");
            for _ in 0..8 {
                run(fork.connection(), &statement(&mut random, true)).ok();
            }
        }
        assert_eq!(pool.stats().idle, 1);
    }
}

/// Temporary tables and large sorts stay in memory: the fork's file system has no other files.
#[test]
fn temporary_data_needs_no_files() {
    let place = place();
    let _real = accounts(&place.path);
    let pool = pool(&place.path, ForkOptions { cache_kib: 40, ..ForkOptions::default() });
    let fork = pool.begin().unwrap();
    let sorted = "SELECT count(*) FROM (SELECT a.k FROM a, (SELECT k FROM a LIMIT 50) AS b ORDER BY b.k % 7, a.k % 11)";
    assert_eq!(number(fork.connection(), sorted), 100_000);
    fork.connection()
        .execute_batch("CREATE TEMP TABLE x AS SELECT a.k AS k FROM a, (SELECT k FROM a LIMIT 50)")
        .unwrap();
    fork.connection()
        .execute_batch("CREATE INDEX temp.x_k ON x(k); SAVEPOINT s; DELETE FROM x; ROLLBACK TO s")
        .unwrap();
    assert_eq!(number(fork.connection(), "SELECT count(DISTINCT k) FROM x"), 2000);
    assert!(fork.is_intact());
    fork.end();
    assert!(run(pool.begin().unwrap().connection(), "SELECT * FROM x").is_err(), "gone with its transaction");
}

/// Forks on many threads, handed from one to another, beside a writer with checkpoints.
#[test]
fn forks_move_between_threads() {
    let place = place();
    let real = accounts(&place.path);
    let pool = pool(&place.path, ForkOptions::default());
    std::thread::scope(|scope| {
        for worker in 0..4 {
            let pool = pool.clone();
            scope.spawn(move || {
                for round in 0..25 {
                    let mut fork = pool.begin().unwrap();
                    let sum = number(fork.connection(), "SELECT sum(v) FROM a");
                    fork.connection().execute_batch("UPDATE a SET v = v + 1 WHERE k <= 10").unwrap();
                    let fork = std::thread::spawn(move || {
                        assert_eq!(number(fork.connection(), "SELECT sum(v) FROM a"), sum + 10);
                        fork.refresh().unwrap();
                        fork
                    });
                    let fork = fork.join().unwrap();
                    let later = number(fork.connection(), "SELECT sum(v) FROM a");
                    assert!(later >= sum, "worker {worker} round {round}: {later} after {sum}");
                }
            });
        }
        let mut random = StdRng::seed_from_u64(3);
        for i in 0..300 {
            real.execute("UPDATE a SET v = v + 1 WHERE k = ?1", [random.random_range(1..=2000)]).unwrap();
            if i % 20 == 0 {
                checkpoint(&mut random, &real);
            }
        }
    });
    assert_eq!(number(pool.begin().unwrap().connection(), "SELECT sum(v) FROM a"), 200_300);
}

fn accounts(path: &Path) -> Connection {
    let real = writer(path);
    real.execute_batch(
        "CREATE TABLE a(k INTEGER PRIMARY KEY, v INT NOT NULL) STRICT;
         WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c LIMIT 2000) INSERT INTO a SELECT i, 100 FROM c",
    )
    .unwrap();
    real
}

#[test]
fn sees_one_state_while_a_thread_writes_and_checkpoints() {
    let place = place();
    let real = accounts(&place.path);
    let pool = pool(&place.path, ForkOptions::default());
    let stop = Arc::new(AtomicBool::new(false));
    let writes = Arc::new(AtomicUsize::new(0));
    let thread = std::thread::spawn({
        let (stop, writes) = (stop.clone(), writes.clone());
        move || {
            let mut random = StdRng::seed_from_u64(1);
            while !stop.load(Ordering::Relaxed) {
                let (from, to) = (random.random_range(1..=2000), random.random_range(1..=2000));
                real.execute_batch(&format!(
                    "BEGIN IMMEDIATE; UPDATE a SET v = v - 1 WHERE k = {from}; UPDATE a SET v = v + 1 WHERE k = {to}; COMMIT"
                ))
                .expect("a fork never blocks the writer");
                if writes.fetch_add(1, Ordering::Relaxed).is_multiple_of(50) {
                    checkpoint(&mut random, &real);
                }
            }
        }
    });
    let sum = "SELECT sum(v) FROM a";
    let mut fork = pool.begin().unwrap();
    for round in 0..60 {
        assert_eq!(number(fork.connection(), sum), 200_000);
        let before = run(fork.connection(), "SELECT * FROM a");
        fork.connection().execute_batch("SAVEPOINT s; UPDATE a SET v = v + 1").unwrap();
        assert_eq!(number(fork.connection(), sum), 202_000);
        fork.connection().execute_batch("ROLLBACK TO s").unwrap();
        assert_eq!(run(fork.connection(), "SELECT * FROM a"), before);
        if round % 10 == 9 {
            assert_eq!(run(fork.connection(), "PRAGMA integrity_check").unwrap()[0][0], Value::Text("ok".to_owned()));
        }
        if round % 2 == 0 {
            fork.refresh().unwrap();
        } else {
            fork = pool.begin().unwrap();
        }
    }
    stop.store(true, Ordering::Relaxed);
    thread.join().unwrap();
    assert!(writes.load(Ordering::Relaxed) > 0);
}

#[test]
fn a_hundred_at_once_do_not_see_each_other() {
    let place = place();
    let real = accounts(&place.path);
    let pool = pool(&place.path, ForkOptions { max_open: 100, max_idle: 10, ..ForkOptions::default() });
    let mut forks = Vec::new();
    for i in 1..=100 {
        real.execute("UPDATE a SET v = ?1 WHERE k = 1", [i]).unwrap();
        let fork = pool.begin().unwrap();
        fork.connection().execute("UPDATE a SET v = -?1 WHERE k = 2", [i]).unwrap();
        forks.push(fork);
    }
    assert!(matches!(pool.begin(), Err(ForkError::TooMany { limit: 100 })));
    for (i, fork) in (1..).zip(&forks) {
        assert_eq!(number(fork.connection(), "SELECT v FROM a WHERE k = 1"), i);
        assert_eq!(number(fork.connection(), "SELECT v FROM a WHERE k = 2"), -i);
    }
    assert_eq!(number(&real, "SELECT v FROM a WHERE k = 2"), 100);
    assert_eq!(pool.stats().open, 100);
    assert_eq!(pool.stats().oldest_pin.map(|at| at <= forks[0].pinned_since()), Some(true));
    drop(forks);
    assert_eq!((pool.stats().open, pool.stats().idle), (0, 10));
}

#[test]
fn a_pooled_fork_follows_commits_and_schema_changes() {
    let place = place();
    let real = accounts(&place.path);
    let pool = pool(&place.path, ForkOptions::default());
    let read = |sql: &str| run(pool.begin().unwrap().connection(), sql);
    let one = |i: i64| Ok(vec![vec![Value::Integer(i)]]);
    assert_eq!(read("SELECT v FROM a WHERE k = 1"), one(100));
    real.execute_batch("UPDATE a SET v = 7 WHERE k = 1").unwrap();
    assert_eq!(read("SELECT v FROM a WHERE k = 1"), one(7));
    real.execute_batch("ALTER TABLE a ADD COLUMN w INT DEFAULT 5; CREATE TABLE b(x INT)").unwrap();
    assert_eq!(read("SELECT w FROM a WHERE k = 1"), one(5));
    assert_eq!(pool.maintain(), 1);
    assert_eq!(read("SELECT count(*) FROM b"), one(0));
    // DDL in the fork under the cookie that the real database then gives to other DDL.
    let fork = pool.begin().unwrap();
    fork.connection().execute_batch("DROP TABLE b; CREATE TABLE c(y INT); INSERT INTO c VALUES (1)").unwrap();
    assert_eq!(run(fork.connection(), "SELECT count(*) FROM c"), one(1));
    fork.end();
    real.execute_batch("DROP TABLE b; CREATE TABLE c(z INT, zz INT)").unwrap();
    assert_eq!(read("SELECT count(*) FROM c"), one(0));
    assert_eq!(read("SELECT count(zz) FROM c"), one(0));
    assert!(read("SELECT y FROM c").is_err());
    assert_eq!(pool.stats().idle, 1);
    // Shrinking and growing of the real file.
    real.execute_batch("DELETE FROM a; VACUUM").unwrap();
    assert_eq!(read("SELECT count(*) FROM a"), one(0));
    real.execute_batch("INSERT INTO c SELECT value, value FROM json_each('[1,2,3]')").unwrap();
    assert_eq!(read("SELECT sum(z) FROM c"), one(6));
}

#[test]
fn pins_the_log_until_it_is_dropped() {
    let place = place();
    let real = accounts(&place.path);
    let pool = pool(&place.path, ForkOptions::default());
    let truncate = || run(&real, "PRAGMA wal_checkpoint(TRUNCATE)").unwrap()[0][0].clone();
    let (busy, done) = (Value::Integer(1), Value::Integer(0));
    let mut fork = pool.begin().unwrap();
    real.execute_batch("UPDATE a SET v = 1").unwrap();
    assert_eq!(truncate(), busy);
    fork.refresh().unwrap();
    assert_eq!(number(fork.connection(), "SELECT sum(v) FROM a"), 2000);
    assert_eq!(truncate(), busy);
    // A pooled one pins nothing.
    drop(fork);
    assert_eq!(truncate(), done);
    assert_eq!(pool.stats().oldest_pin, None);
    assert_eq!(number(pool.begin().unwrap().connection(), "SELECT sum(v) FROM a"), 2000);
}

#[test]
fn too_large_a_transaction_is_lost_and_the_pair_lives_on() {
    let place = place();
    let real = accounts(&place.path);
    let options = ForkOptions { max_overlay: 64 * 4096, cache_kib: 40, ..ForkOptions::default() };
    let pool = pool(&place.path, options);
    let fork = pool.begin().unwrap();
    let grow = "CREATE TABLE big AS WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c LIMIT 5000) \
                SELECT i, printf('%.*c', 500, 'x') AS x FROM c";
    assert!(fork.connection().execute_batch(grow).is_err());
    assert!(!fork.is_intact());
    assert_eq!(fork.failure(), Some(Failure::OverlayFull { limit: 64 * 4096 }));
    fork.end();
    assert_eq!(pool.stats().idle, 1);
    let mut fork = pool.begin().unwrap();
    assert!(fork.is_intact());
    assert_eq!(content(fork.connection()), content(&real));
    assert!(fork.connection().execute_batch(grow).is_err());
    fork.refresh().unwrap();
    assert!(fork.is_intact());
    assert_eq!(content(fork.connection()), content(&real));
}

/// Changed pages and what is needed to take them back do not stay in memory.
#[test]
fn a_large_transaction_lies_in_files() {
    let place = place();
    let real = writer(&place.path);
    real.execute_batch(
        "CREATE TABLE big(i INTEGER PRIMARY KEY, x TEXT);
         WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c LIMIT 20000)
         INSERT INTO big SELECT i, printf('%.*c', 500, 'x') FROM c",
    )
    .unwrap();
    let options = ForkOptions { cache_kib: 100, overlay_memory: 1 << 20, ..ForkOptions::default() };
    let pool = pool(&place.path, options);
    let fork = pool.begin().unwrap();
    let count = "SELECT count(*) FROM big WHERE x LIKE 'y%'";
    for _ in 0..2 {
        fork.connection().execute_batch("SAVEPOINT s; UPDATE big SET x = 'y' || x").unwrap();
        assert_eq!(number(fork.connection(), count), 20_000);
        assert!(fork.overlay_bytes() > 8 << 20);
        let sorted = "SELECT count(*) FROM (SELECT DISTINCT x || 'z' FROM big ORDER BY 1 LIMIT -1 OFFSET 0)";
        assert_eq!(number(fork.connection(), sorted), 1, "intermediate results");
        fork.connection().execute_batch("ROLLBACK TO s; RELEASE s").unwrap();
        assert_eq!(number(fork.connection(), count), 0);
    }
    assert!(fork.is_intact());
    assert_eq!(content(fork.connection()), content(&real));
    let left = std::fs::read_dir(place.path.parent().unwrap()).unwrap();
    let names = left.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    assert!(names.into_iter().all(|name| !name.contains("spill")), "the files have no names");
    let open: Vec<_> = std::fs::read_dir("/proc/self/fd")
        .unwrap()
        .filter_map(|entry| std::fs::read_link(entry.unwrap().path()).ok())
        .filter(|path| path.starts_with(place.path.parent().unwrap()) && path.to_string_lossy().contains("db-spill"))
        .collect();
    assert!(!open.is_empty(), "beyond some MiB they are used");
}

#[test]
fn nothing_is_ever_committed() {
    let place = place();
    let real = accounts(&place.path);
    let pool = pool(&place.path, ForkOptions::default());
    let fork = pool.begin().unwrap();
    fork.connection().execute_batch("UPDATE a SET v = 0").unwrap();
    assert!(fork.connection().execute_batch("COMMIT").is_err());
    assert!(!fork.is_intact());
    assert!(fork.connection().execute_batch("UPDATE a SET v = 0").is_err());
    assert_eq!(number(fork.connection(), "SELECT sum(v) FROM a"), 200_000);
    fork.end();
    let fork = pool.begin().unwrap();
    assert!(fork.is_intact());
    assert_eq!(content(fork.connection()), content(&real));
    // Attaching on the private file system finds nothing either.
    assert!(pool.begin().unwrap().connection().execute_batch("ROLLBACK; ATTACH 'fork' AS other").is_err());
}

#[test]
fn a_closed_pool_gives_no_forks_and_keeps_none() {
    let place = place();
    let _real = accounts(&place.path);
    let pool = pool(&place.path, ForkOptions::default());
    let (kept, other) = (pool.begin().unwrap(), pool.begin().unwrap());
    drop(other);
    pool.close();
    assert!(matches!(pool.begin(), Err(ForkError::Closed)));
    assert_eq!(number(kept.connection(), "SELECT count(*) FROM a"), 2000);
    drop(kept);
    assert_eq!((pool.stats().open, pool.stats().idle), (0, 0));
}

#[test]
fn refuses_what_is_no_wal_database() {
    let place = place();
    open(&place.path).execute_batch("CREATE TABLE a(k)").unwrap();
    let pool = pool(&place.path, ForkOptions::default());
    assert!(matches!(pool.begin(), Err(ForkError::Sqlite(_))));
    assert_eq!(pool.stats().open, 0);
}

fn micros(times: u32, mut work: impl FnMut()) -> f64 {
    let mut all: Vec<Duration> = (0..times)
        .map(|_| {
            let start = Instant::now();
            work();
            start.elapsed()
        })
        .collect();
    all.sort();
    all[all.len() / 2].as_nanos() as f64 / 1000.0
}

/// Prints medians; run with `--ignored --nocapture`.
#[test]
#[ignore = "measures"]
fn measure() {
    let place = place();
    let real = accounts(&place.path);
    real.execute_batch(
        "CREATE TABLE t(k INTEGER PRIMARY KEY, v INT); INSERT INTO t VALUES (1, 0);
         CREATE TABLE b(k INTEGER PRIMARY KEY, v INT); INSERT INTO b VALUES (1, 0);
         CREATE TABLE h(t INT, b INT, a INT, d INT, m TEXT)",
    )
    .unwrap();
    let options = ForkOptions { max_idle: 0, ..ForkOptions::default() };
    let cold = pool(&place.path, options);
    println!("create, begin, close          {:8.2} µs", micros(300, || cold.begin().unwrap().end()));
    let pool = pool(&place.path, ForkOptions::default());
    println!("warm begin, end, idle writer  {:8.2} µs", micros(2000, || pool.begin().unwrap().end()));
    let update = |c: &Connection, sql: &str| c.prepare_cached(sql).unwrap().execute([]).unwrap();
    let warm = micros(2000, || {
        update(&real, "UPDATE a SET v = v + 1 WHERE k = 5");
        pool.begin().unwrap().end();
    });
    let alone = micros(2000, || _ = update(&real, "UPDATE a SET v = v + 1 WHERE k = 5"));
    println!("re-point after a commit       {:8.2} µs (and {alone:.2} for the commit)", warm - alone);
    run(&real, "PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
    let fork = pool.begin().unwrap();
    let point = micros(2000, || _ = update(fork.connection(), "UPDATE a SET v = v + 1 WHERE k = 77"));
    println!("point UPDATE, warm            {point:8.2} µs");
    drop(fork);
    let tpcb = |c: &Connection| {
        update(c, "UPDATE a SET v = v + 3 WHERE k = 900");
        c.prepare_cached("SELECT v FROM a WHERE k = 900").unwrap().query_row([], |r| r.get::<_, i64>(0)).unwrap();
        update(c, "UPDATE t SET v = v + 3 WHERE k = 1");
        update(c, "UPDATE b SET v = v + 3 WHERE k = 1");
        update(c, "INSERT INTO h VALUES (1, 1, 900, 3, 'x')");
    };
    let quiet = micros(2000, || tpcb(pool.begin().unwrap().connection()));
    println!("TPC-B with begin, end         {quiet:8.2} µs (idle writer)");
    run(&real, "PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
    let busy = micros(2000, || {
        update(&real, "UPDATE a SET v = v + 1 WHERE k = 5");
        tpcb(pool.begin().unwrap().connection());
    });
    println!("TPC-B with begin, end         {:8.2} µs (after a commit)", busy - alone);
}
