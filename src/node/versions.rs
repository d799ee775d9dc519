//! Raising the versions of groups: a leader does, as soon as every member's program knows more than the group uses.
//!
//! What a program knows it tells when it registers, at each start, through the log of the system group. A node that is down
//! counts with what it told last; a joining one that knows too little is not let in. So nobody is left behind, and a program
//! that was exchanged for an older one meanwhile stops at the entry that raised the version, and says so.

use super::Runtime;
use super::membership::Book;
use crate::command::Command;
use crate::version::{FIRST, Version};
use std::sync::Arc;
use std::time::Duration;

const PERIOD: Duration = Duration::from_millis(500);

/// The highest version of any group of this node.
pub fn reached(runtime: &Runtime) -> Version {
    runtime.groups.routers().iter().map(|router| router.shared.version()).max().unwrap_or(FIRST)
}

/// The highest version that every member knows, as far as they have told.
fn known_to_all(book: &Book) -> Option<Version> {
    book.nodes.values().filter(|node| node.state != "gone").map(|node| node.speaks).min()
}

/// Looks after the groups that this node leads, for ever.
pub async fn raise(runtime: Arc<Runtime>) {
    loop {
        tokio::time::sleep(PERIOD).await;
        let Some(to) = known_to_all(&runtime.registry.book()).map(|all| all.min(runtime.config.speaks)) else {
            continue;
        };
        for router in &runtime.groups.routers() {
            let now = router.shared.version();
            if !router.group.is_leader() || now >= to {
                continue;
            }
            match runtime.submit(router, &Command::Raise { to }).await {
                Ok(_) => tracing::info!(group = %router.id, from = %now, %to, "the version was raised"),
                Err(error) => tracing::debug!(group = %router.id, %to, %error, "the version is not raised yet"),
            }
        }
    }
}
