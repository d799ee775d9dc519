//! What the compiler hands to the session: what to run, what comes back, and of which types.

use super::ddl::OnCommit;
use super::procedural::Program;
use crate::command::{Definition, Isolation, Statement};
use crate::functions::Asks;
use crate::types::Type;
use crate::types::encoding::Encoding;
use std::sync::Arc;

/// A statement compiled under one catalog version. Immutable and shared: prepared statements keep it.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Types of `$1`, `$2`, …
    pub params: Vec<Type>,
    /// Result columns; empty where nothing is returned.
    pub columns: Vec<ResultColumn>,
    /// The catalog version of the translation.
    pub schema_version: u64,
    pub kind: PlanKind,
}

/// A column of a RowDescription.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResultColumn {
    pub name: String,
    pub ty: Type,
    pub typmod: i32,
    /// OID of the table and attnum of the column it comes from, or 0.
    pub table: u32,
    pub attnum: i16,
}

#[derive(Clone, Debug)]
pub enum PlanKind {
    /// No effects: runs on any replica after a read index.
    Read(Read),
    /// Goes through the log.
    Write(WritePlan),
    /// COPY … FROM STDIN: each line becomes a parameter set of `insert`.
    CopyIn(CopyIn),
    /// COPY … TO STDOUT of the rows of a read.
    CopyOut { read: Read, format: CopyFormat },
    /// Transaction control, settings, cursors, prepared statements…: the session's own business.
    Utility(Utility),
    /// A text with nothing in it.
    Empty,
}

/// What a statement asks of whoever runs it, besides its parameters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// What its functions and relations want to know.
    pub asks: Asks,
    /// Its rows come in the order that it asks for.
    pub ordered: bool,
    /// The function by which it changes sequences, beside what columns are filled with.
    pub sequence_call: Option<&'static str>,
    /// It reads tables: not only the catalog, or functions.
    pub stored: bool,
    /// It announces something.
    pub notifies: bool,
    /// A cursor over it may move backward unless it was declared otherwise.
    pub scrolls: bool,
}

impl Facts {
    /// Adds what another part of the statement asks for.
    pub fn add(&mut self, other: &Facts) {
        self.asks.add(&other.asks);
        self.sequence_call = self.sequence_call.or(other.sequence_call);
        self.stored |= other.stored;
        self.notifies |= other.notifies;
    }
}

#[derive(Clone, Debug)]
pub struct Read {
    pub sql: Arc<str>,
    pub facts: Arc<Facts>,
    /// Needs the rows locked (FOR UPDATE and so on): what a transaction does with it is the session's business.
    pub lock: Option<RowLock>,
    /// Rows that a subquery locks.
    pub inside: Option<RowLock>,
    /// Cannot touch more than a handful of rows (a lookup by unique key): may run on the connection's own thread.
    pub short: bool,
    /// Command tag: `SELECT`, or `SHOW`, `EXPLAIN`…
    pub tag: &'static str,
    /// OIDs of the tables whose rowids are the first columns, before those that the client sees.
    pub places: Vec<u32>,
}

/// FOR UPDATE and its kin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowLock {
    pub strength: LockStrength,
    pub wait: LockWait,
    /// OIDs of the tables whose rows are locked, as often as they stand in FROM.
    pub tables: Vec<u32>,
    /// The query with the rowids of these tables as its last columns. With SKIP LOCKED, and inside of another statement,
    /// its last parameter, one more than the client's, is NULL or the list of rows that are meant (see `q_row_free`); the
    /// statement around it has the same parameter.
    pub sql: Arc<str>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub enum LockStrength {
    KeyShare,
    Share,
    NoKeyUpdate,
    Update,
}

impl LockStrength {
    pub const ALL: [LockStrength; 4] =
        [LockStrength::KeyShare, LockStrength::Share, LockStrength::NoKeyUpdate, LockStrength::Update];

    /// As it is written behind a SELECT.
    pub fn clause(self) -> &'static str {
        match self {
            LockStrength::KeyShare => "FOR KEY SHARE",
            LockStrength::Share => "FOR SHARE",
            LockStrength::NoKeyUpdate => "FOR NO KEY UPDATE",
            LockStrength::Update => "FOR UPDATE",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum LockWait {
    Wait,
    NoWait,
    SkipLocked,
}

/// What bounds the work of a statement: it decides where a write runs first, and on which thread.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub enum Effort {
    /// One row, which its text names by a unique key. If there is such a row (or, of an INSERT, none), nothing else in the
    /// database has a say in what the statement does.
    Row(Option<NamedRow>),
    /// Its own text, and lookups by unique keys.
    #[default]
    Key,
    /// A pass over the table that it changes.
    Scan,
    /// A pass over each of the other tables that it reads.
    Pass,
    /// Nothing that is known beforehand: joins, recursion, functions that yield rows, subqueries for each row.
    Open,
}

/// The row that a statement changes, as its lock is named: known without a look at the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub struct NamedRow {
    /// OID.
    pub table: u32,
    pub rowid: RowId,
    pub change: RowChange,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub enum RowChange {
    Insert,
    /// Of columns that are not part of a key.
    Update,
    Delete,
}

impl RowChange {
    /// The lock that it needs.
    pub fn strength(self) -> LockStrength {
        match self {
            RowChange::Insert | RowChange::Delete => LockStrength::Update,
            RowChange::Update => LockStrength::NoKeyUpdate,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub enum RowId {
    Const(i64),
    /// `$n`, which may turn out to be NULL: then there is no row.
    Param(usize),
    /// Of a row to be, and nobody's yet.
    New,
}

#[derive(Clone, Debug)]
pub struct WritePlan {
    /// SQLite statements over the parameters `?1…`.
    pub statements: Vec<Statement>,
    pub facts: Facts,
    pub ddl: Definition,
    /// It makes something temporary: the session has to say so first.
    pub temporary: bool,
    /// What becomes of the temporary table that it makes, by its OID, when the transaction ends.
    pub on_commit: Option<(u32, OnCommit)>,
    pub effort: Effort,
    /// It draws values of sequences itself, beside what columns are filled with: how far it goes may depend on them.
    pub draws: bool,
    /// Rows that a subquery locks.
    pub lock: Option<RowLock>,
    /// `INSERT 0 `, `UPDATE `, `DELETE `, … (the count follows), or a whole tag (`CREATE TABLE`).
    pub tag: Tag,
    /// Notices to send first (`relation "t" already exists, skipping`): SQLSTATE and text.
    pub notices: Vec<crate::error::SqlError>,
    /// It begins or ends transactions itself, and so is in nobody's block; as messages call it.
    pub alone: Option<&'static str>,
    /// It begins the index with this OID, which is built slice by slice afterwards.
    pub begins: Option<u32>,
    /// COPY … TO STDOUT of what it returns.
    pub copy: Option<CopyFormat>,
    /// Not only rows of temporary tables change, which a read-only transaction may do.
    pub lasting: bool,
}

impl PlanKind {
    /// How its rows are written, if it is COPY … TO STDOUT.
    pub fn copies_out(&self) -> Option<&CopyFormat> {
        match self {
            PlanKind::CopyOut { format, .. } => Some(format),
            PlanKind::Write(write) => write.copy.as_ref(),
            _ => None,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tag {
    /// The text, a blank and the number of rows.
    Counted(&'static str),
    Plain(&'static str),
}

#[derive(Clone, Debug)]
pub struct CopyIn {
    /// One INSERT over `?1…?n`; the parameters are the columns of the input, in order.
    pub insert: Vec<Statement>,
    pub facts: Facts,
    /// Names and types of the columns of the input.
    pub columns: Vec<ResultColumn>,
    pub format: CopyFormat,
}

/// Options of COPY (PostgreSQL documentation, COPY).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CopyFormat {
    /// Of the options below, the binary format has none but `encoding`.
    pub binary: bool,
    /// `None`: the client's.
    pub encoding: Option<Encoding>,
    pub csv: bool,
    pub delimiter: u8,
    pub null: String,
    pub header: bool,
    /// `HEADER MATCH`
    pub header_match: bool,
    pub quote: u8,
    pub escape: u8,
    /// Indexes of columns, or all.
    pub force_quote: Vec<usize>,
    pub force_not_null: Vec<usize>,
    pub force_null: Vec<usize>,
}

/// What the session does by itself.
#[derive(Clone, Debug, PartialEq)]
pub enum Utility {
    Begin(TransactionModes),
    Commit {
        chain: bool,
    },
    Rollback {
        chain: bool,
    },
    Savepoint(String),
    Release(String),
    RollbackTo(String),
    SetTransaction(TransactionModes),
    SetSessionCharacteristics(TransactionModes),
    /// `values` empty: SET … TO DEFAULT.
    Set {
        name: String,
        values: Vec<String>,
        local: bool,
    },
    Reset(String),
    ResetAll,
    Show(String),
    ShowAll,
    Prepare {
        name: String,
        types: Vec<Type>,
        query: String,
    },
    /// Arguments as Postgres SQL text of expressions.
    Execute {
        name: String,
        args: Vec<String>,
        /// CREATE TABLE … AS EXECUTE: what stands before the EXECUTE and behind it.
        into: Option<(String, String)>,
    },
    Deallocate(Option<String>),
    Do(Arc<Program>),
    Declare {
        name: String,
        query: String,
        hold: bool,
        scroll: Option<bool>,
        binary: bool,
    },
    Fetch {
        name: String,
        direction: FetchDirection,
        is_move: bool,
    },
    Close(Option<String>),
    Discard(Discard),
    /// Where SQLite's own answer is not all.
    Explain(super::explain::Explain),
    Listen(String),
    /// One channel, or all.
    Unlisten(Option<String>),
    /// OIDs of constraints; none for ALL.
    SetConstraints {
        constraints: Vec<u32>,
        deferred: bool,
    },
    LockTable {
        tables: Vec<u32>,
        mode: LockMode,
        nowait: bool,
    },
    /// What the cluster is to do.
    Order {
        order: super::database::Order,
        tag: &'static str,
    },
    /// VACUUM and its kin, of relations that exist: nothing to do here, see `docs/sql-compatibility.md`.
    Maintenance {
        tag: &'static str,
        /// What it calls itself where it says that it cannot run inside a transaction block.
        alone: Option<&'static str>,
        notices: Vec<crate::error::SqlError>,
    },
}

impl Utility {
    /// It holds another statement's text.
    pub fn compiles(&self) -> bool {
        matches!(
            self,
            Utility::Prepare { .. } | Utility::Execute { .. } | Utility::Declare { .. } | Utility::Explain(_)
        )
    }
}

/// Table lock modes, weakest first (PostgreSQL documentation, "Table-Level Locks").
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub enum LockMode {
    AccessShare,
    RowShare,
    RowExclusive,
    ShareUpdateExclusive,
    Share,
    ShareRowExclusive,
    Exclusive,
    AccessExclusive,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TransactionModes {
    pub isolation: Option<IsolationLevel>,
    pub read_only: Option<bool>,
    pub deferrable: Option<bool>,
}

/// An isolation level as it is asked for and shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IsolationLevel {
    ReadUncommitted,
    ReadCommitted,
    RepeatableRead,
    Serializable,
}

impl IsolationLevel {
    const ALL: [IsolationLevel; 4] = [
        IsolationLevel::ReadUncommitted,
        IsolationLevel::ReadCommitted,
        IsolationLevel::RepeatableRead,
        IsolationLevel::Serializable,
    ];

    /// As SHOW has it.
    pub fn name(self) -> &'static str {
        match self {
            IsolationLevel::ReadUncommitted => "read uncommitted",
            IsolationLevel::ReadCommitted => "read committed",
            IsolationLevel::RepeatableRead => "repeatable read",
            IsolationLevel::Serializable => "serializable",
        }
    }

    pub fn named(name: &str) -> Option<IsolationLevel> {
        IsolationLevel::ALL.into_iter().find(|level| level.name().eq_ignore_ascii_case(name))
    }

    /// What it promises: nobody ever sees what is not committed.
    pub fn isolation(self) -> Isolation {
        match self {
            IsolationLevel::ReadUncommitted | IsolationLevel::ReadCommitted => Isolation::ReadCommitted,
            IsolationLevel::RepeatableRead => Isolation::RepeatableRead,
            IsolationLevel::Serializable => Isolation::Serializable,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FetchDirection {
    /// Rows forward (negative: backward); `i64::MAX` for ALL.
    Forward(i64),
    Absolute(i64),
    Relative(i64),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Discard {
    All,
    Plans,
    Sequences,
    Temp,
}
