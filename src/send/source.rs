//! Decides only from the options where a message comes from: text, payload, file or notification. Reads nothing.

use std::path::PathBuf;

use crate::error::{Error, Result};
use crate::feed::FeedFormat;
use crate::input::is_stdin;
use crate::message::media::MediaKind;

use super::request::{JsonInput, MessageInput, first_given};

/// What a message comes from.
#[derive(Debug, Clone)]
pub(super) enum MessageSource {
    /// Only text.
    Text,
    /// JSON: a whole body, or the object under the msgtype.
    Payload(JsonInput),
    /// A file to upload.
    File(MediaKind, PathBuf),
    /// A file that was uploaded before.
    MediaId(String),
    /// A notification of another program, or a template filled from JSON.
    Feed(FeedSource),
}

/// Where JSON is read from and what is made of it.
#[derive(Debug, Clone)]
pub(super) struct FeedSource {
    /// The JSON.
    pub(super) data: JsonInput,
    /// The format of the notification; `None` for any JSON.
    pub(super) format: Option<FeedFormat>,
    pub(super) template: Option<PathBuf>,
}

impl MessageSource {
    /// Chooses the source, and refuses options that contradict each other.
    pub(super) fn of(input: &MessageInput) -> Result<Self> {
        let feed = feed(input)?;
        refuse_names_too_many(input)?;
        let data = feed.as_ref().and_then(|feed| feed.data.path());
        let payload = input.payload.as_ref().and_then(JsonInput::path);
        let file = input.file.as_ref().map(|(_, path)| path);
        let paths = input.text_file.iter().chain(payload).chain(data).chain(file).chain(&input.attach);
        if paths.filter(|path| is_stdin(path)).count() > 1 {
            return Err(Error::usage("stdin can only be read once", "give one of the two as a file"));
        }
        if let Some(feed) = feed {
            refuse_beside_feed(input)?;
            return Ok(Self::Feed(feed));
        }
        if let Some(payload) = &input.payload {
            if input.file.is_some() || input.media_id.is_some() {
                return Err(Error::usage(
                    "--payload does not go with a file or --media-id",
                    "put the media_id into the payload; upload-media prints it",
                ));
            }
            return Ok(Self::Payload(payload.clone()));
        }
        Ok(match (&input.file, &input.media_id) {
            (Some((kind, path)), _) => Self::File(*kind, path.clone()),
            (None, Some(id)) => Self::MediaId(id.clone()),
            (None, None) => Self::Text,
        })
    }
}

/// What `--from`, `--data` and `--template` say together.
fn feed(input: &MessageInput) -> Result<Option<FeedSource>> {
    let format = input.from.as_deref().map(str::parse).transpose()?;
    let data = match (&input.data, &input.template) {
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
        (None, _) => JsonInput::File(PathBuf::from("-")),
    };
    Ok(Some(FeedSource { data, format, template: input.template.clone() }))
}

fn refuse_beside_feed(input: &MessageInput) -> Result<()> {
    let given = first_given(&[
        ("CONTENT", input.text.is_some()),
        ("--text-file", input.text_file.is_some()),
        ("--payload", input.payload.is_some()),
        ("--media-id", input.media_id.is_some()),
        ("a file of its own", input.file.is_some()),
    ]);
    let Some(what) = given else { return Ok(()) };
    let own = if input.template.is_some() { "--template" } else { "--from" };
    Err(Error::usage(
        format!("{what} does not go with {own}, which makes the text"),
        "leave one of the two out; a file follows the text with --attach",
    ))
}

fn refuse_names_too_many(input: &MessageInput) -> Result<()> {
    match (input.filename.len(), usize::from(input.file.is_some()) + input.attach.len()) {
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
