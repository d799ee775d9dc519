//! Messages between nodes. [`Transport`] is what `replica` sends through, [`Inbound`] is where messages arrive,
//! [`Service`] answers requests of other nodes. [`tcp::Network`] is the real one; tests may bring their own.
//!
//! What a message may expect: nothing. It may be lost, late, or arrive twice; Raft copes. Requests ([`tcp::Network::call`])
//! and snapshots say how they ended.

mod channel;
pub mod tcp;
pub mod wire;

use crate::consensus::SnapshotMeta;
use crate::id::{GroupId, NodeId};
use bytes::Bytes;
use futures::future::BoxFuture;
use raft::eraftpb::Message;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// A Raft message and the group it belongs to.
#[derive(Clone, Debug, PartialEq)]
pub struct Envelope {
    pub group: GroupId,
    pub message: Message,
}

/// What a node says of its clock and its disk, several times a second. All times in µs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Beat {
    /// The sender's monotonic clock.
    pub sent: i64,
    /// Its clock, since 2000-01-01 00:00 UTC.
    pub wall: i64,
    /// The last beat that it has heard from the addressee.
    pub echo: Option<Echo>,
    /// How long a sync of its log takes at present, if there was one lately.
    pub sync: Option<u64>,
}

/// A beat as its sender hears of it again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Echo {
    /// What it said of when it was sent.
    pub sent: i64,
    /// How long ago it came.
    pub held: i64,
}

/// How a snapshot's transfer ended: called exactly once.
pub type SnapshotDone = Box<dyn FnOnce(bool) + Send>;

/// The way out.
pub trait Transport: Send + Sync + 'static {
    /// Sends without waiting. What cannot be sent is dropped, and [`Inbound::unreachable`] says so.
    fn send(&self, to: NodeId, messages: Vec<Envelope>);

    /// Sends a beat, if it can be sent at once.
    fn beat(&self, to: NodeId, beat: &Beat);

    /// Streams `file` and then hands `envelope` to the receiver's [`Inbound::snapshot`].
    fn send_snapshot(&self, to: NodeId, envelope: Envelope, file: &Path, meta: &SnapshotMeta, done: SnapshotDone);
}

/// The way in. Called from network threads; must not block.
pub trait Inbound: Send + Sync + 'static {
    fn messages(&self, from: NodeId, messages: Vec<Envelope>);

    /// A beat has come in this moment.
    fn beat(&self, from: NodeId, beat: Beat);

    /// A snapshot's file is complete, has the announced length and checksum, and is synced.
    fn snapshot(&self, from: NodeId, envelope: Envelope, file: PathBuf);

    /// A message to this node was dropped, or its connection was lost.
    fn unreachable(&self, node: NodeId);

    /// The process of this node is gone: its connection closed and a new one was refused.
    fn peer_down(&self, node: NodeId);
}

/// Answers requests of other nodes. What is in the bytes is the caller's and the service's business.
pub trait Service: Send + Sync + 'static {
    fn handle(&self, from: NodeId, request: Bytes) -> BoxFuture<'static, Bytes>;
}

/// Why a request has no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// The connection broke after the request may have been sent, or its answer was too large: it may have been
    /// executed.
    #[error("connection to {0} lost")]
    ConnectionLost(NodeId),
    /// There is no connection, or the request is too large: it was not executed.
    #[error("{0}")]
    Refused(String),
    /// It may be executed, or be yet.
    #[error("no answer from {0} in time")]
    TimedOut(NodeId),
}
