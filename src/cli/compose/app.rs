//! A message of an app: content, recipients, options.

use serde_json::Value;

use wecom_alert::config::Settings;
use wecom_alert::delivery::Shipment;
use wecom_alert::error::{Error, Result};
use wecom_alert::input::Attachment;
use wecom_alert::message::app::{self, AppContent, AppMessage, Article, Common, News, Text, Textcard, Video};
use wecom_alert::message::media::{self, MediaKind};
use wecom_alert::message::{Markdown, Media, Route};

use super::content::{Body, ChosenType, PENDING_MEDIA_ID, TextRule, choose_type, open, read_body, refuse_unused};
use super::source::Source;
use super::{Composed, payload, settle, settle_media};
use crate::cli::args::AppSendArgs;

/// Makes the message, or says why there is none.
pub(crate) fn compose(args: &AppSendArgs, settings: &Settings, warnings: &mut Vec<String>) -> Result<Composed> {
    let source = Source::of(&args.content)?;
    let chosen = choose_type(&args.content, args.msgtype.as_deref(), &source, Route::App, settings)?;
    let media = open_media(args, &source, settings, warnings)?;
    let composed = match &source {
        Source::Payload(path) => {
            refuse_unused(&args.content, None, &[])?;
            Some(payload::read(path, &chosen)?)
        }
        _ => content(args, &chosen, &source, settings, warnings)?,
    };
    let Some(mut body) = composed else { return Ok(Composed::Skipped) };
    payload::complete_app_body(&mut body, args, settings, warnings)?;
    settle(app::check_body(&body), settings, warnings)?;
    Ok(Composed::Message(Box::new(Shipment { body, media })))
}

/// Opens the file to upload, if there is one, and holds it against the rules.
fn open_media(
    args: &AppSendArgs,
    source: &Source,
    settings: &Settings,
    warnings: &mut Vec<String>,
) -> Result<Option<(MediaKind, Attachment)>> {
    let Source::File(kind, path) = source else { return Ok(None) };
    let file = open(path, &args.content)?;
    settle_media(media::check(Route::App, *kind, file.head(), file.size()), settings, warnings)?;
    refuse_unsafe_format(*kind, file.name(), settings, warnings)?;
    Ok(Some((*kind, file)))
}

/// The body of a message made from options; `None` when its text was empty and that is to be passed over.
fn content(
    args: &AppSendArgs,
    chosen: &ChosenType,
    source: &Source,
    settings: &Settings,
    warnings: &mut Vec<String>,
) -> Result<Option<Value>> {
    let msgtype = chosen.name.as_str();
    let (rule, used): (_, &[&str]) = match msgtype {
        "text" | "markdown" => (TextRule::Required, &[]),
        "textcard" => (TextRule::Required, &["--title", "--url", "--btntxt"]),
        "news" => (TextRule::Optional, &["--title", "--url", "--picurl"]),
        "video" => (TextRule::Optional, &["--title"]),
        _ => (TextRule::None, &[]),
    };
    check_source(chosen, source)?;
    refuse_unused(&args.content, Some(msgtype), used)?;
    let text = match read_body(&args.content, msgtype, rule, source, settings, warnings)? {
        Body::Text(text) => Some(text),
        Body::Absent => None,
        Body::Skipped => return Ok(None),
    };
    let media_id = match source {
        Source::MediaId(id) => id.clone(),
        _ => PENDING_MEDIA_ID.to_owned(),
    };
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
    Ok(Some(AppMessage { common: Common::default(), content }.to_value()))
}

/// Refuses a type that this source cannot give.
fn check_source(chosen: &ChosenType, source: &Source) -> Result<()> {
    let msgtype = chosen.name.as_str();
    let by_file = matches!(msgtype, "image" | "voice" | "video" | "file");
    if by_file && matches!(source, Source::Text) {
        return Err(Error::usage(
            format!("a message of type {msgtype} needs a file"),
            format!("give it with --{msgtype} PATH, or --media-id with the id that upload-media printed"),
        ));
    }
    if !by_file && matches!(source, Source::MediaId(_)) {
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
