//! Panics: in code that only computes, an error of the statement; anywhere else the end of the process.
//!
//! SQL functions run wherever statements run, also while the log is applied. A mistake in one of them must not end every
//! replica, now and at each start; and it need not, because a function has no state that a panic could leave half changed,
//! except what belongs to its call. So functions run inside [`catch`], at the one place where they are registered. A panic
//! depends on the arguments alone, as a result does: every replica gets the same error.
//!
//! A panic in any other code means that something is not as it must be, and a thread that is gone would leave the rest of
//! the process in a state that nobody has thought of: [`install`] makes it abort, as `panic = "abort"` would. That setting
//! cannot be used, since it leaves nothing to catch.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

thread_local! {
    /// How many calls of [`catch`] this thread is in.
    static CAUGHT: Cell<u32> = const { Cell::new(0) };
}

/// From now on, a panic outside of [`catch`] ends the process, after its message.
pub fn install() {
    let report = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        report(info);
        if CAUGHT.get() == 0 {
            std::process::abort();
        }
    }));
}

/// The result of `f`; `None` if it panics. What `f` changes must be its own, or be thrown away in that case.
pub fn catch<T>(f: impl FnOnce() -> T) -> Option<T> {
    CAUGHT.set(CAUGHT.get() + 1);
    let result = catch_unwind(AssertUnwindSafe(f));
    CAUGHT.set(CAUGHT.get() - 1);
    result.ok()
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_panic_is_caught_and_the_next_call_works() {
        assert_eq!(super::catch(|| -> u8 { panic!("on purpose") }), None);
        assert_eq!(super::catch(|| 7), Some(7));
    }
}
