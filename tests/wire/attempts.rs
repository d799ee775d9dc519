//! Attempts of a role without rights on every kind of object, and attempts to get out of the SQLite below: each is refused.

use crate::support::cluster::Cluster;
use crate::support::in_time;
use crate::support::raw::{self, Raw, all_values, first_error};

/// What there is, made by a superuser: everything that can be had, and somebody who has nothing of it.
const SETTING: &[&str] = &[
    "CREATE ROLE nobody LOGIN",
    "CREATE ROLE owner CREATEROLE",
    "CREATE ROLE boss SUPERUSER",
    "CREATE TABLE secret (id int PRIMARY KEY, word text DEFAULT 'x', n serial)",
    "CREATE TABLE partly (id int PRIMARY KEY, open text, hidden text)",
    "INSERT INTO secret VALUES (1, 'word')",
    "INSERT INTO partly VALUES (1, 'open', 'hidden')",
    "GRANT SELECT (id, open), UPDATE (open), INSERT (id) ON partly TO nobody",
    "CREATE VIEW secret_view AS SELECT * FROM secret",
    "CREATE SEQUENCE numbers",
    "CREATE INDEX secret_word ON secret (word)",
    "CREATE TYPE mood AS ENUM ('sad', 'ok')",
    "REVOKE USAGE ON TYPE mood FROM PUBLIC",
    "CREATE SCHEMA closed",
    "CREATE TABLE closed.t (a int)",
    "CREATE SCHEMA nobodys AUTHORIZATION nobody",
    "CREATE TABLE shared (id int PRIMARY KEY)",
    "GRANT SELECT ON shared TO nobody",
    "CREATE TABLE nobodys.own (a int)",
    "ALTER TABLE nobodys.own OWNER TO nobody",
];

/// Refused for want of rights.
const DENIED: &[&str] = &[
    // Tables, as a whole and by columns, in all places where columns are read.
    "SELECT * FROM secret",
    "SELECT 1 FROM secret",
    "SELECT count(*) FROM secret",
    "SELECT s FROM secret s",
    "TABLE secret",
    "SELECT * FROM shared JOIN secret USING (id)",
    "SELECT * FROM shared WHERE EXISTS (SELECT FROM secret)",
    "WITH w AS (SELECT * FROM secret) SELECT * FROM w",
    "WITH w AS (DELETE FROM secret RETURNING *) SELECT * FROM w",
    "SELECT (SELECT word FROM secret)",
    "SELECT id FROM shared UNION SELECT id FROM secret",
    "SELECT x.id FROM shared, LATERAL (SELECT id FROM secret WHERE secret.id = shared.id) x",
    "SELECT hidden FROM partly",
    "SELECT * FROM partly",
    "SELECT p FROM partly p",
    "SELECT row_to_json(p) FROM partly p",
    "SELECT id FROM partly WHERE hidden = 'hidden'",
    "SELECT id FROM partly ORDER BY hidden",
    "SELECT id FROM partly GROUP BY id HAVING max(hidden) > ''",
    "SELECT count(hidden) FROM partly",
    "SELECT a.id FROM partly a JOIN partly b USING (hidden)",
    "SELECT a.id FROM partly a NATURAL JOIN partly b",
    "SELECT rank() OVER (ORDER BY hidden) FROM partly",
    "SELECT ctid FROM partly",
    "SELECT xmin FROM partly",
    "SELECT id FROM shared FOR UPDATE",
    "INSERT INTO secret VALUES (2)",
    "INSERT INTO partly (id, hidden) VALUES (2, 'x')",
    "INSERT INTO partly (id) VALUES (2) RETURNING hidden",
    "INSERT INTO partly (id) VALUES (1) ON CONFLICT (id) DO UPDATE SET hidden = 'x'",
    "INSERT INTO partly (id) VALUES (1) ON CONFLICT (id) DO UPDATE SET open = partly.hidden",
    "INSERT INTO partly (id) VALUES (1) ON CONFLICT (id) DO UPDATE SET open = excluded.hidden",
    "INSERT INTO shared SELECT id FROM secret",
    "UPDATE secret SET word = 'x'",
    "UPDATE partly SET hidden = 'x'",
    "UPDATE partly SET open = hidden",
    "UPDATE partly SET open = 'x' WHERE hidden = 'x'",
    "UPDATE partly SET open = 'x' RETURNING *",
    "UPDATE partly SET open = s.word FROM secret s",
    "DELETE FROM secret",
    "DELETE FROM partly WHERE id = 1",
    "TRUNCATE secret",
    "TRUNCATE shared",
    "LOCK TABLE secret IN ACCESS SHARE MODE",
    "LOCK TABLE shared IN EXCLUSIVE MODE",
    "COPY secret TO STDOUT",
    "COPY partly TO STDOUT",
    "COPY (SELECT * FROM secret) TO STDOUT",
    "COPY secret FROM STDIN",
    "COPY partly (hidden) FROM STDIN",
    "EXPLAIN SELECT * FROM secret",
    "EXPLAIN ANALYZE SELECT * FROM secret",
    "PREPARE p AS SELECT * FROM secret",
    "DECLARE c CURSOR WITH HOLD FOR SELECT * FROM secret",
    "CREATE TABLE nobodys.copy AS SELECT * FROM secret",
    "CREATE TABLE nobodys.copy (LIKE secret)",
    "CREATE TABLE nobodys.child (id int REFERENCES secret)",
    // A view is read by its reader's rights on it, and by its owner's on what it reads.
    "SELECT * FROM secret_view",
    // Sequences.
    "SELECT nextval('numbers')",
    "SELECT currval('numbers')",
    "SELECT setval('numbers', 5)",
    "SELECT nextval(name::regclass) FROM (VALUES ('numbers')) v(name)",
    "SELECT setval(name::regclass, 1) FROM (VALUES ('numbers')) v(name)",
    "SELECT last_value FROM numbers",
    "ALTER TABLE nobodys.own ADD COLUMN b bigint DEFAULT nextval('numbers')",
    // Definitions.
    "ALTER TABLE secret ADD COLUMN x int",
    "ALTER TABLE secret RENAME TO mine",
    "ALTER TABLE secret OWNER TO nobody",
    "ALTER VIEW secret_view RENAME TO mine",
    "ALTER SEQUENCE numbers RESTART",
    "ALTER TYPE mood ADD VALUE 'glad'",
    "ALTER INDEX secret_word RENAME TO mine",
    "ALTER SCHEMA closed OWNER TO nobody",
    "ALTER DATABASE quorate OWNER TO nobody",
    "ALTER DATABASE quorate SET work_mem = '1MB'",
    "CREATE INDEX ON secret (word)",
    "CREATE OR REPLACE VIEW secret_view AS SELECT 1 AS id, ''::text AS word, 1 AS n",
    "COMMENT ON TABLE secret IS 'mine'",
    "DROP TABLE secret",
    "DROP VIEW secret_view",
    "DROP SEQUENCE numbers",
    "DROP INDEX secret_word",
    "DROP TYPE mood",
    "DROP SCHEMA closed CASCADE",
    "CREATE TABLE mine (a int)",
    "CREATE TABLE public.mine (a int)",
    "CREATE VIEW public.mine AS SELECT 1",
    "CREATE SEQUENCE public.mine",
    "CREATE TYPE public.mine AS ENUM ()",
    "CREATE TABLE nobodys.moody (m mood)",
    "CREATE SCHEMA mine",
    "CREATE EXTENSION pgcrypto",
    // Schemas.
    "SELECT * FROM closed.t",
    "INSERT INTO closed.t VALUES (1)",
    "ALTER TABLE closed.t ADD COLUMN b int",
    "LOCK TABLE closed.t",
    // Grants.
    "GRANT SELECT ON secret TO nobody",
    "GRANT SELECT (hidden) ON partly TO nobody",
    "GRANT USAGE ON SCHEMA closed TO nobody",
    "GRANT USAGE ON SEQUENCE numbers TO nobody",
    "GRANT owner TO nobody",
    "GRANT pg_read_all_data TO nobody",
    "ALTER DEFAULT PRIVILEGES FOR ROLE owner GRANT SELECT ON TABLES TO nobody",
    "REASSIGN OWNED BY owner TO nobody",
    "DROP OWNED BY owner",
    // Roles.
    "CREATE ROLE other",
    "ALTER ROLE nobody SUPERUSER",
    "ALTER ROLE nobody CREATEROLE",
    "ALTER ROLE boss PASSWORD 'x'",
    "ALTER ROLE ALL SET work_mem = '1MB'",
    "DROP ROLE owner",
    "SET ROLE boss",
    "SET ROLE owner",
    "SET SESSION AUTHORIZATION boss",
    "SET session_preload_libraries = 'x'",
    "SELECT set_config('session_preload_libraries', 'x', false)",
    "ALTER ROLE nobody SET session_preload_libraries = 'x'",
    "SELECT set_config('role', 'boss', false)",
    "SELECT set_config('session_authorization', 'quorate', false)",
    // What only superusers may know, and do.
    "SELECT rolpassword FROM pg_authid",
    "SELECT * FROM pg_shadow",
    "SELECT * FROM quorate.sessions",
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'quorate'",
    "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE usename = 'quorate'",
    "DELETE FROM pg_authid",
    "UPDATE pg_class SET relowner = 10",
    "INSERT INTO pg_auth_members VALUES (1, 2, 3, true)",
];

/// Ways out of the database's file; even a superuser finds none.
const ESCAPES: &[&str] = &[
    "ATTACH DATABASE '/tmp/x' AS x",
    "ATTACH '/tmp/x' AS x",
    "DETACH DATABASE main",
    "PRAGMA journal_mode = DELETE",
    "PRAGMA writable_schema = ON",
    "VACUUM INTO '/tmp/x'",
    "SELECT load_extension('x')",
    "SELECT readfile('/etc/passwd')",
    "SELECT writefile('/tmp/x', 'x')",
    "SELECT edit('x')",
    "SELECT fts3_tokenizer('x')",
    "SELECT sqlite_version()",
    "SELECT * FROM sqlite_master",
    "SELECT * FROM sqlite_schema",
    "SELECT * FROM main.sqlite_master",
    "SELECT * FROM sqlite_temp_master",
    "SELECT * FROM sqlite_sequence",
    "SELECT * FROM sqlite_dbpage",
    "SELECT * FROM dbstat",
    "SELECT * FROM pragma_table_info('secret')",
    "SELECT * FROM pragma_database_list",
    "SELECT * FROM pragma_journal_mode()",
    "SELECT * FROM fsdir('/')",
    "SELECT * FROM bytecode('SELECT 1')",
    "CREATE VIRTUAL TABLE x USING csv(filename='/etc/passwd')",
    "CREATE TRIGGER x AFTER INSERT ON secret BEGIN SELECT 1; END",
    "SELECT * FROM \"_quorate_schema\"",
    "SELECT * FROM \"_quorate_meta\"",
    "UPDATE \"_quorate_schema\" SET version = 0",
    "SELECT * FROM \"pg_catalog.pg_authid\"",
    "SELECT q_current_user()",
    "SELECT q_nextval(1)",
    "SELECT q_raise('XX000', 'x')",
    "SELECT q_live('sessions')",
    "SELECT * FROM q_rows('')",
    "COPY secret TO '/tmp/x'",
    "COPY secret FROM '/etc/passwd'",
    "COPY secret TO PROGRAM 'cat'",
    "COPY secret FROM PROGRAM 'cat'",
    "SELECT lo_import('/etc/passwd')",
    "SELECT lo_export(1, '/tmp/x')",
    "SELECT pg_read_file('/etc/passwd')",
    "SELECT pg_read_binary_file('/etc/passwd')",
    "SELECT pg_ls_dir('/')",
    "SELECT pg_stat_file('/')",
    "SELECT pg_reload_conf()",
    "SELECT pg_rotate_logfile()",
    "SELECT * FROM dblink('', 'SELECT 1') AS t(a int)",
    "SELECT query_to_xml('SELECT 1', true, true, '')",
    "LOAD 'x'",
    "CREATE EXTENSION file_fdw",
    "CREATE SERVER x FOREIGN DATA WRAPPER file_fdw",
    "CREATE FUNCTION x() RETURNS int LANGUAGE c AS 'x'",
    "DO 'x'",
    "ALTER SYSTEM SET work_mem = '1MB'",
    "CREATE TABLESPACE x LOCATION '/tmp'",
    // What would be taken for a protection, and is none here.
    "CREATE POLICY x ON secret USING (true)",
    "ALTER TABLE secret ENABLE ROW LEVEL SECURITY",
];

async fn ok(client: &mut Raw, sql: &str) -> Vec<String> {
    let answer = in_time(sql, client.query(sql)).await.expect("an answer");
    assert_eq!(first_error(&answer).map(|e| e.to_string()), None, "{sql}");
    all_values(&answer)
}

/// The SQLSTATE of each that is answered otherwise than with one of `codes`.
async fn others(client: &mut Raw, attempts: &[&str], codes: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for sql in attempts {
        // In a block, so that nothing that is let through stays.
        for around in ["BEGIN", sql, "ROLLBACK"] {
            client.send(&raw::query(around)).await.expect("a query is sent");
            let mut error = None;
            loop {
                let message = in_time(sql, client.receive()).await.expect("an answer");
                match message.tag {
                    b'Z' => break,
                    b'E' => error = Some(message.error().to_string()),
                    b'G' => client.send(&raw::frame(b'c', b"")).await.expect("an end"),
                    _ => {}
                }
            }
            if around == *sql && !error.as_ref().is_some_and(|e| codes.iter().any(|code| e.contains(code))) {
                found.push(format!("{sql}: {}", error.unwrap_or_else(|| "done".into())));
            }
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_that_was_not_granted_is_refused() {
    let cluster = Cluster::start(1).await;
    let mut root = Raw::connect(cluster.node(1).postgres).await.expect("connect");
    for sql in SETTING {
        ok(&mut root, sql).await;
    }
    let mut nobody = Raw::connect_as(cluster.node(1).postgres, "nobody", "quorate").await.expect("connect");
    // 0LP01 and 2BP01 come before the question of rights in PostgreSQL, too.
    assert_eq!(others(&mut nobody, DENIED, &["42501"]).await, Vec::<String>::new());
    let codes = ["42601", "0A000", "42883", "42P01", "42501", "42704", "3F000"];
    assert_eq!(others(&mut nobody, ESCAPES, &codes).await, Vec::<String>::new());
    assert_eq!(others(&mut root, ESCAPES, &codes).await, Vec::<String>::new());
    let unknown = Raw::connect_as(cluster.node(1).postgres, "unknown", "quorate").await.err().expect("no such role");
    assert!(unknown.to_string().contains("28000"), "{unknown}");
    // What a violation tells of rows is for those who may read them, and a password for nobody.
    let answer = in_time("a violation", nobody.query("INSERT INTO partly (id) VALUES (1)")).await.expect("an answer");
    let error = first_error(&answer).expect("a violation");
    assert_eq!((error.code(), error.get(b'D')), ("23505", Some("Key (id)=(1) already exists.")));
    ok(&mut root, "REVOKE SELECT (id) ON partly FROM nobody").await;
    let answer = in_time("a violation", nobody.query("INSERT INTO partly (id) VALUES (1)")).await.expect("an answer");
    let error = first_error(&answer).expect("a violation");
    assert_eq!((error.code(), error.get(b'D')), ("23505", None));
    let shown = "SELECT query FROM pg_stat_activity WHERE pid = ";
    let mut other = Raw::connect(cluster.node(1).postgres).await.expect("connect");
    ok(&mut other, "ALTER ROLE nobody PASSWORD 'not to be seen'").await;
    assert_eq!(ok(&mut root, &format!("{shown}{}", other.pid)).await, ["ALTER ROLE nobody PASSWORD '***'"]);
    assert_eq!(ok(&mut nobody, &format!("{shown}{}", other.pid)).await, ["<insufficient privilege>"]);

    // Nothing of all that has happened.
    assert_eq!(ok(&mut root, "SELECT word FROM secret").await, ["word"]);

    // A prepared plan does not outlive the right to it, in a read or in a write.
    ok(&mut root, "GRANT SELECT, INSERT ON shared TO nobody").await;
    ok(&mut nobody, "PREPARE r AS SELECT id FROM shared").await;
    ok(&mut nobody, "PREPARE w AS INSERT INTO shared VALUES (7)").await;
    ok(&mut nobody, "EXECUTE w").await;
    assert_eq!(ok(&mut nobody, "EXECUTE r").await, ["7"]);
    ok(&mut nobody, "BEGIN").await;
    ok(&mut nobody, "SELECT 1").await;
    ok(&mut root, "REVOKE ALL ON shared FROM nobody").await;
    let answer = in_time("a write", nobody.query("INSERT INTO shared VALUES (8)")).await.expect("an answer");
    assert_eq!(first_error(&answer).map(|e| e.code().to_owned()).as_deref(), Some("42501"));
    ok(&mut nobody, "ROLLBACK").await;
    assert_eq!(others(&mut nobody, &["EXECUTE r", "EXECUTE w"], &["42501"]).await, Vec::<String>::new());
    assert_eq!(ok(&mut root, "SELECT id FROM shared").await, ["7"]);
}
