//! Judges an HTTP answer (success, refusal, or not WeCom's), and the error of a failed call ([`CallError`]) with its
//! text for the user.

use serde::{Deserialize, Serialize};

use super::certificate::CertificateFault;
use super::envelope::{HttpAnswer, Reply, reply_in};
use super::errcode;
use super::proxy::Proxy;
use crate::error::{Error, Status};
use crate::sanitize::{one_line, truncate};
use crate::secret::Mask;

/// How much of an answer that is not WeCom's is shown, in characters.
const EXCERPT_CHARS: usize = 120;

/// Why a call failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CallError {
    /// No request was made: the client could not be set up, the input could not be read, the rate limit gave no permit, or
    /// there was no time left.
    #[error("{0}")]
    Setup(Error),
    /// No connection was established. `limit` is the limit that was reached, if one was; `refused_by` is who
    /// answered, and took no connection.
    #[error("{what}")]
    Unreached { what: String, limit: Option<Limit>, refused_by: Option<FirstHop> },
    /// The certificate of `host` is not trusted, expired or for another name.
    #[error("the certificate of {host} was not accepted: {fault}")]
    Untrusted { host: String, fault: CertificateFault },
    /// A proxy asks for another log-in, or the answer is an HTTP status without a reply of WeCom, which says that the
    /// address is wrong.
    #[error("{0}")]
    Config(Error),
    /// HTTP 429 without a reply of WeCom.
    #[error("{0}")]
    TooManyRequests(Error),
    /// An answer that is not WeCom's: a portal, a proxy's error page, an oversized body, no HTTP at all.
    #[error("{0}")]
    Foreign(Error),
    /// An answer began and did not come to its end. `limit` is the time limit that ended the wait, if one did.
    #[error("{what}")]
    Cut { what: String, limit: Option<Limit> },
    /// The request went out, no answer came. `limit` is the time limit that ended the wait, if one did.
    #[error("{what}")]
    Silent { what: String, limit: Option<Limit> },
    /// WeCom's answer is a refusal.
    #[error("WeCom answered {}: {}", .0.answer.errcode, errcode::errmsg_or_meaning(&.0.answer))]
    Rejected(Reply),
}

impl CallError {
    /// An answer that is not WeCom's; `message` says which.
    pub(super) fn foreign(message: String) -> Self {
        let hint = "something between this machine and WeCom answered (proxy, portal, relay): check it, then try again";
        Self::Foreign(Error::temporary(message, hint))
    }

    /// The refusal, when WeCom gave one.
    pub(crate) fn refusal(&self) -> Option<&Reply> {
        match self {
            Self::Rejected(reply) => Some(reply),
            _ => None,
        }
    }

    /// Whether it failed before the request can have reached WeCom, or a server or proxy in front of it.
    pub(crate) fn is_before_the_request(&self) -> bool {
        matches!(self, Self::Setup(_) | Self::Unreached { .. } | Self::Untrusted { .. })
    }
}

/// Where the first connection of a request goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum FirstHop {
    /// The host of the base URL.
    Host,
    /// The proxy of this address.
    Proxy(String),
}

/// A limit that ended a wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Limit {
    /// Of a connection that is being made.
    Connect,
    /// Of an attempt without progress.
    Timeout,
    /// Of the whole command.
    Deadline,
    /// Not one of time: how many files may be open.
    OpenFiles,
}

impl Limit {
    /// What sets it: an option, but for the system's own limit.
    pub(crate) fn option(self) -> &'static str {
        match self {
            Self::Connect => "--connect-timeout",
            Self::Timeout => "--timeout",
            Self::Deadline => "--deadline",
            Self::OpenFiles => "ulimit -n",
        }
    }
}

/// The peer of a request, as errors name it: host, endpoint, and the proxy.
#[derive(Debug)]
pub(super) struct Peer<'a> {
    /// The host, with the port where one was given.
    pub(super) host: &'a str,
    /// The path of the endpoint, without its query.
    pub(super) path: String,
    /// What carries the request there.
    pub(super) proxy: Option<&'a Proxy>,
}

impl Peer<'_> {
    /// The host and the way there.
    pub(super) fn host(&self) -> String {
        format!("{}{}", self.host, self.through())
    }

    /// The endpoint and the way there.
    pub(super) fn endpoint(&self) -> String {
        format!("{}{}{}", self.host, self.path, self.through())
    }

    fn through(&self) -> String {
        self.proxy.map_or_else(String::new, |proxy| format!(" through {proxy}"))
    }

    /// The message that the proxy wants a log-in, or another one.
    pub(super) fn proxy_login(&self) -> CallError {
        let message = match self.proxy {
            Some(proxy) if proxy.speaks_http() => format!("{proxy} refuses its log-in (407)"),
            Some(proxy) => format!("{proxy} refuses its log-in"),
            None => format!("a proxy on the way to {} asks for a log-in (407)", self.endpoint()),
        };
        let hint =
            "put the right user and password into the proxy URL (--proxy, WECOM_ALERT_PROXY or the proxy variables)";
        CallError::Config(Error::config(message, hint))
    }
}

/// What a complete HTTP answer means, in the order that the exit codes promise: success, refusal, or an answer without
/// a reply of WeCom. `fields` are those that the call returns. Secrets are masked before anything of it is put into a
/// message.
pub(super) fn judge(
    answer: &HttpAnswer,
    body: &[u8],
    fields: &[&str],
    peer: &Peer<'_>,
    mask: &Mask,
) -> Result<Reply, CallError> {
    match reply_in(body, fields) {
        Some(reply) if reply.answer.errcode == 0 && answer.status != 200 => Err(foreign(answer, body, peer, mask)),
        Some(reply) if reply.answer.errcode == 0 && !errcode::warns_of_wrong_json(&reply.answer.errmsg) => Ok(reply),
        Some(mut refusal) => {
            refusal.answer.errmsg = mask.apply(&refusal.answer.errmsg);
            Err(CallError::Rejected(refusal))
        }
        None => Err(foreign(answer, body, peer, mask)),
    }
}

/// The error for an answer that is not WeCom's.
fn foreign(answer: &HttpAnswer, body: &[u8], peer: &Peer<'_>, mask: &Mask) -> CallError {
    let HttpAnswer { status, retry_after, leads_to, .. } = answer;
    let (from, excerpt) = (peer.endpoint(), excerpt(mask.apply(&String::from_utf8_lossy(body)).as_bytes()));
    let redirect = match leads_to {
        Some(origin) if (300..400).contains(status) => format!(", a redirect to {origin}"),
        _ => String::new(),
    };
    let unknown = || format!("HTTP {status} from {from}{redirect}, which is not an answer of WeCom: {excerpt}");
    match status {
        407 => peer.proxy_login(),
        429 => {
            let message = format!("HTTP 429 from {from}: too many requests: {excerpt}");
            let error = Error::new(Status::RateLimited, message).with_hint("wait, then try again");
            CallError::TooManyRequests(error.with_retry_after(*retry_after))
        }
        400..=499 if !matches!(status, 408 | 425) => CallError::Config(Error::config(
            unknown(),
            "check --base-url: its host, port and path prefix must lead to WeCom's API or a relay to it",
        )),
        _ => CallError::foreign(unknown()),
    }
}

/// The first characters of an answer on one line.
fn excerpt(body: &[u8]) -> String {
    if body.is_empty() {
        return "(empty body)".to_owned();
    }
    let text = String::from_utf8_lossy(&body[..body.len().min(4 * EXCERPT_CHARS)]);
    let line = one_line(&text).split_whitespace().collect::<Vec<_>>().join(" ");
    let (start, dots) = truncate(&line, EXCERPT_CHARS);
    let dots = if body.len() > 4 * EXCERPT_CHARS { "…" } else { dots };
    format!("{start}{dots}")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::config::ProxyUrl;
    use crate::secret::Secret;

    fn judged(status: u16, body: &[u8]) -> Result<Reply, CallError> {
        let peer = Peer { host: "wecom.example", path: "/cgi-bin/gettoken".to_owned(), proxy: None };
        let leads_to = Some("https://portal.example".to_owned());
        let answer = HttpAnswer { status, leads_to, ..HttpAnswer::default() };
        judge(&answer, body, &["errmsg", "msgid"], &peer, &Mask::default())
    }

    fn errcode(status: u16, body: &[u8]) -> Option<i64> {
        match judged(status, body) {
            Ok(reply) | Err(CallError::Rejected(reply)) => Some(reply.answer.errcode),
            Err(_) => None,
        }
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
            match judged(status, &body) {
                Ok(reply) => prop_assert!(status == 200 && reply.answer.errcode == 0),
                Err(CallError::Rejected(reply)) => prop_assert!(
                    reply.answer.errcode != 0 || errcode::warns_of_wrong_json(&reply.answer.errmsg)
                ),
                Err(error) => {
                    let told = error.to_string();
                    prop_assert!(told.contains("wecom.example") && one_line(&told) == told, "{told:?}");
                }
            }
        }
    }

    #[test]
    fn wecoms_reply_counts_for_any_http_status() {
        assert_eq!(errcode(200, br#"{"errcode":0,"errmsg":"ok"}"#), Some(0));
        assert_eq!(errcode(200, br#"{"errmsg":"ok"}"#), Some(0), "absent is 0 beside a field of the call");
        assert_eq!(errcode(200, br#"{"msgid":null}"#), Some(0), "whatever it holds");
        assert_eq!(errcode(200, b"{}"), None, "no field of the call");
        assert_eq!(errcode(200, br#"{"code":403,"message":"blocked by gateway"}"#), None);
        assert_eq!(errcode(200, br#"{"data":{"errmsg":"ok"}}"#), None, "not further in");
        assert_eq!(errcode(200, "\u{feff}{\"errcode\":\"40014\"}".as_bytes()), Some(40014));
        assert_eq!(errcode(502, br#"{"errcode":-1,"errmsg":"system busy"}"#), Some(-1));
        assert_eq!(errcode(404, br#"{"errcode":0}"#), None, "a success needs status 200");
        assert_eq!(errcode(200, b"[]"), None);
        assert_eq!(errcode(200, br#"{"errcode":null}"#), None, "neither absent nor a number");
        assert_eq!(errcode(200, b"<html>"), None);
        assert_eq!(errcode(200, b"\x01"), None);
        assert_eq!(errcode(200, b"\xff\xfe{}"), None, "not UTF-8");
    }

    #[test]
    fn a_success_with_the_format_warning_is_no_success() {
        let body = br#"{"errcode":0,"errmsg":"ok. Warning: wrong json format. "}"#;
        let refusal = judged(200, body).unwrap_err();
        assert_eq!(errcode::class_of(refusal.refusal().unwrap().answer.errcode).refusal_status(), Status::Refused);
    }

    #[test]
    fn http_statuses_without_a_reply_of_wecom() {
        let judged = |status| judged(status, b"x").unwrap_err();
        let is_named = |error: &Error| error.message().contains("from wecom.example/cgi-bin/gettoken");
        assert!(matches!(judged(407), CallError::Config(error) if error.message().contains("asks for a log-in")));
        assert!(matches!(judged(429), CallError::TooManyRequests(error) if is_named(&error)));
        for status in [400, 401, 403, 404, 410] {
            assert!(matches!(judged(status), CallError::Config(error) if is_named(&error)), "{status}");
        }
        for status in [200, 201, 204, 302, 408, 425, 500, 502, 503] {
            assert!(matches!(judged(status), CallError::Foreign(error) if is_named(&error)), "{status}");
        }
        let redirect = "HTTP 302 from wecom.example/cgi-bin/gettoken, a redirect to https://portal.example, which is not \
                        an answer of WeCom: x";
        assert_eq!(judged(302).to_string(), redirect);
        assert!(!judged(200).to_string().contains("portal"), "only of a redirect");
    }

    #[test]
    fn debug_shows_no_value_of_a_field() {
        let body = br#"{"errcode":0,"errmsg":"ok","access_token":"test-token-s3cret","expires_in":7200}"#;
        let reply = judged(200, body).unwrap();
        let shown = r#"Reply { errcode: 0, fields: ["errcode", "errmsg", "access_token", "expires_in"] }"#;
        assert_eq!(format!("{reply:?}"), shown);
        assert_eq!(format!("{:?}", CallError::Rejected(reply)), format!("Rejected({shown})"));
    }

    #[test]
    fn a_refusal_without_errmsg_shows_the_meaning_of_its_code() {
        for (body, message) in [
            (r#"{"errcode":93000,"errmsg":"invalid key, hint: [1]"}"#, "WeCom answered 93000: invalid key"),
            (r#"{"errcode":6000}"#, "WeCom answered 6000: the data was changed by somebody else at the same time"),
            (r#"{"errcode":123456}"#, "WeCom answered 123456: no errmsg"),
        ] {
            assert_eq!(judged(200, body.as_bytes()).unwrap_err().to_string(), message);
        }
    }

    #[test]
    fn a_peer_is_named_with_its_proxy() {
        let peer = Peer { host: "wecom.example", path: "/relay/cgi-bin/gettoken".to_owned(), proxy: None };
        assert_eq!(peer.host(), "wecom.example");
        assert_eq!(peer.endpoint(), "wecom.example/relay/cgi-bin/gettoken");
        let asks = "a proxy on the way to wecom.example/relay/cgi-bin/gettoken asks for a log-in (407)";
        assert_eq!(peer.proxy_login().to_string(), asks);
        for (scheme, refuses) in [
            ("http", "the proxy http://proxy.example:3128 refuses its log-in (407)"),
            ("socks5h", "the proxy socks5h://proxy.example:3128 refuses its log-in"),
        ] {
            let url = format!("{scheme}://proxy.example:3128");
            let proxy = Proxy { name: url.clone(), url: ProxyUrl::parse(&Secret::new(url)).unwrap() };
            let peer = Peer { proxy: Some(&proxy), path: peer.path.clone(), ..peer };
            assert_eq!(peer.host(), format!("wecom.example through the proxy {scheme}://proxy.example:3128"));
            assert_eq!(peer.proxy_login().to_string(), refuses);
        }
    }

    #[test]
    fn an_excerpt_is_one_short_line() {
        assert_eq!(excerpt(b"<html>\r\n\t<b>\x1b[31mhi"), "<html> <b> [31mhi");
        let long = "界".repeat(400);
        assert_eq!(excerpt(long.as_bytes()).chars().count(), EXCERPT_CHARS + 1);
    }
}
