//! Copies of databases that leave this node or come to it, while they do: each is a file and how far it is.
//!
//! They are in a directory of their own, which is emptied when the node starts. One that nobody asks after is removed.

use super::{Runtime, backup, restore};
use crate::admin::backup::{Arrival, BackupOrder, Copies, Progress, RestoreOrder};
use crate::admin::{Answer, Problem};
use crate::backup::{piece, proof};
use bytes::Bytes;
use parking_lot::Mutex;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

const FOLDER: &str = "copies";
/// At a time.
const MOST: usize = 8;
/// One that nobody has asked after for so long is removed.
const FORGOTTEN: Duration = Duration::from_secs(300);
const LOOK: Duration = Duration::from_secs(5);

/// What is under way.
#[derive(Default)]
pub struct Shelf {
    jobs: Mutex<BTreeMap<u64, Arc<Job>>>,
    /// The files that databases are made of at present, by their names.
    arriving: Mutex<BTreeMap<String, PathBuf>>,
}

pub struct Job {
    pub file: PathBuf,
    /// What is to come of it, if it came here.
    pub arrival: Option<Arrival>,
    progress: Mutex<Progress>,
    asked: Mutex<Instant>,
    /// Pieces that have come.
    pieces: Mutex<BTreeSet<u64>>,
}

impl Drop for Job {
    fn drop(&mut self) {
        for suffix in ["", "-wal", "-shm"] {
            let _ = std::fs::remove_file(format!("{}{suffix}", self.file.display()));
        }
    }
}

impl Job {
    pub fn doing(&self, what: &str, of: u64) {
        let mut progress = self.progress.lock();
        (progress.doing, progress.done, progress.of) = (what.to_owned(), 0, of);
    }

    pub fn done(&self, done: u64, of: u64) {
        let mut progress = self.progress.lock();
        (progress.done, progress.of) = (done, of);
    }

    pub fn end(&self, note: impl FnOnce(&mut Progress)) {
        note(&mut self.progress.lock());
    }
}

/// Removes what an earlier process has left.
pub fn tidy(runtime: &Runtime) -> Result<(), String> {
    let folder = runtime.config.data_dir.join(FOLDER);
    match std::fs::remove_dir_all(&folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(format!("{}: {error}", folder.display())),
        _ => Ok(()),
    }
}

impl Shelf {
    pub fn desk(&self, runtime: &Arc<Runtime>) -> Arc<dyn Copies> {
        Arc::new(Desk(runtime.clone()))
    }

    /// The file that a database of this name is to be made of.
    pub fn file(&self, name: &str) -> Option<PathBuf> {
        self.arriving.lock().get(name).cloned()
    }

    /// From now on the database is made of the file, until the result is dropped.
    pub fn arrive(&self, name: &str, file: &std::path::Path) -> Result<Arriving<'_>, String> {
        match self.arriving.lock().entry(name.to_owned()) {
            std::collections::btree_map::Entry::Occupied(_) => {
                Err(format!("database \"{name}\" is being restored already"))
            }
            std::collections::btree_map::Entry::Vacant(place) => {
                place.insert(file.to_owned());
                Ok(Arriving { shelf: self, name: name.to_owned() })
            }
        }
    }

    fn get(&self, id: u64) -> Result<Arc<Job>, Problem> {
        let job = self.jobs.lock().get(&id).cloned();
        let job = job.ok_or_else(|| Problem::Refused("this node knows nothing of that any more".to_owned()))?;
        *job.asked.lock() = Instant::now();
        Ok(job)
    }

    fn end(&self, id: u64) -> Progress {
        let job = self.jobs.lock().remove(&id);
        job.map_or_else(Progress::default, |job| job.progress.lock().clone())
    }
}

/// See [`Shelf::arrive`].
pub struct Arriving<'s> {
    shelf: &'s Shelf,
    name: String,
}

impl Drop for Arriving<'_> {
    fn drop(&mut self) {
        self.shelf.arriving.lock().remove(&self.name);
    }
}

/// Begins something with a file of this length, which must have room beside what the node keeps free.
fn begin(runtime: &Arc<Runtime>, length: u64, arrival: Option<Arrival>) -> Result<(u64, Arc<Job>), Problem> {
    let folder = runtime.config.data_dir.join(FOLDER);
    let free = crate::engine::free_space(&runtime.config.data_dir).map_err(|e| Problem::Later(e.to_string()))?;
    if free < length.saturating_add(runtime.config.disk_watermark) {
        let (need, free, name) = (length >> 20, free >> 20, &runtime.config.name);
        return Err(Problem::Later(format!("{name} has no room for a copy of {need} MiB: {free} MiB are free")));
    }
    std::fs::create_dir_all(&folder).map_err(|e| Problem::Later(format!("{}: {e}", folder.display())))?;
    let mut jobs = runtime.copies.jobs.lock();
    if jobs.len() >= MOST {
        return Err(Problem::Later(format!("{} has {MOST} copies under way already", runtime.config.name)));
    }
    let id: u64 = rand::random::<u64>() >> 11;
    let job = Arc::new(Job {
        file: folder.join(format!("{id:x}.sqlite")),
        arrival,
        progress: Mutex::new(Progress { id, ..Progress::default() }),
        asked: Mutex::new(Instant::now()),
        pieces: Mutex::default(),
    });
    jobs.insert(id, job.clone());
    let (runtime, watched) = (runtime.clone(), Arc::downgrade(&job));
    tokio::spawn(async move {
        while let Some(job) = watched.upgrade() {
            if job.asked.lock().elapsed() >= FORGOTTEN {
                runtime.copies.end(id);
            }
            drop(job);
            tokio::time::sleep(LOOK).await;
        }
    });
    Ok((id, job))
}

struct Desk(Arc<Runtime>);

impl Copies for Desk {
    fn backup(&self, order: BackupOrder) -> Answer<Progress> {
        let runtime = self.0.clone();
        Box::pin(async move {
            match order {
                BackupOrder::Begin { database } => {
                    let router = backup::find(&runtime, &database)?;
                    let length = std::fs::metadata(router.shared.file().path()).map_or(0, |file| file.len());
                    let (_, job) = begin(&runtime, length, None)?;
                    tokio::spawn(backup::make(runtime, router, job.clone()));
                    Ok(job.progress.lock().clone())
                }
                BackupOrder::End { id } => Ok(runtime.copies.end(id)),
            }
        })
    }

    fn restore(&self, order: RestoreOrder) -> Answer<Progress> {
        let runtime = self.0.clone();
        Box::pin(async move {
            match order {
                RestoreOrder::Begin(arrival) => {
                    restore::check(&runtime, &arrival).await?;
                    let length = arrival.database.length;
                    let (id, job) = begin(&runtime, 2 * length, Some(*arrival))?;
                    let made = File::create(&job.file).and_then(|file| file.set_len(length));
                    if let Err(error) = made {
                        runtime.copies.end(id);
                        return Err(Problem::Later(format!("{}: {error}", job.file.display())));
                    }
                    Ok(job.progress.lock().clone())
                }
                RestoreOrder::Finish { id } => {
                    let job = runtime.copies.get(id)?;
                    let arrival = job.arrival.clone().ok_or_else(|| Problem::Refused("this is a backup".to_owned()))?;
                    let missing = arrival.database.pieces.len() - job.pieces.lock().len();
                    if missing > 0 {
                        return Err(Problem::Refused(format!("{missing} pieces have not come")));
                    }
                    tokio::spawn(restore::make(runtime, arrival, job.clone()));
                    Ok(job.progress.lock().clone())
                }
                RestoreOrder::End { id } => Ok(runtime.copies.end(id)),
            }
        })
    }

    fn progress(&self, id: u64) -> Answer<Progress> {
        let job = self.0.copies.get(id);
        Box::pin(async move { Ok(job?.progress.lock().clone()) })
    }

    fn piece(&self, id: u64, number: u64) -> Answer<Vec<u8>> {
        let job = self.0.copies.get(id);
        Box::pin(async move {
            let job = job?;
            if job.progress.lock().made.is_none() {
                return Err(Problem::Refused("its pieces are not known yet".to_owned()));
            }
            blocking(move || proof::read(&job.file, number)).await
        })
    }

    fn take(&self, id: u64, number: u64, content: Bytes) -> Answer<()> {
        let job = self.0.copies.get(id);
        Box::pin(async move {
            let job = job?;
            let part = job.arrival.as_ref().and_then(|arrival| arrival.database.parts().nth(number as usize));
            let Some((sum, length)) = part else { return Err(Problem::Refused("there is no such piece".to_owned())) };
            if content.len() as u64 != length || piece::Sum::of(&content) != sum {
                return Err(Problem::Refused("the piece is not what was announced".to_owned()));
            }
            let file = job.file.clone();
            let at = number * u64::from(piece::SIZE);
            blocking(move || File::options().write(true).open(file)?.write_all_at(&content, at)).await?;
            job.pieces.lock().insert(number);
            Ok(())
        })
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> Result<T, Problem> {
    let done = tokio::task::spawn_blocking(work).await.map_err(|e| Problem::Later(e.to_string()))?;
    done.map_err(|error| Problem::Later(error.to_string()))
}
