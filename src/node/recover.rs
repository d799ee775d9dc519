//! `quorate recover`: when a majority of the machines is lost for good, a new cluster of one node is made of what one of the
//! others has.
//!
//! A group whose majority is gone decides nothing any more, not even that others shall vote. So the survivor does not go on as
//! what it was: it founds another cluster, with an id of its own, in another directory. Nothing of the old directory is
//! changed, since it may be the last copy. What the new cluster begins with is the state of each group with *all* entries of
//! its log applied:
//! - an entry that was acknowledged to a client is among them if this node had it on its disk. Of a group that has lost its
//!   majority nobody can say whether there were others: that is the loss;
//! - an entry that nobody has acknowledged may be among them as well. Its client was told that the outcome is unknown.
//!
//! Old members that come back know the old id: they can neither vote here nor be voted for. They are not fenced off from
//! clients, though: enough of them are the old cluster again.
//!
//! Left out: to merge what several survivors have. The one whose logs end last is the one to take ([`look`] shows it).

use super::groups::began_at;
use super::{dialect, home, offline_group, owner};
use crate::backup::replay;
use crate::cluster::{self, databases};
use crate::consensus::{Membership, Position, StateMachine as _, form};
use crate::engine::{self, Engine};
use crate::id::{GroupId, ReplicaId, SYSTEM_GROUP};
use crate::pki::private_dir;
use crate::raftlog::identity::{DataLock, Identity};
use crate::raftlog::raft_engine::{RaftEngineLog, RaftEngineOptions};
use crate::raftlog::{LogReader as _, RaftLog as _};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

/// Entries that are applied in one transaction of the state machine.
const TOGETHER: u64 = 64;
/// Bytes of them that are in memory at a time, but for the first.
const BYTES: u64 = 16 << 20;

/// What of a cluster is taken over with its files.
const CONFIGURATION: [&str; 2] = ["config.toml", "pki"];

/// A stopped node's directory.
struct Survivor<'a> {
    dir: &'a Path,
    identity: Identity,
    log: RaftEngineLog,
    _lock: DataLock,
}

/// A group as a survivor has it.
struct Remains {
    group: GroupId,
    /// Its database's, as far as this node knows.
    name: String,
    replica: ReplicaId,
    applied: Position,
    /// Where its log ends.
    last: Position,
    membership: Membership,
}

/// Says what a stopped node has, to be compared with what others have.
///
/// Errors: what is wrong with the directory, in words.
pub fn look(dir: &Path) -> Result<String, String> {
    let survivor = Survivor::open(dir)?;
    let mut out = String::new();
    for remains in survivor.remains()? {
        let Remains { name, applied, last, membership, replica, .. } = remains;
        let voters: Vec<String> = membership.voters.iter().map(|voter| voter.0.to_string()).collect();
        let part = if membership.voters.contains(&replica) { "votes" } else { "does not vote" };
        let _ = writeln!(
            out,
            "{name}: applied up to entry {}, its log ends with entry {} of term {}; replica {} {part} (voters {})",
            applied.index,
            last.index,
            last.term,
            replica.0,
            voters.join(", ")
        );
    }
    out.push_str(
        "of several survivors, take the one whose logs end with the highest term, and of those the one with the highest entry;\n\
         --into DIR then makes a new cluster of it",
    );
    Ok(out)
}

/// Makes a cluster of one node in the directory `into`, which must be empty or not be there, of what the stopped node in `dir`
/// has; what there is to know of it, in words.
///
/// Errors: what is wrong with either directory, in words. `into` is no node's then.
pub fn recover(dir: &Path, into: &Path) -> Result<String, String> {
    let survivor = Survivor::open(dir)?;
    let empty = std::fs::read_dir(into).map_or(true, |mut entries| entries.next().is_none());
    if !empty {
        return Err(format!("{} is not empty: the new cluster gets a directory of its own", into.display()));
    }
    private_dir(into).map_err(|e| format!("{}: {e}", into.display()))?;
    let remains = survivor.remains()?;
    let identity = survivor.successor(&remains);
    let log =
        RaftEngineLog::open(&into.join("log-engine"), &RaftEngineOptions::default()).map_err(|e| e.to_string())?;
    let mut out = String::new();
    for remains in &remains {
        let at = survivor.bring(remains, &identity, into)?;
        log.write(&began_at(remains.group, at), true).map_err(|e| e.to_string())?;
        let beyond = at.index.saturating_sub(remains.applied.index);
        let _ = writeln!(out, "{}: up to entry {}, {beyond} of them from the log", remains.name, at.index);
    }
    for name in CONFIGURATION {
        copy(&dir.join(name), &into.join(name)).map_err(|e| format!("{}: {e}", into.join(name).display()))?;
    }
    // What makes it a node comes last.
    identity.save(into).map_err(|e| e.to_string())?;
    let _ = write!(
        out,
        "{} is the only node of a new cluster now: start it with --data-dir {}\n\
         the other machines join it with empty directories; what is on the old ones must not be started any more",
        identity.name,
        into.display()
    );
    Ok(out)
}

impl Survivor<'_> {
    fn open(dir: &Path) -> Result<Survivor<'_>, String> {
        let lock = DataLock::acquire(dir).map_err(|e| e.to_string())?;
        let identity = Identity::load(dir).map_err(|e| e.to_string())?;
        if identity.removed {
            return Err(format!(
                "the node of {} was removed from its cluster, and has given up its data",
                dir.display()
            ));
        }
        let log = RaftEngineLog::open(&dir.join("log-engine"), &RaftEngineOptions::default());
        let log = log.map_err(|e| format!("the Raft log in {} cannot be opened: {e}", dir.display()))?;
        Ok(Survivor { dir, identity, log, _lock: lock })
    }

    fn remains(&self) -> Result<Vec<Remains>, String> {
        let groups = self.identity.groups.iter();
        let register = engine::rows_of(&home(self.dir, SYSTEM_GROUP), &dialect(SYSTEM_GROUP), databases::DATABASES)?;
        let (register, _) = databases::databases(&register);
        let name_of = |group: GroupId| match register.values().find(|database| database.group == Some(group)) {
            Some(database) => database.name.clone(),
            None if group == SYSTEM_GROUP => cluster::DATABASE.to_owned(),
            None => group.to_string(),
        };
        let remains = groups.map(|(group, replica)| {
            let (applied, membership) = engine::standing(&home(self.dir, *group), &dialect(*group))?;
            if applied.index == 0 {
                return Err(format!("{group} has never come to this node: it cannot be recovered from here"));
            }
            let log = self.log.load(*group).map_err(|e| e.to_string())?;
            // A snapshot that was put in place is not followed by what is in the log of before.
            let replaced = log.record.installing.as_ref().is_some_and(|meta| meta.at == applied);
            let known = self.log.term(*group, applied.index).map_err(|e| e.to_string())?;
            let follows = known.is_none_or(|term| term == applied.term) && log.record.truncated.index <= applied.index;
            let last = match replaced || log.last.index <= applied.index {
                true => applied,
                false if follows => log.last,
                false => {
                    return Err(format!("the log of {group} does not belong to its state: that cannot be recovered"));
                }
            };
            Ok(Remains { group: *group, name: name_of(*group), replica: *replica, applied, last, membership })
        });
        remains.collect()
    }

    /// The same node, of another cluster.
    fn successor(&self, remains: &[Remains]) -> Identity {
        let places = remains.iter().map(|r| (r.group, r.replica, self.identity.node));
        Identity {
            cluster: rand::random(),
            incarnation: rand::random(),
            founders: Vec::new(),
            members: Vec::new(),
            places: places.collect(),
            ..self.identity.clone()
        }
    }

    /// Copies a group's state, applies what is in its log, and makes it the beginning of a group of which this replica alone is
    /// a member. Returns where that is.
    fn bring(&self, remains: &Remains, identity: &Identity, into: &Path) -> Result<Position, String> {
        let group = remains.group;
        let told = |why: String| format!("{}: {why}", remains.name);
        let target = home(into, group);
        let dialect = dialect(group);
        engine::copy_state(&home(self.dir, group), &dialect, &target).map_err(told)?;
        self.replay(remains, &target).map_err(told)?;
        let owner = owner(identity.cluster, group);
        let statements = match group {
            SYSTEM_GROUP => cluster::alone(identity.node, &identity.name, identity.incarnation, &identity.groups),
            _ => Vec::new(),
        };
        engine::begin_anew(&target, &dialect, &owner, vec![remains.replica], &statements).map_err(told)
    }

    fn replay(&self, remains: &Remains, target: &Path) -> Result<(), String> {
        let Remains { group, last, .. } = *remains;
        let (mut engine, _shared) = Engine::open(offline_group(target, group, owner(self.identity.cluster, group)))
            .map_err(|e| e.to_string())?;
        let mut membership = engine.membership();
        let first = engine.applied().index + 1;
        // What the group has decided to skip is known by a later entry.
        let mut skips = BTreeSet::new();
        self.each(group, first, last.index, &mut |entries| {
            skips.extend(entries.iter().filter_map(form::skipped).map(|at| at.index));
            Ok(())
        })?;
        self.each(group, first, last.index, &mut |entries| {
            let entries: Vec<_> = entries.into_iter().map(|entry| form::replayed(entry, &mut membership)).collect();
            replay::apply(&mut engine, &entries, &skips)
        })
    }

    /// The entries of a log in parts.
    fn each(
        &self,
        group: GroupId,
        first: u64,
        last: u64,
        take: &mut dyn FnMut(Vec<crate::raftlog::Entry>) -> Result<(), String>,
    ) -> Result<(), String> {
        let mut next = first;
        while next <= last {
            let entries = self.log.entries(group, next, (next + TOGETHER).min(last + 1), BYTES);
            let entries = entries.map_err(|e| e.to_string())?;
            next += entries.len() as u64;
            take(entries)?;
        }
        Ok(())
    }
}

/// Copies a file, or a directory with all that is in it, if it is there.
fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    match std::fs::metadata(from) {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(e) => Err(e),
        Ok(found) if found.is_dir() => {
            private_dir(to)?;
            std::fs::read_dir(from)?.try_for_each(|entry| {
                let name = entry?.file_name();
                copy(&from.join(&name), &to.join(&name))
            })
        }
        // With its mode: keys are their owner's alone.
        Ok(_) => std::fs::copy(from, to).map(drop),
    }
}
