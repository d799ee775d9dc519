//! A node that cannot vouch for its past does not start, and says what to do.

use crate::support::cluster::Cluster;

/// Starts the node, which must end by itself with a message that has `expected` in it.
async fn refused(cluster: &mut Cluster, id: u64, expected: &[&str]) {
    std::fs::write(&cluster.node(id).log, "").expect("our own file");
    cluster.spawn(id);
    let status = cluster.ended(id).await;
    let log = cluster.node(id).log_text();
    assert_eq!(status.code(), Some(1), "{log}");
    for part in expected {
        assert!(log.contains(part), "{part:?} is not in: {log}");
    }
    assert!(!log.contains("panicked"), "{log}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wrong_data_directories_are_refused() {
    let mut cluster = Cluster::start(3).await;
    cluster.run(1, "CREATE TABLE t (a int); INSERT INTO t VALUES (1)").await;
    cluster.wait_converged().await;

    // A second process on a directory that is in use: other ports, same directory.
    let node = cluster.node(1);
    let config = std::fs::read_to_string(&node.config).expect("our own file");
    let (pg, http) = (crate::support::ports::free_port(), crate::support::ports::free_port());
    let second = config
        .replace(&node.postgres.to_string(), &pg.to_string())
        .replace(&format!("http = \"127.0.0.1:{}\"", node.http), &format!("http = \"127.0.0.1:{http}\""));
    let path = cluster.dir.path().join("second.toml");
    std::fs::write(&path, second).expect("our own file");
    let ended = crate::support::cluster::run_program(&["start", "--config", path.to_str().expect("text")]).await;
    assert_eq!(ended.code, Some(1));
    assert!(ended.output.contains("another process uses this data directory"), "{}", ended.output);

    // Its identity is missing, damaged, or another node's.
    cluster.kill(1);
    let identity = cluster.node(1).home.join("identity");
    let good = std::fs::read(&identity).expect("the identity file");
    std::fs::remove_file(&identity).expect("our own file");
    refused(&mut cluster, 1, &["identity", "is missing", "restore"]).await;
    let mut damaged = good.clone();
    let middle = damaged.len() / 2;
    damaged[middle] = if damaged[middle] == b'7' { b'8' } else { b'7' };
    for bad in [&damaged[..], &good[..good.len() / 2], b"", &[0xff, 0xfe, 0x00]] {
        std::fs::write(&identity, bad).expect("our own file");
        refused(&mut cluster, 1, &["the identity file is damaged", "restore it"]).await;
    }
    std::fs::copy(cluster.node(2).home.join("identity"), &identity).expect("our own files");
    refused(&mut cluster, 1, &["this directory belongs to", "its own data directory"]).await;

    // All of another node's directory.
    std::fs::write(&identity, &good).expect("our own file");
    cluster.restart(1).await;
    cluster.wait_converged().await;
    assert_eq!(cluster.value(1, "SELECT a FROM t").await, "1");
}

/// The durable log is gone, or shorter than what was acknowledged from it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_log_is_noticed() {
    let mut cluster = Cluster::start(3).await;
    cluster.run(1, "CREATE TABLE t (a int); INSERT INTO t SELECT n FROM generate_series(1, 100) AS n").await;
    cluster.wait_converged().await;
    let victim = cluster.follower("quorate").await;
    assert!(cluster.stop(victim).await.success());
    std::fs::remove_dir_all(cluster.node(victim).home.join("log-engine")).expect("our own directory");
    refused(&mut cluster, victim, &["lost", "must not vote", "join as a new member"]).await;
    let witness = cluster.living()[0];
    cluster.run(witness, "INSERT INTO t VALUES (101)").await;
}

/// The last file of a node's Raft log, and where its content ends.
fn log_end(cluster: &Cluster, id: u64) -> (std::path::PathBuf, Vec<u8>, usize) {
    let files = std::fs::read_dir(cluster.node(id).home.join("log-engine")).expect("the log's directory");
    let logs = files.flatten().map(|f| f.path()).filter(|p| p.extension().is_some_and(|e| e == "raftlog"));
    let path = logs.max().expect("a log file");
    let bytes = std::fs::read(&path).expect("our own file");
    let end = bytes.iter().rposition(|b| *b != 0).expect("not empty") + 1;
    (path, bytes, end)
}

/// What a crash leaves behind the last record is cut off; a record that was acknowledged must be whole.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_damaged_log_tail() {
    let mut cluster = Cluster::start(3).await;
    cluster.run(1, "CREATE TABLE t (a int); INSERT INTO t SELECT n FROM generate_series(1, 100) AS n").await;
    let victim = cluster.follower("quorate").await;
    cluster.wait_converged().await;
    cluster.kill(victim);
    let (path, mut bytes, end) = log_end(&cluster, victim);
    let torn = bytes[end / 2..].iter().copied().filter(|b| *b != 0).take(100).collect::<Vec<u8>>();
    bytes.truncate(bytes.len().max(end + torn.len()));
    bytes.resize(bytes.len().max(end + torn.len()), 0);
    bytes[end..end + torn.len()].copy_from_slice(&torn);
    std::fs::write(&path, &bytes).expect("our own file");
    cluster.restart(victim).await;
    // What nodes write of themselves when they start is to be over: an entry that is not applied yet is not missed.
    tokio::time::sleep(std::time::Duration::from_secs(2)).await;
    cluster.run(victim, "INSERT INTO t VALUES (101)").await;
    cluster.wait_converged().await;

    let witness = cluster.living().into_iter().find(|id| *id != victim).expect("two others");
    cluster.kill(victim);
    let (path, mut bytes, end) = log_end(&cluster, victim);
    bytes[end - 12..end].fill(0x55);
    std::fs::write(&path, &bytes).expect("our own file");
    refused(&mut cluster, victim, &["acknowledged", "must not vote", "join as a new member"]).await;
    cluster.run(witness, "INSERT INTO t VALUES (102)").await;
}

/// Files put into the wrong place; and files that are no databases, which are replaced.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn database_files_of_others_are_refused() {
    let mut cluster = Cluster::start(3).await;
    cluster.run(1, "CREATE TABLE t (a int); INSERT INTO t VALUES (1)").await;
    cluster.wait_converged().await;
    let victim = cluster.follower("quorate").await;
    let other = cluster.living().into_iter().find(|id| *id != victim).expect("two others");
    for id in [victim, other] {
        assert!(cluster.stop(id).await.success());
    }
    let groups = cluster.node(victim).home.join("groups");
    let swap = || {
        std::fs::rename(groups.join("1"), groups.join("x")).expect("our own directory");
        std::fs::rename(groups.join("2"), groups.join("1")).expect("our own directory");
        std::fs::rename(groups.join("x"), groups.join("2")).expect("our own directory");
    };
    swap();
    refused(&mut cluster, victim, &["mixed up", "put each back where it was"]).await;
    swap();
    // What is no database is kept, and the others' is taken.
    std::fs::write(groups.join("2/db-1.sqlite"), b"this was a database once").expect("our own file");
    cluster.spawn(victim);
    cluster.spawn(other);
    cluster.wait_ready().await;
    cluster.wait_converged().await;
    assert_eq!(cluster.value(victim, "SELECT a FROM t").await, "1");
    assert!(groups.join("2/damaged.sqlite").exists());
}
