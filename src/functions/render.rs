//! From a signature's template to SQLite text.
//!
//! An argument's text must stand by itself (an atom, a call, or in parentheses); what a template makes of it does, too.

use super::casts;
use crate::types::Type;
use std::fmt::Write as _;

/// An argument as it goes into a template.
#[derive(Clone, Copy, Debug)]
pub struct Argument<'a> {
    /// SQLite text.
    pub sql: &'a str,
    pub ty: Type,
    pub typmod: i32,
}

/// What may follow an aggregate's arguments, as SQLite text without its keywords' frames.
#[derive(Clone, Copy, Debug, Default)]
pub struct Modifiers<'a> {
    pub distinct: bool,
    /// The list after ORDER BY.
    pub order_by: Option<&'a str>,
    /// The condition inside FILTER (WHERE …).
    pub filter: Option<&'a str>,
    /// What stands between the parentheses of OVER (…), or a window's name in double quotes.
    pub over: Option<&'a str>,
}

/// Fills a template: `{n}`, `{*}`, `{n:type}`, `{n:out}`, `{*:out}`, `{typmod}`. Any other brace stands for itself.
/// A reference to an argument that was left out becomes NULL.
pub fn render(template: &str, args: &[Argument<'_>], typmod: i32) -> String {
    let mut out = String::with_capacity(template.len() + args.iter().map(|a| a.sql.len()).sum::<usize>());
    let mut rest = template;
    while let Some(open) = rest.find('{') {
        out.push_str(&rest[..open]);
        let tail = &rest[open..];
        let replaced = tail.find('}').filter(|close| fill(&mut out, &tail[1..*close], args, typmod));
        rest = match replaced {
            Some(close) => &tail[close + 1..],
            None => {
                out.push('{');
                &tail[1..]
            }
        };
    }
    out.push_str(rest);
    out
}

/// Writes what stands for one placeholder; false if it is none.
fn fill(out: &mut String, placeholder: &str, args: &[Argument<'_>], typmod: i32) -> bool {
    let (which, form) = placeholder.split_once(':').unwrap_or((placeholder, ""));
    if placeholder == "typmod" {
        let _ = write!(out, "{typmod}");
        return true;
    }
    if !matches!(form, "" | "out" | "type") {
        return false;
    }
    if which == "*" {
        for (i, arg) in args.iter().enumerate() {
            out.push_str(if i > 0 { ", " } else { "" });
            one(out, Some(arg), form);
        }
        return true;
    }
    let Ok(index) = which.parse::<usize>() else { return false };
    one(out, args.get(index), form);
    true
}

fn one(out: &mut String, arg: Option<&Argument<'_>>, form: &str) {
    match (arg, form) {
        (None, _) => out.push_str("NULL"),
        (Some(arg), "type") => {
            let _ = write!(out, "{}", arg.ty.0);
        }
        (Some(arg), "out") => out.push_str(&casts::output(arg.ty, arg.typmod, arg.sql)),
        (Some(arg), _) => out.push_str(arg.sql),
    }
}

/// Fills the template of an aggregate or window function and puts its modifiers in their places.
///
/// SQLite takes DISTINCT with one argument only: several are packed into one, which every aggregate of ours understands.
pub fn render_aggregate(template: &str, args: &[Argument<'_>], modifiers: Modifiers<'_>) -> String {
    let call = render(template, args, crate::types::NO_TYPMOD);
    let (name, inner) = call.strip_suffix(')').and_then(|c| c.split_once('(')).unwrap_or((&call, ""));
    let mut out = format!("{name}(");
    match (modifiers.distinct, template.contains(',') || (template.contains("{*}") && args.len() > 1)) {
        (false, _) => out.push_str(inner),
        (true, false) => {
            let _ = write!(out, "DISTINCT {inner}");
        }
        (true, true) => {
            let _ = write!(out, "DISTINCT q_pack({inner})");
        }
    }
    if let Some(keys) = modifiers.order_by {
        let _ = write!(out, " ORDER BY {keys}");
    }
    out.push(')');
    if let Some(condition) = modifiers.filter {
        let _ = write!(out, " FILTER (WHERE {condition})");
    }
    match modifiers.over {
        Some(name) if name.starts_with('"') => {
            let _ = write!(out, " OVER {name}");
        }
        Some(window) => {
            let _ = write!(out, " OVER ({window})");
        }
        None => {}
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::NO_TYPMOD;

    fn int(sql: &str) -> Argument<'_> {
        Argument { sql, ty: Type::INT4, typmod: NO_TYPMOD }
    }

    #[test]
    fn templates() {
        let args = [int("a"), int("?1")];
        for (template, expected) in [
            ("({0} + {1})", "(a + ?1)"),
            ("f({*})", "f(a, ?1)"),
            ("f({1:type}, {0})", "f(23, a)"),
            ("f({*:out})", "f(CAST(a AS TEXT), CAST(?1 AS TEXT))"),
            ("f({0},{typmod})", "f(a,7)"),
            ("f('{}', {2})", "f('{}', NULL)"),
        ] {
            assert_eq!(render(template, &args, 7), expected, "{template}");
        }
    }

    #[test]
    fn aggregate_modifiers() {
        let args = [int("a"), int("b")];
        let m = Modifiers { distinct: true, order_by: Some("a"), filter: Some("b > 1"), over: None };
        assert_eq!(render_aggregate("sum({0})", &args[..1], m), "sum(DISTINCT a ORDER BY a) FILTER (WHERE b > 1)");
        assert_eq!(
            render_aggregate("q_string_agg({0}, {1})", &args, Modifiers { distinct: true, ..m }),
            "q_string_agg(DISTINCT q_pack(a, b) ORDER BY a) FILTER (WHERE b > 1)"
        );
        let w = Modifiers { over: Some("PARTITION BY a"), ..Modifiers::default() };
        assert_eq!(render_aggregate("row_number()", &[], w), "row_number() OVER (PARTITION BY a)");
        assert_eq!(render_aggregate("count(*)", &[], Modifiers::default()), "count(*)");
    }
}
