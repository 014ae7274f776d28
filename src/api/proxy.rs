//! Which proxy carries a request, and how errors name it: by its address where it was given here, else by the
//! variable that names it, never with its credentials.

use std::ffi::OsString;
use std::fmt;

use reqwest::ClientBuilder;

use crate::config::{BaseUrl, ProxySetting, ProxyUrl, is_excepted};
use crate::error::{Error, Result};
use crate::secret::Secret;

/// A proxy that carries requests.
#[derive(Debug)]
pub(crate) struct Proxy {
    pub(super) name: String,
    pub(super) url: ProxyUrl,
}

impl Proxy {
    /// The proxy for `base_url`; `None` for a direct connection.
    ///
    /// Fails for a variable that names none: that would send credentials and alert another way than they should go.
    pub(super) fn find(setting: &ProxySetting, base_url: &BaseUrl) -> Result<Option<Self>> {
        find(setting, base_url, |name| std::env::var_os(name))
    }

    /// Whether there is a proxy that is not used for this host because of `NO_PROXY`.
    pub(super) fn is_excepted(setting: &ProxySetting, base_url: &BaseUrl) -> bool {
        let without = |name: &str| std::env::var_os(name).filter(|_| !name.eq_ignore_ascii_case("no_proxy"));
        matches!(Self::find(setting, base_url), Ok(None)) && !matches!(find(setting, base_url, without), Ok(None))
    }

    /// Scheme, host and port, without credentials.
    pub(crate) fn address(&self) -> String {
        let (host, port) = self.url.host_and_port();
        let host = if host.contains(':') { format!("[{host}]") } else { host };
        format!("{}://{host}:{port}", self.url.scheme())
    }

    /// Whether it is spoken to in HTTP, rather than in SOCKS.
    pub(super) fn speaks_http(&self) -> bool {
        self.url.scheme().starts_with("http")
    }

    /// Whether the connection to the proxy itself is one of TLS.
    pub(super) fn is_tls(&self) -> bool {
        self.url.scheme() == "https"
    }
}

impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the proxy {}", self.name)
    }
}

/// Lets the HTTP client use that proxy, or none.
pub(super) fn apply(proxy: Option<&Proxy>, builder: ClientBuilder) -> Result<ClientBuilder> {
    let Some(proxy) = proxy else { return Ok(builder.no_proxy()) };
    let known = reqwest::Proxy::all(proxy.url.with_login().expose());
    let known = known.map_err(|_| Error::defect(format!("{proxy} is none to the HTTP library")))?;
    Ok(builder.proxy(known))
}

fn find(
    setting: &ProxySetting,
    base_url: &BaseUrl,
    variable: impl Fn(&str) -> Option<OsString>,
) -> Result<Option<Proxy>> {
    // An empty one counts as unset.
    let first = |names: [&'static str; 2]| {
        names.into_iter().find_map(|name| Some((name, variable(name).filter(|value| !value.is_empty())?)))
    };
    let (host, port) = base_url.host_and_port();
    let exceptions = first(["NO_PROXY", "no_proxy"]).map(|(_, list)| list.to_string_lossy().into_owned());
    if exceptions.is_some_and(|list| is_excepted(&list, &host, port)) {
        return Ok(None);
    }
    match setting {
        ProxySetting::Off => Ok(None),
        ProxySetting::Url(url) => Ok(Some(Proxy { name: url.to_string(), url: url.clone() })),
        // A CGI script gets HTTP_PROXY from its client: no variable counts there.
        ProxySetting::Environment if variable("REQUEST_METHOD").is_some() => Ok(None),
        ProxySetting::Environment => {
            let own = if base_url.is_tls() { ["HTTPS_PROXY", "https_proxy"] } else { ["HTTP_PROXY", "http_proxy"] };
            let Some((name, value)) = first(own).or_else(|| first(["ALL_PROXY", "all_proxy"])) else { return Ok(None) };
            named(name, value).map(Some)
        }
    }
}

/// The proxy that a variable names.
fn named(name: &str, value: OsString) -> Result<Proxy> {
    let text = value.into_string().map_err(|_| {
        let hint = "set it again in a UTF-8 locale; signs of user or password may be written as %XX";
        Error::config(format!("{name}: the value is not UTF-8"), hint)
    })?;
    let url = ProxyUrl::parse(&Secret::new(text)).map_err(|error| {
        let hint = error.hint().unwrap_or_default();
        error
            .clone()
            .with_message(format!("{name}: {error}"))
            .with_hint(format!("{hint}; --proxy none goes without one"))
    })?;
    Ok(Proxy { name: format!("that {name} names"), url })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Status;

    fn look(setting: &ProxySetting, base_url: &str, variables: &[(&str, &str)]) -> Result<Option<Proxy>> {
        let variable =
            |name: &str| variables.iter().find(|(given, _)| *given == name).map(|(_, value)| (*value).into());
        find(setting, &BaseUrl::parse(base_url).unwrap(), variable)
    }

    fn found(setting: &ProxySetting, base_url: &str, variables: &[(&str, &str)]) -> Option<String> {
        look(setting, base_url, variables).unwrap().map(|proxy| proxy.to_string())
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
            (https, &[("HTTPS_PROXY", ""), ("https_proxy", PROXY)], Some("https_proxy")),
            (https, &[("HTTPS_PROXY", "proxy.example:3128")], Some("HTTPS_PROXY")),
            (https, &[("HTTPS_PROXY", "\"http://CORP\\ops:p@ss/w@proxy.example:3128\"\r")], Some("HTTPS_PROXY")),
            ("http://wecom.example", &[("HTTP_PROXY", PROXY)], Some("HTTP_PROXY")),
            (https, &[("HTTPS_PROXY", PROXY), ("NO_PROXY", "other.example, .example")], None),
            (https, &[("HTTPS_PROXY", PROXY), ("NO_PROXY", ""), ("no_proxy", "*.example")], None),
            (https, &[("HTTPS_PROXY", PROXY), ("no_proxy", "other.example")], Some("HTTPS_PROXY")),
            ("https://192.0.2.7:8443", &[("HTTPS_PROXY", PROXY), ("NO_PROXY", "192.0.2.0/24")], None),
            ("https://192.0.2.7:8443", &[("HTTPS_PROXY", PROXY), ("NO_PROXY", "*")], None),
            ("https://[::1]:8443", &[("HTTPS_PROXY", PROXY), ("NO_PROXY", "[::1]:8443")], None),
            ("https://[::1]", &[("HTTPS_PROXY", PROXY), ("NO_PROXY", "[::1]:8443")], Some("HTTPS_PROXY")),
            (https, &[("HTTPS_PROXY", PROXY), ("NO_PROXY", "wecom.example:443")], None),
            (https, &[("HTTPS_PROXY", PROXY), ("REQUEST_METHOD", "GET")], None),
            (https, &[], None),
        ] {
            let expected = name.map(|name| format!("the proxy that {name} names"));
            assert_eq!(found(&ProxySetting::Environment, base_url, variables), expected, "{base_url} {variables:?}");
            assert_eq!(found(&ProxySetting::Off, base_url, variables), None);
        }
    }

    #[test]
    fn a_variable_that_names_no_proxy_is_an_error_where_it_counts() {
        let https = "https://wecom.example";
        for value in ["ftp://u:s3cret@p", "http://u:s3cret@", "off", "http://u:s3cret@p:x", "http://u:s3cret"] {
            let error = look(&ProxySetting::Environment, https, &[("HTTPS_PROXY", value)]).unwrap_err();
            assert!(error.status() == Status::Config && error.message().starts_with("HTTPS_PROXY: "), "{error}");
            assert!(!format!("{error:?}").contains("s3cret"), "{error:?}");
            for (setting, base_url, more) in [
                (ProxySetting::Environment, "http://wecom.example", ("REQUEST", "")),
                (ProxySetting::Environment, https, ("NO_PROXY", "example")),
                (ProxySetting::Off, https, ("REQUEST", "")),
            ] {
                assert_eq!(found(&setting, base_url, &[("HTTPS_PROXY", value), more]), None);
            }
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_variable_that_is_not_utf_8_is_not_ignored() {
        use std::os::unix::ffi::OsStringExt as _;
        let variable =
            |name: &str| (name == "ALL_PROXY").then(|| OsString::from_vec(b"http://u:\xc3\xdc@p:1".to_vec()));
        let error = find(&ProxySetting::Environment, &BaseUrl::default(), variable).unwrap_err();
        assert_eq!(error.message(), "ALL_PROXY: the value is not UTF-8");
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
