//! What a gateway knows of the locks of its transactions: what each reply has told, for the next leader.
//!
//! The list of each transaction is the beginning of the one that the leader has for it, in the same order; so a position
//! in it says what a savepoint has to give back. Once a leader has been told, nothing that an earlier one grants counts
//! any more: the two would give the same lock to different transactions.

use super::order::{Claimed, Granted, TxName};
use crate::command::Tenure;
use crate::id::NodeId;
use crate::locks::Held;
use std::collections::{BTreeMap, BTreeSet};

#[derive(Debug, Default)]
pub struct Holdings {
    /// The latest tenure whose leader has been told.
    told: Tenure,
    blocks: BTreeMap<TxName, Block>,
}

#[derive(Debug, Default)]
struct Block {
    epoch: u64,
    since: Tenure,
    locks: Vec<Held>,
    /// Who has to hear of its end.
    visited: BTreeSet<NodeId>,
}

impl Holdings {
    /// A transaction is opened at `leader`. Whether it has locks.
    pub fn open(&mut self, name: TxName, epoch: u64, leader: NodeId) -> bool {
        let block = self.blocks.entry(name).or_default();
        block.epoch = epoch;
        block.visited.insert(leader);
        !block.locks.is_empty()
    }

    /// Number of locks that are known.
    pub fn count(&self, name: TxName) -> usize {
        self.blocks.get(&name).map_or(0, |block| block.locks.len())
    }

    /// A reply has come. False if a later leader has been told already: what it says is void.
    pub fn granted(&mut self, name: TxName, granted: Granted) -> bool {
        let Some(block) = self.blocks.get_mut(&name).filter(|_| granted.tenure >= self.told) else { return false };
        block.since = granted.tenure;
        block.locks.extend(granted.locks);
        true
    }

    /// Only the first locks are left.
    pub fn truncate(&mut self, name: TxName, count: usize) {
        if let Some(block) = self.blocks.get_mut(&name) {
            block.locks.truncate(count);
        }
    }

    /// It is over. Who has to hear of that.
    pub fn end(&mut self, name: TxName) -> BTreeSet<NodeId> {
        self.blocks.remove(&name).map_or_else(BTreeSet::new, |block| block.visited)
    }

    /// All locks, for the leader of a tenure; `None` if a later one has been told already.
    pub fn claim(&mut self, tenure: Tenure, leader: NodeId) -> Option<Vec<Claimed>> {
        if tenure < self.told {
            return None;
        }
        self.told = tenure;
        let claim = |(name, block): (&TxName, &mut Block)| {
            block.visited.insert(leader);
            Claimed { name: *name, epoch: block.epoch, since: block.since, locks: block.locks.clone() }
        };
        Some(self.blocks.iter_mut().filter(|(_, block)| !block.locks.is_empty()).map(claim).collect())
    }

    pub fn names(&self) -> impl Iterator<Item = TxName> + '_ {
        self.blocks.keys().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::locks::{Mode, Target};
    use crate::sql::plan::LockMode;

    const BLOCK: TxName = TxName { origin: 1, seq: 1 };
    const A: NodeId = NodeId(1);
    const B: NodeId = NodeId(2);

    fn tenure(term: u64) -> Tenure {
        Tenure { term, round: 0 }
    }

    fn table(oid: u32) -> Held {
        Held { target: Target::Table(oid), mode: Mode::Table(LockMode::RowExclusive) }
    }

    fn granted(term: u64, tables: &[u32]) -> Granted {
        Granted { tenure: tenure(term), locks: tables.iter().copied().map(table).collect() }
    }

    #[test]
    fn a_leader_that_others_have_followed_grants_nothing() {
        let mut holdings = Holdings::default();
        assert!(!holdings.open(BLOCK, 2, A), "it has no locks yet");
        assert!(holdings.granted(BLOCK, granted(1, &[7])));
        let claims = holdings.claim(tenure(3), B).unwrap();
        assert_eq!((claims[0].since, &claims[0].locks[..]), (tenure(1), &[table(7)][..]));
        assert!(!holdings.granted(BLOCK, granted(1, &[8])), "granted by a leader that is none");
        assert!(holdings.claim(tenure(2), A).is_none());
        assert!(holdings.granted(BLOCK, granted(3, &[9])));
        assert_eq!(holdings.claim(tenure(3), B).unwrap()[0].locks, [table(7), table(9)]);
        assert_eq!(holdings.end(BLOCK), [A, B].into());
        assert!(holdings.claim(tenure(4), A).unwrap().is_empty());
    }

    #[test]
    fn what_is_given_back_is_claimed_no_more() {
        let mut holdings = Holdings::default();
        holdings.open(BLOCK, 2, A);
        holdings.granted(BLOCK, granted(1, &[7, 8]));
        holdings.truncate(BLOCK, 1);
        assert_eq!(holdings.claim(tenure(2), B).unwrap()[0].locks, [table(7)]);
        holdings.truncate(BLOCK, 0);
        assert!(holdings.claim(tenure(3), B).unwrap().is_empty(), "nothing to claim");
    }
}
