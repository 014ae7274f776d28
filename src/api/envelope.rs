//! What WeCom says in an HTTP answer: errcode and fields. An answer of somebody else's is told in `failure`.

use std::fmt;
use std::time::Duration;

use serde_json::{Map, Value};

use super::errcode;
use crate::error::{Answer, Status};

/// Answers are small; whatever is longer is not WeCom's.
pub(super) const ANSWER_LIMIT: usize = 1024 * 1024;

/// An answer as HTTP has it, complete.
#[derive(Debug, Clone)]
pub(super) struct HttpAnswer<'a> {
    pub(super) status: u16,
    /// What `Retry-After` asks for.
    pub(super) retry_after: Option<Duration>,
    /// The origin of where `Location` leads.
    pub(super) leads_to: Option<String>,
    pub(super) body: &'a [u8],
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
            Some(Value::Array(items)) => items
                .iter()
                .filter_map(|item| item.as_str().map(str::to_owned).or_else(|| item.as_i64().map(|id| id.to_string())))
                .collect(),
            Some(Value::Number(id)) => vec![id.to_string()],
            _ => Vec::new(),
        }
    }
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&String> = self.fields.keys().collect();
        f.debug_struct("Reply").field("errcode", &self.answer.errcode).field("fields", &names).finish()
    }
}

/// WeCom's word in a complete HTTP answer, in the order that the exit codes promise: consent, refusal, or none at all.
pub(super) fn judge(answer: &HttpAnswer<'_>) -> Option<Result<Reply, Reply>> {
    let fields = json_object(answer.body)?;
    let reply = Reply { answer: answer_of(&fields)?, fields };
    let is_doubtful = errcode::warns_of_wrong_json(&reply.answer.errmsg);
    match (reply.answer.errcode, answer.status) {
        (0, 200) if !is_doubtful => Some(Ok(reply)),
        (0, 200) => Some(Err(reply)),
        (0, _) => None,
        _ => Some(Err(reply)),
    }
}

/// The status that a refusal or a doubtful success ends in, where the errcode alone does not tell.
pub(crate) fn status_of(answer: &Answer) -> Status {
    match answer.errcode {
        0 => Status::Refused,
        code => errcode::class_of(code).status(),
    }
}

fn json_object(body: &[u8]) -> Option<Map<String, Value>> {
    let text = std::str::from_utf8(body).ok()?;
    match serde_json::from_str(text.trim_start_matches('\u{feff}')) {
        Ok(Value::Object(fields)) => Some(fields),
        _ => None,
    }
}

/// Absent is 0; a number that arrives as a string is still that number. Anything else is no `errcode` of WeCom, and
/// must not be taken for a success.
fn answer_of(fields: &Map<String, Value>) -> Option<Answer> {
    let errcode = match fields.get("errcode") {
        None => 0,
        Some(Value::Number(code)) => code.as_i64()?,
        Some(Value::String(code)) => code.trim().parse().ok()?,
        Some(_) => return None,
    };
    let errmsg = fields.get("errmsg").and_then(Value::as_str).unwrap_or_default().to_owned();
    Some(Answer { errcode, errmsg })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::failure::{CallError, Peer, foreign};
    use super::*;
    use crate::sanitize::one_line;

    fn http(status: u16, body: &[u8]) -> HttpAnswer<'_> {
        HttpAnswer { status, retry_after: None, leads_to: Some("https://portal.example".to_owned()), body }
    }

    fn errcode(status: u16, body: &str) -> Option<i64> {
        let (Ok(reply) | Err(reply)) = judge(&http(status, body.as_bytes()))?;
        Some(reply.answer.errcode)
    }

    /// Bytes of any kind, and pieces that come close to an answer of WeCom's.
    fn body() -> impl Strategy<Value = Vec<u8>> {
        let pieces = [
            "{",
            "}",
            "\"errcode\"",
            "\"errmsg\"",
            ":",
            ",",
            "0",
            "-1",
            "40014",
            "\"40014\"",
            "1e400",
            "null",
            "[",
            "]",
            "\"ok\"",
            "\u{feff}",
            "\u{202e}",
            "<html>",
            "{\"errcode\":0,",
            "\"磁盘\"",
            "\\u0000",
            "99999999999999999999",
        ];
        let close = prop::collection::vec(prop::sample::select(pieces.to_vec()), 0..12);
        prop_oneof![prop::collection::vec(any::<u8>(), 0..200), close.prop_map(|pieces| pieces.concat().into_bytes())]
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn every_answer_has_one_meaning(status in 100..600u16, body in body()) {
            let answer = http(status, &body);
            match judge(&answer) {
                Some(Ok(reply)) => prop_assert!(status == 200 && reply.answer.errcode == 0),
                Some(Err(reply)) => prop_assert!(
                    reply.answer.errcode != 0 || errcode::warns_of_wrong_json(&reply.answer.errmsg)
                ),
                None => {
                    let peer = Peer { host: "wecom.example", path: "/cgi-bin/x".to_owned(), proxy: None };
                    let told = foreign(&answer, &peer).to_string();
                    prop_assert!(told.contains("wecom.example") && one_line(&told) == told, "{told:?}");
                }
            }
        }
    }

    #[test]
    fn wecoms_word_counts_whatever_the_status() {
        assert_eq!(errcode(200, r#"{"errcode":0,"errmsg":"ok"}"#), Some(0));
        assert_eq!(errcode(200, "{}"), Some(0), "absent is 0");
        assert_eq!(errcode(200, "\u{feff}{\"errcode\":\"40014\"}"), Some(40014));
        assert_eq!(errcode(502, r#"{"errcode":-1,"errmsg":"system busy"}"#), Some(-1));
        assert_eq!(errcode(404, r#"{"errcode":0}"#), None, "a success needs status 200");
        assert_eq!(errcode(200, "[]"), None);
        assert_eq!(errcode(200, r#"{"errcode":null}"#), None, "neither absent nor a number");
        assert_eq!(errcode(200, "<html>"), None);
        assert_eq!(errcode(200, "\u{1}"), None);
        assert!(judge(&http(200, b"\xff\xfe{}")).is_none(), "not UTF-8");
    }

    #[test]
    fn a_success_with_the_format_warning_is_none() {
        let body = br#"{"errcode":0,"errmsg":"ok. Warning: wrong json format. "}"#;
        let refusal = judge(&http(200, body)).unwrap().unwrap_err();
        assert_eq!(status_of(&refusal.answer), Status::Refused);
    }

    #[test]
    fn statuses_without_wecoms_word() {
        let peer = Peer { host: "wecom.example", path: "/cgi-bin/gettoken".to_owned(), proxy: None };
        let judged = |status| foreign(&http(status, b"x"), &peer);
        let named = "from wecom.example/cgi-bin/gettoken";
        assert!(matches!(judged(407), CallError::ProxyLogin(_)));
        assert!(matches!(judged(429), CallError::TooManyRequests { what, .. } if what.contains(named)));
        for status in [400, 401, 403, 404, 410] {
            assert!(matches!(judged(status), CallError::WrongAddress(what) if what.contains(named)), "{status}");
        }
        for status in [200, 201, 204, 302, 408, 425, 500, 502, 503] {
            assert!(matches!(judged(status), CallError::Foreign(what) if what.contains(named)), "{status}");
        }
        let redirect = "HTTP 302 from wecom.example/cgi-bin/gettoken, a redirect to https://portal.example, which is not \
                        an answer of WeCom: x";
        assert_eq!(judged(302).to_string(), redirect);
        assert!(!judged(200).to_string().contains("portal"), "only of a redirect");
    }

    #[test]
    fn debug_shows_no_value_of_a_field() {
        let body = br#"{"errcode":0,"errmsg":"ok","access_token":"test-token-s3cret","expires_in":7200}"#;
        let reply = judge(&http(200, body)).unwrap().unwrap();
        let shown = r#"Reply { errcode: 0, fields: ["errcode", "errmsg", "access_token", "expires_in"] }"#;
        assert_eq!(format!("{reply:?}"), shown);
        assert_eq!(format!("{:?}", CallError::Rejected(reply)), format!("Rejected({shown})"));
    }

    #[test]
    fn a_refusal_without_words_is_told_by_its_meaning() {
        for (body, message) in [
            (r#"{"errcode":93000,"errmsg":"invalid key, hint: [1]"}"#, "WeCom answered 93000: invalid key"),
            (r#"{"errcode":6000}"#, "WeCom answered 6000: the data was changed by somebody else at the same time"),
            (r#"{"errcode":123456}"#, "WeCom answered 123456: no errmsg"),
        ] {
            let refusal = judge(&http(200, body.as_bytes())).unwrap().unwrap_err();
            assert_eq!(CallError::Rejected(refusal).to_string(), message);
        }
    }

    #[test]
    fn ids_in_either_form() {
        let reply = judge(&http(200, br#"{"invaliduser":"a|b|","invalidparty":["1",2]}"#)).unwrap().unwrap();
        assert_eq!(reply.ids("invaliduser"), ["a", "b"]);
        assert_eq!(reply.ids("invalidparty"), ["1", "2"]);
        assert!(reply.ids("invalidtag").is_empty());
    }
}
