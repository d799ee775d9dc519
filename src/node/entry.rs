//! Entries of the log that a replica cannot get past: the group records them as failed, or they are tried again. What makes
//! that safe is in `consensus::brake`.

use super::Runtime;
use crate::admin::{EntryOrder, Problem};
use crate::gateway::router::Router;
use crate::replica::Position;
use crate::version::Feature;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long the decision is waited for.
const PATIENCE: Duration = Duration::from_secs(20);
/// How often it is looked for.
const LOOK: Duration = Duration::from_millis(50);

/// Does what an operator wants.
pub async fn carry_out(runtime: Arc<Runtime>, order: EntryOrder) -> Result<String, Problem> {
    let EntryOrder { database, index, term, retry } = order;
    let router = runtime.router_named(&database);
    let router = router.ok_or_else(|| Problem::Refused(format!("there is no database \"{database}\"")))?;
    let at = Position { index, term };
    if retry {
        check(&router, at)?;
        return match router.group.retry(index) {
            true => Ok(format!("{} tries entry {index} of {database} once more", runtime.config.name)),
            false => Err(Problem::Refused(format!("entry {index} does not wait for being tried again"))),
        };
    }
    if router.group.is_leader() {
        return skip(&runtime, &router, &database, at).await;
    }
    let leader = router.group.leadership().leader_node;
    let leader = leader.ok_or_else(|| Problem::Later(format!("{database} has no leader at present")))?;
    let rows = runtime.registry.rows();
    let address = rows.iter().find(|row| row.id == leader.0).map(|row| row.http_addr.clone()).unwrap_or_default();
    Err(Problem::Later(format!("{} leads {database}: ask there, with --addr {address}", runtime.registry.name(leader))))
}

/// The operator names what he means: it must be what this replica stands before.
fn check(router: &Router, at: Position) -> Result<(), Problem> {
    let status = router.group.status();
    match status.stuck {
        Some(stuck) if stuck.at == at => Ok(()),
        Some(stuck) => Err(Problem::Refused(format!("it is another one that is not applied here: {stuck}"))),
        None => Err(Problem::Refused(format!(
            "no entry stands still here: {} of {} committed ones are applied",
            status.applied, status.commit
        ))),
    }
}

/// On the leader.
async fn skip(runtime: &Runtime, router: &Router, database: &str, at: Position) -> Result<String, Problem> {
    let Position { index, term } = at;
    Feature::SkipEntry.require(router.shared.version()).map_err(|e| Problem::Refused(e.to_string()))?;
    check(router, at)?;
    let rows = super::service::status(runtime).replicas;
    let past = rows.iter().find(|row| row.database == database && row.applied_index >= index && row.state == "ok");
    let past = past.map(|row| &row.node);
    if let Some(past) = past {
        return Err(Problem::Refused(format!(
            "{past} has applied entry {index}: its clients may have been told so\n  have {past} lead (`quorate transfer --to {past} \
             --database {database}`), and let the others join anew with empty directories"
        )));
    }
    tracing::warn!(group = %router.id, index, term, "an operator wants the entry to be recorded as failed");
    let group = router.group.clone();
    let promised =
        tokio::task::spawn_blocking(move || group.skip(at)).await.map_err(|e| Problem::Later(e.to_string()))?;
    match promised {
        Ok(true) => {}
        Ok(false) => return Err(Problem::Refused(format!("entry {index} has just been applied"))),
        Err(e) => return Err(Problem::Later(format!("the promise not to apply it was not noted: {e}"))),
    }
    let until = Instant::now() + PATIENCE;
    while Instant::now() < until {
        if router.group.applied() >= index {
            return Ok(format!(
                "entry {index} of term {term} of {database} is recorded as failed, and the log goes on behind it"
            ));
        }
        tokio::time::sleep(LOOK).await;
    }
    Err(Problem::Later(format!(
        "that entry {index} fails is proposed, but not decided or not done yet: are enough nodes up? If what this node is doing \
         cannot be interrupted, restart it; it will skip the entry then"
    )))
}
