//! The command line: arguments are parsed, settings resolved, one task is performed, one report printed, and its exit code
//! returned.

mod args;
mod batch_results;
mod config_init;
mod document;
mod event_lines;
mod json;
mod keyboard;
mod listing;
mod manual;
mod output;
mod perform;
mod report;
mod request;
mod stderr;
mod tables;
mod unparsed;
mod usage_errors;
mod wrap;

use std::ffi::OsString;
use std::io::{self, IsTerminal};
use std::path::Path;
use std::time::{Duration, Instant};

use clap::{CommandFactory, FromArgMatches};
use tokio::runtime::Runtime;

use wecom_alert::check;
use wecom_alert::config::{
    Config, Environment, Language, Output, Overrides, ReportSettings, Setting, asked_deadline, report_settings,
};
use wecom_alert::delivery::{Accounts, Outcome, Product, interrupted};
use wecom_alert::error::{Error, Result, Status};
use wecom_alert::explain;
use wecom_alert::process::StopSignals;
use wecom_alert::run::{self, FinishedCommand, Preview, RunRequest};
use wecom_alert::secret::Mask;
use wecom_alert::send::{LoggedMessage, Session};
use wecom_alert::store;

use args::{Cli, overrides};
use config_init::config_init;
use perform::{event_loop, flush_after_send, perform, run_first};
use report::{Report, finish, remember_output, unwritable};
use request::Task;
use unparsed::{Unparsed, read_unparsed};
use usage_errors::refusal;

pub(crate) use report::{report_defect, report_panics};

/// How long a reader may keep an explanation waiting.
const LONGEST_EXPLANATION: Duration = Duration::from_secs(90);

/// What is said of a failed command whose alert has no target.
const NOBODY_TOLD: &str = "nobody was told of the failure";

/// An example of a config file.
const EXAMPLE: &str = include_str!("../../config.example.toml");

/// What is known of a command before its settings are resolved.
struct Invocation<'a> {
    began: Instant,
    environment: &'a Environment,
    mask: &'a Mask,
    overrides: &'a Overrides,
    command: Option<&'static str>,
    arguments: &'a [OsString],
}

/// Runs the program and returns its exit code.
pub(crate) fn run(arguments: Vec<OsString>) -> anyhow::Result<u8> {
    let began = Instant::now();
    let environment = &Environment::from_process();
    let mask = &Mask::default();
    environment.secrets().iter().for_each(|secret| mask.add(secret));
    let arguments = &arguments[..];
    if arguments.len() < 2 && report_settings(&Overrides::default(), environment).output == Output::Text {
        return Ok(show_short_help(arguments));
    }
    let parsed = Cli::command().try_get_matches_from(arguments);
    let parsed = parsed.and_then(|matches| Ok((overrides(&matches), Cli::from_arg_matches(&matches)?.command)));
    let (overrides, command) = match parsed {
        Ok(parsed) => parsed,
        Err(error) if !error.use_stderr() => {
            let help = manual::short_help(&error, arguments).unwrap_or(error);
            return Ok(print_explanation(help.render().to_string().as_bytes(), None, mask));
        }
        Err(error) => {
            let Unparsed { command, overrides } = &read_unparsed(arguments);
            let error = refusal(&error, *command, arguments);
            return Ok(Invocation { began, environment, mask, overrides, command: *command, arguments }.fail(error));
        }
    };
    overrides.secrets().iter().for_each(|secret| mask.add(secret));
    let name = Some(command.name());
    let invocation = Invocation { began, environment, mask, overrides: &overrides, command: name, arguments };
    match Task::new(command) {
        Task::ConfigExample => Ok(print_explanation(EXAMPLE.as_bytes(), name, mask)),
        Task::ConfigInit => match config_init(&overrides, environment) {
            Ok(profile) => {
                // The check is about the new file, not about credentials of the environment.
                let overrides = &if environment.variables_before_file().is_empty() {
                    overrides.clone()
                } else {
                    overrides.clone().set(Setting::Profile, profile.as_str())
                };
                let check = Invocation { command: Some("check"), overrides, ..invocation };
                check.carry_out(Task::Check { channel: None, sends: false })
            }
            Err(error) => Ok(invocation.fail(error)),
        },
        Task::Explain(code) => Ok(invocation.explain(&code)),
        Task::Completions(shell) => Ok(print_explanation(&manual::completions(shell), name, mask)),
        Task::Manual(words) => Ok(invocation.show_page(manual::page(&words, invocation.language()))),
        Task::Help(words) => {
            let page = manual::help(&words, invocation.language(), environment);
            Ok(invocation.show_page(page.map(String::into_bytes)))
        }
        task => invocation.carry_out(task),
    }
}

impl Invocation<'_> {
    /// Reports a failure before anything else has been done.
    fn fail(&self, error: Error) -> u8 {
        let is_run = self.command == Some("run");
        let message = format!("the command was not run: {}", error.message());
        let error = if is_run { error.with_message(message) } else { error };
        let how = report_settings(self.overrides, self.environment);
        self.finish(self.report(Outcome::from(error)), None, &how, None, self.early_deadline())
    }

    fn language(&self) -> Language {
        report_settings(self.overrides, self.environment).language
    }

    /// Prints a page of the manual.
    fn show_page(&self, page: Result<Vec<u8>>) -> u8 {
        match page {
            Ok(page) => print_explanation(&page, self.command, self.mask),
            Err(error) => self.fail(error),
        }
    }

    /// Explains a code. Settings are not needed for that.
    fn explain(&self, code: &str) -> u8 {
        match explain::explain(code) {
            Ok(known) => {
                let outcome = Outcome::with_product(Status::Ok, Product::Explained(known));
                let how = report_settings(self.overrides, self.environment);
                self.finish(self.report(outcome), None, &how, None, self.early_deadline())
            }
            Err(error) => self.fail(error),
        }
    }

    /// When the command must end, as far as that is known before its settings are.
    fn early_deadline(&self) -> Instant {
        self.began + asked_deadline(self.overrides, self.environment)
    }

    fn report(&self, mut outcome: Outcome) -> Report<'_> {
        outcome.error = outcome.error.map(|error| usage_errors::about_line_ends(error, self.arguments));
        Report {
            allows_colours: self.environment.allows_colours(),
            home: self.environment.home().and_then(Path::to_str),
            ..Report::new(self.command, outcome, self.mask)
        }
    }

    /// Writes the line of the log file, prints the report and returns the exit code. Readers of the report have time until
    /// the deadline.
    fn finish(
        &self,
        mut report: Report<'_>,
        logged: Option<&LoggedMessage>,
        how: &ReportSettings,
        runtime: Option<&Runtime>,
        deadline: Instant,
    ) -> u8 {
        if let Some(path) = &how.log_file
            && let Err(error) = store::append_line(
                path,
                &json::log_line(
                    self.command,
                    &report.outcome,
                    logged,
                    self.began,
                    json::logged_message(&report.outcome, self.command, self.arguments, self.mask),
                ),
            )
        {
            report.warnings.push(format!("the log file {} cannot be written: {error}", path.display()));
        }
        // The output of the command comes before the report on it.
        if let (Some(ran), Some(runtime)) = (report.ran, runtime) {
            report.warnings.extend(runtime.block_on(ran.passed_on()));
        }
        output::finish_by(deadline);
        let code = finish(&report, how);
        report.ran.map_or(code, |ran| ran.exit_code(code))
    }

    /// Nothing can be sent; a command is run all the same.
    fn without_event_loop(&self, task: &Task, error: Error) -> u8 {
        let Task::Run(request) = task else { return self.fail(error) };
        if self.overrides.has(Setting::DryRun) {
            return self.fail(error);
        }
        let preview = self.look_before(request);
        match preview.and_then(|preview| Ok((preview, run::run_plainly(request, error.message())?))) {
            Ok((preview, ran)) => {
                let how = report_settings(self.overrides, self.environment);
                let warnings = untold(Some(&preview), Vec::new(), &how);
                let report = Report { warnings, ran: Some(&ran), ..self.report(Outcome::from(error)) };
                let deadline = Instant::now() + asked_deadline(self.overrides, self.environment);
                self.finish(report, None, &how, None, deadline)
            }
            Err(error) => self.fail(error),
        }
    }

    /// Looks at what can be known before a command runs, and prints what is wrong and does not stop it.
    fn look_before(&self, request: &RunRequest) -> Result<Preview> {
        let preview = run::look_before(request, self.overrides, self.environment, self.mask)?;
        if preview.how.output == Output::Text && !preview.how.quiet {
            preview.warnings.iter().for_each(|line| stderr::say(self.mask, &format!("warning: {line}")));
        }
        Ok(preview)
    }

    /// Carries out a task that has settings.
    fn carry_out(&self, task: Task) -> anyhow::Result<u8> {
        let overrides = self.overrides;
        if overrides.text(Setting::Output) == Some("json") {
            remember_output(Output::Json);
        }
        let runtime = match event_loop() {
            Ok(runtime) => runtime,
            Err(error) => return Ok(self.without_event_loop(&task, error)),
        };
        let code = self.carry_out_on(&runtime, task);
        // Does not wait for threads: one may hang in a name look-up or a read of stdin.
        runtime.shutdown_background();
        Ok(code)
    }

    fn carry_out_on(&self, runtime: &Runtime, task: Task) -> u8 {
        let Self { environment, mask, overrides, .. } = *self;
        let (preview, ran, mut stops) = match &task {
            Task::Run(request) if !overrides.has(Setting::DryRun) => {
                let preview = self.look_before(request);
                match preview.and_then(|preview| Ok((preview, run_first(request, runtime)?))) {
                    Ok((preview, (ran, stops))) => (Some(preview), Some(ran), stops),
                    Err(error) => return self.fail(error),
                }
            }
            _ => (None, None, runtime.block_on(async { StopSignals::listen() })),
        };
        let lenience = task.lenience(overrides.has(Setting::DryRun));
        // What is reported where there are no settings.
        let end_early = |mut outcome: Outcome| {
            if ran.as_ref().is_some_and(FinishedCommand::failed) {
                outcome.error = outcome.error.map(|error| with_remark(error, NOBODY_TOLD));
            }
            let how = report_settings(overrides, environment);
            let report = Report {
                // A mistyped variable may be the reason why the settings are wrong.
                warnings: untold(preview.as_ref(), environment.unknown_variables(), &how),
                ran: ran.as_ref(),
                ..self.report(Outcome { profile: how.profile.clone(), channel: task.channel(), ..outcome })
            };
            self.finish(report, None, &how, Some(runtime), self.early_deadline())
        };
        let reading = async {
            tokio::select! {
                biased;
                signal = stops.received() => Err(signal),
                config = Config::read_in_time(overrides, environment, lenience) => Ok(config),
            }
        };
        let config = match runtime.block_on(reading) {
            Ok(config) => config,
            Err(signal) => return end_early(interrupted(signal, task.sends(), false, &Accounts::default())),
        };
        let is_batch = matches!(task, Task::Batch(_));
        let is_for_all = task.is_for_all();
        let resolved = config.as_ref().map_err(Clone::clone).and_then(|config| {
            let resolved = if is_for_all { config.resolve_for_all()? } else { config.resolve()? };
            Ok((config, resolved))
        });
        let (config, resolved) = match resolved {
            Ok(resolved) => resolved,
            Err(error) => {
                return end_early(match task {
                    Task::Check { .. } => check::unresolved(config.as_ref().ok(), &error),
                    _ => Outcome::from(error),
                });
            }
        };
        let mut how = ReportSettings::from(&resolved.0);
        if is_batch {
            // Each line has its result and its line in the log: the command itself only has its messages.
            (how.output, how.log_file) = (Output::Text, None);
        }
        remember_output(how.output);
        let mut session = Session::new(config, resolved, mask.clone(), stderr::observer(&how, mask.clone()));
        if !how.quiet && task.reads_stdin() && io::stdin().is_terminal() {
            stderr::say(mask, "reading from the terminal; Ctrl-D on a line of its own ends it");
        }
        if let Task::Send(request) = &task
            && let Some(text) = request.input.text.as_ref().and_then(|text| text.to_str())
        {
            session.warnings.extend(usage_errors::warning_about_text(text));
        }
        let (sends, may_be_partial) = (task.sends(), task.may_be_partial());
        let mut outcome = runtime.block_on(perform(&mut session, task, ran.as_ref(), stops));
        outcome.profile.clone_from(&session.settings.profile);
        outcome.channel = session.channel;
        outcome.allow_partial = session.settings.allow_partial && may_be_partial;
        if ran.as_ref().is_some_and(FinishedCommand::failed) && outcome.attempts == 0 {
            let is_unresolved = |error: &Error| matches!(error.status(), Status::Config | Status::Usage);
            outcome.error = outcome.error.map(|error| match is_unresolved(&error) {
                true => with_remark(error, NOBODY_TOLD),
                false => error,
            });
        }
        // What waits of this alert itself has had its attempts.
        let went_out = matches!(outcome.status, Status::Sent | Status::Partial) && outcome.outbox_id.is_none();
        let may_flush = (sends || is_batch) && session.settings.outbox && went_out;
        let warnings = untold(preview.as_ref(), std::mem::take(&mut session.warnings), &how);
        let report = Report { warnings, ran: ran.as_ref(), ..self.report(outcome) };
        let code = self.finish(report, session.logged.as_ref(), &how, Some(runtime), session.deadline());
        if may_flush {
            let warnings = runtime.block_on(flush_after_send(&mut session));
            // Told with --quiet too: these alerts were accepted, and are tried no more.
            warnings.iter().for_each(|line| stderr::say(mask, &format!("warning: {line}")));
        }
        code
    }
}

/// The error with a remark behind its hint.
fn with_remark(error: Error, remark: &str) -> Error {
    match error.hint().map(|hint| format!("{hint} ({remark})")) {
        Some(hint) => error.with_hint(hint),
        None => error,
    }
}

/// The warnings of a report on a command without those that were printed before it ran. A document has them all.
fn untold(preview: Option<&Preview>, warnings: Vec<String>, how: &ReportSettings) -> Vec<String> {
    let Some(Preview { warnings: told, .. }) = preview else { return warnings };
    let mut untold = if how.output == Output::Json { told.clone() } else { Vec::new() };
    untold.extend(warnings.into_iter().filter(|warning| !told.contains(warning)));
    untold
}

/// Short help in place of an error where nothing was asked for; it is no data, so it goes to stderr.
fn show_short_help(arguments: &[OsString]) -> u8 {
    let asked: Vec<OsString> = arguments.iter().cloned().chain([OsString::from("-h")]).collect();
    let help = Cli::command().try_get_matches_from(&asked).err().and_then(|help| manual::short_help(&help, &asked));
    let text = help.map(|help| help.render().to_string()).unwrap_or_default();
    // A stderr that nobody reads changes nothing.
    let _ = output::to_stderr(text.as_bytes());
    Status::Usage.exit_code()
}

/// Prints help, completions or a manual page: that needs no settings, and its text is no result.
fn print_explanation(text: &[u8], command: Option<&'static str>, mask: &Mask) -> u8 {
    output::finish_by(Instant::now() + LONGEST_EXPLANATION);
    let Err(error) = manual::write(text) else { return 0 };
    let outcome = Outcome::from(unwritable(&error));
    finish(&Report::new(command, outcome, mask), &ReportSettings::default())
}
