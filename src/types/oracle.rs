//! Runs the expressions of `oracle.txt` through the function tables and SQLite, and compares with PostgreSQL's answers.
//!
//! This is a binder in miniature: typed literals, casts, one operator, one call, nothing nested.

use super::{DateOrder, DateOutput, DateStyle, Env, IntervalStyle, NO_TYPMOD, Type, text, typmod_in};
use crate::error::{SqlError, SqlResult};
use crate::functions::{Aggregate, Cast, Collation, Context, Function, Operator, Scalar, datetime, json, numeric};
use crate::value::{Value, ValueRef};
use rusqlite::Connection;
use rusqlite::functions::FunctionFlags;
use std::sync::{Arc, Mutex};

const FUNCTIONS: [&[Function]; 3] = [numeric::FUNCTIONS, datetime::FUNCTIONS, json::FUNCTIONS];
const OPERATORS: [&[Operator]; 5] =
    [numeric::COMPARISONS, numeric::OPERATORS, datetime::OPERATORS, json::COMPARISONS, json::OPERATORS];
const CASTS: [&[Cast]; 3] = [numeric::CASTS, datetime::CASTS, json::CASTS];
const SCALARS: [&[Scalar]; 3] = [numeric::SCALARS, datetime::SCALARS, json::SCALARS];
const AGGREGATES: [&[Aggregate]; 3] = [numeric::AGGREGATES, datetime::AGGREGATES, json::AGGREGATES];
const COLLATIONS: [&[Collation]; 3] = [numeric::COLLATIONS, datetime::COLLATIONS, json::COLLATIONS];

struct Typed {
    ty: Type,
    typmod: i32,
    value: Value,
}

struct Bench {
    sqlite: Connection,
    context: Arc<Mutex<Context>>,
}

fn from_sqlite(raw: rusqlite::types::ValueRef<'_>) -> ValueRef<'_> {
    use rusqlite::types::ValueRef as Raw;
    match raw {
        Raw::Null => ValueRef::Null,
        Raw::Integer(n) => ValueRef::Int(n),
        Raw::Real(x) => ValueRef::Real(x),
        Raw::Text(t) => ValueRef::Text(std::str::from_utf8(t).unwrap()),
        Raw::Blob(b) => ValueRef::Blob(b),
    }
}

fn to_sqlite(value: Value) -> rusqlite::types::Value {
    use rusqlite::types::Value as Raw;
    match value {
        Value::Null => Raw::Null,
        Value::Int(n) => Raw::Integer(n),
        Value::Real(x) => Raw::Real(x),
        Value::Text(t) => Raw::Text(t),
        Value::Blob(b) => Raw::Blob(b),
    }
}

impl Bench {
    fn new() -> Bench {
        let sqlite = Connection::open_in_memory().unwrap();
        let context = Arc::new(Mutex::new(Context::default()));
        for scalar in SCALARS.into_iter().flatten() {
            let context = context.clone();
            sqlite
                .create_scalar_function(scalar.name, scalar.args, FunctionFlags::SQLITE_UTF8, move |call| {
                    let args: Vec<ValueRef<'_>> = (0..call.len()).map(|i| from_sqlite(call.get_raw(i))).collect();
                    if scalar.strict && args.iter().any(|a| a.is_null()) {
                        return Ok(rusqlite::types::Value::Null);
                    }
                    (scalar.call)(&mut context.lock().unwrap(), &args)
                        .map(to_sqlite)
                        .map_err(|e| rusqlite::Error::UserFunctionError(format!("\u{1}{e}").into()))
                })
                .unwrap();
        }
        for collation in COLLATIONS.into_iter().flatten() {
            sqlite.create_collation(collation.name, collation.compare).unwrap();
        }
        Bench { sqlite, context }
    }

    fn env(&self) -> Env {
        self.context.lock().unwrap().env.clone()
    }

    fn set(&self, name: &str, value: &str) {
        let env = &mut self.context.lock().unwrap().env;
        match name {
            "TimeZone" => env.time_zone = value.into(),
            "DateStyle" => {
                let (output, order) = value.split_once(", ").unwrap();
                env.date_style = DateStyle {
                    output: match output {
                        "ISO" => DateOutput::Iso,
                        "SQL" => DateOutput::Sql,
                        "Postgres" => DateOutput::Postgres,
                        _ => DateOutput::German,
                    },
                    order: match order {
                        "MDY" => DateOrder::Mdy,
                        "DMY" => DateOrder::Dmy,
                        _ => DateOrder::Ymd,
                    },
                };
            }
            "IntervalStyle" => {
                env.interval_style = match value {
                    "postgres_verbose" => IntervalStyle::PostgresVerbose,
                    "sql_standard" => IntervalStyle::SqlStandard,
                    "iso_8601" => IntervalStyle::Iso8601,
                    _ => IntervalStyle::Postgres,
                }
            }
            _ => panic!("{name}"),
        }
    }

    /// Fills a template with literals and lets SQLite compute it.
    fn run(&self, lower: &str, args: &[Typed], typmod: i32) -> SqlResult<Value> {
        let mut sql = lower.replace("{typmod}", &typmod.to_string());
        let all = |f: &dyn Fn(&Typed) -> String| args.iter().map(f).collect::<Vec<_>>().join(", ");
        sql = sql.replace("{*:type}", &all(&|a| a.ty.0.to_string()));
        sql = sql.replace("{*}", &all(&|a| literal(&a.value)));
        for (i, arg) in args.iter().enumerate() {
            sql = sql.replace(&format!("{{{i}:type}}"), &arg.ty.0.to_string());
            sql = sql.replace(&format!("{{{i}}}"), &literal(&arg.value));
        }
        self.query(&format!("SELECT {sql}"))
    }

    fn query(&self, sql: &str) -> SqlResult<Value> {
        let done = self.sqlite.query_row(sql, [], |row| Ok(from_sqlite(row.get_ref(0)?).to_owned()));
        done.map_err(|e| {
            let message = e.to_string();
            match message.split_once('\u{1}') {
                Some((_, own)) => SqlError::internal(own.split(" in SELECT").next().unwrap_or(own).to_owned()),
                None => SqlError::internal(format!("SQLite: {message} in {sql}")),
            }
        })
    }

    fn show(&self, typed: &Typed) -> SqlResult<String> {
        if typed.value.is_null() {
            return Ok("NULL".into());
        }
        let mut out = Vec::new();
        text::write_text(typed.ty, typed.typmod, typed.value.as_ref(), &self.env(), &mut out)?;
        Ok(String::from_utf8(out).unwrap())
    }

    fn literal(&self, body: &str, ty: Type, typmod: i32) -> SqlResult<Typed> {
        let now = Some(0);
        let value = match ty {
            Type::VARCHAR => Value::Text(text::varchar(body, typmod, true)?.to_owned()),
            Type::BPCHAR => Value::Text(text::bpchar(body, typmod, true)?.to_owned()),
            _ => text::parse_text_at(ty, typmod, body, &self.env(), now)?,
        };
        Ok(Typed { ty, typmod, value })
    }

    fn cast(&self, from: Typed, to: Type, typmod: i32) -> SqlResult<Typed> {
        let found = CASTS.into_iter().flatten().rfind_last(|c| c.from == from.ty && c.to == to);
        let cast = found.unwrap_or_else(|| panic!("no cast from {:?} to {to:?}", from.ty));
        let value = self.run(cast.lower, &[from], typmod)?;
        Ok(Typed { ty: to, typmod, value })
    }

    /// One operand: a literal with its casts.
    fn operand(&self, text: &str) -> SqlResult<Typed> {
        let (body, mut rest) = quoted(text);
        let mut value: Option<Typed> = None;
        while let Some(after) = rest.strip_prefix("::") {
            let end = after.find("::").unwrap_or(after.len());
            let (ty, typmod) = type_of(&after[..end]);
            value = Some(match value {
                None => self.literal(&body, ty, typmod)?,
                Some(from) => self.cast(from, ty, typmod)?,
            });
            rest = &after[end..];
        }
        assert_eq!(rest, "", "in {text}");
        Ok(value.unwrap())
    }

    fn evaluate(&self, sql: &str) -> SqlResult<Typed> {
        if let Some(aggregate) = sql.strip_prefix("SELECT ") {
            return self.aggregate(aggregate);
        }
        if let Some(inside) = sql.strip_prefix("EXTRACT(") {
            let (unit, source) = inside.strip_suffix(')').unwrap().split_once(" FROM ").unwrap();
            return self.call("extract", vec![self.operand(&format!("'{unit}'::text"))?, self.operand(source)?]);
        }
        if sql.starts_with('\'') {
            let parts = split_top(sql, ' ');
            return match parts[..] {
                [one] => self.operand(one),
                [left, name, right] => self.operate(name, Some(self.operand(left)?), self.operand(right)?),
                _ => panic!("{sql}"),
            };
        }
        if let Some((name, operand)) = sql.split_once(" '").filter(|(name, _)| !name.contains('(')) {
            return self.operate(name, None, self.operand(&format!("'{operand}"))?);
        }
        let (name, inside) = sql.split_once('(').unwrap();
        let inside = inside.strip_suffix(')').unwrap();
        let args = split_top(inside, ',').into_iter().filter(|a| !a.is_empty()).map(|a| self.operand(a.trim()));
        self.call(name, args.collect::<SqlResult<_>>()?)
    }

    fn operate(&self, name: &str, left: Option<Typed>, right: Typed) -> SqlResult<Typed> {
        let found = OPERATORS
            .into_iter()
            .flatten()
            .find(|o| o.name == name && o.left == left.as_ref().map(|l| l.ty) && o.right == right.ty);
        let op = found.unwrap_or_else(|| panic!("no operator {name} for {:?}", right.ty));
        let args: Vec<Typed> = left.into_iter().chain([right]).collect();
        Ok(Typed { ty: op.result, typmod: NO_TYPMOD, value: self.run(op.lower, &args, NO_TYPMOD)? })
    }

    fn call(&self, name: &str, args: Vec<Typed>) -> SqlResult<Typed> {
        let fits = |wanted: Type, ty: Type| match wanted {
            Type::ANYELEMENT | Type::ANY => true,
            wanted => wanted == ty,
        };
        let found = FUNCTIONS.into_iter().flatten().find(|f| {
            let arity = if f.variadic { args.len() >= f.args.len() } else { args.len() == f.args.len() };
            let last = f.args.last().copied().unwrap_or(Type::ANY);
            f.name == name
                && arity
                && args.iter().enumerate().all(|(i, a)| fits(f.args.get(i).copied().unwrap_or(last), a.ty))
        });
        let types: Vec<Type> = args.iter().map(|a| a.ty).collect();
        let f = found.unwrap_or_else(|| panic!("no function {name}({types:?})"));
        if f.kind == crate::functions::Kind::Set {
            panic!("set functions need a FROM");
        }
        Ok(Typed { ty: f.result, typmod: NO_TYPMOD, value: self.run(f.lower, &args, NO_TYPMOD)? })
    }

    /// `f(x) FROM (VALUES (…), (…)) v(x)`.
    fn aggregate(&self, sql: &str) -> SqlResult<Typed> {
        let (name, rest) = sql.split_once("(x) FROM (VALUES ").unwrap();
        let rows = rest.strip_suffix(") v(x)").unwrap();
        let mut values = Vec::new();
        for row in split_top(rows, ',') {
            let row = row.trim().strip_prefix('(').unwrap().strip_suffix(')').unwrap();
            values.push(match row.strip_prefix("NULL::") {
                Some(ty) => Typed { ty: type_of(ty).0, typmod: NO_TYPMOD, value: Value::Null },
                None => self.operand(row)?,
            });
        }
        let ty = values[0].ty;
        let f = FUNCTIONS
            .into_iter()
            .flatten()
            .find(|f| f.name == name && (f.args == [ty] || f.args == [Type::ANYELEMENT]))
            .unwrap_or_else(|| panic!("no aggregate {name}({ty:?})"));
        let own = f.lower.split('(').next().unwrap();
        let value = match AGGREGATES.into_iter().flatten().find(|a| a.name == own) {
            Some(aggregate) => {
                let mut state = (aggregate.init)();
                let context = &mut self.context.lock().unwrap();
                for v in &values {
                    let oid = ValueRef::Int(ty.0.into());
                    let args = [oid, v.value.as_ref()];
                    state.step(context, if aggregate.args == 1 { &args[1..] } else { &args })?;
                }
                state.value(context)?
            }
            None => {
                let rows: Vec<String> = values.iter().map(|v| format!("SELECT {} AS x", literal(&v.value))).collect();
                // As the compiler does: the argument says how values of its type compare.
                let collate = ty.collation().map_or(String::new(), |name| format!(" COLLATE {name}"));
                let call = f.lower.replace("{0}", &format!("x{collate}"));
                self.query(&format!("SELECT {call} FROM ({})", rows.join(" UNION ALL ")))?
            }
        };
        Ok(Typed { ty: f.result, typmod: NO_TYPMOD, value })
    }
}

trait FindLast: Iterator {
    /// The last row for a pair of types is the one of the narrowest context, which applies to a written cast.
    fn rfind_last(self, accept: impl Fn(&Self::Item) -> bool) -> Option<Self::Item>;
}

impl<I: Iterator> FindLast for I {
    fn rfind_last(self, accept: impl Fn(&Self::Item) -> bool) -> Option<Self::Item> {
        self.filter(accept).last()
    }
}

fn literal(value: &Value) -> String {
    match value {
        Value::Null => "NULL".into(),
        Value::Int(i64::MIN) => "(-9223372036854775807 - 1)".into(),
        Value::Int(n) => format!("({n})"),
        Value::Real(x) if x.is_infinite() => if *x > 0.0 { "9e999" } else { "(-9e999)" }.into(),
        Value::Real(x) => format!("({x:e})"),
        Value::Text(t) => format!("'{}'", t.replace('\'', "''")),
        Value::Blob(b) => format!("X'{}'", hex::encode(b)),
    }
}

/// The contents of a quoted literal, and what follows it.
fn quoted(text: &str) -> (String, &str) {
    let mut body = String::new();
    let mut chars = text.char_indices().skip(1).peekable();
    while let Some((at, c)) = chars.next() {
        if c == '\'' {
            if chars.peek().is_none_or(|(_, next)| *next != '\'') {
                return (body, &text[at + 1..]);
            }
            chars.next();
        }
        body.push(c);
    }
    panic!("unterminated literal in {text}")
}

fn type_of(name: &str) -> (Type, i32) {
    let (array, name) = match name.strip_suffix("[]") {
        Some(elem) => (true, elem),
        None => (false, name),
    };
    let (base, args) = match name.split_once('(') {
        Some((base, args)) => (base, args.strip_suffix(')').unwrap()),
        None => (name, ""),
    };
    let args: Vec<i64> = args.split(',').filter(|a| !a.is_empty()).map(|a| a.parse().unwrap()).collect();
    let base = Type::by_name(base).unwrap_or_else(|| panic!("no type {base}"));
    let typmod = typmod_in(base, &args).unwrap();
    (if array { base.array().unwrap() } else { base }, typmod)
}

/// Splits outside of quotes and parentheses.
fn split_top(text: &str, separator: char) -> Vec<&str> {
    let (mut parts, mut start, mut quoted, mut depth) = (Vec::new(), 0, false, 0);
    for (at, c) in text.char_indices() {
        match c {
            '\'' => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if !quoted => depth -= 1,
            c if c == separator && !quoted && depth == 0 => {
                parts.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts
}

#[test]
fn answers_as_postgres_does() {
    let bench = Bench::new();
    let (mut wrong, mut count) = (Vec::new(), 0);
    for line in include_str!("oracle.txt").lines() {
        if line.starts_with('#') {
            continue;
        }
        if let Some(setting) = line.strip_prefix("SET ") {
            let (name, value) = setting.split_once(" = ").unwrap();
            bench.set(name, value);
            continue;
        }
        let (sql, expected) = line.split_once('\t').unwrap();
        count += 1;
        let sql = sql.replace("\\t", "\t");
        let answer = match bench.evaluate(&sql).and_then(|typed| bench.show(&typed)) {
            Ok(shown) => shown,
            Err(e) if e.code.as_str() == "XX000" => format!("ERROR {}", e.message),
            Err(e) => format!("ERROR {e}"),
        };
        let answer = answer.replace('\t', "\\t").replace('\n', "\\n");
        if answer != expected {
            wrong.push(format!("{sql}\n    expected {expected}\n    found    {answer}"));
        }
    }
    assert!(count > 2000);
    assert!(wrong.is_empty(), "{} of {count} differ:\n{}", wrong.len(), wrong.join("\n"));
}

/// Whatever a client sends is a value or an error, never a panic.
#[test]
fn mutated_inputs_do_not_panic() {
    let bench = Bench::new();
    let mut dice = Context { seed: 1, ..Context::default() };
    let alphabet = "0123456789-+:.,eE /PT\"'{}[]\\aYMDé€\u{1F600}";
    let letters: Vec<char> = alphabet.chars().collect();
    for line in include_str!("oracle.txt").lines().filter(|l| l.starts_with('\'')) {
        let (body, rest) = quoted(line.split_once('\t').unwrap().0);
        let (ty, typmod) = type_of(rest[2..].split([' ', ':']).next().unwrap_or("text"));
        for _ in 0..4 {
            let mut text: Vec<char> = body.chars().collect();
            for _ in 0..1 + dice.random() % 3 {
                let at = dice.random() as usize % (text.len() + 1);
                let letter = letters[dice.random() as usize % letters.len()];
                match dice.random() % 3 {
                    0 => text.insert(at, letter),
                    1 if at < text.len() => text[at] = letter,
                    _ if at < text.len() => drop(text.remove(at)),
                    _ => text.push(letter),
                }
            }
            let text: String = text.into_iter().collect();
            if let Ok(value) = super::text::parse_text_at(ty, typmod, &text, &bench.env(), Some(0)) {
                // What was read can be shown and read again.
                let shown = bench.show(&Typed { ty, typmod, value }).unwrap();
                let again = super::text::parse_text_at(ty, typmod, &shown, &bench.env(), Some(0));
                assert!(again.is_ok(), "{text} became {shown}, which is an error: {again:?}");
            }
            let _ = super::to_char::timestamp(123_456_789_012_345, None, &text);
            let _ = super::to_char::number(&super::numeric::Numeric::scaled(-12_345, 2), &text);
            let _ = super::from_char::parse_timestamp("2024-01-02 03:04:05.678 é", &text, &super::zone::Zone::Utc);
            let _ =
                super::from_char::parse_timestamp(&text, "YYYY-MM-DD HH24:MI:SS.US Mon TZH", &super::zone::Zone::Utc);
            let _ = super::to_char::parse_number("<-1,234.5é", &text);
            let _ = super::to_char::parse_number(&text, "S9G999D99PR");
            let _ = super::zone::Zone::find(&text);
        }
    }
}
