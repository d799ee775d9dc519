//! What a core is told, and what it wants done.

use crate::clock::Reading;
use crate::command::Proposal;
use crate::consensus::{Committed, Membership, Position, SnapshotMeta};
use crate::id::{GroupId, NodeId, ReplicaId};
use crate::raftlog::{GroupLog, HardState};
use crate::replica::check::Improper;
use crate::replica::store::Fetch;
use raft::eraftpb::{Entry, Message};
use raft::{Config, ReadOnlyOption};
use std::collections::BTreeSet;

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

/// By how many ticks the last voters wait longer than the shortest time.
pub(super) const LAST_IN_LINE: usize = 9;

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

    pub(super) fn raft(&self, applied: u64) -> Config {
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
