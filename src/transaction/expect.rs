//! What a step promises its client, as a number: equal at replay means that the client was told the truth.
//!
//! | level | plain reads | locking reads | writes |
//! |---|---|---|---|
//! | READ COMMITTED | not replayed | not replayed: their locks hold | count, RETURNING rows |
//! | REPEATABLE READ | not replayed | rows | count, RETURNING rows, every row change |
//! | SERIALIZABLE | rows | rows | count, RETURNING rows, every row change |
//!
//! A row change is the table with all column values before and after: whoever changed the row in between, even a
//! column that the statement did not touch, is noticed (the first updater wins). Rows are compared as multisets
//! unless the statement's order is total, because equal data may lie in another physical order; hidden rowids are
//! never part of a digest.
//!
//! A replay sees only the step: its level says what is covered, and each result has two digests, with and without the
//! order of its rows. Whoever ran the step first chose one of them; a replay accepts the step if either is the same.
//!
//! The numbers travel in the log and are computed again by other binaries: changing anything here needs a new
//! [`FORMAT`], under which older expectations must still be computed the old way.

use crate::command::Isolation;
use crate::error::{SqlError, state};
use crate::value::ValueRef;
use xxhash_rust::xxh3::{xxh3_64, xxh3_128};

/// Folded into every digest.
const FORMAT: u8 = 1;
/// Any odd number with bits all over: makes a sequence's digest depend on the places of its rows.
const STRIDE: u128 = 0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835;

/// What a step is to the rules above. A read that draws from a sequence counts as a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Kind {
    Read,
    /// SELECT … FOR UPDATE and its kin.
    LockingRead,
    Write,
}

/// Whether the result of such a step is a promise to be kept at COMMIT.
pub fn is_promise(isolation: Isolation, kind: Kind) -> bool {
    kind != Kind::Read || isolation == Isolation::Serializable
}

/// Collects the facts of one step while it runs; facts that the level does not cover are ignored.
#[derive(Clone, Debug)]
pub struct Expectation {
    watch_changes: bool,
    affected: u64,
    rows: Hashes,
    changes: u64,
    scratch: Vec<u8>,
}

/// The digests of a step's result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Told {
    /// With the rows as a multiset.
    pub any_order: u64,
    /// With the rows as a sequence.
    pub in_order: u64,
}

impl Told {
    /// The number for [`crate::command::Step::expect`]. `total`: the statement's ORDER BY determines the order of
    /// its rows completely.
    pub fn expect(self, total: bool) -> u64 {
        if total { self.in_order } else { self.any_order }
    }

    /// Whether a replay with this result keeps the promise.
    pub fn keeps(self, expect: u64) -> bool {
        expect == self.any_order || expect == self.in_order
    }
}

/// Hashes as a multiset and as a sequence.
#[derive(Clone, Copy, Debug, Default)]
struct Hashes {
    sum: u128,
    sequence: u128,
    len: u64,
}

impl Hashes {
    fn add(&mut self, hash: u128) {
        self.sum = self.sum.wrapping_add(hash);
        self.sequence = self.sequence.wrapping_mul(STRIDE).wrapping_add(hash);
        self.len += 1;
    }
}

impl Expectation {
    pub fn new(isolation: Isolation) -> Expectation {
        Expectation {
            watch_changes: isolation != Isolation::ReadCommitted,
            affected: 0,
            rows: Hashes::default(),
            changes: 0,
            scratch: Vec::new(),
        }
    }

    /// A row that the client gets.
    pub fn row<'a>(&mut self, values: impl IntoIterator<Item = ValueRef<'a>>) {
        self.scratch.clear();
        write_row(values, &mut self.scratch);
        self.rows.add(xxh3_128(&self.scratch));
    }

    /// The step's row changes as a sum of their hashes (`engine` computes it for the digest of replicas anyway).
    pub fn changes(&mut self, sum: u64) {
        if self.watch_changes {
            self.changes = sum;
        }
    }

    /// The number of rows that the client is told were affected; adds up over the statements of a step. For rows
    /// that were passed to [`Expectation::row`] it need not be called; if it is, then at replay as well.
    pub fn affected(&mut self, rows: u64) {
        self.affected = self.affected.wrapping_add(rows);
    }

    pub fn finish(self) -> Told {
        let digest = |ordered: bool| {
            let mut out = vec![FORMAT, u8::from(self.watch_changes), u8::from(ordered)];
            out.extend_from_slice(&self.affected.to_le_bytes());
            let rows = if ordered { self.rows.sequence } else { self.rows.sum };
            out.extend_from_slice(&rows.to_le_bytes());
            out.extend_from_slice(&self.rows.len.to_le_bytes());
            out.extend_from_slice(&self.changes.to_le_bytes());
            xxh3_64(&out)
        };
        Told { any_order: digest(false), in_order: digest(true) }
    }
}

/// Self-delimiting: no two different rows have the same bytes.
fn write_row<'a>(values: impl IntoIterator<Item = ValueRef<'a>>, out: &mut Vec<u8>) {
    for value in values {
        match value {
            ValueRef::Null => out.push(1),
            ValueRef::Int(i) => {
                out.push(2);
                out.extend_from_slice(&i.to_le_bytes());
            }
            ValueRef::Real(r) => {
                out.push(3);
                out.extend_from_slice(&r.to_bits().to_le_bytes());
            }
            ValueRef::Text(text) => {
                out.push(4);
                write_bytes(text.as_bytes(), out);
            }
            ValueRef::Blob(bytes) => {
                out.push(5);
                write_bytes(bytes, out);
            }
        }
    }
    out.push(0);
}

fn write_bytes(bytes: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(&(bytes.len() as u64).to_le_bytes());
    out.extend_from_slice(bytes);
}

/// The outcome of a replay that differs from what the client was told: 40001, retry the transaction.
pub fn serialization_failure(isolation: Isolation) -> SqlError {
    let cause = match isolation {
        Isolation::ReadCommitted | Isolation::RepeatableRead => "concurrent update",
        Isolation::Serializable => "read/write dependencies among transactions",
    };
    SqlError::new(state::SERIALIZATION_FAILURE, format!("could not serialize access due to {cause}"))
        .hint("The transaction might succeed if retried.")
}

/// The error of a transaction whose locks were not held all the time: others may have had them in between.
pub fn locks_lost() -> SqlError {
    SqlError::new(state::SERIALIZATION_FAILURE, "could not serialize access: the transaction has lost its locks")
        .detail("Its node was not heard of when the leader changed, or for longer than a lease.")
        .hint("The transaction might succeed if retried.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use ValueRef::{Blob, Int, Null, Real, Text};

    type Row = [ValueRef<'static>];

    fn told(rows: &[&Row]) -> Told {
        let mut expectation = Expectation::new(Isolation::Serializable);
        for row in rows {
            expectation.row(row.iter().copied());
        }
        expectation.finish()
    }

    fn changed(isolation: Isolation, sum: u64) -> Told {
        let mut expectation = Expectation::new(isolation);
        expectation.changes(sum);
        expectation.affected(1);
        expectation.finish()
    }

    #[test]
    fn only_plain_reads_below_serializable_promise_nothing() {
        use Isolation::*;
        let promises = |isolation| [Kind::Read, Kind::LockingRead, Kind::Write].map(|kind| is_promise(isolation, kind));
        assert_eq!(promises(ReadCommitted), [false, true, true]);
        assert_eq!(promises(RepeatableRead), [false, true, true]);
        assert_eq!(promises(Serializable), [true, true, true]);
    }

    #[test]
    fn rows_are_a_multiset_unless_their_order_is_total() {
        let (a, b): (&Row, &Row) = (&[Int(1), Text("x")], &[Int(2), Null]);
        let (first, second) = (told(&[a, b]), told(&[b, a]));
        assert!(second.keeps(first.expect(false)));
        assert!(!second.keeps(first.expect(true)));
        assert!(first.keeps(first.expect(true)));
        for (left, right) in [(&[a, a][..], &[a][..]), (&[a, a, b], &[a, b, b]), (&[], &[&[]])] {
            assert!(!told(left).keeps(told(right).expect(false)));
            assert!(!told(left).keeps(told(right).expect(true)));
        }
    }

    #[test]
    fn values_of_different_kinds_or_borders_differ() {
        let rows: &[&Row] = &[
            &[Int(1)],
            &[Real(1.0)],
            &[Text("1")],
            &[Blob(b"1")],
            &[Null],
            &[],
            &[Null, Null],
            &[Text("ab"), Text("c")],
            &[Text("a"), Text("bc")],
            &[Text("")],
        ];
        let digests: std::collections::BTreeSet<_> = rows.iter().map(|row| told(&[row]).any_order).collect();
        assert_eq!(digests.len(), rows.len());
        assert_ne!(told(&[&[Int(1), Int(2)]]), told(&[&[Int(1)], &[Int(2)]]), "the split into rows counts");
    }

    #[test]
    fn the_number_of_affected_rows_counts_at_every_level() {
        let affected = |isolation, rows| {
            let mut expectation = Expectation::new(isolation);
            expectation.affected(rows);
            expectation.finish()
        };
        for level in [Isolation::ReadCommitted, Isolation::RepeatableRead, Isolation::Serializable] {
            assert!(!affected(level, 0).keeps(affected(level, 1).expect(false)));
        }
    }

    #[test]
    fn row_changes_count_above_read_committed() {
        let level = Isolation::ReadCommitted;
        assert_eq!(changed(level, 1), changed(level, 2));
        for level in [Isolation::RepeatableRead, Isolation::Serializable] {
            assert_ne!(changed(level, 1), changed(level, 2));
        }
    }

    /// Numbers in the log of a running cluster: they must never change.
    #[test]
    fn the_format_is_fixed() {
        let rows = told(&[&[Int(1), Text("x"), Null], &[Real(2.5), Blob(b"y")]]);
        let change = changed(Isolation::RepeatableRead, 7);
        assert_eq!(
            [rows.any_order, rows.in_order, change.any_order],
            [15_719_500_513_359_186_036, 17_732_017_828_997_612_639, 8_738_384_873_087_059_352]
        );
    }
}
