//! What a broken or hostile client can do to the others: nothing.

mod attempts;
mod bad_input;
mod cancel;
mod crowd;
mod forms;
mod heavy;
mod large;
mod notify;
mod pipeline;
mod transactions;

use crate::support::cluster::Cluster;
use crate::support::in_time;
use crate::support::raw::{Raw, all_values};

/// The server answers a new client.
async fn assert_serves(cluster: &Cluster, id: u64) {
    let mut client = in_time("connecting", Raw::connect(cluster.node(id).postgres)).await.expect("a new client");
    let answer = in_time("SELECT 1", client.query("SELECT 1")).await.expect("an answer");
    assert_eq!(all_values(&answer), ["1"]);
}
