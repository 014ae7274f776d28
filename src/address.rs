//! Web addresses (URLs): recognises and parses http and https ones, and removes the log-in.

use url::Url;

use crate::error::{Error, Result};

/// Whether the text begins with `http://` or `https://`, in upper or lower case, as links need it (document path 90236).
pub fn has_http_scheme(text: &str) -> bool {
    text.split_once("://").is_some_and(|(scheme, _)| is_http_scheme(&scheme.to_ascii_lowercase()))
}

/// An http or https URL without its log-in; `None` for anything else.
pub fn without_login(text: &str) -> Option<Url> {
    let mut url = Url::parse(text).ok().filter(|url| is_http_scheme(url.scheme()))?;
    url.set_username("").ok()?;
    url.set_password(None).ok()?;
    Some(url)
}

/// An http or https URL with a host and without a log-in. `what` names it in errors, which never repeat the text.
///
/// # Errors
///
/// Exit 3 for anything else.
pub fn parse_http(text: &str, what: &str, hint: &str) -> Result<Url> {
    if !text.contains("://") {
        return Err(Error::config(format!("the {what} has no `http://` or `https://` at its start"), hint));
    }
    let url = Url::parse(text).map_err(|error| Error::config(format!("the {what} is not a URL: {error}"), hint))?;
    if !is_http_scheme(url.scheme()) {
        return Err(Error::config(format!("the {what} is neither http nor https"), hint));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Error::config(
            format!("the {what} holds a user name or a password"),
            "take out everything up to the `@`",
        ));
    }
    Ok(url)
}

fn is_http_scheme(scheme: &str) -> bool {
    matches!(scheme, "http" | "https")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_begin_with_http_or_https() {
        for text in ["http://a", "HTTPS://a.example/b", "https://"] {
            assert!(has_http_scheme(text), "{text}");
        }
        for text in ["", "a.example", "//a.example", "ftp://a", "javascript:x", " http://a", "xhttp://a", "a/http://b"]
        {
            assert!(!has_http_scheme(text), "{text}");
        }
    }

    #[test]
    fn a_login_is_taken_out_of_a_url() {
        let shown = |text| without_login(text).map(|url| url.to_string());
        assert_eq!(shown("https://u:p@a.example/b@c"), Some("https://a.example/b@c".to_owned()));
        assert_eq!(shown("ssh://u:p@a.example"), None);
        assert_eq!(shown("a.example"), None);
    }

    #[test]
    fn errors_do_not_repeat_the_url() {
        for (text, part) in [
            ("a.example/s3cret", "the proxy has no `http://`"),
            ("ftp://s3cret", "neither http nor https"),
            ("https://u:s3cret@a.example", "a user name or a password"),
            ("https://a.example:s3cret", "not a URL"),
        ] {
            let error = parse_http(text, "proxy", "hint").unwrap_err();
            assert!(error.message().contains(part) && !error.message().contains("s3cret"), "{error}");
        }
    }
}
