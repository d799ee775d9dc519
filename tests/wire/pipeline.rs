//! Requests sent without waiting for the answers to earlier ones.

use crate::support::cluster::Cluster;
use crate::support::in_time;
use crate::support::raw::{self, Raw, all_values, first_error};

fn tags(messages: &[raw::Message]) -> String {
    messages.iter().map(|m| m.tag as char).collect()
}

fn run(sql: &str, params: &[Option<&str>]) -> Vec<u8> {
    [raw::parse("", sql), raw::bind("", "", params), raw::describe_portal(""), raw::execute("", 0)].concat()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pipelines() {
    let cluster = Cluster::start(3).await;
    cluster.run(1, "CREATE TABLE t (a int PRIMARY KEY)").await;
    let follower = cluster.follower("quorate").await;
    let mut client = Raw::connect(cluster.node(follower).postgres).await.expect("connect");

    // Each Sync ends a transaction of its own; answers come in order.
    let mut bytes = Vec::new();
    for i in 0..200 {
        bytes.extend(run("INSERT INTO t VALUES ($1)", &[Some(&i.to_string())]));
        bytes.extend(raw::sync());
    }
    bytes.extend(run("SELECT count(*) FROM t", &[]));
    bytes.extend(raw::sync());
    client.send(&bytes).await.expect("send");
    for i in 0..200 {
        let answer = in_time("an insert", client.until_ready()).await.expect("an answer");
        assert_eq!(tags(&answer), "12nCZ", "insert {i}: {:?}", first_error(&answer));
    }
    let answer = in_time("the count", client.until_ready()).await.expect("an answer");
    assert_eq!(tags(&answer), "12TDCZ", "{:?}", first_error(&answer));
    assert_eq!(all_values(&answer), ["200"]);

    // Without Sync between them, statements are one transaction; an error skips the rest and undoes the first.
    let bytes = [
        run("INSERT INTO t VALUES (1000)", &[]),
        run("INSERT INTO t VALUES (1)", &[]),
        run("INSERT INTO t VALUES (1001)", &[]),
        raw::sync(),
        run("SELECT count(*) FROM t", &[]),
        raw::sync(),
    ]
    .concat();
    client.send(&bytes).await.expect("send");
    let answer = in_time("the failing batch", client.until_ready()).await.expect("an answer");
    assert_eq!(first_error(&answer).expect("a duplicate").code(), "23505");
    assert!(tags(&answer).ends_with("EZ"), "{}", tags(&answer));
    let answer = in_time("the count", client.until_ready()).await.expect("an answer");
    assert_eq!(all_values(&answer), ["200"], "the batch is all or nothing");

    // Reads and writes in turn within one transaction: what is said of each stands beside it.
    let bytes = [
        run("INSERT INTO t VALUES (2000) RETURNING a", &[]),
        run("SELECT count(*) FROM t", &[]),
        run("UPDATE t SET a = 2001 WHERE a = 2000", &[]),
        run("DELETE FROM t WHERE a = $1", &[Some("2001")]),
        run("SELECT count(*) FROM t WHERE a >= $1", &[Some("2000")]),
        raw::sync(),
    ]
    .concat();
    client.send(&bytes).await.expect("send");
    let answer = in_time("reads and writes", client.until_ready()).await.expect("an answer");
    assert_eq!(tags(&answer), "12TDC12TDC12nC12nC12TDCZ", "{:?}", first_error(&answer));
    assert_eq!(all_values(&answer), ["2000", "201", "0"]);

    // Simple queries, sent at once.
    let bytes: Vec<u8> = (0..50).flat_map(|i| raw::query(&format!("SELECT {i} AS n"))).collect();
    client.send(&bytes).await.expect("send");
    for i in 0..50 {
        let answer = in_time("a simple query", client.until_ready()).await.expect("an answer");
        assert_eq!(all_values(&answer), [i.to_string()]);
    }

    // A portal read in parts.
    let bytes = [
        raw::parse("", "SELECT n FROM generate_series(1, 5) AS n"),
        raw::bind("p", "", &[]),
        raw::execute("p", 2),
        raw::execute("p", 2),
        raw::execute("p", 2),
        raw::sync(),
    ]
    .concat();
    client.send(&bytes).await.expect("send");
    let answer = in_time("a portal in parts", client.until_ready()).await.expect("an answer");
    assert_eq!(tags(&answer), "12DDsDDsDCZ", "{:?}", first_error(&answer));
    assert_eq!(all_values(&answer), ["1", "2", "3", "4", "5"]);

    // After an error everything is skipped until Sync, and nothing after it.
    let bytes = [run("SELECT * FROM nowhere", &[]), run("SELECT 1", &[]), raw::sync(), raw::query("SELECT 7")].concat();
    client.send(&bytes).await.expect("send");
    let answer = in_time("the skipped batch", client.until_ready()).await.expect("an answer");
    assert_eq!(first_error(&answer).expect("an error").code(), "42P01");
    assert_eq!(tags(&answer), "EZ");
    let answer = in_time("the next query", client.until_ready()).await.expect("an answer");
    assert_eq!(all_values(&answer), ["7"]);
}

/// Whoever waits for one answer does not wait for a later one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_slow_holds_no_earlier_answer() {
    let cluster = Cluster::start(1).await;
    let mut client = Raw::connect(cluster.node(1).postgres).await.expect("connect");
    let slow = "SELECT count(*) FROM generate_series(1, 100000000) a, generate_series(1, 1000000) b";
    for slow in ["SELECT pg_sleep(3600)", slow, "SELECT a FROM generate_series(1, 1000000000000) a WHERE a < 3"] {
        client.send(&[run("SELECT 1", &[]), raw::sync(), run(slow, &[]), raw::sync()].concat()).await.expect("send");
        let answer = in_time(slow, client.until_ready()).await.expect("an answer");
        assert_eq!(all_values(&answer), ["1"]);
        client = Raw::connect(cluster.node(1).postgres).await.expect("connect");
    }
}

/// A portal that has failed is there as long as its transaction is.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn portals_that_have_failed() {
    let cluster = Cluster::start(1).await;
    let mut client = Raw::connect(cluster.node(1).postgres).await.expect("connect");
    for (end, code) in [("ROLLBACK", "34000"), ("ROLLBACK TO a", "55000")] {
        let mut code_of = async |bytes: Vec<u8>| {
            client.send(&bytes).await.expect("send");
            let answer = in_time("the answer", client.until_ready()).await.expect("an answer");
            first_error(&answer).map_or_else(String::new, |error| error.code().to_owned())
        };
        assert_eq!(code_of(raw::query("BEGIN")).await, "");
        let sql = "SELECT 1 / (a - 2) FROM generate_series(1, 3) a";
        let begin = [raw::parse("", sql), raw::bind("p", "", &[]), raw::execute("p", 1), raw::sync()].concat();
        assert_eq!(code_of(begin).await, "");
        assert_eq!(code_of(raw::query("SAVEPOINT a")).await, "");
        let again = || [raw::execute("p", 1), raw::sync()].concat();
        assert_eq!(code_of(again()).await, "22012");
        assert_eq!(code_of(again()).await, "25P02");
        assert_eq!(code_of(raw::query(end)).await, "");
        assert_eq!(code_of(again()).await, code, "{end}");
        code_of(raw::query("ROLLBACK")).await;
    }
}

/// An empty message, comments only, and many empty statements.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn statements_that_say_nothing() {
    let cluster = Cluster::start(1).await;
    let mut client = Raw::connect(cluster.node(1).postgres).await.expect("connect");
    for sql in ["", " ", ";", ";;;", "-- nothing", "/* nothing */ ;"] {
        let answer = in_time(sql, client.query(sql)).await.expect("an answer");
        assert_eq!(tags(&answer), "IZ", "{sql:?}");
    }
    client.send(&[run("", &[]), raw::sync()].concat()).await.expect("send");
    let answer = in_time("an empty statement", client.until_ready()).await.expect("an answer");
    assert_eq!(tags(&answer), "12nIZ");
}
