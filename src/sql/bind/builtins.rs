//! The few templates that syntax needs and that are no function or operator of the catalog.

use super::expr::{Typed, list};
use crate::types::Type;

/// `ARRAY[…]` of a decided type.
pub(super) fn array_sql(ty: Type, elements: &[Typed]) -> String {
    let element = ty.element().unwrap_or(Type::TEXT);
    let nested = elements.first().is_some_and(|e| e.ty.is_array() && e.ty == ty);
    let name = if nested { "q_array_nest" } else { "q_array" };
    match elements {
        [] => format!("{name}({})", element.0),
        _ => format!("{name}({}, {})", element.0, list(elements)),
    }
}

/// `a[i]`, `a[i][j]`: arguments are the array and its subscripts.
pub(super) const SUBSCRIPT: &str = "q_subscript({*})";
/// `a[l:u]`: array, lower and upper bound (NULL: open).
pub(super) const SLICE: &str = "q_slice({0}, {1}, {2})";
/// Rows of the elements of an array, in order, in the column `value`.
pub(super) const ELEMENTS: &str = "q_unnest";
/// Elements of an array one by one cast to another element type: OIDs of the two element types, modifier, array.
pub(super) const ARRAY_CAST: &str = "q_array_cast";

/// The operators that compare, by which a type is equal, sorted, or grouped.
pub(super) const COMPARISONS: [&str; 6] = ["=", "<>", "<", "<=", ">", ">="];

/// SQLite's own comparison, under a collation or not: what indexes serve, what IN and row values do.
pub(super) fn is_native(template: &str) -> bool {
    let inner = template.strip_prefix('(').and_then(|t| t.strip_suffix(')')).unwrap_or(template);
    let words: Vec<&str> = inner.split(' ').collect();
    match words[..] {
        ["{0}", op, "{1}"] | ["{0}", op, "{1}", "COLLATE", _] | ["{0}", "COLLATE", _, op, "{1}"] => {
            COMPARISONS.contains(&op)
        }
        _ => false,
    }
}
