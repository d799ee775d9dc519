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
