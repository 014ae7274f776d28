//! `run`: a command is run and watched, and its end is told to whoever wants to hear of it.
//!
//! The command comes first: it is run before any setting is read, so that no mistake in these keeps it from running, and
//! its exit code is ours, whatever becomes of the alert.

mod change;
mod command_line;
mod wording;

use std::ffi::OsString;
use std::io::ErrorKind;
use std::path::Path;
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

use crate::alert::{Field, Level};
use crate::channel::{Addressing, Channel};
use crate::clock;
use crate::config::{self, Settings, parse_duration_up_to};
use crate::delivery::Outcome;
use crate::error::{Error, Result, Status};
use crate::fingerprint::fingerprint;
use crate::input::{clean, is_stdin};
use crate::process::{self, Ended, Force, How, Job, Kept, NotStarted, signal_name};
use crate::send::{self, Request, Session, choose_channel, only_channel};

use change::{Change, News};

/// A command to be run, and what is to be told of it.
#[derive(Debug, Clone)]
pub struct RunRequest {
    /// The program and its arguments.
    pub command: Vec<OsString>,
    /// When to alert.
    pub on: On,
    /// The channel asked for.
    pub channel: Option<Channel>,
    /// What the alert calls it, and what [`On::Change`] knows it by.
    pub name: Option<String>,
    /// How many lines of its output the alert shows.
    pub tail_lines: Option<u16>,
    /// When it is ended, as a duration.
    pub time_limit: Option<String>,
    /// If the alert fails, its exit code counts.
    pub alert_exit: bool,
    /// What the options say of the alert. Its channel is found from the settings.
    pub alert: Request,
}

/// When to alert.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum On {
    /// When the command fails.
    #[default]
    Failure,
    /// When it succeeds.
    Success,
    /// Each time.
    Always,
    /// At the first failure, and at the recovery.
    Change,
}

/// How many lines of the output an alert shows unless said otherwise: about what one message holds.
const TAIL_LINES: u16 = 20;

/// How much longer a command has to end after its time limit, as the help says.
const GRACE: Duration = Duration::from_secs(10);

/// The longest time limit, in hours.
const LONGEST_HOURS: u64 = 720;

/// A command that has been run, or could not be.
pub struct Ran {
    /// What people call it.
    name: String,
    /// What --on change knows it by.
    key: String,
    /// Its command line, as far as it is shown.
    command: String,
    fate: Fate,
    started: SystemTime,
    duration: Duration,
    tail: Kept,
    prefers_alert: bool,
    /// What may still be passing its output on.
    under_way: Option<Ended>,
}

/// What became of a command.
enum Fate {
    Ended(How),
    NotStarted { code: u8, why: String },
}

/// Runs the command to its end.
///
/// # Errors
///
/// Usage, before anything is run: options of which it is clear here that they can never be followed.
pub async fn run_command(args: &RunRequest) -> Result<Ran> {
    let job = job(args)?;
    let ran = Ran::imagined(args);
    Ok(match process::run(&job).await {
        Err(not_started) => {
            let fate = Fate::NotStarted { code: not_started.exit_code(), why: why(&not_started, &job) };
            let name = name_given(args).unwrap_or_else(|| command_line::first_name(&args.command));
            Ran { name, fate, started: not_started.tried, ..ran }
        }
        Ok(ended) => Ran {
            fate: Fate::Ended(ended.how.clone()),
            started: ended.started,
            duration: ended.duration,
            tail: ended.tail.clone(),
            under_way: Some(ended),
            ..ran
        },
    })
}

fn name_given(args: &RunRequest) -> Option<String> {
    args.name.as_deref().map(clean).filter(|name| !name.trim().is_empty())
}

/// Why it could not be started, with what to do where a shell is missing or cron is the usual reason.
fn why(not_started: &NotStarted, job: &Job) -> String {
    let error = &not_started.error;
    if error.kind() != ErrorKind::NotFound {
        return error.to_string();
    }
    let is_searched = Path::new(&job.program).components().count() == 1;
    if let Some(what) = command_line::for_a_shell(&job.program) {
        return format!("{error}; {what}: write -- sh -c 'LINE'");
    }
    if is_searched {
        return format!("{error}; write its whole path, for PATH is short under cron and systemd");
    }
    error.to_string()
}

/// What is to be run, and whether the options are such that an alert can come of them.
fn job(args: &RunRequest) -> Result<Job> {
    let limit = args.time_limit.as_deref().map(|text| {
        parse_duration_up_to(LONGEST_HOURS, text).map_err(|error| {
            let message = format!("--time-limit: {error}");
            error.with_status(Status::Usage).with_message(message)
        })
    });
    args.alert.alert.level.as_deref().map(Level::parse).transpose()?;
    for field in &args.alert.alert.field {
        clean(field).parse::<Field>()?;
    }
    if args.alert.content.attach.iter().any(|path| is_stdin(path)) {
        return Err(Error::usage(
            "--attach - has nothing to read: stdin is the command's",
            "let the command write a file, and attach that",
        ));
    }
    let (program, arguments) = args.command.split_first().ok_or_else(|| {
        Error::usage("there is no command to run", "put it after --, as in: wecom-alert run -- backup.sh")
    })?;
    Ok(Job {
        program: program.clone(),
        arguments: arguments.to_vec(),
        tail_lines: args.tail_lines.unwrap_or(TAIL_LINES).into(),
        time_limit: limit.transpose()?,
        grace: GRACE,
    })
}

/// The channel asked for, else the one that the profile has. An alert must not be lost for want of an answer: with both the
/// webhook takes it, unless the options name recipients.
fn channel(settings: &Settings, args: &RunRequest) -> Result<Channel> {
    let by_options = settings.to.as_ref().is_some_and(|to| to.level == config::Level::Option);
    match (args.channel, only_channel(settings)) {
        (None, Err(several)) if !several.is_empty() => {
            let wanted = if by_options { Addressing::Recipients } else { Addressing::Credential };
            let is_wanted = |channel: &Channel| channel.facts().addressing == wanted;
            choose_channel(settings, several.into_iter().find(is_wanted))
        }
        (asked, _) => choose_channel(settings, asked),
    }
}

/// Alerts if that is wanted. Without a command that has been run, for a dry run, it is as if it had failed.
///
/// # Errors
///
/// As [`send::send`].
pub async fn alert(session: &mut Session<'_>, mut args: RunRequest, ran: Option<&Ran>) -> Result<Outcome> {
    let channel = channel(&session.settings, &args)?;
    session.channel = Some(channel);
    args.alert.channel = channel;
    let Some(ran) = ran else {
        job(&args)?;
        let imagined = Ran::imagined(&args);
        let request = in_words(session, args.alert, &imagined, None);
        return Box::pin(send::send(session, request)).await;
    };
    session.sends_unstored = true;
    // Whoever has no credentials shall hear of that before there is something to tell.
    session.own_target(channel).require_credentials(None)?;
    let change = match args.on {
        On::Change => Some(change::compare(session.state().as_ref(), &ran.key, ran.failed(), session.deadline()).await),
        On::Failure | On::Success | On::Always => None,
    };
    session.warnings.extend(change.as_ref().and_then(|change| change.warning.clone()));
    let is_due = match (&change, args.on) {
        (Some(change), _) => change.news.is_some(),
        (None, On::Always) => true,
        (None, On::Success) => !ran.failed(),
        (None, On::Failure | On::Change) => ran.failed(),
    };
    if !is_due {
        session.warnings.extend(change.and_then(Change::told));
        return rehearse(session, args.alert, ran);
    }
    if session.settings.cooldown.is_some() && session.settings.cooldown_key.is_none() {
        session.settings.cooldown_key = Some(ran.cooldown_key(session, channel));
    }
    let news = change.as_ref().and_then(|change| change.news);
    if !ran.failed() && args.on != On::Success {
        calm(&mut session.settings, &mut args.alert, news);
    }
    let request = in_words(session, args.alert, ran, news);
    let outcome = Box::pin(send::send(session, request)).await?;
    // What was held back as a repeat has been told to nobody: it is still news when that is over.
    if send::is_through(&outcome) && outcome.status != Status::Skipped {
        session.warnings.extend(change.and_then(Change::told));
    }
    Ok(outcome)
}

/// What the options say of a failure does not hold for a good end: it is calm, and a title of the caller's says so.
fn calm(settings: &mut Settings, alert: &mut Request, news: Option<News>) {
    alert.alert.level = None;
    let end = if matches!(news, Some(News::Recovered { .. })) { "recovered" } else { "succeeded" };
    settings.title = settings.title.take().map(|title| format!("{title}: {end}"));
}

/// Makes an alert that nobody gets: options that cannot become one are better found today than in the night in which one
/// is due. Files to attach need not be there yet.
fn rehearse(session: &mut Session<'_>, mut alert: Request, ran: &Ran) -> Result<Outcome> {
    alert.content.attach.clear();
    alert.content.filename.clear();
    send::rehearse_storing(session);
    let request = in_words(session, alert, ran, None);
    send::rehearse(session, &request)?;
    Ok(Outcome::new(Status::Skipped))
}

/// The alert in words.
fn in_words(session: &Session<'_>, alert: Request, ran: &Ran, news: Option<News>) -> Request {
    let Settings { secret, webhook, encoding, .. } = &session.settings;
    // The command may have got them too, and say them.
    for source in [secret, webhook].into_iter().flatten() {
        source.at_hand().into_iter().for_each(|secret| session.mask.add(secret));
    }
    Request { own: Some(wording::alert(ran, news, *encoding, &session.mask)), ..alert }
}

impl Ran {
    /// A command that fails at once.
    fn imagined(args: &RunRequest) -> Self {
        let name = name_given(args);
        let key = match &name {
            Some(name) => fingerprint(["name".as_bytes(), name.as_bytes()]),
            None => fingerprint(
                std::iter::once("command".as_bytes()).chain(args.command.iter().map(|word| word.as_encoded_bytes())),
            ),
        };
        Self {
            name: name.unwrap_or_else(|| command_line::base_name(&args.command)),
            key,
            command: command_line::shown(&args.command),
            fate: Fate::Ended(How::Exit(1)),
            started: SystemTime::now(),
            duration: Duration::ZERO,
            tail: Kept::default(),
            prefers_alert: args.alert_exit,
            under_way: None,
        }
    }

    fn failed(&self) -> bool {
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
        let ended = self.under_way.as_ref()?;
        tokio::select! {
            biased;
            trouble = ended.passed_on() => trouble,
            _ = process::received() => None,
        }
    }

    /// Whether it left our stdout, and our stderr, in the midst of a line.
    pub fn open_lines(&self) -> [bool; 2] {
        self.under_way.as_ref().map(Ended::open_lines).unwrap_or_default()
    }

    /// Two alerts of a command in the same state are the same, although the times in them differ.
    fn cooldown_key(&self, session: &Session<'_>, channel: Channel) -> String {
        let profile = session.settings.profile.as_deref().unwrap_or_default();
        fingerprint([profile, channel.as_str(), &self.key, if self.failed() { "failed" } else { "ok" }])
    }

    /// What JSON tells of it. `outcome` is the alert's.
    pub fn to_json(&self, outcome: &Outcome) -> Value {
        let (signal, why) = match &self.fate {
            Fate::Ended(How::Signal(number)) => (Some(signal_name(*number)), None),
            Fate::Ended(How::Unknown(why)) | Fate::NotStarted { why, .. } => (None, Some(why.clone())),
            Fate::Ended(How::TimedOut { force: Force::InVain(id), .. }) => (None, Some(wording::runs_on(*id))),
            Fate::Ended(_) => (None, None),
        };
        json!({
            "name": self.name,
            "command": self.command,
            "started": clock::stamp(self.started),
            "duration_ms": clock::in_ms(self.duration),
            "exit_code": self.own_code(),
            "signal": signal,
            "timed_out": matches!(self.fate, Fate::Ended(How::TimedOut { .. })),
            "could_start": !matches!(self.fate, Fate::NotStarted { .. }),
            "message": why,
            "alerted": matches!(outcome.status, Status::Sent | Status::Partial | Status::Queued),
        })
    }

    /// That it could not be started, and why not.
    pub fn why_not_started(&self) -> Option<String> {
        match &self.fate {
            Fate::NotStarted { why, .. } => Some(format!("{}: {why}", wording::title(self, None))),
            Fate::Ended(_) => None,
        }
    }

    /// What is said where no alert was due.
    pub fn described(&self) -> String {
        format!("{}; no alert was due", wording::title(self, None))
    }
}
