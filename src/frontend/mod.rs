//! The Postgres wire protocol: sockets and bytes on this side, sessions and their effects on the other.
//!
//! `listener` accepts, `startup` finds out who it is, `login` whether that is true, `connection` performs a session's effects, `frame` and `encode`
//! are the way in and out, `cancel` stops a statement from another connection, `workshop` is
//! where long work is done. pgwire gives the message formats;
//! its server loop is not used, because it writes to the socket once per message.

pub mod cancel;
mod connection;
mod encode;
pub mod frame;
pub mod inner;
mod listener;
pub mod login;
mod origin;
mod socket;
mod startup;
#[cfg(test)]
mod tests;
mod workshop;

pub use listener::{Census, Databases, Lookup, Options, no_such_database, serve};
