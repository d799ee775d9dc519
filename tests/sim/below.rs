//! The disk below SQLite: writes of its files fail while this thread says so, with the error that the operating system would give.

use rusqlite::ffi;
use std::cell::Cell;
use std::ffi::{c_int, c_void};
use std::ptr;
use std::sync::Once;

thread_local! {
    static FAILS: Cell<Option<Trouble>> = const { Cell::new(None) };
}

/// So many writes succeed, and then each fails with this error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trouble {
    pub after: u64,
    pub errno: c_int,
}

/// Does something while the disk is in trouble.
pub fn with<T>(trouble: Option<Trouble>, work: impl FnOnce() -> T) -> T {
    static ONCE: Once = Once::new();
    ONCE.call_once(install);
    FAILS.set(trouble);
    let done = work();
    FAILS.set(None);
    done
}

/// The error of the next write, if it is to fail.
fn error() -> Option<c_int> {
    let trouble = FAILS.get()?;
    if trouble.after == 0 {
        return Some(trouble.errno);
    }
    FAILS.set(Some(Trouble { after: trouble.after - 1, ..trouble }));
    None
}

fn fail(errno: c_int) -> c_int {
    // SAFETY: the calling thread's own.
    unsafe { *libc::__errno_location() = errno };
    -1
}

unsafe extern "C" fn write(fd: c_int, data: *const c_void, n: usize) -> isize {
    match error() {
        Some(errno) => fail(errno) as isize,
        // SAFETY: the caller's promises are those of the call.
        None => unsafe { libc::write(fd, data, n) },
    }
}

unsafe extern "C" fn pwrite(fd: c_int, data: *const c_void, n: usize, at: libc::off_t) -> isize {
    match error() {
        Some(errno) => fail(errno) as isize,
        // SAFETY: as above.
        None => unsafe { libc::pwrite(fd, data, n, at) },
    }
}

/// Takes the place of the calls by which SQLite's own VFS writes.
fn install() {
    // SAFETY: SQLite's default VFS lives for ever; the functions have the types of the calls that they stand for. It
    // refuses a name that it does not know.
    unsafe {
        let vfs = ffi::sqlite3_vfs_find(ptr::null());
        let set = vfs.as_ref().and_then(|vfs| vfs.xSetSystemCall).expect("SQLite's VFS for Unix");
        let calls =
            [(c"write", write as *const ()), (c"pwrite", pwrite as *const ()), (c"pwrite64", pwrite as *const ())];
        for (name, call) in calls {
            let call = std::mem::transmute::<*const (), ffi::sqlite3_syscall_ptr>(call);
            set(vfs, name.as_ptr(), call);
        }
    }
}
