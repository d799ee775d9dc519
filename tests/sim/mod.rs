//! Deterministic simulation: real consensus core, real SQLite state machine, everything else imagined.
//!
//! One thread, one queue of what happens next, one source of chance. The clock, the network, the disks, the crashes
//! and the clients are the simulation's ([`world`]); what a seed turns on is its [`plan`]; what must hold is the
//! [`oracle`]'s business. What a node decides is production's own [`Conductor`](quorate::replica::conductor::Conductor), and what it
//! applies goes through its [`Applier`](quorate::replica::apply::Applier); only their actions are performed here ([`world`]). So the
//! driver's threads, the wire and the log on disk are not covered: the tests with real processes are for them.
//!
//! A failing seed is shortened ([`shrink`]); printed are its plan, what of it was not needed, and the command that repeats it:
//! - `QUORATE_SIM_SEED=n cargo test --test tests sim::seeds -- --nocapture` runs one, with a trace;
//! - `QUORATE_SIM_CUTS=…` leaves out of it what was not needed;
//! - `QUORATE_SIM_SEEDS=from..to` runs others than the default ones;
//! - `QUORATE_SIM_EDN=directory` writes what the clients of transactions saw, for Elle.
//!
//! That the checks would find something is shown by mistakes on purpose ([`planted`]).

mod below;
mod connection;
mod gateway;
pub mod history;
mod members;
pub mod node;
pub mod oracle;
mod plan;
mod planted;
pub mod random;
mod schema;
mod session;
mod shrink;
mod state;
mod tasks;
mod time;
mod transactions;
mod world;

use plan::Plan;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use world::{Report, World};

/// Run when nothing else is asked for.
const DEFAULT: Range<u64> = 0..300;
/// The same, with transactions.
const TRANSACTIONS: Range<u64> = 0..60;

/// Of the thread of a run: unoptimised code needs more than a thread usually has.
const STACK: usize = 64 << 20;

/// Runs a plan; the error says what went wrong.
fn run(plan: Plan, trace: bool) -> Result<Report, String> {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(STACK);
        let thread = thread.spawn_scoped(scope, || run_here(plan, trace)).expect("a thread");
        thread.join().unwrap_or_else(|_| Err("panic outside of the run".to_owned()))
    })
}

fn run_here(plan: Plan, trace: bool) -> Result<Report, String> {
    let mut world = World::new(plan, trace);
    // The core asserts some of its invariants itself.
    let result = match catch_unwind(AssertUnwindSafe(|| world.run())) {
        Ok(result) => result.map(|()| world.report.clone()),
        Err(panic) => {
            let text = panic.downcast_ref::<String>().cloned();
            let text = text.or_else(|| panic.downcast_ref::<&str>().map(|s| (*s).to_owned()));
            Err(format!("panic: {}", text.unwrap_or_default()))
        }
    };
    if let Ok(directory) = std::env::var("QUORATE_SIM_EDN") {
        let file = std::path::Path::new(&directory).join(format!("seed-{}.edn", world.plan.seed));
        let text = world.chronicle.with(|recorded| recorded.history.edn());
        std::fs::write(&file, text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    }
    result
}

/// Runs seeds on all processors, each on one thread.
fn run_all(seeds: Range<u64>, each: impl Fn(u64) -> bool + Sync) {
    let next = AtomicU64::new(seeds.start);
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(4);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= seeds.end || !each(seed) {
                        return;
                    }
                }
            });
        }
    });
}

fn wanted(default: Range<u64>) -> (Range<u64>, bool) {
    let number = |text: &str| text.trim().parse::<u64>().expect("a seed is a number");
    if let Ok(seed) = std::env::var("QUORATE_SIM_SEED") {
        let seed = number(&seed);
        return (seed..seed + 1, true);
    }
    match std::env::var("QUORATE_SIM_SEEDS") {
        Ok(text) => {
            let (from, to) = text.split_once("..").expect("QUORATE_SIM_SEEDS=from..to");
            (number(from)..number(to), false)
        }
        Err(_) => (default, false),
    }
}

/// Runs the seeds that are asked for and reports what fails.
fn run_seeds(test: &str, default: Range<u64>, plan: fn(u64) -> Plan) {
    let (seeds, trace) = wanted(default);
    let failures = Mutex::new(Vec::new());
    let reports = Mutex::new(Vec::new());
    let begun = std::time::Instant::now();
    run_all(seeds.clone(), |seed| {
        match run(shrink::cut(plan(seed)), trace) {
            Ok(report) => reports.lock().unwrap().push(report),
            Err(error) => failures.lock().unwrap().push((seed, error)),
        }
        failures.lock().unwrap().len() < 10
    });
    let reports = reports.into_inner().unwrap();
    let sum = |field: fn(&Report) -> u64| reports.iter().map(field).sum::<u64>();
    println!(
        "{} seeds in {:.1?}: {} commits, {} writes, {} reads, {} transactions committed and {} not, {} elections, {} crashes, \
         {} snapshots, {} compactions, {} messages, {} fetches, {} changes of membership, {} machines lost, {} ticks at rest, {} actions, longest recovery {} ms",
        reports.len(),
        begun.elapsed(),
        sum(|r| r.commits),
        sum(|r| r.writes),
        sum(|r| r.reads),
        sum(|r| r.transactions),
        sum(|r| r.refused),
        sum(|r| r.elections),
        sum(|r| r.crashes),
        sum(|r| r.snapshots),
        sum(|r| r.compactions),
        sum(|r| r.messages),
        sum(|r| r.fetches),
        sum(|r| r.changes),
        sum(|r| r.wiped),
        sum(|r| r.rested),
        sum(|r| r.actions),
        reports.iter().map(|r| r.recovery).max().unwrap_or(0) / 1000,
    );
    let mut failures = failures.into_inner().unwrap();
    failures.sort();
    for (seed, error) in &failures {
        eprintln!("seed {seed}: {error}\n  {:?}", plan(*seed));
        eprintln!("  repeat: QUORATE_SIM_SEED={seed} cargo test --test tests sim::{test} -- --nocapture");
    }
    if let Some((seed, error)) = failures.first().filter(|_| !trace) {
        let (cuts, plan, error) = shrink::shorten(plan(*seed), error);
        eprintln!("seed {seed} in short: {error}\n  {plan:?}");
        let cuts = cuts.join(",");
        eprintln!(
            "  repeat: QUORATE_SIM_SEED={seed} QUORATE_SIM_CUTS={cuts} cargo test --test tests sim::{test} -- --nocapture"
        );
    }
    assert!(failures.is_empty(), "{} of {} seeds failed, first {}", failures.len(), seeds.count(), failures[0].0);
}

#[test]
fn seeds() {
    run_seeds("seeds", DEFAULT, Plan::new);
}

#[test]
fn transactions() {
    run_seeds("transactions", TRANSACTIONS, Plan::with_transactions);
}

#[test]
fn a_seed_always_does_the_same() {
    for seed in 0..6 {
        assert_eq!(run(Plan::new(seed), false), run(Plan::new(seed), false), "seed {seed}");
        let plan = || Plan::with_transactions(seed);
        assert_eq!(run(plan(), false), run(plan(), false), "seed {seed} with transactions");
        // Many wait when a process ends, and all are told: in an order that is no chance's either.
        let plan = || Plan::with_bug(seed + 5, plan::Bug::ReuseReadContext);
        assert_eq!(run(plan(), false), run(plan(), false), "seed {} with many crashes", seed + 5);
    }
}
