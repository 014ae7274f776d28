//! The URL of a proxy, as people write it, and the list of hosts that need none (`NO_PROXY`). Pure; an error never repeats
//! what was given, since it may be part of a password.

use std::fmt;
use std::net::IpAddr;

use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use url::Host;

use super::value::shown;
use crate::error::{Error, Result};
use crate::sanitize::unwrapped;
use crate::secret::Secret;

const HINT: &str = "write it like `http://proxy.example:3128` or `socks5h://user:password@proxy.example:1080`, or `none`; a sign \
                    of user or password that makes trouble may be written as %40 (@), %3A (:), %25 (%)";

/// The schemes, what each is called here, and its usual port. Desktops write `socks` without a version.
const SCHEMES: [(&str, &str, u16); 7] = [
    ("http", "http", 80),
    ("https", "https", 443),
    ("socks", "socks5h", 1080),
    ("socks4", "socks4", 1080),
    ("socks4a", "socks4a", 1080),
    ("socks5", "socks5", 1080),
    ("socks5h", "socks5h", 1080),
];

/// SOCKS gives the length of user and password in a byte each.
const LONGEST_SOCKS_LOGIN: usize = 255;

/// A proxy, with its log-in if it has any. Shown without that.
#[derive(Clone, PartialEq, Eq)]
pub struct ProxyUrl {
    scheme: &'static str,
    host: Host,
    port: u16,
    /// Whether the port is that of the scheme, and was not given.
    is_usual_port: bool,
    user: Option<String>,
    /// To be masked wherever it might show.
    pub password: Option<Secret>,
}

impl ProxyUrl {
    /// Reads what people write, as curl does and more: `HOST:PORT` without a scheme is http, and whatever stands before the
    /// last `@` is the log-in, with any sign in it (`DOMAIN\user`, `p@ss/word`); `%` and two hex digits are a byte of it.
    ///
    /// # Errors
    ///
    /// Exit 3 for another scheme, without a host, and for a host or port that is none.
    pub fn parse(text: &Secret) -> Result<Self> {
        let fault = |what: &str| Error::config(what, HINT);
        let Pieces { scheme: written, login, place } = pieces(text.expose());
        // A path means nothing to a proxy.
        let place = place.split(['/', '?', '#']).next().unwrap_or_default();
        let name = written.unwrap_or("http").to_ascii_lowercase();
        let Some((_, scheme, usual_port)) = SCHEMES.into_iter().find(|(known, ..)| *known == name) else {
            return Err(fault(&format!("a proxy of the scheme `{}` is not supported", shown(&name))));
        };
        let (host, port) = host_and_port(place);
        if host.is_empty() {
            return Err(fault("the proxy's URL has no host"));
        }
        // A word such as `off` is no host.
        if written.is_none() && port.is_none_or(str::is_empty) && !host.contains('.') {
            return Err(fault("the proxy has no scheme at its start"));
        }
        let port = match port {
            None | Some("") => None,
            Some(port) => match port.parse::<u16>() {
                Ok(port) if port > 0 => Some(port),
                _ => return Err(fault("the proxy's port is not a number from 1 to 65535")),
            },
        };
        let host = Host::parse(host).map_err(|error| fault(&format!("the proxy's host is none: {error}")))?;
        let read = |part: &str| match percent_decode_str(part).decode_utf8() {
            Ok(part) => Ok(part.into_owned()),
            Err(_) => Err(fault("the percent signs of the proxy's log-in do not give UTF-8")),
        };
        let (user, password) =
            match login.map(|login| login.split_once(':').map_or((login, None), |(u, p)| (u, Some(p)))) {
                None | Some(("", None)) => (None, None),
                Some((user, password)) => (Some(read(user)?), password.map(read).transpose()?.map(Secret::new)),
            };
        let is_long = |part: &str| part.len() > LONGEST_SOCKS_LOGIN;
        let (long_user, long_password) = (
            user.as_deref().is_some_and(is_long),
            password.as_ref().is_some_and(|password| is_long(password.expose())),
        );
        if scheme.starts_with("socks") && (long_user || long_password) {
            return Err(fault("the proxy's log-in has over 255 bytes, which SOCKS does not take"));
        }
        let is_usual_port = port.is_none();
        Ok(Self { scheme, host, port: port.unwrap_or(usual_port), is_usual_port, user, password })
    }

    /// The password in such a text, as it stands there and as it is meant, whether or not the rest can be read.
    pub fn passwords_in(text: &str) -> Vec<Secret> {
        let Some((_, password)) = pieces(text).login.and_then(|login| login.split_once(':')) else { return Vec::new() };
        vec![Secret::new(percent_decode_str(password).decode_utf8_lossy()), Secret::new(password)]
    }

    /// The whole URL, log-in included, each sign of which is encoded.
    pub fn with_login(&self) -> Secret {
        let encoded = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
        let password = self.password.as_ref().map(|password| format!(":{}", encoded(password.expose())));
        let login = self.user.as_ref().map(|user| format!("{}{}@", encoded(user), password.unwrap_or_default()));
        Secret::new(format!("{}://{}{}:{}", self.scheme, login.unwrap_or_default(), self.host, self.port))
    }

    /// http, https, socks4, socks4a, socks5 or socks5h.
    pub fn scheme(&self) -> &'static str {
        self.scheme
    }

    /// The host without the brackets of an address, and the port.
    pub fn host_and_port(&self) -> (String, u16) {
        (self.host.to_string().trim_matches(['[', ']']).to_owned(), self.port)
    }
}

impl fmt::Display for ProxyUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme, self.host)?;
        if self.is_usual_port { Ok(()) } else { write!(f, ":{}", self.port) }
    }
}

impl fmt::Debug for ProxyUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ProxyUrl({self})")
    }
}

/// What a proxy's URL is made of, not yet checked.
pub(super) struct Pieces<'t> {
    pub(super) scheme: Option<&'t str>,
    /// `user` or `user:password`.
    pub(super) login: Option<&'t str>,
    /// Host, port and what is behind them.
    pub(super) place: &'t str,
}

pub(super) fn pieces(text: &str) -> Pieces<'_> {
    let text = unwrapped(text);
    // A password without a scheme before it may hold `://` itself.
    let is_scheme = |name: &&str| name.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
    let split = text.split_once("://").filter(|(scheme, _)| is_scheme(scheme));
    let (scheme, rest) = split.map_or((None, text), |(scheme, rest)| (Some(scheme), rest));
    let (login, place) = rest.rsplit_once('@').map_or((None, rest), |(login, place)| (Some(login), place));
    Pieces { scheme, login, place }
}

/// The host, and the text behind the colon after it. The colons of an address in brackets are its own.
pub(super) fn host_and_port(place: &str) -> (&str, Option<&str>) {
    match place.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (place, None),
    }
}

/// Whether a list as in `NO_PROXY` excepts that host: by its name, which counts for the names below it too, as do
/// `.corp.example` and `*.corp.example`; by its address or network (`10.0.0.0/8`, `10.*`); with that port or any. `*` is all.
pub fn is_excepted(list: &str, host: &str, port: u16) -> bool {
    let host = host.trim_matches(['[', ']']).trim_end_matches('.').to_ascii_lowercase();
    let address: Option<IpAddr> = host.parse().ok();
    let items = unwrapped(list).split(|c: char| c.is_whitespace() || matches!(c, ',' | ';' | '|')).map(unwrapped);
    items.filter(|item| !item.is_empty()).any(|item| {
        if let Some((network, bits)) = item.split_once('/').and_then(|(of, bits)| Some((ip(of)?, bits.parse().ok()?))) {
            return address.is_some_and(|address| is_within(address, network, bits));
        }
        // Also as a URL.
        let place = item.split_once("://").map_or(item, |(_, place)| place).split('/').next().unwrap_or_default();
        let (name, own_port) = if ip(place).is_some() { (place, None) } else { host_and_port(place) };
        if own_port.is_some_and(|own| own.parse() != Ok(port)) {
            return false;
        }
        if let (Some(address), Some(own)) = (address, ip(name)) {
            return address == own;
        }
        let name = name.trim_end_matches('.').to_ascii_lowercase();
        if let Some(start) = name.strip_suffix('*') {
            return host.starts_with(start);
        }
        let name = name.strip_prefix('*').unwrap_or(&name);
        let name = name.strip_prefix('.').unwrap_or(name);
        let before = host.strip_suffix(name).filter(|_| address.is_none() && !name.is_empty());
        before.is_some_and(|before| before.is_empty() || before.ends_with('.'))
    })
}

fn ip(text: &str) -> Option<IpAddr> {
    text.trim_matches(['[', ']']).parse().ok()
}

fn is_within(address: IpAddr, network: IpAddr, bits: u32) -> bool {
    let (address, network, width): (_, _, u32) = match (address, network) {
        (IpAddr::V4(address), IpAddr::V4(network)) => (u32::from(address).into(), u32::from(network).into(), 32),
        (IpAddr::V6(address), IpAddr::V6(network)) => (u128::from(address), u128::from(network), 128),
        _ => return false,
    };
    // No bits are all addresses.
    width.checked_sub(bits).is_some_and(|rest| u128::checked_shr(address ^ network, rest).unwrap_or_default() == 0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(text: &str) -> Result<ProxyUrl> {
        ProxyUrl::parse(&Secret::new(text))
    }

    /// User and password.
    fn login(text: &str) -> (Option<String>, Option<String>) {
        let proxy = parse(text).unwrap();
        (proxy.user, proxy.password.map(|password| password.expose().to_owned()))
    }

    #[test]
    fn a_log_in_may_hold_any_sign() {
        for (written, user, password) in [
            ("u:pw", "u", Some("pw")),
            ("u", "u", None),
            ("u:", "u", Some("")),
            (":pw", "", Some("pw")),
            (r"CORP\ops:pw", r"CORP\ops", Some("pw")),
            ("u:p@ss", "u", Some("p@ss")),
            ("ops:Top@S3cretPart/x", "ops", Some("Top@S3cretPart/x")),
            ("u:p/w?x#y", "u", Some("p/w?x#y")),
            ("u:a:b", "u", Some("a:b")),
            ("u:100%", "u", Some("100%")),
            ("u:%zz%4", "u", Some("%zz%4")),
            ("u:%41%2F%40", "u", Some("A/@")),
            ("u:p w", "u", Some("p w")),
            ("u:密码", "u", Some("密码")),
            ("%E7%94%A8:%E5%AF%86", "用", Some("密")),
            ("u:p+w&x=y;[z]", "u", Some("p+w&x=y;[z]")),
            ("u:http://x", "u", Some("http://x")),
        ] {
            for text in [format!("http://{written}@h.example:3128"), format!("socks5h://{written}@h.example:3128/")] {
                assert_eq!(login(&text), (Some(user.to_owned()), password.map(str::to_owned)), "{text}");
                let proxy = parse(&text).unwrap();
                assert_eq!(proxy.host_and_port(), ("h.example".to_owned(), 3128), "{text}");
                // What the HTTP library gets means the same.
                assert_eq!(parse(proxy.with_login().expose()).unwrap(), proxy, "{text}");
                assert!(url::Url::parse(proxy.with_login().expose()).is_ok(), "{text}");
                let shown = format!("{proxy} {proxy:?}");
                assert!(
                    !shown.contains('@') && password.is_none_or(|pw| pw.len() < 2 || !shown.contains(pw)),
                    "{shown}"
                );
            }
        }
        assert_eq!(login("http://@h.example"), (None, None));
    }

    #[test]
    fn what_stands_around_it_and_what_is_left_out_does_no_harm() {
        for text in [
            "http://u:pw@h.example:3128",
            " http://u:pw@h.example:3128\r\n",
            "\"http://u:pw@h.example:3128\"\r",
            "“http://u:pw@h.example:3128”",
            "HTTP://u:pw@H.Example:3128/",
            "u:pw@h.example:3128",
            "http://u:pw@h.example:3128/path?x#y",
        ] {
            let proxy = parse(text).unwrap();
            assert_eq!(proxy.with_login().expose(), "http://u:pw@h.example:3128", "{text}");
        }
        for (text, shown, host, port) in [
            ("http://h", "http://h", "h", 80),
            ("https://h", "https://h", "h", 443),
            ("https://h:80", "https://h:80", "h", 80),
            ("socks5://h", "socks5://h", "h", 1080),
            ("socks://127.0.0.1:1080/", "socks5h://127.0.0.1:1080", "127.0.0.1", 1080),
            ("socks4a://h", "socks4a://h", "h", 1080),
            ("http://[::1]:8080", "http://[::1]:8080", "::1", 8080),
            ("http://[::1]", "http://[::1]", "::1", 80),
            ("h.example", "http://h.example", "h.example", 80),
            ("localhost:3128", "http://localhost:3128", "localhost", 3128),
            ("http://h.example:", "http://h.example", "h.example", 80),
            ("http://代理.example:1", "http://xn--mnq481g.example:1", "xn--mnq481g.example", 1),
        ] {
            let proxy = parse(text).unwrap();
            assert_eq!((proxy.to_string().as_str(), proxy.host_and_port()), (shown, (host.to_owned(), port)), "{text}");
        }
    }

    #[test]
    fn refuses_without_repeating_anything() {
        for (text, part) in [
            ("off", "no scheme"),
            ("ftp://user:s3cret@proxy.example", "`ftp`"),
            ("http://user:s3cret@", "no host"),
            ("socks5://user:s3cret@:1080", "no host"),
            ("socks5:///s3cret", "no host"),
            ("", "no host"),
            ("http://user:s3cret@proxy.example:port", "port"),
            ("http://user:s3cret@proxy.example:0", "port"),
            ("http://user:s3cret", "port"),
            ("http:/proxy.example:3128", "no scheme"),
            ("http://user:s3cret@::1:3128", "host is none"),
            ("http://user:s3cret@pro xy:3128", "host is none"),
            (r"http://user:s3cret@pro\xy:3128", "host is none"),
            ("http://user:s3cret%ff@proxy.example", "UTF-8"),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.message().contains(part), "{text}: {error}");
            assert!(!format!("{error:?}").contains("s3cret"), "{error:?}");
        }
    }

    #[test]
    fn socks_takes_short_logins_only() {
        let with = |scheme, length| parse(&format!("{scheme}://u:{}@h", "x".repeat(length)));
        assert!(with("socks5", 255).is_ok() && with("http", 5000).is_ok());
        assert!(with("socks5h", 256).unwrap_err().message().contains("255"));
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        /// Whatever stands there: it ends, shows nothing of a password, and the HTTP library gets what was meant.
        #[test]
        fn any_text_can_be_read(login in "[ -~一]{0,20}", place in "[a-z:/.@\\[\\]0-9]{0,12}") {
            let text = format!("http://{login}s3cret@{place}");
            let shown = match parse(&text) {
                Ok(proxy) => {
                    let again = ProxyUrl { is_usual_port: proxy.is_usual_port, ..parse(proxy.with_login().expose()).unwrap() };
                    prop_assert_eq!(&again, &proxy);
                    format!("{proxy} {proxy:?}")
                }
                Err(error) => format!("{error:?}"),
            };
            prop_assert!(!shown.contains("s3cret"), "{}", shown);
        }
    }

    #[test]
    fn a_password_is_found_where_the_rest_makes_no_sense() {
        let found =
            |text| ProxyUrl::passwords_in(text).iter().map(|found| found.expose().to_owned()).collect::<Vec<_>>();
        assert_eq!(found("ftp://u:a%40b@h:x"), ["a@b", "a%40b"]);
        assert_eq!(found("\"u:Top@S3cret/x@h\""), ["Top@S3cret/x", "Top@S3cret/x"]);
        assert!(found("http://u@h:3128").is_empty() && found("http://h:3128").is_empty());
    }

    #[test]
    fn exceptions_in_all_forms_of_the_world() {
        let name = ("wecom.corp.example", 443);
        let (v4, v6) = (("10.1.2.3", 8080), ("[::1]", 80));
        for ((host, port), list, expected) in [
            (name, "*", true),
            (name, "other.example,*", true),
            (name, "corp.example", true),
            (name, ".corp.example", true),
            (name, "*.corp.example", true),
            (name, "*corp.example", true),
            (name, "CORP.Example.", true),
            (name, "wecom.corp.example", true),
            (name, "wecom.corp.example:443", true),
            (name, ".corp.example:443", true),
            (name, "https://wecom.corp.example/", true),
            (name, "localhost 127.0.0.1 .corp.example", true),
            (name, "localhost;corp.example", true),
            (name, "localhost|*.corp.example", true),
            (name, "\"localhost, .corp.example\"", true),
            (name, "a,, ,b\t\r\ncorp.example", true),
            (name, "wecom.*", true),
            (name, "", false),
            (name, ",", false),
            (name, "orp.example", false),
            (name, "wecom.corp.example:80", false),
            (name, "x.wecom.corp.example", false),
            (name, "corp.example.org", false),
            (name, "10.0.0.0/8", false),
            (v4, "10.1.2.3", true),
            (v4, "10.1.2.3:8080", true),
            (v4, "10.0.0.0/8", true),
            (v4, "10.1.2.3/32", true),
            (v4, "0.0.0.0/0", true),
            (v4, "10.*", true),
            (v4, "*", true),
            (v4, "10.1.2.3:443", false),
            (v4, "10.1.2.4", false),
            (v4, "10.1.2.0/30", true),
            (v4, "10.1.2.4/30", false),
            (v4, "10.1.2.3/33", false),
            (v4, "2.3", false),
            (v4, "::/0", false),
            (v6, "::1", true),
            (v6, "[::1]", true),
            (v6, "[::1]:80", true),
            (v6, "0:0:0:0:0:0:0:1", true),
            (v6, "::1/128", true),
            (v6, "fe80::/10 ::/0", true),
            (v6, "[::1]:81", false),
            (v6, "::2", false),
            (v6, "fe80::/10", false),
        ] {
            assert_eq!(is_excepted(list, host, port), expected, "{host}:{port} {list:?}");
        }
    }
}
