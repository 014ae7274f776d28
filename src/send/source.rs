//! What a message is made of, decided from the options alone: nothing is read here.

use std::io::IsTerminal;
use std::path::PathBuf;

use crate::error::{Error, Result};
use crate::feed::Format;
use crate::input::{TextSource, is_stdin};
use crate::message::media::MediaKind;

use super::request::Content;

/// What gives the message.
#[derive(Debug)]
pub(super) enum Source {
    /// Text alone.
    Text,
    /// JSON.
    Payload(PathBuf),
    /// A file to upload.
    File(MediaKind, PathBuf),
    /// A file that was uploaded before.
    MediaId(String),
    /// JSON of a machine, or a template filled from JSON.
    Feed(Feed),
}

/// Where JSON is read from and what is made of it.
#[derive(Debug)]
pub(super) struct Feed {
    /// The file, or `-` for stdin.
    pub(super) data: PathBuf,
    /// Whose notification it is; `None` for any JSON.
    pub(super) format: Option<Format>,
    pub(super) template: Option<PathBuf>,
}

impl Source {
    /// Decides, and refuses options that contradict each other.
    pub(super) fn of(args: &Content) -> Result<Self> {
        let file = own_file(args);
        let feed = feed(args)?;
        refuse_names_too_many(args, usize::from(file.is_some()) + args.attach.len())?;
        let data = feed.as_ref().map(|feed| &feed.data);
        let paths = [&args.text_file, &args.payload].into_iter().flatten().chain(data);
        let paths = paths.chain(file.as_ref().map(|(_, path)| *path)).chain(&args.attach);
        if paths.filter(|path| is_stdin(path)).count() > 1 {
            return Err(Error::usage("stdin can only be read once", "give one of the two as a file"));
        }
        if let Some(feed) = feed {
            refuse_beside_feed(args, file.is_some())?;
            return Ok(Self::Feed(feed));
        }
        if let Some(path) = &args.payload {
            if file.is_some() || args.media_id.is_some() {
                return Err(Error::usage(
                    "--payload does not go with a file or --media-id",
                    "put the media_id into the payload; upload-media prints it",
                ));
            }
            return Ok(Self::Payload(path.clone()));
        }
        Ok(match (file, &args.media_id) {
            (Some((kind, path)), _) => Self::File(kind, path.clone()),
            (None, Some(id)) => Self::MediaId(id.clone()),
            (None, None) => Self::Text,
        })
    }

    /// What this source implies for the msgtype, and the option that does so.
    pub(super) fn implied(&self) -> Option<(&'static str, &'static str)> {
        match self {
            Self::File(MediaKind::Image, _) => Some(("image", "--image")),
            Self::File(MediaKind::Voice, _) => Some(("voice", "--voice")),
            Self::File(MediaKind::Video, _) => Some(("video", "--video")),
            Self::File(MediaKind::File, _) => Some(("file", "--file")),
            Self::Text | Self::Payload(_) | Self::MediaId(_) | Self::Feed(_) => None,
        }
    }
}

/// What `--from`, `--data` and `--template` say together.
fn feed(args: &Content) -> Result<Option<Feed>> {
    let format = args.from.as_deref().map(str::parse).transpose()?;
    let data = match (&args.data, &args.template) {
        (Some(_), None) if format.is_none() => {
            return Err(Error::usage(
                "--data alone says nothing",
                "add --template FILE to make a text of it, or --from if it is a notification",
            ));
        }
        (None, Some(_)) if format.is_none() => {
            return Err(Error::usage("--template has no data", "give it as JSON with --data FILE; - is stdin"));
        }
        (None, None) if format.is_none() => return Ok(None),
        (Some(data), _) => data.clone(),
        (None, _) => PathBuf::from("-"),
    };
    Ok(Some(Feed { data, format, template: args.template.clone() }))
}

fn refuse_beside_feed(args: &Content, has_file: bool) -> Result<()> {
    let given = [
        ("CONTENT", args.text.is_some()),
        ("--text-file", args.text_file.is_some()),
        ("--payload", args.payload.is_some()),
        ("--media-id", args.media_id.is_some()),
        ("a file of its own", has_file),
    ];
    let Some((what, _)) = given.into_iter().find(|(_, given)| *given) else { return Ok(()) };
    let own = if args.template.is_some() { "--template" } else { "--from" };
    Err(Error::usage(
        format!("{what} does not go with {own}, which makes the text"),
        "leave one of the two out; a file goes behind the text with --attach",
    ))
}

/// The file that the message itself is about.
fn own_file(args: &Content) -> Option<(MediaKind, &PathBuf)> {
    let files = [
        (MediaKind::Image, &args.image),
        (MediaKind::File, &args.file),
        (MediaKind::Voice, &args.voice),
        (MediaKind::Video, &args.video),
    ];
    files.into_iter().find_map(|(kind, path)| Some((kind, path.as_ref()?)))
}

fn refuse_names_too_many(args: &Content, files: usize) -> Result<()> {
    match (args.filename.len(), files) {
        (names, files) if names <= files => Ok(()),
        (_, 0) => Err(Error::usage(
            "--filename has no file to name",
            "give it together with --attach, --image, --file, --voice or --video",
        )),
        (names, files) => Err(Error::usage(
            format!("there are {names} --filename for {files} of the files"),
            "give one for each file, in the order of the files",
        )),
    }
}

/// Text that was asked for by name: CONTENT or `--text-file`.
pub(super) fn named_text(args: &Content) -> Option<TextSource<'_>> {
    match (&args.text, &args.text_file) {
        (Some(content), _) => Some(TextSource::Argument(content)),
        (None, Some(path)) => Some(TextSource::from_path(path)),
        (None, None) => None,
    }
}

/// Text from stdin, where nobody would have to type it and nothing else reads it.
pub(super) fn piped_text(args: &Content) -> Option<TextSource<'static>> {
    let is_taken = args.attach.iter().any(|path| is_stdin(path));
    (!is_taken && !std::io::stdin().is_terminal()).then_some(TextSource::Stdin)
}
