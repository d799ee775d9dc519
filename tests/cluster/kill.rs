//! SIGKILL, SIGSTOP and SIGTERM under load: clients of living nodes are told of no error, what was acknowledged is
//! there exactly once, and the replicas are equal.

use crate::support::cluster::{Cluster, Options};
use crate::support::load::{Load, assert_exactly_once, assert_no_errors};
use crate::support::raw::{self, Raw};
use crate::support::{PATIENCE, eventually, in_time};
use std::time::Duration;

const WRITERS: i32 = 8;

async fn others(cluster: &Cluster, victim: u64) -> Vec<u64> {
    cluster.living().into_iter().filter(|id| *id != victim).collect()
}

/// A load on the nodes that stay alive, while `harm` is done to the victim and healed again.
async fn survives(mut cluster: Cluster, victim: u64, harm: impl AsyncFnOnce(&mut Cluster, &Load)) {
    let safe = others(&cluster, victim).await;
    let load = Load::start(&cluster, WRITERS, &safe).await;
    load.progress(200).await;
    harm(&mut cluster, &load).await;
    let reports = load.finish().await;
    assert_no_errors(&reports);
    assert_exactly_once(&cluster, &reports).await;
    assert_eq!(cluster.living().len(), 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_leader_killed_under_load() {
    let cluster = Cluster::start(3).await;
    let victim = cluster.leader("quorate").await;
    survives(cluster, victim, async |cluster, load| {
        cluster.kill(victim);
        load.progress(400).await;
        cluster.restart(victim).await;
        load.progress(200).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_follower_killed_under_load() {
    let cluster = Cluster::start(3).await;
    let victim = cluster.follower("quorate").await;
    survives(cluster, victim, async |cluster, load| {
        cluster.kill(victim);
        load.progress(400).await;
        cluster.restart(victim).await;
        load.progress(200).await;
    })
    .await;
}

#[tokio::test]
async fn who_is_told_to_stop_while_it_starts_stops() {
    let mut cluster = Cluster::start(1).await;
    for delay in [0, 3, 10, 30, 100, 300] {
        assert!(cluster.stop(1).await.success());
        cluster.spawn(1);
        let (pid, note) = (cluster.node(1).pid().unwrap().to_string(), cluster.node(1).home.join("pid"));
        eventually("the node begins", PATIENCE, async || {
            let noted = std::fs::read_to_string(&note).map_err(|e| e.to_string())?;
            if noted.trim() == pid { Ok(()) } else { Err(noted) }
        })
        .await;
        tokio::time::sleep(Duration::from_millis(delay)).await;
        let status = cluster.stop(1).await;
        assert!(status.success(), "SIGTERM {delay} ms after the beginning ends with {status}");
        cluster.restart(1).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_leader_stopped_in_order_under_load() {
    let cluster = Cluster::start(3).await;
    let victim = cluster.leader("quorate").await;
    survives(cluster, victim, async |cluster, load| {
        let status = cluster.stop(victim).await;
        assert!(status.success(), "SIGTERM ends with {status}");
        assert!(!cluster.node(victim).home.join("pid").exists(), "the pid file is removed");
        load.progress(400).await;
        cluster.restart(victim).await;
        load.progress(200).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_leader_that_hangs_under_load() {
    let cluster = Cluster::start(3).await;
    let victim = cluster.leader("quorate").await;
    survives(cluster, victim, async |cluster, load| {
        cluster.pause(victim);
        load.progress(200).await;
        cluster.resume(victim);
        load.progress(200).await;
    })
    .await;
}

/// Every node in turn, several times; the writers are on node 1, which is killed last and by itself.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_killed_one_after_another() {
    let mut cluster = Cluster::start(3).await;
    let load = Load::start(&cluster, WRITERS, &[1]).await;
    for round in 0..4u64 {
        let victim = 2 + round % 2;
        load.progress(60).await;
        cluster.kill(victim);
        load.progress(60).await;
        cluster.restart(victim).await;
    }
    load.progress(60).await;
    let reports = load.finish().await;
    assert_no_errors(&reports);
    assert_exactly_once(&cluster, &reports).await;
}

/// Power is cut: no process gets a chance to say or write anything. The clients lose their connections; what they had
/// been told stays true.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_nodes_killed_under_load() {
    let mut cluster = Cluster::start(3).await;
    let load = Load::start(&cluster, WRITERS, &[1, 2, 3]).await;
    load.progress(300).await;
    for id in 1..=3 {
        cluster.kill(id);
    }
    let reports = load.finish().await;
    assert!(reports.iter().all(|r| r.errors.len() <= 1));
    for id in 1..=3 {
        cluster.spawn(id);
    }
    cluster.wait_ready().await;
    assert_exactly_once(&cluster, &reports).await;
    cluster.run(2, "INSERT INTO ledger VALUES (-1, 1, 'after the restart')").await;
    assert_eq!(cluster.value(3, "SELECT count(*) FROM ledger WHERE writer = -1").await, "1");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_stopped_in_order_and_started_again() {
    let mut cluster = Cluster::start(3).await;
    cluster
        .run(
            1,
            "CREATE TABLE t (id serial PRIMARY KEY, v text); INSERT INTO t (v) SELECT 'x' FROM generate_series(1, 500)",
        )
        .await;
    for _ in 0..2 {
        for id in 1..=3 {
            assert!(cluster.stop(id).await.success());
        }
        for id in 1..=3 {
            cluster.spawn(id);
        }
        cluster.wait_ready().await;
        cluster.run(2, "INSERT INTO t (v) VALUES ('y')").await;
    }
    for id in 1..=3 {
        assert_eq!(cluster.value(id, "SELECT count(*) || ' ' || max(id) FROM t").await, "502 502");
    }
    cluster.wait_converged().await;
}

/// SIGTERM: what runs ends as it should, who is idle is told, who comes is refused.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_drains_before_it_stops() {
    let mut cluster = Cluster::start(3).await;
    let (leader, rows) = (cluster.leader("quorate").await, 300_000);
    let port = cluster.node(leader).postgres;
    let mut busy = Raw::connect(port).await.expect("connect");
    let mut idle = Raw::connect(port).await.expect("connect");
    busy.send(&raw::query(&format!("SELECT n FROM generate_series(1, {rows}) AS n"))).await.expect("send");
    while busy.receive().await.expect("the first row").tag != b'D' {}
    let reading = tokio::spawn(async move { (1 + busy.until_ready().await.expect("the rest").len(), busy) });
    let told = tokio::spawn(async move { idle.receive().await });
    assert!(cluster.stop(leader).await.success());
    // All rows, a tag, and ReadyForQuery.
    let (messages, _) = in_time("the running statement", reading).await.expect("no panic");
    assert_eq!(messages, rows + 2);
    let message = in_time("the idle client", told).await.expect("no panic").expect("a last message");
    assert_eq!(message.error().code(), "57P01");
    assert!(Raw::connect(port).await.is_err(), "nobody listens any more");
    cluster.run(cluster.living()[0], "CREATE TABLE t (a int)").await;
}

/// Without a majority a statement ends with an error at its timeout, and not before; with the majority back, it goes on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lonely_node_answers_at_the_timeout_and_recovers() {
    let mut cluster = Cluster::start_with(3, Options::default()).await;
    cluster.run(1, "CREATE TABLE t (a int)").await;
    let client = cluster.connect(1).await;
    client.batch_execute("SET statement_timeout = '1500ms'").await.expect("set");
    cluster.kill(2);
    cluster.kill(3);
    for sql in ["INSERT INTO t VALUES (1)", "SELECT * FROM t"] {
        let error = crate::support::in_time(sql, client.batch_execute(sql)).await.expect_err("there is no majority");
        let code = crate::support::cluster::sqlstate(&error);
        assert!(["57014", "57P03"].contains(&code.as_str()), "{sql}: {}", crate::support::cluster::explain(&error));
    }
    client.batch_execute("SET statement_timeout = '60s'").await.expect("set");
    let waiting = tokio::spawn(async move { client.execute("INSERT INTO t VALUES (2)", &[]).await });
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(!waiting.is_finished(), "it waits for the others");
    cluster.spawn(2);
    let waited = crate::support::in_time("the insert that waits", waiting).await.expect("no panic");
    assert_eq!(waited.expect("it succeeds when node-2 is back"), 1);
    cluster.spawn(3);
    cluster.wait_ready().await;
    cluster.wait_converged().await;
    assert_eq!(cluster.value(3, "SELECT count(*) FROM t WHERE a = 2").await, "1");
}
