//! Nodes that join a running cluster.

use crate::support::cluster::Cluster;
use crate::support::load::{Load, assert_exactly_once, assert_no_errors};
use crate::support::{PATIENCE, eventually};

async fn voters(cluster: &Cluster, asked: u64, database: &str) -> Vec<String> {
    let Ok(status) = cluster.status(asked).await else { return Vec::new() };
    let group = status.groups.into_iter().find(|g| g.database == database);
    group.map_or_else(Vec::new, |g| g.voters.split_whitespace().map(str::to_owned).collect())
}

async fn wait_voters(cluster: &Cluster, asked: u64, expected: usize) {
    for database in ["quorate", "system"] {
        eventually(&format!("{database} has {expected} voters"), PATIENCE, async || {
            let now = voters(cluster, asked, database).await;
            if now.len() == expected { Ok(()) } else { Err(format!("{now:?}")) }
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fourth_and_a_fifth_node_become_voters_under_load() {
    let mut cluster = Cluster::start(3).await;
    cluster.run(1, "CREATE TABLE old (a int); INSERT INTO old SELECT n FROM generate_series(1, 1000) AS n").await;
    let load = Load::start(&cluster, 4, &[1, 2, 3]).await;
    load.progress(100).await;
    let fourth = cluster.join(1);
    cluster.wait_node_ready(fourth).await;
    assert_eq!(cluster.value(fourth, "SELECT count(*) FROM old").await, "1000", "a learner serves reads");
    let fifth = cluster.join(fourth);
    cluster.wait_node_ready(fifth).await;
    wait_voters(&cluster, 2, 5).await;
    load.progress(100).await;
    let reports = load.finish().await;
    assert_no_errors(&reports);
    assert_exactly_once(&cluster, &reports).await;

    // Five voters go on without any two; the newcomers remember who they are.
    let load = Load::start(&cluster, 2, &[fifth]).await;
    cluster.kill(1);
    cluster.kill(2);
    load.progress(50).await;
    cluster.restart(1).await;
    cluster.restart(2).await;
    cluster.kill(fourth);
    cluster.restart(fourth).await;
    load.progress(20).await;
    assert_no_errors(&load.finish().await);
    cluster.wait_converged().await;
    wait_voters(&cluster, fourth, 5).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn joining_is_refused_where_it_must_be() {
    let mut cluster = Cluster::start(1).await;
    let member = cluster.node(1).http;
    let join = |cluster: &mut Cluster, name: &str, of: &str| {
        let id = cluster.join(1);
        cluster.kill(id);
        let node = cluster.node(id);
        let _ = std::fs::remove_dir_all(&node.home);
        std::fs::write(&node.log, "").expect("our own file");
        let text = format!(
            "name = \"{name}\"\ndata_dir = \"{}\"\n[listen]\npostgres = \"127.0.0.1:{}\"\nhttp = \"127.0.0.1:{}\"\n\
             peers = \"127.0.0.1:{}\"\n[cluster]\nname = \"{of}\"\njoin = \"127.0.0.1:{member}\"\n",
            node.home.display(),
            node.postgres,
            node.http,
            node.peers
        );
        std::fs::write(&node.config, text).expect("our own file");
        cluster.spawn(id);
        id
    };
    for (name, of, expected) in
        [("node-7", "another", "write the right cluster.name"), ("node-1", "test", "member already")]
    {
        let id = join(&mut cluster, name, of);
        let status = cluster.ended(id).await;
        assert_eq!(status.code(), Some(1));
        let log = cluster.node(id).log_text();
        assert!(log.contains(expected), "{expected:?} is not in: {log}");
    }
    cluster.run(1, "CREATE TABLE still_here (a int)").await;
}
