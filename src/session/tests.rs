//! Scripts: what a client sends, and everything that comes out of its session.
//!
//! A line beginning with `>` is a message: `Q text` (Query), `P name text` (Parse), `B portal statement args…` (Bind),
//! `D S name` or `D P name`, `E portal max`, `C S name`, `F`lush, `S`ync, `d text` (CopyData), `c` (CopyDone),
//! `f reason` (CopyFail). The lines below it are the effects. The world outside answers at once: a read of
//! `series(n)` has n rows and any other has one, a write changes one row in each step, `fail` in its SQL makes it fail
//! with 23505, `drift` makes the schema move on before it, once.

use super::testing::Toy;
use super::*;
use crate::command::Write;
use crate::sql::allowance::Allowance;
use crate::sql::catalog::{Catalog, Relation, RelationKind, Source};
use crate::value::Value;
use bytes::Bytes;
use std::collections::HashMap;
use std::fmt::Write as _;

struct Client {
    session: Session,
    world: World,
    cursors: HashMap<CursorId, u64>,
    drifted: bool,
    /// Made by other nodes: visible after a barrier.
    elsewhere: Vec<String>,
    /// Whatever is waited for does not come in time.
    stuck: bool,
    log: String,
}

fn relation(name: &str) -> ((String, String), Arc<Relation>) {
    let relation = Relation {
        oid: 20000,
        schema: "public".into(),
        name: name.into(),
        kind: RelationKind::Table,
        source: Source::Table(name.into()),
        columns: Vec::new(),
        constraints: Vec::new(),
        indexes: Vec::new(),
        unlogged: false,
        options: vec![],
    };
    (("public".into(), name.into()), Arc::new(relation))
}

impl Client {
    fn new() -> Client {
        let mut catalog = Catalog { version: 1 << 32, ..Catalog::default() };
        catalog.relations.extend([relation("t")]);
        let allowance = Allowance::brief();
        let world = World {
            catalog: Arc::new(catalog),
            applied: 40,
            defined: 0,
            now: 1_000_000,
            seed: 7,
            allowance,
            databases: Default::default(),
            version: crate::version::LATEST,
        };
        let mut settings = Settings::new("ann", ("quorate", crate::id::HOME), false);
        settings.changed_reports();
        let id = Identity { user: "ann".into(), database: "quorate".into(), pid: 5, origin: 99, inner: false };
        let limits = Limits { copy: 4096, cursor: 100_000, names: 8 };
        let session = Session::new(id, limits, settings, Arc::new(Toy), Arc::default());
        let cursors = HashMap::new();
        Client {
            session,
            world,
            cursors,
            drifted: false,
            elsewhere: vec!["late".into()],
            stuck: false,
            log: String::new(),
        }
    }

    fn send(&mut self, line: &str) {
        let _ = writeln!(self.log, "> {line}");
        self.session.receive(request(line));
        let mut effects = Vec::new();
        for round in 0.. {
            assert!(round < 1000, "the session does not come to an end: {}", self.log);
            self.session.advance(&self.world, &mut effects);
            self.world.allowance = Allowance::brief();
            let mut answer = None;
            for effect in effects.drain(..) {
                answer = self.perform(effect);
            }
            match answer {
                Some(answer) => self.session.answer(answer),
                None => return,
            }
        }
    }

    fn say(&mut self, text: String) {
        let _ = writeln!(self.log, "{text}");
    }

    fn perform(&mut self, effect: Effect) -> Option<Answer> {
        match effect {
            Effect::Send(message) => self.say(shown(&message)),
            Effect::Rows { rows, .. } | Effect::CopyRows { rows, .. } => self.say(format!("rows {rows:?}")),
            Effect::Flush => self.say("flush".into()),
            Effect::Close => self.say("close".into()),
            Effect::Rollback => self.say("roll back".into()),
            Effect::Keep(cursor) => self.say(format!("keep {}", cursor.0)),
            Effect::Rewind(cursor) => self.say(format!("rewind {}", cursor.0)),
            Effect::Listen(channels) => self.say(format!("listen to {channels:?}")),
            Effect::Advise { order, .. } => self.say(format!("advise {order:?}")),
            Effect::Release(cursor) => {
                self.cursors.remove(&cursor);
                self.say(format!("release {}", cursor.0));
            }
            Effect::Ask(ask) => return Some(self.ask(*ask)),
        }
        None
    }

    fn ask(&mut self, ask: Ask) -> Answer {
        let late = || SqlError::new(state::QUERY_CANCELED, "canceling statement due to statement timeout");
        match ask {
            Ask::Barrier | Ask::CatchUp if self.stuck => Answer::Barrier(Err(late())),
            Ask::Turn { .. } if self.stuck => Answer::Turn(Err(late())),
            Ask::Order { order, user, .. } => {
                self.say(format!("ask {order:?} for {user}"));
                Answer::Ordered(Ok(Vec::new()))
            }
            Ask::Advisory { order, .. } => {
                self.say(format!("ask {order:?}"));
                Answer::Advisory(Ok(crate::gateway::Told::No))
            }
            Ask::Barrier => {
                self.say("ask barrier".into());
                for name in std::mem::take(&mut self.elsewhere) {
                    self.move_schema(&name);
                }
                Answer::Barrier(Ok(()))
            }
            Ask::CatchUp => {
                self.say("ask to catch up".into());
                self.world.applied = self.world.defined;
                self.move_schema("own");
                Answer::Barrier(Ok(()))
            }
            Ask::Turn { long, bytes } => {
                self.say(format!("ask turn{} of {bytes} bytes", if long { ", long," } else { "" }));
                self.world.allowance = if long { Allowance::within(Box::new(|| Ok(()))) } else { Allowance::brief() };
                Answer::Turn(Ok(()))
            }
            Ask::Open { cursor, read } => {
                self.say(format!("ask open {} {} {:?}", cursor.0, read.sql, read.params));
                if read.schema_version != self.world.catalog.version || self.drifts(&read.sql) {
                    return Answer::Opened(Err(Failure::SchemaChanged));
                }
                let rows = read.sql.split_once("series(").and_then(|(_, n)| n.split_once(')'));
                self.cursors.insert(cursor, rows.and_then(|(n, _)| n.parse().ok()).unwrap_or(1));
                Answer::Opened(Ok(()))
            }
            Ask::Fetch { cursor, max, sink } => {
                let left = self.cursors.get_mut(&cursor).expect("an open result");
                let count = max.min(*left);
                *left -= count;
                // Like SQLite: the end is seen only when one asks beyond it.
                let done = count < max;
                let shown = if max == u64::MAX { "all".to_owned() } else { max.to_string() };
                let (to, rows) = match sink {
                    Sink::Client(_) => ("client", Vec::new()),
                    Sink::Copy(_) => ("copy", Vec::new()),
                    Sink::Nowhere { .. } => ("nowhere", Vec::new()),
                    Sink::Session { .. } => ("session", (1..=count).map(|i| vec![Value::Int(i as i64)]).collect()),
                };
                self.say(format!("ask fetch {} {shown} to {to}: {count}{}", cursor.0, if done { ", end" } else { "" }));
                Answer::Fetched(Ok(Fetch { count, done, rows: rows.into(), place: Vec::new() }))
            }
            Ask::Write { request, write, .. } => {
                self.say(format!("ask write {request} born {} {}", write.born, steps(&write)));
                self.write(write)
            }
            Ask::Try { request, trial } => {
                let (schema_version, born, env) = (trial.schema_version, trial.born, trial.env);
                let steps_of = trial.statements.into_iter().map(|s| s.step).collect();
                let write = Write { schema_version, born, env, steps: steps_of, transaction: None };
                self.say(format!("ask try {request} born {born} {}", steps(&write)));
                self.write(write)
            }
            Ask::Steps { begin, statements } => {
                let schema_version = statements[0].schema_version.unwrap();
                let steps_of = statements.into_iter().map(|s| s.step).collect();
                let env = Default::default();
                let write = Write { schema_version, born: 0, env, steps: steps_of, transaction: None };
                self.say(format!("ask steps of {}: {}", begin.name, steps(&write)));
                self.write(write)
            }
            Ask::OpenStep { begin, cursor, statement } => {
                let sql = &statement.step.statements[0].sql;
                self.say(format!("ask step of {} as {}: {sql}", begin.name, cursor.0));
                if statement.schema_version != Some(self.world.catalog.version) || self.drifts(sql) {
                    return Answer::Opened(Err(Failure::SchemaChanged));
                }
                let rows = sql.split_once("series(").and_then(|(_, n)| n.split_once(')'));
                self.cursors.insert(cursor, rows.and_then(|(n, _)| n.parse().ok()).unwrap_or(1));
                Answer::Opened(Ok(()))
            }
            Ask::Mark { begin, mark } => {
                self.say(format!("ask {mark:?} of {}", begin.name));
                Answer::Done(Ok(()))
            }
            Ask::LockTables { begin, tables, mode, nowait } => {
                self.say(format!("ask lock {tables:?} {mode:?} {nowait} of {}", begin.name));
                Answer::Done(Ok(()))
            }
            Ask::Check { begin, statement } => {
                self.say(format!("ask check {:?} of {}", statement.immediate, begin.name));
                Answer::Done(Ok(()))
            }
            Ask::Commit => {
                self.say("ask commit".into());
                Answer::Done(Ok(()))
            }
        }
    }

    fn write(&mut self, write: Write) -> Answer {
        if write.schema_version != self.world.catalog.version || self.drifts(&steps(&write)) {
            return Answer::Written(Err(Failure::SchemaChanged));
        }
        let outcome = |s: &crate::command::Step| StepOutcome {
            count: s.params.len() as u64,
            rows: if s.statements[0].sql.contains("returning") {
                (1..=3).map(|i| vec![Value::Int(i)]).collect()
            } else {
                Vec::new()
            },
            drawn: Vec::new(),
        };
        let fails = |s: &crate::command::Step| s.statements.iter().any(|statement| statement.sql.contains("fail"));
        let done = write.steps.iter().take_while(|step| !fails(step)).map(outcome).collect::<Vec<_>>();
        if done.len() < write.steps.len() {
            let error = SqlError::new(state::UNIQUE_VIOLATION, "duplicate key");
            return Answer::Written(Err(Failure::Sql { done, error }));
        }
        if steps(&write).contains("lagging") {
            // Acknowledged to a client of this node, and not applied here yet.
            self.world.defined = self.world.applied + 1;
        }
        Answer::Written(Ok(done))
    }

    fn drifts(&mut self, sql: &str) -> bool {
        let drifts = sql.contains("drift") && !self.drifted;
        if drifts {
            self.drifted = true;
            self.move_schema("other");
        }
        drifts
    }

    fn move_schema(&mut self, name: &str) {
        let catalog = Arc::make_mut(&mut self.world.catalog);
        catalog.version += 1 << 32;
        catalog.relations.extend([relation(name)]);
    }
}

fn steps(write: &Write) -> String {
    let step = |s: &crate::command::Step| format!("{} x{}", s.statements[0].sql, s.params.len());
    write.steps.iter().map(step).collect::<Vec<_>>().join(" + ")
}

fn request(line: &str) -> Request {
    let (kind, rest) = line.split_once(' ').unwrap_or((line, ""));
    let words: Vec<&str> = rest.split(' ').collect();
    let name = |i: usize| words.get(i).map_or(String::new(), |w| w.trim_matches('_').to_owned());
    let target = || if words[0] == "S" { Target::Statement } else { Target::Portal };
    match kind {
        "Q" => Request::Query(rest.to_owned()),
        "P" => Request::Parse { name: name(0), text: words[1..].join(" "), types: Vec::new() },
        "B" => Request::Bind(Bind {
            portal: name(0),
            statement: name(1),
            params: words[2..].iter().map(|w| Some(Bytes::copy_from_slice(w.as_bytes()))).collect(),
            ..Bind::default()
        }),
        "D" => Request::Describe { target: target(), name: name(1) },
        "C" => Request::Close { target: target(), name: name(1) },
        "E" => Request::Execute { portal: name(0), max_rows: words.get(1).map_or(0, |n| n.parse().unwrap()) },
        "F" => Request::Flush,
        "S" => Request::Sync,
        "d" => Request::CopyData(Bytes::from(rest.replace("\\t", "\t").replace("\\n", "\n"))),
        "c" => Request::CopyDone,
        "f" => Request::CopyFail(rest.to_owned()),
        other => panic!("{other}"),
    }
}

fn shown(message: &Message) -> String {
    match message {
        Message::Columns(form) => {
            format!("columns {}", form.columns.iter().map(|c| c.name.as_str()).collect::<Vec<_>>().join(" "))
        }
        Message::Complete(tag) => format!("complete {tag}"),
        Message::Error(e) if e.fatal => format!("fatal {e}"),
        Message::Error(e) => format!("error {e}"),
        Message::Notice(severity, n) => format!("{severity:?} {n}").to_lowercase(),
        Message::Setting { name, value } => format!("setting {name}={value}"),
        Message::Ready(Status::Idle) => "ready I".into(),
        Message::Ready(Status::InBlock) => "ready T".into(),
        Message::Ready(Status::Failed) => "ready E".into(),
        Message::Parameters(types) => format!("parameters {:?}", types.iter().map(|t| t.0).collect::<Vec<_>>()),
        Message::CopyIn(_) => "copy in".into(),
        Message::CopyOut(_) => "copy out".into(),
        other => format!("{other:?}"),
    }
}

/// Plays the `>` lines of a file and compares all that happens with the rest of it. `#` begins a comment, `---` a
/// new client. With `UPDATE_SCRIPTS` set, the file is rewritten instead, to be read as a diff.
fn script(name: &str) {
    let path = format!("{}/src/session/scripts/{name}.txt", env!("CARGO_MANIFEST_DIR"));
    let expected = std::fs::read_to_string(&path).expect("a script");
    let mut client = Client::new();
    let mut found = String::new();
    for line in expected.lines() {
        match line.strip_prefix("> ") {
            Some(message) => client.send(message),
            None if line == "---" => {
                found.push_str(&std::mem::replace(&mut client, Client::new()).log);
                found.push_str("---\n");
            }
            None if line.starts_with('#') || line.is_empty() => client.say(line.to_owned()),
            None => {}
        }
    }
    found.push_str(&client.log);
    if std::env::var_os("UPDATE_SCRIPTS").is_some() {
        std::fs::write(&path, found).expect("a writable script");
    } else {
        assert!(found == expected, "found:\n{found}\nexpected:\n{expected}");
    }
}

/// What is too long to be compiled where it came in asks for another place, and is one statement all the same.
#[test]
fn long_texts_are_compiled_elsewhere() {
    let mut client = Client::new();
    let number = client.session.statement();
    client.send(&format!("Q select {} as a", " ".repeat(1 << 20)));
    let asked = client.log.lines().filter(|line| line.starts_with("ask turn, long, of 1048")).count();
    assert_eq!(asked, 1, "{}", &client.log[client.log.len() - 300..]);
    // The text itself, and its statement.
    assert_eq!(client.session.statement(), number + 2);
    client.send("Q select 1 as b; select 2 as c");
    assert!(!client.log.contains("ask turn of"), "{}", &client.log[client.log.len() - 300..]);
}

#[test]
fn simple_queries() {
    script("simple_queries");
}

#[test]
fn blocks() {
    script("blocks");
}

#[test]
fn extended() {
    script("extended");
}

#[test]
fn portals_and_cursors() {
    script("portals_and_cursors");
}

#[test]
fn a_moving_schema() {
    script("a_moving_schema");
}

#[test]
fn copy() {
    script("copy");
}

#[test]
fn settings_are_reported_and_rolled_back() {
    script("settings_are_reported_and_rolled_back");
}

#[test]
fn listening() {
    script("listening");
}

#[test]
fn pipelines() {
    script("pipelines");
}

/// Its node does not get to know what its clients know, or has no time for what takes long.
#[test]
fn a_message_that_cannot_be_carried_out_fails_once() {
    let (parse, long) = ("P _ select 1 as a from t", "x".repeat(1 << 20));
    let messages = |first: &str| [first, "B _ _", "E _ 0", "S"].map(str::to_owned).to_vec();
    let simple = |text: &str| vec![format!("Q {text}")];
    for (behind, sent) in [
        (true, messages(parse)),
        (true, simple("select 1 as a from t; select 2 as b from t")),
        (false, messages("P _ select 1 as a from nobody")),
        (false, simple("select 1 as a from nobody")),
        (false, messages(&format!("P _ select {long}"))),
        (false, simple(&format!("select {long}"))),
    ] {
        let mut client = Client::new();
        client.stuck = true;
        client.world.defined = client.world.applied + u64::from(behind);
        sent.iter().for_each(|message| client.send(message));
        assert_eq!(
            ["57014", "error", "ready I"].map(|what| client.log.matches(what).count()),
            [1; 3],
            "{}",
            client.log
        );
        // It goes on when its node can.
        client.stuck = false;
        client.log.clear();
        client.send("Q select 3 as c from t");
        assert!(client.log.contains("complete SELECT 1"), "{}", client.log);
    }
}

#[test]
fn what_took_too_long_to_compile_is_not_compiled_again() {
    let stale = |code| super::may_be_stale(&SqlError::new(code, ""));
    assert!(stale(state::UNDEFINED_TABLE) && stale(state::UNDEFINED_COLUMN) && stale(state::DUPLICATE_TABLE));
    for code in [
        state::QUERY_CANCELED,
        state::OUT_OF_MEMORY,
        state::STATEMENT_TOO_COMPLEX,
        state::PROGRAM_LIMIT_EXCEEDED,
        state::SYNTAX_ERROR,
    ] {
        assert!(!stale(code), "{code:?}");
    }
}
