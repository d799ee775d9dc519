//! Real processes under faults, beside clients that note what they are told: nothing acknowledged is lost, nothing happens
//! twice, no level shows what it must not, and what is healed goes on.
//!
//! A run is a seed: which faults come when, and what the clients do ([`faults`], [`workloads`]); real time makes each run
//! different all the same. Every peer link goes through a proxy that can be cut. In the end everything is healed, the replicas
//! must become equal, and each workload compares what it was told with what is there, on every node.
//!
//! `QUORATE_CHAOS_SEED`, `_SECONDS`, `_NODES` and `_FAULTS` (names of [`Fault`], by commas) choose another run:
//!
//! ```text
//! QUORATE_CHAOS_SECONDS=1800 QUORATE_CHAOS_SEED=7 cargo test --test tests chaos::three -- --nocapture
//! ```
//!
//! Clocks and disks are made bad by a library between a process and the C library (`support::shim`), where there is a C compiler.
//! Not here: rotten disks (`cluster::rot`), loss of power (the simulation, and a test of the state machine that copies its
//! files after every transaction).

mod client;
mod faults;
mod workloads;

use crate::sim::random::Random;
use crate::support::cluster::{Cluster, Options};
use crate::support::shim::library;
use client::Field;
use faults::{Chaos, Fault};
use std::time::{Duration, Instant};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three() {
    run(3).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn five() {
    run(5).await;
}

fn setting<T: std::str::FromStr>(name: &str, default: T) -> T {
    let Ok(text) = std::env::var(format!("QUORATE_CHAOS_{name}")) else { return default };
    text.parse().unwrap_or_else(|_| panic!("QUORATE_CHAOS_{name}={text}: not a value"))
}

async fn run(nodes: u64) {
    let nodes = setting("NODES", nodes);
    let seed = setting("SEED", nodes);
    let faults: Vec<Fault> = match std::env::var("QUORATE_CHAOS_FAULTS") {
        Ok(names) => names.split(',').map(|name| Fault::named(name.trim())).collect(),
        Err(_) => Fault::ALL.to_vec(),
    };
    let shimmed = library().is_some();
    let needs = |fault: &Fault| !matches!(fault, Fault::ClockStep | Fault::SlowDisk | Fault::FullDisk) || shimmed;
    if !faults.iter().all(needs) {
        println!("skipped: without a C compiler clocks and disks stay good");
    }
    let faults = faults.into_iter().filter(needs).collect();
    let cluster = "replace_after = 5\njoin_within = 10".to_owned();
    let mut cluster =
        Cluster::start_with(nodes, Options { proxied: true, shimmed, cluster, ..Options::default() }).await;
    let field = Field::new(&cluster, seed);
    let workloads = workloads::start(&cluster, &field).await;
    let mut chaos = Chaos::new(Random::new(seed), faults);
    let until = Instant::now() + Duration::from_secs(setting("SECONDS", 40));
    while Instant::now() < until {
        chaos.strike(&mut cluster, &field).await;
    }
    chaos.heal(&mut cluster).await;
    cluster.wait_ready().await;
    field.progress(50).await;
    field.stop();
    let told = workloads.end().await;
    cluster.wait_converged().await;
    println!("seed {seed}, {nodes} nodes\n{}\n{told}", chaos.report());
    for id in cluster.living() {
        told.check(&cluster.connect(id).await).await.unwrap_or_else(|wrong| panic!("seed {seed}, node-{id}: {wrong}"));
    }
}
