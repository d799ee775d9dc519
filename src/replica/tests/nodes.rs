//! Whole nodes in one process: real driver, real log, real TCP on loopback; the state machine is in memory.

use super::machine::{Machine, State};
use crate::command::{Outcome, Proposal};
use crate::consensus::brake::{Brake, Standstill};
use crate::id::{GroupId, NodeId, ReplicaId, RequestId};
use crate::raftlog::raft_engine::{RaftEngineLog, RaftEngineOptions};
use crate::raftlog::{Entry, GroupLog, LogError, LogReader, LogWrite, RaftLog};
use crate::replica::core::{ChangeError, CoreConfig, Role};
use crate::replica::handle::{Group, GroupConfig, Node, NodeConfig, ProposeError, ReplicaState};
use crate::replica::{Halt, Position};
use crate::transport::tcp::{Network, NetworkConfig, Refusal};
use crate::transport::wire::PeerIdentity;
use crate::transport::{CallError, Service};
use bytes::Bytes;
use futures::future::BoxFuture;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tokio::net::TcpListener;

const G: GroupId = GroupId(1);

struct Echo;

impl Service for Echo {
    fn handle(&self, from: NodeId, request: Bytes) -> BoxFuture<'static, Bytes> {
        Box::pin(async move {
            if &request[..] == b"sleep" {
                tokio::time::sleep(Duration::from_secs(60)).await;
            }
            Bytes::from(format!("{from}:{}", String::from_utf8_lossy(&request)))
        })
    }
}

/// A log on a disk that can be full.
struct Flaky {
    log: RaftEngineLog,
    full: Arc<AtomicBool>,
}

impl LogReader for Flaky {
    fn entries(&self, group: GroupId, low: u64, high: u64, max_bytes: u64) -> Result<Vec<Entry>, LogError> {
        self.log.entries(group, low, high, max_bytes)
    }
    fn term(&self, group: GroupId, index: u64) -> Result<Option<u64>, LogError> {
        self.log.term(group, index)
    }
}

impl RaftLog for Flaky {
    fn write(&self, batch: &[LogWrite], sync: bool) -> Result<(), LogError> {
        if self.full.load(Ordering::Relaxed) {
            return Err(LogError::Io("no space left".to_owned()));
        }
        self.log.write(batch, sync)
    }
    fn load(&self, group: GroupId) -> Result<GroupLog, LogError> {
        self.log.load(group)
    }
    fn groups(&self) -> Vec<GroupId> {
        self.log.groups()
    }
    fn maintain(&self) -> Result<(), LogError> {
        self.log.maintain()
    }
}

struct Running {
    node: Node,
    network: Network,
    group: Group,
}

struct Cluster {
    dir: tempfile::TempDir,
    addresses: BTreeMap<u64, String>,
    machines: BTreeMap<u64, Machine>,
    /// Whose log cannot be written.
    full: BTreeMap<u64, Arc<AtomicBool>>,
    tick: Duration,
    /// Bytes of durable entries kept in memory.
    cache: Option<usize>,
    running: BTreeMap<u64, Running>,
    seq: u64,
}

fn network_config(identity: PeerIdentity, address: String, incoming: std::path::PathBuf) -> NetworkConfig {
    NetworkConfig {
        identity,
        address,
        incoming,
        admission: Box::new(|_, _, _| Ok(())),
        clerk: Arc::new(|question| question.to_vec()),
        keys: None,
        dismissed: Box::new(|_| {}),
    }
}

fn replica(id: u64) -> ReplicaId {
    ReplicaId(id + 10)
}

impl Cluster {
    async fn start(founders: &[u64]) -> Cluster {
        Cluster::start_with(founders, Duration::from_millis(20), None).await
    }

    async fn start_with(founders: &[u64], tick: Duration, cache: Option<usize>) -> Cluster {
        let mut cluster = Cluster {
            dir: tempfile::tempdir().unwrap(),
            addresses: BTreeMap::new(),
            machines: BTreeMap::new(),
            full: BTreeMap::new(),
            tick,
            cache,
            running: BTreeMap::new(),
            seq: 0,
        };
        let mut listeners = Vec::new();
        for id in founders {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            cluster.addresses.insert(*id, listener.local_addr().unwrap().to_string());
            listeners.push((*id, listener));
        }
        let voters: BTreeMap<_, _> = founders.iter().map(|id| (replica(*id), NodeId(*id))).collect();
        for (id, listener) in listeners {
            cluster.launch(id, listener, Some(voters.clone()));
        }
        cluster
    }

    fn launch(&mut self, id: u64, listener: TcpListener, founders: Option<BTreeMap<ReplicaId, NodeId>>) {
        let dir = self.dir.path().join(format!("n{id}"));
        let identity = PeerIdentity { cluster: 7, node: NodeId(id), incarnation: id };
        let incoming = dir.join("incoming");
        let admission =
            Box::new(|who: &PeerIdentity, _: bool, _: Option<&crate::pki::NodeName>| match who.incarnation {
                13 => Err(Refusal::Stranger("go away".to_owned())),
                _ => Ok(()),
            });
        let address = self.addresses.get(&id).cloned().unwrap_or_default();
        let config = NetworkConfig { admission, ..network_config(identity, address, incoming) };
        let network = Network::new(config, tokio::runtime::Handle::current()).unwrap();
        let log = RaftEngineLog::open(&dir.join("log"), &RaftEngineOptions::small()).unwrap();
        let mut config = NodeConfig::new(NodeId(id), dir.join("snapshots"));
        config.tick = self.tick;
        config.patience = Duration::from_millis(300);
        let log = Flaky { log, full: self.full.entry(id).or_default().clone() };
        let node = Node::start(config, Arc::new(log), Arc::new(network.clone())).unwrap();
        network.serve(listener, node.inbound(), Arc::new(Echo));
        for (peer, address) in &self.addresses {
            network.set_peer(NodeId(*peer), *peer, address.clone());
        }
        let mut tuning = CoreConfig::new(G, replica(id), 0);
        (tuning.compact_step, tuning.compact_keep) = (16, 16);
        if let Some(cache) = self.cache {
            (tuning.cache, tuning.compact_keep) = (cache, 10_000);
        }
        let machine = self.machines.entry(id).or_default();
        // The state outlives the process, what stands between it and the log does not.
        machine.1 = Arc::new(Brake::new(dir.join("applying")));
        let machine = machine.clone();
        let nodes = self.addresses.keys().map(|n| (replica(*n), NodeId(*n))).collect();
        let group = GroupConfig {
            group: G,
            replica: replica(id),
            nodes,
            founders,
            lost: None,
            state_machine: Box::new(machine),
            tuning: Some(tuning),
        };
        let group = node.add_group(group).unwrap();
        self.running.insert(id, Running { node, network, group });
    }

    /// Starts a node that is new or was killed.
    async fn restart(&mut self, id: u64) {
        let address = self.addresses.get(&id).cloned().unwrap_or("127.0.0.1:0".to_owned());
        let listener = TcpListener::bind(&address).await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        self.addresses.insert(id, address.clone());
        for running in self.running.values() {
            running.network.set_peer(NodeId(id), id, address.clone());
        }
        self.launch(id, listener, None);
    }

    /// Ends a node as SIGKILL would: its sockets close, nothing is handed over.
    async fn kill(&mut self, id: u64) {
        let gone = self.running.remove(&id).unwrap();
        gone.network.close();
        tokio::task::spawn_blocking(move || gone.node.stop()).await.unwrap();
    }

    async fn leader(&self) -> u64 {
        eventually("a leader", || {
            self.running.iter().find(|(_, r)| r.group.is_leader() && r.group.status().applied > 0).map(|(id, _)| *id)
        })
        .await
    }

    fn group(&self, id: u64) -> &Group {
        &self.running[&id].group
    }

    /// Proposes as a gateway would: finds the leader and tries again under the same id until there is an outcome.
    async fn write(&mut self) -> RequestId {
        self.seq += 1;
        let request = RequestId { origin: 1, seq: self.seq };
        let proposal = Proposal { request, body: Bytes::from_static(b"body") };
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            for running in self.running.values() {
                match running.group.propose(proposal.clone()).await {
                    Ok(_) => return request,
                    Err(ProposeError::TooLarge(_)) => panic!("small enough"),
                    Err(_) => {}
                }
            }
            assert!(Instant::now() < deadline, "no leader took the write: {}", self.describe());
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    fn describe(&self) -> String {
        self.running.values().map(|r| format!("{:?}\n", r.group.status())).collect()
    }

    /// All running nodes have the same history, with each request once.
    async fn converge(&self) {
        eventually("equal histories", || {
            let states: Vec<_> = self.running.keys().map(|id| self.machines[id].0.lock().clone()).collect();
            let same = states.windows(2).all(|w| w[0].history == w[1].history && w[0].applied == w[1].applied);
            (same && states[0].history.len() as u64 == self.seq).then_some(())
        })
        .await;
    }
}

async fn eventually<T>(what: &str, mut check: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        if let Some(found) = check() {
            return found;
        }
        assert!(Instant::now() < deadline, "waited in vain for {what}");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(10)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_nodes_survive_the_death_of_their_leader() {
    let mut cluster = Cluster::start(&[1, 2, 3]).await;
    let first = cluster.leader().await;
    let group = cluster.group(first).clone();
    let mut writes = Vec::new();
    for seq in 1..=3000 {
        let group = group.clone();
        let proposal = Proposal { request: RequestId { origin: 1, seq }, body: Bytes::from_static(b"x") };
        writes.push(tokio::spawn(async move { group.propose(proposal).await }));
    }
    for write in writes {
        write.await.unwrap().unwrap();
    }
    cluster.seq = 3000;
    cluster.converge().await;
    let entries = group.status().last_index;
    assert!(entries < 1500, "3000 concurrent proposals share entries, not {entries}");
    drop(group);

    cluster.kill(first).await;
    let killed = Instant::now();
    cluster.write().await;
    println!("next write {:?} after the death of the leader", killed.elapsed());
    for _ in 0..20 {
        cluster.write().await;
    }
    cluster.restart(first).await;
    cluster.write().await;
    cluster.converge().await;
    for id in [1, 2, 3] {
        let group = cluster.group(id);
        let index = group.read_index(soon()).await.unwrap();
        assert!(group.applied() >= index);
        let status = group.status();
        assert_eq!(status.membership.voters, [replica(1), replica(2), replica(3)]);
        assert_eq!(status.state, ReplicaState::Active);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_follower_that_missed_too_much_gets_a_snapshot() {
    let mut cluster = Cluster::start(&[1, 2, 3]).await;
    let leader = cluster.leader().await;
    let lagging = if leader == 3 { 2 } else { 3 };
    cluster.write().await;
    cluster.converge().await;
    cluster.kill(lagging).await;
    for _ in 0..200 {
        cluster.write().await;
    }
    // Of whoever may lead by then.
    let living: Vec<_> =
        [1, 2, 3].into_iter().filter(|id| *id != lagging).map(|id| cluster.group(id).clone()).collect();
    eventually("cut logs", || living.iter().all(|group| group.status().first_index > 50).then_some(())).await;
    cluster.restart(lagging).await;
    cluster.write().await;
    cluster.converge().await;
    let installed = cluster.machines[&lagging].0.lock().installed;
    assert!(installed >= 1);
    // And it goes on from there, over a restart as well.
    cluster.kill(lagging).await;
    cluster.restart(lagging).await;
    cluster.write().await;
    cluster.converge().await;
    assert_eq!(cluster.machines[&lagging].0.lock().installed, installed);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_state_that_was_lost_is_had_from_the_others() {
    let mut cluster = Cluster::start(&[1, 2, 3]).await;
    let leader = cluster.leader().await;
    let victim = if leader == 3 { 2 } else { 3 };
    for _ in 0..200 {
        cluster.write().await;
    }
    let group = cluster.group(victim).clone();
    eventually("a cut log", || (group.status().first_index > 50).then_some(())).await;
    // The cut itself is not synced.
    cluster.write().await;
    cluster.converge().await;
    cluster.kill(victim).await;
    *cluster.machines[&victim].0.lock() = Default::default();
    cluster.restart(victim).await;
    cluster.write().await;
    cluster.converge().await;
    assert_eq!(cluster.machines[&victim].0.lock().installed, 1);
    let group = cluster.group(victim).clone();
    eventually("it serves", || (group.status().state == ReplicaState::Active).then_some(())).await;
}

/// An entry whose application never ends on any replica: the group skips it, and goes on. Restarts do not help, and do no harm.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_entry_that_stops_all_replicas_is_skipped() {
    let mut cluster = Cluster::start(&[1, 2, 3]).await;
    let leader = cluster.leader().await;
    cluster.write().await;
    cluster.converge().await;
    for machine in cluster.machines.values() {
        machine.0.lock().endless = Some(66);
    }
    let before = cluster.group(leader).applied();
    let poison = Proposal { request: RequestId { origin: 1, seq: 66 }, body: Bytes::new() };
    let group = cluster.group(leader).clone();
    let client = tokio::spawn(async move { group.propose(poison).await });
    let group = cluster.group(leader).clone();
    eventually("it is committed", || (group.status().commit > before).then_some(())).await;
    assert!(!group.skip(Position { index: before, term: 2 }).unwrap(), "what is applied is not skipped");
    // One finds it at its start.
    let other = if leader == 3 { 2 } else { 3 };
    cluster.machines[&other].1.stop();
    cluster.kill(other).await;
    cluster.restart(other).await;
    let term = group.status().term;
    assert!(group.skip(Position { index: before + 1, term }).unwrap());
    let outcome = client.await.unwrap().unwrap();
    assert!(matches!(*outcome, Outcome::Failed { .. }), "{outcome:?}");
    cluster.write().await;
    cluster.converge().await;
    for (id, machine) in &cluster.machines {
        assert_eq!(machine.0.lock().skipped, [before + 1], "node {id}");
        assert_eq!(cluster.group(*id).status().stuck, None);
    }
}

/// A replica that has applied what the group then skips gives up its state.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_has_applied_what_is_skipped_is_rebuilt() {
    let mut cluster = Cluster::start(&[1, 2, 3]).await;
    let leader = cluster.leader().await;
    cluster.write().await;
    cluster.converge().await;
    let lucky = if leader == 3 { 2 } else { 3 };
    for (id, machine) in &cluster.machines {
        machine.0.lock().endless = Some(66).filter(|_| *id != lucky);
    }
    let (group, before) = (cluster.group(leader).clone(), cluster.group(leader).applied());
    let poison = Proposal { request: RequestId { origin: 1, seq: 66 }, body: Bytes::new() };
    let client = tokio::spawn(async move { group.propose(poison).await });
    let applied = cluster.group(lucky).clone();
    eventually("one applies it", || (applied.applied() > before).then_some(())).await;
    let group = cluster.group(leader).clone();
    assert!(group.skip(Position { index: before + 1, term: group.status().term }).unwrap());
    assert!(matches!(*client.await.unwrap().unwrap(), Outcome::Failed { .. }));
    cluster.write().await;
    cluster.converge().await;
    assert_eq!(cluster.machines[&lucky].0.lock().installed, 1);
}

/// Whoever proposes to skip an entry does not apply it before that is decided.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_proposal_to_skip_outlives_the_process() {
    let mut cluster = Cluster::start(&[1, 2, 3]).await;
    let leader = cluster.leader().await;
    cluster.write().await;
    cluster.converge().await;
    for machine in cluster.machines.values() {
        machine.0.lock().endless = Some(66);
    }
    let (group, before) = (cluster.group(leader).clone(), cluster.group(leader).applied());
    let poison = Proposal { request: RequestId { origin: 1, seq: 66 }, body: Bytes::new() };
    let proposer = group.clone();
    tokio::spawn(async move { proposer.propose(poison).await });
    eventually("it is committed", || (group.status().commit > before).then_some(())).await;
    for id in (1..=3).filter(|id| *id != leader) {
        cluster.machines[&id].1.stop();
        cluster.kill(id).await;
    }
    assert!(group.skip(Position { index: before + 1, term: group.status().term }).unwrap());
    cluster.machines[&leader].1.stop();
    cluster.kill(leader).await;
    // Now it could be applied.
    for machine in cluster.machines.values() {
        machine.0.lock().endless = None;
    }
    cluster.restart(leader).await;
    let stuck = cluster.group(leader).status().stuck.expect("it waits");
    assert_eq!((stuck.at.index, stuck.why), (before + 1, Standstill::Doubtful));
    for id in (1..=3).filter(|id| *id != leader) {
        cluster.restart(id).await;
    }
    // Decided in one way or the other, and the same everywhere.
    cluster.write().await;
    eventually("equal states", || {
        let states: Vec<_> = cluster.machines.values().map(|m| m.0.lock().clone()).collect();
        let same =
            |w: &[State]| w[0].history == w[1].history && w[0].skipped == w[1].skipped && w[0].applied == w[1].applied;
        states.windows(2).all(same).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn leadership_moves_without_losing_anything() {
    let mut cluster = Cluster::start(&[1, 2, 3]).await;
    let first = cluster.leader().await;
    let next = 1 + first % 3;
    cluster.write().await;
    assert!(cluster.group(first).hand_over(Some(NodeId(next)), soon()).await);
    eventually("the transfer", || cluster.group(next).is_leader().then_some(())).await;
    cluster.write().await;
    assert_eq!(cluster.group(first).leadership().leader_node, Some(NodeId(next)));

    // A full disk gives the leadership away and takes no appends until there is room.
    cluster.running[&next].node.set_disk_full(true);
    eventually("the leadership given up", || (!cluster.group(next).is_leader()).then_some(())).await;
    cluster.write().await;
    cluster.running[&next].node.set_disk_full(false);
    cluster.write().await;
    cluster.converge().await;

    // A graceful end hands over first.
    let leader = cluster.leader().await;
    let gone = cluster.running.remove(&leader).unwrap();
    gone.node.shutdown(Duration::from_secs(5)).await;
    assert!(matches!(
        gone.group.propose(Proposal { request: RequestId { origin: 9, seq: 9 }, body: Bytes::new() }).await,
        Err(ProposeError::Stopped)
    ));
    gone.network.close();
    cluster.write().await;
    cluster.converge().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_joins_as_learner_and_replaces_another() {
    let mut cluster = Cluster::start(&[1, 2, 3]).await;
    for _ in 0..60 {
        cluster.write().await;
    }
    let leader = cluster.leader().await;
    cluster.restart(4).await;
    let group = cluster.group(leader).clone();
    assert_eq!(group.promote(replica(4)).await, Err(ChangeError::NotMember(replica(4))));
    assert_eq!(group.remove(replica(leader)).await, Err(ChangeError::IsLeader(replica(leader))));
    group.add_learner(replica(4), NodeId(4)).await.unwrap();
    let old = 1 + leader % 3;
    let deadline = soon();
    loop {
        let change = crate::replica::core::Change::Swap { promote: replica(4), demote: replica(old) };
        match group.change(change).await {
            Ok(()) => break,
            Err(ChangeError::NotCaughtUp(_) | ChangeError::Busy) if Instant::now() < deadline => {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            Err(other) => panic!("{other}: {}", cluster.describe()),
        }
    }
    assert_eq!(group.remove(replica(1 + old % 3)).await, Err(ChangeError::Votes(replica(1 + old % 3))));
    group.remove(replica(old)).await.unwrap();
    cluster.kill(old).await;
    cluster.write().await;
    cluster.converge().await;
    let mut voters: Vec<_> = [1, 2, 3, 4].into_iter().filter(|id| *id != old).map(replica).collect();
    voters.sort();
    eventually("the joint configuration left", || {
        let membership = cluster.group(4).status().membership;
        (membership.voters == voters && membership.voters_outgoing.is_empty()).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn failures_of_the_state_machine() {
    let mut cluster = Cluster::start(&[1, 2, 3]).await;
    let leader = cluster.leader().await;
    let follower = 1 + leader % 3;
    cluster.write().await;
    cluster.converge().await;

    // Outside reasons: tried again.
    cluster.machines[&follower].0.lock().faults = vec![Halt::Environment("disk on fire".into()); 3];
    cluster.write().await;
    cluster.converge().await;

    // Divergence: rebuilt from the leader's snapshot.
    cluster.machines[&follower].0.lock().faults = vec![Halt::Diverged { index: 1, ours: 1, theirs: 2 }];
    cluster.write().await;
    cluster.write().await;
    cluster.converge().await;
    assert_eq!(cluster.machines[&follower].0.lock().installed, 1);
    eventually("service again", || (cluster.group(follower).status().state == ReplicaState::Active).then_some(()))
        .await;

    // Corruption of the leader: it gives up, the others go on.
    let leader = cluster.leader().await;
    cluster.machines[&leader].0.lock().faults = vec![Halt::Corrupt("bits".into())];
    cluster.write().await;
    assert_eq!(cluster.group(leader).status().state, ReplicaState::Halted("bits".into()));
    assert_ne!(cluster.group(leader).leadership().role, Role::Leader);
    assert!(cluster.group(leader).read_index(soon()).await.is_err());
    cluster.write().await;
}

/// A state that cannot be written: the replica says so, others lead, and it goes on by itself.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_state_machine_that_fails_for_long_goes_on_by_itself() {
    let mut cluster = Cluster::start(&[1, 2, 3]).await;
    let leader = cluster.leader().await;
    cluster.write().await;
    cluster.machines[&leader].0.lock().broken = true;
    let group = cluster.group(leader).clone();
    let request = RequestId { origin: 2, seq: 1 };
    let waiting = group.propose(Proposal { request, body: Bytes::new() });
    assert_eq!(tokio::time::timeout(Duration::from_secs(10), waiting).await, Ok(Err(ProposeError::Unknown)));
    cluster.seq += 1;
    cluster.write().await;
    let failing = ReplicaState::Failing("no space left".into());
    eventually("another leader", || (!group.is_leader() && group.status().state == failing).then_some(())).await;
    assert!(group.read_index(soon()).await.is_err(), "nobody waits for it");
    assert!(matches!(group.propose(Proposal { request, body: Bytes::new() }).await, Err(ProposeError::Halted(_))));
    for _ in 0..20 {
        cluster.write().await;
    }
    cluster.machines[&leader].0.lock().broken = false;
    cluster.converge().await;
    eventually("service again", || (group.status().state == ReplicaState::Active).then_some(())).await;
    let index = group.read_index(soon()).await.unwrap();
    assert!(group.applied() >= index);
}

/// The same of the log, which all groups of the node share.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_that_cannot_be_written_goes_on_by_itself() {
    let mut cluster = Cluster::start(&[1, 2, 3]).await;
    for victim in ["the leader", "a follower"] {
        let leader = cluster.leader().await;
        let victim = if victim == "the leader" { leader } else { 1 + leader % 3 };
        cluster.write().await;
        cluster.full[&victim].store(true, Ordering::Relaxed);
        for _ in 0..20 {
            cluster.write().await;
        }
        let group = cluster.group(victim).clone();
        eventually("the replica says so", || {
            let status = group.status();
            (matches!(status.state, ReplicaState::Failing(_)) && status.role != Role::Leader).then_some(())
        })
        .await;
        assert!(group.read_index(soon()).await.is_err(), "nobody waits for it");
        cluster.write().await;
        cluster.full[&victim].store(false, Ordering::Relaxed);
        cluster.converge().await;
        eventually("service again", || (group.status().state == ReplicaState::Active).then_some(())).await;
        group.read_index(soon()).await.unwrap();
    }
    // A node whose log cannot be written can be stopped all the same.
    let leader = cluster.leader().await;
    cluster.full[&leader].store(true, Ordering::Relaxed);
    cluster.write().await;
    let stopped = tokio::time::timeout(Duration::from_secs(10), cluster.kill(leader)).await;
    stopped.expect("the node stops");
    cluster.full[&leader].store(false, Ordering::Relaxed);
    cluster.restart(leader).await;
    cluster.write().await;
    cluster.converge().await;
}

/// Old entries come from the disk, through another thread.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_follower_that_lags_gets_old_entries() {
    let mut cluster = Cluster::start_with(&[1, 2, 3], Duration::from_millis(20), Some(0)).await;
    let leader = cluster.leader().await;
    let lagging = 1 + leader % 3;
    cluster.kill(lagging).await;
    for _ in 0..300 {
        cluster.write().await;
    }
    cluster.restart(lagging).await;
    cluster.converge().await;
    assert_eq!(cluster.machines[&lagging].0.lock().installed, 0, "its entries were there");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_between_nodes() {
    let mut cluster = Cluster::start(&[1, 2]).await;
    let network = cluster.running[&1].network.clone();
    eventually("connections", || (network.connected() == [NodeId(2)]).then_some(())).await;
    let call = |text: &'static str, patience| {
        let network = network.clone();
        async move { network.call(NodeId(2), Bytes::from_static(text.as_bytes()), Instant::now() + patience).await }
    };
    let long = Duration::from_secs(10);
    loop {
        match call("hi", long).await {
            Err(CallError::Refused(_)) => tokio::time::sleep(Duration::from_millis(2)).await,
            answer => break assert_eq!(answer, Ok(Bytes::from_static(b"n1:hi"))),
        }
    }
    assert_eq!(call("sleep", Duration::from_millis(20)).await, Err(CallError::TimedOut(NodeId(2))));
    let (lost, ()) = tokio::join!(call("sleep", long), async {
        tokio::time::sleep(Duration::from_millis(20)).await;
        cluster.kill(2).await;
    });
    assert_eq!(lost, Err(CallError::ConnectionLost(NodeId(2))));
    assert!(matches!(call("hi", long).await, Err(CallError::Refused(_))));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_single_replica_needs_nobody() {
    let mut cluster = Cluster::start(&[1]).await;
    for _ in 0..10 {
        cluster.write().await;
    }
    cluster.kill(1).await;
    cluster.restart(1).await;
    cluster.write().await;
    assert!(cluster.group(1).read_index(soon()).await.unwrap() > 10);
    cluster.converge().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn strangers_are_refused() {
    let cluster = Cluster::start(&[1]).await;
    let dial = |cluster_id: u128, node: u64, incarnation: u64| {
        let identity = PeerIdentity { cluster: cluster_id, node: NodeId(node), incarnation };
        let incoming = cluster.dir.path().join(format!("stranger{cluster_id}-{node}-{incarnation}"));
        let config = network_config(identity, String::new(), incoming);
        let network = Network::new(config, tokio::runtime::Handle::current()).unwrap();
        network.set_peer(NodeId(1), 1, cluster.addresses[&1].clone());
        network.set_peer(NodeId(5), 5, cluster.addresses[&1].clone());
        network
    };
    let friend = dial(7, 2, 2);
    let strangers = [dial(8, 2, 2), dial(7, 2, 13)];
    // The friend reaches the node it means, and not another node under that node's address.
    eventually("the friend", || (friend.connected() == [NodeId(1)]).then_some(())).await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(friend.connected(), [NodeId(1)]);
    assert!(strangers.iter().all(|s| s.connected().is_empty()));
}
