//! From arguments to exit code: options, settings, one command, one report.

mod args;
mod compose;
mod defect;
mod dry_run;
mod get_token;
mod gist;
mod mistakes;
mod output;
mod progress;
mod send;
mod session;
mod signals;
mod talk;
mod upload_media;

use std::ffi::OsString;
use std::sync::Arc;

use anyhow::Context;
use clap::Parser;

use wecom_alert::config::{self, Environment, Glance, Output, Overrides};
use wecom_alert::delivery::Outcome;
use wecom_alert::error::{Error, Result};
use wecom_alert::message::Route;
use wecom_alert::notice::{Listener, Notice};
use wecom_alert::secret::Mask;

use args::{Cli, Command};
use gist::{Gist, gist};
use output::{Manner, Report};
use progress::Bar;
use session::Session;

pub(crate) use defect::{report_defect, report_panics};

/// Runs the program and returns its exit code.
pub(crate) fn run(arguments: Vec<OsString>) -> anyhow::Result<u8> {
    let environment = Environment::from_process();
    let mask = Mask::new();
    environment.secrets().iter().for_each(|secret| mask.add(secret));
    let cli = match Cli::try_parse_from(&arguments) {
        Ok(cli) => cli,
        Err(error) if !error.use_stderr() => return Ok(print_help(&error, &mask)),
        Err(error) => {
            let Gist { command, overrides } = gist(&arguments);
            let outcome = Outcome::from(mistakes::explain(&error, command, &arguments));
            let glance = config::glance(&overrides, &environment);
            let report = Report { command, outcome: &outcome, warnings: &[], mask: &mask };
            return Ok(output::finish(&report, manner_of(&overrides, &glance)));
        }
    };
    let command = Some(cli.command.name());
    let overrides = cli.overrides();
    if overrides.output.as_deref() == Some("json") {
        defect::remember(Output::Json);
    }
    let mut session = match prepare(&overrides, &environment, mask.clone()) {
        Ok(session) => session,
        Err(error) => {
            let glance = config::glance(&overrides, &environment);
            let manner = manner_of(&overrides, &glance);
            let outcome = Outcome { profile: glance.profile, route: route_of(&cli.command), ..Outcome::from(error) };
            // A mistyped variable may well be why the settings are wrong.
            let warnings = environment.unknown_variables();
            let report = Report { command, outcome: &outcome, warnings: &warnings, mask: &mask };
            return Ok(output::finish(&report, manner));
        }
    };
    let settings = &session.settings;
    defect::remember(settings.output);
    let manner = Manner { output: settings.output, quiet: settings.quiet, verbose: settings.verbose > 0 };
    let mut outcome = conduct(&mut session, cli.command)?;
    outcome.profile.clone_from(&session.settings.profile);
    outcome.route = session.route;
    outcome.allow_partial = session.settings.allow_partial;
    Ok(output::finish(&Report { command, outcome: &outcome, warnings: &session.warnings, mask: &mask }, manner))
}

/// Help and version. A reader who has seen enough may leave.
fn print_help(help: &clap::Error, mask: &Mask) -> u8 {
    match help.print() {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            let outcome = Outcome::from(output::unwritable(&error));
            let manner = Manner { output: Output::Text, quiet: false, verbose: false };
            output::finish(&Report { command: None, outcome: &outcome, warnings: &[], mask }, manner)
        }
        _ => 0,
    }
}

fn prepare(overrides: &Overrides, environment: &Environment, mask: Mask) -> Result<Session> {
    let (settings, warnings) = config::resolve(overrides, environment)?;
    let listener = listener(settings.verbose > 0, settings.quiet, mask.clone());
    Ok(Session::new(settings, warnings, mask, listener))
}

/// Before the settings are known, options and a glance say how to print.
fn manner_of(overrides: &Overrides, glance: &Glance) -> Manner {
    Manner { output: glance.output, quiet: overrides.quiet, verbose: overrides.verbose > 0 }
}

/// The route of a command, as far as the command alone decides.
fn route_of(command: &Command) -> Option<Route> {
    match command {
        Command::AppSend(_) | Command::GetToken(_) => Some(Route::App),
        Command::WebhookSend(_) => Some(Route::Webhook),
        Command::UploadMedia(args) => match args.route.as_deref()? {
            "webhook" => Some(Route::Webhook),
            _ => Some(Route::App),
        },
    }
}

fn listener(verbose: bool, quiet: bool, mask: Mask) -> Listener {
    let bar = Arc::new(Bar::new(quiet));
    Listener::new(move |notice| match notice {
        Notice::Detail(line) if verbose => talk::say(&mask, &line),
        Notice::Detail(_) => {}
        Notice::Upload { name, sent, total } => bar.draw(name, sent, total),
    })
}

/// Runs a command until it ends or a signal stops it.
fn conduct(session: &mut Session, command: Command) -> anyhow::Result<Outcome> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.context("the event loop cannot be started")?;
    let ledger = session.ledger.clone();
    let sends = matches!(command, Command::AppSend(_) | Command::WebhookSend(_));
    let outcome = runtime.block_on(async {
        tokio::select! {
            biased;
            signal = signals::received() => signals::interrupted(signal, sends, &ledger),
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
