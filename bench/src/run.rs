//! One measurement from set-up to judgement, and the order of many: for each workload and number of clients the
//! contenders take turns, round by round, so that a disturbance of the machine meets all of them.

use crate::cluster::Cluster;
use crate::floors;
use crate::load::{self, Load, Running};
use crate::report::{Mark, Measurement, TEXT_HEAD};
use crate::schedule::{Action, Fault, expand};
use crate::verify::verify;
use crate::workload::Workload;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tokio_postgres::Config;

/// A fault's victim is looked up this long before its time.
const LOOK_AHEAD: Duration = Duration::from_millis(200);
/// After a run with faults, and before reading back.
const CONVERGE_WITHIN: Duration = Duration::from_secs(60);

/// Somebody to measure: one endpoint or several of the same database.
pub struct Contender {
    pub name: String,
    pub targets: Vec<Config>,
}

pub struct Plan {
    /// Faults and digests concern the first one only.
    pub contenders: Vec<Contender>,
    pub workloads: Vec<Workload>,
    pub clients: Vec<u64>,
    pub rounds: u32,
    pub window: Duration,
    pub warmup: Duration,
    pub rate: Option<f64>,
    pub rows: u64,
    pub threads: usize,
    pub timeout: Duration,
    pub prefix: String,
    pub faults: Vec<Fault>,
    pub out: PathBuf,
}

/// Runs the whole plan; `cluster` belongs to the first contender. What was measured before an error stays in `done`.
pub fn run(plan: &Plan, cluster: &mut Option<Cluster>, done: &mut Vec<Measurement>) -> Result<(), String> {
    eprintln!("{TEXT_HEAD}");
    for workload in &plan.workloads {
        for clients in &plan.clients {
            for round in 1..=plan.rounds {
                for (i, contender) in plan.contenders.iter().enumerate() {
                    let load = plan.load(contender, *workload, *clients);
                    let mine = if i == 0 { cluster.as_mut() } else { None };
                    let faults: &[Fault] = if i == 0 { &plan.faults } else { &[] };
                    let m = measure(&contender.name, round, &load, faults, mine, &plan.out)
                        .map_err(|e| format!("{} {workload} x{clients}: {e}", contender.name))?;
                    eprintln!("{}", m.line());
                    done.push(m);
                }
            }
        }
    }
    Ok(())
}

impl Plan {
    fn load(&self, contender: &Contender, workload: Workload, clients: u64) -> Load {
        Load {
            targets: contender.targets.clone(),
            workload,
            prefix: self.prefix.clone(),
            clients,
            rows: self.rows.max(clients),
            threads: self.threads,
            warmup: self.warmup,
            window: self.window,
            rate: self.rate,
            timeout: self.timeout,
        }
    }
}

/// Sets up, measures, heals, reads back, judges. `Err` only if there is nothing to report.
pub fn measure(
    name: &str,
    round: u32,
    load: &Load,
    faults: &[Fault],
    mut cluster: Option<&mut Cluster>,
    out: &Path,
) -> Result<Measurement, String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|e| e.to_string())?;
    runtime.block_on(load.workload.set_up(&load.targets[0], &load.prefix, load.rows))?;
    if let Some(cluster) = cluster.as_deref_mut().filter(|_| !faults.is_empty()) {
        cluster.settle(CONVERGE_WITHIN)?;
    }
    let floors_before = floors::measure(out)?;
    let running = load::start(load)?;
    let mut marks = match cluster.as_deref_mut() {
        Some(cluster) => inflict(cluster, faults, &running),
        None => Vec::new(),
    };
    let outcome = running.join()?;
    let floors_after = floors::measure(out)?;
    fill_gaps(&mut marks, &outcome.timeline, load.window.as_micros() as u64);

    let mut problems = Vec::new();
    let mut convergence = None;
    if let Some(cluster) = cluster {
        match cluster.heal().and_then(|()| cluster.converge(CONVERGE_WITHIN)) {
            Ok(found) => convergence = Some(found),
            Err(e) => problems.push(e),
        }
    }
    if outcome.timeline.successes() == 0 {
        problems.push("no operation succeeded, so the checks say nothing".into());
    }
    let verdicts =
        runtime.block_on(verify(load.workload, &load.prefix, &load.targets, &outcome.ledgers)).unwrap_or_else(|e| {
            problems.push(format!("reading back failed: {e}"));
            Vec::new()
        });
    let measurement = Measurement {
        contender: name.to_owned(),
        workload: load.workload,
        clients: load.clients,
        round,
        seconds: load.window.as_secs_f64(),
        rate: load.rate,
        throughput: outcome.timeline.successes() as f64 / load.window.as_secs_f64(),
        latency: outcome.latencies.summary(),
        service: outcome.service.summary(),
        errors: outcome.errors,
        messages: outcome.messages,
        reconnects: outcome.reconnects,
        failed_connects: outcome.failed_connects,
        unserved: outcome.unserved,
        wrong_answers: outcome.ledgers.iter().flat_map(|l| l.wrong.clone()).collect(),
        marks,
        floors_before,
        floors_after,
        verdicts,
        convergence,
        problems,
        timeline: outcome.timeline,
        latencies: outcome.latencies,
    };
    // What is wrong stays for the post-mortem.
    if measurement.passed() {
        runtime.block_on(load.workload.tear_down(&load.targets[0], &load.prefix))?;
    }
    Ok(measurement)
}

/// Carries out the schedule on this thread while the load runs on others.
fn inflict(cluster: &mut Cluster, faults: &[Fault], running: &Running) -> Vec<Mark> {
    let mut marks = Vec::new();
    for (at, action) in expand(faults) {
        let due = running.epoch + at;
        sleep_until(due.checked_sub(LOOK_AHEAD).unwrap_or(due));
        let victim = cluster.victim(action);
        sleep_until(due);
        let at_us = running.epoch.elapsed().as_micros() as u64;
        let done = victim.and_then(|victim| cluster.inflict(action, victim));
        let (nodes, problem) = match done {
            Ok(nodes) => (nodes, None),
            Err(e) => (String::new(), Some(e)),
        };
        marks.push(Mark { action, nodes, at_us, gap: None, silence_ms: None, problem });
    }
    marks
}

fn sleep_until(at: Instant) {
    std::thread::sleep(at.saturating_duration_since(Instant::now()));
}

/// A fault's gap is sought up to the next harm.
fn fill_gaps(marks: &mut [Mark], timeline: &crate::stats::Timeline, window_us: u64) {
    let harms: Vec<u64> = marks.iter().filter(|m| m.action.harms()).map(|m| m.at_us).collect();
    for mark in marks.iter_mut().filter(|m| m.action.harms() && m.problem.is_none()) {
        let until = harms.iter().copied().find(|at| *at > mark.at_us).unwrap_or(window_us);
        mark.gap = Some(timeline.longest_gap(mark.at_us, until));
        mark.silence_ms = Some(timeline.longest_silence_ms(mark.at_us, until));
    }
}

/// What `gaps` does: end the leader `kills` times under the load of `clients` writers.
pub struct GapPlan {
    pub kills: u32,
    /// It falls silent (SIGSTOP) instead of dying, until the window is over.
    pub silent: bool,
    pub clients: u64,
    pub before: Duration,
    pub after: Duration,
    pub user: String,
    pub database: String,
    pub prefix: String,
    pub threads: usize,
    pub timeout: Duration,
    pub out: PathBuf,
}

/// N times: writers at a follower, the leader gone, the gap measured, the leader back.
pub fn gaps(plan: &GapPlan, cluster: &mut Cluster, done: &mut Vec<Measurement>) -> Result<(), String> {
    let mut random = crate::stats::Random(std::process::id().into());
    for kill in 1..=plan.kills {
        cluster.settle(CONVERGE_WITHIN)?;
        let (node, addr) = cluster.follower_address()?;
        let (host, port) = addr.rsplit_once(':').ok_or_else(|| format!("{addr} is no HOST:PORT"))?;
        let mut target = Config::new();
        target.host(host).port(port.parse().map_err(|e| format!("{addr}: {e}"))?);
        target.user(&plan.user).dbname(&plan.database);
        let load = Load {
            targets: vec![target],
            workload: Workload::Insert,
            prefix: plan.prefix.clone(),
            clients: plan.clients,
            rows: plan.clients,
            threads: plan.threads,
            warmup: Duration::from_millis(500),
            window: plan.before + plan.after,
            rate: None,
            timeout: plan.timeout,
        };
        // Not always at the same phase of the heartbeats.
        let at = plan.before + Duration::from_micros(random.below(200_000));
        let action = if plan.silent { Action::StopLeader } else { Action::KillLeader };
        let fault = Fault { action, at, lasts: plan.silent.then_some(plan.after) };
        let m = measure(&format!("via {node}"), kill, &load, &[fault], Some(cluster), &plan.out)?;
        for line in m.findings().iter().filter(|l| l.contains(&action.to_string())) {
            eprintln!("kill {kill}, {} writers {}: {line}", m.clients, m.contender);
        }
        done.push(m);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::Timeline;

    #[test]
    fn each_fault_gets_the_gap_up_to_the_next_harm() {
        let mut timeline = Timeline::new(4_000_000);
        for at in (0..4_000_000).step_by(5_000) {
            let silent = (1_000_001..1_200_000).contains(&at) || (2_000_001..2_500_000).contains(&at);
            if !silent {
                timeline.success(at, 1000);
            }
        }
        let mark =
            |action, at_us| Mark { action, nodes: "n".into(), at_us, gap: None, silence_ms: None, problem: None };
        let mut marks = vec![
            mark(Action::KillLeader, 1_001_000),
            mark(Action::Restart, 1_500_000),
            mark(Action::KillFollower, 2_001_000),
        ];
        fill_gaps(&mut marks, &timeline, 4_000_000);
        assert_eq!(marks.iter().map(|m| m.gap.map(|g| g.ms())).collect::<Vec<_>>(), [Some(200.0), None, Some(500.0)]);
        assert_eq!(marks.iter().map(|m| m.silence_ms).collect::<Vec<_>>(), [Some(190), None, Some(490)]);
    }
}
