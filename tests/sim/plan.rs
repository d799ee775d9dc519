//! What a seed means: which faults a run has, how its world behaves and how the replicas are tuned.
//!
//! Swarm testing: each seed turns on a random subset, because faults that are always on hide each other.

use super::random::Random;
use quorate::command::Isolation;
use quorate::host::Defect;

/// Something that goes wrong at some moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The process dies; what it had given to the operating system remains.
    Crash,
    /// The machine dies: only what was synced remains, and any prefix of SQLite's WAL.
    PowerLoss,
    /// All processes die at about the same time, some of them with their machines.
    CrashAll,
    /// Two halves that do not hear each other.
    Halves,
    /// One node alone.
    Isolate,
    /// One node is heard and hears nothing, or the other way round.
    OneWay,
    /// Two nodes do not hear each other; everybody else hears both.
    Bridge,
    /// The network comes and goes quickly.
    Flap,
    /// A process stops for a while and goes on as if nothing had happened.
    Pause,
    /// The leadership is handed over.
    Transfer,
    /// Somebody believes that the leader is dead and campaigns by force.
    FalseAlarm,
    /// A node has no room for appends for a while.
    DiskFull,
    /// A node's clock jumps, forwards or back.
    ClockJump,
    /// Syncs of a node's log take long for a while.
    SlowDisk,
    /// A write of a node's log fails once, and may be there all the same: the process ends.
    DiskError,
    /// The same until somebody mends the disk.
    DiskDead,
    /// The disk below a node's state machine is full, or fails, for a while: in the middle of some write.
    StateFull,
    StateFails,
    /// A bit of a node's database file turns over. When that is found, the machine is replaced.
    Rot,
    /// A leader forgets the open transactions and their locks.
    Amnesia,
    /// A message arrives that no replica has sent and that cannot be.
    Forgery,
    /// A machine and its disk are lost for good; another one with an empty disk takes its name.
    Wipe,
    /// A new machine joins.
    Join,
    /// A machine is to leave.
    Leave,
}

/// Those that change who votes.
pub const MEMBERSHIP: [Fault; 4] = [Fault::Wipe, Fault::Join, Fault::Leave, Fault::Rot];

/// Those that need no transactions.
const FAULTS: [Fault; 13] = [
    Fault::Crash,
    Fault::PowerLoss,
    Fault::CrashAll,
    Fault::Halves,
    Fault::Isolate,
    Fault::OneWay,
    Fault::Bridge,
    Fault::Flap,
    Fault::Pause,
    Fault::Transfer,
    Fault::FalseAlarm,
    Fault::DiskFull,
    Fault::ClockJump,
];

/// A defect put into the harness on purpose: the checks must find it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bug {
    /// Acknowledgements and votes leave before they are on disk.
    AckBeforeFsync,
    /// After a crash, entries that only the operating system has count as durable.
    TrustUnsyncedLog,
    /// Term and vote are not stored.
    ForgetVote,
    /// Reads are answered from what is applied, without asking for an index.
    LocalReads,
    /// Read contexts repeat after a restart.
    ReuseReadContext,
    /// A retry is a new request.
    NewRequestId,
    /// Everything applied counts as durable.
    CompactPastDurable,
    /// One replica applies the commands of an entry twice.
    ApplyTwice,
    /// One replica leaves out an entry's commands.
    ApplyNothing,
    /// That the disk fails is taken for what becomes of a command.
    TroubleIsOutcome,
    /// The disk loses synced entries at a loss of power: the replica must refuse to start.
    LostTail,
    /// The same, and nobody compares log and state at start.
    LostTailUnnoticed,
    /// The time of the log is lost with its entries: by a snapshot, or when they are cut off before a restart.
    ForgetTime,
    /// A leader stamps what its own clock says.
    UnboundedClock,
    /// COMMIT does not compare what a transaction told its client.
    NoComparison,
    /// COMMIT does not compare what plain reads saw.
    NoReadDigest,
    /// COMMIT is sent again under a new request id.
    NewCommitId,
    /// A sequence gives the same values twice.
    SequenceTwice,
    /// What waited for a lock goes on with what it saw before.
    NoRefreshAfterWait,
    /// Every message is believed.
    BelievesEverything,
    /// A new leader forgets the locks of open transactions.
    ForgetLocks,
    /// A new leader grants locks before it has heard what others hold.
    GrantUnheard,
    /// A transaction whose locks were given to others commits.
    CommitVoid,
    /// A machine that has lost its disk comes back under its old id.
    WipedVotes,
    /// A statement that is compiled again is a new request, and a trial's word for that is believed.
    NewIdAfterSchemaChange,
    /// What a trial finds is told as certain, though an earlier attempt may have been applied.
    TrialIsCertain,
    /// That an attempt may have been applied is forgotten.
    ForgetsSent,
    /// A session does not wait for what clients of its node have defined.
    OldCatalog,
    /// Nothing is tried before it goes into the log.
    Untried,
    /// One replica has a budget of its own.
    OwnBudget,
    /// A leader answers reads without asking whether it still leads.
    LeaderReads,
    /// The disk brings synced entries back that had been replaced: the replica must refuse to start.
    OldTail,
    /// The same, and nobody compares the terms of log and state at start.
    OldTailUnnoticed,
    /// The time of the log is forgotten where a snapshot is installed.
    SnapshotForgetsTime,
    /// What a block drew is drawn anew when it commits.
    OtherValues,
    /// A gateway tells its client that it did not find the leader.
    NoRetry,
    /// A machine that is lost is not replaced.
    NeverReplaced,
    /// Workers at the queue do not lock what they take.
    UnlockedQueue,
    /// One replica loses a byte of the parts of large commands.
    ShortChunks,
    /// Announcements are made when they are asked for, whatever becomes of the transaction.
    EarlyLetters,
    /// Damage of a file is not noticed: its checksums are right.
    RotUnnoticed,
    /// What was read before its read index was known is told.
    TellsEarly,
}

impl Bug {
    pub const ALL: [Bug; 42] = {
        use Bug::*;
        [
            AckBeforeFsync,
            TrustUnsyncedLog,
            ForgetVote,
            LocalReads,
            LeaderReads,
            ReuseReadContext,
            NewRequestId,
            CompactPastDurable,
            ApplyTwice,
            ApplyNothing,
            TroubleIsOutcome,
            LostTail,
            LostTailUnnoticed,
            OldTail,
            OldTailUnnoticed,
            ForgetTime,
            SnapshotForgetsTime,
            UnboundedClock,
            BelievesEverything,
            WipedVotes,
            NeverReplaced,
            RotUnnoticed,
            NoComparison,
            NoReadDigest,
            NewCommitId,
            SequenceTwice,
            NoRefreshAfterWait,
            ForgetLocks,
            GrantUnheard,
            CommitVoid,
            NewIdAfterSchemaChange,
            TrialIsCertain,
            ForgetsSent,
            OldCatalog,
            Untried,
            OwnBudget,
            OtherValues,
            NoRetry,
            UnlockedQueue,
            ShortChunks,
            EarlyLetters,
            TellsEarly,
        ]
    };

    fn needs_transactions(self) -> bool {
        Bug::ALL.iter().position(|bug| *bug == self) >= Bug::ALL.iter().position(|bug| *bug == Bug::NoComparison)
    }

    /// Where it is made, if not in the harness.
    pub fn defect(self) -> Option<Defect> {
        Some(match self {
            Bug::NoRefreshAfterWait => Defect::NoRefreshAfterWait,
            Bug::ForgetLocks => Defect::ForgetLocks,
            Bug::GrantUnheard => Defect::GrantUnheard,
            Bug::CommitVoid => Defect::CommitVoid,
            Bug::TrialIsCertain | Bug::NewIdAfterSchemaChange => Defect::TrialIsCertain,
            Bug::ForgetsSent => Defect::ForgetsSent,
            Bug::NoRetry => Defect::NoRetry,
            Bug::TellsEarly => Defect::TellsEarly,
            _ => return None,
        })
    }
}

/// Times in µs of the simulated world.
#[derive(Clone, Debug)]
pub struct Plan {
    pub seed: u64,
    pub bug: Option<Bug>,
    pub nodes: u64,
    pub faults: Vec<Fault>,
    /// Mean time between two faults.
    pub fault_every: u64,
    /// How long there are faults.
    pub chaos: u64,
    pub clients: u64,
    /// Of all clients together.
    pub operations: u64,
    /// Of a hundred operations.
    pub reads: u64,
    pub think: u64,
    /// How long a client waits before it tries again elsewhere.
    pub patience: u64,
    /// One request is given to two nodes at once, once in so many times.
    pub double_submit: u64,

    pub latency: (u64, u64),
    /// In thousandths of the messages.
    pub drop: u64,
    pub duplicate: u64,
    pub straggle: u64,
    /// The same for answers to followers' reads.
    pub straggle_reads: u64,
    pub sync: (u64, u64),
    pub apply: (u64, u64),
    /// How long a state machine that cannot go on tries again before it says so.
    pub trouble: u64,
    /// A core decides some time after an event instead of at once, so that events meet.
    pub lazy: u64,
    /// A crash strikes between two effects of one decision, once in so many decisions.
    pub crash_within: u64,
    /// The survivors of a crash learn of it from their closed connections.
    pub fast_failover: bool,
    /// How much the clocks of nodes differ, and how much faster or slower they tick (per mille).
    pub skew: i64,
    pub drift: u64,
    /// The longest time a crashed machine is down.
    pub down: u64,

    /// Ticks.
    pub read_retry: u32,
    /// After so many ticks a group with nothing to do rests; 0: never.
    pub rest: u32,
    pub compact_step: u64,
    pub compact_keep: u64,
    pub compact_max_lag: u64,
    /// WAL frames after which the state machine checkpoints.
    pub checkpoint_frames: u32,
    pub cache: usize,
    pub max_append: u64,
    pub max_inflight: usize,
    pub max_batch_commands: usize,
    pub max_unapplied: usize,
    pub max_waiting: usize,
    /// Outcomes remembered.
    pub window: usize,

    /// Clients with transactions; without them there is no gateway, and nothing below counts.
    pub sessions: u64,
    /// Of all of them together.
    pub transactions: u64,
    pub levels: [Isolation; 3],
    /// Single statements, of a thousand transactions.
    pub single: u64,
    /// Of a thousand appends among them, those that the leader tries first.
    pub tried: u64,
    /// A client gives up one statement of so many, and goes on or not.
    pub impatient: u64,
    /// A client hangs up in the middle of one transaction of so many.
    pub hang_up: u64,
    /// A schema change comes instead of one transaction of so many.
    pub ddl: u64,
    /// Of a thousand transactions, those that work at a queue; and those with a large or a heavy statement.
    pub queue: u64,
    pub hard: u64,
    /// Of a thousand blocks, those with an advisory lock; as many sessions in two thirds of a thousand hold one or listen.
    pub advisory: u64,
    /// Of a thousand transactions, those that have a temporary table, and move balances by DO.
    pub programs: u64,
    pub statement_timeout: u64,
    pub lease: u64,
    /// How long an idle view is kept, at READ COMMITTED and above.
    pub idle: (u64, u64),
}

pub const TICK: u64 = 10_000;
const MS: u64 = 1000;

impl Plan {
    pub fn new(seed: u64) -> Plan {
        let mut r = Random::new(seed);
        let chance = r.pick(&[0, 200, 400, 700]);
        let mut faults: Vec<Fault> = FAULTS.iter().copied().filter(|_| r.permille(chance)).collect();
        // Chance of its own: what a seed means otherwise stays.
        if !faults.is_empty() && Random::new(seed ^ 0xf0).one_in(4) {
            faults.push(Fault::Forgery);
        }
        let mut members = Random::new(seed ^ 0x3e3b);
        if !faults.is_empty() && members.one_in(3) {
            faults.extend(MEMBERSHIP.into_iter().filter(|_| !members.one_in(3)));
        }
        let mut disks = Random::new(seed ^ 0xd15c);
        if !faults.is_empty() && disks.one_in(3) {
            let some = [Fault::SlowDisk, Fault::DiskError, Fault::DiskDead];
            faults.extend(some.into_iter().filter(|_| !disks.one_in(3)));
        }
        let mut below = Random::new(seed ^ 0xbe10);
        if !faults.is_empty() && below.one_in(3) {
            faults.extend([Fault::StateFull, Fault::StateFails]);
        }
        let slow = r.one_in(4);
        Plan {
            seed,
            bug: None,
            nodes: r.pick(&[3, 3, 3, 3, 3, 3, 5, 5, 2, 1]),
            faults,
            fault_every: r.pick(&[60, 150, 400]) * MS,
            chaos: r.range(800, 2500) * MS,
            clients: r.range(1, 7),
            operations: r.range(40, 130),
            reads: r.pick(&[0, 20, 50]),
            think: r.pick(&[0, MS, 20 * MS]),
            patience: r.pick(&[30, 150, 600]) * MS,
            double_submit: r.pick(&[0, 0, 8]),
            latency: if slow { (MS, r.range(2, 60) * MS) } else { (50, r.range(100, 2000)) },
            drop: r.pick(&[0, 0, 10, 50, 200]),
            duplicate: r.pick(&[0, 0, 30, 200]),
            straggle: r.pick(&[0, 0, 10, 60]),
            straggle_reads: r.pick(&[0, 0, 0, 300]),
            sync: r.pick(&[(50, 200), (100, 3 * MS), (MS, 30 * MS)]),
            apply: r.pick(&[(10, 100), (100, 5 * MS), (MS, 60 * MS)]),
            // Chance of its own: what a seed means otherwise stays.
            trouble: Random::new(seed ^ 0x7ab1).pick(&[0, 20 * MS, 200 * MS]),
            lazy: r.pick(&[0, 0, 100, 2 * MS]),
            crash_within: r.pick(&[0, 0, 0, 800]),
            fast_failover: r.one_in(2),
            skew: r.pick(&[0, 100_000, 100_000_000_000]),
            drift: r.pick(&[0, 50, 300]),
            down: r.pick(&[50, 500, 2000]) * MS,
            read_retry: r.pick(&[1, 3, 3, 30]),
            // Chance of its own: what a seed means otherwise stays.
            rest: Random::new(seed ^ 0x2e57).pick(&[0, 1, 1, 3, 10, 34]),
            compact_step: r.pick(&[1, 1, 4, 16, 1024]),
            compact_keep: r.pick(&[1, 5, 20]),
            compact_max_lag: r.pick(&[1, 2, 20, 100_000]),
            checkpoint_frames: r.pick(&[2, 4, 16, 60, 1000]),
            cache: r.pick(&[0, 2000, 4 << 20]),
            max_append: r.pick(&[0, 300, 2000, 512 << 10]),
            max_inflight: r.pick(&[1, 3, 128]),
            max_batch_commands: r.pick(&[1, 3, 4096]),
            max_unapplied: r.pick(&[400, 4000, 32 << 20, 32 << 20]),
            max_waiting: r.pick(&[600, 32 << 20, 32 << 20, 32 << 20]),
            window: r.pick(&[10, 100_000, 100_000, 100_000]),
            sessions: 0,
            transactions: 0,
            levels: [Isolation::ReadCommitted; 3],
            single: 0,
            tried: 0,
            impatient: 0,
            hang_up: 0,
            ddl: 0,
            queue: 0,
            hard: 0,
            advisory: 0,
            programs: 0,
            statement_timeout: 0,
            lease: 0,
            idle: (0, 0),
        }
    }

    pub fn with_transactions(seed: u64) -> Plan {
        use Isolation::{ReadCommitted, RepeatableRead, Serializable};
        let mut plan = Plan::new(seed);
        let mut r = Random::new(!seed);
        plan.faults.retain(|fault| !MEMBERSHIP.contains(fault));
        if !plan.faults.is_empty() && r.one_in(3) {
            plan.faults.push(Fault::Amnesia);
        }
        let ddl = r.pick(&[0, 0, 0, 15]);
        Plan {
            // Their model has no schema.
            clients: if ddl == 0 { r.range(0, 2) } else { 0 },
            operations: r.pick(&[5, 40]),
            think: r.pick(&[0, MS, 10 * MS]),
            double_submit: r.pick(&[0, 3, 8]),
            // What is forgotten is a question of its own, and asked of the other clients.
            window: 100_000,
            sessions: r.range(2, 9),
            transactions: r.range(30, 120),
            levels: r.pick(&[
                [ReadCommitted; 3],
                [RepeatableRead; 3],
                [Serializable; 3],
                [ReadCommitted, RepeatableRead, Serializable],
                [ReadCommitted, RepeatableRead, Serializable],
            ]),
            single: r.pick(&[0, 200, 500]),
            impatient: r.pick(&[0, 0, 15, 50]),
            hang_up: r.pick(&[0, 0, 5, 15]),
            ddl,
            statement_timeout: r.pick(&[300, 3000, 15_000]) * MS,
            lease: r.pick(&[5000, 10_000]) * MS,
            idle: r.pick(&[(1000 * MS, 30_000 * MS), (5 * MS, 20 * MS), (5 * MS, 30_000 * MS)]),
            tried: r.pick(&[100, 500]),
            queue: r.pick(&[0, 0, 150, 400]),
            hard: r.pick(&[0, 0, 0, 30]),
            advisory: r.pick(&[0, 0, 100, 300]),
            // Of a chance of its own, so that all else in a seed is what it was.
            programs: Random::new(seed.rotate_left(32)).pick(&[0, 0, 200, 600]),
            ..plan
        }
    }

    /// Nothing happens but what clients do.
    pub fn is_calm(&self) -> bool {
        self.faults.is_empty() && self.crash_within == 0 && self.drop == 0
    }

    /// The seed's plan with a defect, and with what the defect needs to show.
    pub fn with_bug(seed: u64, bug: Bug) -> Plan {
        use Bug::*;
        let base = if bug.needs_transactions() { Plan::with_transactions(seed) } else { Plan::new(seed) };
        let mut plan = Plan { bug: Some(bug), programs: 0, ..base };
        plan.nodes = plan.nodes.max(3);
        plan.faults.retain(|fault| *fault != Fault::Forgery && !MEMBERSHIP.contains(fault));
        match bug {
            NoComparison | NoReadDigest => (plan.levels, plan.single) = ([Isolation::Serializable; 3], 0),
            ForgetsSent | NewIdAfterSchemaChange | TrialIsCertain => {
                // Leaders are lost and definitions made while statements are on their way.
                plan.faults = vec![Fault::Crash, Fault::Transfer, Fault::OneWay, Fault::FalseAlarm];
                plan.faults.extend((bug == ForgetsSent).then_some(Fault::DiskFull));
                (plan.fault_every, plan.down, plan.chaos) = (60 * MS, 50 * MS, 2500 * MS);
                (plan.clients, plan.sessions, plan.transactions, plan.think) = (0, 8, 400, 0);
                (plan.single, plan.tried, plan.ddl) = (900, 900, if bug == ForgetsSent { 0 } else { 6 });
                (plan.impatient, plan.hang_up, plan.statement_timeout) = (0, 0, 15_000 * MS);
            }
            NewCommitId => (plan.levels, plan.double_submit) = ([Isolation::ReadCommitted; 3], 2),
            NoRefreshAfterWait => {
                (plan.faults, plan.crash_within, plan.drop) = (Vec::new(), 0, 0);
                (plan.levels, plan.sessions, plan.think) = ([Isolation::ReadCommitted; 3], 8, 0);
            }
            ForgetLocks | GrantUnheard | CommitVoid => {
                // Rows are always locked and wanted when the leader changes, or a gateway is not heard.
                plan.faults = match bug {
                    CommitVoid => vec![Fault::Isolate, Fault::Pause],
                    // Some do not answer, so that there is time to do harm.
                    GrantUnheard => vec![Fault::Isolate, Fault::Crash, Fault::FalseAlarm],
                    _ => vec![Fault::Transfer, Fault::Crash],
                };
                plan.fast_failover &= bug != GrantUnheard;
                (plan.fault_every, plan.chaos, plan.crash_within, plan.drop) = (150 * MS, 4000 * MS, 0, 0);
                (plan.levels, plan.ddl) = ([Isolation::ReadCommitted; 3], 0);
                plan.single = if bug == GrantUnheard { 300 } else { 0 };
                (plan.sessions, plan.transactions, plan.think) = (8, 300, 20 * MS);
                (plan.impatient, plan.hang_up, plan.statement_timeout) = (0, 0, 15_000 * MS);
            }
            ReuseReadContext => {
                // An answer must outlive the process that asked, and meet the first question of the next one.
                plan.faults = vec![Fault::Crash];
                (plan.fault_every, plan.down, plan.chaos) = (150 * MS, 30 * MS, 4000 * MS);
                (plan.clients, plan.operations, plan.reads, plan.think) = (6, 600, 50, 2 * MS);
                (plan.patience, plan.read_retry, plan.straggle_reads) = (600 * MS, 30, 500);
                (plan.drop, plan.fast_failover) = (0, true);
            }
            WipedVotes => {
                plan.faults = vec![Fault::Crash, Fault::Isolate, Fault::Wipe];
                (plan.fault_every, plan.nodes) = (60 * MS, 3);
            }
            LeaderReads => {
                // Somebody else leads before the old leader notices.
                plan.faults = vec![Fault::Isolate, Fault::Pause, Fault::OneWay];
                (plan.fault_every, plan.chaos, plan.drop, plan.crash_within) = (60 * MS, 4000 * MS, 0, 0);
                (plan.clients, plan.operations, plan.reads, plan.think) = (6, 600, 50, 2 * MS);
            }
            RotUnnoticed => {
                plan.faults = vec![Fault::Rot];
                (plan.fault_every, plan.nodes, plan.reads, plan.down) = (60 * MS, 3, 50, 50 * MS);
                (plan.clients, plan.operations, plan.checkpoint_frames) = (6, 400, 2);
            }
            NeverReplaced => {
                plan.faults = vec![Fault::Wipe];
                (plan.fault_every, plan.nodes) = (60 * MS, 3);
            }
            OldCatalog => {
                (plan.ddl, plan.apply, plan.statement_timeout) = (3, (MS, 60 * MS), 15_000 * MS);
                (plan.impatient, plan.hang_up, plan.clients) = (0, 0, 0);
            }
            Untried | ShortChunks | OwnBudget => (plan.hard, plan.statement_timeout) = (200, 15_000 * MS),
            UnlockedQueue => (plan.queue, plan.sessions, plan.think) = (800, 8, 0),
            EarlyLetters => plan.advisory = 500,
            TellsEarly => (plan.single, plan.apply) = (500, (MS, 20 * MS)),
            NoRetry => (plan.single, plan.statement_timeout) = (500, 15_000 * MS),
            OtherValues => {
                // Alone, and nothing happens.
                (plan.faults, plan.crash_within, plan.drop, plan.ddl) = (Vec::new(), 0, 0, 0);
                (plan.sessions, plan.clients, plan.single) = (1, 0, 0);
                plan.statement_timeout = 15_000 * MS;
            }
            TroubleIsOutcome => {
                plan.faults = vec![Fault::StateFull, Fault::StateFails];
                plan.fault_every = 60 * MS;
            }
            BelievesEverything => plan.faults.push(Fault::Forgery),
            ForgetTime | SnapshotForgetsTime => {
                plan.faults = vec![Fault::ClockJump, Fault::Crash, Fault::CrashAll, Fault::Isolate, Fault::Transfer];
                (plan.fault_every, plan.skew) = (60 * MS, 400_000);
                (plan.compact_step, plan.compact_keep, plan.compact_max_lag, plan.checkpoint_frames) = (1, 1, 2, 2);
            }
            UnboundedClock => {
                plan.faults.push(Fault::ClockJump);
                plan.skew = 100_000_000_000;
            }
            ForgetVote => {
                // Whoever has voted is back before the other candidate asks.
                plan.faults = vec![Fault::Crash, Fault::Isolate, Fault::Flap];
                (plan.fault_every, plan.down, plan.crash_within, plan.fast_failover) = (60 * MS, 5 * MS, 3, false);
            }
            TrustUnsyncedLog | LostTail | LostTailUnnoticed | OldTail | OldTailUnnoticed => {
                plan.faults.extend([Fault::Crash, Fault::PowerLoss]);
                plan.fault_every = 60 * MS;
            }
            _ => {}
        }
        plan
    }
}
