//! Who of a group's voters had better not lead: one whose clock is far from a majority's, or whose disk is much slower than
//! what a majority's would allow. Pure: whoever calls brings the time.

use super::beats::{Beats, Moment};
use crate::id::NodeId;
use std::collections::{BTreeMap, VecDeque};
use std::fmt;

/// A disk is slow that takes so many times as long for a sync as a majority …
const SLOWER: u64 = 10;
/// … and at least this long, µs …
const SLOW: u64 = 10_000;
/// … and for so long now, µs.
const PATIENCE: i64 = 500_000;
/// Of the syncs that tell how long one takes at present, µs.
const WINDOW: i64 = 500_000;
/// A disk that was not written to for so long may have become another one, µs.
const FORGOTTEN: i64 = 2_000_000;

/// Why a node had better not lead. All in µs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unfit {
    /// Its clock is so far ahead of a majority's, or behind if negative.
    Clock(i64),
    /// A sync takes so long there; a majority of disks would have it done in the other time.
    Disk { takes: u64, elsewhere: u64 },
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = |micros: u64| micros as f64 / 1000.0;
        match *self {
            Unfit::Clock(ahead) => {
                let side = if ahead < 0 { "behind" } else { "ahead of" };
                write!(f, "its clock is {} ms {side} a majority's", ms(ahead.unsigned_abs()))
            }
            Unfit::Disk { takes, elsewhere } => {
                write!(f, "its disk takes {} ms for a sync, a majority's take {} ms", ms(takes), ms(elsewhere))
            }
        }
    }
}

/// What a leader thinks of the voters; it remembers since when a disk is slow.
#[derive(Clone, Debug, Default)]
pub struct Judge {
    slow: BTreeMap<NodeId, i64>,
}

impl Judge {
    /// `own` is how long a sync takes at this node, `me`.
    pub fn unfit(
        &mut self,
        (me, own): (NodeId, Option<u64>),
        beats: &Beats,
        voters: &[NodeId],
        now: Moment,
    ) -> BTreeMap<NodeId, Unfit> {
        let mut unfit = BTreeMap::new();
        let sync = |node: NodeId| if node == me { own } else { beats.sync(node, now) };
        self.judge_disks(&voters.iter().map(|node| (*node, sync(*node))).collect::<Vec<_>>(), now, &mut unfit);
        if let Some(belief) = beats.belief(voters, now) {
            for node in voters {
                let clock = beats.clock(*node, now);
                let excess = clock.map_or(0, |(difference, error)| belief.excess(difference, error));
                if excess != 0 {
                    unfit.insert(*node, Unfit::Clock(excess));
                }
            }
        }
        unfit
    }

    fn judge_disks(&mut self, syncs: &[(NodeId, Option<u64>)], now: Moment, unfit: &mut BTreeMap<NodeId, Unfit>) {
        let mut known: Vec<u64> = syncs.iter().filter_map(|(_, sync)| *sync).collect();
        known.sort_unstable();
        let elsewhere = known.get(syncs.len() / 2).copied();
        for (node, sync) in syncs {
            let slow = match (*sync, elsewhere) {
                (Some(takes), Some(elsewhere)) if takes >= SLOW && takes / SLOWER >= elsewhere => (takes, elsewhere),
                _ => {
                    self.slow.remove(node);
                    continue;
                }
            };
            let since = *self.slow.entry(*node).or_insert(now.monotonic);
            if now.monotonic - since >= PATIENCE {
                unfit.insert(*node, Unfit::Disk { takes: slow.0, elsewhere: slow.1 });
            }
        }
    }
}

/// How long syncs take on this node's disk.
#[derive(Clone, Debug, Default)]
pub struct Syncs {
    /// When they ended, and how long they took, µs.
    done: VecDeque<(i64, u64)>,
    /// Since when one is under way.
    running: Option<i64>,
}

impl Syncs {
    pub fn begin(&mut self, now: i64) {
        self.running = Some(now);
    }

    pub fn end(&mut self, now: i64) {
        let Some(began) = self.running.take() else { return };
        self.done.push_back((now, (now - began).max(0) as u64));
        while self.done.len() > 1 && self.done.front().is_some_and(|(at, _)| now - at > WINDOW) {
            self.done.pop_front();
        }
    }

    /// How long one takes at present, µs: the mean of the latest, or what the one under way has taken already if that is more.
    pub fn at_present(&self, now: i64) -> Option<u64> {
        let known = self.done.back().is_some_and(|(at, _)| now - at < FORGOTTEN);
        let recent = self.done.iter().rev().take_while(|(at, _)| now - at <= WINDOW).map(|(_, took)| *took);
        let (sum, count) = recent.fold((0, 0), |(sum, count), took| (sum + took, count + 1));
        let last = self.done.back().filter(|_| known).map(|(_, took)| *took);
        let mean = (count > 0).then(|| sum / count).or(last);
        let running = self.running.map(|began| (now - began).max(0) as u64);
        running.into_iter().chain(mean).max()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: i64 = 1000;

    fn disks(judge: &mut Judge, syncs: [Option<u64>; 3], at: i64) -> Vec<u64> {
        let mut unfit = BTreeMap::new();
        let nodes: Vec<_> = (1..).map(NodeId).zip(syncs).collect();
        judge.judge_disks(&nodes, Moment { wall: 0, monotonic: at }, &mut unfit);
        unfit.into_keys().map(|node| node.0).collect()
    }

    #[test]
    fn a_slow_disk_is_known_for_it_after_half_a_second() {
        let mut judge = Judge::default();
        let slow = [Some(500_000), Some(800), Some(2000)];
        assert!(disks(&mut judge, slow, 0).is_empty());
        assert!(disks(&mut judge, slow, 499 * MS).is_empty());
        assert_eq!(disks(&mut judge, slow, 500 * MS), [1]);
        assert!(disks(&mut judge, [Some(1000), Some(800), Some(2000)], 501 * MS).is_empty());
        assert!(disks(&mut judge, slow, 600 * MS).is_empty(), "it counts anew");
    }

    #[test]
    fn nobody_is_slow_where_a_majority_is_as_slow() {
        let mut judge = Judge::default();
        for syncs in
            [[Some(500_000), Some(400_000), Some(700)], [Some(500_000), None, None], [Some(9_000), Some(80), Some(90)]]
        {
            for at in [0, 600 * MS] {
                assert!(disks(&mut judge, syncs, at).is_empty(), "{syncs:?}");
            }
        }
    }

    #[test]
    fn a_sync_that_does_not_end_counts_for_as_long_as_it_has_taken() {
        let mut syncs = Syncs::default();
        assert_eq!(syncs.at_present(0), None);
        syncs.begin(0);
        syncs.end(2 * MS);
        syncs.begin(10 * MS);
        syncs.end(14 * MS);
        assert_eq!(syncs.at_present(20 * MS), Some(3000));
        assert_eq!(syncs.at_present(1900 * MS), Some(4000));
        assert_eq!(syncs.at_present(2100 * MS), None);
        syncs.begin(3000 * MS);
        assert_eq!(syncs.at_present(3700 * MS), Some(700_000));
    }

    #[test]
    fn a_clock_that_is_off_makes_unfit() {
        let (me, other) = (NodeId(1), NodeId(2));
        let mut beats = [me, other, NodeId(3)].map(|node| Beats::new(node, 500 * MS));
        let hour = 3_600_000 * MS;
        let walls = [hour, 0, 0];
        let now = |node: usize| Moment { wall: walls[node] + 5 * MS, monotonic: 5 * MS };
        for peer in [1, 2] {
            let beat = beats[0].beat(NodeId(peer as u64 + 1), now(0), None);
            beats[peer].heard(me, &beat, 5 * MS);
            let beat = beats[peer].beat(me, now(peer), None);
            beats[0].heard(NodeId(peer as u64 + 1), &beat, 5 * MS);
        }
        let voters = [me, other, NodeId(3)];
        let unfit = Judge::default().unfit((me, None), &beats[0], &voters, now(0));
        assert_eq!(unfit, [(me, Unfit::Clock(hour))].into());
        assert_eq!(unfit[&me].to_string(), "its clock is 3600000 ms ahead of a majority's");
    }
}
