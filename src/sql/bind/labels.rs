//! Enums in expressions. What is stored and compared is a label's place in the declared order; literals and parameters
//! become places, and places become labels again where a client or a function of texts looks at them.
//!
//! A parameter of an enum is its label as the client sends it, an array of them an array of labels.

use super::coerce::cast_context;
use super::{Binder, class};
use crate::error::{SqlError, SqlResult, state};
use crate::functions::enums::no_label;
use crate::functions::{CastContext, Function};
use crate::sql::catalog::{Label, OwnType};
use crate::sql::ir::{Node, Op, Typed};
use crate::types::text::parse_text;
use crate::types::{NO_TYPMOD, Type, array};
use crate::value::Value;
use std::sync::Arc;

/// TEXT, or an array of it where `ty` is an array.
fn text_like(ty: Type) -> Type {
    if ty.is_array() { Type::TEXT_ARRAY } else { Type::TEXT }
}

/// The type that the labels of a type are of; others stay as they are.
pub(super) fn labels_as_text(ty: Type) -> Type {
    if ty.has_labels() { text_like(ty) } else { ty }
}

impl Binder<'_> {
    /// The client's parameter `$n` of a type.
    pub(super) fn param(&self, n: usize, ty: Type) -> Typed {
        self.place(Typed::new(ty, Node::Param(n)), ty)
    }

    /// A value as the client sees it.
    pub(super) fn to_client(&self, expr: Typed) -> Typed {
        let ty = expr.ty;
        self.label(expr, ty)
    }

    fn own(&self, ty: Type) -> Option<Arc<OwnType>> {
        self.scope.catalog.own_type(ty).filter(|_| ty.has_labels()).cloned()
    }

    /// The labels of places, under another type. What is of no enum stays as it is.
    fn label(&self, expr: Typed, ty: Type) -> Typed {
        let Some(own) = self.own(expr.ty) else { return expr };
        let at = expr.at;
        match &expr.node {
            Node::Const(Value::Real(place)) if !self.faithful => {
                let label = own.labels.iter().find(|label| label.order == *place);
                Typed::constant(ty, label.map_or(Value::Null, |label| Value::Text(label.name.clone()))).at(at)
            }
            Node::Const(Value::Null) => Typed::null(ty).at(at),
            _ => Typed::apply(ty, Op::Labels(own), vec![expr]).at(at),
        }
    }

    /// The places of labels.
    pub(super) fn place(&self, expr: Typed, ty: Type) -> Typed {
        let Some(own) = self.own(ty) else { return expr };
        self.note_object(class::TYPE, ty.0);
        let at = expr.at;
        Typed::apply(ty, Op::Places(own), vec![expr]).at(at)
    }

    /// Errors: 55P04 for a label that the transaction under way has added to a type that was there before it.
    fn check_committed(&self, own: &OwnType, label: &Label) -> SqlResult<()> {
        match self.scope.defined_from {
            Some(first) if label.oid >= first && own.labels.iter().any(|other| other.oid < first) => {
                let (name, label) = (self.type_name(own.ty()), &label.name);
                let text = format!("unsafe use of new value \"{label}\" of enum type {name}");
                let hint = "New enum values must be committed before they can be used.";
                Err(SqlError::new(state::UNSAFE_NEW_ENUM_VALUE, text).hint(hint))
            }
            _ => Ok(()),
        }
    }

    /// A literal as a value of an enum, or an array of one.
    pub(super) fn parse_labels(&self, text: &str, ty: Type) -> SqlResult<Typed> {
        let Some(own) = self.own(ty) else { return Ok(Typed::null(ty)) };
        self.note_object(class::TYPE, ty.0);
        let place = |text: &str| match own.label(text) {
            Some(label) => {
                self.check_committed(&own, label)?;
                Ok(Value::Real(label.order))
            }
            None => Err(no_label(&self.type_name(own.ty()), text)),
        };
        if !ty.is_array() {
            return Ok(Typed::constant(ty, place(text)?));
        }
        let Value::Blob(labels) = parse_text(Type::TEXT_ARRAY, NO_TYPMOD, text, self.scope.env)? else {
            return Ok(Typed::null(ty));
        };
        let labels = array::Array::read(&labels)?;
        let places = labels.values()?.into_iter().map(|label| match label {
            Value::Text(label) => place(&label),
            other => Ok(other),
        });
        let places = places.collect::<SqlResult<Vec<_>>>()?;
        let stored = array::build_with_dims(Type::FLOAT8, &labels.dims, &places)?;
        Ok(Typed::constant(ty, Value::Blob(stored)))
    }

    /// To and from texts; there is no other way.
    pub(super) fn convert_labels(
        &mut self,
        expr: Typed,
        to: Type,
        typmod: i32,
        context: CastContext,
    ) -> SqlResult<Option<Typed>> {
        let from = expr.ty;
        if cast_context(from, to).is_none_or(|needs| needs > context) || from.has_labels() && to.has_labels() {
            return Ok(None);
        }
        if from.has_labels() {
            let text = self.label(expr, text_like(from));
            return self.try_coerce(text, to, typmod, context);
        }
        let text = self.try_coerce(expr, text_like(to), NO_TYPMOD, CastContext::Explicit)?;
        Ok(text.map(|text| self.place(text, to)))
    }

    /// Functions that look at their arguments' texts see labels; those that ask for the labels of a type are told them.
    pub(super) fn with_labels(
        &self,
        function: &'static Function,
        mut args: Vec<Typed>,
        result: Type,
    ) -> SqlResult<Vec<Typed>> {
        if matches!(function.result, Type::TEXT | Type::JSON | Type::JSONB) {
            return Ok(args.into_iter().map(|arg| self.label(arg.clone(), text_like(arg.ty))).collect());
        }
        if !matches!(function.name, "enum_first" | "enum_last" | "enum_range") {
            return Ok(args);
        }
        let Some(own) = self.own(result) else { return Ok(args) };
        let told = match function.name {
            "enum_first" => &own.labels[..own.labels.len().min(1)],
            "enum_last" => &own.labels[own.labels.len().saturating_sub(1)..],
            _ => &own.labels[..],
        };
        told.iter().try_for_each(|label| self.check_committed(&own, label))?;
        let places: Vec<Value> = own.labels.iter().map(|label| Value::Real(label.order)).collect();
        let value = match function.name {
            "enum_first" => places.first().cloned().unwrap_or(Value::Null),
            "enum_last" => places.last().cloned().unwrap_or(Value::Null),
            _ => Value::Blob(array::build(Type::FLOAT8, &places)?),
        };
        args.push(Typed::constant(result, value));
        Ok(args)
    }
}
