//! Clocks in the simulation: how nodes hear of each other's, and what the time in the log may be, whatever clocks say.

use super::oracle::Check;
use super::plan::Bug;
use super::world::{Action, World};
use quorate::clock::{Belief, Reading, TOLERANCE};
use quorate::command::Batch;
use quorate::id::{NodeId, ReplicaId};
use quorate::raftlog::Entry;
use quorate::replica::beats::{Moment, SILENT};
use quorate::replica::core::{Event, Role};
use quorate::transport::Beat;
use std::collections::BTreeMap;

const BEAT: u64 = 100_000;
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
    /// When each entry was first seen.
    stamped: BTreeMap<(u64, u64), u64>,
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
            self.stamped.entry((entry.index, entry.term)).or_insert(now);
        }
    }

    /// A batch is committed, in the order of the log.
    pub fn commits(&mut self, at: (u64, u64), batch: &Batch) -> Check {
        let stamped = self.stamped.get(&at).copied().unwrap_or(0);
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
    fn moment(&self, id: u64) -> Moment {
        let node = &self.nodes[&id];
        // Monotonic clocks have nothing to do with each other.
        let monotonic = self.now as i64 + (node.epoch * 1_000_003 + id * 77) as i64;
        Moment { wall: self.now as i64 + node.skew, monotonic }
    }

    pub(super) fn reading(&self, id: u64) -> Reading {
        let Moment { wall, monotonic } = self.moment(id);
        if self.plan.bug == Some(Bug::UnboundedClock) {
            return Reading::alone(wall, monotonic);
        }
        let belief = self.nodes[&id].live.as_ref().and_then(|live| live.belief);
        Reading { wall, monotonic, belief }
    }

    /// As the driver does with every tick.
    pub(super) fn keep_time(&mut self, id: u64) -> Check {
        let now = self.now;
        let live = self.live(id);
        if now >= live.next_beat {
            live.next_beat = now + BEAT;
            for to in self.members.here().into_iter().filter(|to| *to != id) {
                self.live(id).hearing.expect(NodeId(to));
                self.beat(id, to);
            }
        }
        for silent in self.live(id).hearing.tick() {
            self.event(id, Event::Silent { replica: ReplicaId(silent.0), ticks: SILENT })?;
            if self.nodes[&id].live.is_none() {
                return Ok(());
            }
        }
        self.tell_time(id)
    }

    /// A sign of life.
    pub(super) fn hears(&mut self, id: u64, from: u64) -> Check {
        let Some(live) = self.node(id).live.as_mut() else { return Ok(()) };
        match live.hearing.hear(NodeId(from)) {
            true => self.event(id, Event::Heard(ReplicaId(from))),
            false => Ok(()),
        }
    }

    fn beat(&mut self, from: u64, to: u64) {
        let now = self.moment(from);
        let beat = self.live(from).beats.beat(NodeId(to), now, None);
        if !self.loses(from, to) {
            let (low, high) = self.plan.latency;
            let delay = self.random.range(low, high);
            self.after(delay, Action::Beat { from, node: to, beat });
        }
    }

    pub(super) fn heard(&mut self, id: u64, from: u64, beat: &Beat) -> Check {
        self.hears(id, from)?;
        let now = self.moment(id);
        let Some(live) = self.node(id).live.as_mut() else { return Ok(()) };
        let wants = live.beats.heard(NodeId(from), beat, now.monotonic);
        let unsure = live.belief.is_none();
        if wants {
            self.beat(id, from);
        }
        if unsure { self.tell_time(id) } else { Ok(()) }
    }

    fn tell_time(&mut self, id: u64) -> Check {
        let now = self.moment(id);
        let leaving = self.members.leaving();
        let live = self.live(id);
        let voters: Vec<NodeId> = live.core.membership().voters.iter().map(|voter| NodeId(voter.0)).collect();
        live.belief = live.beats.belief(&voters, now);
        if live.core.leadership().role == Role::Leader {
            let unfit = live.judge.unfit((NodeId(id), None), &live.beats, &voters, now);
            let unfit = unfit.keys().map(|node| ReplicaId(node.0));
            live.core.step(Event::Unfit(unfit.chain(leaving).collect()));
        }
        self.publish_time(id);
        let reading = self.reading(id);
        self.event(id, Event::Clock(reading))
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
