//! The extension citext: texts that compare without regard to case, under the collation `pg_citext`.
//!
//! As in PostgreSQL a literal beside such a value is one, too, and a text is not: `citext = text` compares as texts do.

use super::table::*;
use super::text::lower;
use super::{Aggregate, Cast, Collation, Function, Native, Operator, Scalar};
use crate::types::Type;
use std::cmp::Ordering;

const CITEXT: Type = Type::CITEXT;
const C2: &[Type] = &[CITEXT, CITEXT];
const C3: &[Type] = &[CITEXT, CITEXT, TEXT];

pub const COMPARISONS: &[Operator] = &collated!(CITEXT, "pg_citext");

pub const OPERATORS: &[Operator] = &[
    op("~~", CITEXT, CITEXT, BOOL, "q_ilike({0}, {1})"),
    op("!~~", CITEXT, CITEXT, BOOL, "(NOT q_ilike({0}, {1}))"),
    op("~~*", CITEXT, CITEXT, BOOL, "q_ilike({0}, {1})"),
    op("!~~*", CITEXT, CITEXT, BOOL, "(NOT q_ilike({0}, {1}))"),
    op("~~", CITEXT, TEXT, BOOL, "q_ilike({0}, {1})"),
    op("!~~", CITEXT, TEXT, BOOL, "(NOT q_ilike({0}, {1}))"),
    op("~~*", CITEXT, TEXT, BOOL, "q_ilike({0}, {1})"),
    op("!~~*", CITEXT, TEXT, BOOL, "(NOT q_ilike({0}, {1}))"),
    op("~", CITEXT, CITEXT, BOOL, "q_iregex({0}, {1})"),
    op("!~", CITEXT, CITEXT, BOOL, "(NOT q_iregex({0}, {1}))"),
    op("~*", CITEXT, CITEXT, BOOL, "q_iregex({0}, {1})"),
    op("!~*", CITEXT, CITEXT, BOOL, "(NOT q_iregex({0}, {1}))"),
    op("~", CITEXT, TEXT, BOOL, "q_iregex({0}, {1})"),
    op("!~", CITEXT, TEXT, BOOL, "(NOT q_iregex({0}, {1}))"),
    op("~*", CITEXT, TEXT, BOOL, "q_iregex({0}, {1})"),
    op("!~*", CITEXT, TEXT, BOOL, "(NOT q_iregex({0}, {1}))"),
];

pub const FUNCTIONS: &[Function] = &[
    aggregate("min", &[CITEXT], CITEXT, "min({0})"),
    aggregate("max", &[CITEXT], CITEXT, "max({0})"),
    func("strpos", C2, INT4, "q_strpos(q_lower({0}), q_lower({1}))"),
    func(
        "replace",
        &[CITEXT, CITEXT, CITEXT],
        TEXT,
        "q_regexp_replace({0}, '***=' || {1}, replace({2}, '\\', '\\\\'), 'gi')",
    ),
    func(
        "split_part",
        &[CITEXT, CITEXT, INT4],
        TEXT,
        "q_split_part(q_regexp_replace({0}, '***=' || {1}, replace({1}, '\\', '\\\\'), 'gi'), {1}, {2})",
    ),
    func(
        "translate",
        &[CITEXT, CITEXT, TEXT],
        TEXT,
        "q_translate(q_translate({0}, q_lower({1}), {2}), q_upper({1}), {2})",
    ),
    func("regexp_match", C2, TEXT_ARRAY, "q_regexp_match({0}, {1}, 'i')"),
    func("regexp_match", C3, TEXT_ARRAY, "q_regexp_match({0}, {1}, {2} || 'i')"),
    set("regexp_matches", C2, TEXT_ARRAY, "q_regexp_matches({0}, {1}, 'i')"),
    set("regexp_matches", C3, TEXT_ARRAY, "q_regexp_matches({0}, {1}, {2} || 'i')"),
    func("regexp_replace", C3, TEXT, "q_regexp_replace({0}, {1}, {2}, 'i')"),
    func("regexp_replace", &[CITEXT, CITEXT, TEXT, TEXT], TEXT, "q_regexp_replace({0}, {1}, {2}, {3} || 'i')"),
    func("regexp_split_to_array", C2, TEXT_ARRAY, "q_regexp_split({0}, {1}, 'i')"),
    func("regexp_split_to_array", C3, TEXT_ARRAY, "q_regexp_split({0}, {1}, {2} || 'i')"),
    set("regexp_split_to_table", C2, TEXT, "q_unnest(q_regexp_split({0}, {1}, 'i'))"),
    set("regexp_split_to_table", C3, TEXT, "q_unnest(q_regexp_split({0}, {1}, {2} || 'i'))"),
];

pub const CASTS: &[Cast] = &[
    // What is another type has not its collation any more.
    implicit(CITEXT, TEXT, "({0} || '')"),
    implicit(CITEXT, VARCHAR, "({0} || '')"),
    assignment(CITEXT, VARCHAR, "q_varchar({0}, {typmod})"),
    explicit(CITEXT, VARCHAR, "q_varchar_cut({0}, {typmod})"),
    assignment(CITEXT, BPCHAR, "q_bpchar({0}, {typmod})"),
    explicit(CITEXT, BPCHAR, "q_bpchar_cut({0}, {typmod})"),
    assignment(TEXT, CITEXT, "{0}"),
    assignment(VARCHAR, CITEXT, "{0}"),
    assignment(BPCHAR, CITEXT, "rtrim({0}, ' ')"),
    assignment(BOOL, CITEXT, "iif({0}, 'true', iif({0} IS NULL, NULL, 'false'))"),
    assignment(INET, CITEXT, "q_text(869, -1, {0})"),
];

pub const SCALARS: &[Scalar] = &[];
pub const AGGREGATES: &[Aggregate] = &[];
pub const COLLATIONS: &[Collation] = &[Collation { name: "pg_citext", compare }];

const INET: Type = Type::INET;

fn compare(a: &str, b: &str) -> Ordering {
    if a.is_ascii() && b.is_ascii() {
        let folded = |s: &str| s.bytes().map(|b| b.to_ascii_lowercase()).collect::<Vec<_>>();
        return match a.eq_ignore_ascii_case(b) {
            true => Ordering::Equal,
            false => folded(a).cmp(&folded(b)),
        };
    }
    lower(a).cmp(&lower(b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cases_are_equal_in_all_scripts() {
        for (a, b) in [("Abc", "aBC"), ("ÄÖ", "äö"), ("Σ", "σ")] {
            assert_eq!(compare(a, b), Ordering::Equal, "{a} {b}");
        }
        assert_eq!(compare("B", "a"), Ordering::Greater);
        assert_eq!(compare("_", "A"), Ordering::Less);
    }
}
