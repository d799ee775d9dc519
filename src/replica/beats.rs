//! What the nodes of a cluster know of each other's clocks and disks: short messages, ten a second, that travel beside Raft's.
//!
//! A beat echoes the last one of its addressee, so each side learns how long a round takes, and so how wrong its idea of the
//! other's clock may be (as NTP does it). Pure: whoever calls brings the time.

use crate::clock::Belief;
use crate::id::NodeId;
use crate::transport::{Beat, Echo};
use std::collections::{BTreeMap, VecDeque};

/// What is older says nothing any more, µs.
const FRESH: i64 = 3_000_000;
/// Rounds that took longer say too little, µs.
const LONGEST_ROUND: i64 = 1_000_000;
/// No clock is farther off, µs (3,000 years): sums with it do not overflow.
const FARTHEST: i64 = 100_000_000_000_000_000;
/// How wrong the difference between two clocks becomes by itself: they run at rates that differ by one in so many, at most.
const DRIFT: i64 = 2000;
const SAMPLES: usize = 16;

/// The two clocks of a machine at one moment, µs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Moment {
    /// Since 2000-01-01 00:00 UTC.
    pub wall: i64,
    pub monotonic: i64,
}

/// One round: the peer's clock minus this node's monotonic one, and how wrong that may be.
#[derive(Clone, Copy, Debug)]
struct Sample {
    difference: i64,
    error: i64,
    at: i64,
}

impl Sample {
    fn error_at(&self, now: i64) -> i64 {
        self.error + (now - self.at).max(0) / DRIFT
    }
}

#[derive(Clone, Debug, Default)]
struct Peer {
    samples: VecDeque<Sample>,
    /// When its last beat left, on its clock, and when it came, on this one.
    last: Option<(i64, i64)>,
    /// How long its disk takes for a sync, µs, and when it said so.
    sync: Option<(u64, i64)>,
}

/// See the module.
#[derive(Clone, Debug)]
pub struct Beats {
    me: NodeId,
    /// How far a clock may be from a majority's, µs.
    tolerance: i64,
    peers: BTreeMap<NodeId, Peer>,
}

impl Beats {
    pub fn new(me: NodeId, tolerance: i64) -> Beats {
        Beats { me, tolerance, peers: BTreeMap::new() }
    }

    /// What to send to a node now. `sync` is how long a sync takes here at present, µs, if that is known.
    pub fn beat(&self, to: NodeId, now: Moment, sync: Option<u64>) -> Beat {
        let last = self.peers.get(&to).and_then(|peer| peer.last);
        let echo = last.map(|(sent, came)| Echo { sent, held: now.monotonic - came });
        Beat { sent: now.monotonic, wall: now.wall, echo, sync }
    }

    /// A beat has come in at `at`. True when its sender has heard nothing yet and should at once.
    pub fn heard(&mut self, from: NodeId, beat: &Beat, at: i64) -> bool {
        let peer = self.peers.entry(from).or_default();
        if peer.last.is_none_or(|(_, came)| came <= at) {
            peer.last = Some((beat.sent, at));
        }
        if let Some(sync) = beat.sync {
            peer.sync = Some((sync, at));
        }
        let Some(echo) = beat.echo else { return true };
        let round = at.saturating_sub(echo.sent).saturating_sub(echo.held);
        let difference = beat.wall.saturating_add(round / 2).saturating_sub(at);
        if (0..=LONGEST_ROUND).contains(&round) && difference.abs() < FARTHEST {
            peer.note(Sample { difference, error: round / 2 + 1, at });
        }
        false
    }

    /// A node's clock minus this node's monotonic one, and how wrong that may be, µs; `None` if it is not known.
    pub fn clock(&self, node: NodeId, now: Moment) -> Option<(i64, i64)> {
        if node == self.me {
            return Some((now.wall - now.monotonic, 0));
        }
        let samples = self.peers.get(&node)?.samples.iter();
        let fresh = samples.filter(|sample| now.monotonic - sample.at < FRESH);
        let best = fresh.min_by_key(|sample| sample.error_at(now.monotonic))?;
        Some((best.difference, best.error_at(now.monotonic)))
    }

    /// What a majority of the voters believes about the time.
    pub fn belief(&self, voters: &[NodeId], now: Moment) -> Option<Belief> {
        let clocks: Vec<_> = voters.iter().map(|node| self.clock(*node, now)).collect();
        Belief::of(&clocks, self.tolerance)
    }

    /// How long a sync takes at a node, µs, if that was said lately.
    pub fn sync(&self, node: NodeId, now: Moment) -> Option<u64> {
        let (sync, at) = self.peers.get(&node)?.sync?;
        (now.monotonic - at < FRESH / 3).then_some(sync)
    }
}

/// After so many ticks without a sign of life a node counts as silent: an election timeout.
pub const SILENT: usize = 10;

/// Which nodes give signs of life, counted in ticks: time that this process has not seen pass does not count.
#[derive(Clone, Debug, Default)]
pub struct Hearing {
    silence: BTreeMap<NodeId, usize>,
}

impl Hearing {
    /// A node should be heard from now on.
    pub fn expect(&mut self, node: NodeId) {
        self.silence.entry(node).or_insert(0);
    }

    /// A node has given a sign of life; true if it was silent.
    pub fn hear(&mut self, node: NodeId) -> bool {
        self.silence.insert(node, 0).is_some_and(|ticks| ticks >= SILENT)
    }

    /// A tick has passed: those that are silent from now on.
    pub fn tick(&mut self) -> Vec<NodeId> {
        self.silence.values_mut().for_each(|ticks| *ticks = ticks.saturating_add(1));
        self.silence.iter().filter(|(_, ticks)| **ticks == SILENT).map(|(node, _)| *node).collect()
    }

    pub fn is_silent(&self, node: NodeId) -> bool {
        self.silence.get(&node).is_some_and(|ticks| *ticks >= SILENT)
    }
}

impl Peer {
    fn note(&mut self, new: Sample) {
        // A clock that was set makes everything void that was known of it before.
        let agrees = |old: &Sample| (old.difference - new.difference).abs() <= old.error_at(new.at) + new.error;
        if !self.samples.iter().all(agrees) {
            self.samples.clear();
        }
        self.samples.push_back(new);
        if self.samples.len() > SAMPLES {
            self.samples.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: i64 = 1000;

    /// Two nodes whose monotonic clocks differ as well, and the ways between them.
    fn exchange(a: &mut Beats, b: &mut Beats, t: i64, ahead: i64, there: i64, back: i64) -> Moment {
        let at_a = |t: i64| Moment { wall: t, monotonic: t - 7 * MS };
        let at_b = |t: i64| Moment { wall: t + ahead, monotonic: t + 90 * MS };
        let beat = a.beat(NodeId(2), at_a(t), None);
        b.heard(NodeId(1), &beat, at_b(t + there).monotonic);
        let answered = t + there + 3 * MS;
        let beat = b.beat(NodeId(1), at_b(answered), Some(120));
        let end = at_a(answered + back);
        a.heard(NodeId(2), &beat, end.monotonic);
        end
    }

    fn pair() -> (Beats, Beats) {
        (Beats::new(NodeId(1), 500 * MS), Beats::new(NodeId(2), 500 * MS))
    }

    #[test]
    fn a_round_tells_the_others_clock_within_half_of_its_length() {
        for (there, back) in [(1, 1), (5, 45), (300, 20), (0, 80)] {
            let (mut a, mut b) = pair();
            let now = exchange(&mut a, &mut b, 1000 * MS, 60_000 * MS, there * MS, back * MS);
            let (difference, error) = a.clock(NodeId(2), now).unwrap();
            let off = difference - (now.wall + 60_000 * MS - now.monotonic);
            assert!(off.abs() <= error, "{there} {back}: {off} {error}");
            assert!(error <= (there + back) * MS / 2 + 1);
            assert_eq!(a.sync(NodeId(2), now), Some(120));
        }
    }

    #[test]
    fn the_shortest_round_counts_until_a_clock_is_set() {
        let (mut a, mut b) = pair();
        exchange(&mut a, &mut b, 0, 0, MS, MS);
        let now = exchange(&mut a, &mut b, 100 * MS, 0, 400 * MS, 3 * MS);
        assert!(a.clock(NodeId(2), now).unwrap().1 < 2 * MS);
        let now = exchange(&mut a, &mut b, 900 * MS, 3_600_000 * MS, 2 * MS, 2 * MS);
        let belief = a.belief(&[NodeId(1), NodeId(2), NodeId(3)], now).unwrap();
        assert!(belief.unpassed - belief.reached > 3_500_000 * MS, "{belief:?}");
    }

    #[test]
    fn what_is_old_is_forgotten() {
        let (mut a, mut b) = pair();
        let mut now = exchange(&mut a, &mut b, 0, 0, MS, MS);
        assert!(a.belief(&[NodeId(1), NodeId(2), NodeId(3)], now).is_some());
        now.monotonic += FRESH;
        assert!(a.belief(&[NodeId(1), NodeId(2), NodeId(3)], now).is_none());
        assert!(a.belief(&[NodeId(1)], now).is_some());
    }

    #[test]
    fn a_node_is_silent_once_and_then_heard_once() {
        let mut hearing = Hearing::default();
        hearing.expect(NodeId(2));
        let silent: Vec<usize> = (1..50).filter(|_| !hearing.tick().is_empty()).collect();
        assert_eq!(silent, [SILENT]);
        assert!(hearing.is_silent(NodeId(2)) && hearing.hear(NodeId(2)) && !hearing.hear(NodeId(2)));
        assert!(!hearing.is_silent(NodeId(2)) && !hearing.hear(NodeId(3)) && hearing.tick().is_empty());
    }

    #[test]
    fn whoever_has_heard_nothing_is_answered_at_once() {
        let (mut a, mut b) = pair();
        let now = Moment { wall: 0, monotonic: 0 };
        let first = a.beat(NodeId(2), now, None);
        assert!(b.heard(NodeId(1), &first, 5));
        let second = b.beat(NodeId(1), Moment { wall: 0, monotonic: 6 }, None);
        assert!(!a.heard(NodeId(2), &second, 9));
    }
}
