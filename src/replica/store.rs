//! What raft-rs sees of a group's log: the newest entries from memory, older ones from the durable log.
//!
//! raft-rs forgets an entry as soon as it was handed over to be written, which is before it is durable. So this cache
//! holds every entry that is not known to be durable, plus as many durable ones as its limit allows. It always ends at
//! the last entry and has no holes; what lies before it is durable and can be read back.
//!
//! Reading old entries blocks the caller on the disk. Only a follower that lags behind the cache causes it; fetching
//! asynchronously is left out.

use crate::id::GroupId;
use crate::raftlog::{GroupLog, HardState, LogError, LogReader};
use crate::replica::{Membership, Position, SnapshotMeta};
use raft::eraftpb::{ConfState, Entry, Snapshot};
use raft::{Error, GetEntriesContext, RaftState, Result, Storage, StorageError};
use std::cell::Cell;
use std::collections::VecDeque;
use std::sync::Arc;

pub(super) struct Store {
    group: GroupId,
    reader: Arc<dyn LogReader>,
    truncated: Position,
    last: Position,
    /// Entries up to and including this index are durable.
    durable: u64,
    cache: VecDeque<Entry>,
    cache_bytes: usize,
    cache_limit: usize,
    initial: (HardState, ConfState),
    /// The latest finished snapshot, offered to followers that need one.
    pub(super) snapshot: Option<SnapshotMeta>,
    /// Set when raft-rs asked for a snapshot that is not there: the least index it may have.
    wanted: Cell<Option<u64>>,
}

fn size(entry: &Entry) -> usize {
    entry.data.len() + 48
}

impl Store {
    pub(super) fn new(
        group: GroupId,
        reader: Arc<dyn LogReader>,
        found: &GroupLog,
        hard: HardState,
        conf: ConfState,
        cache_limit: usize,
    ) -> Store {
        Store {
            group,
            reader,
            truncated: found.record.truncated,
            last: found.last,
            durable: found.last.index,
            cache: VecDeque::new(),
            cache_bytes: 0,
            cache_limit,
            initial: (hard, conf),
            snapshot: None,
            wanted: Cell::new(None),
        }
    }

    pub(super) fn truncated(&self) -> Position {
        self.truncated
    }

    pub(super) fn last(&self) -> Position {
        self.last
    }

    /// The least index a wanted snapshot may have; asks once.
    pub(super) fn take_wanted(&self) -> Option<u64> {
        self.wanted.take()
    }

    /// Takes over entries that are about to be written, replacing what they overwrite.
    pub(super) fn append(&mut self, entries: &[Entry]) {
        let Some(first) = entries.first() else { return };
        assert!(
            first.index > self.truncated.index && first.index <= self.last.index + 1,
            "entry {} does not follow the log {}..={}",
            first.index,
            self.truncated.index,
            self.last.index
        );
        while self.cache.back().is_some_and(|e| e.index >= first.index) {
            self.cache_bytes -= self.cache.pop_back().map_or(0, |e| size(&e));
        }
        self.durable = self.durable.min(first.index - 1);
        for (entry, index) in entries.iter().zip(first.index..) {
            assert_eq!(entry.index, index, "entries have consecutive indexes");
            self.cache_bytes += size(entry);
            self.cache.push_back(entry.clone());
            self.last = Position { index, term: entry.term };
        }
    }

    /// Everything up to `index` has reached the disk.
    pub(super) fn persisted(&mut self, index: u64) {
        self.durable = self.durable.max(index.min(self.last.index));
        while self.cache_bytes > self.cache_limit && self.cache.front().is_some_and(|e| e.index <= self.durable) {
            self.cache_bytes -= self.cache.pop_front().map_or(0, |e| size(&e));
        }
    }

    /// Forgets everything up to `to`.
    pub(super) fn compact(&mut self, to: Position) {
        self.truncated = to;
        while self.cache.front().is_some_and(|e| e.index <= to.index) {
            self.cache_bytes -= self.cache.pop_front().map_or(0, |e| size(&e));
        }
        if self.snapshot.as_ref().is_some_and(|s| s.at.index < to.index) {
            self.snapshot = None;
        }
    }

    /// A snapshot replaces the whole log.
    pub(super) fn reset(&mut self, at: Position) {
        (self.truncated, self.last, self.durable) = (at, at, at.index);
        self.cache.clear();
        self.cache_bytes = 0;
        self.snapshot = None;
    }

    /// The entries `low..high`, at least one and otherwise not more than `max_bytes`.
    pub(super) fn read(&self, low: u64, high: u64, max_bytes: u64) -> std::result::Result<Vec<Entry>, LogError> {
        let cached = self.cache.front().map_or(self.last.index + 1, |e| e.index);
        let mut out = Vec::new();
        if low < cached {
            out = self.reader.entries(self.group, low, high.min(cached), max_bytes)?;
        }
        let mut next = low + out.len() as u64;
        if next < cached {
            return Ok(out);
        }
        let mut bytes: u64 = out.iter().map(|e| size(e) as u64).sum();
        while next < high {
            let entry = &self.cache[(next - cached) as usize];
            bytes += size(entry) as u64;
            if bytes > max_bytes && !out.is_empty() {
                break;
            }
            out.push(entry.clone());
            next += 1;
        }
        Ok(out)
    }
}

fn fatal(error: LogError) -> Error {
    Error::Store(StorageError::Other(Box::new(error)))
}

impl Storage for Store {
    fn initial_state(&self) -> Result<RaftState> {
        let (hard, conf) = &self.initial;
        let mut state = RaftState { conf_state: conf.clone(), ..RaftState::default() };
        state.hard_state.term = hard.term;
        state.hard_state.vote = hard.vote;
        state.hard_state.commit = hard.commit;
        Ok(state)
    }

    fn entries(
        &self,
        low: u64,
        high: u64,
        max_size: impl Into<Option<u64>>,
        _context: GetEntriesContext,
    ) -> Result<Vec<Entry>> {
        if low <= self.truncated.index {
            return Err(Error::Store(StorageError::Compacted));
        }
        assert!(high <= self.last.index + 1, "raft asked for entry {} behind the last {}", high - 1, self.last.index);
        self.read(low, high, max_size.into().unwrap_or(u64::MAX)).map_err(fatal)
    }

    fn term(&self, index: u64) -> Result<u64> {
        if index == self.last.index {
            return Ok(self.last.term);
        }
        if index == self.truncated.index {
            return Ok(self.truncated.term);
        }
        if index < self.truncated.index {
            return Err(Error::Store(StorageError::Compacted));
        }
        if index > self.last.index {
            return Err(Error::Store(StorageError::Unavailable));
        }
        match self.cache.front() {
            Some(front) if front.index <= index => Ok(self.cache[(index - front.index) as usize].term),
            _ => {
                let found = self.reader.term(self.group, index).map_err(fatal)?;
                found.ok_or_else(|| fatal(LogError::Missing { group: self.group, index }))
            }
        }
    }

    fn first_index(&self) -> Result<u64> {
        Ok(self.truncated.index + 1)
    }

    fn last_index(&self) -> Result<u64> {
        Ok(self.last.index)
    }

    fn snapshot(&self, request_index: u64, to: u64) -> Result<Snapshot> {
        match &self.snapshot {
            Some(meta) if meta.at.index >= request_index && has_member(&meta.membership, to) => {
                Ok(snapshot_message(meta))
            }
            _ => {
                self.wanted.set(Some(request_index.max(self.wanted.get().unwrap_or(0))));
                Err(Error::Store(StorageError::SnapshotTemporarilyUnavailable))
            }
        }
    }
}

/// A replica refuses a snapshot whose membership it is not part of.
fn has_member(membership: &Membership, replica: u64) -> bool {
    let lists = [&membership.voters, &membership.learners, &membership.voters_outgoing];
    lists.iter().any(|ids| ids.iter().any(|id| id.0 == replica))
}

pub(super) fn snapshot_message(meta: &SnapshotMeta) -> Snapshot {
    let mut snapshot = Snapshot { data: crate::command::encode(meta), ..Snapshot::default() };
    let head = snapshot.mut_metadata();
    head.index = meta.at.index;
    head.term = meta.at.term;
    head.set_conf_state(conf_state(&meta.membership));
    snapshot
}

/// raft-rs's form of a membership.
pub(super) fn conf_state(membership: &Membership) -> ConfState {
    let ids = |list: &[crate::id::ReplicaId]| list.iter().map(|r| r.0).collect::<Vec<u64>>();
    ConfState {
        voters: ids(&membership.voters),
        learners: ids(&membership.learners),
        voters_outgoing: ids(&membership.voters_outgoing),
        learners_next: ids(&membership.learners_next),
        auto_leave: membership.auto_leave,
        ..ConfState::default()
    }
}

/// Our form of a membership: sorted, because raft-rs lists it in the order of a hash table.
pub(super) fn membership(conf: &ConfState) -> Membership {
    let ids = |list: &[u64]| {
        let mut list: Vec<_> = list.iter().map(|id| crate::id::ReplicaId(*id)).collect();
        list.sort_unstable();
        list
    };
    Membership {
        voters: ids(&conf.voters),
        learners: ids(&conf.learners),
        voters_outgoing: ids(&conf.voters_outgoing),
        learners_next: ids(&conf.learners_next),
        auto_leave: conf.auto_leave,
    }
}
