//! `message/send`: an app's message to members, departments and tags (document path 90236).

use bytes::Bytes;

use super::{CallError, Client, Reply, endpoint};
use crate::channel::Channel;
use crate::secret::Secret;

impl Client {
    /// Sends an app message: `body` is the whole JSON, as bytes, so that a repetition is the same to the byte.
    ///
    /// A reply with `errcode` 0 can still list recipients who did not get it.
    ///
    /// # Errors
    ///
    /// See [`CallError`].
    pub(crate) async fn message_send(&self, access_token: &Secret, body: Bytes) -> Result<Reply, CallError> {
        self.post_json(&endpoint(Channel::App.facts().send_path), ("access_token", access_token), body).await
    }
}
