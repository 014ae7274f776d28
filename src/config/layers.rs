//! The four levels of settings (option, environment variable, profile, top level of the file) and their precedence.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::groups::{FORMS, RECIPIENTS};
use super::lenience::{Lenience, Mistakes};
use super::setting::Setting;
use super::setting_row::Mistake;
use super::value::{Precedence, RawValue, SettingValue, Sourced};
use crate::error::{Error, Result};
use crate::sanitize::unwrapped;
use crate::secret::{Secret, secret_in_place_of_id};
use crate::sort;

/// What the command line gave. No `Debug`: a proxy may carry a password.
#[derive(Clone, Default)]
pub struct Overrides {
    pub(super) settings: Layer,
    /// Options of other things that were given an empty value, and whether that is told.
    pub(super) empty: Vec<(String, bool)>,
}

impl Overrides {
    /// Gives a setting the value of its option; the last one counts.
    pub fn set(mut self, setting: Setting, value: impl Into<RawValue>) -> Self {
        let origin = setting.row().option.to_owned();
        self.settings.insert(SettingValue::new(setting, value.into(), Precedence::Option, origin));
        self
    }

    /// Gives a setting the value that one alert among many has for it; errors call it by its `key`.
    pub(crate) fn set_key(&mut self, setting: Setting, value: RawValue, key: &str) {
        self.settings.insert(SettingValue::new(setting, value, Precedence::Option, key.to_owned()));
    }

    /// Whether nothing was given.
    pub(crate) fn is_empty(&self) -> bool {
        self.settings.0.is_empty()
    }

    /// Notes an option that is no setting's: its value is empty, and it counts as not given. `is_told` says that it decides
    /// something that would be missed.
    pub fn empty(mut self, option: String, is_told: bool) -> Self {
        self.empty.push((option, is_told));
        self
    }

    /// The text that was given for the setting, as written.
    pub fn text(&self, setting: Setting) -> Option<&str> {
        match &self.settings.get(setting)?.raw {
            RawValue::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Options for ids that may be a Secret in the wrong place.
    pub fn secrets(&self) -> Vec<Secret> {
        let ids = [Setting::CorpId, Setting::AgentId].into_iter().filter_map(|setting| self.text(setting));
        ids.map(unwrapped).filter_map(secret_in_place_of_id).collect()
    }

    /// The options of these settings alone.
    pub fn only(&self, settings: &[Setting]) -> Self {
        let values = self.settings.0.iter().filter(|(setting, _)| settings.contains(setting));
        let settings = Layer(sort::collect(values.map(|(setting, value)| (*setting, value.clone()))));
        Self { settings, empty: Vec::new() }
    }

    /// Whether the setting was given.
    pub fn has(&self, setting: Setting) -> bool {
        self.settings.get(setting).is_some()
    }
}

/// The values of one level.
#[derive(Clone, Default)]
pub(super) struct Layer(BTreeMap<Setting, SettingValue>);

/// The levels of one command.
pub(super) struct Layers<'a> {
    pub(super) options: &'a Layer,
    pub(super) environment: &'a Layer,
    pub(super) profile: &'a Layer,
    pub(super) top: &'a Layer,
    pub(super) rank: Rank,
    pub(super) mistakes: &'a Mistakes,
}

/// The rank of the profile among the levels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rank {
    /// Below the environment.
    Usual,
    /// Named by option: its credentials and ids beat the environment's.
    Named,
    /// Named as a further target: its recipients beat option and environment as well.
    Target,
}

impl Layer {
    pub(super) fn insert(&mut self, value: SettingValue) {
        self.0.insert(value.setting, value);
    }

    pub(super) fn extend(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    pub(super) fn remove(&mut self, setting: Setting) {
        self.0.remove(&setting);
    }

    pub(super) fn get(&self, setting: Setting) -> Option<&SettingValue> {
        self.0.get(&setting)
    }

    /// The options without empty ones, whose names go to `empty`: they are ignored, as empty variables are. Where an alert is
    /// sent, a warning tells of those that decide something or name a target; where nothing is sent, they stay, to be
    /// refused. So do those of a send that decide whom it reaches: an alert of `run` goes where the other settings say then.
    pub(super) fn without_empty(self, mistakes: &Mistakes, empty: &mut Vec<String>) -> Self {
        let values = self.0.into_iter().filter_map(|(setting, value)| {
            let is_recipient = RECIPIENTS.contains(&setting);
            let decides = setting == Setting::Msgtype || setting.row().mistake == Mistake::Stops;
            let is_kept = match mistakes.lenience {
                // An empty prefix takes that of the settings away.
                _ if setting == Setting::Prefix => true,
                Lenience::Strict => decides,
                Lenience::Send => decides && !matches!(setting, Setting::Msgtype | Setting::Proxy | Setting::CaFile),
                Lenience::Run => false,
            };
            if is_kept {
                return Some((setting, value));
            }
            let origin = value.origin.clone();
            let left = value.unless_empty();
            if left.is_none() {
                if is_recipient {
                    mistakes.tell(format!("{origin} is empty: the configured recipients are used"));
                } else if decides || matches!(setting, Setting::Also | Setting::Fallback) {
                    mistakes.tell(counts_as_not_given(&origin));
                }
                empty.push(origin);
            }
            Some((setting, left?))
        });
        Self(sort::collect(values))
    }

    /// The settings that are given here.
    pub(super) fn settings(&self) -> impl Iterator<Item = Setting> {
        self.0.keys().copied()
    }

    /// The first of these settings that is given here.
    pub(super) fn any(&self, settings: &[Setting]) -> Option<&SettingValue> {
        settings.iter().find_map(|setting| self.get(*setting))
    }

    /// Refuses two forms of one value, or leaves all of them out where an alert can do without.
    pub(super) fn refuse_two_forms(&mut self, mistakes: &Mistakes) -> Result<()> {
        for forms in FORMS {
            let mut given = forms.iter().filter_map(|setting| self.get(*setting));
            if let (Some(one), Some(other)) = (given.next(), given.next()) {
                let refused = Err(Error::config(
                    format!("{} and {} are two forms of one value", one.place(), other.place()),
                    "keep one of them",
                ));
                let _: Option<()> = mistakes.pass_over(one.setting, false, refused)?;
                forms.iter().for_each(|form| self.remove(*form));
            }
        }
        Ok(())
    }
}

/// The warning about an empty option.
pub(super) fn counts_as_not_given(option: &str) -> String {
    format!("{option} is empty: ignored")
}

impl Layers<'_> {
    /// The value that counts, of any of these settings.
    pub(super) fn any(&self, settings: &[Setting]) -> Option<&SettingValue> {
        [self.options, self.environment, self.profile, self.top].into_iter().find_map(|layer| layer.any(settings))
    }

    /// The same for credentials and ids, where a profile named by option counts before the environment.
    pub(super) fn any_identity(&self, settings: &[Setting]) -> Option<&SettingValue> {
        if self.rank == Rank::Usual {
            return self.any(settings);
        }
        [self.options, self.profile, self.environment, self.top].into_iter().find_map(|layer| layer.any(settings))
    }

    /// The levels in the order that recipients have: those of a further target's profile count before all others.
    pub(super) fn for_recipients(&self) -> [&Layer; 4] {
        match self.rank {
            Rank::Target => [self.profile, self.options, self.environment, self.top],
            Rank::Named | Rank::Usual => [self.options, self.environment, self.profile, self.top],
        }
    }

    /// The value of that setting that counts.
    pub(super) fn get(&self, setting: Setting) -> Option<&SettingValue> {
        self.any(&[setting])
    }

    /// That value, read by `parse`.
    pub(super) fn parsed<T>(&self, setting: Setting, parse: impl Fn(&str) -> Result<T>) -> Result<Option<T>> {
        let Some(value) = self.get(setting) else { return Ok(None) };
        self.settle(value, value.parsed(parse))
    }

    /// What was read of a value, or `None` where it is wrong and need not stop an alert.
    pub(super) fn settle<T>(&self, value: &SettingValue, read: Result<T>) -> Result<Option<T>> {
        // That what was not expanded is exit 3 is a promise to scripts; the exit code of `run` is its command's.
        if self.mistakes.lenience == Lenience::Send && value.is_unexpanded() {
            return read.map(Some);
        }
        self.mistakes.pass_over(value.setting, value.precedence == Precedence::Option, read)
    }

    /// The same with its origin, for an id.
    pub(super) fn id<T>(&self, setting: Setting, parse: impl Fn(&str) -> Result<T>) -> Result<Option<Sourced<T>>> {
        let Some(given) = self.any_identity(&[setting]) else { return Ok(None) };
        let value = given.parsed(parse)?;
        Ok(Some(Sourced { value, origin: given.origin.clone(), precedence: given.precedence }))
    }

    /// That value as a string.
    pub(super) fn text(&self, setting: Setting) -> Result<Option<String>> {
        self.parsed(setting, |text| Ok(text.to_owned()))
    }

    /// That value as strings; none where it is not given.
    pub(super) fn list(&self, setting: Setting) -> Result<Vec<String>> {
        let Some(value) = self.get(setting) else { return Ok(Vec::new()) };
        Ok(self.settle(value, value.list())?.unwrap_or_default())
    }

    /// That value as a path.
    pub(super) fn path(&self, setting: Setting, home: Option<&Path>) -> Result<Option<PathBuf>> {
        let Some(value) = self.get(setting) else { return Ok(None) };
        self.settle(value, value.path(home))
    }

    /// The same for what commands that are run elsewhere are to find again.
    pub(super) fn lasting_path(&self, setting: Setting, home: Option<&Path>) -> Result<Option<PathBuf>> {
        let path = self.path(setting, home)?;
        if let (Some(path), Some(value)) = (path.as_ref().filter(|path| path.is_relative()), self.get(setting)) {
            let (origin, path) = (&value.origin, path.display());
            self.mistakes
                .tell(format!("{origin} is no absolute path ({path}): what is run in another folder does not find it"));
        }
        Ok(path)
    }

    /// That flag; false where it is not given.
    pub(super) fn flag(&self, setting: Setting) -> Result<bool> {
        self.get(setting).map_or(Ok(false), SettingValue::flag)
    }
}
