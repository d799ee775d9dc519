//! Who belongs to a cluster: wiped, dead, removed and uninvited nodes. Nothing acknowledged is lost by any of it.

use crate::support::cluster::{Cluster, Options, connect, explain, run_program, sqlstate};
use crate::support::forge::{self, Papers};
use crate::support::load::{Load, assert_exactly_once, assert_no_errors};
use crate::support::{PATIENCE, eventually, http};
use std::time::Duration;

/// The voters of each database as node `asked` knows them, by name.
async fn voters(cluster: &Cluster, asked: u64, database: &str) -> Vec<String> {
    let Ok(status) = cluster.status(asked).await else { return Vec::new() };
    let group = status.groups.into_iter().find(|g| g.database == database);
    let mut names: Vec<String> =
        group.map_or_else(Vec::new, |g| g.voters.split_whitespace().map(str::to_owned).collect());
    names.sort();
    names
}

async fn wait_voters(cluster: &Cluster, asked: u64, expected: &[&str]) {
    for database in ["quorate", "system"] {
        eventually(&format!("{expected:?} vote in {database}"), PATIENCE, async || {
            let now = voters(cluster, asked, database).await;
            if now == expected { Ok(()) } else { Err(format!("{now:?}")) }
        })
        .await;
    }
}

fn quick() -> Options {
    Options { cluster: "replace_after = 2\njoin_within = 2".into(), ..Options::default() }
}

/// The rows of `t`, by a client that has little time.
async fn count(cluster: &Cluster, id: u64) -> Result<String, String> {
    let client = connect(cluster.node(id).postgres).await.map_err(|e| explain(&e))?;
    client.batch_execute("SET statement_timeout = '2s'").await.map_err(|e| explain(&e))?;
    let rows = client.query_one("SELECT count(*)::text FROM t", &[]).await.map_err(|e| explain(&e))?;
    Ok(rows.get(0))
}

/// Node 3 lags and is the only one beside a wiped node 2; node 1, which has everything, is dead or paused.
async fn wiped(paused: bool) {
    let mut cluster = Cluster::start(3).await;
    cluster.run(1, "CREATE TABLE t (a int PRIMARY KEY); INSERT INTO t SELECT g FROM generate_series(1, 100) g").await;
    cluster.wait_converged().await;
    cluster.kill(3);
    cluster.run(1, "INSERT INTO t SELECT g FROM generate_series(101, 200) g").await;
    cluster.kill(2);
    if paused {
        cluster.pause(1)
    } else {
        cluster.kill(1)
    }
    cluster.wipe(2);
    cluster.spawn(3);
    cluster.spawn(2);
    // For long enough to elect somebody, if that were possible.
    for _ in 0..12 {
        tokio::time::sleep(Duration::from_millis(500)).await;
        for id in [2, 3] {
            let ready = http::get(cluster.node(id).http, "/ready").await;
            assert!(!matches!(ready, Ok((200, _))), "node {id} serves without what was acknowledged: {ready:?}");
            let seen = count(&cluster, id).await;
            assert!(seen.is_err(), "node {id} answers {seen:?}");
        }
    }
    // The wiped node says why, in its own words.
    let (code, why) = http::get(cluster.node(2).http, "/ready").await.expect("the wiped node's HTTP");
    assert!(code == 503 && why.contains("has no data"), "{code} {why}");
    let error = connect(cluster.node(2).postgres).await.expect_err("no database here");
    assert!(sqlstate(&error) == "57P03" && explain(&error).contains("has no data"), "{}", explain(&error));
    assert!(cluster.node(2).log_text().contains("has no data"), "{}", cluster.node(2).log_text());

    if paused {
        cluster.resume(1)
    } else {
        cluster.spawn(1)
    }
    cluster.wait_ready().await;
    for id in [1, 2, 3] {
        assert_eq!(cluster.value(id, "SELECT count(*) FROM t").await, "200");
    }
    // It is a member again, in its old place, by itself.
    wait_voters(&cluster, 1, &["node-1", "node-2", "node-3"]).await;
    cluster.run(2, "INSERT INTO t VALUES (1000)").await;
    cluster.wait_converged().await;
    eventually("the old directory's place is empty", PATIENCE, async || {
        let list = cluster.order(1, &["list"]).await?;
        if list.contains("node-2#2") { Err(list) } else { Ok(()) }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wiped_founder_does_not_outvote_a_dead_one() {
    wiped(false).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wiped_founder_does_not_outvote_a_paused_one() {
    wiped(true).await;
}

/// Everybody restarts at once, one of them without a disk; several times, the founder too.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disk_is_lost_while_all_restart() {
    let mut cluster = Cluster::start(3).await;
    cluster.run(1, "CREATE TABLE t (a int PRIMARY KEY); INSERT INTO t SELECT g FROM generate_series(1, 100) g").await;
    cluster.wait_converged().await;
    for (round, lost) in [2, 1, 2].into_iter().enumerate() {
        (1..=3).for_each(|id| cluster.kill(id));
        cluster.wipe(lost);
        (1..=3).for_each(|id| cluster.spawn(id));
        cluster.wait_ready().await;
        assert_eq!(cluster.value(lost, "SELECT count(*) FROM t").await, (100 + round).to_string());
        wait_voters(&cluster, 3, &["node-1", "node-2", "node-3"]).await;
        cluster.run(lost, &format!("INSERT INTO t VALUES ({})", 1000 + round)).await;
        cluster.wait_converged().await;
    }
}

/// Whoever replaces a machine, and then the next as soon as all are ready, never takes away a second vote.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn machines_are_lost_one_after_the_other() {
    let mut cluster = Cluster::start(3).await;
    cluster.run(1, "CREATE TABLE t (a int PRIMARY KEY); INSERT INTO t SELECT g FROM generate_series(1, 100) g").await;
    for (round, lost) in [2, 1, 3, 2].into_iter().enumerate() {
        cluster.wait_ready().await;
        cluster.kill(lost);
        cluster.wipe(lost);
        cluster.spawn(lost);
        cluster.wait_ready().await;
        assert_eq!(cluster.value(lost, "SELECT count(*) FROM t").await, (100 + round).to_string());
        cluster.run(lost, &format!("INSERT INTO t VALUES ({})", 1000 + round)).await;
    }
    cluster.wait_converged().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dead_voter_gives_its_vote_to_one_that_stands_by() {
    let mut cluster = Cluster::start_with(3, quick()).await;
    cluster.run(1, "CREATE TABLE t (a int PRIMARY KEY); INSERT INTO t SELECT g FROM generate_series(1, 100) g").await;
    cluster.kill(3);
    let fourth = cluster.join(1);
    cluster.wait_node_ready(fourth).await;
    assert_eq!(cluster.value(fourth, "SELECT count(*) FROM t").await, "100", "ready means that the data is there");
    wait_voters(&cluster, 1, &["node-1", "node-2", "node-4"]).await;
    cluster.kill(2);
    cluster.run(1, "INSERT INTO t VALUES (1000)").await;
    cluster.run(fourth, "INSERT INTO t VALUES (1001)").await;
    // The dead one was not thrown out: it comes back as a learner and stands by.
    cluster.restart(3).await;
    cluster.restart(2).await;
    cluster.wait_converged().await;
    eventually("four members, all up", PATIENCE, async || {
        let list = cluster.order(1, &["list"]).await?;
        if list.matches(" up ").count() == 8 { Ok(()) } else { Err(list) }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_shrink_to_one_and_grow_again() {
    let mut cluster = Cluster::start_with(3, quick()).await;
    cluster.run(1, "CREATE TABLE t (a int PRIMARY KEY); INSERT INTO t VALUES (1)").await;
    let error = cluster.order(1, &["remove", "nobody"]).await.expect_err("no such node");
    assert!(error.contains("the nodes are"), "{error}");
    let error = cluster.order(1, &["replace", "node-2"]).await.expect_err("nobody stands by");
    assert!(error.contains("no learner stands by"), "{error}");

    let load = Load::start(&cluster, 2, &[1]).await;
    load.progress(20).await;
    // Two at once, and the leader is one of them.
    let leader = cluster.leader("quorate").await;
    let other = if leader == 2 { 3 } else { 2 };
    let (first, second) = if leader == 1 { (2, 3) } else { (leader, other) };
    let (one, two) = (format!("node-{first}"), format!("node-{second}"));
    let orders = [["remove", &one], ["remove", &two]];
    let done = tokio::join!(cluster.order(1, &orders[0]), cluster.order(1, &orders[1]));
    assert!(done.0.as_ref().is_ok_and(|text| text.contains("was removed")), "{done:?}");
    assert!(done.1.as_ref().is_ok_and(|text| text.contains("was removed")), "{done:?}");
    wait_voters(&cluster, 1, &["node-1"]).await;
    load.progress(20).await;
    for id in [first, second] {
        // They are told, give their data up, and say so when they are started again.
        assert_eq!(cluster.ended(id).await.code(), Some(1));
        let log = cluster.node(id).log_text();
        assert!(log.contains("was removed from the cluster"), "{log}");
        assert!(!cluster.node(id).home.join("groups").exists(), "its files are gone");
        cluster.spawn(id);
        assert_eq!(cluster.ended(id).await.code(), Some(1));
    }
    let error = cluster.order(1, &["remove", "node-1"]).await.expect_err("the last one");
    assert!(error.contains("last one") || error.contains("ask another node"), "{error}");

    // Empty directories under the old names are new members.
    for id in [first, second] {
        cluster.wipe(id);
        cluster.spawn(id);
        cluster.wait_node_ready(id).await;
    }
    wait_voters(&cluster, 1, &["node-1", "node-2", "node-3"]).await;
    let reports = load.finish().await;
    assert_no_errors(&reports);
    assert_exactly_once(&cluster, &reports).await;
    cluster.wait_converged().await;
    let leader = cluster.leader("quorate").await;
    let witness = (1..=3).find(|id| *id != leader).expect("two others");
    let gone = cluster.order(witness, &["remove", &format!("node-{leader}")]).await;
    assert!(gone.as_ref().is_ok_and(|text| text.contains("was removed")), "the leader hands over and goes: {gone:?}");
    assert_eq!(cluster.ended(leader).await.code(), Some(1));
    cluster.run(witness, "INSERT INTO t VALUES (2)").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_is_replaced_by_order() {
    let mut cluster = Cluster::start(3).await;
    cluster.run(1, "CREATE TABLE t (a int PRIMARY KEY); INSERT INTO t VALUES (1)").await;
    let fourth = cluster.join(1);
    cluster.wait_node_ready(fourth).await;
    let done = eventually("node-4 stands by", PATIENCE, async || {
        cluster.order(1, &["replace", "node-2", "--with", "node-4"]).await
    })
    .await;
    assert!(done.contains("node-4 has taken its place"), "{done}");
    wait_voters(&cluster, 1, &["node-1", "node-3", "node-4"]).await;
    assert_eq!(cluster.ended(2).await.code(), Some(1));
}

/// Whoever asks gets an id, but not many do, and those that do not come are forgotten.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crowd_that_never_comes_is_forgotten() {
    let mut cluster = Cluster::start_with(3, quick()).await;
    cluster.run(1, "CREATE TABLE t (a int PRIMARY KEY)").await;
    let (mut admitted, begun) = (0, std::time::Instant::now());
    for n in 0..31 {
        let body = format!(
            r#"{{"cluster":"test","name":"ghost-{n}","incarnation":{n},"peer_addr":"127.0.0.1:1","pg_addr":"127.0.0.1:1","http_addr":"127.0.0.1:1","speaks":3}}"#
        );
        let (code, _) = http::post(cluster.node(1).http, "/join", &body).await.expect("an answer");
        admitted += usize::from(code == 200);
    }
    // Five at a time, each for as long as it may take to come: two seconds here.
    let allowed = 5 * (1 + begun.elapsed().as_secs() as usize / 2);
    assert!(admitted <= allowed, "{admitted} of 31 were let in, {allowed} may have been");
    eventually("the ghosts are forgotten", PATIENCE, async || {
        let list = cluster.order(2, &["list"]).await?;
        if list.contains("ghost") { Err(list) } else { Ok(()) }
    })
    .await;
    wait_voters(&cluster, 1, &["node-1", "node-2", "node-3"]).await;

    // Nor does a ghost cost a member its place that is only down.
    cluster.kill(3);
    tokio::time::sleep(Duration::from_secs(2)).await;
    let ghost = r#"{"cluster":"test","name":"node-3","incarnation":7,"peer_addr":"127.0.0.1:1","pg_addr":"127.0.0.1:1","http_addr":"127.0.0.1:1","speaks":3}"#;
    let (code, text) = http::post(cluster.node(1).http, "/join", ghost).await.expect("an answer");
    assert_eq!(code, 200, "{text}");
    eventually("node-3 is what it was", PATIENCE, async || {
        let list = cluster.order(2, &["list"]).await?;
        if list.contains('#') { Err(list) } else { Ok(()) }
    })
    .await;
    cluster.restart(3).await;
    wait_voters(&cluster, 1, &["node-1", "node-2", "node-3"]).await;
    cluster.run(3, "INSERT INTO t VALUES (1)").await;
    let fourth = cluster.join(1);
    cluster.wait_node_ready(fourth).await;
}

/// Somebody without papers, with wrong ones, and with stolen ones.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn forged_frames_do_nothing() {
    let mut cluster = Cluster::start(3).await;
    cluster.run(1, "CREATE TABLE t (a int)").await;
    let (papers, target) = (Papers::of(&cluster.node(2).home), Papers::of(&cluster.node(1).home));
    let terms = async |cluster: &Cluster| {
        let status = cluster.status(1).await.expect("node 1 answers");
        status.replicas.iter().map(|r| r.term).max().expect("replicas")
    };
    let before = terms(&cluster).await;
    let port = cluster.node(1).peers;
    let unknown = Papers { node: 77, incarnation: 1, ..papers.clone() };
    let wrong = Papers { incarnation: 1, ..papers.clone() };
    let foreign = Papers { cluster: 1, ..papers.clone() };
    for group in [1, 2] {
        for stranger in [&unknown, &wrong, &foreign] {
            let frames = [forge::hello(stranger, 1, 0), forge::message(group, 8, 1, 2, u64::MAX, 0)];
            let answer = forge::send(port, &frames).await;
            assert!(answer.windows(8).all(|w| w != target.incarnation.to_le_bytes()), "nothing is given away");
        }
        for (kind, term, commit) in
            [(8, u64::MAX, 0), (8, 1 << 62, 0), (5, u64::MAX - 1, 0), (3, u64::MAX, 0), (8, before, 1 << 40), (3, 0, 0)]
        {
            let frames =
                [forge::hello(&papers, 1, target.incarnation), forge::message(group, kind, 1, 2, term, commit)];
            forge::send(port, &frames).await;
        }
    }
    let after = terms(&cluster).await;
    assert!(after < before + 100, "the term was {before} and is {after}");
    assert!((1..=3).all(|id| cluster.is_running(id)));
    let (_, metrics) = http::get(cluster.node(1).http, "/metrics").await.expect("metrics");
    let counted = metrics.lines().any(|l| l.starts_with("quorate_refuted_messages_total") && !l.ends_with(" 0"));
    assert!(counted, "what was refused is counted: {metrics}");
    cluster.run(2, "INSERT INTO t VALUES (1)").await;
    (1..=3).for_each(|id| cluster.kill(id));
    (1..=3).for_each(|id| cluster.spawn(id));
    cluster.wait_ready().await;
    assert_eq!(cluster.value(1, "SELECT count(*) FROM t").await, "1");
}

/// Terms that an attack of another kind has left on the disks.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn impossible_terms_are_mended() {
    let mut cluster = Cluster::start(3).await;
    cluster.run(1, "CREATE TABLE t (a int); INSERT INTO t VALUES (1)").await;
    cluster.wait_converged().await;
    for id in 1..=3 {
        assert!(cluster.stop(id).await.success());
        spoil(&cluster.node(id).home.join("log-engine"));
    }
    for id in 1..=3 {
        cluster.spawn(id);
        assert_eq!(cluster.ended(id).await.code(), Some(1));
        let log = cluster.node(id).log_text();
        assert!(log.contains("quorate repair-term") && !log.contains("panicked"), "{log}");
    }
    for id in 1..=3 {
        let dir = cluster.node(id).home.display().to_string();
        let shown = run_program(&["repair-term", "--data-dir", &dir]).await;
        assert!(shown.code == Some(0) && shown.output.contains("18446744073709551615"), "{}", shown.output);
        let low = run_program(&["repair-term", "--data-dir", &dir, "--term", "1"]).await;
        assert!(low.code == Some(1) && low.output.contains("higher --term"), "{}", low.output);
        let done = run_program(&["repair-term", "--data-dir", &dir, "--term", "1000"]).await;
        assert!(done.code == Some(0), "{}", done.output);
    }
    (1..=3).for_each(|id| cluster.spawn(id));
    cluster.wait_ready().await;
    cluster.run(2, "INSERT INTO t VALUES (2)").await;
    assert_eq!(cluster.value(3, "SELECT count(*) FROM t").await, "2");
}

fn spoil(log: &std::path::Path) {
    use quorate::id::GroupId;
    use quorate::raftlog::raft_engine::{RaftEngineLog, RaftEngineOptions};
    use quorate::raftlog::{HardState, LogWrite, RaftLog as _};
    let log = RaftEngineLog::open(log, &RaftEngineOptions::default()).expect("the log of a stopped node");
    for group in [GroupId(1), GroupId(2)] {
        let hard = log.load(group).expect("a group").record.hard_state;
        log.write(&[LogWrite::HardState(group, HardState { term: u64::MAX, ..hard })], true).expect("a write");
    }
}

/// Founding needs everybody once; until then all say what they wait for.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn founding_waits_for_all() {
    let mut cluster = Cluster::prepare(3, Options::default()).await;
    cluster.spawn(1);
    cluster.spawn(2);
    eventually("node 1 says whom it waits for", PATIENCE, async || {
        let (code, why) = http::get(cluster.node(1).http, "/ready").await?;
        if code == 503 && why.contains("cannot reach node-3") { Ok(()) } else { Err(format!("{code} {why}")) }
    })
    .await;
    // A crash in between, of the one that offers and of one that has agreed.
    cluster.kill(1);
    cluster.spawn(1);
    cluster.kill(2);
    cluster.spawn(2);
    cluster.spawn(3);
    cluster.wait_ready().await;
    cluster.run(3, "CREATE TABLE t (a int)").await;
    let papers: Vec<u128> = (1..=3).map(|id| Papers::of(&cluster.node(id).home).cluster).collect();
    assert!(papers.iter().all(|cluster| *cluster == papers[0]), "{papers:?}");
}
