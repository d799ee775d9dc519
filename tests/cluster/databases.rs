//! Databases come and go on all nodes at once, are apart from each other, and share their roles.

use crate::support::cluster::{Cluster, connect_to, explain, one_value, run, sqlstate};
use crate::support::{PATIENCE, eventually};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use tokio_postgres::Client;

/// SQLSTATE of a statement that must fail.
async fn refusal(client: &Client, sql: &str) -> String {
    match client.batch_execute(sql).await {
        Ok(()) => panic!("{sql} should fail"),
        Err(error) => sqlstate(&error),
    }
}

/// SQLSTATE of a connection that must not come about.
async fn closed(cluster: &Cluster, id: u64, role: &str, database: &str) -> String {
    match connect_to(cluster.node(id).postgres, role, database).await {
        Ok(_) => panic!("{role} should not get into {database} on node-{id}"),
        Err(error) => sqlstate(&error),
    }
}

/// The groups whose files a node has.
fn groups(cluster: &Cluster, id: u64) -> BTreeSet<u64> {
    let homes = std::fs::read_dir(cluster.node(id).home.join("groups")).expect("the groups' directory");
    homes.flatten().filter_map(|home| home.file_name().to_str()?.parse().ok()).collect()
}

async fn group_of(client: &Client, database: &str) -> u64 {
    let sql = format!("SELECT group_id FROM quorate.databases WHERE name = '{database}'");
    one_value(client, &sql).await.parse().expect("a number")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_is_there_for_everybody_and_then_for_nobody() {
    let mut cluster = Cluster::start(3).await;
    let follower = cluster.follower("system").await;
    let client = cluster.connect(follower).await;
    client.batch_execute("CREATE DATABASE shop CONNECTION LIMIT 7").await.expect("it is made");
    // At once, on every node; what one writes the others read.
    for id in 1..=3 {
        let shop = cluster.enter(id, "shop").await;
        assert_eq!(one_value(&shop, "SELECT current_database()").await, "shop");
        match id {
            1 => run(&shop, "CREATE TABLE goods (id int PRIMARY KEY); INSERT INTO goods VALUES (1)").await,
            id => run(&shop, &format!("INSERT INTO goods VALUES ({id})")).await,
        }
        assert_eq!(one_value(&shop, "SELECT count(*) FROM goods").await, id.to_string());
        let own = "SELECT count(*) FROM pg_stat_activity a JOIN pg_database d ON d.oid = a.datid \
                   WHERE a.pid = pg_backend_pid() AND d.datname = 'shop' AND d.datconnlimit = 7";
        assert_eq!(one_value(&shop, own).await, "1");
    }
    assert_eq!(refusal(&client, "SELECT * FROM goods").await, "42P01", "another database has its own tables");
    assert_eq!(refusal(&client, "CREATE DATABASE shop").await, "42P04");
    assert_eq!(refusal(&client, "BEGIN; CREATE DATABASE other").await, "25001");
    run(&client, "ROLLBACK").await;

    // Its leader dies, and the node comes back with it.
    let leader = cluster.leader("shop").await;
    cluster.kill(leader);
    let heir = cluster.leader("shop").await;
    run(&cluster.enter(heir, "shop").await, "INSERT INTO goods VALUES (4)").await;
    cluster.restart(leader).await;
    assert_eq!(one_value(&cluster.enter(leader, "shop").await, "SELECT count(*) FROM goods").await, "4");
    cluster.wait_converged().await;

    // One that joins has it as well.
    let fourth = cluster.join(1);
    cluster.wait_node_ready(fourth).await;
    assert_eq!(one_value(&cluster.enter(fourth, "shop").await, "SELECT count(*) FROM goods").await, "4");
    run(&cluster.enter(fourth, "shop").await, "INSERT INTO goods VALUES (5)").await;
    cluster.wait_converged().await;

    // A node that has lost its disk gets it again.
    let client = cluster.connect(2).await;
    let group = group_of(&client, "shop").await;
    cluster.kill(3);
    cluster.wipe(3);
    cluster.restart(3).await;
    assert_eq!(one_value(&cluster.enter(3, "shop").await, "SELECT count(*) FROM goods").await, "5");
    assert!(groups(&cluster, 3).contains(&group));
    cluster.kill(1);
    cluster.restart(1).await;

    // Nobody drops it while somebody is in it, unless he insists.
    let inside = cluster.enter(1, "shop").await;
    assert_eq!(refusal(&client, "DROP DATABASE shop").await, "55006");
    assert_eq!(one_value(&inside, "SELECT count(*) FROM goods").await, "5");
    assert_eq!(refusal(&inside, "DROP DATABASE shop").await, "55006", "the one that is open");
    client.batch_execute("DROP DATABASE shop WITH (FORCE)").await.expect("it goes");
    for id in 1..=4 {
        assert_eq!(closed(&cluster, id, "quorate", "shop").await, "3D000");
        eventually("its files go", PATIENCE, async || match groups(&cluster, id).contains(&group) {
            true => Err(format!("{:?}", groups(&cluster, id))),
            false => Ok(()),
        })
        .await;
    }
    assert!(inside.batch_execute("SELECT 1").await.is_err());
    assert_eq!(refusal(&client, "DROP DATABASE shop").await, "3D000");
    client.batch_execute("DROP DATABASE IF EXISTS shop").await.expect("there is nothing to do");

    // The name can be had again; the numbers cannot.
    client.batch_execute("CREATE DATABASE shop").await.expect("it is made");
    assert!(group_of(&client, "shop").await > group);
    let shop = cluster.enter(fourth, "shop").await;
    assert_eq!(refusal(&shop, "SELECT * FROM goods").await, "42P01", "it is another one");
    cluster.wait_converged().await;
}

/// Those that every cluster begins with, and what clients do with them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_every_cluster_begins_with() {
    let cluster = Cluster::start(3).await;
    let client = cluster.connect(1).await;
    let names = "SELECT string_agg(datname, ' ' ORDER BY datname) FROM pg_database WHERE datallowconn";
    assert_eq!(one_value(&client, names).await, "postgres quorate template1");
    assert_eq!(closed(&cluster, 1, "quorate", "template0").await, "55000");
    assert_eq!(groups(&cluster, 1).len(), 2, "nobody uses them");
    let rights = "SELECT has_database_privilege('template1', 'CONNECT') AND has_database_privilege(5::oid, 'TEMP') \
                  AND has_database_privilege(9999::oid, 'TEMP') IS NULL AND pg_database_size(current_database()) > 0";
    assert_eq!(one_value(&client, rights).await, "t");
    assert_eq!(refusal(&client, "SELECT has_database_privilege('nothing', 'CONNECT')").await, "3D000");
    assert_eq!(refusal(&client, "SELECT pg_database_size('nothing')").await, "3D000");
    // Two at once.
    let (a, b) = tokio::join!(cluster.enter(2, "postgres"), cluster.enter(3, "postgres"));
    run(&a, "CREATE TABLE t (a int); INSERT INTO t VALUES (1)").await;
    assert_eq!(one_value(&b, "SELECT a FROM t").await, "1");

    // What is put into template1 is in every database that is made then; each copy goes its own way.
    run(&cluster.enter(1, "template1").await, "CREATE TABLE common (a serial); INSERT INTO common DEFAULT VALUES")
        .await;
    for (id, sql) in
        [(2, "CREATE DATABASE a"), (3, "CREATE DATABASE b TEMPLATE a"), (1, "CREATE DATABASE c TEMPLATE template0")]
    {
        cluster.connect(id).await.batch_execute(sql).await.unwrap_or_else(|e| panic!("{sql}: {}", explain(&e)));
    }
    for id in 1..=3 {
        let (a, b) = (cluster.enter(id, "a").await, cluster.enter(id, "b").await);
        run(&b, "INSERT INTO common DEFAULT VALUES").await;
        assert_eq!(one_value(&a, "SELECT count(*) FROM common").await, "1");
        assert_eq!(one_value(&b, "SELECT max(a) FROM common").await, (id + 1).to_string());
        assert_eq!(refusal(&cluster.enter(id, "c").await, "SELECT * FROM common").await, "42P01");
    }
    cluster.wait_converged().await;
    let inside = cluster.enter(2, "a").await;
    assert_eq!(refusal(&client, "CREATE DATABASE d TEMPLATE a").await, "55006");
    assert_eq!(refusal(&client, "ALTER DATABASE a RENAME TO d").await, "55006");
    assert_eq!(refusal(&inside, "ALTER DATABASE a RENAME TO d").await, "0A000");
    assert_eq!(one_value(&inside, "SELECT current_database()").await, "a");
    drop(inside);
    client.batch_execute("ALTER DATABASE a RENAME TO d").await.expect("it has another name");
    assert_eq!(one_value(&cluster.enter(2, "d").await, "SELECT current_database()").await, "d");
    assert_eq!(closed(&cluster, 2, "quorate", "a").await, "3D000");
    assert_eq!(one_value(&cluster.enter(2, "d").await, "SELECT count(*) FROM common").await, "1");
    assert_eq!(refusal(&client, "DROP DATABASE template1").await, "42809");
    assert_eq!(refusal(&cluster.enter(1, "d").await, "DROP DATABASE quorate").await, "55006");
    client.batch_execute("DROP DATABASE postgres WITH (FORCE)").await.expect("it goes");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn roles_are_the_clusters() {
    let cluster = Cluster::start(3).await;
    let client = cluster.connect(1).await;
    run(&client, "CREATE DATABASE a; CREATE DATABASE b; CREATE ROLE ann LOGIN CREATEDB; CREATE ROLE team").await;
    let a = cluster.enter(2, "a").await;
    run(&a, "CREATE TABLE t (x int); INSERT INTO t VALUES (1); CREATE ROLE bob LOGIN; GRANT SELECT ON t TO team").await;
    let as_role = async |id, role, database| {
        let client = connect_to(cluster.node(id).postgres, role, database).await;
        client.unwrap_or_else(|e| panic!("{role} in {database}: {}", explain(&e)))
    };
    for id in 1..=3 {
        assert_eq!(refusal(&as_role(id, "bob", "a").await, "SELECT * FROM t").await, "42501");
    }
    // A membership that is given in one database counts in another, in sessions that are open, too.
    let bob = as_role(3, "bob", "a").await;
    run(&cluster.enter(1, "b").await, "GRANT team TO bob").await;
    assert_eq!(one_value(&bob, "SELECT x FROM t").await, "1");
    run(&cluster.enter(1, "b").await, "REVOKE team FROM bob").await;
    assert_eq!(refusal(&bob, "SELECT * FROM t").await, "42501");
    drop(bob);

    // Settings and rights of databases, from anywhere.
    run(&a, "ALTER DATABASE b SET work_mem = '7MB'; ALTER ROLE bob IN DATABASE b SET statement_timeout = '9s'").await;
    assert_eq!(one_value(&as_role(3, "bob", "b").await, "SHOW work_mem").await, "7MB");
    assert_eq!(one_value(&as_role(2, "bob", "b").await, "SHOW statement_timeout").await, "9s");
    assert_ne!(one_value(&as_role(2, "bob", "a").await, "SHOW work_mem").await, "7MB");
    run(&a, "REVOKE CONNECT ON DATABASE b FROM PUBLIC; ALTER DATABASE b OWNER TO ann").await;
    assert_eq!(closed(&cluster, 1, "bob", "b").await, "42501");
    let ann = as_role(1, "ann", "b").await;
    let owner = "SELECT rolname FROM pg_database d JOIN pg_roles r ON r.oid = datdba WHERE datname = 'b'";
    assert_eq!(one_value(&as_role(2, "ann", "a").await, owner).await, "ann");
    run(&a, "ALTER DATABASE a CONNECTION LIMIT 0").await;
    assert_eq!(closed(&cluster, 1, "bob", "a").await, "53300");
    run(&a, "ALTER DATABASE a CONNECTION LIMIT -1").await;
    // A session on one node counts on the others, in its database.
    run(&client, "CREATE DATABASE narrow CONNECTION LIMIT 1").await;
    let only = as_role(3, "bob", "narrow").await;
    for id in 1..=3 {
        assert_eq!(closed(&cluster, id, "bob", "narrow").await, "53300");
        drop(as_role(id, "bob", "a").await);
    }
    run(&client, "ALTER DATABASE narrow CONNECTION LIMIT 2").await;
    drop(as_role(1, "bob", "narrow").await);
    drop(only);
    run(&client, "DROP DATABASE narrow WITH (FORCE)").await;

    // Who may do what.
    let bob = as_role(1, "bob", "a").await;
    assert_eq!(refusal(&bob, "CREATE DATABASE c").await, "42501");
    assert_eq!(refusal(&bob, "DROP DATABASE b").await, "42501");
    assert_eq!(refusal(&bob, "ALTER DATABASE b RENAME TO c").await, "42501");
    assert_eq!(refusal(&bob, "ALTER DATABASE b SET work_mem = '1MB'").await, "42501");
    assert_eq!(refusal(&bob, "CREATE ROLE more").await, "42501");
    assert_eq!(refusal(&ann, "CREATE DATABASE c TEMPLATE a").await, "42501");
    run(&ann, "CREATE DATABASE c").await;
    assert_eq!(refusal(&ann, "CREATE DATABASE d OWNER bob").await, "42501");

    // A role goes only when nothing anywhere is its own.
    assert_eq!(refusal(&client, "DROP ROLE ann").await, "2BP01");
    assert_eq!(refusal(&client, "DROP ROLE team").await, "2BP01");
    drop(ann);
    run(&client, "DROP DATABASE c; ALTER DATABASE b OWNER TO quorate; DROP ROLE ann").await;
    run(&a, "REVOKE SELECT ON t FROM team; ALTER ROLE team RENAME TO crew; DROP ROLE crew, bob").await;
    for database in ["a", "b", "quorate"] {
        let left = "SELECT count(*) FROM pg_roles WHERE rolname IN ('ann', 'bob', 'team', 'crew')";
        assert_eq!(one_value(&cluster.enter(3, database).await, left).await, "0", "{database}");
    }
    cluster.wait_converged().await;
}

/// What is a database's own: sessions that listen, advisory locks, sequences, temporary tables.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn databases_are_apart() {
    let cluster = Cluster::start(3).await;
    run(&cluster.connect(1).await, "CREATE DATABASE a; CREATE DATABASE b").await;
    let (a, b) = (cluster.enter(1, "a").await, cluster.enter(2, "b").await);
    assert_eq!(one_value(&a, "SELECT pg_try_advisory_lock(1)").await, "t");
    assert_eq!(one_value(&b, "SELECT pg_try_advisory_lock(1)").await, "t", "another database's lock");
    assert_eq!(one_value(&cluster.enter(3, "a").await, "SELECT pg_try_advisory_lock(1)").await, "f");
    for client in [&a, &b] {
        run(client, "CREATE SEQUENCE s; CREATE TEMP TABLE t (a int); INSERT INTO t VALUES (1)").await;
        assert_eq!(one_value(client, "SELECT nextval('s')").await, "1");
    }
    let locks = "SELECT string_agg(DISTINCT d.datname::text, ' ' ORDER BY d.datname::text) FROM pg_locks l \
                 JOIN pg_database d ON d.oid = l.database WHERE l.locktype = 'advisory'";
    assert_eq!(one_value(&a, locks).await, "a b");
    // A plan that was made in one database means nothing in another of the same name.
    drop((a, b));
    let client = cluster.connect(3).await;
    for (column, value) in [("x", "1"), ("y", "2")] {
        run(&client, "DROP DATABASE a WITH (FORCE); CREATE DATABASE a").await;
        let a = cluster.enter(3, "a").await;
        run(&a, &format!("CREATE TABLE t ({column} int); INSERT INTO t VALUES ({value})")).await;
        assert_eq!(one_value(&a, "SELECT * FROM t").await, value);
        let names = "SELECT string_agg(attname, ' ') FROM pg_attribute WHERE attrelid = 't'::regclass AND attnum > 0";
        assert_eq!(one_value(&a, names).await, column);
    }
}

/// Whoever makes a database dies in the middle of it: it is there on all nodes, or on none, and can be made again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_coordinator_dies() {
    let mut cluster = Cluster::start(3).await;
    run(&cluster.enter(1, "template1").await, "CREATE TABLE common (a int); INSERT INTO common VALUES (1)").await;
    for (round, millis) in [0u64, 15, 40, 80, 130, 200].into_iter().enumerate() {
        let coordinator = 1 + round as u64 % 3;
        let client = cluster.connect(coordinator).await;
        let (drops, sql) = match round % 2 {
            0 => (false, format!("CREATE DATABASE d{round}")),
            _ => (true, format!("DROP DATABASE d{round}")),
        };
        if drops {
            run(&client, &format!("CREATE DATABASE d{round}")).await;
        }
        let begun = tokio::spawn(async move { client.batch_execute(&sql).await.is_ok() });
        tokio::time::sleep(Duration::from_millis(millis)).await;
        cluster.kill(coordinator);
        let done = begun.await.expect("it ends");
        cluster.restart(coordinator).await;
        let witness = 1 + coordinator % 3;
        let state = eventually("it has come to an end", PATIENCE, async || {
            let client = cluster.connect(witness).await;
            let sql = format!("SELECT coalesce((SELECT state FROM quorate.databases WHERE name = 'd{round}'), 'gone')");
            match one_value(&client, &sql).await.as_str() {
                state @ ("live" | "gone") => Ok(state.to_owned()),
                state => Err(state.to_owned()),
            }
        })
        .await;
        if done {
            assert_eq!(state, if drops { "gone" } else { "live" }, "it was acknowledged");
        }
        for id in 1..=3 {
            match state.as_str() {
                "live" => {
                    let there = cluster.enter(id, &format!("d{round}")).await;
                    assert_eq!(one_value(&there, "SELECT a FROM common").await, "1", "d{round} on node-{id}");
                }
                _ => assert_eq!(closed(&cluster, id, "quorate", &format!("d{round}")).await, "3D000"),
            }
        }
        let client = cluster.connect(witness).await;
        if state == "gone" {
            run(&client, &format!("CREATE DATABASE d{round}")).await;
        }
        run(&client, &format!("DROP DATABASE d{round}")).await;
    }
    cluster.wait_converged().await;
}

/// What a process has: threads, and descriptors of its databases' files.
fn holds(cluster: &Cluster, id: u64) -> (usize, usize) {
    let own = std::path::PathBuf::from(format!("/proc/{}", cluster.node(id).pid().expect("it runs")));
    let list = |what: &str| std::fs::read_dir(own.join(what)).expect("our own child").flatten();
    let databases = cluster.node(id).home.join("groups");
    let files = list("fd").filter_map(|fd| std::fs::read_link(fd.path()).ok());
    (list("task").count(), files.filter(|file| file.starts_with(&databases)).count())
}

/// Databases that nobody uses have nothing of the machine's; when a node dies, or falls silent, others lead all of what it led.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_that_nobody_uses_cost_little_and_fail_over_at_once() {
    const MANY: usize = 24;
    let mut cluster = Cluster::start(3).await;
    let client = cluster.connect(1).await;
    let names: Vec<String> = (0..MANY).map(|n| format!("many{n}")).collect();
    for name in &names {
        client.batch_execute(&format!("CREATE DATABASE {name}")).await.expect("it is made");
    }
    for (n, name) in names.iter().enumerate() {
        let inside = cluster.enter(1 + n as u64 % 3, name).await;
        run(&inside, "CREATE TABLE t (k int PRIMARY KEY); INSERT INTO t VALUES (1)").await;
    }
    let used = holds(&cluster, 1);
    assert!(used.0 < 40 + MANY / 2, "{} threads", used.0);
    for id in 1..=3 {
        // The system group and the home are used all the time.
        eventually("what is not used is given back", PATIENCE, async || match holds(&cluster, id).1 {
            few if few < MANY / 2 => Ok(()),
            many => Err(format!("{many} descriptors, {used:?} when all were used")),
        })
        .await;
    }

    // Whoever leads most of them goes, in one way or the other.
    for silent in [false, true] {
        let mut led: BTreeMap<u64, Vec<String>> = BTreeMap::new();
        for name in &names {
            led.entry(cluster.leader(name).await).or_default().push(name.clone());
        }
        let (victim, led) = led.into_iter().max_by_key(|(_, led)| led.len()).expect("somebody leads");
        // They are at rest by now, and nobody asks for them.
        tokio::time::sleep(Duration::from_secs(3)).await;
        let began = std::time::Instant::now();
        if silent {
            cluster.pause(victim)
        } else {
            cluster.kill(victim)
        }
        let others: Vec<u64> = (1..=3).filter(|id| *id != victim).collect();
        eventually("others lead", PATIENCE, async || {
            let status = cluster.status(others[0]).await?;
            let dead = &cluster.node(victim).name;
            let led_by =
                |name: &String| status.groups.iter().find(|g| g.database == *name).and_then(|g| g.leader.clone());
            let left: Vec<_> = led.iter().filter(|name| led_by(name).is_none_or(|leader| leader == *dead)).collect();
            if left.is_empty() { Ok(()) } else { Err(format!("{left:?}")) }
        })
        .await;
        let took = began.elapsed();
        println!("{} leaders moved within {took:?}, silent: {silent}", led.len());
        assert!(took < Duration::from_secs(10), "{took:?}");
        for name in &led {
            run(&cluster.enter(others[1], name).await, "INSERT INTO t SELECT max(k) + 1 FROM t").await;
        }
        if silent {
            cluster.resume(victim)
        } else {
            cluster.restart(victim).await
        }
        for name in &led {
            let count = cluster.enter(victim, name).await;
            assert!(one_value(&count, "SELECT count(*) FROM t").await.parse::<u64>().expect("a number") > 1);
        }
    }
    cluster.wait_converged().await;
}
