//! Reads are linearizable on every node.

use crate::support::cluster::Cluster;
use crate::support::in_time;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_row_written_on_one_node_is_read_at_once_on_another() {
    let cluster = Cluster::start(3).await;
    cluster.run(1, "CREATE TABLE t (id int PRIMARY KEY, v text NOT NULL)").await;
    let mut clients = Vec::new();
    for id in 1..=3 {
        clients.push(cluster.connect(id).await);
    }
    for i in 0..400i32 {
        let (writer, reader) = (&clients[i as usize % 3], &clients[(i as usize + 1 + i as usize / 3 % 2) % 3]);
        let v = format!("value {i}");
        in_time("insert", writer.execute("INSERT INTO t VALUES ($1, $2)", &[&i, &v])).await.expect("insert");
        let rows = in_time("select", reader.query("SELECT v FROM t WHERE id = $1", &[&i])).await.expect("select");
        assert_eq!(rows.len(), 1, "row {i} is not seen on the other node");
        assert_eq!(rows[0].get::<_, &str>(0), v);
    }
    cluster.wait_converged().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_table_made_on_one_node_is_usable_at_once_on_another() {
    let cluster = Cluster::start(3).await;
    let mut clients = Vec::new();
    for id in 1..=3 {
        clients.push(cluster.connect(id).await);
    }
    for i in 0..30usize {
        let (a, b, c) = (&clients[i % 3], &clients[(i + 1) % 3], &clients[(i + 2) % 3]);
        in_time("create", a.batch_execute(&format!("CREATE TABLE t{i} (a int)"))).await.expect("create");
        let n = in_time("insert", b.execute(&format!("INSERT INTO t{i} VALUES (1), (2)"), &[])).await;
        assert_eq!(n.expect("insert into the new table"), 2);
        in_time("alter", c.batch_execute(&format!("ALTER TABLE t{i} ADD COLUMN b text DEFAULT 'x'")))
            .await
            .expect("alter");
        let row = in_time("select", a.query_one(&format!("SELECT count(*), min(b) FROM t{i}"), &[])).await;
        let row = row.expect("select the new column");
        assert_eq!((row.get::<_, i64>(0), row.get::<_, &str>(1)), (2, "x"));
        if i % 3 == 2 {
            in_time("drop", b.batch_execute(&format!("DROP TABLE t{i}"))).await.expect("drop");
            let error =
                in_time("select", c.simple_query(&format!("SELECT * FROM t{i}"))).await.expect_err("it is gone");
            assert_eq!(error.code().map(|c| c.code()), Some("42P01"));
        }
    }
    cluster.wait_converged().await;
}

/// A client that moves from node to node never sees its counter go back.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_counter_never_runs_backwards_for_anybody() {
    let cluster = Cluster::start(3).await;
    cluster.run(1, "CREATE TABLE c (n bigint NOT NULL); INSERT INTO c VALUES (0)").await;
    let adders = (1..=3).map(|id| {
        let port = cluster.node(id).postgres;
        tokio::spawn(async move {
            let client = crate::support::cluster::connect(port).await.expect("connect");
            for _ in 0..100 {
                client.execute("UPDATE c SET n = n + 1", &[]).await.expect("update");
            }
        })
    });
    let adders: Vec<_> = adders.collect();
    let mut clients = Vec::new();
    for id in 1..=3 {
        clients.push(cluster.connect(id).await);
    }
    let mut last = 0;
    for i in 0.. {
        let row = in_time("read", clients[i % 3].query_one("SELECT n FROM c", &[])).await.expect("read");
        let n: i64 = row.get(0);
        assert!(n >= last, "read {n} on node-{} after {last} was read before", i % 3 + 1);
        last = n;
        if adders.iter().all(|a| a.is_finished()) {
            break;
        }
    }
    for adder in adders {
        adder.await.expect("an adder does not fail");
    }
    for id in 1..=3 {
        assert_eq!(cluster.value(id, "SELECT n FROM c").await, "300");
    }
}
