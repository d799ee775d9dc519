//! `q_nextval(oid)` and `q_setval(oid, value, is_called)`: sequences, as SQL functions.
//!
//! Where the next value comes from depends on where the statement runs ([`SequenceSource`]): at apply from the table
//! `"pg_catalog.pg_sequence"`, at replay from the log, in a fork from outside, in a read from nowhere. Every value drawn
//! is recorded in [`Context::drawn`]. As in Postgres a draw is not undone with its statement; see
//! [`super::apply`].

use super::digest::Moved;
use super::statement::{Fault, Statement};
use crate::error::{SqlError, SqlResult, state};
use crate::functions::{Context, SequenceSource};
use crate::value::Value;
use parking_lot::Mutex;
use rusqlite::ffi;
use rusqlite::functions::FunctionFlags;
use std::sync::Arc;

const READ: &str = "SELECT last_value, is_called, seqincrement, seqmin, seqmax, seqcycle \
                    FROM \"pg_catalog.pg_sequence\" WHERE seqrelid = ?1";
const WRITE: &str = "UPDATE \"pg_catalog.pg_sequence\" SET last_value = ?2, is_called = ?3 WHERE seqrelid = ?1";
const NAME: &str = "SELECT relname FROM \"pg_catalog.pg_class\" WHERE oid = ?1";

/// The statements behind the functions of one connection, prepared at first use.
pub struct Sequences {
    db: *mut ffi::sqlite3,
    /// Positions stored since the list was last taken: (OID, value, is_called), one per sequence. Such a write is no part
    /// of the calling statement: it stays when the statement fails.
    pub touched: Vec<(u32, i64, bool)>,
    moved: Moved,
    read: Option<Statement>,
    write: Option<Statement>,
}

// SAFETY: moves between threads only together with its connection.
unsafe impl Send for Sequences {}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct State {
    last: i64,
    called: bool,
    increment: i64,
    min: i64,
    max: i64,
    cycle: bool,
}

/// The next value, or why there is none: the limit that is reached.
fn next(s: &State) -> Result<i64, i64> {
    if !s.called {
        return Ok(s.last);
    }
    match s.last.checked_add(s.increment) {
        Some(next) if (s.min..=s.max).contains(&next) => Ok(next),
        _ if s.cycle => Ok(if s.increment > 0 { s.min } else { s.max }),
        _ => Err(if s.increment > 0 { s.max } else { s.min }),
    }
}

impl Sequences {
    /// Finalizes the statements; the connection is about to close.
    pub fn close(&mut self) {
        self.read = None;
        self.write = None;
    }

    fn query(&self, slot: &mut Option<Statement>, sql: &str, values: &[Value]) -> Result<Option<Vec<Value>>, Fault> {
        if slot.is_none() {
            // SAFETY: `close` runs before the connection closes.
            *slot = Some(unsafe { Statement::prepare(self.db, sql)? });
        }
        let statement = slot.as_mut().expect("just prepared");
        // SAFETY: `values` outlives this function, which resets the statement.
        let result = unsafe { statement.bind(values) }.and_then(|()| match statement.step()? {
            true => statement.row().map(Some).map_err(|e| Fault::error(e.message)),
            false => Ok(None),
        });
        statement.reset();
        result
    }

    fn state(&mut self, oid: u32) -> Result<State, Trouble> {
        let mut slot = self.read.take();
        let row = self.query(&mut slot, READ, &[Value::Int(oid.into())]);
        self.read = slot;
        let row = row?
            .ok_or_else(|| SqlError::new(state::UNDEFINED_TABLE, format!("could not open relation with OID {oid}")))?;
        let int = |i: usize| match row.get(i) {
            Some(Value::Int(v)) => Ok(*v),
            other => Err(SqlError::internal(format!("pg_sequence column {i} of sequence {oid} is {other:?}"))),
        };
        Ok(State {
            last: int(0)?,
            called: int(1)? != 0,
            increment: int(2)?,
            min: int(3)?,
            max: int(4)?,
            cycle: int(5)? != 0,
        })
    }

    /// Stores the position that a draw has led to; a sequence that does not exist is left alone.
    pub fn store(&mut self, oid: u32, value: i64, called: bool) -> Result<(), Fault> {
        let moved = self.moved.clone();
        moved.drawing(|| self.put(oid, value, called))
    }

    fn put(&mut self, oid: u32, value: i64, called: bool) -> Result<(), Fault> {
        self.touched.retain(|(other, ..)| *other != oid);
        self.touched.push((oid, value, called));
        let mut slot = self.write.take();
        let values = [Value::Int(oid.into()), Value::Int(value), Value::Int(called.into())];
        let result = self.query(&mut slot, WRITE, &values);
        self.write = slot;
        result.map(drop)
    }

    fn name(&self, oid: u32) -> String {
        match self.query(&mut None, NAME, &[Value::Int(oid.into())]) {
            Ok(Some(row)) if matches!(row.first(), Some(Value::Text(_))) => match row.into_iter().next() {
                Some(Value::Text(name)) => name,
                _ => oid.to_string(),
            },
            _ => oid.to_string(),
        }
    }

    fn advance(&mut self, oid: u32) -> Result<i64, Trouble> {
        let state = self.state(oid)?;
        let value = next(&state).map_err(|limit| {
            let which = if state.increment > 0 { "maximum" } else { "minimum" };
            SqlError::new(
                state::SEQUENCE_GENERATOR_LIMIT_EXCEEDED,
                format!("nextval: reached {which} value of sequence \"{}\" ({limit})", self.name(oid)),
            )
        })?;
        self.store(oid, value, true)?;
        Ok(value)
    }

    /// A value drawn elsewhere is given out: never give it again. Most were reserved here before, and wherever the
    /// sequence was put meanwhile, it stays. Those of a sequence that the same transaction has made or put somewhere
    /// were not.
    fn pass(&mut self, oid: u32, value: i64) -> Result<(), Trouble> {
        if !self.moved.contains(oid) {
            return Ok(());
        }
        let state = self.state(oid)?;
        let behind = if state.increment > 0 { state.last < value } else { state.last > value };
        if behind || state.last == value && !state.called {
            self.store(oid, value, true)?;
        }
        Ok(())
    }

    fn set(&mut self, oid: u32, value: i64, called: bool) -> Result<i64, Trouble> {
        let state = self.state(oid)?;
        if !(state.min..=state.max).contains(&value) {
            return Err(SqlError::new(
                state::NUMERIC_VALUE_OUT_OF_RANGE,
                format!(
                    "setval: value {value} is out of bounds for sequence \"{}\" ({}..{})",
                    self.name(oid),
                    state.min,
                    state.max
                ),
            )
            .into());
        }
        self.put(oid, value, called)?;
        Ok(value)
    }
}

/// Either an answer for the client, or a failure of SQLite below us, whose class must not get lost.
enum Trouble {
    Sql(SqlError),
    Fault(Fault),
}

impl From<SqlError> for Trouble {
    fn from(error: SqlError) -> Trouble {
        Trouble::Sql(error)
    }
}
impl From<Fault> for Trouble {
    fn from(fault: Fault) -> Trouble {
        Trouble::Fault(fault)
    }
}

fn forbidden(function: &str) -> SqlError {
    SqlError::new(state::READ_ONLY_SQL_TRANSACTION, format!("cannot execute {function}() in a read-only transaction"))
}

enum Source {
    Value(i64),
    Table,
    Outside(Arc<dyn Fn(u32) -> SqlResult<Option<i64>> + Send + Sync>),
}

fn nextval(context: &Mutex<Context>, sequences: &Mutex<Sequences>, oid: u32) -> Result<i64, Trouble> {
    // The lock goes before anything runs: a statement inside may call functions that take it.
    let source = match &mut context.lock().sequences {
        SequenceSource::Forbidden => return Err(forbidden("nextval").into()),
        SequenceSource::Apply => Source::Table,
        SequenceSource::Draw(draw) => Source::Outside(draw.clone()),
        SequenceSource::Replay(values) => match values.pop_front() {
            Some(value) => Source::Value(value),
            // It drew fewer values when it first ran: what it saw has changed.
            None => {
                let message = "could not serialize access due to concurrent update";
                return Err(SqlError::new(state::SERIALIZATION_FAILURE, message).into());
            }
        },
    };
    let value = match source {
        Source::Value(value) => {
            sequences.lock().pass(oid, value)?;
            value
        }
        Source::Table => sequences.lock().advance(oid)?,
        Source::Outside(draw) => match draw(oid)? {
            Some(value) => value,
            None => sequences.lock().advance(oid)?,
        },
    };
    let mut context = context.lock();
    context.drawn.push((oid, value));
    context.nextvals.push(value);
    Ok(value)
}

fn setval(
    context: &Mutex<Context>,
    sequences: &Mutex<Sequences>,
    oid: u32,
    value: i64,
    called: bool,
) -> Result<i64, Trouble> {
    if matches!(context.lock().sequences, SequenceSource::Forbidden) {
        return Err(forbidden("setval").into());
    }
    let value = sequences.lock().set(oid, value, called)?;
    if called {
        context.lock().drawn.push((oid, value));
    }
    Ok(value)
}

/// Registers both functions. An SQL error is left in `raised` with all its fields.
pub fn register(
    raw: &rusqlite::Connection,
    context: &Arc<Mutex<Context>>,
    raised: &Arc<Mutex<Option<SqlError>>>,
    moved: Moved,
) -> Result<Arc<Mutex<Sequences>>, Fault> {
    // SAFETY: the handle is only used while functions of this connection run, or by `Connection`, which closes first.
    let db = unsafe { raw.handle() };
    let sequences = Arc::new(Mutex::new(Sequences { db, touched: Vec::new(), moved, read: None, write: None }));
    let flags = FunctionFlags::SQLITE_UTF8;

    let (c, s, r) = (context.clone(), sequences.clone(), raised.clone());
    raw.create_scalar_function(c"q_nextval", 1, flags, move |args| {
        let Some(oid) = args.get::<Option<u32>>(0)? else { return Ok(None) };
        nextval(&c, &s, oid).map(Some).map_err(|trouble| raise(&r, trouble))
    })?;
    let (c, s, r) = (context.clone(), sequences.clone(), raised.clone());
    raw.create_scalar_function(c"q_setval", 3, flags, move |args| {
        let (oid, value) = (args.get::<Option<u32>>(0)?, args.get::<Option<i64>>(1)?);
        let (Some(oid), Some(value), Some(called)) = (oid, value, args.get::<Option<bool>>(2)?) else {
            return Ok(None);
        };
        setval(&c, &s, oid, value, called).map(Some).map_err(|trouble| raise(&r, trouble))
    })?;
    Ok(sequences)
}

fn raise(raised: &Mutex<Option<SqlError>>, trouble: Trouble) -> rusqlite::Error {
    match trouble {
        Trouble::Sql(error) => {
            let message = error.to_string();
            *raised.lock() = Some(error);
            rusqlite::Error::UserFunctionError(message.into())
        }
        Trouble::Fault(fault) => rusqlite::Error::SqliteFailure(ffi::Error::new(fault.code), Some(fault.message)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn next_values_follow_postgres() {
        let s = State { last: 1, called: false, increment: 1, min: 1, max: 3, cycle: false };
        assert_eq!(next(&s), Ok(1));
        assert_eq!(next(&State { called: true, ..s }), Ok(2));
        assert_eq!(next(&State { called: true, last: 3, ..s }), Err(3));
        assert_eq!(next(&State { called: true, last: 3, cycle: true, ..s }), Ok(1));
        let down = State { last: -1, called: true, increment: -2, min: -4, max: -1, cycle: false };
        assert_eq!(next(&down), Ok(-3));
        assert_eq!(next(&State { last: -3, ..down }), Err(-4));
        assert_eq!(next(&State { last: -3, cycle: true, ..down }), Ok(-1));
        let wide = State { last: i64::MAX, called: true, increment: 1, min: 1, max: i64::MAX, cycle: false };
        assert_eq!(next(&wide), Err(i64::MAX));
    }
}
