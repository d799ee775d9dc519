//! What a session, the server and the catalog say about themselves; sequences; series.

use super::arg::{from_text, int, invalid, text};
use super::casts::to_text;
use super::catalog::{leading_schema, listed_schemas};
use super::session::CURSORS;
use super::table::*;
use super::{Aggregate, Cast, Context, Function, Operator, SHOW_VIEW, Scalar};
use crate::error::{SqlError, SqlResult, state};
use crate::meter;
use crate::settings;
use crate::types::encoding::Encoding;
use crate::types::numeric::Numeric;
use crate::types::{self, Type};
use crate::value::{Value, ValueRef};
use std::cmp::Ordering;

/// The version of PostgreSQL whose behaviour clients may expect: they parse it out of `version()`, which says the same.
/// Nothing in `version()` tells builds of this server apart: it may be stored, and replicas run different builds.
pub use crate::settings::{SERVER_VERSION, SERVER_VERSION_NUM};

/// Whether the type of this row, in the schema `n`, is found by its name alone: first of its name in the search path.
macro_rules! type_visible {
    ($row:literal) => {
        concat!(
            "(q_path_place(n.nspname) IS NOT NULL AND NOT EXISTS (SELECT 1 FROM \"pg_catalog.pg_type\" o \
             JOIN \"pg_catalog.pg_namespace\" p ON p.oid = o.typnamespace WHERE o.typname = ",
            $row,
            ".typname AND q_path_place(p.nspname) < q_path_place(n.nspname)))"
        )
    };
}

const TYPE_VISIBLE: &str = concat!(
    "(SELECT ",
    type_visible!("t"),
    " FROM \"pg_catalog.pg_type\" t JOIN \"pg_catalog.pg_namespace\" n ON n.oid = t.typnamespace WHERE t.oid = {0})"
);

/// The name of a type; of one that a user has made (see `types::OWN`), it is in the catalog.
const OWN_TYPE: &str = concat!(
    "iif({0} >= 1073741824, (SELECT iif(",
    type_visible!("e"),
    ", '', q_quote_ident(n.nspname) || '.') || q_quote_ident(e.typname) || iif(t.typelem <> 0, '[]', '') FROM \"pg_catalog.pg_type\" t JOIN \"pg_catalog.pg_type\" e \
     ON e.oid = iif(t.typelem <> 0, t.typelem, t.oid) JOIN \"pg_catalog.pg_namespace\" n ON n.oid = e.typnamespace \
     WHERE t.oid = {0}), q_format_type({0}, {1}))"
);

/// The names of several, in order. Functions have only types that are built in.
const TYPES: &str = "iif({0} IS NULL, NULL, coalesce((SELECT group_concat(q_format_type(k.value, NULL), ', ' ORDER BY k.ordinality) \
     FROM q_unnest({0}) k), ''))";

const TRANSACTION: &str = "q_transaction(q_now(), q_backend_pid())";
const STARTED: &str = "q_started(q_current_setting('quorate.connection', 1))";

pub const FUNCTIONS: &[Function] = &[
    func("version", &[], TEXT, "'PostgreSQL 15.18 (Quorate)'").stable(),
    func("current_database", &[], NAME, "q_current_database()").stable(),
    func("current_catalog", &[], NAME, "q_current_database()").stable(),
    func("current_schema", &[], NAME, "q_current_schema()").stable(),
    func("current_schemas", &[BOOL], NAME_ARRAY, "q_current_schemas({0})").stable(),
    func("current_user", &[], NAME, "q_current_user()").stable(),
    func("session_user", &[], NAME, "q_session_user()").stable(),
    func("user", &[], NAME, "q_current_user()").stable(),
    func("current_role", &[], NAME, "q_current_user()").stable(),
    func("current_setting", &[TEXT], TEXT, "q_current_setting({0}, 0)").stable(),
    func("current_setting", &[TEXT, BOOL], TEXT, "q_current_setting({0}, {1})").stable(),
    // Changes the session: only where it can be taken out of the query (see `sql`).
    func("set_config", &[TEXT, TEXT, BOOL], TEXT, "q_set_config({0}, {1}, {2})").volatile(),
    func("pg_backend_pid", &[], INT4, "q_backend_pid()").stable(),
    func("txid_current", &[], INT8, TRANSACTION).stable(),
    func("txid_current_if_assigned", &[], INT8, TRANSACTION).stable(),
    func("pg_current_xact_id", &[], XID8, TRANSACTION).stable(),
    func("pg_current_xact_id_if_assigned", &[], XID8, TRANSACTION).stable(),
    func("pg_postmaster_start_time", &[], TIMESTAMPTZ, STARTED).stable(),
    func("pg_conf_load_time", &[], TIMESTAMPTZ, STARTED).stable(),
    func("pg_typeof", &[ANY], REGTYPE, "{0:type}").stable(),
    func("num_nulls", &[ANY], INT4, "q_num_nulls({*})").variadic(),
    func("num_nonnulls", &[ANY], INT4, "q_num_nonnulls({*})").variadic(),
    func("gen_random_uuid", &[], UUID, "q_uuid()").volatile(),
    func("uuid_generate_v4", &[], UUID, "q_uuid()").volatile(),
    func("uuid_nil", &[], UUID, "x'00000000000000000000000000000000'"),
    func("pg_type_is_visible", &[OID], BOOL, TYPE_VISIBLE).stable(),
    func("pg_function_is_visible", &[OID], BOOL, "({0} IS NOT NULL OR NULL)").stable(),
    func("pg_operator_is_visible", &[OID], BOOL, "({0} IS NOT NULL OR NULL)").stable(),
    func("pg_opclass_is_visible", &[OID], BOOL, "({0} IS NOT NULL OR NULL)").stable(),
    func("pg_collation_is_visible", &[OID], BOOL, "({0} IS NOT NULL OR NULL)").stable(),
    func("pg_conversion_is_visible", &[OID], BOOL, "({0} IS NOT NULL OR NULL)").stable(),
    func("pg_opfamily_is_visible", &[OID], BOOL, "({0} IS NOT NULL OR NULL)").stable(),
    func("pg_statistics_obj_is_visible", &[OID], BOOL, "({0} IS NOT NULL OR NULL)").stable(),
    func("pg_ts_config_is_visible", &[OID], BOOL, "({0} IS NOT NULL OR NULL)").stable(),
    func("pg_ts_dict_is_visible", &[OID], BOOL, "({0} IS NOT NULL OR NULL)").stable(),
    func("pg_ts_parser_is_visible", &[OID], BOOL, "({0} IS NOT NULL OR NULL)").stable(),
    func("pg_ts_template_is_visible", &[OID], BOOL, "({0} IS NOT NULL OR NULL)").stable(),
    func("pg_tablespace_location", &[OID], TEXT, "iif({0} IS NULL, NULL, '')").stable(),
    func("pg_relation_is_publishable", &[REGCLASS], BOOL, "iif({0} IS NULL, NULL, 0)").stable(),
    func("pg_char_to_encoding", &[NAME], INT4, "q_encoding_number({0})").stable(),
    func("pg_encoding_to_char", &[INT4], NAME, "q_encoding({0})").stable(),
    func("getdatabaseencoding", &[], NAME, "'UTF8'").stable(),
    func("pg_client_encoding", &[], NAME, "q_current_setting('client_encoding', 0)").stable(),
    func("pg_is_in_recovery", &[], BOOL, "0").volatile(),
    func("pg_my_temp_schema", &[], OID, MY_TEMPORARY).stable(),
    func("pg_is_other_temp_schema", &[OID], BOOL, OTHERS_TEMPORARY).stable(),
    func("pg_column_size", &[ANY], INT4, "octet_length({0})").stable(),
    func("pg_size_pretty", &[INT8], TEXT, "q_size_pretty({0})"),
    func("pg_size_bytes", &[TEXT], INT8, "q_size_bytes({0})"),
    func("format_type", &[OID, INT4], TEXT, OWN_TYPE).stable(),
    func("oidvectortypes", &[OIDVECTOR], TEXT, TYPES).stable(),
    func("nextval", &[REGCLASS], INT8, "q_nextval({0})").volatile(),
    func("setval", &[REGCLASS, INT8], INT8, "q_setval({0}, {1}, 1)").volatile(),
    func("setval", &[REGCLASS, INT8, BOOL], INT8, "q_setval({0}, {1}, {2})").volatile(),
    func("currval", &[REGCLASS], INT8, "q_currval({0}, (SELECT relname FROM \"pg_catalog.pg_class\" WHERE oid = {0}))")
        .volatile(),
    func("lastval", &[], INT8, "q_lastval()").volatile(),
    set("generate_series", &[INT4, INT4], INT4, "q_generate_series({0}, {1}, 1)"),
    set("generate_series", &[INT4, INT4, INT4], INT4, "q_generate_series({0}, {1}, {2})"),
    set("generate_series", &[INT8, INT8], INT8, "q_generate_series({0}, {1}, 1)"),
    set("generate_series", &[INT8, INT8, INT8], INT8, "q_generate_series({0}, {1}, {2})"),
];

pub const OPERATORS: &[Operator] = &[];
pub const CASTS: &[Cast] = &[];
pub const AGGREGATES: &[Aggregate] = &[];

/// Lets ON CONFLICT DO UPDATE pass unless the statement has already stored or changed this row.
fn once(ctx: &mut Context, args: &[ValueRef<'_>]) -> SqlResult<Value> {
    let (table, rowid) = (text(args, 0)?, int(args, 1)?);
    if ctx.row_changed.as_ref().is_some_and(|changed| changed(table, rowid)) {
        let message = "ON CONFLICT DO UPDATE command cannot affect row a second time";
        let hint =
            "Ensure that no rows proposed for insertion within the same command have duplicate constrained values.";
        return Err(SqlError::new(state::CARDINALITY_VIOLATION, message).hint(hint));
    }
    Ok(Value::Int(1))
}

/// `q_keep(rowid, value, number, kept, …)`: the value; what is kept comes back from `q_kept(rowid, number)`. A NULL as
/// rowid: the value is the rowid to be.
fn keep(ctx: &mut Context, args: &[ValueRef<'_>]) -> SqlResult<Value> {
    let [rowid, value, pairs @ ..] = args else { return Err(SqlError::internal("nothing to keep")) };
    if let ValueRef::Int(rowid) = if rowid.is_null() { value } else { rowid } {
        for pair in pairs.chunks_exact(2) {
            if let ValueRef::Int(number) = pair[0] {
                ctx.kept.insert((*rowid, number), pair[1].to_owned());
            }
        }
    }
    Ok((*value).to_owned())
}

fn kept(ctx: &mut Context, args: &[ValueRef<'_>]) -> SqlResult<Value> {
    let found = ctx.kept.get(&(int(args, 0)?, int(args, 1)?));
    found.cloned().ok_or_else(|| SqlError::internal("a row was changed of which nothing was kept"))
}

/// The OID of the session's schema for temporary objects.
const MY_TEMPORARY: &str = "coalesce((SELECT n.oid FROM \"pg_catalog.pg_namespace\" n \
     WHERE n.nspname = q_current_setting('quorate.temporary', 1)), 0)";
const OTHERS_TEMPORARY: &str = "iif({0} IS NULL, NULL, EXISTS (SELECT 1 FROM \"pg_catalog.pg_namespace\" n \
     WHERE n.oid = {0} AND n.nspname GLOB 'pg_temp_*' \
     AND n.nspname IS NOT q_current_setting('quorate.temporary', 1)))";

pub const SCALARS: &[Scalar] = &[
    scalar("q_current_database", 0, |ctx, _| Ok(from_text(&*ctx.database))).contextual(),
    scalar("q_current_user", 0, |ctx, _| Ok(from_text(&*ctx.user))).contextual(),
    scalar("q_session_user", 0, |ctx, _| {
        Ok(from_text(ctx.settings.get("session_authorization").map_or(&*ctx.user, String::as_str)))
    })
    .contextual(),
    scalar("q_current_schema", 0, |ctx, _| {
        Ok(search_path(ctx).into_iter().find(|s| s != "pg_catalog").map_or(Value::Null, Value::Text))
    })
    .contextual(),
    scalar("q_current_schemas", 1, current_schemas).contextual(),
    scalar("q_current_setting", 2, current_setting).contextual(),
    scalar("q_current_of", 3, current_of).contextual(),
    scalar("q_set_config", 3, set_config).contextual().lax(),
    scalar("q_backend_pid", 0, |ctx, _| Ok(Value::Int(ctx.backend_pid.into()))).contextual(),
    scalar("q_transaction", 2, |_, a| Ok(Value::Int(transaction(int(a, 0)?, int(a, 1)?)))),
    // Part of `session::CONNECTION`.
    scalar("q_started", 1, |_, a| {
        Ok(text(a, 0)?.rsplit(' ').next().and_then(|at| at.parse().ok()).map_or(Value::Null, Value::Int))
    }),
    scalar("q_uuid", 0, uuid).contextual(),
    scalar("q_unsupported", 1, |_, a| Err(SqlError::unsupported(text(a, 0)?))).contextual(),
    scalar("q_null_violation", 3, |ctx, a| match ctx.lenient {
        true => Ok(Value::Null),
        false => Err(null_violation(text(a, 0)?, text(a, 1)?, text(a, 2)?)),
    })
    .contextual(),
    // Of a condition that is NOT VALID: whether rows that do not meet it may be there; and what says that from now on.
    scalar("q_admits", -1, |ctx, _| Ok(Value::Int(ctx.admits.into()))).contextual().lax(),
    scalar("q_admit", 1, |ctx, a| {
        ctx.admits = int(a, 0)? != 0;
        Ok(Value::Null)
    })
    .contextual(),
    // The error of a row that was there, and has a NULL now.
    scalar("q_contains_null", 3, |_, a| {
        let [schema, table, column] = [text(a, 0)?, text(a, 1)?, text(a, 2)?];
        let message = format!("column \"{column}\" of relation \"{table}\" contains null values");
        Err(SqlError::new(state::NOT_NULL_VIOLATION, message).table(schema, table).column(column))
    })
    .contextual(),
    scalar("q_check_option", -1, check_option).contextual().lax(),
    scalar("q_once", 2, once).contextual(),
    scalar("q_keep", -1, keep).contextual().lax(),
    scalar("q_kept", 2, kept).contextual().lax(),
    scalar("q_encoding", 1, |_, a| Ok(from_text(Encoding::name_of(int(a, 0)?)))),
    scalar("q_encoding_number", 1, |_, a| Ok(Value::Int(Encoding::number(text(a, 0)?).map_or(-1, i64::from)))),
    scalar("q_row_free", 3, row_free).contextual().lax(),
    scalar(SHOW_VIEW, 2, show_view).contextual().lax(),
    scalar("q_size_bytes", 1, |_, a| size_bytes(text(a, 0)?).map(Value::Int)),
    scalar("q_size_pretty", 1, |_, a| Ok(Value::Text(size_pretty(int(a, 0)?)))),
    scalar("q_format_type", 2, format_type).lax(),
    // A log of old has it without the name.
    scalar("q_currval", -1, currval).contextual(),
    scalar("q_lastval", 0, lastval).contextual(),
    scalar("q_num_nulls", -1, |_, a| Ok(Value::Int(a.iter().filter(|v| v.is_null()).count() as i64))).lax(),
    scalar("q_num_nonnulls", -1, |_, a| Ok(Value::Int(a.iter().filter(|v| !v.is_null()).count() as i64))).lax(),
    scalar("q_greatest", -1, |_, a| extreme(a, std::cmp::Ordering::Greater)).lax(),
    scalar("q_least", -1, |_, a| extreme(a, std::cmp::Ordering::Less)).lax(),
];

/// A NULL in a column of a table that has none.
pub fn null_violation(schema: &str, table: &str, column: &str) -> SqlError {
    let message = format!("null value in column \"{column}\" of relation \"{table}\" violates not-null constraint");
    SqlError::new(state::NOT_NULL_VIOLATION, message).table(schema, table).column(column)
}

/// The error of a new row that a view with a check option does not have: the view's name, and of each value the type, its
/// modifier and the value.
fn check_option(ctx: &mut Context, args: &[ValueRef<'_>]) -> SqlResult<Value> {
    if ctx.lenient {
        return Ok(Value::Null);
    }
    let message = format!("new row violates check option for view \"{}\"", text(args, 0)?);
    let mut shown = Vec::new();
    for value in args[1..].chunks_exact(3) {
        shown.push(match value[2].is_null() {
            true => "null".to_owned(),
            false => clipped(to_text(Type(int(value, 0)? as u32), int(value, 1)? as i32, value[2], &ctx.env)?),
        });
    }
    let error = SqlError::new(state::WITH_CHECK_OPTION_VIOLATION, message);
    Err(if shown.is_empty() { error } else { error.detail(format!("Failing row contains ({}).", shown.join(", "))) })
}

/// Bytes of a value that a row in a DETAIL shows.
const SHOWN: usize = 64;

/// A value as a row in a DETAIL shows it.
pub fn clipped(mut text: String) -> String {
    if text.len() > SHOWN {
        let end = (0..=SHOWN).rev().find(|i| text.is_char_boundary(*i));
        text.truncate(end.unwrap_or_default());
        text.push_str("...");
    }
    text
}

/// The schemas of the search path, without `"$user"`: nobody has a schema of their own name unless it is listed.
fn search_path(ctx: &Context) -> Vec<String> {
    listed_schemas(ctx).into_iter().filter(|name| name != "$user").collect()
}

fn current_schemas(ctx: &mut Context, args: &[ValueRef<'_>]) -> SqlResult<Value> {
    let mut schemas = search_path(ctx);
    if int(args, 0)? != 0 && !schemas.iter().any(|s| s == "pg_catalog") {
        schemas.insert(0, "pg_catalog".into());
    }
    if let Some(own) = leading_schema(ctx).filter(|_| int(args, 0).is_ok_and(|implicit| implicit != 0)) {
        schemas.insert(0, own);
    }
    super::arrays::make(Type::NAME, schemas.into_iter().map(Value::Text).collect())
}

/// (cursor, OID and name of a table): the rowid of the table's row that the cursor is on. Errors: 34000, 24000.
fn current_of(ctx: &mut Context, args: &[ValueRef<'_>]) -> SqlResult<Value> {
    let (cursor, table) = (text(args, 0)?, int(args, 1)?.to_string());
    let known = ctx.settings.get(CURSORS).map_or("{}", |known| known);
    let known: serde_json::Value = serde_json::from_str(known).map_err(|e| SqlError::internal(e.to_string()))?;
    match known.get(cursor) {
        None => Err(SqlError::new(state::INVALID_CURSOR_NAME, format!("cursor \"{cursor}\" does not exist"))),
        Some(serde_json::Value::Null) => {
            Err(SqlError::new(state::INVALID_CURSOR_STATE, format!("cursor \"{cursor}\" is not positioned on a row")))
        }
        Some(places) => match places.get(&table) {
            // The other side of an outer join has no row.
            Some(rowid) => Ok(rowid.as_i64().map_or(Value::Null, Value::Int)),
            None => {
                let name = text(args, 2)?;
                let message = format!("cursor \"{cursor}\" is not a simply updatable scan of table \"{name}\"");
                Err(SqlError::new(state::INVALID_CURSOR_STATE, message))
            }
        },
    }
}

fn current_setting(ctx: &mut Context, args: &[ValueRef<'_>]) -> SqlResult<Value> {
    let name = text(args, 0)?;
    let folded = name.to_ascii_lowercase();
    let found = ctx
        .settings
        .get(&folded)
        .or_else(|| ctx.settings.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value));
    match found {
        Some(value) => Ok(from_text(&**value)),
        // What nobody has set is not in the session's list.
        None if settings::lookup(name).is_some_and(|s| !settings::is_own(s)) => {
            Ok(settings::lookup(name).map_or(Value::Null, |s| from_text(s.default)))
        }
        None if int(args, 1)? != 0 => Ok(Value::Null),
        None => Err(SqlError::new(state::UNDEFINED_OBJECT, format!("unrecognized configuration parameter \"{name}\""))),
    }
}

/// The session gets it when the statement is done; the rest of the statement sees it already.
fn set_config(ctx: &mut Context, args: &[ValueRef<'_>]) -> SqlResult<Value> {
    if args[0].is_null() {
        return Err(SqlError::new(state::NULL_VALUE_NOT_ALLOWED, "SET requires parameter name"));
    }
    let name = text(args, 0)?;
    let value = if args[1].is_null() { None } else { Some(text(args, 1)?) };
    let local = !args[2].is_null() && int(args, 2)? != 0;
    let Some(configure) = &ctx.configure else {
        return Err(SqlError::unsupported(
            "set_config() in a statement that writes, or reads tables in a block that has written",
        ));
    };
    let shown = configure(name, value, local)?;
    std::sync::Arc::make_mut(&mut ctx.settings).insert(name.to_ascii_lowercase(), shown.clone());
    Ok(Value::Text(shown))
}

/// A transaction's number: when it began, and in the last bits by whom, so that no two have the same one (of one session they
/// begin one after another).
fn transaction(now: i64, pid: i64) -> i64 {
    const BITS: u32 = 12;
    // Multiplicative hashing (Knuth): numbers of sessions are close to each other, and the node's is in their upper bits.
    let session = (pid as u32).wrapping_mul(2_654_435_769) >> (32 - BITS);
    now << BITS | i64::from(session)
}

/// A version 4 UUID from the context's dice.
fn uuid(ctx: &mut Context, _: &[ValueRef<'_>]) -> SqlResult<Value> {
    let bytes = [ctx.random().to_be_bytes(), ctx.random().to_be_bytes()].concat();
    let bytes: [u8; 16] = bytes.try_into().unwrap_or_default();
    Ok(Value::Blob(uuid::Builder::from_random_bytes(bytes).into_uuid().into_bytes().to_vec()))
}

/// Halves are rounded away from zero at each step, and a unit is left at ten times the next one.
fn size_pretty(size: i64) -> String {
    if size.unsigned_abs() < 10 * 1024 {
        return format!("{size} bytes");
    }
    let mut halves = size >> 9;
    for unit in ["kB", "MB", "GB", "TB", "PB"] {
        if halves.unsigned_abs() < 20 * 1024 - 1 || unit == "PB" {
            return format!("{} {unit}", (halves + halves.signum()) / 2);
        }
        halves >>= 10;
    }
    String::new()
}

/// SKIP LOCKED: whether a row (its table's OID, its rowid) belongs to the result. The third argument is the list
/// ([`row_list`]) of the rows that were taken when the statement first ran; before that it is NULL and the locks decide.
fn row_free(ctx: &mut Context, args: &[ValueRef<'_>]) -> SqlResult<Value> {
    let (ValueRef::Int(oid), ValueRef::Int(rowid)) = (args[0], args[1]) else { return Ok(Value::Int(1)) };
    let free = match args[2] {
        ValueRef::Text(list) => is_listed(list, oid, rowid)?,
        _ => ctx.row_free.clone().is_none_or(|free| free(oid as u32, rowid)),
    };
    Ok(Value::Int(free.into()))
}

/// `pg_get_viewdef` of an OID, and whether prettily; NULL if that is not known.
fn show_view(ctx: &mut Context, args: &[ValueRef<'_>]) -> SqlResult<Value> {
    let (ValueRef::Int(oid), ValueRef::Int(pretty)) = (args[0], args[1]) else { return Ok(Value::Null) };
    let known = ctx.show_view.clone().zip(u32::try_from(oid).ok());
    let shown = known.and_then(|(show, oid)| show(oid, pretty != 0, &search_path(ctx)));
    Ok(shown.map_or(Value::Null, Value::Text))
}

/// Rows by their table's OID and their rowid, as `q_row_free` wants them: `;;oid:rowid;…`, in order.
pub fn row_list(mut rows: Vec<(u32, i64)>) -> String {
    rows.sort_unstable();
    rows.dedup();
    let rows: String = rows.iter().map(|(table, rowid)| format!("{table}:{rowid};")).collect();
    format!(";;{rows}")
}

/// Whether a row is in a list. Lists that begin with one semicolon are in no order: logs of before have them.
fn is_listed(list: &str, oid: i64, rowid: i64) -> SqlResult<bool> {
    let Some(list) = list.strip_prefix(";;") else {
        meter::work(list.len() / 64)?;
        return Ok(list.contains(&format!(";{oid}:{rowid};")));
    };
    let (mut from, mut to) = (0, list.len());
    while from < to {
        let middle = from + (to - from) / 2;
        let start = list[from..middle].rfind(';').map_or(from, |at| from + at + 1);
        let end = list[start..to].find(';').map_or(to, |at| start + at);
        let row =
            list[start..end].split_once(':').and_then(|(oid, rowid)| Some((oid.parse().ok()?, rowid.parse().ok()?)));
        let row: (i64, i64) = row.ok_or_else(|| SqlError::internal("a list of rows that is none"))?;
        match row.cmp(&(oid, rowid)) {
            Ordering::Less => from = end + 1,
            Ordering::Equal => return Ok(true),
            Ordering::Greater => to = start,
        }
    }
    Ok(false)
}

/// Bytes of `1.5 GB`. Errors: 22023.
fn size_bytes(size: &str) -> SqlResult<i64> {
    const UNITS: [(&str, i64); 7] =
        [("bytes", 1), ("b", 1), ("kb", 1 << 10), ("mb", 1 << 20), ("gb", 1 << 30), ("tb", 1 << 40), ("pb", 1 << 50)];
    let wrong = || invalid(format!("invalid size: \"{size}\""));
    let trimmed = size.trim_start_matches(|c: char| c.is_ascii_whitespace());
    let digits = |from: usize| trimmed.bytes().skip(from).take_while(u8::is_ascii_digit).count();
    let mut end = usize::from(trimmed.starts_with(['-', '+']));
    let whole = digits(end);
    end += whole;
    if trimmed[end..].starts_with('.') {
        let fraction = digits(end + 1);
        if whole + fraction == 0 {
            return Err(wrong());
        }
        end += 1 + fraction;
    } else if whole == 0 {
        return Err(wrong());
    }
    if trimmed[end..].starts_with(['e', 'E']) {
        let sign = usize::from(trimmed[end + 1..].starts_with(['-', '+']));
        let exponent = digits(end + 1 + sign);
        end += if exponent > 0 { 1 + sign + exponent } else { 0 };
    }
    let (number, unit) = (&trimmed[..end], trimmed[end..].trim());
    let factor = match unit {
        "" => 1,
        unit => match UNITS.iter().find(|(name, _)| name.eq_ignore_ascii_case(unit)) {
            Some((_, factor)) => *factor,
            None => {
                return Err(wrong()
                    .detail(format!("Invalid size unit: \"{unit}\"."))
                    .hint("Valid units are \"bytes\", \"kB\", \"MB\", \"GB\", \"TB\", and \"PB\"."));
            }
        },
    };
    Numeric::parse(number)?.mul(&Numeric::from(factor))?.to_integer(i64::MIN, i64::MAX, "bigint")
}

fn currval(ctx: &mut Context, args: &[ValueRef<'_>]) -> SqlResult<Value> {
    let oid = int(args, 0)? as u32;
    let drawn = ctx.drawn.iter().rev().find(|(sequence, _)| *sequence == oid).map(|(_, value)| *value);
    match drawn.or_else(|| ctx.current.get(&oid).copied()) {
        Some(value) => Ok(Value::Int(value)),
        None => Err(SqlError::new(
            state::OBJECT_NOT_IN_PREREQUISITE_STATE,
            match args.get(1) {
                Some(ValueRef::Text(name)) => {
                    format!("currval of sequence \"{name}\" is not yet defined in this session")
                }
                _ => format!("currval of sequence {oid} is not yet defined in this session"),
            },
        )),
    }
}

fn lastval(ctx: &mut Context, _: &[ValueRef<'_>]) -> SqlResult<Value> {
    let known = ctx.last.and_then(|oid| ctx.current.get(&oid).copied());
    match ctx.drawn.last().map(|(_, value)| *value).or(known) {
        Some(value) => Ok(Value::Int(value)),
        None => {
            Err(SqlError::new(state::OBJECT_NOT_IN_PREREQUISITE_STATE, "lastval is not yet defined in this session"))
        }
    }
}

/// GREATEST and LEAST ignore NULLs, which SQLite's `max` and `min` do not. For types that SQLite orders by itself:
/// numbers before NaN, texts bytewise.
fn extreme(args: &[ValueRef<'_>], wanted: std::cmp::Ordering) -> SqlResult<Value> {
    let mut best = ValueRef::Null;
    for arg in args.iter().filter(|a| !a.is_null()) {
        if best.is_null() || compare(*arg, best) == wanted {
            best = *arg;
        }
    }
    Ok(best.to_owned())
}

/// SQLite's order of values under the collation BINARY.
pub(super) fn compare(a: ValueRef<'_>, b: ValueRef<'_>) -> std::cmp::Ordering {
    use ValueRef::*;
    let class = |v: &ValueRef<'_>| match v {
        Null => 0,
        Int(_) | Real(_) => 1,
        Text(_) => 2,
        Blob(_) => 3,
    };
    match (a, b) {
        (Int(a), Int(b)) => a.cmp(&b),
        (Real(a), Real(b)) => a.total_cmp(&b),
        (Int(a), Real(b)) => (a as f64).total_cmp(&b),
        (Real(a), Int(b)) => a.total_cmp(&(b as f64)),
        (Text(a), Text(b)) => a.cmp(b),
        (Blob(a), Blob(b)) => a.cmp(b),
        (a, b) => class(&a).cmp(&class(&b)),
    }
}

/// A type's SQL name with its modifier, as `\d` shows it.
fn format_type(_: &mut Context, args: &[ValueRef<'_>]) -> SqlResult<Value> {
    if args[0].is_null() {
        return Ok(Value::Null);
    }
    let ty = Type(int(args, 0)? as u32);
    // A modifier not asked for is another thing than none: only with the latter is char(n) without n named bpchar.
    Ok(from_text(match args[1] {
        _ if ty.0 == 0 => "-".to_owned(),
        ValueRef::Null if ty.element() == Some(Type::BPCHAR) => "character[]".to_owned(),
        ValueRef::Null if ty == Type::BPCHAR => "character".to_owned(),
        ValueRef::Null if ty.element() == Some(Type::BIT) => "bit[]".to_owned(),
        ValueRef::Null if ty == Type::BIT => "bit".to_owned(),
        ValueRef::Null => types::format_type(ty, types::NO_TYPMOD),
        _ => types::format_type(ty, int(args, 1)?.max(-1) as i32),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_found_in_lists() {
        let rows = [(7, 5), (7, -12), (7, 3), (19, 3), (7, i64::MAX), (7, 5), (19, i64::MIN)];
        for many in 0..=rows.len() {
            let list = row_list(rows[..many].to_vec());
            let unordered: String = rows[..many].iter().map(|(oid, rowid)| format!("{oid}:{rowid};")).collect();
            for (oid, rowid) in rows.into_iter().chain([(7, 4), (7, -1), (19, 5), (1, 3), (20, 0)]) {
                let meant = Ok(rows[..many].contains(&(oid, rowid)));
                assert_eq!(is_listed(&list, oid.into(), rowid), meant, "{oid}:{rowid} in {list}");
                assert_eq!(is_listed(&format!(";{unordered}"), oid.into(), rowid), meant);
            }
        }
    }
}
