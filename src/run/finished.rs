//! The result of the command of `run`: its exit code, and how the alert and the JSON output describe it. A command that
//! could not be started has one too.

use std::io;
use std::time::SystemTime;

use serde_json::{Value, json};

use crate::alert::{Alert, Field, Level};
use crate::channel::Channel;
use crate::clock;
use crate::delivery::Outcome;
use crate::error::Status;
use crate::fingerprint::fingerprint;
use crate::input::{Encoding, clean, decode_output, is_blank};
use crate::process::{CapturedOutput, CommandEnd, CommandReport, Force, StopSignals, ends_unasked, signal_name};
use crate::secret::Mask;
use crate::words::{Language, Words, spaced};

use super::change::ChangeReport;
use super::{RunRequest, command_line};

/// A command that has been run, or could not be.
pub struct FinishedCommand {
    /// What people call it.
    name: String,
    /// Whether an option gave it its name.
    is_named: bool,
    /// What --on change knows it by.
    pub(super) key: String,
    /// Its command line, as far as it is shown.
    command: String,
    /// The program as it was given.
    program: String,
    prefers_alert: bool,
    /// How it ended, and its output, which may still be being passed on.
    report: CommandReport,
}

impl FinishedCommand {
    pub(super) fn new(request: &RunRequest, report: CommandReport) -> Self {
        let command = &request.command;
        let program = command.first().map(|program| program.to_string_lossy().into_owned()).unwrap_or_default();
        let path = match report.end {
            // It may be a whole line with secrets in it: its first word alone is shown.
            CommandEnd::NotStarted { .. } => program.split_whitespace().next().unwrap_or_default(),
            _ => &program,
        };
        let name = request.name.as_deref().map(clean).filter(|name| !is_blank(name));
        let key = match &name {
            Some(name) => fingerprint(["name".as_bytes(), name.as_bytes()]),
            None => {
                let words = command.iter().map(|word| word.as_encoded_bytes());
                fingerprint(std::iter::once("command".as_bytes()).chain(words))
            }
        };
        Self {
            is_named: name.is_some(),
            name: name.unwrap_or_else(|| command_line::base_name(path)),
            key,
            command: command_line::shown(command),
            program,
            prefers_alert: request.alert_exit,
            report,
        }
    }

    pub(super) fn started(&self) -> SystemTime {
        self.report.started
    }

    /// Whether it ended in any way but exit code 0.
    pub fn failed(&self) -> bool {
        self.report.end != CommandEnd::Exit(0)
    }

    /// The process's exit code, given that of the alert.
    pub fn exit_code(&self, alert: u8) -> u8 {
        if self.prefers_alert && alert != 0 { alert } else { self.report.end.exit_code() }
    }

    /// Waits until what it wrote has been passed on, however slow its reader is; a signal ends that. Returns a warning if
    /// not all could be.
    pub async fn passed_on(&self) -> Option<String> {
        tokio::select! {
            biased;
            trouble = self.report.output.passed_on() => trouble,
            _ = async { StopSignals::listen().received().await } => None,
        }
    }

    /// Whether the command wrote a last line without a line feed to our stdout, and to our stderr.
    pub fn open_lines(&self) -> [bool; 2] {
        self.report.output.open_lines()
    }

    /// The key for the cooldown: two alerts of a command in the same state are repeats, although their times differ.
    pub(super) fn cooldown_key(&self, profile: Option<&str>, channel: Channel) -> String {
        let state = if self.failed() { "failed" } else { "ok" };
        fingerprint([profile.unwrap_or_default(), channel.as_str(), &self.key, state])
    }

    /// What JSON tells of it. `outcome` is the alert's.
    pub fn to_json(&self, outcome: &Outcome) -> Value {
        let CommandReport { end, started, duration, .. } = &self.report;
        let signal = match end {
            CommandEnd::Signal(number) => Some(signal_name(*number)),
            _ => None,
        };
        json!({
            "name": self.name,
            "command": self.command,
            "started": clock::stamp(*started),
            "duration_ms": clock::in_ms(*duration),
            "exit_code": end.exit_code(),
            "signal": signal,
            "timed_out": matches!(end, CommandEnd::TimedOut { .. }),
            "could_start": self.could_start(),
            "message": self.trouble(english()),
            "alerted": matches!(outcome.status, Status::Sent | Status::Partial | Status::Queued),
        })
    }

    /// How it ended, where it cannot have said that itself: it could not be started, was ended at its time limit, or died of
    /// a signal that no program can answer. Of a signal by which somebody asked it to end, they know.
    pub fn unsaid_end(&self) -> Option<String> {
        let title = self.title(None, english());
        match &self.report.end {
            CommandEnd::TimedOut { force: Force::Asked, .. } => Some(format!("{title} and was ended by SIGTERM")),
            CommandEnd::TimedOut { force: Force::Killed, .. } => Some(format!("{title} and was ended by SIGKILL")),
            CommandEnd::Signal(number) => ends_unasked(*number).then_some(title),
            CommandEnd::Exit(_) => None,
            CommandEnd::NotStarted { .. } | CommandEnd::Unknown(_) | CommandEnd::TimedOut { .. } => {
                Some(format!("{title}: {}", self.trouble(english())?))
            }
        }
    }

    /// The line on stderr where no alert was due.
    pub fn described(&self) -> String {
        format!("{}; no alert was due", self.title(None, english()))
    }

    /// The alert: what it was, how it ended, and what it wrote last. Known secrets are masked. A CI job gives its name to a
    /// command that has none.
    pub(super) fn alert(
        &self,
        change: Option<ChangeReport>,
        ci_job: Option<String>,
        language: Language,
        encoding: Encoding,
        mask: &Mask,
    ) -> Alert {
        let words = language.words();
        let fields = self.fields(change, words).into_iter();
        let fields = fields.map(|(key, value)| Field { key: key.to_owned(), value: mask.apply(&value) });
        let tail = tail(&self.report.tail, encoding, words);
        Alert {
            title: Some(mask.apply(&self.title_with(ci_job.as_deref().filter(|_| !self.is_named), change, words))),
            level: Some(if self.failed() { Level::Critical } else { Level::Ok }),
            fields: fields.collect(),
            body: tail.map(|tail| mask.apply(&tail)),
            ..Alert::default()
        }
    }

    /// `backup failed: exit code 3`.
    fn title(&self, change: Option<ChangeReport>, words: &Words) -> String {
        self.title_with(None, change, words)
    }

    fn title_with(&self, name: Option<&str>, change: Option<ChangeReport>, words: &Words) -> String {
        let end = match &self.report.end {
            CommandEnd::NotStarted { .. } => words.not_started.to_owned(),
            CommandEnd::Exit(0) => success(change, words).to_owned(),
            CommandEnd::Exit(code) => (words.failed_with)(*code),
            CommandEnd::Signal(number) => (words.killed_by)(&signal_name(*number)),
            CommandEnd::TimedOut { limit, .. } => (words.timed_out)(&clock::elapsed(*limit, &words.units)),
            CommandEnd::Unknown(_) => words.ended_somehow.to_owned(),
        };
        spaced(name.unwrap_or(&self.name), &end)
    }

    fn fields(&self, change: Option<ChangeReport>, words: &Words) -> Vec<(&'static str, String)> {
        let host = gethostname::gethostname().to_string_lossy().into_owned();
        let mut fields = vec![(words.host, host), (words.command, self.command.clone())];
        let CommandReport { end, started, duration, .. } = &self.report;
        fields.push(match end {
            CommandEnd::Exit(code) => (words.exit_code, code.to_string()),
            CommandEnd::Signal(number) => (words.signal, signal_name(*number)),
            CommandEnd::TimedOut { force: Force::Asked, .. } => (words.ended_by, "SIGTERM".to_owned()),
            CommandEnd::TimedOut { force: Force::Killed, .. } => (words.ended_by, "SIGKILL".to_owned()),
            _ => (words.error, self.trouble(words).unwrap_or_default()),
        });
        if self.could_start() {
            fields.push((words.duration, clock::elapsed(*duration, &words.units)));
        }
        fields.push((words.started, clock::date(*started)));
        if let Some(ChangeReport::Recovered { since }) = change {
            fields.push((words.failed_since, clock::date(since)));
        }
        fields
    }

    fn could_start(&self) -> bool {
        !matches!(self.report.end, CommandEnd::NotStarted { .. })
    }

    /// Why it could not be started or ended, or why it is not known how it ended.
    fn trouble(&self, words: &Words) -> Option<String> {
        match &self.report.end {
            CommandEnd::NotStarted { kind, why } => {
                let is_missing = *kind == io::ErrorKind::NotFound;
                let hint = is_missing.then(|| command_line::hint_if_missing(&self.program, words));
                Some((words.why_not_started)(*kind, why) + hint.unwrap_or_default())
            }
            CommandEnd::Unknown(why) => Some(why.clone()),
            CommandEnd::TimedOut { force: Force::StillRunning(id), .. } => Some((words.still_running)(*id)),
            _ => None,
        }
    }
}

/// The words of stderr and JSON.
fn english() -> &'static Words {
    Language::English.words()
}

/// What a success is called.
pub(super) fn success(change: Option<ChangeReport>, words: &Words) -> &'static str {
    if change.is_some_and(ChangeReport::is_recovery) { words.recovered } else { words.succeeded }
}

/// The end of the output; `None` if it is blank.
fn tail(tail: &CapturedOutput, encoding: Encoding, words: &Words) -> Option<String> {
    // Broken characters are the command's own matter: no warning.
    let gaps = tail.gaps.iter().map(|gap| (gap.at, gap.missing));
    let text = decode_output(&tail.text, gaps, encoding, words);
    if is_blank(&text) {
        return None;
    }
    let CapturedOutput { lines, dropped, .. } = tail;
    Some(if *dropped == 0 { text } else { (words.last_lines)(*lines, lines + dropped) + "\n" + &text })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::On;
    use crate::send::Request;

    #[test]
    fn a_program_that_cannot_be_started_is_named_by_its_first_word() {
        for (program, name) in [
            ("/opt/my app/run it", "my"),
            ("cd /srv && ./job", "cd"),
            ("/usr/bin/mysql -ps3cret/x db", "mysql"),
            ("backup", "backup"),
        ] {
            let request = RunRequest {
                command: vec![program.into()],
                on: On::Failure,
                channel: None,
                name: None,
                tail_lines: None,
                time_limit: None,
                clean_env: false,
                alert_exit: false,
                alert: Request::new(Channel::App),
            };
            let end = CommandEnd::NotStarted { kind: io::ErrorKind::NotFound, why: "there is none".to_owned() };
            let why = FinishedCommand::new(&request, CommandReport::without_output(end)).unsaid_end().unwrap();
            assert!(why.starts_with(&format!("{name} could not be started: there is none; ")), "{why}");
        }
    }
}
