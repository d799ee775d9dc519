//! A follower that was away for longer than the log remembers is brought up by a snapshot, whatever happens meanwhile.

use crate::support::cluster::Cluster;
use crate::support::in_time;
use std::path::Path;
use std::time::Duration;

/// More than the log keeps (32 MiB), in rows of this many bytes.
const ROW: usize = 500_000;
const ROWS: i32 = 110;

/// Writes what the log cannot keep for those who are away.
async fn outgrow_the_log(cluster: &Cluster, through: u64) {
    let client = cluster.connect(through).await;
    for _ in 0..30 {
        let small = "INSERT INTO small SELECT n FROM generate_series(1, 10) AS n";
        in_time("small rows", client.batch_execute(small)).await.expect("small rows");
    }
    let insert = in_time("prepare", client.prepare("INSERT INTO big VALUES ($1, $2)")).await.expect("prepare");
    for i in 0..ROWS {
        let body: Vec<u8> = (0..ROW).map(|n| (n as i32 ^ i) as u8).collect();
        in_time("a large row", client.execute(&insert, &[&i, &body])).await.expect("a large row");
    }
}

fn files_below(dir: &Path) -> usize {
    std::fs::read_dir(dir).map_or(0, |entries| entries.count())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_follower_that_was_away_too_long_gets_a_snapshot_even_if_killed_meanwhile() {
    let mut cluster = Cluster::start(3).await;
    cluster.run(1, "CREATE TABLE big (id int PRIMARY KEY, body bytea NOT NULL); CREATE TABLE small (n int)").await;
    let away = cluster.follower("quorate").await;
    let here = cluster.leader("quorate").await;
    cluster.wait_converged().await;
    cluster.kill(away);
    outgrow_the_log(&cluster, here).await;

    // Killed as soon as the snapshot begins to arrive.
    let incoming = cluster.node(away).home.join("incoming");
    let mut interrupted = false;
    for _ in 0..3 {
        cluster.spawn(away);
        for _ in 0..5000 {
            tokio::time::sleep(Duration::from_millis(1)).await;
            if files_below(&incoming) > 0 {
                interrupted = true;
                break;
            }
            if applied(&cluster, away).await == applied(&cluster, here).await {
                break;
            }
        }
        cluster.kill(away);
        if interrupted {
            break;
        }
    }
    println!("the snapshot was {}interrupted", if interrupted { "" } else { "not " });

    cluster.restart(away).await;
    cluster.wait_converged().await;
    let sent = cluster.nodes.values().any(|n| n.log_text().contains("sending a snapshot"));
    assert!(sent, "the follower caught up without a snapshot: the log was not compacted");
    let sum = "SELECT count(*) || ' ' || sum(length(body)) || ' ' || min(id) || ' ' || max(id) FROM big";
    let expected = format!("{ROWS} {} 0 {}", ROWS as usize * ROW, ROWS - 1);
    for id in 1..=3 {
        assert_eq!(cluster.value(id, sum).await, expected, "node-{id}");
        assert_eq!(cluster.value(id, "SELECT count(*) FROM small").await, "300", "node-{id}");
    }

    // What was installed is durable and complete enough to go on from, and to lead.
    cluster.kill(away);
    cluster.restart(away).await;
    let other = cluster.living().into_iter().find(|id| *id != away && *id != here).expect("a third");
    cluster.kill(other);
    cluster.run(away, "INSERT INTO small VALUES (-1)").await;
    cluster.restart(other).await;
    cluster.wait_converged().await;
}

async fn applied(cluster: &Cluster, id: u64) -> Option<u64> {
    let status = cluster.status(id).await.ok()?;
    let rows = crate::support::cluster::own_rows(&status);
    rows.iter().find(|r| r.database == "quorate").map(|r| r.applied_index)
}
