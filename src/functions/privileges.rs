//! `has_…_privilege` and its kin, and functions of `aclitem`.
//!
//! They ask [`crate::rights`], as whoever compiles a statement does: what they are given is the catalog's rows. All roles and
//! memberships come as one text ([`roles()`]), which is read again only when it is another one.

use super::arg::{from_text, int, text};
use super::table::*;
use super::{Aggregate, Cast, Context, Function, Operator, Scalar};
use crate::error::{SqlError, SqlResult, state};
use crate::rights::{self, Acl, Item, Kind, Membership, Mode, PUBLIC, Role, Roles, held, options};
use crate::types::Type;
use crate::types::array::{self, Array};
use crate::types::record::List;
use crate::value::{Value, ValueRef};
use std::cell::RefCell;
use std::sync::Arc;

/// What follows, once it is known that there is a role of that name: PostgreSQL looks for the role first, then for the
/// object, and at the privilege last.
macro_rules! role_known {
    ($role:literal, $then:expr) => {
        concat!("iif(q_known_role(", roles!(), ", ", $role, "), ", $then, ", NULL)")
    };
}

/// An answer, or NULL for an object that there is not: privileges that there are not are refused all the same.
macro_rules! or_none {
    ($kind:literal, $asked:literal, $answer:expr) => {
        concat!("coalesce(", $answer, ", q_asked('", $kind, "', {", $asked, "}, {*}))")
    };
}

/// What is said of an object that a qualified name does not find.
///
/// `$after`: what stands behind the name, from this character on.
macro_rules! no_object {
    ($code:literal, $noun:literal, $name:literal, $after:literal) => {
        concat!(
            "q_no_object('",
            $code,
            "', '",
            $noun,
            "', {",
            $name,
            "}, EXISTS (SELECT 1 FROM \"pg_catalog.pg_namespace\" WHERE nspname = q_name_part(q_plain_name({",
            $name,
            "}, '",
            $after,
            "'), 2)))"
        )
    };
}

/// The OID of the relation that a text names.
macro_rules! relation_named {
    ($name:literal) => {
        concat!(
            "coalesce((SELECT pr.oid FROM \"pg_catalog.pg_class\" pr JOIN \"pg_catalog.pg_namespace\" ns \
              ON ns.oid = pr.relnamespace WHERE pr.relname = q_name_part({",
            $name,
            "}, 1) \
              AND CASE WHEN q_name_part({",
            $name,
            "}, 2) IS NULL THEN q_path_place(ns.nspname) IS NOT NULL \
              ELSE ns.nspname = q_name_part({",
            $name,
            "}, 2) AND coalesce(q_name_part({",
            $name,
            "}, 3), q_current_database()) = q_current_database() END ORDER BY q_path_place(ns.nspname) LIMIT 1), ",
            no_object!("42P01", "relation", $name, ""),
            ")"
        )
    };
}

/// An inquiry about a relation, or columns of it.
macro_rules! of_relation {
    ($role:literal, $oid:expr, $asked:literal) => {
        or_none!(
            "r",
            $asked,
            concat!(
                "(SELECT q_held(CASE pr.relkind WHEN 'S' THEN 's' ELSE 'r' END, {",
                $asked,
                "}, ",
                roles!(),
                ", ",
                $role,
                ", pr.relowner, pr.relacl, 'r') FROM \"pg_catalog.pg_class\" pr WHERE pr.oid = ",
                $oid,
                ")"
            )
        )
    };
}
macro_rules! of_sequence {
    ($role:literal, $oid:expr, $asked:literal) => {
        or_none!(
            "s",
            $asked,
            concat!(
                "(SELECT CASE WHEN pr.relkind = 'S' THEN q_held('s', {",
                $asked,
                "}, ",
                roles!(),
                ", ",
                $role,
                ", pr.relowner, pr.relacl) WHEN q_asked('s', {",
                $asked,
                "}) IS NULL THEN q_raise('42809', '\"' || pr.relname || '\" is not a sequence') END \
                  FROM \"pg_catalog.pg_class\" pr WHERE pr.oid = ",
                $oid,
                ")"
            )
        )
    };
}
macro_rules! of_any_column {
    ($role:literal, $oid:expr, $asked:literal) => {
        or_none!(
            "c",
            $asked,
            concat!(
                "(SELECT q_held('r', {", $asked, "}, ", roles!(), ", ", $role, ", pr.relowner, pr.relacl, 'c') \
                  OR EXISTS (SELECT 1 FROM \"pg_catalog.pg_attribute\" pa WHERE pa.attrelid = pr.oid AND pa.attacl IS NOT NULL \
                  AND q_held('c', {", $asked, "}, ", roles!(), ", ", $role, ", pr.relowner, pa.attacl)) \
                  FROM \"pg_catalog.pg_class\" pr WHERE pr.oid = ", $oid, ")"
            )
        )
    };
}
/// `$column`: the number of the column, which may be one that every table has.
macro_rules! of_column {
    ($role:literal, $oid:expr, $column:expr, $asked:literal) => {
        or_none!(
            "c",
            $asked,
            concat!(
                "(SELECT q_held('r', {",
                $asked,
                "}, ",
                roles!(),
                ", ",
                $role,
                ", pr.relowner, pr.relacl, 'c') \
                  OR coalesce(q_held('c', {",
                $asked,
                "}, ",
                roles!(),
                ", ",
                $role,
                ", pr.relowner, pa.attacl), 0) \
                  FROM (SELECT *, ",
                $column,
                " AS number FROM \"pg_catalog.pg_class\" pr WHERE pr.oid = ",
                $oid,
                ") pr LEFT JOIN \"pg_catalog.pg_attribute\" pa ON pa.attrelid = pr.oid AND pa.attnum = pr.number \
                  AND NOT pa.attisdropped \
                  WHERE pa.attnum IS NOT NULL OR (pr.number BETWEEN -6 AND -1 AND pr.relkind <> 'v'))"
            )
        )
    };
}

/// The number of the column that has that name; if there is none, an error.
macro_rules! column_named {
    ($name:literal) => {
        concat!(
            "coalesce((SELECT pb.attnum FROM \"pg_catalog.pg_attribute\" pb WHERE pb.attrelid = pr.oid \
              AND pb.attname = {",
            $name,
            "}), CASE {",
            $name,
            "} WHEN 'ctid' THEN -1 WHEN 'xmin' THEN -2 WHEN 'cmin' THEN -3 WHEN 'xmax' THEN -4 WHEN 'cmax' THEN -5 \
              WHEN 'tableoid' THEN -6 END, q_raise('42703', 'column \"' || {",
            $name,
            "} || '\" of relation \"' \
              || pr.relname || '\" does not exist'))"
        )
    };
}

/// The six forms of an inquiry: for the current or a named role, by name or OID. `$of`: what answers it for a role and an
/// object; `$named`, `$numbered`: how the argument of that number finds the object.
macro_rules! six {
    ($name:literal, $of:ident, $named:ident, $numbered:ident) => {
        [
            func($name, &[TEXT, TEXT], BOOL, $of!("q_current_user()", $named!("0"), "1")).stable(),
            func($name, &[OID, TEXT], BOOL, $of!("q_current_user()", $numbered!("0"), "1")).stable(),
            func($name, &[NAME, TEXT, TEXT], BOOL, role_known!("{0}", $of!("{0}", $named!("1"), "2"))).stable(),
            func($name, &[NAME, OID, TEXT], BOOL, role_known!("{0}", $of!("{0}", $numbered!("1"), "2"))).stable(),
            func($name, &[OID, TEXT, TEXT], BOOL, $of!("{0}", $named!("1"), "2")).stable(),
            func($name, &[OID, OID, TEXT], BOOL, $of!("{0}", $numbered!("1"), "2")).stable(),
        ]
    };
}
macro_rules! numbered {
    ($n:literal) => {
        concat!("{", $n, "}")
    };
}

/// An inquiry about an object that is a row of a table: its kind, owner and grants.
macro_rules! row {
    ($kind:literal, $table:literal, $prefix:literal, $role:literal, $oid:expr, $asked:literal) => {
        or_none!(
            $kind,
            $asked,
            concat!(
                "(SELECT q_held('",
                $kind,
                "', {",
                $asked,
                "}, ",
                roles!(),
                ", ",
                $role,
                ", pr.",
                $prefix,
                "owner, pr.",
                $prefix,
                "acl) FROM \"pg_catalog.",
                $table,
                "\" pr WHERE pr.oid = ",
                $oid,
                ")"
            )
        )
    };
}
macro_rules! of_schema {
    ($role:literal, $oid:expr, $asked:literal) => {
        row!("n", "pg_namespace", "nsp", $role, $oid, $asked)
    };
}
macro_rules! of_type {
    ($role:literal, $oid:expr, $asked:literal) => {
        row!("T", "pg_type", "typ", $role, $oid, $asked)
    };
}
macro_rules! of_language {
    ($role:literal, $oid:expr, $asked:literal) => {
        row!("l", "pg_language", "lan", $role, $oid, $asked)
    };
}
macro_rules! of_tablespace {
    ($role:literal, $oid:expr, $asked:literal) => {
        row!("t", "pg_tablespace", "spc", $role, $oid, $asked)
    };
}
/// The number of a row whose column has exactly that name; if there is none, an error.
macro_rules! by_name {
    ($n:literal, $table:literal, $column:literal, $code:literal, $what:literal) => {
        concat!(
            "coalesce((SELECT oid FROM \"pg_catalog.",
            $table,
            "\" WHERE ",
            $column,
            " = {",
            $n,
            "}), q_raise('",
            $code,
            "', '",
            $what,
            " \"' || {",
            $n,
            "} || '\" does not exist'))"
        )
    };
}
macro_rules! schema_named {
    ($n:literal) => {
        by_name!($n, "pg_namespace", "nspname", "3F000", "schema")
    };
}
macro_rules! language_named {
    ($n:literal) => {
        by_name!($n, "pg_language", "lanname", "42704", "language")
    };
}
macro_rules! tablespace_named {
    ($n:literal) => {
        by_name!($n, "pg_tablespace", "spcname", "42704", "tablespace")
    };
}
/// A type as it is written: built in, or one's own, or an array of such.
macro_rules! type_named {
    ($n:literal) => {
        concat!(
            "coalesce(q_type_named({",
            $n,
            "}), (SELECT iif({",
            $n,
            "} LIKE '%]', pt.typarray, pt.oid) FROM \"pg_catalog.pg_type\" pt JOIN \"pg_catalog.pg_namespace\" ns \
              ON ns.oid = pt.typnamespace WHERE pt.typname = q_name_part(q_plain_name({",
            $n,
            "}, '['), 1) AND CASE WHEN q_name_part(q_plain_name({",
            $n,
            "}, '['), 2) IS NULL THEN q_path_place(ns.nspname) IS NOT NULL ELSE ns.nspname = q_name_part(q_plain_name({",
            $n,
            "}, '['), 2) END ORDER BY q_path_place(ns.nspname) LIMIT 1), ",
            no_object!("42704", "type", $n, "["),
            ")"
        )
    };
}

/// An inquiry about a function: all of them are built in, and have the grants of their kind.
macro_rules! of_function {
    ($role:literal, $oid:expr, $asked:literal) => {
        or_none!(
            "f",
            $asked,
            concat!(
                "(SELECT q_held('f', {",
                $asked,
                "}, ",
                roles!(),
                ", ",
                $role,
                ", 10, NULL) FROM q_pg_proc pr WHERE pr.oid = ",
                $oid,
                ")"
            )
        )
    };
}
macro_rules! function_named {
    ($n:literal) => {
        concat!(
            "coalesce((SELECT pf.oid FROM q_pg_proc pf WHERE pf.proname = q_name_part(q_call_part({",
            $n,
            "}, 1), 1) AND pf.proargtypes = q_call_part({",
            $n,
            "}, 2) AND coalesce(q_name_part(q_call_part({",
            $n,
            "}, 1), 2), 'pg_catalog') = 'pg_catalog'), ",
            no_object!("42883", "function", $n, "("),
            ")"
        )
    };
}

/// An inquiry about something that there is none of.
macro_rules! of_nothing {
    ($kind:literal, $object:expr, $asked:literal) => {
        concat!(
            "iif({",
            $asked,
            "} IS NULL OR ",
            $object,
            " IS NULL, NULL, q_asked('",
            $kind,
            "', {",
            $asked,
            "}, {*}))"
        )
    };
}
macro_rules! of_wrapper {
    ($role:literal, $object:expr, $asked:literal) => {
        of_nothing!("F", $object, $asked)
    };
}
macro_rules! of_server {
    ($role:literal, $object:expr, $asked:literal) => {
        of_nothing!("S", $object, $asked)
    };
}
macro_rules! no_wrapper {
    ($n:literal) => {
        concat!("q_raise('42704', 'foreign-data wrapper \"' || {", $n, "} || '\" does not exist')")
    };
}
macro_rules! no_server {
    ($n:literal) => {
        concat!("q_raise('42704', 'server \"' || {", $n, "} || '\" does not exist')")
    };
}

/// The grants of the database that a session is in.
macro_rules! of_this_database {
    ($role:literal, $asked:literal) => {
        concat!(
            "q_held('d', {",
            $asked,
            "}, ",
            roles!(),
            ", ",
            $role,
            ", (SELECT datdba FROM \"_quorate_database\"), (SELECT datacl FROM \"_quorate_database\"))"
        )
    };
}
/// Those of one of the cluster's databases.
macro_rules! of_a_database {
    ($role:literal, $asked:literal, $object:literal, $field:literal) => {
        concat!(
            "(SELECT q_held('d', {",
            $asked,
            "}, ",
            roles!(),
            ", ",
            $role,
            ", json_extract(d.value, '$.owner'), iif(json_extract(d.value, '$.acl') IS NULL, NULL, ",
            "q_parse(1034, -1, json_extract(d.value, '$.acl')))) FROM json_each(q_live('databases')) d ",
            "WHERE json_extract(d.value, '$.",
            $field,
            "') = {",
            $object,
            "})"
        )
    };
}
/// An inquiry about a database by its name.
macro_rules! database {
    ($role:literal, $asked:literal, $object:literal) => {
        concat!(
            "iif({",
            $object,
            "} IS NULL, NULL, iif({",
            $object,
            "} = q_current_database(), ",
            of_this_database!($role, $asked),
            ", coalesce(",
            of_a_database!($role, $asked, $object, "name"),
            ", q_raise('3D000', 'database \"' || {",
            $object,
            "} || '\" does not exist'))))"
        )
    };
}
/// By its OID; nothing, if there is none.
macro_rules! database_numbered {
    ($role:literal, $asked:literal, $object:literal) => {
        or_none!(
            "d",
            $asked,
            concat!("iif({", $object, "} IS NULL, NULL, ", of_a_database!($role, $asked, $object, "oid"), ")")
        )
    };
}
/// An inquiry about what is built in and has the grants of its kind.
macro_rules! builtin {
    ($kind:literal, $role:literal, $asked:literal, $object:literal) => {
        concat!(
            "iif({",
            $object,
            "} IS NULL, NULL, q_held('",
            $kind,
            "', {",
            $asked,
            "}, ",
            roles!(),
            ", ",
            $role,
            ", 10, NULL))"
        )
    };
}

macro_rules! membership {
    ($types:expr, $user:literal, $role:literal, $asked:literal) => {
        func(
            "pg_has_role",
            $types,
            BOOL,
            concat!("q_has_role({", $asked, "}, ", roles!(), ", ", $user, ", ", $role, ")"),
        )
        .stable()
    };
}

/// With what implements them for each kind of object.
pub const OBJECTS: &[[Function; 6]] = &[
    six!("has_table_privilege", of_relation, relation_named, numbered),
    six!("has_sequence_privilege", of_sequence, relation_named, numbered),
    six!("has_any_column_privilege", of_any_column, relation_named, numbered),
    six!("has_schema_privilege", of_schema, schema_named, numbered),
    six!("has_type_privilege", of_type, type_named, numbered),
    six!("has_language_privilege", of_language, language_named, numbered),
    six!("has_tablespace_privilege", of_tablespace, tablespace_named, numbered),
    six!("has_function_privilege", of_function, function_named, numbered),
    six!("has_foreign_data_wrapper_privilege", of_wrapper, no_wrapper, numbered),
    six!("has_server_privilege", of_server, no_server, numbered),
    [
        func("has_database_privilege", &[TEXT, TEXT], BOOL, database!("q_current_user()", "1", "0")).stable(),
        func("has_database_privilege", &[OID, TEXT], BOOL, database_numbered!("q_current_user()", "1", "0")).stable(),
        func("has_database_privilege", &[NAME, TEXT, TEXT], BOOL, role_known!("{0}", database!("{0}", "2", "1")))
            .stable(),
        func(
            "has_database_privilege",
            &[NAME, OID, TEXT],
            BOOL,
            role_known!("{0}", database_numbered!("{0}", "2", "1")),
        )
        .stable(),
        func("has_database_privilege", &[OID, TEXT, TEXT], BOOL, database!("{0}", "2", "1")).stable(),
        func("has_database_privilege", &[OID, OID, TEXT], BOOL, database_numbered!("{0}", "2", "1")).stable(),
    ],
    [
        membership!(&[NAME, TEXT], "q_current_user()", "{0}", "1"),
        membership!(&[OID, TEXT], "q_current_user()", "{0}", "1"),
        membership!(&[NAME, NAME, TEXT], "{0}", "{1}", "2"),
        membership!(&[NAME, OID, TEXT], "{0}", "{1}", "2"),
        membership!(&[OID, NAME, TEXT], "{0}", "{1}", "2"),
        membership!(&[OID, OID, TEXT], "{0}", "{1}", "2"),
    ],
];

macro_rules! column_inquiry {
    ($types:expr, $role:literal, $oid:expr, $column:expr, $asked:literal) => {
        func("has_column_privilege", $types, BOOL, of_column!($role, $oid, $column, $asked)).stable()
    };
}
/// For a role that is named by the first argument.
macro_rules! column_inquiry_for {
    ($types:expr, $oid:expr, $column:expr) => {
        func("has_column_privilege", $types, BOOL, role_known!("{0}", of_column!("{0}", $oid, $column, "3"))).stable()
    };
}

pub const FUNCTIONS: &[Function] = &[
    column_inquiry!(&[TEXT, TEXT, TEXT], "q_current_user()", relation_named!("0"), column_named!("1"), "2"),
    column_inquiry!(&[TEXT, INT2, TEXT], "q_current_user()", relation_named!("0"), "{1}", "2"),
    column_inquiry!(&[OID, TEXT, TEXT], "q_current_user()", "{0}", column_named!("1"), "2"),
    column_inquiry!(&[OID, INT2, TEXT], "q_current_user()", "{0}", "{1}", "2"),
    column_inquiry_for!(&[NAME, TEXT, TEXT, TEXT], relation_named!("1"), column_named!("2")),
    column_inquiry_for!(&[NAME, TEXT, INT2, TEXT], relation_named!("1"), "{2}"),
    column_inquiry_for!(&[NAME, OID, TEXT, TEXT], "{1}", column_named!("2")),
    column_inquiry_for!(&[NAME, OID, INT2, TEXT], "{1}", "{2}"),
    column_inquiry!(&[OID, TEXT, TEXT, TEXT], "{0}", relation_named!("1"), column_named!("2"), "3"),
    column_inquiry!(&[OID, TEXT, INT2, TEXT], "{0}", relation_named!("1"), "{2}", "3"),
    column_inquiry!(&[OID, OID, TEXT, TEXT], "{0}", "{1}", column_named!("2"), "3"),
    column_inquiry!(&[OID, OID, INT2, TEXT], "{0}", "{1}", "{2}", "3"),
    func("has_parameter_privilege", &[TEXT, TEXT], BOOL, builtin!("p", "q_current_user()", "1", "0")).stable(),
    func("has_parameter_privilege", &[NAME, TEXT, TEXT], BOOL, role_known!("{0}", builtin!("p", "{0}", "2", "1")))
        .stable(),
    func("has_parameter_privilege", &[OID, TEXT, TEXT], BOOL, builtin!("p", "{0}", "2", "1")).stable(),
    func("row_security_active", &[OID], BOOL, "iif({0} IS NULL, NULL, 0)").stable(),
    func("row_security_active", &[TEXT], BOOL, concat!("iif(", relation_named!("0"), " IS NULL, NULL, 0)")).stable(),
    func("acldefault", &[CHAR, OID], Type::ACLITEM_ARRAY, concat!("q_acl_default({0}, {1}, ", roles!(), ")")),
    func(
        "makeaclitem",
        &[OID, OID, TEXT, BOOL],
        Type::ACLITEM,
        concat!("q_make_acl({0}, {1}, {2}, {3}, ", roles!(), ")"),
    ),
    func(
        "aclcontains",
        &[Type::ACLITEM_ARRAY, Type::ACLITEM],
        BOOL,
        concat!("q_acl_contains({0}, {1}, ", roles!(), ")"),
    ),
    set("aclexplode", &[Type::ACLITEM_ARRAY], Type::RECORD, concat!("q_rows(q_acl_rows({0}, ", roles!(), "))"))
        .columns(&[("grantor", OID), ("grantee", OID), ("privilege_type", TEXT), ("is_grantable", BOOL)])
        .stable(),
];

pub const OPERATORS: &[Operator] = &[];
pub const CASTS: &[Cast] = &[];
pub const AGGREGATES: &[Aggregate] = &[];
pub const SCALARS: &[Scalar] = &[
    scalar("q_held", -1, privilege).contextual().lax(),
    scalar("q_known_role", 2, |_, a| role_of(&*roles(text(a, 0)?)?, a[1]).map(|_| Value::Int(1))).contextual(),
    // NULL, if there are such rights; what else is given only has to be there.
    scalar("q_asked", -1, |_, a| {
        let kind = Kind::coded(text(a, 0)?).ok_or_else(|| SqlError::internal("a kind of object was expected"))?;
        asked(kind, text(a, 1)?).map(|_| Value::Null)
    })
    .contextual(),
    scalar("q_has_role", 4, has_role).contextual(),
    scalar("q_acl_default", 3, acl_default).contextual(),
    scalar("q_make_acl", 5, make_item).contextual(),
    scalar("q_acl_contains", 3, contains).contextual(),
    scalar("q_acl_rows", 2, rows_of).contextual(),
    scalar("q_allowed", 2, allowed).contextual(),
];

/// What `roles!` wrote.
pub(super) fn roles(json: &str) -> SqlResult<Arc<Roles>> {
    thread_local! {
        /// The text that was read last: a statement asks for each of its rows.
        static KNOWN: RefCell<Option<(String, Arc<Roles>)>> = const { RefCell::new(None) };
    }
    let known = KNOWN.with_borrow(|known| known.as_ref().filter(|(text, _)| text == json).map(|(_, r)| Arc::clone(r)));
    if let Some(known) = known {
        return Ok(known);
    }
    let bad = |e: serde_json::Error| SqlError::internal(format!("roles: {e}"));
    type Parts = (Vec<(u32, String, i64, i64)>, Vec<(u32, u32, i64)>, u32);
    let (all, members, database_owner): Parts = serde_json::from_str(json).map_err(bad)?;
    let mut roles = Roles::new(database_owner);
    for (oid, name, superuser, inherit) in all {
        roles.put(Role { superuser: superuser != 0, inherit: inherit != 0, ..Role::new(oid, &name) });
    }
    for (role, member, admin) in members {
        roles.put_membership(Membership { role, member, grantor: 0, admin: admin != 0 });
    }
    let roles = Arc::new(roles);
    KNOWN.set(Some((json.to_owned(), Arc::clone(&roles))));
    Ok(roles)
}

/// A role, or all of them, by name or OID. Errors: 42704 for a name that there is not.
fn role_of(roles: &Roles, value: ValueRef<'_>) -> SqlResult<u32> {
    match value {
        ValueRef::Text("public") => Ok(PUBLIC),
        value => one_role(roles, value),
    }
}

fn one_role(roles: &Roles, value: ValueRef<'_>) -> SqlResult<u32> {
    match value {
        ValueRef::Int(oid) => Ok(oid as u32),
        ValueRef::Text(name) => match roles.named(name) {
            Some(role) => Ok(role.oid),
            None => Err(SqlError::new(state::UNDEFINED_OBJECT, format!("role \"{name}\" does not exist"))),
        },
        _ => Err(SqlError::internal("a role was expected")),
    }
}

fn acl_of(roles: &Roles, bytes: &[u8]) -> SqlResult<Acl> {
    let items: Vec<String> =
        Array::read(bytes)?.iter().map(|item| String::from_utf8_lossy(item.unwrap_or_default()).into_owned()).collect();
    Acl::read(roles, items.iter().map(String::as_str))
}

fn unrecognized(word: &str) -> SqlError {
    SqlError::new(state::INVALID_PARAMETER_VALUE, format!("unrecognized privilege type: \"{word}\""))
}

/// A list of rights, any of which will do; each may be WITH GRANT OPTION.
fn asked(kind: Kind, list: &str) -> SqlResult<Vec<Mode>> {
    let one = |word: &str| {
        let upper = word.trim().to_ascii_uppercase();
        let plain = upper.strip_suffix(" WITH GRANT OPTION");
        let right = rights::right(plain.unwrap_or(&upper));
        // A right of rules there was once.
        if kind == Kind::Relation && plain.unwrap_or(&upper) == "RULE" {
            return Ok(0);
        }
        let right = right.filter(|right| right & kind.all() != 0).ok_or_else(|| unrecognized(word.trim()))?;
        Ok(if plain.is_some() { options(right) } else { right })
    };
    list.split(',').map(one).collect()
}

/// `q_held(kind, asked, roles, role, owner, acl[, kind of the list])`
fn privilege(_: &mut Context, args: &[ValueRef<'_>]) -> SqlResult<Value> {
    if args[..5].iter().any(|value| value.is_null()) {
        return Ok(Value::Null);
    }
    let kind = |i| Kind::coded(text(args, i)?).ok_or_else(|| SqlError::internal("a kind of object was expected"));
    let object = kind(0)?;
    // Of a column, only rights on columns are asked for, whatever else the table has.
    let listed = if args.len() > 6 { kind(6)? } else { object };
    let roles = roles(text(args, 2)?)?;
    let role = role_of(&roles, args[3])?;
    let list = asked(listed, text(args, 1)?)?;
    let owner = int(args, 4)? as u32;
    let acl = match args[5] {
        ValueRef::Blob(bytes) => Some(acl_of(&roles, bytes)?),
        _ if object == Kind::Column => Some(Acl::default()),
        _ => None,
    };
    let has = list.iter().any(|right| held(&roles, role, object, owner, acl.as_ref(), *right) != 0);
    Ok(Value::Int(has.into()))
}

/// `q_has_role(asked, roles, user, role)`
fn has_role(_: &mut Context, args: &[ValueRef<'_>]) -> SqlResult<Value> {
    let roles = roles(text(args, 1)?)?;
    let (user, role) = (one_role(&roles, args[2])?, one_role(&roles, args[3])?);
    let mut has = false;
    for word in text(args, 0)?.split(',') {
        let upper = word.trim().to_ascii_uppercase();
        has |= match upper.as_str() {
            "USAGE" => roles.has_rights_of(user, role),
            "MEMBER" => roles.is_member(user, role),
            "USAGE WITH GRANT OPTION"
            | "USAGE WITH ADMIN OPTION"
            | "MEMBER WITH GRANT OPTION"
            | "MEMBER WITH ADMIN OPTION" => roles.is_admin(user, role),
            _ => return Err(unrecognized(word.trim())),
        };
    }
    Ok(Value::Int(has.into()))
}

fn array_of(roles: &Roles, acl: &Acl) -> SqlResult<Value> {
    let items: Vec<Value> = acl.texts(roles).into_iter().map(Value::Text).collect();
    array::build(Type::ACLITEM, &items).map(Value::Blob)
}

/// PostgreSQL documentation, "Privileges", table "Summary of Access Privileges".
fn acl_default(_: &mut Context, args: &[ValueRef<'_>]) -> SqlResult<Value> {
    let code = text(args, 0)?;
    let kind = Kind::coded(code).ok_or_else(|| {
        let message = format!("unrecognized object type abbreviation: {code}");
        SqlError::new(state::INVALID_PARAMETER_VALUE, message)
    })?;
    array_of(&*roles(text(args, 2)?)?, &kind.default_acl(int(args, 1)? as u32))
}

/// `q_make_acl(grantee, grantor, rights, grantable, roles)`
fn make_item(_: &mut Context, args: &[ValueRef<'_>]) -> SqlResult<Value> {
    let word = text(args, 2)?;
    let mode = rights::right(word).ok_or_else(|| unrecognized(word))?;
    let mode = if int(args, 3)? != 0 { mode | options(mode) } else { mode };
    let item = Item { grantee: int(args, 0)? as u32, grantor: int(args, 1)? as u32, mode };
    let texts = Acl(vec![item]).texts(&*roles(text(args, 4)?)?);
    Ok(from_text(texts.concat()))
}

fn contains(_: &mut Context, args: &[ValueRef<'_>]) -> SqlResult<Value> {
    let roles = roles(text(args, 2)?)?;
    let acl = acl_of(&roles, super::arg::blob(args, 0)?)?;
    let item = Item::read(&roles, text(args, 1)?)?;
    let same = |i: &Item| (i.grantee, i.grantor) == (item.grantee, item.grantor) && i.mode & item.mode == item.mode;
    Ok(Value::Int(acl.0.iter().any(same).into()))
}

/// `q_allowed(oid, list)`: the OID, if it is in the list of those that the current role may use.
fn allowed(_: &mut Context, args: &[ValueRef<'_>]) -> SqlResult<Value> {
    let oid = int(args, 0)?;
    match text(args, 1)?.split(' ').any(|known| known.parse() == Ok(oid)) {
        true => Ok(Value::Int(oid)),
        false => Err(SqlError::new(state::INSUFFICIENT_PRIVILEGE, format!("permission denied for sequence {oid}"))),
    }
}

/// `q_acl_rows(acl, roles)`: a row for each right.
fn rows_of(_: &mut Context, args: &[ValueRef<'_>]) -> SqlResult<Value> {
    let acl = acl_of(&*roles(text(args, 1)?)?, super::arg::blob(args, 0)?)?;
    let mut list = List::default();
    for item in &acl.0 {
        for word in rights::words(item.mode) {
            let grantable = rights::right(word).is_some_and(|right| item.mode & options(right) != 0);
            let row = [
                ValueRef::Int(item.grantor.into()),
                ValueRef::Int(item.grantee.into()),
                ValueRef::Text(word),
                ValueRef::Int(grantable.into()),
            ];
            list.push(row.into_iter())?;
        }
    }
    Ok(Value::Blob(list.into_bytes()))
}
