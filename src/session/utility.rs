//! What the session does by itself: transaction control, settings, and the like. Cursors are in `cursor`.
//!
//! In PostgreSQL's words where it has some: BEGIN in a block and COMMIT outside of one are warnings, most other
//! things in the wrong place are errors.

use super::effect::{Ask, World};
use super::listen::Said;
use super::portal::{PortalState, Run};
use super::transaction::Savepoint;
use super::{Session, Step, Task, Wait, What, Wish};
use crate::command;
use crate::error::{SqlError, SqlResult, state};
use crate::functions::Configure;
use crate::gateway::Mark;
use crate::sql::plan::{Discard, Effort, IsolationLevel, PlanKind, TransactionModes, Utility};
use crate::transaction::{self, Kind};
use crate::value::Value;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Bytes that one statement may set by `set_config`: they stay with the session.
const MOST_WISHED: usize = 8 << 20;

impl Session {
    pub(super) fn utility(&mut self, world: &World, run: Run, utility: &Utility) -> Step {
        match utility {
            // These read, and see what was collected before them.
            Utility::Execute { .. }
            | Utility::Declare { .. }
            | Utility::Fetch { .. }
            | Utility::Explain(_)
            | Utility::Do(_)
                if !self.batch.is_empty() && !self.failed() =>
            {
                return self.send_steps(world, Task::fresh(What::Continue(Box::new(run))));
            }
            // These answer by themselves, and put the portal back when they have.
            Utility::Execute { name, args, into } => return self.sql_execute(world, run, name, args, into.as_ref()),
            Utility::Declare { name, query, hold, scroll, binary } => {
                return self.declare(world, run, name, query, *hold, *scroll, *binary);
            }
            Utility::Do(program) => return self.start_program(run, program),
            Utility::Explain(explain) => return self.explain(world, run, explain),
            Utility::Fetch { name, direction, is_move } => {
                return self.fetch(world, run, name, *direction, *is_move);
            }
            Utility::Show(name) => {
                let rows = vec![vec![Value::Text(self.shown(name)?)]];
                return self.deliver_rows(run, rows);
            }
            Utility::ShowAll => {
                let names = self.settings.names();
                let rows = names.into_iter().map(|name| self.setting_row(name)).collect::<SqlResult<_>>()?;
                return self.deliver_rows(run, rows);
            }
            Utility::Commit { .. } if self.explicit() && !self.failed() && self.tidies_up() => {
                let then = Task::fresh(What::Continue(Box::new(run)));
                if self.batch.ddl {
                    return self.send_steps(world, then);
                }
                self.tidy_up(world)?;
                return self.send_steps(world, then);
            }
            Utility::Discard(Discard::All | Discard::Temp) if self.has_temporary(world) => {
                if *utility == Utility::Discard(Discard::All) {
                    self.forbid_block("DISCARD ALL")?;
                }
                self.drop_temporary(world)?;
                return self.send_steps(world, Task::fresh(What::Continue(Box::new(run))));
            }
            Utility::Commit { .. } if !self.batch.is_empty() && !self.failed() => {
                return self.ask_write(world, Task::fresh(What::Continue(Box::new(run))));
            }
            Utility::Commit { chain } if self.interactive() && !self.failed() => {
                if *chain {
                    self.require_block("COMMIT AND CHAIN")?;
                }
                let then = Task::fresh(What::Committed(Box::new(run)));
                self.ask(Ask::Commit, Wait::Commit(then));
                return Ok(());
            }
            // They have to be answered, and may fail.
            Utility::Rollback { .. } if !self.batch.is_empty() && !self.failed() => {
                return self.send_steps(world, Task::fresh(What::Continue(Box::new(run))));
            }
            Utility::LockTable { tables, mode, nowait } => {
                self.require_block("LOCK TABLE")?;
                let begin = self.begin_interactive();
                self.mark_stepped();
                let (tables, mode, nowait) = (tables.clone(), *mode, *nowait);
                self.ask(Ask::LockTables { begin, tables, mode, nowait }, Wait::Done(Box::new(run)));
                return Ok(());
            }
            Utility::Begin(modes) => self.start_block(world, modes, start_tag(&run))?,
            Utility::Commit { chain } => self.commit(world, *chain)?,
            Utility::Rollback { chain } => self.rollback(world, *chain)?,
            Utility::Savepoint(name) => {
                self.savepoint(name)?;
                return self.ask_mark(run, Mark::Set(name.clone()));
            }
            Utility::Release(name) => {
                self.release(name)?;
                return self.ask_mark(run, Mark::Release(name.clone()));
            }
            Utility::RollbackTo(name) => {
                self.rollback_to(name)?;
                return self.ask_mark(run, Mark::RollbackTo(name.clone()));
            }
            Utility::SetTransaction(modes) => {
                match self.explicit() {
                    true => self.set_modes(modes)?,
                    false => self.not_in_block("SET TRANSACTION"),
                }
                self.complete("SET");
            }
            Utility::SetSessionCharacteristics(modes) => self.set_characteristics(modes)?,
            Utility::Set { name, values, local } => self.set(world, name, values, *local, "SET")?,
            Utility::Reset(name) => self.set(world, name, &[], false, "RESET")?,
            Utility::ResetAll => {
                self.settings.reset_all();
                self.complete("RESET");
            }
            Utility::Prepare { name, types, query } => self.sql_prepare(world, name, types, query)?,
            Utility::Deallocate(name) => self.deallocate(name.as_deref())?,
            Utility::Close(name) => self.close_cursor(name.as_deref())?,
            Utility::Discard(what) => self.discard(*what)?,
            Utility::SetConstraints { constraints, deferred } => {
                let (constraints, deferred) = (constraints.clone(), *deferred);
                return self.set_constraints(world, run, &constraints, deferred);
            }
            Utility::Order { order, tag } => {
                self.forbid_block(tag)?;
                self.check_write(tag, true)?;
                let user = self.settings.current_user().to_owned();
                let session_user = self.settings.session_user().to_owned();
                let time_zone = self.settings.env().time_zone.to_string();
                let ask = Ask::Order { order: order.clone(), user, session_user, time_zone };
                self.ask(ask, Wait::Order(Box::new(run)));
                return Ok(());
            }
            Utility::Listen(channel) => {
                self.listen(run, channel);
                return Ok(());
            }
            Utility::Unlisten(channel) => {
                self.say(channel.clone().map_or(Said::Nothing, Said::Unlisten));
                self.complete("UNLISTEN");
            }
            Utility::Maintenance { tag, alone, notices } => {
                alone.map_or(Ok(()), |what| self.forbid_block(what))?;
                for notice in notices {
                    self.notice(super::severity(notice), notice.clone());
                }
                self.complete(tag);
            }
        }
        self.finish_utility(run);
        Ok(())
    }

    pub(super) fn finish_utility(&mut self, mut run: Run) {
        if let PlanKind::Utility(utility) = &run.portal.plan.kind {
            match utility {
                Utility::Savepoint(_) => self.complete("SAVEPOINT"),
                Utility::Release(_) => self.complete("RELEASE"),
                Utility::RollbackTo(_) => self.complete("ROLLBACK"),
                Utility::LockTable { .. } => self.complete("LOCK TABLE"),
                Utility::Order { tag, .. } => self.complete(tag),
                Utility::SetConstraints { .. } => self.complete("SET CONSTRAINTS"),
                _ => {}
            }
        }
        run.portal.state = PortalState::Finished;
        self.put_back(run);
    }

    /// What COMMIT does once the log has the transaction.
    pub(super) fn committed(&mut self, world: &World, run: Run) -> Step {
        let chain = matches!(&run.portal.plan.kind, PlanKind::Utility(Utility::Commit { chain: true }));
        self.commit(world, chain)?;
        self.finish_utility(run);
        Ok(())
    }

    fn ask_mark(&mut self, run: Run, mark: Mark) -> Step {
        let begin = self.begin_interactive();
        self.ask(Ask::Mark { begin, mark }, Wait::Done(Box::new(run)));
        Ok(())
    }

    // ---- blocks ----

    fn start_block(&mut self, world: &World, modes: &TransactionModes, tag: &'static str) -> SqlResult<()> {
        if self.explicit() {
            self.warn(state::ACTIVE_SQL_TRANSACTION, "there is already a transaction in progress");
        }
        self.begin(world).explicit = true;
        self.set_modes(modes)?;
        self.complete(tag);
        Ok(())
    }

    fn set_modes(&mut self, modes: &TransactionModes) -> SqlResult<()> {
        let wrote = !self.batch.is_empty();
        let Some(t) = &mut self.transaction else { return Ok(()) };
        let (queried, below) = (t.queried || wrote, !t.savepoints.is_empty());
        let refuse = |message: &str| Err(SqlError::new(state::ACTIVE_SQL_TRANSACTION, message));
        match modes.isolation {
            Some(level) if level != t.isolation => {
                if queried {
                    return refuse("SET TRANSACTION ISOLATION LEVEL must be called before any query");
                }
                if below {
                    return refuse("SET TRANSACTION ISOLATION LEVEL must not be called in a subtransaction");
                }
                t.isolation = level;
            }
            _ => {}
        }
        if modes.read_only == Some(false) && t.read_only {
            if below {
                return refuse("cannot set transaction read-write mode inside a read-only transaction");
            }
            if queried {
                return refuse("transaction read-write mode must be set before any query");
            }
        }
        t.read_only = modes.read_only.unwrap_or(t.read_only);
        if let Some(deferrable) = modes.deferrable {
            if below {
                return refuse("SET TRANSACTION [NOT] DEFERRABLE cannot be called within a subtransaction");
            }
            if queried {
                return refuse("SET TRANSACTION [NOT] DEFERRABLE must be called before any query");
            }
            t.deferrable = deferrable;
        }
        Ok(())
    }

    fn commit(&mut self, world: &World, chain: bool) -> SqlResult<()> {
        let failed = self.failed();
        let modes = self.end_block(chain, !failed)?;
        self.complete(if failed { "ROLLBACK" } else { "COMMIT" });
        self.chain(world, modes)
    }

    fn rollback(&mut self, world: &World, chain: bool) -> SqlResult<()> {
        let modes = self.end_block(chain, false)?;
        self.complete("ROLLBACK");
        self.chain(world, modes)
    }

    /// Ends the transaction; the modes of the next one if it is to begin at once.
    fn end_block(&mut self, chain: bool, commit: bool) -> SqlResult<Option<TransactionModes>> {
        if !self.explicit() {
            if chain {
                let verb = if commit { "COMMIT" } else { "ROLLBACK" };
                let message = format!("{verb} AND CHAIN can only be used in transaction blocks");
                return Err(SqlError::new(state::NO_ACTIVE_SQL_TRANSACTION, message));
            }
            self.warn(state::NO_ACTIVE_SQL_TRANSACTION, "there is no transaction in progress");
        }
        let modes = self.transaction.as_ref().map(|t| match t.failed {
            // As in PostgreSQL, a failure has taken back those that were set.
            true => t.chained,
            false => TransactionModes {
                isolation: Some(t.isolation),
                read_only: Some(t.read_only),
                deferrable: Some(t.deferrable),
            },
        });
        self.end_transaction(commit);
        Ok(modes.filter(|_| chain))
    }

    fn chain(&mut self, world: &World, modes: Option<TransactionModes>) -> SqlResult<()> {
        let Some(modes) = modes else { return Ok(()) };
        let t = self.begin(world);
        t.explicit = true;
        t.chained = modes;
        self.set_modes(&modes)
    }

    // ---- savepoints ----

    fn savepoint(&mut self, name: &str) -> SqlResult<()> {
        self.require_block("SAVEPOINT")?;
        self.mark_savepoint(name);
        Ok(())
    }

    pub(super) fn mark_savepoint(&mut self, name: &str) {
        let (settings, writes, portals) = (self.settings.mark(), self.batch.items.len(), self.last_portal);
        if let Some(t) = &mut self.transaction {
            let (name, read_only, constraints) = (name.to_owned(), t.read_only, t.constraints.clone());
            let (advisory, listens, on_commit) = (t.advisory.len(), t.listens.len(), self.temporary.mark());
            let mark =
                Savepoint { name, settings, writes, portals, read_only, constraints, advisory, listens, on_commit };
            t.savepoints.push(mark);
        }
    }

    fn release(&mut self, name: &str) -> SqlResult<()> {
        self.require_block("RELEASE SAVEPOINT")?;
        let at = self.savepoint_named(name)?;
        if let Some(t) = &mut self.transaction {
            // As in PostgreSQL, what became read-only within it is not any more.
            t.read_only = t.savepoints[at].read_only;
            t.savepoints.truncate(at);
        }
        Ok(())
    }

    fn rollback_to(&mut self, name: &str) -> SqlResult<()> {
        self.require_block("ROLLBACK TO SAVEPOINT")?;
        let at = self.savepoint_named(name)?;
        let Some(t) = &self.transaction else { return Ok(()) };
        if t.lost || self.batch.items.len() > t.savepoints[at].writes {
            return Err(SqlError::unsupported("ROLLBACK TO SAVEPOINT after writing"));
        }
        self.undo_to(at);
        Ok(())
    }

    /// What the session knows is as it was at this savepoint.
    pub(super) fn undo_to(&mut self, at: usize) {
        let Some(t) = &mut self.transaction else { return };
        let mark = &t.savepoints[at];
        let (settings, portals, advisory) = (mark.settings, mark.portals, mark.advisory);
        t.read_only = mark.read_only;
        t.listens.truncate(mark.listens);
        self.temporary.roll_back_to(mark.on_commit);
        t.constraints.roll_back_to(mark.constraints.clone());
        t.savepoints.truncate(at + 1);
        t.failed = false;
        self.settings.roll_back_to(settings);
        self.drop_portals(|p| p.serial > portals);
        self.give_back_advisory(advisory);
    }

    /// The latest savepoint of this name.
    fn savepoint_named(&self, name: &str) -> SqlResult<usize> {
        let found = self.transaction.as_ref().and_then(|t| t.savepoints.iter().rposition(|s| s.name == name));
        found.ok_or_else(|| SqlError::new(state::SAVEPOINT_EXCEPTION, format!("savepoint \"{name}\" does not exist")))
    }

    pub(super) fn require_block(&self, what: &str) -> SqlResult<()> {
        if self.explicit() {
            return Ok(());
        }
        let message = format!("{what} can only be used in transaction blocks");
        Err(SqlError::new(state::NO_ACTIVE_SQL_TRANSACTION, message))
    }

    pub(super) fn forbid_block(&self, what: &str) -> SqlResult<()> {
        if !self.explicit() && self.batch.is_empty() && !self.several {
            return Ok(());
        }
        let message = format!("{what} cannot run inside a transaction block");
        Err(SqlError::new(state::ACTIVE_SQL_TRANSACTION, message))
    }

    fn not_in_block(&mut self, what: &str) {
        self.warn(state::NO_ACTIVE_SQL_TRANSACTION, format!("{what} can only be used in transaction blocks"));
    }

    // ---- settings ----

    fn set(&mut self, world: &World, name: &str, values: &[String], local: bool, tag: &'static str) -> SqlResult<()> {
        if local && !self.explicit() {
            self.not_in_block("SET LOCAL");
        }
        self.change_setting(world, name, values, local)?;
        self.complete(tag);
        Ok(())
    }

    /// `SET`, or `RESET` without values, as far as the setting goes.
    pub(super) fn change_setting(
        &mut self,
        world: &World,
        name: &str,
        values: &[String],
        local: bool,
    ) -> SqlResult<()> {
        if !self.set_own(world, name, values, local)? {
            self.settings.set(name, values, local)?;
        }
        Ok(())
    }

    fn is_superuser(&self, world: &World) -> bool {
        world.catalog.rights.roles.named(self.settings.current_user()).is_some_and(|role| role.superuser)
    }

    /// Settings that are no stored values; whether it is one. If not, the role may set it. Errors: 42501.
    fn set_own(&mut self, world: &World, name: &str, values: &[String], local: bool) -> SqlResult<bool> {
        match name.to_ascii_lowercase().as_str() {
            "transaction_isolation" => self.set_isolation(values)?,
            "transaction_read_only" | "transaction_deferrable" => self.set_transaction_flag(name, values)?,
            "session_authorization" => self.set_session_user(world, values.first(), local)?,
            "role" => self.set_role(world, values.first(), local)?,
            _ => {
                crate::settings::check_may_set(name, self.is_superuser(world))?;
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn set_isolation(&mut self, values: &[String]) -> SqlResult<()> {
        let level = match values.first() {
            None => self.settings.default_isolation(),
            Some(name) => IsolationLevel::named(name).ok_or_else(|| bad_value("transaction_isolation", name))?,
        };
        self.set_modes(&TransactionModes { isolation: Some(level), ..TransactionModes::default() })
    }

    fn set_transaction_flag(&mut self, name: &str, values: &[String]) -> SqlResult<()> {
        let on = match values.first() {
            None => self.settings.is_on(&format!("default_{}", name.to_ascii_lowercase())),
            Some(value) => crate::settings::boolean(value).ok_or_else(|| bad_value(name, value))?,
        };
        let mut modes = TransactionModes::default();
        match name.eq_ignore_ascii_case("transaction_read_only") {
            true => modes.read_only = Some(on),
            false => modes.deferrable = Some(on),
        }
        self.set_modes(&modes)
    }

    /// SET ROLE. Errors: 22023 for a role that there is not, 42501 for one that the session's user is no member of.
    fn set_role(&mut self, world: &World, role: Option<&String>, local: bool) -> SqlResult<()> {
        let Some(name) = role.filter(|name| !name.eq_ignore_ascii_case("none")) else {
            let superuser = world.catalog.rights.roles.named(self.settings.session_user()).is_some_and(|r| r.superuser);
            self.settings.become_role("role", Some(("none", superuser)), local);
            return Ok(());
        };
        let roles = &world.catalog.rights.roles;
        let role = roles.named(name).ok_or_else(|| no_role(name))?;
        let session = roles.named(self.settings.session_user()).map_or(0, |role| role.oid);
        if !roles.is_member(session, role.oid) {
            let message = format!("permission denied to set role \"{name}\"");
            return Err(SqlError::new(state::INSUFFICIENT_PRIVILEGE, message));
        }
        self.settings.become_role("role", Some((name, role.superuser)), local);
        Ok(())
    }

    /// SET SESSION AUTHORIZATION. Errors: 42501 unless the client has come as a superuser, or goes back to what it was.
    fn set_session_user(&mut self, world: &World, role: Option<&String>, local: bool) -> SqlResult<()> {
        let Some(name) = role else {
            self.settings.become_role("session_authorization", None, local);
            return Ok(());
        };
        let roles = &world.catalog.rights.roles;
        let role = roles.named(name).ok_or_else(|| no_role(name))?;
        let came_as = roles.named(&self.id.user).map_or(0, |role| role.oid);
        if role.oid != came_as && !roles.is_superuser(came_as) {
            return Err(SqlError::new(state::INSUFFICIENT_PRIVILEGE, "permission denied to set session authorization"));
        }
        self.settings.become_role("session_authorization", Some((name, role.superuser)), local);
        Ok(())
    }

    fn set_characteristics(&mut self, modes: &TransactionModes) -> SqlResult<()> {
        let flag = |on: bool| vec![if on { "on".to_owned() } else { "off".to_owned() }];
        if let Some(level) = modes.isolation {
            let level = vec![level.name().to_owned()];
            self.settings.set("default_transaction_isolation", &level, false)?;
        }
        if let Some(on) = modes.read_only {
            self.settings.set("default_transaction_read_only", &flag(on), false)?;
        }
        if let Some(on) = modes.deferrable {
            self.settings.set("default_transaction_deferrable", &flag(on), false)?;
        }
        self.complete("SET");
        Ok(())
    }

    /// Name, value and description, as SHOW ALL has them.
    fn setting_row(&self, name: String) -> SqlResult<Vec<Value>> {
        let value = self.shown(&name)?;
        let description = crate::settings::lookup(&name).map_or("", |s| s.description).to_owned();
        Ok([name, value, description].map(Value::Text).to_vec())
    }

    /// For `set_config` in a read.
    pub(super) fn configure(&self) -> Configure {
        let (wishes, show) = (Arc::clone(&self.wishes), self.settings.preview());
        wishes.lock().clear();
        let wished = AtomicUsize::new(0);
        Arc::new(move |name, value, local| {
            let shown = show(name, value)?;
            let bytes = size_of::<Wish>() + name.len() + value.map_or(0, str::len);
            if wished.fetch_add(bytes, Ordering::Relaxed) + bytes > MOST_WISHED {
                return Err(SqlError::new(state::OUT_OF_MEMORY, "out of memory")
                    .detail(format!("A statement may set {} kB of settings.", MOST_WISHED >> 10)));
            }
            wishes.lock().push(Wish { name: name.to_owned(), value: value.map(str::to_owned), local });
            Ok(shown)
        })
    }

    /// What the read has set is so now.
    pub(super) fn configured(&mut self, world: &World) -> SqlResult<()> {
        let wishes = std::mem::take(&mut *self.wishes.lock());
        for Wish { name, value, local } in wishes {
            let text: Vec<String> = value.into_iter().collect();
            if !self.set_own(world, &name, &text, local)? {
                match text.first() {
                    Some(text) => self.settings.set_text(&name, text, local)?,
                    None => self.settings.set(&name, &[], local)?,
                }
            }
        }
        Ok(())
    }

    /// The characteristics of the transaction, as settings.
    pub(super) fn present(&self) -> [(&'static str, &'static str); 3] {
        let on = |on: bool| if on { "on" } else { "off" };
        let t = self.transaction.as_ref();
        [
            ("transaction_isolation", t.map_or(self.settings.default_isolation(), |t| t.isolation).name()),
            ("transaction_read_only", on(t.is_some_and(|t| t.read_only))),
            ("transaction_deferrable", on(t.is_some_and(|t| t.deferrable))),
        ]
    }

    fn shown(&self, name: &str) -> SqlResult<String> {
        if let Some((_, value)) = self.present().iter().find(|(own, _)| own.eq_ignore_ascii_case(name)) {
            return Ok((*value).to_owned());
        }
        self.settings.show(name)
    }

    // ---- the rest ----

    fn deallocate(&mut self, name: Option<&str>) -> SqlResult<()> {
        match name {
            None => {
                let names: Vec<String> = self.prepared.keys().cloned().collect();
                names.iter().for_each(|name| self.put_name(name, None));
            }
            Some(name) => {
                self.statement_named(name)?;
                self.put_name(name, None);
            }
        }
        self.complete(if name.is_none() { "DEALLOCATE ALL" } else { "DEALLOCATE" });
        Ok(())
    }

    fn discard(&mut self, what: Discard) -> SqlResult<()> {
        match what {
            Discard::All => {
                self.forbid_block("DISCARD ALL")?;
                self.drop_portals(|_| true);
                self.settings.reset_all();
                self.settings.become_role("session_authorization", None, false);
                self.prepared.clear();
                self.forget_sequences();
                self.unlock_all();
                self.say(Said::Nothing);
            }
            Discard::Sequences => self.forget_sequences(),
            // Plans follow the catalog by themselves; temporary objects are gone already.
            Discard::Plans | Discard::Temp => {}
        }
        self.complete(match what {
            Discard::All => "DISCARD ALL",
            Discard::Plans => "DISCARD PLANS",
            Discard::Sequences => "DISCARD SEQUENCES",
            Discard::Temp => "DISCARD TEMP",
        });
        Ok(())
    }

    fn forget_sequences(&mut self) {
        self.drawn = Arc::default();
        self.drawn_last = None;
    }

    /// Deferred constraints are checked at COMMIT. Checking them earlier would need them to be told apart.
    /// Those that become immediate are checked at once, if anything can have violated them.
    fn set_constraints(&mut self, world: &World, run: Run, constraints: &[u32], deferred: bool) -> Step {
        let Some(t) = self.transaction.as_mut().filter(|t| t.explicit) else {
            self.not_in_block("SET CONSTRAINTS");
            self.finish_utility(run);
            return Ok(());
        };
        t.constraints.set(constraints, deferred);
        let immediate = t.constraints.immediate(&world.catalog);
        if deferred || immediate.is_empty() || !t.stepped {
            self.finish_utility(run);
            return Ok(());
        }
        let step = command::Step { frozen: Some(self.frozen(world)), ..Default::default() };
        let (kind, lock, schema_version, ordered) = (Kind::Read, None, None, false);
        let statement = Box::new(transaction::Statement {
            step,
            kind,
            lock,
            before: None,
            schema_version,
            ordered,
            immediate,
            effort: Effort::Key,
        });
        let begin = self.begin_interactive();
        self.ask(Ask::Check { begin, statement }, Wait::Done(Box::new(run)));
        Ok(())
    }
}

/// BEGIN and START TRANSACTION are the same but for what they answer.
fn start_tag(run: &Run) -> &'static str {
    let text = run.portal.prepared.statement.as_ref().map_or("", |s| s.text());
    match text.get(..5) {
        Some(word) if word.eq_ignore_ascii_case("start") => "START TRANSACTION",
        _ => "BEGIN",
    }
}

fn no_role(name: &str) -> SqlError {
    SqlError::new(state::INVALID_PARAMETER_VALUE, format!("role \"{name}\" does not exist"))
}

fn bad_value(name: &str, value: &str) -> SqlError {
    let message = format!("invalid value for parameter \"{name}\": \"{value}\"");
    SqlError::new(state::INVALID_PARAMETER_VALUE, message)
}
