//! Mistakes on purpose, one for each kind of promise: each is found, by how many seeds, and for what it is.
//!
//! `cargo test --test tests sim::planted -- --nocapture` prints the table; `QUORATE_SIM_BUG=name` chooses one of its lines.
//! They are made in the harness, or in the server where a test's [`quorate::host::Host`] asks for them, which a server's
//! own never does.

use super::plan::{Bug, Plan};
use super::{run, run_all};
use std::sync::Mutex;

/// By how many seeds a mistake must be found, and what is said of it.
fn expected(bug: Bug) -> (u64, &'static [&'static str]) {
    const LOCKS: &[&str] = &["two held one lock", "something came in between", "changed under a lock"];
    match bug {
        Bug::AckBeforeFsync => (5, &["durable on"]),
        Bug::TrustUnsyncedLog => (100, &["durable"]),
        Bug::ForgetVote => (60, &["both lead", "two leaders"]),
        Bug::LocalReads => (10, &["stale read"]),
        Bug::LeaderReads => (60, &["stale read"]),
        Bug::ReuseReadContext => (150, &["stale read"]),
        Bug::NewRequestId => (10, &["took effect twice"]),
        Bug::CompactPastDurable => (10, &["only"]),
        Bug::ApplyTwice => (5, &["the model None", "digest"]),
        Bug::ApplyNothing => (5, &["digest", "the model has"]),
        Bug::TroubleIsOutcome => (20, &["the model", "digest", "another replica"]),
        // A tail that its owner did not know to be committed is not missed at start, but by whoever counted on it.
        Bug::LostTail => (10, &["refuses to start: the raft log ends at", "state machine safety", "leads term"]),
        Bug::LostTailUnnoticed => {
            (60, &["state machine safety", "leads term", "rewritten", "durable", "to_commit", "handed out"])
        }
        Bug::OldTail => (60, &["they do not belong together", "state machine safety"]),
        Bug::OldTailUnnoticed => (60, &["log matching", "state machine safety", "leads term", "durable", "conflict"]),
        Bug::ForgetTime => (200, &["which a majority believed"]),
        Bug::SnapshotForgetsTime => (400, &["which a majority believed"]),
        Bug::UnboundedClock => (10, &["ahead of a majority's clocks", "which a majority believed"]),
        Bug::BelievesEverything => (20, &["panic"]),
        Bug::WipedVotes => (
            40,
            &["durable", "safety", "leads term", "both lead", "two leaders", "rewritten", "refuses", "log matching"],
        ),
        Bug::NeverReplaced => (10, &["no progress after the faults have ended"]),
        Bug::RotUnnoticed => (40, &["the model has", "than the model", "got Done"]),
        Bug::NoComparison => (100, &["circle", "G-single", "something came in between", "undone or never appended"]),
        Bug::NoReadDigest => (100, &["circle"]),
        Bug::NewCommitId => {
            (20, &["took effect twice", "appended twice", "the sequence gave", "1 of 1 writes", "2 of 2 writes"])
        }
        Bug::SequenceTwice => (10, &["the sequence gave"]),
        // What is read under a lock is the stalest of it all.
        Bug::NoRefreshAfterWait => {
            (10, &["READ COMMITTED could not be serialized", "a list that never was", "stale read"])
        }
        // Or somebody reads under a lock what the one who held it before has changed since.
        Bug::ForgetLocks => {
            (40, &["two held one lock", "something came in between", "changed under a lock", "stale read"])
        }
        Bug::GrantUnheard => (60, LOCKS),
        Bug::CommitVoid => (60, LOCKS),
        Bug::NewIdAfterSchemaChange => (40, &["appended twice"]),
        Bug::TrialIsCertain => (40, &["1 of 1 writes of transaction"]),
        Bug::ForgetsSent => (200, &["1 of 1 writes of transaction"]),
        Bug::OldCatalog => (40, &["is unknown to the session that defined it"]),
        Bug::Untried => (20, &["takes too much work, and nobody has tried it"]),
        Bug::OwnBudget => (20, &["digest", "another replica", "takes too much work"]),
        Bug::OtherValues => (20, &["alone, and could not be serialized"]),
        Bug::NoRetry => (20, &["was answered"]),
        Bug::UnlockedQueue => (20, &["took effect twice"]),
        Bug::ShortChunks => (20, &["digest", "another replica"]),
        Bug::EarlyLetters => (40, &["announced"]),
        Bug::TellsEarly => (40, &["stale"]),
    }
}

/// The first seed that finds it.
fn find(bug: Bug) -> Result<String, String> {
    let (within, what) = expected(bug);
    let found = (0..within).find_map(|seed| Some((seed, run(Plan::with_bug(seed, bug), false).err()?)));
    let Some((seed, error)) = found else { return Err(format!("{bug:?} is not found by {within} seeds")) };
    let words: String = error.chars().take(100).map(|c| if c == '\n' { ' ' } else { c }).collect();
    match what.iter().any(|what| error.contains(what)) {
        true => Ok(format!("{bug:<24} seed {seed:>3} of {within:>3}  {words}", bug = format!("{bug:?}"))),
        false => Err(format!("{bug:?} is found by seed {seed} as something else: {error}")),
    }
}

#[test]
fn planted() {
    let wanted = std::env::var("QUORATE_SIM_BUG").ok();
    let bugs: Vec<Bug> =
        Bug::ALL.into_iter().filter(|b| wanted.as_ref().is_none_or(|w| *w == format!("{b:?}"))).collect();
    assert!(!bugs.is_empty(), "there is no such mistake among {:?}", Bug::ALL);
    let results = Mutex::new(Vec::new());
    run_all(0..bugs.len() as u64, |i| {
        let result = find(bugs[i as usize]);
        results.lock().unwrap().push((i, result));
        true
    });
    let mut results = results.into_inner().unwrap();
    results.sort();
    let mut missed = Vec::new();
    for (_, result) in results {
        match result {
            Ok(line) => println!("{line}"),
            Err(why) => missed.push(why),
        }
    }
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}
