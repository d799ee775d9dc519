//! LISTEN and UNLISTEN: what a transaction says of channels counts when it is committed.

use super::effect::{Ask, Effect};
use super::portal::Run;
use super::{Session, Wait};
use std::collections::BTreeSet;

/// What was said of channels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Said {
    Listen(String),
    Unlisten(String),
    Nothing,
}

impl Session {
    /// Nothing that was committed before is heard: so this node first catches up with it; once for LISTENs that follow each
    /// other in a transaction, of which none counts before its end.
    pub(super) fn listen(&mut self, run: Run, channel: &str) {
        let listens = self.transaction.as_ref().and_then(|t| t.listens.last());
        if matches!(listens, Some(Said::Listen(_))) {
            return self.listened(run, channel.to_owned());
        }
        self.ask(Ask::Barrier, Wait::Listen(Box::new(run), channel.to_owned()));
    }

    pub(super) fn listened(&mut self, run: Run, channel: String) {
        self.say(Said::Listen(channel));
        self.complete("LISTEN");
        self.finish_utility(run);
    }

    pub(super) fn say(&mut self, said: Said) {
        if let Some(t) = &mut self.transaction {
            t.listens.push(said);
        }
    }

    /// The transaction is committed.
    pub(super) fn listen_to(&mut self, said: Vec<Said>) {
        if said.is_empty() {
            return;
        }
        let before = self.listening.clone();
        for said in said {
            match said {
                Said::Listen(channel) => drop(self.listening.insert(channel)),
                Said::Unlisten(channel) => drop(self.listening.remove(&channel)),
                Said::Nothing => self.listening.clear(),
            }
        }
        if self.listening != before {
            self.effects.push(Effect::Listen(self.listening.clone()));
        }
    }

    /// For `pg_listening_channels()`.
    pub(super) fn channels(&self) -> String {
        self.listening.iter().map(|channel| format!("{channel}\u{1}")).collect()
    }
}

/// Channels that a session listens to.
pub(super) type Channels = BTreeSet<String>;
