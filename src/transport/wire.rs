//! What travels between nodes: frames, and the peer protocol's own form of Raft messages.
//!
//! A frame is `length: u32 | crc32: u32 | kind: u8 | payload`, little-endian; the length counts kind and payload, the
//! checksum covers them. Payloads are postcard. Nothing of protobuf is parsed from the network.
//!
//! Compatibility: the handshake says which versions of this page each side speaks ([`crate::version::PEERS`]), and both use
//! the highest that they share. Frames of [`Hello`] and [`Welcome`] are read by every version: what follows the fields that
//! one knows is left unread.

use super::Envelope;
use crate::consensus::SnapshotMeta;
use crate::id::{GroupId, NodeId};
use bytes::{Buf, Bytes, BytesMut};
use raft::eraftpb;
use serde::{Deserialize, Serialize};

/// First field of the first frame on a connection.
pub const MAGIC: u64 = 0x5155_4f52_4154_4531;
/// The longest frame that is accepted, in bytes.
pub const MAX_FRAME: usize = 64 << 20;
/// The same of somebody who has not said who he is.
pub const MAX_FIRST_FRAME: usize = 64 << 10;
/// What is read at first.
const FIRST_READ: usize = 16 << 10;
const HEADER: usize = 8;

/// What a frame is; one byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    Hello = 1,
    Welcome = 2,
    Messages = 3,
    Request = 4,
    Response = 5,
    SnapshotHead = 6,
    SnapshotPart = 7,
    SnapshotEnd = 8,
    Beat = 9,
    /// A question of a node that belongs to no cluster yet, and its answer; in place of [`Kind::Hello`].
    Question = 10,
    Answer = 11,
}

impl Kind {
    fn from_byte(byte: u8) -> Option<Kind> {
        use Kind::*;
        [Hello, Welcome, Messages, Request, Response, SnapshotHead, SnapshotPart, SnapshotEnd, Beat, Question, Answer]
            .into_iter()
            .find(|k| *k as u8 == byte)
    }
}

/// What a connection is for; each peer has one of each, so that small messages never queue behind large ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Lane {
    /// Heartbeats, votes, read indexes, acknowledgements.
    Control,
    /// Appends. All of them, so that they stay in order.
    Bulk,
    /// Requests and responses.
    Rpc,
    /// One snapshot.
    Snapshot,
}

/// Who speaks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PeerIdentity {
    pub cluster: u128,
    pub node: NodeId,
    /// See [`crate::raftlog::identity::Identity`].
    pub incarnation: u64,
}

/// The first frame of the side that connects.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    pub magic: u64,
    /// The highest and the lowest version of this page that it speaks.
    pub version: u32,
    pub oldest: u32,
    pub lane: Lane,
    pub from: PeerIdentity,
    /// Whom the connection is meant for.
    pub to: NodeId,
    /// Its incarnation, as the cluster knows it: who knows it is vouched for by the cluster.
    pub to_incarnation: u64,
    /// Where the side that connects can be reached.
    pub address: String,
}

/// The answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Welcome {
    /// With the version of this page that both use.
    Accepted(PeerIdentity, u32),
    Refused(String),
    /// The cluster has removed the node that asks. Says who says so.
    Removed(PeerIdentity, String),
}

/// A frame that cannot be read: the connection is closed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    #[error("frame of {0} bytes is too long")]
    TooLong(usize),
    #[error("frame is damaged (checksum)")]
    Checksum,
    #[error("unknown kind of frame: {0}")]
    Kind(u8),
    #[error("malformed payload: {0}")]
    Payload(String),
}

/// Appends a frame to `out`; `write` appends its payload.
pub fn frame(out: &mut Vec<u8>, kind: Kind, write: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    out.extend_from_slice(&[0; HEADER]);
    out.push(kind as u8);
    write(out);
    let body = start + HEADER;
    let length = (out.len() - body) as u32;
    let sum = crc32fast::hash(&out[body..]);
    out[start..start + 4].copy_from_slice(&length.to_le_bytes());
    out[start + 4..body].copy_from_slice(&sum.to_le_bytes());
}

/// Appends a frame whose payload is `value`.
pub fn frame_value<T: Serialize>(out: &mut Vec<u8>, kind: Kind, value: &T) {
    frame(out, kind, |out| {
        let buffer = std::mem::take(out);
        *out = postcard::to_extend(value, buffer).expect("messages are plain data");
    });
}

/// Takes the next whole frame off `input`; `None` when it is not complete yet.
pub fn next_frame(input: &mut BytesMut) -> Result<Option<(Kind, Bytes)>, FrameError> {
    next_frame_within(input, MAX_FRAME)
}

/// The same with another bound than [`MAX_FRAME`].
pub fn next_frame_within(input: &mut BytesMut, limit: usize) -> Result<Option<(Kind, Bytes)>, FrameError> {
    if input.len() < HEADER {
        return Ok(None);
    }
    let word = |at: usize| u32::from_le_bytes([input[at], input[at + 1], input[at + 2], input[at + 3]]);
    let (length, sum) = (word(0) as usize, word(4));
    if length == 0 || length > limit {
        return Err(FrameError::TooLong(length));
    }
    if input.len() < HEADER + length {
        // Memory follows the bytes that arrive, not the length that is announced.
        input.reserve((HEADER + length - input.len()).min(input.len().max(FIRST_READ)));
        return Ok(None);
    }
    input.advance(HEADER);
    let mut body = input.split_to(length).freeze();
    if crc32fast::hash(&body) != sum {
        return Err(FrameError::Checksum);
    }
    let byte = body.get_u8();
    let kind = Kind::from_byte(byte).ok_or(FrameError::Kind(byte))?;
    Ok(Some((kind, body)))
}

/// Decodes a payload; bytes behind it are an error.
pub fn value<T: for<'a> Deserialize<'a>>(payload: &[u8]) -> Result<T, FrameError> {
    let (value, rest) = postcard::take_from_bytes(payload).map_err(|e| FrameError::Payload(e.to_string()))?;
    match rest.is_empty() {
        true => Ok(value),
        false => Err(FrameError::Payload(format!("{} bytes too many", rest.len()))),
    }
}

/// The same of a frame that later versions may have made longer.
pub fn value_and_more<T: for<'a> Deserialize<'a>>(payload: &[u8]) -> Result<T, FrameError> {
    postcard::take_from_bytes(payload).map(|(value, _)| value).map_err(|e| FrameError::Payload(e.to_string()))
}

#[derive(Serialize, Deserialize)]
struct Entry {
    kind: u8,
    term: u64,
    index: u64,
    data: Bytes,
    context: Bytes,
}

/// `eraftpb::Message`, field by field.
#[derive(Serialize, Deserialize)]
struct Message {
    group: GroupId,
    kind: u8,
    to: u64,
    from: u64,
    term: u64,
    log_term: u64,
    index: u64,
    entries: Vec<Entry>,
    commit: u64,
    commit_term: u64,
    snapshot: Option<SnapshotMeta>,
    request_snapshot: u64,
    reject: bool,
    reject_hint: u64,
    context: Bytes,
    priority: i64,
}

impl Message {
    fn of(envelope: &Envelope) -> Message {
        let m = &envelope.message;
        let entry = |e: &eraftpb::Entry| Entry {
            kind: e.get_entry_type() as u8,
            term: e.term,
            index: e.index,
            data: e.data.clone(),
            context: e.context.clone(),
        };
        Message {
            group: envelope.group,
            kind: m.get_msg_type() as u8,
            to: m.to,
            from: m.from,
            term: m.term,
            log_term: m.log_term,
            index: m.index,
            entries: m.entries.iter().map(entry).collect(),
            commit: m.commit,
            commit_term: m.commit_term,
            snapshot: crate::consensus::form::snapshot_meta(m),
            request_snapshot: m.request_snapshot,
            reject: m.reject,
            reject_hint: m.reject_hint,
            context: m.context.clone(),
            priority: m.priority,
        }
    }

    fn into_envelope(self) -> Result<Envelope, FrameError> {
        let bad = |what: &str, n: u8| FrameError::Payload(format!("unknown {what} {n}"));
        let kind = message_type(self.kind).ok_or_else(|| bad("message type", self.kind))?;
        let mut entries = Vec::with_capacity(self.entries.len());
        for e in self.entries {
            let kind = entry_type(e.kind).ok_or_else(|| bad("entry type", e.kind))?;
            entries.push(eraftpb::Entry {
                entry_type: kind,
                term: e.term,
                index: e.index,
                data: e.data,
                context: e.context,
                ..Default::default()
            });
        }
        let mut message = eraftpb::Message {
            to: self.to,
            from: self.from,
            term: self.term,
            log_term: self.log_term,
            index: self.index,
            entries: entries.into(),
            commit: self.commit,
            commit_term: self.commit_term,
            request_snapshot: self.request_snapshot,
            reject: self.reject,
            reject_hint: self.reject_hint,
            context: self.context,
            priority: self.priority,
            ..Default::default()
        };
        message.set_msg_type(kind);
        if let Some(meta) = &self.snapshot {
            message.set_snapshot(crate::consensus::form::snapshot_of(meta));
        }
        Ok(Envelope { group: self.group, message })
    }
}

fn message_type(n: u8) -> Option<eraftpb::MessageType> {
    protobuf::ProtobufEnum::from_i32(i32::from(n))
}

fn entry_type(n: u8) -> Option<eraftpb::EntryType> {
    protobuf::ProtobufEnum::from_i32(i32::from(n))
}

/// Appends one frame with all messages.
pub fn encode_messages<'a>(out: &mut Vec<u8>, envelopes: impl Iterator<Item = &'a Envelope>) {
    let messages: Vec<Message> = envelopes.map(Message::of).collect();
    frame_value(out, Kind::Messages, &messages);
}

pub fn decode_messages(payload: &[u8]) -> Result<Vec<Envelope>, FrameError> {
    value::<Vec<Message>>(payload)?.into_iter().map(Message::into_envelope).collect()
}

/// How many bytes a message is worth, about.
pub fn weight(envelope: &Envelope) -> usize {
    64 + envelope.message.entries.iter().map(|e| e.data.len() + e.context.len() + 24).sum::<usize>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::consensus::{Membership, Position};
    use crate::id::ReplicaId;

    fn sample() -> Envelope {
        let mut message = eraftpb::Message {
            to: 1,
            from: 2,
            term: 3,
            log_term: 4,
            index: 5,
            commit: 6,
            commit_term: 7,
            request_snapshot: 8,
            reject: true,
            reject_hint: 9,
            context: Bytes::from_static(b"ctx"),
            priority: -3,
            ..Default::default()
        };
        message.set_msg_type(eraftpb::MessageType::MsgAppend);
        let entry = eraftpb::Entry {
            entry_type: eraftpb::EntryType::EntryConfChangeV2,
            term: 1,
            index: 6,
            data: Bytes::from_static(b"data"),
            ..Default::default()
        };
        message.set_entries(vec![entry].into());
        let membership = Membership { voters: vec![ReplicaId(1), ReplicaId(2)], ..Membership::default() };
        let at = Position { index: 5, term: 2 };
        message.set_snapshot(crate::consensus::form::snapshot_of(&SnapshotMeta {
            at,
            membership,
            length: 1,
            checksum: 2,
        }));
        Envelope { group: GroupId(9), message }
    }

    #[test]
    fn messages_survive_the_trip_in_any_pieces() {
        let mut bytes = Vec::new();
        encode_messages(&mut bytes, [sample(), sample()].iter());
        frame_value(&mut bytes, Kind::Welcome, &Welcome::Refused("no".into()));
        let mut input = BytesMut::new();
        let mut seen = Vec::new();
        for byte in bytes {
            input.extend_from_slice(&[byte]);
            while let Some(found) = next_frame(&mut input).unwrap() {
                seen.push(found);
            }
        }
        assert_eq!(seen.len(), 2);
        assert_eq!(decode_messages(&seen[0].1).unwrap(), [sample(), sample()]);
        assert_eq!(value::<Welcome>(&seen[1].1).unwrap(), Welcome::Refused("no".into()));
    }

    #[test]
    fn damage_is_noticed() {
        let mut bytes = Vec::new();
        encode_messages(&mut bytes, [sample()].iter());
        for at in 4..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[at] ^= 1;
            assert_eq!(next_frame(&mut BytesMut::from(&damaged[..])), Err(FrameError::Checksum), "byte {at}");
        }
        bytes[3] = 0x7f;
        assert!(matches!(next_frame(&mut BytesMut::from(&bytes[..])), Err(FrameError::TooLong(_))));
        assert!(decode_messages(b"\x01\xff\xff").is_err());
    }
}
