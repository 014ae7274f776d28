//! Why a call did not end with WeCom's consent, in words that stand by themselves.

use std::time::Duration;

use super::certificate::CertificateFault;
use super::envelope::{HttpAnswer, Reply};
use super::errcode;
use super::proxy::Proxy;
use crate::error::{Answer, Error};
use crate::sanitize::{one_line, truncate};

/// How much of a foreign answer is shown, in characters.
const EXCERPT_CHARS: usize = 120;

/// Why a call did not end with WeCom's consent.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CallError {
    /// The client could not be set up, or the input could not be read: no request was made.
    #[error("{0}")]
    Setup(Error),
    /// There was no time left for a request.
    #[error("the deadline passed before the request to {0} was made")]
    Late(String),
    /// No connection came to stand.
    #[error("{what}")]
    Unreached {
        /// What happened.
        what: String,
        /// The limit that ended the wait, if one did.
        limit: Option<Limit>,
    },
    /// The peer's certificate is not trusted, expired or for another name.
    #[error("the certificate of {host} was not accepted: {fault}")]
    Untrusted {
        /// Whose certificate, and by which way.
        host: String,
        /// What is wrong with it.
        fault: CertificateFault,
    },
    /// The proxy asks for a log-in.
    #[error("{0}")]
    ProxyLogin(String),
    /// An HTTP status that says the address is wrong, without a word from WeCom.
    #[error("{0}")]
    WrongAddress(String),
    /// HTTP 429.
    #[error("{what}")]
    TooManyRequests {
        /// Who asks for it, and how.
        what: String,
        /// What `Retry-After` asked for.
        retry_after: Option<Duration>,
    },
    /// An answer that is not WeCom's: a portal, a proxy's error page, an oversized body, no HTTP at all.
    #[error("{0}")]
    Foreign(String),
    /// An answer began and did not come to its end.
    #[error("{what}")]
    Cut {
        /// What happened.
        what: String,
        /// The limit that ended the wait, if one did.
        limit: Option<Limit>,
    },
    /// The request went out, no answer came.
    #[error("{what}")]
    Silent {
        /// What happened.
        what: String,
        /// The limit that ended the wait, if one did.
        limit: Option<Limit>,
    },
    /// WeCom's answer is a refusal.
    #[error("WeCom answered {}: {}", .0.answer.errcode, errcode::said_or_meant(&.0.answer))]
    Rejected(Reply),
}

impl CallError {
    /// The refusal, when WeCom gave one.
    pub(crate) fn answer(&self) -> Option<&Answer> {
        match self {
            Self::Rejected(reply) => Some(&reply.answer),
            _ => None,
        }
    }

    /// Whether it failed before the request can have reached WeCom, or what stands before it.
    pub(crate) fn is_before_the_request(&self) -> bool {
        matches!(self, Self::Setup(_) | Self::Late(_) | Self::Unreached { .. } | Self::Untrusted { .. })
    }

    /// A list of ids out of a refusal.
    pub(crate) fn ids(&self, field: &str) -> Vec<String> {
        match self {
            Self::Rejected(reply) => reply.ids(field),
            _ => Vec::new(),
        }
    }
}

/// A time limit that ended a wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Limit {
    /// Of a connection that is being made.
    Connect,
    /// Of an attempt without progress.
    Timeout,
    /// Of the whole command.
    Deadline,
}

impl Limit {
    /// The option that sets it.
    pub(crate) fn option(self) -> &'static str {
        match self {
            Self::Connect => "--connect-timeout",
            Self::Timeout => "--timeout",
            Self::Deadline => "--deadline",
        }
    }
}

/// Whom a request is for, as errors name it.
#[derive(Debug)]
pub(super) struct Peer<'a> {
    /// The host, with the port where one was given.
    pub(super) host: &'a str,
    /// The path of the endpoint, without its query.
    pub(super) path: String,
    /// What carries the request there.
    pub(super) proxy: Option<Proxy>,
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
        self.proxy.as_ref().map_or_else(String::new, |proxy| format!(" through {proxy}"))
    }

    /// That the proxy wants a log-in, or another one.
    pub(super) fn proxy_login(&self) -> CallError {
        CallError::ProxyLogin(match &self.proxy {
            Some(proxy) if proxy.speaks_http() => format!("{proxy} refuses its log-in (407)"),
            Some(proxy) => format!("{proxy} refuses its log-in"),
            None => format!("a proxy on the way to {} asks for a log-in (407)", self.endpoint()),
        })
    }
}

/// What an answer means in which WeCom has no say.
pub(super) fn foreign(answer: &HttpAnswer<'_>, peer: &Peer<'_>) -> CallError {
    let HttpAnswer { status, retry_after, leads_to, body } = answer;
    let (from, excerpt) = (peer.endpoint(), excerpt(body));
    let redirect = match leads_to {
        Some(origin) if (300..400).contains(status) => format!(", a redirect to {origin}"),
        _ => String::new(),
    };
    let unknown = || format!("HTTP {status} from {from}{redirect}, which is not an answer of WeCom: {excerpt}");
    match status {
        407 => peer.proxy_login(),
        429 => {
            let what = format!("HTTP 429 from {from}: too many requests: {excerpt}");
            CallError::TooManyRequests { what, retry_after: *retry_after }
        }
        400..=499 if !matches!(status, 408 | 425) => CallError::WrongAddress(unknown()),
        _ => CallError::Foreign(unknown()),
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
    use super::*;

    #[test]
    fn a_peer_is_named_with_its_way() {
        let mut peer = Peer { host: "wecom.example", path: "/relay/cgi-bin/gettoken".to_owned(), proxy: None };
        assert_eq!(peer.host(), "wecom.example");
        assert_eq!(peer.endpoint(), "wecom.example/relay/cgi-bin/gettoken");
        let asks = "a proxy on the way to wecom.example/relay/cgi-bin/gettoken asks for a log-in (407)";
        assert_eq!(peer.proxy_login().to_string(), asks);
        for (scheme, refuses) in [
            ("http", "the proxy http://proxy.example:3128 refuses its log-in (407)"),
            ("socks5h", "the proxy socks5h://proxy.example:3128 refuses its log-in"),
        ] {
            let url = format!("{scheme}://proxy.example:3128");
            peer.proxy = Some(Proxy::named(&url, &url.parse().unwrap()));
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
