//! What a statement may spend: work, memory, and time. One accountant for everything that runs in it.
//!
//! A connection has a [`Meter`]. Whoever steps a statement enters it ([`Meter::enter`]); from then on, on this thread, our
//! functions count what they do ([`work`]) and what they hold ([`hold`]) without being handed anything. SQLite's own
//! instructions are counted by its progress handler ([`Meter::tick`]).
//!
//! **Work** is counted in units of about a SQLite instruction, some ten nanoseconds. The count depends on the statement and
//! on what it reads, never on the machine: so a budget in units may decide an outcome in the log, where a clock may not.
//! **Memory** is counted twice. What our functions hold at a time, in bytes by the sizes of values, is the same everywhere as
//! well, and limited in the log too. What SQLite allocates while a statement runs ([`allocate`]) depends on what is cached;
//! it is limited where nothing depends on the answer: in reads, and where writes are tried. Both count for the node, which
//! has a limit of its own ([`limit_node`]); beyond that it is who has much that is refused more ([`SMALL`]). **Time**: at least every
//! [`STRIDE`] units, somebody else is asked whether to stop ([`Meter::watch`]); what it says is not in the count.

use crate::error::{SqlError, SqlResult, state};
use parking_lot::Mutex;
use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU8, AtomicU64, Ordering::Relaxed};

/// Units between two questions whether to stop: a fraction of a millisecond.
pub const STRIDE: usize = 1 << 14;
/// Bytes that a statement counts for itself before it tells the node.
const BATCH: i64 = 1 << 18;
/// Bytes that a statement may have whatever others have: who wants a row is not refused because somebody else holds
/// hundreds of megabytes.
const SMALL: i64 = 4 << 20;
/// Bytes that all statements of this process have, and may have.
static NODE: AtomicI64 = AtomicI64::new(0);
static NODE_LIMIT: AtomicI64 = AtomicI64::new(i64::MAX);
/// No limit.
pub const UNLIMITED: u64 = u64::MAX;
/// Units that a command in the log may take: minutes. Nothing that came to its end when the leader tried it should get here,
/// and nothing that is not tried. The same on every replica: another number is another meaning of the log.
pub const WORK_IN_THE_LOG: u64 = 1 << 33;
/// Bytes that the functions of a statement may hold in the log, where the limit must be the same on every replica.
pub const MEMORY_IN_THE_LOG: u64 = 256 << 20;

/// Why a statement had to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// The watch said so.
    Watch,
    /// More work than its budget.
    Work,
}

/// Limits of a statement, or of a command in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Units.
    pub work: u64,
    /// Bytes that functions may hold.
    pub memory: u64,
    /// Bytes that SQLite may allocate; also whether the node's limit is of interest.
    pub allocations: u64,
}

impl Limits {
    pub const NONE: Limits = Limits { work: UNLIMITED, memory: UNLIMITED, allocations: UNLIMITED };

    /// Of a statement whose outcome nobody else depends on.
    pub fn local(memory: u64) -> Limits {
        Limits { work: UNLIMITED, memory, allocations: memory }
    }
}

/// How many bytes all statements of this process may have that are not the log's.
pub fn limit_node(bytes: u64) {
    NODE_LIMIT.store(i64::try_from(bytes).unwrap_or(i64::MAX), Relaxed);
}

/// Bytes that all statements of this process have, to some hundred kB for each.
pub fn node() -> u64 {
    NODE.load(Relaxed).max(0) as u64
}

/// Whether to stop.
pub type Watch = Box<dyn FnMut() -> bool + Send>;

/// The accountant of one connection, which one thread uses at a time.
pub struct Meter {
    spent: AtomicU64,
    held: AtomicU64,
    work: AtomicU64,
    memory: AtomicU64,
    /// Bytes that SQLite has allocated and not given back while the statement ran.
    allocated: AtomicI64,
    allocations: AtomicU64,
    /// Bytes that the node was told.
    told: AtomicI64,
    /// Units at which the watch is asked next.
    next: AtomicU64,
    /// A [`Stop`], from 1; 0: none.
    stopped: AtomicU8,
    watch: Mutex<Option<Watch>>,
}

impl Default for Meter {
    fn default() -> Meter {
        Meter {
            spent: AtomicU64::new(0),
            held: AtomicU64::new(0),
            work: AtomicU64::new(UNLIMITED),
            memory: AtomicU64::new(UNLIMITED),
            allocated: AtomicI64::new(0),
            allocations: AtomicU64::new(UNLIMITED),
            told: AtomicI64::new(0),
            next: AtomicU64::new(STRIDE as u64),
            stopped: AtomicU8::new(0),
            watch: Mutex::new(None),
        }
    }
}

thread_local! {
    /// Whose statement runs on this thread.
    static CURRENT: RefCell<Option<Arc<Meter>>> = const { RefCell::new(None) };
}

/// While it lives, the thread works for a meter.
pub struct Entered(Option<Arc<Meter>>);

impl Drop for Entered {
    fn drop(&mut self) {
        CURRENT.set(self.0.take());
    }
}

impl Meter {
    /// Who is asked whether to stop. It is asked on the thread that runs the statement.
    pub fn watch(&self, watch: Watch) {
        *self.watch.lock() = Some(watch);
    }

    /// Begins to count anew.
    pub fn begin(&self, limits: Limits) {
        self.spent.store(0, Relaxed);
        self.held.store(0, Relaxed);
        self.next.store(STRIDE as u64, Relaxed);
        self.stopped.store(0, Relaxed);
        self.work.store(limits.work, Relaxed);
        self.memory.store(limits.memory, Relaxed);
        self.allocated.store(0, Relaxed);
        self.allocations.store(limits.allocations, Relaxed);
        self.tell();
    }

    /// Tells the node what has changed. Whether there is room.
    fn tell(&self) -> bool {
        let has = self.allocated.load(Relaxed) + self.held.load(Relaxed) as i64;
        let change = has - self.told.swap(has, Relaxed);
        let node = if change == 0 { NODE.load(Relaxed) } else { NODE.fetch_add(change, Relaxed) + change };
        change <= 0 || node <= NODE_LIMIT.load(Relaxed)
    }

    /// Whether what it has now is within the limits, as far as they are local.
    fn fits(&self) -> bool {
        let has = self.allocated.load(Relaxed) + self.held.load(Relaxed) as i64;
        if (has - self.told.load(Relaxed)).abs() < BATCH {
            return true;
        }
        self.tell() || has <= SMALL || self.allocations.load(Relaxed) == UNLIMITED
    }

    fn allocate(&self, bytes: i64) -> bool {
        let allocated = self.allocated.load(Relaxed) + bytes;
        if bytes > 0 && allocated > 0 && allocated as u64 > self.allocations.load(Relaxed) {
            return false;
        }
        self.allocated.store(allocated, Relaxed);
        let fits = self.fits() || bytes <= 0;
        if !fits {
            self.allocated.store(allocated - bytes, Relaxed);
        }
        fits
    }

    pub fn enter(self: &Arc<Self>) -> Entered {
        Entered(CURRENT.replace(Some(self.clone())))
    }

    /// Units since [`Self::begin`].
    pub fn spent(&self) -> u64 {
        self.spent.load(Relaxed)
    }

    /// Whether and why the statement had to stop, since [`Self::begin`] or the last call.
    pub fn take_stop(&self) -> Option<Stop> {
        match self.stopped.swap(0, Relaxed) {
            0 => None,
            1 => Some(Stop::Watch),
            _ => Some(Stop::Work),
        }
    }

    /// SQLite has executed so many instructions. Whether it has to stop.
    pub fn tick(&self, instructions: u64) -> bool {
        let spent = self.add(instructions);
        spent > self.work.load(Relaxed) && self.stop(Stop::Work) || self.ask(spent)
    }

    fn add(&self, units: u64) -> u64 {
        let spent = self.spent.load(Relaxed).saturating_add(units);
        self.spent.store(spent, Relaxed);
        spent
    }

    fn stop(&self, why: Stop) -> bool {
        self.stopped.store(if why == Stop::Watch { 1 } else { 2 }, Relaxed);
        true
    }

    fn ask(&self, spent: u64) -> bool {
        self.next.store(spent.saturating_add(STRIDE as u64), Relaxed);
        let says_stop = self.watch.lock().as_mut().is_some_and(|watch| watch());
        says_stop && self.stop(Stop::Watch)
    }

    /// Asks now whether to stop: for statements so short that nothing in them comes to ask.
    pub fn poll(&self) -> bool {
        self.ask(self.spent())
    }

    fn work(&self, units: u64) -> SqlResult<()> {
        let spent = self.add(units);
        if spent > self.work.load(Relaxed) {
            self.stop(Stop::Work);
            return Err(too_much_work());
        }
        if spent >= self.next.load(Relaxed) && self.ask(spent) {
            return Err(SqlError::new(state::QUERY_CANCELED, "canceling statement due to user request or timeout"));
        }
        Ok(())
    }

    fn hold(&self, bytes: u64) -> SqlResult<()> {
        let held = self.held.load(Relaxed).saturating_add(bytes);
        if held > self.memory.load(Relaxed) {
            return Err(SqlError::new(state::OUT_OF_MEMORY, "out of memory").detail(format!(
                "The functions of this statement would hold {} kB, and may hold {} kB.",
                held >> 10,
                self.memory.load(Relaxed) >> 10
            )));
        }
        self.held.store(held, Relaxed);
        if self.fits() {
            return Ok(());
        }
        self.held.store(held - bytes, Relaxed);
        Err(full())
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        NODE.fetch_sub(self.told.load(Relaxed), Relaxed);
    }
}

/// Bytes that statements under compilation have, by what they count. For their own sake: who compiles waits for nobody that
/// runs.
static COMPILED: AtomicI64 = AtomicI64::new(0);

/// Bytes that are no running statement's (rows of cursors, what is being compiled): they count for the node until this is
/// dropped.
#[derive(Debug)]
pub struct Charge {
    of: &'static AtomicI64,
    bytes: i64,
    /// Bytes that the node was told.
    told: i64,
}

impl Default for Charge {
    fn default() -> Charge {
        Charge { of: &NODE, bytes: 0, told: 0 }
    }
}

impl Charge {
    /// Of a compilation. All of them may have as much as all statements that run.
    pub fn of_compilation() -> Charge {
        Charge { of: &COMPILED, ..Charge::default() }
    }

    /// Counts more. Error: 53200, and they are not counted.
    pub fn add(&mut self, bytes: usize) -> SqlResult<()> {
        let bytes = i64::try_from(bytes).unwrap_or(i64::MAX / 2);
        let more = self.bytes.saturating_add(bytes) - self.told;
        if more >= BATCH {
            let node = self.of.fetch_add(more, Relaxed) + more;
            if node > NODE_LIMIT.load(Relaxed) && self.told + more > SMALL {
                self.of.fetch_sub(more, Relaxed);
                return Err(full());
            }
            self.told += more;
        }
        self.bytes += bytes;
        Ok(())
    }

    /// Counts less than before: what is added next may take their place. The node is not told of it before this is dropped.
    pub fn less(&mut self, bytes: usize) {
        self.bytes -= i64::try_from(bytes).unwrap_or(i64::MAX).min(self.bytes);
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        self.of.fetch_sub(self.told, Relaxed);
    }
}

fn full() -> SqlError {
    SqlError::new(state::OUT_OF_MEMORY, "out of memory")
        .detail("All statements of this node together have as much as they may have.")
        .hint("Divide the statement, or raise limits.memory_mib in the configuration of the node.")
}

/// The error of a command in the log that costs more than its budget.
pub fn too_much_work() -> SqlError {
    SqlError::new(state::PROGRAM_LIMIT_EXCEEDED, "the statement takes more work than it may take in the log")
        .detail("It took much less when the leader tried it, or was not expected to take long.")
        .hint("Try it again, or divide it into smaller ones.")
}

fn current<T: Default>(f: impl FnOnce(&Meter) -> T) -> T {
    CURRENT.with_borrow(|meter| meter.as_deref().map(f)).unwrap_or_default()
}

/// Counts units of work, before they are done if there may be many. Errors: 57014 if the statement has to stop, 54000
/// beyond its budget.
pub fn work(units: usize) -> SqlResult<()> {
    CURRENT.with_borrow(|meter| meter.as_deref().map_or(Ok(()), |meter| meter.work(units as u64)))
}

/// Counts bytes that are about to be held, until whoever called the function gives them back ([`release_to`]). Errors:
/// 53200.
pub fn hold(bytes: usize) -> SqlResult<()> {
    CURRENT.with_borrow(|meter| meter.as_deref().map_or(Ok(()), |meter| meter.hold(bytes as u64)))
}

/// SQLite allocates bytes, or gives back (negative). Whether it may.
pub fn allocate(bytes: i64) -> bool {
    // Not while the thread is ending, nor inside of a change of whose statement runs: those are not a statement's.
    let count = |current: &RefCell<Option<Arc<Meter>>>| match current.try_borrow() {
        Ok(meter) => meter.as_deref().is_none_or(|meter| meter.allocate(bytes)),
        Err(_) => true,
    };
    CURRENT.try_with(count).unwrap_or(true)
}

/// Bytes held now.
pub fn held() -> u64 {
    current(|meter| meter.held.load(Relaxed))
}

/// Gives back what was held beyond `bytes`.
pub fn release_to(bytes: u64) {
    current(|meter| meter.held.store(bytes, Relaxed));
}

/// Gives back so many bytes.
pub fn release(bytes: u64) {
    current(|meter| meter.held.store(meter.held.load(Relaxed).saturating_sub(bytes), Relaxed));
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicBool;

    #[test]
    fn work_ends_at_the_budget_and_when_somebody_says_so() {
        assert_eq!(work(usize::MAX), Ok(()), "nobody counts");
        let meter = Arc::new(Meter::default());
        meter.begin(Limits { work: 100, ..Limits::NONE });
        let entered = meter.enter();
        assert_eq!(work(100), Ok(()));
        assert_eq!(work(1).unwrap_err().code, state::PROGRAM_LIMIT_EXCEEDED);
        assert_eq!((meter.take_stop(), meter.take_stop()), (Some(Stop::Work), None));
        let stop = Arc::new(AtomicBool::new(false));
        let asked = stop.clone();
        meter.watch(Box::new(move || asked.load(Relaxed)));
        meter.begin(Limits::NONE);
        assert_eq!(work(STRIDE), Ok(()));
        stop.store(true, Relaxed);
        assert_eq!(work(1), Ok(()), "asked a moment ago");
        assert_eq!(work(STRIDE).unwrap_err().code, state::QUERY_CANCELED);
        assert_eq!(meter.take_stop(), Some(Stop::Watch));
        drop(entered);
        assert_eq!(work(usize::MAX), Ok(()));
    }

    #[test]
    fn who_has_little_is_not_refused_for_what_others_have() {
        // Other tests share this process: what the node has is moved by more than they could.
        const FULL: i64 = 1 << 50;
        let local = || {
            let meter = Arc::new(Meter::default());
            meter.begin(Limits::local(1 << 40));
            meter
        };
        let (large, small) = (local(), local());
        NODE_LIMIT.store(FULL / 2, Relaxed);
        NODE.fetch_add(FULL, Relaxed);
        let refused = {
            let _entered = large.enter();
            (hold(SMALL as usize).is_err(), hold(BATCH as usize).map_err(|error| error.code), allocate(2 * BATCH))
        };
        let given = {
            let _entered = small.enter();
            (hold(SMALL as usize / 2).is_ok(), allocate(SMALL / 2))
        };
        let before = NODE.load(Relaxed);
        let mut charge = Charge::default();
        let kept = (charge.add(SMALL as usize).is_ok(), charge.add(BATCH as usize).is_ok());
        let counted = NODE.load(Relaxed) - before;
        drop(charge);
        NODE.fetch_sub(FULL, Relaxed);
        NODE_LIMIT.store(i64::MAX, Relaxed);
        assert_eq!(refused, (false, Err(state::OUT_OF_MEMORY), false));
        assert_eq!(given, (true, true));
        assert_eq!(kept, (true, false));
        assert!(counted > 0);
    }

    #[test]
    fn memory_is_given_back() {
        let meter = Arc::new(Meter::default());
        meter.begin(Limits { memory: 1000, ..Limits::NONE });
        let _entered = meter.enter();
        hold(600).unwrap();
        let before = held();
        assert_eq!(hold(401).unwrap_err().code, state::OUT_OF_MEMORY);
        hold(400).unwrap();
        release_to(before);
        release(600);
        hold(1000).unwrap();
    }
}
