//! What the fuzz targets in `tests/fuzz` need of private modules. Compiled only with `--cfg fuzzing`.

use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::alert::Alert;
use crate::api;
use crate::callback::{CallbackKeys, LARGEST_BODY, RefusedRequest};
use crate::channel::{Channel, Markup, MsgType};
use crate::clock::{self, at_ms};
use crate::config::{Keep, Rate};
use crate::cooldown::{self, Admission};
use crate::delivery::split;
use crate::error::Result;
use crate::event::Observer;
use crate::feed::{self, FeedFormat};
use crate::input::{self, Encoding};
use crate::json;
use crate::message::app::{AppNews, AppText, Markdown};
use crate::message::webhook::WebhookText;
use crate::message::{Part, body_of};
use crate::outbox::{Listed, Outbox, format};
use crate::rate_limit::{Bucket, RateLimiter};
use crate::secret::Secret;
use crate::store::{Folder, KeyedFile};
use crate::template::{self, Escaping};
use crate::words::Language;

/// Longer than any wait here.
const HOUR: Duration = Duration::from_secs(3_600);

/// Text without control characters and escape sequences.
pub fn clean_text(text: &str) -> String {
    input::clean(text)
}

/// Bytes decoded and cleaned, with the warnings. Of input longer than twice `kept` bytes, that many stay at each end.
pub fn decode(bytes: &[u8], encoding: Encoding, kept: usize) -> Result<(String, Vec<String>)> {
    input::read_keeping(kept, bytes, "the input", encoding, Language::English.words())
        .map(|read| (read.text, read.warnings))
}

/// A text in parts of at most `limit` bytes.
pub fn split_text(text: &str, limit: usize, msgtype: MsgType) -> Vec<String> {
    split::split(text, limit, msgtype.facts().markup)
}

/// A text shortened to at most `limit` bytes.
pub fn truncate_text(text: &str, limit: usize, msgtype: MsgType, keep: Keep) -> String {
    split::truncate(text, limit, msgtype.facts().markup, keep, Language::English.words())
}

/// The errcode in an HTTP answer: `Ok` for a success, `Err` for a refusal. `None` if it is not an answer of WeCom; then
/// the text is what the user reads.
pub fn judge_answer(status: u16, body: &[u8]) -> (Option<std::result::Result<i64, i64>>, String) {
    api::judge_answer(status, body)
}

/// The Token of the callback that the next functions open; its key is the one of the same sample (document path 90968).
const CALLBACK_TOKEN: &str = "QDG6eK";
const CALLBACK_AES_KEY: &str = "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C";

/// What is told of a request to a callback address, at the time that its query has; `None` if it is refused.
pub fn open_callback(query: &str, body: &[u8], now: i64) -> Option<String> {
    let keys = callback_keys("wx5823bf96d3bd56c7")?;
    keys.open(query, body, now).ok().map(|opened| format!("{opened:?}"))
}

/// What is told of a message after it was encrypted and sent; `Err` says why it cannot be read, `None` is a defect.
pub fn read_callback(message: &str) -> Option<std::result::Result<String, String>> {
    const NOW: i64 = 1_800_000_000;
    let keys = callback_keys("")?;
    let body = keys.sealed_reply(message, "msg_signature=&timestamp=&nonce=n", NOW, [7; 16]);
    let fields: Value = serde_json::from_str(&body).ok()?;
    let query = format!("msg_signature={}&timestamp={NOW}&nonce=n", fields["msgsignature"].as_str()?);
    match keys.open(&query, body.as_bytes(), NOW) {
        Ok(opened) => Some(Ok(format!("{opened:?}"))),
        Err(RefusedRequest::Unreadable(why)) => Some(Err(why)),
        // What is longer than a request may be is none.
        Err(_) => (body.len() > LARGEST_BODY).then(|| Ok(String::new())),
    }
}

fn callback_keys(receive_id: &str) -> Option<CallbackKeys> {
    CallbackKeys::new(&Secret::new(CALLBACK_TOKEN), &Secret::new(CALLBACK_AES_KEY), receive_id).ok()
}

/// Whether the file of an outbox entry, written anew and read again, still says the same. `None` if it is not an entry.
pub fn rereads_entry(file: &[u8]) -> Option<bool> {
    let (entry, _) = format::read_entry(file).ok()?;
    let parts = format::read_bodies(file).ok()?;
    let written = format::write_entry(&entry, format::write_bodies(&parts).ok()?).ok()?;
    let is_same_entry = format::read_entry(&*written).ok() == Some((entry, None));
    let bodies = |parts: &[Part]| parts.iter().map(|part| part.body().into_owned()).collect::<Vec<_>>();
    Some(is_same_entry && bodies(&format::read_bodies(&*written).ok()?) == bodies(&parts))
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
    let clock = feed::Clock { now: chrono::DateTime::UNIX_EPOCH.fixed_offset(), show: &|at| at.to_string() };
    let notification = feed::read(format.parse::<FeedFormat>()?, json, &clock, &mut Vec::new())?;
    Ok(notification.alert(Language::English))
}

/// The body of every message that an alert is made into, with the channel that it is for.
pub fn messages_of(alert: &Alert) -> Vec<(Channel, Value)> {
    let mut bodies = Vec::new();
    for content in split_text(&alert.text().joined(), 2048, MsgType::Text) {
        bodies.push((Channel::App, body_of(MsgType::Text, &AppText { content: content.clone() })));
        bodies.push((Channel::Webhook, body_of(MsgType::Text, &WebhookText { content, ..WebhookText::default() })));
    }
    for content in split_text(&alert.markdown().joined(), 2048, MsgType::Markdown) {
        let body = body_of(MsgType::Markdown, &Markdown { content });
        bodies.extend(Channel::ALL.iter().map(|channel| (*channel, body.clone())));
    }
    for content in split_text(&alert.markdown_v2().joined(), 4096, MsgType::MarkdownV2) {
        bodies.push((Channel::Webhook, body_of(MsgType::MarkdownV2, &Markdown { content })));
    }
    if let Ok(card) = alert.textcard() {
        bodies.push((Channel::App, body_of(MsgType::Textcard, &card.content)));
    }
    if let Ok(article) = alert.article() {
        let body = body_of(MsgType::News, &AppNews { articles: vec![article.content] });
        bodies.extend(Channel::ALL.iter().map(|channel| (*channel, body.clone())));
    }
    bodies
}

/// A template filled with data, for a message type or for `json`.
pub fn render_template(source: &str, data: &Value, target: &str) -> Result<String> {
    let escaping = match target {
        "json" => Escaping::Json,
        "markdown" => Escaping::Text(Markup::Markdown),
        "markdown_v2" => Escaping::Text(Markup::MarkdownV2),
        _ => Escaping::Text(Markup::Plain),
    };
    template::render("fuzz", source, data, escaping, |at| at, Duration::from_secs(10))
}

/// A JSON payload as the user wrote it.
pub fn parse_payload(text: &str) -> Option<Value> {
    json::parse_json(text, &mut Vec::new()).ok()
}

/// A state folder whose files hold anything.
pub struct StateFiles {
    root: tempfile::TempDir,
    runtime: tokio::runtime::Runtime,
}

impl StateFiles {
    /// An empty one.
    pub fn new() -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
        Ok(Self { root: tempfile::tempdir()?, runtime })
    }

    /// What is told of an alert that begins a cooldown while its file holds this; `None` if it is held back.
    pub fn cooldown(&self, file: &[u8]) -> io::Result<Option<String>> {
        let state = self.folder();
        let place = KeyedFile::new(&state, "cooldown", "key");
        write(&place.file(), file)?;
        let observer = Observer::new(|_| {});
        let admit = cooldown::admit(Some(&state), None, "key", HOUR, Instant::now() + HOUR, &observer);
        Ok(match self.runtime.block_on(admit) {
            Admission::HeldBack { .. } => None,
            Admission::Send(alert) => {
                let since = alert.held_back.map_or(String::new(), |held| clock::date(held.since));
                Some(format!("{since} {}", alert.warning.clone().unwrap_or_default()))
            }
        })
    }

    /// Whether a webhook with that file of its rate limit gets one of 20 permits.
    pub fn gets_permit(&self, file: &[u8]) -> io::Result<bool> {
        let state = self.folder();
        write(&state.within("pacing").file("target.json"), file)?;
        let rate = Rate::Per { count: 20, period: Duration::from_secs(60) };
        let limiter = RateLimiter::new(Some(&state), "target", rate, Observer::new(|_| {}));
        self.runtime.block_on(limiter.usage(crate::channel::Addressing::Credential));
        let permit = limiter.take(&[Bucket::GROUP], None, false, Instant::now() + HOUR);
        Ok(self.runtime.block_on(permit).is_ok())
    }

    /// What is told of the entries in an outbox, one of which has these files.
    pub fn list(&self, entry: &[u8], progress: &[u8]) -> io::Result<Vec<String>> {
        let state = self.folder();
        let outbox = Outbox::at(&state);
        let place = outbox.path().join("waiting/20260101T000000.000Z-1-abcdef");
        write(&place.join("entry.json"), entry)?;
        write(&place.join("progress.json"), progress)?;
        let told = |listed: Listed| match listed {
            Ok((alert, progress)) => {
                let last = progress.last_attempt_ms.map_or(String::new(), |ms| clock::date(at_ms(ms)));
                format!("{} {} {last}", alert.id, clock::stamp(at_ms(alert.queued_at_ms)))
            }
            Err(unreadable) => format!("{unreadable:?}"),
        };
        Ok(outbox.waiting().map_err(io::Error::other)?.map(told).collect())
    }

    fn folder(&self) -> Folder {
        Folder::private(self.root.path())
    }
}

fn write(path: &Path, content: &[u8]) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    std::fs::write(path, content)
}
