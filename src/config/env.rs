//! The environment variables, read once: values of settings, folders of the user, credentials to mask. The names of the
//! variables of settings are in `setting`.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::{Path, PathBuf};

use super::choice::Language;
use super::groups::{AIBOT_SECRET_FORMS, CONVERSATIONS, OWN_SECRETS, RECIPIENTS, SECRET_FORMS, WEBHOOK_FORMS};
use super::layers::Layer;
use super::lenience::Mistakes;
use super::proxy::ProxyUrl;
use super::setting::{PREFIX, Setting};
use super::setting_row::ValueKind;
use super::urls::BaseUrl;
use super::value::{Precedence, RawValue, SettingValue, shown};
use super::webhook_key::Webhook;
use crate::error::{Error, Result};
use crate::sanitize::unwrapped;
use crate::secret::{Secret, secret_in_place_of_id};
use crate::sort;
use crate::suggest::nearest;

/// The name of our folder in each of the user's folders.
const FOLDER: &str = "wecom-alert";

/// What the variables begin with that `listen` gives to the program that it runs.
const OF_EVENTS: &str = "WECOM_ALERT_EVENT_";

/// The process's variables and the folders that its platform gives, read once.
#[derive(Clone, Default)]
pub struct Environment {
    variables: BTreeMap<OsString, OsString>,
    platform: Option<PlatformFolders>,
    system_config: Option<PathBuf>,
}

/// What a platform without the XDG rules has in their place.
#[derive(Clone)]
struct PlatformFolders {
    home: PathBuf,
    config: PathBuf,
    cache: PathBuf,
    state: PathBuf,
}

impl Environment {
    /// The environment of this process, with `/etc/wecom-alert/config.toml` as the system's config file.
    pub fn from_process() -> Self {
        Self {
            variables: sort::collect(std::env::vars_os()),
            platform: platform_folders(),
            system_config: Some(PathBuf::from("/etc/wecom-alert/config.toml")),
        }
    }

    /// Only these variables, without a system's config file.
    pub fn from_pairs<N: Into<OsString>, V: Into<OsString>>(pairs: impl IntoIterator<Item = (N, V)>) -> Self {
        let variables = sort::collect(pairs.into_iter().map(|(name, value)| (name.into(), value.into())));
        Self { variables, ..Self::default() }
    }

    /// Another path of the system's config file.
    pub fn with_system_config(mut self, path: impl Into<PathBuf>) -> Self {
        self.system_config = Some(path.into());
        self
    }

    /// A variable of another program, such as a CI system; an empty one counts as unset, and so does what is not UTF-8.
    /// Ours are read by their keys, and never here.
    pub fn variable(&self, name: &str) -> Option<&str> {
        self.variables.get(OsStr::new(name))?.to_str().filter(|value| !value.is_empty())
    }

    /// The language of the locale, for messages.
    pub(super) fn language(&self) -> Language {
        let locale = ["LC_ALL", "LC_MESSAGES", "LANG"].into_iter().find_map(|name| self.variable(name));
        if locale.is_some_and(|locale| locale.starts_with("zh")) { Language::Chinese } else { Language::English }
    }

    /// Whether a terminal may be shown colours: neither `NO_COLOR` nor a terminal without any says otherwise.
    pub fn allows_colours(&self) -> bool {
        let value = |name: &str| self.variables.get(OsStr::new(name));
        value("NO_COLOR").is_none_or(|value| value.is_empty()) && value("TERM").is_none_or(|term| term != "dumb")
    }

    /// The config files to look for, the first one first.
    pub(super) fn config_files(&self) -> Vec<PathBuf> {
        let user = self.folder("XDG_CONFIG_HOME", |p| &p.config, ".config").map(|folder| folder.join("config.toml"));
        user.into_iter().chain(self.system_config.clone()).collect()
    }

    /// The same for people.
    pub(super) fn shown_config_files(&self) -> Vec<String> {
        self.config_files().iter().map(|path| path.display().to_string()).collect()
    }

    /// Whether that is the config file of all users.
    pub fn is_system_config(&self, path: &Path) -> bool {
        self.system_config.as_deref() == Some(path)
    }

    /// Our folder for what can be fetched again.
    pub(super) fn cache_folder(&self) -> Option<PathBuf> {
        self.folder("XDG_CACHE_HOME", |p| &p.cache, ".cache")
    }

    /// Our folder for what must be kept.
    pub(super) fn state_folder(&self) -> Option<PathBuf> {
        self.folder("XDG_STATE_HOME", |p| &p.state, ".local/state")
    }

    /// The user's home folder.
    pub fn home(&self) -> Option<&Path> {
        self.absolute("HOME").or_else(|| self.platform.as_ref().map(|platform| platform.home.as_path()))
    }

    /// Where systemd puts the credentials of a service.
    pub(super) fn credentials_folder(&self) -> Option<&Path> {
        self.absolute("CREDENTIALS_DIRECTORY")
    }

    /// The settings that variables give; an empty one counts as unset.
    pub(super) fn layer(&self, mistakes: &Mistakes) -> Result<Layer> {
        let mut layer = Layer::default();
        for setting in Setting::ALL {
            if let Some(value) = mistakes.pass_over(*setting, false, self.value(*setting))?.flatten() {
                layer.insert(value);
            }
        }
        layer.refuse_two_forms(mistakes)?;
        Ok(layer)
    }

    /// The value that the variable of a setting gives.
    pub(super) fn value(&self, setting: Setting) -> Result<Option<SettingValue>> {
        let Some(name) = setting.row().variable else { return Ok(None) };
        let Some(value) = self.variables.get(OsStr::new(name)) else { return Ok(None) };
        let text = value.to_str().ok_or_else(|| {
            Error::config(format!("{name}: the value is not UTF-8"), "set it again in a UTF-8 locale")
        })?;
        if unwrapped(text).is_empty() {
            return Ok(None);
        }
        let mut entry =
            SettingValue::new(setting, RawValue::Text(text.to_owned()), Precedence::Environment, name.to_owned());
        if setting.row().kind == ValueKind::Flag {
            entry.raw = RawValue::Flag(read_flag(&entry)?);
        }
        Ok(Some(entry))
    }

    /// The variables that are used in place of what a first config file says: credentials, ids, recipients and base URL.
    pub fn variables_before_file(&self) -> Vec<&'static str> {
        let ids = [Setting::CorpId, Setting::AgentId, Setting::AibotId, Setting::AibotUrl, Setting::BaseUrl];
        let forms = [SECRET_FORMS, WEBHOOK_FORMS, AIBOT_SECRET_FORMS, RECIPIENTS, CONVERSATIONS];
        let settings = ids.iter().chain(forms.into_iter().flatten());
        settings.filter_map(|setting| setting.row().variable).filter(|name| self.variable(name).is_some()).collect()
    }

    /// One warning for each variable that has our prefix but is none of ours.
    pub fn unknown_variables(&self) -> Vec<String> {
        let known: Vec<_> = Setting::ALL.iter().filter_map(|setting| setting.row().variable).collect();
        let mut warnings = Vec::new();
        for (name, value) in &self.variables {
            let name = name.to_string_lossy();
            // A program of `listen` has these, and may alert. Container platforms inject these for a service that is named like this program.
            let injected = name.contains("_PORT") || name.contains("_SERVICE_") || name.starts_with(OF_EVENTS);
            if !name.starts_with(PREFIX) || injected || value.is_empty() || known.contains(&name.as_ref()) {
                continue;
            }
            let nearest = nearest(&name, known.iter().copied()).unwrap_or_default();
            let name = shown(&name);
            warnings.push(format!(
                "{name} is not a variable of wecom-alert and is ignored; the nearest known one is {nearest}"
            ));
        }
        warnings
    }

    /// Credentials in variables. They are masked from the start: even an error about an option may repeat a credential that was
    /// pasted into the wrong place.
    pub fn secrets(&self) -> Vec<Secret> {
        let value = |name: &str| self.variables.get(OsStr::new(name))?.to_str().map(unwrapped);
        let key_value = |setting: Setting| value(setting.row().variable?);
        let own = OWN_SECRETS.into_iter().filter_map(key_value);
        let mut secrets: Vec<Secret> = own.map(Secret::new).collect();
        secrets.extend(
            [Setting::CorpId, Setting::AgentId].into_iter().filter_map(key_value).filter_map(secret_in_place_of_id),
        );
        if let Some(webhook) = key_value(Setting::Webhook).map(Secret::new) {
            secrets.extend(Webhook::parse(&webhook, "").map(|webhook| webhook.key));
            secrets.push(webhook);
        }
        let usual = ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];
        for proxy in
            usual.into_iter().filter_map(value).chain(key_value(Setting::Proxy)).chain(key_value(Setting::SharedState))
        {
            secrets.extend(ProxyUrl::passwords_in(proxy));
        }
        secrets
    }

    /// The variables of ours whose values are secrets, or may carry them. A base URL carries none, unless it has a log-in or
    /// a query, and then it is none.
    pub fn secret_variables(&self) -> Vec<&'static str> {
        let sensitive = Setting::ALL.iter().filter(|setting| setting.row().kind == ValueKind::Sensitive);
        let named = sensitive.filter_map(|setting| Some((setting, setting.row().variable?)));
        let is_plain = |name: &str| {
            self.variable(name).is_some_and(|url| BaseUrl::parse(url).is_ok() || BaseUrl::parse_websocket(url).is_ok())
        };
        let secret = named
            .filter(|(setting, name)| !(matches!(setting, Setting::BaseUrl | Setting::AibotUrl) && is_plain(name)));
        secret.map(|(_, name)| name).collect()
    }

    fn folder(&self, variable: &str, platform: fn(&PlatformFolders) -> &PathBuf, in_home: &str) -> Option<PathBuf> {
        if let Some(folder) = self.absolute(variable) {
            return Some(folder.join(FOLDER));
        }
        match &self.platform {
            Some(folders) => Some(platform(folders).clone()),
            None => Some(self.home()?.join(in_home).join(FOLDER)),
        }
    }

    /// The XDG rules: empty is unset, and a relative path is to be ignored.
    fn absolute(&self, variable: &str) -> Option<&Path> {
        self.variables.get(OsStr::new(variable)).map(Path::new).filter(|path| path.is_absolute())
    }
}

/// Only names: values may be credentials.
impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.variables.keys()).finish()
    }
}

fn read_flag(entry: &SettingValue) -> Result<bool> {
    match entry.text()?.to_ascii_lowercase().as_str() {
        "1" | "true" | "yes" | "on" => Ok(true),
        "0" | "false" | "no" | "off" => Ok(false),
        _ => {
            Err(entry.invalid("neither yes nor no", "write `1`, `true`, `yes` or `on`, or `0`, `false`, `no` or `off`"))
        }
    }
}

/// On Unix the XDG rules and HOME give all folders.
#[cfg(all(unix, not(target_os = "macos")))]
fn platform_folders() -> Option<PlatformFolders> {
    None
}

#[cfg(not(all(unix, not(target_os = "macos"))))]
fn platform_folders() -> Option<PlatformFolders> {
    let base = directories::BaseDirs::new()?;
    let ours = directories::ProjectDirs::from("", "", FOLDER)?;
    Some(PlatformFolders {
        home: base.home_dir().to_owned(),
        config: ours.config_dir().to_owned(),
        cache: ours.cache_dir().to_owned(),
        state: ours.data_local_dir().join("state"),
    })
}
