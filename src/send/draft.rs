//! What is to be said, before it is made into a message for one target or several.

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::Value;

use crate::alert::Alert;
use crate::channel::Channel;
use crate::config::Settings;
use crate::input::Attachment;
use crate::message::media::MediaKind;

use super::request::Given;

/// Stands for the id that the upload will bring.
pub(super) const PENDING_MEDIA_ID: &str = "MEDIA_ID_OF_THE_UPLOAD";

/// What the message is made of.
#[derive(Debug, Clone)]
pub(crate) struct Draft {
    pub(super) chosen: ChosenType,
    pub(super) material: Material,
    /// Clean; `None` for a type without text, and where an optional text is left out.
    pub(super) text: Option<Arc<String>>,
    /// Files to send behind it.
    pub(super) attached: Vec<Attachment>,
    pub(super) given: Given,
    /// The channel whose type it has.
    pub(super) made_for: Channel,
}

/// What there is besides text.
#[derive(Debug, Clone)]
pub(super) enum Material {
    /// The text is all, in the format of its type; without one there are attachments alone.
    Nothing,
    /// What happened, to be rendered for its type. The text is in it.
    Alert(Box<Alert>),
    /// A whole body, whose strings are never edited.
    Payload(Value),
    /// A file to upload.
    File(MediaKind, Attachment),
    /// A file that was uploaded before.
    MediaId(String),
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
    /// What there is to say: each channel has its own best.
    Best,
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

    /// The best one for an alert, to be found for each channel.
    pub(super) fn best() -> Self {
        Self { name: "text".to_owned(), origin: TypeOrigin::Best }
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

    /// Whether there are attachments alone.
    pub(super) fn is_wordless(&self) -> bool {
        matches!(self.material, Material::Nothing) && self.text.is_none()
    }

    /// The text, the alert as one, or the payload as JSON.
    pub(crate) fn text(&self) -> Option<Cow<'_, str>> {
        match &self.material {
            Material::Payload(body) => Some(Cow::Owned(body.to_string())),
            Material::Alert(alert) => Some(Cow::Owned(alert.text().joined())),
            _ => self.text.as_deref().map(|text| Cow::Borrowed(text.as_str())),
        }
    }

    /// What it says, for a fingerprint: the text, the payload, or what is known of the file. A card's figures and
    /// quotations are part of it; its task id, new for each message, is not.
    pub(crate) fn gist(&self) -> Cow<'_, str> {
        if let Material::Alert(alert) = &self.material {
            return Cow::Owned(alert.without_card().text().joined());
        }
        match (self.text(), &self.material) {
            (Some(text), _) => text,
            (None, Material::File(_, file)) => Cow::Owned(told_of(file)),
            (None, Material::MediaId(id)) => Cow::Borrowed(id),
            (None, _) => Cow::Owned(self.attached.iter().map(told_of).collect::<Vec<_>>().join("\n")),
        }
    }

    /// The media_id of a message about a file, as far as it is known.
    pub(super) fn media_id(&self) -> String {
        match &self.material {
            Material::MediaId(id) => id.clone(),
            _ => PENDING_MEDIA_ID.to_owned(),
        }
    }
}

fn told_of(file: &Attachment) -> String {
    format!("{} {}", file.name(), file.size())
}
