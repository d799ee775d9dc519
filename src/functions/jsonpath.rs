//! `jsonpath`: the functions `jsonb_path_…` and the operators `@?` and `@@`.
//!
//! What may go wrong on a path by itself is suppressed where that is asked for, and by the operators; a path is parsed for
//! each row.

use super::arg::{from_bool, int, text};
use super::table::*;
use super::{Aggregate, Cast, Context, Function, Operator, Scalar, regex};
use crate::error::{SqlError, SqlResult, SqlState};
use crate::meter;
use crate::types::json::{self, Json};
use crate::types::zone::Zone;
use crate::types::{Type, array, datetime, jsonpath};
use crate::value::{Value, ValueRef};

pub const AGGREGATES: &[Aggregate] = &[];
pub const CASTS: &[Cast] = &[];

const JSONB: Type = Type::JSONB;
const PATH: &[Type] = &[JSONB, Type::JSONPATH, JSONB, BOOL];

pub const OPERATORS: &[Operator] = &[
    op("@?", JSONB, Type::JSONPATH, BOOL, "q_path_exists({0}, {1}, NULL, 1)"),
    op("@@", JSONB, Type::JSONPATH, BOOL, "q_path_match({0}, {1}, NULL, 1)"),
];

pub const FUNCTIONS: &[Function] = &[
    func("jsonb_path_exists", PATH, BOOL, "q_path_exists({0}, {1}, {2}, {3})").optional(2),
    func("jsonb_path_match", PATH, BOOL, "q_path_match({0}, {1}, {2}, {3})").optional(2),
    func("jsonb_path_query_array", PATH, JSONB, "q_path_array({0}, {1}, {2}, {3})").optional(2),
    func("jsonb_path_query_first", PATH, JSONB, "q_path_first({0}, {1}, {2}, {3})").optional(2),
    set("jsonb_path_query", PATH, JSONB, "q_unnest(q_path_items({0}, {1}, {2}, {3}))").optional(2),
    func("jsonb_path_exists_tz", PATH, BOOL, "q_path_exists_tz({0}, {1}, {2}, {3})").optional(2).stable(),
    func("jsonb_path_match_tz", PATH, BOOL, "q_path_match_tz({0}, {1}, {2}, {3})").optional(2).stable(),
    func("jsonb_path_query_array_tz", PATH, JSONB, "q_path_array_tz({0}, {1}, {2}, {3})").optional(2).stable(),
    func("jsonb_path_query_first_tz", PATH, JSONB, "q_path_first_tz({0}, {1}, {2}, {3})").optional(2).stable(),
    set("jsonb_path_query_tz", PATH, JSONB, "q_unnest(q_path_items_tz({0}, {1}, {2}, {3}))").optional(2).stable(),
];

pub const SCALARS: &[Scalar] = &[
    scalar("q_path_exists", 4, |_, a| exists(a, None)).lax(),
    scalar("q_path_match", 4, |_, a| matched(a, None)).lax(),
    scalar("q_path_array", 4, |_, a| queried(a, None)).lax(),
    scalar("q_path_first", 4, |_, a| first(a, None)).lax(),
    scalar("q_path_items", 4, |_, a| items(a, None)).lax(),
    scalar("q_path_exists_tz", 4, |ctx, a| exists(a, Some(ctx))).lax().contextual(),
    scalar("q_path_match_tz", 4, |ctx, a| matched(a, Some(ctx))).lax().contextual(),
    scalar("q_path_array_tz", 4, |ctx, a| queried(a, Some(ctx))).lax().contextual(),
    scalar("q_path_first_tz", 4, |ctx, a| first(a, Some(ctx))).lax().contextual(),
    scalar("q_path_items_tz", 4, |ctx, a| items(a, Some(ctx))).lax().contextual(),
];

// The session, where there is one, tells of its zone.

fn exists(a: &[ValueRef<'_>], session: Option<&Context>) -> SqlResult<Value> {
    Ok(found(a, Until::First, session)?.complete().map_or(Value::Null, |items| from_bool(!items.is_empty())))
}

fn matched(a: &[ValueRef<'_>], session: Option<&Context>) -> SqlResult<Value> {
    match found(a, Until::End, session)?.complete().as_deref() {
        None | Some([Json::Null]) => Ok(Value::Null),
        Some([Json::Bool(truth)]) => Ok(from_bool(*truth)),
        Some(_) if silent(a)? => Ok(Value::Null),
        Some(_) => Err(SqlError::new(SqlState::new("22038"), "single boolean result is expected")),
    }
}

fn queried(a: &[ValueRef<'_>], session: Option<&Context>) -> SqlResult<Value> {
    match missing(a) {
        true => Ok(Value::Null),
        false => Ok(Value::Text(Json::Array(found(a, Until::End, session)?.items).to_text())),
    }
}

fn first(a: &[ValueRef<'_>], session: Option<&Context>) -> SqlResult<Value> {
    let first = found(a, Until::End, session)?.items.into_iter().next();
    Ok(first.map_or(Value::Null, |item| Value::Text(item.to_text())))
}

fn items(a: &[ValueRef<'_>], session: Option<&Context>) -> SqlResult<Value> {
    let items = found(a, Until::End, session)?.items;
    let items: Vec<Value> = items.iter().map(|item| Value::Text(item.to_text())).collect();
    array::build(JSONB, &items).map(Value::Blob)
}

/// How far a path is followed.
#[derive(PartialEq)]
enum Until {
    End,
    /// The first item, unless the path is strict: then there must be no error after it, either.
    First,
}

#[derive(Default)]
struct Found {
    items: Vec<Json>,
    /// There was nothing to be found, or an error that is suppressed.
    broken: bool,
}

impl Found {
    /// The items, if all went well.
    fn complete(self) -> Option<Vec<Json>> {
        (!self.broken).then_some(self.items)
    }
}

fn missing(a: &[ValueRef<'_>]) -> bool {
    a[0].is_null() || a[1].is_null()
}

fn silent(a: &[ValueRef<'_>]) -> SqlResult<bool> {
    Ok(!a[3].is_null() && int(a, 3)? != 0)
}

/// The items of `(json, path, variables, silent)`.
fn found(a: &[ValueRef<'_>], until: Until, session: Option<&Context>) -> SqlResult<Found> {
    let mut found = Found::default();
    if missing(a) {
        return Ok(Found { broken: true, ..found });
    }
    let (root, path) = (json::parse(text(a, 0)?)?, jsonpath::parse(text(a, 1)?)?);
    let variables = if a[2].is_null() { None } else { Some(json::parse(text(a, 2)?)?) };
    if variables.as_ref().is_some_and(|v| !matches!(v, Json::Object(_))) {
        return Err(super::arg::invalid("\"vars\" argument is not an object")
            .detail("Jsonpath parameters should be encoded as key-value pairs of \"vars\" object."));
    }
    let on = until == Until::End || path.is_strict();
    let mut take = |item: Json| {
        meter::hold(size_of::<Json>())?;
        found.items.push(item);
        Ok(on)
    };
    let zone = session.map(|session| Zone::find(&session.env.time_zone)).transpose()?;
    let today =
        |zone: &Zone| zone.to_local(session.map_or(0, |session| session.now)).map_or(0, |now| datetime::split(now).0);
    let local = zone.as_ref().map(|zone| (zone, today(zone)));
    let terms = jsonpath::Terms { variables: variables.as_ref(), matches: &matches, local };
    match path.query(&root, terms, &mut take) {
        Ok(()) => {}
        Err(error) if jsonpath::is_of_path(&error) && silent(a)? => found.broken = true,
        Err(error) => return Err(error),
    }
    Ok(found)
}

/// `like_regex`, whose flags are XQuery's.
fn matches(pattern: &str, flags: &str, subject: &str) -> SqlResult<bool> {
    let has = |flag: char| flags.contains(flag);
    let pattern = if has('q') {
        let escaped = |c: char| if c.is_alphanumeric() || c == '_' { vec![c] } else { vec!['\\', c] };
        pattern.chars().flat_map(escaped).collect()
    } else if has('x') {
        return Err(SqlError::unsupported("XQuery \"x\" flag (expanded regular expressions)"));
    } else {
        // Whether a dot matches the end of a line, and whether anchors match at lines.
        let lines = match (has('s'), has('m')) {
            (true, true) => 'w',
            (true, false) => 's',
            (false, true) => 'n',
            (false, false) => 'p',
        };
        format!("(?{lines}){pattern}")
    };
    regex::is_match(&[ValueRef::Text(subject), ValueRef::Text(&pattern)], has('i'))
}
