//! The messages of WeCom's two sending calls: their wire types and the published rules for them.
//!
//! [`app`] is message/send (document path 90236), [`webhook`] is webhook/send (document path 99110). Each has typed
//! messages to build a body from, and a `check_body` that holds any JSON body against the rules. Pure: no clock, disk,
//! network or environment, and no body is ever changed here.

pub mod app;
pub mod card;
pub mod media;
pub mod recipients;
pub mod webhook;

mod body;
mod control;
mod finding;
mod part;
mod payload;
mod rules;
mod shape;

use serde::Serialize;
use serde_json::{Value, json};

use crate::channel::{Channel, MsgType};

/// The name that a channel had before there could be more than two.
#[doc(hidden)]
pub use crate::channel::Channel as Route;
pub use finding::{Finding, Findings};
pub use part::PartKind;
pub(crate) use part::{Part, PartState, recipients};
pub use payload::{Markdown, Media};

/// Holds a whole body against all published rules of its channel.
pub fn check_body(channel: Channel, body: &Value) -> Findings {
    match channel {
        Channel::App => app::check_body(body),
        Channel::Webhook => webhook::check_body(body),
    }
}

/// The body of a message without anything around its content: one of the payloads of [`app`] and [`webhook`].
pub(crate) fn body_of(msgtype: MsgType, content: &impl Serialize) -> Value {
    // The payloads are structs of strings, numbers and lists, and those always become JSON.
    json!({ "msgtype": msgtype.as_str(), msgtype.as_str(): serde_json::to_value(content).unwrap_or_default() })
}
