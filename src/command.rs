//! The log's codec: what one client request puts into the log, and what comes back.
//!
//! An entry is a batch of commands that were proposed while the previous fsync ran. `replica` stamps the batch
//! with a time and a seed and otherwise moves bytes; only `engine` and the gateway look inside a command.
//! The log holds SQLite SQL with typed parameters: replicas execute, they do not translate, so two versions of the
//! translator cannot make them differ.
//!
//! Compatibility: every payload begins with the number of its format ([`crate::version::PAYLOAD`]). A variant is only ever
//! appended, and not written before the group's version allows it; one that is not known stops the replica instead of being
//! guessed at. `tests/formats` keeps the bytes.

use crate::error::SqlError;
use crate::id::{NodeId, RequestId};
use crate::types::Env;
use crate::value::Value;
use crate::version::{self, Version};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The first byte of everything that is encoded here.
const FORMAT: u8 = version::PAYLOAD.latest as u8;

/// The data of one Raft entry: commands in order, and the clock and dice that all replicas share.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Batch {
    /// Time of the first command, in µs since 2000-01-01 00:00 UTC; command `i` runs at `now + i`.
    /// Strictly increasing along the log: the leader takes max(previous + its length, clock).
    pub now: i64,
    /// Command `i` draws its random numbers from a generator seeded with (`seed`, `i`).
    pub seed: u64,
    pub commands: Vec<Proposal>,
}

/// A command and the id under which it is applied at most once. `replica` does not look into `body`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proposal {
    pub request: RequestId,
    /// An encoded [`Command`].
    pub body: Bytes,
}

/// What a request asks of the state machine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Command {
    /// Statements that take effect together or not at all.
    Write(Write),
    /// A part of a command too large for one entry; [`Command::Assembled`] runs the whole.
    Chunk { upload: RequestId, part: u32, bytes: Bytes },
    /// Runs the command whose encoding is the concatenation of `parts` chunks.
    Assembled { upload: RequestId, parts: u32, length: u64, checksum: u64 },
    /// Every replica remembers its digest at this index, to be voted on.
    DigestMark,
    /// `node` had `digest` at the [`Command::DigestMark`] with index `mark`. When a majority of `voters` agrees,
    /// a replica whose own digest differs halts.
    DigestVote { mark: u64, node: NodeId, digest: u64, voters: u32 },
    /// The leader of an entry's term begins to grant locks. The outcome has one row for each claim that holds: its number
    /// (0-based). A claim holds if its locks were held without a gap.
    Tenure { tenure: Tenure, claims: Vec<Claim> },
    /// The leader takes these transactions' locks away: no later claim of theirs holds.
    Void { names: Vec<RequestId> },
    /// Instead of a COMMIT, under its request id: unless that has been applied before, it never will be. `born`: see
    /// [`Write::born`].
    Abort { born: u64 },
    /// Under the id of a request that may have been applied: if it was not, it fails with `error`, now and whenever it
    /// comes. `born`: see [`Write::born`].
    Settle { born: u64, error: SqlError },
    /// What a session wants of advisory locks. The outcome has one row: 1 if it has what it wants, 2 if it waits, 0 if it
    /// cannot; the acquisition's number; the number of its grant. `born`: see [`Write::born`].
    Advisory { born: u64, holder: Holder, order: AdvisoryOrder },
    /// The leader has not heard of these sessions' nodes: their advisory locks go to others, and nothing of them is taken
    /// any more.
    LoseSessions { sessions: Vec<u64> },
    /// Every member can do what `to` brings: the group's version rises, and each replica runs the migrations of it.
    Raise { to: Version },
    /// Every replica computes a digest of all that it contains at this index, to be voted on as at a
    /// [`Command::DigestMark`]. The outcome has one row: the index.
    ContentMark,
}

/// Who holds an advisory lock: a session of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Holder {
    /// The origin of its requests ([`RequestId::origin`]).
    pub session: u64,
    pub node: NodeId,
}

/// What an advisory lock is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum AdvisoryKey {
    One(i64),
    Two(i32, i32),
    /// No lock of a client's: the session of this name has temporary objects, for as long as this is held.
    Temporary(u64),
}

impl std::fmt::Display for AdvisoryKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            AdvisoryKey::One(key) => write!(f, "advisory lock {key}"),
            AdvisoryKey::Two(class, key) => write!(f, "advisory lock ({class}, {key})"),
            AdvisoryKey::Temporary(session) => write!(f, "temporary objects of session {session}"),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum AdvisoryOrder {
    Acquire {
        key: AdvisoryKey,
        shared: bool,
        /// It ends with a transaction: the session gives it back then.
        transaction: bool,
        wait: bool,
    },
    /// Gives one acquisition back that is not a transaction's.
    Release { key: AdvisoryKey, shared: bool },
    /// All that are not a transaction's.
    ReleaseAll,
    /// Acquisitions by number, granted or awaited.
    GiveBack { numbers: Vec<u64> },
    /// The session is over.
    End,
    /// The wait with this number would never end.
    Deny { number: u64 },
    /// Under which number does it hold this?
    Fence { key: AdvisoryKey },
}

/// A time in which one leader grants locks from one lock table. Ordered as they follow each other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Tenure {
    pub term: u64,
    /// Rises when a leader has to begin anew within its term.
    pub round: u64,
}

/// A transaction has locks that a new leader must know of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    pub name: RequestId,
    /// The last tenure in which it was told that it has them.
    pub since: Tenure,
}

/// Statements that run in one savepoint.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Write {
    /// The catalog version the statements were translated under; another one at apply refuses the command
    /// with [`Refusal::SchemaChanged`], by the same rule on every replica.
    pub schema_version: u64,
    /// An applied index no later than the first proposal of this request. Outcomes are remembered for a window
    /// of the log; a request born before the window cannot be told from a repeated one and is refused with
    /// [`Refusal::Expired`].
    pub born: u64,
    /// Session settings that the statements' results depend on.
    pub env: Env,
    pub steps: Vec<Step>,
    /// Set for an interactive transaction: replay it and compare, see `docs/consistency.md`.
    pub transaction: Option<Isolation>,
}

/// What an interactive transaction promised its client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Isolation {
    ReadCommitted,
    RepeatableRead,
    Serializable,
}

/// One client statement: one or several SQLite statements over the same parameters.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Step {
    pub statements: Vec<Statement>,
    /// Parameter sets, `?1` first; each statement runs once for each set (COPY has many, most have one).
    pub params: Vec<Vec<Value>>,
    /// The statements change the catalog: the schema version rises when the command is applied.
    pub ddl: Definition,
    /// Clock, dice and sequence values fixed when the step first ran in a fork; `None` takes the batch's.
    pub frozen: Option<Frozen>,
    /// Digest of what the client was told, see [`Isolation`].
    pub expect: Option<u64>,
    /// The session, where the statements ask for it.
    pub seen: Option<Box<Seen>>,
}

/// Whether statements change the catalog, and whom that concerns. Its code is that of the truth value it once was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Definition {
    #[default]
    None,
    /// Everybody.
    Shared,
    /// Only the session whose temporary objects it is about.
    Private,
}

impl Definition {
    pub fn any(self) -> bool {
        self != Definition::None
    }

    /// What both together are.
    pub fn and(self, other: Definition) -> Definition {
        match (self, other) {
            (Definition::Shared, _) | (_, Definition::Shared) => Definition::Shared,
            (Definition::Private, _) | (_, Definition::Private) => Definition::Private,
            _ => Definition::None,
        }
    }
}

/// Versions of the schema. The upper half counts the changes that concern everybody, the lower one those of temporary
/// objects since: whatever was compiled under one version holds under all with the same upper half, but for the session
/// whose objects have changed, and that does not go on before it knows of its own changes.
pub mod schema {
    use super::Definition;

    const PRIVATE: u32 = 32;

    /// The version after a change.
    pub fn after(version: u64, change: Definition) -> u64 {
        match change {
            Definition::None => version,
            Definition::Shared => ((version >> PRIVATE) + 1) << PRIVATE,
            Definition::Private => version + 1,
        }
    }

    /// The first version that agrees with it.
    pub fn shared(version: u64) -> u64 {
        version >> PRIVATE << PRIVATE
    }

    /// What was compiled under one holds under the other.
    pub fn agree(one: u64, other: u64) -> bool {
        one >> PRIVATE == other >> PRIVATE
    }
}

/// One SQLite statement of a step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Statement {
    pub sql: String,
    pub yields: Yields,
    pub shape: Shape,
}

impl Statement {
    /// One of which nothing more has to be known.
    pub fn new(sql: impl Into<String>, yields: Yields) -> Statement {
        Statement { sql: sql.into(), yields, shape: Shape::Other }
    }
}

/// What a statement is, as far as whoever runs it or explains its failure has to know: told by whoever wrote it, never
/// read off its text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Shape {
    #[default]
    Other,
    /// It puts the checks of foreign keys off to the end.
    Deferral,
    Insert(Insert),
    Update(Update),
    /// Not SQL to be run, but a part of the index that its text makes.
    Slice(Box<Slice>),
}

/// A part of the work of building an index while others write: see `engine::online`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Slice {
    /// SQLite names.
    pub index: String,
    pub table: String,
    /// A name of the table's rowid that no column has.
    pub rowid: String,
    /// What the index keeps, in order: SQLite expressions over the table's columns.
    pub terms: Vec<String>,
    /// Of a partial index.
    pub predicate: Option<String>,
    /// A unique index: the columns of a row of [`Yields::Guard`] for a row whose key is there already.
    pub repeated: Option<String>,
    /// The greatest rowid that is not in the index yet; `None`: it is to be begun.
    pub from: Option<i64>,
    /// Rows to take at most.
    pub rows: u64,
}

/// A slice yields one row: one of these, and where to go on.
impl Slice {
    /// There are no more rows.
    pub const DONE: i64 = 0;
    pub const MORE: i64 = 1;
    /// The index is not what the slice before left: its table was changed otherwise.
    pub const LOST: i64 = 2;
}

/// A part of a statement's text, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    pub start: u32,
    pub end: u32,
}

impl Span {
    /// The part; empty where the text has no such part.
    pub fn of(self, text: &str) -> &str {
        text.get(self.start as usize..self.end as usize).unwrap_or_default()
    }
}

/// Where the parts of an INSERT are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Insert {
    /// `WITH …`, or nothing.
    pub with: Span,
    /// Quoted names.
    pub table: Span,
    pub columns: Vec<Span>,
    /// VALUES or a query; nothing with DEFAULT VALUES.
    pub source: Span,
    /// ON CONFLICT: quoted names of its columns.
    pub keys: Vec<Span>,
    /// ON CONFLICT DO UPDATE
    pub update: Option<Set>,
    /// It asks which rows it has stored or changed itself.
    pub watches: bool,
}

/// Where the parts of an UPDATE are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Update {
    pub with: Span,
    pub table: Span,
    pub set: Set,
    /// What stands behind FROM, or nothing.
    pub from: Span,
}

/// Columns that are set, and the condition.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Set {
    pub columns: Vec<SetColumn>,
    /// What stands behind WHERE, or nothing.
    pub filter: Span,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetColumn {
    /// A quoted name.
    pub name: Span,
    pub value: Span,
    /// The number of its column, if the value is a query; 0 if it is the value itself.
    pub field: u8,
}

/// What a statement contributes to its step's outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Yields {
    /// Nothing.
    Nothing,
    /// Its number of changed rows.
    Count,
    /// Its rows (RETURNING), whose number is also the count.
    Rows,
    /// A guard: one row `(sqlstate, message, detail, hint, schema, table, column, datatype, constraint)` raises
    /// that error (all but the first two may be NULL); no row lets the step go on.
    Guard,
    /// As [`Yields::Rows`], but its last columns are for whoever locks the rows, and not part of the result.
    RowsAnd(u8),
    /// Its rows, kept as the list of this number for later statements of the step.
    List(u16),
}

/// Values drawn outside of the state machine and reused at replay.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Frozen {
    pub now: i64,
    pub seed: u64,
    /// Values of `nextval`, in the order of the calls; `None` takes them from the sequences when it is applied.
    pub sequences: Option<Vec<i64>>,
    /// The settings, where they are not the command's.
    pub env: Option<Env>,
}

/// What functions learn of the session that a step comes from. Only what the text of the step asks for is filled in:
/// all of it travels in the log.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Seen {
    /// `current_user` and `current_database()`.
    pub user: String,
    pub database: String,
    pub backend_pid: i32,
    /// For `current_setting` and the search path.
    pub settings: BTreeMap<String, String>,
    /// What `currval` gives before the step draws anything, and the sequence that `lastval` means.
    pub current: Vec<(u32, i64)>,
    pub last: Option<u32>,
    /// Live relations as JSON, as they were when the step first ran.
    pub live: BTreeMap<String, String>,
    /// Calls of advisory locks that have been answered, if there may be any.
    pub advisory: Option<Vec<([i64; 4], Option<i64>)>>,
}

/// The replicated answer to a command.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Outcome {
    Done(Vec<StepOutcome>),
    /// A SQL error of step `step` (0-based): nothing of the command took effect.
    Failed {
        step: u32,
        error: SqlError,
    },
    Refused(Refusal),
    /// As `Failed`, of the step after these: the client hears what the steps before it brought, although nothing of them
    /// took effect.
    FailedAfter {
        done: Vec<StepOutcome>,
        error: SqlError,
    },
}

/// What a step did.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct StepOutcome {
    pub count: u64,
    pub rows: Vec<Vec<Value>>,
    /// The last value drawn from each sequence (its OID), for `currval` and `lastval`; the latest draw is last.
    pub drawn: Vec<(u32, i64)>,
}

/// Why the state machine did not run a command. Not an SQL error: the gateway acts on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Refusal {
    /// Translate again under schema version `now`.
    SchemaChanged { now: u64 },
    /// The request is older than the remembered outcomes: whether it took effect is unknown (40003).
    Expired,
    /// Chunks are missing: they were dropped after their window. Upload again.
    ChunksMissing,
    /// The command took effect, but its result was too large to be remembered and this is a repeated request.
    ResultForgotten,
}

/// Encodes with the version byte in front. Only fails for types that postcard cannot describe, which these are not.
pub fn encode<T: Serialize>(value: &T) -> Bytes {
    Bytes::from(encode_into(value, Vec::new()))
}

/// The same behind what is in `out`.
pub fn encode_into<T: Serialize>(value: &T, mut out: Vec<u8>) -> Vec<u8> {
    out.push(FORMAT);
    postcard::to_extend(value, out).expect("log payloads are plain data")
}

/// Decodes what [`encode`] wrote.
pub fn decode<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, DecodeError> {
    postcard::from_bytes(body(bytes)?).map_err(DecodeError::Malformed)
}

/// The time and the number of commands of an encoded [`Batch`], without looking at these.
pub fn head(bytes: &[u8]) -> Result<(i64, u64), DecodeError> {
    let ((now, _seed, commands), _) =
        postcard::take_from_bytes::<(i64, u64, u64)>(body(bytes)?).map_err(DecodeError::Malformed)?;
    Ok((now, commands))
}

/// What stands behind the number of the format.
fn body(bytes: &[u8]) -> Result<&[u8], DecodeError> {
    let (&format, rest) = bytes.split_first().ok_or(DecodeError::Empty)?;
    version::PAYLOAD.check(u32::from(format))?;
    Ok(rest)
}

#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    #[error("empty payload")]
    Empty,
    #[error(transparent)]
    Version(#[from] version::Unknown),
    #[error("malformed payload: {0}")]
    Malformed(postcard::Error),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trip_and_version_check() {
        let batch = Batch {
            now: 7,
            seed: 9,
            commands: vec![Proposal { request: RequestId { origin: 1, seq: 2 }, body: encode(&Command::DigestMark) }],
        };
        let bytes = encode(&batch);
        assert_eq!(decode::<Batch>(&bytes).unwrap(), batch);
        assert_eq!(decode::<Command>(&batch.commands[0].body).unwrap(), Command::DigestMark);
        let mut newer = bytes.to_vec();
        newer[0] = FORMAT + 1;
        assert!(matches!(decode::<Batch>(&newer), Err(DecodeError::Version(version::Unknown::Newer { .. }))));
        assert!(matches!(decode::<Batch>(&bytes[..3]), Err(DecodeError::Malformed(_))));
        assert!(matches!(decode::<Batch>(&[]), Err(DecodeError::Empty)));
    }
}
