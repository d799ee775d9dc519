//! The status as Prometheus text (exposition format 0.0.4).

use crate::status::{ClusterStatus, NodeRow, ReplicaRow};
use std::fmt::Write as _;

/// Gauges of the replicas of the node that answers, and of its view of the cluster.
pub fn render(status: &ClusterStatus) -> String {
    let mut out = String::new();
    let mine: Vec<&ReplicaRow> = status.replicas.iter().filter(|r| r.node == status.answered_by).collect();
    let mut gauge = |name: &str, help: &str, value: &dyn Fn(&ReplicaRow) -> u64| {
        let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} gauge");
        for r in &mine {
            let _ = writeln!(out, "{name}{{database=\"{}\"}} {}", escape(&r.database), value(r));
        }
    };
    gauge("quorate_raft_term", "Raft term of the replica.", &|r| r.term);
    gauge("quorate_raft_commit_index", "Highest log index known to be committed.", &|r| r.commit_index);
    gauge("quorate_applied_index", "Highest log index applied to the database.", &|r| r.applied_index);
    gauge("quorate_lag_entries", "Committed entries not yet applied.", &|r| r.lag);
    gauge("quorate_is_leader", "1 if the replica leads its group.", &|r| u64::from(r.role == "leader"));
    gauge("quorate_replica_ok", "1 if the replica serves.", &|r| u64::from(r.state == "ok"));
    let kept: Vec<_> = mine.iter().filter_map(|r| Some((r, r.archive.as_ref()?))).collect();
    if !kept.is_empty() {
        let _ = writeln!(
            out,
            "# HELP quorate_archive_lag_seconds How long the first entry that is not kept beside backups has been waiting.\n\
             # TYPE quorate_archive_lag_seconds gauge"
        );
        for (r, kept) in kept {
            let (database, lag) = (escape(&r.database), kept.lag_ms as f64 / 1000.0);
            let _ = writeln!(out, "quorate_archive_lag_seconds{{database=\"{database}\"}} {lag}");
        }
    }
    let _ = writeln!(
        out,
        "# HELP quorate_refuted_messages_total Peers' messages refused since no correct replica can have sent them.\n\
         # TYPE quorate_refuted_messages_total counter"
    );
    for r in &mine {
        let _ = writeln!(
            out,
            "quorate_refuted_messages_total{{database=\"{}\"}} {}",
            escape(&r.database),
            r.refuted_messages
        );
    }
    let mut of_node = |name: &str, help: &str, value: &dyn Fn(&NodeRow) -> Option<f64>| {
        let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} gauge");
        for (n, value) in status.nodes.iter().filter_map(|n| Some((n, value(n)?))) {
            let _ = writeln!(out, "{name}{{node=\"{}\"}} {value}", escape(&n.node));
        }
    };
    let seconds = |ms: Option<f64>| ms.map(|ms| ms / 1000.0);
    of_node("quorate_clock_ahead_seconds", "How far the node's clock is ahead of a majority's.", &|n| {
        seconds(n.clock_ahead_ms)
    });
    of_node("quorate_clock_error_seconds", "How wrong that may be.", &|n| seconds(n.clock_error_ms));
    of_node("quorate_log_sync_seconds", "How long a sync of the node's log takes at present.", &|n| seconds(n.sync_ms));
    of_node("quorate_fit_to_lead", "0 if the node had better not lead: its clock or its disk is off.", &|n| {
        Some(if n.unfit.is_none() { 1.0 } else { 0.0 })
    });
    of_node("quorate_certificate_expiry_timestamp_seconds", "When the node's certificate ends.", &|n| {
        n.certificate_expires.map(|seconds| seconds as f64)
    });
    of_node(
        "quorate_authority_expiry_timestamp_seconds",
        "When the first authority that the node believes ends.",
        &|n| n.authority_expires.map(|seconds| seconds as f64),
    );
    let own = status.nodes.iter().find(|n| n.node == status.answered_by);
    let _ = writeln!(
        out,
        "# HELP quorate_authentication_failures_total Logins that have failed at this node.\n\
         # TYPE quorate_authentication_failures_total counter\n\
         quorate_authentication_failures_total {}",
        own.map_or(0, |n| n.failed_logins)
    );
    let _ = writeln!(out, "# HELP quorate_nodes_up Nodes that report.\n# TYPE quorate_nodes_up gauge");
    let up = status.nodes.iter().filter(|n| n.state != "down").count();
    let _ = writeln!(out, "quorate_nodes_up {up}");
    out
}

fn escape(label: &str) -> String {
    label.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_own_replicas_are_told() {
        let row = |node: &str| ReplicaRow {
            database: "quorate".into(),
            node: node.into(),
            role: "leader".into(),
            applied_index: 5,
            state: "ok".into(),
            ..Default::default()
        };
        let status =
            ClusterStatus { answered_by: "a".into(), replicas: vec![row("a"), row("b")], ..Default::default() };
        let text = render(&status);
        assert_eq!(text.matches("quorate_applied_index{").count(), 1);
        assert!(text.contains("quorate_is_leader{database=\"quorate\"} 1"));
    }
}
