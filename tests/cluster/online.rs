//! CREATE INDEX CONCURRENTLY on real processes: others write, leaders go.

use crate::support::cluster::{Cluster, connect, one_value, sqlstate};
use crate::support::load::{Load, assert_exactly_once, assert_no_errors};
use crate::support::{PATIENCE, eventually, in_time};
use quorate::version::Feature;

const ROWS: i64 = 30_000;

/// A cluster whose version allows it, with a table of many rows.
async fn prepared() -> Cluster {
    let cluster = Cluster::start(3).await;
    cluster.wait_version(Feature::OnlineIndex.since().0).await;
    cluster.run(1, "CREATE TABLE big (id bigint PRIMARY KEY, a text, n int)").await;
    let fill = format!("INSERT INTO big SELECT g, 'value ' || g % 1000, g FROM generate_series(1, {ROWS}) g");
    cluster.run(1, &fill).await;
    cluster
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_index_is_built_while_others_write_and_a_leader_dies() {
    let mut cluster = prepared().await;
    let follower = cluster.follower("quorate").await;
    let builder = connect(cluster.node(follower).postgres).await.expect("a connection");
    let leader = cluster.leader("quorate").await;
    let others: Vec<u64> = cluster.living().into_iter().filter(|id| *id != leader).collect();
    let load = Load::start(&cluster, 2, &others).await;
    let writer = connect(cluster.node(follower).postgres).await.expect("a connection");
    let building = tokio::spawn(async move {
        builder.batch_execute("CREATE INDEX CONCURRENTLY big_a ON big (a, n DESC) WHERE n <> 77").await
    });
    let watcher = cluster.connect(follower).await;
    let valid = "SELECT coalesce((SELECT indisvalid::text FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid \
                 WHERE c.relname = 'big_a'), 'none')";
    eventually("it is begun", PATIENCE, async || match &*one_value(&watcher, valid).await {
        "none" => Err("not there".to_owned()),
        _ => Ok(()),
    })
    .await;
    // To rows that are in it, that are not yet, and that come.
    let writing = tokio::spawn(async move {
        for k in 1..=100_i64 {
            let (low, high) = (k * 7, ROWS - k * 11);
            writer.execute("UPDATE big SET a = 'other ' || id, n = n + 1 WHERE id IN ($1, $2)", &[&low, &high]).await?;
            writer.execute("DELETE FROM big WHERE id = $1", &[&(k * 13)]).await?;
            writer.execute("INSERT INTO big VALUES ($1, 'new', 77 + ($1 % 2)::int)", &[&(ROWS + k)]).await?;
        }
        Ok::<(), tokio_postgres::Error>(())
    });
    cluster.kill(leader);
    in_time("the index is built", building).await.expect("no panic").expect("it is built");
    in_time("the writer ends", writing).await.expect("no panic").expect("its writes are done");
    load.progress(20).await;
    let reports = load.finish().await;
    cluster.spawn(leader);
    cluster.wait_ready().await;
    assert_no_errors(&reports);
    assert_exactly_once(&cluster, &reports).await;
    for id in cluster.living() {
        let client = cluster.connect(id).await;
        assert_eq!(one_value(&client, valid).await, "true");
        let plan = "EXPLAIN SELECT count(*) FROM big WHERE a = 'new' AND n <> 77";
        let rows = client.query(plan, &[]).await.expect("a plan");
        let plan: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
        assert!(plan.join("\n").contains("big_a"), "{plan:?}");
        assert_eq!(one_value(&client, "SELECT count(*) FROM big WHERE a = 'new' AND n <> 77").await, "50");
        let by_index = "SELECT count(*) FROM big WHERE a >= '' AND n <> 77";
        let by_table = "SELECT count(*) FROM big WHERE a || '' >= '' AND n <> 77";
        assert_eq!(one_value(&client, by_index).await, one_value(&client, by_table).await);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_index_that_is_not_built_to_its_end_is_there_and_nothing_relies_on_it() {
    let cluster = prepared().await;
    let client = cluster.connect(2).await;
    cluster.run(1, "UPDATE big SET a = 'twice' WHERE id IN (5, 29000)").await;
    let unique = "CREATE UNIQUE INDEX CONCURRENTLY big_twice ON big (a) WHERE a LIKE 'twice'";
    let error = client.batch_execute(unique).await.expect_err("the key is there twice");
    assert_eq!(sqlstate(&error), "23505");
    client.batch_execute("SET statement_timeout = '30ms'").await.expect("set");
    let error =
        client.batch_execute("CREATE INDEX CONCURRENTLY big_late ON big (n)").await.expect_err("it takes longer");
    assert_eq!(sqlstate(&error), "57014");
    client.batch_execute("RESET statement_timeout").await.expect("reset");
    let invalid = "SELECT string_agg(c.relname, ' ' ORDER BY c.relname) FROM pg_index i \
                   JOIN pg_class c ON c.oid = i.indexrelid WHERE NOT i.indisvalid";
    assert_eq!(one_value(&client, invalid).await, "big_late big_twice");
    assert_eq!(one_value(&client, "SELECT count(*) FROM big WHERE n > 0").await, ROWS.to_string());
    // A definition that copies the table has whole indexes over the copy.
    client.batch_execute("UPDATE big SET a = 'once' WHERE id = 5").await.expect("one goes");
    client.batch_execute("ALTER TABLE big ALTER COLUMN n TYPE numeric").await.expect("it is altered");
    let two = client.batch_execute("INSERT INTO big VALUES (0, 'twice', 0)").await;
    assert_eq!(sqlstate(&two.expect_err("the index keeps what it has")), "23505");
    client.batch_execute("DROP INDEX CONCURRENTLY big_twice").await.expect("it goes");
    client.batch_execute("DROP INDEX big_late").await.expect("it goes");
    client.batch_execute("CREATE INDEX CONCURRENTLY big_late ON big (n)").await.expect("it is built");
    cluster.wait_converged().await;
}
