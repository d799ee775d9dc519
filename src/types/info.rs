//! What each built-in type is like: the rows of `pg_type` that matter, type names, and type modifiers.
//!
//! Types made by users (enums, domains, rows of tables) are rows of the catalog, not of this table: [`Type::info`] is
//! `None` for them. What everybody needs to know of one is told by its OID: from [`OWN`] on, its upper half byte is the
//! [`Own`] kind, and an odd number is the array over the type before it. So storage, comparison and category are asked
//! here for all types alike, and only names, labels and base types are looked up in the catalog.

use super::{NO_TYPMOD, Storage, Type};
use crate::error::{SqlError, SqlResult, state};
use std::sync::LazyLock;

/// A row of `pg_type`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TypeInfo {
    pub oid: Type,
    /// `pg_type.typname`
    pub name: &'static str,
    /// As `format_type` spells it without a modifier.
    pub sql_name: &'static str,
    /// `typlen`: bytes, or −1 for variable length, −2 for a C string.
    pub len: i16,
    /// `typcategory`
    pub category: char,
    /// `typispreferred`
    pub preferred: bool,
    /// Element type of an array (also of `int2vector` and the like), or `Type(0)`.
    pub elem: Type,
    /// The array over this type, or `Type(0)`.
    pub array: Type,
    pub storage: Storage,
    /// `typtype`: `b`ase or `p`seudo.
    pub kind: char,
}

macro_rules! types {
    ($($oid:ident $array:ident $name:literal $sql:literal $len:literal $category:literal $preferred:literal $storage:ident;)*) => {
        vec![$(
            TypeInfo { oid: Type::$oid, name: $name, sql_name: $sql, len: $len, category: $category,
                preferred: $preferred, elem: Type(0), array: Type::$array, storage: Storage::$storage, kind: 'b' },
            TypeInfo { oid: Type::$array, name: concat!("_", $name), sql_name: concat!($sql, "[]"), len: -1, category: 'A',
                preferred: false, elem: Type::$oid, array: Type(0), storage: Storage::Blob, kind: 'b' },
        )*]
    };
}

fn build() -> Vec<TypeInfo> {
    let mut all = types! {
        BOOL BOOL_ARRAY "bool" "boolean" 1 'B' true Integer;
        BYTEA BYTEA_ARRAY "bytea" "bytea" -1 'U' false Blob;
        CHAR CHAR_ARRAY "char" "\"char\"" 1 'Z' false Text;
        NAME NAME_ARRAY "name" "name" 64 'S' false Text;
        INT8 INT8_ARRAY "int8" "bigint" 8 'N' false Integer;
        INT2 INT2_ARRAY "int2" "smallint" 2 'N' false Integer;
        INT2VECTOR INT2VECTOR_ARRAY "int2vector" "int2vector" -1 'A' false Blob;
        INT4 INT4_ARRAY "int4" "integer" 4 'N' false Integer;
        REGPROC REGPROC_ARRAY "regproc" "regproc" 4 'N' false Integer;
        TEXT TEXT_ARRAY "text" "text" -1 'S' true Text;
        OID OID_ARRAY "oid" "oid" 4 'N' true Integer;
        TID TID_ARRAY "tid" "tid" 6 'U' false Text;
        XID XID_ARRAY "xid" "xid" 4 'U' false Integer;
        XID8 XID8_ARRAY "xid8" "xid8" 8 'U' false Integer;
        CID CID_ARRAY "cid" "cid" 4 'U' false Integer;
        OIDVECTOR OIDVECTOR_ARRAY "oidvector" "oidvector" -1 'A' false Blob;
        JSON JSON_ARRAY "json" "json" -1 'U' false Text;
        JSONPATH JSONPATH_ARRAY "jsonpath" "jsonpath" -1 'U' false Text;
        JSONB JSONB_ARRAY "jsonb" "jsonb" -1 'U' false Text;
        FLOAT4 FLOAT4_ARRAY "float4" "real" 4 'N' false Real;
        FLOAT8 FLOAT8_ARRAY "float8" "double precision" 8 'N' true Real;
        BPCHAR BPCHAR_ARRAY "bpchar" "character" -1 'S' false Text;
        VARCHAR VARCHAR_ARRAY "varchar" "character varying" -1 'S' false Text;
        DATE DATE_ARRAY "date" "date" 4 'D' false Integer;
        TIME TIME_ARRAY "time" "time without time zone" 8 'D' false Integer;
        TIMESTAMP TIMESTAMP_ARRAY "timestamp" "timestamp without time zone" 8 'D' false Integer;
        TIMESTAMPTZ TIMESTAMPTZ_ARRAY "timestamptz" "timestamp with time zone" 8 'D' true Integer;
        INTERVAL INTERVAL_ARRAY "interval" "interval" 16 'T' true Text;
        TIMETZ TIMETZ_ARRAY "timetz" "time with time zone" 12 'D' false Text;
        NUMERIC NUMERIC_ARRAY "numeric" "numeric" -1 'N' false Text;
        REGPROCEDURE REGPROCEDURE_ARRAY "regprocedure" "regprocedure" 4 'N' false Integer;
        REGOPER REGOPER_ARRAY "regoper" "regoper" 4 'N' false Integer;
        REGOPERATOR REGOPERATOR_ARRAY "regoperator" "regoperator" 4 'N' false Integer;
        REGCLASS REGCLASS_ARRAY "regclass" "regclass" 4 'N' false Integer;
        REGTYPE REGTYPE_ARRAY "regtype" "regtype" 4 'N' false Integer;
        REGROLE REGROLE_ARRAY "regrole" "regrole" 4 'N' false Integer;
        REGNAMESPACE REGNAMESPACE_ARRAY "regnamespace" "regnamespace" 4 'N' false Integer;
        UUID UUID_ARRAY "uuid" "uuid" 16 'U' false Blob;
        ACLITEM ACLITEM_ARRAY "aclitem" "aclitem" 12 'U' false Text;
        CSTRING CSTRING_ARRAY "cstring" "cstring" -2 'P' false Text;
        INET INET_ARRAY "inet" "inet" -1 'I' true Blob;
        CIDR CIDR_ARRAY "cidr" "cidr" -1 'I' false Blob;
        MACADDR MACADDR_ARRAY "macaddr" "macaddr" 6 'U' false Blob;
        MACADDR8 MACADDR8_ARRAY "macaddr8" "macaddr8" 8 'U' false Blob;
        MONEY MONEY_ARRAY "money" "money" 8 'N' false Integer;
        BIT BIT_ARRAY "bit" "bit" -1 'V' false Text;
        VARBIT VARBIT_ARRAY "varbit" "bit varying" -1 'V' true Text;
        CITEXT CITEXT_ARRAY "citext" "citext" -1 'S' false Text;
        XML XML_ARRAY "xml" "xml" -1 'U' false Text;
        POINT POINT_ARRAY "point" "point" 16 'G' false Text;
    };
    let pseudo = |oid, name, sql_name, len, category| TypeInfo {
        oid,
        name,
        sql_name,
        len,
        category,
        preferred: false,
        elem: Type(0),
        array: Type(0),
        storage: Storage::Text,
        kind: 'p',
    };
    all.extend([
        pseudo(Type::UNKNOWN, "unknown", "unknown", -2, 'X'),
        pseudo(Type::RECORD, "record", "record", -1, 'P'),
        TypeInfo {
            elem: Type::RECORD,
            storage: Storage::Blob,
            category: 'A',
            ..pseudo(Type::RECORD_ARRAY, "_record", "record[]", -1, 'P')
        },
        pseudo(Type::VOID, "void", "void", 4, 'P'),
        pseudo(Type::ANY, "any", "\"any\"", 4, 'P'),
        pseudo(Type::ANYARRAY, "anyarray", "anyarray", -1, 'P'),
        pseudo(Type::ANYELEMENT, "anyelement", "anyelement", 4, 'P'),
        pseudo(Type::ANYNONARRAY, "anynonarray", "anynonarray", 4, 'P'),
        pseudo(Type::ANYENUM, "anyenum", "anyenum", 4, 'P'),
        pseudo(Type::ANYCOMPATIBLE, "anycompatible", "anycompatible", 4, 'P'),
        pseudo(Type::ANYCOMPATIBLEARRAY, "anycompatiblearray", "anycompatiblearray", -1, 'P'),
        pseudo(Type::INTERNAL, "internal", "internal", 8, 'P'),
        TypeInfo { kind: 'b', ..pseudo(Type::PG_NODE_TREE, "pg_node_tree", "pg_node_tree", -1, 'Z') },
    ]);
    for info in &mut all {
        match info.oid {
            Type::INT2VECTOR => info.elem = Type::INT2,
            Type::OIDVECTOR => info.elem = Type::OID,
            Type::NAME => info.elem = Type::CHAR,
            Type::POINT => info.elem = Type::FLOAT8,
            Type::CSTRING => info.kind = 'p',
            Type::RECORD => (info.storage, info.array) = (Storage::Blob, Type::RECORD_ARRAY),
            _ => {}
        }
    }
    all.sort_by_key(|info| info.oid);
    all
}

static TABLE: LazyLock<Vec<TypeInfo>> = LazyLock::new(build);

/// Where the OIDs of types made by users begin, and where they end.
pub const OWN: std::ops::Range<u32> = 0x4000_0000..0x7000_0000;

/// The kinds of types made by users.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Own {
    /// A value is its place in the declared order, a REAL: SQLite compares it as it is, and a renamed label changes no row.
    /// It becomes its label where the client or a function of texts looks at it.
    Enum,
    Domain,
    /// The row of a relation.
    Row,
}

impl Own {
    const ALL: [Own; 3] = [Own::Enum, Own::Domain, Own::Row];

    /// The type of this kind that takes the number `n`: of an object's OID, or one drawn for it.
    pub fn numbered(self, n: u32) -> Type {
        Type(OWN.start + ((self as u32) << 28) + 2 * n)
    }

    /// The number that a type of this kind, or the array over it, has taken.
    pub fn number(self, oid: u32) -> u32 {
        (oid - self.numbered(0).0) / 2
    }

    /// All OIDs of this kind, arrays included.
    pub fn oids(self) -> std::ops::Range<u32> {
        let start = self.numbered(0).0;
        start..start + (1 << 28)
    }
}

/// SQL spellings that are no `typname` (PostgreSQL documentation, table "Data Types").
const SPELLINGS: &[(&str, Type)] = &[
    ("boolean", Type::BOOL),
    ("smallint", Type::INT2),
    ("integer", Type::INT4),
    ("int", Type::INT4),
    ("bigint", Type::INT8),
    ("real", Type::FLOAT4),
    ("double precision", Type::FLOAT8),
    ("double", Type::FLOAT8),
    ("float", Type::FLOAT8),
    ("decimal", Type::NUMERIC),
    ("dec", Type::NUMERIC),
    ("character varying", Type::VARCHAR),
    ("char varying", Type::VARCHAR),
    ("character", Type::BPCHAR),
    ("char", Type::BPCHAR),
    ("national character varying", Type::VARCHAR),
    ("national character", Type::BPCHAR),
    ("nchar", Type::BPCHAR),
    ("\"char\"", Type::CHAR),
    ("time without time zone", Type::TIME),
    ("time with time zone", Type::TIMETZ),
    ("timestamp without time zone", Type::TIMESTAMP),
    ("timestamp with time zone", Type::TIMESTAMPTZ),
    ("bit varying", Type::VARBIT),
];

/// Every built-in type, by OID.
pub fn all_types() -> &'static [TypeInfo] {
    &TABLE
}

impl Type {
    /// The built-in type's row; `None` for user-defined types and `Type(0)`.
    pub fn info(self) -> Option<&'static TypeInfo> {
        TABLE.binary_search_by_key(&self, |info| info.oid).ok().map(|at| &TABLE[at])
    }

    /// Finds a built-in type by `pg_type.typname` or by its SQL spelling, in lower case, without modifier;
    /// a trailing `[]` makes an array. SQL spellings win: `char` is `char(n)`, as in a parsed statement.
    pub fn by_name(name: &str) -> Option<Type> {
        if let Some(elem) = name.strip_suffix("[]") {
            return Type::by_name(elem.trim_end_matches("[]").trim_end())?.array();
        }
        if let Some((_, ty)) = SPELLINGS.iter().find(|(spelling, _)| *spelling == name) {
            return Some(*ty);
        }
        Type::by_typname(name)
    }

    /// Finds a built-in type by `pg_type.typname` alone (`char` is the internal `"char"`). Those of extensions the catalog
    /// finds.
    pub fn by_typname(name: &str) -> Option<Type> {
        let extension = |ty: Type| matches!(ty, Type::CITEXT | Type::CITEXT_ARRAY);
        TABLE.iter().find(|info| info.name == name).map(|info| info.oid).filter(|ty| !extension(*ty))
    }

    /// The kind of a type made by users, and whether it is an array over such a type.
    pub fn own(self) -> Option<(Own, bool)> {
        let kind = Own::ALL.get((self.0.checked_sub(OWN.start)? >> 28) as usize)?;
        Some((*kind, self.0 % 2 == 1))
    }

    pub fn is_enum(self) -> bool {
        self.own() == Some((Own::Enum, false))
    }

    /// An enum, or an array of one: its values become labels where they are looked at.
    pub fn has_labels(self) -> bool {
        matches!(self.own(), Some((Own::Enum, _)))
    }

    /// The built-in type that SQLite's side of a value is of: functions of ours know no others.
    pub fn representation(self) -> Type {
        match self.own() {
            Some((Own::Enum, false)) => Type::FLOAT8,
            Some((Own::Enum, true)) => Type::FLOAT8_ARRAY,
            _ => self,
        }
    }

    /// `pg_type.typcategory`
    pub fn category(self) -> char {
        match self.own() {
            Some((_, true)) => 'A',
            Some((Own::Enum, _)) => 'E',
            Some((Own::Row, _)) => 'C',
            Some((Own::Domain, _)) => 'U',
            None => self.info().map_or('U', |info| info.category),
        }
    }

    /// `pg_type.typlen`
    pub fn length(self) -> i16 {
        match self.own() {
            Some((Own::Enum, false)) => 4,
            Some(_) => -1,
            None => self.info().map_or(-1, |info| info.len),
        }
    }

    /// The element type of an array type, also of `int2vector` and `oidvector`.
    pub fn element(self) -> Option<Type> {
        if let Some((_, array)) = self.own() {
            return array.then_some(Type(self.0.wrapping_sub(1)));
        }
        let info = self.info()?;
        (info.category == 'A' && info.elem.0 != 0).then_some(info.elem)
    }

    /// The array type over this type.
    pub fn array(self) -> Option<Type> {
        if let Some((_, array)) = self.own() {
            return (!array).then_some(Type(self.0 + 1));
        }
        self.info().map(|info| info.array).filter(|array| array.0 != 0)
    }

    pub fn is_array(self) -> bool {
        self.category() == 'A'
    }

    pub fn is_integer(self) -> bool {
        matches!(self, Type::INT2 | Type::INT4 | Type::INT8)
    }

    pub fn is_float(self) -> bool {
        matches!(self, Type::FLOAT4 | Type::FLOAT8)
    }

    /// Numbers with arithmetic: integers, floats, numeric.
    pub fn is_numeric_like(self) -> bool {
        self.is_integer() || self.is_float() || self == Type::NUMERIC
    }

    /// text, varchar, char(n), name.
    pub fn is_text_like(self) -> bool {
        matches!(self, Type::TEXT | Type::VARCHAR | Type::BPCHAR | Type::NAME)
    }

    pub fn is_datetime(self) -> bool {
        matches!(self, Type::DATE | Type::TIME | Type::TIMETZ | Type::TIMESTAMP | Type::TIMESTAMPTZ)
    }

    /// An OID with a name to it (`regclass` …).
    pub fn is_reg(self) -> bool {
        matches!(
            self,
            Type::REGPROC
                | Type::REGPROCEDURE
                | Type::REGOPER
                | Type::REGOPERATOR
                | Type::REGCLASS
                | Type::REGTYPE
                | Type::REGROLE
                | Type::REGNAMESPACE
        )
    }

    /// An array of those.
    pub fn is_reg_array(self) -> bool {
        matches!(
            self,
            Type::REGPROC_ARRAY
                | Type::REGPROCEDURE_ARRAY
                | Type::REGOPER_ARRAY
                | Type::REGOPERATOR_ARRAY
                | Type::REGCLASS_ARRAY
                | Type::REGTYPE_ARRAY
                | Type::REGROLE_ARRAY
                | Type::REGNAMESPACE_ARRAY
        )
    }

    /// Stands for a set of types in a function's signature.
    pub fn is_polymorphic(self) -> bool {
        matches!(
            self,
            Type::ANYARRAY
                | Type::ANYELEMENT
                | Type::ANYNONARRAY
                | Type::ANYCOMPATIBLE
                | Type::ANYCOMPATIBLEARRAY
                | Type::ANYENUM
        )
    }

    /// How SQLite stores it; a domain is stored as what it is based on, which the catalog knows.
    pub fn storage(self) -> Storage {
        match self.own() {
            Some((_, true)) => Storage::Blob,
            Some((Own::Enum, false)) => Storage::Real,
            _ => self.info().map_or(Storage::Text, |info| info.storage),
        }
    }

    /// A column of the user's may be of it.
    pub fn is_storable(self) -> bool {
        const NOT: [Type; 6] = [Type::XML, Type::POINT, Type::ACLITEM, Type::TID, Type::PG_NODE_TREE, Type::CSTRING];
        let element = self.element().unwrap_or(self);
        match (element.own(), element.info()) {
            (Some((own, _)), _) => own != Own::Row,
            (None, Some(info)) => info.kind == 'b' && !NOT.contains(&element),
            (None, None) => false,
        }
    }

    /// Values are blobs in another order than SQLite's: they compare by what the function [`Type::key`] makes of them.
    pub fn has_key(self) -> bool {
        self.key().is_some()
    }

    pub fn key(self) -> Option<&'static str> {
        match self {
            Type::RECORD => Some("q_record_key"),
            _ => self.is_array().then_some("q_array_key"),
        }
    }

    /// The SQLite collation that orders values of this type; `None` when SQLite's own order is right.
    pub fn collation(self) -> Option<&'static str> {
        match self {
            Type::NUMERIC => Some("pg_numeric"),
            Type::CITEXT => Some("pg_citext"),
            Type::INTERVAL => Some("pg_interval"),
            Type::TIMETZ => Some("pg_timetz"),
            Type::TID => Some("pg_tid"),
            Type::JSONB => Some("pg_jsonb"),
            // SQLite's own: trailing blanks do not count.
            Type::BPCHAR => Some("RTRIM"),
            _ => None,
        }
    }
}

/// Whether columns of this type are declared with its collation, however old their table is, so that SQLite compares them by
/// it by itself. Of jsonb, the first tables are not.
pub fn declares_collation(ty: Type) -> bool {
    matches!(ty, Type::NUMERIC | Type::INTERVAL | Type::TIMETZ | Type::CITEXT)
}

/// A type as Postgres names it in messages (`format_type_be`): SQL spelling, no modifier. A type this table does
/// not know is `???`; its name is in the catalog.
pub fn format_type_plain(ty: Type) -> &'static str {
    ty.info().map_or("???", |info| info.sql_name)
}

/// `format_type(oid, typmod)`: `character varying(20)`, `numeric(10,2)`, `timestamp(3) without time zone`, `integer[]`.
pub fn format_type(ty: Type, typmod: i32) -> String {
    let Some(info) = ty.info() else { return "???".into() };
    if ty.is_array() && !matches!(ty, Type::INT2VECTOR | Type::OIDVECTOR) {
        return format!("{}[]", format_type(info.elem, typmod));
    }
    if typmod == NO_TYPMOD {
        // char(n) without n is `character(1)` in SQL, so "bpchar" is the only name for one without a length.
        // And so is `bit` without n.
        return match ty {
            Type::BPCHAR => "bpchar".into(),
            Type::BIT => "\"bit\"".into(),
            _ => info.sql_name.into(),
        };
    }
    let modifier = typmod_out(ty, typmod);
    match info.sql_name.split_once(' ') {
        Some((head, tail)) if ty.is_datetime() => format!("{head}{modifier} {tail}"),
        _ => format!("{}{modifier}", info.sql_name),
    }
}

/// Bits of an interval's fields in its typmod.
const INTERVAL_FULL_RANGE: i32 = 0x7fff;
const INTERVAL_NO_PRECISION: i32 = 0xffff;
const INTERVAL_RANGES: &[(i32, &str)] = &[
    (1 << 2, " year"),
    (1 << 1, " month"),
    (1 << 3, " day"),
    (1 << 10, " hour"),
    (1 << 11, " minute"),
    (1 << 12, " second"),
    (1 << 2 | 1 << 1, " year to month"),
    (1 << 3 | 1 << 10, " day to hour"),
    (1 << 3 | 1 << 10 | 1 << 11, " day to minute"),
    (1 << 3 | 1 << 10 | 1 << 11 | 1 << 12, " day to second"),
    (1 << 10 | 1 << 11, " hour to minute"),
    (1 << 10 | 1 << 11 | 1 << 12, " hour to second"),
    (1 << 11 | 1 << 12, " minute to second"),
];

/// The modifier as it follows the type's name: `(20)`, `(10,2)`, or nothing.
pub fn typmod_out(ty: Type, typmod: i32) -> String {
    if typmod < 0 {
        return String::new();
    }
    match ty {
        Type::VARCHAR | Type::BPCHAR => format!("({})", typmod - 4),
        Type::NUMERIC => {
            let (precision, scale) = numeric_typmod(typmod);
            format!("({precision},{scale})")
        }
        Type::TIME | Type::TIMETZ | Type::TIMESTAMP | Type::TIMESTAMPTZ | Type::BIT | Type::VARBIT => {
            format!("({typmod})")
        }
        Type::INTERVAL => {
            let (range, precision) = (typmod >> 16 & INTERVAL_FULL_RANGE, typmod & INTERVAL_NO_PRECISION);
            let fields = INTERVAL_RANGES.iter().find(|(bits, _)| *bits == range).map_or("", |(_, name)| name);
            match precision {
                INTERVAL_NO_PRECISION => fields.into(),
                p => format!("{fields}({p})"),
            }
        }
        _ => format!("({typmod})"),
    }
}

/// Precision and scale of a numeric's typmod.
pub(crate) fn numeric_typmod(typmod: i32) -> (i32, i32) {
    let t = typmod - 4;
    (t >> 16 & 0xffff, ((t & 0x7ff) ^ 1024) - 1024)
}

/// Encodes the modifiers written after a type's name.
///
/// Errors: 22023 for values out of range, 42601 for modifiers on a type that has none.
pub fn typmod_in(ty: Type, args: &[i64]) -> SqlResult<i32> {
    let invalid = |text: String| Err(SqlError::new(state::INVALID_PARAMETER_VALUE, text));
    let base = ty.element().filter(|_| ty.is_array()).unwrap_or(ty);
    match (base, args) {
        (_, []) => Ok(NO_TYPMOD),
        (Type::VARCHAR | Type::BPCHAR, [n]) => {
            let name = if base == Type::VARCHAR { "varchar" } else { "char" };
            match *n {
                ..1 => invalid(format!("length for type {name} must be at least 1")),
                10_485_761.. => invalid(format!("length for type {name} cannot exceed 10485760")),
                n => Ok(n as i32 + 4),
            }
        }
        (Type::NUMERIC, [p, rest @ ..]) if rest.len() <= 1 => {
            let scale = rest.first().copied().unwrap_or(0);
            if !(1..=1000).contains(p) {
                return invalid(format!("NUMERIC precision {p} must be between 1 and 1000"));
            }
            if !(-1000..=1000).contains(&scale) {
                return invalid(format!("NUMERIC scale {scale} must be between -1000 and 1000"));
            }
            Ok((((*p as i32) << 16) | (scale as i32 & 0x7ff)) + 4)
        }
        (Type::NUMERIC, _) => invalid("invalid NUMERIC type modifier".into()),
        (Type::TIME | Type::TIMETZ | Type::TIMESTAMP | Type::TIMESTAMPTZ, [p]) => {
            let name = if matches!(base, Type::TIME | Type::TIMETZ) { "TIME" } else { "TIMESTAMP" };
            let zone = if matches!(base, Type::TIMETZ | Type::TIMESTAMPTZ) { " WITH TIME ZONE" } else { "" };
            match *p {
                ..0 => invalid(format!("{name}({p}){zone} precision must not be negative")),
                // Postgres warns and takes the maximum.
                p => Ok(p.min(6) as i32),
            }
        }
        (Type::INTERVAL, [p]) if *p >= 0 => Ok(INTERVAL_FULL_RANGE << 16 | (*p).min(6) as i32),
        (Type::INTERVAL, [range, p]) if *p >= 0 => {
            // Without a precision it is said so; of others six is the most.
            let p = if *p == i64::from(INTERVAL_NO_PRECISION) { INTERVAL_NO_PRECISION } else { (*p).min(6) as i32 };
            Ok((*range as i32 & INTERVAL_FULL_RANGE) << 16 | p)
        }
        (Type::INTERVAL, _) => invalid("invalid INTERVAL type modifier".into()),
        (Type::BIT | Type::VARBIT, [n]) => {
            let name = if base == Type::BIT { "bit" } else { "varbit" };
            match *n {
                ..1 => invalid(format!("length for type {name} must be at least 1")),
                83_886_081.. => invalid(format!("length for type {name} cannot exceed 83886080")),
                n => Ok(n as i32),
            }
        }
        _ => Err(SqlError::syntax(format!("type modifier is not allowed for type \"{}\"", format_type_plain(ty)))),
    }
}

/// The typmod of `INTERVAL <fields>` (`"year to month"`, `"second"` …), with a precision of seconds if there is one.
pub fn interval_typmod(fields: &str, precision: Option<i32>) -> Option<i32> {
    let (bits, _) = INTERVAL_RANGES.iter().find(|(_, name)| name.trim_start() == fields)?;
    Some(bits << 16 | precision.map_or(INTERVAL_NO_PRECISION, |p| p.min(6)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for (name, ty) in [
            ("integer", Type::INT4),
            ("int4", Type::INT4),
            ("character varying", Type::VARCHAR),
            ("timestamptz", Type::TIMESTAMPTZ),
            ("timestamp with time zone", Type::TIMESTAMPTZ),
            ("_text", Type::TEXT_ARRAY),
            ("text[]", Type::TEXT_ARRAY),
            ("char", Type::BPCHAR),
        ] {
            assert_eq!(Type::by_name(name), Some(ty), "{name}");
        }
        assert_eq!(Type::by_name("serial"), None);
        assert_eq!(Type::by_typname("char"), Some(Type::CHAR));
        assert!(TABLE.windows(2).all(|w| w[0].oid < w[1].oid), "OIDs are unique");
    }

    #[test]
    fn formats() {
        for (ty, args, text) in [
            (Type::VARCHAR, &[20][..], "character varying(20)"),
            (Type::NUMERIC, &[10, 2], "numeric(10,2)"),
            (Type::NUMERIC, &[3, -2], "numeric(3,-2)"),
            (Type::TIMESTAMP, &[3], "timestamp(3) without time zone"),
            (Type::TIMESTAMPTZ, &[], "timestamp with time zone"),
            (Type::INT4_ARRAY, &[], "integer[]"),
            (Type::VARCHAR_ARRAY, &[5], "character varying(5)[]"),
            (Type::BPCHAR, &[3], "character(3)"),
            (Type::BPCHAR, &[], "bpchar"),
            (Type::BIT, &[], "\"bit\""),
            (Type::VARBIT, &[3], "bit varying(3)"),
            (Type::INTERVAL, &[3], "interval(3)"),
            (Type::OIDVECTOR, &[], "oidvector"),
        ] {
            assert_eq!(format_type(ty, typmod_in(ty, args).unwrap()), text);
        }
        assert_eq!(
            format_type(Type::INTERVAL, interval_typmod("day to second", Some(2)).unwrap()),
            "interval day to second(2)"
        );
        assert!(typmod_in(Type::INT4, &[4]).is_err());
    }
}
