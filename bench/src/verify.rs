//! Reads the tables back at every target and has the ledger judge them.

use crate::ledger::{Ledger, Verdict, judge_counters, judge_rows};
use crate::workload::{Workload, describe};
use tokio_postgres::{Client, Config, NoTls};

const PAGE: usize = 10_000;

/// One verdict per table and target.
pub async fn verify(
    workload: Workload,
    prefix: &str,
    targets: &[Config],
    ledgers: &[Ledger],
) -> Result<Vec<Verdict>, String> {
    let mut verdicts = Vec::new();
    for target in targets {
        let (client, connection) = target.connect(NoTls).await.map_err(|e| describe(&e))?;
        let task = tokio::spawn(connection);
        let place = place(target);
        let at = |table: &str| format!("{place} {prefix}_{table}");
        match workload {
            Workload::Insert => {
                let ids = ids(&client, &format!("{prefix}_insert")).await?;
                verdicts.push(judge_rows(&at("insert"), ledgers, &ids));
            }
            Workload::Update => {
                let rows = counters(&client, &format!("{prefix}_update")).await?;
                verdicts.push(judge_counters(&at("update"), ledgers, &rows));
            }
            Workload::Select => {}
            Workload::Transaction => {
                let history = ids(&client, &format!("{prefix}_history")).await?;
                let accounts = counters(&client, &format!("{prefix}_account")).await?;
                let tellers = counters(&client, &format!("{prefix}_teller")).await?;
                verdicts.push(judge_rows(&at("history"), ledgers, &history));
                verdicts.push(judge_counters(&at("account"), ledgers, &accounts));
                verdicts.push(judge_sums(&at("teller"), &history, &accounts, &tellers));
            }
        }
        drop(client);
        let _ = task.await;
    }
    Ok(verdicts)
}

/// Each transaction adds one row of history, one to an account and one to a teller, or nothing at all.
fn judge_sums(read_at: &str, history: &[i64], accounts: &[(i64, i64)], tellers: &[(i64, i64)]) -> Verdict {
    let sum = |rows: &[(i64, i64)]| rows.iter().map(|(_, n)| *n).sum::<i64>();
    let (rows, accounts, tellers) = (history.len() as i64, sum(accounts), sum(tellers));
    let mut verdict = Verdict {
        read_at: read_at.into(),
        acknowledged: rows as u64,
        found: tellers.max(0) as u64,
        lost: (rows - tellers).max(0) as u64,
        duplicated: (tellers - rows).max(0) as u64,
        ..Verdict::default()
    };
    verdict.phantom = rows.abs_diff(accounts);
    if !verdict.clean() {
        verdict.examples.push(format!("torn: {rows} rows of history, accounts count {accounts}, tellers {tellers}"));
    }
    verdict
}

/// How a target is called in reports: `127.0.0.1:5433`.
pub fn place(config: &Config) -> String {
    let host = config.get_hosts().first().map(|host| match host {
        tokio_postgres::config::Host::Tcp(name) => name.clone(),
        tokio_postgres::config::Host::Unix(path) => path.display().to_string(),
    });
    let port = config.get_ports().first().copied().unwrap_or(5432);
    format!("{}:{port}", host.unwrap_or_default())
}

async fn ids(client: &Client, table: &str) -> Result<Vec<i64>, String> {
    let rows = pages(client, &format!("SELECT id, id FROM {table} WHERE id > $1 ORDER BY id LIMIT {PAGE}")).await?;
    Ok(rows.into_iter().map(|(id, _)| id).collect())
}

async fn counters(client: &Client, table: &str) -> Result<Vec<(i64, i64)>, String> {
    pages(client, &format!("SELECT id, n FROM {table} WHERE id > $1 ORDER BY id LIMIT {PAGE}")).await
}

/// All rows of a query that continues after the id it is given.
async fn pages(client: &Client, sql: &str) -> Result<Vec<(i64, i64)>, String> {
    let statement = client.prepare(sql).await.map_err(|e| format!("{}: {sql}", describe(&e)))?;
    let mut all: Vec<(i64, i64)> = Vec::new();
    loop {
        let after = all.last().map_or(-1, |(id, _)| *id);
        let rows = client.query(&statement, &[&after]).await.map_err(|e| format!("{}: {sql}", describe(&e)))?;
        all.extend(rows.iter().map(|row| (row.get::<_, i64>(0), row.get::<_, i64>(1))));
        if rows.len() < PAGE {
            return Ok(all);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_of_whole_transactions_are_equal() {
        let verdict = |history: &[i64], accounts, tellers| judge_sums("t", history, &[(1, accounts)], &[(7, tellers)]);
        assert!(verdict(&[5, 6, 7], 3, 3).clean());
        assert_eq!(verdict(&[5, 6, 7], 3, 2).lost, 1);
        assert_eq!(verdict(&[5, 6, 7], 3, 4).duplicated, 1);
        assert_eq!(verdict(&[5, 6, 7], 2, 3).phantom, 1);
    }

    #[test]
    fn targets_are_named_by_address() {
        let config: Config = "host=127.0.0.1 port=5434 user=quorate".parse().unwrap();
        assert_eq!(place(&config), "127.0.0.1:5434");
    }
}
