//! A statement outside of blocks through the real session: what a connection does for it, on the real gateway.

use super::session::{Client, Job, Trouble};
use quorate::error::{SqlError, SqlResult};
use quorate::gateway::{Database as _, Failure, Fetched, ReadRequest, Rows as _};
use quorate::id::RequestId;
use quorate::session::language::PlanCache;
use quorate::session::postgres::Postgres;
use quorate::session::{
    Answer, Ask, Bind, CommandTag, Effect, Fetch, Identity, Limits, Message, Request, Session, Settings, World,
};
use quorate::sql::allowance::Allowance;
use quorate::value::{Value, ValueRef};
use std::sync::{Arc, OnceLock};

type Cursor = <super::gateway::Gateway as quorate::gateway::Database>::Rows;

/// What a client was answered.
#[derive(Default)]
pub struct Said {
    pub rows: Vec<Vec<Value>>,
    /// Of the command's tag.
    pub count: u64,
    error: Option<SqlError>,
}

/// Plans depend on a catalog whose versions mean the same in all runs, but for tables that no statement is about.
fn plans() -> Arc<PlanCache> {
    static PLANS: OnceLock<Arc<PlanCache>> = OnceLock::new();
    PLANS.get_or_init(Arc::default).clone()
}

impl Client {
    /// Sends a statement as Parse, Bind, Execute and Sync. `again`: a request that is sent anew, after its schema has
    /// changed, gets another id.
    pub(super) async fn say(&mut self, text: &str, params: &[Value], job: &Job, again: bool) -> Result<Said, Trouble> {
        let id = Identity { user: "quorate".into(), database: "quorate".into(), pid: 1, origin: self.name.origin };
        let (settings, language) = (Settings::new("quorate", "quorate"), Arc::new(Postgres));
        let mut session = Session::new(id, Limits::default(), settings, language, plans());
        let bytes = |value: &Value| match value {
            Value::Int(i) => Some(i.to_string().into_bytes().into()),
            Value::Text(text) => Some(text.clone().into_bytes().into()),
            other => panic!("no parameter: {other:?}"),
        };
        let bind = Bind { params: params.iter().map(bytes).collect(), ..Bind::default() };
        let (mut said, mut cursor, mut sent) = (Said::default(), None, 0);
        let parse = Request::Parse { name: String::new(), text: text.to_owned(), types: Vec::new() };
        let execute = Request::Execute { portal: String::new(), max_rows: 0 };
        for request in [parse, Request::Bind(bind), execute, Request::Sync] {
            session.receive(request);
            loop {
                let mut effects = Vec::new();
                session.advance(&self.world(), &mut effects);
                let mut ask = None;
                for effect in effects {
                    match effect {
                        Effect::Send(Message::Error(error)) => drop(said.error.get_or_insert(error)),
                        Effect::Send(Message::Complete(CommandTag::Counted(_, count))) => said.count = count,
                        Effect::Rows { rows, .. } => said.rows.extend(rows),
                        Effect::Ask(wanted) => ask = Some(wanted),
                        _ => {}
                    }
                }
                let Some(ask) = ask else { break };
                sent += 1;
                let answer = self.perform(*ask, job, &mut cursor, &mut said, if again { sent } else { 0 }).await?;
                session.answer(answer);
            }
        }
        match said.error.take() {
            Some(error) => Err(error.into()),
            None => Ok(said),
        }
    }

    fn world(&self) -> World {
        let (router, now) = (&self.router, self.process.micros() as i64);
        // What is compiled here is short: nobody has to wait for it.
        let allowance = Allowance::within(Box::new(|| Ok(())));
        World {
            catalog: router.catalog(),
            applied: router.applied(),
            defined: router.defined(),
            now,
            seed: 7,
            allowance,
        }
    }

    async fn perform(
        &mut self,
        ask: Ask,
        job: &Job,
        cursor: &mut Option<Cursor>,
        said: &mut Said,
        generation: u64,
    ) -> Result<Answer, Trouble> {
        let router = self.router.clone();
        let control = self.control(job);
        // The session's own numbers begin anew with each statement.
        let name = self.name;
        let named =
            move |request: RequestId| RequestId { seq: (name.seq << 8) + request.seq + (generation << 40), ..request };
        let answer = match ask {
            Ask::Barrier => self.patiently(job, router.barrier(&control)).await.map(Answer::Barrier),
            Ask::CatchUp => self.patiently(job, router.catch_up(&control)).await.map(Answer::Barrier),
            Ask::Open { read, .. } => {
                let request = ReadRequest {
                    sql: read.sql,
                    params: read.params,
                    context: read.context,
                    signals: read.signals,
                    schema_version: read.schema_version,
                    linearizable: read.linearizable,
                    control,
                };
                self.patiently(job, router.read(request))
                    .await
                    .map(|opened| Answer::Opened(opened.map(|rows| *cursor = Some(rows))))
            }
            Ask::Fetch { .. } => {
                let fetched = cursor.as_mut().map_or(Ok(Vec::new()), all).map(|rows| {
                    let fetch = Fetch { count: rows.len() as u64, done: true, rows: Vec::new() };
                    said.rows = rows;
                    fetch
                });
                Some(Answer::Fetched(fetched))
            }
            Ask::Write { request, write, effort } => {
                self.patiently(job, router.write(named(request), write, effort, &control)).await.map(Answer::Written)
            }
            Ask::Try { request, trial } => {
                self.patiently(job, router.try_write(named(request), *trial, &control)).await.map(Answer::Written)
            }
            _ => Some(Answer::Written(Err(Failure::from(SqlError::internal("not asked for here"))))),
        };
        answer.ok_or(Trouble::GivenUp)
    }
}

fn all(cursor: &mut Cursor) -> SqlResult<Vec<Vec<Value>>> {
    let mut rows: Vec<Vec<Value>> = Vec::new();
    let sink = &mut |row: &[ValueRef<'_>]| {
        rows.push(row.iter().map(|&value| ValueRef::to_owned(value)).collect());
        Ok(())
    };
    while cursor.fetch(100, false, sink)? != Fetched::Done {}
    Ok(rows)
}
