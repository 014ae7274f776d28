//! Which proxy carries a request, and how errors name it: by its address where it was given here, else by the
//! variable that names it, never with its credentials.

use std::fmt;

use hyper::Uri;
use hyper_util::client::proxy::matcher::Matcher;
use reqwest::ClientBuilder;

use crate::config::{BaseUrl, ProxySetting};
use crate::error::{Error, Result};

/// A proxy that carries requests.
#[derive(Debug)]
pub(crate) struct Proxy {
    name: String,
    scheme: String,
    /// Its host, without the brackets of an address, and its port.
    pub(super) hop: (String, u16),
}

impl Proxy {
    /// The proxy for `base_url`; `None` for a direct connection.
    pub(super) fn find(setting: &ProxySetting, base_url: &BaseUrl) -> Option<Self> {
        find(setting, base_url, |name| std::env::var(name).ok())
    }

    /// Whether there is a proxy that is not used for this host because of `NO_PROXY`.
    pub(super) fn is_excepted(setting: &ProxySetting, base_url: &BaseUrl) -> bool {
        let without = |name: &str| std::env::var(name).ok().filter(|_| !name.eq_ignore_ascii_case("no_proxy"));
        Self::find(setting, base_url).is_none() && find(setting, base_url, without).is_some()
    }

    pub(super) fn named(name: &str, carrier: &Uri) -> Self {
        let scheme = carrier.scheme_str().unwrap_or_default().to_owned();
        let usual_port = match scheme.as_str() {
            "http" => 80,
            "https" => 443,
            _ => 1080,
        };
        let host = carrier.host().unwrap_or_default().trim_matches(['[', ']']).to_owned();
        Self { name: name.to_owned(), scheme, hop: (host, carrier.port_u16().unwrap_or(usual_port)) }
    }

    /// Scheme, host and port, without credentials.
    pub(crate) fn address(&self) -> String {
        let (host, port) = &self.hop;
        let host = if host.contains(':') { format!("[{host}]") } else { host.clone() };
        format!("{}://{host}:{port}", self.scheme)
    }

    /// Whether it is spoken to in HTTP, rather than in SOCKS.
    pub(super) fn speaks_http(&self) -> bool {
        self.scheme.starts_with("http")
    }

    /// Whether the connection to the proxy itself is one of TLS.
    pub(super) fn is_tls(&self) -> bool {
        self.scheme == "https"
    }
}

impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the proxy {}", self.name)
    }
}

/// Applies the proxy setting to the builder of the HTTP client.
pub(super) fn apply(setting: &ProxySetting, builder: ClientBuilder) -> Result<ClientBuilder> {
    Ok(match setting {
        _ if excepts_all(&no_proxy(|name| std::env::var(name).ok())) => builder.no_proxy(),
        ProxySetting::Environment => builder,
        ProxySetting::Off => builder.no_proxy(),
        ProxySetting::Url(url) => {
            let proxy = reqwest::Proxy::all(url.url.expose()).map_err(|_| {
                Error::config(
                    format!("the proxy {url} cannot be used"),
                    "give http://, https://, socks5:// or socks5h://HOST:PORT",
                )
            })?;
            builder.proxy(proxy.no_proxy(reqwest::NoProxy::from_env()))
        }
    })
}

/// By the rules that the HTTP library itself follows.
fn find(setting: &ProxySetting, base_url: &BaseUrl, variable: impl Fn(&str) -> Option<String>) -> Option<Proxy> {
    let no_proxy = no_proxy(&variable);
    if excepts_all(&no_proxy) {
        return None;
    }
    let target: Uri = base_url.as_str().parse().ok()?;
    let named = |name: &str, url: &str| {
        let carrier = Matcher::builder().all(url).no(no_proxy.as_str()).build().intercept(&target)?;
        carrier.uri().scheme().is_some().then(|| Proxy::named(name, carrier.uri()))
    };
    match setting {
        ProxySetting::Off => None,
        ProxySetting::Url(url) => named(&url.to_string(), url.url.expose()),
        // A CGI script gets HTTP_PROXY from its client: no variable counts there.
        ProxySetting::Environment if variable("REQUEST_METHOD").is_some() => None,
        ProxySetting::Environment => {
            let own = if target.scheme_str() == Some("https") {
                ["HTTPS_PROXY", "https_proxy"]
            } else {
                ["HTTP_PROXY", "http_proxy"]
            };
            [own, ["ALL_PROXY", "all_proxy"]].into_iter().find_map(|names| {
                let (name, url) = names.into_iter().find_map(|name| Some((name, variable(name)?)))?;
                named(&format!("that {name} names"), &url)
            })
        }
    }
}

fn no_proxy(variable: impl Fn(&str) -> Option<String>) -> String {
    variable("NO_PROXY").or_else(|| variable("no_proxy")).unwrap_or_default()
}

/// `NO_PROXY=*`, as curl has it. The HTTP library does not apply it to hosts given by address.
fn excepts_all(no_proxy: &str) -> bool {
    no_proxy.split(',').any(|item| item.trim() == "*")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::ProxyUrl;
    use crate::secret::Secret;

    fn found(setting: &ProxySetting, base_url: &str, variables: &[(&str, &str)]) -> Option<String> {
        let variable =
            |name: &str| variables.iter().find(|(given, _)| *given == name).map(|(_, value)| (*value).to_owned());
        find(setting, &BaseUrl::parse(base_url).unwrap(), variable).map(|proxy| proxy.to_string())
    }

    #[test]
    fn the_variable_that_counts_is_named_without_its_value() {
        const PROXY: &str = "http://user:s3cret@proxy.example:3128";
        let https = "https://wecom.example";
        for (base_url, variables, name) in [
            (https, &[("HTTPS_PROXY", PROXY)][..], Some("HTTPS_PROXY")),
            (https, &[("https_proxy", PROXY), ("ALL_PROXY", PROXY)], Some("https_proxy")),
            (https, &[("HTTP_PROXY", PROXY)], None),
            (https, &[("HTTPS_PROXY", ""), ("all_proxy", PROXY)], Some("all_proxy")),
            (https, &[("HTTPS_PROXY", "ftp://proxy.example")], None),
            ("http://wecom.example", &[("HTTP_PROXY", PROXY)], Some("HTTP_PROXY")),
            (https, &[("HTTPS_PROXY", PROXY), ("NO_PROXY", "other.example, .example")], None),
            (https, &[("HTTPS_PROXY", PROXY), ("no_proxy", "other.example")], Some("HTTPS_PROXY")),
            ("https://192.0.2.7:8443", &[("HTTPS_PROXY", PROXY), ("NO_PROXY", "192.0.2.0/24")], None),
            ("https://192.0.2.7:8443", &[("HTTPS_PROXY", PROXY), ("NO_PROXY", "*")], None),
            (https, &[("HTTPS_PROXY", PROXY), ("REQUEST_METHOD", "GET")], None),
            (https, &[], None),
        ] {
            let expected = name.map(|name| format!("the proxy that {name} names"));
            assert_eq!(found(&ProxySetting::Environment, base_url, variables), expected, "{base_url} {variables:?}");
            assert_eq!(found(&ProxySetting::Off, base_url, variables), None);
        }
    }

    #[test]
    fn a_proxy_that_was_given_is_named_by_its_address() {
        let url = ProxyUrl::parse(&Secret::new("socks5h://user:s3cret@proxy.example:1080")).unwrap();
        let setting = ProxySetting::Url(url);
        let base_url = "http://wecom.example";
        let name = "the proxy socks5h://proxy.example:1080".to_owned();
        assert_eq!(found(&setting, base_url, &[("HTTP_PROXY", "http://other.example")]), Some(name));
        assert_eq!(found(&setting, base_url, &[("NO_PROXY", "wecom.example")]), None);
    }
}
