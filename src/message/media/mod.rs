//! Validation of uploads: kinds, sizes, formats and file names.
//!
//! Pure: it judges the first bytes and the size that it is given, and never opens a file. Limits are those of document
//! path 90253 (apps) and 99110 (webhooks). Their pages do not say which megabyte they mean; the larger one, of 1024 ×
//! 1024 bytes, counts here, so that WeCom decides about what lies between.

mod filename;
mod format;

pub use filename::{MAX_FILENAME_BYTES, SAFE_FORMATS, is_safe_format, wire_filename};
pub use format::{MAX_VOICE_SECONDS, MediaFormat, TAIL_LEN, amr_seconds, is_cut_off, mime, sniff};

use crate::channel::{Channel, MsgType};
use crate::error::{Error, Result};

pub(crate) const MB: u64 = 1024 * 1024;

/// WeCom takes no file as short as this, in bytes (document path 90253).
pub(crate) const TOO_SHORT: u64 = 5;

/// The most that WeCom takes in any form.
const FILE_MB: u64 = 20;

/// The most that the inline picture of a webhook holds, before base64 (document path 99110).
const WEBHOOK_IMAGE_MB: u64 = 2;

/// What an upload is to be: WeCom's `type` parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize, strum::EnumString)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase", parse_err_ty = Error, parse_err_fn = unknown_kind)]
pub enum MediaKind {
    /// A picture, JPG or PNG. Apps only: webhooks get their pictures inline.
    Image,
    /// A voice message of at most 60 s, AMR.
    Voice,
    /// A video, MP4. Apps only.
    Video,
    /// A file of any format.
    File,
}

impl MediaKind {
    /// The name in options, in JSON and on the wire.
    pub fn as_str(self) -> &'static str {
        self.msgtype().as_str()
    }

    /// The type of the messages that carry such an upload.
    pub fn msgtype(self) -> MsgType {
        match self {
            Self::Image => MsgType::Image,
            Self::Voice => MsgType::Voice,
            Self::Video => MsgType::Video,
            Self::File => MsgType::File,
        }
    }

    /// Whether the channel takes an upload of this kind.
    fn is_uploaded_by(self, channel: Channel) -> bool {
        channel.facts().types_by_media_id.contains(&self.msgtype())
    }

    /// The largest upload to that channel, in MB.
    pub(crate) fn max_mb(self, channel: Channel) -> u64 {
        channel.facts().upload_mb.unwrap_or_else(|| self.usual_max_mb())
    }

    /// The largest upload in MB that is known to be taken.
    fn usual_max_mb(self) -> u64 {
        match self {
            Self::Image | Self::Video => 10,
            Self::Voice => 2,
            Self::File => FILE_MB,
        }
    }

    /// Whether content of this format may be uploaded as this kind.
    fn takes(self, format: MediaFormat) -> bool {
        match self {
            Self::Image => matches!(format, MediaFormat::Jpeg | MediaFormat::Png),
            Self::Voice => format == MediaFormat::Amr,
            Self::Video => format == MediaFormat::Mp4,
            Self::File => true,
        }
    }

    /// The formats of this kind, for a message.
    fn formats(self) -> &'static str {
        match self {
            Self::Image => "JPG or PNG",
            Self::Voice => "AMR",
            Self::Video => "MP4",
            Self::File => "any",
        }
    }

    /// How to make content fit this kind.
    fn how_to_convert(self) -> &'static str {
        match self {
            Self::Image => "save it as JPG or PNG",
            Self::Voice => "convert it (ffmpeg -i INPUT -ar 8000 -ac 1 -t 60 OUTPUT.amr)",
            Self::Video => "convert it (ffmpeg -i INPUT OUTPUT.mp4)",
            Self::File => "give another file",
        }
    }
}

fn unknown_kind(name: &str) -> Error {
    Error::usage(
        format!("the media type {name:?} is not image, voice, video or file"),
        "give one of image, voice, video, file",
    )
}

/// The kind that fits the content best: image, voice or video where the channel takes it, else file.
pub fn default_kind(channel: Channel, head: &[u8]) -> MediaKind {
    let kind = match sniff(head) {
        MediaFormat::Amr => MediaKind::Voice,
        MediaFormat::Jpeg | MediaFormat::Png => MediaKind::Image,
        MediaFormat::Mp4 => MediaKind::Video,
        _ => MediaKind::File,
    };
    if kind.is_uploaded_by(channel) { kind } else { MediaKind::File }
}

/// Checks an upload by its first 64 bytes (or all, if it has fewer) and its size in bytes.
///
/// # Errors
///
/// A usage error if the channel has no such kind, or the size or the format is not one that WeCom takes for it.
pub fn check(channel: Channel, kind: MediaKind, head: &[u8], size: u64) -> Result<()> {
    let facts = channel.facts();
    if !kind.is_uploaded_by(channel) {
        let hint = match kind {
            MediaKind::Image => {
                let command = facts.command;
                format!("send the picture with {command} --image, which uploads nothing, or upload it as file")
            }
            _ => "upload it as file".to_owned(),
        };
        let kinds = MsgType::names(facts.types_by_media_id).join(" and ");
        return Err(Error::usage(
            format!("{} takes uploads of the types {kinds}, not {}", facts.noun, kind.as_str()),
            hint,
        ));
    }
    check_content(facts.noun, kind, kind.max_mb(channel), MediaKind::File.max_mb(channel), head, size)
}

/// A warning where the page of the channel allows an upload of this size, and clients of others keep to less: WeCom may
/// refuse it. An aibot's page names 50 MB for every kind (document path 101463).
pub fn doubt_about_size(channel: Channel, kind: MediaKind, size: u64) -> Option<String> {
    let (what, usual) = (kind.as_str(), kind.usual_max_mb());
    (size > usual * MB && size <= kind.max_mb(channel) * MB)
        .then(|| format!("the {what} has {size} bytes: WeCom may refuse more than {usual} MB of this type"))
}

/// Checks the inline picture of a webhook message: JPG or PNG, more than 5 bytes and at most 2 MB before base64.
///
/// # Errors
///
/// A usage error if its size or its format is another.
pub fn check_webhook_image(head: &[u8], size: u64) -> Result<()> {
    check_content("a webhook", MediaKind::Image, WEBHOOK_IMAGE_MB, FILE_MB, head, size)
}

fn check_content(taker: &str, kind: MediaKind, max_mb: u64, file_mb: u64, head: &[u8], size: u64) -> Result<()> {
    let what = kind.as_str();
    if size <= TOO_SHORT {
        return Err(Error::usage(
            format!("the {what} has {size} bytes, and WeCom accepts only more than {TOO_SHORT} bytes"),
            "check that what writes it has finished and did not fail",
        ));
    }
    let max = max_mb * MB;
    if size > max {
        return Err(Error::usage(
            format!("the {what} has {size} bytes, more than the {max_mb} MB ({max} bytes) that {taker} takes"),
            how_to_shrink(size, file_mb),
        ));
    }
    if !kind.takes(sniff(head)) {
        return Err(Error::usage(
            format!("the {what} must be {} by its content, but this is {}", kind.formats(), format::describe(head)),
            format!("{}, or send it as a file: {AS_FILE}", kind.how_to_convert()),
        ));
    }
    Ok(())
}

const AS_FILE: &str = "--file, or --type file for upload-media";

fn how_to_shrink(size: u64, file_mb: u64) -> String {
    if size > file_mb * MB {
        format!("compress or cut it, or send a link to it: WeCom takes {file_mb} MB at the most in any form")
    } else {
        format!("make it smaller, or send it as a file ({AS_FILE}), which may have {file_mb} MB")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Status;

    const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR";
    const JPEG: &[u8] = b"\xff\xd8\xff\xe0\0\x10JFIF";
    const AMR: &[u8] = b"#!AMR\n<\x91\x17";
    const MP4: &[u8] = b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom";
    const TEXT: &[u8] = b"disk full on host-9";

    fn refusal(result: Result<()>) -> (String, String) {
        let error = result.unwrap_err();
        assert_eq!(error.status(), Status::Usage);
        (error.message().to_owned(), error.hint().unwrap().to_owned())
    }

    #[test]
    fn kinds_have_names() {
        for name in ["image", "voice", "video", "file"] {
            assert_eq!(name.parse::<MediaKind>().unwrap().as_str(), name);
        }
        for name in ["", "Image", "images", "a\nb"] {
            let (message, _) = refusal(name.parse::<MediaKind>().map(|_| ()));
            assert!(message.ends_with("image, voice, video or file") && !message.contains('\n'), "{message}");
        }
    }

    #[test]
    fn the_default_kind_follows_content_and_channel() {
        for (head, app, webhook) in [
            (PNG, MediaKind::Image, MediaKind::File),
            (JPEG, MediaKind::Image, MediaKind::File),
            (AMR, MediaKind::Voice, MediaKind::Voice),
            (MP4, MediaKind::Video, MediaKind::File),
            (TEXT, MediaKind::File, MediaKind::File),
            (b"", MediaKind::File, MediaKind::File),
        ] {
            assert_eq!((default_kind(Channel::App, head), default_kind(Channel::Webhook, head)), (app, webhook));
        }
    }

    #[test]
    fn sizes_are_checked_at_their_borders() {
        for (channel, kind, head, mb) in [
            (Channel::App, MediaKind::Image, PNG, 10),
            (Channel::App, MediaKind::Image, JPEG, 10),
            (Channel::App, MediaKind::Voice, AMR, 2),
            (Channel::App, MediaKind::Video, MP4, 10),
            (Channel::App, MediaKind::File, TEXT, 20),
            (Channel::Webhook, MediaKind::Voice, AMR, 2),
            (Channel::Webhook, MediaKind::File, TEXT, 20),
            (Channel::Aibot, MediaKind::Image, PNG, 50),
            (Channel::Aibot, MediaKind::Voice, AMR, 50),
            (Channel::Aibot, MediaKind::File, TEXT, 50),
        ] {
            let max = mb * 1_048_576;
            for size in [6, max] {
                assert!(check(channel, kind, head, size).is_ok(), "{kind:?} {size}");
            }
            let (message, _) = refusal(check(channel, kind, head, 5));
            assert!(message.contains("only more than 5 bytes"), "{message}");
            let (message, hint) = refusal(check(channel, kind, head, max + 1));
            assert!(message.contains(&format!("{} bytes, more than the {mb} MB ({max} bytes)", max + 1)), "{message}");
            assert_eq!(hint.contains("--file"), mb < MediaKind::File.max_mb(channel), "{hint}");
            refusal(check(channel, kind, head, u64::MAX));
            refusal(check(channel, kind, head, 0));
        }
    }

    #[test]
    fn a_size_that_only_the_page_of_aibots_allows_is_doubtful() {
        for (kind, mb) in [(MediaKind::Image, 10), (MediaKind::Voice, 2), (MediaKind::Video, 10), (MediaKind::File, 20)]
        {
            let doubt = |channel, size| doubt_about_size(channel, kind, size).is_some();
            assert!(!doubt(Channel::Aibot, mb << 20) && doubt(Channel::Aibot, (mb << 20) + 1), "{kind:?}");
            assert!(
                !doubt(Channel::App, (mb << 20) + 1) && !doubt(Channel::Aibot, (50 << 20) + 1),
                "an error: {kind:?}"
            );
        }
    }

    #[test]
    fn the_inline_picture_of_a_webhook_is_smaller() {
        for head in [PNG, JPEG] {
            assert!(check_webhook_image(head, 6).is_ok() && check_webhook_image(head, 2_097_152).is_ok());
            refusal(check_webhook_image(head, 5));
            let (message, _) = refusal(check_webhook_image(head, 2_097_153));
            assert!(message.contains("2 MB (2097152 bytes) that a webhook takes"), "{message}");
        }
        refusal(check_webhook_image(b"GIF89a", 6));
    }

    #[test]
    fn formats_are_checked_by_content() {
        for (kind, good) in
            [(MediaKind::Image, [PNG, JPEG]), (MediaKind::Voice, [AMR, AMR]), (MediaKind::Video, [MP4, MP4])]
        {
            for head in [PNG, JPEG, AMR, MP4, TEXT, b"".as_slice()] {
                assert_eq!(check(Channel::App, kind, head, 100).is_ok(), good.contains(&head), "{kind:?} {head:?}");
            }
        }
        let (message, hint) = refusal(check(Channel::App, MediaKind::Voice, b"ID3\x04\0", 100));
        assert_eq!(message, "the voice must be AMR by its content, but this is MP3");
        assert!(hint.contains("ffmpeg") && hint.contains("--file"), "{hint}");
    }

    #[test]
    fn a_webhook_takes_only_voice_and_file() {
        let (message, hint) = refusal(check(Channel::Webhook, MediaKind::Image, PNG, 100));
        assert!(message.contains("voice and file, not image") && hint.contains("--image"), "{message} {hint}");
        let (message, _) = refusal(check(Channel::Webhook, MediaKind::Video, MP4, 100));
        assert!(message.contains("not video"), "{message}");
    }
}
