//! The lock table of a leader: who has which row or table, who waits for it, and who must give up.
//!
//! A pure state machine: no clock, no threads, no I/O. Events go in ([`LockTable::request`], `cancel`,
//! `release_all`, `release_to`), answers and effects on *other* transactions come out. Equal events give equal
//! effects. Timeouts are the caller's: when one strikes it calls [`LockTable::cancel`].
//!
//! The rules are PostgreSQL's:
//! - A transaction never conflicts with itself, and a request is granted when it conflicts neither with what others
//!   hold nor with what others already wait for. So nobody starves.
//! - Who already holds something that a waiter waits for goes in front of that waiter: queueing behind it would be a
//!   deadlock that nobody needs (an upgrade from SHARE to UPDATE, for example).
//! - A wait that would close a circle is looked at at once. If changing the order of a queue opens the circle,
//!   that is done; otherwise the youngest transaction in it loses its wait with 40P01.
//! - ROLLBACK TO gives back what was locked since the savepoint, RELEASE keeps it.
//!
//! Row locks and table locks meet only through the table modes that statements take (ROW SHARE, ROW EXCLUSIVE).
//! What a level promises rests on them as well as on validation at apply: `executor::tenure` says how they outlive a leader.
//!
//! Cost: a lock that nobody else has or wants is one insertion into the map and one push to the transaction's list.

pub mod advisory;
mod deadlock;
mod mode;
#[cfg(test)]
mod tests;

pub use mode::{Mode, ROW_STRENGTHS, TABLE_MODES};

use crate::error::{SqlError, state};
use crate::sql::plan::{LockMode, LockStrength, LockWait};
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;
use std::sync::Arc;

/// A transaction on this leader. A larger number is a younger transaction.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TxId(pub u64);

impl fmt::Debug for TxId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "t{}", self.0)
    }
}

/// What can be locked.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub enum Target {
    /// A table by its OID.
    Table(u32),
    /// A row by its table's OID and its encoded key.
    Row(u32, Arc<[u8]>),
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Target::Table(table) => write!(f, "relation {table}"),
            Target::Row(table, _) => write!(f, "row of relation {table}"),
        }
    }
}

/// Locks of a table's rows that are looked at one by one.
const LOOKED_AT: usize = 64;
/// A lock that a transaction has.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Held {
    pub target: Target,
    pub mode: Mode,
}

/// A lock that a transaction wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Want {
    Table { table: u32, mode: LockMode },
    Row { table: u32, key: Arc<[u8]>, strength: LockStrength },
}

impl Want {
    pub fn target(&self) -> Target {
        match self {
            Want::Table { table, .. } => Target::Table(*table),
            Want::Row { table, key, .. } => Target::Row(*table, key.clone()),
        }
    }

    fn parts(self) -> (Target, Mode) {
        match self {
            Want::Table { table, mode } => (Target::Table(table), Mode::Table(mode)),
            Want::Row { table, key, strength } => (Target::Row(table, key), Mode::Row(strength)),
        }
    }
}

/// What became of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The lock is held.
    Granted,
    /// The transaction waits; an [`Effect`] of a later call ends the wait.
    Queued,
    /// NOWAIT, and it would have to wait: see [`not_available`].
    NotAvailable,
    /// SKIP LOCKED, and it would have to wait.
    Skip,
    /// Waiting would never end, and this transaction is the one to give up: 40P01.
    Deadlock(SqlError),
}

/// What an event did to another transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Its wait is over, the lock is held.
    Granted(TxId),
    /// Its wait is over without the lock: it was chosen to end a deadlock. It still holds what it held, until the
    /// caller rolls it back.
    Deadlock(TxId, SqlError),
}

/// A request's answer, and what it did to others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    pub answer: Answer,
    pub effects: Vec<Effect>,
}

/// A point in a transaction's life to release back to: how many locks it had. Marks of one transaction are ordered by
/// time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mark(pub usize);

/// A line of `pg_locks`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    pub target: Target,
    pub tx: TxId,
    pub mode: Mode,
    pub granted: bool,
}

/// All locks of a database. See the module's documentation.
#[derive(Debug, Default)]
pub struct LockTable {
    /// Only targets that somebody holds or waits for.
    locks: BTreeMap<Target, Lock>,
    /// Granted locks of each transaction, in the order of the grants, each mode once.
    held: BTreeMap<TxId, Vec<Held>>,
    /// What each waiting transaction waits for.
    waiting: BTreeMap<TxId, Target>,
    reordered: u64,
}

#[derive(Debug, Default)]
struct Lock {
    /// Ordered by transaction; modes as bits.
    holders: Vec<(TxId, u8)>,
    /// How many transactions hold each mode.
    counts: [u32; 8],
    queue: VecDeque<Waiter>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Waiter {
    tx: TxId,
    mode: Mode,
}

/// Where a request stands.
enum Place {
    Granted,
    /// It has to wait at this position of the queue.
    Queue(usize),
}

impl Lock {
    fn list<'a>(&'a self, target: &'a Target) -> impl Iterator<Item = Listed> + 'a {
        let of = move |tx, mode, granted| Listed { target: target.clone(), tx, mode, granted };
        let modes: Vec<Mode> = match target {
            Target::Table(_) => TABLE_MODES.map(Mode::Table).to_vec(),
            Target::Row(..) => ROW_STRENGTHS.map(Mode::Row).to_vec(),
        };
        let held = self.holders.iter().flat_map(move |(tx, bits)| {
            let present: Vec<Mode> = modes.iter().copied().filter(|m| bits & m.bit() != 0).collect();
            present.into_iter().map(move |mode| of(*tx, mode, true))
        });
        held.chain(self.queue.iter().map(move |w| of(w.tx, w.mode, false)))
    }

    fn modes_of(&self, tx: TxId) -> u8 {
        self.holders.binary_search_by_key(&tx, |h| h.0).map_or(0, |i| self.holders[i].1)
    }

    fn add(&mut self, tx: TxId, mode: Mode) {
        match self.holders.binary_search_by_key(&tx, |h| h.0) {
            Ok(i) => self.holders[i].1 |= mode.bit(),
            Err(i) => self.holders.insert(i, (tx, mode.bit())),
        }
        self.counts[mode.index()] += 1;
    }

    fn remove(&mut self, tx: TxId, mode: Mode) {
        if let Ok(i) = self.holders.binary_search_by_key(&tx, |h| h.0)
            && self.holders[i].1 & mode.bit() != 0
        {
            self.counts[mode.index()] -= 1;
            self.holders[i].1 &= !mode.bit();
            if self.holders[i].1 == 0 {
                self.holders.remove(i);
            }
        }
    }

    /// Whether somebody else holds what conflicts with `mode`.
    fn held_against(&self, tx: TxId, mode: Mode) -> bool {
        let own = self.modes_of(tx);
        (0..8).any(|i| mode.conflicts() & (1 << i) != 0 && self.counts[i] > u32::from(own >> i & 1))
    }

    fn place(&self, tx: TxId, mode: Mode) -> Place {
        let own = self.modes_of(tx);
        let waits_for_me = |w: &Waiter| w.mode.conflicts() & own != 0;
        let position = self.queue.iter().position(waits_for_me).unwrap_or(self.queue.len());
        let ahead = self.queue.range(..position).any(|w| w.mode.conflicts_with(mode));
        if ahead || self.held_against(tx, mode) { Place::Queue(position) } else { Place::Granted }
    }

    /// Grants what can be granted, in order; nobody overtakes a waiter that it conflicts with.
    fn wake(&mut self) -> Vec<Waiter> {
        let mut granted = Vec::new();
        let mut ahead = 0;
        let mut i = 0;
        while let Some(&waiter) = self.queue.get(i) {
            if waiter.mode.conflicts() & ahead != 0 || self.held_against(waiter.tx, waiter.mode) {
                ahead |= waiter.mode.bit();
                i += 1;
            } else {
                self.queue.remove(i);
                self.add(waiter.tx, waiter.mode);
                granted.push(waiter);
            }
        }
        granted
    }
}

impl LockTable {
    pub fn new() -> LockTable {
        LockTable::default()
    }

    /// Asks for a lock. A transaction waits for one lock at a time: a new request drops a wait that it still had.
    pub fn request(&mut self, tx: TxId, want: Want, wait: LockWait) -> Reply {
        let mut effects = if self.waiting.is_empty() { Vec::new() } else { self.cancel(tx) };
        let (target, mode) = want.parts();
        let answer = self.ask(tx, target, mode, wait, &mut effects);
        Reply { answer, effects }
    }

    fn ask(&mut self, tx: TxId, target: Target, mode: Mode, wait: LockWait, effects: &mut Vec<Effect>) -> Answer {
        let position = match self.locks.entry(target.clone()) {
            Entry::Vacant(free) => {
                free.insert(Lock::default()).add(tx, mode);
                self.held.entry(tx).or_default().push(Held { target, mode });
                return Answer::Granted;
            }
            Entry::Occupied(mut taken) => {
                let lock = taken.get_mut();
                if lock.modes_of(tx) & mode.bit() != 0 {
                    return Answer::Granted;
                }
                match (lock.place(tx, mode), wait) {
                    (Place::Granted, _) => {
                        lock.add(tx, mode);
                        self.held.entry(tx).or_default().push(Held { target, mode });
                        return Answer::Granted;
                    }
                    (Place::Queue(_), LockWait::NoWait) => return Answer::NotAvailable,
                    (Place::Queue(_), LockWait::SkipLocked) => return Answer::Skip,
                    (Place::Queue(position), LockWait::Wait) => {
                        lock.queue.insert(position, Waiter { tx, mode });
                        position
                    }
                }
            }
        };
        self.waiting.insert(tx, target.clone());
        if self.may_close_a_circle(tx, &target, position)
            && let Some(error) = self.break_circles(tx, effects)
        {
            return Answer::Deadlock(error);
        }
        if self.waiting.contains_key(&tx) {
            return Answer::Queued;
        }
        // Ending a deadlock of others has let this one through.
        effects.retain(|effect| *effect != Effect::Granted(tx));
        Answer::Granted
    }

    /// Ends a wait without the lock: a timeout, a cancelled statement, a client that went away.
    pub fn cancel(&mut self, tx: TxId) -> Vec<Effect> {
        let mut effects = Vec::new();
        self.drop_wait(tx, &mut effects);
        effects
    }

    /// Ends a transaction: its locks and its wait are gone.
    pub fn release_all(&mut self, tx: TxId) -> Vec<Effect> {
        let mut effects = self.cancel(tx);
        for Held { target, mode } in self.held.remove(&tx).unwrap_or_default() {
            self.release(tx, &target, mode, &mut effects);
        }
        effects
    }

    /// Where the transaction is now: taken at SAVEPOINT.
    pub fn mark(&self, tx: TxId) -> Mark {
        Mark(self.held.get(&tx).map_or(0, Vec::len))
    }

    /// ROLLBACK TO: releases what was locked since the mark; an ongoing wait ends too.
    pub fn release_to(&mut self, tx: TxId, mark: Mark) -> Vec<Effect> {
        let mut effects = self.cancel(tx);
        let Some(held) = self.held.get_mut(&tx) else { return effects };
        let since = held.split_off(mark.0.min(held.len()));
        if held.is_empty() {
            self.held.remove(&tx);
        }
        for Held { target, mode } in since {
            self.release(tx, &target, mode, &mut effects);
        }
        effects
    }

    /// Releases what was locked since the mark, except on these targets: rows that a statement found and then did not
    /// take.
    pub fn release_others(&mut self, tx: TxId, mark: Mark, keep: &[Target]) -> Vec<Effect> {
        let mut effects = Vec::new();
        let Some(held) = self.held.get_mut(&tx) else { return effects };
        let since = held.split_off(mark.0.min(held.len()));
        let keep: BTreeSet<&Target> = keep.iter().collect();
        let (kept, gone): (Vec<_>, Vec<_>) = since.into_iter().partition(|held| keep.contains(&held.target));
        held.extend(kept);
        if held.is_empty() {
            self.held.remove(&tx);
        }
        for Held { target, mode } in gone {
            self.release(tx, &target, mode, &mut effects);
        }
        effects
    }

    fn release(&mut self, tx: TxId, target: &Target, mode: Mode, effects: &mut Vec<Effect>) {
        if let Some(lock) = self.locks.get_mut(target) {
            lock.remove(tx, mode);
        }
        self.wake(target, effects);
    }

    fn drop_wait(&mut self, tx: TxId, effects: &mut Vec<Effect>) {
        let Some(target) = self.waiting.remove(&tx) else { return };
        if let Some(lock) = self.locks.get_mut(&target) {
            lock.queue.retain(|w| w.tx != tx);
        }
        self.wake(&target, effects);
    }

    /// Grants what has become free on a target, and forgets the target when nobody is left.
    fn wake(&mut self, target: &Target, effects: &mut Vec<Effect>) {
        let Some(lock) = self.locks.get_mut(target) else { return };
        if !lock.queue.is_empty() {
            for Waiter { tx, mode } in lock.wake() {
                self.waiting.remove(&tx);
                self.held.entry(tx).or_default().push(Held { target: target.clone(), mode });
                effects.push(Effect::Granted(tx));
            }
        }
        if lock.holders.is_empty() && lock.queue.is_empty() {
            self.locks.remove(target);
        }
    }

    /// What others may find changed when a transaction is committed: the rows that it holds for a change, and the tables
    /// that it holds against others' changes.
    pub fn changeable(&self, tx: TxId) -> impl Iterator<Item = &Target> {
        let held = self.held.get(&tx).into_iter().flatten();
        let for_change = |mode: &Mode| match mode {
            Mode::Row(strength) => *strength >= LockStrength::NoKeyUpdate,
            Mode::Table(mode) => *mode >= LockMode::ShareRowExclusive,
        };
        held.filter(move |held| for_change(&held.mode)).map(|held| &held.target)
    }

    /// The locks of a transaction from a mark on, in the order of the grants.
    pub fn held_since(&self, tx: TxId, mark: Mark) -> &[Held] {
        self.held.get(&tx).and_then(|held| held.get(mark.0..)).unwrap_or_default()
    }

    /// Gives a transaction a lock that it had under another leader. False, and nothing has changed, if somebody else holds
    /// what conflicts.
    pub fn restore(&mut self, tx: TxId, held: &Held) -> bool {
        let lock = self.locks.entry(held.target.clone()).or_default();
        let free = !lock.held_against(tx, held.mode);
        if free && lock.modes_of(tx) & held.mode.bit() == 0 {
            lock.add(tx, held.mode);
            self.held.entry(tx).or_default().push(held.clone());
        }
        if lock.holders.is_empty() && lock.queue.is_empty() {
            self.locks.remove(&held.target);
        }
        free
    }

    /// How many locks a transaction holds: for a limit on them.
    pub fn held(&self, tx: TxId) -> usize {
        self.held.get(&tx).map_or(0, Vec::len)
    }

    #[cfg(test)]
    pub fn is_waiting(&self, tx: TxId) -> bool {
        self.waiting.contains_key(&tx)
    }

    /// Whether a transaction has this lock, or a stronger one that implies it.
    pub fn holds(&self, tx: TxId, want: Want) -> bool {
        let (target, mode) = want.parts();
        let modes = self.locks.get(&target).map_or(0, |lock| lock.modes_of(tx));
        // A mode implies another if it excludes at least the same modes.
        let excluded = |m: Mode| modes & m.bit() != 0 && m.conflicts() & mode.conflicts() == mode.conflicts();
        match mode {
            Mode::Table(_) => TABLE_MODES.iter().any(|m| excluded(Mode::Table(*m))),
            Mode::Row(_) => ROW_STRENGTHS.iter().any(|s| excluded(Mode::Row(*s))),
        }
    }

    /// Whether a transaction already keeps others from changing each row of which these locks let it change or keep something;
    /// rows that are only to keep their keys (FOR KEY SHARE: what foreign keys ask for) are not looked at.
    pub fn guards<'w>(&self, tx: TxId, mut wants: impl Iterator<Item = &'w Want>) -> bool {
        let change = Mode::Row(LockStrength::NoKeyUpdate);
        wants.all(|want| match want {
            Want::Row { strength: LockStrength::KeyShare, .. } | Want::Table { .. } => true,
            Want::Row { .. } => {
                self.locks.get(&want.target()).is_some_and(|lock| lock.modes_of(tx) & change.conflicts() != 0)
            }
        })
    }

    /// Whether a transaction would get a row lock without waiting.
    pub fn is_free(&self, tx: TxId, table: u32, key: Arc<[u8]>, strength: LockStrength) -> bool {
        let lock = self.locks.get(&Target::Row(table, key));
        lock.is_none_or(|lock| matches!(lock.place(tx, Mode::Row(strength)), Place::Granted))
    }

    /// Whether a write to the table that holds no locks of its own can disturb nobody: no row of it is locked or
    /// waited for, and no table lock held or waited for conflicts with ROW EXCLUSIVE.
    pub fn is_quiet(&self, table: u32) -> bool {
        let first = Target::Row(table, Arc::default());
        let row = self.locks.range(first..).next().map(|(target, _)| target);
        let rows = matches!(row, Some(Target::Row(t, _)) if *t == table);
        let conflicts = Mode::Table(LockMode::RowExclusive).conflicts();
        let of_table = |lock: &Lock| {
            (0..8).any(|i| conflicts & (1 << i) != 0 && lock.counts[i] > 0)
                || lock.queue.iter().any(|w| conflicts & w.mode.bit() != 0)
        };
        !rows && !self.locks.get(&Target::Table(table)).is_some_and(of_table)
    }

    /// Whether new rows may refer to rows of the table without a look at its locks: none of them is about to go, or to be
    /// there, none is waited for, and the table may be read for a change.
    pub fn is_open_to_references(&self, table: u32) -> bool {
        let closed = Mode::Table(LockMode::RowShare).conflicts();
        let is_closed = |lock: &Lock| (0..8).any(|i| closed & (1 << i) != 0 && lock.counts[i] > 0);
        if self.locks.get(&Target::Table(table)).is_some_and(is_closed) {
            return false;
        }
        let first = Target::Row(table, Arc::default());
        let rows =
            self.locks.range(first..).take_while(|(target, _)| matches!(target, Target::Row(t, _) if *t == table));
        let refused = Mode::Row(LockStrength::KeyShare).conflicts();
        let is_open =
            |lock: &Lock| lock.queue.is_empty() && (0..8).all(|i| refused & (1 << i) == 0 || lock.counts[i] == 0);
        rows.take(LOOKED_AT + 1).enumerate().all(|(i, (_, lock))| i < LOOKED_AT && is_open(lock))
    }

    /// Whether nobody holds or waits for anything.
    pub fn is_empty(&self) -> bool {
        self.locks.is_empty()
    }

    /// Transactions that a waiting one waits for: holders first, then those ahead of it in the queue, each once.
    pub fn blockers(&self, tx: TxId) -> Vec<TxId> {
        let mut out: Vec<TxId> = Vec::new();
        for edge in self.edges(tx) {
            if !out.contains(&edge.blocker) {
                out.push(edge.blocker);
            }
        }
        out
    }

    /// Every lock held and every wait, by target; holders by age and weakest mode first, then the queue in order.
    pub fn list(&self) -> impl Iterator<Item = Listed> + '_ {
        self.locks.iter().flat_map(|(target, lock)| lock.list(target))
    }

    /// As [`LockTable::list`], but of rows only those that somebody waits for. Takes no time for the others.
    pub fn list_contended(&self) -> impl Iterator<Item = Listed> + '_ {
        let tables = self.locks.range(..Target::Row(0, Arc::default()));
        let awaited: BTreeSet<&Target> = self.waiting.values().filter(|t| matches!(t, Target::Row(..))).collect();
        let rows = awaited.into_iter().filter_map(|target| self.locks.get_key_value(target));
        tables.chain(rows).flat_map(|(target, lock)| lock.list(target))
    }

    /// How often a queue was put into another order instead of ending somebody's transaction.
    pub fn reordered(&self) -> u64 {
        self.reordered
    }
}

/// The error of NOWAIT: 55P03. `relation` is the table's name.
pub fn not_available(target: &Target, relation: &str) -> SqlError {
    let what = match target {
        Target::Table(_) => "relation",
        Target::Row(..) => "row in relation",
    };
    SqlError::new(state::LOCK_NOT_AVAILABLE, format!("could not obtain lock on {what} \"{relation}\""))
}

/// The error of a wait longer than `lock_timeout`: 55P03.
pub fn timed_out() -> SqlError {
    SqlError::new(state::LOCK_NOT_AVAILABLE, "canceling statement due to lock timeout")
}
