//! What is asked with an app's own credentials: `gettoken` and `agent/get` (document paths 91039 and 90227).

use reqwest::Method;
use serde_json::Value;

use super::progress::RequestProgress;
use super::{CallError, Client, Reply, Target};
use crate::error::Answer;
use crate::secret::Secret;

/// Path of the endpoint.
pub(crate) const GETTOKEN: &str = "/cgi-bin/gettoken";

/// What the page calls normal, for an answer that leaves it out.
const NORMAL_LIFETIME_S: u64 = 7200;

/// A token as WeCom granted it.
#[derive(Debug, Clone)]
pub(crate) struct Grant {
    /// Up to 512 bytes.
    pub(crate) access_token: Secret,
    /// Seconds, from the request on; normally 7200.
    pub(crate) expires_in: u64,
    /// What WeCom said with it.
    pub(crate) answer: Answer,
}

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
    /// Whether the answer says anything of the range; else the lists are empty and mean nothing.
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

impl Client {
    /// Asks for an access token. Must not be called per message: WeCom limits it, and bans the IP for an hour after
    /// many wrong secrets.
    ///
    /// # Errors
    ///
    /// 40001, 40013 and 40091 for wrong credentials, 60020 for an IP that is not trusted; see [`CallError`].
    pub(crate) async fn gettoken(&self, corp_id: &str, secret: &Secret) -> Result<Grant, CallError> {
        let query = vec![("corpid", corp_id), ("corpsecret", secret.expose())];
        let target = Target { method: Method::GET, path: GETTOKEN, query };
        let reply = self.exchange(&target, &RequestProgress::default(), &Ok).await?;
        let Some(token) = reply.text("access_token") else {
            let from = self.peer(GETTOKEN).endpoint();
            return Err(CallError::Foreign(format!("the answer of {from} holds no access_token")));
        };
        let access_token = Secret::new(token);
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
        let query = vec![("access_token", access_token.expose()), ("agentid", agent_id.as_str())];
        let target = Target { method: Method::GET, path: AGENT_GET, query };
        let reply = self.exchange(&target, &RequestProgress::default(), &Ok).await?;
        Ok(Agent::of(reply))
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

/// An id as it stands in a list, or in the `userid` of an object.
fn id_of(item: &Value) -> Option<String> {
    match item {
        Value::String(id) => Some(id.clone()),
        Value::Number(id) => Some(id.to_string()),
        Value::Object(fields) => id_of(fields.get("userid")?),
        _ => None,
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
    fn what_is_absent_is_nothing() {
        let found = agent(json!({"close": 1, "allow_userinfos": [], "allow_partys": {"partyid": "1"}}));
        assert!(found.is_closed && found.tells_range && found.name.is_empty());
        assert!(!agent(json!({"name": "x", "close": 0})).tells_range);
        assert!(found.users.is_empty() && found.parties.is_empty() && found.tags.is_empty());
    }
}
