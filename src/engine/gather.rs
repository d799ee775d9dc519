//! A writer's VFS: the operating system's, except that what a transaction appends to the WAL goes out in one write.
//!
//! SQLite writes each frame of the WAL with two calls, one for its header and one for its page, at consecutive offsets.
//! Here they are gathered until the frame that commits, which SQLite writes last, and whose header says so (bytes 4..8
//! hold the size of the database after the commit, and 0 in other frames; file format, §4.2). Only after that SQLite
//! puts the frames into the WAL's index, where other connections find them. So nobody sees that frames come late: before
//! the commit only the writer itself reads them back, and that, like anything else that is done with the file, writes
//! out first what was gathered. If the process dies, uncommitted frames are lost, as they would be anyway. An error, of a
//! full disk for example, is returned by the write that was to send them, at the latest by that of the commit.
//!
//! Only the one writer of a file may use it. Everything but the WAL is left to [`super::pages`].

use super::pages;
use rusqlite::ffi;
use std::ffi::{CStr, c_int, c_void};
use std::ptr;
use std::sync::OnceLock;

const VFS_NAME: &CStr = c"quorate-gather";
/// Bytes before each page of the WAL.
const FRAME_HEADER: usize = 24;
/// Where the header has the size of the database, in pages, if the frame commits.
const COMMIT_SIZE: std::ops::Range<usize> = 4..8;
/// A transaction that is larger is written in pieces.
const ROOM: usize = 1 << 20;
/// SQLite's file for Unix takes the length of a write modulo 128 KiB.
const PIECE: usize = 64 << 10;

type Write = unsafe extern "C" fn(*mut ffi::sqlite3_file, *const c_void, c_int, i64) -> c_int;

/// The name of the VFS, which is registered at the first call.
pub fn vfs() -> rusqlite::Result<&'static CStr> {
    static RESULT: OnceLock<c_int> = OnceLock::new();
    // SAFETY: the operating system's VFS lives for ever, and so does ours; registering happens once.
    let code = *RESULT.get_or_init(|| unsafe {
        let Ok(below) = pages::vfs() else { return ffi::SQLITE_NOTFOUND };
        let system = ffi::sqlite3_vfs_find(below.as_ptr());
        if system.is_null() {
            return ffi::SQLITE_NOTFOUND;
        }
        // Its other methods do not mind that they are called with a copy.
        let vfs = Box::leak(Box::new(ptr::read(system)));
        vfs.zName = VFS_NAME.as_ptr();
        vfs.pNext = ptr::null_mut();
        vfs.szOsFile += size_of::<WalFile>() as c_int;
        vfs.xOpen = Some(x_open);
        ffi::sqlite3_vfs_register(vfs, 0)
    });
    match code {
        ffi::SQLITE_OK => Ok(VFS_NAME),
        _ => Err(rusqlite::Error::SqliteFailure(ffi::Error::new(code), Some("cannot register a VFS".to_owned()))),
    }
}

/// What SQLite allocates for an open WAL: its own head, ours, and behind it the operating system's file.
#[repr(C)]
struct WalFile {
    head: ffi::sqlite3_file,
    gathered: *mut Gathered,
}

/// Bytes that go to the file at `offset`, and what is known of the WAL.
#[derive(Default)]
struct Gathered {
    offset: i64,
    bytes: Vec<u8>,
    /// Where the last frame that was appended ends. What is written before it changes a frame that is there already, or
    /// replaces those of a transaction that was taken back.
    end: i64,
    /// The last header is that of a frame that commits.
    commits: bool,
}

/// What becomes of a write.
enum Way {
    /// It waits.
    Gathered,
    /// It goes out with what was gathered.
    Flushed,
    /// It does not belong to what was gathered, and comes after it.
    Apart,
}

impl Gathered {
    fn take(&mut self, data: &[u8], offset: i64) -> Way {
        let next = self.offset + self.bytes.len() as i64;
        let follows = !self.bytes.is_empty() && offset == next;
        let is_header = data.len() == FRAME_HEADER;
        if is_header && (follows || self.bytes.is_empty() && offset >= self.end) {
            self.commits = data[COMMIT_SIZE] != [0; 4];
        } else if is_header || !follows {
            if offset == 0 {
                // The WAL's own header: it starts over.
                self.end = 0;
            }
            return Way::Apart;
        }
        if self.bytes.is_empty() {
            self.offset = offset;
        }
        self.bytes.extend_from_slice(data);
        if is_header {
            return Way::Gathered;
        }
        self.end = next + data.len() as i64;
        if self.commits || self.bytes.len() >= ROOM { Way::Flushed } else { Way::Gathered }
    }
}

static METHODS: ffi::sqlite3_io_methods = ffi::sqlite3_io_methods {
    iVersion: 1,
    xClose: Some(x_close),
    xRead: Some(x_read),
    xWrite: Some(x_write),
    xTruncate: Some(x_truncate),
    xSync: Some(x_sync),
    xFileSize: Some(x_file_size),
    xLock: Some(x_lock),
    xUnlock: Some(x_unlock),
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

/// The operating system's file behind ours, and its methods.
///
/// # Safety
/// `file` was opened by `x_open` as a WAL.
unsafe fn inner(file: *mut ffi::sqlite3_file) -> (*mut ffi::sqlite3_file, &'static ffi::sqlite3_io_methods) {
    // SAFETY: SQLite allocated `szOsFile` bytes; methods are static.
    unsafe {
        let inner = file.cast::<WalFile>().add(1).cast::<ffi::sqlite3_file>();
        (inner, &*(*inner).pMethods)
    }
}

/// Writes out what was gathered. It is forgotten also if that fails: SQLite then takes the transaction back.
///
/// # Safety
/// As for [`inner`].
unsafe fn flush(file: *mut ffi::sqlite3_file) -> c_int {
    // SAFETY: made by `x_open`; SQLite calls the methods of one file one after another.
    unsafe {
        let gathered = &mut *(*file.cast::<WalFile>()).gathered;
        if gathered.bytes.is_empty() {
            return ffi::SQLITE_OK;
        }
        let (inner, methods) = inner(file);
        let mut code = ffi::SQLITE_OK;
        for (offset, piece) in (gathered.offset..).step_by(PIECE).zip(gathered.bytes.chunks(PIECE)) {
            let write = |f: Write| f(inner, piece.as_ptr().cast(), piece.len() as c_int, offset);
            code = methods.xWrite.map_or(ffi::SQLITE_IOERR_WRITE, write);
            if code != ffi::SQLITE_OK {
                break;
            }
        }
        gathered.bytes.clear();
        code
    }
}

/// Calls a method of the operating system's file after what was gathered is written out.
macro_rules! flushed {
    ($file:ident, $method:ident, $otherwise:expr $(, $argument:expr)*) => {{
        // SAFETY: an open WAL; forwards the caller's own promises.
        unsafe {
            match flush($file) {
                ffi::SQLITE_OK => {}
                code => return code,
            }
            let (inner, methods) = inner($file);
            methods.$method.map_or($otherwise, |f| f(inner $(, $argument)*))
        }
    }};
}

unsafe extern "C" fn x_open(
    _: *mut ffi::sqlite3_vfs,
    name: ffi::sqlite3_filename,
    file: *mut ffi::sqlite3_file,
    flags: c_int,
    out_flags: *mut c_int,
) -> c_int {
    // SAFETY: SQLite gives room for `szOsFile` bytes; forwards the caller's own promises.
    unsafe {
        if flags & ffi::SQLITE_OPEN_WAL == 0 {
            return pages::x_open(ptr::null_mut(), name, file, flags, out_flags);
        }
        let system = ffi::sqlite3_vfs_find(ptr::null());
        let Some(open) = system.as_ref().and_then(|system| system.xOpen) else { return ffi::SQLITE_CANTOPEN };
        (*file).pMethods = ptr::null();
        let inner = file.cast::<WalFile>().add(1).cast::<ffi::sqlite3_file>();
        let code = open(system, name, inner, flags, out_flags);
        if code == ffi::SQLITE_OK {
            (*file.cast::<WalFile>()).gathered = Box::into_raw(Box::default());
            (*file).pMethods = &METHODS;
        }
        code
    }
}

unsafe extern "C" fn x_close(file: *mut ffi::sqlite3_file) -> c_int {
    // SAFETY: an open WAL, which SQLite closes once.
    unsafe {
        let flushed = flush(file);
        drop(Box::from_raw((*file.cast::<WalFile>()).gathered));
        let (inner, methods) = inner(file);
        match methods.xClose.map_or(ffi::SQLITE_OK, |f| f(inner)) {
            ffi::SQLITE_OK => flushed,
            code => code,
        }
    }
}

unsafe extern "C" fn x_write(file: *mut ffi::sqlite3_file, data: *const c_void, amount: c_int, offset: i64) -> c_int {
    // SAFETY: an open WAL, and `data` has `amount` bytes.
    let way = unsafe {
        let gathered = &mut *(*file.cast::<WalFile>()).gathered;
        gathered.take(std::slice::from_raw_parts(data.cast(), amount as usize), offset)
    };
    match way {
        Way::Gathered => ffi::SQLITE_OK,
        // SAFETY: an open WAL.
        Way::Flushed => unsafe { flush(file) },
        Way::Apart => flushed!(file, xWrite, ffi::SQLITE_IOERR_WRITE, data, amount, offset),
    }
}

unsafe extern "C" fn x_read(file: *mut ffi::sqlite3_file, out: *mut c_void, amount: c_int, offset: i64) -> c_int {
    flushed!(file, xRead, ffi::SQLITE_IOERR_READ, out, amount, offset)
}

unsafe extern "C" fn x_truncate(file: *mut ffi::sqlite3_file, size: i64) -> c_int {
    flushed!(file, xTruncate, ffi::SQLITE_IOERR_TRUNCATE, size)
}

unsafe extern "C" fn x_sync(file: *mut ffi::sqlite3_file, flags: c_int) -> c_int {
    flushed!(file, xSync, ffi::SQLITE_IOERR_FSYNC, flags)
}

unsafe extern "C" fn x_file_size(file: *mut ffi::sqlite3_file, size: *mut i64) -> c_int {
    flushed!(file, xFileSize, ffi::SQLITE_IOERR_FSTAT, size)
}

unsafe extern "C" fn x_lock(file: *mut ffi::sqlite3_file, level: c_int) -> c_int {
    flushed!(file, xLock, ffi::SQLITE_OK, level)
}

unsafe extern "C" fn x_unlock(file: *mut ffi::sqlite3_file, level: c_int) -> c_int {
    flushed!(file, xUnlock, ffi::SQLITE_OK, level)
}

unsafe extern "C" fn x_check_reserved_lock(file: *mut ffi::sqlite3_file, held: *mut c_int) -> c_int {
    flushed!(file, xCheckReservedLock, ffi::SQLITE_OK, held)
}

unsafe extern "C" fn x_file_control(file: *mut ffi::sqlite3_file, operation: c_int, argument: *mut c_void) -> c_int {
    flushed!(file, xFileControl, ffi::SQLITE_NOTFOUND, operation, argument)
}

unsafe extern "C" fn x_sector_size(file: *mut ffi::sqlite3_file) -> c_int {
    // SAFETY: an open WAL.
    unsafe {
        let (inner, methods) = inner(file);
        methods.xSectorSize.map_or(4096, |f| f(inner))
    }
}

unsafe extern "C" fn x_device_characteristics(file: *mut ffi::sqlite3_file) -> c_int {
    // SAFETY: an open WAL.
    unsafe {
        let (inner, methods) = inner(file);
        methods.xDeviceCharacteristics.map_or(0, |f| f(inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::rngs::StdRng;
    use rand::{Rng, SeedableRng};
    use rusqlite::{Connection, OpenFlags};
    use std::path::Path;

    fn open(path: &Path) -> Connection {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags_and_vfs(path, flags, vfs().unwrap()).unwrap();
        pages::reserve(&connection).unwrap();
        connection
    }

    fn rows(connection: &Connection) -> Vec<(i64, Vec<u8>)> {
        let mut statement = connection.prepare("SELECT k, v FROM t ORDER BY k").unwrap();
        statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap().map(Result::unwrap).collect()
    }

    /// What a process that dies now leaves is what was committed: also after transactions that do not fit into the
    /// cache, that are taken back, and that rewrite frames of their own; and others see it at once.
    #[test]
    fn what_is_committed_is_in_the_file() {
        for seed in 0..8 {
            let mut random = StdRng::seed_from_u64(seed);
            let dir = tempfile::tempdir().unwrap();
            let (path, copy) = (dir.path().join("db"), dir.path().join("copy"));
            let writer = open(&path);
            writer
                .execute_batch(
                    "PRAGMA page_size = 4096; PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0;
                     PRAGMA synchronous = NORMAL; PRAGMA cache_size = 5;
                     CREATE TABLE t (k INTEGER PRIMARY KEY, v BLOB)",
                )
                .unwrap();
            let reader = Connection::open(&path).unwrap();
            let mut committed = rows(&writer);
            for _ in 0..60 {
                writer.execute_batch("BEGIN").unwrap();
                for _ in 0..random.random_range(1..30) {
                    let (key, size) = (random.random_range(0..200), random.random_range(0..9000));
                    match random.random_range(0..8) {
                        0 => writer.execute_batch("SAVEPOINT s").unwrap(),
                        1 => drop(writer.execute_batch("ROLLBACK TO s")),
                        2 => drop(writer.execute("DELETE FROM t WHERE k = ?1", [key]).unwrap()),
                        _ => drop(writer.execute("REPLACE INTO t VALUES (?1, zeroblob(?2))", [key, size]).unwrap()),
                    }
                }
                let commits = random.random_bool(0.7);
                writer.execute_batch(if commits { "COMMIT" } else { "ROLLBACK" }).unwrap();
                // Before the writer reads again, which would write out what it still has.
                for end in ["", "-wal"] {
                    std::fs::copy(format!("{}{end}", path.display()), format!("{}{end}", copy.display())).unwrap();
                }
                if commits {
                    committed = rows(&writer);
                }
                assert_eq!(rows(&reader), committed, "seed {seed}");
                let left = Connection::open(&copy).unwrap();
                assert_eq!(rows(&left), committed, "seed {seed}");
                let intact: String = left.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
                assert_eq!(intact, "ok", "seed {seed}");
                drop(left);
                for end in ["", "-wal", "-shm"] {
                    let _ = std::fs::remove_file(format!("{}{end}", copy.display()));
                }
                if random.random_bool(0.2) {
                    writer.execute_batch("PRAGMA wal_checkpoint").unwrap();
                }
            }
        }
    }
}
