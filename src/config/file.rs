//! Parses the TOML text of a config file into unparsed values by key, each with line and column. `config_file` finds
//! the file.
//!
//! Errors name file, line, column and key, never a value nor the text of a line: those may be credentials. So the
//! parsed table is walked here, and the parser's own rendering of errors, which quotes lines, is not used.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use toml::Spanned;
use toml::de::{DeArray, DeInteger, DeString, DeTable, DeValue};

use super::credential::conversion_of;
use super::groups::OWN_SECRETS;
use super::layers::Layer;
use super::lenience::{Lenience, Mistakes};
use super::setting::Setting;
use super::setting_row::ValueKind;
use super::value::{Precedence, RawValue, SettingValue, shown};
use crate::error::{Error, Result};
use crate::sort;
use crate::suggest::{is_near, nearest};

/// The key that names the profile to use.
const DEFAULT_PROFILE: &str = "default_profile";
/// The longest key or name of a profile that errors show.
const LONGEST_SHOWN: usize = 32;

/// The table of profiles.
const PROFILES: &str = "profiles";

/// A config file as read.
pub(super) struct ConfigFile {
    pub(super) path: PathBuf,
    /// The name, and its place.
    pub(super) default_profile: Option<(String, String)>,
    pub(super) top: Layer,
    /// Why one cannot be used, where an alert is sent: only those who use it need it to be right.
    pub(super) profiles: BTreeMap<String, Result<Layer>>,
    /// A credential itself, not its source, is somewhere in the file.
    pub(super) has_inline_secrets: bool,
    /// The mode of a regular file, where the platform has such a thing.
    pub(super) mode: Option<u32>,
}

/// Reads a whole config file; `path` is for messages and for relative paths.
pub(super) fn parse_bytes(bytes: &[u8], path: PathBuf, mistakes: &Mistakes) -> Result<ConfigFile> {
    match std::str::from_utf8(bytes) {
        Ok(text) => parse(text, path, mistakes),
        Err(error) => {
            let good = std::str::from_utf8(&bytes[..error.valid_up_to()]).unwrap_or_default();
            let (line, column) = position(good, good.len());
            Err(Error::config(
                format!("{}:{line}:{column}: the config file is not UTF-8", path.display()),
                conversion_of(bytes),
            ))
        }
    }
}

fn parse(text: &str, path: PathBuf, mistakes: &Mistakes) -> Result<ConfigFile> {
    // The parser skips the mark too, but positions would count it.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let folder = Rc::from(path.parent().unwrap_or(Path::new("")));
    let document = Document { text, path: &path, folder, mistakes };
    let table = DeTable::parse(text).map_err(|error| document.syntax_error(&error))?;
    let mut default_profile = None;
    let mut top = Layer::default();
    let mut profiles = BTreeMap::new();
    for (key, value) in in_order(table.get_ref()) {
        match (key.get_ref().as_ref(), value.get_ref()) {
            (DEFAULT_PROFILE, DeValue::String(name)) => {
                let place = format!("{DEFAULT_PROFILE} in {}", document.place_at(key.span().start));
                default_profile = Some((name.trim().to_owned(), place));
            }
            (DEFAULT_PROFILE, _) => return Err(document.wrong_type(key, "the name of a profile as a string", None)),
            (PROFILES, DeValue::Table(named)) => profiles = document.profiles(named)?,
            (PROFILES, _) => return Err(document.wrong_type(key, "a table", None)),
            _ => document.entry(key, value, None)?.into_iter().for_each(|entry| top.insert(entry)),
        }
    }
    top.refuse_two_forms(mistakes)?;
    let has_inline_secrets = std::iter::once(&top).chain(profiles.values().flatten()).any(holds_secret);
    Ok(ConfigFile { path, default_profile, top, profiles, has_inline_secrets, mode: None })
}

struct Document<'a> {
    text: &'a str,
    path: &'a Path,
    folder: Rc<Path>,
    mistakes: &'a Mistakes,
}

impl Document<'_> {
    fn profiles(&self, named: &DeTable<'_>) -> Result<BTreeMap<String, Result<Layer>>> {
        let mut profiles = BTreeMap::new();
        for (key, value) in in_order(named) {
            let read = self.profile(key, value);
            let read = if self.mistakes.lenience == Lenience::Strict { Ok(read?) } else { read };
            profiles.insert(key.get_ref().to_string(), read);
        }
        Ok(profiles)
    }

    fn profile(&self, key: &Spanned<DeString<'_>>, value: &Spanned<DeValue<'_>>) -> Result<Layer> {
        let name = key.get_ref().as_ref();
        if name.trim() != name || name.is_empty() || name.chars().any(char::is_control) {
            return Err(self.error_at(
                key,
                "the profile's name is empty, or has white space around or control characters in it",
                "write a plain name, such as [profiles.ops]",
            ));
        }
        let DeValue::Table(settings) = value.get_ref() else {
            let hint = "write [profiles.NAME], and its settings on the lines below";
            return Err(self.error_at(key, "a profile must be a table", hint));
        };
        let mut layer = Layer::default();
        for (key, value) in in_order(settings) {
            self.entry(key, value, Some(name))?.into_iter().for_each(|entry| layer.insert(entry));
        }
        layer.refuse_two_forms(self.mistakes)?;
        Ok(layer)
    }

    fn entry(
        &self,
        key: &Spanned<DeString<'_>>,
        value: &Spanned<DeValue<'_>>,
        profile: Option<&str>,
    ) -> Result<Option<SettingValue>> {
        let Some(known) = Setting::of_key(key.get_ref()) else {
            let error = self.unknown_key(key, value, profile);
            if self.mistakes.lenience != Lenience::Run {
                return Err(error);
            }
            self.mistakes.tell(format!("{error}: it is left out"));
            return Ok(None);
        };
        let raw =
            read_raw(known.row().kind, value.get_ref()).map_err(|expected| self.wrong_type(key, expected, profile));
        let Some(raw) = self.mistakes.pass_over(known, false, raw)? else { return Ok(None) };
        let precedence = if profile.is_some() { Precedence::Profile } else { Precedence::TopLevel };
        let origin = format!("{}{} in {}", known.name(), of_profile(profile), self.path.display());
        let value = SettingValue::new(known, raw, precedence, origin);
        Ok(Some(value.in_file(position(self.text, key.span().start), Rc::clone(&self.folder))))
    }

    fn unknown_key(&self, key: &Spanned<DeString<'_>>, value: &Spanned<DeValue<'_>>, profile: Option<&str>) -> Error {
        let name = key.get_ref().as_ref();
        let elsewhere: &[&str] = if profile.is_some() { &[] } else { &[DEFAULT_PROFILE, PROFILES] };
        let known = Setting::keys().chain(elsewhere.iter().copied());
        let nearest = nearest(name, known).unwrap_or_default();
        let shown_name =
            if is_near(name, nearest) { format!("unknown key `{}`", shown(name)) } else { "unknown key".into() };
        let hint = match (profile, value.get_ref()) {
            (Some(_), _) if name == DEFAULT_PROFILE || name == PROFILES => {
                format!("`{name}` belongs at the top level, above the first [profiles.NAME]")
            }
            (None, DeValue::Table(_)) => "a profile is written [profiles.NAME]".to_owned(),
            _ => "correct the key or remove it; wecom-alert config example shows every key".to_owned(),
        };
        // It names a profile: that word is no secret.
        let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        let is_name = name.len() <= LONGEST_SHOWN && name.chars().all(is_word) && !is_near(name, nearest);
        if profile.is_none() && matches!(value.get_ref(), DeValue::Table(_)) && is_name {
            let what = format!("unknown key [{name}]: a profile is below `profiles`");
            return self.error_at(key, &what, &format!("write [profiles.{name}]"));
        }
        let what = format!("{shown_name}{}; the nearest known key is `{nearest}`", of_profile(profile));
        self.error_at(key, &what, &hint)
    }

    fn wrong_type(&self, key: &Spanned<DeString<'_>>, expected: &str, profile: Option<&str>) -> Error {
        let what = format!("`{}`{} must be {expected}", key.get_ref(), of_profile(profile));
        self.error_at(key, &what, "correct the value; wecom-alert config example shows every key")
    }

    fn syntax_error(&self, error: &toml::de::Error) -> Error {
        let place = match error.span() {
            Some(span) => self.place_at(span.start),
            None => self.path.display().to_string(),
        };
        let hint = match error.span().and_then(|span| self.mistyped(span.start)) {
            Some((typed, meant)) => format!("write {meant} in place of {typed}: an input method's sign is not TOML's"),
            None => "correct the line; strings are in double quotes".to_owned(),
        };
        // The parser's short message names what the grammar expects, nothing of the file.
        let message = error.message().split_whitespace().collect::<Vec<_>>().join(" ");
        Error::config(format!("{place}: the config file is not valid TOML: {message}"), hint)
    }

    /// The sign of an input method that a mistake at `start` may be about: there, or where its line begins or ends. Those
    /// within strings are the user's own.
    fn mistyped(&self, start: usize) -> Option<(char, char)> {
        let (before, after) = self.text.split_at_checked(start)?;
        let line = [before.rsplit('\n').next()?, after.split('\n').next()?].concat();
        let ends = [after.chars().next(), line.trim().chars().next(), line.trim().chars().next_back()];
        ends.into_iter().flatten().find_map(meant)
    }

    fn error_at(&self, key: &Spanned<DeString<'_>>, what: &str, hint: &str) -> Error {
        Error::config(format!("{}: {what}", self.place_at(key.span().start)), hint)
    }

    fn place_at(&self, byte: usize) -> String {
        let (line, column) = position(self.text, byte);
        format!("{}:{line}:{column}", self.path.display())
    }
}

/// The sign that was meant by one that Chinese input methods write for it; with that one.
fn meant(typed: char) -> Option<(char, char)> {
    let meant = match typed {
        '“' | '”' | '‘' | '’' | '＂' | '＇' => '"',
        '＝' => '=',
        '，' | '、' => ',',
        '［' | '【' => '[',
        '］' | '】' => ']',
        '＃' => '#',
        _ => return None,
    };
    Some((typed, meant))
}

/// A longer name may be a credential in the wrong place; the file's line tells which profile it is.
fn of_profile(profile: Option<&str>) -> String {
    let is_name = |name: &&str| name.chars().count() <= LONGEST_SHOWN;
    profile.filter(is_name).map_or_else(String::new, |name| format!(" of profile {name}"))
}

/// The entries in the order of the file, so that the first mistake is the one reported.
fn in_order<'a, 'i>(table: &'a DeTable<'i>) -> Vec<(&'a Spanned<DeString<'i>>, &'a Spanned<DeValue<'i>>)> {
    let mut entries: Vec<_> = table.iter().collect();
    sort::sort_by_key(&mut entries, |(key, _)| key.span().start);
    entries
}

/// The value if its type fits the kind, else what is expected.
fn read_raw(kind: ValueKind, value: &DeValue<'_>) -> std::result::Result<RawValue, &'static str> {
    let takes_numbers = matches!(kind, ValueKind::Number | ValueKind::Count | ValueKind::NumberList);
    let one = |value: &DeValue<'_>| match value {
        DeValue::Integer(number) if takes_numbers => whole_number(number),
        _ => value.as_str().map(str::to_owned),
    };
    let several = |items: &DeArray<'_>| items.iter().map(|item| one(item.get_ref())).collect::<Option<Vec<_>>>();
    let is_filled = |item: &String| !item.trim().is_empty();
    let (raw, expected) = match kind {
        ValueKind::Flag => (value.as_bool().map(RawValue::Flag), "true or false"),
        ValueKind::Program => {
            let words = value.as_array().and_then(several).filter(|words| words.first().is_some_and(is_filled));
            (words.map(RawValue::List), "an array of strings: a program and its arguments")
        }
        ValueKind::List | ValueKind::NumberList => {
            let list = match value.as_array() {
                Some(items) => several(items),
                None => one(value).map(|text| vec![text]),
            };
            let expected = if takes_numbers {
                "a number or a string that is not empty, or an array of such"
            } else {
                "a string that is not empty, or an array of such"
            };
            (list.filter(|items| items.iter().all(is_filled)).map(RawValue::List), expected)
        }
        ValueKind::Number | ValueKind::Count => (one(value).map(RawValue::Text), "a whole number"),
        ValueKind::Duration => (one(value).map(RawValue::Text), "a duration in quotes, such as \"10s\""),
        _ => (one(value).map(RawValue::Text), "a string"),
    };
    raw.ok_or(expected)
}

fn whole_number(number: &DeInteger<'_>) -> Option<String> {
    i64::from_str_radix(number.as_str(), number.radix()).ok().map(|number| number.to_string())
}

fn holds_secret(layer: &Layer) -> bool {
    let urls = [Setting::Proxy, Setting::SharedState];
    let mut urls = urls.into_iter().filter_map(|setting| layer.get(setting)?.text().ok());
    layer.any(&OWN_SECRETS).or_else(|| layer.get(Setting::Webhook)).is_some() || urls.any(|url| url.contains('@'))
}

/// Line and column of a byte, from 1, the column in characters.
fn position(text: &str, byte: usize) -> (usize, usize) {
    let before = text.get(..byte).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
}
