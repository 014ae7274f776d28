//! The type of a message: chosen, held against the channel, and what has no place in it.

use crate::alert::Alert;
use crate::channel::Channel;
use crate::config::Settings;
use crate::error::{Error, Result};
use crate::message::{app, msgtypes, owner_of};

use super::draft::Material;
use super::request::Request;
use super::source::MessageSource;

/// Types for any alert: they have room for all that one can say.
const FOR_ALL: [&str; 3] = ["text", "markdown", "markdown_v2"];
/// Types that are made of an alert's parts, however little it says.
const MADE_OF_PARTS: [&str; 3] = ["textcard", "news", "template_card"];

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

/// The msgtype: as asked for, else as the other options imply, else the settings' default, else the best or text.
/// `says_more` tells that there is more than a text to say.
pub(super) fn choose_type(
    request: &Request,
    source: &MessageSource,
    says_more: bool,
    settings: &Settings,
) -> Result<ChosenType> {
    let implied = source.implied().or_else(|| request.alert.card.as_ref().map(|_| ("template_card", "--card")));
    match (implied, request.msgtype.as_deref()) {
        (Some((implied, option)), Some(asked)) if asked != implied => {
            let hint = match option {
                "--card" => "--card makes a message of type template_card: leave -t out".to_owned(),
                _ => format!(
                    "{option} makes a message of type {implied}: leave -t out, send the file behind the text with \
                     --attach, or use upload-media and --media-id"
                ),
            };
            return Err(Error::usage(format!("-t {asked} does not go with {option}"), hint));
        }
        (Some((implied, _)), _) => return Ok(ChosenType::by_option(implied)),
        (None, Some(asked)) => return Ok(ChosenType::by_option(asked)),
        (None, None) => {}
    }
    // What was set for plain texts may lack the room, or need a link.
    let is_for_all = |name: &str| FOR_ALL.contains(&name);
    let is_set = settings.msgtype.as_ref().is_some_and(|msgtype| !says_more || is_for_all(&msgtype.value));
    Ok(if is_set || !says_more { ChosenType::by_settings(settings) } else { ChosenType::best() })
}

/// The best type for an alert on this channel, of those that have what the settings ask for.
pub(super) fn best_type(alert: &Alert, channel: Channel, settings: &Settings) -> &'static str {
    let best = alert.best_type(channel);
    let facts = channel.facts();
    let is_open = facts.safe && settings.safe.is_some_and(|safe| safe > app::highest_safe(best));
    let is_untranslated = facts.id_trans && settings.id_trans && !app::takes_id_trans(best);
    if is_open || is_untranslated { "text" } else { best }
}

/// Whether a message of this type is made of an alert: its text is then shown as it is.
pub(super) fn is_made_of_alert(msgtype: &str, says_more: bool) -> bool {
    MADE_OF_PARTS.contains(&msgtype) || (says_more && FOR_ALL.contains(&msgtype))
}

/// Refuses what an alert alone can say beside anything else: a file (whose type is told), or a payload (no type).
pub(super) fn refuse_unused(request: &Request, msgtype: Option<&str>) -> Result<()> {
    let used: &[&str] = if msgtype == Some("video") { &["--title"] } else { &[] };
    let prefix = request.given.prefix.then_some("--prefix");
    let Some(option) = request.first_alert_option().filter(|option| !used.contains(option)).or(prefix) else {
        return Ok(());
    };
    Err(match msgtype {
        None => Error::usage(format!("{option} has no place beside a payload"), "put it into the payload"),
        Some(msgtype) => Error::usage(
            format!("{option} has no place in a message of type {msgtype}"),
            "give the file with --attach: it goes behind the text, and the text takes all options",
        ),
    })
}

/// Refuses a type that cannot be made of this.
pub(super) fn check_type(chosen: &ChosenType, material: &Material, channel: Channel) -> Result<()> {
    let (msgtype, facts) = (chosen.name.as_str(), channel.facts());
    let by_file = facts.types_by_media_id;
    if !msgtypes(channel).contains(&msgtype) {
        return Err(unknown_type(chosen, channel));
    }
    if channel.has_inline_pictures() && msgtype == "image" && !matches!(material, Material::File(..)) {
        return Err(Error::usage(
            format!("{}'s picture stands in the message itself: it has no media_id", facts.noun),
            "give the picture with --image PATH",
        ));
    }
    if by_file.contains(&msgtype) && !matches!(material, Material::File(..) | Material::MediaId(_)) {
        return Err(Error::usage(
            format!("a message of type {msgtype} needs a file"),
            format!("give it with --{msgtype} PATH, or --media-id with the id that upload-media printed"),
        ));
    }
    if !by_file.contains(&msgtype) && matches!(material, Material::MediaId(_)) {
        let hint = format!("say what it is: {}", facts.uploads);
        return Err(Error::usage(format!("--media-id does not go with type {msgtype}"), hint));
    }
    if matches!(msgtype, "mpnews" | "miniprogram_notice") {
        return Err(Error::usage(
            format!("a message of type {msgtype} needs its JSON"),
            format!("give the object under {msgtype} with --payload FILE"),
        ));
    }
    Ok(())
}

/// A type that the channel does not have.
pub(super) fn unknown_type(chosen: &ChosenType, channel: Channel) -> Error {
    let error = unknown_name(&chosen.name, channel);
    match &chosen.origin {
        // Nobody mistyped this command: the settings are wrong.
        TypeOrigin::Settings(place) => {
            Error::config(format!("{place}: {}", error.message()), error.hint().unwrap_or_default())
        }
        _ => error,
    }
}

fn unknown_name(msgtype: &str, channel: Channel) -> Error {
    let known = msgtypes(channel);
    if let Some(owner) = owner_of(msgtype, channel) {
        return Error::usage(
            format!("type {msgtype} is not among the {channel} messages"),
            format!("send it with {}, or use one of {}", owner.facts().command, known.join(", ")),
        );
    }
    Error::usage(format!("there is no message type {msgtype}"), format!("use one of {}", known.join(", ")))
}
