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

/// The arguments of a template, each of which is written as often as the template names it.
pub trait Arguments {
    fn count(&self) -> usize;
    /// Type and type modifier of an argument.
    fn of_type(&self, i: usize) -> (Type, i32);
    /// Appends an argument's text to [`Self::out`].
    fn write(&mut self, i: usize);
    /// Where everything goes.
    fn out(&mut self) -> &mut String;
}

/// Fills a template: `{n}`, `{*}`, `{n:type}`, `{n:out}`, `{*:out}`, `{typmod}`. Any other brace stands for itself.
/// A reference to an argument that was left out becomes NULL.
pub fn fill(template: &str, args: &mut dyn Arguments, typmod: i32) {
    let mut rest = template;
    while let Some(open) = rest.find('{') {
        args.out().push_str(&rest[..open]);
        let tail = &rest[open..];
        let replaced = tail.find('}').filter(|close| place(&tail[1..*close], args, typmod));
        rest = match replaced {
            Some(close) => &tail[close + 1..],
            None => {
                args.out().push('{');
                &tail[1..]
            }
        };
    }
    args.out().push_str(rest);
}

/// Writes what stands for one placeholder; false if it is none.
fn place(placeholder: &str, args: &mut dyn Arguments, typmod: i32) -> bool {
    let (which, form) = placeholder.split_once(':').unwrap_or((placeholder, ""));
    if placeholder == "typmod" {
        let _ = write!(args.out(), "{typmod}");
        return true;
    }
    if !matches!(form, "" | "out" | "type") {
        return false;
    }
    if which == "*" {
        for i in 0..args.count() {
            args.out().push_str(if i > 0 { ", " } else { "" });
            one(i, form, args);
        }
        return true;
    }
    let Ok(index) = which.parse::<usize>() else { return false };
    one(index, form, args);
    true
}

fn one(i: usize, form: &str, args: &mut dyn Arguments) {
    if i >= args.count() {
        return args.out().push_str("NULL");
    }
    match form {
        "type" => {
            let ty = args.of_type(i).0.representation();
            let _ = write!(args.out(), "{}", ty.0);
        }
        "out" => casts::write_output(i, args),
        _ => args.write(i),
    }
}

struct Texts<'a> {
    args: &'a [Argument<'a>],
    out: String,
}

impl Arguments for Texts<'_> {
    fn count(&self) -> usize {
        self.args.len()
    }

    fn of_type(&self, i: usize) -> (Type, i32) {
        (self.args[i].ty, self.args[i].typmod)
    }

    fn write(&mut self, i: usize) {
        self.out.push_str(self.args[i].sql);
    }

    fn out(&mut self) -> &mut String {
        &mut self.out
    }
}

/// [`fill`] over texts.
pub fn render(template: &str, args: &[Argument<'_>], typmod: i32) -> String {
    let mut texts = Texts { args, out: String::with_capacity(template.len()) };
    fill(template, &mut texts, typmod);
    texts.out
}

/// A cast over a text.
#[cfg(test)]
pub fn written(way: casts::Way, arg: Argument<'_>, to: Type, typmod: i32) -> String {
    let mut texts = Texts { args: &[arg], out: String::new() };
    way.write(to, typmod, &mut texts);
    texts.out
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
}
