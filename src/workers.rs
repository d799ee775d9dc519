//! Threads for what many have to do now and then: as many as are busy, up to a bound. Those that find nothing to do end.
//!
//! A database that nobody uses has no thread of its own, and many that are used at once share what there is: whoever has had its
//! turn goes to the end of the line if others wait.

use parking_lot::{Condvar, Mutex};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

/// How often a thread lets others run before it sleeps.
const LINGERS: usize = 4;

/// Whether there is something to do, before a thread sleeps until there is: others run first, a few times. On few cores it is they who
/// bring it; then neither sleep nor wake-up has to be asked of the system, and what several of them bring is done as one. Where
/// nobody else wants to run, this is over in a microsecond.
pub fn linger(mut found: impl FnMut() -> bool) -> bool {
    (0..LINGERS).any(|_| {
        std::thread::yield_now();
        found()
    })
}

/// How long a thread waits for something to do before it ends.
const PATIENCE: Duration = Duration::from_secs(10);

type Job = Box<dyn FnOnce() + Send>;

/// Threads of one name.
///
/// Whoever looks for something to do finds it without being woken; of those that sleep, the one that had something to do last
/// is woken first: it is the one that still has in its caches what the next job needs.
pub struct Workers {
    name: &'static str,
    most: usize,
    state: Mutex<State>,
}

struct State {
    jobs: VecDeque<Job>,
    threads: usize,
    /// How many look for something to do.
    looking: usize,
    /// Those that sleep; the last went to sleep last. Whoever wakes one takes it off.
    asleep: Vec<Arc<Condvar>>,
}

impl Workers {
    pub const fn new(name: &'static str, most: usize) -> Workers {
        let state = State { jobs: VecDeque::new(), threads: 0, looking: 0, asleep: Vec::new() };
        Workers { name, most, state: Mutex::new(state) }
    }

    /// `urgent`: if all threads are busy there is to be another one, up to the bound.
    fn run(&'static self, job: Job, urgent: bool) {
        let mut state = self.state.lock();
        state.jobs.push_back(job);
        if state.looking >= state.jobs.len() {
            return;
        }
        if let Some(sleeper) = state.asleep.pop() {
            drop(state);
            sleeper.notify_one();
            return;
        }
        if state.looking > 0 && !urgent {
            return;
        }
        if state.threads >= if urgent { self.most } else { 1 } {
            return;
        }
        state.threads += 1;
        drop(state);
        self.begin();
    }

    fn begin(&'static self) {
        let thread = std::thread::Builder::new().name(self.name.to_owned()).spawn(|| self.work());
        if let Err(error) = thread {
            self.state.lock().threads -= 1;
            tracing::warn!(%error, threads = self.name, "there is no other thread: what is to be done waits");
        }
    }

    fn work(&'static self) {
        let _leaves = Leaves(self);
        let own = Arc::new(Condvar::new());
        let mut state = self.state.lock();
        loop {
            while let Some(job) = state.jobs.pop_front() {
                drop(state);
                job();
                state = self.state.lock();
            }
            state.looking += 1;
            drop(state);
            linger(|| self.has_waiting());
            state = self.state.lock();
            state.looking -= 1;
            if !state.jobs.is_empty() {
                continue;
            }
            state.asleep.push(Arc::clone(&own));
            let late = own.wait_for(&mut state, PATIENCE).timed_out();
            // Nobody has woken it.
            if let Some(at) = state.asleep.iter().position(|sleeper| Arc::ptr_eq(sleeper, &own)) {
                state.asleep.remove(at);
                if late && state.jobs.is_empty() {
                    return;
                }
            }
        }
    }

    fn has_waiting(&self) -> bool {
        !self.state.lock().jobs.is_empty()
    }
}

/// A thread that ends, however it does.
struct Leaves(&'static Workers);

impl Drop for Leaves {
    fn drop(&mut self) {
        let mut state = self.0.state.lock();
        // What has come since its last look would wait for the next call.
        let goes = state.jobs.is_empty();
        state.threads -= usize::from(goes);
        drop(state);
        if !goes {
            self.0.begin();
        }
    }
}

/// Something that has turns, at most one at a time, on whichever thread is free.
pub struct Task<T: Send + 'static> {
    workers: &'static Workers,
    turns: Mutex<Turns>,
    over: Condvar,
    own: Mutex<Option<T>>,
    turn: fn(&mut T),
}

#[derive(Default)]
struct Turns {
    called: bool,
    under_way: bool,
    ended: bool,
}

impl<T: Send + 'static> Task<T> {
    pub fn new(workers: &'static Workers, own: T, turn: fn(&mut T)) -> Arc<Task<T>> {
        let (turns, over, own) = (Mutex::default(), Condvar::new(), Mutex::new(Some(own)));
        Arc::new(Task { workers, turns, over, own, turn })
    }

    /// A turn begins after this call, soon.
    pub fn call(self: &Arc<Self>) {
        self.ask(true);
    }

    /// A turn begins after this call, when a thread has time.
    pub fn remind(self: &Arc<Self>) {
        self.ask(false);
    }

    fn ask(self: &Arc<Self>, urgent: bool) {
        let mut turns = self.turns.lock();
        if turns.ended {
            return;
        }
        turns.called = true;
        if !std::mem::replace(&mut turns.under_way, true) {
            drop(turns);
            self.line_up(urgent);
        }
    }

    fn line_up(self: &Arc<Self>, urgent: bool) {
        let task = self.clone();
        self.workers.run(Box::new(move || task.go()), urgent);
    }

    fn go(self: &Arc<Self>) {
        let panics = Panics(self);
        loop {
            {
                let mut turns = self.turns.lock();
                if turns.ended || !turns.called {
                    // Before the lock goes: whoever calls from here on lines it up anew.
                    turns.under_way = false;
                    std::mem::forget(panics);
                    drop(turns);
                    self.over.notify_all();
                    return;
                }
                turns.called = false;
            }
            if let Some(own) = &mut *self.own.lock() {
                (self.turn)(own);
            }
            if self.workers.has_waiting() && self.turns.lock().called {
                std::mem::forget(panics);
                return self.line_up(true);
            }
        }
    }

    /// There are no more turns; what had them is dropped when this returns.
    pub fn end(&self) {
        let mut turns = self.turns.lock();
        turns.ended = true;
        while turns.under_way {
            self.over.wait(&mut turns);
        }
        drop(turns);
        drop(self.own.lock().take());
    }
}

/// A turn that panics is the last.
struct Panics<'a, T: Send + 'static>(&'a Task<T>);

impl<T: Send + 'static> Drop for Panics<'_, T> {
    fn drop(&mut self) {
        let mut turns = self.0.turns.lock();
        (turns.under_way, turns.ended) = (false, true);
        drop(turns);
        self.0.over.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Instant;

    fn until(done: impl Fn() -> bool) {
        let begun = Instant::now();
        while !done() {
            assert!(begun.elapsed() < Duration::from_secs(60), "not in time");
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// Whatever is put in before a call is seen by a turn, and no two turns of one are at a time.
    #[test]
    fn no_call_is_missed() {
        static WORKERS: Workers = Workers::new("test", 3);
        let left: Vec<Arc<AtomicUsize>> = (0..5).map(|_| Arc::default()).collect();
        let tasks: Vec<_> = left
            .iter()
            .map(|left| {
                let own = (left.clone(), AtomicUsize::new(0));
                Task::new(&WORKERS, own, |(left, inside)| {
                    assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0);
                    left.store(0, Ordering::SeqCst);
                    inside.fetch_sub(1, Ordering::SeqCst);
                })
            })
            .collect();
        for n in 0..20_000 {
            let task = n % tasks.len();
            left[task].store(n + 1, Ordering::SeqCst);
            if n % 3 == 0 { tasks[task].remind() } else { tasks[task].call() }
        }
        until(|| left.iter().all(|left| left.load(Ordering::SeqCst) == 0));
        assert!(WORKERS.state.lock().threads <= 3);
        tasks.iter().for_each(|task| task.end());
        left[0].store(1, Ordering::SeqCst);
        tasks[0].call();
        assert_eq!((left[0].load(Ordering::SeqCst), Arc::strong_count(&left[0])), (1, 1));
    }

    /// As many threads as are busy, and no more than allowed; a reminder makes none beside the first.
    #[test]
    fn threads_are_bounded() {
        static WORKERS: Workers = Workers::new("test", 4);
        static GATE: Mutex<()> = Mutex::new(());
        let gate = GATE.lock();
        let tasks: Vec<_> =
            (0..9).map(|_| Task::new(&WORKERS, 0, |turns| (drop(GATE.lock()), *turns += 1).1)).collect();
        tasks.iter().for_each(Task::remind);
        assert_eq!(WORKERS.state.lock().threads, 1);
        let others: Vec<_> =
            (0..9).map(|_| Task::new(&WORKERS, 0, |turns| (drop(GATE.lock()), *turns += 1).1)).collect();
        others.iter().for_each(Task::call);
        assert_eq!(WORKERS.state.lock().threads, 4);
        drop(gate);
        until(|| tasks.iter().chain(&others).all(|task| *task.own.lock() == Some(1)));
    }

    /// What comes one after the other is done by one thread, however many there are.
    #[test]
    fn the_last_to_sleep_is_woken_first() {
        static WORKERS: Workers = Workers::new("test", 2);
        static GATE: Mutex<()> = Mutex::new(());
        let gate = GATE.lock();
        let both: Vec<_> = (0..2).map(|_| Task::new(&WORKERS, (), |()| drop(GATE.lock()))).collect();
        both.iter().for_each(Task::call);
        drop(gate);
        let all_sleep = || WORKERS.state.lock().asleep.len() == 2;
        until(all_sleep);
        let task = Task::new(&WORKERS, Vec::new(), |by: &mut Vec<_>| by.push(std::thread::current().id()));
        for _ in 0..20 {
            task.call();
            until(|| !task.turns.lock().under_way && all_sleep());
        }
        let by = task.own.lock().take().unwrap();
        assert!(by.len() == 20 && by.iter().all(|id| *id == by[0]), "{by:?}");
    }

    #[test]
    fn one_that_has_panicked_ends() {
        static WORKERS: Workers = Workers::new("test", 1);
        let task = Task::new(&WORKERS, (), |()| panic!("on purpose"));
        task.call();
        task.end();
        let next = Task::new(&WORKERS, 0, |turns| *turns += 1);
        next.call();
        until(|| *next.own.lock() == Some(1));
    }
}
