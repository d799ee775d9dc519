//! The body of DO: the part of PL/pgSQL that migrations are written in, as a program of steps.
//!
//! There are statements, PERFORM, EXECUTE of an expression, IF, blocks with EXCEPTION, RAISE, NULL and RETURN.
//!
//! Left out (0A000): variables, loops, cursors, and what hands rows or values on (INTO, USING).

use super::allowance::Allowance;
use super::cursor::Cursor;
use super::lex::Kind;
use super::parse::check_expression;
use crate::error::{SqlError, SqlResult, SqlState, state};

#[derive(Clone, Debug, PartialEq)]
pub struct Program(pub Vec<Step>);

#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    Nothing,
    /// A statement.
    Run(String),
    /// A query whose rows nobody wants.
    Perform(String),
    /// An expression that is a statement's text.
    Execute(String),
    /// Goes on at that step unless the condition is true.
    Unless(String, usize),
    Jump(usize),
    /// From here on an error may lead to a handler,
    Guard(Vec<Handler>),
    /// and from here on no longer.
    Unguard,
    /// Expressions stand in the places of the format's percent signs.
    Raise(Level, String, Vec<String>),
    /// The error that led to the handler once more.
    RaiseAgain,
    End,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    Debug,
    Info,
    Notice,
    Warning,
    Exception,
}

/// Where to go on after which errors.
#[derive(Clone, Debug, PartialEq)]
pub struct Handler {
    pub conditions: Vec<Condition>,
    pub step: usize,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Condition {
    Others,
    Code(SqlState),
}

impl Condition {
    /// Whether an error is meant. That of a class means all of it; a cancelled statement is meant only by its own name.
    pub fn meets(self, code: SqlState) -> bool {
        match self {
            Condition::Others => code != state::QUERY_CANCELED,
            Condition::Code(SqlState([a, b, b'0', b'0', b'0'])) => code.0[..2] == [a, b],
            Condition::Code(wanted) => code == wanted,
        }
    }
}

/// Names of what nothing here fails with by itself, and of classes.
const OTHER_NAMES: [(&str, &str); 16] = [
    ("assert_failure", "P0004"),
    ("data_exception", "22000"),
    ("duplicate_file", "58P02"),
    ("duplicate_function", "42723"),
    ("exclusion_violation", "23P01"),
    ("insufficient_resources", "53000"),
    ("integrity_constraint_violation", "23000"),
    ("invalid_schema_definition", "42P15"),
    ("no_data_found", "P0002"),
    ("object_in_use", "55006"),
    ("plpgsql_error", "P0000"),
    ("raise_exception", "P0001"),
    ("restrict_violation", "23001"),
    ("syntax_error_or_access_rule_violation", "42000"),
    ("too_many_rows", "P0003"),
    ("transaction_rollback", "40000"),
];

/// Nested deeper than this it is nobody's program.
const DEEPEST: usize = 100;

/// Reads a body. Errors: 42601, 0A000, 42704 for conditions that nobody knows.
pub fn program(body: &str, allowance: &Allowance) -> SqlResult<Program> {
    let mut reader = Reader { c: Cursor::new(body, allowance)?, steps: Vec::new(), depth: 0 };
    let read = reader.block().and_then(|()| {
        reader.c.eat(";");
        reader.c.finish()
    });
    // Positions count in the body, which is a literal of the statement.
    read.map_err(|mut error| {
        error.fields.position = None;
        error
    })?;
    reader.steps.push(Step::End);
    Ok(Program(reader.steps))
}

struct Reader<'a> {
    c: Cursor<'a>,
    steps: Vec<Step>,
    depth: usize,
}

fn unsupported<T>(what: &str) -> SqlResult<T> {
    Err(SqlError::unsupported(format!("{what} in DO")))
}

impl Reader<'_> {
    fn push(&mut self, step: Step) -> usize {
        self.steps.push(step);
        self.steps.len() - 1
    }

    /// `[<<label>>] BEGIN … [EXCEPTION …] END [label]`
    fn block(&mut self) -> SqlResult<()> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(SqlError::new(state::STATEMENT_TOO_COMPLEX, "blocks are nested too deeply"));
        }
        if self.c.eat("<<") {
            self.c.any_word()?;
            self.c.expect(">>")?;
        }
        if self.c.is("DECLARE") {
            return unsupported("DECLARE");
        }
        self.c.expect("BEGIN")?;
        let guard = self.push(Step::Nothing);
        self.statements(&["END", "EXCEPTION"])?;
        if self.c.eat("EXCEPTION") {
            let handlers = self.handlers()?;
            self.steps[guard] = Step::Guard(handlers);
        }
        self.c.expect("END")?;
        if self.c.peek().is_some_and(|t| matches!(t.kind, Kind::Word | Kind::Quoted)) {
            self.c.any_word()?;
        }
        self.depth -= 1;
        Ok(())
    }

    fn handlers(&mut self) -> SqlResult<Vec<Handler>> {
        self.push(Step::Unguard);
        let mut ends = vec![self.push(Step::Nothing)];
        let mut handlers = Vec::new();
        while self.c.eat("WHEN") {
            let mut conditions = vec![self.condition()?];
            while self.c.eat("OR") {
                conditions.push(self.condition()?);
            }
            self.c.expect("THEN")?;
            handlers.push(Handler { conditions, step: self.steps.len() });
            self.statements(&["WHEN", "END"])?;
            ends.push(self.push(Step::Nothing));
        }
        self.join(ends);
        if handlers.is_empty() { Err(self.c.error()) } else { Ok(handlers) }
    }

    /// These steps go on here.
    fn join(&mut self, ends: Vec<usize>) {
        let here = self.steps.len();
        ends.into_iter().for_each(|end| self.steps[end] = Step::Jump(here));
    }

    fn condition(&mut self) -> SqlResult<Condition> {
        if self.c.eat("SQLSTATE") {
            let code = self.c.string()?;
            return match code.len() == 5 && code.bytes().all(|b| b.is_ascii_digit() || b.is_ascii_uppercase()) {
                true => Ok(Condition::Code(SqlState::new(&code))),
                false => Err(SqlError::syntax("invalid SQLSTATE code")),
            };
        }
        let name = self.c.ident()?;
        let other = OTHER_NAMES.iter().find(|(known, _)| *known == name).map(|(_, code)| SqlState::new(code));
        match state::named(&name).or(other) {
            _ if name == "others" => Ok(Condition::Others),
            Some(code) => Ok(Condition::Code(code)),
            None => Err(SqlError::unsupported(format!("the exception condition \"{name}\""))),
        }
    }

    /// Statements up to one of these words.
    fn statements(&mut self, ends: &[&str]) -> SqlResult<()> {
        while !ends.iter().any(|end| self.c.is(end)) {
            if self.c.done() {
                return Err(self.c.error());
            }
            self.statement()?;
            self.c.expect(";")?;
        }
        Ok(())
    }

    fn statement(&mut self) -> SqlResult<()> {
        const BEYOND: [&str; 13] = [
            "FOR", "FOREACH", "WHILE", "LOOP", "CASE", "GET", "OPEN", "FETCH", "MOVE", "CLOSE", "ASSERT", "CALL",
            "CONTINUE",
        ];
        if self.c.is("BEGIN") || self.c.is("DECLARE") || self.c.is("<<") {
            return self.block();
        }
        if self.c.eat("NULL") {
            return Ok(());
        }
        if self.c.eat("RETURN") {
            self.push(Step::End);
            return Ok(());
        }
        if self.c.eat("IF") {
            return self.conditional();
        }
        if self.c.eat("RAISE") {
            return self.raise();
        }
        if let Some(word) = self.c.eat_one(&BEYOND) {
            return unsupported(word);
        }
        if self.c.eat("PERFORM") {
            let query = self.text()?;
            self.push(Step::Perform(format!("SELECT {query}")));
        } else if self.c.eat("EXECUTE") {
            let expression = self.expression(&[";", "INTO", "USING"])?;
            if self.c.is("INTO") || self.c.is("USING") {
                return unsupported("EXECUTE … INTO or USING");
            }
            self.push(Step::Execute(expression));
        } else if self.c.is_at(1, ":=") || self.c.is_at(1, "=") {
            return unsupported("an assignment");
        } else {
            let text = self.text()?;
            self.push(Step::Run(text));
        }
        Ok(())
    }

    fn text(&mut self) -> SqlResult<String> {
        self.c.take_until(|c| c.is(";")).map(str::to_owned)
    }

    fn expression(&mut self, ends: &[&str]) -> SqlResult<String> {
        let text = self.c.take_until(|c| ends.iter().any(|end| c.is(end)))?;
        check_expression(text, self.c.allowance)?;
        Ok(text.to_owned())
    }

    /// `IF … THEN … {ELSIF … THEN …} [ELSE …] END IF`
    fn conditional(&mut self) -> SqlResult<()> {
        let mut ends = Vec::new();
        loop {
            let condition = self.expression(&["THEN"])?;
            self.c.expect("THEN")?;
            let test = self.push(Step::Nothing);
            self.statements(&["ELSIF", "ELSEIF", "ELSE", "END"])?;
            ends.push(self.push(Step::Nothing));
            self.steps[test] = Step::Unless(condition, self.steps.len());
            if self.c.eat_one(&["ELSIF", "ELSEIF"]).is_none() {
                break;
            }
        }
        if self.c.eat("ELSE") {
            self.statements(&["END"])?;
        }
        self.join(ends);
        self.c.expect("END IF")
    }

    /// `[level] 'format' {, expression}`
    fn raise(&mut self) -> SqlResult<()> {
        if self.c.is(";") {
            self.push(Step::RaiseAgain);
            return Ok(());
        }
        let level = match self.c.eat_one(&["DEBUG", "LOG", "INFO", "NOTICE", "WARNING", "EXCEPTION"]) {
            Some("DEBUG" | "LOG") => Level::Debug,
            Some("INFO") => Level::Info,
            Some("NOTICE") => Level::Notice,
            Some("WARNING") => Level::Warning,
            _ => Level::Exception,
        };
        if !self.c.peek_text(0).contains('\'') && !self.c.peek_text(0).starts_with('$') {
            return unsupported("RAISE without a format");
        }
        let format = self.c.string()?;
        let mut args = Vec::new();
        while self.c.eat(",") {
            args.push(self.expression(&[",", ";", "USING"])?);
        }
        if self.c.is("USING") {
            return unsupported("RAISE … USING");
        }
        let places = format.replace("%%", "").matches('%').count();
        if places != args.len() {
            let what = if places > args.len() { "few" } else { "many" };
            return Err(SqlError::syntax(format!("too {what} parameters specified for RAISE")));
        }
        self.push(Step::Raise(level, format, args));
        Ok(())
    }
}

/// A format with values in the places of its percent signs.
pub fn filled(format: &str, values: &[String]) -> String {
    let mut out = String::with_capacity(format.len());
    let (mut chars, mut values) = (format.chars().peekable(), values.iter());
    while let Some(c) = chars.next() {
        match c {
            '%' if chars.peek() == Some(&'%') => {
                chars.next();
                out.push('%');
            }
            '%' => out.push_str(values.next().map_or("", String::as_str)),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::allowance::UNLIMITED;

    fn steps(body: &str) -> Vec<Step> {
        program(body, &UNLIMITED).unwrap().0
    }

    #[test]
    fn handlers_are_behind_the_block() {
        let body = "BEGIN CREATE TYPE e AS ENUM ('a'); EXCEPTION WHEN duplicate_object THEN null; END";
        let conditions = vec![Condition::Code(state::DUPLICATE_OBJECT)];
        let expected = [
            Step::Guard(vec![Handler { conditions, step: 4 }]),
            Step::Run("CREATE TYPE e AS ENUM ('a')".into()),
            Step::Unguard,
            Step::Jump(5),
            Step::Jump(5),
            Step::End,
        ];
        assert_eq!(steps(body), expected);
    }

    #[test]
    fn alternatives_join_at_the_end() {
        let body = "begin if a = 1 then x; elsif case when b then c end then null; else y; end if; z; end;";
        let expected = [
            Step::Nothing,
            Step::Unless("a = 1".into(), 4),
            Step::Run("x".into()),
            Step::Jump(7),
            Step::Unless("case when b then c end".into(), 6),
            Step::Jump(7),
            Step::Run("y".into()),
            Step::Run("z".into()),
            Step::End,
        ];
        assert_eq!(steps(body), expected);
    }

    #[test]
    fn what_is_missing_has_a_name() {
        for body in ["declare x int; begin end", "begin for i in 1..2 loop end loop; end", "begin x := 1; end"] {
            assert_eq!(program(body, &UNLIMITED).unwrap_err().code, state::FEATURE_NOT_SUPPORTED, "{body}");
        }
        for body in ["", "begin", "begin null end", "begin null; end; x", "begin if a then null; end; end"] {
            assert_eq!(program(body, &UNLIMITED).unwrap_err().code, state::SYNTAX_ERROR, "{body}");
        }
    }

    #[test]
    fn a_class_means_all_of_it() {
        let class = Condition::Code(SqlState::new("23000"));
        assert!(class.meets(state::UNIQUE_VIOLATION) && !class.meets(state::DUPLICATE_OBJECT));
        assert!(Condition::Others.meets(state::UNIQUE_VIOLATION) && !Condition::Others.meets(state::QUERY_CANCELED));
    }

    #[test]
    fn percent_signs_are_places() {
        assert_eq!(filled("a % b %% %", &["1".into(), "2".into()]), "a 1 b % 2");
    }
}
