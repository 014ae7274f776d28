//! What this process asks of the aibot's connection, requests and watches for presses, and what the watches see.

use std::time::{Duration, Instant};

use tokio::sync::{mpsc, oneshot};

use super::failure::CallFailure;
use crate::api::aibot::{Message, Press};
use crate::api::{CallError, Reply};
use crate::error::Error;

/// What a watch has seen.
#[derive(Debug)]
pub(crate) enum Seen {
    /// Somebody pressed something on a card of this watch.
    Press(Box<Press>),
    /// Somebody wrote to the bot.
    Message(Box<Message>),
    /// There is no connection from now on, until [`Seen::Gap`] or [`Seen::Lost`].
    Down,
    /// Presses in that time may be lost: there was no connection. In Unix milliseconds.
    Gap { from_ms: u64, to_ms: u64 },
    /// No press will come any more. It is the last.
    Lost(Error),
}

/// Presses on some cards, until it is dropped.
pub(crate) struct Watch {
    pub(super) id: u64,
    pub(super) orders: mpsc::UnboundedSender<Order>,
    pub(super) seen: mpsc::Receiver<Seen>,
}

/// What is asked of the participant. All of it is answered, but never at once.
pub(super) enum Order {
    Ask(PendingCall),
    Watch(CardWatch),
    Unwatch {
        watch: u64,
    },
    /// Nothing is known here of the card.
    Unknown(Press),
    /// To leave once nothing is under way; with watches it stays.
    Leave(oneshot::Sender<()>),
}

/// A request of this process.
pub(super) struct PendingCall {
    pub(super) req_id: Option<String>,
    pub(super) cmd: String,
    pub(super) body: serde_json::Value,
    /// It is not begun later.
    pub(super) until: Instant,
    /// How long its answer is waited for.
    pub(super) timeout: Duration,
    pub(super) answer: oneshot::Sender<Result<Reply, CallError>>,
}

/// What watches in this process.
pub(super) struct CardWatch {
    pub(super) id: u64,
    pub(super) task_ids: Vec<String>,
    /// Whether it takes presses on cards that nobody watches.
    pub(super) others: bool,
    /// Whether it takes what is written to the bot.
    pub(super) messages: bool,
    /// Until when there must be a holder.
    pub(super) patience: Instant,
    pub(super) seen: mpsc::Sender<Seen>,
    pub(super) coverage: Coverage,
}

/// Whether presses reach a watch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Coverage {
    /// They never did.
    NotYet,
    Covered,
    /// Not since then, in Unix milliseconds.
    Since(u64),
}

impl Watch {
    /// What is seen next. After [`Seen::Lost`] it never returns.
    pub(crate) async fn next(&mut self) -> Seen {
        match self.seen.recv().await {
            Some(seen) => seen,
            None => std::future::pending().await,
        }
    }

    /// Says of a press on a card that nobody watches that nothing is known of the card here: another process may know it.
    pub(crate) fn decline(&self) -> impl FnOnce(Press) + use<> {
        let orders = self.orders.clone();
        move |press| drop(orders.send(Order::Unknown(press)))
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let _ = self.orders.send(Order::Unwatch { watch: self.id });
    }
}

impl PendingCall {
    pub(super) fn fail(self, failure: CallFailure) {
        // Where nobody waits any more, nobody needs to know.
        let _ = self.answer.send(Err(failure.into()));
    }
}

impl CardWatch {
    pub(super) fn tell(&self, seen: Seen) {
        // Whoever lets a thousand of them wait does not look any more.
        let _ = self.seen.try_send(seen);
    }
}
