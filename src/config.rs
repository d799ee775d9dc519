//! A node's configuration: what a file or flags say, checked once, and the checked form that everything else uses.
//!
//! A mistake gets a message that says what to write instead; nothing is guessed and unknown keys are refused.

use crate::access::{Rule, Rules};
use crate::id::NodeId;
use crate::meter::MEMORY_IN_THE_LOG;
use crate::version::{FIRST, LATEST, Version};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The configuration as written (TOML). See the README's reference for the meaning of each key.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConfigFile {
    /// This node's name, unique in the cluster.
    pub name: Option<String>,
    pub data_dir: Option<PathBuf>,
    #[serde(default)]
    pub listen: Listen,
    #[serde(default)]
    pub cluster: Cluster,
    #[serde(default)]
    pub log: Log,
    #[serde(default)]
    pub limits: Limits,
    #[serde(default)]
    pub trace: TraceFile,
    #[serde(default, skip_serializing_if = "BackupFile::is_empty")]
    pub backup: BackupFile,
    /// Its presence alone asks for certificates and passwords; a node that can be reached from other machines has them always.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub security: Option<SecurityFile>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Listen {
    /// The name or address of this machine for all others: all ports listen everywhere, and this is where they are reached.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// Postgres clients, for example `127.0.0.1:5433`.
    pub postgres: Option<String>,
    /// Where clients reach this node, if it is not `postgres`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub advertise_postgres: Option<String>,
    /// The other nodes.
    pub peers: Option<String>,
    /// Where the other nodes reach this one, if it is not `peers`: behind a forwarded port or a proxy.
    pub advertise_peers: Option<String>,
    /// Health, metrics, status.
    pub http: Option<String>,
    /// Where operators and joining nodes reach this one, if it is not `http`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub advertise_http: Option<String>,
}

/// The logs of databases, kept beside their backups.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BackupFile {
    /// Where the leaders keep the logs: a directory of backups that all nodes share, or s3://BUCKET/PREFIX.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub archive: Option<String>,
    /// The key that it is sealed with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_file: Option<PathBuf>,
}

impl BackupFile {
    fn is_empty(&self) -> bool {
        *self == BackupFile::default()
    }
}

/// Spans of statements, for OpenTelemetry.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TraceFile {
    /// Where a collector takes OTLP by HTTP, for example `http://127.0.0.1:4318`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
    /// The share of statements that is traced though no `traceparent` asks for it: 0 to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub share: Option<f64>,
}

/// The same, checked.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Trace {
    /// Host and port.
    pub collector: Option<String>,
    pub share: f64,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SecurityFile {
    /// Certificates and keys (PEM), if they are not the ones that the program keeps in the data directory.
    pub ca: Option<PathBuf>,
    pub certificate: Option<PathBuf>,
    pub key: Option<PathBuf>,
    /// Who may come from where by which method, in order: lines as in `pg_hba.conf`.
    pub rules: Option<Vec<String>>,
    /// Whether `/metrics` is open to everybody.
    pub open_metrics: Option<bool>,
    /// Seconds that a client has for logging in.
    pub authentication_timeout: Option<u64>,
    /// Connections that are kept for superusers.
    pub superuser_reserved_connections: Option<usize>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cluster {
    /// Nodes of different clusters refuse each other.
    pub name: Option<String>,
    /// The nodes that the cluster begins with: the same list on each of them.
    #[serde(default)]
    pub initial: Vec<InitialNode>,
    /// The HTTP address of a member to join instead.
    pub join: Option<String>,
    /// What lets it in, if it has no certificate yet. It is wanted once.
    #[serde(skip_serializing)]
    pub join_token: Option<JoinToken>,
    /// Seconds after which a silent node's vote goes to one that stands by.
    pub replace_after: Option<u64>,
    /// Seconds after which a node that asked to join and did not come is forgotten.
    pub join_within: Option<u64>,
    /// The version of the cluster that this node does not go beyond, so that an older program can take its place.
    pub hold_version: Option<u32>,
}

/// The text of a join token.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct JoinToken(pub String);

impl fmt::Debug for JoinToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JoinToken(…)")
    }
}

/// A founding member.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InitialNode {
    pub id: u64,
    pub name: String,
    /// Where the others reach it.
    pub peers: String,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Log {
    /// `text` or `json`.
    pub format: Option<String>,
    /// A filter such as `info` or `info,quorate::replica=debug`.
    pub filter: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Client connections at once.
    pub connections: Option<usize>,
    /// Below this much free space (MiB) the node stops accepting writes.
    pub disk_watermark_mib: Option<u64>,
    /// Blocks that are open at once on the leader of a database.
    pub transactions: Option<usize>,
    /// The statements of one block, with their parameters: they become one command of the log.
    pub transaction_mib: Option<usize>,
    pub transaction_statements: Option<usize>,
    /// Pages that one block has changed, beyond what fits into the cache.
    pub transaction_changes_mib: Option<usize>,
    /// Row and table locks of one block.
    pub transaction_locks: Option<usize>,
    /// How far a node's clock may be from what a majority believes (ms) before it does not lead.
    pub clock_tolerance_ms: Option<u32>,
    /// In how many hours all pages of the database files are read, to find damaged ones.
    pub scrub_hours: Option<u32>,
    /// Memory of one statement, and of all statements that run on this node.
    pub statement_memory_mib: Option<usize>,
    pub memory_mib: Option<usize>,
}

/// What open transactions may need.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TransactionLimits {
    pub open: usize,
    /// Bytes.
    pub transcript: usize,
    pub statements: usize,
    /// Bytes.
    pub changes: usize,
    pub locks: usize,
    /// Bytes.
    pub statement_memory: u64,
    /// Bytes.
    pub memory: u64,
}

impl Limits {
    fn transactions(&self) -> Result<TransactionLimits, ConfigError> {
        let positive = |key: &str, value: Option<usize>, default: usize| match value.unwrap_or(default) {
            0 => Err(wrong(format!("limits.{key} is 0"), format!("write {key} = {default}, or leave it out"))),
            value => Ok(value),
        };
        let most = MEMORY_IN_THE_LOG >> 20;
        let statement_memory = positive("statement_memory_mib", self.statement_memory_mib, 128)? as u64;
        if statement_memory > most {
            return Err(wrong(
                format!(
                    "limits.statement_memory_mib is {statement_memory}, and a statement in the log may have {most}"
                ),
                format!("write statement_memory_mib = {most}, or less"),
            ));
        }
        Ok(TransactionLimits {
            open: positive("transactions", self.transactions, 1000)?,
            transcript: positive("transaction_mib", self.transaction_mib, 256)? << 20,
            statements: positive("transaction_statements", self.transaction_statements, 1_000_000)?,
            changes: positive("transaction_changes_mib", self.transaction_changes_mib, 16 << 10)? << 20,
            locks: positive("transaction_locks", self.transaction_locks, 1 << 18)?,
            statement_memory: statement_memory << 20,
            memory: (positive("memory_mib", self.memory_mib, 384)? as u64) << 20,
        })
    }
}

/// A checked configuration.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    pub name: String,
    pub data_dir: PathBuf,
    pub postgres: Door,
    pub peers: Door,
    pub http: Door,
    /// Certificates and passwords; without, everybody who can reach the node is believed, and only this machine can.
    pub security: Option<Security>,
    /// Who may come from where by which method.
    pub rules: Rules,
    /// For logging in.
    pub authentication_timeout: Duration,
    /// Connections that are kept for superusers.
    pub reserved_connections: usize,
    pub cluster: String,
    pub origin: Origin,
    pub join_token: Option<JoinToken>,
    pub log_json: bool,
    pub log_filter: String,
    pub max_connections: usize,
    /// Bytes.
    pub disk_watermark: u64,
    pub transactions: TransactionLimits,
    /// µs.
    pub clock_tolerance: i64,
    pub scrub_hours: u32,
    /// A voter that is silent for so long gives its vote to a learner that stands by.
    pub replace_after: Duration,
    /// A node that asked to join and was not heard of for so long is forgotten.
    pub join_within: Duration,
    /// The highest version of the cluster that this node takes part in.
    pub speaks: Version,
    pub trace: Trace,
    pub backup: BackupFile,
}

/// What certificates and passwords need.
#[derive(Clone, Debug, PartialEq)]
pub struct Security {
    /// CA, certificate and key, if they are not the program's own.
    pub files: Option<[PathBuf; 3]>,
    pub open_metrics: bool,
}

/// A host and a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// A name, or an address: of IPv6 without brackets.
    pub host: String,
    pub port: u16,
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.host.contains(':') {
            true => write!(f, "[{}]:{}", self.host, self.port),
            false => write!(f, "{}:{}", self.host, self.port),
        }
    }
}

impl Address {
    pub fn parse(text: &str) -> Option<Address> {
        let (host, port) = text.rsplit_once(':')?;
        let bracketed = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        let host = match bracketed {
            Some(inner) => inner.parse::<std::net::Ipv6Addr>().ok().map(|_| inner)?,
            None => host,
        };
        let named = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
        let sound = bracketed.is_some() || !host.is_empty() && host.len() <= 253 && host.chars().all(named);
        sound.then_some(())?;
        Some(Address { host: host.to_owned(), port: port.parse().ok()? })
    }

    fn ip(&self) -> Option<IpAddr> {
        self.host.parse().ok()
    }

    pub fn is_loopback(&self) -> bool {
        self.host == "localhost" || self.ip().is_some_and(|ip| ip.is_loopback())
    }

    pub fn is_wildcard(&self) -> bool {
        self.ip().is_some_and(|ip| ip.is_unspecified())
    }
}

/// A port of the node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Door {
    /// Where it listens.
    pub listen: Address,
    /// What others are told.
    pub advertise: Address,
}

/// Names stand in tables, messages and files of one line each; `#` marks what was replaced.
fn check_name(name: &str) -> Result<(), ConfigError> {
    match name.contains(|c: char| c.is_control() || c == '#') || name.len() > 200 {
        true => Err(wrong(format!("the name {name:?} cannot be used"), "write a short name without # and line breaks")),
        false => Ok(()),
    }
}

/// A minute if nothing is written.
fn seconds(key: &str, value: Option<u64>) -> Result<Duration, ConfigError> {
    match value.unwrap_or(60) {
        0 => Err(wrong(
            format!("{key} is 0"),
            format!("write {} = 60 (seconds), or leave it out", &key["cluster.".len()..]),
        )),
        seconds => Ok(Duration::from_secs(seconds)),
    }
}

/// How the node comes to be a member.
#[derive(Clone, Debug, PartialEq)]
pub enum Origin {
    /// It is one of the founders (or was, when its data directory was made).
    Founder { id: NodeId, members: Vec<Member> },
    /// It asks a member, at this HTTP address.
    Join(String),
}

/// Another node as configured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    pub id: NodeId,
    pub name: String,
    pub peers: Address,
}

/// What is wrong, and what to write instead.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{problem}\n  {advice}")]
pub struct ConfigError {
    pub problem: String,
    pub advice: String,
}

fn wrong(problem: impl Into<String>, advice: impl Into<String>) -> ConfigError {
    ConfigError { problem: problem.into(), advice: advice.into() }
}

impl ConfigFile {
    /// Where the other nodes will reach this one.
    pub fn peers(&self) -> Result<Address, ConfigError> {
        let Listen { host, peers, advertise_peers, .. } = &self.listen;
        door("peers", peers, advertise_peers, host.as_deref(), 7433).map(|door| door.advertise)
    }

    pub fn read(path: &Path) -> Result<ConfigFile, ConfigError> {
        let text = std::fs::read_to_string(path).map_err(|e| {
            wrong(format!("cannot read {}: {e}", path.display()), "give the path of a configuration file to --config")
        })?;
        ConfigFile::parse(&text).map_err(|e| wrong(format!("{}: {}", path.display(), e.problem), e.advice))
    }

    pub fn parse(text: &str) -> Result<ConfigFile, ConfigError> {
        toml::from_str(text).map_err(|e| {
            wrong(
                e.to_string().trim_end().to_owned(),
                "the keys are: name, data_dir, [listen] host, postgres, advertise_postgres, peers, advertise_peers, \
                 http, advertise_http, [cluster] name, initial, join, join_token, replace_after, \
                 join_within, hold_version, \
                 [log] format, filter, [limits] connections, disk_watermark_mib, transactions, transaction_mib, transaction_statements, \
                 transaction_changes_mib, transaction_locks, clock_tolerance_ms, statement_memory_mib, memory_mib, \
                 scrub_hours, [security] ca, certificate, key, rules, open_metrics, authentication_timeout, \
                 superuser_reserved_connections, [trace] endpoint, share, [backup] archive, key_file",
            )
        })
    }

    /// Checks everything that can be checked without touching the machine.
    pub fn check(self) -> Result<Config, ConfigError> {
        let name = self
            .name
            .filter(|n| !n.is_empty())
            .ok_or_else(|| wrong("the node has no name", "write name = \"node-1\", or give --name node-1"))?;
        check_name(&name)?;
        let data_dir = self.data_dir.ok_or_else(|| {
            wrong("no data directory is given", "write data_dir = \"/var/lib/quorate\", or give --data-dir DIR")
        })?;
        if self.backup.archive.is_none() && self.backup.key_file.is_some() {
            return Err(wrong(
                "backup.key_file seals nothing",
                "write backup.archive = \"DIR\" as well, or leave it out",
            ));
        }
        let listen = &self.listen;
        let host = listen.host.as_deref();
        let postgres = door("postgres", &listen.postgres, &listen.advertise_postgres, host, 5433)?;
        let peers = door("peers", &listen.peers, &listen.advertise_peers, host, 7433)?;
        let http = door("http", &listen.http, &listen.advertise_http, host, 8433)?;
        let open = [&postgres, &peers, &http].into_iter().any(|door| !door.listen.is_loopback());
        // A token comes with certificates.
        let secure = open || self.security.is_some() || self.cluster.join_token.is_some();
        let written = self.security.unwrap_or_default();
        let security = secure.then(|| security(&written)).transpose()?;
        let rules = rules(written.rules.as_deref(), secure)?;
        let log_json = match self.log.format.as_deref() {
            None | Some("text") => false,
            Some("json") => true,
            Some(other) => {
                return Err(wrong(
                    format!("log.format is \"{other}\""),
                    "write format = \"text\" or format = \"json\"",
                ));
            }
        };
        let origin = origin(&name, &peers.advertise, &self.cluster)?;
        let transactions = self.limits.transactions()?;
        let clock_tolerance = match self.limits.clock_tolerance_ms.unwrap_or(500) {
            0 => {
                return Err(wrong("limits.clock_tolerance_ms is 0", "write clock_tolerance_ms = 500, or leave it out"));
            }
            ms => ms,
        };
        let speaks = match self.cluster.hold_version.map(Version) {
            None => LATEST,
            Some(held) if (FIRST..=LATEST).contains(&held) => held,
            Some(held) => {
                return Err(wrong(
                    format!("cluster.hold_version is {held}, and this program knows {FIRST} to {LATEST}"),
                    "leave it out, so that the cluster uses what every node's program knows",
                ));
            }
        };
        let trace = trace(&self.trace)?;
        let replace_after = seconds("cluster.replace_after", self.cluster.replace_after)?;
        let join_within = seconds("cluster.join_within", self.cluster.join_within)?;
        Ok(Config {
            name,
            data_dir,
            postgres,
            peers,
            http,
            security,
            rules,
            authentication_timeout: Duration::from_secs(written.authentication_timeout.unwrap_or(60).clamp(1, 600)),
            reserved_connections: written.superuser_reserved_connections.unwrap_or(3),
            cluster: self.cluster.name.unwrap_or_else(|| "quorate".into()),
            origin,
            join_token: self.cluster.join_token,
            log_json,
            log_filter: self.log.filter.unwrap_or_else(|| "info".into()),
            max_connections: self.limits.connections.unwrap_or(10_000),
            disk_watermark: self.limits.disk_watermark_mib.unwrap_or(64) << 20,
            transactions,
            clock_tolerance: i64::from(clock_tolerance) * 1000,
            scrub_hours: self.limits.scrub_hours.unwrap_or(24).max(1),
            replace_after,
            join_within,
            speaks,
            trace,
            backup: self.backup,
        })
    }
}

fn trace(written: &TraceFile) -> Result<Trace, ConfigError> {
    let share = written.share.unwrap_or(0.0);
    if !(0.0..=1.0).contains(&share) {
        return Err(wrong(format!("trace.share is {share}"), "write a number from 0 to 1"));
    }
    let Some(endpoint) = &written.endpoint else { return Ok(Trace { collector: None, share }) };
    let advice = "write endpoint = \"http://127.0.0.1:4318\": a collector beside the node, which takes OTLP by HTTP";
    let place = endpoint.strip_prefix("http://").map(|place| place.trim_end_matches('/'));
    let place = place.filter(|place| !place.contains('/'));
    let place = place.ok_or_else(|| wrong(format!("trace.endpoint is \"{endpoint}\""), advice))?;
    let place = if place.rsplit(']').next().is_some_and(|rest| rest.contains(':')) {
        place.to_owned()
    } else {
        format!("{place}:4318")
    };
    Ok(Trace { collector: Some(address("trace.endpoint", &place, "127.0.0.1:4318")?.to_string()), share })
}

fn address(key: &str, text: &str, example: &str) -> Result<Address, ConfigError> {
    Address::parse(text).ok_or_else(|| {
        wrong(
            format!("{key} = \"{text}\" is not an address with a port"),
            format!("write a host name or an IP address (of IPv6 in brackets), a colon and a port, for example \"{example}\""),
        )
    })
}

/// One of the node's ports. With `host` it listens everywhere unless something else is written.
fn door(
    key: &str,
    listen: &Option<String>,
    advertise: &Option<String>,
    host: Option<&str>,
    port: u16,
) -> Result<Door, ConfigError> {
    let example = format!("127.0.0.1:{port}");
    let host = host.map(|host| host.trim_start_matches('[').trim_end_matches(']'));
    let listen = match (listen, host) {
        (Some(text), _) => address(&format!("listen.{key}"), text, &example)?,
        // The wildcard of IPv6 takes both kinds.
        (None, Some(_)) => Address { host: "::".into(), port },
        (None, None) => {
            return Err(wrong(
                format!("listen.{key} is missing"),
                format!("write {key} = \"{example}\" (an address and a port), or host = \"NAME\" for all of them"),
            ));
        }
    };
    let advertise = match (advertise, host) {
        (Some(text), _) => address(&format!("listen.advertise_{key}"), text, &format!("10.0.0.1:{port}"))?,
        (None, Some(host)) => {
            let reached = Address { host: host.to_owned(), port: listen.port };
            address("listen.host", &reached.to_string(), &format!("10.0.0.1:{port}"))?
        }
        (None, None) => listen.clone(),
    };
    if advertise.is_wildcard() {
        return Err(wrong(
            format!("listen.{key} = \"{listen}\" says where to listen, but not where others reach this node"),
            format!("write host = \"NAME\", the name or address of this machine, or advertise_{key} = \"NAME:{port}\""),
        ));
    }
    Ok(Door { listen, advertise })
}

fn security(file: &SecurityFile) -> Result<Security, ConfigError> {
    let files = match (&file.ca, &file.certificate, &file.key) {
        (None, None, None) => None,
        (Some(ca), Some(certificate), Some(key)) => Some([ca.clone(), certificate.clone(), key.clone()]),
        _ => {
            return Err(wrong(
                "security.ca, certificate and key belong together, and one of them is missing",
                "write all three, or none: then the program's own are used, from `pki` in the data directory",
            ));
        }
    };
    Ok(Security { files, open_metrics: file.open_metrics.unwrap_or(false) })
}

/// What a careful administrator writes: passwords over TLS from anywhere, passwords without it on this machine. A node that
/// only this machine can reach believes everybody.
const SECURE_RULES: [&str; 3] = [
    "hostssl all all all scram-sha-256",
    "host all all 127.0.0.1/32 scram-sha-256",
    "host all all ::1/128 scram-sha-256",
];
const LOCAL_RULES: [&str; 2] = ["host all all 127.0.0.1/32 trust", "host all all ::1/128 trust"];

fn rules(written: Option<&[String]>, secure: bool) -> Result<Rules, ConfigError> {
    let defaults: &[&str] = if secure { &SECURE_RULES } else { &LOCAL_RULES };
    let lines = written.map_or_else(|| defaults.to_vec(), |lines| lines.iter().map(String::as_str).collect());
    let rule = |line: &str| {
        Rule::parse(line).map_err(|why| {
            wrong(
                format!("security.rules has \"{line}\": {why}"),
                "write TYPE DATABASE USER ADDRESS METHOD, for example \"hostssl all all 10.0.0.0/8 scram-sha-256\"",
            )
        })
    };
    lines.into_iter().map(rule).collect::<Result<_, _>>().map(Rules)
}

fn origin(name: &str, reached_at: &Address, cluster: &Cluster) -> Result<Origin, ConfigError> {
    if let Some(join) = &cluster.join {
        if !cluster.initial.is_empty() {
            return Err(wrong(
                "both cluster.initial and cluster.join are given",
                "founders have `initial`, a node that joins later has `join`: delete one of them",
            ));
        }
        address("cluster.join", join, "127.0.0.1:8433")?;
        return Ok(Origin::Join(join.clone()));
    }
    if cluster.initial.is_empty() {
        return Err(wrong(
            "the node does not know its cluster",
            "write [[cluster.initial]] with id, name and peers for each founder, or cluster.join = \"HOST:PORT\" of a member",
        ));
    }
    let mut members = Vec::new();
    let (mut ids, mut names) = (BTreeSet::new(), BTreeSet::new());
    for node in &cluster.initial {
        check_name(&node.name)?;
        if node.id == 0 || !ids.insert(node.id) || !names.insert(node.name.as_str()) {
            return Err(wrong(
                format!("cluster.initial has the node {} \"{}\" twice, or with id 0", node.id, node.name),
                "give each founder its own id (from 1) and its own name",
            ));
        }
        members.push(Member {
            id: NodeId(node.id),
            name: node.name.clone(),
            peers: address("cluster.initial.peers", &node.peers, "127.0.0.1:7433")?,
        });
    }
    let me = members.iter().find(|m| m.name == name).ok_or_else(|| {
        wrong(
            format!("cluster.initial does not contain this node, \"{name}\""),
            "add it to the list, or join a running cluster with cluster.join = \"HOST:PORT\"",
        )
    })?;
    if me.peers != *reached_at {
        return Err(wrong(
            format!(
                "listen.peers (or advertise_peers) is {reached_at}, but cluster.initial tells the others to use {}",
                me.peers
            ),
            "write the same address in both places",
        ));
    }
    Ok(Origin::Founder { id: me.id, members })
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"
        name = "a"
        data_dir = "/tmp/a"
        [listen]
        postgres = "127.0.0.1:5433"
        peers = "127.0.0.1:7001"
        http = "127.0.0.1:8001"
        [[cluster.initial]]
        id = 1
        name = "a"
        peers = "127.0.0.1:7001"
    "#;

    fn error(text: &str) -> String {
        ConfigFile::parse(text).and_then(ConfigFile::check).unwrap_err().to_string()
    }

    #[test]
    fn a_good_file_is_accepted() {
        let config = ConfigFile::parse(GOOD).unwrap().check().unwrap();
        assert_eq!(config.name, "a");
        assert!(matches!(config.origin, Origin::Founder { id: NodeId(1), ref members } if members.len() == 1));
    }

    #[test]
    fn mistakes_say_what_to_write() {
        let cases = [
            (GOOD.replace("name = \"a\"\n        data_dir", "data_dir"), "write name ="),
            (GOOD.replace("127.0.0.1:5433", "0.0.0.0:5433"), "where others reach this node"),
            (GOOD.replace("127.0.0.1:5433", "localhost"), "is not an address with a port"),
            (format!("{GOOD}\n[security]\nrules = [\"host all all all md5\"]"), "the method md5"),
            (format!("{GOOD}\n[security]\nca = \"x\""), "belong together"),
            (GOOD.replace("id = 1", "id = 0"), "its own id (from 1)"),
            (
                GOOD.replace(
                    "[[cluster.initial]]\n        id = 1\n        name = \"a\"",
                    "[[cluster.initial]]\n        id = 1\n        name = \"b\"",
                ),
                "does not contain this node",
            ),
            (
                GOOD.replace("peers = \"127.0.0.1:7001\"\n        http", "peers = \"127.0.0.1:7002\"\n        http"),
                "the same address in both places",
            ),
            (format!("nmae = \"a\"\n{GOOD}"), "the keys are"),
            (format!("{GOOD}\n[log]\nformat = \"xml\""), "format = \"json\""),
            (format!("{GOOD}\n[limits]\ntransactions = 0"), "write transactions = 1000"),
        ];
        for (text, expected) in cases {
            let message = error(&text);
            assert!(message.contains(expected), "{expected:?} not in {message:?}");
        }
    }

    #[test]
    fn beyond_loopback_there_are_certificates_and_passwords() {
        let check = |text: &str| ConfigFile::parse(text).unwrap().check().unwrap();
        assert!(check(GOOD).security.is_none());
        assert!(check(&format!("{GOOD}\n[security]")).security.is_some());
        assert!(check(&GOOD.replace("127.0.0.1:8001", "10.0.0.1:8001")).security.is_some());
        let config = check(
            "name = \"a\"\ndata_dir = \"/tmp/a\"\n[listen]\nhost = \"fd00::1\"\npeers = \"[::]:7001\"\n\
             [cluster]\njoin = \"db.example:8433\"",
        );
        assert!(config.security.is_some());
        assert_eq!(config.postgres.listen.to_string(), "[::]:5433");
        assert_eq!(config.peers.advertise.to_string(), "[fd00::1]:7001");
    }

    #[test]
    fn addresses_are_names_or_numbers_with_a_port() {
        for text in ["db-1.example:1", "10.0.0.1:65535", "[::1]:5433"] {
            assert_eq!(Address::parse(text).map(|a| a.to_string()).as_deref(), Some(text));
        }
        for text in ["", "host", ":1", "::1:5433", "[db]:1", "a b:1", "host:65536", "user@host:1", "ho/st:1"] {
            assert_eq!(Address::parse(text), None, "{text}");
        }
    }
}
