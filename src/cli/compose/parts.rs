//! A draft becomes the parts of a message: text or alert first, then who is mentioned, then the files.

use std::borrow::Cow;

use wecom_alert::alert::prefix_before;
use wecom_alert::config::Settings;
use wecom_alert::delivery::Shipment;
use wecom_alert::error::Result;
use wecom_alert::input::MAX_SPOOLED;
use wecom_alert::message::app::Video;
use wecom_alert::message::media::MediaKind;
use wecom_alert::message::webhook::Image;
use wecom_alert::message::{Media, Route};

use super::draft::{Draft, Material};
use super::frame::Frame;
use super::long::{self, Pieces};
use super::mention::Mentions;
use super::shipment::body;
use super::texts::{texts, whole_text};
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
            let msgtype = draft.msgtype();
            let prefix = prefix_before(msgtype, frame.prefix.as_deref(), text);
            texts(&prefix, text, msgtype, &frame, || frame.led(text, msgtype))?
        }
        (Material::Nothing, None) => Vec::new(),
    };
    mentions.call(&mut parts, || herald(draft, &frame));
    for file in &draft.attached {
        parts.push(attach::part(file, route)?);
    }
    Ok(parts)
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
        Some(text) => long::fit(text, place, settings, || Cow::Borrowed(&**text)),
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
    prefix_before("text", frame.prefix.as_deref(), &line) + &line
}
