//! A message of an app: content, recipients, options.

use serde_json::Value;

use wecom_alert::config::Settings;
use wecom_alert::delivery::Shipment;
use wecom_alert::error::{Error, Result};
use wecom_alert::input::Attachment;
use wecom_alert::message::app::{AppContent, AppMessage, Article, Common, News, Text, Textcard, Video};
use wecom_alert::message::media::{self, MediaKind};
use wecom_alert::message::{Markdown, Media, Route};

use super::draft::{ChosenType, Draft, Material};
use super::{attachment, long, payload, settle_media};

/// The parts of the message: more than one where its text has no room in one.
pub(super) fn parts(draft: &Draft, settings: &Settings) -> Result<Vec<Shipment>> {
    if let Material::Payload(body) = &draft.material {
        return Ok(vec![Shipment::message(body.clone())]);
    }
    let media = match &draft.material {
        Material::File(kind, file) => Some((*kind, file.clone())),
        _ => None,
    };
    let message = |text| -> Result<Shipment> {
        Ok(Shipment { media: media.clone(), ..Shipment::message(body(draft, settings, text)?) })
    };
    let Some(text) = &draft.text else { return Ok(vec![message(None)?]) };
    let pieces = long::fit(text, Route::App, draft.msgtype(), settings);
    let mut parts: Vec<Shipment> = pieces.texts.into_iter().map(|text| message(Some(text))).collect::<Result<_>>()?;
    for file in pieces.files {
        let content = AppContent::File(Media { media_id: draft.media_id() });
        let body = AppMessage { common: Common::default(), content }.to_value();
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
    settle_media(media::check(Route::App, kind, file.head(), file.size()), settings, warnings)?;
    refuse_unsafe_format(kind, file.name(), settings, warnings)
}

/// The body of one message made from options.
fn body(draft: &Draft, settings: &Settings, text: Option<String>) -> Result<Value> {
    let (msgtype, media_id) = (draft.msgtype(), draft.media_id());
    let required = |text: Option<String>| text.unwrap_or_default();
    let content = match msgtype {
        "text" => AppContent::Text(Text { content: required(text) }),
        "markdown" => AppContent::Markdown(Markdown { content: required(text) }),
        "textcard" => AppContent::Textcard(Textcard {
            title: settings.title.clone().unwrap_or_default(),
            description: required(text),
            url: settings.url.clone().unwrap_or_default(),
            btntxt: settings.btntxt.clone(),
        }),
        "news" => AppContent::News(News {
            articles: vec![Article {
                title: settings.title.clone().unwrap_or_default(),
                description: text,
                url: settings.url.clone(),
                picurl: settings.picurl.clone(),
                appid: None,
                pagepath: None,
            }],
        }),
        "video" => AppContent::Video(Video { media_id, title: settings.title.clone(), description: text }),
        "image" => AppContent::Image(Media { media_id }),
        "voice" => AppContent::Voice(Media { media_id }),
        "file" => AppContent::File(Media { media_id }),
        // Refused by `check_source`.
        _ => return Err(Error::defect(format!("msgtype {msgtype} has no way to be made"))),
    };
    Ok(AppMessage { common: Common::default(), content }.to_value())
}

/// Refuses a type that cannot be made of this.
pub(super) fn check_source(chosen: &ChosenType, material: &Material) -> Result<()> {
    let msgtype = chosen.name.as_str();
    let by_file = matches!(msgtype, "image" | "voice" | "video" | "file");
    if by_file && matches!(material, Material::Nothing) {
        return Err(Error::usage(
            format!("a message of type {msgtype} needs a file"),
            format!("give it with --{msgtype} PATH, or --media-id with the id that upload-media printed"),
        ));
    }
    if !by_file && matches!(material, Material::MediaId(_)) {
        return Err(Error::usage(
            format!("--media-id does not go with type {msgtype}"),
            "say what it is: -t image, -t voice, -t video or -t file",
        ));
    }
    if matches!(msgtype, "mpnews" | "miniprogram_notice" | "template_card") {
        return Err(Error::usage(
            format!("a message of type {msgtype} needs its JSON"),
            format!("give the object under {msgtype} with --payload FILE"),
        ));
    }
    if !AppContent::MSGTYPES.contains(&msgtype) {
        return Err(payload::unknown_type(chosen, Route::App));
    }
    Ok(())
}

/// Confidential files must be of a kind that WeCom can show with a watermark.
fn refuse_unsafe_format(kind: MediaKind, name: &str, settings: &Settings, warnings: &mut Vec<String>) -> Result<()> {
    let name = media::wire_filename(name);
    if kind != MediaKind::File || settings.safe != Some(1) || media::is_safe_format(&name) {
        return Ok(());
    }
    let formats = media::SAFE_FORMATS.join(", ");
    let refused = Error::usage(
        format!("{name} cannot be sent with --safe: WeCom takes only {formats}"),
        "convert the file, name it with the right ending (--filename), or leave --safe out",
    );
    settle_media(Err(refused), settings, warnings)
}
