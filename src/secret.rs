//! Secrets: a type that never shows itself, and a mask that redacts known secrets in any text before it is shown.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

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
pub struct Mask(Arc<Mutex<KnownForms>>);

/// The forms of all secrets, by their first bytes, so that a text is read once however many there are.
#[derive(Default)]
struct KnownForms(HashMap<[u8; SHORTEST_MASKED], Vec<String>>);

impl KnownForms {
    fn has(&self, form: &str) -> bool {
        self.those_like(form.as_bytes()).iter().any(|known| known == form)
    }

    fn add(&mut self, form: String) {
        if let Some(start) = form.as_bytes().first_chunk()
            && !self.has(&form)
        {
            self.0.entry(*start).or_default().push(form);
        }
    }

    /// Those that begin with the same bytes.
    fn those_like(&self, bytes: &[u8]) -> &[String] {
        bytes.first_chunk().and_then(|start| self.0.get(start)).map_or(&[], Vec::as_slice)
    }

    /// How many bytes the longest of those has that these bytes begin with; 0 where there is none.
    fn longest_at(&self, bytes: &[u8]) -> usize {
        let found = self.those_like(bytes).iter().filter(|form| bytes.starts_with(form.as_bytes()));
        found.map(String::len).max().unwrap_or_default()
    }

    /// The text with stars for what is secret in it; `None` where nothing is. What overlaps is hidden as one.
    fn hide(&self, text: &str) -> Option<String> {
        let bytes = text.as_bytes();
        let (mut masked, mut hidden_to) = (None::<String>, 0);
        for at in 0..bytes.len() {
            let length = self.longest_at(&bytes[at..]);
            if length == 0 {
                continue;
            }
            if at >= hidden_to {
                let masked = masked.get_or_insert_default();
                masked.push_str(&text[hidden_to..at]);
                masked.push_str(MASKED);
            }
            hidden_to = hidden_to.max(at + length);
        }
        let mut masked = masked?;
        masked.push_str(&text[hidden_to..]);
        Some(masked)
    }
}

impl Mask {
    /// Adds a secret in the forms in which it can come back: plain, percent-encoded in either case, and inside JSON.
    pub fn add(&self, secret: &Secret) {
        let plain = secret.expose();
        if plain.len() < SHORTEST_MASKED || self.known().has(plain) {
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
        let mut known = self.known();
        forms.into_iter().for_each(|form| known.add(form));
    }

    /// The text with every known secret replaced.
    pub fn apply(&self, text: &str) -> String {
        self.masked(text).into_owned()
    }

    /// The same; only a text with a secret in it is copied.
    pub fn masked<'t>(&self, text: &'t str) -> Cow<'t, str> {
        self.known().hide(text).map_or(Cow::Borrowed(text), Cow::Owned)
    }

    /// Every string of a document with its secrets replaced; names of fields are ours.
    pub fn apply_to_all(&self, mut value: Value) -> Value {
        hide_in(&self.known(), &mut value);
        value
    }

    fn known(&self) -> MutexGuard<'_, KnownForms> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn hide_in(known: &KnownForms, value: &mut Value) {
    match value {
        Value::String(text) => {
            if let Some(masked) = known.hide(text) {
                *text = masked;
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| hide_in(known, item)),
        Value::Object(fields) => fields.values_mut().for_each(|field| hide_in(known, field)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
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
    use serde_json::json;

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
        // Nor does one that begins within another.
        mask.add(&Secret::new("gh界xy"));
        assert_eq!(mask.apply("é abcdefgh界xy abcdabcd é"), "é *** ****** é");
    }

    #[test]
    fn a_document_is_masked_in_its_strings() {
        let mask = Mask::default();
        mask.add(&Secret::new("errmsg"));
        let document = json!({"errmsg": ["an errmsg", 5, null], "more": {"of": "errmsg"}});
        assert_eq!(mask.apply_to_all(document), json!({"errmsg": ["an ***", 5, null], "more": {"of": "***"}}));
    }
}
