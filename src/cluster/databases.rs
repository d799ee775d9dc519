//! The databases of the cluster, as the system group has them: which there are, and how far each has come.
//!
//! A database is there for clients when its row says `live`, and not before: then its group has a leader and content. One that
//! is `creating` has its group, its replicas and its name, and can be completed by anybody who sees it; one that is `dropping`
//! takes no new sessions, and becomes `live` again or nothing. A row that is gone whose group's number was given out is a
//! database that was dropped: every node then removes what it has of it. Numbers of groups and replicas, and OIDs, are given
//! out once.

use super::{REPLICAS_GIVEN, command, step, text};
use crate::command::{Command, Step, Yields};
pub use crate::id::HOME;
use crate::id::{FIRST_DATABASE_GROUP, GroupId, NodeId, ReplicaId};
use crate::value::Value;
use std::collections::BTreeMap;

/// OIDs of those that every cluster begins with are below: they can be waked again after an attempt that failed.
const FIRST_OID: u32 = HOME;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Nobody has used it yet: it has no group.
    Asleep,
    Creating,
    Live,
    Dropping,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Database {
    pub oid: u32,
    pub name: String,
    pub group: Option<GroupId>,
    pub state: State,
    /// The role that it is made for.
    pub owner: u32,
    /// The first voters.
    pub founders: BTreeMap<ReplicaId, NodeId>,
    pub template: Option<GroupId>,
    /// Where the first copy of the template is made; without a template, which node has the first content in a file.
    pub seed: Option<NodeId>,
    pub connections: bool,
    pub is_template: bool,
    pub connection_limit: i32,
}

impl Database {
    /// It begins with what was in a backup.
    pub fn is_restored(&self) -> bool {
        self.seed.is_some() && self.template.is_none()
    }

    /// It holds the roles of the cluster.
    pub fn is_home(&self) -> bool {
        self.group == Some(FIRST_DATABASE_GROUP)
    }
}

/// Attributes that a statement sets; those it does not name stay.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Attributes {
    pub connections: Option<bool>,
    pub is_template: Option<bool>,
    pub connection_limit: Option<i32>,
}

/// What a new database is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct New {
    pub name: String,
    pub owner: u32,
    pub attributes: Attributes,
    /// The group that it is a copy of.
    pub template: Option<GroupId>,
    /// See [`Database::seed`].
    pub seed: Option<NodeId>,
}

/// Reads all databases, and the next number of a group, in one; decode with [`databases`].
pub const DATABASES: &str = "SELECT oid, name, group_id, state, owner, founders, template, seed, connections, is_template, \
     connection_limit, (SELECT next FROM counters WHERE name = 'group') FROM databases ORDER BY oid";

const DUPLICATE: &str = "SELECT '42P04', 'database \"' || name || '\" already exists', NULL, NULL, NULL, NULL, NULL, NULL, NULL \
     FROM databases WHERE name = ?1";
const MISSING: &str = "SELECT '3D000', 'database with OID ' || ?1 || ' does not exist', NULL, NULL, NULL, NULL, NULL, NULL, NULL \
     WHERE NOT EXISTS (SELECT 1 FROM databases WHERE oid = ?1 AND state IN ('live', 'asleep'))";
const REOPENED: &str = "SELECT '55006', 'database \"' || name || '\" is being accessed by other users', NULL, NULL, NULL, NULL, NULL, \
     NULL, NULL FROM databases WHERE oid = ?1 AND state <> 'dropping'";
const UNUSABLE: &str = "SELECT '55006', 'database \"' || name || '\" is being made or dropped', NULL, NULL, NULL, NULL, NULL, NULL, \
     NULL FROM databases WHERE oid = ?1 AND state IN ('creating', 'dropping')";

fn int(n: impl Into<i64>) -> Value {
    Value::Int(n.into())
}

fn number(n: u64) -> Value {
    Value::Int(n as i64)
}

fn node_or_null(node: Option<NodeId>) -> Value {
    node.map_or(Value::Null, |node| number(node.0))
}

/// A new database, whose group's first voters are on these nodes; all others get a copy as well.
pub fn create(new: &New, voters: &[NodeId]) -> Command {
    let template = new.template.map_or(Value::Null, |group| number(group.0));
    let attributes = new.attributes;
    let mut steps = vec![step(
        vec![
            (DUPLICATE, Yields::Guard),
            (
                "INSERT INTO databases(oid, name, group_id, state, owner, template, seed, connections, is_template, \
                 connection_limit) SELECT o.next, ?1, g.next, 'creating', ?2, ?3, ?4, ?5, ?6, ?7 \
                 FROM counters o, counters g WHERE o.name = 'oid' AND g.name = 'group'",
                Yields::Nothing,
            ),
            ("UPDATE counters SET next = next + 1 WHERE name IN ('oid', 'group')", Yields::Nothing),
        ],
        vec![
            text(&new.name),
            int(new.owner),
            template,
            node_or_null(new.seed),
            int(i64::from(attributes.connections.unwrap_or(true))),
            int(i64::from(attributes.is_template.unwrap_or(false))),
            int(attributes.connection_limit.unwrap_or(-1)),
        ],
    )];
    steps.extend(place(&new.name, voters));
    command(steps)
}

/// One that is asleep is to have a group, whose first content the seed has, if there is one; without effect on any other.
pub fn wake(name: &str, seed: Option<NodeId>, voters: &[NodeId]) -> Command {
    let mut steps = vec![step(
        vec![
            (
                "UPDATE databases SET state = 'creating', seed = ?2, \
                 group_id = (SELECT next FROM counters WHERE name = 'group') WHERE name = ?1 AND state = 'asleep'",
                Yields::Nothing,
            ),
            (
                "UPDATE counters SET next = next + 1 WHERE name = 'group' \
                 AND next = (SELECT group_id FROM databases WHERE name = ?1)",
                Yields::Nothing,
            ),
        ],
        vec![text(name), node_or_null(seed)],
    )];
    steps.extend(place(name, voters));
    command(steps)
}

/// Gives the new group its replicas, and fixes who founds it: once. Who else is a member when this is applied gets a learner.
fn place(name: &str, voters: &[NodeId]) -> Vec<Step> {
    const ROWS: &str = "INSERT INTO placement(group_id, node_id, replica_id, role) \
         SELECT d.group_id, n.id, c.next - 1 + row_number() OVER (ORDER BY n.id), ?2 FROM databases d, nodes n, counters c \
         WHERE d.name = ?1 AND d.state = 'creating' AND d.founders = '' AND n.state IN ('up', 'joining') AND c.name = 'replica' \
         AND NOT EXISTS (SELECT 1 FROM placement p WHERE p.group_id = d.group_id AND p.node_id = n.id)";
    let replicas = |which: &str, role: &str| {
        let rows = format!("{ROWS}{which}");
        step(vec![(rows.as_str(), Yields::Nothing), (REPLICAS_GIVEN, Yields::Nothing)], vec![text(name), text(role)])
    };
    let chosen: Vec<String> = voters.iter().map(|node| node.0.to_string()).collect();
    let mut steps = vec![replicas(&format!(" AND n.id IN ({})", chosen.join(", ")), "voter"), replicas("", "learner")];
    steps.push(step(
        vec![(
            "UPDATE databases SET founders = (SELECT group_concat(replica_id || ':' || node_id, ' ') FROM \
             (SELECT p.replica_id, p.node_id FROM placement p WHERE p.group_id = databases.group_id AND p.role = 'voter' \
             ORDER BY p.replica_id)) WHERE name = ?1 AND state = 'creating' AND founders = ''",
            Yields::Nothing,
        )],
        vec![text(name)],
    ));
    steps
}

/// Its group has content: from now on it is there for everybody.
pub fn complete(group: GroupId) -> Command {
    let done = "UPDATE databases SET state = 'live' WHERE group_id = ?1 AND state = 'creating'";
    command(vec![step(vec![(done, Yields::Nothing)], vec![number(group.0)])])
}

/// Nothing comes of a group that was being made.
pub fn abandon(group: GroupId) -> Command {
    command(vec![step(
        vec![
            (
                "DELETE FROM placement WHERE group_id IN (SELECT group_id FROM databases WHERE group_id = ?1 AND state = 'creating')",
                Yields::Nothing,
            ),
            (
                "UPDATE databases SET state = 'asleep', group_id = NULL, founders = '', seed = NULL \
                 WHERE group_id = ?1 AND state = 'creating' AND oid < ?2",
                Yields::Nothing,
            ),
            ("DELETE FROM databases WHERE group_id = ?1 AND state = 'creating'", Yields::Nothing),
        ],
        vec![number(group.0), int(FIRST_OID)],
    )])
}

/// From now on nobody new is let into it.
pub fn close(oid: u32) -> Command {
    command(vec![step(
        vec![
            (UNUSABLE, Yields::Guard),
            (MISSING, Yields::Guard),
            ("UPDATE databases SET state = 'dropping' WHERE oid = ?1", Yields::Nothing),
        ],
        vec![int(oid)],
    )])
}

/// It is not dropped after all.
pub fn reopen(oid: u32) -> Command {
    let open = "UPDATE databases SET state = CASE WHEN group_id IS NULL THEN 'asleep' ELSE 'live' END \
                WHERE oid = ?1 AND state = 'dropping'";
    command(vec![step(vec![(open, Yields::Nothing)], vec![int(oid)])])
}

/// It is no more: its name is free. Fails if it is open again.
pub fn remove(oid: u32) -> Command {
    command(vec![step(
        vec![
            (REOPENED, Yields::Guard),
            (
                "DELETE FROM placement WHERE group_id IN (SELECT group_id FROM databases WHERE oid = ?1 AND state = 'dropping')",
                Yields::Nothing,
            ),
            ("DELETE FROM databases WHERE oid = ?1 AND state = 'dropping'", Yields::Nothing),
        ],
        vec![int(oid)],
    )])
}

pub fn rename(oid: u32, to: &str) -> Command {
    command(vec![
        step(vec![(DUPLICATE, Yields::Guard)], vec![text(to)]),
        step(
            vec![
                (UNUSABLE, Yields::Guard),
                (MISSING, Yields::Guard),
                ("UPDATE databases SET name = ?2 WHERE oid = ?1", Yields::Nothing),
            ],
            vec![int(oid), text(to)],
        ),
    ])
}

pub fn alter(oid: u32, attributes: &Attributes) -> Command {
    let flag = |value: Option<bool>| value.map_or(Value::Null, |on| int(i64::from(on)));
    command(vec![step(
        vec![
            (UNUSABLE, Yields::Guard),
            (MISSING, Yields::Guard),
            (
                "UPDATE databases SET connections = coalesce(?2, connections), is_template = coalesce(?3, is_template), \
                 connection_limit = coalesce(?4, connection_limit) WHERE oid = ?1",
                Yields::Nothing,
            ),
        ],
        vec![
            int(oid),
            flag(attributes.connections),
            flag(attributes.is_template),
            attributes.connection_limit.map_or(Value::Null, int),
        ],
    )])
}

/// Decodes the rows of [`DATABASES`]: the databases by OID, and the next number of a group.
pub fn databases(rows: &[Vec<Value>]) -> (BTreeMap<u32, Database>, u64) {
    let mut next = 0;
    let mut all = BTreeMap::new();
    for row in rows {
        let int = |i: usize| if let Some(Value::Int(n)) = row.get(i) { Some(*n) } else { None };
        let text = |i: usize| if let Some(Value::Text(text)) = row.get(i) { text.as_str() } else { "" };
        let founder = |pair: &str| {
            let (replica, node) = pair.split_once(':')?;
            Some((ReplicaId(replica.parse().ok()?), NodeId(node.parse().ok()?)))
        };
        let group = |i: usize| int(i).map(|n| GroupId(n as u64));
        let oid = int(0).unwrap_or_default() as u32;
        let database = Database {
            oid,
            name: text(1).to_owned(),
            group: group(2),
            state: match text(3) {
                "live" => State::Live,
                "creating" => State::Creating,
                "dropping" => State::Dropping,
                _ => State::Asleep,
            },
            owner: int(4).unwrap_or_default() as u32,
            founders: text(5).split(' ').filter_map(founder).collect(),
            template: group(6),
            seed: int(7).map(|n| NodeId(n as u64)),
            connections: int(8) == Some(1),
            is_template: int(9) == Some(1),
            connection_limit: int(10).unwrap_or(-1) as i32,
        };
        next = int(11).unwrap_or_default() as u64;
        all.insert(oid, database);
    }
    (all, next)
}
