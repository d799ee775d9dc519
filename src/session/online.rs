//! CREATE INDEX CONCURRENTLY: one command after the other, so that others write in between.
//!
//! The first makes the index, which then is filled slice by slice, and is relied on after the last command. Each is compiled under the
//! catalog of its moment. Slices are as large as fits into some 80 ms of everybody's time.

use super::effect::World;
use super::language::Statement;
use super::portal::{Prepared, Run};
use super::{Session, Step, Stop, Task, What};
use crate::command::{Slice, StepOutcome};
use crate::error::{SqlError, SqlResult, state};
use crate::sql::Scope;
use crate::sql::ddl::{self, online};
use crate::sql::plan::{Plan, PlanKind};
use crate::value::Value;
use std::sync::Arc;

/// An index on its way.
pub(super) struct Building {
    run: Run,
    /// 0 before it is begun.
    index: u32,
    next: Option<online::Part>,
    rows: u64,
    /// When the part under way was asked for, µs.
    asked: i64,
}

/// Rows of the first slice; of the smallest and the largest. What a command takes beside its rows (a round between nodes, syncs, its
/// turn on a busy machine) does not get less with them, so the smallest is not small.
const FIRST: u64 = 5_000;
const ROWS: std::ops::RangeInclusive<u64> = 2_000..=50_000;
/// A slice that took longer, µs, is followed by a smaller one; and by a larger one if it took less than half of that.
const PACE: i64 = 80_000;

/// A part of the work, as a statement that nobody has sent.
struct Part {
    index: u32,
    part: online::Part,
}

impl Statement for Part {
    fn compile(&self, scope: &Scope<'_>) -> SqlResult<Plan> {
        ddl::build(self.index, self.part, scope)
    }

    fn text(&self) -> &str {
        ""
    }
}

impl Session {
    /// Begins the index that a statement of the client's makes.
    pub(super) fn begin_index(&mut self, world: &World, run: Run) -> Step {
        let prepared = Arc::clone(&run.portal.prepared);
        self.building = Some(Box::new(Building { run, index: 0, next: None, rows: FIRST, asked: world.now }));
        self.ask_part(world, &prepared)
    }

    /// Asks for the next part, or is done.
    pub(super) fn go_on_building(&mut self, world: &World) -> Step {
        let Some(building) = &mut self.building else { return Ok(()) };
        building.asked = world.now;
        let Some(part) = building.next else {
            if let Some(done) = self.building.take() {
                self.complete("CREATE INDEX");
                self.finish_utility(done.run);
            }
            return Ok(());
        };
        let part: Arc<dyn Statement> = Arc::new(Part { index: building.index, part });
        let prepared = self.prepare(world, &part, None, &[], false)?;
        self.ask_part(world, &prepared).map_err(Stop::finally)
    }

    fn ask_part(&mut self, world: &World, prepared: &Arc<Prepared>) -> Step {
        self.collect_unheard(prepared, Vec::new());
        self.ask_write(world, Task::new(What::Build))
    }

    /// A part is done: what is next.
    pub(super) fn part_is_done(&mut self, world: &World, outcomes: &[StepOutcome]) -> Step {
        let Some(building) = &mut self.building else { return Ok(()) };
        if let Some(PlanKind::Write(write)) = self.batch.items.first().map(|item| &item.run.portal.plan.kind)
            && let Some(begun) = write.begins
        {
            building.index = begun;
        }
        if building.next == Some(online::Part::Finish) {
            building.next = None;
            return Ok(());
        }
        let took = world.now - building.asked;
        building.rows = match took {
            _ if building.next.is_none() => building.rows,
            ..PACE if took < PACE / 2 => building.rows * 2,
            ..PACE => building.rows,
            _ => building.rows / 2,
        };
        building.rows = building.rows.clamp(*ROWS.start(), *ROWS.end());
        let row = outcomes.last().and_then(|outcome| outcome.rows.last());
        building.next = match row.map(Vec::as_slice) {
            Some(&[Value::Int(Slice::MORE), Value::Int(from)]) => {
                Some(online::Part::Slice { from, rows: building.rows })
            }
            Some(&[Value::Int(Slice::DONE), _]) => Some(online::Part::Finish),
            _ => {
                let message =
                    "the index was not built to its end: its table was changed by another definition meanwhile";
                return Err(SqlError::new(state::OBJECT_NOT_IN_PREREQUISITE_STATE, message)
                    .hint("It is there and not valid: drop it, and create it again.")
                    .into());
            }
        };
        Ok(())
    }
}
