//! Members of Raft groups: a pure core for each, around raft-rs; a pure conductor for all of a node's; and the driver that
//! performs what these want done.

pub mod apply;
pub mod beats;
mod check;
pub mod conductor;
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
pub mod waiting;

pub use crate::consensus::{Applied, Committed, Halt, Membership, Payload, Position, SnapshotMeta, StateMachine};
