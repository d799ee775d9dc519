//! Brings a database from a backup to a later moment, by the log that was kept: what was committed until then, and nothing else.
//!
//! The entries are applied by the same state machine that applied them in the cluster. They contain the votes of the replicas on
//! their digests, so a log that is not the one that the replicas had stops the replay.

use super::keeper::Keeper;
use super::segment::{self, Until};
use crate::command::{self, Batch};
use crate::consensus::{Committed, Payload, StateMachine as _, form};
use crate::engine::{Engine, Options};
use protobuf::Message as _;
use raft::eraftpb::Entry;
use std::collections::BTreeSet;

/// Entries that are applied in one transaction of the state machine.
const TOGETHER: usize = 64;

/// What of an entry is before the end: all, a part, or nothing.
#[derive(Debug, PartialEq)]
enum Share {
    All,
    Part(Batch),
    Nothing,
}

fn share(entry: &Committed, until: Until) -> Result<Share, String> {
    let time = match until {
        Until::End => return Ok(Share::All),
        Until::Index(last) if entry.at.index <= last => return Ok(Share::All),
        Until::Index(_) => return Ok(Share::Nothing),
        Until::Time(time) => time,
    };
    let Payload::Batch(bytes) = &entry.payload else { return Ok(Share::All) };
    let mut batch: Batch =
        command::decode(bytes).map_err(|why| format!("entry {} cannot be read: {why}", entry.at.index))?;
    // Its command i ran at its time plus i.
    let before = usize::try_from(time.saturating_sub(batch.now)).unwrap_or(0);
    match before {
        0 => Ok(Share::Nothing),
        n if n >= batch.commands.len() => Ok(Share::All),
        n => {
            batch.commands.truncate(n);
            Ok(Share::Part(batch))
        }
    }
}

/// Applies the log of a group of a cluster to a state that no replica has. `told` hears which entry of which last one is reached.
pub fn replay(
    keeper: &Keeper,
    (cluster_id, group): (&str, u64),
    options: Options,
    until: Until,
    told: &mut dyn FnMut(u64, u64),
) -> Result<(), String> {
    let (mut engine, _shared) = Engine::open(options).map_err(|error| error.to_string())?;
    let names = keeper.segments(cluster_id, group)?;
    let (chain, reached) = segment::chain(&names, engine.applied().index);
    let mut membership = engine.membership();
    // What the group has decided to skip is known by a later entry.
    let mut skips = BTreeSet::new();
    for name in &chain {
        for entry in entries(keeper, name)? {
            skips.extend(form::skipped(&entry).map(|at| at.index));
        }
    }
    let mut ended = false;
    'log: for name in &chain {
        let mut waiting = Vec::new();
        for entry in entries(keeper, name)? {
            if entry.index <= engine.applied().index + waiting.len() as u64 {
                continue;
            }
            let mut entry = form::replayed(entry, &mut membership);
            match share(&entry, until)? {
                Share::All => {}
                Share::Part(batch) => {
                    entry.payload = Payload::Batch(command::encode(&batch));
                    waiting.push(entry);
                    ended = true;
                    apply(&mut engine, &waiting, &skips)?;
                    break 'log;
                }
                Share::Nothing => {
                    ended = true;
                    apply(&mut engine, &waiting, &skips)?;
                    break 'log;
                }
            }
            waiting.push(entry);
            if waiting.len() >= TOGETHER {
                apply(&mut engine, &waiting, &skips)?;
                waiting.clear();
            }
        }
        apply(&mut engine, &waiting, &skips)?;
        told(engine.applied().index, reached);
    }
    let at = engine.applied().index;
    match until {
        Until::End => Ok(()),
        Until::Index(last) if at == last => Ok(()),
        Until::Index(last) => Err(format!("the log is kept up to entry {reached}, not to {last}")),
        Until::Time(_) if ended => Ok(()),
        Until::Time(time) => match keeper.through(cluster_id, group)? {
            Some(through) if through.time >= time && through.index <= at => Ok(()),
            _ => Err(format!("the log is kept up to entry {reached}, and nobody knows whether that is all until then")),
        },
    }
}

fn entries(keeper: &Keeper, name: &str) -> Result<Vec<Entry>, String> {
    let segment = keeper.segment(name)?;
    let mut entries = Vec::with_capacity(segment.entries.len());
    for (index, bytes) in (segment.first..).zip(&segment.entries) {
        let entry = Entry::parse_from_bytes(bytes).ok().filter(|entry| entry.index == index);
        entries.push(entry.ok_or_else(|| format!("{name} has no entry {index}"))?);
    }
    Ok(entries)
}

/// Applies entries that follow the engine's state; `skips` are the indexes of those that the group has decided to skip.
///
/// Errors: which entry it does not get beyond, in words.
pub fn apply(engine: &mut Engine, entries: &[Committed], skips: &BTreeSet<u64>) -> Result<(), String> {
    let mut rest = entries;
    while let Some(first) = rest.first() {
        let index = first.at.index;
        let applied = match rest.iter().take_while(|entry| !skips.contains(&entry.at.index)).count() {
            0 => engine.skip(first).map(drop),
            plain => engine.apply(&rest[..plain]).map(drop),
        };
        applied.map_err(|halt| format!("the log cannot be applied beyond entry {index}: {halt}"))?;
        let done = (engine.applied().index + 1 - index) as usize;
        rest = &rest[done.min(rest.len())..];
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::{Command, Proposal};
    use crate::consensus::Position;
    use crate::id::RequestId;

    #[test]
    fn a_time_is_between_two_commands() {
        let proposal =
            |seq| Proposal { request: RequestId { origin: 1, seq }, body: command::encode(&Command::DigestMark) };
        let batch = Batch { now: 100, seed: 7, commands: vec![proposal(1), proposal(2), proposal(3)] };
        let entry = Committed { at: Position { index: 5, term: 1 }, payload: Payload::Batch(command::encode(&batch)) };
        let until = |until| share(&entry, until).unwrap();
        assert_eq!([until(Until::Time(99)), until(Until::Time(100))], [Share::Nothing, Share::Nothing]);
        let part = |n| Share::Part(Batch { commands: batch.commands[..n].to_vec(), ..batch.clone() });
        assert_eq!([until(Until::Time(101)), until(Until::Time(102))], [part(1), part(2)]);
        assert_eq!([until(Until::Time(103)), until(Until::Time(i64::MAX))], [Share::All, Share::All]);
        assert_eq!(until(Until::Time(i64::MIN)), Share::Nothing);
        assert_eq!(
            [until(Until::Index(4)), until(Until::Index(5)), until(Until::End)],
            [Share::Nothing, Share::All, Share::All]
        );
        let empty = Committed { payload: Payload::Empty, ..entry };
        assert_eq!(share(&empty, Until::Time(0)).unwrap(), Share::All, "it has no time, and does nothing");
    }
}
