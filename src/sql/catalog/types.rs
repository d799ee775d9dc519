//! The types that users have made, by name and by OID.

use super::Catalog;
use crate::sql::lex::quote_identifier;
use crate::types::{Type, format_type, format_type_plain};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// A type of one's own, with the array over it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OwnType {
    pub oid: u32,
    pub schema: String,
    pub name: String,
    /// The name of the array over it.
    pub array: String,
    /// Of an enum, in its order.
    pub labels: Vec<Label>,
    /// What it is based on, if it is a domain.
    pub domain: Option<Domain>,
}

/// What a domain's values are, and what they have to meet. They are stored and compared as those of the type it is based on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Domain {
    /// May be a domain as well.
    pub base: Type,
    pub typmod: i32,
    pub not_null: bool,
    /// Postgres SQL text.
    pub default: Option<String>,
    pub checks: Vec<DomainCheck>,
}

/// A condition on VALUE.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DomainCheck {
    pub oid: u32,
    pub name: String,
    /// Postgres SQL text.
    pub text: String,
    /// Values that were there before it met it, too.
    pub validated: bool,
}

/// All that a domain asks of a value, its own domains' conditions first.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    pub not_null: bool,
    pub checks: Vec<DomainCheck>,
}

impl Rules {
    pub fn is_empty(&self) -> bool {
        !self.not_null && self.checks.is_empty()
    }
}

/// A value of an enum.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Label {
    pub oid: u32,
    /// `enumsortorder`: what is stored for it.
    pub order: f64,
    pub name: String,
}

impl OwnType {
    pub fn ty(&self) -> Type {
        Type(self.oid)
    }

    pub fn label(&self, name: &str) -> Option<&Label> {
        self.labels.iter().find(|label| label.name == name)
    }

    /// Its labels as functions of ours read them: a JSON array of pairs of order and name.
    pub fn labels_text(&self) -> String {
        let pairs: Vec<(f64, &str)> = self.labels.iter().map(|label| (label.order, label.name.as_str())).collect();
        serde_json::to_string(&pairs).unwrap_or_default()
    }
}

impl Catalog {
    /// The type of one's own that a type is, or is an array over.
    pub fn own_type(&self, ty: Type) -> Option<&Arc<OwnType>> {
        let (_, array) = ty.own()?;
        self.types.get(&if array { ty.0 - 1 } else { ty.0 })
    }

    /// The domain that a type is, or is an array over.
    pub fn domain(&self, ty: Type) -> Option<&Domain> {
        self.own_type(ty)?.domain.as_ref()
    }

    /// What values of a type are stored and compared as: of a domain, or an array over one, the type below all domains.
    pub fn base_of(&self, ty: Type, typmod: i32) -> (Type, i32) {
        let Some(domain) = self.domain(ty) else { return (ty, typmod) };
        let (base, below) = self.base_of(domain.base, domain.typmod);
        match ty.is_array() {
            true => (base.array().unwrap_or(base), below),
            false => (base, below),
        }
    }

    /// What a domain, or an array over one for its elements, asks of values.
    pub fn rules_of(&self, ty: Type) -> Rules {
        let Some(domain) = self.domain(ty) else { return Rules::default() };
        let mut rules = self.rules_of(domain.base);
        rules.not_null |= domain.not_null;
        let mut checks = domain.checks.clone();
        checks.sort_by(|a, b| a.name.cmp(&b.name));
        rules.checks.extend(checks);
        rules
    }

    /// The type of one's own of this name in a schema; arrays have names, too.
    pub fn type_in(&self, schema: &str, name: &str) -> Option<Type> {
        if schema == "public" && self.extensions.contains_key("citext") {
            match name {
                "citext" => return Some(Type::CITEXT),
                "_citext" => return Some(Type::CITEXT_ARRAY),
                _ => {}
            }
        }
        self.types.values().filter(|own| own.schema == schema).find_map(|own| match name {
            _ if own.name == name => Some(own.ty()),
            _ if own.array == name => own.ty().array(),
            _ => None,
        })
    }

    /// The type of one's own that an unqualified or qualified name means, along `search_path`.
    pub fn resolve_type(&self, search_path: &[String], schema: Option<&str>, name: &str) -> Option<Type> {
        match schema {
            Some(schema) => self.type_in(schema, name),
            None => search_path.iter().find_map(|schema| self.type_in(schema, name)),
        }
    }

    /// A type as PostgreSQL names it in messages: qualified where its name alone would not find it.
    pub fn type_name(&self, search_path: &[String], ty: Type) -> String {
        match self.own_type(ty) {
            Some(own) => self.own_name(search_path, own) + if ty.is_array() { "[]" } else { "" },
            None => format_type_plain(ty).to_owned(),
        }
    }

    /// As [`Self::type_name`], with its modifier.
    pub fn format_type(&self, search_path: &[String], ty: Type, typmod: i32) -> String {
        match self.own_type(ty) {
            Some(_) => self.type_name(search_path, ty),
            None => format_type(ty, typmod),
        }
    }

    fn own_name(&self, search_path: &[String], own: &OwnType) -> String {
        let name = quote_identifier(&own.name);
        match self.resolve_type(search_path, None, &own.name) {
            Some(found) if found.0 == own.oid => name,
            _ => format!("{}.{name}", quote_identifier(&own.schema)),
        }
    }
}
