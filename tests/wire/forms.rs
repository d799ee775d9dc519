//! What values look like on the way: text and binary, the client's encoding, COPY's formats.

use crate::support::cluster::Cluster;
use crate::support::in_time;
use crate::support::raw::{self, Message, PROTOCOL_3, Raw, first_error, frame, startup, strings};
use tokio::net::TcpStream;

/// The fields of all rows, as bytes.
fn fields(messages: &[Message]) -> Vec<Vec<u8>> {
    let mut fields = Vec::new();
    for row in messages.iter().filter(|m| m.tag == b'D') {
        let mut rest = &row.body[2..];
        while let Some((length, after)) = rest.split_first_chunk::<4>() {
            let (value, after) = after.split_at(usize::try_from(i32::from_be_bytes(*length)).unwrap_or(0));
            fields.push(value.to_vec());
            rest = after;
        }
    }
    fields
}

fn code(messages: &[Message]) -> String {
    first_error(messages).map_or_else(String::new, |e| e.code().to_owned())
}

/// Parse, Bind with one result format for all columns, Execute, Sync.
fn run_as(sql: &str, format: u8) -> Vec<u8> {
    let bind = [strings(&["", ""]), vec![0, 0, 0, 0, 0, 1, 0, format]].concat();
    [raw::parse("", sql), frame(b'B', &bind), raw::describe_portal(""), raw::execute("", 0), raw::sync()].concat()
}

async fn ask(client: &mut Raw, bytes: &[u8]) -> Vec<Message> {
    client.send(bytes).await.expect("send");
    in_time("an answer", client.until_ready()).await.expect("an answer")
}

async fn connect_with(port: u16, encoding: &str) -> Raw {
    let stream = TcpStream::connect(("127.0.0.1", port)).await.expect("connect");
    let mut raw = Raw { stream, pid: 0, secret: Vec::new() };
    let settings = strings(&["user", "quorate", "database", "quorate", "client_encoding", encoding, ""]);
    raw.send(&startup(PROTOCOL_3, &settings)).await.expect("send");
    let answer = in_time("the startup", raw.until_ready()).await.expect("an answer");
    assert!(first_error(&answer).is_none(), "{encoding}: {:?}", first_error(&answer));
    raw
}

fn query(sql: &[u8]) -> Vec<u8> {
    frame(b'Q', &[sql, &[0]].concat())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn results_have_the_form_that_was_asked_for() {
    let cluster = Cluster::start(1).await;
    let mut client = Raw::connect(cluster.node(1).postgres).await.expect("connect");
    for sql in [
        "CREATE TABLE t (a int PRIMARY KEY)",
        "PREPARE seven AS SELECT 7",
        "PREPARE into_t AS INSERT INTO t VALUES ($1) RETURNING a",
        "BEGIN",
        "DECLARE b BINARY CURSOR FOR SELECT g FROM generate_series(1, 9) g",
        "DECLARE t CURSOR FOR SELECT g FROM generate_series(1, 9) g",
        "DECLARE s SCROLL CURSOR FOR SELECT g FROM generate_series(1, 9) g",
        "DECLARE h BINARY CURSOR WITH HOLD FOR SELECT g FROM generate_series(1, 9) g",
    ] {
        let answer = ask(&mut client, &query(sql.as_bytes())).await;
        assert!(first_error(&answer).is_none(), "{sql}: {:?}", first_error(&answer));
    }
    // A simple query gets what the cursor was declared for, the extended protocol what it asks for.
    for (cursor, binary) in [("b", true), ("t", false), ("s", false), ("h", true)] {
        let answer = ask(&mut client, &query(format!("FETCH {cursor}").as_bytes())).await;
        assert_eq!(fields(&answer), [if binary { b"\0\0\0\x01".to_vec() } else { b"1".to_vec() }], "{cursor}");
        let announced = answer.iter().find(|m| m.tag == b'T').expect("a description").body.last().copied();
        assert_eq!(announced, Some(u8::from(binary)), "{cursor}");
        for (n, format, shown) in [(2, 0, &b"2"[..]), (3, 1, b"\0\0\0\x03")] {
            let answer = ask(&mut client, &run_as(&format!("FETCH ABSOLUTE {n} {cursor}"), format)).await;
            assert_eq!(fields(&answer), [shown], "{cursor} {:?}", first_error(&answer));
            let announced = answer.iter().find(|m| m.tag == b'T').expect("a description").body.last().copied();
            assert_eq!(announced, Some(format), "{cursor}");
        }
    }
    for (sql, text, binary) in [
        ("EXECUTE seven", "7", &b"\0\0\0\x07"[..]),
        ("SHOW server_encoding", "UTF8", b"UTF8"),
        ("SELECT set_config('work_mem', '4MB', false)", "4MB", b"4MB"),
        ("INSERT INTO t VALUES (8) ON CONFLICT (a) DO UPDATE SET a = 8 RETURNING a", "8", b"\0\0\0\x08"),
        ("UPDATE t SET a = 8 RETURNING a", "8", b"\0\0\0\x08"),
    ] {
        assert_eq!(fields(&ask(&mut client, &run_as(sql, 0)).await), [text.as_bytes()], "{sql}");
        assert_eq!(fields(&ask(&mut client, &run_as(sql, 1)).await), [binary], "{sql}");
    }
    for (n, format, shown) in [(5, 0, &b"5"[..]), (6, 1, b"\0\0\0\x06")] {
        assert_eq!(fields(&ask(&mut client, &run_as(&format!("EXECUTE into_t({n})"), format)).await), [shown]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_have_their_encodings() {
    let cluster = Cluster::start(1).await;
    let port = cluster.node(1).postgres;
    let mut latin = connect_with(port, "LATIN1").await;
    for (sql, shown) in [
        (&b"SHOW client_encoding"[..], vec![&b"LATIN1"[..]]),
        (b"SELECT pg_client_encoding()", vec![b"LATIN1"]),
        (b"SELECT '\xe9', length('\xe9'), '\xe9'::bytea", vec![b"\xe9", b"1", b"\\xc3a9"]),
        (b"CREATE TABLE \"caf\xe9\" (\"\xe4\" text)", vec![]),
        (b"INSERT INTO \"caf\xe9\" VALUES ('\xfc') RETURNING \"\xe4\"", vec![b"\xfc"]),
        (b"SELECT \"\xe4\" FROM \"caf\xe9\"", vec![b"\xfc"]),
    ] {
        let answer = ask(&mut latin, &query(sql)).await;
        assert_eq!(fields(&answer), shown, "{:?}", first_error(&answer));
    }
    // Names and messages are text too; an error is told whatever letters it has.
    let answer = ask(&mut latin, &query(b"SELECT 1 AS \"\xe9\"")).await;
    assert!(answer.iter().any(|m| m.tag == b'T' && m.body[2..4] == *b"\xe9\0"));
    let answer = ask(&mut latin, &query(b"SELECT * FROM \"\xe9\"")).await;
    assert!(answer.iter().any(|m| m.tag == b'E' && m.body.windows(3).any(|w| w == b"\"\xe9\"")));
    let mut utf8 = Raw::connect(port).await.expect("connect");
    ask(&mut utf8, &query("CREATE TABLE wide (\"€\" int)".as_bytes())).await;
    for sql in [
        "SELECT chr(8364)",
        "SELECT * FROM wide",
        "SELECT ARRAY['a', chr(8364)]",
        "SELECT ('\"' || chr(8364) || '\"')::jsonb",
    ] {
        for format in [0, 1] {
            let answer = ask(&mut latin, &run_as(sql, format)).await;
            assert_eq!(code(&answer), "22P05", "{sql}");
        }
        assert_eq!(code(&ask(&mut latin, &query(sql.as_bytes())).await), "22P05", "{sql}");
    }
    let answer = ask(&mut latin, &query(b"INSERT INTO \"caf\xe9\" VALUES (chr(8364)) RETURNING \"\xe4\"")).await;
    assert_eq!(code(&answer), "22P05");
    // Parameters, text and binary; results, binary.
    for (sql, format) in [("SELECT $1::text", 0), ("SELECT $1::text", 1), ("SELECT $1::varchar[]", 0)] {
        let parameter: &[u8] = if sql.ends_with(']') { b"{\xe9}" } else { b"\xe9" };
        let mut bind = [strings(&["", ""]), vec![0, 1, 0, format, 0, 1]].concat();
        bind.extend((parameter.len() as u32).to_be_bytes());
        bind.extend(parameter);
        bind.extend([0, 1, 0, format]);
        let bytes = [raw::parse("", sql), frame(b'B', &bind), raw::execute("", 0), raw::sync()].concat();
        assert_eq!(fields(&ask(&mut latin, &bytes).await), [parameter], "{sql} {format}");
    }

    // It changes within a query string.
    let answer = ask(&mut utf8, &query("SELECT 'é'; SET client_encoding = 'LATIN1'; SELECT chr(233)".as_bytes())).await;
    assert_eq!(fields(&answer), ["é".as_bytes(), b"\xe9"]);
    assert!(answer.iter().any(|m| m.tag == b'S' && m.body == *b"client_encoding\0LATIN1\0"));
    ask(&mut utf8, &query(b"RESET client_encoding")).await;
    for (encoding, bytes) in [
        ("WIN1252", &b"\x80"[..]),
        ("LATIN9", b"\xa4"),
        ("EUC_KR", b"\xa2\xe6"),
        ("GB18030", b"\xa2\xe3"),
        ("SQL_ASCII", "€".as_bytes()),
    ] {
        ask(&mut utf8, &query(format!("SET NAMES '{encoding}'").as_bytes())).await;
        let sql = [b"SELECT ascii('", bytes, b"'), '", bytes, b"'"].concat();
        assert_eq!(fields(&ask(&mut utf8, &query(&sql)).await), [b"8364", bytes], "{encoding}");
    }
    ask(&mut utf8, &query(b"SET NAMES 'EUC_JP'")).await;
    assert_eq!(code(&ask(&mut utf8, &query(b"SELECT '\x8f\xa2'")).await), "22021");
    ask(&mut utf8, &query(b"SET NAMES 'WIN1252'")).await;
    assert_eq!(code(&ask(&mut utf8, &query(b"SELECT '\x81'")).await), "22P05");
    assert_eq!(code(&ask(&mut utf8, &query(b"SET NAMES 'EUC_TW'")).await), "0A000");
    assert_eq!(code(&ask(&mut utf8, &query(b"SET NAMES 'nothing'")).await), "22023");
}

/// All CopyData of an answer.
fn copied(messages: &[Message]) -> Vec<u8> {
    messages.iter().filter(|m| m.tag == b'd').flat_map(|m| m.body.clone()).collect()
}

/// COPY FROM in pieces of `size` bytes.
async fn copy_in(client: &mut Raw, sql: &str, data: &[u8], size: usize) -> Vec<Message> {
    client.send(&query(sql.as_bytes())).await.expect("send");
    let first = in_time("CopyInResponse", client.receive()).await.expect("an answer");
    if first.tag != b'G' {
        let rest = in_time("the rest", client.until_ready()).await.expect("an answer");
        return [vec![first], rest].concat();
    }
    let mut bytes: Vec<u8> = data.chunks(size).flat_map(|chunk| frame(b'd', chunk)).collect();
    bytes.extend(frame(b'c', b""));
    ask(client, &bytes).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn copy_in_all_formats() {
    let cluster = Cluster::start(1).await;
    let port = cluster.node(1).postgres;
    let mut client = Raw::connect(port).await.expect("connect");
    let columns = "a int, b text, c numeric(6,2), d timestamptz, e bytea, f int[], g jsonb, h uuid, i float8, j date";
    ask(&mut client, &query(format!("CREATE TABLE t ({columns})").as_bytes())).await;
    ask(&mut client, &query(format!("CREATE TABLE u ({columns})").as_bytes())).await;
    let insert = "INSERT INTO t VALUES (1, 'é\t\"x\"', 1.50, '2020-02-03 04:05:06.789+00', '\\x00ff', '{1,NULL,3}', \
                  '{\"k\": [1, 2.50]}', '00112233-4455-6677-8899-aabbccddeeff', -0.1, 'infinity'), \
                  (NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL), \
                  (2, '', 'NaN', '-infinity', '', '{}', 'null', NULL, 1e300, '0044-03-15 BC')";
    let answer = ask(&mut client, &query(insert.as_bytes())).await;
    assert!(first_error(&answer).is_none(), "{:?}", first_error(&answer));
    let shown = fields(&ask(&mut client, &query(b"SELECT * FROM t ORDER BY a")).await);

    for options in ["FORMAT binary", "FORMAT csv", "FORMAT text", "FORMAT csv, ENCODING 'LATIN1', HEADER"] {
        let answer = ask(&mut client, &query(format!("COPY t TO STDOUT ({options})").as_bytes())).await;
        let data = copied(&answer);
        let announced = &answer.iter().find(|m| m.tag == b'H').expect("CopyOutResponse").body;
        let binary = u8::from(options == "FORMAT binary");
        assert_eq!((announced[0], announced[4]), (binary, binary), "{options}");
        assert_eq!(options.contains("LATIN1"), data.contains(&0xe9) && !data.contains(&0xc3), "{options}");
        for size in [1, 7, data.len()] {
            ask(&mut client, &query(b"TRUNCATE u")).await;
            let answer = copy_in(&mut client, &format!("COPY u FROM STDIN ({options})"), &data, size).await;
            assert!(first_error(&answer).is_none(), "{options}: {:?}", first_error(&answer));
            assert_eq!(answer.iter().find(|m| m.tag == b'C').expect("a tag").text(), "COPY 3");
            assert_eq!(fields(&ask(&mut client, &query(b"SELECT * FROM u ORDER BY a")).await), shown, "{options}");
        }
    }
    // The client's encoding, whatever the file is called.
    let mut latin = connect_with(port, "LATIN1").await;
    ask(&mut latin, &query(b"CREATE TABLE l (a int, b text)")).await;
    for (format, data) in [
        ("text", &b"1\t\xe9\n"[..]),
        ("csv", b"1,\xe9\n"),
        ("binary", b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0\0\x02\0\0\0\x04\0\0\0\x01\0\0\0\x01\xe9\xff\xff"),
    ] {
        ask(&mut latin, &query(b"TRUNCATE l")).await;
        copy_in(&mut latin, &format!("COPY l FROM STDIN (FORMAT {format})"), data, 1).await;
        assert_eq!(fields(&ask(&mut client, &query(b"SELECT b FROM l")).await), ["é".as_bytes()], "{format}");
        let answer = ask(&mut latin, &query(format!("COPY l TO STDOUT (FORMAT {format})").as_bytes())).await;
        assert_eq!(copied(&answer), data, "{format}");
    }
    for (sql, data, code) in [
        ("COPY l FROM STDIN (FORMAT binary)", &b"1\t2\n"[..], "22P04"),
        ("COPY l FROM STDIN (FORMAT binary)", b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0\0\x01", "22P04"),
        ("COPY l FROM STDIN (FORMAT binary)", b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0\0\x02\0\0\0\x02\0\0", "22P04"),
        ("COPY l FROM STDIN (ENCODING 'EUC_JP')", b"1\t\x8f\xa2\n", "22021"),
        ("COPY l FROM STDIN (ENCODING 'WIN1252')", b"1\t\x81\n", "22P05"),
        ("COPY l FROM STDIN (FORMAT binary, DELIMITER ',')", b"", "42601"),
        ("COPY l FROM STDIN (FORMAT binary, HEADER)", b"", "0A000"),
        ("COPY l FROM STDIN (ENCODING 'nothing')", b"", "22023"),
    ] {
        assert_eq!(self::code(&copy_in(&mut client, sql, data, 3).await), code, "{sql}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn copy_where() {
    let cluster = Cluster::start(1).await;
    let mut client = Raw::connect(cluster.node(1).postgres).await.expect("connect");
    for sql in [
        "CREATE SEQUENCE s",
        "CREATE TABLE t (a int PRIMARY KEY, b text, c numeric DEFAULT 2.50, d int DEFAULT nextval('s'), \
         g int GENERATED ALWAYS AS (a * 2) STORED, n int)",
    ] {
        let answer = ask(&mut client, &query(sql.as_bytes())).await;
        assert!(first_error(&answer).is_none(), "{sql}: {:?}", first_error(&answer));
    }
    let data = b"1\tx\n2\ty\n3\t\\N\n4\tX\n";
    for (condition, kept) in [
        ("a > 2", "3 4"),
        ("b = 'x' OR b = 'X'", "1 4"),
        ("lower(b) = 'x' AND t.a < 4", "1"),
        ("b IS NULL", "3"),
        ("b <> 'y'", "1 4"),
        ("c = 2.5 AND n IS NULL", "1 2 3 4"),
        ("false", ""),
        ("NULL", ""),
    ] {
        ask(&mut client, &query(b"TRUNCATE t; SELECT setval('s', 1, false)")).await;
        let answer = copy_in(&mut client, &format!("COPY t (a, b) FROM STDIN WHERE {condition}"), data, 5).await;
        let count = kept.split_whitespace().count();
        let tag = answer.iter().find(|m| m.tag == b'C').map(Message::text);
        assert_eq!(tag, Some(format!("COPY {count}")), "{condition}: {:?}", first_error(&answer));
        let rows =
            "SELECT coalesce(string_agg(a::text, ' ' ORDER BY a), ''), sum(c) = 2.5 * count(*) OR count(*) = 0 FROM t";
        let found = fields(&ask(&mut client, &query(rows.as_bytes())).await);
        assert_eq!(found, [kept.as_bytes(), b"t"], "{condition}");
    }
    for (condition, code) in [
        ("g > 2", "42P10"),
        ("z > 2", "42703"),
        ("a", "42804"),
        ("a > (SELECT 1)", "0A000"),
        ("count(*) > 1", "42803"),
        ("a > generate_series(1, 2)", "0A000"),
        ("row_number() OVER () > 1", "42P20"),
        ("a > $1", "42P02"),
        ("a > 1 GROUP BY b", "42601"),
    ] {
        let answer = copy_in(&mut client, &format!("COPY t (a, b) FROM STDIN WHERE {condition}"), data, 5).await;
        assert_eq!(self::code(&answer), code, "{condition}: {:?}", first_error(&answer));
    }
    // What is refused is told as ever.
    let answer = copy_in(&mut client, "COPY t (a, b) FROM STDIN WHERE a > 0", b"7\tx\n7\ty\n", 5).await;
    let error = first_error(&answer).expect("a duplicate");
    assert_eq!((error.code(), error.get(b'D')), ("23505", Some("Key (a)=(7) already exists.")));
}

/// One that is declared with a parameter, and what drivers ask of EXPLAIN.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cursors_with_parameters_and_explanations() {
    let cluster = Cluster::start(1).await;
    let mut client = Raw::connect(cluster.node(1).postgres).await.expect("connect");
    ask(&mut client, &query(b"CREATE TABLE t (a int PRIMARY KEY, b text); BEGIN")).await;
    ask(&mut client, &query(b"INSERT INTO t SELECT g, 'x' FROM generate_series(1, 9) g")).await;
    let declare = "DECLARE c CURSOR FOR SELECT a FROM t WHERE a > $1 ORDER BY a";
    let bytes = [
        raw::parse("", declare),
        frame(b'D', b"S\0"),
        raw::bind("", "", &[Some("6")]),
        raw::execute("", 0),
        raw::sync(),
    ];
    let answer = ask(&mut client, &bytes.concat()).await;
    assert!(first_error(&answer).is_none(), "{:?}", first_error(&answer));
    let types = &answer.iter().find(|m| m.tag == b't').expect("parameters").body;
    assert_eq!(**types, [0, 1, 0, 0, 0, 23]);
    assert_eq!(fields(&ask(&mut client, &query(b"FETCH 2 FROM c")).await), [b"7", b"8"]);
    assert_eq!(fields(&ask(&mut client, &query(b"FETCH BACKWARD 1 FROM c; COMMIT")).await), [b"7"]);

    ask(&mut client, &query(b"PREPARE p(int) AS SELECT a, b FROM t WHERE a = $1")).await;
    for (sql, keys) in [
        ("EXPLAIN (FORMAT JSON) SELECT * FROM t", &["Plan"][..]),
        ("EXPLAIN (VERBOSE, FORMAT JSON) EXECUTE p(NULL)", &["Plan"]),
        (
            "EXPLAIN (FORMAT JSON, VERBOSE, ANALYZE) SELECT * FROM t ORDER BY b",
            &["Plan", "Planning Time", "Triggers", "Execution Time"],
        ),
        ("EXPLAIN (FORMAT JSON) UPDATE t SET b = 'y'", &["Plan"]),
        ("EXPLAIN (FORMAT JSON) SELECT a FROM t UNION SELECT 1", &["Plan"]),
    ] {
        let answer = ask(&mut client, &run_as(sql, 0)).await;
        assert!(first_error(&answer).is_none(), "{sql}: {:?}", first_error(&answer));
        let described = answer.iter().find(|m| m.tag == b'T').expect("a description");
        assert_eq!(described.columns(), [("QUERY PLAN".to_owned(), 114)]);
        let [json] = &fields(&answer)[..] else { panic!("{sql}: one row") };
        let json: serde_json::Value = serde_json::from_slice(json).expect(sql);
        let top = json[0].as_object().expect(sql);
        let found: std::collections::BTreeSet<&str> = top.keys().map(String::as_str).collect();
        assert_eq!(found, keys.iter().copied().collect(), "{sql}");
        assert!(json[0]["Plan"]["Node Type"].is_string(), "{sql}");
        if sql.contains("ANALYZE") {
            assert_eq!(json[0]["Plan"]["Actual Rows"], 9);
            assert_eq!(json[0]["Plan"]["Output"], serde_json::json!(["a", "b"]));
        }
    }
    let text = ask(&mut client, &query(b"EXPLAIN (ANALYZE, TIMING off, SUMMARY off) SELECT * FROM t")).await;
    let text = String::from_utf8(fields(&text).concat()).expect("text");
    assert!(text.ends_with("(actual rows=9 loops=1)"), "{text}");
    // With ANALYZE a change is made.
    assert_eq!(code(&ask(&mut client, &query(b"EXPLAIN ANALYZE DELETE FROM t")).await), "");
    let left = ask(&mut client, &query(b"SELECT count(*) FROM t")).await;
    assert_eq!(String::from_utf8(fields(&left).concat()).expect("text"), "0");
    for (format, begins) in [("yaml", "- Plan: \n    Node Type: "), ("XML", "<explain xmlns=")] {
        let told = ask(&mut client, &query(format!("EXPLAIN (FORMAT {format}) SELECT 1").as_bytes())).await;
        let told = String::from_utf8(fields(&told).concat()).expect("text");
        assert!(told.starts_with(begins), "{told}");
    }
}

/// What is counted through one node, all nodes plan by.
#[tokio::test(flavor = "multi_thread")]
async fn statistics_decide_which_index_is_used() {
    let cluster = Cluster::start(3).await;
    let mut client = Raw::connect(cluster.node(1).postgres).await.expect("connect");
    for (table, indexes) in [("t", ["status", "owner"]), ("u", ["owner", "status"])] {
        let make = format!("CREATE TABLE {table} (id int PRIMARY KEY, status text, owner int)");
        let fill = format!("INSERT INTO {table} SELECT g, 'done', g FROM generate_series(1, 2000) g");
        let index = indexes.map(|column| format!("CREATE INDEX {table}_{column} ON {table} ({column})"));
        for sql in [&make, &fill, &index[0], &index[1]] {
            assert_eq!(code(&ask(&mut client, &query(sql.as_bytes())).await), "", "{sql}");
        }
    }
    assert_eq!(code(&ask(&mut client, &query(b"ANALYZE")).await), "");
    for node in 1..=3 {
        let mut client = Raw::connect(cluster.node(node).postgres).await.expect("connect");
        for table in ["t", "u"] {
            let sql = format!("EXPLAIN SELECT id FROM {table} WHERE status = 'done' AND owner = 7");
            let plan =
                String::from_utf8(fields(&ask(&mut client, &query(sql.as_bytes())).await).concat()).expect("text");
            assert!(plan.contains(&format!("public.{table}_owner")), "{plan}");
        }
    }
}

/// The columns of a result: their types' OIDs.
fn types(messages: &[Message]) -> Vec<u32> {
    let Some(row) = messages.iter().find(|m| m.tag == b'T') else { return Vec::new() };
    let mut rest = &row.body[2..];
    let mut types = Vec::new();
    while let Some(end) = rest.iter().position(|byte| *byte == 0) {
        let (field, after) = rest[end + 1..].split_at(18);
        types.push(u32::from_be_bytes([field[6], field[7], field[8], field[9]]));
        rest = after;
    }
    types
}

/// What the catalog has in a form of its own is sent in that of its type.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_catalog_is_binary_too() {
    use quorate::types::{self, Env, NO_TYPMOD, Type};
    let cluster = Cluster::start(1).await;
    let mut client = Raw::connect(cluster.node(1).postgres).await.expect("connect");
    for sql in [
        "CREATE TABLE parent (a int PRIMARY KEY, b text, c varchar(9) DEFAULT 'x', CHECK (a > 0)) WITH (fillfactor = 70)",
        "CREATE INDEX ON parent (b, c DESC) INCLUDE (a)",
        "CREATE INDEX ON parent (lower(b), (a + 1)) WHERE a > 3",
        "CREATE TABLE child (a int, b int REFERENCES parent, PRIMARY KEY (a, b))",
        "CREATE VIEW shown AS SELECT a FROM parent",
        "CREATE TYPE mood AS ENUM ('good')",
        "GRANT SELECT ON parent TO PUBLIC",
    ] {
        assert_eq!(code(&ask(&mut client, &query(sql.as_bytes())).await), "", "{sql}");
    }
    let relations = "aggregate am amop amproc attrdef attribute authid cast class collation constraint database \
                     depend description enum extension index indexes language namespace opclass operator \
                     opfamily proc range rewrite roles sequence settings tables trigger type views";
    for relation in relations.split(' ') {
        let sql = format!("SELECT * FROM pg_catalog.pg_{relation} ORDER BY 1 DESC LIMIT 9");
        let (text, binary) = (ask(&mut client, &run_as(&sql, 0)).await, ask(&mut client, &run_as(&sql, 1)).await);
        assert_eq!((code(&text), code(&binary)), (String::new(), String::new()), "{relation}");
        let types = types(&text);
        for (i, (shown, sent)) in fields(&text).iter().zip(fields(&binary)).enumerate() {
            let ty = Type(types[i % types.len()]);
            if shown.is_empty() && sent.is_empty()
                || matches!(ty, Type::TIMESTAMPTZ)
                || ty.is_reg()
                || ty == Type::RECORD
            {
                continue;
            }
            let value = types::binary::parse_binary(ty, NO_TYPMOD, &sent, &Env::default());
            let value = value.unwrap_or_else(|e| panic!("{relation}, {ty:?}, {shown:?}: {e}: {sent:?}"));
            let mut again = Vec::new();
            types::text::write_text(ty, NO_TYPMOD, value.as_ref(), &Env::default(), &mut again).expect("its text");
            assert_eq!(String::from_utf8_lossy(&again), String::from_utf8_lossy(shown), "{relation}, {ty:?}");
        }
    }
}
