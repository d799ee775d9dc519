//! The VFS of database files: the operating system's, with a checksum in each page.
//!
//! A disk may give back other bytes than it was given, and not know. SQLite leaves the last [`RESERVED`] bytes of each page
//! alone; here they get a checksum of the rest when a page goes to the file (at a checkpoint, or into a snapshot), and every page
//! that is read from the file is held against it. The page's number is part of the sum, so a page in another's place is noticed
//! as well. A page that fails is an error of SQLite's (`SQLITE_IOERR_DATA`), never rows; [`rotten`] says which files have
//! such pages.
//!
//! A page of zeros passes: a free page that was never written is a hole in the file. Frames of the WAL have checksums of their
//! own, which SQLite looks at when it opens one. Bytes of the header that are read by themselves (the change counter) are
//! not checked.
//!
//! A file without room for checksums is refused: it is not one of ours, or was made before they were.

use parking_lot::Mutex;
use rusqlite::{Connection, OpenFlags, ffi};
use std::collections::BTreeMap;
use std::ffi::{CStr, OsStr, c_int, c_void};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::ptr;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use xxhash_rust::xxh3::xxh3_64_with_seed;

const VFS_NAME: &CStr = c"quorate-pages";
/// Bytes at the end of each page.
pub const RESERVED: c_int = 8;
const PAGE: usize = super::connection::PAGE as usize;
const SUM: usize = PAGE - RESERVED as usize;
/// What is shorter is not a page.
const SMALLEST: c_int = 512;
/// Where the header of a database says how many bytes are reserved (file format, §1.3.4).
const RESERVED_AT: i64 = 20;

/// What is known to be damaged: by file, what was found first.
static ROTTEN: Mutex<BTreeMap<PathBuf, String>> = Mutex::new(BTreeMap::new());
/// Its length, to be looked at in passing.
static FOUND: AtomicU64 = AtomicU64::new(0);

/// The name of the VFS, which is registered at the first call.
pub fn vfs() -> rusqlite::Result<&'static CStr> {
    static RESULT: OnceLock<c_int> = OnceLock::new();
    // SAFETY: the operating system's VFS lives for ever, and so does ours; registering happens once.
    let code = *RESULT.get_or_init(|| unsafe {
        let system = ffi::sqlite3_vfs_find(ptr::null());
        if system.is_null() {
            return ffi::SQLITE_NOTFOUND;
        }
        // Its other methods do not mind that they are called with a copy.
        let vfs = Box::leak(Box::new(ptr::read(system)));
        vfs.zName = VFS_NAME.as_ptr();
        vfs.pNext = ptr::null_mut();
        vfs.szOsFile += size_of::<PageFile>() as c_int;
        vfs.xOpen = Some(x_open);
        ffi::sqlite3_vfs_register(vfs, 0)
    });
    match code {
        ffi::SQLITE_OK => Ok(VFS_NAME),
        _ => Err(rusqlite::Error::SqliteFailure(ffi::Error::new(code), Some("cannot register a VFS".to_owned()))),
    }
}

/// Leaves room for checksums in a database that is about to be made.
pub fn reserve(connection: &Connection) -> rusqlite::Result<()> {
    let mut bytes = RESERVED;
    // SAFETY: an open connection; this file control reads and writes one int.
    let code = unsafe {
        let database = c"main".as_ptr();
        ffi::sqlite3_file_control(
            connection.handle(),
            database,
            ffi::SQLITE_FCNTL_RESERVE_BYTES,
            (&raw mut bytes).cast(),
        )
    };
    match code {
        ffi::SQLITE_OK => Ok(()),
        code => Err(rusqlite::Error::SqliteFailure(ffi::Error::new(code), Some("cannot reserve bytes".to_owned()))),
    }
}

/// Reads pages `first` to `first + count - 1`, those of the WAL from there. Returns the number of pages.
pub fn look_through(file: &Path, first: u32, count: u32) -> rusqlite::Result<u32> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags_and_vfs(file, flags, vfs()?)?;
    connection.execute_batch("PRAGMA cache_size = 16; BEGIN")?;
    let pages = connection.query_row("PRAGMA page_count", [], |row| row.get(0))?;
    let range = [i64::from(first), i64::from(first) + i64::from(count) - 1];
    let mut read = connection.prepare("SELECT length(data) FROM sqlite_dbpage WHERE pgno = ?1")?;
    for number in range[0]..=range[1].min(i64::from(pages)) {
        read.query_row([number], |_| Ok(()))?;
    }
    Ok(pages)
}

/// What was found in a file that should not have been there, if anything was.
pub fn rotten(file: &Path) -> Option<String> {
    if FOUND.load(Ordering::Acquire) == 0 {
        return None;
    }
    ROTTEN.lock().get(file).cloned()
}

/// The file is gone.
pub fn forget(file: &Path) {
    let mut rotten = ROTTEN.lock();
    rotten.remove(file);
    FOUND.store(rotten.len() as u64, Ordering::Release);
}

fn sum(page: &[u8], number: u64) -> [u8; RESERVED as usize] {
    xxh3_64_with_seed(&page[..SUM], number).to_le_bytes()
}

/// SQLite reads and writes whole pages, except for a few bytes of the header.
fn number(amount: c_int, offset: i64) -> Option<u64> {
    (amount as usize == PAGE && offset % PAGE as i64 == 0).then_some(offset as u64 / PAGE as u64 + 1)
}

/// What SQLite allocates for an open database: its own head, ours, and behind it the operating system's file.
#[repr(C)]
struct PageFile {
    head: ffi::sqlite3_file,
    path: *mut PathBuf,
}

static METHODS: ffi::sqlite3_io_methods = ffi::sqlite3_io_methods {
    // Without mmap.
    iVersion: 2,
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
    xShmMap: Some(x_shm_map),
    xShmLock: Some(x_shm_lock),
    xShmBarrier: Some(x_shm_barrier),
    xShmUnmap: Some(x_shm_unmap),
    xFetch: None,
    xUnfetch: None,
};

/// The operating system's file behind ours, and its methods.
///
/// # Safety
/// `file` was opened by `x_open` as a database.
unsafe fn inner(file: *mut ffi::sqlite3_file) -> (*mut ffi::sqlite3_file, &'static ffi::sqlite3_io_methods) {
    // SAFETY: SQLite allocated `szOsFile` bytes; methods are static.
    unsafe {
        let inner = file.cast::<PageFile>().add(1).cast::<ffi::sqlite3_file>();
        (inner, &*(*inner).pMethods)
    }
}

/// Calls a method of the operating system's file.
macro_rules! forward {
    ($file:ident, $method:ident, $otherwise:expr $(, $argument:expr)*) => {{
        // SAFETY: an open database; forwards the caller's own promises.
        unsafe {
            let (inner, methods) = inner($file);
            methods.$method.map_or($otherwise, |f| f(inner $(, $argument)*))
        }
    }};
}

pub unsafe extern "C" fn x_open(
    _: *mut ffi::sqlite3_vfs,
    name: ffi::sqlite3_filename,
    file: *mut ffi::sqlite3_file,
    flags: c_int,
    out_flags: *mut c_int,
) -> c_int {
    // SAFETY: SQLite gives room for `szOsFile` bytes and a name that ends with NUL; forwards the caller's own promises.
    unsafe {
        let system = ffi::sqlite3_vfs_find(ptr::null());
        let Some(open) = system.as_ref().and_then(|system| system.xOpen) else { return ffi::SQLITE_CANTOPEN };
        if flags & ffi::SQLITE_OPEN_MAIN_DB == 0 || name.is_null() {
            return open(system, name, file, flags, out_flags);
        }
        (*file).pMethods = ptr::null();
        let inside = file.cast::<PageFile>().add(1).cast::<ffi::sqlite3_file>();
        let code = open(system, name, inside, flags, out_flags);
        if code != ffi::SQLITE_OK {
            return code;
        }
        let (_, methods) = inner(file);
        let mut reserved = RESERVED as u8;
        let read = methods.xRead.map(|read| read(inside, (&raw mut reserved).cast(), 1, RESERVED_AT));
        if read == Some(ffi::SQLITE_OK) && reserved != RESERVED as u8 {
            methods.xClose.map(|close| close(inside));
            return ffi::SQLITE_NOTADB;
        }
        let path = PathBuf::from(OsStr::from_bytes(CStr::from_ptr(name).to_bytes()));
        (*file.cast::<PageFile>()).path = Box::into_raw(Box::new(path));
        (*file).pMethods = &METHODS;
        ffi::SQLITE_OK
    }
}

unsafe extern "C" fn x_close(file: *mut ffi::sqlite3_file) -> c_int {
    // SAFETY: an open database, which SQLite closes once.
    unsafe {
        drop(Box::from_raw((*file.cast::<PageFile>()).path));
    }
    forward!(file, xClose, ffi::SQLITE_OK)
}

unsafe extern "C" fn x_read(file: *mut ffi::sqlite3_file, out: *mut c_void, amount: c_int, offset: i64) -> c_int {
    let code = forward!(file, xRead, ffi::SQLITE_IOERR_READ, out, amount, offset);
    if code != ffi::SQLITE_OK || amount < SMALLEST {
        return code;
    }
    // SAFETY: set by `x_open`, and dropped by `x_close`.
    let path = unsafe { &*(*file.cast::<PageFile>()).path };
    // Pages of another size: the header is not what was written.
    let Some(number) = number(amount, offset) else {
        report(path, 1);
        return ffi::SQLITE_IOERR_DATA;
    };
    // SAFETY: SQLite wants `amount` bytes in `out`, and they were just written.
    let page = unsafe { std::slice::from_raw_parts(out.cast::<u8>(), PAGE) };
    if page[SUM..] == sum(page, number) || page.iter().all(|byte| *byte == 0) {
        return ffi::SQLITE_OK;
    }
    report(path, number);
    ffi::SQLITE_IOERR_DATA
}

fn report(path: &Path, number: u64) {
    let mut rotten = ROTTEN.lock();
    if !rotten.contains_key(path) {
        let why = format!("page {number} of {} is not what was written", path.display());
        tracing::error!("{why}: its checksum is wrong");
        rotten.insert(path.to_owned(), why);
        FOUND.store(rotten.len() as u64, Ordering::Release);
    }
}

unsafe extern "C" fn x_write(file: *mut ffi::sqlite3_file, data: *const c_void, amount: c_int, offset: i64) -> c_int {
    let Some(number) = number(amount, offset) else {
        return forward!(file, xWrite, ffi::SQLITE_IOERR_WRITE, data, amount, offset);
    };
    let mut page = [0u8; PAGE];
    // SAFETY: `data` has `amount` bytes.
    page.copy_from_slice(unsafe { std::slice::from_raw_parts(data.cast(), PAGE) });
    let sum = sum(&page, number);
    page[SUM..].copy_from_slice(&sum);
    forward!(file, xWrite, ffi::SQLITE_IOERR_WRITE, page.as_ptr().cast(), amount, offset)
}

unsafe extern "C" fn x_truncate(file: *mut ffi::sqlite3_file, size: i64) -> c_int {
    forward!(file, xTruncate, ffi::SQLITE_IOERR_TRUNCATE, size)
}

unsafe extern "C" fn x_sync(file: *mut ffi::sqlite3_file, flags: c_int) -> c_int {
    forward!(file, xSync, ffi::SQLITE_IOERR_FSYNC, flags)
}

unsafe extern "C" fn x_file_size(file: *mut ffi::sqlite3_file, size: *mut i64) -> c_int {
    forward!(file, xFileSize, ffi::SQLITE_IOERR_FSTAT, size)
}

unsafe extern "C" fn x_lock(file: *mut ffi::sqlite3_file, level: c_int) -> c_int {
    forward!(file, xLock, ffi::SQLITE_OK, level)
}

unsafe extern "C" fn x_unlock(file: *mut ffi::sqlite3_file, level: c_int) -> c_int {
    forward!(file, xUnlock, ffi::SQLITE_OK, level)
}

unsafe extern "C" fn x_check_reserved_lock(file: *mut ffi::sqlite3_file, held: *mut c_int) -> c_int {
    forward!(file, xCheckReservedLock, ffi::SQLITE_OK, held)
}

unsafe extern "C" fn x_file_control(file: *mut ffi::sqlite3_file, operation: c_int, argument: *mut c_void) -> c_int {
    forward!(file, xFileControl, ffi::SQLITE_NOTFOUND, operation, argument)
}

unsafe extern "C" fn x_sector_size(file: *mut ffi::sqlite3_file) -> c_int {
    forward!(file, xSectorSize, 4096)
}

/// Without reads of less than a page: they could not be checked.
unsafe extern "C" fn x_device_characteristics(file: *mut ffi::sqlite3_file) -> c_int {
    forward!(file, xDeviceCharacteristics, 0) & !ffi::SQLITE_IOCAP_SUBPAGE_READ
}

unsafe extern "C" fn x_shm_map(
    file: *mut ffi::sqlite3_file,
    region: c_int,
    size: c_int,
    extend: c_int,
    out: *mut *mut c_void,
) -> c_int {
    forward!(file, xShmMap, ffi::SQLITE_IOERR_SHMMAP, region, size, extend, out)
}

unsafe extern "C" fn x_shm_lock(file: *mut ffi::sqlite3_file, offset: c_int, n: c_int, flags: c_int) -> c_int {
    forward!(file, xShmLock, ffi::SQLITE_IOERR_SHMLOCK, offset, n, flags)
}

unsafe extern "C" fn x_shm_barrier(file: *mut ffi::sqlite3_file) {
    forward!(file, xShmBarrier, ())
}

unsafe extern "C" fn x_shm_unmap(file: *mut ffi::sqlite3_file, delete: c_int) -> c_int {
    forward!(file, xShmUnmap, ffi::SQLITE_OK, delete)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::rngs::StdRng;
    use rand::{Rng, SeedableRng};
    use std::os::unix::fs::FileExt as _;

    fn open(path: &Path) -> rusqlite::Result<Connection> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        Connection::open_with_flags_and_vfs(path, flags, vfs().unwrap())
    }

    type Rows = Vec<(i64, Vec<u8>)>;

    /// Everything, by way of both b-trees, with long values that lie in overflow pages.
    fn rows(path: &Path) -> rusqlite::Result<(Rows, Vec<i64>)> {
        let connection = open(path)?;
        let all = connection
            .prepare("SELECT k, v FROM t ORDER BY k")?
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect::<rusqlite::Result<_>>()?;
        let keys = connection
            .prepare("SELECT k FROM t INDEXED BY i ORDER BY v")?
            .query_map([], |row| row.get(0))?
            .collect::<rusqlite::Result<_>>()?;
        Ok((all, keys))
    }

    fn database(path: &Path) -> (Rows, Vec<i64>) {
        let connection = open(path).unwrap();
        reserve(&connection).unwrap();
        connection
            .execute_batch(
                "PRAGMA page_size = 4096; PRAGMA journal_mode = WAL; CREATE TABLE t (k INTEGER PRIMARY KEY, v BLOB);
                 CREATE INDEX i ON t (v); BEGIN",
            )
            .unwrap();
        let mut random = StdRng::seed_from_u64(7);
        for key in 0..120 {
            let mut value = vec![0u8; if key % 10 == 0 { 11_000 } else { 60 }];
            random.fill(&mut value[..]);
            connection.execute("INSERT INTO t VALUES (?1, ?2)", rusqlite::params![key, value]).unwrap();
        }
        connection.execute_batch("COMMIT; PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
        drop(connection);
        rows(path).unwrap()
    }

    /// Whichever bit of a file turns over: an error, or the same rows, if no page of theirs was it. Never others.
    #[test]
    fn no_bit_turns_over_unnoticed() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("db");
        let expected = database(&path);
        let file = std::fs::File::options().read(true).write(true).open(&path).unwrap();
        let length = file.metadata().unwrap().len();
        let mut random = StdRng::seed_from_u64(1);
        let (mut failed, mut tries) = (0, 0);
        let header = (0..100).map(|byte| (byte, 1 << (byte % 8)));
        let pages = (0..length / PAGE as u64).flat_map(|page| [0, 1, 2].map(|_| page * PAGE as u64));
        let anywhere = pages.map(|page| (page + random.random_range(0..PAGE as u64), 1u8 << random.random_range(0..8)));
        for (byte, bit) in header.chain(anywhere.collect::<Vec<_>>()) {
            let mut old = [0];
            file.read_exact_at(&mut old, byte).unwrap();
            file.write_all_at(&[old[0] ^ bit], byte).unwrap();
            tries += 1;
            match rows(&path) {
                Ok(found) => assert!(found == expected, "other rows after a change of byte {byte}"),
                Err(_) => failed += 1,
            }
            file.write_all_at(&old, byte).unwrap();
        }
        forget(&path);
        assert!(failed * 10 > tries * 9, "{failed} of {tries}: all pages but free ones are read");
        assert!(rows(&path).unwrap() == expected);
    }

    #[test]
    fn a_page_in_anothers_place_is_noticed() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("db");
        database(&path);
        let pages = look_through(&path, 1, u32::MAX).unwrap();
        let file = std::fs::File::options().read(true).write(true).open(&path).unwrap();
        assert_eq!(u64::from(pages), file.metadata().unwrap().len() / PAGE as u64);
        let mut page = vec![0; PAGE];
        file.read_exact_at(&mut page, 5 * PAGE as u64).unwrap();
        file.write_all_at(&page, 4 * PAGE as u64).unwrap();
        assert!(look_through(&path, 1, 4).is_ok());
        assert!(look_through(&path, 5, 1).is_err());
        assert!(rotten(&path).unwrap().starts_with("page 5 of"));
        forget(&path);
        assert_eq!(rotten(&path), None);
    }

    #[test]
    fn a_file_without_room_for_checksums_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("db");
        Connection::open(&path).unwrap().execute_batch("CREATE TABLE t (k)").unwrap();
        let error = open(&path).and_then(|c| c.execute_batch("SELECT * FROM t")).unwrap_err();
        assert_eq!(error.sqlite_error().map(|e| e.extended_code), Some(ffi::SQLITE_NOTADB));
    }
}
