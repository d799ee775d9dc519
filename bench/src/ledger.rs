//! What the clients were told, and whether the database agrees. Pure: `verify` reads the tables, this judges them.
//!
//! A client never sends the same write twice. So each acknowledged write must be there exactly once; an ambiguous one
//! (the connection broke, or the server said it does not know) once or not at all; a refused one not at all.

use serde::Serialize;
use std::collections::BTreeMap;

const EXAMPLES: usize = 20;

/// What became of a write that was not acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// The server said that it did not happen.
    Refused,
    /// Nobody said what happened.
    Ambiguous,
}

/// What one client knows of its own writes. Attempts are numbered from 0.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    pub client: u64,
    pub attempts: u64,
    pub failed: BTreeMap<u64, Fate>,
    /// Per key: acknowledged and ambiguous increments.
    pub counters: BTreeMap<i64, Count>,
    /// Answers that contradict the workload, such as a missing row.
    pub wrong: Vec<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    pub acknowledged: u64,
    pub ambiguous: u64,
}

impl Ledger {
    pub fn new(client: u64) -> Ledger {
        Ledger { client, ..Ledger::default() }
    }

    /// The unique row id of an attempt.
    pub fn row_id(client: u64, attempt: u64) -> i64 {
        (((client + 1) << 40) | attempt) as i64
    }

    pub fn acknowledged(&self) -> u64 {
        self.attempts - self.failed.len() as u64
    }

    pub fn ambiguous(&self) -> u64 {
        self.failed.values().filter(|fate| **fate == Fate::Ambiguous).count() as u64
    }

    /// Books the outcome of the next attempt; `key` is the counter that it increments, if it does.
    pub fn book(&mut self, key: Option<i64>, fate: Option<Fate>) {
        if let Some(fate) = fate {
            self.failed.insert(self.attempts, fate);
        }
        self.attempts += 1;
        let Some(key) = key else { return };
        match fate {
            None => self.counters.entry(key).or_default().acknowledged += 1,
            Some(Fate::Ambiguous) => self.counters.entry(key).or_default().ambiguous += 1,
            Some(Fate::Refused) => {}
        }
    }
}

/// The judgement over one table as one target shows it.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Verdict {
    /// Where it was read: target and table.
    pub read_at: String,
    pub acknowledged: u64,
    pub ambiguous: u64,
    /// Ambiguous writes that turned out to have happened.
    pub ambiguous_applied: u64,
    pub found: u64,
    /// Acknowledged, but not there.
    pub lost: u64,
    /// There more often than it was sent.
    pub duplicated: u64,
    /// There although refused, or never sent.
    pub phantom: u64,
    pub examples: Vec<String>,
}

impl Verdict {
    pub fn clean(&self) -> bool {
        self.lost + self.duplicated + self.phantom == 0
    }

    fn example(&mut self, text: String) {
        if self.examples.len() < EXAMPLES {
            self.examples.push(text);
        }
    }
}

/// Judges a table with one row per write; `ids` are the ids read, in ascending order.
pub fn judge_rows(read_at: &str, ledgers: &[Ledger], ids: &[i64]) -> Verdict {
    let mut verdict = Verdict { read_at: read_at.into(), found: ids.len() as u64, ..Verdict::default() };
    let mut present: BTreeMap<u64, Vec<u64>> = BTreeMap::new();
    for pair in ids.windows(2).filter(|pair| pair[0] == pair[1]) {
        verdict.duplicated += 1;
        verdict.example(format!("row {} twice", pair[0]));
    }
    for id in ids {
        present.entry((*id as u64 >> 40).wrapping_sub(1)).or_default().push(*id as u64 & ((1 << 40) - 1));
    }
    for ledger in ledgers {
        let mut seqs = present.remove(&ledger.client).unwrap_or_default();
        seqs.dedup();
        judge_client(&mut verdict, ledger, &seqs);
    }
    for (client, seqs) in present {
        verdict.phantom += seqs.len() as u64;
        verdict.example(format!("{} rows of client {client}, which does not exist", seqs.len()));
    }
    verdict
}

fn judge_client(verdict: &mut Verdict, ledger: &Ledger, seqs: &[u64]) {
    let client = ledger.client;
    verdict.acknowledged += ledger.acknowledged();
    verdict.ambiguous += ledger.ambiguous();
    let mut seqs = seqs.iter().copied().peekable();
    for attempt in 0..ledger.attempts {
        let there = seqs.next_if_eq(&attempt).is_some();
        match (ledger.failed.get(&attempt), there) {
            (None, false) => {
                verdict.lost += 1;
                verdict.example(format!("client {client} write {attempt}: acknowledged, lost"));
            }
            (Some(Fate::Refused), true) => {
                verdict.phantom += 1;
                verdict.example(format!("client {client} write {attempt}: refused, yet there"));
            }
            (Some(Fate::Ambiguous), true) => verdict.ambiguous_applied += 1,
            _ => {}
        }
    }
    for seq in seqs {
        verdict.phantom += 1;
        verdict.example(format!("client {client} write {seq}: never sent, yet there"));
    }
}

/// Judges a table of counters that started at 0; `rows` are key and value.
pub fn judge_counters(read_at: &str, ledgers: &[Ledger], rows: &[(i64, i64)]) -> Verdict {
    let mut verdict = Verdict { read_at: read_at.into(), ..Verdict::default() };
    let mut expected: BTreeMap<i64, Count> = BTreeMap::new();
    for (key, count) in ledgers.iter().flat_map(|l| &l.counters) {
        let sum = expected.entry(*key).or_default();
        sum.acknowledged += count.acknowledged;
        sum.ambiguous += count.ambiguous;
        verdict.acknowledged += count.acknowledged;
        verdict.ambiguous += count.ambiguous;
    }
    for (key, value) in rows {
        let value = (*value).max(0) as u64;
        verdict.found += value;
        let want = expected.remove(key).unwrap_or_default();
        let most = want.acknowledged + want.ambiguous;
        if value < want.acknowledged {
            verdict.lost += want.acknowledged - value;
            verdict.example(format!("key {key}: {} acknowledged, counts {value}", want.acknowledged));
        } else if value > most {
            verdict.duplicated += value - most;
            verdict.ambiguous_applied += want.ambiguous;
            verdict.example(format!("key {key}: at most {most} sent, counts {value}"));
        } else {
            verdict.ambiguous_applied += value - want.acknowledged;
        }
    }
    for (key, want) in expected.into_iter().filter(|(_, want)| want.acknowledged > 0) {
        verdict.lost += want.acknowledged;
        verdict.example(format!("key {key}: the row is gone with {} increments", want.acknowledged));
    }
    verdict
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ledger(fates: &[Option<Fate>]) -> Ledger {
        let mut ledger = Ledger::new(3);
        for (fate, key) in fates.iter().zip([10, 20].into_iter().cycle()) {
            ledger.book(Some(key), *fate);
        }
        ledger
    }

    fn rows(attempts: &[u64]) -> Vec<i64> {
        attempts.iter().map(|a| Ledger::row_id(3, *a)).collect()
    }

    const OK: Option<Fate> = None;
    const REFUSED: Option<Fate> = Some(Fate::Refused);
    const UNKNOWN: Option<Fate> = Some(Fate::Ambiguous);

    #[test]
    fn everything_acknowledged_is_there() {
        let verdict = judge_rows("t", &[ledger(&[OK, REFUSED, UNKNOWN, OK, UNKNOWN])], &rows(&[0, 2, 3]));
        assert!(verdict.clean(), "{verdict:?}");
        let v = verdict;
        assert_eq!((v.acknowledged, v.ambiguous, v.ambiguous_applied, v.found), (2, 2, 1, 3));
    }

    #[test]
    fn lost_duplicated_and_phantom_rows_are_named() {
        let v = judge_rows("t", &[ledger(&[OK, OK, REFUSED])], &rows(&[1, 1, 2, 7]));
        assert_eq!((v.lost, v.duplicated, v.phantom), (1, 1, 2));
        assert_eq!(v.examples.len(), 4, "{:?}", v.examples);
        assert_eq!(judge_rows("t", &[], &rows(&[1])).phantom, 1);
    }

    #[test]
    fn counters_lie_between_acknowledged_and_sent() {
        // key 10: attempts 0 2 4, key 20: attempts 1 3
        let ledgers = [ledger(&[OK, OK, UNKNOWN, OK, OK])];
        assert!(judge_counters("t", &ledgers, &[(10, 2), (20, 2), (30, 0)]).clean());
        assert_eq!(judge_counters("t", &ledgers, &[(10, 3), (20, 2)]).ambiguous_applied, 1);
        assert_eq!(judge_counters("t", &ledgers, &[(10, 4), (20, 2)]).duplicated, 1);
        assert_eq!(judge_counters("t", &ledgers, &[(10, 1), (20, 1)]).lost, 2);
        assert_eq!(judge_counters("t", &ledgers, &[(10, 2)]).lost, 2);
        assert_eq!(judge_counters("t", &ledgers, &[(10, 2), (20, 2), (30, 5)]).duplicated, 5);
    }
}
