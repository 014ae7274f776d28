//! What the page shows of each request, as HTML. Everything that somebody sent is escaped here or by the preview.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};
use wecom_alert::channel::Channel;
use wecom_alert::preview::{MessageFile, bubble, changed_card};

use crate::fake::{Arrived, Event, MediaKind, Outcome, Route, USERS, Upload};
use crate::show;

/// Uploads that a message may name later, and the largest picture that is shown.
const MOST_FILES: usize = 100;
const LARGEST_PICTURE: usize = 1024 * 1024;

/// The latest files.
#[derive(Default)]
pub(super) struct Files(Mutex<VecDeque<MessageFile>>);

impl Files {
    pub(super) fn add(&self, upload: &Upload) {
        let is_shown = upload.kind == MediaKind::Image && upload.bytes.len() <= LARGEST_PICTURE;
        let file = MessageFile {
            media_id: upload.media_id.clone(),
            name: String::from_utf8_lossy(&upload.filename).into_owned(),
            size: upload.bytes.len() as u64,
            picture: is_shown.then(|| upload.bytes.clone()),
        };
        let mut files = self.all();
        files.push_back(file);
        if files.len() > MOST_FILES {
            files.pop_front();
        }
    }

    fn all(&self) -> MutexGuard<'_, VecDeque<MessageFile>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What happened, by the kind of thing.
fn entry(kind: &str, place: &str, html: &str) -> Value {
    json!({"kind": kind, "place": place, "html": html})
}

/// What somebody did to the sandbox.
pub(super) fn note(words: &str) -> Value {
    entry("note", "", &format!("<article class=\"entry note\">{}<p>{}</p></article>", time(), escape(words)))
}

/// A request, if it is worth showing: `message`, `trouble`, or `request` for what goes well without being a message.
pub(super) fn of_event(event: &Event, card: Option<usize>, files: &Files) -> Option<Value> {
    let seen = event.seen;
    let (kind, line) = match &seen.outcome {
        Outcome::Arrived(arrived) => return Some(message(event, arrived, card, files)),
        Outcome::CardChanged(update) => ("note", show::card_change(update, card)),
        // A heartbeat each half minute and the hundred parts of a file are nothing to look at.
        Outcome::Noted if event.complaints.is_empty() => return None,
        Outcome::Noted | Outcome::Connected => ("request", String::new()),
        outcome => {
            let is_trouble =
                matches!(outcome, Outcome::Refused { .. } | Outcome::Fault(_) | Outcome::Suppressed | Outcome::Dropped);
            (if is_trouble { "trouble" } else { "request" }, show::in_a_line(seen.endpoint, outcome)?)
        }
    };
    let kind = if event.complaints.is_empty() { kind } else { "trouble" };
    let mut html = format!("<article class=\"entry {kind}\">{}<p>", time());
    if kind == "request" {
        let _ = write!(html, "<code>{} {}</code> ", escape(&seen.method), escape(&seen.path));
    }
    let _ = write!(html, "{}</p>{}{}</article>", escape(&line), complaints(event), request(event));
    Some(entry(kind, "", &html))
}

fn message(event: &Event, arrived: &Arrived, card: Option<usize>, files: &Files) -> Value {
    let (channel, words) = match &arrived.route {
        Route::App { .. } => (Channel::App, "app"),
        Route::Webhook { .. } => (Channel::Webhook, "webhook"),
        Route::Chat { .. } => (Channel::Chat, "group chat"),
        Route::Aibot { .. } => (Channel::Aibot, "aibot"),
    };
    let to = match &arrived.route {
        Route::Chat { id } => id.clone(),
        _ => show::recipients(arrived),
    };
    let number = card.map_or_else(String::new, |number| format!(" data-card=\"{number}\""));
    let mut html = format!(
        "<article class=\"entry sent\" tabindex=\"-1\"{number}><header><b>{words}</b> <bdi>{}</bdi> \
         <span class=\"kind\">{}</span>{}</header>",
        escape(&to),
        escape(&arrived.msgtype),
        time()
    );
    let face = bubble(channel, &arrived.body, files.all().make_contiguous());
    let _ = write!(html, "<div class=\"face\">{face}</div>");
    if let Some(number) = card {
        html += &presser(number, &members(arrived));
    }
    for remark in &arrived.remarks {
        let _ = write!(html, "<p class=\"remark\">{}</p>", escape(remark));
    }
    let _ = write!(html, "{}{}</article>", complaints(event), request(event));
    entry("message", &format!("{words}: {to}"), &html)
}

/// Who can press a card.
fn members(arrived: &Arrived) -> Vec<String> {
    let is_wide = arrived.users.is_empty() || arrived.users == ["@all"] || !arrived.parties.is_empty();
    match is_wide || !arrived.tags.is_empty() {
        true => USERS.map(str::to_owned).into(),
        false => arrived.users.clone(),
    }
}

/// As whom a card is pressed.
fn presser(number: usize, members: &[String]) -> String {
    let mut html = format!("<p class=\"presser\"><label>Card {number}: press its buttons as <select>");
    for userid in members {
        let _ = write!(html, "<option>{}</option>", escape(userid));
    }
    html + "</select></label></p>"
}

/// A card as it stands now: for everybody, and for those who see another one.
pub(super) fn faces(channel: Channel, (face, others): &(Value, Vec<(String, Value)>)) -> String {
    let shown = |face: &Value| changed_card(channel, face);
    let mut html = shown(face);
    for (userid, face) in others {
        let _ = write!(html, "<p class=\"whose\"><bdi>{}</bdi> sees:</p>{}", escape(userid), shown(face));
    }
    html
}

fn complaints(event: &Event) -> String {
    event.complaints.iter().map(|words| format!("<p class=\"complaint\">COMPLAINT: {}</p>", escape(words))).collect()
}

/// The request and its answer, folded.
fn request(event: &Event) -> String {
    let seen = event.seen;
    format!(
        "<details><summary>Request and answer</summary><p><code>{} {}</code></p><pre tabindex=\"0\">{}</pre>\
         <p>Answer</p><pre tabindex=\"0\">{}</pre></details>",
        escape(&seen.method),
        escape(&seen.path),
        escape(&legible(&seen.body)),
        escape(&legible(event.answer.as_bytes()))
    )
}

/// JSON with a line for each field, and anything else by its beginning.
fn legible(body: &[u8]) -> String {
    const MOST: usize = 4000;
    match serde_json::from_slice::<Value>(body) {
        Ok(mut value) => {
            shorten(&mut value);
            serde_json::to_string_pretty(&value).unwrap_or_default()
        }
        Err(_) if body.len() > MOST => format!("{} … ({} bytes)", String::from_utf8_lossy(&body[..MOST]), body.len()),
        Err(_) => String::from_utf8_lossy(body).into_owned(),
    }
}

/// Long values, such as pictures in base64, by their length.
fn shorten(value: &mut Value) {
    match value {
        Value::String(long) if long.len() > 8192 => *long = format!("({} bytes)", long.len()),
        Value::Array(items) => items.iter_mut().for_each(shorten),
        Value::Object(fields) => fields.values_mut().for_each(shorten),
        _ => {}
    }
}

fn time() -> String {
    format!("<time>{}</time>", chrono::Local::now().format("%H:%M:%S"))
}

/// Text that means nothing to HTML, in an attribute either.
pub(super) fn escape(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => html += "&amp;",
            '<' => html += "&lt;",
            '>' => html += "&gt;",
            '"' => html += "&quot;",
            '\'' => html += "&#39;",
            c if c.is_control() && !matches!(c, '\n' | '\t') => html.push('\u{fffd}'),
            c => html.push(c),
        }
    }
    html
}
