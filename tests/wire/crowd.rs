//! Many clients, and clients that vanish.

use super::assert_serves;
use crate::support::cluster::{Cluster, Options};
use crate::support::http;
use crate::support::raw::{self, Raw, all_values, first_error, startup, strings};
use crate::support::{PATIENCE, eventually, in_time};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

/// Opened and dropped at every stage: before the startup, within it, after it, within a statement.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_connections_opened_and_dropped() {
    let cluster = Cluster::start(1).await;
    cluster.run(1, "CREATE TABLE t (a int)").await;
    let port = cluster.node(1).postgres;
    let hello = startup(raw::PROTOCOL_3, &[strings(&["user", "a", "database", "quorate"]), vec![0]].concat());
    let mut open = Vec::new();
    for i in 0..10_000 {
        let mut stream = in_time("connecting", TcpStream::connect(("127.0.0.1", port))).await.expect("connect");
        let bytes = match i % 4 {
            0 => vec![],
            1 => hello[..hello.len() / 2].to_vec(),
            2 => hello.clone(),
            _ => [hello.clone(), raw::query("INSERT INTO t VALUES (1); SELECT * FROM t")].concat(),
        };
        stream.write_all(&bytes).await.expect("send");
        open.push(stream);
        if open.len() == 100 {
            open.clear();
        }
    }
    drop(open);
    assert_serves(&cluster, 1).await;
    let fds = || std::fs::read_dir(format!("/proc/{}/fd", cluster.node(1).pid().expect("it runs"))).map(|d| d.count());
    eventually("the server closes what its clients have left", PATIENCE, async || match fds() {
        Ok(n) if n < 200 => Ok(()),
        other => Err(format!("{other:?} files are open")),
    })
    .await;
    assert!(cluster.memory(1) < 500 << 20, "{} MiB are in use", cluster.memory(1) >> 20);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn five_hundred_clients_at_once() {
    let cluster = Cluster::start(1).await;
    cluster.run(1, "CREATE TABLE t (a int)").await;
    let port = cluster.node(1).postgres;
    let clients: Vec<_> = (0..500)
        .map(|i| {
            tokio::spawn(async move {
                let mut client = Raw::connect(port).await?;
                let sql = format!("INSERT INTO t VALUES ({i}) RETURNING a");
                Ok::<_, std::io::Error>((all_values(&client.query(&sql).await?), client))
            })
        })
        .collect();
    let mut open = Vec::new();
    for (i, client) in clients.into_iter().enumerate() {
        let (values, client) = in_time("a client", client).await.expect("no panic").expect("an answer");
        assert_eq!(values, [i.to_string()]);
        open.push(client);
    }
    assert_eq!(cluster.value(1, "SELECT count(DISTINCT a) FROM t").await, "500");
}

/// Those who connect and say nothing are in each other's way only: at every port, whoever speaks is heard.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn those_who_say_nothing() {
    let mut cluster = Cluster::start(1).await;
    let node = cluster.node(1);
    let (postgres, http, peers) = (node.postgres, node.http, node.peers);
    let mut old = Raw::connect(postgres).await.expect("connect");
    let before = cluster.memory(1);
    let hello = startup(raw::PROTOCOL_3, &[strings(&["user", "a", "database", "quorate"]), vec![0]].concat());
    // A frame that announces 64 MiB.
    let large = [(64u32 << 20).to_le_bytes(), [0; 4]].concat();
    let mut open = Vec::new();
    for i in 0..600 {
        let half = &hello[..i % hello.len()];
        for (port, bytes) in [(postgres, half), (http, &b"GET /health HT"[..]), (peers, &large[..])] {
            let mut stream = in_time("connecting", TcpStream::connect(("127.0.0.1", port))).await.expect("connect");
            // It may be gone already.
            let _ = stream.write_all(bytes).await;
            open.push(stream);
        }
    }
    for _ in 0..5 {
        assert_serves(&cluster, 1).await;
        assert_eq!(in_time("health", http::get(http, "/health")).await.expect("health").0, 200);
        cluster.status(1).await.expect("a status");
        assert_eq!(all_values(&old.query("SELECT 2").await.expect("an answer")), ["2"]);
    }
    let grown = cluster.memory(1).saturating_sub(before);
    assert!(grown < 100 << 20, "{} MiB for connections that say nothing", grown >> 20);
    // The crowd is still there when the node stops.
    cluster.stop(1).await;
    drop(open);
}

/// One client too many is told so, and its place is free again when another leaves.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_clients_than_allowed() {
    let limits = "connections = 5".to_owned();
    let cluster = Cluster::start_with(1, Options { limits, ..Options::default() }).await;
    let port = cluster.node(1).postgres;
    let mut open = Vec::new();
    for _ in 0..5 {
        open.push(Raw::connect(port).await.expect("connect"));
    }
    let refused = in_time("the sixth", Raw::connect(port)).await.err().expect("the sixth is refused").to_string();
    assert!(refused.contains("53300"), "{refused}");
    open.pop();
    eventually("the place is free again", PATIENCE, async || {
        Raw::connect(port).await.map(|_| ()).map_err(|e| e.to_string())
    })
    .await;
}

/// A client that asks for much and reads nothing costs a bounded amount of memory, and nobody else anything.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_never_reads() {
    let cluster = Cluster::start(1).await;
    let port = cluster.node(1).postgres;
    let before = cluster.memory(1);
    let mut deaf = Vec::new();
    for _ in 0..4 {
        let mut client = Raw::connect(port).await.expect("connect");
        let sql = "SELECT n, repeat('x', 1000) FROM generate_series(1, 10000000) AS n";
        client.send(&raw::query(sql)).await.expect("send");
        deaf.push(client);
    }
    for _ in 0..20 {
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        assert_serves(&cluster, 1).await;
    }
    let grown = cluster.memory(1).saturating_sub(before);
    assert!(grown < 300 << 20, "{} MiB for clients that do not read", grown >> 20);
    drop(deaf);

    // Statements without end, of which no answer is read.
    let mut chatty = Raw::connect(port).await.expect("connect");
    let many = raw::query("SELECT repeat('y', 100000)").repeat(1000);
    let _ = tokio::time::timeout(std::time::Duration::from_secs(2), chatty.stream.write_all(&many)).await;
    assert_serves(&cluster, 1).await;
    let grown = cluster.memory(1).saturating_sub(before);
    assert!(grown < 300 << 20, "{} MiB for a client that does not read", grown >> 20);
    drop(chatty);
    let mut client = Raw::connect(port).await.expect("connect");
    assert!(first_error(&client.query("CREATE TABLE t (a int)").await.expect("an answer")).is_none());
}
