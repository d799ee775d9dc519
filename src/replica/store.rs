//! What raft-rs sees of a group's log: the newest entries from memory, older ones from the durable log.
//!
//! raft-rs forgets an entry as soon as it was handed over to be written, which is before it is durable. So this cache
//! holds every entry that is not known to be durable, plus as many durable ones as its limit allows. It always ends at
//! the last entry and has no holes; what lies before it is durable and can be read back.
//!
//! Whoever asks must not wait for a disk: it would hold up the heartbeats of all groups. So
//! - terms are known without looking: they never fall along a log, and where each begins is kept;
//! - entries that are not in memory are *fetched*: the store notes which ones are wanted, somebody reads them and
//!   brings them back. Meanwhile entries may have been cut off or replaced: what comes back counts only if nothing
//!   was replaced since it was asked for (the epoch), and is checked against the log as it is now.
//!
//! raft-rs has no such way for the committed entries that a restarted replica applies again, and for those it looks
//! through before a campaign: what of these is not in memory is read in place.

use crate::consensus::form::snapshot_of;
use crate::id::GroupId;
use crate::raftlog::{GroupLog, HardState, LogError, LogReader};
use crate::replica::{Membership, Position, SnapshotMeta};
use raft::eraftpb::{ConfState, Entry, Snapshot};
use raft::{Error, GetEntriesContext, RaftState, Result, Storage, StorageError};
use std::cell::{Cell, RefCell};
use std::collections::{BTreeSet, VecDeque};
use std::ops::Range;
use std::sync::Arc;

/// More is fetched than one message takes, so that few of them wait for it.
const READ_AHEAD: u64 = 4;
const MIN_FETCH: u64 = 64 << 10;
const MAX_FETCH: u64 = 4 << 20;
/// Fetches under way, and fetched pieces kept, at a time: one for each follower that lags, and one to be applied.
const MAX_FETCHES: usize = 6;

/// Entries to be read from the log: from `low`, below `high`, at least one and otherwise at most `max_bytes`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fetch {
    pub low: u64,
    pub high: u64,
    pub max_bytes: u64,
    epoch: u64,
}

#[derive(Default)]
struct Fetches {
    /// Rises when entries are replaced: what was asked for before is void.
    epoch: u64,
    wanted: Vec<Fetch>,
    /// First indexes of what was asked for and has not come.
    under_way: BTreeSet<u64>,
    /// Runs of entries, the latest last.
    arrived: VecDeque<Vec<Entry>>,
    /// The last one failed: none until some time has passed.
    paused: bool,
}

impl Fetches {
    fn void(&mut self) {
        *self = Fetches { epoch: self.epoch + 1, paused: self.paused, ..Fetches::default() };
    }

    /// What has arrived of `low..high`; a run that is read to its end is forgotten.
    fn take(&mut self, low: u64, high: u64, max_bytes: u64) -> Option<Vec<Entry>> {
        let holds = |run: &Vec<Entry>| run[0].index <= low && low < run[0].index + run.len() as u64;
        let at = self.arrived.iter().position(holds)?;
        let run = &self.arrived[at];
        let rest = &run[(low - run[0].index) as usize..];
        let mut bytes = 0;
        let fits = |entry: &&Entry| {
            bytes += size(entry) as u64;
            entry.index < high && (entry.index == low || bytes <= max_bytes)
        };
        let out: Vec<Entry> = rest.iter().take_while(fits).cloned().collect();
        if out.len() == rest.len() {
            self.arrived.remove(at);
        }
        Some(out)
    }

    fn want(&mut self, low: u64, high: u64, max_bytes: u64) {
        if self.paused || self.under_way.len() >= MAX_FETCHES || !self.under_way.insert(low) {
            return;
        }
        let max_bytes = READ_AHEAD.saturating_mul(max_bytes).clamp(MIN_FETCH, MAX_FETCH);
        self.wanted.push(Fetch { low, high, max_bytes, epoch: self.epoch });
    }
}

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
    /// The first index of each term behind `truncated`, ascending; the first may lie before it.
    terms: VecDeque<Position>,
    fetches: RefCell<Fetches>,
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
    ) -> std::result::Result<Store, LogError> {
        let terms = term_starts(reader.as_ref(), group, found)?;
        Ok(Store {
            group,
            reader,
            truncated: found.record.truncated,
            last: found.last,
            durable: found.last.index,
            cache: VecDeque::new(),
            cache_bytes: 0,
            cache_limit,
            terms,
            fetches: RefCell::default(),
            initial: (hard, conf),
            snapshot: None,
            wanted: Cell::new(None),
        })
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
        if first.index <= self.last.index {
            self.fetches.get_mut().void();
            while self.terms.back().is_some_and(|run| run.index >= first.index) {
                self.terms.pop_back();
            }
        }
        for (entry, index) in entries.iter().zip(first.index..) {
            assert_eq!(entry.index, index, "entries have consecutive indexes");
            self.cache_bytes += size(entry);
            self.cache.push_back(entry.clone());
            if self.terms.back().is_none_or(|run| run.term != entry.term) {
                self.terms.push_back(Position { index, term: entry.term });
            }
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
        while self.terms.get(1).is_some_and(|next| next.index <= to.index + 1) {
            self.terms.pop_front();
        }
        self.fetches.get_mut().arrived.retain(|run| run[0].index > to.index);
        if self.snapshot.as_ref().is_some_and(|s| s.at.index < to.index) {
            self.snapshot = None;
        }
    }

    /// A snapshot replaces the whole log.
    pub(super) fn reset(&mut self, at: Position) {
        (self.truncated, self.last, self.durable) = (at, at, at.index);
        self.cache.clear();
        self.cache_bytes = 0;
        self.terms.clear();
        self.fetches.get_mut().void();
        self.snapshot = None;
    }

    /// What is wanted from the log since the last call.
    pub(super) fn take_fetches(&mut self) -> Vec<Fetch> {
        std::mem::take(&mut self.fetches.get_mut().wanted)
    }

    /// After a fetch that failed, others may be tried.
    pub(super) fn resume_fetches(&mut self) {
        self.fetches.get_mut().paused = false;
    }

    /// What a fetch has brought, `None` for nothing. Returns the indexes that can be read now because of it.
    pub(super) fn fetched(&mut self, fetch: Fetch, entries: Option<Vec<Entry>>) -> Range<u64> {
        let good = entries.filter(|entries| self.are_mine(fetch.low, entries));
        let fetches = self.fetches.get_mut();
        if fetch.epoch != fetches.epoch {
            return 0..0;
        }
        fetches.under_way.remove(&fetch.low);
        let Some(run) = good else {
            fetches.paused = true;
            return 0..0;
        };
        let range = fetch.low..fetch.low + run.len() as u64;
        fetches.arrived.push_back(run);
        if fetches.arrived.len() > MAX_FETCHES {
            fetches.arrived.pop_front();
        }
        range
    }

    /// Whether these are this log's entries from `low` on.
    fn are_mine(&self, low: u64, entries: &[Entry]) -> bool {
        let last = low + entries.len() as u64;
        !entries.is_empty()
            && low > self.truncated.index
            && last <= self.last.index + 1
            && entries.iter().zip(low..).all(|(e, index)| e.index == index && self.known_term(index) == Some(e.term))
    }

    fn known_term(&self, index: u64) -> Option<u64> {
        let run = self.terms.partition_point(|run| run.index <= index).checked_sub(1)?;
        Some(self.terms[run].term)
    }

    /// The index from which on all entries are in memory.
    fn cached(&self) -> u64 {
        self.cache.front().map_or(self.last.index + 1, |e| e.index)
    }

    /// As [`Store::read`], without waiting for a disk: `None` when the entries must be fetched, which is then wanted.
    pub(super) fn read_now(&self, low: u64, high: u64, max_bytes: u64) -> Option<Vec<Entry>> {
        let cached = self.cached();
        if low >= cached {
            return self.read(low, high, max_bytes).ok();
        }
        let mut fetches = self.fetches.borrow_mut();
        let found = fetches.take(low, high.min(cached), max_bytes);
        if found.is_none() {
            fetches.want(low, high.min(cached), max_bytes);
        }
        found
    }

    /// The entries `low..high`, at least one and otherwise not more than `max_bytes`.
    fn read(&self, low: u64, high: u64, max_bytes: u64) -> std::result::Result<Vec<Entry>, LogError> {
        let cached = self.cached();
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

/// Terms never fall along a log, so where one begins is found by halving.
fn term_starts(
    reader: &dyn LogReader,
    group: GroupId,
    found: &GroupLog,
) -> std::result::Result<VecDeque<Position>, LogError> {
    let term = |index| reader.term(group, index)?.ok_or(LogError::Missing { group, index });
    let mut starts = VecDeque::new();
    let mut index = found.record.truncated.index + 1;
    while index <= found.last.index {
        let now = term(index)?;
        starts.push_back(Position { index, term: now });
        if now == found.last.term {
            break;
        }
        // The next term begins behind `index` and not behind the last entry, which has a later one.
        let (mut low, mut high) = (index + 1, found.last.index);
        while low < high {
            let middle = low + (high - low) / 2;
            if term(middle)? > now { high = middle } else { low = middle + 1 }
        }
        index = low;
    }
    Ok(starts)
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
        context: GetEntriesContext,
    ) -> Result<Vec<Entry>> {
        if low <= self.truncated.index {
            return Err(Error::Store(StorageError::Compacted));
        }
        assert!(high <= self.last.index + 1, "raft asked for entry {} behind the last {}", high - 1, self.last.index);
        let max_bytes = max_size.into().unwrap_or(u64::MAX);
        if context.can_async() {
            let found = self.read_now(low, high, max_bytes);
            return found.ok_or(Error::Store(StorageError::LogTemporarilyUnavailable));
        }
        self.read(low, high, max_bytes).map_err(fatal)
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
        self.known_term(index).ok_or_else(|| fatal(LogError::Missing { group: self.group, index }))
    }

    fn first_index(&self) -> Result<u64> {
        Ok(self.truncated.index + 1)
    }

    fn last_index(&self) -> Result<u64> {
        Ok(self.last.index)
    }

    fn snapshot(&self, request_index: u64, to: u64) -> Result<Snapshot> {
        match &self.snapshot {
            Some(meta) if meta.at.index >= request_index && has_member(&meta.membership, to) => Ok(snapshot_of(meta)),
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
