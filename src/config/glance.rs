//! A glance at settings that cannot be used, for the report on it: nothing here fails, waits or complains.

use std::cell::LazyCell;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use toml::{Table, Value};

use super::env::Environment;
use super::key::Key;
use super::layer::{Entry, Raw};
use super::level::Level;
use super::overrides::Overrides;
use super::resolve::parse_output;
use super::search;
use super::settings::Output;

/// What could be told of the settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Glance {
    /// How results are to be printed; text where nothing says so.
    pub output: Output,
    /// The profile that was named by option or variable, whether there is one of that name or not.
    pub profile: Option<String>,
    /// The file that gets a line for each command.
    pub log_file: Option<PathBuf>,
}

/// Looks where [`super::resolve`] would look, past whatever is wrong there.
pub fn glance(overrides: &Overrides, env: &Environment) -> Glance {
    let options = overrides.layer();
    let given = |key| options.get(key).cloned().or_else(|| env.entry(key).ok().flatten());
    let text = |key| given(key).and_then(|entry: Entry| entry.text().ok().map(str::to_owned));
    let profile = text(Key::Profile);
    let file = LazyCell::new(|| {
        let (path, text) = search::peek(given(Key::Config).as_ref(), env)?;
        Some((path, text.parse::<Table>().ok()?))
    });
    let in_file = |key: Key| {
        let (path, table) = file.as_ref()?;
        value_in(table, key, profile.as_deref()).map(|value| entry_of(key, value, path))
    };
    let output = text(Key::Output).or_else(|| in_file(Key::Output)?.text().ok().map(str::to_owned));
    let log_file = given(Key::LogFile).or_else(|| in_file(Key::LogFile)).and_then(|entry| entry.path(env.home()).ok());
    let output = output.and_then(|text| parse_output(&text).ok()).unwrap_or(Output::Text);
    Glance { output, profile, log_file }
}

/// What a config file says of a key: its profile that counts, else its top level.
fn value_in<'a>(file: &'a Table, key: Key, named: Option<&str>) -> Option<&'a str> {
    let profiles = file.get("profiles").and_then(Value::as_table);
    let only = || profiles.filter(|profiles| profiles.len() == 1)?.keys().next().map(String::as_str);
    let usual = || file.get("default_profile").map_or_else(only, |name| name.as_str().map(str::trim));
    let profile = named.or_else(usual).and_then(|name| profiles?.get(name));
    profile.and_then(|profile| profile.get(key.name())).or_else(|| file.get(key.name()))?.as_str()
}

/// Where it stands is of no interest here, but that a relative path counts from the file's folder.
fn entry_of(key: Key, value: &str, file: &Path) -> Entry {
    let folder = Rc::from(file.parent().unwrap_or(Path::new("")));
    Entry::new(key, Raw::Text(value.to_owned()), Level::TopLevel, String::new()).in_file((0, 0), folder)
}
