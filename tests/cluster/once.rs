//! Two causes at once: the leader is lost *and* the schema has changed before a statement is asked for again. Nothing takes
//! effect twice, no error says that nothing was done when it was, and clients of living nodes hear of no leader. And what a
//! session was told of the schema, whatever it compiles next has seen.

use crate::support::cluster::{Cluster, connect, explain, one_value, run, run_program, sqlstate};
use crate::support::in_time;
use crate::support::raw::{self, Raw};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

const WRITERS: usize = 6;
const LOSSES: u64 = 6;

/// What a writer did: its numbers that were acknowledged, and the errors.
type Report = (BTreeSet<i32>, Vec<String>);

/// Writes that are tried first, that draw from a sequence in a block, and that fill a serial column, one after the other.
async fn write(port: u16, writer: usize, stop: Arc<AtomicBool>) -> Report {
    let (mut acknowledged, mut errors) = (BTreeSet::new(), Vec::new());
    let client = connect(port).await.expect("a living node");
    for number in (0..).take_while(|_| !stop.load(Ordering::SeqCst)) {
        let text = match number % 3 {
            0 => format!("INSERT INTO e SELECT {writer}, {number} FROM generate_series(1, 1)"),
            1 => format!("INSERT INTO e (writer, number) VALUES ({writer}, {number})"),
            _ => format!("BEGIN; SELECT nextval('q'); INSERT INTO e VALUES ({writer}, {number}); COMMIT"),
        };
        let done = async {
            for statement in text.split("; ") {
                client.batch_execute(statement).await?;
            }
            Ok::<(), tokio_postgres::Error>(())
        };
        match in_time(&text, done).await {
            Ok(()) => drop(acknowledged.insert(number)),
            // A block does not outlive a change of the schema under it yet; it says so, and has done nothing.
            Err(error) if number % 3 == 2 && sqlstate(&error) == "40001" => {
                let _ = client.batch_execute("ROLLBACK").await;
            }
            Err(error) => {
                errors.push(format!("{text}: {}", explain(&error)));
                let _ = client.batch_execute("ROLLBACK").await;
            }
        }
    }
    (acknowledged, errors)
}

async fn define(port: u16, stop: Arc<AtomicBool>) {
    let client = connect(port).await.expect("a living node");
    for number in (0..).take_while(|_| !stop.load(Ordering::SeqCst)) {
        run(&client, &format!("CREATE TABLE x{number} (a int); DROP TABLE x{number}")).await;
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_leader_lost_while_the_schema_changes() {
    let mut cluster = Cluster::start(3).await;
    let setup = "CREATE TABLE e (writer int, number int, id serial); CREATE SEQUENCE q";
    cluster.run(1, setup).await;
    let stop = Arc::new(AtomicBool::new(false));
    let port = |cluster: &Cluster, number: usize| cluster.node(1 + number as u64 % 3).postgres;
    let writers: Vec<_> =
        (0..WRITERS).map(|number| tokio::spawn(write(port(&cluster, number), number, stop.clone()))).collect();
    let definer = tokio::spawn(define(port(&cluster, 1), stop.clone()));
    for loss in 0..LOSSES {
        tokio::time::sleep(Duration::from_millis(300)).await;
        let leader = cluster.leader("quorate").await;
        if loss % 2 == 0 {
            cluster.pause(leader);
            tokio::time::sleep(Duration::from_millis(1600)).await;
            cluster.resume(leader);
        } else {
            let through = format!("127.0.0.1:{}", cluster.node(leader).http);
            run_program(&["transfer", "--addr", &through, "--database", "quorate"]).await;
        }
    }
    stop.store(true, Ordering::SeqCst);
    definer.await.expect("definitions succeed");
    let mut errors = Vec::new();
    let client = cluster.connect(1).await;
    for (writer, task) in writers.into_iter().enumerate() {
        let (acknowledged, failed) = task.await.expect("a writer");
        let count = one_value(&client, &format!("SELECT count(*) FROM e WHERE writer = {writer}")).await;
        let distinct =
            one_value(&client, &format!("SELECT count(DISTINCT number) FROM e WHERE writer = {writer}")).await;
        assert_eq!(count, distinct, "nothing took effect twice");
        assert_eq!(count, acknowledged.len().to_string(), "all that was acknowledged, and nothing that failed");
        errors.extend(failed);
    }
    assert!(errors.is_empty(), "{errors:?}");
    cluster.wait_converged().await;
}

/// Through a follower, which has applied a change later than its leader: Parse and Describe have seen it all the same, in
/// whatever session of that node.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_defined_is_seen_by_whatever_is_compiled_next() {
    let cluster = Cluster::start(3).await;
    let follower = cluster.follower("quorate").await;
    let (mine, other) = (cluster.connect(follower).await, cluster.connect(follower).await);
    run(&mine, "CREATE TABLE wide (c0 int)").await;
    for number in 1..40 {
        run(&mine, &format!("ALTER TABLE wide ADD COLUMN c{number} int")).await;
        let who = if number % 2 == 0 { &mine } else { &other };
        let prepared = in_time("Parse", who.prepare("SELECT * FROM wide")).await.expect("it compiles");
        assert_eq!(prepared.columns().len(), number + 1);
        in_time("Execute", who.query(&prepared, &[])).await.expect("the plan is good");
        run(&mine, &format!("CREATE TABLE gone{number} (a int); DROP TABLE gone{number}")).await;
        let gone = in_time("Parse", who.prepare(&format!("SELECT * FROM gone{number}"))).await;
        assert_eq!(gone.err().as_ref().map(sqlstate).as_deref(), Some("42P01"));
    }
}

/// A statement that was cancelled, or has timed out, is over: what fails later has its own SQLSTATE.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cancelled_statement_is_over() {
    let cluster = Cluster::start(1).await;
    let port = cluster.node(1).postgres;
    let mut client = Raw::connect(port).await.expect("connect");
    let slow = "SELECT count(*) FROM generate_series(1, 100000000000)";
    let code = async |client: &mut Raw, bytes: Vec<u8>| {
        client.send(&bytes).await.expect("send");
        let answer = in_time("an answer", client.until_ready()).await.expect("an answer");
        raw::first_error(&answer).map_or_else(String::new, |error| error.code().to_owned())
    };
    assert_eq!(code(&mut client, raw::query("SET statement_timeout = '100ms'")).await, "");
    assert_eq!(code(&mut client, raw::query(slow)).await, "57014");
    tokio::time::sleep(Duration::from_millis(150)).await;
    let parse = || [raw::parse("", "SELECT * FROM nowhere"), raw::sync()].concat();
    assert_eq!(code(&mut client, parse()).await, "42P01");
    assert_eq!(code(&mut client, raw::query("SET statement_timeout = 0")).await, "");
    let canceller = cluster.connect(1).await;
    let cancel = tokio::spawn(async move {
        let sql = "SELECT count(pg_cancel_backend(pid)) FROM pg_stat_activity WHERE query LIKE '%100000000000%' \
                   AND query NOT LIKE '%cancel%' AND state = 'active'";
        while one_value(&canceller, sql).await == "0" {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    assert_eq!(code(&mut client, raw::query(slow)).await, "57014");
    cancel.await.expect("cancelled");
    for _ in 0..3 {
        assert_eq!(code(&mut client, parse()).await, "42P01");
    }
}
