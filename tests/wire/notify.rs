//! LISTEN and NOTIFY, message by message.

use crate::support::cluster::Cluster;
use crate::support::in_time;
use crate::support::raw::{self, Message, Raw, all_values, first_error, frame, strings};
use std::time::Duration;

async fn ask(client: &mut Raw, sql: &str) -> Vec<Message> {
    in_time(sql, client.query(sql)).await.expect("an answer")
}

/// Tags of an answer; `A` with what it says.
fn told(messages: &[Message]) -> String {
    let told = |m: &Message| match m.tag {
        b'A' => format!("A({})", letter(m)),
        tag => char::from(tag).to_string(),
    };
    messages.iter().map(told).collect()
}

/// Channel and payload of a NotificationResponse.
fn letter(message: &Message) -> String {
    String::from_utf8_lossy(&message.body[4..message.body.len() - 1]).replace('\0', " ").trim_end().to_owned()
}

async fn next(client: &mut Raw) -> String {
    let message = in_time("a notification", client.receive()).await.expect("a message");
    assert_eq!(message.tag, b'A', "{message:?}");
    letter(&message)
}

async fn silent(client: &mut Raw) {
    let more = tokio::time::timeout(Duration::from_millis(300), client.receive()).await;
    assert!(more.is_err(), "{more:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn notifications_come_between_statements() {
    let cluster = Cluster::start(3).await;
    let leader = cluster.leader("quorate").await;
    let follower = cluster.follower("quorate").await;
    let mut here = Raw::connect(cluster.node(follower).postgres).await.expect("connect");
    let mut there = Raw::connect(cluster.node(leader).postgres).await.expect("connect");

    // What was announced before is not heard.
    ask(&mut there, "NOTIFY a, 'early'").await;
    assert_eq!(told(&ask(&mut here, "LISTEN a").await), "CZ");
    assert_eq!(told(&ask(&mut here, "LISTEN \"B c\"").await), "CZ");
    assert_eq!(
        told(&ask(&mut there, "NOTIFY a, 'one'; NOTIFY A; NOTIFY other, 'x'; NOTIFY \"B c\", 'it''s'").await),
        "CCCCZ"
    );
    assert_eq!(next(&mut here).await, "a one");
    assert_eq!(next(&mut here).await, "a");
    assert_eq!(next(&mut here).await, "B c it's");
    ask(&mut there, "SELECT pg_notify('a', n::text) FROM generate_series(1, 3) n").await;
    for n in 1..=3 {
        assert_eq!(next(&mut here).await, format!("a {n}"));
    }
    // Its own, before it is told that it is ready.
    assert_eq!(told(&ask(&mut here, "NOTIFY a, 'self'").await), "CA(a self)Z");
    let pid = ask(&mut here, "SELECT pg_backend_pid()").await;
    let own = ask(&mut here, "NOTIFY a").await;
    let own = own.iter().find(|m| m.tag == b'A').expect("its own");
    assert_eq!(all_values(&pid), [i32::from_be_bytes(own.body[..4].try_into().expect("four bytes")).to_string()]);

    // In a block nothing is said, and nothing of what is rolled back. The same twice in one transaction is said once.
    ask(&mut here, "BEGIN").await;
    ask(&mut there, "BEGIN; NOTIFY a, 'x'; NOTIFY a, 'y'; NOTIFY a, 'x'; SAVEPOINT s; NOTIFY a, 'z'; ROLLBACK TO s")
        .await;
    silent(&mut here).await;
    ask(&mut there, "COMMIT").await;
    ask(&mut there, "BEGIN; NOTIFY a, 'gone'; ROLLBACK").await;
    assert_eq!(told(&ask(&mut here, "SELECT 1").await), "TDCZ");
    silent(&mut here).await;
    assert_eq!(told(&ask(&mut here, "COMMIT").await), "CA(a x)A(a y)Z");

    // With a write it comes when the write is seen.
    ask(&mut there, "CREATE TABLE t (v int)").await;
    ask(&mut there, "WITH w AS (SELECT pg_notify('a', 'row')) INSERT INTO t SELECT 1 FROM w").await;
    assert_eq!(next(&mut here).await, "a row");
    assert_eq!(all_values(&ask(&mut here, "SELECT v FROM t").await), ["1"]);
    let failed = ask(&mut there, "INSERT INTO t SELECT length(pg_notify('a', 'fails')::text) / 0").await;
    assert_eq!(first_error(&failed).expect("an error").code(), "22012");

    // Through the extended protocol.
    let bind = [strings(&["", ""]), vec![0, 0, 0, 1, 0, 0, 0, 2, b'p', b'$', 0, 0]].concat();
    let bytes =
        [raw::parse("", "SELECT pg_notify('a', $1)"), frame(b'B', &bind), raw::execute("", 0), raw::sync()].concat();
    there.send(&bytes).await.expect("send");
    in_time("the pipeline", there.until_ready()).await.expect("an answer");
    assert_eq!(next(&mut here).await, "a p$");

    let channels = ask(&mut here, "SELECT c FROM pg_listening_channels() c ORDER BY c").await;
    assert_eq!(all_values(&channels), ["B c", "a"]);
    assert_eq!(all_values(&ask(&mut here, "SELECT pg_notification_queue_usage()").await), ["0"]);
    // LISTEN and UNLISTEN count when they are committed.
    ask(&mut here, "BEGIN; UNLISTEN a; LISTEN d; ROLLBACK").await;
    ask(&mut there, "NOTIFY d; NOTIFY a, 'still'").await;
    assert_eq!(next(&mut here).await, "a still");
    ask(&mut here, "BEGIN; LISTEN d; SAVEPOINT s; LISTEN e; ROLLBACK TO s; UNLISTEN \"B c\"; COMMIT").await;
    let channels = ask(&mut here, "SELECT c FROM pg_listening_channels() c ORDER BY c").await;
    assert_eq!(all_values(&channels), ["a", "d"]);
    ask(&mut here, "UNLISTEN a").await;
    ask(&mut there, "NOTIFY a; NOTIFY d, 'd'").await;
    assert_eq!(next(&mut here).await, "d d");
    assert_eq!(told(&ask(&mut here, "DISCARD ALL").await), "CZ");
    ask(&mut there, "NOTIFY d").await;
    silent(&mut here).await;
    assert!(all_values(&ask(&mut here, "SELECT * FROM pg_listening_channels()").await).is_empty());
    ask(&mut here, "LISTEN a").await;
    assert_eq!(told(&ask(&mut here, "UNLISTEN *").await), "CZ");

    for (sql, code) in [
        ("SELECT pg_notify('', 'x')", "22023"),
        ("SELECT pg_notify(NULL, 'x')", "22023"),
        ("SELECT pg_notify(repeat('x', 64), 'x')", "22023"),
        ("SELECT pg_notify('a', repeat('x', 8000))", "22023"),
        ("NOTIFY", "42601"),
        ("LISTEN 'a'", "42601"),
    ] {
        assert_eq!(
            first_error(&ask(&mut here, sql).await).map(|e| e.code().to_owned()).as_deref(),
            Some(code),
            "{sql}"
        );
    }
    let long = "y".repeat(70);
    ask(&mut here, &format!("LISTEN {long}")).await;
    assert_eq!(told(&ask(&mut here, &format!("NOTIFY {long}")).await).matches('y').count(), 63);
    assert_eq!(told(&ask(&mut here, "BEGIN READ ONLY; NOTIFY a; COMMIT").await), "CCCZ");
}

/// Who does not take its notifications is told that it has lost some.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_is_never_idle_is_ended() {
    let cluster = Cluster::start(1).await;
    let port = cluster.node(1).postgres;
    let mut slow = Raw::connect(port).await.expect("connect");
    let mut fast = Raw::connect(port).await.expect("connect");
    ask(&mut slow, "LISTEN a; LISTEN b").await;
    ask(&mut fast, "LISTEN b").await;
    ask(&mut slow, "BEGIN").await;
    for _ in 0..3 {
        let many = "SELECT count(pg_notify('a', n || repeat('x', 7900))) FROM generate_series(1, 900) n";
        assert_eq!(all_values(&ask(&mut fast, many).await), ["900"]);
    }
    let mut said = ask_until_end(&mut slow, "SELECT 1").await;
    let error = said.pop().expect("an error").error();
    assert_eq!((error.code(), error.get(b'S')), ("53200", Some("FATAL")));
    ask(&mut fast, "NOTIFY b").await;
}

async fn ask_until_end(client: &mut Raw, sql: &str) -> Vec<Message> {
    let _ = client.send(&raw::query(sql)).await;
    let mut messages = Vec::new();
    while let Ok(message) = in_time("the end", client.receive()).await {
        messages.push(message);
    }
    messages
}
