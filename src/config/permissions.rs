//! Who else may read what holds credentials. For those who ask: no setting depends on it.

use std::fmt;
use std::fs::Metadata;
use std::io;
use std::path::Path;

use super::file::ConfigFile;
use crate::sanitize::quote_for_shell;

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
        let path = self.path.display().to_string();
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-+,@".contains(c);
        Some(Exposure {
            what: format!("config file {path} holds credentials and can be read by others (mode {mode:04o})"),
            advice: format!("run `chmod 600 {}`", quote_for_shell(&path, is_plain)),
        })
    }
}

/// Who may read a file, if its permissions can be told; for people.
pub fn who_may_read(path: &Path) -> Option<String> {
    mode_of(std::fs::metadata(path)).map(readers)
}

/// Who may read a file of this mode; for people.
pub(super) fn readers(mode: u32) -> String {
    let who = match (mode & 0o004 != 0, mode & 0o040 != 0) {
        (true, _) => "everybody on this machine",
        (false, true) => "its owner and its group",
        (false, false) => "its owner alone",
    };
    format!("{who} (mode {mode:04o})")
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
            (0o600, "its owner alone (mode 0600)"),
            (0o640, "its owner and its group (mode 0640)"),
            (0o644, "everybody on this machine (mode 0644)"),
            (0o604, "everybody on this machine (mode 0604)"),
        ] {
            assert_eq!(readers(mode), who);
        }
    }
}
