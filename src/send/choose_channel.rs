//! Which channel a command takes where none is named, and what else there is where one cannot be used.

use crate::channel::{Addressing, Channel, Presses, Unasked};
use crate::config::{Precedence, SecretSource, Settings};
use crate::error::{Error, Result};

use super::target::Target;

/// The channel asked for, else the one that the profile has, else the only one for which there are credentials at all.
/// Fails with usage where there are several, with exit 3 where there is none.
pub(crate) fn choose_channel(settings: &Settings, asked: Option<Channel>) -> Result<Channel> {
    match (asked, only_channel(settings)) {
        (Some(channel), _) | (None, Ok(channel)) => Ok(channel),
        (None, Err(several)) if !several.is_empty() => {
            Err(several_channels(&several, "there are credentials of", "say whose media it is", "--route "))
        }
        (None, Err(_)) if settings.dry_run => Ok(Channel::App),
        (None, Err(_)) => Err(settings.missing_credentials()),
    }
}

/// The channel asked for, which `--chat` does too, else the one that the profile has. With both it is the webhook, unless the
/// options name recipients: an alert must not be lost because the choice is open.
pub(crate) fn channel_for_alert(settings: &Settings, asked: Option<Channel>) -> Result<Channel> {
    let by_options = settings.to.as_ref().is_some_and(|to| to.precedence == Precedence::Option);
    let chat = settings.chat.as_ref().filter(|chat| chat.precedence == Precedence::Option);
    let is_for_aibot = |channel: Channel| channel.facts().addressing == Addressing::Conversation;
    if let (None, Some(_)) = (asked, chat)
        && !only_channel(settings).is_ok_and(is_for_aibot)
    {
        let for_chats = Channel::ALL.iter().copied().find(|channel| channel.facts().addressing == Addressing::Chat);
        return choose_channel(settings, for_chats);
    }
    match (asked, only_channel(settings)) {
        (None, Err(several)) if !several.is_empty() => {
            let wanted = if by_options { Addressing::Recipients } else { Addressing::Credential };
            let is_wanted = |channel: &Channel| channel.facts().addressing == wanted;
            choose_channel(settings, several.into_iter().find(is_wanted))
        }
        (asked, _) => choose_channel(settings, asked),
    }
}

/// The one channel that sends unasked and has credentials: those of the profile, or else any. The error has all of them
/// where there are several, and none where there is none.
pub(crate) fn only_channel(settings: &Settings) -> Result<Channel, Vec<Channel>> {
    let with = |is_wanted: fn(&SecretSource) -> bool| {
        let of = |unasked| {
            let has = move |channel: &Channel| {
                channel.facts().unasked == unasked && settings.credential(*channel).is_some_and(is_wanted)
            };
            Channel::ALL.iter().copied().filter(has).collect::<Vec<_>>()
        };
        let usual = of(Unasked::Yes);
        if usual.is_empty() { of(Unasked::Alone) } else { usual }
    };
    match (with(|source| source.precedence() == Precedence::Profile).as_slice(), with(|_| true).as_slice()) {
        ([one], _) | ([], [one]) => Ok(*one),
        ([], all) | (all, _) => Err(all.to_vec()),
    }
}

/// The error where there are several channels to choose from: `has` tells of whom that is said, and the hint names each
/// channel with `prefix` before it.
pub(super) fn several_channels(channels: &[Channel], has: &str, advice: &str, prefix: &str) -> Error {
    let nouns: Vec<_> = channels.iter().map(|channel| channel.facts().noun).collect();
    let names: Vec<_> = channels.iter().map(|channel| format!("{prefix}{channel}")).collect();
    Error::usage(format!("{has} both {}", nouns.join(" and ")), format!("{advice}: {}", names.join(" or ")))
}

impl Target {
    /// The error of an app that cannot send to members, with its group chat as a way out where the settings have one.
    pub(crate) fn or_its_chat(&self, error: Error) -> Error {
        let Settings { chat, profile, .. } = &*self.settings;
        let is_for_members = self.channel.facts().addressing == Addressing::Recipients;
        if !is_for_members || chat.is_none() || !self.settings.lacking_for_app(false).is_empty() {
            return error;
        }
        let further = profile.as_ref().map(|profile| format!(", or {profile}:chat as a further target"));
        let way = format!("to send to its group chat: chat-send, run --route chat{}", further.unwrap_or_default());
        let hint = error.hint().map_or(way.clone(), |hint| format!("{hint}; {way}"));
        error.with_hint(hint)
    }
}

/// The channel of a question where none is named: one whose presses come back by its own connection, else the usual one, an
/// app before a webhook.
pub(crate) fn channel_for_question(settings: &Settings) -> Result<Channel, Vec<Channel>> {
    let is_connected =
        |channel: &Channel| channel.presses() == Presses::Connection && settings.credential(*channel).is_some();
    match Channel::ALL.iter().copied().find(is_connected) {
        Some(channel) => Ok(channel),
        None => only_channel(settings).or_else(|several| {
            let cards = |channel: &Channel| channel.has_interactive_cards();
            several.iter().copied().find(cards).ok_or(several)
        }),
    }
}
