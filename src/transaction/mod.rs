//! The pure part of interactive transactions: the transcript that a gateway keeps, and the digests by which a replay
//! is compared with what the client was told.
//!
//! A transaction runs statement by statement in a fork on the leader. Each statement comes back as a step with its
//! frozen values and an expectation; at COMMIT the steps become one command that every replica replays and compares.
//! So the fork and the leader may die without the transaction: its transcript is here, and so is what it has locked
//! ([`Holdings`]). `order` is the contract between the client's node and the leader.

mod expect;
mod holdings;
mod order;
mod transcript;

pub use expect::{Expectation, Kind, Told, is_promise, locks_lost, serialization_failure};
pub use holdings::Holdings;
pub use order::{Action, Before, Claimed, Granted, Locking, Open, Order, Reply, Statement, Terms, Trial, TxName};
pub use transcript::{Level, Limits, Transcript, UNDO};
