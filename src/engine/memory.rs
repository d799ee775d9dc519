//! SQLite's allocations, counted for the statement that runs on the thread.
//!
//! SQLite lets its allocator be replaced before it is first used. This one is the one it had, behind a question: may the
//! statement under way have so many bytes more ([`meter::allocate`])? If not, SQLite gets none, and that statement fails with
//! SQLITE_NOMEM. Allocations of others, and those of the log's own statements, are counted and not limited.

use crate::meter;
use rusqlite::ffi;
use std::ffi::{c_int, c_void};
use std::sync::OnceLock;

struct Methods(ffi::sqlite3_mem_methods);

// SAFETY: functions, and an argument for the first and the last of them, which only SQLite calls.
unsafe impl Send for Methods {}
// SAFETY: as above.
unsafe impl Sync for Methods {}

static DEFAULT: OnceLock<Methods> = OnceLock::new();

/// What makes the program's allocator return free memory to the operating system. The program says what: it chose the allocator.
static HOUSEKEEPING: OnceLock<fn()> = OnceLock::new();

/// To be told at most once.
pub fn set_housekeeping(collect: fn()) {
    let _ = HOUSEKEEPING.set(collect);
}

/// Gives memory that is free in the process back to the operating system. May take some milliseconds.
pub fn give_back() {
    if let Some(collect) = HOUSEKEEPING.get() {
        collect();
    }
}

/// Must come before anything else that uses SQLite in this process. Error: it came too late.
pub fn install() -> Result<(), String> {
    // SAFETY: plain out-parameters of the documented types; called before SQLite is initialized, which it checks.
    unsafe {
        let mut found: ffi::sqlite3_mem_methods = std::mem::zeroed();
        let got = ffi::sqlite3_config(ffi::SQLITE_CONFIG_GETMALLOC, &mut found as *mut ffi::sqlite3_mem_methods);
        if got != ffi::SQLITE_OK || found.xMalloc.is_none() {
            return Err(format!("SQLite's allocator is unknown (code {got})"));
        }
        let counting =
            ffi::sqlite3_mem_methods { xMalloc: Some(malloc), xFree: Some(free), xRealloc: Some(realloc), ..found };
        if DEFAULT.set(Methods(found)).is_err() {
            return Ok(());
        }
        match ffi::sqlite3_config(ffi::SQLITE_CONFIG_MALLOC, &counting as *const ffi::sqlite3_mem_methods) {
            ffi::SQLITE_OK => Ok(()),
            code => Err(format!("SQLite was in use before its allocator was set (code {code})")),
        }
    }
}

fn default() -> &'static ffi::sqlite3_mem_methods {
    &DEFAULT.get().expect("set before ours are used").0
}

fn size(memory: *mut c_void) -> i64 {
    // SAFETY: SQLite asks about what this allocator gave.
    default().xSize.map_or(0, |size| unsafe { size(memory) }).into()
}

unsafe extern "C" fn malloc(bytes: c_int) -> *mut c_void {
    if !meter::allocate(bytes.into()) {
        return std::ptr::null_mut();
    }
    // SAFETY: the allocator's own method, as SQLite would call it.
    default().xMalloc.map_or(std::ptr::null_mut(), |malloc| unsafe { malloc(bytes) })
}

unsafe extern "C" fn free(memory: *mut c_void) {
    if !memory.is_null() {
        meter::allocate(-size(memory));
    }
    if let Some(free) = default().xFree {
        // SAFETY: as in `malloc`.
        unsafe { free(memory) }
    }
}

unsafe extern "C" fn realloc(memory: *mut c_void, bytes: c_int) -> *mut c_void {
    let more = i64::from(bytes) - size(memory);
    if !meter::allocate(more) {
        return std::ptr::null_mut();
    }
    // SAFETY: as in `malloc`.
    default().xRealloc.map_or(std::ptr::null_mut(), |realloc| unsafe { realloc(memory, bytes) })
}
