//! What is done with what a group has committed: one at a time for each group, in order, and again for as long as it fails.
//!
//! The state machine is somebody else's ([`StateMachine`]), and so are the thread, the clock and those who are told ([`Desk`]):
//! the driver has one [`Applier`] for each of its groups, the simulation too.
//!
//! - What was committed meanwhile is applied in one call. What a start has found in its log is applied entry by entry, and each is
//!   noted before: a process that ends over it again and again is to know which one it was ([`Brake`]).
//! - A snapshot that is to be installed takes the place of everything that is not applied yet.
//! - What fails for an outside reason is tried again, ever more rarely. When patience is over that is said, once, and said again
//!   when it works. All else ends the application of anything, until a snapshot is installed.

use super::conductor::contract::{ApplyJob, Askers, Input};
use super::{Applied, Committed, Halt, SnapshotMeta, StateMachine};
use crate::consensus::brake::{Brake, Way};
use crate::id::GroupId;
use std::path::PathBuf;
use std::sync::Arc;

/// The building of a snapshot, to be done while the state machine goes on.
pub type Building = Box<dyn FnOnce() -> Result<SnapshotMeta, Halt> + Send>;

/// Around an applier: its clock, and whoever it tells.
pub trait Desk {
    /// On the monotonic clock, µs.
    fn now(&self) -> i64;
    /// The state has everything up to this index, and readers may know.
    fn applied(&mut self, index: u64);
    /// What became of commands, in their order. `committed` says when entries from an index on were.
    fn outcomes(&mut self, outcomes: Vec<Applied>, committed: &[(u64, i64)]);
    /// To be reported as [`Input::Built`], always.
    fn build(&mut self, file: PathBuf, building: Building);
    /// For the group's conductor.
    fn report(&mut self, report: Report);
}

/// See the inputs of the same names.
#[derive(Debug, PartialEq, Eq)]
pub enum Report {
    Applied { index: u64, durable: u64 },
    Halted(Halt),
    Fails(Option<String>),
    Replaced { floor: i64 },
}

impl Report {
    /// For a group's conductor.
    pub fn of<A: Askers>(self, group: GroupId) -> Input<A> {
        match self {
            Report::Applied { index, durable } => Input::Applied { group, index, durable },
            Report::Halted(halt) => Input::Halted { group, halt },
            Report::Fails(why) => Input::ApplyFails { group, why },
            Report::Replaced { floor } => Input::Replaced { group, floor },
        }
    }
}

/// See the module.
pub struct Applier {
    group: GroupId,
    machine: Box<dyn StateMachine>,
    brake: Arc<Brake>,
    /// Up to here entries are applied one by one, and each is noted before: see [`Brake`].
    risky: u64,
    /// µs.
    patience: i64,
    /// Committed and not applied.
    entries: Vec<Committed>,
    /// When those from an index on were committed.
    committed: Vec<(u64, i64)>,
    /// A snapshot that replaces the state.
    install: Option<(PathBuf, SnapshotMeta)>,
    /// What is to be done cannot be done now.
    trouble: Option<Trouble>,
    /// The machine must not go on; a snapshot may cure it.
    failed: bool,
    /// The durable index last reported.
    told: u64,
}

impl Applier {
    /// `last`: where the log ends. `lost`: the state is, and a snapshot will bring another.
    pub fn new(group: GroupId, machine: Box<dyn StateMachine>, last: u64, patience: i64, lost: bool) -> Applier {
        Applier {
            group,
            brake: machine.brake(),
            machine,
            risky: last,
            patience,
            entries: Vec::new(),
            committed: Vec::new(),
            install: None,
            trouble: None,
            failed: lost,
            told: 0,
        }
    }

    /// Nothing waits to be done.
    pub fn is_idle(&self) -> bool {
        self.entries.is_empty() && self.install.is_none()
    }

    /// When to try again what cannot be done now.
    pub fn retries(&self) -> Option<i64> {
        self.trouble.as_ref().map(|trouble| trouble.next)
    }

    /// Takes a job that was given at `at`. Those that only add to what waits are done by the next [`Applier::work`].
    pub fn take(&mut self, job: ApplyJob, at: i64, desk: &mut impl Desk) {
        match job {
            ApplyJob::Apply(entries) if !self.failed => {
                self.committed.extend(entries.first().map(|first| (first.at.index, at)));
                self.entries.extend(entries);
            }
            ApplyJob::Apply(_) | ApplyJob::Look => {}
            ApplyJob::Snapshot(file) => {
                self.work(desk);
                let building = self.machine.snapshot(file.clone());
                desk.build(file, building);
            }
            ApplyJob::Install { file, meta } => {
                // What is not applied is in the snapshot.
                self.committed.clear();
                self.entries.clear();
                self.install = Some((file, meta));
                self.work(desk);
            }
        }
    }

    /// Does what waits, if it can be done now.
    pub fn work(&mut self, desk: &mut impl Desk) {
        if self.retries().is_some_and(|next| next > desk.now()) {
            return;
        }
        let done = if self.install.is_some() { self.install(desk) } else { self.apply(desk) };
        match done {
            Ok(()) => {
                if self.trouble.take().is_some_and(|trouble| trouble.told) {
                    desk.report(Report::Fails(None));
                }
            }
            Err(Halt::Environment(reason)) => {
                let (now, patience) = (desk.now(), self.patience);
                if self.trouble.get_or_insert_with(|| Trouble::new(now, patience)).again(now, &reason) {
                    desk.report(Report::Fails(Some(reason)));
                }
            }
            Err(halt) => self.fail(halt, desk),
        }
    }

    /// Gives the state machine time of its own.
    pub fn idle(&mut self, desk: &mut impl Desk) {
        if self.failed {
            return;
        }
        match self.machine.idle() {
            // Nothing depends on a checkpoint: the next one may succeed.
            Err(Halt::Environment(reason)) => tracing::warn!(group = %self.group, reason, "idle work failed"),
            Err(halt) => self.fail(halt, desk),
            Ok(()) => {
                if self.machine.durable() > self.told {
                    self.report(desk);
                }
            }
        }
    }

    fn apply(&mut self, desk: &mut impl Desk) -> Result<(), Halt> {
        let applied = self.machine.applied().index;
        self.entries.retain(|e| e.at.index > applied);
        while let Some(first) = self.entries.first() {
            let done = match self.brake.way(&self.entries) {
                Way::Held => return Ok(()),
                Way::Skip => {
                    tracing::warn!(group = %self.group, at = ?first.at, "recording an entry as failed");
                    self.machine.skip(first)
                }
                Way::Free(count) if first.at.index > self.risky => self.machine.apply(&self.entries[..count]),
                Way::Free(_) => {
                    self.brake.risk(first.at);
                    self.machine.apply(&self.entries[..1])
                }
            };
            match done {
                Ok(outcomes) => self.took(outcomes, desk),
                // It was interrupted since there is another way now.
                Err(Halt::Environment(_)) if self.brake.interrupts() && !self.brake.stops() => {}
                Err(halt) => return Err(halt),
            }
        }
        Ok(())
    }

    /// More entries are in the state.
    fn took(&mut self, outcomes: Vec<Applied>, desk: &mut impl Desk) {
        let last = self.machine.applied();
        self.entries.retain(|entry| entry.at.index > last.index);
        self.brake.passed_by(last.index);
        if last.index >= self.risky && self.risky > 0 {
            self.risky = 0;
            self.brake.forget();
        }
        desk.applied(last.index);
        desk.outcomes(outcomes, &self.committed);
        if self.entries.is_empty() {
            self.committed.clear();
        }
        self.report(desk);
    }

    fn install(&mut self, desk: &mut impl Desk) -> Result<(), Halt> {
        let Some((file, meta)) = &self.install else { return Ok(()) };
        self.machine.install(file, meta)?;
        self.failed = false;
        self.brake.passed(meta.at.index);
        desk.applied(meta.at.index);
        desk.report(Report::Replaced { floor: self.machine.clock_floor() });
        self.install = None;
        Ok(())
    }

    fn fail(&mut self, halt: Halt, desk: &mut impl Desk) {
        self.failed = true;
        self.committed.clear();
        self.entries.clear();
        self.install = None;
        desk.report(Report::Halted(halt));
    }

    fn report(&mut self, desk: &mut impl Desk) {
        let (index, durable) = (self.machine.applied().index, self.machine.durable());
        self.told = durable;
        desk.report(Report::Applied { index, durable });
    }
}

/// Work that fails for a reason outside of the process: when to try again, and when to say so. Times in µs.
pub struct Trouble {
    /// When patience ends.
    until: i64,
    pause: i64,
    next: i64,
    told: bool,
}

const FIRST_PAUSE: i64 = 5_000;
const MAX_PAUSE: i64 = 1_000_000;

impl Trouble {
    pub fn new(now: i64, patience: i64) -> Trouble {
        Trouble { until: now + patience, pause: FIRST_PAUSE, next: now, told: false }
    }

    /// Notes a failure; true, once, when it is time to say so.
    pub fn again(&mut self, now: i64, reason: &dyn std::fmt::Display) -> bool {
        if self.next <= self.until {
            tracing::warn!(%reason, "work fails, trying again");
        } else {
            tracing::debug!(%reason, "work still fails");
        }
        self.pause = (self.pause * 2).min(MAX_PAUSE);
        self.next = now + self.pause;
        !self.told && now >= self.until && !std::mem::replace(&mut self.told, true)
    }

    /// How long to wait before it is tried again.
    pub fn pause(&self, now: i64) -> std::time::Duration {
        std::time::Duration::from_micros((self.next - now).max(0) as u64)
    }

    pub fn was_told(&self) -> bool {
        self.told
    }
}
