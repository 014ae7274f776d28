//! Group chats that an app makes: `appchat/create`, `appchat/update` and `appchat/get` (document paths 90245, 98913 and
//! 98914). Only an app that is visible to the root department may use them, and only those it made itself.

use serde_json::Value;

use super::Client;
use super::endpoints::endpoint;
use super::envelope::{Reply, id_of};
use super::exchange::RequestBody;
use super::failure::CallError;
use crate::error::Answer;
use crate::secret::Secret;

/// Makes a chat.
pub(crate) const APPCHAT_CREATE: &str = "appchat/create";
/// Changes name, owner and members of a chat.
pub(crate) const APPCHAT_UPDATE: &str = "appchat/update";
/// Describes a chat.
pub(crate) const APPCHAT_GET: &str = "appchat/get";

/// A group chat as WeCom describes it.
#[derive(Debug, Clone)]
pub(crate) struct ChatInfo {
    pub(crate) chatid: String,
    /// Text from outside.
    pub(crate) name: String,
    /// A userid.
    pub(crate) owner: String,
    /// The userids of all members, the owner among them.
    pub(crate) userlist: Vec<String>,
    /// What WeCom said with it.
    pub(crate) answer: Answer,
}

impl Client {
    /// Makes a chat with the name, owner, members and id of `body`; gives its id. At most 1000 a day per corp.
    ///
    /// # Errors
    ///
    /// 86215 for an id that a chat has already, 48002 for an app that may not use chats; see [`CallError`].
    pub(crate) async fn appchat_create(
        &self,
        access_token: &Secret,
        body: &Value,
    ) -> Result<(String, Answer), CallError> {
        let reply = self.post_appchat(APPCHAT_CREATE, access_token, body, &["errmsg", "chatid"]).await?;
        let chatid = self.field(&reply, &endpoint(APPCHAT_CREATE), "chatid")?;
        Ok((chatid, reply.answer))
    }

    /// Changes the chat that `body` names. At most 1000 an hour per corp.
    ///
    /// # Errors
    ///
    /// 86008 for a chat of another app, 86216 for a member who cannot be added or removed; see [`CallError`].
    pub(crate) async fn appchat_update(&self, access_token: &Secret, body: &Value) -> Result<Answer, CallError> {
        self.post_appchat(APPCHAT_UPDATE, access_token, body, &["errmsg"]).await.map(|reply| reply.answer)
    }

    /// Asks for name, owner and members of a chat.
    ///
    /// # Errors
    ///
    /// 86008 for a chat of another app, 86003 for an unknown id; see [`CallError`].
    pub(crate) async fn appchat_get(&self, access_token: &Secret, chatid: &str) -> Result<ChatInfo, CallError> {
        let query = [("access_token", access_token.expose()), ("chatid", chatid)];
        let fields = ["errmsg", "chat_info"];
        let reply = self.exchange(&endpoint(APPCHAT_GET), &query, RequestBody::None, &fields).await?;
        Ok(ChatInfo::of(reply, chatid))
    }

    async fn post_appchat(
        &self,
        name: &str,
        access_token: &Secret,
        body: &Value,
        fields: &[&str],
    ) -> Result<Reply, CallError> {
        let query = [("access_token", access_token.expose())];
        self.exchange(&endpoint(name), &query, RequestBody::Json(body.to_string().into()), fields).await
    }
}

impl ChatInfo {
    fn of(reply: Reply, chatid: &str) -> Self {
        let info = reply.fields.get("chat_info");
        let text = |name: &str| info.and_then(|info| info.get(name)).and_then(Value::as_str).unwrap_or_default();
        let members = info.and_then(|info| info.get("userlist")).and_then(Value::as_array);
        Self {
            chatid: Some(text("chatid")).filter(|id| !id.is_empty()).unwrap_or(chatid).to_owned(),
            name: text("name").to_owned(),
            owner: text("owner").to_owned(),
            userlist: members.into_iter().flatten().filter_map(id_of).collect(),
            answer: reply.answer,
        }
    }
}
