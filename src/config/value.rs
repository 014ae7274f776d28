//! Unparsed values of settings with their origin.
//!
//! The rules for every value are checked here: not empty, no unexpanded variable, no control characters. `parse`,
//! `choice` and `urls` parse the text.

use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::setting::Setting;
use super::setting_row::ValueKind;
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

    /// That string, read by `parse`.
    pub(super) fn parsed<T>(&self, parse: impl FnOnce(&str) -> Result<T>) -> Result<T> {
        parse(self.text()?).map_err(|error| self.wrap(&error))
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

    pub(super) fn is_unexpanded(&self) -> bool {
        match &self.raw {
            RawValue::Text(text) => unwrapped(text).starts_with('$'),
            RawValue::List(list) => list.iter().any(|item| item.trim().starts_with('$')),
            RawValue::Path(path) => path.to_str().is_some_and(|path| unwrapped(path).starts_with('$')),
            RawValue::Flag(_) => false,
        }
    }

    /// The value of an option without what is empty in it; `None` where nothing is left.
    pub(super) fn unless_empty(mut self) -> Option<Self> {
        let is_empty = match &mut self.raw {
            RawValue::Text(text) => unwrapped(text).is_empty(),
            RawValue::Path(path) => path.to_str().is_some_and(|path| unwrapped(path).is_empty()),
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

/// Text from outside as an error may repeat it: on one line and not long.
pub(super) fn shown(text: &str) -> String {
    let escaped = |c: char| if c.is_control() { c.escape_default().collect() } else { vec![c] };
    excerpt(text, 60).chars().flat_map(escaped).collect()
}
