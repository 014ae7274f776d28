//! The keys of a callback address, and what they open: verifications of the address and events.

use std::fmt;

use percent_encoding::percent_decode_str;
use serde_json::{Value, json};
use subtle::ConstantTimeEq;

use super::event;
use super::seal::{decrypt, encrypt, key_of, signature};
use super::xml::Element;
use super::{LARGEST_BODY, MOST_SECONDS_OFF, OpenedRequest, RefusedRequest};
use crate::error::{Error, Result};
use crate::secret::Secret;

/// The longest query that is looked at, in bytes; those of WeCom have about 300.
const LONGEST: usize = 4096;

/// What is to be decrypted to verify an address is a number of about 20 digits.
const LONGEST_ECHO: usize = 64;

/// The Token and the EncodingAESKey of an address, and for whom its events are: the corp id of an app, empty for an aibot.
#[derive(Clone)]
pub(crate) struct CallbackKeys {
    token: Secret,
    key: [u8; 32],
    receive_id: String,
}

impl CallbackKeys {
    /// Takes them as they stand in the console (接收消息).
    ///
    /// # Errors
    ///
    /// Exit 3 for a Token that is empty or longer than 32 characters, and a key that is not 43 letters and digits.
    pub(crate) fn new(token: &Secret, aes_key: &Secret, receive_id: &str) -> Result<Self> {
        let is_token = (1..=32).contains(&token.len()) && token.expose().bytes().all(|c| c.is_ascii_alphanumeric());
        if !is_token {
            return Err(Error::config(
                format!("the Token of the callback has 1 to 32 letters and digits; this has {} bytes", token.len()),
                "copy Token again from the console: the app, 接收消息",
            ));
        }
        let Some(key) = key_of(aes_key.expose()) else {
            return Err(Error::config(
                format!(
                    "the EncodingAESKey of the callback has 43 letters and digits; this has {} bytes",
                    aes_key.len()
                ),
                "copy EncodingAESKey again from the console: the app, 接收消息",
            ));
        };
        Ok(Self { token: token.clone(), key, receive_id: receive_id.to_owned() })
    }

    /// The text to answer when the address is saved in the console: alone, within a second. `query` is that of the GET, not
    /// decoded; `now` is in seconds of Unix time.
    pub(crate) fn verify(&self, query: &str, now: i64) -> Result<String, RefusedRequest> {
        let query = Query::read(query).ok_or(RefusedRequest::Forged)?;
        let text = self.decrypted(&query, &query.echostr, now)?;
        // Whoever has seen an event pass by is not told by this way what is in it.
        let is_event = text.len() > LONGEST_ECHO || text.contains(['<', '{']);
        if is_event { Err(RefusedRequest::Unreadable("its echostr is an event".to_owned())) } else { Ok(text) }
    }

    /// The event of a POST with that query, not decoded. `now` is in seconds of Unix time.
    pub(crate) fn open(&self, query: &str, body: &[u8], now: i64) -> Result<OpenedRequest, RefusedRequest> {
        let query = Query::read(query).ok_or(RefusedRequest::Forged)?;
        let sealed = sealed_in(body).ok_or(RefusedRequest::Forged)?;
        let message = self.decrypted(&query, &sealed, now)?;
        event::read(&message).map_err(RefusedRequest::Unreadable)
    }

    /// A message as an encrypted answer to a request with that query, or as a request of an aibot: JSON (document path
    /// 101033). `now` is in seconds of Unix time.
    pub(crate) fn sealed_reply(&self, message: &str, query: &str, now: i64, random: [u8; 16]) -> String {
        let nonce = Query::read(query).map(|query| query.nonce).unwrap_or_default();
        let (sealed, signature) = self.sealed(message, now, &nonce, random);
        json!({"encrypt": sealed, "msgsignature": signature, "timestamp": now, "nonce": nonce}).to_string()
    }

    /// The parameters of a verification of the address with that text, not encoded, as the console makes it.
    pub(crate) fn verification(&self, text: &str, now: i64, random: [u8; 16]) -> [(&'static str, String); 4] {
        let nonce: String = random.iter().map(|byte| char::from(b'0' + byte % 10)).collect();
        let (echostr, signature) = self.sealed(text, now, &nonce, random);
        [("msg_signature", signature), ("timestamp", now.to_string()), ("nonce", nonce), ("echostr", echostr)]
    }

    /// A message, encrypted, and its signature.
    fn sealed(&self, message: &str, now: i64, nonce: &str, random: [u8; 16]) -> (String, String) {
        let sealed = encrypt(&self.key, random, message, &self.receive_id);
        let signature = signature(self.token.expose(), &now.to_string(), nonce, &sealed);
        (sealed, signature)
    }

    fn decrypted(&self, query: &Query, sealed: &str, now: i64) -> Result<String, RefusedRequest> {
        let expected = signature(self.token.expose(), &query.timestamp, &query.nonce, sealed);
        let is_signed: bool = expected.as_bytes().ct_eq(query.signature.as_bytes()).into();
        let at = query.seconds().filter(|_| is_signed).ok_or(RefusedRequest::Forged)?;
        let seconds = now.saturating_sub(at);
        if seconds.abs() > MOST_SECONDS_OFF {
            return Err(RefusedRequest::Stale { seconds });
        }
        decrypt(&self.key, sealed, &self.receive_id).map_err(|why| RefusedRequest::Unreadable(why.to_owned()))
    }
}

impl fmt::Debug for CallbackKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CallbackKeys")
    }
}

/// The parameters of a query (document path 90930), decoded once.
struct Query {
    signature: String,
    timestamp: String,
    nonce: String,
    /// Only in a verification of the address.
    echostr: String,
}

impl Query {
    /// Reads a query, without its `?`. What is not there is empty.
    fn read(query: &str) -> Option<Self> {
        let query = query.strip_prefix('?').unwrap_or(query);
        if query.len() > LONGEST {
            return None;
        }
        let value = |name: &str| {
            let given = query.split('&').filter_map(|pair| pair.split_once('='));
            let (_, value) = given.into_iter().find(|(given, _)| *given == name)?;
            // A `+` is one: Base64 has no blanks, and one that a web server made of a `+` is one too.
            Some(percent_decode_str(value).decode_utf8().ok()?.replace(' ', "+"))
        };
        Some(Self {
            signature: value("msg_signature")?,
            timestamp: value("timestamp")?,
            nonce: value("nonce")?,
            echostr: value("echostr").unwrap_or_default(),
        })
    }

    /// The `timestamp`, in seconds of Unix time. Nothing but ten digits: the signature does not tell where it ends.
    fn seconds(&self) -> Option<i64> {
        let is_plain = self.timestamp.len() == 10 && self.timestamp.bytes().all(|byte| byte.is_ascii_digit());
        self.timestamp.parse().ok().filter(|_| is_plain)
    }
}

/// What is encrypted in a request: `Encrypt` of XML, `encrypt` of JSON.
fn sealed_in(body: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(body).ok().filter(|text| text.len() <= LARGEST_BODY)?;
    let text = text.trim_start_matches('\u{feff}').trim();
    if text.starts_with('{') {
        let body: Value = serde_json::from_str(text).ok()?;
        return body.get("encrypt").or_else(|| body.get("Encrypt"))?.as_str().map(str::to_owned);
    }
    Element::parse(text).ok()?.text("Encrypt").map(str::to_owned)
}
