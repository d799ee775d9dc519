//! What the tests stand on: a cluster of processes, a network that can be cut, clients, loads.

pub mod cluster;
pub mod forge;
pub mod http;
pub mod load;
pub mod ports;
pub mod proxy;
pub mod raw;
pub mod shim;
pub mod tls;

use std::time::{Duration, Instant};

/// For anything that should happen soon on an idle machine and may take long on a busy one.
pub const PATIENCE: Duration = Duration::from_secs(60);

const POLL: Duration = Duration::from_millis(25);

/// Asks `probe` again and again until it is `Ok`. Panics with its last answer when `within` has passed.
pub async fn eventually<T>(what: &str, within: Duration, mut probe: impl AsyncFnMut() -> Result<T, String>) -> T {
    let until = Instant::now() + within;
    loop {
        let seen = match tokio::time::timeout(within, probe()).await {
            Ok(Ok(value)) => return value,
            Ok(Err(seen)) => seen,
            Err(_) => "the probe itself did not end".into(),
        };
        assert!(Instant::now() < until, "{what}: not within {within:?}; last seen: {seen}");
        tokio::time::sleep(POLL).await;
    }
}

/// The future's value; panics when it takes longer than [`PATIENCE`].
pub async fn in_time<T>(what: &str, future: impl Future<Output = T>) -> T {
    match tokio::time::timeout(PATIENCE, future).await {
        Ok(value) => value,
        Err(_) => panic!("{what}: not within {PATIENCE:?}"),
    }
}
