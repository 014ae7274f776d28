//! What is done to a message that an app sent before: `message/recall` (document path 94867).

use serde_json::{Value, json};

use super::Client;
use super::endpoints::endpoint;
use super::exchange::RequestBody;
use super::failure::CallError;
use crate::error::Answer;
use crate::secret::Secret;

/// Takes a message back.
pub(crate) const RECALL: &str = "message/recall";

/// The body of `message/recall`.
pub(crate) fn recall_body(msgid: &str) -> Value {
    json!({ "msgid": msgid })
}

impl Client {
    /// Takes back a message that this app sent in the last 24 hours.
    ///
    /// # Errors
    ///
    /// 42052 for an older one, 40058 for one of another app; see [`CallError`].
    pub(crate) async fn recall(&self, access_token: &Secret, msgid: &str) -> Result<Answer, CallError> {
        let query = [("access_token", access_token.expose())];
        let body = RequestBody::Json(recall_body(msgid).to_string().into());
        self.exchange(&endpoint(RECALL), &query, body, &["errmsg"]).await.map(|reply| reply.answer)
    }
}
