//! Two replicas that are given the same commands are equal, however the commands come to them.
//!
//! One applies each entry by itself; the other in groups, and is opened anew now and then. Commands are what the compiler makes
//! of mutated statements of the scripts, so most of them do something, and many fail.

use super::text::scripts;
use crate::sim::node::real_dialect;
use crate::sim::random::Random;
use quorate::command::{self, Batch, Command, Isolation, Proposal, Step, Write};
use quorate::engine::{Engine, Options, Shared};
use quorate::id::RequestId;
use quorate::replica::{Applied, Committed, Payload, Position, StateMachine as _};
use quorate::sql::plan::{Effort, PlanKind};
use quorate::sql::{Scope, compile, database_migrations, parse_within};
use std::path::Path;
use std::sync::Arc;

fn open(directory: &Path) -> (Engine, Arc<Shared>) {
    let mut options = Options::new(directory, real_dialect());
    options.migrations = database_migrations().to_vec();
    // What takes longer fails, on both at the same place.
    options.work = 20_000_000;
    Engine::open(options).expect("a database")
}

/// A statement as a step of a command, if it writes something and takes no parameters.
fn step(text: &str, shared: &Shared) -> Option<Step> {
    let (env, path) = (Default::default(), vec!["public".to_owned()]);
    let allowance = quorate::sql::allowance::Allowance::within(Box::new(|| Ok(())));
    let catalog = shared.catalog();
    let scope = Scope { allowance: &allowance, ..Scope::plain(&catalog, &path, &env, "quorate", "quorate") };
    let parsed = parse_within(text, &allowance).ok()?;
    let [parsed] = &parsed[..] else { return None };
    let plan = compile(parsed, &scope).ok()?;
    let PlanKind::Write(write) = plan.kind else { return None };
    let usable = plan.params.is_empty() && write.effort != Effort::Open;
    usable.then(|| Step { statements: write.statements, params: vec![vec![]], ddl: write.ddl, ..Step::default() })
}

#[test]
fn equal_commands_make_equal_replicas() {
    let setting = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u64>().expect("a number"));
    let seconds = setting("QUORATE_FUZZ_SECONDS").map(std::time::Duration::from_secs);
    let seed = setting("QUORATE_FUZZ_SEED").unwrap_or(1);
    let run = move || {
        let begun = std::time::Instant::now();
        let scripts = scripts();
        let (mut commands, mut round) = (0, 0);
        while seconds.map_or(round < 1, |limit| begun.elapsed() < limit) {
            commands +=
                compare(Random::new(seed * 1_000_003 + round), &scripts, if seconds.is_some() { 1500 } else { 500 });
            round += 1;
        }
        println!("replicas: {commands} commands in {:.1?}", begun.elapsed());
    };
    std::thread::Builder::new()
        .stack_size(64 << 20)
        .spawn(run)
        .expect("a thread")
        .join()
        .expect("the replicas are equal");
}

/// How many commands were applied.
fn compare(mut random: Random, scripts: &[Vec<String>], wanted: u64) -> u64 {
    let directories = [tempfile::tempdir().expect("a directory"), tempfile::tempdir().expect("a directory")];
    let (mut one, shared) = open(directories[0].path());
    let (mut other, mut others) = open(directories[1].path());
    let (mut index, mut commands) = (0, 0);
    let mut waiting: Vec<Committed> = Vec::new();
    let mut outcomes: Vec<Applied> = Vec::new();
    let mut texts = Vec::new();
    let mut rest: Vec<&String> = Vec::new();
    while commands < wanted {
        if rest.is_empty() {
            rest = scripts[random.range(0, scripts.len() as u64) as usize].iter().rev().collect();
        }
        let Some(text) = rest.pop() else { continue };
        let text = if random.one_in(4) { mutate(text, &mut random) } else { text.clone() };
        let mut steps: Vec<Step> = step(&text, &shared).into_iter().collect();
        if steps.is_empty() {
            continue;
        }
        // Some are blocks that do the same twice.
        let transaction = random.one_in(5).then_some(Isolation::ReadCommitted);
        if transaction.is_some() && !steps[0].ddl.any() {
            steps.push(steps[0].clone());
        }
        commands += 1;
        texts.push(text);
        let schema_version = shared.catalog().version;
        let write = Write { schema_version, born: 0, env: Default::default(), steps, transaction };
        // Some arrive twice.
        let request = RequestId { origin: 1, seq: if random.one_in(20) { commands / 2 + 1 } else { commands } };
        let proposal = Proposal { request, body: command::encode(&Command::Write(write)) };
        index += 1;
        let batch = Batch { now: index as i64 * 1000, seed: random.next(), commands: vec![proposal] };
        let at = Position { index, term: 1 };
        let entry = Committed { at, payload: Payload::Batch(command::encode(&batch)) };
        outcomes.extend(one.apply(std::slice::from_ref(&entry)).expect("it applies"));
        waiting.push(entry);
        if random.one_in(6) {
            let theirs = other.apply(&waiting).expect("it applies");
            let ours = outcomes.drain(..);
            for (ours, theirs) in ours.zip(&theirs) {
                assert_eq!(ours.outcome, theirs.outcome, "of entry {}: {:?}", ours.index, texts.last());
            }
            waiting.clear();
            assert_eq!(one.digest(), other.digest(), "after {:?}", &texts[texts.len().saturating_sub(8)..]);
            assert_eq!(shared.schema_version(), others.schema_version());
            if random.one_in(10) {
                drop(other);
                (other, others) = open(directories[1].path());
                assert_eq!(one.digest(), other.digest(), "after it was opened anew");
            }
        }
    }
    commands
}

/// Numbers and words change.
fn mutate(text: &str, random: &mut Random) -> String {
    let mut out = String::new();
    for word in text.split_inclusive(|c: char| !c.is_alphanumeric()) {
        let number = word.trim_end_matches(|c: char| !c.is_alphanumeric());
        if number.parse::<i64>().is_ok() && random.one_in(3) {
            let other =
                random.pick(&["0", "-1", "1", "2147483647", "9223372036854775807", "NULL", "random()", "1e300", "0.1"]);
            out.push_str(other);
            out.push_str(&word[number.len()..]);
        } else if !random.one_in(40) {
            out.push_str(word);
        }
    }
    out
}
