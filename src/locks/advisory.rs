//! Advisory locks: which session holds which, in which order others wait, and under which numbers.
//!
//! Unlike the locks of rows and tables these are replicated state: the log changes them, each replica has the same, and a
//! new leader knows them as the last one did. A pure function of the orders that it is given, in their order. It knows no
//! time: that a session is over, because its node is, is an order too.
//!
//! - Each acquisition is an entry of its own with a number; a session may hold a lock several times and conflicts never
//!   with itself. What is given back is one acquisition.
//! - A request waits for others' locks that conflict with it, and behind those that wait already and conflict; so nobody
//!   starves. Who holds the lock in some mode goes in front of those that wait for that (else both would wait for ever).
//! - Numbers only grow, over all locks. The one of a grant is the *fence*: whoever is granted a lock later has a higher one.
//! - A wait that would close a circle of waits is refused at once (40P01).
//! - A session that was declared lost never gets anything again, and the log takes no more writes of it (see
//!   `docs/coordination.md`).

use crate::command::{AdvisoryKey, AdvisoryOrder, Holder};
use crate::error::{SqlError, SqlResult, state};
use std::collections::{BTreeMap, BTreeSet};

/// Keys that one session may have, and times that it may have each.
const MOST: usize = 10_000;

/// An acquisition, granted or awaited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    pub number: u64,
    pub holder: Holder,
    pub shared: bool,
    /// It ends with a transaction of its session.
    pub transaction: bool,
    /// The number of its grant; `None` while it waits.
    pub fence: Option<u64>,
}

impl Entry {
    fn conflicts(&self, other: &Entry) -> bool {
        self.holder.session != other.holder.session && !(self.shared && other.shared)
    }
}

/// What became of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// Granted, under these numbers; or done.
    Granted { number: u64, fence: u64 },
    /// It waits.
    Queued { number: u64 },
    /// It would have to wait, or there is no such lock.
    No,
}

/// All advisory locks of a database.
#[derive(Clone, Debug, Default)]
pub struct Table {
    /// Only keys that somebody holds or waits for. Each queue in the order in which it is served, holders anywhere in it.
    locks: BTreeMap<AdvisoryKey, Vec<Entry>>,
    /// Keys of each session.
    sessions: BTreeMap<u64, BTreeSet<AdvisoryKey>>,
    /// The last number given.
    last: u64,
    /// Sessions that were declared lost, and a position of the log behind which nothing of theirs can come.
    lost: BTreeMap<u64, u64>,
    changed: BTreeSet<AdvisoryKey>,
}

impl Table {
    /// What was stored: entries of each key in their order.
    pub fn restore(last: u64, entries: Vec<(AdvisoryKey, Entry)>, lost: BTreeMap<u64, u64>) -> Table {
        let mut table = Table { last, lost, ..Table::default() };
        for (key, entry) in entries {
            table.locks.entry(key).or_default().push(entry);
            table.sessions.entry(entry.holder.session).or_default().insert(key);
        }
        table
    }

    pub fn last(&self) -> u64 {
        self.last
    }

    pub fn is_lost(&self, session: u64) -> bool {
        !self.lost.is_empty() && self.lost.contains_key(&session)
    }

    pub fn lost(&self) -> &BTreeMap<u64, u64> {
        &self.lost
    }

    /// Keys whose entries have changed since the last call.
    pub fn take_changed(&mut self) -> BTreeSet<AdvisoryKey> {
        std::mem::take(&mut self.changed)
    }

    /// The entries of a key, in the order in which they are served.
    pub fn entries(&self, key: AdvisoryKey) -> &[Entry] {
        self.locks.get(&key).map_or(&[], Vec::as_slice)
    }

    /// Takes over what another table has under a key.
    pub fn replace(&mut self, key: AdvisoryKey, entries: &[Entry]) {
        for entry in self.locks.remove(&key).unwrap_or_default() {
            self.forget(entry.holder.session, key);
        }
        for entry in entries {
            self.sessions.entry(entry.holder.session).or_default().insert(key);
        }
        if !entries.is_empty() {
            self.locks.insert(key, entries.to_vec());
        }
    }

    /// The same of what is no lock.
    pub fn follow(&mut self, other: &Table) {
        self.last = other.last;
        if self.lost != other.lost {
            self.lost.clone_from(&other.lost);
        }
    }

    /// Everything, by key and in the order of each queue.
    pub fn all(&self) -> impl Iterator<Item = (AdvisoryKey, &Entry)> {
        self.locks.iter().flat_map(|(key, entries)| entries.iter().map(|entry| (*key, entry)))
    }

    /// Whoever holds or awaits something: session and node.
    pub fn holders(&self) -> BTreeSet<Holder> {
        self.all().map(|(_, entry)| entry.holder).collect()
    }

    pub fn find(&self, session: u64, number: u64) -> Option<(AdvisoryKey, Entry)> {
        let keys = self.sessions.get(&session)?;
        let found = |key: &AdvisoryKey| self.entries(*key).iter().find(|e| e.number == number).map(|e| (*key, *e));
        keys.iter().find_map(found)
    }

    /// Does what a session orders. Errors: 40P01, 53200; 57P01 for one that was declared lost.
    pub fn order(&mut self, holder: Holder, order: &AdvisoryOrder) -> SqlResult<Told> {
        if self.is_lost(holder.session) {
            return Err(lost());
        }
        match order {
            AdvisoryOrder::Acquire { key, shared, transaction, wait } => {
                let entry = Entry { number: 0, holder, shared: *shared, transaction: *transaction, fence: None };
                self.acquire(*key, entry, *wait)
            }
            AdvisoryOrder::Release { key, shared } => {
                let held = |e: &Entry| {
                    e.holder.session == holder.session && e.shared == *shared && !e.transaction && e.fence.is_some()
                };
                let found = self.entries(*key).iter().filter(|e| held(e)).map(|e| e.number).max();
                let Some(number) = found else { return Ok(Told::No) };
                self.remove(*key, |e| e.number == number);
                Ok(Told::Granted { number, fence: 0 })
            }
            AdvisoryOrder::ReleaseAll => {
                self.remove_of(holder.session, |e| !e.transaction && e.fence.is_some());
                Ok(Told::Granted { number: 0, fence: 0 })
            }
            AdvisoryOrder::GiveBack { numbers } => {
                self.remove_of(holder.session, |e| numbers.contains(&e.number));
                Ok(Told::Granted { number: 0, fence: 0 })
            }
            AdvisoryOrder::Deny { number } => {
                self.remove_of(holder.session, |e| e.number == *number && e.fence.is_none());
                Ok(Told::Granted { number: 0, fence: 0 })
            }
            AdvisoryOrder::End => {
                self.remove_of(holder.session, |_| true);
                Ok(Told::Granted { number: 0, fence: 0 })
            }
            AdvisoryOrder::Fence { key } => {
                let own = self.entries(*key).iter().filter(|e| e.holder.session == holder.session);
                let granted = own.filter_map(|e| e.fence.map(|fence| (fence, e.number))).max();
                Ok(granted.map_or(Told::No, |(fence, number)| Told::Granted { number, fence }))
            }
        }
    }

    /// Declares sessions lost: their locks go to others. `at`: where in the log. Those that are news.
    pub fn lose(&mut self, sessions: &[u64], at: u64) -> Vec<u64> {
        let mut news = Vec::new();
        for session in sessions {
            if self.lost.insert(*session, at).is_none() {
                self.remove_of(*session, |_| true);
                news.push(*session);
            }
        }
        news
    }

    /// Forgets sessions that were lost so long ago that nothing of theirs can come any more.
    pub fn forget_lost(&mut self, before: u64) -> bool {
        let known = self.lost.len();
        self.lost.retain(|_, at| *at >= before);
        self.lost.len() != known
    }

    fn acquire(&mut self, key: AdvisoryKey, mut entry: Entry, wait: bool) -> SqlResult<Told> {
        let session = entry.holder.session;
        // It waits for one lock at a time: what it still waits for it has given up.
        if self.waits_for(session).is_some() {
            self.remove_of(session, |e| e.fence.is_none());
        }
        if self.count(session, key) >= MOST {
            let error = SqlError::new(state::OUT_OF_MEMORY, "out of shared memory");
            return Err(error.hint(format!("A session may hold {MOST} advisory locks.")));
        }
        let queue = self.entries(key);
        let mine = |e: &&Entry| e.holder.session == session && e.fence.is_some();
        let again = queue.iter().any(|e| mine(&e) && (!e.shared || entry.shared));
        // In front of whoever waits for what it holds.
        let ahead = |other: &Entry| queue.iter().filter(mine).any(|held| held.conflicts(other));
        let place = queue.iter().position(|e| e.fence.is_none() && ahead(e)).unwrap_or(queue.len());
        let blocked = queue.iter().enumerate().any(|(at, e)| (e.fence.is_some() || at < place) && e.conflicts(&entry));
        if blocked && !again && !wait {
            return Ok(Told::No);
        }
        self.last += 1;
        entry.number = self.last;
        if again || !blocked {
            entry.fence = Some(entry.number);
        }
        self.locks.entry(key).or_default().insert(place, entry);
        self.sessions.entry(session).or_default().insert(key);
        self.changed.insert(key);
        if let Some(fence) = entry.fence {
            return Ok(Told::Granted { number: entry.number, fence });
        }
        if self.closes_a_circle(session) {
            self.remove(key, |e| e.number == entry.number);
            return Err(deadlock());
        }
        Ok(Told::Queued { number: entry.number })
    }

    /// What bounds a session: how many keys it has, and how often it has this one.
    fn count(&self, session: u64, key: AdvisoryKey) -> usize {
        let again = self.entries(key).iter().filter(|e| e.holder.session == session).count();
        again.max(self.sessions.get(&session).map_or(0, BTreeSet::len))
    }

    fn remove_of(&mut self, session: u64, which: impl Fn(&Entry) -> bool) {
        let keys: Vec<AdvisoryKey> = self.sessions.get(&session).into_iter().flatten().copied().collect();
        for key in keys {
            self.remove(key, |e| e.holder.session == session && which(e));
        }
    }

    /// Takes entries away, and grants what waited for them.
    fn remove(&mut self, key: AdvisoryKey, which: impl Fn(&Entry) -> bool) {
        let Some(queue) = self.locks.get_mut(&key) else { return };
        let gone: Vec<u64> = queue.extract_if(.., |e| which(e)).map(|e| e.holder.session).collect();
        if gone.is_empty() {
            return;
        }
        self.changed.insert(key);
        for at in 0..queue.len() {
            let entry = queue[at];
            let against = |(other, e): (usize, &Entry)| (e.fence.is_some() || other < at) && e.conflicts(&entry);
            if entry.fence.is_none() && !queue.iter().enumerate().any(against) {
                self.last += 1;
                queue[at].fence = Some(self.last);
            }
        }
        if queue.is_empty() {
            self.locks.remove(&key);
        }
        gone.into_iter().for_each(|session| self.forget(session, key));
    }

    /// A session may have nothing left under a key.
    fn forget(&mut self, session: u64, key: AdvisoryKey) {
        if self.entries(key).iter().any(|e| e.holder.session == session) {
            return;
        }
        if let Some(keys) = self.sessions.get_mut(&session) {
            keys.remove(&key);
            if keys.is_empty() {
                self.sessions.remove(&session);
            }
        }
    }

    fn waits_for(&self, session: u64) -> Option<AdvisoryKey> {
        let waits =
            |key: &&AdvisoryKey| self.entries(**key).iter().any(|e| e.holder.session == session && e.fence.is_none());
        self.sessions.get(&session)?.iter().find(waits).copied()
    }

    /// Sessions that a session waits for.
    pub fn blockers(&self, session: u64) -> Vec<u64> {
        let Some(key) = self.waits_for(session) else { return Vec::new() };
        let queue = self.entries(key);
        let Some(at) = queue.iter().position(|e| e.holder.session == session && e.fence.is_none()) else {
            return Vec::new();
        };
        let against = |(other, e): &(usize, &Entry)| (e.fence.is_some() || *other < at) && e.conflicts(&queue[at]);
        queue.iter().enumerate().filter(against).map(|(_, e)| e.holder.session).collect()
    }

    /// Whether a session waits for itself.
    fn closes_a_circle(&self, start: u64) -> bool {
        let (mut reached, mut next) = (BTreeSet::new(), vec![start]);
        while let Some(session) = next.pop() {
            for blocker in self.blockers(session) {
                if blocker == start {
                    return true;
                }
                if reached.insert(blocker) {
                    next.push(blocker);
                }
            }
        }
        false
    }
}

/// It would wait for ever.
pub fn deadlock() -> SqlError {
    SqlError::new(state::DEADLOCK_DETECTED, "deadlock detected")
}

/// The session's node was not heard of for too long, and others were given its locks.
pub fn lost() -> SqlError {
    SqlError::new(state::ADMIN_SHUTDOWN, "terminating connection because its advisory locks were given to others")
        .detail("Nothing was heard of this session's node for too long.")
        .fatal()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::NodeId;
    use std::fmt::Write as _;

    fn key(name: &str) -> AdvisoryKey {
        AdvisoryKey::One(name.bytes().fold(0, |n, b| n * 256 + i64::from(b)))
    }

    /// A script: one order a line, `session verb key`; answers, then who was granted something by it.
    fn run(script: &str) -> String {
        let (mut table, mut out) = (Table::default(), String::new());
        let mut waiting: BTreeMap<u64, String> = BTreeMap::new();
        for line in script.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let mut words = line.split(' ');
            let session: u64 = words.next().unwrap().parse().unwrap();
            let holder = Holder { session, node: NodeId(1) };
            let acquire = |name: &str, shared, transaction, wait| AdvisoryOrder::Acquire {
                key: key(name),
                shared,
                transaction,
                wait,
            };
            let words: Vec<&str> = words.collect();
            let result = match words[..] {
                ["lock", name] => table.order(holder, &acquire(name, false, false, true)),
                ["share", name] => table.order(holder, &acquire(name, true, false, true)),
                ["xact", name] => table.order(holder, &acquire(name, false, true, true)),
                ["try", name] => table.order(holder, &acquire(name, false, false, false)),
                ["tryshare", name] => table.order(holder, &acquire(name, true, false, false)),
                ["unlock", name] => table.order(holder, &AdvisoryOrder::Release { key: key(name), shared: false }),
                ["unshare", name] => table.order(holder, &AdvisoryOrder::Release { key: key(name), shared: true }),
                ["all"] => table.order(holder, &AdvisoryOrder::ReleaseAll),
                ["end"] => table.order(holder, &AdvisoryOrder::End),
                ["back", number] => {
                    table.order(holder, &AdvisoryOrder::GiveBack { numbers: vec![number.parse().unwrap()] })
                }
                ["fence", name] => table.order(holder, &AdvisoryOrder::Fence { key: key(name) }),
                ["lost"] => {
                    table.lose(&[session], 7);
                    Ok(Told::No)
                }
                _ => panic!("{line}"),
            };
            let told = match result {
                Ok(Told::Granted { number, fence }) => format!("yes {number}/{fence}"),
                Ok(Told::Queued { number }) => {
                    waiting.insert(session, number.to_string());
                    format!("waits {number}")
                }
                Ok(Told::No) => "no".into(),
                Err(error) => error.code.as_str().to_owned(),
            };
            let _ = write!(out, "{line}: {told}");
            for (key, entry) in table.all() {
                assert_eq!(table.find(entry.holder.session, entry.number), Some((key, *entry)));
                // Never two holders that conflict.
                let held = table.entries(key).iter().filter(|e| e.fence.is_some());
                assert!(entry.fence.is_none() || !held.clone().any(|e| e.conflicts(entry)), "{out}");
            }
            waiting.retain(|session, number| match table.find(*session, number.parse().unwrap()) {
                Some((_, Entry { fence: Some(fence), .. })) => {
                    let _ = write!(out, ", {session} has {number}/{fence}");
                    false
                }
                found => found.is_some(),
            });
            out.push('\n');
        }
        let again = Table::restore(table.last, table.all().map(|(k, e)| (k, *e)).collect(), table.lost.clone());
        assert_eq!((&again.locks, &again.sessions), (&table.locks, &table.sessions));
        out
    }

    #[track_caller]
    fn check(script: &str) {
        let orders: Vec<&str> = script.lines().filter_map(|l| l.split_once(": ")).map(|(order, _)| order).collect();
        let expected: Vec<&str> = script.lines().map(str::trim).filter(|l| !l.is_empty()).collect();
        assert_eq!(run(&orders.join("\n")).lines().collect::<Vec<_>>(), expected);
    }

    #[test]
    fn one_holder_and_a_fair_queue() {
        check(
            "1 lock a: yes 1/1
             2 lock a: waits 2
             3 share a: waits 3
             4 tryshare a: no
             5 try a: no
             1 lock a: yes 4/4
             1 unlock a: yes 4/0
             1 unlock a: yes 1/0, 2 has 2/5
             1 unlock a: no
             2 unlock a: yes 2/0, 3 has 3/6
             4 share a: yes 7/7
             4 fence a: yes 7/7
             1 fence a: no
             3 unlock a: no
             3 unshare a: yes 3/0",
        );
    }

    #[test]
    fn shares_and_upgrades() {
        check(
            "1 share a: yes 1/1
             2 share a: yes 2/2
             3 lock a: waits 3
             4 tryshare a: no
             1 share a: yes 4/4
             1 lock a: waits 5
             2 end: yes 0/0, 1 has 5/6
             1 unlock a: yes 5/0
             1 all: yes 0/0, 3 has 3/7",
        );
    }

    #[test]
    fn circles_are_refused() {
        check(
            "1 lock a: yes 1/1
             2 lock b: yes 2/2
             3 lock c: yes 3/3
             1 lock b: waits 4
             2 lock c: waits 5
             3 lock a: 40P01
             3 unlock c: yes 3/0, 2 has 5/7
             2 unlock b: yes 2/0, 1 has 4/8",
        );
        // Two that share and both want more.
        check(
            "1 share a: yes 1/1
             2 share a: yes 2/2
             1 lock a: waits 3
             2 lock a: 40P01",
        );
    }

    #[test]
    fn what_ends_with_a_transaction_and_with_a_session() {
        check(
            "1 xact a: yes 1/1
             1 lock a: yes 2/2
             1 unlock a: yes 2/0
             1 unlock a: no
             1 all: yes 0/0
             2 lock a: waits 3
             1 back 1: yes 0/0, 2 has 3/4
             2 lost: no
             2 lock a: 57P01
             1 try a: yes 5/5",
        );
        // A wait that is given up.
        check(
            "1 lock a: yes 1/1
             2 lock a: waits 2
             3 lock a: waits 3
             2 back 2: yes 0/0
             1 unlock a: yes 1/0, 3 has 3/4",
        );
    }
}
