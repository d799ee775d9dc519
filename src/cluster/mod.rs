//! The system group's content: which nodes there are, which databases, and where their replicas live.
//!
//! It is an ordinary group whose SQL is fixed: the statements below are all that is ever put into its log. Every node
//! has a replica of it, so every node can look things up without asking anyone; what it finds may be a little old,
//! except for what was changed through it.

pub mod authority;
pub mod databases;
pub mod founding;
pub mod token;
pub mod voters;

use crate::command::{Command, Outcome, Statement, Step, StepOutcome, Write, Yields};
use crate::error::{SqlError, SqlResult};
use crate::id::{GroupId, NodeId, ReplicaId, SYSTEM_GROUP};
use crate::types::Env;
use crate::value::Value;
use crate::version::Version;
use std::collections::BTreeMap;

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
    /// The highest version of the cluster that its program can take part in, as of its last start; 0 as long as it has not
    /// told.
    pub speaks: Version,
}

impl NodeEntry {
    /// Its votes are others', now or soon.
    pub fn leaves(&self) -> bool {
        matches!(self.state.as_str(), "leaving" | "gone")
    }
}

/// Where a replica lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    pub group: GroupId,
    pub node: NodeId,
    pub replica: ReplicaId,
}

/// Reads all nodes; decode with [`nodes`].
pub const NODES: &str =
    "SELECT id, name, incarnation, peer_addr, pg_addr, http_addr, state, speaks FROM nodes ORDER BY id";
/// Reads where replicas are; decode with [`places`].
pub const PLACES: &str = "SELECT group_id, node_id, replica_id FROM placement ORDER BY group_id, node_id";

/// Reads which leaving node is to be replaced by which; decode with [`successors`].
pub const SUCCESSORS: &str = "SELECT substr(name, 11), value FROM settings WHERE substr(name, 1, 10) = 'successor/'";

/// How many nodes may be joining at a time: whoever asks becomes one, and is forgotten if it does not come.
const MAX_JOINING: usize = 5;

/// The SQLSTATE-bearing refusal of a node that is not who it says. Raised by a guard, so the log decides.
const IMPOSTOR: &str = "SELECT '28000', 'node ' || name || ' is registered with another identity', \
     'The data directory is not the one that this node had.', \
     'If its disk was lost, remove its directory and let it join under another name.', \
     NULL, NULL, NULL, NULL, NULL FROM nodes WHERE id = ?1 AND incarnation <> ?3";
const REMOVED: &str = "SELECT '28000', 'node ' || name || ' was removed from the cluster', NULL, \
     'Delete its data directory and let it join anew.', NULL, NULL, NULL, NULL, NULL \
     FROM nodes WHERE id = ?1 AND state = 'gone'";
const NAME_TAKEN: &str = "SELECT '42710', 'a node named ' || name || ' is a member already', NULL, \
     'Give the new node another name.', NULL, NULL, NULL, NULL, NULL FROM nodes \
     WHERE name = ?1 AND incarnation <> ?2 AND id <> ?6";
const LAST_NODE: &str = "SELECT '55000', 'node ' || name || ' is the last one: nobody would have the data', NULL, \
     NULL, NULL, NULL, NULL, NULL, NULL FROM nodes n WHERE id = ?1 \
     AND NOT EXISTS (SELECT 1 FROM nodes o WHERE o.id <> n.id AND o.state = 'up')";
const NOT_FOUNDED: &str = "SELECT '57P03', 'the founders of the cluster have not met yet', NULL, NULL, NULL, NULL, NULL, \
     NULL, NULL WHERE NOT EXISTS (SELECT 1 FROM nodes)";
const NO_NODE: &str = "SELECT '42704', 'there is no such node', NULL, NULL, NULL, NULL, NULL, NULL, NULL \
     WHERE NOT EXISTS (SELECT 1 FROM nodes WHERE id = ?1 AND state <> 'gone')";

/// A node's registration at each start: idempotent. A founder registers all `founders`, with where their replicas live:
/// from its first entry on the cluster knows who they are, and gives nobody else the number of a founder's replica, however
/// late that founder is to speak for itself.
pub fn register(node: &NodeEntry, founders: &[NodeEntry], places: &[Place]) -> Command {
    // In the order of their numbers, which the counters follow.
    let mut founders: Vec<&NodeEntry> = founders.iter().collect();
    founders.sort_by_key(|n| n.id);
    let mut steps: Vec<Step> = Vec::new();
    for founder in founders {
        let own = places.iter().filter(|p| p.node == founder.id);
        steps.push(founder_step(founder));
        steps.extend(own.clone().map(|place| place_step(*place)));
        steps.extend(own.map(|place| {
            let taken = "UPDATE counters SET next = max(next, ?1 + 1) WHERE name = 'replica'";
            step(vec![(taken, Yields::Nothing)], vec![Value::Int(place.replica.0 as i64)])
        }));
    }
    steps.push(step(
        vec![
            (REMOVED, Yields::Guard),
            (IMPOSTOR, Yields::Guard),
            (
                "INSERT INTO nodes(id, name, incarnation, peer_addr, pg_addr, http_addr, state, speaks) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, 'up', ?7) ON CONFLICT(id) DO UPDATE SET peer_addr = excluded.peer_addr, \
                 pg_addr = excluded.pg_addr, http_addr = excluded.http_addr, speaks = excluded.speaks, \
                 state = CASE state WHEN 'leaving' THEN state ELSE 'up' END",
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
            Value::Int(node.speaks.0.into()),
        ],
    ));
    command(steps)
}

fn founder_step(node: &NodeEntry) -> Step {
    step(
        vec![
            (
                "INSERT INTO nodes(id, name, incarnation, peer_addr, pg_addr, http_addr, state) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, 'up') ON CONFLICT DO NOTHING",
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
    )
}

/// The numbers of replicas that stand in a placement are given out.
const REPLICAS_GIVEN: &str = "UPDATE counters SET next = (SELECT max(replica_id) + 1 FROM placement) WHERE name = 'replica' \
     AND next <= (SELECT max(replica_id) FROM placement)";

/// A founder's replica, unless its number was given out before: then it was registered, and may have been removed since.
fn place_step(place: Place) -> Step {
    let insert = "INSERT INTO placement(group_id, node_id, replica_id, role) SELECT ?1, ?2, ?3, 'voter' \
                  FROM counters WHERE name = 'replica' AND next <= ?3";
    step(
        vec![(insert, Yields::Nothing)],
        vec![Value::Int(place.group.0 as i64), Value::Int(place.node.0 as i64), Value::Int(place.replica.0 as i64)],
    )
}

/// A new node: gets an id, and a learner's place in each group that there is when this is applied: a database that was begun
/// meanwhile is among them, or gives the node a place itself. Asked again by the same data directory, it gets the same. `replaces` is the node of this name that is known to be away: if it is another directory's, that one leaves, and
/// the new one takes its place. The outcome's second step has the node's id. `right` is what gives it the right to join: the
/// step that uses up its token.
pub fn join(node: &NodeEntry, replaces: Option<NodeId>, right: Option<Step>) -> Command {
    let who = || vec![text(&node.name), Value::Int(node.incarnation as i64)];
    let replaces = replaces.map_or(0, |id| id.0 as i64);
    let crowd = format!(
        "SELECT '53300', 'too many nodes are joining', NULL, \
         'Those that do not come are forgotten after a while: try again then.', NULL, NULL, NULL, NULL, NULL \
         WHERE (SELECT count(*) FROM nodes WHERE state = 'joining') >= {MAX_JOINING} \
         AND NOT EXISTS (SELECT 1 FROM nodes WHERE name = ?1 AND incarnation = ?2)"
    );
    let mut steps = vec![
        step(
            vec![
                // Whatever is given out before would be a founder's.
                (NOT_FOUNDED, Yields::Guard),
                (NAME_TAKEN, Yields::Guard),
                (&crowd, Yields::Guard),
                (
                    "INSERT INTO settings(name, value) SELECT 'successor/' || n.id, c.next FROM nodes n, counters c \
                     WHERE n.id = ?6 AND n.name = ?1 AND n.incarnation <> ?2 AND c.name = 'node' \
                     ON CONFLICT(name) DO UPDATE SET value = excluded.value",
                    Yields::Nothing,
                ),
                (
                    "UPDATE nodes SET name = name || '#' || id, state = 'leaving' \
                     WHERE id = ?6 AND name = ?1 AND incarnation <> ?2",
                    Yields::Nothing,
                ),
                (
                    "INSERT INTO nodes(id, name, incarnation, peer_addr, pg_addr, http_addr, state, speaks) \
                     SELECT next, ?1, ?2, ?3, ?4, ?5, 'joining', ?7 FROM counters WHERE name = 'node' \
                     ON CONFLICT DO NOTHING",
                    Yields::Nothing,
                ),
                (
                    "UPDATE counters SET next = (SELECT max(id) + 1 FROM nodes) WHERE name = 'node' \
                     AND next <= (SELECT max(id) FROM nodes)",
                    Yields::Nothing,
                ),
            ],
            [
                who(),
                vec![text(&node.peer_addr), text(&node.pg_addr), text(&node.http_addr)],
                vec![Value::Int(replaces), Value::Int(node.speaks.0.into())],
            ]
            .concat(),
        ),
        step(vec![("SELECT id FROM nodes WHERE name = ?1 AND incarnation = ?2", Yields::Rows)], who()),
    ];
    steps.push(step(
        vec![
            (
                "INSERT INTO placement(group_id, node_id, replica_id, role) \
                 SELECT g.id, n.id, c.next - 1 + row_number() OVER (ORDER BY g.id), 'learner' \
                 FROM (SELECT ?3 AS id UNION SELECT group_id FROM databases WHERE group_id IS NOT NULL) g, nodes n, counters c \
                 WHERE n.name = ?1 AND n.incarnation = ?2 AND c.name = 'replica' \
                 AND NOT EXISTS (SELECT 1 FROM placement p WHERE p.group_id = g.id AND p.node_id = n.id)",
                Yields::Nothing,
            ),
            (REPLICAS_GIVEN, Yields::Nothing),
        ],
        [who(), vec![Value::Int(SYSTEM_GROUP.0 as i64)]].concat(),
    ));
    steps.extend(right);
    command(steps)
}

/// The node is to leave all groups; `successor` takes its votes, if one is named.
pub fn remove(node: NodeId, successor: Option<NodeId>) -> Command {
    let id = Value::Int(node.0 as i64);
    let mut steps = vec![step(
        vec![
            (NO_NODE, Yields::Guard),
            (LAST_NODE, Yields::Guard),
            ("UPDATE nodes SET state = 'leaving' WHERE id = ?1 AND state <> 'gone'", Yields::Nothing),
        ],
        vec![id.clone()],
    )];
    if let Some(successor) = successor {
        let named = "INSERT INTO settings(name, value) VALUES ('successor/' || ?1, ?2) \
                     ON CONFLICT(name) DO UPDATE SET value = excluded.value";
        steps.push(step(vec![(named, Yields::Nothing)], vec![id, text(&successor.0.to_string())]));
    }
    command(steps)
}

/// The node is in no group any more. One that was a member is remembered, so that it can be told; one that never came
/// is forgotten.
pub fn forget(node: NodeId) -> Command {
    command(vec![step(
        vec![
            ("DELETE FROM placement WHERE node_id = ?1", Yields::Nothing),
            ("DELETE FROM nodes WHERE id = ?1 AND state = 'joining'", Yields::Nothing),
            // Whoever was to be replaced by a directory that never came is what it was.
            (
                "UPDATE nodes SET state = 'up', name = substr(name, 1, instr(name, '#') - 1) \
                 WHERE state = 'leaving' AND instr(name, '#') > 0 \
                 AND NOT EXISTS (SELECT 1 FROM nodes n WHERE n.id = ?1) \
                 AND EXISTS (SELECT 1 FROM settings s WHERE s.name = 'successor/' || nodes.id \
                 AND s.value = CAST(?1 AS TEXT)) \
                 AND NOT EXISTS (SELECT 1 FROM nodes o WHERE o.id <> ?1 \
                 AND o.name = substr(nodes.name, 1, instr(nodes.name, '#') - 1))",
                Yields::Nothing,
            ),
            ("DELETE FROM settings WHERE name = 'successor/' || ?1", Yields::Nothing),
            (
                "DELETE FROM settings WHERE substr(name, 1, 10) = 'successor/' AND value = CAST(?1 AS TEXT)",
                Yields::Nothing,
            ),
            (
                "UPDATE nodes SET state = 'gone', name = CASE WHEN instr(name, '#') > 0 THEN name \
                 ELSE name || '#' || id END WHERE id = ?1 AND state = 'leaving'",
                Yields::Nothing,
            ),
        ],
        vec![Value::Int(node.0 as i64)],
    )])
}

/// What makes a node the only member of another cluster: SQL for the state of a system group that nobody has open. Databases
/// of which it has no replica are not that cluster's.
pub fn alone(node: NodeId, name: &str, incarnation: u64, replicas: &BTreeMap<GroupId, ReplicaId>) -> Vec<String> {
    let (me, incarnation, name) = (node.0, incarnation as i64, name.replace('\'', "''"));
    let groups: Vec<String> = replicas.keys().map(|group| group.0.to_string()).collect();
    let mut statements = vec![
        format!("DELETE FROM placement WHERE node_id <> {me}"),
        format!("DELETE FROM nodes WHERE id <> {me} AND state = 'joining'"),
        format!(
            "UPDATE nodes SET state = 'gone', name = CASE WHEN instr(name, '#') > 0 THEN name ELSE name || '#' || id END \
             WHERE id <> {me}"
        ),
        format!("UPDATE nodes SET name = '{name}', incarnation = {incarnation}, state = 'up' WHERE id = {me}"),
        "DELETE FROM settings WHERE substr(name, 1, 10) = 'successor/'".to_owned(),
        format!("DELETE FROM databases WHERE group_id NOT IN ({})", groups.join(", ")),
    ];
    // What is still being made is made with this one alone.
    statements.extend(replicas.iter().map(|(group, replica)| {
        let founders = format!("{}:{me}", replica.0);
        format!(
            "UPDATE databases SET founders = '{founders}', seed = NULL WHERE group_id = {group} AND founders <> ''",
            group = group.0
        )
    }));
    statements
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
        Outcome::Failed { error, .. } | Outcome::FailedAfter { error, .. } => Err(error.clone()),
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
                Value::Int(speaks),
            ] => Some(NodeEntry {
                id: NodeId(*id as u64),
                name: name.clone(),
                incarnation: *incarnation as u64,
                peer_addr: peer_addr.clone(),
                pg_addr: pg_addr.clone(),
                http_addr: http_addr.clone(),
                state: state.clone(),
                speaks: Version(*speaks as u32),
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

/// Decodes the rows of [`SUCCESSORS`]: who takes the place of whom.
pub fn successors(rows: &[Vec<Value>]) -> BTreeMap<NodeId, NodeId> {
    let number = |value: &Value| match value {
        Value::Text(text) => text.parse().ok().map(NodeId),
        Value::Int(n) => Some(NodeId(*n as u64)),
        _ => None,
    };
    rows.iter().filter_map(|row| Some((number(row.first()?)?, number(row.get(1)?)?))).collect()
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

#[cfg(test)]
mod tests {
    use super::*;
    use rusqlite::Connection;

    fn node(id: u64, name: &str) -> NodeEntry {
        NodeEntry {
            id: NodeId(id),
            name: name.into(),
            incarnation: id * 100,
            peer_addr: "p".into(),
            pg_addr: "c".into(),
            http_addr: "h".into(),
            state: "up".into(),
            speaks: Version(1),
        }
    }

    /// Runs a command as a replica would, but for its parameters' types; the SQLSTATE of a guard that holds ends it.
    fn run(db: &mut Connection, command: &Command) -> Result<(), String> {
        let Command::Write(write) = command else { panic!("a write") };
        let transaction = db.transaction().unwrap();
        for step in &write.steps {
            for statement in &step.statements {
                let mut prepared = transaction.prepare(&statement.sql).unwrap();
                for (at, value) in step.params[0].iter().enumerate().take(prepared.parameter_count()) {
                    match value {
                        Value::Int(n) => prepared.raw_bind_parameter(at + 1, n).unwrap(),
                        Value::Text(text) => prepared.raw_bind_parameter(at + 1, text).unwrap(),
                        Value::Null => prepared.raw_bind_parameter(at + 1, rusqlite::types::Null).unwrap(),
                        other => panic!("{other:?}"),
                    }
                }
                let mut rows = prepared.raw_query();
                while let Some(row) = rows.next().unwrap() {
                    if statement.yields == Yields::Guard {
                        return Err(row.get::<_, String>(0).unwrap());
                    }
                }
            }
        }
        transaction.commit().unwrap();
        Ok(())
    }

    fn founded() -> (Connection, Vec<NodeEntry>, Vec<Place>) {
        let db = Connection::open_in_memory().unwrap();
        db.execute_batch(include_str!("../../migrations/system/0001_cluster.sql")).unwrap();
        db.pragma_update(None, "foreign_keys", true).unwrap();
        // Not in the order of their numbers.
        let founders = vec![node(3, "c"), node(1, "a"), node(2, "b")];
        let groups = [GroupId(1), GroupId(2)];
        let places = founders
            .iter()
            .flat_map(|n| groups.map(|group| Place { group, node: n.id, replica: ReplicaId(n.id.0) }))
            .collect();
        (db, founders, places)
    }

    fn places(db: &Connection) -> String {
        let mut found = db.prepare("SELECT group_id, node_id, replica_id FROM placement ORDER BY 1, 2").unwrap();
        let row = |r: &rusqlite::Row<'_>| {
            Ok(format!("{}:{}={}", r.get::<_, i64>(0)?, r.get::<_, i64>(1)?, r.get::<_, i64>(2)?))
        };
        found.query_map([], row).unwrap().map(Result::unwrap).collect::<Vec<_>>().join(" ")
    }

    /// One founder has spoken, the others have not: whoever joins gets numbers that are nobody's.
    #[test]
    fn a_number_is_given_out_once() {
        let (mut db, founders, of_founders) = founded();
        let joins = join(&NodeEntry { incarnation: 7, ..node(0, "d") }, None, None);
        assert_eq!(run(&mut db, &joins), Err("57P03".into()), "nobody was registered");
        run(&mut db, &register(&founders[1], &founders, &of_founders)).unwrap();
        run(&mut db, &joins).unwrap();
        run(&mut db, &join(&NodeEntry { incarnation: 8, ..node(0, "b") }, Some(NodeId(2)), None)).unwrap();
        let expected = "1:1=1 1:2=2 1:3=3 1:4=4 1:5=6 2:1=1 2:2=2 2:3=3 2:4=5 2:5=7";
        assert_eq!(places(&db), expected);
        for founder in [&founders[0], &founders[1]] {
            run(&mut db, &register(founder, &founders, &of_founders)).unwrap();
        }
        assert_eq!(places(&db), expected);
    }

    /// A node that joins and a database that is made have not heard of each other: whichever is first, the node gets a replica.
    #[test]
    fn who_joins_beside_a_new_database_gets_a_replica_of_it() {
        let new = |name: &str| databases::New {
            name: name.into(),
            owner: 10,
            attributes: Default::default(),
            template: None,
            seed: None,
        };
        let joins = join(&NodeEntry { incarnation: 7, ..node(0, "d") }, None, None);
        let made = databases::create(&new("x"), &[NodeId(1), NodeId(2), NodeId(3)]);
        let of_three = "1:1=1 1:2=2 1:3=3 2:1=1 2:2=2 2:3=3";
        for (order, rest) in
            [([&joins, &made], " 3:1=6 3:2=7 3:3=8 3:4=9"), ([&made, &joins], " 3:1=4 3:2=5 3:3=6 3:4=9")]
        {
            let (mut db, founders, of_founders) = founded();
            for founder in &founders {
                run(&mut db, &register(founder, &founders, &of_founders)).unwrap();
            }
            assert_eq!(places(&db), of_three);
            for command in order {
                run(&mut db, command).unwrap();
                run(&mut db, &joins).unwrap();
            }
            let all = places(&db);
            assert!(all.ends_with(rest) && all.split(' ').count() == 12, "{all}");
            let founders: String =
                db.query_row("SELECT founders FROM databases WHERE name = 'x'", [], |r| r.get(0)).unwrap();
            assert_eq!(founders.split(' ').count(), 3, "{founders}");
        }
    }

    #[test]
    fn a_token_lets_in_so_many_for_so_long() {
        use token::{TOKENS, Token, grant, revoke};
        let (mut db, founders, of_founders) = founded();
        run(&mut db, &register(&founders[1], &founders, &of_founders)).unwrap();
        let token = Token::new([1; 8], [2; 32], [3; 32]);
        assert_eq!(Token::parse(&token.reveal()), Some(token.clone()));
        assert!(!format!("{token:?}").contains(token.reveal().split('.').nth(2).unwrap()));
        let come = |db: &mut Connection, token: &Token, incarnation: u64, now: i64| {
            let node = NodeEntry { incarnation, ..node(0, &format!("n{incarnation}")) };
            run(db, &join(&node, None, Some(token.spend(incarnation, now))))
        };
        let refused = Err("28000".to_owned());
        assert_eq!(come(&mut db, &token, 7, 10), refused, "nobody has made it");
        run(&mut db, &grant(&token.grant(2, 100), 0)).unwrap();
        assert_eq!(come(&mut db, &Token::new([1; 8], [9; 32], [3; 32]), 7, 10), refused, "another secret");
        come(&mut db, &token, 7, 10).unwrap();
        come(&mut db, &token, 7, 200).unwrap();
        come(&mut db, &token, 8, 99).unwrap();
        assert_eq!(come(&mut db, &token, 9, 99), refused, "used up");
        let late = Token::new([4; 8], [2; 32], [3; 32]);
        run(&mut db, &grant(&late.grant(2, 100), 0)).unwrap();
        assert_eq!(come(&mut db, &late, 9, 100), refused, "expired");
        let count = |db: &Connection| db.query_row(&format!("SELECT count(*) FROM ({TOKENS})"), [], |r| r.get(0));
        assert_eq!(count(&db), Ok(6));
        run(&mut db, &revoke(&late.id())).unwrap();
        assert_eq!(come(&mut db, &late, 9, 50), refused, "revoked");
        assert_eq!(count(&db), Ok(3));
        run(&mut db, &grant(&Token::new([5; 8], [2; 32], [3; 32]).grant(1, 900), 300)).unwrap();
        assert_eq!(count(&db), Ok(3), "those that have expired are forgotten");
        assert!(!places(&db).contains("=9"));
    }

    #[test]
    fn what_was_removed_does_not_come_back() {
        let (mut db, founders, of_founders) = founded();
        run(&mut db, &register(&founders[1], &founders, &of_founders)).unwrap();
        run(&mut db, &remove(NodeId(3), None)).unwrap();
        run(&mut db, &forget(NodeId(3))).unwrap();
        run(&mut db, &register(&founders[2], &founders, &of_founders)).unwrap();
        assert_eq!(places(&db), "1:1=1 1:2=2 2:1=1 2:2=2");
        assert_eq!(run(&mut db, &register(&founders[0], &founders, &of_founders)), Err("28000".into()));
    }
}
