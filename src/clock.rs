//! Time in the unit of the log: microseconds since 2000-01-01 00:00 UTC, as PostgreSQL's timestamps count; what a majority of
//! clocks makes of it; and how long a statement may take.

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// 2000-01-01 00:00 UTC in µs since the Unix epoch.
pub const POSTGRES_EPOCH_MICROS: i64 = 946_684_800_000_000;

/// The machine's clock. Only the edge calls this: what must agree between replicas travels in the log.
pub fn now_micros() -> i64 {
    let unix = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_micros() as i64);
    unix - POSTGRES_EPOCH_MICROS
}

/// A clock in µs that nobody sets, and that goes on while the process is paused. It begins at the machine's clock, so that what
/// somebody remembers of an earlier process is not taken for something else.
pub fn monotonic_micros() -> i64 {
    let (began, at) = began();
    at + began.elapsed().as_micros() as i64
}

/// A moment of [`monotonic_micros`], to wait for; no earlier than the process's first look at its clock.
pub fn instant(monotonic: i64) -> Instant {
    let (began, at) = began();
    began + Duration::from_micros(monotonic.saturating_sub(at).max(0) as u64)
}

fn began() -> (Instant, i64) {
    static BEGAN: OnceLock<(Instant, i64)> = OnceLock::new();
    *BEGAN.get_or_init(|| (Instant::now(), now_micros()))
}

/// How far a clock may be from what a majority believes, in µs, unless the configuration says otherwise.
pub const TOLERANCE: i64 = 500_000;

/// A log whose time is more than so many tolerances ahead of a majority's clocks is set back; one that is less ahead waits
/// for them.
const SET_BACK: i64 = 10;

/// What a majority of a group's voters believes about the time. Both bounds are differences to the monotonic clock of whoever
/// reads them, in µs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Belief {
    /// The latest time that a majority believes to have been reached.
    pub reached: i64,
    /// The earliest time that a majority believes not to have passed. Never before `reached`; the same when all voters of an
    /// odd number are heard.
    pub unpassed: i64,
    /// How wrong this may be for want of knowing how long messages take.
    pub error: i64,
    /// How far a clock may be off.
    pub tolerance: i64,
}

impl Belief {
    /// `clocks` has an entry for each voter: its clock's difference to the reader's monotonic clock and how wrong that may
    /// be, or nothing if it was not heard of lately. `None` if a majority was not.
    pub fn of(clocks: &[Option<(i64, i64)>], tolerance: i64) -> Option<Belief> {
        let majority = clocks.len() / 2 + 1;
        let mut known: Vec<i64> = clocks.iter().flatten().map(|clock| clock.0).collect();
        known.sort_unstable();
        let unpassed = *known.get(majority - 1)?;
        let reached = known[known.len() - majority];
        let error = clocks.iter().flatten().map(|clock| clock.1).max().unwrap_or(0);
        Some(Belief { reached, unpassed, error, tolerance })
    }

    /// By how much a clock with this difference to the monotonic one is too far ahead (or behind, if negative) to be
    /// followed; 0 when it is near enough. `error` is how wrong the difference may be.
    pub fn excess(&self, clock: i64, error: i64) -> i64 {
        let far = |off: i64| off - self.tolerance - self.error - error > 0;
        match clock - self.reached {
            off if far(off) || far(-off) => off,
            _ => 0,
        }
    }
}

/// What a node reads off its clocks at one moment, µs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    /// The machine's clock, since 2000-01-01 00:00 UTC.
    pub wall: i64,
    pub monotonic: i64,
    /// `None` as long as a majority's clocks are not known.
    pub belief: Option<Belief>,
}

impl Reading {
    /// Of somebody who asks nobody else.
    pub fn alone(wall: i64, monotonic: i64) -> Reading {
        Reading { wall, monotonic, belief: Belief::of(&[Some((wall - monotonic, 0))], TOLERANCE) }
    }

    /// The machine's clock within what a majority believes.
    fn bounded(&self) -> i64 {
        self.belief.map_or(self.wall, |belief| {
            let reached = self.monotonic + belief.reached;
            self.wall.clamp(reached - belief.tolerance, reached + belief.tolerance)
        })
    }

    /// The last time that a log may have without being set back.
    fn latest(&self) -> i64 {
        self.belief.map_or(i64::MAX, |belief| self.monotonic + belief.unpassed + SET_BACK * belief.tolerance)
    }
}

/// The time of a log, and of whoever reads what it has made: it never goes back, with one exception.
///
/// It is the machine's clock, within what a majority of the voters believes. Where that is behind what was told before, time
/// goes on at half its rate until it is not. Where it is far behind (ten tolerances: somebody's clock was wrong, and a majority
/// says so), the time is set back once, to what it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogClock {
    /// The first time that is free.
    next: i64,
    /// When that was learnt, on the monotonic clock.
    since: Option<i64>,
}

impl LogClock {
    pub fn new(next: i64) -> LogClock {
        LogClock { next, since: None }
    }

    /// Somebody else's stamp ends at `next`.
    pub fn learn(&mut self, next: i64, monotonic: Option<i64>) {
        *self = LogClock { next, since: monotonic };
    }

    /// The first time that is free.
    pub fn next(&self) -> i64 {
        self.next
    }

    /// The time now; the `length` µs from there on are taken.
    pub fn take(&mut self, reading: &Reading, length: i64) -> i64 {
        let target = reading.bounded();
        let now = if target >= self.next || self.next > reading.latest() {
            target
        } else {
            let elapsed = self.since.map_or(0, |since| (reading.monotonic - since).max(0));
            self.next + elapsed / 2
        };
        *self = LogClock { next: now + length, since: Some(reading.monotonic) };
        now
    }
}

/// The time as sessions of one node are told it: the same clock, not behind the log as far as it is applied here.
#[derive(Clone, Copy, Debug)]
pub struct NodeClock {
    told: LogClock,
    /// The time of the log when it was last looked at.
    log: i64,
}

impl Default for NodeClock {
    fn default() -> NodeClock {
        NodeClock { told: LogClock::new(i64::MIN), log: i64::MIN }
    }
}

impl NodeClock {
    /// `log` is the first time that the applied log leaves free.
    pub fn now(&mut self, reading: &Reading, log: i64) -> i64 {
        // The log was set back: so is everybody who reads it.
        if log > self.told.next() || log < self.log {
            self.told.learn(log, Some(reading.monotonic));
        }
        self.log = log;
        self.told.take(reading, 0)
    }
}

/// Until when to try, and who may say stop.
#[derive(Clone, Debug)]
pub struct Control {
    /// `statement_timeout`'s, or far away.
    pub deadline: Instant,
    /// Who has set no limit to the work waits for so long at a time, where nobody is there who could do it.
    pub patience: Option<Duration>,
    /// `lock_timeout`.
    pub lock_timeout: Option<Duration>,
    /// Set by a CancelRequest: the statement ends with 57014.
    pub cancelled: Arc<AtomicBool>,
}

impl Control {
    /// Until a moment, whoever is there.
    pub fn until(deadline: Instant) -> Control {
        Control { deadline, patience: None, lock_timeout: None, cancelled: Arc::default() }
    }

    /// Until when to wait if nothing comes of it from now on.
    pub fn in_vain_until(&self, now: Instant) -> Instant {
        self.patience.map_or(self.deadline, |patience| self.deadline.min(now + patience))
    }

    /// What is left of the deadline, and `lock_timeout`, in ms, to be told to another node. Rounded up: the asker, who
    /// knows which of its limits it is, must not be told before it is over.
    pub fn remaining(&self, now: Instant) -> (u64, Option<u64>) {
        let within = self.deadline.saturating_duration_since(now).as_millis() as u64 + 1;
        (within, self.lock_timeout.map(|limit| limit.as_millis() as u64))
    }

    /// The same on the clock of whoever was told.
    pub fn resumed(within: u64, lock_timeout: Option<u64>, now: Instant) -> Control {
        let lock_timeout = lock_timeout.map(Duration::from_millis);
        Control { lock_timeout, ..Control::until(now + Duration::from_millis(within)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: i64 = 1_000_000;

    fn reading(wall: i64, others: &[i64]) -> Reading {
        let clocks: Vec<_> = others.iter().chain([&wall]).map(|clock| Some((*clock, 0))).collect();
        Reading { wall, monotonic: 0, belief: Belief::of(&clocks, TOLERANCE) }
    }

    #[test]
    fn a_majority_decides_what_time_it_is() {
        let of = |clocks: &[Option<i64>]| {
            let clocks: Vec<_> = clocks.iter().map(|clock| clock.map(|clock| (clock, 0))).collect();
            Belief::of(&clocks, TOLERANCE).map(|belief| (belief.reached, belief.unpassed))
        };
        assert_eq!(of(&[Some(5)]), Some((5, 5)));
        assert_eq!(of(&[Some(1), Some(900), Some(3)]), Some((3, 3)));
        // Two of three that differ: neither time is a majority's, what lies between them is undecided.
        assert_eq!(of(&[Some(1), Some(900), None]), Some((1, 900)));
        assert_eq!(of(&[Some(1), None, None]), None);
        assert_eq!(of(&[Some(1), Some(2), Some(3), Some(4)]), Some((2, 3)));
        assert_eq!(of(&[Some(1), Some(2), Some(3), None, None]), Some((1, 3)));
    }

    #[test]
    fn a_clock_that_is_far_off_is_known_for_it() {
        let belief = Belief { reached: 10 * S, unpassed: 10 * S, error: S / 10, tolerance: S / 2 };
        assert_eq!(belief.excess(10 * S + S / 2, 0), 0);
        assert_eq!(belief.excess(11 * S, S), 0);
        assert_eq!(belief.excess(11 * S, 0), S);
        assert_eq!(belief.excess(8 * S, 0), -2 * S);
    }

    #[test]
    fn a_jump_is_bounded_by_the_others() {
        let mut log = LogClock::new(0);
        assert_eq!(log.take(&reading(100 * S, &[100 * S, 100 * S]), 3), 100 * S);
        assert_eq!(log.next(), 100 * S + 3);
        assert_eq!(log.take(&reading(9000 * S, &[101 * S, 101 * S]), 1), 101 * S + TOLERANCE);
        assert_eq!(log.take(&reading(5 * S, &[103 * S, 103 * S]), 1), 103 * S - TOLERANCE);
    }

    #[test]
    fn time_that_is_a_little_ahead_goes_on_at_half_its_rate() {
        let mut log = LogClock::new(3 * S);
        let at = |s: i64| Reading::alone(s, s);
        let mut told = vec![];
        for second in 1..=6 {
            told.push(log.take(&at(second * S), 0));
        }
        assert_eq!(told, [3 * S, 3 * S + S / 2, 4 * S, 4 * S, 5 * S, 6 * S], "the clocks have caught up at 4 s");
    }

    #[test]
    fn time_that_is_far_ahead_is_set_back_once() {
        let mut log = LogClock::new(1000 * S);
        assert_eq!(log.take(&reading(10 * S, &[10 * S, 10 * S]), 5), 10 * S);
        assert_eq!(log.take(&reading(10 * S, &[10 * S, 10 * S]), 5), 10 * S + 5);
        // One of two that are left says otherwise: no majority believes that this time has not come.
        let mut log = LogClock::new(1000 * S);
        let clocks = [Some((10 * S, 0)), Some((1000 * S, 0)), None];
        let split = Reading { wall: 10 * S, monotonic: 0, belief: Belief::of(&clocks, TOLERANCE) };
        assert_eq!(log.take(&split, 5), 1000 * S);
    }

    #[test]
    fn sessions_are_not_behind_the_log_that_they_see() {
        let mut node = NodeClock::default();
        assert_eq!(node.now(&Reading::alone(10 * S, 10 * S), 5 * S), 10 * S);
        assert_eq!(node.now(&Reading::alone(10 * S, 10 * S), 11 * S), 11 * S);
        assert_eq!(node.now(&Reading::alone(10 * S, 10 * S), 11 * S), 11 * S, "and never go back");
        assert_eq!(node.now(&Reading::alone(9 * S, 11 * S), 11 * S), 11 * S + S / 2);
        assert_eq!(node.now(&Reading::alone(12 * S, 12 * S), 7 * S), 12 * S, "but for when the log does");
    }
}
