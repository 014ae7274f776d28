//! Parses the key of a group webhook, from a key or from a whole URL as people paste it.
//!
//! Pure; an error never repeats what was given. The shape of a key is never a reason to refuse it; a path is none.

use percent_encoding::percent_decode_str;

use super::urls::BaseUrl;
use crate::address::parse_http;
use crate::error::{Error, Result};
use crate::sanitize::unwrapped;
use crate::secret::Secret;

/// Domains whose URLs are taken for a WeCom webhook by mistake, and whose they are.
const OTHER_PRODUCTS: [(&str, &str); 12] = [
    ("dingtalk.com", "DingTalk (钉钉)"),
    ("feishu.cn", "Feishu (飞书)"),
    ("larksuite.com", "Lark"),
    ("slack.com", "Slack"),
    ("telegram.org", "Telegram"),
    ("office.com", "Microsoft Teams"),
    ("logic.azure.com", "Microsoft Teams"),
    ("discord.com", "Discord"),
    ("discordapp.com", "Discord"),
    ("chat.googleapis.com", "Google Chat"),
    ("ftqq.com", "ServerChan (Server酱)"),
    ("api.weixin.qq.com", "WeChat official accounts (微信公众号)"),
];

/// What a webhook's URL ends in, before its query (document path 99110).
const ENDPOINTS: [&str; 2] = ["/cgi-bin/webhook/send", "/cgi-bin/webhook/upload_media"];

const HINT: &str = "give the URL as the group shows it (https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=KEY), or only the part after `key=`";

/// A group webhook (document path 99110).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhook {
    /// Its only credential.
    pub key: Secret,
    /// Scheme, host, port and prefix, if a whole URL was given; an explicit base URL wins over it.
    pub base_url: Option<BaseUrl>,
}

impl Webhook {
    /// Takes the key out of `text`: a key, a whole URL, or the end of one from `webhook/send?` or `key=` on.
    /// `origin` says in errors where the text was given.
    ///
    /// # Errors
    ///
    /// Exit 3 for another product's URL, a URL that is not a webhook's, and a key that is missing, empty or has white
    /// space or control characters in it.
    pub fn parse(text: &Secret, origin: &str) -> Result<Self> {
        read(unwrapped(text.expose()))
            .map_err(|error| Error::config(format!("{origin}: {}", error.message()), error.hint().unwrap_or(HINT)))
    }
}

fn read(text: &str) -> Result<Webhook> {
    if text.contains("://") {
        return read_url(text);
    }
    if looks_like_host(text) {
        return read_url(&format!("https://{text}"));
    }
    if text.starts_with("key=") || text.contains("?key=") || text.contains("&key=") {
        let query = text.split_once('?').map_or(text, |(_, query)| query);
        let query = query.split('#').next().unwrap_or(query);
        return Ok(Webhook { key: key_of_query(query)?, base_url: None });
    }
    if text.contains("webhook/send") || text.contains("webhook/upload_media") {
        return Err(no_key());
    }
    // What a CI system sets for a variable of the type File.
    if text.starts_with('/') {
        return Err(Error::config(
            "this is a path, not a webhook",
            "WECOM_ALERT_WEBHOOK_FILE, or webhook_file in the config file, takes the path of a file with the webhook in it",
        ));
    }
    Ok(Webhook { key: checked_key(text)?, base_url: None })
}

fn read_url(text: &str) -> Result<Webhook> {
    let mut url = parse_http(text, "webhook URL", HINT)?;
    if let Some(product) = url.host_str().and_then(product_of_host) {
        return Err(Error::config(
            format!("the webhook URL is one of {product}, not of WeCom"),
            "create a webhook in the WeCom group (消息推送) and give its URL, or the key in it",
        ));
    }
    let key = key_of_query(url.query().unwrap_or_default())?;
    let path = url.path().trim_end_matches('/').to_owned();
    let Some(prefix) = ENDPOINTS.iter().find_map(|endpoint| path.strip_suffix(endpoint)) else {
        return Err(Error::config("the webhook URL's path does not end in /cgi-bin/webhook/send", HINT));
    };
    url.set_query(None);
    url.set_fragment(None);
    Ok(Webhook { key, base_url: Some(BaseUrl::of_url(&url, prefix)?) })
}

/// `qyapi.weixin.qq.com/cgi-bin/…`: a URL whose scheme was lost. A key that only looks like one stays a key.
fn looks_like_host(text: &str) -> bool {
    let Some((host, path)) = text.split_once('/') else { return false };
    let is_host = host.contains(['.', ':']) && host.chars().all(|c| c.is_ascii_alphanumeric() || ".:-[]".contains(c));
    is_host && (path.contains("key=") || path.contains("webhook/") || product_of_host(host).is_some())
}

fn product_of_host(host: &str) -> Option<&'static str> {
    let host = host.to_ascii_lowercase();
    let host = host.split(':').next()?.trim_end_matches('.');
    let found = OTHER_PRODUCTS
        .iter()
        .find(|(domain, _)| host.strip_suffix(domain).is_some_and(|sub| sub.is_empty() || sub.ends_with('.')));
    found.map(|(_, product)| *product)
}

/// A plus sign stays one: these are no form fields.
fn key_of_query(query: &str) -> Result<Secret> {
    let key = query.split('&').find_map(|pair| pair.strip_prefix("key=")).ok_or_else(no_key)?;
    let key =
        percent_decode_str(key).decode_utf8().map_err(|_| Error::config("the webhook's key is not UTF-8", HINT))?;
    checked_key(unwrapped(&key))
}

fn checked_key(key: &str) -> Result<Secret> {
    if key.is_empty() {
        return Err(Error::config("the webhook's key is empty", HINT));
    }
    if key.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err(Error::config("the webhook's key has white space or a control character in it", HINT));
    }
    Ok(Secret::new(key))
}

fn no_key() -> Error {
    Error::config("the webhook URL has no `key=`: the key is the part after `key=`, up to the next `&`", HINT)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Webhook> {
        Webhook::parse(&Secret::new(text), "ORIGIN")
    }

    #[test]
    fn a_path_is_no_key() {
        let error = parse("/builds/shop/api.tmp/WECOM_ALERT_WEBHOOK").unwrap_err();
        assert_eq!(error.message(), "ORIGIN: this is a path, not a webhook");
        assert!(error.hint().unwrap().contains("WECOM_ALERT_WEBHOOK_FILE"), "{error:?}");
    }

    #[test]
    fn takes_any_key() {
        for key in ["test-key-1", "x", "693A", "a/b+c=d", "日本", "123:ABC", "a.b/c", "key", "a?b", "a.b/c?d", "%41"]
        {
            let webhook = parse(&format!("\u{feff} {key}\r\n")).unwrap();
            assert_eq!((webhook.key.expose(), webhook.base_url), (key, None));
        }
        assert_eq!(parse("'test-key-1'").unwrap().key.expose(), "test-key-1");
        assert_eq!(parse("\"test-key-1\"").unwrap().key.expose(), "test-key-1");
    }

    #[test]
    fn takes_whole_urls() {
        for (text, key, base) in [
            (
                "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=test-key-1",
                "test-key-1",
                "https://qyapi.weixin.qq.com",
            ),
            (
                "http://127.0.0.1:8080/pre/fix/cgi-bin/webhook/send?debug=1&key=a%2Fb+c&x=y#z",
                "a/b+c",
                "http://127.0.0.1:8080/pre/fix",
            ),
            ("https://r.example/cgi-bin/webhook/upload_media?key=k&type=file", "k", "https://r.example"),
            ("qyapi.weixin.qq.com/cgi-bin/webhook/send?key=k", "k", "https://qyapi.weixin.qq.com"),
            ("relay.example:8443/cgi-bin/webhook/send/?key=k", "k", "https://relay.example:8443"),
        ] {
            let webhook = parse(text).unwrap();
            assert_eq!(webhook.key.expose(), key, "{text}");
            assert_eq!(webhook.base_url.unwrap().as_str(), base, "{text}");
        }
    }

    #[test]
    fn takes_ends_of_urls() {
        for text in
            ["webhook/send?key=k-1", "/cgi-bin/webhook/send?x=y&key=k-1", "key=k-1", "key=k-1&debug=1", "?key=k-1#z"]
        {
            let webhook = parse(text).unwrap();
            assert_eq!((webhook.key.expose(), webhook.base_url), ("k-1", None), "{text}");
        }
    }

    #[test]
    fn refuses_other_products_by_name() {
        for (text, product) in [
            ("https://oapi.dingtalk.com/robot/send?access_token=s3cret", "DingTalk"),
            ("oapi.dingtalk.com/robot/send?access_token=s3cret", "DingTalk"),
            ("https://open.feishu.cn/open-apis/bot/v2/hook/s3cret", "Feishu"),
            ("open.feishu.cn/open-apis/bot/v2/hook/s3cret", "Feishu"),
            ("https://open.larksuite.com/open-apis/bot/v2/hook/s3cret", "Lark"),
            ("https://hooks.slack.com/services/T/B/s3cret", "Slack"),
            ("https://api.telegram.org/bots3cret/sendMessage", "Telegram"),
            ("https://corp.webhook.office.com/webhookb2/s3cret", "Teams"),
            ("https://x.westus.logic.azure.com:443/workflows/s3cret", "Teams"),
            ("https://discord.com/api/webhooks/1/s3cret", "Discord"),
            ("https://api.weixin.qq.com/cgi-bin/message/custom/send?key=s3cret", "official accounts"),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.message().contains(product) && error.message().starts_with("ORIGIN: "), "{error}");
            assert!(!format!("{error:?}").contains("s3cret"), "{error:?}");
        }
        assert!(parse("https://notslack.com/cgi-bin/webhook/send?key=k").is_ok());
    }

    #[test]
    fn says_which_part_is_the_key() {
        for (text, part) in [
            ("https://qyapi.weixin.qq.com/cgi-bin/webhook/send", "after `key=`"),
            ("https://qyapi.weixin.qq.com/cgi-bin/webhook/send?kye=s3cret", "after `key=`"),
            ("/cgi-bin/webhook/send?s3cret", "after `key=`"),
            ("https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=", "empty"),
            ("key=", "empty"),
            ("", "empty"),
            ("\"\"", "empty"),
            ("s3cret s3cret", "white space"),
            ("https://r.example/cgi-bin/webhook/send?key=s3cret%20x", "white space"),
            ("https://r.example/cgi-bin/webhook/send?key=%ff", "UTF-8"),
            ("https://r.example/other?key=s3cret", "/cgi-bin/webhook/send"),
            ("https://u:s3cret@r.example/cgi-bin/webhook/send?key=k", "password"),
            ("ftp://r.example/cgi-bin/webhook/send?key=s3cret", "neither http nor https"),
            ("https://r.example:s3cret/cgi-bin/webhook/send?key=k", "not a URL"),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.message().contains(part), "{text}: {error}");
            assert!(!format!("{error:?}").contains("s3cret"), "{error:?}");
        }
    }
}
