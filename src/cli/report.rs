//! A command's end: its data on stdout, its messages on stderr, and the exit code. Secrets are masked in both. A defect and a
//! panic end like any other failure.

use std::io::{self, IsTerminal};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use wecom_alert::check::label;
use wecom_alert::clock;
use wecom_alert::config::{Output, ReportSettings};
use wecom_alert::delivery::{AskedQuestion, CheckStatus, GivenAnswer, Outcome, Product};
use wecom_alert::error::{Error, Status};
use wecom_alert::process;
use wecom_alert::run::FinishedCommand;
use wecom_alert::sanitize::one_line;
use wecom_alert::secret::Mask;

use super::document::document;
use super::listing::{listing_lines, listing_table};
use super::output;
use super::stderr;
use super::tables::{
    chat_line, chat_table, check_table, entries_table, entry_line, explanation_text, plan_text, shown_text,
};

/// A command that has ended.
pub(crate) struct Report<'a> {
    pub(crate) command: Option<&'static str>,
    pub(crate) outcome: Outcome,
    pub(crate) warnings: Vec<String>,
    pub(crate) mask: &'a Mask,
    /// The command that `run` has run.
    pub(crate) ran: Option<&'a FinishedCommand>,
    /// Whether a terminal may be shown colours.
    pub(crate) allows_colours: bool,
    /// The user's home folder, for which a text for people has `~`.
    pub(crate) home: Option<&'a str>,
}

impl<'a> Report<'a> {
    /// One without anything but the outcome.
    pub(crate) fn new(command: Option<&'static str>, outcome: Outcome, mask: &'a Mask) -> Self {
        Self { command, outcome, warnings: Vec::new(), mask, ran: None, allows_colours: false, home: None }
    }
}

/// Prints the result of a command and returns its exit code. Messages that cannot be printed are ignored; data that the
/// command was called to print are not: that is an error.
pub(crate) fn finish(report: &Report<'_>, how: &ReportSettings) -> u8 {
    stderr::wipe();
    let (outcome, exit_code) = (&report.outcome, report.outcome.exit_code());
    let Err(error) = print(report, how) else { return exit_code };
    // In text mode it was told before.
    if outcome.error.is_some() && how.output == Output::Json {
        print_messages(report, how, false);
    }
    // The reader has closed the pipe: no error.
    if error.kind() == io::ErrorKind::BrokenPipe {
        return exit_code;
    }
    if outcome.error.is_some() {
        stderr::say(report.mask, unwritable(&error).message());
        return exit_code;
    }
    if outcome.attempts > 0 {
        let done = describe_success(outcome).unwrap_or_default();
        let subject = subject(report);
        stderr::say(report.mask, &format!("{subject}: {done}; the result cannot be written to stdout: {error}"));
        return exit_code;
    }
    let outcome = Outcome { profile: outcome.profile.clone(), ..Outcome::from(unwritable(&error)) };
    let report = Report { ran: report.ran, ..Report::new(report.command, outcome, report.mask) };
    print_messages(&report, how, false);
    report.outcome.exit_code()
}

/// The failure of a command whose data cannot be printed.
pub(crate) fn unwritable(error: &io::Error) -> Error {
    Error::config(
        format!("the result cannot be written to stdout: {error}"),
        "check the disk, or the program that reads stdout",
    )
}

fn print(report: &Report<'_>, how: &ReportSettings) -> io::Result<()> {
    match how.output {
        Output::Json => {
            // The document gets a line of its own, also where the command has left its last line without an end.
            let is_line_open = report.ran.is_some_and(|ran| ran.open_lines()[0]);
            let document = document(&report.outcome, &report.warnings, report.ran, report.mask);
            write_data(&format!("{}{document}", if is_line_open { "\n" } else { "" }))
        }
        Output::Text => {
            // A table, or what can be one, is printed before the line that sums it up.
            let is_table = matches!(report.outcome.product, Product::Checks(..) | Product::Listed(_));
            let table = if is_table { write_data(&text_data(report)) } else { Ok(()) };
            print_messages(report, how, is_table && table.is_ok() && is_on_terminal());
            if is_table { table } else { write_data(&text_data(report)) }
        }
    }
}

/// Whether somebody sees stdout and stderr in one place.
fn is_on_terminal() -> bool {
    io::stdout().is_terminal() && io::stderr().is_terminal()
}

/// What text mode says on stderr. Where the table of checks `is_above`, its error is not told in full once more.
fn print_messages(report: &Report<'_>, how: &ReportSettings, is_above: bool) {
    // As a shell reports it, independent of the alert.
    if let Some(end) = report.ran.and_then(FinishedCommand::unsaid_end) {
        stderr::say(report.mask, &format!("run: {end}"));
    }
    // cron mails what is printed: why each alert waits is told when that changes.
    let is_known = matches!(report.outcome.product, Product::Flush { has_news: false, .. })
        && !how.verbose
        && !io::stderr().is_terminal();
    if !how.quiet && !is_known {
        for warning in &report.warnings {
            stderr::say(report.mask, &format!("warning: {warning}"));
        }
    }
    if let Some(error) = &report.outcome.error {
        let status = error.status().as_str();
        // A partial delivery that counts as success is no error, but is reported all the same.
        let word = if report.outcome.exit_code() == 0 { "warning" } else { "error" };
        let failed = failed_check(&report.outcome).filter(|_| is_above);
        let told =
            failed.as_ref().map_or_else(|| error.message().to_owned(), |name| format!("{name} failed, see above"));
        stderr::say(report.mask, &format!("{word}[{status}]: {}: {told}", subject(report)));
        if let Some(hint) = error.hint().filter(|_| failed.is_none()) {
            stderr::line(report.mask, &format!("hint: {hint}"));
        }
    } else if let (Some(ran), Status::Skipped, 0) = (report.ran, report.outcome.status, report.outcome.held_back) {
        // No alert was due: the output of the command is all there is.
        if how.verbose && !how.quiet {
            stderr::say(report.mask, &format!("{}: {}", subject(report), ran.described()));
        }
    } else if !how.quiet
        && (how.verbose || io::stderr().is_terminal())
        && let Some(done) = describe_success(&report.outcome)
    {
        stderr::say(report.mask, &format!("{}: {done}", subject(report)));
    }
}

/// The first check that failed.
fn failed_check(outcome: &Outcome) -> Option<String> {
    let Product::Checks(checks, _) = &outcome.product else { return None };
    checks.iter().find(|check| check.status == CheckStatus::Failed).map(|check| label(check.name))
}

/// `webhook-send (profile ops)`.
fn subject(report: &Report<'_>) -> String {
    let command = report.command.unwrap_or("wecom-alert");
    match &report.outcome.profile {
        Some(profile) => format!("{command} (profile {profile})"),
        None => command.to_owned(),
    }
}

fn write_data(data: &str) -> io::Result<()> {
    output::to_stdout(data.as_bytes())
}

fn describe_success(outcome: &Outcome) -> Option<String> {
    match outcome.status {
        Status::Sent => {
            let ids: Vec<&str> = outcome.parts.iter().flat_map(|part| &part.msgids).map(String::as_str).collect();
            let sent = match outcome.parts.len() {
                0 | 1 => "sent".to_owned(),
                parts => format!("sent in {parts} parts"),
            };
            let mut done = if ids.is_empty() { sent } else { format!("{sent}, msgid {}", ids.join(", ")) };
            if outcome.held_back > 0 {
                done.push_str(&format!("; before it {} like it had been held back", outcome.held_back));
            }
            Some(done)
        }
        Status::Skipped if outcome.held_back > 0 => Some(format!(
            "skipped: the same alert was sent, or stored, within --cooldown; {} held back since",
            outcome.held_back
        )),
        Status::Skipped => Some("skipped: the text is empty".to_owned()),
        Status::Asked => Some("asked: a running listen waits for the answer".to_owned()),
        Status::Answered => match &outcome.product {
            Product::Asked(asked) => asked.answer.as_ref().map(|answer| match &answer.userid {
                Some(userid) => format!("{userid} answered: {}", answer.text),
                None => format!("answered by a command on this machine: {}", answer.text),
            }),
            _ => None,
        },
        Status::DryRun => Some("dry run: nothing was sent".to_owned()),
        Status::Ok => match outcome.product {
            Product::Flush { delivered: 0, failed: 0, .. } => Some("nothing was waiting".to_owned()),
            Product::Flush { delivered, failed, .. } => Some(format!("{delivered} delivered, {failed} given up")),
            Product::Listed(ref listing) => Some(listing.counted()),
            Product::Dropped(dropped) => Some(format!("{dropped} dropped")),
            Product::Done(ref done) => Some(done.clone()),
            Product::Entries(ref entries) if entries.is_empty() => Some("nothing waits".to_owned()),
            _ => None,
        },
        _ => None,
    }
}

/// What goes to stdout in text mode.
fn text_data(report: &Report<'_>) -> String {
    match &report.outcome.product {
        Product::None | Product::Done(_) => String::new(),
        Product::Token { access_token, .. } => format!("{}\n", access_token.expose()),
        Product::Page(page) => match (&page.html, &page.file) {
            (Some(html), _) => html.clone(),
            (None, file) => file.iter().map(|path| format!("{}\n", one_line(&path.to_string_lossy()))).collect(),
        },
        Product::Userid(userid) => format!("{}\n", one_line(userid)),
        Product::Media { media_id, .. } => format!("{}\n", one_line(media_id)),
        Product::Flush { .. } | Product::Dropped(_) => String::new(),
        Product::Explained(explanations) => explanations.iter().map(explanation_text).collect::<Vec<_>>().join("\n"),
        Product::CreatedChat { chatid, .. } => format!("{}\n", one_line(chatid)),
        Product::Chat(chat) if io::stdout().is_terminal() => chat_table(chat, report.mask),
        Product::Chat(chat) => report.mask.apply(&chat_line(chat)),
        Product::Listed(listing) if io::stdout().is_terminal() => listing_table(listing, report.mask),
        Product::Listed(listing) => listing_lines(listing, report.mask),
        Product::Entries(entries) if io::stdout().is_terminal() => entries_table(entries, report.mask),
        Product::Entries(entries) => entries.iter().map(|entry| report.mask.apply(&entry_line(entry)) + "\n").collect(),
        Product::Shown(entry) => shown_text(entry, report.mask),
        Product::Asked(asked) => asked_text(asked, report.mask),
        Product::Plan(requests) => plan_text(requests, report.mask),
        Product::Checks(checks, requests) => {
            let with_colours = report.allows_colours && io::stdout().is_terminal();
            let requests = requests.as_deref().unwrap_or_default();
            check_table(checks, report.mask, report.home, with_colours) + &plan_text(requests, report.mask)
        }
    }
}

/// The keys of the answer, a line each; of a dry run the plan and its requests.
fn asked_text(asked: &AskedQuestion, mask: &Mask) -> String {
    let Some(requests) = &asked.requests else {
        let keys = asked.answer.iter().flat_map(GivenAnswer::keys);
        return keys.map(|key| mask.apply(&one_line(key)) + "\n").collect();
    };
    let steps = asked.steps.iter().map(|step| {
        let at = step.at_ms.map_or_else(|| "if the first target fails".to_owned(), |ms| clock::date(clock::at_ms(ms)));
        mask.apply(&one_line(&format!("{at}  {}", step.target))) + "\n"
    });
    steps.collect::<String>() + &plan_text(requests, mask)
}

/// How the command prints its results, once that is known: a panic can come at any time.
static OUTPUT: OnceLock<Output> = OnceLock::new();

/// Remembers how a defect is to be printed. The first call counts.
pub(crate) fn remember_output(output: Output) {
    let _ = OUTPUT.set(output);
}

/// Whether a failed alert gives the exit code of `run`, as with `--alert-exit`.
static PREFERS_ALERT: AtomicBool = AtomicBool::new(false);

/// Remembers whose exit code counts for `run` if the alert fails.
pub(crate) fn remember_alert_exit(prefers_alert: bool) {
    PREFERS_ALERT.store(prefers_alert, Ordering::Relaxed);
}

/// The exit code after a panic, given that of the command of `run`, if there is one.
fn code_after_panic(defect: u8, of_command: Option<u8>, prefers_alert: bool) -> u8 {
    of_command.filter(|_| !prefers_alert).unwrap_or(defect)
}

/// Reports a defect that was noticed.
pub(crate) fn report_defect(error: &anyhow::Error) {
    finish_defect(format!("{error:#}"));
}

/// Makes a panic a report like any other, without the values that its message may hold. Under `run` the exit code stays that
/// of the command.
pub(crate) fn report_panics() {
    std::panic::set_hook(Box::new(|panic| {
        // Only the file's name: its folders are those of the machine where the program was built.
        let name = |file: &str| file.rsplit(['/', '\\']).next().unwrap_or_default().to_owned();
        let place = panic.location().map(|at| format!(" at {}:{}", name(at.file()), at.line())).unwrap_or_default();
        let defect = finish_defect(format!("this program broke{place}"));
        let of_command = process::exit_code_after_panic();
        std::process::exit(code_after_panic(defect, of_command, PREFERS_ALERT.load(Ordering::Relaxed)).into());
    }));
}

fn finish_defect(message: String) -> u8 {
    let how = ReportSettings { output: OUTPUT.get().copied().unwrap_or_default(), ..ReportSettings::default() };
    // The mask of the command cannot be used here; a place in the source holds no secret.
    finish(&Report::new(None, Outcome::from(Error::defect(message)), &Mask::default()), &how)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_leaves_the_exit_code_of_the_command() {
        for (of_command, prefers_alert, code) in
            [(None, false, 1), (None, true, 1), (Some(0), false, 0), (Some(3), false, 3), (Some(3), true, 1)]
        {
            assert_eq!(code_after_panic(1, of_command, prefers_alert), code, "{of_command:?} {prefers_alert}");
        }
    }

    #[test]
    fn the_first_output_is_remembered() {
        remember_output(Output::Json);
        remember_output(Output::Text);
        assert_eq!(OUTPUT.get(), Some(&Output::Json));
    }
}
