//! A draft becomes the parts of a message: text or alert first, then who is mentioned, then the files.

use std::borrow::Cow;

use crate::alert::prefix_before;
use crate::channel::Channel;
use crate::config::Settings;
use crate::error::Result;
use crate::message::app::Video;
use crate::message::media::MediaKind;
use crate::message::{Media, Part, PartKind, body_of};

use super::draft::{Draft, Material};
use super::long::{self, Pieces};
use super::mention::Mentions;
use super::texts::{Frame, texts, whole_text};
use super::{alert, attach};

/// The parts of the message: more than one where its text has no room in one.
pub(super) fn parts(
    draft: &Draft,
    channel: Channel,
    settings: &Settings,
    lead: Option<&str>,
    warnings: &mut Vec<String>,
) -> Result<Vec<Part>> {
    let mut frame = Frame::new(channel, settings, lead);
    let mentions = Mentions::of(draft, channel, settings)?.settle(draft, settings, warnings)?;
    frame.mention.clone_from(&mentions.inline);
    let mut parts = match (&draft.material, &draft.text) {
        (Material::Payload(body), _) => vec![Part::message(body.clone())],
        (Material::Alert(given), _) => alert::parts(given, draft.msgtype(), &frame)?,
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
        parts.push(attach::part(file, channel)?);
    }
    Ok(parts)
}

/// A message about a file; the text of a video stands below it.
fn media_parts(draft: &Draft, frame: &Frame<'_>) -> Result<Vec<Part>> {
    let (channel, settings, msgtype) = (frame.channel, frame.settings, draft.msgtype());
    let file = match &draft.material {
        Material::File(MediaKind::Image, file) if channel.has_inline_pictures() => {
            return Ok(vec![Part::inline_picture(file.clone(), PartKind::Message)]);
        }
        Material::File(kind, file) => Some((*kind, file.clone())),
        _ => None,
    };
    let media_id = draft.media_id();
    if msgtype != "video" {
        let body = body_of(msgtype, &Media { media_id })?;
        return Ok(vec![Part { file, ..Part::message(body) }]);
    }
    let text = draft.text.as_ref().map(|text| frame.led(text, msgtype));
    let place = long::Place { channel, msgtype, taken: 0 };
    let Pieces { texts, files } = match &text {
        Some(text) => long::fit(text, place, settings, || Cow::Borrowed(&**text)),
        None => Pieces::default(),
    };
    let video = Video { media_id, title: settings.title.clone(), description: texts.into_iter().next() };
    let mut parts = vec![Part { file, ..Part::message(body_of(msgtype, &video)?) }];
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
