//! What has been changed lately, and up to which index of the log: whether a view still shows the rows that it must.
//!
//! A row that a transaction has locked changes no more until that is over. So a statement that depends on one row only
//! needs to know whether that row has changed between its view's index and the lock. Who changes rows holds their
//! locks until the change is applied, and leaves a note here; autocommit writes that took no locks leave one for their
//! tables.
//!
//! Notes may be too late an index, never too early: the price is a refresh that was not needed. Of writes of earlier
//! terms nothing is known; so history begins when all of them are applied: with the tenure. None of this decides what is
//! committed: a note that is missing costs a transaction a 40001 at worst, because COMMIT is compared at apply.

use super::names::SCHEMA;
use crate::locks::Target;
use std::collections::{BTreeMap, HashMap};

/// Rows and tables that are remembered.
const REMEMBERED: usize = 1 << 16;

#[derive(Debug, Default)]
pub struct History {
    /// Views of before this know nothing; `None`: nothing is known yet in this term.
    floor: Option<u64>,
    /// By whoever held a lock on it.
    locked: HashMap<Target, u64>,
    /// By writes that held no locks.
    loose: BTreeMap<u32, u64>,
    loose_any: u64,
}

impl History {
    /// Every write of earlier terms is applied at this index.
    pub fn begin(&mut self, at: u64) {
        self.floor.get_or_insert(at);
    }

    /// A transaction that held these for a change has been applied, at this index at the latest.
    pub fn changed<'a>(&mut self, targets: impl Iterator<Item = &'a Target>, at: u64) {
        if self.locked.len() >= REMEMBERED {
            let last = self.locked.drain().map(|(_, at)| at).max();
            self.floor = self.floor.map(|floor| floor.max(last.unwrap_or(0)));
        }
        for target in targets {
            // Looked up first: most are there already where it matters, and then nothing is copied.
            match self.locked.get_mut(target) {
                Some(known) => *known = at,
                None => _ = self.locked.insert(target.clone(), at),
            }
        }
    }

    /// A write without locks has been applied; `None`: of tables that nobody has looked up.
    pub fn changed_loosely(&mut self, tables: Option<&[u32]>, at: u64) {
        match tables {
            None => self.loose_any = at,
            Some(tables) => tables.iter().for_each(|table| _ = self.loose.insert(*table, at)),
        }
    }

    /// Whether any of these rows may have changed after `view`, their tables' other rows left aside.
    pub fn has_overtaken(&self, view: u64, targets: &[Target], tables: &[u32]) -> bool {
        let after = |at: Option<&u64>| at.is_some_and(|at| *at > view);
        self.floor.is_none_or(|floor| floor > view)
            || self.loose_any > view
            // Of a definition nobody knows the tables.
            || after(self.loose.get(&SCHEMA))
            || tables.iter().any(|table| after(self.loose.get(table)) || after(self.locked.get(&Target::Table(*table))))
            || targets.iter().any(|target| after(self.locked.get(target)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(key: u8) -> Target {
        Target::Row(7, [key].into())
    }

    #[test]
    fn a_view_is_overtaken_by_changes_of_what_it_must_show() {
        let mut history = History::default();
        let seen = |history: &History, view| history.has_overtaken(view, &[row(1)], &[7]);
        assert!(seen(&history, 100), "nothing is known");
        history.begin(5);
        history.begin(50);
        assert_eq!([4, 5].map(|view| seen(&history, view)), [true, false]);
        history.changed([row(2)].iter(), 9);
        assert!(!seen(&history, 5), "another row");
        history.changed([row(1)].iter(), 10);
        assert_eq!([9, 10].map(|view| seen(&history, view)), [true, false]);
        history.changed_loosely(Some(&[8]), 20);
        assert!(!seen(&history, 10), "another table");
        history.changed_loosely(Some(&[SCHEMA]), 15);
        assert_eq!([14, 15].map(|view| seen(&history, view)), [true, false], "a definition may be of this table");
        history.changed_loosely(Some(&[7]), 20);
        assert_eq!([19, 20].map(|view| seen(&history, view)), [true, false]);
        history.changed([Target::Table(7)].iter(), 30);
        assert_eq!([29, 30].map(|view| seen(&history, view)), [true, false]);
        history.changed_loosely(None, 40);
        assert_eq!([39, 40].map(|view| seen(&history, view)), [true, false]);
    }

    #[test]
    fn what_is_forgotten_counts_as_changed() {
        let mut history = History::default();
        history.begin(0);
        for i in 0..=REMEMBERED as u32 {
            history.changed([Target::Row(i, Default::default())].iter(), i.into());
        }
        let last = REMEMBERED as u64 - 1;
        assert!(history.has_overtaken(last - 1, &[row(1)], &[]));
        assert!(!history.has_overtaken(last, &[row(1)], &[]));
    }
}
