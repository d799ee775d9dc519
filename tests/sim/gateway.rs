//! What the real gateway of a simulated node reaches: its replica and the other nodes. Everything becomes a request to the
//! world, which decides when it arrives, and whether.

use super::tasks::Process;
use bytes::Bytes;
use quorate::clock::Reading;
use quorate::command::{Outcome, Proposal};
use quorate::gateway::peer::{self, Request};
use quorate::gateway::reach;
use quorate::gateway::router::{Router, answer_proposal, answer_trial};
use quorate::gateway::transaction::answer_transaction;
use quorate::host::{Host as _, until};
use quorate::id::NodeId;
use quorate::replica::core::Role;
use quorate::replica::handle::{GroupLeadership, ProposeError, ReadError};
use quorate::transport::CallError;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::sync::{oneshot, watch};

pub type Gateway = Router<Replica, Peers>;
pub type ProposeReply = oneshot::Sender<Result<(u64, Arc<Outcome>), ProposeError>>;
pub type ReadReply = oneshot::Sender<Result<u64, ReadError>>;
pub type CallReply = oneshot::Sender<Result<Bytes, CallError>>;

/// What tasks ask of the world.
pub enum Ask {
    Propose {
        node: u64,
        proposal: Proposal,
        /// In this term only.
        term: Option<u64>,
        reply: ProposeReply,
    },
    Read {
        node: u64,
        reply: ReadReply,
    },
    Call {
        from: u64,
        to: u64,
        bytes: Bytes,
        reply: CallReply,
    },
    /// The answer to a call.
    Answer {
        call: u64,
        bytes: Bytes,
    },
    /// A session's transaction is over.
    Over {
        session: usize,
    },
}

/// Filled by tasks, emptied by the world after each of them.
#[derive(Clone, Default)]
pub struct Inbox(Arc<Mutex<Vec<Ask>>>);

impl Inbox {
    pub fn push(&self, ask: Ask) {
        self.0.lock().expect("one thread").push(ask);
    }

    pub fn take(&self) -> Vec<Ask> {
        std::mem::take(&mut *self.0.lock().expect("one thread"))
    }
}

/// A node's replica as its gateway sees it.
#[derive(Clone)]
pub struct Replica {
    process: Arc<Process>,
    leadership: Arc<watch::Sender<GroupLeadership>>,
    /// What its clocks said when they were last looked at, and when that was.
    clock: Arc<Mutex<(i64, Reading)>>,
    inbox: Inbox,
    nodes: u64,
}

impl Replica {
    pub fn new(process: Arc<Process>, inbox: Inbox, nodes: u64) -> Replica {
        let clock = Arc::new(Mutex::new((0, Reading::alone(0, 0))));
        Replica { process, leadership: Arc::new(watch::Sender::default()), clock, inbox, nodes }
    }

    pub fn set_clock(&self, now: i64, reading: Reading) {
        *self.clock.lock().expect("one thread") = (now, reading);
    }

    pub fn publish(&self, leadership: GroupLeadership) {
        self.leadership.send_replace(leadership);
    }
}

impl reach::Replica for Replica {
    fn leadership(&self) -> GroupLeadership {
        *self.leadership.borrow()
    }

    fn leader_changes(&self) -> watch::Receiver<GroupLeadership> {
        self.leadership.subscribe()
    }

    fn reading(&self) -> Reading {
        let (then, Reading { wall, monotonic, belief }) = *self.clock.lock().expect("one thread");
        let since = self.process.micros() as i64 - then;
        Reading { wall: wall + since, monotonic: monotonic + since, belief }
    }

    fn hopeless(&self) -> Option<String> {
        None
    }

    fn members(&self) -> Vec<NodeId> {
        (1..=self.nodes).map(NodeId).collect()
    }

    /// So that reads before their time are tried all the time.
    fn is_quiet(&self) -> bool {
        true
    }

    async fn propose(&self, proposal: Proposal, term: Option<u64>) -> Result<(u64, Arc<Outcome>), ProposeError> {
        let leadership = reach::Replica::leadership(self);
        if leadership.role != Role::Leader {
            return Err(ProposeError::NotLeader { leader: leadership.leader_node });
        }
        let (reply, outcome) = oneshot::channel();
        self.inbox.push(Ask::Propose { node: self.process.id.0, proposal, term, reply });
        outcome.await.unwrap_or(Err(ProposeError::Unknown))
    }

    async fn read_index(&self, deadline: Instant) -> Result<u64, ReadError> {
        let (reply, index) = oneshot::channel();
        self.inbox.push(Ask::Read { node: self.process.id.0, reply });
        match until(&*self.process, deadline, index).await {
            Some(Ok(result)) => result,
            Some(Err(_)) => Err(ReadError::Halted("the node is gone".to_owned())),
            None => Err(ReadError::TimedOut),
        }
    }
}

/// The way from a node to the others.
#[derive(Clone)]
pub struct Peers {
    process: Arc<Process>,
    inbox: Inbox,
    gone: Arc<watch::Sender<BTreeSet<NodeId>>>,
    /// When something last came from a node.
    heard: Arc<Mutex<BTreeMap<NodeId, Instant>>>,
}

impl Peers {
    pub fn new(process: Arc<Process>, inbox: Inbox) -> Peers {
        Peers { process, inbox, gone: Arc::default(), heard: Arc::default() }
    }

    /// A message has come.
    pub fn hear(&self, node: u64) {
        self.heard.lock().expect("one thread").insert(NodeId(node), self.process.now());
    }

    /// A process is found to be gone, or to be there again.
    pub fn note(&self, node: u64, gone: bool) {
        let node = NodeId(node);
        self.gone.send_if_modified(|nodes| if gone { nodes.insert(node) } else { nodes.remove(&node) });
    }
}

impl reach::Peers for Peers {
    fn gone(&self) -> watch::Receiver<BTreeSet<NodeId>> {
        self.gone.subscribe()
    }

    fn silence(&self, node: NodeId) -> Duration {
        let heard = self.heard.lock().expect("one thread").get(&node).copied();
        heard.map_or(Duration::ZERO, |at| self.process.now().duration_since(at))
    }

    async fn call(&self, node: NodeId, bytes: Bytes, deadline: Instant) -> Result<Bytes, CallError> {
        if !self.process.is_alive() {
            return Err(CallError::ConnectionLost(node));
        }
        let (reply, answer) = oneshot::channel();
        self.inbox.push(Ask::Call { from: self.process.id.0, to: node.0, bytes, reply });
        match until(&*self.process, deadline, answer).await {
            Some(Ok(result)) => result,
            Some(Err(_)) => Err(CallError::ConnectionLost(node)),
            None => Err(CallError::TimedOut(node)),
        }
    }
}

/// Answers another node's request as a server does.
pub async fn serve(router: Arc<Gateway>, from: u64, call: u64, bytes: Bytes, inbox: Inbox) {
    let from = NodeId(from);
    let reply = match peer::decode::<Request>(&bytes) {
        Ok(Request::Propose { proposal, terms, .. }) => answer_proposal(&router, proposal, terms).await,
        Ok(Request::Try { request, trial, terms, .. }) => answer_trial(&router, from, request, *trial, terms).await,
        Ok(Request::Transaction { request, .. }) => {
            peer::Reply::Transaction(answer_transaction(&router, from, request).await)
        }
        other => panic!("no request of a gateway: {other:?}"),
    };
    inbox.push(Ask::Answer { call, bytes: peer::encode(&reply) });
}
