//! Who waits for what is applied: for the outcomes of an entry's commands, or for an index to read at.

use super::Applied;
use std::collections::BTreeMap;

/// Those who have proposed what stands in an entry, in the order of its commands.
struct Entry<P> {
    replies: Vec<Option<P>>,
    /// When it was appended, on the monotonic clock.
    appended: i64,
}

/// Who waits for outcomes, by the index of the entry. Another attempt under the same request id has a place of its own.
pub struct Outcomes<P>(BTreeMap<u64, Entry<P>>);

impl<P> Default for Outcomes<P> {
    fn default() -> Outcomes<P> {
        Outcomes(BTreeMap::new())
    }
}

impl<P> Outcomes<P> {
    pub fn wait(&mut self, index: u64, replies: Vec<Option<P>>, appended: i64) {
        self.0.insert(index, Entry { replies, appended });
    }

    /// Hands outcomes, in the order of the log, to those who wait for them; before that, of each such entry, its index and when
    /// it was appended.
    pub fn answer(
        &mut self,
        outcomes: Vec<Applied>,
        mut entry: impl FnMut(u64, i64),
        mut each: impl FnMut(P, Applied),
    ) {
        let (mut index, mut replies) = (0, Vec::new().into_iter());
        for outcome in outcomes {
            if outcome.index != index {
                index = outcome.index;
                let waiting = self.0.remove(&index);
                if let Some(waiting) = &waiting {
                    entry(index, waiting.appended);
                }
                replies = waiting.map(|entry| entry.replies).unwrap_or_default().into_iter();
            }
            if let Some(Some(reply)) = replies.next() {
                each(reply, outcome);
            }
        }
    }

    /// Nobody waits any more.
    pub fn take(&mut self) -> impl Iterator<Item = P> + use<P> {
        std::mem::take(&mut self.0).into_values().flat_map(|entry| entry.replies).flatten()
    }
}

/// Who waits until an index is applied.
pub struct Readers<R>(BTreeMap<u64, Vec<R>>);

impl<R> Default for Readers<R> {
    fn default() -> Readers<R> {
        Readers(BTreeMap::new())
    }
}

impl<R> Readers<R> {
    pub fn wait(&mut self, index: u64, reply: R) {
        self.0.entry(index).or_default().push(reply);
    }

    /// Those who need not wait any longer, one after the other, with what they waited for.
    pub fn ready(&mut self, applied: u64) -> Option<(u64, Vec<R>)> {
        let first = self.0.first_entry().filter(|entry| *entry.key() <= applied)?;
        Some(first.remove_entry())
    }

    /// Those who wait for more than this do not wait any more.
    pub fn take_beyond(&mut self, last: u64) -> impl Iterator<Item = R> + use<R> {
        self.0.split_off(&(last + 1)).into_values().flatten()
    }

    /// Nobody waits any more.
    pub fn take(&mut self) -> impl Iterator<Item = R> + use<R> {
        std::mem::take(&mut self.0).into_values().flatten()
    }

    /// Forgets those who have left.
    pub fn prune(&mut self, has_left: impl Fn(&R) -> bool) {
        self.0.retain(|_, replies| {
            replies.retain(|reply| !has_left(reply));
            !replies.is_empty()
        });
    }
}
