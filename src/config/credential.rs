//! Where a credential comes from, and reading it when it is needed.
//!
//! No error shows a credential, what a command wrote, or a "path" that may be a credential put into the wrong setting.

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use super::env::Environment;
use super::setting::Setting;
use super::value::{Precedence, SettingValue, shown, trim};
use crate::error::{Error, Result};
use crate::secret::Secret;

/// More than any credential has, in bytes.
const LARGEST: usize = 64 * 1024;

/// Between two looks at a command that has closed its output but not ended.
const PAUSE: Duration = Duration::from_millis(5);

/// Where a credential comes from. Its `Debug` shows the origin alone.
#[derive(Clone)]
pub struct SecretSource {
    form: Form,
    origin: String,
    level: Precedence,
}

#[derive(Clone)]
enum Form {
    Inline(Secret),
    File(PathBuf),
    Command(Vec<String>),
    /// `credential:NAME` without the variable that says where credentials are.
    NoCredentialsFolder,
}

impl SecretSource {
    /// A credential that is already at hand; `origin` says where it was given, at which level.
    fn inline(secret: Secret, origin: String, level: Precedence) -> Self {
        Self { form: Form::Inline(secret), origin, level }
    }

    /// At which level it was given.
    pub fn level(&self) -> Precedence {
        self.level
    }

    /// For humans: where it comes from, never the value.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The credential if it is at hand: neither a file is read nor a command run for it.
    pub fn at_hand(&self) -> Option<&Secret> {
        match &self.form {
            Form::Inline(secret) => Some(secret),
            Form::File(_) | Form::Command(_) | Form::NoCredentialsFolder => None,
        }
    }

    /// The file that gives it, if one does.
    pub fn file(&self) -> Option<&Path> {
        match &self.form {
            Form::File(path) => Some(path),
            Form::Inline(_) | Form::Command(_) | Form::NoCredentialsFolder => None,
        }
    }

    /// The credential without white space around it. Reads the file, or runs the command (no shell, no standard input,
    /// its standard error dropped) and kills it after `limit`. Blocks.
    ///
    /// # Errors
    ///
    /// Exit 3 if the file cannot be read, the command fails or takes longer than `limit`, or what they give is empty,
    /// over 64 KiB, not UTF-8, or more than one word.
    pub fn load(&self, limit: Duration) -> Result<Secret> {
        let (bytes, hint) = match &self.form {
            Form::Inline(secret) => return self.checked(secret.expose(), "write the credential alone"),
            Form::File(path) => (self.read_file(path)?, "the file must hold the credential alone"),
            Form::Command(argv) => {
                (self.run(argv, limit)?, "the command must write the credential alone, to its standard output")
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
        let text = String::from_utf8(bytes).map_err(|_| self.error("it does not give UTF-8", hint))?;
        self.checked(&text, hint)
    }

    /// The source that an entry names.
    pub(super) fn of_entry(entry: &SettingValue, env: &Environment) -> Result<Self> {
        let origin = entry.origin.clone();
        match entry.setting {
            Setting::SecretFile | Setting::WebhookFile | Setting::ProxyFile => file_source(entry, env),
            Setting::SecretCommand | Setting::WebhookCommand => {
                let mut argv = entry.list()?;
                let Some(program) = argv.first_mut() else {
                    return Err(entry.invalid("the command is empty", "give a program and its arguments"));
                };
                // A bare name is searched in PATH, as the shell does.
                if program.contains('/') {
                    *program = entry.expand(Path::new(program.as_str()), env.home())?.to_string_lossy().into_owned();
                }
                let origin = format!("command {} ({origin})", shown(program));
                Ok(Self { form: Form::Command(argv), origin, level: entry.level })
            }
            _ => Ok(Self::inline(Secret::new(entry.text()?), origin, entry.level)),
        }
    }

    fn read_file(&self, path: &Path) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let read = File::open(path).and_then(|file| file.take(LARGEST as u64 + 1).read_to_end(&mut bytes));
        match read {
            Ok(_) => Ok(bytes),
            Err(error) => {
                Err(self
                    .error(&format!("it cannot be read: {error}"), "correct the path, or let this user read the file"))
            }
        }
    }

    fn run(&self, argv: &[String], limit: Duration) -> Result<Vec<u8>> {
        let (program, arguments) =
            argv.split_first().ok_or_else(|| self.error("the command is empty", "give a program"))?;
        let started = Command::new(program)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn();
        let child = started.map_err(|error| {
            self.error(
                &format!("it cannot be started: {error}"),
                "the first item is the program, found in PATH or by its path; no shell runs it",
            )
        })?;
        let mut running = Running(child);
        let deadline = Instant::now().checked_add(limit);
        let too_slow = || {
            let waited = limit.as_micros().div_ceil(1000);
            let what = format!("it was stopped because it had not ended after {waited}ms");
            self.error(&what, "run it by hand: it must not ask for anything, and must close its standard output")
        };
        let output = running.output(deadline).ok_or_else(too_slow)?;
        if output.len() > LARGEST {
            return Ok(output);
        }
        let status = running.status(deadline).ok_or_else(too_slow)?;
        if !status.success() {
            let ended = status
                .code()
                .map_or("it was ended by a signal".to_owned(), |code| format!("it failed with exit code {code}"));
            return Err(self.error(&ended, "run it by hand, as this user and without standard input, to see why"));
        }
        Ok(output)
    }

    fn checked(&self, text: &str, hint: &str) -> Result<Secret> {
        let text = trim(text);
        if text.is_empty() {
            return Err(self.error("it gives nothing", hint));
        }
        if text.starts_with('$') {
            return Err(self.error("the value starts with `$`: a variable was not expanded", "write the value itself"));
        }
        if text.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return Err(self.error("it gives more than one word", hint));
        }
        Ok(Secret::new(text))
    }

    fn error(&self, what: &str, hint: &str) -> Error {
        Error::config(format!("{}: {what}", self.origin), hint)
    }
}

impl fmt::Debug for SecretSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretSource({})", self.origin)
    }
}

fn file_source(entry: &SettingValue, env: &Environment) -> Result<SecretSource> {
    let text = entry.text()?;
    if let Some(name) = text.strip_prefix("credential:") {
        if name.is_empty() || name.contains('/') || name.contains("..") {
            let hint = "write `credential:NAME`, as in LoadCredential=NAME:/path";
            return Err(entry.invalid("the credential's name is empty or holds `/` or `..`", hint));
        }
        let form = env.credentials_folder().map_or(Form::NoCredentialsFolder, |folder| Form::File(folder.join(name)));
        let origin = format!("systemd credential {name} ({})", entry.origin);
        return Ok(SecretSource { form, origin, level: entry.level });
    }
    if text.contains("://") || text.contains("key=") {
        return Err(entry.invalid(
            "a path is expected, and this is a URL",
            "give the URL in the setting without `file` in its name",
        ));
    }
    let path = entry.path(env.home())?;
    // A word without a slash may be the credential itself.
    let origin = if text.contains('/') {
        format!("file {} ({})", path.display(), entry.origin)
    } else {
        format!("the file of {}", entry.origin)
    };
    Ok(SecretSource { form: Form::File(path), origin, level: entry.level })
}

/// A child process that does not outlive this value.
struct Running(Child);

impl Running {
    /// What it writes until it closes its output or writes more than the largest credential; `None` at the deadline.
    fn output(&mut self, deadline: Option<Instant>) -> Option<Vec<u8>> {
        let chunks = self.chunks()?;
        let mut output = Vec::new();
        while output.len() <= LARGEST {
            let left = deadline.map_or(Duration::MAX, |deadline| deadline.saturating_duration_since(Instant::now()));
            match chunks.recv_timeout(left) {
                Ok(chunk) => output.extend(chunk),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => return None,
            }
        }
        Some(output)
    }

    /// A thread reads, since a read cannot be given a time limit; it ends with the pipe, or with this process.
    fn chunks(&mut self) -> Option<Receiver<Vec<u8>>> {
        let mut stdout = self.0.stdout.take()?;
        let (sender, chunks) = mpsc::sync_channel(1);
        thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(length @ 1..) = stdout.read(&mut buffer) {
                if sender.send(buffer[..length].to_vec()).is_err() {
                    break;
                }
            }
        });
        Some(chunks)
    }

    /// How it ended; `None` at the deadline.
    fn status(&mut self, deadline: Option<Instant>) -> Option<std::process::ExitStatus> {
        loop {
            if let Ok(Some(status)) = self.0.try_wait() {
                return Some(status);
            }
            if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                return None;
            }
            thread::sleep(PAUSE);
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Both fail for a child that has ended and been waited for.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
