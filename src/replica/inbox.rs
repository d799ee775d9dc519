//! The driver's inbox: whoever brings an input also does what follows from it, if nobody else is at it.
//!
//! The driver never waits, so its work can be done by any thread. To hand each input to a thread of its own costs a wake-up
//! for each, one after the other on a statement's way: the dearest part of it. Instead, a thread that *brings* an input takes
//! the driver if it is free, lets it take in everything that has come, and puts it back. If another thread has the driver, the
//! input is left to that one, which looks again after it has put the driver back: nothing is missed, and under load the inputs of
//! many threads are still taken in as one.
//!
//! The driver's own thread keeps time, goes on where others have done their share, and does what may take longer or waits for
//! other threads ([`Work::is_patient`]). What is *posted* is left to it: by those who hold a lock that the driver may want,
//! and on the way of a write. A write waits for disks anyway, and what comes while a thread wakes up joins into fewer and larger
//! batches; brought instead of posted, a write cost a tenth more of the processors at 16 and 64 clients. A read waits for
//! nothing but these wake-ups.

use crate::workers::linger;
use parking_lot::{Condvar, Mutex};
use std::collections::VecDeque;
use std::sync::atomic::{Ordering, fence};
use std::time::Instant;

/// What the inbox drives.
pub(super) trait Work: Send {
    type Input: Send;

    /// Whether an input is only for the own thread.
    fn is_patient(input: &Self::Input) -> bool;
    fn take(&mut self, input: Self::Input);
    /// Does what follows from what was taken, and what is due by now.
    fn perform(&mut self);
    /// When it must be given time, at the latest.
    fn due(&self) -> Instant;
}

pub(super) struct Inbox<W: Work> {
    queue: Mutex<Queue<W::Input>>,
    /// `None` before it runs, and after its end.
    work: Mutex<Option<W>>,
    sleep: Mutex<Sleep>,
    wake: Condvar,
}

struct Queue<I> {
    items: VecDeque<I>,
    closed: bool,
}

/// What keeps the own thread asleep, and what wakes it.
struct Sleep {
    /// When there is something to do at the latest. Set by whoever has the driver.
    due: Instant,
    sleeps: bool,
    /// There is something for it.
    called: bool,
}

/// Nothing is taken any more.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Closed;

/// How many inputs are taken in one round before what follows is done.
const ROUND: usize = 4096;
/// How many rounds a thread does for others before it goes its way.
const SHARE: usize = 4;

impl<W: Work> Inbox<W> {
    pub(super) fn new() -> Inbox<W> {
        Inbox {
            queue: Mutex::new(Queue { items: VecDeque::new(), closed: false }),
            work: Mutex::new(None),
            sleep: Mutex::new(Sleep { due: Instant::now(), sleeps: false, called: false }),
            wake: Condvar::new(),
        }
    }

    /// Leaves an input to the own thread. The caller may hold any lock.
    pub(super) fn post(&self, input: W::Input) -> Result<(), Closed> {
        self.push(input)?;
        self.call();
        Ok(())
    }

    /// Has an input dealt with, here if nobody else is at it. The caller holds no lock that the driver takes.
    pub(super) fn bring(&self, input: W::Input) -> Result<(), Closed> {
        self.push(input)?;
        for _ in 0..SHARE {
            // Either this finds the driver free, or whoever has it finds the input.
            fence(Ordering::SeqCst);
            let Some(mut guard) = self.work.try_lock() else { return Ok(()) };
            let Some(work) = guard.as_mut() else { return Ok(()) };
            let more = self.round(work, W::is_patient);
            self.set_due(work.due());
            drop(guard);
            fence(Ordering::SeqCst);
            match more {
                More::Held => break,
                More::Unknown if self.is_empty() => return Ok(()),
                More::Unknown => {}
            }
        }
        self.call();
        Ok(())
    }

    /// The own thread: until an input comes for which `ends` holds, which nobody takes; it is one of the patient ones.
    pub(super) fn run(&self, work: W, ends: impl Fn(&W::Input) -> bool) -> W {
        *self.work.lock() = Some(work);
        loop {
            self.sleep.lock().called = false;
            let mut guard = self.work.lock();
            let work = guard.as_mut().expect("only this function takes it away");
            if self.queue.lock().items.front().is_some_and(&ends) {
                let work = guard.take().expect("just looked");
                drop(guard);
                let left = {
                    let mut queue = self.queue.lock();
                    queue.closed = true;
                    std::mem::take(&mut queue.items)
                };
                drop(left);
                return work;
            }
            self.round(work, &ends);
            self.set_due(work.due());
            drop(guard);
            fence(Ordering::SeqCst);
            if !self.is_empty() || linger(|| !self.is_empty()) {
                continue;
            }
            let mut sleep = self.sleep.lock();
            while !sleep.called && Instant::now() < sleep.due {
                let due = sleep.due;
                sleep.sleeps = true;
                self.wake.wait_until(&mut sleep, due);
                sleep.sleeps = false;
            }
        }
    }

    /// Takes in what has come, up to the first for which `held` holds, and does what follows.
    fn round(&self, work: &mut W, held: impl Fn(&W::Input) -> bool) -> More {
        let mut more = More::Unknown;
        let mut items = {
            let mut queue = self.queue.lock();
            let count = queue.items.len().min(ROUND);
            let before = queue.items.iter().take(count).position(held);
            if before.is_some() {
                more = More::Held;
            }
            match before.unwrap_or(count) {
                all if all == queue.items.len() => std::mem::take(&mut queue.items),
                some => queue.items.drain(..some).collect(),
            }
        };
        items.drain(..).for_each(|input| work.take(input));
        work.perform();
        more
    }

    fn push(&self, input: W::Input) -> Result<(), Closed> {
        let mut queue = self.queue.lock();
        if queue.closed {
            return Err(Closed);
        }
        queue.items.push_back(input);
        Ok(())
    }

    fn is_empty(&self) -> bool {
        self.queue.lock().items.is_empty()
    }

    /// Wakes the own thread, or keeps it from going to sleep.
    fn call(&self) {
        let mut sleep = self.sleep.lock();
        if !std::mem::replace(&mut sleep.called, true) && sleep.sleeps {
            drop(sleep);
            self.wake.notify_one();
        }
    }

    /// Said before the driver is put back, so that the last word is the newest.
    fn set_due(&self, due: Instant) {
        let mut sleep = self.sleep.lock();
        let earlier = due < std::mem::replace(&mut sleep.due, due);
        if earlier && sleep.sleeps {
            drop(sleep);
            self.wake.notify_one();
        }
    }
}

/// Why a round is over.
#[derive(Clone, Copy, PartialEq, Eq)]
enum More {
    /// The next input is not for this round.
    Held,
    Unknown,
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::AtomicU64;
    use std::thread::{self, ThreadId};
    use std::time::Duration;

    enum Given {
        Number(u64),
        /// With who is to be told which thread did it.
        Patient(std::sync::mpsc::Sender<ThreadId>),
        /// Something is to be done then.
        At(Instant, std::sync::mpsc::Sender<Instant>),
        End,
    }

    #[derive(Default)]
    struct Adder {
        taken: u64,
        sum: Arc<AtomicU64>,
        /// What was taken is not performed yet.
        open: u64,
        later: Vec<(Instant, std::sync::mpsc::Sender<Instant>)>,
    }

    impl Work for Adder {
        type Input = Given;

        fn is_patient(input: &Given) -> bool {
            matches!(input, Given::Patient(_) | Given::End)
        }

        fn take(&mut self, input: Given) {
            match input {
                Given::Number(n) => {
                    self.open += n;
                    self.taken += 1;
                }
                Given::Patient(answer) => answer.send(thread::current().id()).unwrap(),
                Given::At(at, answer) => self.later.push((at, answer)),
                Given::End => unreachable!("ends the thread"),
            }
        }

        fn perform(&mut self) {
            self.sum.fetch_add(std::mem::take(&mut self.open), Ordering::SeqCst);
            let now = Instant::now();
            for (_, answer) in self.later.extract_if(.., |(at, _)| *at <= now) {
                let _ = answer.send(now);
            }
        }

        fn due(&self) -> Instant {
            self.later.iter().map(|l| l.0).fold(Instant::now() + Duration::from_secs(60), Instant::min)
        }
    }

    fn started() -> (Arc<Inbox<Adder>>, Arc<AtomicU64>, thread::JoinHandle<Adder>) {
        let (inbox, work) = (Arc::new(Inbox::new()), Adder::default());
        let sum = work.sum.clone();
        let own = inbox.clone();
        let thread = thread::spawn(move || own.run(work, |input| matches!(input, Given::End)));
        (inbox, sum, thread)
    }

    #[test]
    fn what_many_threads_bring_is_all_done_when_the_last_returns_or_soon_after() {
        let (inbox, sum, own) = started();
        let bringers: Vec<_> = (0..4)
            .map(|thread| {
                let inbox = inbox.clone();
                thread::spawn(move || {
                    for n in 0..20_000 {
                        let bring = if (n + thread) % 7 == 0 { Inbox::post } else { Inbox::bring };
                        bring(&inbox, Given::Number(n)).unwrap();
                    }
                })
            })
            .collect();
        bringers.into_iter().for_each(|thread| thread.join().unwrap());
        while sum.load(Ordering::SeqCst) < 4 * 19_999 * 20_000 / 2 {
            thread::yield_now();
        }
        inbox.post(Given::End).unwrap();
        assert_eq!(own.join().unwrap().taken, 80_000);
        assert_eq!(inbox.bring(Given::Number(1)), Err(Closed));
    }

    #[test]
    fn one_that_is_alone_does_it_itself_and_leaves_what_is_patient_to_the_own_thread() {
        let (inbox, sum, own) = started();
        let (answer, answered) = std::sync::mpsc::channel();
        inbox.bring(Given::Patient(answer)).unwrap();
        assert_eq!(answered.recv().unwrap(), own.thread().id());
        // The own thread has nothing to do for a minute: what is brought is done when this returns.
        while inbox.work.try_lock().is_none_or(|work| work.is_none()) || !inbox.sleep.lock().sleeps {
            thread::yield_now();
        }
        inbox.bring(Given::Number(5)).unwrap();
        assert_eq!(sum.load(Ordering::SeqCst), 5);
        inbox.post(Given::End).unwrap();
        own.join().unwrap();
    }

    #[test]
    fn the_end_is_taken_by_nobody_whenever_it_comes() {
        for _ in 0..500 {
            let (inbox, _, own) = started();
            let bringer = inbox.clone();
            let bringer = thread::spawn(move || while bringer.bring(Given::Number(1)).is_ok() {});
            inbox.post(Given::End).unwrap();
            own.join().unwrap();
            bringer.join().unwrap();
        }
    }

    #[test]
    fn what_is_due_earlier_wakes_the_own_thread_earlier() {
        let (inbox, _, own) = started();
        let (answer, answered) = std::sync::mpsc::channel();
        let at = Instant::now() + Duration::from_millis(20);
        inbox.bring(Given::At(at, answer)).unwrap();
        assert!(answered.recv_timeout(Duration::from_secs(30)).unwrap() >= at);
        inbox.post(Given::End).unwrap();
        own.join().unwrap();
    }
}
