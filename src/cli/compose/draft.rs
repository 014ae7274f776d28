//! What is to be said, before it is made into a message for one target or several.

use std::borrow::Cow;

use serde_json::Value;

use wecom_alert::config::Settings;
use wecom_alert::input::Attachment;
use wecom_alert::message::Route;
use wecom_alert::message::media::MediaKind;

/// Stands for the id that the upload will bring.
const PENDING_MEDIA_ID: &str = "MEDIA_ID_OF_THE_UPLOAD";

/// What the message is made of.
#[derive(Debug, Clone)]
pub(crate) struct Draft {
    pub(super) chosen: ChosenType,
    pub(super) material: Material,
    /// Clean; `None` for a type without text, and where an optional text is left out.
    pub(super) text: Option<String>,
    pub(super) by_option: ByOption,
    /// The route whose type it has.
    pub(super) made_for: Route,
}

/// What there is besides text.
#[derive(Debug, Clone)]
pub(super) enum Material {
    Nothing,
    /// A whole body, whose strings are never edited.
    Payload(Value),
    /// A file to upload.
    File(MediaKind, Attachment),
    /// A file that was uploaded before.
    MediaId(String),
}

/// Which settings were given as options of this command: those beat what a payload says, and must have a place.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct ByOption {
    pub(super) safe: bool,
    pub(super) id_trans: bool,
    pub(super) duplicate_check: bool,
    pub(super) mentions: bool,
}

/// What made a message the type that it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum TypeOrigin {
    /// `-t`, or an option that implies it.
    Option,
    /// The settings, at this place.
    Settings(String),
    /// Nothing at all.
    Default,
}

/// The type of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ChosenType {
    pub(super) name: String,
    pub(super) origin: TypeOrigin,
}

impl ChosenType {
    pub(super) fn by_option(name: &str) -> Self {
        Self { name: name.to_owned(), origin: TypeOrigin::Option }
    }

    pub(super) fn by_settings(settings: &Settings) -> Self {
        match &settings.msgtype {
            Some(msgtype) => Self { name: msgtype.value.clone(), origin: TypeOrigin::Settings(msgtype.origin.clone()) },
            None => Self { name: "text".to_owned(), origin: TypeOrigin::Default },
        }
    }
}

impl Draft {
    /// The type of the message.
    pub(crate) fn msgtype(&self) -> &str {
        match &self.material {
            Material::Payload(body) => body.get("msgtype").and_then(Value::as_str).unwrap_or(&self.chosen.name),
            _ => &self.chosen.name,
        }
    }

    /// Whether its text is the program's to edit.
    pub(crate) fn is_payload(&self) -> bool {
        matches!(self.material, Material::Payload(_))
    }

    /// The text, or the payload as JSON.
    pub(crate) fn text(&self) -> Option<Cow<'_, str>> {
        match &self.material {
            Material::Payload(body) => Some(Cow::Owned(body.to_string())),
            _ => self.text.as_deref().map(Cow::Borrowed),
        }
    }

    /// What it says, for a fingerprint: the text, the payload, or what is known of the file.
    pub(crate) fn gist(&self) -> Cow<'_, str> {
        match (self.text(), &self.material) {
            (Some(text), _) => text,
            (None, Material::File(_, file)) => Cow::Owned(format!("{} {}", file.name(), file.size())),
            (None, Material::MediaId(id)) => Cow::Borrowed(id),
            (None, Material::Nothing | Material::Payload(_)) => Cow::Borrowed(""),
        }
    }

    /// The media_id of a message about a file, as far as it is known.
    pub(super) fn media_id(&self) -> String {
        match &self.material {
            Material::MediaId(id) => id.clone(),
            _ => PENDING_MEDIA_ID.to_owned(),
        }
    }

    /// The same with a line before its text, where it has a text of ours.
    pub(super) fn led_by(mut self, lead: Option<&str>) -> Self {
        if let (Some(lead), Some(text)) = (lead, &mut self.text) {
            // In markdown_v2 a single line break does not end a paragraph.
            let between = if self.chosen.name == "markdown_v2" { "\n\n" } else { "\n" };
            *text = format!("{lead}{between}{text}");
        }
        self
    }
}
