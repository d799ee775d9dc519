//! The workloads: their tables, and one step of each as a client runs it.
//!
//! Every client owns its keys, so that what it was told can be checked against the tables at the end:
//! an INSERT has a unique id, an UPDATE increments a counter of the client's own, a transaction does both and
//! increments a counter that is shared between clients.

use crate::ledger::{Fate, Ledger};
use crate::stats::Random;
use serde::Serialize;
use std::fmt;
use tokio_postgres::error::{Severity, SqlState};
use tokio_postgres::{Client, Config, Error, NoTls, Statement};

/// Makes a row about as long as pgbench's.
const FILLER: &str = "....................................................................................";
/// Rows that transactions of all clients share; few enough that they sometimes wait for each other.
pub const TELLERS: u64 = 100;
const PRELOAD_BATCH: u64 = 500;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Workload {
    /// One INSERT of one row
    Insert,
    /// One UPDATE of one row by key
    Update,
    /// One SELECT of one row by key
    Select,
    /// BEGIN, UPDATE, SELECT, UPDATE of a shared row, INSERT, COMMIT
    Transaction,
}

impl fmt::Display for Workload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Workload::Insert => "insert",
            Workload::Update => "update",
            Workload::Select => "select",
            Workload::Transaction => "transaction",
        })
    }
}

impl Workload {
    /// The tables: name, columns, rows to load.
    fn tables(self, prefix: &str, rows: u64) -> Vec<(String, &'static str, u64)> {
        let keyed = "id bigint PRIMARY KEY, n bigint NOT NULL, filler text NOT NULL";
        match self {
            Workload::Insert => vec![(format!("{prefix}_insert"), keyed, 0)],
            Workload::Update => vec![(format!("{prefix}_update"), keyed, rows)],
            Workload::Select => vec![(format!("{prefix}_select"), keyed, rows)],
            Workload::Transaction => vec![
                (format!("{prefix}_account"), keyed, rows),
                (format!("{prefix}_teller"), keyed, TELLERS),
                (
                    format!("{prefix}_history"),
                    "id bigint PRIMARY KEY, account bigint NOT NULL, teller bigint NOT NULL, n bigint NOT NULL",
                    0,
                ),
            ],
        }
    }

    fn statements(self, prefix: &str) -> Vec<String> {
        match self {
            Workload::Insert => vec![format!("INSERT INTO {prefix}_insert (id, n, filler) VALUES ($1, $2, $3)")],
            Workload::Update => vec![format!("UPDATE {prefix}_update SET n = n + 1 WHERE id = $1")],
            Workload::Select => vec![format!("SELECT id, n, filler FROM {prefix}_select WHERE id = $1")],
            Workload::Transaction => vec![
                format!("UPDATE {prefix}_account SET n = n + 1 WHERE id = $1"),
                format!("SELECT n FROM {prefix}_account WHERE id = $1"),
                format!("UPDATE {prefix}_teller SET n = n + 1 WHERE id = $1"),
                format!("INSERT INTO {prefix}_history (id, account, teller, n) VALUES ($1, $2, $3, $4)"),
            ],
        }
    }

    /// Makes the tables anew and loads `rows` rows.
    pub async fn set_up(self, config: &Config, prefix: &str, rows: u64) -> Result<(), String> {
        let (client, connection) = config.connect(NoTls).await.map_err(|e| describe(&e))?;
        let task = tokio::spawn(connection);
        for (name, columns, rows) in self.tables(prefix, rows) {
            let run = async |sql: String| {
                client
                    .batch_execute(&sql)
                    .await
                    .map_err(|e| format!("{}: {}", describe(&e), &sql[..sql.len().min(120)]))
            };
            run(format!("DROP TABLE IF EXISTS {name}")).await?;
            run(format!("CREATE TABLE {name} ({columns})")).await?;
            let mut first = 0;
            while first < rows {
                let end = rows.min(first + PRELOAD_BATCH);
                let values: Vec<String> = (first..end).map(|id| format!("({id}, 0, '{FILLER}')")).collect();
                run(format!("INSERT INTO {name} (id, n, filler) VALUES {}", values.join(", "))).await?;
                first = end;
            }
        }
        drop(client);
        let _ = task.await;
        Ok(())
    }

    pub async fn tear_down(self, config: &Config, prefix: &str) -> Result<(), String> {
        let (client, connection) = config.connect(NoTls).await.map_err(|e| describe(&e))?;
        let task = tokio::spawn(connection);
        for (name, _, _) in self.tables(prefix, 0) {
            client.batch_execute(&format!("DROP TABLE {name}")).await.map_err(|e| describe(&e))?;
        }
        drop(client);
        let _ = task.await;
        Ok(())
    }
}

/// One connection with the workload's statements prepared.
pub struct Link {
    client: Client,
    statements: Vec<Statement>,
    task: tokio::task::JoinHandle<Result<(), Error>>,
}

impl Link {
    pub async fn open(config: &Config, workload: Workload, prefix: &str) -> Result<Link, String> {
        let (client, connection) = config.connect(NoTls).await.map_err(|e| describe(&e))?;
        let mut link = Link { client, statements: Vec::new(), task: tokio::task::spawn_local(connection) };
        for sql in workload.statements(prefix) {
            let statement = link.client.prepare(&sql).await.map_err(|e| format!("{}: {sql}", describe(&e)))?;
            link.statements.push(statement);
        }
        Ok(link)
    }
}

impl Drop for Link {
    /// A connection that does not answer would otherwise keep its task.
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Why a step was not acknowledged.
#[derive(Debug)]
pub struct Failure {
    /// SQLSTATE, or what happened to the connection.
    pub code: String,
    /// The server's words, for a person.
    pub message: String,
    /// The server said, and is believed, that nothing happened.
    pub certain: bool,
    /// The connection is of no more use.
    pub gone: bool,
}

impl Failure {
    pub fn timeout() -> Failure {
        Failure { code: "timeout".into(), message: String::new(), certain: false, gone: true }
    }

    fn wrong() -> Failure {
        Failure { code: "wrong answer".into(), message: String::new(), certain: false, gone: false }
    }
}

impl From<Error> for Failure {
    fn from(e: Error) -> Failure {
        let Some(error) = e.as_db_error() else {
            return Failure { code: "connection lost".into(), message: describe(&e), certain: false, gone: true };
        };
        let fatal = matches!(error.parsed_severity(), Some(Severity::Fatal | Severity::Panic));
        Failure {
            code: error.code().code().into(),
            message: error.message().into(),
            certain: certain(error.code()),
            gone: fatal,
        }
    }
}

/// Whether the SQLSTATE says that the statement had no effect. Not so for 40003 (statement completion unknown), failed
/// connections, servers that go down, and internal errors.
fn certain(code: &SqlState) -> bool {
    let code = code.code();
    code != "40003" && !["08", "57P0", "58", "XX"].iter().any(|unsure| code.starts_with(unsure)) || code == "57P03"
}

/// The error with the server's message, which `Display` leaves out.
pub fn describe(e: &Error) -> String {
    match e.as_db_error() {
        Some(error) => format!("{} {}", error.code().code(), error.message()),
        None => {
            let cause = std::error::Error::source(e).map(|c| format!(": {c}")).unwrap_or_default();
            format!("{e}{cause}")
        }
    }
}

/// One client: its keys, and its book of what it was told.
pub struct Actor {
    pub ledger: Ledger,
    clients: u64,
    rows: u64,
    random: Random,
    /// Whether the step has come so far that a lost answer leaves its effect unknown.
    decisive: bool,
}

impl Actor {
    /// `rows` must be at least `clients`, so that everyone owns a key.
    pub fn new(id: u64, clients: u64, rows: u64) -> Actor {
        Actor { ledger: Ledger::new(id), clients, rows, random: Random(id << 32), decisive: true }
    }

    pub fn id(&self) -> u64 {
        self.ledger.client
    }

    fn own_key(&mut self) -> i64 {
        let owned = (self.rows - self.ledger.client).div_ceil(self.clients);
        (self.ledger.client + self.clients * self.random.below(owned)) as i64
    }

    /// Runs and books one step; `within` limits its time.
    pub async fn step(&mut self, workload: Workload, link: &Link, within: std::time::Duration) -> Result<(), Failure> {
        let key = self.own_key();
        let attempt = async {
            match workload {
                Workload::Insert => self.insert(link).await,
                Workload::Update => self.update(link, key).await,
                Workload::Select => self.select(link, key).await,
                Workload::Transaction => self.transaction(link, key).await,
            }
        };
        let result = tokio::time::timeout(within, attempt).await.unwrap_or_else(|_| Err(Failure::timeout()));
        let counter = matches!(workload, Workload::Update | Workload::Transaction).then_some(key);
        let fate = result.as_ref().err().map(|f| match f.certain || !self.decisive {
            true => Fate::Refused,
            false => Fate::Ambiguous,
        });
        self.ledger.book(counter, fate);
        result
    }

    fn next_id(&self) -> i64 {
        Ledger::row_id(self.ledger.client, self.ledger.attempts)
    }

    async fn insert(&mut self, link: &Link) -> Result<(), Failure> {
        let n = self.ledger.attempts as i64;
        let rows = link.client.execute(&link.statements[0], &[&self.next_id(), &n, &FILLER]).await?;
        self.expect(rows == 1, || format!("an INSERT of one row reported {rows}"))
    }

    async fn update(&mut self, link: &Link, key: i64) -> Result<(), Failure> {
        let rows = link.client.execute(&link.statements[0], &[&key]).await?;
        self.expect(rows == 1, || format!("an UPDATE of key {key} reported {rows} rows"))
    }

    async fn select(&mut self, link: &Link, key: i64) -> Result<(), Failure> {
        let rows = link.client.query(&link.statements[0], &[&key]).await?;
        let right = rows.len() == 1 && rows[0].get::<_, i64>(0) == key && rows[0].get::<_, &str>(2) == FILLER;
        self.expect(right, || format!("a SELECT of key {key} gave {} rows, or another row", rows.len()))
    }

    async fn transaction(&mut self, link: &Link, key: i64) -> Result<(), Failure> {
        self.decisive = false;
        if let Err(failure) = self.statements(link, key).await {
            if !failure.gone && link.client.batch_execute("ROLLBACK").await.is_err() {
                return Err(Failure { gone: true, ..failure });
            }
            return Err(failure);
        }
        self.decisive = true;
        Ok(link.client.batch_execute("COMMIT").await?)
    }

    async fn statements(&mut self, link: &Link, key: i64) -> Result<(), Failure> {
        let teller = self.random.below(TELLERS) as i64;
        let (client, statements) = (&link.client, &link.statements);
        client.batch_execute("BEGIN").await?;
        client.execute(&statements[0], &[&key]).await?;
        let rows = client.query(&statements[1], &[&key]).await?;
        let n: i64 = rows.first().map_or(0, |row| row.get(0));
        let own = self.ledger.counters.get(&key).copied().unwrap_or_default();
        let least = own.acknowledged as i64 + 1;
        let range = least..=least + own.ambiguous as i64;
        self.expect(range.contains(&n), || format!("account {key} shows {n} within a transaction, not {range:?}"))?;
        client.execute(&statements[2], &[&teller]).await?;
        client.execute(&statements[3], &[&self.next_id(), &key, &teller, &n]).await?;
        Ok(())
    }

    fn expect(&mut self, right: bool, what: impl FnOnce() -> String) -> Result<(), Failure> {
        if right {
            return Ok(());
        }
        self.ledger.wrong.push(what());
        Err(Failure::wrong())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_has_one_owner_and_every_client_a_key() {
        for (clients, rows) in [(1u64, 1u64), (3, 3), (3, 10), (64, 1000)] {
            for id in 0..clients {
                let mut actor = Actor::new(id, clients, rows);
                for _ in 0..200 {
                    let key = actor.own_key() as u64;
                    assert!(key < rows && key % clients == id, "client {id} of {clients} has key {key} of {rows}");
                }
            }
        }
    }

    #[test]
    fn only_sure_refusals_are_certain() {
        for code in ["23505", "40001", "42P01", "55P03", "57P03", "57014", "53100", "0A000"] {
            assert!(certain(&SqlState::from_code(code)), "{code}");
        }
        for code in ["40003", "08006", "57P01", "57P02", "58030", "XX000"] {
            assert!(!certain(&SqlState::from_code(code)), "{code}");
        }
    }
}
