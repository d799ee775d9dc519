//! Cursors of a program: their rows are kept in memory from OPEN on, as those of a loop are.

use super::super::cursor::forward_only;
use super::super::effect::{KeptRows, World};
use super::super::{Session, Step, Task, What};
use super::{After, Doing, Held, Slot, plain};
use crate::error::{SqlError, SqlState, state};
use crate::sql::plan::ResultColumn;
use crate::sql::procedural::{Code, Direction, FOUND, Into, Step as Line, Target};
use crate::types::Type;
use crate::value::Value;

/// A cursor that is open.
pub(super) struct Open {
    name: String,
    /// Its variable.
    variable: usize,
    columns: Vec<ResultColumn>,
    rows: KeptRows,
    /// The tables whose rows' numbers stand before the columns.
    places: Vec<u32>,
    /// From 1; 0 is before the first row, and one more than there are is behind the last one.
    position: usize,
    backward: bool,
    /// How many guards there were.
    pub(super) depth: usize,
    /// The step at which its loop goes on.
    looped: Option<usize>,
}

impl Open {
    fn row(&self) -> Option<&Vec<Value>> {
        self.position.checked_sub(1).and_then(|at| self.rows.get(at))
    }

    fn held(&self) -> Option<Vec<Held>> {
        self.row().map(|row| Held::of(&self.columns, row[self.places.len()..].to_vec()))
    }

    /// Moves; how many rows it has come to, or by.
    fn go(&mut self, direction: &Direction, n: i64) -> Result<usize, SqlError> {
        let (from, rows) = (self.position as i64, self.rows.len() as i64);
        let to = match direction {
            Direction::By(_) | Direction::Relative(_) => from.saturating_add(n),
            Direction::To(_) if n < 0 => rows.saturating_add(1).saturating_add(n),
            Direction::To(_) => n,
            Direction::Through => rows + 1,
            Direction::Back => 0,
        };
        let to = to.clamp(0, rows + 1);
        if to < from && !self.backward {
            return Err(forward_only());
        }
        self.position = to as usize;
        let reached = usize::from(self.row().is_some());
        Ok(match direction {
            Direction::To(_) | Direction::Relative(_) => reached,
            _ if to > from => (to.min(rows) - from) as usize,
            _ if to < from => (from - to.max(1)) as usize,
            _ => reached,
        })
    }
}

impl Doing {
    /// The name in a cursor's variable.
    fn name_of(&self, variable: usize) -> Result<String, SqlError> {
        match &self.slots[variable] {
            Slot::One(Held { value: Value::Text(name), .. }) => Ok(name.clone()),
            _ => {
                let name = &self.program.variables[variable].name;
                let message = format!("cursor variable \"{name}\" is null");
                Err(SqlError::new(state::NULL_VALUE_NOT_ALLOWED, message))
            }
        }
    }

    fn open_of(&self, variable: usize) -> Result<usize, SqlError> {
        let name = self.name_of(variable)?;
        self.cursors
            .iter()
            .position(|open| open.name == name)
            .ok_or_else(|| SqlError::new(state::INVALID_CURSOR_NAME, format!("cursor \"{name}\" does not exist")))
    }

    /// A cursor's query may run; without a name it gets one.
    fn may_open(&mut self, variable: usize) -> Result<(), SqlError> {
        match self.name_of(variable) {
            Err(_) => {
                let unnamed = (1..).map(|n| format!("<unnamed portal {n}>"));
                let free = unnamed.into_iter().find(|name| self.cursors.iter().all(|open| open.name != *name));
                self.slots[variable] = plain(Type::TEXT, Value::Text(free.unwrap_or_default()));
                Ok(())
            }
            Ok(name) if self.cursors.iter().any(|open| open.name == name) => {
                Err(SqlError::new(SqlState::new("42P03"), format!("cursor \"{name}\" already in use")))
            }
            Ok(_) => Ok(()),
        }
    }

    /// The rows of a cursor's query have come.
    pub(super) fn opened(&mut self, rows: KeptRows, columns: Vec<ResultColumn>) {
        if let Line::Open(variable, _, _, backward) = self.line() {
            let (name, places) = (self.name_of(variable).unwrap_or_default(), std::mem::take(&mut self.places));
            let looped = matches!(self.program.steps.get(self.at + 1), Some(Line::NextOf(..)));
            let (depth, looped) = (self.guards.len(), looped.then_some(self.at + 1));
            self.cursors.push(Open { name, variable, columns, rows, places, position: 0, backward, depth, looped });
        }
        self.passed();
    }

    /// FETCH and MOVE, by the number that was computed.
    pub(super) fn fetch(
        &mut self,
        variable: usize,
        direction: &Direction,
        into: Option<Into>,
        count: &[Held],
    ) -> Result<(), SqlError> {
        let at = self.open_of(variable)?;
        let n = match count.first().map(|held| &held.value) {
            Some(Value::Int(n)) => *n,
            Some(_) => {
                let message = "relative or absolute cursor position is null";
                return Err(SqlError::new(state::NULL_VALUE_NOT_ALLOWED, message));
            }
            None => 0,
        };
        let open = &mut self.cursors[at];
        let reached = open.go(direction, n)?;
        let row = open.held().unwrap_or_else(|| Held::nulls(&open.columns));
        self.found(reached as u64);
        match into {
            None => self.passed(),
            Some(into) => {
                let targets = self.spread(into.targets);
                self.store(&targets, row)?;
            }
        }
        Ok(())
    }

    /// The next round of a loop over a cursor.
    pub(super) fn next_of(&mut self, variable: usize, targets: &[Target], end: usize) -> Result<(), SqlError> {
        let at = self.open_of(variable)?;
        let open = &mut self.cursors[at];
        open.position = (open.position + 1).min(open.rows.len() + 1);
        match open.held() {
            Some(row) => self.store(targets, row),
            None => {
                let any = !open.rows.is_empty();
                self.cursors.remove(at);
                self.slots[FOUND] = plain(Type::BOOL, Value::Int(any.into()));
                self.at = end;
                Ok(())
            }
        }
    }

    pub(super) fn close(&mut self, variable: usize) -> Result<(), SqlError> {
        let at = self.open_of(variable)?;
        self.cursors.remove(at);
        Ok(())
    }

    /// Closes the cursors of the loops that are left: those that begin within these steps, but for the one that goes on.
    pub(super) fn leave_loops(&mut self, from: usize, to: usize) {
        self.cursors.retain(|open| open.looped.is_none_or(|at| at < from || at == to));
    }
}

impl Session {
    pub(super) fn open_cursor(&mut self, world: &World, variable: usize, text: Code, using: Option<Vec<Code>>) -> Step {
        let Some(doing) = &mut self.doing else { return Ok(()) };
        match (using, doing.text.clone()) {
            (None, _) => {
                doing.may_open(variable)?;
                self.run_line(world, &text, true, After::Opened)
            }
            (Some(using), None) => {
                doing.may_open(variable)?;
                self.compute_text(world, text, using)
            }
            (Some(_), Some((text, values))) => {
                (doing.variables, doing.values) = (Vec::new(), values);
                self.run_text(world, &text, true, After::Opened)
            }
        }
    }

    pub(super) fn fetch_cursor(&mut self, world: &World, variable: usize, direction: Direction) -> Step {
        let Some(doing) = &mut self.doing else { return Ok(()) };
        match direction {
            Direction::By(n) | Direction::To(n) | Direction::Relative(n) => {
                let n = Code { text: format!("CAST(({}) AS integer)", n.text), ..n };
                self.compute(world, &[n], After::Computed)
            }
            Direction::Through | Direction::Back => {
                let Line::Fetch(_, direction, into) = doing.line() else { return Ok(()) };
                doing.fetch(variable, &direction, into, &[])?;
                self.tasks.push_front(Task::new(What::Program));
                Ok(())
            }
        }
    }

    /// The rows that the cursors of a program under way are on, by its names of them.
    pub(in crate::session) fn program_places(&self) -> impl Iterator<Item = (&str, &[u32], Option<&[Value]>)> {
        let doing = self.doing.iter();
        doing.flat_map(|doing| doing.cursors.iter().map(move |open| (doing, open))).map(|(doing, open)| {
            let rowids = open.row().map(|row| &row[..open.places.len()]);
            (&*doing.program.variables[open.variable].name, &*open.places, rowids)
        })
    }
}
