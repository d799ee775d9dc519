//! Queues between threads: many send, one receives and sleeps when there is nothing.
//!
//! General channels look again and again for a while before they sleep, since that pays where every thread has a core of its
//! own. Here many threads share few cores, and whoever spins takes the core from who has the work. So this receiver lets others run
//! a few times and then sleeps ([`linger`]), a sender makes a system call only if it sleeps, and what has come is taken as one,
//! under one lock.

use crate::workers::linger;
use parking_lot::{Condvar, Mutex};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

struct Shared<T> {
    state: Mutex<State<T>>,
    arrived: Condvar,
}

struct State<T> {
    items: VecDeque<T>,
    sleeps: bool,
    senders: usize,
    /// The receiver is gone.
    closed: bool,
}

/// One of the sending ends.
pub(super) struct Sender<T>(Arc<Shared<T>>);

/// The receiving end.
pub(super) struct Receiver<T>(Arc<Shared<T>>);

/// All senders are gone, and what they sent is taken.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Disconnected;

pub(super) fn queue<T>() -> (Sender<T>, Receiver<T>) {
    let state = State { items: VecDeque::new(), sleeps: false, senders: 1, closed: false };
    let shared = Arc::new(Shared { state: Mutex::new(state), arrived: Condvar::new() });
    (Sender(shared.clone()), Receiver(shared))
}

impl<T> Sender<T> {
    /// What is sent after the receiver has gone is dropped: who would have to be told is gone with it.
    pub(super) fn send(&self, item: T) {
        let mut state = self.0.state.lock();
        if state.closed {
            drop(state);
            return;
        }
        state.items.push_back(item);
        if std::mem::take(&mut state.sleeps) {
            drop(state);
            self.0.arrived.notify_one();
        }
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        self.0.state.lock().senders += 1;
        Sender(self.0.clone())
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        let mut state = self.0.state.lock();
        state.senders -= 1;
        if state.senders == 0 {
            drop(state);
            self.0.arrived.notify_one();
        }
    }
}

impl<T> Receiver<T> {
    /// Everything that has come, in its order; waits for the first until `patience` is over, and is empty then.
    pub(super) fn take(&self, patience: Duration) -> Result<VecDeque<T>, Disconnected> {
        if !patience.is_zero() && self.is_empty() {
            linger(|| !self.is_empty());
        }
        let until = Instant::now() + patience;
        let mut state = self.0.state.lock();
        loop {
            if !state.items.is_empty() {
                return Ok(std::mem::take(&mut state.items));
            }
            if state.senders == 0 {
                return Err(Disconnected);
            }
            state.sleeps = true;
            let late = self.0.arrived.wait_until(&mut state, until).timed_out();
            state.sleeps = false;
            if late && state.items.is_empty() {
                return Ok(VecDeque::new());
            }
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.state.lock().items.is_empty()
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        let mut state = self.0.state.lock();
        state.closed = true;
        let left = std::mem::take(&mut state.items);
        drop(state);
        drop(left);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(60);

    #[test]
    fn what_was_sent_comes_out_in_order_as_one() {
        let (sender, receiver) = queue();
        (0..3).for_each(|n| sender.send(n));
        assert_eq!(receiver.take(LONG), Ok(VecDeque::from([0, 1, 2])));
        assert_eq!(receiver.take(Duration::ZERO), Ok(VecDeque::new()));
        sender.clone().send(3);
        drop(sender);
        assert_eq!(receiver.take(LONG), Ok(VecDeque::from([3])));
        assert_eq!(receiver.take(LONG), Err(Disconnected));
    }

    #[test]
    fn nothing_sent_by_several_threads_is_missed() {
        let (sender, receiver) = queue();
        let senders: Vec<_> = (0..4)
            .map(|_| {
                let sender = sender.clone();
                std::thread::spawn(move || (0..10_000).for_each(|n| sender.send(n)))
            })
            .collect();
        drop(sender);
        let (mut count, mut sum) = (0, 0);
        while let Ok(items) = receiver.take(LONG) {
            count += items.len();
            sum += items.iter().sum::<u64>();
        }
        senders.into_iter().for_each(|thread| thread.join().unwrap());
        assert_eq!((count, sum), (40_000, 4 * 9_999 * 10_000 / 2));
    }

    #[test]
    fn what_nobody_receives_is_dropped() {
        let (sender, receiver) = queue();
        let item = Arc::new(());
        sender.send(item.clone());
        drop(receiver);
        sender.send(item.clone());
        assert_eq!(Arc::strong_count(&item), 1);
    }
}
