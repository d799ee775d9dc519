//! Prepared statements on raw SQLite handles, and a cache of them by text.
//!
//! rusqlite's statements borrow their connection, so they can be kept neither beside it nor across threads. These own
//! their handle instead; whoever keeps one must drop it before its connection ([`super::connection::Connection`] does).
//! Parameters are bound without copying: the caller keeps them alive and unchanged until [`Statement::reset`].

use crate::error::{SqlError, SqlResult, state};
use crate::value::{Value, ValueRef};
use rusqlite::ffi;
use std::collections::HashMap;
use std::ffi::CStr;
use std::hash::{BuildHasherDefault, Hasher};
use std::ptr::{NonNull, null_mut};
use std::sync::Arc;

/// What SQLite said when a call failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message} (SQLite code {code})")]
pub struct Fault {
    /// The extended result code.
    pub code: i32,
    pub message: String,
}

impl Fault {
    /// The pending error of a connection.
    ///
    /// # Safety
    /// `db` is an open connection that no other thread uses at the moment.
    pub unsafe fn of(db: *mut ffi::sqlite3) -> Fault {
        // SAFETY: by the contract of this function; the message is copied before the connection is used again.
        unsafe {
            let message = CStr::from_ptr(ffi::sqlite3_errmsg(db)).to_string_lossy().into_owned();
            Fault { code: ffi::sqlite3_extended_errcode(db), message }
        }
    }

    pub fn error(message: impl Into<String>) -> Fault {
        Fault { code: ffi::SQLITE_ERROR, message: message.into() }
    }

    /// The result code without its extension.
    pub fn primary(&self) -> i32 {
        self.code & 0xff
    }

    /// Whether every replica gets this error from the same statement on the same state. All other errors come from the
    /// machine: disk, memory, locks. An unknown code counts as the machine's, because an outcome must be certain.
    ///
    /// `SQLITE_FULL` is the machine's: its only deterministic source is an exhausted AUTOINCREMENT, which the
    /// authorizer forbids.
    pub fn is_deterministic(&self) -> bool {
        matches!(
            self.primary(),
            ffi::SQLITE_ERROR
                | ffi::SQLITE_CONSTRAINT
                | ffi::SQLITE_MISMATCH
                | ffi::SQLITE_TOOBIG
                | ffi::SQLITE_RANGE
                | ffi::SQLITE_AUTH
        )
    }
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Fault {
        match error {
            rusqlite::Error::SqliteFailure(e, message) => {
                Fault { code: e.extended_code, message: message.unwrap_or_else(|| e.to_string()) }
            }
            other => Fault { code: ffi::SQLITE_INTERNAL, message: other.to_string() },
        }
    }
}

/// A prepared statement.
pub struct Statement {
    raw: NonNull<ffi::sqlite3_stmt>,
    parameters: usize,
    readonly: bool,
    explains: bool,
    /// It once succeeded and had to be undone all the same, so it runs in a savepoint from now on.
    pub wants_savepoint: bool,
    /// It calls a function that has to know the catalog.
    pub shows_definitions: bool,
}

// SAFETY: a statement may move to another thread together with its connection, which is opened in multi-thread mode;
// nothing here is shared (no Sync).
unsafe impl Send for Statement {}

impl Statement {
    /// Prepares the one statement in `sql`, to be kept for long.
    ///
    /// # Safety
    /// `db` is open, and stays open for as long as the statement lives; no other thread uses it meanwhile.
    pub unsafe fn prepare(db: *mut ffi::sqlite3, sql: &str) -> Result<Statement, Fault> {
        let length = i32::try_from(sql.len()).map_err(|_| Fault::error("statement too long"))?;
        let (mut raw, mut tail) = (null_mut(), std::ptr::null());
        // SAFETY: `sql` is valid for `length` bytes; the out-pointers live on our stack.
        let code = unsafe {
            ffi::sqlite3_prepare_v3(
                db,
                sql.as_ptr().cast(),
                length,
                ffi::SQLITE_PREPARE_PERSISTENT,
                &mut raw,
                &mut tail,
            )
        };
        if code != ffi::SQLITE_OK {
            // SAFETY: `db` is open.
            return Err(unsafe { Fault::of(db) });
        }
        let raw = NonNull::new(raw).ok_or_else(|| Fault::error("empty statement"))?;
        // SAFETY: a prepared statement.
        let (parameters, readonly, explains) = unsafe {
            (
                ffi::sqlite3_bind_parameter_count(raw.as_ptr()) as usize,
                ffi::sqlite3_stmt_readonly(raw.as_ptr()) != 0,
                ffi::sqlite3_stmt_isexplain(raw.as_ptr()) != 0,
            )
        };
        let readonly = readonly || explains;
        let statement =
            Statement { raw, parameters, readonly, explains, wants_savepoint: false, shows_definitions: false };
        let used = tail as usize - sql.as_ptr() as usize;
        match sql.get(used..).is_some_and(|rest| rest.trim_matches([' ', '\n', '\t', '\r', ';']).is_empty()) {
            true => Ok(statement),
            false => Err(Fault::error("more than one statement in a text")),
        }
    }

    /// The highest `?n` in the text.
    pub fn parameters(&self) -> usize {
        self.parameters
    }

    /// It tells how a statement would run, under the schema of the moment it was prepared: SQLite does not prepare these
    /// again when the schema changes, because they read nothing.
    pub fn explains(&self) -> bool {
        self.explains
    }

    /// It cannot change the database.
    pub fn readonly(&self) -> bool {
        self.readonly
    }

    fn db(&self) -> *mut ffi::sqlite3 {
        // SAFETY: a prepared statement.
        unsafe { ffi::sqlite3_db_handle(self.raw.as_ptr()) }
    }

    /// Binds `?1…`; values beyond the statement's parameters are ignored, missing ones are an error.
    ///
    /// # Safety
    /// The values stay alive and unchanged until [`Self::reset`].
    pub unsafe fn bind(&mut self, values: &[Value]) -> Result<(), Fault> {
        // SAFETY: as promised by the caller.
        unsafe { self.bind_all(values.iter().map(Value::as_ref)) }
    }

    /// As [`Self::bind`], from borrowed values.
    ///
    /// # Safety
    /// What the values point to stays alive and unchanged until [`Self::reset`].
    pub unsafe fn bind_refs(&mut self, values: &[ValueRef<'_>]) -> Result<(), Fault> {
        // SAFETY: as promised by the caller.
        unsafe { self.bind_all(values.iter().copied()) }
    }

    unsafe fn bind_all<'v>(&mut self, values: impl ExactSizeIterator<Item = ValueRef<'v>>) -> Result<(), Fault> {
        if values.len() < self.parameters {
            return Err(Fault::error(format!("{} of {} parameters are bound", values.len(), self.parameters)));
        }
        let raw = self.raw.as_ptr();
        // The progress handler is called after every so many instructions that this counter has counted: from 0 it is
        // called as often in each execution, whatever ran before.
        // SAFETY: a prepared statement.
        unsafe { ffi::sqlite3_stmt_status(raw, ffi::SQLITE_STMTSTATUS_VM_STEP, 1) };
        for (i, value) in (1..).zip(values.take(self.parameters)) {
            // SAFETY: SQLITE_STATIC: the caller keeps the memory until reset.
            let code = unsafe {
                match value {
                    ValueRef::Null => ffi::sqlite3_bind_null(raw, i),
                    ValueRef::Int(v) => ffi::sqlite3_bind_int64(raw, i, v),
                    ValueRef::Real(v) => ffi::sqlite3_bind_double(raw, i, v),
                    ValueRef::Text(v) => ffi::sqlite3_bind_text64(
                        raw,
                        i,
                        v.as_ptr().cast(),
                        v.len() as u64,
                        ffi::SQLITE_STATIC(),
                        ffi::SQLITE_UTF8 as u8,
                    ),
                    // An empty slice's pointer may dangle, which SQLite would take for NULL only if it were 0.
                    ValueRef::Blob([]) => ffi::sqlite3_bind_zeroblob(raw, i, 0),
                    ValueRef::Blob(v) => {
                        ffi::sqlite3_bind_blob64(raw, i, v.as_ptr().cast(), v.len() as u64, ffi::SQLITE_STATIC())
                    }
                }
            };
            if code != ffi::SQLITE_OK {
                // SAFETY: the connection outlives its statements.
                return Err(unsafe { Fault::of(self.db()) });
            }
        }
        Ok(())
    }

    /// Goes to the next row; false at the end.
    pub fn step(&mut self) -> Result<bool, Fault> {
        // SAFETY: a prepared statement whose bound values are alive (contract of `bind`).
        match unsafe { ffi::sqlite3_step(self.raw.as_ptr()) } {
            ffi::SQLITE_ROW => Ok(true),
            ffi::SQLITE_DONE => Ok(false),
            // SAFETY: the connection outlives its statements.
            _ => Err(unsafe { Fault::of(self.db()) }),
        }
    }

    /// Ends the execution and forgets the bound values.
    pub fn reset(&mut self) {
        // SAFETY: a prepared statement. The code repeats the error of the last step, which was already seen.
        unsafe {
            ffi::sqlite3_reset(self.raw.as_ptr());
            ffi::sqlite3_clear_bindings(self.raw.as_ptr());
        }
    }

    /// Number of columns of the current row.
    pub fn width(&self) -> usize {
        // SAFETY: a prepared statement.
        unsafe { ffi::sqlite3_data_count(self.raw.as_ptr()) as usize }
    }

    /// Column `i` of the current row; valid until the next step or reset, both of which need the statement exclusively.
    pub fn value(&self, i: usize) -> SqlResult<ValueRef<'_>> {
        debug_assert!(i < self.width());
        let (raw, i) = (self.raw.as_ptr(), i as i32);
        // SAFETY: the statement is on a row; pointers are read before any call that could convert the value.
        unsafe {
            Ok(match ffi::sqlite3_column_type(raw, i) {
                ffi::SQLITE_INTEGER => ValueRef::Int(ffi::sqlite3_column_int64(raw, i)),
                ffi::SQLITE_FLOAT => ValueRef::Real(ffi::sqlite3_column_double(raw, i)),
                ffi::SQLITE_TEXT => {
                    let start = ffi::sqlite3_column_text(raw, i);
                    text(slice(start, ffi::sqlite3_column_bytes(raw, i)))?
                }
                ffi::SQLITE_BLOB => {
                    let start = ffi::sqlite3_column_blob(raw, i);
                    ValueRef::Blob(slice(start.cast(), ffi::sqlite3_column_bytes(raw, i)))
                }
                _ => ValueRef::Null,
            })
        }
    }

    /// The current row, owned.
    pub fn row(&self) -> SqlResult<Vec<Value>> {
        (0..self.width()).map(|i| self.value(i).map(ValueRef::to_owned)).collect()
    }
}

fn text(bytes: &[u8]) -> SqlResult<ValueRef<'_>> {
    std::str::from_utf8(bytes).map(ValueRef::Text).map_err(|_| {
        SqlError::new(state::CHARACTER_NOT_IN_REPERTOIRE, "invalid byte sequence for encoding \"UTF8\" in stored text")
    })
}

/// # Safety
/// `start` is null or valid for `length` bytes for as long as the result is used.
unsafe fn slice<'a>(start: *const u8, length: i32) -> &'a [u8] {
    if start.is_null() || length <= 0 {
        return &[];
    }
    // SAFETY: by the contract of this function.
    unsafe { std::slice::from_raw_parts(start, length as usize) }
}

impl Drop for Statement {
    fn drop(&mut self) {
        // SAFETY: prepared by us, finalized once.
        unsafe { ffi::sqlite3_finalize(self.raw.as_ptr()) };
    }
}

/// xxh3 for keys that are one string: SQL texts are long, and SipHash would cost more than binding their parameters.
#[derive(Default)]
pub struct TextHasher(u64);

impl Hasher for TextHasher {
    fn write(&mut self, bytes: &[u8]) {
        self.0 = xxhash_rust::xxh3::xxh3_64_with_seed(bytes, self.0);
    }
    // The terminator of a `str`; with only one string in a key it tells nothing.
    fn write_u8(&mut self, _: u8) {}
    fn finish(&self) -> u64 {
        self.0
    }
}

struct Slot {
    statement: Statement,
    used: u64,
}

/// Prepared statements by text. When full, the half that was not used for longest goes.
pub struct Cache {
    slots: HashMap<Arc<str>, Slot, BuildHasherDefault<TextHasher>>,
    capacity: usize,
    clock: u64,
}

impl Cache {
    pub fn new(capacity: usize) -> Cache {
        Cache { slots: HashMap::default(), capacity, clock: 0 }
    }

    /// The statement of this text, prepared if need be.
    ///
    /// # Safety
    /// As [`Statement::prepare`], with the same `db` in every call.
    pub unsafe fn get(&mut self, db: *mut ffi::sqlite3, sql: &str) -> Result<&mut Statement, Fault> {
        self.clock += 1;
        if self.slots.get(sql).is_none_or(|slot| slot.statement.explains()) {
            // SAFETY: as promised by the caller.
            let statement = unsafe { Statement::prepare(db, sql)? };
            self.insert(Arc::from(sql), statement);
        }
        let slot = self.slots.get_mut(sql).expect("just inserted");
        slot.used = self.clock;
        Ok(&mut slot.statement)
    }

    /// Takes the statement of this text out, or prepares one; [`Self::give`] brings it back.
    ///
    /// # Safety
    /// As [`Self::get`].
    pub unsafe fn take(&mut self, db: *mut ffi::sqlite3, sql: &str) -> Result<Statement, Fault> {
        match self.slots.remove(sql) {
            Some(slot) if !slot.statement.explains() => Ok(slot.statement),
            // SAFETY: as promised by the caller.
            _ => unsafe { Statement::prepare(db, sql) },
        }
    }

    pub fn give(&mut self, sql: Arc<str>, mut statement: Statement) {
        statement.reset();
        self.clock += 1;
        self.insert(sql, statement);
    }

    fn insert(&mut self, sql: Arc<str>, statement: Statement) {
        if self.slots.len() >= self.capacity {
            let mut used: Vec<u64> = self.slots.values().map(|slot| slot.used).collect();
            let middle = used.len() / 2;
            let (_, &mut median, _) = used.select_nth_unstable(middle);
            self.slots.retain(|_, slot| slot.used > median);
        }
        self.slots.insert(sql, Slot { statement, used: self.clock });
    }

    pub fn clear(&mut self) {
        self.slots.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn explanations_follow_the_schema() {
        let connection = rusqlite::Connection::open_in_memory().unwrap();
        connection.execute_batch("CREATE TABLE t (a)").unwrap();
        // SAFETY: the connection outlives the cache, which is dropped first.
        let db = unsafe { connection.handle() };
        let mut cache = Cache::new(4);
        for (ddl, plan) in [("", "SCAN t"), ("CREATE INDEX i ON t (a)", "SEARCH t USING COVERING INDEX i (a=?)")] {
            connection.execute_batch(ddl).unwrap();
            // SAFETY: as above.
            let statement = unsafe { cache.get(db, "EXPLAIN QUERY PLAN SELECT a FROM t WHERE a = 1").unwrap() };
            // SAFETY: nothing is bound.
            unsafe { statement.bind(&[]).unwrap() };
            assert!(statement.step().unwrap());
            assert_eq!(statement.row().unwrap()[3], Value::Text(plan.into()));
            statement.reset();
        }
    }

    #[test]
    fn statements_bind_step_and_read() {
        let connection = rusqlite::Connection::open_in_memory().unwrap();
        // SAFETY: the connection outlives the cache, which is dropped first.
        let db = unsafe { connection.handle() };
        let mut cache = Cache::new(4);
        let values = [Value::Null, Value::Int(-7), Value::Real(0.5), Value::Text("ü".into()), Value::Blob(vec![])];
        // SAFETY: `values` outlives the execution.
        unsafe {
            let statement = cache.get(db, "SELECT ?1, ?2, ?3, ?4, ?5, typeof(?5);").unwrap();
            statement.bind(&values).unwrap();
            assert!(statement.step().unwrap());
            let row = statement.row().unwrap();
            assert_eq!(row[..5], values);
            assert_eq!(row[5], Value::Text("blob".into()));
            assert!(!statement.step().unwrap());
            statement.reset();
            assert!(statement.bind(&values[..2]).is_err());
            assert!(cache.get(db, "SELECT 1; SELECT 2").is_err());
            assert!(cache.get(db, " -- nothing").is_err());
            for i in 0..20 {
                cache.get(db, &format!("SELECT {i}")).unwrap();
            }
            assert!(cache.slots.len() <= 4);
        }
        drop(cache);
    }
}
