//! The time of a group as this node tells it: to sessions, and to the executor.

use super::reach::Replica;
use crate::clock::NodeClock;
use crate::engine::Shared;
use parking_lot::Mutex;
use std::sync::Arc;

pub struct Time<R> {
    group: R,
    shared: Arc<Shared>,
    clock: Mutex<NodeClock>,
}

impl<R: Replica> Time<R> {
    pub fn new(group: R, shared: Arc<Shared>) -> Time<R> {
        Time { group, shared, clock: Mutex::default() }
    }

    /// Not before what was told earlier, nor before what is applied here.
    pub fn now(&self) -> i64 {
        let mut clock = self.clock.lock();
        clock.now(&self.group.reading(), self.shared.time())
    }
}
