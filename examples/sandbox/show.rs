//! Everything the sandbox prints: variables to paste, requests, and messages as a reader would see them.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;

use serde_json::Value;

use crate::cards::how_to_press;
use crate::fake::{
    AGENT_ID, AIBOT_CHAT, AIBOT_ID, AIBOT_SECRET, Arrived, CALLBACK_AES_KEY, CALLBACK_TOKEN, CHAT_ID, CORP_ID,
    CardUpdate, Endpoint, Event, FakeWecom, Outcome, Route, SECRET, UNKNOWN_USER, UNLICENSED_USER, USERS, Upload,
    WEBHOOK_KEY,
};

/// Prints a whole text at once, and goes on when nobody reads any more.
pub(crate) fn say(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{text}");
    let _ = out.flush();
}

/// The variables that lead the program here.
pub(crate) fn variables(wecom: &FakeWecom, ca_file: Option<&Path>, state_dir: &Path, callback: &str) {
    let mut text = String::from("# WeCom's stand-in is listening. Paste this into another shell:\n");
    let _ = writeln!(text, "export WECOM_ALERT_BASE_URL={}", wecom.base_url());
    if let Some(path) = ca_file {
        let _ = writeln!(text, "export WECOM_ALERT_CA_FILE='{}'", path.display());
    }
    let _ = writeln!(text, "export WECOM_ALERT_STATE_DIR='{}'", state_dir.display());
    let _ = writeln!(text, "export WECOM_ALERT_CORP_ID={CORP_ID}");
    let _ = writeln!(text, "export WECOM_ALERT_AGENT_ID={AGENT_ID}");
    let _ = writeln!(text, "export WECOM_ALERT_SECRET={SECRET}");
    let _ = writeln!(text, "export WECOM_ALERT_CALLBACK_TOKEN={CALLBACK_TOKEN}");
    let _ = writeln!(text, "export WECOM_ALERT_CALLBACK_AES_KEY={CALLBACK_AES_KEY}");
    let _ = writeln!(text, "export WECOM_ALERT_WEBHOOK={WEBHOOK_KEY}");
    let _ = writeln!(text, "export WECOM_ALERT_TO_USER={}", USERS[0]);
    let _ = writeln!(text, "export WECOM_ALERT_CHAT={CHAT_ID}");
    let _ = writeln!(text, "export WECOM_ALERT_AIBOT_URL={}", wecom.aibot_url());
    let _ = writeln!(text, "export WECOM_ALERT_AIBOT_ID={AIBOT_ID}");
    let _ = writeln!(text, "export WECOM_ALERT_AIBOT_SECRET={AIBOT_SECRET}");
    let _ = writeln!(text, "export WECOM_ALERT_AIBOT_USER={}", USERS[0]);
    let ca = if ca_file.is_some() { " WECOM_ALERT_CA_FILE" } else { "" };
    let names = "WECOM_ALERT_STATE_DIR WECOM_ALERT_CORP_ID WECOM_ALERT_AGENT_ID WECOM_ALERT_SECRET WECOM_ALERT_CALLBACK_TOKEN \
                 WECOM_ALERT_CALLBACK_AES_KEY WECOM_ALERT_WEBHOOK \
                 WECOM_ALERT_TO_USER WECOM_ALERT_CHAT WECOM_ALERT_AIBOT_URL WECOM_ALERT_AIBOT_ID WECOM_ALERT_AIBOT_SECRET \
                 WECOM_ALERT_AIBOT_USER";
    let _ = writeln!(text, "# Afterwards: unset WECOM_ALERT_BASE_URL{ca} {names}");
    if ca_file.is_none() && !wecom.ca_pem().is_empty() {
        text.push_str("# trust this authority (--write-ca FILE writes it to a file):\n");
        text.push_str(wecom.ca_pem());
    }
    let _ = writeln!(
        text,
        "# In a browser, {}/ shows each message as it arrives, with cards to press and faults as switches.",
        wecom.base_url()
    );
    let members = USERS.join(", ");
    let _ = writeln!(
        text,
        "# members: {members}, zhaoliu, sunqi; {UNLICENSED_USER} has no licence, {UNKNOWN_USER} is nobody"
    );
    text.push_str("# their numbers: 13800000000 to 13800000004; their mails: zhangsan@example.com …\n");
    let _ = writeln!(text, "# a group chat of the app, {CHAT_ID}, with {members} in it");
    let _ = writeln!(text, "# an aibot, to which {members} and the group {AIBOT_CHAT} have written");
    let _ = writeln!(
        text,
        "# cards of app and aibot are pressed here or on the page; those of the app go to {callback}: run wecom-alert listen there"
    );
    text.push_str("# departments 1 to 4, tags 1 and 2; to see them: wecom-alert list-members --recursive");
    say(&text);
}

/// One request with what became of it; of a card of the aibot its number.
pub(crate) fn event(event: &Event, quiet: bool, card: Option<usize>) {
    let seen = event.seen;
    let mut text = String::new();
    // A heartbeat each half minute is nothing to look at.
    if !quiet && seen.endpoint != Endpoint::AibotPing {
        let _ = writeln!(text, "# {} {} ({} bytes)", seen.method, seen.path, seen.body.len());
    }
    match &seen.outcome {
        Outcome::Token { .. } if quiet => {}
        Outcome::Arrived(arrived) => message(&mut text, arrived, card),
        Outcome::CardChanged(update) => {
            let _ = writeln!(text, "{}", card_change(update, card));
            fields(&mut text, &update.card, 1);
        }
        outcome => {
            if let Some(line) = in_a_line(seen.endpoint, outcome) {
                let indent = if line.starts_with(|c: char| c.is_uppercase()) { "" } else { "  " };
                let _ = writeln!(text, "{indent}{line}");
            }
        }
    }
    for complaint in event.complaints {
        let _ = writeln!(text, "COMPLAINT: {complaint}");
    }
    if !text.is_empty() {
        say(&harmless(text.trim_end()));
    }
}

/// What became of a request that is neither a message nor the change of a card, if that is worth a line. What went wrong
/// begins with capitals.
pub(crate) fn in_a_line(endpoint: Endpoint, outcome: &Outcome) -> Option<String> {
    let line = match outcome {
        Outcome::Token { new: true } => "gave a new token".to_owned(),
        Outcome::Token { new: false } => "gave the same token again".to_owned(),
        Outcome::Uploaded(upload) => file(upload),
        Outcome::Described => "told what was asked for".to_owned(),
        Outcome::Subscribed => "the aibot is subscribed".to_owned(),
        Outcome::Changed => "changed".to_owned(),
        Outcome::Suppressed => "the same message again: taken, not delivered twice".to_owned(),
        Outcome::Dropped => "over the member's limit: taken, silently not delivered".to_owned(),
        Outcome::Refused { errcode, errmsg } => format!("REFUSED {}: {errcode} {errmsg}", endpoint.name()),
        Outcome::Fault(fault) => format!("FAULT {}: {fault}", endpoint.name()),
        Outcome::Arrived(_) | Outcome::CardChanged(_) | Outcome::Connected | Outcome::Noted => return None,
    };
    Some(line)
}

pub(crate) fn card_change(update: &CardUpdate, card: Option<usize>) -> String {
    let name = card.map_or_else(|| update.task_id.clone(), |number| number.to_string());
    let (after, who) = (update.after.as_secs_f64(), &update.userid);
    let whom = if update.userids.is_empty() { String::new() } else { format!(" for {}", update.userids.join(", ")) };
    let pressed = if who.is_empty() { String::new() } else { format!(", {after:.1} s after {who} pressed it") };
    format!("CARD {name} changed{whom}{pressed}")
}

fn message(text: &mut String, arrived: &Arrived, card: Option<usize>) {
    let (via, to) = (route(&arrived.route), recipients(arrived));
    let _ = writeln!(text, "MESSAGE {} {via} to {to}", arrived.msgtype);
    for remark in &arrived.remarks {
        let _ = writeln!(text, "  note: {remark}");
    }
    let payload = arrived.payload();
    match payload["content"].as_str() {
        Some(content) => {
            content.lines().for_each(|line| {
                let _ = writeln!(text, "  | {line}");
            });
            for name in ["mentioned_list", "mentioned_mobile_list"] {
                if let Some(list) = payload.get(name) {
                    let _ = writeln!(text, "  {name}: {list}");
                }
            }
        }
        None => fields(text, payload, 1),
    }
    if let Some(number) = card {
        let how = how_to_press(number, payload, &arrived.users)
            .map_or_else(String::new, |line| format!("; type here to press it: {line}"));
        let _ = writeln!(text, "  this is card {number}{how}");
    }
}

pub(crate) fn recipients(arrived: &Arrived) -> String {
    match &arrived.route {
        Route::Webhook { .. } => return "the group".to_owned(),
        Route::Aibot { chat, is_group: true, .. } => return format!("the group {chat}"),
        Route::App { .. } | Route::Chat { .. } | Route::Aibot { .. } => {}
    }
    let lists = [("", &arrived.users), ("department ", &arrived.parties), ("tag ", &arrived.tags)];
    let names = lists.iter().flat_map(|(kind, list)| list.iter().map(move |name| format!("{kind}{name}")));
    names.collect::<Vec<_>>().join(", ")
}

fn route(route: &Route) -> String {
    match route {
        Route::App { agent_id } => format!("through app {agent_id}"),
        Route::Webhook { .. } => "through the webhook".into(),
        Route::Chat { id } => format!("in chat {id}"),
        Route::Aibot { .. } => "by the aibot".into(),
    }
}

fn file(upload: &Upload) -> String {
    let name = String::from_utf8_lossy(&upload.filename);
    let (kind, via, size) = (upload.kind.name(), route(&upload.route), upload.bytes.len());
    format!("FILE {kind} {via}: {name:?}, {size} bytes, media_id {}", upload.media_id)
}

/// A payload as an indented list; long values, such as pictures in base64, by their length.
fn fields(text: &mut String, value: &Value, depth: usize) {
    let entries: Vec<(String, &Value)> = match value {
        Value::Object(map) => map.iter().map(|(name, value)| (name.clone(), value)).collect(),
        Value::Array(items) => items.iter().enumerate().map(|(i, value)| (format!("{}.", i + 1), value)).collect(),
        _ => return,
    };
    for (name, value) in entries {
        let indent = "  ".repeat(depth);
        let _ = match value {
            Value::Object(_) | Value::Array(_) => writeln!(text, "{indent}{name}"),
            Value::String(long) if long.len() > 2000 => writeln!(text, "{indent}{name}: ({} bytes)", long.len()),
            Value::String(line) => writeln!(text, "{indent}{name}: {line}"),
            other => writeln!(text, "{indent}{name}: {other}"),
        };
        fields(text, value, depth + 1);
    }
}

/// Without the control characters that a terminal would obey.
fn harmless(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && !matches!(c, '\n' | '\t') { '\u{fffd}' } else { c }).collect()
}
