//! Row changes as numbers: the running digest of a replica, and a part of what an interactive transaction promised.
//!
//! SQLite's preupdate hook reports every changed row with its old and new values, also of cascades, triggers, REPLACE
//! and truncating DELETE. Each change is hashed by itself and the hashes are *added*. So the order in which a plan
//! visits rows does not matter (a newer SQLite may choose another one), and taking back what a ROLLBACK TO undid is
//! putting the old sum back.
//!
//! Two sums are kept. `all` includes rowids: replicas must agree on those as well, because scans follow them. `visible`
//! has only what a client can see and a transaction answers for: in a fork a hidden rowid may differ from the one given
//! at replay, and positions of sequences are nobody's.
//!
//! DDL reports no rows; its text is folded in by `apply`. VIRTUAL generated columns have no stored value and count as
//! absent; they follow from the others.

use crate::sql::catalog::change::SystemRow;
use crate::value::{Value, ValueRef};
use parking_lot::Mutex;
use rusqlite::ffi;
use std::collections::{BTreeSet, HashSet};
use std::ffi::{CStr, c_char, c_int, c_void};
use std::sync::Arc;
use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

/// Sums of the row changes so far; a copy is a mark to return to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sums {
    pub all: u64,
    pub visible: u64,
    /// A row got the largest rowid where that is no key: the next automatic one would be random.
    pub exhausted: bool,
}

/// Whether the rowid of a table is its primary key, which every row is stored with: then SQLite never chooses one. Only such
/// a key is declared NOT NULL.
fn is_key(db: *mut ffi::sqlite3, table: &CStr) -> bool {
    let mut not_null: c_int = 0;
    // SAFETY: the names are C strings, and SQLite leaves out what it is given no place for.
    let found = unsafe {
        ffi::sqlite3_table_column_metadata(
            db,
            std::ptr::null(),
            table.as_ptr(),
            c"rowid".as_ptr(),
            std::ptr::null_mut(),
            std::ptr::null_mut(),
            &mut not_null,
            std::ptr::null_mut(),
            std::ptr::null_mut(),
        )
    };
    found == ffi::SQLITE_OK && not_null != 0
}

/// A changed row, for whoever locks rows.
#[derive(Clone, Debug, PartialEq)]
pub struct Touched {
    /// SQLite name of the table.
    pub table: String,
    pub operation: Operation,
    /// The rowid before and after; `None` for tables without one, whose old and new columns are in `old` and `new`.
    pub rowids: Option<(i64, i64)>,
    pub old: Vec<Value>,
    pub new: Vec<Value>,
}

impl Touched {
    /// About how many bytes of memory it takes.
    pub fn bytes(&self) -> usize {
        size_of::<Touched>() + self.old.iter().chain(&self.new).map(Value::weight).sum::<usize>()
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    Insert,
    Update,
    Delete,
}

#[derive(Default)]
struct Inner {
    recording: bool,
    sums: Sums,
    buffer: Vec<u8>,
    kept: Kept,
    watched: Option<Watched>,
    moved: Moved,
    system: SystemRows,
}

/// The rows of system tables that have changed, as far as definitions are concerned.
#[derive(Default)]
struct SystemRows {
    rows: Vec<SystemRow>,
    /// How many of them somebody knows of already.
    known: usize,
    /// Rows beyond the limit.
    crowded: bool,
}

impl SystemRows {
    fn note(&mut self, table: &CStr, values: impl Iterator<Item = Option<i64>>) {
        if self.rows.len() >= SYSTEM_ROWS {
            self.crowded = true;
            return;
        }
        let values = values.map(Option::unwrap_or_default).collect();
        self.rows.push(SystemRow { table: table.to_string_lossy().into_owned(), values });
    }
}

/// Changed rows of system tables that are remembered.
const SYSTEM_ROWS: usize = 20_000;
/// Columns of them: where a row says what it is about.
const SYSTEM_COLUMNS: c_int = 12;

/// Sequences that were made, or whose rows were changed by anything but a draw: values that were reserved before may not
/// be what comes next.
#[derive(Clone, Default)]
pub struct Moved(Arc<Mutex<Moves>>);

#[derive(Default)]
struct Moves {
    drawing: bool,
    oids: BTreeSet<u32>,
}

impl Moved {
    pub fn contains(&self, oid: u32) -> bool {
        self.0.lock().oids.contains(&oid)
    }

    /// Runs what advances a sequence by one value.
    pub fn drawing<T>(&self, draw: impl FnOnce() -> T) -> T {
        self.0.lock().drawing = true;
        let result = draw();
        self.0.lock().drawing = false;
        result
    }

    pub fn oids(&self) -> BTreeSet<u32> {
        self.0.lock().oids.clone()
    }

    /// Gives the OIDs since the last call, and goes on with others.
    pub fn replace(&self, oids: BTreeSet<u32>) -> BTreeSet<u32> {
        std::mem::replace(&mut self.0.lock().oids, oids)
    }

    fn is_drawing(&self) -> bool {
        self.0.lock().drawing
    }

    fn note(&self, row: Option<ValueRef<'_>>) {
        let mut moves = self.0.lock();
        if let Some(ValueRef::Int(oid)) = row
            && !moves.drawing
        {
            moves.oids.extend(u32::try_from(oid));
        }
    }
}

/// Rows that one statement has stored or changed: a hash of the table's name, and the rowid.
#[derive(Clone, Default)]
pub struct Watched(Arc<Mutex<HashSet<(u64, i64)>>>);

impl Watched {
    pub fn contains(&self, table: &str, rowid: i64) -> bool {
        self.0.lock().contains(&(xxh3_64(table.as_bytes()), rowid))
    }
}

/// Bytes of changed rows that are kept: a statement's rows may be as large as it likes, what is remembered of them not.
pub const KEPT_BYTES: usize = 32 << 20;

/// The changed rows themselves, while somebody asks for them: up to a number of rows and [`KEPT_BYTES`]; of more, only the
/// tables.
#[derive(Default)]
pub struct Kept {
    pub touched: Option<Vec<Touched>>,
    limit: usize,
    /// How much of `touched` is values.
    bytes: usize,
    /// Tables of which rows beyond the limit were updated or deleted.
    pub crowded: Vec<String>,
    /// Nothing was beyond the limit.
    pub complete: bool,
}

/// Rows that were changed.
pub struct Taken {
    pub rows: Vec<Touched>,
    /// Tables of which rows that are not among `rows` were updated or deleted.
    pub crowded: Vec<String>,
    /// All that were changed are among `rows`.
    pub complete: bool,
}

impl Kept {
    pub fn up_to(limit: usize) -> Kept {
        Kept { touched: Some(Vec::new()), limit, bytes: 0, crowded: Vec::new(), complete: true }
    }
}

/// Its rows are moved by draws outside of any transaction.
const SEQUENCES: &[u8] = b"pg_catalog.pg_sequence";

/// The record of one connection's row changes.
pub struct Changes(*mut Inner);

// SAFETY: reached by the hook only while the connection runs on the thread that also owns this.
unsafe impl Send for Changes {}

impl Changes {
    /// Registers the hook; to be called before any statement is prepared on the connection.
    ///
    /// # Safety
    /// `db` is open, and [`Self::uninstall`] is called before it closes and before this is dropped.
    pub unsafe fn install(db: *mut ffi::sqlite3) -> Changes {
        let inner = Box::into_raw(Box::<Inner>::default());
        // SAFETY: `inner` lives until `Changes` is dropped, and `uninstall` is called before.
        unsafe { ffi::sqlite3_preupdate_hook(db, Some(hook), inner.cast()) };
        Changes(inner)
    }

    /// Takes the hook away.
    ///
    /// # Safety
    /// `db` is the connection of [`Self::install`], still open.
    pub unsafe fn uninstall(&mut self, db: *mut ffi::sqlite3) {
        // SAFETY: the connection is open.
        unsafe { ffi::sqlite3_preupdate_hook(db, None, std::ptr::null_mut()) };
    }

    fn inner(&mut self) -> &mut Inner {
        // SAFETY: no statement runs while we are here (exclusive access), so the hook does not.
        unsafe { &mut *self.0 }
    }

    /// Starts or stops counting. The engine's own bookkeeping is not counted.
    pub fn record(&mut self, on: bool) {
        self.inner().recording = on;
    }

    pub fn sums(&mut self) -> Sums {
        self.inner().sums
    }

    /// Takes back everything since `mark`.
    pub fn restore(&mut self, mark: Sums) {
        self.inner().sums = mark;
    }

    /// Begins to keep the changed rows themselves, `limit` of them between two calls of [`Self::take_touched`], and no more
    /// than [`KEPT_BYTES`].
    pub fn keep_touched(&mut self, limit: usize) {
        self.inner().kept = Kept::up_to(limit);
    }

    /// Keeps something else from now on, and gives back what was kept until now.
    pub fn swap_kept(&mut self, kept: Kept) -> Kept {
        std::mem::replace(&mut self.inner().kept, kept)
    }

    /// Notes the rows that are changed, until it is called with `None`.
    pub fn watch(&mut self, watched: Option<Watched>) {
        self.inner().watched = watched;
    }

    /// What it says of sequences is counted from the beginning of the connection.
    pub fn moved(&mut self) -> &Moved {
        &self.inner().moved
    }

    /// The rows of system tables that have changed since the last [`Self::system_rows_are_known`], or (`all`) since
    /// [`Self::forget_system_rows`]; `None` if that is not known.
    pub fn system_rows(&mut self, all: bool) -> Option<Vec<SystemRow>> {
        let system = &self.inner().system;
        (!system.crowded).then(|| system.rows[if all { 0 } else { system.known }..].to_vec())
    }

    pub fn system_rows_are_known(&mut self) {
        let system = &mut self.inner().system;
        system.known = system.rows.len();
    }

    pub fn has_system_rows(&mut self) -> bool {
        !self.inner().system.rows.is_empty()
    }

    pub fn forget_system_rows(&mut self) {
        self.inner().system = SystemRows::default();
    }

    pub fn is_recording(&mut self) -> bool {
        self.inner().recording
    }

    /// What was kept since [`Self::keep_touched`] or the last call.
    pub fn take_touched(&mut self) -> Taken {
        let Kept { touched, limit, .. } = &self.inner().kept;
        let next = if touched.is_some() { Kept::up_to(*limit) } else { Kept::default() };
        let kept = self.swap_kept(next);
        Taken { rows: kept.touched.unwrap_or_default(), crowded: kept.crowded, complete: kept.complete }
    }
}

impl Drop for Changes {
    fn drop(&mut self) {
        // SAFETY: made by `Box::into_raw`; the hook is gone.
        drop(unsafe { Box::from_raw(self.0) });
    }
}

const ABSENT: u8 = 9;

unsafe extern "C" fn hook(
    inner: *mut c_void,
    db: *mut ffi::sqlite3,
    op: c_int,
    _database: *const c_char,
    table: *const c_char,
    before: i64,
    after: i64,
) {
    // SAFETY: SQLite calls this while a statement of the connection runs, when nobody else looks at `inner`;
    // the strings and values are valid during the call.
    unsafe {
        let inner = &mut *inner.cast::<Inner>();
        if !inner.recording {
            return;
        }
        let table = CStr::from_ptr(table);
        let columns = ffi::sqlite3_preupdate_count(db);
        inner.buffer.clear();
        inner.buffer.push(op as u8);
        inner.buffer.extend_from_slice(table.to_bytes_with_nul());
        for i in 0..if op == ffi::SQLITE_INSERT { 0 } else { columns } {
            put(&mut inner.buffer, value(db, i, ffi::sqlite3_preupdate_old));
        }
        for i in 0..if op == ffi::SQLITE_DELETE { 0 } else { columns } {
            put(&mut inner.buffer, value(db, i, ffi::sqlite3_preupdate_new));
        }
        let visible = xxh3_64(&inner.buffer);
        // For tables without rowid SQLite reports 0 twice.
        let all = mix(visible ^ mix(before as u64 ^ mix(after as u64)));
        if table.to_bytes() != SEQUENCES {
            inner.sums.visible = inner.sums.visible.wrapping_add(visible);
        } else if op != ffi::SQLITE_DELETE {
            inner.moved.note(value(db, 0, ffi::sqlite3_preupdate_new));
        }
        if is_system(table.to_bytes()) && !inner.moved.is_drawing() {
            let integer = |get: Getter| {
                move |i| match value(db, i, get) {
                    Some(ValueRef::Int(n)) => Some(n),
                    _ => None,
                }
            };
            let columns = 0..columns.min(SYSTEM_COLUMNS);
            if op != ffi::SQLITE_INSERT {
                inner.system.note(table, columns.clone().map(integer(ffi::sqlite3_preupdate_old)));
            }
            if op != ffi::SQLITE_DELETE {
                inner.system.note(table, columns.map(integer(ffi::sqlite3_preupdate_new)));
            }
        }
        inner.sums.all = inner.sums.all.wrapping_add(all);
        inner.sums.exhausted |= op != ffi::SQLITE_DELETE && after == i64::MAX && !is_key(db, table);
        if let Some(Watched(rows)) = &inner.watched
            && op != ffi::SQLITE_DELETE
        {
            rows.lock().insert((xxh3_64(table.to_bytes()), after));
        }
        let kept = &mut inner.kept;
        if let Some(touched) = &mut kept.touched {
            // What was hashed is the row, before and after.
            kept.bytes = kept.bytes.saturating_add(inner.buffer.len());
            if touched.len() >= kept.limit || kept.bytes > KEPT_BYTES {
                kept.complete = false;
                let name = table.to_string_lossy();
                if op != ffi::SQLITE_INSERT && !kept.crowded.iter().any(|t| *t == name) {
                    kept.crowded.push(name.into_owned());
                }
                return;
            }
            let all_of = |count: c_int, get: Getter| {
                (0..count).map(|i| value(db, i, get).map_or(Value::Null, ValueRef::to_owned)).collect()
            };
            touched.push(Touched {
                table: table.to_string_lossy().into_owned(),
                operation: match op {
                    ffi::SQLITE_INSERT => Operation::Insert,
                    ffi::SQLITE_DELETE => Operation::Delete,
                    _ => Operation::Update,
                },
                rowids: (before != 0 || after != 0).then_some((before, after)),
                old: all_of(if op == ffi::SQLITE_INSERT { 0 } else { columns }, ffi::sqlite3_preupdate_old),
                new: all_of(if op == ffi::SQLITE_DELETE { 0 } else { columns }, ffi::sqlite3_preupdate_new),
            });
        }
    }
}

fn is_system(table: &[u8]) -> bool {
    table.starts_with(b"pg_catalog.") || table.starts_with(b"_quorate_")
}

type Getter = unsafe extern "C" fn(*mut ffi::sqlite3, c_int, *mut *mut ffi::sqlite3_value) -> c_int;

/// # Safety
/// Only inside the hook. The result is valid until the hook returns.
unsafe fn value<'a>(db: *mut ffi::sqlite3, i: c_int, get: Getter) -> Option<ValueRef<'a>> {
    // SAFETY: inside the hook, with a column number below the count.
    unsafe {
        let mut value = std::ptr::null_mut();
        if get(db, i, &mut value) != ffi::SQLITE_OK || value.is_null() {
            return None;
        }
        let bytes = |start: *const u8| match ffi::sqlite3_value_bytes(value) {
            length if length > 0 && !start.is_null() => std::slice::from_raw_parts(start, length as usize),
            _ => &[][..],
        };
        Some(match ffi::sqlite3_value_type(value) {
            ffi::SQLITE_INTEGER => ValueRef::Int(ffi::sqlite3_value_int64(value)),
            ffi::SQLITE_FLOAT => ValueRef::Real(ffi::sqlite3_value_double(value)),
            ffi::SQLITE_TEXT => {
                let bytes = bytes(ffi::sqlite3_value_text(value));
                // Hashing needs no valid UTF-8; what is not is told apart by its type.
                std::str::from_utf8(bytes).map_or(ValueRef::Blob(bytes), ValueRef::Text)
            }
            ffi::SQLITE_BLOB => ValueRef::Blob(bytes(ffi::sqlite3_value_blob(value).cast())),
            _ => ValueRef::Null,
        })
    }
}

/// Appends a value so that no two different sequences of values give the same bytes.
fn put(buffer: &mut Vec<u8>, value: Option<ValueRef<'_>>) {
    let mut fixed = |tag: u8, bits: u64| {
        buffer.push(tag);
        buffer.extend_from_slice(&bits.to_le_bytes());
    };
    match value {
        None => buffer.push(ABSENT),
        Some(ValueRef::Null) => buffer.push(0),
        Some(ValueRef::Int(v)) => fixed(1, v as u64),
        Some(ValueRef::Real(v)) => fixed(2, v.to_bits()),
        Some(ValueRef::Text(v)) => {
            fixed(3, v.len() as u64);
            buffer.extend_from_slice(v.as_bytes());
        }
        Some(ValueRef::Blob(v)) => {
            fixed(4, v.len() as u64);
            buffer.extend_from_slice(v);
        }
    }
}

/// A permutation of 64-bit numbers that spreads every bit (the finalizer of splitmix64).
pub fn mix(mut z: u64) -> u64 {
    z = z.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Collects what an entry did and closes it into the next running digest.
#[derive(Default)]
pub struct Fold(Vec<u8>);

impl Fold {
    pub fn number(&mut self, n: u64) {
        self.0.extend_from_slice(&n.to_le_bytes());
    }

    pub fn bytes(&mut self, bytes: &[u8]) {
        self.number(bytes.len() as u64);
        self.0.extend_from_slice(bytes);
    }

    /// `H(n)` from `H(n−1)`.
    pub fn close(&mut self, previous: u64) -> u64 {
        let digest = xxh3_64_with_seed(&self.0, previous);
        self.0.clear();
        digest
    }
}
