//! One value as written and where that was; all values of one level; the four levels and their order.
//!
//! What holds for every value alike is checked here: empty, not expanded, control characters. Meanings are not known.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::key::{Key, Shape};
use super::level::{Level, Sourced};
use super::text::{shown, trim};
use crate::error::{Error, Result};

/// A value as written.
#[derive(Clone)]
pub(super) enum Raw {
    Text(String),
    Path(PathBuf),
    Flag(bool),
    List(Vec<String>),
}

/// A value and where it stands.
#[derive(Clone)]
pub(super) struct Entry {
    pub(super) key: Key,
    pub(super) value: Raw,
    pub(super) level: Level,
    /// For humans, as in [`Sourced::origin`].
    pub(super) origin: String,
    /// Line and column in the config file, from 1.
    position: Option<(usize, usize)>,
    /// What a relative path counts from.
    folder: Option<Rc<Path>>,
}

/// The values of one level.
#[derive(Clone, Default)]
pub(super) struct Layer(BTreeMap<Key, Entry>);

/// The levels of one command.
pub(super) struct Layers<'a> {
    pub(super) options: &'a Layer,
    pub(super) environment: &'a Layer,
    pub(super) profile: &'a Layer,
    pub(super) top: &'a Layer,
    pub(super) rank: Rank,
}

/// How high the profile stands among the levels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rank {
    /// Below the environment.
    Usual,
    /// Named by option: its credentials and ids beat the environment's.
    Named,
    /// Named as a further target: its recipients beat option and environment as well.
    Target,
}

impl Entry {
    pub(super) fn new(key: Key, value: Raw, level: Level, origin: String) -> Self {
        Self { key, value, level, origin, position: None, folder: None }
    }

    pub(super) fn in_file(mut self, position: (usize, usize), folder: Rc<Path>) -> Self {
        self.position = Some(position);
        self.folder = Some(folder);
        self
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
        let given = match (&self.value, self.level, self.key.shape()) {
            (Raw::Text(text), Level::Option, Shape::Word | Shape::Duration | Shape::Number) => {
                format!(" (given: `{}`)", shown(text))
            }
            _ => String::new(),
        };
        let message = format!("{}: {what}{given}", self.place());
        if self.level == Level::Option { Error::usage(message, hint) } else { Error::config(message, hint) }
    }

    /// The same for a value that a parser refused.
    pub(super) fn wrap(&self, error: &Error) -> Error {
        self.invalid(error.message(), error.hint().unwrap_or("correct the value"))
    }

    /// One string: without white space around it, not empty, without control characters; free text as it is.
    pub(super) fn text(&self) -> Result<&str> {
        let Raw::Text(text) = &self.value else { return Err(self.misread()) };
        if self.key.shape() != Shape::Free {
            return self.single(text);
        }
        // Free text that somebody typed may begin with a price; in a file it was meant to be expanded.
        if self.level != Level::Option {
            self.refuse_unexpanded(text)?;
        }
        Ok(text)
    }

    /// Several strings, or one; as written.
    pub(super) fn list(&self) -> Result<Vec<String>> {
        let list = match &self.value {
            Raw::List(list) => list.clone(),
            Raw::Text(text) => vec![text.clone()],
            Raw::Path(_) | Raw::Flag(_) => return Err(self.misread()),
        };
        // Of a command only the program: a shell that it starts may well expand its arguments.
        let checked = if self.key.shape() == Shape::Command { 1 } else { list.len() };
        list.iter().take(checked).try_for_each(|item| self.refuse_unexpanded(item.trim()))?;
        Ok(list)
    }

    /// True or false.
    pub(super) fn flag(&self) -> Result<bool> {
        match self.value {
            Raw::Flag(flag) => Ok(flag),
            _ => Err(self.misread()),
        }
    }

    /// A path: `~/` is the home folder; in a file a relative one counts from the file's folder.
    pub(super) fn path(&self, home: Option<&Path>) -> Result<PathBuf> {
        match &self.value {
            Raw::Text(text) => self.expand(Path::new(self.single(text)?), home),
            Raw::Path(path) => {
                if let Some(text) = path.to_str() {
                    self.single(text)?;
                }
                self.expand(path, home)
            }
            Raw::Flag(_) | Raw::List(_) => Err(self.misread()),
        }
    }

    /// What [`Entry::path`] does to a path once it has been read.
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
        let text = trim(text);
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
        let variable = match self.key.shape() {
            Shape::Private | Shape::SourcePath => "a variable".to_owned(),
            _ if name.is_empty() => "a variable".to_owned(),
            _ => format!("the variable ${name}"),
        };
        Err(Error::config(
            format!("{}: the value starts with `$`: {variable} was not expanded", self.place()),
            "nothing is expanded here: write the value itself, or let the shell expand it (double quotes, not single ones)",
        ))
    }

    fn misread(&self) -> Error {
        Error::defect(format!("{}: the value was read in the wrong shape", self.place()))
    }
}

impl Layer {
    pub(super) fn insert(&mut self, entry: Entry) {
        self.0.insert(entry.key, entry);
    }

    pub(super) fn remove(&mut self, key: Key) {
        self.0.remove(&key);
    }

    pub(super) fn get(&self, key: Key) -> Option<&Entry> {
        self.0.get(&key)
    }

    /// The first of these keys that is here.
    pub(super) fn any(&self, keys: &[Key]) -> Option<&Entry> {
        keys.iter().find_map(|key| self.get(*key))
    }

    /// Refuses two forms of one value.
    pub(super) fn refuse_two_forms(&self) -> Result<()> {
        for forms in super::key::FORMS {
            let given: Vec<_> = forms.iter().filter_map(|key| self.get(*key)).collect();
            if let [one, other, ..] = given.as_slice() {
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
    /// The entry that counts, of any of these keys.
    pub(super) fn any(&self, keys: &[Key]) -> Option<&Entry> {
        [self.options, self.environment, self.profile, self.top].into_iter().find_map(|layer| layer.any(keys))
    }

    /// The same for credentials and ids, where a profile named by option stands before the environment.
    pub(super) fn any_identity(&self, keys: &[Key]) -> Option<&Entry> {
        if self.rank != Rank::Usual {
            return [self.options, self.profile, self.environment, self.top].into_iter().find_map(|l| l.any(keys));
        }
        self.any(keys)
    }

    /// The value of that key, read by `parse`.
    pub(super) fn parsed<T>(&self, key: Key, parse: impl Fn(&str) -> Result<T>) -> Result<Option<T>> {
        let Some(entry) = self.any(&[key]) else { return Ok(None) };
        parse(entry.text()?).map(Some).map_err(|error| entry.wrap(&error))
    }

    /// The same with its origin, for an id.
    pub(super) fn id<T>(&self, key: Key, parse: impl Fn(&str) -> Result<T>) -> Result<Option<Sourced<T>>> {
        let Some(entry) = self.any_identity(&[key]) else { return Ok(None) };
        let value = parse(entry.text()?).map_err(|error| entry.wrap(&error))?;
        Ok(Some(Sourced { value, origin: entry.origin.clone(), level: entry.level }))
    }

    /// The string of that key with the place where it stands.
    pub(super) fn sourced_text(&self, key: Key) -> Result<Option<Sourced<String>>> {
        let Some(entry) = self.any(&[key]) else { return Ok(None) };
        Ok(Some(Sourced { value: entry.text()?.to_owned(), origin: entry.place(), level: entry.level }))
    }

    /// The string of that key.
    pub(super) fn text(&self, key: Key) -> Result<Option<String>> {
        self.parsed(key, |text| Ok(text.to_owned()))
    }

    /// The strings of that key.
    pub(super) fn list(&self, key: Key) -> Result<Vec<String>> {
        self.any(&[key]).map_or_else(|| Ok(Vec::new()), Entry::list)
    }

    /// The path of that key.
    pub(super) fn path(&self, key: Key, home: Option<&Path>) -> Result<Option<PathBuf>> {
        self.any(&[key]).map(|entry| entry.path(home)).transpose()
    }

    /// The flag of that key; false where it is not given.
    pub(super) fn flag(&self, key: Key) -> Result<bool> {
        self.any(&[key]).map_or(Ok(false), Entry::flag)
    }
}
