//! What a node watches over while it runs: free space, and that its replicas are equal to the others'.

use super::Runtime;
use crate::command::Command;
use crate::gateway::router::Router;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::sync::mpsc::UnboundedReceiver;

const DISK_PERIOD: Duration = Duration::from_millis(250);
/// How often a leader has the replicas compared, if anything was written meanwhile.
const DIGEST_PERIOD: Duration = Duration::from_secs(10);

/// Stops accepting writes when space is short, and goes on when there is space again.
pub async fn watch_disk(runtime: Arc<Runtime>) {
    let mut tick = tokio::time::interval(DISK_PERIOD);
    loop {
        tick.tick().await;
        let free = match crate::engine::free_space(&runtime.config.data_dir) {
            Ok(free) => free,
            Err(e) => {
                tracing::warn!("the free space of {} is not known: {e}", runtime.config.data_dir.display());
                continue;
            }
        };
        let was_full = runtime.disk_full.load(Ordering::Relaxed);
        // Some distance between the marks keeps the node from flapping.
        let mark = if was_full { runtime.config.disk_watermark * 5 / 4 } else { runtime.config.disk_watermark };
        let full = free < mark;
        if full != was_full {
            runtime.disk_full.store(full, Ordering::Relaxed);
            runtime.driver.set_disk_full(full);
            if full {
                tracing::error!(
                    "disk full: {} MiB are free in {}, less than limits.disk_watermark_mib = {}; this node takes no \
                     writes until there is space",
                    free >> 20,
                    runtime.config.data_dir.display(),
                    runtime.config.disk_watermark >> 20
                );
            } else {
                tracing::info!("there is space again ({} MiB free): this node goes on", free >> 20);
            }
        }
    }
}

/// On a leader: now and then puts a mark into the log at which all replicas note their digests.
pub async fn compare_digests(runtime: Arc<Runtime>) {
    let mut marked = vec![0u64; runtime.routers.len()];
    let mut tick = tokio::time::interval(DIGEST_PERIOD);
    loop {
        tick.tick().await;
        for (router, marked) in runtime.routers.values().zip(&mut marked) {
            let applied = router.shared.applied();
            // The mark itself and the votes on it are entries too: they are not worth comparing.
            let quiet = applied <= *marked + router.group.status().membership.voters.len() as u64 + 1;
            if !router.group.is_leader() || quiet {
                continue;
            }
            if runtime.submit(router, &Command::DigestMark).await.is_ok() {
                *marked = router.shared.applied();
            }
        }
    }
}

/// Puts this replica's digest at each mark into the log. A vote that gets lost is made up for at the next mark.
pub async fn vote_on_digests(runtime: Arc<Runtime>, router: Arc<Router>, mut marks: UnboundedReceiver<(u64, u64)>) {
    while let Some((mark, digest)) = marks.recv().await {
        let voters = router.group.status().membership.voters.len() as u32;
        let vote = Command::DigestVote { mark, node: runtime.identity.node, digest, voters };
        if let Err(e) = runtime.submit(&router, &vote).await {
            tracing::debug!("the digest at {mark} was not reported: {e}");
        }
    }
}
