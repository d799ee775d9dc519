//! The system group's content: which nodes there are, which databases, and where their replicas live.
//!
//! It is an ordinary group whose SQL is fixed: the statements below are all that is ever put into its log. Every node
//! has a replica of it, so every node can look things up without asking anyone; what it finds may be a little old,
//! except for what was changed through it.

use crate::command::{Command, Outcome, Statement, Step, StepOutcome, Write, Yields};
use crate::error::{SqlError, SqlResult};
use crate::id::{GroupId, NodeId, ReplicaId};
use crate::types::Env;
use crate::value::Value;

/// A node as registered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeEntry {
    pub id: NodeId,
    pub name: String,
    pub incarnation: u64,
    pub peer_addr: String,
    pub pg_addr: String,
    pub http_addr: String,
    /// `joining`, `up`, `leaving`, `gone`.
    pub state: String,
}

/// Where a replica lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    pub group: GroupId,
    pub node: NodeId,
    pub replica: ReplicaId,
}

/// Reads all nodes; decode with [`nodes`].
pub const NODES: &str = "SELECT id, name, incarnation, peer_addr, pg_addr, http_addr, state FROM nodes ORDER BY id";
/// Reads where replicas are; decode with [`places`].
pub const PLACES: &str = "SELECT group_id, node_id, replica_id FROM placement ORDER BY group_id, node_id";

/// The SQLSTATE-bearing refusal of a node that is not who it says. Raised by a guard, so the log decides.
const IMPOSTOR: &str = "SELECT '28000', 'node ' || name || ' is registered with another identity', \
     'The data directory is not the one that this node had.', \
     'If its disk was lost, remove its directory and let it join under another name.', \
     NULL, NULL, NULL, NULL, NULL FROM nodes WHERE id = ?1 AND incarnation <> ?3";
const NAME_TAKEN: &str = "SELECT '42710', 'a node named ' || name || ' is a member already', NULL, \
     'Give the new node another name.', NULL, NULL, NULL, NULL, NULL FROM nodes WHERE name = ?1 AND incarnation <> ?2";

/// A founder's registration, or a node's at each start: idempotent. `replicas` are the node's own.
pub fn register(node: &NodeEntry, databases: &[(&str, GroupId)], replicas: &[Place]) -> Command {
    let mut steps = vec![step(
        vec![
            (IMPOSTOR, Yields::Guard),
            (
                "INSERT INTO nodes(id, name, incarnation, peer_addr, pg_addr, http_addr, state) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, 'up') ON CONFLICT(id) DO UPDATE SET peer_addr = excluded.peer_addr, \
                 pg_addr = excluded.pg_addr, http_addr = excluded.http_addr, state = 'up'",
                Yields::Nothing,
            ),
            ("UPDATE counters SET next = max(next, ?1 + 1) WHERE name = 'node'", Yields::Nothing),
        ],
        vec![
            Value::Int(node.id.0 as i64),
            text(&node.name),
            Value::Int(node.incarnation as i64),
            text(&node.peer_addr),
            text(&node.pg_addr),
            text(&node.http_addr),
        ],
    )];
    for (name, group) in databases {
        steps.push(step(
            vec![
                (
                    "INSERT INTO databases(name, group_id, oid) SELECT ?1, ?2, next FROM counters WHERE name = 'oid' \
                     ON CONFLICT DO NOTHING",
                    Yields::Count,
                ),
                ("UPDATE counters SET next = next + 1 WHERE name = 'oid'", Yields::Nothing),
                ("UPDATE counters SET next = max(next, ?2 + 1) WHERE name = 'group'", Yields::Nothing),
            ],
            vec![text(name), Value::Int(group.0 as i64)],
        ));
    }
    steps.extend(replicas.iter().map(|place| {
        step(
            vec![
                (
                    "INSERT INTO placement(group_id, node_id, replica_id, role) VALUES (?1, ?2, ?3, 'voter') \
                     ON CONFLICT DO NOTHING",
                    Yields::Nothing,
                ),
                ("UPDATE counters SET next = max(next, ?3 + 1) WHERE name = 'replica'", Yields::Nothing),
            ],
            vec![Value::Int(place.group.0 as i64), Value::Int(place.node.0 as i64), Value::Int(place.replica.0 as i64)],
        )
    }));
    command(steps)
}

/// A new node: gets an id, and a learner's place in each group. Asked again by the same data directory, it gets the
/// same. The outcome's second step has the node's id.
pub fn join(node: &NodeEntry, groups: &[GroupId]) -> Command {
    let who = || vec![text(&node.name), Value::Int(node.incarnation as i64)];
    let mut steps = vec![
        step(
            vec![
                (NAME_TAKEN, Yields::Guard),
                (
                    "INSERT INTO nodes(id, name, incarnation, peer_addr, pg_addr, http_addr, state) \
                     SELECT next, ?1, ?2, ?3, ?4, ?5, 'joining' FROM counters WHERE name = 'node' \
                     ON CONFLICT DO NOTHING",
                    Yields::Nothing,
                ),
                (
                    "UPDATE counters SET next = (SELECT max(id) + 1 FROM nodes) WHERE name = 'node' \
                     AND next <= (SELECT max(id) FROM nodes)",
                    Yields::Nothing,
                ),
            ],
            [who(), vec![text(&node.peer_addr), text(&node.pg_addr), text(&node.http_addr)]].concat(),
        ),
        step(vec![("SELECT id FROM nodes WHERE name = ?1 AND incarnation = ?2", Yields::Rows)], who()),
    ];
    for group in groups {
        steps.push(step(
            vec![
                (
                    "INSERT INTO placement(group_id, node_id, replica_id, role) \
                     SELECT ?3, n.id, c.next, 'learner' FROM nodes n, counters c \
                     WHERE n.name = ?1 AND n.incarnation = ?2 AND c.name = 'replica' ON CONFLICT DO NOTHING",
                    Yields::Nothing,
                ),
                (
                    "UPDATE counters SET next = (SELECT max(replica_id) + 1 FROM placement) WHERE name = 'replica' \
                     AND next <= (SELECT max(replica_id) FROM placement)",
                    Yields::Nothing,
                ),
            ],
            [who(), vec![Value::Int(group.0 as i64)]].concat(),
        ));
    }
    command(steps)
}

/// The new node's id from the outcome of [`join`].
pub fn joined(outcome: &Outcome) -> SqlResult<NodeId> {
    let steps = done(outcome)?;
    match steps.get(1).and_then(|s| s.rows.first()).and_then(|r| r.first()) {
        Some(Value::Int(id)) => Ok(NodeId(*id as u64)),
        other => Err(SqlError::internal(format!("joining gave no node id but {other:?}"))),
    }
}

/// The steps of an outcome that must be a success.
pub fn done(outcome: &Outcome) -> SqlResult<&[StepOutcome]> {
    match outcome {
        Outcome::Done(steps) => Ok(steps),
        Outcome::Failed { error, .. } => Err(error.clone()),
        Outcome::Refused(refusal) => Err(SqlError::internal(format!("the system group refused: {refusal:?}"))),
    }
}

/// Decodes the rows of [`NODES`].
pub fn nodes(rows: &[Vec<Value>]) -> Vec<NodeEntry> {
    rows.iter()
        .filter_map(|row| match row.as_slice() {
            [
                Value::Int(id),
                Value::Text(name),
                Value::Int(incarnation),
                Value::Text(peer_addr),
                Value::Text(pg_addr),
                Value::Text(http_addr),
                Value::Text(state),
            ] => Some(NodeEntry {
                id: NodeId(*id as u64),
                name: name.clone(),
                incarnation: *incarnation as u64,
                peer_addr: peer_addr.clone(),
                pg_addr: pg_addr.clone(),
                http_addr: http_addr.clone(),
                state: state.clone(),
            }),
            _ => None,
        })
        .collect()
}

/// Decodes the rows of [`PLACES`].
pub fn places(rows: &[Vec<Value>]) -> Vec<Place> {
    rows.iter()
        .filter_map(|row| match row.as_slice() {
            [Value::Int(group), Value::Int(node), Value::Int(replica)] => Some(Place {
                group: GroupId(*group as u64),
                node: NodeId(*node as u64),
                replica: ReplicaId(*replica as u64),
            }),
            _ => None,
        })
        .collect()
}

fn text(s: &str) -> Value {
    Value::Text(s.to_owned())
}

fn step(statements: Vec<(&str, Yields)>, params: Vec<Value>) -> Step {
    let statements = statements.into_iter().map(|(sql, yields)| Statement::new(sql, yields)).collect();
    Step { statements, params: vec![params], ..Step::default() }
}

/// The system group's schema never changes by DDL, and its commands may be repeated without harm: no version, no age.
fn command(steps: Vec<Step>) -> Command {
    Command::Write(Write { schema_version: SCHEMA, born: u64::MAX, env: Env::default(), steps, transaction: None })
}

/// The system group as a database: clients cannot connect to it.
pub const DATABASE: &str = "system";

/// The version of the system group's schema as its migrations leave it.
pub const SCHEMA: u64 = 0;
