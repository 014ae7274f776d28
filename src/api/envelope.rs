//! An HTTP answer, and WeCom's reply in it: `errcode`, `errmsg` and fields.

use std::fmt;
use std::time::Duration;

use chrono::{DateTime, FixedOffset, Utc};
use reqwest::header::{DATE, LOCATION, RETRY_AFTER};
use reqwest::{Response, Url};
use serde_json::{Map, Value};

use crate::error::Answer;

/// Answers are small; a longer one is not WeCom's.
const ANSWER_LIMIT: usize = 1024 * 1024;

/// But for the directory of a large corp: a department or a member in it has 100 to 200 bytes.
const LIST_LIMIT: usize = 32 * 1024 * 1024;
const LISTS: [&str; 5] = ["department/list", "department/simplelist", "user/simplelist", "tag/list", "tag/get"];

/// The most bytes of an answer to a request to that path.
pub(super) fn answer_limit(path: &str) -> usize {
    if LISTS.iter().any(|name| path.ends_with(name)) { LIST_LIMIT } else { ANSWER_LIMIT }
}

/// What HTTP says of an answer.
#[derive(Default)]
pub(super) struct HttpAnswer {
    pub(super) status: u16,
    /// What `Retry-After` asks for.
    pub(super) retry_after: Option<Duration>,
    /// The origin of where `Location` leads.
    pub(super) leads_to: Option<String>,
    /// By how many seconds this machine's clock is ahead of the `Date` of the answer.
    pub(super) clock_ahead_s: Option<i64>,
}

impl HttpAnswer {
    /// The head of a response that came at `now`.
    pub(super) fn of(response: &Response, now: DateTime<Utc>) -> Self {
        let header = |name| response.headers().get(name)?.to_str().ok();
        Self {
            status: response.status().as_u16(),
            retry_after: header(RETRY_AFTER).and_then(|value| wait_of(value, now)),
            leads_to: header(LOCATION).and_then(|location| origin_of(response.url(), location)),
            clock_ahead_s: header(DATE).and_then(date_of).map(|date| now.signed_duration_since(date).num_seconds()),
        }
    }
}

/// How long `Retry-After` asks to wait: seconds, or a date (RFC 9110, section 10.2.3).
fn wait_of(retry_after: &str, now: DateTime<Utc>) -> Option<Duration> {
    if let Ok(seconds) = retry_after.trim().parse() {
        return Some(Duration::from_secs(seconds));
    }
    Some(date_of(retry_after)?.signed_duration_since(now).to_std().unwrap_or_default())
}

/// A point in time as HTTP writes it (RFC 9110, section 5.6.7).
fn date_of(text: &str) -> Option<DateTime<FixedOffset>> {
    DateTime::parse_from_rfc2822(text.trim()).ok()
}

/// Scheme, host and port of where a redirect leads: its path and query can hold secrets.
fn origin_of(asked: &Url, location: &str) -> Option<String> {
    let origin = asked.join(location).ok()?.origin();
    origin.is_tuple().then(|| origin.ascii_serialization())
}

/// An answer of WeCom's own.
#[derive(Clone)]
pub(crate) struct Reply {
    /// Its `errcode` and `errmsg`.
    pub(crate) answer: Answer,
    /// All its fields. One of them can be an access token.
    pub(crate) fields: Map<String, Value>,
}

impl Reply {
    /// A field as text: a string as it is, a number in digits, absent or of another type as nothing.
    pub(crate) fn text(&self, field: &str) -> Option<String> {
        match self.fields.get(field)? {
            Value::String(text) if !text.is_empty() => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        }
    }

    /// A list of ids, which WeCom gives joined with `|` in some answers and as an array in others.
    pub(crate) fn ids(&self, field: &str) -> Vec<String> {
        match self.fields.get(field) {
            Some(Value::String(joined)) => joined.split('|').filter(|id| !id.is_empty()).map(str::to_owned).collect(),
            Some(Value::Array(items)) => items.iter().filter_map(id_of).collect(),
            Some(item) => id_of(item).into_iter().collect(),
            None => Vec::new(),
        }
    }
}

/// An id as an item of a list, or in the `userid` of an object.
pub(super) fn id_of(item: &Value) -> Option<String> {
    match item {
        Value::String(id) => Some(id.clone()),
        Value::Number(id) => Some(id.to_string()),
        Value::Object(fields) => id_of(fields.get("userid")?),
        _ => None,
    }
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&String> = self.fields.keys().collect();
        f.debug_struct("Reply").field("errcode", &self.answer.errcode).field("fields", &names).finish()
    }
}

/// A body as an answer of WeCom's to a call that returns the `expected` fields. Its `errcode` is 0 where it is absent and one of
/// those fields is there: a gateway answers in JSON too. A number that arrives as a string is still that number. Anything
/// else is no `errcode` of WeCom, and must not be taken for a success.
pub(super) fn reply_in(body: &[u8], expected: &[&str]) -> Option<Reply> {
    let text = std::str::from_utf8(body).ok()?;
    let fields: Map<String, Value> = serde_json::from_str(text.trim_start_matches('\u{feff}')).ok()?;
    let errcode = match fields.get("errcode") {
        None if expected.iter().any(|field| fields.contains_key(*field)) => 0,
        None => return None,
        Some(Value::Number(code)) => code.as_i64()?,
        Some(Value::String(code)) => code.trim().parse().ok()?,
        Some(_) => return None,
    };
    let errmsg = fields.get("errmsg").and_then(Value::as_str).unwrap_or_default().to_owned();
    Some(Reply { answer: Answer { errcode, errmsg }, fields })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_origin_of_a_redirect_is_shown() {
        let asked = Url::parse("https://wecom.example/cgi-bin/gettoken?corpsecret=s3cret").unwrap();
        for (location, origin) in [
            ("https://user:s3cret@portal.example:8443/s3cret?s3cret#s3cret", Some("https://portal.example:8443")),
            ("//portal.example/login", Some("https://portal.example")),
            ("/login?s3cret", Some("https://wecom.example")),
            ("mailto:s3cret", None),
            ("http://", None),
        ] {
            assert_eq!(origin_of(&asked, location).as_deref(), origin, "{location}");
        }
    }

    #[test]
    fn a_wait_is_asked_for_in_seconds_or_by_a_date() {
        let now = DateTime::from_timestamp(784_111_777, 0).unwrap();
        for (value, seconds) in [
            ("7", Some(7)),
            (" 0 ", Some(0)),
            ("Sun, 06 Nov 1994 08:50:37 GMT", Some(60)),
            ("Sun, 06 Nov 1994 08:49:36 GMT", Some(0)),
            ("-1", None),
            ("1.5", None),
            ("soon", None),
            ("", None),
            ("99999999999999999999", None),
        ] {
            assert_eq!(wait_of(value, now), seconds.map(Duration::from_secs), "{value:?}");
        }
    }

    #[test]
    fn ids_in_either_form() {
        let reply = reply_in(br#"{"invaliduser":"a|b|","invalidparty":["1",2]}"#, &["invaliduser"]).unwrap();
        assert_eq!(reply.ids("invaliduser"), ["a", "b"]);
        assert_eq!(reply.ids("invalidparty"), ["1", "2"]);
        assert!(reply.ids("invalidtag").is_empty());
    }
}
