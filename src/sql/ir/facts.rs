//! What a statement asks of whoever runs it: found by one walk over its tree, and carried with its plan.

use super::expr::{Node, Op, Typed};
use super::query::{FromItem, Query, System};
use super::walk::Part;
use super::write::Write;
use crate::functions::session::CURSORS;
use crate::functions::{asks_of, asks_of_operator};
use crate::sql::catalog::sqlite_name;
use crate::sql::plan::Facts;
use crate::sql::system;
use crate::value::Value;
use std::collections::BTreeSet;

impl Query {
    /// `hoisted`: the relations of the catalog that stand in front of the statement.
    pub fn facts(&self, hoisted: &[System]) -> Facts {
        let mut facts = Facts { ordered: !self.order.is_empty(), ..Facts::default() };
        let (mut tables, mut known) = (BTreeSet::new(), BTreeSet::new());
        self.parts(&mut |part| {
            facts.note(part);
            match part {
                Part::From(FromItem::Table { name, .. }) => drop(tables.insert(name.as_str())),
                Part::Query(query) => known.extend(query.with.iter().map(|cte| cte.name.as_str())),
                _ => {}
            }
        });
        let hoists = |name: &&str| {
            let named = |System(relation): &System| sqlite_name(&relation.schema, &relation.name) == **name;
            hoisted.iter().any(named)
        };
        facts.stored = tables.difference(&known).any(|name| !hoists(name));
        facts.relations(hoisted);
        facts
    }
}

impl Write {
    /// See [`Query::facts`].
    pub fn facts(&self, hoisted: &[System]) -> Facts {
        let mut facts = Facts::default();
        self.parts(&mut |part| facts.note(part));
        facts.relations(hoisted);
        facts
    }
}

impl Typed {
    /// See [`Query::facts`].
    pub fn facts(&self, hoisted: &[System]) -> Facts {
        let mut facts = Facts::default();
        self.parts(&mut |part| facts.note(part));
        facts.relations(hoisted);
        facts
    }
}

impl Facts {
    fn note(&mut self, part: Part<'_>) {
        if let Part::Expr(Typed { node: Node::Apply(Op::Internal("q_current_of"), _), .. }) = part {
            self.asks.setting(CURSORS);
        }
        if let Part::Expr(Typed { node: Node::Apply(Op::Operator(infix), _), .. }) = part {
            asks_of_operator(infix.operator).into_iter().for_each(|asks| self.asks.add(asks));
        }
        let Part::Expr(Typed { node: Node::Apply(Op::Function(function), args), .. }) = part else { return };
        match (function.name, args.first().map(|arg| &arg.node)) {
            ("nextval", _) => self.sequence_call = Some("nextval()"),
            ("setval", _) => self.sequence_call = self.sequence_call.or(Some("setval()")),
            ("pg_notify", _) => {
                self.notifies = true;
                asks_of(function).into_iter().for_each(|asks| self.asks.add(asks));
            }
            // One setting, whose name is known.
            ("current_setting", Some(Node::Const(Value::Text(name)) | Node::Text(name))) => self.asks.setting(name),
            _ => asks_of(function).into_iter().for_each(|asks| self.asks.add(asks)),
        }
    }

    fn relations(&mut self, hoisted: &[System]) {
        let asks = hoisted.iter().filter_map(|System(relation)| system::asks(relation.oid));
        asks.for_each(|asks| self.asks.add(asks));
    }
}
