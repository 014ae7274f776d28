//! What is done to a message that an app sent before: `message/recall` and `message/update_template_card` (document paths
//! 94867 and 94888).

use serde_json::{Value, json};

use super::Client;
use super::endpoints::endpoint;
use super::envelope::Reply;
use super::exchange::RequestBody;
use super::failure::CallError;
use crate::error::Answer;
use crate::secret::Secret;

/// Takes a message back.
pub(crate) const RECALL: &str = "message/recall";

/// Changes an interactive card.
pub(crate) const UPDATE_CARD: &str = "message/update_template_card";

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

    /// Changes an interactive card, which takes its `response_code`: that is good for one update within 72 hours. The
    /// reply lists in `invaliduser` who keeps the old card.
    ///
    /// # Errors
    ///
    /// 60140 for a code that is used up or expired, 42015 for a card of another app; see [`CallError`].
    pub(crate) async fn update_card(&self, access_token: &Secret, body: &Value) -> Result<Reply, CallError> {
        let query = [("access_token", access_token.expose())];
        let body = RequestBody::Json(body.to_string().into());
        self.exchange(&endpoint(UPDATE_CARD), &query, body, &["errmsg", "invaliduser"]).await
    }
}
