//! What can still be learnt where a statement failed: SQLite has undone it and says little.
//!
//! Everything here happens after a failure, inside a savepoint that is rolled back, and leaves no trace: neither rows nor
//! draws nor counted changes. The dialect asks its questions of the state in which the statement failed, with the
//! statement's own parameters, dice and sequence values; so the answers are the same on every replica.
//!
//! Where a foreign key failed, the statement is first run again with the checks put off, and the rows that it changes are
//! noted. At the end of a command that is not possible; whoever runs commands runs it again in the same manner
//! ([`Runner::explain_end`]).

use super::digest::{Kept, Operation, Touched};
use super::statement::Fault;
use super::step::{Runner, StepError};
use crate::command::{Statement, Yields};
use crate::error::SqlError;
use crate::functions::{Context, SequenceSource};
use crate::sql::catalog::Catalog;
use crate::sql::violation::{Ask, Broken, Change, Failure};
use crate::types::Env;
use crate::value::Value;
use rusqlite::ffi;

/// Changed rows that are remembered to find a broken reference among them. Beyond, whole tables are looked through.
pub const CHANGES: usize = 10_000;

const SCENE: &str = "q_scene";

impl Runner {
    /// An error for the client, if the failure is the statement's and not the machine's.
    pub fn explain(&mut self, mut fault: Fault, statement: &Statement, set: &[Value]) -> StepError {
        let sql = &*statement.sql;
        if fault.code == ffi::SQLITE_CONSTRAINT_TRIGGER && fault.message.starts_with("FOREIGN KEY") {
            // SQLite makes a trigger of ON DELETE RESTRICT.
            fault.code = ffi::SQLITE_CONSTRAINT_FOREIGNKEY;
        }
        let raised = self.connection.take_raised();
        if !fault.is_deterministic() {
            return StepError::Machine(fault);
        }
        let raised = raised.or_else(|| (self.dialect.decode_error)(&fault.message));
        if let Some(error) = raised.as_ref().filter(|error| !is_violation(error)) {
            return StepError::Sql(error.clone());
        }
        let catalog = match self.catalog() {
            Ok(catalog) => catalog,
            Err(error) => return StepError::Machine(internal(error)),
        };
        let env = self.connection.context().lock().env.clone();
        let violation = raised.is_some() || matches!(fault.primary(), ffi::SQLITE_CONSTRAINT | ffi::SQLITE_MISMATCH);
        if !violation {
            let failure = failure(&fault, statement, &env);
            return StepError::Sql((self.dialect.explain_error)(&catalog, &failure, &mut |_, _| Ok(None)));
        }
        let explained = self.at_the_scene(|runner| {
            let tables = match fault.code {
                ffi::SQLITE_CONSTRAINT_FOREIGNKEY | ffi::SQLITE_MISMATCH => runner.written_tables(&catalog, sql),
                _ => Vec::new(),
            };
            let broken = fault.code == ffi::SQLITE_CONSTRAINT_FOREIGNKEY;
            let (changes, complete) = if broken { runner.again(sql, set)? } else { (Vec::new(), true) };
            let failure =
                Failure { raised, tables: &tables, changes: &changes, complete, ..failure(&fault, statement, &env) };
            let error = runner.ask(&catalog, &failure, set);
            if broken {
                runner.connection.put_off_foreign_keys(false)?;
            }
            error
        });
        explained.map_or_else(StepError::Machine, StepError::Sql)
    }

    /// The error of a foreign key that is broken at the end of a command. The command has just run (again) on this
    /// connection, and what it changed was kept since.
    pub fn explain_end(&mut self, kept: Kept) -> StepError {
        let catalog = match self.catalog() {
            Ok(catalog) => catalog,
            Err(error) => return StepError::Machine(internal(error)),
        };
        let changes: Vec<Change> = kept.touched.unwrap_or_default().into_iter().map(change).collect();
        let fault =
            Fault { code: ffi::SQLITE_CONSTRAINT_FOREIGNKEY, message: "FOREIGN KEY constraint failed".to_owned() };
        let env = self.connection.context().lock().env.clone();
        let nothing = Statement::new("", Yields::Nothing);
        let explained = self.at_the_scene(|runner| {
            let failure = Failure { changes: &changes, complete: kept.complete, ..failure(&fault, &nothing, &env) };
            runner.ask(&catalog, &failure, &[])
        });
        explained.map_or_else(StepError::Machine, StepError::Sql)
    }

    /// The error of one of the foreign keys with these OIDs, if it is violated now: of what was changed since all were
    /// kept.
    pub fn broken_reference(
        &mut self,
        changes: Vec<Touched>,
        complete: bool,
        constraints: &[u32],
    ) -> Result<Option<SqlError>, StepError> {
        let catalog = self.catalog().map_err(StepError::Sql)?;
        let changes: Vec<Change> = changes.into_iter().map(change).collect();
        let env = self.connection.context().lock().env.clone();
        let asked = self.at_the_scene(|runner| {
            let broken = Broken { only: Some(constraints), changes: &changes, complete, env: &env };
            runner.answer(&[], |ask| broken.find(&catalog, ask))
        });
        asked.map_err(StepError::Machine)
    }

    /// Does something of which nothing remains.
    fn at_the_scene<T>(&mut self, f: impl FnOnce(&mut Runner) -> Result<T, Fault>) -> Result<T, Fault> {
        let connection = &mut self.connection;
        let context = connection.context().lock().clone();
        let sequences = connection.take_sequences();
        let changes = connection.changes();
        let (recording, sums) = (changes.is_recording(), changes.sums());
        changes.record(false);
        connection.run(&format!("SAVEPOINT {SCENE}"), &[])?;
        let result = f(self);
        let connection = &mut self.connection;
        connection.take_raised();
        connection.run(&format!("ROLLBACK TO {SCENE}"), &[])?;
        connection.run(&format!("RELEASE {SCENE}"), &[])?;
        connection.changes().record(recording);
        connection.changes().restore(sums);
        connection.put_sequences(sequences);
        *connection.context().lock() = context;
        result
    }

    /// Runs a statement again with the checks of foreign keys put off, which stay so, and returns what it changes.
    fn again(&mut self, sql: &str, set: &[Value]) -> Result<(Vec<Change>, bool), Fault> {
        self.rewind();
        let connection = &mut self.connection;
        connection.put_off_foreign_keys(true)?;
        let others = connection.changes().swap_kept(Kept::up_to(CHANGES));
        let _metered = connection.meter().enter();
        connection.changes().record(true);
        // SAFETY: dropped before this function returns.
        let result = unsafe { connection.prepare(sql) }.and_then(|mut statement| {
            // SAFETY: `set` outlives the statement.
            unsafe { statement.bind(set)? };
            while statement.step()? {}
            Ok(())
        });
        connection.changes().record(false);
        let kept = connection.changes().swap_kept(others);
        match result {
            Err(fault) if !fault.is_deterministic() => Err(fault),
            // What failed the second time has undone itself again: nothing is known.
            Err(_) => Ok((Vec::new(), true)),
            Ok(()) => Ok((kept.touched.unwrap_or_default().into_iter().map(change).collect(), kept.complete)),
        }
    }

    /// Lets the dialect ask. Only a failure of the machine is one: a question that fails otherwise has no answer.
    fn ask(&mut self, catalog: &Catalog, failure: &Failure<'_>, set: &[Value]) -> Result<SqlError, Fault> {
        let explain = self.dialect.explain_error.clone();
        self.answer(set, |ask| explain(catalog, failure, ask))
    }

    fn answer<T>(&mut self, set: &[Value], question: impl FnOnce(Ask<'_>) -> T) -> Result<T, Fault> {
        let mut broken = None;
        let found = question(&mut |sql, values| {
            let result = if broken.is_some() { Ok(None) } else { self.first_row(sql, values.unwrap_or(set)) };
            Ok(match result {
                Ok(row) => row,
                Err(fault) => {
                    broken = Some(fault).filter(|fault| !fault.is_deterministic());
                    None
                }
            })
        });
        broken.map_or(Ok(found), Err)
    }

    fn first_row(&mut self, sql: &str, values: &[Value]) -> Result<Option<Vec<Value>>, Fault> {
        self.rewind();
        let _metered = self.connection.meter().enter();
        let statement = self.connection.statement(sql)?;
        // SAFETY: `values` outlives this function, which resets the statement.
        let result = unsafe { statement.bind(values) }.and_then(|()| match statement.step()? {
            true => statement.row().map(Some).map_err(|error| Fault::error(error.message)),
            false => Ok(None),
        });
        statement.reset();
        result
    }

    /// Functions see again what they saw when the statement began.
    fn rewind(&mut self) {
        let start = self.start;
        let mut context = self.connection.context().lock();
        let Context { seed, sequences, nextvals, lenient, .. } = &mut *context;
        *seed = start.seed;
        let drawn = nextvals.get(start.nextvals..).unwrap_or_default();
        *sequences = SequenceSource::Replay(drawn.iter().copied().collect());
        *lenient = true;
    }

    fn written_tables(&mut self, catalog: &Catalog, sql: &str) -> Vec<u32> {
        let mut tables = Vec::new();
        for name in self.connection.written_tables(sql) {
            // Schema and relation names may have dots of their own.
            let relation = name
                .match_indices('.')
                .find_map(|(dot, _)| catalog.relations.get(&(name[..dot].to_owned(), name[dot + 1..].to_owned())));
            tables.extend(relation.map(|r| r.oid).filter(|oid| !tables.contains(oid)));
        }
        tables
    }
}

/// Class 23: integrity constraint violation.
fn is_violation(error: &SqlError) -> bool {
    error.code.0.starts_with(b"23")
}

fn internal(error: SqlError) -> Fault {
    Fault { code: ffi::SQLITE_INTERNAL, message: error.to_string() }
}

/// What SQLite says, and no more.
fn failure<'a>(fault: &'a Fault, statement: &'a Statement, env: &'a Env) -> Failure<'a> {
    Failure {
        message: &fault.message,
        code: fault.code,
        raised: None,
        sql: &statement.sql,
        shape: &statement.shape,
        tables: &[],
        changes: &[],
        complete: true,
        env,
    }
}

fn change(touched: Touched) -> Change {
    let (before, after) = touched.rowids.unwrap_or_default();
    Change {
        table: touched.table,
        old: (touched.operation != Operation::Insert).then_some(touched.old),
        new: (touched.operation != Operation::Delete).then_some(touched.new),
        rowid: after,
        moved: before != after,
    }
}
