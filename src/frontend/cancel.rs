//! The sessions of this node: what they are doing (`pg_stat_activity`), and how to stop them.
//!
//! CancelRequest leads from a key that a client shows on a second connection to the statement that must stop.
//! A key may arrive at any node (a load balancer knows nothing of sessions), so the process id in it says which node
//! it belongs to: 11 bits of the node's id above 20 bits that number the node's sessions. The secret is random.

use crate::functions::Signal;
use crate::id::NodeId;
use crate::status::SessionRow;
use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::Notify;

/// What BackendKeyData told the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CancelKey {
    pub pid: i32,
    pub secret: i32,
}

const SESSION_BITS: u32 = 20;
const NODE_MASK: u64 = 0x7ff;

impl CancelKey {
    /// Whether the key may belong to a session of this node. Ids are compared in 11 bits: with more than 2,048
    /// nodes ever made several may answer yes, and the secret decides.
    pub fn belongs_to(&self, node: NodeId) -> bool {
        pid_belongs_to(self.pid, node)
    }
}

/// Whether a process id may be one of this node's sessions.
pub fn pid_belongs_to(pid: i32, node: NodeId) -> bool {
    (pid as u32 >> SESSION_BITS) == (node.0 & NODE_MASK) as u32
}

/// Brings a key that is not this node's to the node it belongs to. Must not wait.
pub trait CancelRouter: Send + Sync + 'static {
    fn route(&self, key: CancelKey);
}

/// The running sessions of this node.
pub struct CancelRegistry {
    node: NodeId,
    sessions: Mutex<Sessions>,
}

#[derive(Default)]
struct Sessions {
    by_pid: HashMap<i32, Entry>,
    last: u32,
}

struct Entry {
    secret: i32,
    cancellation: Arc<Cancellation>,
    activity: Arc<Mutex<SessionRow>>,
}

/// Tells one session's statement to stop.
#[derive(Debug, Default)]
pub struct Cancellation {
    /// Looked at by what runs.
    pub flag: Arc<AtomicBool>,
    /// Wakes what waits.
    pub notify: Notify,
    /// The whole session is to end.
    pub terminated: AtomicBool,
}

impl Cancellation {
    fn send(&self, signal: Signal) {
        self.terminated.fetch_or(signal == Signal::Terminate, Ordering::SeqCst);
        self.flag.store(true, Ordering::SeqCst);
        self.notify.notify_waiters();
    }
}

impl CancelRegistry {
    pub fn new(node: NodeId) -> Arc<CancelRegistry> {
        Arc::new(CancelRegistry { node, sessions: Mutex::default() })
    }

    pub fn node(&self) -> NodeId {
        self.node
    }

    /// A new session's key; it is forgotten when the registration is dropped. `row` says who it is.
    pub fn register(self: &Arc<Self>, secret: i32, row: SessionRow) -> Registration {
        let cancellation = Arc::new(Cancellation::default());
        let mut sessions = self.sessions.lock();
        let pid = loop {
            sessions.last = (sessions.last + 1) & ((1 << SESSION_BITS) - 1);
            let pid = (((self.node.0 & NODE_MASK) as i32) << SESSION_BITS) | sessions.last as i32;
            if pid != 0 && !sessions.by_pid.contains_key(&pid) {
                break pid;
            }
        };
        let activity = Arc::new(Mutex::new(SessionRow { pid, ..row }));
        let entry = Entry { secret, cancellation: Arc::clone(&cancellation), activity: Arc::clone(&activity) };
        sessions.by_pid.insert(pid, entry);
        Registration { registry: Arc::clone(self), key: CancelKey { pid, secret }, cancellation, activity }
    }

    /// Stops what the session with this key is doing; false if there is none. A wrong secret does nothing.
    pub fn cancel(&self, key: CancelKey) -> bool {
        let found = match self.sessions.lock().by_pid.get(&key.pid) {
            Some(entry) if entry.secret == key.secret => Arc::clone(&entry.cancellation),
            _ => return false,
        };
        found.send(Signal::Cancel);
        true
    }

    /// As [`CancelRegistry::cancel`], for those who may do everything; false if there is no such session here.
    pub fn signal(&self, pid: i32, signal: Signal) -> bool {
        let found = self.sessions.lock().by_pid.get(&pid).map(|entry| Arc::clone(&entry.cancellation));
        found.is_some_and(|cancellation| {
            cancellation.send(signal);
            true
        })
    }

    /// Ends the sessions of a database.
    pub fn expel(&self, database: u32) {
        let sessions = self.sessions.lock();
        let inside = sessions.by_pid.values().filter(|entry| entry.activity.lock().datid == database);
        inside.for_each(|entry| entry.cancellation.send(Signal::Terminate));
    }

    /// How many clients' sessions of this node are such ones. What the node itself does in a database takes nobody's place.
    pub fn count(&self, such: impl Fn(&SessionRow) -> bool) -> usize {
        let client = |row: &SessionRow| !row.inner && such(row);
        self.sessions.lock().by_pid.values().filter(|entry| client(&entry.activity.lock())).count()
    }

    /// All sessions of this node.
    pub fn sessions(&self) -> Vec<SessionRow> {
        let all: Vec<_> = self.sessions.lock().by_pid.values().map(|entry| Arc::clone(&entry.activity)).collect();
        all.iter().map(|activity| activity.lock().clone()).collect()
    }
}

pub struct Registration {
    registry: Arc<CancelRegistry>,
    pub key: CancelKey,
    pub cancellation: Arc<Cancellation>,
    /// What the session is doing, for others to see.
    pub activity: Arc<Mutex<SessionRow>>,
}

impl Drop for Registration {
    /// The session is over: nothing of it may run on, on whichever thread.
    fn drop(&mut self) {
        self.cancellation.flag.store(true, Ordering::SeqCst);
        self.registry.sessions.lock().by_pid.remove(&self.key.pid);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_right_key_cancels() {
        let registry = CancelRegistry::new(NodeId(3));
        let session = registry.register(77, SessionRow::default());
        assert!(session.key.belongs_to(NodeId(3)) && !session.key.belongs_to(NodeId(4)));
        assert!(!registry.cancel(CancelKey { secret: 78, ..session.key }));
        assert!(!session.cancellation.flag.load(Ordering::SeqCst));
        assert!(registry.cancel(session.key));
        assert!(session.cancellation.flag.load(Ordering::SeqCst));
        let key = session.key;
        drop(session);
        assert!(!registry.cancel(key));
    }
}
