//! Locks of statements outside of blocks, and queues of jobs, through every node.

use crate::support::cluster::{Cluster, sqlstate};
use crate::support::in_time;
use std::sync::Arc;
use std::time::Duration;

const JOBS: usize = 60;

/// Workers on all nodes take jobs with single statements; each job is handed out once, and none is left.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_queue_of_jobs_without_blocks() {
    let cluster = Arc::new(Cluster::start(3).await);
    cluster.run(1, "CREATE TABLE job (id int PRIMARY KEY, done bool); CREATE TABLE log (job int, worker int)").await;
    for take in [
        "UPDATE job SET done = true WHERE id = (SELECT id FROM job WHERE NOT done ORDER BY id LIMIT 1 \
         FOR UPDATE SKIP LOCKED) RETURNING id",
        "DELETE FROM job WHERE id IN (SELECT id FROM job ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED) RETURNING id",
        "WITH j AS (SELECT id FROM job WHERE NOT done ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED) \
         UPDATE job SET done = true FROM j WHERE job.id = j.id RETURNING job.id",
    ] {
        let fill = format!("INSERT INTO job SELECT s, false FROM generate_series(1, {JOBS}) AS s");
        cluster.run(2, &format!("TRUNCATE log; TRUNCATE job; {fill}")).await;
        let workers: Vec<_> = (0..12)
            .map(|worker: i32| {
                let cluster = cluster.clone();
                tokio::spawn(async move {
                    let client = cluster.connect(worker as u64 % 3 + 1).await;
                    let prepared = client.prepare(take).await.expect("prepare");
                    loop {
                        let rows = client.query(&prepared, &[]).await.expect("a job, or none");
                        let Some(row) = rows.first() else { return };
                        let id: i32 = row.get(0);
                        let log = client.execute("INSERT INTO log VALUES ($1, $2)", &[&id, &worker]).await;
                        assert_eq!(log.expect("log"), 1);
                    }
                })
            })
            .collect();
        for worker in workers {
            in_time("a worker", worker).await.expect("no panic");
        }
        let counted = cluster.value(3, "SELECT count(*) || ' ' || count(DISTINCT job) FROM log").await;
        assert_eq!(counted, format!("{JOBS} {JOBS}"), "{take}");
    }
}

/// What waits for a lock keeps its place in the queue, on whatever node it came in, and as long as it is wanted.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn forwarded_writes_wait_in_the_order_of_their_arrival() {
    let cluster = Cluster::start(3).await;
    cluster.run(1, "CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t VALUES (1, '')").await;
    let leader = cluster.leader("quorate").await;
    let followers: Vec<u64> = (1..=3).filter(|id| *id != leader).collect();
    let holder = cluster.connect(followers[0]).await;
    holder.batch_execute("BEGIN; UPDATE t SET v = v || 'a' WHERE id = 1").await.expect("the first lock");

    // Limits hold outside of blocks, and on other nodes than the leader.
    let client = cluster.connect(followers[1]).await;
    client.batch_execute("SET lock_timeout = 200").await.expect("set");
    for statement in [
        "UPDATE t SET v = 'x' WHERE id = 1",
        "SELECT * FROM t WHERE id = 1 FOR UPDATE",
        "SELECT * FROM t WHERE id = 1 FOR UPDATE NOWAIT",
        "UPDATE t SET v = 'x' WHERE id = (SELECT id FROM t WHERE id = 1 FOR UPDATE)",
    ] {
        let error = in_time("a wait with a limit", client.batch_execute(statement)).await.expect_err("locked");
        assert_eq!(sqlstate(&error), "55P03", "{statement}");
    }
    let rows = client.query("SELECT * FROM t FOR UPDATE SKIP LOCKED", &[]).await.expect("nothing free");
    assert!(rows.is_empty());

    let mut waiting = Vec::new();
    for (node, letter) in [(followers[1], 'b'), (leader, 'c'), (followers[0], 'd')] {
        let client = cluster.connect(node).await;
        let update = format!("UPDATE t SET v = v || '{letter}' WHERE id = 1");
        waiting.push(tokio::spawn(async move { client.batch_execute(&update).await }));
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    // Longer than any request between nodes used to be left waiting.
    tokio::time::sleep(Duration::from_secs(6)).await;
    assert!(waiting.iter().all(|task| !task.is_finished()));
    holder.batch_execute("COMMIT").await.expect("commit");
    for task in waiting {
        in_time("a write in the queue", task).await.expect("no panic").expect("its turn");
    }
    assert_eq!(cluster.value(leader, "SELECT v FROM t").await, "abcd");
}
