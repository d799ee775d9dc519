//! Tests of the replica: scripts for the pure core and for the pure conductor, and whole nodes over loopback.

mod appends;
mod machine;
mod nodes;
mod orders;
mod scripts;
mod skips;
