//! Cancel requests, to whatever node they come, for statements on whatever node.

use crate::support::cluster::{Cluster, sqlstate};
use crate::support::in_time;
use crate::support::raw::{self, startup};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const ENDLESS: &str = "SELECT count(*) FROM generate_series(1, 100000000) AS a, generate_series(1, 100000000) AS b";

async fn cancel(port: u16, pid: u32, secret: &[u8]) {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.expect("connect");
    let body = [pid.to_be_bytes().to_vec(), secret.to_vec()].concat();
    stream.write_all(&startup(raw::CANCEL_REQUEST, &body)).await.expect("send");
    let mut rest = Vec::new();
    let _ = in_time("the server closes", stream.read_to_end(&mut rest)).await;
    assert!(rest.is_empty(), "a cancel request has no answer");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_statement_is_cancelled_through_any_node() {
    let cluster = Cluster::start(3).await;
    cluster.run(1, "CREATE TABLE t (a int)").await;
    for (runs_on, asked) in [(1u64, 1u64), (1, 2), (2, 3), (3, 1)] {
        let mut client = raw::Raw::connect(cluster.node(runs_on).postgres).await.expect("connect");
        client.send(&raw::query(ENDLESS)).await.expect("send");
        tokio::time::sleep(Duration::from_millis(300)).await;
        // Somebody else's wrong secret has no effect: the statement still runs afterwards.
        cancel(cluster.node(asked).postgres, client.pid, &vec![0; client.secret.len()]).await;
        // Its columns may have been told of.
        let early = tokio::time::timeout(Duration::from_millis(300), client.until_ready()).await;
        assert!(early.is_err(), "a wrong secret cancelled the statement: {early:?}");
        cancel(cluster.node(asked).postgres, client.pid, &client.secret.clone()).await;
        let answer = in_time("the cancelled statement", client.until_ready()).await.expect("an answer");
        let error = raw::first_error(&answer).expect("an error");
        assert_eq!((error.code(), error.message()), ("57014", "canceling statement due to user request"));
        let answer = in_time("the next statement", client.query("SELECT 2")).await.expect("an answer");
        assert_eq!(raw::all_values(&answer), ["2"], "the session goes on");
    }
}

/// The error that ends a session is the only one that its client hears, whatever it was doing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_terminated_session_ends_with_what_it_runs() {
    let cluster = Cluster::start(1).await;
    let port = cluster.node(1).postgres;
    cluster.run(1, "CREATE TABLE t (a int PRIMARY KEY)").await;
    let other = cluster.connect(1).await;
    other.batch_execute("BEGIN; INSERT INTO t VALUES (1)").await.expect("a row that is held");
    for statement in [ENDLESS, "SELECT pg_sleep(60)", "INSERT INTO t VALUES (1)", "BEGIN; SELECT pg_sleep(60)", ""] {
        let mut client = raw::Raw::connect(port).await.expect("connect");
        if !statement.is_empty() {
            client.send(&raw::query(statement)).await.expect("send");
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
        cluster.run(1, &format!("SELECT pg_terminate_backend({})", client.pid)).await;
        if statement.is_empty() {
            // What comes after that is not done any more.
            client.send(&raw::query("SELECT 1")).await.expect("send");
        }
        let answer = in_time("the end", async {
            let mut answer = Vec::new();
            while let Ok(message) = client.receive().await {
                answer.push(message);
            }
            answer
        })
        .await;
        let error = raw::first_error(&answer).expect("an error");
        let told = (error.code(), error.message());
        assert_eq!(told, ("57P01", "terminating connection due to administrator command"), "{statement}");
        assert!(!answer.iter().any(|m| m.tag == b'Z'), "{statement}: it goes on");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn timeouts_and_lost_clients_end_their_statements() {
    let cluster = Cluster::start(1).await;
    let client = cluster.connect(1).await;
    client.batch_execute("SET statement_timeout = 300").await.expect("set");
    let error = in_time("an endless read", client.batch_execute(ENDLESS)).await.expect_err("a timeout");
    assert_eq!(sqlstate(&error), "57014");
    assert_eq!(crate::support::cluster::one_value(&client, "SELECT 3").await, "3");

    // Clients that leave in the middle do not keep the processors busy for ever.
    for _ in 0..8 {
        let mut client = raw::Raw::connect(cluster.node(1).postgres).await.expect("connect");
        client.send(&raw::query(ENDLESS)).await.expect("send");
        drop(client);
    }
    let pid = cluster.node(1).pid().expect("it runs");
    let mut before = processor_ticks(pid);
    crate::support::eventually("the abandoned statements end", crate::support::PATIENCE, async || {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let now = processor_ticks(pid);
        let busy = now - std::mem::replace(&mut before, now);
        if busy < 40 { Ok(()) } else { Err(format!("{busy} ticks in a second")) }
    })
    .await;
}

/// A write is executed on every replica, after it is in the log: its own timeout must not be the end of the others.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_write_without_end_does_not_stop_the_others() {
    let cluster = Cluster::start(1).await;
    cluster.run(1, "CREATE TABLE t (n bigint)").await;
    let client = cluster.connect(1).await;
    client.batch_execute("SET statement_timeout = 300").await.expect("set");
    let write = format!("INSERT INTO t {ENDLESS}");
    let error = in_time("an endless write", client.batch_execute(&write)).await.expect_err("a timeout");
    assert_eq!(sqlstate(&error), "57014");
    cluster.run(1, "INSERT INTO t VALUES (3)").await;
    assert_eq!(cluster.value(1, "SELECT sum(n) FROM t").await, "3");
}

/// Writes that never end, each as a client would send it, and what ends the session's block after it.
const ENDLESS_WRITES: [&str; 6] = [
    "INSERT INTO t WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r) SELECT n FROM r",
    "INSERT INTO t SELECT a.n FROM t AS a, t AS b, t AS c, t AS d, t AS e, t AS f, t AS g, t AS h, t AS i, t AS j",
    "UPDATE t SET n = (SELECT count(*) FROM generate_series(1, 1000000000000) AS s WHERE s > t.n)",
    "CREATE TABLE u AS SELECT * FROM generate_series(1, 1000000000000) AS s",
    "INSERT INTO t VALUES (1); DELETE FROM t USING t AS a, t AS b, t AS c, t AS d, t AS e, t AS f WHERE a.n + b.n + \
     c.n + d.n + e.n + f.n < 0",
    "BEGIN; INSERT INTO t VALUES (1); INSERT INTO t SELECT s FROM generate_series(1, 1000000000000) AS s",
];

/// Whoever asks, wherever: such a write ends when it is cancelled, and nobody else hears of it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn endless_writes_are_cancelled_on_every_node() {
    let cluster = Cluster::start(3).await;
    cluster.run(1, "CREATE TABLE t (n bigint); INSERT INTO t SELECT * FROM generate_series(1, 200)").await;
    for (i, write) in ENDLESS_WRITES.iter().enumerate() {
        let node = i as u64 % 3 + 1;
        let mut client = raw::Raw::connect(cluster.node(node).postgres).await.expect("connect");
        client.send(&raw::query(write)).await.expect("send");
        tokio::time::sleep(Duration::from_millis(300)).await;
        // It is no burden to others.
        cluster.run(node % 3 + 1, "INSERT INTO t VALUES (0); DELETE FROM t WHERE n = 0").await;
        cancel(cluster.node(node).postgres, client.pid, &client.secret.clone()).await;
        let answer = in_time("the cancelled write", client.until_ready()).await.expect("an answer");
        let error = raw::first_error(&answer).expect("an error");
        assert_eq!((error.code(), error.message()), ("57014", "canceling statement due to user request"), "{write}");
        let _ = in_time("the end", client.query("ROLLBACK")).await.expect("an answer");
        let answer = in_time("the next statement", client.query("SELECT count(*) FROM t")).await.expect("an answer");
        assert_eq!(raw::all_values(&answer), ["200"], "{write}");
    }
    idle_again(&cluster).await;

    // A client that hangs up ends its write as well, and so does a timeout.
    for (i, write) in ENDLESS_WRITES.iter().enumerate() {
        let mut client = raw::Raw::connect(cluster.node(i as u64 % 3 + 1).postgres).await.expect("connect");
        client.send(&raw::query(write)).await.expect("send");
        tokio::time::sleep(Duration::from_millis(100)).await;
        drop(client);
        let client = cluster.connect((i as u64 + 1) % 3 + 1).await;
        client.batch_execute("SET statement_timeout = 300").await.expect("set");
        let error = in_time("an endless write", client.batch_execute(write)).await.expect_err("a timeout");
        assert_eq!(sqlstate(&error), "57014", "{write}");
    }
    idle_again(&cluster).await;
    assert_eq!(cluster.value(2, "SELECT count(*) FROM t").await, "200");
}

/// What was cancelled does not go on in secret, on any node.
async fn idle_again(cluster: &Cluster) {
    let pids: Vec<u32> = (1..=3).map(|node| cluster.node(node).pid().expect("it runs")).collect();
    let mut before: u64 = pids.iter().map(|pid| processor_ticks(*pid)).sum();
    crate::support::eventually("the cancelled writes end", crate::support::PATIENCE, async || {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let now = pids.iter().map(|pid| processor_ticks(*pid)).sum();
        let busy = now - std::mem::replace(&mut before, now);
        if busy < 60 { Ok(()) } else { Err(format!("{busy} ticks in a second")) }
    })
    .await;
}

/// Processor time that a process has used, in hundredths of a second.
fn processor_ticks(pid: u32) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).expect("our own child");
    let fields: Vec<&str> = stat.rsplit_once(')').expect("a name").1.split_whitespace().collect();
    fields[11].parse::<u64>().expect("a number") + fields[12].parse::<u64>().expect("a number")
}

/// A write that waits for a majority can be cancelled, too.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_write_that_waits_for_a_majority_is_cancelled() {
    let mut cluster = Cluster::start(3).await;
    cluster.run(1, "CREATE TABLE t (a int)").await;
    cluster.kill(2);
    cluster.kill(3);
    let mut client = raw::Raw::connect(cluster.node(1).postgres).await.expect("connect");
    client.send(&raw::query("INSERT INTO t VALUES (1)")).await.expect("send");
    tokio::time::sleep(Duration::from_millis(500)).await;
    cancel(cluster.node(1).postgres, client.pid, &client.secret.clone()).await;
    let answer = in_time("the cancelled write", client.until_ready()).await.expect("an answer");
    assert_eq!(raw::first_error(&answer).expect("an error").code(), "57014");
}
