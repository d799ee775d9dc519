//! Tests of the replica: scripts for the pure core, and whole nodes over loopback.

mod appends;
mod machine;
mod nodes;
mod scripts;
mod skips;
