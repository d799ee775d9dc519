//! Asynchronous code under the simulation's clock: one thread, tasks in the order of their numbers, time that only the
//! world moves.
//!
//! Production code meets this as its [`Host`]. Whoever wakes whom in which order does not matter, because tasks that are
//! ready run in the order in which they were made.

use super::random::Random;
use futures::future::BoxFuture;
use quorate::host::{Defect, Host};
use std::collections::{BTreeMap, BTreeSet};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant};

/// Time, and what waits for it.
pub struct Clock {
    /// Far in the future, so that no look at the machine's own clock ever finds a deadline passed.
    origin: Instant,
    now: AtomicU64,
    timers: Mutex<Timers>,
}

#[derive(Default)]
struct Timers {
    next: u64,
    waiting: BTreeMap<(u64, u64), Waker>,
}

impl Clock {
    pub fn new() -> Arc<Clock> {
        let origin = Instant::now() + Duration::from_secs(30 * 24 * 3600);
        Arc::new(Clock { origin, now: AtomicU64::new(0), timers: Mutex::default() })
    }

    pub fn micros(&self) -> u64 {
        self.now.load(Ordering::Relaxed)
    }

    pub fn now(&self) -> Instant {
        self.at(self.micros())
    }

    fn at(&self, micros: u64) -> Instant {
        self.origin + Duration::from_micros(micros)
    }

    /// The next moment that somebody waits for.
    pub fn next(&self) -> Option<u64> {
        self.timers.lock().expect("one thread").waiting.first_key_value().map(|((at, _), _)| *at)
    }

    /// It is that late now.
    pub fn set(&self, micros: u64) {
        self.now.store(micros, Ordering::Relaxed);
        let mut timers = self.timers.lock().expect("one thread");
        let later = timers.waiting.split_off(&(micros + 1, 0));
        let due = std::mem::replace(&mut timers.waiting, later);
        drop(timers);
        due.into_values().for_each(Waker::wake);
    }
}

struct Sleep {
    clock: Arc<Clock>,
    at: u64,
    key: Option<(u64, u64)>,
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if self.clock.micros() >= self.at {
            return Poll::Ready(());
        }
        let (clock, at) = (self.clock.clone(), self.at);
        let mut timers = clock.timers.lock().expect("one thread");
        let key = *self.key.get_or_insert_with(|| {
            timers.next += 1;
            (at, timers.next)
        });
        timers.waiting.insert(key, context.waker().clone());
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Some(key) = self.key {
            self.clock.timers.lock().expect("one thread").waiting.remove(&key);
        }
    }
}

#[derive(Default)]
struct Ready(Mutex<BTreeSet<u64>>);

struct Bell {
    task: u64,
    ready: Arc<Ready>,
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.ready.0.lock().expect("one thread").insert(self.task);
    }
}

/// A node and the number of its process.
pub type Pid = (u64, u64);

struct Task {
    process: Pid,
    future: BoxFuture<'static, ()>,
}

/// All tasks of all processes.
#[derive(Default)]
pub struct Tasks {
    next: u64,
    tasks: BTreeMap<u64, Task>,
    ready: Arc<Ready>,
}

impl Tasks {
    pub fn spawn(&mut self, process: Pid, future: BoxFuture<'static, ()>) -> u64 {
        self.next += 1;
        self.tasks.insert(self.next, Task { process, future });
        self.ready.0.lock().expect("one thread").insert(self.next);
        self.next
    }

    /// Runs the first task that is ready and whose process may run. False when there is none.
    pub fn step(&mut self, runs: impl Fn(Pid) -> bool) -> bool {
        let ready: Vec<u64> = self.ready.0.lock().expect("one thread").iter().copied().collect();
        for id in ready {
            let Some(task) = self.tasks.get_mut(&id) else {
                self.ready.0.lock().expect("one thread").remove(&id);
                continue;
            };
            if !runs(task.process) {
                continue;
            }
            self.ready.0.lock().expect("one thread").remove(&id);
            let waker = Waker::from(Arc::new(Bell { task: id, ready: self.ready.clone() }));
            if task.future.as_mut().poll(&mut Context::from_waker(&waker)).is_ready() {
                self.tasks.remove(&id);
            }
            return true;
        }
        false
    }

    /// Drops a task where it stands.
    pub fn end(&mut self, task: u64) {
        drop(self.tasks.remove(&task));
    }

    /// Drops all tasks of a process.
    pub fn end_all(&mut self, process: Pid) {
        let gone: Vec<u64> = self.tasks.iter().filter(|(_, t)| t.process == process).map(|(id, _)| *id).collect();
        gone.into_iter().for_each(|task| self.end(task));
    }
}

/// What a process takes from its surroundings.
pub struct Process {
    pub id: Pid,
    clock: Arc<Clock>,
    random: Mutex<Random>,
    defect: Option<Defect>,
    /// After its death nothing that is dropped may do anything any more.
    alive: AtomicBool,
    spawned: Mutex<Vec<BoxFuture<'static, ()>>>,
}

impl Process {
    pub fn new(id: Pid, clock: Arc<Clock>, seed: u64, defect: Option<Defect>) -> Arc<Process> {
        let (random, alive) = (Mutex::new(Random::new(seed)), AtomicBool::new(true));
        Arc::new(Process { id, clock, random, defect, alive, spawned: Mutex::default() })
    }

    pub fn is_alive(&self) -> bool {
        self.alive.load(Ordering::Relaxed)
    }

    /// Simulated time.
    pub fn micros(&self) -> u64 {
        self.clock.micros()
    }

    pub fn die(&self) {
        self.alive.store(false, Ordering::Relaxed);
        let spawned = std::mem::take(&mut *self.spawned.lock().expect("one thread"));
        drop(spawned);
    }

    /// What it wants to have run.
    pub fn spawned(&self) -> Vec<BoxFuture<'static, ()>> {
        std::mem::take(&mut *self.spawned.lock().expect("one thread"))
    }
}

impl Host for Process {
    fn now(&self) -> Instant {
        self.clock.now()
    }

    fn sleep_until(&self, at: Instant) -> BoxFuture<'static, ()> {
        let at = at.saturating_duration_since(self.clock.origin).as_micros() as u64;
        Box::pin(Sleep { clock: self.clock.clone(), at, key: None })
    }

    fn spawn(&self, task: BoxFuture<'static, ()>) -> bool {
        let alive = self.is_alive();
        if alive {
            self.spawned.lock().expect("one thread").push(task);
        }
        alive
    }

    fn random(&self) -> u64 {
        self.random.lock().expect("one thread").next()
    }

    fn has(&self, defect: Defect) -> bool {
        self.defect == Some(defect)
    }
}
