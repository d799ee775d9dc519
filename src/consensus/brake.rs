//! What stands between a replica and an entry that must not be applied, or not now; and what its application has cost already.
//!
//! An entry of the log must be applied by every replica, so one that cannot be applied stops them all: its application never
//! ends, or ends the process, again at each start. Bounds on work and memory and caught panics should make that impossible;
//! this is for when they do not.
//!
//! **Interrupting.** A statement that is being applied asks now and then whether it is to end ([`Brake::interrupts`]): since the
//! process is about to end, or since the entry is held or skipped. What was begun is undone, not recorded.
//!
//! **Deaths.** While what a start finds in its log is applied, each entry is applied by itself and noted in a file before
//! ([`Note`]); a start that finds the note of an entry that is not applied knows that the last process ended over it. After
//! [`DEATHS`] the replica does not try again: it waits, says so, and goes on taking part in the log.
//!
//! **Skipping.** The group may decide, by an entry behind it, that all commands of an entry fail ([`Payload::Skip`]). Replicas
//! stay equal:
//! - A replica that stands before the entry looks ahead, finds that decision among what is committed, and records the failure
//!   instead of applying the entry.
//! - A replica that has applied the entry in the ordinary way finds out when it comes to the decision. Its state is not the
//!   group's: it is rebuilt from a snapshot, as after a divergence.
//! - So that there is somebody who can give a snapshot, the leader that proposes the decision first makes sure that it will not
//!   apply the entry itself, also after a restart: it holds the entry under the same lock under which entries are committed to
//!   its state, and notes that on the disk. It goes on in the ordinary way only when the proposal can no longer be committed,
//!   because an entry of a later term is. A replica that finds the proposal in its log at a start does the same.
//!
//! [`Payload::Skip`]: super::Payload::Skip

use super::Position;
use parking_lot::{Mutex, MutexGuard};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use xxhash_rust::xxh3::xxh3_64;

/// After so many ends of the process over one entry it is not tried again.
pub const DEATHS: u32 = 3;
/// What takes longer to apply is worth knowing.
const LONG: Duration = Duration::from_secs(10);

/// An entry that a replica cannot get past.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stuck {
    pub at: Position,
    /// How often the process has ended while the entry was being applied, as far as that was noted.
    pub deaths: u32,
    /// Since when this is so.
    pub since: SystemTime,
    pub why: Standstill,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standstill {
    /// It is being applied.
    Applying,
    /// It is not tried again.
    Waiting,
    /// It is to be skipped: that is not decided yet.
    Doubtful,
}

impl std::fmt::Display for Stuck {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Position { index, term } = self.at;
        let seconds = self.since.elapsed().unwrap_or_default().as_secs();
        write!(f, "entry {index} of term {term} is not applied for {seconds} s")?;
        if self.deaths > 0 {
            write!(f, ", the process ended {} times over it", self.deaths)?;
        }
        match self.why {
            Standstill::Applying => Ok(()),
            Standstill::Waiting => f.write_str(", and it is not tried again (see `quorate entry`)"),
            Standstill::Doubtful => f.write_str(", and the group has not decided yet to skip it"),
        }
    }
}

/// Why an entry is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hold {
    Deaths,
    /// A proposal of this term to skip it may be committed.
    Proposed,
}

#[derive(Default)]
struct Gate {
    /// The last entry in the state.
    passed: u64,
    held: BTreeMap<u64, Hold>,
    /// Terms of entries whose failure is decided.
    skipped: BTreeMap<u64, u64>,
}

/// See the module. One for each replica.
#[derive(Default)]
pub struct Brake {
    /// What is being applied; 0: nothing.
    index: AtomicU64,
    term: AtomicU64,
    since: Mutex<Option<Instant>>,
    /// The process is about to end.
    stop: AtomicBool,
    /// The first entry that is held or skipped; 0: none.
    first: AtomicU64,
    gate: Mutex<Gate>,
    /// Where the note is, and what it says now.
    note: Mutex<Option<Note>>,
    file: Option<PathBuf>,
}

/// What is to be done with the entries that wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// The first so many can be applied.
    Free(usize),
    /// The first one is recorded as failed.
    Skip,
    /// The first one waits.
    Held,
}

/// The file that outlives the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Note {
    pub at: Position,
    /// How often the process had ended over the entry when this was written.
    pub deaths: u32,
    /// When it was noted first, in seconds since 1970.
    pub since: u64,
    /// It is not being applied.
    pub held: bool,
    /// In which term this replica has proposed to skip it; 0: it has not.
    pub proposed: u64,
}

impl Note {
    fn new(at: Position) -> Note {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        Note { at, deaths: 0, since, held: false, proposed: 0 }
    }

    fn read(file: &Path) -> Option<Note> {
        let text = std::fs::read_to_string(file).ok()?;
        let (line, sum) = text.trim().rsplit_once(' ')?;
        if u64::from_str_radix(sum, 16).ok()? != xxh3_64(line.as_bytes()) {
            return None;
        }
        let numbers: Vec<u64> = line.split(' ').map(|n| n.parse().ok()).collect::<Option<_>>()?;
        let [index, term, deaths, since, held, proposed] = numbers[..] else { return None };
        let at = Position { index, term };
        Some(Note { at, deaths: deaths as u32, since, held: held != 0, proposed })
    }

    fn write(&self, file: &Path, sync: bool) -> std::io::Result<()> {
        let Note { at, deaths, since, held, proposed } = self;
        let line = format!("{} {} {deaths} {since} {} {proposed}", at.index, at.term, u8::from(*held));
        let temporary = file.with_extension("new");
        let mut text = std::fs::File::create(&temporary)?;
        std::io::Write::write_all(&mut text, format!("{line} {:016x}\n", xxh3_64(line.as_bytes())).as_bytes())?;
        if sync {
            text.sync_all()?;
        }
        std::fs::rename(&temporary, file)?;
        match file.parent().filter(|_| sync) {
            Some(directory) => std::fs::File::open(directory)?.sync_all(),
            None => Ok(()),
        }
    }
}

impl Brake {
    /// For a replica whose note is in `file`.
    pub fn new(file: PathBuf) -> Brake {
        Brake { file: Some(file), ..Brake::default() }
    }

    // --- whoever applies ----------------------------------------------------------------------------------------

    /// A call begins with this entry; doing it again after a failure does not begin anew.
    pub fn enter(&self, first: Position) {
        self.begin(first);
        self.since.lock().get_or_insert_with(Instant::now);
    }

    pub fn begin(&self, at: Position) {
        self.term.store(at.term, Ordering::Relaxed);
        self.index.store(at.index, Ordering::Relaxed);
    }

    pub fn leave(&self) {
        *self.since.lock() = None;
        self.index.store(0, Ordering::Relaxed);
    }

    /// Whether what is being applied is to end.
    pub fn interrupts(&self) -> bool {
        let (first, index) = (self.first.load(Ordering::Relaxed), self.index.load(Ordering::Relaxed));
        self.stop.load(Ordering::Relaxed) || first != 0 && first == index
    }

    /// Entries up to this one are in the state, and nothing has to be remembered of them.
    pub fn passed_by(&self, last: u64) {
        let first = self.first.load(Ordering::Relaxed);
        if first != 0 && first <= last {
            self.passed(last);
        }
    }

    /// Lets entries up to `last` into the state: whoever has this makes it so, and then calls [`Passage::done`]. `None`: one
    /// of them must not, any more.
    pub fn pass(&self, last: u64) -> Option<Passage<'_>> {
        let gate = self.gate.lock();
        let first = self.first.load(Ordering::Relaxed);
        (first == 0 || first > last).then_some(Passage { gate, last })
    }

    // --- the replica --------------------------------------------------------------------------------------------

    /// What a start knows: how far the state is, and from what an earlier process has noted, whether to try again. Returns
    /// the term of a proposal of this replica's that may still be committed, with its entry.
    pub fn start(&self, applied: u64) -> Option<(u64, u64)> {
        self.gate.lock().passed = applied;
        let note = self.file.as_deref().and_then(Note::read).filter(|note| note.at.index > applied);
        let Some(mut note) = note else {
            self.forget();
            return None;
        };
        if !note.held {
            note.deaths += 1;
            note.held = note.deaths >= DEATHS;
        }
        *self.note.lock() = Some(note);
        if note.held {
            self.write(&note, false);
            self.hold(note.at.index, if note.proposed > 0 { Hold::Proposed } else { Hold::Deaths });
        }
        (note.proposed > 0).then_some((note.at.index, note.proposed))
    }

    /// What is to be done with entries of these positions, which follow each other.
    pub fn way(&self, waiting: &[super::Committed]) -> Way {
        let first = self.first.load(Ordering::Relaxed);
        let free = waiting.iter().take_while(|entry| first == 0 || entry.at.index < first).count();
        if free > 0 || waiting.is_empty() {
            return Way::Free(free);
        }
        match self.gate.lock().skipped.contains_key(&waiting[0].at.index) {
            true => Way::Skip,
            false => Way::Held,
        }
    }

    /// An entry that a start found in its log is about to be applied by itself.
    pub fn risk(&self, at: Position) {
        let mut slot = self.note.lock();
        let note = slot.filter(|note| note.at == at).unwrap_or_else(|| Note::new(at));
        self.write(&note, false);
        *slot = Some(note);
    }

    /// Nothing of that kind is being applied any more.
    pub fn forget(&self) {
        if self.note.lock().take().is_some() || self.file.as_ref().is_some_and(|file| file.exists()) {
            let _ = self.file.as_ref().map(std::fs::remove_file);
        }
    }

    /// The group has decided that an entry fails.
    pub fn skip(&self, at: Position) {
        let mut gate = self.gate.lock();
        if gate.passed < at.index {
            gate.skipped.insert(at.index, at.term);
            self.look(&gate);
        }
    }

    /// A proposal to skip it was found in the log and may be committed.
    pub fn doubt(&self, index: u64) {
        self.hold(index, Hold::Proposed);
    }

    /// No proposal to skip it can be committed any more.
    pub fn go_on(&self, index: u64) {
        let mut gate = self.gate.lock();
        if gate.held.get(&index) == Some(&Hold::Proposed) {
            gate.held.remove(&index);
            self.look(&gate);
            drop(gate);
            self.forget();
        }
    }

    /// Promises, durably, not to apply an entry before a proposal of `term` to skip it is decided. False if it is applied.
    /// One at a time: there is one note, and the promise that it had before would not outlive the process.
    pub fn propose(&self, at: Position, term: u64) -> std::io::Result<bool> {
        if let Some(open) = self.note.lock().filter(|note| note.proposed > 0 && note.at != at) {
            return Err(std::io::Error::other(format!(
                "whether entry {} is skipped is not decided yet",
                open.at.index
            )));
        }
        {
            let mut gate = self.gate.lock();
            if gate.passed >= at.index {
                return Ok(false);
            }
            gate.held.insert(at.index, Hold::Proposed);
            self.look(&gate);
        }
        let mut slot = self.note.lock();
        let note = slot.filter(|note| note.at == at).unwrap_or_else(|| Note::new(at));
        let note = Note { held: true, proposed: term, ..note };
        if let Some(file) = &self.file {
            note.write(file, true)?;
        }
        *slot = Some(note);
        Ok(true)
    }

    /// An entry is tried again although the process has ended over it. False if it is not held for that reason.
    pub fn retry(&self, index: u64) -> bool {
        let mut gate = self.gate.lock();
        let waits = gate.held.get(&index) == Some(&Hold::Deaths);
        if waits {
            gate.held.remove(&index);
            self.look(&gate);
            drop(gate);
            self.forget();
        }
        waits
    }

    // --- whoever looks at it ------------------------------------------------------------------------------------

    /// What the replica cannot get past, if anything.
    pub fn stuck(&self) -> Option<Stuck> {
        let note = *self.note.lock();
        let held = self.gate.lock().held.first_key_value().map(|(index, hold)| (*index, *hold));
        let noted = |index: u64| note.filter(|note| note.at.index == index);
        if let Some((index, hold)) = held {
            let note = noted(index);
            let since = note.map_or_else(SystemTime::now, |note| UNIX_EPOCH + Duration::from_secs(note.since));
            let why = if hold == Hold::Deaths { Standstill::Waiting } else { Standstill::Doubtful };
            let at = note.map_or(Position { index, term: 0 }, |note| note.at);
            return Some(Stuck { at, deaths: note.map_or(0, |note| note.deaths), since, why });
        }
        let since = (*self.since.lock())?.elapsed();
        let at = Position { index: self.index.load(Ordering::Relaxed), term: self.term.load(Ordering::Relaxed) };
        let deaths = noted(at.index).map_or(0, |note| note.deaths);
        (since >= LONG).then(|| Stuck { at, deaths, since: SystemTime::now() - since, why: Standstill::Applying })
    }

    pub fn stops(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Nothing more is applied: the process is about to end.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    fn hold(&self, index: u64, hold: Hold) {
        let mut gate = self.gate.lock();
        if gate.passed < index {
            gate.held.insert(index, hold);
            self.look(&gate);
        }
    }

    /// Finds the first entry that must not be applied in the ordinary way.
    fn look(&self, gate: &Gate) {
        let first = gate.held.keys().chain(gate.skipped.keys()).min();
        self.first.store(first.copied().unwrap_or(0), Ordering::Relaxed);
    }

    /// What is only for people to know may be lost.
    fn write(&self, note: &Note, sync: bool) {
        if let Some(file) = &self.file
            && let Err(error) = note.write(file, sync)
        {
            tracing::warn!(%error, "that an entry is being applied was not noted");
        }
    }
}

/// See [`Brake::pass`]. Nothing is held or skipped meanwhile.
pub struct Passage<'a> {
    gate: MutexGuard<'a, Gate>,
    last: u64,
}

impl Passage<'_> {
    pub fn done(mut self) {
        self.gate.passed = self.last;
    }
}

/// As [`Brake::pass`], for an entry that is recorded as failed, or for a snapshot that has it.
impl Brake {
    pub fn passed(&self, last: u64) {
        let mut gate = self.gate.lock();
        gate.passed = last;
        gate.held = gate.held.split_off(&(last + 1));
        gate.skipped = gate.skipped.split_off(&(last + 1));
        self.look(&gate);
        drop(gate);
        if self.note.lock().is_some_and(|note| note.at.index <= last) {
            self.forget();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Committed, Payload};
    use super::*;

    fn at(index: u64) -> Position {
        Position { index, term: 3 }
    }

    fn entries(range: std::ops::Range<u64>) -> Vec<Committed> {
        range.map(|index| Committed { at: at(index), payload: Payload::Empty }).collect()
    }

    #[test]
    fn an_entry_that_ends_the_process_is_not_tried_for_ever() {
        let dir = tempfile::tempdir().unwrap();
        let start = |applied| {
            let brake = Brake::new(dir.path().join("applying"));
            assert_eq!(brake.start(applied), None);
            brake
        };
        for deaths in 0..DEATHS {
            let brake = start(6);
            assert_eq!(brake.way(&entries(7..9)), Way::Free(2), "after {deaths} deaths");
            brake.risk(at(7));
        }
        for _ in 0..2 {
            let brake = start(6);
            assert_eq!(brake.way(&entries(7..9)), Way::Held);
            let stuck = brake.stuck().unwrap();
            assert_eq!((stuck.at, stuck.deaths, stuck.why), (at(7), DEATHS, Standstill::Waiting));
        }
        // It may be tried again on purpose, or another one's turn may come.
        let brake = start(6);
        assert!(!brake.retry(8) && brake.retry(7));
        assert_eq!(brake.way(&entries(7..9)), Way::Free(2));
        brake.risk(at(7));
        let brake = start(7);
        assert_eq!((brake.way(&entries(8..9)), brake.stuck()), (Way::Free(1), None));
    }

    #[test]
    fn what_is_given_up_is_not_applied_and_what_is_applied_is_not_given_up() {
        let brake = Brake::default();
        brake.start(6);
        brake.enter(at(7));
        brake.skip(at(8));
        assert!(!brake.interrupts());
        assert_eq!(brake.way(&entries(7..9)), Way::Free(1));
        assert!(brake.pass(8).is_none(), "a call that has it takes no effect");
        brake.pass(7).unwrap().done();
        brake.begin(at(8));
        assert!(brake.interrupts());
        assert_eq!(brake.way(&entries(8..9)), Way::Skip);
        brake.passed(8);
        assert_eq!(brake.way(&entries(9..11)), Way::Free(2));
        brake.skip(at(8));
        assert_eq!(brake.way(&entries(9..11)), Way::Free(2));
        assert!(!brake.propose(at(8), 5).unwrap());
    }

    #[test]
    fn whoever_proposed_to_give_it_up_waits_for_the_decision_over_a_restart() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("applying");
        let brake = Brake::new(file.clone());
        brake.start(6);
        assert!(brake.propose(at(7), 5).unwrap());
        assert!(brake.pass(7).is_none());
        let brake = Brake::new(file.clone());
        assert_eq!(brake.start(6), Some((7, 5)));
        assert_eq!(brake.way(&entries(7..9)), Way::Held);
        assert!(!brake.retry(7), "it may be decided yet");
        brake.go_on(7);
        assert_eq!(brake.way(&entries(7..9)), Way::Free(2));
        let brake = Brake::new(file);
        assert_eq!(brake.start(6), None);
    }
}
