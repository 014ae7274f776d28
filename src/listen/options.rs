//! What the command line asks for, read: plain data.

use std::ffi::OsString;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::config::{Setting, Settings, parse_duration_up_to};
use crate::delivery::Outcome;
use crate::error::{Error, Result};
use crate::process::check_program;
use crate::secret::Mask;
use crate::send::LoggedMessage;

/// How old a press may be unless the option says otherwise.
const MAX_AGE: Duration = Duration::from_secs(10 * 60);

/// How old a press may be at the most, in hours: events are not kept longer.
const OLDEST_HOURS: u64 = 7 * 24;

/// How many programs run at a time unless the option says otherwise.
const JOBS: u16 = 4;

/// How long a program may take unless the option says otherwise, and at the most, in hours.
const EXEC_TIMEOUT: Duration = Duration::from_secs(60);
const LONGEST_HOURS: u64 = 24;

/// Takes the lines for standard output: one JSON document each, without an end of line. It must not block.
pub type EventLines = Arc<dyn Fn(String) + Send + Sync>;

/// What is told of an alert that was sent for somebody else.
#[derive(Clone, Copy)]
pub struct AlertReports {
    /// The document of an outcome with its warnings, without secrets.
    pub document: fn(&Outcome, &[String], &Mask) -> String,
    /// The line of the log file about an alert that was begun then.
    pub log_line: fn(&Outcome, Option<&LoggedMessage>, Instant, &Mask) -> String,
}

/// What is to be received, and what is done about it.
#[derive(Clone)]
pub struct ListenRequest {
    /// The program that is run for presses, and its arguments; may be empty.
    pub program: Vec<OsString>,
    /// Whether the aibot's connection is to be held.
    pub aibot: bool,
    /// Where callbacks are received, as written.
    pub http: Option<String>,
    /// Where alerts are taken, as written.
    pub accept: Option<String>,
    /// What is told of those alerts.
    pub reports: AlertReports,
    /// Whether words that are written to the aibot are events too.
    pub messages: bool,
    /// Whose presses count; all without.
    pub only: Vec<String>,
    /// How old a press may be, as written.
    pub max_age: Option<String>,
    /// How many programs run at a time.
    pub jobs: Option<u16>,
    /// How long a program may take, as written.
    pub exec_timeout: Option<String>,
    /// Whether an event is rather not handled than handled twice.
    pub at_most_once: bool,
    /// Where the lines of events go.
    pub lines: EventLines,
}

/// What is done about events.
#[derive(Debug)]
pub(super) struct ListenRules {
    /// The program and its arguments.
    pub(super) program: Option<(OsString, Vec<OsString>)>,
    pub(super) messages: bool,
    only: Vec<String>,
    pub(super) max_age: Duration,
    pub(super) jobs: usize,
    pub(super) exec_timeout: Duration,
    pub(super) at_most_once: bool,
}

impl ListenRules {
    /// What the options say.
    ///
    /// # Errors
    ///
    /// Usage for an option that says nothing or does not belong here, exit 3 for a program that cannot be run.
    pub(super) fn read(request: &ListenRequest, settings: &Settings) -> Result<Self> {
        if settings.is_option(Setting::Deadline) {
            return Err(Error::usage("--deadline does not go with listen, which has no end", "leave it out"));
        }
        let duration = |option: &str, given: &Option<String>, hours: u64, default: Duration| match given {
            None => Ok(default),
            Some(text) => parse_duration_up_to(hours, text.trim()).map_err(|error| {
                Error::usage(format!("{option}: {error}"), error.hint().unwrap_or("correct the value"))
            }),
        };
        let mut words = request.program.iter();
        let program = words.next().map(|program| (program.clone(), words.cloned().collect()));
        if let Some((program, _)) = &program {
            check_program(program).map_err(|error| {
                let message = format!("{} cannot be run: {error}", program.to_string_lossy());
                Error::config(message, "put a program after --, found in PATH or by its path; no shell runs it")
            })?;
        }
        let only = request.only.iter().flat_map(|ids| ids.split([',', '|'])).map(str::trim);
        let only: Vec<String> = only.filter(|id| !id.is_empty()).map(str::to_owned).collect();
        if only.is_empty() && !request.only.is_empty() {
            return Err(Error::usage("--only names nobody", "give a userid; is a variable empty?"));
        }
        if request.messages && program.is_none() {
            return Err(Error::usage(
                "--messages has nothing to hand messages to",
                "give a program after --, as in: wecom-alert listen --messages -- ./answer.sh",
            ));
        }
        Ok(Self {
            program,
            messages: request.messages,
            only,
            max_age: duration("--max-age", &request.max_age, OLDEST_HOURS, MAX_AGE)?,
            jobs: request.jobs.unwrap_or(JOBS).max(1).into(),
            exec_timeout: duration("--exec-timeout", &request.exec_timeout, LONGEST_HOURS, EXEC_TIMEOUT)?,
            at_most_once: request.at_most_once,
        })
    }

    /// Whether this member's presses count. WeCom gives userids in another case at times.
    pub(super) fn counts(&self, userid: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|id| id.eq_ignore_ascii_case(userid))
    }
}
