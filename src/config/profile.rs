//! Which profile counts; and why it is this one and this config file, for those who ask.

use super::config_file::{Exposure, readers};
use super::env::Environment;
use super::file::ConfigFile;
use super::resolve::Config;
use super::setting::{SECRET_FORMS, Setting, WEBHOOK_FORMS};
use super::value::{Layer, Precedence, SettingValue, shown};
use crate::error::{Error, Result};
use crate::suggest::nearest;

/// The profile named by option or variable, else the file's default, else the only one. With several and no default
/// there is none if option and environment alone give credentials or nobody needs one, else an error.
pub(super) fn choose_profile<'a>(
    file: Option<&'a ConfigFile>,
    options: &Layer,
    environment: &Layer,
    env: &Environment,
    needs_one: bool,
) -> Result<Option<(&'a str, &'a Layer)>> {
    let asked = options.get(Setting::Profile).or_else(|| environment.get(Setting::Profile));
    let Some(file) = file else {
        return asked.map_or(Ok(None), |entry| Err(no_file(entry, env)?));
    };
    if let Some(entry) = asked {
        let name = entry.text()?;
        return find(file, name).map(Some).ok_or_else(|| {
            let what = format!("{}: there is no profile `{}` in {}", entry.place(), shown(name), file.path.display());
            unknown(file, name, what)
        });
    }
    if let Some((name, place)) = &file.default_profile {
        return find(file, name)
            .map(Some)
            .ok_or_else(|| unknown(file, name, format!("{place}: there is no profile of this name")));
    }
    let mut profiles = file.profiles.iter();
    match (profiles.next(), profiles.next()) {
        (None, _) => Ok(None),
        (Some((name, layer)), None) => Ok(Some((name, layer))),
        _ if !needs_one || gives_credentials(options, environment) => Ok(None),
        _ => Err(Error::config(
            format!("{} has several profiles and no default_profile: {}", file.path.display(), names(file)),
            "choose one with `--profile NAME` or WECOM_ALERT_PROFILE, or set default_profile in the file",
        )),
    }
}

fn find<'a>(file: &'a ConfigFile, name: &str) -> Option<(&'a str, &'a Layer)> {
    file.profiles.get_key_value(name).map(|(name, layer)| (name.as_str(), layer))
}

fn gives_credentials(options: &Layer, environment: &Layer) -> bool {
    let corp_id = options.get(Setting::CorpId).or_else(|| environment.get(Setting::CorpId));
    let app = corp_id.is_some() && environment.any(SECRET_FORMS).is_some();
    app || environment.any(WEBHOOK_FORMS).is_some()
}

fn no_file(entry: &SettingValue, env: &Environment) -> Result<Error> {
    let name = shown(entry.text()?);
    let searched: Vec<_> = env.config_files().iter().map(|path| path.display().to_string()).collect();
    let searched = if searched.is_empty() { "no home folder is known".to_owned() } else { searched.join(" and ") };
    let hint = match entry.level {
        Precedence::Option if entry.origin.starts_with('-') => {
            format!("name the file with `--config`, or leave `{}` out (searched: {searched})", entry.origin)
        }
        Precedence::Option => format!("name the file with `--config` (searched: {searched})"),
        _ => format!("name the file with WECOM_ALERT_CONFIG, or unset WECOM_ALERT_PROFILE (searched: {searched})"),
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

impl Config<'_> {
    /// The config file and why it is that one, or why there is none; for people.
    pub fn about_file(&self) -> String {
        let searched = self.env.config_files();
        let Some(file) = &self.file else {
            let searched: Vec<_> = searched.iter().map(|path| path.display().to_string()).collect();
            return match searched.as_slice() {
                [] => "none: HOME is not set, so that no place for one is known".to_owned(),
                paths => format!("none: there is no {}", paths.join(" and no ")),
            };
        };
        let path = file.path.display();
        let named = self.options.get(Setting::Config).or_else(|| self.environment.get(Setting::Config));
        let before = searched.iter().take_while(|path| **path != file.path).map(|path| path.display().to_string());
        match (named, before.collect::<Vec<_>>().as_slice()) {
            (Some(entry), _) => format!("{path}, which {} names", entry.origin),
            (None, _) if !self.env.is_system_config(&file.path) => format!("{path}, found in the user's folder"),
            (None, []) => format!("{path}, the system's"),
            (None, missing) => format!("{path}, the system's, since there is no {}", missing.join(" and no ")),
        }
    }

    /// The profile that was chosen and why it is that one, or why there is none; for people.
    pub fn about_profile(&self, chosen: Option<&str>) -> String {
        let Some(name) = chosen else {
            return match &self.file {
                None => "none: options and environment alone give the settings".to_owned(),
                Some(file) if file.profiles.is_empty() => "none: the config file has no profiles".to_owned(),
                Some(_) => "none: the environment gives the credentials, and no profile was named".to_owned(),
            };
        };
        let asked = self.options.get(Setting::Profile).or_else(|| self.environment.get(Setting::Profile));
        let default = self.file.as_ref().and_then(|file| file.default_profile.as_ref());
        match (asked, default) {
            (Some(entry), _) => format!("{name}, which {} names", entry.origin),
            (None, Some(_)) => format!("{name}, the default_profile of the config file"),
            (None, None) => format!("{name}, the only one in the config file"),
        }
    }

    /// What is wrong with the permissions of the config file, if anything.
    pub fn exposure(&self) -> Option<Exposure> {
        self.file.as_ref().and_then(ConfigFile::exposure)
    }

    /// Who may read the config file, if there is one whose permissions can be told; for people.
    pub fn who_may_read_file(&self) -> Option<String> {
        self.file.as_ref()?.mode.map(readers)
    }
}
