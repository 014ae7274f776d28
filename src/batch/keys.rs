//! The keys that a line of a batch may have: the options of a send by their names, with `_`. Pure.

use crate::config::{CONTENT, OptionGroup, Setting};
use crate::error::{Error, Result};
use crate::message::media::MediaKind;
use crate::suggest::{is_near, nearest};

/// What a key is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LineField {
    Id,
    Route,
    Setting(Setting),
    Text,
    Payload,
    From,
    Data,
    Template,
    TextFile,
    File(MediaKind),
    MediaId,
    Attach,
    Filename,
    Level,
    Field,
    Ci,
    Card,
    Source,
    Emphasis,
    Quote,
    Jump,
    Button,
    Option,
    TaskId,
}

/// A key, as it was found.
pub(super) enum Key {
    Known(LineField),
    /// It is none, and this one is near.
    Unknown {
        nearest: Option<&'static str>,
    },
}

/// The keys that are no settings.
const OWN: [(&str, LineField); 26] = [
    ("id", LineField::Id),
    ("route", LineField::Route),
    ("text", LineField::Text),
    ("payload", LineField::Payload),
    ("from", LineField::From),
    ("data", LineField::Data),
    ("template", LineField::Template),
    ("text_file", LineField::TextFile),
    ("image", LineField::File(MediaKind::Image)),
    ("file", LineField::File(MediaKind::File)),
    ("voice", LineField::File(MediaKind::Voice)),
    ("video", LineField::File(MediaKind::Video)),
    ("media_id", LineField::MediaId),
    ("attach", LineField::Attach),
    ("filename", LineField::Filename),
    ("level", LineField::Level),
    ("field", LineField::Field),
    ("ci", LineField::Ci),
    ("card", LineField::Card),
    ("source", LineField::Source),
    ("emphasis", LineField::Emphasis),
    ("quote", LineField::Quote),
    ("jump", LineField::Jump),
    ("button", LineField::Button),
    ("option", LineField::Option),
    ("task_id", LineField::TaskId),
];

/// Finds a key.
///
/// # Errors
///
/// Usage for a setting that is not a line's to decide: credentials, connections, and what the whole command has.
pub(super) fn find(name: &str) -> Result<Key> {
    if let Some((_, place)) = OWN.iter().find(|(own, _)| *own == name) {
        return Ok(Key::Known(*place));
    }
    match name.parse::<Setting>() {
        Ok(setting) if is_of_a_line(setting) => Ok(Key::Known(LineField::Setting(setting))),
        Ok(setting) => Err(refused(name, setting)),
        Err(_) => {
            let known = nearest(name, names()).filter(|known| is_near(name, known));
            Ok(Key::Unknown { nearest: known })
        }
    }
}

/// Whether a setting is about the message itself, and differs from line to line.
pub(super) fn is_content(setting: Setting) -> bool {
    CONTENT.contains(&setting)
}

/// All keys that a line may have.
fn names() -> impl Iterator<Item = &'static str> {
    let settings = Setting::ALL.iter().filter(|setting| is_of_a_line(**setting)).map(|setting| setting.name());
    OWN.iter().map(|(name, _)| *name).chain(settings)
}

/// Whether a line may decide it: message, recipients, delivery, and which profile.
fn is_of_a_line(setting: Setting) -> bool {
    let row = setting.row();
    let of_the_alert = [Setting::Profile, Setting::Deadline, Setting::Retries, Setting::Language, Setting::NoValidate];
    of_the_alert.contains(&setting)
        || !matches!(row.group, OptionGroup::Global | OptionGroup::Asking) && !row.option.is_empty()
}

fn refused(name: &str, setting: Setting) -> Error {
    let (what, hint) = match setting.row().option {
        "" => ("is not for an alert to decide", "it belongs in the config file: let the line name its profile"),
        _ => (
            "is of the whole command, and is not for an alert to decide",
            "give it as an option, or let the line name a profile",
        ),
    };
    Error::usage(format!("{name} {what}"), hint)
}
