//! The durable Raft log of all groups of this node, and the identity of the node.
//!
//! One log serves every group, so one fsync makes the appends of all groups durable ([`RaftLog::write`] takes a batch
//! that mixes groups). Who may write: the log thread of `replica::driver`, and before a group runs, whoever starts it.
//! Who may read: any thread, through [`LogReader`].
//!
//! What is stored per group: the entries, and one small [`GroupRecord`] with Raft's hard state, the position up to
//! which the log was cut, and the snapshot that is being installed, if any. A snapshot replaces two things that live
//! in different files, the state machine and the log, so it takes three steps: note the snapshot as *installing*
//! (synced), replace the state machine, reset the log to the snapshot and forget the note (synced, one batch). After
//! a crash between the steps the note says what to finish: see [`finish_install`].
//!
//! Left out: encryption, compression, and any repair of a log that lost entries: `replica::core` notices it and
//! refuses to start the replica.

pub mod identity;
pub mod memory;
pub mod raft_engine;

use crate::consensus::{Position, SnapshotMeta};
use crate::id::GroupId;
pub use ::raft::eraftpb::Entry;
use serde::{Deserialize, Serialize};

/// What Raft must not forget between two messages, besides the entries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HardState {
    pub term: u64,
    /// The replica voted for in `term`, 0 for none.
    pub vote: u64,
    /// A lower bound of what is committed; written only along with something else.
    pub commit: u64,
}

/// Everything stored about a group besides its entries.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupRecord {
    pub hard_state: HardState,
    /// The last entry that is no longer in the log. Index 0 means that nothing was ever cut.
    pub truncated: Position,
    /// A snapshot whose installation has begun and whose end is not recorded yet.
    pub installing: Option<SnapshotMeta>,
}

/// A group's log as found at start.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GroupLog {
    pub record: GroupRecord,
    /// The last entry, or `record.truncated` when the log is empty.
    pub last: Position,
}

/// One change to the log of one group.
#[derive(Clone, Debug)]
pub enum LogWrite {
    /// Appends entries with consecutive indexes; an index that exists already is replaced together with all behind it.
    Append(GroupId, Vec<Entry>),
    HardState(GroupId, HardState),
    /// Cuts everything up to and including the position.
    Compact(GroupId, Position),
    /// Notes, before the state machine is replaced, which snapshot replaces it.
    Installing(GroupId, SnapshotMeta),
    /// Drops all entries: the log begins behind the position. Clears the note of [`LogWrite::Installing`].
    Reset(GroupId, Position, HardState),
    /// The installation noted before did not take place.
    NotInstalled(GroupId),
    /// Forgets the group.
    Remove(GroupId),
}

impl LogWrite {
    pub fn group(&self) -> GroupId {
        match self {
            LogWrite::Append(g, _)
            | LogWrite::HardState(g, _)
            | LogWrite::Compact(g, _)
            | LogWrite::Installing(g, _)
            | LogWrite::Reset(g, _, _)
            | LogWrite::NotInstalled(g)
            | LogWrite::Remove(g) => *g,
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The disk is full or broken; nothing of the batch is promised. The same batch may be written again.
    #[error("raft log: {0}")]
    Io(String),
    /// The files are not what this program wrote.
    #[error("raft log is damaged: {0}")]
    Corrupt(String),
    /// The caller asked for entries that are not there.
    #[error("raft log of {group} has no entry {index}")]
    Missing { group: GroupId, index: u64 },
}

/// Read access to durable entries.
pub trait LogReader: Send + Sync + 'static {
    /// The entries `low..high`, at least one and otherwise not more than `max_bytes` of data.
    fn entries(&self, group: GroupId, low: u64, high: u64, max_bytes: u64) -> Result<Vec<Entry>, LogError>;

    /// The term of the entry at `index`; `None` when there is no such entry.
    fn term(&self, group: GroupId, index: u64) -> Result<Option<u64>, LogError>;
}

/// The log of all groups of a node.
pub trait RaftLog: LogReader {
    /// Makes the changes, in order, all or (after a crash) a prefix of the batches. With `sync` they have reached the
    /// disk when this returns, together with everything written before; without, a crash may lose them.
    fn write(&self, batch: &[LogWrite], sync: bool) -> Result<(), LogError>;

    /// The group's log as it is, empty for a group that was never written.
    fn load(&self, group: GroupId) -> Result<GroupLog, LogError>;

    /// Groups that have anything stored, ascending.
    fn groups(&self) -> Vec<GroupId>;

    /// Gives disk space back. Called regularly by the thread that writes.
    fn maintain(&self) -> Result<(), LogError>;
}

/// Finishes what a crash interrupted while a snapshot was installed. `applied` is the state machine's position.
pub fn finish_install(log: &dyn RaftLog, group: GroupId, applied: Position) -> Result<(), LogError> {
    let found = log.load(group)?;
    let Some(meta) = found.record.installing else { return Ok(()) };
    let write = if applied == meta.at {
        let hard = found.record.hard_state;
        let hard = HardState { commit: hard.commit.max(meta.at.index), ..hard };
        LogWrite::Reset(group, meta.at, hard)
    } else {
        LogWrite::NotInstalled(group)
    };
    log.write(&[write], true)
}

/// The rule all implementations share: how a write changes the record.
fn change_record(record: &mut GroupRecord, write: &LogWrite) -> bool {
    match write {
        LogWrite::Append(..) => return false,
        LogWrite::HardState(_, hard) => record.hard_state = *hard,
        LogWrite::Compact(_, to) => {
            if to.index <= record.truncated.index {
                return false;
            }
            record.truncated = *to;
        }
        LogWrite::Installing(_, meta) => record.installing = Some(meta.clone()),
        LogWrite::Reset(_, to, hard) => {
            *record = GroupRecord { hard_state: *hard, truncated: *to, installing: None };
        }
        LogWrite::NotInstalled(_) => record.installing = None,
        LogWrite::Remove(_) => *record = GroupRecord::default(),
    }
    true
}

#[cfg(test)]
mod tests {
    use super::memory::MemoryLog;
    use super::raft_engine::{RaftEngineLog, RaftEngineOptions};
    use super::*;
    use crate::consensus::Membership;

    const G: GroupId = GroupId(7);

    fn entry(index: u64, term: u64, data: &str) -> Entry {
        Entry { index, term, data: data.as_bytes().to_vec().into(), ..Entry::default() }
    }

    fn text(log: &dyn RaftLog, group: GroupId) -> String {
        let found = log.load(group).unwrap();
        let first = found.record.truncated.index + 1;
        let entries = match found.last.index + 1 > first {
            true => log.entries(group, first, found.last.index + 1, u64::MAX).unwrap(),
            false => vec![],
        };
        let entries: Vec<_> =
            entries.iter().map(|e| format!("{}@{}:{}", e.index, e.term, String::from_utf8_lossy(&e.data))).collect();
        let hard = found.record.hard_state;
        format!("t{} v{} c{} |{}| {}", hard.term, hard.vote, hard.commit, first - 1, entries.join(" "))
    }

    /// What every implementation must do; returns what it printed.
    fn scenario(log: &dyn RaftLog) -> Vec<String> {
        let mut out = vec![text(log, G)];
        let mut step = |writes: &[LogWrite], sync| {
            log.write(writes, sync).unwrap();
            out.push(text(log, G));
        };
        let hard = |term, vote, commit| LogWrite::HardState(G, HardState { term, vote, commit });
        step(&[LogWrite::Append(G, vec![entry(1, 1, "a"), entry(2, 1, "b")]), hard(1, 3, 0)], true);
        step(&[LogWrite::Append(G, vec![entry(3, 1, "c")])], false);
        step(&[LogWrite::Append(G, vec![entry(2, 2, "B")]), hard(2, 0, 1)], true);
        step(&[LogWrite::Append(GroupId(8), vec![entry(1, 9, "other")])], true);
        step(&[LogWrite::Append(G, vec![entry(3, 2, "C"), entry(4, 2, "D")])], true);
        step(&[LogWrite::Compact(G, Position { index: 3, term: 2 })], false);
        step(&[LogWrite::Compact(G, Position { index: 2, term: 2 })], false);
        step(&[LogWrite::Reset(G, Position { index: 10, term: 3 }, HardState { term: 3, vote: 0, commit: 10 })], true);
        step(&[LogWrite::Append(G, vec![entry(11, 3, "k")])], true);
        step(&[LogWrite::Remove(G)], true);
        step(&[LogWrite::Append(G, vec![entry(1, 1, "again")])], true);
        out.push(text(log, GroupId(8)));
        out
    }

    const EXPECTED: [&str; 13] = [
        "t0 v0 c0 |0| ",
        "t1 v3 c0 |0| 1@1:a 2@1:b",
        "t1 v3 c0 |0| 1@1:a 2@1:b 3@1:c",
        "t2 v0 c1 |0| 1@1:a 2@2:B",
        "t2 v0 c1 |0| 1@1:a 2@2:B",
        "t2 v0 c1 |0| 1@1:a 2@2:B 3@2:C 4@2:D",
        "t2 v0 c1 |3| 4@2:D",
        "t2 v0 c1 |3| 4@2:D",
        "t3 v0 c10 |10| ",
        "t3 v0 c10 |10| 11@3:k",
        "t0 v0 c0 |0| ",
        "t0 v0 c0 |0| 1@1:again",
        "t0 v0 c0 |0| 1@9:other",
    ];

    #[test]
    fn both_implementations_agree() {
        assert_eq!(scenario(&MemoryLog::new()), EXPECTED);
        let dir = tempfile::tempdir().unwrap();
        let log = RaftEngineLog::open(dir.path(), &RaftEngineOptions::small()).unwrap();
        assert_eq!(scenario(&log), EXPECTED);
        assert_eq!(log.groups(), [G, GroupId(8)]);
        drop(log);
        let log = RaftEngineLog::open(dir.path(), &RaftEngineOptions::small()).unwrap();
        assert_eq!(text(&log, G), EXPECTED[11]);
        assert_eq!(text(&log, GroupId(8)), EXPECTED[12]);
    }

    #[test]
    fn a_loss_of_power_keeps_what_was_synced() {
        let log = MemoryLog::new();
        log.write(&[LogWrite::Append(G, vec![entry(1, 1, "a")])], true).unwrap();
        log.write(&[LogWrite::Append(G, vec![entry(2, 1, "b")])], false).unwrap();
        log.write(&[LogWrite::Append(GroupId(8), vec![entry(1, 1, "x")])], true).unwrap();
        log.write(&[LogWrite::Append(G, vec![entry(3, 1, "c")])], false).unwrap();
        log.lose_power();
        assert_eq!(text(&log, G), "t0 v0 c0 |0| 1@1:a 2@1:b");
    }

    #[test]
    fn an_interrupted_installation_is_finished_or_forgotten() {
        let meta = SnapshotMeta {
            at: Position { index: 9, term: 2 },
            membership: Membership::default(),
            length: 1,
            checksum: 1,
        };
        for (applied, expected) in [(meta.at, "t2 v1 c9 |9| "), (Position { index: 1, term: 1 }, "t2 v1 c1 |0| 1@1:a")]
        {
            let log = MemoryLog::new();
            let hard = HardState { term: 2, vote: 1, commit: 1 };
            log.write(&[LogWrite::Append(G, vec![entry(1, 1, "a")]), LogWrite::HardState(G, hard)], true).unwrap();
            log.write(&[LogWrite::Installing(G, meta.clone())], true).unwrap();
            log.lose_power();
            finish_install(&log, G, applied).unwrap();
            assert_eq!(text(&log, G), expected);
            assert_eq!(log.load(G).unwrap().record.installing, None);
        }
    }
}
