//! The base URL of the API. Pure; an error never repeats what was given, since it may carry credentials.

use std::fmt;

use url::{Host, Url};

use crate::address::parse_http;
use crate::error::{Error, Result};

/// The default base URL of the API (document path 90664).
const DEFAULT: &str = "https://qyapi.weixin.qq.com";

/// Scheme, host, port and path prefix, to which `/cgi-bin/…` is appended.
///
/// Shown without a slash at its end, in one spelling for one address.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct BaseUrl {
    text: String,
    /// As it was written, without the `s` of TLS.
    scheme: &'static str,
    plain_http_beyond_loopback: bool,
}

impl BaseUrl {
    /// Reads a base URL; a trailing `/`, `/cgi-bin` or `/cgi-bin/` is tolerated.
    ///
    /// # Errors
    ///
    /// Exit 3 for another scheme than http and https, no host, user information, a query or a fragment.
    pub fn parse(text: &str) -> Result<Self> {
        let url = parse_http(
            text.trim(),
            "base URL",
            "write it like `https://qyapi.weixin.qq.com` or `https://relay.example/wecom`",
        )?;
        Self::of_url(&url, url.path())
    }

    /// The default address of an aibot's long connection (document path 101463).
    pub(super) const AIBOT: &str = "wss://openws.work.weixin.qq.com";

    /// Reads the address of a WebSocket, as the base URL of the HTTP request that opens it: `wss://` as https, `ws://` as http.
    ///
    /// # Errors
    ///
    /// Exit 3 for another scheme, and as [`BaseUrl::parse`].
    pub fn parse_websocket(text: &str) -> Result<Self> {
        let hint = "write it like `wss://openws.work.weixin.qq.com`";
        let text = text.trim();
        let scheme = text.split_once("://").map(|(scheme, _)| scheme.to_ascii_lowercase());
        if !matches!(scheme.as_deref(), Some("ws" | "wss")) {
            return Err(Error::config("the address begins with neither `wss://` nor `ws://`", hint));
        }
        // `http` and `https` are as long as those, and two signs.
        let url = parse_http(&format!("http{}", &text[2..]), "address", hint)?;
        Ok(Self { scheme: "ws", ..Self::of_url(&url, url.path())? })
    }

    /// The base URL with that prefix in place of the URL's path.
    pub(super) fn of_url(url: &Url, prefix: &str) -> Result<Self> {
        if url.query().is_some() || url.fragment().is_some() {
            return Err(Error::config(
                "the base URL has a query or a fragment",
                "cut it before `?` and `#`; a whole webhook URL belongs into WECOM_ALERT_WEBHOOK or `webhook`",
            ));
        }
        let prefix = prefix.trim_end_matches('/');
        let prefix = prefix.strip_suffix("/cgi-bin").unwrap_or(prefix).trim_end_matches('/');
        let origin = url.origin().ascii_serialization();
        let plain_http_beyond_loopback = url.scheme() == "http" && !url.host().is_some_and(is_loopback);
        Ok(Self { text: format!("{origin}{prefix}"), scheme: "http", plain_http_beyond_loopback })
    }

    /// The URL without a slash at its end.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The host, with the port where one is given: what a person would look for in an error.
    pub fn host(&self) -> &str {
        let rest = self.after_scheme();
        rest.split('/').next().unwrap_or(rest)
    }

    /// Whether it is https.
    pub fn is_tls(&self) -> bool {
        self.text.starts_with("https:")
    }

    /// The host without brackets, and its port.
    pub fn host_and_port(&self) -> (String, u16) {
        let host = self.host();
        let given = host.rsplit_once(':').and_then(|(name, port)| Some((name, port.parse().ok()?)));
        let (name, port) = given.unwrap_or((host, if self.is_tls() { 443 } else { 80 }));
        (name.trim_matches(['[', ']']).to_owned(), port)
    }

    /// The path before `/cgi-bin/…`: empty, or beginning with a slash.
    pub fn path_prefix(&self) -> &str {
        let rest = self.after_scheme();
        rest.find('/').and_then(|at| rest.get(at..)).unwrap_or_default()
    }

    fn after_scheme(&self) -> &str {
        self.text.split_once("://").map_or(self.text.as_str(), |(_, rest)| rest)
    }

    /// Whether it is the address of an aibot's connection.
    pub fn is_websocket(&self) -> bool {
        self.scheme == "ws"
    }

    /// The setting or option that it comes from, for hints.
    pub fn setting(&self) -> &'static str {
        if self.is_websocket() { "aibot_url" } else { "--base-url" }
    }

    /// Whether credentials would cross a network unencrypted: plain http to another host than this one.
    pub fn is_plain_http_beyond_loopback(&self) -> bool {
        self.plain_http_beyond_loopback
    }
}

impl Default for BaseUrl {
    fn default() -> Self {
        Self { text: DEFAULT.to_owned(), scheme: "http", plain_http_beyond_loopback: false }
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn is_loopback(host: Host<&str>) -> bool {
    match host {
        Host::Domain(name) => name == "localhost",
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_and_prefix() {
        let parts =
            |text| BaseUrl::parse(text).map(|url| (url.host().to_owned(), url.path_prefix().to_owned())).unwrap();
        assert_eq!(parts("https://relay.example:8443/a/b/"), ("relay.example:8443".to_owned(), "/a/b".to_owned()));
        assert_eq!(parts("http://[::1]:80"), ("[::1]".to_owned(), String::new()));
        assert_eq!(parts("https://relay.example/cgi-bin"), ("relay.example".to_owned(), String::new()));
    }

    #[test]
    fn one_address_has_one_spelling() {
        for (text, shown) in [
            ("https://qyapi.weixin.qq.com", "https://qyapi.weixin.qq.com"),
            ("HTTPS://QYAPI.weixin.qq.com:443/", "https://qyapi.weixin.qq.com"),
            (" https://qyapi.weixin.qq.com/cgi-bin ", "https://qyapi.weixin.qq.com"),
            ("https://qyapi.weixin.qq.com/cgi-bin/", "https://qyapi.weixin.qq.com"),
            ("http://127.0.0.1:8080/relay/wx/cgi-bin//", "http://127.0.0.1:8080/relay/wx"),
            ("https://relay.example/x-cgi-bin", "https://relay.example/x-cgi-bin"),
            ("http://[::1]:9/", "http://[::1]:9"),
        ] {
            assert_eq!(BaseUrl::parse(text).unwrap().to_string(), shown, "{text}");
        }
        assert_eq!(BaseUrl::parse(DEFAULT).unwrap(), BaseUrl::default());
    }

    #[test]
    fn says_what_is_wrong_and_never_repeats_it() {
        for (text, part) in [
            ("relay.example/s3cret", "no `http://`"),
            ("localhost:8080", "no `http://`"),
            ("", "no `http://`"),
            ("ftp://relay.example/s3cret", "neither http nor https"),
            ("https://", "not a URL"),
            ("https://:443/s3cret", "not a URL"),
            ("https://relay.example:s3cret/", "not a URL"),
            ("https://user:s3cret@relay.example", "password"),
            ("https://s3cret@relay.example", "user name"),
            ("https://relay.example/?key=s3cret", "query"),
            ("https://relay.example/#s3cret", "fragment"),
        ] {
            let error = BaseUrl::parse(text).unwrap_err();
            assert!(error.message().contains(part), "{text}: {error}");
            assert!(!format!("{error:?}").contains("s3cret"), "{error:?}");
        }
    }

    #[test]
    fn plain_http_is_accepted_on_loopback_only() {
        let plain = |text| BaseUrl::parse(text).unwrap().is_plain_http_beyond_loopback();
        for text in
            ["http://127.0.0.1", "http://127.9.9.9:80", "http://[::1]", "http://localhost:1", "https://a.example"]
        {
            assert!(!plain(text), "{text}");
        }
        for text in ["http://10.0.0.1", "http://relay.example", "http://localhost.example", "http://128.0.0.1"] {
            assert!(plain(text), "{text}");
        }
    }
}
