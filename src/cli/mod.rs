//! From arguments to exit code: options, settings, one command, one report.

mod args;
mod compose;
mod dry_run;
mod get_token;
mod mistakes;
mod output;
mod progress;
mod send;
mod session;
mod signals;
mod upload_media;

use std::ffi::OsString;
use std::sync::Arc;

use clap::Parser;

use wecom_alert::config::{self, Environment, Output, Overrides};
use wecom_alert::delivery::Outcome;
use wecom_alert::error::{Error, Result, Status};
use wecom_alert::notice::{Listener, Notice};
use wecom_alert::secret::Mask;

use args::{Cli, Command};
use output::{Manner, Report};
use progress::Bar;
use session::Session;

/// Runs the program and returns its exit code.
pub(crate) fn run(arguments: Vec<OsString>) -> anyhow::Result<u8> {
    let environment = Environment::from_process();
    let mask = Mask::new();
    environment.secrets().iter().for_each(|secret| mask.add(secret));
    let cli = match Cli::try_parse_from(&arguments) {
        Ok(cli) => cli,
        Err(error) if !error.use_stderr() => return print_help(&error, &mask),
        Err(error) => {
            let manner = mistakes::manner(&arguments);
            let outcome = Outcome::from(mistakes::explain(&error));
            let command = mistakes::command(&arguments);
            return finish(&Report { command, outcome: &outcome, warnings: &[], mask: &mask }, manner);
        }
    };
    let command = Some(cli.command.name());
    let overrides = cli.overrides();
    let mut session = match prepare(&overrides, &environment, mask.clone()) {
        Ok(session) => session,
        Err(error) => {
            let outcome = Outcome::from(error);
            // A mistyped variable may well be why the settings are wrong.
            let warnings = environment.unknown_variables();
            let report = Report { command, outcome: &outcome, warnings: &warnings, mask: &mask };
            return finish(&report, manner_of(&overrides));
        }
    };
    let settings = &session.settings;
    let manner = Manner { output: settings.output, quiet: settings.quiet, verbose: settings.verbose > 0 };
    let mut outcome = conduct(&mut session, cli.command)?;
    outcome.profile.clone_from(&session.settings.profile);
    outcome.route = session.route;
    outcome.allow_partial = session.settings.allow_partial;
    finish(&Report { command, outcome: &outcome, warnings: &session.warnings, mask: &mask }, manner)
}

/// Help and version. A reader who has seen enough may leave.
fn print_help(help: &clap::Error, mask: &Mask) -> anyhow::Result<u8> {
    match help.print() {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            let outcome = Outcome::from(unwritable(&error));
            let manner = Manner { output: Output::Text, quiet: false, verbose: false };
            finish(&Report { command: None, outcome: &outcome, warnings: &[], mask }, manner)
        }
        _ => Ok(0),
    }
}

fn prepare(overrides: &Overrides, environment: &Environment, mask: Mask) -> Result<Session> {
    let (settings, warnings) = config::resolve(overrides, environment)?;
    let listener = listener(settings.verbose > 0, settings.quiet, mask.clone());
    Ok(Session::new(settings, warnings, mask, listener))
}

/// Before the settings are known, only the options can say how to print.
fn manner_of(overrides: &Overrides) -> Manner {
    let output = if overrides.output.as_deref() == Some("json") { Output::Json } else { Output::Text };
    Manner { output, quiet: overrides.quiet, verbose: overrides.verbose > 0 }
}

fn listener(verbose: bool, quiet: bool, mask: Mask) -> Listener {
    let bar = Arc::new(Bar::new(quiet));
    Listener::new(move |notice| match notice {
        Notice::Detail(line) if verbose => output::say(&mask, &line),
        Notice::Detail(_) => {}
        Notice::Upload { name, sent, total } => bar.draw(name, sent, total),
    })
}

/// Runs a command until it ends or a signal stops it.
fn conduct(session: &mut Session, command: Command) -> anyhow::Result<Outcome> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let ledger = session.ledger.clone();
    let outcome = runtime.block_on(async {
        tokio::select! {
            biased;
            signal = signals::received() => signals::interrupted(signal, &ledger),
            outcome = dispatch(session, command) => outcome.unwrap_or_else(Outcome::from),
        }
    });
    // A name look-up or a read of stdin may still hang in a thread: nobody waits for it.
    runtime.shutdown_background();
    Ok(outcome)
}

async fn dispatch(session: &mut Session, command: Command) -> Result<Outcome> {
    match command {
        Command::AppSend(args) => send::app_send(session, args).await,
        Command::WebhookSend(args) => send::webhook_send(session, args).await,
        Command::UploadMedia(args) => upload_media::upload_media(session, args).await,
        Command::GetToken(args) => get_token::get_token(session, args).await,
    }
}

/// Prints the report. What was delivered stays delivered, even if it cannot be told; data that a command was there to
/// print must not get lost silently.
fn finish(report: &Report<'_>, manner: Manner) -> anyhow::Result<u8> {
    match output::print(report, manner) {
        Err(error) if report.outcome.exit_code() == 0 && report.outcome.attempts == 0 => {
            let profile = report.outcome.profile.clone();
            let outcome = Outcome { profile, ..Outcome::from(unwritable(&error)) };
            let report = Report { command: report.command, outcome: &outcome, warnings: &[], mask: report.mask };
            let _ = output::print(&report, Manner { output: Output::Text, ..manner });
            Ok(outcome.exit_code())
        }
        _ => Ok(report.outcome.exit_code()),
    }
}

fn unwritable(error: &std::io::Error) -> Error {
    Error::config(format!("the result cannot be written to stdout: {error}"), "check the disk behind stdout")
}

/// Reads the input off the event loop, since a pipe may stay open for long and a signal must still be heard. The clock of
/// the deadline starts when that is done.
async fn read_input<T: Send + 'static>(
    session: &mut Session,
    work: impl FnOnce(&mut Vec<String>) -> Result<T> + Send + 'static,
) -> Result<T> {
    let worker = tokio::task::spawn_blocking(move || {
        let mut warnings = Vec::new();
        (work(&mut warnings), warnings)
    });
    let (result, warnings) = worker.await.map_err(|_| Error::defect("reading the message broke off"))?;
    session.warnings.extend(warnings);
    session.start_clock();
    result
}

/// Says what should never happen.
pub(crate) fn report_defect(error: &anyhow::Error) {
    output::say(&Mask::new(), &format!("error[error]: {error:#}"));
}

/// Makes a panic a report like any other, without the values that its message may hold.
pub(crate) fn report_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(|at| format!(" at {}:{}", at.file(), at.line())).unwrap_or_default();
        let mask = Mask::new();
        output::say(&mask, &format!("error[error]: this program broke{place}"));
        output::line(&mask, "hint: this is a defect of wecom-alert: please report it with this line");
        std::process::exit(Status::Error.exit_code().into());
    }));
}
