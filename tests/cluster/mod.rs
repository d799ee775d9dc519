//! Clusters of real processes: what clients are promised, while processes, networks and disks fail.

mod advisory;
mod backup;
mod databases;
mod directory;
mod disk;
mod hostile;
mod join;
mod kill;
mod locks;
mod membership;
mod notify;
mod once;
mod online;
mod partition;
mod programs;
mod reads;
mod recover;
mod rot;
mod secure;
mod skip;
mod snapshot;
mod temporary;
mod tenure;
mod traces;
mod transactions;
mod upgrade;
