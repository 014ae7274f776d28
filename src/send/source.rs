//! Where a message comes from: decided from the options alone, and its text read from there.

use std::io::IsTerminal;
use std::path::PathBuf;

use crate::channel::MsgType;
use crate::config::Settings;
use crate::error::{Error, Result};
use crate::feed::Format;
use crate::input::{TextOptions, TextSource, is_blank, is_stdin, read_text};
use crate::message::media::MediaKind;

use super::request::{MessageInput, Request};

/// What gives the message.
#[derive(Debug)]
pub(super) enum MessageSource {
    /// Text alone.
    Text,
    /// JSON.
    Payload(PathBuf),
    /// A file to upload.
    File(MediaKind, PathBuf),
    /// A file that was uploaded before.
    MediaId(String),
    /// JSON of a machine, or a template filled from JSON.
    Feed(FeedSource),
}

/// Where JSON is read from and what is made of it.
#[derive(Debug)]
pub(super) struct FeedSource {
    /// The file, or `-` for stdin.
    pub(super) data: PathBuf,
    /// Whose notification it is; `None` for any JSON.
    pub(super) format: Option<Format>,
    pub(super) template: Option<PathBuf>,
}

impl MessageSource {
    /// Decides, and refuses options that contradict each other.
    pub(super) fn of(args: &MessageInput) -> Result<Self> {
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
    pub(super) fn implied(&self) -> Option<(MsgType, &'static str)> {
        let Self::File(kind, _) = self else { return None };
        let option = match kind {
            MediaKind::Image => "--image",
            MediaKind::Voice => "--voice",
            MediaKind::Video => "--video",
            MediaKind::File => "--file",
        };
        Some((kind.msgtype(), option))
    }
}

/// What `--from`, `--data` and `--template` say together.
fn feed(args: &MessageInput) -> Result<Option<FeedSource>> {
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
    Ok(Some(FeedSource { data, format, template: args.template.clone() }))
}

fn refuse_beside_feed(args: &MessageInput, has_file: bool) -> Result<()> {
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
fn own_file(args: &MessageInput) -> Option<(MediaKind, &PathBuf)> {
    let files = [
        (MediaKind::Image, &args.image),
        (MediaKind::File, &args.file),
        (MediaKind::Voice, &args.voice),
        (MediaKind::Video, &args.video),
    ];
    files.into_iter().find_map(|(kind, path)| Some((kind, path.as_ref()?)))
}

fn refuse_names_too_many(args: &MessageInput, files: usize) -> Result<()> {
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
pub(super) fn named_text(args: &MessageInput) -> Option<TextSource<'_>> {
    match (&args.text, &args.text_file) {
        (Some(content), _) => Some(TextSource::Argument(content)),
        (None, Some(path)) => Some(TextSource::from_path(path)),
        (None, None) => None,
    }
}

/// Text from stdin, where nobody would have to type it and nothing else reads it.
pub(super) fn piped_text(args: &MessageInput) -> Option<TextSource<'static>> {
    let is_taken = args.attach.iter().any(|path| is_stdin(path));
    (!is_taken && !std::io::stdin().is_terminal()).then_some(TextSource::Stdin)
}

/// Whether a message has text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TextRule {
    Required,
    Optional,
    /// This type has none.
    None(MsgType),
}

/// What came of the text.
pub(super) enum Body {
    Text(String),
    Absent,
    Skipped,
}

/// Reads the text that the type needs, from where the options say.
pub(super) fn read_body(
    request: &Request,
    rule: TextRule,
    source: &MessageSource,
    settings: &Settings,
    warnings: &mut Vec<String>,
) -> Result<Body> {
    let named = named_text(&request.content);
    if let TextRule::None(msgtype) = rule {
        return match named {
            None => Ok(Body::Absent),
            Some(_) => Err(Error::usage(
                format!("a message of type {} has no text", msgtype.as_str()),
                "send the text with a command of its own, or the text itself with the file behind it: --attach",
            )),
        };
    }
    // Nothing is taken from stdin where something else gives the message.
    let piped = if matches!(source, MessageSource::Text) { piped_text(&request.content) } else { None };
    let is_named = named.is_some();
    let Some(from) = named.or(piped) else {
        return match rule {
            TextRule::Required => Err(no_text()),
            _ => Ok(Body::Absent),
        };
    };
    let text = read(&from, request, settings, warnings)?;
    unless_empty(text, request, settings, || match rule {
        TextRule::Optional if !is_named => Ok(Body::Absent),
        _ => Err(empty_text(&from)),
    })
}

/// The text, or what was asked for where it is of white space alone; `empty` says what becomes of that otherwise.
pub(super) fn unless_empty(
    text: String,
    request: &Request,
    settings: &Settings,
    empty: impl FnOnce() -> Result<Body>,
) -> Result<Body> {
    if !is_blank(&text) {
        return Ok(Body::Text(text));
    }
    match &settings.if_empty {
        _ if request.skip_empty => Ok(Body::Skipped),
        Some(instead) if !is_blank(instead) => Ok(Body::Text(crate::input::clean(instead))),
        _ if settings.skip_empty => Ok(Body::Skipped),
        _ => empty(),
    }
}

fn read(from: &TextSource<'_>, request: &Request, settings: &Settings, warnings: &mut Vec<String>) -> Result<String> {
    let read =
        read_text(from, &TextOptions { encoding: settings.encoding, escapes: request.escapes || settings.escapes })?;
    warnings.extend(read.warnings);
    Ok(read.text)
}

fn no_text() -> Error {
    Error::usage(
        "there is no text to send: no CONTENT was given and stdin is a terminal",
        "give the text as an argument, pipe it in, or name a file with --text-file",
    )
}

fn empty_text(from: &TextSource<'_>) -> Error {
    let place = match from {
        TextSource::Argument(_) => "CONTENT".to_owned(),
        TextSource::File(path) => format!("{path:?}"),
        TextSource::Stdin => "stdin".to_owned(),
    };
    Error::usage(
        format!("the text is empty: {place} holds nothing but white space"),
        "check the command before the pipe; --skip-empty passes empty text over, --if-empty TEXT sends that instead",
    )
}
