//! What a node counts and times for whoever watches it: metrics by Prometheus's conventions.
//!
//! One set for the process, like the log: measuring is no part of what a room does, and none is given it. Only the edges
//! measure, where threads and sockets are; pure code has nothing to time.
//!
//! A group is labelled by its number (`/status` says which database it is).

use crate::id::GroupId;
use prometheus::{
    Encoder, Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry,
    TextEncoder, core::Collector, exponential_buckets, proto::MetricType,
};
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// The node's metrics.
pub static TELEMETRY: LazyLock<Telemetry> = LazyLock::new(Telemetry::new);

/// See the help text of each in [`Telemetry::new`].
pub struct Telemetry {
    registry: Registry,
    stages: HistogramVec,
    reads: HistogramVec,
    leaders: IntCounterVec,
    pub log_sync: Histogram,
    pub connections: IntGauge,
    pub connected: IntCounter,
    errors: IntCounterVec,
    files: IntGaugeVec,
    pub disk_free: IntGauge,
}

/// A metric's value; of a histogram, the sum and the buckets: up to how much, and how many were below that.
#[derive(Clone, Debug, Serialize)]
pub struct Measured {
    pub name: String,
    pub labels: BTreeMap<String, String>,
    pub value: f64,
    pub count: u64,
    pub buckets: Vec<(f64, u64)>,
}

/// What is measured of one group. Times in seconds.
pub struct OfGroup {
    /// Of a write at the leader: until it is in an entry,
    pub queue: Histogram,
    /// until a majority has the entry on disk,
    pub replicate: Histogram,
    /// until its outcome is known.
    pub apply: Histogram,
    pub read_index: Histogram,
    pub leaders: IntCounter,
}

impl Telemetry {
    fn new() -> Telemetry {
        let registry = Registry::new();
        // From 50 µs, the order of a hop between threads, to 26 s.
        let buckets = exponential_buckets(50e-6, 2.0, 20).expect("a rising sequence");
        let times = |name: &str, help: &str| HistogramOpts::new(name, help).buckets(buckets.clone());
        fn add<T: Collector + Clone + 'static>(registry: &Registry, made: prometheus::Result<T>) -> T {
            let metric = made.expect("a name and labels of the right form");
            registry.register(Box::new(metric.clone())).expect("each name once");
            metric
        }
        let r = &registry;
        Telemetry {
            stages: add(
                r,
                HistogramVec::new(
                    times(
                        "quorate_commit_stage_duration_seconds",
                        "Where the time of an entry goes on its group's leader, by stage.",
                    ),
                    &["group", "stage"],
                ),
            ),
            reads: add(
                r,
                HistogramVec::new(
                    times(
                        "quorate_read_index_duration_seconds",
                        "Time until a linearizable read may begin: the leader is confirmed, and what it has is applied here.",
                    ),
                    &["group"],
                ),
            ),
            leaders: add(
                r,
                IntCounterVec::new(
                    Opts::new("quorate_leader_changes_total", "Leaders that this replica has seen take office."),
                    &["group"],
                ),
            ),
            log_sync: add(
                r,
                Histogram::with_opts(times(
                    "quorate_log_write_duration_seconds",
                    "Time to write what has gathered to the Raft log and to sync it.",
                )),
            ),
            connections: add(r, IntGauge::new("quorate_client_connections", "Sessions that are open.")),
            connected: add(
                r,
                IntCounter::new("quorate_client_connections_total", "Sessions that were begun since the start."),
            ),
            errors: add(
                r,
                IntCounterVec::new(
                    Opts::new("quorate_client_errors_total", "Errors that clients were told of, by SQLSTATE."),
                    &["sqlstate"],
                ),
            ),
            files: add(
                r,
                IntGaugeVec::new(
                    Opts::new(
                        "quorate_file_size_bytes",
                        "What the node's files take: the Raft log, databases, their WALs.",
                    ),
                    &["file"],
                ),
            ),
            disk_free: add(r, IntGauge::new("quorate_disk_free_bytes", "Free space where the data is.")),
            registry,
        }
    }

    /// The size of a kind of files, in bytes.
    pub fn files(&self, kind: &str, size: u64) {
        self.files.with_label_values(&[kind]).set(i64::try_from(size).unwrap_or(i64::MAX));
    }

    /// What is measured of one group: looked up once, since it is measured often.
    pub fn of_group(&self, group: GroupId) -> OfGroup {
        let group = group.0.to_string();
        let stage = |stage| self.stages.with_label_values(&[&group, stage]);
        OfGroup {
            queue: stage("queue"),
            replicate: stage("replicate"),
            apply: stage("apply"),
            read_index: self.reads.with_label_values(&[&group]),
            leaders: self.leaders.with_label_values(&[&group]),
        }
    }

    pub fn error(&self, sqlstate: &str) {
        self.errors.with_label_values(&[sqlstate]).inc();
    }

    /// All of it as values.
    pub fn values(&self) -> Vec<Measured> {
        let families = self.registry.gather();
        let of_family = families.iter().flat_map(|family| {
            family.get_metric().iter().map(|metric| {
                let labels = metric.get_label().iter();
                let histogram = metric.get_histogram();
                let buckets = histogram.get_bucket().iter();
                let (value, count) = match family.get_field_type() {
                    MetricType::HISTOGRAM => (histogram.get_sample_sum(), histogram.get_sample_count()),
                    MetricType::COUNTER => (metric.get_counter().get_value(), 0),
                    _ => (metric.get_gauge().get_value(), 0),
                };
                Measured {
                    name: family.get_name().to_owned(),
                    labels: labels.map(|label| (label.get_name().to_owned(), label.get_value().to_owned())).collect(),
                    value,
                    count,
                    buckets: buckets.map(|bucket| (bucket.get_upper_bound(), bucket.get_cumulative_count())).collect(),
                }
            })
        });
        of_family.collect()
    }

    /// All of it as text (exposition format 0.0.4).
    pub fn render(&self) -> String {
        let mut out = Vec::new();
        TextEncoder::new().encode(&self.registry.gather(), &mut out).expect("memory takes anything");
        String::from_utf8(out).expect("text")
    }
}

/// A session, counted as long as it lives.
pub struct Counted(());

impl Counted {
    pub fn session() -> Counted {
        TELEMETRY.connections.inc();
        TELEMETRY.connected.inc();
        Counted(())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        TELEMETRY.connections.dec();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_measured_is_told() {
        let telemetry = Telemetry::new();
        let group = telemetry.of_group(GroupId(2));
        group.apply.observe(0.003);
        group.read_index.observe(70e-6);
        telemetry.error("40001");
        telemetry.error("40001");
        let text = telemetry.render();
        for line in [
            "quorate_commit_stage_duration_seconds_bucket{group=\"2\",stage=\"apply\",le=\"0.0032\"} 1",
            "quorate_read_index_duration_seconds_count{group=\"2\"} 1",
            "quorate_client_errors_total{sqlstate=\"40001\"} 2",
        ] {
            assert!(text.contains(line), "{line} is not in\n{text}");
        }
    }
}
