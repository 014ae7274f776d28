//! What the caller asks to be sent: plain data, before anything is read.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::SystemTime;

use crate::alert::Alert;
use crate::channel::Channel;
use crate::config::{Setting, Settings};
use crate::error::Result;
use crate::input::{Encoding, read_data, source_name};
use crate::message::media::MediaKind;

/// A message to be made and sent. What the config file can hold is not here, but in the settings, which also know what
/// was given as an option: options replace fields of a payload, and are refused where the message has no place for them.
#[derive(Debug, Clone)]
pub struct Request {
    /// The channel of the command's own target.
    pub channel: Channel,
    /// Where the message comes from.
    pub input: MessageInput,
    /// The parts of an alert besides its text.
    pub alert: AlertFields,
    /// An alert that is complete already; no input is read then.
    pub own: Option<Alert>,
}

/// Where a message comes from. In paths, `-` is stdin.
#[derive(Debug, Clone, Default)]
pub struct MessageInput {
    /// The text itself.
    pub text: Option<OsString>,
    /// A file with the text.
    pub text_file: Option<PathBuf>,
    /// JSON: the object under the msgtype, or a whole body.
    pub payload: Option<JsonInput>,
    /// A file that is the message: as a picture, a voice recording, a video, or just a file.
    pub file: Option<(MediaKind, PathBuf)>,
    /// The media_id of an earlier upload.
    pub media_id: Option<String>,
    /// The format of a notification: the name of the program that sends it.
    pub from: Option<String>,
    /// JSON for `from` or `template`.
    pub data: Option<JsonInput>,
    /// The file of a template.
    pub template: Option<PathBuf>,
    /// Files to send after the text.
    pub attach: Vec<PathBuf>,
    /// When what the alert tells of began: older files to attach are marked.
    pub attach_since: Option<SystemTime>,
    /// The names to show for the files, in their order.
    pub filename: Vec<String>,
    /// Whether this is all there is: stdin is not read where there is no text.
    pub is_whole: bool,
}

/// Where JSON comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JsonInput {
    /// A file; `-` is stdin.
    File(PathBuf),
    /// It is at hand.
    Given {
        /// What errors call it.
        name: &'static str,
        /// The JSON itself.
        json: String,
    },
}

impl JsonInput {
    /// The file that it is read from, if one is.
    pub fn path(&self) -> Option<&PathBuf> {
        match self {
            Self::File(path) => Some(path),
            Self::Given { .. } => None,
        }
    }

    /// What errors call it.
    pub(super) fn name(&self) -> String {
        match self {
            Self::File(path) => source_name(path),
            Self::Given { name, .. } => (*name).to_owned(),
        }
    }

    /// Reads it, decoded and not cleaned; warnings of that go to `warnings`.
    pub(super) fn read(&self, encoding: Encoding, warnings: &mut Vec<String>) -> Result<String> {
        match self {
            Self::File(path) => {
                let read = read_data(path, encoding)?;
                warnings.extend(read.warnings);
                Ok(read.text)
            }
            Self::Given { json, .. } => Ok(json.clone()),
        }
    }
}

impl MessageInput {
    /// Whether all of it is at hand: no file, pipe or stdin has to be read.
    fn is_at_hand(&self) -> bool {
        let Self { text, text_file, payload, file, media_id, from: _, data, template, attach, .. } = self;
        let is_file = |json: &Option<JsonInput>| matches!(json, Some(JsonInput::File(_)));
        let has_source = self.is_whole || text.is_some() || payload.is_some() || data.is_some() || media_id.is_some();
        let reads = text_file.is_some() || is_file(payload) || is_file(data) || file.is_some() || template.is_some();
        has_source && !reads && attach.is_empty()
    }
}

/// The parts of an alert, as options give them. Title, link, picture and prefix are settings.
#[derive(Debug, Clone, Default)]
pub struct AlertFields {
    /// The severity.
    pub level: Option<String>,
    /// Facts, `key=value` each.
    pub field: Vec<String>,
    /// The CI system whose run is described; `auto` detects it.
    pub ci: Option<String>,
    /// The template card to send it as.
    pub card: Option<String>,
    /// The sender shown on a card.
    pub source: Option<String>,
    /// One large figure of a card, `TITLE=DESC`.
    pub emphasis: Option<String>,
    /// A quotation on a card.
    pub quote: Option<String>,
    /// Further links of a card, `TITLE=URL` each.
    pub jump: Vec<String>,
    /// Buttons of a card, `KEY=TEXT[:STYLE]` each.
    pub button: Vec<String>,
    /// What can be chosen on a card, `ID=TEXT` each.
    pub option: Vec<String>,
    /// The id of a card in events.
    pub task_id: Option<String>,
}

/// A file to be uploaded for a media_id.
#[derive(Debug, Clone)]
pub struct UploadRequest {
    /// `-` is stdin.
    pub file: PathBuf,
    /// Whose media it is; `None`: that of the channel which the profile has.
    pub channel: Option<Channel>,
    /// What it is; `None`: by its content.
    pub kind: Option<String>,
    /// The name to show.
    pub filename: Option<String>,
}

impl Request {
    /// An empty request for this channel.
    pub fn new(channel: Channel) -> Self {
        Self { channel, input: MessageInput::default(), alert: AlertFields::default(), own: None }
    }

    /// A text message.
    pub fn text(channel: Channel, text: impl Into<OsString>) -> Self {
        let input = MessageInput { text: Some(text.into()), ..MessageInput::default() };
        Self { input, ..Self::new(channel) }
    }

    /// A complete alert.
    pub fn alert(channel: Channel, alert: Alert) -> Self {
        Self { own: Some(alert), ..Self::new(channel) }
    }

    /// Whether all that it is made of is at hand: no file, pipe or stdin has to be read.
    pub(super) fn is_at_hand(&self) -> bool {
        match self.own {
            Some(_) => self.input.attach.is_empty(),
            None => self.input.is_at_hand(),
        }
    }

    /// The first option given that only an alert can show.
    pub(crate) fn first_alert_option(&self, settings: &Settings) -> Option<&'static str> {
        let is_option = |setting| settings.is_option(setting);
        let options = [
            ("--title", is_option(Setting::Title)),
            ("--level", self.alert.level.is_some()),
            ("--field", !self.alert.field.is_empty()),
            ("--url", is_option(Setting::Url)),
            ("--btntxt", is_option(Setting::Btntxt)),
            ("--picurl", is_option(Setting::Picurl)),
            ("--ci", self.alert.ci.is_some()),
            ("--card", self.alert.card.is_some()),
        ];
        first_given(&options).or_else(|| self.alert.first_card_option())
    }
}

impl AlertFields {
    /// The first option given that only a card can show.
    pub(super) fn first_card_option(&self) -> Option<&'static str> {
        first_given(&[
            ("--source", self.source.is_some()),
            ("--emphasis", self.emphasis.is_some()),
            ("--quote", self.quote.is_some()),
            ("--jump", !self.jump.is_empty()),
            ("--button", !self.button.is_empty()),
            ("--option", !self.option.is_empty()),
            ("--task-id", self.task_id.is_some()),
        ])
    }
}

/// The first of these that is given.
pub(super) fn first_given(options: &[(&'static str, bool)]) -> Option<&'static str> {
    options.iter().find(|(_, given)| *given).map(|(option, _)| *option)
}
