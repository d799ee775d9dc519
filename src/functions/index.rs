//! All topics' tables together, and the indexes that the binder looks them up by.

use super::*;
use std::collections::BTreeMap;
use std::sync::LazyLock;

macro_rules! topics {
    ($table:ident: $($extra:expr),*) => {
        &[
            advisory::$table, notify::$table,
            integers::$table, floats::$table, numeric::$table, text::$table, regex::$table, datetime::$table,
            json::$table, arrays::$table, casts::$table, aggregates::$table, system::$table, catalog::$table,
            live::$table, money::$table, names::$table, network::$table, bits::$table, bytes::$table, domains::$table, crypto::$table, regression::$table, privileges::$table, enums::$table, frames::$table, hashes::$table, records::$table, jsonpath::$table, citext::$table, trigrams::$table, statistics::$table, sample::$table $(, $extra)*
        ]
    };
}

static FUNCTIONS: &[&[Function]] = topics!(FUNCTIONS: privileges::OBJECTS.as_flattened(), identify::FUNCTIONS);
static OPERATORS: &[&[Operator]] = topics!(OPERATORS: integers::COMPARISONS, integers::ARITHMETIC,
    floats::COMPARISONS, floats::ARITHMETIC, text::COMPARISONS, network::COMPARISONS, bits::COMPARISONS, records::COMPARISONS,
    numeric::COMPARISONS, json::COMPARISONS, citext::COMPARISONS, money::COMPARISONS);
static CASTS: &[&[Cast]] = topics!(CASTS:);
static SCALARS: &[&[Scalar]] = topics!(SCALARS: arrays::QUANTIFIED);
static AGGREGATES: &[&[Aggregate]] = topics!(AGGREGATES:);
static COLLATIONS: &[&[Collation]] = &[
    numeric::COLLATIONS,
    datetime::COLLATIONS,
    json::COLLATIONS,
    arrays::COLLATIONS,
    records::COLLATIONS,
    citext::COLLATIONS,
];

struct Index {
    functions: BTreeMap<&'static str, Vec<&'static Function>>,
    operators: BTreeMap<&'static str, Vec<&'static Operator>>,
    /// Sorted by context.
    casts: BTreeMap<(Type, Type), Vec<&'static Cast>>,
}

static INDEX: LazyLock<Index> = LazyLock::new(|| {
    let mut index = Index { functions: BTreeMap::new(), operators: BTreeMap::new(), casts: BTreeMap::new() };
    functions().for_each(|f| index.functions.entry(f.name).or_default().push(f));
    operators().for_each(|o| index.operators.entry(o.name).or_default().push(o));
    casts().for_each(|c| index.casts.entry((c.from, c.to)).or_default().push(c));
    index.casts.values_mut().for_each(|rows| rows.sort_by_key(|c| c.context));
    index
});

/// Every function signature, topic by topic; the order is stable within a build.
pub fn functions() -> impl Iterator<Item = &'static Function> {
    FUNCTIONS.iter().copied().flatten()
}

/// Every operator signature.
pub fn operators() -> impl Iterator<Item = &'static Operator> {
    OPERATORS.iter().copied().flatten()
}

/// Every cast.
pub fn casts() -> impl Iterator<Item = &'static Cast> {
    CASTS.iter().copied().flatten()
}

/// Every implementation of a scalar function, to be registered on a connection.
pub fn scalars() -> impl Iterator<Item = &'static Scalar> {
    SCALARS.iter().copied().flatten()
}

/// Every implementation of an aggregate, to be registered on a connection.
pub fn aggregates() -> impl Iterator<Item = &'static Aggregate> {
    AGGREGATES.iter().copied().flatten()
}

/// Every collation, to be registered on a connection.
pub fn collations() -> impl Iterator<Item = &'static Collation> {
    COLLATIONS.iter().copied().flatten()
}

/// The functions of a name, of all kinds; empty if there are none.
pub fn lookup_functions(name: &str) -> &'static [&'static Function] {
    INDEX.functions.get(name).map_or(&[], Vec::as_slice)
}

/// The operators of a name, infix and prefix; empty if there are none.
pub fn lookup_operators(name: &str) -> &'static [&'static Operator] {
    INDEX.operators.get(name).map_or(&[], Vec::as_slice)
}

/// The cast between two types in the narrowest context in which there is one: whether it applies by itself.
pub fn find_cast(from: Type, to: Type) -> Option<&'static Cast> {
    INDEX.casts.get(&(from, to)).and_then(|rows| rows.first().copied())
}

/// The cast that applies where `context` is granted: of several the one made for the widest context within it.
pub fn find_cast_in(from: Type, to: Type, context: CastContext) -> Option<&'static Cast> {
    INDEX.casts.get(&(from, to)).and_then(|rows| rows.iter().rev().find(|c| c.context <= context).copied())
}
