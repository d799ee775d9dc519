//! The report: what was measured, as text, JSON and one self-contained HTML page. Pure: strings out, no files.

use crate::chart::{Chart, Kind, Scale, Series, escape, micros, short};
use crate::cluster::Convergence;
use crate::floors::Floors;
use crate::ledger::Verdict;
use crate::schedule::Action;
use crate::stats::{Gap, Latencies, SLOT_MS, Summary, Timeline, median};
use crate::workload::Workload;
use serde::{Serialize, Serializer};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Charts show at most this many points per line; finer slots are put together.
const POINTS: usize = 400;

#[derive(Clone, Debug, Serialize)]
pub struct Mark {
    pub action: Action,
    pub nodes: String,
    /// When it was done, from the start of the window.
    pub at_us: u64,
    /// The longest time without a success from this act to the next harm; only for acts that take something away.
    pub gap: Option<Gap>,
    /// The same in whole slots of the time line.
    pub silence_ms: Option<u64>,
    /// An act that could not be carried out.
    pub problem: Option<String>,
}

/// One contender, one workload, one number of clients, one round.
#[derive(Clone, Serialize)]
pub struct Measurement {
    pub contender: String,
    pub workload: Workload,
    pub clients: u64,
    pub round: u32,
    pub seconds: f64,
    pub rate: Option<f64>,
    /// Successes per second within the window.
    pub throughput: f64,
    /// Microseconds; in the open loop from the intended start.
    pub latency: Summary,
    /// Microseconds, from when the client sent it.
    pub service: Summary,
    pub errors: BTreeMap<String, u64>,
    /// The first message of each kind of error.
    pub messages: BTreeMap<String, String>,
    pub reconnects: u64,
    pub failed_connects: u64,
    pub unserved: u64,
    pub wrong_answers: Vec<String>,
    pub marks: Vec<Mark>,
    pub floors_before: Floors,
    pub floors_after: Floors,
    pub verdicts: Vec<Verdict>,
    /// Without a cluster directory the digests are unknown.
    pub convergence: Option<Convergence>,
    /// What kept the end from being checked.
    pub problems: Vec<String>,
    #[serde(serialize_with = "timeline")]
    pub timeline: Timeline,
    #[serde(serialize_with = "curve")]
    pub latencies: Latencies,
}

fn timeline<S: Serializer>(timeline: &Timeline, s: S) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    struct Columns {
        slot_ms: u64,
        ok: Vec<u32>,
        errors: Vec<u32>,
        mean_us: Vec<Option<u64>>,
        max_us: Vec<u64>,
    }
    let slots = &timeline.slots;
    let columns = Columns {
        slot_ms: SLOT_MS,
        ok: slots.iter().map(|s| s.ok).collect(),
        errors: slots.iter().map(|s| s.errors).collect(),
        mean_us: slots.iter().map(|s| s.mean_us().map(|us| us as u64)).collect(),
        max_us: slots.iter().map(|s| s.max_ns / 1000).collect(),
    };
    columns.serialize(s)
}

fn curve<S: Serializer>(latencies: &Latencies, s: S) -> Result<S::Ok, S::Error> {
    latencies.curve().serialize(s)
}

impl Measurement {
    pub fn violations(&self) -> u64 {
        let verdicts: u64 = self.verdicts.iter().map(|v| v.lost + v.duplicated + v.phantom).sum();
        let unequal = self.convergence.as_ref().is_some_and(|c| !c.equal);
        verdicts + self.wrong_answers.len() as u64 + u64::from(unequal)
    }

    /// Whether nothing was violated and everything could be checked and carried out.
    pub fn passed(&self) -> bool {
        self.violations() == 0 && self.problems.is_empty() && self.marks.iter().all(|m| m.problem.is_none())
    }

    fn error_count(&self) -> u64 {
        self.errors.values().sum()
    }

    /// One line for a terminal, under `TEXT_HEAD`.
    pub fn line(&self) -> String {
        let l = &self.latency;
        format!(
            "{:<12} {:<11} {:>5} {:>5} {:>9.0} {:>9} {:>9} {:>9} {:>9} {:>9} {:>7}",
            self.contender,
            self.workload.to_string(),
            self.clients,
            self.round,
            self.throughput,
            micros(l.p50),
            micros(l.p90),
            micros(l.p99),
            micros(l.p999),
            micros(l.max),
            self.error_count()
        )
    }

    fn floors(&self) -> String {
        let (b, a) = (&self.floors_before, &self.floors_after);
        format!(
            "fdatasync 4 KiB p50 {} before, {} after; loopback p50 {} before, {} after; load {:.2} before, {:.2} after",
            micros(b.fdatasync.p50),
            micros(a.fdatasync.p50),
            micros(b.loopback.p50),
            micros(a.loopback.p50),
            b.load[0],
            a.load[0]
        )
    }

    /// What was checked, one line each.
    pub fn findings(&self) -> Vec<String> {
        let mut lines = vec![self.floors()];
        if self.rate.is_some() {
            lines.push(format!(
                "open loop: from sending p50 {} p99 {} max {}; {} arrivals never started",
                micros(self.service.p50),
                micros(self.service.p99),
                micros(self.service.max),
                self.unserved
            ));
        }
        if self.error_count() + self.reconnects + self.failed_connects > 0 {
            let kinds: Vec<String> = self.errors.iter().map(|(code, n)| format!("{code}: {n}")).collect();
            lines.push(format!(
                "errors {{{}}}, reconnects {}, failed connects {}",
                kinds.join(", "),
                self.reconnects,
                self.failed_connects
            ));
        }
        lines.extend(self.messages.iter().filter(|(_, m)| !m.is_empty()).map(|(code, m)| format!("  {code}: {m}")));
        lines.extend(self.marks.iter().map(Mark::line));
        for v in &self.verdicts {
            lines.push(format!(
                "{}: acknowledged {}, ambiguous {} (of which applied {}), found {}; lost {}, duplicated {}, phantom {}",
                v.read_at, v.acknowledged, v.ambiguous, v.ambiguous_applied, v.found, v.lost, v.duplicated, v.phantom
            ));
            lines.extend(v.examples.iter().map(|example| format!("  {example}")));
        }
        match &self.convergence {
            Some(c) if c.equal => lines.push(format!("digests equal on all nodes at index {}", c.applied_index)),
            Some(c) => lines.push(format!("DIGESTS DIFFER at index {}: {:?}", c.applied_index, c.digests)),
            None => lines.push("digests not checked (no --cluster)".into()),
        }
        lines.extend(self.wrong_answers.iter().take(20).map(|w| format!("WRONG ANSWER: {w}")));
        lines.extend(self.problems.iter().map(|p| format!("PROBLEM: {p}")));
        lines
    }
}

impl Mark {
    fn line(&self) -> String {
        let mut line = format!("{:.3} s: {} {}", self.at_us as f64 / 1e6, self.action, self.nodes);
        if let (Some(gap), Some(silence)) = (&self.gap, self.silence_ms) {
            let least = if gap.open { "at least " } else { "" };
            let _ = write!(line, ", {least}{:.1} ms without a success ({silence} ms in empty slots)", gap.ms());
        }
        if let Some(problem) = &self.problem {
            let _ = write!(line, ", FAILED: {problem}");
        }
        line
    }
}

pub const TEXT_HEAD: &str =
    "contender    workload    clnts round      op/s       p50       p90       p99     p99.9       max  errors";

/// The first contender against another one: ratios per round and their medians.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comparison {
    pub workload: Workload,
    pub clients: u64,
    pub contender: String,
    pub peer: String,
    /// Above 1: more operations per second than the peer.
    pub throughput: Vec<f64>,
    /// Below 1: faster than the peer.
    pub p50: Vec<f64>,
    pub p99: Vec<f64>,
    pub median_throughput: Option<f64>,
    pub median_p50: Option<f64>,
    pub median_p99: Option<f64>,
}

#[derive(Serialize)]
pub struct Report {
    /// The arguments, as given.
    pub command: String,
    pub started: String,
    pub cpus: usize,
    /// What ended the run before its plan was done.
    pub broken_off: Option<String>,
    pub measurements: Vec<Measurement>,
    pub comparisons: Vec<Comparison>,
}

impl Report {
    pub fn new(command: String, started: String, broken_off: Option<String>, measurements: Vec<Measurement>) -> Report {
        let cpus = std::thread::available_parallelism().map_or(1, usize::from);
        let comparisons = compare(&measurements);
        Report { command, started, cpus, broken_off, measurements, comparisons }
    }

    pub fn passed(&self) -> bool {
        self.broken_off.is_none() && self.measurements.iter().all(Measurement::passed)
    }

    pub fn verdict(&self) -> String {
        let sum = |f: fn(&Verdict) -> u64| -> u64 { self.measurements.iter().flat_map(|m| &m.verdicts).map(f).sum() };
        let wrong: usize = self.measurements.iter().map(|m| m.wrong_answers.len()).sum();
        let unequal = self.measurements.iter().filter_map(|m| m.convergence.as_ref()).filter(|c| !c.equal).count();
        let problems: usize = self.measurements.iter().map(|m| m.problems.len()).sum();
        let broken_off = self.broken_off.as_ref().map(|e| format!("; broken off: {e}")).unwrap_or_default();
        format!(
            "{}: lost {}, duplicated {}, phantom {}, wrong answers {wrong}, unequal digests {unequal}, problems {problems}{broken_off}",
            if self.passed() { "PASSED" } else { "FAILED" },
            sum(|v| v.lost),
            sum(|v| v.duplicated),
            sum(|v| v.phantom)
        )
    }

    pub fn text(&self) -> String {
        let mut out = format!("{}\nstarted {}, {} CPUs\n\n{TEXT_HEAD}\n", self.command, self.started, self.cpus);
        for m in &self.measurements {
            let _ = writeln!(out, "{}", m.line());
        }
        if !self.comparisons.is_empty() {
            let _ = writeln!(
                out,
                "\nRatios by round, and their median (throughput above 1 and latency below 1 are better)"
            );
        }
        for c in &self.comparisons {
            let _ = writeln!(out, "{} x{}, {} / {}", c.workload, c.clients, c.contender, c.peer);
            for (name, ratios, median) in c.rows() {
                let _ = writeln!(out, "  {name:<10} {}   median {}", ratios.join(" "), median);
            }
        }
        for m in &self.measurements {
            let _ = writeln!(out, "\n{} {} x{} round {}", m.contender, m.workload, m.clients, m.round);
            for line in m.findings() {
                let _ = writeln!(out, "  {line}");
            }
        }
        let _ = writeln!(out, "\n{}", self.verdict());
        out
    }

    pub fn html(&self) -> String {
        let mut out =
            format!("<!doctype html><meta charset=\"utf-8\"><title>quorate-bench</title><style>{STYLE}</style>");
        let class = if self.passed() { "passed" } else { "failed" };
        let _ = write!(
            out,
            "<h1>quorate-bench</h1><p><code>{}</code></p><p>started {}, {} CPUs</p><p class=\"{class}\">{}</p>",
            escape(&self.command),
            escape(&self.started),
            self.cpus,
            escape(&self.verdict())
        );
        self.summary_table(&mut out);
        self.comparison_table(&mut out);
        for ((workload, clients), group) in self.groups() {
            let _ = write!(out, "<h2>{workload}, {clients} clients</h2>{}", percentile_chart(&group));
            for m in group {
                let _ = write!(out, "<h3>{}, round {}</h3>", escape(&m.contender), m.round);
                out.push_str(&latency_chart(m));
                out.push_str(&throughput_chart(m));
                let _ = write!(out, "<ul>");
                for line in m.findings() {
                    let _ = write!(out, "<li>{}</li>", escape(&line));
                }
                let _ = write!(out, "</ul>");
            }
        }
        out
    }

    /// Measurements of the same workload and number of clients, in the order of the run.
    fn groups(&self) -> Vec<((Workload, u64), Vec<&Measurement>)> {
        let mut groups: Vec<((Workload, u64), Vec<&Measurement>)> = Vec::new();
        for m in &self.measurements {
            let key = (m.workload, m.clients);
            match groups.iter_mut().find(|(k, _)| *k == key) {
                Some((_, group)) => group.push(m),
                None => groups.push((key, vec![m])),
            }
        }
        groups
    }

    fn summary_table(&self, out: &mut String) {
        let head = ["contender", "workload", "clients", "round", "op/s", "p50", "p90", "p99", "p99.9", "max", "errors"];
        table(
            out,
            &head,
            self.measurements.iter().map(|m| {
                let l = &m.latency;
                let mut row = vec![m.contender.clone(), m.workload.to_string(), m.clients.to_string()];
                row.extend([m.round.to_string(), format!("{:.0}", m.throughput)]);
                row.extend([l.p50, l.p90, l.p99, l.p999, l.max].map(micros));
                row.push(m.error_count().to_string());
                row
            }),
        );
    }

    fn comparison_table(&self, out: &mut String) {
        if self.comparisons.is_empty() {
            return;
        }
        let _ = write!(out, "<h2>Side by side</h2><p>Throughput above 1 and latency below 1 are better.</p>");
        table(
            out,
            &["workload", "clients", "contender / peer", "", "by round", "median"],
            self.comparisons.iter().flat_map(|c| {
                c.rows().map(|(name, ratios, median)| {
                    let pair = format!("{} / {}", c.contender, c.peer);
                    vec![c.workload.to_string(), c.clients.to_string(), pair, name.into(), ratios.join(" "), median]
                })
            }),
        );
    }
}

impl Comparison {
    fn rows(&self) -> [(&'static str, Vec<String>, String); 3] {
        let text = |ratios: &[f64]| ratios.iter().map(|r| format!("{r:.2}")).collect::<Vec<_>>();
        let one = |ratio: Option<f64>| ratio.map_or("none".into(), |r| format!("{r:.2}"));
        [
            ("throughput", text(&self.throughput), one(self.median_throughput)),
            ("p50", text(&self.p50), one(self.median_p50)),
            ("p99", text(&self.p99), one(self.median_p99)),
        ]
    }
}

/// Puts the first contender beside each other one, round by round.
pub fn compare(measurements: &[Measurement]) -> Vec<Comparison> {
    let Some(first) = measurements.first().map(|m| m.contender.clone()) else { return Vec::new() };
    let mut comparisons: Vec<Comparison> = Vec::new();
    for peer in measurements.iter().filter(|m| m.contender != first) {
        let twin = measurements.iter().find(|m| {
            m.contender == first && (m.workload, m.clients, m.round) == (peer.workload, peer.clients, peer.round)
        });
        let Some(mine) = twin.filter(|_| peer.latency.count > 0 && peer.throughput > 0.0) else { continue };
        let key = (peer.workload, peer.clients, &peer.contender);
        let index = match comparisons.iter().position(|c| (c.workload, c.clients, &c.peer) == key) {
            Some(index) => index,
            None => {
                comparisons.push(Comparison {
                    workload: peer.workload,
                    clients: peer.clients,
                    contender: first.clone(),
                    peer: peer.contender.clone(),
                    throughput: Vec::new(),
                    p50: Vec::new(),
                    p99: Vec::new(),
                    median_throughput: None,
                    median_p50: None,
                    median_p99: None,
                });
                comparisons.len() - 1
            }
        };
        let c = &mut comparisons[index];
        c.throughput.push(mine.throughput / peer.throughput);
        c.p50.push(mine.latency.p50 / peer.latency.p50);
        c.p99.push(mine.latency.p99 / peer.latency.p99);
    }
    for c in &mut comparisons {
        c.median_throughput = median(&c.throughput);
        c.median_p50 = median(&c.p50);
        c.median_p99 = median(&c.p99);
    }
    comparisons
}

const STYLE: &str = "body{font:14px/1.5 system-ui,sans-serif;max-width:900px;margin:2em auto;padding:0 1em;color:#222}\
    table{border-collapse:collapse;width:100%}td,th{padding:2px 8px;border-bottom:1px solid #ddd;text-align:right}\
    td:first-child,th:first-child{text-align:left}svg{width:100%;margin:.5em 0}svg text{font-size:11px;fill:#444}\
    svg .title{font-size:13px;fill:#222}.grid{stroke:#e5e5e5}.mark{stroke:#c00;stroke-dasharray:4 3}\
    svg .marktext{fill:#c00}.passed{color:#060}.failed{color:#c00;font-weight:bold}";

fn table(out: &mut String, head: &[&str], rows: impl Iterator<Item = Vec<String>>) {
    out.push_str("<table><tr>");
    for cell in head {
        let _ = write!(out, "<th>{}</th>", escape(cell));
    }
    out.push_str("</tr>");
    for row in rows {
        out.push_str("<tr>");
        for cell in row {
            let _ = write!(out, "<td>{}</td>", escape(&cell));
        }
        out.push_str("</tr>");
    }
    out.push_str("</table>");
}

/// Latency over the share of operations, the axis stretched towards 1: each contender with all of its rounds together.
fn percentile_chart(group: &[&Measurement]) -> String {
    let mut merged: Vec<(String, Latencies)> = Vec::new();
    for m in group {
        match merged.iter_mut().find(|(name, _)| *name == m.contender) {
            Some((_, latencies)) => latencies.merge(&m.latencies),
            None => merged.push((m.contender.clone(), m.latencies.clone())),
        }
    }
    let nines = |q: f64| -(1.0 - q).max(1e-9).log10();
    let series: Vec<Series> = merged
        .into_iter()
        .map(|(name, latencies)| Series {
            name,
            points: latencies.curve().into_iter().map(|(q, us)| (nines(q), Some(us))).collect(),
        })
        .collect();
    let most = series.iter().flat_map(|s| &s.points).map(|(x, _)| *x).fold(1.0, f64::max);
    let ticks = ["0 %", "90 %", "99 %", "99.9 %", "99.99 %", "99.999 %", "99.9999 %"];
    let x_ticks = ticks.iter().enumerate().map(|(i, t)| (i as f64, (*t).to_owned())).filter(|(x, _)| *x <= most);
    let chart = Chart {
        title: "latency by percentile",
        x_label: "share of operations that are at least as fast",
        x: Scale::exactly(0.0, most),
        x_ticks: x_ticks.collect(),
        y: Scale::around(Kind::Log, values(&series)),
        y_unit: micros,
        series,
        marks: Vec::new(),
    };
    chart.svg()
}

fn latency_chart(m: &Measurement) -> String {
    let mean = condense(m, |slots| {
        let (sum, n) = slots
            .iter()
            .filter_map(|s| Some((s.mean_us()?, f64::from(s.ok))))
            .fold((0.0, 0.0), |(sum, n), (mean, ok)| (sum + mean * ok, n + ok));
        (n > 0.0).then(|| sum / n)
    });
    let max = condense(m, |slots| {
        let max = slots.iter().map(|s| s.max_ns).max().unwrap_or(0);
        (max > 0).then(|| max as f64 / 1000.0)
    });
    let series = vec![Series { name: "mean".into(), points: mean }, Series { name: "max".into(), points: max }];
    let chart = Chart {
        title: "latency over time",
        x_label: "seconds",
        x: Scale::exactly(0.0, m.seconds),
        x_ticks: Vec::new(),
        y: Scale::around(Kind::Log, values(&series)),
        y_unit: micros,
        series,
        marks: marks(m),
    };
    chart.svg()
}

fn throughput_chart(m: &Measurement) -> String {
    let per_second = |slots: &[crate::stats::Slot], f: fn(&crate::stats::Slot) -> u32| {
        let sum: f64 = slots.iter().map(|s| f64::from(f(s))).sum();
        Some(sum * 1000.0 / (slots.len() as u64 * SLOT_MS) as f64)
    };
    let mut series = vec![Series { name: "successes/s".into(), points: condense(m, |s| per_second(s, |s| s.ok)) }];
    if m.error_count() > 0 {
        series.push(Series { name: "errors/s".into(), points: condense(m, |s| per_second(s, |s| s.errors)) });
    }
    let chart = Chart {
        title: "throughput over time",
        x_label: "seconds",
        x: Scale::exactly(0.0, m.seconds),
        x_ticks: Vec::new(),
        y: Scale::around(Kind::Linear, values(&series)),
        y_unit: short,
        series,
        marks: marks(m),
    };
    chart.svg()
}

fn values(series: &[Series]) -> impl Iterator<Item = f64> {
    series.iter().flat_map(|s| &s.points).filter_map(|(_, y)| *y)
}

fn marks(m: &Measurement) -> Vec<(f64, String)> {
    m.marks.iter().map(|mark| (mark.at_us as f64 / 1e6, format!("{} {}", mark.action, mark.nodes))).collect()
}

/// The time line with neighbouring slots put together, at most `POINTS` of them: seconds and value.
fn condense(m: &Measurement, value: impl Fn(&[crate::stats::Slot]) -> Option<f64>) -> Vec<(f64, Option<f64>)> {
    let per_point = m.timeline.slots.len().div_ceil(POINTS).max(1);
    let middle = |i: usize, n: usize| ((i * per_point) as f64 + n as f64 / 2.0) * SLOT_MS as f64 / 1000.0;
    m.timeline.slots.chunks(per_point).enumerate().map(|(i, slots)| (middle(i, slots.len()), value(slots))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measurement(contender: &str, round: u32, throughput: f64, us: u64) -> Measurement {
        let mut latencies = Latencies::default();
        let mut timeline = Timeline::new(1_000_000);
        for i in 0..100 {
            latencies.record(us * 1000);
            timeline.success(i * 10_000, us * 1000);
        }
        Measurement {
            contender: contender.into(),
            workload: Workload::Insert,
            clients: 16,
            round,
            seconds: 1.0,
            rate: None,
            throughput,
            latency: latencies.summary(),
            service: latencies.summary(),
            errors: BTreeMap::new(),
            messages: BTreeMap::new(),
            reconnects: 0,
            failed_connects: 0,
            unserved: 0,
            wrong_answers: Vec::new(),
            marks: Vec::new(),
            floors_before: Floors::default(),
            floors_after: Floors::default(),
            verdicts: Vec::new(),
            convergence: None,
            problems: Vec::new(),
            timeline,
            latencies,
        }
    }

    fn report(measurements: Vec<Measurement>) -> Report {
        Report::new("quorate-bench run".into(), "now".into(), None, measurements)
    }

    #[test]
    fn ratios_are_taken_within_a_round() {
        let rounds = [(1, 100.0, 50.0), (2, 300.0, 100.0), (3, 90.0, 90.0)];
        let both = rounds.iter().flat_map(|(round, mine, theirs)| {
            [measurement("a", *round, *mine, 100), measurement("b", *round, *theirs, 200)]
        });
        let comparisons = compare(&both.collect::<Vec<_>>());
        assert_eq!(comparisons.len(), 1);
        assert_eq!(comparisons[0].throughput, [2.0, 3.0, 1.0]);
        assert_eq!(comparisons[0].median_throughput, Some(2.0));
        assert!((comparisons[0].median_p50.unwrap() - 0.5).abs() < 0.01);
    }

    #[test]
    fn one_lost_write_fails_the_report() {
        let mut lossy = measurement("a", 1, 1.0, 1);
        assert!(report(vec![lossy.clone()]).passed());
        lossy.verdicts.push(Verdict { lost: 1, ..Verdict::default() });
        let report = report(vec![lossy]);
        assert!(!report.passed());
        assert!(report.verdict().starts_with("FAILED: lost 1, duplicated 0"), "{}", report.verdict());
    }

    #[test]
    fn a_run_that_was_broken_off_does_not_pass() {
        let report = Report::new(String::new(), String::new(), Some("refused".into()), Vec::new());
        assert!(!report.passed() && report.verdict().ends_with("broken off: refused"));
    }

    #[test]
    fn digests_that_differ_and_acts_that_failed_fail_the_report() {
        let mut unequal = measurement("a", 1, 1.0, 1);
        unequal.convergence = Some(Convergence { applied_index: 7, digests: BTreeMap::new(), equal: false });
        assert!(!report(vec![unequal]).passed());
        let mut undone = measurement("a", 1, 1.0, 1);
        undone.marks.push(Mark {
            action: Action::KillLeader,
            nodes: String::new(),
            at_us: 5,
            gap: None,
            silence_ms: None,
            problem: Some("no leader".into()),
        });
        assert!(!report(vec![undone]).passed());
    }

    #[test]
    fn the_page_is_self_contained() {
        let html = report(vec![measurement("a<b", 1, 10.0, 100), measurement("peer", 1, 20.0, 90)]).html();
        assert!(html.contains("a&lt;b") && !html.contains("a<b"));
        assert_eq!(html.matches("<svg").count(), 5);
        for outside in ["<script", "http://", "https://", "<link", "@import"] {
            assert!(!html.contains(outside), "{outside}");
        }
        assert!(!html.contains("NaN"));
    }

    #[test]
    fn slots_are_put_together_for_long_runs() {
        let mut long = measurement("a", 1, 1.0, 1);
        long.timeline = Timeline::new(60_000_000);
        let points = condense(&long, |slots| Some(slots.len() as f64));
        assert_eq!((points.len(), points[0]), (400, (0.075, Some(15.0))));
    }
}
