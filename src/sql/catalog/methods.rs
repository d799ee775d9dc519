//! Access methods of indexes and their operator classes, as PostgreSQL 15 has them (`opclasses.tsv`: OID, access method,
//! name, type, whether it is the type's default, type of what is stored; written from `pg_opclass`).
//!
//! SQLite has B-trees alone. A hash index is one, too; the others are kept in the catalog as they were written.

use crate::types::Type;
use std::sync::LazyLock;

pub const BTREE: u32 = 403;
pub const HASH: u32 = 405;
const GIN: u32 = 2742;

const METHODS: [(&str, u32); 6] =
    [("btree", BTREE), ("hash", HASH), ("gist", 783), ("gin", GIN), ("spgist", 4000), ("brin", 3580)];

/// An operator class.
#[derive(Clone, Copy, Debug)]
pub struct OperatorClass {
    pub oid: u32,
    pub method: u32,
    pub name: &'static str,
    pub ty: Type,
    pub default: bool,
    /// The type of what the index stores, if that is another one than the key's.
    pub key: Type,
}

static CLASSES: LazyLock<Vec<OperatorClass>> = LazyLock::new(|| {
    let lines = include_str!("opclasses.tsv").lines();
    lines
        .filter_map(|line| {
            let mut fields = line.split('\t');
            let mut number = || fields.next()?.parse::<u32>().ok();
            let (oid, method) = (number()?, number()?);
            let name = fields.next()?;
            let ty = Type(fields.next()?.parse().ok()?);
            let default = fields.next()? == "t";
            let key = Type(fields.next()?.parse().ok()?);
            Some(OperatorClass { oid, method, name, ty, default, key })
        })
        .collect()
});

/// The access method of a name.
pub fn method(name: &str) -> Option<u32> {
    METHODS.iter().find(|(known, _)| *known == name).map(|(_, oid)| *oid)
}

pub fn method_name(oid: u32) -> &'static str {
    METHODS.iter().find(|(_, known)| *known == oid).map_or("btree", |(name, _)| name)
}

/// Its indexes are such in SQLite, too.
pub fn is_physical(method: u32) -> bool {
    matches!(method, BTREE | HASH)
}

pub fn class(oid: u32) -> Option<&'static OperatorClass> {
    CLASSES.iter().find(|class| class.oid == oid)
}

/// The operator class of a name that takes a type.
pub fn named_class(method: u32, name: &str, ty: Type) -> Option<&'static OperatorClass> {
    let named = || CLASSES.iter().filter(|class| class.method == method && class.name == name);
    named().find(|class| takes(class, ty)).or_else(|| named().find(|_| ty == Type::UNKNOWN))
}

/// Whether a method has an operator class of that name at all.
pub fn has_class(method: u32, name: &str) -> bool {
    CLASSES.iter().any(|class| class.method == method && class.name == name)
}

/// The operator class that an index of a type has where none is named.
pub fn default_class(method: u32, ty: Type) -> Option<&'static OperatorClass> {
    let default = |wanted: Type| CLASSES.iter().find(|c| c.method == method && c.default && c.ty == wanted);
    default(ty).or_else(|| CLASSES.iter().find(|c| c.method == method && c.default && takes(c, ty)))
}

fn takes(class: &OperatorClass, ty: Type) -> bool {
    class.ty == ty
        || class.ty == Type::TEXT && matches!(ty, Type::VARCHAR | Type::CITEXT)
        || class.ty == Type::ANYARRAY && ty.is_array()
        || class.ty == Type::ANYENUM && ty.is_enum()
        || class.ty == Type::OID && ty.is_reg()
        || class.ty == Type::INET && ty == Type::CIDR
}
