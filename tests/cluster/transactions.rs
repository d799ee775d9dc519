//! Transactions of many statements while leaders die: money is neither made nor lost, what was acknowledged happened
//! once, and an open transaction goes on at the next leader.

use crate::support::cluster::{Cluster, connect, explain, one_value, run, sqlstate};
use crate::support::load::{Load, assert_no_errors};
use crate::support::{PATIENCE, eventually, in_time};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use tokio_postgres::{Client, Error};

const CLIENTS: i64 = 32;
const ACCOUNTS: i64 = 24;
const EACH: i64 = 1000;

/// What became of a client's transfers, by their ids.
#[derive(Default)]
struct Book {
    acknowledged: Vec<i64>,
    /// The connection broke while COMMIT was under way.
    doubtful: Vec<i64>,
    /// It broke before, or the transfer was given up.
    undone: Vec<i64>,
    errors: Vec<String>,
}

/// How one attempt at a transfer ended.
enum Fate {
    Done,
    /// The server undid it and says that it may be tried again.
    Again,
    /// The connection is gone; `true` if COMMIT had been sent.
    Lost(bool),
    Failed(String),
}

struct Bank {
    ports: Vec<u16>,
    stop: AtomicBool,
    done: AtomicU64,
}

fn fate(error: &Error, committing: bool) -> Fate {
    match error.code() {
        Some(_) if ["40001", "40P01"].contains(&sqlstate(error).as_str()) => Fate::Again,
        // The server told that it is going, or is gone.
        Some(_) if sqlstate(error) == "57P01" => Fate::Lost(committing),
        None => Fate::Lost(committing),
        Some(_) => Fate::Failed(explain(error)),
    }
}

/// Moves an amount, as an application would: looks, computes, writes both accounts and a line of history.
async fn transfer(client: &Client, id: i64) -> Fate {
    // Spread without a generator: every pair of accounts occurs, in both orders.
    let (from, to) = (id * 7 % ACCOUNTS, (id * 7 + 1 + id * 5 % (ACCOUNTS - 1)) % ACCOUNTS);
    let amount = 1 + id % 9;
    let statements = async {
        client.batch_execute("BEGIN").await?;
        let sql = "SELECT balance FROM accounts WHERE id = $1 FOR UPDATE";
        let balance: i64 = client.query_one(sql, &[&from]).await?.get(0);
        client.execute("UPDATE accounts SET balance = $2 WHERE id = $1", &[&from, &(balance - amount)]).await?;
        client.execute("UPDATE accounts SET balance = balance + $2 WHERE id = $1", &[&to, &amount]).await?;
        client.execute("INSERT INTO history VALUES ($1, $2, $3, $4)", &[&id, &from, &to, &amount]).await
    };
    if let Err(error) = statements.await {
        // What the client would do next; if the connection is gone the server has done it.
        let _ = client.batch_execute("ROLLBACK").await;
        return fate(&error, false);
    }
    match client.batch_execute("COMMIT").await {
        Ok(()) => Fate::Done,
        Err(error) => fate(&error, true),
    }
}

/// One client: transfers until it is told to stop; when its node dies it goes to another.
async fn work(bank: Arc<Bank>, number: i64) -> Book {
    let mut book = Book::default();
    let mut at = number as usize;
    let mut client: Option<Client> = None;
    let mut seq = 0;
    while !bank.stop.load(Ordering::Relaxed) {
        let Some(open) = client.take_if(|c| !c.is_closed()) else {
            at += 1;
            client = connect(bank.ports[at % bank.ports.len()]).await.ok();
            if client.is_none() {
                tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            }
            continue;
        };
        let id = number * 1_000_000 + seq;
        match in_time("a transfer", transfer(&open, id)).await {
            Fate::Done => {
                book.acknowledged.push(id);
                bank.done.fetch_add(1, Ordering::Relaxed);
                seq += 1;
            }
            Fate::Again => {}
            Fate::Lost(committing) => {
                if committing { &mut book.doubtful } else { &mut book.undone }.push(id);
                seq += 1;
                continue;
            }
            Fate::Failed(error) => {
                book.errors.push(error);
                return book;
            }
        }
        client = Some(open);
    }
    book
}

/// Reads the sum from all nodes, again and again: it is the same in every state that anybody sees.
async fn audit(bank: Arc<Bank>) -> u64 {
    let (mut reads, mut at) = (0, 0);
    let mut client: Option<Client> = None;
    while !bank.stop.load(Ordering::Relaxed) {
        at += 1;
        let Some(open) = client.take_if(|c| !c.is_closed()) else {
            client = connect(bank.ports[at % bank.ports.len()]).await.ok();
            continue;
        };
        let sql = "SELECT sum(balance)::bigint, count(*) FROM accounts";
        if let Ok(row) = in_time("an audit", open.query_one(sql, &[])).await {
            let (sum, count): (i64, i64) = (row.get(0), row.get(1));
            assert_eq!((sum, count), (ACCOUNTS * EACH, ACCOUNTS), "money was made or lost");
            reads += 1;
            // On to the next node.
            client = Some(open).filter(|_| reads % 8 != 0);
        }
    }
    reads
}

impl Bank {
    async fn progress(&self, more: u64) {
        let target = self.done.load(Ordering::Relaxed) + more;
        eventually("transfers make progress", PATIENCE, async || {
            let now = self.done.load(Ordering::Relaxed);
            if now >= target { Ok(()) } else { Err(format!("{now} of {target} transfers")) }
        })
        .await
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn transfers_while_leaders_are_killed() {
    let mut cluster = Cluster::start(3).await;
    // No key on the history: a transfer that happened twice shows as two lines.
    let setup = format!(
        "CREATE TABLE accounts (id bigint PRIMARY KEY, balance bigint NOT NULL); \
         CREATE TABLE history (id bigint NOT NULL, src bigint NOT NULL, dst bigint NOT NULL, amount bigint NOT NULL); \
         INSERT INTO accounts SELECT n, {EACH} FROM generate_series(0, {}) AS n",
        ACCOUNTS - 1
    );
    cluster.run(1, &setup).await;
    let ports = cluster.nodes.values().map(|node| node.postgres).collect();
    let bank = Arc::new(Bank { ports, stop: AtomicBool::new(false), done: AtomicU64::new(0) });
    let workers: Vec<_> = (0..CLIENTS).map(|number| tokio::spawn(work(bank.clone(), number))).collect();
    let auditors: Vec<_> = (0..2).map(|_| tokio::spawn(audit(bank.clone()))).collect();
    for _ in 0..3 {
        bank.progress(40).await;
        let victim = cluster.leader("quorate").await;
        cluster.kill(victim);
        bank.progress(40).await;
        cluster.restart(victim).await;
    }
    bank.progress(40).await;
    bank.stop.store(true, Ordering::Relaxed);
    let mut books = Vec::new();
    for worker in workers {
        books.push(in_time("a client ends", worker).await.expect("a client does not panic"));
    }
    for auditor in auditors {
        assert!(in_time("an auditor ends", auditor).await.expect("every audit was right") > 0);
    }
    let errors: Vec<&String> = books.iter().flat_map(|book| &book.errors).collect();
    assert!(errors.is_empty(), "clients were told of errors: {errors:?}");
    cluster.wait_converged().await;
    for id in cluster.living() {
        check(&cluster.connect(id).await, &books).await;
    }
}

/// What the books say is what the database says.
async fn check(client: &Client, books: &[Book]) {
    let rows = client.query("SELECT id, src, dst, amount FROM history", &[]).await.expect("reading the history");
    let mut times: BTreeMap<i64, usize> = BTreeMap::new();
    let mut balances: BTreeMap<i64, i64> = (0..ACCOUNTS).map(|id| (id, EACH)).collect();
    for row in &rows {
        let (id, from, to, amount): (i64, i64, i64, i64) = (row.get(0), row.get(1), row.get(2), row.get(3));
        *times.entry(id).or_default() += 1;
        *balances.get_mut(&from).expect("an account") -= amount;
        *balances.get_mut(&to).expect("an account") += amount;
    }
    let happened = |id: &i64| times.get(id).copied().unwrap_or(0);
    for book in books {
        for id in &book.acknowledged {
            assert_eq!(happened(id), 1, "transfer {id} was acknowledged");
        }
        for id in &book.doubtful {
            assert!(happened(id) <= 1, "transfer {id} happened {} times", happened(id));
        }
        for id in &book.undone {
            assert_eq!(happened(id), 0, "transfer {id} was never committed");
        }
    }
    let told: usize = books.iter().map(|book| book.acknowledged.len() + book.doubtful.len()).sum();
    assert!(rows.len() <= told, "{} transfers happened, {told} were asked for", rows.len());
    let rows = client.query("SELECT id, balance FROM accounts", &[]).await.expect("reading the accounts");
    let found: BTreeMap<i64, i64> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
    assert_eq!(found, balances, "the accounts are what the history says");
}

/// The client's node lives; what it has done so far is done again at the new leader, unseen.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transaction_held_open_while_its_leader_dies() {
    let mut cluster = Cluster::start(3).await;
    cluster
        .run(1, "CREATE TABLE t (id int PRIMARY KEY, v int NOT NULL); INSERT INTO t VALUES (1, 10), (2, 20), (3, 30)")
        .await;
    for round in 0..2 {
        let leader = cluster.leader("quorate").await;
        let client = cluster.connect(cluster.follower("quorate").await).await;
        let row = 100 + round;
        run(&client, &format!("BEGIN; INSERT INTO t VALUES ({row}, 1); UPDATE t SET v = v + 1 WHERE id = 1")).await;
        cluster.kill(leader);
        assert_eq!(one_value(&client, &format!("SELECT v FROM t WHERE id = {row}")).await, "1", "it sees its own row");
        assert_eq!(one_value(&client, "SELECT v FROM t WHERE id = 1").await, (11 + round).to_string());
        run(&client, &format!("UPDATE t SET v = v * 2 WHERE id = {row}; COMMIT")).await;
        for id in cluster.living() {
            let sql = format!("SELECT string_agg(id || ':' || v, ' ' ORDER BY id) FROM t WHERE id IN (1, {row})");
            assert_eq!(cluster.value(id, &sql).await, format!("1:{} {row}:2", 11 + round), "node-{id}");
        }
        cluster.restart(leader).await;
        cluster.wait_converged().await;
    }
}

/// Of what it has locked, others wait; of the rest nobody takes notice, and its view does not keep the WAL for ever.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_idle_in_a_transaction_holds_up_nobody() {
    const ROWS: usize = 160;
    let cluster = Cluster::start(3).await;
    cluster.run(1, "CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t VALUES (1, 'a'), (2, 'b')").await;
    let leader = cluster.leader("quorate").await;
    let mut idle = Vec::new();
    for (id, isolation) in [(leader, "READ COMMITTED"), (cluster.follower("quorate").await, "REPEATABLE READ")] {
        let client = cluster.connect(id).await;
        let row = 1 + idle.len();
        run(&client, &format!("BEGIN ISOLATION LEVEL {isolation}; UPDATE t SET v = 'mine' WHERE id = {row}")).await;
        idle.push(client);
    }
    let load = Load::start(&cluster, 4, &[1, 2, 3]).await;
    load.progress(100).await;
    assert_no_errors(&load.finish().await);
    // Far more than the WAL may hold.
    let writer = cluster.connect(leader).await;
    let body = "x".repeat(1 << 20);
    for id in 0..ROWS as i32 {
        let id = 1000 + id;
        let written = in_time("a large row", writer.execute("INSERT INTO t VALUES ($1, $2)", &[&id, &body])).await;
        assert_eq!(written.expect("insert"), 1);
    }
    // A WAL that begins anew keeps its file: this is the longest it ever was.
    let files = std::fs::read_dir(cluster.node(leader).home.join("groups/2")).expect("the group's directory");
    let wal = files.flatten().filter(|f| f.file_name().to_string_lossy().ends_with("-wal"));
    let wal: u64 = wal.filter_map(|f| f.metadata().ok()).map(|m| m.len()).sum();
    assert!(wal < 112 << 20, "{} MiB of WAL after {ROWS} MiB of rows", wal >> 20);
    println!("{} MiB of WAL after {ROWS} MiB", wal >> 20);
    for (row, client) in idle.iter().enumerate() {
        assert_eq!(one_value(client, &format!("SELECT v FROM t WHERE id = {}", 1 + row)).await, "mine");
        run(client, "COMMIT").await;
    }
    assert_eq!(cluster.value(leader, "SELECT count(*) FROM t WHERE v = 'mine'").await, "2");
    cluster.wait_converged().await;
}
