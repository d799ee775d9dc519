//! The extended protocol: Parse, Bind, Describe, Execute, Close, Flush, Sync.

use super::effect::{Bind, Effect, Message, Request, Target, World};
use super::language::Statement;
use super::portal::{AnswerAs, Portal, PortalState, Prepared, Run};
use super::{Session, Step, Stop, Task, What, aborted, unless_brief};
use crate::error::{SqlError, SqlResult, state};
use crate::sql::Scope;
use crate::sql::plan::{Plan, PlanKind, ResultColumn, Utility};
use crate::types::binary::parse_binary;
use crate::types::encoding::Encoding;
use crate::types::text::parse_parameter;
use crate::types::{Env, NO_TYPMOD, Type};
use crate::value::Value;
use std::sync::Arc;

impl Session {
    /// Handles one message. Stops with [`Stop::Compile`] before anything has happened.
    pub(super) fn extended_message(&mut self, world: &World, request: &Request) -> Step {
        match request {
            Request::Parse { name, text, types } => self.parse(world, name, text, types),
            Request::Bind(bind) => self.bind(world, bind),
            Request::Describe { target: Target::Statement, name } => self.describe_statement(world, name),
            Request::Describe { target: Target::Portal, name } => self.describe_portal(name),
            Request::Execute { portal, max_rows } => self.execute(world, portal, *max_rows),
            Request::Close { target, name } => {
                match target {
                    Target::Statement => self.put_name(name, None),
                    Target::Portal => drop(self.drop_portal(name)),
                }
                self.send(Message::CloseComplete);
                Ok(())
            }
            Request::Flush => self.flush(world),
            Request::Sync => self.finish_requests(world, Task::fresh(What::Message(Request::Sync))),
            _ => Err(SqlError::internal("not a message of the extended protocol").into()),
        }
    }

    fn parse(&mut self, world: &World, name: &str, text: &str, types: &[Type]) -> Step {
        self.begin(world);
        self.show_text(text);
        if !name.is_empty() {
            if self.prepared.contains_key(name) {
                return Err(duplicate_statement(name).into());
            }
            self.check_names(self.prepared.len())?;
        }
        self.show_text(text);
        let text: Arc<str> = Arc::from(text);
        let prepared = self.prepare_text(world, &text, types)?;
        if let Some(statement) = &prepared.statement {
            self.tell_of_text(statement);
        }
        self.put_name(name, Some(prepared));
        self.send(Message::ParseComplete);
        Ok(())
    }

    /// Prepares a text of at most one statement.
    pub(super) fn prepare_text(
        &mut self,
        world: &World,
        text: &Arc<str>,
        types: &[Type],
    ) -> Result<Arc<Prepared>, Stop> {
        let key = self.plan_key(world, text, types);
        let statement = match self.cache.get(&key) {
            Some(found) => Some(found.statement),
            None => self.only_statement(world, text)?,
        };
        let Some(statement) = statement else { return Ok(self.empty()) };
        let prepared = self.prepare(world, &statement, Some(text), types, true)?;
        decided(prepared)
    }

    /// Prepares a cursor's query.
    pub(super) fn prepare_cursor(&mut self, world: &World, text: &str, types: &[Type]) -> Result<Arc<Prepared>, Stop> {
        let Some(statement) = self.only_statement(world, text)? else { return Ok(self.empty()) };
        let statement: Arc<dyn Statement> = Arc::new(Positioned(statement));
        decided(self.prepare(world, &statement, None, types, true)?)
    }

    /// The statement of a text; `None` for an empty one.
    fn only_statement(&self, world: &World, text: &str) -> Result<Option<Arc<dyn Statement>>, Stop> {
        let mut statements = self.language.parse(text, &world.allowance).map_err(|e| unless_brief(world, e))?;
        match statements.len() {
            0 | 1 => Ok(statements.pop()),
            _ => {
                let message = "cannot insert multiple commands into a prepared statement";
                Err(SqlError::syntax(message).into())
            }
        }
    }

    fn empty(&self) -> Arc<Prepared> {
        let plan = Plan { params: Vec::new(), columns: Vec::new(), schema_version: 0, kind: PlanKind::Empty };
        let scope = self.settings.digest();
        let plan = Arc::new(plan);
        Arc::new(Prepared {
            statement: None,
            text: None,
            declared: Vec::new(),
            plan,
            scope,
            pinned: true,
            at: 0,
            from_sql: false,
        })
    }

    /// A named statement; the error says which one is missing.
    pub(super) fn statement_named(&self, name: &str) -> SqlResult<Arc<Prepared>> {
        self.prepared.get(name).cloned().ok_or_else(|| {
            let message = match name {
                "" => "unnamed prepared statement does not exist".to_owned(),
                name => format!("prepared statement \"{name}\" does not exist"),
            };
            SqlError::new(state::INVALID_SQL_STATEMENT_NAME, message)
        })
    }

    /// The same, up to date with the catalog.
    pub(super) fn current_statement(&mut self, world: &World, name: &str) -> Result<Arc<Prepared>, Stop> {
        let known = self.statement_named(name)?;
        let prepared = match self.refreshed(world, &known) {
            Err(Stop::Compile(_)) if self.failed() => return Err(aborted().into()),
            other => other?,
        };
        if !Arc::ptr_eq(&known, &prepared) {
            self.prepared.insert(name.to_owned(), Arc::clone(&prepared));
        }
        Ok(prepared)
    }

    fn bind(&mut self, world: &World, bind: &Bind) -> Step {
        self.begin(world);
        let prepared = self.current_statement(world, &bind.statement)?;
        let bytes = bind.params.iter().flatten().map(|p| p.len()).sum();
        world.allowance.spend_text(bytes).map_err(|e| unless_brief(world, e))?;
        self.show_text(prepared.text.as_deref().unwrap_or_default());
        self.check_failed(&prepared.plan)?;
        check_counts(bind, &prepared.plan)?;
        let formats = &bind.result_formats;
        let columns = self.columns_of(&prepared.plan).len();
        if formats.len() > 1 && formats.len() != columns {
            let message = format!("bind message has {} result formats but query has {columns} columns", formats.len());
            return Err(SqlError::new(state::PROTOCOL_VIOLATION, message).into());
        }
        let env = self.settings.env();
        let now = self.transaction.as_ref().map(|t| t.started);
        let params = parameters(bind, &prepared.plan.params, &env, self.settings.hot().encoding, now)?;
        if bind.portal.is_empty() {
            self.drop_portal("");
        } else if self.portals.contains_key(&bind.portal) {
            let message = format!("cursor \"{}\" already exists", bind.portal);
            return Err(SqlError::new(state::DUPLICATE_CURSOR, message).into());
        } else {
            self.check_names(self.portals.len())?;
        }
        let portal = self.portal(bind.portal.clone(), prepared, params, formats);
        self.portals.insert(bind.portal.clone(), portal);
        self.speak();
        self.unsaid.push(Effect::Send(Message::BindComplete));
        Ok(())
    }

    fn describe_statement(&mut self, world: &World, name: &str) -> Step {
        self.begin(world);
        let prepared = self.current_statement(world, name)?;
        let columns = self.columns_of(&prepared.plan);
        if self.failed() && !columns.is_empty() {
            return Err(aborted().into());
        }
        self.send(Message::Parameters(prepared.plan.params.clone()));
        let binary = vec![false; columns.len()];
        let described = self.described(&prepared.plan, columns, binary)?;
        self.send(described);
        Ok(())
    }

    fn describe_portal(&mut self, name: &str) -> Step {
        let portal = self.portal_named(name)?;
        let (plan, form) = (Arc::clone(&portal.plan), Arc::clone(&portal.form));
        if self.failed() && !form.columns.is_empty() {
            return Err(aborted().into());
        }
        let described = self.described(&plan, form.columns.clone(), form.binary.clone())?;
        match self.unsaid.is_empty() {
            true => self.send(described),
            false => self.unsaid.push(Effect::Send(described)),
        }
        Ok(())
    }

    fn described(&mut self, plan: &Plan, columns: Vec<ResultColumn>, binary: Vec<bool>) -> SqlResult<Message> {
        let returns_rows = match &plan.kind {
            // A SELECT without columns still has a (then empty) RowDescription; COPY has none.
            PlanKind::Read(_) => true,
            PlanKind::CopyIn(_) | PlanKind::Empty => false,
            kind if kind.copies_out().is_some() => false,
            _ => !columns.is_empty(),
        };
        if !returns_rows {
            return Ok(Message::NoData);
        }
        let form = self.row_form(columns, binary);
        form.columns.iter().try_for_each(|column| form.encoding.encode(&column.name).map(drop))?;
        Ok(Message::Columns(Arc::new(form)))
    }

    pub(super) fn portal_named(&mut self, name: &str) -> SqlResult<&mut Portal> {
        self.portals
            .get_mut(name)
            .ok_or_else(|| SqlError::new(state::INVALID_CURSOR_NAME, format!("portal \"{name}\" does not exist")))
    }

    fn execute(&mut self, world: &World, name: &str, max_rows: u32) -> Step {
        self.begin(world);
        let portal = self.portal_named(name)?;
        let (plan, text) = (Arc::clone(&portal.plan), portal.prepared.text.clone());
        self.show_text(text.as_deref().unwrap_or_default());
        self.check_failed(&plan)?;
        let Some(portal) = self.portals.remove(name) else { return Ok(()) };
        if !name.is_empty() {
            // If it fails it is there until its transaction ends, and cannot be run.
            let failed = Portal { state: PortalState::Finished, ..portal.unrun() };
            self.portals.insert(name.to_owned(), failed);
        }
        let max = if max_rows == 0 { u64::MAX } else { u64::from(max_rows) };
        // DECLARE and EXECUTE compile another statement while they run, and may have to be run again.
        let again = matches!(&plan.kind, PlanKind::Utility(_))
            .then(|| Portal { params: portal.params.clone(), ..portal.unrun() });
        let result = self.run(world, Run::new(portal, AnswerAs::Portal, max));
        if let (Err(Stop::Compile(_)), Some(portal)) = (&result, again) {
            self.portals.insert(name.to_owned(), portal);
        }
        result
    }

    /// Flush wants the replies of what was sent, so collected writes happen now; they are committed at Sync.
    fn flush(&mut self, world: &World) -> Step {
        self.speak();
        if self.batch.is_empty() {
            self.effects.push(Effect::Flush);
            return Ok(());
        }
        self.send_steps(world, Task::fresh(What::Message(Request::Flush)))
    }

    /// What the client will get from a plan; FETCH, SHOW and EXECUTE are known to the session only.
    pub(super) fn columns_of(&self, plan: &Plan) -> Vec<ResultColumn> {
        match &plan.kind {
            PlanKind::Utility(Utility::Fetch { name, is_move: false, .. }) => {
                self.portals.get(name).map(|p| p.form.columns.clone()).unwrap_or_default()
            }
            PlanKind::Utility(Utility::Execute { name, into: None, .. }) => match self.prepared.get(name) {
                // EXECUTE of an EXECUTE cannot be prepared in a circle: the name must exist first.
                Some(prepared) if !is_execute(&prepared.plan) => self.columns_of(&prepared.plan),
                _ => Vec::new(),
            },
            PlanKind::Utility(Utility::Show(name)) => vec![text_column(self.settings.display_name(name))],
            PlanKind::Utility(Utility::ShowAll) => ["name", "setting", "description"].map(text_column).to_vec(),
            _ => plan.columns.clone(),
        }
    }

    /// In a simple query, FETCH from a binary cursor answers in binary.
    pub(super) fn binary_cursor(&self, plan: &Plan) -> Option<Vec<bool>> {
        match &plan.kind {
            PlanKind::Utility(Utility::Fetch { name, is_move: false, .. }) => {
                self.portals.get(name).filter(|p| p.state != PortalState::Fresh).map(|p| p.form.binary.clone())
            }
            _ => None,
        }
    }

    pub(super) fn check_names(&self, count: usize) -> SqlResult<()> {
        if count < self.limits.names {
            return Ok(());
        }
        let message = "too many prepared statements or portals in this session";
        Err(SqlError::new(state::PROGRAM_LIMIT_EXCEEDED, message))
    }
}

pub(super) fn is_execute(plan: &Plan) -> bool {
    matches!(plan.kind, PlanKind::Utility(Utility::Execute { .. }))
}

pub(super) fn duplicate_statement(name: &str) -> SqlError {
    let message = format!("prepared statement \"{name}\" already exists");
    SqlError::new(state::DUPLICATE_PREPARED_STATEMENT, message)
}

/// Errors: 42P18 for a parameter that nothing has given a type.
fn decided(prepared: Arc<Prepared>) -> Result<Arc<Prepared>, Stop> {
    match prepared.plan.params.iter().position(|t| *t == Type::UNSPECIFIED || *t == Type::UNKNOWN) {
        Some(i) => {
            let message = format!("could not determine data type of parameter ${}", i + 1);
            Err(SqlError::new(state::INDETERMINATE_DATATYPE, message).into())
        }
        None => Ok(prepared),
    }
}

/// A query whose rows tell which rows of tables they are made of.
pub(super) struct Positioned(pub Arc<dyn Statement>);

impl Statement for Positioned {
    fn compile(&self, scope: &Scope<'_>) -> SqlResult<Plan> {
        self.0.compile(&Scope { positioned: true, ..scope.clone() })
    }

    fn text(&self) -> &str {
        self.0.text()
    }
}

fn text_column(name: &str) -> ResultColumn {
    ResultColumn { name: name.to_owned(), ty: Type::TEXT, typmod: NO_TYPMOD, table: 0, attnum: 0 }
}

fn check_counts(bind: &Bind, plan: &Plan) -> SqlResult<()> {
    let (given, wanted, formats) = (bind.params.len(), plan.params.len(), bind.param_formats.len());
    let violation = |message| Err(SqlError::new(state::PROTOCOL_VIOLATION, message));
    if formats > 1 && formats != given {
        return violation(format!("bind message has {formats} parameter formats but {given} parameters"));
    }
    if given != wanted {
        return violation(format!(
            "bind message supplies {given} parameters, but prepared statement \"{}\" requires {wanted}",
            bind.statement
        ));
    }
    match bind.param_formats.iter().chain(&bind.result_formats).find(|f| **f != 0 && **f != 1) {
        Some(code) => Err(SqlError::new(state::INVALID_PARAMETER_VALUE, format!("unsupported format code: {code}"))),
        None => Ok(()),
    }
}

fn parameters(bind: &Bind, types: &[Type], env: &Env, encoding: Encoding, now: Option<i64>) -> SqlResult<Vec<Value>> {
    let format = |i: usize| match bind.param_formats.as_slice() {
        [] => 0,
        [one] => *one,
        many => many[i],
    };
    let mut values = Vec::with_capacity(types.len());
    for (i, (bytes, ty)) in bind.params.iter().zip(types).enumerate() {
        values.push(match bytes {
            None => Value::Null,
            Some(bytes) if format(i) == 1 => parse_binary(*ty, NO_TYPMOD, &encoding.decode_binary(*ty, bytes)?, env)?,
            Some(bytes) if encoding.is_stored() => parse_parameter(*ty, utf8(bytes)?, env, now)?,
            Some(bytes) => parse_parameter(*ty, utf8(encoding.decode(bytes)?.as_bytes())?, env, now)?,
        });
    }
    Ok(values)
}

/// Text from the client: UTF-8 without NUL.
pub(super) fn utf8(bytes: &[u8]) -> SqlResult<&str> {
    let invalid = |at: usize| {
        let shown: Vec<_> = bytes[at..].iter().take(1).map(|b| format!("0x{b:02x}")).collect();
        let message = format!("invalid byte sequence for encoding \"UTF8\": {}", shown.join(" "));
        SqlError::new(state::CHARACTER_NOT_IN_REPERTOIRE, message)
    };
    let text = std::str::from_utf8(bytes).map_err(|e| invalid(e.valid_up_to()))?;
    match bytes.iter().position(|b| *b == 0) {
        Some(at) => Err(invalid(at)),
        None => Ok(text),
    }
}
