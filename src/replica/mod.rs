//! A member of a Raft group: a pure core around raft-rs, and the driver that performs its effects.

pub mod beats;
mod check;
pub mod core;
mod driver;
pub mod fitness;
pub mod handle;
mod inbox;
mod logger;
mod queue;
mod store;
#[cfg(test)]
mod tests;

pub use crate::consensus::{Applied, Committed, Halt, Membership, Payload, Position, SnapshotMeta, StateMachine};
