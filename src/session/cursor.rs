//! SQL's own statements and cursors: PREPARE, EXECUTE, DECLARE, FETCH, MOVE, CLOSE.
//!
//! A cursor over a read keeps the connection's open result and moves forward. One that may move backward (SCROLL) or outlives
//! its transaction (WITH HOLD) has its rows fetched into the session when it is declared; one that may because PostgreSQL's
//! plan would let it begins again, and has them fetched, when it does move backward.

use super::effect::{Answer, Ask, CommandTag, Effect, Fetch, Message, Sink, World};
use super::extended::{duplicate_statement, is_execute};
use super::portal::{AnswerAs, Portal, PortalState, Prepared, Run};
use super::{CursorId, RowForm, Session, Step, Stop, Wait, unless_brief};
use crate::error::{SqlError, SqlResult, state};
use crate::gateway::Failure;
use crate::sql::plan::{FetchDirection, PlanKind, Utility};
use crate::types::Type;
use crate::types::json::quote;
use crate::value::Value;
use std::sync::Arc;

/// The arguments of an EXECUTE while they are computed.
pub(super) struct Arguments {
    run: Run,
    prepared: Arc<Prepared>,
    cursor: CursorId,
}

impl Session {
    pub(super) fn sql_prepare(&mut self, world: &World, name: &str, types: &[Type], query: &str) -> Step {
        if self.prepared.contains_key(name) {
            return Err(duplicate_statement(name).into());
        }
        self.check_names(self.prepared.len())?;
        let prepared = self.prepare_text(world, &Arc::from(query), types)?;
        let kind = &prepared.plan.kind;
        if !matches!(kind, PlanKind::Read(_) | PlanKind::Write(_)) {
            return Err(SqlError::syntax("utility statements cannot be prepared").into());
        }
        let prepared = Prepared { from_sql: true, ..Prepared::clone(&prepared) };
        self.put_name(name, Some(Arc::new(prepared)));
        self.complete("PREPARE");
        Ok(())
    }

    pub(super) fn sql_execute(
        &mut self,
        world: &World,
        run: Run,
        name: &str,
        args: &[String],
        into: Option<&(String, String)>,
    ) -> Step {
        let mut prepared = self.current_statement(world, name)?;
        if is_execute(&prepared.plan) {
            return Err(SqlError::unsupported("EXECUTE of an EXECUTE").into());
        }
        if let Some((before, behind)) = into {
            prepared = self.storing(world, &prepared, before, behind)?;
        }
        let wanted = prepared.plan.params.len();
        if wanted != args.len() {
            let message = format!("wrong number of parameters for prepared statement \"{name}\"");
            let detail = format!("Expected {wanted} parameters but got {}.", args.len());
            return Err(SqlError::syntax(message).detail(detail).into());
        }
        if args.is_empty() {
            return self.execute_with(world, run, prepared, Vec::new());
        }
        let select = format!("SELECT {}", args.join(", "));
        let mut parsed = self.language.parse(&select, &world.allowance).map_err(|e| unless_brief(world, e))?;
        let statement = parsed.pop().ok_or_else(|| SqlError::internal("no statement"))?;
        let plan = self.compile(world, &statement, None, &[], &prepared.plan.params)?;
        let PlanKind::Read(read) = &plan.kind else {
            return Err(SqlError::unsupported("an argument of EXECUTE that changes data").into());
        };
        let cursor = self.new_cursor();
        let open = self.open(world, cursor, read, Vec::new(), plan.schema_version);
        let arguments = Arguments { run, prepared, cursor };
        self.ask(open, Wait::Arguments(Box::new(arguments)));
        Ok(())
    }

    /// CREATE TABLE AS the query of a prepared statement, which stands between these texts.
    fn storing(&mut self, world: &World, query: &Prepared, before: &str, behind: &str) -> Result<Arc<Prepared>, Stop> {
        let text = query.statement.as_ref().map_or("", |statement| statement.text());
        if text.is_empty() || !matches!(query.plan.kind, PlanKind::Read(_)) {
            return Err(SqlError::new(state::WRONG_OBJECT_TYPE, "prepared statement is not a SELECT").into());
        }
        let text = format!("{before}\n{text}\n{behind}");
        self.prepare_text(world, &Arc::from(text), &query.plan.params)
    }

    pub(super) fn evaluated(&mut self, world: &World, arguments: Arguments, answer: Answer) -> Step {
        let cursor = arguments.cursor;
        match answer {
            Answer::Opened(Ok(())) => {
                let sink = Sink::Session { max_bytes: self.limits.cursor };
                self.ask(Ask::Fetch { cursor, max: 1, sink }, Wait::Arguments(Box::new(arguments)));
                Ok(())
            }
            Answer::Opened(Err(Failure::SchemaChanged)) => self.try_again(arguments.run),
            Answer::Opened(Err(Failure::Sql { error, .. })) => Err(error.into()),
            Answer::Fetched(result) => {
                self.effects.push(Effect::Release(cursor));
                let params = result?.rows.pop().unwrap_or_default();
                self.execute_with(world, arguments.run, arguments.prepared, params)
            }
            _ => Err(SqlError::internal("an answer that nobody asked for").into()),
        }
    }

    /// Runs a prepared statement in the place of the EXECUTE.
    fn execute_with(&mut self, world: &World, run: Run, prepared: Arc<Prepared>, params: Vec<Value>) -> Step {
        let outer = run.portal;
        let formats: Vec<i16> = outer.form.binary.iter().map(|b| i16::from(*b)).collect();
        let portal = Portal { name: outer.name, ..self.portal(String::new(), prepared, params, &formats) };
        self.run(world, Run { portal, ..run })
    }

    pub(super) fn declare(
        &mut self,
        world: &World,
        run: Run,
        name: &str,
        query: &str,
        hold: bool,
        scroll: Option<bool>,
        binary: bool,
    ) -> Step {
        if !hold && !self.explicit() {
            let message = "DECLARE CURSOR can only be used in transaction blocks";
            return Err(SqlError::new(state::NO_ACTIVE_SQL_TRANSACTION, message).into());
        }
        if self.portals.contains_key(name) {
            let message = format!("cursor \"{name}\" already exists");
            return Err(SqlError::new(state::DUPLICATE_CURSOR, message).into());
        }
        self.check_names(self.portals.len())?;
        // `DECLARE c CURSOR FOR SELECT … $1` has the parameters of the DECLARE.
        let types = run.portal.plan.params.clone();
        let prepared = self.prepare_cursor(world, query, &types)?;
        let PlanKind::Read(read) = &prepared.plan.kind else {
            let message = "a cursor over a statement that changes data";
            return Err(SqlError::unsupported(message).into());
        };
        let read = read.clone();
        if prepared.plan.params.len() != run.portal.params.len() {
            return Err(SqlError::new(state::UNDEFINED_PARAMETER, "there is no parameter $1").into());
        }
        self.check_read(&read)?;
        let formats: &[i16] = if binary { &[1] } else { &[] };
        let params = run.portal.params.clone();
        let mut portal = self.portal(name.to_owned(), prepared, params, formats);
        let allowed = scroll.is_none() && read.facts.scrolls;
        (portal.hold, portal.scroll, portal.rewinds) =
            (hold, scroll == Some(true) || hold && allowed, allowed && !hold);
        let cursor = self.new_cursor();
        portal.state = PortalState::Open(cursor);
        let open = self.open(world, cursor, &read, portal.params.clone(), portal.plan.schema_version);
        self.ask(open, Wait::Declare(Box::new(run), Box::new(portal)));
        Ok(())
    }

    /// The rows that the cursors are on, for `WHERE CURRENT OF`.
    pub(super) fn cursor_places(&self) -> String {
        let place = |tables: &[u32], rowids: Option<&[Value]>| match rowids {
            None if tables.is_empty() => "{}".to_owned(),
            None => "null".to_owned(),
            Some(rowids) => {
                let rowid = |(oid, rowid): (&u32, &Value)| match rowid {
                    Value::Int(rowid) => format!("\"{oid}\":{rowid}"),
                    _ => format!("\"{oid}\":null"),
                };
                format!("{{{}}}", tables.iter().zip(rowids).map(rowid).collect::<Vec<_>>().join(","))
            }
        };
        let own = self.program_places().map(|(name, tables, rowids)| (name, place(tables, rowids)));
        let named = self.portals.iter().filter(|(name, _)| !name.is_empty());
        let declared = named.map(|(name, portal)| (&**name, place(portal.places(), portal.place.as_deref())));
        let rows = declared.chain(own).map(|(name, place)| format!("{}:{place}", quote(name)));
        format!("{{{}}}", rows.collect::<Vec<_>>().join(","))
    }

    pub(super) fn declared(&mut self, run: Run, portal: Portal, result: Result<(), Failure>) -> Step {
        match result {
            Ok(()) => {}
            Err(Failure::SchemaChanged) => return self.try_again(run),
            Err(Failure::Sql { error, .. }) => return Err(error.into()),
        }
        match portal.cursor() {
            Some(cursor) if portal.hold || portal.scroll => {
                let sink = Sink::Session { max_bytes: self.limits.cursor };
                let wait = Wait::Hold(Box::new(run), Box::new(portal));
                self.ask(Ask::Fetch { cursor, max: u64::MAX, sink }, wait);
                Ok(())
            }
            cursor => {
                if portal.rewinds {
                    self.effects.extend(cursor.map(Effect::Keep));
                }
                self.finish_declare(run, portal)
            }
        }
    }

    pub(super) fn held(&mut self, run: Run, mut portal: Portal, result: SqlResult<Fetch>) -> Step {
        self.effects.extend(portal.cursor().map(Effect::Release));
        portal.state = PortalState::Held(result?.rows);
        self.finish_declare(run, portal)
    }

    fn finish_declare(&mut self, run: Run, portal: Portal) -> Step {
        self.portals.insert(portal.name.clone(), portal);
        self.complete("DECLARE CURSOR");
        self.put_back(finished(run));
        Ok(())
    }

    pub(super) fn close_cursor(&mut self, name: Option<&str>) -> SqlResult<()> {
        match name {
            None => self.drop_portals(|_| true),
            Some(name) if self.drop_portal(name) => {}
            Some(name) => return Err(no_cursor(name)),
        }
        self.complete(if name.is_none() { "CLOSE CURSOR ALL" } else { "CLOSE CURSOR" });
        Ok(())
    }

    /// FETCH and MOVE.
    pub(super) fn fetch(
        &mut self,
        world: &World,
        run: Run,
        name: &str,
        direction: FetchDirection,
        is_move: bool,
    ) -> Step {
        let mut portal = self.portals.remove(name).ok_or_else(|| no_cursor(name))?;
        match (&portal.state, &portal.plan.kind) {
            // A portal of the extended protocol that has not been executed: it begins now.
            (PortalState::Fresh, PlanKind::Read(read)) => {
                self.check_read(read)?;
                let cursor = self.new_cursor();
                let open = self.open(world, cursor, read, portal.params.clone(), portal.plan.schema_version);
                portal.state = PortalState::Open(cursor);
                self.ask(open, Wait::Begin(Box::new(run), Box::new(portal)));
                Ok(())
            }
            (PortalState::Open(cursor), _) if portal.rewinds && backward(direction, &portal) => {
                self.effects.push(Effect::Rewind(*cursor));
                let (cursor, sink) = (*cursor, Sink::Session { max_bytes: self.limits.cursor });
                let wait = Wait::Materialize(Box::new(run), Box::new(portal));
                self.ask(Ask::Fetch { cursor, max: u64::MAX, sink }, wait);
                Ok(())
            }
            (PortalState::Open(_), _) if portal.ended => self.answer_fetch(run, portal, 0, is_move),
            (PortalState::Open(_), _) => self.fetch_forward(run, portal, direction, is_move),
            (PortalState::Held(_), PlanKind::Read(_)) => self.fetch_held(run, portal, direction, is_move),
            (PortalState::Exhausted, _) => match direction {
                FetchDirection::Forward(n) if n >= 0 => self.answer_fetch(run, portal, 0, is_move),
                _ => self.only_forward(portal),
            },
            _ => {
                let message = format!("portal \"{name}\" cannot be run");
                Err(SqlError::new(state::OBJECT_NOT_IN_PREREQUISITE_STATE, message).into())
            }
        }
    }

    /// All rows of a cursor that is to move backward are here.
    pub(super) fn materialized(&mut self, run: Run, mut portal: Portal, result: SqlResult<Fetch>) -> Step {
        self.effects.extend(portal.cursor().map(Effect::Release));
        let rows = result?.rows;
        portal.position = if portal.ended { rows.len() as u64 + 1 } else { portal.position };
        (portal.state, portal.scroll, portal.rewinds) = (PortalState::Held(rows), true, false);
        match run.portal.utility() {
            Some(Utility::Fetch { direction, is_move, .. }) => {
                let (direction, is_move) = (*direction, *is_move);
                self.fetch_held(run, portal, direction, is_move)
            }
            _ => Err(SqlError::internal("only FETCH moves").into()),
        }
    }

    /// The portal that a FETCH began is open: now the FETCH itself.
    pub(super) fn begun(&mut self, world: &World, run: Run, mut portal: Portal, result: Result<(), Failure>) -> Step {
        match result {
            Err(Failure::Sql { error, .. }) => Err(error.into()),
            Err(Failure::SchemaChanged) => {
                portal.state = PortalState::Fresh;
                self.replan(world, &mut portal)?;
                self.portals.insert(portal.name.clone(), portal);
                self.try_again(run)
            }
            Ok(()) => {
                self.portals.insert(portal.name.clone(), portal);
                self.run(world, run)
            }
        }
    }

    fn only_forward(&mut self, portal: Portal) -> Step {
        self.effects.extend(portal.cursor().map(Effect::Release));
        Err(forward_only().into())
    }

    /// On an open result there is only forward: n rows, or the n-th from here.
    fn fetch_forward(&mut self, run: Run, portal: Portal, direction: FetchDirection, is_move: bool) -> Step {
        let position = i64::try_from(portal.position).unwrap_or(i64::MAX);
        let (skip, count) = match direction {
            FetchDirection::Forward(n) if n > 0 => (0, if n == i64::MAX { u64::MAX } else { n as u64 }),
            FetchDirection::Relative(n) if n > 0 => (n as u64 - 1, 1),
            FetchDirection::Absolute(n) if n > position => ((n - position) as u64 - 1, 1),
            _ => return self.only_forward(portal),
        };
        let Some(cursor) = portal.cursor() else { return self.only_forward(portal) };
        let places = portal.places().len();
        let (max, sink) = match (skip, is_move) {
            (0, false) => (count, Sink::Client(asked_form(&run, &portal))),
            (0, true) => (count, Sink::Nowhere { places }),
            (skip, _) => (skip, Sink::Nowhere { places }),
        };
        let mut run = run;
        // What is left to do after the rows in between.
        run.max = if skip > 0 { 1 } else { 0 };
        if run.answer == AnswerAs::Simple && !is_move && skip == 0 {
            self.send_columns(&asked_form(&run, &portal))?;
        }
        self.ask(Ask::Fetch { cursor, max, sink }, Wait::Scroll(Box::new(run), Box::new(portal)));
        Ok(())
    }

    pub(super) fn scrolled(&mut self, mut run: Run, mut portal: Portal, result: SqlResult<Fetch>) -> Step {
        let cursor = portal.cursor();
        let fetch = match result {
            Ok(fetch) => fetch,
            Err(error) => {
                self.effects.extend(cursor.map(Effect::Release));
                return Err(error.into());
            }
        };
        portal.position += fetch.count;
        let is_move = is_move(&run);
        let target_next = run.max == 1;
        // Behind the last row it is on none.
        let wanted = match run.portal.utility() {
            _ if target_next => u64::MAX,
            Some(Utility::Fetch { direction: FetchDirection::Forward(n), .. }) => *n as u64,
            _ => 1,
        };
        portal.place = Some(fetch.place).filter(|_| fetch.count == wanted);
        if target_next && !fetch.done {
            run.max = 0;
            let places = portal.places().len();
            let sink = if is_move { Sink::Nowhere { places } } else { Sink::Client(asked_form(&run, &portal)) };
            if run.answer == AnswerAs::Simple && !is_move {
                self.send_columns(&asked_form(&run, &portal))?;
            }
            let Some(cursor) = cursor else { return self.only_forward(portal) };
            self.ask(Ask::Fetch { cursor, max: 1, sink }, Wait::Scroll(Box::new(run), Box::new(portal)));
            return Ok(());
        }
        if fetch.done && portal.rewinds {
            portal.ended = true;
        } else if fetch.done {
            self.effects.extend(cursor.map(Effect::Release));
            portal.state = PortalState::Exhausted;
        }
        if target_next {
            return self.answer_fetch(run, portal, 0, is_move);
        }
        self.finish_fetch(run, portal, fetch.count, is_move);
        Ok(())
    }

    /// Nothing (more) to deliver, but the description is still due.
    fn answer_fetch(&mut self, run: Run, portal: Portal, count: u64, is_move: bool) -> Step {
        if run.answer == AnswerAs::Simple && !is_move {
            self.send_columns(&asked_form(&run, &portal))?;
        }
        self.finish_fetch(run, portal, count, is_move);
        Ok(())
    }

    fn finish_fetch(&mut self, run: Run, portal: Portal, count: u64, is_move: bool) {
        self.portals.insert(portal.name.clone(), portal);
        self.send(Message::Complete(CommandTag::Counted(if is_move { "MOVE" } else { "FETCH" }, count)));
        self.put_back(finished(run));
    }

    /// On held rows every direction is possible.
    fn fetch_held(&mut self, run: Run, mut portal: Portal, direction: FetchDirection, is_move: bool) -> Step {
        let PortalState::Held(rows) = &portal.state else { return self.only_forward(portal) };
        if !portal.scroll && goes_back(direction, portal.position) {
            let name = portal.name.clone();
            self.portals.insert(name, portal);
            return Err(forward_only().into());
        }
        let (picked, position) = pick(rows.len() as u64, portal.position, direction);
        let place = position.checked_sub(1).and_then(|at| rows.get(at as usize));
        let place = place.map(|row| row[..portal.places().len()].to_vec());
        let rows: Vec<_> = picked.iter().map(|i| rows[*i as usize].clone()).collect();
        (portal.position, portal.place) = (position, place);
        let count = rows.len() as u64;
        if is_move {
            return self.answer_fetch(run, portal, count, true);
        }
        if run.answer == AnswerAs::Simple {
            self.send_columns(&asked_form(&run, &portal))?;
        }
        let form = asked_form(&run, &portal);
        form.check(&rows)?;
        self.emit(Effect::Rows { rows, form });
        self.finish_fetch(run, portal, count, false);
        Ok(())
    }
}

/// The cursor's rows in the form that the FETCH was bound with.
fn asked_form(run: &Run, portal: &Portal) -> Arc<RowForm> {
    let (asked, cursor) = (&run.portal.form, &portal.form);
    // A cursor that was declared after the FETCH was bound has other columns: they go out as it has them.
    match asked.columns.len() == cursor.columns.len() {
        true => Arc::new(RowForm { binary: asked.binary.clone(), encoding: asked.encoding, ..RowForm::clone(cursor) }),
        false => Arc::clone(cursor),
    }
}

/// What needs rows that were given already, or their number.
fn backward(direction: FetchDirection, portal: &Portal) -> bool {
    match direction {
        FetchDirection::Forward(n) | FetchDirection::Relative(n) if portal.ended => n <= 0,
        FetchDirection::Absolute(_) if portal.ended => true,
        direction => goes_back(direction, portal.position),
    }
}

fn goes_back(direction: FetchDirection, position: u64) -> bool {
    match direction {
        FetchDirection::Forward(n) | FetchDirection::Relative(n) => n <= 0,
        FetchDirection::Absolute(n) => n < 0 || (n as u64) <= position,
    }
}

/// Which of `len` rows a FETCH delivers, and where the cursor is afterwards. Position 0 is before the first row,
/// `p` is on row `p`, `len + 1` is after the last.
fn pick(len: u64, position: u64, direction: FetchDirection) -> (Vec<u64>, u64) {
    let (len_i, at) = (len as i128, position as i128);
    let one = |target: i128| match target {
        t if t < 1 => (Vec::new(), 0),
        t if t > len_i => (Vec::new(), len + 1),
        t => (vec![t as u64 - 1], t as u64),
    };
    match direction {
        FetchDirection::Absolute(n) if n >= 0 => one(i128::from(n)),
        FetchDirection::Absolute(n) => one(len_i + 1 + i128::from(n)),
        FetchDirection::Relative(n) => one(at + i128::from(n)),
        FetchDirection::Forward(0) => one(at),
        FetchDirection::Forward(n) if n > 0 => {
            let end = (at + i128::from(n)).min(len_i);
            let rows = (at..end).map(|i| i as u64).collect::<Vec<_>>();
            let reached = if at + i128::from(n) > len_i { len + 1 } else { end as u64 };
            (rows, reached)
        }
        FetchDirection::Forward(n) => {
            let first = (at + i128::from(n)).max(1);
            let rows = (first..at).rev().map(|i| i as u64 - 1).collect::<Vec<_>>();
            let reached = if at + i128::from(n) < 1 { 0 } else { first as u64 };
            (rows, reached)
        }
    }
}

fn is_move(run: &Run) -> bool {
    matches!(run.portal.utility(), Some(crate::sql::plan::Utility::Fetch { is_move: true, .. }))
}

fn finished(mut run: Run) -> Run {
    run.portal.state = PortalState::Finished;
    run
}

/// The error of a cursor that is not to be moved backward.
pub(super) fn forward_only() -> SqlError {
    SqlError::new(state::OBJECT_NOT_IN_PREREQUISITE_STATE, "cursor can only scan forward")
        .hint("Declare it with SCROLL option to enable backward scan.")
}

fn no_cursor(name: &str) -> SqlError {
    SqlError::new(state::INVALID_CURSOR_NAME, format!("cursor \"{name}\" does not exist"))
}
