//! The page overlay: a small SQLite VFS whose one file is a snapshot of the real database plus private pages.
//!
//! A [`View`] owns a *snapshot connection*, an ordinary read-only connection to the real file that holds a read
//! transaction and hands out pages through `sqlite_dbpage`. The fork's connection runs on this VFS: it reads the
//! overlay's page if there is one, else the snapshot's, and writes to the overlay only. To that connection the file
//! is a plain rollback-journal database that nobody else touches, so locks and syncs do nothing. The overlay, the
//! journals, which hold what ROLLBACK TO needs, and intermediate results are in memory while they are small ([`Spill`]). Everything used here is documented behaviour of SQLite.
//!
//! Page 1 is patched on its way, because four facts of the header differ in the private world:
//! - bytes 18 and 19 (write and read version) say 1: no WAL here;
//! - bytes 28..32 hold the page count of the snapshot;
//! - bytes 24..28 (change counter) and 92..96 (the counter for which the page count is valid) hold a generation
//!   number. SQLite compares bytes 24..40 at the start of each transaction and drops its page cache when they moved.
//!   In WAL mode the real counter rarely moves; ours moves exactly when the cached pages may be wrong.
//!
//! How an opened file finds its view: [`open`] leaves the pointer in a thread-local slot that `xOpen`, which SQLite
//! calls on the same thread before `sqlite3_open_v2` returns, takes. Nothing that a client could write into an
//! ATTACH names a view.
//!
//! Left out: shared memory and mmap (methods of version 1).

use super::spill::Spill;
use crate::engine::pages;
use parking_lot::Mutex;
use rusqlite::ffi;
use rusqlite::{Connection, OpenFlags};
use std::cell::Cell;
use std::collections::HashMap;
use std::ffi::{CStr, c_char, c_int, c_void};
use std::path::Path;
use std::ptr::{self, NonNull};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

const VFS_NAME: &CStr = c"quorate-fork";
/// Read and write version of a database in WAL mode (file format, bytes 18 and 19).
const WAL_VERSION: u8 = 2;
/// The fork's connection caches what it reads, so its snapshot connection hardly needs to.
const SNAPSHOT_CACHE_PAGES: u32 = 16;

/// Bytes of a journal that are kept in memory.
const JOURNAL_MEMORY: usize = 1 << 20;

/// Why a view cannot go on; the transaction in it is lost.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The transaction changed more than the overlay may hold.
    #[error("the transaction's private pages exceed {limit} bytes")]
    OverlayFull { limit: u64 },
    /// There is too little space for what does not fit into memory.
    #[error("there is no space on the disk for the transaction's private pages")]
    DiskFull,
    #[error("cannot keep the transaction's private pages: {0}")]
    Spill(String),
    /// The real file could not be read.
    #[error("cannot read the snapshot: {message} (SQLite result {code})")]
    Snapshot { code: i32, message: String },
}

/// A prepared statement that lives as long as its connection, without rusqlite's borrow of it.
/// It must be dropped before the connection: owners declare it first.
pub(super) struct Raw(NonNull<ffi::sqlite3_stmt>);

impl Raw {
    pub(super) fn prepare(connection: &Connection, sql: &CStr) -> rusqlite::Result<Raw> {
        let mut statement = ptr::null_mut();
        // SAFETY: the handle is open, `sql` ends with NUL, `statement` is a valid place for the result.
        let code = unsafe {
            ffi::sqlite3_prepare_v3(
                connection.handle(),
                sql.as_ptr(),
                -1,
                ffi::SQLITE_PREPARE_PERSISTENT as _,
                &mut statement,
                ptr::null_mut(),
            )
        };
        match NonNull::new(statement) {
            Some(statement) if code == ffi::SQLITE_OK => Ok(Raw(statement)),
            _ => Err(failure_of(connection, code)),
        }
    }

    /// Steps once to the end and resets.
    pub(super) fn run(&self, connection: &Connection) -> rusqlite::Result<()> {
        // SAFETY: the statement is alive and idle, and no other thread uses its connection.
        let code = unsafe {
            ffi::sqlite3_step(self.0.as_ptr());
            ffi::sqlite3_reset(self.0.as_ptr())
        };
        if code == ffi::SQLITE_OK { Ok(()) } else { Err(failure_of(connection, code)) }
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        // SAFETY: prepared by us and not finalized before.
        unsafe { ffi::sqlite3_finalize(self.0.as_ptr()) };
    }
}

fn failure_of(connection: &Connection, code: c_int) -> rusqlite::Error {
    // SAFETY: the handle is open; the text is copied before anything else is called on it.
    let text = unsafe { CStr::from_ptr(ffi::sqlite3_errmsg(connection.handle())) };
    rusqlite::Error::SqliteFailure(ffi::Error::new(code), Some(text.to_string_lossy().into_owned()))
}

/// The connection to the real file that pins a version of it and reads pages.
struct Snapshot {
    begin: Raw,
    rollback: Raw,
    page: Raw,
    pinned: bool,
    // Last: it must outlive its statements.
    connection: Connection,
}

impl Snapshot {
    fn open(path: &Path, busy: Duration) -> rusqlite::Result<Snapshot> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags_and_vfs(path, flags, pages::vfs()?)?;
        connection.busy_timeout(busy)?;
        connection.execute_batch(&format!("PRAGMA mmap_size=0; PRAGMA cache_size={SNAPSHOT_CACHE_PAGES}"))?;
        Ok(Snapshot {
            begin: Raw::prepare(&connection, c"BEGIN")?,
            rollback: Raw::prepare(&connection, c"ROLLBACK")?,
            page: Raw::prepare(&connection, c"SELECT data FROM sqlite_dbpage WHERE pgno = ?1")?,
            pinned: false,
            connection,
        })
    }

    /// Calls `use_page` with the bytes of page `number`; fails when there is no such page.
    fn with_page<T>(&self, number: u32, use_page: impl FnOnce(&[u8]) -> T) -> rusqlite::Result<T> {
        let statement = self.page.0.as_ptr();
        // SAFETY: the statement is alive and idle; the blob is used only until the reset.
        unsafe {
            ffi::sqlite3_bind_int64(statement, 1, i64::from(number));
            let row = ffi::sqlite3_step(statement) == ffi::SQLITE_ROW;
            let used = row.then(|| {
                let data = ffi::sqlite3_column_blob(statement, 0).cast::<u8>();
                let length = ffi::sqlite3_column_bytes(statement, 0) as usize;
                (!data.is_null()).then(|| use_page(std::slice::from_raw_parts(data, length)))
            });
            let code = ffi::sqlite3_reset(statement);
            match used.flatten() {
                Some(value) => Ok(value),
                None if code == ffi::SQLITE_OK => Err(rusqlite::Error::SqliteFailure(
                    ffi::Error::new(ffi::SQLITE_CORRUPT),
                    Some(format!("page {number} is missing")),
                )),
                None => Err(failure_of(&self.connection, code)),
            }
        }
    }

    /// Changes whenever the pinned version is another one than before.
    fn data_version(&self) -> Option<u32> {
        let mut version: u32 = 0;
        // SAFETY: this file control writes one unsigned 32-bit number.
        let code = unsafe {
            ffi::sqlite3_file_control(
                self.connection.handle(),
                c"main".as_ptr(),
                ffi::SQLITE_FCNTL_DATA_VERSION,
                (&raw mut version).cast(),
            )
        };
        (code == ffi::SQLITE_OK).then_some(version)
    }

    fn page_count(&self) -> rusqlite::Result<u32> {
        self.connection.query_row("PRAGMA page_count", [], |row| row.get(0))
    }
}

/// A version of the database and the pages changed on top of it.
pub(super) struct View {
    snapshot: Snapshot,
    page_size: usize,
    /// Pages 1..=base that are not in the overlay come from the snapshot.
    base: u32,
    /// Size of the private file in pages.
    count: u32,
    /// Page 1 of the snapshot, patched.
    page1: Vec<u8>,
    /// Which place of `spill` a private page has, counted in pages.
    overlay: HashMap<u32, u32>,
    spill: Spill,
    /// Places whose pages were cut off.
    free: Vec<u32>,
    directory: Arc<Path>,
    limit: u64,
    generation: u32,
    data_version: Option<u32>,
    /// Pages of the overlay may be in the fork's page cache: the next generation must differ.
    spoilt: bool,
    failure: Option<Failure>,
}

// SAFETY: rusqlite connections may move between threads when opened without shared state; the raw statements belong
// to that connection and move with it.
unsafe impl Send for View {}

impl View {
    /// A view that is not pinned yet.
    pub(super) fn open(path: &Path, limit: u64, memory: usize, busy: Duration) -> rusqlite::Result<View> {
        let directory: Arc<Path> = path.parent().unwrap_or(Path::new(".")).into();
        *LATEST.lock() = Some(directory.clone());
        Ok(View {
            snapshot: Snapshot::open(path, busy)?,
            page_size: 0,
            base: 0,
            count: 0,
            page1: Vec::new(),
            overlay: HashMap::new(),
            spill: Spill::new(directory.clone(), memory),
            free: Vec::new(),
            directory,
            limit,
            generation: 0,
            data_version: None,
            spoilt: true,
            failure: None,
        })
    }

    /// Takes the latest committed version. The view must be unpinned.
    pub(super) fn pin(&mut self) -> rusqlite::Result<()> {
        debug_assert!(!self.snapshot.pinned && self.overlay.is_empty());
        self.snapshot.begin.run(&self.snapshot.connection)?;
        self.snapshot.pinned = true;
        let loaded = self.load();
        if loaded.is_err() {
            self.unpin().ok();
        }
        loaded
    }

    /// Reads page 1, which also takes SQLite's read mark, and decides whether cached pages stay valid.
    fn load(&mut self) -> rusqlite::Result<()> {
        self.failure = None;
        let known = if self.spoilt { None } else { self.data_version };
        self.spoilt = true;
        let (snapshot, page1) = (&self.snapshot, &mut self.page1);
        let version = snapshot.with_page(1, |page| {
            let version = snapshot.data_version();
            if version.is_none() || version != known {
                page1.clear();
                page1.extend_from_slice(page);
            }
            version
        })?;
        if version.is_none() || version != known {
            self.data_version = version;
            self.patch()?;
        }
        self.base = self.kept_count();
        self.count = self.base;
        self.spoilt = false;
        Ok(())
    }

    /// Turns the kept page 1 into the private file's, under a new generation.
    fn patch(&mut self) -> rusqlite::Result<()> {
        let misuse = |text: &str| {
            let text = Some(text.to_owned());
            rusqlite::Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_NOTADB), text)
        };
        let size = self.page1.len();
        if size < 512 || self.page1[18] != WAL_VERSION || self.page1[19] != WAL_VERSION {
            return Err(misuse("a fork needs a database in WAL mode"));
        }
        if self.page_size != 0 && self.page_size != size {
            return Err(misuse("the page size changed"));
        }
        // SQLite's own rule: the header's page count holds if its two counters agree.
        let trusted = self.page1[24..28] == self.page1[92..96] && self.kept_count() != 0;
        let count = if trusted { self.kept_count() } else { self.snapshot.page_count()? };
        self.generation = self.generation.wrapping_add(1);
        self.page1[18] = 1;
        self.page1[19] = 1;
        self.page1[24..28].copy_from_slice(&self.generation.to_be_bytes());
        self.page1[28..32].copy_from_slice(&count.to_be_bytes());
        self.page1[92..96].copy_from_slice(&self.generation.to_be_bytes());
        self.page_size = size;
        Ok(())
    }

    /// The page count in the kept header.
    fn kept_count(&self) -> u32 {
        u32::from_be_bytes([self.page1[28], self.page1[29], self.page1[30], self.page1[31]])
    }

    /// Forgets the private pages and lets the version go. The fork's transaction must have ended.
    pub(super) fn unpin(&mut self) -> rusqlite::Result<()> {
        self.clear();
        if !self.snapshot.pinned {
            return Ok(());
        }
        self.snapshot.pinned = false;
        self.snapshot.rollback.run(&self.snapshot.connection)
    }

    /// Forgets the private pages.
    fn clear(&mut self) {
        self.overlay.clear();
        self.overlay.shrink_to(64);
        self.free = Vec::new();
        self.spill.clear();
    }

    pub(super) fn failure(&self) -> Option<&Failure> {
        self.failure.as_ref()
    }

    pub(super) fn overlay_bytes(&self) -> u64 {
        self.overlay.len() as u64 * self.page_size as u64
    }

    fn read(&mut self, offset: u64, out: &mut [u8]) -> c_int {
        if !self.snapshot.pinned || self.page_size == 0 {
            return ffi::SQLITE_IOERR_READ;
        }
        let number = (offset / self.page_size as u64) as u32 + 1;
        let start = (offset % self.page_size as u64) as usize;
        let end = start + out.len();
        if end > self.page_size {
            return ffi::SQLITE_IOERR_READ;
        }
        if number > self.count {
            out.fill(0);
            return ffi::SQLITE_IOERR_SHORT_READ;
        }
        if let Some(place) = self.overlay.get(&number) {
            if let Err(error) = self.spill.read(self.offset(*place) + start as u64, out) {
                self.failure = Some(Failure::Spill(error.to_string()));
                return ffi::SQLITE_IOERR_READ;
            }
        } else if number == 1 {
            out.copy_from_slice(&self.page1[start..end]);
        } else if number > self.base {
            // Within the file but never written: a hole that a later page left.
            out.fill(0);
        } else if let Err(error) = self.snapshot.with_page(number, |page| out.copy_from_slice(&page[start..end])) {
            let code = error.sqlite_error().map_or(ffi::SQLITE_ERROR, |e| e.extended_code);
            self.failure = Some(Failure::Snapshot { code, message: error.to_string() });
            return ffi::SQLITE_IOERR_READ;
        }
        ffi::SQLITE_OK
    }

    fn write(&mut self, offset: u64, data: &[u8]) -> c_int {
        if !self.snapshot.pinned || data.len() != self.page_size || !offset.is_multiple_of(self.page_size as u64) {
            return ffi::SQLITE_IOERR_WRITE;
        }
        let number = (offset / self.page_size as u64) as u32 + 1;
        self.spoilt = true;
        let known = self.overlay.get(&number).copied();
        if known.is_none() && self.overlay_bytes() + data.len() as u64 > self.limit {
            self.failure = Some(Failure::OverlayFull { limit: self.limit });
            return ffi::SQLITE_FULL;
        }
        let place = known.or_else(|| self.free.pop()).unwrap_or(self.overlay.len() as u32);
        if let Err(error) = self.spill.write(self.offset(place), data) {
            return self.fail(&error);
        }
        self.overlay.insert(number, place);
        self.count = self.count.max(number);
        ffi::SQLITE_OK
    }

    fn offset(&self, place: u32) -> u64 {
        u64::from(place) * self.page_size as u64
    }

    /// A write beside the database has failed.
    fn fail(&mut self, error: &std::io::Error) -> c_int {
        let full = error.kind() == std::io::ErrorKind::StorageFull;
        self.failure = Some(if full { Failure::DiskFull } else { Failure::Spill(error.to_string()) });
        if full { ffi::SQLITE_FULL } else { ffi::SQLITE_IOERR_WRITE }
    }

    fn truncate(&mut self, size: u64) -> c_int {
        if !self.snapshot.pinned || self.page_size == 0 {
            return ffi::SQLITE_IOERR_TRUNCATE;
        }
        let pages = size.div_ceil(self.page_size as u64) as u32;
        self.spoilt = true;
        let free = &mut self.free;
        self.overlay.retain(|number, place| {
            let stays = *number <= pages;
            if !stays {
                free.push(*place);
            }
            stays
        });
        // What was cut off stays cut off when the file grows again.
        self.base = self.base.min(pages);
        self.count = pages;
        ffi::SQLITE_OK
    }

    fn size(&self) -> u64 {
        u64::from(self.count) * self.page_size as u64
    }
}

/// A view on the heap that both its pair and the opened file point to.
pub(super) struct Shared(NonNull<View>);

// SAFETY: a `View` may move between threads, and this is its only owner; the file inside the fork's connection
// reaches it only while that connection is being used, by the thread that has both.
unsafe impl Send for Shared {}

impl Shared {
    pub(super) fn new(view: View) -> Shared {
        Shared(NonNull::from(Box::leak(Box::new(view))))
    }

    pub(super) fn get(&self) -> &View {
        // SAFETY: alive until drop; no VFS method runs while a caller of this crate holds the reference.
        unsafe { self.0.as_ref() }
    }

    pub(super) fn get_mut(&mut self) -> &mut View {
        // SAFETY: as in `get`, and `&mut self` excludes other callers.
        unsafe { self.0.as_mut() }
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        // SAFETY: made by `new` from a Box; the connection that points here was closed before (see `Pair`).
        drop(unsafe { Box::from_raw(self.0.as_ptr()) });
    }
}

/// The directory of the view opened last: a temporary file does not say whose it is, and the databases of a node
/// lie beside each other.
static LATEST: Mutex<Option<Arc<Path>>> = Mutex::new(None);

thread_local! {
    /// The view that the file being opened on this thread belongs to.
    static OPENING: Cell<Option<NonNull<View>>> = const { Cell::new(None) };
}

/// Opens the fork's connection. `view` must be pinned, and must be dropped after the connection.
pub(super) fn open(view: &Shared) -> rusqlite::Result<Connection> {
    register()?;
    OPENING.set(Some(view.0));
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let opened = Connection::open_with_flags_and_vfs("fork", flags, VFS_NAME);
    OPENING.set(None);
    opened
}

fn register() -> rusqlite::Result<()> {
    static RESULT: OnceLock<c_int> = OnceLock::new();
    // SAFETY: the default VFS lives for ever, and so does ours; registering happens once.
    let code = *RESULT.get_or_init(|| unsafe {
        let parent = ffi::sqlite3_vfs_find(ptr::null());
        if parent.is_null() {
            return ffi::SQLITE_NOTFOUND;
        }
        let vfs = Box::leak(Box::new(ffi::sqlite3_vfs {
            iVersion: 2,
            // Both kinds of files are as large.
            szOsFile: size_of::<File>().max(size_of::<JournalFile>()) as c_int,
            mxPathname: 512,
            pNext: ptr::null_mut(),
            zName: VFS_NAME.as_ptr(),
            pAppData: parent.cast(),
            xOpen: Some(x_open),
            xDelete: Some(x_delete),
            xAccess: Some(x_access),
            xFullPathname: Some(x_full_pathname),
            xDlOpen: Some(x_dl_open),
            xDlError: Some(x_dl_error),
            xDlSym: None,
            xDlClose: None,
            xRandomness: Some(x_randomness),
            xSleep: Some(x_sleep),
            xCurrentTime: Some(x_current_time),
            xGetLastError: Some(x_get_last_error),
            xCurrentTimeInt64: Some(x_current_time_int64),
            xSetSystemCall: None,
            xGetSystemCall: None,
            xNextSystemCall: None,
        }));
        ffi::sqlite3_vfs_register(vfs, 0)
    });
    if code == ffi::SQLITE_OK {
        Ok(())
    } else {
        Err(rusqlite::Error::SqliteFailure(ffi::Error::new(code), Some("cannot register the fork VFS".to_owned())))
    }
}

/// What SQLite allocates for an open file: its own head, then our pointer. A file is either the database or a journal.
#[repr(C)]
struct File {
    head: ffi::sqlite3_file,
    view: NonNull<View>,
}

#[repr(C)]
struct JournalFile {
    head: ffi::sqlite3_file,
    journal: *mut Journal,
}

/// A journal of a transaction or of the statements in it, or a temporary file of a statement.
struct Journal {
    spill: Spill,
    /// The database that it belongs to, if it is known: it says what went wrong.
    view: Option<NonNull<View>>,
}

static JOURNAL_METHODS: ffi::sqlite3_io_methods = ffi::sqlite3_io_methods {
    xClose: Some(x_journal_close),
    xRead: Some(x_journal_read),
    xWrite: Some(x_journal_write),
    xTruncate: Some(x_journal_truncate),
    xFileSize: Some(x_journal_file_size),
    xFileControl: Some(x_journal_file_control),
    ..METHODS
};

const METHODS: ffi::sqlite3_io_methods = ffi::sqlite3_io_methods {
    iVersion: 1,
    xClose: Some(x_close),
    xRead: Some(x_read),
    xWrite: Some(x_write),
    xTruncate: Some(x_truncate),
    xSync: Some(x_sync),
    xFileSize: Some(x_file_size),
    xLock: Some(x_lock),
    xUnlock: Some(x_lock),
    xCheckReservedLock: Some(x_check_reserved_lock),
    xFileControl: Some(x_file_control),
    xSectorSize: Some(x_sector_size),
    xDeviceCharacteristics: Some(x_device_characteristics),
    xShmMap: None,
    xShmLock: None,
    xShmBarrier: None,
    xShmUnmap: None,
    xFetch: None,
    xUnfetch: None,
};

static DATABASE_METHODS: ffi::sqlite3_io_methods = METHODS;

/// The view of an open file.
///
/// # Safety
/// `file` was opened by `x_open`, and no other reference to the view is alive: SQLite calls file methods only from
/// within calls on the fork's connection, during which the pair's owner holds no reference.
unsafe fn view<'a>(file: *mut ffi::sqlite3_file) -> &'a mut View {
    // SAFETY: see above.
    unsafe { (*file.cast::<File>()).view.as_mut() }
}

unsafe extern "C" fn x_open(
    _: *mut ffi::sqlite3_vfs,
    name: ffi::sqlite3_filename,
    file: *mut ffi::sqlite3_file,
    flags: c_int,
    out_flags: *mut c_int,
) -> c_int {
    // SAFETY: SQLite gives room for `szOsFile` bytes, and may give no place for flags.
    unsafe {
        (*file).pMethods = ptr::null();
        if !out_flags.is_null() {
            *out_flags = flags;
        }
        let view = match flags & (ffi::SQLITE_OPEN_MAIN_DB | ffi::SQLITE_OPEN_MAIN_JOURNAL) {
            ffi::SQLITE_OPEN_MAIN_DB => None,
            ffi::SQLITE_OPEN_MAIN_JOURNAL => {
                let database = ffi::sqlite3_database_file_object(name);
                Some(Some((*database.cast::<File>()).view))
            }
            // A statement's journal, an intermediate result, a sorter's run.
            _ => Some(None),
        };
        if let Some(view) = view {
            let directory = match view {
                Some(view) => Some(view.as_ref().directory.clone()),
                None => LATEST.lock().clone(),
            };
            let Some(directory) = directory else { return ffi::SQLITE_CANTOPEN };
            let journal = Journal { spill: Spill::new(directory, JOURNAL_MEMORY), view };
            (*file.cast::<JournalFile>()).journal = Box::into_raw(Box::new(journal));
            (*file).pMethods = &JOURNAL_METHODS;
            return ffi::SQLITE_OK;
        }
        let Some(view) = OPENING.take() else { return ffi::SQLITE_CANTOPEN };
        (*file.cast::<File>()).view = view;
        (*file).pMethods = &DATABASE_METHODS;
    }
    ffi::SQLITE_OK
}

/// The journal of an open file.
///
/// # Safety
/// `file` was opened by `x_open` as a journal; SQLite calls the methods of one file one after another.
unsafe fn journal<'a>(file: *mut ffi::sqlite3_file) -> &'a mut Journal {
    // SAFETY: see above.
    unsafe { &mut *(*file.cast::<JournalFile>()).journal }
}

unsafe extern "C" fn x_journal_close(file: *mut ffi::sqlite3_file) -> c_int {
    // SAFETY: made by `x_open`; SQLite closes a file once.
    drop(unsafe { Box::from_raw((*file.cast::<JournalFile>()).journal) });
    ffi::SQLITE_OK
}

unsafe extern "C" fn x_journal_read(
    file: *mut ffi::sqlite3_file,
    out: *mut c_void,
    amount: c_int,
    offset: i64,
) -> c_int {
    // SAFETY: an open journal, and `out` has `amount` bytes.
    let (journal, out) = unsafe { (journal(file), std::slice::from_raw_parts_mut(out.cast(), amount as usize)) };
    match journal.spill.read(offset as u64, out) {
        Ok(there) if there == out.len() => ffi::SQLITE_OK,
        Ok(_) => ffi::SQLITE_IOERR_SHORT_READ,
        Err(_) => ffi::SQLITE_IOERR_READ,
    }
}

unsafe extern "C" fn x_journal_write(
    file: *mut ffi::sqlite3_file,
    data: *const c_void,
    amount: c_int,
    offset: i64,
) -> c_int {
    // SAFETY: an open journal, and `data` has `amount` bytes.
    let (journal, data) = unsafe { (journal(file), std::slice::from_raw_parts(data.cast(), amount as usize)) };
    match journal.spill.write(offset as u64, data) {
        Ok(()) => ffi::SQLITE_OK,
        Err(error) => match &mut journal.view {
            // SAFETY: the database stays open for as long as its journal, and none of its methods runs now.
            Some(view) => unsafe { view.as_mut().fail(&error) },
            None if error.kind() == std::io::ErrorKind::StorageFull => ffi::SQLITE_FULL,
            None => ffi::SQLITE_IOERR_WRITE,
        },
    }
}

unsafe extern "C" fn x_journal_truncate(file: *mut ffi::sqlite3_file, size: i64) -> c_int {
    // SAFETY: an open journal.
    match unsafe { journal(file) }.spill.truncate(size as u64) {
        Ok(()) => ffi::SQLITE_OK,
        Err(_) => ffi::SQLITE_IOERR_TRUNCATE,
    }
}

unsafe extern "C" fn x_journal_file_size(file: *mut ffi::sqlite3_file, size: *mut i64) -> c_int {
    // SAFETY: an open journal, and a place for the result.
    unsafe { *size = journal(file).spill.length() as i64 };
    ffi::SQLITE_OK
}

unsafe extern "C" fn x_journal_file_control(_: *mut ffi::sqlite3_file, _: c_int, _: *mut c_void) -> c_int {
    ffi::SQLITE_NOTFOUND
}

unsafe extern "C" fn x_close(_: *mut ffi::sqlite3_file) -> c_int {
    ffi::SQLITE_OK
}

unsafe extern "C" fn x_read(file: *mut ffi::sqlite3_file, out: *mut c_void, amount: c_int, offset: i64) -> c_int {
    // SAFETY: `out` has `amount` bytes.
    unsafe { view(file).read(offset as u64, std::slice::from_raw_parts_mut(out.cast(), amount as usize)) }
}

unsafe extern "C" fn x_write(file: *mut ffi::sqlite3_file, data: *const c_void, amount: c_int, offset: i64) -> c_int {
    // SAFETY: `data` has `amount` bytes.
    unsafe { view(file).write(offset as u64, std::slice::from_raw_parts(data.cast(), amount as usize)) }
}

unsafe extern "C" fn x_truncate(file: *mut ffi::sqlite3_file, size: i64) -> c_int {
    // SAFETY: an open file of ours.
    unsafe { view(file).truncate(size as u64) }
}

unsafe extern "C" fn x_sync(_: *mut ffi::sqlite3_file, _: c_int) -> c_int {
    ffi::SQLITE_OK
}

unsafe extern "C" fn x_file_size(file: *mut ffi::sqlite3_file, size: *mut i64) -> c_int {
    // SAFETY: an open file of ours, and a place for the result.
    unsafe { *size = view(file).size() as i64 };
    ffi::SQLITE_OK
}

unsafe extern "C" fn x_lock(_: *mut ffi::sqlite3_file, _: c_int) -> c_int {
    ffi::SQLITE_OK
}

unsafe extern "C" fn x_check_reserved_lock(_: *mut ffi::sqlite3_file, held: *mut c_int) -> c_int {
    // SAFETY: a place for the result.
    unsafe { *held = 0 };
    ffi::SQLITE_OK
}

unsafe extern "C" fn x_file_control(_: *mut ffi::sqlite3_file, operation: c_int, _: *mut c_void) -> c_int {
    match operation {
        // The pager announces a commit with changes: a fork never commits, whoever asked for it.
        ffi::SQLITE_FCNTL_SYNC => ffi::SQLITE_READONLY,
        _ => ffi::SQLITE_NOTFOUND,
    }
}

unsafe extern "C" fn x_sector_size(_: *mut ffi::sqlite3_file) -> c_int {
    // No larger than any page, so that SQLite journals page by page.
    512
}

unsafe extern "C" fn x_device_characteristics(_: *mut ffi::sqlite3_file) -> c_int {
    ffi::SQLITE_IOCAP_POWERSAFE_OVERWRITE | ffi::SQLITE_IOCAP_UNDELETABLE_WHEN_OPEN
}

unsafe extern "C" fn x_delete(_: *mut ffi::sqlite3_vfs, _: *const c_char, _: c_int) -> c_int {
    ffi::SQLITE_OK
}

/// No journal, no WAL, nothing but the view exists.
unsafe extern "C" fn x_access(_: *mut ffi::sqlite3_vfs, _: *const c_char, _: c_int, found: *mut c_int) -> c_int {
    // SAFETY: a place for the result.
    unsafe { *found = 0 };
    ffi::SQLITE_OK
}

unsafe extern "C" fn x_full_pathname(
    _: *mut ffi::sqlite3_vfs,
    name: *const c_char,
    room: c_int,
    out: *mut c_char,
) -> c_int {
    // SAFETY: a NUL-terminated name and `room` bytes for the result.
    unsafe {
        let name = CStr::from_ptr(name).to_bytes_with_nul();
        if name.len() > room as usize {
            return ffi::SQLITE_CANTOPEN;
        }
        ptr::copy_nonoverlapping(name.as_ptr().cast(), out, name.len());
    }
    ffi::SQLITE_OK
}

/// Forks load no extensions.
unsafe extern "C" fn x_dl_open(_: *mut ffi::sqlite3_vfs, _: *const c_char) -> *mut c_void {
    ptr::null_mut()
}

unsafe extern "C" fn x_dl_error(_: *mut ffi::sqlite3_vfs, room: c_int, out: *mut c_char) {
    if room > 0 {
        // SAFETY: `room` bytes for the text.
        unsafe { *out = 0 };
    }
}

/// The operating system's VFS, for what has nothing to do with files.
unsafe fn parent(vfs: *mut ffi::sqlite3_vfs) -> *mut ffi::sqlite3_vfs {
    // SAFETY: `register` put it there.
    unsafe { (*vfs).pAppData.cast() }
}

unsafe extern "C" fn x_randomness(vfs: *mut ffi::sqlite3_vfs, amount: c_int, out: *mut c_char) -> c_int {
    // SAFETY: forwards the caller's own promises.
    unsafe {
        let parent = parent(vfs);
        (*parent).xRandomness.map_or(0, |f| f(parent, amount, out))
    }
}

unsafe extern "C" fn x_sleep(vfs: *mut ffi::sqlite3_vfs, micros: c_int) -> c_int {
    // SAFETY: forwards the caller's own promises.
    unsafe {
        let parent = parent(vfs);
        (*parent).xSleep.map_or(0, |f| f(parent, micros))
    }
}

unsafe extern "C" fn x_current_time(vfs: *mut ffi::sqlite3_vfs, out: *mut f64) -> c_int {
    // SAFETY: forwards the caller's own promises.
    unsafe {
        let parent = parent(vfs);
        (*parent).xCurrentTime.map_or(ffi::SQLITE_ERROR, |f| f(parent, out))
    }
}

unsafe extern "C" fn x_current_time_int64(vfs: *mut ffi::sqlite3_vfs, out: *mut i64) -> c_int {
    // SAFETY: forwards the caller's own promises.
    unsafe {
        let parent = parent(vfs);
        (*parent).xCurrentTimeInt64.map_or(ffi::SQLITE_ERROR, |f| f(parent, out))
    }
}

unsafe extern "C" fn x_get_last_error(_: *mut ffi::sqlite3_vfs, _: c_int, _: *mut c_char) -> c_int {
    0
}
