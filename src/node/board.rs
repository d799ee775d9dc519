//! What each node says of itself, collected: the source of `quorate status` and of the `quorate.*` relations.

use super::{Runtime, authority};
use crate::consensus::brake::Stuck;
use crate::gateway::peer::{self, Request};
use crate::id::NodeId;
use crate::replica::core::Role;
use crate::replica::handle::{ReplicaState, ReplicaStatus};
use crate::status::{ClusterStatus, NodeReport, NodeRow, ReplicaReport, ReplicaRow, assemble};
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// How often a node reports: less often if it has much to say.
const PERIOD: Duration = Duration::from_millis(250);
const SELDOM: Duration = Duration::from_millis(750);
/// Replicas from which on it does.
const MUCH: u32 = 64;
/// Without a report for so long, a node counts as down.
const SILENCE: Duration = Duration::from_millis(1500);

/// The latest report of each node.
pub struct Board {
    me: String,
    reports: Mutex<BTreeMap<u64, (Instant, NodeReport)>>,
}

impl Board {
    pub fn new(me: &str) -> Board {
        Board { me: me.to_owned(), reports: Mutex::default() }
    }

    pub fn post(&self, report: NodeReport) {
        self.reports.lock().insert(report.node.id, (Instant::now(), report));
    }

    /// When a node was last heard of.
    pub fn heard(&self, node: NodeId) -> Option<Instant> {
        self.reports.lock().get(&node.0).map(|(at, _)| *at)
    }

    pub fn is_heard(&self, node: NodeId) -> bool {
        self.heard(node).is_some_and(|at| at.elapsed() <= SILENCE)
    }

    /// The cluster as known here; `own` is this node's report of this moment.
    pub fn status(&self, cluster: &str, own: NodeReport, registered: &[NodeRow]) -> ClusterStatus {
        let mut all: BTreeMap<u64, NodeReport> = registered
            .iter()
            .map(|row| (row.id, NodeReport { node: NodeRow { state: "down".into(), ..row.clone() }, replicas: vec![] }))
            .collect();
        let membership: BTreeMap<u64, String> = registered.iter().map(|r| (r.id, r.membership.clone())).collect();
        let known = |id: &u64| registered.is_empty() || membership.contains_key(id);
        for (id, (at, report)) in self.reports.lock().iter().filter(|(id, _)| known(id)) {
            let mut report = report.clone();
            if at.elapsed() > SILENCE {
                report.node.state = "down".into();
            }
            all.insert(*id, report);
        }
        all.insert(own.node.id, own);
        for (id, report) in &mut all {
            report.node.membership = membership.get(id).cloned().unwrap_or_default();
        }
        assemble(cluster, &self.me, &all.into_values().collect::<Vec<_>>())
    }
}

/// What this node says of itself now.
pub fn own_report(runtime: &Runtime) -> NodeReport {
    let state = if runtime.disk_full.load(Ordering::Relaxed) { "disk full" } else { "up" };
    // Every node votes on, or follows, the system group: its voters' clocks are the cluster's.
    let system = runtime.system().group.status();
    let ms = |micros: i64| micros as f64 / 1000.0;
    let unfit = runtime.groups.routers().iter().find_map(|router| router.group.status().unfit);
    let state = if state == "up" && runtime.is_joining() { "joining" } else { state };
    let node = NodeRow {
        node: runtime.config.name.clone(),
        id: runtime.identity.node.0,
        state: state.into(),
        pg_addr: runtime.config.postgres.advertise.to_string(),
        peer_addr: runtime.config.peers.advertise.to_string(),
        http_addr: runtime.config.http.advertise.to_string(),
        version: env!("CARGO_PKG_VERSION").into(),
        clock_ahead_ms: system.clock.map(|(ahead, _)| ms(ahead)),
        clock_error_ms: system.clock.map(|(_, error)| ms(error)),
        sync_ms: system.sync.map(|sync| ms(sync as i64)),
        unfit: unfit.map(|why| why.to_string()),
        certificate_expires: runtime.keys.as_ref().map(|keys| keys.now().expires),
        authority_expires: runtime.keys.as_ref().map(|keys| keys.now().authority_expires),
        authority: runtime.keys.as_ref().map(|keys| hex::encode(keys.now().authority)),
        succession: authority::told(runtime),
        failed_logins: runtime.failed_logins.load(Ordering::Relaxed),
        membership: String::new(),
    };
    let replicas = runtime
        .named()
        .into_iter()
        .map(|(database, router)| {
            let status = router.group.status();
            let (applied_index, digest) = router.shared.digest();
            let name = |id: &crate::id::ReplicaId| match status.nodes.get(id) {
                Some(node) => runtime.registry.name(*node),
                None => id.to_string(),
            };
            let join = |ids: &[crate::id::ReplicaId]| ids.iter().map(name).collect::<Vec<_>>().join(" ");
            let row = ReplicaRow {
                database,
                node: runtime.config.name.clone(),
                role: role(&status).into(),
                term: status.term,
                commit_index: status.commit,
                applied_index,
                lag: 0,
                digest: format!("{digest:016x}"),
                state: state_text(&status.state, status.stuck.as_ref()),
                refuted_messages: status.refuted,
                version: router.shared.version().0,
                archive: runtime.archive.row(router.id),
            };
            ReplicaReport {
                group: router.id.0,
                row,
                // In a joint configuration the old voters count as well.
                voters: join(&union(&status.membership.voters, &status.membership.voters_outgoing)),
                learners: join(&status.membership.learners),
            }
        })
        .collect();
    NodeReport { node, replicas }
}

fn union(a: &[crate::id::ReplicaId], b: &[crate::id::ReplicaId]) -> Vec<crate::id::ReplicaId> {
    a.iter().chain(b.iter().filter(|id| !a.contains(id))).copied().collect()
}

fn role(status: &ReplicaStatus) -> &'static str {
    match status.role {
        Role::Leader => "leader",
        Role::Candidate => "candidate",
        Role::Follower if status.membership.learners.contains(&status.replica) => "learner",
        Role::Follower => "follower",
    }
}

fn state_text(state: &ReplicaState, stuck: Option<&Stuck>) -> String {
    // Its own trouble says more than that an entry waits for it.
    if let Some(stuck) = stuck.filter(|_| *state == ReplicaState::Active) {
        return stuck.to_string();
    }
    match state {
        ReplicaState::Active => "ok".into(),
        ReplicaState::Installing => "installing a snapshot".into(),
        ReplicaState::Diverged(why) => format!("diverged: {why}"),
        ReplicaState::Damaged(why) => format!("damaged: {why}"),
        ReplicaState::Failing(why) => format!("halted: {why} (trying again)"),
        ReplicaState::Halted(why) => format!("halted: {why}"),
        ReplicaState::Stopped => "stopped".into(),
    }
}

/// Tells the other nodes, for ever.
pub async fn report(runtime: Arc<Runtime>) {
    let mut pause = PERIOD;
    loop {
        tokio::time::sleep(pause).await;
        let report = own_report(&runtime);
        pause = (PERIOD * report.replicas.len() as u32 / MUCH).clamp(PERIOD, SELDOM);
        let request = peer::encode(&Request::Report(peer::Told::of(&report)));
        for node in runtime.network.connected() {
            tokio::spawn(tell(runtime.clone(), node, request.clone()));
        }
    }
}

async fn tell(runtime: Arc<Runtime>, node: NodeId, request: bytes::Bytes) {
    // A lost report is replaced by the next.
    let _ = runtime.network.call(node, request, Instant::now() + PERIOD * 4).await;
}
