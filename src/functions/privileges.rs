//! `has_…_privilege` and its kin. Nobody is denied anything here yet: what they check is that they are asked for
//! privileges that exist.

use super::arg::text;
use super::table::*;
use super::{Aggregate, Cast, Context, Function, Operator, Scalar};
use crate::error::{SqlError, SqlResult, state};
use crate::types::{Type, array};
use crate::value::{Value, ValueRef};

/// The six forms of an inquiry about an object of one kind: for the current or a named role, by name or OID.
const fn inquiry(name: &'static str, two: &'static str, three: &'static str) -> [Function; 6] {
    [
        func(name, &[TEXT, TEXT], BOOL, two).stable(),
        func(name, &[OID, TEXT], BOOL, two).stable(),
        func(name, &[NAME, TEXT, TEXT], BOOL, three).stable(),
        func(name, &[NAME, OID, TEXT], BOOL, three).stable(),
        func(name, &[OID, TEXT, TEXT], BOOL, three).stable(),
        func(name, &[OID, OID, TEXT], BOOL, three).stable(),
    ]
}

macro_rules! inquiries {
    ($($name:literal: $privileges:literal,)*) => {
        &[$(inquiry(
            $name,
            concat!("q_privilege('", $privileges, "', {1}, {0})"),
            concat!("q_privilege('", $privileges, "', {2}, {0}, {1})"),
        )),*]
    };
}

/// With the privileges that each kind of object has.
pub const OBJECTS: &[[Function; 6]] = inquiries! {
    "has_table_privilege": "select insert update delete truncate references trigger rule",
    "has_any_column_privilege": "select insert update references",
    "has_sequence_privilege": "usage select update",
    "has_database_privilege": "create temporary temp connect",
    "has_schema_privilege": "create usage",
    "has_function_privilege": "execute",
    "has_language_privilege": "usage",
    "has_type_privilege": "usage",
    "has_tablespace_privilege": "create",
    "has_foreign_data_wrapper_privilege": "usage",
    "has_server_privilege": "usage",
    "pg_has_role": "member usage set",
};

macro_rules! column {
    ($privilege:literal, $others:literal) => {
        concat!("q_privilege('select insert update references', {", $privilege, "}, ", $others, ")")
    };
}
const COLUMN: &str = column!("2", "{0}, {1}");
const ROLES_COLUMN: &str = column!("3", "{0}, {1}, {2}");

pub const FUNCTIONS: &[Function] = &[
    func("has_column_privilege", &[TEXT, TEXT, TEXT], BOOL, COLUMN).stable(),
    func("has_column_privilege", &[TEXT, INT2, TEXT], BOOL, COLUMN).stable(),
    func("has_column_privilege", &[OID, TEXT, TEXT], BOOL, COLUMN).stable(),
    func("has_column_privilege", &[OID, INT2, TEXT], BOOL, COLUMN).stable(),
    func("has_column_privilege", &[NAME, TEXT, TEXT, TEXT], BOOL, ROLES_COLUMN).stable(),
    func("has_column_privilege", &[NAME, TEXT, INT2, TEXT], BOOL, ROLES_COLUMN).stable(),
    func("has_column_privilege", &[NAME, OID, TEXT, TEXT], BOOL, ROLES_COLUMN).stable(),
    func("has_column_privilege", &[NAME, OID, INT2, TEXT], BOOL, ROLES_COLUMN).stable(),
    func("has_column_privilege", &[OID, TEXT, TEXT, TEXT], BOOL, ROLES_COLUMN).stable(),
    func("has_column_privilege", &[OID, TEXT, INT2, TEXT], BOOL, ROLES_COLUMN).stable(),
    func("has_column_privilege", &[OID, OID, TEXT, TEXT], BOOL, ROLES_COLUMN).stable(),
    func("has_column_privilege", &[OID, OID, INT2, TEXT], BOOL, ROLES_COLUMN).stable(),
    func("has_parameter_privilege", &[TEXT, TEXT], BOOL, "q_privilege('set altersystem', {1}, {0})").stable(),
    func("has_parameter_privilege", &[NAME, TEXT, TEXT], BOOL, "q_privilege('set altersystem', {2}, {0}, {1})")
        .stable(),
    func("has_parameter_privilege", &[OID, TEXT, TEXT], BOOL, "q_privilege('set altersystem', {2}, {0}, {1})").stable(),
    func("row_security_active", &[OID], BOOL, "iif({0} IS NULL, NULL, 0)").stable(),
    func("row_security_active", &[TEXT], BOOL, "iif({0} IS NULL, NULL, 0)").stable(),
    func("acldefault", &[CHAR, OID], Type::ACLITEM_ARRAY, ACL_DEFAULT),
];

/// The privileges that an object of a kind has from its creation, as `aclitem[]`.
const ACL_DEFAULT: &str = "q_acl_default({0}, coalesce((SELECT rolname FROM \"pg_catalog.pg_authid\" WHERE oid = {1}), \
     CAST({1} AS TEXT)))";

pub const OPERATORS: &[Operator] = &[];
pub const CASTS: &[Cast] = &[];
pub const AGGREGATES: &[Aggregate] = &[];
pub const SCALARS: &[Scalar] =
    &[scalar("q_privilege", -1, privilege).contextual(), scalar("q_acl_default", 2, acl_default)];

/// `q_privilege(privileges that there are, asked for, …)`. A list asks for any of them; each may be WITH GRANT OPTION.
fn privilege(_: &mut Context, args: &[ValueRef<'_>]) -> SqlResult<Value> {
    let (known, asked) = (text(args, 0)?, text(args, 1)?);
    for word in asked.split(',') {
        let word = word.trim().to_ascii_lowercase();
        let plain = word.strip_suffix("with grant option").or(word.strip_suffix("with admin option")).unwrap_or(&word);
        if !known.split(' ').any(|k| k == plain.trim().replace(' ', "")) {
            let message = format!("unrecognized privilege type: \"{}\"", asked.trim());
            return Err(SqlError::new(state::INVALID_PARAMETER_VALUE, message));
        }
    }
    Ok(Value::Int(1))
}

/// PostgreSQL documentation, "Privileges", table "Summary of Access Privileges".
fn acl_default(_: &mut Context, args: &[ValueRef<'_>]) -> SqlResult<Value> {
    let (kind, owner) = (text(args, 0)?, text(args, 1)?);
    let (everybody, own) = match kind {
        "c" => ("", ""),
        "r" => ("", "arwdDxt"),
        "s" => ("", "rwU"),
        "d" => ("Tc", "CTc"),
        "f" => ("X", "X"),
        "l" | "T" => ("U", "U"),
        "L" => ("", "rw"),
        "n" => ("", "UC"),
        "p" => ("", "sA"),
        "t" => ("", "C"),
        "F" | "S" => ("", "U"),
        _ => {
            let message = format!("unrecognized object type abbreviation: {kind}");
            return Err(SqlError::new(state::INVALID_PARAMETER_VALUE, message));
        }
    };
    let item =
        |grantee: &str, rights: &str| (!rights.is_empty()).then(|| Value::Text(format!("{grantee}={rights}/{owner}")));
    let items: Vec<Value> = [item("", everybody), item(owner, own)].into_iter().flatten().collect();
    array::build(Type::ACLITEM, &items).map(Value::Blob)
}
