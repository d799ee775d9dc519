//! The files of a replica: `db-<generation>.sqlite` with its WAL, and `current`, which names the generation.
//!
//! Installing a snapshot makes a new generation and switches the pointer by rename, so that the WAL of an old file can
//! never be read with a new one. Database files are never opened here: in one process, closing any descriptor of a
//! file drops the locks SQLite holds on it. They are only renamed and removed.

use crate::consensus::Position;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use xxhash_rust::xxh3::{Xxh3, xxh3_64};

const POINTER: &str = "current";
/// A database file that was found to be damaged.
const DAMAGED: &str = "damaged.sqlite";
/// How far the state was applied, beside the file that says so itself: should it be lost, the log must hold that much.
const REACHED: &str = "reached";
/// The length of what is noted there: two numbers, their sum, and blanks.
const NOTE: usize = 63;

/// One database file. When it was replaced and nobody uses it any more, it is removed.
#[derive(Debug)]
pub struct Generation {
    directory: PathBuf,
    pub number: u64,
    retired: AtomicBool,
}

impl Generation {
    pub fn new(directory: &Path, number: u64) -> Generation {
        Generation { directory: directory.to_owned(), number, retired: AtomicBool::new(false) }
    }

    pub fn path(&self) -> PathBuf {
        self.directory.join(format!("db-{}.sqlite", self.number))
    }

    /// A newer generation has taken over.
    pub fn retire(&self) {
        self.retired.store(true, Ordering::Release);
    }

    pub fn is_retired(&self) -> bool {
        self.retired.load(Ordering::Acquire)
    }
}

impl Drop for Generation {
    fn drop(&mut self) {
        super::pages::forget(&self.path());
        if self.is_retired()
            && let Err(error) = remove(&self.path())
        {
            tracing::warn!(path = %self.path().display(), %error, "cannot remove a replaced database file");
        }
    }
}

/// Removes a database file with its WAL and shared memory, as far as they exist.
pub fn remove(path: &Path) -> io::Result<()> {
    for suffix in ["-wal", "-shm", "-journal", ""] {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        match fs::remove_file(PathBuf::from(name)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

/// The generation the pointer names; `None` in a directory where creation never finished.
pub fn current(directory: &Path) -> io::Result<Option<u64>> {
    match fs::read_to_string(directory.join(POINTER)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
        Ok(text) => text
            .trim()
            .parse()
            .map(Some)
            .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, format!("pointer file contains {text:?}"))),
    }
}

/// Makes `number` the current generation, durably.
pub fn switch(directory: &Path, number: u64) -> io::Result<()> {
    let temporary = directory.join("current.new");
    let mut file = File::create(&temporary)?;
    writeln!(file, "{number}")?;
    synced(&file)?;
    drop(file);
    fs::rename(&temporary, directory.join(POINTER))?;
    sync_directory(directory)
}

/// Puts the current database file aside, to be looked at by people: where it is now. An earlier one goes. Until the pointer is
/// gone this can be done again.
pub fn set_aside(directory: &Path) -> io::Result<PathBuf> {
    let Some(number) = current(directory)? else { return Err(io::ErrorKind::NotFound.into()) };
    let (file, aside) = (directory.join(format!("db-{number}.sqlite")), directory.join(DAMAGED));
    if file.exists() {
        remove(&aside)?;
        for suffix in ["-wal", "-shm", ""] {
            let name = |path: &Path| PathBuf::from(format!("{}{suffix}", path.display()));
            match fs::rename(name(&file), name(&aside)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
    }
    super::pages::forget(&file);
    fs::remove_file(directory.join(POINTER))?;
    sync_directory(directory)?;
    Ok(aside)
}

/// Where it is noted how far the state was applied.
pub struct Witness {
    path: PathBuf,
    /// Kept open while it is written to often.
    file: Option<File>,
    noted: Position,
}

impl Witness {
    /// The one in this directory, and what it says; nothing if that is not to be read.
    pub fn open(directory: &Path) -> Witness {
        Witness { path: directory.join(REACHED), file: None, noted: reached(directory).unwrap_or_default() }
    }

    pub fn noted(&self) -> Position {
        self.noted
    }

    /// Notes more. Not flushed: it is a witness, and may be late. Written over what was noted before: a file that takes
    /// another's place has its data on the way to the disk at once, and so costs each write of an idle node a tenth of a
    /// millisecond.
    pub fn note(&mut self, at: Position) -> io::Result<()> {
        if at <= self.noted {
            return Ok(());
        }
        let line = format!("{} {}", at.index, at.term);
        let text = format!("{line} {:016x}", xxh3_64(line.as_bytes()));
        let file = match self.file.take() {
            Some(file) => file,
            None => File::options().write(true).create(true).truncate(false).open(&self.path)?,
        };
        // Of one length, so that nothing of what was there remains.
        file.write_all_at(format!("{text:<NOTE$}\n").as_bytes(), 0)?;
        (self.file, self.noted) = (Some(file), at);
        Ok(())
    }

    /// Holds no file while nothing is noted.
    pub fn rest(&mut self) {
        self.file = None;
    }
}

fn reached(directory: &Path) -> Option<Position> {
    let text = fs::read_to_string(directory.join(REACHED)).ok()?;
    let (line, sum) = text.trim().rsplit_once(' ')?;
    let (index, term) = line.split_once(' ')?;
    let sound = u64::from_str_radix(sum, 16).ok()? == xxh3_64(line.as_bytes());
    sound.then_some(Position { index: index.parse().ok()?, term: term.parse().ok()? })
}

/// Removes what crashes left behind: database files other than the current one, unfinished pointers.
pub fn clean(directory: &Path, current: Option<u64>) -> io::Result<()> {
    let keep = current.map(|number| format!("db-{number}.sqlite"));
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let name = entry.file_name();
        let Some(name) = name.to_str() else { continue };
        let stale = name.starts_with("db-") && !keep.as_ref().is_some_and(|keep| name.starts_with(keep.as_str()));
        if stale || name == "current.new" {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

pub fn sync_directory(directory: &Path) -> io::Result<()> {
    synced(&File::open(directory)?)
}

/// Flushes a file. After a failed flush nobody knows what is on the disk, and trying again may lie: the process ends.
pub fn synced(file: &File) -> io::Result<()> {
    if let Err(error) = file.sync_all() {
        tracing::error!(%error, "fsync failed");
        std::process::abort();
    }
    Ok(())
}

/// Length and xxh3 of a file that SQLite does not have open; flushes it first.
pub fn measure(path: &Path) -> io::Result<(u64, u64)> {
    let mut file = File::open(path)?;
    synced(&file)?;
    let (mut hasher, mut length, mut buffer) = (Xxh3::new(), 0, vec![0; 1 << 20]);
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok((length, hasher.digest())),
            n => {
                hasher.update(&buffer[..n]);
                length += n as u64;
            }
        }
    }
}

/// Moves a file, across file systems if need be.
pub fn take(from: &Path, to: &Path) -> io::Result<()> {
    match fs::rename(from, to) {
        Err(error) if error.kind() == io::ErrorKind::CrossesDevices => {
            fs::copy(from, to)?;
            synced(&File::open(to)?)?;
            fs::remove_file(from)
        }
        other => other,
    }
}

/// Bytes that this process may still write below `dir`.
pub fn free_space(dir: &Path) -> io::Result<u64> {
    use std::os::unix::ffi::OsStrExt;
    let path = std::ffi::CString::new(dir.as_os_str().as_bytes())?;
    let mut stat = std::mem::MaybeUninit::<libc::statvfs>::uninit();
    // SAFETY: `path` is a C string and `stat` is room for the result, read only after success.
    let stat = unsafe {
        if libc::statvfs(path.as_ptr(), stat.as_mut_ptr()) != 0 {
            return Err(io::Error::last_os_error());
        }
        stat.assume_init()
    };
    Ok(stat.f_bavail as u64 * stat.f_frsize as u64)
}

/// Where SQLite puts what does not fit into its caches, in the whole process: files without names. To be called once,
/// before anything is opened.
pub fn set_temporary_directory(dir: &Path) -> io::Result<()> {
    use std::os::unix::ffi::OsStrExt;
    let path = std::ffi::CString::new(dir.as_os_str().as_bytes())?;
    // SAFETY: `%s` takes a C string; SQLite wants memory of its own in its variable, which nobody uses yet.
    unsafe {
        let copy = rusqlite::ffi::sqlite3_mprintf(c"%s".as_ptr(), path.as_ptr());
        if copy.is_null() {
            return Err(io::ErrorKind::OutOfMemory.into());
        }
        rusqlite::ffi::sqlite3_temp_directory = copy;
    }
    Ok(())
}
