//! Bounds the work of a compilation: it is counted, and now and then its owner says whether it may go on.
//!
//! A step is about a token read, a node of a tree made, or [`STEP_BYTES`] of text: some hundred nanoseconds. The count is
//! the same wherever the work is done. What runs where others wait has one that is [`Allowance::brief`]; when that is used up, the same
//! work is begun anew in another place, with [`Allowance::within`].

use crate::error::{SqlError, SqlResult, state};
use crate::meter::Charge;
use parking_lot::Mutex;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, OnceLock};

/// Steps of what may be done where others wait: a few milliseconds at most.
const BRIEF: u64 = 8_000;
/// Steps of one compilation anywhere. A tree takes some hundred bytes per step.
const MOST: u64 = 30_000_000;
/// Steps between two looks at the owner: well below a millisecond.
const LOOK: u64 = 1 << 10;
/// Bytes of memory that a token takes until its compilation is over, with what becomes of it: measured are 500 for numbers
/// in a list, 700 for rows of an INSERT, 1,000 for rows of VALUES. The default limit has to let 100,000 rows pass.
const TOKEN_MEMORY: usize = 480;
/// Text that is read, copied or written: this many bytes are a step.
pub const STEP_BYTES: usize = 64;

/// Whether work may go on; the error is what its client is told.
pub type Stop = Box<dyn Fn() -> SqlResult<()> + Send + Sync>;

/// A handle: clones count together.
#[derive(Clone)]
pub struct Allowance(Arc<Inner>);

struct Inner {
    left: AtomicU64,
    memory: Mutex<Charge>,
    stop: Option<Stop>,
    brief: bool,
    ended: OnceLock<SqlError>,
}

/// For work whose size is known from elsewhere.
pub static UNLIMITED: LazyLock<Allowance> = LazyLock::new(|| Allowance::of(u64::MAX, None, false));

impl Allowance {
    fn of(left: u64, stop: Option<Stop>, brief: bool) -> Allowance {
        let memory = Mutex::new(Charge::of_compilation());
        Allowance(Arc::new(Inner { left: AtomicU64::new(left), memory, stop, brief, ended: OnceLock::new() }))
    }

    /// For a few milliseconds.
    pub fn brief() -> Allowance {
        Allowance::of(BRIEF, None, true)
    }

    /// For as much as any statement may take, as long as `stop` says nothing.
    pub fn within(stop: Stop) -> Allowance {
        Allowance::of(MOST, Some(stop), false)
    }

    /// Counts `steps`.
    ///
    /// Errors: what stopped the work, from then on always; 54001 beyond the limit.
    pub fn spend(&self, steps: u64) -> SqlResult<()> {
        // One thread counts at a time; that of `UNLIMITED` does not matter.
        let before = self.0.left.load(Ordering::Relaxed);
        let left = before.saturating_sub(steps);
        self.0.left.store(left, Ordering::Relaxed);
        if left > 0 && before / LOOK == left / LOOK {
            return Ok(());
        }
        self.look(left)
    }

    /// Counts text of a length in bytes.
    pub fn spend_text(&self, bytes: usize) -> SqlResult<()> {
        self.spend((bytes / STEP_BYTES) as u64 + 1)
    }

    /// Counts tokens of a text, of which a tree will be made. Where the work is brief they are few.
    ///
    /// Error: 53200, if statements that are being compiled have as much memory as they may have.
    pub fn hold_tokens(&self, tokens: usize) -> SqlResult<()> {
        match self.0.stop {
            Some(_) => self.0.memory.lock().add(tokens.saturating_mul(TOKEN_MEMORY)),
            None => Ok(()),
        }
    }

    /// What was made of so many tokens is no longer there.
    pub fn release_tokens(&self, tokens: usize) {
        if self.0.stop.is_some() {
            self.0.memory.lock().less(tokens.saturating_mul(TOKEN_MEMORY));
        }
    }

    #[cold]
    fn look(&self, left: u64) -> SqlResult<()> {
        if left == 0 {
            let error = || {
                SqlError::new(state::STATEMENT_TOO_COMPLEX, "statement is too complex")
                    .detail("Compiling it takes more steps than are allowed for a statement.")
            };
            return Err(self.0.ended.get_or_init(error).clone());
        }
        match self.0.stop.as_ref().map_or(Ok(()), |stop| stop()) {
            Ok(()) => Ok(()),
            Err(error) => {
                self.0.left.store(0, Ordering::Relaxed);
                Err(self.0.ended.get_or_init(|| error).clone())
            }
        }
    }

    /// Why the work ended, if it did: for code between that cannot pass the error on.
    pub fn ended(&self) -> Option<&SqlError> {
        self.0.ended.get()
    }

    /// It was brief, and was not enough.
    pub fn was_too_brief(&self) -> bool {
        self.0.brief && self.0.ended.get().is_some()
    }

    pub fn is_brief(&self) -> bool {
        self.0.brief
    }

    /// Nothing has been counted.
    pub fn is_unused(&self) -> bool {
        self.0.left.load(Ordering::Relaxed) == if self.0.brief { BRIEF } else { MOST }
    }
}

impl fmt::Debug for Allowance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Allowance").field("left", &self.0.left).field("brief", &self.0.brief).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::AtomicBool;

    #[test]
    fn brief_work_ends_once_and_for_all() {
        let allowance = Allowance::brief();
        assert!(allowance.is_unused());
        allowance.spend(BRIEF - 1).unwrap();
        assert!(!allowance.was_too_brief());
        assert_eq!(allowance.spend(1).unwrap_err().code, state::STATEMENT_TOO_COMPLEX);
        assert!(allowance.was_too_brief() && allowance.spend(1).is_err());
    }

    #[test]
    fn the_owner_is_asked_now_and_then() {
        let stop = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&stop);
        let cancelled = || SqlError::new(state::QUERY_CANCELED, "canceled");
        let allowance =
            Allowance::within(Box::new(move || if flag.load(Ordering::Relaxed) { Err(cancelled()) } else { Ok(()) }));
        allowance.spend(10 * LOOK).unwrap();
        stop.store(true, Ordering::Relaxed);
        let steps = (0..2 * LOOK).take_while(|_| allowance.spend(1).is_ok()).count() as u64;
        assert!(steps <= LOOK, "it went on for {steps} steps");
        stop.store(false, Ordering::Relaxed);
        assert_eq!(allowance.spend(1).unwrap_err().code, state::QUERY_CANCELED, "what has ended stays so");
        assert!(!allowance.was_too_brief());
    }
}
