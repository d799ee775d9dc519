//! An entry of the log that no replica can apply. A mistake on purpose makes one (`engine::defect`): there is none in a release.

use crate::support::cluster::{Cluster, connect};
use crate::support::{PATIENCE, eventually};
use quorate::version::Feature;
use std::time::Duration;

/// The entry that node `id` cannot get past: index and term.
async fn stuck(cluster: &Cluster, id: u64) -> Result<(u64, u64), String> {
    let status = cluster.status(id).await?;
    let name = &cluster.node(id).name;
    let row = status.replicas.iter().find(|row| row.node == *name && row.database == "quorate");
    let state = row.map(|row| row.state.clone()).unwrap_or_default();
    let words: Vec<&str> = state.split(' ').collect();
    match words[..] {
        ["entry", index, "of", "term", term, ..] => {
            Ok((index.parse().expect("a number"), term.parse().expect("a number")))
        }
        _ => Err(state),
    }
}

/// Takes the way out that docs/operations.md describes.
async fn skip(cluster: &Cluster, among: &[u64]) {
    let leader = cluster.leader_among(among, "quorate").await;
    let (index, term) =
        eventually("somebody says what it stands before", PATIENCE, async || stuck(cluster, leader).await).await;
    let address = format!("127.0.0.1:{}", cluster.node(leader).http);
    let order = async |index: u64| {
        let (index, term) = (index.to_string(), term.to_string());
        let words = ["entry", "skip", "--database", "quorate", "--index", &index, "--term", &term, "--addr", &address];
        crate::support::cluster::run_program(&words).await
    };
    let wrong = order(index + 1).await;
    assert!(wrong.code != Some(0) && wrong.output.contains("another one"), "{}", wrong.output);
    let done = order(index).await;
    assert_eq!(done.code, Some(0), "{}", done.output);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_entry_that_never_ends_is_skipped() {
    if !cfg!(debug_assertions) {
        return;
    }
    let mut cluster = Cluster::prepare(3, Default::default()).await;
    cluster.environment.push(("QUORATE_DEFECT".to_owned(), "hangs:poison".to_owned()));
    (1..=3).for_each(|id| cluster.spawn(id));
    cluster.wait_ready().await;
    cluster.wait_version(Feature::SkipEntry.since().0).await;
    cluster.run(1, "CREATE TABLE t (a text)").await;
    let port = cluster.node(2).postgres;
    let client = tokio::spawn(async move {
        let client = connect(port).await.expect("a connection");
        client.execute("SET statement_timeout = '60s'", &[]).await.expect("set");
        client.execute("INSERT INTO t VALUES ('poison')", &[]).await.expect_err("it cannot be done")
    });
    eventually("/ready says so", PATIENCE, async || match stuck(&cluster, 1).await {
        Ok(_) => Ok(()),
        Err(state) => Err(state),
    })
    .await;
    // One is stopped, and obeys; at its start it stands before the entry again.
    assert!(cluster.stop(3).await.success(), "SIGTERM is obeyed");
    cluster.spawn(3);
    eventually("it is there again", PATIENCE, async || cluster.status(3).await.map(drop)).await;
    skip(&cluster, &[1, 2, 3]).await;
    let error = client.await.expect("the client");
    assert_eq!(crate::support::cluster::sqlstate(&error), "58000", "{error:?}");
    cluster.run(2, "INSERT INTO t VALUES ('good')").await;
    cluster.wait_ready().await;
    cluster.wait_converged().await;
    assert_eq!(cluster.value(3, "SELECT string_agg(a, ',') FROM t").await, "good");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_entry_that_ends_the_process_is_skipped() {
    if !cfg!(debug_assertions) {
        return;
    }
    let mut cluster = Cluster::prepare(3, Default::default()).await;
    cluster.environment.push(("QUORATE_DEFECT".to_owned(), "ends:poison".to_owned()));
    (1..=3).for_each(|id| cluster.spawn(id));
    cluster.wait_ready().await;
    cluster.wait_version(Feature::SkipEntry.since().0).await;
    cluster.run(1, "CREATE TABLE t (a text)").await;
    let client = connect(cluster.node(2).postgres).await.expect("a connection");
    client.execute("INSERT INTO t VALUES ('poison')", &[]).await.expect_err("all die of it");
    // Whoever starts them again does so until they stay.
    let until = std::time::Instant::now() + 2 * PATIENCE;
    let mut standing = Vec::new();
    while standing.len() < 3 {
        assert!(std::time::Instant::now() < until, "only {standing:?} stay");
        standing.clear();
        for id in 1..=3 {
            if !cluster.is_running(id) {
                cluster.kill(id);
                cluster.spawn(id);
            } else if stuck(&cluster, id).await.is_ok() {
                standing.push(id);
            }
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    // Until the other group has its leader again, that is what is said first.
    eventually("it says why it waits", PATIENCE, async || {
        let told = crate::support::http::get(cluster.node(1).http, "/ready").await.map_err(|e| e.to_string())?;
        let told = format!("{told:?}");
        if told.contains("the process ended 3 times over it") { Ok(()) } else { Err(told) }
    })
    .await;
    skip(&cluster, &[1, 2, 3]).await;
    cluster.run(2, "INSERT INTO t VALUES ('good')").await;
    cluster.wait_ready().await;
    cluster.wait_converged().await;
    assert_eq!(cluster.value(3, "SELECT string_agg(a, ',') FROM t").await, "good");
}
