//! One text as messages, as many as it takes, and as a file behind them.

use std::borrow::Cow;

use crate::error::Result;
use crate::input::Attachment;
use crate::message::Markdown;
use crate::message::Part;
use crate::message::app::Text;
use crate::message::media::MediaKind;

use super::attach;
use super::frame::Frame;
use super::long::{self, Pieces};
use super::shipment::body;

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
