//! A glance at settings that cannot be used, for the report on it: nothing here fails, waits or complains.

use toml::{Table, Value};

use super::env::Environment;
use super::key::Key;
use super::layer::Entry;
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
}

/// Looks where [`super::resolve`] would look, past whatever is wrong there.
#[must_use]
pub fn glance(overrides: &Overrides, env: &Environment) -> Glance {
    let options = overrides.layer();
    let given = |key| options.get(key).cloned().or_else(|| env.entry(key).ok().flatten());
    let text = |key| given(key).and_then(|entry: Entry| entry.text().ok().map(str::to_owned));
    let profile = text(Key::Profile);
    let in_file = || output_in(&search::peek(given(Key::Config).as_ref(), env)?.parse().ok()?, profile.as_deref());
    let output = text(Key::Output).or_else(in_file).and_then(|text| parse_output(&text).ok());
    Glance { output: output.unwrap_or(Output::Text), profile }
}

/// What a config file says of the output: its profile that counts, else its top level.
fn output_in(file: &Table, named: Option<&str>) -> Option<String> {
    let profiles = file.get("profiles").and_then(Value::as_table);
    let only = || profiles.filter(|profiles| profiles.len() == 1)?.keys().next().map(String::as_str);
    let usual = || file.get("default_profile").map_or_else(only, |name| name.as_str().map(str::trim));
    let profile = named.or_else(usual).and_then(|name| profiles?.get(name));
    let output = profile.and_then(|profile| profile.get("output")).or_else(|| file.get("output"))?;
    output.as_str().map(|text| text.trim().to_owned())
}
