//! Forks: private copy-on-write views of a database for interactive transactions.
//!
//! A fork sees exactly the state that was committed when it began, whatever the apply thread does meanwhile, and its
//! own changes on top, which nobody else ever sees and which are never committed: at the end they are dropped.
//! Thousands may live beside the apply thread. None takes SQLite's write lock on the real file; a fork's one trace in
//! the outer world is a read mark, which keeps checkpoints from passing its snapshot (see [`Fork::pinned_since`]).
//!
//! [`vfs`] is the mechanism (page overlay over a snapshot connection), `spill` where the overlay lies, [`pool`] the life cycle: a [`Fork`] exists
//! only between begin and end, and a pooled pair of connections has no method to run SQL on.
//!
//! Needs `-DSQLITE_ENABLE_DBPAGE_VTAB` and a database in WAL mode whose page size stays fixed.

mod pool;
mod spill;
#[cfg(test)]
mod tests;
mod vfs;

pub use pool::{Attachment, Fork, ForkError, ForkOptions, ForkPool, ForkStats, Setup};
pub use vfs::Failure;
