//! Statements that cost as much as one can make them (`hostile.sql`), against nodes with limited memory: each is answered in
//! time, others go on, no node dies, and the replicas stay equal.
//!
//! `QUORATE_HOSTILE=all` takes `hostile-more.sql` too (some minutes), and holds the answers and the other client to what is
//! promised of an optimised program on a machine of its own.

use crate::support::cluster::{Cluster, Options, connect};
use crate::support::raw::{Raw, first_error};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// What a client sets.
const TIMEOUT: Duration = Duration::from_secs(2);
/// The longest that an answer may take: a second more where the machine is ours alone and the program optimised.
const ANSWER: Duration = Duration::from_secs(3);
/// This one is not, and shares its cores with other tests.
const ANSWER_BESIDE_OTHERS: Duration = Duration::from_secs(12);
/// The longest that a small write of another client may take meanwhile.
const OTHERS: Duration = Duration::from_secs(10);
/// Bytes of memory of a node, where the kernel lets us say so (a control group); otherwise of address space, of which a
/// process takes more than it uses.
const MEMORY: u64 = 1 << 30;
const ADDRESSES: u64 = 3 << 30;
/// The most that a node may have had at any moment since the statement before: whoever comes close to the limit is killed on
/// another day.
const PEAK: u64 = 640 << 20;

fn all() -> bool {
    std::env::var("QUORATE_HOSTILE").is_ok_and(|value| value == "all")
}

fn statements() -> Vec<String> {
    let more = if all() { include_str!("hostile-more.sql") } else { "" };
    let lines = include_str!("hostile.sql").lines().chain(more.lines());
    let lines = lines.filter(|line| !line.is_empty() && !line.starts_with("--"));
    lines.map(str::to_owned).chain(all().then(long_texts).into_iter().flatten()).collect()
}

/// Texts that are long or deep themselves.
fn long_texts() -> Vec<String> {
    let list = |n: usize, glue: &str, part: &dyn Fn(usize) -> String| (1..=n).map(part).collect::<Vec<_>>().join(glue);
    let deep = |n: usize, left: &str, middle: &str, right: &str| left.repeat(n) + middle + &right.repeat(n);
    let params = list(65_535, " + ", &|i| format!("${i}"));
    let values = list(65_535, ", ", &|i| format!("{i}"));
    vec![
        format!("PREPARE p AS SELECT {params}; EXECUTE p ({values})"),
        format!("BEGIN; {}; COMMIT", list(10_000, "; ", &|i| format!("SAVEPOINT s{i}"))),
        format!(
            "BEGIN; {}; COMMIT",
            list(3_000, "; ", &|i| format!("SAVEPOINT s{i}; UPDATE h SET n = {i} WHERE k = 1"))
        ),
        format!("BEGIN; {}; COMMIT", list(100, "; ", &|_| "SAVEPOINT s; UPDATE h SET n = 1; ROLLBACK TO s".into())),
        list(50_000, "; ", &|i| format!("SELECT {i}")),
        list(20_000, "; ", &|i| format!("NOTIFY c{i}, 'x'")),
        list(20_000, "; ", &|i| format!("LISTEN c{i}")),
        list(5_000, "; ", &|i| format!("DECLARE c{i} CURSOR WITH HOLD FOR SELECT repeat('x', 1000000) FROM h")),
        list(5_000, "; ", &|i| format!("PREPARE q{i} AS SELECT count(*) FROM h a, h b WHERE a.k = {i}")),
        list(100, "; ", &|i| format!("CREATE TEMP TABLE hostile_t{i} (a int PRIMARY KEY, b text UNIQUE)")),
        format!("SELECT k FROM h WHERE k IN ({})", list(300_000, ", ", &|i| i.to_string())),
        format!("SELECT k FROM h WHERE t IN ({})", list(200_000, ", ", &|i| format!("'row {i}'"))),
        format!("SELECT k FROM h WHERE {}", list(100_000, " OR ", &|i| format!("(k = {i} AND t = 'x{i}')"))),
        format!("SELECT {}", list(30_000, " || ", &|i| format!("'{i}'"))),
        format!("SELECT CASE {} END FROM h", list(30_000, " ", &|i| format!("WHEN k = {i} THEN 'x{i}'"))),
        format!("INSERT INTO h VALUES {}", list(100_000, ", ", &|i| format!("({}, 'x', {i})", i + 900_000))),
        format!("SELECT * FROM (VALUES {}) v ORDER BY 1 DESC", list(200_000, ", ", &|i| format!("({i}, 'x{i}')"))),
        list(3_000, " UNION ALL ", &|i| format!("SELECT k + {i} FROM h")),
        list(1_000, " INTERSECT ", &|i| format!("SELECT k + {i} FROM h")),
        format!("SELECT 1 FROM {}", list(1_500, ", ", &|i| format!("h h{i}"))),
        format!("SELECT 1 FROM h h0 {}", list(1_000, " ", &|i| format!("LEFT JOIN h h{i} ON h{i}.k = h{}.k", i - 1))),
        format!(
            "WITH c0 AS (SELECT 1 x), {} SELECT count(*) FROM c60",
            list(60, ", ", &|i| format!("c{i} AS (SELECT a.x FROM c{0} a, c{0} b UNION ALL SELECT 1)", i - 1))
        ),
        format!("WITH {} SELECT 1", list(5_000, ", ", &|i| format!("c{i} AS (SELECT k + {i} FROM h)"))),
        format!("CREATE TABLE hostile_wide ({})", list(5_000, ", ", &|i| format!("c{i} int DEFAULT {i}"))),
        format!("ALTER TABLE hs {}", list(1_500, ", ", &|i| format!("ADD COLUMN c{i} int DEFAULT {i}"))),
        format!("SELECT count(*) FROM h GROUP BY {}", list(3_000, ", ", &|i| format!("k + {i}"))),
        format!("SELECT {} FROM h", list(5_000, ", ", &|i| format!("sum(k) OVER (ORDER BY k + {i})"))),
        format!("SELECT {}", deep(20_000, "(", "1", ")")),
        format!("SELECT {}", deep(5_000, "abs(", "1", ")")),
        format!("SELECT {}", deep(5_000, "(SELECT ", "1", ")")),
        format!("SELECT {}1", "NOT NOT - + ~ ".repeat(20_000)),
        format!("SELECT {}", deep(20_000, "ARRAY[", "1", "]")),
        format!("SELECT '{}'::jsonb", deep(200_000, "[", "1", "]")),
        format!("SELECT '{}'::int[]", deep(200_000, "{", "1", "}")),
        format!("SELECT 1 {}", deep(200_000, "/* ", "x", " */")),
        format!("SELECT 1 -- {}", "x".repeat(30_000_000)),
        format!("SELECT 1{}, 2", " ".repeat(30_000_000)),
        format!("SELECT 1{}, 2", "--\n".repeat(10_000_000)),
        format!("SELECT '{}'", "''".repeat(15_000_000)),
        format!("SELECT U&'{}'", "\\+01F600".repeat(1_000_000)),
        format!("SELECT 1 AS \"{}\"", "é".repeat(5_000_000)),
        format!("SELECT {}::numeric", "9".repeat(10_000_000)),
        format!("COMMENT ON TABLE h IS '{}'", "x".repeat(30_000_000)),
        format!("CREATE TYPE hostile_enum AS ENUM ({})", list(20_000, ", ", &|i| format!("'e{i}'"))),
        format!("DO $$ BEGIN {} END $$", deep(2_000, "IF true THEN ", "NULL;", " END IF;")),
        format!("DO $$ BEGIN {} END $$", list(20_000, " ", &|i| format!("PERFORM {i};"))),
        format!(
            "CREATE VIEW hostile_view AS {}",
            list(1_000, " UNION ALL ", &|i| format!("SELECT k + {i} AS k FROM h"))
        ),
        "SELECT pg_get_viewdef('hostile_view', true)".into(),
        format!("SET application_name = '{}'", "x".repeat(10_000_000)),
    ]
}

/// A control group for one process, which is gone with this.
struct Group(PathBuf);

impl Drop for Group {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir(&self.0);
    }
}

/// Limits a process; returns what does it, if that is a control group.
fn limit(pid: u32) -> Option<Group> {
    for (root, file) in [("/sys/fs/cgroup/memory", "memory.limit_in_bytes"), ("/sys/fs/cgroup", "memory.max")]
        .map(|(a, b)| (Path::new(a), b))
    {
        let group = root.join(format!("quorate-hostile-{pid}"));
        if std::fs::create_dir(&group).is_err() {
            continue;
        }
        let group = Group(group);
        let limited = std::fs::write(group.0.join(file), MEMORY.to_string());
        if limited.and_then(|()| std::fs::write(group.0.join("cgroup.procs"), pid.to_string())).is_ok() {
            return Some(group);
        }
    }
    let limit = libc::rlimit { rlim_cur: ADDRESSES, rlim_max: ADDRESSES };
    // SAFETY: sets a limit of our own child, from a valid structure.
    let set = unsafe { libc::prlimit(pid as i32, libc::RLIMIT_AS, &limit, std::ptr::null_mut()) };
    assert_eq!(set, 0, "{}", std::io::Error::last_os_error());
    None
}

/// Of times, the one below which so many of a hundred are.
fn percentile(times: &mut [Duration], percent: usize) -> Duration {
    times.sort_unstable();
    times.get(times.len() * percent / 100).or(times.last()).copied().unwrap_or_default()
}

/// A client that writes a row now and then until it is told to stop: how long each took, or why one failed.
async fn calm(port: u16, first: i32, stop: Arc<AtomicBool>) -> Result<Vec<Duration>, String> {
    let client = connect(port).await.map_err(|error| format!("connecting: {error:?}"))?;
    let mut times = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        let begun = Instant::now();
        let k = first + times.len() as i32;
        let written = client.execute("INSERT INTO calm VALUES ($1)", &[&k]).await;
        written.map_err(|error| format!("after {:?}: {error:?}", begun.elapsed()))?;
        times.push(begun.elapsed());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(times)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hostile_statements_are_answered_and_harm_nobody() {
    // Gone after the processes in them are.
    let mut groups = Vec::new();
    let mut cluster = Cluster::start_with(3, Options::default()).await;
    groups.extend(cluster.nodes.values().map(|node| limit(node.pid().expect("started"))));
    println!("memory is limited by {}", if groups[0].is_some() { "control groups" } else { "address space" });
    let pids: Vec<_> = cluster.nodes.values().map(|node| node.pid()).collect();
    cluster.run(1, "CREATE TABLE h (k int PRIMARY KEY, t text, n numeric)").await;
    cluster.run(1, "INSERT INTO h SELECT g, 'row ' || g, g FROM generate_series(1, 1000) g").await;
    cluster.run(1, "CREATE TABLE hs (id serial PRIMARY KEY, v text)").await;
    cluster.run(1, "CREATE TABLE calm (k int PRIMARY KEY)").await;
    let port = cluster.node(2).postgres;
    let stop = Arc::new(AtomicBool::new(false));
    let alone = tokio::spawn(calm(port, 0, stop.clone()));
    tokio::time::sleep(if all() { Duration::from_secs(10) } else { Duration::from_millis(500) }).await;
    stop.store(true, Ordering::Relaxed);
    let mut alone = alone.await.expect("ended").expect("another client");
    let (stop, limit) = (Arc::new(AtomicBool::new(false)), if all() { ANSWER } else { ANSWER_BESIDE_OTHERS });
    let beside = tokio::spawn(calm(port, 1_000_000, stop.clone()));
    let mut wrong = Vec::new();
    for (i, statement) in statements().into_iter().enumerate() {
        let id = 1 + i as u64 % 3;
        let mut client = Raw::connect(cluster.node(id).postgres).await.expect("a connection");
        client.query(&format!("SET statement_timeout = '{}ms'", TIMEOUT.as_millis())).await.expect("set");
        let begun = Instant::now();
        let answer = tokio::time::timeout(3 * ANSWER_BESIDE_OTHERS, client.query(&statement)).await;
        let took = begun.elapsed();
        let answer = match answer {
            Ok(Ok(messages)) => {
                first_error(&messages).map_or("done".to_owned(), |e| format!("{} {}", e.code(), e.message()))
            }
            Ok(Err(error)) => format!("connection lost: {error}"),
            Err(_) => "no answer".to_owned(),
        };
        for id in 1..=3 {
            assert!(cluster.is_running(id), "node {id} is gone after: {statement:.200}");
        }
        let most = [1, 2, 3].map(|id| cluster.peak_memory(id)).into_iter().max().unwrap_or_default();
        println!("{:>6} ms {:>5} MiB  {answer:.100}  {statement:.100}", took.as_millis(), most >> 20);
        if took > limit
            || most > PEAK
            || answer.starts_with("connection")
            || answer.starts_with("no answer")
            || answer.starts_with("XX")
        {
            wrong.push(format!("{:>6} ms {:>5} MiB  {answer:.100}  {statement:.200}", took.as_millis(), most >> 20));
        }
        assert!(!beside.is_finished(), "another client failed at {statement:.200}: {:?}", beside.await);
    }
    stop.store(true, Ordering::Relaxed);
    let mut beside = beside.await.expect("ended").expect("another client");
    let (calm, hostile) = (percentile(&mut alone, 99), percentile(&mut beside, 99));
    println!("another client's p99: {calm:?} before, {hostile:?} meanwhile; its slowest {:?}", beside.last());
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    assert!(beside.last().is_none_or(|slowest| *slowest < OTHERS));
    assert!(!all() || hostile <= 3 * calm, "others wait longer");
    let written = alone.len() + beside.len();
    assert_eq!(cluster.value(3, "SELECT count(*) FROM calm").await, written.to_string());
    cluster.wait_converged().await;
    let now: Vec<_> = cluster.nodes.values().map(|node| node.pid()).collect();
    assert_eq!(pids, now, "a node was restarted");
}
