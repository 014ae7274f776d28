//! Secrets: a type that never shows itself, and a mask that redacts known secrets in any text before it is shown.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use crate::sort;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value};

/// The replacement for a secret.
pub(crate) const MASKED: &str = "***";

/// A secret with fewer bytes is not masked: it is no credential, and masking it would spoil every message.
const SHORTEST_MASKED: usize = 4;

/// More characters than a corp id or agent id has; a Secret has more.
pub(crate) const LONGEST_ID: usize = 32;

/// The characters that are percent-encoded: all except the unreserved ones of RFC 3986.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A credential: corp secret, access token, webhook key or proxy password.
///
/// It has no `Display`, its `Debug` shows nothing of it, and [`Secret::expose`] is the one way to its text.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps a credential as it is, without trimming.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The credential itself, for the request that needs it.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Its length in bytes: safe to say, and a good clue to a truncated paste.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(MASKED)
    }
}

/// What is too long to be a corp id or agent id: a Secret may have been written in its place, so it is not to be shown.
pub fn secret_in_place_of_id(id: &str) -> Option<Secret> {
    (id.chars().count() > LONGEST_ID).then(|| Secret::new(id))
}

/// All secrets known to this process, to be taken out of any text before it is shown.
///
/// Clones share one list: a token that is fetched later is masked in all output.
#[derive(Clone, Default)]
pub struct Mask(Arc<Mutex<Vec<String>>>);

impl Mask {
    /// Adds a secret in the forms in which it can come back: plain, percent-encoded in either case, and inside JSON.
    pub fn add(&self, secret: &Secret) {
        let plain = secret.expose();
        if plain.len() < SHORTEST_MASKED {
            return;
        }
        let json = serde_json::to_string(plain).unwrap_or_default();
        let mut forms = vec![plain.to_owned(), json.trim_matches('"').to_owned()];
        for encoded in [
            utf8_percent_encode(plain, RESERVED).to_string(),
            utf8_percent_encode(plain, NON_ALPHANUMERIC).to_string(),
            url::form_urlencoded::byte_serialize(plain.as_bytes()).collect(),
        ] {
            forms.push(with_lower_case_escapes(&encoded));
            forms.push(encoded);
        }
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for form in forms {
            if form.len() >= SHORTEST_MASKED && !known.contains(&form) {
                known.push(form);
            }
        }
        // The longest first: a secret that begins like another one must not leave its tail behind.
        sort::sort_by_key(&mut known, |form| std::cmp::Reverse(form.len()));
    }

    /// The text with every known secret replaced.
    pub fn apply(&self, text: &str) -> String {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.iter().fold(text.to_owned(), |text, secret| {
            if text.contains(secret.as_str()) { text.replace(secret.as_str(), MASKED) } else { text }
        })
    }

    /// Every string of a document with its secrets replaced; names of fields are ours.
    pub fn apply_to_all(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => Value::from(self.apply(text)),
            Value::Array(items) => items.iter().map(|item| self.apply_to_all(item)).collect(),
            Value::Object(fields) => fields
                .iter()
                .map(|(name, value)| (name.clone(), self.apply_to_all(value)))
                .collect::<Map<_, _>>()
                .into(),
            other => other.clone(),
        }
    }
}

/// `%2F` as `%2f`, everything else as it is: both spellings are in use.
fn with_lower_case_escapes(encoded: &str) -> String {
    let mut lowered = String::with_capacity(encoded.len());
    let mut escape_left = 0;
    for c in encoded.chars() {
        lowered.push(if escape_left > 0 { c.to_ascii_lowercase() } else { c });
        escape_left = if c == '%' { 2 } else { usize::saturating_sub(escape_left, 1) };
    }
    lowered
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_nothing() {
        let secret = Secret::new("tops3cret");
        assert_eq!(format!("{secret:?} {:?}", Some(&secret)), "*** Some(***)");
    }

    #[test]
    fn masks_every_form() {
        let mask = Mask::default();
        mask.add(&Secret::new("A/b-c d\"é"));
        for form in [
            "A/b-c d\"é",
            "A%2Fb-c%20d%22%C3%A9",
            "A%2fb-c%20d%22%c3%a9",
            "A%2Fb%2Dc%20d%22%C3%A9",
            "A%2Fb-c+d%22%C3%A9",
            "A/b-c d\\\"é",
        ] {
            assert_eq!(mask.apply(&format!("<{form}>")), "<***>", "{form}");
        }
    }

    #[test]
    fn a_longer_secret_leaves_no_tail() {
        let mask = Mask::default();
        mask.add(&Secret::new("abcd"));
        mask.add(&Secret::new("abcdefgh"));
        assert_eq!(mask.apply("abcdefgh abcd"), "*** ***");
    }
}
