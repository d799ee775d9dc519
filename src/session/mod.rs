//! One client's session: a state machine without socket, clock or thread.
//!
//! ```text
//! receive(request) ─► tasks ─► advance(world) ─► effects … Ask ─► (the connection performs it) ─► answer(answer)
//!                                    ▲                                                               │
//!                                    └───────────────────────────────────────────────────────────────┘
//! ```
//! A request becomes tasks (a query string: one per statement, and its end). `advance` runs tasks until one needs
//! something from outside, or nothing is left; then the session wants the next request. A task that fails to compile
//! is run once more after a barrier, because the catalog of this node may be behind what the client has seen.
//!
//! Where things are: `effect` the data that goes in and out, `transaction` blocks and collected writes, `portal`
//! prepared statements and cursors, `extended` the messages of the extended protocol, `utility` what needs no
//! database, `advisory` locks, `settings`, `copy`, `language` the seam to the compiler and the plan cache.

mod advisory;
mod copy;
mod cursor;
mod effect;
mod explain;
mod extended;
pub mod language;
mod listen;
mod online;
mod portal;
pub mod postgres;
mod procedural;
mod settings;
mod temporary;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
mod transaction;
mod utility;

pub use effect::*;
pub use settings::Settings;

use crate::command::{self, Frozen, Isolation, Seen, Shape, StepOutcome, Yields, schema};
use crate::error::{SqlError, SqlResult, SqlState, state};
use crate::functions::Asks;
use crate::functions::Context;
use crate::functions::advisory::{Answered, Call};
use crate::functions::notify::LISTENING;
use crate::functions::session::{CONNECTION, CURSORS, TEMPORARY};
use crate::gateway::{ANY_SCHEMA, Failure};
use crate::id::RequestId;
use crate::sql::Scope;
use crate::sql::access;
use crate::sql::lex::without_passwords;
use crate::sql::plan::{Effort, Facts, LockWait, Plan, PlanKind, Read, ResultColumn, Tag, Utility, WritePlan};
use crate::transaction::{self as orders, Kind};
use crate::types::json::quote;
use crate::types::{Env, Type};
use language::{Compiled, Language, PlanCache, PlanKey, Statement};
use parking_lot::Mutex;
use portal::{AnswerAs, Portal, PortalState, Prepared, Run, binaries};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;
use transaction::{Batch, Reply, Transaction};

/// What a session is made with.
pub struct Identity {
    pub user: String,
    pub database: Arc<str>,
    /// `pg_backend_pid()`.
    pub pid: i32,
    /// Drawn at random: names this session's requests for ever.
    pub origin: u64,
    /// It is the node's own.
    pub inner: bool,
}

/// Bounds on what a session keeps in memory, in bytes.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Input of one COPY, and rows of one held or scrollable cursor.
    pub copy: usize,
    pub cursor: usize,
    /// Prepared statements and portals, each.
    pub names: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { copy: 1 << 30, cursor: 256 << 20, names: 10_000 }
    }
}

/// Bytes of a statement that others are shown.
const SHOWN_TEXT: usize = 1024;

/// How often a statement is translated again because the schema moved on meanwhile.
const MAX_ATTEMPTS: u32 = 100;

/// A setting that a read wants changed.
#[derive(Debug)]
struct Wish {
    name: String,
    /// `None`: the default.
    value: Option<String>,
    local: bool,
}

pub struct Session {
    id: Identity,
    limits: Limits,
    language: Arc<dyn Language>,
    cache: Arc<PlanCache>,
    settings: Settings,
    transaction: Option<Transaction>,
    batch: Batch,
    prepared: BTreeMap<String, Arc<Prepared>>,
    portals: BTreeMap<String, Portal>,
    tasks: VecDeque<Task>,
    wait: Wait,
    answered: Option<Answer>,
    effects: Vec<Effect>,
    /// BindComplete, and a description of its portal: they wait to see whether the plan is still good where it runs. If it
    /// is not, the error belongs in their place.
    unsaid: Vec<Effect>,
    /// The current request belongs to the extended protocol.
    extended: bool,
    /// It is a query string of several statements, which are one transaction.
    several: bool,
    /// After an error in the extended protocol: until Sync.
    skipping: bool,
    closed: bool,
    /// Nothing of the client's is under way: it was told so.
    resting: bool,
    /// How often it has begun something since.
    rounds: u64,
    /// Number of the statement that runs: its timeout begins with it.
    statement: u64,
    /// A message of the extended protocol has begun one that the next ones belong to.
    timed: bool,
    /// Its text, cut to a length fit to be shown.
    text: String,
    /// Number of transactions begun.
    transactions: u64,
    request_seq: u64,
    last_cursor: u64,
    last_portal: u64,
    /// Last values of sequences, for `currval` and `lastval`.
    drawn: Arc<BTreeMap<u32, i64>>,
    drawn_last: Option<u32>,
    /// What calls of advisory locks were told, while the statement that makes them is sent.
    answers: Option<Vec<Answered>>,
    /// Changes of settings that the read under way has made, in order.
    wishes: Arc<Mutex<Vec<Wish>>>,
    /// It has asked for advisory locks.
    advised: bool,
    temporary: temporary::Temporary,
    listening: listen::Channels,
    /// The DO under way.
    doing: Option<Box<procedural::Doing>>,
    /// The index under way.
    building: Option<Box<online::Building>>,
}

struct Task {
    what: What,
    /// The catalog was refreshed for it already.
    barriered: bool,
    /// It has been begun before, as the same statement.
    begun: bool,
}

impl Task {
    /// It compiles when it has begun already, and cannot be begun anew then.
    fn compiles_late(&self) -> bool {
        match &self.what {
            What::Again(run) | What::Continue(run) => run.portal.utility().is_some_and(Utility::compiles),
            _ => false,
        }
    }

    /// Nothing has been done for it yet, and it may come to nothing.
    fn may_wait(&self) -> bool {
        matches!(
            self.what,
            What::Text(_) | What::Statement(..) | What::Message(Request::Parse { .. } | Request::Bind(_))
        ) || matches!(self.what, What::Message(Request::Describe { .. } | Request::Execute { .. }))
    }

    fn new(what: What) -> Task {
        Task { what, barriered: false, begun: false }
    }

    /// A barrier would tell it nothing.
    fn fresh(what: What) -> Task {
        Task { what, barriered: true, begun: false }
    }
}

enum What {
    /// A query string.
    Text(String),
    Statement(Arc<dyn Statement>, Option<Arc<str>>),
    EndOfQuery,
    Message(Request),
    /// A portal whose plan is out of date.
    Again(Box<Run>),
    /// COMMIT after the collected writes are done, and the like.
    Continue(Box<Run>),
    /// The DO under way goes on.
    Program,
    /// The index under way goes on.
    Build,
    /// The collected writes of an interactive transaction.
    Send,
    /// The rest of a COMMIT: the transaction is durable.
    Committed(Box<Run>),
    /// An error whose turn has come.
    Fail(SqlError),
    Nothing,
}

/// What the session has asked for, and what to do with the answer.
enum Wait {
    Nothing,
    Barrier,
    Turn,
    Open(Box<Run>, CursorId),
    Fetch(Box<Run>),
    Write(Task),
    /// SAVEPOINT, LOCK TABLE, …: then this.
    Done(Box<Run>),
    /// COMMIT: then this.
    Commit(Task),
    CopyIn(Box<copy::CopyIn>),
    /// DECLARE opens its query; then, if it is to be held, fetches all of it.
    Declare(Box<Run>, Box<Portal>),
    Hold(Box<Run>, Box<Portal>),
    /// FETCH goes backward on one that has to begin again for it.
    Materialize(Box<Run>, Box<Portal>),
    /// FETCH opens the portal it is about.
    Begin(Box<Run>, Box<Portal>),
    /// FETCH or MOVE on the second portal.
    Scroll(Box<Run>, Box<Portal>),
    /// EXECUTE evaluates its arguments.
    Arguments(Box<cursor::Arguments>),
    /// EXPLAIN by the session.
    Explain(Box<explain::Explaining>),
    /// The cluster is to do something.
    Order(Box<Run>),
    /// LISTEN, as soon as what was announced before has been applied.
    Listen(Box<Run>, String),
    /// A query that calls for advisory locks.
    Locking(Box<advisory::Locking>),
    /// The answer to such a call.
    Advised(Box<advisory::Locking>, Call),
    /// The log knows that there will be temporary objects; then this makes one.
    Registered(Box<Run>),
    /// A step of the DO under way.
    Program,
}

/// What a statement costs that compiles nothing.
const STEPS_OF_A_TASK: u64 = 16;

/// Why a task ended early.
enum Stop {
    /// The text did not compile: with a fresher catalog it may.
    Compile(SqlError),
    Final(SqlError),
}

impl From<SqlError> for Stop {
    fn from(error: SqlError) -> Stop {
        Stop::Final(error)
    }
}

impl Stop {
    /// What stopped has been used up: it cannot be run again.
    fn finally(self) -> Stop {
        let (Stop::Compile(error) | Stop::Final(error)) = self;
        Stop::Final(error)
    }
}

type Step = Result<(), Stop>;

/// Parsing that was too long for this place can be run again elsewhere; another catalog does not help it.
fn unless_brief(world: &World, error: SqlError) -> Stop {
    if world.allowance.was_too_brief() { Stop::Compile(error) } else { Stop::Final(error) }
}

impl Session {
    pub fn new(
        id: Identity,
        limits: Limits,
        settings: Settings,
        language: Arc<dyn Language>,
        cache: Arc<PlanCache>,
    ) -> Session {
        let origin = id.origin;
        Session {
            id,
            limits,
            language,
            cache,
            settings,
            transaction: None,
            batch: Batch::default(),
            prepared: BTreeMap::new(),
            portals: BTreeMap::new(),
            tasks: VecDeque::new(),
            wait: Wait::Nothing,
            answered: None,
            effects: Vec::new(),
            unsaid: Vec::new(),
            extended: false,
            several: false,
            skipping: false,
            closed: false,
            resting: true,
            rounds: 0,
            statement: 0,
            timed: false,
            text: String::new(),
            transactions: 0,
            request_seq: 0,
            last_cursor: 0,
            last_portal: 0,
            drawn: Arc::default(),
            drawn_last: None,
            answers: None,
            wishes: Arc::default(),
            advised: false,
            temporary: temporary::Temporary::new(origin),
            listening: Default::default(),
            doing: None,
            building: None,
        }
    }

    /// Takes a client's message. Only when the last `advance` left nothing to be answered.
    pub fn receive(&mut self, request: Request) {
        if self.closed {
            return;
        }
        if matches!(self.wait, Wait::CopyIn(_)) {
            return self.receive_copy(request);
        }
        self.rounds += u64::from(std::mem::take(&mut self.resting));
        match request {
            Request::Terminate => self.close(),
            // What is left of a COPY that has failed.
            Request::CopyData(_) | Request::CopyDone | Request::CopyFail(_) => {}
            Request::Sync => self.message(Request::Sync),
            _ if self.skipping => {}
            Request::Query(text) => self.query(text),
            Request::Invalid { error, extended } => {
                self.extended = extended;
                self.task(What::Fail(error));
                if !extended {
                    self.task(What::EndOfQuery);
                }
            }
            other => self.message(other),
        }
    }

    /// Takes what became of the last effect, which was an [`Effect::Ask`].
    pub fn answer(&mut self, answer: Answer) {
        debug_assert!(self.answered.is_none());
        self.answered = Some(answer);
    }

    /// Goes on as far as possible. If the last of `effects` is an [`Effect::Ask`], the session waits for its answer;
    /// otherwise it waits for a request.
    pub fn advance(&mut self, world: &World, effects: &mut Vec<Effect>) {
        if let Some(answer) = self.answered.take() {
            let wait = std::mem::replace(&mut self.wait, Wait::Nothing);
            if let Err(Stop::Compile(error) | Stop::Final(error)) = self.resume(world, wait, answer) {
                self.fail_in_turn(world, error);
            }
        }
        while matches!(self.wait, Wait::Nothing) && !self.closed {
            let Some(task) = self.tasks.pop_front() else { break };
            let whole = !matches!(task.what, What::Text(_));
            self.perform(world, task);
            // The place where work may take long is for what needs it, and each statement has a time of its own.
            let more = self.tasks.front().is_some_and(Task::may_wait);
            if matches!(self.wait, Wait::Nothing)
                && whole
                && more
                && !world.allowance.is_brief()
                && !world.allowance.is_unused()
            {
                self.ask(Ask::Turn { long: false, bytes: 0 }, Wait::Turn);
            }
        }
        effects.append(&mut self.effects);
    }

    /// The status byte of the next ReadyForQuery.
    pub fn status(&self) -> Status {
        match &self.transaction {
            Some(t) if t.explicit && t.failed => Status::Failed,
            Some(t) if t.explicit => Status::InBlock,
            _ => Status::Idle,
        }
    }

    /// A number that changes when the client begins something after it was told that the session is ready. What was
    /// cancelled, or has timed out, before that is over.
    pub fn rounds(&self) -> u64 {
        self.rounds
    }

    /// A number that changes when another statement begins.
    pub fn statement(&self) -> u64 {
        self.statement
    }

    /// `statement_timeout`.
    pub fn statement_timeout(&self) -> Option<Duration> {
        self.settings.hot().statement_timeout
    }

    /// `lock_timeout`.
    pub fn lock_timeout(&self) -> Option<Duration> {
        self.settings.hot().lock_timeout
    }

    /// `transaction_timeout`.
    pub fn transaction_timeout(&self) -> Option<Duration> {
        self.settings.hot().transaction_timeout
    }

    /// The number of the open transaction, if there is one.
    pub fn transaction_number(&self) -> Option<u64> {
        self.transaction.as_ref().map(|_| self.transactions)
    }

    pub fn activity(&self) -> Activity<'_> {
        Activity {
            state: match self.status() {
                Status::Idle => "idle",
                Status::InBlock => "idle in transaction",
                Status::Failed => "idle in transaction (aborted)",
            },
            query: &self.text,
            xact_start: self.transaction.as_ref().map(|t| t.started),
            application_name: &self.settings.hot().application_name,
        }
    }

    /// How long the client may be silent now, and the error that ends the session then. In the middle of a pipeline or of
    /// a COPY it is not idle.
    pub fn idle_limit(&self) -> Option<(Duration, SqlError)> {
        if matches!(self.wait, Wait::CopyIn(_)) || self.transaction.as_ref().is_some_and(|t| !t.explicit) {
            return None;
        }
        let hot = self.settings.hot();
        let (limit, code, message) = match self.status() {
            Status::Idle => {
                (hot.idle_timeout?, SqlState::new("57P05"), "terminating connection due to idle-session timeout")
            }
            _ => (
                hot.idle_in_transaction_timeout?,
                state::IDLE_IN_TRANSACTION_SESSION_TIMEOUT,
                "terminating connection due to idle-in-transaction timeout",
            ),
        };
        Some((limit, SqlError::new(code, message).fatal()))
    }

    /// Names its requests.
    pub fn origin(&self) -> u64 {
        self.id.origin
    }

    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    // ---- tasks ----

    fn task(&mut self, what: What) {
        self.tasks.push_back(Task::new(what));
    }

    fn message(&mut self, request: Request) {
        self.extended = true;
        self.several = false;
        self.task(What::Message(request));
    }

    fn query(&mut self, text: String) {
        self.extended = false;
        self.drop_portal("");
        self.put_name("", None);
        self.show_text(&text);
        self.task(What::Text(text));
        self.task(What::EndOfQuery);
    }

    /// Makes tasks of a query string. A lone statement has a text to be cached under.
    fn split(&mut self, world: &World, text: &str) -> Step {
        let mut statements = self.language.parse(text, &world.allowance).map_err(|e| unless_brief(world, e))?;
        self.several = statements.len() > 1;
        for statement in &statements {
            self.tell_of_text(statement);
        }
        match statements.len() {
            0 => self.send(Message::EmptyQuery),
            1 => self.tasks.push_front(Task::new(What::Statement(statements.remove(0), Some(Arc::from(text))))),
            _ => {
                let tasks = statements.into_iter().map(|statement| Task::new(What::Statement(statement, None)));
                tasks.rev().for_each(|task| self.tasks.push_front(task));
            }
        }
        Ok(())
    }

    fn tell_of_text(&mut self, statement: &Arc<dyn Statement>) {
        for notice in statement.notices() {
            self.notice(severity(notice), notice.clone());
        }
    }

    fn perform(&mut self, world: &World, mut task: Task) {
        let compiles = match &task.what {
            What::Statement(..) | What::Again(_) | What::Program | What::Build => true,
            What::Message(Request::Describe { target, .. }) => *target == Target::Statement,
            What::Message(Request::Parse { .. } | Request::Bind(_) | Request::Execute { .. }) => true,
            _ => false,
        };
        // What a client of this node was told of the schema binds what is compiled here.
        if compiles && world.applied < world.defined {
            self.tasks.push_front(task);
            return self.ask(Ask::CatchUp, Wait::Barrier);
        }
        // And it must see the schema as the collected writes have changed it.
        if self.batch.ddl && compiles && !self.failed() {
            if let Err(Stop::Compile(error) | Stop::Final(error)) = self.send_steps(world, task) {
                self.fail(error);
            }
            return;
        }
        if world.allowance.is_brief()
            && (task.compiles_late() || task.may_wait() && world.allowance.spend(STEPS_OF_A_TASK).is_err())
        {
            return self.defer(task);
        }
        if !task.begun {
            self.count(&task.what);
            task.begun = true;
        }
        match self.attempt(world, &mut task.what) {
            Ok(()) => {}
            Err(Stop::Compile(_)) if world.allowance.was_too_brief() => self.defer(task),
            Err(Stop::Compile(error)) if !task.barriered && may_be_stale(&error) => {
                task.barriered = true;
                self.tasks.push_front(task);
                self.ask(Ask::Barrier, Wait::Barrier);
            }
            Err(Stop::Compile(error) | Stop::Final(error)) => {
                if let What::Again(_) = &task.what {
                    self.unsaid.clear();
                }
                self.fail_in_turn(world, error);
            }
        }
    }

    /// A statement's timeout begins with each statement of a query string. In the extended protocol it begins with the first
    /// message about a query and ends with Execute or Sync (PostgreSQL 15, `statement_timeout`).
    fn count(&mut self, what: &What) {
        match what {
            What::Text(_) | What::Statement(..) => self.statement += 1,
            What::Message(
                Request::Parse { .. } | Request::Bind(_) | Request::Describe { .. } | Request::Execute { .. },
            ) => {
                self.statement += u64::from(!std::mem::replace(&mut self.timed, true));
                self.timed &= !matches!(what, What::Message(Request::Execute { .. }));
            }
            What::Message(Request::Sync) => self.timed = false,
            _ => {}
        }
    }

    /// Does a task later, where it may take longer.
    fn defer(&mut self, task: Task) {
        let bytes = match &task.what {
            What::Text(text) => text.len(),
            What::Statement(statement, _) => statement.text().len(),
            What::Message(request) => request.weight(),
            _ => 0,
        };
        self.tasks.push_front(task);
        self.ask(Ask::Turn { long: true, bytes }, Wait::Turn);
    }

    /// Runs a task. One that stops with [`Stop::Compile`] has had no effect and is left as it was.
    fn attempt(&mut self, world: &World, what: &mut What) -> Step {
        match what {
            What::Text(text) => {
                let text = std::mem::take(text);
                self.split(world, &text).inspect_err(|_| *what = What::Text(text))
            }
            What::Statement(statement, text) => {
                self.begin(world);
                let prepared = self.prepare(world, statement, text.as_ref(), &[], false)?;
                if !prepared.plan.params.is_empty() {
                    return Err(SqlError::new(state::UNDEFINED_PARAMETER, "there is no parameter $1").into());
                }
                let portal = self.portal(String::new(), prepared, Vec::new(), &[]);
                self.run(world, Run::new(portal, AnswerAs::Simple, u64::MAX))
            }
            What::EndOfQuery => self.finish_requests(world, Task::fresh(What::EndOfQuery)),
            What::Message(request) => self.extended_message(world, request),
            What::Again(run) => {
                self.replan(world, &mut run.portal)?;
                match std::mem::replace(what, What::Nothing) {
                    What::Again(run) => self.run(world, *run).map_err(Stop::finally),
                    _ => unreachable!("just matched"),
                }
            }
            What::Continue(_) => match std::mem::replace(what, What::Nothing) {
                What::Continue(run) => self.run(world, *run).map_err(Stop::finally),
                _ => unreachable!("just matched"),
            },
            What::Program => self.go_on(world),
            What::Build => self.go_on_building(world),
            What::Send if self.batch.is_empty() => Ok(()),
            What::Send => self.send_steps(world, Task::fresh(What::Nothing)),
            What::Committed(_) => match std::mem::replace(what, What::Nothing) {
                What::Committed(run) => self.committed(world, *run).map_err(Stop::finally),
                _ => unreachable!("just matched"),
            },
            What::Fail(error) => Err(error.clone().into()),
            What::Nothing => Ok(()),
        }
    }

    fn resume(&mut self, world: &World, wait: Wait, answer: Answer) -> Step {
        match (wait, answer) {
            (Wait::Barrier, Answer::Barrier(result)) | (Wait::Turn, Answer::Turn(result)) => Ok(result?),
            (Wait::Open(run, cursor), Answer::Opened(result)) => self.opened(*run, cursor, result),
            (Wait::Fetch(run), Answer::Fetched(result)) => self.fetched(world, *run, result),
            (Wait::Write(task), Answer::Written(result)) => self.written(world, task, result),
            (Wait::Done(run), Answer::Done(result)) => {
                result?;
                self.finish_utility(*run);
                Ok(())
            }
            (Wait::Order(run), Answer::Ordered(result)) => {
                for notice in result? {
                    self.notice(severity(&notice), notice);
                }
                self.finish_utility(*run);
                Ok(())
            }
            (Wait::Listen(run, channel), Answer::Barrier(result)) => {
                result?;
                self.listened(*run, channel);
                Ok(())
            }
            (Wait::Commit(then), Answer::Done(result)) => self.commit_done(then, result),
            (Wait::Declare(run, portal), Answer::Opened(result)) => self.declared(*run, *portal, result),
            (Wait::Hold(run, portal), Answer::Fetched(result)) => self.held(*run, *portal, result),
            (Wait::Materialize(run, portal), Answer::Fetched(result)) => self.materialized(*run, *portal, result),
            (Wait::Begin(run, portal), Answer::Opened(result)) => self.begun(world, *run, *portal, result),
            (Wait::Scroll(run, portal), Answer::Fetched(result)) => self.scrolled(*run, *portal, result),
            (Wait::Arguments(arguments), answer) => self.evaluated(world, *arguments, answer),
            (Wait::Explain(explaining), answer) => self.explaining(world, *explaining, answer),
            (Wait::Locking(locking), answer) => self.locking(*locking, answer),
            (Wait::Advised(locking, call), Answer::Advisory(told)) => self.advised(world, *locking, call, told),
            (Wait::Registered(run), Answer::Advisory(told)) => self.registered(*run, told),
            (Wait::Program, answer) => self.program_answered(world, answer),
            _ => Err(SqlError::internal("an answer that nobody asked for").into()),
        }
    }

    // ---- effects ----

    /// Sends now, or after the collected writes.
    fn emit(&mut self, effect: Effect) {
        self.speak();
        self.utter(effect);
    }

    fn utter(&mut self, effect: Effect) {
        match self.batch.is_empty() {
            true => self.effects.push(effect),
            false => self.batch.replies.push(Reply::Now(effect)),
        }
    }

    /// Sends what was held back.
    fn speak(&mut self) {
        for effect in std::mem::take(&mut self.unsaid) {
            self.utter(effect);
        }
    }

    fn send(&mut self, message: Message) {
        self.emit(Effect::Send(message));
    }

    fn complete(&mut self, tag: &'static str) {
        self.send(Message::Complete(CommandTag::Plain(tag)));
    }

    fn warn(&mut self, code: SqlState, message: impl Into<String>) {
        self.notice(Severity::Warning, SqlError::new(code, message));
    }

    fn notice(&mut self, severity: Severity, notice: SqlError) {
        if self.settings.least_severity().is_some_and(|least| severity >= least) {
            self.send(Message::Notice(severity, notice));
        }
    }

    fn ask(&mut self, ask: Ask, wait: Wait) {
        if let Ask::Fetch { .. } = ask {
            // The connection sends the rows by itself.
            self.speak();
        }
        debug_assert!(matches!(self.wait, Wait::Nothing));
        self.effects.push(Effect::Ask(Box::new(ask)));
        self.wait = wait;
    }

    fn close(&mut self) {
        self.closed = true;
        self.tasks.clear();
        self.effects.push(Effect::Close);
    }

    // ---- transactions ----

    fn show_text(&mut self, text: &str) {
        self.text.clear();
        let end = (0..=text.len().min(SHOWN_TEXT)).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        self.text.push_str(&text[..end]);
        // Only these say passwords.
        if text.trim_start().starts_with(['C', 'c', 'A', 'a']) {
            without_passwords(&mut self.text);
        }
    }

    /// The transaction that the current statement belongs to; a new implicit one if there is none.
    fn begin(&mut self, world: &World) -> &mut Transaction {
        let hot = self.settings.hot();
        self.transactions += u64::from(self.transaction.is_none());
        self.transaction.get_or_insert_with(|| Transaction {
            explicit: false,
            failed: false,
            started: world.now,
            isolation: hot.isolation,
            read_only: hot.read_only,
            deferrable: hot.deferrable,
            chained: Default::default(),
            savepoints: Vec::new(),
            portals: self.last_portal,
            queried: false,
            committed: false,
            lost: false,
            constraints: Default::default(),
            name: None,
            defined_from: None,
            stepped: false,
            advisory: Vec::new(),
            listens: Vec::new(),
            wrote: false,
            on_commit: self.temporary.mark(),
        })
    }

    fn failed(&self) -> bool {
        self.transaction.as_ref().is_some_and(|t| t.failed)
    }

    fn explicit(&self) -> bool {
        self.transaction.as_ref().is_some_and(|t| t.explicit)
    }

    /// Reports an error after the answers of the writes that were collected before: so they run, for those answers or for
    /// an error that comes first.
    fn fail_in_turn(&mut self, world: &World, error: SqlError) {
        if self.caught(&error) {
            return;
        }
        let error = self.discreet(world, error);
        self.speak();
        if self.batch.is_empty() || self.failed() || error.fatal {
            return self.fail(error);
        }
        let then = Task::fresh(What::Fail(error));
        if let Err(Stop::Compile(error) | Stop::Final(error)) = self.send_steps(world, then) {
            self.fail(error);
        }
    }

    /// What a violation tells of rows, only those are told who may read them.
    fn discreet(&self, world: &World, mut error: SqlError) -> SqlError {
        let fields = &mut error.fields;
        let named = fields.schema.clone().zip(fields.table.clone()).filter(|_| error.code.as_str().starts_with("23"));
        if let (Some(_), Some(relation)) = (&fields.detail, named.and_then(|key| world.catalog.relations.get(&key))) {
            let keys = fields.constraint.as_ref().and_then(|name| relation.constraint(name)).map(|c| &c.columns[..]);
            if !access::may_read(&world.catalog, self.settings.current_user(), relation, keys) {
                fields.detail = None;
            }
        }
        error
    }

    /// Reports an error; what was under way is undone, and what follows it is not done.
    fn fail(&mut self, error: SqlError) {
        self.speak();
        let lost = !self.batch.is_empty() && !self.interactive();
        self.batch = Batch::default();
        self.doing = None;
        self.building = None;
        self.wait = Wait::Nothing;
        let fatal = error.fatal;
        self.effects.push(Effect::Send(Message::Error(error)));
        if fatal {
            return self.close();
        }
        let kept =
            self.transaction.as_ref().and_then(|t| t.savepoints.last()).map_or(0, |savepoint| savepoint.advisory);
        self.give_back_advisory(kept);
        let (mut settings, mut portals) = (0, self.transaction.as_ref().map_or(self.last_portal, |t| t.portals));
        if let Some(t) = &mut self.transaction {
            t.failed = true;
            t.lost |= lost;
            match t.savepoints.last() {
                Some(savepoint) => (settings, portals) = (savepoint.settings, savepoint.portals),
                // Only ROLLBACK can follow: nobody is to wait for it, whatever has failed, and wherever.
                None => self.effects.extend(t.name.take().map(|_| Effect::Rollback)),
            }
        }
        self.settings.roll_back_to(settings);
        self.drop_portals(|p| p.serial > portals);
        self.skipping = self.extended;
        // Nor is what was put off, be it the rest of the query string or the message that could not be carried out.
        self.tasks.retain(|t| matches!(t.what, What::EndOfQuery | What::Message(Request::Sync)));
    }

    /// The end of a query string, or Sync: ends an implicit transaction and says that the session is ready.
    fn finish_requests(&mut self, world: &World, this: Task) -> Step {
        if !self.explicit() && !self.failed() && self.tidies_up() {
            if self.batch.ddl {
                // What it has made is known only then.
                return self.send_steps(world, this);
            }
            self.tidy_up(world)?;
        }
        if !self.batch.is_empty() {
            return self.ask_write(world, this);
        }
        if self.interactive() && !self.explicit() && !self.failed() {
            self.ask(Ask::Commit, Wait::Commit(this));
            return Ok(());
        }
        self.skipping = false;
        if !self.explicit() {
            self.end_transaction(!self.failed());
        }
        for (name, value) in self.settings.changed_reports() {
            self.send(Message::Setting { name, value });
        }
        self.send(Message::Ready(self.status()));
        self.resting = true;
        Ok(())
    }

    /// Ends the transaction, if any: settings and cursors go the way it went.
    fn end_transaction(&mut self, commit: bool) {
        self.batch = Batch::default();
        if self.interactive() && !commit {
            self.effects.push(Effect::Rollback);
        }
        self.give_back_advisory(0);
        let mut said = Vec::new();
        let before = self.transaction.take().map_or(self.last_portal, |t| {
            said = t.listens;
            if !commit {
                self.temporary.roll_back_to(t.on_commit);
            }
            t.portals
        });
        if commit {
            self.listen_to(said);
        }
        match commit {
            true => self.settings.commit(),
            false => self.settings.roll_back_to(0),
        }
        self.drop_portals(|p| !p.hold || !commit && p.serial > before);
    }

    fn drop_portals(&mut self, which: impl Fn(&Portal) -> bool) {
        let effects = &mut self.effects;
        self.portals.retain(|_, portal| {
            let gone = which(portal);
            if let (true, Some(cursor)) = (gone, portal.cursor()) {
                effects.push(Effect::Release(cursor));
            }
            !gone
        });
    }

    fn drop_portal(&mut self, name: &str) -> bool {
        let portal = self.portals.remove(name);
        if let Some(cursor) = portal.as_ref().and_then(Portal::cursor) {
            self.effects.push(Effect::Release(cursor));
        }
        portal.is_some()
    }

    // ---- compiling ----

    /// Compiles a statement, or finds its plan in the cache. `fixed`: its columns may not change later.
    fn prepare(
        &mut self,
        world: &World,
        statement: &Arc<dyn Statement>,
        text: Option<&Arc<str>>,
        declared: &[Type],
        fixed: bool,
    ) -> Result<Arc<Prepared>, Stop> {
        let plan = match self.compile(world, statement, text, declared, &[]) {
            Err(Stop::Compile(_)) if self.failed() => return Err(aborted().into()),
            Err(stop) => {
                statement.only_in_blocks().map_or(Ok(()), |what| self.require_block(what))?;
                return Err(stop);
            }
            // The collected change of the schema is not in the catalog yet.
            Ok(plan) => plan,
        };
        self.note_definition(world, &plan);
        self.check_failed(&plan)?;
        let scope = self.scope_digest();
        let declared = plan.params.clone();
        let statement = Some(Arc::clone(statement));
        let (at, from_sql) = (world.now, false);
        Ok(Arc::new(Prepared { statement, text: text.cloned(), declared, plan, scope, pinned: fixed, at, from_sql }))
    }

    /// Notes which OIDs a block's definitions give.
    fn note_definition(&mut self, world: &World, plan: &Plan) {
        let defines = matches!(&plan.kind, PlanKind::Write(write) if write.ddl != crate::command::Definition::None);
        if let (true, Some(transaction)) = (defines, self.transaction.as_mut().filter(|t| t.explicit)) {
            transaction.defined_from.get_or_insert(world.catalog.next_oid);
        }
    }

    fn compile(
        &mut self,
        world: &World,
        statement: &Arc<dyn Statement>,
        text: Option<&Arc<str>>,
        declared: &[Type],
        assigned: &[Type],
    ) -> Result<Arc<Plan>, Stop> {
        let key = text.map(|text| self.plan_key(world, text, declared));
        if let Some(found) = key.as_ref().and_then(|key| self.cache.get(key)) {
            return Ok(found.plan);
        }
        let env = self.settings.env();
        let path = self.temporary.search_path(self.settings.search_path());
        let scope = Scope {
            catalog: &world.catalog,
            search_path: &path,
            temporary: self.temporary.place(self.settings.search_path()),
            declared,
            assigned,
            variables: self.variables(),
            env: &env,
            user: self.settings.current_user(),
            session_user: self.settings.session_user(),
            seed: world.seed,
            database: &self.id.database,
            databases: &world.databases,
            inner: self.id.inner,
            allowance: &world.allowance,
            positioned: false,
            defined_from: self.transaction.as_ref().and_then(|transaction| transaction.defined_from),
            version: world.version,
        };
        let plan = Arc::new(statement.compile(&scope).map_err(Stop::Compile)?);
        // What names the session's own schema is for nobody else, and the key does not tell sessions apart before they have one.
        let shared = !matches!(&plan.kind, PlanKind::Write(write) if write.temporary);
        if let Some(key) = key.filter(|_| shared) {
            self.cache.put(key, Compiled { statement: Arc::clone(statement), plan: Arc::clone(&plan) });
        }
        Ok(plan)
    }

    fn plan_key(&self, world: &World, text: &Arc<str>, declared: &[Type]) -> PlanKey {
        PlanKey {
            text: Arc::clone(text),
            declared: declared.to_vec(),
            schema_version: schema::shared(world.catalog.version),
            // Whether there are other databases decides how far a statement about a role has to look.
            scope: self.scope_digest() ^ u128::from(world.databases.others),
        }
    }

    /// The same statement under the present catalog and settings.
    fn refreshed(&mut self, world: &World, prepared: &Arc<Prepared>) -> Result<Arc<Prepared>, Stop> {
        let scope = self.scope_digest();
        if schema::agree(prepared.plan.schema_version, world.catalog.version) && prepared.scope == scope {
            return Ok(Arc::clone(prepared));
        }
        let Some(statement) = prepared.statement.clone() else { return Ok(Arc::clone(prepared)) };
        let plan = self.compile(world, &statement, prepared.text.as_ref(), &prepared.declared, &[])?;
        if prepared.columns_differ(&plan) || prepared.declared != plan.params {
            let message = "cached plan must not change result type";
            return Err(SqlError::new(state::FEATURE_NOT_SUPPORTED, message).into());
        }
        Ok(Arc::new(Prepared { plan, scope, ..Prepared::clone(prepared) }))
    }

    /// Brings a portal that has not run yet up to date.
    fn replan(&mut self, world: &World, portal: &mut Portal) -> Step {
        let prepared = self.refreshed(world, &portal.prepared)?;
        if !Arc::ptr_eq(&prepared, &portal.prepared) {
            if prepared.plan.columns.len() != portal.form.columns.len() {
                let binary = vec![false; prepared.plan.columns.len()];
                portal.form = self.form(&prepared.plan, binary);
            } else {
                portal.form = self.form(&prepared.plan, portal.form.binary.clone());
            }
            portal.plan = Arc::clone(&prepared.plan);
            portal.prepared = prepared;
        }
        Ok(())
    }

    /// In a failed block only the ways out of it may run.
    fn check_failed(&self, plan: &Plan) -> SqlResult<()> {
        let way_out = matches!(
            &plan.kind,
            PlanKind::Utility(Utility::Commit { .. } | Utility::Rollback { .. } | Utility::RollbackTo(_))
                | PlanKind::Empty
        );
        if self.failed() && !way_out { Err(aborted()) } else { Ok(()) }
    }

    fn portal(
        &mut self,
        name: String,
        prepared: Arc<Prepared>,
        params: Vec<crate::value::Value>,
        formats: &[i16],
    ) -> Portal {
        let columns = self.columns_of(&prepared.plan);
        let binary = match self.binary_cursor(&prepared.plan) {
            // Only the extended protocol lets the client say what it wants.
            Some(binary) if !self.extended => binary,
            _ => binaries(&columns, formats),
        };
        let form = Arc::new(self.row_form(columns, binary));
        self.last_portal += 1;
        Portal {
            name,
            plan: Arc::clone(&prepared.plan),
            prepared,
            params,
            form,
            state: PortalState::Fresh,
            position: 0,
            hold: false,
            scroll: false,
            rewinds: false,
            ended: false,
            place: None,
            serial: self.last_portal,
        }
    }

    fn form(&self, plan: &Plan, binary: Vec<bool>) -> Arc<RowForm> {
        Arc::new(self.row_form(self.columns_of(plan), binary))
    }

    fn row_form(&self, columns: Vec<ResultColumn>, binary: Vec<bool>) -> RowForm {
        RowForm { columns, binary, env: self.settings.env(), encoding: self.settings.hot().encoding }
    }

    /// Describes rows. Errors: 22P05 for a name that the client cannot be told.
    fn send_columns(&mut self, form: &Arc<RowForm>) -> SqlResult<()> {
        form.columns.iter().try_for_each(|column| form.encoding.encode(&column.name).map(drop))?;
        self.send(Message::Columns(Arc::clone(form)));
        Ok(())
    }

    // ---- running ----

    fn run(&mut self, world: &World, run: Run) -> Step {
        self.begin(world);
        self.check_failed(&run.portal.plan)?;
        match &run.portal.state {
            PortalState::Fresh => {}
            PortalState::Open(cursor) => {
                let cursor = *cursor;
                return self.ask_fetch(run, cursor);
            }
            PortalState::Held(_) => return self.deliver_held(run),
            PortalState::Exhausted => {
                self.complete_read(&run, 0);
                self.put_back(run);
                return Ok(());
            }
            PortalState::Finished => {
                let message = format!("portal \"{}\" cannot be run", run.portal.name);
                return Err(SqlError::new(state::OBJECT_NOT_IN_PREREQUISITE_STATE, message).into());
            }
        }
        let plan = Arc::clone(&run.portal.plan);
        match &plan.kind {
            PlanKind::Empty => {
                self.send(Message::EmptyQuery);
                self.put_back(run);
                Ok(())
            }
            PlanKind::Read(read) | PlanKind::CopyOut { read, .. } => self.start_read(world, run, read),
            PlanKind::Write(write) if write.temporary && !self.temporary.is_registered() => self.register(run),
            PlanKind::Write(write) => {
                if let Some(what) = write.alone {
                    self.forbid_block(what)?;
                }
                // Neither an announcement nor statistics change what a read-only transaction is to leave alone.
                let announces = write.facts.notifies && write.statements.iter().all(|s| s.shape == Shape::Other);
                if !announces && write.tag != Tag::Plain("ANALYZE") {
                    self.check_write(write_name(write), write.lasting)?;
                }
                for notice in &write.notices {
                    self.notice(severity(notice), notice.clone());
                }
                if write.begins.is_some() {
                    return self.begin_index(world, run);
                }
                self.temporary.defines(write);
                let mut run = run;
                let mut params = std::mem::take(&mut run.portal.params);
                // Which rows its subquery means is found out when it runs.
                params.extend(write.lock.iter().map(|_| crate::value::Value::Null));
                self.collect(run, vec![params])
            }
            PlanKind::CopyIn(_) => {
                self.check_write("COPY FROM", true)?;
                self.start_copy(run)
            }
            PlanKind::Utility(utility) => self.utility(world, run, utility),
        }
    }

    fn start_read(&mut self, world: &World, run: Run, read: &Read) -> Step {
        if !self.batch.is_empty() {
            return self.send_steps(world, Task::fresh(What::Continue(Box::new(run))));
        }
        if read.facts.asks.advisory {
            return self.start_locking(world, run);
        }
        self.check_read(read)?;
        let cursor = self.new_cursor();
        let (params, version) = (run.portal.params.clone(), run.portal.plan.schema_version);
        let open = self.open(world, cursor, read, params, version);
        self.ask(open, Wait::Open(Box::new(run), cursor));
        Ok(())
    }

    /// How a read begins: in the open transaction, if it belongs there.
    fn open(
        &mut self,
        world: &World,
        cursor: CursorId,
        read: &Read,
        params: Vec<crate::value::Value>,
        schema_version: u64,
    ) -> Ask {
        if !self.transaction.as_ref().is_some_and(|t| t.holds_reads(read)) {
            return Ask::Open { cursor, read: self.open_read(world, read, params, schema_version) };
        }
        let statement = Box::new(self.locking_read(world, read, params, schema_version));
        let begin = self.begin_interactive();
        self.mark_stepped();
        Ask::OpenStep { begin, cursor, statement }
    }

    fn check_read(&mut self, read: &Read) -> SqlResult<()> {
        let Some(t) = &mut self.transaction else { return Ok(()) };
        if let (true, Some(lock)) = (t.read_only, read.lock.as_ref().or(read.inside.as_ref())) {
            let message = format!("cannot execute SELECT {} in a read-only transaction", lock.strength.clause());
            return Err(SqlError::new(state::READ_ONLY_SQL_TRANSACTION, message));
        }
        t.queried = true;
        Ok(())
    }

    fn open_read(&self, world: &World, read: &Read, params: Vec<crate::value::Value>, schema_version: u64) -> OpenRead {
        let context = Context {
            now: self.transaction.as_ref().map_or(world.now, |t| t.started),
            // In a block it is later than the block's own time, always.
            clock: self.transaction.as_ref().map_or(world.now, |t| world.now.max(t.started + 1)),
            seed: world.seed,
            env: Env::clone(&self.settings.env()),
            user: Arc::clone(&self.settings.hot().current_user),
            database: Arc::clone(&self.id.database),
            settings: self.seen_settings(&read.facts.asks),
            current: Arc::clone(&self.drawn),
            last: self.drawn_last,
            backend_pid: self.id.pid,
            live: match &read.facts.asks.live {
                none if none.is_empty() => Context::nothing(),
                asked => Arc::new(self.live(asked)),
            },
            advisory: self.answers.clone().map(Arc::new),
            configure: read.facts.asks.config.then(|| self.configure()),
            ..Context::default()
        };
        let signals = read.facts.asks.signals;
        // One that only changes the session asks nobody else.
        let own = read.facts.asks.config && !read.facts.stored;
        let linearizable = self.settings.hot().linearizable && !own;
        let schema_version = if own { ANY_SCHEMA } else { schema_version };
        OpenRead { sql: Arc::clone(&read.sql), params, context, signals, schema_version, linearizable }
    }

    fn new_cursor(&mut self) -> CursorId {
        self.last_cursor += 1;
        CursorId(self.last_cursor)
    }

    fn opened(&mut self, mut run: Run, cursor: CursorId, result: Result<(), Failure>) -> Step {
        match result {
            Ok(()) => {
                run.portal.state = PortalState::Open(cursor);
                if let PlanKind::CopyOut { .. } = &run.portal.plan.kind {
                    self.send(Message::CopyOut(copy_form(&run)));
                } else if run.answer == AnswerAs::Simple {
                    self.send_columns(&run.portal.form)?;
                }
                self.ask_fetch(run, cursor)
            }
            Err(Failure::SchemaChanged) => self.try_again(run),
            Err(Failure::Sql { error, .. }) => {
                self.wishes.lock().clear();
                Err(error.into())
            }
        }
    }

    fn try_again(&mut self, mut run: Run) -> Step {
        run.attempts += 1;
        if run.attempts > MAX_ATTEMPTS {
            return Err(schema_moves().into());
        }
        self.tasks.push_front(Task::new(What::Again(Box::new(run))));
        Ok(())
    }

    fn ask_fetch(&mut self, run: Run, cursor: CursorId) -> Step {
        let (sink, max) = match &run.portal.plan.kind {
            PlanKind::CopyOut { .. } => (Sink::Copy(copy_form(&run)), u64::MAX),
            _ => (Sink::Client(Arc::clone(&run.portal.form)), run.max),
        };
        self.ask(Ask::Fetch { cursor, max, sink }, Wait::Fetch(Box::new(run)));
        Ok(())
    }

    fn fetched(&mut self, world: &World, mut run: Run, result: SqlResult<Fetch>) -> Step {
        let cursor = run.portal.cursor();
        let fetch = match result {
            Ok(fetch) => fetch,
            Err(error) => {
                self.effects.extend(cursor.map(Effect::Release));
                self.wishes.lock().clear();
                return Err(error.into());
            }
        };
        run.portal.position += fetch.count;
        self.configured(world)?;
        if fetch.done {
            self.effects.extend(cursor.map(Effect::Release));
            run.portal.state = PortalState::Exhausted;
            if let PlanKind::CopyOut { .. } = &run.portal.plan.kind {
                run.portal.state = PortalState::Finished;
                self.send(Message::CopyDone);
            }
            self.complete_read(&run, fetch.count);
        } else {
            self.send(Message::PortalSuspended);
        }
        self.put_back(run);
        Ok(())
    }

    fn complete_read(&mut self, run: &Run, count: u64) {
        let tag = match &run.portal.plan.kind {
            PlanKind::CopyOut { .. } => CommandTag::Counted("COPY", count),
            PlanKind::Read(read) if read.tag != "SELECT" => CommandTag::Plain(read.tag),
            PlanKind::Write(w) => tag(&w.tag, count),
            PlanKind::Utility(Utility::Fetch { .. }) => CommandTag::Counted("FETCH", count),
            PlanKind::Utility(Utility::Explain(_)) => CommandTag::Plain("EXPLAIN"),
            PlanKind::Utility(_) => CommandTag::Plain("SHOW"),
            _ => CommandTag::Counted("SELECT", count),
        };
        self.send(Message::Complete(tag));
    }

    fn put_back(&mut self, run: Run) {
        if run.answer == AnswerAs::Portal {
            self.portals.insert(run.portal.name.clone(), run.portal);
        } else if let Some(cursor) = run.portal.cursor() {
            self.effects.push(Effect::Release(cursor));
        }
    }

    /// COPY of what a data change has returned.
    fn copy_rows(&mut self, mut run: Run, rows: Vec<Vec<crate::value::Value>>) -> Step {
        let (form, count) = (copy_form(&run), rows.len() as u64);
        self.send(Message::CopyOut(Arc::clone(&form)));
        self.emit(Effect::CopyRows { rows, form });
        self.send(Message::CopyDone);
        self.send(Message::Complete(CommandTag::Counted("COPY", count)));
        run.portal.state = PortalState::Finished;
        self.put_back(run);
        Ok(())
    }

    /// Answers with rows that the session has: SHOW, a suspended RETURNING.
    fn deliver_rows(&mut self, mut run: Run, rows: Vec<Vec<crate::value::Value>>) -> Step {
        if run.answer == AnswerAs::Simple {
            self.send_columns(&run.portal.form)?;
        }
        run.portal.state = PortalState::Held(rows.into());
        self.deliver_held(run)
    }

    fn deliver_held(&mut self, mut run: Run) -> Step {
        let PortalState::Held(rows) = &mut run.portal.state else { return Ok(()) };
        let count = run.max.min(rows.len() as u64);
        let rest = rows.split_off(count as usize);
        let rows = std::mem::replace(&mut **rows, rest);
        let more = matches!(&run.portal.state, PortalState::Held(rest) if !rest.is_empty());
        run.portal.position += count;
        if !rows.is_empty() {
            run.portal.form.check(&rows)?;
            self.emit(Effect::Rows { rows, form: Arc::clone(&run.portal.form) });
        }
        if more {
            self.send(Message::PortalSuspended);
        } else {
            let total = run.portal.position;
            run.portal.state = PortalState::Finished;
            self.complete_read(&run, total);
        }
        self.put_back(run);
        Ok(())
    }

    // ---- writes ----

    /// `lasting`: not only temporary tables are written to, which a read-only transaction may do.
    fn check_write(&mut self, name: &str, lasting: bool) -> SqlResult<()> {
        let Some(t) = &self.transaction else { return Ok(()) };
        if t.read_only && lasting {
            let message = format!("cannot execute {name} in a read-only transaction");
            return Err(SqlError::new(state::READ_ONLY_SQL_TRANSACTION, message));
        }
        if t.committed {
            return Err(SqlError::unsupported("writing again between Flush and Sync"));
        }
        if self.batch.env.as_ref().is_some_and(|env| *env != self.settings.env()) {
            return Err(SqlError::unsupported("writing under different settings in one transaction"));
        }
        Ok(())
    }

    fn collect(&mut self, run: Run, params: Vec<Vec<crate::value::Value>>) -> Step {
        let env = self.settings.env();
        let seen = self.seen(transaction::facts_of(&run));
        let said = std::mem::take(&mut self.unsaid);
        self.batch.push(run, params, &env, seen, said);
        if let Some(t) = &mut self.transaction {
            t.wrote = true;
        }
        if self.interactive() || self.explicit() {
            self.tasks.push_front(Task::fresh(What::Send));
        }
        Ok(())
    }

    /// Collects a statement that the client has not sent, and does not hear of.
    fn collect_unheard(&mut self, prepared: &Arc<Prepared>, params: Vec<crate::value::Value>) {
        let portal = self.portal(String::new(), Arc::clone(prepared), Vec::new(), &[]);
        let run = Run::new(portal, AnswerAs::Simple, u64::MAX);
        let (env, seen) = (self.settings.env(), self.seen(transaction::facts_of(&run)));
        self.batch.push_unanswered(run, vec![params], &env, seen, Vec::new());
    }

    // ---- interactive transactions ----

    /// The gateway has it open.
    fn interactive(&self) -> bool {
        self.transaction.as_ref().is_some_and(|t| t.name.is_some())
    }

    fn mark_stepped(&mut self) {
        if let Some(t) = &mut self.transaction {
            t.stepped = true;
            t.queried = true;
        }
    }

    /// The current transaction's name and terms; it is interactive from now on.
    fn begin_interactive(&mut self) -> Begin {
        let name = self.transaction.as_ref().and_then(|t| t.name).unwrap_or_else(|| self.next_request());
        let mut isolation = Isolation::ReadCommitted;
        if let Some(t) = &mut self.transaction {
            t.name = Some(name);
            isolation = t.isolation.isolation();
        }
        Begin { name, isolation, env: self.settings.env() }
    }

    fn next_request(&mut self) -> RequestId {
        self.request_seq += 1;
        RequestId { origin: self.id.origin, seq: self.request_seq }
    }

    /// The circumstances of a statement.
    fn frozen(&self, world: &World) -> Frozen {
        Frozen {
            now: self.transaction.as_ref().map_or(world.now, |t| t.started),
            seed: world.seed,
            sequences: None,
            env: Some(Env::clone(&self.settings.env())),
        }
    }

    /// The settings, as functions see them.
    fn seen_settings(&self, asks: &Asks) -> Arc<BTreeMap<String, String>> {
        if !asks.wants_settings() {
            return self.settings.map(&[]);
        }
        let mut settings = self.settings.map(&self.present());
        if self.temporary.is_registered() && asks.wants_setting(TEMPORARY) {
            Arc::make_mut(&mut settings).insert(TEMPORARY.to_owned(), self.temporary.schema().to_owned());
        }
        if (!self.portals.is_empty() || self.doing.is_some()) && asks.wants_setting(CURSORS) {
            Arc::make_mut(&mut settings).insert(CURSORS.to_owned(), self.cursor_places());
        }
        if !self.settings.connection().is_empty() && asks.wants_setting(CONNECTION) {
            Arc::make_mut(&mut settings).insert(CONNECTION.to_owned(), self.settings.connection().to_owned());
        }
        if !self.listening.is_empty() && asks.wants_setting(LISTENING) {
            Arc::make_mut(&mut settings).insert(LISTENING.to_owned(), self.channels());
        }
        settings
    }

    /// What a statement is to learn of the session, and the names of the live relations that it reads.
    fn seen(&self, facts: &Facts) -> Option<Box<Seen>> {
        let asks = &facts.asks;
        if asks.is_empty() {
            return None;
        }
        let mut seen = Seen { live: self.live(&asks.live), advisory: self.answers.clone(), ..Seen::default() };
        if asks.identity {
            (seen.user, seen.database) = (self.settings.current_user().to_owned(), self.id.database.to_string());
            seen.backend_pid = self.id.pid;
        }
        if asks.sequences {
            seen.current = self.drawn.iter().map(|(oid, value)| (*oid, *value)).collect();
            seen.last = self.drawn_last;
        }
        let settings = self.seen_settings(asks);
        let asked = settings.iter().filter(|(name, _)| asks.wants_setting(name));
        seen.settings = asked.map(|(name, value)| (name.clone(), value.clone())).collect();
        Some(Box::new(seen))
    }

    /// The live relations that are read, each with its rows once they are known: the session's own are known at once.
    fn live(&self, asked: &BTreeSet<String>) -> BTreeMap<String, String> {
        let rows = |name: &str| match name {
            "prepared_statements" => self.prepared_rows(),
            "cursors" => self.cursor_rows(),
            _ => String::new(),
        };
        asked.iter().map(|name| (name.clone(), rows(name))).collect()
    }

    /// The prepared statements as a JSON array.
    fn prepared_rows(&self) -> String {
        let row = |(name, prepared): (&String, &Arc<Prepared>)| {
            let types: Vec<String> = prepared.plan.params.iter().map(|ty| ty.0.to_string()).collect();
            let text = prepared.statement.as_ref().map_or("", |statement| statement.text());
            let shown = if prepared.from_sql { format!("PREPARE {name} AS {text};") } else { text.to_owned() };
            format!(
                "{{\"name\":{},\"statement\":{},\"prepare_time\":{},\"parameter_types\":\"{}\",\"from_sql\":{}}}",
                quote(name),
                quote(&shown),
                prepared.at,
                types.join(" "),
                prepared.from_sql
            )
        };
        let named = self.prepared.iter().filter(|(name, _)| !name.is_empty());
        format!("[{}]", named.map(row).collect::<Vec<_>>().join(","))
    }

    /// The named cursors and portals as a JSON array.
    fn cursor_rows(&self) -> String {
        let row = |(name, portal): (&String, &Portal)| {
            let text = portal.prepared.statement.as_ref().map_or("", |statement| statement.text());
            let binary = !portal.form.binary.is_empty() && portal.form.binary.iter().all(|binary| *binary);
            format!(
                "{{\"name\":{},\"statement\":{},\"is_holdable\":{},\"is_binary\":{binary},\"is_scrollable\":{},\
                 \"creation_time\":{}}}",
                quote(name),
                quote(text),
                portal.hold,
                portal.scroll,
                portal.prepared.at
            )
        };
        let named = self.portals.iter().filter(|(name, _)| !name.is_empty());
        format!("[{}]", named.map(row).collect::<Vec<_>>().join(","))
    }

    /// A read as a statement of an interactive transaction.
    fn locking_read(
        &self,
        world: &World,
        read: &Read,
        mut params: Vec<crate::value::Value>,
        schema_version: u64,
    ) -> orders::Statement {
        let (sql, kind, yields) = match &read.lock {
            None if read.inside.is_some() => (&read.sql, Kind::LockingRead, Yields::Rows),
            None => (&read.sql, Kind::Read, Yields::Rows),
            Some(lock) => (&lock.sql, Kind::LockingRead, Yields::RowsAnd(lock.tables.len() as u8)),
        };
        if read.inside.is_some() || read.lock.as_ref().is_some_and(|lock| lock.wait == LockWait::SkipLocked) {
            // Which rows it means is found out when it runs.
            params.push(crate::value::Value::Null);
        }
        let lock = read.lock.as_ref().map(transaction::locking);
        let before = read.inside.as_ref().map(transaction::before);
        let ordered = read.facts.ordered;
        let statement = command::Statement::new(&**sql, yields);
        let frozen = Some(self.frozen(world));
        let seen = self.seen(&read.facts);
        let step =
            command::Step { statements: vec![statement], params: vec![params], frozen, seen, ..Default::default() };
        let (schema_version, immediate) = (Some(schema_version), Vec::new());
        let effort = if read.short { Effort::Row(None) } else { Effort::Scan };
        orders::Statement { step, kind, lock, before, schema_version, ordered, immediate, effort }
    }

    /// Runs the collected writes in the transaction, which is interactive from now on; then `then`.
    fn send_steps(&mut self, world: &World, then: Task) -> Step {
        self.begin_interactive();
        self.mark_stepped();
        self.ask_write(world, then)
    }

    fn commit_done(&mut self, then: Task, result: SqlResult<()>) -> Step {
        match result {
            Ok(()) => {
                if let Some(t) = &mut self.transaction {
                    t.name = None;
                }
                self.tasks.push_front(then);
                Ok(())
            }
            Err(error) => {
                // COMMIT ends the block, whatever comes of it.
                let explicit = self.explicit();
                if let Some(t) = &mut self.transaction {
                    t.name = None;
                }
                if explicit {
                    self.end_transaction(false);
                }
                if matches!(then.what, What::EndOfQuery | What::Message(Request::Sync)) {
                    self.tasks.push_front(then);
                }
                Err(error.into())
            }
        }
    }

    /// Sends the collected writes to the log; `then` runs when they are done.
    fn ask_write(&mut self, world: &World, then: Task) -> Step {
        // What is held back of the next statement comes after the answers of these.
        self.speak();
        let version = world.catalog.version;
        let mut items = std::mem::take(&mut self.batch.items);
        let mut failed = None;
        for (i, item) in items.iter_mut().enumerate() {
            if schema::agree(item.run.portal.plan.schema_version, version) {
                continue;
            }
            if let Err(Stop::Compile(error) | Stop::Final(error)) = self.replan(world, &mut item.run.portal) {
                failed = Some((i, error));
                break;
            }
            item.seen = self.seen(transaction::facts_of(&item.run));
        }
        self.batch.items = items;
        if let Some((number, error)) = failed {
            // Those before it have answers, which come first.
            self.still_due(then);
            self.tasks.push_front(Task::fresh(What::Fail(error)));
            let replies = self.batch.cut(number);
            self.take_back_names(number);
            self.effects.extend(replies);
            return Ok(());
        }
        if self.interactive() {
            let frozen = self.frozen(world);
            if let Some(t) = self.transaction.as_mut().filter(|_| self.batch.puts_off()) {
                // SQLite does so until the end of the block.
                t.constraints.deferred = true;
            }
            let constraints = self.transaction.as_ref().map(|t| &t.constraints);
            let deferred = constraints.is_some_and(|c| c.deferred);
            let immediate = constraints.map(|c| c.immediate(&world.catalog)).unwrap_or_default();
            let (begin, statements) = (self.begin_interactive(), self.batch.statements(&frozen, deferred, &immediate));
            self.batch.env = None;
            self.ask(Ask::Steps { begin, statements }, Wait::Write(then));
            return Ok(());
        }
        let (request, born) = match self.batch.request {
            Some(first) => first,
            None => (self.next_request(), world.applied),
        };
        self.batch.request = Some((request, born));
        if self.batch.wants_trial() {
            let frozen = self.frozen(world);
            let trial = Box::new(self.batch.trial(version, born, &frozen));
            self.ask(Ask::Try { request, trial }, Wait::Write(then));
            return Ok(());
        }
        let write = self.batch.command(version, born);
        let effort = self.batch.effort();
        self.ask(Ask::Write { request, write, effort }, Wait::Write(then));
        Ok(())
    }

    fn written(&mut self, world: &World, then: Task, result: Result<Vec<StepOutcome>, Failure>) -> Step {
        let (done, error) = match result {
            Ok(mut outcomes) => {
                if matches!(then.what, What::Program) {
                    self.program_wrote(&mut outcomes)?;
                }
                if matches!(then.what, What::Build) {
                    self.part_is_done(world, &outcomes)?;
                }
                self.answer_batch(world, outcomes);
                if let Some(t) = &mut self.transaction {
                    t.committed = t.name.is_none();
                }
                self.tasks.push_front(then);
                return Ok(());
            }
            Err(Failure::SchemaChanged) => {
                self.batch.attempts += 1;
                // Of several steps the first may have run.
                let whole = !self.interactive() || self.batch.items.len() == 1;
                if whole && self.batch.attempts <= MAX_ATTEMPTS && self.batch.may_retry() {
                    return self.ask_write(world, then);
                }
                (Vec::new(), schema_moves())
            }
            Err(Failure::Sql { mut done, error }) => {
                // What is found at the end of all belongs to the last one.
                done.truncate(self.batch.items.len() - 1);
                (done, error)
            }
        };
        self.still_due(then);
        self.answer_batch(world, done);
        Err(error.into())
    }

    /// After an error the end of the query string, or Sync, is still to come; a COMMIT and the like are not.
    fn still_due(&mut self, then: Task) {
        if matches!(then.what, What::EndOfQuery | What::Message(Request::Sync)) {
            self.tasks.push_front(then);
        }
    }

    /// Answers the collected writes up to the one that has no outcome: that has failed, and what came after it is taken
    /// back.
    fn answer_batch(&mut self, world: &World, mut outcomes: Vec<StepOutcome>) {
        self.take_back_names(outcomes.len());
        let batch = std::mem::take(&mut self.batch);
        let mut items: Vec<_> = batch.items.into_iter().map(Some).collect();
        for reply in batch.replies {
            match reply {
                Reply::Now(effect) => self.effects.push(effect),
                Reply::Outcome(i) => match (items[i].take(), outcomes.get_mut(i)) {
                    (Some(item), Some(outcome)) => {
                        // The rows are here, but the client may have no letters for them.
                        if let Err(Stop::Compile(error) | Stop::Final(error)) =
                            self.answer_item(world, item, std::mem::take(outcome))
                        {
                            return self.fail(error);
                        }
                    }
                    (Some(item), None) => return self.effects.extend(item.said),
                    (None, _) => return,
                },
            }
        }
    }

    /// Names of prepared statements as they were before the collected write with this number.
    fn take_back_names(&mut self, number: usize) {
        while let Some((_, name, was)) = self.batch.names.pop_if(|(collected, ..)| *collected > number) {
            match was {
                Some(prepared) => drop(self.prepared.insert(name, prepared)),
                None => drop(self.prepared.remove(&name)),
            }
        }
    }

    /// A name of a prepared statement means this from now on, or nothing.
    fn put_name(&mut self, name: &str, prepared: Option<Arc<Prepared>>) {
        let was = match prepared {
            Some(prepared) => self.prepared.insert(name.to_owned(), prepared),
            None => self.prepared.remove(name),
        };
        if !self.batch.is_empty() {
            self.batch.names.push((self.batch.items.len(), name.to_owned(), was));
        }
    }

    fn answer_item(&mut self, world: &World, mut item: transaction::Item, outcome: StepOutcome) -> Step {
        self.effects.append(&mut item.said);
        if let Some((last, _)) = outcome.drawn.last() {
            Arc::make_mut(&mut self.drawn).extend(outcome.drawn.iter().copied());
            self.drawn_last = Some(*last);
        }
        if let Some(explaining) = item.run.explaining.take() {
            return self.explained(world.now, *explaining, &outcome);
        }
        if item.run.portal.plan.kind.copies_out().is_some() {
            return self.copy_rows(item.run, outcome.rows);
        }
        if item.run.portal.form.columns.is_empty() {
            self.send(Message::Complete(tag(item.tag(), outcome.count)));
            return Ok(());
        }
        self.deliver_rows(item.run, outcome.rows)
    }
}

/// What a write is called where it is refused: its function, if it is a query.
fn write_name(write: &WritePlan) -> &str {
    let (Tag::Counted(name) | Tag::Plain(name)) = &write.tag;
    match (name.trim_end().trim_end_matches('0').trim_end(), write.facts.sequence_call) {
        ("SELECT", Some(function)) => function,
        (name, _) => name,
    }
}

fn tag(tag: &Tag, count: u64) -> CommandTag {
    match tag {
        Tag::Counted(word) => CommandTag::Counted(word, count),
        Tag::Plain(text) => CommandTag::Plain(text),
    }
}

/// Bytes of memory that a value takes.
pub fn value_size(value: &crate::value::Value) -> usize {
    transaction::size(value)
}

fn copy_form(run: &Run) -> Arc<CopyForm> {
    let format = match &run.portal.plan.kind {
        PlanKind::CopyIn(copy) => copy.format.clone(),
        kind => kind.copies_out().cloned().unwrap_or_else(|| unreachable!("only COPY has a copy format")),
    };
    let columns = match &run.portal.plan.kind {
        PlanKind::CopyIn(copy) => copy.columns.clone(),
        _ => run.portal.plan.columns.clone(),
    };
    let form = &run.portal.form;
    let encoding = format.encoding.unwrap_or(form.encoding);
    Arc::new(CopyForm { columns, format, env: Arc::clone(&form.env), encoding })
}

/// Whether a fresher catalog might make a text compile: not if it cannot be read, needs what nobody has, or more time or memory
/// than it may have (classes 53, 54 and 57).
fn may_be_stale(error: &SqlError) -> bool {
    let code = error.code.as_str();
    let is_limit = ["53", "54", "57"].iter().any(|class| code.starts_with(class));
    error.code != state::SYNTAX_ERROR && error.code != state::FEATURE_NOT_SUPPORTED && !is_limit
}

fn severity(notice: &SqlError) -> Severity {
    if notice.code.as_str().starts_with("00") || notice.code.as_str().starts_with("42") {
        Severity::Notice
    } else {
        Severity::Warning
    }
}

fn aborted() -> SqlError {
    let message = "current transaction is aborted, commands ignored until end of transaction block";
    SqlError::new(state::IN_FAILED_SQL_TRANSACTION, message)
}

fn schema_moves() -> SqlError {
    SqlError::new(state::SERIALIZATION_FAILURE, "the schema changed while the statement was being executed")
        .hint("Try the statement again.")
}
