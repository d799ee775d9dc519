//! What goes into a session and what comes out of it, as data.
//!
//! In: [`Request`] (a client's message), [`Answer`] (what became of an [`Ask`]) and [`World`] (what this node knows
//! at the moment). Out: [`Effect`]. A session asks for one thing at a time and goes on when it is answered.

use crate::command::{AdvisoryOrder, Isolation, StepOutcome, Write};
use crate::error::{SqlError, SqlResult};
use crate::functions::Context;
use crate::gateway::{Failure, Mark, Told};
use crate::id::RequestId;
use crate::meter::Charge;
use crate::sql::allowance::Allowance;
use crate::sql::catalog::Catalog;
use crate::sql::database::{Databases, Order};
use crate::sql::plan::{CopyFormat, Effort, LockMode, ResultColumn};
use crate::transaction::{Statement, Trial};
use crate::types::encoding::Encoding;
use crate::types::text::write_text;
use crate::types::{Env, Type};
use crate::value::Value;
use crate::version::Version;
use bytes::Bytes;
use std::collections::BTreeSet;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

/// A client's message after startup.
#[derive(Clone, Debug, PartialEq)]
pub enum Request {
    Query(String),
    Parse {
        name: String,
        text: String,
        types: Vec<Type>,
    },
    Bind(Bind),
    Describe {
        target: Target,
        name: String,
    },
    /// `max_rows` 0 is no limit.
    Execute {
        portal: String,
        max_rows: u32,
    },
    Close {
        target: Target,
        name: String,
    },
    Flush,
    Sync,
    CopyData(Bytes),
    CopyDone,
    CopyFail(String),
    Terminate,
    /// A well-framed message whose content cannot be used (text that is not UTF-8): an error, not the end.
    /// `extended`: it belongs to the extended protocol, so that what follows is skipped up to Sync.
    Invalid {
        error: SqlError,
        extended: bool,
    },
}

impl Request {
    /// Bytes that have to be looked at, about.
    pub fn weight(&self) -> usize {
        match self {
            Request::Query(text) | Request::Parse { text, .. } => text.len(),
            Request::Bind(bind) => bind.params.iter().flatten().map(Bytes::len).sum(),
            Request::CopyData(data) => data.len(),
            _ => 0,
        }
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Bind {
    pub portal: String,
    pub statement: String,
    /// None, one for all, or one for each: 0 text, 1 binary.
    pub param_formats: Vec<i16>,
    pub params: Vec<Option<Bytes>>,
    pub result_formats: Vec<i16>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    Statement,
    Portal,
}

/// What a session may know of the moment it runs in.
#[derive(Clone)]
pub struct World {
    pub catalog: Arc<Catalog>,
    /// Applied index of this node's replica.
    pub applied: u64,
    /// Index of the last change of the schema that a client of this node knows of: nothing is compiled before that is
    /// applied here.
    pub defined: u64,
    /// µs since 2000-01-01 00:00 UTC.
    pub now: i64,
    /// Fresh random bits.
    pub seed: u64,
    /// How much may be compiled here and now.
    pub allowance: Allowance,
    /// The databases of the cluster.
    pub databases: Databases,
    /// The group's.
    pub version: Version,
}

/// An open result of the connection's; the session gives the numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CursorId(pub u64);

pub enum Effect {
    Send(Message),
    /// Rows that the session itself holds.
    Rows {
        rows: Vec<Vec<Value>>,
        form: Arc<RowForm>,
    },
    /// The same, as COPY writes them.
    CopyRows {
        rows: Vec<Vec<Value>>,
        form: Arc<CopyForm>,
    },
    /// Write out everything sent so far.
    Flush,
    /// Drop the open transaction: it is rolled back.
    Rollback,
    /// Forget an open result.
    Release(CursorId),
    /// An open result stays where it is after its last row.
    Keep(CursorId),
    /// An open result begins again.
    Rewind(CursorId),
    /// Listen to these channels, and no others.
    Listen(BTreeSet<String>),
    /// Give advisory locks back. It happens, sooner or later.
    Advise {
        request: RequestId,
        order: AdvisoryOrder,
    },
    /// Perform this and tell the session with [`super::Session::answer`]. Always the last effect of a call.
    Ask(Box<Ask>),
    /// Write out and close the connection.
    Close,
}

// There is one at a time.
#[allow(clippy::large_enum_variant)]
pub enum Ask {
    /// Catch up with everything acknowledged anywhere, so that the catalog is fresh.
    Barrier,
    /// Wait until the catalog of this node has what its clients know of. Answered as `Barrier`.
    CatchUp,
    /// Let others have their turn. What comes next may take long: it wants a place where nobody waits for it, and another
    /// [`World::allowance`].
    Turn {
        long: bool,
        /// Length of the text that it is about.
        bytes: usize,
    },
    /// Begin a read; its rows are fetched afterwards.
    Open {
        cursor: CursorId,
        read: OpenRead,
    },
    /// Bring up to `max` rows to where `sink` says.
    Fetch {
        cursor: CursorId,
        max: u64,
        sink: Sink,
    },
    Write {
        request: RequestId,
        write: Write,
        /// The most that a statement of it takes.
        effort: Effort,
    },
    /// As `Write`, but it has to be tried first.
    Try {
        request: RequestId,
        trial: Box<Trial>,
    },
    /// Run these in the open transaction, which begins now if there is none; end at the first that fails.
    Steps {
        begin: Begin,
        statements: Vec<Statement>,
    },
    /// A read in the open transaction; its rows are fetched afterwards.
    OpenStep {
        begin: Begin,
        cursor: CursorId,
        statement: Box<Statement>,
    },
    Mark {
        begin: Begin,
        mark: Mark,
    },
    LockTables {
        begin: Begin,
        tables: Vec<u32>,
        mode: LockMode,
        nowait: bool,
    },
    /// Foreign keys are to be checked now: a statement that does nothing else.
    Check {
        begin: Begin,
        statement: Box<Statement>,
    },
    Commit,
    /// What the cluster is to do, for whom.
    Order {
        order: Order,
        user: String,
        session_user: String,
        /// In which the times that it names are meant.
        time_zone: String,
    },
    /// What is wanted of advisory locks.
    Advisory {
        request: RequestId,
        order: AdvisoryOrder,
    },
}

/// How to begin a transaction, if there is none.
pub struct Begin {
    pub name: RequestId,
    pub isolation: Isolation,
    pub env: Arc<Env>,
}

/// A read without what only the connection knows (deadline, cancellation).
pub struct OpenRead {
    pub sql: Arc<str>,
    pub params: Vec<Value>,
    pub context: Context,
    /// It sends signals to sessions.
    pub signals: bool,
    pub schema_version: u64,
    pub linearizable: bool,
}

#[derive(Clone)]
pub enum Sink {
    /// DataRow messages.
    Client(Arc<RowForm>),
    /// CopyData messages.
    Copy(Arc<CopyForm>),
    /// Count them only (MOVE); so many columns stand before those that the client would see.
    Nowhere { places: usize },
    /// Bring them back in [`Answer::Fetched`]; fails with 54000 beyond this many bytes.
    Session { max_bytes: usize },
}

pub enum Answer {
    Barrier(SqlResult<()>),
    Turn(SqlResult<()>),
    Opened(Result<(), Failure>),
    Fetched(SqlResult<Fetch>),
    Written(Result<Vec<StepOutcome>, Failure>),
    /// To Mark, LockTables, Check and Commit.
    Done(SqlResult<()>),
    Advisory(SqlResult<Told>),
    /// What the client is told beside.
    Ordered(SqlResult<Vec<SqlError>>),
}

impl Answer {
    pub fn is_error(&self) -> bool {
        match self {
            Answer::Barrier(result) | Answer::Turn(result) | Answer::Done(result) => result.is_err(),
            Answer::Opened(result) => result.is_err(),
            Answer::Fetched(result) => result.is_err(),
            Answer::Advisory(result) => result.is_err(),
            Answer::Ordered(result) => result.is_err(),
            Answer::Written(result) => result.is_err(),
        }
    }
}

/// What a session shows of itself to others.
#[derive(Clone, Copy, Debug)]
pub struct Activity<'a> {
    /// While it is at rest: `idle`, `idle in transaction`, `idle in transaction (aborted)`.
    pub state: &'static str,
    /// The statement that runs, or the last one.
    pub query: &'a str,
    /// When the transaction began.
    pub xact_start: Option<i64>,
    pub application_name: &'a str,
}

/// Rows that a session keeps: they count for the memory of all statements as long as it does.
#[derive(Debug, Default)]
pub struct KeptRows {
    rows: Vec<Vec<Value>>,
    charge: Charge,
}

impl KeptRows {
    /// Error: 53200.
    pub fn push(&mut self, row: Vec<Value>, bytes: usize) -> SqlResult<()> {
        self.charge.add(bytes)?;
        self.rows.push(row);
        Ok(())
    }
}

impl From<Vec<Vec<Value>>> for KeptRows {
    /// Of rows that are few, or that were here already.
    fn from(rows: Vec<Vec<Value>>) -> KeptRows {
        KeptRows { rows, charge: Charge::default() }
    }
}

impl Deref for KeptRows {
    type Target = Vec<Vec<Value>>;

    fn deref(&self) -> &Vec<Vec<Value>> {
        &self.rows
    }
}

impl DerefMut for KeptRows {
    fn deref_mut(&mut self) -> &mut Vec<Vec<Value>> {
        &mut self.rows
    }
}

impl PartialEq for KeptRows {
    fn eq(&self, other: &KeptRows) -> bool {
        self.rows == other.rows
    }
}

#[derive(Debug, Default, PartialEq)]
pub struct Fetch {
    pub count: u64,
    /// The end was reached.
    pub done: bool,
    /// For [`Sink::Session`].
    pub rows: KeptRows,
    /// What stands before the client's columns in the last row.
    pub place: Vec<Value>,
}

/// A message to the client.
#[derive(Clone, Debug)]
pub enum Message {
    ParseComplete,
    BindComplete,
    CloseComplete,
    NoData,
    PortalSuspended,
    EmptyQuery,
    Parameters(Vec<Type>),
    Columns(Arc<RowForm>),
    Complete(CommandTag),
    Error(SqlError),
    Notice(Severity, SqlError),
    /// A setting that clients follow has changed.
    Setting {
        name: &'static str,
        value: String,
    },
    Ready(Status),
    CopyIn(Arc<CopyForm>),
    CopyOut(Arc<CopyForm>),
    CopyDone,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    Notice,
    Warning,
}

/// The transaction status byte of ReadyForQuery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    Idle,
    InBlock,
    Failed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommandTag {
    Plain(&'static str),
    /// Word, a blank, number of rows. (`INSERT` is followed by ` 0` first; the text contains it.)
    Counted(&'static str, u64),
}

impl std::fmt::Display for CommandTag {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            CommandTag::Plain(text) => f.write_str(text),
            CommandTag::Counted(word, n) => write!(f, "{} {n}", word.trim_end()),
        }
    }
}

/// How rows look on the wire.
#[derive(Clone, Debug, PartialEq)]
pub struct RowForm {
    pub columns: Vec<ResultColumn>,
    /// Whether each column goes out in binary.
    pub binary: Vec<bool>,
    pub env: Arc<Env>,
    /// Of text in both forms.
    pub encoding: Encoding,
}

impl RowForm {
    /// Errors: 22P05 for text that the client has no letters for. Rows that come as they are read tell it when they are sent.
    pub fn check(&self, rows: &[Vec<Value>]) -> SqlResult<()> {
        if self.encoding.is_stored() {
            return Ok(());
        }
        let mut text = Vec::new();
        let shown = |row: &Vec<Value>| row.len().saturating_sub(self.columns.len());
        for (column, value) in rows.iter().flat_map(|row| self.columns.iter().zip(&row[shown(row)..])) {
            if !value.is_null() {
                text.clear();
                write_text(column.ty, column.typmod, value.as_ref(), &self.env, &mut text)?;
                self.encoding.encode_from(&mut text, 0)?;
            }
        }
        Ok(())
    }
}

/// How COPY lines look on the wire.
#[derive(Clone, Debug)]
pub struct CopyForm {
    pub columns: Vec<ResultColumn>,
    pub format: CopyFormat,
    pub env: Arc<Env>,
    pub encoding: Encoding,
}
