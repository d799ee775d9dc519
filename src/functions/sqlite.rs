//! Registration on a SQLite connection: functions, aggregates, collations, set-returning functions; and the way back of errors.
//!
//! A function of its arguments alone runs without a lock. One that reads the [`Context`] takes the connection's mutex, which
//! nobody else holds while a statement runs. Everything is "innocuous", so that it may be used in CHECK, in generated
//! columns and in indexes under `trusted_schema = off`.
//!
//! A panic in any of them is an error of the statement: see [`panics`].
//!
//! SQLite's own functions that would give each replica another answer (clocks, dice, counters, versions) are overridden:
//! `random` draws from the context, the others refuse.

use super::arg::{blob, int, invalid};
use super::records::MAX_COLUMNS;
use super::{Accumulator, Aggregate, Collation, Context, Scalar, arrays, datetime, numeric, regex};
use crate::error::{SqlError, SqlResult};
use crate::meter;
use crate::panics;
use crate::types::record;
use crate::value::{Value, ValueRef};
use parking_lot::Mutex;
use rusqlite::Connection;
use rusqlite::ffi;
use rusqlite::functions::{self as sqlite, FunctionFlags};
use rusqlite::types::{ToSql, ToSqlOutput};
use rusqlite::vtab::{
    Context as ColumnContext, Filters, IndexConstraintOp, IndexInfo, Module, VTab, VTabConfig, VTabConnection,
    VTabCursor,
};
use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::ffi::{CStr, CString, c_int};
use std::marker::PhantomData;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, LazyLock};

/// Begins the text of an error of ours where SQLite carries it; no message of SQLite's contains it.
const MARK: &str = "\u{1}quorate:";

/// Functions of SQLite's whose answer depends on the moment, the connection or the build.
const DENIED: &[&str] = &[
    "changes",
    "current_date",
    "current_time",
    "current_timestamp",
    "date",
    "datetime",
    "julianday",
    "last_insert_rowid",
    "load_extension",
    "randomblob",
    "sqlite_compileoption_get",
    "sqlite_compileoption_used",
    "sqlite_log",
    "sqlite_offset",
    "sqlite_source_id",
    "sqlite_version",
    "strftime",
    "time",
    "timediff",
    "total_changes",
    "unixepoch",
];

/// Registers everything on a connection. `ctx` is what its functions see: fill it before each statement.
///
/// Errors: SQLite's, out of memory or a connection with statements under way.
pub fn register(conn: &Connection, ctx: &Arc<Mutex<Context>>) -> rusqlite::Result<()> {
    for f in super::scalars() {
        register_scalar(conn, f, ctx)?;
    }
    for a in super::aggregates() {
        register_aggregate(conn, a, a.args, false, ctx)?;
        if a.args != 1 {
            // With DISTINCT, SQLite takes one argument only.
            register_aggregate(conn, a, 1, true, ctx)?;
        }
        register_distinct(conn, a, ctx)?;
    }
    for Collation { name, compare } in super::collations() {
        // There is no way to report an error: what cannot be compared is in the order of its bytes.
        conn.create_collation(*name, |a, b| panics::catch(|| compare(a, b)).unwrap_or_else(|| a.cmp(b)))?;
    }
    for module in SETS {
        const MODULE: Module<'_, SetTable> = Module::eponymous_only_module();
        conn.create_module(module.name, &MODULE, Some(module))?;
    }
    super::builtin::register(conn)?;
    conn.create_scalar_function("q_pack", -1, PURE, |c| transient("q_pack", || pack(c)).map(Out).map_err(carry))?;
    for name in DENIED {
        conn.create_scalar_function(*name, -1, CONTEXTUAL, move |_| -> rusqlite::Result<Out> {
            Err(carry(SqlError::unsupported(format!("SQLite's function {name}()"))))
        })?;
    }
    let dice = ctx.clone();
    conn.create_scalar_function("random", 0, CONTEXTUAL, move |_| Ok(dice.lock().random() as i64))
}

const CONTEXTUAL: FunctionFlags = FunctionFlags::SQLITE_UTF8.union(FunctionFlags::SQLITE_INNOCUOUS);
const PURE: FunctionFlags = CONTEXTUAL.union(FunctionFlags::SQLITE_DETERMINISTIC);

/// An error in a form that comes out of SQLite as it went in: see [`decode_error`].
pub fn encode_error(error: &SqlError) -> String {
    // The type has nothing that JSON could refuse.
    format!("{MARK}{}", serde_json::to_string(error).unwrap_or_default())
}

/// The error that a function of ours raised, from SQLite's error message; `None` if the message is SQLite's own.
pub fn decode_error(message: &str) -> Option<SqlError> {
    let (_, json) = message.split_once(MARK)?;
    serde_json::from_str(json).ok()
}

/// Units of work of any call.
const CALL: usize = 8;
/// Bytes that a function reads or writes in a unit of work.
const BYTES_PER_UNIT: usize = 64;

/// Counts the bytes of arguments.
fn read(args: &[ValueRef<'_>]) -> SqlResult<()> {
    let bytes: usize = args.iter().map(size).sum();
    if bytes < BYTES_PER_UNIT { Ok(()) } else { meter::work(bytes / BYTES_PER_UNIT) }
}

fn size(value: &ValueRef<'_>) -> usize {
    match value {
        ValueRef::Text(text) => text.len(),
        ValueRef::Blob(blob) => blob.len(),
        _ => 0,
    }
}

/// Counts a result, which is copied once more on its way to SQLite.
fn written(value: Value) -> SqlResult<Value> {
    let bytes = size(&value.as_ref());
    if bytes >= BYTES_PER_UNIT {
        meter::work(bytes / BYTES_PER_UNIT)?;
        meter::hold(bytes)?;
    }
    Ok(value)
}

/// The result of a call that keeps nothing: what it held meanwhile is given back.
fn transient<T>(name: &str, call: impl FnOnce() -> SqlResult<T>) -> SqlResult<T> {
    let held = meter::held();
    let result = guarded(name, call);
    meter::release_to(held);
    result
}

/// The result of a call of one of our functions; its panic is an error, with a text that does not depend on the machine.
fn guarded<T>(name: &str, call: impl FnOnce() -> SqlResult<T>) -> SqlResult<T> {
    meter::work(CALL)?;
    panics::catch(call).unwrap_or_else(|| {
        Err(SqlError::internal(format!("the function {name} failed on these arguments"))
            .hint("This is a mistake in the server, not in the statement: please report it with the arguments."))
    })
}

/// An error on its way through rusqlite.
fn carry(error: SqlError) -> rusqlite::Error {
    rusqlite::Error::UserFunctionError(encode_error(&error).into())
}

/// A value on its way to SQLite.
pub(super) struct Out(pub Value);

impl ToSql for Out {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        use rusqlite::types::ValueRef as Raw;
        Ok(ToSqlOutput::Borrowed(match &self.0 {
            Value::Null => Raw::Null,
            Value::Int(v) => Raw::Integer(*v),
            Value::Real(v) => Raw::Real(*v),
            Value::Text(v) => Raw::Text(v.as_bytes()),
            Value::Blob(v) => Raw::Blob(v),
        }))
    }
}

fn value(raw: rusqlite::types::ValueRef<'_>) -> SqlResult<ValueRef<'_>> {
    use rusqlite::types::ValueRef as Raw;
    Ok(match raw {
        Raw::Null => ValueRef::Null,
        Raw::Integer(v) => ValueRef::Int(v),
        Raw::Real(v) => ValueRef::Real(v),
        Raw::Text(v) => ValueRef::Text(
            std::str::from_utf8(v).map_err(|e| SqlError::internal(format!("a stored text is not UTF-8: {e}")))?,
        ),
        Raw::Blob(v) => ValueRef::Blob(v),
    })
}

/// Up to this many arguments are gathered without allocating.
const FEW: usize = 6;

/// Calls `f` with the arguments.
fn with_args<T>(c: &sqlite::Context<'_>, f: impl FnOnce(&[ValueRef<'_>]) -> SqlResult<T>) -> SqlResult<T> {
    if c.len() <= FEW {
        let mut few = [ValueRef::Null; FEW];
        for (i, slot) in few.iter_mut().enumerate().take(c.len()) {
            *slot = value(c.get_raw(i))?;
        }
        f(&few[..c.len()])
    } else {
        let many: Vec<ValueRef<'_>> = (0..c.len()).map(|i| value(c.get_raw(i))).collect::<SqlResult<_>>()?;
        f(&many)
    }
}

thread_local! {
    /// What functions get that do not look at it.
    static NO_CONTEXT: RefCell<Context> = RefCell::new(Context::default());
}

fn register_scalar(conn: &Connection, f: &'static Scalar, ctx: &Arc<Mutex<Context>>) -> rusqlite::Result<()> {
    let (name, strict, call) = (f.name, f.strict, f.call);
    let skip = move |args: &[ValueRef<'_>]| strict && args.iter().any(|a| a.is_null());
    if f.deterministic {
        return conn.create_scalar_function(f.name, f.args, PURE, move |c| {
            with_args(c, |args| match skip(args) {
                true => Ok(Value::Null),
                false => transient(name, || {
                    NO_CONTEXT.with_borrow_mut(|none| read(args).and_then(|()| call(none, args)).and_then(written))
                }),
            })
            .map(Out)
            .map_err(carry)
        });
    }
    let ctx = ctx.clone();
    conn.create_scalar_function(f.name, f.args, CONTEXTUAL, move |c| {
        with_args(c, |args| match skip(args) {
            true => Ok(Value::Null),
            false => transient(name, || read(args).and_then(|()| call(&mut ctx.lock(), args)).and_then(written)),
        })
        .map(Out)
        .map_err(carry)
    })
}

/// An aggregate as rusqlite wants it.
struct Registered {
    name: &'static str,
    init: fn() -> Box<dyn Accumulator>,
    /// The one argument holds all of them, packed.
    packed: bool,
    distinct: bool,
    ctx: Arc<Mutex<Context>>,
}

/// An accumulator, and the bytes that it holds.
type State = AssertUnwindSafe<(Box<dyn Accumulator>, u64)>;

fn register_aggregate(
    conn: &Connection,
    a: &'static Aggregate,
    args: i32,
    packed: bool,
    ctx: &Arc<Mutex<Context>>,
) -> rusqlite::Result<()> {
    conn.create_window_function(
        a.name,
        args,
        CONTEXTUAL,
        Registered { name: a.name, init: a.init, packed, distinct: false, ctx: ctx.clone() },
    )
}

/// An aggregate of different values, as `name_distinct`: what they are told apart by is its first argument.
fn register_distinct(conn: &Connection, a: &'static Aggregate, ctx: &Arc<Mutex<Context>>) -> rusqlite::Result<()> {
    let args = if a.args < 0 { a.args } else { a.args + 1 };
    let registered = Registered { name: a.name, init: a.init, packed: false, distinct: true, ctx: ctx.clone() };
    conn.create_window_function(format!("{}_distinct", a.name).as_str(), args, CONTEXTUAL, registered)
}

/// Passes on the first arguments with each key.
struct Distinct {
    seen: BTreeSet<Vec<u8>>,
    inner: Box<dyn Accumulator>,
}

impl Accumulator for Distinct {
    fn step(&mut self, ctx: &mut Context, args: &[ValueRef<'_>]) -> SqlResult<()> {
        let [ValueRef::Blob(key), rest @ ..] = args else {
            return Err(SqlError::internal("an aggregate of different values without a key"));
        };
        if self.seen.contains(*key) {
            return Ok(());
        }
        meter::hold(key.len() + 64)?;
        self.seen.insert(key.to_vec());
        self.inner.step(ctx, rest)
    }
    fn inverse(&mut self, _: &mut Context, _: &[ValueRef<'_>]) -> SqlResult<()> {
        Err(SqlError::unsupported("DISTINCT for window functions"))
    }
    fn value(&mut self, ctx: &mut Context) -> SqlResult<Value> {
        self.inner.value(ctx)
    }
}

impl Registered {
    fn new_state(&self) -> Box<dyn Accumulator> {
        let inner = (self.init)();
        if self.distinct { Box::new(Distinct { seen: BTreeSet::new(), inner }) } else { inner }
    }

    fn with_args(
        &self,
        c: &sqlite::Context<'_>,
        f: impl FnOnce(&mut Context, &[ValueRef<'_>]) -> SqlResult<()>,
    ) -> rusqlite::Result<()> {
        let all = |args: &[ValueRef<'_>]| match (self.packed, args) {
            (true, [ValueRef::Blob(packed)]) => f(&mut self.ctx.lock(), &unpack(packed)?),
            (true, _) => Err(SqlError::internal("an aggregate over several arguments was given one")),
            (false, args) => f(&mut self.ctx.lock(), args),
        };
        with_args(c, |args| guarded(self.name, || read(args).and_then(|()| all(args)))).map_err(carry)
    }
}

impl sqlite::Aggregate<State, Out> for Registered {
    fn init(&self, _: &mut sqlite::Context<'_>) -> rusqlite::Result<State> {
        Ok(AssertUnwindSafe((self.new_state(), 0)))
    }
    fn step(&self, c: &mut sqlite::Context<'_>, state: &mut State) -> rusqlite::Result<()> {
        let (accumulator, kept) = &mut **state;
        let held = meter::held();
        let result = self.with_args(c, |ctx, args| accumulator.step(ctx, args));
        *kept += meter::held().saturating_sub(held);
        result
    }
    fn finalize(&self, _: &mut sqlite::Context<'_>, state: Option<State>) -> rusqlite::Result<Out> {
        let (mut accumulator, kept) = state.map_or_else(|| (self.new_state(), 0), |s| s.0);
        let result = transient(self.name, || accumulator.value(&mut self.ctx.lock()).and_then(written));
        meter::release(kept);
        result.map(Out).map_err(carry)
    }
}

impl sqlite::WindowAggregate<State, Out> for Registered {
    fn value(&self, state: Option<&mut State>) -> rusqlite::Result<Out> {
        transient(self.name, || {
            let ctx = &mut self.ctx.lock();
            match state {
                Some(state) => state.0.0.value(ctx),
                None => self.new_state().value(ctx),
            }
        })
        .map(Out)
        .map_err(carry)
    }
    fn inverse(&self, c: &mut sqlite::Context<'_>, state: &mut State) -> rusqlite::Result<()> {
        self.with_args(c, |ctx, args| state.0.0.inverse(ctx, args))
    }
}

/// Several values as one: equal exactly if all of them are.
fn pack(c: &sqlite::Context<'_>) -> SqlResult<Value> {
    with_args(c, |args| {
        let mut out = Vec::new();
        let mut sized = |tag: u8, bytes: &[u8]| {
            out.push(tag);
            out.extend((bytes.len() as u64).to_le_bytes());
            out.extend(bytes);
        };
        for arg in args {
            match arg {
                ValueRef::Null => sized(0, &[]),
                ValueRef::Int(v) => sized(1, &v.to_le_bytes()),
                ValueRef::Real(v) => sized(2, &v.to_bits().to_le_bytes()),
                ValueRef::Text(v) => sized(3, v.as_bytes()),
                ValueRef::Blob(v) => sized(4, v),
            }
        }
        Ok(Value::Blob(out))
    })
}

pub(super) fn unpack(mut bytes: &[u8]) -> SqlResult<Vec<ValueRef<'_>>> {
    let broken = || SqlError::internal("packed arguments are damaged");
    let mut values = Vec::new();
    while let Some((tag, tail)) = bytes.split_first() {
        let (length, tail) = tail.split_first_chunk::<8>().ok_or_else(broken)?;
        let (body, tail) = tail.split_at_checked(u64::from_le_bytes(*length) as usize).ok_or_else(broken)?;
        let eight = || <[u8; 8]>::try_from(body).map_err(|_| broken());
        values.push(match tag {
            0 => ValueRef::Null,
            1 => ValueRef::Int(i64::from_le_bytes(eight()?)),
            2 => ValueRef::Real(f64::from_bits(u64::from_le_bytes(eight()?))),
            3 => ValueRef::Text(std::str::from_utf8(body).map_err(|_| broken())?),
            _ => ValueRef::Blob(body),
        });
        bytes = tail;
    }
    Ok(values)
}

/// A set-returning function: a virtual table that exists by its name alone, with hidden columns for arguments.
pub struct SetFunction {
    pub name: &'static str,
    /// The declaration: two columns, the value and the row's number from 1; then one hidden column per argument. Empty for
    /// `q_rows`, which has [`MAX_COLUMNS`] in the place of the first.
    declaration: &'static CStr,
    pub args: usize,
    /// The rows for arguments none of which is NULL (then there are none).
    rows: fn(&[ValueRef<'_>]) -> SqlResult<Rows>,
}

/// The set-returning functions.
pub static SETS: &[SetFunction] = &[
    SetFunction {
        name: "q_generate_series",
        declaration: c"CREATE TABLE x(value, ordinality, start HIDDEN, stop HIDDEN, step HIDDEN)",
        args: 3,
        rows: |a| match int(a, 2)? {
            0 => Err(invalid("step size cannot equal zero")),
            step => Ok(Rows::Series { next: Some(int(a, 0)?), stop: int(a, 1)?, step }),
        },
    },
    SetFunction {
        name: "q_series_num",
        declaration: c"CREATE TABLE x(value, ordinality, start HIDDEN, stop HIDDEN, step HIDDEN)",
        args: 3,
        rows: |a| Ok(Rows::Stream(Box::new(numeric::series(a)?))),
    },
    SetFunction {
        name: "q_series_ts",
        declaration: c"CREATE TABLE x(value, ordinality, start HIDDEN, stop HIDDEN, step HIDDEN)",
        args: 3,
        rows: |a| Ok(Rows::Stream(Box::new(datetime::series(a)?))),
    },
    SetFunction {
        name: "q_series_tstz",
        declaration: c"CREATE TABLE x(value, ordinality, start HIDDEN, stop HIDDEN, step HIDDEN, zone HIDDEN)",
        args: 4,
        rows: |a| Ok(Rows::Stream(Box::new(datetime::series(a)?))),
    },
    SetFunction {
        name: "q_unnest",
        declaration: c"CREATE TABLE x(value, ordinality, array HIDDEN)",
        args: 1,
        rows: |a| arrays::elements(a, 0).map(Rows::list),
    },
    SetFunction {
        name: "q_rows",
        declaration: c"",
        args: 1,
        rows: |a| record::Rows::read(blob(a, 0)?).map(Rows::Table),
    },
    SetFunction {
        name: "q_regexp_matches",
        declaration: c"CREATE TABLE x(value, ordinality, text HIDDEN, pattern HIDDEN, flags HIDDEN)",
        args: 3,
        rows: |a| regex::all_matches(a).map(Rows::list),
    },
];

/// Rows still to come.
enum Rows {
    Series {
        next: Option<i64>,
        stop: i64,
        step: i64,
    },
    List(std::vec::IntoIter<Value>),
    /// Of several columns.
    Table(record::Rows),
    /// Computed one after the other.
    Stream(Box<dyn Iterator<Item = SqlResult<Value>> + Send>),
}

impl Rows {
    fn list(values: Vec<Value>) -> Rows {
        Rows::List(values.into_iter())
    }
}

impl Iterator for Rows {
    type Item = SqlResult<Value>;
    fn next(&mut self) -> Option<SqlResult<Value>> {
        match self {
            Rows::Table(_) => Some(Err(SqlError::internal("rows of several columns are taken as values"))),
            Rows::Stream(values) => values.next(),
            Rows::List(values) => values.next().map(Ok),
            Rows::Series { next, stop, step } => {
                let v = next.filter(|v| if *step > 0 { v <= stop } else { v >= stop })?;
                *next = v.checked_add(*step);
                Some(Ok(Value::Int(v)))
            }
        }
    }
}

/// The declaration of `q_rows`.
static TABLE: LazyLock<CString> = LazyLock::new(|| {
    let columns: Vec<String> = (1..=MAX_COLUMNS).map(|n| format!("c{n}")).collect();
    CString::new(format!("CREATE TABLE x({}, ordinality, list HIDDEN)", columns.join(", "))).unwrap_or_default()
});

impl SetFunction {
    fn is_table(&self) -> bool {
        self.declaration.is_empty()
    }

    /// Columns before the arguments.
    fn visible(&self) -> c_int {
        if self.is_table() { MAX_COLUMNS as c_int + 1 } else { 2 }
    }
}

#[repr(C)]
struct SetTable {
    /// SQLite's part; must be first.
    base: ffi::sqlite3_vtab,
    function: &'static SetFunction,
}

// SAFETY: `repr(C)` with `sqlite3_vtab` as the first field.
unsafe impl<'vtab> VTab<'vtab> for SetTable {
    type Aux = &'static SetFunction;
    type Cursor = SetCursor<'vtab>;

    fn connect(
        db: &mut VTabConnection,
        aux: Option<&Self::Aux>,
        _module: &[u8],
        _database: &[u8],
        _table: &[u8],
        _args: &[&[u8]],
    ) -> rusqlite::Result<(Cow<'static, CStr>, Self)> {
        let function = *aux.ok_or_else(|| carry(SqlError::internal("a set function without a definition")))?;
        db.config(VTabConfig::Innocuous)?;
        let declaration: &'static CStr = if function.is_table() { &TABLE } else { function.declaration };
        Ok((Cow::Borrowed(declaration), SetTable { base: ffi::sqlite3_vtab::default(), function }))
    }

    /// There is one plan: all arguments by equality. Where one is not yet known, the loops must go in another order.
    fn best_index(&self, info: &mut IndexInfo) -> rusqlite::Result<bool> {
        let mut found = vec![None; self.function.args];
        let visible = self.function.visible();
        for (i, constraint) in info.constraints().enumerate() {
            if constraint.column() < visible || constraint.operator() != IndexConstraintOp::SQLITE_INDEX_CONSTRAINT_EQ {
                continue;
            }
            let argument = (constraint.column() - visible) as usize;
            if constraint.is_usable() {
                found[argument] = Some(i);
            }
        }
        if found.iter().any(Option::is_none) {
            return Ok(false);
        }
        for (argument, constraint) in found.into_iter().flatten().enumerate() {
            let mut usage = info.constraint_usage(constraint);
            usage.set_argv_index(argument as c_int + 1);
            usage.set_omit(true);
        }
        info.set_estimated_cost(10.0);
        info.set_estimated_rows(10);
        Ok(true)
    }

    fn open(&'vtab mut self) -> rusqlite::Result<SetCursor<'vtab>> {
        Ok(SetCursor {
            base: ffi::sqlite3_vtab_cursor::default(),
            function: self.function,
            rows: Rows::list(vec![]),
            current: None,
            cells: Vec::new(),
            number: 0,
            kept: 0,
            table: PhantomData,
        })
    }
}

#[repr(C)]
struct SetCursor<'vtab> {
    /// SQLite's part; must be first.
    base: ffi::sqlite3_vtab_cursor,
    function: &'static SetFunction,
    rows: Rows,
    current: Option<Value>,
    /// The values of the current row, where there are several.
    cells: Vec<Value>,
    /// Of the current row, from 1.
    number: i64,
    /// Bytes that the rows hold.
    kept: u64,
    table: PhantomData<&'vtab SetTable>,
}

impl Drop for SetCursor<'_> {
    fn drop(&mut self) {
        meter::release(self.kept);
    }
}

// SAFETY: `repr(C)` with `sqlite3_vtab_cursor` as the first field.
unsafe impl VTabCursor for SetCursor<'_> {
    fn filter(&mut self, _: c_int, _: Option<&str>, args: &Filters<'_>) -> rusqlite::Result<()> {
        let args = args.iter().map(value).collect::<SqlResult<Vec<_>>>().map_err(carry)?;
        self.rows = Rows::list(vec![]);
        meter::release(std::mem::take(&mut self.kept));
        let held = meter::held();
        self.rows = match args.iter().any(|a| a.is_null()) {
            true => Rows::list(vec![]),
            false => {
                guarded(self.function.name, || read(&args).and_then(|()| (self.function.rows)(&args))).map_err(carry)?
            }
        };
        self.kept = meter::held().saturating_sub(held);
        self.number = 0;
        self.next()
    }

    fn next(&mut self) -> rusqlite::Result<()> {
        let (rows, cells) = (&mut self.rows, &mut self.cells);
        let next = || match rows {
            Rows::Table(rows) => Ok(rows.next(cells)?.then_some(Value::Null)),
            rows => rows.next().transpose(),
        };
        self.current = guarded(self.function.name, next).map_err(carry)?;
        self.number += 1;
        Ok(())
    }

    fn eof(&self) -> bool {
        self.current.is_none()
    }

    fn column(&self, c: &mut ColumnContext, i: c_int) -> rusqlite::Result<()> {
        if self.function.is_table() {
            return match i as usize {
                MAX_COLUMNS => c.set_result(self.number),
                at => c.set_result(Out(self.cells.get(at).cloned().unwrap_or_default())),
            };
        }
        match (i, &self.current) {
            (0, Some(value)) => c.set_result(Out(value.clone())),
            (1, _) => c.set_result(self.number),
            // Arguments are never asked back: their constraints are omitted.
            _ => c.set_result(Out(Value::Null)),
        }
    }

    fn rowid(&self) -> rusqlite::Result<i64> {
        Ok(self.number)
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;

#[cfg(test)]
#[path = "worst.rs"]
mod worst;
