//! A program that a setting names ([`Program`]): run without a shell, for what it prints.

use std::ffi::OsStr;
use std::io::{self, Read};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use super::env::Environment;
use super::setting::Setting;
use super::value::{SettingValue, shown};
use crate::clock;
use crate::error::{Error, Result};
use crate::process::check_program;
use crate::sanitize::{excerpt, one_line};

/// No more is read of what a program prints, in bytes, but for one byte that tells that there is more.
pub(super) const LARGEST: usize = 64 * 1024;

/// The time between two checks whether a program has ended that has closed its output.
const PAUSE: Duration = Duration::from_millis(5);

/// How long a failed program's last words are waited for: what it started may hold its standard error open.
const LAST_WORDS: Duration = Duration::from_millis(200);

/// No more is kept of what a program writes to its standard error, in bytes.
const MOST_WORDS: usize = 4096;

/// No more is told of it, in characters.
const LONGEST_SAID: usize = 200;

/// A program and its arguments. No error shows what it prints to its standard output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    program: String,
    arguments: Vec<String>,
    origin: String,
    /// It handles no secret: an error tells the last line of its standard error.
    is_quoted: bool,
}

impl Program {
    /// For humans: the program, and where it was set.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The program that a setting names.
    pub(super) fn of_value(given: &SettingValue, env: &Environment) -> Result<Self> {
        let mut words = given.list()?.into_iter();
        let Some(mut program) = words.next() else {
            return Err(given.invalid("the command is empty", "give a program and its arguments"));
        };
        // A bare name is searched in PATH, as the shell does.
        if program.contains('/') {
            program = given.expand(Path::new(&program), env.home())?.to_string_lossy().into_owned();
        }
        let origin = format!("command {} ({})", shown(&program), given.origin);
        let is_quoted = given.setting == Setting::ToUserCommand;
        Ok(Self { program, arguments: words.collect(), origin, is_quoted })
    }

    /// What it prints, 64 KiB and one byte at the most; without standard input. Blocks, and kills
    /// it after `limit`.
    ///
    /// # Errors
    ///
    /// Exit 3 if it cannot be started, fails, or takes longer.
    pub fn run(&self, limit: Duration) -> Result<Vec<u8>> {
        let started = Command::new(&self.program)
            .args(&self.arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(if self.is_quoted { Stdio::piped() } else { Stdio::null() })
            .spawn();
        let child = started.map_err(|error| self.not_started(&error))?;
        let mut running = Running(child);
        let last_words = running.last_words();
        let deadline = Instant::now().checked_add(limit);
        let too_slow = || {
            let what = format!("it was stopped because it had not ended after {}", clock::brief(limit));
            self.error(&what, "run it by hand: it must not ask for anything, and must close its standard output")
        };
        let output = running.output(limit).ok_or_else(too_slow)?;
        if output.len() > LARGEST {
            return Ok(output);
        }
        let status = running.status(deadline).ok_or_else(too_slow)?;
        if !status.success() {
            let ended = status
                .code()
                .map_or("it was ended by a signal".to_owned(), |code| format!("it failed with exit code {code}"));
            let said = last_words.and_then(|line| line.recv_timeout(LAST_WORDS).ok()).unwrap_or_default();
            let ended = if said.is_empty() { ended } else { format!("{ended}, and said: {said}") };
            return Err(self.error(&ended, "run it by hand, as this user and without standard input, to see why"));
        }
        Ok(output)
    }

    /// Fails as [`Program::run`] does where there is no such program, which is not run.
    ///
    /// # Errors
    ///
    /// Exit 3.
    pub fn check(&self) -> Result<()> {
        check_program(OsStr::new(&self.program)).map_err(|error| self.not_started(&error))
    }

    fn not_started(&self, error: &io::Error) -> Error {
        self.error(
            &format!("it cannot be started: {error}"),
            "the first item is the program, found in PATH or by its path; no shell runs it",
        )
    }

    fn error(&self, what: &str, hint: &str) -> Error {
        Error::config(format!("{}: {what}", self.origin), hint)
    }
}

/// A child process that does not outlive this value.
struct Running(Child);

impl Running {
    /// What it writes until it closes its output or writes more than the largest credential; `None` after `limit`. A thread
    /// reads, since a read cannot be given a time limit; it ends with the pipe, or with this process.
    fn output(&mut self, limit: Duration) -> Option<Vec<u8>> {
        let stdout = self.0.stdout.take()?;
        let (sender, output) = mpsc::channel();
        thread::spawn(move || {
            let mut bytes = Vec::new();
            let _ = stdout.take(LARGEST as u64 + 1).read_to_end(&mut bytes);
            let _ = sender.send(bytes);
        });
        output.recv_timeout(limit).ok()
    }

    /// The last line of its standard error, as far as that is read; once it has been closed.
    fn last_words(&mut self) -> Option<mpsc::Receiver<String>> {
        let mut stderr = self.0.stderr.take()?;
        let (sender, line) = mpsc::channel();
        thread::spawn(move || {
            let (mut kept, mut chunk) = (Vec::new(), [0; 1024]);
            while let Ok(read @ 1..) = stderr.read(&mut chunk) {
                kept.extend_from_slice(chunk.get(..read).unwrap_or_default());
                kept.drain(..kept.len().saturating_sub(MOST_WORDS));
            }
            let text = String::from_utf8_lossy(&kept);
            let last = text.lines().map(str::trim).rfind(|line| !line.is_empty()).unwrap_or_default();
            let _ = sender.send(excerpt(one_line(last).trim(), LONGEST_SAID));
        });
        Some(line)
    }

    /// How it ended; `None` at the deadline.
    fn status(&mut self, deadline: Option<Instant>) -> Option<ExitStatus> {
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
