//! What WeCom sends to a callback address: requests, verified, decrypted and read. The app's are XML (document paths 90930
//! and 90240), those of an aibot without a long connection JSON (101039).
//!
//! Pure. Whoever receives them says what time it is, and answers.

mod event;
mod keys;
mod seal;
#[cfg(test)]
mod tests;
mod xml;

use crate::api::aibot::{Message, Press};

pub(crate) use event::event_id;
pub(crate) use keys::CallbackKeys;

/// The most bytes that a request may have: those of WeCom have a few thousand.
pub(crate) const LARGEST_BODY: usize = 64 * 1024;

/// By how much the `timestamp` of a request may differ from the clock, in seconds. WeCom names no limit.
pub(crate) const MOST_SECONDS_OFF: i64 = 600;

/// Why a request is not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum RefusedRequest {
    /// It was not signed with the Token, or is none of WeCom's at all.
    Forged,
    /// It is signed, and its `timestamp` is this many seconds behind the clock; ahead of it where negative.
    Stale {
        /// How many.
        seconds: i64,
    },
    /// It is signed, and cannot be read: why. WeCom would only send it again.
    Unreadable(String),
}

/// A request that WeCom sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OpenedRequest {
    /// The same for every copy of the event: 32 hexadecimal digits.
    pub(crate) event_id: String,
    /// What it tells.
    pub(crate) event: CallbackEvent,
}

/// What a request tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum CallbackEvent {
    /// Somebody pressed something on a card.
    Press(Box<Press>),
    /// Somebody wrote to the aibot.
    Message(Message),
    /// The app is or was disabled, for want of use: a sentence for the operator.
    Notice(String),
    /// Something that is not used here: its name.
    Other(String),
}
