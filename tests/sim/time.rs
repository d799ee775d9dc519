//! Clocks in the simulation: how nodes hear of each other's, and what the time in the log may be, whatever clocks say.

use super::oracle::Check;
use super::world::{Action, World};
use quorate::clock::{Belief, Reading, TOLERANCE};
use quorate::command::{self, Batch};
use quorate::id::NodeId;
use quorate::raftlog::Entry;
use quorate::replica::conductor::contract::{Input, Now};
use quorate::transport::Beat;
use std::collections::BTreeMap;

/// What a node knows of the others' clocks is at most this old, and this wrong, µs.
const STALE: u64 = 3_500_000;
const WRONG: i64 = 1_200_000;
/// The log is set back when it is so far ahead, µs.
const SET_BACK: i64 = 10 * TOLERANCE;

/// What the clocks really were, and when entries were stamped.
#[derive(Default)]
pub struct Truth {
    /// What the voters' clocks said from a moment on, minus that moment.
    clocks: BTreeMap<u64, BTreeMap<u64, i64>>,
    /// When each entry was first seen: by index, term, and its own time. Who votes alone may lose a term that nobody has heard of,
    /// and lead it again with other entries.
    stamped: BTreeMap<(u64, u64, i64), u64>,
    /// Where the last committed batch ended, and when it was stamped.
    last: Option<(i64, u64)>,
}

impl Truth {
    /// The clocks' differences from the simulated time, from now on.
    pub fn set(&mut self, now: u64, skews: BTreeMap<u64, i64>) {
        self.clocks.insert(now, skews);
    }

    /// What a majority can have believed at a moment: (the latest time reached, the earliest not passed). Whoever reads clocks
    /// knows of each voter's what it said at some moment lately, and not of all what they said at the same one.
    fn believed(&self, moment: u64) -> (i64, i64) {
        let since = self.clocks.range(..=moment.saturating_sub(STALE)).next_back().map_or(0, |(at, _)| *at);
        let lately = || self.clocks.range(since..=moment).map(|(_, skews)| skews);
        let of = |voter: &u64| lately().filter_map(|skews| skews.get(voter).copied()).collect::<Vec<_>>();
        let belief = |pick: fn(Vec<i64>) -> Option<i64>, voters: &BTreeMap<u64, i64>| {
            let clocks: Vec<_> = voters.keys().map(|voter| pick(of(voter)).map(|skew| (skew, 0))).collect();
            Belief::of(&clocks, TOLERANCE).expect("all are known")
        };
        let latest = |clocks: Vec<i64>| clocks.into_iter().max();
        let earliest = |clocks: Vec<i64>| clocks.into_iter().min();
        let reached = lately().map(|voters| belief(latest, voters).reached).max().unwrap_or(0);
        let unpassed = lately().map(|voters| belief(earliest, voters).unpassed).min().unwrap_or(0);
        (reached + moment as i64, unpassed + moment as i64)
    }

    pub fn appends(&mut self, now: u64, entries: &[Entry]) {
        for entry in entries {
            if let Ok((time, _)) = command::head(&entry.data) {
                self.stamped.entry((entry.index, entry.term, time)).or_insert(now);
            }
        }
    }

    /// A batch is committed, in the order of the log.
    pub fn commits(&mut self, at: (u64, u64), batch: &Batch) -> Check {
        let stamped = self.stamped.get(&(at.0, at.1, batch.now)).copied().unwrap_or(0);
        let (reached, unpassed) = self.believed(stamped);
        if let Some((end, before)) = self.last {
            let waited = end + (stamped.saturating_sub(before) as i64) / 2;
            if batch.now > (reached + TOLERANCE).max(waited) + WRONG {
                let ahead = batch.now - reached;
                return Err(format!("the time of entry {} is {ahead} µs ahead of a majority's clocks", at.0));
            }
            if batch.now < end && end < unpassed + SET_BACK - WRONG {
                return Err(format!(
                    "the time of entry {}: {} after {end}, which a majority believed",
                    at.0, batch.now
                ));
            }
        }
        self.last = Some((batch.now + batch.commands.len() as i64, stamped));
        Ok(())
    }
}

impl World {
    /// Of a node's monotonic clock to the simulated time: such clocks have nothing to do with each other.
    pub(super) fn offset(&self, id: u64) -> i64 {
        (self.nodes[&id].epoch * 1_000_003 + id * 77) as i64
    }

    pub(super) fn moment(&self, id: u64) -> Now {
        let node = &self.nodes[&id];
        let monotonic = self.now as i64 + self.offset(id);
        // Looked at with each tick, as the driver does.
        let ticks = node.live.as_ref().filter(|live| monotonic >= live.conductor.next_tick());
        let sync = ticks.and_then(|live| live.syncs.at_present(monotonic));
        Now { wall: self.now as i64 + node.skew, monotonic, sync }
    }

    /// As a node's gateway reads its clock.
    fn reading(&self, id: u64) -> Reading {
        let Now { wall, monotonic, .. } = self.moment(id);
        let time = self.nodes[&id].live.as_ref().map(|live| live.time);
        let belief = time.and_then(|time| time.belief).filter(|(_, until)| monotonic < *until);
        Reading { wall, monotonic, belief: belief.map(|(belief, _)| belief) }
    }

    pub(super) fn beat(&mut self, from: u64, to: u64, beat: Beat) {
        if !self.loses(from, to) {
            let (low, high) = self.plan.latency;
            let delay = self.random.range(low, high);
            self.after(delay, Action::Beat { from, node: to, beat });
        }
    }

    pub(super) fn hears(&mut self, id: u64, from: u64, beat: Beat) -> Check {
        let at = self.moment(id).monotonic;
        self.input(id, Input::Beat { from: NodeId(from), beat, at })
    }

    /// The gateway's tasks read the clock when they want.
    pub(super) fn publish_time(&self, id: u64) {
        let (now, reading) = (self.now as i64, self.reading(id));
        if let Some(served) = self.nodes[&id].live.as_ref().and_then(|live| live.gateway.as_ref()) {
            served.replica.set_clock(now, reading);
        }
    }

    /// A clock has been set, or others have a vote, or all is for the first time.
    pub(super) fn note_clocks(&mut self) {
        let skews = self.members.voters().iter().map(|id| (id.0, self.nodes[&id.0].skew)).collect();
        self.oracle.truth.set(self.now, skews);
        for id in self.members.here() {
            self.publish_time(id);
        }
    }
}
