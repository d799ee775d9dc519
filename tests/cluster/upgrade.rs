//! From one version to the next, node by node, under load. A node that holds the version of the cluster down does as the
//! earlier program did.

use crate::support::cluster::{Cluster, Options, own_rows};
use crate::support::load::{Load, assert_exactly_once, assert_no_errors};
use crate::support::{PATIENCE, eventually};
use quorate::version::{FIRST, LATEST};

fn release(cluster: &Cluster, id: u64) {
    let config = &cluster.node(id).config;
    let text = std::fs::read_to_string(config).expect("its configuration");
    std::fs::write(config, text.replace("hold_version = 1\n", "")).expect("a file");
}

async fn wait_for_version(cluster: &Cluster, version: u32) {
    eventually("the version is what it should be", PATIENCE, async || {
        let status = cluster.status(1).await?;
        let versions: Vec<u32> = status.replicas.iter().map(|r| r.version).collect();
        match !versions.is_empty() && versions.iter().all(|v| *v == version) {
            true => Ok(()),
            false => Err(format!("the replicas have {versions:?}")),
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_is_upgraded_node_by_node_under_load() {
    assert!(LATEST > FIRST, "there is something to rise to");
    let hold = Options { cluster: "hold_version = 1\n".into(), ..Options::default() };
    let mut cluster = Cluster::start_with(3, hold).await;
    wait_for_version(&cluster, FIRST.0).await;
    let mut reports = Vec::new();
    for id in 1..=3 {
        let others: Vec<u64> = (1..=3).filter(|other| *other != id).collect();
        // Each round has writers of its own, on the nodes that stay.
        let load = Load::start_from(&cluster, 10 * id as i32, 4, &others).await;
        load.progress(50).await;
        release(&cluster, id);
        assert!(cluster.stop(id).await.success());
        cluster.spawn(id);
        cluster.wait_node_ready(id).await;
        load.progress(50).await;
        if id < 3 {
            wait_for_version(&cluster, FIRST.0).await;
        } else {
            wait_for_version(&cluster, LATEST.0).await;
            load.progress(50).await;
        }
        reports.append(&mut load.finish().await);
    }
    assert_no_errors(&reports);
    assert_exactly_once(&cluster, &reports).await;
    let rows = own_rows(&cluster.status(1).await.expect("the status"));
    assert!(rows.iter().all(|r| r.version == LATEST.0), "{rows:?}");

    // The way back is closed, and the program says so.
    let config = &cluster.node(2).config;
    let text = std::fs::read_to_string(config).expect("its configuration");
    std::fs::write(config, text.replace("[cluster]\n", "[cluster]\nhold_version = 1\n")).expect("a file");
    assert!(cluster.stop(2).await.success());
    cluster.spawn(2);
    assert!(!cluster.ended(2).await.success());
    let log = cluster.node(2).log_text();
    let told = format!("has version {LATEST}, and this program knows up to 1: run the newer program");
    assert!(log.contains(&told), "{log}");
}
