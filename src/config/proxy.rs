//! The URL of a proxy. Pure; neither errors nor `Debug` show its user information.

use std::fmt;

use percent_encoding::percent_decode_str;
use url::Url;

use super::text::shown;
use crate::error::{Error, Result};
use crate::secret::Secret;

/// An http, https, socks5 or socks5h proxy, with its credentials if it has any. Shown without them.
#[derive(Clone, PartialEq, Eq)]
pub struct ProxyUrl {
    url: Secret,
    address: String,
    password: Option<Secret>,
}

impl ProxyUrl {
    /// Reads a proxy's URL.
    ///
    /// # Errors
    ///
    /// Exit 3 for what is not a URL, for another scheme, or without a host.
    pub fn parse(text: &Secret) -> Result<Self> {
        let hint =
            "write it like `http://proxy.example:3128` or `socks5h://user:password@proxy.example:1080`, or `none`";
        let text = text.expose().trim();
        let Some((scheme, _)) = text.split_once("://") else {
            return Err(Error::config("the proxy has no scheme at its start", hint));
        };
        let url = Url::parse(text).map_err(|error| Error::config(format!("the proxy is not a URL: {error}"), hint))?;
        if !matches!(url.scheme(), "http" | "https" | "socks5" | "socks5h") {
            let what = format!("a proxy of the scheme `{}` is not supported", shown(scheme));
            return Err(Error::config(what, hint));
        }
        let host = url.host_str().filter(|host| !host.is_empty());
        let Some(host) = host else { return Err(Error::config("the proxy's URL has no host", hint)) };
        let port = url.port().map_or_else(String::new, |port| format!(":{port}"));
        let address = format!("{}://{host}{port}", url.scheme());
        let password =
            url.password().map(|password| Secret::new(percent_decode_str(password).decode_utf8_lossy().into_owned()));
        Ok(Self { url: Secret::new(url.as_str()), address, password })
    }

    /// The whole URL, credentials included.
    pub fn url(&self) -> &Secret {
        &self.url
    }

    /// The password, decoded: to be masked wherever it might show.
    pub fn password(&self) -> Option<&Secret> {
        self.password.as_ref()
    }
}

impl fmt::Display for ProxyUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.address)
    }
}

impl fmt::Debug for ProxyUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ProxyUrl({})", self.address)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<ProxyUrl> {
        ProxyUrl::parse(&Secret::new(text))
    }

    #[test]
    fn keeps_credentials_and_hides_them() {
        for scheme in ["http", "https", "socks5", "socks5h"] {
            let proxy = parse(&format!(" {scheme}://user:p%40ss@proxy.example:1080\n")).unwrap();
            assert_eq!(
                proxy.url().expose().trim_end_matches('/'),
                format!("{scheme}://user:p%40ss@proxy.example:1080")
            );
            assert_eq!(proxy.password().unwrap().expose(), "p@ss");
            assert_eq!(proxy.to_string(), format!("{scheme}://proxy.example:1080"));
            assert!(!format!("{proxy:?}").contains("p%40ss"));
        }
        assert!(parse("http://proxy.example").unwrap().password().is_none());
    }

    #[test]
    fn refuses_without_repeating_credentials() {
        for (text, part) in [
            ("proxy.example:3128", "no scheme"),
            ("user:s3cret@proxy.example:3128", "no scheme"),
            ("socks4://user:s3cret@proxy.example", "`socks4`"),
            ("ftp://user:s3cret@proxy.example", "`ftp`"),
            ("http://user:s3cret@", "not a URL"),
            ("socks5://user:s3cret@:1080", "not a URL"),
            ("http://user:s3cret@proxy.example:port", "not a URL"),
            ("socks5:///s3cret", "no host"),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.message().contains(part), "{text}: {error}");
            assert!(!format!("{error:?}").contains("s3cret"), "{error:?}");
        }
    }
}
