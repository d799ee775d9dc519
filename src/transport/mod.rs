//! Messages between nodes. [`Transport`] is what `replica` sends through, [`Inbound`] is where messages arrive,
//! [`Service`] answers requests of other nodes. [`tcp::Network`] is the real one; tests may bring their own.
//!
//! What a message may expect: nothing. It may be lost, late, or arrive twice; Raft copes. Requests ([`tcp::Network::call`])
//! and snapshots say how they ended.

pub mod tcp;
pub mod wire;

use crate::id::{GroupId, NodeId};
use crate::replica::SnapshotMeta;
use bytes::Bytes;
use futures::future::BoxFuture;
use raft::eraftpb::Message;
use std::path::{Path, PathBuf};

/// A Raft message and the group it belongs to.
#[derive(Clone, Debug, PartialEq)]
pub struct Envelope {
    pub group: GroupId,
    pub message: Message,
}

/// How a snapshot's transfer ended: called exactly once.
pub type SnapshotDone = Box<dyn FnOnce(bool) + Send>;

/// The way out.
pub trait Transport: Send + Sync + 'static {
    /// Sends without waiting. What cannot be sent is dropped, and [`Inbound::unreachable`] says so.
    fn send(&self, to: NodeId, messages: Vec<Envelope>);

    /// Streams `file` and then hands `envelope` to the receiver's [`Inbound::snapshot`].
    fn send_snapshot(&self, to: NodeId, envelope: Envelope, file: &Path, meta: &SnapshotMeta, done: SnapshotDone);
}

/// The way in. Called from network threads; must not block.
pub trait Inbound: Send + Sync + 'static {
    fn messages(&self, from: NodeId, messages: Vec<Envelope>);

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
