//! Quorate: a consensus-backed replicated SQL database that a Postgres client takes for Postgres.

pub mod admin;
pub mod cli;
pub mod clock;
pub mod cluster;
pub mod command;
pub mod config;
pub mod demo;
pub mod engine;
pub mod error;
pub mod executor;
pub mod frontend;
pub mod functions;
pub mod gateway;
pub mod id;
pub mod locks;
pub mod node;
pub mod raftlog;
pub mod replica;
pub mod session;
pub mod settings;
pub mod sql;
pub mod status;
pub mod transaction;
pub mod transport;
pub mod types;
pub mod value;
