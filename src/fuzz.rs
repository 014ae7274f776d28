//! What the fuzz targets in `tests/fuzz` need of private modules. Compiled only with `--cfg fuzzing`.

use std::time::Duration;

use serde_json::Value;

use crate::alert::Alert;
use crate::api;
use crate::channel::{Markup, MsgType};
use crate::config::Keep;
use crate::delivery::split;
use crate::error::Result;
use crate::feed::{self, FeedFormat};
use crate::input::{self, Encoding};
use crate::json;
use crate::message::Part;
use crate::outbox::format;
use crate::template::{self, Escaping};

/// Text without control characters and escape sequences.
pub fn clean_text(text: &str) -> String {
    input::clean(text)
}

/// Bytes decoded and cleaned, with the warnings. Of input longer than twice `kept` bytes, that many stay at each end.
pub fn decode(bytes: &[u8], encoding: Encoding, kept: usize) -> Result<(String, Vec<String>)> {
    input::read_keeping(kept, bytes, "the input", encoding).map(|read| (read.text, read.warnings))
}

/// A text in parts of at most `limit` bytes.
pub fn split_text(text: &str, limit: usize, msgtype: MsgType) -> Vec<String> {
    split::split(text, limit, msgtype.facts().markup)
}

/// A text shortened to at most `limit` bytes.
pub fn truncate_text(text: &str, limit: usize, msgtype: MsgType, keep: Keep) -> String {
    split::truncate(text, limit, msgtype.facts().markup, keep)
}

/// The errcode in an HTTP answer: `Ok` for a success, `Err` for a refusal. `None` if it is not an answer of WeCom; then
/// the text is what the user reads.
pub fn judge_answer(status: u16, body: &[u8]) -> (Option<std::result::Result<i64, i64>>, String) {
    api::judge_answer(status, body)
}

/// Whether the file of an outbox entry, written anew and read again, still says the same. `None` if it is not an entry.
pub fn rereads_entry(file: &[u8]) -> Option<bool> {
    let (entry, _) = format::read_entry(file).ok()?;
    let bodies = format::read_bodies(file).ok()?;
    let parts: Vec<_> = bodies.iter().cloned().map(Part::message).collect();
    let written = format::write_entry(&entry, format::write_bodies(&parts).ok()?).ok()?;
    let is_same_entry = format::read_entry(&*written).ok() == Some((entry, None));
    Some(is_same_entry && format::read_bodies(&*written).ok() == Some(bodies))
}

/// The same for the progress of an entry with `parts` parts.
pub fn rereads_progress(file: &[u8], parts: usize) -> Option<bool> {
    let progress = format::read_progress(file, parts).ok()?;
    let written = format::write_progress(&progress).ok()?;
    Some(format::read_progress(&*written, parts).ok() == Some(progress))
}

/// Lines as an outbox file of version 2, with their checksum.
pub fn seal_entry(lines: &[u8]) -> Vec<u8> {
    format::sealed(lines.to_vec()).unwrap_or_default()
}

/// The notification of a monitoring system as an alert, by the name of its format.
pub fn read_notification(format: &str, json: &str) -> Result<Alert> {
    feed::read(format.parse::<FeedFormat>()?, json, |at| at.to_string())
}

/// A template filled with data, for a message type or for `json`.
pub fn render_template(source: &str, data: &Value, target: &str) -> Result<String> {
    let escaping = match target {
        "json" => Escaping::Json,
        "markdown" => Escaping::Text(Markup::Markdown),
        "markdown_v2" => Escaping::Text(Markup::MarkdownV2),
        _ => Escaping::Text(Markup::Plain),
    };
    template::render("fuzz", source, data, escaping, Duration::from_secs(10))
}

/// A JSON payload as the user wrote it.
pub fn parse_payload(text: &str) -> Option<Value> {
    json::parse_json(text).ok()
}
