//! Statements that cost as much as one can make them (`hostile.sql`), against nodes with limited memory: each is answered in
//! time, others go on, no node dies, and the replicas stay equal.

use crate::support::cluster::{Cluster, Options, connect};
use crate::support::raw::{Raw, first_error};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// What a client sets.
const TIMEOUT: Duration = Duration::from_secs(2);
/// The longest that an answer may take: a second more where the machine is ours alone and the program optimised; this one is
/// not, and shares its cores with other tests.
const ANSWER: Duration = Duration::from_secs(12);
/// Bytes of address space of a node.
const MEMORY: u64 = 3 << 30;
/// The longest that a small write of another client may take meanwhile.
const OTHERS: Duration = Duration::from_secs(10);

fn statements() -> Vec<&'static str> {
    include_str!("hostile.sql").lines().filter(|line| !line.is_empty() && !line.starts_with("--")).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hostile_statements_are_answered_and_harm_nobody() {
    let mut cluster = Cluster::start_with(3, Options::default()).await;
    for node in cluster.nodes.values() {
        let limit = libc::rlimit { rlim_cur: MEMORY, rlim_max: MEMORY };
        let pid = node.pid().expect("started") as i32;
        // SAFETY: sets a limit of our own child, from a valid structure.
        let set = unsafe { libc::prlimit(pid, libc::RLIMIT_AS, &limit, std::ptr::null_mut()) };
        assert_eq!(set, 0, "{}", std::io::Error::last_os_error());
    }
    let pids: Vec<_> = cluster.nodes.values().map(|node| node.pid()).collect();
    cluster.run(1, "CREATE TABLE h (k int PRIMARY KEY, t text, n numeric)").await;
    cluster.run(1, "INSERT INTO h SELECT g, 'row ' || g, g FROM generate_series(1, 1000) g").await;
    cluster.run(1, "CREATE TABLE calm (k int PRIMARY KEY)").await;
    let (stop, slowest) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let calm = tokio::spawn({
        let (stop, slowest, port) = (stop.clone(), slowest.clone(), cluster.node(2).postgres);
        async move {
            let client = connect(port).await.expect("a connection");
            let mut k = 0;
            while !stop.load(Ordering::Relaxed) {
                let begun = Instant::now();
                k += 1;
                client.execute("INSERT INTO calm VALUES ($1)", &[&k]).await.expect("others are not in the way");
                slowest.fetch_max(begun.elapsed().as_millis() as u64, Ordering::Relaxed);
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            k
        }
    });
    let mut slow = Vec::new();
    for (i, statement) in statements().into_iter().enumerate() {
        let id = 1 + i as u64 % 3;
        let mut client = Raw::connect(cluster.node(id).postgres).await.expect("a connection");
        client.query(&format!("SET statement_timeout = '{}ms'", TIMEOUT.as_millis())).await.expect("set");
        let begun = Instant::now();
        let answer = tokio::time::timeout(3 * ANSWER, client.query(statement)).await;
        let took = begun.elapsed();
        let answer = match answer {
            Ok(Ok(messages)) => {
                first_error(&messages).map_or("done".to_owned(), |e| format!("{} {}", e.code(), e.message()))
            }
            Ok(Err(error)) => format!("connection lost: {error}"),
            Err(_) => "no answer".to_owned(),
        };
        println!("{:>6} ms  {answer:.100}  {statement:.100}", took.as_millis());
        if took > ANSWER
            || answer.starts_with("connection")
            || answer.starts_with("no answer")
            || answer.starts_with("XX")
        {
            slow.push(format!("{:>6} ms  {answer:.100}  {statement:.200}", took.as_millis()));
        }
        for id in 1..=3 {
            assert!(cluster.is_running(id), "node {id} is gone after: {statement}");
        }
    }
    stop.store(true, Ordering::Relaxed);
    let written = calm.await.expect("the other client");
    assert!(slow.is_empty(), "\n{}", slow.join("\n"));
    println!("another client wrote {written} rows, the slowest in {} ms", slowest.load(Ordering::Relaxed));
    assert!(Duration::from_millis(slowest.load(Ordering::Relaxed)) < OTHERS);
    assert_eq!(cluster.value(3, "SELECT count(*) FROM calm").await, written.to_string());
    cluster.wait_converged().await;
    let now: Vec<_> = cluster.nodes.values().map(|node| node.pid()).collect();
    assert_eq!(pids, now, "a node was restarted");
}
