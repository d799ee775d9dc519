//! The log on disk: TiKV's raft-engine behind [`RaftLog`].
//!
//! What its settings are for:
//! - every synced write carries at least one record, because raft-engine syncs nothing when the batch is empty;
//! - recycled and prefilled files, so that an fsync never has to wait for the file system to allocate;
//! - a purge threshold far below the default of 10 GB;
//! - no compression: a batch is small, and a reader would unpack the whole batch for one entry.
//!
//! raft-engine 0.4.2 lets a read race with a purge that deletes the file it is about to read. Reads and writes hold
//! `engine` shared, the purge holds it exclusively.
//!
//! Nor does it stand on firm ground after an error. A file that could not be begun stays behind the one that is written
//! on, which then counts as whole at the next start although its end is not (prepared, or torn): the log is called
//! damaged. A purge that fails has forgotten which groups were dropped, and the next one deletes what says so. So after
//! an error nothing more is written through that engine: when the disk has room again, the files are opened anew, as
//! after the end of a process, for which they are good at every moment.

use super::{Entry, GroupLog, GroupRecord, LogError, LogReader, LogWrite, RaftLog, change_record};
use crate::command;
use crate::consensus::Position;
use crate::id::GroupId;
use ::raft_engine::env::{DefaultFileSystem, FileSystem};
use ::raft_engine::{Command, Config, Engine, Error, LogBatch, MessageExt, ReadableSize, RecoveryMode};
use parking_lot::{Mutex, RwLock, RwLockReadGuard};
use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

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

/// Written to see whether a disk that failed takes writes again: its name, and how much.
const PROBE: (&str, usize) = ("probe", 64 << 10);

/// See the module.
pub struct RaftEngineLog<F: FileSystem = DefaultFileSystem> {
    dir: PathBuf,
    options: RaftEngineOptions,
    files: Arc<F>,
    /// `None` only while the files could not be opened anew.
    engine: RwLock<Option<Engine<F>>>,
    /// What is stored, so that a change of one field need not read the others back. Whoever writes holds it.
    records: Mutex<BTreeMap<GroupId, GroupRecord>>,
    /// The engine has reported an error: nothing more goes through it.
    failed: AtomicBool,
}

type Opened<'a, F> = parking_lot::MappedRwLockReadGuard<'a, Engine<F>>;

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
        RaftEngineLog::open_with(dir, options, Arc::new(DefaultFileSystem))
    }
}

impl<F: FileSystem + 'static> RaftEngineLog<F> {
    fn open_with(dir: &Path, options: &RaftEngineOptions, files: Arc<F>) -> Result<RaftEngineLog<F>, LogError> {
        let log = RaftEngineLog {
            dir: dir.to_owned(),
            options: options.clone(),
            files,
            engine: RwLock::new(None),
            records: Mutex::default(),
            failed: AtomicBool::new(true),
        };
        log.open_files(&mut log.records.lock())?;
        // A process that was killed between a write and its sync leaves entries that only the operating system has.
        // What is found here counts as durable, and is acknowledged to a leader, so it must be.
        log.write(&[], true)?;
        Ok(log)
    }

    fn open_files(&self, records: &mut BTreeMap<GroupId, GroupRecord>) -> Result<(), LogError> {
        let options = &self.options;
        let dir = self.dir.to_str().ok_or_else(|| LogError::Io(format!("{} is not UTF-8", self.dir.display())))?;
        let config = Config {
            dir: dir.to_owned(),
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
        let mut slot = self.engine.write();
        // A directory is open once.
        drop(slot.take());
        let engine = Engine::open_with_file_system(config, self.files.clone())?;
        records.clear();
        for group in engine.raft_groups() {
            if let Some(bytes) = engine.get(group, RECORD) {
                let record = command::decode(&bytes)
                    .map_err(|e| LogError::Corrupt(format!("record of {}: {e}", GroupId(group))))?;
                records.insert(GroupId(group), record);
            } else if engine.last_index(group).is_some() {
                records.insert(GroupId(group), GroupRecord::default());
            }
        }
        *slot = Some(engine);
        self.failed.store(false, Ordering::Relaxed);
        Ok(())
    }

    /// After an error: opens the files anew, unless the disk still fails.
    fn recover(&self, records: &mut BTreeMap<GroupId, GroupRecord>) -> Result<(), LogError> {
        if !self.failed.load(Ordering::Relaxed) {
            return Ok(());
        }
        let path = self.dir.join(PROBE.0);
        let probe = || {
            let mut file = std::fs::File::create(&path)?;
            file.write_all(&[0; PROBE.1])?;
            file.sync_all()
        };
        let works = probe();
        let _ = std::fs::remove_file(&path);
        works.map_err(|e| LogError::Io(e.to_string()))?;
        self.open_files(records)?;
        tracing::info!("raft log: opened anew after an error");
        Ok(())
    }

    /// Passes an error of the engine on, which is not to be used any more.
    fn failing<T>(&self, result: Result<T, Error>) -> Result<T, LogError> {
        if result.is_err() {
            self.failed.store(true, Ordering::Relaxed);
        }
        result.map_err(LogError::from)
    }

    fn engine(&self) -> Result<Opened<'_, F>, LogError> {
        let opened = RwLockReadGuard::try_map(self.engine.read(), Option::as_ref);
        opened.map_err(|_| LogError::Io("the files could not be opened anew after an error".to_owned()))
    }

    /// Adds a write to a batch. `end` is the group's last entry so far. True when all that is stored of the group goes.
    fn add(&self, batch: &mut LogBatch, end: &mut u64, write: &LogWrite) -> Result<bool, LogError> {
        let group = write.group().0;
        match write {
            LogWrite::Append(_, entries) => {
                batch.add_entries::<Codec>(group, entries)?;
                *end = entries.last().map_or(*end, |last| last.index);
            }
            LogWrite::Compact(_, to) if to.index < *end => {
                batch.add_command(group, Command::Compact { index: to.index + 1 });
            }
            // Of a log without entries nothing says any more which ones were replaced: rewritten ones would be back after
            // a purge. That a group is dropped is not forgotten.
            LogWrite::Compact(..) | LogWrite::Reset(..) | LogWrite::Remove(_) => {
                batch.add_command(group, Command::Clean);
                *end = 0;
                return Ok(true);
            }
            LogWrite::HardState(..) | LogWrite::Installing(..) | LogWrite::NotInstalled(_) => {}
        }
        Ok(false)
    }
}

impl<F: FileSystem + 'static> LogReader for RaftEngineLog<F> {
    fn entries(&self, group: GroupId, low: u64, high: u64, max_bytes: u64) -> Result<Vec<Entry>, LogError> {
        let engine = self.engine()?;
        let max = usize::try_from(max_bytes).unwrap_or(usize::MAX);
        let mut out = Vec::new();
        match engine.fetch_entries_to::<Codec>(group.0, low, high, Some(max), &mut out) {
            Ok(n) if n > 0 => Ok(out),
            Ok(_) | Err(Error::EntryCompacted | Error::EntryNotFound) => Err(LogError::Missing { group, index: low }),
            Err(e) => Err(e.into()),
        }
    }

    fn term(&self, group: GroupId, index: u64) -> Result<Option<u64>, LogError> {
        match self.engine()?.get_entry::<Codec>(group.0, index) {
            Ok(entry) => Ok(entry.map(|e| e.term)),
            Err(Error::EntryCompacted | Error::EntryNotFound) => Ok(None),
            Err(e) => Err(e.into()),
        }
    }
}

impl<F: FileSystem + 'static> RaftLog for RaftEngineLog<F> {
    fn write(&self, writes: &[LogWrite], sync: bool) -> Result<(), LogError> {
        let mut records = self.records.lock();
        self.recover(&mut records)?;
        let mut batch = LogBatch::default();
        let engine = self.engine()?;
        let (mut changed, mut ends) = (BTreeMap::new(), BTreeMap::new());
        for write in writes {
            let group = write.group();
            let end = ends.entry(group).or_insert_with(|| engine.last_index(group.0).unwrap_or(0));
            let cleans = self.add(&mut batch, end, write)?;
            let record =
                changed.entry(group).or_insert_with(|| (records.get(&group).cloned().unwrap_or_default(), false));
            let alive = !matches!(write, LogWrite::Remove(_));
            let dirty = change_record(&mut record.0, write) || cleans;
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
        self.failing(engine.write(&mut batch, sync))?;
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
        // Not within the match: what follows takes the lock again, and a purge may wait in between.
        let last = self.engine()?.last_index(group.0);
        let last = match last {
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
        let mut records = self.records.lock();
        self.recover(&mut records)?;
        let alone = self.engine.write();
        // The answer names groups that should cut their logs; `replica::core` cuts by its own rule.
        let purged = alone.as_ref().map_or(Ok(Vec::new()), Engine::purge_expired_files);
        self.failing(purged).map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::raftlog::HardState;
    use std::io::{ErrorKind, Result as IoResult, Seek, SeekFrom, Write};
    use std::sync::atomic::AtomicU64;

    type Plain = <DefaultFileSystem as FileSystem>::Handle;
    type PlainWriter = <DefaultFileSystem as FileSystem>::Writer;

    /// A disk that takes so many bytes more, and then the front of a write only.
    #[derive(Default)]
    struct Narrow {
        room: Arc<AtomicU64>,
    }

    /// See [`Narrow`].
    struct NarrowWriter {
        to: PlainWriter,
        room: Arc<AtomicU64>,
    }

    impl Write for NarrowWriter {
        fn write(&mut self, data: &[u8]) -> IoResult<usize> {
            let room = self.room.load(Ordering::Relaxed);
            let fits = data.len().min(room as usize);
            self.to.write_all(&data[..fits])?;
            self.room.store(room - fits as u64, Ordering::Relaxed);
            match fits == data.len() {
                true => Ok(fits),
                false => Err(std::io::Error::new(ErrorKind::StorageFull, "nospace")),
            }
        }
        fn flush(&mut self) -> IoResult<()> {
            self.to.flush()
        }
    }

    impl Seek for NarrowWriter {
        fn seek(&mut self, to: SeekFrom) -> IoResult<u64> {
            self.to.seek(to)
        }
    }

    impl ::raft_engine::env::WriteExt for NarrowWriter {
        fn truncate(&mut self, offset: usize) -> IoResult<()> {
            self.to.truncate(offset)
        }
        fn allocate(&mut self, offset: usize, size: usize) -> IoResult<()> {
            match self.room.load(Ordering::Relaxed) {
                0 => Err(std::io::Error::new(ErrorKind::StorageFull, "nospace")),
                _ => self.to.allocate(offset, size),
            }
        }
    }

    impl FileSystem for Narrow {
        type Handle = Plain;
        type Reader = <DefaultFileSystem as FileSystem>::Reader;
        type Writer = NarrowWriter;

        fn create<P: AsRef<Path>>(&self, path: P) -> IoResult<Plain> {
            DefaultFileSystem.create(path)
        }
        fn open<P: AsRef<Path>>(&self, path: P, how: ::raft_engine::env::Permission) -> IoResult<Plain> {
            DefaultFileSystem.open(path, how)
        }
        fn delete<P: AsRef<Path>>(&self, path: P) -> IoResult<()> {
            DefaultFileSystem.delete(path)
        }
        fn rename<P: AsRef<Path>>(&self, from: P, to: P) -> IoResult<()> {
            DefaultFileSystem.rename(from, to)
        }
        fn new_reader(&self, handle: Arc<Plain>) -> IoResult<Self::Reader> {
            DefaultFileSystem.new_reader(handle)
        }
        fn new_writer(&self, handle: Arc<Plain>) -> IoResult<NarrowWriter> {
            Ok(NarrowWriter { to: DefaultFileSystem.new_writer(handle)?, room: self.room.clone() })
        }
    }

    /// What a process finds that starts after this one was killed now.
    fn after_a_kill(dir: &Path) -> Result<RaftEngineLog, LogError> {
        let copy = tempfile::tempdir().unwrap();
        for file in std::fs::read_dir(dir).unwrap() {
            let file = file.unwrap();
            std::fs::copy(file.path(), copy.path().join(file.file_name())).unwrap();
        }
        RaftEngineLog::open(copy.path(), &RaftEngineOptions::small())
    }

    /// A group's record, and each of its entries.
    fn contents<F: FileSystem + 'static>(
        log: &RaftEngineLog<F>,
        group: GroupId,
    ) -> (GroupRecord, Vec<(u64, u64, usize)>) {
        let found = log.load(group).unwrap();
        let (low, high) = (found.record.truncated.index + 1, found.last.index + 1);
        let mut entries = Vec::new();
        while low + (entries.len() as u64) < high {
            let next = low + entries.len() as u64;
            let read = log.entries(group, next, high, 1 << 20).unwrap();
            entries.extend(read.iter().map(|e| (e.index, e.term, e.data.len())));
        }
        (found.record, entries)
    }

    /// A disk becomes full at whichever byte, also while files are begun, closed, rewritten and given back; it gets
    /// room again, becomes full again, and the process is killed at every step: what was acknowledged is there.
    #[test]
    fn a_full_disk_and_a_kill_take_nothing_that_was_acknowledged() {
        const GROUPS: [GroupId; 3] = [GroupId(3), GroupId(4), GroupId(5)];
        for seed in 1..4u64 {
            let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
            let mut draw = move |below: u64| {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                state % below
            };
            let dir = tempfile::tempdir().unwrap();
            let disk = Arc::new(Narrow::default());
            let room = |bytes: u64| disk.room.store(bytes, Ordering::Relaxed);
            room(u64::MAX);
            let log = RaftEngineLog::open_with(dir.path(), &RaftEngineOptions::small(), disk.clone()).unwrap();
            let model = super::super::memory::MemoryLog::new();
            let (mut failed, mut purges) = (0, 0);
            for step in 0..400 {
                let group = GROUPS[draw(3) as usize];
                let found = model.load(group).unwrap();
                let (from, to) = (found.record.truncated.index, found.last.index);
                let term = found.last.term + draw(2);
                let batch = match draw(12) {
                    0 => vec![LogWrite::Reset(group, Position { index: to + 10, term }, HardState::default())],
                    1 => vec![LogWrite::Remove(group)],
                    2..5 if to > from => {
                        let index = from + 1 + draw(to - from);
                        let term = model.term(group, index).unwrap().unwrap();
                        vec![LogWrite::Compact(group, Position { index, term })]
                    }
                    5 => vec![LogWrite::HardState(group, HardState { term, vote: draw(9), commit: 0 })],
                    _ => {
                        let first = to + 1 - draw(3).min(to - from);
                        let size = [10, 1000, 20_000][draw(3) as usize];
                        vec![LogWrite::Append(group, entries(first..first + 1 + draw(4), term, size))]
                    }
                };
                // Mostly there is room; now and then it ends within what is written next.
                match draw(6) {
                    0 => room(draw(90_000)),
                    1 => room(draw(40)),
                    _ => {}
                }
                match log.write(&batch, true) {
                    Ok(()) => model.write(&batch, true).unwrap(),
                    Err(LogError::Io(_)) => {
                        failed += 1;
                        if draw(2) == 0 {
                            room(u64::MAX);
                        }
                    }
                    Err(error) => panic!("seed {seed}, step {step}: {error}"),
                }
                if draw(3) == 0 {
                    purges += u64::from(log.maintain().is_err());
                }
                for group in GROUPS {
                    // After an error the files may not be open.
                    if let Ok(found) = log.load(group) {
                        assert_eq!(found, model.load(group).unwrap(), "seed {seed}, step {step}, {group}");
                    }
                }
                let again = after_a_kill(dir.path()).unwrap_or_else(|e| panic!("seed {seed}, step {step}: {e}"));
                for group in GROUPS {
                    let wanted = model.load(group).unwrap();
                    let low = wanted.record.truncated.index + 1;
                    let mut entries = Vec::new();
                    if wanted.last.index >= low {
                        entries = model.entries(group, low, wanted.last.index + 1, u64::MAX).unwrap();
                    }
                    let entries: Vec<_> = entries.iter().map(|e| (e.index, e.term, e.data.len())).collect();
                    let wanted = (wanted.record, entries);
                    assert_eq!(contents(&again, group), wanted, "seed {seed}, step {step}, {group}");
                }
            }
            assert!(failed > 10, "seed {seed}: {failed} failures of writes, {purges} of purges");
        }
    }

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
