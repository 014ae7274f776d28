//! The keys that a line of a batch may have: the options of a send by their names, with `_`. Pure.

use crate::config::{CONTENT, OptionGroup, Setting};
use crate::error::{Error, Result};
use crate::message::media::MediaKind;
use crate::suggest::{is_near, nearest};

/// What a key is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
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
    Known(Place),
    /// It is none, and this one is near.
    Unknown {
        nearest: Option<&'static str>,
    },
}

/// The keys that are no settings.
const OWN: [(&str, Place); 26] = [
    ("id", Place::Id),
    ("route", Place::Route),
    ("text", Place::Text),
    ("payload", Place::Payload),
    ("from", Place::From),
    ("data", Place::Data),
    ("template", Place::Template),
    ("text_file", Place::TextFile),
    ("image", Place::File(MediaKind::Image)),
    ("file", Place::File(MediaKind::File)),
    ("voice", Place::File(MediaKind::Voice)),
    ("video", Place::File(MediaKind::Video)),
    ("media_id", Place::MediaId),
    ("attach", Place::Attach),
    ("filename", Place::Filename),
    ("level", Place::Level),
    ("field", Place::Field),
    ("ci", Place::Ci),
    ("card", Place::Card),
    ("source", Place::Source),
    ("emphasis", Place::Emphasis),
    ("quote", Place::Quote),
    ("jump", Place::Jump),
    ("button", Place::Button),
    ("option", Place::Option),
    ("task_id", Place::TaskId),
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
        Ok(setting) if is_of_a_line(setting) => Ok(Key::Known(Place::Setting(setting))),
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
        "" => ("is no line's to decide", "it belongs in the config file: let the line name its profile"),
        _ => {
            ("is of the whole command, and no line's to decide", "give it as an option, or let the line name a profile")
        }
    };
    Error::usage(format!("{name} {what}"), hint)
}
