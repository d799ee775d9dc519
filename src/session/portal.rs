//! Prepared statements and portals. A portal is a statement with its parameters; a cursor is a portal too.

use super::effect::{CursorId, KeptRows, RowForm};
use super::explain::Explaining;
use super::language::Statement;
use crate::functions::advisory::Answered;
use crate::sql::plan::{Plan, PlanKind, ResultColumn, Utility};
use crate::types::Type;
use crate::value::Value;
use std::sync::Arc;

/// A statement that was parsed once and may run often.
#[derive(Clone)]
pub(super) struct Prepared {
    /// `None`: the text was empty.
    pub statement: Option<Arc<dyn Statement>>,
    /// The text plans are cached under; `None` for a part of a longer text.
    pub text: Option<Arc<str>>,
    /// As the client declared them; after the first compilation, as it found them: they never change afterwards.
    pub declared: Vec<Type>,
    pub plan: Arc<Plan>,
    /// Digest of the settings the plan was compiled under.
    pub scope: u128,
    /// The client may have been told the columns: they must not change.
    pub pinned: bool,
    /// When it was parsed.
    pub at: i64,
    /// By PREPARE.
    pub from_sql: bool,
}

impl Prepared {
    pub fn columns_differ(&self, plan: &Plan) -> bool {
        self.pinned
            && (self.plan.columns.len() != plan.columns.len()
                || self.plan.columns.iter().zip(&plan.columns).any(|(a, b)| a.ty != b.ty || a.name != b.name))
    }
}

pub(super) struct Portal {
    pub name: String,
    pub prepared: Arc<Prepared>,
    pub plan: Arc<Plan>,
    pub params: Vec<Value>,
    pub form: Arc<RowForm>,
    pub state: PortalState,
    /// Rows before the current position.
    pub position: u64,
    /// WITH HOLD: outlives its transaction.
    pub hold: bool,
    /// Made by DECLARE: may move backward only if it was declared SCROLL.
    pub scroll: bool,
    /// It may begin again, so as to move backward after all.
    pub rewinds: bool,
    /// It was read to its end.
    pub ended: bool,
    /// The rowids of the row that it is on, as [`Portal::places`] has their tables.
    pub place: Option<Vec<Value>>,
    pub serial: u64,
}

#[derive(Debug, PartialEq)]
pub(super) enum PortalState {
    Fresh,
    /// The connection holds the open result.
    Open(CursorId),
    /// The session holds the rows.
    Held(KeptRows),
    /// A read at its end.
    Exhausted,
    /// Not a read, and has run.
    Finished,
}

impl Portal {
    pub fn cursor(&self) -> Option<CursorId> {
        match self.state {
            PortalState::Open(cursor) => Some(cursor),
            _ => None,
        }
    }

    /// The same as it was before it ran, without its parameters.
    pub fn unrun(&self) -> Portal {
        Portal {
            name: self.name.clone(),
            prepared: Arc::clone(&self.prepared),
            plan: Arc::clone(&self.plan),
            params: Vec::new(),
            form: Arc::clone(&self.form),
            state: PortalState::Fresh,
            place: None,
            ..*self
        }
    }

    /// OIDs of the tables whose rowids its rows begin with.
    pub fn places(&self) -> &[u32] {
        match &self.plan.kind {
            PlanKind::Read(read) => &read.places,
            _ => &[],
        }
    }

    pub fn utility(&self) -> Option<&Utility> {
        match &self.plan.kind {
            PlanKind::Utility(u) => Some(u),
            _ => None,
        }
    }
}

/// A portal that is being executed, and how to answer.
pub(super) struct Run {
    pub portal: Portal,
    pub answer: AnswerAs,
    /// Rows asked for; `u64::MAX` for all.
    pub max: u64,
    /// Times it met another schema version.
    pub attempts: u32,
    /// What its calls of advisory locks were answered, and what the client is warned of when the rows come.
    pub answers: Vec<Answered>,
    pub warnings: Vec<String>,
    /// It runs for an EXPLAIN ANALYZE, which is answered in its place.
    pub explaining: Option<Box<Explaining>>,
}

impl Run {
    pub fn new(portal: Portal, answer: AnswerAs, max: u64) -> Run {
        Run { portal, answer, max, attempts: 0, answers: Vec::new(), warnings: Vec::new(), explaining: None }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AnswerAs {
    /// RowDescription first; the portal is gone afterwards.
    Simple,
    /// The portal goes back into its place.
    Portal,
}

/// A form with columns as text, or as the Bind message wants them.
pub(super) fn binaries(columns: &[ResultColumn], formats: &[i16]) -> Vec<bool> {
    (0..columns.len())
        .map(|i| match formats {
            [] => false,
            [one] => *one == 1,
            many => many.get(i) == Some(&1),
        })
        .collect()
}
