//! Dates, times and intervals: operators, functions, casts, aggregates.
//!
//! Values of one type compare as the integers they are; intervals and times with zone compare under their collations.
//! The current time comes from [`Context`], and so does the session's zone.

use super::arg::{from_bool, from_text, int, invalid, real, text};
use super::table::*;
use super::{Accumulator, Aggregate, Cast, Collation, Context, Function, Native, Operator, Scalar};
use crate::error::{SqlError, SqlResult, state};
use crate::types::datetime::{self as dt, MICROS_PER_DAY, TimeTz, USECS_PER_SEC};
use crate::types::interval::{self, Interval};
use crate::types::numeric::Numeric;
use crate::types::zone::Zone;
use crate::types::{Type, from_char, to_char};
use crate::value::{Value, ValueRef};

const TIMETZ: Type = Type::TIMETZ;
const TEXT_DATE: &[Type] = &[TEXT, DATE];
const TEXT_TIME: &[Type] = &[TEXT, TIME];
const TEXT_TIMETZ: &[Type] = &[TEXT, TIMETZ];
const TEXT_TS: &[Type] = &[TEXT, TIMESTAMP];
const TEXT_TSTZ: &[Type] = &[TEXT, TIMESTAMPTZ];
const TEXT_IV: &[Type] = &[TEXT, INTERVAL];
const SIX_PARTS: &[Type] = &[INT4, INT4, INT4, INT4, INT4, FLOAT8];

/// The six comparisons of a pair of types: both sides brought to one representation, or under a collation.
const fn compare<const N: usize>(pairs: &[(Type, Type, [&'static str; 6], Native)]) -> [Operator; N] {
    const NAMES: [&str; 6] = ["=", "<>", "<", "<=", ">", ">="];
    assert!(N == 6 * pairs.len());
    let mut all = [const { prefix("", Type::UNSPECIFIED, BOOL, "") }; N];
    let mut i = 0;
    while i < N {
        let (left, right, lower, native) = pairs[i / 6];
        all[i] = op(NAMES[i % 6], left, right, BOOL, lower[i % 6]).native(native);
        i += 1;
    }
    all
}

macro_rules! six {
    ($left:literal, $right:literal) => {
        [
            concat!("(", $left, " = ", $right, ")"),
            concat!("(", $left, " <> ", $right, ")"),
            concat!("(", $left, " < ", $right, ")"),
            concat!("(", $left, " <= ", $right, ")"),
            concat!("(", $left, " > ", $right, ")"),
            concat!("(", $left, " >= ", $right, ")"),
        ]
    };
}

const COMPARISONS: [Operator; 72] = compare(&[
    (DATE, DATE, six!("{0}", "{1}"), Native::Plain),
    (TIME, TIME, six!("{0}", "{1}"), Native::Plain),
    (TIMESTAMP, TIMESTAMP, six!("{0}", "{1}"), Native::Plain),
    (TIMESTAMPTZ, TIMESTAMPTZ, six!("{0}", "{1}"), Native::Plain),
    (INTERVAL, INTERVAL, six!("{0}", "{1} COLLATE pg_interval"), Native::Collated("pg_interval")),
    (TIMETZ, TIMETZ, six!("{0}", "{1} COLLATE pg_timetz"), Native::Collated("pg_timetz")),
    (DATE, TIMESTAMP, six!("q_date_ts_wide({0})", "{1}"), Native::No),
    (TIMESTAMP, DATE, six!("{0}", "q_date_ts_wide({1})"), Native::No),
    (DATE, TIMESTAMPTZ, six!("q_date_tstz_wide({0})", "{1}"), Native::No),
    (TIMESTAMPTZ, DATE, six!("{0}", "q_date_tstz_wide({1})"), Native::No),
    (TIMESTAMP, TIMESTAMPTZ, six!("q_ts_tstz_wide({0})", "{1}"), Native::No),
    (TIMESTAMPTZ, TIMESTAMP, six!("{0}", "q_ts_tstz_wide({1})"), Native::No),
]);

const ARITHMETIC: [Operator; 33] = [
    op("+", DATE, INT4, DATE, "q_date_add({0}, {1})"),
    op("+", INT4, DATE, DATE, "q_date_add({1}, {0})"),
    op("-", DATE, INT4, DATE, "q_date_add({0}, - {1})"),
    op("-", DATE, DATE, INT4, "q_date_sub({0}, {1})"),
    op("+", DATE, INTERVAL, TIMESTAMP, "q_ts_add(q_date_ts({0}), {1})"),
    op("+", INTERVAL, DATE, TIMESTAMP, "q_ts_add(q_date_ts({1}), {0})"),
    op("-", DATE, INTERVAL, TIMESTAMP, "q_ts_add(q_date_ts({0}), q_iv_neg({1}))"),
    op("+", DATE, TIME, TIMESTAMP, "q_date_time({0}, {1})"),
    op("+", TIME, DATE, TIMESTAMP, "q_date_time({1}, {0})"),
    op("+", DATE, TIMETZ, TIMESTAMPTZ, "q_date_timetz({0}, {1})"),
    op("+", TIMETZ, DATE, TIMESTAMPTZ, "q_date_timetz({1}, {0})"),
    op("+", TIMESTAMP, INTERVAL, TIMESTAMP, "q_ts_add({0}, {1})"),
    op("+", INTERVAL, TIMESTAMP, TIMESTAMP, "q_ts_add({1}, {0})"),
    op("-", TIMESTAMP, INTERVAL, TIMESTAMP, "q_ts_add({0}, q_iv_neg({1}))"),
    op("-", TIMESTAMP, TIMESTAMP, INTERVAL, "q_ts_sub({0}, {1})"),
    op("+", TIMESTAMPTZ, INTERVAL, TIMESTAMPTZ, "q_tstz_add({0}, {1})"),
    op("+", INTERVAL, TIMESTAMPTZ, TIMESTAMPTZ, "q_tstz_add({1}, {0})"),
    op("-", TIMESTAMPTZ, INTERVAL, TIMESTAMPTZ, "q_tstz_add({0}, q_iv_neg({1}))"),
    op("-", TIMESTAMPTZ, TIMESTAMPTZ, INTERVAL, "q_ts_sub({0}, {1})"),
    op("+", TIME, INTERVAL, TIME, "q_time_add({0}, {1})"),
    op("+", INTERVAL, TIME, TIME, "q_time_add({1}, {0})"),
    op("-", TIME, INTERVAL, TIME, "q_time_add({0}, q_iv_neg({1}))"),
    op("-", TIME, TIME, INTERVAL, "('0|0|' || ({0} - {1}))"),
    op("+", TIMETZ, INTERVAL, TIMETZ, "q_timetz_add({0}, {1})"),
    op("+", INTERVAL, TIMETZ, TIMETZ, "q_timetz_add({1}, {0})"),
    op("-", TIMETZ, INTERVAL, TIMETZ, "q_timetz_add({0}, q_iv_neg({1}))"),
    op("+", INTERVAL, INTERVAL, INTERVAL, "q_iv_add({0}, {1})"),
    op("-", INTERVAL, INTERVAL, INTERVAL, "q_iv_sub({0}, {1})"),
    op("*", INTERVAL, FLOAT8, INTERVAL, "q_iv_mul({0}, {1})"),
    op("*", FLOAT8, INTERVAL, INTERVAL, "q_iv_mul({1}, {0})"),
    op("/", INTERVAL, FLOAT8, INTERVAL, "q_iv_div({0}, {1})"),
    prefix("-", INTERVAL, INTERVAL, "q_iv_neg({0})"),
    prefix("+", INTERVAL, INTERVAL, "{0}"),
];

pub const OPERATORS: &[Operator] = &{
    let mut all = [const { prefix("", Type::UNSPECIFIED, BOOL, "") }; 105];
    let mut i = 0;
    while i < all.len() {
        let row = if i < 72 { &COMPARISONS[i] } else { &ARITHMETIC[i - 72] };
        all[i] = Operator {
            name: row.name,
            left: row.left,
            right: row.right,
            result: row.result,
            lower: row.lower,
            native: row.native,
        };
        i += 1;
    }
    all
};

pub const FUNCTIONS: &[Function] = &[
    // The present.
    func("now", &[], TIMESTAMPTZ, "q_now()").stable(),
    func("transaction_timestamp", &[], TIMESTAMPTZ, "q_now()").stable(),
    func("statement_timestamp", &[], TIMESTAMPTZ, "q_clock()").stable(),
    func("clock_timestamp", &[], TIMESTAMPTZ, "q_clock()").volatile(),
    func("timeofday", &[], TEXT, "q_timeofday()").volatile(),
    func("current_timestamp", &[], TIMESTAMPTZ, "q_now()").stable(),
    func("current_timestamp", &[INT4], TIMESTAMPTZ, "q_ts_round(q_now(), {0})").stable(),
    func("localtimestamp", &[], TIMESTAMP, "q_tstz_ts(q_now())").stable(),
    func("localtimestamp", &[INT4], TIMESTAMP, "q_ts_round(q_tstz_ts(q_now()), {0})").stable(),
    func("current_date", &[], DATE, "q_tstz_date(q_now())").stable(),
    func("localtime", &[], TIME, "q_tstz_time(q_now())").stable(),
    func("localtime", &[INT4], TIME, "q_time_round(q_tstz_time(q_now()), {0})").stable(),
    func("current_time", &[], TIMETZ, "q_tstz_timetz(q_now(), -1)").stable(),
    func("current_time", &[INT4], TIMETZ, "q_tstz_timetz(q_now(), {0})").stable(),
    // Parts.
    func("extract", TEXT_DATE, NUMERIC, "q_extract_date({0}, {1})"),
    func("extract", TEXT_TIME, NUMERIC, "q_extract_time({0}, {1})"),
    func("extract", TEXT_TIMETZ, NUMERIC, "q_extract_timetz({0}, {1})"),
    func("extract", TEXT_TS, NUMERIC, "q_extract_ts({0}, {1})"),
    func("extract", TEXT_TSTZ, NUMERIC, "q_extract_tstz({0}, {1})").stable(),
    func("extract", TEXT_IV, NUMERIC, "q_extract_iv({0}, {1})"),
    func("date_part", TEXT_DATE, FLOAT8, "q_num_f8(q_extract_ts({0}, q_date_ts({1})))"),
    func("date_part", TEXT_TIME, FLOAT8, "q_num_f8(q_extract_time({0}, {1}))"),
    func("date_part", TEXT_TIMETZ, FLOAT8, "q_num_f8(q_extract_timetz({0}, {1}))"),
    func("date_part", TEXT_TS, FLOAT8, "q_num_f8(q_extract_ts({0}, {1}))"),
    func("date_part", TEXT_TSTZ, FLOAT8, "q_num_f8(q_extract_tstz({0}, {1}))").stable(),
    func("date_part", TEXT_IV, FLOAT8, "q_num_f8(q_extract_iv({0}, {1}))"),
    func("date_trunc", TEXT_TS, TIMESTAMP, "q_trunc_ts({0}, {1})"),
    func("date_trunc", TEXT_TSTZ, TIMESTAMPTZ, "q_trunc_tstz({0}, {1})").stable(),
    func("date_trunc", &[TEXT, TIMESTAMPTZ, TEXT], TIMESTAMPTZ, "q_trunc_tstz_in({0}, {1}, {2})").stable(),
    func("date_trunc", TEXT_IV, INTERVAL, "q_trunc_iv({0}, {1})"),
    func("date_bin", &[INTERVAL, TIMESTAMP, TIMESTAMP], TIMESTAMP, "q_date_bin({0}, {1}, {2})"),
    func("date_bin", &[INTERVAL, TIMESTAMPTZ, TIMESTAMPTZ], TIMESTAMPTZ, "q_date_bin({0}, {1}, {2})"),
    // Zones.
    func("timezone", TEXT_TS, TIMESTAMPTZ, "q_zone_ts({0}, {1})"),
    func("timezone", TEXT_TSTZ, TIMESTAMP, "q_zone_tstz({0}, {1})"),
    func("timezone", &[INTERVAL, TIMESTAMP], TIMESTAMPTZ, "q_zone_iv_ts({0}, {1})"),
    func("timezone", &[INTERVAL, TIMESTAMPTZ], TIMESTAMP, "q_zone_iv_tstz({0}, {1})"),
    func("timezone", TEXT_TIMETZ, TIMETZ, "q_zone_timetz({0}, {1})").stable(),
    func("timezone", &[INTERVAL, TIMETZ], TIMETZ, "q_zone_iv_timetz({0}, {1})"),
    func("timestamptz", &[DATE, TIME], TIMESTAMPTZ, "q_ts_tstz(q_date_time({0}, {1}))").stable(),
    func("timestamptz", &[DATE, TIMETZ], TIMESTAMPTZ, "q_date_timetz({0}, {1})"),
    // Whether two periods share a moment.
    func("overlaps", &[TIMESTAMP, TIMESTAMP, TIMESTAMP, TIMESTAMP], BOOL, "q_overlaps({*})"),
    func(
        "overlaps",
        &[TIMESTAMP, INTERVAL, TIMESTAMP, TIMESTAMP],
        BOOL,
        "q_overlaps({0}, q_ts_add({0}, {1}), {2}, {3})",
    ),
    func(
        "overlaps",
        &[TIMESTAMP, TIMESTAMP, TIMESTAMP, INTERVAL],
        BOOL,
        "q_overlaps({0}, {1}, {2}, q_ts_add({2}, {3}))",
    ),
    func(
        "overlaps",
        &[TIMESTAMP, INTERVAL, TIMESTAMP, INTERVAL],
        BOOL,
        "q_overlaps({0}, q_ts_add({0}, {1}), {2}, q_ts_add({2}, {3}))",
    ),
    func("overlaps", &[TIMESTAMPTZ, TIMESTAMPTZ, TIMESTAMPTZ, TIMESTAMPTZ], BOOL, "q_overlaps({*})"),
    func(
        "overlaps",
        &[TIMESTAMPTZ, INTERVAL, TIMESTAMPTZ, TIMESTAMPTZ],
        BOOL,
        "q_overlaps({0}, q_tstz_add({0}, {1}), {2}, {3})",
    )
    .stable(),
    func(
        "overlaps",
        &[TIMESTAMPTZ, TIMESTAMPTZ, TIMESTAMPTZ, INTERVAL],
        BOOL,
        "q_overlaps({0}, {1}, {2}, q_tstz_add({2}, {3}))",
    )
    .stable(),
    func(
        "overlaps",
        &[TIMESTAMPTZ, INTERVAL, TIMESTAMPTZ, INTERVAL],
        BOOL,
        "q_overlaps({0}, q_tstz_add({0}, {1}), {2}, q_tstz_add({2}, {3}))",
    )
    .stable(),
    func("overlaps", &[TIME, TIME, TIME, TIME], BOOL, "q_overlaps({*})"),
    func("overlaps", &[TIME, INTERVAL, TIME, TIME], BOOL, "q_overlaps({0}, q_time_add({0}, {1}), {2}, {3})"),
    func("overlaps", &[TIME, TIME, TIME, INTERVAL], BOOL, "q_overlaps({0}, {1}, {2}, q_time_add({2}, {3}))"),
    func(
        "overlaps",
        &[TIME, INTERVAL, TIME, INTERVAL],
        BOOL,
        "q_overlaps({0}, q_time_add({0}, {1}), {2}, q_time_add({2}, {3}))",
    ),
    // Differences.
    // Transactions are not counted: none is old.
    func("age", &[Type::XID], INT4, "iif({0} IS NULL, NULL, 0)").stable(),
    func("age", &[TIMESTAMP, TIMESTAMP], INTERVAL, "q_age({0}, {1})"),
    func("age", &[TIMESTAMPTZ, TIMESTAMPTZ], INTERVAL, "q_age(q_tstz_ts({0}), q_tstz_ts({1}))").stable(),
    func("age", &[TIMESTAMP], INTERVAL, "q_age(q_date_ts(q_tstz_date(q_now())), {0})").stable(),
    func("age", &[TIMESTAMPTZ], INTERVAL, "q_age(q_date_ts(q_tstz_date(q_now())), q_tstz_ts({0}))").stable(),
    func("justify_days", &[INTERVAL], INTERVAL, "q_justify_days({0})"),
    func("justify_hours", &[INTERVAL], INTERVAL, "q_justify_hours({0})"),
    func("justify_interval", &[INTERVAL], INTERVAL, "q_justify({0})"),
    func("isfinite", &[DATE], BOOL, "({0} NOT IN (-2147483648, 2147483647))"),
    func("isfinite", &[TIMESTAMP], BOOL, "q_finite({0})"),
    func("isfinite", &[TIMESTAMPTZ], BOOL, "q_finite({0})"),
    func("isfinite", &[INTERVAL], BOOL, "({0} IS NOT NULL)"),
    // Construction.
    func("make_date", &[INT4, INT4, INT4], DATE, "q_make_date({0}, {1}, {2})"),
    func("make_time", &[INT4, INT4, FLOAT8], TIME, "q_make_time({0}, {1}, {2})"),
    func("make_timestamp", SIX_PARTS, TIMESTAMP, "q_make_timestamp({*})"),
    func("make_timestamptz", SIX_PARTS, TIMESTAMPTZ, "q_ts_tstz(q_make_timestamp({*}))").stable(),
    func(
        "make_timestamptz",
        &[INT4, INT4, INT4, INT4, INT4, FLOAT8, TEXT],
        TIMESTAMPTZ,
        "q_offset_ts({6}, q_make_timestamp({0}, {1}, {2}, {3}, {4}, {5}))",
    )
    .stable(),
    // One row for each number of arguments: the others are zero.
    func("make_interval", &[], INTERVAL, "'0|0|0'"),
    func("make_interval", &[INT4], INTERVAL, "q_make_interval({0}, 0, 0, 0, 0, 0, 0.0)"),
    func("make_interval", &[INT4, INT4], INTERVAL, "q_make_interval({0}, {1}, 0, 0, 0, 0, 0.0)"),
    func("make_interval", &[INT4, INT4, INT4], INTERVAL, "q_make_interval({0}, {1}, {2}, 0, 0, 0, 0.0)"),
    func("make_interval", &[INT4, INT4, INT4, INT4], INTERVAL, "q_make_interval({0}, {1}, {2}, {3}, 0, 0, 0.0)"),
    func(
        "make_interval",
        &[INT4, INT4, INT4, INT4, INT4],
        INTERVAL,
        "q_make_interval({0}, {1}, {2}, {3}, {4}, 0, 0.0)",
    ),
    func(
        "make_interval",
        &[INT4, INT4, INT4, INT4, INT4, INT4],
        INTERVAL,
        "q_make_interval({0}, {1}, {2}, {3}, {4}, {5}, 0.0)",
    ),
    func(
        "make_interval",
        &[INT4, INT4, INT4, INT4, INT4, INT4, FLOAT8],
        INTERVAL,
        "q_make_interval({0}, {1}, {2}, {3}, {4}, {5}, {6})",
    ),
    func("to_timestamp", &[FLOAT8], TIMESTAMPTZ, "q_from_unix({0})"),
    func("to_timestamp", &[TEXT, TEXT], TIMESTAMPTZ, "q_to_timestamp({0}, {1})").stable(),
    func("to_date", &[TEXT, TEXT], DATE, "q_to_date({0}, {1})").stable(),
    func("to_char", &[TIMESTAMP, TEXT], TEXT, "q_to_char_ts({0}, {1})").stable(),
    func("to_char", &[TIMESTAMPTZ, TEXT], TEXT, "q_to_char_tstz({0}, {1})").stable(),
    func("to_char", &[INTERVAL, TEXT], TEXT, "q_to_char_iv({0}, {1})").stable(),
    // Casts that are written as calls.
    func("date", &[TIMESTAMP], DATE, "q_ts_date({0})"),
    func("date", &[TIMESTAMPTZ], DATE, "q_tstz_date({0})").stable(),
    set("generate_series", &[TIMESTAMP, TIMESTAMP, INTERVAL], TIMESTAMP, "q_series_ts({0}, {1}, {2})"),
    set(
        "generate_series",
        &[TIMESTAMPTZ, TIMESTAMPTZ, INTERVAL],
        TIMESTAMPTZ,
        "q_series_tstz({0}, {1}, {2}, q_session_zone())",
    )
    .stable(),
    // min and max of dates and timestamps are plain integers and stand with the other aggregates.
    aggregate("min", &[INTERVAL], INTERVAL, "min({0})"),
    aggregate("max", &[INTERVAL], INTERVAL, "max({0})"),
    aggregate("min", &[TIMETZ], TIMETZ, "min({0})"),
    aggregate("max", &[TIMETZ], TIMETZ, "max({0})"),
    aggregate("sum", &[INTERVAL], INTERVAL, "q_iv_sum({0})"),
    aggregate("sum", &[TIME], INTERVAL, "q_iv_sum('0|0|' || {0})"),
    aggregate("avg", &[INTERVAL], INTERVAL, "q_iv_avg({0})"),
    aggregate("avg", &[TIME], INTERVAL, "q_iv_avg('0|0|' || {0})"),
];

/// Only storing and explicit casts carry a modifier.
pub const CASTS: &[Cast] = &[
    implicit(DATE, TIMESTAMP, "q_date_ts({0})"),
    implicit(DATE, TIMESTAMPTZ, "q_date_tstz({0})"),
    implicit(TIMESTAMP, TIMESTAMPTZ, "q_ts_tstz({0})"),
    assignment(TIMESTAMP, TIMESTAMPTZ, "q_ts_round(q_ts_tstz({0}), {typmod})"),
    assignment(TIMESTAMP, DATE, "q_ts_date({0})"),
    assignment(TIMESTAMP, TIME, "q_time_round(q_ts_time({0}), {typmod})"),
    assignment(TIMESTAMPTZ, TIMESTAMP, "q_ts_round(q_tstz_ts({0}), {typmod})"),
    assignment(TIMESTAMPTZ, DATE, "q_tstz_date({0})"),
    assignment(TIMESTAMPTZ, TIME, "q_time_round(q_tstz_time({0}), {typmod})"),
    assignment(TIMESTAMPTZ, TIMETZ, "q_tstz_timetz({0}, {typmod})"),
    implicit(TIME, INTERVAL, "('0|0|' || {0})"),
    assignment(TIME, INTERVAL, "q_iv_typmod('0|0|' || {0}, {typmod})"),
    implicit(TIME, TIMETZ, "q_time_timetz({0})"),
    assignment(TIME, TIMETZ, "q_timetz_round(q_time_timetz({0}), {typmod})"),
    assignment(TIMETZ, TIME, "q_time_round(q_timetz_time({0}), {typmod})"),
    assignment(INTERVAL, TIME, "q_time_round(q_iv_time({0}), {typmod})"),
    implicit(TIMESTAMP, TIMESTAMP, "{0}"),
    assignment(TIMESTAMP, TIMESTAMP, "q_ts_round({0}, {typmod})"),
    implicit(TIMESTAMPTZ, TIMESTAMPTZ, "{0}"),
    assignment(TIMESTAMPTZ, TIMESTAMPTZ, "q_ts_round({0}, {typmod})"),
    implicit(TIME, TIME, "{0}"),
    assignment(TIME, TIME, "q_time_round({0}, {typmod})"),
    implicit(TIMETZ, TIMETZ, "{0}"),
    assignment(TIMETZ, TIMETZ, "q_timetz_round({0}, {typmod})"),
    implicit(INTERVAL, INTERVAL, "{0}"),
    assignment(INTERVAL, INTERVAL, "q_iv_typmod({0}, {typmod})"),
];

pub const COLLATIONS: &[Collation] = &[
    Collation { name: "pg_interval", compare: interval::compare_text },
    Collation { name: "pg_timetz", compare: dt::compare_timetz },
];

fn iv(args: &[ValueRef<'_>], i: usize) -> SqlResult<Interval> {
    Interval::stored(text(args, i)?)
}

fn timetz(args: &[ValueRef<'_>], i: usize) -> SqlResult<TimeTz> {
    TimeTz::stored(text(args, i)?)
}

/// Two periods, each of two ends in any order, one of which may be unknown: NULL if it depends on what is not known.
fn overlaps(a: &[ValueRef<'_>]) -> SqlResult<Value> {
    let end = |i: usize| if a[i].is_null() { Ok(None) } else { int(a, i).map(Some) };
    let period = |i: usize| -> SqlResult<Option<(i64, Option<i64>)>> {
        Ok(match (end(i)?, end(i + 1)?) {
            (None, None) => None,
            (Some(one), None) | (None, Some(one)) => Some((one, None)),
            (Some(one), Some(other)) => Some((one.min(other), Some(one.max(other)))),
        })
    };
    let (Some(one), Some(other)) = (period(0)?, period(2)?) else { return Ok(Value::Null) };
    if one.0 == other.0 {
        // They share the moment at which they begin, unless one might be empty.
        return Ok(if one.1.is_none() || other.1.is_none() { Value::Null } else { from_bool(true) });
    }
    let (first, second) = if one.0 < other.0 { (one, other) } else { (other, one) };
    Ok(match first.1 {
        None => Value::Null,
        Some(end) if second.0 < end => from_bool(true),
        Some(_) if second.1.is_none() => Value::Null,
        Some(_) => from_bool(false),
    })
}

fn from_iv(interval: Interval) -> SqlResult<Value> {
    Ok(Value::Text(interval.encode()))
}

fn from_int(n: i64) -> SqlResult<Value> {
    Ok(Value::Int(n))
}

fn from_num(n: Option<Numeric>) -> SqlResult<Value> {
    Ok(n.map_or(Value::Null, |n| Value::Text(n.to_string())))
}

fn session(ctx: &Context) -> SqlResult<Zone> {
    Zone::find(&ctx.env.time_zone)
}

/// Local time of a timestamptz.
fn local(ctx: &Context, utc: i64) -> SqlResult<i64> {
    dt::utc_to_local(utc, &session(ctx)?)
}

/// µs of day of a timestamp; NULL for infinities.
fn time_of(timestamp: i64) -> Value {
    if dt::is_infinite(timestamp) { Value::Null } else { Value::Int(dt::split(timestamp).1) }
}

/// A moment some days away; beyond the first and the last one there are the infinities.
fn near(moment: i64, days: i64) -> i64 {
    if dt::is_infinite(moment) {
        return moment;
    }
    let beyond = if days < 0 { dt::TIMESTAMP_NEG_INFINITY } else { dt::TIMESTAMP_INFINITY };
    dt::check_timestamp(moment.checked_add(days * MICROS_PER_DAY)).unwrap_or(beyond)
}

/// A date beyond all timestamps compares as an infinity would.
fn date_wide(days: i64) -> i64 {
    dt::date_to_timestamp(days).unwrap_or(if days > 0 { dt::TIMESTAMP_INFINITY } else { dt::TIMESTAMP_NEG_INFINITY })
}

pub const SCALARS: &[Scalar] = &[
    scalar("q_now", 0, |ctx, _| from_int(ctx.now)).contextual(),
    scalar("q_clock", 0, |ctx, _| from_int(ctx.clock)).contextual(),
    scalar("q_timeofday", 0, |ctx, _| {
        let shown = local(ctx, ctx.clock)?;
        let zone = to_char::zone_of(ctx.clock, &session(ctx)?);
        to_char::timestamp(shown, Some(zone), "Dy Mon DD HH24:MI:SS.US YYYY TZ").map(from_text)
    })
    .contextual(),
    // Bounds of what a moment is on another clock: so many days away, as far as there are any.
    scalar("q_near_ts", 2, |_, a| from_int(near(int(a, 0)?, int(a, 1)?))),
    scalar("q_near_date", 2, |_, a| from_int(dt::timestamp_to_date(near(int(a, 0)?, int(a, 1)?)))),
    // Conversions.
    scalar("q_date_ts", 1, |_, a| from_int(dt::date_to_timestamp(int(a, 0)?)?)),
    scalar("q_date_ts_wide", 1, |_, a| from_int(date_wide(int(a, 0)?))),
    scalar("q_date_tstz", 1, |ctx, a| from_int(dt::local_to_utc(dt::date_to_timestamp(int(a, 0)?)?, &session(ctx)?)?))
        .contextual(),
    scalar("q_date_tstz_wide", 1, |ctx, a| {
        let wide = date_wide(int(a, 0)?);
        from_int(dt::local_to_utc(wide, &session(ctx)?).unwrap_or(wide))
    })
    .contextual(),
    scalar("q_ts_tstz", 1, |ctx, a| from_int(dt::local_to_utc(int(a, 0)?, &session(ctx)?)?)).contextual(),
    scalar("q_ts_tstz_wide", 1, |ctx, a| {
        let local = int(a, 0)?;
        // Only infinities are beyond what is out of range.
        let beyond = if local > 0 { dt::TIMESTAMP_INFINITY - 1 } else { dt::TIMESTAMP_NEG_INFINITY + 1 };
        from_int(dt::local_to_utc(local, &session(ctx)?).unwrap_or(beyond))
    })
    .contextual(),
    scalar("q_tstz_ts", 1, |ctx, a| from_int(local(ctx, int(a, 0)?)?)).contextual(),
    scalar("q_ts_date", 1, |_, a| from_int(dt::timestamp_to_date(int(a, 0)?))),
    scalar("q_tstz_date", 1, |ctx, a| from_int(dt::timestamp_to_date(local(ctx, int(a, 0)?)?))).contextual(),
    scalar("q_ts_time", 1, |_, a| Ok(time_of(int(a, 0)?))),
    scalar("q_tstz_time", 1, |ctx, a| Ok(time_of(local(ctx, int(a, 0)?)?))).contextual(),
    scalar("q_tstz_timetz", 2, |ctx, a| {
        let utc = int(a, 0)?;
        if dt::is_infinite(utc) {
            return Ok(Value::Null);
        }
        let micros = dt::time_typmod(dt::split(local(ctx, utc)?).1, int(a, 1)? as i32);
        Ok(Value::Text(TimeTz { micros, offset: session(ctx)?.offset_at(utc.div_euclid(USECS_PER_SEC)) }.encode()))
    })
    .contextual(),
    scalar("q_time_timetz", 1, |ctx, a| {
        let offset = session(ctx)?.offset_at(ctx.now.div_euclid(USECS_PER_SEC));
        Ok(Value::Text(TimeTz { micros: int(a, 0)?, offset }.encode()))
    })
    .contextual(),
    scalar("q_timetz_time", 1, |_, a| from_int(timetz(a, 0)?.micros)),
    scalar("q_iv_time", 1, |_, a| from_int(iv(a, 0)?.micros.rem_euclid(MICROS_PER_DAY))),
    scalar("q_ts_round", 2, |_, a| from_int(dt::timestamp_typmod(int(a, 0)?, int(a, 1)? as i32)?)),
    scalar("q_time_round", 2, |_, a| from_int(dt::time_typmod(int(a, 0)?, int(a, 1)? as i32))),
    scalar("q_timetz_round", 2, |_, a| {
        let time = timetz(a, 0)?;
        Ok(Value::Text(TimeTz { micros: dt::time_typmod(time.micros, int(a, 1)? as i32), ..time }.encode()))
    }),
    scalar("q_iv_typmod", 2, |_, a| from_iv(iv(a, 0)?.with_typmod(int(a, 1)? as i32)?)),
    // Arithmetic.
    scalar("q_date_add", 2, |_, a| {
        let (days, n) = (int(a, 0)?, int(a, 1)?);
        if dt::is_infinite_date(days) {
            return from_int(days);
        }
        from_int(dt::check_date(days + n)?)
    }),
    scalar("q_date_sub", 2, |_, a| {
        let (x, y) = (int(a, 0)?, int(a, 1)?);
        if dt::is_infinite_date(x) || dt::is_infinite_date(y) {
            return Err(SqlError::new(state::DATETIME_FIELD_OVERFLOW, "cannot subtract infinite dates"));
        }
        from_int(x - y)
    }),
    scalar("q_date_time", 2, |_, a| {
        let midnight = dt::date_to_timestamp(int(a, 0)?)?;
        if dt::is_infinite(midnight) {
            return from_int(midnight);
        }
        from_int(dt::check_timestamp(midnight.checked_add(int(a, 1)?))?)
    }),
    scalar("q_date_timetz", 2, |_, a| {
        let (midnight, time) = (dt::date_to_timestamp(int(a, 0)?)?, timetz(a, 1)?);
        if dt::is_infinite(midnight) {
            return from_int(midnight);
        }
        let shift = time.micros - i64::from(time.offset) * USECS_PER_SEC;
        from_int(dt::check_timestamp(midnight.checked_add(shift))?)
    }),
    scalar("q_ts_add", 2, |_, a| from_int(dt::timestamp_plus(int(a, 0)?, &iv(a, 1)?)?)),
    scalar("q_tstz_add", 2, |ctx, a| from_int(dt::timestamptz_plus(int(a, 0)?, &iv(a, 1)?, &session(ctx)?)?))
        .contextual(),
    scalar("q_ts_sub", 2, |_, a| from_iv(dt::timestamp_minus(int(a, 0)?, int(a, 1)?)?)),
    scalar("q_time_add", 2, |_, a| {
        from_int((int(a, 0)? + iv(a, 1)?.micros % MICROS_PER_DAY).rem_euclid(MICROS_PER_DAY))
    }),
    scalar("q_timetz_add", 2, |_, a| {
        let time = timetz(a, 0)?;
        let micros = (time.micros + iv(a, 1)?.micros % MICROS_PER_DAY).rem_euclid(MICROS_PER_DAY);
        Ok(Value::Text(TimeTz { micros, ..time }.encode()))
    }),
    scalar("q_iv_add", 2, |_, a| from_iv(iv(a, 0)?.checked_add(&iv(a, 1)?)?)),
    scalar("q_iv_sub", 2, |_, a| from_iv(iv(a, 0)?.checked_sub(&iv(a, 1)?)?)),
    scalar("q_iv_neg", 1, |_, a| from_iv(iv(a, 0)?.checked_neg()?)),
    scalar("q_iv_mul", 2, |_, a| from_iv(iv(a, 0)?.mul(real(a, 1)?)?)),
    scalar("q_iv_div", 2, |_, a| from_iv(iv(a, 0)?.div(real(a, 1)?)?)),
    scalar("q_age", 2, |_, a| from_iv(dt::age(int(a, 0)?, int(a, 1)?)?)),
    scalar("q_justify_days", 1, |_, a| from_iv(iv(a, 0)?.justify_days()?)),
    scalar("q_justify_hours", 1, |_, a| from_iv(iv(a, 0)?.justify_hours()?)),
    scalar("q_justify", 1, |_, a| from_iv(iv(a, 0)?.justify()?)),
    scalar("q_finite", 1, |_, a| from_int((!dt::is_infinite(int(a, 0)?)).into())),
    // Parts.
    scalar("q_extract_date", 2, |_, a| from_num(dt::extract_date(text(a, 0)?, int(a, 1)?)?)),
    scalar("q_extract_time", 2, |_, a| from_num(dt::extract_time(text(a, 0)?, int(a, 1)?)?)),
    scalar("q_extract_timetz", 2, |_, a| from_num(dt::extract_timetz(text(a, 0)?, timetz(a, 1)?)?)),
    scalar("q_extract_ts", 2, |_, a| from_num(dt::extract_timestamp(text(a, 0)?, int(a, 1)?, None)?)),
    scalar("q_extract_tstz", 2, |ctx, a| {
        from_num(dt::extract_timestamp(text(a, 0)?, int(a, 1)?, Some(&session(ctx)?))?)
    })
    .contextual(),
    scalar("q_extract_iv", 2, |_, a| from_num(dt::extract_interval(text(a, 0)?, &iv(a, 1)?)?)),
    scalar("q_trunc_ts", 2, |_, a| from_int(dt::trunc_timestamp(text(a, 0)?, int(a, 1)?, TIMESTAMP)?)),
    scalar("q_trunc_tstz", 2, |ctx, a| from_int(dt::trunc_timestamptz(text(a, 0)?, int(a, 1)?, &session(ctx)?)?))
        .contextual(),
    scalar("q_trunc_tstz_in", 3, |_, a| {
        from_int(dt::trunc_timestamptz(text(a, 0)?, int(a, 1)?, &dt::named_zone(text(a, 2)?)?)?)
    }),
    scalar("q_trunc_iv", 2, |_, a| from_iv(dt::trunc_interval(text(a, 0)?, &iv(a, 1)?)?)),
    scalar("q_date_bin", 3, |_, a| from_int(dt::bin(&iv(a, 0)?, int(a, 1)?, int(a, 2)?)?)),
    // Zones.
    scalar("q_zone_ts", 2, |_, a| from_int(dt::local_to_utc(int(a, 1)?, &dt::named_zone(text(a, 0)?)?)?)),
    scalar("q_offset_ts", 2, |_, a| from_int(dt::local_to_utc(int(a, 1)?, &dt::signed_zone(text(a, 0)?)?)?)),
    scalar("q_zone_tstz", 2, |_, a| from_int(dt::utc_to_local(int(a, 1)?, &dt::named_zone(text(a, 0)?)?)?)),
    scalar("q_zone_iv_ts", 2, |_, a| from_int(dt::local_to_utc(int(a, 1)?, &interval_zone(&iv(a, 0)?)?)?)),
    scalar("q_zone_iv_tstz", 2, |_, a| from_int(dt::utc_to_local(int(a, 1)?, &interval_zone(&iv(a, 0)?)?)?)),
    scalar("q_zone_timetz", 2, |ctx, a| {
        let (zone, time) = (dt::named_zone(text(a, 0)?)?, timetz(a, 1)?);
        Ok(in_zone(time, zone.offset_at(ctx.now.div_euclid(USECS_PER_SEC))))
    })
    .contextual(),
    scalar("q_zone_iv_timetz", 2, |_, a| Ok(in_zone(timetz(a, 1)?, interval_zone(&iv(a, 0)?)?.offset_at(0)))),
    // Construction and templates.
    scalar("q_make_date", 3, |_, a| from_int(dt::make_date(int(a, 0)?, int(a, 1)?, int(a, 2)?)?)),
    scalar("q_make_time", 3, |_, a| from_int(dt::make_time(int(a, 0)?, int(a, 1)?, real(a, 2)?)?)),
    scalar("q_make_timestamp", 6, |_, a| {
        let (hour, minute, second) = (int(a, 3)?, int(a, 4)?, real(a, 5)?);
        from_int(dt::make_timestamp(int(a, 0)?, int(a, 1)?, int(a, 2)?, hour, minute, second)?)
    }),
    scalar("q_overlaps", 4, |_, a| overlaps(a)).lax(),
    scalar("q_make_interval", 7, |_, a| {
        let part = |i| int(a, i).map(|n| n as i32);
        from_iv(interval::make(part(0)?, part(1)?, part(2)?, part(3)?, part(4)?, part(5)?, real(a, 6)?)?)
    }),
    scalar("q_from_unix", 1, |_, a| from_int(dt::from_unix(real(a, 0)?)?)),
    scalar("q_to_timestamp", 2, |ctx, a| {
        from_int(from_char::parse_timestamp(text(a, 0)?, text(a, 1)?, &session(ctx)?)?)
    })
    .contextual(),
    scalar("q_to_date", 2, |_, a| from_int(from_char::parse_date(text(a, 0)?, text(a, 1)?)?)),
    scalar("q_to_char_ts", 2, |_, a| {
        let (timestamp, template) = (int(a, 0)?, text(a, 1)?);
        if dt::is_infinite(timestamp) || template.is_empty() {
            return Ok(Value::Null);
        }
        to_char::timestamp(timestamp, None, template).map(from_text)
    }),
    scalar("q_to_char_tstz", 2, |ctx, a| {
        let (utc, template) = (int(a, 0)?, text(a, 1)?);
        if dt::is_infinite(utc) || template.is_empty() {
            return Ok(Value::Null);
        }
        let zone = to_char::zone_of(utc, &session(ctx)?);
        to_char::timestamp(local(ctx, utc)?, Some(zone), template).map(from_text)
    })
    .contextual(),
    scalar("q_to_char_iv", 2, |_, a| match text(a, 1)? {
        "" => Ok(Value::Null),
        template => to_char::interval(&iv(a, 0)?, template).map(from_text),
    }),
    scalar("q_session_zone", 0, |ctx, _| Ok(from_text(&*ctx.env.time_zone))).contextual(),
];

/// The same moment of the day at another offset.
fn in_zone(time: TimeTz, offset: i32) -> Value {
    let micros = time.micros + i64::from(offset - time.offset) * USECS_PER_SEC;
    Value::Text(TimeTz { micros: micros.rem_euclid(MICROS_PER_DAY), offset }.encode())
}

/// The zone of AT TIME ZONE INTERVAL.
fn interval_zone(interval: &Interval) -> SqlResult<Zone> {
    if interval.months != 0 || interval.days != 0 {
        let mut shown = String::new();
        interval::write(interval, crate::types::IntervalStyle::Postgres, &mut shown);
        return Err(invalid(format!("interval time zone \"{shown}\" must not include months or days")));
    }
    Ok(Zone::Fixed((interval.micros / USECS_PER_SEC) as i32))
}

/// The rows of `generate_series`: start, stop, step, and the zone for timestamps with one.
pub(super) fn series(args: &[ValueRef<'_>]) -> SqlResult<impl Iterator<Item = SqlResult<Value>> + Send + use<>> {
    let (start, stop, step) = (int(args, 0)?, int(args, 1)?, iv(args, 2)?);
    let zone = if args.len() > 3 { Zone::find(text(args, 3)?)? } else { Zone::Utc };
    let direction = step.span().signum();
    if direction == 0 {
        return Err(invalid("step size cannot equal zero"));
    }
    if dt::is_infinite(start) || dt::is_infinite(stop) {
        return Err(invalid("start and stop of a series must be finite"));
    }
    let mut next = Some(start);
    Ok(std::iter::from_fn(move || {
        let at = next.take().filter(|at| if direction > 0 { *at <= stop } else { *at >= stop })?;
        match dt::timestamptz_plus(at, &step, &zone) {
            Ok(after) => next = Some(after),
            Err(error) => return Some(Err(error)),
        }
        Some(Ok(Value::Int(at)))
    }))
}

// ---- aggregates ----

pub const AGGREGATES: &[Aggregate] = &[
    accumulator("q_iv_sum", 1, || Box::new(IntervalTotal { average: false, sum: Interval::default(), count: 0 })),
    accumulator("q_iv_avg", 1, || Box::new(IntervalTotal { average: true, sum: Interval::default(), count: 0 })),
];

struct IntervalTotal {
    average: bool,
    sum: Interval,
    count: i64,
}

impl Accumulator for IntervalTotal {
    fn step(&mut self, _: &mut Context, args: &[ValueRef<'_>]) -> SqlResult<()> {
        if !args[0].is_null() {
            self.sum = self.sum.checked_add(&iv(args, 0)?)?;
            self.count += 1;
        }
        Ok(())
    }
    fn inverse(&mut self, _: &mut Context, args: &[ValueRef<'_>]) -> SqlResult<()> {
        if !args[0].is_null() {
            self.sum = self.sum.checked_sub(&iv(args, 0)?)?;
            self.count -= 1;
        }
        Ok(())
    }
    fn value(&mut self, _: &mut Context) -> SqlResult<Value> {
        match (self.count, self.average) {
            (0, _) => Ok(Value::Null),
            (_, false) => from_iv(self.sum),
            (n, true) => from_iv(self.sum.div(n as f64)?),
        }
    }
}
