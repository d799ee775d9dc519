//! Advisory locks in the database file: what [`Table`] says of them, stored as it changes.

use super::apply::{Machine, Stop};
use super::connection::Connection;
use super::meta::{int, unsigned};
use super::statement::Fault;
use crate::command::{AdvisoryKey, AdvisoryOrder, Holder, Outcome, StepOutcome};
use crate::error::SqlError;
use crate::id::NodeId;
use crate::locks::advisory::{Entry, Table, Told};
use crate::value::{Value, ValueRef};
use std::collections::BTreeMap;

/// What stands for a class where a session has temporary objects: no class is as large.
const TEMPORARY: i64 = 1 << 40;

/// Reads what is stored.
pub(super) fn load(connection: &mut Connection) -> Result<Table, Fault> {
    let sql = "SELECT class, key, number, session, node, shared, xact, fence FROM _quorate_advisory ORDER BY class, key, place";
    let mut entries = Vec::new();
    for row in connection.query(sql, &[])? {
        let number = |at: usize| unsigned(&row[at]);
        let key = match &row[0] {
            Value::Null => AdvisoryKey::One(number(1)? as i64),
            Value::Int(TEMPORARY) => AdvisoryKey::Temporary(number(1)?),
            class => AdvisoryKey::Two(unsigned(class)? as i32, number(1)? as i32),
        };
        let fence = if row[7].is_null() { None } else { Some(number(7)?) };
        let holder = Holder { session: number(3)?, node: NodeId(number(4)?) };
        let (shared, transaction) = (number(5)? != 0, number(6)? != 0);
        entries.push((key, Entry { number: number(2)?, holder, shared, transaction, fence }));
    }
    let last = connection.query("SELECT number FROM _quorate_advisory_last", &[])?;
    let last = last.first().map_or(Ok(0), |row| unsigned(&row[0]))?;
    let lost = connection.query("SELECT session, idx FROM _quorate_lost", &[])?;
    let lost: Result<BTreeMap<u64, u64>, Fault> =
        lost.iter().map(|row| Ok((unsigned(&row[0])?, unsigned(&row[1])?))).collect();
    Ok(Table::restore(last, entries, lost?))
}

/// Applies [`Command::Advisory`](crate::command::Command::Advisory).
pub(super) fn order(machine: &mut Machine, holder: Holder, order: &AdvisoryOrder) -> Result<Outcome, Stop> {
    let result = machine.advisory.order(holder, order);
    store(machine)?;
    Ok(match result {
        Ok(told) => {
            let row = match told {
                Told::Granted { number, fence } => [1, number, fence],
                Told::Queued { number } => [2, number, 0],
                Told::No => [0, 0, 0],
            };
            let rows = vec![row.iter().map(|n| Value::Int(*n as i64)).collect()];
            Outcome::Done(vec![StepOutcome { count: 1, rows, drawn: Vec::new() }])
        }
        Err(error) => Outcome::Failed { step: 0, error },
    })
}

/// Applies [`Command::LoseSessions`](crate::command::Command::LoseSessions).
pub(super) fn lose(machine: &mut Machine, sessions: &[u64], index: u64) -> Result<Outcome, Stop> {
    let lost = machine.advisory.lose(sessions, index);
    for session in &lost {
        machine.fold.number(*session);
        let connection = &mut machine.runner.connection;
        connection.run("INSERT OR REPLACE INTO _quorate_lost VALUES (?1, ?2)", &[int(*session), int(index)])?;
    }
    machine.lost.extend(lost);
    store(machine)?;
    Ok(Outcome::Done(Vec::new()))
}

/// Forgets lost sessions whose requests the log would refuse as too old.
pub(super) fn forget(machine: &mut Machine, forgotten: u64) -> Result<(), Fault> {
    if !machine.advisory.lost().is_empty() && machine.advisory.forget_lost(forgotten) {
        machine.runner.connection.run("DELETE FROM _quorate_lost WHERE idx < ?1", &[int(forgotten)])?;
    }
    Ok(())
}

/// Writes the keys that have changed.
fn store(machine: &mut Machine) -> Result<(), Fault> {
    let connection = &mut machine.runner.connection;
    let changed = machine.advisory.take_changed();
    if changed.is_empty() {
        return Ok(());
    }
    connection.run("INSERT OR REPLACE INTO _quorate_advisory_last VALUES (1, ?1)", &[int(machine.advisory.last())])?;
    for key in changed {
        let (class, number) = match key {
            AdvisoryKey::One(key) => (ValueRef::Null, ValueRef::Int(key)),
            AdvisoryKey::Two(class, key) => (ValueRef::Int(class.into()), ValueRef::Int(key.into())),
            AdvisoryKey::Temporary(session) => (ValueRef::Int(TEMPORARY), int(session)),
        };
        connection.run("DELETE FROM _quorate_advisory WHERE key = ?2 AND class IS ?1", &[class, number])?;
        for (place, entry) in (0u64..).zip(machine.advisory.entries(key)) {
            let Entry { holder, shared, transaction, fence, .. } = *entry;
            let (shared, transaction) = (u64::from(shared), u64::from(transaction));
            let fence = fence.map_or(ValueRef::Null, int);
            [entry.number, holder.session, shared].into_iter().for_each(|n| machine.fold.number(n));
            connection.run(
                "INSERT INTO _quorate_advisory VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
                &[
                    class,
                    number,
                    int(place),
                    int(entry.number),
                    int(holder.session),
                    int(holder.node.0),
                    int(shared),
                    int(transaction),
                    fence,
                ],
            )?;
        }
        machine.touched.insert(key);
    }
    Ok(())
}

/// The answer to a request of a session that was lost.
pub(super) fn refuse() -> Outcome {
    let error: SqlError = crate::locks::advisory::lost();
    Outcome::Failed { step: 0, error }
}
