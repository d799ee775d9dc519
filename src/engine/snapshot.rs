//! Copies of the state: written from a read transaction while `apply` goes on, installed as a new generation.
//!
//! Position, term, membership and digest are inside the file, so a copy is complete by itself, and an error anywhere
//! after the switch of generations cannot make an entry apply twice. Each step can be repeated: a crash leaves either
//! the old generation with a stray file, which open removes, or the new one.

use super::Options;
use super::apply::halt;
use super::connection::{Connection, Role};
use super::files::{self, Generation};
use super::meta::State;
use super::pages;
use super::statement::Fault;
use crate::consensus::{Halt, Membership, Position, SnapshotMeta};
use crate::value::ValueRef;
use rusqlite::OpenFlags;
use rusqlite::backup::{Backup, StepResult};
use std::path::{Path, PathBuf};
use std::sync::Arc;

fn environment(error: impl std::fmt::Display) -> Halt {
    Halt::Environment(error.to_string())
}

/// Writes the state as of now into `file`, flushed.
pub fn write(generation: &Generation, options: &Options, file: &Path) -> Result<SnapshotMeta, Halt> {
    let mut temporary = file.as_os_str().to_owned();
    temporary.push(".tmp");
    let temporary = PathBuf::from(temporary);
    files::remove(&temporary).map_err(environment)?;
    let source = Connection::open(&generation.path(), Role::Reader, false, &options.dialect.register);
    source.and_then(|source| copy(&source, &temporary, -1, &mut |_, _| ())).map_err(|f| halt(&f))?;
    let state = inspect(&temporary, options).map_err(|f| halt(&f))?;
    let (length, checksum) = files::measure(&temporary).map_err(environment)?;
    std::fs::rename(&temporary, file).map_err(environment)?;
    files::sync_directory(file.parent().unwrap_or(Path::new("."))).map_err(environment)?;
    Ok(SnapshotMeta { at: state.at, membership: (*state.membership).clone(), length, checksum })
}

/// Copies all pages, so many at a time, and says how many of how many are copied. All in one step (-1) is one read transaction
/// of the source; otherwise the source must be in one already.
pub fn copy(source: &Connection, to: &Path, step: i32, told: &mut dyn FnMut(u32, u32)) -> Result<(), Fault> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut target = rusqlite::Connection::open_with_flags_and_vfs(to, flags, pages::vfs()?)?;
    // The file is flushed as a whole when it is complete.
    target.execute_batch("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;")?;
    let backup = Backup::new(source.raw(), &mut target)?;
    loop {
        let result = backup.step(step)?;
        let (left, all) = (backup.progress().remaining as u32, backup.progress().pagecount as u32);
        told(all - left, all);
        match result {
            StepResult::Done => return Ok(()),
            StepResult::More => {}
            other => {
                return Err(Fault { code: rusqlite::ffi::SQLITE_BUSY, message: format!("copying pages: {other:?}") });
            }
        }
    }
}

/// Makes the state in the file of another group the beginning of a new one, in an empty directory: as of now, for these
/// voters. What belongs to the other group's sessions and transactions stays behind. Returns where it is in the log.
pub fn transplant(
    file: &Path,
    register: &super::Register,
    directory: &Path,
    owner: &str,
    membership: &Membership,
) -> Result<Position, Fault> {
    let io = |e: std::io::Error| Fault::error(e.to_string());
    std::fs::create_dir_all(directory).map_err(io)?;
    let target = Generation::new(directory, 1).path();
    files::remove(&target).map_err(io)?;
    copy(&Connection::open(file, Role::Reader, false, register)?, &target, -1, &mut |_, _| ())?;
    let at = begin_anew(&target, register, owner, membership)?;
    files::switch(directory, 1).map_err(io)?;
    Ok(at)
}

/// Makes the state in a file that nobody has open the beginning of another group's, as [`transplant`] does with a copy.
pub fn begin_anew(
    file: &Path,
    register: &super::Register,
    owner: &str,
    membership: &Membership,
) -> Result<Position, Fault> {
    let mut connection = Connection::open(file, Role::Writer, false, register)?;
    let state = State::load(&mut connection)?;
    connection.run("BEGIN IMMEDIATE", &[])?;
    for table in ["outcome", "chunk", "vote", "mark", "tenure", "claim", "advisory", "advisory_last", "lost", "skipped"]
    {
        connection.run(&format!("DELETE FROM _quorate_{table}"), &[])?;
    }
    let voters = crate::command::encode(membership);
    let now = [ValueRef::Text(owner), ValueRef::Blob(&voters)];
    connection.run("UPDATE _quorate_meta SET owner = ?1, membership = ?2, forgotten = idx", &now)?;
    connection.run("COMMIT", &[])?;
    if !super::checkpoint::pass(&connection, &super::checkpoint::Progress::default())? {
        return Err(Fault::error("the first checkpoint was held up"));
    }
    Ok(state.at)
}

/// Reads what a file contains. Leaves no WAL behind.
fn inspect(file: &Path, options: &Options) -> Result<State, Fault> {
    looking(file, Role::Reader, &options.dialect.register, State::load)
}

/// Opens a file that nobody else uses, and leaves no WAL behind.
pub fn looking<T>(
    file: &Path,
    role: Role,
    register: &super::Register,
    look: impl FnOnce(&mut Connection) -> Result<T, Fault>,
) -> Result<T, Fault> {
    let mut connection = Connection::open(file, role, false, register)?;
    let seen = look(&mut connection);
    drop(connection);
    if seen.is_ok() {
        for suffix in ["-wal", "-shm"] {
            let mut name = file.as_os_str().to_owned();
            name.push(suffix);
            // What was written is in the file, and they hold nothing; usually SQLite has removed them.
            let _ = std::fs::remove_file(PathBuf::from(name));
        }
    }
    seen
}

/// Verifies `file` and makes it generation `number`; afterwards the pointer names it. A file that is not what `meta`
/// says was damaged on its way; nothing has happened to the state then, and it is fetched again after a restart. What
/// fails for want of space can be called again.
pub fn place(options: &Options, file: &Path, meta: &SnapshotMeta, number: u64) -> Result<Arc<Generation>, Halt> {
    let generation = Generation::new(&options.directory, number);
    if file.exists() {
        verify(options, file, meta)?;
        files::remove(&generation.path()).map_err(environment)?;
        files::take(file, &generation.path()).map_err(environment)?;
    } else if !generation.path().exists() {
        return Err(Halt::Corrupt(format!("the snapshot's file {} is gone", file.display())));
    }
    files::sync_directory(&options.directory).map_err(environment)?;
    files::switch(&options.directory, number).map_err(environment)?;
    Ok(Arc::new(generation))
}

fn verify(options: &Options, file: &Path, meta: &SnapshotMeta) -> Result<(), Halt> {
    let (length, checksum) = files::measure(file).map_err(environment)?;
    if (length, checksum) != (meta.length, meta.checksum) {
        return Err(Halt::Corrupt(format!(
            "snapshot has {length} bytes and checksum {checksum:016x}, expected {} and {:016x}",
            meta.length, meta.checksum
        )));
    }
    let state = inspect(file, options).map_err(|f| halt(&f))?;
    if state.at != meta.at || *state.membership != meta.membership {
        return Err(Halt::Corrupt(format!("snapshot is at {:?}, expected {:?}", state.at, meta.at)));
    }
    Ok(())
}
