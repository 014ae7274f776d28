//! From arguments to exit code: options, settings, one command, one report.

mod args;
mod defect;
mod gist;
mod manual;
mod mistakes;
mod output;
mod progress;
mod request;
mod table;
mod talk;
mod trace;

use std::ffi::OsString;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use anyhow::Context;
use clap::{CommandFactory, FromArgMatches};
use tokio::runtime::Runtime;

use wecom_alert::channel::Channel;
use wecom_alert::check;
use wecom_alert::config::{Config, Environment, Output, Overrides, ReportSettings, Setting, report_settings};
use wecom_alert::delivery::{Outcome, interrupted};
use wecom_alert::error::{Error, Result, Status};
use wecom_alert::event::{Event, Observer};
use wecom_alert::flush;
use wecom_alert::process::StopSignals;
use wecom_alert::run::{self, FinishedCommand};
use wecom_alert::secret::Mask;
use wecom_alert::send::{self, Said, Session};

use args::{Cli, Command, overrides};
use gist::{Gist, gist};
use output::{Manner, Report};
use progress::Bar;
use request::{Task, channel_named};
use trace::Trace;

pub(crate) use defect::{report_defect, report_panics};

/// Runs the program and returns its exit code.
pub(crate) fn run(arguments: Vec<OsString>) -> anyhow::Result<u8> {
    let began = Instant::now();
    let environment = Environment::from_process();
    let mask = Mask::new();
    environment.secrets().iter().for_each(|secret| mask.add(secret));
    table::remember(environment.allows_colours());
    let parsed = Cli::command().try_get_matches_from(&arguments);
    let parsed = parsed.and_then(|matches| Ok((overrides(&matches), Cli::from_arg_matches(&matches)?.command)));
    let (overrides, command) = match parsed {
        Ok(parsed) => parsed,
        Err(error) if !error.use_stderr() => {
            let help = manual::short_help(&error, &arguments).unwrap_or(error);
            return Ok(explained(manual::write(help.render().to_string().as_bytes()), None, &mask));
        }
        Err(error) => {
            let Gist { command, overrides } = gist(&arguments);
            let end = End::of(mistakes::explain(&error, command, &arguments), command, began);
            return Ok(end.without_settings(&overrides, &environment, &mask));
        }
    };
    let name = Some(command.name());
    let explanation = match &command {
        Command::Completions(args) => Some(Ok(manual::completions(args))),
        Command::Man(args) => Some(manual::page(args)),
        _ => None,
    };
    if let Some(text) = explanation {
        return Ok(match text {
            Ok(text) => explained(manual::write(&text), name, &mask),
            Err(error) => End::of(error, name, began).without_settings(&overrides, &environment, &mask),
        });
    }
    carry_out(command, &overrides, &environment, mask, began)
}

/// The same for a command that does more than to explain.
fn carry_out(
    command: Command,
    overrides: &Overrides,
    environment: &Environment,
    mask: Mask,
    began: Instant,
) -> anyhow::Result<u8> {
    let name = Some(command.name());
    if overrides.text(Setting::Output) == Some("json") {
        defect::remember(Output::Json);
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.context("the event loop cannot be started")?;
    let (channel, is_check, is_for_all) = (
        channel_of(&command),
        matches!(command, Command::Check(_)),
        // Each entry of the outbox has a target of its own.
        matches!(command, Command::Outbox(_)),
    );
    let (task, ran, stops) = match run_first(command, overrides, &runtime) {
        Ok(first) => first,
        Err(error) => return Ok(End::of(error, name, began).without_settings(overrides, environment, &mask)),
    };
    let config = Config::read(overrides, environment);
    let resolved = config.as_ref().map_err(Clone::clone).and_then(|config| {
        let resolved = if is_for_all { config.resolve_for_all()? } else { config.resolve()? };
        Ok((config, resolved))
    });
    let (config, resolved) = match resolved {
        Ok(resolved) => resolved,
        Err(error) => {
            let profile = report_settings(overrides, environment).profile;
            let ended = if is_check { check::unresolved(config.as_ref().ok(), &error) } else { Outcome::from(error) };
            let outcome = Outcome { profile, channel, ..ended };
            // A mistyped variable may well be why the settings are wrong.
            let warnings = environment.unknown_variables();
            let end = End { command: name, outcome, warnings, began, ran, runtime: Some(&runtime) };
            return Ok(end.without_settings(overrides, environment, &mask));
        }
    };
    let settings = &resolved.0;
    defect::remember(settings.output);
    let manner = Manner { output: settings.output, quiet: settings.quiet, verbose: settings.verbose > 0 };
    let listener = listener(settings.verbose > 0, settings.quiet, mask.clone());
    let mut session = Session::new(config, resolved, mask.clone(), listener);
    let sends = matches!(task, Task::Send(_) | Task::Run(_));
    let mut outcome = runtime.block_on(conduct(&mut session, task, ran.as_ref(), stops));
    outcome.profile.clone_from(&session.settings.profile);
    outcome.channel = session.channel;
    outcome.allow_partial = session.settings.allow_partial;
    let may_go_along = sends && session.settings.outbox && matches!(outcome.status, Status::Sent | Status::Partial);
    let warnings = std::mem::take(&mut session.warnings);
    let end = End { command: name, outcome, warnings, began, ran, runtime: Some(&runtime) };
    let code = end.told(session.settings.log_file.as_deref(), session.said.as_ref(), manner, &mask);
    if may_go_along {
        let warnings = runtime.block_on(go_along(&mut session));
        warnings.iter().filter(|_| !manner.quiet).for_each(|line| talk::say(&mask, &format!("warning: {line}")));
    }
    // A name look-up or a read of stdin may still hang in a thread: nobody waits for it.
    runtime.shutdown_background();
    Ok(code)
}

/// What `run` is to run comes first: no mistake in settings keeps it from running. From its end on signals to stop are heard,
/// for it is still to be told of.
fn run_first(
    command: Command,
    overrides: &Overrides,
    runtime: &Runtime,
) -> Result<(Task, Option<FinishedCommand>, Option<StopSignals>)> {
    let is_dry = overrides.has(Setting::DryRun);
    let task = Task::new(command)?;
    let (ran, stops) = match &task {
        Task::Run(request) if !is_dry => {
            let (ran, stops) = runtime.block_on(async { (run::run_command(request).await, StopSignals::listen()) });
            let ran = ran?;
            let [_, is_stderr_open] = ran.open_lines();
            if is_stderr_open {
                talk::left_open();
            }
            (Some(ran), Some(stops))
        }
        _ => (None, None),
    };
    Ok((task, ran, stops))
}

/// A command that has ended and is to be reported on.
struct End<'r> {
    command: Option<&'static str>,
    outcome: Outcome,
    warnings: Vec<String>,
    began: Instant,
    /// The command that `run` has run.
    ran: Option<FinishedCommand>,
    /// Where its output is still being passed on.
    runtime: Option<&'r Runtime>,
}

impl End<'_> {
    /// One that failed before there was anything else to say.
    fn of(error: Error, command: Option<&'static str>, began: Instant) -> Self {
        Self { command, outcome: Outcome::from(error), warnings: Vec::new(), began, ran: None, runtime: None }
    }

    /// Writes the trace, prints the report and returns the exit code.
    fn told(mut self, log_file: Option<&Path>, said: Option<&Said>, manner: Manner, mask: &Mask) -> u8 {
        if let Some(path) = log_file {
            let trace = Trace { command: self.command, outcome: &self.outcome, said, began: self.began };
            self.warnings.extend(trace.append(path).err());
        }
        // What is printed now is the last that comes of it.
        if let (Some(ran), Some(runtime)) = (&self.ran, self.runtime) {
            self.warnings.extend(runtime.block_on(ran.passed_on()));
        }
        let Self { command, outcome, warnings, ran, .. } = &self;
        let code = output::finish(&Report { command: *command, outcome, warnings, mask, ran: ran.as_ref() }, manner);
        ran.as_ref().map_or(code, |ran| ran.exit_code(code))
    }

    /// The same before the settings are known: options and a glance say how.
    fn without_settings(self, overrides: &Overrides, environment: &Environment, mask: &Mask) -> u8 {
        let ReportSettings { output, quiet, verbose, log_file, .. } = report_settings(overrides, environment);
        let manner = Manner { output, quiet, verbose };
        self.told(log_file.as_deref(), None, manner, mask)
    }
}

/// The end of a command that only explains: it needs no settings, and its text is no result.
fn explained(written: std::io::Result<()>, command: Option<&'static str>, mask: &Mask) -> u8 {
    let Err(error) = written else { return 0 };
    let outcome = Outcome::from(output::unwritable(&error));
    let manner = Manner { output: Output::Text, quiet: false, verbose: false };
    output::finish(&Report { command, outcome: &outcome, warnings: &[], mask, ran: None }, manner)
}

/// The channel of a command, as far as the command alone decides.
fn channel_of(command: &Command) -> Option<Channel> {
    match command {
        Command::AppSend(_) | Command::GetToken(_) => Some(Channel::App),
        Command::WebhookSend(_) => Some(Channel::Webhook),
        Command::UploadMedia(args) => channel_named(args.route.as_deref()),
        Command::Run(args) => channel_named(args.route.as_deref()),
        Command::Outbox(_) | Command::Check(_) | Command::Completions(_) | Command::Man(_) => None,
    }
}

fn listener(verbose: bool, quiet: bool, mask: Mask) -> Observer {
    let bar = Arc::new(Bar::new(quiet));
    Observer::new(move |notice| match notice {
        Event::Detail(line) if verbose => talk::say(&mask, &line),
        Event::Detail(_) => {}
        Event::Upload { name, sent, total } => bar.draw(name, sent, total),
    })
}

/// Does it until it ends or a signal stops it. After that a signal has its usual effect.
async fn conduct(
    session: &mut Session<'_>,
    task: Task,
    ran: Option<&FinishedCommand>,
    stops: Option<StopSignals>,
) -> Outcome {
    let mut stops = stops.unwrap_or_else(StopSignals::listen);
    let accounts = session.accounts.clone();
    let sends = matches!(task, Task::Send(_) | Task::Run(_));
    let is_final = session.settings.at_most_once;
    tokio::select! {
        biased;
        signal = stops.received() => interrupted(signal, sends, is_final, &accounts),
        outcome = dispatch(session, task, ran) => outcome.unwrap_or_else(Outcome::from),
    }
}

/// The command has told its result: what still waits may go along, and a signal ends only that.
async fn go_along(session: &mut Session<'_>) -> Vec<String> {
    let mut stops = StopSignals::listen();
    tokio::select! {
        biased;
        _ = stops.received() => Vec::new(),
        warnings = Box::pin(flush::flush_after_send(session)) => warnings,
    }
}

async fn dispatch(session: &mut Session<'_>, task: Task, ran: Option<&FinishedCommand>) -> Result<Outcome> {
    match task {
        Task::Send(request) => Box::pin(send::send(session, *request)).await,
        Task::Run(request) => Box::pin(run::alert(session, *request, ran)).await,
        Task::Upload(request) => Box::pin(send::upload_media(session, request)).await,
        Task::Token { refresh } => Box::pin(send::get_token(session, refresh)).await,
        Task::List { wants_code } => flush::list(session, wants_code).await,
        Task::Flush { failed } => Box::pin(flush::flush(session, failed)).await,
        Task::Drop(selection) => flush::discard(session, selection).await,
        Task::Check { channel, sends } => Ok(Box::pin(check::check(session, channel, sends)).await),
    }
}
