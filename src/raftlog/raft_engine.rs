//! The log on disk: TiKV's raft-engine behind [`RaftLog`].
//!
//! What its settings are for:
//! - every synced write carries at least one record, because raft-engine syncs nothing when the batch is empty;
//! - recycled and prefilled files, so that an fsync never has to wait for the file system to allocate;
//! - a purge threshold far below the default of 10 GB;
//! - no compression: a batch is small, and a reader would unpack the whole batch for one entry.
//!
//! raft-engine 0.4.2 lets a read race with a purge that deletes the file it is about to read. Reads hold `purging`
//! shared, the purge holds it exclusively.

use super::{Entry, GroupLog, GroupRecord, LogError, LogReader, LogWrite, RaftLog, change_record};
use crate::command;
use crate::id::GroupId;
use crate::replica::Position;
use ::raft_engine::{Command, Config, Engine, Error, LogBatch, MessageExt, ReadableSize, RecoveryMode};
use parking_lot::{Mutex, RwLock};
use std::collections::BTreeMap;
use std::path::Path;

/// The key of a group's [`GroupRecord`].
const RECORD: &[u8] = b"record";
/// The key of a note that makes a synced batch non-empty, in group 0, which no database uses.
const MARK: &[u8] = b"mark";

struct Codec;

impl MessageExt for Codec {
    type Entry = Entry;
    fn index(entry: &Entry) -> u64 {
        entry.index
    }
}

/// Sizes in bytes.
#[derive(Clone, Debug)]
pub struct RaftEngineOptions {
    /// Of one log file.
    pub file_size: u64,
    /// Total above which files are rewritten and recycled.
    pub purge_threshold: u64,
    /// Prepared at start; 0 for none.
    pub prefill: u64,
}

impl Default for RaftEngineOptions {
    fn default() -> Self {
        RaftEngineOptions { file_size: 16 << 20, purge_threshold: 256 << 20, prefill: 32 << 20 }
    }
}

impl RaftEngineOptions {
    /// For tests: small files, nothing prepared.
    pub fn small() -> Self {
        RaftEngineOptions { file_size: 64 << 10, purge_threshold: 256 << 10, prefill: 0 }
    }
}

/// See the module.
pub struct RaftEngineLog {
    engine: Engine,
    /// What is stored, so that a change of one field need not read the others back.
    records: Mutex<BTreeMap<GroupId, GroupRecord>>,
    purging: RwLock<()>,
}

impl From<Error> for LogError {
    fn from(error: Error) -> LogError {
        match error {
            Error::Io(_) | Error::TryAgain(_) => LogError::Io(error.to_string()),
            other => LogError::Corrupt(other.to_string()),
        }
    }
}

impl RaftEngineLog {
    /// Opens the log in directory `dir`, creating it when there is none. A damaged tail is cut off: those records were
    /// either never acknowledged, or the replica they belong to notices at start that they are missing.
    pub fn open(dir: &Path, options: &RaftEngineOptions) -> Result<RaftEngineLog, LogError> {
        let config = Config {
            dir: dir.to_str().ok_or_else(|| LogError::Io(format!("{} is not UTF-8", dir.display())))?.to_owned(),
            recovery_mode: RecoveryMode::TolerateTailCorruption,
            recovery_threads: 2,
            batch_compression_threshold: ReadableSize(0),
            target_file_size: ReadableSize(options.file_size),
            purge_threshold: ReadableSize(options.purge_threshold),
            enable_log_recycle: true,
            prefill_for_recycle: options.prefill > 0,
            prefill_limit: (options.prefill > 0).then_some(ReadableSize(options.prefill)),
            ..Config::default()
        };
        let engine = Engine::open(config)?;
        let mut records = BTreeMap::new();
        for group in engine.raft_groups() {
            if let Some(bytes) = engine.get(group, RECORD) {
                let record = command::decode(&bytes)
                    .map_err(|e| LogError::Corrupt(format!("record of {}: {e}", GroupId(group))))?;
                records.insert(GroupId(group), record);
            } else if engine.last_index(group).is_some() {
                records.insert(GroupId(group), GroupRecord::default());
            }
        }
        let log = RaftEngineLog { engine, records: Mutex::new(records), purging: RwLock::new(()) };
        // A process that was killed between a write and its sync leaves entries that only the operating system has.
        // What is found here counts as durable, and is acknowledged to a leader, so it must be.
        log.write(&[], true)?;
        Ok(log)
    }

    fn add(&self, batch: &mut LogBatch, write: &LogWrite) -> Result<(), LogError> {
        let group = write.group();
        match write {
            LogWrite::Append(_, entries) => batch.add_entries::<Codec>(group.0, entries)?,
            LogWrite::Compact(_, to) => batch.add_command(group.0, Command::Compact { index: to.index + 1 }),
            LogWrite::Reset(..) | LogWrite::Remove(_) => batch.add_command(group.0, Command::Clean),
            LogWrite::HardState(..) | LogWrite::Installing(..) | LogWrite::NotInstalled(_) => {}
        }
        Ok(())
    }
}

impl LogReader for RaftEngineLog {
    fn entries(&self, group: GroupId, low: u64, high: u64, max_bytes: u64) -> Result<Vec<Entry>, LogError> {
        let _shared = self.purging.read();
        let max = usize::try_from(max_bytes).unwrap_or(usize::MAX);
        let mut out = Vec::new();
        match self.engine.fetch_entries_to::<Codec>(group.0, low, high, Some(max), &mut out) {
            Ok(n) if n > 0 => Ok(out),
            Ok(_) | Err(Error::EntryCompacted | Error::EntryNotFound) => Err(LogError::Missing { group, index: low }),
            Err(e) => Err(e.into()),
        }
    }

    fn term(&self, group: GroupId, index: u64) -> Result<Option<u64>, LogError> {
        let _shared = self.purging.read();
        match self.engine.get_entry::<Codec>(group.0, index) {
            Ok(entry) => Ok(entry.map(|e| e.term)),
            Err(Error::EntryCompacted | Error::EntryNotFound) => Ok(None),
            Err(e) => Err(e.into()),
        }
    }
}

impl RaftLog for RaftEngineLog {
    fn write(&self, writes: &[LogWrite], sync: bool) -> Result<(), LogError> {
        let mut batch = LogBatch::default();
        let mut changed = BTreeMap::new();
        let mut records = self.records.lock();
        for write in writes {
            self.add(&mut batch, write)?;
            let group = write.group();
            let record =
                changed.entry(group).or_insert_with(|| (records.get(&group).cloned().unwrap_or_default(), false));
            let alive = !matches!(write, LogWrite::Remove(_));
            let dirty = change_record(&mut record.0, write);
            record.1 = alive && (record.1 || dirty);
        }
        for (group, (record, dirty)) in &changed {
            if *dirty {
                batch.put(group.0, RECORD.to_vec(), command::encode(record).to_vec())?;
            }
        }
        if sync && batch.is_empty() {
            batch.put(0, MARK.to_vec(), Vec::new())?;
        }
        self.engine.write(&mut batch, sync)?;
        let removed = |group: &GroupId| {
            let last = writes.iter().rev().find(|w| w.group() == *group);
            matches!(last, Some(LogWrite::Remove(_)))
        };
        for (group, (record, _)) in changed {
            match removed(&group) {
                true => records.remove(&group),
                false => records.insert(group, record),
            };
        }
        Ok(())
    }

    fn load(&self, group: GroupId) -> Result<GroupLog, LogError> {
        let record = self.records.lock().get(&group).cloned().unwrap_or_default();
        let last = match self.engine.last_index(group.0) {
            Some(index) if index > record.truncated.index => {
                let term = self.term(group, index)?.ok_or(LogError::Missing { group, index })?;
                Position { index, term }
            }
            _ => record.truncated,
        };
        Ok(GroupLog { record, last })
    }

    fn groups(&self) -> Vec<GroupId> {
        self.records.lock().keys().copied().collect()
    }

    fn maintain(&self) -> Result<(), LogError> {
        let _alone = self.purging.write();
        // The answer names groups that should cut their logs; `replica::core` cuts by its own rule.
        self.engine.purge_expired_files()?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::raftlog::HardState;

    fn entries(range: std::ops::Range<u64>, term: u64, size: usize) -> Vec<Entry> {
        range.map(|index| Entry { index, term, data: vec![index as u8; size].into(), ..Entry::default() }).collect()
    }

    #[test]
    fn restart_finds_what_was_written() {
        let dir = tempfile::tempdir().unwrap();
        let g = GroupId(3);
        {
            let log = RaftEngineLog::open(dir.path(), &RaftEngineOptions::small()).unwrap();
            log.write(&[LogWrite::Append(g, entries(1..101, 1, 10))], true).unwrap();
            log.write(&[LogWrite::HardState(g, HardState { term: 2, vote: 5, commit: 90 })], true).unwrap();
            log.write(&[LogWrite::Append(g, entries(96..98, 2, 10))], true).unwrap();
            log.write(&[LogWrite::Compact(g, Position { index: 40, term: 1 })], true).unwrap();
        }
        let log = RaftEngineLog::open(dir.path(), &RaftEngineOptions::small()).unwrap();
        let found = log.load(g).unwrap();
        assert_eq!(found.last, Position { index: 97, term: 2 });
        assert_eq!(found.record.truncated, Position { index: 40, term: 1 });
        assert_eq!(found.record.hard_state, HardState { term: 2, vote: 5, commit: 90 });
        assert_eq!(log.term(g, 95).unwrap(), Some(1));
        assert_eq!(log.term(g, 40).unwrap(), None);
        assert_eq!(log.entries(g, 41, 98, 30).unwrap().len(), 3.min(log.entries(g, 41, 98, 30).unwrap().len()));
        assert!(matches!(log.entries(g, 40, 41, 30), Err(LogError::Missing { .. })));
    }

    #[test]
    fn a_torn_tail_is_cut_off() {
        let dir = tempfile::tempdir().unwrap();
        let g = GroupId(3);
        {
            let log = RaftEngineLog::open(dir.path(), &RaftEngineOptions::small()).unwrap();
            log.write(&[LogWrite::Append(g, entries(1..4, 1, 100))], true).unwrap();
            log.write(&[LogWrite::Append(g, entries(4..5, 1, 100))], true).unwrap();
        }
        let file = std::fs::read_dir(dir.path())
            .unwrap()
            .map(|f| f.unwrap().path())
            .filter(|p| p.extension().is_some_and(|e| e == "raftlog"))
            .max()
            .unwrap();
        let bytes = std::fs::read(&file).unwrap();
        let end = bytes.iter().rposition(|b| *b != 0).unwrap();
        std::fs::write(&file, &bytes[..end - 20]).unwrap();
        let log = RaftEngineLog::open(dir.path(), &RaftEngineOptions::small()).unwrap();
        assert_eq!(log.load(g).unwrap().last.index, 3);
        log.write(&[LogWrite::Append(g, entries(4..6, 2, 100))], true).unwrap();
        assert_eq!(log.load(g).unwrap().last, Position { index: 5, term: 2 });
    }

    #[test]
    fn purge_bounds_the_disk() {
        let dir = tempfile::tempdir().unwrap();
        let g = GroupId(3);
        let log = RaftEngineLog::open(dir.path(), &RaftEngineOptions::small()).unwrap();
        for i in 0..200u64 {
            log.write(&[LogWrite::Append(g, entries(i * 10 + 1..i * 10 + 11, 1, 1000))], false).unwrap();
            log.write(&[LogWrite::Compact(g, Position { index: i * 10 + 5, term: 1 })], false).unwrap();
            log.maintain().unwrap();
        }
        assert_eq!(log.entries(g, 1996, 2001, u64::MAX).unwrap().len(), 5);
        let size: u64 = std::fs::read_dir(dir.path()).unwrap().map(|f| f.unwrap().metadata().unwrap().len()).sum();
        assert!(size < 1 << 20, "{size} bytes for 2 MB written and almost all cut");
    }
}
