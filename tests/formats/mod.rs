//! What is stored and spoken, as text: a change of a layout is a change of a file here.
//!
//! `*.schema` list every type of a format with its variants and fields, in the order in which they are encoded, as its
//! deserializer asks for them. `bytes.txt` has examples as bytes: how these things are written. A test that fails here says
//! that a layout has changed. If nothing of it was released, record it anew (`QUORATE_RECORD_FORMATS=1 cargo test --test tests
//! formats::`). Otherwise only what is appended to an enum, and not written before the group's version allows it, is recorded
//! anew; anything else is a new version of the format beside the old one (`src/version.rs`).

use bytes::Bytes;
use quorate::backup::manifest::{self, Manifest};
use quorate::backup::piece::{self, Key, Sum};
use quorate::cluster::founding;
use quorate::command::{
    self, AdvisoryKey, AdvisoryOrder, Batch, Command, Definition, Isolation, Outcome, Proposal, Refusal, Shape,
    Statement, Step, Write, Yields,
};
use quorate::error::{SqlError, state};
use quorate::gateway::peer;
use quorate::id::{GroupId, NodeId, ReplicaId, RequestId};
use quorate::locks::{Mode, Target};
use quorate::raftlog::GroupRecord;
use quorate::replica::{Membership, SnapshotMeta};
use quorate::sql::catalog::{self, ConstraintKind, RelationKind, Source};
use quorate::sql::plan::{Effort, LockMode, LockStrength, LockWait, RowChange, RowId};
use quorate::transaction;
use quorate::transport::wire::{self, Hello, Kind, Lane, MAGIC, PeerIdentity, Welcome};
use quorate::transport::{Beat, Envelope};
use quorate::types::{DateOrder, DateOutput, IntervalStyle};
use quorate::value::Value;
use raft::eraftpb;
use serde_reflection::{ContainerFormat, Format, Named, Registry, Samples, Tracer, TracerConfig, VariantFormat};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/formats").join(name)
}

/// Compares with what is recorded, or records it.
fn check(name: &str, now: &str) {
    let path = file(name);
    if std::env::var_os("QUORATE_RECORD_FORMATS").is_some() {
        std::fs::write(&path, now).expect("the source tree can be written");
    }
    let recorded = std::fs::read_to_string(&path).expect("a recorded format");
    let different = recorded.lines().zip(now.lines()).find(|(before, after)| before != after);
    assert!(recorded == now, "{name} is not what it was: {different:?}; see tests/formats/mod.rs");
}

/// Traces types into one registry.
macro_rules! schema {
    ($($ty:ty),* $(,)?) => {{
        let mut tracer = Tracer::new(TracerConfig::default().record_samples_for_newtype_structs(true));
        let samples = Samples::new();
        $(tracer.trace_type::<$ty>(&samples).unwrap_or_else(|e| panic!("{}: {e}: {}", stringify!($ty), e.explanation()));)*
        text(&tracer.registry().unwrap_or_else(|e| panic!("{e}: {}", e.explanation())))
    }};
}

fn text(registry: &Registry) -> String {
    let mut out = String::new();
    for (name, container) in registry {
        match container {
            ContainerFormat::UnitStruct => writeln!(out, "{name}"),
            ContainerFormat::NewTypeStruct(inner) => writeln!(out, "{name} = {}", shape(inner)),
            ContainerFormat::TupleStruct(parts) => writeln!(out, "{name} = {}", list(parts)),
            ContainerFormat::Struct(fields) => writeln!(out, "{name} {}", named(fields)),
            ContainerFormat::Enum(variants) => {
                let _ = writeln!(out, "{name}:");
                for (number, variant) in variants {
                    let _ = writeln!(out, "  {number} {}{}", variant.name, variant_text(&variant.value));
                }
                Ok(())
            }
        }
        .expect("a string takes anything");
    }
    out
}

fn variant_text(variant: &VariantFormat) -> String {
    match variant {
        VariantFormat::Unit => String::new(),
        VariantFormat::NewType(inner) => format!(" {}", shape(inner)),
        VariantFormat::Tuple(parts) => format!(" {}", list(parts)),
        VariantFormat::Struct(fields) => format!(" {}", named(fields)),
        VariantFormat::Variable(_) => " ?".to_owned(),
    }
}

fn list(parts: &[Format]) -> String {
    format!("({})", parts.iter().map(shape).collect::<Vec<_>>().join(", "))
}

fn named(fields: &[Named<Format>]) -> String {
    let fields: Vec<String> = fields.iter().map(|f| format!("{}: {}", f.name, shape(&f.value))).collect();
    format!("{{ {} }}", fields.join(", "))
}

fn shape(format: &Format) -> String {
    match format {
        Format::TypeName(name) => name.clone(),
        Format::Option(inner) => format!("{}?", shape(inner)),
        Format::Seq(inner) => format!("[{}]", shape(inner)),
        Format::Map { key, value } => format!("{{{} => {}}}", shape(key), shape(value)),
        Format::Tuple(parts) => list(parts),
        Format::TupleArray { content, size } => format!("[{}; {size}]", shape(content)),
        plain => format!("{plain:?}").to_lowercase(),
    }
}

#[test]
fn the_log_is_what_was_recorded() {
    check(
        "log.schema",
        &schema!(
            Batch,
            Command,
            Outcome,
            Membership,
            SnapshotMeta,
            GroupRecord,
            Vec<(ReplicaId, NodeId)>,
            AdvisoryKey,
            AdvisoryOrder,
            Definition,
            DateOrder,
            DateOutput,
            IntervalStyle,
            Isolation,
            Refusal,
            Shape,
            Value,
            Yields,
        ),
    );
}

#[test]
fn what_nodes_say_to_each_other_is_what_was_recorded() {
    check(
        "peers.schema",
        &schema!(
            Hello,
            Welcome,
            Lane,
            Beat,
            SnapshotMeta,
            founding::Question,
            founding::Answer,
            peer::Request,
            peer::Transaction,
            peer::Reply,
            transaction::Action,
            transaction::Reply,
            transaction::Kind,
            Outcome,
            Refusal,
            Isolation,
            Definition,
            Shape,
            Yields,
            Value,
            DateOrder,
            DateOutput,
            IntervalStyle,
            Target,
            Mode,
            Effort,
            LockMode,
            LockStrength,
            LockWait,
            RowChange,
            RowId,
            catalog::Action,
            ConstraintKind,
            catalog::Identity,
            RelationKind,
            Source,
        ),
    );
}

/// Examples whose encoding does not follow from the schema alone: integers, texts, floats, frames.
#[test]
fn the_bytes_are_what_was_recorded() {
    let mut out = String::new();
    let mut example = |name: &str, bytes: &[u8]| writeln!(out, "{name} {}", hex(bytes)).expect("a string");
    let write = Write {
        schema_version: 300,
        born: 7,
        env: Default::default(),
        steps: vec![Step {
            statements: vec![Statement::new("INSERT INTO \"public.t\" VALUES (?1, ?2, ?3, ?4, ?5)", Yields::Count)],
            params: vec![vec![
                Value::Null,
                Value::Int(-70_000),
                Value::Real(0.1),
                Value::Text("Größe".into()),
                Value::Blob(vec![0, 255]),
            ]],
            ..Step::default()
        }],
        transaction: None,
    };
    let body = command::encode(&Command::Write(write));
    let batch = Batch {
        now: -1,
        seed: u64::MAX,
        commands: vec![Proposal { request: RequestId { origin: 1, seq: 300 }, body: body.clone() }],
    };
    example("command", &body);
    example("batch", &command::encode(&batch));
    example(
        "outcome",
        &command::encode(&Outcome::Failed { step: 1, error: SqlError::new(state::UNIQUE_VIOLATION, "no") }),
    );
    let from = PeerIdentity { cluster: 1 << 100, node: NodeId(2), incarnation: 3 };
    let hello = Hello {
        magic: MAGIC,
        version: 3,
        oldest: 3,
        lane: Lane::Bulk,
        from: from.clone(),
        to: NodeId(1),
        to_incarnation: 4,
        address: "[::1]:7433".into(),
    };
    let mut frame = Vec::new();
    wire::frame_value(&mut frame, Kind::Hello, &hello);
    example("hello", &frame);
    frame.clear();
    wire::frame_value(&mut frame, Kind::Welcome, &Welcome::Accepted(from, 3));
    example("welcome", &frame);
    let mut message =
        eraftpb::Message { to: 1, from: 2, term: 3, log_term: 2, index: 9, commit: 8, ..Default::default() };
    message.set_msg_type(eraftpb::MessageType::MsgAppend);
    let entry = eraftpb::Entry { term: 3, index: 10, data: Bytes::from_static(b"data"), ..Default::default() };
    message.set_entries(vec![entry].into());
    frame.clear();
    wire::encode_messages(&mut frame, [Envelope { group: GroupId(2), message }].iter());
    example("append", &frame);
    let key = Key::parse(&Key::text([7; 32])).expect("a key");
    let sum = Sum::of(b"content");
    let database = manifest::Database {
        name: "shop".into(),
        digest: "00000000000000ff".into(),
        length: 7,
        pieces: vec![sum],
        ..Default::default()
    };
    let backup = Manifest { id: "20260102T030405Z-ab12".into(), databases: vec![database], ..Default::default() };
    example("manifest", &manifest::encode(&backup, None, [1; 12]));
    example("sealed manifest", &manifest::encode(&backup, Some(&key), [1; 12]));
    example("piece's name", piece::name(sum, Some(&key)).as_bytes());
    example("sealed piece", &piece::wrap(sum, b"content".to_vec(), Some(&key)));
    check("bytes.txt", &out);
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// A migration that was released is never changed: others have run it as it was.
#[test]
fn migrations_are_what_was_recorded() {
    let mut out = String::new();
    for (room, steps) in
        [("database", quorate::sql::database_migrations()), ("system", quorate::sql::system_migrations())]
    {
        for step in steps {
            let sum = xxhash_rust::xxh3::xxh3_64(step.script.as_bytes());
            writeln!(out, "{room} {} since {} {sum:016x}", step.number, step.since).expect("a string");
        }
    }
    check("migrations.txt", &out);
}

/// What a log, an index or a generated column may call. One that was released stays, with as many arguments and the same
/// meaning: what means something else has another name, or another number of arguments.
#[test]
fn functions_are_what_was_recorded() {
    let scalars = quorate::functions::scalars().map(|f| format!("{} {}\n", f.name, f.args));
    let aggregates = quorate::functions::aggregates().map(|a| format!("{} {} aggregate\n", a.name, a.args));
    let all: std::collections::BTreeSet<String> = scalars.chain(aggregates).collect();
    check("functions.txt", &all.into_iter().collect::<String>());
}
