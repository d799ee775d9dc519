//! Work that one client causes before anything is executed: it is bounded, it can be stopped, and others are served meanwhile.

use super::assert_serves;
use crate::support::cluster::Cluster;
use crate::support::http;
use crate::support::in_time;
use crate::support::raw::{self, Raw, all_values, first_error};
use std::time::{Duration, Instant};

/// Joins whose compilation would take long.
fn joins(n: usize) -> String {
    let items: Vec<String> = (1..n).map(|k| format!("JOIN t a{k} ON a{k}.a = a0.a")).collect();
    format!("SELECT 1 FROM t a0 {}", items.join(" "))
}

async fn code(client: &mut Raw, sql: &str) -> String {
    let answer = in_time("an answer", client.query(sql)).await.expect("an answer");
    first_error(&answer).map_or_else(String::new, |error| error.code().to_owned())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn long_texts_do_not_keep_others_waiting() {
    let cluster = Cluster::start(1).await;
    cluster.run(1, "CREATE TABLE t (a int, b text)").await;
    let (port, watched) = (cluster.node(1).postgres, cluster.node(1).http);
    let clients: Vec<_> = [joins(4_000), joins(4_000), joins(100_000), format!("SELECT {}1", "1+".repeat(40_000))]
        .into_iter()
        .map(|sql| {
            tokio::spawn(async move {
                let mut client = Raw::connect(port).await.expect("connect");
                assert_eq!(code(&mut client, "SET statement_timeout = '1s'").await, "");
                let begun = Instant::now();
                let code = code(&mut client, &sql).await;
                assert!(begun.elapsed() < Duration::from_secs(10), "{code} after {:?}", begun.elapsed());
                assert!(["57014", "54000", "54001", ""].contains(&code.as_str()), "{code}");
            })
        })
        .collect();
    let mut worst = Duration::ZERO;
    while !clients.iter().all(|client| client.is_finished()) {
        let begun = Instant::now();
        http::get(watched, "/health").await.expect("health");
        assert_serves(&cluster, 1).await;
        worst = worst.max(begun.elapsed());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    for client in clients {
        client.await.expect("as it should be");
    }
    assert!(worst < Duration::from_secs(2), "others waited for {worst:?}");
}

/// Each view uses the one below it twice.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn views_of_views_can_be_stopped() {
    let cluster = Cluster::start(1).await;
    cluster.run(1, "CREATE TABLE t (a int); CREATE VIEW v0 AS SELECT a FROM t").await;
    for n in 1..=10 {
        let below = n - 1;
        cluster.run(1, &format!("CREATE VIEW v{n} AS SELECT x.a FROM v{below} x JOIN v{below} y ON x.a = y.a")).await;
    }
    let mut client = Raw::connect(cluster.node(1).postgres).await.expect("connect");
    code(&mut client, "SET statement_timeout = '500ms'").await;
    let begun = Instant::now();
    let code = code(&mut client, "SELECT count(*) FROM v10 a, v10 b, v10 c, v10 d").await;
    assert!(["57014", "54000", "54001"].contains(&code.as_str()), "{code}");
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    assert_serves(&cluster, 1).await;
}

/// What nests deeply is an error, and what is long is an answer or an error: never the end of the process.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn deep_and_long_statements() {
    let cluster = Cluster::start(1).await;
    cluster.run(1, "CREATE TABLE t (a int, b text, j jsonb)").await;
    let mut client = Raw::connect(cluster.node(1).postgres).await.expect("connect");
    let nested = |open: &str, inner: &str, close: &str| format!("{}{inner}{}", open.repeat(3000), close.repeat(3000));
    for (sql, expected) in [
        ("PREPARE a AS ".repeat(1500) + "SELECT 1", "42601"),
        ("DECLARE c CURSOR FOR ".repeat(3000) + "SELECT 1", "42601"),
        ("EXPLAIN ".repeat(3000) + "SELECT 1", "42601 54001"),
        (format!("SELECT {}", nested("(", "1", ")")), "54001"),
        (format!("SELECT {}", nested("NOT ", "true", "")), "54001"),
        (format!("SELECT {}", nested("- ", "1", "")), "54001"),
        (format!("SELECT {}", nested("CASE WHEN true THEN ", "1", " END")), "54001"),
        (format!("SELECT {}", nested("ARRAY[", "1", "]")), "54001"),
        (format!("SELECT {}", nested("(SELECT ", "1", ")")), "54001"),
        (format!("SELECT * FROM {}", nested("(", "t", ")")), "54001"),
        (format!("SELECT '{}'::jsonb", nested("[", "", "]")), "54001"),
        (format!("SELECT '{}'::int[]", nested("{", "", "}")), "22P02 54000 54001"),
        (format!("INSERT INTO t (j) VALUES ('{}')", nested("[", "", "]")), "54001"),
        (format!("SELECT 1{}", " UNION ALL SELECT 1".repeat(2000)), ""),
        (format!("SELECT 1{}", " UNION SELECT 2".repeat(1500)), ""),
        (format!("VALUES (1){}", ", (2)".repeat(20_000)), ""),
        (format!("SELECT 1 WHERE 3 IN (1{})", ", 2".repeat(50_000)), ""),
        (joins(65), ""),
    ] {
        let got = code(&mut client, &sql).await;
        let shown = &sql[..sql.len().min(60)];
        assert!(expected.split(' ').any(|one| one == got) || (expected.is_empty() && got.is_empty()), "{got}: {shown}");
        assert_serves(&cluster, 1).await;
    }
}

/// Many statements in one message: each has its own time, and others have theirs.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_statements_in_one_message() {
    let cluster = Cluster::start(1).await;
    let mut client = Raw::connect(cluster.node(1).postgres).await.expect("connect");
    client.send(&raw::query(&"SELECT 1;".repeat(5_000))).await.expect("send");
    for _ in 0..5 {
        let begun = Instant::now();
        assert_serves(&cluster, 1).await;
        assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    }
    let answer = in_time("all answers", client.until_ready()).await.expect("answers");
    assert_eq!(all_values(&answer).len(), 5_000);
}

/// Suspended portals keep their snapshots and nobody's reader.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn suspended_portals_keep_nobody_from_reading() {
    let cluster = Cluster::start(1).await;
    cluster.run(1, "CREATE TABLE t (a int); INSERT INTO t SELECT n FROM generate_series(1, 1000) n").await;
    let mut client = Raw::connect(cluster.node(1).postgres).await.expect("connect");
    assert_eq!(code(&mut client, "BEGIN").await, "");
    let mut messages = raw::parse("s", "SELECT a FROM t ORDER BY a");
    for n in 0..80 {
        messages.extend(raw::bind(&format!("p{n}"), "s", &[]));
        messages.extend(raw::execute(&format!("p{n}"), 1));
    }
    messages.extend(raw::sync());
    client.send(&messages).await.expect("send");
    let answer = in_time("all answers", client.until_ready()).await.expect("answers");
    assert!(first_error(&answer).is_none());
    assert_eq!(all_values(&answer).len(), 80);
    assert_serves(&cluster, 1).await;
    cluster.run(1, "DELETE FROM t WHERE a < 500").await;
    client.send(&[raw::execute("p7", 2), raw::sync()].concat()).await.expect("send");
    let answer = in_time("the next rows", client.until_ready()).await.expect("answers");
    assert_eq!(all_values(&answer), ["2", "3"]);
    // The sixty-fifth could not keep its snapshot.
    client.send(&[raw::execute("p79", 2), raw::sync()].concat()).await.expect("send");
    let answer = in_time("an error", client.until_ready()).await.expect("answers");
    assert_eq!(first_error(&answer).expect("an error").code(), "53400");
}
