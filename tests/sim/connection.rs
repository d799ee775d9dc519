//! A client's connection: what a server's does for its session, on the real gateway of a node.
//!
//! The session is production's, so are its request ids and what it does when the schema changes. Only the socket is left
//! out: requests go in and messages come out as data.

use super::gateway::Gateway;
use super::random::Random;
use super::tasks::Process;
use quorate::error::{SqlError, SqlResult, state};
use quorate::gateway::mailbox::Mailbox;
use quorate::gateway::{Control, Database as _, Failure, Fetched, ReadRequest, Rows as _, Who};
use quorate::host::{Host as _, until};
use quorate::id::RequestId;
use quorate::session::language::PlanCache;
use quorate::session::postgres::Postgres;
use quorate::session::{
    Answer, Ask, Begin, Bind, CommandTag, CursorId, Effect, Fetch, Identity, KeptRows, Limits, Message, Request,
    Session, Settings, Sink, World,
};
use quorate::sql::allowance::Allowance;
use quorate::sql::plan::Effort;
use quorate::value::{Value, ValueRef};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

type Open = <Gateway as quorate::gateway::Database>::Transaction;
type Stream = <Gateway as quorate::gateway::Database>::Rows;

/// What a client was answered.
#[derive(Default)]
pub struct Said {
    pub rows: Vec<Vec<Value>>,
    /// Of the command's tag.
    pub count: u64,
    error: Option<SqlError>,
}

/// How long statements of a connection are waited for, and what goes wrong with them.
#[derive(Clone, Debug, Default)]
pub struct Manner {
    /// One statement of so many is cancelled, within that time.
    pub impatient: u64,
    pub patience: u64,
    pub timeout: u64,
    pub lock_timeout: Option<u64>,
    /// The defect: what is asked again gets another id.
    pub renames: bool,
    /// The defect: what clients of this node have defined is forgotten.
    pub forgets_definitions: bool,
    /// The defect: nothing is tried before it goes into the log.
    pub tries_nothing: bool,
    /// Definitions change what statements are about, so plans are good for this run only.
    pub own_plans: bool,
}

/// See the module.
pub struct Connection {
    pub router: Arc<Gateway>,
    pub process: Arc<Process>,
    session: Session,
    origin: u64,
    transaction: Option<Open>,
    cursors: Vec<(CursorId, Rows)>,
    mailbox: Arc<Mailbox>,
    manner: Manner,
    random: Random,
    /// Of the statement that runs.
    deadline: u64,
    /// Requests that this statement has sent.
    sent: u64,
}

/// An open result.
enum Rows {
    Stream(Box<Stream>),
    Held(std::vec::IntoIter<Vec<Value>>),
}

/// Plans depend on a catalog whose versions mean the same in all runs, but for tables that no statement is about.
fn plans(own: bool) -> Arc<PlanCache> {
    static PLANS: OnceLock<Arc<PlanCache>> = OnceLock::new();
    if own { Arc::default() } else { PLANS.get_or_init(Arc::default).clone() }
}

/// What a session may ask for in a moment.
const BUSY: usize = 10_000;

impl Connection {
    pub fn new(
        router: Arc<Gateway>,
        process: Arc<Process>,
        origin: u64,
        manner: Manner,
        cache: &OnceLock<Arc<PlanCache>>,
        random: Random,
    ) -> Connection {
        let id = Identity { user: "quorate".into(), database: "quorate".into(), pid: 1, origin, inner: false };
        let (settings, language) =
            (Settings::new("quorate", ("quorate", quorate::id::HOME), false), Arc::new(Postgres));
        let cache = cache.get_or_init(|| plans(manner.own_plans)).clone();
        let session = Session::new(id, Limits::default(), settings, language, cache);
        let mailbox = router.mailbox(origin);
        let (transaction, cursors) = (None, Vec::new());
        let (deadline, sent) = (0, 0);
        Connection { router, process, session, origin, transaction, cursors, mailbox, manner, random, deadline, sent }
    }

    /// Another session on the same node.
    pub fn aside(&mut self) -> Connection {
        let (router, process) = (self.router.clone(), self.process.clone());
        let random = Random::new(self.random.next());
        Connection::new(router, process, self.origin + (1 << 32), self.manner.clone(), &OnceLock::new(), random)
    }

    /// Notifications that have come. Errors: why the session is over.
    pub fn letters(&self) -> SqlResult<Vec<String>> {
        self.mailbox.take().map(|letters| letters.iter().map(|letter| letter.payload.clone()).collect())
    }

    /// Sends a statement as Parse, Bind, Execute and Sync.
    pub async fn say(&mut self, text: &str, params: &[Value]) -> SqlResult<Said> {
        let bytes = |value: &Value| match value {
            Value::Int(i) => Some(i.to_string().into_bytes().into()),
            Value::Text(text) => Some(text.clone().into_bytes().into()),
            other => panic!("no parameter: {other:?}"),
        };
        let bind = Bind { params: params.iter().map(bytes).collect(), ..Bind::default() };
        let parse = Request::Parse { name: String::new(), text: text.to_owned(), types: Vec::new() };
        let execute = Request::Execute { portal: String::new(), max_rows: 0 };
        self.deadline = self.process.micros() + self.manner.timeout;
        self.sent = 0;
        let mut said = Said::default();
        for request in [parse, Request::Bind(bind), execute, Request::Sync] {
            self.session.receive(request);
            self.go_on(&mut said).await;
        }
        match said.error.take() {
            Some(error) => Err(error),
            None => Ok(said),
        }
    }

    /// Sends text of one or more statements as Query.
    pub async fn query(&mut self, text: &str) -> SqlResult<Said> {
        self.deadline = self.process.micros() + self.manner.timeout;
        self.sent = 0;
        let mut said = Said::default();
        self.session.receive(Request::Query(text.to_owned()));
        self.go_on(&mut said).await;
        match said.error.take() {
            Some(error) => Err(error),
            None => Ok(said),
        }
    }

    /// Lets the session work until it waits for the client.
    async fn go_on(&mut self, said: &mut Said) {
        let (mut since, mut asked) = (self.process.micros(), 0);
        loop {
            let mut effects = Vec::new();
            let world = self.world();
            self.session.advance(&world, &mut effects);
            let mut ask = None;
            for effect in effects {
                match effect {
                    Effect::Send(Message::Error(error)) => drop(said.error.get_or_insert(error)),
                    Effect::Send(Message::Complete(CommandTag::Counted(_, count))) => said.count = count,
                    Effect::Rows { rows, .. } => said.rows.extend(rows),
                    Effect::Ask(wanted) => ask = Some(wanted),
                    Effect::Rollback => self.transaction = None,
                    Effect::Release(cursor) => self.cursors.retain(|(open, _)| *open != cursor),
                    Effect::Listen(channels) => self.mailbox.listen(channels),
                    Effect::Advise { request, order } => {
                        let deadline = self.process.now() + Duration::from_secs(5);
                        let control = Control::until(deadline);
                        let router = self.router.clone();
                        let _ = router.advisory(request, order, &control).await;
                    }
                    _ => {}
                }
            }
            let Some(ask) = ask else { return };
            self.sent += 1;
            asked = if self.process.micros() == since { asked + 1 } else { 0 };
            since = self.process.micros();
            assert!(asked < BUSY, "a session asks again and again, and no time passes");
            let answer = self.perform(*ask, said).await;
            self.session.answer(answer);
        }
    }

    fn world(&mut self) -> World {
        let own = self.transaction.as_ref().and_then(|transaction| self.router.catalog_of(transaction));
        // What is compiled here is short: nobody has to wait for it.
        let allowance = Allowance::within(Box::new(|| Ok(())));
        World {
            catalog: own.unwrap_or_else(|| self.router.catalog()),
            applied: self.router.applied(),
            defined: if self.manner.forgets_definitions { 0 } else { self.router.defined() },
            now: self.process.micros() as i64,
            seed: self.random.next(),
            allowance,
            databases: self.router.databases(),
            version: self.router.version(),
        }
    }

    fn control(&self) -> Control {
        let left = self.deadline.saturating_sub(self.process.micros());
        let deadline = self.process.now() + Duration::from_micros(left);
        Control { lock_timeout: self.manner.lock_timeout.map(Duration::from_micros), ..Control::until(deadline) }
    }

    /// Whether there was still time for the statement.
    pub fn had_time(&self) -> bool {
        self.process.micros() < self.deadline
    }

    /// Waits for work, perhaps not to its end.
    async fn patiently<T>(&mut self, work: impl Future<Output = T>) -> SqlResult<T> {
        if !self.random.one_in(self.manner.impatient) {
            return Ok(work.await);
        }
        let patience = Duration::from_micros(self.random.range(0, self.manner.patience));
        let process = self.process.clone();
        let done = until(&*process, process.now() + patience, work).await;
        done.ok_or_else(|| SqlError::new(state::QUERY_CANCELED, "canceling statement due to user request"))
    }

    fn enter(&mut self, begin: Begin) -> Open {
        let open = self.transaction.take();
        open.unwrap_or_else(|| self.router.begin(begin.name, begin.isolation, (*begin.env).clone()))
    }

    /// The defect: a request that is sent anew gets another id.
    fn named(&self, request: RequestId) -> RequestId {
        let generation = if self.manner.renames { self.sent } else { 0 };
        RequestId { seq: request.seq + (generation << 40), ..request }
    }

    async fn perform(&mut self, ask: Ask, said: &mut Said) -> Answer {
        let router = self.router.clone();
        let control = self.control();
        match ask {
            Ask::Barrier => Answer::Barrier(self.patiently(router.barrier(&control)).await.and_then(|done| done)),
            Ask::CatchUp => Answer::Barrier(self.patiently(router.catch_up(&control)).await.and_then(|done| done)),
            Ask::Turn { .. } => Answer::Turn(Ok(())),
            Ask::Open { cursor, read } => {
                let request = ReadRequest {
                    sql: read.sql,
                    params: read.params,
                    context: read.context,
                    signals: read.signals,
                    schema_version: read.schema_version,
                    linearizable: read.linearizable,
                    control,
                };
                Answer::Opened(match self.patiently(router.read(request)).await {
                    Ok(Ok(rows)) => {
                        self.cursors.push((cursor, Rows::Stream(Box::new(rows))));
                        Ok(())
                    }
                    Ok(Err(failure)) => Err(failure),
                    Err(error) => Err(error.into()),
                })
            }
            Ask::Fetch { cursor, max, sink } => Answer::Fetched(self.fetch(cursor, max, &sink, said)),
            Ask::Write { request, write, effort } => {
                let request = self.named(request);
                let done = self.patiently(router.write(request, write, effort, &control)).await;
                Answer::Written(done.unwrap_or_else(|error| Err(error.into())))
            }
            Ask::Try { request, trial } if self.manner.tries_nothing => {
                let work = router.write(request, trial.as_compiled(), Effort::Key, &control);
                let done = self.patiently(work).await;
                Answer::Written(done.unwrap_or_else(|error| Err(error.into())))
            }
            Ask::Try { request, trial } => {
                let request = self.named(request);
                let done = self.patiently(router.try_write(request, *trial, &control)).await;
                Answer::Written(done.unwrap_or_else(|error| Err(error.into())))
            }
            Ask::Steps { begin, statements } => {
                let mut transaction = self.enter(begin);
                let work = async {
                    let mut outcomes = Vec::with_capacity(statements.len());
                    for statement in statements {
                        match router.step(&mut transaction, statement, &control).await {
                            Ok(outcome) => outcomes.push(outcome),
                            Err(Failure::Sql { error, .. }) => return Err(Failure::Sql { done: outcomes, error }),
                            Err(other) => return Err(other),
                        }
                    }
                    Ok(outcomes)
                };
                let result = self.patiently(work).await;
                self.transaction = Some(transaction);
                Answer::Written(result.unwrap_or_else(|error| Err(error.into())))
            }
            Ask::OpenStep { begin, cursor, statement } => {
                let mut transaction = self.enter(begin);
                let result = self.patiently(router.step(&mut transaction, *statement, &control)).await;
                self.transaction = Some(transaction);
                Answer::Opened(match result {
                    Ok(Ok(outcome)) => {
                        self.cursors.push((cursor, Rows::Held(outcome.rows.into_iter())));
                        Ok(())
                    }
                    Ok(Err(failure)) => Err(failure),
                    Err(error) => Err(error.into()),
                })
            }
            Ask::Mark { begin, mark } => {
                let mut transaction = self.enter(begin);
                let result = self.patiently(router.mark(&mut transaction, mark, &control)).await;
                self.transaction = Some(transaction);
                Answer::Done(result.and_then(|done| done))
            }
            Ask::LockTables { begin, tables, mode, nowait } => {
                let mut transaction = self.enter(begin);
                let work = router.lock_tables(&mut transaction, tables, mode, nowait, &control);
                let result = self.patiently(work).await;
                self.transaction = Some(transaction);
                Answer::Done(result.and_then(|done| done))
            }
            Ask::Check { begin, statement } => {
                let mut transaction = self.enter(begin);
                let result = self.patiently(router.step(&mut transaction, *statement, &control)).await;
                self.transaction = Some(transaction);
                Answer::Done(match result {
                    Ok(Ok(_)) => Ok(()),
                    Ok(Err(Failure::Sql { error, .. })) | Err(error) => Err(error),
                    Ok(Err(Failure::SchemaChanged)) => Err(SqlError::internal("a check has no schema version")),
                })
            }
            Ask::Commit => match self.transaction.take() {
                None => Answer::Done(Ok(())),
                Some(transaction) => {
                    Answer::Done(self.patiently(router.commit(transaction, &control)).await.and_then(|done| done))
                }
            },
            Ask::Order { order, user, session_user, time_zone } => {
                let who = Who { user, session_user, time_zone, pid: 1 };
                Answer::Ordered(self.patiently(router.order(order, who, &control)).await.and_then(|told| told))
            }
            Ask::Advisory { request, order } => {
                Answer::Advisory(self.patiently(router.advisory(request, order, &control)).await.and_then(|told| told))
            }
        }
    }

    fn fetch(&mut self, cursor: CursorId, max: u64, sink: &Sink, said: &mut Said) -> SqlResult<Fetch> {
        let open = self.cursors.iter_mut().find(|(open, _)| *open == cursor);
        let (_, open) = open.ok_or_else(|| SqlError::internal("the open result is gone"))?;
        let most = usize::try_from(max).unwrap_or(usize::MAX);
        let (rows, done) = match open {
            Rows::Held(held) => {
                let rows: Vec<_> = held.by_ref().take(most).collect();
                let done = held.len() == 0;
                (rows, done)
            }
            Rows::Stream(stream) => {
                let mut rows: Vec<Vec<Value>> = Vec::new();
                let sink = &mut |row: &[ValueRef<'_>]| {
                    rows.push(row.iter().map(|&value| ValueRef::to_owned(value)).collect());
                    Ok(())
                };
                let done = stream.fetch(most, false, sink)? == Fetched::Done;
                (rows, done)
            }
        };
        let count = rows.len() as u64;
        match sink {
            Sink::Session { .. } => Ok(Fetch { count, done, rows: rows.into(), place: Vec::new() }),
            Sink::Nowhere { .. } => Ok(Fetch { count, done, rows: KeptRows::default(), place: Vec::new() }),
            Sink::Client(_) | Sink::Copy(_) => {
                said.rows.extend(rows);
                Ok(Fetch { count, done, rows: KeptRows::default(), place: Vec::new() })
            }
        }
    }
}

impl Drop for Connection {
    /// The node learns of it, unless it is gone itself.
    fn drop(&mut self) {
        if self.process.is_alive() {
            self.router.leave(self.origin);
        }
    }
}
