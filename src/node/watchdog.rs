//! What a node watches over while it runs: free space, and that its replicas are equal to the others'.

use super::Runtime;
use crate::command::Command;
use crate::gateway::router::Router;
use crate::id::GroupId;
use crate::telemetry::TELEMETRY;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::sync::mpsc::UnboundedReceiver;

const DISK_PERIOD: Duration = Duration::from_millis(250);
const FILES_PERIOD: Duration = Duration::from_secs(10);
/// How often some pages of each database file are read, and how many at least.
const SCRUB_PERIOD: Duration = Duration::from_secs(2);
const SCRUB_LEAST: u64 = 16;
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
        TELEMETRY.disk_free.set(free as i64);
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

/// Measures what the node's files take, and gives free memory back to the operating system.
pub async fn measure_files(runtime: Arc<Runtime>) {
    let mut tick = tokio::time::interval(FILES_PERIOD);
    loop {
        tick.tick().await;
        let dir = runtime.config.data_dir.clone();
        let measured = tokio::task::spawn_blocking(move || {
            let groups = dir.join("groups");
            let is_wal = |path: &Path| path.extension().is_some_and(|end| end.to_string_lossy().ends_with("-wal"));
            TELEMETRY.files("log", size(&dir.join("log-engine"), &|_| true));
            TELEMETRY.files("wal", size(&groups, &is_wal));
            TELEMETRY.files("database", size(&groups, &|path| !is_wal(path)));
            crate::engine::memory::give_back();
        });
        let _ = measured.await;
    }
}

/// Of all files below `path` that are wanted. One that has gone meanwhile takes nothing.
fn size(path: &Path, wanted: &dyn Fn(&Path) -> bool) -> u64 {
    match std::fs::read_dir(path) {
        Ok(entries) => entries.flatten().map(|entry| size(&entry.path(), wanted)).sum(),
        Err(_) if wanted(path) => std::fs::metadata(path).map_or(0, |file| file.len()),
        Err(_) => 0,
    }
}

/// How far the reading of a file is.
struct Place {
    next: u32,
    /// Of the file, as of the last look.
    pages: u32,
    /// It was read through once.
    whole: bool,
    /// Periods until some more are read.
    pause: u64,
}

impl Place {
    /// In how many periods so many pages are due, so that all take `rounds` of them; and how many that are, at least a few.
    fn pace(&self, rounds: u64) -> (u64, u32) {
        let pages = u64::from(self.pages).max(1);
        let count = pages.div_ceil(rounds.max(1)).max(SCRUB_LEAST);
        ((rounds / pages.div_ceil(count)).max(1), count as u32)
    }
}

/// Reads through all database files of this node, over and over, at a pace that takes `limits.scrub_hours` for each: small ones
/// seldom, since each time costs a file opened. The first time goes faster.
pub async fn scrub(runtime: Arc<Runtime>) {
    let rounds = u64::from(runtime.config.scrub_hours) * 3600 * 1000 / SCRUB_PERIOD.as_millis() as u64;
    let mut places: BTreeMap<GroupId, Place> = BTreeMap::new();
    let mut tick = tokio::time::interval(SCRUB_PERIOD);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tick.tick().await;
        let routers = runtime.groups.routers();
        places.retain(|group, _| routers.iter().any(|router| router.id == *group));
        for router in routers {
            let place = places.entry(router.id).or_insert(Place { next: 1, pages: 0, whole: false, pause: 0 });
            if place.pause > 0 {
                place.pause -= 1;
                continue;
            }
            let (shared, first, (_, count)) = (router.shared.clone(), place.next, place.pace(rounds));
            match tokio::task::spawn_blocking(move || shared.scrub(first, count)).await {
                Ok(Ok(found)) => {
                    (place.next, place.pages) = (first.saturating_add(count), found);
                    if place.next > found {
                        tracing::debug!(group = %router.id, pages = found, "the database file was read through");
                        (place.next, place.whole) = (1, true);
                    }
                    if place.whole {
                        place.pause = place.pace(rounds).0 - 1;
                    }
                }
                // One that was dropped meanwhile has no file.
                Ok(Err(_)) if router.shared.is_closed() => {}
                // A damaged page the replica hears of by itself; a file that was replaced meanwhile is begun anew.
                Ok(Err(error)) => {
                    tracing::warn!(group = %router.id, error, "reading through the database file failed");
                    place.next = 1;
                }
                Err(error) => tracing::warn!(%error, "reading through the database file failed"),
            }
        }
    }
}

#[cfg(test)]
#[test]
fn a_file_is_read_through_in_the_time_that_it_may_take() {
    for (pages, rounds) in [(1, 43_200), (100, 43_200), (700_000, 43_200), (10_000_000, 43_200), (90, 1), (90, 0)] {
        let (every, count) = Place { next: 1, pages, whole: true, pause: 0 }.pace(rounds);
        let takes = u64::from(pages).div_ceil(count.into()) * every;
        assert!(takes <= rounds.max(1) && count >= SCRUB_LEAST as u32, "{pages} {rounds}: {every} {count}");
    }
    assert!(Place { next: 1, pages: 100, whole: true, pause: 0 }.pace(43_200).0 > 5_000);
}

/// On a leader: now and then puts a mark into the log at which all replicas note their digests.
pub async fn compare_digests(runtime: Arc<Runtime>) {
    let mut marks: BTreeMap<GroupId, u64> = BTreeMap::new();
    let mut tick = tokio::time::interval(DIGEST_PERIOD);
    loop {
        tick.tick().await;
        let routers = runtime.groups.routers();
        marks.retain(|group, _| routers.iter().any(|router| router.id == *group));
        for router in &routers {
            let marked = marks.entry(router.id).or_default();
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
