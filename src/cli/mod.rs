//! From arguments to exit code: options, settings, one command, one report.

mod args;
mod check;
mod compose;
mod defect;
mod dispatch;
mod dry_run;
mod flush;
mod further;
mod get_token;
mod gist;
mod hold;
mod manual;
mod mistakes;
mod moment;
mod outbox;
mod output;
mod progress;
mod run;
mod send;
mod session;
mod signals;
mod table;
mod talk;
mod trace;
mod upload_media;

use std::ffi::OsString;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use anyhow::Context;
use clap::Parser;

use wecom_alert::child::StopSignals;
use wecom_alert::config::{self, Config, Environment, Glance, Output, Overrides};
use wecom_alert::delivery::Outcome;
use wecom_alert::error::{Error, Result, Status};
use wecom_alert::message::Route;
use wecom_alert::notice::{Listener, Notice};
use wecom_alert::secret::Mask;

use args::{Cli, Command};
use compose::Order;
use gist::{Gist, gist};
use output::{Manner, Report};
use progress::Bar;
use run::Ran;
use session::Session;
use trace::{Said, Trace};

pub(crate) use defect::{report_defect, report_panics};

/// Runs the program and returns its exit code.
pub(crate) fn run(arguments: Vec<OsString>) -> anyhow::Result<u8> {
    let began = Instant::now();
    let environment = Environment::from_process();
    let mask = Mask::new();
    environment.secrets().iter().for_each(|secret| mask.add(secret));
    table::remember(environment.allows_colours());
    let cli = match Cli::try_parse_from(&arguments) {
        Ok(cli) => cli,
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
    let command = Some(cli.command.name());
    let overrides = cli.overrides();
    let explanation = match &cli.command {
        Command::Completions(args) => Some(Ok(manual::completions(args))),
        Command::Man(args) => Some(manual::page(args)),
        _ => None,
    };
    if let Some(text) = explanation {
        return Ok(match text {
            Ok(text) => explained(manual::write(&text), command, &mask),
            Err(error) => End::of(error, command, began).without_settings(&overrides, &environment, &mask),
        });
    }
    carry_out(cli, &environment, mask, began)
}

/// The same for a command that does more than to explain.
fn carry_out(cli: Cli, environment: &Environment, mask: Mask, began: Instant) -> anyhow::Result<u8> {
    let (command, overrides) = (Some(cli.command.name()), cli.overrides());
    if overrides.output.as_deref() == Some("json") {
        defect::remember(Output::Json);
    }
    let ran = match run_first(&cli) {
        Ok(ran) => ran,
        Err(error) => return Ok(End::of(error, command, began).without_settings(&overrides, environment, &mask)),
    };
    let config = Config::read(&overrides, environment);
    let resolved = config.as_ref().map_err(Clone::clone).and_then(|config| {
        // Each entry of the outbox has a target of its own.
        let is_for_all = matches!(cli.command, Command::Outbox(_));
        let resolved = if is_for_all { config.resolve_for_all()? } else { config.resolve()? };
        Ok((config, resolved))
    });
    let (config, resolved) = match resolved {
        Ok(resolved) => resolved,
        Err(error) => {
            let profile = config::glance(&overrides, environment).profile;
            let ended = match cli.command {
                Command::Check(_) => check::unresolved(config.as_ref().ok(), &error),
                _ => Outcome::from(error),
            };
            let outcome = Outcome { profile, route: route_of(&cli.command), ..ended };
            // A mistyped variable may well be why the settings are wrong.
            let end = End { command, outcome, warnings: environment.unknown_variables(), began, ran };
            return Ok(end.without_settings(&overrides, environment, &mask));
        }
    };
    let settings = &resolved.0;
    defect::remember(settings.output);
    let manner = Manner { output: settings.output, quiet: settings.quiet, verbose: settings.verbose > 0 };
    let listener = listener(settings.verbose > 0, settings.quiet, mask.clone());
    let mut session = Session::new(config, resolved, mask.clone(), listener);
    let mut outcome = match conduct(&mut session, cli.command, ran.as_ref()) {
        // Its code is ours, even now.
        Err(error) if ran.is_some() => Outcome::from(Error::defect(format!("{error:#}"))),
        outcome => outcome?,
    };
    outcome.profile.clone_from(&session.settings.profile);
    outcome.route = session.route;
    outcome.allow_partial = session.settings.allow_partial;
    let end = End { command, outcome, warnings: session.warnings, began, ran };
    Ok(end.told(session.settings.log_file.as_deref(), session.said.as_ref(), manner, &mask))
}

/// What `run` is to run comes first: no mistake in settings keeps it from running.
fn run_first(cli: &Cli) -> Result<Option<Ran>> {
    match &cli.command {
        Command::Run(args) if !cli.global.dry_run => {
            let ran = run::run_command(args)?;
            let [_, is_stderr_open] = ran.open_lines();
            if is_stderr_open {
                talk::left_open();
            }
            Ok(Some(ran))
        }
        _ => Ok(None),
    }
}

/// A command that has ended and is to be reported on.
struct End {
    command: Option<&'static str>,
    outcome: Outcome,
    warnings: Vec<String>,
    began: Instant,
    /// The command that `run` has run.
    ran: Option<Ran>,
}

impl End {
    /// One that failed before there was anything else to say.
    fn of(error: Error, command: Option<&'static str>, began: Instant) -> Self {
        Self { command, outcome: Outcome::from(error), warnings: Vec::new(), began, ran: None }
    }

    /// Writes the trace, prints the report and returns the exit code.
    fn told(mut self, log_file: Option<&Path>, said: Option<&Said>, manner: Manner, mask: &Mask) -> u8 {
        if let Some(path) = log_file {
            let trace = Trace { command: self.command, outcome: &self.outcome, said, began: self.began };
            self.warnings.extend(trace.append(path).err());
        }
        // What is printed now is the last that comes of it.
        self.warnings.extend(self.ran.as_ref().and_then(Ran::passed_on));
        let Self { command, outcome, warnings, ran, .. } = &self;
        let code = output::finish(&Report { command: *command, outcome, warnings, mask, ran: ran.as_ref() }, manner);
        ran.as_ref().map_or(code, |ran| ran.exit_code(code))
    }

    /// The same before the settings are known: options and a glance say how.
    fn without_settings(self, overrides: &Overrides, environment: &Environment, mask: &Mask) -> u8 {
        let Glance { output, log_file, .. } = config::glance(overrides, environment);
        let manner = Manner { output, quiet: overrides.quiet, verbose: overrides.verbose > 0 };
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

/// The route of a command, as far as the command alone decides.
fn route_of(command: &Command) -> Option<Route> {
    match command {
        Command::AppSend(_) | Command::GetToken(_) => Some(Route::App),
        Command::WebhookSend(_) => Some(Route::Webhook),
        Command::UploadMedia(args) => named_route(args.route.as_deref()?),
        Command::Run(args) => named_route(args.route.as_deref()?),
        Command::Outbox(_) | Command::Check(_) | Command::Completions(_) | Command::Man(_) => None,
    }
}

fn named_route(name: &str) -> Option<Route> {
    Some(if name == "webhook" { Route::Webhook } else { Route::App })
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
fn conduct(session: &mut Session<'_>, command: Command, ran: Option<&Ran>) -> anyhow::Result<Outcome> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.context("the event loop cannot be started")?;
    let ledger = session.ledger.clone();
    let sends = matches!(command, Command::AppSend(_) | Command::WebhookSend(_) | Command::Run(_));
    let is_final = session.settings.at_most_once;
    let outcome = runtime.block_on(async {
        // Until the end of all work: after that, a signal has its usual effect.
        let mut stops = StopSignals::listen();
        let outcome = tokio::select! {
            biased;
            signal = stops.received() => signals::interrupted(signal, sends, is_final, &ledger),
            outcome = dispatch(session, command, ran) => outcome.unwrap_or_else(Outcome::from),
        };
        // The command has its result: what still waits may go along, and a signal ends only that.
        if sends && session.settings.outbox && matches!(outcome.status, Status::Sent | Status::Partial) {
            tokio::select! {
                biased;
                _ = stops.received() => {}
                warnings = flush::a_few(session) => session.warnings.extend(warnings),
            }
        }
        outcome
    });
    // A name look-up or a read of stdin may still hang in a thread: nobody waits for it.
    runtime.shutdown_background();
    Ok(outcome)
}

async fn dispatch(session: &mut Session<'_>, command: Command, ran: Option<&Ran>) -> Result<Outcome> {
    match command {
        Command::AppSend(args) => send::send(session, Order::from(*args)).await,
        Command::WebhookSend(args) => send::send(session, Order::from(*args)).await,
        Command::Run(args) => run::alert(session, *args, ran).await,
        Command::UploadMedia(args) => upload_media::upload_media(session, args).await,
        Command::GetToken(args) => get_token::get_token(session, args).await,
        Command::Outbox(args) => outbox::outbox(session, args).await,
        Command::Check(args) => check::check(session, &args).await,
        Command::Completions(_) | Command::Man(_) => Err(Error::defect("an explanation has no settings")),
    }
}

/// Reads the input off the event loop, since a pipe may stay open for long and a signal must still be heard. The clock of
/// the deadline starts when that is done.
async fn read_input<T: Send + 'static>(
    session: &mut Session<'_>,
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
