//! Which config file and which profile count, and why. For those who ask: no setting depends on it.

use super::file::ConfigFile;
use super::key::Key;
use super::permissions::{Exposure, readers};
use super::resolve::Config;

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
        let named = self.options.get(Key::Config).or_else(|| self.environment.get(Key::Config));
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
        let asked = self.options.get(Key::Profile).or_else(|| self.environment.get(Key::Profile));
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
