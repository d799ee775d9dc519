//! A new authority in the place of the old one: an operator asks for it, the system group's log says how far it is to go, and
//! each node goes there by itself and says so in its reports. No step is decided before every member has taken the one before.

use super::membership::select;
use super::{Runtime, service};
use crate::admin::client::Way;
use crate::admin::{AuthorityOrder, Problem};
use crate::cluster::{self, authority};
use crate::pki::{Keys, Stage, Succession};
use crate::status::NodeRow;
use std::sync::Arc;
use std::time::{Duration, Instant};
use zeroize::Zeroizing;

/// Between two looks at what was decided.
const PERIOD: Duration = Duration::from_millis(500);
/// How long an order waits for all nodes.
const ORDER: Duration = Duration::from_secs(45);

/// Takes the steps that the cluster decides, for ever.
pub async fn follow(runtime: Arc<Runtime>) {
    let Some(keys) = runtime.keys.clone().filter(|keys| keys.files().own) else { return };
    let (mut seen, mut done) = (0, false);
    loop {
        let applied = runtime.system().shared.applied();
        if applied != seen || !done {
            match wanted(&runtime, false).await {
                Ok(Some(wanted)) => match take(&runtime, &keys, wanted).await {
                    Ok(()) => (seen, done) = (applied, true),
                    Err(error) => {
                        done = false;
                        tracing::warn!(error, "the step to another authority is not taken yet");
                    }
                },
                Ok(None) => (seen, done) = (applied, true),
                Err(_) => {}
            }
        }
        tokio::time::sleep(PERIOD).await;
    }
}

async fn take(runtime: &Arc<Runtime>, keys: &Arc<Keys>, wanted: Succession) -> Result<(), String> {
    let reached = reached(&wanted);
    if *runtime.succession.lock() == Some(reached.clone()) {
        return Ok(());
    }
    if keys.lacks_key(&wanted) {
        fetch(runtime, keys, &wanted).await?;
    }
    let keys = keys.clone();
    let followed = tokio::task::spawn_blocking(move || keys.follow(&wanted)).await;
    followed.map_err(|e| e.to_string())??;
    tracing::info!(authority = reached.0, stage = reached.1.name(), "a step to another authority was taken");
    *runtime.succession.lock() = Some(reached);
    Ok(())
}

fn reached(wanted: &Succession) -> (String, Stage) {
    (wanted.id(), wanted.stage)
}

/// As reports say it.
pub fn told(runtime: &Runtime) -> Option<String> {
    runtime.succession.lock().as_ref().map(|(id, stage)| format!("{} {id}", stage.name()))
}

/// Asks the other nodes for the new authority's key, until one has it.
async fn fetch(runtime: &Runtime, keys: &Keys, wanted: &Succession) -> Result<(), String> {
    let way = Way { tls: Some(keys.now().dial.clone()), login: None };
    let mut why = "no other node is up".to_owned();
    for node in others(runtime) {
        match way.ask(&node.http_addr, "/authority/key", None, Duration::from_secs(5)).await {
            // It may be that node's present one.
            Ok(said) if said.is_success() => match keys.keep_key(wanted, &Zeroizing::new(said.text())) {
                Ok(()) => return Ok(()),
                Err(error) => why = format!("{}: {error}", node.node),
            },
            Ok(said) => why = format!("{}: {}", node.node, said.text()),
            Err(error) => why = format!("{}: {error}", node.node),
        }
    }
    Err(format!("the new authority's key is not here yet: {why}"))
}

fn others(runtime: &Runtime) -> Vec<NodeRow> {
    let me = runtime.identity.node.0;
    runtime.registry.rows().into_iter().filter(|row| row.id != me).collect()
}

async fn wanted(runtime: &Runtime, linearizable: bool) -> Result<Option<Succession>, Problem> {
    let rows = select(&runtime.system(), authority::SUCCESSION, linearizable).await;
    let rows = rows.map_err(|e| Problem::Later(format!("the system group cannot be read: {e:?}")))?;
    Ok(authority::succession(&rows))
}

async fn decide(runtime: &Runtime, wanted: &Succession, before: Option<&Succession>) -> Result<(), Problem> {
    let command = authority::decide(wanted, before);
    let outcome = runtime.submit(&runtime.system(), &command).await.map_err(|e| Problem::Later(e.to_string()))?;
    cluster::done(&outcome).map(drop).map_err(|e| Problem::Later(e.message.clone()))
}

/// Waits until every member has gone as far as was decided.
async fn settle(runtime: &Arc<Runtime>, wanted: &Succession) -> Result<(), Problem> {
    let (expected, until) = (Some(format!("{} {}", wanted.stage.name(), wanted.id())), Instant::now() + ORDER);
    loop {
        let behind = service::status(runtime).nodes.into_iter().filter(|node| node.succession != expected);
        let behind: Vec<String> = behind.map(|node| format!("{} ({})", node.node, node.state)).collect();
        if behind.is_empty() {
            return Ok(());
        }
        if Instant::now() > until {
            let behind = behind.join(", ");
            return Err(Problem::Refused(format!(
                "this waits for {behind}\n  when they are up, or were removed (`quorate node remove`), say it once more"
            )));
        }
        tokio::time::sleep(PERIOD / 4).await;
    }
}

/// Carries out what an operator wants done with the cluster's authority.
pub async fn order(runtime: Arc<Runtime>, order: AuthorityOrder) -> Result<String, Problem> {
    let keys = runtime.keys.clone().filter(|keys| keys.files().own);
    let keys = keys.ok_or_else(|| Problem::Refused("this cluster does not issue its certificates".into()))?;
    let known = wanted(&runtime, true).await?;
    let under_way = known.filter(|known| matches!(known.stage, Stage::Trust | Stage::Use));
    match order {
        AuthorityOrder::Rotate => rotate(&runtime, &keys, under_way).await,
        AuthorityOrder::Retire => match under_way {
            Some(mut now) if now.stage == Stage::Use => {
                settle(&runtime, &now).await?;
                let before = now.clone();
                now.stage = Stage::Retired;
                decide(&runtime, &now, Some(&before)).await?;
                settle(&runtime, &now).await?;
                Ok(format!("nobody believes the old authority any more; {} is the cluster's\n", now.id()))
            }
            Some(_) => {
                Err(Problem::Refused("nodes do not have new certificates yet: `quorate certificate rotate`".into()))
            }
            None => Err(Problem::Refused("there is one authority: begin with `quorate certificate rotate`".into())),
        },
        AuthorityOrder::Abandon => match under_way {
            Some(mut now) if now.stage == Stage::Trust => {
                let before = now.clone();
                now.stage = Stage::Abandoned;
                decide(&runtime, &now, Some(&before)).await?;
                settle(&runtime, &now).await?;
                Ok("the new authority was given up\n".into())
            }
            Some(_) => Err(Problem::Refused("nodes have its certificates already: rotate once more afterwards".into())),
            None => Err(Problem::Refused("there is no new authority".into())),
        },
    }
}

async fn rotate(runtime: &Arc<Runtime>, keys: &Keys, under_way: Option<Succession>) -> Result<String, Problem> {
    let mut now = match under_way {
        Some(now) => now,
        None => begin(runtime, keys).await?,
    };
    settle(runtime, &now).await?;
    if now.stage == Stage::Trust {
        let before = now.clone();
        now.stage = Stage::Use;
        decide(runtime, &now, Some(&before)).await?;
        settle(runtime, &now).await?;
    }
    Ok(format!(
        "all nodes have certificates of the new authority, {}\n  give the new pki/ca.crt to clients, and new certificates to \
         those that have some; then: quorate certificate retire\n",
        now.id()
    ))
}

/// Founds the new authority. Its key is on this node's disk before anybody hears of it.
async fn begin(runtime: &Arc<Runtime>, keys: &Keys) -> Result<Succession, Problem> {
    let before = wanted(runtime, true).await?;
    if let Some(before) = &before {
        // Who has not finished with the last one would miss a step.
        settle(runtime, before).await?;
    }
    let made = keys.authority().and_then(|old| old.succeed(keys.cluster())).map_err(Problem::Refused)?;
    let now = Succession { next: made.authority.certificate, cross: made.cross, stage: Stage::Trust };
    keys.keep_key(&now, &made.authority.key).map_err(Problem::Refused)?;
    decide(runtime, &now, before.as_ref()).await?;
    tracing::info!(authority = now.id(), "a new authority is to follow");
    Ok(now)
}
