//! The same message on the other channel: the nearest type there that loses nothing.

use std::borrow::Cow;

use crate::channel::Channel;
use crate::config::Settings;
use crate::error::{Error, Result};
use crate::message::media::{self, MediaKind};
use crate::message::msgtypes;

use super::attach;
use super::draft::{ChosenType, Draft, Material, TypeOrigin};
use super::kind::best_type;

/// The draft as this channel can take it.
pub(super) fn to_channel<'d>(
    draft: &'d Draft,
    channel: Channel,
    settings: &Settings,
    warnings: &mut Vec<String>,
) -> Result<Cow<'d, Draft>> {
    if draft.made_for == channel {
        return Ok(match (&draft.material, &draft.chosen.origin) {
            // Another target of this channel may ask for more.
            (Material::Alert(alert), TypeOrigin::Best) => match best_type(alert, channel, settings) {
                best if best == draft.chosen.name => Cow::Borrowed(draft),
                best => {
                    let mut draft = draft.clone();
                    best.clone_into(&mut draft.chosen.name);
                    Cow::Owned(draft)
                }
            },
            _ => Cow::Borrowed(draft),
        });
    }
    let mut draft = draft.clone();
    if let Material::MediaId(_) = draft.material {
        return Err(Error::usage(
            format!("a media_id of the other route is of no use to a target by {channel}"),
            "give the file itself, with --file or --image",
        ));
    }
    let chosen = draft.chosen.name.clone();
    let name = name_on(&mut draft, channel, settings, warnings);
    if !draft.is_payload() && !msgtypes(channel).contains(&name.as_str()) {
        return Err(Error::usage(
            format!("a message of type {chosen} cannot go to a target by {channel}"),
            "use text or markdown, which both routes take",
        ));
    }
    draft.chosen = ChosenType { name, ..draft.chosen };
    draft.made_for = channel;
    // The other channel may take other files.
    attach::check_all(&draft.attached, channel, settings, warnings)?;
    Ok(Cow::Owned(draft))
}

/// The type that it has there.
fn name_on(draft: &mut Draft, channel: Channel, settings: &Settings, warnings: &mut Vec<String>) -> String {
    let chosen = draft.chosen.name.clone();
    let takes = |msgtype: &str| msgtypes(channel).contains(&msgtype);
    let facts = channel.facts();
    if let Material::Alert(alert) = &mut draft.material {
        if !channel.has_interactive_cards() {
            // It names a card in the events of an app alone.
            alert.task_id = None;
        }
        if let Some(card) = alert.card.filter(|card| !card.is_on(channel)) {
            // What happened must arrive there too; what can be pressed cannot.
            **alert = alert.without_card();
            let best = best_type(alert, channel, settings);
            let (noun, card) = (facts.noun, card.as_str());
            warnings.push(format!("{noun} has no {card} cards: sent as {best}, without what can be pressed"));
            return best.to_owned();
        }
        let best = best_type(alert, channel, settings);
        return match chosen.as_str() {
            "markdown_v2" if !takes("markdown_v2") && draft.chosen.origin != TypeOrigin::Best => "markdown".to_owned(),
            "textcard" if !takes("textcard") => best.to_owned(),
            _ if draft.chosen.origin == TypeOrigin::Best => best.to_owned(),
            _ => chosen,
        };
    }
    match chosen.as_str() {
        "markdown_v2" if !takes("markdown_v2") => "markdown",
        "video" if !takes("video") => as_file(draft),
        "image" if channel.has_inline_pictures() => match &draft.material {
            // A picture in the body may be smaller than one that is uploaded.
            Material::File(_, file) if media::check_webhook_image(file.head(), file.size()).is_err() => as_file(draft),
            _ => "image",
        },
        other => other,
    }
    .to_owned()
}

/// A file is a file, whatever is in it.
fn as_file(draft: &mut Draft) -> &'static str {
    if let Material::File(kind, _) = &mut draft.material {
        *kind = MediaKind::File;
    }
    "file"
}
