//! How to print a report, also where settings are wrong: reading for that never fails, waits or warns.

use std::cell::LazyCell;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use toml::{Table, Value};

use super::choice::{Language, Output};
use super::config_file::LARGEST;
use super::env::Environment;
use super::layers::Overrides;
use super::setting::Setting;
use super::settings::Settings;
use super::value::{Precedence, RawValue, SettingValue};

/// The settings that a report needs. Where they are read with mistakes in other settings, as far as they can be known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReportSettings {
    /// How results are to be printed; text where nothing says so.
    pub output: Output,
    /// The language of the manual.
    pub language: Language,
    /// Errors, `queued` and `partial` only.
    pub quiet: bool,
    /// Whether each attempt is printed.
    pub verbose: bool,
    /// The profile; from [`report_settings`] the name that option or variable gave, whether there is such a profile or not.
    pub profile: Option<String>,
    /// The file that gets a line for each command.
    pub log_file: Option<PathBuf>,
}

impl From<&Settings> for ReportSettings {
    fn from(settings: &Settings) -> Self {
        Self {
            output: settings.output,
            language: settings.language,
            quiet: settings.quiet,
            verbose: settings.verbose > 0,
            profile: settings.profile.clone(),
            log_file: settings.log_file.clone(),
        }
    }
}

/// Reads the same places as [`super::Config`] and ignores what is wrong there.
pub fn report_settings(overrides: &Overrides, env: &Environment) -> ReportSettings {
    let given = |setting| overrides.settings.get(setting).cloned().or_else(|| env.value(setting).ok().flatten());
    let text = |value: SettingValue| value.text().ok().map(str::to_owned);
    let profile = given(Setting::Profile).and_then(text);
    let file = LazyCell::new(|| {
        let (path, text) = peek(given(Setting::Config).as_ref(), env)?;
        Some((path, text.parse::<Table>().ok()?))
    });
    let in_file = |setting: Setting| {
        let (path, table) = file.as_ref()?;
        let text = value_in(table, setting, profile.as_deref())?.to_owned();
        // Its position is not needed; its folder is, for a relative path.
        let folder = Rc::from(path.parent().unwrap_or(Path::new("")));
        let value = SettingValue::new(setting, RawValue::Text(text), Precedence::TopLevel, String::new());
        Some(value.in_file((0, 0), folder))
    };
    let word = |setting| given(setting).and_then(text).or_else(|| in_file(setting).and_then(text));
    let language = word(Setting::Language).and_then(|name| Language::parse(&name).ok().flatten());
    let language = language.unwrap_or_else(|| env.language());
    let output = word(Setting::Output).and_then(|name| Output::parse(&name).ok()).unwrap_or_default();
    let log_file = given(Setting::LogFile).or_else(|| in_file(Setting::LogFile));
    let log_file = log_file.and_then(|value| value.path(env.home()).ok());
    let (quiet, verbose) = (overrides.has(Setting::Quiet), overrides.has(Setting::Verbose));
    drop(file);
    ReportSettings { output, language, quiet, verbose, profile, log_file }
}

/// The config file and its text, if it can be read without an error and without waiting.
fn peek(named: Option<&SettingValue>, env: &Environment) -> Option<(PathBuf, String)> {
    let path = match named {
        Some(value) => value.path(env.home()).ok()?,
        None => env.config_files().into_iter().find(|path| path.symlink_metadata().is_ok())?,
    };
    // Anything but a regular file, such as a pipe, may have been read already, and reading it could block.
    let opened = if path.is_file() { File::open(&path).ok()? } else { return None };
    let mut text = String::new();
    opened.take(LARGEST).read_to_string(&mut text).ok()?;
    Some((path, text))
}

/// What a config file says of a key: its profile that counts, else its top level.
fn value_in<'a>(file: &'a Table, setting: Setting, named: Option<&str>) -> Option<&'a str> {
    let profiles = file.get("profiles").and_then(Value::as_table);
    let only = || profiles.filter(|profiles| profiles.len() == 1)?.keys().next().map(String::as_str);
    let usual = || file.get("default_profile").map_or_else(only, |name| name.as_str().map(str::trim));
    let profile = named.or_else(usual).and_then(|name| profiles?.get(name));
    profile.and_then(|profile| profile.get(setting.name())).or_else(|| file.get(setting.name()))?.as_str()
}
