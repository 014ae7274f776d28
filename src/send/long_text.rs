//! Splits long messages: a text over the limit of one message is split into several, truncated, or sent as a file after
//! its head and tail.

use std::borrow::Cow;

use serde_json::Value;

use crate::channel::MsgType;
use crate::config::{Keep, OnLong, Setting};
use crate::delivery::split::{split, split_up_to, truncate, truncate_with_note};
use crate::error::Result;
use crate::input::Attachment;
use crate::message::Part;
use crate::message::media::MediaKind;
use crate::words::Words;

use super::files;
use super::target::Target;

/// How many messages a text may become before it is sent as a file.
const MOST_PARTS: usize = 5;

/// The most bytes of text in one file: the limit of an upload is 20 MiB (document path 90253).
const FILE_BYTES: usize = 20_000_000;

/// A text as it is sent.
pub(super) struct FittedText {
    /// The texts of the messages, at least one.
    texts: Vec<String>,
    /// The whole text, where the messages do not hold all of it.
    files: Vec<Attachment>,
}

impl FittedText {
    /// A message of each text, whose body `body` makes, and after them the files.
    pub(super) fn into_parts(self, mut body: impl FnMut(String) -> Value) -> Result<Vec<Part>> {
        let mut parts = Vec::with_capacity(self.texts.len() + self.files.len());
        let is_long = self.texts.len() > 1;
        let mut last = None;
        for text in self.texts {
            let mut part = Part::message(body(text));
            if is_long {
                part.share_body(&mut last);
            }
            parts.push(part);
        }
        for file in self.files {
            parts.push(files::by_upload(MediaKind::File, file)?);
        }
        Ok(parts)
    }
}

/// Makes a text fit for messages of this type, of which `taken` bytes each are not for the text; `whole` is the text that a
/// file holds. With `is_by_weight` what counts most comes first.
pub(super) fn fit<'t>(
    text: &str,
    msgtype: MsgType,
    taken: usize,
    target: &Target,
    is_by_weight: bool,
    whole: impl FnOnce() -> Cow<'t, str>,
) -> FittedText {
    let without_file = |texts: Vec<String>| FittedText { texts, files: Vec::new() };
    let Target { settings, channel, .. } = target;
    let has_room = |limit: usize| match taken {
        0 => msgtype.has_room(*channel, text),
        _ => text.len() <= limit,
    };
    let limit = msgtype.text_bytes(*channel).map(|limit| limit.saturating_sub(taken));
    let Some(limit) = limit.filter(|limit| !has_room(*limit)) else { return without_file(vec![text.to_owned()]) };
    let (markup, words) = (channel.markup(msgtype), settings.language.words());
    // Each part of a video would need an upload of its own.
    let can_be_parted = msgtype != MsgType::Video;
    // A keep of the config file is meant for logs, whose end counts.
    let by_weight = match settings.is_option(Setting::Keep) {
        true => settings.keep,
        false => Keep::Head,
    };
    let [keep, keep_beside_file] = if is_by_weight { [by_weight; 2] } else { [settings.keep, Keep::Both] };
    let with_file = || {
        let files = in_file(&whole(), words);
        let note = match files.as_slice() {
            [first, .., last] => (words.whole_text_in)(&first.name, Some(&last.name)),
            [only] => (words.whole_text_in)(&only.name, None),
            [] => String::new(),
        };
        FittedText { texts: vec![truncate_with_note(text, limit, markup, keep_beside_file, &note, words)], files }
    };
    match settings.on_long {
        // The check of the message refuses it.
        OnLong::Fail => without_file(vec![text.to_owned()]),
        OnLong::Truncate => without_file(vec![truncate(text, limit, markup, keep, words)]),
        OnLong::Split if can_be_parted => without_file(split(text, limit, markup)),
        OnLong::Auto if can_be_parted => {
            split_up_to(text, limit, markup, MOST_PARTS).map_or_else(with_file, without_file)
        }
        OnLong::Split | OnLong::Auto | OnLong::File => with_file(),
    }
}

/// A text as a file, or as several where it has no room in one.
pub(super) fn in_file(text: &str, words: &Words) -> Vec<Attachment> {
    let name = (words.text_file)(&host(), &chrono::Local::now().format("%Y%m%d-%H%M%S").to_string());
    let pieces = in_files(text);
    let count = pieces.len();
    let file_name = |number: usize| match count {
        1 => format!("{name}.txt"),
        _ => format!("{name}{}.txt", (words.file_number)(number, count)),
    };
    pieces.iter().enumerate().map(|(at, piece)| Attachment::of_text(&file_name(at + 1), piece)).collect()
}

/// The text in pieces that can be uploaded, cut where a line ends or else between characters.
fn in_files(mut text: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    while text.len() > FILE_BYTES {
        let mut end = FILE_BYTES;
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        let end = text[..end].rfind('\n').map_or(end, |at| at + 1);
        let (piece, rest) = text.split_at(end);
        pieces.push(piece);
        text = rest;
    }
    pieces.push(text);
    pieces
}

/// The host name, without characters that a file name must not have.
pub(crate) fn host() -> String {
    let name = gethostname::gethostname().to_string_lossy().into_owned();
    let safe = |c: char| c.is_alphanumeric() || c == '-' || c == '.' || c == '_';
    let name: String = name.chars().filter(|c| safe(*c)).take(40).collect();
    if name.is_empty() { "host".to_owned() } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_cut_where_a_line_ends() {
        assert_eq!(in_files("abc\n"), ["abc\n"]);
        let long = format!("{}\n{}", "磁".repeat(4_000_000), "盘".repeat(5_000_000));
        let pieces = in_files(&long);
        assert!(pieces.len() == 2 && pieces[0].ends_with('\n') && pieces.iter().all(|piece| piece.len() <= FILE_BYTES));
        let endless = "磁".repeat(7_000_000);
        let pieces = in_files(&endless);
        assert_eq!(pieces.concat(), endless);
        assert!(pieces.len() == 2 && pieces.iter().all(|piece| piece.len() <= FILE_BYTES));
    }
}
