//! Join tokens: what lets new nodes in, a few times and for a while.
//!
//! A token carries the fingerprint of the cluster's authority, so that whoever joins knows whom it talks to before it says
//! anything, and a secret, of which the cluster keeps no more than a hash. A node that asks again with the same token,
//! since its first attempt was interrupted, uses it once.

use super::{command, step, text};
use crate::command::{Command, Step, Yields};
use crate::value::Value;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::fmt;

const PREFIX: &str = "quorate";

/// What an administrator hands to a new node.
#[derive(Clone, PartialEq, Eq)]
pub struct Token {
    id: [u8; 8],
    secret: [u8; 32],
    /// SHA-256 of the authority's certificate.
    pub authority: [u8; 32],
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Token({}, …)", self.id())
    }
}

/// What the cluster keeps of a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    pub id: String,
    /// Of the secret.
    pub hash: String,
    /// How many nodes it still lets in.
    pub uses: u32,
    /// µs since 2000-01-01 00:00 UTC.
    pub until: i64,
}

impl Token {
    /// `id` and `secret` are drawn by the caller.
    pub fn new(id: [u8; 8], secret: [u8; 32], authority: [u8; 32]) -> Token {
        Token { id, secret, authority }
    }

    /// Its public name.
    pub fn id(&self) -> String {
        hex::encode(self.id)
    }

    pub fn grant(&self, uses: u32, until: i64) -> Grant {
        Grant { id: self.id(), hash: self.hash(), uses, until }
    }

    fn hash(&self) -> String {
        hex::encode(Sha256::digest(self.secret))
    }

    /// The whole text. Not for logs.
    pub fn reveal(&self) -> String {
        let [secret, authority] = [self.secret, self.authority].map(|bytes| BASE64.encode(bytes));
        format!("{PREFIX}.{}.{secret}.{authority}", self.id())
    }

    pub fn parse(text: &str) -> Option<Token> {
        let parts: Vec<&str> = text.trim().split('.').collect();
        let [PREFIX, id, secret, authority] = parts.as_slice() else { return None };
        let bytes = |text: &str| BASE64.decode(text).ok().and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
        let id = hex::decode(id).ok().and_then(|bytes| <[u8; 8]>::try_from(bytes).ok())?;
        Some(Token { id, secret: bytes(secret)?, authority: bytes(authority)? })
    }

    /// The step of a command that uses the token up for a node; the command fails if it does not count.
    pub fn spend(&self, incarnation: u64, now: i64) -> Step {
        let again = "SELECT 1 FROM settings WHERE name = 'token/' || ?1 || '/by/' || ?3";
        let refusal = |why: &str, holds: &str| {
            format!(
                "SELECT '28000', '{why}', NULL, 'Make another one with quorate token create.', NULL, NULL, NULL, NULL, NULL \
                 WHERE NOT EXISTS (SELECT 1 FROM settings WHERE {holds})"
            )
        };
        let unknown =
            refusal("the join token is not known, or was revoked", "name = 'token/' || ?1 || '/hash' AND value = ?2");
        let expired =
            refusal("the join token has expired", "name = 'token/' || ?1 || '/until' AND CAST(value AS INTEGER) > ?4")
                + &format!(" AND NOT EXISTS ({again})");
        let spent =
            refusal("the join token was used up", "name = 'token/' || ?1 || '/uses' AND CAST(value AS INTEGER) > 0")
                + &format!(" AND NOT EXISTS ({again})");
        let spend = format!(
            "UPDATE settings SET value = CAST(CAST(value AS INTEGER) - 1 AS TEXT) WHERE name = 'token/' || ?1 || '/uses' \
             AND NOT EXISTS ({again})"
        );
        let by = "INSERT INTO settings(name, value) VALUES ('token/' || ?1 || '/by/' || ?3, '') ON CONFLICT DO NOTHING";
        step(
            vec![
                (&unknown, Yields::Guard),
                (&expired, Yields::Guard),
                (&spent, Yields::Guard),
                (&spend, Yields::Nothing),
                (by, Yields::Nothing),
            ],
            vec![text(&self.id()), text(&self.hash()), text(&incarnation.to_string()), Value::Int(now)],
        )
    }
}

/// Makes a token count, and forgets those that have expired.
pub fn grant(grant: &Grant, now: i64) -> Command {
    let forget = "DELETE FROM settings WHERE substr(name, 1, 22) IN (SELECT substr(name, 1, 22) FROM settings \
                  WHERE substr(name, 1, 6) = 'token/' AND substr(name, 23) = '/until' AND CAST(value AS INTEGER) < ?5)";
    let keep = |what: &str, at: usize| {
        format!("INSERT INTO settings(name, value) VALUES ('token/' || ?1 || '/{what}', ?{at}) ON CONFLICT DO NOTHING")
    };
    let (hash, uses, until) = (keep("hash", 2), keep("uses", 3), keep("until", 4));
    command(vec![step(
        vec![(forget, Yields::Nothing), (&hash, Yields::Nothing), (&uses, Yields::Nothing), (&until, Yields::Nothing)],
        vec![
            text(&grant.id),
            text(&grant.hash),
            text(&grant.uses.to_string()),
            text(&grant.until.to_string()),
            Value::Int(now),
        ],
    )])
}

/// Makes a token count no longer.
pub fn revoke(id: &str) -> Command {
    let gone = "DELETE FROM settings WHERE substr(name, 1, 22) = 'token/' || ?1";
    command(vec![step(vec![(gone, Yields::Nothing)], vec![text(id)])])
}

/// Reads all tokens; decode with [`tokens`].
pub const TOKENS: &str = "SELECT substr(name, 7, 16), substr(name, 24), value FROM settings \
     WHERE substr(name, 1, 6) = 'token/' AND instr(substr(name, 24), '/') = 0 ORDER BY 1";

/// Decodes the rows of [`TOKENS`].
pub fn tokens(rows: &[Vec<Value>]) -> Vec<Grant> {
    let mut found: BTreeMap<&str, Grant> = BTreeMap::new();
    for row in rows {
        let [Value::Text(id), Value::Text(what), Value::Text(value)] = row.as_slice() else { continue };
        let empty = || Grant { id: id.clone(), hash: String::new(), uses: 0, until: 0 };
        let grant = found.entry(id).or_insert_with(empty);
        match what.as_str() {
            "hash" => grant.hash = value.clone(),
            "uses" => grant.uses = value.parse().unwrap_or(0),
            "until" => grant.until = value.parse().unwrap_or(0),
            _ => {}
        }
    }
    found.into_values().collect()
}
