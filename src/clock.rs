//! Time in the unit of the log: microseconds since 2000-01-01 00:00 UTC, as PostgreSQL's timestamps count. And how
//! long a statement may take.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// 2000-01-01 00:00 UTC in µs since the Unix epoch.
pub const POSTGRES_EPOCH_MICROS: i64 = 946_684_800_000_000;

/// The machine's clock. Only the edge calls this: what must agree between replicas travels in the log.
pub fn now_micros() -> i64 {
    let unix = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_micros() as i64);
    unix - POSTGRES_EPOCH_MICROS
}

/// Until when to try, and who may say stop.
#[derive(Clone, Debug)]
pub struct Control {
    /// `statement_timeout`, or the default when there is none.
    pub deadline: Instant,
    /// `lock_timeout`.
    pub lock_timeout: Option<Duration>,
    /// Set by a CancelRequest: the statement ends with 57014.
    pub cancelled: Arc<AtomicBool>,
}

impl Control {
    /// What is left of the deadline, and `lock_timeout`, in ms, to be told to another node. Rounded up: the asker, who
    /// knows which of its limits it is, must not be told before it is over.
    pub fn remaining(&self, now: Instant) -> (u64, Option<u64>) {
        let within = self.deadline.saturating_duration_since(now).as_millis() as u64 + 1;
        (within, self.lock_timeout.map(|limit| limit.as_millis() as u64))
    }

    /// The same on the clock of whoever was told.
    pub fn resumed(within: u64, lock_timeout: Option<u64>, now: Instant) -> Control {
        let (deadline, lock_timeout) = (now + Duration::from_millis(within), lock_timeout.map(Duration::from_millis));
        Control { deadline, lock_timeout, cancelled: Arc::default() }
    }
}
