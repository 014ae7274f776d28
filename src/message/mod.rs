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
mod payload;
mod rules;
mod shape;

pub use finding::{Finding, Findings};
pub use payload::{Markdown, Media};

/// Which of the two sending calls a message is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route {
    /// message/send: members, departments and tags of an app (document path 90236).
    App,
    /// webhook/send: the group of a webhook (document path 99110).
    Webhook,
}

impl Route {
    /// The name in options and in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::App => "app",
            Self::Webhook => "webhook",
        }
    }
}
