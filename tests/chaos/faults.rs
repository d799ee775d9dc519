//! What goes wrong: one fault at a time, for a while, then it is healed and the clients must get on.

use super::client::Field;
use crate::sim::random::Random;
use crate::support::cluster::{Cluster, run_program};
use crate::support::shim::Trouble;
use crate::support::{PATIENCE, eventually};
use std::collections::BTreeMap;
use std::time::Duration;

/// A kind of fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// SIGKILL of the leader.
    KillLeader,
    /// SIGKILL of somebody.
    Kill,
    KillAll,
    /// SIGSTOP of somebody.
    Pause,
    /// SIGTERM, and started again.
    Restart,
    /// The leadership of every database is handed over.
    Transfer,
    /// One node hears nobody and is not heard.
    Isolate,
    /// One node is heard and hears nobody.
    OneWay,
    /// A majority and the rest do not hear each other.
    Halves,
    /// Two nodes do not hear each other; all others hear both.
    Bridge,
    /// All links come and go.
    Flap,
    /// A machine loses its disk.
    Wipe,
    /// A machine joins, and then another one is removed.
    Exchange,
    /// A clock is set, by seconds or by hours, forwards or back, and later set right.
    ClockStep,
    /// Every sync of one machine takes long.
    SlowDisk,
    /// One machine's disk has no room.
    FullDisk,
}

impl Fault {
    pub const ALL: [Fault; 16] = [
        Fault::KillLeader,
        Fault::Kill,
        Fault::KillAll,
        Fault::Pause,
        Fault::Restart,
        Fault::Transfer,
        Fault::Isolate,
        Fault::OneWay,
        Fault::Halves,
        Fault::Bridge,
        Fault::Flap,
        Fault::Wipe,
        Fault::Exchange,
        Fault::ClockStep,
        Fault::SlowDisk,
        Fault::FullDisk,
    ];

    pub fn named(name: &str) -> Fault {
        let found = Fault::ALL.into_iter().find(|fault| format!("{fault:?}").eq_ignore_ascii_case(name));
        found.unwrap_or_else(|| panic!("no fault is called {name}; there are {:?}", Fault::ALL))
    }
}

/// See the module.
pub struct Chaos {
    random: Random,
    faults: Vec<Fault>,
    /// How often each came, and the longest time until clients got on after it was healed.
    seen: BTreeMap<Fault, (u32, Duration)>,
}

impl Chaos {
    pub fn new(random: Random, faults: Vec<Fault>) -> Chaos {
        Chaos { random, faults, seen: BTreeMap::new() }
    }

    /// A fault, its end, and clients that get on.
    pub async fn strike(&mut self, cluster: &mut Cluster, field: &Field) {
        let fault = self.random.pick(&self.faults);
        println!("{:>9} {fault:?}", field.now());
        self.inflict(fault, cluster).await;
        self.heal(cluster).await;
        let gap = field.progress(20).await;
        let seen = self.seen.entry(fault).or_default();
        *seen = (seen.0 + 1, seen.1.max(gap));
        self.wait(200, 1500).await;
    }

    async fn inflict(&mut self, fault: Fault, cluster: &mut Cluster) {
        let all = cluster.living();
        let one = self.random.pick(&all);
        let rest: Vec<u64> = all.iter().copied().filter(|id| *id != one).collect();
        let places = Places::of(cluster).await;
        match fault {
            Fault::KillLeader => {
                let leader = cluster.leader("quorate").await;
                cluster.kill(leader);
                self.wait(100, 2500).await;
            }
            Fault::Kill => {
                cluster.kill(one);
                self.wait(100, 2500).await;
            }
            Fault::KillAll => {
                all.iter().for_each(|id| cluster.kill(*id));
                self.wait(0, 500).await;
            }
            Fault::Pause => {
                cluster.pause(one);
                self.wait(100, 4000).await;
            }
            Fault::Restart => {
                let status = cluster.stop(one).await;
                assert!(status.success(), "node-{one} ends well: {status}");
            }
            Fault::Transfer => {
                let addr = format!("127.0.0.1:{}", cluster.node(one).http);
                // It may be refused: nobody else is near enough just now.
                run_program(&["transfer", "--addr", &addr, "--database", "quorate"]).await;
            }
            Fault::Isolate => {
                places.split(cluster, &[one], &rest);
                self.wait(200, 4000).await;
            }
            Fault::OneWay => {
                rest.iter().for_each(|other| places.cut_one_way(cluster, *other, one));
                self.wait(200, 4000).await;
            }
            Fault::Halves => {
                let (few, many) = all.split_at(all.len() / 2);
                places.split(cluster, few, many);
                self.wait(200, 4000).await;
            }
            Fault::Bridge => {
                places.split(cluster, &[one], &rest[..1]);
                self.wait(200, 4000).await;
            }
            Fault::Flap => {
                for _ in 0..self.random.range(3, 10) {
                    places.split(cluster, &[one], &rest);
                    self.wait(10, 300).await;
                    cluster.switch().heal();
                    self.wait(10, 300).await;
                }
            }
            Fault::Wipe => {
                cluster.wait_ready().await;
                cluster.kill(one);
                cluster.wipe(one);
                self.wait(0, 500).await;
            }
            Fault::Exchange => self.exchange(cluster).await,
            Fault::ClockStep => {
                let clock_seconds = self.random.pick(&[-7200, -5, -1, 1, 5, 7200]);
                cluster.trouble(one, Trouble { clock_seconds, ..Trouble::default() });
                self.wait(500, 4000).await;
            }
            Fault::SlowDisk => {
                let sync_micros = self.random.pick(&[20_000, 200_000, 1_000_000]);
                cluster.trouble(one, Trouble { sync_micros, ..Trouble::default() });
                self.wait(500, 4000).await;
            }
            Fault::FullDisk => {
                cluster.trouble(one, Trouble { full: true, ..Trouble::default() });
                self.wait(200, 2000).await;
            }
        }
    }

    /// A further machine joins, one of the old ones is removed and set up again as a new one, and the further one goes.
    async fn exchange(&mut self, cluster: &mut Cluster) {
        cluster.wait_ready().await;
        let old = cluster.living();
        let leaves = self.random.pick(&old);
        let asked = *old.iter().find(|id| **id != leaves).expect("more than one node");
        let new = cluster.join(asked);
        cluster.wait_node_ready(new).await;
        for gone in [leaves, new] {
            let name = format!("node-{gone}");
            let told = eventually("a machine is removed", PATIENCE, async || {
                match cluster.order(asked, &["remove", &name]).await {
                    Err(why) if why.contains("no node") => Ok("removed".into()),
                    told => told,
                }
            })
            .await;
            assert!(told.contains("removed"), "{told}");
            assert_eq!(cluster.ended(gone).await.code(), Some(1), "{name} is told");
            cluster.wipe(gone);
            if gone == leaves {
                cluster.restart(gone).await;
            }
        }
        cluster.nodes.remove(&new);
    }

    /// Everybody runs and hears everybody.
    pub async fn heal(&mut self, cluster: &mut Cluster) {
        cluster.switch().heal();
        let all: Vec<u64> = cluster.nodes.keys().copied().collect();
        for id in all {
            cluster.trouble(id, Trouble::default());
            cluster.resume_if_paused(id);
            if !cluster.is_running(id) {
                cluster.spawn(id);
            }
        }
    }

    async fn wait(&mut self, low: u64, high: u64) {
        let ms = self.random.range(low, high);
        tokio::time::sleep(Duration::from_millis(ms)).await;
    }

    pub fn report(&self) -> String {
        let line = |(fault, (count, gap)): (&Fault, &(u32, Duration))| {
            format!("{fault:?}: {count} times, 20 acknowledged at most {} ms after its end", gap.as_millis())
        };
        self.seen.iter().map(line).collect::<Vec<_>>().join("\n")
    }
}

/// By which ids the machines speak: one that has lost its disk has another than its place.
struct Places(BTreeMap<u64, u64>);

impl Places {
    async fn of(cluster: &Cluster) -> Places {
        for id in cluster.living() {
            let Ok(status) = cluster.status(id).await else { continue };
            let place = |name: &str| name.strip_prefix("node-").and_then(|n| n.parse().ok());
            return Places(status.nodes.iter().filter_map(|n| Some((place(&n.node)?, n.id))).collect());
        }
        Places(BTreeMap::new())
    }

    fn cut_one_way(&self, cluster: &Cluster, from: u64, to: u64) {
        // The proxy knows the caller by the id that it says, and the called one by its place.
        for caller in [Some(&from), self.0.get(&from)].into_iter().flatten() {
            cluster.switch().cut_one_way(*caller, to);
        }
        for answerer in [Some(&to), self.0.get(&to)].into_iter().flatten() {
            cluster.switch().cut_one_way(from, *answerer);
        }
    }

    fn split(&self, cluster: &Cluster, side: &[u64], rest: &[u64]) {
        for a in side {
            for b in rest {
                self.cut_one_way(cluster, *a, *b);
                self.cut_one_way(cluster, *b, *a);
            }
        }
    }
}
