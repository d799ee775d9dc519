//! Databases leave a cluster while it goes on, and come into another one, or into the same beside what they were; and a backup
//! that is not what was written says so.

use crate::support::cluster::{Cluster, Ended, Options, one_value, run, run_program};
use crate::support::{PATIENCE, eventually, http};
use quorate::backup::manifest;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// `quorate WORDS`, asked of a node.
async fn ask(cluster: &Cluster, id: u64, words: &[&str]) -> Ended {
    let address = format!("127.0.0.1:{}", cluster.node(id).http);
    run_program(&[words, &["--addr", &address]].concat()).await
}

async fn done(cluster: &Cluster, id: u64, words: &[&str]) -> String {
    let ended = ask(cluster, id, words).await;
    assert_eq!(ended.code, Some(0), "quorate {words:?}: {}", ended.output);
    ended.output
}

/// A backup, as soon as the cluster has the version that it needs.
async fn back_up(cluster: &Cluster, id: u64, words: &[&str]) -> String {
    eventually("the version rises", PATIENCE, async || {
        let ended = ask(cluster, id, &[&["backup"], words].concat()).await;
        match ended.code {
            Some(0) => Ok(ended.output),
            _ if ended.output.contains("needs version") => Err(ended.output),
            _ => panic!("{}", ended.output),
        }
    })
    .await
}

async fn verify(dir: &str, words: &[&str]) -> Ended {
    run_program(&[&["backup", "verify", "--from", dir], words].concat()).await
}

/// Clients that write one number after the other, each into rows of its own, until they are told to stop.
struct Load {
    stop: Arc<AtomicBool>,
    /// What each was told to be done.
    done: Vec<Arc<AtomicU64>>,
    clients: Vec<tokio::task::JoinHandle<()>>,
}

impl Load {
    async fn start(cluster: &Cluster, database: &str, writers: u64) -> Load {
        let mut load = Load { stop: Arc::default(), done: Vec::new(), clients: Vec::new() };
        for writer in 0..writers {
            let client = cluster.enter(1 + writer % 3, database).await;
            let (stop, done) = (load.stop.clone(), Arc::new(AtomicU64::new(0)));
            load.done.push(done.clone());
            load.clients.push(tokio::spawn(async move {
                while !stop.load(Ordering::Relaxed) {
                    let n = done.load(Ordering::Relaxed) + 1;
                    let sql = format!("INSERT INTO written VALUES ({writer}, {n}, repeat('x', {}))", n % 300);
                    client.batch_execute(&sql).await.expect("a write while a backup is made");
                    done.store(n, Ordering::Relaxed);
                }
            }));
        }
        load
    }

    fn now(&self) -> Vec<u64> {
        self.done.iter().map(|done| done.load(Ordering::Relaxed)).collect()
    }

    async fn end(self) {
        self.stop.store(true, Ordering::Relaxed);
        for client in self.clients {
            client.await.expect("it has written until the end");
        }
    }
}

/// How much of each client's is there: it must have no gaps.
async fn written(cluster: &Cluster, id: u64, database: &str) -> Vec<u64> {
    let client = cluster.enter(id, database).await;
    let sql = "SELECT writer, count(*), max(n) FROM written GROUP BY writer ORDER BY writer";
    let rows = client.query(sql, &[]).await.expect("they are read");
    let row = |row: &tokio_postgres::Row| {
        let (count, last): (i64, i32) = (row.get(1), row.get(2));
        assert_eq!(count, i64::from(last), "there is a gap");
        count as u64
    };
    rows.iter().map(row).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cluster_that_is_written_to_is_backed_up_destroyed_and_restored() {
    let place = tempfile::tempdir().expect("a temporary directory");
    let dir = place.path().join("backups");
    let dir = dir.to_str().expect("a path");
    let cluster = Cluster::start(3).await;
    let client = cluster.connect(1).await;
    run(&client, "CREATE ROLE ann LOGIN; CREATE ROLE bob NOLOGIN; GRANT ann TO bob").await;
    run(&client, "CREATE DATABASE shop OWNER ann CONNECTION LIMIT 50; ALTER DATABASE shop SET work_mem = '7MB'").await;
    run(&client, "CREATE TABLE kept (id int PRIMARY KEY, body text); CREATE INDEX ON kept (body)").await;
    run(&client, "INSERT INTO kept SELECT g, 'row ' || g || repeat('y', 500) FROM generate_series(1, 5000) g").await;
    let shop = cluster.enter(1, "shop").await;
    run(&shop, "CREATE TABLE written (writer int, n int, body text, PRIMARY KEY (writer, n)); CREATE SEQUENCE s").await;
    run(&shop, "CREATE TABLE of_ann (a int); ALTER TABLE of_ann OWNER TO ann; GRANT SELECT ON written TO bob").await;
    run(&shop, "SELECT nextval('s'); SELECT nextval('s'); SELECT nextval('s')").await;

    let load = Load::start(&cluster, "shop", 4).await;
    let first = back_up(&cluster, 1, &["--to", dir]).await;
    assert!(first.contains("shop: ") && first.contains("quorate: "), "{first}");
    let before = load.now();
    let second = back_up(&cluster, 2, &["--to", dir]).await;
    let after = load.now();
    assert!(before.iter().all(|n| *n > 0), "{before:?}");
    // What has not changed was there.
    let new = |output: &str| output.lines().last().expect("a line").split("of which ").nth(1).expect("it").to_owned();
    assert_ne!(new(&first), new(&second));

    // A follower has made it, and what replicas had is in it.
    let leader = cluster.leader("shop").await;
    let line = second.lines().find(|line| line.starts_with("shop: ")).expect("a line");
    assert!(!line.contains(&format!("from node-{leader}")), "{line}");
    let proven = verify(dir, &["--all"]).await;
    assert_eq!(proven.code, Some(0), "{}", proven.output);
    assert_eq!(proven.output.matches("restored, and equal to what").count(), 4, "{}", proven.output);
    let list = run_program(&["backup", "list", "--from", dir]).await;
    assert_eq!(list.output.matches("    shop: ").count(), 2, "{}", list.output);

    // Beside the original, while that goes on.
    assert_ne!(ask(&cluster, 1, &["restore", "--from", dir]).await.code, Some(0), "there is something already");
    let beside = ["restore", "--from", dir, "--database", "shop", "--as", "shop_before"];
    done(&cluster, 3, &beside).await;
    for id in 1..=3 {
        let found = written(&cluster, id, "shop_before").await;
        let within = found.iter().zip(&before).zip(&after).all(|((n, before), after)| before <= n && *n <= after + 1);
        assert!(within, "{before:?} {found:?} {after:?}");
    }
    assert_ne!(ask(&cluster, 1, &beside).await.code, Some(0), "the name is taken");
    let copy = cluster.enter(2, "shop_before").await;
    run(&copy, "INSERT INTO written VALUES (0, 1000000, ''); DELETE FROM written WHERE n = 1000000").await;
    let owners = "SELECT (SELECT tableowner FROM pg_tables WHERE tablename = 'of_ann') || ' ' || \
                  (SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = current_database()) || ' ' || \
                  has_table_privilege('bob', 'written', 'SELECT') || ' ' || current_setting('work_mem')";
    assert_eq!(one_value(&copy, owners).await, "ann ann true 7MB");
    assert_eq!(one_value(&copy, "SELECT nextval('s')").await, "4");
    let expected = written(&cluster, 1, "shop_before").await;
    load.end().await;
    cluster.wait_converged().await;
    drop(cluster);

    // Everything is gone but the backups.
    let mut cluster = Cluster::start(3).await;
    let output = done(&cluster, 2, &["restore", "--from", dir]).await;
    assert!(output.contains("the cluster has the roles of the backup"), "{output}");
    for id in 1..=3 {
        assert_eq!(written(&cluster, id, "shop").await, expected);
        let kept = "SELECT count(*) || ' ' || sum(id) || ' ' || count(DISTINCT body) FROM kept";
        assert_eq!(cluster.value(id, kept).await, "5000 12502500 5000");
    }
    let shop = cluster.enter(1, "shop").await;
    assert_eq!(one_value(&shop, owners).await, "ann ann true 7MB");
    assert_eq!(one_value(&shop, "SELECT datconnlimit FROM pg_database WHERE datname = 'shop'").await, "50");
    assert_eq!(one_value(&shop, "SELECT pg_has_role('bob', 'ann', 'MEMBER')").await, "t");
    // A role that is made now is not taken for one of those.
    run(&shop, "CREATE ROLE eve").await;
    assert_eq!(
        one_value(&shop, "SELECT count(DISTINCT oid) FROM pg_roles WHERE rolname IN ('ann', 'bob', 'eve')").await,
        "3"
    );
    assert_eq!(one_value(&shop, "SELECT has_table_privilege('eve', 'written', 'SELECT')").await, "f");
    cluster.wait_converged().await;

    // It is a cluster like any other: it loses nodes, gets new ones, is backed up and restored again.
    let leader = cluster.leader("shop").await;
    cluster.kill(leader);
    let heir = cluster.leader("shop").await;
    run(&cluster.enter(heir, "shop").await, "INSERT INTO written VALUES (9, 1, '')").await;
    cluster.restart(leader).await;
    let fourth = cluster.join(heir);
    cluster.wait_node_ready(fourth).await;
    assert_eq!(written(&cluster, fourth, "shop").await.last(), Some(&1));
    cluster.wait_converged().await;
    back_up(&cluster, 1, &["--to", dir]).await;
    let proven = verify(dir, &[]).await;
    assert_eq!(proven.code, Some(0), "{}", proven.output);
    let again = Cluster::start(1).await;
    done(&again, 1, &["restore", "--from", dir]).await;
    assert_eq!(written(&again, 1, "shop").await.last(), Some(&1));
    assert_eq!(again.value(1, "SELECT count(*) FROM kept").await, "5000");
}

/// Roles of another cluster are told by their names, not by their numbers.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_comes_from_another_cluster_belongs_to_the_roles_of_the_same_name() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let dir = dir.path().join("backups");
    let dir = dir.to_str().expect("a path");
    let cluster = Cluster::start(1).await;
    run(&cluster.connect(1).await, "CREATE ROLE ann; CREATE ROLE bob; CREATE ROLE eve; CREATE DATABASE d OWNER ann")
        .await;
    let tables = "CREATE TABLE of_ann (a int); ALTER TABLE of_ann OWNER TO ann; CREATE TABLE of_bob (a int); \
                  ALTER TABLE of_bob OWNER TO bob; CREATE TABLE of_eve (a int); ALTER TABLE of_eve OWNER TO eve; \
                  GRANT SELECT ON of_ann TO bob; GRANT SELECT ON of_ann TO eve";
    run(&cluster.enter(1, "d").await, tables).await;
    back_up(&cluster, 1, &["--to", dir, "--database", "d"]).await;
    drop(cluster);
    let cluster = Cluster::start(1).await;
    run(&cluster.connect(1).await, "CREATE ROLE joe; CREATE ROLE bob; CREATE ROLE ann").await;
    let output = done(&cluster, 1, &["restore", "--from", dir, "--database", "d"]).await;
    assert!(output.contains("does not have the roles eve"), "{output}");
    let client = cluster.enter(1, "d").await;
    let owners = "SELECT string_agg(tablename || '=' || tableowner, ' ' ORDER BY tablename) FROM pg_tables \
                  WHERE schemaname = 'public'";
    assert_eq!(one_value(&client, owners).await, "of_ann=ann of_bob=bob of_eve=quorate");
    let rights = "SELECT string_agg(rolname, ' ' ORDER BY rolname) FROM pg_roles \
                  WHERE oid >= 16384 AND has_table_privilege(oid, 'of_ann', 'SELECT')";
    assert_eq!(one_value(&client, rights).await, "ann bob");
    let owner = "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = 'd'";
    assert_eq!(one_value(&client, owner).await, "ann");
}

fn pieces(dir: &Path) -> Vec<PathBuf> {
    let folders = std::fs::read_dir(dir.join("pieces")).expect("pieces");
    let files = folders.flat_map(|folder| std::fs::read_dir(folder.expect("a folder").path()).expect("a folder"));
    let mut files: Vec<PathBuf> = files.map(|file| file.expect("a file").path()).collect();
    files.sort();
    files
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn damage_is_found_and_named() {
    let place = tempfile::tempdir().expect("a temporary directory");
    let path = |name: &str| place.path().join(name).to_str().expect("a path").to_owned();
    let cluster = Cluster::start(1).await;
    cluster.run(1, "CREATE TABLE t (id int PRIMARY KEY, body text)").await;
    cluster.run(1, "INSERT INTO t SELECT g, md5(g::text) || repeat('z', 900) FROM generate_series(1, 4000) g").await;
    let (plain, sealed, key) = (path("plain"), path("sealed"), path("key"));
    assert_eq!(run_program(&["backup", "key", "--out", &key]).await.code, Some(0));
    assert_ne!(run_program(&["backup", "key", "--out", &key]).await.code, Some(0), "it is not written over");
    for (dir, with) in [(&plain, &[][..]), (&sealed, &["--key-file", &key])] {
        back_up(&cluster, 1, &[&["--to", dir], with].concat()).await;
        let sound = verify(dir, with).await;
        assert_eq!(sound.code, Some(0), "{}", sound.output);
        let found = pieces(Path::new(dir));
        assert!(found.len() > 3);
        // A bit, the end, and all of a piece.
        for (i, file) in found.iter().enumerate() {
            let content = std::fs::read(file).expect("a piece");
            let said = match i % 3 {
                0 => {
                    let mut damaged = content.clone();
                    damaged[content.len() * 2 / 3] ^= 0x10;
                    std::fs::write(file, damaged).expect("written");
                    "is not what was written"
                }
                1 => {
                    std::fs::write(file, &content[..content.len() / 2]).expect("written");
                    "bytes"
                }
                _ => {
                    std::fs::remove_file(file).expect("removed");
                    "is missing"
                }
            };
            let ended = verify(dir, with).await;
            assert_eq!(ended.code, Some(1), "{}", ended.output);
            let name = file.file_name().expect("a name").to_str().expect("a text");
            let line = ended.output.lines().find(|line| line.contains(name)).unwrap_or_default();
            assert!(line.contains(said), "{said}: {}", ended.output);
            std::fs::write(file, content).expect("written");
        }
        assert_eq!(verify(dir, with).await.code, Some(0));
    }
    assert!(verify(&sealed, &[]).await.output.contains("give their key"));
    let sealed_text = pieces(Path::new(&sealed))
        .iter()
        .any(|file| std::fs::read(file).expect("a piece").windows(20).any(|found| found == b"zzzzzzzzzzzzzzzzzzzz"));
    assert!(!sealed_text, "what is sealed cannot be read");

    // A manifest that somebody has signed says something else than what replicas had.
    let manifests = Path::new(&plain).join("backups");
    let file = std::fs::read_dir(&manifests).expect("it").next().expect("one").expect("it").path();
    let id = file.file_stem().expect("a name").to_str().expect("a text").to_owned();
    let kept = std::fs::read(&file).expect("a manifest");
    let mut altered = manifest::decode(&id, &kept, None).expect("a manifest");
    altered.databases[0].set_digest(17);
    std::fs::write(&file, manifest::encode(&altered, None, [0; 12])).expect("written");
    let ended = verify(&plain, &[]).await;
    assert!(ended.code == Some(1) && ended.output.contains("have voted on 0000000000000011"), "{}", ended.output);
    // Half of one is none.
    std::fs::write(&file, &kept[..kept.len() / 2]).expect("written");
    let list = run_program(&["backup", "list", "--from", &plain]).await;
    assert!(list.output.contains("cannot be used: its manifest is not what was written"), "{}", list.output);
    for words in [&["backup", "verify", "--from", &plain][..], &["restore", "--from", &plain, "--as", "x"]] {
        let ended = if words[0] == "restore" { ask(&cluster, 1, words).await } else { run_program(words).await };
        assert!(ended.code == Some(1) && ended.output.contains(&id), "{}", ended.output);
    }
    std::fs::write(&file, kept).expect("written");

    // One that was begun is no backup, and what it may need stays.
    std::fs::write(manifests.join("20990101T000000Z-0000.begun"), b"").expect("written");
    let list = run_program(&["backup", "list", "--from", &plain]).await;
    assert!(list.output.contains("20990101T000000Z-0000  begun, and not completed"), "{}", list.output);
    assert_ne!(run_program(&["backup", "prune", "--from", &plain, "--keep", "1"]).await.code, Some(0));
    std::fs::remove_file(manifests.join("20990101T000000Z-0000.begun")).expect("removed");
    cluster.run(1, "UPDATE t SET body = reverse(body)").await;
    back_up(&cluster, 1, &["--to", &plain]).await;
    let pruned = run_program(&["backup", "prune", "--from", &plain, "--keep", "1"]).await;
    assert!(pruned.output.contains(&format!("{id} is removed")), "{}", pruned.output);
    assert_eq!(verify(&plain, &["--all"]).await.code, Some(0));
    let unknown = ask(&cluster, 1, &["backup", "--to", &plain, "--database", "nothing"]).await;
    assert!(unknown.code == Some(1) && unknown.output.contains("no database \"nothing\""), "{}", unknown.output);
}

/// Waits until all that is there now is kept, by whoever leads; returns the last entry.
async fn kept(cluster: &Cluster, database: &str) -> u64 {
    let all = cluster.living();
    let mut wanted = 0;
    for id in &all {
        let status = cluster.status(*id).await.expect("a status");
        let rows = status.replicas.iter().filter(|row| row.database == database && row.node == status.answered_by);
        wanted = rows.map(|row| row.applied_index).max().unwrap_or(0).max(wanted);
    }
    eventually("the log is kept", PATIENCE, async || {
        let leader = cluster.leader(database).await;
        let status = cluster.status(leader).await?;
        let mut rows = status.replicas.iter().filter(|row| row.database == database && row.node == status.answered_by);
        let archive = rows.find_map(|row| row.archive.clone()).ok_or("nothing is said of it")?;
        match archive.index >= wanted && archive.problem.is_none() {
            true => Ok(()),
            false => Err(format!("{archive:?}, wanted {wanted}")),
        }
    })
    .await;
    wanted
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_comes_back_as_of_a_moment_between_two_transactions() {
    let place = tempfile::tempdir().expect("a temporary directory");
    let dir = place.path().join("backups");
    let dir = dir.to_str().expect("a path");
    let archive = format!("[backup]\narchive = \"{dir}\"");
    let mut cluster = Cluster::start_with(3, Options { limits: archive, ..Options::default() }).await;
    run(&cluster.connect(1).await, "CREATE DATABASE shop").await;
    let shop = cluster.enter(1, "shop").await;
    run(&shop, "CREATE TABLE written (writer int, n int, body text, PRIMARY KEY (writer, n))").await;
    run(&shop, "CREATE TABLE marks (id serial PRIMARY KEY, mark text, at timestamptz DEFAULT now(), dice float DEFAULT random())").await;
    back_up(&cluster, 1, &["--to", dir]).await;

    // Leaders come and go, and members; a new table and a role are in the log as well.
    let load = Load::start(&cluster, "shop", 3).await;
    run(&shop, "CREATE INDEX ON written (body); INSERT INTO marks(mark) VALUES ('during')").await;
    tokio::time::sleep(std::time::Duration::from_secs(3)).await;
    let status = cluster.status(cluster.leader("shop").await).await.expect("a status");
    let lag = status.replicas.iter().filter_map(|row| row.archive.as_ref()).map(|kept| kept.lag_ms).max();
    assert!(lag.is_some_and(|lag| lag <= 5000), "{status:?}");
    load.end().await;
    let leader = cluster.leader("shop").await;
    let other = cluster.living().into_iter().find(|id| *id != leader).expect("another");
    cluster.kill(leader);
    let shop = cluster.enter(other, "shop").await;
    run(&shop, "INSERT INTO marks(mark) VALUES ('with another leader')").await;
    cluster.restart(leader).await;
    let fourth = cluster.join(other);
    cluster.wait_node_ready(fourth).await;
    let address = format!("127.0.0.1:{}", cluster.node(other).http);
    let wait = "UPDATE marks SET mark = mark WHERE id = 1";
    run(&shop, wait).await;
    let mark = async |what: &str| {
        run(&shop, &format!("BEGIN; INSERT INTO marks(mark) VALUES ('{what}'); INSERT INTO marks(mark) VALUES ('{what} too'); COMMIT")).await;
    };
    mark("good").await;
    let everything =
        "SELECT string_agg(id || mark || at || dice, ', ' ORDER BY id) || (SELECT count(*) FROM written) FROM marks";
    let good = one_value(&shop, everything).await;
    let index = kept(&cluster, "shop").await;
    let pause = std::time::Duration::from_millis(50);
    tokio::time::sleep(pause).await;
    let moment =
        one_value(&shop, "SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')")
            .await;
    tokio::time::sleep(pause).await;
    run(&shop, "BEGIN; DELETE FROM written; DROP TABLE written; INSERT INTO marks(mark) VALUES ('wrong'); COMMIT")
        .await;
    mark("after").await;
    kept(&cluster, "shop").await;

    let restore = async |name: &str, words: &[&str]| {
        let all = [&["restore", "--from", dir, "--database", "shop", "--as", name], words].concat();
        ask(&cluster, other, &all).await
    };
    for (name, words) in [("at", ["--at", &moment]), ("index", ["--index", &index.to_string()])] {
        let ended = restore(name, &words).await;
        assert_eq!(ended.code, Some(0), "{}", ended.output);
        assert_eq!(one_value(&cluster.enter(other, name).await, everything).await, good);
    }
    let ended = restore("latest", &["--at", "latest"]).await;
    assert_eq!(ended.code, Some(0), "{}", ended.output);
    let latest = cluster.enter(fourth, "latest").await;
    let marks = "SELECT string_agg(mark, ', ' ORDER BY id) FROM marks";
    assert_eq!(one_value(&latest, marks).await, one_value(&shop, marks).await);
    assert_eq!(one_value(&latest, "SELECT to_regclass('written') IS NULL").await, "t");
    cluster.wait_converged().await;
    let (_, metrics) = http::get(cluster.node(cluster.leader("shop").await).http, "/metrics").await.expect("metrics");
    assert!(metrics.contains("quorate_archive_lag_seconds{database=\"shop\"}"), "{metrics}");
    let shown = run_program(&["status", "--addr", &address]).await;
    assert!(shown.output.contains("log kept by"), "{}", shown.output);

    // What cannot be known is not made up.
    for (at, why) in [
        ("2020-01-01T00:00:00Z", "no backup from before"),
        ("2099-01-01T00:00:00Z", "nobody knows"),
        ("soon", "is no time"),
    ] {
        let ended = restore("never", &["--at", at]).await;
        assert!(ended.code == Some(1) && ended.output.contains(why), "{}", ended.output);
    }
    // A part that is damaged is named, and nothing comes of it.
    let group = one_value(&shop, "SELECT group_id FROM quorate.databases WHERE name = 'shop'").await;
    let log =
        std::fs::read_dir(Path::new(dir).join("log")).expect("a log").next().expect("a cluster").expect("it").path();
    let mut parts: Vec<PathBuf> =
        std::fs::read_dir(log.join(group)).expect("parts").map(|part| part.expect("a part").path()).collect();
    parts.sort();
    let part = &parts[parts.len() / 2];
    let content = std::fs::read(part).expect("a part");
    let mut damaged = content.clone();
    damaged[content.len() / 2] ^= 2;
    std::fs::write(part, damaged).expect("written");
    let ended = restore("never", &["--at", "latest"]).await;
    let name = part.file_name().expect("a name").to_str().expect("a text");
    assert!(ended.code == Some(1) && ended.output.contains(name), "{}", ended.output);
    std::fs::write(part, content).expect("written");

    // A later backup needs less of the log.
    back_up(&cluster, other, &["--to", dir]).await;
    let pruned = run_program(&["backup", "prune", "--from", dir, "--keep", "1"]).await;
    assert!(pruned.code == Some(0) && !pruned.output.contains(" 0 parts"), "{}", pruned.output);
    run(&shop, "INSERT INTO marks(mark) VALUES ('later')").await;
    kept(&cluster, "shop").await;
    let ended = restore("later", &["--at", "latest"]).await;
    assert_eq!(ended.code, Some(0), "{}", ended.output);
    assert_eq!(one_value(&cluster.enter(other, "later").await, marks).await, one_value(&shop, marks).await);
}
