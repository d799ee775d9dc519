//! The body of DO: PL/pgSQL without transactions of its own, as a program of steps.
//!
//! There are statements, variables and records, INTO, PERFORM, EXECUTE with USING, IF and CASE, loops over numbers, queries,
//! cursors and arrays, blocks with EXCEPTION, cursors ([`cursor`]), RAISE, ASSERT, GET DIAGNOSTICS, NULL and RETURN.
//!
//! Left out (0A000): COMMIT and ROLLBACK, and FOREACH over slices.

mod cursor;

pub use cursor::Direction;

use super::allowance::Allowance;
use super::cursor::Cursor;
use super::lex::{self, Kind, Lexer};
use super::parse::check_expression;
use super::phrases;
use crate::error::{SqlError, SqlResult, SqlState, state};

#[derive(Clone, Debug, PartialEq)]
pub struct Program {
    pub steps: Vec<Step>,
    /// By their numbers; the first ones are the language's own.
    pub variables: Vec<Variable>,
    pub loops: usize,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Variable {
    pub name: String,
    pub ty: Declared,
    pub constant: bool,
    pub not_null: bool,
}

/// What a declaration says of a variable's type.
#[derive(Clone, Debug, PartialEq)]
pub enum Declared {
    /// As it was written; perhaps the name of a table, whose rows are meant.
    Type(String),
    /// That of the only column of this query,
    Column(String),
    /// or of its rows.
    Row(String),
    Record,
    /// `refcursor`
    Cursor,
}

/// FOUND, SQLSTATE and SQLERRM.
pub const FOUND: usize = 0;
pub const SQLSTATE: usize = 1;
pub const SQLERRM: usize = 2;

/// A statement or an expression, and the variables whose names occur in it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Code {
    pub text: String,
    pub uses: Vec<Use>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Use {
    /// As it is named: perhaps with the label of its block.
    pub names: Vec<String>,
    pub variable: usize,
    /// Of a record.
    pub field: Option<String>,
}

/// What a value is given to.
#[derive(Clone, Debug, PartialEq)]
pub struct Target {
    pub variable: usize,
    /// Of a record.
    pub field: Option<String>,
}

/// Where the first row goes.
#[derive(Clone, Debug, PartialEq)]
pub struct Into {
    /// One record, or others.
    pub targets: Vec<Target>,
    /// There must be exactly one row.
    pub strict: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    Nothing,
    /// A statement.
    Run(Code, Option<Into>),
    /// A query whose rows nobody wants.
    Perform(Code),
    /// An expression that is a statement's text, and what stands for its parameters.
    Execute(Code, Vec<Code>, Option<Into>),
    /// A variable begins, with the value of an expression.
    Declare(usize, Code),
    /// A variable begins, as what a query tells.
    DeclareLike(usize, Code),
    Assign(Target, Code),
    /// A cursor's variable that has no name yet gets one, and its query runs: a text, or an expression that is one and what
    /// stands for its parameters. `false`: it cannot move backward.
    Open(usize, Code, Option<Vec<Code>>, bool),
    /// A cursor moves, and its row goes somewhere.
    Fetch(usize, Direction, Option<Into>),
    Close(usize),
    /// The next row of a cursor whose loop this is, or on at that step.
    NextOf(usize, Vec<Target>, usize),
    /// A loop begins, over the rows of a query,
    Rows(usize, Code),
    /// or of one whose text is an expression,
    RowsOf(usize, Code, Vec<Code>),
    /// or over numbers: from, to, by.
    Numbers(usize, [Code; 3], bool),
    /// The next round of a loop, or on at that step.
    Next(usize, Vec<Target>, usize),
    /// Variables get facts about the last statement, or about the error that was caught.
    Diagnose(Vec<(Target, Fact)>),
    /// Goes on at that step unless the condition is true.
    Unless(Code, usize),
    Jump(usize),
    /// The same, out of all guards from a step on.
    Leave {
        to: usize,
        from: usize,
    },
    /// From here on an error may lead to a handler,
    Guard(Vec<Handler>),
    /// and from here on no longer.
    Unguard,
    /// Expressions stand in the places of the format's percent signs; and what else the error says.
    Raise(Level, String, Vec<Code>, Vec<(Attribute, Code)>),
    /// The error that led to the handler once more.
    RaiseAgain,
    End,
}

/// What GET DIAGNOSTICS tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fact {
    RowCount,
    Code,
    Attribute(Attribute),
}

/// A part of an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attribute {
    Message,
    Detail,
    Hint,
    Errcode,
    Column,
    Constraint,
    Datatype,
    Table,
    Schema,
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
    let own = |name: &str, ty: &str| Variable {
        name: name.to_owned(),
        ty: Declared::Type(ty.to_owned()),
        constant: true,
        not_null: false,
    };
    let mut reader = Reader {
        c: Cursor::new(body, allowance)?,
        steps: Vec::new(),
        variables: vec![own("found", "bool"), own("sqlstate", "text"), own("sqlerrm", "text")],
        visible: vec![FOUND],
        aliases: Vec::new(),
        scopes: vec![(None, 0)],
        bound: Vec::new(),
        rounds: Vec::new(),
        loops: 0,
        depth: 0,
    };
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
    Ok(Program { steps: reader.steps, variables: reader.variables, loops: reader.loops })
}

struct Reader<'a> {
    c: Cursor<'a>,
    steps: Vec<Step>,
    variables: Vec<Variable>,
    /// The variables that can be named here, inner ones last.
    visible: Vec<usize>,
    /// Other names of variables, as variables that stand for them.
    aliases: Vec<(usize, usize)>,
    /// Their blocks and loops: the label, and how many variables are outside.
    scopes: Vec<(Option<String>, usize)>,
    /// The cursors that are declared with their queries.
    bound: Vec<cursor::Bound>,
    rounds: Vec<Rounds>,
    loops: usize,
    depth: usize,
}

/// A loop, or a block, that EXIT may leave.
struct Rounds {
    label: Option<String>,
    from: usize,
    is_loop: bool,
    /// Steps that go on with the next round, and those that go on behind the end.
    again: Vec<usize>,
    exits: Vec<usize>,
}

fn unsupported<T>(what: &str) -> SqlResult<T> {
    Err(SqlError::unsupported(format!("{what} in DO")))
}

impl Reader<'_> {
    fn push(&mut self, step: Step) -> usize {
        self.steps.push(step);
        self.steps.len() - 1
    }

    fn label(&mut self) -> SqlResult<Option<String>> {
        if !self.c.eat("<<") {
            return Ok(None);
        }
        let label = self.c.any_word()?;
        self.c.expect(">>")?;
        Ok(Some(label))
    }

    /// The label behind an end says nothing new.
    fn end_label(&mut self) -> SqlResult<()> {
        if self.c.peek().is_some_and(|t| matches!(t.kind, Kind::Word | Kind::Quoted)) {
            self.c.any_word()?;
        }
        Ok(())
    }

    fn enter(&mut self, label: Option<String>, is_loop: bool) {
        let from = self.steps.len();
        self.rounds.push(Rounds { label, from, is_loop, again: Vec::new(), exits: Vec::new() });
    }

    /// CONTINUE goes to the step `again`, EXIT on from here.
    fn leave(&mut self, again: usize) {
        let Some(rounds) = self.rounds.pop() else { return };
        let (from, here) = (rounds.from, self.steps.len());
        rounds.again.into_iter().for_each(|step| self.steps[step] = Step::Leave { to: again, from });
        rounds.exits.into_iter().for_each(|step| self.steps[step] = Step::Leave { to: here, from });
    }

    /// `[<<label>>] [DECLARE …] BEGIN … [EXCEPTION …] END [label]`
    fn block(&mut self) -> SqlResult<()> {
        let label = self.label()?;
        self.block_of(label)
    }

    fn block_of(&mut self, label: Option<String>) -> SqlResult<()> {
        let visible = self.scope(&label);
        while self.c.eat("DECLARE") {
            while !self.c.is("BEGIN") && !self.c.is("DECLARE") {
                self.declaration(visible)?;
            }
        }
        self.c.expect("BEGIN")?;
        self.enter(label, false);
        let guard = self.push(Step::Nothing);
        self.statements(&["END", "EXCEPTION"])?;
        if self.c.eat("EXCEPTION") {
            let handlers = self.handlers()?;
            self.steps[guard] = Step::Guard(handlers);
        }
        self.c.expect("END")?;
        self.end_label()?;
        self.leave(guard);
        self.end_scope(visible);
        Ok(())
    }

    /// Variables are declared from here on that a label may be put before. How many there are already.
    fn scope(&mut self, label: &Option<String>) -> usize {
        self.scopes.push((label.clone(), self.visible.len()));
        self.visible.len()
    }

    fn end_scope(&mut self, visible: usize) {
        self.visible.truncate(visible);
        self.scopes.pop();
    }

    /// `name [CONSTANT] type [COLLATE c] [NOT NULL] [{DEFAULT | := | =} expression];`
    fn declaration(&mut self, block: usize) -> SqlResult<()> {
        let name = self.c.ident()?;
        if self.visible[block..].iter().any(|v| self.variables[*v].name == name) {
            return Err(SqlError::syntax(format!("duplicate declaration at or near \"{name}\"")));
        }
        if self.c.eat_all("ALIAS FOR") {
            let names = self.names()?;
            let Some((of, _)) = self.find(&names).filter(|(_, taken)| *taken == names.len()) else {
                return Err(SqlError::new(
                    state::UNDEFINED_OBJECT,
                    format!("variable \"{}\" does not exist", names.join(".")),
                ));
            };
            self.c.expect(";")?;
            let alias = self.variable(name, self.variables[of].ty.clone(), self.variables[of].constant, false);
            self.aliases.push((alias, of));
            self.visible.push(alias);
            return Ok(());
        }
        if self.c.is("CURSOR") || self.c.is("NO") || self.c.is("SCROLL") {
            return self.bound_cursor(name);
        }
        let constant = self.c.eat("CONSTANT");
        let start = self.c.mark();
        let ty =
            self.c.take_until(|c| [";", ":=", "=", "DEFAULT", "NOT", "COLLATE", "%"].iter().any(|end| c.is(end)))?;
        let mut ty = match ty {
            _ if ty.eq_ignore_ascii_case("record") => Declared::Record,
            _ if ty.eq_ignore_ascii_case("refcursor") => Declared::Cursor,
            ty => Declared::Type(ty.to_owned()),
        };
        if self.c.is("%") {
            self.c.reset(start);
            let of = self.c.name()?;
            self.c.expect("%")?;
            let rows = self.c.eat("ROWTYPE");
            if !rows {
                self.c.expect("TYPE")?;
            }
            let known = self.find(std::slice::from_ref(&of.name)).filter(|_| of.schema.is_none() && !rows);
            ty = match known {
                Some((variable, _)) => self.variables[variable].ty.clone(),
                None if rows => Declared::Row(format!("SELECT * FROM {of} LIMIT 0")),
                None => {
                    let table = of.schema.as_deref().unwrap_or_default();
                    let column = lex::quote_identifier(&of.name);
                    Declared::Column(format!("SELECT {column} FROM {table} LIMIT 0"))
                }
            };
        }
        if self.c.eat("COLLATE") {
            self.c.name()?;
        }
        let not_null = self.c.eat_all("NOT NULL");
        let value = match self.c.eat_one(&["DEFAULT", ":=", "="]) {
            Some(_) => Some(self.expression(&[";"])?),
            None => None,
        };
        self.c.expect(";")?;
        if not_null && value.is_none() {
            let text = format!("variable \"{name}\" must have a default value, since it's declared NOT NULL");
            return Err(SqlError::new(state::NULL_VALUE_NOT_ALLOWED, text));
        }
        let variable = self.variable(name, ty.clone(), constant, not_null);
        self.declare(variable, ty, value);
        self.visible.push(variable);
        Ok(())
    }

    /// The steps with which a variable begins.
    fn declare(&mut self, variable: usize, ty: Declared, value: Option<Code>) {
        let plain = |text: String| Code { text, uses: Vec::new() };
        let cast = |value: Option<Code>, ty: &str| {
            let value = value.unwrap_or_else(|| plain("NULL".into()));
            Code { text: format!("CAST(({}) AS {ty})", value.text), ..value }
        };
        let value = match ty {
            Declared::Type(ty) => {
                self.push(Step::Declare(variable, cast(value, &ty)));
                None
            }
            Declared::Cursor => {
                self.push(Step::Declare(variable, cast(value, "text")));
                None
            }
            // Columns and their types are known when there is a table.
            Declared::Column(query) | Declared::Row(query) => {
                self.push(Step::DeclareLike(variable, plain(query)));
                value
            }
            Declared::Record => value,
        };
        if let Some(value) = value {
            self.push(Step::Assign(Target { variable, field: None }, value));
        }
    }

    fn variable(&mut self, name: String, ty: Declared, constant: bool, not_null: bool) -> usize {
        self.variables.push(Variable { name, ty, constant, not_null });
        self.variables.len() - 1
    }

    fn handlers(&mut self) -> SqlResult<Vec<Handler>> {
        self.push(Step::Unguard);
        let mut ends = vec![self.push(Step::Nothing)];
        let mut handlers = Vec::new();
        let visible = self.visible.len();
        self.visible.extend([SQLSTATE, SQLERRM]);
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
        self.visible.truncate(visible);
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
            return self.code().map(Condition::Code);
        }
        let name = self.c.ident()?;
        match named(&name) {
            _ if name == "others" => Ok(Condition::Others),
            Some(code) => Ok(Condition::Code(code)),
            None => Err(SqlError::unsupported(format!("the exception condition \"{name}\""))),
        }
    }

    fn code(&mut self) -> SqlResult<SqlState> {
        let code = self.c.string()?;
        written_code(&code).ok_or_else(|| SqlError::syntax("invalid SQLSTATE code"))
    }

    /// Statements up to one of these words. Whatever is within something else comes by here.
    fn statements(&mut self, ends: &[&str]) -> SqlResult<()> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(SqlError::new(state::STATEMENT_TOO_COMPLEX, "statements are nested too deeply"));
        }
        while !ends.iter().any(|end| self.c.is(end)) {
            if self.c.done() {
                return Err(self.c.error());
            }
            self.statement()?;
            self.c.expect(";")?;
        }
        self.depth -= 1;
        Ok(())
    }

    fn statement(&mut self) -> SqlResult<()> {
        let label = self.label()?;
        if self.c.is("BEGIN") || self.c.is("DECLARE") {
            return self.block_of(label);
        }
        if self.c.is("LOOP") || self.c.is("WHILE") || self.c.is("FOR") || self.c.is("FOREACH") {
            let visible = self.scope(&label);
            self.enter(label, true);
            let again = self.rounds()?;
            self.leave(again);
            self.end_scope(visible);
            return Ok(());
        }
        if label.is_some() {
            return Err(self.c.error());
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
        if self.c.eat("CASE") {
            return self.case();
        }
        if self.c.eat("RAISE") {
            return self.raise();
        }
        if self.c.eat("ASSERT") {
            return self.assert();
        }
        if self.c.eat("GET") {
            return self.diagnose();
        }
        if let Some(word) = self.c.eat_one(&["EXIT", "CONTINUE"]) {
            return self.exit(word == "EXIT");
        }
        if let Some(word) = self.c.eat_one(&["OPEN", "FETCH", "MOVE", "CLOSE"]) {
            return self.cursor(word);
        }
        if self.c.eat("CALL") {
            return unsupported("CALL");
        }
        if self.c.eat("PERFORM") {
            let code = self.text()?;
            self.push(Step::Perform(Code { text: format!("SELECT {}", code.text), ..code }));
        } else if self.c.eat("EXECUTE") {
            let expression = self.expression(&[";", "INTO", "USING"])?;
            let mut using = Vec::new();
            let mut into = None;
            loop {
                if self.c.eat("USING") {
                    using = self.arguments()?;
                } else if self.c.eat("INTO") {
                    into = Some(self.into()?);
                } else {
                    break;
                }
            }
            self.push(Step::Execute(expression, using, into));
        } else if self.c.is_at(1, ":=") || self.c.is_at(1, "=") || self.c.is_at(1, ".") || self.c.is_at(1, "[") {
            self.assignment()?;
        } else {
            self.run()?;
        }
        Ok(())
    }

    /// Expressions behind USING.
    fn arguments(&mut self) -> SqlResult<Vec<Code>> {
        let mut list = vec![self.expression(&[",", ";", "INTO", "LOOP"])?];
        while self.c.eat(",") {
            list.push(self.expression(&[",", ";", "INTO", "LOOP"])?);
        }
        Ok(list)
    }

    /// The variable that a chain of names begins with, by its own or by way of a label, and how many of them that takes.
    fn find(&self, names: &[String]) -> Option<(usize, usize)> {
        let mut end = self.visible.len();
        for (label, from) in self.scopes.iter().rev() {
            let named = |name: &String| {
                let own = self.visible[*from..end].iter().rev().copied();
                let found = own.into_iter().find(|v| self.variables[*v].name == *name)?;
                let meant = self.aliases.iter().find(|(alias, _)| *alias == found);
                Some(meant.map_or(found, |(_, variable)| *variable))
            };
            if let Some(variable) = names.first().and_then(named) {
                return Some((variable, 1));
            }
            if label.is_some() && names.first() == label.as_ref() {
                return names.get(1).and_then(named).map(|variable| (variable, 2));
            }
            end = *from;
        }
        None
    }

    /// `a.b.c`
    fn names(&mut self) -> SqlResult<Vec<String>> {
        let mut names = vec![self.c.ident()?];
        while self.c.eat(".") {
            names.push(self.c.any_word()?);
        }
        Ok(names)
    }

    /// The variable that something is assigned to.
    fn target(&mut self) -> SqlResult<Target> {
        let names = self.names()?;
        let unknown = || SqlError::syntax(format!("\"{}\" is not a known variable", names.join(".")));
        let (variable, taken) = self.find(&names).ok_or_else(unknown)?;
        if self.variables[variable].constant {
            let text = format!("variable \"{}\" is declared CONSTANT", self.variables[variable].name);
            return Err(SqlError::new(SqlState::new("22005"), text));
        }
        match &names[taken..] {
            [] => Ok(Target { variable, field: None }),
            [field] => Ok(Target { variable, field: Some(field.clone()) }),
            _ => Err(unknown()),
        }
    }

    /// `variable[.field][[subscript]…] {:= | =} expression`
    fn assignment(&mut self) -> SqlResult<()> {
        let start = self.c.mark();
        let target = self.target()?;
        let end = self.c.mark();
        self.c.reset(start);
        let whole = self.c.take_until(|c| c.mark() == end)?.to_owned();
        let mut bounds = Vec::new();
        let mut slice = false;
        while self.c.eat("[") {
            let (lower, upper) = self.bounds()?;
            slice |= upper.is_some();
            bounds.push((lower, upper));
        }
        if self.c.eat_one(&[":=", "="]).is_none() {
            return Err(self.c.error());
        }
        let mut value = self.expression(&[";"])?;
        if !bounds.is_empty() {
            let name = if slice { phrases::SLICE } else { phrases::ELEMENT };
            let known = format!("'{}'", self.variables[target.variable].name.replace('\'', "''"));
            let whole = self.code_of(whole)?;
            // Among slices, `n` is `1:n`.
            let first = || Code { text: "1".into(), uses: Vec::new() };
            let bounds = bounds.into_iter().flat_map(|bound| match bound {
                (lower, Some(upper)) => [Some(lower), Some(upper)],
                (index, None) if slice => [Some(first()), Some(index)],
                (index, None) => [Some(index), None],
            });
            let parts: Vec<Code> = [whole, value].into_iter().chain(bounds.flatten()).collect();
            let texts: Vec<&str> = [&*known].into_iter().chain(parts.iter().map(|part| &*part.text)).collect();
            let text = format!("\"{name}\"({})", texts.join(", "));
            value = Code { text, uses: parts.into_iter().flat_map(|part| part.uses).collect() };
        }
        self.push(Step::Assign(target, value));
        Ok(())
    }

    /// `subscript]` or `[lower]:[upper]]`
    fn bounds(&mut self) -> SqlResult<(Code, Option<Code>)> {
        let bound = |this: &mut Self| match this.c.is(":") || this.c.is("]") {
            true => Ok(Code { text: format!("\"{}\"", phrases::OMITTED), uses: Vec::new() }),
            false => this.expression(&[":"]),
        };
        if self.c.is("]") {
            return Err(self.c.error());
        }
        let lower = bound(self)?;
        let upper = if self.c.eat(":") { Some(bound(self)?) } else { None };
        self.c.expect("]")?;
        Ok((lower, upper))
    }

    fn into(&mut self) -> SqlResult<Into> {
        let strict = self.c.eat("STRICT");
        let targets = self.targets()?;
        Ok(Into { targets, strict })
    }

    fn targets(&mut self) -> SqlResult<Vec<Target>> {
        let mut targets = vec![self.target()?];
        while self.c.eat(",") {
            targets.push(self.target()?);
        }
        Ok(targets)
    }

    /// A statement of SQL, whose INTO is no part of it.
    fn run(&mut self) -> SqlResult<()> {
        let queries = ["SELECT", "INSERT", "UPDATE", "DELETE", "WITH", "VALUES", "MERGE", "TABLE"];
        let takes = queries.iter().any(|word| self.c.is(word));
        let is_into = |c: &Cursor<'_>| c.is("INTO") && !c.follows("INSERT") && !c.follows("MERGE");
        let mut text = self.c.take_until(|c| c.is(";") || takes && is_into(c))?.to_owned();
        let mut into = None;
        if self.c.eat("INTO") {
            into = Some(self.into()?);
            if !self.c.is(";") {
                text = format!("{text} {}", self.c.take_until(|c| c.is(";"))?);
            }
        }
        let code = match takes {
            true => self.code_of(text)?,
            // Definitions know no variables.
            false => Code { text, uses: Vec::new() },
        };
        self.push(Step::Run(code, into));
        Ok(())
    }

    fn text(&mut self) -> SqlResult<Code> {
        let text = self.c.take_until(|c| c.is(";"))?.to_owned();
        self.code_of(text)
    }

    fn expression(&mut self, ends: &[&str]) -> SqlResult<Code> {
        let text = self.c.take_until(|c| ends.iter().any(|end| c.is(end)))?;
        check_expression(text, self.c.allowance)?;
        self.code_of(text.to_owned())
    }

    /// A text with the variables that are named in it.
    fn code_of(&self, text: String) -> SqlResult<Code> {
        let tokens: Vec<lex::Token> = Lexer::new(&text).collect::<SqlResult<_>>()?;
        let mut uses: Vec<Use> = Vec::new();
        let part = |i: usize| tokens.get(i).map_or("", |t| t.text(&text));
        let is_word = |i: usize| tokens.get(i).is_some_and(|t| matches!(t.kind, Kind::Word | Kind::Quoted));
        for i in 0..tokens.len() {
            if !is_word(i) || i > 0 && part(i - 1) == "." {
                continue;
            }
            let mut names = vec![lex::identifier(part(i))];
            while names.len() < 3 && part(i + 2 * names.len() - 1) == "." && is_word(i + 2 * names.len()) {
                names.push(lex::identifier(part(i + 2 * names.len())));
            }
            let Some((variable, taken)) = self.find(&names) else { continue };
            let field = names.get(taken).cloned();
            names.truncate(taken);
            let one = Use { names, variable, field };
            if !uses.contains(&one) {
                uses.push(one);
            }
        }
        Ok(Code { text, uses })
    }

    /// A loop from its first word; the step that begins another round.
    fn rounds(&mut self) -> SqlResult<usize> {
        let number = self.loops;
        self.loops += 1;
        let again;
        let mut test = None;
        if self.c.eat("WHILE") {
            again = self.steps.len();
            let condition = self.expression(&["LOOP"])?;
            test = Some((self.push(Step::Nothing), Err(condition)));
        } else if self.c.eat("FOREACH") {
            let targets = self.loop_targets(false)?;
            if self.c.is("SLICE") {
                return unsupported("SLICE");
            }
            self.c.expect("IN ARRAY")?;
            let array = self.expression(&["LOOP"])?;
            self.push(Step::Rows(number, Code { text: format!("SELECT unnest({})", array.text), ..array }));
            again = self.steps.len();
            test = Some((self.push(Step::Nothing), Ok(targets)));
        } else if self.c.eat("FOR") {
            let start = self.c.mark();
            self.c.list(Cursor::ident)?;
            self.c.expect("IN")?;
            let reverse = self.c.eat("REVERSE");
            let bounds = self.c.take_until(|c| c.is("LOOP"))?;
            let split = range(bounds);
            self.c.reset(start);
            if split.is_some() || reverse {
                let Some((low, high)) = split else { return Err(self.c.error()) };
                let name = self.c.ident()?;
                self.c.expect("IN")?;
                self.c.eat("REVERSE");
                self.c.take_until(|c| c.is("LOOP"))?;
                let (high, by) = match cut_by(high) {
                    Some((high, by)) => (high, by),
                    None => (high, "1"),
                };
                let bound = |text: &str| {
                    check_expression(text, self.c.allowance)?;
                    self.code_of(text.trim().to_owned())
                };
                let bounds = [bound(low)?, bound(high)?, bound(by)?];
                self.push(Step::Numbers(number, bounds, reverse));
                let counter = self.variable(name, Declared::Type("integer".into()), false, false);
                self.push(Step::Declare(counter, Code { text: "CAST(NULL AS integer)".into(), uses: Vec::new() }));
                self.visible.push(counter);
                again = self.steps.len();
                test = Some((self.push(Step::Nothing), Ok(vec![Target { variable: counter, field: None }])));
            } else {
                if let Some(cursor) = self.looped_cursor() {
                    return self.cursor_loop(cursor);
                }
                let targets = self.loop_targets(true)?;
                self.c.expect("IN")?;
                if self.c.eat("EXECUTE") {
                    let text = self.expression(&["LOOP", "USING"])?;
                    let using = if self.c.eat("USING") { self.arguments()? } else { Vec::new() };
                    self.push(Step::RowsOf(number, text, using));
                } else {
                    let query = self.c.take_until(|c| c.is("LOOP"))?.to_owned();
                    let query = self.code_of(query)?;
                    self.push(Step::Rows(number, query));
                }
                again = self.steps.len();
                test = Some((self.push(Step::Nothing), Ok(targets)));
            }
        } else {
            again = self.steps.len();
        }
        self.c.expect("LOOP")?;
        self.statements(&["END"])?;
        self.c.expect("END LOOP")?;
        self.end_label()?;
        self.push(Step::Jump(again));
        let end = self.steps.len();
        match test {
            Some((step, Ok(targets))) => self.steps[step] = Step::Next(number, targets, end),
            Some((step, Err(condition))) => self.steps[step] = Step::Unless(condition, end),
            None => {}
        }
        Ok(again)
    }

    /// The variables that a loop gives its rows to.
    fn loop_targets(&mut self, may_be_new: bool) -> SqlResult<Vec<Target>> {
        let start = self.c.mark();
        let name = self.c.ident()?;
        if may_be_new && self.find(&[name]).is_none() {
            let text = "loop variable of loop over rows must be a record variable or list of scalar variables";
            return Err(SqlError::syntax(text));
        }
        self.c.reset(start);
        self.targets()
    }

    /// `[label] [WHEN condition]`
    fn exit(&mut self, exits: bool) -> SqlResult<()> {
        let label = match self.c.is("WHEN") || self.c.is(";") {
            true => None,
            false => Some(self.c.any_word()?),
        };
        let test = match self.c.eat("WHEN") {
            true => {
                let condition = self.expression(&[";"])?;
                Some((self.push(Step::Nothing), condition))
            }
            false => None,
        };
        let step = self.push(Step::Nothing);
        let fits = |rounds: &&mut Rounds| match &label {
            Some(_) => rounds.label == label && (exits || rounds.is_loop),
            None => rounds.is_loop,
        };
        match (self.rounds.iter_mut().rev().find(fits), label) {
            (Some(rounds), _) if exits => rounds.exits.push(step),
            (Some(rounds), _) => rounds.again.push(step),
            (None, Some(label)) => {
                let text =
                    format!("there is no label \"{label}\" attached to any block or loop enclosing this statement");
                return Err(SqlError::syntax(text));
            }
            (None, None) => {
                let word = if exits { "EXIT" } else { "CONTINUE" };
                return Err(SqlError::syntax(format!("{word} cannot be used outside a loop, unless it has a label")));
            }
        }
        if let Some((test, condition)) = test {
            self.steps[test] = Step::Unless(condition, self.steps.len());
        }
        Ok(())
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

    /// `CASE [expression] WHEN … THEN … [ELSE …] END CASE`
    fn case(&mut self) -> SqlResult<()> {
        let subject = if self.c.is("WHEN") { None } else { Some(self.expression(&["WHEN"])?) };
        let mut ends = Vec::new();
        while self.c.eat("WHEN") {
            let text = self.c.take_until(|c| c.is("THEN"))?;
            let condition = match &subject {
                None => text.to_owned(),
                Some(subject) => format!("({}) IN ({text})", subject.text),
            };
            check_expression(&condition, self.c.allowance)?;
            let condition = self.code_of(condition)?;
            self.c.expect("THEN")?;
            let test = self.push(Step::Nothing);
            self.statements(&["WHEN", "ELSE", "END"])?;
            ends.push(self.push(Step::Nothing));
            self.steps[test] = Step::Unless(condition, self.steps.len());
        }
        if self.c.eat("ELSE") {
            self.statements(&["END"])?;
        } else {
            let of = |text: &str| Code { text: format!("'{text}'"), uses: Vec::new() };
            let told =
                vec![(Attribute::Errcode, of("20000")), (Attribute::Hint, of("CASE statement is missing ELSE part."))];
            self.push(Step::Raise(Level::Exception, "case not found".into(), Vec::new(), told));
        }
        self.join(ends);
        self.c.expect("END CASE")
    }

    /// `condition [, message]`
    fn assert(&mut self) -> SqlResult<()> {
        let condition = self.expression(&[",", ";"])?;
        let failed = Code { text: format!("({}) IS NOT TRUE", condition.text), ..condition };
        let message = match self.c.eat(",") {
            true => Some(self.expression(&[";"])?),
            false => None,
        };
        let test = self.push(Step::Nothing);
        let code = Code { text: "'P0004'".into(), uses: Vec::new() };
        let (format, args) = match message {
            Some(message) => ("%", vec![message]),
            None => ("assertion failed", Vec::new()),
        };
        self.push(Step::Raise(Level::Exception, format.into(), args, vec![(Attribute::Errcode, code)]));
        self.steps[test] = Step::Unless(failed, self.steps.len());
        Ok(())
    }

    /// `[CURRENT | STACKED] DIAGNOSTICS variable {:= | =} item, …`
    fn diagnose(&mut self) -> SqlResult<()> {
        let stacked = self.c.eat_one(&["CURRENT", "STACKED"]) == Some("STACKED");
        self.c.expect("DIAGNOSTICS")?;
        let mut all = Vec::new();
        loop {
            let target = self.target()?;
            if self.c.eat_one(&[":=", "="]).is_none() {
                return Err(self.c.error());
            }
            let item = self.c.any_word()?;
            all.push((
                target,
                match (stacked, item.as_str()) {
                    (false, "row_count") => Fact::RowCount,
                    (true, "returned_sqlstate") => Fact::Code,
                    (true, "message_text") => Fact::Attribute(Attribute::Message),
                    (true, "pg_exception_detail") => Fact::Attribute(Attribute::Detail),
                    (true, "pg_exception_hint") => Fact::Attribute(Attribute::Hint),
                    (true, "column_name") => Fact::Attribute(Attribute::Column),
                    (true, "constraint_name") => Fact::Attribute(Attribute::Constraint),
                    (true, "pg_datatype_name") => Fact::Attribute(Attribute::Datatype),
                    (true, "table_name") => Fact::Attribute(Attribute::Table),
                    (true, "schema_name") => Fact::Attribute(Attribute::Schema),
                    _ => return unsupported(&format!("GET DIAGNOSTICS {}", item.to_uppercase())),
                },
            ));
            if !self.c.eat(",") {
                break;
            }
        }
        self.push(Step::Diagnose(all));
        Ok(())
    }

    /// `[level] {'format' {, expression} | condition | SQLSTATE 'code'} [USING option = expression, …]`
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
        let (mut format, mut args, mut told) = (String::new(), Vec::new(), Vec::new());
        let literal = |text: &str| Code { text: format!("'{}'", text.replace('\'', "''")), uses: Vec::new() };
        if self.c.peek_text(0).contains('\'') || self.c.peek_text(0).starts_with('$') {
            format = self.c.string()?;
            while self.c.eat(",") {
                args.push(self.expression(&[",", ";", "USING"])?);
            }
        } else if self.c.eat("SQLSTATE") {
            let code = self.code()?;
            format = code.as_str().to_owned();
            told.push((Attribute::Errcode, literal(code.as_str())));
        } else if !self.c.is("USING") {
            let name = self.c.ident()?;
            if named(&name).is_none() {
                let text = format!("unrecognized exception condition \"{name}\"");
                return Err(SqlError::new(state::UNDEFINED_OBJECT, text));
            }
            told.push((Attribute::Errcode, literal(&name)));
            format = name;
        }
        let places = format.replace("%%", "").matches('%').count();
        if places != args.len() {
            let what = if places > args.len() { "few" } else { "many" };
            return Err(SqlError::syntax(format!("too {what} parameters specified for RAISE")));
        }
        if self.c.eat("USING") {
            loop {
                let option = self.c.any_word()?;
                let attribute = match option.as_str() {
                    "message" => Attribute::Message,
                    "detail" => Attribute::Detail,
                    "hint" => Attribute::Hint,
                    "errcode" => Attribute::Errcode,
                    "column" => Attribute::Column,
                    "constraint" => Attribute::Constraint,
                    "datatype" => Attribute::Datatype,
                    "table" => Attribute::Table,
                    "schema" => Attribute::Schema,
                    _ => return Err(SqlError::syntax(format!("unrecognized RAISE statement option \"{option}\""))),
                };
                if self.c.eat_one(&["=", ":="]).is_none() {
                    return Err(self.c.error());
                }
                told.push((attribute, self.expression(&[",", ";"])?));
                if !self.c.eat(",") {
                    break;
                }
            }
        }
        self.push(Step::Raise(level, format, args, told));
        Ok(())
    }
}

/// The SQLSTATE that a condition's name means.
pub fn named(name: &str) -> Option<SqlState> {
    let other = || OTHER_NAMES.iter().find(|(known, _)| *known == name).map(|(_, code)| SqlState::new(code));
    state::named(name).or_else(other)
}

/// A SQLSTATE as it is written.
pub fn written_code(code: &str) -> Option<SqlState> {
    let valid = code.len() == 5 && code.bytes().all(|b| b.is_ascii_digit() || b.is_ascii_uppercase());
    valid.then(|| SqlState::new(code))
}

/// `low .. high`, on either side of the dots that are in no brackets and no literal.
fn range(text: &str) -> Option<(&str, &str)> {
    let (mut depth, mut quote) = (0, None);
    let bytes = text.as_bytes();
    for i in 0..bytes.len() {
        match (quote, bytes[i]) {
            (Some(q), b) if b == q => quote = None,
            (Some(_), _) => {}
            (None, b @ (b'\'' | b'"')) => quote = Some(b),
            (None, b'(' | b'[') => depth += 1,
            (None, b')' | b']') => depth -= 1,
            (None, b'.') if depth == 0 && bytes.get(i + 1) == Some(&b'.') => return Some((&text[..i], &text[i + 2..])),
            _ => {}
        }
    }
    None
}

/// `high BY step`.
fn cut_by(text: &str) -> Option<(&str, &str)> {
    let tokens: Vec<lex::Token> = Lexer::new(text).collect::<SqlResult<_>>().ok()?;
    let by = tokens.iter().rev().find(|t| t.kind == Kind::Word && t.text(text).eq_ignore_ascii_case("by"))?;
    Some((&text[..by.start], &text[by.end..]))
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
        program(body, &UNLIMITED).unwrap().steps
    }

    fn code(text: &str) -> Code {
        Code { text: text.into(), uses: Vec::new() }
    }

    #[test]
    fn handlers_are_behind_the_block() {
        let body = "BEGIN CREATE TYPE e AS ENUM ('a'); EXCEPTION WHEN duplicate_object THEN null; END";
        let conditions = vec![Condition::Code(state::DUPLICATE_OBJECT)];
        let expected = [
            Step::Guard(vec![Handler { conditions, step: 4 }]),
            Step::Run(code("CREATE TYPE e AS ENUM ('a')"), None),
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
            Step::Unless(code("a = 1"), 4),
            Step::Run(code("x"), None),
            Step::Jump(7),
            Step::Unless(code("case when b then c end"), 6),
            Step::Jump(7),
            Step::Run(code("y"), None),
            Step::Run(code("z"), None),
            Step::End,
        ];
        assert_eq!(steps(body), expected);
    }

    #[test]
    fn what_is_missing_has_a_name() {
        for body in
            ["begin call f(); end", "declare a int[]; begin foreach a slice 1 in array a loop null; end loop; end"]
        {
            assert_eq!(program(body, &UNLIMITED).unwrap_err().code, state::FEATURE_NOT_SUPPORTED, "{body}");
        }
        for body in ["", "begin", "begin null end", "begin null; end; x", "begin if a then null; end; end"] {
            assert_eq!(program(body, &UNLIMITED).unwrap_err().code, state::SYNTAX_ERROR, "{body}");
        }
    }

    #[test]
    fn loops_end_where_they_began() {
        let body = "begin for i in 1..2 * (3) by 4 loop continue when i = 2; exit; end loop; end";
        let use_of = Use { names: vec!["i".into()], variable: 3, field: None };
        let i = |text: &str| Code { text: text.into(), uses: vec![use_of.clone()] };
        let expected = [
            Step::Nothing,
            Step::Numbers(
                0,
                [code("1"), code("2 * (3) "), code(" 4 ")].map(|c| Code { text: c.text.trim().into(), ..c }),
                false,
            ),
            Step::Declare(3, code("CAST(NULL AS integer)")),
            Step::Next(0, vec![Target { variable: 3, field: None }], 8),
            Step::Unless(i("i = 2"), 6),
            Step::Leave { to: 3, from: 1 },
            Step::Leave { to: 8, from: 1 },
            Step::Jump(3),
            Step::End,
        ];
        assert_eq!(steps(body), expected);
    }

    #[test]
    fn what_is_nested_too_deeply_is_refused() {
        for (left, right) in [
            ("BEGIN ", " END;"),
            ("LOOP ", " END LOOP;"),
            ("FOR i IN 1..2 LOOP ", " END LOOP;"),
            ("IF true THEN ", " END IF;"),
            ("IF false THEN NULL; ELSE ", " END IF;"),
            ("CASE 1 WHEN 1 THEN ", " END CASE;"),
        ] {
            let read = |n: usize| {
                let body = format!("BEGIN {}NULL;{} END", left.repeat(n), right.repeat(n));
                program(&body, &UNLIMITED).map(drop)
            };
            assert_eq!(read(DEEPEST - 1), Ok(()), "{left}");
            assert_eq!(read(20_000).map_err(|error| error.code), Err(state::STATEMENT_TOO_COMPLEX), "{left}");
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
