//! What an HTTP answer means: WeCom's own word, or somebody else's.

use std::time::Duration;

use serde_json::{Map, Value};

use super::errcode;
use crate::error::{Answer, Error, Status};

/// Answers are small; whatever is longer is not WeCom's.
pub(super) const ANSWER_LIMIT: usize = 1024 * 1024;

/// How much of a foreign answer is shown, in characters.
const EXCERPT_CHARS: usize = 120;

/// An answer with which WeCom took the request.
#[derive(Debug, Clone)]
pub struct Reply {
    /// `errcode` 0 and its `errmsg`.
    pub answer: Answer,
    /// All fields of the answer.
    pub fields: Map<String, Value>,
}

impl Reply {
    /// A field as text: a string as it is, a number in digits, absent or of another type as nothing.
    #[must_use]
    pub fn text(&self, field: &str) -> Option<String> {
        match self.fields.get(field)? {
            Value::String(text) if !text.is_empty() => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        }
    }

    /// A list of ids, which WeCom gives joined with `|` in some answers and as an array in others.
    #[must_use]
    pub fn ids(&self, field: &str) -> Vec<String> {
        ids(&self.fields, field)
    }
}

/// Why a call did not end with WeCom's consent.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// The client could not be set up, or the input could not be read: no request was made.
    #[error("{0}")]
    Setup(Error),
    /// No connection came to stand.
    #[error("{0}")]
    Unreached(String),
    /// The peer's certificate is not trusted, expired or for another name.
    #[error("the certificate was not accepted: {0}")]
    Untrusted(String),
    /// The proxy asks for a log-in.
    #[error("the proxy refuses its log-in (407)")]
    ProxyLogin,
    /// An HTTP status that says the address is wrong, without a word from WeCom.
    #[error("HTTP {status}, which is not an answer of WeCom: {excerpt}")]
    WrongAddress {
        /// The HTTP status.
        status: u16,
        /// The answer's first characters.
        excerpt: String,
    },
    /// HTTP 429.
    #[error("HTTP 429: too many requests: {excerpt}")]
    TooManyRequests {
        /// What `Retry-After` asked for.
        retry_after: Option<Duration>,
        /// The answer's first characters.
        excerpt: String,
    },
    /// An answer that is not WeCom's: a portal, a proxy's error page, a cut or oversized body.
    #[error("{0}")]
    Foreign(String),
    /// The request went out, no answer came.
    #[error("{0}")]
    Silent(String),
    /// WeCom's answer is a refusal.
    #[error("WeCom answered {}: {}", .answer.errcode, said(&.answer.errmsg))]
    Rejected {
        /// The refusal.
        answer: Answer,
        /// All fields of the answer.
        fields: Map<String, Value>,
    },
}

impl CallError {
    /// The refusal, when WeCom gave one.
    #[must_use]
    pub fn answer(&self) -> Option<&Answer> {
        match self {
            Self::Rejected { answer, .. } => Some(answer),
            _ => None,
        }
    }

    /// A list of ids out of a refusal.
    #[must_use]
    pub fn ids(&self, field: &str) -> Vec<String> {
        match self {
            Self::Rejected { fields, .. } => ids(fields, field),
            _ => Vec::new(),
        }
    }
}

/// What WeCom says in an `errmsg`; what follows, the call's id, the caller's address and a link, is in every one of them.
fn said(errmsg: &str) -> &str {
    errmsg.split(", hint: [").next().unwrap_or(errmsg)
}

fn ids(fields: &Map<String, Value>, field: &str) -> Vec<String> {
    match fields.get(field) {
        Some(Value::String(joined)) => joined.split('|').filter(|id| !id.is_empty()).map(str::to_owned).collect(),
        Some(Value::Array(items)) => items
            .iter()
            .filter_map(|item| item.as_str().map(str::to_owned).or_else(|| item.as_i64().map(|id| id.to_string())))
            .collect(),
        Some(Value::Number(id)) => vec![id.to_string()],
        _ => Vec::new(),
    }
}

/// Judges a complete HTTP answer, in the order that the exit codes promise.
pub(super) fn judge(status: u16, retry_after: Option<Duration>, body: &[u8]) -> Result<Reply, CallError> {
    if let Some(fields) = json_object(body)
        && let Some(answer) = answer_of(&fields)
    {
        if answer.errcode != 0 || (status == 200 && errcode::warns_of_wrong_json(&answer.errmsg)) {
            return Err(CallError::Rejected { answer, fields });
        }
        if status == 200 {
            return Ok(Reply { answer, fields });
        }
    }
    Err(foreign(status, retry_after, body))
}

/// What an answer means in which WeCom has no say.
pub(super) fn foreign(status: u16, retry_after: Option<Duration>, body: &[u8]) -> CallError {
    let excerpt = excerpt(body);
    match status {
        407 => CallError::ProxyLogin,
        429 => CallError::TooManyRequests { retry_after, excerpt },
        400..=499 if status != 408 && status != 425 => CallError::WrongAddress { status, excerpt },
        _ => CallError::Foreign(format!("HTTP {status}, which is not an answer of WeCom: {excerpt}")),
    }
}

/// The status that a refusal or a doubtful success ends in, where the errcode alone does not tell.
#[must_use]
pub fn status_of(answer: &Answer) -> Status {
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

/// The first characters of an answer on one line.
fn excerpt(body: &[u8]) -> String {
    if body.is_empty() {
        return "(empty body)".to_owned();
    }
    let text = String::from_utf8_lossy(&body[..body.len().min(4 * EXCERPT_CHARS)]);
    let words: Vec<&str> =
        text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|w| !w.is_empty()).collect();
    let line = words.join(" ");
    let mut shown: String = line.chars().take(EXCERPT_CHARS).collect();
    if shown.len() < line.len() || body.len() > 4 * EXCERPT_CHARS {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    fn errcode(status: u16, body: &str) -> Option<i64> {
        match judge(status, None, body.as_bytes()) {
            Ok(reply) => Some(reply.answer.errcode),
            Err(error) => error.answer().map(|answer| answer.errcode),
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
    }

    #[test]
    fn a_success_with_the_format_warning_is_none() {
        let error = judge(200, None, br#"{"errcode":0,"errmsg":"ok. Warning: wrong json format. "}"#).unwrap_err();
        assert_eq!(status_of(error.answer().unwrap()), Status::Refused);
    }

    #[test]
    fn statuses_without_wecoms_word() {
        assert!(matches!(judge(407, None, b""), Err(CallError::ProxyLogin)));
        assert!(matches!(judge(429, None, b""), Err(CallError::TooManyRequests { .. })));
        for status in [400, 401, 403, 404, 410] {
            assert!(matches!(judge(status, None, b"x"), Err(CallError::WrongAddress { .. })), "{status}");
        }
        for status in [201, 204, 302, 408, 425, 500, 502, 503] {
            assert!(matches!(judge(status, None, b"x"), Err(CallError::Foreign(_))), "{status}");
        }
        assert!(matches!(judge(200, None, b"\xff\xfe{}"), Err(CallError::Foreign(_))));
    }

    #[test]
    fn ids_in_either_form() {
        let reply = judge(200, None, r#"{"invaliduser":"a|b|","invalidparty":["1",2]}"#.as_bytes()).unwrap();
        assert_eq!(reply.ids("invaliduser"), ["a", "b"]);
        assert_eq!(reply.ids("invalidparty"), ["1", "2"]);
        assert!(reply.ids("invalidtag").is_empty());
    }

    #[test]
    fn an_excerpt_is_one_short_line() {
        assert_eq!(excerpt(b"<html>\r\n\t<b>\x1b[31mhi"), "<html> <b> [31mhi");
        let long = "界".repeat(400);
        assert_eq!(excerpt(long.as_bytes()).chars().count(), EXCERPT_CHARS + 1);
    }
}
