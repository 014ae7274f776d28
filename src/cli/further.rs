//! `--also` and `--fallback`: further targets of a command, each with the settings of its own profile.

use wecom_alert::config::{Level, SecretSource, Settings, TargetName};
use wecom_alert::error::{Error, Result};
use wecom_alert::message::Route;

use super::session::Session;

/// The same run towards a further target; `origin` is what named it.
pub(crate) fn towards<'c>(session: &Session<'c>, name: &TargetName, origin: &str) -> Result<Session<'c>> {
    let settings = session.config.resolve_target(name, origin)?;
    let route = match name.route {
        Some(route) => route,
        None => only_route(&settings).map_err(|several| no_route(name, origin, several))?,
    };
    Ok(session.towards(settings, route))
}

/// The route of a further target, as far as its name and its settings say.
pub(crate) fn known_route(session: &Session<'_>, name: &TargetName) -> Option<Route> {
    name.route.or_else(|| only_route(&session.config.resolve_target(name, "").ok()?).ok())
}

/// The route asked for, else the one that the profile has, else the only one for which there are credentials at all.
pub(crate) fn choose_route(settings: &Settings, asked: Option<&str>) -> Result<Route> {
    match (asked, only_route(settings)) {
        (Some("webhook"), _) => Ok(Route::Webhook),
        (Some(_), _) => Ok(Route::App),
        (None, Ok(route)) => Ok(route),
        (None, Err(true)) => Err(Error::usage(
            "there are credentials of both an app and a webhook",
            "say whose media it is: --route app or --route webhook",
        )),
        (None, Err(false)) if settings.dry_run => Ok(Route::App),
        (None, Err(false)) => Err(settings.missing_credentials()),
    }
}

/// The one route for which there are credentials: those of the profile, or else any. The error says whether there are
/// several.
pub(crate) fn only_route(settings: &Settings) -> Result<Route, bool> {
    let in_profile =
        |source: &Option<SecretSource>| source.as_ref().is_some_and(|source| source.level() == Level::Profile);
    let by_profile = (in_profile(&settings.secret), in_profile(&settings.webhook));
    let at_all = (settings.secret.is_some(), settings.webhook.is_some());
    match (by_profile, at_all) {
        ((true, false), _) | ((false, false), (true, false)) => Ok(Route::App),
        ((false, true), _) | ((false, false), (false, true)) => Ok(Route::Webhook),
        ((true, true), _) | (_, (true, true)) => Err(true),
        _ => Err(false),
    }
}

fn no_route(name: &TargetName, origin: &str, several: bool) -> Error {
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
