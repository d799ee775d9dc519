//! Retries, against a replica and a peer that answer by a script.

use super::peer::{self, Reply};
use super::reach::{Peers, Replica};
use super::router::{Router, TransactionLimits, Waiting};
use super::{Control, Database as _, Failure};
use crate::clock::Reading;
use crate::command::{self, Command, Outcome, Proposal, Refusal, Write};
use crate::engine::{Dialect, Engine, Options};
use crate::error::{SqlError, state};
use crate::host::Machine;
use crate::id::{GroupId, NodeId, ReplicaId, RequestId};
use crate::replica::core::Role;
use crate::replica::handle::{GroupLeadership, ProposeError, ReadError};
use crate::sql::plan::Effort;
use crate::transaction::Limits;
use crate::transport::CallError;
use bytes::Bytes;
use parking_lot::Mutex;
use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::watch;

const HERE: NodeId = NodeId(1);
const THERE: NodeId = NodeId(2);

#[derive(Clone)]
enum Answer {
    Here(Result<Outcome, ProposeError>),
    There(Result<Reply, CallError>),
}

/// The answers to come, who leads, and, if the process of a member [`THERE`] is gone, how often it was called all the same.
#[derive(Clone)]
struct Script(Arc<Mutex<VecDeque<Answer>>>, NodeId, Option<Arc<AtomicUsize>>);

impl Replica for Script {
    fn leadership(&self) -> GroupLeadership {
        let role = if self.1 == HERE { Role::Leader } else { Role::Follower };
        GroupLeadership { role, term: 1, leader: Some(ReplicaId(self.1.0)), leader_node: Some(self.1) }
    }

    fn leader_changes(&self) -> watch::Receiver<GroupLeadership> {
        watch::channel(self.leadership()).1
    }

    fn reading(&self) -> Reading {
        Reading::alone(0, 0)
    }

    fn hopeless(&self) -> Option<String> {
        None
    }

    fn members(&self) -> Vec<NodeId> {
        if self.2.is_some() { vec![HERE, THERE] } else { vec![HERE] }
    }

    fn is_quiet(&self) -> bool {
        true
    }

    async fn propose(&self, proposal: Proposal, _: Option<u64>) -> Result<(u64, Arc<Outcome>), ProposeError> {
        if let Ok(Command::Tenure { .. }) = command::decode(&proposal.body) {
            return Ok((7, Arc::new(Outcome::Done(Vec::new()))));
        }
        match self.0.lock().pop_front() {
            Some(Answer::Here(answer)) => answer.map(|outcome| (7, Arc::new(outcome))),
            _ => panic!("proposed here"),
        }
    }

    async fn read_index(&self, _: Instant) -> Result<u64, ReadError> {
        Ok(0)
    }
}

impl Peers for Script {
    fn gone(&self) -> watch::Receiver<BTreeSet<NodeId>> {
        watch::channel(self.2.iter().map(|_| THERE).collect()).1
    }

    fn silence(&self, _: NodeId) -> Duration {
        Duration::ZERO
    }

    async fn call(&self, _: NodeId, _: Bytes, _: Instant) -> Result<Bytes, CallError> {
        if let Some(called) = &self.2 {
            called.fetch_add(1, Ordering::SeqCst);
            return Err(CallError::ConnectionLost(THERE));
        }
        match self.0.lock().pop_front() {
            Some(Answer::There(answer)) => answer.map(|reply| peer::encode(&reply)),
            _ => panic!("sent to a peer"),
        }
    }
}

/// What the client of a write gets.
fn told(answers: &[Answer]) -> String {
    told_beside(answers, None)
}

fn told_beside(answers: &[Answer], dead: Option<Arc<AtomicUsize>>) -> String {
    let directory = tempfile::tempdir().unwrap();
    let dialect = Dialect {
        register: Arc::new(|_, _| Ok(())),
        load_catalog: Arc::new(|_, _| Ok(Default::default())),
        decode_error: |_| None,
        explain_error: Arc::new(|_, failure, _| SqlError::internal(failure.message)),
        show_view: |_, _, _, _| None,
    };
    let (_engine, shared) = Engine::open(Options::new(directory.path(), dialect)).unwrap();
    let leader = if matches!(answers[0], Answer::Here(_)) { HERE } else { THERE };
    let script = Script(Arc::new(Mutex::new(answers.iter().cloned().collect())), leader, dead);
    let (group, host) = (GroupId(2), Machine::shared());
    let limits = TransactionLimits { transcript: Limits { bytes: 1 << 20, steps: 100 }, executor: Default::default() };
    let router = Router::new(HERE, group, script.clone(), shared, script.clone(), host, limits);
    let control = Control::until(Instant::now() + Duration::from_secs(60));
    let write = Write { schema_version: 0, born: 0, env: Default::default(), steps: Vec::new(), transaction: None };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let result = runtime.block_on(router.write(RequestId { origin: 1, seq: 1 }, write, Effort::Key, &control));
    assert!(script.0.lock().is_empty(), "it was not tried again");
    match result {
        Ok(_) => "done".to_owned(),
        Err(Failure::Sql { error, .. }) => error.code.as_str().to_owned(),
        Err(other) => format!("{other:?}"),
    }
}

/// An error must not say that nothing happened when an earlier attempt may still take effect: then the log is asked, under
/// the same request id.
#[test]
fn an_error_after_an_attempt_of_unknown_fate_is_settled_by_the_log() {
    use Answer::{Here, There};
    let error = |code| SqlError::new(code, "it failed");
    let failed = |code| Outcome::Failed { step: 0, error: error(code) };
    let outcome = |outcome| There(Ok(Reply::Outcome { at: 7, outcome }));
    let deadlock = || There(Ok(Reply::Failed(error(state::DEADLOCK_DETECTED))));
    let lost = || There(Err(CallError::ConnectionLost(THERE)));
    let done = || Outcome::Done(Vec::new());
    assert_eq!(told(&[Here(Err(ProposeError::Dropped)), Here(Err(ProposeError::DiskFull))]), "53100");
    assert_eq!(told(&[Here(Err(ProposeError::Unknown)), Here(Ok(done()))]), "done");
    assert_eq!(told(&[There(Ok(Reply::Busy)), deadlock()]), "40P01");
    assert_eq!(told(&[There(Err(CallError::Refused(String::new()))), deadlock()]), "40P01");
    // The log says that the first attempt came first, or that nothing did.
    for unknown in [lost(), There(Ok(Reply::Unknown)), There(Ok(Reply::Done))] {
        assert_eq!(told(&[unknown.clone(), deadlock(), outcome(done())]), "done");
        assert_eq!(told(&[unknown.clone(), deadlock(), lost(), outcome(done())]), "done");
        assert_eq!(told(&[unknown, deadlock(), outcome(failed(state::DEADLOCK_DETECTED))]), "40P01");
    }
    // It cannot be asked.
    let full = || Here(Err(ProposeError::DiskFull));
    assert_eq!(told(&[Here(Err(ProposeError::Unknown)), full(), full()]), "40003");
    // Missing chunks are no reason to forget.
    let missing = || outcome(Outcome::Refused(Refusal::ChunksMissing));
    assert_eq!(told(&[lost(), missing(), deadlock(), outcome(done())]), "done");
    let forgotten = || outcome(Outcome::Refused(Refusal::Expired));
    assert_eq!(told(&[lost(), deadlock(), forgotten()]), "40003");
    assert_eq!(told(&[outcome(Outcome::Refused(Refusal::SchemaChanged { now: 0 }))]), "SchemaChanged");
}

/// A leader that takes office does not wait for the locks of clients whose node is gone: a call to it fails at once, and says so
/// for as long as it is asked.
#[test]
fn the_dead_are_not_asked_again_and_again() {
    let called = Arc::new(AtomicUsize::new(0));
    let answers = [Answer::Here(Ok(Outcome::Done(Vec::new())))];
    assert_eq!(told_beside(&answers, Some(called.clone())), "done");
    assert!(called.load(Ordering::SeqCst) <= 1, "{} times", called.load(Ordering::SeqCst));
}

/// A limit counts all time; without one only that counts in which nobody works at it, and nothing moves.
#[test]
fn who_has_no_limit_waits_for_as_long_as_something_comes_of_it() {
    let (host, now) = (Machine::shared(), Instant::now());
    let later = now + Duration::from_secs(3600);
    let limited = Control::until(later);
    let impatient = Control { patience: Some(Duration::ZERO), ..limited.clone() };
    let told = |waiting: &Waiting<'_>| waiting.check(&*host, true).map_err(|error| error.code.as_str().to_owned());
    assert_eq!(told(&Waiting::new(&limited, now)), Ok(()));
    let mut waiting = Waiting::new(&impatient, now);
    assert_eq!(told(&waiting), Err("57P03".to_owned()));
    // An answer at once is no work.
    waiting.heard(later, later);
    assert_eq!(told(&waiting), Err("57P03".to_owned()));
    waiting.heard(now, later);
    assert_eq!(told(&waiting), Ok(()));
    let mut waiting = Waiting::new(&impatient, now);
    waiting.sees(7, later);
    assert_eq!(told(&waiting), Ok(()));
}
