//! A load generator for everything that speaks the Postgres protocol, with faults, checks and reports.
//!
//! Pure parts: `schedule`, `stats`, `ledger`, `chart`, `report`. With IO: `workload` (statements), `load` (clients),
//! `cluster` (signals and status), `floors`, `verify`, and `run`, which puts them together.

mod chart;
mod cluster;
mod floors;
mod ledger;
mod load;
mod report;
mod run;
mod schedule;
mod stats;
mod verify;
mod workload;

use crate::cluster::Cluster;
use crate::report::{Measurement, Report};
use crate::run::{Contender, GapPlan, Plan};
use crate::schedule::{Fault, duration, expand};
use crate::stats::quantile;
use crate::workload::Workload;
use clap::{Args, Parser, Subcommand};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;
use tokio_postgres::Config;

#[derive(Parser)]
#[command(name = "quorate-bench", version, about = "Load, faults and reports for Postgres-wire databases")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Measure workloads, with or without faults and peers
    Run(RunArgs),
    /// Kill the leader again and again; how long does no write succeed?
    Gap(GapArgs),
}

#[derive(Args)]
struct RunArgs {
    /// Connection string of the first contender; several times to spread the clients over its nodes
    #[arg(long, required = true, value_name = "CONNSTRING")]
    target: Vec<Config>,
    /// What the first contender is called in the report
    #[arg(long, default_value = "quorate")]
    name: String,
    /// Somebody to measure beside it; the same name again adds a node
    #[arg(long, value_name = "NAME=CONNSTRING", value_parser = peer)]
    peer: Vec<(String, Config)>,
    #[arg(long, value_enum, value_delimiter = ',', default_value = "insert")]
    workload: Vec<Workload>,
    #[arg(long, value_delimiter = ',', default_value = "16", value_parser = clap::value_parser!(u64).range(1..1 << 20))]
    clients: Vec<u64>,
    /// The measured window of each run
    #[arg(long, default_value_t = 10.0, value_parser = positive)]
    seconds: f64,
    /// Load before the window, which counts for the checks only
    #[arg(long, default_value = "0s", num_args = 0..=1, default_missing_value = "2s", value_parser = duration)]
    warmup: Duration,
    /// Open loop: so many operations per second, latency counted from the intended start
    #[arg(long, value_parser = positive)]
    rate: Option<f64>,
    /// Rows that update, select and transaction find in their table
    #[arg(long, default_value_t = 10_000)]
    rows: u64,
    /// Rounds in which the contenders take turns; 3 with peers, otherwise 1
    #[arg(long)]
    rounds: Option<u32>,
    /// Such as kill-leader@10s, kill-follower@10s, stop-leader@10s+2s, restart@20s; needs --cluster
    #[arg(long, requires = "cluster")]
    fault: Vec<Fault>,
    #[command(flatten)]
    common: Common,
    /// Directory of a `quorate demo`: for faults, and to compare the nodes' digests
    #[arg(long, value_name = "DIR")]
    cluster: Option<PathBuf>,
}

#[derive(Args)]
struct GapArgs {
    /// Directory of a `quorate demo`
    #[arg(long, value_name = "DIR")]
    cluster: PathBuf,
    #[arg(long, default_value_t = 20)]
    kills: u32,
    /// The leader falls silent (SIGSTOP) instead of dying (SIGKILL)
    #[arg(long)]
    silent: bool,
    /// Writers, all connected to one follower
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u64).range(1..1 << 20))]
    clients: u64,
    /// Load before the kill
    #[arg(long, default_value = "1s", value_parser = duration)]
    before: Duration,
    /// Load after the kill
    #[arg(long, default_value = "3s", value_parser = duration)]
    after: Duration,
    #[arg(long, default_value = "quorate")]
    user: String,
    #[arg(long, default_value = "quorate")]
    database: String,
    #[command(flatten)]
    common: Common,
}

#[derive(Args)]
struct Common {
    /// Where report.txt, report.json and report.html go
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// The program that starts killed nodes again [default: `quorate` beside this program]
    #[arg(long, value_name = "PATH")]
    quorate: Option<PathBuf>,
    /// Client threads [default: half of the CPUs]
    #[arg(long)]
    threads: Option<usize>,
    /// An operation that takes longer is ambiguous, and its connection is given up
    #[arg(long, default_value = "30s", value_parser = duration)]
    timeout: Duration,
    /// First part of the tables' names; tables of these names are dropped
    #[arg(long, default_value = "bench", value_parser = identifier)]
    prefix: String,
}

fn peer(text: &str) -> Result<(String, Config), String> {
    let (name, config) = text.split_once('=').ok_or("write NAME=CONNSTRING")?;
    Ok((name.into(), config.parse().map_err(|e| format!("{config}: {e}"))?))
}

fn positive(text: &str) -> Result<f64, String> {
    text.parse().ok().filter(|v: &f64| v.is_finite() && *v > 0.0).ok_or_else(|| format!("{text} is not above 0"))
}

/// The prefix becomes part of SQL text.
fn identifier(text: &str) -> Result<String, String> {
    let plain = !text.is_empty() && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    let right = plain && !text.starts_with(|c: char| c.is_ascii_digit());
    right.then(|| text.to_owned()).ok_or_else(|| "lower-case letters, digits and _ only".to_owned())
}

fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Run(args) => run_command(args),
        Command::Gap(args) => gap_command(args),
    };
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(message) => {
            eprintln!("quorate-bench: {message}");
            ExitCode::FAILURE
        }
    }
}

fn run_command(args: RunArgs) -> Result<bool, String> {
    let started = utc_now();
    let window = Duration::from_secs_f64(args.seconds);
    if let Some((at, act)) = expand(&args.fault).into_iter().find(|(at, _)| *at >= window) {
        return Err(format!("{act} at {:.1} s is after the end of the window", at.as_secs_f64()));
    }
    let database = args.target[0].get_dbname().or(args.target[0].get_user()).unwrap_or("quorate").to_owned();
    let mut cluster = match &args.cluster {
        Some(dir) => Some(Cluster::open(dir, args.common.quorate()?, &database)?),
        None => None,
    };
    let mut contenders = vec![Contender { name: args.name, targets: args.target }];
    for (name, config) in args.peer {
        match contenders.iter_mut().find(|c| c.name == name) {
            Some(contender) => contender.targets.push(config),
            None => contenders.push(Contender { name, targets: vec![config] }),
        }
    }
    let plan = Plan {
        rounds: args.rounds.unwrap_or(if contenders.len() > 1 { 3 } else { 1 }),
        contenders,
        workloads: args.workload,
        clients: args.clients,
        window,
        warmup: args.warmup,
        rate: args.rate,
        rows: args.rows,
        threads: args.common.threads(),
        timeout: args.common.timeout,
        prefix: args.common.prefix.clone(),
        faults: args.fault,
        out: args.common.out()?,
    };
    let mut measurements = Vec::new();
    let end = run::run(&plan, &mut cluster, &mut measurements);
    let report = publish(&plan.out, started, end.err(), measurements)?;
    println!("{}", report.text());
    Ok(report.passed())
}

fn gap_command(args: GapArgs) -> Result<bool, String> {
    let started = utc_now();
    let mut cluster = Cluster::open(&args.cluster, args.common.quorate()?, &args.database)?;
    let plan = GapPlan {
        kills: args.kills,
        silent: args.silent,
        clients: args.clients,
        before: args.before,
        after: args.after,
        user: args.user,
        database: args.database,
        prefix: args.common.prefix.clone(),
        threads: args.common.threads(),
        timeout: args.common.timeout,
        out: args.common.out()?,
    };
    let mut measurements = Vec::new();
    let end = run::gaps(&plan, &mut cluster, &mut measurements);
    let summary = gap_summary(&measurements);
    let report = publish(&plan.out, started, end.err(), measurements)?;
    println!("{summary}\n{}", report.verdict());
    std::fs::write(plan.out.join("gap.txt"), summary).map_err(|e| e.to_string())?;
    Ok(report.passed())
}

/// One line per kill, then the percentiles.
fn gap_summary(measurements: &[Measurement]) -> String {
    let mut out = String::from("kill  exact ms  empty slots ms  errors\n");
    let mut gaps = Vec::new();
    for m in measurements {
        for mark in &m.marks {
            let (Some(gap), Some(silence)) = (mark.gap, mark.silence_ms) else { continue };
            let open = if gap.open { "  (no write succeeded any more)" } else { "" };
            let errors: u64 = m.errors.values().sum();
            out.push_str(&format!("{:>4} {:>9.1} {silence:>15} {errors:>7}{open}\n", m.round, gap.ms()));
            gaps.push(gap.ms());
        }
    }
    let at = |q| quantile(&gaps, q).unwrap_or(f64::NAN);
    let (p50, p99, max) = (at(0.5), at(0.99), at(1.0));
    out.push_str(&format!(
        "without a successful write: p50 {p50:.1} ms, p99 {p99:.1} ms, max {max:.1} ms, {} kills\n",
        gaps.len()
    ));
    out
}

fn publish(
    out: &Path,
    started: String,
    broken_off: Option<String>,
    measurements: Vec<Measurement>,
) -> Result<Report, String> {
    let command: Vec<String> = std::env::args().collect();
    let report = Report::new(command.join(" "), started, broken_off, measurements);
    let json = serde_json::to_string(&report).map_err(|e| e.to_string())?;
    for (name, content) in [("report.txt", report.text()), ("report.html", report.html()), ("report.json", json)] {
        std::fs::write(out.join(name), content).map_err(|e| format!("cannot write {name}: {e}"))?;
    }
    Ok(report)
}

/// The time in UTC, by the usual conversion of days to a date.
fn utc_now() -> String {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default().as_secs();
    utc(now)
}

fn utc(unix: u64) -> String {
    let (mut days, second) = (unix / 86_400, unix % 86_400);
    let leap = |y: u64| y.is_multiple_of(4) && (!y.is_multiple_of(100) || y.is_multiple_of(400));
    let mut year = 1970;
    while days >= 365 + u64::from(leap(year)) {
        days -= 365 + u64::from(leap(year));
        year += 1;
    }
    let lengths = [31, 28 + u64::from(leap(year)), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let mut month = 1;
    for length in lengths {
        if days < length {
            break;
        }
        days -= length;
        month += 1;
    }
    format!("{year}-{month:02}-{:02}T{:02}:{:02}:{:02}Z", days + 1, second / 3600, second / 60 % 60, second % 60)
}

impl Common {
    fn out(&self) -> Result<PathBuf, String> {
        std::fs::create_dir_all(&self.out).map_err(|e| format!("{}: {e}", self.out.display()))?;
        Ok(self.out.clone())
    }

    fn threads(&self) -> usize {
        self.threads.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, |n| n.get() / 2)).max(1)
    }

    fn quorate(&self) -> Result<PathBuf, String> {
        match &self.quorate {
            Some(path) => path.canonicalize().map_err(|e| format!("{}: {e}", path.display())),
            None => Ok(std::env::current_exe().map_err(|e| e.to_string())?.with_file_name("quorate")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn options_are_understood() {
        let cli = Cli::try_parse_from([
            "quorate-bench",
            "run",
            "--target",
            "host=127.0.0.1 port=5433",
            "--peer",
            "pg=host=127.0.0.1 port=5432",
            "--clients",
            "1,16",
            "--workload",
            "insert,select",
            "--warmup",
            "--fault",
            "kill:1s",
            "--cluster",
            "d",
            "--out",
            "o",
        ]);
        let Command::Run(args) = cli.unwrap().command else { panic!("not run") };
        assert_eq!((args.clients, args.warmup), (vec![1, 16], Duration::from_secs(2)));
        assert_eq!((args.peer[0].0.as_str(), args.peer[0].1.get_ports()), ("pg", &[5432][..]));
        let refused = |extra: &[&str]| {
            let base = ["quorate-bench", "run", "--target", "host=h", "--out", "o"];
            Cli::try_parse_from(base.iter().chain(extra)).is_err()
        };
        assert!(!refused(&[]));
        assert!(refused(&["--fault", "kill@1s"]) && refused(&["--prefix", "a; DROP"]) && refused(&["--rate", "0"]));
    }

    #[test]
    fn dates() {
        assert_eq!(utc(0), "1970-01-01T00:00:00Z");
        assert_eq!(utc(951_827_696), "2000-02-29T12:34:56Z");
        assert_eq!(utc(1_704_067_199), "2023-12-31T23:59:59Z");
    }
}
