//! Networks that are cut: the majority goes on, the minority answers at its timeouts, nothing is done by halves, and
//! after the healing all are equal.

use crate::support::cluster::{Cluster, Options, explain, sqlstate};
use crate::support::load::{Load, assert_exactly_once, assert_no_errors};
use crate::support::{eventually, in_time};
use std::time::Duration;

async fn proxied() -> Cluster {
    Cluster::start_with(3, Options { proxied: true, ..Options::default() }).await
}

fn without(id: u64) -> Vec<u64> {
    (1..=3).filter(|other| *other != id).collect()
}

/// The leader is alone on its side, with clients of its own.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_leader_cut_off() {
    minority(true).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_follower_cut_off() {
    minority(false).await;
}

async fn minority(of_leader: bool) {
    let cluster = proxied().await;
    cluster.run(1, "CREATE TABLE many (round int NOT NULL, n int NOT NULL)").await;
    let lonely = if of_leader { cluster.leader("quorate").await } else { cluster.follower("quorate").await };
    let majority = without(lonely);
    let load = Load::start(&cluster, 4, &majority).await;
    load.progress(50).await;
    let client = cluster.connect(lonely).await;
    client.batch_execute("SET statement_timeout = '1s'").await.expect("set");
    cluster.switch().split(&[lonely], &majority);

    for round in 0..3 {
        let sql = format!("INSERT INTO many SELECT {round}, n FROM generate_series(1, 50) AS n");
        let error =
            in_time("a write on the minority's side", client.batch_execute(&sql)).await.expect_err("a minority");
        assert!(["57014", "57P03"].contains(&sqlstate(&error).as_str()), "{}", explain(&error));
        let read = in_time("a read on the minority's side", client.simple_query("SELECT count(*) FROM many")).await;
        let error = read.expect_err("a linearizable read in a minority");
        assert!(["57014", "57P03"].contains(&sqlstate(&error).as_str()), "{}", explain(&error));
    }
    load.progress(100).await;
    let new_leader = cluster.leader_among(&majority, "quorate").await;
    assert_ne!(new_leader, lonely);

    cluster.switch().heal();
    client.batch_execute("SET statement_timeout = '60s'").await.expect("set");
    in_time("a write after the healing", client.batch_execute("INSERT INTO many VALUES (99, 1)"))
        .await
        .unwrap_or_else(|e| panic!("after the healing: {}", explain(&e)));
    load.progress(50).await;
    let reports = load.finish().await;
    assert_no_errors(&reports);
    assert_exactly_once(&cluster, &reports).await;
    let halves = "SELECT count(*) FROM (SELECT round FROM many WHERE round < 99 GROUP BY round \
                  HAVING count(*) <> 50 OR count(DISTINCT n) <> 50) AS h";
    for id in 1..=3 {
        assert_eq!(cluster.value(id, halves).await, "0", "node-{id}: a statement is there by halves, or twice");
        assert_eq!(cluster.value(id, "SELECT count(*) FROM many WHERE round = 99").await, "1");
    }
}

/// A node of the minority may be read from with stale reads, if the client says so.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stale_reads_work_without_a_majority() {
    let cluster = proxied().await;
    cluster.run(1, "CREATE TABLE t (a int); INSERT INTO t VALUES (7)").await;
    cluster.wait_converged().await;
    let lonely = cluster.follower("quorate").await;
    let client = cluster.connect(lonely).await;
    client.batch_execute("SET quorate.read_consistency = 'stale'").await.expect("set");
    cluster.switch().split(&[lonely], &without(lonely));
    assert_eq!(crate::support::cluster::one_value(&client, "SELECT a FROM t").await, "7");
}

/// One direction at a time, in all pairs: whatever leader results, the clients of all nodes are served in the end.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_that_work_in_one_direction_only() {
    let cluster = proxied().await;
    let load = Load::start(&cluster, 6, &[1, 2, 3]).await;
    for (from, to) in [(1, 2), (2, 3), (3, 1), (2, 1), (3, 2), (1, 3)] {
        load.progress(30).await;
        cluster.switch().cut_one_way(from, to);
        // Long enough for an election to be needed, if this was the leader's way out.
        tokio::time::sleep(Duration::from_millis(1500)).await;
        cluster.switch().heal();
    }
    load.progress(60).await;
    let reports = load.finish().await;
    assert_no_errors(&reports);
    assert_exactly_once(&cluster, &reports).await;
}

/// All are cut from all, again and again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_network_that_flaps() {
    let cluster = proxied().await;
    let load = Load::start(&cluster, 6, &[1, 2, 3]).await;
    for pause in [50u64, 400, 100, 1200, 20, 700] {
        cluster.switch().split(&[1], &[2, 3]);
        cluster.switch().cut(2, 3);
        tokio::time::sleep(Duration::from_millis(pause)).await;
        cluster.switch().heal();
        load.progress(30).await;
    }
    let reports = load.finish().await;
    assert_no_errors(&reports);
    assert_exactly_once(&cluster, &reports).await;
}

/// A node that stays away comes back with what happened meanwhile.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_status_tells_of_a_node_that_is_away() {
    let cluster = proxied().await;
    let lonely = cluster.follower("quorate").await;
    let name = cluster.node(lonely).name.clone();
    cluster.switch().split(&[lonely], &without(lonely));
    let witness = without(lonely)[0];
    let state = async || {
        let status = cluster.status(witness).await?;
        let row = status.nodes.iter().find(|n| n.node == name).cloned();
        Ok::<_, String>(row.map_or_else(String::new, |n| n.state))
    };
    eventually("the node counts as down", crate::support::PATIENCE, async || match state().await?.as_str() {
        "down" => Ok(()),
        other => Err(other.to_owned()),
    })
    .await;
    eventually("the lonely node says that it is not ready", crate::support::PATIENCE, async || {
        match crate::support::http::get(cluster.node(lonely).http, "/ready").await? {
            (503, _) => Ok(()),
            (code, body) => Err(format!("{code} {body}")),
        }
    })
    .await;
    cluster.switch().heal();
    eventually("the node counts as up", crate::support::PATIENCE, async || match state().await?.as_str() {
        "up" => Ok(()),
        other => Err(other.to_owned()),
    })
    .await;
}
