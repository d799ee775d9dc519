//! Whether a replica may start from what it finds on its disk, and from what time.

use super::entry::floor_after;
use super::{CoreConfig, Start, StartError};
use crate::raftlog::{GroupLog, LogReader};
use crate::replica::check::MAX_TERM;
use raft::eraftpb::EntryType;

/// Commit and applied index are written at different times, so the log must be compared with the state machine.
pub(super) fn check_start(config: &CoreConfig, reader: &dyn LogReader, start: &Start) -> Result<(), StartError> {
    let Start { log, applied, reached, .. } = start;
    let highest = log.record.hard_state.term.max(log.last.term);
    if highest > MAX_TERM {
        return Err(StartError::ImpossibleTerm(highest));
    }
    let needed = applied.index.max(reached.index).max(log.record.hard_state.commit);
    if log.last.index < needed {
        return Err(StartError::LogLost { last: log.last, needed });
    }
    let truncated = log.record.truncated;
    for known in [applied, reached] {
        let term = match known.index {
            0 => Some(0),
            // Cut off: whoever cut it had applied more.
            index if index < truncated.index => continue,
            index if index == truncated.index => Some(truncated.term),
            index => reader.term(config.group, index).map_err(|e| StartError::Log(e.to_string()))?,
        };
        match term {
            Some(term) if term == known.term => {}
            Some(log) => return Err(StartError::TermMismatch { index: known.index, log, state: known.term }),
            None => return Err(StartError::LogLost { last: log.last, needed }),
        }
    }
    Ok(())
}

/// The time that the log's latest batch leaves free, if it holds one.
pub(super) fn last_floor(
    config: &CoreConfig,
    reader: &dyn LogReader,
    log: &GroupLog,
) -> Result<Option<i64>, StartError> {
    let mut index = log.last.index;
    while index > log.record.truncated.index {
        let found = reader.entries(config.group, index, index + 1, u64::MAX);
        let found = found.map_err(|e| StartError::Log(e.to_string()))?;
        let normal = found.iter().filter(|e| e.get_entry_type() == EntryType::EntryNormal);
        if let Some(floor) = normal.filter_map(|e| floor_after(&e.data)).next() {
            return Ok(Some(floor));
        }
        index -= 1;
    }
    Ok(None)
}
