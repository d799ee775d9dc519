//! Circles in the wait-for graph, found when the wait that closes them begins.
//!
//! A waiting transaction points to everybody it waits for: *hard* edges to holders of conflicting modes, *soft* edges
//! to waiters ahead of it in the queue whose modes conflict. Between events the graph has no circle: only a new wait
//! adds edges that lead out of a waiting transaction, so a new circle goes through the one that has just queued.
//! (A grant turns soft edges into hard ones or leads to a transaction that waits for nothing.)
//!
//! A circle with a soft edge may be opened by letting the later waiter overtake the earlier one. One such move is
//! tried for each soft edge of the circle; PostgreSQL also searches combinations of moves, which is left out.

use super::{Effect, LockTable, Mode, Target, TxId};
use crate::error::{SqlError, state};
use std::collections::{BTreeMap, VecDeque};

/// `waiter` cannot go on before `blocker` has.
#[derive(Clone, Debug)]
pub(super) struct Edge {
    pub waiter: TxId,
    pub target: Target,
    pub mode: Mode,
    pub blocker: TxId,
    /// The blocker only waits ahead in the queue.
    pub soft: bool,
}

impl LockTable {
    /// Everything a transaction waits for, holders first.
    pub(super) fn edges(&self, waiter: TxId) -> Vec<Edge> {
        let Some((target, lock)) = self.waiting.get(&waiter).and_then(|t| self.locks.get_key_value(t)) else {
            return Vec::new();
        };
        let Some(position) = lock.queue.iter().position(|w| w.tx == waiter) else { return Vec::new() };
        let mode = lock.queue[position].mode;
        let edge = |blocker, soft| Edge { waiter, target: target.clone(), mode, blocker, soft };
        let holders = lock.holders.iter().filter(|(tx, bits)| *tx != waiter && bits & mode.conflicts() != 0);
        let ahead = lock.queue.range(..position).filter(|w| w.mode.conflicts_with(mode));
        holders.map(|(tx, _)| edge(*tx, false)).chain(ahead.map(|w| edge(w.tx, true))).collect()
    }

    /// A cheap test before the search: is anybody waiting for what `tx` holds, or behind it?
    pub(super) fn may_close_a_circle(&self, tx: TxId, target: &Target, position: usize) -> bool {
        let overtaken = self.locks.get(target).is_some_and(|lock| position + 1 < lock.queue.len());
        let held = self.held.get(&tx).map_or(&[][..], Vec::as_slice);
        let awaited = |t: &Target| self.locks.get(t).is_some_and(|lock| lock.queue.iter().any(|w| w.tx != tx));
        let held_by_me = |t: &Target| self.locks.get(t).is_some_and(|lock| lock.modes_of(tx) != 0);
        // Whichever list is shorter: a bulk update holds a million rows, a hot row has a thousand waiters.
        overtaken
            || if held.len() <= self.waiting.len() {
                held.iter().any(|held| awaited(&held.target))
            } else {
                self.waiting.iter().any(|(waiter, t)| *waiter != tx && held_by_me(t))
            }
    }

    /// Opens every circle through `tx`. Returns the error when `tx` itself has to give up.
    pub(super) fn break_circles(&mut self, tx: TxId, effects: &mut Vec<Effect>) -> Option<SqlError> {
        while let Some(circle) = self.circle(tx) {
            if self.reorder(tx, &circle, effects) {
                continue;
            }
            let victim = circle.iter().map(|edge| edge.waiter).max().unwrap_or(tx);
            let error = deadlock(victim, &circle);
            if victim == tx {
                self.drop_wait(tx, effects);
                return Some(error);
            }
            effects.push(Effect::Deadlock(victim, error));
            self.drop_wait(victim, effects);
        }
        None
    }

    /// The shortest circle through `start`, beginning with its edge.
    fn circle(&self, start: TxId) -> Option<Vec<Edge>> {
        let mut reached_by: BTreeMap<TxId, Edge> = BTreeMap::new();
        let mut next = VecDeque::from([start]);
        while let Some(tx) = next.pop_front() {
            for edge in self.edges(tx) {
                let blocker = edge.blocker;
                if reached_by.contains_key(&blocker) {
                    continue;
                }
                reached_by.insert(blocker, edge);
                if blocker == start {
                    return Some(path_to(start, &reached_by));
                }
                next.push_back(blocker);
            }
        }
        None
    }

    /// Lets a waiter of the circle overtake the one it only queues behind, if that leaves no circle.
    fn reorder(&mut self, tx: TxId, circle: &[Edge], effects: &mut Vec<Effect>) -> bool {
        for edge in circle.iter().filter(|edge| edge.soft) {
            let Some((from, to)) = self.shift(&edge.target, edge.waiter, edge.blocker) else { continue };
            // New edges all lead to the one that moved; older circles all go through `tx`.
            if self.circle(edge.waiter).is_none() && self.circle(tx).is_none() {
                self.reordered += 1;
                self.wake(&edge.target, effects);
                return true;
            }
            if let Some(lock) = self.locks.get_mut(&edge.target)
                && let Some(moved) = lock.queue.remove(to)
            {
                lock.queue.insert(from, moved);
            }
        }
        false
    }

    /// Moves `waiter` in front of `other` and says from where to where.
    fn shift(&mut self, target: &Target, waiter: TxId, other: TxId) -> Option<(usize, usize)> {
        let lock = self.locks.get_mut(target)?;
        let from = lock.queue.iter().position(|w| w.tx == waiter)?;
        let to = lock.queue.iter().position(|w| w.tx == other)?;
        let moved = lock.queue.remove(from)?;
        lock.queue.insert(to, moved);
        Some((from, to))
    }
}

fn path_to(start: TxId, reached_by: &BTreeMap<TxId, Edge>) -> Vec<Edge> {
    let mut path = Vec::new();
    let mut at = start;
    while let Some(edge) = reached_by.get(&at) {
        path.push(edge.clone());
        at = edge.waiter;
        if at == start {
            break;
        }
    }
    path.reverse();
    path
}

/// The error of the victim; the detail tells the circle, its own wait first.
fn deadlock(victim: TxId, circle: &[Edge]) -> SqlError {
    let first = circle.iter().position(|edge| edge.waiter == victim).unwrap_or(0);
    let line = |edge: &Edge| {
        let Edge { waiter, target, mode, blocker, .. } = edge;
        format!("Transaction {} waits for {} on {target}; blocked by transaction {}.", waiter.0, mode.name(), blocker.0)
    };
    let lines: Vec<String> = circle[first..].iter().chain(&circle[..first]).map(line).collect();
    SqlError::new(state::DEADLOCK_DETECTED, "deadlock detected").detail(lines.join("\n"))
}
