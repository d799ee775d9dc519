//! Text scripts of SQL with the output that PostgreSQL gives.
//!
//! A script is a sequence of blocks with an empty line between them: lines of one simple query (one statement, or
//! several), then the expected output in lines that begin with `-->`. Lines that begin with `--<` are what a
//! `COPY … FROM STDIN` is fed. A line that begins with `--` and a space, or with `---`, is a comment. Where Quorate
//! differs from PostgreSQL by decision, lines that begin with `--!>` say what Quorate answers, and a comment says why.
//! Lines that begin with `--?>` say what Quorate answers for now: a gap that is known and not yet closed.
//!
//! Output is: a line with each column's name and type, a line for each row, the command tag, or the error's SQLSTATE,
//! message, detail and names; NULL is `∅`. Everything runs twice: by the simple protocol, and, if the block is one
//! statement, by the extended protocol.
//!
//! With `QUORATE_RECORD=PORT` the scripts run on the PostgreSQL (user and database `postgres`) at that port of
//! loopback instead, in a schema of their own, and the expected output is written into the files. With
//! `QUORATE_ACCEPT=1` what Quorate answers otherwise is written as a known gap, and gaps that are closed are removed.
//! The scripts run once more inside of transaction blocks, see `blocks`.
//! `QUORATE_SCRIPT=NAME` takes only the scripts with that in their path. Scripts of several sessions at once are in
//! `isolation`.

mod blocks;
mod isolation;

use crate::support::cluster::Cluster;
use crate::support::in_time;
use crate::support::raw::{self, Message, Raw};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

#[derive(Clone, Debug, Default, PartialEq)]
struct Block {
    /// Number of the first line in the file, from 1.
    line: usize,
    comments: Vec<String>,
    sql: Vec<String>,
    copy: Vec<String>,
    expected: Vec<String>,
    /// What Quorate answers, where it differs.
    ours: Vec<String>,
    /// What Quorate answers until a gap is closed.
    gap: Vec<String>,
}

impl Block {
    fn sql(&self) -> String {
        self.sql.join("\n")
    }

    fn expected_here(&self) -> &[String] {
        if self.ours.is_empty() { &self.expected } else { &self.ours }
    }
}

/// The scripts in a folder; only those with `QUORATE_SCRIPT` in their name, if that is set.
fn scripts(folder: &str) -> Vec<PathBuf> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sql").join(folder);
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(dir).expect("the folder of scripts").map(|e| e.expect("an entry").path()).collect();
    let wanted = std::env::var("QUORATE_SCRIPT").unwrap_or_default();
    files.retain(|f| f.extension().is_some_and(|e| e == "sql") && f.to_string_lossy().contains(&wanted));
    files.sort();
    files
}

fn parse(text: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut block = Block::default();
    for (number, line) in text.lines().chain([""]).enumerate() {
        if line.trim().is_empty() {
            if block != Block::default() {
                blocks.push(std::mem::take(&mut block));
            }
            continue;
        }
        if block.line == 0 {
            block.line = number + 1;
        }
        let rest = |prefix: &str| line.strip_prefix(prefix).map(|r| r.strip_prefix(' ').unwrap_or(r).to_owned());
        if let Some(text) = rest("-->") {
            block.expected.push(text);
        } else if let Some(text) = rest("--!>") {
            block.ours.push(text);
        } else if let Some(text) = rest("--?>") {
            block.gap.push(text);
        } else if let Some(text) = rest("--<") {
            block.copy.push(text);
        } else if line.starts_with("-- ") || line.starts_with("---") {
            block.comments.push(line.to_owned());
        } else {
            block.sql.push(line.to_owned());
        }
    }
    blocks
}

fn render(blocks: &[Block]) -> String {
    let mut out = String::new();
    for block in blocks {
        if !out.is_empty() {
            out.push('\n');
        }
        let mut lines = |prefix: &str, lines: &[String]| {
            for line in lines {
                let space = if prefix.is_empty() || line.is_empty() { "" } else { " " };
                let _ = writeln!(out, "{prefix}{space}{line}");
            }
        };
        lines("", &block.comments);
        lines("", &block.sql);
        lines("--<", &block.copy);
        lines("-->", &block.expected);
        lines("--!>", &block.ours);
        lines("--?>", &block.gap);
    }
    out
}

/// The name of a type, or `user` for one that was created.
fn type_name(oid: u32) -> String {
    let name = match oid {
        16 => "bool",
        17 => "bytea",
        18 => "char1",
        19 => "name",
        20 => "int8",
        21 => "int2",
        23 => "int4",
        25 => "text",
        26 => "oid",
        114 => "json",
        700 => "float4",
        701 => "float8",
        705 => "unknown",
        1000 => "bool[]",
        1005 => "int2[]",
        1007 => "int4[]",
        1009 => "text[]",
        1015 => "varchar[]",
        1016 => "int8[]",
        1022 => "float8[]",
        1042 => "bpchar",
        1043 => "varchar",
        1082 => "date",
        1083 => "time",
        1114 => "timestamp",
        1184 => "timestamptz",
        1186 => "interval",
        1231 => "numeric[]",
        1266 => "timetz",
        1700 => "numeric",
        2205 => "regclass",
        2206 => "regtype",
        2249 => "record",
        2278 => "void",
        2950 => "uuid",
        2951 => "uuid[]",
        3802 => "jsonb",
        16384.. => "user",
        _ => return oid.to_string(),
    };
    name.to_owned()
}

/// What came back, as lines.
fn show(messages: &[Message]) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    // Where the columns of a result without rows so far are.
    let mut heads = None;
    for message in messages {
        heads = match message.tag {
            b'T' => Some(lines.len()),
            b'E' => heads,
            _ => None,
        };
        let line = match message.tag {
            b'T' => {
                let columns: Vec<String> =
                    message.columns().iter().map(|(name, oid)| format!("{name} {}", type_name(*oid))).collect();
                columns.join(" | ")
            }
            b'D' => {
                let values: Vec<String> =
                    message.values().into_iter().map(|v| v.unwrap_or_else(|| "∅".into())).collect();
                values.join(" | ")
            }
            b'C' => message.text(),
            b'I' => "(empty)".into(),
            b'd' => message.text().trim_end_matches('\n').to_owned(),
            b'E' => {
                // Whether the columns are announced before an error is found depends on when it is found.
                if let Some(last) = heads.take() {
                    lines.truncate(last);
                }
                show_error(&message.error())
            }
            b'N' => format!("{}: {}", message.error().get(b'S').unwrap_or(""), message.error().message()),
            _ => continue,
        };
        lines.extend(line.split('\n').map(|l| l.trim_end().to_owned()));
    }
    lines
}

fn show_error(fields: &raw::Fields) -> String {
    let mut out = format!("ERROR {fields}");
    for (field, name) in [(b'D', "detail"), (b't', "table"), (b'c', "column"), (b'd', "type"), (b'n', "constraint")] {
        if let Some(text) = fields.get(field) {
            let _ = write!(out, "\n  {name}: {}", without_now(text));
        }
    }
    out
}

/// A row that was refused may hold the moment at which it was.
fn without_now(text: &str) -> String {
    let is_now =
        |value: &str| value.len() > 24 && value.starts_with("20") && value.ends_with("+00") && value.contains('.');
    text.split(", ").map(|value| if is_now(value) { "now" } else { value }).collect::<Vec<_>>().join(", ")
}

async fn simple(client: &mut Raw, block: &Block) -> std::io::Result<Vec<Message>> {
    client.send(&raw::query(&block.sql())).await?;
    collect(client, block).await
}

async fn extended(client: &mut Raw, block: &Block) -> std::io::Result<Vec<Message>> {
    let sql = block.sql();
    let requests = [raw::parse("", &sql), raw::bind("", "", &[]), raw::describe_portal(""), raw::execute("", 0)];
    client.send(&[requests.concat(), raw::sync()].concat()).await?;
    collect(client, block).await
}

/// Messages until ReadyForQuery; feeds a COPY when asked.
async fn collect(client: &mut Raw, block: &Block) -> std::io::Result<Vec<Message>> {
    let mut messages = Vec::new();
    loop {
        let message = client.receive().await?;
        match message.tag {
            b'Z' => return Ok(messages),
            b'G' => {
                for line in &block.copy {
                    client.send(&raw::frame(b'd', format!("{line}\n").as_bytes())).await?;
                }
                client.send(&raw::frame(b'c', b"")).await?;
            }
            _ => messages.push(message),
        }
    }
}

/// Blocks that make sense in the extended protocol: one statement, which is not a COPY.
fn is_single(block: &Block) -> bool {
    let sql = block.sql();
    let body = sql.trim().trim_end_matches(';');
    !body.contains(';') && block.copy.is_empty() && !body.to_ascii_uppercase().starts_with("COPY")
}

/// What running all scripts has shown.
#[derive(Default)]
struct Outcome {
    blocks: usize,
    /// Blocks that answer neither what is expected nor what is a known gap, as text.
    wrong: Vec<String>,
    known: usize,
    closed: usize,
}

async fn run_all(cluster: &Cluster, by_extended: bool) -> Outcome {
    let accept = std::env::var_os("QUORATE_ACCEPT").is_some() && !by_extended;
    let mut outcome = Outcome::default();
    for (i, path) in scripts("scripts").iter().enumerate() {
        let node = i as u64 % cluster.nodes.len() as u64 + 1;
        let port = cluster.node(node).postgres;
        let mut client = Raw::connect(port).await.expect("connect");
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let mut blocks = parse(&std::fs::read_to_string(path).expect("a script"));
        for block in blocks.iter_mut().filter(|b| !b.sql.is_empty()) {
            let run = async {
                match by_extended && is_single(block) {
                    true => extended(&mut client, block).await,
                    false => simple(&mut client, block).await,
                }
            };
            let found = match in_time(&format!("{name}:{}", block.line), run).await {
                Ok(messages) => show(&messages),
                Err(e) => {
                    client = Raw::connect(port).await.expect("connect again");
                    vec![format!("the connection ended: {e}")]
                }
            };
            outcome.note(&format!("{name}:{} on node-{node}", block.line), block, &found);
            if accept {
                block.gap = if found == block.expected_here() { Vec::new() } else { found };
            }
        }
        if accept {
            std::fs::write(path, render(&blocks)).expect("our own file");
        }
    }
    println!("{} blocks, {} known gaps, {} closed", outcome.blocks, outcome.known, outcome.closed);
    outcome
}

impl Outcome {
    fn note(&mut self, place: &str, block: &Block, found: &[String]) {
        self.blocks += 1;
        if found == block.expected_here() {
            self.closed += usize::from(!block.gap.is_empty());
        } else if found == block.gap {
            self.known += 1;
        } else {
            let text = |lines: &[String]| lines.iter().map(|l| format!("    {l}\n")).collect::<String>();
            let (sql, expected) = (text(&block.sql), text(block.expected_here()));
            self.wrong.push(format!("{place}\n{sql}  expected\n{expected}  found\n{}", text(found)));
        }
    }

    fn check(&self) {
        let (n, total) = (self.wrong.len(), self.blocks);
        assert!(n == 0, "{n} of {total} blocks differ:\n\n{}", self.wrong.join("\n"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn scripts_by_the_simple_protocol() {
    if let Ok(port) = std::env::var("QUORATE_RECORD") {
        return record(port.parse().expect("QUORATE_RECORD is a port")).await;
    }
    let cluster = Cluster::start(3).await;
    let outcome = run_all(&cluster, false).await;
    cluster.wait_converged().await;
    outcome.check();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn scripts_by_the_extended_protocol() {
    if std::env::var_os("QUORATE_RECORD").is_some() {
        return;
    }
    let cluster = Cluster::start(1).await;
    run_all(&cluster, true).await.check();
}

/// Writes what PostgreSQL answers into the scripts.
async fn record(port: u16) {
    for path in scripts("scripts") {
        let mut client = Raw::connect_as(port, "postgres", "postgres").await.expect("connect to PostgreSQL");
        // Quorate's schema is called `public` as well, and errors name it.
        let schema = recorded_schema(&path);
        let prepare = format!("DROP SCHEMA IF EXISTS {schema} CASCADE; CREATE SCHEMA {schema}");
        client.query(&prepare).await.expect("prepare");
        client.query(&recorded_session(&schema)).await.expect("prepare");
        let mut blocks = parse(&std::fs::read_to_string(&path).expect("a script"));
        for block in blocks.iter_mut().filter(|b| !b.sql.is_empty()) {
            let messages = simple(&mut client, block).await.expect("PostgreSQL answers");
            block.expected = show(&messages).iter().map(|l| l.replace(&format!("{schema}."), "")).collect();
        }
        client.query(&format!("DROP SCHEMA {schema} CASCADE")).await.expect("clean up");
        std::fs::write(&path, render(&blocks)).expect("our own file");
    }
}

/// Where a script is recorded.
fn recorded_schema(path: &Path) -> String {
    format!("quorate_{}", path.file_stem().unwrap_or_default().to_string_lossy())
}

/// What makes a session of PostgreSQL like one of Quorate.
fn recorded_session(schema: &str) -> String {
    format!("SET search_path = {schema}; SET timezone = 'UTC'")
}

#[test]
fn scripts_are_written_as_they_are_read() {
    for path in scripts("scripts").into_iter().chain(scripts("isolation")) {
        let text = std::fs::read_to_string(&path).expect("a script");
        assert_eq!(render(&parse(&text)), text, "{}", path.display());
        let unrecorded = parse(&text).iter().filter(|b| !b.sql.is_empty() && b.expected.is_empty()).count();
        assert_eq!(unrecorded, 0, "{}: record with QUORATE_RECORD=PORT", path.display());
    }
}
