//! What our SQL functions compute, as pure Rust over SQLite values; `engine` registers them on every connection.
//!
//! Two tables per topic file: *signatures* (what the binder resolves: Postgres name, argument types, result type and
//! the SQLite text it becomes) and *implementations* (what SQLite calls). A signature whose `lower` is plain SQLite
//! costs nothing; one that calls a function of ours names an implementation with the prefix `q_`.
//!
//! Nothing here reads a clock, draws a random number or looks at the machine: time, dice and settings come from
//! [`Context`], which `engine` fills from the log before each statement. So every replica computes the same.
//!
//! The binder finds signatures with [`lookup_functions`], [`lookup_operators`] and [`find_cast`], and turns one into SQLite
//! text with [`fill`]. The engine registers implementations with [`sqlite::register`].
//!
//! Several rows of `CASTS` may share one pair of types: the one whose context is the widest that the situation grants
//! applies ([`find_cast_in`]). So storing into `varchar(n)` refuses what an explicit cast cuts.

/// All roles, memberships and the database's owner, as JSON.
macro_rules! roles {
    () => {
        "(SELECT json_array(json((SELECT json_group_array(json_array(oid, rolname, rolsuper, rolinherit)) \
          FROM \"pg_catalog.pg_authid\")), json((SELECT json_group_array(json_array(roleid, member, admin_option)) \
          FROM \"pg_catalog.pg_auth_members\")), coalesce((SELECT datdba FROM \"_quorate_database\"), 10)))"
    };
}

pub mod advisory;
pub mod aggregates;
mod arg;
pub mod arrays;
pub mod bits;
pub mod builtin;
mod bytes;
pub mod casts;
pub mod catalog;
mod citext;
mod crypto;
pub mod datetime;
mod degrees;
mod domains;
pub mod enums;
pub mod floats;
pub mod frames;
mod hashes;
mod identify;
mod index;
pub mod integers;
pub mod json;
pub mod jsonpath;
pub mod live;
mod money;
pub mod names;
pub mod network;
pub mod notify;
pub mod numeric;
mod privileges;
pub mod records;
pub mod regex;
mod regression;
mod render;
mod sample;
pub mod session;
pub mod sqlite;
mod statistics;
pub mod system;
pub mod table;
pub mod text;
mod trigrams;

pub use index::{
    aggregates, casts, collations, find_cast, find_cast_in, functions, lookup_functions, lookup_operators, operators,
    scalars,
};
pub use render::{Argument, Arguments, fill, render};
pub use session::{Asks, asks_of, asks_of_operator};

use crate::error::SqlResult;
use crate::types::{Env, Type};
use crate::value::{Value, ValueRef};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, LazyLock};

/// Whether and when a function's value may change (`pg_proc.provolatile`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Volatility {
    Immutable,
    Stable,
    Volatile,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Scalar,
    Aggregate,
    /// Only with OVER; plain aggregates may be used with OVER as well.
    Window,
    /// Yields rows, in FROM or in a select list.
    Set,
}

/// A function as the binder sees it (`pg_proc`).
#[derive(Clone, Debug, PartialEq)]
pub struct Function {
    pub name: &'static str,
    pub kind: Kind,
    /// Declared argument types; polymorphic pseudo-types (`Type::ANYELEMENT`, `Type::ANYARRAY`, `Type::ANY`…) as in Postgres.
    pub args: &'static [Type],
    /// The last argument repeats.
    pub variadic: bool,
    /// How many of the last arguments may be left out.
    pub optional: u8,
    pub result: Type,
    pub volatility: Volatility,
    /// SQLite text: `{0}`, `{1}`… are the arguments, `{*}` all of them separated by commas; `{0:type}` is the OID of an
    /// argument's type, `{0:out}` and `{*:out}` are arguments through their types' output functions ([`fill`]).
    /// For aggregates and window functions always one call `name(…)`, so that DISTINCT, ORDER BY, FILTER and OVER have
    /// their places.
    /// For [`Kind::Set`]: a table-valued function call whose columns are `columns`, or `value` if there are none;
    /// a column `ordinality` counts the rows from 1.
    pub lower: &'static str,
    /// Names and types of the columns of a [`Kind::Set`] function; empty means one column named as the function. Those of a
    /// [`Kind::Scalar`] are the fields of the record that it yields, whose shape is a further argument.
    pub columns: &'static [(&'static str, Type)],
}

/// An operator as the binder sees it (`pg_operator`). `left` is `None` for a prefix operator.
#[derive(Clone, Debug, PartialEq)]
pub struct Operator {
    pub name: &'static str,
    pub left: Option<Type>,
    pub right: Type,
    pub result: Type,
    pub lower: &'static str,
    pub native: Native,
}

impl Function {
    /// Its value is a record whose fields have names of its own.
    pub fn has_fields(&self) -> bool {
        self.kind == Kind::Scalar && !self.columns.is_empty()
    }

    /// Its rows have the fields of its first argument, or of a list behind the call. The binder adds them to the arguments.
    pub fn is_of_rows(&self) -> bool {
        const NAMES: [&str; 8] = [
            "json_populate_record",
            "json_populate_recordset",
            "json_to_record",
            "json_to_recordset",
            "jsonb_populate_record",
            "jsonb_populate_recordset",
            "jsonb_to_record",
            "jsonb_to_recordset",
        ];
        NAMES.contains(&self.name)
    }

    /// Not SQLite's own.
    pub fn is_ours(&self) -> bool {
        self.lower.starts_with("q_")
    }

    /// What implements an aggregate takes more than its one argument.
    #[cfg(test)]
    pub fn passes_several(&self) -> bool {
        self.lower.contains(',')
    }
}

/// Whether an operator is SQLite's own comparison of the same name: what indexes serve, what IN and row values do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Native {
    No,
    Plain,
    /// Under this collation.
    Collated(&'static str),
}

/// When a cast applies by itself (`pg_cast.castcontext`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CastContext {
    /// Anywhere.
    Implicit,
    /// When a value is stored into a column.
    Assignment,
    /// Only when written as a cast.
    Explicit,
}

/// A cast as the binder sees it (`pg_cast`). In `lower`, `{0}` is the value and `{typmod}` the target's type modifier.
#[derive(Clone, Debug, PartialEq)]
pub struct Cast {
    pub from: Type,
    pub to: Type,
    pub context: CastContext,
    pub lower: &'static str,
}

/// An implementation that SQLite calls. `args` is the number of arguments, −1 for any number.
pub struct Scalar {
    pub name: &'static str,
    pub args: i32,
    /// NULL in, NULL out, without calling.
    pub strict: bool,
    /// Depends on nothing but its arguments (never true for what reads [`Context`]): SQLite may call it once.
    pub deterministic: bool,
    pub call: fn(&mut Context, &[ValueRef<'_>]) -> SqlResult<Value>,
}

/// An aggregate implementation; with `inverse`, also usable with moving window frames.
pub struct Aggregate {
    pub name: &'static str,
    pub args: i32,
    pub init: fn() -> Box<dyn Accumulator>,
}

/// The state of one aggregate over one group.
pub trait Accumulator: Send {
    fn step(&mut self, ctx: &mut Context, args: &[ValueRef<'_>]) -> SqlResult<()>;
    /// Takes back the oldest `step` (a window frame that moves on).
    fn inverse(&mut self, ctx: &mut Context, args: &[ValueRef<'_>]) -> SqlResult<()>;
    /// The value so far; may be called repeatedly in a window.
    fn value(&mut self, ctx: &mut Context) -> SqlResult<Value>;
}

/// An ordering of TEXT values that SQLite uses for columns and comparisons of some types.
pub struct Collation {
    pub name: &'static str,
    pub compare: fn(&str, &str) -> std::cmp::Ordering,
}

/// Where `nextval` takes its values from.
#[derive(Clone, Default)]
pub enum SequenceSource {
    /// Not allowed here (a read).
    #[default]
    Forbidden,
    /// From the replicated sequence table, in log order.
    Apply,
    /// From values drawn earlier and carried in the log.
    Replay(VecDeque<i64>),
    /// From outside: an interactive transaction in its fork. Called with the sequence's OID; `None` takes the value from
    /// the fork's own table, for a sequence that only this transaction knows.
    Draw(Arc<dyn Fn(u32) -> SqlResult<Option<i64>> + Send + Sync>),
}

/// Whether a row, by its table's OID and its rowid, may be locked.
pub type RowFree = Arc<dyn Fn(u32, i64) -> bool + Send + Sync>;

/// The function that shows a view's definition: whoever runs it has to know the catalog as of then ([`Context::show_view`]).
pub const SHOW_VIEW: &str = "q_show_view";

/// The query of a view, by its OID, whether prettily, and in which schemas names need not be qualified.
pub type ShowView = Arc<dyn Fn(u32, bool, &[String]) -> Option<String> + Send + Sync>;

/// Whether the statement under way has stored or changed a row already, by its table's SQLite name and its rowid.
pub type RowChanged = Arc<dyn Fn(&str, i64) -> bool + Send + Sync>;

/// Lets so much time pass; how much it was.
pub type Nap = Arc<dyn Fn(std::time::Duration) -> std::time::Duration + Send + Sync>;

/// Sends a signal to a session by its process id; whether it was sent.
pub type SendSignal = Arc<dyn Fn(i32, Signal) -> bool + Send + Sync>;

/// Changes a setting of the session once the statement is done: name, value (`None`: the default), whether only for the
/// transaction. The value as it is then shown.
pub type Configure = Arc<dyn Fn(&str, Option<&str>, bool) -> SqlResult<String> + Send + Sync>;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// End the statement.
    Cancel,
    /// End the session.
    Terminate,
}

/// Everything a function may depend on besides its arguments. One per connection, refilled before each statement.
#[derive(Clone)]
pub struct Context {
    /// `now()`: µs since 2000-01-01 00:00 UTC, constant within a transaction.
    pub now: i64,
    /// `clock_timestamp()` and friends: equal to `now` at apply.
    pub clock: i64,
    /// State of the random generator (splitmix64), seeded from the log.
    pub seed: u64,
    pub env: Env,
    pub user: Arc<str>,
    pub database: Arc<str>,
    /// Values of settings, for `current_setting`.
    pub settings: Arc<BTreeMap<String, String>>,
    pub sequences: SequenceSource,
    /// (sequence OID, value) of each `nextval` of the statement, in order.
    pub drawn: Vec<(u32, i64)>,
    /// Values of `nextval` in the order of the calls, for whoever will replay them; a fork takes them after each step.
    pub nextvals: Vec<i64>,
    /// A NULL that is refused while it is computed is let through: somebody looks for it.
    pub lenient: bool,
    /// Rows that break constraints which are NOT VALID are let through: a definition moves them.
    pub admits: bool,
    /// Whether nobody else has the row of the table with this OID and rowid: SKIP LOCKED, in a fork.
    pub row_free: Option<RowFree>,
    /// How views are shown, if that is known: the catalog's functions show what is kept otherwise.
    pub show_view: Option<ShowView>,
    /// Set while a statement runs that must not change a row twice.
    pub row_changed: Option<RowChanged>,
    /// What the statement under way keeps of other tables' rows for its RETURNING, by rowid and number.
    pub kept: BTreeMap<(i64, i64), Value>,
    /// Values that a domain is asked about, by the number of the place.
    pub held: BTreeMap<i64, Value>,
    /// Rows that statements of the step under way have kept for later ones, by number (`types::record`).
    pub lists: BTreeMap<i64, Arc<Vec<u8>>>,
    /// The session's last values (`currval`), and the sequence of the very last (`lastval`).
    pub current: Arc<BTreeMap<u32, i64>>,
    pub last: Option<u32>,
    /// The backend's process id, for `pg_backend_pid()`.
    pub backend_pid: i32,
    /// Live facts of the cluster as JSON by relation name: what the statement asks for, taken before it runs.
    pub live: Arc<BTreeMap<String, String>>,
    /// For `pg_sleep`. Only in reads on the client's own node: nothing waits while the log is applied.
    pub nap: Option<Nap>,
    /// For `pg_cancel_backend` and `pg_terminate_backend`. Only in reads on the client's own node.
    pub signal: Option<SendSignal>,
    /// For `set_config`. Only in reads on the client's own node.
    pub configure: Option<Configure>,
    /// Answers to calls of advisory locks, and those that were told; `None` where none can be had.
    pub advisory: Option<Arc<Vec<advisory::Answered>>>,
    pub advisory_told: BTreeSet<usize>,
    /// What was announced since it was emptied last.
    pub notified: notify::Announcements,
}

// One is made for every read: what it shares with all others is made once.
static NOTHING: LazyLock<Arc<BTreeMap<String, String>>> = LazyLock::new(Arc::default);
static UNDRAWN: LazyLock<Arc<BTreeMap<u32, i64>>> = LazyLock::new(Arc::default);
static NOBODY: LazyLock<Arc<str>> = LazyLock::new(Arc::default);

impl Default for Context {
    fn default() -> Context {
        Context {
            now: 0,
            clock: 0,
            seed: 0,
            env: Env::default(),
            user: Arc::clone(&NOBODY),
            database: Arc::clone(&NOBODY),
            settings: Context::nothing(),
            sequences: SequenceSource::default(),
            drawn: Vec::new(),
            nextvals: Vec::new(),
            lenient: false,
            admits: false,
            row_free: None,
            show_view: None,
            row_changed: None,
            kept: BTreeMap::new(),
            held: BTreeMap::new(),
            lists: BTreeMap::new(),
            current: Arc::clone(&UNDRAWN),
            last: None,
            backend_pid: 0,
            live: Context::nothing(),
            nap: None,
            signal: None,
            configure: None,
            advisory: None,
            advisory_told: BTreeSet::new(),
            notified: notify::Announcements::default(),
        }
    }
}

impl Context {
    /// No settings, no live facts.
    pub fn nothing() -> Arc<BTreeMap<String, String>> {
        Arc::clone(&NOTHING)
    }

    /// The next random number: splitmix64 (Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014).
    pub fn random(&mut self) -> u64 {
        self.seed = self.seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.seed;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}
