//! One text as messages, as many as it takes, in the frame that stands around it: prefix, lead and mentions.

use std::borrow::Cow;

use crate::channel::Channel;
use crate::config::Settings;
use crate::error::Result;
use crate::input::{Attachment, clean};
use crate::message::app::Text;
use crate::message::media::MediaKind;
use crate::message::{Markdown, Part, body_of};

use super::attach;
use super::long::{self, Pieces, host};

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
            "text" => body_of(msgtype, &Text { content })?,
            _ => body_of(msgtype, &Markdown { content })?,
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
