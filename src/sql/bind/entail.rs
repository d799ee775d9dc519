//! What follows from a condition, so that an index can serve it.
//!
//! SQLite uses an index for a column that is compared with something that does not depend on the row; it draws no conclusions.
//! Some conditions say such a thing in other words:
//!
//! | condition | what follows |
//! |---|---|
//! | `c LIKE 'ab%'`, `c LIKE $1 \|\| '%'`, `c ~ '^ab'` | `c >= 'ab'` and `c < 'ac'` |
//! | `date >= timestamp`, `timestamp < timestamptz` | the same of the column's own type, with the bound rounded away |
//! | `(a AND b) OR (a AND c)` | `a`, and `b OR c` |
//!
//! What follows is added with AND, so a bound may be wider than it need be; only what all alternatives of an OR share is
//! taken out of them. Nothing is added for a pattern that is a parameter alone: nobody knows yet that it does not begin with
//! `%`, and then the way through an index would be the longer one.

use super::Binder;
use crate::error::SqlResult;
use crate::functions::Volatility;
use crate::functions::regex::anchored_prefix;
use crate::functions::text::{after_all_with, like_prefix};
use crate::sql::ir::{Node, Op, Typed};
use crate::types::{NO_TYPMOD, Type};
use crate::value::Value;

/// More conditions than these in an alternative are not looked through.
const CONDITIONS: usize = 16;
/// By how many days moments of one clock may differ from those of another, whatever the time zone does.
const ANY_SHIFT: i64 = 2;

impl Binder<'_> {
    /// A condition together with what follows from it.
    pub(super) fn entailed(&mut self, condition: Typed) -> SqlResult<Typed> {
        let at = condition.at;
        let mut all = Vec::new();
        for part in conjuncts(condition) {
            let (common, rest) = factored(part);
            for part in common.into_iter().chain(rest) {
                // What costs less is asked first.
                all.extend(self.bounds(&part)?);
                all.push(part);
            }
        }
        if all.is_empty() {
            return Ok(Typed::bool(true));
        }
        Ok(Typed::join(Op::And, all).at(at))
    }

    fn bounds(&mut self, condition: &Typed) -> SqlResult<Vec<Typed>> {
        let Node::Apply(Op::Operator(infix), args) = &condition.node else { return Ok(Vec::new()) };
        let [left, right] = args.as_slice() else { return Ok(Vec::new()) };
        match infix.operator.name {
            "~~" if is_text_column(left) => self.like_bounds(left, right),
            "~" if is_text_column(left) => match constant_text(right).and_then(anchored_prefix) {
                Some(prefix) => self.prefix_bounds(left, &prefix),
                None => Ok(Vec::new()),
            },
            name @ ("<" | "<=" | "=" | ">=" | ">") => {
                if is_column(left) && is_constant(right) {
                    self.time_bounds(left, name, right)
                } else if is_column(right) && is_constant(left) {
                    self.time_bounds(right, mirrored(name), left)
                } else {
                    Ok(Vec::new())
                }
            }
            _ => Ok(Vec::new()),
        }
    }

    fn like_bounds(&mut self, column: &Typed, pattern: &Typed) -> SqlResult<Vec<Typed>> {
        if let Some(text) = constant_text(pattern) {
            return self.prefix_bounds(column, &like_prefix(text));
        }
        // Whoever appends something to a parameter looks for what begins with it.
        let begins = match &pattern.node {
            Node::Apply(Op::Operator(infix), parts) if infix.operator.name == "||" => parts.first().map(unlabelled),
            _ => None,
        };
        if !begins.is_some_and(|first| matches!(first.node, Node::Param(_))) || !is_constant(pattern) {
            return Ok(Vec::new());
        }
        let of = |name| Typed::apply(Type::TEXT, Op::Internal(name), vec![pattern.clone()]);
        let from = self.operator(">=", Some(column.clone()), of("q_like_from"))?;
        let to = self.operator("<", Some(column.clone()), of("q_like_to"))?;
        Ok(vec![from, to])
    }

    fn prefix_bounds(&mut self, column: &Typed, prefix: &str) -> SqlResult<Vec<Typed>> {
        if prefix.is_empty() {
            return Ok(Vec::new());
        }
        let mut bounds = vec![self.operator(">=", Some(column.clone()), Typed::text(prefix))?];
        if let Some(next) = after_all_with(prefix) {
            bounds.push(self.operator("<", Some(column.clone()), Typed::text(&next))?);
        }
        Ok(bounds)
    }

    /// Of a column that is compared with a moment of another type.
    fn time_bounds(&mut self, column: &Typed, name: &str, moment: &Typed) -> SqlResult<Vec<Typed>> {
        let fits = match column.ty {
            Type::DATE => matches!(moment.ty, Type::TIMESTAMP | Type::TIMESTAMPTZ),
            Type::TIMESTAMP => moment.ty == Type::TIMESTAMPTZ,
            _ => false,
        };
        if !fits {
            return Ok(Vec::new());
        }
        let mut bounds = Vec::new();
        for (sides, bound, away) in [(["=", ">", ">="], ">=", -1), (["=", "<", "<="], "<=", 1)] {
            if !sides.contains(&name) {
                continue;
            }
            let value = match moment.ty {
                // What is too late or too early for the other clock has to bound nothing, rather than be an error.
                Type::TIMESTAMPTZ => {
                    let shift = Typed::constant(Type::INT8, Value::Int(away * ANY_SHIFT));
                    let name = if column.ty == Type::DATE { "q_near_date" } else { "q_near_ts" };
                    Typed::apply(column.ty, Op::Internal(name), vec![moment.clone(), shift])
                }
                _ => self.cast(moment.clone(), column.ty, NO_TYPMOD)?,
            };
            bounds.push(self.operator(bound, Some(column.clone()), value)?);
        }
        Ok(bounds)
    }
}

/// The conditions that must all hold.
fn conjuncts(condition: Typed) -> Vec<Typed> {
    match condition.node {
        Node::Apply(Op::And, parts) => parts.into_iter().flat_map(conjuncts).collect(),
        node => vec![Typed { node, ..condition }],
    }
}

/// The conditions that all alternatives of an OR share, and what is left of it.
fn factored(condition: Typed) -> (Vec<Typed>, Option<Typed>) {
    let Node::Apply(Op::Or, alternatives) = condition.node else { return (Vec::new(), Some(condition)) };
    let whole = |alternatives| Some(Typed::test(Op::Or, alternatives).at(condition.at));
    let parts: fn(&Typed) -> &[Typed] = |alternative| match &alternative.node {
        Node::Apply(Op::And, parts) => parts,
        _ => std::slice::from_ref(alternative),
    };
    let first = parts(&alternatives[0]);
    if first.len() > CONDITIONS {
        return (Vec::new(), whole(alternatives));
    }
    let shared = |part: &&Typed| is_plain(part) && alternatives[1..].iter().all(|other| parts(other).contains(part));
    let common: Vec<Typed> = first.iter().filter(shared).cloned().collect();
    if common.is_empty() {
        return (common, whole(alternatives));
    }
    let mut rests = Vec::with_capacity(alternatives.len());
    for alternative in alternatives {
        let mut rest = conjuncts(alternative);
        rest.retain(|part| !common.contains(part));
        if rest.is_empty() {
            // This alternative is what they share: the others add nothing.
            return (common, None);
        }
        rests.push(Typed::join(Op::And, rest));
    }
    (common, whole(rests))
}

/// Whether it may as well be evaluated elsewhere, or once more: neither calls nor subqueries.
fn is_plain(expr: &Typed) -> bool {
    !expr.any(&|e| match &e.node {
        Node::Apply(op, _) => !matches!(
            op,
            Op::Operator(_)
                | Op::Cast(_)
                | Op::Relabel
                | Op::And
                | Op::Or
                | Op::Not
                | Op::IsNull
                | Op::IsNotNull
                | Op::In { .. }
        ),
        Node::Call(_) | Node::Query(_) | Node::Kept { .. } | Node::RowList => true,
        _ => false,
    })
}

/// Whether it is the same for all rows of the query.
fn is_constant(expr: &Typed) -> bool {
    !expr.any(&|e| match &e.node {
        Node::Apply(Op::Function(function), _) => function.volatility == Volatility::Volatile,
        Node::Apply(op, _) => !matches!(op, Op::Operator(_) | Op::Cast(_) | Op::Relabel),
        Node::Text(_) | Node::Const(_) | Node::Param(_) => false,
        _ => true,
    })
}

fn unlabelled(expr: &Typed) -> &Typed {
    match &expr.node {
        Node::Apply(Op::Relabel, args) => unlabelled(&args[0]),
        _ => expr,
    }
}

/// A column of a table.
fn is_column(expr: &Typed) -> bool {
    matches!(&expr.node, Node::Column(column) if column.table != 0)
}

/// A column of a table that SQLite compares byte by byte.
fn is_text_column(expr: &Typed) -> bool {
    let column = unlabelled(expr);
    is_column(column) && matches!(column.ty, Type::TEXT | Type::VARCHAR)
}

fn constant_text(expr: &Typed) -> Option<&str> {
    match &unlabelled(expr).node {
        Node::Text(text) | Node::Const(Value::Text(text)) => Some(text),
        _ => None,
    }
}

fn mirrored(name: &str) -> &str {
    match name {
        "<" => ">",
        "<=" => ">=",
        ">" => "<",
        ">=" => "<=",
        same => same,
    }
}
