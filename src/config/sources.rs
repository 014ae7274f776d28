//! Reads what command line, environment and config file say, and tells which file and which profile count, and why.

use std::rc::Rc;
use std::time::Duration;

use super::config_file::{Exposure, Found, Places, readers};
use super::env::Environment;
use super::file::ConfigFile;
use super::groups::{CONVERSATIONS, RECIPIENTS};
use super::layers::{Layer, Overrides, Rank, counts_as_not_given};
use super::lenience::{Lenience, Mistakes};
use super::parse::parse_duration;
use super::setting::Setting;
use super::settings::Settings;
use super::value::{Precedence, RawValue, SettingValue};
use crate::error::{Error, Result, Status};

/// The time for a command, where none is given.
pub(super) const DEADLINE: Duration = Duration::from_secs(90);

/// What command line, environment and config file say. They are read once, so that a command and its further targets
/// get the same settings, even where the file is a pipe. No `Debug`: a proxy may carry a password.
pub struct Config<'a> {
    pub(super) options: Layer,
    pub(super) empty_options: Vec<String>,
    pub(super) environment: Layer,
    pub(super) file: Option<Rc<ConfigFile>>,
    /// Why the file cannot be used, where a command has been run that an alert is to tell of.
    pub(super) unusable_file: Option<Error>,
    pub(super) env: &'a Environment,
    /// Warnings from reading, one sentence each.
    pub(super) warnings: Vec<String>,
    pub(super) mistakes: Mistakes,
}

impl<'a> Config<'a> {
    /// Reads the config file that counts, if there is one.
    ///
    /// # Errors
    ///
    /// Exit 3 for a file or a variable that cannot be read.
    pub fn read(overrides: &Overrides, env: &'a Environment, lenience: Lenience) -> Result<Self> {
        let (config, places) = Self::without_file(overrides, env, lenience)?;
        config.with_file(places.read())
    }

    /// The same, for a file that may be a pipe: it is read before the deadline that option or environment give. Fails as
    /// [`Config::read`] does.
    pub async fn read_in_time(overrides: &Overrides, env: &'a Environment, lenience: Lenience) -> Result<Self> {
        let (config, places) = Self::without_file(overrides, env, lenience)?;
        config.with_file(places.read_within(asked_deadline(overrides, env)).await)
    }

    /// Reads what can be known before a command is run that may take hours: `None` where a variable is wrong, or the file is
    /// no plain one and can be read only once.
    ///
    /// # Errors
    ///
    /// Usage, for options that can be the name of no file.
    pub fn peek(overrides: &Overrides, env: &'a Environment) -> Result<Option<Self>> {
        let (config, places) = match Self::without_file(overrides, env, Lenience::Run) {
            Ok(found) => found,
            Err(error) if error.status() == Status::Usage => return Err(error),
            Err(_) => return Ok(None),
        };
        if !places.are_plain() {
            return Ok(None);
        }
        Ok(config.with_file(places.read()).ok())
    }

    /// The settings as far as no file with a secret has to be read for them, and what deserves a warning. Fails as
    /// [`Config::resolve`] does.
    pub fn peek_settings(&self) -> Result<(Settings, Vec<String>)> {
        let mut options = self.options.clone();
        let dry_run = RawValue::Flag(true);
        options.insert(SettingValue::new(Setting::DryRun, dry_run, Precedence::Option, String::new()));
        let (settings, ignored) = self.resolve_with(&options, self.rank(), true)?;
        Ok((Settings { dry_run: false, ..settings }, self.all_warnings(ignored)))
    }

    /// The same with the options of one alert among many, which count before those of the command: recipients among them replace
    /// all that the command has of the kind. What was told of this one is not told again.
    pub(crate) fn with_options(&self, own: &Overrides) -> Self {
        let mistakes = self.mistakes.after();
        let mut empty_options = self.empty_options.clone();
        let own = own.settings.clone().without_empty(&mistakes, &mut empty_options);
        let mut options = self.options.clone();
        for group in [RECIPIENTS, CONVERSATIONS] {
            if own.any(group).is_some() {
                group.iter().for_each(|setting| options.remove(*setting));
            }
        }
        options.extend(own);
        Self {
            options,
            empty_options,
            environment: self.environment.clone(),
            file: self.file.clone(),
            unusable_file: self.unusable_file.clone(),
            env: self.env,
            warnings: Vec::new(),
            mistakes,
        }
    }

    /// The same, as an alert that is sent takes it: see [`Lenience::Send`].
    pub(crate) fn leniently(mut self) -> Self {
        self.mistakes.lenience = Lenience::Send;
        self
    }

    /// The names of the profiles in the config file.
    pub(crate) fn profiles(&self) -> Vec<String> {
        self.file.iter().flat_map(|file| file.profiles.keys().cloned()).collect()
    }

    fn without_file(overrides: &Overrides, env: &'a Environment, lenience: Lenience) -> Result<(Self, Places)> {
        let mistakes = Mistakes::new(lenience);
        let mut empty_options = Vec::new();
        for (option, is_told) in &overrides.empty {
            if *is_told && lenience == Lenience::Strict {
                let message = format!("{option}: the value is empty");
                return Err(Error::usage(message, "give a value, or leave the option out"));
            }
            if *is_told {
                mistakes.tell(counts_as_not_given(option));
            }
            empty_options.push(option.clone());
        }
        let options = overrides.settings.clone().without_empty(&mistakes, &mut empty_options);
        let environment = env.layer(&mistakes)?;
        let unusable_file = None;
        let config = Self {
            options,
            empty_options,
            environment,
            file: None,
            unusable_file,
            env,
            warnings: env.unknown_variables(),
            mistakes,
        };
        let places = Places::of(config.asked(Setting::Config), env)?;
        Ok((config, places))
    }

    fn with_file(mut self, found: Result<Option<Found>>) -> Result<Self> {
        match found.and_then(|found| found.map(|found| found.parse(&self.mistakes)).transpose()) {
            Ok(file) => self.file = file.map(Rc::new),
            Err(error) if self.mistakes.lenience == Lenience::Run && error.status() == Status::Config => {
                self.unusable_file = Some(error);
            }
            Err(error) => return Err(error),
        }
        self.warnings.extend(self.exposure().map(|exposure| exposure.to_string()));
        Ok(self)
    }

    /// What option or environment, not the file, says of a setting.
    fn asked(&self, setting: Setting) -> Option<&SettingValue> {
        self.options.get(setting).or_else(|| self.environment.get(setting))
    }

    /// A variable of another program: see [`Environment::variable`].
    pub fn variable(&self, name: &str) -> Option<String> {
        self.env.variable(name).map(str::to_owned)
    }

    pub(super) fn rank(&self) -> Rank {
        if self.options.get(Setting::Profile).is_some() { Rank::Named } else { Rank::Usual }
    }
}

impl Config<'_> {
    /// The config file and why it is that one, or why there is none; for people.
    pub fn about_file(&self) -> String {
        let searched = self.env.shown_config_files();
        let Some(file) = &self.file else {
            return match searched.as_slice() {
                [] => "none: HOME is not set, so that no place for one is known".to_owned(),
                paths => format!("none: there is no {}", paths.join(" and no ")),
            };
        };
        let path = file.path.display().to_string();
        let before = searched.into_iter().take_while(|searched| *searched != path);
        match (self.asked(Setting::Config), before.collect::<Vec<_>>().as_slice()) {
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
                None => "none: all settings come from options and environment".to_owned(),
                Some(file) if file.profiles.is_empty() => "none: the config file has no profiles".to_owned(),
                Some(_) => "none: the environment gives the credentials, and no profile was named".to_owned(),
            };
        };
        let default = self.file.as_ref().and_then(|file| file.default_profile.as_ref());
        match (self.asked(Setting::Profile), default) {
            (Some(entry), _) => format!("{name}, which {} names", entry.origin),
            (None, Some(_)) => format!("{name}, the default_profile of the config file"),
            (None, None) => format!("{name}, the only one in the config file"),
        }
    }

    /// What is wrong with the permissions of the config file, if anything.
    pub fn exposure(&self) -> Option<Exposure> {
        self.file.as_deref().and_then(ConfigFile::exposure)
    }

    /// Who may read the config file, if there is one whose permissions are known; for people.
    pub fn who_may_read_file(&self) -> Option<String> {
        self.file.as_ref()?.mode.map(readers)
    }
}

/// The deadline that option or environment give, else the default: for what comes before the config file is known.
pub fn asked_deadline(overrides: &Overrides, env: &Environment) -> Duration {
    let environment = env.value(Setting::Deadline).ok().flatten();
    let asked = overrides.settings.get(Setting::Deadline).or(environment.as_ref());
    asked.and_then(|given| parse_duration(given.text().ok()?).ok()).unwrap_or(DEADLINE)
}
