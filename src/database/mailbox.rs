//! What a session is told that it did not ask for: notifications on the channels that it listens to, and that it is over.
//!
//! Whoever applies the log puts letters in, in the order of the log; the session's connection takes them out when its client may
//! be told. A mailbox holds so much; a client that does not take its letters is told that it has lost some, by the end of
//! its session, rather than losing them silently.

use crate::error::{SqlError, state};
use parking_lot::Mutex;
use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::Arc;
use tokio::sync::Notify;

/// Bytes of letters that a mailbox holds.
const ROOM: usize = 16 << 20;
/// What a letter takes beside its text.
const PAPER: usize = 64;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// The process id of the session that sent it.
    pub pid: i32,
    pub channel: String,
    pub payload: String,
}

impl Letter {
    fn size(&self) -> usize {
        self.channel.len() + self.payload.len() + PAPER
    }
}

/// The mailboxes of this node's sessions in one database.
#[derive(Default)]
pub struct Hub {
    boxes: Mutex<HashMap<u64, Arc<Mailbox>>>,
}

#[derive(Default)]
pub struct Mailbox {
    post: Mutex<Post>,
    /// Rings when there is something in it.
    pub bell: Notify,
}

#[derive(Default)]
struct Post {
    channels: BTreeSet<String>,
    letters: VecDeque<Arc<Letter>>,
    bytes: usize,
    end: Option<SqlError>,
}

impl Hub {
    /// The mailbox of a session, from now until [`Hub::close`].
    pub fn open(&self, session: u64) -> Arc<Mailbox> {
        self.boxes.lock().entry(session).or_default().clone()
    }

    pub fn close(&self, session: u64) {
        self.boxes.lock().remove(&session);
    }

    /// Whether it listens to any channel.
    pub fn listens(&self, session: u64) -> bool {
        self.boxes.lock().get(&session).is_some_and(|mailbox| !mailbox.post.lock().channels.is_empty())
    }

    /// Gives letters to whom they concern, in this order.
    pub fn deliver(&self, letters: Vec<Letter>) {
        if letters.is_empty() {
            return;
        }
        let letters: Vec<Arc<Letter>> = letters.into_iter().map(Arc::new).collect();
        for mailbox in self.boxes.lock().values() {
            mailbox.put(&letters);
        }
    }

    /// Ends a session, if it is one of these.
    pub fn end(&self, session: u64, why: SqlError) {
        if let Some(mailbox) = self.boxes.lock().get(&session) {
            mailbox.end(why);
        }
    }

    /// Letters may have been lost: ends whoever waits for some.
    pub fn end_listeners(&self, why: &SqlError) {
        for mailbox in self.boxes.lock().values() {
            if !mailbox.post.lock().channels.is_empty() {
                mailbox.end(why.clone());
            }
        }
    }
}

impl Mailbox {
    /// Listens to these channels, and no others, from now on.
    pub fn listen(&self, channels: BTreeSet<String>) {
        let mut post = self.post.lock();
        post.letters.retain(|letter| channels.contains(&letter.channel));
        post.bytes = post.letters.iter().map(|letter| letter.size()).sum();
        post.channels = channels;
    }

    /// What has come. Errors: why the session is over.
    pub fn take(&self) -> Result<Vec<Arc<Letter>>, SqlError> {
        let mut post = self.post.lock();
        if let Some(why) = &post.end {
            return Err(why.clone());
        }
        post.bytes = 0;
        Ok(post.letters.drain(..).collect())
    }

    /// Errors: why the session is over.
    pub fn is_open(&self) -> Result<(), SqlError> {
        self.post.lock().end.clone().map_or(Ok(()), Err)
    }

    fn put(&self, letters: &[Arc<Letter>]) {
        let mut post = self.post.lock();
        if post.channels.is_empty() {
            return;
        }
        let before = post.letters.len();
        for letter in letters {
            if post.channels.contains(&letter.channel) {
                post.bytes += letter.size();
                post.letters.push_back(letter.clone());
            }
        }
        if post.bytes > ROOM {
            post.letters.clear();
            post.end = Some(
                SqlError::new(
                    state::OUT_OF_MEMORY,
                    "terminating connection because it does not take its notifications",
                )
                .detail(format!("More than {ROOM} bytes of notifications have come since it was last idle."))
                .fatal(),
            );
        }
        let rings = post.end.is_some() || post.letters.len() > before;
        drop(post);
        if rings {
            self.bell.notify_one();
        }
    }

    fn end(&self, why: SqlError) {
        self.post.lock().end = Some(why);
        self.bell.notify_one();
    }
}

/// The entries with the notifications were never applied here: the state was replaced as a whole.
pub fn passed_over() -> SqlError {
    SqlError::new(state::ADMIN_SHUTDOWN, "terminating connection because notifications may have been missed")
        .detail("The database on this node was replaced by a snapshot of another one.")
        .hint("Connect again, LISTEN again, and look at the data.")
        .fatal()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letter(channel: &str, payload: &str) -> Letter {
        Letter { pid: 1, channel: channel.into(), payload: payload.into() }
    }

    fn texts(mailbox: &Mailbox) -> Vec<String> {
        mailbox.take().unwrap().iter().map(|l| format!("{} {}", l.channel, l.payload)).collect()
    }

    #[test]
    fn letters_come_in_order_to_those_who_listen() {
        let hub = Hub::default();
        let (one, two) = (hub.open(1), hub.open(2));
        one.listen(BTreeSet::from(["a".into(), "b".into()]));
        hub.deliver(vec![letter("a", "1"), letter("c", "2"), letter("b", "3")]);
        hub.deliver(vec![letter("a", "4")]);
        assert_eq!(texts(&one), ["a 1", "b 3", "a 4"]);
        assert!(texts(&one).is_empty() && texts(&two).is_empty());
        assert!(hub.listens(1) && !hub.listens(2) && !hub.listens(3));
        hub.end_listeners(&passed_over());
        assert_eq!(one.take().unwrap_err(), passed_over());
        assert!(texts(&two).is_empty());
    }

    #[test]
    fn too_many_letters_end_the_session() {
        let hub = Hub::default();
        let mailbox = hub.open(1);
        mailbox.listen(BTreeSet::from(["a".into()]));
        for _ in 0..ROOM / 8000 + 1 {
            hub.deliver(vec![letter("a", &"x".repeat(7999))]);
        }
        let error = mailbox.take().unwrap_err();
        assert!(error.fatal && error.code == state::OUT_OF_MEMORY);
        hub.close(1);
        hub.deliver(vec![letter("a", "1")]);
    }
}
