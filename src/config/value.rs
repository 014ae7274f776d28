//! Unparsed values of settings with their origin, and the four levels (option, environment variable, profile, top level
//! of the file) with their precedence.
//!
//! The rules for every value are checked here: not empty, no unexpanded variable, no control characters. `parse`,
//! `choice` and `urls` parse the text.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::lenience::{Lenience, Mistakes};
use super::setting::{FORMS, Mistake, RECIPIENTS, Setting, ValueKind};
use crate::error::{Error, Result};
use crate::sanitize::{excerpt, unwrapped};

/// Where a value was given; an earlier one wins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Precedence {
    /// On the command line.
    Option,
    /// In an environment variable.
    Environment,
    /// In the chosen profile of the config file.
    Profile,
    /// At the top level of the config file.
    TopLevel,
}

/// A value and where it came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sourced<T> {
    /// The value.
    pub value: T,
    /// For humans: `--corp-id`, `WECOM_ALERT_CORP_ID` or `corp_id of profile ops in /etc/wecom-alert/config.toml`.
    pub origin: String,
    /// At which level it was given.
    pub precedence: Precedence,
}

/// A value as written. No `Debug`: a proxy may carry a password.
#[derive(Clone)]
pub enum RawValue {
    /// One string.
    Text(String),
    /// A path, of any bytes.
    Path(PathBuf),
    /// True or false.
    Flag(bool),
    /// Several strings.
    List(Vec<String>),
}

impl From<&str> for RawValue {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

/// A value and its place.
#[derive(Clone)]
pub(super) struct SettingValue {
    pub(super) setting: Setting,
    pub(super) raw: RawValue,
    pub(super) precedence: Precedence,
    /// For humans, as in [`Sourced::origin`].
    pub(super) origin: String,
    /// Line and column in the config file, from 1.
    position: Option<(usize, usize)>,
    /// What a relative path counts from.
    folder: Option<Rc<Path>>,
}

/// What the command line gave. No `Debug`: a proxy may carry a password.
#[derive(Clone, Default)]
pub struct Overrides(pub(super) Layer);

impl Overrides {
    /// Gives a setting the value of its option; the last one counts.
    pub fn set(mut self, setting: Setting, value: impl Into<RawValue>) -> Self {
        let origin = setting.row().option.to_owned();
        self.0.insert(SettingValue::new(setting, value.into(), Precedence::Option, origin));
        self
    }

    /// The text that was given for the setting, as written.
    pub fn text(&self, setting: Setting) -> Option<&str> {
        match &self.0.get(setting)?.raw {
            RawValue::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The options of these settings alone.
    pub fn only(&self, settings: &[Setting]) -> Self {
        let values = self.0.0.iter().filter(|(setting, _)| settings.contains(setting));
        Self(Layer(values.map(|(setting, value)| (*setting, value.clone())).collect()))
    }

    /// Whether the setting was given.
    pub fn has(&self, setting: Setting) -> bool {
        self.0.get(setting).is_some()
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

impl SettingValue {
    pub(super) fn new(setting: Setting, raw: RawValue, precedence: Precedence, origin: String) -> Self {
        Self { setting, raw, precedence, origin, position: None, folder: None }
    }

    pub(super) fn in_file(mut self, position: (usize, usize), folder: Rc<Path>) -> Self {
        self.position = Some(position);
        self.folder = Some(folder);
        self
    }

    fn kind(&self) -> ValueKind {
        self.setting.row().kind
    }

    /// The origin, with line and column if it is a file.
    pub(super) fn place(&self) -> String {
        match self.position {
            Some((line, column)) => format!("{}:{line}:{column}", self.origin),
            None => self.origin.clone(),
        }
    }

    /// The error for a value that breaks a rule: exit 2 for an option, else exit 3.
    pub(super) fn invalid(&self, what: &str, hint: &str) -> Error {
        let may_be_shown = matches!(self.kind(), ValueKind::Word | ValueKind::Duration | ValueKind::Number);
        let given = match &self.raw {
            RawValue::Text(text) if may_be_shown && self.precedence == Precedence::Option => {
                format!(" (given: `{}`)", shown(text))
            }
            _ => String::new(),
        };
        let message = format!("{}: {what}{given}", self.place());
        if self.precedence == Precedence::Option { Error::usage(message, hint) } else { Error::config(message, hint) }
    }

    /// The same for a value that a parser refused.
    pub(super) fn wrap(&self, error: &Error) -> Error {
        self.invalid(error.message(), error.hint().unwrap_or("correct the value"))
    }

    /// One string: without white space and quotes around it, not empty, without control characters; free text as it is.
    pub(super) fn text(&self) -> Result<&str> {
        let RawValue::Text(text) = &self.raw else { return Err(self.misread()) };
        if self.kind() != ValueKind::Text {
            return self.single(text);
        }
        // Free text of an option may begin with `$`, such as a price; in a file it was meant to be expanded.
        if self.precedence != Precedence::Option {
            self.refuse_unexpanded(text)?;
        }
        Ok(text)
    }

    /// Several strings, or one; as written.
    pub(super) fn list(&self) -> Result<Vec<String>> {
        let list = match &self.raw {
            RawValue::List(list) => list.clone(),
            RawValue::Text(text) => vec![text.clone()],
            RawValue::Path(_) | RawValue::Flag(_) => return Err(self.misread()),
        };
        // Of a command only the program is checked: a shell that it starts may expand the arguments.
        let checked = if self.kind() == ValueKind::Program { 1 } else { list.len() };
        list.iter().take(checked).try_for_each(|item| self.refuse_unexpanded(unwrapped(item)))?;
        Ok(list)
    }

    /// True or false.
    pub(super) fn flag(&self) -> Result<bool> {
        match self.raw {
            RawValue::Flag(flag) => Ok(flag),
            _ => Err(self.misread()),
        }
    }

    /// A path: `~/` is the home folder; in a file a relative one counts from the file's folder.
    pub(super) fn path(&self, home: Option<&Path>) -> Result<PathBuf> {
        match &self.raw {
            RawValue::Text(text) => self.expand(Path::new(self.single(text)?), home),
            RawValue::Path(path) => {
                if let Some(text) = path.to_str() {
                    self.single(text)?;
                }
                self.expand(path, home)
            }
            RawValue::Flag(_) | RawValue::List(_) => Err(self.misread()),
        }
    }

    /// What [`SettingValue::path`] does to a path once it has been read.
    pub(super) fn expand(&self, path: &Path, home: Option<&Path>) -> Result<PathBuf> {
        if let Ok(rest) = path.strip_prefix("~") {
            let home = home.ok_or_else(|| {
                self.invalid(
                    "the path starts with `~`, but no home folder is known",
                    "set HOME, or write the whole path",
                )
            })?;
            return Ok(home.join(rest));
        }
        Ok(self.folder.as_ref().map_or_else(|| path.to_owned(), |folder| folder.join(path)))
    }

    fn single<'a>(&self, text: &'a str) -> Result<&'a str> {
        let text = unwrapped(text);
        if text.is_empty() {
            return Err(self.invalid("the value is empty", "give a value, or leave the setting out"));
        }
        self.refuse_unexpanded(text)?;
        if text.chars().any(char::is_control) {
            return Err(self.invalid("the value holds a control character", "write it on one line, without tabs"));
        }
        Ok(text)
    }

    fn refuse_unexpanded(&self, text: &str) -> Result<()> {
        let Some(rest) = text.strip_prefix('$') else { return Ok(()) };
        let name: String = rest
            .trim_start_matches('{')
            .chars()
            .take_while(|c| c.is_ascii_alphanumeric() || *c == '_')
            .take(40)
            .collect();
        // What looks like a name may be the credential itself.
        let variable = match self.kind() {
            ValueKind::Sensitive | ValueKind::CredentialPath => "a variable".to_owned(),
            _ if name.is_empty() => "a variable".to_owned(),
            _ => format!("the variable ${name}"),
        };
        Err(Error::config(
            format!("{}: the value starts with `$`: {variable} was not expanded", self.place()),
            "nothing is expanded here: write the value itself, or let the shell expand it (double quotes, not single ones)",
        ))
    }

    fn is_unexpanded(&self) -> bool {
        match &self.raw {
            RawValue::Text(text) => unwrapped(text).starts_with('$'),
            RawValue::List(list) => list.iter().any(|item| item.trim().starts_with('$')),
            RawValue::Path(path) => path.to_str().is_some_and(|path| unwrapped(path).starts_with('$')),
            RawValue::Flag(_) => false,
        }
    }

    /// The value of an option without what is empty in it; `None` where nothing is left.
    fn unless_empty(mut self) -> Option<Self> {
        let is_empty = match &mut self.raw {
            RawValue::Text(text) => unwrapped(text).is_empty(),
            RawValue::Path(path) => path.as_os_str().is_empty(),
            RawValue::List(list) => {
                list.retain(|item| !item.split([',', '|']).all(|id| unwrapped(id).is_empty()));
                list.is_empty()
            }
            RawValue::Flag(_) => false,
        };
        (!is_empty).then_some(self)
    }

    fn misread(&self) -> Error {
        Error::defect(format!("{}: the value was read in the wrong shape", self.place()))
    }
}

impl Layer {
    pub(super) fn insert(&mut self, value: SettingValue) {
        self.0.insert(value.setting, value);
    }

    pub(super) fn remove(&mut self, setting: Setting) {
        self.0.remove(&setting);
    }

    pub(super) fn get(&self, setting: Setting) -> Option<&SettingValue> {
        self.0.get(&setting)
    }

    /// The options of an alert without empty ones: they count as not given, as empty variables do. Those that decide whom
    /// it reaches stay, to be refused; but an alert of `run` goes to the other recipients then, and `told` hears of it.
    pub(super) fn without_empty(self, lenience: Lenience, mut tell: impl FnMut(String)) -> Self {
        let values = self.0.into_iter().filter_map(|(setting, value)| {
            let is_recipient = RECIPIENTS.contains(&setting);
            // An empty prefix takes that of the settings away, and an empty type is no type.
            let is_kept = matches!(setting, Setting::Prefix | Setting::Msgtype)
                || setting.row().mistake == Mistake::Stops && !(is_recipient && lenience == Lenience::Run);
            if is_kept {
                return Some((setting, value));
            }
            let origin = value.origin.clone();
            let left = value.unless_empty();
            if is_recipient && left.is_none() {
                tell(format!("{origin} is empty: the recipients of the settings count"));
            }
            Some((setting, left?))
        });
        Self(values.collect())
    }

    /// The settings that are given here.
    pub(super) fn settings(&self) -> impl Iterator<Item = Setting> {
        self.0.keys().copied()
    }

    /// The first of these settings that is given here.
    pub(super) fn any(&self, settings: &[Setting]) -> Option<&SettingValue> {
        settings.iter().find_map(|setting| self.get(*setting))
    }

    /// Refuses two forms of one value.
    pub(super) fn refuse_two_forms(&self) -> Result<()> {
        for forms in FORMS {
            let mut given = forms.iter().filter_map(|setting| self.get(*setting));
            if let (Some(one), Some(other)) = (given.next(), given.next()) {
                return Err(Error::config(
                    format!("{} and {} are two forms of one value", one.place(), other.place()),
                    "keep one of them",
                ));
            }
        }
        Ok(())
    }
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

    /// The value of that setting that counts.
    pub(super) fn get(&self, setting: Setting) -> Option<&SettingValue> {
        self.any(&[setting])
    }

    /// That value, read by `parse`.
    pub(super) fn parsed<T>(&self, setting: Setting, parse: impl Fn(&str) -> Result<T>) -> Result<Option<T>> {
        let Some(value) = self.get(setting) else { return Ok(None) };
        self.settle(value, value.text().and_then(|text| parse(text).map_err(|error| value.wrap(&error))))
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
        let value = parse(given.text()?).map_err(|error| given.wrap(&error))?;
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

    /// That flag; false where it is not given.
    pub(super) fn flag(&self, setting: Setting) -> Result<bool> {
        self.get(setting).map_or(Ok(false), SettingValue::flag)
    }
}

/// Text from outside as an error may repeat it: on one line and not long.
pub(super) fn shown(text: &str) -> String {
    let escaped = |c: char| if c.is_control() { c.escape_default().collect() } else { vec![c] };
    excerpt(text, 60).chars().flat_map(escaped).collect()
}
