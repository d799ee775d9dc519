//! Every signature with random and worst arguments: no call panics, and two connections give the same.

use super::super::*;
use super::tests::{context, evaluate, open};
use super::*;
use crate::types::{Type, array};

/// SQL literals of stored values that are at the edge of their type.
fn literals(ty: Type) -> Vec<String> {
    let quoted = |texts: &[&str]| texts.iter().map(|t| format!("'{}'", t.replace('\'', "''"))).collect::<Vec<_>>();
    let long = "9".repeat(3000);
    match ty {
        Type::BOOL => quoted(&[]).into_iter().chain(["0".into(), "1".into()]).collect(),
        Type::INT2 => ["0", "1", "-1", "32767", "-32768", "7"].map(String::from).to_vec(),
        Type::INT4 | Type::OID => ["0", "1", "-1", "2147483647", "-2147483648", "5", "100"].map(String::from).to_vec(),
        Type::INT8 => {
            ["0", "1", "-1", "9223372036854775807", "-9223372036854775808", "12", "99999"].map(String::from).to_vec()
        }
        Type::FLOAT4 | Type::FLOAT8 => {
            ["0.0", "-0.0", "1.5", "-1e300", "1e308", "4.9e-324", "9e999", "-9e999", "0.1"].map(String::from).to_vec()
        }
        Type::NUMERIC => {
            let mut all =
                quoted(&["0", "1", "-1", "0.5", "NaN", "Infinity", "-Infinity", "-0.000000001", "99999999.5"]);
            all.push(format!("'{long}'"));
            all.push(format!("'0.{long}'"));
            all.push(format!("'-{long}.{long}'"));
            all
        }
        Type::DATE => {
            ["0", "1", "-1", "2147483647", "-2147483648", "-2451545", "2145031948"].map(String::from).to_vec()
        }
        Type::TIME => ["0", "86400000000", "1", "43200000001"].map(String::from).to_vec(),
        Type::TIMESTAMP | Type::TIMESTAMPTZ => {
            let far = ["9223372036854775807", "-9223372036854775808", "-211813488000000000", "9223371331199999999"];
            far.into_iter().chain(["0", "-1", "86400000000"]).map(String::from).collect()
        }
        Type::BYTEA => ["x''", "x'00'", "x'ff80c3'", "x'5c78'"].map(String::from).to_vec(),
        Type::JSON | Type::JSONB => quoted(&[
            "null",
            "1",
            "-0.5e-3",
            "\"\"",
            "\"a\"",
            "[]",
            "{}",
            "[1, null, [2]]",
            "{\"a\": {\"b\": [1, 2]}}",
            "true",
            "{\"\": [[[]]]}",
        ]),
        Type::UUID => vec!["x'00000000000000000000000000000000'".into(), "x'ffffffffffffffffffffffffffffffff'".into()],
        Type::INET | Type::CIDR => {
            let inet = |text| crate::types::network::Inet::parse(Type::INET, text).map(|inet| inet.encode());
            let all = ["0.0.0.0/0", "255.255.255.255", "10.1.2.3/8", "::/0", "::1", "ffff:ffff::ffff/127"];
            all.into_iter().filter_map(|text| Some(format!("x'{}'", hex::encode(inet(text).ok()?)))).collect()
        }
        Type::BIT | Type::VARBIT => {
            quoted(&["", "0", "1", "101", "0000000000000000000000000000000000000000000000000000000000000000011"])
        }
        Type::MACADDR => vec!["x'000000000000'".into(), "x'ffffffffffff'".into()],
        Type::MACADDR8 => vec!["x'0000000000000000'".into(), "x'00000ffffe000000'".into()],
        ty if ty.element().is_some() => {
            let elem = ty.element().unwrap_or(Type::TEXT);
            let hexed = |texts: &[&str]| -> Vec<String> {
                let read = |text: &&str| array::parse_text(elem, -1, text, &Default::default(), None).ok();
                let blob = |v| if let Value::Blob(b) = v { Some(format!("x'{}'", hex::encode(b))) } else { None };
                texts.iter().filter_map(read).filter_map(blob).collect()
            };
            hexed(&[
                "{}",
                "{NULL}",
                "{1,2,3}",
                "{{1},{2}}",
                "[5:6]={1,NULL}",
                "[-2147483648:-2147483648]={1}",
                "{a,\"\"}",
            ])
        }
        _ => quoted(&[
            "",
            "a",
            "%",
            "_",
            "\\",
            "ü€😀",
            "9V9V",
            "9.9EEEEV",
            "FM999.99PRSG",
            "(((((",
            "[a-",
            "a{1,1000}",
            "(a*)*$",
            "\\1",
            "{}",
            "[]",
            "null",
            "\"",
            "[[[[[[[[",
            "{\"a\":{\"b\":[1,2]}}",
            "$.a[*]",
            "$[*] ? (@ > 1)",
            "strict $.**",
            "day",
            "1 day",
            "infinity",
            "-infinity",
            "2000-02-30",
            "epoch",
            "Europe/Berlin",
            "YYYY-MM-DD",
            "Q J WW IDDD TZ TH",
            "%1$s",
            "%-2147483648s",
            "%*1$s",
            "hex",
            "base64",
            "utf8",
            "1e999999",
            "nan",
            "B",
            "1.5",
            "-",
            "RN",
            "S9S",
            "L9",
            "pg_class",
            "'; drop table t",
            "{1,2}",
            "[1:2]={1",
            "24:00:00",
            "P1Y",
            "century",
            "0",
            "1",
        ]),
    }
}

struct Dice(u64);

impl Dice {
    fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        &from[(self.0 >> 33) as usize % from.len()]
    }
}

/// What may stand for a pseudo-type.
const ANY: &[Type] =
    &[Type::TEXT, Type::INT4, Type::NUMERIC, Type::FLOAT8, Type::BOOL, Type::TIMESTAMP, Type::BYTEA, Type::JSONB];
const ARRAYS: &[Type] = &[Type::TEXT_ARRAY, Type::INT4_ARRAY];

fn actual(ty: Type, dice: &mut Dice) -> Type {
    match ty {
        Type::ANYARRAY | Type::ANYCOMPATIBLEARRAY => *dice.pick(ARRAYS),
        Type::ANY | Type::ANYELEMENT | Type::ANYNONARRAY | Type::ANYCOMPATIBLE => *dice.pick(ANY),
        ty => ty,
    }
}

/// Units that a call may take here.
const WORK: u64 = 2_000_000;

#[test]
fn no_call_panics_and_two_connections_agree() {
    let rounds: usize = std::env::var("QUORATE_WORST_ROUNDS").ok().and_then(|n| n.parse().ok()).unwrap_or(6);
    let seed = std::env::var("QUORATE_WORST_SEED").ok().and_then(|n| n.parse().ok()).unwrap_or(1);
    let (mut dice, mut wrong, mut calls, mut stopped) = (Dice(seed), Vec::new(), 0, 0);
    let meter = Arc::new(meter::Meter::default());
    let sides = [open(), open()];
    let mut signatures: Vec<(String, Kind, Vec<Type>, &str, &str)> = Vec::new();
    for f in functions() {
        let mut args = f.args.to_vec();
        if let Some(last) = args.last().copied().filter(|_| f.variadic) {
            args.extend([last, last]);
        }
        let column = f.columns.first().map_or("value", |(name, _)| name);
        signatures.push((format!("{}()", f.name), f.kind, args, f.lower, column));
    }
    for o in operators() {
        let args = o.left.into_iter().chain([o.right]).collect();
        signatures.push((o.name.to_owned(), Kind::Scalar, args, o.lower, ""));
    }
    for c in casts() {
        signatures.push((format!("{:?} to {:?}", c.from, c.to), Kind::Scalar, vec![c.from], c.lower, ""));
    }
    for (name, kind, types, lower, column) in &signatures {
        for _ in 0..rounds {
            let types: Vec<Type> = types.iter().map(|ty| actual(*ty, &mut dice)).collect();
            let mut one = || -> Vec<String> {
                let value = |ty: &Type| {
                    if dice.pick(&[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]) == &1 {
                        "NULL".into()
                    } else {
                        dice.pick(&literals(*ty)).clone()
                    }
                };
                types.iter().map(value).collect()
            };
            let (first, second, third) = (one(), one(), one());
            let arguments = |texts: &'_ [String]| -> Vec<Argument<'static>> {
                let leak = |(text, ty): (&String, &Type)| Argument { sql: text.clone().leak(), ty: *ty, typmod: -1 };
                texts.iter().zip(&types).map(leak).collect()
            };
            let sql = match kind {
                Kind::Scalar => format!("SELECT {}", render(lower, &arguments(&first), -1)),
                Kind::Set => format!("SELECT {column} FROM {} LIMIT 100", render(lower, &arguments(&first), -1)),
                Kind::Aggregate | Kind::Window => {
                    let names: Vec<String> = (0..types.len()).map(|i| format!("c{i}")).collect();
                    let over = if *kind == Kind::Window { " OVER (ORDER BY 1 ROWS 1 PRECEDING)" } else { "" };
                    let call = render(lower, &arguments(&names), -1) + over;
                    let row = |row: &[String]| {
                        let named = row.iter().zip(&names).map(|(value, name)| format!("{value} AS {name}"));
                        format!("SELECT 0 AS z{}", named.map(|c| format!(", {c}")).collect::<String>())
                    };
                    format!("SELECT {call} FROM ({} UNION ALL {} UNION ALL {})", row(&first), row(&second), row(&third))
                }
            };
            calls += 1;
            let found = sides.each_ref().map(|(conn, ctx)| {
                *ctx.lock() = context();
                meter.begin(meter::Limits { work: WORK, memory: 64 << 20, ..meter::Limits::NONE });
                let _entered = meter.enter();
                let value = evaluate(conn, &sql);
                (value, meter.spent())
            });
            stopped += usize::from(found[0].1 > WORK);
            if found[0] != found[1] || found[0].0.contains("failed on these arguments") {
                wrong.push(format!("{name}: {}\n    {:.300}", &sql[..sql.floor_char_boundary(600)], found[0].0));
            }
        }
    }
    println!("{calls} calls of {} signatures, {stopped} of them stopped", signatures.len());
    assert!(wrong.is_empty(), "{} calls:\n{}", wrong.len(), wrong.join("\n"));
}
