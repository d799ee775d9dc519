//! The outer ring of tests: real processes, real sockets, real disks; and the rules of the source tree itself.
//!
//! Everything runs from `cargo test` without root, Python or a database: each test starts its own nodes on loopback in a
//! temporary directory and ends only what it started. When a test fails, the end of each node's log is printed.
//!
//! * [`cluster`]: what survives kills, pauses, partitions, snapshots, restarts, full disks, wrong directories.
//! * [`chaos`]: everything at once, by a seed, beside clients that note what they are told.
//! * [`sim`]: the whole cluster in one thread, by a seed.
//! * [`fuzz`]: random input for everything that reads bytes from outside.
//! * [`formats`]: what is stored and spoken is what was recorded.
//! * [`wire`]: what a hostile or broken client can do to the others.
//! * [`sql`]: text scripts whose expected output was recorded from PostgreSQL.
//! * [`tidy`]: which room may look at which.

mod chaos;
mod cluster;
mod formats;
mod fuzz;
mod sim;
mod sql;
mod support;
mod tidy;
mod wire;
