//! The extension pg_trgm: how similar texts are, by the groups of three letters that they share.
//!
//! As there, a word is what is alphanumeric, in lower case, with two blanks before it and one behind it.

use super::arg::text;
use super::arrays::text_array;
use super::table::*;
use super::text::lower;
use super::{Aggregate, Cast, Function, Operator, Scalar};
use crate::error::SqlResult;
use crate::meter;
use crate::value::Value;
use std::collections::BTreeSet;

pub const CASTS: &[Cast] = &[];
pub const AGGREGATES: &[Aggregate] = &[];

const T2: &[crate::types::Type] = &[TEXT, TEXT];

/// A measure, at least as large as the session's limit for it.
macro_rules! beyond {
    ($measure:literal, $setting:literal, $limit:literal) => {
        concat!("(", $measure, " >= CAST(coalesce(q_current_setting('", $setting, "', 1), '", $limit, "') AS REAL))")
    };
}

pub const OPERATORS: &[Operator] = &[
    op("%", TEXT, TEXT, BOOL, beyond!("q_similarity({0}, {1})", "pg_trgm.similarity_threshold", "0.3")),
    op("<%", TEXT, TEXT, BOOL, beyond!("q_word_similarity({0}, {1}, 0)", "pg_trgm.word_similarity_threshold", "0.6")),
    op("%>", TEXT, TEXT, BOOL, beyond!("q_word_similarity({1}, {0}, 0)", "pg_trgm.word_similarity_threshold", "0.6")),
    op(
        "<<%",
        TEXT,
        TEXT,
        BOOL,
        beyond!("q_word_similarity({0}, {1}, 1)", "pg_trgm.strict_word_similarity_threshold", "0.5"),
    ),
    op(
        "%>>",
        TEXT,
        TEXT,
        BOOL,
        beyond!("q_word_similarity({1}, {0}, 1)", "pg_trgm.strict_word_similarity_threshold", "0.5"),
    ),
    op("<->", TEXT, TEXT, FLOAT4, "q_f4(1 - q_similarity({0}, {1}))"),
    op("<<->", TEXT, TEXT, FLOAT4, "q_f4(1 - q_word_similarity({0}, {1}, 0))"),
    op("<->>", TEXT, TEXT, FLOAT4, "q_f4(1 - q_word_similarity({1}, {0}, 0))"),
    op("<<<->", TEXT, TEXT, FLOAT4, "q_f4(1 - q_word_similarity({0}, {1}, 1))"),
    op("<->>>", TEXT, TEXT, FLOAT4, "q_f4(1 - q_word_similarity({1}, {0}, 1))"),
];

pub const FUNCTIONS: &[Function] = &[
    func("similarity", T2, FLOAT4, "q_similarity({0}, {1})"),
    func("similarity_dist", T2, FLOAT4, "q_f4(1 - q_similarity({0}, {1}))"),
    func("word_similarity", T2, FLOAT4, "q_word_similarity({0}, {1}, 0)"),
    func("strict_word_similarity", T2, FLOAT4, "q_word_similarity({0}, {1}, 1)"),
    func("show_trgm", &[TEXT], TEXT_ARRAY, "q_show_trgm({0})"),
    func(
        "show_limit",
        &[],
        FLOAT4,
        "q_f4(CAST(coalesce(q_current_setting('pg_trgm.similarity_threshold', 1), '0.3') AS REAL))",
    )
    .stable(),
];

pub const SCALARS: &[Scalar] = &[
    scalar("q_similarity", 2, |_, a| {
        let (one, other) = (distinct(text(a, 0)?)?, distinct(text(a, 1)?)?);
        if one.is_empty() || other.is_empty() {
            return Ok(Value::Real(0.0));
        }
        let shared = one.intersection(&other).count();
        Ok(Value::Real(share(shared, one.len(), other.len()).into()))
    }),
    scalar("q_word_similarity", 3, |_, a| {
        let strict = super::arg::int(a, 2)? != 0;
        Ok(Value::Real(within(text(a, 0)?, text(a, 1)?, strict)?.into()))
    }),
    scalar("q_show_trgm", 1, |_, a| {
        let shown: Vec<String> = distinct(text(a, 0)?)?.into_iter().map(Trigram::shown).collect();
        text_array(shown.iter().map(|trigram| Some(trigram.as_str())))
    }),
];

/// Three characters; if one of them takes several bytes, three bytes of a checksum. They are ordered as signed bytes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Trigram([i8; 3]);

impl Trigram {
    fn of(letters: &[char]) -> Trigram {
        let text: String = letters.iter().collect();
        let bytes: [u8; 3] = text.as_bytes().try_into().unwrap_or_else(|_| {
            let [a, b, c, _] = checksum(text.as_bytes()).to_le_bytes();
            [a, b, c]
        });
        Trigram(bytes.map(|byte| byte as i8))
    }

    fn shown(self) -> String {
        let bytes = self.0.map(|byte| byte as u8);
        match bytes.iter().all(|b| *b == b' ' || b.is_ascii_alphanumeric()) {
            true => bytes.map(char::from).iter().collect(),
            false => format!("0x{:02x}{:02x}{:02x}", bytes[0], bytes[1], bytes[2]),
        }
    }
}

/// PostgreSQL's old CRC: the table of one direction, read in the other.
fn checksum(bytes: &[u8]) -> u32 {
    let entry = |index: u32| (0..8).fold(index, |n, _| if n & 1 == 1 { (n >> 1) ^ 0xedb8_8320 } else { n >> 1 });
    !bytes.iter().fold(!0u32, |crc, byte| entry((crc >> 24) ^ u32::from(*byte)) ^ (crc << 8))
}

/// The trigrams in their order, and whether each begins and ends a word.
fn positions(text: &str) -> SqlResult<Vec<(Trigram, bool, bool)>> {
    meter::work(text.len())?;
    let text = lower(text);
    let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    let mut all = Vec::new();
    for word in words {
        let letters: Vec<char> = "  ".chars().chain(word.chars()).chain([' ']).collect();
        let last = letters.len() - 3;
        all.extend(letters.windows(3).enumerate().map(|(i, three)| (Trigram::of(three), i == 0, i == last)));
    }
    Ok(all)
}

fn distinct(text: &str) -> SqlResult<BTreeSet<Trigram>> {
    Ok(positions(text)?.into_iter().map(|(trigram, ..)| trigram).collect())
}

/// How many of all are shared, in the precision that PostgreSQL has.
fn share(shared: usize, one: usize, other: usize) -> f32 {
    shared as f32 / (one + other - shared) as f32
}

/// The greatest similarity of a text to a part of another one: with `strict`, to whole words of it. Both bounds of the part are
/// moved along as PostgreSQL moves them, which does not try all of them.
fn within(text: &str, other: &str, strict: bool) -> SqlResult<f32> {
    let wanted = distinct(text)?;
    let places = positions(other)?;
    let kinds: Vec<Trigram> =
        places.iter().map(|(trigram, ..)| *trigram).collect::<BTreeSet<_>>().into_iter().collect();
    let kind = |i: usize| kinds.binary_search(&places[i].0).unwrap_or_default();
    let found: Vec<bool> = kinds.iter().map(|trigram| wanted.contains(trigram)).collect();
    let mut last: Vec<Option<usize>> = vec![None; kinds.len()];
    let (mut lower, mut size, mut count) = (strict.then_some(0), 0, 0);
    let mut greatest = 0f32;
    let begins = |i: usize| places[i].1;
    for (i, (_, _, ends)) in places.iter().enumerate() {
        let this = kind(i);
        if lower.is_some() || found[this] {
            if last[this].is_none() {
                size += 1;
                count += usize::from(found[this]);
            }
            last[this] = Some(i);
        }
        if !(if strict { *ends } else { found[this] }) {
            continue;
        }
        let before = *lower.get_or_insert_with(|| {
            size = 1;
            i
        });
        let mut here = share(count, wanted.len(), size);
        // Where nearly all is shared, what was looked at is looked at again for each place.
        meter::work(i - before)?;
        let (mut count_from, mut size_from) = (count, size);
        for from in before..=i {
            if !strict || begins(from) {
                let candidate = share(count_from, wanted.len(), size_from);
                if candidate > here {
                    (here, size, count, lower) = (candidate, size_from, count_from, Some(from));
                }
            }
            let gone = kind(from);
            if last[gone] == Some(from) {
                size_from -= 1;
                count_from -= usize::from(found[gone]);
            }
        }
        greatest = greatest.max(here);
        for from in before..lower.unwrap_or(before) {
            let gone = kind(from);
            if last[gone] == Some(from) {
                last[gone] = None;
            }
        }
    }
    Ok(greatest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::meter::{Limits, Meter};
    use std::sync::Arc;

    /// Texts of which nearly all is shared are what takes longest.
    #[test]
    fn a_long_search_is_counted_and_can_be_stopped() {
        let meter = Arc::new(Meter::default());
        let _entered = meter.enter();
        meter.begin(Limits { work: 1_000_000, ..Limits::NONE });
        let text = "ab ".repeat(100);
        assert_eq!(within(&text, &text, false), Ok(1.0));
        assert!(meter.spent() > 2 * text.len() as u64);
        let text = "abcdefgh".repeat(20_000);
        assert!(within("abcdefgh", &text, false).is_err());
    }
}
