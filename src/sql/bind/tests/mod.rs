//! The compiler against texts: `cases.txt` (what a statement becomes, or how it fails) and `rows.txt` (what SQLite then
//! answers). Set `BLESS=1` to write what is there now, and read the difference.

use crate::functions::{self, Context};
use crate::sql::Scope;
use crate::sql::bind::{Binder, is_dml};
use crate::sql::catalog::{
    Catalog, Column, Constraint, ConstraintKind, Identity, Index, IndexKey, Relation, RelationKind, Sequence, Source,
    quote, sqlite_name,
};
use crate::sql::dialect::Postgres;
use crate::sql::plan::{Effort, NamedRow, ResultColumn, RowLock};
use crate::types::{Env, NO_TYPMOD, Type, format_type};
use crate::value::ValueRef;
use sqlparser::ast::Statement;
use sqlparser::parser::Parser;
use std::fmt::Write as _;
use std::sync::Arc;

/// `name type [modifiers]`, where modifiers are `pk`, `unique`, `!` (NOT NULL), `serial`, `always`, `default=…`, `generated=…`.
fn column(attnum: i16, text: &str) -> (Column, Vec<&str>) {
    let (declared, rest) = text.split_once(" / ").unwrap_or((text, ""));
    let (name, ty) = declared.trim().split_once(' ').unwrap();
    let parsed = Parser::new(&Postgres).try_with_sql(ty).unwrap().parse_data_type().unwrap();
    let (ty, typmod) = super::data_type(&parsed).unwrap();
    let words: Vec<&str> = rest.split(" / ").map(str::trim).collect();
    let given = |key: &str| words.iter().find_map(|w| w.strip_prefix(key)).map(str::to_owned);
    let column = Column {
        attnum,
        name: name.into(),
        ty,
        typmod,
        domain: None,
        not_null: words.contains(&"!") || words.contains(&"pk"),
        default: given("default="),
        identity: words.contains(&"always").then_some(Identity::Always),
        generated: given("generated="),
        sequence: words.contains(&"always").then_some(16999),
        collation: None,
    };
    (column, words)
}

fn table(oid: u32, name: &str, columns: &[&str]) -> Relation {
    let parsed: Vec<(Column, Vec<&str>)> = columns.iter().zip(1i16..).map(|(c, n)| column(n, c)).collect();
    let mut constraints = vec![];
    let mut indexes = vec![];
    for key in ["pk", "unique"] {
        let attnums: Vec<i16> = parsed.iter().filter(|(_, w)| w.contains(&key)).map(|(c, _)| c.attnum).collect();
        if attnums.is_empty() {
            continue;
        }
        let index = oid + 100 + indexes.len() as u32;
        let name = format!("{name}_{}", if key == "pk" { "pkey" } else { "key" });
        let kind = if key == "pk" { ConstraintKind::PrimaryKey { index } } else { ConstraintKind::Unique { index } };
        let keys = attnums.iter().map(|n| IndexKey {
            ty: None,
            class: None,
            column: Some(*n),
            expression: None,
            descending: false,
            nulls_first: false,
            collation: None,
        });
        indexes.push(Index {
            nulls_equal: false,
            method: 403,
            oid: index,
            name: name.clone(),
            keys: keys.collect(),
            include: vec![],
            unique: true,
            primary: key == "pk",
            predicate: None,
            valid: true,
            clustered: false,
            options: vec![],
        });
        constraints.push(Constraint {
            oid: index + 50,
            name,
            kind,
            columns: attnums,
            deferrable: false,
            initially_deferred: false,
            validated: true,
        });
    }
    Relation {
        oid,
        schema: "public".into(),
        name: name.into(),
        kind: RelationKind::Table,
        source: Source::Table(sqlite_name("public", name)),
        columns: parsed.into_iter().map(|(c, _)| c).collect(),
        constraints,
        indexes,
        unlogged: false,
        options: vec![],
    }
}

fn catalog() -> Catalog {
    let mut catalog = Catalog { version: 1, next_oid: 20000, ..Catalog::of_superuser("ann") };
    catalog.schemas.insert("public".into(), 2200);
    catalog.schemas.insert("pg_catalog".into(), 11);
    let mut add = |relation: Relation| {
        catalog.relations.insert((relation.schema.clone(), relation.name.clone()), Arc::new(relation));
    };
    add(table(
        16400,
        "users",
        &[
            "id int4 / pk / default=nextval('users_id_seq'::regclass)",
            "name varchar(10) / unique / !",
            "age int2",
            "active bool / default=true",
            "score float8",
        ],
    ));
    add(table(
        16401,
        "orders",
        &[
            "id int8 / pk / always",
            "user_id int4",
            "total numeric(10,2)",
            "at timestamptz / default='2024-01-01 00:00+00'",
            "note text",
            "tags text[]",
            "doubled numeric / generated=total * 2",
        ],
    ));
    add(table(16402, "t", &["a int4", "b int4", "c text"]));
    let keyed = [
        table(16410, "counters", &["id int8 / pk", "n int4"]),
        table(16420, "events", &["id int8 / pk / always", "n int4"]),
    ];
    let numbered = keyed.each_ref().map(|relation| relation.indexes[0].oid);
    keyed.into_iter().for_each(&mut add);
    let sequence =
        Sequence { ty: Type::INT4, start: 1, increment: 1, min: 1, max: i64::from(i32::MAX), cache: 1, cycle: false };
    for (oid, name) in [(16998, "users_id_seq"), (16999, "orders_id_seq")] {
        let kind = RelationKind::Sequence(sequence.clone());
        add(Relation {
            oid,
            name: name.into(),
            kind,
            source: Source::None,
            columns: vec![],
            constraints: vec![],
            indexes: vec![],
            unlogged: false,
            options: vec![],
            ..table(oid, name, &["x int4"])
        });
    }
    let mut view = table(16500, "adults", &["id int4", "who varchar(10)"]);
    view.kind = RelationKind::View {
        definition: "SELECT id, name AS who FROM users WHERE age >= 18".into(),
        options: Default::default(),
    };
    view.source = Source::None;
    add(view);
    let mut system = table(12000, "pg_flags", &["name text", "on_ bool"]);
    (system.schema, system.kind) = ("pg_catalog".into(), RelationKind::System);
    system.source = Source::Query("SELECT 'a', 1 UNION ALL SELECT 'b', 0".into());
    add(system);
    // SQLite's rowid is their primary key.
    catalog.rowid_keys.extend(numbered);
    catalog
}

fn name_of(ty: Type, typmod: i32) -> String {
    format_type(ty, typmod)
}

struct Compiled {
    sql: String,
    columns: Vec<ResultColumn>,
    params: Vec<Type>,
    notes: Vec<String>,
}

/// What a client sees that has set nothing.
fn scope<'a>(catalog: &'a Catalog, search_path: &'a [String], env: &'a Env) -> Scope<'a> {
    Scope::plain(catalog, search_path, env, "ann", "db")
}

fn compile(catalog: &Catalog, text: &str) -> crate::error::SqlResult<Compiled> {
    let (env, path) = (Env::default(), ["public".to_owned()]);
    let scope = scope(catalog, &path, &env);
    let statement =
        Parser::parse_sql(&Postgres, text).map_err(|e| crate::error::SqlError::syntax(e.to_string()))?.remove(0);
    let mut binder = Binder::new(&scope).with_source(text);
    let mut notes = Vec::new();
    let (sql, columns) = match &statement {
        Statement::Query(query) if !is_dml(query) => {
            let bound = binder.query(query)?;
            if bound.short {
                notes.push("short".to_owned());
            }
            if bound.writes {
                notes.push("writes".to_owned());
            }
            let first = |l: RowLock| format!("first {:?} {:?} {:?}: {}", l.strength, l.wait, l.tables, l.sql);
            notes.extend(bound.inside.map(first));
            notes.extend(bound.lock.map(|l| format!("lock {:?} {:?} {:?}", l.strength, l.wait, l.tables)));
            (bound.sql, bound.columns)
        }
        other => {
            let (plan, columns) = binder.dml(other)?;
            notes.push(format!("{:?}", plan.statements[0].yields));
            match plan.effort {
                Effort::Key => {}
                Effort::Row(Some(NamedRow { table, rowid, change })) => {
                    notes.push(format!("{change:?} of row {rowid:?} of {table}"));
                }
                effort => notes.push(format!("effort {effort:?}")),
            }
            if plan.draws {
                notes.push("draws".to_owned());
            }
            notes.extend(plan.lock.map(|l| format!("first {:?} {:?} {:?}: {}", l.strength, l.wait, l.tables, l.sql)));
            (plan.statements[0].sql.clone(), columns)
        }
    };
    Ok(Compiled { sql, columns, params: binder.params()?, notes })
}

fn describe(catalog: &Catalog, text: &str) -> String {
    let mut out = String::new();
    match compile(catalog, text) {
        Ok(done) => {
            let _ = writeln!(out, "  {}", done.sql);
            if !done.columns.is_empty() {
                let column = |c: &ResultColumn| {
                    let origin = if c.table == 0 { String::new() } else { format!(" @{}.{}", c.table, c.attnum) };
                    format!("{} {}{origin}", c.name, name_of(c.ty, c.typmod))
                };
                let columns: Vec<String> = done.columns.iter().map(column).collect();
                let _ = writeln!(out, "  -> {}", columns.join(", "));
            }
            if !done.params.is_empty() {
                let params: Vec<String> = done.params.iter().map(|t| name_of(*t, NO_TYPMOD)).collect();
                let _ = writeln!(out, "  $ {}", params.join(", "));
            }
            if !done.notes.is_empty() {
                let _ = writeln!(out, "  # {}", done.notes.join(", "));
            }
        }
        Err(e) => {
            let place = e.fields.position.map_or(String::new(), |p| format!(" at {p}"));
            let _ = writeln!(out, "  ! {e}{place}");
            for (name, field) in [("detail", &e.fields.detail), ("hint", &e.fields.hint)] {
                if let Some(text) = field {
                    let _ = writeln!(out, "  ! {name}: {text}");
                }
            }
        }
    }
    out
}

/// Runs each statement of a script (lines without indentation) and compares what follows it (indented lines).
fn check(file: &str, script: &str, answer: impl Fn(&str) -> String) {
    let (mut fresh, mut statement) = (String::new(), String::new());
    for line in script.lines() {
        if line.starts_with("  ") {
            continue;
        }
        let _ = writeln!(fresh, "{line}");
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        statement.push_str(line);
        if line.ends_with('\\') {
            statement.pop();
            statement.push('\n');
            continue;
        }
        fresh.push_str(&answer(&std::mem::take(&mut statement)));
    }
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(format!("{}/src/sql/bind/tests/{file}", env!("CARGO_MANIFEST_DIR")), &fresh).unwrap();
        return;
    }
    let different = script.lines().zip(fresh.lines()).find(|(a, b)| a != b);
    if let Some((expected, found)) = different {
        panic!("{file}:\nexpected {expected}\nfound    {found}");
    }
    assert_eq!(script.lines().count(), fresh.lines().count(), "{file}");
}

#[test]
fn translations() {
    let catalog = catalog();
    check("cases.txt", include_str!("cases.txt"), |text| describe(&catalog, text));
}

fn database(catalog: &Catalog) -> rusqlite::Connection {
    let connection = rusqlite::Connection::open_in_memory().unwrap();
    let context = Context { now: 800_000_000_000_000, user: "ann".into(), database: "db".into(), ..Context::default() };
    functions::sqlite::register(&connection, &Arc::new(parking_lot::Mutex::new(context))).unwrap();
    // Sequences are the engine's business: here each counts by itself.
    let drawn = std::sync::Mutex::new(std::collections::BTreeMap::<i64, i64>::new());
    let flags = rusqlite::functions::FunctionFlags::SQLITE_UTF8;
    connection
        .create_scalar_function("q_nextval", 1, flags, move |call| {
            let mut drawn = drawn.lock().unwrap();
            let last = drawn.entry(call.get(0)?).or_default();
            *last += 1;
            Ok(*last)
        })
        .unwrap();
    for relation in catalog.relations.values() {
        let (Source::Table(name), RelationKind::Table) = (&relation.source, &relation.kind) else { continue };
        let columns: Vec<String> = relation
            .columns
            .iter()
            .filter(|c| c.generated.is_none())
            .map(|c| {
                let collate = c.ty.collation().map_or(String::new(), |n| format!(" COLLATE {n}"));
                format!("{} {}{collate}", quote(&c.name), c.ty.storage().sqlite_name())
            })
            .chain(relation.columns.iter().filter(|c| c.generated.is_some()).map(|c| {
                let env = Env::default();
                let scope = Scope::plain(catalog, &[], &env, "ann", "db");
                let text = c.generated.as_deref().unwrap();
                let sql =
                    super::bind_column_expr(&scope, Some(relation), text, Some((c.ty, c.typmod)), super::Kept::Default)
                        .unwrap();
                format!("{} {} AS ({sql}) STORED", quote(&c.name), c.ty.storage().sqlite_name())
            }))
            .chain(relation.indexes.iter().map(|i| {
                let column = |k: &IndexKey| quote(&relation.columns[k.column.unwrap() as usize - 1].name);
                format!("UNIQUE ({})", i.keys.iter().map(column).collect::<Vec<_>>().join(", "))
            }))
            .collect();
        connection.execute_batch(&format!("CREATE TABLE {} ({}) STRICT", quote(name), columns.join(", "))).unwrap();
    }
    connection
}

fn run(catalog: &Catalog, connection: &rusqlite::Connection, text: &str) -> String {
    let done = match compile(catalog, text) {
        Ok(done) => done,
        Err(e) => return format!("  ! {e}\n"),
    };
    let result = (|| -> rusqlite::Result<String> {
        let mut out = String::new();
        let mut statement = connection.prepare(&done.sql)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let mut fields = Vec::new();
            for (i, column) in done.columns.iter().enumerate() {
                let value = match row.get_ref(i)? {
                    rusqlite::types::ValueRef::Null => ValueRef::Null,
                    rusqlite::types::ValueRef::Integer(n) => ValueRef::Int(n),
                    rusqlite::types::ValueRef::Real(r) => ValueRef::Real(r),
                    rusqlite::types::ValueRef::Text(t) => ValueRef::Text(std::str::from_utf8(t).unwrap()),
                    rusqlite::types::ValueRef::Blob(b) => ValueRef::Blob(b),
                };
                let mut shown = Vec::new();
                if value.is_null() {
                    shown.extend_from_slice(b"NULL");
                } else {
                    crate::types::text::write_text(column.ty, column.typmod, value, &Env::default(), &mut shown)
                        .unwrap();
                }
                fields.push(String::from_utf8(shown).unwrap());
            }
            if !done.columns.is_empty() {
                let _ = writeln!(out, "  {}", fields.join(" | "));
            }
        }
        Ok(out)
    })();
    match result {
        Ok(rows) if rows.is_empty() && done.columns.is_empty() => String::new(),
        Ok(rows) if rows.is_empty() => "  (no rows)\n".into(),
        Ok(rows) => rows,
        Err(e) => match functions::sqlite::decode_error(&e.to_string()) {
            Some(e) => format!("  ! {e}\n"),
            None => format!("  ! {e}\n    {}\n", done.sql),
        },
    }
}

#[test]
fn answers() {
    let catalog = catalog();
    let connection = database(&catalog);
    check("rows.txt", include_str!("rows.txt"), |text| run(&catalog, &connection, text));
}

/// One value of a query, compiled as a client's text is.
fn value(catalog: &Catalog, connection: &rusqlite::Connection, text: &str) -> crate::error::SqlResult<String> {
    let (env, path) = (Env::default(), ["public".to_owned()]);
    let scope = scope(catalog, &path, &env);
    let plan = crate::sql::compile(&crate::sql::parse(text)?[0], &scope)?;
    let crate::sql::plan::PlanKind::Read(read) = &plan.kind else { panic!("no query") };
    let value = connection.query_row(&read.sql, [], |row| row.get::<_, rusqlite::types::Value>(0));
    Ok(match value {
        Ok(rusqlite::types::Value::Integer(n)) => n.to_string(),
        Ok(rusqlite::types::Value::Text(text)) if text.len() > 60 => format!("{} characters", text.len()),
        Ok(rusqlite::types::Value::Text(text)) => text,
        Ok(other) => format!("{other:?}"),
        Err(e) => functions::sqlite::decode_error(&e.to_string()).map_or(e.to_string(), |e| e.to_string()),
    })
}

#[test]
fn long_chains_and_deep_calls() {
    let catalog = catalog();
    let connection = database(&catalog);
    let value = |text: String| value(&catalog, &connection, &text).unwrap_or_else(|e| e.to_string());
    let chain = |one: &str, by: &str, n: usize| vec![one; n].join(by);
    assert_eq!(value(format!("SELECT {}", chain("1", "+", 5000))), "5000");
    assert_eq!(value(format!("SELECT {}", chain("1.5", " + ", 3001))), "4501.5");
    assert_eq!(value(format!("SELECT {}", chain("'ab'", " || ", 5000))), "10000 characters");
    assert_eq!(
        value(format!("SELECT 2147483647 + 1 + NULL + {}", chain("1", "+", 300))),
        "22003: integer out of range"
    );
    assert_eq!(value(format!("SELECT NULL + 2147483647 + 1 + {}", chain("1", "+", 300))), "Null");
    assert_eq!(value(format!("SELECT count(*) FROM t WHERE {}", chain("a = 1", " OR ", 10_000))), "0");
    assert_eq!(value(format!("SELECT count(*) FROM t WHERE {}", chain("a = 1", " AND ", 10_000))), "0");
    let mixed: Vec<String> = (0..4000).map(|i| format!("a = {i} AND b = {i}")).collect();
    assert_eq!(value(format!("SELECT count(*) FROM t WHERE {}", mixed.join(" OR "))), "0");
    assert_eq!(value(format!("SELECT {}'X'{}", "lower(".repeat(199), ")".repeat(199))), "x");
    assert_eq!(value(format!("SELECT {}1{}", "(".repeat(900), ")".repeat(900))), "1");
    let deep = value(format!("SELECT {}1{}", "(".repeat(5000), ")".repeat(5000)));
    assert_eq!(deep, "54001: stack depth limit exceeded");
    assert_eq!(value(format!("SELECT {}1", "- ".repeat(5000))), "54001: stack depth limit exceeded");
}
