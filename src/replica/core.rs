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
//!   nobody else is elected. So when nobody has led for [`LEADERLESS`] election timeouts it leads for a moment: it
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

mod rest;

pub use super::check::{Improper, MAX_TERM};
use super::check::{View, check};
pub use super::store::Fetch;
use super::store::Store;
use super::{Committed, Membership, Payload, Position, SnapshotMeta};
use crate::clock::{LogClock, Reading};
use crate::command::{self, Batch, Proposal};
use crate::consensus::form::{self, conf_state, membership, skip, skipped};
use crate::id::{GroupId, NodeId, ReplicaId};
use crate::raftlog::{GroupLog, HardState, LogReader, LogWrite};
use protobuf::Message as _;
use raft::eraftpb::{ConfChangeSingle, ConfChangeType, ConfChangeV2, Entry, EntryType, Message, MessageType};
use raft::{Config, ProgressState, RawNode, ReadOnlyOption, SnapshotStatus, StateRole, Storage};
use rest::Rest;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

/// Limits are in bytes, times in ticks.
#[derive(Clone, Debug)]
pub struct CoreConfig {
    pub group: GroupId,
    pub replica: ReplicaId,
    /// Drawn at random at every start of the process: no read context repeats over restarts.
    pub boot: u64,
    pub election_ticks: usize,
    pub heartbeat_ticks: usize,
    /// A leader with nothing to do for so long lets its group rest; 0: never.
    pub rest_ticks: u32,
    /// After this time a read index is asked for again.
    pub read_retry_ticks: u32,
    /// Of one append message.
    pub max_append: u64,
    /// Append messages sent to a follower and not answered.
    pub max_inflight: usize,
    /// Appended and not committed: above it, proposals wait.
    pub max_uncommitted: u64,
    /// Handed out to be applied and not applied: above it, proposals wait and nothing more is handed out.
    pub max_unapplied: usize,
    /// Waiting proposals: above it, they are refused.
    pub max_waiting: usize,
    /// Of one entry.
    pub max_batch: usize,
    pub max_batch_commands: usize,
    /// Durable entries kept in memory.
    pub cache: usize,
    /// Entries are cut off in steps of at least this many.
    pub compact_step: u64,
    /// Applied entries kept for followers that lag a little.
    pub compact_keep: u64,
    /// Bound on the bytes of the entries kept.
    pub compact_keep_bytes: u64,
    /// A live follower this many entries behind no longer holds the log back: it gets a snapshot.
    pub compact_max_lag: u64,
    /// The mistake of believing every message, for tests that must find it. No driver makes it.
    pub believes_everything: bool,
}

/// So many election timeouts without a leader, and one leads that otherwise must not.
const LEADERLESS: usize = 5;

/// By how many ticks the last voters wait longer than the shortest time.
const LAST_IN_LINE: usize = 9;

impl CoreConfig {
    pub fn new(group: GroupId, replica: ReplicaId, boot: u64) -> CoreConfig {
        CoreConfig {
            group,
            replica,
            boot,
            election_ticks: 10,
            heartbeat_ticks: 2,
            rest_ticks: 34,
            read_retry_ticks: 3,
            max_append: 512 << 10,
            max_inflight: 128,
            max_uncommitted: 32 << 20,
            max_unapplied: 32 << 20,
            max_waiting: 32 << 20,
            max_batch: 1 << 20,
            max_batch_commands: 4096,
            cache: 4 << 20,
            compact_step: 1024,
            compact_keep: 8192,
            compact_keep_bytes: 32 << 20,
            compact_max_lag: 100_000,
            believes_everything: false,
        }
    }

    fn raft(&self, applied: u64) -> Config {
        Config {
            id: self.replica.0,
            election_tick: self.election_ticks,
            heartbeat_tick: self.heartbeat_ticks,
            min_election_tick: self.election_ticks,
            // What it draws is replaced before it counts: see `Core::set_election_timeout`.
            max_election_tick: self.election_ticks + LAST_IN_LINE + 1,
            applied,
            max_size_per_msg: self.max_append,
            max_inflight_msgs: self.max_inflight,
            check_quorum: true,
            pre_vote: true,
            read_only_option: ReadOnlyOption::Safe,
            batch_append: true,
            max_uncommitted_size: self.max_uncommitted,
            max_committed_size_per_ready: 4 << 20,
            ..Config::default()
        }
    }
}

/// A proposal and the number by which the driver knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ticketed {
    pub ticket: u64,
    /// Only in this term; `None`: in any.
    pub term: Option<u64>,
    pub proposal: Proposal,
}

/// A change of who votes. One at a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Adds a replica that gets everything and does not vote.
    AddLearner(ReplicaId, NodeId),
    /// Makes a learner that has caught up a voter.
    Promote(ReplicaId),
    /// Removes a learner. Who votes must lose its vote first.
    Remove(ReplicaId),
    /// Takes a voter's vote, never the leader's; it stays as a learner.
    Demote(ReplicaId),
    /// Makes a learner a voter and a voter a learner in one step (joint consensus).
    Swap { promote: ReplicaId, demote: ReplicaId },
}

/// Why a membership did not change.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChangeError {
    #[error("not the leader")]
    NotLeader,
    #[error("another change of the membership is under way")]
    Busy,
    #[error("{0} is not a learner that has caught up")]
    NotCaughtUp(ReplicaId),
    #[error("{0} leads the group: transfer the leadership first")]
    IsLeader(ReplicaId),
    #[error("{0} is not a member")]
    NotMember(ReplicaId),
    #[error("{0} is a member already")]
    IsMember(ReplicaId),
    #[error("{0} votes: it must lose its vote first")]
    Votes(ReplicaId),
    #[error("leadership was lost: the change may take place or not")]
    Unknown,
}

/// Everything that can happen to a replica.
#[derive(Clone, Debug)]
pub enum Event {
    Tick,
    /// A message of another replica. For a snapshot: its file has arrived and was verified.
    Peer(Message),
    /// `seed` is random.
    Propose {
        proposals: Vec<Ticketed>,
        clock: Reading,
        seed: u64,
    },
    /// What time it is: with every tick, and when a majority's clocks have become known.
    Clock(Reading),
    /// Who had better not lead: its clock is far from a majority's, or its disk much slower than the others'. If this
    /// replica is among them and does lead, it hands over.
    Unfit(BTreeSet<ReplicaId>),
    /// Reads, by the driver's numbers for them.
    ReadIndex(Vec<u64>),
    /// Nobody waits for these reads any longer.
    CancelReads(BTreeSet<u64>),
    /// The effect [`Effect::Persist`] of this number, and all before it, is done.
    Persisted(u64),
    /// Everything up to this index is applied.
    Applied(u64),
    /// Everything up to this index is applied durably.
    Durable(u64),
    /// Everything up to this index is kept elsewhere as well; what is not stays in the log for some time.
    Kept(u64),
    SnapshotBuilt(SnapshotMeta),
    SnapshotFailed,
    /// The end of an [`Effect::SendSnapshot`].
    SnapshotSent {
        to: ReplicaId,
        ok: bool,
    },
    /// The end of an [`Effect::InstallSnapshot`]; `floor` as in [`Start`].
    SnapshotInstalled {
        floor: i64,
    },
    /// The end of an [`Effect::Fetch`]; `None` if the entries cannot be read now, or are not there any more.
    Fetched {
        fetch: Fetch,
        entries: Option<Vec<Entry>>,
    },
    /// The process of `dead` is known to be gone: if it led last and nobody else is being elected, campaign.
    Campaign {
        dead: ReplicaId,
    },
    /// The group is new: somebody has to lead it, and it might as well be this replica.
    Begin,
    /// Nothing was heard of the replica's node for so many ticks, an election timeout or more.
    Silent {
        replica: ReplicaId,
        ticks: usize,
    },
    /// The replica's node is heard again.
    Heard(ReplicaId),
    /// If the group rests it is to look whether it may.
    Wake,
    /// A message to the replica was lost.
    Unreachable(ReplicaId),
    /// Give up the leadership to a replica, or to the best one.
    TransferLeader(Option<ReplicaId>),
    ChangeMembership {
        ticket: u64,
        change: Change,
    },
    /// Propose that all commands of this entry fail. The state machine has promised not to apply it meanwhile.
    Skip(Position),
    DiskFull(bool),
    /// The machine fails the replica (true), or does so no longer.
    Ailing(bool),
    /// The state differs from the majority's and must be rebuilt from a snapshot.
    Diverged,
    /// The replica must not go on.
    Halted,
}

/// Everything a replica wants done, in order.
#[derive(Clone, Debug)]
pub enum Effect {
    /// Send now.
    Send(Vec<Message>),
    /// Send the file of the snapshot and then the message; always answered by [`Event::SnapshotSent`].
    SendSnapshot {
        message: Message,
        meta: SnapshotMeta,
    },
    /// Write (and sync) in the order of the numbers; then send; answered by [`Event::Persisted`].
    Persist {
        number: u64,
        entries: Vec<Entry>,
        hard_state: Option<HardState>,
        sync: bool,
        then_send: Vec<Message>,
    },
    /// Read entries of the log; always answered by [`Event::Fetched`].
    Fetch(Fetch),
    /// Apply in order; answered by [`Event::Applied`].
    Apply(Vec<Committed>),
    /// Reads may run once this replica has applied `index`.
    ReadReady {
        reads: Vec<u64>,
        index: u64,
    },
    Leadership(Leadership),
    /// Answered by [`Event::SnapshotBuilt`] or [`Event::SnapshotFailed`].
    BuildSnapshot,
    /// Replace the state machine and then the log; answered by [`Event::SnapshotInstalled`].
    InstallSnapshot {
        meta: SnapshotMeta,
        hard_state: HardState,
    },
    /// Cut the log up to here.
    Compact(Position),
    /// These proposals, by their tickets, are the commands of the entry at `index`, in this order. Whoever waits for one
    /// of them waits for that place in the log: another attempt under the same request id has a place of its own.
    Appended {
        index: u64,
        tickets: Vec<u64>,
    },
    /// These proposals, by their tickets, were not appended and never will be.
    Refused {
        tickets: Vec<u64>,
        why: Refused,
    },
    /// The leadership is lost: the fate of every appended proposal that is not answered is unknown.
    OutcomesUnknown,
    /// Who votes has changed; and where new replicas live.
    Membership(Membership, Vec<(ReplicaId, NodeId)>),
    /// The group has decided that all commands of an entry fail. Comes before the entry that says so is handed out, however
    /// much waits to be applied.
    Skip(Position),
    /// A proposal to skip the entry may be committed: it must not be applied before that is known.
    Doubt(u64),
    /// None can be committed any more.
    GoOn(u64),
    /// A message was refused that no correct replica can have sent.
    Refuted {
        from: ReplicaId,
        why: Improper,
    },
    /// The end of an [`Event::ChangeMembership`].
    Changed {
        ticket: u64,
        result: Result<(), ChangeError>,
    },
}

/// Why proposals were refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    NotLeader,
    /// The leadership is being transferred.
    Dropped,
    Overloaded,
    DiskFull,
    Halted,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Role {
    #[default]
    Follower,
    Candidate,
    Leader,
}

/// Who leads, as this replica knows it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Leadership {
    pub role: Role,
    pub term: u64,
    pub leader: Option<ReplicaId>,
}

/// What a replica starts from.
pub struct Start {
    /// The group's log after [`crate::raftlog::finish_install`].
    pub log: GroupLog,
    /// The state machine's position and membership.
    pub applied: Position,
    pub membership: Membership,
    /// What the state machine is known to have applied once, even if it has lost it: the log must hold it.
    pub reached: Position,
    /// No command before the next one has a time at or above this, as far as the state machine knows.
    pub floor: i64,
    /// An entry that this replica has proposed to skip, and in which term, if that may still be committed.
    pub doubt: Option<(u64, u64)>,
}

/// Why a replica must not take part.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StartError {
    #[error(
        "the raft log ends at {last:?}, but {needed} was acknowledged: entries were lost; this replica must not vote. \
         Replace it by a new one"
    )]
    LogLost { last: Position, needed: u64 },
    #[error("the raft log has term {log} at index {index}, the state machine has {state}: they do not belong together")]
    TermMismatch { index: u64, log: u64, state: u64 },
    #[error(
        "the term {0} is impossible: somebody forged a message. Stop all nodes and mend them with `quorate repair-term`, \
         as docs/operations.md says"
    )]
    ImpossibleTerm(u64),
    #[error("{0}")]
    Log(String),
}

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
    counter: u64,
    reads: Vec<u64>,
    age: u32,
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

/// Bytes of the log that wait for being kept elsewhere.
const KEPT_BYTES: u64 = 1 << 30;

/// The entries every founding replica writes by itself: one per voter, in one order, so that all logs begin alike and
/// a replica that joins later learns the founders from the log.
pub fn bootstrap(group: GroupId, voters: &BTreeMap<ReplicaId, NodeId>) -> Vec<LogWrite> {
    let entries: Vec<Entry> = (1..)
        .zip(voters)
        .map(|(index, (replica, node))| {
            let change = conf_change(&[(ConfChangeType::AddNode, *replica)], &[(*replica, *node)]);
            let mut entry = Entry { index, term: 1, ..Entry::default() };
            entry.set_entry_type(EntryType::EntryConfChangeV2);
            entry.data = change.write_to_bytes().expect("plain data").into();
            entry
        })
        .collect();
    let commit = entries.len() as u64;
    vec![LogWrite::Append(group, entries), LogWrite::HardState(group, HardState { term: 1, vote: 0, commit })]
}

fn conf_change(changes: &[(ConfChangeType, ReplicaId)], nodes: &[(ReplicaId, NodeId)]) -> ConfChangeV2 {
    let single = |(kind, replica): &(ConfChangeType, ReplicaId)| {
        let mut single = ConfChangeSingle { node_id: replica.0, ..ConfChangeSingle::default() };
        single.set_change_type(*kind);
        single
    };
    let mut out = ConfChangeV2 { context: command::encode(&nodes.to_vec()), ..ConfChangeV2::default() };
    out.set_changes(changes.iter().map(single).collect::<Vec<_>>().into());
    out
}

/// The first time that a batch leaves free: its time plus its number of commands.
fn floor_after(data: &[u8]) -> Option<i64> {
    let (now, commands) = command::head(data).ok()?;
    Some(now.saturating_add(i64::try_from(commands).ok()?))
}

fn is_change(entry: &Entry) -> bool {
    entry.get_entry_type() != EntryType::EntryNormal
}

/// May leave before what the replica knows is durable: these promise nothing about its log or vote.
fn promises_nothing(message: &Message) -> bool {
    use MessageType::*;
    matches!(
        message.get_msg_type(),
        MsgHeartbeatResponse | MsgReadIndex | MsgRequestPreVote | MsgRequestPreVoteResponse
    )
}

/// The entries of an append follow the position that it names.
fn is_aligned(message: &Message) -> bool {
    message.entries.first().is_none_or(|first| first.index == message.index + 1)
}

/// Cuts an append message into messages of at most `limit` bytes (or one entry): raft-rs joins them without a bound.
fn split_append(mut message: Message, limit: usize, out: &mut Vec<Message>) {
    let total: usize = message.entries.iter().map(|e| e.data.len()).sum();
    if message.get_msg_type() != MessageType::MsgAppend || total <= limit {
        out.push(message);
        return;
    }
    let mut part = Message { entries: Default::default(), ..message.clone() };
    let mut bytes = 0;
    for entry in message.take_entries() {
        if bytes + entry.data.len() > limit && !part.entries.is_empty() {
            let last = part.entries.last().map(|e| (e.index, e.term)).expect("not empty");
            let mut next = Message { entries: Default::default(), ..part.clone() };
            (next.index, next.log_term) = last;
            out.push(std::mem::replace(&mut part, next));
            bytes = 0;
        }
        bytes += entry.data.len();
        part.entries.push(entry);
    }
    out.push(part);
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

    // --- time ---------------------------------------------------------------------------------------------------

    fn tick(&mut self) {
        self.ticks += 1;
        self.raw.mut_store().resume_fetches();
        if self.installing.is_some() || self.silent() {
            return;
        }
        self.count_leaderless();
        if self.may_lead() || self.is_leader() || self.stands_in() {
            self.set_election_timeout();
            self.seek_rest();
            self.raw.tick();
        } else {
            // It does not campaign, but time passes: the lease of a leader that fell silent must not bind its vote for ever.
            let raft = &mut self.raw.raft;
            raft.election_elapsed = (raft.election_elapsed + 1).min(self.config.election_ticks);
        }
        if let Some(asked) = &mut self.reads.asked {
            asked.age += 1;
            if asked.age >= self.config.read_retry_ticks {
                self.recall_reads();
            }
        }
        if self.is_leader() {
            self.leave_joint();
            if self.disk_full && self.ticks.is_multiple_of(self.config.election_ticks as u64) {
                self.transfer_leader(None);
            }
            self.lose_patience();
        } else if self.condition == Condition::Diverged && self.ticks.is_multiple_of(2) {
            self.want_snapshot();
        }
        if self.ticks.is_multiple_of(self.config.election_ticks as u64) {
            self.compact();
        }
    }

    /// Answers the leader that it needs a snapshot, at least of what it knows to be committed. raft-rs takes no appends from then
    /// on, whoever leads, and asks for uncommitted entries, too. Where most replicas wait for one, no leader could commit what
    /// must be in it: so each leader is given the time to commit an entry of its own, and then has all that is asked for.
    fn want_snapshot(&mut self) {
        let raft = &mut self.raw.raft;
        if !raft.commit_to_current_term() {
            raft.pending_request_snapshot = raft::INVALID_INDEX;
        } else if raft.pending_request_snapshot == raft::INVALID_INDEX {
            raft.pending_request_snapshot = raft.raft_log.committed;
        }
    }

    /// A leader that falls silent is replaced by the voters in their order, two ticks apart: the first one's question
    /// comes one tick after the others are ready to agree, and the next one asks before it would ask again. Whoever knows
    /// no leader campaigns after the shortest time; that those do not ask at the same moments for ever is up to the
    /// driver, which leaves out some of their ticks.
    fn set_election_timeout(&mut self) {
        let line = match self.raw.raft.leader_id {
            raft::INVALID_ID => 0,
            leader => {
                let others = self.membership.voters.iter().filter(|voter| voter.0 != leader);
                let rank = others.take_while(|voter| **voter != self.config.replica).count();
                (1 + 2 * rank).min(LAST_IN_LINE)
            }
        };
        self.raw.raft.set_randomized_election_timeout(self.config.election_ticks + line);
    }

    fn count_leaderless(&mut self) {
        let raft = &self.raw.raft;
        let silence = !self.is_leader() && raft.election_elapsed >= self.config.election_ticks;
        self.leaderless = if silence || raft.leader_id == raft::INVALID_ID { self.leaderless + 1 } else { 0 };
    }

    /// See the module.
    fn stands_in(&self) -> bool {
        let could = self.condition == Condition::Diverged && !self.bare && !self.ailing && !self.disk_full;
        could && !self.raw.raft.prs().is_singleton() && self.leaderless >= LEADERLESS * self.config.election_ticks
    }

    fn is_leader(&self) -> bool {
        self.raw.raft.state == StateRole::Leader
    }

    /// A singleton elects itself at once, which raft-rs allows only when its log is on disk.
    fn may_lead(&self) -> bool {
        let alone = self.raw.raft.prs().is_singleton() && !self.in_flight.is_empty();
        self.is_well() && !self.disk_full && self.installing.is_none() && !alone
    }

    fn is_well(&self) -> bool {
        self.condition == Condition::Active && !self.ailing
    }

    fn silent(&self) -> bool {
        self.condition == Condition::Halted && !self.is_leader()
    }

    fn leave(&mut self, condition: Condition) {
        if self.condition == Condition::Halted {
            return;
        }
        self.condition = condition;
        self.give_up_leadership();
    }

    fn ail(&mut self, ailing: bool) {
        if ailing && !self.ailing {
            self.give_up_leadership();
        }
        self.ailing = ailing;
    }

    fn give_up_leadership(&mut self) {
        self.patience = self.config.election_ticks;
        self.transfer_leader(None);
    }

    fn lose_patience(&mut self) {
        if self.is_well() {
            return;
        }
        self.transfer_leader(None);
        self.patience = self.patience.saturating_sub(1);
        if self.patience == 0 {
            let term = self.raw.raft.term;
            self.raw.raft.become_follower(term, raft::INVALID_ID);
        }
    }

    // --- leadership ---------------------------------------------------------------------------------------------

    fn note_leadership(&mut self) {
        let raft = &self.raw.raft;
        let now = Leadership {
            role: match raft.state {
                StateRole::Leader => Role::Leader,
                StateRole::Follower => Role::Follower,
                StateRole::Candidate | StateRole::PreCandidate => Role::Candidate,
            },
            term: raft.term,
            leader: (raft.leader_id != raft::INVALID_ID).then_some(ReplicaId(raft.leader_id)),
        };
        if now == self.leadership {
            return;
        }
        if let Some(leader) = now.leader {
            self.last_leader = Some(leader);
            let known = *self.leaders.entry(now.term).or_insert(leader.0);
            assert_eq!(known, leader.0, "two leaders in term {} of {}", now.term, self.config.group);
            while self.leaders.len() > 16 {
                self.leaders.pop_first();
            }
        }
        let was = std::mem::replace(&mut self.leadership, now);
        self.recall_reads();
        if was.role == Role::Leader && (now.role != Role::Leader || now.term != was.term) {
            self.refuse_waiting(Refused::NotLeader);
            self.effects.push(Effect::OutcomesUnknown);
            self.finish_change(Err(ChangeError::Unknown));
        }
        if now.role != Role::Leader {
            self.reads.remote.clear();
        }
        if now.role == Role::Leader && !self.is_well() {
            self.patience = LEADERLESS * self.config.election_ticks;
        }
        self.effects.push(Effect::Leadership(now));
    }

    /// The best heir: active, replicating, fit to lead, with the longest log; of equals the one with the least id.
    fn heir(&self) -> Option<ReplicaId> {
        let candidates = self.raw.raft.prs().iter().filter(|(id, progress)| {
            **id != self.config.replica.0
                && self.membership.voters.contains(&ReplicaId(**id))
                && progress.recent_active
                && progress.state == ProgressState::Replicate
        });
        let rank = |id: &u64, matched| (!self.unfit.contains(&ReplicaId(*id)), matched, std::cmp::Reverse(*id));
        candidates.map(|(id, p)| rank(id, p.matched)).max().map(|(_, _, id)| ReplicaId(id.0))
    }

    /// A leader that is not fit hands over, if somebody who is can take over.
    fn judged(&mut self, unfit: BTreeSet<ReplicaId>) {
        self.unfit = unfit;
        let heir = self.heir().filter(|heir| !self.unfit.contains(heir));
        if self.unfit.contains(&self.config.replica) && heir.is_some_and(|heir| self.can_inherit(heir)) {
            self.transfer_leader(None);
        }
    }

    fn transfer_leader(&mut self, to: Option<ReplicaId>) {
        // Asked again while a chosen heir catches up: a second heir would campaign against the first.
        let under_way = to.is_none() && self.raw.raft.lead_transferee.is_some();
        if !self.is_leader() || under_way {
            return;
        }
        if let Some(heir) = to.map_or_else(|| self.heir(), |to| Some(to).filter(|to| self.can_inherit(*to))) {
            self.raw.transfer_leader(heir.0);
        }
    }

    /// While a leadership is handed over no proposal is taken: not for one who is away or far behind.
    fn can_inherit(&self, heir: ReplicaId) -> bool {
        let progress = self.raw.raft.prs().get(heir.0).filter(|_| self.membership.voters.contains(&heir));
        progress.is_some_and(|p| p.recent_active && p.state == ProgressState::Replicate && self.is_near(p.matched))
    }

    fn is_near(&self, matched: u64) -> bool {
        matched + 256 >= self.last_index()
    }

    /// The process of `dead` is known to be gone. If it led, as far as this replica knows, then this is its place in
    /// the order in which the voters campaign; the first campaigns at once.
    ///
    /// The leadership need not still be there: a successor that knew earlier may have asked for this replica's vote
    /// and, with a shorter log, not got it; or the time for an election may have come before the news. Everybody must
    /// take its turn then, or all wait for a timeout.
    pub fn succession(&self, dead: ReplicaId) -> Option<usize> {
        if self.leadership.leader.or(self.last_leader) != Some(dead) {
            return None;
        }
        let heirs = self.membership.voters.iter().filter(|v| **v != dead);
        heirs.enumerate().find(|(_, v)| **v == self.config.replica).map(|(rank, _)| rank)
    }

    /// The driver knows that the process of `dead` is gone. Peers still hold its lease, so the campaign is forced.
    /// Not when somebody else has our vote by now, or asks for others' votes with our own: that election is under way.
    fn campaign(&mut self, dead: ReplicaId) {
        let raft = &self.raw.raft;
        let leaderless = match raft.leader_id {
            raft::INVALID_ID => self.last_leader == Some(dead) && (raft.vote == 0 || raft.vote == dead.0),
            leader => leader == dead.0,
        };
        if !leaderless || raft.state == StateRole::Leader || !raft.promotable() || !self.may_lead() {
            return;
        }
        if raft.state != StateRole::Follower {
            // It asks whether an election would be won, which the lease of the dead forbids others to answer.
            let term = raft.term;
            self.raw.raft.become_follower(term, raft::INVALID_ID);
        }
        let mut order = Message { to: self.config.replica.0, from: dead.0, ..Message::default() };
        order.set_msg_type(MessageType::MsgTimeoutNow);
        let _ = self.raw.step(order);
    }

    /// Nobody leads, nobody has led, and nobody has this replica's vote.
    fn begin(&mut self) {
        let raft = &self.raw.raft;
        let untouched = raft.leader_id == raft::INVALID_ID && self.last_leader.is_none() && raft.vote == 0;
        if untouched && raft.state == StateRole::Follower && raft.promotable() && self.may_lead() {
            let mut order = Message { to: self.config.replica.0, from: self.config.replica.0, ..Message::default() };
            order.set_msg_type(MessageType::MsgTimeoutNow);
            let _ = self.raw.step(order);
        }
    }

    // --- messages -----------------------------------------------------------------------------------------------

    fn peer(&mut self, mut message: Message) {
        if self.silent() {
            return;
        }
        if let Err(why) = self.check(&message) {
            // One that knows no configuration (it is new, or its state is made again from the log) cannot say who is a
            // stranger. It has asked nobody either: what comes is an answer to its former self, and of no use.
            if why != Improper::Stranger || !self.membership.voters.is_empty() {
                self.effects.push(Effect::Refuted { from: ReplicaId(message.from), why });
            }
            return;
        }
        if !self.accepts(&message) {
            return;
        }
        let early = message.get_msg_type() == MessageType::MsgReadIndex && !self.raw.raft.commit_to_current_term();
        if early {
            if self.reads.remote.len() < 64 {
                self.reads.remote.push(message);
            }
            return;
        }
        if message.term > self.raw.raft.term {
            // A new leader gets its first entry in: see `want_snapshot`.
            self.raw.raft.pending_request_snapshot = raft::INVALID_INDEX;
        }
        self.step_down_if_removed();
        self.hear_of_rest(&mut message);
        let invited = rest::invites(&message).then_some((message.from, message.term, message.commit));
        // An error says that the message is of no use (an unknown sender), which needs no reaction.
        let _ = self.raw.step(message);
        if let Some((leader, term, commit)) = invited {
            self.accept_rest(leader, term, commit);
        }
    }

    fn check(&self, message: &Message) -> Result<(), Improper> {
        if self.config.believes_everything {
            return Ok(());
        }
        let raft = &self.raw.raft;
        check(
            &View {
                me: self.config.replica.0,
                term: raft.term,
                last: raft.raft_log.last_index(),
                committed: raft.raft_log.committed,
                leader: raft.leader_id,
                members: &self.membership,
                term_at: &|index| raft.raft_log.term(index).ok().filter(|term| *term > 0),
            },
            message,
        )
    }

    /// Whether a message comes at a time when something can be done about it.
    fn accepts(&self, m: &Message) -> bool {
        use MessageType::*;
        match m.get_msg_type() {
            MsgHeartbeat => true,
            _ if self.installing.is_some() => false,
            MsgAppend => !self.disk_full || m.entries.is_empty(),
            MsgSnapshot => !self.disk_full,
            MsgTimeoutNow => self.may_lead(),
            MsgReadIndex => self.is_leader(),
            _ => true,
        }
    }

    fn send(&mut self, messages: Vec<Message>) {
        let mut now = Vec::with_capacity(messages.len());
        for mut message in self.mend(messages) {
            self.speak_of_rest(&mut message);
            self.speak_of_commit(&mut message);
            if message.get_msg_type() != MessageType::MsgSnapshot {
                now.push(message);
                continue;
            }
            let meta = command::decode(&message.get_snapshot().data).expect("this replica wrote it");
            self.effects.push(Effect::SendSnapshot { message, meta });
        }
        if !now.is_empty() {
            self.effects.push(Effect::Send(now));
        }
    }

    /// Leaders conclude from what a replica says to be committed that it has noted the changes of the membership up to
    /// there. Answers to appends wait for the disk; those to heartbeats do not.
    fn speak_of_commit(&self, message: &mut Message) {
        if let (MessageType::MsgHeartbeatResponse, Some((_, noted))) = (message.get_msg_type(), self.noted_by) {
            message.commit = message.commit.min(noted);
        }
    }

    /// Messages of raft-rs as they may be sent.
    fn mend(&self, messages: Vec<Message>) -> Vec<Message> {
        let mut out = Vec::with_capacity(messages.len());
        for mut message in messages {
            if self.align(&mut message) {
                split_append(message, 2 * self.config.max_append as usize, &mut out);
            }
        }
        out
    }

    /// raft-rs adds entries to an append that waits to be sent. If that one is empty (a commit index) it does not look
    /// whether they follow the position named there, which they do not when a rejection has just moved the follower's
    /// progress back. Such a message gets the position it should have; false if that is no longer known, and then the
    /// message counts as lost.
    fn align(&self, message: &mut Message) -> bool {
        if message.get_msg_type() != MessageType::MsgAppend || is_aligned(message) {
            return true;
        }
        let before = message.entries[0].index - 1;
        let Ok(term) = self.raw.store().term(before) else { return false };
        (message.index, message.log_term) = (before, term);
        true
    }

    // --- the ready loop -----------------------------------------------------------------------------------------

    fn ready(&mut self) {
        let mut ready = self.raw.ready();
        let number = ready.number();
        self.last_ready = number;
        self.note_changes(ready.entries());
        let hard = self.hard_state_to_write(number);
        let messages = ready.take_messages();
        self.send_as_leader(messages);
        let read_states = ready.take_read_states();
        let (early, later): (Vec<_>, Vec<_>) = ready.take_persisted_messages().into_iter().partition(promises_nothing);
        self.send_early(early);
        if !ready.snapshot().is_empty() {
            assert!(ready.entries().is_empty(), "appends wait behind a snapshot");
            let meta: SnapshotMeta = command::decode(&ready.snapshot().data).expect("checked when it arrived");
            self.raw.mut_store().reset(meta.at);
            self.raw.advance_append_async(ready);
            self.begin_install(number, meta, later);
            return;
        }
        let sync = ready.must_sync() || hard.is_some();
        let entries = ready.take_entries();
        let committed = ready.take_committed_entries();
        self.take_over(&entries);
        self.raw.advance_append_async(ready);
        for state in read_states {
            self.read_answered(&state.request_ctx, state.index);
        }
        if sync || !entries.is_empty() || !self.in_flight.is_empty() && !later.is_empty() {
            let last = entries.last().map_or(0, |e| e.index);
            self.in_flight.push_back(InFlight { number, last });
            // Of one that led until now, appends too. Its snapshots would go without their files, and are the next leader's.
            let then_send = later.into_iter().filter(|m| m.get_msg_type() != MessageType::MsgSnapshot);
            let then_send = self.mend(then_send.collect());
            self.effects.push(Effect::Persist { number, entries, hard_state: hard, sync, then_send });
        } else {
            self.send(later);
            if self.in_flight.is_empty() {
                self.raw.on_persist_ready(number);
            }
        }
        self.release(committed);
    }

    fn send_early(&mut self, messages: Vec<Message>) {
        if !messages.is_empty() {
            self.send(messages);
        }
    }

    /// Whoever is elected by others had to write its term before it could ask them. Who votes alone leads at once, and its
    /// learners must not hear of a term that it may forget, and then lead again with other entries.
    fn send_as_leader(&mut self, messages: Vec<Message>) {
        match self.term_written_by {
            Some(_) => self.untold.extend(messages),
            None => self.send_early(messages),
        }
    }

    fn note_changes(&mut self, entries: &[Entry]) {
        let Some(first) = entries.first() else { return };
        self.unnoted.retain(|index| *index < first.index);
        self.unnoted.extend(entries.iter().filter(|entry| is_change(entry)).map(|entry| entry.index));
    }

    /// Term and vote must survive, and that a change of the membership is committed. Otherwise the commit index is found
    /// again.
    fn hard_state_to_write(&mut self, number: u64) -> Option<HardState> {
        let hard = self.raw.raft.hard_state();
        let news = (hard.term, hard.vote) != self.persisted_hard;
        let change = self.unnoted.first().copied().filter(|change| *change <= hard.commit);
        if news {
            self.persisted_hard = (hard.term, hard.vote);
            self.term_written_by = Some(number);
        }
        if let Some(change) = change {
            self.unnoted = self.unnoted.split_off(&(hard.commit + 1));
            self.noted_by = Some((number, self.noted_by.map_or(change - 1, |(_, before)| before)));
        }
        if !news && change.is_none() {
            return None;
        }
        Some(HardState { term: hard.term, vote: hard.vote, commit: hard.commit })
    }

    /// Entries leave raft-rs before they are durable: from here on the store answers for them.
    fn take_over(&mut self, entries: &[Entry]) {
        let Some(first) = entries.first() else { return };
        let last = self.raw.store().last().index;
        if first.index <= last {
            assert!(!self.is_leader(), "a leader rewrites its log at {}", first.index);
            assert!(first.index > self.released, "entry {} was committed and is rewritten", first.index);
            for write in &mut self.in_flight {
                write.last = write.last.min(first.index - 1);
            }
        }
        for entry in entries.iter().filter(|e| e.get_entry_type() == EntryType::EntryNormal && !e.data.is_empty()) {
            // The last one counts: a leader may have set the time back. What it replaces never was.
            if let Some(next) = floor_after(&entry.data).filter(|next| *next != self.time.next()) {
                self.time.learn(next, self.reading.map(|reading| reading.monotonic));
            }
            self.entry_bytes = (self.entry_bytes * 15 + entry.data.len() as u64) / 16;
        }
        self.raw.mut_store().append(entries);
    }

    fn persisted(&mut self, number: u64) {
        let mut durable = 0;
        while self.in_flight.front().is_some_and(|w| w.number <= number) {
            durable = durable.max(self.in_flight.pop_front().map_or(0, |w| w.last));
        }
        self.raw.mut_store().persisted(durable);
        if self.noted_by.is_some_and(|(by, _)| by <= number) {
            self.noted_by = None;
        }
        if self.term_written_by.is_some_and(|by| by <= number) {
            self.term_written_by = None;
            let untold = std::mem::take(&mut self.untold);
            self.send_early(untold);
        }
        // Readies behind the last write had nothing to write.
        let number = if self.in_flight.is_empty() && self.installing.is_none() { self.last_ready } else { number };
        self.step_down_if_removed();
        self.raw.on_persist_ready(number);
    }

    /// The group may remove a replica that leads: it counts no more. raft-rs 0.7 looks for the leader's own progress all the
    /// same, when something is written or acknowledged, and ends the process when there is none.
    fn step_down_if_removed(&mut self) {
        let raft = &mut self.raw.raft;
        if raft.state == StateRole::Leader && raft.prs().get(raft.id).is_none() {
            let term = raft.term;
            raft.become_follower(term, raft::INVALID_ID);
        }
    }

    // --- proposals ----------------------------------------------------------------------------------------------

    fn propose(&mut self, proposals: Vec<Ticketed>, clock: Reading, seed: u64) {
        self.reading = Some(clock);
        self.seed ^= seed;
        let mut refused = Vec::new();
        for proposal in proposals {
            let bytes = proposal.proposal.body.len() + 64;
            if self.waiting_bytes + bytes > self.config.max_waiting && !self.waiting.is_empty() {
                refused.push(proposal.ticket);
                continue;
            }
            self.waiting_bytes += bytes;
            self.waiting.push_back(proposal);
        }
        if !refused.is_empty() {
            self.effects.push(Effect::Refused { tickets: refused, why: Refused::Overloaded });
        }
    }

    fn refuse_waiting(&mut self, why: Refused) {
        self.waiting_bytes = 0;
        let tickets: Vec<_> = self.waiting.drain(..).map(|p| p.ticket).collect();
        if !tickets.is_empty() {
            self.effects.push(Effect::Refused { tickets, why });
        }
    }

    fn flush_proposals(&mut self) {
        if self.waiting.is_empty() {
            return;
        }
        if !self.is_well() {
            return self.refuse_waiting(Refused::Halted);
        }
        if !self.is_leader() {
            return self.refuse_waiting(Refused::NotLeader);
        }
        if self.disk_full {
            return self.refuse_waiting(Refused::DiskFull);
        }
        if self.raw.raft.lead_transferee.is_some() {
            return self.refuse_waiting(Refused::Dropped);
        }
        if !self.in_flight.is_empty() {
            return;
        }
        // What time it is, a majority says. Its clocks become known by the same connections as its votes.
        let Some(reading) = self.reading.filter(|reading| reading.belief.is_some()) else { return };
        self.refuse_late();
        while !self.waiting.is_empty() && self.unapplied_bytes < self.config.max_unapplied && self.has_room() {
            self.append_batch(&reading);
        }
    }

    /// Refuses what was meant for an earlier leadership of this replica.
    fn refuse_late(&mut self) {
        let term = self.raw.raft.term;
        let is_late = |p: &Ticketed| p.term.is_some_and(|meant| meant != term);
        if !self.waiting.iter().any(is_late) {
            return;
        }
        let (late, waiting): (VecDeque<_>, _) = std::mem::take(&mut self.waiting).into_iter().partition(is_late);
        self.waiting = waiting;
        self.waiting_bytes -= late.iter().map(|p| p.proposal.body.len() + 64).sum::<usize>();
        let tickets = late.into_iter().map(|p| p.ticket).collect();
        self.effects.push(Effect::Refused { tickets, why: Refused::Dropped });
    }

    fn has_room(&self) -> bool {
        let uncommitted = self.raw.raft.uncommitted_size() as u64;
        uncommitted == 0 || uncommitted + 2 * self.config.max_batch as u64 <= self.config.max_uncommitted
    }

    /// One entry of everything that waits, within the limits; at least one command.
    fn append_batch(&mut self, reading: &Reading) {
        let (mut commands, mut tickets, mut bytes) = (Vec::new(), Vec::new(), 0);
        while let Some(next) = self.waiting.front() {
            let size = next.proposal.body.len() + 64;
            let full = bytes + size > self.config.max_batch || commands.len() >= self.config.max_batch_commands;
            if full && !commands.is_empty() {
                break;
            }
            bytes += size;
            let next = self.waiting.pop_front().expect("looked at");
            tickets.push(next.ticket);
            commands.push(next.proposal);
        }
        self.waiting_bytes -= bytes;
        self.seed = splitmix(self.seed);
        let mut time = self.time;
        let now = time.take(reading, commands.len() as i64);
        let batch = Batch { now, seed: self.seed, commands };
        let mut message = Message { from: self.config.replica.0, ..Message::default() };
        message.set_msg_type(MessageType::MsgPropose);
        message.set_entries(vec![Entry { data: command::encode(&batch), ..Entry::default() }].into());
        match self.raw.step(message) {
            Ok(()) => {
                self.time = time;
                let index = self.raw.raft.raft_log.last_index();
                self.effects.push(Effect::Appended { index, tickets });
            }
            Err(_) => self.effects.push(Effect::Refused { tickets, why: Refused::Dropped }),
        }
    }

    // --- reads --------------------------------------------------------------------------------------------------

    fn ask_reads(&mut self) {
        let raft = &self.raw.raft;
        let answered = match raft.state {
            StateRole::Leader => raft.commit_to_current_term(),
            _ => raft.leader_id != raft::INVALID_ID,
        };
        if !answered || self.installing.is_some() || self.silent() {
            return;
        }
        if self.is_leader() {
            for message in std::mem::take(&mut self.reads.remote) {
                let _ = self.raw.step(message);
            }
        }
        if self.reads.asked.is_some() || self.reads.waiting.is_empty() {
            return;
        }
        self.reads.counter += 1;
        let counter = self.reads.counter;
        self.reads.asked = Some(Asked { counter, reads: std::mem::take(&mut self.reads.waiting), age: 0 });
        let context = self.read_context(counter);
        self.raw.read_index(context);
    }

    /// Unique over replicas, restarts and requests: a late answer can never complete another read.
    fn read_context(&self, counter: u64) -> Vec<u8> {
        [self.config.replica.0, self.config.boot, counter].iter().flat_map(|n| n.to_be_bytes()).collect()
    }

    fn read_answered(&mut self, context: &[u8], index: u64) {
        let Some(asked) = &self.reads.asked else { return };
        if context != self.read_context(asked.counter) {
            return;
        }
        if let Some(asked) = self.reads.asked.take() {
            self.effects.push(Effect::ReadReady { reads: asked.reads, index });
        }
    }

    /// The request may have been dropped: its reads wait for the next one.
    fn recall_reads(&mut self) {
        if let Some(asked) = self.reads.asked.take() {
            self.reads.waiting.extend(asked.reads);
        }
    }

    fn cancel_reads(&mut self, gone: &BTreeSet<u64>) {
        self.reads.waiting.retain(|r| !gone.contains(r));
        if let Some(asked) = &mut self.reads.asked {
            asked.reads.retain(|r| !gone.contains(r));
        }
    }

    // --- applying -----------------------------------------------------------------------------------------------

    fn release(&mut self, committed: Vec<Entry>) {
        let (Some(first), Some(last)) = (committed.first(), committed.last()) else { return };
        assert_eq!(first.index, self.released + 1, "committed entries are released in order");
        for entry in &committed {
            self.decide(entry);
        }
        let straight = !self.bare && self.handed == self.released && self.unapplied_bytes < self.config.max_unapplied;
        self.released = last.index;
        if straight {
            self.hand(committed);
        }
    }

    /// Proposals to skip an entry are decided when they are committed, or when an entry of a later term is.
    fn decide(&mut self, entry: &Entry) {
        if let Some(at) = skipped(entry) {
            self.doubts.remove(&at.index);
            self.effects.push(Effect::Skip(at));
        }
        let effects = &mut self.effects;
        self.doubts.retain(|index, term| {
            let open = *term >= entry.term;
            if !open {
                effects.push(Effect::GoOn(*index));
            }
            open
        });
    }

    /// What a start finds in its log, committed or not: what may be skipped, and what may change the membership.
    fn look_through(&mut self, noted: u64) -> Result<(), StartError> {
        let log = |e: raft::Error| StartError::Log(e.to_string());
        let (mut next, last) = (self.applied + 1, self.last_index());
        while next <= last {
            let context = raft::GetEntriesContext::empty(false);
            let found = self.raw.store().entries(next, last + 1, Some(1 << 20), context).map_err(log)?;
            let Some(end) = found.last().map(|entry| entry.index) else { break };
            for entry in &found {
                if let Some(at) = skipped(entry).filter(|at| at.index > self.applied) {
                    self.doubts.insert(at.index, entry.term);
                }
                if is_change(entry) && entry.index > noted {
                    self.unnoted.insert(entry.index);
                }
            }
            next = end + 1;
        }
        self.effects.extend(self.doubts.keys().map(|index| Effect::Doubt(*index)));
        Ok(())
    }

    /// Passes by what waits to be proposed or applied: it may wait for this.
    fn propose_to_skip(&mut self, at: Position) {
        let term = self.raw.raft.term;
        let known = self.raw.store().term(at.index).is_ok_and(|term| term == at.term) && at.index <= self.commit();
        let free = self.is_leader() && self.raw.raft.lead_transferee.is_none() && known;
        if free && self.raw.propose(Vec::new(), skip(at)).is_ok() {
            self.doubts.insert(at.index, term);
        } else if !self.doubts.contains_key(&at.index) {
            self.effects.push(Effect::GoOn(at.index));
        }
    }

    /// Entries that were released while too much waited to be applied are read again.
    fn hand_out(&mut self) {
        while self.handed < self.released
            && !self.bare
            && self.installing.is_none()
            && self.unapplied_bytes < self.config.max_unapplied
        {
            let Some(entries) = self.raw.store().read_now(self.handed + 1, self.released + 1, 1 << 20) else { return };
            self.hand(entries);
        }
    }

    /// Old entries have come: whoever waits for them gets them.
    fn fetched(&mut self, fetch: Fetch, entries: Option<Vec<Entry>>) {
        let here = self.raw.mut_store().fetched(fetch, entries);
        if !self.is_leader() {
            return;
        }
        let next = |raw: &RawNode<Store>, id| raw.raft.prs().get(id).filter(|p| !p.is_paused()).map(|p| p.next_idx);
        let peers: Vec<u64> = self.raw.raft.prs().iter().map(|(id, _)| *id).collect();
        for peer in peers.into_iter().filter(|id| *id != self.config.replica.0) {
            while let Some(index) = next(&self.raw, peer).filter(|index| here.contains(index)) {
                self.raw.raft.send_append(peer);
                if next(&self.raw, peer) == Some(index) {
                    break;
                }
            }
        }
    }

    fn hand(&mut self, entries: Vec<Entry>) {
        let mut out = Vec::with_capacity(entries.len());
        for entry in entries {
            assert_eq!(entry.index, self.handed + 1, "committed entries are handed out in order");
            self.handed = entry.index;
            self.unapplied_bytes += entry.data.len();
            self.unapplied.push_back((entry.index, entry.data.len()));
            let at = Position { index: entry.index, term: entry.term };
            out.push(Committed { at, payload: self.payload(entry) });
        }
        if !out.is_empty() {
            self.effects.push(Effect::Apply(out));
        }
    }

    fn payload(&mut self, entry: Entry) -> Payload {
        form::payload(entry, |change| {
            // Equal logs give equal configurations, so an impossible change is impossible on every replica.
            self.membership = membership(&self.raw.apply_conf_change(change).ok()?);
            self.latest_change = self.handed;
            let nodes = command::decode(&change.context).unwrap_or_default();
            self.effects.push(Effect::Membership(self.membership.clone(), nodes));
            Some(self.membership.clone())
        })
    }

    fn note_applied(&mut self, index: u64) {
        // While a snapshot is installed the state machine may be ahead already; the end of the installation counts.
        if index <= self.applied || self.installing.is_some() {
            return;
        }
        assert!(index <= self.handed, "{index} is applied but {} was handed out", self.handed);
        self.applied = index;
        while self.unapplied.front().is_some_and(|(i, _)| *i <= index) {
            self.unapplied_bytes -= self.unapplied.pop_front().map_or(0, |(_, bytes)| bytes);
        }
        self.raw.advance_apply_to(index);
        if self.is_leader() {
            self.leave_joint();
        }
    }

    // --- snapshots and compaction -------------------------------------------------------------------------------

    fn build_snapshot(&mut self) {
        let Some(least) = self.raw.store().take_wanted() else { return };
        if self.building.is_none() && self.condition == Condition::Active && self.applied >= least.max(1) {
            self.building = Some(self.applied);
            self.effects.push(Effect::BuildSnapshot);
        }
    }

    fn snapshot_built(&mut self, meta: SnapshotMeta) {
        self.building = None;
        if meta.at.index >= self.raw.store().truncated().index {
            self.raw.mut_store().snapshot = Some(meta);
        }
    }

    fn begin_install(&mut self, number: u64, meta: SnapshotMeta, then_send: Vec<Message>) {
        let hard = self.raw.raft.hard_state();
        self.persisted_hard = (hard.term, hard.vote);
        self.term_written_by = None;
        self.unnoted.clear();
        self.noted_by = Some((number, 0));
        let hard_state = HardState { term: hard.term, vote: hard.vote, commit: hard.commit };
        self.effects.push(Effect::InstallSnapshot { meta: meta.clone(), hard_state });
        self.installing = Some(Installing { number, meta, then_send });
    }

    fn snapshot_installed(&mut self, floor: i64) {
        let Some(Installing { number, meta, then_send }) = self.installing.take() else { return };
        let index = meta.at.index;
        self.in_flight.clear();
        self.raw.on_persist_ready(number);
        self.raw.advance_apply_to(index);
        (self.released, self.handed, self.applied, self.durable) = (index, index, index, index);
        self.unapplied.clear();
        self.unapplied_bytes = 0;
        self.time.learn(floor, self.reading.map(|reading| reading.monotonic));
        if self.condition == Condition::Diverged {
            self.condition = Condition::Active;
        }
        self.bare = false;
        self.doubts.retain(|entry, _| *entry > index);
        self.membership = meta.membership;
        self.latest_change = index;
        self.noted_by = None;
        self.effects.push(Effect::Membership(self.membership.clone(), Vec::new()));
        self.send(then_send);
    }

    /// While a snapshot is installed the replica stays a live follower in the leader's eyes.
    fn answer_heartbeats(&mut self) {
        let answers: Vec<Message> = std::mem::take(&mut self.raw.raft.msgs)
            .into_iter()
            .filter(|m| m.get_msg_type() == MessageType::MsgHeartbeatResponse)
            .collect();
        self.send_early(answers);
    }

    fn compact(&mut self) {
        if self.installing.is_some() {
            return;
        }
        let keep = self.config.compact_keep.min(self.config.compact_keep_bytes / self.entry_bytes.max(1)).max(1);
        let mut to = self.durable.min(self.applied);
        let limit = to.saturating_sub(self.config.compact_max_lag);
        to = to.saturating_sub(keep);
        if self.is_leader() {
            for (_, progress) in self.raw.raft.prs().iter().filter(|(_, p)| p.recent_active) {
                let needed = match progress.state {
                    ProgressState::Snapshot => progress.pending_snapshot,
                    _ => progress.matched.max(limit),
                };
                to = to.min(needed);
            }
        }
        if let Some(index) = self.building {
            to = to.min(index);
        }
        if let Some(index) = self.kept {
            // Not for ever: whoever keeps the log elsewhere may be away.
            let most = (KEPT_BYTES / self.entry_bytes.max(1)).min(self.config.compact_max_lag);
            to = to.min(index.max(self.applied.saturating_sub(most)));
        }
        // Large entries are few: their steps are shorter, or the bytes kept would have no bound.
        let step = self.config.compact_step.min(keep / 4).max(1);
        if to < self.raw.store().truncated().index + step {
            return;
        }
        let Ok(term) = self.raw.store().term(to) else { return };
        let to = Position { index: to, term };
        self.raw.mut_store().compact(to);
        self.effects.push(Effect::Compact(to));
    }

    // --- membership ---------------------------------------------------------------------------------------------

    fn change_membership(&mut self, ticket: u64, change: Change) {
        let result = self.check_change(&change).and_then(|()| {
            let proposed = self.raw.propose_conf_change(Vec::new(), change_entry(&change));
            proposed.map_err(|_| ChangeError::Busy)
        });
        match result {
            Ok(()) => self.change = Some((ticket, change)),
            Err(error) => self.effects.push(Effect::Changed { ticket, result: Err(error) }),
        }
    }

    /// raft-rs turns a change that comes too early into an empty entry, silently. So ask first.
    fn check_change(&self, change: &Change) -> Result<(), ChangeError> {
        let now = &self.membership;
        if !self.is_leader() {
            return Err(ChangeError::NotLeader);
        }
        let under_way = self.change.is_some() || self.raw.raft.has_pending_conf() || !now.voters_outgoing.is_empty();
        if under_way || !self.membership_is_settled() {
            return Err(ChangeError::Busy);
        }
        let member = |r: &ReplicaId| now.voters.contains(r) || now.learners.contains(r);
        let promotable = |r: &ReplicaId| match self.raw.raft.prs().get(r.0) {
            // One that has all is only probed until something more is written, and that may be never.
            Some(p) if p.matched == self.last_index() => Ok(()),
            Some(p) if p.state == ProgressState::Replicate && self.is_near(p.matched) => Ok(()),
            _ => Err(ChangeError::NotCaughtUp(*r)),
        };
        let demotable = |r: &ReplicaId| match *r {
            r if r == self.config.replica => Err(ChangeError::IsLeader(r)),
            r if !now.voters.contains(&r) => Err(ChangeError::NotMember(r)),
            _ => Ok(()),
        };
        match change {
            Change::AddLearner(r, _) if member(r) => Err(ChangeError::IsMember(*r)),
            Change::AddLearner(..) => Ok(()),
            Change::Promote(r) | Change::Swap { promote: r, .. } if !now.learners.contains(r) => {
                Err(if now.voters.contains(r) { ChangeError::IsMember(*r) } else { ChangeError::NotMember(*r) })
            }
            Change::Promote(r) => promotable(r),
            Change::Remove(r) if now.learners.contains(r) => Ok(()),
            Change::Remove(r) if *r == self.config.replica => Err(ChangeError::IsLeader(*r)),
            Change::Remove(r) => Err(if member(r) { ChangeError::Votes(*r) } else { ChangeError::NotMember(*r) }),
            Change::Demote(r) => demotable(r),
            Change::Swap { promote, demote } => promotable(promote).and_then(|()| demotable(demote)),
        }
    }

    /// Whether this leader knows of a majority of the voters that have noted all changes of the membership as committed.
    pub fn membership_is_settled(&self) -> bool {
        let progress = self.raw.raft.prs();
        let has_noted = |voter: &&ReplicaId| match **voter == self.config.replica {
            true => self.noted_by.is_none(),
            // What it says to be committed: see `speak_of_commit`.
            false => progress.get(voter.0).is_some_and(|peer| peer.committed_index >= self.latest_change),
        };
        let voters = &self.membership.voters;
        self.is_leader() && 2 * voters.iter().filter(has_noted).count() > voters.len()
    }

    /// Ends a change that was asked for, when it is settled.
    fn look_at_change(&mut self) {
        let is_done = self.change.as_ref().is_some_and(|(_, change)| is_done(change, &self.membership));
        if is_done && self.membership_is_settled() {
            self.finish_change(Ok(()));
        }
    }

    fn finish_change(&mut self, result: Result<(), ChangeError>) {
        if let Some((ticket, _)) = self.change.take() {
            self.effects.push(Effect::Changed { ticket, result });
        }
    }

    /// A new leader inherits a joint configuration; raft-rs does not always leave it by itself.
    fn leave_joint(&mut self) {
        let joint = !self.membership.voters_outgoing.is_empty() && self.membership.auto_leave;
        if joint && !self.raw.raft.has_pending_conf() {
            let _ = self.raw.propose_conf_change(Vec::new(), ConfChangeV2::default());
        }
    }
}

fn change_entry(change: &Change) -> ConfChangeV2 {
    use ConfChangeType::{AddLearnerNode, AddNode, RemoveNode};
    match *change {
        Change::AddLearner(r, node) => conf_change(&[(AddLearnerNode, r)], &[(r, node)]),
        Change::Promote(r) => conf_change(&[(AddNode, r)], &[]),
        Change::Remove(r) => conf_change(&[(RemoveNode, r)], &[]),
        Change::Demote(r) => conf_change(&[(AddLearnerNode, r)], &[]),
        Change::Swap { promote, demote } => conf_change(&[(AddNode, promote), (AddLearnerNode, demote)], &[]),
    }
}

fn is_done(change: &Change, now: &Membership) -> bool {
    let gone = |r| !now.voters.contains(r) && !now.learners.contains(r) && !now.voters_outgoing.contains(r);
    match change {
        Change::AddLearner(r, _) | Change::Demote(r) => now.learners.contains(r),
        Change::Swap { promote, demote } => {
            now.voters.contains(promote) && now.learners.contains(demote) && now.voters_outgoing.is_empty()
        }
        Change::Promote(r) => now.voters.contains(r),
        Change::Remove(r) => gone(r),
    }
}

/// Commit and applied index are written at different times, so the log must be compared with the state machine.
fn check_start(config: &CoreConfig, reader: &dyn LogReader, start: &Start) -> Result<(), StartError> {
    let Start { log, applied, reached, .. } = start;
    let highest = log.record.hard_state.term.max(log.last.term);
    if highest > MAX_TERM {
        return Err(StartError::ImpossibleTerm(highest));
    }
    let needed = applied.index.max(reached.index).max(log.record.hard_state.commit);
    if log.last.index < needed {
        return Err(StartError::LogLost { last: log.last, needed });
    }
    let truncated = log.record.truncated;
    for known in [applied, reached] {
        let term = match known.index {
            0 => Some(0),
            // Cut off: whoever cut it had applied more.
            index if index < truncated.index => continue,
            index if index == truncated.index => Some(truncated.term),
            index => reader.term(config.group, index).map_err(|e| StartError::Log(e.to_string()))?,
        };
        match term {
            Some(term) if term == known.term => {}
            Some(log) => return Err(StartError::TermMismatch { index: known.index, log, state: known.term }),
            None => return Err(StartError::LogLost { last: log.last, needed }),
        }
    }
    Ok(())
}

/// The time that the log's latest batch leaves free, if it holds one.
fn last_floor(config: &CoreConfig, reader: &dyn LogReader, log: &GroupLog) -> Result<Option<i64>, StartError> {
    let mut index = log.last.index;
    while index > log.record.truncated.index {
        let found = reader.entries(config.group, index, index + 1, u64::MAX);
        let found = found.map_err(|e| StartError::Log(e.to_string()))?;
        let normal = found.iter().filter(|e| e.get_entry_type() == EntryType::EntryNormal);
        if let Some(floor) = normal.filter_map(|e| floor_after(&e.data)).next() {
            return Ok(Some(floor));
        }
        index -= 1;
    }
    Ok(None)
}

fn splitmix(seed: u64) -> u64 {
    let z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
