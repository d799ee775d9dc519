//! Tests of the replica: scripts for the pure core, and whole nodes over loopback.

mod machine;
mod nodes;
mod scripts;
