//! A message to a group: content and mentions.

use serde_json::Value;

use wecom_alert::config::Settings;
use wecom_alert::delivery::Shipment;
use wecom_alert::error::{Error, Result};
use wecom_alert::input::{Attachment, MAX_SPOOLED};
use wecom_alert::message::media::{self, MediaKind};
use wecom_alert::message::webhook::{self, Article, Image, News, Text, WebhookContent, WebhookMessage};
use wecom_alert::message::{Markdown, Media, Route};

use super::content::{Body, ChosenType, PENDING_MEDIA_ID, TextRule, choose_type, open, read_body, refuse_unused};
use super::source::Source;
use super::{Composed, payload, settle, settle_media};
use crate::cli::args::WebhookSendArgs;

/// Makes the message, or says why there is none.
pub(crate) fn compose(args: &WebhookSendArgs, settings: &Settings, warnings: &mut Vec<String>) -> Result<Composed> {
    let source = Source::of(&args.content)?;
    if let Source::File(MediaKind::Video, _) = source {
        return Err(Error::usage("a webhook has no video messages", "send it as a file, with --file"));
    }
    let chosen = choose_type(&args.content, args.msgtype.as_deref(), &source, Route::Webhook, settings)?;
    let media = open_media(args, &source, settings, warnings)?;
    let composed = match &source {
        Source::Payload(path) => {
            refuse_unused(&args.content, None, &[])?;
            refuse_mentions(args, "a payload", "put mentioned_list and mentioned_mobile_list into it")?;
            Some(payload::read(path, &chosen)?)
        }
        _ => content(args, &chosen, &source, media.as_ref().map(|(_, file)| file), settings, warnings)?,
    };
    let Some(body) = composed else { return Ok(Composed::Skipped) };
    settle(webhook::check_body(&body), settings, warnings)?;
    // A webhook's picture stands in the body itself.
    let media = media.filter(|(kind, _)| *kind != MediaKind::Image);
    Ok(Composed::Message(Box::new(Shipment { body, media })))
}

/// Opens the file to send, if there is one, and holds it against the rules.
fn open_media(
    args: &WebhookSendArgs,
    source: &Source,
    settings: &Settings,
    warnings: &mut Vec<String>,
) -> Result<Option<(MediaKind, Attachment)>> {
    let Source::File(kind, path) = source else { return Ok(None) };
    let file = open(path, &args.content)?;
    let checked = match kind {
        MediaKind::Image => media::check_webhook_image(file.head(), file.size()),
        kind => media::check(Route::Webhook, *kind, file.head(), file.size()),
    };
    settle_media(checked, settings, warnings)?;
    Ok(Some((*kind, file)))
}

/// The body of a message made from options; `None` when its text was empty and that is to be passed over.
fn content(
    args: &WebhookSendArgs,
    chosen: &ChosenType,
    source: &Source,
    file: Option<&Attachment>,
    settings: &Settings,
    warnings: &mut Vec<String>,
) -> Result<Option<Value>> {
    let msgtype = chosen.name.as_str();
    let (rule, used): (_, &[&str]) = match msgtype {
        "text" | "markdown" | "markdown_v2" => (TextRule::Required, &[]),
        "news" => (TextRule::Optional, &["--title", "--url", "--picurl"]),
        _ => (TextRule::None, &[]),
    };
    check_source(chosen, source)?;
    refuse_unused(&args.content, Some(msgtype), used)?;
    if msgtype != "text" {
        let hint = "use type text; in markdown write <@userid> where the mention belongs";
        refuse_mentions(args, &format!("type {msgtype}"), hint)?;
        if !(settings.mention.is_empty() && settings.mention_mobile.is_empty()) {
            warnings.push(format!("a message of type {msgtype} mentions nobody: the settings' mentions are left out"));
        }
    }
    let text = match read_body(&args.content, msgtype, rule, source, settings, warnings)? {
        Body::Text(text) => Some(text),
        Body::Absent => None,
        Body::Skipped => return Ok(None),
    };
    let required = |text: Option<String>| text.unwrap_or_default();
    let media_id = match source {
        Source::MediaId(id) => id.clone(),
        _ => PENDING_MEDIA_ID.to_owned(),
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
    Ok(Some(WebhookMessage { content }.to_value()))
}

/// Refuses a type that this source cannot give.
fn check_source(chosen: &ChosenType, source: &Source) -> Result<()> {
    let msgtype = chosen.name.as_str();
    if msgtype == "image" && !matches!(source, Source::File(..)) {
        return Err(Error::usage(
            "a webhook's picture stands in the message itself: it has no media_id",
            "give the picture with --image PATH",
        ));
    }
    let by_file = matches!(msgtype, "voice" | "file");
    if by_file && matches!(source, Source::Text) {
        return Err(Error::usage(
            format!("a message of type {msgtype} needs a file"),
            format!("give it with --{msgtype} PATH, or --media-id with the id that upload-media printed"),
        ));
    }
    if !by_file && matches!(source, Source::MediaId(_)) {
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

fn refuse_mentions(args: &WebhookSendArgs, place: &str, hint: &str) -> Result<()> {
    if args.mention.is_empty() && args.mention_mobile.is_empty() {
        return Ok(());
    }
    Err(Error::usage(format!("--mention and --mention-mobile have no place in {place}"), hint))
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
