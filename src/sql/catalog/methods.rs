//! Access methods of indexes and their operator classes, as PostgreSQL 15 has them (`opclasses.tsv`: OID, access method,
//! name, type, whether it is the type's default, type of what is stored; written from `pg_opclass`), and those that extensions
//! bring (`extension_opclasses.tsv`: the extension, and the same without OIDs, which are ours by their place: a new one comes last).
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
    /// It is there when this extension is; the empty name: always.
    pub extension: &'static str,
}

/// The OID of the first of them that comes with an extension.
const FIRST_OF_EXTENSIONS: u32 = 0x3fff_0100;

static CLASSES: LazyLock<Vec<OperatorClass>> = LazyLock::new(|| {
    let built_in = include_str!("opclasses.tsv").lines().filter_map(|line| {
        let (oid, rest) = line.split_once('\t')?;
        read_class(oid.parse().ok()?, "", rest)
    });
    let extended = (FIRST_OF_EXTENSIONS..).zip(include_str!("extension_opclasses.tsv").lines());
    let extended = extended.filter_map(|(oid, line)| {
        let (extension, rest) = line.split_once('\t')?;
        read_class(oid, extension, rest)
    });
    built_in.chain(extended).collect()
});

fn read_class(oid: u32, extension: &'static str, line: &'static str) -> Option<OperatorClass> {
    let mut fields = line.split('\t');
    let method = fields.next()?.parse().ok()?;
    let name = fields.next()?;
    let ty = Type(fields.next()?.parse().ok()?);
    let default = fields.next()? == "t";
    let key = Type(fields.next()?.parse().ok()?);
    Some(OperatorClass { oid, method, name, ty, default, key, extension })
}

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

/// The operator classes that an extension brings.
pub fn classes_of(extension: &str) -> impl Iterator<Item = &'static OperatorClass> {
    CLASSES.iter().filter(move |class| !extension.is_empty() && class.extension == extension)
}

/// The operator class of a name that takes a type. `there` tells which extensions there are.
pub fn named_class(method: u32, name: &str, ty: Type, there: impl Fn(&str) -> bool) -> Option<&'static OperatorClass> {
    let named = || CLASSES.iter().filter(|c| c.method == method && c.name == name && c.is_there(&there));
    named().find(|class| takes(class, ty)).or_else(|| named().find(|_| ty == Type::UNKNOWN))
}

/// Whether a method has an operator class of that name at all.
pub fn has_class(method: u32, name: &str, there: impl Fn(&str) -> bool) -> bool {
    CLASSES.iter().any(|class| class.method == method && class.name == name && class.is_there(&there))
}

/// The operator class that an index of a type has where none is named, unless an extension brings one.
pub fn default_class(method: u32, ty: Type) -> Option<&'static OperatorClass> {
    default_among(method, ty, |class| class.extension.is_empty())
}

/// That which an extension brings.
pub fn extended_default(method: u32, ty: Type, there: impl Fn(&str) -> bool) -> Option<&'static OperatorClass> {
    default_among(method, ty, |class| !class.extension.is_empty() && class.is_there(&there))
}

fn default_among(method: u32, ty: Type, among: impl Fn(&OperatorClass) -> bool) -> Option<&'static OperatorClass> {
    let default = || CLASSES.iter().filter(|c| c.method == method && c.default && among(c));
    default().find(|c| c.ty == ty).or_else(|| default().find(|c| takes(c, ty)))
}

impl OperatorClass {
    /// An index has it without anybody saying so, and without an extension.
    pub fn is_built_in_default(&self) -> bool {
        self.default && self.extension.is_empty()
    }

    fn is_there(&self, there: &impl Fn(&str) -> bool) -> bool {
        self.extension.is_empty() || there(self.extension)
    }
}

fn takes(class: &OperatorClass, ty: Type) -> bool {
    class.ty == ty
        || class.ty == Type::TEXT && matches!(ty, Type::VARCHAR | Type::CITEXT)
        || class.ty == Type::ANYARRAY && ty.is_array()
        || class.ty == Type::ANYENUM && ty.is_enum()
        || class.ty == Type::OID && ty.is_reg()
        || class.ty == Type::INET && ty == Type::CIDR
}
