//! `webhook/send`: a message to the group of a webhook (document path 99110).

use bytes::Bytes;

use super::{CallError, Client, Reply, endpoint};
use crate::channel::Channel;
use crate::secret::Secret;

impl Client {
    /// Sends a message to a group: `body` is the whole JSON. WeCom takes 20 a minute for each webhook.
    ///
    /// # Errors
    ///
    /// 93000 for a wrong key; see [`CallError`].
    pub(crate) async fn webhook_send(&self, key: &Secret, body: Bytes) -> Result<Reply, CallError> {
        self.post_json(&endpoint(Channel::Webhook.facts().send_path), ("key", key), body).await
    }
}
