//! A session's temporary objects: where they are, and what becomes of them at the end of a transaction.
//!
//! [`crate::sql::ddl::temporary`] tells how they live. Here is what only their session knows: that the log has been told of
//! it, which of its tables have an `ON COMMIT`, and how often it has changed what only it sees.

use super::effect::{Ask, World};
use super::portal::Run;
use super::{Session, Step, Stop, Task, Wait, What};
use crate::command::{AdvisoryKey, AdvisoryOrder, Definition};
use crate::error::{SqlError, SqlResult};
use crate::gateway::Told;
use crate::sql;
use crate::sql::catalog::{Relation, is_temporary};
use crate::sql::ddl::{OnCommit, temporary};
use crate::sql::lex::quote_identifier;
use crate::sql::plan::{PlanKind, WritePlan};
use std::borrow::Cow;

pub(super) struct Temporary {
    session: u64,
    schema: String,
    /// The log knows that there will be some.
    registered: bool,
    /// Rises with each definition that only this session can see.
    generation: u64,
    /// Tables with an `ON COMMIT`, by OID. Some may be gone.
    on_commit: Vec<(u32, OnCommit)>,
}

impl Temporary {
    pub fn new(session: u64) -> Temporary {
        let schema = temporary::schema_of(session);
        Temporary { session, schema, registered: false, generation: 0, on_commit: Vec::new() }
    }

    pub fn is_registered(&self) -> bool {
        self.registered
    }

    pub fn schema(&self) -> &str {
        &self.schema
    }

    /// The schemas to search, the own one among them once it may be there.
    pub fn search_path<'p>(&self, listed: &'p [String]) -> Cow<'p, [String]> {
        let own = |name: &String| if name == "pg_temp" { self.schema.clone() } else { name.clone() };
        let foreign = |name: &&String| **name == self.schema || !is_temporary(name);
        if self.registered && !self.is_listed(listed) {
            return std::iter::once(self.schema.clone()).chain(listed.iter().filter(foreign).cloned()).collect();
        }
        match listed.iter().any(|name| name == "pg_temp" || is_temporary(name)) {
            true => listed.iter().map(own).filter(|name| foreign(&name)).collect(),
            false => Cow::Borrowed(listed),
        }
    }

    fn is_listed(&self, listed: &[String]) -> bool {
        listed.iter().any(|name| name == "pg_temp" || *name == self.schema)
    }

    pub fn place(&self, listed: &[String]) -> sql::Temporary<'_> {
        sql::Temporary { schema: &self.schema, leads: self.registered && !self.is_listed(listed) }
    }

    /// How many of its tables have an `ON COMMIT`.
    pub fn mark(&self) -> usize {
        self.on_commit.len()
    }

    /// What was made since is not there.
    pub fn roll_back_to(&mut self, mark: usize) {
        self.on_commit.truncate(mark);
    }

    /// Something is about to be defined.
    pub fn defines(&mut self, write: &WritePlan) {
        self.generation += u64::from(write.ddl == Definition::Private || write.ddl.any() && write.temporary);
        self.on_commit.extend(write.on_commit);
    }
}

impl Session {
    /// A digest of what a translation depends on besides its text and the catalog.
    pub(super) fn scope_digest(&self) -> u128 {
        let Temporary { session, registered, generation, .. } = &self.temporary;
        let own = if *registered { (u128::from(*session) << 64) + u128::from(*generation) } else { 0 };
        self.settings.digest().wrapping_add(own)
    }

    /// Has the log know that there will be temporary objects, before there are.
    pub(super) fn register(&mut self, run: Run) -> Step {
        let key = AdvisoryKey::Temporary(self.id.origin);
        // It does not end with the transaction; but neither with `pg_advisory_unlock_all`.
        let order = AdvisoryOrder::Acquire { key, shared: false, transaction: true, wait: false };
        let request = self.next_request();
        self.ask(Ask::Advisory { request, order }, Wait::Registered(Box::new(run)));
        Ok(())
    }

    pub(super) fn registered(&mut self, run: Run, told: SqlResult<Told>) -> Step {
        match told? {
            Told::Granted { .. } => {
                self.temporary.registered = true;
                self.tasks.push_front(Task::fresh(What::Continue(Box::new(run))));
                Ok(())
            }
            _ => Err(SqlError::internal("a session's own schema is another's").into()),
        }
    }

    /// There are temporary tables to look after when the transaction ends.
    pub(super) fn tidies_up(&self) -> bool {
        !self.temporary.on_commit.is_empty() && self.transaction.as_ref().is_some_and(|t| t.wrote)
    }

    /// Adds to the transaction what `ON COMMIT` says.
    pub(super) fn tidy_up(&mut self, world: &World) -> Step {
        let schema = &self.temporary.schema;
        let is_there = |oid: u32| world.catalog.by_oid(oid).filter(|r| r.schema == *schema);
        let found = self.temporary.on_commit.iter().filter_map(|(oid, action)| Some((is_there(*oid)?, *action)));
        let (mut texts, mut kept, mut dropped) = (Vec::new(), Vec::new(), Vec::new());
        for (table, action) in found {
            let name = name_of(table);
            match action {
                OnCommit::Drop => dropped.push(name),
                OnCommit::DeleteRows => {
                    kept.push((table.oid, action));
                    texts.push(format!("TRUNCATE {name}"));
                }
                OnCommit::Preserve => {}
            }
        }
        if !dropped.is_empty() {
            texts.push(format!("DROP TABLE {} CASCADE", dropped.join(", ")));
        }
        // One that is gone may come back: a savepoint.
        self.temporary.on_commit.retain(|(_, action)| *action == OnCommit::DeleteRows);
        if let Some(t) = &mut self.transaction {
            t.wrote = false;
        }
        texts.iter().try_for_each(|text| self.add_own(world, text))
    }

    pub(super) fn has_temporary(&self, world: &World) -> bool {
        let schema = &self.temporary.schema;
        self.temporary.registered && !self.failed() && world.catalog.relations.values().any(|r| r.schema == *schema)
    }

    /// Adds to the transaction that all temporary objects go.
    pub(super) fn drop_temporary(&mut self, world: &World) -> Step {
        let text = format!("DROP SCHEMA {} CASCADE", quote_identifier(&self.temporary.schema));
        self.temporary.on_commit.clear();
        self.add_own(world, &text)
    }

    /// Collects a statement of which the client does not hear.
    fn add_own(&mut self, world: &World, text: &str) -> Step {
        for statement in self.language.parse(text, &world.allowance)? {
            let prepared = self.prepare(world, &statement, None, &[], false).map_err(Stop::finally)?;
            let PlanKind::Write(write) = &prepared.plan.kind else {
                return Err(SqlError::internal("a write was expected").into());
            };
            self.temporary.defines(write);
            self.collect_unheard(&prepared, Vec::new());
        }
        Ok(())
    }
}

fn name_of(table: &Relation) -> String {
    format!("{}.{}", quote_identifier(&table.schema), quote_identifier(&table.name))
}
