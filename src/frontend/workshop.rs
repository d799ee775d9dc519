//! Where sessions do what may take long, so that it does not sit on the threads that serve all of them.
//!
//! Each job has a thread of its own, which gives way to those that serve (it is nicer than they are). What is being worked on
//! at once is bounded by the memory that it takes, for which the length of its text stands.

use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

/// KiB of text that may be in work at once. A syntax tree takes up to some hundred times its text.
const ROOM: u32 = 16 << 10;
/// The least that a job counts for: this many may run at once.
const JOBS: u32 = 32;
/// Niceness of the threads, above that of the process.
const NICENESS: libc::c_int = 5;

pub struct Workshop {
    room: Arc<Semaphore>,
}

/// A job's part of the room, until it is dropped.
pub struct Place(#[expect(dead_code, reason = "held")] OwnedSemaphorePermit);

impl Default for Workshop {
    fn default() -> Workshop {
        Workshop { room: Arc::new(Semaphore::new(ROOM as usize)) }
    }
}

impl Workshop {
    /// Waits for room for a job about so many bytes of text; first come, first served.
    pub async fn enter(&self, bytes: usize) -> Place {
        let size = u32::try_from(bytes >> 10).unwrap_or(ROOM).clamp(ROOM / JOBS, ROOM);
        let permit = Arc::clone(&self.room).acquire_many_owned(size).await;
        Place(permit.expect("the semaphore is never closed"))
    }
}

/// Runs a job on a thread of its own, which keeps its place until the end even if nobody waits for it any more. `None`: it
/// has panicked, or there was no thread.
pub async fn run<T: Send + 'static>(place: Place, job: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    let (tell, told) = oneshot::channel();
    let work = move || {
        // SAFETY: sets the priority of the calling thread, which takes nothing from memory. It may fail: then it is not nice.
        unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, NICENESS) };
        let result = job();
        drop(place);
        let _ = tell.send(result);
    };
    let thread = std::thread::Builder::new().name("workshop".into()).spawn(work);
    if let Err(error) = thread {
        tracing::warn!(%error, "no thread for a long job");
        return None;
    }
    told.await.ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;
    use tokio::time::timeout;

    #[tokio::test]
    async fn a_job_of_all_the_room_waits_for_the_others() {
        let workshop = Workshop::default();
        let mut small = Vec::new();
        for _ in 0..JOBS {
            small.push(workshop.enter(0).await);
        }
        assert!(timeout(Duration::from_millis(10), workshop.enter(1)).await.is_err());
        small.pop();
        workshop.enter(1).await;
        small.clear();
        let large = workshop.enter(1 << 30).await;
        assert!(timeout(Duration::from_millis(10), workshop.enter(1)).await.is_err());
        assert_eq!(run(large, || 7).await, Some(7));
        workshop.enter(1).await;
    }
}
