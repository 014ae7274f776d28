//! Why a call did not end with WeCom's consent, in words that stand by themselves. Judges nothing.

use std::time::Duration;

use super::certificate::CertificateFault;
use super::envelope::Reply;
use super::errcode;
use super::proxy::Proxy;
use crate::error::{Answer, Error};

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
}
