//! The source of a credential (a file, a command, or the value itself), and reading it when it is needed.
//!
//! No error shows a credential, what a command wrote, or a "path" that may be a credential put into the wrong setting.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::env::Environment;
use super::program::{LARGEST, Program};
use super::setting_row::ValueKind;
use super::value::{Precedence, SettingValue};
use crate::error::{Error, Result, hint_for};
use crate::sanitize::unwrapped;
use crate::secret::Secret;

const FILE_HINT: &str = "the file must contain only the credential";

/// Where a credential comes from. Its `Debug` shows only the origin.
#[derive(Clone)]
pub struct SecretSource {
    form: Form,
    origin: String,
    precedence: Precedence,
}

#[derive(Clone)]
enum Form {
    Inline(Secret),
    File(PathBuf),
    Command(Program),
    /// `credential:NAME` without the variable that says where credentials are.
    NoCredentialsFolder,
}

impl SecretSource {
    /// At which level it was given.
    pub fn precedence(&self) -> Precedence {
        self.precedence
    }

    /// For humans: where it comes from, never the value.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// For humans, once it could be read: the file that holds it, else where it comes from.
    pub fn place(&self) -> String {
        match (&self.form, self.origin.split_once(" in ")) {
            (Form::File(path), _) => path.display().to_string(),
            (Form::Inline(_), Some((key, file))) => format!("{file} ({key})"),
            _ => self.origin.clone(),
        }
    }

    /// The credential if it is in the settings themselves: reads no file and runs no command.
    pub fn at_hand(&self) -> Option<&Secret> {
        match &self.form {
            Form::Inline(secret) => Some(secret),
            _ => None,
        }
    }

    /// The file that gives it, if one does.
    pub fn file(&self) -> Option<&Path> {
        match &self.form {
            Form::File(path) => Some(path),
            _ => None,
        }
    }

    /// Fails as [`Self::load`] would, as far as existence and size of a file tell. Reads no content: a pipe gives it once.
    pub fn check_file(&self) -> Result<()> {
        match &self.form {
            Form::Inline(_) | Form::Command(_) => Ok(()),
            Form::NoCredentialsFolder => self.load(Duration::ZERO).map(drop),
            Form::File(path) => match fs::metadata(path) {
                Err(error) => Err(self.unreadable(path, &error)),
                Ok(file) if file.is_dir() => Err(self.unreadable(path, &io::ErrorKind::IsADirectory.into())),
                Ok(file) if file.is_file() && file.len() == 0 => Err(self.error("it gives nothing", FILE_HINT)),
                Ok(_) => Ok(()),
            },
        }
    }

    /// The credential without white space and quotes around it. Reads the file, or runs the command (no shell, no standard input,
    /// its standard error dropped) and kills it after `limit`. Blocks.
    ///
    /// # Errors
    ///
    /// Exit 3 if the file cannot be read, the command fails or takes longer than `limit`, or what they give is empty,
    /// over 64 KiB, neither UTF-8 nor UTF-16 with its mark, or more than one word.
    pub fn load(&self, limit: Duration) -> Result<Secret> {
        let (secret, hint) = self.load_line(limit)?;
        if secret.expose().contains(char::is_whitespace) {
            return Err(self.error("it gives more than one word", hint));
        }
        Ok(secret)
    }

    /// The same for what may have blanks in it, and what else could be given in its place.
    pub(super) fn load_line(&self, limit: Duration) -> Result<(Secret, &'static str)> {
        let (bytes, hint) = match &self.form {
            Form::Inline(secret) => return self.checked(secret.expose(), "write only the credential"),
            Form::File(path) => (self.read_file(path)?, FILE_HINT),
            Form::Command(program) => {
                (program.run(limit)?, "the command must write only the credential, to its standard output")
            }
            Form::NoCredentialsFolder => {
                return Err(self.error(
                    "CREDENTIALS_DIRECTORY is not set to a folder",
                    "`credential:NAME` works in a systemd service with LoadCredential=NAME:/path; elsewhere write the file's path",
                ));
            }
        };
        if bytes.len() > LARGEST {
            return Err(self.error("it gives more than 64 KiB", hint));
        }
        let text = read_text(bytes).map_err(|what| self.error(what, conversion(what)))?;
        self.checked(&text, hint)
    }

    /// The source that a setting names.
    pub(super) fn of_value(given: &SettingValue, env: &Environment) -> Result<Self> {
        let (form, origin) = match given.setting.row().kind {
            ValueKind::CredentialPath => file_form(given, env)?,
            ValueKind::Program => {
                let program = Program::of_value(given, env)?;
                let origin = program.origin().to_owned();
                (Form::Command(program), origin)
            }
            _ => (Form::Inline(Secret::new(given.text()?)), given.origin.clone()),
        };
        Ok(Self { form, origin, precedence: given.precedence })
    }

    fn read_file(&self, path: &Path) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let read = File::open(path).and_then(|file| file.take(LARGEST as u64 + 1).read_to_end(&mut bytes));
        read.map(|_| bytes).map_err(|error| self.unreadable(path, &error))
    }

    fn unreadable(&self, path: &Path, error: &io::Error) -> Error {
        if path.is_dir() {
            return self.error("it cannot be read: it is a folder", "give the path of a file in it");
        }
        self.error(
            &format!("it cannot be read: {error}"),
            hint_for(error, "correct the path, or let this user read the file"),
        )
    }

    fn checked(&self, text: &str, hint: &'static str) -> Result<(Secret, &'static str)> {
        let text = unwrapped(text);
        if text.is_empty() {
            return Err(self.error("it gives nothing", hint));
        }
        if text.starts_with('$') {
            return Err(self.error("the value starts with `$`: a variable was not expanded", "write the value itself"));
        }
        if text.contains(['\n', '\r']) {
            return Err(self.error("it gives more than one line", hint));
        }
        if text.contains(char::is_control) {
            return Err(self.error("it gives more than one word", hint));
        }
        Ok((Secret::new(text), hint))
    }

    fn error(&self, what: &str, hint: &str) -> Error {
        // A word that names nothing may be the credential itself.
        let exists = matches!(&self.form, Form::File(path) if path.exists());
        let place = if exists { self.place() } else { self.origin.clone() };
        Error::config(format!("{place}: {what}"), hint)
    }
}

impl fmt::Debug for SecretSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretSource({})", self.origin)
    }
}

const NO_MARK: &str = "it gives UTF-16 without a byte-order mark";
/// How to make UTF-8 of the bytes of a file that are not.
pub(super) fn conversion_of(bytes: &[u8]) -> &'static str {
    match bytes {
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => conversion(""),
        _ => conversion(read_text(bytes.to_vec()).err().unwrap_or(NO_UTF8)),
    }
}

const NO_UTF8: &str = "it does not give UTF-8";

/// UTF-8, or the UTF-16 that `>` of PowerShell writes, known by its byte-order mark; else what is wrong.
fn read_text(bytes: Vec<u8>) -> Result<String, &'static str> {
    let read: fn([u8; 2]) -> u16 = match bytes.as_slice() {
        [0xff, 0xfe, ..] => u16::from_le_bytes,
        [0xfe, 0xff, ..] => u16::from_be_bytes,
        // Each letter has a NUL beside it.
        [0, _, 0, _, ..] | [_, 0, _, 0, ..] => return Err(NO_MARK),
        _ => return String::from_utf8(bytes).map_err(|_| NO_UTF8),
    };
    let pairs = bytes.chunks(2).map(|pair| pair.try_into().map(read));
    let units = pairs.collect::<Result<Vec<u16>, _>>().map_err(|_| "it gives UTF-16 that is cut off")?;
    String::from_utf16(&units).map_err(|_| "it gives broken UTF-16")
}

/// How to make UTF-8 of what [`read_text`] refuses.
fn conversion(what: &str) -> &'static str {
    match what {
        NO_MARK => "convert it: iconv -f UTF-16LE -t UTF-8 OLD > NEW (or -f UTF-16BE)",
        NO_UTF8 => "convert it: iconv -f GBK -t UTF-8 OLD > NEW; in PowerShell save it with Set-Content",
        _ => "convert it: iconv -f UTF-16 -t UTF-8 OLD > NEW",
    }
}

/// A file, and what errors call it.
fn file_form(given: &SettingValue, env: &Environment) -> Result<(Form, String)> {
    let text = given.text()?;
    if let Some(name) = text.strip_prefix("credential:") {
        if name.is_empty() || name.contains('/') || name.contains("..") {
            let hint = "write `credential:NAME`, as in LoadCredential=NAME:/path";
            return Err(given.invalid("the credential's name is empty or holds `/` or `..`", hint));
        }
        let form = env.credentials_folder().map_or(Form::NoCredentialsFolder, |folder| Form::File(folder.join(name)));
        return Ok((form, format!("systemd credential {name} ({})", given.origin)));
    }
    if text.contains("://") || text.contains("key=") {
        return Err(given.invalid(
            "a path is expected, and this is a URL",
            "give the URL in the setting without `file` in its name",
        ));
    }
    let path = given.path(env.home())?;
    let origin = if looks_like_path(text) {
        format!("file {} ({})", path.display(), given.origin)
    } else {
        format!("the file of {}", given.origin)
    };
    Ok((Form::File(path), origin))
}

/// Whether it is a path for sure: another word may be the credential itself.
fn looks_like_path(text: &str) -> bool {
    let has_extension = [".key", ".webhook", ".secret", ".txt"].iter().any(|extension| text.ends_with(extension));
    text.contains('/') || has_extension && text.len() <= 32
}
