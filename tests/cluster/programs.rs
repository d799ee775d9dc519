//! The command line: messages for wrong configurations, flags, `demo`, `status`.

use crate::support::cluster::{Cluster, QUORATE, connect, run, run_program, spawn_child};
use crate::support::load::{Load, assert_no_errors};
use crate::support::ports::free_port;
use crate::support::{PATIENCE, eventually, http};
use std::process::Command;

#[tokio::test]
async fn wrong_configurations_say_what_to_write() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let data = dir.path().join("data");
    let data = data.to_str().expect("text");
    let common = ["start", "--name", "a", "--data-dir", data, "--http", "127.0.0.1:8433"];
    let founder = ["--initial", "1=a@127.0.0.1:7433"];
    let cases: &[(&[&str], &[&str], &str)] = &[
        (&["--listen", "0.0.0.0:5433", "--peers", "127.0.0.1:7433"], &founder, "write host = "),
        (&["--listen", "127.0.0.1:5433", "--peers", "192.168.1.1:7433"], &founder, "the same address in both places"),
        (&["--listen", "[::]:5433", "--peers", "127.0.0.1:7433"], &founder, "write host = "),
        (&["--listen", "localhost", "--peers", "127.0.0.1:7433"], &founder, "is not an address with a port"),
        (&["--peers", "127.0.0.1:7433"], &founder, "listen.postgres is missing"),
        (&["--listen", "127.0.0.1:5433", "--peers", "127.0.0.1:7434"], &founder, "the same address in both places"),
        (&["--listen", "127.0.0.1:5433", "--peers", "127.0.0.1:7433"], &[], "does not know its cluster"),
        (
            &["--listen", "127.0.0.1:5433", "--peers", "127.0.0.1:7433"],
            &["--initial", "1=b@127.0.0.1:7433"],
            "does not contain this node",
        ),
        (
            &["--listen", "127.0.0.1:5433", "--peers", "127.0.0.1:7433"],
            &["--initial", "one"],
            "write --initial ID=NAME@HOST:PORT",
        ),
        (
            &["--listen", "127.0.0.1:5433", "--peers", "127.0.0.1:7433"],
            &["--initial", "1=a@127.0.0.1:7433", "--join", "127.0.0.1:8433"],
            "delete one of them",
        ),
        (&["--config", "/nowhere/at/all.toml"], &[], "cannot read /nowhere/at/all.toml"),
    ];
    for (listen, cluster, expected) in cases {
        let args: Vec<&str> = common.iter().chain(*listen).chain(*cluster).copied().collect();
        let ended = run_program(&args).await;
        assert_eq!(ended.code, Some(1), "{args:?}: {}", ended.output);
        assert!(ended.output.contains(expected), "{args:?}: {expected:?} is not in: {}", ended.output);
    }
    assert!(!std::path::Path::new(data).exists(), "a wrong configuration touches nothing");

    let file = dir.path().join("config.toml");
    std::fs::write(&file, "name = \"a\"\nlisten_postgres = 5433\n").expect("our own file");
    let ended = run_program(&["start", "--config", file.to_str().expect("text")]).await;
    assert_eq!(ended.code, Some(1));
    assert!(ended.output.contains("listen_postgres") && ended.output.contains("the keys are"), "{}", ended.output);

    let ended = run_program(&["start", "--nmae", "a"]).await;
    assert_eq!(ended.code, Some(2), "{}", ended.output);
}

#[tokio::test]
async fn a_port_in_use_is_named() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let listen = taken.local_addr().expect("bound").to_string();
    let (peers, web) = (format!("127.0.0.1:{}", free_port()), format!("127.0.0.1:{}", free_port()));
    let initial = format!("1=a@{peers}");
    let home = dir.path().join("a");
    let args = ["start", "--name", "a", "--data-dir", home.to_str().expect("text"), "--listen", &listen];
    let args = [&args[..], &["--peers", &peers, "--http", &web, "--initial", &initial]].concat();
    let ended = run_program(&args).await;
    assert_eq!(ended.code, Some(1));
    assert!(ended.output.contains(&format!("cannot listen on {listen}")), "{}", ended.output);
}

/// Everything on the command line, nothing in a file; and what `status` and HTTP tell of it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_started_with_flags_alone() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let home = dir.path().join("a");
    let (pg, web) = (free_port(), free_port());
    let peers = format!("127.0.0.1:{}", free_port());
    let mut command = Command::new(QUORATE);
    command.args(["start", "--name", "a", "--cluster", "flags", "--log-format", "json", "--log-filter", "info"]);
    command.arg("--data-dir").arg(&home).args(["--peers", &peers, "--initial", &format!("1=a@{peers}")]);
    command.args(["--listen", &format!("127.0.0.1:{pg}"), "--http", &format!("127.0.0.1:{web}")]);
    let log = dir.path().join("log");
    let mut child = KillOnDrop(spawn_child(command, &log));
    eventually("the node is ready", PATIENCE, async || match http::get(web, "/ready").await? {
        (200, _) => Ok(()),
        (code, body) => Err(format!("{code} {body}")),
    })
    .await;
    assert_eq!(http::get(web, "/health").await.expect("health").0, 200);
    let metrics = http::get(web, "/metrics").await.expect("metrics").1;
    assert!(metrics.lines().any(|l| l.starts_with("quorate_")), "{metrics}");
    let pid = std::fs::read_to_string(home.join("pid")).expect("the pid file");
    assert_eq!(pid.trim(), child.0.id().to_string());

    let client = connect(pg).await.expect("connect");
    run(&client, "CREATE TABLE t (a int); INSERT INTO t VALUES (1)").await;

    let addr = format!("127.0.0.1:{web}");
    let table = run_program(&["status", "--addr", &addr]).await;
    assert_eq!(table.code, Some(0), "{}", table.output);
    for word in ["cluster flags", "leader", "quorate", "digest"] {
        assert!(table.output.contains(word), "{word:?} is not in: {}", table.output);
    }
    let json = run_program(&["status", "--data-dir", home.to_str().expect("text"), "--json"]).await;
    let status: quorate::status::ClusterStatus = serde_json::from_str(&json.output).expect("JSON");
    assert_eq!(status.cluster, "flags");
    assert_eq!(status.nodes.len(), 1);

    // SAFETY: kill(2) on a child that has not been waited for.
    unsafe { libc::kill(child.0.id() as libc::pid_t, libc::SIGINT) };
    let ended = eventually("the node stops", PATIENCE, async || {
        child.0.try_wait().expect("our own child").ok_or_else(|| "it still runs".into())
    })
    .await;
    assert!(ended.success());
    let text = std::fs::read_to_string(&log).expect("the log");
    assert!(text.lines().all(|l| l.starts_with('{')), "every line of a JSON log is an object: {text}");
    let down = run_program(&["status", "--addr", &addr]).await;
    assert_eq!(down.code, Some(1));
    assert!(down.output.contains("no node answers"), "{}", down.output);
}

/// `quorate demo`: up, used, down with one signal; and the same again with the data still there.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_demo_starts_stops_and_goes_on() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let home = dir.path().join("data");
    for round in 0..2 {
        let base = three_ports();
        let mut command = Command::new(QUORATE);
        command.args(["demo", "--nodes", "3", "--base-port", &base.to_string()]).arg("--data-dir").arg(&home);
        let log = dir.path().join(format!("demo-{round}.log"));
        let mut child = KillOnDrop(spawn_child(command, &log));
        let text = eventually("the demo says how to connect", PATIENCE, async || {
            let text = std::fs::read_to_string(&log).unwrap_or_default();
            if let Some(status) = child.0.try_wait().expect("our own child") {
                panic!("the demo ended: {status}\n{text}");
            }
            if text.contains("Ctrl-C stops") { Ok(text) } else { Err(text) }
        })
        .await;
        assert!(text.contains(&format!("psql -h 127.0.0.1 -p {base}")), "{text}");
        let client = connect(base + round).await.expect("connect");
        if round == 0 {
            run(&client, "CREATE TABLE t (a int); INSERT INTO t VALUES (42)").await;
        }
        assert_eq!(crate::support::cluster::one_value(&client, "SELECT a FROM t").await, "42");
        let status = run_program(&["status", "--data-dir", home.to_str().expect("text")]).await;
        assert!(status.output.contains("node-3"), "{}", status.output);
        let pids: Vec<i32> = (1..=3)
            .map(|i| std::fs::read_to_string(home.join(format!("node-{i}/pid"))).expect("a pid file"))
            .map(|text| text.trim().parse().expect("a number"))
            .collect();
        // SAFETY: kill(2) on a child that has not been waited for.
        unsafe { libc::kill(child.0.id() as libc::pid_t, libc::SIGTERM) };
        eventually("the demo stops", PATIENCE, async || {
            child.0.try_wait().expect("our own child").ok_or_else(|| "it still runs".into())
        })
        .await;
        for pid in pids {
            // SAFETY: signal 0 only asks whether the process exists.
            assert_ne!(unsafe { libc::kill(pid, 0) }, 0, "a node has outlived its demo");
        }
    }
}

/// What the demo's buttons do, by a script: whatever is done, every acknowledged row is there once; and a wiped node comes back
/// by itself, after which the next disk may be lost.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_demo_does_harm_and_nothing_is_lost() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let script = dir.path().join("script");
    let steps =
        "1 slow leader\n2 heal all\n2 wipe node-3\n2.1 wipe node-2\n12 power\n16 kill leader\n18 wipe leader\n22 end\n";
    std::fs::write(&script, steps).expect("our own file");
    let (home, base) = (dir.path().join("data"), three_ports().to_string());
    let text = |path: &std::path::Path| path.to_str().expect("text").to_owned();
    let args =
        ["demo", "--script", &text(&script), "--data-dir", &text(&home), "--base-port", &base, "--http-port", "0"];
    let ended = run_program(&args).await;
    assert_eq!(ended.code, Some(0), "{}", ended.output);
    for expected in [
        "slow down the links of node-",
        "node-2 keeps its disk",
        "node-3 has everything again, as member 4 (it was 3)",
        "power is back",
        "lost 0, doubled 0",
    ] {
        assert!(ended.output.contains(expected), "{expected:?} is not in: {}", ended.output);
    }
    // With one node down the last disks are not for the taking.
    assert_eq!(ended.output.matches("keeps its disk").count(), 4, "each is said twice: {}", ended.output);
}

/// The first of three free ports in a row.
fn three_ports() -> u16 {
    loop {
        let base = free_port();
        if free_port() == base + 1 && free_port() == base + 2 {
            return base;
        }
    }
}

struct KillOnDrop(std::process::Child);

impl Drop for KillOnDrop {
    fn drop(&mut self) {
        // In order first, so that a demo can take its nodes with it.
        // SAFETY: kill(2) on a child; if it has ended it has been waited for by `try_wait` and there is nothing to do.
        if matches!(self.0.try_wait(), Ok(None)) {
            unsafe { libc::kill(self.0.id() as libc::pid_t, libc::SIGTERM) };
            for _ in 0..500 {
                if !matches!(self.0.try_wait(), Ok(None)) {
                    return;
                }
                std::thread::sleep(std::time::Duration::from_millis(20));
            }
            let _ = self.0.kill();
            let _ = self.0.wait();
        }
    }
}

/// An operator moves leaderships; clients notice nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn leadership_moves_at_an_operators_word() {
    let mut cluster = Cluster::start(3).await;
    let load = Load::start(&cluster, 4, &[1, 2, 3]).await;
    let first = cluster.leader("quorate").await;
    let heir = 1 + first % 3;
    let http = |cluster: &Cluster, id: u64| format!("127.0.0.1:{}", cluster.node(id).http);
    // Through a node that neither leads nor is to lead, once it has heard of all.
    let through = http(&cluster, 1 + heir % 3);
    eventually("the nodes know each other", PATIENCE, async || {
        let nodes = cluster.status(1 + heir % 3).await?.nodes;
        if nodes.len() == 3 { Ok(()) } else { Err(format!("{nodes:?}")) }
    })
    .await;
    let name = format!("node-{heir}");
    let ended = run_program(&["transfer", "--addr", &through, "--database", "quorate", "--to", &name]).await;
    assert_eq!(ended.code, Some(0), "{}", ended.output);
    assert_eq!(ended.output, format!("quorate: {name} leads now, after node-{first}\n"));
    assert_eq!(cluster.leader("quorate").await, heir);
    let again = run_program(&["transfer", "--addr", &through, "--group", "2", "--to", &name]).await;
    assert_eq!(again.output, format!("quorate: {name} leads already\n"));

    // All of it, and then away from that node, which is named by its directory.
    let ended = run_program(&["transfer", "--addr", &through, "--to", &name]).await;
    assert_eq!(ended.code, Some(0), "{}", ended.output);
    assert_eq!(cluster.leader("system").await, heir);
    let home = cluster.node(heir).home.to_str().expect("text").to_owned();
    let ended = run_program(&["transfer", "--data-dir", &home]).await;
    assert_eq!(ended.code, Some(0), "{}", ended.output);
    assert_eq!(ended.output.lines().count(), 2, "both groups: {}", ended.output);
    for database in ["quorate", "system"] {
        assert_ne!(cluster.leader(database).await, heir);
    }
    let ended = run_program(&["transfer", "--data-dir", &home]).await;
    assert!(ended.output.contains("leads nothing"), "{}", ended.output);
    load.progress(100).await;
    assert_no_errors(&load.finish().await);

    // What cannot be done is said, with what can.
    let nobody = run_program(&["transfer", "--addr", &through, "--to", "node-9"]).await;
    assert_eq!(nobody.code, Some(1));
    assert!(nobody.output.contains("node-9") && nobody.output.contains("node-1, node-2, node-3"), "{}", nobody.output);
    let nothing = run_program(&["transfer", "--addr", &through, "--database", "other"]).await;
    assert_eq!(nothing.code, Some(1));
    assert!(nothing.output.contains("2 (quorate)"), "{}", nothing.output);
    let where_to = run_program(&["transfer"]).await;
    assert!(where_to.output.contains("--addr HOST:PORT"), "{}", where_to.output);
    let leader = cluster.leader("quorate").await;
    let dead = 1 + leader % 3;
    cluster.kill(dead);
    let name = format!("node-{dead}");
    let ended = run_program(&["transfer", "--addr", &http(&cluster, leader), "--group", "2", "--to", &name]).await;
    assert_eq!(ended.code, Some(1));
    assert!(ended.output.contains(&format!("{name} has not taken the leadership")), "{}", ended.output);
    cluster.run(leader, "INSERT INTO ledger VALUES (-1, 1, 'still here')").await;
}

/// Statements about the cluster are answered by every node alike.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_cluster_describes_itself_in_sql() {
    let cluster = Cluster::start(3).await;
    let leader = cluster.leader("quorate").await;
    for id in 1..=3 {
        eventually("all three replicas are told of", PATIENCE, async || {
            let client = cluster.connect(id).await;
            let sql = "SELECT node, role, state FROM quorate.replicas WHERE database = 'quorate' ORDER BY node";
            let rows = client.query(sql, &[]).await.map_err(|e| crate::support::cluster::explain(&e))?;
            let rows: Vec<[String; 3]> = rows.iter().map(|r| [r.get(0), r.get(1), r.get(2)]).collect();
            let leaders: Vec<&str> = rows.iter().filter(|r| r[1] == "leader").map(|r| r[0].as_str()).collect();
            let good = rows.len() == 3 && rows.iter().all(|r| r[2] == "ok");
            if good && leaders == [format!("node-{leader}")] { Ok(()) } else { Err(format!("{rows:?}")) }
        })
        .await;
    }
}
