//! Files to attach after a message, each a part of its own, files to upload, and the rules for both.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;
use std::time::{Duration, SystemTime};

use crate::channel::Channel;
use crate::clock;
use crate::error::{Error, Result};
use crate::input::Attachment;
use crate::message::app::Media;
use crate::message::media::{self, MediaKind};
use crate::message::{Part, PartKind, body_of};
use crate::words::{MissingFile, Words};

use super::request::{MessageInput, UploadRequest};
use super::target::{LostPart, Target};

/// The placeholder for the media_id that the upload will give.
pub(super) const PENDING_MEDIA_ID: &str = "MEDIA_ID_OF_THE_UPLOAD";

/// Opens the files to send after the message. `names_used` of the names given belong to the message's own file. Nothing is
/// waited for longer than that time.
pub(super) fn open_all(
    input: &MessageInput,
    names_used: usize,
    patience: Duration,
) -> (Vec<Attachment>, Vec<LostPart>) {
    let names = input.filename.iter().skip(names_used).map(String::as_str).chain(std::iter::repeat(""));
    // An empty path or name is that of an empty variable: ignored.
    let given = input.attach.iter().zip(names).filter(|(path, _)| !path.as_os_str().is_empty());
    let (mut files, mut lost) = (Vec::new(), Vec::new());
    for (path, name) in given {
        let name = Some(name).filter(|name| !name.trim().is_empty());
        match Attachment::open_within(path, name, patience) {
            Ok(file) => files.push(file),
            Err(error) => {
                let own = || path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
                let file = Some(name.map_or_else(own, str::to_owned));
                lost.push(LostPart { file, missing: why_missing(path), error });
            }
        }
    }
    (files, lost)
}

/// Why a file could not be opened.
fn why_missing(path: &Path) -> MissingFile {
    let failed = match path.metadata() {
        Ok(about) if about.is_dir() => return MissingFile::Folder,
        // What is no plain file may block.
        Ok(about) if about.is_file() => File::open(path).err(),
        Ok(_) => None,
        Err(error) => Some(error),
    };
    match failed.map(|error| error.kind()) {
        Some(io::ErrorKind::NotFound) => MissingFile::Absent,
        Some(io::ErrorKind::PermissionDenied) => MissingFile::Forbidden,
        _ => MissingFile::Unusable,
    }
}

/// What the alert says of files: those that are missing, and those that were there before what it tells of began.
pub(super) fn notes<'a>(
    attached: &'a [Attachment],
    lost: &'a [LostPart],
    since: Option<SystemTime>,
    words: &'a Words,
) -> impl Iterator<Item = String> {
    // The times of some file systems count in steps of two seconds.
    const STEP: Duration = Duration::from_secs(2);
    let is_old = move |file: &&Attachment| match (file.modified, since) {
        (Some(modified), Some(since)) => modified.checked_add(STEP).is_some_and(|at| at < since),
        _ => false,
    };
    let old = attached.iter().filter(is_old).filter_map(|file| {
        let written = clock::date(file.modified?);
        Some((words.old_file)(&file.name, &written))
    });
    let missing = lost.iter().map(|lost| {
        let name = lost.file.as_deref().unwrap_or_default();
        (words.missing_file)(name, lost.missing, &lost.told(""))
    });
    missing.chain(old)
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
    Ok(Part::new(PartKind::Attachment, body, Some((kind, file)), name))
}

/// Takes out the attached files that break a rule of the target's channel.
pub(super) fn take_out_refused(files: &mut Vec<Attachment>, target: &mut Target) -> Vec<LostPart> {
    let mut lost = Vec::new();
    files.retain(|file| match check_file(kind_of(file, target.channel), file, target) {
        Ok(()) => true,
        Err(error) => {
            let missing = match file.size {
                ..=media::TOO_SHORT => MissingFile::Empty,
                size if size > MediaKind::File.max_mb(target.channel) * media::MB => MissingFile::TooLarge,
                _ => MissingFile::Unusable,
            };
            lost.push(LostPart { file: Some(file.name.clone()), missing, error });
            false
        }
    });
    lost
}

/// Checks a file against the rules of the target's channel.
pub(super) fn check_file(kind: MediaKind, file: &Attachment, target: &mut Target) -> Result<()> {
    let checked = match kind {
        MediaKind::Image => check_picture(file, target.channel),
        _ => media::check(target.channel, kind, &file.head, file.size),
    };
    checked.and_then(|()| check_length(kind, file)).or_else(|error| target.refuse(error))?;
    warn_of_doubts(kind, file, target);
    if target.channel.facts().highest_safe > 0 && target.settings.safe == Some(1) && kind == MediaKind::File {
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
    let is_picture =
        check_picture(file, channel).is_ok() && media::doubt_about_size(channel, MediaKind::Image, file.size).is_none();
    if is_picture { MediaKind::Image } else { MediaKind::File }
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
    let checked = media::check(target.channel, kind, &file.head, file.size).and_then(|()| check_length(kind, &file));
    checked.or_else(|error| target.refuse(error))?;
    warn_of_doubts(kind, &file, target);
    Ok((kind, file))
}

/// Checks how long a voice message plays. Its size has been checked before.
fn check_length(kind: MediaKind, file: &Attachment) -> Result<()> {
    if kind != MediaKind::Voice {
        return Ok(());
    }
    let seconds = media::amr_seconds(&file.read_all(file.size)?);
    if seconds <= media::MAX_VOICE_SECONDS {
        return Ok(());
    }
    Err(Error::usage(
        format!("the voice plays {seconds} s, more than the {} s that WeCom takes", media::MAX_VOICE_SECONDS),
        "shorten it (ffmpeg -i INPUT -ar 8000 -ac 1 -t 60 OUTPUT.amr), or send it as a file (--file)",
    ))
}

/// What WeCom may refuse is sent: it may take it. What a picture that lacks its end shows may be enough.
fn warn_of_doubts(kind: MediaKind, file: &Attachment, target: &mut Target) {
    target.warnings.extend(media::doubt_about_size(target.channel, kind, file.size));
    let mut tail = Vec::new();
    if kind == MediaKind::Image
        && file.tail(media::TAIL_LEN).read_to_end(&mut tail).is_ok()
        && media::is_cut_off(&file.head, &tail)
    {
        target
            .warnings
            .push(format!("the picture {} is cut off: its end is missing", media::wire_filename(&file.name)));
    }
}
