//! What ends a transaction from outside: timeouts, signals, limits. And what a pipeline makes of one.

use crate::support::cluster::{Cluster, Options};
use crate::support::in_time;
use crate::support::raw::{self, Raw, all_values, first_error};
use std::time::Duration;

async fn ok(client: &mut Raw, sql: &str) -> Vec<String> {
    let answer = in_time(sql, client.query(sql)).await.expect("an answer");
    assert_eq!(first_error(&answer).map(|e| e.to_string()), None, "{sql}");
    all_values(&answer)
}

/// The error that a query ends with.
async fn error(client: &mut Raw, sql: &str) -> raw::Fields {
    let answer = in_time(sql, client.query(sql)).await.expect("an answer");
    first_error(&answer).unwrap_or_else(|| panic!("{sql}: no error"))
}

/// The error that ends the connection.
async fn last_words(client: &mut Raw, what: &str) -> (String, String) {
    loop {
        let message = in_time(what, client.receive()).await.expect("an error before the end");
        if message.tag == b'E' {
            let fields = message.error();
            assert_eq!(fields.get(b'S'), Some("FATAL"), "{fields}");
            assert!(in_time(what, client.receive()).await.is_err(), "the connection ends");
            return (fields.code().to_owned(), fields.message().to_owned());
        }
    }
}

async fn connect(cluster: &Cluster, node: u64) -> Raw {
    Raw::connect(cluster.node(node).postgres).await.expect("connect")
}

const IDLE: (&str, &str) = ("25P03", "terminating connection due to idle-in-transaction timeout");
const LASTED: (&str, &str) = ("25P04", "terminating connection due to transaction timeout");

fn assert_ended(found: (String, String), expected: (&str, &str)) {
    assert_eq!((found.0.as_str(), found.1.as_str()), expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn timeouts_end_sessions_and_give_back_their_locks() {
    let cluster = Cluster::start(3).await;
    cluster.run(1, "CREATE TABLE t (id int PRIMARY KEY, n int)").await;
    cluster.run(1, "INSERT INTO t VALUES (1, 0), (2, 0)").await;
    let mut other = connect(&cluster, 1).await;

    for (node, setting, expected) in [
        (2, "idle_in_transaction_session_timeout", IDLE),
        (3, "transaction_timeout", LASTED),
        (1, "transaction_timeout", LASTED),
    ] {
        let mut client = connect(&cluster, node).await;
        ok(&mut client, &format!("SET {setting} = '300ms'")).await;
        // Outside of blocks nothing ends.
        tokio::time::sleep(Duration::from_millis(500)).await;
        ok(&mut client, "BEGIN").await;
        ok(&mut client, "UPDATE t SET n = n + 1 WHERE id = 1").await;
        assert_ended(last_words(&mut client, setting).await, expected);
        ok(&mut other, "UPDATE t SET n = n + 10 WHERE id = 1").await;
    }
    assert_eq!(ok(&mut other, "SELECT n FROM t WHERE id = 1").await, ["30"]);

    // A transaction that waits for a lock ends as well, and so does a read without end.
    ok(&mut other, "BEGIN").await;
    ok(&mut other, "UPDATE t SET n = 0 WHERE id = 2").await;
    const ENDLESS: &str = "SELECT count(*) FROM generate_series(1, 100000000) a, generate_series(1, 100000000) b";
    for sql in ["UPDATE t SET n = 1 WHERE id = 2", "SELECT n FROM t WHERE id = 2 FOR UPDATE", ENDLESS] {
        for block in ["BEGIN", "BEGIN ISOLATION LEVEL REPEATABLE READ"] {
            let mut client = connect(&cluster, 2).await;
            ok(&mut client, "SET transaction_timeout = '400ms'").await;
            ok(&mut client, block).await;
            client.send(&raw::query(sql)).await.expect("send");
            assert_ended(last_words(&mut client, sql).await, LASTED);
        }
    }
    // A single statement is a transaction, too.
    let mut client = connect(&cluster, 3).await;
    ok(&mut client, "SET transaction_timeout = '300ms'").await;
    client.send(&raw::query(ENDLESS)).await.expect("send");
    assert_ended(last_words(&mut client, "an endless statement").await, LASTED);
    ok(&mut other, "ROLLBACK").await;

    // The timeout that is shorter strikes; SET LOCAL is for this transaction; a new transaction has its own time.
    let mut client = connect(&cluster, 2).await;
    ok(&mut client, "SET transaction_timeout = '1500ms'").await;
    for _ in 0..3 {
        ok(&mut client, "BEGIN").await;
        tokio::time::sleep(Duration::from_millis(800)).await;
        ok(&mut client, "COMMIT AND CHAIN").await;
        tokio::time::sleep(Duration::from_millis(800)).await;
        ok(&mut client, "COMMIT").await;
    }
    ok(&mut client, "BEGIN").await;
    ok(&mut client, "SET LOCAL transaction_timeout = 0").await;
    tokio::time::sleep(Duration::from_millis(1800)).await;
    ok(&mut client, "COMMIT").await;
    ok(&mut client, "BEGIN").await;
    ok(&mut client, "SET LOCAL idle_in_transaction_session_timeout = '200ms'").await;
    assert_ended(last_words(&mut client, "the shorter timeout").await, IDLE);

    // A statement's own timeout is no end of the session.
    let mut client = connect(&cluster, 2).await;
    ok(&mut client, "SET transaction_timeout = '20s'; SET statement_timeout = '200ms'").await;
    ok(&mut client, "BEGIN").await;
    assert_eq!(error(&mut client, ENDLESS).await.code(), "57014");
    ok(&mut client, "ROLLBACK").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn signals_reach_sessions_of_other_nodes() {
    let cluster = Cluster::start(3).await;
    cluster.run(1, "CREATE TABLE t (id int PRIMARY KEY, n int)").await;
    cluster.run(1, "INSERT INTO t VALUES (1, 0)").await;
    let mut admin = connect(&cluster, 1).await;
    let mut holder = connect(&cluster, 2).await;
    let mut waiter = connect(&cluster, 3).await;
    ok(&mut holder, "SET application_name = 'holder'").await;
    ok(&mut holder, "BEGIN").await;
    ok(&mut holder, "UPDATE t SET n = 1").await;
    ok(&mut waiter, "BEGIN").await;
    waiter.send(&raw::query("UPDATE t SET n = 2")).await.expect("send");

    let find = "SELECT w.pid, h.pid, s.application_name FROM pg_locks w \
                JOIN pg_locks h ON h.relation = w.relation AND h.locktype = w.locktype AND h.granted \
                JOIN pg_stat_activity s ON s.pid = h.pid WHERE NOT w.granted";
    let found = crate::support::eventually("the wait is shown", Duration::from_secs(20), async || {
        let found = ok(&mut admin, find).await;
        if found.is_empty() { Err("nobody waits".to_owned()) } else { Ok(found) }
    })
    .await;
    assert_eq!(found, [waiter.pid.to_string(), holder.pid.to_string(), "holder".to_owned()]);
    let waits = format!(
        "SELECT state, wait_event_type, waitstart > xact_start FROM pg_stat_activity a \
                         JOIN pg_locks l ON l.pid = a.pid AND NOT l.granted WHERE a.pid = {}",
        waiter.pid
    );
    assert_eq!(ok(&mut admin, &waits).await, ["active", "Lock", "t"]);

    assert_eq!(ok(&mut admin, &format!("SELECT pg_cancel_backend({})", waiter.pid)).await, ["t"]);
    let answer = in_time("the cancelled statement", waiter.until_ready()).await.expect("an answer");
    assert_eq!(first_error(&answer).expect("an error").code(), "57014");
    assert_eq!(ok(&mut admin, &format!("SELECT pg_terminate_backend({})", holder.pid)).await, ["t"]);
    assert_ended(
        last_words(&mut holder, "the terminated session").await,
        ("57P01", "terminating connection due to administrator command"),
    );
    ok(&mut waiter, "ROLLBACK").await;
    ok(&mut waiter, "UPDATE t SET n = 3").await;
    assert_eq!(ok(&mut admin, "SELECT pg_terminate_backend(0), pg_cancel_backend(NULL)").await, ["f", ""]);
    let gone = format!("SELECT count(*) FROM pg_stat_activity WHERE pid = {}", holder.pid);
    assert_eq!(ok(&mut admin, &gone).await, ["0"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn limits_say_what_they_are() {
    let limits = "transactions = 2\ntransaction_statements = 5\ntransaction_mib = 1\ntransaction_changes_mib = 1\ntransaction_locks = 50";
    let cluster = Cluster::start_with(1, Options { limits: limits.into(), ..Options::default() }).await;
    cluster.run(1, "CREATE TABLE t (id int PRIMARY KEY, v text)").await;
    let mut client = connect(&cluster, 1).await;
    let mut refused = async |sql: &str, code: &str, message: &str, limit: &str| {
        let found = error(&mut client, sql).await;
        assert_eq!((found.code(), found.message()), (code, message), "{sql}");
        assert!(found.get(b'H').is_some_and(|hint| hint.contains(limit)), "{sql}: {found:?}");
    };
    let inserts: String = (0..6).map(|i| format!("INSERT INTO t VALUES ({i});")).collect();
    let large = "transaction is too large";
    refused(&format!("BEGIN; {inserts}"), "54000", large, "limits.transaction_statements").await;
    refused(
        "ROLLBACK; SELECT 1 / 0 WHERE false; BEGIN; INSERT INTO t SELECT n FROM generate_series(1, 100) n",
        "53200",
        "too many row locks in one transaction",
        "limits.transaction_locks",
    )
    .await;
    let long = "x".repeat(1 << 20);
    refused(&format!("ROLLBACK; BEGIN; INSERT INTO t VALUES (1, '{long}')"), "54000", large, "limits.transaction_mib")
        .await;
    refused(
        "ROLLBACK; BEGIN; INSERT INTO t VALUES (1, repeat('x', 9000000))",
        "54000",
        "the transaction changes more data than an open transaction may hold",
        "limits.transaction_changes_mib",
    )
    .await;
    ok(&mut client, "ROLLBACK").await;

    let (mut first, mut second) = (connect(&cluster, 1).await, connect(&cluster, 1).await);
    for (i, client) in [&mut first, &mut second].into_iter().enumerate() {
        ok(client, "BEGIN").await;
        ok(client, &format!("INSERT INTO t VALUES ({i})")).await;
    }
    ok(&mut client, "BEGIN").await;
    let found = error(&mut client, "INSERT INTO t VALUES (9)").await;
    assert_eq!((found.code(), found.message()), ("53300", "too many open transactions"));
    assert!(found.get(b'H').is_some_and(|hint| hint.contains("limits.transactions")));
    ok(&mut client, "ROLLBACK").await;
    ok(&mut first, "COMMIT").await;
    ok(&mut client, "BEGIN").await;
    ok(&mut client, "INSERT INTO t VALUES (9)").await;
    ok(&mut client, "COMMIT").await;
    ok(&mut second, "COMMIT").await;
    assert_eq!(ok(&mut client, "SELECT count(*) FROM t").await, ["3"]);
}

fn run(sql: &str) -> Vec<u8> {
    [raw::parse("", sql), raw::bind("", "", &[]), raw::describe_portal(""), raw::execute("", 0)].concat()
}

/// Tags of commands and errors, and the status, of one answer.
fn summary(messages: &[raw::Message]) -> Vec<String> {
    let one = |message: &raw::Message| match message.tag {
        b'C' => Some(message.text()),
        b'E' => Some(message.error().code().to_owned()),
        b'Z' => Some((message.body[0] as char).to_string()),
        _ => None,
    };
    messages.iter().filter_map(one).collect()
}

/// The answers were compared with those of PostgreSQL 15, which `QUORATE_RECORD=PORT` does again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pipelines_are_transactions_up_to_sync() {
    let cluster;
    let mut client = match std::env::var("QUORATE_RECORD") {
        Ok(port) => Raw::connect_as(port.parse().expect("a port"), "postgres", "postgres").await.expect("connect"),
        Err(_) => {
            cluster = Cluster::start(1).await;
            connect(&cluster, 1).await
        }
    };
    ok(&mut client, "DROP TABLE IF EXISTS pipe; CREATE TABLE pipe (id int PRIMARY KEY)").await;
    let cases: &[(&[&str], &[&str])] = &[
        // An implicit transaction: all or nothing.
        (&["INSERT INTO pipe VALUES (1)", "INSERT INTO pipe VALUES (2)"], &["INSERT 0 1", "INSERT 0 1", "I"]),
        (&["INSERT INTO pipe VALUES (3)", "INSERT INTO pipe VALUES (1)", "SELECT 1"], &["INSERT 0 1", "23505", "I"]),
        (&["SELECT id FROM pipe"], &["SELECT 2", "I"]),
        // A query behind a failure is skipped, also one that would not compile.
        (&["SELECT 1 / 0", "SELECT nonsense FROM nowhere"], &["22012", "I"]),
        // An error in a block: skipped up to Sync, and the block is aborted.
        (
            &["BEGIN", "INSERT INTO pipe VALUES (4)", "SELECT 1 / 0", "INSERT INTO pipe VALUES (5)"],
            &["BEGIN", "INSERT 0 1", "22012", "E"],
        ),
        (&["SELECT 1"], &["25P02", "E"]),
        (&["ROLLBACK"], &["ROLLBACK", "I"]),
        // A savepoint in the pipeline; what follows the error is skipped up to Sync.
        (
            &["BEGIN", "INSERT INTO pipe VALUES (4)", "SAVEPOINT s", "SELECT 1 / 0", "ROLLBACK TO s"],
            &["BEGIN", "INSERT 0 1", "SAVEPOINT", "22012", "E"],
        ),
        (&["ROLLBACK TO s", "INSERT INTO pipe VALUES (5)", "COMMIT"], &["ROLLBACK", "INSERT 0 1", "COMMIT", "I"]),
        (&["SELECT id FROM pipe"], &["SELECT 4", "I"]),
        // BEGIN makes what came before it part of the block.
        (
            &["INSERT INTO pipe VALUES (6)", "BEGIN", "INSERT INTO pipe VALUES (7)"],
            &["INSERT 0 1", "BEGIN", "INSERT 0 1", "T"],
        ),
        (&["ROLLBACK"], &["ROLLBACK", "I"]),
        (&["SELECT id FROM pipe"], &["SELECT 4", "I"]),
        // COMMIT ends what was under way, with a warning; the rest is another transaction.
        (
            &["INSERT INTO pipe VALUES (6)", "COMMIT", "INSERT INTO pipe VALUES (7)", "SELECT 1 / 0"],
            &["INSERT 0 1", "COMMIT", "INSERT 0 1", "22012", "I"],
        ),
        (&["SELECT id FROM pipe"], &["SELECT 5", "I"]),
        // A whole block, and the next one.
        (
            &["BEGIN", "DELETE FROM pipe WHERE id = 6", "COMMIT", "BEGIN", "DELETE FROM pipe", "ROLLBACK"],
            &["BEGIN", "DELETE 1", "COMMIT", "BEGIN", "DELETE 4", "ROLLBACK", "I"],
        ),
        (&["SELECT id FROM pipe"], &["SELECT 4", "I"]),
        (
            &[
                "BEGIN ISOLATION LEVEL SERIALIZABLE",
                "SELECT id FROM pipe",
                "SET TRANSACTION ISOLATION LEVEL READ COMMITTED",
            ],
            &["BEGIN", "SELECT 4", "25001", "E"],
        ),
        (&["COMMIT"], &["ROLLBACK", "I"]),
    ];
    for (statements, expected) in cases {
        let bytes: Vec<u8> = statements.iter().flat_map(|sql| run(sql)).chain(raw::sync()).collect();
        client.send(&bytes).await.expect("send");
        let answer = in_time("a pipeline", client.until_ready()).await.expect("an answer");
        assert_eq!(summary(&answer), *expected, "{statements:?}");
    }
    ok(&mut client, "DROP TABLE pipe").await;
}

/// Temporary objects of others come and go between any two messages: what was prepared before goes on, in blocks at every
/// level as well as outside of them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn temporary_objects_of_others_disturb_nobody() {
    let cluster = Cluster::start(3).await;
    cluster.run(1, "CREATE TABLE calm (id int PRIMARY KEY, n int)").await;
    for node in [1, 2] {
        let (client, other) = (cluster.connect(node).await, cluster.connect(3).await);
        let disturb = async || {
            other.batch_execute("CREATE TEMPORARY TABLE mine (a int)").await.expect("a temporary table");
            other.batch_execute("DROP TABLE mine").await.expect("it goes");
        };
        let insert = client.prepare("INSERT INTO calm VALUES ($1, 0)").await.expect("prepares");
        let update = client.prepare("UPDATE calm SET n = n + 1 WHERE id = $1").await.expect("prepares");
        let lock = client.prepare("SELECT n FROM calm WHERE id = $1 FOR UPDATE").await.expect("prepares");
        let base = node as i32 * 100;
        for (i, level) in ["READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE"].iter().enumerate() {
            let id = base + i as i32;
            disturb().await;
            client.execute(&insert, &[&id]).await.expect("outside of a block");
            disturb().await;
            client.batch_execute(&format!("BEGIN ISOLATION LEVEL {level}")).await.expect("begins");
            disturb().await;
            client.execute(&update, &[&id]).await.unwrap_or_else(|e| panic!("{level}: {e:?}"));
            disturb().await;
            client.execute(&insert, &[&(id + 10)]).await.unwrap_or_else(|e| panic!("{level}: {e:?}"));
            disturb().await;
            let row = client.query_one(&lock, &[&id]).await.unwrap_or_else(|e| panic!("{level}: {e:?}"));
            assert_eq!(row.get::<_, i32>(0), 1);
            disturb().await;
            client.batch_execute("COMMIT").await.unwrap_or_else(|e| panic!("{level}: {e:?}"));
        }
    }
    cluster.wait_converged().await;
}
