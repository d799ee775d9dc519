//! The SQLite state machine: apply, read, snapshot, digest. Knows no Raft beyond an index and commands.
pub mod fork;
