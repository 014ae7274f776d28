//! The card that takes the place of one that was sent, made as that of a message is.

use serde_json::Value;

use crate::config::OnLong;
use crate::error::{Error, Result};
use crate::message::card::check_update;

use super::msgtype::{ChosenType, TypeOrigin, refuse_unused};
use super::parts::{settle, unchecked_parts};
use super::read::read;
use super::request::Request;
use super::target::Target;
use super::{draft, payload};

/// The type of the message, and the object in its body.
const CARD: &str = "template_card";

/// Makes the card that the options or the payload of a request describe. It has no `task_id`: the card keeps its own.
///
/// # Errors
///
/// Usage where they describe no card, or more than has room on one; exit 3 for files that cannot be read.
pub(crate) fn read_card(request: &Request, target: &mut Target) -> Result<Value> {
    // There is no message that could follow the card.
    target.settings.on_long = OnLong::Fail;
    let body = match (&request.input.payload, &request.alert.card) {
        (Some(json), None) => {
            refuse_unused(request, None, &target.settings)?;
            let text = json.read(target.settings.encoding, &mut target.warnings)?;
            let chosen = ChosenType { name: CARD.to_owned(), origin: TypeOrigin::Best };
            payload::parse(&json.name(), &text, &chosen, &mut target.warnings)?
        }
        (None, Some(_)) => card_of_options(request, target)?,
        (Some(_), Some(_)) => {
            return Err(Error::usage("--card does not go with --payload", "leave one of the two out"));
        }
        (None, None) => {
            return Err(Error::usage(
                "nothing says what becomes of the card",
                "give --replace-name TEXT to turn its button off, or a new card: --card TYPE with its options, or --payload FILE",
            ));
        }
    };
    // The object itself, or in one that names it.
    let object = body.get(CARD).map(|card| card.get(CARD).unwrap_or(card));
    let Some(mut card) = object.cloned() else {
        return Err(Error::usage("the payload is no card", "give the object that belongs under template_card"));
    };
    if let Some(fields) = card.as_object_mut()
        && fields.remove("task_id").is_some()
        && request.input.payload.is_some()
    {
        target.warnings.push("task_id is left out: the card keeps its own".to_owned());
    }
    Ok(card)
}

/// The body of the message that app-send would make.
fn card_of_options(request: &Request, target: &mut Target) -> Result<Value> {
    let lacking = || Error::usage("there is no text for the card", "give a title or a text");
    let draft = read(request, target, None)?.ok_or_else(lacking)?;
    let draft = draft::for_target(&draft, target)?;
    let parts = unchecked_parts(&draft, target, None)?;
    parts.first().map(|part| part.call(0).into_owned()).ok_or_else(lacking)
}

/// Holds the body of an update against the rules, or warns where WeCom is to decide.
pub(crate) fn check_card_update(body: &Value, target: &mut Target) -> Result<()> {
    settle(check_update(body), target)
}
