//! What clients do, what they were told, and what must therefore be there in the end.
//!
//! | workload | does | must hold |
//! |---|---|---|
//! | lists | blocks of reads, locking reads and appends at three levels, single appends | [`History`] |
//! | bank | transfers between accounts in blocks, with a row in a ledger; readers add all up | no money comes or goes; each acknowledged transfer is there once |
//! | events | single inserts with a generated id; one more on a counter | ids and rows once; the counter is what was acknowledged |
//! | queue | takes the next item by `FOR UPDATE SKIP LOCKED` and deletes it | no item is taken twice |
//! | tables | makes, changes, fills and drops tables in blocks | all of a block or nothing |
//! | loads | COPY of many rows | all of them or none |

use super::client::{Answer, Caller, Field, Trouble};
use crate::sim::history::{Fate, Final, History, How, Lock, Read, Row, Tx};
use crate::support::cluster::Cluster;
use crate::support::in_time;
use parking_lot::Mutex;
use quorate::command::Isolation;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use tokio::task::JoinHandle;
use tokio_postgres::Client;

const LISTS: u64 = 4;
const ACCOUNTS: u64 = 5;
const TOTAL: i64 = 500;
const COPIED: u64 = 150;

const TABLES: &str = "CREATE TABLE lists (k bigint PRIMARY KEY, items text NOT NULL); \
    CREATE TABLE accounts (id bigint PRIMARY KEY, n bigint NOT NULL CHECK (n >= 0)); \
    INSERT INTO accounts SELECT g, 100 FROM generate_series(1, 5) g; \
    CREATE TABLE ledger (name bigint, source bigint, target bigint, n bigint); \
    CREATE TABLE events (id bigserial PRIMARY KEY, client bigint, n bigint); \
    CREATE TABLE counter (id int PRIMARY KEY, n bigint NOT NULL); \
    INSERT INTO counter VALUES (1, 0); \
    CREATE TABLE queue (id bigserial PRIMARY KEY, item bigint NOT NULL); \
    CREATE TABLE taken (item bigint NOT NULL, by bigint NOT NULL); \
    CREATE TABLE made (name bigint, n bigint); \
    CREATE TABLE loaded (batch bigint, n bigint)";

/// What one kind of request came to.
#[derive(Default)]
struct Tally {
    done: BTreeSet<i64>,
    unknown: BTreeSet<i64>,
    refused: BTreeMap<String, u64>,
}

impl Tally {
    fn note<T>(&mut self, name: i64, answer: &Answer<T>) {
        match answer {
            Ok(_) => drop(self.done.insert(name)),
            Err(Trouble::Unknown(_)) => drop(self.unknown.insert(name)),
            Err(Trouble::Refused(code)) => *self.refused.entry(code.clone()).or_default() += 1,
        }
    }

    /// Each of these was acknowledged, or may have happened, and is there once.
    fn check(&self, what: &str, there: &[i64]) -> Result<(), String> {
        let set: BTreeSet<i64> = there.iter().copied().collect();
        if set.len() != there.len() {
            return Err(format!("{what}: something happened twice: {there:?}"));
        }
        if let Some(lost) = self.done.iter().find(|name| !set.contains(name)) {
            return Err(format!("{what}: {lost} was acknowledged and is lost"));
        }
        match set.iter().find(|name| !self.done.contains(name) && !self.unknown.contains(name)) {
            Some(odd) => Err(format!("{what}: {odd} is there, though it was refused")),
            None => Ok(()),
        }
    }

    fn show(&self, what: &str) -> String {
        format!("{what}: {} done, {} unknown, refused {:?}", self.done.len(), self.unknown.len(), self.refused)
    }
}

/// What all clients were told.
#[derive(Default)]
pub struct Told {
    history: Mutex<History>,
    transfers: Mutex<Tally>,
    events: Mutex<Tally>,
    increments: Mutex<Tally>,
    puts: Mutex<Tally>,
    takes: Mutex<Tally>,
    tables: Mutex<Tally>,
    loads: Mutex<Tally>,
    /// What a reader of all accounts has found wrong.
    sums: Mutex<Vec<String>>,
}

/// The clients at work.
pub struct Workloads {
    told: Arc<Told>,
    clients: Vec<JoinHandle<()>>,
}

pub async fn start(cluster: &Cluster, field: &Arc<Field>) -> Workloads {
    let first = cluster.living()[0];
    cluster.run(first, TABLES).await;
    let told = Arc::new(Told::default());
    let mut clients = Vec::new();
    for number in 0..12 {
        let (caller, told) = (Caller::new(field, number), told.clone());
        clients.push(match number {
            0..4 => tokio::spawn(lists(caller, told)),
            4..6 => tokio::spawn(bank(caller, told)),
            6 => tokio::spawn(sums(caller, told)),
            7 => tokio::spawn(events(caller, told, number)),
            8 => tokio::spawn(puts(caller, told)),
            9 => tokio::spawn(takes(caller, told, number)),
            10 => tokio::spawn(tables(caller, told)),
            _ => tokio::spawn(loads(caller, told)),
        });
    }
    Workloads { told, clients }
}

impl Workloads {
    /// Waits for all clients.
    pub async fn end(self) -> Arc<Told> {
        for client in self.clients {
            in_time("a client ends", client).await.expect("a client does not panic");
        }
        self.told
    }
}

// --- lists ----------------------------------------------------------------------------------------------------------

fn parse(items: &str) -> Vec<i64> {
    items.split(',').filter(|item| !item.is_empty()).map(|item| item.parse().expect("a number")).collect()
}

async fn lists(mut caller: Caller, told: Arc<Told>) {
    use Isolation::{ReadCommitted, RepeatableRead, Serializable};
    while caller.ready().await {
        let single = caller.random.one_in(4);
        let isolation =
            if single { Serializable } else { caller.random.pick(&[ReadCommitted, RepeatableRead, Serializable]) };
        let mut tx = Tx::new(isolation, single, caller.field.now());
        let ended = if single {
            single_append(&mut caller, &told, &mut tx).await
        } else {
            block(&mut caller, &told, &mut tx).await
        };
        tx.ended = caller.field.now();
        tx.fate = match ended {
            Ok(()) => Fate::Committed,
            Err(Trouble::Unknown(_)) if single || tx.fate == Fate::Committing => Fate::Unknown,
            Err(Trouble::Unknown(why)) => Fate::Gone(why),
            Err(Trouble::Refused(code)) => Fate::Gone(code),
        };
        if tx.fate == Fate::Committed {
            caller.acknowledge();
        } else if !single {
            caller.give_up().await;
        }
        told.history.lock().transactions.push(tx);
        caller.pause().await;
    }
}

async fn append(caller: &mut Caller, told: &Told, tx: &mut Tx) -> Answer<()> {
    let (k, v) = (caller.random.range(0, LISTS) as i64, told.history.lock().value());
    let began = caller.field.now();
    let sql = "INSERT INTO lists VALUES ($1, $2) ON CONFLICT (k) DO UPDATE SET items = lists.items || ',' || $2 RETURNING items";
    // Whatever comes of it: the value is this transaction's.
    tx.appends.push((k, v));
    let rows = caller.rows(sql, &[&k, &v.to_string()]).await?;
    let mut items = parse(rows[0].get(0));
    let own = tx.own(k).len();
    items.truncate(items.len().saturating_sub(own));
    tx.reads.push(Read { k, items, own, how: How::Write, began, cut: false });
    tx.locks.push(Lock { row: Row::List(k), exclusive: true, since: caller.field.now() });
    Ok(())
}

async fn read(caller: &mut Caller, tx: &mut Tx) -> Answer<()> {
    let k = caller.random.range(0, LISTS) as i64;
    let locks = caller.random.one_in(3);
    let began = caller.field.now();
    let sql =
        if locks { "SELECT items FROM lists WHERE k = $1 FOR UPDATE" } else { "SELECT items FROM lists WHERE k = $1" };
    let rows = caller.rows(sql, &[&k]).await?;
    let mut items = rows.first().map_or_else(Vec::new, |row| parse(row.get(0)));
    let own = tx.own(k).len();
    items.truncate(items.len().saturating_sub(own));
    if locks && !rows.is_empty() {
        tx.locks.push(Lock { row: Row::List(k), exclusive: true, since: caller.field.now() });
    }
    let how = if locks { How::Locking } else { How::Plain };
    tx.reads.push(Read { k, items, own, how, began, cut: false });
    Ok(())
}

async fn single_append(caller: &mut Caller, told: &Told, tx: &mut Tx) -> Answer<()> {
    let answer = append(caller, told, tx).await;
    tx.closed = caller.field.now();
    answer
}

async fn block(caller: &mut Caller, told: &Told, tx: &mut Tx) -> Answer<()> {
    let level = match tx.isolation {
        Isolation::ReadCommitted => "READ COMMITTED",
        Isolation::RepeatableRead => "REPEATABLE READ",
        Isolation::Serializable => "SERIALIZABLE",
    };
    caller.run(&format!("BEGIN ISOLATION LEVEL {level}")).await?;
    for _ in 0..caller.random.range(1, 5) {
        if caller.random.one_in(2) {
            append(caller, told, tx).await?
        } else {
            read(caller, tx).await?
        }
        caller.pause().await;
    }
    (tx.fate, tx.closed) = (Fate::Committing, caller.field.now());
    caller.run("COMMIT").await
}

// --- bank -----------------------------------------------------------------------------------------------------------

async fn bank(mut caller: Caller, told: Arc<Told>) {
    while caller.ready().await {
        let name = told.history.lock().value();
        let answer = transfer(&mut caller, name).await;
        if answer == Err(Trouble::Refused("23514".into())) || answer.is_ok() {
            caller.acknowledge();
        }
        if answer.is_err() {
            caller.give_up().await;
        }
        told.transfers.lock().note(name, &answer);
        caller.pause().await;
    }
}

async fn transfer(caller: &mut Caller, name: i64) -> Answer<()> {
    let (source, n) = (caller.random.range(1, ACCOUNTS + 1) as i64, caller.random.range(1, 40) as i64);
    let target = (source + caller.random.range(1, ACCOUNTS) as i64 - 1) % ACCOUNTS as i64 + 1;
    // What was not asked to commit has no effect.
    let certain = |trouble| match trouble {
        Trouble::Unknown(_) => Trouble::Refused("not committed".into()),
        refused => refused,
    };
    caller.run("BEGIN").await.map_err(certain)?;
    caller.rows("UPDATE accounts SET n = n - $2 WHERE id = $1", &[&source, &n]).await.map_err(certain)?;
    caller.rows("UPDATE accounts SET n = n + $2 WHERE id = $1", &[&target, &n]).await.map_err(certain)?;
    let ledger = "INSERT INTO ledger VALUES ($1, $2, $3, $4)";
    caller.rows(ledger, &[&name, &source, &target, &n]).await.map_err(certain)?;
    caller.run("COMMIT").await
}

async fn sums(mut caller: Caller, told: Arc<Told>) {
    while caller.ready().await {
        if let Ok(rows) = caller.rows("SELECT sum(n)::bigint, count(*) FROM accounts", &[]).await {
            let (sum, count): (Option<i64>, i64) = (rows[0].get(0), rows[0].get(1));
            if sum != Some(TOTAL) || count != ACCOUNTS as i64 {
                told.sums.lock().push(format!("{sum:?} on {count} accounts"));
            }
            caller.acknowledge();
        }
        caller.pause().await;
    }
}

// --- the others -----------------------------------------------------------------------------------------------------

async fn events(mut caller: Caller, told: Arc<Told>, number: u64) {
    let mut n = 0;
    while caller.ready().await {
        n += 1;
        let insert = "INSERT INTO events (client, n) VALUES ($1, $2) RETURNING id";
        let answer = caller.rows(insert, &[&(number as i64), &n]).await;
        told.events.lock().note(n, &answer);
        answer.is_ok().then(|| caller.acknowledge());
        let answer = caller.rows("UPDATE counter SET n = n + 1 WHERE id = 1", &[]).await;
        told.increments.lock().note(n, &answer);
        caller.pause().await;
    }
}

async fn puts(mut caller: Caller, told: Arc<Told>) {
    let mut item = 0;
    while caller.ready().await {
        item += 1;
        let answer = caller.rows("INSERT INTO queue (item) VALUES ($1)", &[&item]).await;
        told.puts.lock().note(item, &answer);
        answer.is_ok().then(|| caller.acknowledge());
        caller.pause().await;
    }
}

async fn takes(mut caller: Caller, told: Arc<Told>, number: u64) {
    while caller.ready().await {
        let mut item = None;
        let answer = take(&mut caller, number as i64, &mut item).await;
        match (item, &answer) {
            (Some(item), answer) => told.takes.lock().note(item, answer),
            (None, Err(Trouble::Refused(code))) => *told.takes.lock().refused.entry(code.clone()).or_default() += 1,
            (None, _) => {}
        }
        if answer.is_err() {
            caller.give_up().await;
        }
        caller.pause().await;
    }
}

/// `item` is what COMMIT was asked for.
async fn take(caller: &mut Caller, number: i64, item: &mut Option<i64>) -> Answer<()> {
    caller.run("BEGIN").await?;
    let next = "SELECT id, item FROM queue ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED";
    if let [row] = &caller.rows(next, &[]).await?[..] {
        let (id, found): (i64, i64) = (row.get(0), row.get(1));
        caller.rows("DELETE FROM queue WHERE id = $1", &[&id]).await?;
        caller.rows("INSERT INTO taken VALUES ($1, $2)", &[&found, &number]).await?;
        *item = Some(found);
    }
    caller.run("COMMIT").await
}

async fn tables(mut caller: Caller, told: Arc<Told>) {
    let mut name = 0;
    while caller.ready().await {
        name += 1;
        let definition =
            format!("CREATE TABLE made_{name} (a int PRIMARY KEY, b text); INSERT INTO made_{name} VALUES (1, 'x')");
        let block = format!(
            "BEGIN; {definition}; ALTER TABLE made_{name} ADD COLUMN c int NOT NULL DEFAULT 7; \
             CREATE INDEX ON made_{name} (c); INSERT INTO made SELECT {name}, sum(c) FROM made_{name}; COMMIT"
        );
        let answer = caller.run(&block).await;
        if answer.is_err() {
            caller.give_up().await;
        }
        told.tables.lock().note(name, &answer);
        if answer.is_ok() {
            caller.acknowledge();
            let _ = caller.run(&format!("DROP TABLE made_{name}")).await;
        }
        caller.pause().await;
    }
}

async fn loads(mut caller: Caller, told: Arc<Told>) {
    let mut batch = 0;
    while caller.ready().await {
        batch += 1;
        let lines: String = (0..COPIED).map(|n| format!("{batch}\t{n}\n")).collect();
        let answer = caller.copy("COPY loaded FROM STDIN", lines).await;
        told.loads.lock().note(batch, &answer);
        answer.is_ok().then(|| caller.acknowledge());
        caller.pause().await;
        caller.pause().await;
    }
}

// --- the end --------------------------------------------------------------------------------------------------------

async fn numbers(client: &Client, sql: &str) -> Result<Vec<i64>, String> {
    let rows = client.query(sql, &[]).await.map_err(|e| format!("{sql}: {e}"))?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

impl Told {
    /// Compares all of it with what one node has.
    pub async fn check(&self, client: &Client) -> Result<(), String> {
        let lists = client.query("SELECT k, items FROM lists", &[]).await.map_err(|e| e.to_string())?;
        let lists = lists.iter().map(|row| (row.get(0), parse(row.get(1)))).collect();
        self.history.lock().check(&Final { lists, ..Final::default() })?;

        let wrong = self.sums.lock().join("; ");
        if !wrong.is_empty() {
            return Err(format!("a reader saw money come and go: {wrong}"));
        }
        let accounts = numbers(client, "SELECT n FROM accounts ORDER BY id").await?;
        let by_ledger = "SELECT (100 + coalesce((SELECT sum(n) FROM ledger WHERE target = a.id), 0) \
                         - coalesce((SELECT sum(n) FROM ledger WHERE source = a.id), 0))::bigint FROM accounts a ORDER BY id";
        let expected = numbers(client, by_ledger).await?;
        if accounts != expected {
            return Err(format!("the accounts are {accounts:?}, by the ledger {expected:?}"));
        }
        let items = "SELECT item FROM queue UNION ALL SELECT item FROM taken";
        for (what, tally, sql) in [
            ("transfers", &self.transfers, "SELECT name FROM ledger"),
            ("events", &self.events, "SELECT n FROM events"),
            ("tables", &self.tables, "SELECT name FROM made"),
            ("taken items", &self.takes, "SELECT item FROM taken"),
            ("items", &self.puts, items),
        ] {
            let there = numbers(client, sql).await?;
            tally.lock().check(what, &there)?;
        }
        let batches = "SELECT batch FROM loaded GROUP BY batch HAVING count(*) = 150 AND count(DISTINCT n) = 150";
        let (whole, all) =
            (numbers(client, batches).await?, numbers(client, "SELECT DISTINCT batch FROM loaded").await?);
        if whole.len() != all.len() {
            return Err(format!("of {} loads only {} are there as a whole", all.len(), whole.len()));
        }
        self.loads.lock().check("loads", &whole)?;
        let odd = numbers(client, "SELECT name FROM made WHERE n IS DISTINCT FROM 7").await?;
        if !odd.is_empty() {
            return Err(format!("the blocks of tables {odd:?} are there in part"));
        }
        let n = numbers(client, "SELECT n FROM counter").await?[0];
        let told = self.increments.lock();
        let (least, most) = (told.done.len() as i64, (told.done.len() + told.unknown.len()) as i64);
        if !(least..=most).contains(&n) {
            return Err(format!("the counter is {n}; {least} to {most} was acknowledged"));
        }
        Ok(())
    }
}

impl std::fmt::Display for Told {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let history = self.history.lock();
        let mut fates: BTreeMap<String, u64> = BTreeMap::new();
        for tx in &history.transactions {
            let fate = match &tx.fate {
                Fate::Gone(why) => format!("{:?} {}", tx.isolation, why.chars().take(60).collect::<String>()),
                fate => format!("{fate:?}"),
            };
            *fates.entry(fate).or_default() += 1;
        }
        writeln!(f, "lists: {fates:?}")?;
        let tallies = [
            ("transfers", &self.transfers),
            ("events", &self.events),
            ("increments", &self.increments),
            ("items", &self.puts),
            ("taken items", &self.takes),
            ("tables", &self.tables),
            ("loads", &self.loads),
        ];
        let lines: Vec<String> = tallies.iter().map(|(what, tally)| tally.lock().show(what)).collect();
        write!(f, "{}", lines.join("\n"))
    }
}
