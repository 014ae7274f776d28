//! `--also` and `--fallback`: further targets of a command, each with the settings of its own profile.

use crate::config::{Level, SecretSource, Settings, TargetName};
use crate::error::{Error, Result};
use crate::channel::Channel;

use super::session::Session;

/// The same run towards a further target; `origin` is what named it.
pub(crate) fn towards<'c>(session: &Session<'c>, name: &TargetName, origin: &str) -> Result<Session<'c>> {
    let settings = session.config.resolve_target(name, origin)?;
    let channel = match name.channel {
        Some(channel) => channel,
        None => only_channel(&settings).map_err(|several| no_channel(name, origin, several))?,
    };
    Ok(session.towards(settings, channel))
}

/// The channel of a further target, as far as its name and its settings say.
pub(crate) fn known_channel(session: &Session<'_>, name: &TargetName) -> Option<Channel> {
    name.channel.or_else(|| only_channel(&session.config.resolve_target(name, "").ok()?).ok())
}

/// The channel asked for, else the one that the profile has, else the only one for which there are credentials at all.
pub(crate) fn choose_channel(settings: &Settings, asked: Option<&str>) -> Result<Channel> {
    match (asked, only_channel(settings)) {
        (Some("webhook"), _) => Ok(Channel::Webhook),
        (Some(_), _) => Ok(Channel::App),
        (None, Ok(channel)) => Ok(channel),
        (None, Err(true)) => Err(Error::usage(
            "there are credentials of both an app and a webhook",
            "say whose media it is: --route app or --route webhook",
        )),
        (None, Err(false)) if settings.dry_run => Ok(Channel::App),
        (None, Err(false)) => Err(settings.missing_credentials()),
    }
}

/// The one channel for which there are credentials: those of the profile, or else any. The error says whether there are
/// several.
pub(crate) fn only_channel(settings: &Settings) -> Result<Channel, bool> {
    let in_profile =
        |source: &Option<SecretSource>| source.as_ref().is_some_and(|source| source.level() == Level::Profile);
    let by_profile = (in_profile(&settings.secret), in_profile(&settings.webhook));
    let at_all = (settings.secret.is_some(), settings.webhook.is_some());
    match (by_profile, at_all) {
        ((true, false), _) | ((false, false), (true, false)) => Ok(Channel::App),
        ((false, true), _) | ((false, false), (false, true)) => Ok(Channel::Webhook),
        ((true, true), _) | (_, (true, true)) => Err(true),
        _ => Err(false),
    }
}

fn no_channel(name: &TargetName, origin: &str, several: bool) -> Error {
    let profile = &name.profile;
    if several {
        return Error::config(
            format!("{origin}: profile {profile} has both an app and a webhook"),
            format!("say which: {profile}:app or {profile}:webhook"),
        );
    }
    Error::config(
        format!("{origin}: profile {profile} has credentials of neither an app nor a webhook"),
        format!("set corp_id, agent_id and secret_file, or webhook_file, in profile {profile}"),
    )
}
