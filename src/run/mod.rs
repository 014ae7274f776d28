//! `run`: runs a command, and sends an alert about how it ended.
//!
//! Before the command runs, its options are looked at. The settings that count are read after it, and no mistake in file or
//! variables keeps it from running. Its exit code is ours, independent of the alert.

mod before;
mod change;
mod command_line;
mod finished;
mod left_out;

use std::ffi::OsString;
use std::time::Duration;

use crate::alert::Field;
use crate::channel::Channel;
use crate::config::{Environment, OnLong, Settings, parse_duration_up_to};
use crate::delivery::Outcome;
use crate::error::{Error, Result, Status};
use crate::input::{clean, is_stdin};
use crate::process::{self, CommandEnd, CommandReport, Job};
use crate::send::{self, AlertFields, Request, Session, channel_for_alert};

pub use before::{Preview, look_before};
use change::{Change, ChangeReport};
pub use finished::FinishedCommand;
use left_out::left_out;

/// A command to be run, and the alert about it.
#[derive(Debug, Clone)]
pub struct RunRequest {
    /// The program and its arguments.
    pub command: Vec<OsString>,
    /// When to alert.
    pub on: On,
    /// The channel asked for.
    pub channel: Option<Channel>,
    /// Its name in the alert, and its key for [`On::Change`].
    pub name: Option<String>,
    /// How many lines of its output the alert shows.
    pub tail_lines: Option<u16>,
    /// The duration after which it is ended. With one, all children of this process are taken for the command's.
    pub time_limit: Option<String>,
    /// Whether this program's secrets are taken out of the command's environment.
    pub clean_env: bool,
    /// Whether the exit code is that of the alert where the alert fails.
    pub alert_exit: bool,
    /// What the options say of the alert. Its channel is found from the settings.
    pub alert: Request,
}

/// When to alert.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, strum::EnumString, strum::VariantNames)]
#[strum(serialize_all = "snake_case")]
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

/// Runs the command to its end.
///
/// # Errors
///
/// Usage, before anything is run: options that no settings can make valid.
pub async fn run_command(request: &RunRequest) -> Result<FinishedCommand> {
    Ok(FinishedCommand::new(request, process::run(&job(request)?).await))
}

/// Runs the command to its end as a shell would, without an event loop, which cannot be had because of `shortage`.
///
/// # Errors
///
/// As [`run_command`].
pub fn run_plainly(request: &RunRequest, shortage: &str) -> Result<FinishedCommand> {
    Ok(FinishedCommand::new(request, process::run_plainly(&job(request)?, shortage)))
}

/// What is to be run. Refuses options that cannot become an alert.
fn job(request: &RunRequest) -> Result<Job> {
    let limit = request.time_limit.as_deref().map(|text| {
        parse_duration_up_to(LONGEST_HOURS, text).map_err(|error| {
            let message = format!("--time-limit: {error}");
            error.with_status(Status::Usage).with_message(message)
        })
    });
    for field in &request.alert.alert.field {
        clean(field).parse::<Field>()?;
    }
    if request.alert.input.attach.iter().any(|path| is_stdin(path)) {
        return Err(Error::usage(
            "--attach - has nothing to read: stdin is the command's",
            "let the command write a file, and attach that",
        ));
    }
    let (program, arguments) = request.command.split_first().ok_or_else(|| {
        Error::usage("there is no command to run", "put it after --, as in: wecom-alert run -- backup.sh")
    })?;
    Ok(Job {
        program: program.clone(),
        arguments: arguments.to_vec(),
        hidden: if request.clean_env { Environment::from_process().secret_variables() } else { Vec::new() },
        tail_lines: request.tail_lines.unwrap_or(TAIL_LINES).into(),
        time_limit: limit.transpose()?,
        grace: GRACE,
        adopts: true,
    })
}

/// Alerts if that is wanted. Without a command that has been run, for a dry run, it is as if it had failed.
///
/// # Errors
///
/// As [`send::send`].
pub async fn alert(
    session: &mut Session<'_>,
    mut request: RunRequest,
    finished: Option<&FinishedCommand>,
) -> Result<Outcome> {
    process::break_on_purpose("alert");
    let channel = channel_for_alert(&session.settings, request.channel)?;
    session.channel = Some(channel);
    request.alert.channel = channel;
    session.warnings.extend(left_out(session, channel));
    let Some(finished) = finished else {
        let job = job(&request)?;
        let imagined = |end| FinishedCommand::new(&request, CommandReport::without_output(end));
        if let Err(error) = process::check_program(&job.program) {
            let end = imagined(CommandEnd::not_started(&error)).unsaid_end().unwrap_or_default();
            return Err(Error::config(end, "correct the command after --"));
        }
        session.own_target(channel).check_credential_file()?;
        let imagined = imagined(CommandEnd::Exit(1));
        let request = with_words(session, request.alert, &imagined, None);
        return Box::pin(send::send(session, request)).await;
    };
    // Missing credentials are reported at every run, not only when an alert is due.
    let target = session.own_target(channel);
    target.require_credentials(None).map_err(|error| target.or_its_chat(error))?;
    let failed = finished.failed();
    let change = match request.on {
        On::Change => Some(change::compare(session.state().as_ref(), &finished.key, failed, session.deadline()).await),
        On::Failure | On::Success | On::Always => None,
    };
    session.warnings.extend(change.as_ref().and_then(|change| change.warning.clone()));
    let report = change.as_ref().and_then(|change| change.report);
    let is_due = match request.on {
        On::Failure => failed,
        On::Success => !failed,
        On::Always => true,
        On::Change => report.is_some(),
    };
    if !is_due {
        session.warnings.extend(change.and_then(Change::record_reported));
        send::warn_of_what_lacks(session);
        return rehearse(session, request.alert, finished);
    }
    if session.settings.cooldown.is_some() && session.settings.cooldown_key.is_none() {
        let profile = session.settings.profile.as_deref();
        session.settings.cooldown_key = Some(finished.cooldown_key(profile, channel));
    }
    if !failed && request.on != On::Success {
        // Level and title of the options are meant for a failure: a success gets its own.
        request.alert.alert.level = None;
        let words = session.settings.language.words();
        let end = finished::success(report, words);
        session.settings.title = session.settings.title.take().map(|title| format!("{title}{}{end}", words.colon));
    }
    session.leave_out_unusable_ca_file().await;
    request.alert.input.attach_since = Some(finished.started());
    let alert = with_words(session, request.alert, finished, report);
    let outcome = match Box::pin(send::send(session, alert.clone())).await {
        Ok(outcome) => outcome,
        // Nothing was sent. An alert without its decorations is better than none.
        Err(error) => {
            session.warnings.push(format!("{error}: the alert goes without its options"));
            without_decorations(&mut session.settings);
            let AlertFields { level, field, .. } = alert.alert;
            let alert = Request { alert: AlertFields { level, field, ..AlertFields::default() }, ..alert };
            Box::pin(send::send(session, alert)).await?
        }
    };
    // An alert that was held back as a repeat was not delivered: a later run reports the change.
    if send::reached_all(&outcome) && outcome.status != Status::Skipped {
        session.warnings.extend(change.and_then(Change::record_reported));
    }
    Ok(outcome)
}

/// Takes away what may keep an alert from being made and does not decide whom it reaches.
fn without_decorations(settings: &mut Settings) {
    let settings_of_any_alert = Settings {
        msgtype: None,
        url: None,
        btntxt: None,
        picurl: None,
        mention: Vec::new(),
        mention_mobile: Vec::new(),
        on_long: OnLong::default(),
        ..settings.clone()
    };
    *settings = settings_of_any_alert;
}

/// Makes an alert that is not sent, so that options that cannot become one are found before one is due. Files to attach
/// need not exist yet.
fn rehearse(session: &mut Session<'_>, mut alert: Request, finished: &FinishedCommand) -> Result<Outcome> {
    alert.input.attach.clear();
    alert.input.filename.clear();
    let request = with_words(session, alert, finished, None);
    send::rehearse(session, &request)?;
    Ok(Outcome::new(Status::Skipped))
}

/// The request with the alert that tells of the command.
fn with_words(
    session: &Session<'_>,
    request: Request,
    finished: &FinishedCommand,
    report: Option<ChangeReport>,
) -> Request {
    let Settings { secret, webhook, encoding, language, .. } = &*session.settings;
    // The command may know the same secrets, and have printed them.
    for source in [secret, webhook].into_iter().flatten() {
        source.at_hand().into_iter().for_each(|secret| session.mask.add(secret));
    }
    let ci_job = session.ci_job(&request);
    Request { own: Some(finished.alert(report, ci_job, *language, *encoding, &session.mask)), ..request }
}
