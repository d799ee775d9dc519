//! Live facts of the cluster: the relations `quorate.*`, `pg_locks` and `pg_stat_activity`, and signals to sessions.
//!
//! The facts are JSON that the client's node gathers before the statement runs. They travel with a statement that
//! writes, so that every replica sees the same; a signal is sent by reads only.

use super::arg::{from_text, int, real, text};
use super::privileges::roles as roles_of;
use super::table::*;
use super::{Aggregate, Cast, Context, Function, Operator, Scalar, SequenceSource, Signal};
use crate::error::{SqlError, SqlResult, state};
use crate::meter;
use crate::rights::SIGNAL_BACKEND;
use crate::types::interval::Interval;
use crate::value::{Value, ValueRef};
use std::time::Duration;

/// A signal to a session, by whoever may send it.
macro_rules! signal {
    ($which:literal) => {
        concat!("q_signal({0}, ", $which, ", q_current_user(), q_live('sessions'), ", roles!(), ")")
    };
}

pub const FUNCTIONS: &[Function] = &[
    func("pg_cancel_backend", &[INT4], BOOL, signal!("0")).volatile(),
    func("pg_terminate_backend", &[INT4], BOOL, signal!("1")).volatile(),
    func("pg_terminate_backend", &[INT4, INT8], BOOL, concat!("iif({1} IS NULL, NULL, ", signal!("1"), ")")).volatile(),
    func("pg_sleep", &[FLOAT8], VOID, "q_sleep({0})").volatile(),
    func("pg_sleep_for", &[INTERVAL], VOID, "q_sleep_for({0})").volatile(),
    func("pg_sleep_until", &[TIMESTAMPTZ], VOID, "q_sleep_until({0})").volatile(),
];
pub const OPERATORS: &[Operator] = &[];

/// How long nobody is asked whether to stop.
const NAP: Duration = Duration::from_millis(1);
pub const CASTS: &[Cast] = &[];
pub const AGGREGATES: &[Aggregate] = &[];
pub const SCALARS: &[Scalar] = &[
    scalar("q_live", 1, live).contextual(),
    scalar("q_signal", 5, signal).contextual(),
    scalar("q_sleep", 1, |ctx, a| sleep(ctx, real(a, 0)?)).contextual(),
    scalar("q_sleep_for", 1, |ctx, a| {
        let interval = Interval::stored(text(a, 0)?)?;
        let days = f64::from(interval.days) + 30.0 * f64::from(interval.months);
        sleep(ctx, days * 86_400.0 + interval.micros as f64 / 1e6)
    })
    .contextual(),
    scalar("q_sleep_until", 1, |ctx, a| {
        let micros = int(a, 0)?.saturating_sub(ctx.clock);
        sleep(ctx, micros as f64 / 1e6)
    })
    .contextual(),
];

fn sleep(ctx: &mut Context, seconds: f64) -> SqlResult<Value> {
    let Some(nap) = ctx.nap.clone() else {
        // It has waited where it ran first.
        if matches!(ctx.sequences, SequenceSource::Replay(_) | SequenceSource::Apply) {
            return Ok(Value::Text(String::new()));
        }
        return Err(SqlError::unsupported("pg_sleep in a statement that writes"));
    };
    let mut left = Duration::try_from_secs_f64(seconds.max(0.0)).unwrap_or(Duration::MAX);
    while !left.is_zero() {
        left = left.saturating_sub(nap(left.min(NAP)));
        meter::work(meter::STRIDE)?;
    }
    Ok(Value::Text(String::new()))
}

/// The relation's rows as a JSON array of objects.
fn live(ctx: &mut Context, args: &[ValueRef<'_>]) -> SqlResult<Value> {
    let name = text(args, 0)?;
    match ctx.live.get(name) {
        Some(rows) => Ok(from_text(&**rows)),
        None => Err(SqlError::internal(format!("the facts of \"{name}\" were not gathered"))),
    }
}

/// `q_signal(process, terminate, user, sessions, roles)`
fn signal(ctx: &mut Context, args: &[ValueRef<'_>]) -> SqlResult<Value> {
    may_signal(args)?;
    let signal = if int(args, 1)? == 0 { Signal::Cancel } else { Signal::Terminate };
    let Some(send) = &ctx.signal else {
        return Err(SqlError::unsupported("sending signals to sessions in a transaction that has written"));
    };
    Ok(Value::Int(send(int(args, 0)? as i32, signal).into()))
}

/// Errors: 42501 unless the session is of a role whose rights the current one has, or that one may signal everybody but
/// superusers.
fn may_signal(args: &[ValueRef<'_>]) -> SqlResult<()> {
    #[derive(serde::Deserialize)]
    struct Session {
        pid: i64,
        usename: String,
    }
    let (pid, user) = (int(args, 0)?, text(args, 2)?);
    let roles = roles_of(text(args, 4)?)?;
    let current = roles.named(user).map_or(0, |role| role.oid);
    if roles.is_superuser(current) {
        return Ok(());
    }
    let bad = |e: serde_json::Error| SqlError::internal(format!("sessions: {e}"));
    let sessions: Vec<Session> = serde_json::from_str(text(args, 3)?).map_err(bad)?;
    // Of a process that is not there, the caller is told so.
    let Some(session) = sessions.iter().find(|session| session.pid == pid) else { return Ok(()) };
    let other = roles.named(&session.usename);
    let denied = |message: &str| Err(SqlError::new(state::INSUFFICIENT_PRIVILEGE, message));
    let (verb, done) = match int(args, 1)? {
        0 => ("cancel superuser query", "query is being canceled"),
        _ => ("terminate superuser process", "process is being terminated"),
    };
    match other {
        Some(other) if other.superuser => denied(&format!("must be a superuser to {verb}")),
        Some(other) if roles.has_rights_of(current, other.oid) => Ok(()),
        _ if roles.has_rights_of(current, SIGNAL_BACKEND) => Ok(()),
        _ => denied(&format!("must be a member of the role whose {done} or member of pg_signal_backend")),
    }
}
