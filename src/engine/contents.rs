//! One number for all that a state contains, so that replicas can be compared by what they have, not only by what they did.
//!
//! The running digest (`digest`) says that replicas have made the same changes. This one reads every row: what a disk or a
//! mistake has changed since is in it. It is taken at one index of the log ([`Command::ContentMark`]), on a snapshot and beside
//! the applying, and put to the vote like the other.
//!
//! [`Command::ContentMark`]: crate::command::Command::ContentMark

use super::connection::{Connection, Register, Role};
use super::digest::mix;
use super::files::Generation;
use super::snapshot;
use super::statement::Fault;
use rusqlite::types::ValueRef;
use std::path::Path;
use std::sync::Arc;
use xxhash_rust::xxh3::{Xxh3, xxh3_64};

/// What every replica has for itself.
const OWN: &str = "_quorate_mark";
/// Pages that are copied at a time.
const STEP: i32 = 1024;

/// A snapshot of the state as it is now.
pub struct Snapshot {
    connection: Connection,
    /// Keeps the file.
    _generation: Arc<Generation>,
}

impl Snapshot {
    /// Of the state after the entry `index`; `None` if more is applied already.
    pub fn take(generation: &Arc<Generation>, register: &Register, index: u64) -> Result<Option<Snapshot>, Fault> {
        let mut connection = Connection::open(&generation.path(), Role::Reader, false, register)?;
        let seen = connection.trusted(|c| {
            c.raw().execute_batch("BEGIN")?;
            c.raw().query_row("SELECT idx FROM _quorate_meta", [], |row| row.get::<_, i64>(0))
        })?;
        let snapshot = Snapshot { connection, _generation: generation.clone() };
        Ok((seen as u64 == index).then_some(snapshot))
    }

    /// Reads everything. The order in which rows are found does not matter.
    pub fn digest(mut self) -> Result<u64, Fault> {
        Ok(self.connection.trusted(|c| sum(c.raw()))?)
    }

    /// Writes it into a file, and says how many of how many pages are copied.
    pub fn copy(mut self, file: &Path, told: &mut dyn FnMut(u32, u32)) -> Result<(), Fault> {
        self.connection.trusted(|c| snapshot::copy(c, file, STEP, told))
    }
}

/// The digest of what a connection sees.
pub fn sum(raw: &rusqlite::Connection) -> rusqlite::Result<u64> {
    let mut all = 0u64;
    let mut schema = raw.prepare("SELECT type, name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%'")?;
    let entries = schema.query_map([], |row| {
        Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, row.get::<_, Option<String>>(2)?))
    })?;
    for entry in entries {
        let (kind, name, sql) = entry?;
        let table = xxh3_64(format!("{name}\n{}", sql.unwrap_or_default()).as_bytes());
        all = all.wrapping_add(mix(table));
        if kind == "table" && name != OWN {
            all = all.wrapping_add(rows(raw, &name, table)?);
        }
    }
    Ok(all)
}

fn rows(raw: &rusqlite::Connection, name: &str, table: u64) -> rusqlite::Result<u64> {
    let name = name.replace('"', "\"\"");
    // Replicas agree on rowids as well, where there are any.
    let with = raw.prepare(&format!("SELECT rowid, * FROM \"{name}\""));
    let mut statement = with.or_else(|_| raw.prepare(&format!("SELECT * FROM \"{name}\"")))?;
    let columns = statement.column_count();
    let (mut found, mut all) = (statement.query([])?, 0u64);
    while let Some(row) = found.next()? {
        let mut hash = Xxh3::with_seed(table);
        for column in 0..columns {
            let number;
            let (tag, bytes): (u8, &[u8]) = match row.get_ref(column)? {
                ValueRef::Null => (0, &[]),
                ValueRef::Integer(n) => {
                    number = n.to_le_bytes();
                    (1, &number)
                }
                ValueRef::Real(x) => {
                    number = x.to_bits().to_le_bytes();
                    (2, &number)
                }
                ValueRef::Text(text) => (3, text),
                ValueRef::Blob(bytes) => (4, bytes),
            };
            hash.update(&[tag]);
            hash.update(&(bytes.len() as u64).to_le_bytes());
            hash.update(bytes);
        }
        all = all.wrapping_add(hash.digest());
    }
    Ok(all)
}
