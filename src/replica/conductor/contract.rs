//! What a [`Conductor`](super::Conductor) is told, and what it wants done.

use crate::command::Proposal;
use crate::consensus::{Committed, Halt, Membership, Position, SnapshotMeta};
use crate::id::{GroupId, NodeId, ReplicaId};
use crate::raftlog::{Entry, LogWrite};
use crate::replica::core::{Change, ChangeError, Core, Fetch, Improper};
use crate::replica::fitness::Unfit;
use crate::replica::handle::{GroupLeadership, ProposeError, ReadError, ReplicaState};
use crate::transport::{Beat, Envelope};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

/// How those who ask get their answers. A conductor keeps them and hands them back, and knows nothing else of them.
pub trait Askers: 'static {
    type Proposer: Send;
    type Reader: Send;
    type Changer: Send;

    /// Nobody waits for the answer any more.
    fn has_left(reader: &Self::Reader) -> bool;
}

/// One moment on this node.
#[derive(Clone, Copy, Debug, Default)]
pub struct Now {
    /// Since 2000-01-01 00:00 UTC, µs.
    pub wall: i64,
    /// Counts all times of a conductor, µs.
    pub monotonic: i64,
    /// How long a sync of the log takes at present, µs, if that is known. Looked at with each tick.
    pub sync: Option<u64>,
}

/// A replica that takes part from now on.
pub struct Member {
    pub group: GroupId,
    pub core: Core,
    /// Where the members live, as far as known, this one's node among them.
    pub nodes: BTreeMap<ReplicaId, NodeId>,
    /// Why its state machine has lost its state, if it has.
    pub lost: Option<Halt>,
}

/// Everything that happens to a node, besides time.
pub enum Input<A: Askers> {
    Propose {
        group: GroupId,
        proposal: Proposal,
        /// Only in this term; `None`: in any.
        term: Option<u64>,
        reply: A::Proposer,
    },
    Read {
        group: GroupId,
        reply: A::Reader,
    },
    Messages {
        from: NodeId,
        messages: Vec<Envelope>,
    },
    /// A snapshot's file is here, and the message that it belongs to.
    Snapshot {
        from: NodeId,
        envelope: Box<Envelope>,
        file: PathBuf,
    },
    /// Came in at a moment of the monotonic clock.
    Beat {
        from: NodeId,
        beat: Beat,
        at: i64,
    },
    Unreachable(NodeId),
    PeerDown(NodeId),
    /// The append `number` is written.
    Persisted {
        group: GroupId,
        number: u64,
    },
    /// The state machine has applied up to `index`, durably up to `durable`.
    Applied {
        group: GroupId,
        index: u64,
        durable: u64,
    },
    Halted {
        group: GroupId,
        halt: Halt,
    },
    /// For how long now the state machine cannot go on for an outside reason; or it can again.
    ApplyFails {
        group: GroupId,
        why: Option<String>,
    },
    /// The same of the log, which is all groups'.
    LogFails(Option<String>),
    Fetched {
        group: GroupId,
        fetch: Fetch,
        entries: Option<Vec<Entry>>,
    },
    Built {
        group: GroupId,
        file: PathBuf,
        result: Result<SnapshotMeta, Halt>,
    },
    SnapshotSent {
        group: GroupId,
        to: ReplicaId,
        ok: bool,
    },
    /// Steps of an installation: noted in the log, state machine replaced, log reset.
    Noted {
        group: GroupId,
    },
    Replaced {
        group: GroupId,
        floor: i64,
    },
    LogReset {
        group: GroupId,
        floor: i64,
    },
    Transfer {
        group: GroupId,
        to: Option<NodeId>,
    },
    Change {
        group: GroupId,
        change: Change,
        reply: A::Changer,
    },
    /// The group is new, and somebody has to lead it.
    Begin(GroupId),
    /// Everything up to this index is kept elsewhere.
    Kept {
        group: GroupId,
        index: u64,
    },
    SetNodes {
        group: GroupId,
        nodes: BTreeMap<ReplicaId, NodeId>,
        leaving: BTreeSet<NodeId>,
    },
    /// Proposes that an entry fails; this replica has promised to wait for the decision.
    Skip {
        group: GroupId,
        at: Position,
    },
    /// What was held back may go on.
    Retry(GroupId),
    DiskFull(bool),
    AddGroup(Box<Member>),
    /// With `forget` its log goes as well.
    RemoveGroup {
        group: GroupId,
        forget: bool,
    },
    /// All groups are to end.
    Stop,
}

/// What is to be written to the log: in this order, then the messages leave, then the report is made.
pub struct LogJob<A: Askers> {
    pub writes: Vec<LogWrite>,
    pub sync: bool,
    pub messages: Vec<(NodeId, Envelope)>,
    pub done: Option<Input<A>>,
}

/// What a group's state machine is to do, in the order of the jobs.
pub enum ApplyJob {
    /// Reported as [`Input::Applied`].
    Apply(Vec<Committed>),
    /// Reported as [`Input::Replaced`].
    Install { file: PathBuf, meta: SnapshotMeta },
    /// Build a snapshot into the file.
    Snapshot(PathBuf),
    /// What may be applied has changed.
    Look,
}

/// What the group has decided, or may have, about entries that cannot be applied: for the brake of its state machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Skip(Position),
    Doubt(u64),
    GoOn(u64),
}

/// Everything that a conductor wants done, in order.
pub enum Action<A: Askers> {
    /// As one.
    Send {
        to: NodeId,
        messages: Vec<Envelope>,
    },
    Beat {
        to: NodeId,
        beat: Beat,
    },
    /// The file, and then the message. Reported as [`Input::SnapshotSent`], always.
    SendSnapshot {
        node: NodeId,
        envelope: Box<Envelope>,
        file: PathBuf,
        meta: SnapshotMeta,
    },
    Log(LogJob<A>),
    /// Reported as [`Input::Fetched`], always.
    Fetch {
        group: GroupId,
        fetch: Fetch,
    },
    Apply {
        group: GroupId,
        job: ApplyJob,
    },
    /// Build a snapshot, into a new file. Reported as [`Input::Built`], always.
    Build(GroupId),
    Judge {
        group: GroupId,
        verdict: Verdict,
    },
    /// A snapshot's file that nobody needs.
    Discard(PathBuf),
    /// The entry at `index` holds the commands of these proposals, in this order. The first of them came at `proposed`.
    Appended {
        group: GroupId,
        index: u64,
        replies: Vec<Option<A::Proposer>>,
        proposed: Option<i64>,
    },
    /// What becomes of the entries that somebody waits for is not known here any more.
    OutcomesUnknown(GroupId),
    Refuse {
        reply: A::Proposer,
        why: ProposeError,
    },
    /// To be answered when the state machine has applied `index`.
    ReadAt {
        group: GroupId,
        index: u64,
        reply: A::Reader,
    },
    RefuseRead {
        reply: A::Reader,
        why: ReadError,
    },
    Changed {
        reply: A::Changer,
        result: Result<(), ChangeError>,
    },
    /// The rest is for whoever watches the replica.
    Leads {
        group: GroupId,
        now: GroupLeadership,
    },
    State {
        group: GroupId,
        state: ReplicaState,
    },
    /// Of the log.
    Progress {
        group: GroupId,
        first: u64,
        last: u64,
        commit: u64,
    },
    Members {
        group: GroupId,
        members: Membership,
    },
    Nodes {
        group: GroupId,
        nodes: BTreeMap<ReplicaId, NodeId>,
    },
    /// On the leader: how far the others' logs match.
    Matched {
        group: GroupId,
        matched: BTreeMap<ReplicaId, u64>,
    },
    Time {
        group: GroupId,
        time: Time,
    },
    /// A message was refused that no correct replica can have sent.
    Refuted {
        group: GroupId,
        from: ReplicaId,
        why: Improper,
    },
    DiskFull {
        group: GroupId,
        full: bool,
    },
    /// Those who wait for an index and have left are to be forgotten.
    Prune(GroupId),
    /// So many ticks have passed.
    Ticked(u64),
    /// The group is not here any more: its state machine is to let go of these files, which nobody needs then.
    End {
        group: GroupId,
        files: Vec<PathBuf>,
    },
}

/// How a replica's clock stands to the others'.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Time {
    /// What a majority of the voters believes about the time, and until when that is to be relied on.
    pub belief: Option<(crate::clock::Belief, i64)>,
    /// How far this node's clock is ahead of it, and how wrong that may be, µs.
    pub ahead: Option<(i64, i64)>,
    /// Why this node had better not lead.
    pub unfit: Option<Unfit>,
}
