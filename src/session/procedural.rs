//! DO: runs a program step by step in the transaction, each statement as if the client had sent it, without its answers.
//!
//! Where errors may lead to a handler there is a savepoint, under a name that no client can write.

mod cursor;

use super::effect::{Answer, Ask, Effect, Fetch, KeptRows, Severity, Sink, World};
use super::extended::Positioned;
use super::portal::Run;
use super::{CursorId, Session, Step, Stop, Task, Wait, What, unless_brief};
use crate::command::StepOutcome;
use crate::error::{SqlError, SqlState, state};
use crate::gateway::{Failure, Mark};
use crate::sql::plan::{PlanKind, Read, ResultColumn, Tag, Utility, WritePlan};
use crate::sql::procedural::{
    Attribute, Code, Declared, FOUND, Fact, Level, Program, SQLERRM, SQLSTATE, Step as Line, Target, Use, filled,
    named, written_code,
};
use crate::sql::{Means, Variable};
use crate::types::record::Record;
use crate::types::text::{named_oid, write_text};
use crate::types::{NO_TYPMOD, Type};
use crate::value::Value;
use std::sync::Arc;

/// A program on its way.
pub(super) struct Doing {
    run: Run,
    program: Arc<Program>,
    at: usize,
    /// The steps of the guards that it is within.
    guards: Vec<usize>,
    /// What led to the handler that it is in, or was in last.
    caught: Option<SqlError>,
    /// The text that EXECUTE has computed, and what stands for its parameters.
    text: Option<(String, Vec<Held>)>,
    /// A row that is to be turned into values of its variables' types.
    row: Option<Vec<Held>>,
    slots: Vec<Slot>,
    cursors: Vec<cursor::Open>,
    /// A row that a variable begins with whose fields are asked for.
    first: Option<Held>,
    loops: Vec<Option<Round>>,
    /// Rows of the last statement.
    count: u64,
    /// What the statement under way may name, and the values of that; and the error if it means a record or its field instead
    /// of something of its own.
    variables: Vec<Variable>,
    beyond: Option<SqlError>,
    values: Vec<Held>,
    /// The query whose rows are awaited, its columns, and what becomes of them.
    cursor: CursorId,
    columns: Vec<ResultColumn>,
    /// The tables of whose rows those of a cursor are made.
    places: Vec<u32>,
    /// It changes rows, and does not only have a part that does.
    changes: bool,
    after: After,
}

/// A value as a client would be told it.
#[derive(Clone, Debug)]
struct Held {
    name: String,
    ty: Type,
    typmod: i32,
    value: Value,
}

/// What a variable is.
#[derive(Clone, Debug)]
enum Slot {
    /// A record that nothing was assigned to, or NULL.
    Unset,
    One(Held),
    Record {
        fields: Vec<Held>,
        /// The fields are those of its type, whatever is assigned.
        fixed: bool,
        /// There is no row at all.
        is_null: bool,
    },
}

/// A loop under way.
enum Round {
    /// What is left, the next one last; and whether there was any.
    Rows(KeptRows, Vec<ResultColumn>, bool),
    Numbers {
        next: i64,
        last: i64,
        by: i64,
    },
}

/// What becomes of the rows of a query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum After {
    Nothing,
    /// They were asked for only to let others have a turn.
    Breath,
    /// They decide, are the text of EXECUTE, what RAISE shows, or where a loop over numbers begins and ends.
    Computed,
    /// They are a variable's.
    Declared(usize),
    Assigned,
    /// They are a cursor's; that moves.
    Opened,
    /// They are a loop's.
    Looped(usize),
    /// They are INTO's variables'; `true` once they are of their types.
    Into(bool),
}

impl Held {
    fn of(columns: &[ResultColumn], row: Vec<Value>) -> Vec<Held> {
        let held = |(column, value): (&ResultColumn, Value)| Held {
            name: column.name.clone(),
            ty: column.ty,
            typmod: column.typmod,
            value,
        };
        columns.iter().zip(row).map(held).collect()
    }

    fn nulls(columns: &[ResultColumn]) -> Vec<Held> {
        Held::of(columns, vec![Value::Null; columns.len()])
    }

    /// As a parameter: names of objects come with their numbers.
    fn parameter(&self) -> Value {
        match &self.value {
            Value::Text(named) if self.ty.is_reg() => {
                named_oid(named).map_or(Value::Null, |(oid, _)| Value::Int(oid.into()))
            }
            value => value.clone(),
        }
    }

    fn text(&self, session: &Session) -> Result<Option<String>, SqlError> {
        if self.value.is_null() {
            return Ok(None);
        }
        let mut out = Vec::new();
        write_text(self.ty, self.typmod, self.value.as_ref(), &session.settings.env(), &mut out)?;
        Ok(Some(String::from_utf8_lossy(&out).into_owned()))
    }
}

/// The number of the parameter that a value becomes.
fn put(values: &mut Vec<Held>, held: &Held) -> usize {
    values.push(held.clone());
    values.len()
}

fn mark_of(depth: usize) -> String {
    format!("\0do {depth}")
}

fn unassigned(record: &str) -> SqlError {
    let message = format!("record \"{record}\" is not assigned yet");
    let detail = "The tuple structure of a not-yet-assigned record is indeterminate.";
    SqlError::new(state::OBJECT_NOT_IN_PREREQUISITE_STATE, message).detail(detail)
}

fn no_field(record: &str, field: &str) -> SqlError {
    SqlError::new(state::UNDEFINED_COLUMN, format!("record \"{record}\" has no field \"{field}\""))
}

fn plain(ty: Type, value: Value) -> Slot {
    Slot::One(Held { name: String::new(), ty, typmod: NO_TYPMOD, value })
}

impl Doing {
    /// The variables that a text names, as parameters.
    fn bring(&mut self, code: &Code) -> Result<(), SqlError> {
        (self.variables, self.values, self.beyond) = (Vec::new(), Vec::new(), None);
        for Use { names, variable, field } in &code.uses {
            let name = &self.program.variables[*variable].name;
            let mut names = names.clone();
            let means = match (&self.slots[*variable], field) {
                (Slot::One(held), None) => Means::Parameter(put(&mut self.values, held)),
                (Slot::Record { fields, .. }, Some(field)) => match fields.iter().find(|held| held.name == *field) {
                    Some(held) => {
                        names.push(field.clone());
                        Means::Parameter(put(&mut self.values, held))
                    }
                    None => {
                        self.beyond = Some(no_field(name, field));
                        continue;
                    }
                },
                (Slot::Record { fields, is_null, .. }, None) => {
                    let fields = fields.iter().map(|held| (held.name.clone(), put(&mut self.values, held))).collect();
                    Means::Record { fields, is_null: *is_null }
                }
                (Slot::Unset, None) => Means::Record { fields: Vec::new(), is_null: true },
                (Slot::Unset, Some(_)) => return Err(unassigned(name)),
                (Slot::One(_), Some(_)) => continue,
            };
            self.variables.push(Variable { names, means });
        }
        Ok(())
    }

    fn line(&self) -> Line {
        self.program.steps.get(self.at).cloned().unwrap_or(Line::End)
    }

    /// The step under way is done.
    fn passed(&mut self) {
        self.at += 1;
        (self.text, self.row) = (None, None);
    }

    fn found(&mut self, count: u64) {
        self.count = count;
        self.slots[FOUND] = plain(Type::BOOL, Value::Int((count > 0).into()));
    }

    /// Where the first row of a statement goes; whether there has to be one.
    fn targets(&self) -> (Vec<Target>, bool) {
        let (targets, strict) = match self.line() {
            Line::Run(_, Some(into)) | Line::Execute(_, _, Some(into)) | Line::Fetch(_, _, Some(into)) => {
                (into.targets, into.strict)
            }
            Line::Next(_, targets, _) | Line::NextOf(_, targets, _) => (targets, false),
            Line::Assign(target, _) => (vec![target], false),
            Line::Declare(variable, _) => (vec![Target { variable, field: None }], false),
            _ => (Vec::new(), false),
        };
        (self.spread(targets), strict)
    }

    /// The fields of a row's variable, if that is the only target.
    fn spread(&self, targets: Vec<Target>) -> Vec<Target> {
        let [Target { variable, field: None }] = targets[..] else { return targets };
        let Slot::Record { fields, fixed: true, .. } = &self.slots[variable] else { return targets };
        fields.iter().map(|held| Target { variable, field: Some(held.name.clone()) }).collect()
    }

    fn is_record(&self, variable: usize) -> bool {
        let declared = &self.program.variables[variable].ty;
        matches!(declared, Declared::Record) || matches!(self.slots[variable], Slot::Record { .. })
    }

    /// Gives a whole value to a record.
    fn assign_record(&mut self, variable: usize, held: Held) -> Result<(), SqlError> {
        let row = match (&held.value, held.ty) {
            (Value::Null, _) => None,
            (Value::Blob(bytes), Type::RECORD) => Some(Record::read(bytes)?),
            _ => {
                let message = "cannot assign non-composite value to a record variable";
                return Err(SqlError::new(state::DATATYPE_MISMATCH, message));
            }
        };
        match (row, &mut self.slots[variable]) {
            (Some(row), _) => {
                let held = row.fields.into_iter().zip(row.values).map(|(field, value)| Held {
                    name: field.name,
                    ty: field.ty,
                    typmod: field.typmod,
                    value: value.to_owned(),
                });
                let targets = self.spread(vec![Target { variable, field: None }]);
                self.store(&targets, held.collect())
            }
            (None, Slot::Record { fields, fixed: true, is_null }) => {
                fields.iter_mut().for_each(|field| field.value = Value::Null);
                *is_null = true;
                self.passed();
                Ok(())
            }
            (None, slot) => {
                *slot = Slot::Unset;
                self.passed();
                Ok(())
            }
        }
    }

    fn assign(&mut self, target: &Target, held: Held) -> Result<(), SqlError> {
        let declared = &self.program.variables[target.variable];
        if declared.not_null && held.value.is_null() {
            let message = format!("null value cannot be assigned to variable \"{}\" declared NOT NULL", declared.name);
            return Err(SqlError::new(state::NULL_VALUE_NOT_ALLOWED, message));
        }
        match (&target.field, &mut self.slots[target.variable]) {
            (None, slot) => *slot = Slot::One(held),
            (Some(name), Slot::Record { fields, is_null, .. }) => {
                *is_null = false;
                match fields.iter_mut().find(|field| field.name == *name) {
                    Some(field) => field.value = held.value,
                    None => return Err(no_field(&declared.name, name)),
                }
            }
            (Some(_), Slot::Unset) => return Err(unassigned(&declared.name)),
            (Some(name), Slot::One(_)) => {
                return Err(SqlError::syntax(format!("\"{}.{name}\" is not a known variable", declared.name)));
            }
        }
        Ok(())
    }

    /// What a target holds now.
    fn held(&self, target: &Target) -> Option<&Held> {
        match (&self.slots[target.variable], &target.field) {
            (Slot::One(held), None) => Some(held),
            (Slot::Record { fields, .. }, Some(name)) => fields.iter().find(|field| field.name == *name),
            _ => None,
        }
    }

    /// The next round of a loop.
    fn next(&mut self, number: usize, targets: &[Target], end: usize) -> Result<(), SqlError> {
        let row = match &mut self.loops[number] {
            Some(Round::Numbers { next, last, by }) => {
                let more = if *by > 0 { next <= last } else { next >= last };
                let now = *next;
                // Beyond the type there is no other round.
                match next.checked_add(*by) {
                    Some(then) => *next = then,
                    None => *last = if *by > 0 { i64::MIN } else { i64::MAX },
                }
                more.then(|| {
                    vec![Held { name: String::new(), ty: Type::INT4, typmod: NO_TYPMOD, value: Value::Int(now) }]
                })
            }
            Some(Round::Rows(rows, columns, any)) => {
                let row = rows.pop().map(|row| Held::of(columns, row));
                *any |= row.is_some();
                row
            }
            None => None,
        };
        match row {
            Some(row) => self.store(targets, row),
            None => {
                if let Some(Round::Rows(_, columns, any)) = self.loops[number].take() {
                    self.slots[FOUND] = plain(Type::BOOL, Value::Int(any.into()));
                    // A record that no row came to is one of NULLs.
                    if let ([Target { variable, field: None }], false) = (targets, any)
                        && self.is_record(*variable)
                    {
                        self.store(targets, Held::nulls(&columns))?;
                    }
                }
                self.at = end;
                Ok(())
            }
        }
    }

    /// Gives a row to variables, at once if nothing is to be turned into something else.
    fn store(&mut self, targets: &[Target], mut row: Vec<Held>) -> Result<(), SqlError> {
        if let [Target { variable, field: None }] = targets
            && self.is_record(*variable)
        {
            self.slots[*variable] = Slot::Record { fields: row, fixed: false, is_null: false };
            self.passed();
            return Ok(());
        }
        row.truncate(targets.len());
        let nothing = Held { name: String::new(), ty: Type::UNKNOWN, typmod: NO_TYPMOD, value: Value::Null };
        row.resize(targets.len(), nothing);
        let fits = targets.iter().zip(&row).all(|(target, held)| {
            let now = self.held(target);
            now.is_some_and(|now| now.ty == held.ty && (now.typmod == NO_TYPMOD || now.typmod == held.typmod))
        });
        if !fits {
            self.row = Some(row);
            return Ok(());
        }
        for (target, held) in targets.iter().zip(row) {
            self.assign(target, held)?;
        }
        self.passed();
        Ok(())
    }

    /// What turns a value into one of a variable's type.
    fn turned(&self, target: &Target, expression: &str) -> String {
        match (&self.program.variables[target.variable].ty, &target.field, self.held(target)) {
            (Declared::Type(ty), None, _) => format!("CAST(({expression}) AS {ty})"),
            (_, _, Some(held)) if held.ty.own().is_none() => {
                format!("CAST(({expression}) AS {})", crate::types::format_type(held.ty, held.typmod))
            }
            _ => format!("({expression})"),
        }
    }
}

impl Session {
    pub(super) fn start_program(&mut self, run: Run, program: &Arc<Program>) -> Step {
        let program = Arc::clone(program);
        let mut slots = vec![Slot::Unset; program.variables.len()];
        slots[FOUND] = plain(Type::BOOL, Value::Int(0));
        slots[SQLSTATE] = plain(Type::TEXT, Value::Null);
        slots[SQLERRM] = plain(Type::TEXT, Value::Null);
        let loops = (0..program.loops).map(|_| None).collect();
        self.doing = Some(Box::new(Doing {
            run,
            program,
            at: 0,
            guards: Vec::new(),
            caught: None,
            text: None,
            row: None,
            slots,
            cursors: Vec::new(),
            first: None,
            loops,
            count: 0,
            variables: Vec::new(),
            beyond: None,
            values: Vec::new(),
            cursor: CursorId(0),
            columns: Vec::new(),
            places: Vec::new(),
            changes: false,
            after: After::Nothing,
        }));
        self.tasks.push_front(Task::new(What::Program));
        Ok(())
    }

    /// The names that the statement of a program may use for its parameters.
    pub(super) fn variables(&self) -> &[Variable] {
        self.doing.as_ref().map_or(&[], |doing| &doing.variables)
    }

    /// Goes on until something is awaited. Stops with [`super::Stop::Compile`] before anything has happened.
    pub(super) fn go_on(&mut self, world: &World) -> Step {
        /// Steps between two queries, at which it can be stopped.
        const BREATH: usize = 1000;
        let mut steps = 0;
        while let Some(doing) = &mut self.doing {
            steps += 1;
            if steps > BREATH {
                let nothing = Code { text: "1".into(), uses: Vec::new() };
                return self.compute(world, &[nothing], After::Breath);
            }
            match doing.line() {
                Line::Nothing => doing.at += 1,
                Line::Jump(to) => doing.at = to,
                Line::Leave { to, from } => match doing.guards.last() {
                    Some(guard) if *guard >= from => return self.unguard(false),
                    _ => {
                        doing.leave_loops(from, to);
                        doing.at = to;
                    }
                },
                Line::Guard(_) => {
                    doing.guards.push(doing.at);
                    doing.at += 1;
                    let name = mark_of(doing.guards.len());
                    self.mark_savepoint(&name);
                    return self.mark(Mark::Set(name));
                }
                Line::Unguard => return self.unguard(true),
                _ if doing.row.is_some() => return self.turn(world),
                Line::Run(code, into) => {
                    let after = if into.is_some() { After::Into(false) } else { After::Nothing };
                    return self.run_line(world, &code, into.is_some(), after);
                }
                Line::Perform(code) => return self.run_line(world, &code, true, After::Nothing),
                Line::Execute(text, using, into) => match doing.text.clone() {
                    Some((text, values)) => {
                        (doing.variables, doing.values) = (Vec::new(), values);
                        let after = if into.is_some() { After::Into(false) } else { After::Nothing };
                        return self.run_text(world, &text, true, after);
                    }
                    None => return self.compute_text(world, text, using),
                },
                Line::RowsOf(number, text, using) => match doing.text.clone() {
                    Some((text, values)) => {
                        (doing.variables, doing.values) = (Vec::new(), values);
                        return self.run_text(world, &text, true, After::Looped(number));
                    }
                    None => return self.compute_text(world, text, using),
                },
                Line::Rows(number, query) => return self.run_line(world, &query, true, After::Looped(number)),
                Line::Numbers(_, bounds, _) => {
                    let bounds = bounds.map(|b| Code { text: format!("CAST(({}) AS integer)", b.text), ..b });
                    return self.compute(world, &bounds, After::Computed);
                }
                Line::Next(number, targets, end) => {
                    let targets = doing.spread(targets);
                    doing.next(number, &targets, end)?;
                }
                // The type is that of a table's rows.
                Line::Declare(variable, _) if doing.first.is_some() => {
                    let Declared::Type(table) = &doing.program.variables[variable].ty else { break };
                    let query = Code { text: format!("SELECT * FROM {table} LIMIT 0"), uses: Vec::new() };
                    return self.run_line(world, &query, true, After::Declared(variable));
                }
                Line::Declare(variable, code) => return self.compute(world, &[code], After::Declared(variable)),
                Line::DeclareLike(variable, query) => {
                    return self.run_line(world, &query, true, After::Declared(variable));
                }
                Line::Assign(target, code) => {
                    let whole = target.field.is_none() && doing.is_record(target.variable);
                    let text = if whole { code.text } else { doing.turned(&target, &code.text) };
                    return self.compute(world, &[Code { text, ..code }], After::Assigned);
                }
                Line::Open(cursor, text, using, _) => return self.open_cursor(world, cursor, text, using),
                Line::Fetch(cursor, direction, _) => return self.fetch_cursor(world, cursor, direction),
                Line::Close(cursor) => {
                    doing.close(cursor)?;
                    doing.passed();
                }
                Line::NextOf(cursor, targets, end) => {
                    let targets = doing.spread(targets);
                    doing.next_of(cursor, &targets, end)?;
                }
                Line::Diagnose(facts) => {
                    for (target, fact) in facts {
                        self.diagnose(&target, fact)?;
                    }
                    self.passed();
                }
                Line::Unless(condition, _) => {
                    let condition = Code { text: format!("CAST(({}) AS bool)", condition.text), ..condition };
                    return self.compute(world, &[condition], After::Computed);
                }
                Line::Raise(level, format, args, told) if args.is_empty() && told.is_empty() => {
                    doing.at += 1;
                    self.raise(level, filled(&format, &[]), Vec::new())?;
                }
                Line::Raise(_, _, args, told) => {
                    let told = told
                        .into_iter()
                        .map(|(_, code)| Code { text: format!("CAST(({}) AS text)", code.text), ..code });
                    let all: Vec<Code> = args.into_iter().chain(told).collect();
                    return self.compute(world, &all, After::Computed);
                }
                Line::RaiseAgain => {
                    let nothing = || {
                        SqlError::new(
                            SqlState::new("0Z002"),
                            "RAISE without parameters cannot be used outside an exception handler",
                        )
                    };
                    return Err(doing.caught.clone().unwrap_or_else(nothing).into());
                }
                Line::End if !doing.guards.is_empty() => return self.unguard(false),
                Line::End => {
                    let doing = self.doing.take();
                    self.complete("DO");
                    doing.into_iter().for_each(|doing| self.finish_utility(doing.run));
                }
            }
        }
        Ok(())
    }

    /// Leaves a guard; the step is done, or goes on.
    fn unguard(&mut self, done: bool) -> Step {
        let Some(doing) = &mut self.doing else { return Ok(()) };
        let name = mark_of(doing.guards.len());
        doing.guards.pop();
        doing.cursors.iter_mut().for_each(|open| open.depth = open.depth.min(doing.guards.len()));
        doing.at += usize::from(done);
        self.transaction.iter_mut().for_each(|t| drop(t.savepoints.pop()));
        self.mark(Mark::Release(name))
    }

    fn mark(&mut self, mark: Mark) -> Step {
        let begin = self.begin_interactive();
        self.mark_stepped();
        self.ask(Ask::Mark { begin, mark }, Wait::Program);
        Ok(())
    }

    /// Runs a statement with the variables that it names. `discards`: its rows may be thrown away.
    fn run_line(&mut self, world: &World, code: &Code, discards: bool, after: After) -> Step {
        if let Some(doing) = &mut self.doing {
            doing.bring(code)?;
        }
        self.run_text(world, &code.text, discards, after)
    }

    fn run_text(&mut self, world: &World, text: &str, discards: bool, after: After) -> Step {
        let mut statements = self.language.parse(text, &world.allowance).map_err(|e| unless_brief(world, e))?;
        let (Some(mut statement), true) = (statements.pop(), statements.is_empty()) else {
            return Err(SqlError::unsupported("several statements in one EXECUTE in DO").into());
        };
        if after == After::Opened {
            statement = Arc::new(Positioned(statement));
        }
        let (mut types, mut values) = (Vec::new(), Vec::new());
        for held in self.doing.iter().flat_map(|doing| &doing.values) {
            types.push(if held.ty == Type::UNKNOWN { Type::TEXT } else { held.ty });
            values.push(held.parameter());
        }
        let beyond = self.doing.as_ref().and_then(|doing| doing.beyond.clone());
        let prepared = self.prepare(world, &statement, None, &types, false).map_err(|stop| match (stop, beyond) {
            (Stop::Compile(e), Some(beyond)) if [state::UNDEFINED_TABLE, state::UNDEFINED_COLUMN].contains(&e.code) => {
                Stop::Compile(beyond)
            }
            (stop, _) => stop,
        })?;
        if prepared.plan.params.len() > values.len() {
            let text = format!("there is no parameter ${}", values.len() + 1);
            return Err(SqlError::new(state::UNDEFINED_PARAMETER, text).into());
        }
        values.truncate(prepared.plan.params.len());
        if !discards && !prepared.plan.columns.is_empty() {
            let message = "query has no destination for result data";
            let hint = "If you want to discard the results of a SELECT, use PERFORM instead.";
            return Err(SqlError::syntax(message).hint(hint).into());
        }
        if let Some(doing) = &mut self.doing {
            (doing.after, doing.columns) = (after, prepared.plan.columns.clone());
            doing.changes =
                matches!(&prepared.plan.kind, PlanKind::Write(write) if write.tag != Tag::Counted("SELECT"));
            doing.places = match &prepared.plan.kind {
                PlanKind::Read(read) => read.places.clone(),
                _ => Vec::new(),
            };
        }
        match &prepared.plan.kind {
            PlanKind::Write(WritePlan { alone: Some(what), .. }) => {
                let message = format!("{what} cannot be executed from a function");
                Err(SqlError::new(state::ACTIVE_SQL_TRANSACTION, message).into())
            }
            PlanKind::Write(write) if write.copy.is_some() => Err(SqlError::unsupported("COPY in DO").into()),
            PlanKind::Write(write) if write.temporary => {
                Err(SqlError::unsupported("making temporary objects in DO").into())
            }
            PlanKind::Write(write) => {
                self.check_write(super::write_name(write), write.lasting)?;
                for notice in &write.notices {
                    self.notice(super::severity(notice), notice.clone());
                }
                values.extend(write.lock.iter().map(|_| Value::Null));
                self.collect_unheard(&prepared, values);
                if let Some(t) = &mut self.transaction {
                    t.wrote = true;
                }
                self.send_steps(world, Task::fresh(What::Program))
            }
            PlanKind::Read(read) => self.read_line(world, read, values, prepared.plan.schema_version),
            PlanKind::Utility(Utility::Set { name, values, local }) => {
                self.change_setting(world, name, values, *local)?;
                self.passed_over()
            }
            PlanKind::Utility(Utility::Reset(name)) => {
                self.change_setting(world, name, &[], false)?;
                self.passed_over()
            }
            PlanKind::Empty => self.passed_over(),
            PlanKind::Utility(Utility::Commit { .. } | Utility::Rollback { .. }) if self.explicit() => {
                Err(SqlError::new(SqlState::new("2D000"), "invalid transaction termination").into())
            }
            _ => Err(SqlError::unsupported("this statement in DO").into()),
        }
    }

    fn read_line(&mut self, world: &World, read: &Read, values: Vec<Value>, version: u64) -> Step {
        if read.facts.asks.advisory {
            return Err(SqlError::unsupported("advisory locks in DO").into());
        }
        self.check_read(read)?;
        let cursor = self.new_cursor();
        if let Some(doing) = &mut self.doing {
            doing.cursor = cursor;
        }
        let open = self.open(world, cursor, read, values, version);
        self.ask(open, Wait::Program);
        Ok(())
    }

    /// Asks for the values of expressions.
    fn compute(&mut self, world: &World, expressions: &[Code], after: After) -> Step {
        let columns: Vec<String> = expressions.iter().map(|e| format!("({})", e.text)).collect();
        let mut uses: Vec<Use> = Vec::new();
        for one in expressions.iter().flat_map(|e| &e.uses) {
            if !uses.contains(one) {
                uses.push(one.clone());
            }
        }
        let code = Code { text: format!("SELECT {}", columns.join(", ")), uses };
        self.run_line(world, &code, true, after)
    }

    /// Asks for the text of EXECUTE, and for what stands for its parameters.
    fn compute_text(&mut self, world: &World, text: Code, using: Vec<Code>) -> Step {
        let text = Code { text: format!("CAST(({}) AS text)", text.text), ..text };
        let all: Vec<Code> = [text].into_iter().chain(using).collect();
        self.compute(world, &all, After::Computed)
    }

    /// Turns the row that was found into values of the variables' types.
    fn turn(&mut self, world: &World) -> Step {
        let Some(doing) = &mut self.doing else { return Ok(()) };
        let (targets, _) = doing.targets();
        let columns: Vec<String> =
            targets.iter().enumerate().map(|(n, t)| doing.turned(t, &format!("${}", n + 1))).collect();
        (doing.variables, doing.values) = (Vec::new(), doing.row.clone().unwrap_or_default());
        self.run_text(world, &format!("SELECT {}", columns.join(", ")), true, After::Into(true))
    }

    fn passed(&mut self) {
        if let Some(doing) = &mut self.doing {
            doing.passed();
        }
    }

    /// The statement is done; the program goes on.
    fn passed_over(&mut self) -> Step {
        self.passed();
        self.tasks.push_front(Task::fresh(What::Program));
        Ok(())
    }

    /// The collected statement of the program has been run.
    pub(super) fn program_wrote(&mut self, outcomes: &mut [StepOutcome]) -> Step {
        let (Some(doing), [.., outcome]) = (&mut self.doing, outcomes) else { return Ok(()) };
        if let Some((last, _)) = outcome.drawn.last() {
            Arc::make_mut(&mut self.drawn).extend(outcome.drawn.iter().copied());
            self.drawn_last = Some(*last);
        }
        let rows = std::mem::take(&mut outcome.rows);
        let count = if doing.columns.is_empty() { outcome.count } else { rows.len() as u64 };
        self.rows_came(Fetch { count, done: true, rows: rows.into(), place: Vec::new() })
    }

    pub(super) fn program_answered(&mut self, world: &World, answer: Answer) -> Step {
        let Some(doing) = &mut self.doing else { return Ok(()) };
        let cursor = doing.cursor;
        match answer {
            Answer::Done(result) => result?,
            Answer::Opened(Ok(())) => {
                let sink = match doing.after {
                    After::Nothing => Sink::Nowhere { places: 0 },
                    _ => Sink::Session { max_bytes: self.limits.cursor },
                };
                let max = if matches!(doing.after, After::Into(_)) { 2 } else { u64::MAX };
                self.ask(Ask::Fetch { cursor, max, sink }, Wait::Program);
                return Ok(());
            }
            Answer::Opened(Err(Failure::SchemaChanged)) => {}
            Answer::Opened(Err(Failure::Sql { error, .. })) | Answer::Fetched(Err(error)) => {
                self.effects.push(Effect::Release(cursor));
                self.wishes.lock().clear();
                return Err(error.into());
            }
            Answer::Fetched(Ok(fetch)) => {
                self.effects.push(Effect::Release(cursor));
                self.configured(world)?;
                self.rows_came(fetch)?;
            }
            _ => return Err(SqlError::internal("an answer that nobody asked for").into()),
        }
        self.tasks.push_front(Task::new(What::Program));
        Ok(())
    }

    /// What a statement or a query has brought.
    fn rows_came(&mut self, fetch: Fetch) -> Step {
        let Some(doing) = &mut self.doing else { return Ok(()) };
        let (mut rows, columns) = (fetch.rows, std::mem::take(&mut doing.columns));
        let first = |rows: &mut Vec<Vec<Value>>| (!rows.is_empty()).then(|| Held::of(&columns, rows.swap_remove(0)));
        match doing.after {
            After::Breath => {}
            After::Nothing => {
                let dynamic = matches!(doing.line(), Line::Execute(..));
                match dynamic {
                    true => doing.count = fetch.count,
                    false => doing.found(fetch.count),
                }
                doing.passed();
            }
            After::Computed => {
                let row = Held::of(&columns, rows.pop().unwrap_or_default());
                return self.computed(row);
            }
            After::Declared(variable) if doing.first.is_some() || matches!(doing.line(), Line::DeclareLike(..)) => {
                let mut like = Held::nulls(&columns);
                let of_rows = !matches!(doing.program.variables[variable].ty, Declared::Column(_));
                doing.slots[variable] = match like.pop_if(|_| !of_rows) {
                    Some(held) => Slot::One(held),
                    None => Slot::Record { fields: like, fixed: true, is_null: true },
                };
                match doing.first.take() {
                    Some(held) => doing.assign_record(variable, held)?,
                    None => doing.passed(),
                }
            }
            After::Declared(_) | After::Assigned => {
                let target = match (doing.after, doing.line()) {
                    (After::Declared(variable), _) => Some(Target { variable, field: None }),
                    (_, Line::Assign(target, _)) => Some(target),
                    _ => None,
                };
                match (target, first(&mut rows).and_then(|row| row.into_iter().next())) {
                    (Some(_), Some(held)) if doing.after != After::Assigned && held.ty == Type::RECORD => {
                        doing.first = Some(held);
                        return Ok(());
                    }
                    (Some(Target { variable, field: None }), Some(held)) if doing.is_record(variable) => {
                        return Ok(doing.assign_record(variable, held)?);
                    }
                    (Some(target), Some(held)) => doing.assign(&target, held)?,
                    _ => return Err(SqlError::internal("a value that is none").into()),
                }
                doing.passed();
            }
            After::Opened => doing.opened(rows, columns),
            After::Looped(number) => {
                rows.reverse();
                doing.loops[number] = Some(Round::Rows(rows, columns, false));
                doing.passed();
            }
            After::Into(false) => {
                let (targets, strict) = doing.targets();
                // Of what is changed there is one row, unless the text was computed.
                let single = strict || doing.changes && matches!(doing.line(), Line::Run(..));
                match (strict, rows.len()) {
                    (true, 0) => return Err(SqlError::new(SqlState::new("P0002"), "query returned no rows").into()),
                    (_, n) if n > 1 && single => {
                        let hint = "Make sure the query returns a single row, or use LIMIT 1.";
                        let error = SqlError::new(SqlState::new("P0003"), "query returned more than one row");
                        return Err(error.hint(hint).into());
                    }
                    _ => {}
                }
                match doing.line() {
                    Line::Execute(..) => doing.count = rows.len().min(1) as u64,
                    _ => doing.found(rows.len().min(1) as u64),
                }
                let row = first(&mut rows).unwrap_or_else(|| Held::nulls(&columns));
                doing.store(&targets, row)?;
            }
            After::Into(true) => {
                let (targets, _) = doing.targets();
                for (target, held) in targets.iter().zip(first(&mut rows).unwrap_or_default()) {
                    doing.assign(target, held)?;
                }
                doing.passed();
            }
        }
        Ok(())
    }

    /// What a step has asked for is known.
    fn computed(&mut self, row: Vec<Held>) -> Step {
        let Some(doing) = &mut self.doing else { return Ok(()) };
        match doing.line() {
            Line::Unless(_, to) => {
                let holds = matches!(row.first(), Some(Held { value: Value::Int(1), .. }));
                doing.at = if holds { doing.at + 1 } else { to };
            }
            Line::Execute(..) | Line::RowsOf(..) | Line::Open(..) => {
                let mut row = row.into_iter();
                match row.next().map(|held| held.value) {
                    Some(Value::Text(text)) => doing.text = Some((text, row.collect())),
                    _ => {
                        let message = "query string argument of EXECUTE is null";
                        return Err(SqlError::new(state::NULL_VALUE_NOT_ALLOWED, message).into());
                    }
                }
            }
            Line::Numbers(number, _, reverse) => {
                let bound = |n: usize| match row.get(n).map(|held| &held.value) {
                    Some(Value::Int(n)) => Ok(*n),
                    _ => {
                        let name = ["lower bound", "upper bound", "BY value"][n];
                        let message = format!("{name} of FOR loop cannot be null");
                        Err(SqlError::new(state::NULL_VALUE_NOT_ALLOWED, message))
                    }
                };
                let (next, last, by) = (bound(0)?, bound(1)?, bound(2)?);
                if by <= 0 {
                    let message = "BY value of FOR loop must be greater than zero";
                    return Err(SqlError::new(state::INVALID_PARAMETER_VALUE, message).into());
                }
                let by = if reverse { -by } else { by };
                doing.loops[number] = Some(Round::Numbers { next, last, by });
                doing.passed();
            }
            Line::Fetch(cursor, direction, into) => doing.fetch(cursor, &direction, into, &row)?,
            Line::Raise(level, format, args, told) => {
                doing.at += 1;
                let mut shown = Vec::with_capacity(args.len());
                for held in &row[..args.len()] {
                    shown.push(held.text(self)?.unwrap_or_else(|| "<NULL>".into()));
                }
                let mut attributes = Vec::new();
                for ((attribute, _), held) in told.iter().zip(&row[args.len()..]) {
                    let Value::Text(text) = &held.value else {
                        let message = "RAISE statement option cannot be null";
                        return Err(SqlError::new(state::NULL_VALUE_NOT_ALLOWED, message).into());
                    };
                    attributes.push((*attribute, text.clone()));
                }
                self.raise(level, filled(&format, &shown), attributes)?;
            }
            _ => self.passed(),
        }
        Ok(())
    }

    fn diagnose(&mut self, target: &Target, fact: Fact) -> Step {
        let Some(doing) = &mut self.doing else { return Ok(()) };
        let error = doing.caught.as_ref();
        let field = |text: Option<&str>| Value::Text(text.unwrap_or_default().to_owned());
        let value = match (fact, error) {
            (Fact::RowCount, _) => Value::Int(doing.count as i64),
            (_, None) => field(None),
            (Fact::Code, Some(error)) => field(Some(error.code.as_str())),
            (Fact::Attribute(attribute), Some(error)) => field(match attribute {
                Attribute::Message | Attribute::Errcode => Some(&error.message),
                Attribute::Detail => error.fields.detail.as_deref(),
                Attribute::Hint => error.fields.hint.as_deref(),
                Attribute::Column => error.fields.column.as_deref(),
                Attribute::Constraint => error.fields.constraint.as_deref(),
                Attribute::Datatype => error.fields.datatype.as_deref(),
                Attribute::Table => error.fields.table.as_deref(),
                Attribute::Schema => error.fields.schema.as_deref(),
            }),
        };
        // Numbers of rows fit all numbers, and texts all texts.
        if let Some(held) = doing.held(target).cloned() {
            doing.assign(target, Held { value, ..held })?;
        }
        Ok(())
    }

    fn raise(&mut self, level: Level, message: String, told: Vec<(Attribute, String)>) -> Step {
        let code = match level {
            Level::Debug => return Ok(()),
            Level::Info | Level::Notice => state::SUCCESSFUL_COMPLETION,
            Level::Warning => state::WARNING,
            Level::Exception => SqlState::new("P0001"),
        };
        let mut error = SqlError::new(code, message);
        for (attribute, text) in told {
            let fields = &mut error.fields;
            match attribute {
                Attribute::Message => error.message = text,
                Attribute::Errcode => {
                    let unknown = || {
                        let message = format!("unrecognized exception condition \"{text}\"");
                        SqlError::new(state::UNDEFINED_OBJECT, message)
                    };
                    error.code = written_code(&text).or_else(|| named(&text)).ok_or_else(unknown)?;
                }
                Attribute::Detail => fields.detail = Some(text),
                Attribute::Hint => fields.hint = Some(text),
                Attribute::Column => fields.column = Some(text),
                Attribute::Constraint => fields.constraint = Some(text),
                Attribute::Datatype => fields.datatype = Some(text),
                Attribute::Table => fields.table = Some(text),
                Attribute::Schema => fields.schema = Some(text),
            }
        }
        match level {
            Level::Exception => return Err(error.into()),
            Level::Warning => self.notice(Severity::Warning, error),
            _ => self.notice(Severity::Notice, error),
        }
        Ok(())
    }

    /// Whether an error leads to a handler of the program under way: then the savepoint before it is gone back to.
    pub(super) fn caught(&mut self, error: &SqlError) -> bool {
        let Some(doing) = self.doing.as_mut().filter(|_| !error.fatal) else { return false };
        while let Some(guard) = doing.guards.pop() {
            let Some(Line::Guard(handlers)) = doing.program.steps.get(guard) else { continue };
            let handler = handlers.iter().find(|h| h.conditions.iter().any(|c| c.meets(error.code)));
            let Some(step) = handler.map(|handler| handler.step) else {
                self.transaction.iter_mut().for_each(|t| drop(t.savepoints.pop()));
                continue;
            };
            // What was opened within is closed.
            doing.cursors.retain(|open| open.depth <= doing.guards.len());
            let name = mark_of(doing.guards.len() + 1);
            (doing.at, doing.text, doing.row, doing.caught) = (step, None, None, Some(error.clone()));
            doing.first = None;
            doing.slots[SQLSTATE] = plain(Type::TEXT, Value::Text(error.code.as_str().to_owned()));
            doing.slots[SQLERRM] = plain(Type::TEXT, Value::Text(error.message.clone()));
            self.batch = Default::default();
            self.unsaid.clear();
            if let Some(last) = self.transaction.as_ref().and_then(|t| t.savepoints.len().checked_sub(1)) {
                self.undo_to(last);
            }
            self.transaction.iter_mut().for_each(|t| drop(t.savepoints.pop()));
            let begin = self.begin_interactive();
            self.ask(Ask::Mark { begin, mark: Mark::RollbackTo(name) }, Wait::Program);
            return true;
        }
        false
    }
}
