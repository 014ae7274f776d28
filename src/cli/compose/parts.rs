//! A draft becomes the parts of a message: text or alert first, then who is mentioned, then the files.

use serde::Serialize;
use serde_json::{Value, json};

use wecom_alert::alert::Rendered;
use wecom_alert::config::Settings;
use wecom_alert::delivery::{PartKind, Shipment};
use wecom_alert::error::{Error, Result};
use wecom_alert::input::{Attachment, MAX_SPOOLED};
use wecom_alert::message::app::{Text, Video};
use wecom_alert::message::media::MediaKind;
use wecom_alert::message::webhook::Image;
use wecom_alert::message::{Markdown, Media, Route};

use super::draft::{Draft, Material, PENDING_MEDIA_ID};
use super::frame::Frame;
use super::long::{self, Pieces};
use super::mention::Mentions;
use super::{alert, attach};

/// The parts of the message: more than one where its text has no room in one.
pub(super) fn parts(
    draft: &Draft,
    route: Route,
    settings: &Settings,
    lead: Option<&str>,
    warnings: &mut Vec<String>,
) -> Result<Vec<Shipment>> {
    let mut frame = Frame::new(route, settings, lead);
    let mentions = Mentions::of(draft, route, settings)?.settle(draft, settings, warnings)?;
    frame.mention.clone_from(&mentions.inline);
    let mut parts = match (&draft.material, &draft.text) {
        (Material::Payload(body), _) => vec![Shipment::message(body.clone())],
        (Material::Alert(happening), _) => alert::parts(happening, draft.msgtype(), &frame)?,
        (Material::File(..) | Material::MediaId(_), _) => media_parts(draft, &frame)?,
        (Material::Nothing, Some(text)) => {
            let rendered = Rendered::of_text(draft.msgtype(), frame.prefix.as_deref(), text.clone());
            texts(rendered, draft.msgtype(), &frame, || frame.led(text, draft.msgtype()))?
        }
        (Material::Nothing, None) => Vec::new(),
    };
    mentions.call(&mut parts, || herald(draft, &frame));
    for file in &draft.attached {
        parts.push(attach::part(file, route)?);
    }
    Ok(parts)
}

/// The messages of one long text, framed; `whole` is what a file of it holds.
pub(super) fn texts(
    rendered: Rendered,
    msgtype: &str,
    frame: &Frame<'_>,
    whole: impl FnOnce() -> String,
) -> Result<Vec<Shipment>> {
    let Rendered { prefix, text } = rendered;
    let text = frame.led(&text, msgtype);
    let place = long::Place { route: frame.route, msgtype, taken: prefix.len() + frame.mention.len() };
    let Pieces { texts, files } = long::fit(&text, place, frame.settings, whole);
    let mut parts = Vec::new();
    for (index, text) in texts.into_iter().enumerate() {
        // Who is mentioned is called once, by the first part.
        let mention = if index == 0 { frame.mention.as_str() } else { "" };
        let content = format!("{prefix}{text}{mention}");
        parts.push(Shipment::message(match msgtype {
            "text" => body(msgtype, &Text { content })?,
            _ => body(msgtype, &Markdown { content })?,
        }));
    }
    parts.extend(whole_text(files)?);
    Ok(parts)
}

/// The parts that are the whole text as files.
pub(super) fn whole_text(files: Vec<Attachment>) -> Result<Vec<Shipment>> {
    files.into_iter().map(|file| attach::by_upload(MediaKind::File, file)).collect()
}

/// The body of one message without anything around its content.
pub(super) fn body(msgtype: &str, content: &impl Serialize) -> Result<Value> {
    let content = serde_json::to_value(content)
        .map_err(|error| Error::defect(format!("a message of type {msgtype} cannot be written: {error}")))?;
    Ok(json!({ "msgtype": msgtype, msgtype: content }))
}

/// A message about a file; the text of a video stands below it.
fn media_parts(draft: &Draft, frame: &Frame<'_>) -> Result<Vec<Shipment>> {
    let (route, settings, msgtype) = (frame.route, frame.settings, draft.msgtype());
    let file = match &draft.material {
        // A webhook's picture stands in the body itself.
        Material::File(MediaKind::Image, file) if route == Route::Webhook => {
            let image = Image::from_bytes(&file.read_all(MAX_SPOOLED)?);
            return Ok(vec![Shipment::message(body("image", &image)?)]);
        }
        Material::File(kind, file) => Some((*kind, file.clone())),
        _ => None,
    };
    let media_id = draft.media_id();
    if msgtype != "video" {
        let body = body(msgtype, &Media { media_id })?;
        return Ok(vec![Shipment { media: file, ..Shipment::message(body) }]);
    }
    let text = draft.text.as_ref().map(|text| frame.led(text, msgtype));
    let place = long::Place { route, msgtype, taken: 0 };
    let Pieces { texts, files } = match &text {
        Some(text) => long::fit(text, place, settings, || text.clone()),
        None => Pieces::default(),
    };
    let video = Video { media_id, title: settings.title.clone(), description: texts.into_iter().next() };
    let mut parts = vec![Shipment { media: file, ..Shipment::message(body(msgtype, &video)?) }];
    parts.extend(whole_text(files)?);
    Ok(parts)
}

/// A short line that says what a mention is about.
fn herald(draft: &Draft, frame: &Frame<'_>) -> String {
    const LONGEST: usize = 60;
    let text = match &draft.material {
        Material::Payload(_) => None,
        _ => draft.text(),
    };
    // Of what has no words, the message before it or the files behind it.
    let pointer = if draft.is_wordless() { "⬇" } else { "⬆" };
    let line = text.as_deref().and_then(|text| text.lines().find(|line| !line.trim().is_empty())).unwrap_or(pointer);
    let mut chars = line.trim().chars();
    let mut line: String = chars.by_ref().take(LONGEST).collect();
    if chars.next().is_some() {
        line.push('…');
    }
    Rendered::of_text("text", frame.prefix.as_deref(), line).joined()
}

/// A part that is a file of its own, behind the message.
pub(super) fn attachment(body: Value, name: &str, media: Option<(MediaKind, Attachment)>) -> Shipment {
    Shipment { kind: PartKind::Attachment, body, name: Some(name.to_owned()), media }
}

/// The content of a message that is about an uploaded file.
pub(super) fn pending_media() -> Media {
    Media { media_id: PENDING_MEDIA_ID.to_owned() }
}
