//! The document of `--output json`, and the same as the result of a line of a batch. It is written field by field, since a batch
//! writes one for each alert.

use std::io::{self, Write};

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::Value;
use serde_json::ser::{CompactFormatter, Formatter};

use wecom_alert::channel::Channel;
use wecom_alert::delivery::{Listing, Outcome, Product, Receipt};
use wecom_alert::run::FinishedCommand;
use wecom_alert::sanitize::{is_harmful, one_line};
use wecom_alert::secret::Mask;

use super::json::product_json;
use super::listing::listing_rows;

/// The one document of JSON mode, on a line; with the command that `run` has run.
pub(crate) fn document(outcome: &Outcome, warnings: &[String], ran: Option<&FinishedCommand>, mask: &Mask) -> String {
    write(&Document { id: None, outcome, warnings, ran, mask })
}

/// The result of one line of a batch: the same document, with what names the line.
pub(crate) fn batch_line(id: &Value, outcome: &Outcome, warnings: &[String], mask: &Mask) -> String {
    write(&Document { id: Some(id), outcome, warnings, ran: None, mask })
}

fn write(document: &Document<'_>) -> String {
    let mut text = escaped(document);
    if let Product::Listed(listing) = &document.outcome.product {
        push_rows(&mut text, listing, document.mask);
    }
    text.push('\n');
    text
}

/// Puts the rows of a listing behind the fields of a document.
fn push_rows(text: &mut String, listing: &Listing, mask: &Mask) {
    let (field, rows) = listing_rows(listing, mask);
    // The end of the document.
    text.pop();
    text.push_str(&format!(",\"{field}\":["));
    for (at, row) in rows.enumerate() {
        let comma = if at == 0 { "" } else { "," };
        text.push_str(comma);
        text.push_str(&escaped(&row));
    }
    text.push_str("]}");
}

struct Document<'a> {
    id: Option<&'a Value>,
    outcome: &'a Outcome,
    warnings: &'a [String],
    ran: Option<&'a FinishedCommand>,
    mask: &'a Mask,
}

impl Serialize for Document<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { id, outcome, warnings, ran, mask } = *self;
        let mut fields = Fields { map: serializer.serialize_map(None)?, is_target: false, mask };
        if let Some(id) = id {
            fields.map.serialize_entry("id", &mask.apply_to_all(id.clone()))?;
        }
        fields.put_all(outcome, warnings)?;
        if !outcome.targets.is_empty() || outcome.held_back > 0 {
            let targets = outcome.targets.iter().map(|outcome| Target { outcome, mask });
            fields.map.serialize_entry("targets", &targets.collect::<Vec<_>>())?;
        }
        if let Some(ran) = ran {
            fields.map.serialize_entry("run", &mask.apply_to_all(ran.to_json(outcome)))?;
        }
        if let Value::Object(more) = product_json(&outcome.product, mask) {
            more.iter().try_for_each(|(name, value)| fields.map.serialize_entry(name, value))?;
        }
        fields.map.end()
    }
}

/// The result of one target: some fields of the document.
struct Target<'a> {
    outcome: &'a Outcome,
    mask: &'a Mask,
}

impl Serialize for Target<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = Fields { map: serializer.serialize_map(None)?, is_target: true, mask: self.mask };
        fields.put_all(self.outcome, &[])?;
        fields.map.end()
    }
}

/// The fields of an outcome, on their way into a document.
struct Fields<'a, M> {
    map: M,
    /// Whether they are those of one target among others.
    is_target: bool,
    mask: &'a Mask,
}

impl<M: SerializeMap> Fields<'_, M> {
    fn put_all(&mut self, outcome: &Outcome, warnings: &[String]) -> Result<(), M::Error> {
        let error = outcome.error.as_ref();
        let answer = outcome.answer.as_ref();
        let (profile, route) = (outcome.profile.as_deref(), outcome.channel.map(Channel::as_str));
        if self.is_target {
            self.text("profile", profile)?;
            self.text("route", route)?;
        } else {
            self.put("ok", outcome.exit_code() == 0)?;
        }
        self.put("status", outcome.status.as_str())?;
        self.put("exit_code", outcome.exit_code())?;
        self.put("errcode", answer.map(|answer| answer.errcode))?;
        self.text("errmsg", answer.map(|answer| answer.errmsg.as_str()))?;
        self.text("message", error.map(|error| one_line(error.message())).as_deref())?;
        self.text("hint", error.and_then(|error| error.hint()).map(one_line).as_deref())?;
        if !self.is_target {
            self.texts("warnings", warnings)?;
            self.text("profile", profile)?;
            self.text("route", route)?;
        }
        for field in ["invaliduser", "invalidparty", "invalidtag", "unlicenseduser"] {
            self.texts(field, outcome.unreached.of(field))?;
        }
        self.texts("unresolved", outcome.unreached.people())?;
        let parts = outcome.parts.iter().enumerate().map(|(at, receipt)| Part { at, receipt, mask: self.mask });
        self.put("parts", parts.collect::<Vec<_>>())?;
        self.put("attempts", outcome.attempts)?;
        if !self.is_target {
            self.put("retryable", outcome.is_retryable())?;
            self.put("retry_after_s", error.and_then(|error| error.retry_after()).map(|wait| wait.as_secs()))?;
            self.text("seen_ip", error.and_then(|error| error.seen_ip()))?;
        }
        self.text("outbox_id", outcome.outbox_id.as_deref())?;
        if !self.is_target {
            self.put("held_back", outcome.held_back)?;
        }
        Ok(())
    }

    fn put(&mut self, name: &'static str, value: impl Serialize) -> Result<(), M::Error> {
        self.map.serialize_entry(name, &value)
    }

    /// Text from outside, in which secrets are hidden.
    fn text(&mut self, name: &'static str, text: Option<&str>) -> Result<(), M::Error> {
        self.map.serialize_entry(name, &text.map(|text| self.mask.masked(text)))
    }

    fn texts(&mut self, name: &'static str, texts: &[String]) -> Result<(), M::Error> {
        let masked: Vec<_> = texts.iter().map(|text| self.mask.masked(text)).collect();
        self.map.serialize_entry(name, &masked)
    }
}

/// The result of one part.
struct Part<'a> {
    at: usize,
    receipt: &'a Receipt,
    mask: &'a Mask,
}

impl Serialize for Part<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { at, receipt, mask } = *self;
        let answer = receipt.answer.as_ref();
        let mut fields = Fields { map: serializer.serialize_map(None)?, is_target: false, mask };
        fields.put("index", at + 1)?;
        fields.put("kind", receipt.kind.as_str())?;
        fields.text("name", receipt.name.as_deref())?;
        fields.put("status", receipt.status.as_str())?;
        fields.put("errcode", answer.map(|answer| answer.errcode))?;
        fields.text("errmsg", answer.map(|answer| answer.errmsg.as_str()))?;
        fields.text("msgid", receipt.msgids.first().map(String::as_str))?;
        fields.texts("msgids", &receipt.msgids)?;
        fields.text("response_code", receipt.response_code.as_deref())?;
        fields.text("task_id", receipt.task_id.as_deref())?;
        fields.map.end()
    }
}

/// JSON text with control characters and the like as escapes, so that a terminal is safe: the same document to every parser.
pub(crate) fn escaped(value: &impl Serialize) -> String {
    let mut text = Vec::with_capacity(1 << 10);
    // Writing to memory does not fail, and all names of fields are strings.
    let _ = value.serialize(&mut serde_json::Serializer::with_formatter(&mut text, Escaping(CompactFormatter)));
    String::from_utf8(text).unwrap_or_default()
}

struct Escaping(CompactFormatter);

impl Formatter for Escaping {
    fn write_string_fragment<W: ?Sized + Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        if fragment.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
            return writer.write_all(fragment.as_bytes());
        }
        let mut rest = fragment;
        while let Some(c) = rest.chars().find(|c| is_harmful(*c)) {
            let (before, behind) = rest.split_once(c).unwrap_or_default();
            write!(writer, "{before}\\u{:04x}", u32::from(c))?;
            rest = behind;
        }
        writer.write_all(rest.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use wecom_alert::error::Error;

    use super::*;

    #[test]
    fn escapes_leave_a_document_what_it_is() {
        let document = json!({ "errmsg": "a\x1b[2Jb\u{9b}c\u{202e}d\u{7f}\u{feff}\u{2028}\n界" });
        let text = escaped(&document);
        assert!(!text.contains(is_harmful) && text.contains('界'), "{text}");
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), document);
    }

    #[test]
    fn a_panic_is_a_document_too() {
        let outcome = Outcome::from(Error::defect("this program broke at src/main.rs:1"));
        let told: Value = serde_json::from_str(&document(&outcome, &[], None, &Mask::default())).unwrap();
        for (field, value) in [
            ("ok", json!(false)),
            ("status", json!("error")),
            ("exit_code", json!(1)),
            ("message", json!("this program broke at src/main.rs:1")),
            ("retryable", json!(false)),
            ("parts", json!([])),
        ] {
            assert_eq!(told[field], value, "{field}");
        }
        assert!(told["hint"].as_str().unwrap().contains("report"), "{told}");
    }
}
