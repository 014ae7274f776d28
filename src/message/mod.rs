//! The messages of WeCom's two sending calls: their wire types and the published rules for them.
//!
//! [`app`] is message/send (document path 90236), [`webhook`] is webhook/send (document path 99110). Each has typed
//! messages to build a body from, and a `check_body` that holds any JSON body against the rules. Pure: no clock, disk,
//! network or environment, and no body is ever changed here.

pub mod app;
pub mod card;
pub mod long;
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
use serde_json::Value;

use crate::channel::Channel;
use crate::error::{Error, Result};

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

/// The message types of a channel.
pub fn msgtypes(channel: Channel) -> &'static [&'static str] {
    match channel {
        Channel::App => app::AppContent::MSGTYPES,
        Channel::Webhook => webhook::WebhookContent::MSGTYPES,
    }
}

/// The first other channel that has this message type.
pub fn owner_of(msgtype: &str, besides: Channel) -> Option<Channel> {
    Channel::ALL.into_iter().find(|other| *other != besides && msgtypes(*other).contains(&msgtype))
}

/// The body of a message without anything around its content.
///
/// # Errors
///
/// A defect, if the content cannot be written as JSON.
pub(crate) fn body_of(msgtype: &str, content: &impl Serialize) -> Result<Value> {
    let content = serde_json::to_value(content)
        .map_err(|error| Error::defect(format!("a message of type {msgtype} cannot be written: {error}")))?;
    let fields = [("msgtype".to_owned(), Value::from(msgtype)), (msgtype.to_owned(), content)];
    Ok(Value::Object(fields.into_iter().collect()))
}
