//! Writers that note what was acknowledged, and the proof that exactly this is in the database.
//!
//! Each writer alternates between inserting a row that names itself and its number, and adding one to its own counter.
//! The table of rows has no key, on purpose: a statement that is applied twice shows as a second row.

use super::cluster::{Cluster, connect, explain};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::task::JoinHandle;
use tokio_postgres::Client;

pub struct Load {
    stop: Arc<AtomicBool>,
    /// Acknowledged statements of all writers.
    pub acknowledged: Arc<AtomicU64>,
    writers: Vec<JoinHandle<Report>>,
}

/// What one writer was told.
#[derive(Debug, Default)]
pub struct Report {
    pub writer: i32,
    /// Numbers of the rows whose insertion was acknowledged, and of those where the connection broke before.
    pub inserted: Vec<i32>,
    pub doubtful_inserts: Vec<i32>,
    pub added: i64,
    pub doubtful_adds: i64,
    /// Everything that the server answered with an error, and every lost connection.
    pub errors: Vec<String>,
    /// The longest that a statement took.
    pub slowest: Duration,
}

impl Load {
    /// Makes the tables and starts `writers` writers, spread over the nodes `on`.
    pub async fn start(cluster: &Cluster, writers: i32, on: &[u64]) -> Load {
        Load::start_from(cluster, 0, writers, on).await
    }

    /// The same with writers of the numbers from `first` on, beside or after others.
    pub async fn start_from(cluster: &Cluster, first: i32, writers: i32, on: &[u64]) -> Load {
        let setup = "CREATE TABLE IF NOT EXISTS ledger (writer int NOT NULL, seq int NOT NULL, note text); \
                     CREATE TABLE IF NOT EXISTS tally (writer int PRIMARY KEY, n bigint NOT NULL)";
        cluster.run(on[0], setup).await;
        for writer in first..first + writers {
            cluster.run(on[0], &format!("INSERT INTO tally VALUES ({writer}, 0) ON CONFLICT DO NOTHING")).await;
        }
        let stop = Arc::new(AtomicBool::new(false));
        let acknowledged = Arc::new(AtomicU64::new(0));
        let spawn = |writer: i32| {
            let port = cluster.node(on[writer as usize % on.len()]).postgres;
            tokio::spawn(write(port, writer, stop.clone(), acknowledged.clone()))
        };
        let writers = (first..first + writers).map(spawn).collect();
        Load { stop, acknowledged, writers }
    }

    /// Waits until `more` further statements are acknowledged.
    pub async fn progress(&self, more: u64) {
        let target = self.acknowledged.load(Ordering::Relaxed) + more;
        super::eventually("the writers make progress", super::PATIENCE, async || {
            let now = self.acknowledged.load(Ordering::Relaxed);
            if now >= target { Ok(()) } else { Err(format!("{now} of {target} statements")) }
        })
        .await
    }

    pub async fn finish(self) -> Vec<Report> {
        self.stop.store(true, Ordering::Relaxed);
        let mut reports = Vec::new();
        for writer in self.writers {
            reports.push(super::in_time("a writer ends", writer).await.expect("a writer does not panic"));
        }
        reports
    }
}

async fn write(port: u16, writer: i32, stop: Arc<AtomicBool>, acknowledged: Arc<AtomicU64>) -> Report {
    let mut report = Report { writer, ..Report::default() };
    let client = match connect(port).await {
        Ok(client) => client,
        Err(e) => {
            report.errors.push(explain(&e));
            return report;
        }
    };
    for seq in 0.. {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let begun = Instant::now();
        let inserted = insert(&client, writer, seq).await;
        report.slowest = report.slowest.max(begun.elapsed());
        match inserted {
            Ok(()) => report.inserted.push(seq),
            Err(e) => {
                report.doubtful_inserts.push(seq);
                report.errors.push(explain(&e));
                break;
            }
        }
        let begun = Instant::now();
        let added = add(&client, writer).await;
        report.slowest = report.slowest.max(begun.elapsed());
        match added {
            Ok(()) => report.added += 1,
            Err(e) => {
                report.doubtful_adds += 1;
                report.errors.push(explain(&e));
                break;
            }
        }
        acknowledged.fetch_add(2, Ordering::Relaxed);
    }
    report
}

async fn insert(client: &Client, writer: i32, seq: i32) -> Result<(), tokio_postgres::Error> {
    let n = client.execute("INSERT INTO ledger VALUES ($1, $2, 'by a writer')", &[&writer, &seq]).await?;
    assert_eq!(n, 1);
    Ok(())
}

async fn add(client: &Client, writer: i32) -> Result<(), tokio_postgres::Error> {
    let n = client.execute("UPDATE tally SET n = n + 1 WHERE writer = $1", &[&writer]).await?;
    assert_eq!(n, 1);
    Ok(())
}

/// No client was told of an error.
pub fn assert_no_errors(reports: &[Report]) {
    let told: Vec<String> =
        reports.iter().flat_map(|r| r.errors.iter().map(move |e| format!("writer {}: {e}", r.writer))).collect();
    assert!(told.is_empty(), "clients of living nodes were told of errors:\n{}", told.join("\n"));
}

/// Every living node has each acknowledged row and addition once, and of the doubtful ones none twice.
pub async fn assert_exactly_once(cluster: &Cluster, reports: &[Report]) {
    cluster.wait_converged().await;
    for id in cluster.living() {
        let client = cluster.connect(id).await;
        for report in reports {
            let rows = client.query("SELECT seq FROM ledger WHERE writer = $1 ORDER BY seq", &[&report.writer]).await;
            let found: Vec<i32> = rows.expect("reading the ledger").iter().map(|r| r.get(0)).collect();
            let who = format!("node-{id}, writer {}", report.writer);
            assert!(found.windows(2).all(|w| w[0] < w[1]), "{who}: a row is there twice: {found:?}");
            let lost: Vec<&i32> = report.inserted.iter().filter(|s| found.binary_search(s).is_err()).collect();
            assert!(lost.is_empty(), "{who}: acknowledged rows are lost: {lost:?}");
            let foreign: Vec<&i32> = found
                .iter()
                .filter(|s| report.inserted.binary_search(s).is_err() && !report.doubtful_inserts.contains(s))
                .collect();
            assert!(foreign.is_empty(), "{who}: rows that nobody wrote: {foreign:?}");
            let tally = client.query_one("SELECT n FROM tally WHERE writer = $1", &[&report.writer]).await;
            let n: i64 = tally.expect("reading the tally").get(0);
            let allowed = report.added..=report.added + report.doubtful_adds;
            assert!(allowed.contains(&n), "{who}: {n} additions, acknowledged {allowed:?}");
        }
    }
}
