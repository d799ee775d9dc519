//! Postgres types: identity, representation in SQLite, and text and binary forms.
//!
//! A type is its OID ([`Type`]); what the type is like is a row of a static table ([`TypeInfo`]). Storage:
//!
//! | Postgres | SQLite | representation |
//! |---|---|---|
//! | bool | INTEGER | 0 / 1 |
//! | int2, int4, int8, oid, reg* | INTEGER | the number |
//! | float4, float8 | REAL | NaN is stored as TEXT 'NaN' (SQLite would turn it into NULL) |
//! | citext | TEXT | as it was written, collation `pg_citext` |
//! | numeric | TEXT | canonical decimal with display scale, collation `pg_numeric`; 'NaN', 'Infinity', '-Infinity' |
//! | text, varchar, name, "char" | TEXT | as is |
//! | bpchar | TEXT | trailing blanks cut where the length is known, and padded when it is looked at; collation RTRIM |
//! | bytea | BLOB | as is |
//! | uuid | BLOB | 16 bytes |
//! | inet, cidr | BLOB | family, bits of the network, bits of the host, in the order of addresses, see [`network`] |
//! | macaddr, macaddr8 | BLOB | 6 or 8 bytes |
//! | bit, bit varying | TEXT | zeros and ones |
//! | date | INTEGER | days since 2000-01-01; infinities are i32 extremes |
//! | time | INTEGER | µs since midnight |
//! | timestamp, timestamptz | INTEGER | µs since 2000-01-01 (UTC); infinities are i64 extremes |
//! | interval | TEXT | 'months\|days\|µs', collation `pg_interval` |
//! | timetz | TEXT | 'µs\|seconds east of UTC', collation `pg_timetz` |
//! | json | TEXT | as given |
//! | jsonb | TEXT | canonical: keys sorted by length then bytes, duplicates removed, numbers kept exact; collation `pg_jsonb` |
//! | arrays | BLOB | PostgreSQL's binary array format; they compare by what `q_array_key` makes of them |
//! | enums | REAL | the label's place in the declared order; arrays of them as arrays of float8 |
//! | jsonpath | TEXT | as PostgreSQL prints it |
//! | tid | TEXT | `(block,offset)`, collation `pg_tid`; of a row, made of its rowid |
//! | record | BLOB | names, types and values of its fields, see [`record`]; they compare by what `q_record_key` makes of them |
//! | unknown | TEXT | the literal |

pub mod array;
pub mod binary;
pub mod bits;
pub mod datetime;
pub mod encoding;
pub mod from_char;
mod info;
pub mod interval;
pub mod json;
pub mod jsonpath;
pub mod money;
pub mod network;
pub mod numeric;
#[cfg(test)]
mod oracle;
pub mod record;
pub mod text;
pub mod to_char;
pub mod zone;

pub(crate) use info::numeric_typmod;
pub use info::{
    OWN, Own, TypeInfo, all_types, declares_collation, format_type, format_type_plain, interval_typmod, typmod_in,
    typmod_out,
};

use serde::{Deserialize, Serialize};
use std::sync::{Arc, LazyLock};

/// A Postgres type by its OID (`pg_type.oid`). User-defined types have OIDs from 16384.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Type(pub u32);

/// The built-in types by name; `CHAR` is the internal type `"char"`, `BPCHAR` is `char(n)`.
impl Type {
    /// "Not stated" in parameter declarations.
    pub const UNSPECIFIED: Type = Type(0);
    pub const BOOL: Type = Type(16);
    pub const BOOL_ARRAY: Type = Type(1000);
    pub const BYTEA: Type = Type(17);
    pub const BYTEA_ARRAY: Type = Type(1001);
    pub const CHAR: Type = Type(18);
    pub const CHAR_ARRAY: Type = Type(1002);
    pub const NAME: Type = Type(19);
    pub const NAME_ARRAY: Type = Type(1003);
    pub const INT8: Type = Type(20);
    pub const INT8_ARRAY: Type = Type(1016);
    pub const INT2: Type = Type(21);
    pub const INT2_ARRAY: Type = Type(1005);
    pub const INT2VECTOR: Type = Type(22);
    pub const INT2VECTOR_ARRAY: Type = Type(1006);
    pub const INT4: Type = Type(23);
    pub const INT4_ARRAY: Type = Type(1007);
    pub const REGPROC: Type = Type(24);
    pub const REGPROC_ARRAY: Type = Type(1008);
    pub const TEXT: Type = Type(25);
    pub const TEXT_ARRAY: Type = Type(1009);
    pub const OID: Type = Type(26);
    pub const OID_ARRAY: Type = Type(1028);
    pub const TID: Type = Type(27);
    pub const TID_ARRAY: Type = Type(1010);
    pub const XID: Type = Type(28);
    pub const XID_ARRAY: Type = Type(1011);
    pub const XID8: Type = Type(5069);
    pub const XID8_ARRAY: Type = Type(271);
    /// Of the extension of that name: a number that no object gets.
    pub const CITEXT: Type = Type(0x3fff_0000);
    pub const CITEXT_ARRAY: Type = Type(0x3fff_0001);
    pub const CID: Type = Type(29);
    pub const CID_ARRAY: Type = Type(1012);
    pub const OIDVECTOR: Type = Type(30);
    pub const OIDVECTOR_ARRAY: Type = Type(1013);
    pub const JSON: Type = Type(114);
    pub const JSON_ARRAY: Type = Type(199);
    pub const JSONB: Type = Type(3802);
    pub const JSONB_ARRAY: Type = Type(3807);
    pub const JSONPATH: Type = Type(4072);
    pub const JSONPATH_ARRAY: Type = Type(4073);
    pub const FLOAT4: Type = Type(700);
    pub const FLOAT4_ARRAY: Type = Type(1021);
    pub const FLOAT8: Type = Type(701);
    pub const FLOAT8_ARRAY: Type = Type(1022);
    pub const UNKNOWN: Type = Type(705);
    pub const BPCHAR: Type = Type(1042);
    pub const BPCHAR_ARRAY: Type = Type(1014);
    pub const VARCHAR: Type = Type(1043);
    pub const VARCHAR_ARRAY: Type = Type(1015);
    pub const DATE: Type = Type(1082);
    pub const DATE_ARRAY: Type = Type(1182);
    pub const TIME: Type = Type(1083);
    pub const TIME_ARRAY: Type = Type(1183);
    pub const TIMESTAMP: Type = Type(1114);
    pub const TIMESTAMP_ARRAY: Type = Type(1115);
    pub const TIMESTAMPTZ: Type = Type(1184);
    pub const TIMESTAMPTZ_ARRAY: Type = Type(1185);
    pub const INTERVAL: Type = Type(1186);
    pub const INTERVAL_ARRAY: Type = Type(1187);
    pub const TIMETZ: Type = Type(1266);
    pub const TIMETZ_ARRAY: Type = Type(1270);
    pub const NUMERIC: Type = Type(1700);
    pub const NUMERIC_ARRAY: Type = Type(1231);
    pub const REGPROCEDURE: Type = Type(2202);
    pub const REGPROCEDURE_ARRAY: Type = Type(2207);
    pub const REGOPER: Type = Type(2203);
    pub const REGOPER_ARRAY: Type = Type(2208);
    pub const REGOPERATOR: Type = Type(2204);
    pub const REGOPERATOR_ARRAY: Type = Type(2209);
    pub const REGCLASS: Type = Type(2205);
    pub const REGCLASS_ARRAY: Type = Type(2210);
    pub const REGTYPE: Type = Type(2206);
    pub const REGTYPE_ARRAY: Type = Type(2211);
    pub const REGROLE: Type = Type(4096);
    pub const REGROLE_ARRAY: Type = Type(4097);
    pub const REGNAMESPACE: Type = Type(4089);
    pub const REGNAMESPACE_ARRAY: Type = Type(4090);
    pub const UUID: Type = Type(2950);
    pub const UUID_ARRAY: Type = Type(2951);
    pub const RECORD: Type = Type(2249);
    pub const RECORD_ARRAY: Type = Type(2287);
    pub const VOID: Type = Type(2278);
    pub const ANY: Type = Type(2276);
    pub const ANYARRAY: Type = Type(2277);
    pub const ANYELEMENT: Type = Type(2283);
    pub const ANYNONARRAY: Type = Type(2776);
    pub const ANYENUM: Type = Type(3500);
    pub const ANYCOMPATIBLE: Type = Type(5077);
    pub const ANYCOMPATIBLEARRAY: Type = Type(5078);
    pub const ACLITEM: Type = Type(1033);
    pub const ACLITEM_ARRAY: Type = Type(1034);
    pub const CSTRING: Type = Type(2275);
    pub const CSTRING_ARRAY: Type = Type(1263);
    pub const INET: Type = Type(869);
    pub const INET_ARRAY: Type = Type(1041);
    pub const CIDR: Type = Type(650);
    pub const CIDR_ARRAY: Type = Type(651);
    pub const MACADDR: Type = Type(829);
    pub const MACADDR_ARRAY: Type = Type(1040);
    pub const MACADDR8: Type = Type(774);
    pub const MACADDR8_ARRAY: Type = Type(775);
    pub const MONEY: Type = Type(790);
    pub const MONEY_ARRAY: Type = Type(791);
    pub const BIT: Type = Type(1560);
    pub const BIT_ARRAY: Type = Type(1561);
    pub const VARBIT: Type = Type(1562);
    pub const VARBIT_ARRAY: Type = Type(1563);
    pub const PG_NODE_TREE: Type = Type(194);
    pub const XML: Type = Type(142);
    pub const XML_ARRAY: Type = Type(143);
    pub const POINT: Type = Type(600);
    pub const POINT_ARRAY: Type = Type(1017);
    pub const INTERNAL: Type = Type(2281);
}

/// No type modifier.
pub const NO_TYPMOD: i32 = -1;

/// What a value is within itself: as deep as its type lets it be, whatever is left of the stack.
fn deep<T>(f: impl FnOnce() -> T) -> T {
    stacker::maybe_grow(128 << 10, 1 << 20, f)
}

/// Session settings that the text form of values, and so the result of casts, depends on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Env {
    /// An IANA name, or a POSIX-style fixed offset; validated when it is set.
    pub time_zone: Arc<str>,
    pub date_style: DateStyle,
    pub interval_style: IntervalStyle,
    pub extra_float_digits: i8,
    pub bytea_escape: bool,
}

/// Output style and input order of dates (`DateStyle`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DateStyle {
    pub output: DateOutput,
    pub order: DateOrder,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum DateOutput {
    Iso,
    Sql,
    Postgres,
    German,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum DateOrder {
    Mdy,
    Dmy,
    Ymd,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum IntervalStyle {
    Postgres,
    PostgresVerbose,
    SqlStandard,
    Iso8601,
}

static UTC: LazyLock<Arc<str>> = LazyLock::new(|| "UTC".into());

impl Default for Env {
    fn default() -> Env {
        Env {
            time_zone: Arc::clone(&UTC),
            date_style: DateStyle { output: DateOutput::Iso, order: DateOrder::Mdy },
            interval_style: IntervalStyle::Postgres,
            extra_float_digits: 1,
            bytea_escape: false,
        }
    }
}

/// How SQLite stores a type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Storage {
    Integer,
    Real,
    Text,
    Blob,
}

impl Storage {
    /// The column type of a STRICT table.
    pub fn sqlite_name(self) -> &'static str {
        match self {
            Storage::Integer => "INTEGER",
            Storage::Real => "REAL",
            Storage::Text => "TEXT",
            Storage::Blob => "BLOB",
        }
    }
}
