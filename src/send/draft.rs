//! The draft of a message: what was read, before it is adapted to the channel of each target.

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::Value;

use crate::alert::{Alert, Level};
use crate::cards::CardData;
use crate::channel::{Channel, MadeOf, Markup, MsgType};
use crate::error::{Error, Result, Status};
use crate::input::Attachment;
use crate::message::media::MediaKind;
use crate::message::text_of;

use super::files;
use super::msgtype::{ChosenType, TypeOrigin, best_type, unknown_type};
use super::target::{LostPart, Target};

/// What the message is made of.
#[derive(Debug, Clone)]
pub(crate) struct Draft {
    /// The type; a payload names its own.
    pub(super) msgtype: MsgType,
    pub(super) origin: TypeOrigin,
    pub(super) material: Material,
    /// Cleaned; `None` for a type without text, and where an optional text is left out.
    pub(super) text: Option<Arc<String>>,
    /// What it would be in English, where the message is in another language and its identity is asked for.
    pub(super) english: Option<Identity>,
    /// Files to send after it.
    pub(super) attached: Vec<Attachment>,
    /// What it goes without.
    pub(super) lost: Vec<LostPart>,
    /// The channel whose type it has.
    pub(super) made_for: Channel,
    /// What a card with something to press is made of.
    pub(super) card_data: CardData,
}

/// What tells an alert from others.
#[derive(Debug, Clone)]
pub(super) struct Identity {
    pub(super) msgtype: MsgType,
    pub(super) text: String,
}

/// The content besides the text.
#[derive(Debug, Clone)]
pub(super) enum Material {
    /// Text in the format of the type; without a text there are only attachments.
    Nothing,
    /// An alert, to be rendered for the type. It holds the text.
    Alert(Box<Alert>),
    /// A whole body, whose strings are never edited.
    Payload(Value),
    /// A file to upload.
    File(MediaKind, Attachment),
    /// A file that was uploaded before.
    MediaId(String),
}

impl Draft {
    /// An alert and nothing else.
    pub(super) fn of_alert(alert: Alert, msgtype: MsgType, origin: TypeOrigin, made_for: Channel) -> Self {
        Self {
            msgtype,
            origin,
            material: Material::Alert(Box::new(alert)),
            text: None,
            english: None,
            attached: Vec::new(),
            lost: Vec::new(),
            made_for,
            card_data: CardData::default(),
        }
    }

    /// The name of the message's type.
    pub(crate) fn type_name(&self) -> &str {
        let own = match &self.material {
            Material::Payload(body) => body.get("msgtype").and_then(Value::as_str),
            _ => None,
        };
        own.unwrap_or(self.msgtype.as_str())
    }

    /// Whether it is a payload, whose text is never edited.
    pub(crate) fn is_payload(&self) -> bool {
        matches!(self.material, Material::Payload(_))
    }

    /// How bad it says that it is.
    pub(super) fn level(&self) -> Option<Level> {
        match &self.material {
            Material::Alert(alert) => alert.level,
            _ => None,
        }
    }

    /// The payload, if it is one.
    pub(super) fn payload(&self) -> Option<&Value> {
        match &self.material {
            Material::Payload(body) => Some(body),
            _ => None,
        }
    }

    /// Whether there are only attachments.
    pub(super) fn is_wordless(&self) -> bool {
        matches!(self.material, Material::Nothing) && self.text.is_none()
    }

    /// The draft as the best type for its alert, where an option was empty and its own type cannot do without that: `error`
    /// says what is missing. In a dry run, whose reader can correct it, it stays an error.
    pub(super) fn into_best_type(mut self, error: Error, target: &mut Target) -> Result<Self> {
        let settings = &target.settings;
        let is_for_lack = error.status() == Status::Usage && !settings.empty_options.is_empty() && !settings.dry_run;
        match &mut self.material {
            Material::Alert(alert) if is_for_lack && self.origin == TypeOrigin::Option => {
                **alert = alert.without_card();
                self.msgtype = best_type(alert, target);
            }
            _ => return Err(error),
        }
        self.origin = TypeOrigin::Best;
        target.warnings.push(format!("{error}: sent as {}", self.msgtype.as_str()));
        Ok(self)
    }

    /// Refuses what is lost where nothing is left to send without it, and in a dry run.
    pub(super) fn check_lost(&self, target: &Target) -> Result<()> {
        let is_needed = target.settings.dry_run || self.is_wordless() && self.attached.is_empty();
        match self.lost.first().filter(|_| is_needed) {
            Some(lost) => Err(lost.error.clone().with_message(lost.told("--attach "))),
            None => Ok(()),
        }
    }

    /// The text, the alert as one, or the payload as JSON.
    pub(crate) fn text(&self) -> Option<Cow<'_, str>> {
        match &self.material {
            Material::Payload(body) => Some(Cow::Owned(body.to_string())),
            Material::Alert(alert) => Some(Cow::Owned(alert.plain_text().joined())),
            _ => self.text.as_deref().map(|text| Cow::Borrowed(text.as_str())),
        }
    }

    /// A text whose markup is the sender's own, with its type: that of an alert is made here.
    pub(super) fn own_text(&self) -> Option<(MsgType, &str)> {
        match &self.material {
            Material::Payload(body) => Some((MsgType::of_body(body)?, text_of(body)?)),
            Material::Nothing => self.text.as_deref().map(|text| (self.msgtype, text.as_str())),
            _ => None,
        }
    }

    /// The type and the text that tell two alerts apart, for a fingerprint: the text, the payload, or names and sizes of
    /// files. In every language it is what English gives.
    pub(super) fn identity(&self) -> (&str, Cow<'_, str>) {
        match &self.english {
            Some(Identity { msgtype, text }) => (msgtype.as_str(), Cow::Borrowed(text)),
            None => (self.type_name(), self.identity_text()),
        }
    }

    fn identity_text(&self) -> Cow<'_, str> {
        if let Material::Alert(alert) = &self.material {
            return Cow::Owned(alert.identity_text());
        }
        match (self.text(), &self.material) {
            (Some(text), _) => text,
            (None, Material::File(_, file)) => Cow::Owned(told_of(file)),
            (None, Material::MediaId(id)) => Cow::Borrowed(id),
            (None, _) => Cow::Owned(self.attached.iter().map(told_of).collect::<Vec<_>>().join("\n")),
        }
    }
}

/// The type, unless the channel does not have it or it cannot be made of this.
pub(super) fn check_type(chosen: &ChosenType, material: &Material, channel: Channel) -> Result<MsgType> {
    let known = chosen.known().map(|msgtype| channel.own_type(msgtype));
    let Some(msgtype) = known.filter(|msgtype| channel.has_type(*msgtype)) else {
        return Err(unknown_type(chosen, channel));
    };
    let (name, facts) = (&chosen.name, channel.facts());
    let by_file = facts.types_by_media_id;
    if channel.has_inline_pictures() && msgtype == MsgType::Image && !matches!(material, Material::File(..)) {
        return Err(Error::usage(
            format!("{}'s picture is part of the message itself: it has no media_id", facts.noun),
            "give the picture with --image PATH",
        ));
    }
    if by_file.contains(&msgtype) && !matches!(material, Material::File(..) | Material::MediaId(_)) {
        return Err(Error::usage(
            format!("a message of type {name} needs a file"),
            format!("give it with --{name} PATH, or --media-id with the id that upload-media printed"),
        ));
    }
    if !by_file.contains(&msgtype) && matches!(material, Material::MediaId(_)) {
        let hint = format!("say what it is: {}", facts.uploads);
        return Err(Error::usage(format!("--media-id does not go with type {name}"), hint));
    }
    if msgtype.facts().made_of == MadeOf::Payload {
        return Err(Error::usage(
            format!("a message of type {name} needs its JSON"),
            format!("give the object under {name} with --payload FILE"),
        ));
    }
    Ok(msgtype)
}

fn told_of(file: &Attachment) -> String {
    format!("{} {}", file.name, file.size)
}

/// The draft as this target's channel can take it.
pub(super) fn for_target<'d>(draft: &'d Draft, target: &mut Target) -> Result<Cow<'d, Draft>> {
    let channel = target.channel;
    if draft.made_for == channel {
        // The settings of another target may need another type.
        let msgtype = match (&draft.material, &draft.origin) {
            (Material::Alert(alert), TypeOrigin::Best) => best_type(alert, target),
            _ => draft.msgtype,
        };
        let is_same = msgtype == draft.msgtype;
        return Ok(if is_same { Cow::Borrowed(draft) } else { Cow::Owned(Draft { msgtype, ..draft.clone() }) });
    }
    let mut draft = draft.clone();
    if let Material::MediaId(_) = draft.material {
        return Err(Error::usage(
            format!("a media_id of the other route is of no use to a target by {channel}"),
            "give the file itself, with --file or --image",
        ));
    }
    let chosen = draft.msgtype;
    draft.msgtype = type_for(&mut draft, target);
    if !draft.is_payload() && !channel.has_type(draft.msgtype) {
        return Err(Error::usage(
            format!("a message of type {} cannot go to a target by {channel}", chosen.as_str()),
            "use text or markdown, which both routes take",
        ));
    }
    draft.made_for = channel;
    // The rules for files differ between channels.
    let refused = files::take_out_refused(&mut draft.attached, target);
    draft.lost.extend(refused);
    draft.check_lost(target)?;
    Ok(Cow::Owned(draft))
}

/// The type that the draft has on the target's channel. Drops of the draft what that cannot show.
fn type_for(draft: &mut Draft, target: &mut Target) -> MsgType {
    let (chosen, channel) = (draft.msgtype, target.channel);
    let is_lacking = |msgtype| chosen == msgtype && !channel.has_type(msgtype);
    if let Material::Alert(alert) = &mut draft.material {
        if !channel.has_interactive_cards() {
            // Only interactive cards have events, which carry it.
            alert.task_id = None;
        }
        if let Some(card) = alert.card.filter(|card| !card.is_on(channel)) {
            // The content is kept; buttons and choices are dropped.
            **alert = alert.without_card();
            let best = best_type(alert, target);
            let (noun, card, name) = (channel.facts().noun, card.as_str(), best.as_str());
            target.warnings.push(format!("{noun} has no {card} cards: sent as {name}, without what can be pressed"));
            return best;
        }
    }
    if is_lacking(MsgType::Text)
        && matches!(draft.material, Material::Nothing)
        && let Some(text) = draft.text.take()
    {
        let alert =
            Alert { body: Some(text.as_str().to_owned()), language: target.settings.language, ..Alert::default() };
        draft.material = Material::Alert(Box::new(alert));
    }
    match (&mut draft.material, &draft.origin) {
        (Material::Alert(alert), TypeOrigin::Best) => best_type(alert, target),
        _ if is_lacking(MsgType::MarkdownV2) => MsgType::Markdown,
        // The same syntax by its other name.
        _ if chosen == MsgType::Markdown
            && channel.has_type(MsgType::MarkdownV2)
            && draft.made_for.markup(chosen) == Markup::MarkdownV2 =>
        {
            MsgType::MarkdownV2
        }
        (Material::Alert(alert), _) if !channel.has_type(chosen) => best_type(alert, target),
        (Material::File(kind, file), _)
            if is_lacking(MsgType::Video)
                || *kind == MediaKind::Image
                    && channel.has_inline_pictures()
                    && files::check_picture(file, channel).is_err() =>
        {
            // Any content can be sent as a file, and a picture that is too large for the body too.
            *kind = MediaKind::File;
            MsgType::File
        }
        _ => chosen,
    }
}
