//! Chooses the profile of the config file.

use super::env::Environment;
use super::file::ConfigFile;
use super::groups::{AIBOT_SECRET_FORMS, SECRET_FORMS, WEBHOOK_FORMS};
use super::layers::{Layer, Layers};
use super::setting::Setting;
use super::value::{Precedence, SettingValue, shown};
use crate::error::{Error, Result};
use crate::suggest::nearest;

/// The profile named by option or variable, else the file's default, else the only one. With several and no default
/// there is none if only option and environment give credentials, or no profile is needed, else an error.
pub(super) fn choose_profile<'a>(
    file: Option<&'a ConfigFile>,
    without_file: &Layers<'_>,
    env: &Environment,
    needs_one: bool,
) -> Result<Option<(&'a str, &'a Layer)>> {
    let asked = without_file.get(Setting::Profile);
    let Some(file) = file else {
        return asked.map_or(Ok(None), |entry| Err(no_file(entry, env)?));
    };
    if let Some(entry) = asked {
        let name = entry.text()?;
        return find(file, name)?.map(Some).ok_or_else(|| {
            let what = format!("{}: there is no profile `{}` in {}", entry.place(), shown(name), file.path.display());
            unknown(file, name, what)
        });
    }
    if let Some((name, place)) = &file.default_profile {
        return find(file, name)?
            .map(Some)
            .ok_or_else(|| unknown(file, name, format!("{place}: there is no profile of this name")));
    }
    let mut profiles = file.profiles.iter();
    match (profiles.next(), profiles.next()) {
        (None, _) => Ok(None),
        (Some((name, _)), None) => find(file, name),
        _ if !needs_one || gives_credentials(without_file) => Ok(None),
        _ => Err(Error::config(
            format!("{} has several profiles and no default_profile: {}", file.path.display(), names(file)),
            "choose one with `--profile NAME` or WECOM_ALERT_PROFILE, or set default_profile in the file",
        )),
    }
}

fn find<'a>(file: &'a ConfigFile, name: &str) -> Result<Option<(&'a str, &'a Layer)>> {
    let Some((name, profile)) = file.profiles.get_key_value(name) else { return Ok(None) };
    let layer = profile.as_ref().map_err(Error::clone)?;
    Ok(Some((name, layer)))
}

/// What is wrong with profiles other than the one that counts, one sentence each.
pub(super) fn unusable_profiles<'a>(file: &'a ConfigFile, chosen: &'a str) -> impl Iterator<Item = String> + use<'a> {
    let others = file.profiles.iter().filter(move |(name, _)| *name != chosen);
    others.filter_map(|(_, profile)| Some(format!("{}: that profile cannot be used", profile.as_ref().err()?)))
}

/// Whether option and environment give the credentials of a target.
pub(super) fn gives_credentials(layers: &Layers<'_>) -> bool {
    let app = layers.get(Setting::CorpId).is_some() && layers.any(SECRET_FORMS).is_some();
    let aibot = layers.get(Setting::AibotId).is_some() && layers.any(AIBOT_SECRET_FORMS).is_some();
    app || aibot || layers.any(WEBHOOK_FORMS).is_some()
}

fn no_file(entry: &SettingValue, env: &Environment) -> Result<Error> {
    let name = shown(entry.text()?);
    let searched = env.shown_config_files();
    let searched = if searched.is_empty() { "no home folder is known".to_owned() } else { searched.join(" and ") };
    let hint = match entry.precedence {
        Precedence::Option if entry.origin.starts_with('-') => {
            format!(
                "write one with wecom-alert config init, name it with `--config`, or leave `{}` out (searched: {searched})",
                entry.origin
            )
        }
        Precedence::Option => {
            format!("write one with wecom-alert config init, or name it with `--config` (searched: {searched})")
        }
        _ => format!(
            "write one with wecom-alert config init, name it with WECOM_ALERT_CONFIG, or unset WECOM_ALERT_PROFILE (searched: {searched})"
        ),
    };
    Ok(Error::config(format!("{}: there is no config file to take profile `{name}` from", entry.place()), hint))
}

fn unknown(file: &ConfigFile, name: &str, what: String) -> Error {
    let hint = match nearest(name, file.profiles.keys().map(String::as_str)) {
        Some(nearest) => format!("the nearest is `{nearest}`; the file has: {}", names(file)),
        None => "the file has no profiles: write one as [profiles.NAME]".to_owned(),
    };
    Error::config(what, hint)
}

fn names(file: &ConfigFile) -> String {
    file.profiles.keys().map(String::as_str).collect::<Vec<_>>().join(", ")
}
