//! What fuzz targets need of the rooms that nobody else outside enters. Compiled with `--cfg fuzzing` alone. Whatever the bytes
//! are, each of these returns, and none panics.

use std::path::PathBuf;

use serde_json::Value;
use strum::VariantArray;

use crate::api;
use crate::channel::{Channel, Markup, MsgType};
use crate::config;
use crate::delivery::split::split;
use crate::feed;
use crate::input::{Encoding, clean, read_text_from};
use crate::message;
use crate::outbox;
use crate::template::{self, Escaping};

/// Text made clean.
pub fn clean_text(text: &str) -> String {
    clean(text)
}

/// Bytes decoded as text; `None` where they cannot be read.
pub fn decode(bytes: &[u8]) -> Option<String> {
    read_text_from(bytes, "the input", Encoding::default()).ok().map(|read| read.text)
}

/// A text in parts of at most `limit` bytes.
pub fn split_text(text: &str, limit: usize, msgtype: &str) -> Vec<String> {
    let markup = msgtype.parse().map_or(Markup::Plain, |msgtype: MsgType| msgtype.facts().markup);
    split(text, limit, markup)
}

/// Whether these bytes are a config file.
pub fn is_config(bytes: &[u8]) -> bool {
    config::is_readable(bytes, PathBuf::from("config.toml"))
}

/// Whether an answer with this status and body is WeCom's.
pub fn is_answer(status: u16, body: &[u8]) -> bool {
    api::is_answer(status, body)
}

/// Whether these bytes are an outbox entry, and the progress of one, of either version.
pub fn is_entry(bytes: &[u8]) -> (bool, bool) {
    outbox::is_readable(bytes)
}

/// Whether a JSON text is a notification that is known here.
pub fn is_notification(json: &str) -> bool {
    feed::FeedFormat::VARIANTS.iter().any(|format| feed::read(*format, json, |at| at.to_string()).is_ok())
}

/// A template filled from JSON.
pub fn render(source: &str, data: &Value) -> Option<String> {
    template::render("fuzz", source, data, Escaping::Markdown).ok()
}

/// How many findings a body has on each channel.
pub fn check_body(body: &Value) -> usize {
    Channel::ALL.into_iter().map(|channel| message::check_body(channel, body).errors.len()).sum()
}
