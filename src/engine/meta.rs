//! The engine's own tables, which live in the database file beside the data, so that one transaction covers both.
//!
//! `_quorate_meta` is one row: how far the log is applied and what follows from it. `_quorate_outcome` has one row per
//! entry with the outcomes of its commands, for as long as the window lasts. `_quorate_chunk` holds parts of large
//! commands, `_quorate_vote` the votes on digests, and `_quorate_mark` this replica's own digests, the only content
//! that is not replicated state. `_quorate_tenure` is the last [`Command::Tenure`], `_quorate_claim` the claims that held then
//! and those that have become void since. `_quorate_advisory` has the advisory locks, each key's in the order in which they
//! are served, `_quorate_advisory_last` the last number given to one, and `_quorate_lost` the sessions of which nothing is
//! taken any more. `_quorate_skipped` has the entries whose commands were
//! recorded as failed.
//!
//! [`Command::Tenure`]: crate::command::Command::Tenure

use super::connection::Connection;
use super::statement::Fault;
use crate::command;
use crate::consensus::{Membership, Position};
use crate::id::RequestId;
use crate::value::{Value, ValueRef};
use crate::version::{self, FIRST, Version};
use bytes::Bytes;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

/// All of them; closed to clients.
pub const TABLES: [&str; 11] = [
    "_quorate_meta",
    "_quorate_outcome",
    "_quorate_chunk",
    "_quorate_vote",
    "_quorate_mark",
    "_quorate_tenure",
    "_quorate_claim",
    "_quorate_advisory",
    "_quorate_advisory_last",
    "_quorate_lost",
    "_quorate_skipped",
];

pub const SCHEMA: &str = "
CREATE TABLE _quorate_meta (
    one INTEGER PRIMARY KEY CHECK (one = 1), format INTEGER NOT NULL,
    idx INTEGER NOT NULL, term INTEGER NOT NULL, digest INTEGER NOT NULL, schema_version INTEGER NOT NULL,
    forgotten INTEGER NOT NULL, clock INTEGER NOT NULL, membership BLOB NOT NULL, migration INTEGER NOT NULL,
    owner TEXT NOT NULL, version INTEGER NOT NULL) STRICT;
CREATE TABLE _quorate_outcome (idx INTEGER PRIMARY KEY, outcomes BLOB NOT NULL) STRICT;
CREATE TABLE _quorate_chunk (
    id INTEGER PRIMARY KEY, origin INTEGER NOT NULL, seq INTEGER NOT NULL, part INTEGER NOT NULL,
    idx INTEGER NOT NULL, bytes BLOB NOT NULL, UNIQUE (origin, seq, part)) STRICT;
CREATE TABLE _quorate_vote (
    mark INTEGER NOT NULL, node INTEGER NOT NULL, digest INTEGER NOT NULL, voters INTEGER NOT NULL,
    PRIMARY KEY (mark, node)) STRICT, WITHOUT ROWID;
CREATE TABLE _quorate_mark (idx INTEGER PRIMARY KEY, digest INTEGER NOT NULL) STRICT;
CREATE TABLE _quorate_tenure (
    one INTEGER PRIMARY KEY CHECK (one = 1), term INTEGER NOT NULL, round INTEGER NOT NULL) STRICT;
CREATE TABLE _quorate_claim (
    origin INTEGER NOT NULL, seq INTEGER NOT NULL, void INTEGER NOT NULL,
    PRIMARY KEY (origin, seq)) STRICT, WITHOUT ROWID;
CREATE TABLE _quorate_advisory (
    class INTEGER, key INTEGER NOT NULL, place INTEGER NOT NULL, number INTEGER NOT NULL, session INTEGER NOT NULL,
    node INTEGER NOT NULL, shared INTEGER NOT NULL, xact INTEGER NOT NULL, fence INTEGER) STRICT;
CREATE INDEX _quorate_advisory_key ON _quorate_advisory (key);
CREATE TABLE _quorate_advisory_last (
    one INTEGER PRIMARY KEY CHECK (one = 1), number INTEGER NOT NULL) STRICT;
CREATE TABLE _quorate_lost (session INTEGER PRIMARY KEY, idx INTEGER NOT NULL) STRICT;
CREATE TABLE _quorate_skipped (idx INTEGER PRIMARY KEY) STRICT;
";

/// What one row of `_quorate_meta` says.
#[derive(Clone, Debug)]
pub struct State {
    pub at: Position,
    pub digest: u64,
    pub schema_version: u64,
    /// The highest index whose outcomes were dropped.
    pub forgotten: u64,
    /// Later than the time of every applied command, in µs since 2000-01-01 UTC.
    pub clock: i64,
    pub membership: Arc<Membership>,
    /// The group's, and the last migration that it has seen.
    pub version: Version,
    pub migration: u32,
    /// The index of the oldest chunk, if there are any.
    pub oldest_chunk: Option<u64>,
}

/// A SQLite integer as the unsigned number it stands for.
pub fn unsigned(value: &Value) -> Result<u64, Fault> {
    match value {
        Value::Int(i) => Ok(*i as u64),
        other => Err(Fault::error(format!("expected an integer, found {other:?}"))),
    }
}

/// A small number of ours.
fn number_of(value: &Value) -> Result<u32, Fault> {
    u32::try_from(unsigned(value)?).map_err(|_| Fault::error(format!("{value:?} is no version")))
}

/// An unsigned number as the SQLite integer with the same bits.
pub fn int(value: u64) -> ValueRef<'static> {
    ValueRef::Int(value as i64)
}

/// Applied index and schema version of what a connection's transaction sees.
pub fn seen(connection: &mut Connection) -> Result<(u64, u64), Fault> {
    let rows = connection.query("SELECT idx, schema_version FROM _quorate_meta", &[])?;
    let row = rows.first().ok_or_else(|| Fault::error("the file has no _quorate_meta row"))?;
    Ok((unsigned(&row[0])?, unsigned(&row[1])?))
}

impl State {
    /// Writes the first row.
    pub fn create(
        connection: &mut Connection,
        membership: &Membership,
        migration: u32,
        owner: &str,
    ) -> Result<(), Fault> {
        connection.run(
            "INSERT INTO _quorate_meta VALUES (1, ?1, 0, 0, 0, 0, 0, ?4, ?2, ?3, ?5, ?6)",
            &[
                ValueRef::Int(version::FILE.latest.into()),
                ValueRef::Blob(&command::encode(membership)),
                ValueRef::Int(migration.into()),
                ValueRef::Int(i64::MIN),
                ValueRef::Text(owner),
                ValueRef::Int(FIRST.0.into()),
            ],
        )
    }

    /// Reads the row; the error text says when the file is not ours.
    pub fn load(connection: &mut Connection) -> Result<State, Fault> {
        // By itself: another layout may lack what is read below.
        let format = connection.query("SELECT format FROM _quorate_meta", &[])?;
        let format = format.first().ok_or_else(|| Fault::error("the file has no _quorate_meta row"))?;
        version::FILE.check(number_of(&format[0])?).map_err(|e| Fault::error(e.to_string()))?;
        let rows = connection.query(
            "SELECT version, idx, term, digest, schema_version, forgotten, membership, \
             (SELECT min(idx) FROM _quorate_chunk), clock, migration FROM _quorate_meta",
            &[],
        )?;
        let row = rows.first().ok_or_else(|| Fault::error("the file has no _quorate_meta row"))?;
        let membership = match &row[6] {
            Value::Blob(bytes) => command::decode(bytes).map_err(|e| Fault::error(e.to_string()))?,
            other => return Err(Fault::error(format!("membership is {other:?}"))),
        };
        Ok(State {
            at: Position { index: unsigned(&row[1])?, term: unsigned(&row[2])? },
            digest: unsigned(&row[3])?,
            schema_version: unsigned(&row[4])?,
            forgotten: unsigned(&row[5])?,
            clock: unsigned(&row[8])? as i64,
            membership: Arc::new(membership),
            version: Version(number_of(&row[0])?),
            migration: number_of(&row[9])?,
            oldest_chunk: match &row[7] {
                Value::Null => None,
                index => Some(unsigned(index)?),
            },
        })
    }

    /// Whose state the file is, as given when it was created.
    pub fn owner(connection: &mut Connection) -> Result<String, Fault> {
        match connection.query("SELECT owner FROM _quorate_meta", &[])?.first().map(|row| row[0].clone()) {
            Some(Value::Text(owner)) => Ok(owner),
            other => Err(Fault::error(format!("the file's owner is {other:?}"))),
        }
    }

    /// Stores the row; the membership only if it is not the one of `before`.
    pub fn save(&self, connection: &mut Connection, before: &State) -> Result<(), Fault> {
        if !Arc::ptr_eq(&self.membership, &before.membership) {
            let membership = command::encode(&*self.membership);
            connection.run("UPDATE _quorate_meta SET membership = ?1", &[ValueRef::Blob(&membership)])?;
        }
        connection.run(
            "UPDATE _quorate_meta SET idx = ?1, term = ?2, digest = ?3, schema_version = ?4, forgotten = ?5, clock = ?6",
            &[
                int(self.at.index),
                int(self.at.term),
                int(self.digest),
                int(self.schema_version),
                int(self.forgotten),
                ValueRef::Int(self.clock),
            ],
        )?;
        if self.version != before.version {
            let now = [ValueRef::Int(self.version.0.into()), ValueRef::Int(self.migration.into())];
            connection.run("UPDATE _quorate_meta SET version = ?1, migration = ?2", &now)?;
        }
        Ok(())
    }
}

/// How long outcomes are remembered. A deterministic rule: every replica must use the same numbers.
#[derive(Clone, Copy, Debug)]
pub struct Window {
    pub commands: usize,
    pub bytes: usize,
}

impl Default for Window {
    fn default() -> Window {
        Window { commands: 100_000, bytes: 64 << 20 }
    }
}

struct Remembered {
    index: u64,
    commands: usize,
    bytes: usize,
}

/// Which requests were applied, and at which index. The outcomes themselves are read from the table when asked for.
#[derive(Default)]
pub struct Memory {
    by_request: HashMap<RequestId, u64>,
    /// Entries with remembered commands, oldest first, and the requests of all of them in order.
    entries: VecDeque<Remembered>,
    requests: VecDeque<RequestId>,
    bytes: usize,
}

/// The outcomes of one entry, in the form of its row: number of commands, their ids, and each outcome with its length.
#[derive(Default)]
pub struct EntryOutcomes {
    pub ids: Vec<RequestId>,
    bodies: Vec<u8>,
}

impl EntryOutcomes {
    pub fn push(&mut self, request: RequestId, outcome: &[u8]) {
        self.ids.push(request);
        self.bodies.extend_from_slice(&(outcome.len() as u32).to_le_bytes());
        self.bodies.extend_from_slice(outcome);
    }

    fn encode(&self) -> Vec<u8> {
        let mut row = Vec::with_capacity(4 + 16 * self.ids.len() + self.bodies.len());
        row.extend_from_slice(&(self.ids.len() as u32).to_le_bytes());
        for id in &self.ids {
            row.extend_from_slice(&id.origin.to_le_bytes());
            row.extend_from_slice(&id.seq.to_le_bytes());
        }
        row.extend_from_slice(&self.bodies);
        row
    }

    pub fn find(&self, request: RequestId) -> Option<&[u8]> {
        let position = self.ids.iter().position(|id| *id == request)?;
        body(&self.bodies, position)
    }

    fn clear(&mut self) {
        self.ids.clear();
        self.bodies.clear();
    }
}

fn take<'a>(bytes: &mut &'a [u8], n: usize) -> Option<&'a [u8]> {
    let (head, rest) = bytes.split_at_checked(n)?;
    *bytes = rest;
    Some(head)
}

fn number(bytes: &mut &[u8]) -> Option<u64> {
    Some(u64::from_le_bytes(take(bytes, 8)?.try_into().ok()?))
}

/// The ids of a row, and the rest.
fn ids(mut row: &[u8]) -> Option<(Vec<RequestId>, &[u8])> {
    let n = u32::from_le_bytes(take(&mut row, 4)?.try_into().ok()?);
    let ids =
        (0..n).map(|_| Some(RequestId { origin: number(&mut row)?, seq: number(&mut row)? })).collect::<Option<_>>()?;
    Some((ids, row))
}

fn body(mut bodies: &[u8], position: usize) -> Option<&[u8]> {
    for _ in 0..position {
        let length = u32::from_le_bytes(take(&mut bodies, 4)?.try_into().ok()?);
        take(&mut bodies, length as usize)?;
    }
    let length = u32::from_le_bytes(take(&mut bodies, 4)?.try_into().ok()?);
    take(&mut bodies, length as usize)
}

impl Memory {
    pub fn load(connection: &mut Connection) -> Result<Memory, Fault> {
        let mut memory = Memory::default();
        connection.each("SELECT idx, outcomes FROM _quorate_outcome ORDER BY idx", &[], &mut |row| {
            let (Ok(ValueRef::Int(index)), Ok(ValueRef::Blob(outcomes))) = (row.value(0), row.value(1)) else {
                return Err(Fault::error("malformed row of _quorate_outcome"));
            };
            let (ids, _) = ids(outcomes).ok_or_else(|| Fault::error("malformed outcomes"))?;
            ids.iter().for_each(|id| memory.note(*id, index as u64));
            memory.remember(index as u64, &ids, outcomes.len());
            Ok(())
        })?;
        Ok(memory)
    }

    /// Notes that a request was applied at `index`, whose entry is closed later.
    pub fn note(&mut self, request: RequestId, index: u64) {
        self.by_request.insert(request, index);
    }

    fn remember(&mut self, index: u64, ids: &[RequestId], bytes: usize) {
        self.requests.extend(ids);
        self.entries.push_back(Remembered { index, commands: ids.len(), bytes });
        self.bytes += bytes;
    }

    /// The index at which a request was applied, if that is remembered.
    pub fn find(&self, request: RequestId) -> Option<u64> {
        self.by_request.get(&request).copied()
    }

    /// The encoded outcome of a remembered request.
    pub fn outcome(connection: &mut Connection, index: u64, request: RequestId) -> Result<Vec<u8>, Fault> {
        let rows = connection.query("SELECT outcomes FROM _quorate_outcome WHERE idx = ?1", &[int(index)])?;
        let found = rows.first().and_then(|row| match &row[0] {
            Value::Blob(row) => {
                let (ids, bodies) = ids(row)?;
                body(bodies, ids.iter().position(|id| *id == request)?).map(<[u8]>::to_vec)
            }
            _ => None,
        });
        found.ok_or_else(|| Fault::error(format!("the outcome of {request} at {index} is missing")))
    }

    /// Stores an entry's outcomes and drops the oldest beyond the window; returns the highest index dropped.
    /// An entry alone is never dropped, however large.
    pub fn close(
        &mut self,
        connection: &mut Connection,
        index: u64,
        outcomes: &mut EntryOutcomes,
        window: &Window,
    ) -> Result<Option<u64>, Fault> {
        if outcomes.ids.is_empty() {
            return Ok(None);
        }
        let row = outcomes.encode();
        connection.run("INSERT INTO _quorate_outcome VALUES (?1, ?2)", &[int(index), ValueRef::Blob(&row)])?;
        self.remember(index, &outcomes.ids, row.len());
        outcomes.clear();
        let mut dropped = None;
        while self.entries.len() > 1 && (self.requests.len() > window.commands || self.bytes > window.bytes) {
            let entry = self.entries.pop_front().expect("more than one");
            for id in self.requests.drain(..entry.commands) {
                self.by_request.remove(&id);
            }
            self.bytes -= entry.bytes;
            dropped = Some(entry.index);
        }
        if let Some(index) = dropped {
            connection.run("DELETE FROM _quorate_outcome WHERE idx <= ?1", &[int(index)])?;
        }
        Ok(dropped)
    }
}

/// Bytes of a large command, assembled from its chunks.
pub fn assemble(connection: &mut Connection, upload: RequestId, parts: u32) -> Result<Option<Bytes>, Fault> {
    let (mut whole, mut next) = (Vec::new(), 0u32);
    connection.each(
        "SELECT part, bytes FROM _quorate_chunk WHERE origin = ?1 AND seq = ?2 ORDER BY part",
        &[int(upload.origin), int(upload.seq)],
        &mut |row| {
            if let (Ok(ValueRef::Int(part)), Ok(ValueRef::Blob(bytes))) = (row.value(0), row.value(1))
                && part == i64::from(next)
                && next < parts
            {
                whole.extend_from_slice(bytes);
                next += 1;
            }
            Ok(())
        },
    )?;
    Ok((next == parts).then(|| whole.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outcomes_of_an_entry_are_found_by_request() {
        let id = |seq| RequestId { origin: 7, seq };
        let mut outcomes = EntryOutcomes::default();
        outcomes.push(id(1), b"one");
        outcomes.push(id(2), b"");
        outcomes.push(id(3), b"three");
        assert_eq!(outcomes.find(id(3)), Some(&b"three"[..]));
        assert_eq!(outcomes.find(id(4)), None);
        let row = outcomes.encode();
        let (ids, bodies) = ids(&row).unwrap();
        assert_eq!(ids, [id(1), id(2), id(3)]);
        assert_eq!(body(bodies, 1), Some(&b""[..]));
        assert_eq!(body(bodies, 2), Some(&b"three"[..]));
        assert_eq!(body(bodies, 3), None);
    }
}
