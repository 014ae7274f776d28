//! Resolves to whom an alert goes: the recipients of an app, the group chat, the conversations of an aibot. All that one level
//! of precedence says of them counts together.

use super::env::Environment;
use super::groups::{CONVERSATIONS, RECIPIENTS};
use super::layers::Layers;
use super::parse::parse_chat;
use super::program::Program;
use super::setting::Setting;
use super::value::{Precedence, SettingValue, Sourced};
use crate::error::Result;

/// The recipients of the highest level that gives any of them; it replaces all of the lower levels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecipientSettings {
    /// Where they were given.
    pub precedence: Precedence,
    /// Members as written: an item may still hold several, separated by commas or `|`.
    pub to_user: Vec<String>,
    /// Departments as written.
    pub to_party: Vec<String>,
    /// Tags as written.
    pub to_tag: Vec<String>,
    /// Mobile numbers of members as written.
    pub to_mobile: Vec<String>,
    /// Mail addresses of members as written.
    pub to_email: Vec<String>,
    /// For humans, where each of the five was given, in this order; empty where there are none.
    pub places: [String; 5],
    /// The program that prints members to use in place of `to_user`.
    pub to_user_command: Option<Program>,
    /// `to_user` of the highest level that has it: for the case that nobody else is known.
    pub stand_ins: Vec<String>,
}

/// The recipients of an aibot, of the highest level that gives any.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConversationSettings {
    /// Where they were given.
    pub precedence: Precedence,
    /// Members as written: an item may still hold several, separated by commas or `|`.
    pub users: Vec<String>,
    /// Groups, likewise.
    pub chats: Vec<String>,
    /// For humans, where each of the two was given; empty where there are none.
    pub places: [String; 2],
}

/// The recipients, where any are given.
pub(super) fn resolve_recipients(layers: &Layers<'_>, env: &Environment) -> Result<Option<RecipientSettings>> {
    let levels = layers.for_recipients();
    let found = levels.into_iter().find_map(|layer| Some((layer, layer.any(RECIPIENTS)?)));
    let Some((layer, given)) = found else { return Ok(None) };
    let list = |key| layer.get(key).map_or_else(|| Ok(Vec::new()), SettingValue::list);
    let to_user_command = match layer.get(Setting::ToUserCommand) {
        Some(given) => layers.settle(given, Program::of_value(given, env))?,
        None => None,
    };
    let may_find_nobody = layer.any(&[Setting::ToMobile, Setting::ToEmail, Setting::ToUserCommand]).is_some();
    let stand_ins = levels.into_iter().filter(|_| may_find_nobody).find_map(|layer| layer.get(Setting::ToUser));
    let stand_ins = stand_ins.and_then(|given| given.list().ok()).unwrap_or_default();
    Ok(Some(RecipientSettings {
        precedence: given.precedence,
        to_user: list(Setting::ToUser)?,
        to_party: list(Setting::ToParty)?,
        to_tag: list(Setting::ToTag)?,
        to_mobile: list(Setting::ToMobile)?,
        to_email: list(Setting::ToEmail)?,
        places: [Setting::ToUser, Setting::ToParty, Setting::ToTag, Setting::ToMobile, Setting::ToEmail]
            .map(|key| layer.get(key).map(SettingValue::place).unwrap_or_default()),
        to_user_command,
        stand_ins,
    }))
}

/// The group chat; it has the order of recipients.
pub(super) fn resolve_chat(layers: &Layers<'_>) -> Result<Option<Sourced<String>>> {
    let Some(given) = layers.for_recipients().into_iter().find_map(|layer| layer.get(Setting::Chat)) else {
        return Ok(None);
    };
    let value = given.parsed(parse_chat)?;
    Ok(Some(Sourced { value, origin: given.origin.clone(), precedence: given.precedence }))
}

/// The recipients of an aibot; they have the order of recipients. `-u` and `--chat` of a command by another channel count where
/// its own options would.
pub(super) fn resolve_conversations(layers: &Layers<'_>) -> Result<Option<ConversationSettings>> {
    let shared = [Setting::ToUser, Setting::Chat];
    let found = layers.for_recipients().into_iter().find_map(|layer| {
        let own = layer.any(CONVERSATIONS).map(|given| (layer, CONVERSATIONS, given));
        let is_options = std::ptr::eq(layer, layers.options);
        own.or_else(|| layer.any(&shared).filter(|_| is_options).map(|given| (layer, &shared[..], given)))
    });
    let Some((layer, settings, given)) = found else { return Ok(None) };
    let list = |index: usize| layer.get(settings[index]).map_or_else(|| Ok(Vec::new()), SettingValue::list);
    let place = |index: usize| layer.get(settings[index]).map(SettingValue::place).unwrap_or_default();
    let (users, chats) = (list(0)?, list(1)?);
    Ok(Some(ConversationSettings { precedence: given.precedence, users, chats, places: [place(0), place(1)] }))
}
