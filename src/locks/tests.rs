//! Scripts in which every line is an event and what it answers, and random histories against the rules.

use super::*;
use rand::prelude::*;
use rand::rngs::StdRng;

/// Runs a script. Each line is `event => answer`:
/// - `t1 update a` (or `nokey`, `share`, `keyshare`) locks row `a` of table 10; `nowait` or `skip` may follow;
/// - `t1 table 10 AccessExclusive` locks a table;
/// - `t1 mark s`, `t1 back s`: SAVEPOINT and ROLLBACK TO; `t1 keep s a b` gives back all since then but rows `a` and `b`; `t1 cancel`, `t1 end`; `list`.
fn script(text: &str) -> LockTable {
    let mut table = LockTable::new();
    let mut marks = BTreeMap::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (event, expected) = line.split_once("=>").unwrap_or((line, ""));
        let words: Vec<&str> = event.split_whitespace().collect();
        let answer = perform(&mut table, &mut marks, &words);
        assert_eq!(answer, expected.trim(), "{line}");
    }
    table
}

fn perform(table: &mut LockTable, marks: &mut BTreeMap<String, Mark>, words: &[&str]) -> String {
    let tx = words[0].strip_prefix('t').and_then(|n| n.parse().ok()).map(TxId);
    match (tx, &words[1..]) {
        (None, _) => table.list().map(|l| line(&l)).collect::<Vec<_>>().join(", "),
        (Some(tx), ["mark", name]) => {
            marks.insert((*name).to_owned(), table.mark(tx));
            String::new()
        }
        (Some(tx), ["back", name]) => told(&table.release_to(tx, marks[*name])),
        (Some(tx), ["keep", name, keys @ ..]) => {
            let keep: Vec<Target> = keys.iter().map(|key| Target::Row(10, key.as_bytes().into())).collect();
            told(&table.release_others(tx, marks[*name], &keep))
        }
        (Some(tx), ["cancel"]) => told(&table.cancel(tx)),
        (Some(tx), ["end"]) => told(&table.release_all(tx)),
        (Some(tx), ["blockers"]) => format!("{:?}", table.blockers(tx)),
        (Some(tx), ["table", oid, mode, wait @ ..]) => {
            let mode = *TABLE_MODES.iter().find(|m| format!("{m:?}") == *mode).expect("a mode");
            ask(table, tx, Want::Table { table: oid.parse().unwrap(), mode }, wait)
        }
        (Some(tx), [strength, key, wait @ ..]) => {
            let strength = match *strength {
                "update" => LockStrength::Update,
                "nokey" => LockStrength::NoKeyUpdate,
                "share" => LockStrength::Share,
                "keyshare" => LockStrength::KeyShare,
                other => panic!("{other}?"),
            };
            ask(table, tx, Want::Row { table: 10, key: key.as_bytes().into(), strength }, wait)
        }
        _ => panic!("{words:?}?"),
    }
}

fn ask(table: &mut LockTable, tx: TxId, want: Want, wait: &[&str]) -> String {
    let wait = match wait {
        [] => LockWait::Wait,
        ["nowait"] => LockWait::NoWait,
        ["skip"] => LockWait::SkipLocked,
        other => panic!("{other:?}?"),
    };
    let reply = table.request(tx, want, wait);
    let answer = match reply.answer {
        Answer::Granted => "granted".to_owned(),
        Answer::Queued => "queued".to_owned(),
        Answer::NotAvailable => "not available".to_owned(),
        Answer::Skip => "skip".to_owned(),
        Answer::Deadlock(error) => error.code.as_str().to_owned(),
    };
    let others = told(&reply.effects);
    if others.is_empty() { answer } else { format!("{answer}; {others}") }
}

fn told(effects: &[Effect]) -> String {
    let tell = |effect: &Effect| match effect {
        Effect::Granted(tx) => format!("{tx:?} granted"),
        Effect::Deadlock(tx, error) => format!("{tx:?} {}", error.code.as_str()),
    };
    effects.iter().map(tell).collect::<Vec<_>>().join(", ")
}

fn line(listed: &Listed) -> String {
    let target = match &listed.target {
        Target::Table(oid) => oid.to_string(),
        Target::Row(_, key) => String::from_utf8_lossy(key).into_owned(),
    };
    let mode = match listed.mode {
        Mode::Table(mode) => format!("{mode:?}"),
        Mode::Row(strength) => format!("{strength:?}"),
    };
    format!("{target} {:?} {mode}{}", listed.tx, if listed.granted { "" } else { "?" })
}

#[test]
fn rows_that_a_statement_did_not_take_are_given_back() {
    script(
        "t1 update a => granted
         t1 mark s =>
         t1 update b => granted
         t1 update c => granted
         t2 update b => queued
         t3 update c => queued
         t1 keep s c => t2 granted
         t1 update b skip => skip
         t1 end => t3 granted
         t2 end =>
         t3 end =>
         list =>",
    );
}

#[test]
fn writers_of_one_row_take_turns() {
    let table = script(
        "t1 update a => granted
         t1 update a => granted
         t2 update a => queued
         t3 update a => queued
         t4 update b => granted
         list => a t1 Update, a t2 Update?, a t3 Update?, b t4 Update
         t3 blockers => [t1, t2]
         t1 end => t2 granted
         t2 end => t3 granted
         t3 end =>
         t4 end =>
         list =>",
    );
    assert!(table.is_empty());
}

#[test]
fn readers_share_and_do_not_overtake_a_waiting_writer() {
    script(
        "t1 share a => granted
         t2 share a => granted
         t3 update a => queued
         t4 share a => queued
         t5 keyshare a => queued
         t1 end =>
         t2 end => t3 granted
         t3 end => t4 granted, t5 granted",
    );
}

#[test]
fn key_share_goes_with_an_update_of_other_columns() {
    script(
        "t1 keyshare a => granted
         t2 nokey a => granted
         t3 keyshare a => granted
         t4 share a => queued
         t2 end => t4 granted",
    );
}

#[test]
fn waiting_behind_a_queue_counts_as_locked() {
    script(
        "t1 share a => granted
         t2 update a => queued
         t3 share a nowait => not available
         t3 share a skip => skip
         t3 update b skip => granted
         t2 cancel =>
         t3 share a nowait => granted",
    );
}

#[test]
fn an_upgrade_goes_in_front_of_those_who_wait_for_it() {
    script(
        "t1 share a => granted
         t2 update a => queued
         t1 update a => granted
         list => a t1 Share, a t1 Update, a t2 Update?
         t1 end => t2 granted",
    );
    script(
        "t1 share a => granted
         t2 share a => granted
         t3 update a => queued
         t1 update a => queued
         list => a t1 Share, a t2 Share, a t1 Update?, a t3 Update?
         t2 end => t1 granted
         t1 end => t3 granted",
    );
}

#[test]
fn two_upgrades_are_a_deadlock() {
    script(
        "t1 share a => granted
         t2 share a => granted
         t1 update a => queued
         t2 update a => 40P01
         t2 end => t1 granted",
    );
    script(
        "t1 share a => granted
         t2 share a => granted
         t2 update a => queued
         t1 update a => queued; t2 40P01
         t2 end => t1 granted",
    );
}

#[test]
fn the_youngest_of_a_circle_gives_up() {
    script(
        "t1 update a => granted
         t2 update b => granted
         t3 update c => granted
         t1 update b => queued
         t2 update c => queued
         t3 update a => 40P01
         t3 end => t2 granted
         t2 end => t1 granted",
    );
    // The one that closes the circle is the oldest: it waits on, and the youngest is told.
    script(
        "t1 update a => granted
         t2 update b => granted
         t3 update c => granted
         t2 update c => queued
         t3 update a => queued
         t1 update b => queued; t3 40P01
         t3 end => t2 granted
         t2 end => t1 granted",
    );
}

#[test]
fn one_wait_may_close_two_circles() {
    script(
        "t1 update a => granted
         t2 share b => granted
         t3 share b => granted
         t2 update a => queued
         t3 update a => queued
         t1 update b => queued; t2 40P01, t3 40P01
         t2 end =>
         t3 end => t1 granted",
    );
}

#[test]
fn the_detail_tells_the_circle_from_the_victims_side() {
    let mut table = script(
        "t7 update a => granted
         t8 table 10 Exclusive => granted
         t8 update a => queued",
    );
    let want = Want::Table { table: 10, mode: LockMode::RowExclusive };
    let reply = table.request(TxId(7), want, LockWait::Wait);
    let Effect::Deadlock(TxId(8), error) = &reply.effects[0] else { panic!("{reply:?}") };
    assert_eq!(error.message, "deadlock detected");
    assert_eq!(
        error.fields.detail.as_deref(),
        Some(
            "Transaction 8 waits for AccessExclusiveLock on row of relation 10; blocked by transaction 7.\n\
             Transaction 7 waits for RowExclusiveLock on relation 10; blocked by transaction 8."
        )
    );
}

#[test]
fn a_circle_through_a_queue_is_opened_by_reordering_it() {
    // t3 only queues behind t2; letting it go first ends no transaction.
    let table = script(
        "t1 table 10 Share => granted
         t3 update x => granted
         t2 table 10 Exclusive => queued
         t3 table 10 Share => queued
         t1 update x => queued; t3 granted
         t3 end => t1 granted
         t1 end => t2 granted",
    );
    assert_eq!(table.reordered(), 1);
}

#[test]
fn a_savepoint_gives_back_what_came_after_it() {
    script(
        "t1 share a => granted
         t1 mark s
         t1 update a => granted
         t1 update b => granted
         t2 share a => queued
         t3 update b => queued
         t1 back s => t2 granted, t3 granted
         list => a t1 Share, a t2 Share, b t3 Update
         t1 back s =>
         t1 end =>",
    );
}

#[test]
fn a_cancelled_wait_lets_those_behind_it_through() {
    script(
        "t1 share a => granted
         t2 update a => queued
         t3 share a => queued
         t2 cancel => t3 granted
         t2 cancel =>
         t4 update a => queued
         t4 update b => granted
         list => a t1 Share, a t3 Share, b t4 Update",
    );
}

#[test]
fn table_locks() {
    let table = script(
        "t1 table 10 RowExclusive => granted
         t2 table 10 RowExclusive => granted
         t3 table 10 Share => queued
         t4 table 10 AccessShare => granted
         t5 table 10 RowExclusive nowait => not available
         t5 table 11 AccessExclusive => granted
         t1 end =>
         t2 end => t3 granted",
    );
    assert!(!table.is_quiet(10) && !table.is_quiet(11) && table.is_quiet(12));
}

#[test]
fn quiet_tables_and_implied_locks() {
    let table = script(
        "t1 table 10 RowExclusive => granted
         t1 update a => granted
         t2 table 9 RowExclusive => granted",
    );
    assert!(!table.is_quiet(10), "a row is locked");
    assert!(table.is_quiet(9), "writers of the table do not mind each other");
    let row = |strength| Want::Row { table: 10, key: b"a"[..].into(), strength };
    assert!(table.holds(TxId(1), row(LockStrength::KeyShare)));
    assert!(!table.holds(TxId(2), row(LockStrength::KeyShare)));
    assert!(!table.holds(TxId(1), Want::Table { table: 10, mode: LockMode::Share }));
}

/// What every state must satisfy, told from the listing alone.
fn check(table: &LockTable, history: &str) {
    let all: Vec<Listed> = table.list().collect();
    let contended = |line: &&Listed| {
        matches!(line.target, Target::Table(_)) || all.iter().any(|other| other.target == line.target && !other.granted)
    };
    assert!(all.iter().filter(contended).cloned().eq(table.list_contended()), "{history}");
    let mut waits: BTreeMap<TxId, Vec<TxId>> = BTreeMap::new();
    for (i, one) in all.iter().enumerate() {
        let same = |other: &&Listed| other.target == one.target && other.tx != one.tx;
        let against: Vec<TxId> =
            all[..i].iter().filter(same).filter(|o| o.mode.conflicts_with(one.mode)).map(|o| o.tx).collect();
        if one.granted {
            assert!(against.is_empty(), "conflicting grants: {one:?} {against:?}\n{history}");
        } else {
            // The listing has holders first and then the queue in order.
            assert!(!against.is_empty(), "waits for nobody: {one:?}\n{history}");
            assert!(waits.insert(one.tx, against.clone()).is_none(), "two waits\n{history}");
            let told = table.blockers(one.tx);
            assert!(against.iter().all(|tx| told.contains(tx)) && told.iter().all(|tx| against.contains(tx)));
        }
        assert_eq!(table.is_waiting(one.tx), all.iter().any(|o| o.tx == one.tx && !o.granted));
    }
    // Without circles, taking away whoever waits for nobody that waits empties the graph.
    let mut left = waits.clone();
    while let Some(tx) = left.iter().find(|(_, to)| to.iter().all(|t| !left.contains_key(t))).map(|(tx, _)| *tx) {
        left.remove(&tx);
    }
    assert!(left.is_empty(), "circle {left:?}\n{history}");
}

/// Nobody is granted before an earlier, conflicting waiter, except an upgrade.
fn check_turns(before: &[Listed], table: &LockTable, history: &str) {
    let after: Vec<Listed> = table.list().collect();
    for new in after.iter().filter(|l| l.granted && !before.contains(l)) {
        for (i, old) in before.iter().enumerate().filter(|(_, l)| !l.granted && l.target == new.target) {
            let asked = before.iter().position(|l| !l.granted && l.tx == new.tx && l.target == new.target);
            let earlier = asked.is_none_or(|position| i < position);
            let still = after.contains(old) && old.tx != new.tx;
            // An upgrade goes in front of the first who waits for what it upgrades, and so of those behind that one.
            let own = |l: &&Listed| l.granted && l.tx == new.tx && l.target == new.target;
            let waits_for_it = before[..=i]
                .iter()
                .filter(|l| !l.granted && l.target == new.target)
                .any(|first| before.iter().filter(own).any(|l| l.mode.conflicts_with(first.mode)));
            assert!(
                !(earlier && still && old.mode.conflicts_with(new.mode)) || waits_for_it,
                "{new:?} overtook {old:?}\n{history}"
            );
        }
    }
}

fn random_want(random: &mut StdRng, targets: u32) -> Want {
    let table = random.random_range(0..2);
    if random.random_bool(0.7) {
        let key = [random.random_range(0..targets) as u8];
        Want::Row { table, key: key[..].into(), strength: *ROW_STRENGTHS.choose(random).unwrap() }
    } else {
        Want::Table { table, mode: *TABLE_MODES.choose(random).unwrap() }
    }
}

#[test]
fn random_histories_keep_the_rules() {
    for seed in 0..150 {
        let mut random = StdRng::seed_from_u64(seed);
        let targets = random.random_range(1..6);
        let (mut table, mut twin) = (LockTable::new(), LockTable::new());
        let mut marks: BTreeMap<TxId, Mark> = BTreeMap::new();
        let mut history = format!("seed {seed}");
        for _ in 0..200 {
            let tx = TxId(random.random_range(1..9));
            let before: Vec<Listed> = table.list().collect();
            let reordered = table.reordered();
            let said = match random.random_range(0..10) {
                0 => {
                    marks.remove(&tx);
                    let (one, two) = (table.release_all(tx), twin.release_all(tx));
                    assert_eq!(one, two);
                    format!("{tx:?} end: {}", told(&one))
                }
                1 if table.is_waiting(tx) => {
                    twin.cancel(tx);
                    format!("{tx:?} cancel: {}", told(&table.cancel(tx)))
                }
                2 if !table.is_waiting(tx) => {
                    marks.insert(tx, table.mark(tx));
                    format!("{tx:?} mark")
                }
                3 if marks.contains_key(&tx) => {
                    twin.release_to(tx, marks[&tx]);
                    format!("{tx:?} back: {}", told(&table.release_to(tx, marks[&tx])))
                }
                _ if table.is_waiting(tx) => continue,
                _ => {
                    let want = random_want(&mut random, targets);
                    let wait =
                        *[LockWait::Wait, LockWait::Wait, LockWait::Wait, LockWait::NoWait, LockWait::SkipLocked]
                            .choose(&mut random)
                            .unwrap();
                    let reply = table.request(tx, want.clone(), wait);
                    assert_eq!(reply, twin.request(tx, want.clone(), wait), "the same events, the same answers");
                    match &reply.answer {
                        Answer::Granted => assert!(table.holds(tx, want.clone())),
                        Answer::Queued => assert!(table.is_waiting(tx) && wait == LockWait::Wait),
                        Answer::NotAvailable => assert!(wait == LockWait::NoWait && reply.effects.is_empty()),
                        Answer::Skip => assert!(wait == LockWait::SkipLocked && reply.effects.is_empty()),
                        Answer::Deadlock(_) => assert!(!table.is_waiting(tx) && table.held(tx) > 0),
                    }
                    format!("{tx:?} {want:?} {wait:?}: {reply:?}")
                }
            };
            history = format!("{history}\n{said}");
            check(&table, &history);
            if table.reordered() == reordered {
                check_turns(&before, &table, &history);
            }
        }
        // When those who can go on do, everybody gets what he waits for.
        while !table.is_empty() {
            let idle: Vec<TxId> = table.held.keys().copied().filter(|tx| !table.is_waiting(*tx)).collect();
            let tx = *idle.choose(&mut random).unwrap_or_else(|| panic!("everybody waits\n{history}"));
            table.release_all(tx);
            check(&table, &history);
        }
        assert!(table.held.is_empty() && table.waiting.is_empty(), "{history}");
    }
}

/// A hot row: many waiters must not make the next one expensive.
#[test]
fn a_thousand_wait_for_one_row() {
    let mut table = LockTable::new();
    let row = |key: u64| Want::Row { table: 10, key: key.to_be_bytes()[..].into(), strength: LockStrength::Update };
    for i in 0..1000 {
        assert_eq!(table.request(TxId(i), row(1000 + i), LockWait::Wait).answer, Answer::Granted);
        let hot = table.request(TxId(i), row(1), LockWait::Wait).answer;
        assert_eq!(hot, if i == 0 { Answer::Granted } else { Answer::Queued });
    }
    for i in 0..1000 {
        let granted = table.release_all(TxId(i));
        assert_eq!(granted, if i == 999 { vec![] } else { vec![Effect::Granted(TxId(i + 1))] });
    }
    assert!(table.is_empty());
}

/// Prints nanoseconds; run with `--ignored --nocapture`.
#[test]
#[ignore = "measures"]
fn measure() {
    let row = |key: u64| Want::Row { table: 10, key: key.to_be_bytes()[..].into(), strength: LockStrength::Update };
    for others in [0, 1_000, 100_000] {
        let mut table = LockTable::new();
        for i in 0..others {
            table.request(TxId(i), row(i), LockWait::Wait);
        }
        let start = std::time::Instant::now();
        for i in 0..100_000 {
            let tx = TxId(1 << 32 | i);
            table.request(tx, row(1 << 40), LockWait::Wait);
            table.release_all(tx);
        }
        println!("lock a row and release, {others:>6} others hold: {} ns", start.elapsed().as_nanos() / 100_000);
    }
}
