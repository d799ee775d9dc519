//! `quorate backup`, on the node that makes the copy: the state after one entry of the log, on which all replicas vote.
//!
//! The entry asks all replicas for a digest of what they contain after it ([`crate::command::Command::ContentMark`]); this one
//! keeps that state from what is applied later, for as long as copying it takes. A copy counts when a majority has the digest
//! that this replica has.

use super::copies::Job;
use super::{Runtime, scrub};
use crate::admin::Problem;
use crate::backup::manifest::Database;
use crate::backup::proof;
use crate::engine;
use crate::gateway::router::Router;
use crate::id::SYSTEM_GROUP;
use crate::version::Feature;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long the entry is waited for.
const APPLIED: Duration = Duration::from_secs(30);
const LOOK: Duration = Duration::from_millis(20);

/// The replica of a database here, if it can be copied.
pub fn find(runtime: &Arc<Runtime>, database: &str) -> Result<Arc<Router>, Problem> {
    let router = runtime.router_named(database).filter(|router| router.id != SYSTEM_GROUP);
    let router = router.ok_or_else(|| Problem::Refused(format!("there is no database \"{database}\"")))?;
    Feature::CompareContents.require(router.shared.version()).map_err(|e| Problem::Later(e.to_string()))?;
    Ok(router)
}

/// Makes the copy, and notes how far it is.
pub async fn make(runtime: Arc<Runtime>, router: Arc<Router>, job: Arc<Job>) {
    let made = copy(&runtime, &router, &job).await;
    job.end(|progress| match made {
        Ok(database) => progress.made = Some(database),
        Err(why) => progress.failed = Some(why),
    });
}

async fn copy(runtime: &Arc<Runtime>, router: &Arc<Router>, job: &Arc<Job>) -> Result<Database, String> {
    job.doing("waiting for an entry of the log", 0);
    let mut moments = router.shared.moments();
    let index = scrub::mark(runtime, router).await?;
    let until = Instant::now() + APPLIED;
    let moment = loop {
        match tokio::time::timeout_at(until.into(), moments.recv()).await {
            Ok(Some(moment)) if moment.index == index => break moment,
            Ok(Some(_)) => {}
            // It may have got a snapshot of a later state instead.
            Ok(None) | Err(_) => return Err(format!("the replica here has not applied entry {index} in time")),
        }
    };
    drop(moments);
    job.doing("copying", 0);
    let (shared, copying, dialect) = (router.shared.clone(), job.clone(), router.shared.dialect());
    let copied = tokio::task::spawn_blocking(move || {
        moment.copy(&copying.file, &mut |done, of| copying.done(done.into(), of.into()))?;
        let contents = engine::look_into(&copying.file, &dialect)?;
        copying.doing("computing sums", 0);
        let sums = proof::sums(&copying.file, &mut |done, of| copying.done(done, of));
        let (length, pieces) = sums.map_err(|e| e.to_string())?;
        let (at, version) = (contents.at, contents.version.0);
        Ok::<_, String>(Database {
            index: at.index,
            term: at.term,
            time: contents.time,
            version,
            length,
            pieces,
            ..Database::default()
        })
    });
    let mut made = copied.await.map_err(|e| e.to_string())??;
    job.doing("waiting for the votes of the replicas", 0);
    let pages = made.length / u64::from(engine::connection::PAGE);
    let until = Instant::now() + scrub::patience(pages);
    loop {
        let voters = router.group.status().membership.voters.len();
        let votes: BTreeMap<_, _> = shared.votes(index).into_iter().collect();
        job.done(votes.len() as u64, voters as u64);
        let mut counts: BTreeMap<u64, usize> = BTreeMap::new();
        votes.values().for_each(|digest| *counts.entry(*digest).or_default() += 1);
        if let Some((digest, count)) = counts.into_iter().find(|(_, count)| 2 * count > voters) {
            if votes.get(&runtime.identity.node).is_some_and(|own| *own != digest) {
                return Err(format!("the replica here differs from the majority at entry {index}, and is rebuilt"));
            }
            made.set_digest(digest);
            (made.votes, made.voters) = (count as u32, voters as u32);
            break;
        }
        if Instant::now() >= until {
            return Err(format!("no majority of the replicas has said in time what it contains at entry {index}"));
        }
        tokio::time::sleep(LOOK).await;
    }
    made.node = runtime.config.name.clone();
    made.group = router.id.0;
    describe(runtime, router, &mut made);
    Ok(made)
}

/// What the cluster knows of the database.
fn describe(runtime: &Runtime, router: &Router, made: &mut Database) {
    made.name = runtime.name_of(router.id);
    (made.connections, made.connection_limit) = (true, -1);
    made.oid = runtime.registry.oid(router.id);
    if let Some(known) = runtime.registry.book().by_group(router.id) {
        made.home = known.is_home();
        made.connections = known.connections;
        made.is_template = known.is_template;
        made.connection_limit = known.connection_limit;
    }
}
