//! One authority after another: what the system group says of it. The keys are never in its log.

use super::{command, step, text};
use crate::command::{Command, Yields};
use crate::pki::{Stage, Succession};
use crate::value::Value;

/// Reads how far it is; decode with [`succession`].
pub const SUCCESSION: &str =
    "SELECT name, value FROM settings WHERE name IN ('authority/next', 'authority/cross', 'authority/stage')";

/// Decodes the rows of [`SUCCESSION`].
pub fn succession(rows: &[Vec<Value>]) -> Option<Succession> {
    let of = |wanted: &str| {
        rows.iter().find_map(|row| match row.as_slice() {
            [Value::Text(name), Value::Text(value)] if name == wanted => Some(value.clone()),
            _ => None,
        })
    };
    Some(Succession {
        next: of("authority/next")?,
        cross: of("authority/cross")?,
        stage: Stage::parse(&of("authority/stage")?)?,
    })
}

/// Makes it so, unless it is not `before` any more.
pub fn decide(wanted: &Succession, before: Option<&Succession>) -> Command {
    let changed = "SELECT '40001', 'somebody else is changing the authority', NULL, NULL, NULL, NULL, NULL, NULL, NULL \
                   WHERE coalesce((SELECT value FROM settings WHERE name = 'authority/next'), '') <> ?4 \
                   OR coalesce((SELECT value FROM settings WHERE name = 'authority/stage'), '') <> ?5";
    let put = |what: &str, at: usize| {
        format!(
            "INSERT INTO settings(name, value) VALUES ('authority/{what}', ?{at}) \
             ON CONFLICT(name) DO UPDATE SET value = excluded.value"
        )
    };
    let (next, cross, stage) = (put("next", 1), put("cross", 2), put("stage", 3));
    let empty = || text("");
    command(vec![step(
        vec![(changed, Yields::Guard), (&next, Yields::Nothing), (&cross, Yields::Nothing), (&stage, Yields::Nothing)],
        vec![
            text(&wanted.next),
            text(&wanted.cross),
            text(wanted.stage.name()),
            before.map_or_else(empty, |before| text(&before.next)),
            before.map_or_else(empty, |before| text(before.stage.name())),
        ],
    )])
}
