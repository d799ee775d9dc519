//! What a node tells of itself and of the others: the value behind `quorate status`, `/status` and `quorate.replicas`.

use serde::{Deserialize, Serialize};
use std::fmt::Write as _;

/// A cluster as one node sees it. Facts about other nodes are as old as their last report.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ClusterStatus {
    pub cluster: String,
    /// The number that no other cluster has, as 32 hexadecimal digits.
    pub cluster_id: String,
    /// The node that answered.
    pub answered_by: String,
    pub nodes: Vec<NodeRow>,
    pub groups: Vec<GroupRow>,
    pub replicas: Vec<ReplicaRow>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct NodeRow {
    pub node: String,
    pub id: u64,
    /// `up`, `down`, `disk full`, `joining`, `waiting` (for a cluster).
    pub state: String,
    pub pg_addr: String,
    pub peer_addr: String,
    pub http_addr: String,
    pub version: String,
    /// How far the node's clock is ahead of what a majority believes (behind, if negative), and how wrong that may be;
    /// nothing as long as it hears no majority.
    pub clock_ahead_ms: Option<f64>,
    pub clock_error_ms: Option<f64>,
    /// How long a sync of its log takes at present, if there was one lately.
    pub sync_ms: Option<f64>,
    /// Why it had better not lead, in its own opinion.
    pub unfit: Option<String>,
    /// When its certificate ends, in seconds since 1970; nothing if it has none.
    #[serde(default)]
    pub certificate_expires: Option<i64>,
    /// The same of the first of the authorities that it believes.
    #[serde(default)]
    pub authority_expires: Option<i64>,
    /// The fingerprint of the authority that has issued its certificate.
    #[serde(default)]
    pub authority: Option<String>,
    /// The last step to another authority that it has taken, and which one.
    #[serde(default)]
    pub succession: Option<String>,
    /// Logins that have failed since it was started.
    #[serde(default)]
    pub failed_logins: u64,
    /// What the cluster has decided about it: `joining`, `up`, `leaving`; empty if that is not known.
    pub membership: String,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct GroupRow {
    pub id: u64,
    pub database: String,
    pub leader: Option<String>,
    pub term: u64,
    pub voters: String,
    pub learners: String,
    /// The version of its state, see `docs/upgrading.md`.
    pub version: u32,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ReplicaRow {
    pub database: String,
    pub node: String,
    /// `leader`, `follower`, `candidate`, `learner`.
    pub role: String,
    pub term: u64,
    pub commit_index: u64,
    pub applied_index: u64,
    /// Entries that the group has committed, as far as the answering node knows, and this replica has not applied.
    pub lag: u64,
    /// The running digest at `applied_index`; equal indexes must have equal digests.
    pub digest: String,
    /// `ok`, or why the replica does not serve.
    pub state: String,
    /// Peers' messages that were refused because no correct replica can have sent them, since the start.
    pub refuted_messages: u64,
    /// The version of the group's state here.
    pub version: u32,
    /// On the leader, if it keeps the log beside backups: how far.
    pub archive: Option<ArchiveRow>,
}

/// How far a database's log is kept beside its backups.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ArchiveRow {
    /// Up to this entry.
    pub index: u64,
    /// How long the first one behind it has been waiting.
    pub lag_ms: u64,
    pub problem: Option<String>,
}

/// What a node reports to its peers, twice a second.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct NodeReport {
    pub node: NodeRow,
    pub replicas: Vec<ReplicaReport>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ReplicaReport {
    pub group: u64,
    pub row: ReplicaRow,
    /// Names of the voters and learners as this replica knows them.
    pub voters: String,
    pub learners: String,
}

/// A client's session: a row of `pg_stat_activity`. Times are µs since 2000-01-01 00:00 UTC.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SessionRow {
    pub datname: String,
    #[serde(default)]
    pub datid: u32,
    pub pid: i32,
    pub usename: String,
    pub application_name: String,
    pub client_addr: String,
    pub client_port: i32,
    pub backend_start: i64,
    pub xact_start: Option<i64>,
    pub query_start: Option<i64>,
    pub state_change: i64,
    pub wait_event_type: Option<String>,
    pub wait_event: Option<String>,
    pub state: String,
    pub query: String,
    /// Names its requests, and so its locks.
    pub origin: u64,
    /// The node's own, not a client's: no limit counts it, and nobody waits for its end.
    pub inner: bool,
    #[serde(default)]
    pub ssl: bool,
    #[serde(default)]
    pub ssl_version: Option<String>,
    #[serde(default)]
    pub ssl_cipher: Option<String>,
    #[serde(default)]
    pub ssl_bits: Option<i32>,
    /// Of the client's certificate, if it has shown one.
    #[serde(default)]
    pub ssl_client_dn: Option<String>,
    #[serde(default)]
    pub ssl_client_serial: Option<String>,
    #[serde(default)]
    pub ssl_issuer_dn: Option<String>,
}

/// A lock that is held or awaited at a leader: a row of `pg_locks`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct LockRow {
    /// `relation` or `tuple`.
    pub locktype: String,
    pub relation: u32,
    pub mode: String,
    pub granted: bool,
    /// µs since 2000-01-01 00:00 UTC.
    pub waitstart: Option<i64>,
    /// The transaction: the session's name, and its number there.
    pub origin: u64,
    pub number: u64,
    /// Of an advisory lock: the halves of its key, and 2 if these were given apart.
    pub key: Option<(u32, u32, i16)>,
}

/// Puts the reports of all nodes together.
pub fn assemble(cluster: &str, answered_by: &str, reports: &[NodeReport]) -> ClusterStatus {
    let mut status = ClusterStatus { cluster: cluster.into(), answered_by: answered_by.into(), ..Default::default() };
    let mut groups: std::collections::BTreeMap<u64, GroupRow> = Default::default();
    let mut committed: std::collections::BTreeMap<String, u64> = Default::default();
    for report in reports {
        status.nodes.push(report.node.clone());
        let up = report.node.state != "down";
        for replica in &report.replicas {
            let row = &replica.row;
            let group = groups.entry(replica.group).or_insert_with(|| GroupRow {
                id: replica.group,
                database: row.database.clone(),
                ..Default::default()
            });
            if up && row.term >= group.term {
                let newer = row.term > group.term;
                group.term = row.term;
                if row.role == "leader" {
                    group.leader = Some(row.node.clone());
                } else if newer {
                    group.leader = None;
                }
                if newer || row.role == "leader" {
                    group.voters = replica.voters.clone();
                    group.learners = replica.learners.clone();
                }
            }
            if up {
                group.version = group.version.max(row.version);
            }
            let top = committed.entry(row.database.clone()).or_default();
            *top = (*top).max(row.commit_index);
            let mut row = row.clone();
            if !up {
                row.role = "unknown".into();
                row.state = "node is down".into();
            }
            status.replicas.push(row);
        }
    }
    for row in &mut status.replicas {
        row.lag = committed.get(&row.database).copied().unwrap_or(0).saturating_sub(row.applied_index);
    }
    status.groups = groups.into_values().collect();
    status.nodes.sort_by_key(|n| n.id);
    status.replicas.sort_by(|a, b| (&a.database, &a.node).cmp(&(&b.database, &b.node)));
    status
}

/// The status as tables for a terminal.
pub fn render(status: &ClusterStatus) -> String {
    let mut out = String::new();
    let _ = writeln!(out, "cluster {} (answered by {})\n", status.cluster, status.answered_by);
    table(
        &mut out,
        &["node", "id", "state", "postgres", "peers", "http", "clock", "sync", "version"],
        status.nodes.iter().map(|n| {
            vec![
                n.node.clone(),
                n.id.to_string(),
                n.state.clone(),
                n.pg_addr.clone(),
                n.peer_addr.clone(),
                n.http_addr.clone(),
                clock(n),
                n.sync_ms.map_or_else(|| "-".into(), |ms| format!("{ms:.1} ms")),
                n.version.clone(),
            ]
        }),
    );
    table(
        &mut out,
        &["group", "database", "version", "leader", "term", "voters", "learners"],
        status.groups.iter().map(|g| {
            vec![
                g.id.to_string(),
                g.database.clone(),
                g.version.to_string(),
                g.leader.clone().unwrap_or_else(|| "none".into()),
                g.term.to_string(),
                g.voters.clone(),
                g.learners.clone(),
            ]
        }),
    );
    table(
        &mut out,
        &["database", "node", "role", "term", "commit", "applied", "lag", "digest", "state"],
        status.replicas.iter().map(|r| {
            vec![
                r.database.clone(),
                r.node.clone(),
                r.role.clone(),
                r.term.to_string(),
                r.commit_index.to_string(),
                r.applied_index.to_string(),
                r.lag.to_string(),
                r.digest.clone(),
                r.state.clone(),
            ]
        }),
    );
    let kept: Vec<_> = status.replicas.iter().filter_map(|r| Some((r, r.archive.as_ref()?))).collect();
    if !kept.is_empty() {
        table(
            &mut out,
            &["database", "log kept by", "up to", "lag", "problem"],
            kept.into_iter().map(|(r, kept)| {
                vec![
                    r.database.clone(),
                    r.node.clone(),
                    kept.index.to_string(),
                    format!("{:.1} s", kept.lag_ms as f64 / 1000.0),
                    kept.problem.clone().unwrap_or_else(|| "-".into()),
                ]
            }),
        );
    }
    out.truncate(out.trim_end().len());
    out
}

/// A node's clock against a majority's.
fn clock(node: &NodeRow) -> String {
    match (node.clock_ahead_ms, node.clock_error_ms) {
        (Some(ahead), Some(error)) => format!("{ahead:+.1} ±{error:.1} ms"),
        _ => "-".into(),
    }
}

/// The members as a table: what was decided about each, how it is, and in which databases it votes or stands by.
pub fn render_nodes(status: &ClusterStatus) -> String {
    let mut out = String::new();
    let named = |members: &dyn Fn(&GroupRow) -> &str, node: &str| {
        let of = status.groups.iter().filter(|g| members(g).split(' ').any(|member| member == node));
        of.map(|g| g.database.clone()).collect::<Vec<_>>().join(" ")
    };
    table(
        &mut out,
        &["node", "id", "membership", "state", "votes in", "stands by in", "peers", "http"],
        status.nodes.iter().map(|n| {
            vec![
                n.node.clone(),
                n.id.to_string(),
                n.membership.clone(),
                n.state.clone(),
                named(&|g| &g.voters, &n.node),
                named(&|g| &g.learners, &n.node),
                n.peer_addr.clone(),
                n.http_addr.clone(),
            ]
        }),
    );
    out.truncate(out.trim_end().len());
    out
}

/// Whose certificates nodes have; `day` names that of a time in seconds since 1970.
pub fn render_certificates(status: &ClusterStatus, day: impl Fn(i64) -> String) -> String {
    let mut out = String::new();
    let until = |end: Option<i64>| end.map_or_else(|| "-".into(), &day);
    table(
        &mut out,
        &["node", "state", "certificate until", "authorities until", "authority", "last step"],
        status.nodes.iter().map(|n| {
            vec![
                n.node.clone(),
                n.state.clone(),
                until(n.certificate_expires),
                until(n.authority_expires),
                n.authority.as_ref().map_or_else(|| "-".into(), |id| id.chars().take(16).collect()),
                n.succession.as_ref().map_or("-", |step| step.split(' ').next().unwrap_or_default()).into(),
            ]
        }),
    );
    out.truncate(out.trim_end().len());
    out
}

/// Replicas that do not get on, and what they say of it.
pub fn render_stuck(status: &ClusterStatus) -> String {
    let unwell: Vec<_> = status.replicas.iter().filter(|replica| replica.state != "ok").collect();
    if unwell.is_empty() {
        return "every replica is ok".to_owned();
    }
    let mut out = String::new();
    let row = |r: &&ReplicaRow| {
        let (applied, commit) = (r.applied_index.to_string(), r.commit_index.to_string());
        vec![r.database.clone(), r.node.clone(), r.role.clone(), applied, commit, r.state.clone()]
    };
    table(&mut out, &["database", "node", "role", "applied", "committed", "state"], unwell.iter().map(row));
    out.truncate(out.trim_end().len());
    out
}

fn table(out: &mut String, head: &[&str], rows: impl Iterator<Item = Vec<String>>) {
    let rows: Vec<Vec<String>> =
        std::iter::once(head.iter().map(|h| h.to_string()).collect::<Vec<_>>()).chain(rows).collect();
    let widths: Vec<usize> =
        (0..head.len()).map(|i| rows.iter().map(|r| r[i].chars().count()).max().unwrap_or(0)).collect();
    for row in rows {
        let line: Vec<String> = row.iter().zip(&widths).map(|(cell, w)| format!("{cell:<w$}")).collect();
        let _ = writeln!(out, "{}", line.join("  ").trim_end());
    }
    out.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(id: u64, role: &str, term: u64, applied: u64, state: &str) -> NodeReport {
        let node = format!("node-{id}");
        NodeReport {
            node: NodeRow { node: node.clone(), id, state: state.into(), ..Default::default() },
            replicas: vec![ReplicaReport {
                group: 2,
                row: ReplicaRow {
                    database: "quorate".into(),
                    node,
                    role: role.into(),
                    term,
                    commit_index: applied,
                    applied_index: applied,
                    state: "ok".into(),
                    ..Default::default()
                },
                voters: "node-1 node-2".into(),
                learners: String::new(),
            }],
        }
    }

    #[test]
    fn the_leader_of_the_highest_term_counts() {
        let s = assemble("c", "node-2", &[report(1, "leader", 3, 7, "down"), report(2, "leader", 4, 9, "up")]);
        assert_eq!(s.groups[0].leader.as_deref(), Some("node-2"));
        assert_eq!(s.groups[0].term, 4);
        assert_eq!(s.replicas[0].lag, 2);
        assert_eq!(s.replicas[0].state, "node is down");
        assert!(render(&s).contains("quorate"));
    }
}
