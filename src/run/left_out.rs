//! The recipients that options name and the alert's channel does not reach: that is told, and does not stop the command.

use crate::channel::{Addressing, Channel};
use crate::config::{Precedence, Setting};
use crate::send::Session;

/// The options that name whom a message is for, by the channels that read them.
const NAMING: [(Addressing, &[Setting]); 2] = [
    (Addressing::Recipients, &[Setting::ToUser, Setting::ToParty, Setting::ToTag, Setting::ToMobile, Setting::ToEmail]),
    (Addressing::Chat, &[Setting::Chat]),
];

/// One warning for each kind of recipients that options name and no target reads.
pub(super) fn left_out(session: &Session<'_>, channel: Channel) -> Vec<String> {
    let profile = session.settings.profile.as_deref().unwrap_or("PROFILE");
    let unread = NAMING.into_iter().filter_map(|(addressing, settings)| {
        let is_unread = |setting: &&&Setting| session.settings.is_option(***setting) && !reads(channel, ***setting);
        let named = settings.iter().filter(|setting| is_unread(&setting));
        let named: Vec<&str> = named.map(|setting| setting.row().option).collect();
        if named.is_empty() || channel.facts().addressing == addressing || is_read_further(session, addressing) {
            return None;
        }
        let other = Channel::ALL.iter().find(|channel| channel.facts().addressing == addressing)?;
        let (named, verb) = (named.join(", "), if named.len() == 1 { "is" } else { "are" });
        Some(format!(
            "{named} {verb} left out: the alert goes by {channel}; to reach both, set them in a profile and add it, as in \
             --also {profile}:{other}"
        ))
    });
    unread.collect()
}

/// Whether a channel reads an option of others too.
fn reads(channel: Channel, setting: Setting) -> bool {
    channel.facts().addressing == Addressing::Conversation && matches!(setting, Setting::ToUser | Setting::Chat)
}

/// Whether a target of `--also` takes what the options name: its own profile's recipients count before.
fn is_read_further(session: &Session<'_>, addressing: Addressing) -> bool {
    session.settings.also.iter().filter_map(|name| session.further_target(name, "--also").ok()).any(|target| {
        let of_aibot = || target.settings.aibot_to.as_ref();
        let precedence = match (target.channel.facts().addressing, addressing) {
            (Addressing::Recipients, Addressing::Recipients) => target.settings.to.as_ref().map(|to| to.precedence),
            (Addressing::Chat, Addressing::Chat) => target.settings.chat.as_ref().map(|chat| chat.precedence),
            (Addressing::Conversation, Addressing::Recipients) => {
                of_aibot().filter(|to| !to.users.is_empty()).map(|to| to.precedence)
            }
            (Addressing::Conversation, Addressing::Chat) => {
                of_aibot().filter(|to| !to.chats.is_empty()).map(|to| to.precedence)
            }
            _ => None,
        };
        precedence == Some(Precedence::Option)
    })
}
