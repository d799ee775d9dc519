//! The replicas of this node: which there are, how one begins, and how it goes.
//!
//! What the node should have is in the system group's tables, as its own replica of them has them ([`super::membership`]
//! follows it). A replica begins in this order: what an attempt before may have left is removed; its first state and the
//! beginning of its log are written; its number is noted in the node's identity; only then it takes part. So a number that is
//! noted has its log, and one that is not has never voted. One that goes is first struck from the note, then its log and its
//! files go: what a crash leaves in between is removed at the next start, and no number comes twice.

use super::{Runtime, home, live, watchdog};
use crate::cluster::databases::{Database, State};
use crate::cluster::{self, Place};
use crate::engine;
use crate::gateway::router::Router;
use crate::id::{FIRST_DATABASE_GROUP, GroupId, ReplicaId, SYSTEM_GROUP};
use crate::raftlog::{HardState, LogWrite};
use crate::replica::Position;
use crate::replica::core::bootstrap;
use parking_lot::{Mutex, RwLock};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::Notify;
use tokio::task::AbortHandle;

/// How often a node tries to begin what it should have and could not.
const AGAIN: Duration = Duration::from_secs(1);

/// The replicas that run here.
#[derive(Default)]
pub struct Groups {
    hosted: RwLock<BTreeMap<GroupId, Arc<Hosted>>>,
    /// These are being started or removed.
    busy: Mutex<BTreeSet<GroupId>>,
    changed: Notify,
    /// Rings when the catalog of the home has changed.
    pub home_bell: Arc<Notify>,
    /// Something that should be here could not be begun, or something that should be gone is left.
    unsettled: AtomicBool,
}

/// A replica with all that looks after it.
pub struct Hosted {
    pub router: Arc<Router>,
    /// Its database's OID, once that was read; it outlives the row that has it.
    oid: AtomicU32,
    tasks: Vec<AbortHandle>,
    /// It has once had everything that was acknowledged before somebody asked.
    current: AtomicBool,
}

impl Hosted {
    /// A replica that has just begun may have nothing of what its group has.
    pub fn is_current(&self) -> bool {
        self.current.load(Ordering::Acquire)
    }

    pub fn note_current(&self) {
        self.current.store(true, Ordering::Release);
    }
}

impl Groups {
    pub fn get(&self, group: GroupId) -> Option<Arc<Hosted>> {
        self.hosted.read().get(&group).cloned()
    }

    pub fn routers(&self) -> Vec<Arc<Router>> {
        self.hosted.read().values().map(|hosted| hosted.router.clone()).collect()
    }

    pub fn is_unsettled(&self) -> bool {
        self.unsettled.swap(false, Ordering::AcqRel)
    }

    /// What this node has is to be compared with the book again.
    pub fn unsettle(&self) {
        self.unsettled.store(true, Ordering::Release);
    }

    /// Nothing is under way with the group any more. In this order: whoever compares next finds it free.
    fn done_with(&self, group: GroupId) {
        self.busy.lock().remove(&group);
        self.unsettle();
    }

    /// Waits until it runs here; nothing, if it does not in time.
    pub async fn wait(&self, group: GroupId, until: Instant) -> Option<Arc<Hosted>> {
        loop {
            let changed = self.changed.notified();
            if let Some(hosted) = self.get(group) {
                return Some(hosted);
            }
            tokio::time::timeout_at(until.into(), changed).await.ok()?;
        }
    }
}

/// Starts a replica whose log is there. The damage, if its file had to be set aside.
pub fn host(runtime: &Arc<Runtime>, group: GroupId, replica: ReplicaId) -> Result<Option<String>, String> {
    let (sender, marks) = tokio::sync::mpsc::unbounded_channel();
    let (router, lost) = super::open_replica(runtime, group, replica, sender)?;
    let _ = router.facts.set(Arc::new(live::LiveFacts(Arc::downgrade(runtime))));
    let tasks = [
        tokio::spawn(router.attend()),
        tokio::spawn(router.tend()),
        tokio::spawn(watchdog::vote_on_digests(runtime.clone(), router.clone(), marks)),
    ];
    let tasks = tasks.iter().map(tokio::task::JoinHandle::abort_handle).collect();
    let oid = runtime.registry.oid(group);
    let hosted = Arc::new(Hosted { router, oid: AtomicU32::new(oid), tasks, current: AtomicBool::new(false) });
    runtime.groups.hosted.write().insert(group, hosted);
    runtime.groups.changed.notify_waiters();
    Ok(lost)
}

/// Removes what a crash has left of replicas that are not this node's: before anything is started.
pub fn tidy(runtime: &Runtime) -> Result<(), String> {
    let own = runtime.registry.groups();
    for group in runtime.log.groups().into_iter().filter(|group| !own.contains_key(group)) {
        runtime.log.write(&[LogWrite::Remove(group)], true).map_err(|e| format!("the log of {group}: {e}"))?;
    }
    let Ok(homes) = std::fs::read_dir(runtime.config.data_dir.join("groups")) else { return Ok(()) };
    for entry in homes.flatten() {
        let group = entry.file_name().to_str().and_then(|name| name.parse().ok()).map(GroupId);
        if group.is_some_and(|group| !own.contains_key(&group)) {
            std::fs::remove_dir_all(entry.path()).map_err(|e| format!("{}: {e}", entry.path().display()))?;
        }
    }
    Ok(())
}

/// Begins what this node should have and has not, and removes what it should not have any more, as its book says. Does not
/// wait for either.
pub fn settle(runtime: &Arc<Runtime>) {
    let book = runtime.registry.book();
    let me = runtime.identity.node;
    let noted = runtime.registry.groups();
    for database in book.databases.values().filter(|d| d.state != State::Asleep) {
        let Some(group) = database.group else { continue };
        if let Some(hosted) = runtime.groups.get(group) {
            hosted.oid.store(database.oid, Ordering::Release);
        }
        let place = book.places.iter().find(|p| p.group == group && p.node == me);
        let here = runtime.groups.get(group).is_some();
        if let Some(place) = place.filter(|_| !here && runtime.groups.busy.lock().insert(group)) {
            tokio::spawn(begin(runtime.clone(), database.clone(), *place));
        }
    }
    for group in noted.into_keys().filter(|group| book.is_dropped(*group)) {
        if runtime.groups.busy.lock().insert(group) {
            tokio::spawn(leave(runtime.clone(), group));
        }
    }
}

async fn begin(runtime: Arc<Runtime>, database: Database, place: Place) {
    // What was laid before a failure is not laid again.
    let laid = runtime.registry.groups().contains_key(&place.group);
    let mine = !laid && database.is_restored() && database.seed == Some(runtime.identity.node);
    if mine && runtime.copies.file(&database.name).is_none() {
        // The process that had it has ended.
        tracing::warn!(group = %place.group, database = database.name, "what was to be restored is not here any more");
        super::databases::give_up(&runtime, place.group).await;
    }
    let copies = !laid && database.seed == Some(runtime.identity.node);
    let begun = match database.template.filter(|_| copies) {
        // The copy is to have what was acknowledged so far.
        Some(template) => match runtime.groups.get(template) {
            Some(source) => {
                source.router.read_point(&super::patience(AGAIN * 10)).await.map(drop).map_err(|e| e.to_string())
            }
            None => Err(format!("its template {template} is not here")),
        },
        None => Ok(()),
    };
    let group = place.group;
    let begun = match begun {
        Ok(()) => {
            let runtime = runtime.clone();
            let work = move || {
                let laid = if laid { Ok(()) } else { lay(&runtime, &database, place) };
                laid.and_then(|()| host(&runtime, group, place.replica))
            };
            tokio::task::spawn_blocking(work).await.unwrap_or_else(|e| Err(e.to_string()))
        }
        Err(why) => Err(why),
    };
    match begun {
        Ok(_) => tracing::info!(%group, "a replica was begun"),
        Err(why) => {
            tracing::warn!(%group, why, "a replica cannot be begun yet");
            tokio::time::sleep(AGAIN).await;
        }
    }
    // It may have been dropped meanwhile.
    runtime.groups.done_with(group);
}

/// Writes a replica's first state and the beginning of its log, and notes its number.
fn lay(runtime: &Runtime, database: &Database, place: Place) -> Result<(), String> {
    let Place { group, replica, .. } = place;
    let home = home(&runtime.config.data_dir, group);
    if home.exists() {
        std::fs::remove_dir_all(&home).map_err(|e| format!("{}: {e}", home.display()))?;
    }
    let founds = database.founders.contains_key(&replica);
    let mut writes = match database.template {
        None if founds && database.seed.is_none() => bootstrap(group, &database.founders),
        None if founds && database.seed == Some(place.node) => {
            let file = runtime.copies.file(&database.name).ok_or("what it is restored from is not here any more")?;
            let voters = database.founders.keys().copied().collect();
            let owner = super::owner(runtime.identity.cluster, group);
            let at = engine::plant(&file, &super::dialect(group), &home, &owner, voters);
            began_at(group, at.map_err(|e| format!("what was restored cannot be copied: {e}"))?)
        }
        Some(template) if founds && database.seed == Some(place.node) => {
            let source = runtime.groups.get(template).ok_or("its template is not here")?;
            let voters = database.founders.keys().copied().collect();
            let owner = super::owner(runtime.identity.cluster, group);
            let copy = engine::transplant(&source.router.shared, &home, &owner, voters);
            began_at(group, copy.map_err(|e| format!("the template cannot be copied: {e}"))?)
        }
        // Its leader gives it everything.
        _ => vec![LogWrite::HardState(group, HardState::default())],
    };
    if runtime.log.groups().contains(&group) {
        writes.insert(0, LogWrite::Remove(group));
    }
    for write in writes.chunks(1) {
        runtime.log.write(write, true).map_err(|e| format!("the log of {group} cannot be begun: {e}"))?;
    }
    runtime.registry.note_group(&runtime.config.data_dir, group, Some(replica))
}

/// The beginning of a log whose first entries another group has had.
pub(super) fn began_at(group: GroupId, at: Position) -> Vec<LogWrite> {
    vec![LogWrite::Reset(group, at, HardState { term: at.term, vote: 0, commit: at.index })]
}

async fn leave(runtime: Arc<Runtime>, group: GroupId) {
    let Err(why) = forget(&runtime, group).await else {
        tracing::info!(%group, "the database was dropped: its replica here is removed");
        return runtime.groups.done_with(group);
    };
    tracing::warn!(%group, why, "a replica is not removed yet");
    tokio::time::sleep(AGAIN).await;
    runtime.groups.done_with(group);
}

async fn forget(runtime: &Arc<Runtime>, group: GroupId) -> Result<(), String> {
    let hosted = runtime.groups.hosted.write().remove(&group);
    if let Some(hosted) = &hosted {
        runtime.cancels.expel(hosted.oid.load(Ordering::Acquire));
        hosted.router.group.stop_applying();
        hosted.tasks.iter().for_each(AbortHandle::abort);
    }
    runtime.registry.note_group(&runtime.config.data_dir, group, None)?;
    runtime.driver.remove_group(group, true).await;
    let home = home(&runtime.config.data_dir, group);
    let removed = tokio::task::spawn_blocking(move || match std::fs::remove_dir_all(&home) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(format!("{}: {e}", home.display())),
        _ => Ok(()),
    });
    removed.await.unwrap_or_else(|e| Err(e.to_string()))
}

impl Runtime {
    pub fn system(&self) -> Arc<Router> {
        self.groups.get(SYSTEM_GROUP).expect("every node has the system group").router.clone()
    }

    /// The database that has the roles of the cluster.
    pub fn home(&self) -> Arc<Router> {
        self.groups.get(FIRST_DATABASE_GROUP).expect("every node has the first database").router.clone()
    }

    pub fn router(&self, group: GroupId) -> Option<Arc<Router>> {
        self.groups.get(group).map(|hosted| hosted.router.clone())
    }

    /// The OID of a group's database; 0 as long as that is not known.
    pub fn oid(&self, group: GroupId) -> u32 {
        self.groups.get(group).map_or(0, |hosted| hosted.oid.load(Ordering::Acquire))
    }

    /// What a group is called: its database's name.
    pub fn name_of(&self, group: GroupId) -> String {
        if group == SYSTEM_GROUP {
            return cluster::DATABASE.to_owned();
        }
        let book = self.registry.book();
        match book.by_group(group) {
            Some(database) => database.name.clone(),
            None if group == FIRST_DATABASE_GROUP => super::DATABASE.to_owned(),
            None => group.to_string(),
        }
    }

    /// The replicas here with their databases' names, the system group included.
    pub fn named(&self) -> Vec<(String, Arc<Router>)> {
        self.groups.routers().into_iter().map(|router| (self.name_of(router.id), router)).collect()
    }

    /// The replica of a database, or of the system group.
    pub fn router_named(&self, name: &str) -> Option<Arc<Router>> {
        self.named().into_iter().find(|(known, _)| known == name).map(|(_, router)| router)
    }
}
