//! Connections that have not said yet who they are: only so many, and when one too many comes, the one that has been waited
//! for longest goes. So those who connect and say nothing are in each other's way, and in nobody else's.

use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;
use tokio::sync::Notify;

pub struct Antechamber {
    most: usize,
    guests: Mutex<Guests>,
}

#[derive(Default)]
struct Guests {
    last: u64,
    /// By their numbers, in the order in which they came.
    inside: BTreeMap<u64, Arc<Notify>>,
}

/// A connection in the antechamber; it leaves when this is dropped.
pub struct Guest {
    chamber: Arc<Antechamber>,
    number: u64,
    dismissed: Arc<Notify>,
}

impl Antechamber {
    pub fn new(most: usize) -> Arc<Antechamber> {
        Arc::new(Antechamber { most, guests: Mutex::default() })
    }

    /// Always lets in, and dismisses the oldest guest if there are too many now.
    pub fn enter(self: &Arc<Self>) -> Guest {
        let dismissed = Arc::new(Notify::new());
        let mut guests = self.guests.lock();
        guests.last += 1;
        let number = guests.last;
        guests.inside.insert(number, Arc::clone(&dismissed));
        if guests.inside.len() > self.most
            && let Some((_, oldest)) = guests.inside.pop_first()
        {
            oldest.notify_one();
        }
        Guest { chamber: Arc::clone(self), number, dismissed }
    }
}

impl Guest {
    /// Waits for `work`; `None` if the guest had to go before it was done.
    pub async fn until<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            done = work => Some(done),
            () = self.dismissed.notified() => None,
        }
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        self.chamber.guests.lock().inside.remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::{pending, ready};

    #[tokio::test]
    async fn the_oldest_goes() {
        let chamber = Antechamber::new(2);
        let (first, second) = (chamber.enter(), chamber.enter());
        assert_eq!(second.until(ready(1)).await, Some(1));
        let third = chamber.enter();
        assert_eq!(first.until(pending::<()>()).await, None, "it had to go");
        drop(second);
        let _fourth = chamber.enter();
        assert_eq!(third.until(ready(3)).await, Some(3), "there is room again");
        let _fifth = chamber.enter();
        assert_eq!(third.until(pending::<()>()).await, None);
    }
}
