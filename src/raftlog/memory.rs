//! A log in memory for tests and simulation, with the one property of a disk that matters: what was not synced is
//! gone after a loss of power.

use super::{Entry, GroupLog, GroupRecord, LogError, LogReader, LogWrite, RaftLog, change_record};
use crate::consensus::Position;
use crate::id::GroupId;
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::sync::Arc;

#[derive(Clone, Debug, Default)]
struct Group {
    record: GroupRecord,
    /// Entries behind `record.truncated`.
    entries: Vec<Entry>,
}

impl Group {
    fn last(&self) -> Position {
        match self.entries.last() {
            Some(e) => Position { index: e.index, term: e.term },
            None => self.record.truncated,
        }
    }

    fn get(&self, index: u64) -> Option<&Entry> {
        let first = self.entries.first()?.index;
        self.entries.get(usize::try_from(index.checked_sub(first)?).ok()?)
    }

    fn append(&mut self, entries: &[Entry]) {
        let Some(first) = entries.first() else { return };
        let last = self.last().index;
        let truncated = self.record.truncated.index;
        assert!(first.index > truncated && first.index <= last + 1, "hole or rewrite of the cut part of a log");
        self.entries.truncate((first.index - truncated - 1) as usize);
        self.entries.extend_from_slice(entries);
    }
}

type Groups = BTreeMap<GroupId, Group>;

fn perform(groups: &mut Groups, write: &LogWrite) {
    let group = groups.entry(write.group()).or_default();
    match write {
        LogWrite::Append(_, entries) => group.append(entries),
        LogWrite::Compact(_, to) => group.entries.retain(|e| e.index > to.index),
        LogWrite::Reset(..) | LogWrite::Remove(_) => group.entries.clear(),
        LogWrite::HardState(..) | LogWrite::Installing(..) | LogWrite::NotInstalled(_) => {}
    }
    change_record(&mut group.record, write);
    if matches!(write, LogWrite::Remove(_)) {
        groups.remove(&write.group());
    }
}

#[derive(Debug, Default)]
struct Disk {
    /// What a reader sees.
    visible: Groups,
    /// What survives.
    durable: Groups,
    /// Writes between the two, in order.
    unsynced: Vec<LogWrite>,
    syncs: u64,
}

/// See the module. Clones share the same disk.
#[derive(Clone, Debug, Default)]
pub struct MemoryLog {
    disk: Arc<Mutex<Disk>>,
}

impl MemoryLog {
    pub fn new() -> MemoryLog {
        MemoryLog::default()
    }

    /// Forgets everything that was not synced.
    pub fn lose_power(&self) {
        let mut disk = self.disk.lock();
        disk.visible = disk.durable.clone();
        disk.unsynced.clear();
    }

    /// How often the disk was synced.
    pub fn syncs(&self) -> u64 {
        self.disk.lock().syncs
    }
}

impl LogReader for MemoryLog {
    fn entries(&self, group: GroupId, low: u64, high: u64, max_bytes: u64) -> Result<Vec<Entry>, LogError> {
        let disk = self.disk.lock();
        let mut bytes = 0;
        let mut out = Vec::new();
        for index in low..high {
            let found = disk.visible.get(&group).and_then(|g| g.get(index));
            let entry = found.ok_or(LogError::Missing { group, index })?;
            bytes += entry.data.len() as u64;
            if bytes > max_bytes && !out.is_empty() {
                break;
            }
            out.push(entry.clone());
        }
        Ok(out)
    }

    fn term(&self, group: GroupId, index: u64) -> Result<Option<u64>, LogError> {
        let disk = self.disk.lock();
        Ok(disk.visible.get(&group).and_then(|g| g.get(index)).map(|e| e.term))
    }
}

impl RaftLog for MemoryLog {
    fn write(&self, batch: &[LogWrite], sync: bool) -> Result<(), LogError> {
        let mut disk = self.disk.lock();
        let disk = &mut *disk;
        for write in batch {
            perform(&mut disk.visible, write);
            disk.unsynced.push(write.clone());
        }
        if sync {
            disk.syncs += 1;
            for write in std::mem::take(&mut disk.unsynced) {
                perform(&mut disk.durable, &write);
            }
        }
        Ok(())
    }

    fn load(&self, group: GroupId) -> Result<GroupLog, LogError> {
        let disk = self.disk.lock();
        let Some(found) = disk.visible.get(&group) else { return Ok(GroupLog::default()) };
        Ok(GroupLog { record: found.record.clone(), last: found.last() })
    }

    fn groups(&self) -> Vec<GroupId> {
        self.disk.lock().visible.keys().copied().collect()
    }

    fn maintain(&self) -> Result<(), LogError> {
        Ok(())
    }
}
