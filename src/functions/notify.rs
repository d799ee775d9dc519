//! LISTEN and NOTIFY as functions: what a statement announces, and what its session listens to.
//!
//! A notification is part of a write: it is collected while the log is applied, and delivered on every node when the entry has
//! taken effect. In a fork it is only checked. A command announces each thing once, and only so much ([`Announcements`]).

use super::arg::text;
use super::table::*;
use super::{Aggregate, Cast, Context, Function, Operator, Scalar};
use crate::error::{SqlError, SqlResult, state};
use crate::types::Type;
use crate::types::array;
use crate::value::{Value, ValueRef};
use std::collections::BTreeSet;
use xxhash_rust::xxh3::xxh3_128;

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
    ctx.notified.add(ctx.backend_pid, channel, payload)?;
    Ok(Value::Text(String::new()))
}

/// Who announces, on which channel, and what.
pub type Notice = (i32, String, String);

/// Bytes that a command may announce. They are in memory on every node until all who listen there have them. The same on every
/// replica: it decides outcomes in the log.
const MOST: usize = 32 << 20;

/// What a command announces, in order; what is announced again is not told twice, as in PostgreSQL.
#[derive(Clone, Debug, Default)]
pub struct Announcements {
    list: Vec<Notice>,
    /// Digests of the list's channels and payloads.
    known: BTreeSet<u128>,
    bytes: usize,
}

impl Announcements {
    /// Error: 54000, it would be more than may be announced.
    fn add(&mut self, pid: i32, channel: &str, payload: &str) -> SqlResult<()> {
        // A channel has no NUL, so no two pairs have the same bytes.
        if !self.known.insert(xxh3_128(&[channel.as_bytes(), b"\0", payload.as_bytes()].concat())) {
            return Ok(());
        }
        self.bytes += channel.len() + payload.len() + size_of::<Notice>();
        if self.bytes > MOST {
            return Err(SqlError::new(state::PROGRAM_LIMIT_EXCEEDED, "too many notifications in the NOTIFY queue")
                .detail(format!("A transaction may announce {} kB.", MOST >> 10)));
        }
        self.list.push((pid, channel.to_owned(), payload.to_owned()));
        Ok(())
    }

    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Bytes announced until now, with those of [`Self::after`].
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// For a statement of a transaction that has announced so much before it.
    pub fn after(bytes: usize) -> Announcements {
        Announcements { bytes, ..Announcements::default() }
    }

    /// Leaves nothing behind.
    pub fn take(&mut self) -> Vec<Notice> {
        std::mem::take(self).list
    }

    pub fn clear(&mut self) {
        *self = Announcements::default();
    }
}

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
        assert_eq!(context.notified.take().len(), 2);
    }

    #[test]
    fn each_is_announced_once_and_not_without_end() {
        let mut announced = Announcements::default();
        for (channel, payload) in [("a", "1"), ("a", "2"), ("a", "1"), ("b", "1")] {
            announced.add(1, channel, payload).unwrap();
        }
        let told: Vec<_> = announced.take().into_iter().map(|(_, channel, payload)| channel + &payload).collect();
        assert_eq!(told, ["a1", "a2", "b1"]);
        let large = "x".repeat(PAYLOAD);
        let refused =
            (0..MOST).find_map(|i| announced.add(1, &i.to_string(), &large).err().map(|error| (i, error.code)));
        let (count, code) = refused.expect("an end");
        assert!(code == state::PROGRAM_LIMIT_EXCEEDED && (4000..4200).contains(&count), "{count} {code:?}");
        announced.clear();
        announced.add(1, "a", &large).unwrap();
    }
}
