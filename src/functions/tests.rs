//! Everything through a real SQLite connection.

use super::super::*;
use super::*;
use crate::error::state;
use crate::types::Type;
use std::collections::{BTreeMap, BTreeSet};

pub(super) fn context() -> Context {
    Context {
        seed: 7,
        user: "ann".into(),
        database: "shop".into(),
        backend_pid: 42,
        settings: Arc::new(BTreeMap::from([
            ("search_path".to_owned(), "\"$user\", public".to_owned()),
            ("timezone".to_owned(), "UTC".to_owned()),
        ])),
        current: Arc::new(BTreeMap::from([(16400, 5)])),
        last: Some(16400),
        ..Context::default()
    }
}

pub(super) fn open() -> (Connection, Arc<Mutex<Context>>) {
    let conn = Connection::open_in_memory().unwrap();
    conn.execute_batch("PRAGMA trusted_schema = OFF").unwrap();
    let ctx = Arc::new(Mutex::new(context()));
    register(&conn, &ctx).unwrap();
    (conn, ctx)
}

/// All rows of a query, one value each, as SQL literals; or the error as `!code message`.
pub(super) fn evaluate(conn: &Connection, sql: &str) -> String {
    let rows = conn.prepare(sql).and_then(|mut statement| {
        statement.query_map([], |row| row.get_ref(0).map(literal))?.collect::<rusqlite::Result<Vec<String>>>()
    });
    match rows {
        Ok(rows) => rows.join(" "),
        Err(e) => match decode_error(&e.to_string()) {
            Some(e) => format!("!{} {}", e.code.as_str(), e.message),
            None => format!("!{e}"),
        },
    }
}

fn literal(v: rusqlite::types::ValueRef<'_>) -> String {
    match value(v).unwrap() {
        ValueRef::Null => "NULL".into(),
        ValueRef::Int(v) => v.to_string(),
        ValueRef::Real(v) => format!("{v:?}"),
        ValueRef::Text(v) => format!("'{v}'"),
        ValueRef::Blob(v) => format!("x{}", hex::encode(v)),
    }
}

#[test]
fn cases() {
    let (conn, _) = open();
    let mut failed = String::new();
    for line in include_str!("cases.txt").lines().filter(|l| !l.trim().is_empty() && !l.starts_with('#')) {
        let (sql, expected) = line.split_once(" => ").unwrap_or_else(|| panic!("no result in: {line}"));
        let query =
            if sql.starts_with("SELECT") || sql.starts_with("WITH") { sql.into() } else { format!("SELECT {sql}") };
        let found = evaluate(&conn, &query);
        if found != expected {
            failed.push_str(&format!("{sql}\n    found    {found}\n    expected {expected}\n"));
        }
    }
    assert!(failed.is_empty(), "\n{failed}");
}

#[test]
fn errors_come_back_as_they_went_in() {
    let error =
        SqlError::new(state::CHECK_VIOLATION, "a \"quoted\"\nmessage \u{0} ü").detail("d").table("s", "t").position(3);
    assert_eq!(decode_error(&encode_error(&error)).as_ref(), Some(&error));
    assert_eq!(decode_error(&format!("prefix: {}", encode_error(&error))), Some(error));
    assert_eq!(decode_error("no such table: t"), None);
}

#[test]
fn context_is_read_at_each_call() {
    let (conn, ctx) = open();
    let mut statement = conn.prepare("SELECT q_current_user(), random(), q_random(), q_uuid()").unwrap();
    let mut row = || {
        statement
            .query_row([], |r| {
                Ok((r.get::<_, String>(0)?, r.get::<_, i64>(1)?, r.get::<_, f64>(2)?, r.get::<_, Vec<u8>>(3)?))
            })
            .unwrap()
    };
    let first = row();
    ctx.lock().user = "bob".into();
    assert_eq!(row().0, "bob");
    *ctx.lock() = context();
    assert_eq!(row(), first, "equal seeds give equal dice");
    assert_eq!(first.3.len(), 16);
    assert_eq!((first.3[6] >> 4, first.3[8] >> 6), (4, 2), "version and variant");
}

#[test]
fn usable_in_schemas() {
    let (conn, _) = open();
    conn.execute_batch(
        "CREATE TABLE t(a INTEGER CHECK (q_int4(a + 1) > 0), b TEXT, c TEXT AS (q_lower(b)) STORED) STRICT;
         CREATE INDEX i ON t(q_upper(b));
         CREATE VIEW v AS SELECT value FROM t, q_generate_series(1, t.a, 1);
         INSERT INTO t(a, b) VALUES (3, 'Xy');",
    )
    .unwrap();
    assert_eq!(evaluate(&conn, "SELECT c FROM t WHERE q_upper(b) = 'XY'"), "'xy'");
    assert_eq!(evaluate(&conn, "SELECT value FROM v"), "1 2 3");
    let refused = conn.execute("INSERT INTO t(a, b) VALUES (2147483647, '')", []).unwrap_err();
    assert_eq!(decode_error(&refused.to_string()).unwrap().code, state::NUMERIC_VALUE_OUT_OF_RANGE);
    let default = "CREATE TABLE d(a INTEGER, b TEXT DEFAULT CURRENT_TIMESTAMP); INSERT INTO d(a) VALUES (1);";
    let refused = conn.execute_batch(default).unwrap_err();
    assert_eq!(decode_error(&refused.to_string()).unwrap().code, state::FEATURE_NOT_SUPPORTED);
}

#[test]
fn indexes_serve_comparisons() {
    let (conn, _) = open();
    conn.execute_batch("CREATE TABLE t(a INTEGER PRIMARY KEY, b TEXT) STRICT; CREATE INDEX i ON t(b);").unwrap();
    let plan = |sql: &str| evaluate_plan(&conn, sql);
    let arg = |sql, ty| Argument { sql, ty, typmod: -1 };
    let less = lookup_operators("<").iter().find(|o| o.left == Some(Type::INT8) && o.right == Type::INT4).unwrap();
    let text = render(less.lower, &[arg("a", Type::INT8), arg("?1", Type::INT4)], -1);
    assert!(plan(&format!("SELECT * FROM t WHERE {text}")).contains("SEARCH"));
    let equal = lookup_operators("=").iter().find(|o| o.left == Some(Type::TEXT) && o.right == Type::TEXT).unwrap();
    let text = render(equal.lower, &[arg("b", Type::TEXT), arg("?1", Type::TEXT)], -1);
    assert!(plan(&format!("SELECT * FROM t WHERE {text}")).contains("SEARCH"));
    assert!(plan("SELECT * FROM t WHERE a IN (SELECT value FROM q_unnest(?1))").contains("SEARCH t"));
}

fn evaluate_plan(conn: &Connection, sql: &str) -> String {
    let mut statement = conn.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
    let params = vec![rusqlite::types::Value::Null; statement.parameter_count()];
    let rows = statement.query_map(rusqlite::params_from_iter(params), |row| row.get::<_, String>(3)).unwrap();
    rows.map(Result::unwrap).collect::<Vec<_>>().join("; ")
}

/// Functions that run SQL: the engine registers them.
const ENGINE: &[&str] = &["q_nextval", "q_setval"];

/// Every signature's text parses in SQLite: so each name is implemented with that number of arguments.
#[test]
fn every_signature_parses() {
    let (conn, _) = open();
    for name in ENGINE {
        conn.create_scalar_function(*name, -1, FunctionFlags::SQLITE_UTF8, |_| Ok(0)).unwrap();
    }
    conn.execute_batch(include_str!("../../migrations/database/0001_catalog.sql")).unwrap();
    conn.execute_batch(include_str!("../../migrations/database/0002_types.sql")).unwrap();
    conn.execute_batch(include_str!("../../migrations/database/0003_roles.sql")).unwrap();
    conn.execute_batch(include_str!("../../migrations/database/0004_depend.sql")).unwrap();
    conn.execute_batch(include_str!("../../migrations/database/0005_views.sql")).unwrap();
    conn.execute_batch("CREATE TABLE t(a, b, c, d, e, f, g)").unwrap();
    let mut failed = Vec::new();
    let mut check = |what: String, sql: String| {
        if let Err(e) = conn.prepare(&sql) {
            failed.push(format!("{what}: {sql}: {e}"));
        }
    };
    const NAMES: [&str; 7] = ["a", "b", "c", "d", "e", "f", "g"];
    let argument = |(i, ty): (usize, Type)| Argument { sql: NAMES[i], ty, typmod: -1 };
    for f in functions() {
        let mut types: Vec<Type> = f.args.to_vec();
        if f.variadic {
            types.push(types[types.len() - 1]);
        }
        let args: Vec<Argument<'_>> = types.into_iter().enumerate().map(argument).collect();
        let what = format!("{}({:?})", f.name, f.args);
        let plain = render(f.lower, &args, -1);
        // What stands between its parentheses.
        let (name, inner) = plain.strip_suffix(')').and_then(|call| call.split_once('(')).unwrap_or((&plain, ""));
        match f.kind {
            Kind::Scalar => check(what, format!("SELECT {} FROM t", render(f.lower, &args, 8))),
            Kind::Aggregate => {
                check(what.clone(), format!("SELECT {plain} FROM t"));
                check(what.clone(), format!("SELECT {plain} OVER (ORDER BY a ROWS 1 PRECEDING) FROM t"));
                if !args.is_empty() {
                    let packed = f.passes_several() || args.len() > 1;
                    let inner = if packed { format!("q_pack({inner})") } else { inner.to_owned() };
                    check(what, format!("SELECT {name}(DISTINCT {inner} ORDER BY a) FILTER (WHERE b) FROM t"));
                }
            }
            Kind::Window => {
                check(what, format!("SELECT {plain} OVER (ORDER BY a) FROM t"));
            }
            Kind::Set => {
                let column = if name == "q_rows" { "c1" } else { "value" };
                check(what, format!("SELECT s.{column} FROM t, {} AS s", render(f.lower, &args, -1)));
            }
        }
    }
    for o in operators() {
        let args: Vec<_> = o.left.into_iter().chain([o.right]).enumerate().map(argument).collect();
        check(format!("{o:?}"), format!("SELECT {} FROM t", render(o.lower, &args, -1)));
    }
    for c in casts() {
        check(format!("{c:?}"), format!("SELECT {} FROM t", render(c.lower, &[argument((0, c.from))], 8)));
    }
    assert!(failed.is_empty(), "\n{}", failed.join("\n"));
}

#[test]
fn no_signature_twice() {
    let mut seen = BTreeSet::new();
    for f in functions() {
        assert!(seen.insert((f.name, f.args)), "function {}({:?})", f.name, f.args);
    }
    let mut seen = BTreeSet::new();
    for o in operators() {
        assert!(seen.insert((o.name, o.left, o.right)), "{o:?}");
    }
    let mut seen = BTreeSet::new();
    for c in casts() {
        assert!(seen.insert((c.from, c.to, c.context)), "{c:?}");
    }
    let mut seen = BTreeSet::new();
    for s in scalars() {
        assert!(seen.insert((s.name, s.args)), "{} ({})", s.name, s.args);
    }
}

/// Stable in Postgres, where they read a catalog that here is fixed.
const LABELLED: &[&str] = &[
    "enum_range",
    "format",
    "format_type",
    "pg_char_to_encoding",
    "pg_encoding_to_char",
    "convert_from",
    "convert_to",
];
/// Stable in Postgres, where they read the locale or the zones' files, which here are fixed; their time zone, if any, is an
/// argument.
const LABELLED_IMPLEMENTATIONS: &[&str] = &[
    "q_to_char_num",
    "q_to_char_f4",
    "q_to_char_f8",
    "q_to_char_iv",
    "q_to_char_ts",
    "q_to_date",
    "q_to_number",
    "q_trunc_tstz_in",
    "q_offset_ts",
    "q_zone_ts",
];

/// An index or a generated column may only hold what depends on nothing: no stable function may be flagged deterministic.
#[test]
fn stable_functions_are_not_deterministic() {
    let constant = |f: &&Function| f.volatility != Volatility::Immutable && f.kind == Kind::Scalar;
    for f in functions().filter(constant) {
        // A text may call several: one that is not deterministic makes the whole so.
        let called = f.lower.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').filter(|w| w.starts_with("q_"));
        let called: Vec<_> = called.filter_map(|name| scalars().find(|s| s.name == name)).collect();
        // A subquery reads tables: SQLite never takes it for a constant.
        let by_argument = f.lower.contains(":out}")
            || f.lower.contains("SELECT")
            || LABELLED.contains(&f.name)
            || called.iter().any(|s| LABELLED_IMPLEMENTATIONS.contains(&s.name));
        let constant = !called.is_empty() && called.iter().all(|s| s.deterministic);
        assert!(!constant || by_argument, "{} becomes {}, but is {:?}", f.name, f.lower, f.volatility);
    }
}

/// What is called SQLite's own comparison is written as one.
#[test]
fn native_comparisons_are_what_they_are_written_as() {
    for o in operators() {
        let plain = format!("({{0}} {} {{1}})", o.name);
        match o.native {
            Native::Plain if o.left == Some(Type::ANYARRAY) => {
                assert_eq!(o.lower, format!("(q_array_key({{0}}) {} q_array_key({{1}}))", o.name));
            }
            Native::Plain => assert_eq!(o.lower, plain),
            Native::Collated(name) => assert_eq!(o.lower, format!("({{0}} {} {{1}} COLLATE {name})", o.name)),
            Native::No => assert!(!["=", "<>", "<", "<=", ">", ">="].contains(&o.name) || o.lower != plain, "{o:?}"),
        }
    }
}

#[test]
fn casts_by_context() {
    let arg = Argument { sql: "x", ty: Type::TEXT, typmod: -1 };
    for (from, to, context, expected) in [
        (Type::TEXT, Type::VARCHAR, CastContext::Implicit, "x"),
        (Type::TEXT, Type::VARCHAR, CastContext::Assignment, "q_varchar(x, 7)"),
        (Type::TEXT, Type::VARCHAR, CastContext::Explicit, "q_varchar_cut(x, 7)"),
        (Type::INT8, Type::INT4, CastContext::Explicit, "q_int4(x)"),
        (Type::INT4, Type::VARCHAR, CastContext::Explicit, "q_varchar_cut(CAST(x AS TEXT), 7)"),
        (Type::UUID, Type::TEXT, CastContext::Assignment, "q_text(2950, -1, x)"),
        (Type::TEXT, Type::INT4, CastContext::Explicit, "q_parse(23, 7, x)"),
        (Type::TEXT, Type::DATE, CastContext::Explicit, "q_in(1082, 7, x)"),
    ] {
        let (_, way) = casts::way(from, to, context).unwrap();
        assert_eq!(
            render::written(way, Argument { ty: from, ..arg }, to, 7),
            expected,
            "{from:?} -> {to:?} {context:?}"
        );
    }
    assert_eq!(find_cast(Type::INT8, Type::INT4).unwrap().context, CastContext::Assignment);
    assert!(find_cast_in(Type::INT8, Type::INT4, CastContext::Implicit).is_none());
    assert!(casts::way(Type::BOOL, Type::DATE, CastContext::Explicit).is_none());
}
