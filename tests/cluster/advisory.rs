//! Advisory locks while leaders and their holders die: never two holders, nothing lost, numbers that only grow.

use crate::support::cluster::{Cluster, connect, sqlstate};
use crate::support::{PATIENCE, in_time};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio_postgres::{Client, Error};

/// Takes the lock, and adds one to a number by reading and writing it: two at once would lose one.
async fn round(client: &Client) -> Result<(), Error> {
    client.batch_execute("SELECT pg_advisory_lock(1)").await?;
    let row = client.query_one("SELECT quorate_advisory_fence(1), n FROM counter", &[]).await?;
    let (fence, n): (i64, i32) = (row.get(0), row.get(1));
    tokio::time::sleep(Duration::from_millis(2)).await;
    client.execute("INSERT INTO held (fence) VALUES ($1)", &[&fence]).await?;
    client.execute("UPDATE counter SET n = $1", &[&(n + 1)]).await?;
    client.query_one("SELECT pg_advisory_unlock(1)", &[]).await.map(drop)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mutex_through_the_deaths_of_leaders() {
    let mut cluster = Cluster::start(3).await;
    let tables = "CREATE TABLE counter (n int); INSERT INTO counter VALUES (0); \
                  CREATE TABLE held (id serial PRIMARY KEY, fence bigint)";
    cluster.run(1, tables).await;
    let ports: Vec<u16> = (1..=3).map(|id| cluster.node(id).postgres).collect();
    let (stop, done) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let clients: Vec<_> = (0..6)
        .map(|number: usize| {
            let (stop, done, ports) = (stop.clone(), done.clone(), ports.clone());
            tokio::spawn(async move {
                let (mut open, mut unsure, mut at) = (None::<Client>, 0, number);
                while !stop.load(Ordering::SeqCst) {
                    let Some(client) = open.take_if(|client| !client.is_closed()) else {
                        open = connect(ports[at % 3]).await.ok();
                        at += 1;
                        if open.is_none() {
                            tokio::time::sleep(Duration::from_millis(10)).await;
                        }
                        continue;
                    };
                    match in_time("a round", round(&client)).await {
                        Ok(()) => drop(done.fetch_add(1, Ordering::SeqCst)),
                        // Its node is gone: it may have added its one.
                        Err(error) if error.code().is_none() || sqlstate(&error) == "57P01" => {
                            unsure += 1;
                            continue;
                        }
                        Err(error) => panic!("{error:?}"),
                    }
                    open = Some(client);
                }
                unsure
            })
        })
        .collect();
    let progress = async |rounds: usize| {
        let (goal, until) = (done.load(Ordering::SeqCst) + rounds, Instant::now() + PATIENCE);
        while done.load(Ordering::SeqCst) < goal {
            assert!(Instant::now() < until, "nothing goes on");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    for _ in 0..4 {
        progress(15).await;
        let leader = cluster.leader("quorate").await;
        cluster.kill(leader);
        progress(15).await;
        cluster.restart(leader).await;
    }
    stop.store(true, Ordering::SeqCst);
    let mut unsure = 0;
    for client in clients {
        unsure += in_time("a client", client).await.expect("no panic");
    }
    let done = done.load(Ordering::SeqCst);
    let counted: usize = cluster.value(1, "SELECT n::text FROM counter").await.parse().expect("a number");
    assert!((done..=done + unsure).contains(&counted), "{done} rounds, {unsure} unsure, but {counted}");
    let disorder = "SELECT count(*)::text FROM held a JOIN held b ON b.id > a.id AND b.fence <= a.fence";
    assert_eq!(cluster.value(2, disorder).await, "0", "numbers of grants grow");
    assert_eq!(cluster.value(3, "SELECT count(*)::text FROM pg_locks WHERE locktype = 'advisory'").await, "0");
    println!("{done} rounds, {unsure} unsure, counted {counted}");
    cluster.wait_converged().await;
}

/// A lock outlives its leader, and its queue does: who came first is served first. The locks of a dead node's sessions go to
/// others at once, those of living ones stay.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn queues_outlive_leaders_and_locks_do_not_outlive_their_nodes() {
    let mut cluster = Cluster::start(3).await;
    let leader = cluster.leader("quorate").await;
    let others: Vec<u64> = (1..=3).filter(|id| *id != leader).collect();
    let holder = cluster.connect(others[0]).await;
    holder.batch_execute("SELECT pg_advisory_lock(5), pg_advisory_lock(6)").await.expect("a free lock");
    let mut waiting = Vec::new();
    for (node, name) in [(others[1], "first"), (others[0], "second")] {
        let client = cluster.connect(node).await;
        waiting.push(tokio::spawn(async move {
            client.batch_execute("SELECT pg_advisory_lock(5)").await.expect(name);
            client
        }));
        let awaited =
            format!("SELECT count(*)::text FROM pg_locks WHERE locktype = 'advisory' AND NOT granted /* {name} */");
        let (before, until) = (if name == "first" { "1" } else { "2" }, Instant::now() + PATIENCE);
        while cluster.value(others[0], &awaited).await != before {
            assert!(Instant::now() < until, "{name} does not wait");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
    let [first, second] = <[_; 2]>::try_from(waiting).expect("two of them");
    cluster.kill(leader);
    // The new leader knows both.
    let taken = in_time("a try", holder.query_one("SELECT pg_try_advisory_lock(5)", &[])).await.expect("its own");
    assert!(taken.get::<_, bool>(0));
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(!first.is_finished() && !second.is_finished());
    holder.batch_execute("SELECT pg_advisory_unlock(5), pg_advisory_unlock(5)").await.expect("unlock");
    let first = in_time("the first", first).await.expect("no panic");
    assert!(!second.is_finished(), "it came second");
    cluster.restart(leader).await;
    // The node of the first dies.
    drop(first);
    let second = in_time("the second", second).await.expect("no panic");
    let kept =
        "SELECT string_agg(objid::text, ' ' ORDER BY objid) FROM pg_locks WHERE locktype = 'advisory' AND granted";
    assert_eq!(cluster.value(others[1], kept).await, "5 6");
    let third = cluster.connect(others[1]).await;
    let killed = Instant::now();
    let third =
        tokio::spawn(async move { third.batch_execute("SELECT pg_advisory_lock(6), pg_advisory_lock(5)").await });
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(!third.is_finished());
    cluster.kill(others[0]);
    in_time("the locks of a dead node", third).await.expect("no panic").expect("locks");
    println!("free after {:?}", killed.elapsed());
    assert!(second.is_closed() || second.batch_execute("SELECT 1").await.is_err());
}

/// A node that is cut off: its session's locks go to others when its lease is over, the session is ended when the node is
/// back, and nothing that it wrote meanwhile takes effect.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_paused_holder_is_lost_and_its_writes_are_refused() {
    let mut cluster = Cluster::start(3).await;
    cluster.run(1, "CREATE TABLE t (v text)").await;
    let leader = cluster.leader("quorate").await;
    let others: Vec<u64> = (1..=3).filter(|id| *id != leader).collect();
    let holder = cluster.connect(others[0]).await;
    holder.batch_execute("SELECT pg_advisory_lock(7); INSERT INTO t VALUES ('holder')").await.expect("a free lock");
    cluster.pause(others[0]);
    let late = tokio::spawn(async move { holder.batch_execute("INSERT INTO t VALUES ('late')").await });
    let next = cluster.connect(others[1]).await;
    in_time("the lock", next.batch_execute("SELECT pg_advisory_lock(7)")).await.expect("the lock");
    next.batch_execute("INSERT INTO t VALUES ('next')").await.expect("insert");
    cluster.resume(others[0]);
    let refused = in_time("the late write", late).await.expect("no panic").expect_err("it is not the holder");
    assert!(refused.code().is_none() || sqlstate(&refused) == "57P01", "{refused:?}");
    assert_eq!(cluster.value(leader, "SELECT string_agg(v, ' ' ORDER BY v) FROM t").await, "holder next");
}
