//! `quorate scrub`: reads through this node's database files now, and has the replicas that it leads compared.

use super::Runtime;
use crate::admin::{ScrubProgress, ScrubbedDatabase};
use crate::command::{Command, Outcome};
use crate::gateway::router::Router;
use crate::id::NodeId;
use crate::value::Value;
use crate::version::Feature;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Pages at a time.
const PART: u32 = 256;
/// How long the others' votes are waited for; more where there is much to read.
const VOTES: Duration = Duration::from_secs(20);
/// How many pages a replica reads in a second at least.
const PAGES: u64 = 2000;
const LOOK: Duration = Duration::from_millis(50);

/// How far it is; with `begin`, begins unless it is under way.
pub fn progress(runtime: &Arc<Runtime>, begin: bool) -> ScrubProgress {
    let mut now = runtime.scrub.lock();
    if begin && !now.running {
        let all = runtime.named();
        let database = |(name, _): &(String, _)| ScrubbedDatabase { database: name.clone(), ..Default::default() };
        let databases = all.iter().map(database).collect();
        *now = ScrubProgress { node: runtime.config.name.clone(), running: true, databases };
        let routers = all.into_iter().map(|(_, router)| router).collect();
        tokio::spawn(run(runtime.clone(), routers));
    }
    now.clone()
}

async fn run(runtime: Arc<Runtime>, routers: Vec<Arc<Router>>) {
    for (i, router) in routers.iter().enumerate() {
        if let Err(why) = read_through(&runtime, i, router).await {
            note(&runtime, i, |database| database.damage = Some(why));
        }
    }
    for (i, router) in routers.iter().enumerate() {
        if router.group.is_leader() {
            let database = runtime.scrub.lock().databases.get(i).cloned().unwrap_or_default();
            let compared =
                compare(&runtime, router, &database).await.unwrap_or_else(|why| format!("not compared: {why}"));
            note(&runtime, i, |database| database.compared = Some(compared));
        }
    }
    runtime.scrub.lock().running = false;
}

fn note(runtime: &Runtime, i: usize, change: impl FnOnce(&mut ScrubbedDatabase)) {
    if let Some(database) = runtime.scrub.lock().databases.get_mut(i) {
        change(database);
    }
}

async fn read_through(runtime: &Runtime, i: usize, router: &Router) -> Result<(), String> {
    let mut first = 1;
    loop {
        let shared = router.shared.clone();
        let read = tokio::task::spawn_blocking(move || shared.scrub(first, PART)).await;
        let pages = read.map_err(|e| e.to_string())??;
        first = first.saturating_add(PART);
        note(runtime, i, |database| (database.pages, database.read) = (pages, pages.min(first - 1)));
        if first > pages {
            return Ok(());
        }
    }
}

/// Has all replicas say what they contain after an entry: its index.
pub async fn mark(runtime: &Runtime, router: &Router) -> Result<u64, String> {
    Feature::CompareContents.require(router.shared.version()).map_err(|e| e.to_string())?;
    let outcome = runtime.submit(router, &Command::ContentMark).await.map_err(|e| e.to_string())?;
    let mark = match &*outcome {
        Outcome::Done(done) => done.iter().flat_map(|step| &step.rows).flatten().next().cloned(),
        _ => None,
    };
    match mark {
        Some(Value::Int(mark)) => Ok(mark as u64),
        _ => Err(format!("unexpected outcome {outcome:?}")),
    }
}

/// How long the votes on so many pages may take.
pub fn patience(pages: u64) -> Duration {
    VOTES + Duration::from_secs(pages / PAGES)
}

/// On the leader: has all replicas say what they contain at one index, and waits for that.
async fn compare(runtime: &Runtime, router: &Router, database: &ScrubbedDatabase) -> Result<String, String> {
    let mark = mark(runtime, router).await?;
    let until = Instant::now() + patience(database.pages.into());
    // One that is not well has nothing to compare; and when it is again, its state is another one, made after the mark.
    let mut unwell = BTreeSet::new();
    loop {
        let votes = router.shared.votes(mark);
        let membership = router.group.status().membership;
        let all = membership.voters.len() + membership.learners.len();
        let rows = super::service::status(runtime).replicas;
        let of_this = rows.into_iter().filter(|row| row.database == database.database);
        unwell.extend(of_this.filter(|row| row.state != "ok").map(|row| row.node));
        if votes.len() >= all.saturating_sub(unwell.len()) || Instant::now() >= until {
            let name = |node: NodeId| runtime.registry.name(node);
            return Ok(verdict(mark, &votes, membership.voters.len(), all, &name));
        }
        tokio::time::sleep(LOOK).await;
    }
}

fn verdict(mark: u64, votes: &[(NodeId, u64)], voters: usize, all: usize, name: &dyn Fn(NodeId) -> String) -> String {
    let mut by_digest: BTreeMap<u64, Vec<NodeId>> = BTreeMap::new();
    votes.iter().for_each(|(node, digest)| by_digest.entry(*digest).or_default().push(*node));
    let most = by_digest.values().max_by_key(|nodes| nodes.len()).cloned().unwrap_or_default();
    let missing = match all.saturating_sub(votes.len()) {
        0 => String::new(),
        n => format!("; {n} did not say in time"),
    };
    let others: Vec<String> =
        votes.iter().filter(|(node, _)| !most.contains(node)).map(|(node, _)| name(*node)).collect();
    match 2 * most.len() > voters {
        _ if votes.is_empty() => format!("no replica said in time what it contains at entry {mark}"),
        true if others.is_empty() => format!("{} replicas are equal at entry {mark}{missing}", most.len()),
        true => format!("at entry {mark} {} differs from the majority, and is rebuilt{missing}", others.join(", ")),
        false => format!("at entry {mark} the replicas differ, and no majority agrees{missing}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verdicts() {
        let say = |digests: &[u64], voters, all| {
            let votes: Vec<_> = (1..).map(NodeId).zip(digests.iter().copied()).collect();
            verdict(7, &votes, voters, all, &|node| node.to_string())
        };
        assert_eq!(say(&[5, 5, 5], 3, 3), "3 replicas are equal at entry 7");
        assert_eq!(say(&[5, 5], 3, 3), "2 replicas are equal at entry 7; 1 did not say in time");
        assert!(say(&[5, 6, 5], 3, 3).ends_with("differs from the majority, and is rebuilt"));
        assert!(say(&[5, 6], 3, 3).contains("no majority agrees"));
        assert!(say(&[], 3, 3).contains("no replica said"));
    }
}
