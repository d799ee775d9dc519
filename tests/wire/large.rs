//! Large statements and large values.

use super::assert_serves;
use crate::support::cluster::Cluster;
use crate::support::in_time;
use crate::support::raw::{Raw, all_values, first_error};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_statement_of_twenty_megabytes() {
    let cluster = Cluster::start(3).await;
    cluster.run(1, "CREATE TABLE t (id int PRIMARY KEY, body text NOT NULL)").await;
    let follower = cluster.follower("quorate").await;
    let port = cluster.node(follower).postgres;
    let mut client = Raw::connect(port).await.expect("connect");
    let sql = format!("INSERT INTO t VALUES (1, '{}')", "0123456789".repeat(2_000_000));
    let sent = tokio::spawn(async move {
        let answer = client.query(&sql).await;
        (client, answer)
    });
    // The others go on meanwhile.
    for i in 0..20 {
        assert_serves(&cluster, follower).await;
        cluster.run(follower, &format!("INSERT INTO t VALUES (1000 + {i}, 'small')")).await;
    }
    let (mut client, answer) = in_time("the large statement", sent).await.expect("no panic");
    let answer = answer.expect("an answer");
    assert!(first_error(&answer).is_none(), "{:?}", first_error(&answer));
    cluster.wait_converged().await;
    for id in 1..=3 {
        assert_eq!(cluster.value(id, "SELECT length(body) FROM t WHERE id = 1").await, "20000000", "node-{id}");
    }
    let answer = in_time("reading it back", client.query("SELECT body FROM t WHERE id = 1")).await.expect("an answer");
    assert_eq!(all_values(&answer)[0].len(), 20_000_000);

    // As a parameter as well.
    let client = cluster.connect(follower).await;
    let body = "x".repeat(20_000_000);
    let inserted = in_time("a large parameter", client.execute("INSERT INTO t VALUES (2, $1)", &[&body])).await;
    assert_eq!(inserted.expect("insert"), 1);
    let row = in_time("select", client.query_one("SELECT body FROM t WHERE id = 2", &[])).await.expect("select");
    assert!(row.get::<_, &str>(0) == body);
}

/// A hundred megabytes in one literal, on a node that has others to serve.
#[ignore = "takes longer than its time limit in an unoptimised build: a known gap"]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_statement_of_a_hundred_megabytes() {
    let cluster = Cluster::start(1).await;
    cluster.run(1, "CREATE TABLE t (id int PRIMARY KEY, body text NOT NULL)").await;
    let mut client = Raw::connect(cluster.node(1).postgres).await.expect("connect");
    let sql = format!("INSERT INTO t VALUES (1, '{}')", "0123456789".repeat(10_000_000));
    let sent = tokio::spawn(async move {
        let answer = client.query(&sql).await;
        (client, answer)
    });
    for i in 0..20 {
        assert_serves(&cluster, 1).await;
        cluster.run(1, &format!("INSERT INTO t VALUES (1000 + {i}, 'small')")).await;
    }
    let (mut client, answer) = in_time("the large statement", sent).await.expect("no panic");
    let answer = answer.expect("an answer");
    assert!(first_error(&answer).is_none(), "{:?}", first_error(&answer));
    let answer = in_time("its length", client.query("SELECT length(body) FROM t WHERE id = 1")).await;
    assert_eq!(all_values(&answer.expect("an answer")), ["100000000"]);
}

/// Thousands of statements in one message are one implicit transaction.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_statements_in_one_message() {
    let cluster = Cluster::start(1).await;
    cluster.run(1, "CREATE TABLE t (a int PRIMARY KEY)").await;
    let mut client = Raw::connect(cluster.node(1).postgres).await.expect("connect");
    let inserts: String = (0..2000).map(|i| format!("INSERT INTO t VALUES ({i});")).collect();
    let answer = in_time("many", client.query(&inserts)).await.expect("an answer");
    assert!(first_error(&answer).is_none(), "{:?}", first_error(&answer));
    assert_eq!(answer.iter().filter(|m| m.tag == b'C').count(), 2000);
    let failing = "INSERT INTO t VALUES (5000); INSERT INTO t VALUES (1); INSERT INTO t VALUES (5001)";
    let answer = in_time("failing", client.query(failing)).await.expect("an answer");
    assert_eq!(first_error(&answer).expect("a duplicate key").code(), "23505");
    assert_eq!(cluster.value(1, "SELECT count(*) FROM t").await, "2000", "all or nothing");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nesting_that_has_no_end() {
    let cluster = Cluster::start(1).await;
    let mut client = Raw::connect(cluster.node(1).postgres).await.expect("connect");
    let deep = 100_000;
    for sql in [
        format!("SELECT {}1{}", "(".repeat(deep), ")".repeat(deep)),
        format!("SELECT {}1", "- ".repeat(deep)),
        format!("SELECT {} true", "NOT ".repeat(deep)),
        format!("SELECT 1{}", " + 1".repeat(deep)),
        format!("SELECT {}1{}", "CASE WHEN true THEN ".repeat(deep), " END".repeat(deep)),
        format!("{}SELECT 1{}", "SELECT * FROM (".repeat(deep), ") AS x".repeat(deep)),
        format!("SELECT '{}{}'::jsonb", "[".repeat(deep), "]".repeat(deep)),
        format!("SELECT {}1", "SELECT ".repeat(deep)),
        format!("SELECT ARRAY{}1{}", "[".repeat(deep), "]".repeat(deep)),
        format!("SELECT 1 WHERE 1 IN ({})", vec!["1"; deep].join(",")),
        "SELECT repeat('x', 2000000000)".to_owned(),
        format!("SELECT 1{}", " UNION ALL SELECT 1".repeat(5000)),
    ] {
        let head: String = sql.chars().take(40).collect();
        let answer = in_time(&head, client.query(&sql)).await;
        let answer = answer.unwrap_or_else(|e| panic!("{head}… ended the connection: {e}"));
        println!("{head}…: {:?}", first_error(&answer).map(|e| e.to_string()));
        assert_serves(&cluster, 1).await;
    }
}

/// Transactions that change more than fits into memory: in a block, and as one statement that is tried first.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transaction_of_a_hundred_megabytes() {
    let cluster = Cluster::start(3).await;
    cluster.run(1, "CREATE TABLE t (id int PRIMARY KEY, body text NOT NULL)").await;
    let follower = cluster.follower("quorate").await;
    let client = cluster.connect(follower).await;
    let before = cluster.memory(cluster.leader("quorate").await);
    let fill = "INSERT INTO t SELECT s, repeat('x', 500) FROM generate_series(1, 200000) AS s";
    in_time("a block", client.batch_execute(&format!("BEGIN; {fill}; SAVEPOINT s; UPDATE t SET body = 'y' || body")))
        .await
        .expect("a large transaction");
    in_time("its end", client.batch_execute("ROLLBACK TO s; COMMIT")).await.expect("commit");
    assert_eq!(cluster.value(1, "SELECT count(*) || ' ' || max(body) FROM t").await.len(), 507);
    in_time("one statement", client.batch_execute("UPDATE t SET body = 'z' || body WHERE id IN (SELECT id FROM t)"))
        .await
        .expect("a large statement");
    let after = cluster.memory(cluster.leader("quorate").await);
    assert!(after < before + (150 << 20), "{} MiB, before {} MiB", after >> 20, before >> 20);
    cluster.wait_converged().await;
}
