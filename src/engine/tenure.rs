//! Which transactions have had their locks without a gap: what the log says of it.
//!
//! Locks are the leader's, in memory. A [`Tenure`] is a time in which one lock table is in force; its first entry lists what
//! transactions claim from before it. A claim holds if the transaction's locks were in force in the tenure before: it got
//! them there, or its claim held there, and they were not taken away. So whoever was not listed once, because its gateway
//! was not heard, never gets its locks back; and one that has been committed needs them no more.

use super::apply::{Machine, Site, Stop};
use super::meta::{int, unsigned};
use super::statement::Fault;
use crate::command::{Claim, Outcome, StepOutcome, Tenure};
use crate::error::SqlError;
use crate::id::RequestId;
use crate::value::Value;

/// Applies [`Command::Tenure`](crate::command::Command::Tenure).
pub(super) fn begin(machine: &mut Machine, tenure: Tenure, claims: &[Claim], site: &Site) -> Result<Outcome, Stop> {
    let before = current(machine)?;
    if tenure.term != site.term || tenure <= before {
        // Somebody else leads by now.
        return Ok(Outcome::Failed { step: 0, error: SqlError::internal("the tenure is over") });
    }
    let mut hold = Vec::new();
    for (number, claim) in (0..).zip(claims) {
        if machine.memory.find(claim.name).is_none() && holds(machine, claim, before)? {
            hold.push((number, claim.name));
        }
    }
    let connection = &mut machine.runner.connection;
    connection
        .run("INSERT OR REPLACE INTO _quorate_tenure VALUES (1, ?1, ?2)", &[int(tenure.term), int(tenure.round)])?;
    connection.run("DELETE FROM _quorate_claim", &[])?;
    for (_, name) in &hold {
        note(machine, *name, false)?;
    }
    let rows = hold.iter().map(|(number, _)| vec![Value::Int(*number)]).collect();
    Ok(Outcome::Done(vec![StepOutcome { count: hold.len() as u64, rows, drawn: Vec::new() }]))
}

/// Applies [`Command::Void`](crate::command::Command::Void).
pub(super) fn void(machine: &mut Machine, names: &[RequestId]) -> Result<Outcome, Stop> {
    for name in names {
        note(machine, *name, true)?;
    }
    Ok(Outcome::Done(Vec::new()))
}

fn current(machine: &mut Machine) -> Result<Tenure, Fault> {
    let rows = machine.runner.connection.query("SELECT term, round FROM _quorate_tenure", &[])?;
    let tenure = |row: &Vec<Value>| Ok(Tenure { term: unsigned(&row[0])?, round: unsigned(&row[1])? });
    rows.first().map_or(Ok(Tenure::default()), tenure)
}

fn holds(machine: &mut Machine, claim: &Claim, before: Tenure) -> Result<bool, Fault> {
    let name = [int(claim.name.origin), int(claim.name.seq)];
    let sql = "SELECT void FROM _quorate_claim WHERE origin = ?1 AND seq = ?2";
    let listed = machine.runner.connection.query(sql, &name)?;
    Ok(match listed.first().map(|row| &row[0]) {
        Some(void) => *void == Value::Int(0),
        None => claim.since == before,
    })
}

fn note(machine: &mut Machine, name: RequestId, void: bool) -> Result<(), Fault> {
    [name.origin, name.seq, void.into()].into_iter().for_each(|n| machine.fold.number(n));
    machine.runner.connection.run(
        "INSERT OR REPLACE INTO _quorate_claim VALUES (?1, ?2, ?3)",
        &[int(name.origin), int(name.seq), int(void.into())],
    )
}
