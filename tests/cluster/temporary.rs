//! Temporary tables among several sessions, and what becomes of them when leaders and their nodes die.

use crate::support::PATIENCE;
use crate::support::cluster::{Cluster, sqlstate};
use std::time::{Duration, Instant};

const SCHEMAS: &str = "SELECT count(*)::text FROM pg_namespace WHERE nspname LIKE 'pg_temp_%'";

async fn await_schemas(cluster: &Cluster, node: u64, wanted: &str) {
    let until = Instant::now() + PATIENCE;
    while cluster.value(node, SCHEMAS).await != wanted {
        assert!(Instant::now() < until, "not {wanted} schemas of temporary objects");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Sessions do not see each other's, define them at the same time in open blocks, and lose nothing with a leader; what is
/// left of a session that is over goes, also when its node does.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn they_live_as_long_as_their_sessions() {
    let mut cluster = Cluster::start(3).await;
    let leader = cluster.leader("quorate").await;
    let others: Vec<u64> = (1..=3).filter(|id| *id != leader).collect();
    cluster
        .run(1, "CREATE TABLE shared (id int PRIMARY KEY, v text); INSERT INTO shared VALUES (1, 'a'), (2, 'b')")
        .await;
    let (ann, bob) = (cluster.connect(others[0]).await, cluster.connect(others[1]).await);
    let statement = bob.prepare("SELECT v FROM shared WHERE id = $1").await.expect("a statement");

    ann.batch_execute("BEGIN; CREATE TEMP TABLE work (id int PRIMARY KEY); INSERT INTO work VALUES (1)")
        .await
        .expect("ann");
    bob.batch_execute("BEGIN; CREATE TEMP TABLE work (name text); INSERT INTO work VALUES ('bob')").await.expect("bob");
    bob.batch_execute("UPDATE shared SET v = 'bob' WHERE id = 2; COMMIT").await.expect("bob's COMMIT");
    ann.batch_execute("UPDATE shared SET v = 'ann' FROM work WHERE work.id = shared.id; COMMIT").await.expect("ann's");
    assert_eq!(bob.query_one("SELECT name FROM work", &[]).await.expect("his own").get::<_, &str>(0), "bob");
    assert_eq!(bob.query_one(&statement, &[&1]).await.expect("still good").get::<_, &str>(0), "ann");
    let third = cluster.connect(others[0]).await;
    assert_eq!(sqlstate(&third.batch_execute("SELECT * FROM work").await.expect_err("not hers")), "42P01");
    assert_eq!(cluster.value(leader, SCHEMAS).await, "2");

    cluster.kill(leader);
    ann.batch_execute("INSERT INTO work SELECT id + 10 FROM work").await.expect("another leader");
    assert_eq!(ann.query_one("SELECT count(*) FROM work", &[]).await.expect("rows").get::<_, i64>(0), 2);
    cluster.restart(leader).await;
    drop(bob);
    await_schemas(&cluster, leader, "1").await;
    assert_eq!(ann.query_one("SELECT count(*) FROM work", &[]).await.expect("rows").get::<_, i64>(0), 2);
    cluster.kill(others[0]);
    await_schemas(&cluster, leader, "0").await;
    cluster.restart(others[0]).await;
    cluster.wait_converged().await;
}
