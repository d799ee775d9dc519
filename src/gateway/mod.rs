//! From a session to its database: which group, which node, retry under one request id.

pub mod advisory;
mod attempt;
pub mod facts;
mod flight;
pub mod peer;
pub mod reach;
pub mod router;
pub mod split;
#[cfg(test)]
mod tests;
mod time;
pub mod transaction;

pub use crate::database::{
    ANY_SCHEMA, Control, Database, Failure, Fetched, Mark, ReadRequest, Rows, Told, Who, mailbox,
};
