//! Cursors of a program: their declarations, OPEN, FETCH, MOVE, CLOSE, and loops over them.

use super::{Code, Declared, Into, Reader, Step, Target};
use crate::error::{SqlError, SqlResult, state};
use crate::sql::lex::quote_literal;

/// A cursor that is declared with its query.
pub(super) struct Bound {
    variable: usize,
    arguments: Vec<usize>,
    query: Code,
    backward: bool,
}

/// Which row is meant, from where a cursor is.
#[derive(Clone, Debug, PartialEq)]
pub enum Direction {
    /// So many rows on, backward if negative.
    By(Code),
    /// The row with this number, from the end if negative.
    To(Code),
    /// The row at so many rows from here.
    Relative(Code),
    /// Behind the last row, before the first one.
    Through,
    Back,
}

fn constant(text: &str) -> Code {
    Code { text: text.into(), uses: Vec::new() }
}

impl Reader<'_> {
    /// `[[NO] SCROLL]`
    fn scroll(&mut self) -> SqlResult<bool> {
        let backward = !self.c.eat("NO");
        if !backward {
            self.c.expect("SCROLL")?;
        } else {
            self.c.eat("SCROLL");
        }
        Ok(backward)
    }

    /// `name [[NO] SCROLL] CURSOR [(argument type, …)] {FOR | IS} query;`, behind the name.
    pub(super) fn bound_cursor(&mut self, name: String) -> SqlResult<()> {
        let backward = self.scroll()?;
        self.c.expect("CURSOR")?;
        // The arguments are named in the query only.
        let outside = self.visible.len();
        let mut arguments = Vec::new();
        if self.c.is("(") {
            let listed = self.c.paren_list(|c| Ok((c.ident()?, c.take_until(|c| c.is(","))?.to_owned())))?;
            for (name, ty) in listed {
                arguments.push(self.variable(name, Declared::Type(ty), false, false));
            }
        }
        if self.c.eat_one(&["FOR", "IS"]).is_none() {
            return Err(self.c.error());
        }
        self.visible.extend(&arguments);
        let query = self.text()?;
        self.visible.truncate(outside);
        self.c.expect(";")?;
        let variable = self.variable(name.clone(), Declared::Cursor, false, false);
        let value = constant(&quote_literal(&name));
        self.declare(variable, Declared::Cursor, Some(value));
        self.visible.push(variable);
        self.bound.push(Bound { variable, arguments, query, backward });
        Ok(())
    }

    /// A cursor's variable.
    fn cursor_variable(&mut self) -> SqlResult<usize> {
        let Target { variable, field: None } = self.target()? else { return Err(self.c.error()) };
        match self.variables[variable].ty {
            Declared::Cursor => Ok(variable),
            _ => {
                let name = &self.variables[variable].name;
                let text = format!("variable \"{name}\" must be of type cursor or refcursor");
                Err(SqlError::new(state::DATATYPE_MISMATCH, text))
            }
        }
    }

    /// A statement about a cursor, behind its first word.
    pub(super) fn cursor(&mut self, word: &str) -> SqlResult<()> {
        if word == "OPEN" {
            return self.open();
        }
        if word == "CLOSE" {
            let cursor = self.cursor_variable()?;
            self.push(Step::Close(cursor));
            return Ok(());
        }
        let (direction, many) = self.direction()?;
        let cursor = self.cursor_variable()?;
        let into = match word == "FETCH" {
            true if many => {
                let text = "FETCH statement cannot return multiple rows";
                return Err(SqlError::new(state::FEATURE_NOT_SUPPORTED, text));
            }
            true => {
                self.c.expect("INTO")?;
                let targets = self.targets()?;
                Some(Into { targets, strict: false })
            }
            false => None,
        };
        self.push(Step::Fetch(cursor, direction, into));
        Ok(())
    }

    /// `OPEN cursor [(argument, …)]`, `OPEN cursor [[NO] SCROLL] FOR {query | EXECUTE text [USING …]}`
    fn open(&mut self) -> SqlResult<()> {
        let cursor = self.cursor_variable()?;
        if let Some(bound) = self.bound.iter().position(|bound| bound.variable == cursor) {
            return self.open_bound(bound);
        }
        let backward = self.scroll()?;
        self.c.expect("FOR")?;
        if self.c.eat("EXECUTE") {
            let text = self.expression(&[";", "USING"])?;
            let using = if self.c.eat("USING") { self.arguments()? } else { Vec::new() };
            self.push(Step::Open(cursor, text, Some(using), backward));
        } else {
            let query = self.text()?;
            self.push(Step::Open(cursor, query, None, backward));
        }
        Ok(())
    }

    /// The arguments of a cursor get their values, and it is opened.
    fn open_bound(&mut self, bound: usize) -> SqlResult<()> {
        let arguments = self.bound[bound].arguments.clone();
        let mut values: Vec<Option<Code>> = vec![None; arguments.len()];
        let cursor = self.bound[bound].variable;
        let wrong = |what: &str, name: &str| SqlError::syntax(format!("{what} arguments for cursor \"{name}\""));
        let name = self.variables[cursor].name.clone();
        if self.c.is("(") && arguments.is_empty() {
            return Err(SqlError::syntax(format!("cursor \"{name}\" has no arguments")));
        }
        if self.c.eat("(") {
            let mut next = 0;
            loop {
                let mut at = next;
                if self.c.is_at(1, ":=") || self.c.is_at(1, "=>") {
                    let given = self.c.ident()?;
                    let known = arguments.iter().position(|argument| self.variables[*argument].name == given);
                    let unknown = || SqlError::syntax(format!("cursor \"{name}\" has no argument named \"{given}\""));
                    at = known.ok_or_else(unknown)?;
                    self.c.eat_one(&[":=", "=>"]);
                }
                let value = self.expression(&[","])?;
                let place = values.get_mut(at).ok_or_else(|| wrong("too many", &name))?;
                if place.replace(value).is_some() {
                    let given = &self.variables[arguments[at]].name;
                    let text = format!("value for parameter \"{given}\" of cursor \"{name}\" specified more than once");
                    return Err(SqlError::syntax(text));
                }
                next = at + 1;
                if !self.c.eat(",") {
                    break;
                }
            }
            self.c.expect(")")?;
        } else if !arguments.is_empty() {
            return Err(SqlError::syntax(format!("cursor \"{name}\" has arguments")));
        }
        for (argument, value) in arguments.into_iter().zip(values) {
            let value = value.ok_or_else(|| wrong("not enough", &name))?;
            let ty = self.variables[argument].ty.clone();
            self.declare(argument, ty, Some(value));
        }
        let (query, backward) = (self.bound[bound].query.clone(), self.bound[bound].backward);
        self.push(Step::Open(cursor, query, None, backward));
        Ok(())
    }

    /// `[direction {FROM | IN}]`, and whether it may mean several rows.
    fn direction(&mut self) -> SqlResult<(Direction, bool)> {
        let word =
            self.c.eat_one(&["NEXT", "PRIOR", "FIRST", "LAST", "ABSOLUTE", "RELATIVE", "FORWARD", "BACKWARD", "ALL"]);
        let direction = match word {
            Some("NEXT") => (Direction::By(constant("1")), false),
            Some("PRIOR") => (Direction::By(constant("-1")), false),
            Some("FIRST") => (Direction::To(constant("1")), false),
            Some("LAST") => (Direction::To(constant("-1")), false),
            Some("ABSOLUTE") => (Direction::To(self.count()?), false),
            Some("RELATIVE") => (Direction::Relative(self.count()?), false),
            Some("ALL") => (Direction::Through, true),
            Some(way) => {
                let forward = way == "FORWARD";
                if self.c.eat("ALL") {
                    (if forward { Direction::Through } else { Direction::Back }, true)
                } else if self.c.is("FROM") || self.c.is("IN") {
                    (Direction::By(constant(if forward { "1" } else { "-1" })), false)
                } else {
                    let count = self.count()?;
                    let text = if forward { count.text } else { format!("-({})", count.text) };
                    (Direction::By(Code { text, ..count }), true)
                }
            }
            // The cursor's name, or a number.
            None if !self.c.is_integer()
                && (self.c.is_at(1, "INTO") || self.c.is_at(1, ";") || self.c.is_at(1, ".")) =>
            {
                return Ok((Direction::By(constant("1")), false));
            }
            None if self.c.is("FROM") || self.c.is("IN") => (Direction::By(constant("1")), false),
            None => (Direction::By(self.count()?), true),
        };
        if self.c.eat_one(&["FROM", "IN"]).is_none() {
            return Err(self.c.error());
        }
        Ok(direction)
    }

    fn count(&mut self) -> SqlResult<Code> {
        self.expression(&["FROM", "IN"])
    }

    /// The cursor of `FOR record IN cursor [(argument, …)] LOOP`, if that is what comes.
    pub(super) fn looped_cursor(&mut self) -> Option<usize> {
        let start = self.c.mark();
        let found = (|| {
            self.c.ident().ok()?;
            let names = self.c.eat("IN").then(|| self.names()).and_then(Result::ok)?;
            let (variable, _) = self.find(&names).filter(|(_, taken)| *taken == names.len())?;
            let bound = self.bound.iter().position(|bound| bound.variable == variable);
            bound.filter(|_| self.c.is("LOOP") || self.c.is("("))
        })();
        self.c.reset(start);
        found
    }

    /// Such a loop from its record on; the step that begins another round.
    pub(super) fn cursor_loop(&mut self, bound: usize) -> SqlResult<usize> {
        let name = self.c.ident()?;
        self.c.expect("IN")?;
        self.names()?;
        self.open_bound(bound)?;
        self.c.expect("LOOP")?;
        // It is a record of the loop's own.
        let record = self.variable(name, Declared::Record, false, false);
        self.visible.push(record);
        let again = self.push(Step::Nothing);
        self.statements(&["END"])?;
        self.c.expect("END LOOP")?;
        self.end_label()?;
        self.push(Step::Jump(again));
        let targets = vec![Target { variable: record, field: None }];
        self.steps[again] = Step::NextOf(self.bound[bound].variable, targets, self.steps.len());
        Ok(again)
    }
}
