//! Sends spans to a collector by OTLP (HTTP, JSON), a batch at a time. Statements never wait for it.

use super::Runtime;
use crate::admin::client::Way;
use crate::gateway::peer::{self, Reply, Request};
use crate::id::GroupId;
use crate::trace::{self, News, Place, Span, Stages, instant};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::mpsc::Receiver;

const PERIOD: Duration = Duration::from_secs(1);
const BATCH: usize = 512;
const PATIENCE: Duration = Duration::from_secs(5);
/// Between two complaints.
const QUIET: Duration = Duration::from_secs(60);

pub async fn send(runtime: Arc<Runtime>, collector: String, mut news: Receiver<News>) {
    let (mut complained, mut batch) = (None::<Instant>, Vec::new());
    loop {
        batch.clear();
        if news.recv_many(&mut batch, BATCH).await == 0 {
            return;
        }
        let mut spans = Vec::new();
        for one in batch.drain(..) {
            match one {
                News::Span(span) => spans.push(*span),
                News::Entry { place, group, index, database } => {
                    if let Some(stages) = ask(&runtime, group, index).await {
                        spans.extend(of_entry(place, &database, &stages));
                    }
                }
            }
        }
        let body = trace::otlp(&runtime.config.name, &runtime.config.cluster, &spans).to_string().into_bytes();
        let said = Way::default().ask(&collector, "/v1/traces", Some(body), PATIENCE).await;
        let trouble = match said {
            Ok(said) if said.is_success() => None,
            Ok(said) => Some(format!("{}: {}", said.status, said.text())),
            Err(error) => Some(error),
        };
        if let Some(error) = trouble.filter(|_| complained.is_none_or(|at| at.elapsed() > QUIET)) {
            tracing::warn!(collector, error, lost = trace::dropped(), "spans cannot be sent; they are dropped");
            complained = Some(Instant::now());
        }
        tokio::time::sleep(PERIOD).await;
    }
}

/// What the leader remembers of an entry.
async fn ask(runtime: &Runtime, group: GroupId, index: u64) -> Option<Stages> {
    if let Some(stages) = trace::stages(group, index) {
        return Some(stages);
    }
    let leader = runtime.router(group)?.group.leadership().leader_node?;
    let request = peer::encode(&Request::Stages { group, index });
    let answer = runtime.network.call(leader, request, Instant::now() + PATIENCE).await.ok()?;
    match peer::decode(&answer).ok()? {
        Reply::Stages(told) => told.read::<Option<Stages>>()?,
        _ => None,
    }
}

fn of_entry(place: Place, database: &str, stages: &Stages) -> Vec<Span> {
    let Stages { proposed, appended, sync_begun, synced, committed, applied } = *stages;
    let stages = [
        ("queue", proposed, appended),
        ("fsync", sync_begun, synced),
        ("quorum", appended, committed),
        ("apply", committed, applied),
    ];
    let known = stages.into_iter().filter(|(_, begin, end)| *begin > 0 && end >= begin);
    let span = |(name, begin, end)| Span {
        place: place.below(),
        parent: Some(place.span),
        name,
        begin: instant(begin),
        end: instant(end),
        is_root: false,
        database: database.to_owned(),
        error: None,
    };
    known.map(span).collect()
}
