//! Drives the load: client threads, closed or open loop, and what they record.
//!
//! Each thread runs its clients on a runtime of its own, so that an operation needs no hop between threads. In the open
//! loop one pacing thread per client thread hands out intended starts, and whichever client is free takes the next: a
//! stall makes the queue grow, and its length is in the latencies.

use crate::ledger::Ledger;
use crate::stats::{Latencies, Timeline};
use crate::workload::{Actor, Failure, Link, Workload};
use futures::future::join_all;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tokio::sync::Mutex;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::{LocalSet, spawn_local};
use tokio_postgres::Config;

/// After an error a client waits this long, so that immediate refusals do not become a busy loop.
const AFTER_ERROR: Duration = Duration::from_millis(1);
const AFTER_FAILED_CONNECT: Duration = Duration::from_millis(5);
/// A node that does not even accept is left for the next one after this time.
const CONNECT_WITHIN: Duration = Duration::from_millis(500);
const FIRST_CONNECT_WITHIN: Duration = Duration::from_secs(10);
/// Open loop: how long after the window arrivals that had to wait may still start.
const DRAIN: Duration = Duration::from_secs(5);

#[derive(Clone)]
pub struct Load {
    /// Clients are spread over them; one that loses its connection goes on with the next.
    pub targets: Vec<Config>,
    pub workload: Workload,
    pub prefix: String,
    pub clients: u64,
    pub rows: u64,
    pub threads: usize,
    pub warmup: Duration,
    pub window: Duration,
    /// Operations per second of the open loop; none for the closed loop.
    pub rate: Option<f64>,
    /// How long an operation may take before its connection is given up.
    pub timeout: Duration,
}

/// What was seen in the window, all clients together.
#[derive(Clone, Default)]
pub struct Outcome {
    /// Open loop: from the intended start. Closed loop: from the start.
    pub latencies: Latencies,
    /// From the moment a client sent it.
    pub service: Latencies,
    pub timeline: Timeline,
    /// By SQLSTATE or kind of loss.
    pub errors: BTreeMap<String, u64>,
    /// The first message of each kind.
    pub messages: BTreeMap<String, String>,
    pub reconnects: u64,
    pub failed_connects: u64,
    /// Open loop: arrivals that were never started.
    pub unserved: u64,
    pub ledgers: Vec<Ledger>,
}

impl Outcome {
    fn merge(&mut self, other: Outcome) {
        self.latencies.merge(&other.latencies);
        self.service.merge(&other.service);
        self.timeline.merge(&other.timeline);
        for (code, count) in other.errors {
            *self.errors.entry(code).or_default() += count;
        }
        for (code, message) in other.messages {
            self.messages.entry(code).or_insert(message);
        }
        self.reconnects += other.reconnects;
        self.failed_connects += other.failed_connects;
        self.unserved += other.unserved;
        self.ledgers.extend(other.ledgers);
    }
}

/// A load under way.
pub struct Running {
    /// The start of the window, after the warm-up.
    pub epoch: Instant,
    window: Duration,
    threads: Vec<JoinHandle<Outcome>>,
}

/// Connects all clients, then starts them at once.
pub fn start(load: &Load) -> Result<Running, String> {
    let threads = load.threads.clamp(1, load.clients as usize);
    let (ready, all_ready) = mpsc::channel();
    let mut starters = Vec::new();
    let mut handles = Vec::new();
    for thread in 0..threads {
        let (go, start) = mpsc::channel();
        let (load, ready) = (load.clone(), ready.clone());
        let ids: Vec<u64> = (0..load.clients).filter(|id| *id as usize % threads == thread).collect();
        starters.push(go);
        handles.push(std::thread::spawn(move || client_thread(load, ids, threads, ready, start)));
    }
    drop(ready);
    for connected in all_ready.iter().take(threads) {
        connected?;
    }
    let epoch = Instant::now() + load.warmup + Duration::from_millis(5);
    for go in starters {
        go.send(epoch).map_err(|_| "a client thread ended before the start")?;
    }
    Ok(Running { epoch, window: load.window, threads: handles })
}

impl Running {
    pub fn join(self) -> Result<Outcome, String> {
        let mut sum = Outcome { timeline: Timeline::new(self.window.as_micros() as u64), ..Outcome::default() };
        for thread in self.threads {
            sum.merge(thread.join().map_err(|_| "a client thread panicked")?);
        }
        Ok(sum)
    }
}

fn client_thread(
    load: Load,
    ids: Vec<u64>,
    threads: usize,
    ready: mpsc::Sender<Result<(), String>>,
    start: mpsc::Receiver<Instant>,
) -> Outcome {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(e) => {
            let _ = ready.send(Err(e.to_string()));
            return Outcome::default();
        }
    };
    LocalSet::new().block_on(&runtime, async move {
        let links = join_all(ids.iter().map(|id| first_link(&load, *id))).await;
        let links: Result<Vec<Link>, String> = links.into_iter().collect();
        let links = match links {
            Ok(links) => links,
            Err(e) => {
                let _ = ready.send(Err(e));
                return Outcome::default();
            }
        };
        let _ = ready.send(Ok(()));
        // Nothing else runs on this thread yet, so it may block.
        let Ok(epoch) = start.recv() else { return Outcome::default() };
        run_clients(load, ids, links, threads, epoch).await
    })
}

async fn first_link(load: &Load, id: u64) -> Result<Link, String> {
    let target = &load.targets[id as usize % load.targets.len()];
    let open = Link::open(target, load.workload, &load.prefix);
    match tokio::time::timeout(FIRST_CONNECT_WITHIN, open).await {
        Ok(result) => result.map_err(|e| format!("client {id}: {e}")),
        Err(_) => Err(format!("client {id}: no connection within {} s", FIRST_CONNECT_WITHIN.as_secs())),
    }
}

async fn run_clients(load: Load, ids: Vec<u64>, links: Vec<Link>, threads: usize, epoch: Instant) -> Outcome {
    let arrivals = load.rate.map(|rate| {
        let (sender, receiver) = unbounded_channel();
        let (first, period) = (epoch - load.warmup, threads as f64 / rate);
        let end = epoch + load.window;
        std::thread::spawn(move || pace(first, period, end, sender));
        Mutex::new(receiver)
    });
    let timeline = Timeline::new(load.window.as_micros() as u64);
    let desk = Rc::new(Desk {
        end: epoch + load.window,
        epoch,
        arrivals,
        outcome: RefCell::new(Outcome { timeline, ..Outcome::default() }),
        load,
    });
    let clients: Vec<_> = ids
        .into_iter()
        .zip(links)
        .map(|(id, link)| {
            let actor = Actor::new(id, desk.load.clients, desk.load.rows);
            spawn_local(client(desk.clone(), actor, link))
        })
        .collect();
    let ledgers = join_all(clients).await;
    let mut outcome = desk.outcome.take();
    outcome.ledgers = ledgers.into_iter().flatten().collect();
    if let Some(arrivals) = &desk.arrivals {
        let mut arrivals = arrivals.lock().await;
        while arrivals.recv().await.is_some() {
            outcome.unserved += 1;
        }
    }
    outcome
}

/// Sends intended starts when they are due. A thread's sleep is finer than the runtime's timer of 1 ms.
fn pace(first: Instant, period: f64, end: Instant, sender: UnboundedSender<Instant>) {
    for i in 0u64.. {
        let intended = first + Duration::from_secs_f64(period * i as f64);
        if intended >= end {
            return;
        }
        std::thread::sleep(intended.saturating_duration_since(Instant::now()));
        if sender.send(intended).is_err() {
            return;
        }
    }
}

/// What the clients of one thread share.
struct Desk {
    load: Load,
    epoch: Instant,
    end: Instant,
    arrivals: Option<Mutex<UnboundedReceiver<Instant>>>,
    outcome: RefCell<Outcome>,
}

impl Desk {
    /// Waits until an operation is due and returns its intended start, if that is not simply now; `Err` at the end.
    async fn next(&self) -> Result<Option<Instant>, ()> {
        let Some(arrivals) = &self.arrivals else {
            return if Instant::now() < self.end { Ok(None) } else { Err(()) };
        };
        let intended = arrivals.lock().await.recv().await.ok_or(())?;
        if Instant::now() < self.end + DRAIN {
            return Ok(Some(intended));
        }
        self.outcome.borrow_mut().unserved += 1;
        Err(())
    }

    fn micros(&self, at: Instant) -> Option<u64> {
        at.checked_duration_since(self.epoch).map(|d| d.as_micros() as u64)
    }

    fn success(&self, intended: Instant, begun: Instant) {
        let done = Instant::now();
        let mut outcome = self.outcome.borrow_mut();
        let latency = (done - intended).as_nanos() as u64;
        if let Some(at) = self.micros(done) {
            outcome.timeline.success(at, latency);
        }
        if intended >= self.epoch {
            outcome.latencies.record(latency);
            outcome.service.record((done - begun).as_nanos() as u64);
        }
    }

    fn failure(&self, failure: &Failure) {
        let mut outcome = self.outcome.borrow_mut();
        if let Some(at) = self.micros(Instant::now()) {
            outcome.timeline.error(at);
        }
        *outcome.errors.entry(failure.code.clone()).or_default() += 1;
        outcome.messages.entry(failure.code.clone()).or_insert_with(|| failure.message.clone());
    }

    /// Tries the targets in turn until one takes the client, or the time is over.
    async fn reconnect(&self, target: &mut usize) -> Option<Link> {
        let targets = &self.load.targets;
        while Instant::now() < self.end {
            *target = (*target + 1) % targets.len();
            let open = Link::open(&targets[*target], self.load.workload, &self.load.prefix);
            if let Ok(Ok(link)) = tokio::time::timeout(CONNECT_WITHIN, open).await {
                self.outcome.borrow_mut().reconnects += 1;
                return Some(link);
            }
            self.outcome.borrow_mut().failed_connects += 1;
            tokio::time::sleep(AFTER_FAILED_CONNECT).await;
        }
        None
    }
}

async fn client(desk: Rc<Desk>, mut actor: Actor, link: Link) -> Ledger {
    let mut target = actor.id() as usize % desk.load.targets.len();
    let mut link = Some(link);
    while let Ok(intended) = desk.next().await {
        let Some(open) = &link else {
            link = desk.reconnect(&mut target).await;
            match (&link, intended) {
                (None, Some(_)) => desk.outcome.borrow_mut().unserved += 1,
                (None, None) => {}
                // The operation that was due is carried out over the new connection.
                (Some(open), _) => {
                    let gone = operation(&desk, &mut actor, open, intended).await;
                    link = link.filter(|_| !gone);
                }
            }
            continue;
        };
        if operation(&desk, &mut actor, open, intended).await {
            link = None;
        }
    }
    actor.ledger
}

/// Runs one operation; true if the connection is gone.
async fn operation(desk: &Desk, actor: &mut Actor, link: &Link, intended: Option<Instant>) -> bool {
    let begun = Instant::now();
    match actor.step(desk.load.workload, link, desk.load.timeout).await {
        Ok(()) => {
            desk.success(intended.unwrap_or(begun), begun);
            false
        }
        Err(failure) => {
            desk.failure(&failure);
            tokio::time::sleep(AFTER_ERROR).await;
            failure.gone
        }
    }
}
