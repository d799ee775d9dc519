//! A proposal on its way through this node's log, whose end is awaited even if nobody wants to know any more.
//!
//! The executor has admitted it and counts on hearing when it lands (see [`Admission`]); a client that hangs up, or a
//! statement that times out, must not keep that from it.

use super::reach::Replica;
use crate::command::{Outcome, Proposal};
use crate::executor::Admission;
use crate::host::SharedHost;
use crate::replica::handle::ProposeError;
use futures::future::BoxFuture;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

type Answer = Result<(u64, Arc<Outcome>), ProposeError>;

pub struct Flight {
    /// Until it lands.
    aloft: Option<(BoxFuture<'static, Answer>, Admission)>,
    host: SharedHost,
}

impl Flight {
    pub fn new<R: Replica>(group: R, proposal: Proposal, mut admission: Admission, host: SharedHost) -> Flight {
        let (proposal, term) = admission.shape(proposal);
        let answer: BoxFuture<'static, Answer> = Box::pin(async move { group.propose(proposal, Some(term)).await });
        Flight { aloft: Some((answer, admission)), host }
    }
}

fn land(admission: Admission, answer: &Answer) {
    match answer {
        Ok((_, outcome)) => admission.conclude(outcome),
        Err(ProposeError::Unknown) => drop(admission),
        Err(_) => admission.withdraw(),
    }
}

impl Future for Flight {
    type Output = Answer;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Answer> {
        let (answer, _) = self.aloft.as_mut().expect("polled after its end");
        let answer = ready!(answer.as_mut().poll(context));
        if let Some((_, admission)) = self.aloft.take() {
            land(admission, &answer);
        }
        Poll::Ready(answer)
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        if let Some((answer, admission)) = self.aloft.take() {
            self.host.spawn(Box::pin(async move { land(admission, &answer.await) }));
        }
    }
}
