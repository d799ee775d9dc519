//! Domains: where a value becomes one of a domain, what that asks of it is looked at.
//!
//! Everywhere else such a value is one of the type that the domain is based on. It is computed once and held while the
//! conditions, which may name it several times, read it.

use super::names::{Clause, Kept};
use super::{Binder, class};
use crate::error::{SqlError, SqlResult};
use crate::sql::catalog::{Relation, Rules};
use crate::sql::ir::{Column, ELEMENT, Node, Op, Typed};
use crate::types::{NO_TYPMOD, Type};
use crate::value::Value;
use serde_json::json;

impl Binder<'_> {
    /// A value as one of a domain, or of an array over one. Of no domain, it stays as it is.
    pub(super) fn in_domain(&mut self, value: Typed, domain: Option<Type>) -> SqlResult<Typed> {
        let Some(domain) = domain.filter(|domain| value.domain() != Some(*domain)) else { return Ok(value) };
        self.note_object(class::TYPE, domain.0);
        let (ty, typmod, at) = (value.ty, value.typmod, value.at);
        let rules = self.scope.catalog.rules_of(domain);
        let inner = if rules.is_empty() || self.faithful { value } else { self.obeying(value, domain, &rules)? };
        Ok(Typed::apply(ty, Op::Domain(domain), vec![inner]).typmod(typmod).at(at))
    }

    fn obeying(&mut self, value: Typed, domain: Type, rules: &Rules) -> SqlResult<Typed> {
        if let Some(Clause::Column(kept)) = self.levels.last().map(|level| level.clause)
            && matches!(kept, Kept::Check | Kept::Generated | Kept::Index | Kept::Predicate)
        {
            return Err(SqlError::unsupported(format!("a domain with conditions in a {}", kept.name())));
        }
        let (ty, typmod) = (value.ty, value.typmod);
        let number = Typed::constant(Type::INT4, Value::Int(self.next_id() as i64));
        let held = Typed::apply(ty, Op::Internal("q_held"), vec![number.clone()]).typmod(typmod);
        let one = match ty.element().filter(|_| domain.is_array()) {
            Some(element) => Typed::new(element, Node::Column(Column::plain(ELEMENT))).typmod(typmod),
            None => held.clone(),
        };
        let mut tests = Vec::with_capacity(rules.checks.len() + 1);
        if rules.not_null {
            tests.push(Typed::test(Op::IsNotNull, vec![one.clone()]));
        }
        let relation = Relation::of_value((one.ty, one.typmod), None);
        for check in &rules.checks {
            let before = self.domain_value.replace(one.clone());
            let test = self.column_expr(Some(&relation), &check.text, Some((Type::BOOL, NO_TYPMOD)), Kept::Domain);
            self.domain_value = before;
            tests.push(test?);
        }
        if domain.is_array() {
            // No array has no elements that could break a rule.
            let none = || Typed::test(Op::IsNull, vec![held.clone()]);
            let all = |test| Typed::test(Op::Quantified { all: true }, vec![test, held.clone()]);
            let all = |test| Typed::test(Op::Or, vec![none(), all(test)]);
            tests = tests.into_iter().map(all).collect();
        }
        let catalog = self.scope.catalog;
        let own = catalog.own_type(domain);
        let names =
            rules.not_null.then_some(None).into_iter().chain(rules.checks.iter().map(|c| Some(c.name.as_str())));
        let element = own.map_or(domain, |own| own.ty());
        let about = json!({
            "schema": own.map_or("", |own| own.schema.as_str()),
            "name": own.map_or("", |own| own.name.as_str()),
            "shown": self.type_name(element),
            "rules": names.collect::<Vec<_>>(),
        });
        let hold = Typed::apply(ty, Op::Internal("q_hold"), vec![number, value]).typmod(typmod);
        let args = [Typed::text(&about.to_string()), hold].into_iter().chain(tests).collect();
        Ok(Typed::apply(ty, Op::Internal("q_domain"), args).typmod(typmod))
    }
}
