//! A message to a group: content and mentions.

use serde_json::Value;

use wecom_alert::config::Settings;
use wecom_alert::delivery::Shipment;
use wecom_alert::error::{Error, Result};
use wecom_alert::input::{Attachment, MAX_SPOOLED};
use wecom_alert::message::media::{self, MediaKind};
use wecom_alert::message::webhook::{Article, Image, News, Text, WebhookContent, WebhookMessage};
use wecom_alert::message::{Markdown, Media, Route};

use super::draft::{ChosenType, Draft, Material};
use super::source::Source;
use super::{attachment, long, payload, settle_media};

/// The parts of the message: more than one where its text has no room in one.
pub(super) fn parts(draft: &Draft, settings: &Settings, warnings: &mut Vec<String>) -> Result<Vec<Shipment>> {
    let media = match &draft.material {
        Material::Payload(body) => return Ok(vec![Shipment::message(body.clone())]),
        // A webhook's picture stands in the body itself.
        Material::File(MediaKind::Image, _) => None,
        Material::File(kind, file) => Some((*kind, file.clone())),
        Material::MediaId(_) | Material::Nothing => None,
    };
    let msgtype = draft.msgtype();
    if msgtype != "text" && !(settings.mention.is_empty() && settings.mention_mobile.is_empty()) {
        warnings.push(format!("a message of type {msgtype} mentions nobody: the settings' mentions are left out"));
    }
    let message = |text, mentions| -> Result<Shipment> {
        Ok(Shipment { media: media.clone(), ..Shipment::message(body(draft, settings, text, mentions)?) })
    };
    let Some(text) = &draft.text else { return Ok(vec![message(None, true)?]) };
    let pieces = long::fit(text, Route::Webhook, msgtype, settings);
    let mut parts = Vec::new();
    for (index, text) in pieces.texts.into_iter().enumerate() {
        // Who is mentioned is called once, by the first part.
        parts.push(message(Some(text), index == 0)?);
    }
    for file in pieces.files {
        let body = WebhookMessage { content: WebhookContent::File(Media { media_id: draft.media_id() }) }.to_value();
        parts.push(attachment(body, (MediaKind::File, file)));
    }
    Ok(parts)
}

/// Holds a file against the rules.
pub(super) fn check_file(
    kind: MediaKind,
    file: &Attachment,
    settings: &Settings,
    warnings: &mut Vec<String>,
) -> Result<()> {
    let checked = match kind {
        MediaKind::Image => media::check_webhook_image(file.head(), file.size()),
        kind => media::check(Route::Webhook, kind, file.head(), file.size()),
    };
    settle_media(checked, settings, warnings)
}

/// Refuses what a webhook has not.
pub(super) fn refuse_video(source: &Source) -> Result<()> {
    match source {
        Source::File(MediaKind::Video, _) => {
            Err(Error::usage("a webhook has no video messages", "send it as a file, with --file"))
        }
        _ => Ok(()),
    }
}

/// The body of one message made from options.
fn body(draft: &Draft, settings: &Settings, text: Option<String>, with_mentions: bool) -> Result<Value> {
    let (msgtype, media_id) = (draft.msgtype(), draft.media_id());
    let required = |text: Option<String>| text.unwrap_or_default();
    let mentions = |option, given| if with_mentions { mentions(option, given) } else { Ok(None) };
    let file = match &draft.material {
        Material::File(_, file) => Some(file),
        _ => None,
    };
    let content = match (msgtype, file) {
        ("text", _) => WebhookContent::Text(Text {
            content: required(text),
            mentioned_list: mentions("--mention", &settings.mention)?,
            mentioned_mobile_list: mentions("--mention-mobile", &settings.mention_mobile)?,
        }),
        ("markdown", _) => WebhookContent::Markdown(Markdown { content: required(text) }),
        ("markdown_v2", _) => WebhookContent::MarkdownV2(Markdown { content: required(text) }),
        ("news", _) => WebhookContent::News(News {
            articles: vec![Article {
                title: settings.title.clone().unwrap_or_default(),
                description: text,
                url: settings.url.clone().unwrap_or_default(),
                picurl: settings.picurl.clone(),
            }],
        }),
        ("image", Some(file)) => WebhookContent::Image(Image::from_bytes(&file.read_all(MAX_SPOOLED)?)),
        ("file", _) => WebhookContent::File(Media { media_id }),
        ("voice", _) => WebhookContent::Voice(Media { media_id }),
        // Refused by `check_source`.
        _ => return Err(Error::defect(format!("msgtype {msgtype} has no way to be made"))),
    };
    Ok(WebhookMessage { content }.to_value())
}

/// Refuses a type that cannot be made of this.
pub(super) fn check_source(chosen: &ChosenType, material: &Material) -> Result<()> {
    let msgtype = chosen.name.as_str();
    if msgtype == "image" && !matches!(material, Material::File(..)) {
        return Err(Error::usage(
            "a webhook's picture stands in the message itself: it has no media_id",
            "give the picture with --image PATH",
        ));
    }
    let by_file = matches!(msgtype, "voice" | "file");
    if by_file && matches!(material, Material::Nothing) {
        return Err(Error::usage(
            format!("a message of type {msgtype} needs a file"),
            format!("give it with --{msgtype} PATH, or --media-id with the id that upload-media printed"),
        ));
    }
    if !by_file && matches!(material, Material::MediaId(_)) {
        return Err(Error::usage(
            format!("--media-id does not go with type {msgtype}"),
            "say what it is: -t file or -t voice; a webhook takes pictures with --image PATH",
        ));
    }
    if msgtype == "template_card" {
        return Err(Error::usage(
            "a message of type template_card needs its JSON",
            "give the object under template_card with --payload FILE",
        ));
    }
    if !WebhookContent::MSGTYPES.contains(&msgtype) {
        return Err(payload::unknown_type(chosen, Route::Webhook));
    }
    Ok(())
}

/// The refusal of mentions where they have no place.
pub(super) fn no_mentions(place: &str, hint: &str) -> Error {
    Error::usage(format!("--mention and --mention-mobile have no place in {place}"), hint)
}

/// Mentions as WeCom wants them: one item each, although people write them with commas too.
fn mentions(option: &str, given: &[String]) -> Result<Option<Vec<String>>> {
    let mut list = Vec::new();
    for id in given.iter().flat_map(|value| value.split([',', '|'])).map(str::trim) {
        if id.is_empty() {
            return Err(Error::usage(format!("{option} is empty"), "give a member's id, a mobile number, or @all"));
        }
        list.push(id.to_owned());
    }
    Ok(if list.is_empty() { None } else { Some(list) })
}
