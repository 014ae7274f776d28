//! The type of a message: chosen from options and settings, and checked against channel and content.

use crate::alert::Alert;
use crate::channel::{Channel, MadeOf, MsgType};
use crate::config::{Precedence, Setting, Settings};
use crate::error::{Error, Result, Status};

use super::request::Request;
use super::source::MessageSource;
use super::target::Target;

/// Where the type of a message comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum TypeOrigin {
    /// `-t`, or an option that implies it.
    Option,
    /// The settings, at this place.
    Settings(String),
    /// None: text.
    Default,
    /// None: the best for an alert, which each channel has its own of.
    Best,
}

/// The type that was asked for or is implied. Its name may be unknown here: a payload of that type can still be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ChosenType {
    pub(super) name: String,
    pub(super) origin: TypeOrigin,
}

impl ChosenType {
    fn new(name: &str, origin: TypeOrigin) -> Self {
        Self { name: name.to_owned(), origin }
    }

    /// The type where none was asked for; `says_more` tells that there is more than a text to say.
    pub(super) fn unasked(says_more: bool) -> Self {
        Self::new(MsgType::Text.as_str(), if says_more { TypeOrigin::Best } else { TypeOrigin::Default })
    }

    /// The type, if its name is known.
    pub(super) fn known(&self) -> Option<MsgType> {
        self.name.parse().ok()
    }
}

/// The msgtype: as asked for, else as the other options imply, else the settings' default, else the best or text.
/// `says_more` tells that there is more than a text to say.
pub(super) fn choose_type(
    request: &Request,
    source: &MessageSource,
    says_more: bool,
    settings: &Settings,
) -> Result<ChosenType> {
    let implied = match (source, &request.alert.card) {
        (MessageSource::File(kind, _), _) => {
            let more = ", send the file after the text with --attach, or use upload-media and --media-id";
            Some((kind.as_str(), format!("--{}", kind.as_str()), more))
        }
        (_, Some(_)) => Some((MsgType::TemplateCard.as_str(), "--card".to_owned(), "")),
        _ => None,
    };
    let asked = settings.msgtype.as_ref().filter(|set| set.precedence == Precedence::Option);
    match (implied, asked.map(|asked| asked.value.as_str())) {
        (Some((implied, option, more)), Some(asked)) if asked != implied => {
            return Err(Error::usage(
                format!("-t {asked} does not go with {option}"),
                format!("{option} makes a message of type {implied}: leave -t out{more}"),
            ));
        }
        (Some((name, ..)), _) | (None, Some(name)) => return Ok(ChosenType::new(name, TypeOrigin::Option)),
        (None, None) => {}
    }
    if let Some(set) = &settings.msgtype {
        let set = ChosenType::new(&set.value, TypeOrigin::Settings(set.origin.clone()));
        // A type that was set for plain texts may not hold an alert.
        let holds_any_alert = set.known().is_some_and(|msgtype| msgtype.facts().made_of == MadeOf::Text);
        if holds_any_alert || !says_more {
            return Ok(set);
        }
    }
    Ok(ChosenType::unasked(says_more))
}

/// The best type for an alert on this channel, of those that have what the settings ask for.
pub(super) fn best_type(alert: &Alert, target: &Target) -> MsgType {
    let Target { channel, settings, .. } = target;
    let (best, facts) = (alert.best_type(*channel), channel.facts());
    let is_open = facts.highest_safe > 0 && settings.safe.is_some_and(|safe| safe > channel.highest_safe(best));
    let is_untranslated = facts.id_trans && settings.id_trans && !best.facts().id_trans;
    if is_open || is_untranslated { MsgType::Text } else { best }
}

/// Whether a message of this type is made of an alert: its text is then shown as it is.
pub(super) fn is_made_of_alert(chosen: &ChosenType, says_more: bool) -> bool {
    match chosen.known().map(|msgtype| msgtype.facts().made_of) {
        Some(MadeOf::Alert) => true,
        Some(MadeOf::Text) => says_more,
        Some(MadeOf::File | MadeOf::Payload) | None => false,
    }
}

/// Refuses options of alerts beside a file, whose type is given, or beside a payload (`None`).
pub(super) fn refuse_unused(request: &Request, msgtype: Option<MsgType>, settings: &Settings) -> Result<()> {
    let used: &[&str] = if msgtype == Some(MsgType::Video) { &["--title"] } else { &[] };
    let prefix = settings.is_option(Setting::Prefix).then_some("--prefix");
    let Some(option) = request.first_alert_option(settings).filter(|option| !used.contains(option)).or(prefix) else {
        return Ok(());
    };
    Err(match msgtype {
        None => Error::usage(format!("{option} cannot be used with a payload"), "put it into the payload"),
        Some(msgtype) => Error::usage(
            format!("{option} cannot be used in a message of type {}", msgtype.as_str()),
            "give the file with --attach: it follows the text, which takes all options",
        ),
    })
}

/// A type that the channel does not have.
pub(super) fn unknown_type(chosen: &ChosenType, channel: Channel) -> Error {
    let known = MsgType::names(channel.facts().types).join(", ");
    let name = &chosen.name;
    let error = match chosen.known().and_then(|msgtype| channel.other_with(msgtype)) {
        Some(_) if chosen.known() == Some(MsgType::Text) => Error::usage(
            format!("{} has no plain text messages", channel.facts().noun),
            format!("leave -t out: the text is then shown as it is, whatever is in it; or use one of {known}"),
        ),
        Some(owner) => Error::usage(
            format!("type {name} is not among the {channel} messages"),
            format!("send it with {}, or use one of {known}", owner.facts().command),
        ),
        None => Error::usage(format!("there is no message type {name}"), format!("use one of {known}")),
    };
    match &chosen.origin {
        // The mistake is in the settings, not in this command.
        TypeOrigin::Settings(place) => {
            error.clone().with_status(Status::Config).with_message(format!("{place}: {error}"))
        }
        _ => error,
    }
}
