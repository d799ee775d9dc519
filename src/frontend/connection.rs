//! One client's connection: the session's effects, performed.
//!
//! Read what has arrived → run every whole message in it → gather the replies in one buffer → write once, before
//! waiting for more input. The buffer goes out earlier when it is large, when the client asked (Flush), or when a
//! statement takes longer than [`PATIENCE`]. Rows are encoded on this task as long as the read is brief; a long read
//! moves to the blocking pool, chunk by chunk. Nothing is fetched while the client has not taken what it was sent.

use super::cancel::{Cancellation, Registration};
use super::encode;
use super::frame;
use super::listener::Options;
use super::socket::Socket;
use super::workshop::{self, Place};
use crate::clock::now_micros;
use crate::error::{SqlError, SqlResult, state};
use crate::gateway::mailbox::Mailbox;
use crate::gateway::{Control, Database, Failure, Fetched, ReadRequest, Rows, Who};
use crate::session::language::{CopyWriter, Language};
use crate::session::{
    Answer, Ask, Begin, CopyForm, CursorId, Effect, Fetch, KeptRows, Message, OpenRead, Request, RowForm, Session,
    Sink, Status, World,
};
use crate::sql::allowance::{Allowance, Stop};
use crate::trace::{self, News, Place as Spot, Span};
use crate::types::encoding::Encoding;
use crate::value::{Value, ValueRef};
use bytes::BytesMut;
use std::future::Future;
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::watch;
use tokio::time::{sleep_until, timeout};

/// Output beyond this is written before more is made.
const HIGH_WATER: usize = 64 << 10;
/// Earlier replies wait this long for a statement before they are sent without its own.
const PATIENCE: Duration = Duration::from_millis(20);
/// Nobody waits for longer.
const FOR_EVER: Duration = Duration::from_secs(365 * 24 * 3600);
const READ_SIZE: usize = 16 << 10;
/// How long a session waits for its advisory locks to be given back.
const PATIENCE_TO_GIVE_BACK: Duration = Duration::from_secs(5);
/// Cursors of one connection that keep their snapshot while it is idle.
const MAX_SNAPSHOTS: usize = 64;
/// Bytes of COPY data in one message that are worked through elsewhere.
const LONG_INPUT: usize = 256 << 10;
/// Larger buffers are given back when they are empty.
const KEPT_BUFFER: usize = 256 << 10;

pub struct Connection<D: Database> {
    pub stream: Socket,
    pub input: BytesMut,
    pub out: Vec<u8>,
    pub db: Arc<D>,
    /// Absent only while it works in the workshop.
    pub session: Option<Box<Session>>,
    /// Where the session goes on, if that may take long.
    pub place: Option<Place>,
    pub registration: Registration,
    pub options: Arc<Options>,
    pub shutdown: watch::Receiver<bool>,
    pub cursors: Vec<(CursorId, Open<D::Rows>)>,
    pub transaction: Option<D::Transaction>,
    pub clock: StatementClock,
    pub presence: Presence<D>,
    /// What the session was last told of the world. It holds for the messages that are there already, until one of them
    /// has something done.
    pub known: Option<World>,
    /// Empty between two requests: memory for the next one's.
    pub effects: Vec<Effect>,
    /// The request that is traced and not over.
    pub journey: Option<Journey>,
}

/// A session as its database knows it: until this is dropped, whatever becomes of the connection.
pub struct Presence<D: Database> {
    db: Arc<D>,
    session: u64,
    mailbox: Arc<Mailbox>,
}

impl<D: Database> Presence<D> {
    pub fn new(db: Arc<D>, session: u64) -> Presence<D> {
        let mailbox = db.mailbox(session);
        Presence { db, session, mailbox }
    }
}

impl<D: Database> Drop for Presence<D> {
    fn drop(&mut self) {
        self.db.leave(self.session);
    }
}

/// When the running statement began, and until when it may run.
#[derive(Default)]
pub struct StatementClock {
    round: u64,
    statement: u64,
    deadline: Option<Instant>,
    /// The deadline is `statement_timeout`'s.
    timed: bool,
    transaction: Option<u64>,
    /// When `transaction_timeout` ends the session.
    end: Option<Instant>,
}

impl StatementClock {
    /// Follows `transaction_timeout`: it begins with the transaction, or when it is set in one that had none.
    fn follow(&mut self, transaction: Option<u64>, timeout: Option<Duration>) {
        match timeout.filter(|_| transaction.is_some()) {
            None => self.end = None,
            Some(timeout) if self.end.is_none() || self.transaction != transaction => {
                self.end = Some(Instant::now() + timeout);
            }
            Some(_) => {}
        }
        self.transaction = transaction;
    }

    /// What strikes first, and its error.
    fn limit(&self) -> Option<(Instant, SqlError)> {
        let statement = self.deadline.filter(|_| self.timed);
        match (statement, self.end) {
            (Some(statement), Some(end)) if statement < end => Some((statement, timed_out())),
            (_, Some(end)) => Some((end, transaction_timed_out())),
            (Some(statement), None) => Some((statement, timed_out())),
            (None, None) => None,
        }
    }

    fn over(&self) -> Option<SqlError> {
        self.limit().filter(|(until, _)| Instant::now() >= *until).map(|(_, error)| error)
    }
}

/// An open result: of a read, or the rows that a step of a transaction brought.
pub enum Open<R> {
    Stream(R),
    /// And how many of them have been given.
    Held(Vec<Vec<Value>>, usize),
}

impl<R: Rows> Rows for Open<R> {
    fn fetch(
        &mut self,
        max_rows: usize,
        brief: bool,
        sink: &mut dyn FnMut(&[ValueRef<'_>]) -> SqlResult<()>,
    ) -> SqlResult<Fetched> {
        let (rows, at) = match self {
            Open::Stream(rows) => return rows.fetch(max_rows, brief, sink),
            Open::Held(rows, at) => (rows, at),
        };
        for row in rows[*at..].iter().take(max_rows) {
            let row: Vec<ValueRef<'_>> = row.iter().map(Value::as_ref).collect();
            sink(&row)?;
            *at += 1;
        }
        Ok(if *at == rows.len() { Fetched::Done } else { Fetched::More })
    }

    fn keep(&mut self) {
        if let Open::Stream(rows) = self {
            rows.keep();
        }
    }

    fn rewind(&mut self) -> bool {
        match self {
            Open::Stream(rows) => rows.rewind(),
            Open::Held(_, at) => {
                *at = 0;
                true
            }
        }
    }

    fn rest(&mut self, keep: bool) {
        if let Open::Stream(rows) = self {
            rows.rest(keep);
        }
    }

    fn is_resting(&self) -> bool {
        matches!(self, Open::Stream(rows) if rows.is_resting())
    }

    async fn resume(&mut self, control: Control) -> SqlResult<()> {
        match self {
            Open::Stream(rows) => rows.resume(control).await,
            Open::Held(..) => Ok(()),
        }
    }
}

/// A request that is traced, told when it is dropped.
pub struct Journey {
    place: Spot,
    parent: Option<[u8; 8]>,
    name: &'static str,
    begin: Instant,
    database: String,
    error: Option<String>,
}

impl Journey {
    fn span(&self, place: Spot, parent: Option<[u8; 8]>, name: &'static str, begin: Instant) -> Box<Span> {
        let (end, database, is_root) = (Instant::now(), self.database.clone(), place == self.place);
        let error = self.error.clone().filter(|_| is_root);
        Box::new(Span { place, parent, name, begin, end, is_root, database, error })
    }

    /// Tells of a part of it.
    fn tell(&self, place: Spot, name: &'static str, begin: Instant) {
        trace::tell(News::Span(self.span(place, Some(self.place.span), name, begin)));
    }
}

impl Drop for Journey {
    fn drop(&mut self) {
        trace::tell(News::Span(self.span(self.place, self.parent, self.name, self.begin)));
    }
}

/// As spans are called.
fn name_of(ask: &Ask) -> &'static str {
    match ask {
        Ask::Write { .. } | Ask::Try { .. } => "propose",
        Ask::Commit => "commit",
        Ask::Steps { .. } | Ask::OpenStep { .. } | Ask::Check { .. } => "step",
        Ask::Open { .. } => "read index",
        Ask::Fetch { .. } => "fetch",
        Ask::Turn { .. } => "turn",
        Ask::Barrier | Ask::CatchUp => "catch up",
        Ask::Mark { .. } => "savepoint",
        Ask::LockTables { .. } => "lock",
        Ask::Advisory { .. } => "advisory lock",
        Ask::Order { .. } => "order",
    }
}

/// Why a connection ends. Neither needs an answer.
enum End {
    Closed,
    Io(io::Error),
}

impl From<io::Error> for End {
    fn from(error: io::Error) -> End {
        End::Io(error)
    }
}

impl<D: Database> Connection<D> {
    /// Serves the client until it goes, or the server does.
    pub async fn run(mut self) {
        if let Err(End::Io(error)) = self.serve().await {
            tracing::debug!(%error, "connection ended");
        }
    }

    async fn serve(&mut self) -> Result<(), End> {
        loop {
            loop {
                let encoding = self.encoding();
                match frame::next_request(&mut self.input, encoding) {
                    Ok(Some(request)) => self.handle(request).await?,
                    Ok(None) => break,
                    Err(error) => return self.end_with(&error).await,
                }
            }
            self.flush().await?;
            self.wait_for_input().await?;
        }
    }

    /// A request that is to be traced, as the trace has it.
    fn journey(&self, name: &'static str, (place, parent): (Spot, Option<[u8; 8]>), begin: Instant) -> Journey {
        let database = self.registration.activity.lock().datname.clone();
        Journey { place, parent, name, begin, database, error: None }
    }

    /// Runs one request to its end.
    async fn handle(&mut self, request: Request) -> Result<(), End> {
        // Until it has begun: when, and whether it is traced; what Execute executes is not known before.
        let mut untold = trace::is_on().then(|| match &request {
            Request::Query(text) => (Instant::now(), "query", trace::of_statement(text)),
            Request::Parse { text, .. } => (Instant::now(), "parse", trace::of_statement(text)),
            Request::Execute { .. } => (Instant::now(), "execute", None),
            _ => (Instant::now(), "", None),
        });
        // What Execute has collected is written at Sync.
        let mut journey = self.journey.take();
        let goes_on = !matches!(request, Request::Query(_) | Request::Parse { .. } | Request::Sync);
        if request.weight() > LONG_INPUT && matches!(request, Request::CopyData(_)) {
            let place = self.options.workshop.enter(request.weight()).await;
            self.in_workshop(place, |session| session.receive(request)).await?;
        } else {
            self.session_mut().receive(request);
        }
        let mut effects = std::mem::take(&mut self.effects);
        loop {
            match self.place.take() {
                None => {
                    let world = match self.known.take() {
                        Some(known) => World { seed: rand::random(), allowance: Allowance::brief(), ..known },
                        None => self.world(Allowance::brief()),
                    };
                    self.session_mut().advance(&world, &mut effects);
                    self.known = Some(world);
                }
                Some(place) => {
                    let world = self.world(Allowance::within(self.stop()));
                    let advance = move |session: &mut Session| {
                        let mut effects = Vec::new();
                        session.advance(&world, &mut effects);
                        effects
                    };
                    effects = self.in_workshop(place, advance).await?;
                }
            }
            self.keep_time();
            if let Some((began, name, place)) = untold.take() {
                let executes = self.session.as_ref().filter(|_| name == "execute");
                let place = executes.map_or(place, |session| trace::of_statement(session.activity().query));
                if let Some(place) = place {
                    let new = self.journey(name, place, began);
                    new.tell(new.place.below(), "compile", began);
                    journey = Some(new);
                }
            }
            let mut answer = None;
            for effect in effects.drain(..) {
                match effect {
                    Effect::Send(message) => {
                        if let Message::Ready(_) = message
                            && let Err(error) = self.put_letters()
                        {
                            return self.end_with(&error).await;
                        }
                        if let (Some(journey), Message::Error(error)) = (&mut journey, &message) {
                            journey.error = Some(error.code.as_str().to_owned());
                        }
                        let encoding = self.encoding();
                        encode::message(&mut self.out, &message, encoding);
                    }
                    Effect::Rows { rows, form } => self.put_rows(&form, &rows),
                    Effect::CopyRows { rows, form } => self.put_copied(&form, &rows),
                    Effect::Rollback => {
                        self.known = None;
                        self.transaction = None;
                    }
                    Effect::Flush => self.flush().await?,
                    Effect::Keep(cursor) => {
                        if let Some((_, rows)) = self.cursors.iter_mut().find(|(c, _)| *c == cursor) {
                            rows.keep();
                        }
                    }
                    Effect::Rewind(cursor) => {
                        if let Some((_, rows)) = self.cursors.iter_mut().find(|(c, _)| *c == cursor) {
                            rows.rewind();
                        }
                    }
                    Effect::Listen(channels) => self.presence.mailbox.listen(channels),
                    Effect::Advise { request, order } => {
                        // Whoever hears what comes next may rely on it; but not for ever.
                        let deadline = Instant::now() + PATIENCE_TO_GIVE_BACK;
                        let control = Control::until(deadline);
                        let db = Arc::clone(&self.db);
                        let _ = db.advisory(request, order, &control).await;
                    }
                    Effect::Release(cursor) => self.cursors.retain(|(c, _)| *c != cursor),
                    Effect::Ask(ask) => {
                        self.known = None;
                        answer = Some(match &journey {
                            None => self.perform(*ask).await?,
                            Some(journey) => self.perform_traced(*ask, journey).await?,
                        });
                    }
                    Effect::Close => {
                        self.flush().await?;
                        return Err(End::Closed);
                    }
                }
                if self.out.len() > HIGH_WATER {
                    self.flush().await?;
                }
            }
            match answer {
                // The statement's failure is the timeout's doing.
                Some(answer) if answer.is_error() && self.clock.end.is_some_and(|end| Instant::now() >= end) => {
                    return self.end_with(&transaction_timed_out()).await;
                }
                // It was stopped because the session is to end.
                Some(answer)
                    if answer.is_error() && self.registration.cancellation.terminated.load(Ordering::SeqCst) =>
                {
                    return self.end_with(&shutting_down()).await;
                }
                Some(answer) => self.session_mut().answer(answer),
                None => {
                    self.effects = effects;
                    self.journey = journey.filter(|_| goes_on);
                    self.rest();
                    return Ok(());
                }
            }
        }
    }

    /// While it is up to the client what comes next, nobody waits for what its cursors have.
    fn rest(&mut self) {
        for (at, (_, rows)) in self.cursors.iter_mut().enumerate() {
            if !rows.is_resting() {
                rows.rest(at < MAX_SNAPSHOTS);
            }
        }
    }

    /// The client's. While the session is away, nothing but its loss is said.
    fn encoding(&self) -> Encoding {
        self.session.as_ref().map_or(Encoding::UTF8, |session| session.settings().hot().encoding)
    }

    fn session(&self) -> &Session {
        self.session.as_ref().expect("it is in the workshop only while that is waited for")
    }

    fn session_mut(&mut self) -> &mut Session {
        self.session.as_mut().expect("it is in the workshop only while that is waited for")
    }

    /// Lets the session work where nobody waits for it.
    async fn in_workshop<T: Send + 'static>(
        &mut self,
        place: Place,
        job: impl FnOnce(&mut Session) -> T + Send + 'static,
    ) -> Result<T, End> {
        self.flush().await?;
        let Some(mut session) = self.session.take() else { return Err(End::Closed) };
        let work = workshop::run(place, move || {
            let result = job(&mut session);
            (session, result)
        });
        match self.unless_lost(work).await {
            Some((session, result)) => {
                self.session = Some(session);
                Ok(result)
            }
            None => {
                let error = SqlError::new(state::OUT_OF_MEMORY, "the statement could not be worked on").fatal();
                self.end_with(&error).await?;
                Err(End::Closed)
            }
        }
    }

    /// Tells work in the workshop to stop when the statement is to.
    fn stop(&self) -> Stop {
        let cancellation = Arc::clone(&self.registration.cancellation);
        let limit = self.clock.limit();
        let deadline = self.clock.deadline;
        Box::new(move || {
            if cancellation.flag.load(Ordering::Relaxed) {
                return Err(cancelled(&cancellation));
            }
            let now = Instant::now();
            match &limit {
                Some((until, error)) if now >= *until => Err(error.clone()),
                _ if deadline.is_some_and(|deadline| now >= deadline) => Err(timed_out()),
                _ => Ok(()),
            }
        })
    }

    fn put_rows(&mut self, form: &RowForm, rows: &[Vec<Value>]) {
        let put = encode::rows(&mut self.out, form, rows);
        self.put_defect(put);
    }

    fn put_copied(&mut self, form: &Arc<CopyForm>, rows: &[Vec<Value>]) {
        let put = copied(&mut self.out, &*self.options.language, form, rows);
        self.put_defect(put);
    }

    /// Values were made to be shown; one that cannot be is a defect, and is reported as such.
    fn put_defect(&mut self, put: SqlResult<()>) {
        if let Err(error) = put {
            let encoding = self.encoding();
            encode::put_error(&mut self.out, &error, encoding);
        }
    }

    async fn perform_traced(&mut self, ask: Ask, journey: &Journey) -> Result<Answer, End> {
        let (name, place, begin) = (name_of(&ask), journey.place.below(), Instant::now());
        let answer = Box::pin(trace::within(place, journey.database.clone(), self.perform(ask))).await;
        journey.tell(place, name, begin);
        answer
    }

    async fn perform(&mut self, ask: Ask) -> Result<Answer, End> {
        let db = Arc::clone(&self.db);
        let control = self.control();
        Ok(match ask {
            Ask::Barrier => {
                let result = self.patiently(pin!(db.barrier(&control))).await?;
                Answer::Barrier(result.and_then(|r| r))
            }
            Ask::CatchUp => {
                let result = self.patiently(pin!(db.catch_up(&control))).await?;
                Answer::Barrier(result.and_then(|r| r))
            }
            Ask::Turn { long: false, .. } => {
                tokio::task::yield_now().await;
                Answer::Turn(self.interrupted())
            }
            Ask::Turn { long: true, bytes } => {
                let options = Arc::clone(&self.options);
                match self.patiently(pin!(options.workshop.enter(bytes))).await? {
                    Ok(place) => {
                        self.place = Some(place);
                        Answer::Turn(Ok(()))
                    }
                    Err(error) => Answer::Turn(Err(error)),
                }
            }
            Ask::Open { cursor, read } => {
                let request = read_request(read, control);
                match self.patiently(pin!(db.read(request))).await? {
                    Ok(Ok(rows)) => {
                        self.cursors.push((cursor, Open::Stream(rows)));
                        Answer::Opened(Ok(()))
                    }
                    Ok(Err(failure)) => Answer::Opened(Err(failure)),
                    Err(error) => Answer::Opened(Err(error.into())),
                }
            }
            Ask::Write { request, write, effort } => {
                match self.patiently(pin!(db.write(request, write, effort, &control))).await? {
                    Ok(result) => Answer::Written(result),
                    Err(error) => {
                        let detail = "The statement was already on its way and may still take effect.";
                        Answer::Written(Err(error.detail(detail).into()))
                    }
                }
            }
            Ask::Try { request, trial } => match self.patiently(pin!(db.try_write(request, *trial, &control))).await? {
                Ok(result) => Answer::Written(result),
                Err(error) => {
                    let detail = "The statement may have been on its way already, and then still takes effect.";
                    Answer::Written(Err(error.detail(detail).into()))
                }
            },
            Ask::Steps { begin, statements } => {
                let mut transaction = self.enter(begin);
                let work = async {
                    let mut outcomes = Vec::with_capacity(statements.len());
                    for statement in statements {
                        match db.step(&mut transaction, statement, &control).await {
                            Ok(outcome) => outcomes.push(outcome),
                            Err(Failure::Sql { error, .. }) => return Err(Failure::Sql { done: outcomes, error }),
                            Err(other) => return Err(other),
                        }
                    }
                    Ok(outcomes)
                };
                let result = self.patiently(pin!(work)).await;
                self.transaction = Some(transaction);
                Answer::Written(result?.unwrap_or_else(|error| Err(error.into())))
            }
            Ask::OpenStep { begin, cursor, statement } => {
                let mut transaction = self.enter(begin);
                let result = self.patiently(pin!(db.step(&mut transaction, *statement, &control))).await;
                self.transaction = Some(transaction);
                Answer::Opened(match result? {
                    Ok(Ok(outcome)) => {
                        self.cursors.push((cursor, Open::Held(outcome.rows, 0)));
                        Ok(())
                    }
                    Ok(Err(failure)) => Err(failure),
                    Err(error) => Err(error.into()),
                })
            }
            Ask::Mark { begin, mark } => {
                let mut transaction = self.enter(begin);
                let result = self.patiently(pin!(db.mark(&mut transaction, mark, &control))).await;
                self.transaction = Some(transaction);
                Answer::Done(result?.and_then(|result| result))
            }
            Ask::LockTables { begin, tables, mode, nowait } => {
                let mut transaction = self.enter(begin);
                let work = db.lock_tables(&mut transaction, tables, mode, nowait, &control);
                let result = self.patiently(pin!(work)).await;
                self.transaction = Some(transaction);
                Answer::Done(result?.and_then(|result| result))
            }
            Ask::Check { begin, statement } => {
                let mut transaction = self.enter(begin);
                let result = self.patiently(pin!(db.step(&mut transaction, *statement, &control))).await;
                self.transaction = Some(transaction);
                Answer::Done(match result? {
                    Ok(Ok(_)) => Ok(()),
                    Ok(Err(Failure::Sql { error, .. })) | Err(error) => Err(error),
                    Ok(Err(Failure::SchemaChanged)) => Err(SqlError::internal("a check has no schema version")),
                })
            }
            Ask::Commit => match self.transaction.take() {
                None => Answer::Done(Ok(())),
                Some(transaction) => {
                    // What is being committed is not to be ended any more.
                    self.clock.end = None;
                    let result = self.patiently(pin!(db.commit(transaction, &control))).await?;
                    let detail = "The COMMIT was already on its way and may still take effect.";
                    Answer::Done(result.map_err(|error| error.detail(detail)).and_then(|result| result))
                }
            },
            Ask::Order { order, user, session_user, time_zone } => {
                let who = Who { user, session_user, time_zone, pid: self.registration.key.pid };
                let result = self.patiently(pin!(db.order(order, who, &control))).await?;
                let detail = "It was already on its way and may still take effect.";
                Answer::Ordered(result.map_err(|error| error.detail(detail)).and_then(|result| result))
            }
            Ask::Advisory { request, order } => {
                let result = self.patiently(pin!(db.advisory(request, order, &control))).await?;
                Answer::Advisory(result.and_then(|result| result))
            }
            Ask::Fetch { cursor, max, sink } => Answer::Fetched(self.fetch(cursor, max, sink).await?),
        })
    }

    /// The open transaction, or a new one. It is put back when the work on it is over.
    fn enter(&mut self, begin: Begin) -> D::Transaction {
        let open = self.transaction.take();
        open.unwrap_or_else(|| self.db.begin(begin.name, begin.isolation, (*begin.env).clone()))
    }

    // ---- time and cancellation ----

    fn world(&self, allowance: Allowance) -> World {
        let own = self.transaction.as_ref().and_then(|transaction| self.db.catalog_of(transaction));
        World {
            catalog: own.unwrap_or_else(|| self.db.catalog()),
            applied: self.db.applied(),
            defined: self.db.defined(),
            now: self.db.now(),
            seed: rand::random(),
            allowance,
            databases: self.db.databases(),
            version: self.db.version(),
        }
    }

    /// A new statement, or a new beginning of the client's (a Parse may have to wait too), has its own deadline, and nothing
    /// that was cancelled before.
    fn keep_time(&mut self) {
        self.clock.follow(self.session().transaction_number(), self.session().transaction_timeout());
        let (statement, round) = (self.session().statement(), self.session().rounds());
        let begins = self.clock.statement != statement || self.clock.deadline.is_none();
        if !begins && self.clock.round == round {
            return;
        }
        let timeout = self.session().statement_timeout();
        let deadline = Some(Instant::now() + timeout.unwrap_or(FOR_EVER));
        self.clock = StatementClock { round, statement, deadline, timed: timeout.is_some(), ..self.clock };
        self.registration.cancellation.flag.store(false, Ordering::SeqCst);
        if begins {
            self.show_activity(true);
        }
    }

    /// Lets `pg_stat_activity` see what this session does now.
    fn show_activity(&self, active: bool) {
        let now = self.session().activity();
        let mut row = self.registration.activity.lock();
        let state = if active { "active" } else { now.state };
        if !active && row.state == state {
            return;
        }
        row.state_change = now_micros();
        row.state.replace_range(.., state);
        row.application_name.replace_range(.., now.application_name);
        row.xact_start = now.xact_start;
        if active {
            row.query_start = Some(row.state_change);
            row.query.replace_range(.., now.query);
        }
    }

    fn control(&self) -> Control {
        let deadline = self.clock.deadline.unwrap_or_else(Instant::now);
        let deadline = self.clock.end.map_or(deadline, |end| end.min(deadline));
        let cancelled = Arc::clone(&self.registration.cancellation.flag);
        let patience = (!self.clock.timed).then_some(self.options.patience);
        Control { deadline, patience, lock_timeout: self.session().lock_timeout(), cancelled }
    }

    fn interrupted(&self) -> SqlResult<()> {
        if self.registration.cancellation.flag.load(Ordering::SeqCst) {
            return Err(self.cancelled());
        }
        self.clock.over().map_or(Ok(()), Err)
    }

    /// Why the statement was told to stop.
    fn cancelled(&self) -> SqlError {
        cancelled(&self.registration.cancellation)
    }

    /// Waits for `work`, until the statement is cancelled or times out, or the client hangs up. Meanwhile earlier
    /// replies go out.
    async fn patiently<T>(&mut self, mut work: Pin<&mut impl Future<Output = T>>) -> Result<SqlResult<T>, End> {
        let cancellation = Arc::clone(&self.registration.cancellation);
        let stop = cancellation.notify.notified();
        tokio::pin!(stop);
        stop.as_mut().enable();
        if let Err(error) = self.interrupted() {
            return Ok(Err(error));
        }
        let deadline = self.clock.limit().map(|(until, _)| until);
        let soon = Instant::now() + PATIENCE;
        let mut wake = Some(deadline.map_or(soon, |deadline| deadline.min(soon)));
        // Most are done before it would pay to look.
        let mut watch = false;
        let mut byte = [0; 1];
        loop {
            tokio::select! {
                biased;
                done = work.as_mut() => return Ok(Ok(done)),
                () = &mut stop => return Ok(Err(self.cancelled())),
                peeked = self.stream.peek(&mut byte), if watch => match peeked {
                    // It has sent more already: its going cannot be seen behind that.
                    Ok(1..) => watch = false,
                    Ok(0) | Err(_) => return Err(End::Closed),
                },
                () = sleep_until(wake.unwrap_or_else(Instant::now).into()), if wake.is_some() => {
                    if let Some(error) = self.clock.over() {
                        return Ok(Err(error));
                    }
                    self.flush().await?;
                    (wake, watch) = (deadline, true);
                }
            }
        }
    }

    // ---- rows ----

    async fn fetch(&mut self, cursor: CursorId, max: u64, sink: Sink) -> Result<SqlResult<Fetch>, End> {
        let Some(at) = self.cursors.iter().position(|(c, _)| *c == cursor) else {
            return Ok(Err(SqlError::internal("the open result is gone")));
        };
        let (_, mut rows) = self.cursors.swap_remove(at);
        if rows.is_resting() {
            let control = self.control();
            let resumed = self.patiently(pin!(rows.resume(control))).await?.and_then(|resumed| resumed);
            if let Err(error) = resumed {
                self.cursors.push((cursor, rows));
                return Ok(Err(error));
            }
        }
        let to = match To::new(&sink, &self.options, &mut self.out) {
            Ok(to) => to,
            Err(error) => return Ok(Err(error)),
        };
        let mut batch = Batch::new(rows, to, std::mem::take(&mut self.out));
        let mut brief = true;
        let result = loop {
            if let Err(error) = self.interrupted() {
                break Err(error);
            }
            let (count, before) = (batch.count, batch.out.len());
            let want = batch.appetite(max - count);
            let fetched = match brief {
                true => batch.fetch(want, true),
                false => {
                    let work = tokio::task::spawn_blocking(move || {
                        let fetched = batch.fetch(want, false);
                        (batch, fetched)
                    });
                    match self.unless_lost(work).await {
                        Ok((back, fetched)) => {
                            batch = back;
                            fetched
                        }
                        Err(error) => return Err(End::Io(io::Error::other(error))),
                    }
                }
            };
            batch.learn(count, before);
            let mut late = false;
            match fetched {
                Err(error) => break Err(error),
                Ok(Fetched::Done) => break Ok(true),
                Ok(Fetched::More) if batch.count >= max => break Ok(false),
                Ok(Fetched::More) => {}
                Ok(Fetched::TooLong) => (brief, late) = (false, true),
            }
            // Who waits for earlier replies does not wait for what takes long.
            if batch.out.len() > HIGH_WATER || late {
                self.out = std::mem::take(&mut batch.out);
                self.flush().await?;
                batch.out = std::mem::take(&mut self.out);
            }
        };
        self.out = std::mem::take(&mut batch.out);
        self.cursors.push((cursor, batch.rows));
        Ok(result.and_then(|done| {
            if let (true, To::Copy(writer)) = (done, &mut batch.to) {
                copy_data(&mut self.out, |out| writer.end(out))?;
            }
            let rows = if let To::Session { rows, .. } = batch.to { rows } else { KeptRows::default() };
            Ok(Fetch { count: batch.count, done, rows, place: batch.place })
        }))
    }

    /// Waits for work on another thread. When the client hangs up meanwhile, the work is told to stop: nobody wants it.
    async fn unless_lost<T>(&mut self, work: impl Future<Output = T>) -> T {
        tokio::pin!(work);
        let mut byte = [0; 1];
        tokio::select! {
            biased;
            done = &mut work => return done,
            peeked = self.stream.peek(&mut byte) => {
                // If it has sent more instead, its going cannot be seen behind that.
                if !matches!(peeked, Ok(1..)) {
                    self.registration.cancellation.flag.store(true, Ordering::SeqCst);
                }
            }
        }
        work.await
    }

    // ---- what comes unasked ----

    /// Tells an idle client of notifications; ends the session if it is over.
    async fn deliver(&mut self) -> Result<(), End> {
        match self.put_letters() {
            Ok(false) => Ok(()),
            Ok(true) => self.flush().await,
            Err(error) => self.end_with(&error).await,
        }
    }

    /// Appends what may be told now; whether there was something.
    fn put_letters(&mut self) -> SqlResult<bool> {
        // In a block they wait, but not for the end.
        if self.session().status() != Status::Idle {
            return self.presence.mailbox.is_open().map(|()| false);
        }
        let letters = self.presence.mailbox.take()?;
        let encoding = self.encoding();
        letters.iter().for_each(|letter| encode::letter(&mut self.out, letter, encoding));
        Ok(!letters.is_empty())
    }

    // ---- the socket ----

    async fn flush(&mut self) -> Result<(), End> {
        if self.out.is_empty() {
            return Ok(());
        }
        let written = async {
            self.stream.write_all(&self.out).await?;
            self.stream.flush().await
        };
        let written = timeout(self.options.write_timeout, written).await;
        written.map_err(|_| io::Error::new(io::ErrorKind::TimedOut, "the client does not read"))??;
        self.out.clear();
        if self.out.capacity() > KEPT_BUFFER {
            self.out = Vec::new();
        }
        Ok(())
    }

    async fn wait_for_input(&mut self) -> Result<(), End> {
        if self.input.is_empty() && self.input.capacity() > KEPT_BUFFER {
            self.input = BytesMut::new();
        }
        // Memory follows the bytes that arrive, not the length that a frame claims.
        self.input.reserve(READ_SIZE);
        self.known = None;
        self.show_activity(false);
        let idle = self.session().idle_limit().map(|(limit, error)| (Instant::now() + limit, error));
        let end = self.clock.end.map(|end| (end, transaction_timed_out()));
        let limit = [idle, end].into_iter().flatten().min_by_key(|(until, _)| *until);
        let until = limit.as_ref().map(|(until, _)| *until);
        let cancellation = Arc::clone(&self.registration.cancellation);
        let mailbox = Arc::clone(&self.presence.mailbox);
        let end = loop {
            let signalled = cancellation.notify.notified();
            tokio::pin!(signalled);
            signalled.as_mut().enable();
            if cancellation.terminated.load(Ordering::SeqCst) {
                break shutting_down();
            }
            self.deliver().await?;
            tokio::select! {
                biased;
                // Who was told to end does not do first what has come meanwhile.
                () = &mut signalled => {}
                read = self.stream.read_buf(&mut self.input) => return match read? {
                    0 => Err(End::Closed),
                    _ => Ok(()),
                },
                changed = self.shutdown.changed() => {
                    if changed.is_err() || *self.shutdown.borrow() {
                        break shutting_down();
                    }
                }
                () = sleep_until(until.unwrap_or_else(Instant::now).into()), if until.is_some() => {
                    break limit.map_or_else(shutting_down, |(_, error)| error);
                }
                () = mailbox.bell.notified() => {}
            }
        };
        self.end_with(&end).await
    }

    /// Tells the client why, and closes.
    async fn end_with(&mut self, error: &SqlError) -> Result<(), End> {
        let encoding = self.encoding();
        encode::put_error(&mut self.out, error, encoding);
        self.flush().await?;
        let _ = self.stream.shutdown().await;
        Err(End::Closed)
    }
}

/// An open result while rows are taken from it. Owns its buffer, so that it can move to another thread and back.
struct Batch<R> {
    rows: R,
    to: To,
    out: Vec<u8>,
    count: u64,
    /// Average bytes of a row so far.
    row_bytes: usize,
    /// What stands before the client's columns in the last row.
    place: Vec<Value>,
}

enum To {
    Client(Arc<RowForm>),
    Copy(Box<dyn CopyWriter>),
    Nowhere { places: usize },
    Session { rows: KeptRows, bytes: usize, max_bytes: usize },
}

impl To {
    fn new(sink: &Sink, options: &Options, out: &mut Vec<u8>) -> SqlResult<To> {
        Ok(match sink {
            Sink::Client(form) => To::Client(Arc::clone(form)),
            Sink::Copy(form) => {
                let mut writer = options.language.copy_writer(form)?;
                copy_data(out, |out| writer.begin(out))?;
                To::Copy(writer)
            }
            Sink::Nowhere { places } => To::Nowhere { places: *places },
            Sink::Session { max_bytes } => To::Session { rows: KeptRows::default(), bytes: 0, max_bytes: *max_bytes },
        })
    }
}

impl To {
    /// How many of a row's values stand before the client's columns.
    fn places(&self, width: usize) -> usize {
        match self {
            To::Client(form) => width.saturating_sub(form.columns.len()),
            To::Nowhere { places } => *places,
            _ => 0,
        }
    }
}

impl<R: Rows> Batch<R> {
    fn new(rows: R, to: To, out: Vec<u8>) -> Batch<R> {
        // Nothing is known of the rows yet: a few, in case they are large.
        Batch { rows, to, out, count: 0, row_bytes: HIGH_WATER / 8, place: Vec::new() }
    }

    /// How many rows to take at once so that the buffer stays near its mark.
    fn appetite(&self, left: u64) -> usize {
        let fit = match self.to {
            To::Client(_) | To::Copy(_) => (HIGH_WATER / self.row_bytes.max(1)).clamp(1, 4096),
            _ => 4096,
        };
        usize::try_from(left).unwrap_or(usize::MAX).min(fit)
    }

    fn learn(&mut self, count: u64, before: usize) {
        let rows = (self.count - count) as usize;
        let bytes = self.out.len().saturating_sub(before);
        self.row_bytes = bytes.checked_div(rows).unwrap_or(self.row_bytes);
    }

    fn fetch(&mut self, max: usize, brief: bool) -> SqlResult<Fetched> {
        let Batch { rows, to, out, count, place, .. } = self;
        rows.fetch(max, brief, &mut |values| {
            take(to, out, values)?;
            place.clear();
            place.extend(values[..to.places(values.len())].iter().map(|value| ValueRef::to_owned(*value)));
            *count += 1;
            Ok(())
        })
    }
}

fn take(to: &mut To, out: &mut Vec<u8>, values: &[ValueRef<'_>]) -> SqlResult<()> {
    match to {
        To::Client(form) => encode::data_row(out, form, values),
        To::Copy(writer) => copy_data(out, |out| writer.row(values, out)),
        To::Nowhere { .. } => Ok(()),
        To::Session { rows, bytes, max_bytes } => {
            let row: Vec<Value> = values.iter().map(|v| ValueRef::to_owned(*v)).collect();
            let size = row.iter().map(crate::session::value_size).sum::<usize>();
            *bytes += size;
            if *bytes > *max_bytes {
                let message = format!("the rows of the cursor are larger than {max_bytes} bytes");
                return Err(SqlError::new(state::PROGRAM_LIMIT_EXCEEDED, message));
            }
            rows.push(row, size)
        }
    }
}

/// Appends one CopyData message, or nothing if `fill` adds nothing or fails.
fn copy_data(out: &mut Vec<u8>, fill: impl FnOnce(&mut Vec<u8>) -> SqlResult<()>) -> SqlResult<()> {
    let start = out.len();
    out.extend_from_slice(&[b'd', 0, 0, 0, 0]);
    let filled = fill(out);
    if filled.is_err() || out.len() == start + 5 {
        out.truncate(start);
        return filled;
    }
    encode::close_frame(out, start)
}

/// Rows as COPY writes them.
fn copied(out: &mut Vec<u8>, language: &dyn Language, form: &Arc<CopyForm>, rows: &[Vec<Value>]) -> SqlResult<()> {
    let mut writer = language.copy_writer(form)?;
    copy_data(out, |out| writer.begin(out))?;
    for row in rows {
        let values: Vec<ValueRef<'_>> = row.iter().map(Value::as_ref).collect();
        copy_data(out, |out| writer.row(&values, out))?;
    }
    copy_data(out, |out| writer.end(out))
}

fn read_request(read: OpenRead, control: Control) -> ReadRequest {
    let OpenRead { sql, params, context, signals, schema_version, linearizable } = read;
    ReadRequest { sql, params, context, signals, schema_version, linearizable, control }
}

fn cancelled(cancellation: &Cancellation) -> SqlError {
    match cancellation.terminated.load(Ordering::SeqCst) {
        true => shutting_down(),
        false => SqlError::new(state::QUERY_CANCELED, "canceling statement due to user request"),
    }
}

fn timed_out() -> SqlError {
    SqlError::new(state::QUERY_CANCELED, "canceling statement due to statement timeout")
}

fn transaction_timed_out() -> SqlError {
    SqlError::new(state::TRANSACTION_TIMEOUT, "terminating connection due to transaction timeout").fatal()
}

pub fn shutting_down() -> SqlError {
    SqlError::new(state::ADMIN_SHUTDOWN, "terminating connection due to administrator command").fatal()
}
