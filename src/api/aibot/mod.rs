//! The long connection of an aibot (智能机器人): one WebSocket over the program's own HTTP client, subscribed, with requests
//! matched to their answers and events in the order in which they came. No reconnects, and no retries but of a chunk of an
//! upload.
//!
//! Facts: document path 101463. A second subscription of the same bot ends the first, so a machine holds one: see
//! the module `aibot`.

mod connection;
mod frame;
mod handshake;
mod line;
mod press;
#[cfg(test)]
mod tests;
mod upload;

pub(crate) use connection::{AibotEvents, Connection};
pub(crate) use press::{AibotEvent, Message, Press, event_in_callback};
pub(crate) use upload::upload_aibot;

/// Changes a card, within 5 s of the press on it, under the `req_id` of the press.
pub(crate) const AIBOT_UPDATE: &str = "aibot_respond_update_msg";

const SUBSCRIBE: &str = "aibot_subscribe";

const PING: &str = "ping";

/// The `cmd` of frames that the server sends unasked.
const EVENT_CALLBACK: &str = "aibot_event_callback";
const MESSAGE_CALLBACK: &str = "aibot_msg_callback";
