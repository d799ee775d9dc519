//! One replica of one group: events in, effects out. No IO, no clock, no randomness, no threads.
//!
//! The heart is raft-rs's `RawNode` in its asynchronous mode. Around it this file adds what a database needs:
//! - **Batching.** Proposals that arrive while an append of this replica is being written become one entry.
//! - **Reads.** One read index is under way at a time and carries every read that waited when it was issued. raft-rs
//!   drops such requests silently, so they are held back while they would be dropped, and issued again, under a new
//!   context, on a timer and whenever the leadership changes.
//! - **Back-pressure.** What waits, what is not committed and what is not applied are bounded in bytes.
//! - **Snapshots.** While one is installed the replica answers nothing but heartbeats.
//! - **Membership.** The configuration changes when its entry is handed out to be applied, before the state machine
//!   has applied it. The state machine gets the result, so both agree after a restart. A replica that loses power may come
//!   back with a configuration of before, and then asks those for their votes who may be gone since. So each
//!   notes, with a sync, that a change is committed, before it says that it knows; and whoever loses its vote stays a
//!   member, and no other change is made, until a majority of the voters has noted it ([`Core::membership_is_settled`]). Of any
//!   majority one knows then, and by its question for votes the others learn.
//! - **Conditions.** A replica whose disk is full, that diverged, that ails or that was halted does not seek leadership
//!   and gives it up when it has it. One that ails (its machine fails it for now) still votes and takes appends: what
//!   it can do it does, and it serves again when it is well.
//! - **Standing in.** A replica that diverged has its log, and may be the only one with the last entries, without which
//!   nobody else is elected. So when nobody has led for [`time::LEADERLESS`] election timeouts it leads for a moment: it
//!   proposes nothing and hands over as soon as somebody has what it has.
//! - **A lost state.** What a replica has promised (votes, acknowledgements) is in its log. So one whose state machine has lost
//!   its state, while the log is whole, may keep its id: it votes and acknowledges, does not lead, and asks for a snapshot.
//!   It must not if its log lacks what it has acknowledged; where the state machine cannot say any more what it had applied, a
//!   note beside it does ([`Start::reached`]).
//! - **Old entries.** What a follower that lags behind the memory needs is fetched: an effect asks for it, an event
//!   brings it. See [`super::store`].
//! - **Rest.** A group with nothing to do stops its clocks and its heartbeats until something comes: see `rest`. That it still
//!   has a leader then stands on the nodes hearing each other; the driver says when they do not.
//! - **Succession.** When the process of the leader is known to be gone, nobody waits for a timeout: see
//!   [`Core::succession`].
//!
//! The conductor of the node ([`super::conductor`]) calls [`Core::step`] with any number of events and then [`Core::drain`], and
//! passes the effects on in the order in which they are returned.
//!
//! Time passed between two ticks is the driver's business. raft-rs draws its election timeout from a global generator;
//! here its range has one value and the driver varies it by withholding ticks.
//!
//! Not here: leases. Every linearizable read asks a majority.

mod applying;
mod contract;
mod entry;
mod leadership;
mod membership;
mod messages;
mod proposals;
mod reads;
mod ready;
mod rest;
mod snapshots;
mod start;
mod time;

pub use super::check::{Improper, MAX_TERM};
pub use super::store::Fetch;
use crate::clock::{LogClock, Reading};
use crate::consensus::form::conf_state;
use crate::consensus::{Membership, SnapshotMeta};
use crate::id::ReplicaId;
use crate::raftlog::{HardState, LogReader};
use crate::replica::store::Store;
pub use contract::{
    Change, ChangeError, CoreConfig, Effect, Event, Leadership, Refused, Role, Start, StartError, Ticketed,
};
pub use entry::bootstrap;
use raft::eraftpb::Message;
use raft::{RawNode, SnapshotStatus};
use rest::Rest;
use start::{check_start, last_floor};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Condition {
    Active,
    /// Wants a snapshot; takes part in everything but leadership.
    Diverged,
    /// Gives up the leadership if it has it, then falls silent.
    Halted,
}

/// A read index that was asked for.
struct Asked {
    /// Each with the number of the first request that was made for it.
    reads: Vec<(u64, u64)>,
    age: u32,
    /// It may have been lost: the next request is for its reads, too.
    recalled: bool,
}

#[derive(Default)]
struct Reads {
    waiting: Vec<u64>,
    asked: Option<Asked>,
    counter: u64,
    /// Requests of followers that arrived before this leader's first commit.
    remote: Vec<Message>,
}

struct Installing {
    number: u64,
    meta: SnapshotMeta,
    then_send: Vec<Message>,
}

/// An append on its way to the disk.
struct InFlight {
    number: u64,
    last: u64,
}

/// See the module.
pub struct Core {
    config: CoreConfig,
    raw: RawNode<Store>,
    effects: Vec<Effect>,
    in_flight: VecDeque<InFlight>,
    last_ready: u64,
    persisted_hard: (u64, u64),
    /// Changes of the membership in the log of which the disk does not say that they are committed, by their indexes.
    unnoted: BTreeSet<u64>,
    /// The write that says so of some of them, and the last index before the first of these.
    noted_by: Option<(u64, u64)>,
    /// No change of the membership that was handed out is later than this.
    latest_change: u64,
    /// The write with which the present term and vote become durable, and what may not leave before.
    term_written_by: Option<u64>,
    untold: Vec<Message>,

    waiting: VecDeque<Ticketed>,
    waiting_bytes: usize,
    reading: Option<Reading>,
    seed: u64,
    /// The time of the log up to its last entry here.
    time: LogClock,
    unfit: BTreeSet<ReplicaId>,

    /// The last index raft has released to be applied, the last one handed out, the last one applied.
    released: u64,
    handed: u64,
    applied: u64,
    durable: u64,
    /// What is kept elsewhere, if somebody keeps it.
    kept: Option<u64>,
    unapplied: VecDeque<(u64, usize)>,
    unapplied_bytes: usize,

    /// Entries that may be skipped, by the term of the latest proposal.
    doubts: BTreeMap<u64, u64>,

    reads: Reads,
    leadership: Leadership,
    leaders: BTreeMap<u64, u64>,
    /// Who led when it was last known who leads.
    last_leader: Option<ReplicaId>,
    membership: Membership,
    change: Option<(u64, Change)>,
    installing: Option<Installing>,
    /// Applied index when the snapshot under construction was asked for.
    building: Option<u64>,
    condition: Condition,
    /// The state machine lacks what the log no longer holds: nothing is handed out before a snapshot has come.
    bare: bool,
    ailing: bool,
    disk_full: bool,
    /// Ticks a leader has left to hand over before it falls silent.
    patience: usize,
    /// Ticks since somebody led, as far as this replica knows.
    leaderless: usize,
    rest: Rest,
    ticks: u64,
    entry_bytes: u64,
}

impl Core {
    /// Refuses to start when the log has lost what was acknowledged: such a replica must not vote.
    pub fn new(
        config: CoreConfig,
        reader: Arc<dyn LogReader>,
        start: Start,
        logger: &slog::Logger,
    ) -> Result<Core, StartError> {
        check_start(&config, reader.as_ref(), &start)?;
        // What was cut off was applied, although the state machine may have lost it.
        let bare = start.applied.index < start.log.record.truncated.index;
        let applied = start.applied.index.max(start.log.record.truncated.index);
        let found = start.log.record.hard_state;
        let hard = HardState { commit: found.commit.max(applied), ..found };
        let conf = conf_state(&start.membership);
        let floor = last_floor(&config, reader.as_ref(), &start.log)?.unwrap_or(start.floor);
        let store = Store::new(config.group, reader, &start.log, hard, conf, config.cache)
            .map_err(|e| StartError::Log(e.to_string()))?;
        let raw = RawNode::new(&config.raft(applied), store, logger).map_err(|e| StartError::Log(e.to_string()))?;
        let mut core = Core {
            raw,
            effects: Vec::new(),
            in_flight: VecDeque::new(),
            last_ready: 0,
            persisted_hard: (hard.term, hard.vote),
            unnoted: BTreeSet::new(),
            noted_by: None,
            latest_change: applied,
            term_written_by: None,
            untold: Vec::new(),
            waiting: VecDeque::new(),
            waiting_bytes: 0,
            reading: None,
            seed: config.boot,
            time: LogClock::new(floor),
            unfit: BTreeSet::new(),
            released: applied,
            handed: applied,
            applied,
            // What a crashed process left applied need not have reached the disk: the state machine will say.
            durable: 0,
            kept: None,
            unapplied: VecDeque::new(),
            unapplied_bytes: 0,
            doubts: start.doubt.into_iter().collect(),
            reads: Reads::default(),
            leadership: Leadership::default(),
            leaders: BTreeMap::new(),
            last_leader: None,
            membership: start.membership,
            change: None,
            installing: None,
            building: None,
            condition: if bare { Condition::Diverged } else { Condition::Active },
            bare,
            ailing: false,
            disk_full: false,
            patience: 0,
            leaderless: 0,
            rest: Rest::default(),
            ticks: 0,
            entry_bytes: 256,
            config,
        };
        if found.commit < applied {
            // Changes may be among what is applied, and that need not have reached the disk.
            core.unnoted.insert(applied);
        }
        core.look_through(hard.commit)?;
        core.note_leadership();
        Ok(core)
    }

    pub fn leadership(&self) -> Leadership {
        self.leadership
    }
    pub fn membership(&self) -> &Membership {
        &self.membership
    }
    pub fn commit(&self) -> u64 {
        self.raw.raft.raft_log.committed
    }
    pub fn applied(&self) -> u64 {
        self.applied
    }
    /// The state machine has lost its state; a snapshot will bring another.
    pub fn is_bare(&self) -> bool {
        self.bare
    }
    /// The last entry, durable or not.
    pub fn last_index(&self) -> u64 {
        self.raw.raft.raft_log.last_index()
    }
    pub fn first_index(&self) -> u64 {
        self.raw.store().truncated().index + 1
    }
    /// A leader's view of how far each replica's log matches its own.
    pub fn matched(&self) -> BTreeMap<ReplicaId, u64> {
        if self.leadership.role != Role::Leader {
            return BTreeMap::new();
        }
        self.raw.raft.prs().iter().map(|(id, p)| (ReplicaId(*id), p.matched)).collect()
    }

    /// Takes notice of an event. What it causes is returned by the next [`Core::drain`].
    pub fn step(&mut self, event: Event) {
        if self.is_resting() && self.disturbs(&event) {
            self.wake();
        }
        match event {
            Event::Tick if self.is_resting() => {}
            Event::Tick => self.tick(),
            Event::Peer(message) => self.peer(message),
            Event::Propose { proposals, clock, seed } => self.propose(proposals, clock, seed),
            Event::Clock(reading) => self.reading = Some(reading),
            Event::Unfit(unfit) => self.judged(unfit),
            Event::ReadIndex(reads) => self.reads.waiting.extend(reads),
            Event::CancelReads(gone) => self.cancel_reads(&gone),
            Event::Persisted(number) => self.persisted(number),
            Event::Applied(index) => self.note_applied(index),
            Event::Durable(index) => {
                self.durable = self.durable.max(index);
                self.compact();
            }
            Event::Kept(index) => {
                self.kept = Some(index);
                self.compact();
            }
            Event::SnapshotBuilt(meta) => self.snapshot_built(meta),
            Event::SnapshotFailed => self.building = None,
            Event::SnapshotSent { to, ok } => {
                let status = if ok { SnapshotStatus::Finish } else { SnapshotStatus::Failure };
                self.raw.report_snapshot(to.0, status);
            }
            Event::SnapshotInstalled { floor } => self.snapshot_installed(floor),
            Event::Fetched { fetch, entries } => self.fetched(fetch, entries),
            Event::Campaign { dead } => self.campaign(dead),
            Event::Begin => self.begin(),
            Event::Silent { replica, ticks } => self.note_silence(replica, ticks),
            Event::Heard(replica) => drop(self.rest.silent.remove(&replica)),
            Event::Wake => {}
            Event::Unreachable(replica) => self.raw.report_unreachable(replica.0),
            Event::TransferLeader(to) => self.transfer_leader(to),
            Event::ChangeMembership { ticket, change } => self.change_membership(ticket, change),
            Event::Skip(at) => self.propose_to_skip(at),
            Event::DiskFull(full) => {
                self.disk_full = full;
                if full {
                    self.transfer_leader(None);
                }
            }
            Event::Ailing(ailing) => self.ail(ailing),
            Event::Diverged => self.leave(Condition::Diverged),
            Event::Halted => self.leave(Condition::Halted),
        }
        self.look_at_change();
        self.note_leadership();
    }

    /// What is to be done now, in order.
    pub fn drain(&mut self) -> Vec<Effect> {
        self.flush_proposals();
        self.ask_reads();
        while self.installing.is_none() && self.raw.has_ready() {
            self.ready();
            self.flush_proposals();
            self.ask_reads();
        }
        if self.installing.is_some() {
            self.answer_heartbeats();
        }
        self.hand_out();
        self.look_at_change();
        self.build_snapshot();
        self.effects.extend(self.raw.mut_store().take_fetches().into_iter().map(Effect::Fetch));
        self.note_leadership();
        std::mem::take(&mut self.effects)
    }
}
