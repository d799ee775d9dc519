//! EXPLAIN with ANALYZE, as JSON, YAML or XML, or of a data change: the steps of the plan are read, the statement runs if it is to, and both are told.

mod forms;

use super::effect::{Answer, Ask, Effect, Sink, World};
use super::portal::{Prepared, Run};
use super::{CursorId, Session, Step, Wait};
use crate::command::StepOutcome;
use crate::error::SqlError;
use crate::gateway::Failure;
use crate::sql::explain::{Change, Explain, Format, Options, steps};
use crate::sql::plan::PlanKind;
use crate::value::Value;
use forms::Shown;
use std::fmt::Write as _;
use std::sync::Arc;

/// An EXPLAIN on its way.
pub(super) struct Explaining {
    run: Run,
    options: Options,
    change: Option<Change>,
    prepared: Arc<Prepared>,
    params: Vec<Value>,
    cursor: CursorId,
    /// When it began: µs.
    since: i64,
    /// What took how long so far: µs.
    planning: i64,
    /// The steps, once they are known: then the statement itself runs.
    steps: Option<Vec<Node>>,
}

/// A step of SQLite's plan.
struct Node {
    id: i64,
    parent: i64,
    detail: String,
}

/// What ANALYZE has found out.
struct Found {
    rows: u64,
    micros: i64,
}

impl Session {
    pub(super) fn explain(&mut self, world: &World, run: Run, explain: &Explain) -> Step {
        let (prepared, params) = match &explain.execute {
            Some((name, given)) => {
                let prepared = self.current_statement(world, name)?;
                let wanted = prepared.plan.params.len();
                if wanted != *given {
                    let message = format!("wrong number of parameters for prepared statement \"{name}\"");
                    let detail = format!("Expected {wanted} parameters but got {given}.");
                    return Err(SqlError::syntax(message).detail(detail).into());
                }
                if explain.options.analyze && wanted > 0 {
                    return Err(SqlError::unsupported("EXPLAIN ANALYZE of EXECUTE with arguments").into());
                }
                (prepared, vec![Value::Null; wanted])
            }
            None => {
                let types = run.portal.plan.params.clone();
                (self.prepare_text(world, &Arc::from(explain.query.as_str()), &types)?, run.portal.params.clone())
            }
        };
        if explain.options.analyze && matches!(&prepared.plan.kind, PlanKind::Read(read) if read.facts.asks.advisory) {
            return Err(SqlError::unsupported("EXPLAIN ANALYZE of a query with advisory locks").into());
        }
        let read = steps(&prepared.plan)?;
        let cursor = self.new_cursor();
        let mut all = params.clone();
        // Which rows it means is found out when it runs.
        all.push(Value::Null);
        let open = self.open(world, cursor, &read, all, prepared.plan.schema_version);
        let (options, since, change) = (explain.options, world.now, explain.change.clone());
        let explaining = Explaining { run, options, change, prepared, params, cursor, since, planning: 0, steps: None };
        self.ask(open, Wait::Explain(Box::new(explaining)));
        Ok(())
    }

    pub(super) fn explaining(&mut self, world: &World, mut explaining: Explaining, answer: Answer) -> Step {
        let cursor = explaining.cursor;
        match answer {
            Answer::Opened(Ok(())) => {
                let sink = match explaining.steps {
                    None => Sink::Session { max_bytes: self.limits.cursor },
                    Some(_) => Sink::Nowhere { places: 0 },
                };
                self.ask(Ask::Fetch { cursor, max: u64::MAX, sink }, Wait::Explain(Box::new(explaining)));
                Ok(())
            }
            Answer::Opened(Err(Failure::SchemaChanged)) => self.try_again(explaining.run),
            Answer::Opened(Err(Failure::Sql { error, .. })) => Err(error.into()),
            Answer::Fetched(result) => {
                self.effects.push(Effect::Release(cursor));
                let mut fetch = result?;
                let took = world.now - explaining.since;
                let Some(nodes) = explaining.steps.take() else {
                    let steps = fetch.rows.drain(..).filter_map(node).collect();
                    explaining.steps = Some(below(explaining.change.as_ref(), steps));
                    (explaining.planning, explaining.since) = (took, world.now);
                    return self.analyze(world, explaining);
                };
                self.tell(explaining, &nodes, Some(Found { rows: fetch.count, micros: took }))
            }
            _ => Err(SqlError::internal("an answer that nobody asked for").into()),
        }
    }

    /// Runs the statement, if that was wanted.
    fn analyze(&mut self, world: &World, mut explaining: Explaining) -> Step {
        let prepared = Arc::clone(&explaining.prepared);
        match &prepared.plan.kind {
            PlanKind::Read(read) if explaining.options.analyze => {
                self.check_read(read)?;
                explaining.cursor = self.new_cursor();
                let params = explaining.params.clone();
                let open = self.open(world, explaining.cursor, read, params, prepared.plan.schema_version);
                self.ask(open, Wait::Explain(Box::new(explaining)));
                Ok(())
            }
            PlanKind::Write(_) if explaining.options.analyze => {
                let (params, answer) = (explaining.params.clone(), explaining.run.answer);
                let portal = self.portal(String::new(), prepared, params, &[]);
                let run = Run { explaining: Some(Box::new(explaining)), ..Run::new(portal, answer, u64::MAX) };
                self.run(world, run)
            }
            _ => {
                let nodes = explaining.steps.take().unwrap_or_default();
                self.tell(explaining, &nodes, None)
            }
        }
    }

    /// A change that was to be analyzed is done.
    pub(super) fn explained(&mut self, now: i64, mut explaining: Explaining, outcome: &StepOutcome) -> Step {
        let nodes = explaining.steps.take().unwrap_or_default();
        let (rows, micros) = (outcome.count.max(outcome.rows.len() as u64), now - explaining.since);
        self.tell(explaining, &nodes, Some(Found { rows, micros }))
    }

    fn tell(&mut self, explaining: Explaining, nodes: &[Node], found: Option<Found>) -> Step {
        let Explaining { run, options, change, prepared, planning, .. } = explaining;
        let millis = |micros: i64| format!("{:.3}", micros.max(0) as f64 / 1000.0);
        let summary = options.summary.unwrap_or(options.analyze);
        if options.format != Format::Text {
            let mut top = Vec::new();
            if let Some(Change { operation, table }) = &change {
                top.extend([
                    ("Operation", Shown::Text(operation.to_string())),
                    ("Relation Name", Shown::Text(table.clone())),
                ]);
            }
            if options.verbose {
                let outputs = prepared.plan.columns.iter().map(|c| Shown::Text(c.name.to_string()));
                top.push(("Output", Shown::List("Item", outputs.collect())));
            }
            if let Some(Found { rows, micros }) = &found {
                if !options.untimed {
                    top.push(("Actual Startup Time", Shown::Plain("0.000".into())));
                    top.push(("Actual Total Time", Shown::Plain(millis(*micros))));
                }
                top.push(("Actual Rows", Shown::Plain(rows.to_string())));
                top.push(("Actual Loops", Shown::Plain("1".into())));
            }
            let mut all = vec![("Plan", tree(nodes, top))];
            if summary {
                all.push(("Planning Time", Shown::Plain(millis(planning))));
            }
            if let Some(found) = &found {
                all.push(("Triggers", Shown::List("Trigger", Vec::new())));
                if summary {
                    all.push(("Execution Time", Shown::Plain(millis(found.micros))));
                }
            }
            let text = forms::write(options.format, &Shown::Group(all));
            return self.deliver_rows(run, vec![vec![Value::Text(text)]]);
        }
        let line = |node: &Node| match node.parent {
            CHANGE => format!("  ->  {}", node.detail),
            _ => node.detail.clone(),
        };
        let mut lines: Vec<String> = nodes.iter().map(line).collect();
        if let (Some(first), Some(Found { rows, micros })) = (lines.first_mut(), &found) {
            let times = if options.untimed { String::new() } else { format!("time=0.000..{} ", millis(*micros)) };
            let _ = write!(first, " (actual {times}rows={rows} loops=1)");
        }
        if summary {
            lines.push(format!("Planning Time: {} ms", millis(planning)));
            lines.extend(found.map(|found| format!("Execution Time: {} ms", millis(found.micros))));
        }
        self.deliver_rows(run, lines.into_iter().map(|line| vec![Value::Text(line)]).collect())
    }
}

/// The step that a data change is.
const CHANGE: i64 = -1;

/// The steps that find what is to be changed, below the change.
fn below(change: Option<&Change>, mut steps: Vec<Node>) -> Vec<Node> {
    let Some(Change { operation, table }) = change else { return steps };
    if steps.is_empty() {
        steps.push(Node { id: 0, parent: 0, detail: "Result".into() });
    }
    steps.iter_mut().filter(|step| step.parent == 0).for_each(|step| step.parent = CHANGE);
    steps.insert(0, Node { id: CHANGE, parent: 0, detail: format!("{operation} on {table}") });
    steps
}

fn node(row: Vec<Value>) -> Option<Node> {
    match row.as_slice() {
        [Value::Int(id), Value::Int(parent), _, Value::Text(detail)] => {
            Some(Node { id: *id, parent: *parent, detail: detail.clone() })
        }
        _ => None,
    }
}

/// The steps as a tree with one root, which has `top` besides.
fn tree(nodes: &[Node], top: Vec<(&'static str, Shown)>) -> Shown {
    let roots: Vec<&Node> = nodes.iter().filter(|n| n.parent == 0).collect();
    match roots[..] {
        [root] => branch(root, nodes, top, 0),
        _ => {
            let own = [("Node Type", Shown::Text("Result".into())), ("Parallel Aware", Shown::Plain("false".into()))];
            Shown::Group(own.into_iter().chain(top).chain(plans(&roots, nodes, 0)).collect())
        }
    }
}

/// How deep a tree is shown: SQLite's are hardly deeper.
const DEEPEST: usize = 200;

fn branch(node: &Node, nodes: &[Node], top: Vec<(&'static str, Shown)>, depth: usize) -> Shown {
    let children: Vec<&Node> = if depth < DEEPEST {
        nodes.iter().filter(|n| n.parent == node.id && n.id != node.id).collect()
    } else {
        Vec::new()
    };
    let no = || Shown::Plain("false".into());
    let own = [
        ("Node Type", Shown::Text(kind(&node.detail).into())),
        ("Parallel Aware", no()),
        ("Async Capable", no()),
        ("Detail", Shown::Text(node.detail.clone())),
    ];
    Shown::Group(own.into_iter().chain(top).chain(plans(&children, nodes, depth + 1)).collect())
}

fn plans(children: &[&Node], nodes: &[Node], depth: usize) -> Option<(&'static str, Shown)> {
    let below = || children.iter().map(|child| branch(child, nodes, Vec::new(), depth)).collect();
    (!children.is_empty()).then(|| ("Plans", Shown::List("Plan", below())))
}

/// The name of PostgreSQL's node that does the like.
fn kind(detail: &str) -> &'static str {
    match detail.split(' ').next() {
        Some("Insert" | "Update" | "Delete" | "Merge") => "ModifyTable",
        Some("SCAN") => "Seq Scan",
        Some("SEARCH") => "Index Scan",
        Some("USE") => "Sort",
        Some("MATERIALIZE" | "CO-ROUTINE") => "Subquery Scan",
        Some("COMPOUND" | "MERGE" | "UNION") => "Append",
        _ => "Result",
    }
}
