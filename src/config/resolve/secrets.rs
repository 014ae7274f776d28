//! Resolves the settings that are secrets or may hold one: credentials, and the addresses of the proxy and the shared state.

use std::time::Duration;

use crate::config::credential::SecretSource;
use crate::config::env::Environment;
use crate::config::groups::{PROXY_FORMS, SHARED_STATE_FORMS};
use crate::config::layers::Layers;
use crate::config::proxy::ProxyUrl;
use crate::config::setting::Setting;
use crate::config::settings::{CallbackSettings, ProxySetting};
use crate::config::shared_state_url::SharedStateUrl;
use crate::error::Result;

pub(super) fn resolve_source(
    layers: &Layers<'_>,
    forms: &[Setting],
    env: &Environment,
) -> Result<Option<SecretSource>> {
    layers.any_identity(forms).map(|given| SecretSource::of_value(given, env)).transpose()
}

/// What is wrong with it costs no alert, which needs none of it.
pub(super) fn resolve_unneeded(
    layers: &Layers<'_>,
    forms: &[Setting],
    env: &Environment,
) -> Result<Option<SecretSource>> {
    match layers.any_identity(forms) {
        Some(given) => layers.settle(given, SecretSource::of_value(given, env)),
        None => Ok(None),
    }
}

pub(super) fn resolve_callback(
    layers: &Layers<'_>,
    forms: [&[Setting]; 2],
    env: &Environment,
) -> Result<CallbackSettings> {
    let source = |forms| resolve_unneeded(layers, forms, env);
    Ok(CallbackSettings { token: source(forms[0])?, aes_key: source(forms[1])? })
}

/// The proxy's URL is read now, even from a file, unless no request will be made.
pub(super) fn resolve_proxy(layers: &Layers<'_>, env: &Environment) -> Result<ProxySetting> {
    let Some(given) = layers.any(PROXY_FORMS) else { return Ok(ProxySetting::Environment) };
    if given.setting == Setting::ProxyFile && layers.flag(Setting::DryRun)? {
        return Ok(ProxySetting::Environment);
    }
    if given.setting == Setting::ProxyFile {
        // It is read again for each further target, and without a time limit.
        let path = given.path(env.home())?;
        if path.metadata().is_ok_and(|about| !about.is_file()) {
            return Err(
                given.invalid("it is not a regular file", "give the path of a file; a pipe or a device may never end")
            );
        }
    }
    // The limit is for commands, of which a proxy has none.
    let (text, _) = SecretSource::of_value(given, env)?.load_line(Duration::ZERO)?;
    if text.expose().eq_ignore_ascii_case("none") {
        return Ok(ProxySetting::Off);
    }
    ProxyUrl::parse(&text).map(ProxySetting::Url).map_err(|error| given.wrap(&error))
}

/// Its address is looked at now where it is at hand. What is wrong with it costs no alert: this machine's own state serves.
pub(super) fn resolve_shared_state(layers: &Layers<'_>, env: &Environment) -> Result<Option<SecretSource>> {
    let Some(given) = layers.any(SHARED_STATE_FORMS) else { return Ok(None) };
    let source = SecretSource::of_value(given, env).and_then(|source| {
        if source.at_hand().is_some() {
            SharedStateUrl::parse(&source.load(Duration::ZERO)?).map_err(|error| given.wrap(&error))?;
        }
        Ok(source)
    });
    layers.settle(given, source)
}
