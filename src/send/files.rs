//! Files to attach after a message, each a part of its own, files to upload, and the rules for both.

use crate::channel::Channel;
use crate::error::{Error, Result};
use crate::input::Attachment;
use crate::message::app::Media;
use crate::message::media::{self, MediaKind};
use crate::message::{Part, PartKind, body_of};

use super::request::{MessageInput, UploadRequest};
use super::target::Target;

/// The placeholder for the media_id that the upload will give.
pub(super) const PENDING_MEDIA_ID: &str = "MEDIA_ID_OF_THE_UPLOAD";

/// Opens the files to send after the message. `names_used` of the names given belong to the message's own file.
pub(super) fn open_all(input: &MessageInput, names_used: usize) -> Result<Vec<Attachment>> {
    let names = input.filename.iter().skip(names_used).map(Some).chain(std::iter::repeat(None));
    let files = input.attach.iter().zip(names);
    files.map(|(path, name)| Attachment::open(path, name.map(String::as_str))).collect()
}

/// The part of an attached file: a picture where the channel takes it as one, else a file.
pub(super) fn part(file: &Attachment, channel: Channel) -> Result<Part> {
    match kind_of(file, channel) {
        MediaKind::Image if channel.has_inline_pictures() => {
            Ok(Part::inline_picture(file.clone(), PartKind::Attachment))
        }
        kind => by_upload(kind, file.clone()),
    }
}

/// A part that is uploaded first.
pub(super) fn by_upload(kind: MediaKind, file: Attachment) -> Result<Part> {
    let body = body_of(kind.msgtype(), &Media { media_id: PENDING_MEDIA_ID.to_owned() });
    let name = Some(media::wire_filename(&file.name));
    Ok(Part { kind: PartKind::Attachment, body, file: Some((kind, file)), name })
}

/// Checks the attached files against the rules of the target's channel.
pub(super) fn check_all(files: &[Attachment], target: &mut Target) -> Result<()> {
    files.iter().try_for_each(|file| {
        check_file(kind_of(file, target.channel), file, target)
            .map_err(|error| error.clone().with_message(format!("--attach {:?}: {}", file.name, error.message())))
    })
}

/// Checks a file against the rules of the target's channel.
pub(super) fn check_file(kind: MediaKind, file: &Attachment, target: &mut Target) -> Result<()> {
    let checked = match kind {
        MediaKind::Image => check_picture(file, target.channel),
        _ => media::check(target.channel, kind, &file.head, file.size),
    };
    checked.or_else(|error| target.refuse(error))?;
    if target.channel.facts().safe && target.settings.safe == Some(1) && kind == MediaKind::File {
        // Confidential files must be of a format that WeCom can show with a watermark.
        let name = media::wire_filename(&file.name);
        if !media::is_safe_format(&name) {
            let formats = media::SAFE_FORMATS.join(", ");
            return target.refuse(Error::usage(
                format!("{name} cannot be sent with --safe: WeCom takes only {formats}"),
                "convert the file, name it with the right ending (--filename), or leave --safe out",
            ));
        }
    }
    Ok(())
}

fn kind_of(file: &Attachment, channel: Channel) -> MediaKind {
    if check_picture(file, channel).is_ok() { MediaKind::Image } else { MediaKind::File }
}

/// Checks a picture, as the channel takes it: in the body itself or uploaded.
pub(super) fn check_picture(file: &Attachment, channel: Channel) -> Result<()> {
    if channel.has_inline_pictures() {
        media::check_webhook_image(&file.head, file.size)
    } else {
        media::check(channel, MediaKind::Image, &file.head, file.size)
    }
}

/// Opens a file to be uploaded for a media_id.
pub(super) fn open_upload(request: &UploadRequest, target: &mut Target) -> Result<(MediaKind, Attachment)> {
    let asked: Option<MediaKind> = request.kind.as_deref().map(str::parse).transpose()?;
    let file = Attachment::open(&request.file, request.filename.as_deref())?;
    let kind = asked.unwrap_or_else(|| media::default_kind(target.channel, &file.head));
    media::check(target.channel, kind, &file.head, file.size).or_else(|error| target.refuse(error))?;
    Ok((kind, file))
}
