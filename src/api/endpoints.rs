//! One method per endpoint of WeCom's API: `gettoken` and `agent/get` of an app (document paths 91039 and 90227); to
//! send messages and upload files, `message/send`, `media/upload`, `webhook/send` and `webhook/upload_media` (document
//! paths 90236, 90253 and 99110); for a message that an app sent before, `message/recall` and
//! `message/update_template_card` (document paths 94867 and 94888).

use bytes::Bytes;
use serde_json::{Value, json};

use super::envelope::id_of;
use super::exchange::RequestBody;
use super::{CallError, Client, Reply};
use crate::channel::{Channel, CredentialKind};
use crate::error::Answer;
use crate::input::Attachment;
use crate::message::media::MediaKind;
use crate::secret::Secret;

/// Path of the endpoint.
pub(crate) const GETTOKEN: &str = "/cgi-bin/gettoken";

/// The fields of the answers by which an answer without `errcode` is known as WeCom's, as the pages of the calls list
/// them; `errmsg` is in all of them.
const GETTOKEN_FIELDS: [&str; 3] = ["errmsg", "access_token", "expires_in"];
const AGENT_FIELDS: [&str; 6] = ["errmsg", "agentid", "close", "allow_userinfos", "allow_partys", "allow_tags"];
const UPLOAD_FIELDS: [&str; 2] = ["errmsg", "media_id"];

/// The life of a token, in seconds, if the answer does not say it: the value that the page calls normal.
const NORMAL_LIFETIME_S: u64 = 7200;

/// The answer of `gettoken`.
#[derive(Debug, Clone)]
pub(crate) struct Grant {
    /// Up to 512 bytes.
    pub(crate) access_token: Secret,
    /// Seconds, from the request on; normally 7200.
    pub(crate) expires_in: u64,
    /// What WeCom said with it.
    pub(crate) answer: Answer,
}

/// Takes a message back.
pub(crate) const RECALL: &str = "message/recall";

/// Changes an interactive card.
pub(crate) const UPDATE_CARD: &str = "message/update_template_card";

/// Path of the endpoint.
pub(crate) const AGENT_GET: &str = "/cgi-bin/agent/get";

/// The fields of the range, and the lists in them: members, departments, tags.
const RANGE: [(&str, &str); 3] = [("allow_userinfos", "user"), ("allow_partys", "partyid"), ("allow_tags", "tagid")];

/// An app, and whom it can reach: its visible range, in which a department includes those below it (document path 90665).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Agent {
    /// The name as members see it. Text from outside.
    pub(crate) name: String,
    /// Whether it was disabled.
    pub(crate) is_closed: bool,
    /// Whether the answer has the visible range; else the lists are empty and mean nothing.
    pub(crate) tells_range: bool,
    /// Members who are named one by one.
    pub(crate) users: Vec<String>,
    /// Departments.
    pub(crate) parties: Vec<String>,
    /// Tags.
    pub(crate) tags: Vec<String>,
    /// What WeCom said with it.
    pub(crate) answer: Answer,
}

/// The result of an upload.
#[derive(Debug, Clone)]
pub(crate) struct Uploaded {
    /// Valid for 3 days: an app's for all apps of the corp, a webhook's for that webhook only.
    pub(crate) media_id: String,
    /// The kind as WeCom names it.
    pub(crate) kind: String,
    /// Unix time in digits, as WeCom gives it.
    pub(crate) created_at: Option<String>,
    /// What WeCom said with it.
    pub(crate) answer: Answer,
}

/// The body of `message/recall`.
pub(crate) fn recall_body(msgid: &str) -> Value {
    json!({ "msgid": msgid })
}

/// The path of an endpoint of that name.
pub(crate) fn endpoint(name: &str) -> String {
    format!("/cgi-bin/{name}")
}

impl Client {
    /// Asks for an access token. Must not be called per message: WeCom limits it, and bans the IP for an hour after
    /// many wrong secrets.
    ///
    /// # Errors
    ///
    /// 40001, 40013 and 40091 for wrong credentials, 60020 for an IP that is not trusted; see [`CallError`].
    pub(crate) async fn gettoken(&self, corp_id: &str, secret: &Secret) -> Result<Grant, CallError> {
        let query = [("corpid", corp_id), ("corpsecret", secret.expose())];
        let reply = self.exchange(GETTOKEN, &query, RequestBody::None, &GETTOKEN_FIELDS).await?;
        let access_token = Secret::new(self.field(&reply, GETTOKEN, "access_token")?);
        self.mask.add(&access_token);
        let expires_in = reply.text("expires_in").and_then(|seconds| seconds.parse().ok()).unwrap_or(NORMAL_LIFETIME_S);
        Ok(Grant { access_token, expires_in, answer: reply.answer })
    }

    /// Asks what WeCom knows of the app that the token belongs to.
    ///
    /// # Errors
    ///
    /// 301002 for another app's id, 60020 for an IP that is not trusted; see [`CallError`].
    pub(crate) async fn agent_get(&self, access_token: &Secret, agent_id: i64) -> Result<Agent, CallError> {
        let agent_id = agent_id.to_string();
        let query = [("access_token", access_token.expose()), ("agentid", agent_id.as_str())];
        self.exchange(AGENT_GET, &query, RequestBody::None, &AGENT_FIELDS).await.map(Agent::of)
    }

    /// Sends a message: `body` is the whole JSON, as bytes, so that a repetition is the same to the byte.
    ///
    /// An app's reply with `errcode` 0 can still list recipients who did not get it. A webhook takes 20 messages a minute,
    /// and answers 93000 to a wrong key.
    pub(crate) async fn send(&self, channel: Channel, credential: &Secret, body: Bytes) -> Result<Reply, CallError> {
        let path = endpoint(channel.facts().send_path);
        let query = [(credential_parameter(channel), credential.expose())];
        self.exchange(&path, &query, RequestBody::Json(body), channel.facts().send_fields).await
    }

    /// Uploads a file for the messages of a channel. A webhook knows the kinds `file` and `voice` only.
    pub(crate) async fn upload(
        &self,
        channel: Channel,
        credential: &Secret,
        kind: MediaKind,
        file: &Attachment,
    ) -> Result<Uploaded, CallError> {
        let path = endpoint(channel.facts().upload_path);
        let query = [(credential_parameter(channel), credential.expose()), ("type", kind.as_str())];
        let reply = self.exchange(&path, &query, RequestBody::File(file), &UPLOAD_FIELDS).await?;
        let media_id = self.field(&reply, &path, "media_id")?;
        let kind = reply.text("type").unwrap_or_else(|| kind.as_str().to_owned());
        Ok(Uploaded { media_id, kind, created_at: reply.text("created_at"), answer: reply.answer })
    }

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

    /// A field that the answer to a request to that path must have.
    pub(super) fn field(&self, reply: &Reply, path: &str, name: &str) -> Result<String, CallError> {
        let missing = || CallError::foreign(format!("the answer of {} holds no {name}", self.peer(path).endpoint()));
        reply.text(name).ok_or_else(missing)
    }
}

/// What the credential is called in the query.
fn credential_parameter(channel: Channel) -> &'static str {
    match channel.facts().credential {
        CredentialKind::AppToken => "access_token",
        CredentialKind::WebhookKey => "key",
        // Its connection is logged in, and its commands carry no credential.
        CredentialKind::Aibot => "",
    }
}

impl Agent {
    fn of(reply: Reply) -> Self {
        let [users, parties, tags] = RANGE.map(|(field, inner)| {
            let items = reply.fields.get(field).and_then(|list| list.get(inner)).and_then(Value::as_array);
            items.into_iter().flatten().filter_map(id_of).collect()
        });
        Self {
            name: reply.text("name").unwrap_or_default(),
            is_closed: reply.text("close").is_some_and(|close| close != "0"),
            tells_range: RANGE.iter().any(|(field, _)| reply.fields.contains_key(*field)),
            users,
            parties,
            tags,
            answer: reply.answer,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn agent(fields: Value) -> Agent {
        let Value::Object(fields) = fields else { panic!("no object") };
        Agent::of(Reply { answer: Answer { errcode: 0, errmsg: "ok".to_owned() }, fields })
    }

    #[test]
    fn a_whole_answer() {
        let found = agent(json!({
            "agentid": 1000002, "name": "告警", "close": 0,
            "allow_userinfos": {"user": [{"userid": "zhangsan"}, {"userid": "lisi"}, {}, null]},
            "allow_partys": {"partyid": [1, 2]},
            "allow_tags": {"tagid": [7]},
        }));
        assert_eq!((found.name.as_str(), found.is_closed), ("告警", false));
        assert_eq!(
            (found.users, found.parties, found.tags),
            (
                vec!["zhangsan".to_owned(), "lisi".to_owned()],
                vec!["1".to_owned(), "2".to_owned()],
                vec!["7".to_owned()],
            )
        );
    }

    #[test]
    fn absent_fields_are_empty() {
        let found = agent(json!({"close": 1, "allow_userinfos": [], "allow_partys": {"partyid": "1"}}));
        assert!(found.is_closed && found.tells_range && found.name.is_empty());
        assert!(!agent(json!({"name": "x", "close": 0})).tells_range);
        assert!(found.users.is_empty() && found.parties.is_empty() && found.tags.is_empty());
    }
}
