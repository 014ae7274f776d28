//! Finds and opens the config file, and checks its permissions. At most one file is used: files are never merged.
//! `file` parses the text.

use std::fmt;
use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::env::Environment;
use super::file::{self, ConfigFile};
use super::layers::Overrides;
use super::lenience::Mistakes;
use super::setting::Setting;
use super::value::SettingValue;
use crate::blocking::off_loop;
use crate::error::{Error, Result, hint_for};
use crate::sanitize::quote_for_shell;

/// The largest config file, in bytes: a wrong path must not fill the memory.
pub(super) const LARGEST: u64 = 1024 * 1024;

/// Where the config file may be.
pub(super) struct Places {
    /// The one that was named, with the place where.
    named: Option<(PathBuf, String)>,
    usual: Vec<PathBuf>,
}

/// What was found in a file.
pub(super) struct Found {
    path: PathBuf,
    mode: Option<u32>,
    bytes: Vec<u8>,
}

impl Places {
    pub(super) fn of(named: Option<&SettingValue>, env: &Environment) -> Result<Self> {
        let named = named.map(|entry| Ok::<_, Error>((entry.path(env.home())?, entry.place()))).transpose()?;
        let usual = if named.is_some() { Vec::new() } else { env.config_files() };
        Ok(Self { named, usual })
    }

    fn paths(&self) -> impl Iterator<Item = &PathBuf> + Clone {
        self.named.iter().map(|(path, _)| path).chain(&self.usual)
    }

    /// Whether reading waits for nobody and can be done again.
    pub(super) fn are_plain(&self) -> bool {
        !self.paths().any(|path| is_slow(path))
    }

    /// Reads the config file that was named, else the first that is found.
    pub(super) fn read(self) -> Result<Option<Found>> {
        if let Some((path, place)) = self.named {
            return match open(&path)? {
                Some(opened) => read(opened, path).map(Some),
                None => Err(Error::config(
                    format!("{place}: there is no file {}", path.display()),
                    "correct the path, or leave it out to search the usual places",
                )),
            };
        }
        for path in self.usual {
            if let Some(opened) = open(&path)? {
                return read(opened, path).map(Some);
            }
        }
        Ok(None)
    }

    /// The same within a time limit: it may be a pipe, as with `<(…)`, and nobody may write into it.
    pub(super) async fn read_within(self, limit: Duration) -> Result<Option<Found>> {
        let Some(slow) = self.paths().find(|path| is_slow(path)).cloned() else { return self.read() };
        let reading = off_loop(move || self.read());
        tokio::time::timeout(limit, reading).await.map_err(|_| {
            Error::config(
                format!("config file {} was not there to the end before the deadline", slow.display()),
                "it is not a regular file: check who writes into it",
            )
        })??
    }
}

impl Found {
    pub(super) fn parse(self, mistakes: &Mistakes) -> Result<ConfigFile> {
        Ok(ConfigFile { mode: self.mode, ..file::parse_bytes(&self.bytes, self.path, mistakes)? })
    }
}

/// Whether reading may wait for somebody who writes.
fn is_slow(path: &Path) -> bool {
    path.metadata().is_ok_and(|about| !about.is_file() && !about.is_dir())
}

/// `None` if nothing is there; a file that cannot be opened is an error, never skipped.
fn open(path: &Path) -> Result<Option<File>> {
    match File::open(path) {
        Ok(file) => Ok(Some(file)),
        Err(error) => {
            let absent = matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory);
            // A dangling symlink is a mistake, not an absent file.
            if absent && path.symlink_metadata().is_err() { Ok(None) } else { Err(unreadable(path, &error)) }
        }
    }
}

fn read(opened: File, path: PathBuf) -> Result<Found> {
    let mode = mode_of(opened.metadata());
    let mut bytes = Vec::new();
    opened.take(LARGEST + 1).read_to_end(&mut bytes).map_err(|error| unreadable(&path, &error))?;
    if bytes.len() as u64 > LARGEST {
        return Err(Error::config(
            format!("config file {} is larger than {LARGEST} bytes", path.display()),
            "this is hardly a config file: correct the path",
        ));
    }
    Ok(Found { path, mode, bytes })
}

fn unreadable(path: &Path, error: &io::Error) -> Error {
    Error::config(
        format!("config file {} cannot be read: {error}", path.display()),
        hint_for(
            error,
            "let this user read it (that of the packages is for a group: usermod -aG wecom-alert USER), or write one of your own with \
             wecom-alert config init, or name another with `--config`, such as /dev/null",
        ),
    )
}

/// Where a first config file is to be: the one that is named, else that of the user.
///
/// # Errors
///
/// Exit 3 where there is no home folder, and for a name that cannot be one.
pub fn config_file_to_make(overrides: &Overrides, env: &Environment) -> Result<PathBuf> {
    let named = match overrides.settings.get(Setting::Config) {
        Some(named) => Some(named.clone()),
        None => env.value(Setting::Config)?,
    };
    match named {
        Some(named) => named.path(env.home()),
        None => env.config_files().into_iter().find(|path| !env.is_system_config(path)).ok_or_else(|| {
            Error::config("there is no home folder for the config file", "name the file with --config FILE")
        }),
    }
}

/// A config file with credentials in it that others can read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exposure {
    /// What is wrong.
    pub what: String,
    /// What to do next.
    pub advice: String,
}

impl fmt::Display for Exposure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.what, self.advice)
    }
}

impl ConfigFile {
    /// That others can read the credentials in it, if they can.
    pub(super) fn exposure(&self) -> Option<Exposure> {
        let mode = self.mode.filter(|mode| self.has_inline_secrets && mode & 0o077 != 0)?;
        if mode & 0o007 == 0 && is_for_a_group(&self.path) {
            return None;
        }
        let path = self.path.display();
        Some(Exposure {
            what: format!("config file {path} holds credentials and can be read by others (mode {mode:04o})"),
            advice: chmod(&self.path),
        })
    }
}

/// A file with a secret that everybody can read. A group may be meant to read it.
pub fn exposed_secret(path: &Path) -> Option<Exposure> {
    let mode = mode_of(std::fs::metadata(path)).filter(|mode| mode & 0o007 != 0)?;
    Some(Exposure {
        what: format!("{} holds a secret and can be read by {}", path.display(), readers(mode)),
        advice: chmod(path),
    })
}

/// The command that keeps others out of a file.
fn chmod(path: &Path) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-+,@".contains(c);
    format!("run `chmod 600 {}`", quote_for_shell(&path.display().to_string(), is_plain))
}

/// Who may read a file, if its permissions are known; for people.
pub fn who_may_read(path: &Path) -> Option<String> {
    mode_of(std::fs::metadata(path)).map(readers)
}

/// Who may read a file of this mode; for people.
pub(super) fn readers(mode: u32) -> String {
    let who = match (mode & 0o004 != 0, mode & 0o040 != 0) {
        (true, _) => "everybody on this machine",
        (false, true) => "its owner and its group",
        (false, false) => "its owner only",
    };
    format!("{who} (mode {mode:04o})")
}

/// Whether root gave the file to a group, as the packages do with that of the system: its members are meant to read it.
#[cfg(unix)]
fn is_for_a_group(path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;

    path.metadata().is_ok_and(|about| about.uid() == 0 && about.gid() != 0)
}

/// Other platforms have no such owners.
#[cfg(not(unix))]
fn is_for_a_group(_: &Path) -> bool {
    false
}

/// The mode of a regular file.
#[cfg(unix)]
pub(super) fn mode_of(about: io::Result<Metadata>) -> Option<u32> {
    use std::os::unix::fs::PermissionsExt;

    Some(about.ok().filter(Metadata::is_file)?.permissions().mode() & 0o7777)
}

/// Other platforms have no such bits.
#[cfg(not(unix))]
pub(super) fn mode_of(_: io::Result<Metadata>) -> Option<u32> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readers_by_mode() {
        for (mode, who) in [
            (0o600, "its owner only (mode 0600)"),
            (0o640, "its owner and its group (mode 0640)"),
            (0o644, "everybody on this machine (mode 0644)"),
            (0o604, "everybody on this machine (mode 0604)"),
        ] {
            assert_eq!(readers(mode), who);
        }
    }
}
