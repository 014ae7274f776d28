//! The bodies of WeCom's sending calls: their contents, and their validation against the published rules.
//!
//! A body has a `msgtype` and the content in an object of that name; a body of message/send (document path 90236) also has
//! [`app_fields`], one of appchat/send (document path 90248) the fields of [`chat`], one of an aibot (document path 101463) those of
//! [`aibot`], one of webhook/send (document path 99110)
//! nothing else. [`check_body`] checks any JSON body. Pure: no clock, disk, network or environment, and no body is ever
//! changed here.

pub mod aibot;
pub mod app;
pub mod app_fields;
pub mod card;
pub mod chat;
pub mod media;
pub mod person;
pub mod recipients;
pub mod webhook;

mod elsewhere;
mod finding;
mod part;
mod rules;
mod shape;
#[cfg(test)]
mod tests;
mod title;
mod unsupported_markup;

use serde_json::{Map, Value, json};

use crate::channel::{Addressing, Channel, MsgType};
use aibot::AibotMarkdown;
use app::{AppNews, AppText, Markdown, Media, MiniprogramNotice, Mpnews, Textcard, Video};
use card::TemplateCard;
use chat::ChatText;
use finding::{At, shown};
use rules::Rules;
use shape::{FieldShape, JsonShape, fields_fit, fits, unknown};
use webhook::{Image, WebhookNews, WebhookText};

pub(crate) use elsewhere::{BUTTON_STYLES, EMPTY_ITEM, NO_PAGE, SEVERAL_ARTICLES, elsewhere};
pub use finding::{Finding, Findings};
pub use part::PartKind;
pub(crate) use part::{Part, PartState, recipients};
pub(crate) use shape::Wire;
pub(crate) use title::{text_of, title_of};
pub(crate) use unsupported_markup::{first_markdown, unsupported_in_lines, unsupported_markup, without_fonts};

/// The body of a message without anything beside its content.
pub(crate) fn body_of(msgtype: MsgType, content: &impl Wire) -> Value {
    json!({ "msgtype": msgtype.as_str(), msgtype.as_str(): content.write() })
}

/// Checks a whole body against all published rules of its channel.
pub fn check_body(channel: Channel, body: &Value) -> Findings {
    let mut findings = Findings::default();
    let mut at = At::root(&mut findings);
    at.control_characters(body);
    let Value::Object(fields) = body else {
        at.error_with_hint("expected an object", "give a whole body with msgtype in it");
        return findings;
    };
    let common = match channel.facts().addressing {
        Addressing::Recipients => app_fields::FIELDS,
        Addressing::Credential => &[],
        Addressing::Chat => chat::FIELDS,
        Addressing::Conversation => aibot::FIELDS,
    };
    let msgtype = read_msgtype(channel, fields, &mut at);
    let mut is_readable = fields_fit(common, fields, &mut at);
    let Some(msgtype) = msgtype else { return findings };
    let name = msgtype.as_str();
    for other in fields.keys().filter(|other| *other != "msgtype" && *other != name) {
        if !common.iter().any(|field| field.name == other) {
            at.field(other).error(unknown_field(channel, name, other, common));
        }
    }
    let content = content_of(channel, msgtype);
    match fields.get(name) {
        Some(payload) => is_readable &= fits(content.shape, payload, &mut at.field(name)),
        None => at.field(name).error(format!("missing, msgtype {name} needs the object {name}")),
    }
    match channel.facts().addressing {
        Addressing::Recipients => app_fields::check(body, msgtype, &mut at),
        Addressing::Credential => {}
        Addressing::Chat => chat::check_fields(body, msgtype, &mut at),
        Addressing::Conversation => aibot::check_fields(body, &mut at),
    }
    if let Some(payload) = fields.get(name).filter(|_| is_readable) {
        (content.check)(payload, channel, &mut at.field(name));
    }
    findings
}

/// How the content of a type is checked.
struct ContentCheck {
    shape: JsonShape,
    /// The rules for a content of that shape; unknown fields are no obstacle.
    check: fn(&Value, Channel, &mut At<'_>),
}

fn content_of(channel: Channel, msgtype: MsgType) -> ContentCheck {
    match (msgtype, channel) {
        (MsgType::Markdown | MsgType::MarkdownV2, Channel::Aibot) => by_type::<AibotMarkdown>(),
        (MsgType::Text, Channel::App | Channel::Aibot) => by_type::<AppText>(),
        (MsgType::Text, Channel::Webhook) => by_type::<WebhookText>(),
        (MsgType::Text, Channel::Chat) => by_type::<ChatText>(),
        (MsgType::News, Channel::App | Channel::Aibot) => by_type::<AppNews>(),
        (MsgType::News, Channel::Webhook | Channel::Chat) => by_type::<WebhookNews>(),
        (MsgType::Image, Channel::Webhook) => by_type::<Image>(),
        (MsgType::Image | MsgType::Voice | MsgType::File, _) => by_type::<Media>(),
        (MsgType::Markdown | MsgType::MarkdownV2, _) => by_type::<Markdown>(),
        (MsgType::Video, _) => by_type::<Video>(),
        (MsgType::Textcard, _) => by_type::<Textcard>(),
        (MsgType::Mpnews, _) => by_type::<Mpnews>(),
        (MsgType::MiniprogramNotice, _) => by_type::<MiniprogramNotice>(),
        (MsgType::TemplateCard, _) => by_type::<TemplateCard>(),
    }
}

fn by_type<T: Wire + Rules>() -> ContentCheck {
    let check = |payload: &Value, channel: Channel, at: &mut At<'_>| {
        if let Some(content) = T::read(payload) {
            content.check(channel, at);
        }
    };
    ContentCheck { shape: T::SHAPE, check }
}

fn read_msgtype(channel: Channel, fields: &Map<String, Value>, at: &mut At<'_>) -> Option<MsgType> {
    let names = MsgType::names(channel.facts().types);
    let known = names.join(", ");
    let mut at = at.field("msgtype");
    let Some(value) = fields.get("msgtype") else {
        at.error(format!("missing, one of {known} is required"));
        return None;
    };
    let Some(name) = value.as_str() else {
        at.error(format!("expected a string, one of {known}"));
        return None;
    };
    let msgtype: Option<MsgType> = name.parse().ok();
    if msgtype.is_some_and(|msgtype| channel.has_type(msgtype)) {
        return msgtype;
    }
    let hint = format!("use one of {known}");
    match msgtype.and_then(|msgtype| channel.other_with(msgtype)) {
        Some(owner) => {
            let (owners, here) = (owner.facts().plural, channel.facts().plural);
            let problem = format!("{name} is a type of {owners}, {here} do not have it");
            at.error_with_hint(problem, format!("send it with {}, or {hint}", owner.facts().command));
        }
        None => at.error_with_hint(format!("{}: {}", shown(name), unknown("type", name, &names)), hint),
    }
    None
}

/// The problem with a field next to the content.
fn unknown_field(channel: Channel, msgtype: &str, name: &str, common: &[FieldShape]) -> String {
    if name.parse().is_ok_and(|other| channel.has_type(other)) {
        return format!("unknown field; msgtype is {msgtype}, so the payload must be only the object {msgtype}");
    }
    if app_fields::FIELDS.iter().any(|field| field.name == name) {
        return "unknown field; only app messages have it".to_owned();
    }
    if chat::FIELDS.iter().any(|field| field.name == name) {
        return "unknown field; only messages in group chats have it".to_owned();
    }
    if aibot::FIELDS.iter().any(|field| field.name == name) {
        return "unknown field; only messages of an aibot have it".to_owned();
    }
    let known: Vec<_> = ["msgtype", msgtype].into_iter().chain(common.iter().map(|field| field.name)).collect();
    unknown("field", name, &known)
}
