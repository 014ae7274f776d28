//! A draft becomes the parts of a message: text or alert first, then who is mentioned, then the files. And what all of them
//! are made with: the frame around a text, and the bodies.

use std::borrow::Cow;

use serde::Serialize;
use serde_json::Value;

use crate::alert::prefix_before;
use crate::channel::Channel;
use crate::config::Settings;
use crate::error::{Error, Result};
use crate::input::{Attachment, clean};
use crate::message::app::{Text, Video};
use crate::message::media::MediaKind;
use crate::message::{Markdown, Media, Part, PartKind};

use super::draft::{Draft, Material};
use super::long::{self, Pieces, host};
use super::mention::Mentions;
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
        let body = body(msgtype, &Media { media_id })?;
        return Ok(vec![Part { file, ..Part::message(body) }]);
    }
    let text = draft.text.as_ref().map(|text| frame.led(text, msgtype));
    let place = long::Place { channel, msgtype, taken: 0 };
    let Pieces { texts, files } = match &text {
        Some(text) => long::fit(text, place, settings, || Cow::Borrowed(&**text)),
        None => Pieces::default(),
    };
    let video = Video { media_id, title: settings.title.clone(), description: texts.into_iter().next() };
    let mut parts = vec![Part { file, ..Part::message(body(msgtype, &video)?) }];
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

/// The messages of one long text, framed; `whole` is what a file of it holds.
pub(super) fn texts<'t>(
    prefix: &str,
    text: &str,
    msgtype: &str,
    frame: &Frame<'_>,
    whole: impl FnOnce() -> Cow<'t, str>,
) -> Result<Vec<Part>> {
    let text = frame.led(text, msgtype);
    let place = long::Place { channel: frame.channel, msgtype, taken: prefix.len() + frame.mention.len() };
    let Pieces { texts, files } = long::fit(&text, place, frame.settings, whole);
    let mut parts = Vec::new();
    for (index, text) in texts.into_iter().enumerate() {
        // Who is mentioned is called once, by the first part.
        let mention = if index == 0 { frame.mention.as_str() } else { "" };
        let content = format!("{prefix}{text}{mention}");
        parts.push(Part::message(match msgtype {
            "text" => body(msgtype, &Text { content })?,
            _ => body(msgtype, &Markdown { content })?,
        }));
    }
    parts.extend(whole_text(files)?);
    Ok(parts)
}

/// The parts that are the whole text as files.
pub(super) fn whole_text(files: Vec<Attachment>) -> Result<Vec<Part>> {
    files.into_iter().map(|file| attach::by_upload(MediaKind::File, file)).collect()
}

/// One target, and what its messages have around their text.
pub(super) struct Frame<'a> {
    pub(super) channel: Channel,
    pub(super) settings: &'a Settings,
    /// Before title or text, on every part.
    pub(super) prefix: Option<String>,
    /// A line of ours before the text.
    pub(super) lead: Option<&'a str>,
    /// Behind the text of the first part; empty where nobody is mentioned there.
    pub(super) mention: String,
}

impl<'a> Frame<'a> {
    pub(super) fn new(channel: Channel, settings: &'a Settings, lead: Option<&'a str>) -> Self {
        Self { channel, settings, prefix: prefix(settings), lead, mention: String::new() }
    }

    /// A text behind the line of ours.
    pub(super) fn led<'t>(&self, text: &'t str, msgtype: &str) -> Cow<'t, str> {
        // In markdown_v2 a single line break does not end a paragraph.
        let between = if msgtype == "markdown_v2" { "\n\n" } else { "\n" };
        match self.lead {
            Some(lead) if text.is_empty() => Cow::Owned(lead.to_owned()),
            Some(lead) => Cow::Owned(format!("{lead}{between}{text}")),
            None => Cow::Borrowed(text),
        }
    }
}

/// The settings' prefix for this target.
fn prefix(settings: &Settings) -> Option<String> {
    let prefix = settings.prefix.as_deref()?;
    let profile = settings.profile.as_deref().unwrap_or("environment");
    Some(clean(prefix).replace("{profile}", profile).replace("{host}", &host()))
}

/// The body of one message without anything around its content.
pub(super) fn body(msgtype: &str, content: &impl Serialize) -> Result<Value> {
    let content = serde_json::to_value(content)
        .map_err(|error| Error::defect(format!("a message of type {msgtype} cannot be written: {error}")))?;
    let fields = [("msgtype".to_owned(), Value::from(msgtype)), (msgtype.to_owned(), content)];
    Ok(Value::Object(fields.into_iter().collect()))
}
