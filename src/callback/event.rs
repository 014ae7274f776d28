//! What a decrypted message tells: of an app in XML (document path 90240), of an aibot in JSON as its connection has it.

use super::xml::Element;
use super::{CallbackEvent, OpenedRequest};
use crate::api::aibot::{AibotEvent, Press, event_in_callback};
use crate::clock;
use crate::fingerprint::fingerprint;
use crate::json::parse_json_leniently;

/// As what an app's events are known.
const APP: &str = "app";

/// As what those of an aibot are known.
const AIBOT: &str = "aibot";

/// Reads a message; else why it cannot be read.
pub(super) fn read(message: &str) -> Result<OpenedRequest, String> {
    if message.trim_start().starts_with('{') { read_json(message) } else { read_xml(message) }
}

/// What is the same for every copy of a press, and of no other one: 32 hexadecimal digits. `source` is the channel's name.
pub(crate) fn event_id(source: &str, press: &Press) -> String {
    let Press { msgid, userid, at, task_id, key, .. } = press;
    if msgid.is_empty() { id([source, userid, &at.to_string(), task_id, key]) } else { id([source, msgid]) }
}

fn id<const N: usize>(parts: [&str; N]) -> String {
    let mut id = fingerprint(parts);
    id.truncate(32);
    id
}

fn read_json(message: &str) -> Result<OpenedRequest, String> {
    let body = parse_json_leniently(message, &mut Vec::new())
        .map_err(|error| format!("what is decrypted is not JSON: {error}"))?;
    let body = body.as_object().ok_or("what is decrypted is no JSON object")?;
    let whole = || id([AIBOT, message]);
    let (event_id, event) = match event_in_callback(body) {
        Ok(AibotEvent::Press(press)) => (event_id(AIBOT, &press), CallbackEvent::Press(press)),
        Ok(AibotEvent::Message(message)) => {
            let id = if message.msgid.is_empty() { whole() } else { id([AIBOT, &message.msgid]) };
            (id, CallbackEvent::Message(message))
        }
        Ok(AibotEvent::Kicked | AibotEvent::Closed(_)) => {
            (whole(), CallbackEvent::Other("the end of a connection".to_owned()))
        }
        Err(name) => (whole(), CallbackEvent::Other(name)),
    };
    Ok(OpenedRequest { event_id, event })
}

fn read_xml(message: &str) -> Result<OpenedRequest, String> {
    let root = Element::parse(message).map_err(|why| format!("what is decrypted cannot be read: {why}"))?;
    let named = |name| root.text(name).unwrap_or_default();
    let press = Press {
        msgid: named("MsgId").to_owned(),
        task_id: named("TaskId").to_owned(),
        key: named("EventKey").to_owned(),
        userid: named("FromUserName").to_owned(),
        selected: selected_in(&root),
        at: named("CreateTime").parse().unwrap_or_default(),
        card_type: named("CardType").to_owned(),
        response_code: named("ResponseCode").to_owned(),
        ..Press::default()
    };
    let (kind, name) = (named("MsgType"), named("Event"));
    let is_event = kind.eq_ignore_ascii_case("event");
    let event = match name {
        _ if !is_event => CallbackEvent::Other(format!("a message of type {kind}")),
        "template_card_event" | "template_card_menu_event" => {
            return Ok(OpenedRequest { event_id: event_id(APP, &press), event: CallbackEvent::Press(Box::new(press)) });
        }
        _ => match notice_of(name, named("EffectTime")) {
            Some(notice) => CallbackEvent::Notice(notice),
            None => CallbackEvent::Other(name.to_owned()),
        },
    };
    let event_id = id([APP, &event_id(APP, &press), kind, name]);
    Ok(OpenedRequest { event_id, event })
}

/// The answers to the questions of a vote.
fn selected_in(root: &Element) -> Vec<(String, Vec<String>)> {
    let questions = root.all("SelectedItems").flat_map(|items| items.all("SelectedItem"));
    let answers = questions.map(|question| {
        let ids = question.all("OptionIds").flat_map(|ids| ids.all("OptionId")).map(Element::own_text);
        (question.text("QuestionKey").unwrap_or_default().to_owned(), ids.map(str::to_owned).collect())
    });
    answers.collect()
}

/// What an event in the life of the app says: WeCom disables apps that nobody uses, and an app for alerts is one of those
/// (document path 90240).
fn notice_of(event: &str, effect_time: &str) -> Option<String> {
    let when = match effect_time.parse::<u64>() {
        Ok(seconds) => format!(" at {}", clock::date(clock::at_ms(seconds.saturating_mul(1_000)))),
        Err(_) => String::new(),
    };
    let what = match event {
        "inactive_alert" => format!(
            "WeCom is going to disable this app{when}, because nobody uses it: let somebody open it in WeCom, or ask an administrator"
        ),
        "close_inactive_agent" => {
            "WeCom has disabled this app, because nobody used it: an administrator has to enable it again in 应用管理, else alerts do not arrive"
                .to_owned()
        }
        "reopen_inactive_agent" => "WeCom has enabled this app again".to_owned(),
        "low_active_alert" => {
            format!("WeCom is going to count this app as hardly used{when}: let more people open it in WeCom")
        }
        "low_active" => "WeCom counts this app as hardly used and may limit it: see 应用管理".to_owned(),
        "active_restored" => "WeCom counts this app as used again".to_owned(),
        _ => return None,
    };
    Some(format!("{what} ({event})"))
}
