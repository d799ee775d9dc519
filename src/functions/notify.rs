//! LISTEN and NOTIFY as functions: what a statement announces, and what its session listens to.
//!
//! A notification is part of a write: it is collected while the log is applied, and delivered on every node when the entry has
//! taken effect. In a fork it is only checked.

use super::arg::text;
use super::table::*;
use super::{Aggregate, Cast, Context, Function, Operator, Scalar};
use crate::error::{SqlError, SqlResult, state};
use crate::types::Type;
use crate::types::array;
use crate::value::{Value, ValueRef};

/// The setting, not to be seen as one, that has the channels: each ends with U+0001.
pub const LISTENING: &str = "quorate.listening";

/// Bytes that a channel's name has, and a payload, at most.
const NAME: usize = 63;
const PAYLOAD: usize = 7999;

pub const FUNCTIONS: &[Function] = &[
    func("pg_notify", &[TEXT, TEXT], VOID, "q_notify({0}, {1})").volatile(),
    set("pg_listening_channels", &[], TEXT, "q_unnest(q_listening(q_current_setting('quorate.listening', 1)))")
        .stable(),
    func("pg_notification_queue_usage", &[], FLOAT8, "0.0").volatile(),
];
pub const OPERATORS: &[Operator] = &[];
pub const CASTS: &[Cast] = &[];
pub const AGGREGATES: &[Aggregate] = &[];
pub const SCALARS: &[Scalar] =
    &[scalar("q_notify", 2, notify).lax().contextual(), scalar("q_listening", 1, listening).lax().contextual()];

fn notify(ctx: &mut Context, args: &[ValueRef<'_>]) -> SqlResult<Value> {
    // A NULL is an empty text, as in PostgreSQL.
    let word = |at: usize| if args[at].is_null() { Ok("") } else { text(args, at) };
    let (channel, payload) = (word(0)?, word(1)?);
    let invalid = |message: &str| Err(SqlError::new(state::INVALID_PARAMETER_VALUE, message));
    if channel.is_empty() {
        return invalid("channel name cannot be empty");
    }
    if channel.len() > NAME {
        return invalid("channel name too long");
    }
    if payload.len() > PAYLOAD {
        return invalid("payload string too long");
    }
    crate::meter::hold(channel.len() + payload.len() + size_of::<Notice>())?;
    ctx.notified.push((ctx.backend_pid, channel.to_owned(), payload.to_owned()));
    Ok(Value::Text(String::new()))
}

/// Who announces, on which channel, and what.
pub type Notice = (i32, String, String);

fn listening(_: &mut Context, args: &[ValueRef<'_>]) -> SqlResult<Value> {
    let channels = if args[0].is_null() { "" } else { text(args, 0)? };
    let channels: Vec<Value> = channels.split_terminator('\u{1}').map(|name| Value::Text(name.to_owned())).collect();
    array::build(Type::TEXT, &channels).map(Value::Blob)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_announced() {
        let mut context = Context::default();
        let mut say = |channel: &str, payload: &str| {
            notify(&mut context, &[ValueRef::Text(channel), ValueRef::Text(payload)]).map_err(|e| e.message)
        };
        assert!(say("a", "").is_ok() && say(&"x".repeat(63), &"y".repeat(7999)).is_ok());
        assert_eq!(say("", "x").unwrap_err(), "channel name cannot be empty");
        assert_eq!(say(&"x".repeat(64), "").unwrap_err(), "channel name too long");
        assert_eq!(say("a", &"y".repeat(8000)).unwrap_err(), "payload string too long");
        assert_eq!(context.notified.len(), 2);
    }
}
