//! A disk that gives back something else than was written: it is noticed, it is not served, and it mends itself.

use crate::support::cluster::{Cluster, connect, sqlstate};
use crate::support::{PATIENCE, eventually};
use std::os::unix::fs::FileExt;
use std::path::PathBuf;

const SUM: &str = "SELECT count(*) || ' ' || count(DISTINCT left(body, 6)) FROM t";

fn database(cluster: &Cluster, id: u64) -> PathBuf {
    let groups = cluster.node(id).home.join("groups/2");
    let number = std::fs::read_to_string(groups.join("current")).expect("the pointer");
    groups.join(format!("db-{}.sqlite", number.trim()))
}

/// Turns a bit over in each place of the database file where the text stands; returns how many.
fn turn_over(cluster: &Cluster, id: u64, text: &[u8]) -> usize {
    let path = database(cluster, id);
    let bytes = std::fs::read(&path).expect("the database file");
    let places = bytes.windows(text.len()).enumerate().filter(|(_, found)| *found == text).map(|(at, _)| at);
    let file = std::fs::File::options().write(true).open(&path).expect("the database file");
    places.inspect(|at| file.write_all_at(&[bytes[*at] ^ 1], *at as u64).expect("written")).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bit_that_turns_over_is_noticed_and_mended_and_does_not_spread() {
    let mut cluster = Cluster::start(3).await;
    let fill = "INSERT INTO t SELECT g, 'MARKER-' || g || '-' || repeat('x', 400) FROM generate_series(1, 2000) g";
    cluster.run(1, "CREATE TABLE t (id int PRIMARY KEY, body text)").await;
    cluster.run(1, fill).await;
    cluster.wait_converged().await;
    let victim = cluster.follower("quorate").await;
    // What the WAL still has would be read from there.
    eventually("the rows are in the database file, and the WAL begins anew", PATIENCE, async || {
        cluster.run(1, "UPDATE t SET id = id WHERE id = 1").await;
        tokio::time::sleep(std::time::Duration::from_millis(1500)).await;
        let wal = PathBuf::from(format!("{}-wal", database(&cluster, victim).display()));
        let short = std::fs::read(&wal).is_ok_and(|wal| !wal.windows(12).any(|found| found == b"MARKER-1500-"));
        let file = std::fs::read(database(&cluster, victim)).map_err(|e| e.to_string())?;
        match short || file.windows(12).any(|found| found == b"MARKER-1500-") {
            true => Ok(()),
            false => Err("not yet".to_owned()),
        }
    })
    .await;
    assert!(turn_over(&cluster, victim, b"MARKER-1500-") > 0);
    // Every answer is right, or an error that says why there is none; in the end it is right, and the file another one.
    let before = database(&cluster, victim);
    eventually("the replica is rebuilt", PATIENCE, async || {
        let client = connect(cluster.node(victim).postgres).await.map_err(|e| e.to_string())?;
        match client.query_one(SUM, &[]).await {
            Ok(row) => assert_eq!(row.get::<_, String>(0), "2000 1", "a damaged row was served"),
            Err(error) => assert!(["XX001", "57P03", "40001"].contains(&sqlstate(&error).as_str()), "{error:?}"),
        }
        if database(&cluster, victim) == before { Err("still the old file".to_owned()) } else { Ok(()) }
    })
    .await;
    assert!(cluster.node(victim).log_text().contains("its checksum is wrong"));
    cluster.wait_ready().await;
    cluster.wait_converged().await;
    assert_eq!(cluster.value(victim, SUM).await, "2000 1");
    let joined = cluster.join(victim);
    cluster.wait_node_ready(joined).await;
    assert_eq!(cluster.value(joined, SUM).await, "2000 1");
}

/// The first page is what is read first: the node cannot even open its database.
fn spoil_first_page(cluster: &Cluster, id: u64) {
    let path = database(cluster, id);
    let file = std::fs::File::options().write(true).open(&path).expect("the database file");
    file.write_all_at(&[0xa5; 64], 200).expect("written");
    // Or the page would be read from there.
    std::fs::write(format!("{}-wal", path.display()), b"").expect("written");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_cannot_be_opened_is_kept_aside_and_rebuilt_under_the_old_id() {
    let mut cluster = Cluster::start(3).await;
    cluster.run(1, "CREATE TABLE t (id int PRIMARY KEY)").await;
    cluster.run(1, "INSERT INTO t SELECT g FROM generate_series(1, 500) g").await;
    cluster.wait_converged().await;
    let victim = cluster.follower("quorate").await;
    let identity = |cluster: &Cluster| std::fs::read_to_string(cluster.node(victim).home.join("identity")).expect("it");
    let before = identity(&cluster);
    cluster.kill(victim);
    spoil_first_page(&cluster, victim);
    // Its vote is needed to elect anybody: what it has promised is in its log.
    let other = (1..=3).find(|id| *id != victim && *id != 1).unwrap_or(1);
    cluster.kill(other);
    cluster.spawn(victim);
    let rest = (1..=3).find(|id| *id != victim && *id != other).expect("a third");
    cluster.wait_node_ready(victim).await;
    cluster.run(rest, "INSERT INTO t VALUES (1000)").await;
    assert_eq!(cluster.value(victim, "SELECT count(*) || ' ' || max(id) FROM t").await, "501 1000");
    assert_eq!(identity(&cluster), before, "it is the same member");
    assert!(cluster.node(victim).home.join("groups/2/damaged.sqlite").exists(), "the file was not kept");
    assert!(cluster.node(victim).log_text().contains("is kept as"));
    cluster.spawn(other);
    cluster.wait_ready().await;
    cluster.wait_converged().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_only_copy_is_not_thrown_away() {
    let mut cluster = Cluster::start(1).await;
    cluster.run(1, "CREATE TABLE t (id int PRIMARY KEY)").await;
    cluster.kill(1);
    spoil_first_page(&cluster, 1);
    cluster.spawn(1);
    assert!(!cluster.ended(1).await.success());
    let log = cluster.node(1).log_text();
    assert!(log.contains("no other node has a copy"), "{log}");
    assert!(database(&cluster, 1).exists());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn scrub_reads_everything_and_compares_the_replicas() {
    let mut cluster = Cluster::start(3).await;
    cluster.run(1, "CREATE TABLE t (id int PRIMARY KEY, body text)").await;
    cluster.run(1, "INSERT INTO t SELECT g, repeat('MARKER', 100) FROM generate_series(1, 500) g").await;
    cluster.wait_converged().await;
    let scrub = async |cluster: &Cluster| {
        let address = format!("127.0.0.1:{}", cluster.node(1).http);
        crate::support::cluster::run_program(&["scrub", "--addr", &address]).await
    };
    eventually("the version rises", PATIENCE, async || match scrub(&cluster).await {
        ended if ended.output.contains("needs version") => Err(ended.output),
        _ => Ok(()),
    })
    .await;
    let sound = scrub(&cluster).await;
    assert_eq!(sound.code, Some(0), "{}", sound.output);
    assert_eq!(sound.output.matches("none is damaged").count(), 6, "{}", sound.output);
    assert_eq!(sound.output.matches("3 replicas are equal at entry").count(), 2, "{}", sound.output);
    // Stopped and started, so that nothing is in its WAL any more.
    let victim = cluster.follower("quorate").await;
    assert!(cluster.stop(victim).await.success());
    cluster.spawn(victim);
    cluster.wait_ready().await;
    eventually("the rows are in the database file", PATIENCE, async || {
        cluster.run(1, "UPDATE t SET id = id WHERE id = 1").await;
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        match turn_over(&cluster, victim, b"MARKERMARKERMARKER") {
            0 => Err("not yet".to_owned()),
            _ => Ok(()),
        }
    })
    .await;
    eventually("it is found", PATIENCE, async || match scrub(&cluster).await {
        ended if ended.output.contains("is not what was written: the replica is rebuilt") => Ok(()),
        ended => Err(ended.output),
    })
    .await;
    cluster.wait_ready().await;
    cluster.wait_converged().await;
    eventually("all is well again", PATIENCE, async || match scrub(&cluster).await {
        ended if ended.code == Some(0) => Ok(()),
        ended => Err(ended.output),
    })
    .await;
}
