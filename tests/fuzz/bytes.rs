//! What comes in binary: frames of peers and of clients, what is in the log, values in PostgreSQL's binary form.

use super::{Target, hash};
use ::bytes::{Bytes, BytesMut};
use quorate::command::{self, Batch, Command, Frozen, Isolation, Outcome, Proposal, Statement, Step, Write, Yields};
use quorate::frontend::frame::next_request;
use quorate::gateway::peer;
use quorate::id::{GroupId, NodeId, ReplicaId, RequestId};
use quorate::transaction::Terms;
use quorate::transport::wire::{self, Hello, Kind, Lane, PeerIdentity, Welcome};
use quorate::transport::{Beat, Envelope};
use quorate::types::encoding::Encoding;
use quorate::types::{Env, Type, binary, text};
use quorate::value::Value;
use raft::eraftpb::{Entry, Message, MessageType};
use serde::Serialize;
use serde::de::DeserializeOwned;

fn some_batch() -> Batch {
    let params =
        vec![Value::Int(-1), Value::Text("ä".into()), Value::Real(0.5), Value::Blob(vec![0, 255]), Value::Null];
    let step = Step {
        statements: vec![Statement::new("INSERT INTO t VALUES (?1, ?2, ?3, ?4, ?5)", Yields::Count)],
        params: vec![params],
        frozen: Some(Frozen { now: 7, seed: 9, ..Frozen::default() }),
        ..Step::default()
    };
    let write =
        |transaction| Write { schema_version: 3, born: 4, env: Env::default(), steps: vec![step.clone()], transaction };
    let request = |seq| RequestId { origin: 1, seq };
    let chunk = Command::Chunk { upload: request(3), part: 1, bytes: Bytes::from_static(b"part") };
    let whole = Command::Assembled { upload: request(3), parts: 2, length: 8, checksum: 5 };
    let commands = [
        Command::Write(write(None)),
        Command::Write(write(Some(Isolation::Serializable))),
        chunk,
        whole,
        Command::LoseSessions { sessions: vec![1, 2] },
    ];
    let proposals = (1..).zip(&commands).map(|(n, c)| Proposal { request: request(n), body: command::encode(c) });
    Batch { now: 1, seed: 2, commands: proposals.collect() }
}

/// What is read can be written, and read again as the same.
fn twice<T: Serialize + DeserializeOwned>(value: &T) -> Result<(), String> {
    let written = command::encode(value);
    let again: T = command::decode(&written).map_err(|e| format!("what was written cannot be read: {e}"))?;
    if command::encode(&again) == written { Ok(()) } else { Err("written twice, it differs".to_owned()) }
}

fn read_log(input: &[u8]) -> Result<u64, String> {
    let batch: Batch = match command::decode(input) {
        Ok(batch) => batch,
        Err(error) => return Ok(hash(error.to_string())),
    };
    twice(&batch)?;
    let mut answer = vec![batch.commands.len().min(4) as u64];
    for proposal in batch.commands.iter().take(8) {
        answer.push(match command::decode::<Command>(&proposal.body) {
            Ok(command) => {
                twice(&command)?;
                hash(std::mem::discriminant(&command))
            }
            Err(error) => hash(error.to_string()),
        });
    }
    Ok(hash(answer))
}

#[test]
fn what_is_in_the_log() {
    let batch = some_batch();
    let mut examples = vec![command::encode(&batch).to_vec()];
    // Inputs of the mutator need not be whole batches.
    examples.extend(batch.commands.iter().map(|proposal| proposal.body.to_vec()));
    Target { name: "log", examples, words: Vec::new(), read: &read_log, tries: 60_000 }.run();
}

fn some_frames() -> Vec<Vec<u8>> {
    let from = PeerIdentity { cluster: 5, node: NodeId(1), incarnation: 2 };
    let hello = Hello {
        magic: wire::MAGIC,
        version: quorate::version::PEERS.latest,
        oldest: quorate::version::PEERS.oldest,
        lane: Lane::Control,
        from: from.clone(),
        to: NodeId(2),
        to_incarnation: 3,
        address: "127.0.0.1:1".into(),
    };
    let mut message = Message { to: 2, from: 1, term: 3, index: 4, log_term: 2, commit: 3, ..Message::default() };
    message.set_msg_type(MessageType::MsgAppend);
    let data = command::encode(&some_batch());
    message.set_entries(vec![Entry { index: 5, term: 3, data, ..Entry::default() }].into());
    let append = Envelope { group: GroupId(2), message };
    let meta = quorate::replica::SnapshotMeta {
        at: quorate::replica::Position { index: 9, term: 2 },
        membership: Default::default(),
        length: 8,
        checksum: 7,
    };
    let mut message = Message { to: 2, from: 1, term: 3, ..Message::default() };
    message.set_msg_type(MessageType::MsgSnapshot);
    message.set_snapshot(quorate::consensus::form::snapshot_of(&meta));
    let snapshot = Envelope { group: GroupId(2), message };
    let proposal = some_batch().commands.remove(0);
    let terms = Terms { attempt: 1, ..Terms::default() };
    let request = peer::Request::Propose { group: GroupId(2), proposal, terms };
    let reply = peer::Reply::Outcome { at: 4, outcome: Outcome::Done(Vec::new()) };
    let mut frames = vec![Vec::new(); 9];
    wire::frame_value(&mut frames[0], Kind::Hello, &hello);
    wire::frame_value(&mut frames[1], Kind::Welcome, &Welcome::Accepted(from, 1));
    wire::encode_messages(&mut frames[2], [&append].into_iter());
    wire::encode_messages(&mut frames[3], [&append, &snapshot].into_iter());
    wire::frame(&mut frames[4], Kind::Request, |out| out.extend_from_slice(&peer::encode(&request)));
    wire::frame(&mut frames[5], Kind::Response, |out| out.extend_from_slice(&peer::encode(&reply)));
    wire::frame_value(&mut frames[6], Kind::Beat, &Beat { sent: 1, wall: 2, echo: None, sync: Some(3) });
    // A snapshot's stream: what it is, a part of it, its end.
    wire::frame(&mut frames[7], Kind::SnapshotHead, |out| wire::encode_messages(out, [&snapshot].into_iter()));
    wire::frame(&mut frames[8], Kind::SnapshotPart, |out| out.extend_from_slice(b"SQLite format 3"));
    wire::frame(&mut frames[8], Kind::SnapshotEnd, |_| ());
    frames
}

/// A checksum that fits, so that what is behind it is read.
fn summed(input: &[u8]) -> BytesMut {
    let mut bytes = BytesMut::from(input);
    if bytes.len() > 8 {
        let length = u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]) as usize;
        let length = if bytes.len() < 8 + length || length == 0 { bytes.len() - 8 } else { length };
        let sum = crc32fast::hash(&bytes[8..8 + length]);
        bytes[..4].copy_from_slice(&(length as u32).to_le_bytes());
        bytes[4..8].copy_from_slice(&sum.to_le_bytes());
    }
    bytes
}

fn read_messages(payload: &[u8]) -> u64 {
    match wire::decode_messages(payload) {
        Ok(messages) => {
            let kinds: Vec<_> =
                messages.iter().take(4).map(|m| (m.message.get_msg_type() as u8, m.message.entries.len())).collect();
            messages.iter().for_each(|m| assert!(wire::weight(m) > 0));
            let peer = |m: &Envelope| quorate::consensus::form::snapshot_meta(&m.message).is_some();
            hash((kinds, messages.iter().any(peer)))
        }
        Err(error) => hash(error.to_string()),
    }
}

fn read_frames(input: &[u8]) -> Result<u64, String> {
    let mut bytes = summed(input);
    let mut answer = Vec::new();
    for _ in 0..4 {
        let (kind, payload) = match wire::next_frame_within(&mut bytes, wire::MAX_FIRST_FRAME) {
            Ok(Some(frame)) => frame,
            Ok(None) => break,
            Err(error) => {
                answer.push(hash(error.to_string().chars().filter(|c| !c.is_numeric()).collect::<String>()));
                break;
            }
        };
        let outcome = match kind {
            Kind::Hello => hash(wire::value::<Hello>(&payload).is_ok()),
            Kind::Welcome => hash(wire::value::<Welcome>(&payload).map(|w| std::mem::discriminant(&w)).ok()),
            Kind::Beat => hash(wire::value::<Beat>(&payload).is_ok()),
            Kind::Messages => read_messages(&payload),
            Kind::SnapshotHead => match wire::next_frame(&mut summed(&payload)) {
                Ok(Some((Kind::Messages, messages))) => read_messages(&messages),
                other => hash(other.is_ok()),
            },
            Kind::Request => match peer::decode::<peer::Request>(&payload) {
                Ok(request) => {
                    twice(&request)?;
                    hash(std::mem::discriminant(&request))
                }
                Err(_) => 0,
            },
            Kind::Response => hash(peer::decode::<peer::Reply>(&payload).map(|r| std::mem::discriminant(&r)).ok()),
            Kind::SnapshotPart | Kind::SnapshotEnd | Kind::Question | Kind::Answer => 1,
        };
        answer.push(hash((kind as u8, outcome)));
    }
    Ok(hash(answer))
}

#[test]
fn frames_of_peers() {
    Target { name: "peer", examples: some_frames(), words: Vec::new(), read: &read_frames, tries: 60_000 }.run();
}

fn client_frame(kind: u8, body: &[u8]) -> Vec<u8> {
    [&[kind][..], &(body.len() as u32 + 4).to_be_bytes(), body].concat()
}

fn read_client(input: &[u8]) -> Result<u64, String> {
    let mut answer = Vec::new();
    for encoding in [
        Encoding::UTF8,
        Encoding::named("LATIN1").map_err(|e| e.message)?,
        Encoding::named("SJIS").map_err(|e| e.message)?,
    ] {
        let mut bytes = BytesMut::from(input);
        for _ in 0..6 {
            let before = bytes.len();
            match next_request(&mut bytes, encoding) {
                Ok(None) => break,
                Ok(Some(request)) => {
                    if bytes.len() >= before {
                        return Err("a message of no length".to_owned());
                    }
                    let invalid = matches!(request, quorate::session::Request::Invalid { .. });
                    answer.push(hash((std::mem::discriminant(&request), invalid, request.weight() > 64)));
                }
                Err(error) => {
                    answer.push(hash((error.code.as_str().to_owned(), error.message.get(..12).map(str::to_owned))));
                    break;
                }
            }
        }
    }
    Ok(hash(answer))
}

#[test]
fn messages_of_clients() {
    let examples = vec![
        client_frame(b'Q', b"SELECT 1\0"),
        client_frame(b'P', b"s\0SELECT $1\0\0\x01\0\0\0\x17"),
        client_frame(b'B', b"p\0s\0\0\x01\0\x01\0\x02\0\0\0\x01x\xff\xff\xff\xff\0\x01\0\x00"),
        [client_frame(b'D', b"Sname\0"), client_frame(b'E', b"p\0\0\0\0\x05"), client_frame(b'S', b"")].concat(),
        [client_frame(b'C', b"Pname\0"), client_frame(b'H', b""), client_frame(b'X', b"")].concat(),
        [client_frame(b'd', b"1\tx\n"), client_frame(b'c', b""), client_frame(b'f', b"no\0")].concat(),
    ];
    let words = b"QPBDECHSdcfXFp".iter().map(|kind| client_frame(*kind, b"")).collect();
    Target { name: "client", examples, words, read: &read_client, tries: 60_000 }.run();
}

const TYPES: &[(Type, &str)] = &[
    (Type::BOOL, "true"),
    (Type::BYTEA, "\\x00ff"),
    (Type::CHAR, "x"),
    (Type::NAME, "name"),
    (Type::INT8, "-9223372036854775808"),
    (Type::INT2, "-32768"),
    (Type::INT4, "2147483647"),
    (Type::TEXT, "täxt"),
    (Type::OID, "4294967295"),
    (Type::JSON, "{\"a\": [1, null, 1e5]}"),
    (Type::JSONB, "{\"a\": [1, null, \"\\u00e4\"]}"),
    (Type::JSONPATH, "$.a[*] ? (@ > 1)"),
    (Type::FLOAT4, "1.5e-40"),
    (Type::FLOAT8, "-Infinity"),
    (Type::BPCHAR, "ab "),
    (Type::VARCHAR, "abc"),
    (Type::DATE, "4714-11-24 BC"),
    (Type::TIME, "24:00:00"),
    (Type::TIMESTAMP, "294276-12-31 23:59:59.999999"),
    (Type::TIMESTAMPTZ, "2024-02-29 12:00:00+05:30"),
    (Type::INTERVAL, "-1 year 2 mons -3 days 04:05:06.7"),
    (Type::TIMETZ, "12:00:00+15:59"),
    (Type::NUMERIC, "-12345678901234567890.000123"),
    (Type::UUID, "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"),
    (Type::INT4_ARRAY, "[2:3][0:0]={{1},{NULL}}"),
    (Type::TEXT_ARRAY, "{\"a,\\\"b\",NULL,\"\"}"),
    (Type::NUMERIC_ARRAY, "{NaN,1.0,-0}"),
    (Type::TIMESTAMPTZ_ARRAY, "{infinity,\"2000-01-01 00:00:00+00\"}"),
];

/// The first byte says which type.
fn read_value(input: &[u8], binary_form: bool) -> Result<u64, String> {
    let Some((which, rest)) = input.split_first() else { return Ok(0) };
    let (ty, _) = TYPES[usize::from(*which) % TYPES.len()];
    let env = Env::default();
    let read = match (binary_form, std::str::from_utf8(rest)) {
        (true, _) => binary::parse_binary(ty, -1, rest, &env),
        (false, Ok(rest)) => text::parse_text(ty, -1, rest, &env),
        (false, Err(_)) => return Ok(1),
    };
    let value = match read {
        Ok(value) => value,
        Err(error) if error.code.as_str() == "XX000" => return Err(format!("{ty:?}: {error}")),
        Err(error) => return Ok(hash((ty.0, error.code.as_str().to_owned()))),
    };
    let broken = |what: &str, error: &dyn std::fmt::Display| format!("{ty:?} {value:?} {what}: {error}");
    let mut out = Vec::new();
    text::write_text(ty, -1, value.as_ref(), &env, &mut out).map_err(|e| broken("has no text", &e))?;
    let written = String::from_utf8(out).map_err(|e| broken("has no text", &e))?;
    let again = text::parse_text(ty, -1, &written, &env).map_err(|e| broken(&written, &e))?;
    let mut twice = Vec::new();
    text::write_text(ty, -1, again.as_ref(), &env, &mut twice)
        .map_err(|e| broken("has no text the second time", &e))?;
    if twice != written.as_bytes() {
        return Err(broken("is written in two ways", &format!("{written} and {}", String::from_utf8_lossy(&twice))));
    }
    let mut out = Vec::new();
    if let Err(error) = binary::write_binary(ty, -1, value.as_ref(), &env, &mut out) {
        return if error.code.as_str() == "XX000" { Err(broken("has no binary form", &error)) } else { Ok(2) };
    }
    let again =
        binary::parse_binary(ty, -1, &out, &env).map_err(|e| broken("cannot be read back from its binary form", &e))?;
    let mut twice = Vec::new();
    binary::write_binary(ty, -1, again.as_ref(), &env, &mut twice)
        .map_err(|e| broken("has no second binary form", &e))?;
    if out != twice {
        return Err(broken("has two binary forms", &format!("{out:?} and {twice:?}")));
    }
    Ok(hash((ty.0, written.len().min(40))))
}

#[test]
fn values_in_text() {
    let example = |(which, (_, text)): (usize, &(Type, &str))| [&[which as u8][..], text.as_bytes()].concat();
    let examples = TYPES.iter().enumerate().map(example).collect();
    let words: Vec<Vec<u8>> = [
        "infinity",
        "-infinity",
        "NaN",
        "1e1000",
        "e-9999999",
        "BC",
        "24:00",
        "{}",
        "{{",
        "}}",
        "NULL",
        "\"",
        "\\",
        "epoch",
        "now",
        "0x",
        "1_000",
        "Europe/Berlin",
        "+14",
        "PT1S",
        "P1Y",
        "99999999999999999999",
        "ago",
        "null",
        "[1:2]=",
        "\\x",
    ]
    .iter()
    .map(|word| word.as_bytes().to_vec())
    .collect();
    Target { name: "text", examples, words, read: &|input| read_value(input, false), tries: 60_000 }.run();
}

#[test]
fn values_in_binary() {
    let example = |(which, (ty, text)): (usize, &(Type, &str))| {
        let env = Env::default();
        let value = text::parse_text(*ty, -1, text, &env).unwrap_or_else(|e| panic!("{text}: {e}"));
        let mut out = vec![which as u8];
        binary::write_binary(*ty, -1, value.as_ref(), &env, &mut out).unwrap_or_else(|e| panic!("{text}: {e}"));
        out
    };
    let examples = TYPES.iter().enumerate().map(example).collect();
    Target { name: "binary", examples, words: Vec::new(), read: &|input| read_value(input, true), tries: 60_000 }.run();
}

#[test]
fn membership_is_read_as_it_was_written() {
    let membership = quorate::replica::Membership { voters: vec![ReplicaId(1), ReplicaId(7)], ..Default::default() };
    let read = |input: &[u8]| match command::decode::<quorate::replica::Membership>(input) {
        Ok(membership) => twice(&membership).map(|()| membership.voters.len().min(9) as u64),
        Err(error) => Ok(hash(error.to_string())),
    };
    let examples = vec![command::encode(&membership).to_vec()];
    Target { name: "membership", examples, words: Vec::new(), read: &read, tries: 20_000 }.run();
}
