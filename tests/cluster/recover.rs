//! A majority of the machines is lost for good: what one of the others has becomes a cluster again.

use crate::support::cluster::{Cluster, connect, explain, run_program, sqlstate};
use crate::support::{PATIENCE, eventually, http};
use std::time::Duration;

async fn recover(home: &str, into: Option<&str>) -> Result<String, String> {
    let into: Vec<&str> = into.map_or_else(Vec::new, |into| vec!["--into", into]);
    let ended = run_program(&[&["recover", "--data-dir", home][..], &into].concat()).await;
    if ended.code == Some(0) { Ok(ended.output) } else { Err(ended.output) }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_of_three_machines_is_left() {
    let mut cluster = Cluster::start(3).await;
    cluster.run(1, "CREATE ROLE app LOGIN; CREATE TABLE t (a int PRIMARY KEY); CREATE DATABASE second").await;
    cluster.enter(2, "second").await.batch_execute("CREATE TABLE s AS SELECT 7 AS a").await.expect("a table");
    for a in 1..=20 {
        cluster.run(2, &format!("INSERT INTO t VALUES ({a})")).await;
    }
    cluster.wait_converged().await;
    let old = cluster.node(3).home.with_extension("old").display().to_string();
    let home = cluster.node(3).home.display().to_string();
    let refused = recover(&home, None).await.expect_err("the node runs");
    assert!(refused.contains("another process uses this data directory"), "{refused}");

    cluster.kill(1);
    cluster.kill(2);
    cluster.wipe(2);
    // What is asked of it now it cannot decide.
    let client = connect(cluster.node(3).postgres).await.expect("it still listens");
    let timeout = "SET statement_timeout = '1s'; INSERT INTO t VALUES (21)";
    let error = client.batch_execute(timeout).await.expect_err("there is no majority");
    assert!(["57014", "57P03"].contains(&sqlstate(&error).as_str()), "{}", explain(&error));
    cluster.kill(3);
    std::fs::rename(&home, &old).expect("our own directory");

    let shown = recover(&old, None).await.expect("what it has");
    assert!(shown.lines().filter(|line| line.contains("voters 1, 2, 3")).count() >= 2, "{shown}");
    assert!(["system: ", "quorate: ", "second: "].iter().all(|name| shown.contains(name)), "{shown}");
    let done = recover(&old, Some(&home)).await.expect("a new cluster");
    assert!(done.contains("node-3 is the only node of a new cluster"), "{done}");
    let twice = recover(&old, Some(&home)).await.expect_err("it is there already");
    assert!(twice.contains("is not empty"), "{twice}");
    assert_eq!(recover(&old, None).await.expect("what it has"), shown, "the old directory is as it was");

    cluster.spawn(3);
    cluster.wait_node_ready(3).await;
    cluster.run(3, "INSERT INTO t VALUES (100); GRANT SELECT ON t TO app").await;
    let rows = cluster.value(3, "SELECT count(*) FROM t WHERE a <> 21").await;
    assert_eq!(rows, "21", "nothing that the node had is lost");
    let second = cluster.enter(3, "second").await;
    assert_eq!(second.query_one("SELECT a FROM s", &[]).await.expect("a row").get::<_, i32>(0), 7);

    // A machine of before that was not lost after all is of another cluster; empty, it joins this one.
    cluster.spawn(1);
    tokio::time::sleep(Duration::from_secs(2)).await;
    let (code, why) = http::get(cluster.node(1).http, "/ready").await.expect("an answer");
    assert_eq!(code, 503, "{why}");
    cluster.run(3, "INSERT INTO t VALUES (101)").await;
    cluster.kill(1);
    cluster.wipe(1);
    cluster.spawn(1);
    cluster.spawn(2);
    cluster.wait_ready().await;
    eventually("all three vote", PATIENCE, async || {
        let status = cluster.status(3).await?;
        let votes = |database: &str| {
            let group = status.groups.iter().find(|g| g.database == database);
            group.map_or(0, |g| g.voters.split_whitespace().count())
        };
        let all: Vec<usize> = ["system", "quorate", "second"].map(votes).into();
        if all == [3, 3, 3] { Ok(()) } else { Err(format!("{all:?}")) }
    })
    .await;
    cluster.kill(3);
    assert_eq!(cluster.value(2, "SELECT count(*) FROM t WHERE a <> 21").await, "22");
    cluster.restart(3).await;
    cluster.wait_converged().await;
}
