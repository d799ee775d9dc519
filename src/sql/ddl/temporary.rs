//! Temporary objects: tables, views, sequences and indexes that only their session sees, and that go with it.
//!
//! They are part of the replicated database, in a schema of the session's own (`pg_temp_` and the session's number). So a
//! block that joins them with ordinary tables, copies between them, rolls back to a savepoint or loses its leader is like any
//! other: every replica has what the statement reads. A file beside the session could not be read by the others, and a write
//! that reads it would have to carry its rows. The price is that what is put into them travels through the log.
//!
//! - *Names.* The schema is first in the search path unless `pg_temp` is listed there; nothing is created in it because of
//!   that. What another session has cannot be named.
//! - *Others are left alone.* A definition that concerns nobody else is [`Definition::Private`]: plans and blocks of others
//!   remain good under the new version of the schema (see [`crate::command::schema`]). So that two sessions may define
//!   something at the same time, OIDs are not counted but drawn, from numbers of which others know nothing.
//! - *ON COMMIT* is the session's business, as in PostgreSQL's backends: it adds the statement to the transaction.
//! - *The end.* Before its first temporary object a session notes in the log that it will have some
//!   ([`AdvisoryKey::Temporary`]), under the lease that its advisory locks have. When it is over, or its node is lost, the
//!   note goes, and nothing of that session is taken any more; then the leader drops every such schema without a note.
//!
//! [`Definition::Private`]: crate::command::Definition::Private
//! [`AdvisoryKey::Temporary`]: crate::command::AdvisoryKey::Temporary

use super::Scope;
use crate::command::{Step, Write};
use crate::error::SqlResult;
use crate::rights::BOOTSTRAP;
use crate::sql::catalog::{Catalog, Relation, is_temporary};
use crate::sql::cursor::Name;
use crate::sql::plan::PlanKind;
use crate::types::Env;
use std::collections::BTreeSet;
use std::sync::Arc;
use xxhash_rust::xxh3::xxh3_64;

/// OIDs of temporary objects: below those that the row type of a relation can be numbered by.
const OIDS: std::ops::Range<u32> = (1 << 26)..(1 << 27);

/// The schema of a session.
pub fn schema_of(session: u64) -> String {
    format!("pg_temp_{session}")
}

/// The session of a schema.
pub fn session_of(schema: &str) -> Option<u64> {
    schema.strip_prefix("pg_temp_")?.parse().ok()
}

/// Numbers that nothing in the catalog has; likely ones that nobody else is about to take either.
pub(super) struct Oids {
    taken: BTreeSet<u32>,
    next: u64,
}

impl Oids {
    pub fn new(catalog: &Catalog, schema: &str) -> Oids {
        let relations = || catalog.oids.range(OIDS).filter_map(|(oid, _)| catalog.by_oid(*oid));
        let parts = |r: &Arc<Relation>| r.constraints.iter().map(|c| c.oid).chain([r.oid]).collect::<Vec<_>>();
        let taken = relations().flat_map(parts).chain(catalog.schemas.values().copied()).collect();
        // In the order in which they are made, as far as their session has any.
        let last = relations().filter(|r| r.schema == schema).flat_map(parts).max();
        let start = || xxh3_64(format!("{schema} {}", catalog.version).as_bytes());
        Oids { taken, next: last.map_or_else(start, |oid| u64::from(oid - OIDS.start) + 1) }
    }

    pub fn draw(&mut self) -> u32 {
        loop {
            let oid = OIDS.start + (self.next % u64::from(OIDS.end - OIDS.start)) as u32;
            self.next = self.next.wrapping_add(1);
            if self.taken.insert(oid) {
                return oid;
            }
        }
    }
}

/// The write that drops everything that is left of sessions that are over; `None` if nothing is.
pub fn sweep(catalog: &Catalog, is_over: &dyn Fn(u64) -> bool) -> SqlResult<Option<Write>> {
    let left = catalog.schemas.keys().filter(|schema| is_temporary(schema));
    let names: Vec<Name> = left
        .filter(|schema| session_of(schema).is_some_and(is_over))
        .map(|schema| Name { schema: None, name: schema.clone(), position: 0 })
        .collect();
    if names.is_empty() {
        return Ok(None);
    }
    let (env, user) = (Env::default(), catalog.rights.roles.name(BOOTSTRAP));
    let scope = Scope::plain(catalog, &[], &env, &user, "");
    let drop = super::Ddl::Drop {
        what: super::grammar::Object::Schema,
        if_exists: true,
        names,
        cascade: true,
        concurrently: false,
    };
    let PlanKind::Write(plan) = super::compile(&drop, &scope)?.kind else { return Ok(None) };
    let step = Step { statements: plan.statements, params: vec![Vec::new()], ddl: plan.ddl, ..Step::default() };
    Ok(Some(Write { schema_version: catalog.version, born: 0, env, steps: vec![step], transaction: None }))
}
