//! Opening SQLite connections: one fixed list of settings, the same on every replica.
//!
//! What a statement may do and what it computes must not depend on the machine, so everything that SQLite lets one
//! configure and that could matter is set here, for every connection, at open. A change of this list changes what a log
//! means: raise [`crate::version::FILE`].
//!
//! Statements of clients pass an authorizer that allows what the SQL compiler emits and denies the rest: other files,
//! PRAGMAs, raw pages, the engine's own tables, functions that read the clock or the connection's history. The
//! engine's own statements run under [`Connection::trusted`].

use super::digest::Changes;
use super::gather;
use super::meta;
use super::pages;
use super::sequence::Sequences;
use super::statement::{Cache, Fault, Statement};
use crate::error::{SqlError, SqlResult};
use crate::functions::{Context, SHOW_VIEW};
use crate::meter::Meter;
use crate::value::{Value, ValueRef};
use crate::version;
use parking_lot::Mutex;
use rusqlite::config::DbConfig;
use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use rusqlite::limits::Limit;
use rusqlite::{OpenFlags, ffi};
use std::ffi::{c_int, c_void};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Bytes of a database page. Small pages make small WAL frames, and most transactions touch one or two pages.
pub const PAGE: u32 = 4096;

/// For how long a lock of the file is waited for. A file has one writer, so nobody keeps one; but a reader that finds the WAL's
/// head half written takes the writer's lock for a moment, to look again.
pub const PASSING: Duration = Duration::from_secs(1);

/// Registers our SQL functions and collations on a connection.
pub type Register =
    Arc<dyn Fn(&rusqlite::Connection, &Arc<Mutex<Context>>) -> rusqlite::Result<()> + Send + Sync + 'static>;

/// What a connection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The one writer of a file: may change what the SQL compiler may change.
    Writer,
    /// A private fork: as a writer, but whoever made it has chosen its memory settings, and opens and ends its
    /// transactions on the same connection.
    Fork,
    /// Only reads.
    Reader,
}

/// A configured connection with its statements, its functions' context, and the record of its row changes.
pub struct Connection {
    // Declared in the order in which they must go: statements before the connection.
    cache: Cache,
    /// The engine's own statements. Apart from the clients', because a cached statement has already been authorized.
    own: Cache,
    context: Arc<Mutex<Context>>,
    /// The error that one of our own functions raised, with all its fields.
    raised: Arc<Mutex<Option<SqlError>>>,
    sequences: Arc<Mutex<Sequences>>,
    trusted: Arc<AtomicBool>,
    /// SQLite names of the tables that statements being prepared write, while somebody asks.
    named: Arc<Mutex<Option<Named>>>,
    /// A statement being prepared shows definitions.
    shows: Arc<AtomicBool>,
    changes: Changes,
    /// What the statement under way spends.
    meter: Arc<Meter>,
    raw: rusqlite::Connection,
    /// What the progress handler points to: dropped after the connection.
    _progress: Box<Progress>,
}

/// SQLite instructions between two looks at the meter: some 10–20 µs.
const PROGRESS_OPS: c_int = 1000;

/// What the progress handler needs: the meter, and whether the engine's own statements run, which do not count.
struct Progress {
    meter: Arc<Meter>,
    trusted: Arc<AtomicBool>,
}

unsafe extern "C" fn progress(progress: *mut c_void) -> c_int {
    // SAFETY: `configure` hands over a `Progress` that lives as long as the connection; only shared access.
    let progress = unsafe { &*progress.cast::<Progress>() };
    c_int::from(!progress.trusted.load(Ordering::Relaxed) && progress.meter.tick(PROGRESS_OPS as u64))
}

impl Connection {
    /// Opens an existing file, or creates one.
    pub fn open(path: &Path, role: Role, create: bool, register: &Register) -> Result<Connection, Fault> {
        let mut flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        flags.set(OpenFlags::SQLITE_OPEN_CREATE, create);
        let raw = match role {
            Role::Writer => rusqlite::Connection::open_with_flags_and_vfs(path, flags, gather::vfs()?)?,
            Role::Reader | Role::Fork => rusqlite::Connection::open_with_flags_and_vfs(path, flags, pages::vfs()?)?,
        };
        if create {
            pages::reserve(&raw)?;
        }
        raw.pragma_update(None, "page_size", PAGE)?;
        let mode: String = raw.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))?;
        if !mode.eq_ignore_ascii_case("wal") {
            return Err(Fault { code: ffi::SQLITE_CANTOPEN, message: format!("journal mode is {mode}, not WAL") });
        }
        raw.execute_batch(
            "PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 0; PRAGMA journal_size_limit = 67108864;",
        )?;
        Connection::configure(raw, role, register)
    }

    /// Sets up a connection that is already open, such as one on a fork's file system.
    pub fn configure(mut raw: rusqlite::Connection, role: Role, register: &Register) -> Result<Connection, Fault> {
        // Replicas compute alike only with the same one.
        assert_eq!(rusqlite::version_number(), version::SQLITE, "not the SQLite that this program was made with");
        raw.busy_timeout(PASSING)?;
        fix_settings(&raw, role)?;
        let context = Arc::new(Mutex::new(Context::default()));
        let raised = Arc::new(Mutex::new(None));
        let trusted = Arc::new(AtomicBool::new(true));
        // SAFETY: the handle is used by this struct only, which drops everything on it before the connection.
        let db = unsafe { raw.handle() };
        // Before any statement is prepared: one prepared earlier would never report its changes.
        // SAFETY: open; `drop` takes the hook away before the connection closes.
        let mut changes = unsafe { Changes::install(db) };
        register(&raw, &context)?;
        let sequences = super::sequence::register(&raw, &context, &raised, changes.moved().clone())?;
        let named = Arc::new(Mutex::new(None));
        let shows = Arc::new(AtomicBool::new(false));
        authorize(&mut raw, role, trusted.clone(), named.clone(), shows.clone())?;
        trusted.store(false, Ordering::Relaxed);
        let meter = Arc::new(Meter::default());
        let progress = Box::new(Progress { meter: meter.clone(), trusted: trusted.clone() });
        // SAFETY: an open connection; the box is dropped after it.
        unsafe {
            ffi::sqlite3_progress_handler(
                db,
                PROGRESS_OPS,
                Some(self::progress),
                (&raw const *progress).cast_mut().cast(),
            )
        };
        let cache = Cache::new(if role == Role::Writer { 1024 } else { 256 });
        Ok(Connection {
            cache,
            own: Cache::new(64),
            context,
            raised,
            sequences,
            trusted,
            named,
            shows,
            changes,
            meter,
            raw,
            _progress: progress,
        })
    }

    /// Sets up a connection that somebody else owns, opened on a fork's file system.
    ///
    /// # Safety
    /// The result is dropped before `raw` is closed, and the two are used by one thread at a time.
    pub unsafe fn attach(raw: &rusqlite::Connection, register: &Register) -> Result<Connection, Fault> {
        // SAFETY: as promised by the caller; the second wrapper does not close the handle.
        let raw = unsafe { rusqlite::Connection::from_handle(raw.handle())? };
        Connection::configure(raw, Role::Fork, register)
    }

    /// What functions see. Never hold the lock while a statement runs: functions take it.
    pub fn context(&self) -> &Arc<Mutex<Context>> {
        &self.context
    }

    /// What statements on this connection spend. Whoever steps one enters it.
    pub fn meter(&self) -> &Arc<Meter> {
        &self.meter
    }

    pub fn changes(&mut self) -> &mut Changes {
        &mut self.changes
    }

    pub fn handle(&self) -> *mut ffi::sqlite3 {
        // SAFETY: see `configure`.
        unsafe { self.raw.handle() }
    }

    pub fn raw(&self) -> &rusqlite::Connection {
        &self.raw
    }

    /// Frees what can be read again: pages of the cache.
    pub fn release_memory(&self) {
        // SAFETY: an open connection, which nothing else uses meanwhile.
        unsafe { ffi::sqlite3_db_release_memory(self.handle()) };
    }

    /// The error our own function raised during the last statement, if it did.
    pub fn take_raised(&self) -> Option<SqlError> {
        self.raised.lock().take()
    }

    /// The cached statement of a client's text.
    pub fn statement(&mut self, sql: &str) -> Result<&mut Statement, Fault> {
        self.statement_parts(sql).map(|(statement, ..)| statement)
    }

    /// Whether a client's statement calls a function that has to know the catalog. Prepares it if need be; what cannot be
    /// prepared does not.
    pub fn shows_definitions(&mut self, sql: &str) -> bool {
        self.statement(sql).is_ok_and(|statement| statement.shows_definitions)
    }

    /// The cached statement of a client's text, with the record of row changes and what functions see.
    pub fn statement_parts(&mut self, sql: &str) -> Result<(&mut Statement, &mut Changes, &Mutex<Context>), Fault> {
        let db = self.handle();
        self.shows.store(false, Ordering::Relaxed);
        // SAFETY: the cache is dropped before the connection and always used with this one.
        let statement = unsafe { self.cache.get(db, sql)? };
        statement.shows_definitions |= self.shows.load(Ordering::Relaxed);
        Ok((statement, &mut self.changes, &self.context))
    }

    /// Takes a statement out of the cache, so that it can run while the connection is used otherwise.
    pub fn take(&mut self, sql: &str) -> Result<Statement, Fault> {
        let db = self.handle();
        // SAFETY: as `statement_parts`; whoever takes one gives it back or drops it before the connection.
        match unsafe { self.cache.take(db, sql) } {
            Ok(taken) if !taken.explains() => return Ok(taken),
            Ok(explanation) => drop(explanation),
            // What explains a write only looks as if it wrote.
            Err(fault) if fault.primary() == ffi::SQLITE_AUTH => {
                let explanation = self.explanation(sql);
                return explanation.ok().filter(Statement::explains).ok_or(fault);
            }
            Err(fault) => return Err(fault),
        }
        self.explanation(sql)
    }

    /// A statement that explains another one, under the present schema.
    fn explanation(&mut self, sql: &str) -> Result<Statement, Fault> {
        // It does not see for itself whether another connection has changed the schema. What reads does.
        self.run("SELECT 1 FROM sqlite_schema LIMIT 1", &[])?;
        // SAFETY: as `take`.
        self.trusted(|c| unsafe { Statement::prepare(c.handle(), sql) })
    }

    pub fn give(&mut self, sql: Arc<str>, statement: Statement) {
        self.cache.give(sql, statement);
    }

    /// Runs `f` with the authorizer off, for the engine's own statements. SQLite may prepare a statement again while
    /// it steps, so stepping belongs inside as well.
    pub fn trusted<T>(&mut self, f: impl FnOnce(&mut Connection) -> T) -> T {
        self.trusted.store(true, Ordering::Relaxed);
        let result = f(self);
        self.trusted.store(false, Ordering::Relaxed);
        result
    }

    /// SQLite names of the tables that a statement writes, its target first. Prepares it anew: for errors only.
    pub fn written_tables(&mut self, sql: &str) -> Vec<String> {
        self.tables(sql).written
    }

    /// The tables that a statement has to do with. Prepares it anew.
    pub fn tables(&mut self, sql: &str) -> Named {
        *self.named.lock() = Some(Named::default());
        // SAFETY: dropped at once.
        let prepared = unsafe { Statement::prepare(self.handle(), sql) };
        let mut named = self.named.lock().take().unwrap_or_default();
        named.complete = prepared.is_ok();
        named
    }

    fn own(&mut self, sql: &str) -> Result<&mut Statement, Fault> {
        let db = self.handle();
        // SAFETY: as `statement`.
        unsafe { self.own.get(db, sql) }
    }

    /// Runs one of the engine's own statements to its end.
    pub fn run(&mut self, sql: &str, values: &[ValueRef<'_>]) -> Result<(), Fault> {
        self.trusted(|c| {
            let statement = c.own(sql)?;
            // SAFETY: `values` outlives this call, which resets the statement.
            let result = unsafe { statement.bind_refs(values) }.and_then(|()| {
                while statement.step()? {}
                Ok(())
            });
            statement.reset();
            result
        })
    }

    /// Runs one of the engine's own queries and hands each row to `row`.
    pub fn each(
        &mut self,
        sql: &str,
        values: &[ValueRef<'_>],
        row: &mut dyn FnMut(&Statement) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        self.trusted(|c| {
            let statement = c.own(sql)?;
            // SAFETY: `values` outlives this call, which resets the statement.
            let result = unsafe { statement.bind_refs(values) }.and_then(|()| {
                while statement.step()? {
                    row(statement)?;
                }
                Ok(())
            });
            statement.reset();
            result
        })
    }

    /// All rows of one of the engine's own queries.
    pub fn query(&mut self, sql: &str, values: &[ValueRef<'_>]) -> Result<Vec<Vec<Value>>, Fault> {
        let mut rows = Vec::new();
        self.each(sql, values, &mut |statement| {
            rows.push(statement.row().map_err(|e| Fault::error(e.message))?);
            Ok(())
        })?;
        Ok(rows)
    }

    /// Sets a sequence's position outside of any function call.
    pub fn store_sequence(&mut self, oid: u32, value: i64, called: bool) -> Result<(), Fault> {
        let sequences = self.sequences.clone();
        self.trusted(|_| sequences.lock().store(oid, value, called))
    }

    /// Puts checks of foreign keys off to the end of the transaction, or no longer, for what is prepared from now on.
    /// The latter also forgets what was violated meanwhile: only before a rollback.
    ///
    /// This PRAGMA does its work while it is prepared. Run to its end it would besides have all statements of the connection
    /// prepared again: some of them were made for the other way, so nothing else may be prepared in between and kept.
    pub fn put_off_foreign_keys(&mut self, on: bool) -> Result<(), Fault> {
        let sql = if on { "PRAGMA defer_foreign_keys = ON" } else { "PRAGMA defer_foreign_keys = OFF" };
        // SAFETY: dropped at once.
        self.trusted(|c| unsafe { Statement::prepare(c.handle(), sql) }.map(drop))
    }

    /// Prepares a statement of a client anew, and leaves the cached one alone.
    ///
    /// # Safety
    /// It is dropped before the connection.
    pub unsafe fn prepare(&mut self, sql: &str) -> Result<Statement, Fault> {
        // SAFETY: as promised by the caller.
        unsafe { Statement::prepare(self.handle(), sql) }
    }

    /// Takes back what [`Self::take_sequences`] gave.
    pub fn put_sequences(&self, positions: Vec<(u32, i64, bool)>) {
        self.sequences.lock().touched = positions;
    }

    /// The positions that functions gave sequences since the last call: (OID, value, is_called).
    pub fn take_sequences(&self) -> Vec<(u32, i64, bool)> {
        std::mem::take(&mut self.sequences.lock().touched)
    }

    /// No transaction is open.
    pub fn autocommit(&self) -> bool {
        self.raw.is_autocommit()
    }

    /// Foreign keys are violated that were deferred to the end of the transaction.
    pub fn has_deferred_violations(&self) -> bool {
        let (mut current, mut high) = (0, 0);
        // SAFETY: an open connection and out-pointers on our stack.
        unsafe {
            ffi::sqlite3_db_status(self.handle(), ffi::SQLITE_DBSTATUS_DEFERRED_FKS, &mut current, &mut high, 0);
        }
        current != 0
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.cache.clear();
        self.own.clear();
        self.sequences.lock().close();
        // SAFETY: still open. A connection that somebody else owns stays so, without what pointed here.
        unsafe {
            self.changes.uninstall(self.handle());
            ffi::sqlite3_progress_handler(self.handle(), 0, None, std::ptr::null_mut());
        }
    }
}

fn fix_settings(raw: &rusqlite::Connection, role: Role) -> Result<(), Fault> {
    use DbConfig::*;
    for (setting, value) in [
        (SQLITE_DBCONFIG_ENABLE_FKEY, true),
        (SQLITE_DBCONFIG_ENABLE_TRIGGER, true),
        (SQLITE_DBCONFIG_ENABLE_VIEW, true),
        (SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true),
        (SQLITE_DBCONFIG_DEFENSIVE, true),
        (SQLITE_DBCONFIG_WRITABLE_SCHEMA, false),
        (SQLITE_DBCONFIG_LEGACY_ALTER_TABLE, false),
        (SQLITE_DBCONFIG_DQS_DML, false),
        (SQLITE_DBCONFIG_DQS_DDL, false),
        (SQLITE_DBCONFIG_TRUSTED_SCHEMA, false),
        (SQLITE_DBCONFIG_REVERSE_SCANORDER, false),
        (SQLITE_DBCONFIG_ENABLE_ATTACH_CREATE, false),
        (SQLITE_DBCONFIG_ENABLE_ATTACH_WRITE, false),
    ] {
        raw.set_db_config(setting, value)?;
    }
    // SAFETY: an open connection; the variadic arguments are what the documentation of this option lists.
    unsafe {
        ffi::sqlite3_db_config(
            raw.handle(),
            ffi::SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION,
            0,
            std::ptr::null_mut::<std::ffi::c_int>(),
        );
    }
    for (limit, value) in [
        (Limit::SQLITE_LIMIT_LENGTH, 1 << 30),
        (Limit::SQLITE_LIMIT_SQL_LENGTH, 256 << 20),
        (Limit::SQLITE_LIMIT_COLUMN, 2000),
        (Limit::SQLITE_LIMIT_EXPR_DEPTH, 1000),
        (Limit::SQLITE_LIMIT_COMPOUND_SELECT, 500),
        (Limit::SQLITE_LIMIT_VDBE_OP, 250_000_000),
        (Limit::SQLITE_LIMIT_FUNCTION_ARG, 127),
        (Limit::SQLITE_LIMIT_ATTACHED, 0),
        (Limit::SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 50_000),
        (Limit::SQLITE_LIMIT_VARIABLE_NUMBER, 65_535),
        (Limit::SQLITE_LIMIT_TRIGGER_DEPTH, 1000),
        (Limit::SQLITE_LIMIT_WORKER_THREADS, 0),
    ] {
        raw.set_limit(limit, value)?;
    }
    raw.execute_batch(
        "PRAGMA mmap_size = 0; PRAGMA automatic_index = ON; PRAGMA recursive_triggers = OFF;
         PRAGMA case_sensitive_like = OFF; PRAGMA ignore_check_constraints = OFF; PRAGMA cell_size_check = OFF;",
    )?;
    raw.execute_batch(match role {
        Role::Fork => return Ok(()),
        // What a large command needs beside its pages (to be undone, to be sorted) does not have to fit into memory: the
        // leader tried it where it did not have to, either.
        Role::Writer => "PRAGMA temp_store = FILE; PRAGMA cache_size = -16384",
        // A reader drops its cache whenever the database changed, so a large one would only cost memory. What it sorts goes to a
        // file beyond that.
        Role::Reader => "PRAGMA temp_store = FILE; PRAGMA cache_size = -2048; PRAGMA query_only = ON",
    })?;
    Ok(())
}

/// SQLite names of the tables of a statement, as the authorizer heard them.
#[derive(Debug, Default)]
pub struct Named {
    /// Its target first.
    pub written: Vec<String>,
    pub read: Vec<String>,
    /// The statement could be prepared: there are no others.
    pub complete: bool,
}

impl Named {
    fn note(&mut self, action: &AuthAction<'_>) {
        let (list, name) = match *action {
            AuthAction::Insert { table_name }
            | AuthAction::Update { table_name, .. }
            | AuthAction::Delete { table_name } => (&mut self.written, table_name),
            AuthAction::Read { table_name, .. } => (&mut self.read, table_name),
            _ => return,
        };
        if !list.iter().any(|known| known == name) {
            list.push(name.to_owned());
        }
    }
}

fn authorize(
    raw: &mut rusqlite::Connection,
    role: Role,
    trusted: Arc<AtomicBool>,
    named: Arc<Mutex<Option<Named>>>,
    shows: Arc<AtomicBool>,
) -> Result<(), Fault> {
    raw.authorizer(Some(move |asked: AuthContext<'_>| {
        if matches!(asked.action, AuthAction::Function { function_name: SHOW_VIEW }) {
            shows.store(true, Ordering::Relaxed);
        }
        if let Some(named) = &mut *named.lock() {
            named.note(&asked.action);
        }
        let allowed = trusted.load(Ordering::Relaxed)
            || match role {
                // Sizes in pages are a replica's own: only what is not logged may see them.
                Role::Reader => may_read(&asked.action) || is_size(&asked.action),
                Role::Writer => may_read(&asked.action) || may_write(&asked.action),
                Role::Fork => {
                    matches!(asked.action, AuthAction::Transaction { .. })
                        || may_read(&asked.action)
                        || may_write(&asked.action)
                }
            };
        if allowed { Authorization::Allow } else { Authorization::Deny }
    }))?;
    Ok(())
}

fn may_read(action: &AuthAction<'_>) -> bool {
    match *action {
        AuthAction::Select | AuthAction::Recursive => true,
        AuthAction::Read { table_name, .. } => is_open_table(table_name),
        AuthAction::Function { function_name } => !is_closed_function(function_name),
        _ => false,
    }
}

/// `dbstat`, which reads the schema table itself.
fn is_size(action: &AuthAction<'_>) -> bool {
    matches!(action, AuthAction::Read { table_name: "dbstat" | "sqlite_master", .. })
}

fn may_write(action: &AuthAction<'_>) -> bool {
    match *action {
        AuthAction::Insert { table_name } | AuthAction::Delete { table_name } => is_writable_table(table_name),
        AuthAction::Update { table_name, .. } => is_writable_table(table_name),
        // ALTER and DROP read the schema tables; ADD COLUMN checks existing rows against its constraints.
        AuthAction::Read { table_name: "sqlite_master" | "sqlite_temp_master" | "pragma_quick_check", .. } => true,
        AuthAction::CreateTable { table_name } | AuthAction::DropTable { table_name } => is_open_table(table_name),
        AuthAction::AlterTable { table_name, .. } => is_open_table(table_name),
        AuthAction::Analyze { .. } | AuthAction::Reindex { .. } => true,
        AuthAction::CreateIndex { table_name, .. } | AuthAction::DropIndex { table_name, .. } => {
            is_open_table(table_name)
        }
        AuthAction::CreateTrigger { table_name, .. } | AuthAction::DropTrigger { table_name, .. } => {
            is_open_table(table_name)
        }
        // What a SERIALIZABLE transaction did and undid is replayed like that.
        AuthAction::Savepoint { savepoint_name, .. } => savepoint_name == crate::transaction::UNDO,
        AuthAction::CreateView { .. } | AuthAction::DropView { .. } => true,
        // Moves foreign key checks to the end of the command: table rebuilds and SET CONSTRAINTS need it.
        AuthAction::Pragma { pragma_name, .. } => {
            ["defer_foreign_keys", "quick_check"].iter().any(|name| pragma_name.eq_ignore_ascii_case(name))
        }
        _ => false,
    }
}

/// Table-valued PRAGMAs, raw pages, AUTOINCREMENT's counter and our own tables are closed. Other tables named
/// `_quorate_…` belong to the SQL compiler.
fn is_open_table(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let closed = ["sqlite_", "pragma_", "dbstat"].iter().any(|prefix| name.starts_with(prefix));
    (!closed || name.starts_with("sqlite_stat")) && !meta::TABLES.contains(&name.as_str())
}

fn is_writable_table(name: &str) -> bool {
    // DEFENSIVE keeps direct writes from the schema table; DDL writes it through here.
    is_open_table(name) || ["sqlite_master", "sqlite_temp_master"].iter().any(|n| name.eq_ignore_ascii_case(n))
}

/// Functions whose value depends on the machine, on time or on what the connection did before.
fn is_closed_function(name: &str) -> bool {
    const CLOSED: [&str; 22] = [
        "changes",
        "total_changes",
        "last_insert_rowid",
        "random",
        "randomblob",
        "sqlite_version",
        "sqlite_source_id",
        "sqlite_compileoption_get",
        "sqlite_compileoption_used",
        "sqlite_offset",
        "sqlite_log",
        "load_extension",
        "fts3_tokenizer",
        "date",
        "time",
        "datetime",
        "julianday",
        "unixepoch",
        "strftime",
        "current_timestamp",
        "current_date",
        "current_time",
    ];
    CLOSED.iter().any(|closed| closed.eq_ignore_ascii_case(name))
}

/// Loads rows for [`crate::sql::catalog::Catalog::load`] and the like.
pub fn rows(connection: &mut Connection, sql: &str) -> SqlResult<Vec<Vec<Value>>> {
    connection.query(sql, &[]).map_err(|fault| {
        match fault.is_deterministic() || fault.primary() == ffi::SQLITE_CORRUPT {
            true => SqlError::internal(fault.to_string()),
            false => SqlError::new(crate::error::state::IO_ERROR, fault.to_string()),
        }
    })
}

/// Why a catalog could not be loaded, as a fault: the machine's if reading the rows failed, else the file's.
pub fn catalog_fault(error: &SqlError) -> Fault {
    let code = if error.code == crate::error::state::IO_ERROR { ffi::SQLITE_IOERR } else { ffi::SQLITE_ERROR };
    Fault { code, message: error.to_string() }
}
