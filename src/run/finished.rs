//! The result of the command of `run`: its exit code, and how the alert and the JSON output describe it. A command that
//! could not be started has one too.

use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

use crate::alert::{Alert, Field, Level};
use crate::channel::Channel;
use crate::clock;
use crate::delivery::Outcome;
use crate::error::Status;
use crate::fingerprint::fingerprint;
use crate::input::{Encoding, clean, is_blank, read_text_from};
use crate::process::{CapturedOutput, CommandEnd, CommandReport, Force, Job, NotStarted, StopSignals, signal_name};
use crate::secret::Mask;

use super::change::ChangeReport;
use super::{RunRequest, command_line};

/// A command that has been run, or could not be.
pub struct FinishedCommand {
    /// What people call it.
    name: String,
    /// What --on change knows it by.
    pub(super) key: String,
    /// Its command line, as far as it is shown.
    command: String,
    fate: Fate,
    started: SystemTime,
    duration: Duration,
    prefers_alert: bool,
    /// The process, which may still be passing output on.
    process: Option<CommandReport>,
}

enum Fate {
    Ended(CommandEnd),
    NotStarted { code: u8, why: String },
}

impl FinishedCommand {
    /// A command that fails at once.
    pub(super) fn imagined(request: &RunRequest) -> Self {
        let (name, command) = (given_name(request), &request.command);
        let key = match &name {
            Some(name) => fingerprint(["name".as_bytes(), name.as_bytes()]),
            None => {
                let words = command.iter().map(|word| word.as_encoded_bytes());
                fingerprint(std::iter::once("command".as_bytes()).chain(words))
            }
        };
        Self {
            name: name.unwrap_or_else(|| command_line::base_name(command)),
            key,
            command: command_line::shown(command),
            fate: Fate::Ended(CommandEnd::Exit(1)),
            started: SystemTime::now(),
            duration: Duration::ZERO,
            prefers_alert: request.alert_exit,
            process: None,
        }
    }

    pub(super) fn ended(request: &RunRequest, process: CommandReport) -> Self {
        Self {
            fate: Fate::Ended(process.end.clone()),
            started: process.started,
            duration: process.duration,
            process: Some(process),
            ..Self::imagined(request)
        }
    }

    pub(super) fn not_started(request: &RunRequest, job: &Job, failure: &NotStarted) -> Self {
        let why = command_line::why_not_started(&job.program, &failure.error);
        Self {
            // The program may be a whole line with secrets in it.
            name: given_name(request).unwrap_or_else(|| command_line::first_name(&request.command)),
            fate: Fate::NotStarted { code: failure.exit_code(), why },
            started: failure.tried,
            ..Self::imagined(request)
        }
    }

    pub(super) fn failed(&self) -> bool {
        !matches!(&self.fate, Fate::Ended(how) if how.is_success())
    }

    /// The process's exit code, given that of the alert.
    pub fn exit_code(&self, alert: u8) -> u8 {
        if self.prefers_alert && alert != 0 { alert } else { self.own_code() }
    }

    fn own_code(&self) -> u8 {
        match &self.fate {
            Fate::Ended(how) => how.exit_code(),
            Fate::NotStarted { code, .. } => *code,
        }
    }

    /// Waits until what it wrote has been passed on, however slow its reader is; a signal ends that. Returns a warning if
    /// not all could be.
    pub async fn passed_on(&self) -> Option<String> {
        let process = self.process.as_ref()?;
        tokio::select! {
            biased;
            trouble = process.output.passed_on() => trouble,
            _ = async { StopSignals::listen().received().await } => None,
        }
    }

    /// Whether the command wrote a last line without a line feed to our stdout, and to our stderr.
    pub fn open_lines(&self) -> [bool; 2] {
        self.process.as_ref().map(|process| process.output.open_lines()).unwrap_or_default()
    }

    /// The key for the cooldown: two alerts of a command in the same state are repeats, although their times differ.
    pub(super) fn cooldown_key(&self, profile: Option<&str>, channel: Channel) -> String {
        let state = if self.failed() { "failed" } else { "ok" };
        fingerprint([profile.unwrap_or_default(), channel.as_str(), &self.key, state])
    }

    /// What JSON tells of it. `outcome` is the alert's.
    pub fn to_json(&self, outcome: &Outcome) -> Value {
        let (signal, why) = match &self.fate {
            Fate::Ended(CommandEnd::Signal(number)) => (Some(signal_name(*number)), None),
            Fate::Ended(CommandEnd::Unknown(why)) | Fate::NotStarted { why, .. } => (None, Some(why.clone())),
            Fate::Ended(CommandEnd::TimedOut { force: Force::InVain(id), .. }) => (None, Some(runs_on(*id))),
            Fate::Ended(_) => (None, None),
        };
        json!({
            "name": self.name,
            "command": self.command,
            "started": clock::stamp(self.started),
            "duration_ms": clock::in_ms(self.duration),
            "exit_code": self.own_code(),
            "signal": signal,
            "timed_out": matches!(self.fate, Fate::Ended(CommandEnd::TimedOut { .. })),
            "could_start": !matches!(self.fate, Fate::NotStarted { .. }),
            "message": why,
            "alerted": matches!(outcome.status, Status::Sent | Status::Partial | Status::Queued),
        })
    }

    /// The text for a command that could not be started, with the reason.
    pub fn why_not_started(&self) -> Option<String> {
        match &self.fate {
            Fate::NotStarted { why, .. } => Some(format!("{}: {why}", self.title(None))),
            Fate::Ended(_) => None,
        }
    }

    /// The line on stderr where no alert was due.
    pub fn described(&self) -> String {
        format!("{}; no alert was due", self.title(None))
    }

    /// The alert: what it was, how it ended, and what it wrote last. Known secrets are masked.
    pub(super) fn alert(&self, change: Option<ChangeReport>, encoding: Encoding, mask: &Mask) -> Alert {
        let fields = self.fields(change).into_iter();
        let fields = fields.map(|(key, value)| Field { key: key.to_owned(), value: mask.apply(&value) });
        let tail = self.process.as_ref().and_then(|process| tail(&process.tail, encoding));
        Alert {
            title: Some(mask.apply(&self.title(change))),
            level: Some(if self.failed() { Level::Critical } else { Level::Ok }),
            fields: fields.collect(),
            body: tail.map(|tail| mask.apply(&tail)),
            ..Alert::default()
        }
    }

    /// `backup failed: exit code 3`.
    fn title(&self, change: Option<ChangeReport>) -> String {
        let end = match &self.fate {
            Fate::NotStarted { .. } => "could not be started".to_owned(),
            Fate::Ended(CommandEnd::Exit(0)) if change.is_some_and(ChangeReport::is_recovery) => "recovered".to_owned(),
            Fate::Ended(CommandEnd::Exit(0)) => "succeeded".to_owned(),
            Fate::Ended(CommandEnd::Exit(code)) => format!("failed: exit code {code}"),
            Fate::Ended(CommandEnd::Signal(number)) => format!("killed by {}", signal_name(*number)),
            Fate::Ended(CommandEnd::TimedOut { limit, .. }) => format!("timed out after {}", clock::elapsed(*limit)),
            Fate::Ended(CommandEnd::Unknown(_)) => "ended, and it is not known how".to_owned(),
        };
        format!("{} {end}", self.name)
    }

    fn fields(&self, change: Option<ChangeReport>) -> Vec<(&'static str, String)> {
        let host = gethostname::gethostname().to_string_lossy().into_owned();
        let mut fields = vec![("host", host), ("command", self.command.clone())];
        fields.push(match &self.fate {
            Fate::Ended(CommandEnd::Exit(code)) => ("exit code", code.to_string()),
            Fate::Ended(CommandEnd::Signal(number)) => ("signal", signal_name(*number)),
            Fate::Ended(CommandEnd::TimedOut { force: Force::Asked, .. }) => ("ended by", "SIGTERM".to_owned()),
            Fate::Ended(CommandEnd::TimedOut { force: Force::Killed, .. }) => ("ended by", "SIGKILL".to_owned()),
            Fate::Ended(CommandEnd::TimedOut { force: Force::InVain(id), .. }) => ("error", runs_on(*id)),
            Fate::Ended(CommandEnd::Unknown(why)) | Fate::NotStarted { why, .. } => ("error", why.clone()),
        });
        if matches!(self.fate, Fate::Ended(_)) {
            fields.push(("duration", clock::elapsed(self.duration)));
        }
        fields.push(("started", clock::date(self.started)));
        if let Some(ChangeReport::Recovered { since }) = change {
            fields.push(("failed since", clock::date(since)));
        }
        fields
    }
}

fn given_name(request: &RunRequest) -> Option<String> {
    request.name.as_deref().map(clean).filter(|name| !is_blank(name))
}

/// The text for a command that the time limit could not end.
fn runs_on(id: u32) -> String {
    format!("it could not be ended, and runs on as process {id}")
}

/// The end of the output; `None` if it is blank.
fn tail(tail: &CapturedOutput, encoding: Encoding) -> Option<String> {
    // Broken characters are the command's own matter: no warning.
    let text = read_text_from(&tail.text[..], "the output", encoding).ok()?.text;
    if is_blank(&text) {
        return None;
    }
    let CapturedOutput { lines, dropped, .. } = tail;
    Some(if *dropped == 0 { text } else { format!("[last {lines} of {} lines]\n{text}", lines + dropped) })
}
